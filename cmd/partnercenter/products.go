package main

import (
	"iter"
	"strings"

	"github.com/spf13/cobra"

	"github.com/partnercenter-go/partnercenter"
)

func newProductsCmd(app *app) *cobra.Command {
	var c connection
	cmd := newGroupCmd("products", "Products, SKUs and what of them can be ordered", newProductsListCmd(app, &c), newProductsGetCmd(app, &c),
		newSKUsCmd(app, &c), newAvailabilitiesCmd(app, &c), newInventoryCmd(app, &c))
	cmd.Aliases = []string{"product"}
	c.addFlags(app, cmd)
	return cmd
}

func newProductsListCmd(app *app, c *connection) *cobra.Command {
	var (
		market   marketOptions
		narrow   selectOptions
		output   outputOptions
		viewName string
	)
	views := texts(partnercenter.TargetViews())
	cmd := &cobra.Command{
		Use:   "list {--country CC | --customer ID} --view VIEW",
		Short: "List the products of a country or for a customer",
		Long:  "List the products of a view that are sold in a country, or in a customer's. Legacy\noffers have products, too." + outputHelp(productCSVColumns),
		Example: `  partnercenter products list --country US --view OnlineServices
  partnercenter products list --customer ID --view AzureReservations --reservation-scope AzurePlan
  partnercenter products list --country DE --view Software -o jsonl | jq -r .title`,
		Args:              noArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		PreRunE:           firstOf(exclusive("country", "customer"), exclusive("output", "json")),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := market.check("products", true); err != nil {
				return err
			}
			if viewName == "" {
				return usageErrorf("which products? Give --view: %s", orList(views))
			}
			target := partnercenter.TargetView(viewName).Normalize()
			if err := oneOf("view", string(target), views...); err != nil {
				return err
			}
			segment, scope, err := narrow.values()
			if err != nil {
				return err
			}
			return printAll(app, c, &output, productsView, func(pc *partnercenter.Client) iter.Seq2[*partnercenter.Product, error] {
				return market.products(pc).ByTargetView(target).ByTargetSegment(segment).ByReservationScope(scope).All(cmd.Context())
			})
		},
	}
	cmd.Flags().SortFlags = false
	market.addFlags(cmd, true)
	cmd.Flags().StringVar(&viewName, "view", "", "which products: `view` is "+orList(views))
	registerValues(cmd, "view", views...)
	narrow.addFlags(cmd)
	output.addFlags(cmd)
	return cmd
}

func newProductsGetCmd(app *app, c *connection) *cobra.Command {
	var (
		market marketOptions
		output outputOptions
	)
	cmd := &cobra.Command{
		Use:   "get PRODUCT {--country CC | --customer ID}",
		Short: "Show a product",
		Long:  "Show a product by its id, in any case.",
		Example: `  partnercenter products get DZH318Z0BQ3Q --country US
  partnercenter products get PRODUCT --customer ID --json | jq .productType`,
		Args:              oneArg("product id"),
		ValidArgsFunction: cobra.NoFileCompletions,
		PreRunE:           firstOf(exclusive("country", "customer"), exclusive("output", "json")),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := market.check("sold", true); err != nil {
				return err
			}
			return printGot(app, c, &output, productsView, func(pc *partnercenter.Client) (*partnercenter.Product, error) {
				return market.products(pc).ByID(args[0]).Get(cmd.Context())
			})
		},
	}
	cmd.Flags().SortFlags = false
	market.addFlags(cmd, true)
	output.addFlags(cmd)
	return cmd
}

