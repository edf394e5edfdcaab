package serve

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/command"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/connect"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
)

// ShowOrders prints the orders of a customer as a command does.
type ShowOrders func(context.Context, *terminal.Terminal, *partnercenter.Client, string) error

// Demo returns the command that shows what a server is good for.
func Demo(term *terminal.Terminal, show ShowOrders) *cobra.Command {
	var keep bool
	return command.Act(term, command.Spec{
		Use: "demo", Short: "Show all of a customer's orders, from a local Partner Center",
		Long: `Start a local Partner Center with sample data in a temporary database, on free
ports of this machine; get a token; list all of a customer's orders through the
Go client; show the same request as curl and as Go; and clean up.

It takes no account and no network.`,
		Example: `  partnercenter demo
  partnercenter demo --keep`,
		Flags: func(cmd *cobra.Command) {
			cmd.Flags().BoolVar(&keep, "keep", false, "keep the server running, to try the commands shown, until Ctrl-C")
		},
	}, func(ctx context.Context, _ *command.Call) error { return runDemo(ctx, term, show, keep) })
}

func runDemo(ctx context.Context, term *terminal.Terminal, show ShowOrders, keep bool) (err error) {
	dir, err := os.MkdirTemp("", "partnercenter-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	const freePort = "127.0.0.1:0"
	local, err := startLocal(ctx, io.Discard, &serveOptions{
		listen: freePort, listenTLS: freePort, control: freePort,
		db: filepath.Join(dir, "partnercenter.db"), caDir: filepath.Join(dir, "ca"),
		seed: "sample", limits: limitProfiles["instant"], cacheSize: "1MiB",
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
	fmt.Fprintf(term.Stdout, "\nThe same with curl:\n%s\n\nThe same in Go:\n%s", local.facts.curl(sampleCustomer), local.facts.goLines(sampleCustomer))
	if !keep {
		fmt.Fprintln(term.Stdout, "\nThe server is gone again. For one that stays: partnercenter serve")
		return nil
	}
	fmt.Fprintln(term.Stdout, "\nThe server stays until Ctrl-C.")
	select {
	case <-ctx.Done():
		return nil
	case err := <-served:
		served <- err
		return err
	}
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
