package main

import (
	"context"
	"iter"
	"strings"

	"github.com/spf13/cobra"

	"github.com/partnercenter-go/partnercenter"
)

// Products returns the commands about products, their SKUs and availabilities.
func Products(app *app) *cobra.Command {
	return Noun(app, "products", "product", "Products, SKUs and what of them can be ordered",
		productsList, productsGet, productsSKUs, productsAvailabilities, productsInventory)
}

// products are the products of the market.
func (m *market) products(call *Call) *partnercenter.ProductsClient {
	if m.customer != "" {
		return call.Client.Customers.ByID(m.customer).Products
	}
	return call.Client.Products.ByCountry(m.country)
}

// selection is the flags that narrow lists of products, SKUs and availabilities.
type selection struct {
	segment partnercenter.TargetSegment
	scope   partnercenter.ReservationScope
}

func (s *selection) addFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar((*string)(&s.segment), "segment", "", "only what is sold to this `segment`: "+orList(texts(partnercenter.TargetSegments())))
	f.StringVar((*string)(&s.scope), "reservation-scope", "", "AzurePlan lists reservations for Azure plans")
	registerValues(cmd, "segment", texts(partnercenter.TargetSegments())...)
	registerValues(cmd, "reservation-scope", string(partnercenter.ReservationScopeAzurePlan))
}

// check takes what the flags name in any case.
func (s *selection) check(*Call) error {
	if s.segment != "" {
		s.segment = s.segment.Normalize()
		if err := oneOf("segment", string(s.segment), texts(partnercenter.TargetSegments())...); err != nil {
			return err
		}
	}
	if s.scope == "" {
		return nil
	}
	if strings.EqualFold(string(s.scope), string(partnercenter.ReservationScopeAzurePlan)) {
		s.scope = partnercenter.ReservationScopeAzurePlan
	}
	return oneOf("reservation-scope", string(s.scope), string(partnercenter.ReservationScopeAzurePlan))
}

func productsList(c *connection) *cobra.Command {
	var (
		narrow selection
		target partnercenter.TargetView
	)
	market := market{of: "products", byCustomer: true}
	views := texts(partnercenter.TargetViews())
	return List[*partnercenter.Product]{
		Spec: market.asked(Spec{
			Use: "list {--country CC | --customer ID} --view VIEW", Short: "List the products of a country or for a customer",
			Long: "List the products of a view that are sold in a country, or in a customer's. Legacy\noffers have products, too." + outputHelp(productsView.csv.columns),
			Example: `  partnercenter products list --country US --view OnlineServices
  partnercenter products list --customer ID --view AzureReservations --reservation-scope AzurePlan
  partnercenter products list --country DE --view Software -o jsonl | jq -r .title`,
			Flags: func(cmd *cobra.Command) {
				cmd.Flags().StringVar((*string)(&target), "view", "", "which products: `view` is "+orList(views))
				registerValues(cmd, "view", views...)
				narrow.addFlags(cmd)
			},
			Check: func(call *Call) error {
				if target == "" {
					return usageErrorf("which products? Give --view: %s", orList(views))
				}
				target = target.Normalize()
				if err := oneOf("view", string(target), views...); err != nil {
					return err
				}
				return narrow.check(call)
			},
		}),
		View: productsView,
		Fetch: func(ctx context.Context, call *Call) iter.Seq2[*partnercenter.Product, error] {
			return market.products(call).ByTargetView(target).ByTargetSegment(narrow.segment).ByReservationScope(narrow.scope).All(ctx)
		},
	}.Command(c)
}

func productsGet(c *connection) *cobra.Command {
	market := market{of: "sold", byCustomer: true}
	return Get[*partnercenter.Product]{
		Spec: market.asked(Spec{
			Use: "get PRODUCT {--country CC | --customer ID}", Arg: "product id", Short: "Show a product",
			Long: "Show a product by its id, in any case.",
			Example: `  partnercenter products get DZH318Z0BQ3Q --country US
  partnercenter products get PRODUCT --customer ID --json | jq .productType`,
		}),
		View: productsView,
		Fetch: func(ctx context.Context, call *Call) (*partnercenter.Product, error) {
			return market.products(call).ByID(call.Arg).Get(ctx)
		},
	}.Command(c)
}

