package lifecycle

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/catalog"
	"github.com/partnercenter-go/partnercenter/internal/quote"
)

// Update is the command to change a subscription: its status, quantity, nickname or
// renewal. Clients send whole subscriptions; the intended change is what differs from
// the stored one and is not noise.
type Update struct {
	Request *partnercenter.Subscription
	IfMatch string // the header as received
}

// updateCheck is a change of a subscription, as the rules check it. What the request
// does not intend to change is nil or empty.
type updateCheck struct {
	*Subscription
	request  *partnercenter.Subscription
	account  *Account
	item     *catalog.Item // nil when the catalog does not have it
	parent   *Subscription // of an add-on
	settings Settings
	now      time.Time
	// sentThisVersion says that the request has the stored etag, or that there is none.
	sentThisVersion bool

	quantity  *int
	status    partnercenter.SubscriptionStatus
	nickname  string
	autoRenew *bool
	// term is the one that begins at once, with a billing cycle.
	term  string
	cycle partnercenter.BillingCycleType
	// reschedules says that something else is scheduled for the end of the term, or
	// nothing: an action, instructions, or an action with instructions.
	reschedules bool
	planned     schedule
	// target is the other item that is scheduled, nil for its own and for what the
	// subscription cannot become.
	target *catalog.Item
	// recharges says that other instructions are scheduled for the next charge, or none
	// if they are nil.
	recharges bool
	charged   *partnercenter.SubscriptionInstructions
}

// intent determines what the request intends to change. False is intended in a
// subscription that is sent back, which has an id and a quantity, and in a minimal
// body, which has no members that are unset. Any other body is an object built for the
// change, with default values that nobody chose, see unset. A quantity of zero is never
// intended. Of subscriptions whose changes can be scheduled, see schedules, what the
// request does not say about the renewal is not to be.
func (u *updateCheck) intent() {
	r, d := u.request, &u.Document
	chosen := r.Quantity == nil || *r.Quantity != 0 && (r.ID != "" || !unset(r))
	if q := r.Quantity; q != nil && *q != 0 && (d.Quantity == nil || *q != *d.Quantity) {
		u.quantity = q
	}
	// A cancelled subscription that is sent back asks for nothing; a body made to
	// cancel it again does.
	again := d.Status.Normalize() == partnercenter.SubscriptionStatusDeleted && (r.ID == "" || r.Links == nil)
	if s := r.Status.Normalize(); s != "" && s != partnercenter.SubscriptionStatusNone && (s != d.Status.Normalize() || again) {
		u.status = s
	}
	if r.FriendlyName != "" && r.FriendlyName != d.FriendlyName {
		u.nickname = r.FriendlyName
	}
	switch a := r.AutoRenewEnabled; {
	case u.schedules():
		if renews := isTrue(a); renews != isTrue(d.AutoRenewEnabled) {
			u.autoRenew = &renews
		}
	case a != nil && (*a || chosen) && (d.AutoRenewEnabled == nil || *a != *d.AutoRenewEnabled):
		u.autoRenew = a
	}
	if u.changesTerm() {
		u.term, u.cycle = ascii.ToUpper(ascii.TrimSpace(r.TermDuration)), d.BillingCycle.Normalize()
		if c := r.BillingCycle.Normalize(); c != "" && c != partnercenter.BillingCycleTypeUnknown && c != partnercenter.BillingCycleTypeNone && !u.earlierCycle(c) {
			u.cycle = c
		}
	}
	u.scheduling()
}

// unset reports whether a subscription has members as an object of a client's has them
// before anybody sets them, next to those that can change.
func unset(r *partnercenter.Subscription) bool {
	for _, at := range []partnercenter.Time{r.CreationDate, r.EffectiveStartDate, r.CommitmentEndDate} {
		if at.String() != "" && at.Time().IsZero() {
			return true
		}
	}
	cycle, status := r.BillingCycle.Normalize(), r.Status.Normalize()
	return cycle == partnercenter.BillingCycleTypeUnknown || cycle == partnercenter.BillingCycleTypeNone || status == partnercenter.SubscriptionStatusNone ||
		r.IsTrial != nil || r.HasPurchasableAddons != nil || r.IsMicrosoftProduct != nil
}

