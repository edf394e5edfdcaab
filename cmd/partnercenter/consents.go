package main

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/guid"
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
		return nil, usageErrorf("--grant %q names no permissions: write it like graph=Directory.Read.All,User.Read", text)
	}
	for _, known := range consentAPIs {
		if strings.EqualFold(known.name, api) {
			api = known.id
		}
	}
	if !guid.Is(api) {
		return nil, usageErrorf("--grant %q: there is no API %q: use graph, azure, directory, or the API's application id", text, api)
	}
	return &partnercenter.ApplicationGrant{EnterpriseApplicationID: api, Scope: scope}, nil
}

func newCustomersConsentCmd(app *app, c *connection) *cobra.Command {
	var (
		output         outputOptions
		write          writeOptions
		appID, appName string
		grants         []string
	)
	cmd := &cobra.Command{
		Use:   "consent CUSTOMER --app ID --grant API=SCOPES",
		Short: "Consent for a customer that an application acts in its tenant",
		Long: `Consent for a customer that an application, usually a control panel vendor's,
acts in the customer's tenant on behalf of the partner's users. It replaces an
earlier consent to the same application, and wants a user who is an admin agent.` + writeHelp,
		Example: `  partnercenter customers consent CUSTOMER --app ID --grant graph=Directory.Read.All,User.Read
  partnercenter customers consent CUSTOMER --app ID --grant azure=user_impersonation --yes`,
		Args:              oneArg("customer id"),
		ValidArgsFunction: cobra.NoFileCompletions,
		PreRunE:           exclusive("output", "json"),
		RunE: func(cmd *cobra.Command, args []string) error {
			consent := &partnercenter.ApplicationConsent{ApplicationID: appID, DisplayName: appName}
			for _, text := range grants {
				grant, err := parseGrant(text)
				if err != nil {
					return err
				}
				consent.ApplicationGrants = append(consent.ApplicationGrants, grant)
			}
			if appID == "" || len(grants) == 0 {
				return usageErrorf("a consent needs --app and --grant: name the application, and what it may use")
			}
			p, err := newPrinter(app, &output, consentsView)
			if err != nil {
				return err
			}
			change := &change{what: "consent to an application", question: "Consent to this application?"}
			change.add("application", strings.TrimSpace(appName+" "+appID))
			change.add("may use", strings.Join(grants, " "))
			var result *partnercenter.ApplicationConsent
			done, err := changeConsent(cmd.Context(), app, c, &write, args[0], change, func(ctx context.Context, consents *partnercenter.ApplicationConsentsClient) error {
				result, err = consents.Create(ctx, consent)
				return err
			})
			if !done {
				return err
			}
			return printOne(p, result)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&appID, "app", "", "client `id` of the application")
	f.StringVar(&appName, "app-name", "", "`name` of the application, for people")
	f.StringArrayVar(&grants, "grant", nil, "an API and the permissions for it, like `graph=Directory.Read.All,User.Read`; the API is graph, azure, directory or an application id; may be repeated")
	write.addFlags(cmd)
	output.addFlags(cmd)
	return cmd
}

func newCustomersWithdrawConsentCmd(app *app, c *connection) *cobra.Command {
	var (
		write writeOptions
		appID string
	)
	cmd := &cobra.Command{
		Use:   "withdraw-consent CUSTOMER --app ID",
		Short: "Take a customer's consent to an application back",
		Long: `Take a customer's consent to an application back. Tokens that the application has
live to their end.` + writeHelp,
		Example:           "  partnercenter customers withdraw-consent CUSTOMER --app ID",
		Args:              oneArg("customer id"),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			if appID == "" {
				return usageErrorf("--app is missing: name the application whose consent is taken back")
			}
			change := &change{what: "take a consent back", question: "Take this consent back?"}
			change.add("application", appID)
			_, err := changeConsent(cmd.Context(), app, c, &write, args[0], change, func(ctx context.Context, consents *partnercenter.ApplicationConsentsClient) error {
				return consents.ByID(appID).Delete(ctx)
			})
			return err
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&appID, "app", "", "client `id` of the application")
	write.addFlags(cmd)
	return cmd
}

// changeConsent makes a change of a customer's consents, once it is confirmed.
func changeConsent(ctx context.Context, app *app, c *connection, o *writeOptions, customerID string, change *change, do func(context.Context, *partnercenter.ApplicationConsentsClient) error) (done bool, err error) {
	w, err := newWriter(app, c, o, false)
	if err != nil {
		return false, err
	}
	if err := w.describeCustomer(ctx, change, customerID); err != nil {
		return false, err
	}
	if err := w.confirm(ctx, change); err != nil {
		return false, err
	}
	return w.do(ctx, change, func(ctx context.Context) error {
		return do(ctx, w.pc.Customers.ByID(customerID).ApplicationConsents)
	})
}

var consentsView = oneLayout("consents", []string{"APPLICATION ID", "NAME", "API", "PERMISSIONS"}, []string{"applicationId", "displayName", "enterpriseApplicationId", "scope"},
	func(c *partnercenter.ApplicationConsent) [][]string {
		var rows [][]string
		for _, grant := range c.ApplicationGrants {
			rows = append(rows, []string{c.ApplicationID, c.DisplayName, grant.EnterpriseApplicationID, grant.Scope})
		}
		return rows
	})
