// Package terminal connects commands to the outside world: input and output,
// environment and clock, tables and JSON, error messages and exit codes. It
// does not know what commands print.
package terminal

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/textfile"
)

// Terminal is a command's only access to the outside world.
type Terminal struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Getenv         func(string) string
	// Whether these are terminals.
	StdinTTY, StdoutTTY, StderrTTY bool

	// Verbose is how much is said about requests: nothing, a line each, or all.
	Verbose int

	Width int // columns of the terminal on stdout; 0 if unknown
	// StderrWidth returns the columns of the terminal on stderr, 0 if they are unknown.
	StderrWidth func() int
	Now         func() time.Time

	OpenBrowser func(address string) error

	// OwnProcess says that the process is there for this command, which may set how memory is
	// used in all of it. Tests run many commands in one.
	OwnProcess bool

	// Done is closed once the program is to end; nil for never.
	Done <-chan struct{}

	Refused error    // why there is no help for what was asked
	Args    []string // the command line, for messages that repeat it
	Started bool     // whether a command has started, with valid arguments

	mu   sync.Mutex   // guards bar, and lines on stderr
	bar  *progressBar // on stderr while not nil
	wait time.Time    // end of the last reported wait

	ahead time.Duration // the service's clock, of this machine's

	ends sync.Map // of the *func() of AtOnce
}

// Linef writes a line to stderr. It sanitizes the text, which may come from a
// server.
func (t *Terminal) Linef(format string, args ...any) {
	line := Sanitize(strings.TrimRight(fmt.Sprintf(format, args...), "\r\n"))
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.bar != nil {
		t.bar.log(t.Now(), line)
		return
	}
	fmt.Fprintln(t.Stderr, line)
}

// proseAtLeast is the least width of a terminal into which messages are folded.
const proseAtLeast = 40

// Paragraph writes a text to stderr, folded into the width of the terminal, if it is one.
// Its lines begin behind the prefix.
func (t *Terminal) Paragraph(prefix, value string) {
	columns := t.stderrColumns()
	if columns < proseAtLeast {
		t.Linef("%s%s", prefix, value)
		return
	}
	prefix, value = Sanitize(prefix), Sanitize(strings.TrimRight(value, "\r\n"))
	indent := text.StringWidth(prefix)
	if columns-indent < foldAtLeast {
		t.Linef("%s", strings.TrimRight(prefix, " "))
		indent = 4
		prefix = strings.Repeat(" ", indent)
	}
	for _, line := range foldText(value, columns-indent) {
		t.Linef("%s%s", prefix, line)
		prefix = strings.Repeat(" ", indent)
	}
}

// Report writes err to stderr and returns its exit code.
func (t *Terminal) Report(cmd *cobra.Command, err error) int {
	e := Explain(err, t.Now())
	t.Paragraph("error: ", e.What)
	for _, detail := range e.Details {
		t.Paragraph("  ", detail)
	}
	if usage := new(UsageError); errors.As(err, &usage) {
		e.Next = fmt.Sprintf("Run '%s' for usage.", cmp.Or(usage.help, cmd.CommandPath()+" --help"))
	}
	t.Next(e.Next)
	return e.Code
}

// Next writes what to do next.
func (t *Terminal) Next(what string) {
	for line := range strings.Lines(what) {
		text := strings.TrimLeft(line, " ")
		t.Paragraph("  "+line[:len(line)-len(text)], text)
	}
}

// ReadFile reads a text file, or standard input for "-", of at most limit bytes. Either may
// be a pipe that nobody writes to.
func (t *Terminal) ReadFile(name string, limit int64) ([]byte, error) {
	data, err := t.UntilDone(func() ([]byte, error) {
		if name == "-" {
			return textfile.ReadFrom(t.Stdin, "standard input", limit)
		}
		return textfile.Read(name, limit)
	})
	if err != nil {
		return nil, err
	}
	if data, err = textfile.Decode(data); err != nil {
		return nil, fmt.Errorf("it %w", err)
	}
	return data, nil
}

// UntilDone reads, and waits for it no longer than the program is to run.
func (t *Terminal) UntilDone(read func() ([]byte, error)) (data []byte, err error) {
	done := make(chan struct{})
	var got []byte
	var failed error
	go func() {
		defer close(done)
		got, failed = read()
	}()
	select {
	case <-done:
		return got, failed
	case <-t.Done:
		return nil, context.Canceled
	}
}

