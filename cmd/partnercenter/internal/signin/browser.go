package signin

import (
	"io"
	"os/exec"
	"strings"

	"github.com/pkg/browser"
)

// OpenBrowser opens a page with the command in the variable BROWSER, in which
// %s stands for the address, or else with the system's browser. The command may
// go on running.
func OpenBrowser(getenv func(string) string, address string) error {
	words := strings.Fields(getenv("BROWSER"))
	if len(words) == 0 {
		// What browsers have to say is not for this terminal.
		browser.Stdout, browser.Stderr = io.Discard, io.Discard
		return browser.OpenURL(address)
	}
	placed := false
	for i, word := range words {
		if strings.Contains(word, "%s") {
			words[i], placed = strings.ReplaceAll(word, "%s", address), true
		}
	}
	if !placed {
		words = append(words, address)
	}
	cmd := exec.Command(words[0], words[1:]...) //nolint:gosec,noctx // the user names the program, which may outlive this one
	if err := cmd.Start(); err != nil {
		return err
	}
	go func() { _ = cmd.Wait() }()
	return nil
}
