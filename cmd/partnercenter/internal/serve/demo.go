package serve

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
	"github.com/spf13/cobra"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/command"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/connect"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
	"github.com/partnercenter-go/partnercenter/internal/private"
	"github.com/partnercenter-go/partnercenter/internal/server"
)

// ShowOrders prints the orders of a customer, as a command does.
type ShowOrders func(context.Context, *terminal.Terminal, *partnercenter.Client, string) error

// Demo returns the command that demonstrates the server.
func Demo(term *terminal.Terminal, show ShowOrders) *cobra.Command {
	var keep bool
	return command.Act(term, command.Spec{
		Use: "demo", Short: "List all orders of a customer, from a temporary local Partner Center",
		Long: `Start a local Partner Center with sample data in a temporary database, on free
ports of this machine; get a token; list all orders of a customer with the Go
client; and clean up. With --keep the server goes on until Ctrl-C, and the same
request is shown in curl and in Go.

It needs no account and no network.`,
		Example: `  partnercenter demo
  partnercenter demo --keep`,
		Flags: func(cmd *cobra.Command) {
			cmd.Flags().BoolVar(&keep, "keep", false, "keep the server running until Ctrl-C, to try the commands shown")
		},
	}, func(ctx context.Context, _ *command.Call) error { return runDemo(ctx, term, show, keep) })
}

func runDemo(ctx context.Context, term *terminal.Terminal, show ShowOrders, keep bool) (err error) {
	dir, remove, err := newDemoFolder()
	if err != nil {
		return err
	}
	defer remove()
	defer term.AtOnce(remove)()
	// The server of --keep stops although nobody reads what was printed.
	stdout, out := term.Stdout, server.NewOutput(term.Stdout)
	defer func() {
		out.Close()
		term.Stdout = stdout
	}()
	term.Stdout = out
	freePort := []string{"127.0.0.1:0"}
	local, err := startLocal(ctx, io.Discard, &serveOptions{
		listen: freePort, listenTLS: freePort, control: freePort, noReadyFile: true,
		db: filepath.Join(dir, demoDatabase), caDir: filepath.Join(dir, demoAuthorities),
		seed: "sample", limits: limitProfiles["instant"], cacheSize: "1MiB", maxUnsent: "16MiB", ownProcess: term.OwnProcess,
		tokenLeeway: time.Minute, tokenLifetime: time.Hour,
		logFormat: "text", logLevel: "error",
	})
	if err != nil {
		return err
	}
	defer local.close()
	// The server outlives an interrupted demo until this function returns.
	serving, stop := context.WithCancel(context.WithoutCancel(ctx))
	served := make(chan error, 1)
	go func() { served <- local.serve(serving, time.Second) }()
	defer func() {
		stop()
		if serveErr := <-served; err == nil {
			err = serveErr
		}
	}()
	if err := showOrders(ctx, term, show, local.facts.ReadyFacts); err != nil {
		return err
	}
	if !keep {
		fmt.Fprint(term.Stdout, `
The server stops now. To keep it, and see the same with curl and in Go:
  partnercenter demo --keep
To run one with a database that stays:
  partnercenter serve
`)
		return nil
	}
	fmt.Fprintf(term.Stdout, "\nThe same with curl:\n%s\n\nThe same in Go:\n%s", local.facts.curl(sampleCustomer), local.facts.goLines(sampleCustomer))
	fmt.Fprintln(term.Stdout, "\nThe server runs until Ctrl-C.")
	select {
	case <-ctx.Done():
		return nil
	case err := <-served:
		served <- err
		return err
	}
}

// demoFolder is the prefix of folders of demos, and demoLock a file in them that is locked
// as long as the demo runs.
const (
	demoFolder = "partnercenter-demo-"
	demoLock   = "demo.lock"

	demoDatabase    = "partnercenter.db"
	demoAuthorities = "ca"
)

// newDemoFolder makes a folder for a demo's files, and removes those of killed demos.
func newDemoFolder() (dir string, remove func(), err error) {
	removeAbandonedDemos()
	if dir, err = os.MkdirTemp("", demoFolder); err != nil {
		return "", nil, err
	}
	lock := flock.New(filepath.Join(dir, demoLock))
	remove = func() {
		_ = lock.Close()
		_ = os.RemoveAll(dir)
	}
	if _, err := lock.TryLock(); err != nil {
		remove()
		return "", nil, err
	}
	return dir, remove, nil
}

// removeAbandonedDemos leaves recent folders alone: their lock may not have been taken yet.
func removeAbandonedDemos() {
	folders, _ := filepath.Glob(filepath.Join(os.TempDir(), demoFolder+"*"))
	for _, folder := range folders {
		// Others can write in the folder for temporary files: no link is followed, and
		// nothing is made.
		info, err := os.Lstat(folder)
		if err != nil || !info.IsDir() || time.Since(info.ModTime()) < time.Minute {
			continue
		}
		if _, foreign := private.ForeignOwner(info, os.Geteuid()); foreign || private.IsOpen(info) || !isDemo(folder) {
			continue
		}
		lock := flock.New(filepath.Join(folder, demoLock), flock.SetFlag(os.O_RDWR))
		if locked, err := lock.TryLock(); err == nil && locked {
			_ = lock.Close()
			_ = os.RemoveAll(folder)
		}
	}
}

// isDemo reports whether a folder has the files of a demo and nothing else.
func isDemo(folder string) bool {
	entries, err := os.ReadDir(folder)
	for _, entry := range entries {
		switch entry.Name() {
		case demoLock, demoAuthorities, demoDatabase, demoDatabase + "-wal", demoDatabase + "-shm", demoDatabase + "-journal":
		default:
			return false
		}
	}
	return err == nil
}

// showOrders lists the sample customer's orders.
func showOrders(ctx context.Context, term *terminal.Terminal, show ShowOrders, f connect.ReadyFacts) error {
	pc, err := connect.NewLoopbackClient(f, "partnercenter-demo")
	if err != nil {
		return err
	}
	fmt.Fprintf(term.Stdout, "A local Partner Center is running at %s.\nAll orders of its customer %s:\n\n", f.APIURL, sampleCustomer)
	return show(ctx, term, pc, sampleCustomer)
}
