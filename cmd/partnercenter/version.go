package main

import (
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/partnercenter-go/partnercenter"
)

// versionFacts are what version -o json prints.
type versionFacts struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"` // of the version control system
	Modified bool   `json:"modified,omitempty"` // the revision had local changes
	Time     string `json:"time,omitempty"`     // of the revision
	Go       string `json:"go"`
	OS       string `json:"os"`
	Arch     string `json:"arch"`
}

func readVersion() versionFacts {
	v := versionFacts{Version: "v" + partnercenter.Version + "-dev", Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	if info.Main.Version != "" && info.Main.Version != "(devel)" {
		v.Version = info.Main.Version
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

func newVersionCmd(app *app) *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:               "version",
		Short:             "Print the version of this program",
		Args:              noArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(*cobra.Command, []string) error {
			if err := oneOf("output", format, "text", formatJSON); err != nil {
				return err
			}
			if format != formatJSON {
				_, err := fmt.Fprintln(app.stdout, readVersion())
				return err
			}
			data, err := json.MarshalIndent(readVersion(), "", "  ")
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(app.stdout, "%s\n", data)
			return err
		},
	}
	cmd.Flags().StringVarP(&format, "output", "o", "text", "`format`: text or json")
	registerValues(cmd, "output", "text", formatJSON)
	return cmd
}
