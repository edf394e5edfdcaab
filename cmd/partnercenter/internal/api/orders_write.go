package api

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/command"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/words"
)

// orderForm holds the flags of orders create and the resulting order.
type orderForm struct {
	file  string
	lines []string
	line  orderLine // from the flags for an order with one line
	cycle billingCycle
	user  string
	order *partnercenter.Order
}

// orderLine is a line item given by flags.
type orderLine struct{ offer, quantity, term, end, name, partner string }

// lineKeys are the keys of --line and the fields they set.
var lineKeys = []struct {
	key   string
	field func(*orderLine) *string
}{
	{"offer", func(l *orderLine) *string { return &l.offer }},
	{"quantity", func(l *orderLine) *string { return &l.quantity }},
	{"term", func(l *orderLine) *string { return &l.term }},
	{"term-end", func(l *orderLine) *string { return &l.end }},
	{"name", func(l *orderLine) *string { return &l.name }},
	{"partner-on-record", func(l *orderLine) *string { return &l.partner }},
}

func ordersCreate() command.Form {
	var o orderForm
	return command.Change(command.Spec{
		Use: "create --customer ID {--offer ID --quantity N | --line … | -f FILE}", Customer: true, Short: "Place an order",
		Long: `Place an order with one line (--offer and --quantity), with several (--line), or from
a file in JSON or YAML (-f).

A line has the form offer=ID,quantity=N, optionally with term=P1Y, term-end=DATE,
name=TEXT and partner-on-record=MPNID. ID is that of a legacy offer or of a catalog
item (product:sku:availability). "subscriptions term-ends" lists the dates on which a
first term can end. Lines are numbered from 0 unless the file numbers them.

A file, such as order.yaml below, has the fields of the API:

  billingCycle: annual
  lineItems:
    - offerId: 031C9E47-4802-4248-838E-778FB1D2CC05
      quantity: 5`,
		Example: `  partnercenter orders create --customer ID --offer 031C9E47-4802-4248-838E-778FB1D2CC05 --quantity 5 --billing-cycle annual
  partnercenter orders create --customer ID --line offer=A,quantity=1 --line offer=B,quantity=2,term=P1Y --yes
  partnercenter orders create --customer ID -f order.yaml --dry-run
  partnercenter orders create --customer ID -f - --yes --json < order.json`,
		Flags:     o.addFlags,
		Exclusive: [][]string{{"file", "offer", "line"}, {"file", "quantity"}, {"line", "quantity"}, {"file", "billing-cycle"}},
		Check:     o.check,
	}, ordersView(false, false), command.Plan{
		What: "place an order", Question: "Place this order?",
		Describe: func(ctx context.Context, call *command.Call, p *command.Plan) error {
			if err := nameCustomer(o.order, call.CustomerID); err != nil {
				return err
			}
			p.Add("billed", cmp.Or(string(o.order.BillingCycle), "the item's default"))
			p.Add("for user", o.user)
			return describePurchase(ctx, call, p, o.order)
		},
	}, func(ctx context.Context, call *command.Call) (customerOrder, error) {
		var opts []partnercenter.OrderCreateOption
		if o.user != "" {
			opts = append(opts, partnercenter.ForCustomerUser(o.user))
		}
		placed, err := call.Customer.Orders.Create(ctx, o.order, opts...)
		return inCall(call, placed), err
	})
}

func (o *orderForm) addFlags(cmd *cobra.Command) {
	o.addLineFlags(cmd, "the order")
	cmd.Flags().StringVar(&o.user, "for-user", "", "user principal `name` of the customer's user who gets the licence")
}

// addLineFlags adds the flags of what carts have, too.
func (o *orderForm) addLineFlags(cmd *cobra.Command, what string) {
	f := cmd.Flags()
	command.FileFlag(cmd, &o.file, what)
	f.StringVar(&o.line.offer, "offer", "", "`id` of the offer or catalog item")
	f.StringVar(&o.line.quantity, "quantity", "", "`number` of --offer to order")
	f.StringVar(&o.line.term, "term", "", "with --offer, the term: `duration` is P1M, P1Y or P3Y")
	f.StringVar(&o.line.end, "term-end", "", "with --offer, the `date` on which the first term ends, one of \"subscriptions term-ends\"")
	f.StringVar(&o.line.name, "name", "", "with --offer, the friendly name: a `text`")
	f.StringVar(&o.line.partner, "partner-on-record", "", "with --offer, the MPN `id` of the indirect reseller")
	f.StringArrayVar(&o.lines, "line", nil, "a `line` such as offer=ID,quantity=2,term=P1Y; can be repeated")
	o.cycle.addFlag(cmd, "billing `cycle`: "+words.Or(billingCycles())+" (default: that of the item)")
	terminal.Choices(cmd, "term", "P1M", "P1Y", "P3Y")
}

