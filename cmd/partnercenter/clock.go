package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/partnercenter-go/partnercenter/internal/clock"
)

// clockOptions are the flags that the clock commands share.
type clockOptions struct {
	control controlPlane
	output  textOrJSON
}

func newClockCmd(app *app) *cobra.Command {
	var o clockOptions
	show := &cobra.Command{
		Use:     "show",
		Short:   "Show what a local server's clock shows",
		Example: "  partnercenter clock show\n  partnercenter clock show -o json | jq -r .now",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return o.run(cmd, app, http.MethodGet, "/clock", nil)
		},
	}
	set := &cobra.Command{
		Use:   "set TIME",
		Short: "Set a local server's clock",
		Long: `Set a local server's clock to a time, which may lie in the past: RFC 3339, or a
date alone for its first instant in UTC. The clock runs on from there, unless it
is frozen.`,
		Example: "  partnercenter clock set 2027-01-31T23:59:00Z\n  partnercenter clock set 2027-02-01",
		Args:    oneArg("time"),
		RunE: func(cmd *cobra.Command, args []string) error {
			// A slip of the pen need not travel.
			if _, err := clock.ParseTime(args[0]); err != nil {
				return usageErrorf("%v", err)
			}
			return o.run(cmd, app, http.MethodPut, "/clock", map[string]string{"now": args[0]})
		},
	}
	advance := &cobra.Command{
		Use:   "advance DURATION",
		Short: "Move a local server's clock forwards",
		Long: `Move a local server's clock forwards by hours (h), minutes (m), seconds (s) and
days (d, of 24 hours). A frozen clock stays frozen.`,
		Example: "  partnercenter clock advance 15m   # until new orders are listed\n  partnercenter clock advance 7d",
		Args:    oneArg("duration"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if _, err := clock.ParseDuration(args[0]); err != nil {
				return usageErrorf("%v", err)
			}
			return o.run(cmd, app, http.MethodPost, "/clock/advance", map[string]string{"by": args[0]})
		},
	}
	freeze := &cobra.Command{
		Use:     "freeze",
		Short:   "Stop a local server's clock",
		Example: "  partnercenter clock freeze && partnercenter clock set 2027-01-31T23:59:59Z",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return o.run(cmd, app, http.MethodPost, "/clock/freeze", nil)
		},
	}
	resume := &cobra.Command{
		Use:     "resume",
		Aliases: []string{"unfreeze"},
		Short:   "Let a frozen clock run on from where it stands",
		Example: "  partnercenter clock resume",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return o.run(cmd, app, http.MethodPost, "/clock/resume", nil)
		},
	}
	reset := &cobra.Command{
		Use:     "reset",
		Short:   "Have a local server's clock follow the system's again",
		Example: "  partnercenter clock reset",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return o.run(cmd, app, http.MethodDelete, "/clock", nil)
		},
	}
	for _, cmd := range []*cobra.Command{show, set, advance, freeze, resume, reset} {
		cmd.ValidArgsFunction = cobra.NoFileCompletions
		cmd.PreRunE = exclusive("output", "json")
	}
	group := newGroupCmd("clock", "Show and change the clock of a local server", show, set, advance, freeze, resume, reset)
	group.Long = `Show and change the clock of a local server. Everything that depends on time
reads it: when new orders are listed, provisioning, cancellation windows, request
limits, the life of tokens. It stays as it was set over a restart.

Tokens that were issued before may be over by the new time, or not valid yet: ask
for new ones.`
	group.PersistentFlags().SortFlags = false
	o.control.addFlag(group)
	o.output.addFlags(group, group.PersistentFlags())
	return group
}

// shownClock is the clock as the control plane answers it.
type shownClock struct {
	Now      time.Time   `json:"now"`
	Offset   string      `json:"offset"`
	Frozen   bool        `json:"frozen"`
	Adjusted bool        `json:"adjusted"`
	Was      *shownClock `json:"was"`
}

// run makes one call and prints the clock as it is after it.
func (o *clockOptions) run(cmd *cobra.Command, app *app, method, path string, body any) error {
	asJSON, err := o.output.wantsJSON()
	if err != nil {
		return err
	}
	answer, err := o.control.call(cmd.Context(), method, path, body)
	if err != nil {
		return err
	}
	if asJSON {
		return writeIndented(app.stdout, answer)
	}
	var shown shownClock
	if err := json.Unmarshal(answer, &shown); err != nil {
		return fmt.Errorf("the answer is no clock: %w; check --control", err)
	}
	line := shown.Now.Format(time.RFC3339)
	if shown.Was != nil {
		line = shown.Was.Now.Format(time.RFC3339) + " → " + line
	}
	_, err = fmt.Fprintf(app.stdout, "%s\n%s\n", line, upperFirst(describeClock(shown.Frozen, shown.Adjusted, shown.Offset)))
	return err
}

// describeClock says in words how a clock runs.
func describeClock(frozen, adjusted bool, offset string) string {
	behind, isBehind := strings.CutPrefix(offset, "-")
	switch {
	case frozen:
		return "frozen: every request meets this time until the clock is changed or resumed"
	case !adjusted:
		return "the system's clock"
	case isBehind:
		return "running, " + behind + " behind the system's clock"
	case offset == "0s":
		return "running, less than a second from the system's clock"
	}
	return "running, " + offset + " ahead of the system's clock"
}
