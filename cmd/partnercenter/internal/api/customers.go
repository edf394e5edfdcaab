package api

import (
	"context"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/text/unicode/norm"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/command"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
)

// Customers returns the commands about customers.
func Customers(term *terminal.Terminal) *cobra.Command {
	return command.Noun(term, "customers", "customer", "Customers of the partner", append([]command.Form{
		customersList(),
		command.Get(command.Spec{
			Use: "get CUSTOMER", Arg: "customer", CustomerArg: true, Short: "Show a customer",
			Long: "Show a customer by its tenant id, name or domain. JSON output includes the billing profile.",
			Example: `  partnercenter customers get b0d70a69-4c42-4b27-b17b-91a835d8686a
  partnercenter customers get ID --json | jq .billingProfile`,
		}, customersView, func(ctx context.Context, call *command.Call) (*partnercenter.Customer, error) {
			return call.Customer.Get(ctx)
		}),
		customersProfile(), entitlements(), customersConsent(), customersWithdrawConsent(),
	}, productUpgrades()...)...)
}

// customerFilters are the flags for filtering a list. The service can search
// one field at a time.
var customerFilters = []struct {
	flag, usage string
	field       partnercenter.CustomerSearchField
}{
	{"name", "only customers whose company name starts with `text`", partnercenter.CustomerSearchFieldCompanyName},
	{"domain", "only customers whose domain starts with `text`", partnercenter.CustomerSearchFieldDomain},
	{"indirect-reseller", "only customers of this indirect reseller's tenant `id`", partnercenter.CustomerSearchFieldIndirectReseller},
	{"indirect-provider", "only customers of this indirect provider's tenant `id`", partnercenter.CustomerSearchFieldIndirectCloudSolutionProvider},
}

func customersList() command.Form {
	var (
		query   partnercenter.CustomersQuery
		filters = make([]string, len(customerFilters))
		names   []string
	)
	for _, filter := range customerFilters {
		names = append(names, filter.flag)
	}
	return command.List(command.Spec{
		Use: "list", Short: "List the partner's customers",
		Long: "List the partner's customers: all of them, page by page, or those that match a filter." + terminal.OutputHelp(customersView.CSVColumns()),
		Example: `  partnercenter customers list
  partnercenter customers list --name "Northwind" -o wide
  partnercenter customers list -o jsonl | jq -r .id`,
		Flags: func(cmd *cobra.Command) {
			f := cmd.Flags()
			for i, filter := range customerFilters {
				f.StringVar(&filters[i], filter.flag, "", filter.usage)
			}
			f.IntVar(&query.Size, "size", partnercenter.DefaultPageSize, "customers per request; all are listed")
		},
		Exclusive: [][]string{names}, AllowShort: true,
		Check: func(*command.Call) error {
			if query.Size < 0 {
				return terminal.Usagef("--size %d is negative: 0 means the default", query.Size)
			}
			return nil
		},
	}, customersView, func(ctx context.Context, call *command.Call) iter.Seq2[*partnercenter.Customer, error] {
		call.Stream = true
		for i, f := range customerFilters {
			if filters[i] != "" {
				query.Filter = &partnercenter.FieldFilter{Field: f.field, Value: norm.NFC.String(filters[i]), Operator: partnercenter.FilterOperatorStartsWith}
			}
		}
		return call.Client.Customers.QueryAll(ctx, query)
	})
}

var customersView = &terminal.View[*partnercenter.Customer]{
	Plural: "customers",
	Detail: customerDetail,
	Columns: []terminal.Column[*partnercenter.Customer]{
		{Name: "customerId", Kind: terminal.ID, Value: func(c *partnercenter.Customer) any { return c.ID }},
		{Name: "companyName", Header: "NAME", Value: func(c *partnercenter.Customer) any { return terminal.OrZero(c.CompanyProfile).CompanyName }},
		{Name: "domain", Rank: 2, Value: func(c *partnercenter.Customer) any { return terminal.OrZero(c.CompanyProfile).Domain }},
		{Name: "relationshipToPartner", Header: "RELATIONSHIP", Kind: terminal.State, Rank: 3, Value: func(c *partnercenter.Customer) any { return c.RelationshipToPartner }},
		{Name: "associatedPartnerId", Header: "INDIRECT RESELLER", Shown: terminal.OnlyWide, Kind: terminal.ID, Value: func(c *partnercenter.Customer) any { return c.AssociatedPartnerID }},
		{Name: "commerceId", Shown: terminal.OnlyWide, Kind: terminal.ID, Value: func(c *partnercenter.Customer) any { return c.CommerceID }},
	},
}