// UpdateSubscription decides about a change of one of an order's subscriptions. A
// request without a change leaves it as it is and has no events.
func UpdateSubscription(account *Account, o *Order, id string, command Update, settings Settings, now time.Time) (*Order, []Event, error) {
	next, s := o.cloneWith(id)
	s.advance(now)
	u := &updateCheck{Subscription: s, request: command.Request, account: account, settings: settings, now: now}
	u.item, _ = account.Catalog.Find(s.Document.OfferID, account.Country)
	u.parent = s.Base.asOf(now)
	if err := checkEtag("subscription", s.Document.Attributes, command.IfMatch, command.Request.Attributes); err != nil {
		return nil, nil, err
	}
	u.sentThisVersion = sentVersion(s.Document.Attributes, command.IfMatch, command.Request.Attributes)
	u.intent()
	var to Transition
	changed := u.quantity != nil || u.nickname != "" || u.autoRenew != nil || u.term != "" || u.reschedules || u.recharges
	state := string(s.Document.Status.Normalize())
	reactivates := u.status == partnercenter.SubscriptionStatusActive && state == expired
	if changed && !reactivates {
		var err error
		if to, err = move(SubscriptionMachine, state, Change); err != nil {
			return nil, nil, err
		}
	}
	if err := check(updateRules, u); err != nil {
		return nil, nil, err
	}
	for _, rules := range [][]rule[*updateCheck]{termRules, actionRules, instructionRules, planRules} {
		if err := check(rules, u); err != nil {
			return nil, nil, err
		}
	}
	if u.status != "" {
		var err error
		if to, err = move(SubscriptionMachine, state, statusCommand(u.status)); err != nil {
			return nil, nil, err
		}
	}
	if !changed && u.status == "" {
		return o, nil, nil
	}
	events := []Event{{Kind: to.Event, SubscriptionID: s.Document.ID, LineItemNumber: s.Facts.LineItemNumber}}
	u.apply()
	s.touch()
	if u.status == partnercenter.SubscriptionStatusDeleted {
		events = append(events, next.giveBack(s, now)...)
		events = append(events, next.deleteAddOns(s, now)...)
	}
	next.Changed = append(next.Changed, s)
	return next, events, nil
}

// statusCommand returns the command for a requested status.
func statusCommand(s partnercenter.SubscriptionStatus) Command {
	switch s {
	case partnercenter.SubscriptionStatusSuspended:
		return Suspend
	case partnercenter.SubscriptionStatusActive:
		return Reactivate
	}
	return Delete
}

// apply makes the change that the rules allow.
func (u *updateCheck) apply() {
	d := &u.Document
	if u.quantity != nil {
		u.setQuantity(*u.quantity, u.now)
	}
	if u.nickname != "" {
		d.FriendlyName = u.nickname
	}
	if u.autoRenew != nil {
		d.AutoRenewEnabled = u.autoRenew
	}
	if u.term != "" {
		u.changeTerm()
	}
	if u.reschedules {
		if u.target != nil {
			u.planned.becomes = ofItem(u.account, u.target, d.ID, d.ParentSubscriptionID)
		}
		u.setPlan(u.planned)
	}
	if u.recharges {
		d.NextChargeInstructions, u.Facts.NextCharge = u.charged, time.Time{}
		if u.charged != nil {
			u.Facts.NextCharge = u.nextCharge()
		}
	}
	if u.Facts.Since.IsZero() && !u.Facts.Ends && (u.autoRenew != nil || u.status != "") {
		u.resume(u.now) // it is loaded, and does not end with a term that was over before
		u.Facts.Ends = true
	}
	switch u.status {
	case partnercenter.SubscriptionStatusDeleted:
		u.setPlan(schedule{})
		u.delete(u.now)
	case partnercenter.SubscriptionStatusSuspended, partnercenter.SubscriptionStatusActive:
		d.Status = u.status
		d.SuspensionReasons = nil
		if u.status == partnercenter.SubscriptionStatusSuspended {
			u.setPlan(schedule{})
			d.SuspensionReasons = []string{"PartnerInitiated"}
		} else {
			u.resume(u.now)
		}
	}
}

