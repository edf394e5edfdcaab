package main

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/spf13/cobra"
)

// tokenOutput is what token -o json prints.
type tokenOutput struct {
	AccessToken string    `json:"accessToken"`
	ExpiresOn   time.Time `json:"expiresOn"`
	TenantID    string    `json:"tenantId,omitempty"` // when the settings name it
	Scopes      []string  `json:"scopes"`
}

func newTokenCmd(app *app) *cobra.Command {
	var (
		c      connection
		format string
		asJSON bool
	)
	cmd := &cobra.Command{
		Use:   "token",
		Short: "Print an access token",
		Long: `Sign in and print the access token alone, for curl and other tools.

Whoever has the token can act as the app until it expires: keep it out of files
and logs.`,
		Example: `  curl -H "Authorization: Bearer $(partnercenter token)" \
    https://api.partnercenter.microsoft.com/v1/customers
  partnercenter token --profile local -o json | jq -r .expiresOn`,
		Args:              noArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		PreRunE:           exclusive("output", "json"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if asJSON {
				format = formatJSON
			}
			if err := oneOf("output", format, "text", formatJSON); err != nil {
				return err
			}
			s, err := c.service(app)
			if err != nil {
				return err
			}
			token, err := s.cred.GetToken(cmd.Context(), policy.TokenRequestOptions{Scopes: s.scopes})
			if err != nil {
				return err
			}
			if format != formatJSON {
				_, err := fmt.Fprintln(app.stdout, token.Token)
				return err
			}
			data, err := json.MarshalIndent(tokenOutput{
				AccessToken: token.Token, ExpiresOn: token.ExpiresOn.UTC().Truncate(time.Second),
				TenantID: s.tenantID, Scopes: s.scopes,
			}, "", "  ")
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(app.stdout, "%s\n", data)
			return err
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVarP(&format, "output", "o", "text", "`format`: text (the token alone) or json")
	f.BoolVar(&asJSON, "json", false, "same as -o json")
	registerValues(cmd, "output", "text", formatJSON)
	c.addFlags(app, cmd)
	return cmd
}
