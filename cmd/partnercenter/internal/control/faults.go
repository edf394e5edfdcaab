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

var faultsView = keptView("faults",
	[]string{"ID", "FAULT", "WHOM", "HOW", "STRUCK", "OF"},
	[]string{"id", "fault", "whom", "how", "struck", "times"},
	func(f control.Fault) []string {
		times := "until removed"
		if f.Times > 0 {
			times = strconv.Itoa(f.Times)
		}
		return []string{f.ID, f.Fault, whom(&f), how(&f), strconv.Itoa(f.Struck), times}
	})

// whom says in words whom a fault strikes.
func whom(f *control.Fault) string {
	if scope := strings.Join(strings.Fields(f.User+" "+f.ClientID+" "+f.Tenant), " "); scope != "" {
		return scope
	}
	return "anybody"
}

// how says the options of a fault.
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
	return list(term, "/identity/faults", faultsView, command.Spec{
		Short:   "List faults, with how often each has struck",
		Example: "  partnercenter identity faults list",
	})
}

func removeFaults(term *terminal.Terminal) *cobra.Command {
	var all bool
	return count(term, "removed", command.Spec{
		Use: "remove ID", Short: "Remove a fault, or all",
		Example: "  partnercenter identity faults remove f1\n  partnercenter identity faults remove --all",
		Args: func(cmd *cobra.Command, args []string) error {
			if all != (len(args) == 0) || len(args) > 1 {
				return terminal.Usagef("%s takes one fault's id, or --all", cmd.CommandPath())
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

// checkFault refuses slips of the pen, which need not travel.
func checkFault(o *control.FaultRequest) error {
	if kinds := faultKinds(); !slices.Contains(kinds, o.Fault) {
		return terminal.Usagef("there is no fault %q%s; use one of %s", o.Fault, terminal.DidYouMean(o.Fault, kinds), strings.Join(kinds, ", "))
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
	var order control.FaultRequest
	return showing(term, command.Spec{
		Use: "add FAULT", Arg: "fault", Values: faultKinds(), Short: "Add a fault, which strikes from now on",
		Long: `Have a local server's token authority answer as Microsoft's does when something is
wrong. A fault strikes until it is removed or has struck as often as --times says,
whoever asks, or only those that --tenant, --client-id and --user name. Its answer
has the header X-Partnercenter-Fault. docs/control-plane.md describes the faults:

` + terminal.Wrap(faultKinds(), 78),
		Example: `  partnercenter identity faults add mfa_required --user admin.agent@contosocsp.onmicrosoft.com
  partnercenter identity faults add throttled --times 2 --retry-after 5s
  partnercenter identity faults add clock_skew --by 5m
  partnercenter identity faults add key_rollover`,
		Flags: func(cmd *cobra.Command) {
			f := cmd.Flags()
			f.IntVar(&order.Times, "times", 0, "strike `n` times (default: until it is removed)")
			f.StringVar(&order.Tenant, "tenant", "", "strike the partner with this `id` or domain only")
			f.StringVar(&order.ClientID, "client-id", "", "strike the app with this client `id` only")
			f.StringVar(&order.User, "user", "", "strike the user `name@domain` only")
			f.StringVar(&order.Endpoint, "endpoint", "", "strike at `endpoint`: token (the default), authorize, devicecode or discovery")
			f.StringVar(&order.RetryAfter, "retry-after", "", "throttled, unavailable: say `duration` in Retry-After (default of throttled: 1m)")
			f.BoolVar(&order.Plain, "plain", false, "throttled: answer in words alone, as Microsoft answers busy apps")
			f.IntVar(&order.Status, "status", 0, "html: answer with this `status` (default: 502)")
			f.StringVar(&order.For, "for", "", "timeout: give no answer for `duration` (default: 30s, at most 2m)")
			f.StringVar(&order.By, "by", "", "clock_skew: tokens become valid `duration` from now or, negative, have expired so long ago (default: 5m)")
			f.StringVar(&order.Audience, "audience", "", "wrong_audience: give tokens for `URL` (default: Microsoft Graph)")
			f.BoolVar(&order.KeepKey, "keep-key", false, "key_rollover: keep the old key published, and its tokens good")
			terminal.Choices(cmd, "endpoint", "token", "authorize", "devicecode", "discovery")
		},
		Check: func(call *command.Call) error {
			order.Fault = call.Arg
			return checkFault(&order)
		},
	}, faultsView, func(ctx context.Context, call *command.Call, plane *connect.ControlPlane, p *terminal.Printer[kept[control.Fault]]) error {
		answer, err := plane.Call(ctx, http.MethodPost, "/identity/faults", order)
		switch {
		case err != nil:
			return err
		case order.Fault == control.FaultKeyRollover:
			return printRollover(call, p.Format, answer)
		}
		return printOne(p, answer)
	})
}

// printRollover says what became of the keys.
func printRollover(call *command.Call, format string, answer json.RawMessage) error {
	if format == terminal.FormatJSON || format == terminal.FormatJSONL {
		return terminal.PrintJSON(call.Term.Stdout, answer)
	}
	var rolled control.Rollover
	if err := read(answer, &rolled); err != nil {
		return err
	}
	return call.Say("Key %s signs from now on; %d revoked", rolled.Key, len(rolled.Revoked))
}
