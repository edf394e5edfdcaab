package control

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/command"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/connect"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
	"github.com/partnercenter-go/partnercenter/internal/control"
	"github.com/partnercenter-go/partnercenter/internal/words"
)

// Identity returns the commands about users, apps, refresh tokens and faults.
func Identity(term *terminal.Terminal) *cobra.Command {
	group := command.Group("identity", "Users, apps, refresh tokens and faults of a local server",
		command.Group("faults", "Make the token authority fail", addFault(term), listFaults(term), removeFaults(term)),
		command.Group("users", "List and change users", listUsers(term), setUser(term)),
		command.Group("apps", "List apps", listApps(term)),
		command.Group("grants", "List and revoke refresh tokens", listGrants(term), revokeGrants(term)))
	group.Long = `Show and change the users, apps and refresh tokens of a local server, and make its
token authority fail as Microsoft's does, to test how a program copes. Changes of users
and apps survive a restart, faults do not.

The control plane shows passwords and secrets. They are valid for this server only.`
	return group
}

// listItem is an item of a list of the control plane, with its original JSON.
type listItem[T any] struct {
	shown T
	raw   json.RawMessage
}

// copied are the columns whose values people copy. Names of users are not among them where
// there are passwords: 80 columns have no room for both.
var copied = []string{"user", "password", "redirectUris"}

// listItemView returns a view of such items. Narrow terminals leave out the last columns.
func listItemView[T any](plural string, headers, names []string, row func(T) []string) *terminal.View[listItem[T]] {
	v := &terminal.View[listItem[T]]{Plural: plural, Resource: func(k listItem[T]) any { return k.raw }}
	for i, name := range names {
		kind := terminal.Text
		switch {
		case strings.HasSuffix(name, "Id") || name == "id":
			kind = terminal.ID
		case slices.Contains(copied, name):
			kind = terminal.Whole
		}
		v.Columns = append(v.Columns, terminal.Column[listItem[T]]{
			Name: name, Header: headers[i], Kind: kind, Rank: i, Value: func(k listItem[T]) any { return row(k.shown)[i] },
		})
	}
	return v
}

// filter is a flag that filters a list, with its query parameter.
type filter struct{ flag, parameter, usage string }

// listItemCommand returns a command that prints such items as commands of the API do.
func listItemCommand[T any](term *terminal.Terminal, s command.Spec, v *terminal.View[listItem[T]],
	run func(context.Context, *command.Call, *connect.ControlPlane, *terminal.Printer[listItem[T]]) error,
) *cobra.Command {
	var (
		plane  connect.ControlPlane
		output terminal.Output
	)
	cmd := command.Act(term, s, func(ctx context.Context, call *command.Call) error {
		p, err := terminal.NewPrinter(term, &output, v)
		if err != nil {
			return err
		}
		return run(ctx, call, &plane, p)
	})
	output.AddFlags(cmd, v.Names(), s.Use == "list")
	plane.AddFlag(term, cmd)
	return cmd
}

// listCommand returns a command that lists a collection of the control plane. Its path
// is also its member in the answer.
func listCommand[T any](term *terminal.Terminal, path string, v *terminal.View[listItem[T]], s command.Spec, filters ...filter) *cobra.Command {
	values := make([]string, len(filters))
	s.Use = "list"
	s.Flags = func(cmd *cobra.Command) {
		for i, filter := range filters {
			cmd.Flags().StringVar(&values[i], filter.flag, "", filter.usage)
		}
	}
	return listItemCommand(term, s, v, func(ctx context.Context, _ *command.Call, plane *connect.ControlPlane, p *terminal.Printer[listItem[T]]) error {
		query := url.Values{}
		for i, filter := range filters {
			if values[i] != "" {
				query.Set(filter.parameter, values[i])
			}
		}
		answer, err := plane.Call(ctx, http.MethodGet, strings.TrimSuffix(path+"?"+query.Encode(), "?"), nil)
		if err != nil {
			return err
		}
		var lists map[string][]json.RawMessage
		member := path[strings.LastIndex(path, "/")+1:]
		if err := json.Unmarshal(answer, &lists); err != nil || lists[member] == nil {
			return fmt.Errorf("the answer has no %s: check --control", member)
		}
		items := make([]listItem[T], len(lists[member]))
		for i, raw := range lists[member] {
			items[i].raw = raw
			if err := decode(raw, &items[i].shown); err != nil {
				return err
			}
		}
		return p.PrintAll(items)
	})
}

