// Command partnercenter is a client for customers and orders in Microsoft
// Partner Center, and runs a local Partner Center for development and tests.
//
// In this module, only this package and those below it read flags, environment
// variables and configuration files. This package assembles the commands, which
// are in the packages below.
package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/term"

	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/command"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/signin"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
	"github.com/spf13/cobra"
)

//go:generate go test -run ^Test(CLIDocs|DemoPicture|Screens)$ -update .

func main() {
	// A reader of the log or of what is said about requests that goes away ends neither a
	// server nor a purchase half-way: writing fails instead.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	term := osTerminal(ctx)
	go func() {
		// The first signal requests a clean end. A second one ends at once, whatever
		// the program waits for, and also where a shell had it ignored.
		first := <-signals
		cancel()
		awaitSecond(first, signals, time.Now)
		term.EndAtOnce()
		os.Exit(terminal.ExitInterrupted)
	}()
	os.Exit(run(ctx, term, os.Args[1:]))
}

// sameSignal is how long a signal that comes again is still the first one: timeout and
// shells send it to a process and to its group.
const sameSignal = 500 * time.Millisecond

// awaitSecond returns once a second signal has come.
func awaitSecond(first os.Signal, signals <-chan os.Signal, now func() time.Time) {
	for began := now(); ; {
		if next := <-signals; next != first || now().Sub(began) >= sameSignal {
			return
		}
	}
}

// output is standard output, whose reader may go away, as head does: that is no failure
// to report.
type output struct{ file *os.File }

func (o output) Write(p []byte) (int, error) {
	n, err := o.file.Write(p)
	if errors.Is(err, syscall.EPIPE) {
		err = errNoReader
	}
	return n, err
}

var errNoReader = errors.New("nobody reads the output any more")

// messages is standard error, which may be a pipe that nobody reads or a terminal that
// was stopped: once the program is to end, it waits for it no longer than lastWords.
type messages struct {
	file *os.File
	ctx  context.Context // done once the program is to end
}

const lastWords = time.Second

func (m messages) Write(p []byte) (n int, err error) {
	type result struct {
		n   int
		err error
	}
	written := make(chan result, 1)
	go func(p []byte) {
		n, err := m.file.Write(p)
		written <- result{n, err}
	}(bytes.Clone(p))
	select {
	case r := <-written:
		return r.n, r.err
	case <-m.ctx.Done():
	}
	select {
	case r := <-written:
		return r.n, r.err
	case <-time.After(lastWords):
		return 0, os.ErrDeadlineExceeded
	}
}

func osTerminal(ctx context.Context) *terminal.Terminal {
	a := &terminal.Terminal{
		Stdin: os.Stdin, Stdout: output{os.Stdout}, Stderr: messages{os.Stderr, ctx},
		Getenv:    os.Getenv,
		StdinTTY:  term.IsTerminal(int(os.Stdin.Fd())),
		StdoutTTY: term.IsTerminal(int(os.Stdout.Fd())),
		StderrTTY: term.IsTerminal(int(os.Stderr.Fd())),
		Now:       time.Now,

		OpenBrowser: func(address string) error { return signin.OpenBrowser(os.Getenv, address) },
		OwnProcess:  true,
	}
	a.StderrWidth = func() int {
		columns, _, _ := term.GetSize(int(os.Stderr.Fd()))
		return columns
	}
	if a.StdoutTTY {
		a.Width, _, _ = term.GetSize(int(os.Stdout.Fd()))
	}
	return a
}

// unquoted returns the word to complete without the quote that it begins with, or without
// backslashes: some shells pass words as they are typed.
func unquoted(word string) string {
	flag, value, ok := strings.Cut(word, "=")
	if !ok || !strings.HasPrefix(flag, "-") {
		flag, value = "", word
	} else {
		flag += "="
	}
	if value != "" && strings.Contains(`'"`, value[:1]) {
		return flag + value[1:]
	}
	return flag + strings.ReplaceAll(value, `\`, "")
}

// completes reports whether a shell asks how its line can go on.
func completes(args []string) bool {
	return len(args) > 0 && strings.HasPrefix(args[0], cobra.ShellCompRequestCmd)
}

// run runs a command line and returns the exit code.
func run(ctx context.Context, term *terminal.Terminal, args []string) int {
	term.Args, term.Done = args, ctx.Done()
	root := newRootCmd(term)
	out := &checked{Writer: term.Stdout}
	root.SetOut(out)
	if completes(args) {
		plainUsage(root)
		args = slices.Clone(args)
		args[len(args)-1] = unquoted(args[len(args)-1])
	}
	root.SetArgs(countedVerbosity(args))
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		err = cmp.Or(term.Refused, out.err)
	}
	switch {
	case err == nil:
		return terminal.ExitOK
	case errors.Is(err, errNoReader):
		return terminal.ExitNoReader
	case ctx.Err() != nil:
		term.Linef("interrupted")
		if open := new(command.Unsettled); errors.As(err, &open) {
			term.Next(open.Next())
		}
		return terminal.ExitInterrupted
	case !term.Started && out.err == nil && !errors.As(err, new(*terminal.UsageError)):
		// An error before a command starts is a usage error.
		err = &terminal.UsageError{Text: err.Error()}
	}
	return term.Report(cmd, err)
}

// checked is the output of help and versions, whose errors cobra does not return.
type checked struct {
	io.Writer
	err error // the first
}

func (c *checked) Write(p []byte) (int, error) {
	n, err := c.Writer.Write(p)
	c.err = cmp.Or(c.err, err)
	return n, err
}

// countedVerbosity writes -v2 as the flag's parser knows it.
func countedVerbosity(args []string) []string {
	args = slices.Clone(args)
	for i, arg := range args {
		if arg == "--" {
			break
		}
		if level, ok := strings.CutPrefix(arg, "-v"); ok && len(level) == 1 && level[0] >= '0' && level[0] <= '9' {
			args[i] = "--verbose=" + level
		}
	}
	return args
}
