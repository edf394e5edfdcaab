package signin

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/spf13/cobra"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/command"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/connect"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
	"github.com/partnercenter-go/partnercenter/internal/claims"
	"github.com/partnercenter-go/partnercenter/internal/token"
	"github.com/partnercenter-go/partnercenter/internal/words"
)

// identity is the output of whoami. It does not contain the token itself.
type identity struct {
	Kind     string `json:"kind"` // user or app
	Name     string `json:"name,omitempty"`
	Username string `json:"userPrincipalName,omitempty"`
	ObjectID string `json:"objectId,omitempty"`
	TenantID string `json:"tenantId,omitempty"`
	ClientID string `json:"clientId,omitempty"`
	// SignedInBy is the source of the token: user, secret, certificate or azure.
	SignedInBy string   `json:"signedInBy,omitempty"`
	Roles      []string `json:"roles"`
	Scopes     []string `json:"scopes"`
	// MultiFactor is absent for an app, or if the token does not say.
	MultiFactor *bool      `json:"multiFactor,omitempty"`
	Methods     []string   `json:"authenticationMethods,omitempty"`
	Audience    []string   `json:"audience"`
	Issuer      string     `json:"issuer,omitempty"`
	Version     string     `json:"version,omitempty"`
	NotBefore   *time.Time `json:"notBefore,omitempty"`
	ExpiresOn   *time.Time `json:"expiresOn,omitempty"`
	Expired     bool       `json:"expired"`
	permits

	way string // for display
}

// Whoami returns the command that explains a token.
func Whoami(term *terminal.Terminal) *cobra.Command {
	var file string
	c := connect.New(term)
	cmd := command.Act(term, command.Spec{
		Facts: true, Use: "whoami", Short: "Show who commands act as, and what the token allows",
		Long: `Get the token that commands use, and explain it: its user or app, tenant, roles,
whether the user signed in with multi-factor authentication, its audience, when it
expires, and which calls it allows.

The token is decoded on this machine and not sent anywhere. Its signature is not
verified. To print the token itself, use "partnercenter token".`,
		Example: `  partnercenter whoami --profile local
  partnercenter whoami -o json | jq -r .expiresOn
  partnercenter token | partnercenter whoami --token -`,
		Flags: func(cmd *cobra.Command) {
			cmd.Flags().StringVar(&file, "token", "", "`file` with the token to explain, from any issuer; - for standard input")
		},
	}, func(ctx context.Context, call *command.Call) (err error) {
		var who *identity
		if call.Given("token") {
			who, err = whoHas(term, file)
		} else {
			who, err = whoCalls(ctx, c)
		}
		if err != nil {
			return err
		}
		return call.Tell(who, func(w io.Writer) error { return who.print(w, term.Now()) })
	})
	c.AddFlags(cmd)
	return cmd
}

// whoHas returns the identity in the token in a file.
func whoHas(term *terminal.Terminal, file string) (*identity, error) {
	text, err := connect.ReadSecret(term, file)
	if err != nil {
		return nil, terminal.Usagef("the token cannot be read: %v", err)
	}
	read, ok := claims.Read(strings.TrimSpace(strings.TrimPrefix(text, "Bearer ")))
	if !ok {
		return nil, terminal.Usagef("the file of --token is not a JSON Web Token: it should have three parts in base64, separated by dots")
	}
	return newIdentity(read, "", term.Now()), nil
}

// whoCalls returns the identity in the token that commands use.
func whoCalls(ctx context.Context, c *connect.Connection) (*identity, error) {
	s, err := c.Service()
	if err != nil {
		return nil, err
	}
	token, err := s.Cred.GetToken(ctx, policy.TokenRequestOptions{Scopes: s.Scopes})
	if err != nil {
		return nil, err
	}
	read, ok := claims.Read(token.Token)
	if !ok {
		return nil, fmt.Errorf("the token from %s cannot be explained: it is not a JSON Web Token, which is allowed but cannot be decoded", s.Authority)
	}
	who := newIdentity(read, partnercenter.CloudNameOf(s.Options.Cloud), c.Term.Now())
	who.SignedInBy, who.way = s.Way.Name, s.Way.Text
	return who, nil
}

func newIdentity(c *claims.Claims, cloud partnercenter.CloudName, now time.Time) *identity {
	who := &identity{
		Kind: "app", ObjectID: c.ObjectID, TenantID: c.TenantID, ClientID: c.ClientID(),
		Roles: append([]string{}, c.AllRoles()...), Scopes: append([]string{}, strings.Fields(c.Scope)...),
		Audience: c.Audience, Issuer: c.Issuer, Version: c.Version, permits: permitsOf(c, cloud),
	}
	if c.ForUser() {
		who.Kind, who.Name, who.Username, who.Methods = "user", c.Name, c.User(), c.Methods
		if len(c.Methods) > 0 {
			mfa := !c.WithoutMFA()
			who.MultiFactor = &mfa
		}
	}
	if t := claims.Time(c.NotBefore); !t.IsZero() {
		who.NotBefore = &t
	}
	if t := claims.Time(c.Expires); !t.IsZero() {
		who.ExpiresOn, who.Expired = &t, !now.Before(t)
	}
	return who
}

