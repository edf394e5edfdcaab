package lifecycle

import (
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/catalog"
	"github.com/partnercenter-go/partnercenter/internal/guid"
	"github.com/partnercenter-go/partnercenter/internal/quote"
)

// TransitionCommand is the command to move seats of a subscription in new commerce to another
// catalog item.
type TransitionCommand struct {
	Request *partnercenter.Transition
	// Into is the order of the subscription that the request names to move the seats
	// into. It is nil if there is none, or if it is the order of the source itself.
	Into    *Order
	Entropy Entropy
}

// Moved are the orders that change when seats move.
type Moved struct {
	From *Order // of the subscription that loses them
	// To is the order of the subscription that gets them, nil if it is the same.
	To *Order
	// New says that To is placed for them.
	New bool
}

// maxTransitions bounds how many transitions a subscription remembers.
const maxTransitions = 100

// seatsCheck is a subscription whose seats are to move, as the rules check it: brought up
// to date, and with what the catalog says.
type seatsCheck struct {
	*Subscription
	account  *Account
	settings Settings
	now      time.Time
	item     *catalog.Item // nil when the catalog does not have it
	addOns   int           // that are not cancelled
}

func newSeatsCheck(account *Account, s *Subscription, settings Settings, now time.Time) seatsCheck {
	c := seatsCheck{Subscription: s, account: account, settings: settings, now: now}
	c.item, _ = account.Catalog.Find(s.Document.OfferID, account.Country)
	c.addOns = account.addOnsOf(s)
	return c
}

// addOnsOf counts the add-ons of a subscription that are not cancelled.
func (a *Account) addOnsOf(s *Subscription) (n int) {
	for _, other := range a.each() {
		if ascii.EqualFold(other.Document.ParentSubscriptionID, s.Document.ID) && other.Document.Status.Normalize() != partnercenter.SubscriptionStatusDeleted {
			n++
		}
	}
	return n
}

// each returns the account's subscriptions, each once, in the order of their ids: the map
// may have them by entitlement, too.
func (a *Account) each() []*Subscription {
	var list []*Subscription
	for key, s := range a.Subscriptions {
		if s != nil && key == Key(s.Document.ID) {
			list = append(list, s)
		}
	}
	slices.SortFunc(list, func(a, b *Subscription) int { return strings.Compare(a.Document.ID, b.Document.ID) })
	return list
}

// targets are the items that the subscription can become.
func (c *seatsCheck) targets() []*catalog.Item {
	if c.item == nil {
		return nil
	}
	return c.account.Catalog.Targets(c.item, c.item.UpgradeTargets)
}

// obstacles are the reasons why no seats can move, in the order of their codes.
func (c *seatsCheck) obstacles(target *catalog.Item) []partnercenter.TransitionError {
	list := []partnercenter.TransitionError{}
	add := func(is bool, code partnercenter.TransitionErrorCode, description string, args ...any) {
		if is {
			list = append(list, partnercenter.TransitionError{Code: code, Description: fmt.Sprintf(description, args...)})
		}
	}
	add(!isActive(c.Subscription), partnercenter.TransitionErrorCodeNotActive, "The subscription is %s.", c.Document.Status)
	add(c.addOns > 0, partnercenter.TransitionErrorCodeAddOnsPresent, "The subscription has add-ons.")
	add(!target.Purchasable || target.Retired, partnercenter.TransitionErrorCodeTargetNotFound, "%s is not sold at present.", target.ID)
	return list
}

