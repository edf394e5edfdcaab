package lifecycle

import (
	"maps"
	"net/http"
	"slices"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/quote"
)

// keptLine is a line of a request to change an order, with the stored line that it
// refers to.
type keptLine struct {
	number       int
	asked, is    *partnercenter.OrderLineItem
	subscription *Subscription // nil when the line has none
}

// keepsOrder refuses what a request without a change of the order asks for without effect. In a
// request with one, clients also send what they do not intend to change.
func (p *patchCheck) keepsOrder(known []int) error {
	if err := check(keptRules, p); err != nil {
		return err
	}
	for i, at := range known {
		line := &keptLine{i, &p.request.LineItems[i], &p.Document.LineItems[at], p.subscriptionOf(at)}
		if err := check(keptLineRules, line); err != nil {
			return err
		}
	}
	return nil
}

// keptRules apply to orders of which nothing else changes.
var keptRules = []rule[*patchCheck]{
	{http.StatusBadRequest, partnercenter.ErrorCodeEnumUnparsable, "the status is to be another one than cancelled", func(p *patchCheck) (string, string) {
		asked := p.request.Status.Normalize()
		return require(asked == "" || asked == partnercenter.OrderStatusUnknown || asked == p.Document.Status.Normalize() || p.isEcho(), "Send cancelled to cancel, or leave the status out", "Unable to parse enum: status %s", quote.Text(string(asked)))
	}},
	currencyKept,
	{http.StatusBadRequest, partnercenter.ErrorCodeInvalidProperty, "the attestation is to change", func(p *patchCheck) (string, string) {
		if isTrue(p.request.PartnerOnRecordAttestationAccepted) && !isTrue(p.Document.PartnerOnRecordAttestationAccepted) {
			return p.kept("partnerOnRecordAttestationAccepted", "true")
		}
		return "", ""
	}},
}

// currencyRules apply to orders that get an add-on, which may bring its attestation.
var currencyRules = []rule[*patchCheck]{currencyKept}

var currencyKept = rule[*patchCheck]{http.StatusBadRequest, partnercenter.ErrorCodeInvalidProperty, "the currency is to change", func(p *patchCheck) (string, string) {
	if differs(p.request.CurrencyCode, p.Document.CurrencyCode) {
		return p.kept("currencyCode", p.request.CurrencyCode)
	}
	return "", ""
}}

// kept words that a member of the order cannot change.
func (p *patchCheck) kept(member, value string) (string, string) {
	return violation(nextLeaveOut, "Invalid property %s: that of order %s cannot become %s", member, p.Document.ID, quote.Text(value))
}

// keptLineRules apply to the lines of such orders.
var keptLineRules = []rule[*keptLine]{
	{http.StatusBadRequest, partnercenter.ErrorCodeInvalidProperty, "the quantity or friendly name of a line is to change", func(l *keptLine) (string, string) {
		next := "Use PATCH /customers/{customer-id}/subscriptions/{subscription-id}"
		if l.subscription == nil {
			next = "Place another order for more; cancel the line and order again for anything else"
		}
		switch n := l.asked.Quantity; {
		case n != nil && *n != 0 && *n != quantity(l.is):
			return violation(next, "Invalid property quantity: that of line %d, %s, cannot change from %d to %d through the order", l.number, quote.Text(l.is.OfferID), quantity(l.is), *n)
		case l.asked.FriendlyName != "" && l.asked.FriendlyName != l.is.FriendlyName:
			return violation(next, "Invalid property friendlyName: that of line %d, %s, cannot change through the order", l.number, quote.Text(l.is.OfferID))
		}
		return "", ""
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeInvalidProperty, "a term, partner, promotion or other condition of a line is to change", func(l *keptLine) (string, string) {
		member := l.otherMember()
		return require(member == "", nextLeaveOut, "Invalid property %s: that of line %d, %s, was agreed with the purchase and cannot change", member, l.number, quote.Text(l.is.OfferID))
	}},
}

// otherMember returns the first other member of the line that is to change, or "".
func (l *keptLine) otherMember() string {
	asked, is := l.asked, l.is
	parent := is.ParentSubscriptionID
	if l.subscription != nil {
		parent = l.subscription.Document.ParentSubscriptionID
	}
	for _, member := range []struct {
		name    string
		changes bool
	}{
		{"termDuration", asked.TermDuration != nil && (is.TermDuration == nil && *asked.TermDuration != "" || is.TermDuration != nil && differs(*asked.TermDuration, *is.TermDuration))},
		{"renewsTo", asked.RenewsTo != nil && (is.RenewsTo == nil && asked.RenewsTo.TermDuration != "" || is.RenewsTo != nil && differs(asked.RenewsTo.TermDuration, is.RenewsTo.TermDuration))},
		{"parentSubscriptionId", differs(asked.ParentSubscriptionID, parent)},
		{"partnerIdOnRecord", differs(asked.PartnerIDOnRecord, is.PartnerIDOnRecord)},
		{"additionalPartnerIdsOnRecord", len(asked.AdditionalPartnerIDsOnRecord) > 0 && !slices.Equal(asked.AdditionalPartnerIDsOnRecord, is.AdditionalPartnerIDsOnRecord)},
		{"provisioningContext", len(asked.ProvisioningContext) > 0 && !maps.Equal(camelCase(asked.ProvisioningContext), camelCase(is.ProvisioningContext))},
		{"promotionId", differs(asked.PromotionID, is.PromotionID)},
		{"customTermEndDate", !asked.CustomTermEndDate.Time().IsZero() && asked.CustomTermEndDate.Time().Unix() != is.CustomTermEndDate.Time().Unix()},
		{"attestationAccepted", isTrue(asked.AttestationAccepted) && !isTrue(is.AttestationAccepted)},
		{"purchaseCommitment", asked.PurchaseCommitment != nil && is.PurchaseCommitment == nil},
	} {
		if member.changes {
			return member.name
		}
	}
	return ""
}

// differs reports whether a text is asked for that is not there yet. An empty one is
// the value of a member that the client did not set.
func differs(asked, is string) bool {
	asked = ascii.TrimSpace(asked)
	return asked != "" && !ascii.EqualFold(asked, is)
}

func isTrue(b *bool) bool { return b != nil && *b }

// camelCase returns variables with their names as answers have them.
func camelCase(variables map[string]string) map[string]string {
	named := make(map[string]string, len(variables))
	for name, value := range variables {
		named[lowerFirst(name)] = value
	}
	return named
}
