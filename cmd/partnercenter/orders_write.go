package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/partnercenter-go/partnercenter"
)

// orderCreateOptions are the flags of orders create.
type orderCreateOptions struct {
	connection *connection
	output     outputOptions
	write      writeOptions
	customer   string
	file       string
	lines      []string
	line       orderLine // of the flags for an order of one line
	cycle      string
	user       string
}

// orderLine is a line item as flags have it.
type orderLine struct{ offer, quantity, term, name, partner string }

// lineKeys are what --line takes, and where it goes.
var lineKeys = []struct {
	key   string
	field func(*orderLine) *string
}{
	{"offer", func(l *orderLine) *string { return &l.offer }},
	{"quantity", func(l *orderLine) *string { return &l.quantity }},
	{"term", func(l *orderLine) *string { return &l.term }},
	{"name", func(l *orderLine) *string { return &l.name }},
	{"partner-on-record", func(l *orderLine) *string { return &l.partner }},
}

func newOrdersCreateCmd(app *app, c *connection) *cobra.Command {
	o := &orderCreateOptions{connection: c}
	cmd := &cobra.Command{
		Use:   "create --customer ID {--offer ID --quantity N | --line … | -f FILE}",
		Short: "Place an order",
		Long: `Place an order: of one line by --offer and --quantity, of several by --line, or of
anything by -f, which takes the order in JSON or YAML.

A line is written as offer=ID,quantity=N and, if need be, term=P1Y, name=TEXT and
partner-on-record=MPNID. An offer is a legacy offer's id or a catalog item's
(product:sku:availability). Lines are numbered from 0 where the file does not.` + writeHelp,
		Example: `  partnercenter orders create --customer ID --offer 031C9E47-4802-4248-838E-778FB1D2CC05 --quantity 5 --billing-cycle annual
  partnercenter orders create --customer ID --line offer=A,quantity=1 --line offer=B,quantity=2,term=P1Y --yes
  partnercenter orders create --customer ID -f order.yaml --dry-run
  partnercenter orders create --customer ID -f - --yes --json < order.json`,
		Args:              noArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		PreRunE: firstOf(exclusive("file", "offer", "line"), exclusive("file", "quantity"), exclusive("line", "quantity"),
			exclusive("file", "billing-cycle"), exclusive("output", "json")),
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context(), app) },
	}
	f := cmd.Flags()
	f.SortFlags = false
	addCustomerFlag(cmd, &o.customer)
	f.StringVarP(&o.file, "file", "f", "", "`file` with the order in JSON or YAML; - for standard input")
	f.StringVar(&o.line.offer, "offer", "", "`id` of the offer or catalog item")
	f.StringVar(&o.line.quantity, "quantity", "", "how `many` of --offer")
	f.StringVar(&o.line.term, "term", "", "with --offer, the term: `duration` is P1M, P1Y or P3Y")
	f.StringVar(&o.line.name, "name", "", "with --offer, a `text` to call it by")
	f.StringVar(&o.line.partner, "partner-on-record", "", "with --offer, the MPN `id` of the indirect reseller")
	f.StringArrayVar(&o.lines, "line", nil, "a `line` such as offer=ID,quantity=2,term=P1Y; can be repeated")
	f.StringVar(&o.cycle, "billing-cycle", "", "how it is billed: `cycle` is "+orList(billingTypes())+" (default: that of the item)")
	f.StringVar(&o.user, "for-user", "", "user principal `name` of the customer's user to license")
	o.write.addFlags(cmd)
	o.output.addFlags(cmd)
	registerValues(cmd, "billing-cycle", billingTypes()...)
	registerValues(cmd, "term", "P1M", "P1Y", "P3Y")
	for _, free := range []string{"offer", "quantity", "name", "partner-on-record", "line", "for-user"} {
		_ = cmd.RegisterFlagCompletionFunc(free, cobra.NoFileCompletions)
	}
	return cmd
}

