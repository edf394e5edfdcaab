package api

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/command"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/words"
)

// Products returns the commands about products, their SKUs and availabilities.
func Products(term *terminal.Terminal) *cobra.Command {
	return command.Noun(term, "products", "product", "Products, SKUs and their availabilities",
		productsList(), productsGet(), productsSKUs(), productsAvailabilities(), productsInventory(),
		productsPromotions(), productsPromotion(), productsPromotionEligibility())
}

// products returns the client for the products of the country or customer.
func (f *countryFlags) products(call *command.Call) *partnercenter.ProductsClient {
	if f.customer != "" {
		return call.Client.Customers.ByID(f.customer).Products
	}
	return call.Client.Products.ByCountry(f.country)
}

// selection holds the flags that filter lists of products, SKUs and availabilities.
type selection struct {
	segment partnercenter.TargetSegment
	scope   partnercenter.ReservationScope
}

func (s *selection) addFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar((*string)(&s.segment), "segment", "", "only items sold to this `segment`: "+words.Or(partnercenter.TargetSegments()))
	f.StringVar((*string)(&s.scope), "reservation-scope", "", "AzurePlan lists reservations for Azure plans")
	terminal.Choices(cmd, "segment", words.Texts(partnercenter.TargetSegments())...)
	terminal.Choices(cmd, "reservation-scope", string(partnercenter.ReservationScopeAzurePlan))
}

// check normalizes the flags' values.
func (s *selection) check(*command.Call) error {
	if s.segment != "" {
		s.segment = s.segment.Normalize()
		if err := terminal.OneOf("segment", string(s.segment), words.Texts(partnercenter.TargetSegments())...); err != nil {
			return err
		}
	}
	if s.scope == "" {
		return nil
	}
	if ascii.EqualFold(string(s.scope), string(partnercenter.ReservationScopeAzurePlan)) {
		s.scope = partnercenter.ReservationScopeAzurePlan
	}
	return terminal.OneOf("reservation-scope", string(s.scope), string(partnercenter.ReservationScopeAzurePlan))
}

// catalogList is a list of products, SKUs or availabilities.
type catalogList[T any] interface {
	ByTargetSegment(partnercenter.TargetSegment) *partnercenter.CatalogListClient[T]
	ByReservationScope(partnercenter.ReservationScope) *partnercenter.CatalogListClient[T]
	All(context.Context) iter.Seq2[*T, error]
}

// listed yields the items of the list that the flags select.
func listed[T any](ctx context.Context, list catalogList[T], s *selection) iter.Seq2[*T, error] {
	if s.segment != "" {
		list = list.ByTargetSegment(s.segment)
	}
	if s.scope != "" {
		list = list.ByReservationScope(s.scope)
	}
	return list.All(ctx)
}

func productsList() command.Form {
	var (
		narrow selection
		target partnercenter.TargetView
	)
	in := countryFlags{byCustomer: true}
	views := words.Texts(partnercenter.TargetViews())
	return command.List(in.withFlags(command.Spec{
		Use: "list {--country CC | --customer ID} --view VIEW", Short: "List the products of a country or for a customer",
		Long: "List the products of a view that are sold in a country or to a customer. Legacy\noffers have products, too." + terminal.OutputHelp(productsView.CSVColumns()),
		Example: `  partnercenter products list --country US --view OnlineServices
  partnercenter products list --customer ID --view AzureReservations --reservation-scope AzurePlan
  partnercenter products list --country DE --view Software -o jsonl | jq -r .title`,
		Flags: func(cmd *cobra.Command) {
			cmd.Flags().StringVar((*string)(&target), "view", "", "`view` to list: "+words.Or(views))
			terminal.Choices(cmd, "view", views...)
			narrow.addFlags(cmd)
		},
		Check: func(call *command.Call) error {
			if target == "" {
				return terminal.Usagef("the view is missing: give --view %s", words.Or(views))
			}
			target = target.Normalize()
			if err := terminal.OneOf("view", string(target), views...); err != nil {
				return err
			}
			return narrow.check(call)
		},
	}), productsView, func(ctx context.Context, call *command.Call) iter.Seq2[*partnercenter.Product, error] {
		return listed(ctx, in.products(call).ByTargetView(target), &narrow)
	})
}

