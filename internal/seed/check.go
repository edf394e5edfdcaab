package seed

import (
	"net/url"
	"reflect"
	"strings"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/certificate"
	"github.com/partnercenter-go/partnercenter/internal/guid"
	"github.com/partnercenter-go/partnercenter/internal/rawjson"
	"github.com/partnercenter-go/partnercenter/internal/yamlfile"
)

// seedIDs records the line in which an id was first used, to report both lines when it
// is repeated.
type seedIDs struct{ tenants, domains, clients, users, customers map[string]int }

// checker checks a seed file.
type checker struct{ *yamlfile.File }

// seed checks what the types alone do not express and fills in defaults. It continues
// after mistakes, to report them together.
func (c *checker) seed(root yamlfile.Position, s *Seed) {
	partners := root.Field("partners")
	if partners.Empty() || partners.IsList() && len(s.Partners) == 0 {
		c.Problem(partners, "is missing; list at least one partner")
	}
	ids := seedIDs{map[string]int{}, map[string]int{}, map[string]int{}, map[string]int{}, map[string]int{}}
	for i := range s.Partners {
		c.partner(partners.Item(i), &s.Partners[i], &ids)
	}
}

// answers reads customers and orders again, as the client reads answers and import does:
// that keeps what their types do not have.
func (c *checker) answers(root yamlfile.Position, s *Seed) {
	for i := range s.Partners {
		for j := range s.Partners[i].Customers {
			at, customer := root.Field("partners").Item(i).Field("customers").Item(j), &s.Partners[i].Customers[j]
			c.answer(at, &customer.Customer, "orders", "subscriptions", "carts", "agreementAccepted")
			for k := range customer.Orders {
				c.answer(at.Field("orders").Item(k), &customer.Orders[k])
			}
			for k := range customer.Subscriptions {
				c.answer(at.Field("subscriptions").Item(k), &customer.Subscriptions[k].Subscription, "transitions", "supportContact", "overageEnabled")
			}
			for k := range customer.Carts {
				c.answer(at.Field("carts").Item(k), &customer.Carts[k])
			}
		}
	}
}

func (c *checker) answer(p yamlfile.Position, into any, except ...string) {
	t := reflect.TypeOf(into).Elem()
	data, err := rawjson.WithoutNulls(c.JSON(p, t, except...))
	if err == nil {
		reflect.ValueOf(into).Elem().SetZero()
		err = partnercenter.Unmarshal(data, into)
	}
	if err != nil {
		c.Problem(p, "is no %s of the API: %v", ascii.ToLower(t.Name()), err)
	}
}

func (c *checker) partner(p yamlfile.Position, partner *Partner, ids *seedIDs) {
	if !p.IsObject() {
		return
	}
	c.Required(p, "tenantId", "the GUID of the partner's directory")
	c.Required(p, "name", "the partner's company name")
	c.Required(p, "domain", "the partner's domain, such as contosocsp.onmicrosoft.com")
	c.Required(p, "mpnId", "the partner's MPN id, digits")
	c.Required(p, "country", "two letters, such as US")
	c.identity(p.Field("tenantId"))
	c.digits(p.Field("mpnId"))
	c.country(p.Field("country"))
	c.Unique(ids.tenants, p.Field("tenantId"), guid.Key(partner.TenantID))
	c.Unique(ids.domains, p.Field("domain"), ascii.ToLower(partner.Domain))
	for i := range partner.Apps {
		if at := p.Field("apps").Item(i); at.IsObject() {
			c.app(at, &partner.Apps[i], ids)
		}
	}
	for i, user := range partner.Users {
		if at := p.Field("users").Item(i); at.IsObject() {
			c.user(at, &user, ids)
		}
	}
	consents := map[string]int{}
	for i, consent := range partner.Consents {
		if at := p.Field("consents").Item(i); at.IsObject() {
			c.consent(at, &consent)
			c.Unique(consents, at.Field("clientId"), guid.Key(consent.ClientID))
		}
	}
	resellers := map[string]int{}
	for i, reseller := range partner.IndirectResellers {
		if at := p.Field("indirectResellers").Item(i); at.IsObject() {
			c.Required(at, "tenantId", "the GUID of the reseller's directory")
			c.Required(at, "name", "the reseller's company name")
			c.Required(at, "mpnId", "the reseller's MPN id, digits")
			c.Required(at, "location", "the reseller's country, two letters")
			c.identity(at.Field("tenantId"))
			c.digits(at.Field("mpnId"))
			c.country(at.Field("location"))
			c.Unique(resellers, at.Field("tenantId"), guid.Key(reseller.TenantID))
		}
	}
	for i := range partner.Customers {
		at, customer := p.Field("customers").Item(i), &partner.Customers[i]
		if !at.IsObject() {
			continue
		}
		c.customer(at, customer, ids)
		reseller := customer.Customer.AssociatedPartnerID
		if _, ok := resellers[guid.Key(reseller)]; !ok && reseller != "" {
			c.Problem(at.Field("associatedPartnerId"), "%s is not one of the partner's indirectResellers; add it there or correct the id", reseller)
		}
		fillCustomer(at, &customer.Customer)
		for j := range customer.Orders {
			fillOrder(at.Field("orders").Item(j), &customer.Orders[j], &customer.Customer, partner.Country)
		}
		c.subscriptions(at, customer)
		c.carts(at, customer)
	}
}

