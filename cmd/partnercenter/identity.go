package main

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
)

// newIdentityCmd returns the commands about who and what signs in to a local
// server.
func newIdentityCmd(app *app) *cobra.Command {
	group := newGroupCmd("identity", "Users, apps, refresh tokens and faults of a local server's sign-in",
		newIdentityFaultsCmd(app), newIdentityUsersCmd(app), newIdentityAppsCmd(app), newIdentityGrantsCmd(app))
	group.Long = `Show and change who and what signs in to a local server, and have its token
authority make the trouble that Microsoft's makes, to see how a program bears it.
Changes of users and apps stay over a restart, faults do not.

The control plane shows passwords and secrets: they are good for this server
only.`
	return group
}

// identityItem is something that the control plane lists: what tables show, and
// the JSON that it was read from.
type identityItem[T any] struct {
	shown T
	raw   json.RawMessage
}

// identityView returns how a list of the control plane is printed.
func identityView[T any](plural string, columns, csvColumns []string, row func(T) []string) view[identityItem[T]] {
	v := oneLayout(plural, columns, csvColumns, func(i identityItem[T]) [][]string { return [][]string{row(i.shown)} })
	v.resource = func(i identityItem[T]) any { return i.raw }
	return v
}

// identityFilter is a flag that narrows a list, and the parameter that it becomes.
type identityFilter struct{ flag, parameter, usage string }

// newIdentityListCmd completes a command that lists what is at a path of the
// control plane.
func newIdentityListCmd[T any](app *app, cmd *cobra.Command, path, member string, v view[identityItem[T]], filters ...identityFilter) *cobra.Command {
	var (
		control controlPlane
		output  outputOptions
		values  = make([]string, len(filters))
	)
	cmd.Use, cmd.Args, cmd.ValidArgsFunction, cmd.PreRunE = "list", noArgs, cobra.NoFileCompletions, exclusive("output", "json")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		query := map[string]string{}
		for i, filter := range filters {
			query[filter.parameter] = values[i]
		}
		return listIdentity(cmd.Context(), app, &control, &output, withQuery(path, query), member, v)
	}
	f := cmd.Flags()
	f.SortFlags = false
	for i, filter := range filters {
		f.StringVar(&values[i], filter.flag, "", filter.usage)
	}
	output.addFlags(cmd)
	control.addFlag(cmd)
	return cmd
}

// listIdentity prints a list of the control plane.
func listIdentity[T any](ctx context.Context, app *app, control *controlPlane, output *outputOptions, path, member string, v view[identityItem[T]]) error {
	p, err := newPrinter(app, output, v)
	if err != nil {
		return err
	}
	answer, err := control.call(ctx, http.MethodGet, path, nil)
	if err != nil {
		return err
	}
	var lists map[string][]json.RawMessage
	if err := json.Unmarshal(answer, &lists); err != nil || lists[member] == nil {
		return fmt.Errorf("the answer has no %s: check --control", member)
	}
	for _, raw := range lists[member] {
		item := identityItem[T]{raw: raw}
		if err := json.Unmarshal(raw, &item.shown); err != nil {
			return fmt.Errorf("the answer has %s that cannot be read: %w; check --control", member, err)
		}
		if err := p.add(item); err != nil {
			return err
		}
	}
	return p.end()
}

// printIdentity prints one thing that the control plane has answered.
func printIdentity[T any](p *printer[identityItem[T]], answer []byte) error {
	item := identityItem[T]{raw: answer}
	if err := json.Unmarshal(answer, &item.shown); err != nil {
		return fmt.Errorf("the answer cannot be read: %w; check --control", err)
	}
	return printOne(p, item)
}

