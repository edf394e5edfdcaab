package control

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/command"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/connect"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
	"github.com/partnercenter-go/partnercenter/internal/control"
)

// Identity returns the commands about who and what signs in to a local server.
func Identity(term *terminal.Terminal) *cobra.Command {
	group := command.Group("identity", "Users, apps, refresh tokens and faults of a local server's sign-in",
		command.Group("faults", "Have the token authority make trouble", addFault(term), listFaults(term), removeFaults(term)),
		command.Group("users", "List and change users", listUsers(term), setUser(term)),
		command.Group("apps", "List apps", listApps(term)),
		command.Group("grants", "List and revoke refresh tokens", listGrants(term), revokeGrants(term)))
	group.Long = `Show and change who and what signs in to a local server, and have its token
authority make the trouble that Microsoft's makes, to see how a program bears it.
Changes of users and apps stay over a restart, faults do not.

The control plane shows passwords and secrets: they are good for this server
only.`
	return group
}

// kept is something that the control plane lists: what tables show, and the JSON
// that it was read from.
type kept[T any] struct {
	shown T
	raw   json.RawMessage
}

// keptView returns how such things are printed.
func keptView[T any](plural string, columns, csvColumns []string, row func(T) []string) *terminal.View[kept[T]] {
	v := terminal.OneLayout(plural, columns, csvColumns, func(k kept[T]) []string { return row(k.shown) })
	v.Resource = func(k kept[T]) any { return k.raw }
	return v
}

// filter is a flag that narrows a list, and the parameter that it becomes.
type filter struct{ flag, parameter, usage string }

// showing makes a command that prints such things, as commands of the API print
// theirs.
func showing[T any](term *terminal.Terminal, s command.Spec, v *terminal.View[kept[T]],
	run func(context.Context, *command.Call, *connect.ControlPlane, *terminal.Printer[kept[T]]) error,
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
	output.AddFlags(cmd)
	plane.AddFlag(cmd)
	return cmd
}

// list makes a command that lists what is at a path of the control plane, which
// names the member of the answer, too.
func list[T any](term *terminal.Terminal, path string, v *terminal.View[kept[T]], s command.Spec, filters ...filter) *cobra.Command {
	values := make([]string, len(filters))
	s.Use = "list"
	s.Flags = func(cmd *cobra.Command) {
		for i, filter := range filters {
			cmd.Flags().StringVar(&values[i], filter.flag, "", filter.usage)
		}
	}
	return showing(term, s, v, func(ctx context.Context, _ *command.Call, plane *connect.ControlPlane, p *terminal.Printer[kept[T]]) error {
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
		items := make([]kept[T], len(lists[member]))
		for i, raw := range lists[member] {
			items[i].raw = raw
			if err := read(raw, &items[i].shown); err != nil {
				return err
			}
		}
		return p.PrintAll(items)
	})
}

// count makes a command that has the control plane do something to several things,
// and says to how many: done, which is the member of the answer, too.
func count(term *terminal.Terminal, done string, s command.Spec, ask func(*command.Call) (method, path string, body any)) *cobra.Command {
	var plane connect.ControlPlane
	cmd := command.Act(term, s, func(ctx context.Context, call *command.Call) error {
		method, path, body := ask(call)
		answer, err := plane.Call(ctx, method, path, body)
		if err != nil {
			return err
		}
		var counts map[string]int
		if err := read(answer, &counts); err != nil {
			return err
		}
		return call.Say("%d %s", counts[done], done)
	})
	plane.AddFlag(cmd)
	return cmd
}

// printOne prints one thing that the control plane has answered.
func printOne[T any](p *terminal.Printer[kept[T]], answer json.RawMessage) error {
	item := kept[T]{raw: answer}
	err := read(answer, &item.shown)
	return p.PrintOne(item, err)
}

// read reads an answer.
func read(answer []byte, into any) error {
	if err := json.Unmarshal(answer, into); err != nil {
		return fmt.Errorf("the answer cannot be read: %w; check --control", err)
	}
	return nil
}

// yes is how a flag stands in a cell that is empty without it.
func yes(flag bool) string {
	if flag {
		return "yes"
	}
	return ""
}

var usersView = keptView("users",
	[]string{"USER", "NAME", "ROLES", "MFA", "DISABLED", "PASSWORD"},
	[]string{"userPrincipalName", "name", "roles", "mfa", "disabled", "password"},
	func(u control.User) []string {
		return []string{u.UserPrincipalName, u.Name, strings.Join(terminal.Texts(u.Roles), " "), yes(u.MFA), yes(u.Disabled), u.Password}
	})

// ofTenant narrows lists to a partner.
func ofTenant(what string) filter {
	return filter{"tenant", "tenant", "`id` or domain of a partner: only its " + what}
}

