package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/textfile"
)

// writeManPages writes a man page for a command, and for each command and help topic
// below it, into a folder, which it makes if necessary.
func writeManPages(top *cobra.Command, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // everybody may read manuals
		return terminal.Usagef("the man pages cannot be written: %v", err)
	}
	version := readVersion()
	date, err := time.Parse(time.RFC3339, version.Time)
	if err != nil {
		date = time.Now() // built without version control
	}
	plainUsage(top.Root())
	return eachCommand(top, func(cmd *cobra.Command) error {
		name := strings.ReplaceAll(cmd.CommandPath(), " ", "-")
		cmd.Long = fenced(cmd.Long)
		f, err := createAnew(filepath.Join(dir, name+".1"))
		if err != nil {
			return terminal.Usagef("the man pages cannot be written: %v", err)
		}
		defer f.Close()
		cmd.DisableAutoGenTag = true // it has the date of today
		header := doc.GenManHeader{
			Title: manTitle(top.Root().Name(), name), Section: "1", Date: &date,
			Source: "partnercenter " + shortVersion(version.Version), Manual: "Commands",
		}
		if err := doc.GenMan(cmd, &header, f); err != nil {
			return err
		}
		return f.Close()
	})
}

// createAnew creates a page in place of an earlier one. Anything else of its name stays.
func createAnew(name string) (*os.File, error) {
	if err := textfile.CheckReplaceable(name); err != nil {
		return nil, err
	}
	earlier, err := os.Open(name)
	if err == nil {
		start := make([]byte, 200)
		n, _ := io.ReadFull(earlier, start)
		earlier.Close()
		if !manHeader.Match(start[:n]) {
			return nil, fmt.Errorf("%s is no man page of this program, and is not replaced: name another folder", name)
		}
		err = os.Remove(name)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644) //nolint:gosec // everybody may read manuals
}

// manHeader matches the header of man pages of this program, of any version. That of a
// long name lacks the program's in front.
var manHeader = regexp.MustCompile(`(?m)\A(\.nh\n|'.*\n)*\.TH .* "partnercenter .*" "Commands"$`)

// manColumn is what fits beside the middle of the first and the last line of a page, on 80
// columns; longer texts are printed over each other.
const manColumn = 34

// manTitle returns the title of a page, which is its name. A long one, as the title is
// twice in the first line, goes without the program's.
func manTitle(program, name string) string {
	if len(name+"(1)") > manColumn {
		name = strings.TrimPrefix(name, program+"-")
	}
	return ascii.ToUpper(name)
}

// shortVersion returns a version without what builds add to it, if it is long.
func shortVersion(version string) string {
	version, _, _ = strings.Cut(version, "+")
	if len("partnercenter "+version) > manColumn {
		version, _, _ = strings.Cut(version, "-")
	}
	return version
}

// fenced marks the paragraphs of text that are indented as examples in Markdown, which
// would fill them.
func fenced(text string) string {
	paragraphs := strings.Split(text, "\n\n")
	for i, paragraph := range paragraphs {
		if strings.HasPrefix(paragraph, "  ") {
			paragraphs[i] = "```\n" + paragraph + "\n```"
		}
	}
	return strings.Join(paragraphs, "\n\n")
}

// eachCommand calls do for the command, and for the commands and topics below it.
func eachCommand(cmd *cobra.Command, do func(*cobra.Command) error) error {
	if err := do(cmd); err != nil {
		return err
	}
	for _, child := range cmd.Commands() {
		if child.IsAvailableCommand() || child.IsAdditionalHelpTopicCommand() {
			if err := eachCommand(child, do); err != nil {
				return err
			}
		}
	}
	return nil
}