// setQuantity adds seats, or returns those added last.
func (s *Subscription) setQuantity(n int, at time.Time) {
	more := n - *s.Document.Quantity
	s.Document.Quantity = &n
	if more > 0 {
		s.Facts.Seats = append(s.Facts.Seats, Seats{Quantity: more, Added: at})
		return
	}
	for less := -more; less > 0; {
		last := &s.Facts.Seats[len(s.Facts.Seats)-1]
		taken := min(less, last.Quantity)
		last.Quantity -= taken
		less -= taken
		if last.Quantity == 0 {
			s.Facts.Seats = s.Facts.Seats[:len(s.Facts.Seats)-1]
		}
	}
}

// refundable counts the seats whose windows are open, each added quantity on its own.
func (s *Subscription) refundable(settings Settings, now time.Time) int {
	sum := 0
	for _, seats := range s.Facts.Seats {
		if settings.CancelWithin == 0 || !now.After(seats.Added.Add(settings.CancelWithin)) {
			sum += seats.Quantity
		}
	}
	return sum
}

// returnable reports whether all of the subscription can be given back.
func (s *Subscription) returnable(settings Settings, now time.Time) bool {
	return !s.windowed() || s.refundable(settings, now) >= *s.Document.Quantity
}

// delete ends a subscription permanently.
func (s *Subscription) delete(at time.Time) {
	s.Document.Status, s.Facts.Deleted = partnercenter.SubscriptionStatusDeleted, at
	s.Document.AutoRenewEnabled = new(false)
	s.Document.SuspensionReasons = nil
	s.setPlan(schedule{})
	s.Document.NextChargeInstructions, s.Facts.NextCharge = nil, time.Time{}
}

// cancelLine cancels the line of a deleted subscription, and the order with its last
// line.
func (o *Order) cancelLine(number int) []Event {
	o.clearLine(number)
	if o.Document.TotalPrice != "" {
		o.Document.TotalPrice = o.total()
	}
	o.touch()
	for i := range o.Document.LineItems {
		if quantity(&o.Document.LineItems[i]) > 0 {
			return []Event{{Kind: "lines cancelled", LineItemNumber: number}}
		}
	}
	o.Document.Status = partnercenter.OrderStatusCancelled
	return []Event{{Kind: "order cancelled"}}
}

// Exists reports whether the subscription is there at an instant. One of a legacy offer is,
// from the purchase on, even if the clock is set to before it: its order has it, too.
func (s *Subscription) Exists(now time.Time) bool {
	return s.Facts.Kind.Legacy() || !now.Before(s.Facts.Since)
}

// At returns the subscription's document at an instant: when the term ends and what can
// still be refunded changes with time.
func (s *Subscription) At(settings Settings, now time.Time) *partnercenter.Subscription {
	current := *s
	current.advance(now)
	view := current.Document
	s.describe(&view)
	if settings.CancelWithin == 0 || !s.windowed() {
		return &view
	}
	sum := 0
	var last time.Time
	var details []partnercenter.RefundableDetail
	for _, seats := range current.Facts.Seats {
		until := later(seats.Added, settings.CancelWithin)
		if now.After(until) {
			continue
		}
		sum += seats.Quantity
		last = until
		details = append(details, partnercenter.RefundableDetail{Quantity: new(seats.Quantity), AllowedUntil: dateOf(until, false)})
	}
	if sum == 0 {
		return &view
	}
	if s.Facts.Kind == catalog.Marketplace {
		// The answer to a cancellation still shows the refund.
		view.RefundOptions = []partnercenter.RefundOption{{Type: partnercenter.RefundTypeFull, ExpiresAt: dateOf(last, false)}}
	}
	if isActive(&current) {
		view.RefundableQuantity = &partnercenter.RefundableQuantity{TotalQuantity: &sum, Details: details}
		view.CancellationAllowedUntilDate = dateOf(last, false)
	}
	return &view
}

// windowed reports whether seats can be returned within a window only. Those of legacy
// offers can be at any time.
func (s *Subscription) windowed() bool {
	return s.Facts.Kind == catalog.OnlineService || s.Facts.Kind == catalog.Marketplace
}

const nextLeaveOut = "Leave it as it was read"

// maxNickname is the longest nickname, in bytes.
const maxNickname = 500