func productsSKUs(c *connection) *cobra.Command {
	var (
		narrow selection
		sku    string
	)
	market := market{of: "SKUs", byCustomer: true}
	return List[*partnercenter.SKU]{
		Spec: market.asked(Spec{
			Use: "skus PRODUCT {--country CC | --customer ID}", Arg: "product id", Short: "List the SKUs of a product, or show one",
			Long: "List the SKUs of a product that are sold in a country, or in a customer's. With --sku,\nshow one." + outputHelp(skusView.csv.columns),
			Example: `  partnercenter products skus DZH318Z0BQ5S --country US -o wide
  partnercenter products skus PRODUCT --customer ID --sku 0001 --json`,
			Flags: func(cmd *cobra.Command) {
				cmd.Flags().StringVar(&sku, "sku", "", "show the SKU with this `id`")
				narrow.addFlags(cmd)
			},
			Exclusive: [][]string{{"sku", "segment"}, {"sku", "reservation-scope"}},
			Check:     narrow.check,
		}),
		View: skusView,
		Instead: func(ctx context.Context, call *Call, p *printer[*partnercenter.SKU]) (bool, error) {
			if sku == "" {
				return false, nil
			}
			return true, p.one(market.products(call).ByID(call.Arg).SKUs.ByID(sku).Get(ctx))
		},
		Fetch: func(ctx context.Context, call *Call) iter.Seq2[*partnercenter.SKU, error] {
			return market.products(call).ByID(call.Arg).SKUs.ByTargetSegment(narrow.segment).ByReservationScope(narrow.scope).All(ctx)
		},
	}.Command(c)
}

func productsAvailabilities(c *connection) *cobra.Command {
	var (
		narrow            selection
		sku, availability string
	)
	market := market{of: "availabilities", byCustomer: true}
	of := func(call *Call) *partnercenter.AvailabilitiesClient {
		return market.products(call).ByID(call.Arg).SKUs.ByID(sku).Availabilities
	}
	return List[*partnercenter.Availability]{
		Spec: market.asked(Spec{
			Use: "availabilities PRODUCT --sku SKU {--country CC | --customer ID}", Arg: "product id",
			Short: "List the availabilities of a SKU, or show one",
			Long: `List the availabilities of a SKU in a country, or in a customer's. With
--availability, show one. The catalog item id is what an order names.` + outputHelp(availabilitiesView.csv.columns),
			Example: `  partnercenter products availabilities DZH318Z0BQ4B --sku 000Z --country US
  partnercenter products availabilities PRODUCT --sku 0001 --customer ID -o jsonl | jq -r .catalogItemId`,
			Flags: func(cmd *cobra.Command) {
				cmd.Flags().StringVar(&sku, "sku", "", "the SKU's `id`")
				cmd.Flags().StringVar(&availability, "availability", "", "show the availability with this `id`")
				narrow.addFlags(cmd)
			},
			Exclusive: [][]string{{"availability", "segment"}, {"availability", "reservation-scope"}},
			Check: func(call *Call) error {
				if sku == "" {
					return usageErrorf("availabilities of which SKU? Give --sku ID")
				}
				return narrow.check(call)
			},
		}),
		View: availabilitiesView,
		Instead: func(ctx context.Context, call *Call, p *printer[*partnercenter.Availability]) (bool, error) {
			if availability == "" {
				return false, nil
			}
			return true, p.one(of(call).ByID(availability).Get(ctx))
		},
		Fetch: func(ctx context.Context, call *Call) iter.Seq2[*partnercenter.Availability, error] {
			return of(call).ByTargetSegment(narrow.segment).ByReservationScope(narrow.scope).All(ctx)
		},
	}.Command(c)
}

