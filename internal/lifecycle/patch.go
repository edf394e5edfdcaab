package lifecycle

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/catalog"
	"github.com/partnercenter-go/partnercenter/internal/guid"
	"github.com/partnercenter-go/partnercenter/internal/quote"
)

// Patch is the command to change an order. The meaning of the request is what remains
// after removing noise: clients send back whole orders, and spell out fields that they
// do not intend to change.
type Patch struct {
	Request *partnercenter.Order
	IfMatch string // the header as received
	Entropy Entropy
}

// PatchOrder decides about a change of an order: a cancellation, an add-on, or another
// billing cycle. A request without a change leaves the order as it is and has no
// events.
func PatchOrder(account *Account, o *Order, command Patch, settings Settings, now time.Time) (*Order, []Event, error) {
	request := command.Request
	p := &patchCheck{o, request, account}
	if err := check(patchRules, p); err != nil {
		return nil, nil, err
	}
	if err := checkEtag("order", o.Document.Attributes, command.IfMatch, request.Attributes); err != nil {
		return nil, nil, err
	}
	addOns, known, err := p.match()
	if err != nil {
		return nil, nil, err
	}
	cancel := request.Status.Normalize() == partnercenter.OrderStatusCancelled &&
		(o.Document.Status.Normalize() != partnercenter.OrderStatusCancelled || !p.isEcho())
	cycle := request.BillingCycle.Normalize()
	change := cycle != "" && cycle != partnercenter.BillingCycleTypeUnknown && !cancel &&
		(cycle != o.Document.BillingCycle.Normalize() || len(addOns) == 0 && !p.isEcho() && o.billedOtherwise(cycle, now))
	switch {
	case cancel && len(addOns) > 0:
		// Without its lines the request would cancel the whole order.
		return nil, nil, refuse(http.StatusBadRequest, partnercenter.ErrorCodeInvalidProperty, "Get the order for its lines, and identify them by subscriptionId or offerId",
			"Invalid property lineItems: a line to cancel, with offerId %s, is not in the order", quote.Text(addOns[0].OfferID))
	case cancel:
		return o.cancel(known, settings, now)
	case len(addOns) > 0 && change:
		return nil, nil, refuse(http.StatusBadRequest, partnercenter.ErrorCodeOrderUnprocessable, "Send one change at a time",
			"Unable to process this order: the request asks for an add-on and for another billing cycle at once")
	case len(addOns) > 0:
		if err := check(currencyRules, p); err != nil {
			return nil, nil, err
		}
		return o.buyAddOns(account, request, addOns, newIDs(command.Entropy), settings, now)
	case change:
		return o.changeCycle(account, cycle, now)
	}
	if o.status(now) == cancelled && !p.isEcho() {
		_, err := move(OrderMachine, cancelled, Change)
		return nil, nil, err
	}
	if err := p.keepsOrder(known); err != nil {
		return nil, nil, err
	}
	return o, nil, nil
}

// patchCheck is a request to change an order, as the rules check it.
type patchCheck struct {
	*Order
	request *partnercenter.Order
	account *Account
}

