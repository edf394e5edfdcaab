package lifecycle

import (
	"cmp"
	"strconv"
	"time"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/catalog"
)

// pacific is the offset of dates in legacy orders.
var pacific = time.FixedZone("", -8*60*60)

// dateOf formats a date for a family of orders: three digits and an offset for legacy
// orders, seven digits in UTC for others.
func dateOf(now time.Time, legacy bool) partnercenter.Time {
	text := now.UTC().Format("2006-01-02T15:04:05.0000000Z")
	if legacy {
		text = now.In(pacific).Format("2006-01-02T15:04:05.000-07:00")
	}
	return readTime(text)
}

// later returns the instant d after another, at most the last that dates can have.
func later(at time.Time, d time.Duration) time.Time {
	at = at.Add(d)
	if at.Year() > never.Year() {
		return never
	}
	return at
}

// readTime reads a date written by this package.
func readTime(text string) partnercenter.Time {
	t, err := partnercenter.ParseTime(text)
	if err != nil {
		panic("lifecycle: " + err.Error())
	}
	return t
}

// place makes the order that the rules allow.
func (p *placementCheck) place() (*Order, []Event) {
	ids := newIDs(p.Entropy)
	first := p.lines[0].item
	legacy := first.Kind.Legacy()
	alternate := ids.short()
	id := alternate
	switch {
	case legacy:
		id = ids.guid()
		alternate = id
	case first.Kind != catalog.OnlineService:
		id = ids.long()
	}
	self := "/customers/" + p.CustomerID + "/orders/" + id
	o := &Order{Document: partnercenter.Order{
		ID: id, AlternateID: alternate, ReferenceCustomerID: p.CustomerID, BillingCycle: p.cycle(),
		CurrencyCode: first.CurrencyCode, CurrencySymbol: first.CurrencySymbol,
		CreationDate: dateOf(p.now, legacy), TransactionType: partnercenter.OrderTransactionTypeUserPurchase,
		PartnerOnRecordAttestationAccepted: p.Request.PartnerOnRecordAttestationAccepted,
		Links:                              &partnercenter.OrderLinks{Self: partnercenter.NewLink("GET", self), PatchOperation: partnercenter.NewLink("PATCH", self)},
		Attributes:                         &partnercenter.ResourceAttributes{ObjectType: partnercenter.ObjectTypeOrder},
	}}
	status, provisioned := completed, p.now
	if legacy {
		o.Document.Attributes.Etag = new(etag(id, 1))
	} else {
		o.Document.Links.ProvisioningStatus = partnercenter.NewLink("GET", self+"/provisioningstatus")
		provisioned = later(p.now, p.settings.ProvisioningTime)
		for _, l := range p.lines {
			if l.item.NeedsPurchaseOrder {
				status, provisioned = awaitingPO, never
			}
		}
	}
	o.Document.Status = partnercenter.OrderStatus(status)
	if p.settings.OrderLag > 0 { // otherwise it is there whatever the clock is set to
		o.Facts.Visible = later(p.now, p.settings.OrderLag)
	}
	for i, l := range p.lines {
		asked := l.line
		if base, is := p.baseOf(i); is {
			under := *asked
			under.ParentSubscriptionID = o.Document.LineItems[base].SubscriptionID
			asked = &under
		}
		o.addLine(p.Account, ids, l.item, asked, p.now, provisioned)
	}
	o.Document.TotalPrice = o.total()
	return o, []Event{{Kind: "order placed"}}
}