// countCommand returns a command that changes several items and prints their number. done names
// the change and the member of the answer.
func countCommand(term *terminal.Terminal, done string, s command.Spec, ask func(*command.Call) (method, path string, body any)) *cobra.Command {
	var plane connect.ControlPlane
	cmd := command.Act(term, s, func(ctx context.Context, call *command.Call) error {
		method, path, body := ask(call)
		answer, err := plane.Call(ctx, method, path, body)
		if err != nil {
			return err
		}
		var counts map[string]int
		if err := decode(answer, &counts); err != nil {
			return err
		}
		return call.Say("%d %s", counts[done], done)
	})
	plane.AddFlag(term, cmd)
	return cmd
}

// printOne prints a single item from the control plane.
func printOne[T any](p *terminal.Printer[listItem[T]], answer json.RawMessage) error {
	item := listItem[T]{raw: answer}
	if err := decode(answer, &item.shown); err != nil {
		return err
	}
	return p.PrintOne(item)
}

// decode decodes an answer.
func decode(answer []byte, into any) error {
	if err := json.Unmarshal(answer, into); err != nil {
		return fmt.Errorf("the answer cannot be read: %w; check --control", err)
	}
	return nil
}

// yes formats a flag for a cell that is empty if it is false.
func yes(flag bool) string {
	if flag {
		return "yes"
	}
	return ""
}

var usersView = listItemView("users",
	[]string{"USER", "NAME", "ROLES", "MFA", "DISABLED", "PASSWORD"},
	[]string{"userPrincipalName", "name", "roles", "mfa", "disabled", "password"},
	func(u control.User) []string {
		return []string{u.UserPrincipalName, u.Name, strings.Join(words.Texts(u.Roles), " "), yes(u.MFA), yes(u.Disabled), u.Password}
	})

// ofTenant filters a list by partner.
func ofTenant(what string) filter {
	return filter{"tenant", "tenant", "only " + what + " of the partner with this `id` or domain"}
}

func listUsers(term *terminal.Terminal) *cobra.Command {
	return listCommand(term, "/users", usersView, command.Spec{
		Short: "List users and their passwords",
		Long:  "List users and their passwords. Narrow terminals shorten the users; -o wide does not.",
		Example: `  partnercenter identity users list
  partnercenter identity users list --tenant contosocsp.onmicrosoft.com -o json`,
	}, ofTenant("users"))
}

func setUser(term *terminal.Terminal) *cobra.Command {
	var (
		password      string
		mfa, disabled bool
		roles         []string
		change        = map[string]any{}
	)
	return listItemCommand(term, command.Spec{
		Use: "set USER", Arg: "user", Short: "Change a user",
		Long: `Change a user. A new password revokes the refresh tokens obtained with the old one.
Disabling a user revokes access tokens too.`,
		Example: `  partnercenter identity users set sales.agent@contosocsp.onmicrosoft.com --mfa=false
  partnercenter identity users set sales.agent@contosocsp.onmicrosoft.com --disabled
  partnercenter identity users set sales.agent@contosocsp.onmicrosoft.com --role admin_agent --role sales_agent`,
		Flags: func(cmd *cobra.Command) {
			f := cmd.Flags()
			f.BoolVar(&mfa, "mfa", false, "whether the user has a second factor")
			f.BoolVar(&disabled, "disabled", false, "whether the user is disabled")
			f.StringArrayVar(&roles, "role", nil, "`role` of the user, replacing all others; can be repeated: global_admin, admin_agent, sales_agent, helpdesk_agent")
			f.StringVar(&password, "password", "", "the user's new `password`, for this server only; other users can see it in the list of processes")
		},
		Check: func(call *command.Call) error {
			for flag, member := range map[string]string{"password": "password", "mfa": "mfa", "disabled": "disabled", "role": "roles"} {
				if call.Given(flag) {
					change[member] = map[string]any{"password": password, "mfa": mfa, "disabled": disabled, "role": roles}[flag]
				}
			}
			if len(change) == 0 {
				return terminal.Usagef("there is nothing to change: give --mfa, --disabled, --role or --password")
			}
			return nil
		},
	}, usersView, func(ctx context.Context, call *command.Call, plane *connect.ControlPlane, p *terminal.Printer[listItem[control.User]]) error {
		answer, err := plane.Call(ctx, http.MethodPatch, "/users/"+url.PathEscape(call.Arg), change)
		if err != nil {
			return err
		}
		return printOne(p, answer)
	})
}

