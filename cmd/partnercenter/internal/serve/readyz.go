package serve

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/command"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/connect"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
)

// readyzPoll is the interval of --wait.
const readyzPoll = 50 * time.Millisecond

// Readyz returns the command that checks whether a server is ready.
func Readyz(term *terminal.Terminal) *cobra.Command {
	var (
		address, caFile string
		readyFile       string
		wait            bool
		timeout         time.Duration
	)
	return command.Act(term, command.Spec{
		Use: "readyz", Short: "Check whether a local server is ready",
		Long: `Check whether a server is ready to serve requests: if so, the exit code is 0. For
scripts that start a server and wait for it.`,
		Example: `  partnercenter serve & partnercenter readyz --wait && run-my-tests
  partnercenter serve --ready-file ready.json & partnercenter readyz --wait --ready-file ready.json`,
		Flags: func(cmd *cobra.Command) {
			f := cmd.Flags()
			f.StringVar(&caFile, "ca-file", "", "PEM `file` of certificate authorities to trust in addition to the system's")
			f.DurationVar(&timeout, "timeout", 30*time.Second, "maximum wait")
			f.StringVar(&readyFile, "ready-file", "", "`file` that the server writes, as given to serve: the server is the one that it names")
			f.StringVar(&address, "url", "", "base `URL` of the server (default: that of the server found by --profile local, or else, without --wait, http://127.0.0.1:8080)")
			f.BoolVar(&wait, "wait", false, "wait until the server is ready")
		},
		Check: func(*command.Call) error {
			if readyFile != "" && address != "" {
				return terminal.Usagef("--ready-file and --url both name the server: leave one out")
			}
			return nil
		},
	}, func(ctx context.Context, call *command.Call) error {
		// With --wait, the ready file may appear only later.
		find := func() (url, ca string, err error) {
			switch {
			case address != "":
				return address, caFile, nil
			case readyFile != "":
				s, err := connect.SettingsOf(readyFile)
				if errors.Is(err, connect.ErrNoServer) {
					err = fmt.Errorf("%w yet that has written %s: one that is starting writes it when it is ready; if none is, start one with: partnercenter serve --ready-file %s", connect.ErrNoServer, readyFile, terminal.ShellQuote(readyFile))
				}
				return s.BaseURL, cmp.Or(caFile, s.CAFile), err
			}
			s, err := connect.LocalSettings()
			switch path, noPath := connect.LocalReadyFile(); {
			case noPath != nil, !wait && errors.Is(err, connect.ErrNoServer):
				return "http://127.0.0.1:8080", caFile, nil //nolint:nilerr // there may be a server without a file
			case errors.Is(err, connect.ErrNoServer):
				// Whatever answers at the usual port meanwhile is another server.
				err = fmt.Errorf("%w yet that has written %s: one that is starting writes it when it is ready; if it writes another file or none, name it with --ready-file or --url", connect.ErrNoServer, path)
			}
			return s.BaseURL, cmp.Or(caFile, s.CAFile), err
		}
		if err := runReadyz(ctx, term, find, wait, timeout); err != nil {
			return err
		}
		return call.Say("ready")
	})
}

func runReadyz(ctx context.Context, term *terminal.Terminal, find func() (url, ca string, err error), wait bool, timeout time.Duration) error {
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, errNotReady)
	defer cancel()
	var last error
	for {
		url, ca, err := find()
		switch {
		case err == nil:
			err = askReady(ctx, term, url, ca)
		case !errors.Is(err, connect.ErrNoServer): // it does not pass
			return err
		}
		if last = err; last == nil {
			return nil
		}
		if !wait {
			return last
		}
		select {
		case <-ctx.Done():
			if errors.Is(context.Cause(ctx), errNotReady) {
				return fmt.Errorf("not ready after %s: %w", timeout, last)
			}
			return ctx.Err()
		case <-time.After(readyzPoll):
		}
	}
}

var errNotReady = errors.New("not ready in time")

func askReady(ctx context.Context, term *terminal.Terminal, base, caFile string) error {
	transport, err := connect.NewTransport(caFile)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimRight(base, "/")+"/readyz", nil)
	if err != nil {
		return terminal.Usagef("--url %q is not a base URL: write it like http://127.0.0.1:8080", base)
	}
	resp, err := connect.Ask(connect.Logged(term, transport), req, 0)
	switch {
	case resp == nil:
		// Not wrapped: that would add advice about the flags of other commands.
		return fmt.Errorf("no server answers at %s: %v; one that is starting may need longer, or start one with: partnercenter serve", base, terminal.Innermost(err)) //nolint:errorlint
	case err != nil || resp.StatusCode == http.StatusOK:
		return err
	}
	return fmt.Errorf("the server at %s is not ready: %s %.200s", base, resp.Status, resp.Body)
}
