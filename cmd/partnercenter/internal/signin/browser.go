package signin

import (
	"io"
	"os/exec"
	"strings"

	"github.com/pkg/browser"
)

// OpenBrowser opens a page with the command in the variable BROWSER, in which
// %s stands for the address, or else with the system's browser. It does not
// wait for the command.
func OpenBrowser(getenv func(string) string, address string) error {
	words := strings.Fields(getenv("BROWSER"))
	if len(words) == 0 {
		// Browsers print messages that do not belong on this terminal.
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