// addLine appends the purchase of a requested line, and its subscription.
func (o *Order) addLine(a *Account, ids ids, item *catalog.Item, asked *partnercenter.OrderLineItem, bought, provisioned time.Time) {
	number := len(o.Document.LineItems)
	line := partnercenter.OrderLineItem{
		LineItemNumber: &number, OfferID: item.ID, TransactionType: "New", FriendlyName: cmp.Or(asked.FriendlyName, item.Title),
		Quantity: new(*asked.Quantity), PartnerIDOnRecord: ascii.TrimSpace(asked.PartnerIDOnRecord),
		AdditionalPartnerIDsOnRecord: asked.AdditionalPartnerIDsOnRecord, AttestationAccepted: asked.AttestationAccepted,
	}
	if item.Trial {
		line.RenewsTo = asked.RenewsTo
	}
	if term := text(asked.TermDuration); item.Kind.Legacy() && term != "" {
		line.TermDuration = new(legacyTerm) // carts name it, and have it answered
	}
	if !item.Kind.Legacy() && len(item.Terms) > 0 {
		line.TermDuration = new(item.Term(o.Document.BillingCycle))
		for _, term := range item.Terms {
			if asked.TermDuration != nil && ascii.EqualFold(term, *asked.TermDuration) {
				line.TermDuration = new(term)
			}
		}
	}
	if item.Kind == catalog.OnlineService && !asked.CustomTermEndDate.Time().IsZero() {
		line.CustomTermEndDate = asked.CustomTermEndDate
	}
	line.Links = itemLinks(item)
	if item.Kind == catalog.SavingsPlan {
		line.PurchaseCommitment = asked.PurchaseCommitment
	}
	setPrice(&line, unitPrice(item, &line, o.Document.BillingCycle))
	if p, _ := promotion(a, item, asked, o.Document.BillingCycle, bought); p != nil {
		discount(&line, item, p)
	}
	prorate(&line, o.Document.BillingCycle, dayOf(bought))
	facts := LineFacts{Kind: item.Kind, Bought: bought}
	if !item.Kind.Legacy() {
		facts.Provisioned = provisioned // legacy offers are provisioned at once
	}
	if subscribes(item.Kind) {
		line.SubscriptionID = ids.guid()
		subscription := "/customers/" + a.CustomerID + "/subscriptions/" + line.SubscriptionID
		line.Links.Subscription = partnercenter.NewLink("GET", subscription)
		line.Links.ProvisioningStatus = partnercenter.NewLink("GET", subscription+"/provisioningstatus")
		if item.Kind == catalog.Marketplace {
			line.Links.ActivationLinks = partnercenter.NewLink("GET", "/customers/"+a.CustomerID+"/orders/"+o.Document.ID+"/lineitems/"+strconv.Itoa(number)+"/activationlinks")
		}
		s := newSubscription(a, &o.Document, &line, item, ascii.TrimSpace(asked.ParentSubscriptionID), provisioned)
		s.Facts.LineItemNumber = number
		s.Facts.NeedsActivation = item.Kind == catalog.Marketplace
		s.Facts.Seats = []Seats{{Quantity: *line.Quantity, Added: bought}}
		switch {
		case isAzure(item.Kind):
			s.Document.EntitlementID = ids.guid()
		case item.Kind == catalog.SavingsPlan:
			s.commit(&line, asked, a.Subscriptions[Key((&lineCheck{line: asked, item: item}).azureID())])
		}
		o.Subscriptions = append(o.Subscriptions, s)
		LinkBases(o.Subscriptions)
		o.Changed = append(o.Changed, s)
	}
	o.Document.LineItems = append(o.Document.LineItems, line)
	o.Facts.Lines = append(o.Facts.Lines, facts)
}

// itemLinks returns a line's links into the catalog.
func itemLinks(item *catalog.Item) *partnercenter.OrderLineItemLinks {
	product, query := "/products/"+item.ProductID, "?country="+item.Country
	sku := product + "/skus/" + item.SKUID
	links := &partnercenter.OrderLineItemLinks{SKU: partnercenter.NewLink("GET", sku+query)}
	if !item.Kind.Legacy() {
		links.Product = partnercenter.NewLink("GET", product+query)
		links.Availability = partnercenter.NewLink("GET", sku+"/availabilities/"+item.AvailabilityID+query)
	}
	return links
}

