package connect

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// TestClaimReadyFile has servers that start at the same moment take the file that one
// left behind: one gets it, and the others learn whose it is.
func TestClaimReadyFile(t *testing.T) {
	const servers = 8
	for range 5 {
		path := filepath.Join(t.TempDir(), "local.json")
		if err := os.WriteFile(path, []byte(`{"pid":1,"apiUrl":"http://127.0.0.1:1"}`), 0o600); err != nil {
			t.Fatal(err)
		}
		var (
			group     sync.WaitGroup
			addresses [servers]string
			owners    [servers]string
		)
		for i := range servers {
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"status":"ready"}`)) }))
			defer srv.Close()
			addresses[i] = srv.URL
		}
		for i := range servers {
			group.Go(func() {
				var err error
				if owners[i], err = ClaimReadyFile(t.Context(), path, ReadyFacts{PID: i + 1, APIURL: addresses[i]}); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		facts, err := readReadyFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for i, owner := range owners {
			if want := facts.APIURL; owner != want && (owner != "" || addresses[i] != want) {
				t.Errorf("server %d: the file is of %q, want %q", i, owner, want)
			}
		}
		if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "*")); len(left) != 1 {
			t.Errorf("%q are there", left)
		}
	}
}

// What is in the way and no file stays.
func TestClaimFolder(t *testing.T) {
	path := t.TempDir()
	if _, err := ClaimReadyFile(t.Context(), path, ReadyFacts{PID: 1}); err == nil {
		t.Error("a folder is replaced")
	}
	if info, err := os.Stat(path); err != nil || !info.IsDir() {
		t.Error(err)
	}
}
