// Package api contains the commands that call the API, one file per resource.
// Each is a row for one of the forms of package command; package connect
// provides the client.
package api

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/command"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
	"github.com/partnercenter-go/partnercenter/internal/ascii"
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
		}, orderProvisioningView, func(ctx context.Context, call *command.Call) iter.Seq2[*partnercenter.OrderLineItemProvisioningStatus, error] {
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
	filter := filterBy(partnercenter.OrderStatuses())
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
			filter.addFlags(cmd)
		},
		Check: func(*command.Call) error {
			if all.workers < 1 || all.workers > maxWorkers {
				return terminal.Usagef("--workers %d is out of range: use 1 to %d", all.workers, maxWorkers)
			}
			*view = *ordersView(includePrice, all.wanted)
			return cmp.Or(cycle.parse(), filter.parse())
		},
	}, view, func(ctx context.Context, call *command.Call) iter.Seq2[customerOrder, error] {
		var orders iter.Seq2[customerOrder, error]
		switch {
		case all.wanted:
			orders = all.orders(ctx, call, partnercenter.AllOrdersOptions{BillingCycle: cycle.value, Options: options()})
		case cycle.value != "":
			orders = ofCustomer(call, call.Customer.Orders.ByBillingCycleType(cycle.value).All(ctx, options()...))
		default:
			orders = ofCustomer(call, call.Customer.Orders.All(ctx, options()...))
		}
		return only(orders, func(c customerOrder) bool { return filter.matches(c.order.CreationDate, string(c.order.Status)) })
	})
}

// ofCustomer adds the customer to orders.
func ofCustomer(call *command.Call, orders iter.Seq2[*partnercenter.Order, error]) iter.Seq2[customerOrder, error] {
	return func(yield func(customerOrder, error) bool) {
		for order, err := range orders {
			if !yield(inCall(call, order), err) {
				return
			}
		}
	}
}

