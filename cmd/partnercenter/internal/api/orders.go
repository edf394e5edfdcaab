// Package api contains the commands that call the API, one file per resource.
// Each is a row for one of the forms of package command; package connect
// provides the client.
package api

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/command"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
	"github.com/partnercenter-go/partnercenter/internal/words"
)

// Orders returns the commands about orders.
func Orders(term *terminal.Terminal) *cobra.Command {
	return command.Noun(term, "orders", "order", "Orders of customers",
		ordersList(), ordersGet(), ordersCreate(), ordersPatch(), ordersCancel(),
		command.List(command.Spec{
			Use: "provisioning ORDER --customer ID", Arg: "order id", Customer: true,
			Short:   "Show the provisioning status of an order",
			Long:    "Show the provisioning status of each line of an order. Orders of legacy offers do not have one.",
			Example: "  partnercenter orders provisioning ORDER --customer ID",
		}, terminal.OneLayout("provisioned lines", []string{"LINE", terminal.ColumnStatus, "QUANTITIES"}, []string{"lineItemNumber", "status", "quantities"},
			func(s *partnercenter.OrderLineItemProvisioningStatus) []string {
				var quantities []string
				for _, q := range s.QuantityProvisioningInformation {
					quantities = append(quantities, strings.TrimSpace(terminal.Number(q.Quantity)+" "+string(q.Status)))
				}
				return []string{terminal.Number(s.LineItemNumber), string(s.Status), strings.Join(quantities, ", ")}
			}), func(ctx context.Context, call *command.Call) iter.Seq2[*partnercenter.OrderLineItemProvisioningStatus, error] {
			return order(call).ProvisioningStatus.All(ctx)
		}),
		ordersActivationLinks(),
		ordersAttach(), ordersAttachments(), ordersWaitVisible(),
	)
}

// order returns the client for the order given as argument.
func order(call *command.Call) *partnercenter.OrderClient { return call.Customer.Orders.ByID(call.Arg) }

// maxWorkers bounds --workers. More workers only reach the service's request
// limit sooner.
const maxWorkers = partnercenter.MaxWorkers

func ordersList() command.Form {
	var (
		all                         allCustomers
		cycle                       billingCycle
		includePrice, includeSystem bool
		indirectReseller            string
	)
	view := ordersView(false, false)
	options := func() (opts []partnercenter.OrdersOption) {
		if includePrice {
			opts = append(opts, partnercenter.IncludePrice())
		}
		if includeSystem {
			opts = append(opts, partnercenter.IncludeSystemPurchases())
		}
		if indirectReseller != "" {
			opts = append(opts, partnercenter.ForIndirectReseller(indirectReseller))
		}
		return opts
	}
	return command.List(command.Spec{
		Use: "list {--customer ID | --all-customers}", Customer: true, OrAll: "all-customers", AllowShort: true,
		Short: "List a customer's orders, or those of all customers",
		Long: `List a customer's orders, newest first, or those of all customers.

A new order takes up to 15 minutes to appear in the list. System purchases are only
listed with --include-system-purchases.

With --all-customers, customers whose orders the service refuses to list are reported
at the end, and the exit code is 1; the orders of the others are still listed.

Tables have a row for each order, -o wide and -o csv one for each line item.` + terminal.OutputHelp(orderCSVColumns),
		Example: `  partnercenter orders list --customer b0d70a69-4c42-4b27-b17b-91a835d8686a
  partnercenter orders list --customer ID --billing-cycle monthly --include-price -o wide
  partnercenter orders list --all-customers -o csv > orders.csv
  partnercenter orders list --profile local --customer ID --json | jq '.[].lineItems[].friendlyName'`,
		Flags: func(cmd *cobra.Command) {
			f := cmd.Flags()
			f.BoolVar(&all.wanted, "all-customers", false, "list the orders of all customers")
			f.IntVar(&all.workers, "workers", partnercenter.DefaultWorkers, fmt.Sprintf("with --all-customers, number of customers to query concurrently: 1 to %d", maxWorkers))
			cycle.addFlag(cmd, "only orders with this billing `cycle`: "+words.Or(billingCycles()))
			f.BoolVar(&includePrice, "include-price", false, "include prices; requires the right to see them")
			f.BoolVar(&includeSystem, "include-system-purchases", false, "include orders placed by the service itself")
			f.StringVar(&indirectReseller, "indirect-reseller", "", "only orders placed for this indirect reseller's tenant `id`")
		},
		Check: func(*command.Call) error {
			if all.workers < 1 || all.workers > maxWorkers {
				return terminal.Usagef("--workers %d is out of range: use 1 to %d", all.workers, maxWorkers)
			}
			*view = *ordersView(includePrice, all.wanted)
			return cycle.parse()
		},
	}, view, func(ctx context.Context, call *command.Call) iter.Seq2[customerOrder, error] {
		if all.wanted {
			return all.orders(ctx, call, partnercenter.AllOrdersOptions{BillingCycle: cycle.value, Options: options()})
		}
		return ofCustomer(call.CustomerID, call.Customer.Orders.ByBillingCycleType(cycle.value).All(ctx, options()...))
	})
}

