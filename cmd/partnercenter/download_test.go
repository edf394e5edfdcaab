package main

import (
	"encoding/hex"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
)

// TestDownloadedNames downloads files with names that would do something, or hide it.
func TestDownloadedNames(t *testing.T) {
	stub := newStub(t, false)
	download := func(answer, name string, args ...string) (result, []string) {
		t.Chdir(t.TempDir())
		r := runCLI(t.Context(), t, func(term *terminal.Terminal) {
			term.Stdin, term.StdinTTY = strings.NewReader(answer+"\n"), answer != ""
		}, append([]string{"orders", "attachments", "order-1", "--customer", "one", "--download", hex.EncodeToString([]byte(name)), "--base-url", stub.URL}, args...)...)
		entries, err := os.ReadDir(".")
		if err != nil {
			t.Fatal(err)
		}
		var files []string
		for _, entry := range entries {
			files = append(files, entry.Name())
		}
		return r, files
	}
	for name, cleaned := range map[string]string{
		".bashrc": "bashrc", "-rf": "rf", "../../.ssh/.x": "x", "NUL.pdf": "file-NUL.pdf", "PO.pdf:hidden": "PO.pdf_hidden", "PO\u202efdp.sh": "PO_fdp.sh", "PO.pdf.": "PO.pdf",
		strings.Repeat("x", 300) + ".pdf": strings.Repeat("x", 196) + ".pdf",
	} {
		if r, files := download("", name); r.code != terminal.ExitUsage || !strings.Contains(r.stderr, "not safe as a name: give one with -O FILE") || len(files) > 0 {
			t.Errorf("%q without a terminal: %+v, files %q", name, r, files)
		}
		if r, files := download("n", name); r.code != terminal.ExitUsage || !strings.Contains(r.stderr, "Save it as "+cleaned+"?") || len(files) > 0 {
			t.Errorf("%q, not wanted: %+v, files %q", name, r, files)
		}
		if r, files := download("y", name); r.code != terminal.ExitOK || !slices.Equal(files, []string{cleaned}) {
			t.Errorf("%q, wanted: %+v, files %q", name, r, files)
		}
		if r, files := download("", name, "-O", "mine.pdf"); r.code != terminal.ExitOK || !slices.Equal(files, []string{"mine.pdf"}) {
			t.Errorf("%q with a name: %+v, files %q", name, r, files)
		}
	}
	for _, name := range []string{"..", ".", ""} {
		if r, files := download("y", name); r.code != terminal.ExitUsage || len(files) > 0 {
			t.Errorf("%q: %+v, files %q", name, r, files)
		}
	}
	// A file that appears during the download stays.
	r, files := download("", "taken.pdf")
	if content, err := os.ReadFile("taken.pdf"); err != nil || string(content) != "mine" || r.code != terminal.ExitUsage || len(files) != 1 {
		t.Errorf("%+v, files %q, content %q, %v", r, files, content, err)
	}
	r, files = download("", "taken.pdf", "--force", "-O", "taken.pdf")
	if content, err := os.ReadFile("taken.pdf"); err != nil || string(content) != "a purchase order\n" || r.code != terminal.ExitOK || len(files) != 1 {
		t.Errorf("%+v, files %q, content %q, %v", r, files, content, err)
	}
}
