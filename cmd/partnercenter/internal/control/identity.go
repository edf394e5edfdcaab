package control

import (
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
func keptView[T any](plural string, columns, csvColumns []string, row func(T) []string) terminal.View[kept[T]] {
	v := terminal.OneLayout(plural, columns, csvColumns, func(k kept[T]) []string { return row(k.shown) })
	v.Resource = func(k kept[T]) any { return k.raw }
	return v
}

// filter is a flag that narrows a list, and the parameter that it becomes.
type filter struct{ flag, parameter, usage string }

// list is a command that lists what is at a path of the control plane.
type list[T any] struct {
	command.Spec
	path, member string // of the answer
	view         terminal.View[kept[T]]
	filters      []filter
}

func (l list[T]) command(term *terminal.Terminal) *cobra.Command {
	var (
		control connect.ControlPlane
		output  terminal.Output
		values  = make([]string, len(l.filters))
	)
	l.Use = "list"
	l.Flags = func(cmd *cobra.Command) {
		for i, filter := range l.filters {
			cmd.Flags().StringVar(&values[i], filter.flag, "", filter.usage)
		}
		output.AddFlags(cmd)
		control.AddFlag(cmd)
	}
	return command.Act{Spec: l.Spec, Run: func(ctx context.Context, call *command.Call) error {
		p, err := terminal.NewPrinter(term, &output, l.view)
		if err != nil {
			return err
		}
		query := url.Values{}
		for i, filter := range l.filters {
			if values[i] != "" {
				query.Set(filter.parameter, values[i])
			}
		}
		answer, err := control.Call(ctx, http.MethodGet, strings.TrimSuffix(l.path+"?"+query.Encode(), "?"), nil)
		if err != nil {
			return err
		}
		var lists map[string][]json.RawMessage
		if err := json.Unmarshal(answer, &lists); err != nil || lists[l.member] == nil {
			return fmt.Errorf("the answer has no %s: check --control", l.member)
		}
		for _, raw := range lists[l.member] {
			item := kept[T]{raw: raw}
			if err := read(raw, &item.shown); err != nil {
				return err
			}
			if err := p.Add(item); err != nil {
				return err
			}
		}
		return p.End()
	}}.Command(term)
}

// set is a command that has the control plane make or change one thing, and
// prints it as it is then.
type set[T any] struct {
	command.Spec
	view terminal.View[kept[T]]
	// ask makes the call; an answer that is something else it may print itself, by
	// the format, and return nothing.
	ask func(ctx context.Context, call *command.Call, control *connect.ControlPlane, format string) (json.RawMessage, error)
}

func (s set[T]) command(term *terminal.Terminal) *cobra.Command {
	var (
		control connect.ControlPlane
		output  terminal.Output
	)
	cmd := command.Act{Spec: s.Spec, Run: func(ctx context.Context, call *command.Call) error {
		p, err := terminal.NewPrinter(term, &output, s.view)
		if err != nil {
			return err
		}
		answer, err := s.ask(ctx, call, &control, p.Format)
		if err != nil || answer == nil {
			return err
		}
		item := kept[T]{raw: answer}
		return p.PrintOne(item, read(answer, &item.shown))
	}}.Command(term)
	output.AddFlags(cmd)
	control.AddFlag(cmd)
	return cmd
}

// count is a command that has the control plane do something to several things,
// and says to how many.
type count struct {
	command.Spec
	done string // removed: the member of the answer, and what is said
	ask  func(ctx context.Context, call *command.Call, control *connect.ControlPlane) (json.RawMessage, error)
}

func (c count) command(term *terminal.Terminal) *cobra.Command {
	var control connect.ControlPlane
	cmd := command.Act{Spec: c.Spec, Run: func(ctx context.Context, call *command.Call) error {
		answer, err := c.ask(ctx, call, &control)
		if err != nil {
			return err
		}
		var counts map[string]int
		if err := read(answer, &counts); err != nil {
			return err
		}
		return call.Say("%d %s", counts[c.done], c.done)
	}}.Command(term)
	control.AddFlag(cmd)
	return cmd
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

type shownUser struct {
	TenantID          string   `json:"tenantId"`
	UserPrincipalName string   `json:"userPrincipalName"`
	Name              string   `json:"name"`
	Roles             []string `json:"roles"`
	MFA               bool     `json:"mfa"`
	Disabled          bool     `json:"disabled"`
	Password          string   `json:"password"`
}

var usersView = keptView("users",
	[]string{"USER", "NAME", "ROLES", "MFA", "DISABLED", "PASSWORD"},
	[]string{"userPrincipalName", "name", "roles", "mfa", "disabled", "password"},
	func(u shownUser) []string {
		return []string{u.UserPrincipalName, u.Name, strings.Join(u.Roles, " "), yes(u.MFA), yes(u.Disabled), u.Password}
	})

// ofTenant narrows lists to a partner.
func ofTenant(what string) []filter {
	return []filter{{"tenant", "tenant", "`id` or domain of a partner: only its " + what}}
}

func listUsers(term *terminal.Terminal) *cobra.Command {
	return list[shownUser]{
		Spec: command.Spec{
			Short: "List users, with the passwords that they sign in with",
			Example: `  partnercenter identity users list
  partnercenter identity users list --tenant contosocsp.onmicrosoft.com -o json`,
		},
		path: "/users", member: "users", view: usersView, filters: ofTenant("users"),
	}.command(term)
}

func setUser(term *terminal.Terminal) *cobra.Command {
	var (
		password      string
		mfa, disabled bool
		roles         []string
		change        = map[string]any{}
	)
	return set[shownUser]{
		Spec: command.Spec{
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
		},
		view: usersView,
		ask: func(ctx context.Context, call *command.Call, control *connect.ControlPlane, _ string) (json.RawMessage, error) {
			return control.Call(ctx, http.MethodPatch, "/users/"+url.PathEscape(call.Arg), change)
		},
	}.command(term)
}

type shownApp struct {
	TenantID     string            `json:"tenantId"`
	ClientID     string            `json:"clientId"`
	Name         string            `json:"name"`
	Secrets      []json.RawMessage `json:"secrets"`
	Certificates []json.RawMessage `json:"certificates"`
	RedirectURIs []string          `json:"redirectUris"`
	Public       bool              `json:"public"`
	MultiTenant  bool              `json:"multiTenant"`
	AdminConsent bool              `json:"adminConsent"`
	Disabled     bool              `json:"disabled"`
}

var appsView = keptView("apps",
	[]string{"CLIENT ID", "NAME", "TENANT", "SECRETS", "CERTIFICATES", "REDIRECT URIS", "PUBLIC", "MULTI-TENANT", "CONSENTED", "DISABLED"},
	[]string{"clientId", "name", "tenantId", "secrets", "certificates", "redirectUris", "public", "multiTenant", "adminConsent", "disabled"},
	func(a shownApp) []string {
		return []string{
			a.ClientID, a.Name, a.TenantID, strconv.Itoa(len(a.Secrets)), strconv.Itoa(len(a.Certificates)), strings.Join(a.RedirectURIs, " "),
			yes(a.Public), yes(a.MultiTenant), yes(a.AdminConsent), yes(a.Disabled),
		}
	})

func listApps(term *terminal.Terminal) *cobra.Command {
	return list[shownApp]{
		Spec: command.Spec{
			Short: "List apps",
			Long: `List apps with how many secrets and certificates they have. JSON has the secrets
themselves and the certificates' thumbprints.`,
			Example: `  partnercenter identity apps list
  partnercenter identity apps list -o json | jq -r '.[0].secrets[0].value'`,
		},
		path: "/apps", member: "apps", view: appsView, filters: ofTenant("apps"),
	}.command(term)
}

type shownGrant struct {
	User     string    `json:"user"`
	UserID   string    `json:"userId"`
	ClientID string    `json:"clientId"`
	App      string    `json:"app"`
	MFA      bool      `json:"mfa"`
	SignedIn time.Time `json:"signedIn"`
	Expires  time.Time `json:"expires"`
	Revoked  string    `json:"revoked"`
}

var grantsView = keptView("refresh tokens",
	[]string{"USER", "APP", "SIGNED IN", "EXPIRES", "MFA", "REVOKED"},
	[]string{"user", "app", "signedIn", "expires", "mfa", "revoked"},
	func(g shownGrant) []string {
		user, name := g.User, g.App
		if user == "" {
			user = g.UserID // not there any more
		}
		if name == "" {
			name = g.ClientID
		}
		return []string{user, name, g.SignedIn.Format(time.RFC3339), g.Expires.Format(time.RFC3339), yes(g.MFA), g.Revoked}
	})

// Whose refresh tokens.
const (
	usageOfUser   = "those of the user `name@domain`"
	usageOfClient = "those of the app with this client `id`"
)

func listGrants(term *terminal.Terminal) *cobra.Command {
	return list[shownGrant]{
		Spec: command.Spec{
			Short: "List refresh tokens by the sign-ins that gave them",
			Long: `List refresh tokens by the sign-ins that gave them, the latest first. Each one
that is used is followed by another one; they are listed once. The tokens
themselves are not shown.`,
			Example: "  partnercenter identity grants list\n  partnercenter identity grants list --user admin.agent@contosocsp.onmicrosoft.com",
		},
		path: "/grants", member: "grants", view: grantsView,
		filters: []filter{{"user", "user", usageOfUser}, {"client-id", "clientId", usageOfClient}},
	}.command(term)
}

func revokeGrants(term *terminal.Terminal) *cobra.Command {
	var (
		user, clientID string
		all            bool
	)
	return count{
		Spec: command.Spec{
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
		},
		done: "revoked",
		ask: func(ctx context.Context, _ *command.Call, control *connect.ControlPlane) (json.RawMessage, error) {
			return control.Call(ctx, http.MethodPost, "/grants/revoke", map[string]any{"user": user, "clientId": clientID, "all": all})
		},
	}.command(term)
}
