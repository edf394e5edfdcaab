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
	case catalog.AzurePlan, catalog.SavingsPlan, catalog.Marketplace:
		id = "Azure"
	default:
		return nil
	}
	return &partnercenter.ItemType{ID: id, DisplayName: id}
}

// describe sets the members of new commerce that follow from others.
func (s *Subscription) describe(view *partnercenter.Subscription) {
	describeLines(view)
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

// schedule is what happens at the end of a term, or on a date: an action, instructions for
// the next one, or an action with instructions.
type schedule struct {
	action       partnercenter.ScheduledActionType // empty: instructions have a member of their own
	instructions *partnercenter.SubscriptionInstructions
	at           time.Time                   // of the action; zero for the end of the term
	becomes      *partnercenter.Subscription // what another item has, see ofItem; nil for none
}

// plan returns what is scheduled.
func (s *Subscription) plan() schedule {
	if list := s.Document.ScheduledActions; len(list) > 0 {
		return schedule{list[0].ActionType, list[0].Instructions, s.Facts.ActionAt, s.Facts.Becomes}
	}
	return schedule{instructions: s.Document.ScheduledNextTermInstructions, becomes: s.Facts.Becomes}
}

// setPlan schedules something, or nothing if p is empty.
func (s *Subscription) setPlan(p schedule) {
	d := &s.Document
	d.ScheduledNextTermInstructions, d.ScheduledActions = nil, nil
	s.Facts.ActionAt, s.Facts.Becomes = p.at, p.becomes
	if p.action == "" {
		d.ScheduledNextTermInstructions = p.instructions
		return
	}
	action := partnercenter.ScheduledAction{ScheduleType: partnercenter.ScheduleTypeTermEnd, ActionType: p.action, Instructions: p.instructions}
	if !p.at.IsZero() {
		action.ScheduleType, action.EffectiveDate = partnercenter.ScheduleTypeCustomDate, firstInstant(p.at)
	}
	d.ScheduledActions = partnercenter.ScheduledActions{action}
}

// unschedule removes what is scheduled to be changed, as a change at once does. Whether
// the subscription then renews or ends stays.
func (s *Subscription) unschedule() {
	if s.plan().instructions != nil {
		s.setPlan(schedule{})
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
	if sent == nil || sent.Quantity == nil && sent.Product == nil && sent.CustomTermEndDate.Time().IsZero() {
		return nil
	}
	i, d := *sent, &s.Document
	i.Extra = nil
	if i.CustomTermEndDate.Time().IsZero() {
		i.CustomTermEndDate = partnercenter.Time{} // clients send the year 1 for none
	}
	p := partnercenter.InstructedProduct{}
	if sent.Product != nil {
		p = *sent.Product
		p.Extra = nil
	}
	own := strings.Split(d.OfferID+"::", ":")
	for at, part := range []*string{&p.ProductID, &p.SKUID, &p.AvailabilityID} {
		if *part == "" {
			*part = own[at]
		} else if !ascii.EqualFold(*part, own[at]) {
			break // of another item, the rest is looked up
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

const (
	nextSchedule      = "Send scheduledNextTermInstructions, or order again"
	nextReadScheduled = "Read GET .../transitioneligibilities?eligibilityType=scheduled for what is possible"
)

// actionRules apply to the action that a request schedules.
var actionRules = []rule[*updateCheck]{
	{http.StatusBadRequest, partnercenter.ErrorCodeInvalidProperty, "renewalTermDuration is not the term of the instructions beside it", func(u *updateCheck) (string, string) {
		asked, i := text(u.request.RenewalTermDuration), u.next()
		return require(!u.renewsToTerm() || i == nil || ascii.EqualFold(i.Product.TermDuration, ascii.TrimSpace(asked)), "Send one of the two", "Invalid property renewalTermDuration: %s is not the term of the scheduled change, %s", quote.Text(asked), u.scheduledTerm())
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeInvalidProperty, "several actions are scheduled", func(u *updateCheck) (string, string) {
		return require(len(u.request.ScheduledActions) <= 1, "Send the one that is to happen", "Invalid property scheduledActions: %d are to happen at the end of a term, and one can", len(u.request.ScheduledActions))
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeEnumUnparsable, "the type of a scheduled action or of its schedule is unknown text", func(u *updateCheck) (string, string) {
		a := u.asked()
		return require(a == nil || a.ScheduleType.Known() && a.ActionType.Known(), "Send scheduleType TermEnd or CustomDate, and actionType Cancel, RenewToNewTerm, RenewToExtendedServiceTerm or Transition", "Unable to parse enum: scheduleType %s, actionType %s", quote.Text(string(a.schedule())), quote.Text(string(a.action())))
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeOperationUnoffered, "an extended service term is to begin on a date", func(u *updateCheck) (string, string) {
		a := u.asked()
		return require(a.schedule() != partnercenter.ScheduleTypeCustomDate || a.action() != partnercenter.ScheduledActionTypeRenewExtended, "Send scheduleType TermEnd with it", "This operation is not supported: an extended service term begins when a term ends")
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeInvalidProperty, "the date of an action is missing, over, or not within the term", func(u *updateCheck) (string, string) {
		at := u.planned.at
		if u.planned.action == "" || u.asked().schedule() != partnercenter.ScheduleTypeCustomDate {
			return "", "" // sent back as it is scheduled
		}
		last := u.Document.CommitmentEndDate.Time()
		return require(at.After(u.now) && !at.After(last), "Send an effectiveDate from tomorrow on and up to the last day of the term, or scheduleType TermEnd", "Invalid property effectiveDate: %s is not a later day of the term of %s, which ends on %s", quote.Text(u.asked().EffectiveDate.String()), u.Document.ID, last.Format(time.DateOnly))
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeInvalidProperty, "an action's effectiveDate is not the end of the term", func(u *updateCheck) (string, string) {
		a := u.asked()
		if a.schedule() != partnercenter.ScheduleTypeTermEnd || a.EffectiveDate.Time().IsZero() {
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
	{http.StatusBadRequest, partnercenter.ErrorCodeInvalidProperty, "a renewal is scheduled without autoRenewEnabled, an end with it, or any action for what is not active", func(u *updateCheck) (string, string) {
		a := u.asked()
		if a == nil {
			return "", ""
		}
		renew := a.action() == partnercenter.ScheduledActionTypeRenew
		return require((renew == u.renewing() || a.action() == partnercenter.ScheduledActionTypeTransition) && isActive(u.Subscription) && u.status == "", "Send autoRenewEnabled true with RenewToNewTerm, and false with another action, of an active subscription", "Invalid property scheduledActions: %s is %s, with autoRenewEnabled %t", u.Document.ID, u.Document.Status, u.renewing())
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeInvalidProperty, "an end has instructions", func(u *updateCheck) (string, string) {
		a := u.asked()
		return require(a == nil || u.next() == nil || a.begins(), "Leave them out", "Invalid property instructions: %s has none", a.action())
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeInvalidProperty, "a transition names no other item", func(u *updateCheck) (string, string) {
		return require(u.planned.action != partnercenter.ScheduledActionTypeTransition || u.next() != nil && !isOffer(u.next().Product, u.Document.OfferID), nextReadScheduled, "Invalid property instructions: a transition of %s needs another product", u.Document.ID)
	}},
}

// instructionRules apply to what a request asks of the terms and charges after this one.
var instructionRules = []rule[*updateCheck]{
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
		fewer := u.charges() != nil && *u.charges().Quantity < *u.Document.Quantity
		return require(!fewer || u.endsWithCharge(), "Send fewer in scheduledNextTermInstructions", "Subscription quantity cannot be decreased before the term of %s ends", u.Document.ID)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeCustomEndMismatch, "the present term is to end on another date, at once or with the next charge", func(u *updateCheck) (string, string) {
		at := u.request.CustomTermEndDate
		if at.Time().IsZero() || at.Equal(u.Document.CustomTermEndDate) {
			at = partnercenter.Time{}
		}
		if u.charged != nil && at.IsZero() {
			at = u.charged.CustomTermEndDate
		}
		return require(at.IsZero(), nextSchedule, "The custom term end date %s does not match the term of %s, which ends on %s", at, u.Document.ID, u.Document.CommitmentEndDate)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeOperationUnoffered, "a change of anything but online services and software is scheduled", func(u *updateCheck) (string, string) {
		return require(u.next() == nil || u.schedules(), nextLeaveOut, "This operation is not supported: changes of %s cannot be scheduled", u.Document.OfferID)
	}},
	{http.StatusForbidden, partnercenter.ErrorCodeItemNotEligible, "it cannot become the scheduled item", func(u *updateCheck) (string, string) {
		if u.next() == nil || isOffer(u.next().Product, u.Document.OfferID) {
			return "", ""
		}
		p := u.next().Product
		return require(u.target != nil && u.target.Purchasable && !u.target.Retired, nextReadScheduled, "The catalog item is not eligible for purchase: %s cannot become %s", u.Document.OfferID, quote.Text(p.ProductID+":"+p.SKUID+":"+p.AvailabilityID))
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeAttestationMissing, "the scheduled item needs an attestation", func(u *updateCheck) (string, string) {
		return require(u.target == nil || !u.target.NeedsAttestation, "Send attestationAccepted with POST .../transitions", "The attestation for %s is missing, and a scheduled change has none", u.Document.ID)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeOperationUnoffered, "another item is scheduled for what has add-ons", func(u *updateCheck) (string, string) {
		return require(u.target == nil || !u.reschedules || u.account.addOnsOf(u.Subscription) == 0, "Cancel its add-ons first", "This operation is not supported: subscription %s has add-ons", u.Document.ID)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeChangedTooOften, "another item is scheduled after 100 transitions", func(u *updateCheck) (string, string) {
		return require(u.target == nil || len(u.Facts.Transitions) < maxTransitions, "Order the other item instead", "Subscription %s was changed too often: it has had %d transitions", u.Document.ID, maxTransitions)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodePromotionInvalid, "a promotion is named that does not apply, or for anything but a term", func(u *updateCheck) (string, string) {
		problem := u.promotionRefused()
		return require(problem == "", "Leave promotionId out, or ask POST .../promotioneligibilities what applies", "Invalid promotion code for %s: %s", u.Document.OfferID, problem)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeInvalidProperty, "a change is scheduled of what does not renew", func(u *updateCheck) (string, string) {
		return require(u.next() == nil || (u.renewing() || u.asked().action() == partnercenter.ScheduledActionTypeTransition) && isActive(u.Subscription) && u.status == "", "Send autoRenewEnabled true with it", "Invalid property scheduledNextTermInstructions: %s does not renew", u.Document.ID)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeNextTermInvalid, "the next term is one that the item is not sold for", func(u *updateCheck) (string, string) {
		return require(u.next() == nil || sold(u.nextItem(), u.next().Product.TermDuration), u.nextTerms(), "The term of the scheduled change is not valid for %s: %s", u.Document.OfferID, u.scheduledTerm())
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeNextCycleInvalid, "the item is not sold with the next term's billing cycle", func(u *updateCheck) (string, string) {
		return require(u.next() == nil || slices.Contains(u.nextItem().BillingCycles, u.next().Product.BillingCycle), "Send a billing cycle that the item is sold with, or leave it out", "The billing cycle of the scheduled change is not valid for %s", u.Document.OfferID)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeNextCycleTooLong, "the next term is shorter than its billing cycle", func(u *updateCheck) (string, string) {
		return require(u.next() == nil || catalog.Billable(u.next().Product.TermDuration, u.next().Product.BillingCycle), "Send a longer term, or a shorter billing cycle", "The billing cycle of the scheduled change is longer than the term %s", u.scheduledTerm())
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeQuantityOutOfRange, "the next term's quantity is out of the item's range", func(u *updateCheck) (string, string) {
		if u.next() == nil {
			return "", ""
		}
		return quantityRange(u.nextItem(), *u.next().Quantity)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeTermShorter, "the next term is shorter than the present one", func(u *updateCheck) (string, string) {
		if u.next() == nil {
			return "", ""
		}
		is, months := u.Document.TermDuration, u.termMonths()
		if u.term != "" {
			is, months = u.term, catalog.TermMonths(u.term)
		}
		shorter := catalog.TermMonths(u.next().Product.TermDuration) < months
		return require(isTrue(u.Document.IsTrial) || !shorter, "Send a term that is at least as long, or end this one and order the other when it is over", "The term %s is shorter than the current one, %s", u.scheduledTerm(), is)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeQuantityNotDecreasable, "a term that begins on a date has fewer seats", func(u *updateCheck) (string, string) {
		return require(u.next() == nil || u.planned.at.IsZero() || *u.next().Quantity >= *u.Document.Quantity, "Send as many seats, or scheduleType TermEnd", "Subscription quantity cannot be decreased before the term of %s ends", u.Document.ID)
	}},
	{http.StatusForbidden, partnercenter.ErrorCodeSeatsBeyondLimit, "the sandbox allows fewer seats in the next term", func(u *updateCheck) (string, string) {
		if u.next() == nil {
			return "", ""
		}
		return sandboxSeats(u.settings, u.Facts.Kind, u.Document.OfferID, *u.next().Quantity)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeCustomEndNotOffered, "the next term of something else than an online service is to end on another date", func(u *updateCheck) (string, string) {
		return require(u.nextEnd().IsZero() || u.Facts.Kind == catalog.OnlineService, nextLeaveOut, "A custom term end date is for products of type OnlineServicesNCE only, and %s is none", u.Document.OfferID)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeCustomEndMismatch, "the next term is to end on a date that is not offered", func(u *updateCheck) (string, string) {
		if u.nextEnd().IsZero() {
			return "", ""
		}
		day, first := customEndDay(u.nextEnd()), u.nextTerm()
		offered := within(day, first, catalog.TermMonths(u.next().Product.TermDuration)) && (endsOnMonth(day) || u.account.endsWithOther(day, u.now))
		return require(offered, nextReadEnds+" with TermStartDate="+first.Format(time.DateOnly), "The custom term end date %s matches none that is offered for a term from %s on", u.nextEnd(), first.Format(time.DateOnly))
	}},
}

// nextEnd returns the date on which the next term is to end early, the zero one without.
func (u *updateCheck) nextEnd() partnercenter.Time {
	if u.next() == nil {
		return partnercenter.Time{}
	}
	return u.next().CustomTermEndDate
}

// next returns the instructions that are to be scheduled for the next term.
func (u *updateCheck) next() *partnercenter.SubscriptionInstructions { return u.planned.instructions }

// sent returns the action of the request, nil without one.
func (u *updateCheck) sent() *askedAction {
	if len(u.request.ScheduledActions) == 0 {
		return nil
	}
	return (*askedAction)(&u.request.ScheduledActions[0])
}

// asked returns the action that the request schedules, nil without one. What is sent back
// with a suspension or an end, which remove it, is not asked for.
func (u *updateCheck) asked() *askedAction {
	stops := u.status == partnercenter.SubscriptionStatusSuspended || u.status == partnercenter.SubscriptionStatusDeleted
	if stops && !u.reschedules {
		return nil
	}
	return u.sent()
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

// begins reports whether the action begins a term that instructions can be about.
func (a *askedAction) begins() bool {
	return a.action() == partnercenter.ScheduledActionTypeRenew || a.action() == partnercenter.ScheduledActionTypeTransition
}

// isOffer reports whether a product is that of an offer id.
func isOffer(p *partnercenter.InstructedProduct, id string) bool {
	return ascii.EqualFold(p.ProductID+":"+p.SKUID+":"+p.AvailabilityID, id)
}

// renewsToTerm reports whether the request names the next term by renewalTermDuration.
func (u *updateCheck) renewsToTerm() bool {
	return differs(text(u.request.RenewalTermDuration), text(u.Document.RenewalTermDuration))
}

// scheduling determines what the request intends to schedule. Beside an action,
// scheduledNextTermInstructions mean nothing.
func (u *updateCheck) scheduling() {
	is := u.plan()
	term, cycle := u.renewsAs()
	if u.term != "" {
		term, cycle = u.term, u.cycle
	}
	asked := schedule{instructions: u.request.ScheduledNextTermInstructions}
	if a := u.sent(); a != nil {
		asked = schedule{action: a.action(), instructions: a.Instructions}
		if a.schedule() == partnercenter.ScheduleTypeCustomDate {
			asked.at = a.EffectiveDate.Time().UTC().Truncate(24 * time.Hour)
		}
	}
	asked.instructions = u.readBefore(u.instructions(asked.instructions, term, cycle))
	if asked.instructions == nil && u.renewsToTerm() {
		asked.instructions = u.instructions(&partnercenter.SubscriptionInstructions{Product: &partnercenter.InstructedProduct{TermDuration: ascii.TrimSpace(*u.request.RenewalTermDuration)}}, term, cycle)
	}
	u.target = u.aim(asked.instructions)
	switch {
	case asked.action != is.action || !asked.at.Equal(is.at) || !sameInstructions(asked.instructions, is.instructions):
		u.planned, u.reschedules = asked, true
	case is.instructions != nil && (u.quantity != nil || u.term != "" || !u.renewing() && is.action != partnercenter.ScheduledActionTypeTransition):
		u.target, u.reschedules = nil, true // a change at once, and one of the renewal, remove what is there
	case is.instructions == nil && u.term != "" && is.action != "":
		u.planned, u.reschedules = asked, true // what happens at the end of a term happens at that of the new one
	default:
		u.target = nil
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

// charges returns the instructions for the next charge that are there after the change, nil
// for none, and if neither they nor the terms change.
func (u *updateCheck) charges() *partnercenter.SubscriptionInstructions {
	switch {
	case u.recharges:
		return u.charged
	case u.reschedules && u.term == "":
		return u.Document.NextChargeInstructions
	}
	return nil
}

// endsWithCharge reports whether the term that is running before the next charge ends with
// it: the present one, the one that begins at once, or the one that begins on a date before.
func (u *updateCheck) endsWithCharge() bool {
	p := u.plan()
	if u.reschedules {
		p = u.planned
	}
	switch {
	case !p.at.IsZero() && p.action != partnercenter.ScheduledActionTypeCancel:
		return false
	case u.term != "":
		return catalog.CycleMonths(u.cycle) == catalog.TermMonths(u.term)
	}
	return !u.nextCharge().Before(u.nextTerm())
}

// renewing reports whether the subscription renews after the change.
func (u *updateCheck) renewing() bool {
	if u.autoRenew != nil {
		return *u.autoRenew
	}
	return isTrue(u.Document.AutoRenewEnabled)
}

func (u *updateCheck) scheduledTerm() string {
	if u.next() == nil {
		return ""
	}
	return quote.Text(u.next().Product.TermDuration)
}

func (u *updateCheck) nextTerms() string {
	if u.nextItem() == nil {
		return nextLeaveOut
	}
	return "Send one of its terms: " + strings.Join(u.nextItem().Terms, ", ")
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