func newSKUsCmd(app *app, c *connection) *cobra.Command {
	var (
		market marketOptions
		narrow selectOptions
		output outputOptions
		sku    string
	)
	cmd := &cobra.Command{
		Use:   "skus PRODUCT {--country CC | --customer ID}",
		Short: "List the SKUs of a product, or show one",
		Long:  "List the SKUs of a product that are sold in a country, or in a customer's. With --sku,\nshow one." + outputHelp(skuCSVColumns),
		Example: `  partnercenter products skus DZH318Z0BQ5S --country US -o wide
  partnercenter products skus PRODUCT --customer ID --sku 0001 --json`,
		Args:              oneArg("product id"),
		ValidArgsFunction: cobra.NoFileCompletions,
		PreRunE:           firstOf(exclusive("country", "customer"), exclusive("sku", "segment"), exclusive("sku", "reservation-scope"), exclusive("output", "json")),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := market.check("SKUs", true); err != nil {
				return err
			}
			segment, scope, err := narrow.values()
			if err != nil {
				return err
			}
			if sku != "" {
				return printGot(app, c, &output, skusView, func(pc *partnercenter.Client) (*partnercenter.SKU, error) {
					return market.products(pc).ByID(args[0]).SKUs.ByID(sku).Get(cmd.Context())
				})
			}
			return printAll(app, c, &output, skusView, func(pc *partnercenter.Client) iter.Seq2[*partnercenter.SKU, error] {
				return market.products(pc).ByID(args[0]).SKUs.ByTargetSegment(segment).ByReservationScope(scope).All(cmd.Context())
			})
		},
	}
	cmd.Flags().SortFlags = false
	market.addFlags(cmd, true)
	cmd.Flags().StringVar(&sku, "sku", "", "show the SKU with this `id`")
	_ = cmd.RegisterFlagCompletionFunc("sku", cobra.NoFileCompletions)
	narrow.addFlags(cmd)
	output.addFlags(cmd)
	return cmd
}