// ofCustomer adds the customer to orders.
func ofCustomer(id string, orders iter.Seq2[*partnercenter.Order, error]) iter.Seq2[customerOrder, error] {
	return func(yield func(customerOrder, error) bool) {
		for order, err := range orders {
			if !yield(customerOrder{customerID: id, order: order}, err) {
				return
			}
		}
	}
}

func orderOptions(includePrice bool) []partnercenter.OrderOption {
	if includePrice {
		return []partnercenter.OrderOption{partnercenter.IncludePrice()}
	}
	return nil
}

// billingCycle is the flag --billing-cycle. Its former name, --billing-type,
// still works for lists.
type billingCycle struct {
	value partnercenter.BillingCycleType
}

func (b *billingCycle) addFlag(cmd *cobra.Command, usage string) {
	cmd.Flags().SetNormalizeFunc(func(_ *pflag.FlagSet, name string) pflag.NormalizedName {
		if name == "billing-type" {
			name = "billing-cycle"
		}
		return pflag.NormalizedName(name)
	})
	cmd.Flags().StringVar((*string)(&b.value), "billing-cycle", "", usage)
	terminal.Choices(cmd, "billing-cycle", billingCycles()...)
}

// parse accepts any spelling that the service accepts.
func (b *billingCycle) parse() error {
	if b.value != "" && !b.value.Known() {
		return terminal.OneOf("billing-cycle", string(b.value), billingCycles()...)
	}
	b.value = b.value.Normalize()
	return nil
}

// billingCycles returns the values to offer, without "unknown", which stands for
// none.
func billingCycles() []string {
	return slices.DeleteFunc(words.Texts(partnercenter.BillingCycleTypes()), func(name string) bool {
		return name == string(partnercenter.BillingCycleTypeUnknown)
	})
}

func ordersGet() command.Form {
	var includePrice bool
	view := ordersView(false, false)
	return command.Get(command.Spec{
		Use: "get ORDER --customer ID", Arg: "order id", Customer: true, Short: "Show an order",
		Long: `Show an order by its id. Unlike in the list, a new order is available at once.

Ids of newer orders are case-sensitive.`,
		Example: `  partnercenter orders get 9qg-ErcO-4MPbPqq_3MIQaS7bn8W6HfG1 --customer b0d70a69-4c42-4b27-b17b-91a835d8686a
  partnercenter orders get ORDER --customer ID --include-price --json`,
		Flags: func(cmd *cobra.Command) {
			cmd.Flags().BoolVar(&includePrice, "include-price", false, "include prices; requires the right to see them")
		},
		Check: func(*command.Call) error {
			*view = *ordersView(includePrice, false)
			return nil
		},
	}, view, func(ctx context.Context, call *command.Call) (customerOrder, error) {
		o, err := order(call).Get(ctx, orderOptions(includePrice)...)
		return customerOrder{customerID: call.CustomerID, order: o}, err
	})
}

var activationLinksView = terminal.OneLayout("activation links", []string{"LINE", "LINK"}, []string{"lineItemNumber", "link"},
	func(l *partnercenter.OrderLineItemActivationLink) []string {
		return []string{terminal.Number(l.LineItemNumber), terminal.OrZero(l.Link).URI}
	})

func ordersActivationLinks() command.Form {
	line := -1
	return command.List(command.Spec{
		Use: "activation-links ORDER --customer ID", Arg: "order id", Customer: true,
		Short: "Print the activation links for marketplace purchases of an order",
		Long: `Print the links to the publishers' pages for activating marketplace purchases.
In a sandbox they do not work: use "subscriptions activate".`,
		Example: "  partnercenter orders activation-links ORDER --customer ID --line 0",
		Flags: func(cmd *cobra.Command) {
			cmd.Flags().IntVar(&line, "line", -1, "`number` of the line, from 0; -1 for all lines that need activation")
		},
	}, activationLinksView, func(ctx context.Context, call *command.Call) iter.Seq2[*partnercenter.OrderLineItemActivationLink, error] {
		if line >= 0 {
			return order(call).LineItems.ByID(line).ActivationLinks.All(ctx)
		}
		return order(call).ActivationLinks.All(ctx)
	})
}

func ordersWaitVisible() command.Form {
	var patience time.Duration
	return command.Get(command.Spec{
		Use: "wait-visible ORDER --customer ID", Arg: "order id", Customer: true,
		Short: "Wait until a new order is listed",
		Long: `Wait until a new order appears in the list of the customer's orders, which takes up
to 15 minutes, and print it. If the order does not exist, fail at once.`,
		Example: "  partnercenter orders wait-visible ORDER --customer ID --wait 30m",
		Flags: func(cmd *cobra.Command) {
			cmd.Flags().DurationVar(&patience, "wait", partnercenter.DefaultWaitTimeout, "maximum wait")
		},
		Check: func(*command.Call) error {
			if patience <= 0 {
				return terminal.Usagef("--wait %s is not a positive duration: write it like 20m", patience)
			}
			return nil
		},
	}, ordersView(false, false), func(ctx context.Context, call *command.Call) (customerOrder, error) {
		o, err := order(call).WaitVisible(ctx, &partnercenter.WaitOptions{
			Timeout: patience,
			Progress: func(waited, pause time.Duration) {
				call.Term.Linef("not listed after %s; next check in %s", waited.Round(time.Second), pause.Round(time.Second))
			},
		})
		return customerOrder{order: o}, err
	})
}

