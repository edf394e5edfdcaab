package seed

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/contract/contracttest"
)

func mustSample(t *testing.T) *Seed {
	t.Helper()
	seed, err := Sample()
	if err != nil {
		t.Fatal(err)
	}
	return seed
}

func mustFindCustomer(t *testing.T, seed *Seed, id string) *Customer {
	t.Helper()
	for i := range seed.Partners {
		for j := range seed.Partners[i].Customers {
			if c := &seed.Partners[i].Customers[j]; strings.EqualFold(c.Customer.ID, id) {
				return c
			}
		}
	}
	t.Fatalf("no customer %s", id)
	return nil
}

// The sample's first customer has the orders that the documentation prints,
// member for member and in its order.
func TestSampleHasTheDocumentedOrders(t *testing.T) {
	var want struct{ Items []json.RawMessage }
	if err := json.Unmarshal(contracttest.ReadPayload(t, "orders-list.seed.json"), &want); err != nil {
		t.Fatal(err)
	}
	// Lists omit what the service bought itself.
	got := slices.DeleteFunc(mustFindCustomer(t, mustSample(t), "b0d70a69-4c42-4b27-b17b-91a835d8686a").Orders, func(o partnercenter.Order) bool {
		return o.TransactionType == partnercenter.OrderTransactionTypeSystemPurchase
	})
	if len(got) != len(want.Items) {
		t.Fatalf("%d orders, want %d", len(got), len(want.Items))
	}
	for i, item := range want.Items {
		var compact bytes.Buffer
		if err := json.Compact(&compact, item); err != nil {
			t.Fatal(err)
		}
		order, err := partnercenter.Marshal(got[i])
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(compact.String(), string(order)); diff != "" {
			t.Errorf("order %d (-documented +sample):\n%s", i, diff)
		}
	}
}

func TestSampleIsFitToBeSeen(t *testing.T) {
	seed := mustSample(t)
	if len(seed.Partners) != 2 {
		t.Fatalf("%d partners", len(seed.Partners))
	}
	contoso := seed.Partners[0]
	if contoso.Domain != "contosocsp.onmicrosoft.com" {
		t.Errorf("first partner is %+v", contoso.Tenant)
	}
	have := map[string]bool{}
	most, none := 0, 0
	for _, p := range seed.Partners {
		for _, c := range p.Customers {
			most = max(most, len(c.Orders))
			if len(c.Orders) == 0 {
				none++
			}
			have["relationship "+string(c.Customer.RelationshipToPartner)] = true
			if c.Customer.AssociatedPartnerID != "" {
				have["reseller customer"] = true
			}
			for _, o := range c.Orders {
				have["status "+string(o.Status)] = true
				have["cycle "+string(o.BillingCycle)] = true
				have["type "+string(o.TransactionType)] = true
				have["currency "+o.CurrencyCode] = true
				have["price"] = have["price"] || o.TotalPrice != ""
				have["term without end"] = have["term without end"] || slices.ContainsFunc(o.LineItems, func(l partnercenter.OrderLineItem) bool { return l.CustomTermEndDate.Never() })
				if _, fraction, ok := strings.Cut(o.CreationDate.String(), "."); ok {
					digits := strings.TrimLeft(fraction, "0123456789")
					have["digits "+string(rune('0'+len(fraction)-len(digits)))] = true
				} else {
					have["digits 0"] = true
				}
				if !o.CreationDate.Valid() || len(o.LineItems) == 0 {
					t.Errorf("order %s: created %s, %d lines", o.ID, o.CreationDate, len(o.LineItems))
				}
				if sum := sumOfPrices(t, &o); o.TotalPrice != "" && sum.Cmp(o.TotalPrice) != 0 {
					t.Errorf("order %s: total price %s, its lines add up to %s", o.ID, o.TotalPrice, sum)
				}
			}
		}
	}
	for _, want := range []string{
		"relationship none", "relationship reseller", "reseller customer", "price", "term without end",
		"status ", "status completed", "status pending", "status cancelled", "status pending_po_upload", "status po_upload_complete",
		"cycle monthly", "cycle annual", "cycle one_time", "cycle none", "cycle triennial", "cycle biennial",
		"type UserPurchase", "type SystemPurchase", "type SystemBilling",
		"currency ", "currency USD", "currency EUR", "currency JPY", "currency BRL",
		"digits 0", "digits 2", "digits 3", "digits 6", "digits 7",
	} {
		if !have[want] {
			t.Errorf("the sample shows no %s", want)
		}
	}
	if most < 60 || none == 0 {
		t.Errorf("the longest list has %d orders, %d customers have none", most, none)
	}
}

// sumOfPrices returns the extended prices of an order's lines.
func sumOfPrices(t *testing.T, o *partnercenter.Order) partnercenter.Decimal {
	sum, _ := partnercenter.Decimal("0").Rat()
	for _, l := range o.LineItems {
		if l.Pricing != nil {
			price, err := l.Pricing.ExtendedPrice.Rat()
			if err != nil {
				t.Errorf("order %s: %v", o.ID, err)
				continue
			}
			sum.Add(sum, price)
		}
	}
	return partnercenter.Decimal(sum.FloatString(6))
}

// The sample is read at every first start.
func BenchmarkSampleSeed(b *testing.B) {
	for b.Loop() {
		if _, err := Sample(); err != nil {
			b.Fatal(err)
		}
	}
}
