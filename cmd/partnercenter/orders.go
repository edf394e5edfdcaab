package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/partnercenter-go/partnercenter"
)

func newOrdersCmd(app *app) *cobra.Command {
	var c connection
	cmd := newGroupCmd("orders", "Orders of customers",
		newOrdersListCmd(app, &c), newOrdersGetCmd(app, &c),
		newOrdersCreateCmd(app, &c), newOrdersPatchCmd(app, &c), newOrdersCancelCmd(app, &c),
		newOrdersProvisioningCmd(app, &c), newOrdersActivationLinksCmd(app, &c),
		newOrdersAttachCmd(app, &c), newOrdersAttachmentsCmd(app, &c), newOrdersWaitCmd(app, &c),
	)
	cmd.Aliases = []string{"order"}
	c.addFlags(app, cmd)
	return cmd
}

// ordersListOptions are the flags of orders list.
type ordersListOptions struct {
	connection       *connection
	output           outputOptions
	customer         string
	allCustomers     bool
	workers          int
	billingType      string
	includePrice     bool
	includeSystem    bool
	indirectReseller string
	allowShort       bool
}

// maxWorkers bounds --workers: the service counts requests by the minute, and
// more at once only meet its limit sooner.
const maxWorkers = 32

func newOrdersListCmd(app *app, c *connection) *cobra.Command {
	o := &ordersListOptions{connection: c}
	cmd := &cobra.Command{
		Use:   "list {--customer ID | --all-customers}",
		Short: "List a customer's orders, or those of all customers",
		Long: `List a customer's orders, newest first, or those of all customers.

A new order takes up to 15 minutes to show in the list. System purchases are left
out unless --include-system-purchases asks for them.

With --all-customers, a customer whose orders the service refuses is named at the
end, and the exit code is 1; the orders of the others are listed all the same.

Tables have a row for every order; -o wide and -o csv one for every line item.` + outputHelp(orderCSVColumns),
		Example: `  partnercenter orders list --customer b0d70a69-4c42-4b27-b17b-91a835d8686a
  partnercenter orders list --customer ID --billing-type monthly --include-price -o wide
  partnercenter orders list --all-customers -o csv > orders.csv
  partnercenter orders list --profile local --customer ID --json | jq '.[].lineItems[].friendlyName'`,
		Args:              noArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		PreRunE:           firstOf(exclusive("customer", "all-customers"), exclusive("output", "json")),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return o.run(cmd.Context(), app)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&o.customer, "customer", "", "the customer's tenant `id`")
	f.BoolVar(&o.allCustomers, "all-customers", false, "list the orders of all customers")
	f.IntVar(&o.workers, "workers", 4, fmt.Sprintf("with --all-customers, how many customers to ask about at once: 1 to %d", maxWorkers))
	f.StringVar(&o.billingType, "billing-type", "", "only orders billed this way: `type` is "+orList(billingTypes()))
	f.BoolVar(&o.includePrice, "include-price", false, "ask for prices, which takes the right to see them")
	f.BoolVar(&o.includeSystem, "include-system-purchases", false, "list orders that the service placed itself, too")
	f.StringVar(&o.indirectReseller, "indirect-reseller", "", "only orders placed for this indirect reseller's tenant `id`")
	f.BoolVar(&o.allowShort, "allow-short", false, "take answers that carry fewer items than they count, instead of failing")
	o.output.addFlags(cmd)
	registerValues(cmd, "billing-type", billingTypes()...)
	for _, free := range []string{"customer", "indirect-reseller", "workers"} {
		_ = cmd.RegisterFlagCompletionFunc(free, cobra.NoFileCompletions)
	}
	return cmd
}

func (o *ordersListOptions) run(ctx context.Context, app *app) error {
	switch {
	case o.customer == "" && !o.allCustomers:
		return usageErrorf("which customer's orders? Give --customer ID, or --all-customers")
	case o.workers < 1 || o.workers > maxWorkers:
		return usageErrorf("--workers %d is out of range: use 1 to %d", o.workers, maxWorkers)
	}
	cycle, err := parseBillingCycle("billing-type", o.billingType)
	if err != nil {
		return err
	}
	p, err := newPrinter(app, &o.output, ordersView(o.includePrice, o.allCustomers))
	if err != nil {
		return err
	}
	pc, err := o.connection.client(app, o.allowShort)
	if err != nil {
		return err
	}
	list := func(ctx context.Context, customer string) ([]*partnercenter.Order, error) {
		return collect(pc.Customers.ByID(customer).Orders.ByBillingCycle(cycle).All(ctx, o.queryOptions()...))
	}
	if o.allCustomers {
		return o.listAll(ctx, app, pc, list, p)
	}
	orders, err := list(ctx, o.customer)
	if err != nil {
		return err
	}
	for _, order := range orders {
		if err := p.add(customerOrder{customerID: o.customer, order: order}); err != nil {
			return err
		}
	}
	return p.end()
}

