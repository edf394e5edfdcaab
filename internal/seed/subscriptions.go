package seed

import (
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/guid"
	"github.com/partnercenter-go/partnercenter/internal/yamlfile"
)

// Subscription is what is known of a subscription besides the line of the order that made
// it. What it does not say follows from the line.
type Subscription struct {
	Subscription     partnercenter.Subscription `json:",embed"`
	SubscriptionMore `json:",embed"`
}

// SubscriptionMore is what other calls answer about a subscription. In documents of the
// store it stands among the members of the subscription.
type SubscriptionMore struct {
	Transitions    []partnercenter.Transition    `json:"transitions,omitzero"`
	SupportContact *partnercenter.SupportContact `json:"supportContact,omitzero"`
	// OverageEnabled says whether the Azure subscription of an Azure plan pays for calls.
	OverageEnabled *bool `json:"overageEnabled,omitzero"`
}

// Document returns the subscription as it is stored.
func (s *Subscription) Document() (*partnercenter.Subscription, error) {
	d := s.Subscription
	more, err := partnercenter.Marshal(s.SubscriptionMore)
	if err != nil {
		return nil, err
	}
	d.Extra = joined(d.Extra, more)
	return &d, nil
}

// joined returns an object with the members of two.
func joined(a, b jsontext.Value) jsontext.Value {
	switch {
	case len(b) <= len("{}"):
		return a
	case len(a) <= len("{}"):
		return b
	}
	return slices.Concat(a[:len(a)-1], jsontext.Value(","), b[1:])
}

// orderLine is a line that made a subscription.
type orderLine struct {
	order *partnercenter.Order
	line  *partnercenter.OrderLineItem
}

// linesOf returns the lines of a customer's orders by the subscriptions that they made: a
// subscription belongs to the first order that has it.
func linesOf(orders []partnercenter.Order) map[string]orderLine {
	made := map[string]orderLine{}
	for i := range orders {
		for j := range orders[i].LineItems {
			line := &orders[i].LineItems[j]
			key := guid.Key(line.SubscriptionID)
			if _, is := made[key]; line.SubscriptionID != "" && !is {
				made[key] = orderLine{&orders[i], line}
			}
		}
	}
	return made
}

// fillSubscription sets what is stored of a subscription besides its document, where that
// leaves it out.
func fillSubscription(s *partnercenter.Subscription, by orderLine) {
	if s.OrderID == "" {
		s.OrderID = by.order.ID
	}
	if s.OfferID == "" {
		s.OfferID = by.line.OfferID
	}
	if s.PartnerID == nil && by.line.PartnerIDOnRecord != "" {
		s.PartnerID = &by.line.PartnerIDOnRecord
	}
	if s.Status == "" {
		s.Status = partnercenter.SubscriptionStatusActive
		if n := by.line.Quantity; n != nil && *n == 0 || by.order.Status.Normalize() == partnercenter.OrderStatusCancelled {
			s.Status = partnercenter.SubscriptionStatusDeleted
		}
	}
}

// problemOf returns the member of a subscription that cannot be kept as it is, and why.
func problemOf(s *Subscription) (member, problem string) {
	d := &s.Subscription
	scheduled := d.ScheduledNextTermInstructions != nil || len(d.ScheduledActions) > 0
	switch {
	case d.Quantity != nil && *d.Quantity < 0:
		return "quantity", "is below zero"
	case scheduled && d.CommitmentEndDate.IsZero():
		return "commitmentEndDate", "is missing; what is scheduled happens after it: give the last day of the term"
	case d.NextChargeInstructions != nil && d.BillingCycleEndDate.IsZero():
		return "billingCycleEndDate", "is missing; the instructions for the next charge are for the day after it"
	case d.ScheduledNextTermInstructions != nil && !keepsProduct(d, d.ScheduledNextTermInstructions):
		return "scheduledNextTermInstructions", anotherProduct
	case d.NextChargeInstructions != nil && !keepsProduct(d, d.NextChargeInstructions):
		return "nextChargeInstructions", anotherProduct
	case len(d.ScheduledActions) > 1:
		return "scheduledActions", "has several actions; keep the one at the end of the term"
	case len(d.ScheduledActions) == 1 && !isKept(d, &d.ScheduledActions[0]):
		return "scheduledActions", "only what happens at the end of the term with the same product can be loaded: TermEnd with RenewToNewTerm, RenewToExtendedServiceTerm or Cancel"
	case s.SupportContact != nil && (s.SupportContact.SupportTenantID == "" || s.SupportContact.SupportMPNID == "" || s.SupportContact.Name == ""):
		return "supportContact", "needs supportTenantId, supportMpnId and name"
	}
	return "", ""
}

