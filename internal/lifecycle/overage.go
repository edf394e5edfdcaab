package lifecycle

import (
	"net/http"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/catalog"
	"github.com/partnercenter-go/partnercenter/internal/quote"
)

// overageCheck is an overage to turn on or off, as the rules check it.
type overageCheck struct {
	request *partnercenter.Overage
	account *Account
	plan    *Subscription // that has the Azure subscription; nil if the customer has none
}

// overageRules apply to turning overage on or off.
var overageRules = []rule[*overageCheck]{
	{http.StatusBadRequest, partnercenter.ErrorCodeEnumUnparsable, "the type is not PhoneServices", func(c *overageCheck) (string, string) {
		return require(c.request.Type.Known(), "Send PhoneServices", "Unable to parse enum: type %s", quote.Text(string(c.request.Type)))
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeInvalidProperty, "it is said neither to be on nor off", func(c *overageCheck) (string, string) {
		return require(c.request.OverageEnabled != nil, "Send true or false", "Invalid property overageEnabled: there is none")
	}},
	{http.StatusForbidden, partnercenter.ErrorCodeOverageNotEligible, "the Azure subscription is not one of an active Azure plan of the customer", func(c *overageCheck) (string, string) {
		ok := c.plan != nil && c.plan.Facts.Kind == catalog.AzurePlan && isActive(c.plan)
		return require(ok, "Send the id of one, from GET .../azureentitlements of the customer's Azure plan", "The customer is not eligible for overage with the Azure subscription %s", quote.Text(c.request.AzureEntitlementID))
	}},
	{http.StatusForbidden, partnercenter.ErrorCodeOverageElsewhere, "it is another partner's", func(c *overageCheck) (string, string) {
		asked := ascii.TrimSpace(c.request.PartnerID)
		return require(asked == "" || asked == c.account.MPNID, "Send "+c.account.MPNID+", or leave it out", "The overage is held by another tenant: partner %s", quote.Text(asked))
	}},
}

// OveragePlan returns the id of the customer's subscription that has an Azure
// subscription, of those in the account; empty if none has.
func OveragePlan(account *Account, entitlementID string) string {
	for _, s := range account.each() {
		if s.Document.EntitlementID != "" && ascii.EqualFold(s.Document.EntitlementID, ascii.TrimSpace(entitlementID)) {
			return s.Document.ID
		}
	}
	return ""
}

// SetOverage decides about turning overage on or off, for one of an order's Azure plans.
// Without an order, the customer has no such plan.
func SetOverage(account *Account, o *Order, id string, request *partnercenter.Overage) (*Order, []Event, error) {
	c := &overageCheck{request: request, account: account}
	var next *Order
	if o != nil {
		next, c.plan = o.cloneWith(id)
	}
	if err := check(overageRules, c); err != nil {
		return nil, nil, err
	}
	if is := c.plan.Facts.Overage; is != nil && *is == *request.OverageEnabled {
		return o, nil, nil
	}
	c.plan.Facts.Overage = new(*request.OverageEnabled)
	next.Changed = append(next.Changed, c.plan)
	return next, []Event{{Kind: "overage set", SubscriptionID: c.plan.Document.ID, LineItemNumber: c.plan.Facts.LineItemNumber}}, nil
}

// Overage returns the overage that was set for a subscription of the account's customer,
// nil if none was.
func (s *Subscription) Overage(account *Account) *partnercenter.Overage {
	if s.Facts.Overage == nil {
		return nil
	}
	return &partnercenter.Overage{
		AzureEntitlementID: s.Document.EntitlementID, PartnerID: account.MPNID, Type: partnercenter.OverageTypePhoneServices, OverageEnabled: s.Facts.Overage,
		Links:      &partnercenter.OverageLinks{Overage: partnercenter.NewLink("GET", "/customers/"+account.CustomerID+"/subscriptions/overage")},
		Attributes: &partnercenter.ResourceAttributes{ObjectType: partnercenter.ObjectTypeOverage},
	}
}