// inCall adds the customer of the call to an order.
func inCall(call *command.Call, order *partnercenter.Order) customerOrder {
	return customerOrder{customerID: call.CustomerID, customerName: call.CustomerName, order: order}
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

// named reports whether a billing cycle is one.
func named(cycle partnercenter.BillingCycleType) bool {
	return cycle != "" && cycle.Normalize() != partnercenter.BillingCycleTypeUnknown
}

func ordersGet() command.Form {
	var includePrice bool
	view := ordersView(false, false)
	return command.Get(command.Spec{
		Use: "get ORDER --customer ID", Arg: "order id", Customer: true, Short: "Show an order",
		Long: `Show an order by its id. Unlike in the list, a new order is available at once.

The details for people have prices, if they may be seen, and until when what was
bought can be cancelled. Other formats have prices with --include-price.

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
		c := inCall(call, nil)
		var err error
		c.order, err = order(call).Get(ctx, orderOptions(includePrice || call.Details)...)
		if refused := new(partnercenter.Error); call.Details && !includePrice && errors.As(err, &refused) && refused.Code == partnercenter.ErrorCodePriceNotGranted {
			c.noPrices = true
			c.order, err = order(call).Get(ctx)
		}
		if err == nil && call.Details {
			c.lookUpSubscriptions(ctx, call)
			c.lookUpUndoing(ctx, call)
		}
		return c, err
	})
}

// lookUpSubscriptions gets what the details of an order say of its subscriptions.
// They are printed without it, too.
func (c *customerOrder) lookUpSubscriptions(ctx context.Context, call *command.Call) {
	if !slices.ContainsFunc(c.order.LineItems, func(l partnercenter.OrderLineItem) bool { return l.SubscriptionID != "" }) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, lookUpTime)
	defer cancel()
	var err error
	if c.subscriptions, err = command.Collect(ctx, call.Customer.Subscriptions.ByOrder(call.Arg).All); err != nil {
		c.notFound = terminal.Explain(err, call.Term.Now()).What
	}
}

// lookUpUndoing gets what the details say of undoing the order's lines, of those that are
// not cancelled.
func (c *customerOrder) lookUpUndoing(ctx context.Context, call *command.Call) {
	ctx, cancel := context.WithTimeout(ctx, lookUpTime)
	defer cancel()
	for i := range c.order.LineItems {
		line := &c.order.LineItems[i]
		var facts terminal.Facts
		if line.Quantity == nil || *line.Quantity > 0 {
			s := c.subscription(line)
			var (
				found item
				err   error
			)
			if s == nil && strings.Contains(line.OfferID, ":") { // a subscription says it itself
				found, err = lookUp(ctx, call, line.OfferID)
			}
			facts = undoing(found, err, line, s, c.order, call)
		}
		c.undoing = append(c.undoing, facts)
	}
}

// subscription returns that of a line, or nil if it is not known.
func (c *customerOrder) subscription(line *partnercenter.OrderLineItem) *partnercenter.Subscription {
	at := slices.IndexFunc(c.subscriptions, func(s *partnercenter.Subscription) bool { return ascii.EqualFold(s.ID, line.SubscriptionID) })
	if at < 0 {
		return nil
	}
	return c.subscriptions[at]
}

var orderProvisioningView = &terminal.View[*partnercenter.OrderLineItemProvisioningStatus]{
	Plural: "provisioned lines",
	Columns: []terminal.Column[*partnercenter.OrderLineItemProvisioningStatus]{
		{Name: "lineItemNumber", Header: "LINE", Value: func(s *partnercenter.OrderLineItemProvisioningStatus) any { return s.LineItemNumber }},
		{Name: "status", Kind: terminal.State, Value: func(s *partnercenter.OrderLineItemProvisioningStatus) any { return s.Status }},
		{Name: "quantities", Value: func(s *partnercenter.OrderLineItemProvisioningStatus) any {
			var quantities []string
			for _, q := range s.QuantityProvisioningInformation {
				quantities = append(quantities, strings.TrimSpace(terminal.Number(q.Quantity)+" "+string(q.Status)))
			}
			return strings.Join(quantities, ", ")
		}},
	},
}

var activationLinksView = &terminal.View[*partnercenter.OrderLineItemActivationLink]{
	Plural: "activation links",
	Columns: []terminal.Column[*partnercenter.OrderLineItemActivationLink]{
		{Name: "lineItemNumber", Header: "LINE", Value: func(l *partnercenter.OrderLineItemActivationLink) any { return l.LineItemNumber }},
		// A link is whole or it is of no use.
		{Name: "link", Kind: terminal.Whole, Value: func(l *partnercenter.OrderLineItemActivationLink) any { return terminal.OrZero(l.Link).URI }},
	},
}

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
		return inCall(call, o), err
	})
}

// PrintOrders prints orders of a customer as a table.
func PrintOrders(ctx context.Context, term *terminal.Terminal, pc *partnercenter.Client, customer string) error {
	p, err := terminal.NewPrinter(term, &terminal.Output{Format: terminal.FormatTable, Color: "auto"}, ordersView(false, false))
	if err != nil {
		return err
	}
	orders, err := command.Collect(ctx, func(ctx context.Context) iter.Seq2[customerOrder, error] {
		return ofCustomer(&command.Call{CustomerID: customer}, pc.Customers.ByID(customer).Orders.All(ctx))
	})
	if err != nil {
		return err
	}
	return p.PrintAll(orders)
}

// customerOrder is an order with the customer whose orders were requested.
type customerOrder struct {
	customerID   string
	customerName string // if it was asked for
	order        *partnercenter.Order
	line         *partnercenter.OrderLineItem // of a row

	// For details: whether prices may not be seen, the order's subscriptions, or why
	// there are none, and what is said of undoing each line.
	noPrices      bool
	undoing       []terminal.Facts
	subscriptions []*partnercenter.Subscription
	notFound      string
}

// customer returns the id of the order's customer. Older orders do not name it.
func (c customerOrder) customer() string {
	return cmp.Or(c.order.ReferenceCustomerID, c.customerID)
}

// ordersView returns a view of orders, optionally with prices and customers.
func ordersView(prices, several bool) *terminal.View[customerOrder] {
	shown := func(wanted bool, shown terminal.Shown) terminal.Shown {
		if !wanted {
			shown = terminal.Hidden
		}
		return shown
	}
	order := func(value func(*partnercenter.Order) any) func(customerOrder) any {
		return func(c customerOrder) any { return value(c.order) }
	}
	line := func(value func(*partnercenter.OrderLineItem) any) func(customerOrder) any {
		return func(c customerOrder) any {
			switch {
			case c.line != nil:
				return value(c.line)
			case len(c.order.LineItems) > 0:
				return value(&c.order.LineItems[0])
			}
			return value(new(partnercenter.OrderLineItem))
		}
	}
	return &terminal.View[customerOrder]{
		Plural:   "orders",
		CSV:      orderCSVColumns,
		Rows:     eachLine,
		Resource: func(c customerOrder) any { return c.order },
		Detail:   orderDetail,
		Columns: []terminal.Column[customerOrder]{
			{Name: "customerName", Header: "CUSTOMER", Shown: shown(several, terminal.OnlyTable), Value: func(c customerOrder) any { return c.customerName }},
			{Name: "customerId", Shown: terminal.OnlyWide, Kind: terminal.ID, Value: func(c customerOrder) any { return c.customer() }},
			{Name: "orderId", Kind: terminal.ID, Value: order(func(o *partnercenter.Order) any { return o.ID })},
			{Name: "alternateId", Shown: terminal.OnlyWide, Kind: terminal.ID, Value: order(func(o *partnercenter.Order) any { return o.AlternateID })},
			{Name: "creationDate", Header: "CREATED", Rank: 2, Value: order(func(o *partnercenter.Order) any { return o.CreationDate })},
			{Name: "status", Kind: terminal.State, Rank: 1, Value: order(func(o *partnercenter.Order) any { return o.Status })},
			{Name: "billingCycle", Header: "BILLING", Kind: terminal.State, Rank: 3, Value: order(func(o *partnercenter.Order) any { return o.BillingCycle })},
			{Name: "transactionType", Shown: terminal.Hidden, Value: order(func(o *partnercenter.Order) any { return o.TransactionType })},
			{Name: "items", Shown: terminal.OnlyTable, Value: order(func(o *partnercenter.Order) any { return itemsSummary(o.LineItems) })},
			{Name: "total", Shown: shown(prices, terminal.OnlyTable), Kind: terminal.Amount, Value: order(func(o *partnercenter.Order) any { return amount(o) })},
			{Name: "currencyCode", Header: "CURRENCY", Shown: terminal.OnlyWide, Value: order(func(o *partnercenter.Order) any { return o.CurrencyCode })},
			{Name: "totalPrice", Header: "TOTAL", Shown: shown(prices, terminal.OnlyWide), Value: order(func(o *partnercenter.Order) any { return o.TotalPrice })},
			{Name: "lineItemNumber", Header: "LINE", Shown: terminal.OnlyWide, PerRow: true, Value: line(func(l *partnercenter.OrderLineItem) any { return l.LineItemNumber })},
			{Name: "quantity", Shown: terminal.OnlyWide, PerRow: true, Value: line(func(l *partnercenter.OrderLineItem) any { return l.Quantity })},
			{Name: "friendlyName", Header: "ITEM", Shown: terminal.OnlyWide, PerRow: true, Value: line(func(l *partnercenter.OrderLineItem) any { return l.FriendlyName })},
			{Name: "offerId", Shown: terminal.OnlyWide, Kind: terminal.ID, PerRow: true, Value: line(func(l *partnercenter.OrderLineItem) any { return l.OfferID })},
			{Name: "subscriptionId", Shown: terminal.OnlyWide, Kind: terminal.ID, PerRow: true, Value: line(func(l *partnercenter.OrderLineItem) any { return l.SubscriptionID })},
			{Name: "termDuration", Header: "TERM", Shown: terminal.Hidden, PerRow: true, Value: line(func(l *partnercenter.OrderLineItem) any { return terminal.OrZero(l.TermDuration) })},
			{Name: "lineTransactionType", Shown: terminal.Hidden, PerRow: true, Value: line(func(l *partnercenter.OrderLineItem) any { return l.TransactionType })},
			{Name: "promotionId", Shown: terminal.Hidden, Kind: terminal.ID, PerRow: true, Value: line(func(l *partnercenter.OrderLineItem) any { return l.PromotionID })},
			{Name: "partnerIdOnRecord", Shown: terminal.Hidden, PerRow: true, Value: line(func(l *partnercenter.OrderLineItem) any { return l.PartnerIDOnRecord })},
			{Name: "price", Shown: terminal.Hidden, PerRow: true, Value: line(func(l *partnercenter.OrderLineItem) any { return terminal.OrZero(l.Pricing).Price })},
			{Name: "extendedPrice", Shown: terminal.Hidden, PerRow: true, Value: line(func(l *partnercenter.OrderLineItem) any { return terminal.OrZero(l.Pricing).ExtendedPrice })},
		},
	}
}

// orderCSVColumns are documented: append only.
var orderCSVColumns = []string{
	"customerId", "orderId", "alternateId", "creationDate", "status", "billingCycle", "transactionType",
	"currencyCode", "totalPrice", "lineItemNumber", "offerId", "subscriptionId", "friendlyName", "quantity",
	"termDuration", "lineTransactionType", "promotionId", "partnerIdOnRecord", "price", "extendedPrice", "customerName",
}

// orderDetail describes an order and its lines.
func orderDetail(c customerOrder, now time.Time) []terminal.Fact {
	var facts terminal.Facts
	o := c.order
	facts.Add("order", o.ID)
	if o.AlternateID != o.ID {
		facts.Add("alternate id", o.AlternateID)
	}
	facts.Add("customer", strings.TrimSpace(c.customerName+" "+c.customer()))
	facts.Add("status", string(o.Status))
	facts.Add("created", terminal.TimeInWords(o.CreationDate, now))
	facts.Add("billed", string(o.BillingCycle))
	facts.Add("placed by", string(o.TransactionType))
	facts.Add("total", join("", amount(o), wholeTerm(o)))
	if c.noPrices {
		facts.Add("total", "not shown: only those with the right to see prices see them")
	}
	links := terminal.OrZero(o.Links)
	addLinks(&facts, "links", link{"self", links.Self}, link{"provisioning status", links.ProvisioningStatus}, link{"change", links.PatchOperation})
	for i := range o.LineItems {
		l := &o.LineItems[i]
		facts.Add("line "+terminal.Number(l.LineItemNumber), strings.TrimSpace(terminal.Number(l.Quantity)+" × "+cmp.Or(l.FriendlyName, l.OfferID)))
		facts.Add("  offer", l.OfferID)
		facts.Add("  term", durationInWords(terminal.OrZero(l.TermDuration)))
		facts.Add("  commits to", commitmentInWords(l.PurchaseCommitment))
		facts.Add("  first ends", terminal.TimeInWords(l.CustomTermEndDate, now))
		facts.Add("  renews to", durationInWords(terminal.OrZero(l.RenewsTo).TermDuration))
		facts.Add("  subscription", l.SubscriptionID)
		facts.Add("  add-on of", l.ParentSubscriptionID)
		facts.Add("  partner", l.PartnerIDOnRecord)
		facts.Add("  promotion", l.PromotionID)
		if p := l.Pricing; p != nil {
			facts.Add("  price", join(" ", string(p.Price), o.CurrencyCode)+" each, "+join(" ", string(p.ExtendedPrice), o.CurrencyCode)+" together"+per(o.BillingCycle))
		}
		c.describeFuture(&facts, l, now)
		if i < len(c.undoing) {
			facts = append(facts, c.undoing[i]...)
		}
		links := terminal.OrZero(l.Links)
		addLinks(&facts, "  links", link{"subscription", links.Subscription}, link{"product", links.Product}, link{"SKU", links.SKU}, link{"availability", links.Availability},
			link{"provisioning status", links.ProvisioningStatus}, link{"activation", links.ActivationLinks})
	}
	return facts
}

// per says how often a price is charged, as far as the billing cycle says it.
func per(cycle partnercenter.BillingCycleType) string {
	switch cycle.Normalize() {
	case partnercenter.BillingCycleTypeMonthly:
		return ", each month"
	case partnercenter.BillingCycleTypeAnnual:
		return ", each year"
	case partnercenter.BillingCycleTypeBiennial:
		return ", each two years"
	case partnercenter.BillingCycleTypeTriennial:
		return ", each three years"
	case partnercenter.BillingCycleTypeOneTime:
		return ", once"
	}
	return ""
}

// wholeTerm says that the total is of whole terms, where the prices of lines are of less.
func wholeTerm(o *partnercenter.Order) string {
	if o.TotalPrice != "" && per(o.BillingCycle) != "" && slices.ContainsFunc(o.LineItems, func(l partnercenter.OrderLineItem) bool { return terminal.OrZero(l.TermDuration) != "" }) {
		return " for the whole term"
	}
	return ""
}

// durationInWords returns an ISO 8601 duration of one unit in words, another unchanged.
func durationInWords(duration string) string {
	number, ok := strings.CutPrefix(duration, "P")
	for letter, unit := range map[string]string{"D": "day", "M": "month", "Y": "year"} {
		if n, err := strconv.Atoi(strings.TrimSuffix(number, letter)); ok && err == nil && n > 0 && strings.HasSuffix(number, letter) {
			return words.Count(n, unit)
		}
	}
	return duration
}

// describeFuture adds until when what a line has bought can be undone.
func (c customerOrder) describeFuture(facts *terminal.Facts, l *partnercenter.OrderLineItem, now time.Time) {
	if l.SubscriptionID == "" {
		return
	}
	if c.notFound != "" {
		facts.Add("  until when", "cannot be looked up: "+c.notFound)
	}
	if s := c.subscription(l); s != nil {
		var future terminal.Facts
		future.Add("state", string(s.Status))
		describeFuture(&future, s, now)
		for _, fact := range future {
			facts.Add("  "+fact.Name, fact.Value)
		}
	}
}

// link is a link of a resource.
type link struct {
	name string
	to   *partnercenter.Link
}

// addLinks adds the links that are there.
func addLinks(facts *terminal.Facts, name string, links ...link) {
	for _, l := range links {
		if l.to != nil {
			facts.Add(name, l.name+": "+l.to.URI)
			name = ""
		}
	}
}

// eachLine returns the order once for each line item, or once without any.
func eachLine(c customerOrder) []customerOrder {
	if len(c.order.LineItems) == 0 {
		return []customerOrder{c}
	}
	rows := make([]customerOrder, len(c.order.LineItems))
	for i := range rows {
		rows[i] = c
		rows[i].line = &c.order.LineItems[i]
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
