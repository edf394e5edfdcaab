package server

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// fullDisk is a file on a disk without room.
type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) {
	return 0, &os.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}
}

// TestSpool makes temporary files: nothing is left of them, and a full disk is told as
// such.
func TestSpool(t *testing.T) {
	s := &Server{config: Config{TempDir: t.TempDir()}}
	f, err := s.newSpool()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(f, "x"); err != nil {
		t.Error(err)
	}
	f.Close()
	if left, _ := filepath.Glob(filepath.Join(s.config.TempDir, "*")); len(left) > 0 {
		t.Errorf("%q are left", left)
	}

	c := &call{w: httptest.NewRecorder()}
	if _, err := c.receive(fullDisk{}, strings.NewReader("x"), time.Now().Add(time.Minute)); !errors.Is(err, errNoSpace) {
		t.Errorf("a full disk: %v", err)
	}
	c = &call{w: httptest.NewRecorder(), r: httptest.NewRequest(http.MethodPost, "/", nil)}
	s.refuse(c, errNoSpace)
	if w := c.w.(*httptest.ResponseRecorder); w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
		t.Errorf("it is answered %d %v", w.Code, w.Header())
	}
}
