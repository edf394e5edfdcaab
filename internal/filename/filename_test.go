package filename

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestClean(t *testing.T) {
	long := strings.Repeat("é", 300)
	for name, want := range map[string]string{
		"PO.pdf": "PO.pdf", "Bestellung Nr. 7 (Kopie).pdf": "Bestellung Nr. 7 (Kopie).pdf", "注文書.pdf": "注文書.pdf", "a~b-c_d.pdf": "a~b-c_d.pdf",

		// Hidden, or a flag.
		".bashrc": "bashrc", "...": "", ".": "", "..": "", "-rf": "rf", "--output=x": "output=x", "- -x": "x", " .profile": "profile", "\u00a0.x": "x", "~root": "root",
		// In another folder.
		"../../etc/passwd": "passwd", `..\..\x.pdf`: "x.pdf", `a\b\x.dll`: "x.dll", "/": "", `a\`: "", "../.ssh/-x": "x",
		// Of Windows.
		"CON": "file-CON", "nul.txt": "file-nul.txt", "Lpt1.tar.gz": "file-Lpt1.tar.gz", "com¹": "file-com¹", "COM0": "file-COM0", "AUX .pdf": "file-AUX .pdf", "conout$": "file-conout$",
		"console.pdf": "console.pdf", "COM10": "COM10", "COMA": "COMA", "PO.pdf. . ": "PO.pdf", "PO.pdf:hidden": "PO.pdf_hidden", "PO.pdf::$DATA": "PO.pdf__$DATA", `a<b>"|?*.pdf`: "a_b_____.pdf",
		".CON": "file-CON",
		// Not what it looks like.
		"PO\u202efdp.exe": "PO_fdp.exe", "a\x00b\n\x1b[31m.pdf": "a_b__[31m.pdf", "a\xff.pdf": "a_.pdf", "\u200b.bashrc": "_.bashrc", "\x00\x01": "__", "_PO.pdf": "_PO.pdf", "PO\u2028.pdf": "PO_.pdf",
		// Long.
		long + ".pdf":                         strings.Repeat("é", 98) + ".pdf",
		"x." + long:                           "x." + strings.Repeat("é", 99),
		strings.Repeat("x", 195) + "....long": strings.Repeat("x", 195) + ".long",
	} {
		if got := Clean(name); got != want {
			t.Errorf("%.40q: %q, want %q", name, got, want)
		}
	}
}

func FuzzClean(f *testing.F) {
	f.Add(".bashrc")
	f.Add("CON.pdf. :x")
	f.Fuzz(func(t *testing.T, name string) {
		got := Clean(name)
		if got != Clean(got) || len(got) > longest+len("file-") || !utf8.ValidString(got) || strings.ContainsAny(got, `/\:`) ||
			strings.ContainsFunc(got, func(r rune) bool { return !unicode.IsGraphic(r) }) || got != "" && strings.ContainsAny(got[:1], ".-~ ") || strings.HasSuffix(got, ".") {
			t.Errorf("%q gives %q", name, got)
		}
	})
}
