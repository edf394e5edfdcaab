package lifecycle

import (
	"net/http"
	"slices"
	"time"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/catalog"
	"github.com/partnercenter-go/partnercenter/internal/guid"
	"github.com/partnercenter-go/partnercenter/internal/quote"
)

// changesTerm reports whether the request asks for another term, at once.
func (u *updateCheck) changesTerm() bool {
	return differs(u.request.TermDuration, u.Document.TermDuration)
}

const nextOrderShorter = "Send a longer term, or end this one and order the other when it is over"

// termRules apply to another term that is to begin at once.
var termRules = []rule[*updateCheck]{
	{http.StatusBadRequest, partnercenter.ErrorCodeNoTermForTrial, "the term of a trial is to change", func(u *updateCheck) (string, string) {
		return require(u.term == "" || !isTrue(u.Document.IsTrial), nextLeaveOut, "The term of a trial cannot change: %s", u.Document.OfferID)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeTermInvalid, "the term is to become one that the item is not sold for", func(u *updateCheck) (string, string) {
		return require(u.term == "" || sold(u.item, u.term), nextLeaveOut, "The term %s is not valid for %s", quote.Text(u.request.TermDuration), u.Document.OfferID)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeOperationUnoffered, "the term of anything but an online service is to change at once", func(u *updateCheck) (string, string) {
		return require(u.term == "" || u.Facts.Kind == catalog.OnlineService, nextSchedule, "This operation is not supported: the term of %s is %s until its end", u.Document.ID, u.Document.TermDuration)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeTermDecreased, "the term is to become shorter at once", func(u *updateCheck) (string, string) {
		return require(u.term == "" || catalog.TermMonths(u.term) > u.termMonths(), nextOrderShorter, "The term %s is shorter than the current one, %s", u.term, u.Document.TermDuration)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeSuspendedNoUpdate, "the term is to change of what is not active, or together with the status", func(u *updateCheck) (string, string) {
		return require(u.term == "" || isActive(u.Subscription) && u.status == "", "Change the term of an active subscription, and nothing of its status", "Cannot update the term of subscription %s, which is %s", u.Document.ID, u.Document.Status)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeNextCycleInvalid, "the item is not sold with the new term's billing cycle, or that is longer than the term", func(u *updateCheck) (string, string) {
		return require(u.term == "" || slices.Contains(u.item.BillingCycles, u.cycle) && catalog.Billable(u.term, u.cycle), "Send a billing cycle that the item is sold with for the term, or leave it out", "The billing cycle %s is not valid for %s with the term %s", quote.Text(string(u.cycle)), u.Document.OfferID, u.term)
	}},
}

// changeTerm begins another term on the day of the change. It removes what is scheduled.
func (u *updateCheck) changeTerm() {
	d := &u.Document
	d.TermDuration, d.BillingCycle, u.Facts.Extended = u.term, u.cycle, nil
	line := partnercenter.OrderLineItem{Quantity: d.Quantity, TermDuration: &u.term, PromotionID: u.promotionAtOnce()}
	d.PromotionID = ""
	if p, _ := promotion(u.account, u.item, &line, u.cycle, u.now); p != nil {
		d.PromotionID = p.Resource.ID
	}
	u.setPlan(schedule{})
	d.NextChargeInstructions, u.Facts.NextCharge = nil, time.Time{}
	u.Facts.TermStart = u.now.UTC().Truncate(24 * time.Hour)
	d.CommitmentEndDate, d.CustomTermEndDate = partnercenter.Time{}, partnercenter.Time{}
	u.setEnds(u.now)
	r := u.renewal() // of what was loaded, too: nobody else knows of this term
	r.Began = u.now
	u.noteRenewals(r)
}

// promotionAtOnce returns the promotion that the request names for a term that begins at
// once, empty for none: the one that the subscription has is that of its present term.
func (u *updateCheck) promotionAtOnce() string {
	if u.term == "" || !differs(u.request.PromotionID, u.Document.PromotionID) {
		return ""
	}
	return u.request.PromotionID
}

// promotionRefused returns what is wrong with the promotions that the request names, empty
// for nothing.
func (u *updateCheck) promotionRefused() string {
	if differs(u.request.PromotionID, u.Document.PromotionID) && u.term == "" {
		return "it changes with a term only"
	}
	if u.charged != nil && u.charged.Product.PromotionID != "" {
		return "it changes with a term only"
	}
	why := func(item *catalog.Item, id, term string, cycle partnercenter.BillingCycleType, n *int) (problem string) {
		if id == "" {
			return ""
		}
		if item == nil {
			return "the catalog does not have the item"
		}
		p, problem := promotion(u.account, item, &partnercenter.OrderLineItem{Quantity: n, TermDuration: &term, PromotionID: id}, cycle, u.now)
		if p == nil && problem == "" {
			return "there are none for the item"
		}
		return problem
	}
	n := u.Document.Quantity
	if u.quantity != nil {
		n = u.quantity
	}
	if problem := why(u.item, u.promotionAtOnce(), u.term, u.cycle, n); problem != "" {
		return problem
	}
	if i := u.next(); i != nil {
		return why(u.nextItem(), i.Product.PromotionID, i.Product.TermDuration, i.Product.BillingCycle, i.Quantity)
	}
	return ""
}

// sold reports whether an item is sold for a term.
func sold(item *catalog.Item, term string) bool {
	return item != nil && slices.ContainsFunc(item.Terms, func(t string) bool { return ascii.EqualFold(t, ascii.TrimSpace(term)) })
}

// aim completes the id of the item that instructions name, and finds it if the
// subscription can become it.
func (u *updateCheck) aim(i *partnercenter.SubscriptionInstructions) *catalog.Item {
	if i == nil || u.item == nil || isOffer(i.Product, u.Document.OfferID) {
		return nil
	}
	p := i.Product
	for _, target := range u.account.Catalog.Targets(u.item, u.item.UpgradeTargets) {
		same := ascii.EqualFold(p.ProductID, target.ProductID) && ascii.EqualFold(p.SKUID, target.SKUID)
		if same && (p.AvailabilityID == "" || ascii.EqualFold(p.AvailabilityID, target.AvailabilityID)) && target.Kind == u.Facts.Kind {
			p.ProductID, p.SKUID, p.AvailabilityID = target.ProductID, target.SKUID, target.AvailabilityID
			if p.BillingCycle == partnercenter.BillingCycleTypeNone { // that of a trial
				p.BillingCycle = target.BillingCycles[0]
			}
			return target
		}
	}
	return nil
}

// NamesItem reports whether a change of a subscription may schedule another item, so that
// its rules need all subscriptions of the customer.
func NamesItem(request *partnercenter.Subscription) bool {
	names := func(i *partnercenter.SubscriptionInstructions) bool {
		return i != nil && i.Product != nil && (i.Product.ProductID != "" || i.Product.SKUID != "")
	}
	return names(request.ScheduledNextTermInstructions) || slices.ContainsFunc(request.ScheduledActions, func(a partnercenter.ScheduledAction) bool { return names(a.Instructions) })
}

// nextItem returns the item that is scheduled, nil if the catalog does not have it.
func (u *updateCheck) nextItem() *catalog.Item {
	if u.target != nil {
		return u.target
	}
	return u.item
}

// become makes the subscription one to another item, as was scheduled, and notes the
// transition.
func (s *Subscription) become(of *partnercenter.Subscription, at time.Time) {
	d := &s.Document
	done := partnercenter.Transition{
		OperationID: guid.Derived("transition", d.ID, at.UTC().Format(time.RFC3339)), FromCatalogItemID: d.OfferID, FromSubscriptionID: d.ID,
		ToCatalogItemID: of.OfferID, ToSubscriptionID: d.ID, Quantity: d.Quantity, TransitionType: partnercenter.TransitionTypeOnly,
		TermDuration: d.TermDuration, BillingCycle: d.BillingCycle, PromotionID: d.PromotionID,
		Attributes: &partnercenter.ResourceAttributes{ObjectType: partnercenter.ObjectTypeTransition},
	}
	done.Events = conversionEvents(at, at)
	s.Facts.Transitions = append(slices.Clip(s.Facts.Transitions), done)
	if isTrue(d.IsTrial) && !isTrue(of.IsTrial) {
		d.AutoRenewEnabled, d.RenewalTermDuration = of.AutoRenewEnabled, nil
	}
	s.setItem(of)
}

// became reports whether the subscription was bought as one to another item.
func (s *Subscription) became() bool {
	return slices.ContainsFunc(s.Facts.Transitions, func(t partnercenter.Transition) bool { return ascii.EqualFold(t.ToSubscriptionID, s.Document.ID) })
}
