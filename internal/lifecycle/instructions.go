package lifecycle

import (
	"net/http"
	"slices"
	"strings"
	"time"

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

// schedule is what happens at the end of a term: an action, instructions for the next one, or
// an action with instructions.
type schedule struct {
	action       partnercenter.ScheduledActionType // empty: instructions have a member of their own
	instructions *partnercenter.SubscriptionInstructions
}

// plan returns what is scheduled.
func (s *Subscription) plan() schedule {
	if list := s.Document.ScheduledActions; len(list) > 0 {
		return schedule{list[0].ActionType, list[0].Instructions}
	}
	return schedule{"", s.Document.ScheduledNextTermInstructions}
}

// members returns the plan as members of a subscription.
func (p schedule) members() (*partnercenter.SubscriptionInstructions, partnercenter.ScheduledActions) {
	if p.action == "" {
		return p.instructions, nil
	}
	return nil, partnercenter.ScheduledActions{{ScheduleType: partnercenter.ScheduleTypeTermEnd, ActionType: p.action, Instructions: p.instructions}}
}

// unschedule removes what is scheduled to be changed, as a change at once does. Whether
// the subscription then renews or ends stays.
func (s *Subscription) unschedule() {
	if s.plan().instructions != nil {
		s.Document.ScheduledNextTermInstructions, s.Document.ScheduledActions = nil, nil
	}
	s.Document.NextChargeInstructions, s.Facts.NextCharge = nil, time.Time{}
}

// renewsAs returns the term and the billing cycle that a renewal has unless another one is
// scheduled.
func (s *Subscription) renewsAs() (term string, cycle partnercenter.BillingCycleType) {
	if x := s.Facts.Extended; x != nil {
		return x.TermDuration, x.BillingCycle
	}
	return s.Document.TermDuration, s.Document.BillingCycle
}

// instructions returns the instructions that a request has, nil if they are empty. What
// they leave out of the product is the subscription's own, with this term and cycle.
func (s *Subscription) instructions(sent *partnercenter.SubscriptionInstructions, term string, cycle partnercenter.BillingCycleType) *partnercenter.SubscriptionInstructions {
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
		p.BillingCycle = cycle
	}
	if p.TermDuration = ascii.ToUpper(p.TermDuration); p.TermDuration == "" {
		p.TermDuration = term
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
	{http.StatusBadRequest, partnercenter.ErrorCodeOperationUnoffered, "the term after this one is to change by `renewalTermDuration`", func(u *updateCheck) (string, string) {
		asked := text(u.request.RenewalTermDuration)
		return require(!differs(asked, text(u.Document.RenewalTermDuration)), nextSchedule, "This operation is not supported: renewalTermDuration of %s cannot change", u.Document.ID)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeInvalidProperty, "several actions are scheduled", func(u *updateCheck) (string, string) {
		return require(len(u.request.ScheduledActions) <= 1, "Send the one that is to happen", "Invalid property scheduledActions: %d are to happen at the end of a term, and one can", len(u.request.ScheduledActions))
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeEnumUnparsable, "the type of a scheduled action or of its schedule is unknown text", func(u *updateCheck) (string, string) {
		a := u.asked()
		return require(a == nil || a.ScheduleType.Known() && a.ActionType.Known(), "Send scheduleType TermEnd, and actionType Cancel, RenewToNewTerm or RenewToExtendedServiceTerm", "Unable to parse enum: scheduleType %s, actionType %s", quote.Text(string(a.schedule())), quote.Text(string(a.action())))
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeOperationUnoffered, "an action is scheduled for a date, or is a transition", func(u *updateCheck) (string, string) {
		a := u.asked()
		return require(a == nil || a.schedule() == partnercenter.ScheduleTypeTermEnd && a.action() != partnercenter.ScheduledActionTypeTransition, "Send scheduleType TermEnd, and actionType Cancel, RenewToNewTerm or RenewToExtendedServiceTerm", "This operation is not supported: action %s for %s", a.action(), a.schedule())
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeInvalidProperty, "an action's effectiveDate is not the end of the term", func(u *updateCheck) (string, string) {
		a := u.asked()
		if a == nil || a.EffectiveDate.Time().IsZero() {
			return "", ""
		}
		last, at := u.Document.CommitmentEndDate.Time(), a.EffectiveDate.Time()
		return require(!at.Before(last) && !at.After(last.AddDate(0, 0, 1)), "Leave it out", "Invalid property effectiveDate: the term of %s ends on %s", u.Document.ID, last.Format(time.DateOnly))
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeOperationUnoffered, "an action is scheduled for anything but online services and software, or an extended service term where there is none", func(u *updateCheck) (string, string) {
		switch a := u.asked(); {
		case a == nil:
			return "", ""
		case !u.schedules():
			return violation(nextLeaveOut, "This operation is not supported: nothing can be scheduled for %s", u.Document.OfferID)
		case a.action() == partnercenter.ScheduledActionTypeRenewExtended && !u.extends(u.Document.CommitmentEndDate.Time()):
			return violation("Cancel or renew it", "This operation is not supported: %s has no extended service term", u.Document.ID)
		}
		return "", ""
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeInvalidProperty, "a renewal is scheduled without autoRenewEnabled, another action with it, or any for what is not active", func(u *updateCheck) (string, string) {
		a := u.asked()
		if a == nil {
			return "", ""
		}
		renew := a.action() == partnercenter.ScheduledActionTypeRenew
		return require(renew == u.renewing() && isActive(u.Subscription) && u.status == "", "Send autoRenewEnabled true with RenewToNewTerm, and false with another action, of an active subscription", "Invalid property scheduledActions: %s is %s, with autoRenewEnabled %t", u.Document.ID, u.Document.Status, u.renewing())
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeInvalidProperty, "an action other than a renewal has instructions", func(u *updateCheck) (string, string) {
		a := u.asked()
		return require(a == nil || a.Instructions == nil || a.action() == partnercenter.ScheduledActionTypeRenew, "Leave them out", "Invalid property instructions: %s has none", a.action())
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeOperationUnoffered, "the next charge of anything but online services and software is to change, or its product or term", func(u *updateCheck) (string, string) {
		if u.charged == nil {
			return "", ""
		}
		p := u.charged.Product
		return require(u.schedules() && isOffer(p, u.Document.OfferID) && ascii.EqualFold(p.TermDuration, u.Document.TermDuration), "Send quantity or billingCycle in nextChargeInstructions, and others in scheduledNextTermInstructions", "This operation is not supported: the next charge of %s cannot be for another product or term", u.Document.ID)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeInvalidProperty, "the next charge is to change of what has none", func(u *updateCheck) (string, string) {
		return require(u.charged == nil || isActive(u.Subscription) && u.status == "" && (u.renewing() || u.nextCharge().Before(u.nextTerm())), "Send autoRenewEnabled true with it", "Invalid property nextChargeInstructions: %s is not charged again", u.Document.ID)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeNextCycleInvalid, "the item is not sold with the next charge's billing cycle", func(u *updateCheck) (string, string) {
		return require(u.charged == nil || u.item != nil && slices.Contains(u.item.BillingCycles, u.charged.Product.BillingCycle), "Send a billing cycle that the item is sold with, or leave it out", "The billing cycle of the next charge is not valid for %s", u.Document.OfferID)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeNextCycleTooLong, "the term is shorter than the next charge's billing cycle", func(u *updateCheck) (string, string) {
		return require(u.charged == nil || catalog.Billable(u.Document.TermDuration, u.charged.Product.BillingCycle), "Send a shorter billing cycle, or leave it out", "The billing cycle of the next charge is longer than the term %s", u.Document.TermDuration)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeQuantityOutOfRange, "the next charge's quantity is out of the item's range", func(u *updateCheck) (string, string) {
		if u.charged == nil {
			return "", ""
		}
		return quantityRange(u.item, *u.charged.Quantity)
	}},
	{http.StatusForbidden, partnercenter.ErrorCodeSeatsBeyondLimit, "the sandbox allows fewer seats from the next charge on", func(u *updateCheck) (string, string) {
		if u.charged == nil {
			return "", ""
		}
		return sandboxSeats(u.settings, u.Facts.Kind, u.Document.OfferID, *u.charged.Quantity)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeQuantityNotDecreasable, "seats are to be returned with a charge within the term", func(u *updateCheck) (string, string) {
		return require(u.charged == nil || *u.charged.Quantity >= *u.Document.Quantity || !u.nextCharge().Before(u.nextTerm()), "Send fewer in scheduledNextTermInstructions", "Subscription quantity cannot be decreased before the term of %s ends", u.Document.ID)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeCustomEndMismatch, "a term is to end on a date", func(u *updateCheck) (string, string) {
		at := u.request.CustomTermEndDate
		for _, i := range []*partnercenter.SubscriptionInstructions{u.next(), u.charged} {
			if i != nil && at.Time().IsZero() {
				at = i.CustomTermEndDate
			}
		}
		return require(at.Time().IsZero(), "Leave customTermEndDate out; this server offers no such dates", "The custom term end date %s is none of those that are offered", at)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeOperationUnoffered, "a change of anything but online services and software is scheduled, or one to another product", func(u *updateCheck) (string, string) {
		if u.next() == nil {
			return "", ""
		}
		if !u.schedules() {
			return violation(nextLeaveOut, "This operation is not supported: changes of %s cannot be scheduled", u.Document.OfferID)
		}
		p := u.next().Product
		id := p.ProductID + ":" + p.SKUID + ":" + p.AvailabilityID
		return require(isOffer(p, u.Document.OfferID), "Schedule a change of quantity, term or billing cycle; order the other product", "This operation is not supported: %s cannot become %s with its next term", u.Document.OfferID, quote.Text(id))
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodePromotionInvalid, "a promotion is named", func(u *updateCheck) (string, string) {
		named := differs(u.request.PromotionID, u.Document.PromotionID) || u.next() != nil && u.next().Product.PromotionID != "" || u.charged != nil && u.charged.Product.PromotionID != ""
		return require(!named, "Leave promotionId out; the catalog has no promotions", "Invalid promotion code for %s", u.Document.OfferID)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeInvalidProperty, "a change is scheduled of what does not renew", func(u *updateCheck) (string, string) {
		return require(u.next() == nil || u.renewing() && isActive(u.Subscription) && u.status == "", "Send autoRenewEnabled true with it", "Invalid property scheduledNextTermInstructions: %s does not renew", u.Document.ID)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeNextTermInvalid, "the next term is one that the item is not sold for", func(u *updateCheck) (string, string) {
		return require(u.next() == nil || u.sold(u.next().Product.TermDuration), u.nextTerms(), "The term of the scheduled change is not valid for %s: %s", u.Document.OfferID, u.scheduledTerm())
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeNextCycleInvalid, "the item is not sold with the next term's billing cycle", func(u *updateCheck) (string, string) {
		return require(u.next() == nil || slices.Contains(u.item.BillingCycles, u.next().Product.BillingCycle), "Send a billing cycle that the item is sold with, or leave it out", "The billing cycle of the scheduled change is not valid for %s", u.Document.OfferID)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeNextCycleTooLong, "the next term is shorter than its billing cycle", func(u *updateCheck) (string, string) {
		return require(u.next() == nil || catalog.Billable(u.next().Product.TermDuration, u.next().Product.BillingCycle), "Send a longer term, or a shorter billing cycle", "The billing cycle of the scheduled change is longer than the term %s", u.scheduledTerm())
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeQuantityOutOfRange, "the next term's quantity is out of the item's range", func(u *updateCheck) (string, string) {
		if u.next() == nil {
			return "", ""
		}
		return quantityRange(u.item, *u.next().Quantity)
	}},
	{http.StatusForbidden, partnercenter.ErrorCodeSeatsBeyondLimit, "the sandbox allows fewer seats in the next term", func(u *updateCheck) (string, string) {
		if u.next() == nil {
			return "", ""
		}
		return sandboxSeats(u.settings, u.Facts.Kind, u.Document.OfferID, *u.next().Quantity)
	}},
}

// next returns the instructions that are to be scheduled for the next term.
func (u *updateCheck) next() *partnercenter.SubscriptionInstructions { return u.planned.instructions }

// asked returns the action that the request schedules, nil without one.
func (u *updateCheck) asked() *askedAction {
	if len(u.request.ScheduledActions) == 0 {
		return nil
	}
	return (*askedAction)(&u.request.ScheduledActions[0])
}

// askedAction is an action of a request. The types of none are empty.
type askedAction partnercenter.ScheduledAction

func (a *askedAction) schedule() partnercenter.ScheduleType {
	if a == nil {
		return ""
	}
	return a.ScheduleType.Normalize()
}

func (a *askedAction) action() partnercenter.ScheduledActionType {
	if a == nil {
		return ""
	}
	return a.ActionType.Normalize()
}

// isOffer reports whether a product is that of an offer id.
func isOffer(p *partnercenter.InstructedProduct, id string) bool {
	return ascii.EqualFold(p.ProductID+":"+p.SKUID+":"+p.AvailabilityID, id)
}

// scheduling determines what the request intends to schedule. Beside an action,
// scheduledNextTermInstructions mean nothing.
func (u *updateCheck) scheduling() {
	is := u.plan()
	term, cycle := u.renewsAs()
	asked := schedule{"", u.request.ScheduledNextTermInstructions}
	if a := u.asked(); a != nil {
		asked = schedule{a.action(), a.Instructions}
	}
	asked.instructions = u.readBefore(u.instructions(asked.instructions, term, cycle))
	switch {
	case asked.action != is.action || !sameInstructions(asked.instructions, is.instructions):
		u.planned, u.reschedules = asked, true
	case is.instructions != nil && (u.quantity != nil || !u.renewing()):
		u.reschedules = true // a change at once, and one of the renewal, remove what is there
	}
	charged, was := u.readBefore(u.instructions(u.request.NextChargeInstructions, u.Document.TermDuration, u.Document.BillingCycle)), u.Document.NextChargeInstructions
	switch {
	case charged == nil && u.status == partnercenter.SubscriptionStatusSuspended: // it outlasts this
	case !sameInstructions(charged, was):
		u.charged, u.recharges = charged, true
	case was != nil && u.quantity != nil:
		u.recharges = true
	}
}

// readBefore returns instructions as they are meant: read with the subscription before
// its order changed the billing cycle, they have that one.
func (u *updateCheck) readBefore(i *partnercenter.SubscriptionInstructions) *partnercenter.SubscriptionInstructions {
	if before := u.request.BillingCycle.Normalize(); i != nil && u.earlierCycle(before) && i.Product.BillingCycle == before {
		i.Product.BillingCycle = u.Document.BillingCycle
	}
	return i
}

// nextCharge returns when the next charge is due.
func (u *updateCheck) nextCharge() time.Time {
	return u.Document.BillingCycleEndDate.Time().AddDate(0, 0, 1)
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
	if u.next() == nil {
		return ""
	}
	return quote.Text(u.next().Product.TermDuration)
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