// updateRules apply to changes of an existing subscription.
var updateRules = []rule[*updateCheck]{
	{http.StatusConflict, partnercenter.ErrorCodeSubscriptionNotReady, "it is being provisioned", func(u *updateCheck) (string, string) {
		return require(u.Exists(u.now), "Try again when GET .../provisioningstatus of its order returns fulfilled", "Subscription %s is not ready to be updated", u.Document.ID)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeInvalidProperty, "the body's id is another subscription's", func(u *updateCheck) (string, string) {
		return require(u.request.ID == "" || ascii.EqualFold(u.request.ID, u.Document.ID), "Send the id of the subscription in the path, or leave it out", "Invalid property id: %s is not the subscription in the path", quote.Text(u.request.ID))
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeCycleNotHere, "the billing cycle is to change", func(u *updateCheck) (string, string) {
		next := "Use PATCH /customers/{customer-id}/orders/{order-id}"
		if slices.Contains(u.Facts.Cycles, u.request.BillingCycle.Normalize()) {
			next = "The order changed it: send the subscription's etag with what was read, or leave billingCycle out. To change it, use PATCH /customers/{customer-id}/orders/{order-id}"
		}
		return require(!u.changesCycle(), next, "The billing cycle for an existing subscription cannot be updated here: %s", quote.Text(string(u.request.BillingCycle)))
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodePartnerNotUpdatable, "the partner on record is to change", func(u *updateCheck) (string, string) {
		asked, has := u.request.PartnerID, ""
		if u.Document.PartnerID != nil {
			has = *u.Document.PartnerID
		}
		if asked == nil || *asked == "" || *asked == has {
			return "", ""
		}
		return violation(nextLeaveOut, "Cannot update the partner on record for this subscription to %s", quote.Text(*asked))
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeInvalidProperty, "the nickname is too long", func(u *updateCheck) (string, string) {
		return require(len(u.nickname) <= maxNickname, "Shorten it", "Invalid property friendlyName: it has %d bytes, and the limit is %d", len(u.nickname), maxNickname)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeSubscriptionSuspended, "the quantity of a suspended legacy subscription is to change", func(u *updateCheck) (string, string) {
		return require(u.quantity == nil || !u.suspended() || !u.Facts.Kind.Legacy(), "Reactivate it first", "Subscription quantity cannot be increased or decreased while subscription %s is suspended", u.Document.ID)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeSuspendedNoUpdate, "the quantity of a suspended subscription in new commerce is to change", func(u *updateCheck) (string, string) {
		return require(u.quantity == nil || !u.suspended(), "Reactivate it first", "Cannot update subscription %s with suspended status", u.Document.ID)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeQuantityNotUpdatable, "the quantity of something without seats is to change", func(u *updateCheck) (string, string) {
		return require(u.quantity == nil || !isAzure(u.Facts.Kind) && u.Facts.Kind != catalog.SoftwareSubscription && u.Facts.Kind != catalog.SavingsPlan && u.Facts.Kind != "", "Place another order for more", "Cannot update the seat quantity for this subscription: %s is not sold by the seat", u.Document.OfferID)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeSubscriptionNotActivated, "the quantity of a marketplace subscription is to change before its activation", func(u *updateCheck) (string, string) {
		return require(u.quantity == nil || !u.Facts.NeedsActivation, "Visit the activation link, or POST .../activate in a sandbox", "Cannot update subscription %s before activating it", u.Document.ID)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeQuantityOutOfRange, "the quantity is out of the item's range", func(u *updateCheck) (string, string) {
		if u.quantity == nil {
			return "", ""
		}
		item := u.item
		if item == nil {
			item = &catalog.Item{ID: u.Document.OfferID, MaximumQuantity: maxQuantity}
		}
		return quantityRange(item, *u.quantity)
	}},
	{http.StatusForbidden, partnercenter.ErrorCodeTooManySeats, "the sandbox allows fewer seats of a legacy offer", func(u *updateCheck) (string, string) {
		if u.quantity == nil || !u.Facts.Kind.Legacy() {
			return "", ""
		}
		return sandboxSeats(u.settings, u.Facts.Kind, u.Document.OfferID, *u.quantity)
	}},
	{http.StatusForbidden, partnercenter.ErrorCodeSeatsBeyondLimit, "the sandbox allows fewer seats of a catalog item", func(u *updateCheck) (string, string) {
		if u.quantity == nil {
			return "", ""
		}
		return sandboxSeats(u.settings, u.Facts.Kind, u.Document.OfferID, *u.quantity)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeQuantityNotDecreasable, "more seats are returned than were added within the window", func(u *updateCheck) (string, string) {
		if u.quantity == nil || !u.windowed() {
			return "", ""
		}
		less := *u.Document.Quantity - *u.quantity
		if open := u.refundable(u.settings, u.now); less > open {
			return violation("Return at most that many, or let the rest run until the end of the term", "Subscription quantity cannot be decreased by %d: %d seats of %s were added within the last %s", less, open, u.Document.ID, strings.TrimSuffix(days(u.settings.CancelWithin), "-day")+" days")
		}
		return "", ""
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeAutoRenewNotEligible, "auto-renewal is to be enabled, and the item has none", func(u *updateCheck) (string, string) {
		return require(u.autoRenew == nil || !*u.autoRenew || u.item != nil && u.item.AutoRenewable && !u.item.Trial, nextLeaveOut, "The subscription is not eligible to be auto-renewed: %s", u.Document.OfferID)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeEnumUnparsable, "the status cannot be requested", func(u *updateCheck) (string, string) {
		switch u.status {
		case "", partnercenter.SubscriptionStatusActive, partnercenter.SubscriptionStatusSuspended, partnercenter.SubscriptionStatusDeleted:
			return "", ""
		}
		return violation("Send active, suspended or deleted", "Unable to parse enum: status %s", quote.Text(string(u.status)))
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeStatusNotUpdatable, "a savings plan is to be suspended or deleted", func(u *updateCheck) (string, string) {
		stops := u.status == partnercenter.SubscriptionStatusSuspended || u.status == partnercenter.SubscriptionStatusDeleted
		return require(!stops || u.Facts.Kind != catalog.SavingsPlan, "Set autoRenewEnabled to false; it then ends with its term", "Cannot update the status for this subscription: %s is a savings plan, which is a commitment for its term", u.Document.ID)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeStatusNotUpdatable, "a marketplace subscription is to be suspended", func(u *updateCheck) (string, string) {
		return require(u.status != partnercenter.SubscriptionStatusSuspended || u.Facts.Kind != catalog.Marketplace, "Set the status to deleted to cancel it", "Cannot update the status for this subscription: %s is a subscription to a marketplace product", u.Document.ID)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeStatusChangeUnsupported, "a legacy subscription is to be deleted", func(u *updateCheck) (string, string) {
		can := u.windowed() || u.Facts.Kind == catalog.SoftwareSubscription || u.Facts.Kind == catalog.AzurePlan
		return require(u.status != partnercenter.SubscriptionStatusDeleted || can || u.Document.Status.Normalize() == partnercenter.SubscriptionStatusDeleted, "Suspend it", "Asset status cannot be changed to %s from %s", u.status, u.Document.Status)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeCancelWindowOver, "its cancellation window is over: 7 days", func(u *updateCheck) (string, string) {
		if u.status != partnercenter.SubscriptionStatusDeleted || u.Document.Status.Normalize() == partnercenter.SubscriptionStatusDeleted || len(u.Facts.Seats) == 0 || u.Facts.Kind == catalog.AzurePlan {
			return "", ""
		}
		window := u.settings.CancelWithin
		ends := u.Facts.Seats[0].Added.Add(window)
		next := "Set autoRenewEnabled to false; it then ends with its term"
		if u.schedules() { // or else it may be extended then
			next = "Schedule its end (scheduledActions with Cancel, and autoRenewEnabled false)"
		}
		return require(window == 0 || !u.now.After(ends), next, "You have passed your %s cancellation window, which ended at %s", days(window), ends.UTC().Format(time.RFC3339))
	}},
	{http.StatusConflict, partnercenter.ErrorCodeParentInactive, "an add-on of an inactive parent is to be reactivated", func(u *updateCheck) (string, string) {
		if u.status != partnercenter.SubscriptionStatusActive {
			return "", ""
		}
		return inactiveParent(u.parent)
	}},
}

// changesCycle reports whether the request asks for a billing cycle other than the one
// that the caller read: the current one or, with the etag of this version, an earlier
// one. With another term comes its cycle.
func (u *updateCheck) changesCycle() bool {
	if u.term != "" && u.Facts.Kind == catalog.OnlineService {
		return false
	}
	switch c := u.request.BillingCycle.Normalize(); c {
	case "", partnercenter.BillingCycleTypeUnknown, partnercenter.BillingCycleTypeNone, u.Document.BillingCycle.Normalize():
		return false
	default:
		return !u.earlierCycle(c)
	}
}

// earlierCycle reports whether the caller read the subscription with a billing cycle from
// before its order changed it.
func (u *updateCheck) earlierCycle(c partnercenter.BillingCycleType) bool {
	return c != u.Document.BillingCycle.Normalize() && slices.Contains(u.Facts.Cycles, c) && u.sentThisVersion
}

// maxQuantity bounds quantities of items that the catalog does not have. It is the
// largest that the documented SKUs allow.
const maxQuantity = 999_999_999

func (u *updateCheck) suspended() bool {
	return u.Document.Status.Normalize() == partnercenter.SubscriptionStatusSuspended
}

// registerRules apply to registering an Azure subscription for reservations.
var registerRules = []rule[*Subscription]{
	{http.StatusBadRequest, partnercenter.ErrorCodeSubscriptionNotAzure, "it is not an Azure subscription", func(s *Subscription) (string, string) {
		return require(isAzure(s.Facts.Kind), "Register an Azure subscription", "This subscription is not a valid Azure subscription: %s", s.Document.ID)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeSubscriptionInactive, "it is not active", func(s *Subscription) (string, string) {
		return require(isActive(s), "Reactivate it first", "This subscription is not an active subscription: %s", s.Document.ID)
	}},
}

// Register decides about registering one of an order's subscriptions for reservations.
// A registered one stays registered.
func Register(o *Order, id string, settings Settings, now time.Time) (*Order, []Event, error) {
	next, s := o.cloneWith(id)
	if err := check(registerRules, s); err != nil {
		return nil, nil, err
	}
	if !s.Facts.Registered.IsZero() {
		return o, nil, nil
	}
	s.Facts.Registered = later(now, settings.ProvisioningTime)
	next.Changed = append(next.Changed, s)
	return next, []Event{{Kind: "subscription registered", SubscriptionID: s.Document.ID, LineItemNumber: s.Facts.LineItemNumber}}, nil
}

// activateCheck is a subscription to activate, as the rules check it.
type activateCheck struct {
	*Subscription
	settings Settings
}

// activateRules apply to activating a marketplace subscription without its publisher.
var activateRules = []rule[*activateCheck]{
	{http.StatusBadRequest, partnercenter.ErrorCodeNotInEnvironment, "the account is not a sandbox", func(a *activateCheck) (string, string) {
		return require(a.settings.Sandbox, "Visit the activation link", "This operation is not supported in this environment: only a sandbox offers it")
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeOperationUnoffered, "it is not of a marketplace product", func(a *activateCheck) (string, string) {
		return require(a.Facts.Kind == catalog.Marketplace, "Activate subscriptions to marketplace products", "This operation is not supported: %s needs no activation", a.Document.ID)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeAlreadyActivated, "it is already activated", func(a *activateCheck) (string, string) {
		return require(a.Facts.NeedsActivation, "Use it as it is", "This item has already been activated: %s", a.Document.ID)
	}},
}

// Activate decides about activating one of an order's subscriptions.
func Activate(o *Order, id string, settings Settings) (*Order, []Event, error) {
	next, s := o.cloneWith(id)
	if err := check(activateRules, &activateCheck{s, settings}); err != nil {
		return nil, nil, err
	}
	s.Facts.NeedsActivation = false
	next.Changed = append(next.Changed, s)
	return next, []Event{{Kind: "subscription activated", SubscriptionID: s.Document.ID, LineItemNumber: s.Facts.LineItemNumber}}, nil
}

// cloneWith returns a copy of the order and its subscription with an id, which the
// caller has looked up before.
func (o *Order) cloneWith(id string) (*Order, *Subscription) {
	next := o.clone()
	s := next.Subscription(id)
	if s == nil {
		panic(fmt.Sprintf("lifecycle: order %s has no subscription %s", o.Document.ID, id))
	}
	return next, s
}