func productsInventory(c *connection) *cobra.Command {
	var customer, subscription, region string
	market := market{of: "bought"}
	return List[partnercenter.InventoryItem]{
		Spec: market.asked(Spec{
			Use: "inventory PRODUCT[:SKU]... --country CC", Short: "Check whether SKUs can be bought now",
			Long: `Check whether SKUs can be bought now: those that are named, or all of a product.
SKUs that the service does not know are left out. Reservations may ask for a
customer, an Azure subscription and a region.` + outputHelp(inventoryView.csv.columns),
			Example: `  partnercenter products inventory DZH318Z0BQ4B:000Z --country US
  partnercenter products inventory DZH318Z0BQ3P --country US --customer ID --subscription ID --region japanwest`,
			Args: func(cmd *cobra.Command, args []string) error {
				if len(args) == 0 {
					return usageErrorf("%s needs a product, or product:sku", cmd.CommandPath())
				}
				return nil
			},
			Flags: func(cmd *cobra.Command) {
				f := cmd.Flags()
				f.StringVar(&customer, "customer", "", "tenant `id` of the customer to buy for")
				f.StringVar(&subscription, "subscription", "", "`id` of the customer's Azure subscription")
				f.StringVar(&region, "region", "", "`name` of the Azure region, such as westeurope")
			},
		}),
		View: inventoryView,
		Fetch: func(ctx context.Context, call *Call) iter.Seq2[partnercenter.InventoryItem, error] {
			request := partnercenter.InventoryCheckRequest{InventoryContext: map[string]string{}}
			for _, arg := range call.Args {
				product, sku, _ := strings.Cut(arg, ":")
				request.TargetItems = append(request.TargetItems, partnercenter.InventoryItem{ProductID: product, SKUID: sku})
			}
			for key, value := range map[string]string{"customerId": customer, "azureSubscriptionId": subscription, "armRegionName": region} {
				if value != "" {
					request.InventoryContext[key] = value
				}
			}
			return Items(call.Client.Extensions.Product.ByCountry(market.country).CheckInventory(ctx, request))
		},
	}.Command(c)
}

var productsView = view[*partnercenter.Product]{
	plural: "products",
	table: layout[*partnercenter.Product]{
		columns: []string{"PRODUCT ID", "TITLE", "TYPE"},
		gives:   []int{1},
		row: func(p *partnercenter.Product) []string {
			return []string{p.ID, p.Title, productType(p)}
		},
	},
	wide: layout[*partnercenter.Product]{
		columns: []string{"PRODUCT ID", "TITLE", "TYPE", "PUBLISHER", "DESCRIPTION"},
		row: func(p *partnercenter.Product) []string {
			return []string{p.ID, p.Title, productType(p), p.PublisherName, p.Description}
		},
	},
	csv: layout[*partnercenter.Product]{
		columns: []string{"productId", "title", "productType", "publisherName", "isMicrosoftProduct", "description"},
		row: func(p *partnercenter.Product) []string {
			return []string{p.ID, p.Title, productType(p), p.PublisherName, yesNo(p.IsMicrosoftProduct), p.Description}
		},
	},
}

// productType is a product's type with its sub-type: Azure/VirtualMachines.
func productType(p *partnercenter.Product) string {
	var names []string
	for t := p.ProductType; t != nil; t = t.SubType {
		names = append(names, t.ID)
	}
	return strings.Join(names, "/")
}