func (c *checker) app(p yamlfile.Position, a *App, ids *seedIDs) {
	c.Required(p, "clientId", "the GUID that the app signs in with")
	c.Required(p, "name", "what the app is called")
	c.identity(p.Field("clientId"))
	c.identity(p.Field("objectId"))
	c.Unique(ids.clients, p.Field("clientId"), guid.Key(a.ClientID))
	for i := range a.Secrets {
		if at := p.Field("secrets").Item(i); at.IsObject() {
			c.Required(at, "value", "what the app signs in with")
			if expires := a.Secrets[i].Expires; expires.Valid() && expires.Time().IsZero() {
				c.Problem(at.Field("expires"), "%s is the API's form of no date; leave this field out if the secret never expires", expires)
			}
		}
	}
	certificates := map[string]int{}
	for i := range a.Certificates {
		at := p.Field("certificates").Item(i)
		if !at.IsObject() {
			continue
		}
		c.Required(at, "pem", "the certificate, from -----BEGIN CERTIFICATE----- on")
		text := at.Field("pem")
		if pem, ok := text.Text(); !ok || pem == "" {
			continue
		}
		read, err := certificate.Parse(a.Certificates[i].PEM)
		if err != nil {
			c.Problem(text, "%v", err)
			continue
		}
		if line, twice := certificates[string(read.Raw)]; twice {
			c.Problem(text, "this certificate is already in line %d; list it once", line)
			continue
		}
		certificates[string(read.Raw)] = text.Line()
	}
	list := p.Field("redirectUris")
	if len(a.RedirectURIs) > maxRedirectURIs {
		c.Problem(list, "%s", tooManyRedirectURIs(len(a.RedirectURIs)))
		return
	}
	redirectURIs := map[string]int{}
	for i, uri := range a.RedirectURIs {
		at := list.Item(i)
		if _, ok := at.Text(); !ok {
			continue
		}
		if problem := redirectURIProblem(uri); problem != "" {
			c.Problem(at, "%s", problem)
			continue
		}
		c.Unique(redirectURIs, at, uri)
	}
}

func (c *checker) consent(p yamlfile.Position, consent *Consent) {
	c.Required(p, "clientId", "the GUID of the app that is consented to")
	c.guid(p.Field("clientId"))
	if len(consent.Resources)+len(consent.AppResources) == 0 {
		c.Problem(p, "gives nothing; list APIs under resources, appResources or both, such as https://api.partnercenter.microsoft.com")
	}
	for _, list := range []struct {
		name      string
		resources []string
	}{{"resources", consent.Resources}, {"appResources", consent.AppResources}} {
		for i, resource := range list.resources {
			if at := p.Field(list.name).Item(i); !isResource(resource) {
				c.Problem(at, "%q is no API; write its address, such as https://api.partnercenter.microsoft.com, or its application id", resource)
			}
		}
	}
}

// isResource reports whether text can name an API.
func isResource(text string) bool {
	u, err := url.Parse(text)
	return guid.Is(text) || err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "api") && !strings.ContainsAny(text, " \t\r\n")
}

