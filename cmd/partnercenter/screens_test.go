package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
	"github.com/partnercenter-go/partnercenter/partnercentertest"
)

// TestScreens draws lists and details on terminals of 60, 80 and 200 columns, as they
// are in testdata/screens. No line is wider than the terminal,
// other than by a word that is to be copied.
func TestScreens(t *testing.T) {
	now := func() time.Time { return time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC) }
	srv := partnercentertest.NewServer(t, partnercentertest.Options{Now: now})
	srv.Setenv(t)
	const customer = "b0d70a69-4c42-4b27-b17b-91a835d8686a"
	commands := []string{
		"orders list --customer " + customer + " --include-price",
		"orders list --all-customers --limit 6",
		"orders get eeba9d00-7b46-443a-917e-22887a8fc993 --customer " + customer,
		"customers list --limit 6",
		"customers get " + customer,
		"subscriptions list --customer " + customer,
		"subscriptions get DB8C695B-1C3C-4C55-B697-771503DD46BF --customer " + customer,
		"offers list --country US --limit 6",
		"products list --country US --view Azure",
		"products availabilities CFQ7TTC0LCHC --sku 0002 --country US",
	}
	for _, width := range []int{60, 80, 200} {
		t.Run(fmt.Sprint(width), func(t *testing.T) {
			var screens strings.Builder
			for _, command := range commands {
				r := runCLI(t.Context(), t, func(term *terminal.Terminal) {
					term.StdoutTTY, term.Width, term.Now, term.Getenv = true, width, now, os.Getenv
				}, append(strings.Fields(command), "--color", "never")...)
				if r.code != terminal.ExitOK {
					t.Fatalf("%s: %+v", command, r)
				}
				fmt.Fprintf(&screens, "$ partnercenter %s\n%s\n", command, r.stdout)
				fits(t, command, r.stdout, width)
			}
			generated(t, filepath.Join("testdata", "screens", fmt.Sprint(width)+".txt"), []byte(screens.String()))
		})
	}
}
