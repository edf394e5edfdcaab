package control

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/command"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/connect"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
	"github.com/partnercenter-go/partnercenter/internal/clock"
	"github.com/partnercenter-go/partnercenter/internal/control"
	"github.com/partnercenter-go/partnercenter/internal/issuer"
)

var faultsView = listItemView("faults",
	[]string{"ID", "FAULT", "WHOM", "HOW", "STRUCK", "OF"},
	[]string{"id", "fault", "whom", "how", "struck", "times"},
	func(f control.Fault) []string {
		times := "until removed"
		if f.Times > 0 {
			times = strconv.Itoa(f.Times)
		}
		return []string{f.ID, f.Fault, whom(&f), how(&f), strconv.Itoa(f.Struck), times}
	})

// whom describes the requests that a fault applies to.
func whom(f *control.Fault) string {
	if scope := strings.Join(strings.Fields(f.User+" "+f.ClientID+" "+f.Tenant), " "); scope != "" {
		return scope
	}
	return "anybody"
}

// how describes the options of a fault.
func how(f *control.Fault) string {
	var words []string
	for _, option := range []struct{ name, value string }{
		{"at", f.Endpoint}, {"retry after", f.RetryAfter}, {"for", f.For}, {"by", f.By}, {"audience", f.Audience},
	} {
		if option.value != "" {
			words = append(words, option.name+" "+option.value)
		}
	}
	if f.Status != 0 {
		words = append(words, "status "+strconv.Itoa(f.Status))
	}
	if f.Plain {
		words = append(words, "plain")
	}
	return strings.Join(words, ", ")
}

func listFaults(term *terminal.Terminal) *cobra.Command {
	return listCommand(term, "/identity/faults", faultsView, command.Spec{
		Short:   "List faults, with the number of times each was applied",
		Example: "  partnercenter identity faults list",
	})
}

func removeFaults(term *terminal.Terminal) *cobra.Command {
	var all bool
	return countCommand(term, "removed", command.Spec{
		Use: "remove ID", Short: "Remove one fault, or all",
		Example: "  partnercenter identity faults remove f1\n  partnercenter identity faults remove --all",
		Args: func(cmd *cobra.Command, args []string) error {
			if all != (len(args) == 0) || len(args) > 1 {
				return terminal.Usagef("%s requires the id of a fault, or --all", cmd.CommandPath())
			}
			return nil
		},
		Flags: func(cmd *cobra.Command) { cmd.Flags().BoolVar(&all, "all", false, "remove all faults") },
	}, func(call *command.Call) (method, path string, body any) {
		path = "/identity/faults"
		for _, id := range call.Args {
			path += "/" + url.PathEscape(id)
		}
		return http.MethodDelete, path, nil
	})
}

// faultKinds are the faults that can be added.
func faultKinds() []string {
	kinds := append(issuer.FaultKinds(), control.FaultKeyRollover)
	slices.Sort(kinds)
	return kinds
}

// checkFault checks the options before the call.
func checkFault(o *control.FaultRequest) error {
	if kinds := faultKinds(); !slices.Contains(kinds, o.Fault) {
		return terminal.Usagef("unknown fault %q%s; use one of %s", o.Fault, terminal.DidYouMean(o.Fault, kinds), strings.Join(kinds, ", "))
	}
	for _, d := range []struct{ flag, value string }{{"retry-after", o.RetryAfter}, {"for", o.For}, {"by", o.By}} {
		if d.value == "" {
			continue
		}
		if _, err := clock.ParseDuration(d.value); err != nil {
			return terminal.Usagef("--%s: %v", d.flag, err)
		}
	}
	return nil
}

func addFault(term *terminal.Terminal) *cobra.Command {
	var fault control.FaultRequest
	return listItemCommand(term, command.Spec{
		Use: "add FAULT", Arg: "fault", Values: faultKinds(), Short: "Add a fault, effective immediately",
		Long: `Make a local server's token authority answer as Microsoft's does when something is
wrong. A fault applies until it is removed or has been applied --times times, to all
requests or only to those that match --tenant, --client-id and --user. Its answers
have the header X-Partnercenter-Fault. The faults, described in
docs/control-plane.md, are:

` + terminal.Wrap(faultKinds(), 78),
		Example: `  partnercenter identity faults add mfa_required --user admin.agent@contosocsp.onmicrosoft.com
  partnercenter identity faults add throttled --times 2 --retry-after 5s
  partnercenter identity faults add clock_skew --by 5m
  partnercenter identity faults add key_rollover`,
		Flags: func(cmd *cobra.Command) {
			f := cmd.Flags()
			f.IntVar(&fault.Times, "times", 0, "apply it `n` times (default: until it is removed)")
			f.StringVar(&fault.Tenant, "tenant", "", "only for the partner with this `id` or domain")
			f.StringVar(&fault.ClientID, "client-id", "", "only for the app with this client `id`")
			f.StringVar(&fault.User, "user", "", "only for the user `name@domain`")
			f.StringVar(&fault.Endpoint, "endpoint", "", "`endpoint` to apply it to: token (the default), authorize, devicecode or discovery")
			f.StringVar(&fault.RetryAfter, "retry-after", "", "throttled, unavailable: `duration` for Retry-After (default for throttled: 1m)")
			f.BoolVar(&fault.Plain, "plain", false, "throttled: answer with plain text, as Microsoft does for busy apps")
			f.IntVar(&fault.Status, "status", 0, "html: `status` of the answer (default: 502)")
			f.StringVar(&fault.For, "for", "", "timeout: do not answer for this `duration` (default: 30s, at most 2m)")
			f.StringVar(&fault.By, "by", "", "clock_skew: tokens become valid after this `duration` or, if negative, expired that long ago (default: 5m)")
			f.StringVar(&fault.Audience, "audience", "", "wrong_audience: `URL` that tokens are for (default: Microsoft Graph)")
			f.BoolVar(&fault.KeepKey, "keep-key", false, "key_rollover: keep the old key published and its tokens valid")
			terminal.Choices(cmd, "endpoint", "token", "authorize", "devicecode", "discovery")
		},
		Check: func(call *command.Call) error {
			fault.Fault = call.Arg
			return checkFault(&fault)
		},
	}, faultsView, func(ctx context.Context, call *command.Call, plane *connect.ControlPlane, p *terminal.Printer[listItem[control.Fault]]) error {
		answer, err := plane.Call(ctx, http.MethodPost, "/identity/faults", fault)
		switch {
		case err != nil:
			return err
		case fault.Fault == control.FaultKeyRollover:
			return printRollover(call, p, answer)
		}
		return printOne(p, answer)
	})
}

// printRollover prints the result of a key rollover.
func printRollover[T any](call *command.Call, p *terminal.Printer[T], answer json.RawMessage) error {
	if p.Documents() {
		return p.PrintDocument(answer)
	}
	var rolled control.Rollover
	if err := decode(answer, &rolled); err != nil {
		return err
	}
	return call.Say("Key %s signs from now on; %d revoked", rolled.Key, len(rolled.Revoked))
}
