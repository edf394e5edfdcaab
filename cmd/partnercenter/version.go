package main

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/command"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
)

// versionFacts is the output of version -o json.
type versionFacts struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"` // from version control
	Modified bool   `json:"modified,omitzero"`  // the revision had local changes
	Time     string `json:"time,omitempty"`     // of the revision
	Go       string `json:"go"`
	OS       string `json:"os"`
	Arch     string `json:"arch"`
}

func readVersion() versionFacts {
	v := versionFacts{Version: partnercenter.Version, Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			v.Revision = s.Value
		case "vcs.modified":
			v.Modified = s.Value == "true"
		case "vcs.time":
			v.Time = s.Value
		}
	}
	return v
}

func (v versionFacts) String() string {
	text := "partnercenter " + v.Version
	if v.Revision != "" {
		text += " " + v.Revision[:min(len(v.Revision), 12)]
		if v.Modified {
			text += " (modified)"
		}
	}
	return fmt.Sprintf("%s %s %s/%s", text, v.Go, v.OS, v.Arch)
}

func newVersionCmd(term *terminal.Terminal) *cobra.Command {
	return command.Act(term, command.Spec{
		Facts: true, Use: "version", Short: "Print the version of this program"}, func(_ context.Context, call *command.Call) error {
		return call.Tell(readVersion(), func(w io.Writer) error {
			_, err := fmt.Fprintln(w, readVersion())
			return err
		})
	})
}
