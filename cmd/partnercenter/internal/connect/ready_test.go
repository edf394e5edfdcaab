package connect

import (
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
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

// A server that was killed has left its file. When it starts again at the same address, it
// listens there and does not answer yet.
func TestClaimOwnReadyFile(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	path := filepath.Join(t.TempDir(), "local.json")
	first := "http://" + l.Addr().String()
	for _, facts := range []ReadyFacts{
		{PID: 1, APIURL: first}, {PID: 2, APIURL: first}, {PID: 3, APIURL: "http://127.0.0.1:1", APIURLs: []string{"http://127.0.0.1:1", first}},
	} {
		if owner, err := ClaimReadyFile(t.Context(), path, facts); owner != "" || err != nil {
			t.Errorf("%+v: the file is of %q, %v", facts, owner, err)
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

// TestReadyFileOfOthers follows ready files that somebody else could have written: secrets
// would go where it says.
func TestReadyFileOfOthers(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("owner and mode do not show access on Windows")
	}
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	t.Setenv("HOME", t.TempDir()) // where the file is on a Mac
	path, err := LocalReadyFile()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ClaimReadyFile(t.Context(), path, ReadyFacts{PID: 1, APIURL: "http://127.0.0.1:1", ControlURL: "http://127.0.0.1:2"}); err != nil {
		t.Fatal(err)
	}
	follow := func(want string) {
		t.Helper()
		_, settings := LocalSettings()
		_, plane := (&ControlPlane{}).url()
		for _, err := range []error{settings, plane} {
			if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
				t.Errorf("%v, want %q", err, want)
			}
		}
	}
	follow("")
	for _, mode := range []os.FileMode{0o620, 0o602} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		follow("run: chmod go-w " + path)
	}
	if err := os.Chmod(path, 0o644); err != nil { //nolint:gosec // who may read it is the owner's to say
		t.Fatal(err)
	}
	follow("")
	if os.Geteuid() == 0 { // only root can give files away
		if err := os.Chown(path, 12345, -1); err != nil {
			t.Fatal(err)
		}
		follow("belongs to another user (uid 12345")
	}
}