var appsView = listItemView("apps",
	[]string{"CLIENT ID", "NAME", "TENANT", "SECRETS", "CERTIFICATES", "REDIRECT URIS", "PUBLIC", "MULTI-TENANT", "CONSENTED", "DISABLED"},
	[]string{"clientId", "name", "tenantId", "secrets", "certificates", "redirectUris", "public", "multiTenant", "adminConsent", "disabled"},
	func(a control.App) []string {
		return []string{
			a.ClientID, a.Name, a.TenantID, strconv.Itoa(len(a.Secrets)), strconv.Itoa(len(a.Certificates)), strings.Join(a.RedirectURIs, " "),
			yes(a.Public), yes(a.MultiTenant), yes(a.AdminConsent), yes(a.Disabled),
		}
	})

func listApps(term *terminal.Terminal) *cobra.Command {
	return listCommand(term, "/apps", appsView, command.Spec{
		Short: "List apps",
		Long: `List apps with the numbers of their secrets and certificates. JSON output includes
the secrets themselves and the certificates' thumbprints.`,
		Example: `  partnercenter identity apps list
  partnercenter identity apps list -o json | jq -r '.[0].secrets[0].value'`,
	}, ofTenant("apps"))
}

var grantsView = listItemView("refresh tokens",
	[]string{"USER", "APP", "SIGNED IN", "EXPIRES", "MFA", "REVOKED"},
	[]string{"user", "app", "signedIn", "expires", "mfa", "revoked"},
	func(g control.Grant) []string {
		// A user who no longer exists has no name.
		user, name := cmp.Or(g.User, g.UserID), cmp.Or(g.App, g.ClientID)
		return []string{user, name, g.SignedIn.Format(time.RFC3339), g.Expires.Format(time.RFC3339), yes(g.MFA), g.Revoked}
	})

// Usage texts of flags that select refresh tokens.
const (
	usageOfUser   = "those of the user `name@domain`"
	usageOfClient = "those of the app with this client `id`"
)

func listGrants(term *terminal.Terminal) *cobra.Command {
	return listCommand(term, "/grants", grantsView, command.Spec{
		Short: "List refresh tokens by sign-in",
		Long: `List refresh tokens by sign-in, the latest first. Using a refresh token replaces it
by a new one; both count as one. The tokens themselves are not shown.`,
		Example: "  partnercenter identity grants list\n  partnercenter identity grants list --user admin.agent@contosocsp.onmicrosoft.com",
	}, filter{"user", "user", usageOfUser}, filter{"client-id", "clientId", usageOfClient})
}

func revokeGrants(term *terminal.Terminal) *cobra.Command {
	var (
		user, clientID string
		all            bool
	)
	return countCommand(term, "revoked", command.Spec{
		Use: "revoke", Short: "Revoke refresh tokens",
		Long: `Revoke refresh tokens. Their use fails with AADSTS50173, and users have to sign in
again. Access tokens remain valid until they expire, as with Microsoft's authority.`,
		Example: `  partnercenter identity grants revoke --user admin.agent@contosocsp.onmicrosoft.com
  partnercenter identity grants revoke --all`,
		Flags: func(cmd *cobra.Command) {
			f := cmd.Flags()
			f.StringVar(&user, "user", "", usageOfUser)
			f.StringVar(&clientID, "client-id", "", usageOfClient)
			f.BoolVar(&all, "all", false, "all refresh tokens")
		},
		Check: func(call *command.Call) error {
			if (user+clientID != "") == all {
				return terminal.Usagef("%s requires --user, --client-id or both, or --all alone", call.Path())
			}
			return nil
		},
	}, func(*command.Call) (method, path string, body any) {
		return http.MethodPost, "/grants/revoke", map[string]any{"user": user, "clientId": clientID, "all": all}
	})
}
