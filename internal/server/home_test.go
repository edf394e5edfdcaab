package server_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/partnercenter-go/partnercenter"
)

// TestHome opens the server's root with a browser, and with clients, which ask for JSON,
// for anything, or for nothing.
func TestHome(t *testing.T) {
	r := newRunning(t)
	for _, tt := range []struct {
		accept string
		status int
		kind   string
		texts  []string
	}{
		{"text/html,application/xhtml+xml,*/*;q=0.8", 200, "text/html; charset=utf-8",
			[]string{"A local Partner Center", "partnercenter " + partnercenter.Version, `href="/openapi.yaml"`, "not Microsoft's"}},
		{"application/json", 404, "application/json; charset=utf-8", []string{`"code":`}},
		{"*/*", 404, "application/json; charset=utf-8", []string{`"code":`}},
		{"", 404, "application/json; charset=utf-8", []string{`"code":`}},
	} {
		resp := r.get(t, http.DefaultClient, "http://"+r.api+"/", "", http.Header{"Accept": {tt.accept}})
		body, err := io.ReadAll(resp.Body)
		must(t, err)
		if resp.StatusCode != tt.status || resp.Header.Get("Content-Type") != tt.kind {
			t.Errorf("%q: %s %v", tt.accept, resp.Status, resp.Header)
		}
		for _, text := range tt.texts {
			if !strings.Contains(string(body), text) {
				t.Errorf("%q: %q is not in %s", tt.accept, text, body)
			}
		}
		for _, link := range strings.Split(string(body), `href="/`)[1:] {
			link, _, _ = strings.Cut(link, `"`)
			if resp := r.get(t, http.DefaultClient, "http://"+r.api+"/"+link, "", nil); resp.StatusCode != 200 {
				t.Errorf("the link to /%s answers %s", link, resp.Status)
			}
		}
	}
}

// TestControlPlaneAnswersJSON asks the control plane for what it does not have, and as web
// pages do.
func TestControlPlaneAnswersJSON(t *testing.T) {
	r := newRunning(t)
	for _, tt := range []struct {
		method, path string
		header       http.Header
		status       int
		allow, text  string
	}{
		{"GET", "/", nil, 404, "", "docs/control-plane.md"},
		{"GET", "/v1/customers", nil, 404, "", `nothing at "/v1/customers"`},
		{"POST", "/clock/rewind", nil, 404, "", "nothing at"},
		{"DELETE", "/users", nil, 405, "GET, HEAD", "use GET, HEAD"},
		{"POST", "/readyz", nil, 405, "GET, HEAD", "use GET, HEAD"},
		{"POST", "/keys", http.Header{"Origin": {"https://evil.example"}}, 403, "", "web pages"},
		{"GET", "/users", http.Header{"Sec-Fetch-Site": {"cross-site"}}, 403, "", "web pages"},
		{"GET", "/apps", http.Header{"Sec-Fetch-Site": {"same-site"}}, 403, "", "web pages"}, // another port
		{"HEAD", "/users", http.Header{"Sec-Fetch-Site": {"cross-site"}}, 403, "", ""},
		{"GET", "/users", http.Header{"Origin": {"null"}}, 403, "", "web pages"},
		{"GET", "/users", http.Header{"Origin": {"http://127.0.0.1"}}, 403, "", "web pages"},
		{"OPTIONS", "/users", http.Header{"Origin": {"https://evil.example"}}, 403, "", "web pages"},
		{"GET", "/readyz", http.Header{"Sec-Fetch-Site": {"cross-site"}, "Origin": {"https://evil.example"}}, 403, "", "web pages"},
		{"GET", "/users", http.Header{"Sec-Fetch-Site": {"none"}}, 200, "", ""}, // typed by the user
		{"GET", "/users", http.Header{"Sec-Fetch-Site": {"same-origin"}}, 200, "", ""},
		{"GET", "/users", http.Header{"Origin": {"http://" + r.control}}, 200, "", ""},
	} {
		req, err := http.NewRequestWithContext(t.Context(), tt.method, "http://"+r.control+tt.path, nil)
		must(t, err)
		req.Header = tt.header
		resp, err := http.DefaultClient.Do(req)
		must(t, err)
		var refused struct{ Error string }
		if err = json.NewDecoder(resp.Body).Decode(&refused); tt.method == http.MethodHead {
			err = nil
		}
		resp.Body.Close()
		if err != nil || resp.StatusCode != tt.status || resp.Header.Get("Allow") != tt.allow || !strings.Contains(refused.Error, tt.text) ||
			!strings.HasPrefix(resp.Header.Get("Content-Type"), "application/json") {
			t.Errorf("%s %s: %s %v %q %v", tt.method, tt.path, resp.Status, resp.Header, refused.Error, err)
		}
	}
}
