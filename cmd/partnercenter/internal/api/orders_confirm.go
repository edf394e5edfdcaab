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
// It fails for a term or a billing cycle that an item is not sold for.
func describePurchase(ctx context.Context, call *command.Call, p *command.Plan, order *partnercenter.Order) error {
	ctx, cancel := context.WithTimeout(ctx, lookUpTime)
	defer cancel()
	priced := true // what is bought
	for i := range order.LineItems {
		line := &order.LineItems[i]
		if line.SubscriptionID != "" || call.DryRun {
			describeLine(p, line, i, "", order.CurrencyCode)
			continue
		}
		found, err := lookUp(ctx, call, line.OfferID)
		describeLine(p, line, i, found.name, order.CurrencyCode)
		if err == nil {
			if err := found.checkTerm(line, order.BillingCycle); err != nil {
				return err
			}
			p.Add("  term", found.onlyTerm(line, order.BillingCycle))
		}
		for _, fact := range found.takingBackNow(err, line, order.BillingCycle, call) {
			p.Add(fact.Name, fact.Value)
		}
		priced = priced && line.Pricing != nil
	}
	if !priced {
		p.Add("price", unknownPrice)
	}
	return nil
}

// undoing says what can be done about a line of an order that was placed, and until when.
// Its subscription may be nil.
func undoing(found item, err error, line *partnercenter.OrderLineItem, s *partnercenter.Subscription, order *partnercenter.Order, call *command.Call) (facts terminal.Facts) {
	facts = found.takingBack(err, line, order.BillingCycle, order.CreationDate.Time(), call.Term)
	if onlineService(line, s) {
		facts.Add("  cancel", "refused: an online service is not cancelled by its order, but suspended:")
		facts.Add("", "partnercenter subscriptions update "+terminal.ShellQuote(line.SubscriptionID)+" --customer "+terminal.ShellQuote(call.CustomerID)+" --status suspended")
	}
	return facts
}

// takingBack says until when a line that is bought at a time can be taken back, according
// to what the catalog says of its item, unless that failed.
func (i item) takingBack(err error, line *partnercenter.OrderLineItem, cycle partnercenter.BillingCycleType, bought time.Time, term *terminal.Terminal) (facts terminal.Facts) {
	switch {
	case err != nil:
		facts.Add("  item", "its name and terms cannot be looked up: "+terminal.Explain(err, term.Now()).What)
	case i.availability != nil:
		facts.Add("  take back", i.refunds(line, cycle, bought, term.ServiceNow()))
	}
	return facts
}

// takingBackNow is takingBack of a line that is about to be bought, for which something is
// said in any case.
func (i item) takingBackNow(err error, line *partnercenter.OrderLineItem, cycle partnercenter.BillingCycleType, call *command.Call) terminal.Facts {
	facts := i.takingBack(err, line, cycle, call.Term.ServiceNow(), call.Term)
	if err == nil && i.availability == nil {
		facts.Add("  take back", "the catalog says nothing of it")
	}
	return facts
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
		found, err := lookUp(ctx, call, line.OfferID)
		describeLine(p, line, i, found.name, order.CurrencyCode)
		if priced && terminal.OrZero(line.Pricing).ExtendedPrice == "" {
			p.Add("  price", "not known: the order has none that may be seen")
		}
		var s *partnercenter.Subscription
		if line.SubscriptionID != "" && strings.Contains(line.OfferID, ":") {
			s, _ = call.Customer.Subscriptions.ByID(line.SubscriptionID).Get(ctx) // without it, the service decides
		}
		for _, fact := range undoing(found, err, line, s, order, call) {
			p.Add(fact.Name, fact.Value)
		}
	}
}

// onlineService reports whether a line is of an online service, which all legacy offers
// are taken for. Its subscription may be nil.
func onlineService(line *partnercenter.OrderLineItem, s *partnercenter.Subscription) bool {
	switch {
	case line.SubscriptionID == "":
		return false
	case !strings.Contains(line.OfferID, ":"):
		return true
	}
	return s != nil && strings.HasPrefix(terminal.OrZero(s.ProductType).ID, "OnlineServices")
}

