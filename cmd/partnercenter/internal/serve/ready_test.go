package serve

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// TestReadyFolderOfOthers writes a ready file where others can replace it.
func TestReadyFolderOfOthers(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("modes do not show access on Windows")
	}
	for mode, warns := range map[os.FileMode]bool{0o755: false, 0o775: true, 0o777: true, os.ModeSticky | 0o777: false} {
		dir := t.TempDir()
		if err := os.Chmod(dir, mode); err != nil {
			t.Fatal(err)
		}
		var log bytes.Buffer
		l := &local{readyFile: filepath.Join(dir, "ready.json"), logger: slog.New(slog.NewTextHandler(&log, nil))}
		if err := l.writeReady(t.Context(), &serveOptions{}); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(log.String(), "others could replace the ready file") != warns {
			t.Errorf("%o: %s", mode, &log)
		}
	}
}