var skusView = view[*partnercenter.SKU]{
	plural: "SKUs",
	table: layout[*partnercenter.SKU]{
		columns: []string{"SKU ID", "TITLE", "BILLING", "MAXIMUM"},
		gives:   []int{1},
		row: func(s *partnercenter.SKU) []string {
			return []string{s.ID, s.Title, cycles(s.SupportedBillingCycles), number(s.MaximumQuantity)}
		},
	},
	wide: layout[*partnercenter.SKU]{
		columns: []string{"PRODUCT ID", "SKU ID", "TITLE", "BILLING", "MINIMUM", "MAXIMUM", "TRIAL", "BEFORE BUYING", "TO PROVISION"},
		row: func(s *partnercenter.SKU) []string {
			return []string{
				s.ProductID, s.ID, s.Title, cycles(s.SupportedBillingCycles), number(s.MinimumQuantity), number(s.MaximumQuantity),
				yesNo(s.IsTrial), strings.Join(s.PurchasePrerequisites, " "), strings.Join(s.ProvisioningVariables, " "),
			}
		},
	},
	csv: layout[*partnercenter.SKU]{
		columns: []string{
			"productId", "skuId", "title", "supportedBillingCycles", "minimumQuantity", "maximumQuantity", "isTrial",
			"purchasePrerequisites", "provisioningVariables", "inventoryVariables",
		},
		row: func(s *partnercenter.SKU) []string {
			return []string{
				s.ProductID, s.ID, s.Title, cycles(s.SupportedBillingCycles), number(s.MinimumQuantity), number(s.MaximumQuantity),
				yesNo(s.IsTrial), strings.Join(s.PurchasePrerequisites, " "), strings.Join(s.ProvisioningVariables, " "), strings.Join(s.InventoryVariables, " "),
			}
		},
	},
}

var availabilitiesView = view[*partnercenter.Availability]{
	plural: "availabilities",
	table: layout[*partnercenter.Availability]{
		columns: []string{"CATALOG ITEM ID", "SEGMENT", "TERMS", "CURRENCY", "FOR SALE"},
		row: func(a *partnercenter.Availability) []string {
			return []string{a.CatalogItemID, string(a.Segment), terms(a), currency(a), yesNo(a.IsPurchasable)}
		},
	},
	wide: layout[*partnercenter.Availability]{
		columns: []string{"CATALOG ITEM ID", "SEGMENT", "TERMS", "CURRENCY", "FOR SALE", "RENEWABLE", "COUNTRY", "TITLE"},
		row: func(a *partnercenter.Availability) []string {
			return []string{a.CatalogItemID, string(a.Segment), terms(a), currency(a), yesNo(a.IsPurchasable), yesNo(a.IsRenewable), a.Country, orZero(a.SKU).Title}
		},
	},
	csv: layout[*partnercenter.Availability]{
		columns: []string{
			"catalogItemId", "productId", "skuId", "availabilityId", "segment", "country", "currencyCode", "terms",
			"isPurchasable", "isRenewable",
		},
		row: func(a *partnercenter.Availability) []string {
			return []string{
				a.CatalogItemID, a.ProductID, a.SKUID, a.ID, string(a.Segment), a.Country, currency(a), terms(a),
				yesNo(a.IsPurchasable), yesNo(a.IsRenewable),
			}
		},
	},
}

// terms joins the terms of an availability for a cell. One without end is
// there as a dash.
func terms(a *partnercenter.Availability) string {
	durations := make([]string, len(a.Terms))
	for i, term := range a.Terms {
		if durations[i] = term.Duration; term.Duration == "" {
			durations[i] = "-"
		}
	}
	return strings.Join(durations, " ")
}

func currency(a *partnercenter.Availability) string { return orZero(a.DefaultCurrency).Code }

var inventoryView = oneLayout("SKUs", []string{"PRODUCT ID", "SKU ID", "RESTRICTED", "WHY"}, []string{"productId", "skuId", "isRestricted", "restrictions"},
	func(i partnercenter.InventoryItem) []string {
		reasons := make([]string, len(i.Restrictions))
		for j, restriction := range i.Restrictions {
			reasons[j] = restriction.ReasonCode
			if restriction.Description != "" {
				reasons[j] += ": " + restriction.Description
			}
		}
		return []string{i.ProductID, i.SKUID, yesNo(i.IsRestricted), strings.Join(reasons, "; ")}
	}, 3)
