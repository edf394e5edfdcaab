// Command partnercenter talks to Microsoft Partner Center about customers and
// their orders, and runs a local Partner Center to try things on.
//
// Flags, environment variables and configuration files are read here and
// nowhere else in the module. A file is a command, or what several commands
// share; what they do lives in the packages that they call.
package main

//go:generate go test -run ^TestCLIDocs$ -update .

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/term"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// The first signal asks to end cleanly; with the handler gone the second
	// one kills.
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, osApp(), os.Args[1:]))
}

func osApp() *app {
	a := &app{
		stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr,
		getenv:    os.Getenv,
		stdinTTY:  term.IsTerminal(int(os.Stdin.Fd())),
		stdoutTTY: term.IsTerminal(int(os.Stdout.Fd())),
		stderrTTY: term.IsTerminal(int(os.Stderr.Fd())),
		now:       time.Now,

		openBrowser: func(address string) error { return openBrowser(os.Getenv, address) },
	}
	if a.stdoutTTY {
		a.width, _, _ = term.GetSize(int(os.Stdout.Fd()))
	}
	return a
}

// run runs one command line and returns the exit code.
func run(ctx context.Context, app *app, args []string) int {
	app.args = args
	root := newRootCmd(app)
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	switch {
	case err == nil:
		return exitOK
	case ctx.Err() != nil:
		app.linef("interrupted")
		if open := new(Unsettled); errors.As(err, &open) {
			app.next(open.Next())
		}
		return exitInterrupted
	case !app.started && !errors.As(err, new(*usageError)):
		// What cobra refuses before a command starts is the command line.
		err = &usageError{text: err.Error()}
	}
	return app.report(cmd, err)
}