func listUsers(term *terminal.Terminal) *cobra.Command {
	return list(term, "/users", usersView, command.Spec{
		Short: "List users, with the passwords that they sign in with",
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
	return showing(term, command.Spec{
		Use: "set USER", Arg: "user", Short: "Change a user",
		Long: `Change a user. A new password revokes the refresh tokens that the old one has
given; a user who is disabled loses access tokens too.`,
		Example: `  partnercenter identity users set sales.agent@contosocsp.onmicrosoft.com --mfa=false
  partnercenter identity users set sales.agent@contosocsp.onmicrosoft.com --disabled
  partnercenter identity users set sales.agent@contosocsp.onmicrosoft.com --role admin_agent --role sales_agent`,
		Flags: func(cmd *cobra.Command) {
			f := cmd.Flags()
			f.BoolVar(&mfa, "mfa", false, "the user has a second factor, or with =false has none")
			f.BoolVar(&disabled, "disabled", false, "the user may not sign in, or with =false may")
			f.StringArrayVar(&roles, "role", nil, "the user's only `role`; may be repeated: global_admin, admin_agent, sales_agent, helpdesk_agent")
			f.StringVar(&password, "password", "", "the user's new `password`, for this server only: others on this machine can see it as this runs")
		},
		Check: func(call *command.Call) error {
			for flag, member := range map[string]string{"password": "password", "mfa": "mfa", "disabled": "disabled", "role": "roles"} {
				if call.Given(flag) {
					change[member] = map[string]any{"password": password, "mfa": mfa, "disabled": disabled, "role": roles}[flag]
				}
			}
			if len(change) == 0 {
				return terminal.Usagef("%s changes nothing: give --mfa, --disabled, --role or --password", call.Path())
			}
			return nil
		},
	}, usersView, func(ctx context.Context, call *command.Call, plane *connect.ControlPlane, p *terminal.Printer[kept[control.User]]) error {
		answer, err := plane.Call(ctx, http.MethodPatch, "/users/"+url.PathEscape(call.Arg), change)
		if err != nil {
			return err
		}
		return printOne(p, answer)
	})
}

var appsView = keptView("apps",
	[]string{"CLIENT ID", "NAME", "TENANT", "SECRETS", "CERTIFICATES", "REDIRECT URIS", "PUBLIC", "MULTI-TENANT", "CONSENTED", "DISABLED"},
	[]string{"clientId", "name", "tenantId", "secrets", "certificates", "redirectUris", "public", "multiTenant", "adminConsent", "disabled"},
	func(a control.App) []string {
		return []string{
			a.ClientID, a.Name, a.TenantID, strconv.Itoa(len(a.Secrets)), strconv.Itoa(len(a.Certificates)), strings.Join(a.RedirectURIs, " "),
			yes(a.Public), yes(a.MultiTenant), yes(a.AdminConsent), yes(a.Disabled),
		}
	})

func listApps(term *terminal.Terminal) *cobra.Command {
	return list(term, "/apps", appsView, command.Spec{
		Short: "List apps",
		Long: `List apps with how many secrets and certificates they have. JSON has the secrets
themselves and the certificates' thumbprints.`,
		Example: `  partnercenter identity apps list
  partnercenter identity apps list -o json | jq -r '.[0].secrets[0].value'`,
	}, ofTenant("apps"))
}

var grantsView = keptView("refresh tokens",
	[]string{"USER", "APP", "SIGNED IN", "EXPIRES", "MFA", "REVOKED"},
	[]string{"user", "app", "signedIn", "expires", "mfa", "revoked"},
	func(g control.Grant) []string {
		// Who is not there any more has no name.
		user, name := cmp.Or(g.User, g.UserID), cmp.Or(g.App, g.ClientID)
		return []string{user, name, g.SignedIn.Format(time.RFC3339), g.Expires.Format(time.RFC3339), yes(g.MFA), g.Revoked}
	})

// Whose refresh tokens.
const (
	usageOfUser   = "those of the user `name@domain`"
	usageOfClient = "those of the app with this client `id`"
)

func listGrants(term *terminal.Terminal) *cobra.Command {
	return list(term, "/grants", grantsView, command.Spec{
		Short: "List refresh tokens by the sign-ins that gave them",
		Long: `List refresh tokens by the sign-ins that gave them, the latest first. Each one
that is used is followed by another one; they are listed once. The tokens
themselves are not shown.`,
		Example: "  partnercenter identity grants list\n  partnercenter identity grants list --user admin.agent@contosocsp.onmicrosoft.com",
	}, filter{"user", "user", usageOfUser}, filter{"client-id", "clientId", usageOfClient})
}

func revokeGrants(term *terminal.Terminal) *cobra.Command {
	var (
		user, clientID string
		all            bool
	)
	return count(term, "revoked", command.Spec{
		Use: "revoke", Short: "Revoke refresh tokens",
		Long: `Revoke refresh tokens: whoever has one is told so (AADSTS50173) and has to sign in
again. Access tokens stay good until they expire, as at Microsoft.`,
		Example: `  partnercenter identity grants revoke --user admin.agent@contosocsp.onmicrosoft.com
  partnercenter identity grants revoke --all`,
		Flags: func(cmd *cobra.Command) {
			f := cmd.Flags()
			f.StringVar(&user, "user", "", usageOfUser)
			f.StringVar(&clientID, "client-id", "", usageOfClient)
			f.BoolVar(&all, "all", false, "those of everybody")
		},
		Check: func(call *command.Call) error {
			if (user+clientID != "") == all {
				return terminal.Usagef("%s needs to know whose: give --user, --client-id or both, or --all alone", call.Path())
			}
			return nil
		},
	}, func(*command.Call) (method, path string, body any) {
		return http.MethodPost, "/grants/revoke", map[string]any{"user": user, "clientId": clientID, "all": all}
	})
}