func newAvailabilitiesCmd(app *app, c *connection) *cobra.Command {
	var (
		market            marketOptions
		narrow            selectOptions
		output            outputOptions
		sku, availability string
	)
	cmd := &cobra.Command{
		Use:   "availabilities PRODUCT --sku SKU {--country CC | --customer ID}",
		Short: "List the availabilities of a SKU, or show one",
		Long: `List the availabilities of a SKU in a country, or in a customer's. With
--availability, show one. The catalog item id is what an order names.` + outputHelp(availabilityCSVColumns),
		Example: `  partnercenter products availabilities DZH318Z0BQ4B --sku 000Z --country US
  partnercenter products availabilities PRODUCT --sku 0001 --customer ID -o jsonl | jq -r .catalogItemId`,
		Args:              oneArg("product id"),
		ValidArgsFunction: cobra.NoFileCompletions,
		PreRunE:           firstOf(exclusive("country", "customer"), exclusive("availability", "segment"), exclusive("availability", "reservation-scope"), exclusive("output", "json")),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := market.check("availabilities", true); err != nil {
				return err
			}
			if sku == "" {
				return usageErrorf("availabilities of which SKU? Give --sku ID")
			}
			segment, scope, err := narrow.values()
			if err != nil {
				return err
			}
			if availability != "" {
				return printGot(app, c, &output, availabilitiesView, func(pc *partnercenter.Client) (*partnercenter.Availability, error) {
					return market.products(pc).ByID(args[0]).SKUs.ByID(sku).Availabilities.ByID(availability).Get(cmd.Context())
				})
			}
			return printAll(app, c, &output, availabilitiesView, func(pc *partnercenter.Client) iter.Seq2[*partnercenter.Availability, error] {
				return market.products(pc).ByID(args[0]).SKUs.ByID(sku).Availabilities.ByTargetSegment(segment).ByReservationScope(scope).All(cmd.Context())
			})
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	market.addFlags(cmd, true)
	f.StringVar(&sku, "sku", "", "the SKU's `id`")
	f.StringVar(&availability, "availability", "", "show the availability with this `id`")
	_ = cmd.RegisterFlagCompletionFunc("sku", cobra.NoFileCompletions)
	_ = cmd.RegisterFlagCompletionFunc("availability", cobra.NoFileCompletions)
	narrow.addFlags(cmd)
	output.addFlags(cmd)
	return cmd
}

func newInventoryCmd(app *app, c *connection) *cobra.Command {
	var (
		market                         marketOptions
		output                         outputOptions
		customer, subscription, region string
	)
	cmd := &cobra.Command{
		Use:   "inventory PRODUCT[:SKU]... --country CC",
		Short: "Check whether SKUs can be bought now",
		Long: `Check whether SKUs can be bought now: those that are named, or all of a product.
SKUs that the service does not know are left out. Reservations may ask for a
customer, an Azure subscription and a region.` + outputHelp(inventoryCSVColumns),
		Example: `  partnercenter products inventory DZH318Z0BQ4B:000Z --country US
  partnercenter products inventory DZH318Z0BQ3P --country US --customer ID --subscription ID --region japanwest`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usageErrorf("%s needs a product, or product:sku", cmd.CommandPath())
			}
			return nil
		},
		ValidArgsFunction: cobra.NoFileCompletions,
		PreRunE:           exclusive("output", "json"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := market.check("bought", false); err != nil {
				return err
			}
			var request partnercenter.InventoryCheckRequest
			for _, arg := range args {
				product, sku, _ := strings.Cut(arg, ":")
				request.TargetItems = append(request.TargetItems, partnercenter.InventoryItem{ProductID: product, SKUID: sku})
			}
			request.InventoryContext = map[string]string{}
			for key, value := range map[string]string{"customerId": customer, "azureSubscriptionId": subscription, "armRegionName": region} {
				if value != "" {
					request.InventoryContext[key] = value
				}
			}
			return printAll(app, c, &output, inventoryView, func(pc *partnercenter.Client) iter.Seq2[partnercenter.InventoryItem, error] {
				return func(yield func(partnercenter.InventoryItem, error) bool) {
					items, err := pc.Extensions.Product.ByCountry(market.country).CheckInventory(cmd.Context(), request)
					if err != nil {
						yield(partnercenter.InventoryItem{}, err)
						return
					}
					for _, item := range items {
						if !yield(item, nil) {
							return
						}
					}
				}
			})
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	market.addFlags(cmd, false)
	f.StringVar(&customer, "customer", "", "tenant `id` of the customer to buy for")
	f.StringVar(&subscription, "subscription", "", "`id` of the customer's Azure subscription")
	f.StringVar(&region, "region", "", "`name` of the Azure region, such as westeurope")
	for _, free := range []string{"customer", "subscription", "region"} {
		_ = cmd.RegisterFlagCompletionFunc(free, cobra.NoFileCompletions)
	}
	output.addFlags(cmd)
	return cmd
}

var productsView = view[*partnercenter.Product]{
	plural:   "products",
	resource: func(p *partnercenter.Product) any { return p },
	table: layout[*partnercenter.Product]{
		columns: []string{"PRODUCT ID", "TITLE", "TYPE"},
		gives:   []int{1},
		rows: func(p *partnercenter.Product) [][]string {
			return [][]string{{p.ID, p.Title, productType(p)}}
		},
	},
	wide: layout[*partnercenter.Product]{
		columns: []string{"PRODUCT ID", "TITLE", "TYPE", "PUBLISHER", "DESCRIPTION"},
		rows: func(p *partnercenter.Product) [][]string {
			return [][]string{{p.ID, p.Title, productType(p), p.PublisherName, p.Description}}
		},
	},
	csv: layout[*partnercenter.Product]{
		columns: productCSVColumns,
		rows: func(p *partnercenter.Product) [][]string {
			return [][]string{{p.ID, p.Title, productType(p), p.PublisherName, yesNo(p.IsMicrosoftProduct), p.Description}}
		},
	},
}

// productCSVColumns are documented: add at the end only.
var productCSVColumns = []string{"productId", "title", "productType", "publisherName", "isMicrosoftProduct", "description"}

// productType is a product's type with its sub-type: Azure/VirtualMachines.
func productType(p *partnercenter.Product) string {
	var names []string
	for t := p.ProductType; t != nil; t = t.SubType {
		names = append(names, t.ID)
	}
	return strings.Join(names, "/")
}

var skusView = view[*partnercenter.SKU]{
	plural:   "SKUs",
	resource: func(s *partnercenter.SKU) any { return s },
	table: layout[*partnercenter.SKU]{
		columns: []string{"SKU ID", "TITLE", "BILLING", "MAXIMUM"},
		gives:   []int{1},
		rows: func(s *partnercenter.SKU) [][]string {
			return [][]string{{s.ID, s.Title, cycles(s.SupportedBillingCycles), number(s.MaximumQuantity)}}
		},
	},
	wide: layout[*partnercenter.SKU]{
		columns: []string{"PRODUCT ID", "SKU ID", "TITLE", "BILLING", "MINIMUM", "MAXIMUM", "TRIAL", "BEFORE BUYING", "TO PROVISION"},
		rows: func(s *partnercenter.SKU) [][]string {
			return [][]string{{
				s.ProductID, s.ID, s.Title, cycles(s.SupportedBillingCycles), number(s.MinimumQuantity), number(s.MaximumQuantity),
				yesNo(s.IsTrial), strings.Join(s.PurchasePrerequisites, " "), strings.Join(s.ProvisioningVariables, " "),
			}}
		},
	},
	csv: layout[*partnercenter.SKU]{
		columns: skuCSVColumns,
		rows: func(s *partnercenter.SKU) [][]string {
			return [][]string{{
				s.ProductID, s.ID, s.Title, cycles(s.SupportedBillingCycles), number(s.MinimumQuantity), number(s.MaximumQuantity),
				yesNo(s.IsTrial), strings.Join(s.PurchasePrerequisites, " "), strings.Join(s.ProvisioningVariables, " "), strings.Join(s.InventoryVariables, " "),
			}}
		},
	},
}

// skuCSVColumns are documented: add at the end only.
var skuCSVColumns = []string{
	"productId", "skuId", "title", "supportedBillingCycles", "minimumQuantity", "maximumQuantity", "isTrial",
	"purchasePrerequisites", "provisioningVariables", "inventoryVariables",
}

var availabilitiesView = view[*partnercenter.Availability]{
	plural:   "availabilities",
	resource: func(a *partnercenter.Availability) any { return a },
	table: layout[*partnercenter.Availability]{
		columns: []string{"CATALOG ITEM ID", "SEGMENT", "TERMS", "CURRENCY", "FOR SALE"},
		rows: func(a *partnercenter.Availability) [][]string {
			return [][]string{{a.CatalogItemID, string(a.Segment), terms(a), currency(a), yesNo(a.IsPurchasable)}}
		},
	},
	wide: layout[*partnercenter.Availability]{
		columns: []string{"CATALOG ITEM ID", "SEGMENT", "TERMS", "CURRENCY", "FOR SALE", "RENEWABLE", "COUNTRY", "TITLE"},
		rows: func(a *partnercenter.Availability) [][]string {
			title := ""
			if a.SKU != nil {
				title = a.SKU.Title
			}
			return [][]string{{a.CatalogItemID, string(a.Segment), terms(a), currency(a), yesNo(a.IsPurchasable), yesNo(a.IsRenewable), a.Country, title}}
		},
	},
	csv: layout[*partnercenter.Availability]{
		columns: availabilityCSVColumns,
		rows: func(a *partnercenter.Availability) [][]string {
			return [][]string{{
				a.CatalogItemID, a.ProductID, a.SKUID, a.ID, string(a.Segment), a.Country, currency(a), terms(a),
				yesNo(a.IsPurchasable), yesNo(a.IsRenewable),
			}}
		},
	},
}

// availabilityCSVColumns are documented: add at the end only.
var availabilityCSVColumns = []string{
	"catalogItemId", "productId", "skuId", "availabilityId", "segment", "country", "currencyCode", "terms",
	"isPurchasable", "isRenewable",
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

func currency(a *partnercenter.Availability) string {
	if a.DefaultCurrency == nil {
		return ""
	}
	return a.DefaultCurrency.Code
}

var inventoryView = view[partnercenter.InventoryItem]{
	plural:   "SKUs",
	resource: func(i partnercenter.InventoryItem) any { return i },
	table:    layout[partnercenter.InventoryItem]{columns: []string{"PRODUCT ID", "SKU ID", "RESTRICTED", "WHY"}, gives: []int{3}, rows: inventoryRows},
	wide:     layout[partnercenter.InventoryItem]{columns: []string{"PRODUCT ID", "SKU ID", "RESTRICTED", "WHY"}, rows: inventoryRows},
	csv:      layout[partnercenter.InventoryItem]{columns: inventoryCSVColumns, rows: inventoryRows},
}

// inventoryCSVColumns are documented: add at the end only.
var inventoryCSVColumns = []string{"productId", "skuId", "isRestricted", "restrictions"}

func inventoryRows(i partnercenter.InventoryItem) [][]string {
	reasons := make([]string, len(i.Restrictions))
	for j, restriction := range i.Restrictions {
		reasons[j] = restriction.ReasonCode
		if restriction.Description != "" {
			reasons[j] += ": " + restriction.Description
		}
	}
	return [][]string{{i.ProductID, i.SKUID, yesNo(i.IsRestricted), strings.Join(reasons, "; ")}}
}
