// Package control contains the commands that use a running server's control
// plane: clock and identity.
package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/command"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/connect"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
	"github.com/partnercenter-go/partnercenter/internal/clock"
	"github.com/partnercenter-go/partnercenter/internal/control"
)

// clockAct is a clock command that makes one call of the control plane.
type clockAct struct {
	command.Spec
	method, path string
	member       string                  // JSON member of the body for the argument; empty if there is no body
	parse        func(text string) error // checks the argument before the call
}

var errBackwards = terminal.Usagef(`the clock advances forwards only: to set it back, use "partnercenter clock set TIME"`)

var errNoStep = terminal.Usagef(`the clock is set to a time, not by a duration: write it like 2027-02-01, or use "partnercenter clock advance DURATION", which goes forwards only`)

// explainNegative has a command explain negative durations, which look like flags.
func explainNegative(cmd *cobra.Command, why error) {
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		if unknown := (*pflag.NotExistError)(nil); errors.As(err, &unknown) {
			if step, err := clock.ParseStep("-" + unknown.GetSpecifiedShortnames()); err == nil && step.Backwards() {
				return why
			}
		}
		return terminal.FlagError(cmd, err)
	})
}

var clockActs = []clockAct{
	{
		Spec: command.Spec{
			Use: "show", Short: "Show the time of a local server's clock",
			Example: "  partnercenter clock show\n  partnercenter clock show -o json | jq -r .now",
		},
		method: http.MethodGet, path: "/clock",
	},
	{
		Spec: command.Spec{
			Use: "set TIME", Arg: "time", Short: "Set a local server's clock",
			Long: `Set a local server's clock to a time in RFC 3339 format, or to the start of a date
in UTC. The time may be in the past. The clock continues from there, unless it is
frozen.`,
			Example: "  partnercenter clock set 2027-01-31T23:59:00Z\n  partnercenter clock set 2027-02-01",
			Flags:   func(cmd *cobra.Command) { explainNegative(cmd, errNoStep) },
		},
		method: http.MethodPut, path: "/clock", member: "now",
		parse: func(text string) error { _, err := clock.ParseTime(text); return err },
	},
	{
		Spec: command.Spec{
			Use: "advance DURATION", Arg: "duration", Short: "Advance a local server's clock",
			Long: `Advance a local server's clock by years (y) and months (mo) of the calendar, days (d,
of 24 hours), hours (h), minutes (m) and seconds (s), in this order. The clock advances
forwards only; "clock set" sets it back. A frozen clock stays frozen.`,
			Example: "  partnercenter clock advance 15m   # until new orders are listed\n  partnercenter clock advance 7d\n  partnercenter clock advance 1y",
			Flags:   func(cmd *cobra.Command) { explainNegative(cmd, errBackwards) },
		},
		method: http.MethodPost, path: "/clock/advance", member: "by",
		parse: func(text string) error {
			step, err := clock.ParseStep(text)
			if err == nil && step.Backwards() {
				err = errBackwards
			}
			return err
		},
	},
	{
		Spec: command.Spec{
			Use: "freeze", Short: "Stop a local server's clock",
			Example: "  partnercenter clock freeze && partnercenter clock set 2027-01-31T23:59:59Z",
		},
		method: http.MethodPost, path: "/clock/freeze",
	},
	{
		Spec: command.Spec{
			Use: "resume", Aliases: []string{"unfreeze"}, Short: "Let a frozen clock continue",
			Example: "  partnercenter clock resume",
		},
		method: http.MethodPost, path: "/clock/resume",
	},
	{
		Spec: command.Spec{
			Use: "reset", Short: "Set a local server's clock back to the system's",
			Example: "  partnercenter clock reset",
		},
		method: http.MethodDelete, path: "/clock",
	},
}

// Clock returns the commands for a local server's clock.
func Clock(term *terminal.Terminal) *cobra.Command {
	var (
		plane  connect.ControlPlane
		output terminal.TextOrJSON
	)
	group := command.Group("clock", "Show and change the clock of a local server")
	for _, a := range clockActs {
		a.Output = &output
		group.AddCommand(command.Act(term, a.Spec, func(ctx context.Context, call *command.Call) error { return a.run(ctx, call, &plane) }))
	}
	group.Long = `Show and change the clock of a local server. Everything that depends on time uses
it: the listing of new orders, provisioning, cancellation windows, request limits and
the lifetime of tokens. A changed clock survives a restart.

By the new time, tokens issued earlier may have expired or not be valid yet: get new
ones.`
	plane.AddFlag(term, group)
	output.AddFlags(group, group.PersistentFlags())
	return group
}

// run makes the call and prints the clock's new state.
func (a *clockAct) run(ctx context.Context, call *command.Call, plane *connect.ControlPlane) error {
	var body any
	if a.member != "" {
		if err := a.parse(call.Arg); err != nil {
			return terminal.Usagef("%v", err)
		}
		body = map[string]string{a.member: call.Arg}
	}
	answer, err := plane.Call(ctx, a.method, a.path, body)
	if err != nil {
		return err
	}
	var shown control.Clock
	if err := json.Unmarshal(answer, &shown); err != nil {
		return fmt.Errorf("the answer does not describe a clock: %w; check --control", err)
	}
	return call.Tell(answer, func(w io.Writer) error {
		line := shown.Now.Format(time.RFC3339)
		if shown.Was != nil {
			line = shown.Was.Now.Format(time.RFC3339) + " → " + line
		}
		_, err := fmt.Fprintf(w, "%s\n%s\n", line, terminal.UpperFirst(terminal.DescribeClock(shown.Frozen, shown.Adjusted, shown.Offset)))
		return err
	})
}
