package signin

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/spf13/cobra"

	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/command"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/connect"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
)

// tokenOutput is the output of token -o json.
type tokenOutput struct {
	AccessToken string    `json:"accessToken"`
	ExpiresOn   time.Time `json:"expiresOn"`
	TenantID    string    `json:"tenantId,omitempty"` // if the settings have it
	Scopes      []string  `json:"scopes"`
}

// Token returns the command that prints a token.
func Token(term *terminal.Terminal) *cobra.Command {
	c := connect.New(term)
	var user userToken
	cmd := command.Act(term, command.Spec{
		Facts: true, Use: "token", Short: "Print an access token",
		Long: `Print only the access token that commands use, for curl and other tools: that of the
user who signed in with "partnercenter login", or the app's own. "partnercenter
whoami" explains it.

With --user, print a token for a user of a local server. The server's control plane
issues it without a password.

Anyone with the token can act as the app or the user until it expires: keep it out of
files and logs.`,
		Example: `  curl -H "Authorization: Bearer $(partnercenter token)" \
    https://api.partnercenter.microsoft.com/v1/customers
  partnercenter token --profile local -o json | jq -r .expiresOn
  partnercenter token --user admin.agent@contosocsp.onmicrosoft.com`,
	}, func(ctx context.Context, call *command.Call) error {
		if call.Given("user") || call.Given("control") {
			return user.run(ctx, call, c)
		}
		s, err := c.Service()
		if err != nil {
			return err
		}
		token, err := s.Cred.GetToken(ctx, policy.TokenRequestOptions{Scopes: s.Scopes})
		if err != nil {
			return err
		}
		facts := tokenOutput{
			AccessToken: token.Token, ExpiresOn: token.ExpiresOn.UTC().Truncate(time.Second),
			TenantID: s.TenantID, Scopes: s.Scopes,
		}
		return call.Tell(facts, facts.print)
	})
	cmd.Flags().StringVar(&user.name, "user", "", "`name@domain` of a user of a local server")
	user.control.AddFlag(term, cmd)
	c.AddFlags(cmd)
	return cmd
}

func (t *tokenOutput) print(w io.Writer) error {
	_, err := fmt.Fprintln(w, t.AccessToken)
	return err
}

// userToken gets a user's token from a local server's control plane.
type userToken struct {
	name    string
	control connect.ControlPlane
}

// signInFlags are the flags that do not apply to a control plane, which
// requires no credentials.
var signInFlags = []string{"base-url", "cloud", "authority", "client-secret", "client-secret-file", "client-certificate", "client-certificate-password-file", "as", "ca-file", "scope"}

func (u *userToken) run(ctx context.Context, call *command.Call, c *connect.Connection) error {
	for _, name := range signInFlags {
		if call.Given(name) {
			return terminal.Usagef("--%s does not apply with --user and --control, which use a local server's control plane: leave it out", name)
		}
	}
	if c.Profile != "" && c.Profile != connect.LocalProfile {
		return terminal.Usagef("--user uses a local server's control plane, which profile %q does not have: leave out --profile, or give the control plane with --control", c.Profile)
	}
	if call.Given("user") && u.name == "" {
		return terminal.Usagef("--user is empty: give a user like admin.agent@contosocsp.onmicrosoft.com, or leave it out")
	}
	order := map[string]string{}
	for key, value := range map[string]string{"user": u.name, "tenant": c.Flags.TenantID, "clientId": c.Flags.ClientID} {
		if value != "" {
			order[key] = value
		}
	}
	answer, err := u.control.Call(ctx, http.MethodPost, "/tokens", order)
	if err != nil {
		return err
	}
	var token tokenOutput
	if err := json.Unmarshal(answer, &token); err != nil || token.AccessToken == "" {
		return fmt.Errorf("the answer has no token: check that --control is the control plane of a server of this version")
	}
	return call.Tell(answer, token.print)
}