func (o *ordersListOptions) queryOptions() []partnercenter.OrdersOption {
	var opts []partnercenter.OrdersOption
	if o.includePrice {
		opts = append(opts, partnercenter.IncludePrice())
	}
	if o.includeSystem {
		opts = append(opts, partnercenter.IncludeSystemPurchases())
	}
	if o.indirectReseller != "" {
		opts = append(opts, partnercenter.ForIndirectReseller(o.indirectReseller))
	}
	return opts
}

// billingTypes are the values to offer; the service takes "unknown" for none.
func billingTypes() []string {
	var names []string
	for _, b := range partnercenter.BillingCycles() {
		if b != partnercenter.BillingCycleUnknown {
			names = append(names, string(b))
		}
	}
	return names
}

// parseBillingCycle reads any spelling that the service reads.
func parseBillingCycle(flag, text string) (partnercenter.BillingCycleType, error) {
	cycle := partnercenter.BillingCycleType(text)
	if text == "" || cycle.Known() {
		return cycle.Normalize(), nil
	}
	return "", oneOf(flag, text, billingTypes()...)
}

func newOrdersGetCmd(app *app, c *connection) *cobra.Command {
	var (
		output       outputOptions
		customer     string
		includePrice bool
	)
	cmd := &cobra.Command{
		Use:   "get ORDER --customer ID",
		Short: "Show an order",
		Long: `Show an order by its id. Unlike the list, it has a new order at once.

Ids of newer orders are case-sensitive.`,
		Example: `  partnercenter orders get 9qg-ErcO-4MPbPqq_3MIQaS7bn8W6HfG1 --customer b0d70a69-4c42-4b27-b17b-91a835d8686a
  partnercenter orders get ORDER --customer ID --include-price --json`,
		Args:              oneArg("order id"),
		ValidArgsFunction: cobra.NoFileCompletions,
		PreRunE:           exclusive("output", "json"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if customer == "" {
				return usageErrorf("whose order is it? Give --customer ID")
			}
			p, err := newPrinter(app, &output, ordersView(includePrice, false))
			if err != nil {
				return err
			}
			pc, err := c.client(app, false)
			if err != nil {
				return err
			}
			var opts []partnercenter.OrdersOption
			if includePrice {
				opts = append(opts, partnercenter.IncludePrice())
			}
			order, err := pc.Customers.ByID(customer).Orders.ByID(args[0]).Get(cmd.Context(), opts...)
			if err != nil {
				return err
			}
			return printOne(p, customerOrder{customerID: customer, order: order})
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&customer, "customer", "", "the customer's tenant `id`")
	f.BoolVar(&includePrice, "include-price", false, "ask for prices, which takes the right to see them")
	output.addFlags(cmd)
	_ = cmd.RegisterFlagCompletionFunc("customer", cobra.NoFileCompletions)
	return cmd
}

// customerOrder is an order with the customer that was asked about.
type customerOrder struct {
	customerID   string
	customerName string // known with --all-customers
	order        *partnercenter.Order
}

// customer is the id that the order names, or the one that was asked about:
// older orders name none.
func (c customerOrder) customer() string {
	if id := c.order.ReferenceCustomerID; id != "" {
		return id
	}
	return c.customerID
}

// ordersView shows orders; with prices if they were asked for, with the
// customer if there are several.
func ordersView(prices, several bool) view[customerOrder] {
	v := view[customerOrder]{plural: "orders", resource: func(c customerOrder) any { return c.order }}
	v.csv = layout[customerOrder]{columns: orderCSVColumns, rows: orderCSVRows}

	v.table.rows = func(c customerOrder) [][]string {
		o := c.order
		var row []string
		if several {
			row = append(row, c.customerName)
		}
		row = append(row, o.ID, shortTime(o.CreationDate), string(o.Status), string(o.BillingCycle), itemsSummary(o.LineItems))
		if prices {
			row = append(row, amount(o))
		}
		return [][]string{row}
	}
	if several {
		v.table.columns = append(v.table.columns, "CUSTOMER")
	}
	v.table.columns = append(v.table.columns, "ORDER ID", "CREATED", columnStatus, "BILLING", "ITEMS")
	v.table.gives = []int{len(v.table.columns) - 1} // the items, then the customer
	if several {
		v.table.gives = append(v.table.gives, 0)
	}
	if prices {
		v.table.columns = append(v.table.columns, columnTotal)
	}

	v.wide.columns = []string{"CUSTOMER ID", "ORDER ID", "ALTERNATE ID", "CREATED", columnStatus, "BILLING", "CURRENCY"}
	if prices {
		v.wide.columns = append(v.wide.columns, columnTotal)
	}
	v.wide.columns = append(v.wide.columns, "LINE", columnQuantity, "ITEM", "OFFER ID", "SUBSCRIPTION ID")
	v.wide.rows = func(c customerOrder) [][]string {
		o := c.order
		return eachLine(o, func(l partnercenter.OrderLineItem) []string {
			row := []string{c.customer(), o.ID, o.AlternateID, shortTime(o.CreationDate), string(o.Status), string(o.BillingCycle), o.CurrencyCode}
			if prices {
				row = append(row, amount(o))
			}
			return append(row, number(l.LineItemNumber), number(l.Quantity), l.FriendlyName, l.OfferID, l.SubscriptionID)
		})
	}
	return v
}

// orderCSVColumns are documented: add at the end only.
var orderCSVColumns = []string{
	"customerId", "orderId", "alternateId", "creationDate", "status", "billingCycle", "transactionType",
	"currencyCode", "totalPrice", "lineItemNumber", "offerId", "subscriptionId", "friendlyName", "quantity",
	"termDuration", "lineTransactionType", "promotionId", "partnerIdOnRecord", "price", "extendedPrice",
}

func orderCSVRows(c customerOrder) [][]string {
	o := c.order
	return eachLine(o, func(l partnercenter.OrderLineItem) []string {
		var term string
		if l.TermDuration != nil {
			term = *l.TermDuration
		}
		var pricing partnercenter.Pricing
		if l.Pricing != nil {
			pricing = *l.Pricing
		}
		return []string{
			c.customer(), o.ID, o.AlternateID, exactTime(o.CreationDate), string(o.Status), string(o.BillingCycle), string(o.TransactionType),
			o.CurrencyCode, string(o.TotalPrice), number(l.LineItemNumber), l.OfferID, l.SubscriptionID, l.FriendlyName, number(l.Quantity),
			term, string(l.TransactionType), l.PromotionID, l.PartnerIDOnRecord, string(pricing.Price), string(pricing.ExtendedPrice),
		}
	})
}

// eachLine makes a row of each line item, and one of an order without any.
func eachLine(o *partnercenter.Order, row func(partnercenter.OrderLineItem) []string) [][]string {
	lines := o.LineItems
	if len(lines) == 0 {
		lines = []partnercenter.OrderLineItem{{}}
	}
	rows := make([][]string, len(lines))
	for i, line := range lines {
		rows[i] = row(line)
	}
	return rows
}

// itemsSummary names the first line item and counts the others.
func itemsSummary(lines []partnercenter.OrderLineItem) string {
	if len(lines) == 0 {
		return ""
	}
	first := lines[0]
	summary := first.FriendlyName
	if summary == "" {
		summary = first.OfferID
	}
	if first.Quantity != nil {
		summary = strings.TrimSpace(fmt.Sprintf("%d × %s", *first.Quantity, summary))
	}
	if more := len(lines) - 1; more > 0 {
		summary += fmt.Sprintf(", +%d", more)
	}
	return summary
}

func amount(o *partnercenter.Order) string {
	if o.TotalPrice == "" {
		return ""
	}
	return strings.TrimSpace(string(o.TotalPrice) + " " + o.CurrencyCode)
}

func number(n *int) string {
	if n == nil {
		return ""
	}
	return strconv.Itoa(*n)
}

// shortTime is for reading and sorting: UTC, to the second.
func shortTime(t partnercenter.Time) string { return formatTime(t, time.RFC3339) }

// exactTime is for programs: UTC, with all digits.
func exactTime(t partnercenter.Time) string { return formatTime(t, time.RFC3339Nano) }

// formatTime leaves text that is no date as it is.
func formatTime(t partnercenter.Time, layout string) string {
	switch at := t.Time(); {
	case !at.IsZero():
		return at.UTC().Format(layout)
	case t.Valid():
		return "" // the service's "unset"
	default:
		return t.String()
	}
}