// check sets the order from the flags or the file.
func (o *orderForm) check(call *command.Call) error {
	o.order = new(partnercenter.Order)
	if o.file != "" {
		if o.line != (orderLine{}) {
			return terminal.Usagef("-f gives the whole order: leave out --term, --term-end, --name and --partner-on-record")
		}
		if err := call.ReadContent(o.file, o.order); err != nil {
			return err
		}
	} else if err := o.orderOfFlags(o.order); err != nil {
		return err
	}
	if len(o.order.LineItems) == 0 {
		return terminal.Usagef("the order has no line items: give --offer and --quantity, or lineItems in the file")
	}
	numberLines(o.order)
	return nil
}

// nameCustomer sets the order's customer, once its id is found. It fails if the order
// names another.
func nameCustomer(order *partnercenter.Order, customer string) error {
	order.ReferenceCustomerID = cmp.Or(order.ReferenceCustomerID, customer)
	if !ascii.EqualFold(order.ReferenceCustomerID, customer) {
		return terminal.Usagef("the order in the file is for customer %s (referenceCustomerId), but --customer is %s: correct one of them", order.ReferenceCustomerID, customer)
	}
	return nil
}

// numberLines numbers the lines of an order, unless some have numbers.
func numberLines(order *partnercenter.Order) {
	if slices.ContainsFunc(order.LineItems, func(l partnercenter.OrderLineItem) bool { return l.LineItemNumber != nil }) {
		return
	}
	for i := range order.LineItems {
		order.LineItems[i].LineItemNumber = new(i)
	}
}

func (o *orderForm) orderOfFlags(order *partnercenter.Order) error {
	if err := o.cycle.parse(); err != nil {
		return err
	}
	order.BillingCycle = o.cycle.value
	lines := []orderLine{o.line}
	if len(o.lines) > 0 {
		if o.line != (orderLine{}) {
			return terminal.Usagef("--line has keys for term, term-end, name and partner-on-record: leave out the flags with these names")
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
			return line, terminal.Usagef("--line %q: write it like offer=ID,quantity=2", text)
		case i < 0:
			return line, terminal.Usagef("--line %q: %q is unknown: use %s%s", text, key, words.Or(keys), terminal.DidYouMean(key, keys))
		case *lineKeys[i].field(&line) != "":
			return line, terminal.Usagef("--line %q: %s is given twice", text, key)
		}
		*lineKeys[i].field(&line) = strings.TrimSpace(value)
	}
	return line, nil
}

func (l orderLine) item() (partnercenter.OrderLineItem, error) {
	var item partnercenter.OrderLineItem
	if l.offer == "" || l.quantity == "" {
		return item, terminal.Usagef("the offer or the quantity is missing: give --offer ID and --quantity N, or --line offer=ID,quantity=N, or -f FILE")
	}
	quantity, err := strconv.Atoi(l.quantity)
	if err != nil || quantity < 1 {
		return item, terminal.Usagef("quantity %q is not a positive number: use 1 or more", l.quantity)
	}
	item = partnercenter.OrderLineItem{OfferID: l.offer, Quantity: &quantity, FriendlyName: l.name, PartnerIDOnRecord: l.partner}
	if l.term != "" {
		item.TermDuration = &l.term
	}
	if l.end != "" {
		if item.CustomTermEndDate, err = parseTermEnd(l.end); err != nil {
			return item, err
		}
	}
	return item, nil
}

// parseTermEnd reads a date on which a term ends, and returns it as the service has it.
func parseTermEnd(text string) (partnercenter.Time, error) {
	if _, err := time.Parse(time.DateOnly, text); err != nil {
		return partnercenter.Time{}, terminal.Usagef("term-end %q is not a date: write it like 2026-12-31", text)
	}
	return partnercenter.ParseTime(text + "T00:00:00")
}

// describeLine adds a line of an order to the plan, with the name of what it buys if that
// is known.
func describeLine(p *command.Plan, line *partnercenter.OrderLineItem, index int, name, currency string) {
	n := index
	if line.LineItemNumber != nil {
		n = *line.LineItemNumber
	}
	p.Add(fmt.Sprintf("line %d", n), lineInWords(line, name, currency))
}

func lineInWords(line *partnercenter.OrderLineItem, name, currency string) string {
	var parts []string
	part := func(format, value string) {
		if value != "" {
			parts = append(parts, fmt.Sprintf(format, value))
		}
	}
	what := line.OfferID
	if name != "" {
		what = name + " (" + what + ")"
	}
	if line.Quantity != nil {
		what = fmt.Sprintf("%d × %s", *line.Quantity, what)
	}
	parts = append(parts, what)
	part("%q", line.FriendlyName)
	if line.TermDuration != nil {
		part("term %s", *line.TermDuration)
	}
	if at := line.CustomTermEndDate.Time(); !at.IsZero() {
		part("first term ends %s", at.UTC().Format(time.DateOnly))
	}
	part("under subscription %s", line.ParentSubscriptionID)
	part("subscription %s", line.SubscriptionID)
	part("for reseller %s", line.PartnerIDOnRecord)
	if line.Pricing != nil && line.Pricing.ExtendedPrice != "" {
		part("price %s", join(" ", string(line.Pricing.ExtendedPrice), currency))
	}
	return strings.Join(parts, ", ")
}