func (o *orderCreateOptions) run(ctx context.Context, app *app) error {
	if o.customer == "" {
		return usageErrorf("for which customer? Give --customer ID")
	}
	order, err := o.order(app)
	if err != nil {
		return err
	}
	p, err := newPrinter(app, &o.output, ordersView(false, false))
	if err != nil {
		return err
	}
	w, err := newWriter(app, o.connection, &o.write, o.file == "-")
	if err != nil {
		return err
	}
	change := &change{what: "place an order", question: "Place this order?"}
	if err := w.describeCustomer(ctx, change, o.customer); err != nil {
		return err
	}
	change.add("billed", billed(order.BillingCycle))
	change.add("for user", o.user)
	describeLines(change, order)
	if err := w.confirm(ctx, change); err != nil {
		return err
	}
	var opts []partnercenter.CreateOption
	if o.user != "" {
		opts = append(opts, partnercenter.ForCustomerUser(o.user))
	}
	done, err := w.do(ctx, change, func(ctx context.Context) error {
		order, err = w.pc.Customers.ByID(o.customer).Orders.Create(ctx, order, opts...)
		return err
	})
	if !done {
		return err
	}
	return printOne(p, customerOrder{customerID: o.customer, order: order})
}

// order is what the flags or the file say.
func (o *orderCreateOptions) order(app *app) (*partnercenter.Order, error) {
	order := new(partnercenter.Order)
	if o.file != "" {
		if o.line != (orderLine{}) {
			return nil, usageErrorf("-f has the whole order: leave out --term, --name and --partner-on-record")
		}
		if err := readContent(app, o.file, order); err != nil {
			return nil, err
		}
	} else if err := o.orderOfFlags(order); err != nil {
		return nil, err
	}
	if len(order.LineItems) == 0 {
		return nil, usageErrorf("the order has no line items: give --offer and --quantity, or lineItems in the file")
	}
	return order, ofCustomer(order, o.customer)
}

// ofCustomer makes the order name the customer. One that names another was
// meant for another.
func ofCustomer(order *partnercenter.Order, customer string) error {
	if order.ReferenceCustomerID == "" {
		order.ReferenceCustomerID = customer
	}
	if !strings.EqualFold(order.ReferenceCustomerID, customer) {
		return usageErrorf("the file is an order of customer %s (referenceCustomerId), but --customer is %s: correct the one that is wrong", order.ReferenceCustomerID, customer)
	}
	if slices.ContainsFunc(order.LineItems, func(l partnercenter.OrderLineItem) bool { return l.LineItemNumber != nil }) {
		return nil
	}
	for i := range order.LineItems {
		order.LineItems[i].LineItemNumber = new(i)
	}
	return nil
}

func (o *orderCreateOptions) orderOfFlags(order *partnercenter.Order) error {
	cycle, err := parseBillingCycle("billing-cycle", o.cycle)
	if err != nil {
		return err
	}
	order.BillingCycle = cycle
	lines := []orderLine{o.line}
	if len(o.lines) > 0 {
		if o.line != (orderLine{}) {
			return usageErrorf("--line has its own term, name and partner-on-record: leave out the flags of those names")
		}
		lines = nil
		for _, text := range o.lines {
			line, err := parseLine(text)
			if err != nil {
				return err
			}
			lines = append(lines, line)
		}
	}
	for _, line := range lines {
		item, err := line.item()
		if err != nil {
			return err
		}
		order.LineItems = append(order.LineItems, item)
	}
	return nil
}

func parseLine(text string) (orderLine, error) {
	var line orderLine
	var keys []string
	for _, k := range lineKeys {
		keys = append(keys, k.key)
	}
	for part := range strings.SplitSeq(text, ",") {
		key, value, ok := strings.Cut(part, "=")
		i := slices.Index(keys, strings.TrimSpace(key))
		switch {
		case !ok:
			return line, usageErrorf("--line %q: write it like offer=ID,quantity=2", text)
		case i < 0:
			return line, usageErrorf("--line %q: %q is unknown: use %s%s", text, key, orList(keys), didYouMean(key, keys))
		case *lineKeys[i].field(&line) != "":
			return line, usageErrorf("--line %q: %s is there twice", text, key)
		}
		*lineKeys[i].field(&line) = strings.TrimSpace(value)
	}
	return line, nil
}

