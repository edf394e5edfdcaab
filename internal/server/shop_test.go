package server_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/partnercenter-go/partnercenter"
)

// What the tests of orders and subscriptions buy, by ids in the sample catalog.
const (
	offerE3           = "796B6B5F-613C-4E24-A17C-EBA730D49C02" // licences
	offerArchiving    = "2828BE95-46BA-4F91-B2FD-0BEF192ECF60" // add-on of E3 and of Exchange
	offerExchange     = "195416C1-3447-423A-B37B-EE59A99A19C4"
	offerTrial        = "D92B7A35-0C64-4B18-8E21-F3A6507CD914" // one for each customer
	offerAzure        = "MS-AZR-0145P"
	offerRetired      = "F81E6B93-2D5C-4A07-B4F9-0C7A35E1D286"
	offerNotSold      = "A06D7C2E-19B4-4F83-8E5A-64C3F0B1D792"
	offerInTheUS      = "3B72D4E0-A695-4C1F-8D37-92E5F10CB648"
	offerInternal     = "60C1F8A4-7E29-4D3B-95A6-D8B04E72F513" // of a sales group of its own
	itemE3            = "CFQ7TTC0LFLX:0001:CFQ7TTC0K8QN"       // online service
	itemTrial         = "CFQ7TTC0LCHC:0005:CFQ7TTC0KJ2M"       // online service
	itemArchiving     = "CFQ7TTC0HL73:0001:CFQ7TTC0KA7H"       // add-on of itemE3
	itemNotSold       = "CFQ7TTC0LR8V:0001:CFQ7TTC0KV8P"
	itemRetired       = "CFQ7TTC0LS2K:0001:CFQ7TTC0KK2Z"
	itemAzurePlan     = "DZH318Z0BPS6:0001:DZH318Z0BPQV"
	itemSavingsPlan   = "DZH318Z0G8SP:0001:DZH318Z0G9WN"
	itemReservation   = "DZH318Z0BQ4B:0047:DZH318Z0DSM8"
	itemFull          = "DZH318Z0BQ3P:0039:DZH318Z0D39V" // a reservation in a region without room
	itemPerpetual     = "DG7GMGF0DWT0:0001:DG7GMGF0DSQR"
	itemPurchaseOrder = "DG7GMGF0D7FV:0003:DG7GMGF0D609" // waits for a purchase order
	itemSoftware      = "DG7GMGF0F19K:0004:DG7GMGF0D5XP" // for a term
	itemMarketplace   = "DZH318Z0C1NT:0001:DZH318Z0BNV4" // at most 1000
)

// documented is the customer that most examples of the documentation are about.
const documented = "4d3cf487-70f4-4e1e-9ff1-b2bfce8d9f04"

const (
	exampleOrder        = "cf3b0e37-be0b-4cdd-b584-d1a97d98a922"
	exampleSubscription = "83ef9d05-4169-4ef9-9657-0e86b1eab1de"
)

// wingtip is a customer whose orders no example is about.
const wingtip = "3c2f9d17-86b4-4e0a-9a57-d1f4b82c6e03"

func ordersOf(customer string) string { return "/v1/customers/" + customer + "/orders" }

func orderAt(customer, id string) string { return ordersOf(customer) + "/" + id }

func subscriptionAt(customer, id string) string {
	return "/v1/customers/" + customer + "/subscriptions/" + id
}

// line writes a line of an order without its number.
func line(offer string, quantity int, more ...string) string {
	return fmt.Sprintf(`"offerId":%q,"quantity":%d`, offer, quantity) + strings.Join(append([]string{""}, more...), ",")
}

// orderOf writes an order of numbered lines.
func orderOf(lines ...string) string { return `{` + linesOf(lines...) + `}` }

func linesOf(lines ...string) string {
	numbered := make([]string, len(lines))
	for i, l := range lines {
		numbered[i] = fmt.Sprintf(`{"lineItemNumber":%d,%s}`, i, l)
	}
	return `"lineItems":[` + strings.Join(numbered, ",") + `]`
}

// send makes a call that must be answered with a status.
func (a *api) send(t *testing.T, method, path, body string, status int) []byte {
	t.Helper()
	resp, got := a.do(t, request{method: method, path: path, body: body, status: status})
	if resp.StatusCode != status {
		t.Fatalf("%s %s: status %d, want %d: %s", method, path, resp.StatusCode, status, got)
	}
	return got
}

