package api

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/command"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/words"
)

// Carts returns the commands about carts.
func Carts(term *terminal.Terminal) *cobra.Command {
	return command.Noun(term, "carts", "cart", "Carts of customers: what they are about to buy",
		cartsCreate(), cartsGet(), cartsUpdate(), cartsCheckout(),
	)
}

// cart returns the client for the cart given as argument.
func cart(call *command.Call) *partnercenter.CartClient { return call.Customer.Carts.ByID(call.Arg) }

// cartForm holds the flags of carts create, which are those of orders create, and the
// resulting cart.
type cartForm struct {
	order orderForm
	cart  *partnercenter.Cart
}

func cartsCreate() command.Form {
	var c cartForm
	return command.Change(command.Spec{
		Use: "create --customer ID {--offer ID --quantity N | --line … | -f FILE}", Customer: true, Short: "Make a cart",
		Long: `Make a cart with one line (--offer and --quantity), with several (--line), or from a
file in JSON or YAML (-f). It buys nothing: "carts checkout" does, within seven days.
Keep the cart's id; carts are not listed.

A line has the form offer=ID,quantity=N, optionally with term=P1Y, term-end=DATE,
name=TEXT and partner-on-record=MPNID, as in "orders create".

A file, such as cart.yaml below, has the fields of the API. Add-ons of legacy offers
are among the addonItems of their base, other add-ons are lines of their own:

  lineItems:
    - catalogItemId: CFQ7TTC0LFLX:0001:CFQ7TTC0K8QN
      quantity: 5
      billingCycle: monthly
      termDuration: P1Y`,
		Example: `  partnercenter carts create --customer ID --offer CFQ7TTC0LFLX:0001:CFQ7TTC0K8QN --quantity 5 --term P1Y --billing-cycle monthly
  partnercenter carts create --customer ID -f cart.yaml --yes --json`,
		Flags: func(cmd *cobra.Command) {
			c.order.addLineFlags(cmd, "the cart")
		},
		Exclusive: [][]string{{"file", "offer", "line"}, {"file", "quantity"}, {"line", "quantity"}, {"file", "billing-cycle"}},
		Check:     c.check,
	}, cartView, command.Plan{
		What: "make a cart", Question: "Make this cart?",
		Describe: func(ctx context.Context, call *command.Call, p *command.Plan) error {
			return describeCart(ctx, call, p, c.cart)
		},
	}, func(ctx context.Context, call *command.Call) (*partnercenter.Cart, error) {
		return call.Customer.Carts.Create(ctx, c.cart)
	})
}

// check sets the cart from the flags or the file.
func (c *cartForm) check(call *command.Call) error {
	c.cart = new(partnercenter.Cart)
	if c.order.file != "" {
		if c.order.line != (orderLine{}) {
			return terminal.Usagef("-f gives the whole cart: leave out --term, --term-end, --name and --partner-on-record")
		}
		return call.ReadContent(c.order.file, c.cart)
	}
	var order partnercenter.Order
	if err := c.order.orderOfFlags(&order); err != nil {
		return err
	}
	for i := range order.LineItems {
		l := &order.LineItems[i]
		line := partnercenter.CartLineItem{
			ID: new(i), CatalogItemID: l.OfferID, Quantity: l.Quantity, FriendlyName: l.FriendlyName,
			TermDuration: terminal.OrZero(l.TermDuration), CustomTermEndDate: l.CustomTermEndDate, BillingCycle: order.BillingCycle,
		}
		if l.PartnerIDOnRecord != "" {
			line.Participants = []partnercenter.CartParticipant{{Key: partnercenter.ParticipantTypeTransactionReseller, Value: l.PartnerIDOnRecord}}
		}
		c.cart.LineItems = append(c.cart.LineItems, line)
	}
	return nil
}

func cartsGet() command.Form {
	return command.Get(command.Spec{
		Use: "get CART --customer ID", Arg: "cart id", Customer: true, Short: "Show a cart",
		Long:    "Show a cart, until seven days after it was made.",
		Example: "  partnercenter carts get CART --customer ID --json > cart.json",
	}, cartView, func(ctx context.Context, call *command.Call) (*partnercenter.Cart, error) {
		return cart(call).Get(ctx)
	})
}

