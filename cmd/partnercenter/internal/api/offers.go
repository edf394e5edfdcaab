package api

import (
	"context"
	"iter"
	"strings"

	"github.com/spf13/cobra"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/command"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
	"github.com/partnercenter-go/partnercenter/internal/words"
)

// Offers returns the commands about legacy offers.
func Offers(term *terminal.Terminal) *cobra.Command {
	return command.Noun(term, "offers", "offer", "Legacy offers of a country", offersList(), offersGet(), offersAddOns(), offersCategories())
}

func offersList() command.Form {
	var category string
	in := countryFlags{byCustomer: true}
	return command.List(in.withFlags(command.Spec{
		Use: "list {--country CC | --customer ID}", Short: "List the legacy offers of a country or for a customer",
		Long: "List the legacy offers of a country, or for a customer, by rank. Add-ons are included,\nretired offers are not." + terminal.OutputHelp(offersView.CSVColumns()),
		Example: `  partnercenter offers list --country US
  partnercenter offers list --customer ID --category SmallBusiness_Key -o wide
  partnercenter offers list --country DE -o jsonl | jq -r .id`,
		Flags: func(cmd *cobra.Command) {
			cmd.Flags().StringVar(&category, "category", "", "only offers of the category with this `id`")
		},
	}), offersView, func(ctx context.Context, call *command.Call) iter.Seq2[*partnercenter.Offer, error] {
		switch {
		case in.customer != "" && category != "":
			return call.Client.Customers.ByID(in.customer).Offers.ByCategory(category).All(ctx)
		case in.customer != "":
			return call.Client.Customers.ByID(in.customer).Offers.All(ctx)
		case category != "":
			return call.Client.Offers.ByCountry(in.country).ByCategory(category).All(ctx)
		default:
			return call.Client.Offers.ByCountry(in.country).All(ctx)
		}
	})
}

func offersGet() command.Form {
	in := countryFlags{}
	return command.Get(in.withFlags(command.Spec{
		Use: "get OFFER --country CC", Arg: "offer id", Short: "Show a legacy offer",
		Long: "Show a legacy offer in a country by its id. The case of the id is ignored.",
		Example: `  partnercenter offers get MS-AZR-0145P --country US
  partnercenter offers get OFFER --country DE --json | jq .supportedBillingCycles`,
	}), offersView, func(ctx context.Context, call *command.Call) (*partnercenter.Offer, error) {
		return call.Client.Offers.ByCountry(in.country).ByID(call.Arg).Get(ctx)
	})
}

func offersAddOns() command.Form {
	in := countryFlags{}
	return command.List(in.withFlags(command.Spec{
		Use: "addons OFFER --country CC", Arg: "offer id", Short: "List the add-ons of a legacy offer",
		Long: "List the add-ons of a legacy offer in a country." + terminal.OutputHelp(offersView.CSVColumns()),
		Example: `  partnercenter offers addons 195416C1-3447-423A-B37B-EE59A99A19C4 --country US
  partnercenter offers addons OFFER --country DE -o csv`,
	}), offersView, func(ctx context.Context, call *command.Call) iter.Seq2[*partnercenter.Offer, error] {
		return call.Client.Offers.ByCountry(in.country).ByID(call.Arg).AddOns.All(ctx)
	})
}

func offersCategories() command.Form {
	in := countryFlags{byCustomer: true}
	return command.List(in.withFlags(command.Spec{
		Use: "categories {--country CC | --customer ID}", Short: "List the categories of legacy offers",
		Long: "List the categories of legacy offers, by rank." + terminal.OutputHelp(categoriesView.CSVColumns()),
		Example: `  partnercenter offers categories --country US
  partnercenter offers categories --customer ID --json`,
	}), categoriesView, func(ctx context.Context, call *command.Call) iter.Seq2[*partnercenter.OfferCategory, error] {
		if in.customer != "" {
			return call.Client.Customers.ByID(in.customer).OfferCategories.All(ctx)
		}
		return call.Client.OfferCategories.ByCountry(in.country).All(ctx)
	})
}

