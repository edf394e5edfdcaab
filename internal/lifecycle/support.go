package lifecycle

import (
	"cmp"
	"net/http"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/guid"
	"github.com/partnercenter-go/partnercenter/internal/quote"
)

// Supporter is who can support a customer: the partner, or one of its indirect resellers.
type Supporter struct{ TenantID, MPNID, Name string }

// maxContactName is the longest name of a support contact, in bytes.
const maxContactName = 500

// contactCheck is a support contact to set, as the rules check it.
type contactCheck struct {
	request *partnercenter.SupportContact
	account *Account
	named   *Supporter // the one with the MPN id, nil if it is no supporter
}

// contactRules apply to setting the support contact of a subscription.
var contactRules = []rule[*contactCheck]{
	{http.StatusBadRequest, partnercenter.ErrorCodeInvalidProperty, "an id or the name is missing", func(c *contactCheck) (string, string) {
		r := c.request
		return require(r.SupportTenantID != "" && r.SupportMPNID != "" && r.Name != "", "Send supportTenantId, supportMpnId and name", "Invalid property: the support contact needs a tenant id, an MPN id and a name")
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeInvalidProperty, "the name is too long", func(c *contactCheck) (string, string) {
		return require(len(c.request.Name) <= maxContactName, "Shorten it", "Invalid property name: it has %d bytes, and the limit is %d", len(c.request.Name), maxContactName)
	}},
	{http.StatusNotFound, partnercenter.ErrorCodeMPNUnknown, "the MPN id is unknown", func(c *contactCheck) (string, string) {
		_, known := c.account.MPN[ascii.TrimSpace(c.request.SupportMPNID)]
		return require(known || c.named != nil, "Send that of one of your indirect resellers, or your own", "MPN ID %s is not found", quote.Text(c.request.SupportMPNID))
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeMPNNotReseller, "the MPN id is neither the partner's nor one of its indirect resellers', or the tenant is another's", func(c *contactCheck) (string, string) {
		ok := c.named != nil && guid.Key(c.named.TenantID) == guid.Key(ascii.TrimSpace(c.request.SupportTenantID))
		return require(ok, "Send tenant id and MPN id of one of your indirect resellers, or your own", "MPN ID %s is not a valid Indirect Reseller with the tenant %s", quote.Text(c.request.SupportMPNID), quote.Text(c.request.SupportTenantID))
	}},
}

// SetSupportContact decides about the support contact of one of an order's subscriptions.
// Supporters are the partner and its indirect resellers.
func SetSupportContact(account *Account, o *Order, id string, request *partnercenter.SupportContact, supporters []Supporter) (*Order, []Event, error) {
	c := &contactCheck{request: request, account: account}
	for i := range supporters {
		if supporters[i].MPNID == ascii.TrimSpace(request.SupportMPNID) {
			c.named = &supporters[i]
		}
	}
	if err := check(contactRules, c); err != nil {
		return nil, nil, err
	}
	next, s := o.cloneWith(id)
	asked := &Supporter{TenantID: c.named.TenantID, MPNID: c.named.MPNID, Name: request.Name}
	if is := s.Facts.Support; is != nil && *is == *asked {
		return o, nil, nil
	}
	s.Facts.Support = asked
	next.Changed = append(next.Changed, s)
	return next, []Event{{Kind: "support contact set", SubscriptionID: s.Document.ID, LineItemNumber: s.Facts.LineItemNumber}}, nil
}

// SupportContact returns the support contact of a subscription of a customer: the partner
// unless another one was set.
func (s *Subscription) SupportContact(customerID string, partner Supporter) *partnercenter.SupportContact {
	is := cmp.Or(s.Facts.Support, &partner)
	return &partnercenter.SupportContact{
		SupportTenantID: is.TenantID, SupportMPNID: is.MPNID, Name: is.Name,
		Links:      &partnercenter.ResourceLinks{Self: partnercenter.NewLink("GET", "/customers/"+customerID+"/subscriptions/"+s.Document.ID+"/supportcontact")},
		Attributes: &partnercenter.ResourceAttributes{ObjectType: partnercenter.ObjectTypeSupportContact},
	}
}