// withQuery adds the parameters that have a value.
func withQuery(path string, parameters map[string]string) string {
	query := url.Values{}
	for name, value := range parameters {
		if value != "" {
			query.Set(name, value)
		}
	}
	if len(query) == 0 {
		return path
	}
	return path + "?" + query.Encode()
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

var usersView = identityView("users",
	[]string{"USER", "NAME", "ROLES", "MFA", "DISABLED", "PASSWORD"},
	[]string{"userPrincipalName", "name", "roles", "mfa", "disabled", "password"},
	func(u shownUser) []string {
		return []string{u.UserPrincipalName, u.Name, strings.Join(u.Roles, " "), yes(u.MFA), yes(u.Disabled), u.Password}
	})

func newIdentityUsersCmd(app *app) *cobra.Command {
	list := newIdentityListCmd(app, &cobra.Command{
		Short: "List users, with the passwords that they sign in with",
		Example: `  partnercenter identity users list
  partnercenter identity users list --tenant contosocsp.onmicrosoft.com -o json`,
	}, "/users", "users", usersView, identityFilter{"tenant", "tenant", "`id` or domain of a partner: only its users"})
	return newGroupCmd("users", "List and change users", list, newIdentityUserSetCmd(app))
}

func newIdentityUserSetCmd(app *app) *cobra.Command {
	var (
		control       controlPlane
		output        outputOptions
		password      string
		mfa, disabled bool
		roles         []string
	)
	cmd := &cobra.Command{
		Use:   "set USER",
		Short: "Change a user",
		Long: `Change a user. A new password revokes the refresh tokens that the old one has
given; a user who is disabled loses access tokens too.`,
		Example: `  partnercenter identity users set sales.agent@contosocsp.onmicrosoft.com --mfa=false
  partnercenter identity users set sales.agent@contosocsp.onmicrosoft.com --disabled
  partnercenter identity users set sales.agent@contosocsp.onmicrosoft.com --role admin_agent --role sales_agent`,
		Args:              oneArg("user"),
		ValidArgsFunction: cobra.NoFileCompletions,
		PreRunE:           exclusive("output", "json"),
		RunE: func(cmd *cobra.Command, args []string) error {
			change := map[string]any{}
			for name, value := range map[string]any{"password": password, "mfa": mfa, "disabled": disabled} {
				if cmd.Flags().Changed(name) {
					change[name] = value
				}
			}
			if cmd.Flags().Changed("role") {
				change["roles"] = roles
			}
			if len(change) == 0 {
				return usageErrorf("%s changes nothing: give --mfa, --disabled, --role or --password", cmd.CommandPath())
			}
			p, err := newPrinter(app, &output, usersView)
			if err != nil {
				return err
			}
			answer, err := control.call(cmd.Context(), http.MethodPatch, "/users/"+url.PathEscape(args[0]), change)
			if err != nil {
				return err
			}
			return printIdentity(p, answer)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.BoolVar(&mfa, "mfa", false, "the user has a second factor, or with =false has none")
	f.BoolVar(&disabled, "disabled", false, "the user may not sign in, or with =false may")
	f.StringArrayVar(&roles, "role", nil, "the user's only `role`; may be repeated: global_admin, admin_agent, sales_agent, helpdesk_agent")
	f.StringVar(&password, "password", "", "the user's new `password`, for this server only: others on this machine can see it as this runs")
	output.addFlags(cmd)
	control.addFlag(cmd)
	return cmd
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

var appsView = identityView("apps",
	[]string{"CLIENT ID", "NAME", "TENANT", "SECRETS", "CERTIFICATES", "REDIRECT URIS", "PUBLIC", "MULTI-TENANT", "CONSENTED", "DISABLED"},
	[]string{"clientId", "name", "tenantId", "secrets", "certificates", "redirectUris", "public", "multiTenant", "adminConsent", "disabled"},
	func(a shownApp) []string {
		return []string{
			a.ClientID, a.Name, a.TenantID, strconv.Itoa(len(a.Secrets)), strconv.Itoa(len(a.Certificates)), strings.Join(a.RedirectURIs, " "),
			yes(a.Public), yes(a.MultiTenant), yes(a.AdminConsent), yes(a.Disabled),
		}
	})

func newIdentityAppsCmd(app *app) *cobra.Command {
	list := newIdentityListCmd(app, &cobra.Command{
		Short: "List apps",
		Long: `List apps with how many secrets and certificates they have. JSON has the secrets
themselves and the certificates' thumbprints.`,
		Example: `  partnercenter identity apps list
  partnercenter identity apps list -o json | jq -r '.[0].secrets[0].value'`,
	}, "/apps", "apps", appsView, identityFilter{"tenant", "tenant", "`id` or domain of a partner: only its apps"})
	return newGroupCmd("apps", "List apps", list)
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

var grantsView = identityView("refresh tokens",
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

func newIdentityGrantsCmd(app *app) *cobra.Command {
	var (
		control        controlPlane
		user, clientID string
		all            bool
	)
	list := newIdentityListCmd(app, &cobra.Command{
		Short: "List refresh tokens by the sign-ins that gave them",
		Long: `List refresh tokens by the sign-ins that gave them, the latest first. Each one
that is used is followed by another one; they are listed once. The tokens
themselves are not shown.`,
		Example: "  partnercenter identity grants list\n  partnercenter identity grants list --user admin.agent@contosocsp.onmicrosoft.com",
	}, "/grants", "grants", grantsView, identityFilter{"user", "user", usageOfUser}, identityFilter{"client-id", "clientId", usageOfClient})
	revoke := &cobra.Command{
		Use:   "revoke",
		Short: "Revoke refresh tokens",
		Long: `Revoke refresh tokens: whoever has one is told so (AADSTS50173) and has to sign in
again. Access tokens stay good until they expire, as at Microsoft.`,
		Example: `  partnercenter identity grants revoke --user admin.agent@contosocsp.onmicrosoft.com
  partnercenter identity grants revoke --all`,
		Args:              noArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if (user+clientID != "") == all {
				return usageErrorf("%s needs to know whose: give --user, --client-id or both, or --all alone", cmd.CommandPath())
			}
			body := map[string]any{"user": user, "clientId": clientID, "all": all}
			answer, err := control.call(cmd.Context(), http.MethodPost, "/grants/revoke", body)
			if err != nil {
				return err
			}
			var count struct {
				Revoked int `json:"revoked"`
			}
			if err := json.Unmarshal(answer, &count); err != nil {
				return fmt.Errorf("the answer cannot be read: %w; check --control", err)
			}
			_, err = fmt.Fprintf(app.stdout, "%d revoked\n", count.Revoked)
			return err
		},
	}
	f := revoke.Flags()
	f.SortFlags = false
	f.StringVar(&user, "user", "", usageOfUser)
	f.StringVar(&clientID, "client-id", "", usageOfClient)
	f.BoolVar(&all, "all", false, "those of everybody")
	control.addFlag(revoke)
	return newGroupCmd("grants", "List and revoke refresh tokens", list, revoke)
}
