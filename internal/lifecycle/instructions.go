package lifecycle

import (
	"net/http"
	"slices"
	"strings"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/catalog"
	"github.com/partnercenter-go/partnercenter/internal/quote"
)

// schedules reports whether changes of the subscription can be scheduled for its next
// term. A request to change such a subscription says whether it renews, and to what: what
// it leaves out is not to be.
func (s *Subscription) schedules() bool {
	return s.Facts.Kind == catalog.OnlineService || s.Facts.Kind == catalog.SoftwareSubscription
}

// productType returns the type of a subscription's product, nil for legacy offers and for
// what nobody knows.
func (s *Subscription) productType() *partnercenter.ItemType {
	var id string
	switch s.Facts.Kind {
	case catalog.OnlineService:
		id = "OnlineServicesNCE"
	case catalog.SoftwareSubscription:
		id = "Software"
	case catalog.AzurePlan, catalog.Marketplace:
		id = "Azure"
	default:
		return nil
	}
	return &partnercenter.ItemType{ID: id, DisplayName: id}
}

// describe sets the members of new commerce that follow from others.
func (s *Subscription) describe(view *partnercenter.Subscription) {
	if view.ProductType = s.productType(); view.ProductType == nil {
		return
	}
	view.AttentionNeeded, view.ActionTaken = new(false), new(false)
	if view.RenewalTermDuration == nil {
		view.RenewalTermDuration = new("")
	}
	if view.PartnerID == nil {
		view.PartnerID = new("")
	}
}

// instructions returns the instructions that a request has, nil if they are empty. What
// they leave out of the product is the subscription's own.
func (s *Subscription) instructions(sent *partnercenter.SubscriptionInstructions) *partnercenter.SubscriptionInstructions {
	if sent == nil || sent.Quantity == nil && sent.Product == nil && sent.CustomTermEndDate.IsZero() {
		return nil
	}
	i, d := *sent, &s.Document
	i.Extra = nil
	p := partnercenter.InstructedProduct{}
	if sent.Product != nil {
		p = *sent.Product
		p.Extra = nil
	}
	own := strings.Split(d.OfferID+"::", ":")
	for at, part := range []*string{&p.ProductID, &p.SKUID, &p.AvailabilityID} {
		if *part == "" {
			*part = own[at]
		}
	}
	if p.BillingCycle = p.BillingCycle.Normalize(); p.BillingCycle == "" || p.BillingCycle == partnercenter.BillingCycleTypeUnknown {
		p.BillingCycle = d.BillingCycle
	}
	if p.TermDuration = ascii.ToUpper(p.TermDuration); p.TermDuration == "" {
		p.TermDuration = d.TermDuration
	}
	if i.Quantity == nil || *i.Quantity == 0 {
		i.Quantity = d.Quantity
	}
	i.Product = &p
	return &i
}

// sameInstructions reports whether instructions are those that are scheduled.
func sameInstructions(a, b *partnercenter.SubscriptionInstructions) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a.Quantity == *b.Quantity && a.Product.ProductID == b.Product.ProductID && a.Product.SKUID == b.Product.SKUID &&
		a.Product.AvailabilityID == b.Product.AvailabilityID && a.Product.BillingCycle == b.Product.BillingCycle &&
		a.Product.TermDuration == b.Product.TermDuration && a.Product.PromotionID == b.Product.PromotionID &&
		a.CustomTermEndDate.Equal(b.CustomTermEndDate)
}

const nextSchedule = "Send scheduledNextTermInstructions, or order again"