func (c *checker) user(p yamlfile.Position, u *User, ids *seedIDs) {
	c.Required(p, "userPrincipalName", "what the user signs in as, such as ada@contosocsp.onmicrosoft.com")
	c.Required(p, "name", "what the user is called")
	c.identity(p.Field("objectId"))
	upn := p.Field("userPrincipalName")
	if problem := principalNameProblem(u.UserPrincipalName); problem != "" && !upn.Empty() {
		c.Problem(upn, "%s", problem)
	}
	c.Unique(ids.users, upn, ascii.ToLower(u.UserPrincipalName))
}

func (c *checker) customer(p yamlfile.Position, customer *Customer, ids *seedIDs) {
	c.Required(p, "id", "the GUID of the customer's directory")
	c.guid(p.Field("id"))
	c.Unique(ids.customers, p.Field("id"), guid.Key(customer.Customer.ID))
	profile := p.Field("companyProfile")
	c.Expected(profile, "companyName", "the customer's company name")
	c.Expected(profile, "domain", "the customer's domain, such as wingtiptoys.onmicrosoft.com")
	c.guid(profile.Field("tenantId"))
	c.guid(p.Field("commerceId"))
	c.guid(p.Field("associatedPartnerId"))

	orderIDs := map[string]int{}
	for i := range customer.Orders {
		at, o := p.Field("orders").Item(i), &customer.Orders[i]
		if !at.IsObject() {
			continue
		}
		c.order(at, o)
		if o.ReferenceCustomerID != "" && !ascii.EqualFold(o.ReferenceCustomerID, customer.Customer.ID) {
			c.Problem(at.Field("referenceCustomerId"), "the order is under customer %s; move it, or leave this field out", customer.Customer.ID)
		}
		c.Unique(orderIDs, at.Field("id"), guid.KeyIfGUID(o.ID))
	}
}

func (c *checker) order(p yamlfile.Position, o *partnercenter.Order) {
	c.Required(p, "id", "a GUID, 12 hex digits or 33 letters")
	c.Expected(p, "billingCycle", "how often the order is billed, such as monthly")
	c.Expected(p, "creationDate", "when the order was placed")
	c.AddressPart(p.Field("id"), o.ID)
	c.guid(p.Field("referenceCustomerId"))
	c.Expected(p, "lineItems", "what was bought: an order has at least one line item")
	lines := p.Field("lineItems")
	for i := range o.LineItems {
		at, line := lines.Item(i), &o.LineItems[i]
		if !at.IsObject() {
			continue
		}
		c.Expected(at, "offerId", "the offer or the product:sku:availability that was bought")
		c.Expected(at, "quantity", "how many were bought, 0 for a cancelled line")
		c.guid(at.Field("subscriptionId"))
		c.guid(at.Field("parentSubscriptionId"))
		if line.Quantity != nil && *line.Quantity < 0 {
			c.Problem(at.Field("quantity"), "is below zero; a cancelled line has 0")
		}
		if n := line.LineItemNumber; n != nil && *n != i {
			c.Problem(at.Field("lineItemNumber"), "lines are numbered 0, 1, 2 as they stand: write %d, or leave this field out", i)
		}
	}
}

func (c *checker) guid(p yamlfile.Position) {
	if text, ok := p.Text(); ok && text != "" && !guid.Is(text) {
		c.Problem(p, "%q is not a GUID; write one such as 3f2504e0-4f89-41d3-9a0c-0305e82c3301", text)
	}
}

// identity checks a GUID that something is known by.
func (c *checker) identity(p yamlfile.Position) {
	c.guid(p)
	if text, ok := p.Text(); ok && guid.Is(text) && strings.Trim(text, "0-") == "" {
		c.Problem(p, "%s stands for none; write another GUID", text)
	}
}

func (c *checker) digits(p yamlfile.Position) {
	if text, ok := p.Text(); ok && strings.Trim(text, "0123456789") != "" {
		c.Problem(p, "%q has something other than digits; write an MPN id such as 5080911", text)
	}
}

func (c *checker) country(p yamlfile.Position) {
	if text, ok := p.Text(); ok && text != "" && (len(text) != 2 || strings.Trim(ascii.ToUpper(text), "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "") {
		c.Problem(p, "%q is no country; write two letters, such as US", text)
	}
}