// TransitionEligibilities returns what a subscription can become, at once or when its term
// ends. It is empty for what is not an online service in new commerce.
func TransitionEligibilities(account *Account, s *Subscription, when partnercenter.EligibilityType, settings Settings, now time.Time) []partnercenter.TransitionEligibility {
	list := []partnercenter.TransitionEligibility{}
	if s.Facts.Kind != catalog.OnlineService || s.Document.Status.Normalize() == partnercenter.SubscriptionStatusDeleted {
		return list
	}
	current := s.clone()
	current.advance(now)
	c := newSeatsCheck(account, current, settings, now)
	scheduled := when == partnercenter.EligibilityTypeScheduled
	for _, target := range c.targets() {
		obstacles := c.obstacles(target)
		e := partnercenter.TransitionEligibility{
			CatalogItemID: target.ID, OperationID: guid.Derived("transition", s.Document.ID, target.ID), Title: target.Title, Description: target.Title,
			Quantity: current.Document.Quantity, SubscriptionEligibilities: []partnercenter.TransitionSubscriptionEligibility{},
		}
		for _, kind := range partnercenter.TransitionTypes() {
			because := obstacles
			if kind == partnercenter.TransitionTypeWithLicenseTransfer {
				because = append(slices.Clip(obstacles), partnercenter.TransitionError{Code: partnercenter.TransitionErrorCodeOther, Description: "Licences of users are not kept here, and are not transferred."})
			}
			if scheduled && target.NeedsAttestation {
				because = append(slices.Clip(because), partnercenter.TransitionError{Code: partnercenter.TransitionErrorCodeOther, Description: "The item needs an attestation; transition at once."})
			}
			e.Eligibilities = append(e.Eligibilities, partnercenter.TransitionTypeEligibility{IsEligible: new(len(because) == 0), TransitionType: kind, Errors: because})
		}
		if !scheduled && !isTrue(current.Document.IsTrial) {
			e.SubscriptionEligibilities = append(e.SubscriptionEligibilities, c.intoEach(target)...)
		}
		list = append(list, e)
	}
	return list
}

// intoEach says of each subscription to an item whether the seats can move into it.
func (c *seatsCheck) intoEach(target *catalog.Item) (list []partnercenter.TransitionSubscriptionEligibility) {
	for _, other := range c.account.each() {
		if !ascii.EqualFold(other.Document.OfferID, target.ID) || other.Document.Status.Normalize() == partnercenter.SubscriptionStatusDeleted || !other.Exists(c.now) {
			continue
		}
		into := other.clone()
		into.advance(c.now)
		errs := []partnercenter.TransitionError{}
		for i := range intoObstacles {
			if why := intoObstacles[i].broken(c, into); why != "" {
				errs = append(errs, partnercenter.TransitionError{Code: intoObstacles[i].code, Description: why + "."})
			}
		}
		d := &into.Document
		list = append(list, partnercenter.TransitionSubscriptionEligibility{
			IsEligible: new(len(errs) == 0), SubscriptionID: d.ID, SubscriptionFriendlyName: d.FriendlyName,
			SubscriptionTermDuration: d.TermDuration, SubscriptionBillingCycle: d.BillingCycle, Errors: errs,
		})
	}
	return list
}

// intoObstacles are the reasons why seats cannot move into a subscription: with a code in
// lists of what is eligible, and another one as a refusal.
var intoObstacles = []struct {
	code    partnercenter.TransitionErrorCode
	refused partnercenter.ErrorCode
	when    string
	broken  func(c *seatsCheck, into *Subscription) string
}{
	{"1", partnercenter.ErrorCodeTargetInactive, "the subscription to move the seats into is not active", func(_ *seatsCheck, into *Subscription) string {
		if isActive(into) {
			return ""
		}
		return "Subscription " + into.Document.ID + " is " + string(into.Document.Status)
	}},
	{"2", partnercenter.ErrorCodeTargetUnusable, "the subscription to move the seats into can still be cancelled", func(c *seatsCheck, into *Subscription) string {
		first := into.Facts.Seats
		if c.settings.CancelWithin == 0 || len(first) == 0 || c.now.After(first[0].Added.Add(c.settings.CancelWithin)) {
			return ""
		}
		return "Subscription " + into.Document.ID + " can still be cancelled, until " + first[0].Added.Add(c.settings.CancelWithin).UTC().Format(time.RFC3339)
	}},
	{"3", partnercenter.ErrorCodeTermShorter, "the subscription to move the seats into has a shorter term", func(c *seatsCheck, into *Subscription) string {
		if into.termMonths() >= c.termMonths() {
			return ""
		}
		return "Subscription " + into.Document.ID + " has the shorter term " + into.Document.TermDuration
	}},
	{"4", partnercenter.ErrorCodeTargetMismatch, "the subscription to move the seats into ends before the source", func(c *seatsCheck, into *Subscription) string {
		if !into.Document.CommitmentEndDate.Time().Before(c.Document.CommitmentEndDate.Time()) {
			return ""
		}
		return "Subscription " + into.Document.ID + " ends on " + into.Document.CommitmentEndDate.Time().Format(time.DateOnly) + ", before the source"
	}},
}

// transitionCheck is a transition, as the rules check it.
type transitionCheck struct {
	seatsCheck
	request *partnercenter.Transition
	kind    partnercenter.TransitionType
	target  *catalog.Item // nil when err says why it was not found
	err     error
	into    *Subscription // brought up to date; nil for a new one, or an unknown one
}