// instructionRules apply to what a request asks of the term, and of the terms after it.
var instructionRules = []rule[*updateCheck]{
	{http.StatusBadRequest, partnercenter.ErrorCodeNoTermForTrial, "the term of a trial is to change", func(u *updateCheck) (string, string) {
		return require(!u.changesTerm() || !isTrue(u.Document.IsTrial), nextLeaveOut, "The term of a trial cannot change: %s", u.Document.OfferID)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeTermInvalid, "the term is to become one that the item is not sold for", func(u *updateCheck) (string, string) {
		return require(!u.changesTerm() || u.item != nil && u.sold(u.request.TermDuration), nextLeaveOut, "The term %s is not valid for %s", quote.Text(u.request.TermDuration), u.Document.OfferID)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeOperationUnoffered, "the term is to change at once", func(u *updateCheck) (string, string) {
		return require(!u.changesTerm(), nextSchedule, "This operation is not supported: the term of %s is %s until its end", u.Document.ID, u.Document.TermDuration)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeOperationUnoffered, "the next charge, the term after this one or the action at its end is to change by a member of its own", func(u *updateCheck) (string, string) {
		member, r := "", u.request
		switch {
		case u.instructions(r.NextChargeInstructions) != nil:
			member = "nextChargeInstructions"
		case len(r.ScheduledActions) > 0:
			member = "scheduledActions"
		case r.RenewalTermDuration != nil && differs(*r.RenewalTermDuration, text(u.Document.RenewalTermDuration)):
			member = "renewalTermDuration"
		}
		return require(member == "", nextSchedule, "This operation is not supported: %s of %s cannot change", member, u.Document.ID)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeCustomEndMismatch, "a term is to end on a date", func(u *updateCheck) (string, string) {
		at := u.request.CustomTermEndDate
		if i := u.scheduled; i != nil && at.Time().IsZero() {
			at = i.CustomTermEndDate
		}
		return require(at.Time().IsZero(), "Leave customTermEndDate out; this server offers no such dates", "The custom term end date %s is none of those that are offered", at)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeOperationUnoffered, "a change of anything but online services and software is scheduled, or one to another product", func(u *updateCheck) (string, string) {
		if u.scheduled == nil {
			return "", ""
		}
		if !u.schedules() {
			return violation(nextLeaveOut, "This operation is not supported: changes of %s cannot be scheduled", u.Document.OfferID)
		}
		p := u.scheduled.Product
		id := p.ProductID + ":" + p.SKUID + ":" + p.AvailabilityID
		return require(ascii.EqualFold(id, u.Document.OfferID), "Schedule a change of quantity, term or billing cycle; order the other product", "This operation is not supported: %s cannot become %s with its next term", u.Document.OfferID, quote.Text(id))
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodePromotionInvalid, "a promotion is named", func(u *updateCheck) (string, string) {
		named := differs(u.request.PromotionID, u.Document.PromotionID) || u.scheduled != nil && u.scheduled.Product.PromotionID != ""
		return require(!named, "Leave promotionId out; the catalog has no promotions", "Invalid promotion code for %s", u.Document.OfferID)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeInvalidProperty, "a change is scheduled of what does not renew", func(u *updateCheck) (string, string) {
		return require(u.scheduled == nil || u.renewing() && isActive(u.Subscription) && u.status == "", "Send autoRenewEnabled true with it", "Invalid property scheduledNextTermInstructions: %s does not renew", u.Document.ID)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeNextTermInvalid, "the next term is one that the item is not sold for", func(u *updateCheck) (string, string) {
		return require(u.scheduled == nil || u.sold(u.scheduled.Product.TermDuration), u.nextTerms(), "The term of the scheduled change is not valid for %s: %s", u.Document.OfferID, u.scheduledTerm())
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeNextCycleInvalid, "the item is not sold with the next term's billing cycle", func(u *updateCheck) (string, string) {
		return require(u.scheduled == nil || slices.Contains(u.item.BillingCycles, u.scheduled.Product.BillingCycle), "Send a billing cycle that the item is sold with, or leave it out", "The billing cycle of the scheduled change is not valid for %s", u.Document.OfferID)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeNextCycleTooLong, "the next term is shorter than its billing cycle", func(u *updateCheck) (string, string) {
		return require(u.scheduled == nil || catalog.Billable(u.scheduled.Product.TermDuration, u.scheduled.Product.BillingCycle), "Send a longer term, or a shorter billing cycle", "The billing cycle of the scheduled change is longer than the term %s", u.scheduledTerm())
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeQuantityOutOfRange, "the next term's quantity is out of the item's range", func(u *updateCheck) (string, string) {
		if u.scheduled == nil {
			return "", ""
		}
		return quantityRange(u.item, *u.scheduled.Quantity)
	}},
	{http.StatusForbidden, partnercenter.ErrorCodeSeatsBeyondLimit, "the sandbox allows fewer seats in the next term", func(u *updateCheck) (string, string) {
		if u.scheduled == nil {
			return "", ""
		}
		return sandboxSeats(u.settings, u.Facts.Kind, u.Document.OfferID, *u.scheduled.Quantity)
	}},
}

// scheduling determines what the request intends to schedule.
func (u *updateCheck) scheduling() {
	asked, is := u.instructions(u.request.ScheduledNextTermInstructions), u.Document.ScheduledNextTermInstructions
	if before := u.request.BillingCycle.Normalize(); asked != nil && u.earlierCycle(before) && asked.Product.BillingCycle == before {
		asked.Product.BillingCycle = u.Document.BillingCycle // read with the subscription, and sent back
	}
	switch {
	case asked == nil || !sameInstructions(asked, is):
		u.scheduled, u.reschedules = asked, asked != nil || is != nil
	case u.quantity != nil || !u.renewing():
		u.reschedules = true // a change at once, and one of the renewal, remove what is there
	}
}

// renewing reports whether the subscription renews after the change.
func (u *updateCheck) renewing() bool {
	if u.autoRenew != nil {
		return *u.autoRenew
	}
	return isTrue(u.Document.AutoRenewEnabled)
}

func (u *updateCheck) changesTerm() bool {
	return differs(u.request.TermDuration, u.Document.TermDuration)
}

// sold reports whether the item is sold for a term.
func (u *updateCheck) sold(term string) bool {
	return u.item != nil && slices.ContainsFunc(u.item.Terms, func(t string) bool { return ascii.EqualFold(t, ascii.TrimSpace(term)) })
}

func (u *updateCheck) scheduledTerm() string {
	if u.scheduled == nil {
		return ""
	}
	return quote.Text(u.scheduled.Product.TermDuration)
}

func (u *updateCheck) nextTerms() string {
	if u.item == nil {
		return nextLeaveOut
	}
	return "Send one of its terms: " + strings.Join(u.item.Terms, ", ")
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