var offersView = &terminal.View[*partnercenter.Offer]{
	Plural: "offers",
	CSV: []string{
		"offerId", "name", "category", "country", "billing", "supportedBillingCycles", "minimumQuantity", "maximumQuantity", "isAddOn", "isTrial", "isAvailableForPurchase", "prerequisiteOffers", "productId", "salesGroupId",
	},
	Columns: []terminal.Column[*partnercenter.Offer]{
		{Name: "offerId", Kind: terminal.ID, Value: func(o *partnercenter.Offer) any { return o.ID }},
		{Name: "name", Value: func(o *partnercenter.Offer) any { return o.Name }},
		{Name: "category", Rank: 2, Value: func(o *partnercenter.Offer) any { return terminal.OrZero(o.Category).Name }},
		{Name: "supportedBillingCycles", Header: "BILLING", Rank: 1, Value: func(o *partnercenter.Offer) any { return cycles(o.SupportedBillingCycles) }},
		{Name: "minimumQuantity", Header: "MINIMUM", Shown: terminal.OnlyWide, Value: func(o *partnercenter.Offer) any { return o.MinimumQuantity }},
		{Name: "maximumQuantity", Header: "MAXIMUM", Shown: terminal.OnlyWide, Value: func(o *partnercenter.Offer) any { return o.MaximumQuantity }},
		{Name: "isAddOn", Header: "ADD-ON", Shown: terminal.OnlyWide, Value: func(o *partnercenter.Offer) any { return o.IsAddOn }},
		{Name: "isTrial", Header: "TRIAL", Shown: terminal.OnlyWide, Value: func(o *partnercenter.Offer) any { return o.IsTrial }},
		{Name: "isAvailableForPurchase", Header: "FOR SALE", Shown: terminal.OnlyWide, Value: func(o *partnercenter.Offer) any { return o.IsAvailableForPurchase }},
		{Name: "country", Shown: terminal.OnlyWide, Value: func(o *partnercenter.Offer) any { return o.Country }},
		{Name: "billing", Header: "BILLED BY", Shown: terminal.Hidden, Value: func(o *partnercenter.Offer) any { return o.Billing }},
		{Name: "prerequisiteOffers", Shown: terminal.Hidden, Value: func(o *partnercenter.Offer) any { return strings.Join(o.PrerequisiteOffers, " ") }},
		{Name: "productId", Shown: terminal.Hidden, Kind: terminal.ID, Value: func(o *partnercenter.Offer) any { return terminal.OrZero(o.Product).ID }},
		{Name: "salesGroupId", Shown: terminal.Hidden, Value: func(o *partnercenter.Offer) any { return o.SalesGroupID }},
	},
}

var categoriesView = &terminal.View[*partnercenter.OfferCategory]{
	Plural: "categories",
	Columns: []terminal.Column[*partnercenter.OfferCategory]{
		{Name: "categoryId", Kind: terminal.ID, Value: func(c *partnercenter.OfferCategory) any { return c.ID }},
		{Name: "name", Value: func(c *partnercenter.OfferCategory) any { return c.Name }},
		{Name: "rank", Value: func(c *partnercenter.OfferCategory) any { return c.Rank }},
	},
}

// cycles joins billing cycles for a cell.
func cycles(list []partnercenter.BillingCycleType) string {
	return strings.Join(words.Texts(list), " ")
}

// countryFlags holds the flags that select the country of the catalog.
type countryFlags struct {
	byCustomer        bool // whether a customer can be given instead of a country
	country, customer string
}

// withFlags returns the command with the flags added.
func (f *countryFlags) withFlags(s command.Spec) command.Spec {
	flags, check := s.Flags, s.Check
	s.Flags = func(cmd *cobra.Command) {
		cmd.Flags().StringVar(&f.country, "country", "", "country to buy in: two `letters` such as US")
		if f.byCustomer {
			cmd.Flags().StringVar(&f.customer, "customer", "", "the `customer` to buy for, by tenant id, name or domain, in the customer's country")
		}
		if flags != nil {
			flags(cmd)
		}
	}
	if f.byCustomer {
		s.CustomerFlag = &f.customer
		s.Exclusive = append(s.Exclusive, []string{"country", "customer"})
	}
	s.Check = func(call *command.Call) error {
		switch {
		case f.country != "" || f.customer != "":
		case f.byCustomer:
			return terminal.Usagef("the country is missing: give --country, such as US, or --customer ID")
		default:
			return terminal.Usagef("the country is missing: give --country, such as US")
		}
		if check == nil {
			return nil
		}
		return check(call)
	}
	return s
}