// PrintOrders prints orders of a customer as a table.
func PrintOrders(ctx context.Context, term *terminal.Terminal, pc *partnercenter.Client, customer string) error {
	p, err := terminal.NewPrinter(term, &terminal.Output{Format: terminal.FormatTable, Color: "auto"}, ordersView(false, false))
	if err != nil {
		return err
	}
	orders, err := command.Collect(ofCustomer(customer, pc.Customers.ByID(customer).Orders.All(ctx)))
	if err != nil {
		return err
	}
	return p.PrintAll(orders)
}

// customerOrder is an order with the customer whose orders were requested.
type customerOrder struct {
	customerID   string
	customerName string // set with --all-customers
	order        *partnercenter.Order
}

// customer returns the id of the order's customer. Older orders do not name it.
func (c customerOrder) customer() string {
	return cmp.Or(c.order.ReferenceCustomerID, c.customerID)
}

// ordersView returns a view of orders, optionally with prices and customers.
func ordersView(prices, several bool) *terminal.View[customerOrder] {
	// These remove columns that are not requested from rows and headers.
	table := func(customer string, row ...string) []string {
		if !prices {
			row = row[:len(row)-1]
		}
		if several {
			row = append([]string{customer}, row...)
		}
		return row
	}
	wide := func(row ...string) []string {
		if !prices {
			row = slices.Delete(row, 7, 8)
		}
		return row
	}
	gives := []int{4} // first the items, then the customer
	if several {
		gives = []int{5, 0}
	}
	return &terminal.View[customerOrder]{
		Plural: "orders", Resource: func(c customerOrder) any { return c.order },
		Table: terminal.Layout[customerOrder]{
			Columns: table("CUSTOMER", "ORDER ID", "CREATED", terminal.ColumnStatus, "BILLING", "ITEMS", terminal.ColumnTotal), Gives: gives,
			Row: func(c customerOrder) []string {
				o := c.order
				return table(c.customerName, o.ID, terminal.ShortTime(o.CreationDate), string(o.Status), string(o.BillingCycle), itemsSummary(o.LineItems), amount(o))
			},
		},
		Wide: terminal.Layout[customerOrder]{
			Columns: wide("CUSTOMER ID", "ORDER ID", "ALTERNATE ID", "CREATED", terminal.ColumnStatus, "BILLING", "CURRENCY", terminal.ColumnTotal,
				"LINE", terminal.ColumnQuantity, "ITEM", "OFFER ID", "SUBSCRIPTION ID"),
			Rows: func(c customerOrder) [][]string {
				o := c.order
				return eachLine(o, func(l partnercenter.OrderLineItem) []string {
					return wide(c.customer(), o.ID, o.AlternateID, terminal.ShortTime(o.CreationDate), string(o.Status), string(o.BillingCycle), o.CurrencyCode, amount(o),
						terminal.Number(l.LineItemNumber), terminal.Number(l.Quantity), l.FriendlyName, l.OfferID, l.SubscriptionID)
				})
			},
		},
		CSV: terminal.Layout[customerOrder]{Columns: orderCSVColumns, Rows: orderCSVRows},
	}
}

// orderCSVColumns are documented: append only.
var orderCSVColumns = []string{
	"customerId", "orderId", "alternateId", "creationDate", "status", "billingCycle", "transactionType",
	"currencyCode", "totalPrice", "lineItemNumber", "offerId", "subscriptionId", "friendlyName", "quantity",
	"termDuration", "lineTransactionType", "promotionId", "partnerIdOnRecord", "price", "extendedPrice",
}

func orderCSVRows(c customerOrder) [][]string {
	o := c.order
	return eachLine(o, func(l partnercenter.OrderLineItem) []string {
		pricing := terminal.OrZero(l.Pricing)
		return []string{
			c.customer(), o.ID, o.AlternateID, terminal.ExactTime(o.CreationDate), string(o.Status), string(o.BillingCycle), string(o.TransactionType),
			o.CurrencyCode, string(o.TotalPrice), terminal.Number(l.LineItemNumber), l.OfferID, l.SubscriptionID, l.FriendlyName, terminal.Number(l.Quantity),
			terminal.OrZero(l.TermDuration), string(l.TransactionType), l.PromotionID, l.PartnerIDOnRecord, string(pricing.Price), string(pricing.ExtendedPrice),
		}
	})
}

// eachLine returns a row for each line item, or one row for an order without any.
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

// itemsSummary returns the name of the first line item and the number of others.
func itemsSummary(lines []partnercenter.OrderLineItem) string {
	if len(lines) == 0 {
		return ""
	}
	first := lines[0]
	summary := cmp.Or(first.FriendlyName, first.OfferID)
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
