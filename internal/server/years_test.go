package server_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/catalog"
	"github.com/partnercenter-go/partnercenter/internal/fleet/fleettest"
	"github.com/partnercenter-go/partnercenter/partnercentertest"
)

// customersInYears and monthsInYears are what TestYears has.
const (
	customersInYears = 50
	monthsInYears    = 24
	// yearsAtMost is no aim, which are 5 s on a machine of its own, but what is kept with
	// the race detector and beside other tests on a slow one. On PostgreSQL it takes longer.
	yearsAtMost = 2 * time.Minute
)

// years is a partner whose customers buy, change and end subscriptions, month by month.
type years struct {
	*api
	chance  *rand.Rand
	seen    map[string]int
	charged map[string]map[string]charge // by subscription and order
}

// charge is a term that an order is for.
type charge struct{ from, to time.Time }

// orderInYears and lineInYears are what TestYears looks at.
type orderInYears struct {
	ID              string                             `json:"id"`
	BillingCycle    partnercenter.BillingCycleType     `json:"billingCycle"`
	TransactionType partnercenter.OrderTransactionType `json:"transactionType"`
	CreationDate    partnercenter.Time                 `json:"creationDate"`
	LineItems       []lineInYears                      `json:"lineItems"`
}

type lineInYears struct {
	OfferID         string                 `json:"offerId"`
	SubscriptionID  string                 `json:"subscriptionId"`
	TransactionType string                 `json:"transactionType"`
	TermDuration    *string                `json:"termDuration"`
	Pricing         *partnercenter.Pricing `json:"pricing"`
}

// TestYears lives through two years of a partner in monthly steps, and reads every list at
// each of them: they agree, and no term is charged twice.
func TestYears(t *testing.T) {
	began := time.Now()
	a := newAPI(t, partnercentertest.Options{Seed: strings.NewReader(sandboxSeed(customersInYears + 1))})
	// Checking each answer against the document takes longer than all the rest, and nobody
	// compresses what stays on one machine.
	a.client = &http.Client{Transport: &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 1}}
	t.Cleanup(a.client.CloseIdleConnections)
	y := &years{api: a, chance: rand.New(rand.NewPCG(1, 2)), seen: map[string]int{}, charged: map[string]map[string]charge{}}
	month := func(n int) {
		a.Clock().Set(time.Date(2026, time.Month(2+n), 3, 9, 0, 0, 0, time.UTC))
		a.token = a.mint(t)
	}
	a.Clock().Freeze()
	for n := range monthsInYears {
		month(n)
		for i := range customersInYears {
			if n < 12 {
				y.buy(t, sandboxCustomer(i), n)
			}
			y.change(t, sandboxCustomer(i))
		}
		for i := range customersInYears {
			y.read(t, sandboxCustomer(i))
		}
	}
	took := time.Since(began)
	if took > yearsAtMost && os.Getenv(fleettest.Variable) == "" {
		t.Errorf("it took %s, far more than a slow machine needs", took)
	} else if took > 5*time.Second {
		t.Logf("it took %s, more than it should on a machine of its own", took)
	}
	for _, what := range []string{
		"active", "suspended", "expired", "disabled", "deleted", "extended", "renewed", "scheduled", "more seats", "seats returned", "suspend", "reactivate", "cancel", "end", "other term", "longer term", "converted", "transition", "transitioned",
	} {
		if y.seen[what] == 0 {
			t.Errorf("in two years nothing was %s: %v", what, y.seen)
		}
	}
	// Two years more, and back.
	before := map[string][]byte{}
	for i := range customersInYears {
		for _, list := range y.lists(sandboxCustomer(i)) {
			before[list] = a.send(t, http.MethodGet, list, "", 200)
		}
	}
	step := time.Now()
	a.Clock().Set(time.Date(2030, 3, 1, 9, 0, 0, 0, time.UTC))
	if d := time.Since(step); d > time.Second {
		t.Errorf("the clock took %s for two years", d)
	}
	a.token = a.mint(t)
	for i := range customersInYears {
		y.read(t, sandboxCustomer(i))
	}
	month(monthsInYears - 1)
	for list, was := range before {
		if is := a.send(t, http.MethodGet, list, "", 200); !bytes.Equal(is, was) {
			t.Fatalf("back from the future, %s is %s, and was %s", list, is, was)
		}
	}
	t.Logf("two years of %d customers took %s: %v", customersInYears, took.Round(time.Millisecond), y.seen)
}