const anotherProduct = "is a change to another product, or of a legacy offer, which cannot be loaded; leave it out"

// keepsProduct reports whether a subscription remains one of its product.
func keepsProduct(s *partnercenter.Subscription, to *partnercenter.SubscriptionInstructions) bool {
	product, rest, isItem := strings.Cut(s.OfferID, ":")
	sku, _, _ := strings.Cut(rest, ":")
	p := partnercenter.InstructedProduct{}
	if to.Product != nil {
		p = *to.Product
	}
	return isItem && (p.ProductID == "" || ascii.EqualFold(p.ProductID, product)) && (p.SKUID == "" || ascii.EqualFold(p.SKUID, sku))
}

// isKept reports whether an action can be loaded.
func isKept(s *partnercenter.Subscription, a *partnercenter.ScheduledAction) bool {
	switch a.ActionType.Normalize() {
	case partnercenter.ScheduledActionTypeCancel, partnercenter.ScheduledActionTypeRenew, partnercenter.ScheduledActionTypeRenewExtended:
	default:
		return false
	}
	return a.ScheduleType.Normalize() == partnercenter.ScheduleTypeTermEnd && (a.Instructions == nil || keepsProduct(s, a.Instructions))
}

// subscriptions checks the subscriptions of a customer.
func (c *checker) subscriptions(p yamlfile.Position, customer *Customer) {
	made, seen := linesOf(customer.Orders), map[string]int{}
	for i := range customer.Subscriptions {
		at, s := p.Field("subscriptions").Item(i), &customer.Subscriptions[i]
		if !at.IsObject() {
			continue
		}
		id := at.Field("id")
		c.Required(at, "id", "the subscriptionId of a line of the customer's orders")
		c.guid(id)
		c.Unique(seen, id, guid.Key(s.Subscription.ID))
		by, is := made[guid.Key(s.Subscription.ID)]
		switch {
		case s.Subscription.ID == "":
		case !is:
			c.Problem(id, "no line of the customer's orders has this subscriptionId; add it to the line that made the subscription")
		case s.Subscription.OrderID != "" && guid.KeyIfGUID(s.Subscription.OrderID) != guid.KeyIfGUID(by.order.ID):
			c.Problem(at.Field("orderId"), "a line of order %s has the subscription; leave this field out", by.order.ID)
		default:
			fillSubscription(&s.Subscription, by)
			if member, problem := problemOf(s); problem != "" {
				c.Problem(at.Field(member), "%s", problem)
			}
		}
	}
}

// carts checks the carts of a customer.
func (c *checker) carts(p yamlfile.Position, customer *Customer) {
	seen := map[string]int{}
	for i := range customer.Carts {
		at, cart := p.Field("carts").Item(i), &customer.Carts[i]
		if !at.IsObject() {
			continue
		}
		c.Required(at, "id", "a GUID, by which the cart is read and checked out")
		c.guid(at.Field("id"))
		c.Unique(seen, at.Field("id"), guid.Key(cart.ID))
		if problem := cartProblem(cart); problem != "" {
			c.Problem(at.Field("status"), "%s", problem)
		}
		fillCart(cart, customer.Customer.ID)
	}
}

// cartProblem says why a cart cannot be kept.
func cartProblem(cart *partnercenter.Cart) string {
	if status := cart.Status.Normalize(); status != "" && status != partnercenter.CartStatusActive {
		return "only carts that are still open can be loaded, " + string(partnercenter.CartStatusActive) + "; of others, load the orders"
	}
	return ""
}

// fillCart sets what every cart has. Its times are set when it is stored.
func fillCart(cart *partnercenter.Cart, customerID string) {
	cart.Status = partnercenter.CartStatusActive
	if cart.Links == nil {
		cart.Links = &partnercenter.ResourceLinks{Self: partnercenter.NewLink("GET", "/customers/"+ascii.ToLower(customerID)+"/carts/"+ascii.ToLower(cart.ID))}
	}
	if cart.Attributes == nil {
		cart.Attributes = &partnercenter.ResourceAttributes{ObjectType: partnercenter.ObjectTypeCart}
	}
}
