package seed

import (
	"encoding/json"
	"strings"

	"github.com/partnercenter-go/partnercenter"
)

// Customer is a customer with its orders. The customer's
// AssociatedPartnerID names its indirect reseller, if it has one.
type Customer struct {
	Customer partnercenter.Customer `json:",embed"`
	Orders   []partnercenter.Order  `json:"orders"`
	// AgreementAccepted says whether the customer agreement is confirmed, which
	// some items ask for. Nil leaves it as it is; for a new customer it is.
	AgreementAccepted *bool `json:"agreementAccepted"`
	// Placeholder says that only the customer's orders named it: what the
	// database knows of the customer already is better than this.
	Placeholder bool `json:"-"`
}

// Complete reports whether c is all that there is to know of the customer. The
// brief form that lists carry, without billing profile and commerce id, is not,
// though it may be newer.
func (c *Customer) Complete() bool {
	return !c.Placeholder && (c.Customer.BillingProfile != nil || c.Customer.CommerceID != "")
}

// Over returns what to keep where a customer is known: c, and what only the
// known one says. A placeholder gives way to it.
func (c *Customer) Over(known *partnercenter.Customer) (*partnercenter.Customer, error) {
	have, more := jsonTree(known), jsonTree(c.Customer)
	if c.Placeholder || includes(have, more) {
		return known, nil
	}
	both, err := json.Marshal(overlay(have, more))
	if err != nil {
		return nil, err
	}
	customer := new(partnercenter.Customer)
	return customer, partnercenter.Unmarshal(both, customer)
}

// overlay adds the members of more to tree, in place of those it has.
func overlay(tree, more any) any {
	t, ok1 := tree.(map[string]any)
	m, ok2 := more.(map[string]any)
	if !ok1 || !ok2 {
		return more
	}
	for k, v := range m {
		t[k] = overlay(t[k], v)
	}
	return t
}

// CountryOf is where a customer buys, or empty.
func CountryOf(c *partnercenter.Customer) string {
	if p := c.CompanyProfile; p != nil && p.Address != nil && p.Address.Country != "" {
		return strings.ToUpper(p.Address.Country)
	}
	if p := c.BillingProfile; p != nil && p.DefaultAddress != nil {
		return strings.ToUpper(p.DefaultAddress.Country)
	}
	return ""
}
