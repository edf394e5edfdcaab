package main

import (
	"github.com/spf13/cobra"

	"github.com/partnercenter-go/partnercenter"
)

func newCustomersCmd(app *app) *cobra.Command {
	var c connection
	cmd := newGroupCmd("customers", "Customers of the partner", newCustomersListCmd(app, &c), newCustomersGetCmd(app, &c), newCustomersProfileCmd(app, &c),
		newCustomersConsentCmd(app, &c), newCustomersWithdrawConsentCmd(app, &c))
	cmd.Aliases = []string{"customer"}
	c.addFlags(app, cmd)
	return cmd
}

// customerFilters are the flags that narrow a list, by what the service can
// search: one field at a time.
var customerFilters = []struct {
	flag, usage string
	field       partnercenter.CustomerSearchField
}{
	{"name", "only customers whose company name starts with `text`", partnercenter.CustomerSearchCompanyName},
	{"domain", "only customers whose domain starts with `text`", partnercenter.CustomerSearchDomain},
	{"indirect-reseller", "only customers of this indirect reseller's tenant `id`", partnercenter.CustomerSearchIndirectReseller},
	{"indirect-provider", "only customers of this indirect provider's tenant `id`", partnercenter.CustomerSearchIndirectCloudSolutionProvider},
}

func newCustomersListCmd(app *app, c *connection) *cobra.Command {
	var (
		output     outputOptions
		size       int
		allowShort bool
		filters    = make([]string, len(customerFilters))
		names      []string
	)
	for _, filter := range customerFilters {
		names = append(names, filter.flag)
	}
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the partner's customers",
		Long:  "List the partner's customers: all of them, page by page, or those that a filter finds." + outputHelp(customerCSVColumns),
		Example: `  partnercenter customers list
  partnercenter customers list --name "Northwind" -o wide
  partnercenter customers list -o jsonl | jq -r .id`,
		Args:              noArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		PreRunE:           firstOf(exclusive(names...), exclusive("output", "json")),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if size < 0 {
				return usageErrorf("--size %d is negative: 0 takes the default", size)
			}
			query := partnercenter.CustomersQuery{Size: size}
			for i, f := range customerFilters {
				if filters[i] != "" {
					query.Filter = &partnercenter.FieldFilter{Field: f.field, Value: filters[i], Operator: partnercenter.FilterStartsWith}
				}
			}
			p, err := newPrinter(app, &output, customersView)
			if err != nil {
				return err
			}
			pc, err := c.client(app, allowShort)
			if err != nil {
				return err
			}
			for customer, err := range pc.Customers.QueryAll(cmd.Context(), query) {
				if err != nil {
					return err
				}
				if err := p.add(customer); err != nil {
					return err
				}
			}
			return p.end()
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	for i, filter := range customerFilters {
		f.StringVar(&filters[i], filter.flag, "", filter.usage)
		_ = cmd.RegisterFlagCompletionFunc(filter.flag, cobra.NoFileCompletions)
	}
	f.IntVar(&size, "size", partnercenter.DefaultPageSize, "how many customers to ask for at once; all are listed")
	f.BoolVar(&allowShort, "allow-short", false, "take answers that carry fewer items than they count, instead of failing")
	output.addFlags(cmd)
	return cmd
}

func newCustomersGetCmd(app *app, c *connection) *cobra.Command {
	var output outputOptions
	cmd := &cobra.Command{
		Use:   "get CUSTOMER",
		Short: "Show a customer",
		Long:  "Show a customer by its tenant id. JSON has the billing profile, too.",
		Example: `  partnercenter customers get b0d70a69-4c42-4b27-b17b-91a835d8686a
  partnercenter customers get ID --json | jq .billingProfile`,
		Args:              oneArg("customer id"),
		ValidArgsFunction: cobra.NoFileCompletions,
		PreRunE:           exclusive("output", "json"),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := newPrinter(app, &output, customersView)
			if err != nil {
				return err
			}
			pc, err := c.client(app, false)
			if err != nil {
				return err
			}
			customer, err := pc.Customers.ByID(args[0]).Get(cmd.Context())
			if err != nil {
				return err
			}
			return printOne(p, customer)
		},
	}
	output.addFlags(cmd)
	return cmd
}

