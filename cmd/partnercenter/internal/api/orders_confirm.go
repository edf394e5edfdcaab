package api

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/command"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/words"
)

// lookUpTime is how long a purchase waits for what is only said before it.
const lookUpTime = 10 * time.Second

// describePurchase adds an order's lines to the plan and, for those that buy something,
// what the catalog says. What cannot be looked up is said and does not stop the purchase.
func describePurchase(ctx context.Context, call *command.Call, p *command.Plan, order *partnercenter.Order) {
	ctx, cancel := context.WithTimeout(ctx, lookUpTime)
	defer cancel()
	priced := true // what is bought
	for i := range order.LineItems {
		line := &order.LineItems[i]
		if line.SubscriptionID != "" || call.DryRun {
			describeLine(p, line, i, "", order.CurrencyCode)
			continue
		}
		if item, ok := describeItem(ctx, call, p, order, i, call.Term.ServiceNow()); ok && item.availability == nil {
			p.Add("  take back", "the catalog says nothing of it")
		}
		priced = priced && line.Pricing != nil
	}
	if !priced {
		p.Add("price", "not known before buying: the catalog has no prices")
	}
}

// describeItem adds a line to the plan with what the catalog says of its item, and until
// when it can be taken back if it is bought at a time. It reports false if the item
// cannot be looked up.
func describeItem(ctx context.Context, call *command.Call, p *command.Plan, order *partnercenter.Order, i int, bought time.Time) (item, bool) {
	line := &order.LineItems[i]
	found, err := lookUp(ctx, call, line.OfferID)
	describeLine(p, line, i, found.name, order.CurrencyCode)
	switch {
	case err != nil:
		p.Add("  item", "its name and terms cannot be looked up: "+terminal.Explain(err, call.Term.Now()).What)
	case found.availability != nil:
		p.Add("  take back", refundsOf(found.availability, line, order.BillingCycle, bought))
	}
	return found, err == nil
}

// item is what the catalog says of what a line buys.
type item struct {
	name         string
	availability *partnercenter.Availability // nil for a legacy offer
}

func lookUp(ctx context.Context, call *command.Call, id string) (item, error) {
	if product, rest, ok := strings.Cut(id, ":"); ok {
		sku, availability, _ := strings.Cut(rest, ":")
		a, err := call.Customer.Products.ByID(product).SKUs.ByID(sku).Availabilities.ByID(availability).Get(ctx)
		if err != nil {
			return item{}, err
		}
		return item{terminal.OrZero(a.SKU).Title, a}, nil
	}
	if call.Country == "" {
		return item{}, errors.New("the customer's country is not known")
	}
	offer, err := call.Client.Offers.ByCountry(call.Country).ByID(id).Get(ctx)
	if err != nil {
		return item{}, err
	}
	return item{name: offer.Name}, nil
}

// describeCancellation adds the lines to cancel to the plan, with prices if they may be
// seen, and until when they can be cancelled. What cannot be looked up does not stop it.
func describeCancellation(ctx context.Context, call *command.Call, p *command.Plan, order *partnercenter.Order, wanted func(*partnercenter.OrderLineItem) bool) {
	ctx, cancel := context.WithTimeout(ctx, lookUpTime)
	defer cancel()
	priced := false
	if !call.DryRun {
		if withPrices, err := call.Customer.Orders.ByID(order.ID).Get(ctx, partnercenter.IncludePrice()); err == nil {
			order, priced = withPrices, true
		} else {
			p.Add("price", "cannot be looked up: "+terminal.Explain(err, call.Term.Now()).What)
		}
	}
	for i := range order.LineItems {
		line := &order.LineItems[i]
		switch {
		case !wanted(line):
			continue
		case call.DryRun:
			describeLine(p, line, i, "", order.CurrencyCode)
			continue
		}
		describeItem(ctx, call, p, order, i, order.CreationDate.Time())
		if priced && terminal.OrZero(line.Pricing).ExtendedPrice == "" {
			p.Add("  price", "not known: the order has none that may be seen")
		}
		if line.SubscriptionID != "" && onlineService(ctx, call, line) {
			p.Add("  refused", "an online service is not cancelled by its order, but suspended:")
			p.Add("", "partnercenter subscriptions update "+terminal.ShellQuote(line.SubscriptionID)+" --customer "+terminal.ShellQuote(call.CustomerID)+" --status suspended")
		}
	}
}

// onlineService reports whether a line is of an online service, which all legacy offers
// are taken for.
func onlineService(ctx context.Context, call *command.Call, line *partnercenter.OrderLineItem) bool {
	if !strings.Contains(line.OfferID, ":") {
		return true
	}
	s, err := call.Customer.Subscriptions.ByID(line.SubscriptionID).Get(ctx)
	return err == nil && strings.HasPrefix(terminal.OrZero(s.ProductType).ID, "OnlineServices")
}