// Ask asks a question on the terminal and returns the answer, trimmed. At the
// end of the input the answer is empty.
func (t *Terminal) Ask(ctx context.Context, question string) (string, error) {
	fmt.Fprint(t.Stderr, Sanitize(question))
	answers := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(t.Stdin).ReadString('\n')
		answers <- strings.TrimSpace(line)
	}()
	select {
	case answer := <-answers:
		return answer, nil
	case <-ctx.Done():
		fmt.Fprintln(t.Stderr)
		return "", ctx.Err()
	}
}

// CommandLine returns the command line, with a request id if one is given,
// quoted for a shell.
func (t *Terminal) CommandLine(requestID string) string {
	words := []string{"partnercenter"}
	for i := 0; i < len(t.Args); i++ {
		word := t.Args[i]
		name, value, joined := strings.Cut(word, "=")
		switch name {
		case "--request-id":
			if !joined {
				i++
			}
			continue
		case "--client-secret": // keep it off screens and logs
			if !joined {
				i++
			}
			words = append(words, `--client-secret "$PARTNERCENTER_CLIENT_SECRET"`)
			continue
		case "--header":
			if !joined && i+1 < len(t.Args) {
				i++
				value = t.Args[i]
			}
			words = append(words, name, headerWord(value))
			continue
		}
		if short := shortHeader.FindStringSubmatch(word); short != nil {
			flag, header := short[1], short[3]
			if short[2]+header == "" && i+1 < len(t.Args) {
				i++
				header = t.Args[i]
			}
			words = append(words, flag, headerWord(header))
			continue
		}
		words = append(words, ShellQuote(word))
	}
	if requestID != "" {
		words = append(words, "--request-id", requestID)
	}
	return strings.Join(words, " ")
}

// shortHeader matches the short form of --header, which may stand behind other flags, with
// or without its value.
var shortHeader = regexp.MustCompile(`(?s)^(-v*H)(=?)(.*)$`)

// headerWord returns a header as a word of a shell command. A value that may be secret is
// that of a variable.
func headerWord(header string) string {
	name, value, _ := strings.Cut(header, ":")
	if HeaderText(strings.TrimSpace(name), []string{value}) != Redacted {
		return ShellQuote(header)
	}
	variable := strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, ascii.ToUpper(strings.TrimSpace(name)))
	return ShellQuote(name+": ") + `"$` + variable + `"`
}

// NoteWait reports that somebody, such as the service, asked to wait.
func (t *Terminal) NoteWait(status int, who string, wait time.Duration) {
	t.noteOnce(wait, fmt.Sprintf("%d %s: ", status, http.StatusText(status)), "waiting "+wait.String(), " as "+who+" asks")
}

// inProgressWait is how long the client waits at most for a write in progress.
const inProgressWait = 2 * time.Minute

// NoteInProgress reports that the service is still working on a write whose answer was
// lost, unless that was reported.
func (t *Terminal) NoteInProgress() {
	t.mu.Lock()
	waiting := t.wait.After(t.Now())
	t.mu.Unlock()
	if waiting {
		return
	}
	t.noteOnce(inProgressWait, "", "waiting", " while the service completes the request")
}

// NoteBudget reports that a request waits for its budget, unless the wait is
// short.
func (t *Terminal) NoteBudget(w partnercenter.BudgetWait) {
	wait := w.For.Round(time.Second)
	switch {
	case w.For <= time.Second:
	case w.Throttled:
		t.noteOnce(w.For, "", "waiting "+wait.String(), " as the service asked")
	default:
		t.noteOnce(w.For, "", "waiting "+wait.String(), fmt.Sprintf(" for the request budget (%d a minute)", w.RequestsPerMinute))
	}
}

// NoteServiceTime notes the time that an answer of the service has.
func (t *Terminal) NoteServiceTime(at time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ahead = at.Sub(t.Now())
}

// ServiceNow returns the time at the service, which decides until when something can be
// done, or this machine's as long as the service has not said.
func (t *Terminal) ServiceNow() time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.Now().Add(t.ahead)
}

// noteOnce reports a wait once for all workers that wait until about the same time, in one
// line of the terminal.
func (t *Terminal) noteOnce(wait time.Duration, answer, waiting, why string) {
	until := t.Now().Add(wait)
	t.mu.Lock()
	known := !until.After(t.wait.Add(time.Second))
	if !known {
		t.wait = until
		if t.bar != nil {
			t.bar.estimate(t.Now(), until)
		}
	}
	t.mu.Unlock()
	if !known {
		t.Linef("%s", fitting(t.stderrColumns(), answer+waiting+why+"; press Ctrl-C to stop", answer+waiting+why, waiting+why, waiting))
	}
}
