package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
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

// TestDeepAnswer has an answer that would be printed in 40 times its length, if it was
// printed at all: each level indents all that is in it.
func TestDeepAnswer(t *testing.T) {
	deep := strings.Repeat("[", 9000) + strings.Repeat("1,", 100_000) + "1" + strings.Repeat("]", 9000)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasSuffix(r.URL.Path, "/token"):
			io.WriteString(w, `{"access_token":"x","expires_in":3600,"token_type":"Bearer"}`)
		case strings.HasSuffix(r.URL.Path, "/orders"):
			fmt.Fprintf(w, `{"totalCount":1,"items":[{"id":"o","unknown":%s}]}`, deep)
		case strings.HasSuffix(r.URL.Path, "/orders/o"):
			fmt.Fprintf(w, `{"id":"o","unknown":%s}`, deep)
		default:
			io.WriteString(w, deep)
		}
	}))
	defer srv.Close()
	for _, args := range []string{
		"api GET /a", "api GET /a -o yaml", "api GET /orders --paginate", "orders list --customer " + stubTenant + " --json",
		"orders list --customer " + stubTenant + " -o yaml", "orders get o --customer " + stubTenant + " --json",
	} {
		r := runCLI(t.Context(), t, nil, append(strings.Fields(args), "--base-url", srv.URL)...)
		if r.code != terminal.ExitError || r.stdout != "" || !strings.Contains(r.stderr, "nested more than 100 deep") {
			t.Errorf("%s: code %d, %d bytes, %s", args, r.code, len(r.stdout), r.stderr)
		}
	}
}

// TestLargeAnswer names the flag for answers that are larger than those that are read.
func TestLargeAnswer(t *testing.T) {
	stub := newStub(t, false)
	list := []string{"orders", "list", "--customer", "one", "--base-url", stub.URL}
	r := runCLI(t.Context(), t, nil, append(list, "--max-answer-size", "100")...)
	if r.code != terminal.ExitError || !strings.Contains(r.stderr, "more than 100 bytes") || !strings.Contains(r.stderr, "--max-answer-size") || strings.Contains(r.stderr, "ClientOptions") {
		t.Errorf("%+v", r)
	}
	if r := runCLI(t.Context(), t, nil, append(list, "--max-answer-size", "1000000")...); r.code != terminal.ExitOK {
		t.Errorf("%+v", r)
	}
	for _, size := range []string{"0", "-1", "1MB"} {
		if r := runCLI(t.Context(), t, nil, append(list, "--max-answer-size="+size)...); r.code != terminal.ExitUsage || !strings.Contains(r.stderr, "is not a number of bytes") {
			t.Errorf("%s: %+v", size, r)
		}
	}
}

// TestPagesAsTheyCome prints the items of a page before the next one is asked for.
func TestPagesAsTheyCome(t *testing.T) {
	var printed lockedBuffer
	before := ""
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/v1/a":
			io.WriteString(w, `{"totalCount":2,"items":[{"id":1}, {"id":2}],"links":{"next":{"uri":"/b"}}}`)
		case "/v1/b":
			before = printed.String()
			io.WriteString(w, `{"totalCount":-1,"items":[]}`)
		default:
			io.WriteString(w, `{"access_token":"x","expires_in":3600,"token_type":"Bearer"}`)
		}
	}))
	defer srv.Close()
	r := runCLI(t.Context(), t, func(term *terminal.Terminal) { term.Stdout = &printed }, "api", "GET", "/a", "--paginate", "-o", "jsonl", "--base-url", srv.URL)
	if before != "{\"id\":1}\n{\"id\":2}\n" || r.code != terminal.ExitError || !strings.Contains(r.stderr, "the answer of /b is not a list") {
		t.Errorf("%q was printed; %+v", before, r)
	}
}

// lockedBuffer is output that a server looks at.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