func (l orderLine) item() (partnercenter.OrderLineItem, error) {
	var item partnercenter.OrderLineItem
	if l.offer == "" || l.quantity == "" {
		return item, usageErrorf("what is ordered, and how many? Give --offer ID and --quantity N, or --line offer=ID,quantity=N, or -f FILE")
	}
	quantity, err := strconv.Atoi(l.quantity)
	if err != nil || quantity < 1 {
		return item, usageErrorf("quantity %q is no number of things to order: use 1 or more", l.quantity)
	}
	item = partnercenter.OrderLineItem{OfferID: l.offer, Quantity: &quantity, FriendlyName: l.name, PartnerIDOnRecord: l.partner}
	if l.term != "" {
		item.TermDuration = &l.term
	}
	return item, nil
}

func billed(cycle partnercenter.BillingCycleType) string {
	if cycle == "" {
		return "as the item is by default"
	}
	return string(cycle)
}

// describeLines adds what an order is about.
func describeLines(c *change, order *partnercenter.Order) {
	for i, line := range order.LineItems {
		n := i
		if line.LineItemNumber != nil {
			n = *line.LineItemNumber
		}
		c.add(fmt.Sprintf("line %d", n), describeLine(line))
	}
}

func describeLine(line partnercenter.OrderLineItem) string {
	var parts []string
	part := func(format, value string) {
		if value != "" {
			parts = append(parts, fmt.Sprintf(format, value))
		}
	}
	what := line.OfferID
	if line.Quantity != nil {
		what = fmt.Sprintf("%d × %s", *line.Quantity, what)
	}
	parts = append(parts, what)
	part("%q", line.FriendlyName)
	if line.TermDuration != nil {
		part("term %s", *line.TermDuration)
	}
	part("under subscription %s", line.ParentSubscriptionID)
	part("subscription %s", line.SubscriptionID)
	part("for reseller %s", line.PartnerIDOnRecord)
	if line.Pricing != nil && line.Pricing.ExtendedPrice != "" {
		part("price %s", string(line.Pricing.ExtendedPrice))
	}
	return strings.Join(parts, ", ")
}

func newOrdersPatchCmd(app *app, c *connection) *cobra.Command {
	var (
		output                  outputOptions
		write                   writeOptions
		customer, file, ifMatch string
	)
	cmd := &cobra.Command{
		Use:   "patch ORDER --customer ID -f FILE",
		Short: "Change an order: its billing cycle, or an add-on",
		Long: `Change an order as a file in JSON or YAML says.

Another billingCycle, with the lines as they are, changes how the order is billed.
A line with a parentSubscriptionId buys an add-on. The service matches lines by
subscriptionId and offerId. An etag in the file's attributes, or --if-match, makes
the change only if the order is still as it was.` + writeHelp,
		Example: `  partnercenter orders get ORDER --customer ID --json > order.json   # then edit billingCycle
  partnercenter orders patch ORDER --customer ID -f order.json`,
		Args:              oneArg("order id"),
		ValidArgsFunction: cobra.NoFileCompletions,
		PreRunE:           exclusive("output", "json"),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case customer == "":
				return errWhichCustomer
			case file == "":
				return usageErrorf("what is to change? Give the order as it should be with -f FILE")
			}
			ctx, order := cmd.Context(), new(partnercenter.Order)
			if err := readContent(app, file, order); err != nil {
				return err
			}
			if err := ofCustomer(order, customer); err != nil {
				return err
			}
			if order.ID != "" && !strings.EqualFold(order.ID, args[0]) {
				return usageErrorf("the file is order %s, not %s: correct the one that is wrong", order.ID, args[0])
			}
			p, err := newPrinter(app, &output, ordersView(false, false))
			if err != nil {
				return err
			}
			w, err := newWriter(app, c, &write, file == "-")
			if err != nil {
				return err
			}
			change := &change{what: "change an order", question: "Change this order?"}
			if err := w.describeCustomer(ctx, change, customer); err != nil {
				return err
			}
			change.add("order", args[0])
			change.add("status", string(order.Status))
			change.add("billed", string(order.BillingCycle))
			describeLines(change, order)
			if err := w.confirm(ctx, change); err != nil {
				return err
			}
			var opts []partnercenter.PatchOption
			if ifMatch != "" {
				opts = append(opts, partnercenter.IfMatch(ifMatch))
			}
			done, err := w.do(ctx, change, func(ctx context.Context) error {
				order, err = w.pc.Customers.ByID(customer).Orders.ByID(args[0]).Patch(ctx, order, opts...)
				return err
			})
			if !done {
				return err
			}
			return printOne(p, customerOrder{customerID: customer, order: order})
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	addCustomerFlag(cmd, &customer)
	f.StringVarP(&file, "file", "f", "", "`file` with the order in JSON or YAML; - for standard input")
	f.StringVar(&ifMatch, "if-match", "", "`etag` that the order must still have")
	_ = cmd.RegisterFlagCompletionFunc("if-match", cobra.NoFileCompletions)
	write.addFlags(cmd)
	output.addFlags(cmd)
	return cmd
}

