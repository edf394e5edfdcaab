package api

import (
	"os"
	"path/filepath"
	"testing"
)

// TestPlaceFails has a name that was taken for a file go to none.
func TestPlaceFails(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "invoice.pdf")
	if err := place(filepath.Join(dir, "gone"), name, false); err == nil {
		t.Error("a file that is not there was placed")
	}
	if _, err := os.Lstat(name); !os.IsNotExist(err) {
		t.Errorf("an empty file is left: %v", err)
	}
}
