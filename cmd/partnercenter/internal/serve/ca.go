package serve

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/command"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
	"github.com/partnercenter-go/partnercenter/internal/localca"
)

// CA returns the commands about the certificate authorities.
func CA(term *terminal.Terminal) *cobra.Command {
	return command.Group("ca", "Show the certificate authority of the local server, and how to trust it", showCA(term), trustCA(term))
}

// caFacts are what ca show -o json prints.
type caFacts struct {
	Folder      string        `json:"folder"`
	Bundle      string        `json:"bundle,omitempty"` // all of them in one file, if there are two
	Authorities []caAuthority `json:"authorities"`
}

type caAuthority struct {
	File      string    `json:"file"`
	Subject   string    `json:"subject"`
	Purpose   string    `json:"purpose"` // local, or interception
	SHA256    string    `json:"sha256"`
	Names     []string  `json:"names"` // what it may sign for, with the names under them
	NotBefore time.Time `json:"notBefore"`
	NotAfter  time.Time `json:"notAfter"`
	Expired   bool      `json:"expired"`
}

// What an authority is for.
const (
	purposeLocal        = "local"
	purposeInterception = "interception"
)

// findCA reads what is in the folder of the authorities. It makes none: that is
// the server's part.
func findCA(term *terminal.Terminal, dirFlag string) (caFacts, error) {
	dir, err := caFolder(dirFlag)
	if err != nil {
		return caFacts{}, err
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return caFacts{}, err
	}
	found, err := localca.Find(dir)
	if err != nil {
		return caFacts{}, caError(err)
	}
	if len(found) == 0 {
		return caFacts{}, fmt.Errorf("there is no certificate authority in %s yet: the server makes it at its first start, with partnercenter serve, or serve --proxy for the one of Microsoft's hosts; if it was started with --ca-dir, give that here too", dir)
	}
	facts := caFacts{Folder: dir}
	for _, f := range found {
		purpose := purposeLocal
		if f.Interception {
			purpose = purposeInterception
		}
		facts.Authorities = append(facts.Authorities, caAuthority{
			File: f.File, Subject: f.Subject, Purpose: purpose, SHA256: f.Fingerprint, Names: f.Names,
			NotBefore: f.NotBefore.UTC(), NotAfter: f.NotAfter.UTC(), Expired: term.Now().After(f.NotAfter),
		})
	}
	bundle := filepath.Join(dir, localca.BundleFile)
	if _, err := os.Stat(bundle); err == nil && len(found) > 1 {
		facts.Bundle = bundle
	}
	return facts, nil
}

func showCA(term *terminal.Terminal) *cobra.Command {
	var dir string
	return command.Act(term, command.Spec{
		Facts: true, Use: "show", Short: "Show the certificate authorities of the local server",
		Long: `Show the certificate authorities of the local server: where they are, their
fingerprints, what they may sign for, and how long they are good. No server has
to run.

There are at most two. The local one signs for names and addresses of this
machine and is made at the server's first start. The interception one signs for
Microsoft's API and sign-in hosts and is made by the first serve --proxy or serve
--microsoft-hosts: whoever trusts it believes this machine to be Microsoft's.`,
		Example: `  partnercenter ca show
  partnercenter ca show -o json`,
		Flags: func(cmd *cobra.Command) { addCADir(cmd, &dir) },
	}, func(_ context.Context, call *command.Call) error {
		facts, err := findCA(term, dir)
		if err != nil {
			return err
		}
		return call.Tell(facts, facts.print)
	})
}

func addCADir(cmd *cobra.Command, dir *string) {
	cmd.Flags().StringVar(dir, "ca-dir", "", "`folder` of the authorities, as given to serve (default: in the user's configuration folder)")
}

func (f caFacts) print(w io.Writer) error {
	var b strings.Builder
	for _, a := range f.Authorities {
		state := ""
		if a.Expired {
			state = " (expired)"
		}
		fmt.Fprintf(&b, "%s\n", a.Subject)
		for _, line := range [][2]string{
			{"Certificate", a.File}, {"SHA-256", a.SHA256}, {"Signs for", strings.Join(a.Names, "\n               ")},
			{"Valid", a.NotBefore.Format(time.DateOnly) + " to " + a.NotAfter.Format(time.DateOnly) + state},
		} {
			fmt.Fprintf(&b, "  %-12s %s\n", line[0], line[1])
		}
	}
	if f.Bundle != "" {
		fmt.Fprintf(&b, "Both in one file, for clients that take one\n  %-12s %s\n", "Certificates", f.Bundle)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