func newOrdersCancelCmd(app *app, c *connection) *cobra.Command {
	var (
		output   outputOptions
		write    writeOptions
		customer string
		lines    []int
	)
	cmd := &cobra.Command{
		Use:   "cancel ORDER --customer ID",
		Short: "Cancel an order, or some of its lines",
		Long: `Cancel an order, or the lines that --line names. A cancelled line has quantity 0,
and an order is cancelled when all its lines are.

Software can be cancelled for some days; reservations and marketplace purchases
only in a sandbox. Other subscriptions are suspended or cancelled with
"subscriptions update".` + writeHelp,
		Example: `  partnercenter orders cancel ORDER --customer ID
  partnercenter orders cancel ORDER --customer ID --line 0 --line 2 --yes`,
		Args:              oneArg("order id"),
		ValidArgsFunction: cobra.NoFileCompletions,
		PreRunE:           exclusive("output", "json"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if customer == "" {
				return errWhichCustomer
			}
			ctx := cmd.Context()
			p, err := newPrinter(app, &output, ordersView(false, false))
			if err != nil {
				return err
			}
			w, err := newWriter(app, c, &write, false)
			if err != nil {
				return err
			}
			change := &change{what: "cancel an order", question: "Cancel this order?"}
			if len(lines) > 0 {
				change.what, change.question = "cancel lines of an order", "Cancel these lines?"
			}
			if err := w.describeCustomer(ctx, change, customer); err != nil {
				return err
			}
			of := w.pc.Customers.ByID(customer).Orders.ByID(args[0])
			order, err := of.Get(ctx)
			if err != nil {
				return err
			}
			change.add("order", strings.TrimSpace(order.ID+" "+string(order.Status)))
			named := *order
			named.LineItems = slices.DeleteFunc(slices.Clone(order.LineItems), func(l partnercenter.OrderLineItem) bool {
				return len(lines) > 0 && (l.LineItemNumber == nil || !slices.Contains(lines, *l.LineItemNumber))
			})
			describeLines(change, &named)
			if err := w.confirm(ctx, change); err != nil {
				return err
			}
			done, err := w.do(ctx, change, func(ctx context.Context) error {
				order, err = of.Cancel(ctx, lines...)
				return err
			})
			if !done {
				return err
			}
			return printOne(p, customerOrder{customerID: customer, order: order})
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	addCustomerFlag(cmd, &customer)
	f.IntSliceVar(&lines, "line", nil, "`number` of a line to cancel, from 0; can be repeated (default: all lines)")
	_ = cmd.RegisterFlagCompletionFunc("line", cobra.NoFileCompletions)
	write.addFlags(cmd)
	output.addFlags(cmd)
	return cmd
}