// checkTerm fails if the item is known not to be sold for the term, or with the billing
// cycle, that a line asks for.
func (i item) checkTerm(line *partnercenter.OrderLineItem, cycle partnercenter.BillingCycleType) error {
	if i.availability == nil || len(i.availability.Terms) == 0 || len(i.terms(line.TermDuration, cycle)) > 0 {
		return nil
	}
	var asked []string
	if term := terminal.OrZero(line.TermDuration); term != "" {
		asked = append(asked, "term "+term)
	}
	if named(cycle) {
		asked = append(asked, "billing cycle "+string(cycle.Normalize()))
	}
	var sold []string
	for _, term := range i.availability.Terms {
		sold = append(sold, cmp.Or(term.Duration, "no term")+" billed "+string(term.BillingCycle.Normalize()))
	}
	return terminal.Usagef("%s is not sold with %s: use one of %s", line.OfferID, words.And(asked), strings.Join(sold, ", "))
}

// terms returns those that fit a term and a billing cycle, of which both may be missing.
func (i item) terms(duration *string, cycle partnercenter.BillingCycleType) (fitting []partnercenter.AvailabilityTerm) {
	for _, term := range i.availability.Terms {
		if (duration == nil || ascii.EqualFold(term.Duration, strings.TrimSpace(*duration))) &&
			(!named(cycle) || term.BillingCycle == "" || term.BillingCycle.Normalize() == cycle.Normalize()) {
			fitting = append(fitting, term)
		}
	}
	return fitting
}

// onlyTerm returns the term of a line that names none, if the catalog leaves no choice.
func (i item) onlyTerm(line *partnercenter.OrderLineItem, cycle partnercenter.BillingCycleType) string {
	if i.availability == nil || line.TermDuration != nil {
		return ""
	}
	fitting := i.terms(nil, cycle)
	if len(fitting) == 0 || slices.ContainsFunc(fitting, func(t partnercenter.AvailabilityTerm) bool { return t.Duration != fitting[0].Duration }) {
		return ""
	}
	return fitting[0].Duration
}

