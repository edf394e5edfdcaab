package lifecycle

import (
	"strconv"
	"strings"
	"time"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/catalog"
)

// entitlementTypes are the kinds of items that a customer owns, by type.
var entitlementTypes = map[catalog.Kind]partnercenter.EntitlementType{
	catalog.PerpetualSoftware:    partnercenter.EntitlementTypeSoftware,
	catalog.SoftwareSubscription: partnercenter.EntitlementTypeSoftware,
	catalog.Reservation:          partnercenter.EntitlementTypeReservedInstance,
}

// EntitlementsOf returns what a customer owns from the lines of an order, of one type or
// of all, with the dates at which it expires if they are asked for. Cancelled lines give
// nothing.
func (o *Order) EntitlementsOf(kind partnercenter.EntitlementType, expiry bool, now time.Time) (list []partnercenter.Entitlement) {
	for i := range o.Document.LineItems {
		line, facts := &o.Document.LineItems[i], &o.Facts.Lines[i]
		is, owned := entitlementTypes[facts.Kind]
		if !owned || kind != "" && is != kind || quantity(line) == 0 {
			continue
		}
		product, sku, _ := strings.Cut(line.OfferID, ":")
		sku, _, _ = strings.Cut(sku, ":")
		e := partnercenter.Entitlement{
			ReferenceOrder: &partnercenter.ReferenceOrder{ID: o.Document.ID, LineItemID: strconv.Itoa(i), AlternateID: o.Document.AlternateID},
			ProductID:      product, SKUID: sku, Quantity: new(quantity(line)), EntitlementType: is,
			QuantityDetails:   []partnercenter.QuantityDetail{{Quantity: new(quantity(line)), Status: partnercenter.FulfillmentStatus(o.lineStatus(i, now))}},
			EntitledArtifacts: []partnercenter.EntitledArtifact{}, IncludedEntitlements: []partnercenter.Entitlement{},
		}
		if expiry {
			e.ExpiryDate = o.expires(i, now)
		}
		list = append(list, e)
	}
	return list
}

// expires returns the day after the last one of what a line buys, none for what is kept
// forever or not delivered yet.
func (o *Order) expires(line int, now time.Time) partnercenter.Time {
	if s := o.subscriptionOf(line); s != nil {
		current := s.clone()
		current.advance(now)
		if end := current.Document.CommitmentEndDate.Time(); !end.IsZero() && end.Year() < never.Year() {
			return firstInstant(end.AddDate(0, 0, 1))
		}
		return partnercenter.Time{}
	}
	facts := o.Facts.Lines[line]
	first := facts.Provisioned
	if first.IsZero() {
		first = facts.Bought
	}
	months := catalog.TermMonths(text(o.Document.LineItems[line].TermDuration))
	if months == 0 || first.Year() >= never.Year() {
		return partnercenter.Time{}
	}
	return firstInstant(nthEnd(first.UTC().Truncate(24*time.Hour), months, 1).AddDate(0, 0, 1))
}