func productsGet() command.Form {
	in := countryFlags{byCustomer: true}
	return command.Get(in.withFlags(command.Spec{
		Use: "get PRODUCT {--country CC | --customer ID}", Arg: "product id", Short: "Show a product",
		Long: "Show a product by its id. The case of the id is ignored.",
		Example: `  partnercenter products get DZH318Z0BQ3Q --country US
  partnercenter products get PRODUCT --customer ID --json | jq .productType`,
	}), productsView, func(ctx context.Context, call *command.Call) (*partnercenter.Product, error) {
		return in.products(call).ByID(call.Arg).Get(ctx)
	})
}

func productsSKUs() command.Form {
	var (
		narrow selection
		sku    string
	)
	in := countryFlags{byCustomer: true}
	return command.List(in.withFlags(command.Spec{
		Use: "skus PRODUCT {--country CC | --customer ID}", Arg: "product id", Short: "List the SKUs of a product, or show one",
		Long: "List the SKUs of a product that are sold in a country or to a customer. With --sku,\nshow one." + terminal.OutputHelp(skusView.CSVColumns()),
		Example: `  partnercenter products skus DZH318Z0BQ5S --country US -o wide
  partnercenter products skus PRODUCT --customer ID --sku 0001 --json`,
		Flags: func(cmd *cobra.Command) {
			cmd.Flags().StringVar(&sku, "sku", "", "show the SKU with this `id`")
			narrow.addFlags(cmd)
		},
		Exclusive: [][]string{{"sku", "segment"}, {"sku", "reservation-scope"}},
		Check:     narrow.check,
	}), skusView, func(ctx context.Context, call *command.Call) iter.Seq2[*partnercenter.SKU, error] {
		if sku != "" {
			call.One = true
			return command.Item(in.products(call).ByID(call.Arg).SKUs.ByID(sku).Get(ctx))
		}
		return listed(ctx, in.products(call).ByID(call.Arg).SKUs, &narrow)
	})
}

func productsAvailabilities() command.Form {
	var (
		narrow            selection
		sku, availability string
	)
	in := countryFlags{byCustomer: true}
	of := func(call *command.Call) *partnercenter.AvailabilitiesClient {
		return in.products(call).ByID(call.Arg).SKUs.ByID(sku).Availabilities
	}
	return command.List(in.withFlags(command.Spec{
		Use: "availabilities PRODUCT --sku SKU {--country CC | --customer ID}", Arg: "product id",
		Short: "List the availabilities of a SKU, or show one",
		Long: `List the availabilities of a SKU in a country or for a customer. With
--availability, show one. Orders name the catalog item id.` + terminal.OutputHelp(availabilitiesView.CSVColumns()),
		Example: `  partnercenter products availabilities DZH318Z0BQ4B --sku 000Z --country US
  partnercenter products availabilities PRODUCT --sku 0001 --customer ID -o jsonl | jq -r .catalogItemId`,
		Flags: func(cmd *cobra.Command) {
			cmd.Flags().StringVar(&sku, "sku", "", "the SKU's `id`")
			cmd.Flags().StringVar(&availability, "availability", "", "show the availability with this `id`")
			narrow.addFlags(cmd)
		},
		Exclusive: [][]string{{"availability", "segment"}, {"availability", "reservation-scope"}},
		Check: func(call *command.Call) error {
			if sku == "" {
				return terminal.Usagef("the SKU is missing: give --sku ID")
			}
			return narrow.check(call)
		},
	}), availabilitiesView, func(ctx context.Context, call *command.Call) iter.Seq2[*partnercenter.Availability, error] {
		if availability != "" {
			call.One = true
			return command.Item(of(call).ByID(availability).Get(ctx))
		}
		return listed(ctx, of(call), &narrow)
	})
}

