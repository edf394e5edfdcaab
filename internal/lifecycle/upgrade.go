package lifecycle

import (
	"net/http"
	"slices"
	"time"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/catalog"
	"github.com/partnercenter-go/partnercenter/internal/quote"
)

// Upgrades returns what a subscription to a legacy offer can be upgraded to, also what it
// cannot be upgraded to for now. It is empty for others: clients ask for every
// subscription.
func Upgrades(account *Account, s *Subscription, settings Settings, now time.Time) []partnercenter.Upgrade {
	list := []partnercenter.Upgrade{}
	if s.Facts.Kind != catalog.License || s.Document.Status.Normalize() == partnercenter.SubscriptionStatusDeleted {
		return list
	}
	c := newSeatsCheck(account, s, settings, now)
	for _, target := range c.targets() {
		offer, err := account.Catalog.Offer(target.ID, account.Country)
		if err != nil {
			continue // it was just found
		}
		errs := c.obstacles(target)
		list = append(list, partnercenter.Upgrade{
			TargetOffer: offer, UpgradeType: partnercenter.UpgradeTypeOnly, IsEligible: new(len(errs) == 0), Quantity: s.Document.Quantity, UpgradeErrors: errs,
			Attributes: &partnercenter.ResourceAttributes{ObjectType: partnercenter.ObjectTypeUpgrade},
		})
	}
	return list
}

// upgradeCheck is an upgrade, as the rules check it.
type upgradeCheck struct {
	seatsCheck
	request *partnercenter.Upgrade
	kind    partnercenter.UpgradeType
	target  *catalog.Item // nil when the catalog does not have it
}

const nextReadUpgrades = "Read GET .../upgrades for what is possible, and send one of it"

// targetID is the id of the offer that the request names.
func (u *upgradeCheck) targetID() string {
	if u.request.TargetOffer == nil {
		return ""
	}
	return ascii.TrimSpace(u.request.TargetOffer.ID)
}

// upgradeRules apply to upgrades of a subscription to a legacy offer.
var upgradeRules = []rule[*upgradeCheck]{
	{http.StatusBadRequest, partnercenter.ErrorCodeOperationUnoffered, "it is not to a legacy offer with seats", func(u *upgradeCheck) (string, string) {
		return require(u.Facts.Kind == catalog.License, "Subscriptions in new commerce have .../transitions", "This operation is not supported: %s is no legacy offer that is sold by the seat", u.Document.OfferID)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeInvalidProperty, "no offer is named", func(u *upgradeCheck) (string, string) {
		return require(u.targetID() != "", nextReadUpgrades, "Invalid property targetOffer: it has no id")
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeEnumUnparsable, "the type is unknown text", func(u *upgradeCheck) (string, string) {
		return require(u.kind == "" || u.kind.Known(), "Send upgrade_only", "Unable to parse enum: upgradeType %s", quote.Text(string(u.kind)))
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeOperationUnoffered, "licences of users are to move, too", func(u *upgradeCheck) (string, string) {
		return require(u.kind != partnercenter.UpgradeTypeWithLicenseTransfer, "Send upgrade_only", "This operation is not supported: licences of users are not kept here, and are not transferred")
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeInvalidOffer, "the offer is unknown", func(u *upgradeCheck) (string, string) {
		return require(u.target != nil, nextReadUpgrades, "Invalid offer id %s", quote.Text(u.targetID()))
	}},
	{http.StatusForbidden, partnercenter.ErrorCodeOfferNotEligible, "it cannot be upgraded to the offer", func(u *upgradeCheck) (string, string) {
		is := slices.ContainsFunc(u.targets(), func(i *catalog.Item) bool { return i.ID == u.target.ID })
		return require(is, nextReadUpgrades, "The offer is not eligible for purchase: %s cannot become %s", u.Document.OfferID, u.target.ID)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeInvalidProperty, "only some of the seats are to move, or more than there are", func(u *upgradeCheck) (string, string) {
		q := u.request.Quantity
		return require(q == nil || *q == 0 || *q == *u.Document.Quantity, "Change the quantity of the subscription first, or leave it out", "Invalid property quantity: an upgrade moves all %d seats of %s", *u.Document.Quantity, u.Document.ID)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeOperationUnoffered, "it has add-ons", func(u *upgradeCheck) (string, string) {
		return require(u.addOns == 0, "Cancel its add-ons first", "This operation is not supported: subscription %s has add-ons", u.Document.ID)
	}},
}

// UpgradeSubscription decides about the upgrade of one of an order's subscriptions. It
// ends, and a new one to the other offer has its seats.
func UpgradeSubscription(account *Account, from *Order, id string, request *partnercenter.Upgrade, entropy Entropy, settings Settings, now time.Time) (Moved, *partnercenter.UpgradeResult, []Event, error) {
	next, s := from.cloneWith(id)
	s.advance(now)
	u := &upgradeCheck{seatsCheck: newSeatsCheck(account, s, settings, now), request: request, kind: request.UpgradeType.Normalize()}
	u.target, _ = account.Catalog.Find(u.targetID(), account.Country)
	arrow, err := move(SubscriptionMachine, string(s.Document.Status.Normalize()), Upgrade)
	if err == nil {
		err = check(upgradeRules, u)
	}
	if err != nil {
		return Moved{}, nil, nil, err
	}
	line := partnercenter.OrderLineItem{OfferID: u.target.ID, Quantity: new(*s.Document.Quantity)}
	cycle := s.Document.BillingCycle.Normalize()
	if !slices.Contains(u.target.BillingCycles, cycle) {
		cycle = ""
	}
	moved := Moved{From: next, New: true}
	if moved.To, err = u.placeConverted(line, cycle, entropy); err != nil {
		return Moved{}, nil, nil, err
	}
	into := moved.To.Subscriptions[0]
	events := []Event{
		{Kind: arrow.Event, SubscriptionID: s.Document.ID, LineItemNumber: s.Facts.LineItemNumber},
		{Kind: "order placed", SubscriptionID: into.Document.ID},
	}
	events = append(events, next.takeSeats(account, s, *s.Document.Quantity, moved.To, settings, now)...)
	return moved, &partnercenter.UpgradeResult{
		SourceSubscriptionID: s.Document.ID, TargetSubscriptionID: into.Document.ID, UpgradeType: "1", // upgrade_only, as answers have it
		UpgradeErrors: []partnercenter.TransitionError{}, LicenseErrors: []partnercenter.UserLicenseErrors{},
		Attributes: &partnercenter.ResourceAttributes{ObjectType: partnercenter.ObjectTypeUpgradeResult},
	}, events, nil
}
