package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/partnercenter-go/partnercenter"
)

// app is what a command knows of the world outside: the only way to it.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	getenv         func(string) string
	// These tell people from programs at the other end.
	stdinTTY, stdoutTTY, stderrTTY bool

	width int // columns of the terminal; 0 when unknown
	now   func() time.Time

	openBrowser func(address string) error

	args    []string // the command line, for what tells how to repeat it
	started bool     // arguments were understood and a command runs

	mu   sync.Mutex   // guards bar, and lines on stderr
	bar  *progressBar // on stderr while not nil
	wait time.Time    // end of the wait that a note spoke of last
}

// linef writes a line to stderr. What it says may come from a server, so it
// cannot move the cursor or break the line.
func (a *app) linef(format string, args ...any) {
	line := sanitize(strings.TrimRight(fmt.Sprintf(format, args...), "\r\n"))
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.bar != nil {
		a.bar.log(line)
		return
	}
	fmt.Fprintln(a.stderr, line)
}

// report writes err to stderr and returns its exit code.
func (a *app) report(cmd *cobra.Command, err error) int {
	e := explain(err, a.now())
	a.linef("error: %s", e.what)
	for _, detail := range e.details {
		a.linef("  %s", detail)
	}
	if usage := new(usageError); errors.As(err, &usage) {
		help := usage.help
		if help == "" {
			help = cmd.CommandPath() + " --help"
		}
		e.next = fmt.Sprintf("Run '%s' for usage.", help)
	}
	a.next(e.next)
	return e.code
}

// next writes what to do now.
func (a *app) next(text string) {
	for line := range strings.Lines(text) {
		a.linef("  %s", line)
	}
}

// ask puts a question to the terminal and returns the answer, without blanks
// around. The end of the input is no answer.
func (a *app) ask(ctx context.Context, question string) (string, error) {
	fmt.Fprint(a.stderr, sanitize(question))
	answers := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(a.stdin).ReadString('\n')
		answers <- strings.TrimSpace(line)
	}()
	select {
	case answer := <-answers:
		return answer, nil
	case <-ctx.Done():
		fmt.Fprintln(a.stderr)
		return "", ctx.Err()
	}
}

// commandLine returns this command line again, with a request id if one is
// given, to be pasted into a shell.
func (a *app) commandLine(requestID string) string {
	words := []string{"partnercenter"}
	for i := 0; i < len(a.args); i++ {
		word := a.args[i]
		name, _, joined := strings.Cut(word, "=")
		switch name {
		case "--request-id":
			if !joined {
				i++
			}
			continue
		case "--client-secret": // not for screens and logs
			if !joined {
				i++
			}
			words = append(words, `--client-secret "$PARTNERCENTER_CLIENT_SECRET"`)
			continue
		}
		words = append(words, shellQuote(word))
	}
	if requestID != "" {
		words = append(words, "--request-id", requestID)
	}
	return strings.Join(words, " ")
}

// noteWait says that the service asked to wait.
func (a *app) noteWait(status int, wait time.Duration) {
	a.noteOnce(wait, "%d %s: waiting %s as the service asks; Ctrl-C stops", status, http.StatusText(status), wait)
}

// noteBudget says that a request waits for its budget. Of a wait that is over at
// once there is nothing to say.
func (a *app) noteBudget(w partnercenter.BudgetWait) {
	wait := w.For.Round(time.Second)
	switch {
	case w.For <= time.Second:
	case w.Throttled:
		a.noteOnce(w.For, "waiting %s as the service asked; Ctrl-C stops", wait)
	default:
		a.noteOnce(w.For, "waiting %s for the request budget (%d a minute); Ctrl-C stops", wait, w.RequestsPerMinute)
	}
}

// noteOnce speaks once for all workers that wait for about the same moment.
func (a *app) noteOnce(wait time.Duration, format string, args ...any) {
	until := a.now().Add(wait)
	a.mu.Lock()
	known := !until.After(a.wait.Add(time.Second))
	if !known {
		a.wait = until
	}
	a.mu.Unlock()
	if !known {
		a.linef(format, args...)
	}
}