func cartsUpdate() command.Form {
	var file string
	next := new(partnercenter.Cart)
	return command.Change(command.Spec{
		Use: "update CART --customer ID -f FILE", Arg: "cart id", Customer: true, Short: "Replace the lines of a cart",
		Long: `Replace the lines of a cart by those of a file in JSON or YAML, which has the whole
cart. A line that the file leaves out is removed. A cart that was checked out cannot
change.`,
		Example: `  partnercenter carts get CART --customer ID --json > cart.json   # then edit lineItems
  partnercenter carts update CART --customer ID -f cart.json`,
		Flags: func(cmd *cobra.Command) { command.FileFlag(cmd, &file, "the cart") },
		Check: func(call *command.Call) error {
			if file == "" {
				return terminal.Usagef("there is nothing to change: give the cart as it should be with -f FILE")
			}
			if err := call.ReadContent(file, next); err != nil {
				return err
			}
			if next.ID != "" && !ascii.EqualFold(next.ID, call.Arg) {
				return terminal.Usagef("the file contains cart %s, not %s: correct one of them", next.ID, call.Arg)
			}
			return nil
		},
	}, cartView, command.Plan{
		What: "change a cart", Question: "Change this cart?",
		Describe: func(ctx context.Context, call *command.Call, p *command.Plan) error {
			p.Add("cart", call.Arg)
			if !call.DryRun {
				now, err := cart(call).Get(ctx)
				if err != nil {
					return err
				}
				if now.Status.Normalize() == partnercenter.CartStatusOrdered {
					p.Add("changes", "nothing: what is in the cart was ordered")
					return nil
				}
				p.Add("lines", changed(fmt.Sprint(countLines(now.LineItems)), fmt.Sprint(countLines(next.LineItems))))
			}
			return describeCart(ctx, call, p, next)
		},
	}, func(ctx context.Context, call *command.Call) (*partnercenter.Cart, error) {
		return cart(call).Put(ctx, next)
	})
}

func cartsCheckout() command.Form {
	var (
		user   string
		result *partnercenter.CartCheckoutResult
	)
	return command.Then(command.Change(command.Spec{
		Use: "checkout CART --customer ID", Arg: "cart id", Customer: true, Short: "Buy what is in a cart",
		Long: `Buy what is in a cart: place an order for each of its order groups. If some groups
cannot be ordered, the others are, the exit code is 1, and another checkout of the cart
tries the rest.

A cart is bought once: checking it out again prints the orders of the first time.`,
		Example: `  partnercenter carts checkout CART --customer ID
  partnercenter carts checkout CART --customer ID --yes --json`,
		Flags: func(cmd *cobra.Command) {
			cmd.Flags().StringVar(&user, "for-user", "", "user principal `name` of the customer's user who gets the licences")
		},
	}, checkoutView, command.Plan{
		What: "buy what is in a cart", Question: "Buy this?",
		Describe: func(ctx context.Context, call *command.Call, p *command.Plan) error {
			now, err := cart(call).Get(ctx)
			if err != nil {
				return err
			}
			p.Add("cart", strings.TrimSpace(now.ID+" "+string(now.Status)))
			if now.Status.Normalize() == partnercenter.CartStatusOrdered {
				p.What, p.Question = "ask for the orders of a cart that was bought", "Ask for them?"
				p.Add("buys", "nothing: what is in the cart was ordered")
				return nil
			}
			p.Add("for user", user)
			return describeCart(ctx, call, p, now)
		},
	}, func(ctx context.Context, call *command.Call) (_ *partnercenter.CartCheckoutResult, err error) {
		var opts []partnercenter.OrderCreateOption
		if user != "" {
			opts = append(opts, partnercenter.ForCustomerUser(user))
		}
		result, err = cart(call).CheckOut(ctx, opts...)
		return result, err
	}), func() error { return notOrdered(result) })
}

// notOrdered returns an error for the order groups of a checkout that were not ordered.
func notOrdered(r *partnercenter.CartCheckoutResult) error {
	if r == nil || len(r.OrderErrors) == 0 {
		return nil
	}
	var failed []string
	for _, e := range r.OrderErrors {
		failed = append(failed, fmt.Sprintf("group %s: %s (code %s)", e.OrderGroupID, e.Description, e.Code))
	}
	return fmt.Errorf("%s not ordered: %s; check the cart out again once that is settled: what was ordered is not ordered again", words.Count(len(failed), "order group"), strings.Join(failed, " "))
}

