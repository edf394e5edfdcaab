package connect

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
)

// TestControlPlaneTimeout asks control planes that do not answer, or never to the end.
func TestControlPlaneTimeout(t *testing.T) {
	for name, answer := range map[string]func(w http.ResponseWriter, r *http.Request){
		"never": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"never to the end": func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				_, _ = w.Write([]byte(" "))
				_ = http.NewResponseController(w).Flush()
				time.Sleep(10 * time.Millisecond)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body) // only then net/http notices that the client went away
				answer(w, r)
			}))
			defer srv.Close()
			plane := ControlPlane{term: new(terminal.Terminal), address: srv.URL, timeout: 200 * time.Millisecond}
			for _, body := range []any{nil, map[string]string{"user": "x@y"}} {
				if _, err := plane.Call(t.Context(), http.MethodPost, "/tokens", body); err == nil || !strings.Contains(err.Error(), "did not answer in time") {
					t.Errorf("%v", err)
				}
			}
		})
	}
}
