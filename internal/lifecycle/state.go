package lifecycle

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/catalog"
	"github.com/partnercenter-go/partnercenter/internal/guid"
)

// Account is what the rules look at besides the order itself: who buys for
// whom, and what they hold already.
type Account struct {
	PartnerID  string
	MPNID      string // the partner's own
	CustomerID string
	// Country is the customer's; where it is not known, the partner's.
	Country string
	// AgreementAccepted says that the customer's agreement is confirmed.
	AgreementAccepted bool
	// Catalog is what can be bought.
	Catalog *catalog.Catalog
	// MPN says what the MPN ids are that the request names: true for an indirect
	// reseller of the partner, false for another partner. Ids that nobody has
	// are missing.
	MPN map[string]bool
	// Subscriptions of the customer that the request names, by [Key] of their
	// id and of their entitlement's.
	Subscriptions map[string]*Subscription
	// Held counts what limits are about. It is filled in where one applies.
	Held Holdings
}

// Holdings is what there is already.
type Holdings struct {
	Customers     int            // of the partner
	Subscriptions int            // of the customer; cancelled ones do not count
	AzureSubs     int            // of the partner: legacy Azure subscriptions
	AzurePlans    int            // of the partner
	OfOffer       map[string]int // of the customer, by [Key] of the offer
}

// Key is how ids that compare without case are looked up.
func Key(id string) string { return strings.ToLower(strings.TrimSpace(id)) }

// Order is an order with all that changes with it. The document is as it will
// be when everything under way is done; [Order.At] is what it looks like
// before.
type Order struct {
	Document partnercenter.Order
	Facts    OrderFacts
	// Subscriptions are those that the order's lines made, in the order of the
	// lines.
	Subscriptions []*Subscription
	// Changed are those of them that the last command made or changed.
	Changed []*Subscription
}

// OrderFacts is what the document does not say. It is stored beside it.
type OrderFacts struct {
	// Visible is when lists begin to show the order.
	Visible time.Time `json:"visible,omitzero"`
	// Lines are in the order of the document's lines.
	Lines []LineFacts `json:"lines,omitzero"`
}

// LineFacts is what an order's line does not say.
type LineFacts struct {
	Kind catalog.Kind `json:"kind,omitzero"`
	// Bought is when the line was added, which its cancellation window counts
	// from.
	Bought time.Time `json:"bought,omitzero"`
	// Provisioned is when what was bought is there. In year 9999 while the
	// order waits for a purchase order.
	Provisioned time.Time `json:"provisioned,omitzero"`
}

// never is later than anything that happens.
var never = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)

// Subscription is a subscription with what its document does not say.
type Subscription struct {
	Document partnercenter.Subscription
	Facts    SubscriptionFacts
}

// SubscriptionFacts is stored beside a subscription's document.
type SubscriptionFacts struct {
	Kind catalog.Kind `json:"kind,omitzero"`
	// Since is when the subscription is there.
	Since time.Time `json:"since,omitzero"`
	// LineItemNumber is the line of the order that made it.
	LineItemNumber int `json:"line,omitzero"`
	// Seats are the quantities that were added, the oldest first. Each can be
	// given back for as long as its own window is open.
	Seats []Seats `json:"seats,omitzero"`
	// Registered is when its registration for reservations is through; zero
	// when nobody registered it.
	Registered time.Time `json:"registered,omitzero"`
	// NeedsActivation says that the publisher's page was not visited yet.
	NeedsActivation bool `json:"needsActivation,omitzero"`
}

// Seats is a quantity that was added at one time.
type Seats struct {
	Quantity int       `json:"quantity"`
	Added    time.Time `json:"added"`
}

// Settled returns when the order's document is final: when everything under
// way is done. It is zero for orders that nothing is under way for.
func (o *Order) Settled() time.Time {
	var last time.Time
	for _, l := range o.Facts.Lines {
		if l.Provisioned.After(last) {
			last = l.Provisioned
		}
	}
	return last
}

// At returns the order's document as it looks at an instant. The result shares
// what did not change.
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

// AsPlaced returns the document as the answer to its creation has it: what is
// provisioned takes at least a moment, so that catalog items are pending.
func (o *Order) AsPlaced() *partnercenter.Order { return o.At(time.Time{}) }

// status is the state of the order at an instant. Old answers have none; what
// they are about was done long ago.
func (o *Order) status(now time.Time) string {
	if s := o.At(now).Status.Normalize(); s != "" && s != partnercenter.OrderStatusUnknown {
		return string(s)
	}
	return completed
}

