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
)

// Account is what the rules need to know besides the order itself: partner and
// customer, and what they already have.
type Account struct {
	PartnerID  string
	MPNID      string // the partner's own
	CustomerID string
	// Country is the customer's or, where that is unknown, the partner's.
	Country string
	// AgreementAccepted says that the customer's agreement is confirmed.
	AgreementAccepted bool
	// Catalog is what can be bought.
	Catalog *catalog.Catalog
	// MPN classifies the MPN ids in the request: true for an indirect reseller of the
	// partner, false for another partner. Unknown ids are missing.
	MPN map[string]bool
	// Subscriptions are those of the customer that the request names, by [Key] of their
	// id and of their entitlement's.
	Subscriptions map[string]*Subscription
	// Owned are all of the customer's, where a cart has an add-on that [LacksParent], or a
	// term is to end with another one: see [NamesEnd] and [NextNamesEnd].
	Owned []*Subscription
	// Held counts what limits are about. It is set where a limit applies.
	Held Holdings
}

// Holdings is what an account already has.
type Holdings struct {
	Customers     int            // of the partner
	Subscriptions int            // of the customer; cancelled ones do not count
	AzureSubs     int            // of the partner: legacy Azure subscriptions
	AzurePlans    int            // of the partner
	OfOffer       map[string]int // of the customer, by [Key] of the offer
}

// Key returns the form in which case-insensitive ids are looked up.
func Key(id string) string { return ascii.ToLower(ascii.TrimSpace(id)) }

// Order is an order with everything that changes with it. The document is its final
// state, when everything in progress is complete; [Order.At] returns the state before
// that.
type Order struct {
	Document partnercenter.Order
	Facts    OrderFacts
	// Subscriptions are those that the order's lines created, in the order of the
	// lines.
	Subscriptions []*Subscription
	// Renewal says that the beginning of a term placed the order: see
	// [Subscription.RenewalOrders].
	Renewal bool
	// Changed are those that the last command created or changed.
	Changed []*Subscription
}

// OrderFacts is stored with the document and has what the document lacks.
type OrderFacts struct {
	// Visible is when the order begins to appear in lists.
	Visible time.Time `json:"visible,omitzero"`
	// Lines are in the order of the document's lines.
	Lines []LineFacts `json:"lines,omitzero"`
}

// LineFacts is what the document lacks about a line.
type LineFacts struct {
	Kind catalog.Kind `json:"kind,omitzero"`
	// Bought is when the line was added. Its cancellation window starts then.
	Bought time.Time `json:"bought,omitzero"`
	// Provisioned is when the purchase is provisioned: in the year 9999 while the order
	// waits for a purchase order.
	Provisioned time.Time `json:"provisioned,omitzero"`
	// Credit is what the line costs less, because its seats came from a term that was
	// charged for, or because its own term cut one short.
	Credit partnercenter.Decimal `json:"credit,omitzero"`
	// Kept is what a cancelled line still costs: others were credited with it.
	Kept partnercenter.Decimal `json:"kept,omitzero"`
}

// never is later than anything that happens.
var never = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)

// Subscription is a subscription with what its document lacks.
type Subscription struct {
	Document partnercenter.Subscription
	Facts    SubscriptionFacts
	// Base is the one that it is an add-on of, and ends with; nil if there is none.
	Base *Subscription
}