// describeCart adds the lines of a cart to the plan: what each buys, for which term and
// price, and until when it can be taken back. What cannot be looked up is said and does
// not stop anything.
func describeCart(ctx context.Context, call *command.Call, p *command.Plan, c *partnercenter.Cart) error {
	ctx, cancel := context.WithTimeout(ctx, lookUpTime)
	defer cancel()
	var (
		number int
		priced = true
		total  = map[string]partnercenter.Decimal{} // by currency and billing cycle
		order  []string
	)
	var describe func(l *partnercenter.CartLineItem, of string) error
	describe = func(l *partnercenter.CartLineItem, of string) error {
		line := partnercenter.OrderLineItem{
			LineItemNumber: new(number), OfferID: l.CatalogItemID, Quantity: l.Quantity, FriendlyName: l.FriendlyName, CustomTermEndDate: l.CustomTermEndDate, Pricing: l.Pricing,
		}
		number++
		if l.TermDuration != "" {
			line.TermDuration = &l.TermDuration
		}
		for name, value := range l.ProvisioningContext {
			if ascii.EqualFold(name, "parentSubscriptionId") {
				line.ParentSubscriptionID = value
			}
		}
		for _, participant := range l.Participants {
			if participant.Key.Normalize() == partnercenter.ParticipantTypeTransactionReseller {
				line.PartnerIDOnRecord = participant.Value
			}
		}
		if call.DryRun {
			describeLine(p, &line, number-1, "", l.CurrencyCode)
		} else {
			found, err := lookUp(ctx, call, l.CatalogItemID)
			describeLine(p, &line, number-1, found.name, l.CurrencyCode)
			if err == nil && found.availability != nil && l.Error == nil {
				if err := found.checkTerm(&line, l.BillingCycle); err != nil {
					return err
				}
				p.Add("  term", found.onlyTerm(&line, l.BillingCycle))
			}
			for _, fact := range found.takingBackNow(err, &line, l.BillingCycle, call) {
				p.Add(fact.Name, fact.Value)
			}
		}
		p.Add("  commits to", commitmentInWords(l.PurchaseCommitment))
		p.Add("  add-on of", of)
		p.Add("  billed", string(l.BillingCycle))
		p.Add("  order", l.OrderGroup)
		if l.Error != nil {
			p.Add("  error", fmt.Sprintf("%s: %s", l.Error.ErrorCode, l.Error.ErrorDescription))
		}
		if price := terminal.OrZero(l.Pricing).ExtendedPrice; price != "" {
			key := l.CurrencyCode + per(l.BillingCycle)
			sum, err := cmp.Or(total[key], "0").Add(price)
			if err != nil {
				return err
			}
			if _, known := total[key]; !known {
				order = append(order, key)
			}
			total[key] = sum
		} else {
			priced = false
		}
		for i := range l.AddonItems {
			if err := describe(&l.AddonItems[i], fmt.Sprintf("line %d", terminal.OrZero(line.LineItemNumber))); err != nil {
				return err
			}
		}
		return nil
	}
	for i := range c.LineItems {
		if err := describe(&c.LineItems[i], ""); err != nil {
			return err
		}
	}
	for _, key := range order {
		p.Add("together", string(total[key])+" "+key)
	}
	if !priced {
		p.Add("price", "not known of every line: a cart that was made has prices, if they may be seen")
	}
	if at := terminal.TimeInWords(c.ExpirationTimestamp, call.Term.ServiceNow()); at != "" && !c.ExpirationTimestamp.IsZero() && c.ExpirationTimestamp.Time().Year() > 1 {
		p.Add("expires", at)
	}
	return nil
}

// commitmentInWords says what a savings plan commits to spend.
func commitmentInWords(c *partnercenter.PurchaseCommitment) string {
	if c == nil {
		return ""
	}
	return join(" ", string(c.Amount), ascii.ToUpper(c.Currency), c.Grain)
}

// countLines counts lines with their add-ons.
func countLines(lines []partnercenter.CartLineItem) int {
	n := len(lines)
	for i := range lines {
		n += len(lines[i].AddonItems)
	}
	return n
}

// cartView shows a cart.
var cartView = &terminal.View[*partnercenter.Cart]{
	Plural: "carts",
	Detail: cartDetail,
	Columns: []terminal.Column[*partnercenter.Cart]{
		{Name: "cartId", Kind: terminal.ID, Value: func(c *partnercenter.Cart) any { return c.ID }},
		{Name: "status", Kind: terminal.State, Rank: 1, Value: func(c *partnercenter.Cart) any { return c.Status }},
		{Name: "creationTimestamp", Header: "CREATED", Rank: 3, Value: func(c *partnercenter.Cart) any { return c.CreationTimestamp }},
		{Name: "expirationTimestamp", Header: "EXPIRES", Rank: 2, Value: func(c *partnercenter.Cart) any { return c.ExpirationTimestamp }},
		{Name: "items", Value: func(c *partnercenter.Cart) any { return cartSummary(c.LineItems) }},
		{Name: "errors", Value: func(c *partnercenter.Cart) any { return countErrors(c.LineItems) }},
	},
}