// customerDetail describes a customer with its billing profile, if it is known.
func customerDetail(c *partnercenter.Customer, _ time.Time) []terminal.Fact {
	var facts terminal.Facts
	company, billing := terminal.OrZero(c.CompanyProfile), terminal.OrZero(c.BillingProfile)
	facts.Add("customer", c.ID)
	facts.Add("name", company.CompanyName)
	facts.Add("domain", company.Domain)
	facts.Add("relationship", string(c.RelationshipToPartner))
	facts.Add("indirect reseller", c.AssociatedPartnerID)
	facts.Add("commerce id", c.CommerceID)
	facts.Add("delegated access", terminal.YesNo(c.AllowDelegatedAccess))
	facts.Add("other domains", strings.Join(c.CustomDomains, ", "))
	facts.Add("billed to", billing.CompanyName)
	facts.Add("email", billing.Email)
	facts.Add("language", billing.Language)
	address := terminal.OrZero(billing.DefaultAddress)
	facts.Add("address", join(", ", address.AddressLine1, address.AddressLine2, join(" ", address.PostalCode, address.City), address.State, address.Country))
	facts.Add("contact", join(" ", billing.FirstName, billing.LastName))
	links := terminal.OrZero(c.Links)
	addLinks(&facts, "links", link{"self", links.Self})
	return facts
}

// join joins the texts that are not empty.
func join(separator string, texts ...string) string {
	return strings.Join(slices.DeleteFunc(texts, func(text string) bool { return text == "" }), separator)
}

func customersProfile() command.Form {
	var billing bool
	return command.Get(command.Spec{
		Use: "profile CUSTOMER", Arg: "customer", CustomerArg: true, Short: "Show a customer's company or billing profile",
		Long: `Show a customer's company profile or, with --billing, its billing profile.
Microsoft's service requires a token with a user for the company profile.`,
		Example: `  partnercenter customers profile ID
  partnercenter customers profile ID --billing --json`,
		Flags: func(cmd *cobra.Command) { cmd.Flags().BoolVar(&billing, "billing", false, "show the billing profile") },
	}, profileView, func(ctx context.Context, call *command.Call) (customerProfile, error) {
		profiles := call.Customer.Profiles
		if billing {
			profile, err := profiles.Billing.Get(ctx)
			if err != nil {
				return customerProfile{}, err
			}
			return customerProfile{name: profile.CompanyName, email: profile.Email, address: profile.DefaultAddress, resource: profile}, nil
		}
		profile, err := profiles.Company.Get(ctx)
		if err != nil {
			return customerProfile{}, err
		}
		return customerProfile{profile.CompanyName, profile.Domain, profile.Email, profile.Address, profile}, nil
	})
}

// customerProfile has the fields of both kinds of profile.
type customerProfile struct {
	name, domain, email string
	address             *partnercenter.Address
	resource            any
}

var profileView = &terminal.View[customerProfile]{
	Plural:   "profiles",
	Resource: func(p customerProfile) any { return p.resource },
	Columns: []terminal.Column[customerProfile]{
		{Name: "companyName", Header: "NAME", Value: func(p customerProfile) any { return p.name }},
		{Name: "domain", Value: func(p customerProfile) any { return p.domain }},
		{Name: "email", Value: func(p customerProfile) any { return p.email }},
		{Name: "addressLine1", Header: "ADDRESS", Value: func(p customerProfile) any { return terminal.OrZero(p.address).AddressLine1 }},
		{Name: "city", Value: func(p customerProfile) any { return terminal.OrZero(p.address).City }},
		{Name: "postalCode", Value: func(p customerProfile) any { return terminal.OrZero(p.address).PostalCode }},
		{Name: "country", Value: func(p customerProfile) any { return terminal.OrZero(p.address).Country }},
	},
}
