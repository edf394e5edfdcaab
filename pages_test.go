package partnercenter_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// pages returns the project's Markdown files.
func pages(t *testing.T) []string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && name != "." && (strings.HasPrefix(entry.Name(), ".") || entry.Name() == "node_modules"):
			return filepath.SkipDir
		case filepath.Ext(name) == ".md" && filepath.Base(filepath.Dir(name)) != "testdata":
			names = append(names, filepath.ToSlash(name))
		}
		return nil
	})
	if err != nil || !slices.Contains(names, "README.md") || len(names) < 20 {
		t.Fatalf("pages %v, %v", names, err)
	}
	return names
}

func readPage(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.FromSlash(name))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// shortModules abbreviates modules of others as people do.
var shortModules = strings.NewReplacer(
	"github.com/AzureAD/microsoft-authentication-library-for-go/apps", "MSAL",
	"github.com/Azure/azure-sdk-for-go/sdk/", "",
	"github.com/", "",
	"golang.org/", "",
	"/v2", "", "/v3", "", "/v4", "", "/v5", "", "/v6", "",
)

// TestImportsDocs keeps the table in docs/architecture.md to what TestImports
// allows.
func TestImportsDocs(t *testing.T) {
	const below = "cmd/partnercenter/internal/"
	names := func(list []string, name func(string) string) string {
		switch {
		case len(list) == 0:
			return "nothing"
		case slices.Contains(list, "*"):
			return "anything"
		}
		var all []string
		for _, path := range list {
			all = append(all, name(path))
		}
		return strings.Join(all, ", ")
	}
	ours := func(path string) string {
		if path == "" {
			return "root"
		}
		return "`" + strings.TrimPrefix(path, below) + "`"
	}
	var b bytes.Buffer
	b.WriteString("| package | of this module | of others | why |\n|---|---|---|---|\n")
	for _, name := range slices.Sorted(maps.Keys(importTable)) {
		r := importTable[name]
		title := "root"
		if name != "" {
			title = "`" + name + "`"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", title, names(r.ours, ours), names(r.others, shortModules.Replace), r.why)
	}
	generated(t, "docs/architecture.md", "imports", b.String())
}

// generated keeps what is between two comments of a page to want.
func generated(t *testing.T, page, name, want string) {
	t.Helper()
	begin, end := fmt.Sprintf("<!-- %s:begin -->\n", name), fmt.Sprintf("<!-- %s:end -->\n", name)
	text := readPage(t, page)
	head, rest, ok := strings.Cut(text, begin)
	got, tail, closed := strings.Cut(rest, end)
	if !ok || !closed {
		t.Fatalf("%s has no lines %s and %s", page, strings.TrimSpace(begin), strings.TrimSpace(end))
	}
	if *update {
		if err := os.WriteFile(filepath.FromSlash(page), []byte(head+begin+want+end+tail), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got != want {
		t.Errorf("%s is out of date between its comments %s: run go generate .", page, name)
	}
}

// TestDecisions keeps the decisions in one form, and their index complete.
func TestDecisions(t *testing.T) {
	index := readPage(t, "docs/decisions/README.md")
	found := 0
	for _, name := range pages(t) {
		if path.Dir(name) != "docs/decisions" || path.Base(name) == "README.md" {
			continue
		}
		found++
		text := readPage(t, name)
		title, _, _ := strings.Cut(text, "\n")
		var number int
		if _, err := fmt.Sscanf(title, "# %d.", &number); err != nil || !strings.HasPrefix(path.Base(name), fmt.Sprintf("%04d-", number)) {
			t.Errorf("%s begins with %q, not with its number", name, title)
		}
		_, title, _ = strings.Cut(title, ". ")
		if line := fmt.Sprintf("- [%04d](%s) %s\n", number, path.Base(name), title); !strings.Contains(index, line) {
			t.Errorf("docs/decisions/README.md lacks the line %q", line)
		}
		if !regexp.MustCompile(`(?s)\n\nStatus: .+\n\n## Context\n\n.+\n\n## Decision\n\n.+\n\n## Consequence\n\n.+`).MatchString(text) {
			t.Errorf("%s lacks a status, or one of Context, Decision and Consequence", name)
		}
	}
	if lines := strings.Count(index, "\n- ["); lines != found || found < 40 {
		t.Errorf("the index has %d lines, and there are %d decisions", lines, found)
	}
}

// TestReadmeIsShort keeps the README to what is read to the end.
func TestReadmeIsShort(t *testing.T) {
	if lines := strings.Count(readPage(t, "README.md"), "\n"); lines > 200 {
		t.Errorf("README.md has %d lines, more than 200: move what is less important to docs", lines)
	}
}

// TestAttacksAreTested checks that every test that SECURITY.md names is there.
func TestAttacksAreTested(t *testing.T) {
	there := testsIn(t, ".")
	named := regexp.MustCompile("`(Test\\w+)[`/]").FindAllStringSubmatch(readPage(t, "SECURITY.md"), -1)
	if len(named) < 50 {
		t.Errorf("SECURITY.md names %d tests", len(named))
	}
	for _, match := range named {
		if !slices.Contains(there, match[1]) {
			t.Errorf("SECURITY.md names %s, which is not there", match[1])
		}
	}
}

// TestSoakRunsTests checks that the Makefile names no test that is not there: go test
// passes if some names match nothing.
func TestSoakRunsTests(t *testing.T) {
	lines := regexp.MustCompile(`\(GO\) test .*\./(\S+) -run '?([\w|]+)`).FindAllStringSubmatch(readPage(t, "Makefile"), -1)
	if len(lines) < 9 {
		t.Errorf("the Makefile names tests in %d lines", len(lines))
	}
	for _, line := range lines {
		for name := range strings.SplitSeq(line[2], "|") {
			if !slices.ContainsFunc(testsIn(t, line[1]), func(test string) bool { return strings.Contains(test, name) }) {
				t.Errorf("the Makefile runs %s, which is not in %s", name, line[1])
			}
		}
	}
}

// testsIn returns the names of all tests in a folder and those below it.
func testsIn(t *testing.T, folder string) (names []string) {
	t.Helper()
	declared := regexp.MustCompile(`(?m)^func (Test\w+)\(t \*testing\.T\)`)
	if err := filepath.WalkDir(folder, func(name string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(name, "_test.go") {
			return err
		}
		for _, match := range declared.FindAllStringSubmatch(readPage(t, name), -1) {
			names = append(names, match[1])
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return names
}

var (
	codeBlock = regexp.MustCompile("(?ms)^ *```.*?^ *```$")
	codeSpan  = regexp.MustCompile("`[^`\n]*`")
	pageLink  = regexp.MustCompile(`\]\(([^()\s]+)\)`)
	heading   = regexp.MustCompile(`(?m)^#+ (.*)$`)
	notInLink = regexp.MustCompile(`[^\p{L}\p{N}_ -]`)
	pathName  = regexp.MustCompile("`((?:[a-z0-9]+/)+[a-z0-9_]*(?:\\.[a-z]+)?|[a-z_]+\\.go)`")
)

// anchors returns what links may name in a page, as GitHub derives it from the
// headings.
func anchors(page string) map[string]bool {
	found := map[string]bool{}
	for _, match := range heading.FindAllStringSubmatch(codeBlock.ReplaceAllString(page, ""), -1) {
		text := regexp.MustCompile(`\[([^]]*)\]\([^)]*\)`).ReplaceAllString(match[1], "$1")
		text = notInLink.ReplaceAllString(strings.ToLower(text), "")
		found[strings.ReplaceAll(text, " ", "-")] = true
	}
	return found
}

// TestLinks follows the links of every page within the repository.
func TestLinks(t *testing.T) {
	followed := 0
	known := map[string]map[string]bool{}
	for _, name := range pages(t) {
		known[name] = anchors(readPage(t, name))
	}
	for name := range known {
		text := codeSpan.ReplaceAllString(codeBlock.ReplaceAllString(readPage(t, name), ""), "``")
		for _, link := range pageLink.FindAllStringSubmatch(text, -1) {
			if strings.Contains(link[1], ":") {
				continue
			}
			followed++
			file, anchor, _ := strings.Cut(link[1], "#")
			if file = path.Join(path.Dir(name), file); strings.HasPrefix(link[1], "#") {
				file = name
			}
			if _, err := os.Stat(filepath.FromSlash(file)); err != nil {
				t.Errorf("%s links to %s: %v", name, link[1], err)
			} else if anchor != "" && !known[file][anchor] {
				t.Errorf("%s links to %s, and that page has no such heading", name, link[1])
			}
		}
	}
	if followed < 100 {
		t.Errorf("only %d links", followed)
	}
}

// TestNamedPlaces looks for the files and folders that the pages for contributors
// name: by their path, or files by their name alone.
func TestNamedPlaces(t *testing.T) {
	known := map[string]bool{}
	err := filepath.WalkDir(".", func(name string, _ fs.DirEntry, err error) error {
		known[filepath.ToSlash(name)], known[filepath.Base(name)] = true, true
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range []string{"docs/architecture.md", "CONTRIBUTING.md"} {
		for _, match := range pathName.FindAllStringSubmatch(codeBlock.ReplaceAllString(readPage(t, page), ""), -1) {
			if !known[strings.TrimSuffix(match[1], "/")] {
				t.Errorf("%s names %s, which is not there", page, match[1])
			}
		}
	}
}
