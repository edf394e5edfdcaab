package main

import (
	"iter"
	"strings"

	"github.com/spf13/cobra"

	"github.com/partnercenter-go/partnercenter"
)

func newOffersCmd(app *app) *cobra.Command {
	var c connection
	cmd := newGroupCmd("offers", "Legacy offers of a country", newOffersListCmd(app, &c), newOffersGetCmd(app, &c),
		newOffersAddOnsCmd(app, &c), newOffersCategoriesCmd(app, &c))
	cmd.Aliases = []string{"offer"}
	c.addFlags(app, cmd)
	return cmd
}

func newOffersListCmd(app *app, c *connection) *cobra.Command {
	var (
		market   marketOptions
		output   outputOptions
		category string
	)
	cmd := &cobra.Command{
		Use:   "list {--country CC | --customer ID}",
		Short: "List the legacy offers of a country or for a customer",
		Long:  "List the legacy offers of a country, or of a customer's, by rank. Add-ons are among\nthem; offers that are retired are not." + outputHelp(offerCSVColumns),
		Example: `  partnercenter offers list --country US
  partnercenter offers list --customer ID --category SmallBusiness_Key -o wide
  partnercenter offers list --country DE -o jsonl | jq -r .id`,
		Args:              noArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		PreRunE:           firstOf(exclusive("country", "customer"), exclusive("output", "json")),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := market.check("offers", true); err != nil {
				return err
			}
			return printAll(app, c, &output, offersView, func(pc *partnercenter.Client) iter.Seq2[*partnercenter.Offer, error] {
				if market.customer != "" {
					return pc.Customers.ByID(market.customer).Offers.ByCategory(category).All(cmd.Context())
				}
				return pc.Offers.ByCountry(market.country).ByCategory(category).All(cmd.Context())
			})
		},
	}
	cmd.Flags().SortFlags = false
	market.addFlags(cmd, true)
	cmd.Flags().StringVar(&category, "category", "", "only offers of the category with this `id`")
	_ = cmd.RegisterFlagCompletionFunc("category", cobra.NoFileCompletions)
	output.addFlags(cmd)
	return cmd
}

// printAll prints the items of a list.
func printAll[T any](app *app, c *connection, output *outputOptions, v view[T], list func(*partnercenter.Client) iter.Seq2[T, error]) error {
	p, err := newPrinter(app, output, v)
	if err != nil {
		return err
	}
	pc, err := c.client(app, false)
	if err != nil {
		return err
	}
	items, err := collect(list(pc))
	if err != nil {
		return err
	}
	for _, item := range items {
		if err := p.add(item); err != nil {
			return err
		}
	}
	return p.end()
}

// printGot prints one item.
func printGot[T any](app *app, c *connection, output *outputOptions, v view[T], get func(*partnercenter.Client) (T, error)) error {
	p, err := newPrinter(app, output, v)
	if err != nil {
		return err
	}
	pc, err := c.client(app, false)
	if err != nil {
		return err
	}
	item, err := get(pc)
	if err != nil {
		return err
	}
	return printOne(p, item)
}

func newOffersGetCmd(app *app, c *connection) *cobra.Command {
	var (
		market marketOptions
		output outputOptions
	)
	cmd := &cobra.Command{
		Use:   "get OFFER --country CC",
		Short: "Show a legacy offer",
		Long:  "Show a legacy offer by its id, in any case, as it is sold in a country.",
		Example: `  partnercenter offers get MS-AZR-0145P --country US
  partnercenter offers get OFFER --country DE --json | jq .supportedBillingCycles`,
		Args:              oneArg("offer id"),
		ValidArgsFunction: cobra.NoFileCompletions,
		PreRunE:           exclusive("output", "json"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := market.check("sold", false); err != nil {
				return err
			}
			return printGot(app, c, &output, offersView, func(pc *partnercenter.Client) (*partnercenter.Offer, error) {
				return pc.Offers.ByCountry(market.country).ByID(args[0]).Get(cmd.Context())
			})
		},
	}
	cmd.Flags().SortFlags = false
	market.addFlags(cmd, false)
	output.addFlags(cmd)
	return cmd
}

func newOffersAddOnsCmd(app *app, c *connection) *cobra.Command {
	var (
		market marketOptions
		output outputOptions
	)
	cmd := &cobra.Command{
		Use:   "addons OFFER --country CC",
		Short: "List the add-ons of a legacy offer",
		Long:  "List the offers that can be bought under an offer, in a country." + outputHelp(offerCSVColumns),
		Example: `  partnercenter offers addons 195416C1-3447-423A-B37B-EE59A99A19C4 --country US
  partnercenter offers addons OFFER --country DE -o csv`,
		Args:              oneArg("offer id"),
		ValidArgsFunction: cobra.NoFileCompletions,
		PreRunE:           exclusive("output", "json"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := market.check("add-ons", false); err != nil {
				return err
			}
			return printAll(app, c, &output, offersView, func(pc *partnercenter.Client) iter.Seq2[*partnercenter.Offer, error] {
				return pc.Offers.ByCountry(market.country).ByID(args[0]).AddOns.All(cmd.Context())
			})
		},
	}
	cmd.Flags().SortFlags = false
	market.addFlags(cmd, false)
	output.addFlags(cmd)
	return cmd
}