// buy places orders of what partners sell.
func (y *years) buy(t *testing.T, customer string, n int) {
	t.Helper()
	orders := []string{
		`"billingCycle":"monthly",` + linesOf(line(itemE3, 1+y.chance.IntN(20), `"termDuration":"P1Y"`)),
		`"billingCycle":"monthly",` + linesOf(line(itemE3, 1+y.chance.IntN(20), `"termDuration":"P1M"`), line(itemE3, 2, `"termDuration":"P1Y"`)),
		`"billingCycle":"annual",` + linesOf(line(itemE3, 1+y.chance.IntN(20), `"termDuration":"P1Y"`)),
		linesOf(line(offerE3, 1+y.chance.IntN(20))),
		linesOf(line(itemSoftware, 1)),
		linesOf(line(itemMarketplace, 3)),
	}
	if n == 0 {
		y.post(t, customer, linesOf(line(itemTrial, 5)))
	}
	if y.chance.IntN(3) == 0 || n == 0 {
		y.post(t, customer, orders[y.chance.IntN(len(orders))])
	}
}

func (y *years) post(t *testing.T, customer, body string) {
	t.Helper()
	y.send(t, http.MethodPost, ordersOf(customer), "{"+body+"}", http.StatusCreated)
}

func (y *years) subscriptions(t *testing.T, customer string) []*partnercenter.Subscription {
	t.Helper()
	list := decode[partnercenter.Collection[*partnercenter.Subscription]](t, y.send(t, http.MethodGet, "/v1/customers/"+customer+"/subscriptions", "", 200))
	return list.Items
}

// change changes one of a customer's subscriptions, as fits.
func (y *years) change(t *testing.T, customer string) {
	t.Helper()
	if y.chance.IntN(2) == 0 {
		return
	}
	list := y.subscriptions(t, customer)
	if len(list) == 0 {
		return
	}
	s := list[y.chance.IntN(len(list))]
	newCommerce := strings.HasPrefix(s.OfferID, itemE3)
	patch := func(what, body string) {
		y.seen[what]++
		y.patchSubscription(t, customer, s.ID, body)
	}
	renew := fmt.Sprintf(`"autoRenewEnabled":%t`, s.AutoRenewEnabled != nil && *s.AutoRenewEnabled)
	switch {
	case s.Status == partnercenter.SubscriptionStatusExpired || s.Status == partnercenter.SubscriptionStatusSuspended:
		if y.chance.IntN(4) == 0 {
			patch("reactivate", `{"status":"active",`+renew+`}`)
		}
	case s.Status != partnercenter.SubscriptionStatusActive || s.IsTrial != nil && *s.IsTrial || s.UnitType == "none" || strings.HasPrefix(s.OfferID, itemMarketplace):
	case y.chance.IntN(6) == 0:
		patch("suspend", `{"status":"suspended",`+renew+`}`)
	case y.chance.IntN(6) == 0:
		patch("end", `{"autoRenewEnabled":false}`)
	case strings.HasPrefix(s.OfferID, itemSoftware):
	case y.chance.IntN(3) == 0:
		patch("more seats", fmt.Sprintf(`{"quantity":%d,%s}`, *s.Quantity+5, renew))
		if y.chance.IntN(2) == 0 {
			patch("seats returned", fmt.Sprintf(`{"quantity":%d,%s}`, *s.Quantity+2, renew))
		}
	case !newCommerce:
	case y.chance.IntN(4) == 0 && s.TermDuration == "P1M":
		patch("longer term", `{"termDuration":"P1Y",`+renew+`}`)
	case y.chance.IntN(6) == 0:
		patch("transition", `{`+renew+`,"scheduledActions":[{"scheduleType":"TermEnd","actionType":"Transition","instructions":{"product":{"productId":"CFQ7TTC0LFLZ","skuId":"0002"}}}]}`)
	case y.chance.IntN(4) == 0:
		patch("cancel", `{"scheduledActions":{"scheduleType":"TermEnd","actionType":"Cancel"}}`)
	case renew == `"autoRenewEnabled":true` && y.chance.IntN(2) == 0:
		patch("scheduled", fmt.Sprintf(`{"autoRenewEnabled":true,"scheduledNextTermInstructions":{"quantity":%d}}`, 1+y.chance.IntN(20)))
	case renew == `"autoRenewEnabled":true`:
		patch("other term", `{"autoRenewEnabled":true,"scheduledActions":[{"scheduleType":"TermEnd","actionType":"RenewToNewTerm","instructions":{"product":{"termDuration":"P1Y","billingCycle":"annual"}}}]}`)
	default:
		patch("renewed again", `{"autoRenewEnabled":true}`)
	}
}