// refunds says until when a line that is bought at a time can be taken back.
func (i item) refunds(line *partnercenter.OrderLineItem, cycle partnercenter.BillingCycleType, bought, now time.Time) string {
	var said []string
	for _, term := range i.terms(line.TermDuration, cycle) {
		for _, policy := range term.CancellationPolicies {
			for _, refund := range policy.RefundOptions {
				text := fmt.Sprintf("%s refund, at any time", ascii.ToLower(string(refund.Type)))
				if refund.ExpiresAfter != "" {
					text = fmt.Sprintf("%s refund, for %s after buying", ascii.ToLower(string(refund.Type)), refund.ExpiresAfter)
				}
				if days, ok := wholeDays(refund.ExpiresAfter); ok {
					until, verb := bought.AddDate(0, 0, days), "until"
					if until.Before(now) {
						verb = "no longer: it was until"
					}
					text = fmt.Sprintf("%s %s, %s after buying, with a %s refund",
						verb, until.UTC().Format("2 January 2006 15:04 UTC"), words.Count(days, "day"), ascii.ToLower(string(refund.Type)))
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

// unknownPrice is said of what a subscription has not been bought as.
const unknownPrice = "not known before buying: only carts have prices"

// describeSeats adds what a change of a subscription's quantity or renewal costs, according
// to its order, and what can be given back, or taken back until when.
func describeSeats(ctx context.Context, call *command.Call, p *command.Plan, now, next *partnercenter.Subscription) {
	if longer := next.TermDuration != "" && !ascii.EqualFold(next.TermDuration, now.TermDuration); longer {
		takeBack := "not possible: a term becomes longer only"
		if until, _ := cancelUntil(now, call.Term.ServiceNow()); until.Time().After(call.Term.ServiceNow()) {
			takeBack = "until " + terminal.TimeInWords(until, call.Term.ServiceNow()) + ", by deleting the subscription: a term becomes longer only"
		}
		p.Add("take back", takeBack)
		p.Add("price", unknownPrice)
		return
	}
	otherStatus := next.Status.Normalize() != now.Status.Normalize()
	if otherStatus {
		describeStatus(call, p, now, next.Status.Normalize())
	}
	p.Add("term", now.TermDuration)
	p.Add("billed", string(now.BillingCycle))
	if next.Quantity == nil || now.Quantity == nil || *next.Quantity == *now.Quantity {
		renews := terminal.OrZero(next.AutoRenewEnabled) && !terminal.OrZero(now.AutoRenewEnabled)
		if renews {
			p.Add("take back", untilEnd(now, call)+", with --auto-renew=false")
		}
		if renews || otherStatus {
			describePrice(ctx, call, p, now, now)
		}
		return
	}
	if *next.Quantity < *now.Quantity {
		p.Add("give back", cmp.Or(refundable(now, call.Term.ServiceNow()), "nothing is refunded now"))
	} else {
		describeTakingBack(ctx, call, p, now.OfferID, now.TermDuration, now.BillingCycle)
	}
	describePrice(ctx, call, p, now, next)
}

// describeTakingBack adds until when what is bought now can be taken back.
func describeTakingBack(ctx context.Context, call *command.Call, p *command.Plan, offerID, term string, cycle partnercenter.BillingCycleType) {
	line := partnercenter.OrderLineItem{OfferID: offerID}
	if term != "" {
		line.TermDuration = &term
	}
	ctx, cancel := context.WithTimeout(ctx, lookUpTime)
	defer cancel()
	found, err := lookUp(ctx, call, offerID)
	for _, fact := range found.takingBackNow(err, &line, cycle, call) {
		p.Add(strings.TrimSpace(fact.Name), fact.Value)
	}
}

// describeStatus adds what a change of a subscription's status gives back, and how it can be
// taken back.
func describeStatus(call *command.Call, p *command.Plan, now *partnercenter.Subscription, status partnercenter.SubscriptionStatus) {
	switch status {
	case partnercenter.SubscriptionStatusDeleted:
		at := call.Term.ServiceNow()
		switch until, known := cancelUntil(now, at); {
		case !known:
			p.Add("refund", "not known: the subscription does not say until when it can be cancelled")
		case until.Time().After(at):
			p.Add("refund", "in full, until "+terminal.TimeInWords(until, at))
		default:
			p.Add("refund", "none, and it is likely to be refused: it can no longer be cancelled as a whole. subscriptions schedule --action cancel ends it with its term")
		}
		p.Add("take back", "not possible: what is deleted stays so")
	case partnercenter.SubscriptionStatusSuspended:
		p.Add("take back", "at any time, with --status active")
	case partnercenter.SubscriptionStatusActive:
		p.Add("take back", "at any time, with --status suspended")
	}
}

// cancelUntil returns until when all of a subscription can be given back, zero if only some
// seats can, or none. It is not known of those that do not say.
func cancelUntil(s *partnercenter.Subscription, now time.Time) (until partnercenter.Time, known bool) {
	if s.RefundableQuantity == nil || s.Quantity == nil {
		return s.CancellationAllowedUntilDate, !s.CancellationAllowedUntilDate.IsZero()
	}
	seats := 0
	for _, d := range s.RefundableQuantity.Details {
		if d.Quantity == nil || !d.AllowedUntil.Time().After(now) {
			continue
		}
		if seats += *d.Quantity; until.IsZero() || d.AllowedUntil.Time().Before(until.Time()) {
			until = d.AllowedUntil
		}
	}
	if seats < *s.Quantity {
		until = partnercenter.Time{}
	}
	return until, true
}

// untilEnd says that something is possible until the term of a subscription ends.
func untilEnd(s *partnercenter.Subscription, call *command.Call) string {
	ends := s.CommitmentEndDateTime
	if ends.IsZero() {
		ends = s.CommitmentEndDate
	}
	return "until " + cmp.Or(terminal.TimeInWords(ends, call.Term.ServiceNow()), "its term ends")
}

// describePrice adds what the seats of a subscription cost, according to its order.
func describePrice(ctx context.Context, call *command.Call, p *command.Plan, now, next *partnercenter.Subscription) {
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
	switch until, known := cancelUntil(s, now); {
	case known && until.IsZero():
		facts.Add("cancel until", "no longer: it can be reduced only")
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
