package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
)

// TestEndlessPages has lists whose links lead on and on.
func TestEndlessPages(t *testing.T) {
	calls := 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/token") {
			io.WriteString(w, `{"access_token":"x","expires_in":3600,"token_type":"Bearer"}`)
			return
		}
		calls++
		item, next := `{"id":"x"}`, "/b"
		switch r.URL.Path {
		case "/v1/b":
			next = "/a"
		case "/v1/empty":
			item, next = "", fmt.Sprintf("/empty?page=%d", calls)
		}
		fmt.Fprintf(w, `{"totalCount":%d,"items":[%s],"links":{"next":{"uri":%q}}}`, strings.Count(item, "id"), item, next)
	}))
	defer srv.Close()
	for _, tt := range []struct{ args, want string }{
		{"api GET /a --paginate", `the list of /a would never end: the next page, "` + srv.URL + `/v1/a", is one that came before`},
		{"api GET /empty --paginate", "3 pages in a row have no items, and the next one is "},
		{"orders list --customer 11111111-2222-3333-4444-555555555555", "is one that came before"},
		{"orders list --customer 11111111-2222-3333-4444-555555555555 -o jsonl", "is one that came before"},
	} {
		calls = 0
		r := runCLI(t.Context(), t, nil, append(strings.Fields(tt.args), "--base-url", srv.URL)...)
		if r.code != terminal.ExitError || r.stdout != "" || !strings.Contains(r.stderr, tt.want) || calls > 3 {
			t.Errorf("%s: %+v after %d calls", tt.args, r, calls)
		}
	}
}