func (y *years) lists(customer string) []string {
	return []string{ordersOf(customer) + "?include_price=true", ordersOf(customer) + "?include_price=true&include_system_purchases=true", "/v1/customers/" + customer + "/subscriptions"}
}

// read reads the lists of a customer and holds them against each other.
func (y *years) read(t *testing.T, customer string) {
	t.Helper()
	lists := y.lists(customer)
	type raw struct {
		Items []jsontext.Value `json:"items"`
	}
	own := decode[raw](t, y.send(t, http.MethodGet, lists[0], "", 200))
	all := decode[raw](t, y.send(t, http.MethodGet, lists[1], "", 200))
	bought, orders := map[string]bool{}, map[string]bool{}
	last, now := time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), y.Clock().Now()
	left := own.Items
	look := y.chance.IntN(2*len(all.Items) + 1)
	for i, item := range all.Items {
		o := decode[orderInYears](t, item)
		created := o.CreationDate.Time()
		if created.After(last) || created.After(now) || orders[o.ID] {
			t.Fatalf("%s: order %s of %s is behind one of %s", customer, o.ID, created, last)
		}
		last, orders[o.ID] = created, true
		if o.TransactionType == partnercenter.OrderTransactionTypeUserPurchase || o.TransactionType == "" {
			if len(left) == 0 || !bytes.Equal(left[0], item) {
				t.Fatalf("%s: order %s is not next in the list without renewals", customer, o.ID)
			}
			left = left[1:]
		} else if i == look {
			if one := y.send(t, http.MethodGet, orderAt(customer, o.ID)+"?include_price=true", "", 200); !bytes.Equal(one, item) {
				t.Fatalf("%s: the order is %s, in the list %s", customer, one, item)
			}
		}
		for j := range o.LineItems {
			bought[o.LineItems[j].SubscriptionID] = true
			y.charge(t, o, &o.LineItems[j])
		}
	}
	if len(left) > 0 {
		t.Fatalf("%s: %d orders are in the list without renewals only", customer, len(left))
	}
	for _, s := range y.subscriptions(t, customer) {
		if *s.Quantity < 1 || !bought[s.ID] || !orders[s.OrderID] {
			t.Fatalf("%s: nobody bought %+v", customer, s)
		}
		y.seen[string(s.Status)]++
		if ends := s.CommitmentEndDateTime.Time(); s.Status == partnercenter.SubscriptionStatusActive && !ends.IsZero() && ends.Before(now) {
			t.Fatalf("%s: subscription %s is active after %s", customer, s.ID, ends)
		}
	}
}

// charge notes the term that a line is for. It overlaps no other of the subscription.
func (y *years) charge(t *testing.T, o *orderInYears, line *lineInYears) {
	t.Helper()
	if line.TransactionType == string(partnercenter.LineItemTransactionTypeConvert) {
		y.seen["converted"]++
	}
	if line.SubscriptionID == "" || line.TransactionType != "Renew" {
		return
	}
	if strings.HasPrefix(line.OfferID, itemE5) {
		y.seen["transitioned"]++
	}
	y.seen["renewed"]++
	of := y.charged[line.SubscriptionID]
	if of == nil {
		of = map[string]charge{}
		y.charged[line.SubscriptionID] = of
	}
	if _, ok := of[o.ID]; ok {
		return
	}
	months := 12
	if line.TermDuration != nil {
		months = catalog.TermMonths(*line.TermDuration)
	}
	if months == 1 && o.BillingCycle == partnercenter.BillingCycleTypeMonthly && strings.HasSuffix(string(line.Pricing.Price), "7.08") {
		y.seen["extended"]++
	}
	from := o.CreationDate.Time()
	c := charge{from, from.AddDate(0, months, -3)} // months differ
	for id, other := range of {
		if c.from.Before(other.to) && other.from.Before(c.to) {
			t.Fatalf("orders %s and %s charge subscription %s for the same time, from %s and %s on", o.ID, id, line.SubscriptionID, c.from, other.from)
		}
	}
	of[o.ID] = c
}
