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
		Long: "List the legacy offers of a country, or for a customer, by rank. Add-ons are included,\nretired offers are not." + terminal.OutputHelp(offersView.CSV.Columns),
		Example: `  partnercenter offers list --country US
  partnercenter offers list --customer ID --category SmallBusiness_Key -o wide
  partnercenter offers list --country DE -o jsonl | jq -r .id`,
		Flags: func(cmd *cobra.Command) {
			cmd.Flags().StringVar(&category, "category", "", "only offers of the category with this `id`")
		},
	}), offersView, func(ctx context.Context, call *command.Call) iter.Seq2[*partnercenter.Offer, error] {
		if in.customer != "" {
			return call.Client.Customers.ByID(in.customer).Offers.ByCategory(category).All(ctx)
		}
		return call.Client.Offers.ByCountry(in.country).ByCategory(category).All(ctx)
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
		Long: "List the add-ons of a legacy offer in a country." + terminal.OutputHelp(offersView.CSV.Columns),
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
		Long: "List the categories of legacy offers, by rank." + terminal.OutputHelp(categoriesView.CSV.Columns),
		Example: `  partnercenter offers categories --country US
  partnercenter offers categories --customer ID --json`,
	}), categoriesView, func(ctx context.Context, call *command.Call) iter.Seq2[*partnercenter.OfferCategory, error] {
		if in.customer != "" {
			return call.Client.Customers.ByID(in.customer).OfferCategories.All(ctx)
		}
		return call.Client.OfferCategories.ByCountry(in.country).All(ctx)
	})
}

var offersView = terminal.NewView("offers",
	[]string{"OFFER ID", "NAME", "CATEGORY", "BILLING"},
	[]string{"OFFER ID", "NAME", "CATEGORY", "BILLING", "MINIMUM", "MAXIMUM", "ADD-ON", "TRIAL", "FOR SALE", "COUNTRY"},
	[]string{
		"offerId", "name", "category", "country", "billing", "supportedBillingCycles", "minimumQuantity", "maximumQuantity",
		"isAddOn", "isTrial", "isAvailableForPurchase", "prerequisiteOffers", "productId", "salesGroupId",
	},
	func(o *partnercenter.Offer) (table, wide, csv []string) {
		category, cycles := terminal.OrZero(o.Category).Name, cycles(o.SupportedBillingCycles)
		least, most := terminal.Number(o.MinimumQuantity), terminal.Number(o.MaximumQuantity)
		addOn, trial, forSale := terminal.YesNo(o.IsAddOn), terminal.YesNo(o.IsTrial), terminal.YesNo(o.IsAvailableForPurchase)
		table = []string{o.ID, o.Name, category, cycles}
		return table, append(table, least, most, addOn, trial, forSale, o.Country), []string{
			o.ID, o.Name, category, o.Country, string(o.Billing), cycles, least, most, addOn, trial, forSale,
			strings.Join(o.PrerequisiteOffers, " "), terminal.OrZero(o.Product).ID, o.SalesGroupID,
		}
	}, 1, 2)

var categoriesView = terminal.OneLayout("categories", []string{"CATEGORY ID", "NAME", "RANK"}, []string{"categoryId", "name", "rank"},
	func(c *partnercenter.OfferCategory) []string { return []string{c.ID, c.Name, terminal.Number(c.Rank)} }, 1)

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
			cmd.Flags().StringVar(&f.customer, "customer", "", "tenant `id` of the customer to buy for, in the customer's country")
		}
		if flags != nil {
			flags(cmd)
		}
	}
	if f.byCustomer {
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