// subscriptionOf returns the subscription that a line made, or nil.
func (o *Order) subscriptionOf(line int) *Subscription {
	return o.Subscription(o.Document.LineItems[line].SubscriptionID)
}

// Subscription returns the order's subscription with an id, or nil.
func (o *Order) Subscription(id string) *Subscription {
	for _, s := range o.Subscriptions {
		if strings.EqualFold(s.Document.ID, id) {
			return s
		}
	}
	return nil
}

// HasLine reports whether a text is the number of a line of the order.
func (o *Order) HasLine(number string) bool {
	n, err := strconv.Atoi(number)
	return err == nil && n >= 0 && n < len(o.Document.LineItems) && strconv.Itoa(n) == number
}

// legacy reports whether the order is one of offers.
func (o *Order) legacy() bool { return guid.Is(o.Document.ID) }

// quantity is the quantity of a line; lines without one have one of it.
func quantity(line *partnercenter.OrderLineItem) int {
	if line.Quantity == nil {
		return 1
	}
	return *line.Quantity
}

// LineStatus is how far the service has come with a line.
func (o *Order) lineStatus(line int, now time.Time) string {
	facts := o.Facts.Lines[line]
	switch {
	case quantity(&o.Document.LineItems[line]) == 0:
		return lineCancelled
	case o.Document.Status.Normalize() == partnercenter.OrderStatusPending:
		return linePending // loaded like this, for good
	case !facts.Provisioned.Before(never):
		return lineWaiting
	case now.Before(facts.Provisioned):
		return linePending
	}
	return lineFulfilled
}

// ProvisioningStatus is how far the service has come with each line. It is
// there for orders of catalog items only.
func (o *Order) ProvisioningStatus(now time.Time) ([]partnercenter.OrderLineItemProvisioningStatus, error) {
	if o.legacy() {
		return nil, refuse(http.StatusNotFound, partnercenter.ErrorCodeProvisioningUnknown, "Follow the provisioningStatus links of the order's lines for their subscriptions'",
			"Order %s has no provisioning information: it is one of legacy offers, which are there at once", o.Document.ID)
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

// ActivationLinks are those of an order's lines that a publisher's page
// activates. The address of a link is the base's with the subscription's id
// behind it.
func (o *Order) ActivationLinks(base string, now time.Time) []partnercenter.OrderLineItemActivationLink {
	list := []partnercenter.OrderLineItemActivationLink{}
	for i := range o.Document.LineItems {
		s := o.subscriptionOf(i)
		if s == nil || s.Facts.Kind != catalog.Marketplace || now.Before(s.Facts.Since) {
			continue
		}
		list = append(list, partnercenter.OrderLineItemActivationLink{LineItemNumber: new(i), Link: s.activationLink(base)})
	}
	return list
}

// ActivationLink is the address of the publisher's page for a subscription to
// a marketplace product, as a list of one; it is empty for others.
func (s *Subscription) ActivationLink(base string) []partnercenter.OrderLineItemActivationLink {
	if s.Facts.Kind != catalog.Marketplace {
		return []partnercenter.OrderLineItemActivationLink{}
	}
	return []partnercenter.OrderLineItemActivationLink{{LineItemNumber: new(s.Facts.LineItemNumber), Link: s.activationLink(base)}}
}

func (s *Subscription) activationLink(base string) *partnercenter.Link {
	return partnercenter.NewLink("GET", base+s.Document.ID)
}

// ProvisioningStatus is how far the service has come with a subscription.
func (s *Subscription) ProvisioningStatus() *partnercenter.SubscriptionProvisioningStatus {
	sku := s.Document.OfferID
	if !guid.Is(sku) {
		sku = guid.Derived("sku", sku) // clients insist on a GUID
	}
	return &partnercenter.SubscriptionProvisioningStatus{
		SKUID: sku, Status: partnercenter.ProvisioningStatusSuccess, Quantity: s.Document.Quantity, EndDate: s.Document.CommitmentEndDate,
		Attributes: &partnercenter.ResourceAttributes{ObjectType: partnercenter.ObjectTypeSubscriptionProvisioningStatus},
	}
}

// RegistrationStatus says whether reservations can be bought for a
// subscription.
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
	return strings.ToLower(s[:1]) + s[1:]
}
