package api

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/command"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/guid"
)

// consentAPIs maps short names of APIs that apps use in customers' tenants to
// the APIs' application ids.
var consentAPIs = []struct{ name, id string }{
	{"graph", "00000003-0000-0000-c000-000000000000"},     // Microsoft Graph
	{"azure", "797f4846-ba00-4fd7-ba43-dac1f8f63013"},     // Azure Resource Manager
	{"directory", "00000002-0000-0000-c000-000000000000"}, // Azure AD Graph
}

// parseGrant parses API=SCOPES.
func parseGrant(text string) (*partnercenter.ApplicationGrant, error) {
	api, scope, ok := strings.Cut(text, "=")
	if !ok || scope == "" {
		return nil, terminal.Usagef("--grant %q names no permissions: write it like graph=Directory.Read.All,User.Read", text)
	}
	for _, known := range consentAPIs {
		if ascii.EqualFold(known.name, api) {
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
		Use: "consent CUSTOMER --app ID --grant API=SCOPES", Arg: "customer", CustomerArg: true,
		Short: "Consent to an application on behalf of a customer",
		Long: `Consent, on behalf of a customer, to an application, usually a control panel
vendor's, acting in the customer's tenant for the partner's users. For an API that
has a consent already, withdraw it first: withdraw-consent. It requires a user who is
an admin agent.`,
		Example: `  partnercenter customers consent CUSTOMER --app ID --grant graph=Directory.Read.All,User.Read
  partnercenter customers consent CUSTOMER --app ID --grant azure=user_impersonation --yes`,
		Flags: func(cmd *cobra.Command) {
			f := cmd.Flags()
			f.StringVar(&consent.ApplicationID, "app", "", "client `id` of the application")
			f.StringVar(&consent.DisplayName, "app-name", "", "display `name` of the application")
			f.StringArrayVar(&grants, "grant", nil, "an API and permissions for it, such as `graph=Directory.Read.All,User.Read`; the API is graph, azure, directory or an application id; may be repeated")
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
				return terminal.Usagef("--app and --grant are required: give the application, and what it may use")
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
	}, func(ctx context.Context, call *command.Call) (consentGrant, error) {
		given, err := call.Customer.ApplicationConsents.Create(ctx, &consent)
		return consentGrant{consent: given}, err
	})
}

func customersWithdrawConsent() command.Form {
	var app string
	return command.Change(command.Spec{
		Use: "withdraw-consent CUSTOMER --app ID", Arg: "customer", CustomerArg: true,
		Short: "Revoke a customer's consent to an application",
		Long: `Revoke a customer's consent to an application. Tokens that the application already
has remain valid until they expire.`,
		Example: "  partnercenter customers withdraw-consent CUSTOMER --app ID",
		Flags:   func(cmd *cobra.Command) { cmd.Flags().StringVar(&app, "app", "", "client `id` of the application") },
		Check: func(*command.Call) error {
			if app == "" {
				return terminal.Usagef("--app is missing: give the application whose consent is to be revoked")
			}
			return nil
		},
	}, (*terminal.View[struct{}])(nil), command.Plan{
		What: "revoke a consent", Question: "Revoke this consent?",
		Describe: func(_ context.Context, _ *command.Call, p *command.Plan) error {
			p.Add("application", app)
			return nil
		},
	}, func(ctx context.Context, call *command.Call) (none struct{}, err error) {
		return none, call.Customer.ApplicationConsents.ByID(app).Delete(ctx)
	})
}

// consentsView has a row for each API.
var consentsView = &terminal.View[consentGrant]{
	Plural:   "consents",
	Rows:     eachGrant,
	Resource: func(c consentGrant) any { return c.consent },
	Columns: []terminal.Column[consentGrant]{
		{Name: "applicationId", Kind: terminal.ID, Value: func(c consentGrant) any { return c.consent.ApplicationID }},
		{Name: "displayName", Header: "NAME", Value: func(c consentGrant) any { return c.consent.DisplayName }},
		{Name: "enterpriseApplicationId", Header: "API", Kind: terminal.ID, PerRow: true, Value: func(c consentGrant) any { return c.grant.EnterpriseApplicationID }},
		{Name: "scope", Header: "PERMISSIONS", PerRow: true, Value: func(c consentGrant) any { return c.grant.Scope }},
	},
}

// consentGrant is a consent, or what it grants of one API.
type consentGrant struct {
	consent *partnercenter.ApplicationConsent
	grant   partnercenter.ApplicationGrant
}

func eachGrant(c consentGrant) []consentGrant {
	rows := make([]consentGrant, len(c.consent.ApplicationGrants))
	for i, grant := range c.consent.ApplicationGrants {
		rows[i] = consentGrant{c.consent, grant}
	}
	return rows
}