// SubscriptionFacts is stored with a subscription's document.
type SubscriptionFacts struct {
	Kind catalog.Kind `json:"kind,omitzero"`
	// Since is when the subscription begins to exist.
	Since time.Time `json:"since,omitzero"`
	// Deleted is when it was deleted; zero for what was loaded so, too.
	Deleted time.Time `json:"deleted,omitzero"`
	// LineItemNumber is the line of the order that created it.
	LineItemNumber int `json:"line,omitzero"`
	// Seats are the quantities that were added, oldest first. Each can be returned
	// while its own window is open.
	Seats []Seats `json:"seats,omitzero"`
	// Registered is when its registration for reservations is complete; zero without
	// one.
	Registered time.Time `json:"registered,omitzero"`
	// TermStart is when the first of the current terms began; zero for the start of the
	// subscription.
	TermStart time.Time `json:"termStart,omitzero"`
	// NeedsActivation says that the publisher's page was not visited yet.
	NeedsActivation bool `json:"needsActivation,omitzero"`
	// Renewals are the terms that began by themselves until it was stored.
	Renewals []Renewals `json:"renewals,omitzero"`
	// Passed is of the term that it was bought for.
	Passed PassedOn `json:"passed,omitzero"`
	// ActionAt is when the document's ScheduledActions take place, zero for the end of the
	// term.
	ActionAt time.Time `json:"actionAt,omitzero"`
	// Becomes is what the document is to have of another item that is scheduled.
	Becomes *partnercenter.Subscription `json:"becomes,omitzero"`
	// Extended is set in an extended service term.
	Extended *Extended `json:"extended,omitzero"`
	// NextCharge is when the document's NextChargeInstructions take place.
	NextCharge time.Time `json:"nextCharge,omitzero"`
	// Ends says that the subscription of a loaded order is to end with its term, which
	// only a change of it says.
	Ends bool `json:"ends,omitzero"`
	// Cycles are the earlier billing cycles of this version of the subscription: its
	// order changes the cycle and leaves the etag valid.
	Cycles []partnercenter.BillingCycleType `json:"cycles,omitzero"`
	// Transitions moved seats of the subscription elsewhere, oldest first.
	Transitions []partnercenter.Transition `json:"transitions,omitzero"`
	// Support is the support contact that was set; nil for the partner.
	Support *Supporter `json:"support,omitzero"`
	// Entitlement is the newest change of an Azure plan's Azure subscription; nil for
	// none.
	Entitlement *EntitlementChange `json:"entitlement,omitzero"`
	// Moved are the Azure subscriptions that it has beside its own, and Upgrade is what made
	// it, both of an Azure plan only.
	Moved   []MovedEntitlement `json:"moved,omitzero"`
	Upgrade *ProductUpgrade    `json:"upgrade,omitzero"`
	// Overage says whether its Azure subscription pays for calls; nil if nobody said.
	Overage *bool `json:"overage,omitzero"`
}

// Extended is what a subscription in an extended service term renews to: the term and
// the billing cycle before that.
type Extended struct {
	TermDuration string                         `json:"termDuration"`
	BillingCycle partnercenter.BillingCycleType `json:"billingCycle"`
}

// Seats is a quantity that was added at one time.
type Seats struct {
	Quantity int       `json:"quantity"`
	Added    time.Time `json:"added"`
}

// Settled returns when the order's document is final, because everything in progress is
// complete. It is zero if nothing was in progress.
func (o *Order) Settled() time.Time {
	var last time.Time
	for _, l := range o.Facts.Lines {
		if l.Provisioned.After(last) {
			last = l.Provisioned
		}
	}
	return last
}

// At returns the order's document at an instant. The result shares what did not change.
func (o *Order) At(now time.Time) *partnercenter.Order {
	view := o.Document
	copied := false
	for i := range o.Facts.Lines {
		if !now.Before(o.Facts.Lines[i].Provisioned) || i >= len(view.LineItems) {
			continue
		}
		if !copied {
			view.LineItems = slices.Clone(view.LineItems)
			copied = true
		}
		line := &view.LineItems[i]
		line.SubscriptionID = ""
		if l := line.Links; l != nil {
			links := *l
			links.Subscription, links.ProvisioningStatus, links.ActivationLinks = nil, nil, nil
			line.Links = &links
		}
	}
	if copied && view.Status.Normalize() == partnercenter.OrderStatusCompleted {
		view.Status = partnercenter.OrderStatusPending
	}
	return &view
}

// AsPlaced returns the document in the answer to its creation: provisioning takes at
// least a moment, so that catalog items are pending.
func (o *Order) AsPlaced() *partnercenter.Order { return o.At(time.Time{}) }

// status is the state of the order at an instant. Old answers have none; those orders
// were completed long ago.
func (o *Order) status(now time.Time) string {
	if s := o.At(now).Status.Normalize(); s != "" && s != partnercenter.OrderStatusUnknown {
		return string(s)
	}
	return completed
}

// subscriptionOf returns the subscription that a line created, or nil.
func (o *Order) subscriptionOf(line int) *Subscription {
	return o.Subscription(o.Document.LineItems[line].SubscriptionID)
}

// Subscription returns the order's subscription with an id, or nil.
func (o *Order) Subscription(id string) *Subscription {
	for _, s := range o.Subscriptions {
		if ascii.EqualFold(s.Document.ID, id) {
			return s
		}
	}
	return nil
}

// HasLine reports whether text is the number of a line of the order.
func (o *Order) HasLine(number string) bool {
	n, err := strconv.Atoi(number)
	return err == nil && n >= 0 && n < len(o.Document.LineItems) && strconv.Itoa(n) == number
}

// Legacy reports whether the order is for legacy offers.
func (o *Order) Legacy() bool { return guid.Is(o.Document.ID) }

// quantity returns the quantity of a line, 1 by default.
func quantity(line *partnercenter.OrderLineItem) int {
	if line.Quantity == nil {
		return 1
	}
	return *line.Quantity
}