func decode[T any](t *testing.T, body []byte) *T {
	t.Helper()
	v := new(T)
	if err := partnercenter.Unmarshal(body, v); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	return v
}

// place places an order of lines.
func (a *api) place(t *testing.T, customer string, lines ...string) *partnercenter.Order {
	t.Helper()
	return decode[partnercenter.Order](t, a.send(t, http.MethodPost, ordersOf(customer), orderOf(lines...), http.StatusCreated))
}

// placed places an order and reads it again after provisioning, with its subscriptions.
func (a *api) placed(t *testing.T, customer string, lines ...string) *partnercenter.Order {
	t.Helper()
	return a.order(t, customer, a.place(t, customer, lines...).ID)
}

func (a *api) order(t *testing.T, customer, id string) *partnercenter.Order {
	t.Helper()
	return decode[partnercenter.Order](t, a.send(t, http.MethodGet, orderAt(customer, id), "", http.StatusOK))
}

func (a *api) patchOrder(t *testing.T, customer, id, body string) *partnercenter.Order {
	t.Helper()
	return decode[partnercenter.Order](t, a.send(t, http.MethodPatch, orderAt(customer, id), body, http.StatusOK))
}

func (a *api) subscription(t *testing.T, customer, id string) *partnercenter.Subscription {
	t.Helper()
	return decode[partnercenter.Subscription](t, a.send(t, http.MethodGet, subscriptionAt(customer, id), "", http.StatusOK))
}

func (a *api) patchSubscription(t *testing.T, customer, id, body string) *partnercenter.Subscription {
	t.Helper()
	return decode[partnercenter.Subscription](t, a.send(t, http.MethodPatch, subscriptionAt(customer, id), body, http.StatusOK))
}

// holdings are all that a customer has, as it is answered.
func (a *api) holdings(t *testing.T, customer string) string {
	t.Helper()
	orders := a.send(t, http.MethodGet, ordersOf(customer)+"?include_price=true&include_system_purchases=true", "", http.StatusOK)
	subscriptions := a.send(t, http.MethodGet, "/v1/customers/"+customer+"/subscriptions", "", http.StatusOK)
	return string(orders) + string(subscriptions)
}

// as returns the server with a token of a user of the partner.
func (a *api) as(t *testing.T, upn string) *api {
	t.Helper()
	user := &api{Server: a.Server, client: a.client, user: upn}
	user.token = user.mint(t)
	return user
}

// refusal is a row of a table of requests that are refused and change nothing.
type refusal struct {
	request
	// rule is the rule of package lifecycle that refuses, as its command and its
	// condition; empty if something else refuses.
	rule string
	// of is the customer whose orders and subscriptions must not change; empty for the
	// documented customer.
	of string
}

// refused are the refusals that tests have seen: statuses and codes, and rules.
var refused = struct {
	sync.Mutex
	codes, rules map[string]bool
}{codes: map[string]bool{}, rules: map[string]bool{}}

func noteRefusal(status int, code partnercenter.ErrorCode, rule string) {
	refused.Lock()
	defer refused.Unlock()
	refused.codes[fmt.Sprintf("%d/%s", status, code)] = true
	if rule != "" {
		refused.rules[rule] = true
	}
}

// refuse runs a table of refusals, and checks that each has changed nothing.
func (a *api) refuse(t *testing.T, table []refusal) {
	t.Helper()
	holdings := map[string]string{} // by customer
	// What has to be the same as before was checked against the document then.
	unchecked := *a
	unchecked.client = &http.Client{Transport: plainly}
	for _, r := range table {
		if r.of == "" {
			r.of = documented
		}
		if r.method == "" && r.body != "" {
			r.method = http.MethodPost
		}
		if r.path == "" {
			r.path = ordersOf(r.of)
		}
		before, known := holdings[r.of]
		if !known {
			before = a.holdings(t, r.of)
		}
		ok := t.Run(r.name, func(t *testing.T) { a.check(t, r.request) })
		after := unchecked.holdings(t, r.of)
		if after != before {
			t.Errorf("%s: the refused request changed something:\n%s\n%s", r.name, before, after)
		}
		holdings[r.of] = after
		if ok {
			noteRefusal(r.status, r.code, r.rule)
		}
	}
}