// cartSummary returns the name of the first line and the number of others.
func cartSummary(lines []partnercenter.CartLineItem) string {
	var named []partnercenter.OrderLineItem
	for i := range lines {
		named = append(named, partnercenter.OrderLineItem{FriendlyName: lines[i].FriendlyName, OfferID: lines[i].CatalogItemID, Quantity: lines[i].Quantity})
		for j := range lines[i].AddonItems {
			a := &lines[i].AddonItems[j]
			named = append(named, partnercenter.OrderLineItem{FriendlyName: a.FriendlyName, OfferID: a.CatalogItemID, Quantity: a.Quantity})
		}
	}
	return itemsSummary(named)
}

func countErrors(lines []partnercenter.CartLineItem) int {
	n := 0
	for i := range lines {
		if lines[i].Error != nil {
			n++
		}
		n += countErrors(lines[i].AddonItems)
	}
	return n
}

// cartDetail describes a cart and its lines.
func cartDetail(c *partnercenter.Cart, now time.Time) []terminal.Fact {
	var facts terminal.Facts
	facts.Add("cart", c.ID)
	facts.Add("status", string(c.Status))
	facts.Add("created", terminal.TimeInWords(c.CreationTimestamp, now))
	facts.Add("changed", terminal.TimeInWords(c.LastModifiedTimestamp, now))
	facts.Add("by", c.LastModifiedUser)
	facts.Add("expires", terminal.TimeInWords(c.ExpirationTimestamp, now))
	addLinks(&facts, "links", link{"self", terminal.OrZero(c.Links).Self})
	var add func(lines []partnercenter.CartLineItem)
	add = func(lines []partnercenter.CartLineItem) {
		for i := range lines {
			l := &lines[i]
			facts.Add("line "+terminal.Number(l.ID), strings.TrimSpace(terminal.Number(l.Quantity)+" × "+cmp.Or(l.FriendlyName, l.CatalogItemID)))
			facts.Add("  item", l.CatalogItemID)
			facts.Add("  order", l.OrderGroup)
			facts.Add("  term", durationInWords(l.TermDuration))
			facts.Add("  billed", string(l.BillingCycle))
			facts.Add("  first ends", terminal.TimeInWords(l.CustomTermEndDate, now))
			facts.Add("  renews to", durationInWords(terminal.OrZero(l.RenewsTo).TermDuration))
			facts.Add("  add-on of", l.ProvisioningContext["parentSubscriptionId"])
			facts.Add("  promotion", l.PromotionID)
			facts.Add("  commits to", commitmentInWords(l.PurchaseCommitment))
			for _, p := range l.Participants {
				facts.Add("  partner", p.Value+" ("+string(p.Key)+")")
			}
			if p := l.Pricing; p != nil {
				facts.Add("  price", join(" ", string(p.Price), l.CurrencyCode)+" each, "+join(" ", string(p.ExtendedPrice), l.CurrencyCode)+" together"+per(l.BillingCycle))
			}
			if l.Error != nil {
				facts.Add("  error", fmt.Sprintf("%s: %s", l.Error.ErrorCode, l.Error.ErrorDescription))
			}
			add(l.AddonItems)
		}
	}
	add(c.LineItems)
	return facts
}

// checkoutView shows what a checkout came to.
var checkoutView = &terminal.View[*partnercenter.CartCheckoutResult]{
	Plural: "checkouts",
	Detail: func(r *partnercenter.CartCheckoutResult, now time.Time) []terminal.Fact {
		var facts terminal.Facts
		for i := range r.Orders {
			facts = append(facts, orderDetail(customerOrder{order: &r.Orders[i]}, now)...)
		}
		for _, e := range r.OrderErrors {
			facts.Add("not ordered", fmt.Sprintf("group %s: %s (code %s)", e.OrderGroupID, e.Description, e.Code))
		}
		return facts
	},
	Columns: []terminal.Column[*partnercenter.CartCheckoutResult]{
		{Name: "orders", Value: func(r *partnercenter.CartCheckoutResult) any {
			var ids []string
			for i := range r.Orders {
				ids = append(ids, r.Orders[i].ID)
			}
			return strings.Join(ids, ", ")
		}},
		{Name: "total", Value: func(r *partnercenter.CartCheckoutResult) any {
			var totals []string
			for i := range r.Orders {
				if text := amount(&r.Orders[i]); text != "" {
					totals = append(totals, text)
				}
			}
			return strings.Join(totals, " + ")
		}},
		{Name: "notOrdered", Header: "NOT ORDERED", Value: func(r *partnercenter.CartCheckoutResult) any { return len(r.OrderErrors) }},
	},
}