// patchRules apply to any change of an order, before its kind is determined.
var patchRules = []rule[*patchCheck]{
	{http.StatusBadRequest, partnercenter.ErrorCodeOrderUnprocessable, "a renewal placed it", func(p *patchCheck) (string, string) {
		return require(!p.Renewal, "Change its subscription, or the order that this was bought with", "Unable to process order %s: the beginning of a term placed it", p.Document.ID)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeInvalidInput, "there are more than 500 line items", func(p *patchCheck) (string, string) {
		return require(len(p.request.LineItems) <= MaxLines, "Send only the lines that change", "The order has %d line items, and the limit is %d", len(p.request.LineItems), MaxLines)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeInvalidProperty, "the body's id is another order's", func(p *patchCheck) (string, string) {
		id := p.request.ID
		return require(id == "" || id == p.Document.ID || guid.KeyIfGUID(id) == guid.KeyIfGUID(p.Document.ID), "Send the id of the order in the path, or leave it out", "Invalid property id: %s is not the order in the path", quote.Text(id))
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeInvalidProperty, "referenceCustomerId is another customer's", func(p *patchCheck) (string, string) {
		id := p.request.ReferenceCustomerID
		return require(id == "" || ascii.EqualFold(id, p.account.CustomerID), "Send the id of the customer in the path, or leave it out", "Invalid property referenceCustomerId: %s is not the customer in the path", quote.Text(id))
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeEnumUnparsable, "the billing cycle is unknown text", func(p *patchCheck) (string, string) {
		return unknownCycle(p.request.BillingCycle)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeEnumUnparsable, "the status is neither the order's nor cancelled", func(p *patchCheck) (string, string) {
		switch s := p.request.Status.Normalize(); s {
		case "", partnercenter.OrderStatusUnknown, partnercenter.OrderStatusCancelled, partnercenter.OrderStatusCompleted,
			partnercenter.OrderStatusPending, partnercenter.OrderStatusPendingPOUpload, partnercenter.OrderStatusPOUploadComplete,
			p.Document.Status.Normalize():
			return "", ""
		default:
			return violation("Send cancelled to cancel, or leave the status out", "Unable to parse enum: status %s", quote.Text(string(s)))
		}
	}},
}

// isEcho reports whether the request is the stored order sent back, which asks for
// nothing.
func (p *patchCheck) isEcho() bool { return p.request.ID != "" && p.request.Links != nil }

// match finds the stored lines that the request's lines refer to, by subscription and
// offer: their numbers count within the request. Lines that do not exist yet are
// add-ons.
func (p *patchCheck) match() (addOns []*partnercenter.OrderLineItem, known []int, err error) {
	for i := range p.request.LineItems {
		line := &p.request.LineItems[i]
		stored := p.find(line)
		switch {
		case stored >= 0:
			known = append(known, stored)
		case line.SubscriptionID != "":
			return nil, nil, refuse(http.StatusBadRequest, partnercenter.ErrorCodeInvalidProperty, "Get the order for its lines",
				"Invalid property lineItems: line %s with subscription %s is not in the order", quote.Text(line.OfferID), quote.Text(line.SubscriptionID))
		case line.ParentSubscriptionID != "" || p.isAddOn(line):
			addOns = append(addOns, line)
		default:
			return nil, nil, refuse(http.StatusBadRequest, partnercenter.ErrorCodeInvalidProperty, "Get the order for its lines; to buy anything but an add-on, place another order",
				"Invalid property lineItems: a line with offerId %s is not in the order", quote.Text(line.OfferID))
		}
	}
	return addOns, known, nil
}

func (p *patchCheck) isAddOn(line *partnercenter.OrderLineItem) bool {
	item, err := p.account.Catalog.Find(ascii.TrimSpace(line.OfferID), p.account.Country)
	return err == nil && item.AddOn
}

// find returns the stored line that a line of a request refers to, or -1.
func (p *patchCheck) find(line *partnercenter.OrderLineItem) int {
	stored := p.Document.LineItems
	if line.SubscriptionID != "" {
		return slices.IndexFunc(stored, func(s partnercenter.OrderLineItem) bool {
			return ascii.EqualFold(s.SubscriptionID, line.SubscriptionID) &&
				(line.OfferID == "" || ascii.EqualFold(s.OfferID, line.OfferID))
		})
	}
	if line.ParentSubscriptionID != "" {
		return -1 // a new add-on; existing lines have a subscription
	}
	found := -1
	for i := range stored {
		if line.OfferID != "" && !ascii.EqualFold(stored[i].OfferID, line.OfferID) {
			continue
		}
		number := line.LineItemNumber
		if number != nil && *number == i {
			return i // of several lines with the offer, the one with the number
		}
		if found < 0 && line.OfferID != "" {
			found = i
		}
	}
	return found
}

// clone returns a copy that can be modified.
func (o *Order) clone() *Order {
	c := &Order{Document: o.Document, Facts: o.Facts}
	c.Document.LineItems = slices.Clone(o.Document.LineItems)
	c.Facts.Lines = slices.Clone(o.Facts.Lines)
	for _, s := range o.Subscriptions {
		c.Subscriptions = append(c.Subscriptions, s.clone())
	}
	LinkBases(c.Subscriptions)
	return c
}

func (s *Subscription) clone() *Subscription {
	c := *s
	c.Facts.Seats = slices.Clone(s.Facts.Seats)
	c.Facts.Cycles = slices.Clone(s.Facts.Cycles)
	c.Facts.Renewals = slices.Clone(s.Facts.Renewals)
	c.Facts.Moved = slices.Clone(s.Facts.Moved)
	return &c
}

// touch raises the etag of an order that has one.
func (o *Order) touch() { raiseEtag(&o.Document.Attributes, o.Document.ID) }

// touch begins a new version of a subscription. Changes of its order do not: clients
// that read it before can send it back.
func (s *Subscription) touch() {
	raiseEtag(&s.Document.Attributes, s.Document.ID)
	s.Facts.Cycles = nil
}

// raiseEtag copies the attributes, which others may share.
func raiseEtag(attributes **partnercenter.ResourceAttributes, id string) {
	if a := *attributes; a != nil && a.Etag != nil && *a.Etag != "" {
		raised := *a
		raised.Etag = new(etag(id, version(*a.Etag)+1))
		*attributes = &raised
	}
}

// cancelCheck is a line to cancel, as the rules check it.
type cancelCheck struct {
	order    *Order
	line     int
	kind     catalog.Kind
	settings Settings
	now      time.Time
}

func (c *cancelCheck) item() string { return quote.Text(c.order.Document.LineItems[c.line].OfferID) }

// cancelRules say which lines can be cancelled by changing their order.
var cancelRules = []rule[*cancelCheck]{
	{http.StatusBadRequest, partnercenter.ErrorCodeSuspendInstead, "it buys a legacy offer or an online service", func(c *cancelCheck) (string, string) {
		return require(c.kind != catalog.License && c.kind != catalog.Usage && c.kind != catalog.OnlineService, "Use PATCH /customers/{customer-id}/subscriptions/{subscription-id} to suspend or cancel the subscriptions", "This order %s cannot be cancelled: %s is an online service", c.order.Document.ID, c.item())
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeOrderNotCancellable, "it is an Azure plan, a savings plan or of unknown kind", func(c *cancelCheck) (string, string) {
		if c.kind == catalog.SavingsPlan {
			return violation("Set autoRenewEnabled of its subscription to false; it then ends with its term", "Order cannot be canceled: %s is a commitment for a term", c.item())
		}
		return require(c.kind != catalog.AzurePlan && c.kind != "", "Suspend its subscription", "Order cannot be canceled: items such as %s cannot", c.item())
	}},
	{http.StatusForbidden, partnercenter.ErrorCodeSaaSNotByOrder, "it is marketplace SaaS in production", func(c *cancelCheck) (string, string) {
		return require(c.kind != catalog.Marketplace || c.settings.Sandbox, "Set the status of its subscription to deleted with PATCH subscription", "Cancelling of seat-based SaaS is not supported via patch order: %s", c.item())
	}},
	{http.StatusForbidden, partnercenter.ErrorCodeNotInProduction, "it is a reservation in production", func(c *cancelCheck) (string, string) {
		return require(c.kind != catalog.Reservation || c.settings.Sandbox, "Return the reservation in the Azure portal", "Non-Sandbox tenants are not allowed to cancel purchases other than software subscriptions and perpetual software: %s", c.item())
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeCancelWindowOver, "its cancellation window is over: 7 days for software, 60 days in a sandbox", func(c *cancelCheck) (string, string) {
		window := c.settings.CancelWithin
		if c.settings.Sandbox {
			window = c.settings.SandboxCancelWithin
		}
		bought := c.order.Facts.Lines[c.line].Bought
		return require(window == 0 || !c.now.After(bought.Add(window)), "It stays in force until the end of its term", "You have passed your %s cancellation window for %s, which ended at %s", days(window), c.item(), bought.Add(window).UTC().Format(time.RFC3339))
	}},
}

// days words a window.
func days(d time.Duration) string {
	if d%(24*time.Hour) == 0 {
		return strconv.Itoa(int(d/(24*time.Hour))) + "-day"
	}
	return d.String()
}

// cancel cancels lines, or all when none is named.
func (o *Order) cancel(named []int, settings Settings, now time.Time) (*Order, []Event, error) {
	lines := named
	if len(lines) == 0 {
		for i := range o.Document.LineItems {
			lines = append(lines, i)
		}
	}
	slices.Sort(lines)
	lines = slices.DeleteFunc(slices.Compact(lines), func(i int) bool { return quantity(&o.Document.LineItems[i]) == 0 })
	left := 0
	for i := range o.Document.LineItems {
		if quantity(&o.Document.LineItems[i]) > 0 && !slices.Contains(lines, i) {
			left++
		}
	}
	command := CancelSome
	if left == 0 {
		command = CancelAll
	}
	to, err := move(OrderMachine, o.status(now), command)
	if err != nil {
		return nil, nil, err
	}
	if len(lines) == 0 {
		return nil, nil, refuse(http.StatusBadRequest, partnercenter.ErrorCodeOrderNotCancellable, "Name lines with a quantity",
			"Order cannot be canceled: the named lines are cancelled already")
	}
	for _, i := range lines {
		if err := check(cancelRules, &cancelCheck{o, i, o.Facts.Lines[i].Kind, settings, now}); err != nil {
			return nil, nil, err
		}
	}
	next := o.clone()
	events := []Event{{Kind: to.Event}}
	for _, i := range lines {
		next.clearLine(i)
		if s := next.subscriptionOf(i); s != nil && !isDeleted(s) {
			s.advance(now)
			s.giveBackRenewals(&next.Document, now)
			s.delete(now) // also what time has deleted: the clock may be set back
			next.Changed = append(next.Changed, s)
			events = append(events, Event{Kind: "subscription cancelled", SubscriptionID: s.Document.ID, LineItemNumber: i})
		}
	}
	if o.Document.TotalPrice != "" {
		next.Document.TotalPrice = next.total()
	}
	if to.To == cancelled {
		next.Document.Status = partnercenter.OrderStatusCancelled
		// Nothing is in progress in a cancelled order.
		for i := range next.Facts.Lines {
			f := &next.Facts.Lines[i]
			if !f.Provisioned.After(now) {
				continue
			}
			f.Provisioned = now
			if s := next.subscriptionOf(i); s != nil {
				s.start(now)
				if !slices.Contains(next.Changed, s) { // it was cancelled before
					next.Changed = append(next.Changed, s)
				}
			}
		}
	}
	next.touch()
	return next, events, nil
}

// addOnCheck is a line that buys an add-on, as the rules check it.
type addOnCheck struct {
	*lineCheck
	order  *Order
	parent *Subscription // in the order
}

// purchaseAddOn is the operation, which not every cloud offers.
var purchaseAddOn = partnercenter.OperationNamed("orders", "purchase-addon")

// addOnRules apply in addition to those of any line.
var addOnRules = []rule[*addOnCheck]{
	{http.StatusBadRequest, partnercenter.ErrorCodeNotInEnvironment, "the partner's cloud offers no add-ons to orders", func(a *addOnCheck) (string, string) {
		cloud := a.settings.Cloud
		return require(purchaseAddOn.OfferedIn(cloud), "Leave it out for partners of this cloud, or start the server with another --as-cloud", "This operation is not supported in this environment: %s is not offered in the %s cloud", purchaseAddOn, cloud)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeOrderUnprocessable, "the order would have more than 500 line items", func(a *addOnCheck) (string, string) {
		return require(len(a.order.Document.LineItems)+a.number < MaxLines, "Buy it under a base in another order", "Unable to process this order: it has %d line items, and the limit is %d", len(a.order.Document.LineItems), MaxLines)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeAddOnUnrelated, "the parent is not a subscription of the order", func(a *addOnCheck) (string, string) {
		return require(a.parent != nil, "Send the subscription id of one of the order's lines as parentSubscriptionId", "The add-on is not related to the specified parent subscription %s, which is not in order %s", quote.Text(a.line.ParentSubscriptionID), a.order.Document.ID)
	}},
}

// buyAddOns appends add-ons to the order.
func (o *Order) buyAddOns(account *Account, request *partnercenter.Order, lines []*partnercenter.OrderLineItem, ids ids, settings Settings, now time.Time) (*Order, []Event, error) {
	to, err := move(OrderMachine, o.status(now), AddOn)
	if err != nil {
		return nil, nil, err
	}
	// The rules for lines look up parents among the account's subscriptions.
	among := *account
	among.Subscriptions = map[string]*Subscription{}
	for _, s := range o.Subscriptions {
		among.Subscriptions[Key(s.Document.ID)] = s
	}
	p := &placementCheck{Account: &among, Placement: Placement{Request: &partnercenter.Order{BillingCycle: o.Document.BillingCycle}}, settings: settings, now: now}
	for i, line := range lines {
		l := &lineCheck{placementCheck: p, number: i, line: line}
		l.item, l.err = account.Catalog.Find(ascii.TrimSpace(line.OfferID), account.Country)
		if l.err == nil && line.ParentSubscriptionID != "" && l.item.AddOn {
			if err := check(addOnRules, &addOnCheck{l, o, l.parent()}); err != nil {
				return nil, nil, err
			}
		}
		if err := check(lineRules, l); err != nil {
			return nil, nil, err
		}
		p.lines = append(p.lines, l)
	}
	if err := check(addOnOrderRules, p); err != nil {
		return nil, nil, err
	}
	next := o.clone()
	provisioned := now
	if !o.Legacy() {
		provisioned = later(now, settings.ProvisioningTime)
	}
	events := make([]Event, 0, len(lines))
	for _, l := range p.lines {
		next.addLine(account, ids, l.item, l.line, now, provisioned)
		added := len(next.Document.LineItems) - 1
		events = append(events, Event{Kind: to.Event, SubscriptionID: next.Document.LineItems[added].SubscriptionID, LineItemNumber: added})
	}
	if isTrue(request.PartnerOnRecordAttestationAccepted) {
		next.Document.PartnerOnRecordAttestationAccepted = request.PartnerOnRecordAttestationAccepted
	}
	if sum := next.total(); sum != "" {
		next.Document.TotalPrice = sum
	}
	next.touch()
	return next, events, nil
}

// addOnOrderRules are the rules from orderRules that apply to add-ons, too: an add-on
// is billed like its base, whatever its own cycles are.
var addOnOrderRules = []rule[*placementCheck]{orderedTogether, termBilled, subscriptionLimit}

// cycleCheck is a line whose order changes its billing cycle, as the rules check it.
type cycleCheck struct {
	line         int
	cycle        partnercenter.BillingCycleType
	item         *catalog.Item // nil when the catalog does not have it
	offer        string
	subscription *Subscription // nil when the line has none
	term         string
}

// cycleRules apply to each line of an order that changes its billing cycle.
var cycleRules = []rule[*cycleCheck]{
	{http.StatusBadRequest, partnercenter.ErrorCodeCycleInactive, "a subscription of the order is not active", func(c *cycleCheck) (string, string) {
		if c.subscription == nil || isActive(c.subscription) {
			return "", ""
		}
		return violation("Reactivate it first", "The billing cycle could not be changed because subscription %s is not active", c.subscription.Document.ID)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeCycleUnsupported, "an item of the order is a trial, Azure, a savings plan, one-time, has another term than a year, or is not sold with the cycle", func(c *cycleCheck) (string, string) {
		const next = "Keep the billing cycle, or order an offer that is sold with the other one"
		switch {
		case c.item == nil:
			return violation(next, "The billing cycle could not be changed because %s is not in the catalog", quote.Text(c.offer))
		case c.item.Trial || isAzure(c.item.Kind) || c.item.Kind == catalog.SavingsPlan || !subscribes(c.item.Kind), c.term != "" && c.term != "P1Y", !slices.Contains(c.item.BillingCycles, c.cycle):
			return violation(next, "The billing cycle could not be changed because %s does not support %s", c.item.ID, c.cycle)
		}
		return "", ""
	}},
}

// billedOtherwise reports whether a scheduled change has given a subscription another
// billing cycle than this one, which the order has.
func (o *Order) billedOtherwise(cycle partnercenter.BillingCycleType, now time.Time) bool {
	return slices.ContainsFunc(o.clone().Subscriptions, func(s *Subscription) bool {
		s.advance(now)
		return !isDeleted(s) && s.Document.BillingCycle.Normalize() != cycle
	})
}

// changeCycle changes the billing cycle of the whole order, and of the present terms of
// its subscriptions. What was scheduled for the next ones is removed, as by any change at
// once.
func (o *Order) changeCycle(account *Account, cycle partnercenter.BillingCycleType, now time.Time) (*Order, []Event, error) {
	to, err := move(OrderMachine, o.status(now), ChangeCycle)
	if err != nil {
		return nil, nil, err
	}
	next := o.clone()
	for _, s := range next.Subscriptions {
		s.advance(now)
	}
	alive := slices.ContainsFunc(next.Subscriptions, func(s *Subscription) bool { return !isDeleted(s) })
	for i := range next.Document.LineItems {
		line := &next.Document.LineItems[i]
		if quantity(line) == 0 {
			continue // cancelled
		}
		c := &cycleCheck{line: i, cycle: cycle, offer: line.OfferID, subscription: next.subscriptionOf(i), term: text(line.TermDuration)}
		if c.subscription != nil {
			if isDeleted(c.subscription) && alive {
				continue // by time
			}
			c.term = c.subscription.Document.TermDuration
		}
		c.item, _ = account.Catalog.Find(line.OfferID, account.Country)
		if err := check(cycleRules, c); err != nil {
			return nil, nil, err
		}
	}
	for i := range next.Document.LineItems {
		scaleLine(&next.Document.LineItems[i], o.Document.BillingCycle, cycle)
		if cycle != o.Document.BillingCycle.Normalize() {
			undiscount(&next.Document.LineItems[i])
		}
		prorate(&next.Document.LineItems[i], cycle, dayOf(next.Facts.Lines[i].Bought))
	}
	next.Document.BillingCycle = cycle
	if o.Document.TotalPrice != "" {
		next.Document.TotalPrice = next.total()
	}
	for _, s := range next.Subscriptions {
		if isDeleted(s) {
			continue
		}
		s.Facts.Cycles = append(s.Facts.Cycles, s.Document.BillingCycle.Normalize())
		if s.Document.BillingCycle.Normalize() != cycle {
			s.Document.PromotionID = "" // one is for an item, a term and a cycle
		}
		s.Document.BillingCycle = cycle
		s.unschedule()
		next.Changed = append(next.Changed, s)
	}
	next.touch()
	return next, []Event{{Kind: to.Event}}, nil
}