var customersView = view[*partnercenter.Customer]{
	plural:   "customers",
	resource: func(c *partnercenter.Customer) any { return c },
	table: layout[*partnercenter.Customer]{
		columns: []string{"CUSTOMER ID", "NAME", "DOMAIN", "RELATIONSHIP"},
		gives:   []int{1, 2},
		rows: func(c *partnercenter.Customer) [][]string {
			return [][]string{{c.ID, companyName(c), domain(c), string(c.RelationshipToPartner)}}
		},
	},
	wide: layout[*partnercenter.Customer]{
		columns: []string{"CUSTOMER ID", "NAME", "DOMAIN", "RELATIONSHIP", "INDIRECT RESELLER", "COMMERCE ID"},
		rows: func(c *partnercenter.Customer) [][]string {
			return [][]string{{c.ID, companyName(c), domain(c), string(c.RelationshipToPartner), c.AssociatedPartnerID, c.CommerceID}}
		},
	},
	csv: layout[*partnercenter.Customer]{
		columns: customerCSVColumns,
		rows: func(c *partnercenter.Customer) [][]string {
			return [][]string{{c.ID, companyName(c), domain(c), string(c.RelationshipToPartner), c.AssociatedPartnerID, c.CommerceID}}
		},
	},
}

// customerCSVColumns are documented: add at the end only.
var customerCSVColumns = []string{"customerId", "companyName", "domain", "relationshipToPartner", "associatedPartnerId", "commerceId"}

func companyName(c *partnercenter.Customer) string {
	if c.CompanyProfile == nil {
		return ""
	}
	return c.CompanyProfile.CompanyName
}

func domain(c *partnercenter.Customer) string {
	if c.CompanyProfile == nil {
		return ""
	}
	return c.CompanyProfile.Domain
}

func newCustomersProfileCmd(app *app, c *connection) *cobra.Command {
	var (
		output  outputOptions
		billing bool
	)
	cmd := &cobra.Command{
		Use:   "profile CUSTOMER",
		Short: "Show a customer's company or billing profile",
		Long: `Show what the directory knows of a customer or, with --billing, where and how it is
billed. Microsoft's service wants a user in the token for the company profile.`,
		Example: `  partnercenter customers profile ID
  partnercenter customers profile ID --billing --json`,
		Args:              oneArg("customer id"),
		ValidArgsFunction: cobra.NoFileCompletions,
		PreRunE:           exclusive("output", "json"),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := newPrinter(app, &output, profileView)
			if err != nil {
				return err
			}
			pc, err := c.client(app, false)
			if err != nil {
				return err
			}
			profiles := pc.Customers.ByID(args[0]).Profiles
			if billing {
				profile, err := profiles.Billing.Get(cmd.Context())
				if err != nil {
					return err
				}
				return printOne(p, customerProfile{name: profile.CompanyName, email: profile.Email, address: profile.DefaultAddress, resource: profile})
			}
			profile, err := profiles.Company.Get(cmd.Context())
			if err != nil {
				return err
			}
			return printOne(p, customerProfile{profile.CompanyName, profile.Domain, profile.Email, profile.Address, profile})
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.BoolVar(&billing, "billing", false, "show the billing profile")
	output.addFlags(cmd)
	return cmd
}

// customerProfile is what both kinds of profile tell.
type customerProfile struct {
	name, domain, email string
	address             *partnercenter.Address
	resource            any
}

var profileView = func() view[customerProfile] {
	v := oneLayout("profiles", []string{"NAME", "DOMAIN", "EMAIL", "ADDRESS", "CITY", "POSTAL CODE", "COUNTRY"},
		[]string{"companyName", "domain", "email", "addressLine1", "city", "postalCode", "country"},
		func(p customerProfile) [][]string {
			a := p.address
			if a == nil {
				a = new(partnercenter.Address)
			}
			return [][]string{{p.name, p.domain, p.email, a.AddressLine1, a.City, a.PostalCode, a.Country}}
		})
	v.resource = func(p customerProfile) any { return p.resource }
	return v
}()
