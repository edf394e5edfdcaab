package api

import (
	"context"
	"strings"

	"github.com/partnercenter-go/partnercenter/internal/guid"

	"github.com/spf13/cobra"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/command"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
)

// consentAPIs are short names of the APIs that apps use in customers' tenants,
// for their application ids.
var consentAPIs = []struct{ name, id string }{
	{"graph", "00000003-0000-0000-c000-000000000000"},     // Microsoft Graph
	{"azure", "797f4846-ba00-4fd7-ba43-dac1f8f63013"},     // Azure Resource Manager
	{"directory", "00000002-0000-0000-c000-000000000000"}, // Azure AD Graph
}

// parseGrant reads API=SCOPES.
func parseGrant(text string) (*partnercenter.ApplicationGrant, error) {
	api, scope, ok := strings.Cut(text, "=")
	if !ok || scope == "" {
		return nil, terminal.Usagef("--grant %q names no permissions: write it like graph=Directory.Read.All,User.Read", text)
	}
	for _, known := range consentAPIs {
		if strings.EqualFold(known.name, api) {
			api = known.id
		}
	}
	if !guid.Is(api) {
		return nil, terminal.Usagef("--grant %q: there is no API %q: use graph, azure, directory, or the API's application id", text, api)
	}
	return &partnercenter.ApplicationGrant{EnterpriseApplicationID: api, Scope: scope}, nil
}

func customersConsent() command.Form {
	var (
		consent partnercenter.ApplicationConsent
		grants  []string
	)
	return command.Change(command.Spec{
		Use: "consent CUSTOMER --app ID --grant API=SCOPES", Arg: "customer id", CustomerArg: true,
		Short: "Consent for a customer that an application acts in its tenant",
		Long: `Consent for a customer that an application, usually a control panel vendor's,
acts in the customer's tenant on behalf of the partner's users. It replaces an
earlier consent to the same application, and wants a user who is an admin agent.`,
		Example: `  partnercenter customers consent CUSTOMER --app ID --grant graph=Directory.Read.All,User.Read
  partnercenter customers consent CUSTOMER --app ID --grant azure=user_impersonation --yes`,
		Flags: func(cmd *cobra.Command) {
			f := cmd.Flags()
			f.StringVar(&consent.ApplicationID, "app", "", "client `id` of the application")
			f.StringVar(&consent.DisplayName, "app-name", "", "`name` of the application, for people")
			f.StringArrayVar(&grants, "grant", nil, "an API and the permissions for it, like `graph=Directory.Read.All,User.Read`; the API is graph, azure, directory or an application id; may be repeated")
		},
		Check: func(*command.Call) error {
			for _, text := range grants {
				grant, err := parseGrant(text)
				if err != nil {
					return err
				}
				consent.ApplicationGrants = append(consent.ApplicationGrants, *grant)
			}
			if consent.ApplicationID == "" || len(grants) == 0 {
				return terminal.Usagef("a consent needs --app and --grant: name the application, and what it may use")
			}
			return nil
		},
	}, consentsView, command.Plan{
		What: "consent to an application", Question: "Consent to this application?",
		Describe: func(_ context.Context, _ *command.Call, p *command.Plan) error {
			p.Add("application", strings.TrimSpace(consent.DisplayName+" "+consent.ApplicationID))
			p.Add("may use", strings.Join(grants, " "))
			return nil
		},
	}, func(ctx context.Context, call *command.Call) (*partnercenter.ApplicationConsent, error) {
		return call.Customer.ApplicationConsents.Create(ctx, &consent)
	})
}

func customersWithdrawConsent() command.Form {
	var app string
	return command.Change(command.Spec{
		Use: "withdraw-consent CUSTOMER --app ID", Arg: "customer id", CustomerArg: true,
		Short: "Take a customer's consent to an application back",
		Long: `Take a customer's consent to an application back. Tokens that the application has
live to their end.`,
		Example: "  partnercenter customers withdraw-consent CUSTOMER --app ID",
		Flags:   func(cmd *cobra.Command) { cmd.Flags().StringVar(&app, "app", "", "client `id` of the application") },
		Check: func(*command.Call) error {
			if app == "" {
				return terminal.Usagef("--app is missing: name the application whose consent is taken back")
			}
			return nil
		},
	}, (*terminal.View[struct{}])(nil), command.Plan{
		What: "take a consent back", Question: "Take this consent back?",
		Describe: func(_ context.Context, _ *command.Call, p *command.Plan) error {
			p.Add("application", app)
			return nil
		},
	}, func(ctx context.Context, call *command.Call) (none struct{}, err error) {
		return none, call.Customer.ApplicationConsents.ByID(app).Delete(ctx)
	})
}

var consentsView = &terminal.View[*partnercenter.ApplicationConsent]{
	Plural: "consents",
	Table:  consentsLayout("APPLICATION ID", "NAME", "API", "PERMISSIONS"),
	Wide:   consentsLayout("APPLICATION ID", "NAME", "API", "PERMISSIONS"),
	CSV:    consentsLayout("applicationId", "displayName", "enterpriseApplicationId", "scope"),
}

// consentsLayout has a row for every API.
func consentsLayout(columns ...string) terminal.Layout[*partnercenter.ApplicationConsent] {
	return terminal.Layout[*partnercenter.ApplicationConsent]{Columns: columns, Rows: func(c *partnercenter.ApplicationConsent) [][]string {
		var rows [][]string
		for _, grant := range c.ApplicationGrants {
			rows = append(rows, []string{c.ApplicationID, c.DisplayName, grant.EnterpriseApplicationID, grant.Scope})
		}
		return rows
	}}
}