// print prints the identity as text.
func (i *identity) print(w io.Writer, now time.Time) error {
	var lines [][2]string
	add := func(name, value string) {
		if value != "" {
			lines = append(lines, [2]string{name, terminal.Sanitize(value)})
		}
	}
	switch {
	case i.Kind == "app":
		add("Who", fmt.Sprintf("app %s itself, without a user", i.ClientID))
	case i.Name != "":
		add("Who", fmt.Sprintf("user %s (%s)", i.Name, i.Username))
	default:
		add("Who", "user "+i.Username)
	}
	if i.Kind == "user" {
		add("Through app", i.ClientID)
	}
	add("Signed in by", i.way)
	add("Tenant", i.TenantID)
	add("Object id", i.ObjectID)
	add("Roles", cmp.Or(strings.Join(i.Roles, ", "), "none in the token"))
	if i.Kind == "user" {
		add("Multi-factor", multiFactor(i.MultiFactor, i.Methods))
	}
	add("Scopes", strings.Join(i.Scopes, " "))
	for _, audience := range i.Audience {
		what, _, _ := knownAudience(audience)
		add("Audience", audience+": "+what)
	}
	add("Issuer", i.Issuer)
	if i.NotBefore != nil && now.Before(*i.NotBefore) {
		add("Valid from", terminal.At(*i.NotBefore, now))
	}
	switch {
	case i.ExpiresOn == nil:
		add("Expires", "the token does not say")
	case i.Expired:
		add("Expired", terminal.At(*i.ExpiresOn, now))
	default:
		add("Expires", terminal.At(*i.ExpiresOn, now))
	}
	width := 0
	for _, line := range lines {
		width = max(width, len(line[0]))
	}
	var b strings.Builder
	for _, line := range lines {
		fmt.Fprintf(&b, "%-*s  %s\n", width, line[0], line[1])
	}
	i.permits.print(&b)
	_, err := io.WriteString(w, b.String())
	return err
}

// knownAudience describes an audience. ok reports whether a Partner Center
// accepts it, which Microsoft's by now does for its own only.
func knownAudience(audience string) (what string, graph, ok bool) {
	switch token.AppOf(audience) {
	case token.APIAppID:
		return "Partner Center", false, true
	case token.GraphAppID:
		return "the directory graph, which Partner Center accepted from apps until August 2025", true, true
	}
	return "not an audience of Partner Center", false, false
}

func multiFactor(mfa *bool, methods []string) string {
	switch {
	case mfa == nil:
		return "the token does not say"
	case *mfa:
		return "yes (" + strings.Join(methods, ", ") + ")"
	}
	return "no (" + strings.Join(methods, ", ") + "): Partner Center refuses users without it"
}

// refusedCall is a documented call that a token does not allow.
type refusedCall struct {
	Call   string `json:"call"`
	Reason string `json:"reason"`
}

// permits are the documented calls, split by whether a token allows them.
type permits struct {
	CanCall    []string      `json:"canCall"`
	CannotCall []refusedCall `json:"cannotCall"`
}

// permitsOf returns the calls that a token allows. If the token leaves it open,
// for example because only the service knows the roles, a call counts as
// allowed. An empty cloud offers all calls.
func permitsOf(c *claims.Claims, cloud partnercenter.CloudName) permits {
	p := permits{CanCall: []string{}, CannotCall: []refusedCall{}}
	_, graph, known := knownAudience(strings.Join(c.Audience, " "))
	for _, o := range partnercenter.Operations() {
		reason := ""
		switch roles := claims.RolesOf(c, partnercenter.UserRoles()); {
		case !known:
			reason = "the token is not for Partner Center"
		case c.ForUser() && graph:
			reason = "a user's token has to be for Partner Center itself"
		case c.ForUser() && c.WithoutMFA():
			reason = "the user signed in without multi-factor authentication"
		case cloud != "" && !o.OfferedIn(cloud):
			reason = "not offered in the " + string(cloud) + " cloud"
		case !c.ForUser() && !o.TakesApp():
			reason = "requires a signed-in user: partnercenter login"
		case c.ForUser() && !o.TakesUser():
			reason = "requires an app alone: --as app"
		case c.ForUser() && len(roles) > 0 && !o.Allows(roles...):
			reason = "requires the role " + words.Or(o.Roles())
		}
		if reason == "" {
			p.CanCall = append(p.CanCall, o.String())
		} else {
			p.CannotCall = append(p.CannotCall, refusedCall{o.String(), reason})
		}
	}
	return p
}

// print lists the calls, grouped by reason.
func (p *permits) print(b *strings.Builder) {
	fmt.Fprintf(b, "\nThe token allows %d of the API's %d documented calls", len(p.CanCall), len(p.CanCall)+len(p.CannotCall))
	if len(p.CanCall) > 0 {
		fmt.Fprintf(b, ":\n%s\n", byArea(p.CanCall))
	} else {
		b.WriteString(".\n")
	}
	var reasons []string
	calls := map[string][]string{}
	for _, refused := range p.CannotCall {
		if calls[refused.Reason] == nil {
			reasons = append(reasons, refused.Reason)
		}
		calls[refused.Reason] = append(calls[refused.Reason], refused.Call)
	}
	for _, reason := range reasons {
		fmt.Fprintf(b, "\nIt does not allow (%s):\n%s\n", reason, byArea(calls[reason]))
	}
}

// byArea returns a line for each area, wrapped if necessary.
func byArea(calls []string) string {
	var areas []string
	names := map[string][]string{}
	for _, call := range calls {
		area, name, _ := strings.Cut(call, " ")
		if names[area] == nil {
			areas = append(areas, area)
		}
		names[area] = append(names[area], name)
	}
	width := 0
	for _, area := range areas {
		width = max(width, len(area))
	}
	var lines []string
	for _, area := range areas {
		list := strings.ReplaceAll(terminal.Wrap(names[area], 74-width), "\n  ", "\n"+strings.Repeat(" ", width+4))
		lines = append(lines, fmt.Sprintf("  %-*s  %s", width, area, strings.TrimSpace(list)))
	}
	return strings.Join(lines, "\n")
}
