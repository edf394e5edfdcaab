package seed

import (
	"encoding/base64"
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/guid"
	"github.com/partnercenter-go/partnercenter/internal/yamlfile"
)

// The functions below fill in what a seed file does not mention. A field that is
// mentioned keeps its value, whatever it is: {} stays {}, and null omits the field.

// fill sets the field with a name.
func fill[T any](p yamlfile.Position, name string, field *T, value T) {
	if !p.Field(name).Given() {
		*field = value
	}
}

func fillCustomer(p yamlfile.Position, c *partnercenter.Customer) {
	self := "/customers/" + c.ID
	fill(p, "commerceId", &c.CommerceID, guid.Derived("commerce", c.ID))
	fill(p, "relationshipToPartner", &c.RelationshipToPartner, partnercenter.RelationshipToPartnerReseller)
	fill(p, "links", &c.Links, &partnercenter.ResourceLinks{Self: partnercenter.NewLink("GET", self)})
	fill(p, "attributes", &c.Attributes, &partnercenter.ResourceAttributes{ObjectType: partnercenter.ObjectTypeCustomer})
	if profile := c.CompanyProfile; profile != nil {
		at := p.Field("companyProfile")
		fill(at, "tenantId", &profile.TenantID, c.ID)
		fill(at, "links", &profile.Links, &partnercenter.ResourceLinks{Self: partnercenter.NewLink("GET", self+"/profiles/company")})
		fill(at, "attributes", &profile.Attributes, &partnercenter.ResourceAttributes{ObjectType: partnercenter.ObjectTypeCustomerCompanyProfile})
	}
	if profile := c.BillingProfile; profile != nil {
		at := p.Field("billingProfile")
		fill(at, "id", &profile.ID, guid.Derived("billing", c.ID))
		fill(at, "links", &profile.Links, &partnercenter.ResourceLinks{Self: partnercenter.NewLink("GET", self+"/profiles/billing")})
		fill(at, "attributes", &profile.Attributes, &partnercenter.ResourceAttributes{
			Etag: new(numericEtag(c.ID)), ObjectType: partnercenter.ObjectTypeCustomerBillingProfile,
		})
	}
}

// fillOrder fills in an order of customer c. Country is where c bought it, if neither
// the order nor c says so.
func fillOrder(p yamlfile.Position, o *partnercenter.Order, c *partnercenter.Customer, country string) {
	legacy := guid.Is(o.ID)
	self := "/customers/" + c.ID + "/orders/" + o.ID
	fill(p, "referenceCustomerId", &o.ReferenceCustomerID, c.ID)
	if !p.Field("links").Given() {
		o.Links = &partnercenter.OrderLinks{Self: partnercenter.NewLink("GET", self)}
		if !legacy {
			o.Links.ProvisioningStatus = partnercenter.NewLink("GET", self+"/provisioningstatus")
		}
	}
	if !p.Field("attributes").Given() {
		o.Attributes = &partnercenter.ResourceAttributes{ObjectType: partnercenter.ObjectTypeOrder}
		if legacy {
			o.Attributes.Etag = new(firstEtag(o.ID))
		}
	}
	if at := CountryOf(c); at != "" {
		country = at
	}
	if o.Client != nil && o.Client.MarketplaceCountry != "" {
		country = o.Client.MarketplaceCountry
	}
	for i := range o.LineItems {
		line, at := &o.LineItems[i], p.Field("lineItems").Item(i)
		fill(at, "lineItemNumber", &line.LineItemNumber, &i)
		fill(at, "links", &line.Links, lineLinks(line, c.ID, country))
	}
}

// lineLinks returns the links that follow from a line's ids, nil if there are none.
func lineLinks(line *partnercenter.OrderLineItem, customerID, country string) *partnercenter.OrderLineItemLinks {
	var links partnercenter.OrderLineItemLinks
	if line.SubscriptionID != "" {
		links.Subscription = partnercenter.NewLink("GET", "/customers/"+customerID+"/subscriptions/"+line.SubscriptionID)
	}
	item := strings.Split(line.OfferID, ":")
	if len(item) == 3 {
		product, query := "/products/"+item[0], "?country="+country
		sku := product + "/skus/" + item[1]
		links.Product = partnercenter.NewLink("GET", product+query)
		links.SKU = partnercenter.NewLink("GET", sku+query)
		links.Availability = partnercenter.NewLink("GET", sku+"/availabilities/"+item[2]+query)
	}
	if links.Subscription == nil && links.SKU == nil {
		return nil
	}
	return &links
}

// firstEtag returns the etag of a legacy order that was never changed.
func firstEtag(id string) string {
	return base64.StdEncoding.EncodeToString(fmt.Appendf(nil, `{"id":"%s","version":1}`, ascii.ToLower(id)))
}

// numericEtag returns the etag of a billing profile: a signed number as text.
func numericEtag(id string) string {
	h := fnv.New64a()
	h.Write([]byte(ascii.ToLower(id)))
	return strconv.FormatInt(int64(h.Sum64()), 10)
}
