package contracttest

import (
	"regexp"
	"strings"
	"testing"
)

var (
	codeConstant = regexp.MustCompile(`(?m)^\s+ErrorCode.*$`)
	codeInSource = regexp.MustCompile(`= "(\w+)"\s+// (\d{3})(?:: |$)`)
)

// Codes returns the statuses and codes from codes.go in the root, written 400/3000.
func Codes(tb testing.TB) map[string]bool {
	tb.Helper()
	codes := map[string]bool{}
	for _, line := range codeConstant.FindAllString(string(readFile(tb, "codes.go")), -1) {
		m := codeInSource.FindStringSubmatch(line)
		if m == nil {
			tb.Fatalf("codes.go: %s needs a string, and a comment that begins with the status", strings.TrimSpace(line))
		}
		codes[m[2]+"/"+m[1]] = true
	}
	return codes
}

// CodesThatDoNotOccur returns those from the section with this title in
// docs/differences.md.
func CodesThatDoNotOccur(tb testing.TB) map[string]bool {
	tb.Helper()
	_, section, ok := strings.Cut(string(readFile(tb, "docs/differences.md")), "\n## Codes that do not occur\n")
	if !ok {
		tb.Fatal("docs/differences.md has no section on codes that do not occur")
	}
	section, _, _ = strings.Cut(section, "\n## ")
	codes := map[string]bool{}
	for _, m := range regexp.MustCompile(`\b\d{3}/\d+\b`).FindAllString(section, -1) {
		if codes[m] {
			tb.Errorf("docs/differences.md lists %s twice as not occurring", m)
		}
		codes[m] = true
	}
	return codes
}
