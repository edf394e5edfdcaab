package server

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

// writes keeps each write. Package net writes several buffers to it one after the other.
type writes struct {
	net.Conn
	all []string
}

func (w *writes) Write(p []byte) (int, error) {
	w.all = append(w.all, string(p))
	return len(p), nil
}

func TestJoinedWrites(t *testing.T) {
	full := strings.Repeat("b", writeBuffer)
	for name, test := range map[string]struct {
		first, rest string
		want        []string // before part, and after it
		after       []string
	}{
		"beginning and rest":       {full, "rest", []string{full, "rest"}, []string{full, "rest"}},
		"no rest":                  {"all", "", nil, []string{"all"}},
		"more than net/http holds": {full + "b", "rest", []string{"", full + "b", "rest"}, []string{"", full + "b", "rest"}},
		"nothing":                  {"", "", nil, []string{""}},
	} {
		t.Run(name, func(t *testing.T) {
			w := new(writes)
			c := &connection{Conn: w}
			c.join()
			for _, text := range []string{test.first, test.rest} {
				if text == "" {
					continue
				}
				if n, err := c.Write([]byte(text)); n != len(text) || err != nil {
					t.Errorf("wrote %d of %d, %v", n, len(text), err)
				}
			}
			if got, want := fmt.Sprint(lengths(w.all)), fmt.Sprint(lengths(test.want)); got != want {
				t.Errorf("%s before the end, want %s", got, want)
			}
			c.part()
			if strings.Join(w.all, "|") != strings.Join(test.after, "|") {
				t.Errorf("wrote %v", lengths(w.all))
			}
			if c.joined.buffer != nil {
				t.Error("the next answer is joined, too")
			}
		})
	}
}

func lengths(all []string) (n []int) {
	for _, s := range all {
		n = append(n, len(s))
	}
	return n
}

// TestAnswersOfAllSizes sends answers about as large as net/http's buffer over one
// connection.
func TestAnswersOfAllSizes(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	all := newConnections(0)
	server := &http.Server{ //nolint:gosec // for this test
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			var size int
			if _, err := fmt.Sscanf(r.URL.Path, "/%d", &size); err != nil {
				t.Error(err)
			}
			body := bytes.Repeat([]byte{byte('a' + size%26)}, size)
			w.Header()["Content-Length"] = []string{fmt.Sprint(size)}
			(&call{w: w, r: r}).writeBody(body)
		}),
		ConnContext: withConnection,
	}
	defer server.Close()
	go func() { _ = server.Serve(all.limit(listener, false)) }()
	for size := range 3 * writeBuffer {
		if size%97 != 0 && size%writeBuffer > 2 && size%writeBuffer < writeBuffer-300 {
			continue
		}
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			r, err := http.NewRequestWithContext(context.Background(), method, fmt.Sprintf("http://%s/%d", listener.Addr(), size), nil)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatalf("%s of %d bytes: %v", method, size, err)
			}
			body, err := io.ReadAll(resp.Body)
			resp.Body.Close()
			want := size
			if method == http.MethodHead {
				want = 0
			}
			if err != nil || len(body) != want || strings.Trim(string(body), string(rune('a'+size%26))) != "" {
				t.Fatalf("%s of %d bytes: %d, %v", method, size, len(body), err)
			}
		}
	}
}
