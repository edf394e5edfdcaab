package store

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/seed"
)

const bulkPartner = "99999999-0000-4000-8000-000000000009"

// bulkCustomer is the id of customer i of a bulkSeed; the ids ascend with i.
func bulkCustomer(i int) string { return fmt.Sprintf("%08x-5eed-4000-8000-00000000beef", i*4099) }

// bulkSeed makes customers with orders of about 1.1 KB, like those of the
// service, all with mark as their currency symbol. The same seed makes the
// same ids.
func bulkSeed(number uint64, customers, orders int, mark string) *seed.Seed {
	p := seed.Partner{Tenant: seed.Tenant{TenantID: bulkPartner, Name: "bulk"}}
	for i := range customers {
		p.Customers = append(p.Customers, bulkSeedCustomer(number, i, orders, mark))
	}
	return &seed.Seed{Partners: []seed.Partner{p}}
}

func bulkSeedCustomer(number uint64, i, orders int, mark string) seed.Customer {
	id := bulkCustomer(i)
	r := rand.New(rand.NewPCG(number, uint64(i)))
	c := seed.Customer{Customer: customer(id, fmt.Sprint("company ", i))}
	link := func(uri string) *partnercenter.Link {
		return &partnercenter.Link{URI: uri, Method: "GET", Headers: []partnercenter.LinkHeader{}}
	}
	for range orders {
		order := fmt.Sprintf("%08x-1111-4222-8333-%012x", r.Uint32(), r.Uint64()&0xffffffffffff)
		number, quantity := 0, 1+r.IntN(9)
		path := "/customers/" + id + "/orders/" + order
		c.Orders = append(c.Orders, partnercenter.Order{
			ID: order, AlternateID: order, ReferenceCustomerID: id, BillingCycle: "monthly", CurrencyCode: "USD", CurrencySymbol: mark,
			CreationDate: partnercenter.TimeOf(time.Unix(1_500_000_000+r.Int64N(200_000_000), r.Int64N(1e9)).UTC()),
			Status:       "completed", TransactionType: "UserPurchase",
			LineItems: []partnercenter.OrderLineItem{{
				LineItemNumber: &number, OfferID: "E59159FC-6F67-4599-B3CB-17FF4020F643", SubscriptionID: order,
				FriendlyName: "Azure Active Directory Premium P2", Quantity: &quantity,
				Links: &partnercenter.OrderLineItemLinks{
					Subscription: link("/customers/" + id + "/subscriptions/" + order),
					SKU:          link("/products/84A661C4-E949-4BD2-A560-ED7766FCAF2B/skus/E59159FC-6F67-4599-B3CB-17FF4020F643"),
				},
			}},
			Links:      &partnercenter.OrderLinks{Self: link(path), ProvisioningStatus: link(path + "/provisioningstatus")},
			Attributes: &partnercenter.ResourceAttributes{Etag: new("eyJpZCI6ImVlYmE5ZDAwLTdiNDYtNDQzYS05MTdlIn0="), ObjectType: "Order"},
		})
	}
	return c
}