// lineStatus returns the provisioning status of a line.
func (o *Order) lineStatus(line int, now time.Time) string {
	facts := o.Facts.Lines[line]
	switch {
	case quantity(&o.Document.LineItems[line]) == 0:
		return lineCancelled
	case o.Document.Status.Normalize() == partnercenter.OrderStatusPending:
		return linePending // loaded in this state, which does not change
	case !facts.Provisioned.Before(never):
		return lineWaiting
	case now.Before(facts.Provisioned):
		return linePending
	}
	return lineFulfilled
}

// ProvisioningStatus returns the provisioning status of each line. Only orders of
// catalog items have one.
func (o *Order) ProvisioningStatus(now time.Time) ([]partnercenter.OrderLineItemProvisioningStatus, error) {
	if o.Legacy() {
		return nil, refuse(http.StatusNotFound, partnercenter.ErrorCodeProvisioningUnknown, "Follow the provisioningStatus links of the order's lines for the status of their subscriptions",
			"Order %s has no provisioning information: it is for legacy offers, which are provisioned at once", o.Document.ID)
	}
	list := make([]partnercenter.OrderLineItemProvisioningStatus, len(o.Document.LineItems))
	for i := range list {
		status := partnercenter.FulfillmentStatus(lowerFirst(o.lineStatus(i, now)))
		list[i] = partnercenter.OrderLineItemProvisioningStatus{
			OrderLineItemID: new(i), LineItemNumber: new(i), Status: status,
			QuantityProvisioningInformation: []partnercenter.QuantityProvisioningStatus{
				{Quantity: new(quantity(&o.Document.LineItems[i])), Status: status},
			},
		}
	}
	return list, nil
}

// ActivationLinks returns the links to publishers' pages of an order's lines. The
// address of a link is the base followed by the subscription's id.
func (o *Order) ActivationLinks(base string, now time.Time) []partnercenter.OrderLineItemActivationLink {
	list := []partnercenter.OrderLineItemActivationLink{}
	for i := range o.Document.LineItems {
		s := o.subscriptionOf(i)
		if s == nil || s.Facts.Kind != catalog.Marketplace || !s.Exists(now) {
			continue
		}
		list = append(list, partnercenter.OrderLineItemActivationLink{LineItemNumber: new(i), Link: s.activationLink(base)})
	}
	return list
}

// ActivationLink returns the address of the publisher's page for a marketplace
// subscription, as a list of one; it is empty for others.
func (s *Subscription) ActivationLink(base string) []partnercenter.OrderLineItemActivationLink {
	if s.Facts.Kind != catalog.Marketplace {
		return []partnercenter.OrderLineItemActivationLink{}
	}
	return []partnercenter.OrderLineItemActivationLink{{LineItemNumber: new(s.Facts.LineItemNumber), Link: s.activationLink(base)}}
}

func (s *Subscription) activationLink(base string) *partnercenter.Link {
	return partnercenter.NewLink("GET", base+s.Document.ID)
}

// ProvisioningStatus returns the provisioning status of a subscription.
func (s *Subscription) ProvisioningStatus(now time.Time) *partnercenter.SubscriptionProvisioningStatus {
	sku := s.Document.OfferID
	if !guid.Is(sku) {
		sku = guid.Derived("sku", sku) // clients insist on a GUID
	}
	c := *s
	c.advance(now)
	return &partnercenter.SubscriptionProvisioningStatus{
		SKUID: sku, Status: partnercenter.ProvisioningStatusSuccess, Quantity: c.Document.Quantity, EndDate: c.Document.CommitmentEndDate,
		Attributes: &partnercenter.ResourceAttributes{ObjectType: partnercenter.ObjectTypeSubscriptionProvisioningStatus},
	}
}

// RegistrationStatus says whether a subscription is registered for reservations.
func (s *Subscription) RegistrationStatus(now time.Time) *partnercenter.SubscriptionRegistrationStatus {
	status := partnercenter.RegistrationStatusNotRegistered
	switch at := s.Facts.Registered; {
	case at.IsZero():
	case now.Before(at):
		status = partnercenter.RegistrationStatusRegistering
	default:
		status = partnercenter.RegistrationStatusRegistered
	}
	return &partnercenter.SubscriptionRegistrationStatus{
		SubscriptionID: s.Document.ID, Status: status,
		Attributes: &partnercenter.ResourceAttributes{ObjectType: partnercenter.ObjectTypeSubscriptionRegistrationStatus},
	}
}

func lowerFirst(s string) string {
	if s == "" {
		return ""
	}
	return ascii.ToLower(s[:1]) + s[1:]
}