// refundsOf says until when a line that is bought at a time can be taken back.
func refundsOf(a *partnercenter.Availability, line *partnercenter.OrderLineItem, cycle partnercenter.BillingCycleType, bought time.Time) string {
	var said []string
	for _, term := range a.Terms {
		if line.TermDuration != nil && term.Duration != *line.TermDuration || cycle != "" && term.BillingCycle.Normalize() != cycle.Normalize() {
			continue
		}
		for _, policy := range term.CancellationPolicies {
			for _, refund := range policy.RefundOptions {
				text := fmt.Sprintf("%s refund, at any time", ascii.ToLower(string(refund.Type)))
				if refund.ExpiresAfter != "" {
					text = fmt.Sprintf("%s refund, for %s after buying", ascii.ToLower(string(refund.Type)), refund.ExpiresAfter)
				}
				if days, ok := wholeDays(refund.ExpiresAfter); ok {
					text = fmt.Sprintf("until %s, %s after buying, with a %s refund",
						bought.AddDate(0, 0, days).UTC().Format("2 January 2006 15:04 UTC"), words.Count(days, "day"), ascii.ToLower(string(refund.Type)))
				}
				if !slices.Contains(said, text) {
					said = append(said, text)
				}
			}
		}
	}
	return cmp.Or(strings.Join(said, "; "), "not possible: nothing is refunded")
}

// wholeDays reads a duration of days, such as P7D.
func wholeDays(duration string) (days int, ok bool) {
	n, err := fmt.Sscanf(duration, "P%dD", &days)
	return days, n == 1 && err == nil && duration == fmt.Sprintf("P%dD", days)
}

// describeSeats adds what a change of a subscription's quantity costs, according to its
// order, and what can be given back.
func describeSeats(ctx context.Context, call *command.Call, p *command.Plan, now, next *partnercenter.Subscription) {
	p.Add("term", now.TermDuration)
	p.Add("billed", string(now.BillingCycle))
	if next.Quantity == nil || now.Quantity == nil || *next.Quantity == *now.Quantity {
		return
	}
	if *next.Quantity < *now.Quantity {
		p.Add("give back", cmp.Or(refundable(now, call.Term.ServiceNow()), "nothing is refunded now"))
	}
	if now.OrderID == "" {
		p.Add("price", "not known: the subscription names no order")
		return
	}
	ctx, cancel := context.WithTimeout(ctx, lookUpTime)
	defer cancel()
	order, err := call.Customer.Orders.ByID(now.OrderID).Get(ctx, partnercenter.IncludePrice())
	if err != nil {
		p.Add("price", "cannot be looked up: "+terminal.Explain(err, call.Term.Now()).What)
		return
	}
	for _, line := range order.LineItems {
		if !ascii.EqualFold(line.SubscriptionID, now.ID) || terminal.OrZero(line.Pricing).Price == "" {
			continue
		}
		text := strings.TrimSpace(string(line.Pricing.Price)+" "+order.CurrencyCode) + " each when ordered"
		if total, err := line.Pricing.Price.Mul(partnercenter.Decimal(terminal.Number(next.Quantity))); err == nil {
			text += ", " + strings.TrimSpace(string(total)+" "+order.CurrencyCode) + " together"
		}
		p.Add("price", text)
		return
	}
	p.Add("price", "not known: the order has none that may be seen")
}

// refundable says how many seats can be given back, and until when.
func refundable(s *partnercenter.Subscription, now time.Time) string {
	var parts []string
	if s.RefundableQuantity != nil {
		for _, d := range s.RefundableQuantity.Details {
			if d.AllowedUntil.Time().After(now) && d.Quantity != nil {
				parts = append(parts, fmt.Sprintf("%d until %s", *d.Quantity, terminal.TimeInWords(d.AllowedUntil, now)))
			}
		}
	}
	return strings.Join(parts, ", ")
}

// describeFuture adds what can be done with a subscription until when, and what happens
// by itself.
func describeFuture(facts *terminal.Facts, s *partnercenter.Subscription, now time.Time) {
	ends := s.CommitmentEndDateTime
	if ends.Time().IsZero() {
		ends = s.CommitmentEndDate
	}
	renews := terminal.OrZero(s.AutoRenewEnabled)
	name, after := "ends", ""
	if renews {
		name = "renews"
		if term := terminal.OrZero(s.RenewalTermDuration); term != "" {
			after = ", for " + durationInWords(term)
		}
	}
	if text := terminal.TimeInWords(ends, now); text != "" {
		facts.Add(name, text+after)
	}
	charge := s.BillingCycleEndDateTime
	if charge.Time().IsZero() {
		charge = s.BillingCycleEndDate
	}
	last := !ends.Time().IsZero() && !charge.Time().Before(ends.Time())
	if s.Status.Normalize() == partnercenter.SubscriptionStatusActive && charge.Time().After(now) && (renews || !last) {
		facts.Add("next charge", "after "+terminal.TimeInWords(charge, now))
	}
	switch until := s.CancellationAllowedUntilDate; {
	case until.Time().After(now):
		facts.Add("cancel until", terminal.TimeInWords(until, now))
	case !until.Time().IsZero():
		facts.Add("cancel until", "no longer: it was "+terminal.TimeInWords(until, now))
	default:
		for _, refund := range s.RefundOptions {
			if text := terminal.TimeInWords(refund.ExpiresAt, now); text != "" {
				facts.Add("refund", ascii.ToLower(string(refund.Type))+" until "+text)
			}
		}
	}
	facts.Add("reduce by", refundable(s, now))
	facts.Add("can be", strings.Join(words.Texts(s.Actions), ", "))
}