func productsInventory() command.Form {
	var customer, subscription, region string
	in := countryFlags{}
	return command.List(in.withFlags(command.Spec{
		Use: "inventory PRODUCT[:SKU]... --country CC", CustomerFlag: &customer, Short: "Check whether SKUs can be bought now",
		Long: `Check whether SKUs can be bought now: the given ones, or all SKUs of a product.
Unknown SKUs are omitted. Reservations may require a customer, an Azure subscription
and a region.` + terminal.OutputHelp(inventoryView.CSVColumns()),
		Example: `  partnercenter products inventory DZH318Z0BQ4B:000Z --country US
  partnercenter products inventory DZH318Z0BQ3P --country US --customer ID --subscription ID --region japanwest`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return terminal.Usagef("%s requires a product, or product:sku", cmd.CommandPath())
			}
			return nil
		},
		Flags: func(cmd *cobra.Command) {
			f := cmd.Flags()
			f.StringVar(&customer, "customer", "", "the `customer` to buy for, by tenant id, name or domain")
			f.StringVar(&subscription, "subscription", "", "`id` of the customer's Azure subscription")
			f.StringVar(&region, "region", "", "`name` of the Azure region, such as westeurope")
		},
	}), inventoryView, func(ctx context.Context, call *command.Call) iter.Seq2[partnercenter.InventoryItem, error] {
		request := &partnercenter.InventoryCheckRequest{InventoryContext: map[string]string{}}
		for _, arg := range call.Args {
			product, sku, _ := strings.Cut(arg, ":")
			request.TargetItems = append(request.TargetItems, partnercenter.InventoryItem{ProductID: product, SKUID: sku})
		}
		for key, value := range map[string]string{"customerId": customer, "azureSubscriptionId": subscription, "armRegionName": region} {
			if value != "" {
				request.InventoryContext[key] = value
			}
		}
		return command.Items(call.Client.Extensions.Product.ByCountry(in.country).CheckInventory(ctx, request))
	})
}

var productsView = &terminal.View[*partnercenter.Product]{
	Plural: "products",
	Columns: []terminal.Column[*partnercenter.Product]{
		{Name: "productId", Kind: terminal.ID, Value: func(p *partnercenter.Product) any { return p.ID }},
		{Name: "title", Value: func(p *partnercenter.Product) any { return p.Title }},
		{Name: "productType", Header: "TYPE", Rank: 1, Value: func(p *partnercenter.Product) any { return productType(p) }},
		{Name: "publisherName", Header: "PUBLISHER", Shown: terminal.OnlyWide, Value: func(p *partnercenter.Product) any { return p.PublisherName }},
		{Name: "isMicrosoftProduct", Shown: terminal.Hidden, Value: func(p *partnercenter.Product) any { return p.IsMicrosoftProduct }},
		{Name: "description", Shown: terminal.OnlyWide, Value: func(p *partnercenter.Product) any { return p.Description }},
	},
}

// productType returns a product's type and sub-type: Azure/VirtualMachines.
func productType(p *partnercenter.Product) string {
	var names []string
	for t := p.ProductType; t != nil; t = t.SubType {
		names = append(names, t.ID)
	}
	return strings.Join(names, "/")
}

var skusView = &terminal.View[*partnercenter.SKU]{
	Plural: "SKUs",
	Columns: []terminal.Column[*partnercenter.SKU]{
		{Name: "productId", Shown: terminal.OnlyWide, Kind: terminal.ID, Value: func(s *partnercenter.SKU) any { return s.ProductID }},
		{Name: "skuId", Kind: terminal.ID, Value: func(s *partnercenter.SKU) any { return s.ID }},
		{Name: "title", Value: func(s *partnercenter.SKU) any { return s.Title }},
		{Name: "supportedBillingCycles", Header: "BILLING", Rank: 1, Value: func(s *partnercenter.SKU) any { return cycles(s.SupportedBillingCycles) }},
		{Name: "minimumQuantity", Header: "MINIMUM", Shown: terminal.OnlyWide, Value: func(s *partnercenter.SKU) any { return s.MinimumQuantity }},
		{Name: "maximumQuantity", Header: "MAXIMUM", Rank: 2, Value: func(s *partnercenter.SKU) any { return s.MaximumQuantity }},
		{Name: "isTrial", Header: "TRIAL", Shown: terminal.OnlyWide, Value: func(s *partnercenter.SKU) any { return s.IsTrial }},
		{Name: "purchasePrerequisites", Header: "BEFORE BUYING", Shown: terminal.OnlyWide, Value: func(s *partnercenter.SKU) any { return strings.Join(s.PurchasePrerequisites, " ") }},
		{Name: "provisioningVariables", Header: "TO PROVISION", Shown: terminal.OnlyWide, Value: func(s *partnercenter.SKU) any { return strings.Join(s.ProvisioningVariables, " ") }},
		{Name: "inventoryVariables", Shown: terminal.Hidden, Value: func(s *partnercenter.SKU) any { return strings.Join(s.InventoryVariables, " ") }},
	},
}

