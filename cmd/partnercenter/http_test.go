package main

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestHTTPFiles sends what the files for editors' HTTP clients say, in their
// order, and expects successes.
func TestHTTPFiles(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("..", "..", "examples", "http", "*.http"))
	if err != nil || len(files) < 2 {
		t.Fatalf("files %v, %v", files, err)
	}
	f := startProxied(t)
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			content, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			known := map[string]string{}
			for _, line := range regexp.MustCompile(`(?m)^@(\w+) = (.*)$`).FindAllStringSubmatch(string(content), -1) {
				known[line[1]] = line[2]
			}
			for name, value := range map[string]string{"tenantId": f.TenantID, "clientId": f.ClientID} {
				if known[name] != value {
					t.Errorf("@%s is %q, and the sample data has %q", name, known[name], value)
				}
			}
			known["host"], known["clientSecret"] = f.APIURL, f.ClientSecret
			requests := strings.Split(string(content), "\n### ")[1:]
			if len(requests) == 0 {
				t.Fatal("no requests")
			}
			for _, request := range requests {
				sendHTTPFile(t, request, known)
			}
		})
	}
}

// sendHTTPFile sends one request: a title, comments of which one may name it,
// the request line, headers and, after an empty line, a body. The answer of a
// request with a name becomes known.
func sendHTTPFile(t *testing.T, text string, known map[string]string) {
	t.Helper()
	text = regexp.MustCompile(`\{\{([^}]+)\}\}`).ReplaceAllStringFunc(text, func(variable string) string {
		value, ok := known[strings.Trim(variable, "{}")]
		if !ok {
			t.Errorf("%s is unknown", variable)
		}
		return value
	})
	head, body, _ := strings.Cut(strings.TrimRight(text, "\n"), "\n\n")
	title, lines, _ := strings.Cut(head, "\n")
	var name string
	var req *http.Request
	for line := range strings.Lines(lines) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "# @name "):
			name = strings.TrimPrefix(line, "# @name ")
		case req == nil:
			method, address, _ := strings.Cut(line, " ")
			var err error
			if req, err = http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body)); err != nil {
				t.Fatalf("%s: %v", title, err)
			}
		default:
			key, value, _ := strings.Cut(line, ": ")
			req.Header.Set(key, value)
		}
	}
	if req == nil {
		t.Fatalf("%s: no request", title)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatalf("%s: %v", title, err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode >= 300 {
		t.Errorf("%s: %s %s %v", title, resp.Status, answer, err)
	}
	if name == "" {
		return
	}
	var members map[string]any
	if err := json.Unmarshal(answer, &members); err != nil {
		t.Fatalf("%s: %v", title, err)
	}
	for member, value := range members {
		if text, ok := value.(string); ok {
			known[name+".response.body.$."+member] = text
		}
	}
}
