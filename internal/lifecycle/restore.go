package lifecycle

import (
	"slices"
	"strings"
	"time"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/catalog"
	"github.com/partnercenter-go/partnercenter/internal/guid"
)

// Restore rebuilds an order from its stored parts. Orders that were loaded instead of
// placed have no facts, and those of their subscriptions that lack facts and documents
// are derived from the lines, and from the documents that were loaded with them.
func Restore(account *Account, document partnercenter.Order, facts *OrderFacts, stored []*Subscription, loaded []*partnercenter.Subscription) *Order {
	o := &Order{Document: document}
	if facts != nil {
		o.Facts = *facts
		o.Facts.Lines = slices.Clone(facts.Lines)
	}
	for i := len(o.Facts.Lines); i < len(document.LineItems); i++ {
		o.Facts.Lines = append(o.Facts.Lines, LineFacts{Kind: kindOf(account, document.LineItems[i].OfferID), Bought: document.CreationDate.Time()})
	}
	for i := range document.LineItems {
		id := document.LineItems[i].SubscriptionID
		if id == "" {
			continue
		}
		kept := slices.IndexFunc(stored, func(s *Subscription) bool { return ascii.EqualFold(s.Document.ID, id) })
		if kept >= 0 {
			o.Subscriptions = append(o.Subscriptions, stored[kept])
			continue
		}
		s := deriveSubscription(account, o, i)
		if at := slices.IndexFunc(loaded, func(d *partnercenter.Subscription) bool { return ascii.EqualFold(d.ID, id) }); at >= 0 {
			s.adopt(loaded[at])
		}
		o.Subscriptions = append(o.Subscriptions, s)
	}
	LinkBases(o.Subscriptions)
	return o
}

// kindOf returns the kind of an offer id in a loaded order, empty if unknown.
func kindOf(account *Account, offerID string) catalog.Kind {
	item, err := account.Catalog.Find(offerID, account.Country)
	switch {
	case err == nil:
		return item.Kind
	case guid.Is(offerID):
		return catalog.License
	case strings.HasPrefix(ascii.ToUpper(offerID), "MS-AZR-"):
		return catalog.Usage
	}
	return ""
}

// deriveSubscription makes the subscription that a loaded order's line must have
// created.
func deriveSubscription(account *Account, o *Order, i int) *Subscription {
	line, kind := &o.Document.LineItems[i], o.Facts.Lines[i].Kind
	item, err := account.Catalog.Find(line.OfferID, account.Country)
	if err != nil {
		item = unknownItem(account, line, kind)
	}
	parent := line.ParentSubscriptionID
	for j := range o.Document.LineItems {
		base := &o.Document.LineItems[j]
		if parent == "" && item.AddOn && j != i && slices.ContainsFunc(item.Prerequisites, func(p string) bool { return matchesPrerequisite(p, base.OfferID) }) {
			parent = base.SubscriptionID
		}
	}
	s := newSubscription(account, &o.Document, line, item, parent, o.Facts.Lines[i].Bought)
	if err != nil {
		// There are no links to what the catalog does not have.
		s.Document.Links = &partnercenter.SubscriptionLinks{Self: s.Document.Links.Self, ParentSubscription: s.Document.Links.ParentSubscription}
	}
	if line.FriendlyName == "" {
		s.Document.FriendlyName = item.Title
	}
	s.Facts.LineItemNumber = i
	s.Facts.Seats = []Seats{{Quantity: quantity(line), Added: o.Facts.Lines[i].Bought}}
	s.Facts.Since = time.Time{} // it existed before the data
	if isAzure(kind) {
		s.Document.EntitlementID = guid.Derived("entitlement", line.SubscriptionID)
		s.Facts.Registered = o.Facts.Lines[i].Bought
	}
	if quantity(line) == 0 || o.Document.Status.Normalize() == partnercenter.OrderStatusCancelled {
		s.Document.Status = partnercenter.SubscriptionStatusDeleted
		s.Document.AutoRenewEnabled = new(false)
	}
	return s
}

// unknownItem stands for an item that the catalog does not have.
func unknownItem(account *Account, line *partnercenter.OrderLineItem, kind catalog.Kind) *catalog.Item {
	return &catalog.Item{
		ID: line.OfferID, Kind: kind, Title: line.FriendlyName, Country: account.Country,
		UnitType: "Licenses", BillingType: partnercenter.BillingTypeLicense, Microsoft: true,
	}
}
