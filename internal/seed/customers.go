package seed

import (
	"encoding/json"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/ascii"
)

// Customer is a customer with its orders. The customer's AssociatedPartnerID names its
// indirect reseller, if any.
type Customer struct {
	Customer partnercenter.Customer `json:",embed"`
	Orders   []partnercenter.Order  `json:"orders"`
	// Subscriptions say more about subscriptions that the orders made.
	Subscriptions []Subscription       `json:"subscriptions"`
	Carts         []partnercenter.Cart `json:"carts"` // open ones
	// AgreementAccepted says whether the customer agreement is confirmed, which some
	// items require. Nil leaves it unchanged; a new customer's is confirmed.
	AgreementAccepted *bool `json:"agreementAccepted"`
	// Placeholder says that the customer is known from its orders only: anything stored
	// about it is better.
	Placeholder bool `json:"-"`
}

// Complete reports whether c has all details of the customer. The short form in lists
// lacks the billing profile and the commerce id, though it may be newer.
func (c *Customer) Complete() bool {
	return !c.Placeholder && (c.Customer.BillingProfile != nil || c.Customer.CommerceID != "")
}

// Over returns what to store for a known customer: c, completed by what only the known
// one has. A placeholder is replaced by it.
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

// overlay adds the members of more to tree, replacing existing ones.
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

// CountryOf returns the country in which a customer buys, or empty.
func CountryOf(c *partnercenter.Customer) string {
	if p := c.CompanyProfile; p != nil && p.Address != nil && p.Address.Country != "" {
		return ascii.ToUpper(p.Address.Country)
	}
	if p := c.BillingProfile; p != nil && p.DefaultAddress != nil {
		return ascii.ToUpper(p.DefaultAddress.Country)
	}
	return ""
}