const (
	nextReadEligibilities = "Read GET .../transitioneligibilities for what is possible"
	nextOtherSubscription = "Name another one, or leave toSubscriptionId out for a new subscription"
)

// transitionRules apply to transitions of a subscription.
var transitionRules = slices.Concat([]rule[*transitionCheck]{
	{http.StatusConflict, partnercenter.ErrorCodeSubscriptionNotReady, "it is being provisioned", func(t *transitionCheck) (string, string) {
		return require(t.Exists(t.now), "Try again when GET .../provisioningstatus of its order returns fulfilled", "Subscription %s is not ready to be updated", t.Document.ID)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeOperationUnoffered, "it is not of an online service in new commerce", func(t *transitionCheck) (string, string) {
		return require(t.Facts.Kind == catalog.OnlineService, "Legacy offers have .../upgrades, and their trials .../conversions", "This operation is not supported: %s is not an online service in new commerce", t.Document.OfferID)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeInvalidProperty, "the type is missing", func(t *transitionCheck) (string, string) {
		return require(t.kind != "", "Send transition_only", "Invalid property transitionType: there is none")
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeEnumUnparsable, "the type is unknown text", func(t *transitionCheck) (string, string) {
		return require(t.kind.Known(), "Send transition_only", "Unable to parse enum: transitionType %s", quote.Text(string(t.kind)))
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeOperationUnoffered, "licences of users are to move, too", func(t *transitionCheck) (string, string) {
		return require(t.kind == partnercenter.TransitionTypeOnly, "Send transition_only", "This operation is not supported: licences of users are not kept here, and are not transferred")
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeInvalidProperty, "no item is named", func(t *transitionCheck) (string, string) {
		return require(ascii.TrimSpace(t.request.ToCatalogItemID) != "", nextReadEligibilities, "Invalid property toCatalogItemId: there is none")
	}},
	{http.StatusNotFound, partnercenter.ErrorCodeProductNotFound, "the product is unknown", func(t *transitionCheck) (string, string) {
		return t.requireKnown(catalog.ErrUnknownProduct)
	}},
	{http.StatusNotFound, partnercenter.ErrorCodeSKUNotFound, "the SKU is unknown", func(t *transitionCheck) (string, string) {
		return t.requireKnown(catalog.ErrUnknownSKU)
	}},
	{http.StatusNotFound, partnercenter.ErrorCodeAvailabilityUnknown, "the availability is unknown", func(t *transitionCheck) (string, string) {
		return t.requireKnown(catalog.ErrUnknownAvailability)
	}},
	{http.StatusForbidden, partnercenter.ErrorCodeItemNotEligible, "it cannot become the item", func(t *transitionCheck) (string, string) {
		is := slices.ContainsFunc(t.targets(), func(i *catalog.Item) bool { return t.target != nil && i.ID == t.target.ID })
		return require(is, nextReadEligibilities, "The catalog item is not eligible for purchase: %s cannot become %s", t.Document.OfferID, quote.Text(t.request.ToCatalogItemID))
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeInvalidProperty, "there is no quantity, or it is below one", func(t *transitionCheck) (string, string) {
		return require(t.request.Quantity != nil && *t.request.Quantity > 0, "Send how many seats to move", "Invalid property quantity: at least one seat moves")
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeQuantityOutOfRange, "more seats are to move than there are", func(t *transitionCheck) (string, string) {
		return require(*t.request.Quantity <= *t.Document.Quantity, fmt.Sprintf("Move at most %d", *t.Document.Quantity), "%d seats cannot move: subscription %s has %d", *t.request.Quantity, t.Document.ID, *t.Document.Quantity)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeQuantityOutOfRange, "too few seats are to stay", func(t *transitionCheck) (string, string) {
		left := *t.Document.Quantity - *t.request.Quantity
		return require(left == 0 || left >= max(1, t.item.MinimumQuantity), "Move all of them, or fewer", "A quantity of %d is not within the minimum and maximum of %s", left, t.item.ID)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeChangedTooOften, "there were 100 transitions of it", func(t *transitionCheck) (string, string) {
		return require(len(t.Facts.Transitions) < maxTransitions, "Move all its seats that are left at once, or cancel it", "Subscription %s was changed too often: it has had %d transitions", t.Document.ID, maxTransitions)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeOperationUnoffered, "it has add-ons", func(t *transitionCheck) (string, string) {
		return require(t.addOns == 0, "Cancel its add-ons first", "This operation is not supported: subscription %s has add-ons", t.Document.ID)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeTargetIsSource, "the subscription to move the seats into is itself", func(t *transitionCheck) (string, string) {
		return require(!ascii.EqualFold(t.intoID(), t.Document.ID), nextOtherSubscription, "The target subscription is the source: %s", t.Document.ID)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeTargetUnusable, "the customer does not have the subscription to move the seats into", func(t *transitionCheck) (string, string) {
		return require(t.intoID() == "" || t.into != nil, nextOtherSubscription, "The target subscription is not one of the customer's: %s", quote.Text(t.intoID()))
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeTargetNotReady, "the subscription to move the seats into is being provisioned", func(t *transitionCheck) (string, string) {
		return require(t.into == nil || t.into.Exists(t.now), "Try again in a few minutes", "The target subscription is not ready: %s", quote.Text(t.intoID()))
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeTargetMismatch, "the subscription to move the seats into is of another item", func(t *transitionCheck) (string, string) {
		return require(t.into == nil || ascii.EqualFold(t.into.Document.OfferID, t.target.ID), nextOtherSubscription, "The target subscription %s is not of %s", quote.Text(t.intoID()), t.target.ID)
	}},
}, intoRules(), []rule[*transitionCheck]{
	{http.StatusBadRequest, partnercenter.ErrorCodeInvalidProperty, "a promotion is named for a subscription that is there, or another term or billing cycle than its own", func(t *transitionCheck) (string, string) {
		if t.into == nil {
			return "", ""
		}
		d := &t.into.Document
		other := differs(t.request.TermDuration, d.TermDuration) || t.askedCycle() != "" && t.askedCycle() != d.BillingCycle.Normalize() || t.request.PromotionID != ""
		return require(!other, "Leave termDuration, billingCycle and promotionId out", "Invalid property termDuration: subscription %s is for %s, billed %s", d.ID, d.TermDuration, d.BillingCycle)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeQuantityUnavailable, "the subscription to move the seats into would have too many", func(t *transitionCheck) (string, string) {
		if t.into == nil {
			return "", ""
		}
		return quantityRange(t.target, *t.into.Document.Quantity+*t.request.Quantity)
	}},
	{http.StatusForbidden, partnercenter.ErrorCodeSeatsBeyondLimit, "the sandbox allows fewer seats in the subscription to move them into", func(t *transitionCheck) (string, string) {
		if t.into == nil {
			return "", ""
		}
		return sandboxSeats(t.settings, t.target.Kind, t.target.ID, *t.into.Document.Quantity+*t.request.Quantity)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeNextTermInvalid, "the item is not sold for the term", func(t *transitionCheck) (string, string) {
		return require(t.into != nil || slices.Contains(t.target.Terms, t.term()), "Send one of its terms: "+strings.Join(t.target.Terms, ", "), "The term %s is not valid for %s", quote.Text(t.term()), t.target.ID)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeTermShorter, "the term is shorter than that of the subscription", func(t *transitionCheck) (string, string) {
		shorter := catalog.TermMonths(t.term()) < t.termMonths()
		return require(t.into != nil || isTrue(t.Document.IsTrial) || !shorter, "Send a term that is at least as long", "The term %s is shorter than the current one, %s", t.term(), t.Document.TermDuration)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeNextCycleInvalid, "the item is not sold with the billing cycle", func(t *transitionCheck) (string, string) {
		return require(t.into != nil || slices.Contains(t.target.BillingCycles, t.cycle()), "Send one that the item is sold with, or leave it out", "The billing cycle %s is not valid for %s", quote.Text(string(t.cycle())), t.target.ID)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeNextCycleTooLong, "the billing cycle is longer than the term", func(t *transitionCheck) (string, string) {
		return require(t.into != nil || catalog.Billable(t.term(), t.cycle()), "Send a longer term, or a shorter billing cycle", "The billing cycle %s is longer than the term %s", t.cycle(), t.term())
	}},
})

// intoRules are the rules of intoObstacles.
func intoRules() (rules []rule[*transitionCheck]) {
	for _, o := range intoObstacles {
		rules = append(rules, rule[*transitionCheck]{http.StatusBadRequest, o.refused, o.when, func(t *transitionCheck) (string, string) {
			if t.into == nil {
				return "", ""
			}
			why := o.broken(&t.seatsCheck, t.into)
			return require(why == "", nextOtherSubscription, "%s", why)
		}})
	}
	return rules
}

func (t *transitionCheck) requireKnown(unless error) (string, string) {
	return require(!errors.Is(t.err, unless), nextReadEligibilities, "%s: %s", t.err, quote.Text(t.request.ToCatalogItemID))
}

// intoID is the id of the subscription that the request names.
func (t *transitionCheck) intoID() string { return ascii.TrimSpace(t.request.ToSubscriptionID) }

func (t *transitionCheck) askedCycle() partnercenter.BillingCycleType {
	c := t.request.BillingCycle.Normalize()
	if c == partnercenter.BillingCycleTypeUnknown {
		return ""
	}
	return c
}

// cycle returns the billing cycle of a new subscription: the requested one, the current
// one, or the item's default.
func (t *transitionCheck) cycle() partnercenter.BillingCycleType {
	if c := t.askedCycle(); c != "" {
		return c
	}
	if own := t.Document.BillingCycle.Normalize(); slices.Contains(t.target.BillingCycles, own) {
		return own
	}
	return t.target.BillingCycles[0]
}

// term returns the term of a new subscription likewise.
func (t *transitionCheck) term() string {
	if asked := ascii.TrimSpace(t.request.TermDuration); asked != "" {
		return ascii.ToUpper(asked)
	}
	if own := t.Document.TermDuration; !isTrue(t.Document.IsTrial) && slices.Contains(t.target.Terms, own) && catalog.Billable(own, t.cycle()) {
		return own
	}
	return t.target.Term(t.cycle())
}

// TransitionSubscription decides about moving seats of one of an order's subscriptions.
// With all of them, the subscription ends.
func TransitionSubscription(account *Account, from *Order, id string, command TransitionCommand, settings Settings, now time.Time) (Moved, *partnercenter.Transition, []Event, error) {
	next, s := from.cloneWith(id)
	s.advance(now)
	t := &transitionCheck{seatsCheck: newSeatsCheck(account, s, settings, now), request: command.Request, kind: command.Request.TransitionType.Normalize()}
	t.target, t.err = account.Catalog.Find(ascii.TrimSpace(t.request.ToCatalogItemID), account.Country)
	to := command.Into
	if into := t.intoID(); into != "" {
		if to != nil {
			to = to.clone()
			t.into = to.Subscription(into)
		} else {
			t.into = next.Subscription(into)
		}
		if t.into != nil {
			t.into.advance(now)
		}
	}
	arrow, err := move(SubscriptionMachine, string(s.Document.Status.Normalize()), Transit)
	if err != nil {
		return Moved{}, nil, nil, err
	}
	if err := check(transitionRules, t); err != nil {
		return Moved{}, nil, nil, err
	}
	source := newIDs(command.Entropy)
	done := &partnercenter.Transition{
		OperationID: source.guid(), FromCatalogItemID: s.Document.OfferID, FromSubscriptionID: s.Document.ID, ToCatalogItemID: t.target.ID,
		Quantity: new(*t.request.Quantity), TransitionType: t.kind,
		Attributes: &partnercenter.ResourceAttributes{ObjectType: partnercenter.ObjectTypeTransition},
	}
	moved, completed := Moved{From: next, To: to}, now
	events := []Event{{Kind: arrow.Event, SubscriptionID: s.Document.ID, LineItemNumber: s.Facts.LineItemNumber}}
	into := t.into
	if into != nil {
		into.setQuantity(*into.Document.Quantity+*t.request.Quantity, now)
		into.touch()
		if moved.To == nil {
			next.Changed = append(next.Changed, into)
		} else {
			moved.To.Changed = append(moved.To.Changed, into)
		}
	} else {
		var entropy Entropy
		source.fill(entropy[:])
		line := partnercenter.OrderLineItem{
			OfferID: t.target.ID, Quantity: new(*t.request.Quantity), TermDuration: new(t.term()), PromotionID: t.request.PromotionID,
			AttestationAccepted: t.request.AttestationAccepted,
		}
		if moved.To, err = t.placeConverted(line, t.cycle(), entropy); err != nil {
			return Moved{}, nil, nil, err
		}
		placed := &moved.To.Document.LineItems[0]
		moved.New, done.PromotionID, done.AttestationAccepted = true, placed.PromotionID, placed.AttestationAccepted
		into, completed = moved.To.Subscriptions[0], moved.To.Facts.Lines[0].Provisioned
		events = append(events, Event{Kind: "order placed", SubscriptionID: into.Document.ID})
	}
	done.ToSubscriptionID, done.TermDuration, done.BillingCycle = into.Document.ID, into.Document.TermDuration, into.Document.BillingCycle
	done.Events = conversionEvents(now, completed)
	s.Facts.Transitions = append(slices.Clip(s.Facts.Transitions), *done)
	var placed *Order
	if moved.New {
		placed = moved.To
	}
	events = append(events, next.takeSeats(account, s, *t.request.Quantity, placed, settings, now)...)
	return moved, transitionAt(done, time.Time{}), events, nil
}

// conversionEvents are the steps of a transition.
func conversionEvents(started, completed time.Time) (list []partnercenter.TransitionEvent) {
	for _, event := range []struct {
		status partnercenter.TransitionEventStatus
		at     time.Time
	}{{partnercenter.TransitionEventStatusStarted, started}, {partnercenter.TransitionEventStatusCompleted, completed}} {
		list = append(list, partnercenter.TransitionEvent{Name: partnercenter.TransitionEventNameConversion, Status: event.status, Timestamp: dateOf(event.at, false)})
	}
	return list
}

// takeSeats takes seats from a subscription that goes on elsewhere, in an order that is
// placed for them or, with nil, in one that is there. With its last ones, it ends; its term is
// given back only if a request could delete it and the other order charges for its seats.
func (o *Order) takeSeats(a *Account, s *Subscription, n int, placed *Order, settings Settings, now time.Time) (events []Event) {
	left := *s.Document.Quantity - n
	back := left == 0 && (placed != nil && s.returnable(settings, now) || !s.hasEnd())
	credit := new(big.Rat)
	if placed != nil && !back {
		credit = s.passOn(a, &o.Document, n, now)
	}
	if left > 0 {
		s.setQuantity(left, now)
		s.unschedule()
	} else {
		s.delete(now)
	}
	if back {
		own := o.Facts.Lines[s.Facts.LineItemNumber].Credit
		events = o.giveBack(s, now)
		if left, err := own.Rat(); err == nil && len(events) > 0 {
			credit = left // it was for the seats that move on
		}
	}
	if placed != nil {
		placed.credit(0, credit)
	}
	s.touch()
	o.Changed = append(o.Changed, s)
	return events
}

// placeConverted places an order for what the seats of a subscription become. It is held
// against the rules of placing orders; what limits count is without the source, if that
// ends.
func (c *seatsCheck) placeConverted(line partnercenter.OrderLineItem, cycle partnercenter.BillingCycleType, entropy Entropy) (*Order, error) {
	account := *c.account
	if *line.Quantity == *c.Document.Quantity {
		account.Held.Subscriptions--
	}
	line.PartnerIDOnRecord = text(c.Document.PartnerID)
	request := &partnercenter.Order{ReferenceCustomerID: account.CustomerID, BillingCycle: cycle, LineItems: []partnercenter.OrderLineItem{line}}
	o, _, err := PlaceOrder(&account, Placement{Request: request, HasUser: true, Entropy: entropy}, c.settings, c.now)
	if err != nil {
		return nil, err
	}
	o.Document.LineItems[0].TransactionType = partnercenter.LineItemTransactionTypeConvert
	if renews := c.Document.AutoRenewEnabled; !isTrue(c.Document.IsTrial) && renews != nil && isTrue(o.Subscriptions[0].Document.AutoRenewEnabled) {
		o.Subscriptions[0].Document.AutoRenewEnabled = new(*renews)
	}
	return o, nil
}

// TransitionsAt returns the transitions of a subscription by an instant, all or the one with
// an operation id.
func (s *Subscription) TransitionsAt(operationID string, now time.Time) []*partnercenter.Transition {
	list := []*partnercenter.Transition{}
	done := s.asOf(now).Facts.Transitions
	for i := range done {
		if t := &done[i]; operationID == "" || ascii.EqualFold(t.OperationID, ascii.TrimSpace(operationID)) {
			list = append(list, transitionAt(t, now))
		}
	}
	return list
}

// transitionAt returns a transition with what happened by an instant. It has always begun.
func transitionAt(t *partnercenter.Transition, now time.Time) *partnercenter.Transition {
	view := *t
	view.Events = nil
	for i := range t.Events {
		if i == 0 || !now.Before(t.Events[i].Timestamp.Time()) {
			view.Events = append(view.Events, t.Events[i])
		}
	}
	return &view
}
