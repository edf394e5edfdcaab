package store

import (
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/guid"
)

// seedIDs remembers in which line an id was first used, to name both lines
// when it comes again.
type seedIDs struct{ tenants, domains, clients, users, customers map[string]int }

// seed checks what the types alone do not say and fills in what the file
// leaves out. It keeps going after mistakes, to report them together.
func (d *seedDecoder) seed(root place, s *Seed) {
	partners := root.field("partners")
	if partners.empty() || partners.node.Kind == yaml.SequenceNode && len(s.Partners) == 0 {
		d.problem(partners, "is missing; list at least one partner")
	}
	ids := seedIDs{map[string]int{}, map[string]int{}, map[string]int{}, map[string]int{}, map[string]int{}}
	for i := range s.Partners {
		d.partner(partners.item(i), &s.Partners[i], &ids)
	}
}

func (d *seedDecoder) partner(p place, partner *SeedPartner, ids *seedIDs) {
	if p.node.Kind != yaml.MappingNode {
		return
	}
	d.required(p, "tenantId", "the GUID of the partner's directory")
	d.required(p, "name", "the partner's company name")
	d.required(p, "domain", "the partner's domain, such as contosocsp.onmicrosoft.com")
	d.required(p, "mpnId", "the partner's MPN id, digits")
	d.required(p, "country", "two letters, such as US")
	d.guid(p.field("tenantId"))
	d.unique(ids.tenants, p.field("tenantId"), guid.Key(partner.TenantID))
	d.unique(ids.domains, p.field("domain"), strings.ToLower(partner.Domain))
	for i := range partner.Apps {
		if at := p.field("apps").item(i); at.node.Kind == yaml.MappingNode {
			d.app(at, &partner.Apps[i], ids)
		}
	}
	for i, user := range partner.Users {
		if at := p.field("users").item(i); at.node.Kind == yaml.MappingNode {
			d.user(at, &user, ids)
		}
	}
	resellers := map[string]int{}
	for i, reseller := range partner.IndirectResellers {
		if at := p.field("indirectResellers").item(i); at.node.Kind == yaml.MappingNode {
			d.required(at, "tenantId", "the GUID of the reseller's directory")
			d.required(at, "name", "the reseller's company name")
			d.required(at, "mpnId", "the reseller's MPN id, digits")
			d.required(at, "location", "the reseller's country, two letters")
			d.guid(at.field("tenantId"))
			d.unique(resellers, at.field("tenantId"), guid.Key(reseller.TenantID))
		}
	}
	for i := range partner.Customers {
		at, c := p.field("customers").item(i), &partner.Customers[i]
		if at.node.Kind != yaml.MappingNode {
			continue
		}
		d.customer(at, c, ids)
		reseller := c.Customer.AssociatedPartnerID
		if _, ok := resellers[guid.Key(reseller)]; !ok && reseller != "" {
			d.problem(at.field("associatedPartnerId"), "%s is none of the partner's indirectResellers; add it there or correct the id", reseller)
		}
		fillCustomer(at, &c.Customer)
		for j := range c.Orders {
			fillOrder(at.field("orders").item(j), &c.Orders[j], &c.Customer, partner.Country)
		}
	}
}

func (d *seedDecoder) app(p place, a *App, ids *seedIDs) {
	d.required(p, "clientId", "the GUID that the app signs in with")
	d.required(p, "name", "what the app is called")
	d.guid(p.field("clientId"))
	d.guid(p.field("objectId"))
	d.unique(ids.clients, p.field("clientId"), guid.Key(a.ClientID))
	for i := range a.Secrets {
		if at := p.field("secrets").item(i); at.node.Kind == yaml.MappingNode {
			d.required(at, "value", "what the app signs in with")
			if expires := a.Secrets[i].Expires; expires.Valid() && expires.Time().IsZero() {
				d.problem(at.field("expires"), "%s is what the API writes for no date; leave this field out if the secret never expires", expires)
			}
		}
	}
	certificates := map[string]int{}
	for i := range a.Certificates {
		at := p.field("certificates").item(i)
		if at.node.Kind != yaml.MappingNode {
			continue
		}
		d.required(at, "pem", "the certificate, from -----BEGIN CERTIFICATE----- on")
		text := at.field("pem")
		if text.empty() || text.node.Kind != yaml.ScalarNode {
			continue
		}
		c, problem := parseCertificate(a.Certificates[i].PEM)
		if problem != "" {
			d.problem(text, "%s", problem)
			continue
		}
		if line, twice := certificates[string(c.Raw)]; twice {
			d.problem(text, "this certificate stands in line %d already; list it once", line)
			continue
		}
		certificates[string(c.Raw)] = text.near.Line
	}
	list := p.field("redirectUris")
	if len(a.RedirectURIs) > maxRedirectURIs {
		d.problem(list, "%s", tooManyRedirectURIs(len(a.RedirectURIs)))
		return
	}
	redirectURIs := map[string]int{}
	for i, uri := range a.RedirectURIs {
		at := list.item(i)
		if isNull(at.node) || at.node.Kind != yaml.ScalarNode {
			continue
		}
		if problem := redirectURIProblem(uri); problem != "" {
			d.problem(at, "%s", problem)
			continue
		}
		d.unique(redirectURIs, at, uri)
	}
}

