package published

import (
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/partnercenter-go/partnercenter/partnercentertest"
)

// writtenCall is a call in the text of the later editions: methods, and a whole path.
var writtenCall = regexp.MustCompile("((?:GET|POST|PUT|PATCH|DELETE|HEAD)(?:[ /]+(?:GET|POST|PUT|PATCH|DELETE|HEAD))*) `(/(?:v1|accountenrollments)/[^`?\\[]*)")

// TestEveryDocumentedCallIsKnown makes every call of the list, and those written whole
// in sections 4 to 9 of the later editions: none is answered as if nobody had heard of
// it.
func TestEveryDocumentedCallIsKnown(t *testing.T) {
	calls := map[[2]string]bool{}
	for _, r := range table(t, "operations.csv", "area", "method", "path") {
		if path, _, _ := strings.Cut(r["path"], "?"); r["area"] != "auth" {
			calls[[2]string{r["method"], path}] = true
		}
	}
	listed := len(calls)
	_, text, _ := strings.Cut(string(file(t, "additions-2026.md")), "\n## 4.")
	text, _, _ = strings.Cut(text, "\n## 10.")
	for _, m := range writtenCall.FindAllStringSubmatch(text, -1) {
		for _, method := range strings.FieldsFunc(m[1], func(r rune) bool { return r == ' ' || r == '/' }) {
			calls[[2]string{method, m[2]}] = true
		}
	}
	if written := len(calls) - listed; listed < 60 || written < 40 {
		t.Errorf("%d calls are in the list, and %d in the text", listed, written)
	}
	srv := partnercentertest.NewServer(t)
	parameter := regexp.MustCompile(`\{[^}]*\}`)
	for call := range calls {
		path := parameter.ReplaceAllString(call[1], partnercentertest.CustomerID)
		r, err := http.NewRequestWithContext(t.Context(), call[0], srv.URL+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		// Without a token, what is served is refused for that.
		if unserved := resp.StatusCode == 400 && (call[0] == http.MethodHead || strings.Contains(string(body), `"code":900141`)); err != nil || !unserved && resp.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s %s: %s %s", call[0], path, resp.Status, body)
		}
	}
}