var availabilitiesView = &terminal.View[*partnercenter.Availability]{
	Plural: "availabilities",
	CSV: []string{
		"catalogItemId", "productId", "skuId", "availabilityId", "segment", "country", "currencyCode", "terms", "isPurchasable", "isRenewable", "billing",
	},
	Columns: []terminal.Column[*partnercenter.Availability]{
		{Name: "catalogItemId", Kind: terminal.ID, Value: func(a *partnercenter.Availability) any { return a.CatalogItemID }},
		{Name: "segment", Rank: 2, Value: func(a *partnercenter.Availability) any { return a.Segment }},
		{Name: "terms", Value: func(a *partnercenter.Availability) any { return terms(a) }},
		{Name: "currencyCode", Header: "CURRENCY", Rank: 3, Value: func(a *partnercenter.Availability) any { return terminal.OrZero(a.DefaultCurrency).Code }},
		{Name: "isPurchasable", Header: "FOR SALE", Rank: 1, Value: func(a *partnercenter.Availability) any { return a.IsPurchasable }},
		{Name: "billing", Shown: terminal.OnlyWide, Value: func(a *partnercenter.Availability) any { return billing(a) }},
		{Name: "isRenewable", Header: "RENEWABLE", Shown: terminal.OnlyWide, Value: func(a *partnercenter.Availability) any { return a.IsRenewable }},
		{Name: "country", Shown: terminal.OnlyWide, Value: func(a *partnercenter.Availability) any { return a.Country }},
		{Name: "title", Shown: terminal.OnlyWide, Value: func(a *partnercenter.Availability) any { return terminal.OrZero(a.SKU).Title }},
		{Name: "productId", Shown: terminal.Hidden, Kind: terminal.ID, Value: func(a *partnercenter.Availability) any { return a.ProductID }},
		{Name: "skuId", Shown: terminal.Hidden, Kind: terminal.ID, Value: func(a *partnercenter.Availability) any { return a.SKUID }},
		{Name: "availabilityId", Shown: terminal.Hidden, Kind: terminal.ID, Value: func(a *partnercenter.Availability) any { return a.ID }},
	},
}

// terms joins the durations of an availability's terms for a cell. A perpetual
// term is shown as a dash.
func terms(a *partnercenter.Availability) string {
	var durations []string
	for _, term := range a.Terms {
		if d := cmp.Or(term.Duration, "-"); !slices.Contains(durations, d) {
			durations = append(durations, d)
		}
	}
	return strings.Join(durations, " ")
}

// billing joins the terms of an availability with their billing cycles:
// P1Y/Monthly P1Y/Annual.
func billing(a *partnercenter.Availability) string {
	texts := make([]string, len(a.Terms))
	for i, term := range a.Terms {
		texts[i] = cmp.Or(term.Duration, "-") + "/" + string(term.BillingCycle)
	}
	return strings.Join(texts, " ")
}

var inventoryView = &terminal.View[partnercenter.InventoryItem]{
	Plural: "SKUs",
	Columns: []terminal.Column[partnercenter.InventoryItem]{
		{Name: "productId", Kind: terminal.ID, Value: func(i partnercenter.InventoryItem) any { return i.ProductID }},
		{Name: "skuId", Kind: terminal.ID, Value: func(i partnercenter.InventoryItem) any { return i.SKUID }},
		{Name: "isRestricted", Header: "RESTRICTED", Value: func(i partnercenter.InventoryItem) any { return i.IsRestricted }},
		{Name: "restrictions", Header: "WHY", Value: func(i partnercenter.InventoryItem) any { return restrictions(i) }},
	},
}

// restrictions joins the reasons why a SKU cannot be bought.
func restrictions(i partnercenter.InventoryItem) string {
	reasons := make([]string, len(i.Restrictions))
	for j, restriction := range i.Restrictions {
		reasons[j] = restriction.ReasonCode
		if restriction.Description != "" {
			reasons[j] += ": " + restriction.Description
		}
	}
	return strings.Join(reasons, "; ")
}