// newSubscription returns the subscription of a line in its initial state.
func newSubscription(a *Account, o *partnercenter.Order, line *partnercenter.OrderLineItem, item *catalog.Item, parent string, since time.Time) *Subscription {
	s := &Subscription{Document: *ofItem(a, item, line.SubscriptionID, parent), Facts: SubscriptionFacts{Kind: item.Kind, Since: since}}
	d := &s.Document
	d.ID, d.FriendlyName, d.Quantity, d.ParentSubscriptionID = line.SubscriptionID, line.FriendlyName, new(quantity(line)), parent
	d.Status, d.BillingCycle, d.ContractType, d.OrderID = partnercenter.SubscriptionStatusActive, o.BillingCycle.Normalize(), partnercenter.ContractTypeSubscription, o.ID
	d.Attributes = &partnercenter.ResourceAttributes{Etag: new(etag(line.SubscriptionID, 1)), ObjectType: partnercenter.ObjectTypeSubscription}
	if id := line.PartnerIDOnRecord; id != "" {
		s.Document.PartnerID = &id
	}
	if item.Kind == catalog.Marketplace {
		s.Document.Attributes.Etag = new("") // these have no etag
		if s.Document.PartnerID == nil {
			s.Document.PartnerID = new("") // and an explicitly empty partner id
		}
	}
	if line.TermDuration != nil {
		s.Document.TermDuration = *line.TermDuration
	}
	if line.RenewsTo != nil && line.RenewsTo.TermDuration != "" {
		s.Document.RenewalTermDuration = &line.RenewsTo.TermDuration
	}
	s.Document.PromotionID = line.PromotionID
	if at := line.CustomTermEndDate; item.Kind == catalog.OnlineService && !at.Time().IsZero() && !at.Never() {
		s.Document.CustomTermEndDate = at
	}
	s.start(since)
	return s
}

// ofItem returns what a subscription has because it is one to an item.
func ofItem(a *Account, item *catalog.Item, id, parent string) *partnercenter.Subscription {
	return &partnercenter.Subscription{
		OfferID: item.ID, OfferName: item.Title, UnitType: item.UnitType, BillingType: item.BillingType,
		AutoRenewEnabled: new(item.AutoRenewable && !item.Trial), IsTrial: new(item.Trial),
		HasPurchasableAddons: new(item.HasAddOns), IsMicrosoftProduct: new(item.Microsoft), PublisherName: item.PublisherName,
		Links: subscriptionLinks(a, item, parent, "/customers/"+a.CustomerID+"/subscriptions/"+id),
	}
}

// setItem makes the subscription one to another item, whose name it has if it had that of
// its own.
func (s *Subscription) setItem(of *partnercenter.Subscription) {
	d := &s.Document
	if d.FriendlyName == d.OfferName {
		d.FriendlyName = of.OfferName
	}
	d.OfferID, d.OfferName, d.UnitType, d.BillingType, d.IsTrial = of.OfferID, of.OfferName, of.UnitType, of.BillingType, of.IsTrial
	d.HasPurchasableAddons, d.IsMicrosoftProduct, d.PublisherName, d.Links = of.HasPurchasableAddons, of.IsMicrosoftProduct, of.PublisherName, of.Links
}

func subscriptionLinks(a *Account, item *catalog.Item, parent, self string) *partnercenter.SubscriptionLinks {
	links := &partnercenter.SubscriptionLinks{Self: partnercenter.NewLink("GET", self)}
	if item.Kind.Legacy() {
		links.Offer = partnercenter.NewLink("GET", "/offers/"+item.ID+"?country="+item.Country)
	} else {
		catalogLinks := itemLinks(item)
		links.Product, links.SKU, links.Availability = catalogLinks.Product, catalogLinks.SKU, catalogLinks.Availability
	}
	if item.Kind == catalog.Marketplace {
		links.ActivationLinks = partnercenter.NewLink("GET", self+"/activationlinks")
	}
	if parent != "" {
		links.ParentSubscription = partnercenter.NewLink("GET", "/customers/"+a.CustomerID+"/subscriptions/"+parent)
	}
	return links
}

// start sets the dates of a subscription that starts at an instant.
func (s *Subscription) start(at time.Time) {
	s.Facts.Since = at
	legacy := s.Facts.Kind.Legacy()
	s.Document.CreationDate = dateOf(at, false)
	if legacy {
		s.Document.CreationDate = readTime(at.UTC().Format("2006-01-02T15:04:05.000Z"))
	}
	s.Document.EffectiveStartDate = firstInstant(at.UTC())
	s.Document.CommitmentEndDate = partnercenter.Time{}
	if end := s.Document.CustomTermEndDate; !end.IsZero() && customEndDay(end).Before(dayOf(at)) {
		s.Document.CustomTermEndDate = partnercenter.Time{} // provisioning took longer than the term
	}
	s.setEnds(at)
}