func newOffersCategoriesCmd(app *app, c *connection) *cobra.Command {
	var (
		market marketOptions
		output outputOptions
	)
	cmd := &cobra.Command{
		Use:   "categories {--country CC | --customer ID}",
		Short: "List the categories of legacy offers",
		Long:  "List the categories of legacy offers, by rank." + outputHelp(categoryCSVColumns),
		Example: `  partnercenter offers categories --country US
  partnercenter offers categories --customer ID --json`,
		Args:              noArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		PreRunE:           firstOf(exclusive("country", "customer"), exclusive("output", "json")),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := market.check("categories", true); err != nil {
				return err
			}
			return printAll(app, c, &output, categoriesView, func(pc *partnercenter.Client) iter.Seq2[*partnercenter.OfferCategory, error] {
				if market.customer != "" {
					return pc.Customers.ByID(market.customer).OfferCategories.All(cmd.Context())
				}
				return pc.OfferCategories.ByCountry(market.country).All(cmd.Context())
			})
		},
	}
	cmd.Flags().SortFlags = false
	market.addFlags(cmd, true)
	output.addFlags(cmd)
	return cmd
}

var offersView = view[*partnercenter.Offer]{
	plural:   "offers",
	resource: func(o *partnercenter.Offer) any { return o },
	table: layout[*partnercenter.Offer]{
		columns: []string{"OFFER ID", "NAME", "CATEGORY", "BILLING"},
		gives:   []int{1, 2},
		rows: func(o *partnercenter.Offer) [][]string {
			return [][]string{{o.ID, o.Name, categoryName(o), cycles(o.SupportedBillingCycles)}}
		},
	},
	wide: layout[*partnercenter.Offer]{
		columns: []string{"OFFER ID", "NAME", "CATEGORY", "BILLING", "MINIMUM", "MAXIMUM", "ADD-ON", "TRIAL", "FOR SALE", "COUNTRY"},
		rows: func(o *partnercenter.Offer) [][]string {
			return [][]string{{
				o.ID, o.Name, categoryName(o), cycles(o.SupportedBillingCycles), number(o.MinimumQuantity), number(o.MaximumQuantity),
				yesNo(o.IsAddOn), yesNo(o.IsTrial), yesNo(o.IsAvailableForPurchase), o.Country,
			}}
		},
	},
	csv: layout[*partnercenter.Offer]{
		columns: offerCSVColumns,
		rows: func(o *partnercenter.Offer) [][]string {
			var product partnercenter.OfferProduct
			if o.Product != nil {
				product = *o.Product
			}
			return [][]string{{
				o.ID, o.Name, categoryName(o), o.Country, string(o.Billing), cycles(o.SupportedBillingCycles),
				number(o.MinimumQuantity), number(o.MaximumQuantity), yesNo(o.IsAddOn), yesNo(o.IsTrial),
				yesNo(o.IsAvailableForPurchase), strings.Join(o.PrerequisiteOffers, " "), product.ID, o.SalesGroupID,
			}}
		},
	},
}

// offerCSVColumns are documented: add at the end only.
var offerCSVColumns = []string{
	"offerId", "name", "category", "country", "billing", "supportedBillingCycles", "minimumQuantity", "maximumQuantity",
	"isAddOn", "isTrial", "isAvailableForPurchase", "prerequisiteOffers", "productId", "salesGroupId",
}

var categoriesView = view[*partnercenter.OfferCategory]{
	plural:   "categories",
	resource: func(c *partnercenter.OfferCategory) any { return c },
	table:    layout[*partnercenter.OfferCategory]{columns: []string{"CATEGORY ID", "NAME", "RANK"}, rows: categoryRows, gives: []int{1}},
	wide:     layout[*partnercenter.OfferCategory]{columns: []string{"CATEGORY ID", "NAME", "RANK"}, rows: categoryRows},
	csv:      layout[*partnercenter.OfferCategory]{columns: categoryCSVColumns, rows: categoryRows},
}

// categoryCSVColumns are documented: add at the end only.
var categoryCSVColumns = []string{"categoryId", "name", "rank"}

func categoryRows(c *partnercenter.OfferCategory) [][]string {
	return [][]string{{c.ID, c.Name, number(c.Rank)}}
}

func categoryName(o *partnercenter.Offer) string {
	if o.Category == nil {
		return ""
	}
	return o.Category.Name
}

// cycles joins billing cycles for a cell.
func cycles(list []partnercenter.BillingCycleType) string { return strings.Join(texts(list), " ") }