func (d *seedDecoder) user(p place, u *User, ids *seedIDs) {
	d.required(p, "userPrincipalName", "what the user signs in as, such as ada@contosocsp.onmicrosoft.com")
	d.required(p, "name", "what the user is called")
	d.guid(p.field("objectId"))
	upn := p.field("userPrincipalName")
	if problem := principalNameProblem(u.UserPrincipalName); problem != "" && !upn.empty() {
		d.problem(upn, "%s", problem)
	}
	d.unique(ids.users, upn, strings.ToLower(u.UserPrincipalName))
}

func (d *seedDecoder) customer(p place, c *SeedCustomer, ids *seedIDs) {
	d.required(p, "id", "the GUID of the customer's directory")
	d.guid(p.field("id"))
	d.unique(ids.customers, p.field("id"), guid.Key(c.Customer.ID))
	profile := p.field("companyProfile")
	d.required(profile, "companyName", "the customer's company name")
	d.required(profile, "domain", "the customer's domain, such as wingtiptoys.onmicrosoft.com")
	d.guid(profile.field("tenantId"))
	d.guid(p.field("commerceId"))
	d.guid(p.field("associatedPartnerId"))

	orderIDs := map[string]int{}
	for i := range c.Orders {
		at, o := p.field("orders").item(i), &c.Orders[i]
		if at.node.Kind != yaml.MappingNode {
			continue
		}
		d.order(at, o)
		if o.ReferenceCustomerID != "" && !strings.EqualFold(o.ReferenceCustomerID, c.Customer.ID) {
			d.problem(at.field("referenceCustomerId"), "the order stands under customer %s; move it, or leave this field out", c.Customer.ID)
		}
		d.unique(orderIDs, at.field("id"), orderKey(o.ID))
	}
}

func (d *seedDecoder) order(p place, o *partnercenter.Order) {
	d.required(p, "id", "a GUID, 12 hex digits or 33 letters")
	d.required(p, "billingCycle", "how often the order is billed, such as monthly")
	d.required(p, "creationDate", "when the order was placed")
	if strings.Trim(o.ID, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
		d.problem(p.field("id"), "%q does not fit into an address; use letters, digits, - and _", o.ID)
	}
	d.guid(p.field("referenceCustomerId"))
	lines := p.field("lineItems")
	if lines.empty() || lines.node.Kind == yaml.SequenceNode && len(o.LineItems) == 0 {
		d.problem(lines, "is missing; an order has at least one line item")
	}
	for i := range o.LineItems {
		at, line := lines.item(i), &o.LineItems[i]
		if at.node.Kind != yaml.MappingNode {
			continue
		}
		d.required(at, "offerId", "the offer or the product:sku:availability that was bought")
		d.required(at, "quantity", "how many were bought, 0 for a cancelled line")
		d.guid(at.field("subscriptionId"))
		d.guid(at.field("parentSubscriptionId"))
		if line.Quantity != nil && *line.Quantity < 0 {
			d.problem(at.field("quantity"), "is below zero; a cancelled line has 0")
		}
		if n := line.LineItemNumber; n != nil && *n != i {
			d.problem(at.field("lineItemNumber"), "lines are numbered 0, 1, 2 as they stand: write %d, or leave this field out", i)
		}
	}
}

// required reports a field of p that is absent or empty.
func (d *seedDecoder) required(p place, name, meaning string) {
	if f := p.field(name); f.empty() {
		d.problem(f, "is missing; it is %s", meaning)
	}
}

func (d *seedDecoder) guid(p place) {
	if !p.empty() && p.node.Kind == yaml.ScalarNode && !guid.Is(p.node.Value) {
		d.problem(p, "%q is no GUID; write one such as 3f2504e0-4f89-41d3-9a0c-0305e82c3301", p.node.Value)
	}
}

// unique reports a value whose key was used before.
func (d *seedDecoder) unique(lines map[string]int, p place, key string) {
	if key == "" {
		return
	}
	if line, twice := lines[key]; twice {
		d.problem(p, "%s stands in line %d already; use it once", p.node.Value, line)
		return
	}
	lines[key] = p.near.Line
}