// patchOptions returns the options for --if-match.
func patchOptions(ifMatch string) []partnercenter.PatchOption {
	if ifMatch == "" {
		return nil
	}
	return []partnercenter.PatchOption{partnercenter.IfMatch(ifMatch)}
}

func ordersPatch() command.Form {
	var file, ifMatch string
	next := new(partnercenter.Order) // the desired state
	return command.Change(command.Spec{
		Use: "patch ORDER --customer ID -f FILE", Arg: "order id", Customer: true,
		Short: "Change an order's billing cycle, or buy an add-on",
		Long: `Change an order to match a file in JSON or YAML.

A new billingCycle, with unchanged lines, changes the billing cycle of the order. A
line with a parentSubscriptionId buys an add-on. The service matches lines by
subscriptionId and offerId. With an etag in the file's attributes, or --if-match, the
change is only made if the order has not changed since.`,
		Example: `  partnercenter orders get ORDER --customer ID --json > order.json   # then edit billingCycle
  partnercenter orders patch ORDER --customer ID -f order.json`,
		Flags: func(cmd *cobra.Command) {
			command.FileFlag(cmd, &file, "the order")
			cmd.Flags().StringVar(&ifMatch, "if-match", "", "`etag` that the order must still have")
		},
		Check: func(call *command.Call) error {
			if file == "" {
				return terminal.Usagef("there is nothing to change: give the order as it should be with -f FILE")
			}
			if err := call.ReadContent(file, next); err != nil {
				return err
			}
			numberLines(next)
			if next.ID != "" && !ascii.EqualFold(next.ID, call.Arg) {
				return terminal.Usagef("the file contains order %s, not %s: correct one of them", next.ID, call.Arg)
			}
			return nil
		},
	}, ordersView(false, false), command.Plan{
		What: "change an order", Question: "Change this order?",
		Describe: func(ctx context.Context, call *command.Call, p *command.Plan) error {
			if err := nameCustomer(next, call.CustomerID); err != nil {
				return err
			}
			p.Add("order", call.Arg)
			var now partnercenter.Order
			if !call.DryRun {
				read, err := order(call).Get(ctx)
				if err != nil {
					return err
				}
				now = *read
			}
			p.Add("status", changed(string(now.Status.Normalize()), string(next.Status.Normalize())))
			p.Add("billed", changed(string(now.BillingCycle.Normalize()), string(next.BillingCycle.Normalize())))
			return describePurchase(ctx, call, p, next)
		},
	}, func(ctx context.Context, call *command.Call) (customerOrder, error) {
		patched, err := order(call).Patch(ctx, next, patchOptions(ifMatch)...)
		return inCall(call, patched), err
	})
}

// changed says what a value is and becomes. An empty one stays.
func changed(from, to string) string {
	if from == "" || to == "" || from == to {
		return to
	}
	return from + " → " + to
}

func ordersCancel() command.Form {
	var lines []int
	return command.Change(command.Spec{
		Use: "cancel ORDER --customer ID", Arg: "order id", Customer: true, Short: "Cancel an order, or some of its lines",
		Long: `Cancel an order, or the lines given by --line. A cancelled line has quantity 0, and
an order is cancelled when all its lines are.

Software can be cancelled for some days, reservations and marketplace purchases only
in a sandbox. To suspend or cancel other subscriptions use "subscriptions update".`,
		Example: `  partnercenter orders cancel ORDER --customer ID
  partnercenter orders cancel ORDER --customer ID --line 0 --line 2 --yes`,
		Flags: func(cmd *cobra.Command) {
			cmd.Flags().IntSliceVar(&lines, "line", nil, "`number` of a line to cancel, from 0; can be repeated (default: all lines)")
		},
	}, ordersView(false, false), command.Plan{
		What: "cancel an order", Question: "Cancel this order?",
		Describe: func(ctx context.Context, call *command.Call, p *command.Plan) error {
			if len(lines) > 0 {
				p.What, p.Question = "cancel lines of an order", "Cancel these lines?"
			}
			now, err := order(call).Get(ctx)
			if err != nil {
				return err
			}
			p.Add("order", strings.TrimSpace(now.ID+" "+string(now.Status)))
			describeCancellation(ctx, call, p, now, func(l *partnercenter.OrderLineItem) bool {
				return len(lines) == 0 || l.LineItemNumber != nil && slices.Contains(lines, *l.LineItemNumber)
			})
			return nil
		},
	}, func(ctx context.Context, call *command.Call) (customerOrder, error) {
		cancelled, err := order(call).Cancel(ctx, lines...)
		return inCall(call, cancelled), err
	})
}
