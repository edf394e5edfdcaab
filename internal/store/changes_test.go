package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/seed"
)

// placed is a new order of a customer with one subscription. The id is of 12
// hex digits.
func placed(partnerID, customerID, id string) *Change {
	subscription := "5ab5c819-0000-4000-8000-" + id
	return &Change{
		PartnerID: partnerID, CustomerID: customerID, New: true,
		Order: &OrderRecord{
			Order: &partnercenter.Order{
				ID: id, CreationDate: mustTime("2024-04-30T10:00:00Z"), Status: partnercenter.OrderStatusCompleted, TotalPrice: "5.00",
				LineItems: []partnercenter.OrderLineItem{{OfferID: "A:1:B", SubscriptionID: subscription, Quantity: new(1)}},
			},
			Facts: []byte(`{"lines":[]}`),
		},
		Subscriptions: []SubscriptionRecord{{
			ID: subscription, OrderID: id, Kind: "azure_plan", Active: true, Facts: []byte(`{}`),
			Subscription: &partnercenter.Subscription{ID: subscription, OfferID: "A:1:B", OrderID: id, EntitlementID: "E0000000-0000-4000-8000-00000000000E"},
		}},
	}
}

func apply(t *testing.T, s *Store, c *Change) {
	t.Helper()
	if err := s.Apply(t.Context(), c); err != nil {
		t.Fatal(err)
	}
}

func testChanges(t *testing.T, s *Store) {
	before := s.OrdersVersion(partnerA, orderless)
	apply(t, s, placed(strings.ToUpper(partnerA), strings.ToUpper(orderless), "00000000000a"))
	if s.OrdersVersion(partnerA, orderless) == before {
		t.Error("kept lists do not hear of a change")
	}
	items, n, err := listOrders(t.Context(), s, nil, OrderQuery{PartnerID: partnerA, CustomerID: orderless})
	same(t, err, nil)
	same(t, n, 1)
	if !strings.Contains(string(items), `"id":"00000000000a"`) || strings.Contains(string(items), "totalPrice") {
		t.Errorf("%s", items)
	}
	record, subscriptions, err := s.OrderRecord(t.Context(), partnerA, orderless, "00000000000a")
	if err != nil {
		t.Fatal(err)
	}
	same(t, record.Order.TotalPrice, partnercenter.Decimal("5.00"))
	same(t, string(record.Facts), `{"lines":[]}`)
	same(t, len(subscriptions), 1)

	record.Order.Status = partnercenter.OrderStatusCancelled
	apply(t, s, &Change{PartnerID: partnerA, CustomerID: orderless, Order: record})
	doc, err := getOrder(t.Context(), s, partnerA, orderless, "00000000000a", true)
	if err != nil || !strings.Contains(string(doc), "cancelled") || !strings.Contains(string(doc), "5.00") {
		t.Errorf("%s, %v", doc, err)
	}

	// Other partners' customers, and unknown ones, have no orders to write.
	if err := s.Apply(t.Context(), placed(partnerA, onlyB, "00000000000b")); err == nil {
		t.Error("an order went to another partner's customer")
	}
}

// testSeveralOrders changes two orders and places a third, all or nothing.
func testSeveralOrders(t *testing.T, s *Store) {
	read := func(id string) *OrderRecord {
		t.Helper()
		r, _, err := s.OrderRecord(t.Context(), partnerA, orderless, id)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	apply(t, s, placed(partnerA, orderless, "00000000000a"))
	apply(t, s, placed(partnerA, orderless, "00000000000b"))
	change := func(id string) *Change {
		c, added := &Change{PartnerID: partnerA, CustomerID: orderless, Order: read("00000000000a")}, placed(partnerA, orderless, id)
		c.Order.Order.CurrencyCode = "EUR"
		c.More = []OrderChange{{Order: read("00000000000b")}, {Order: added.Order, New: true}}
		c.More[0].Order.Order.CurrencyCode = "EUR"
		c.Subscriptions = added.Subscriptions
		return c
	}
	first, second := change("00000000000c"), change("00000000000d")
	second.More[0].Order.Revision-- // the second of its orders is another by now
	fails(t, s.Apply(t.Context(), second), ErrConflict)
	if read("00000000000a").Order.CurrencyCode != "" {
		t.Error("one order of a refused change was written")
	}
	apply(t, s, first)
	for _, id := range []string{"00000000000a", "00000000000b"} {
		if r := read(id); r.Order.CurrencyCode != "EUR" || r.Revision != first.Order.Revision+1 {
			t.Errorf("%s: %q, revision %d", id, r.Order.CurrencyCode, r.Revision)
		}
	}
	if _, list, err := s.OrderRecord(t.Context(), partnerA, orderless, "00000000000c"); err != nil || len(list) != 1 {
		t.Errorf("the third order: %v, %v", list, err)
	}
	all, err := s.OrderRecords(t.Context(), partnerA, orderless)
	if err != nil || len(all) != 3 || all[0].Order.ID != "00000000000c" || all[0].Key != "00000000000c" || all[0].Order.TotalPrice != "5.00" || string(all[0].Facts) != `{"lines":[]}` {
		t.Errorf("all orders: %+v, %v", all, err)
	}
	if _, err := s.OrderRecords(t.Context(), partnerA, onlyB); !errors.Is(err, ErrNotYours) {
		t.Errorf("another partner's orders: %v", err)
	}
	if _, _, err := s.OrderRecord(t.Context(), partnerA, orderless, "00000000000d"); !errors.Is(err, ErrOrderNotFound) {
		t.Errorf("a refused change left its order behind: %v", err)
	}
}

func testConflicts(t *testing.T, s *Store) {
	apply(t, s, placed(partnerA, orderless, "00000000000a"))
	first, _, err := s.OrderRecord(t.Context(), partnerA, orderless, "00000000000a")
	if err != nil {
		t.Fatal(err)
	}
	second, _, err := s.OrderRecord(t.Context(), partnerA, orderless, "00000000000a")
	if err != nil {
		t.Fatal(err)
	}
	first.Order.CurrencyCode = "EUR"
	apply(t, s, &Change{PartnerID: partnerA, CustomerID: orderless, Order: first})
	second.Order.CurrencyCode = "USD"
	fails(t, s.Apply(t.Context(), &Change{PartnerID: partnerA, CustomerID: orderless, Order: second}), ErrConflict)

	held, err := s.CountHoldings(t.Context(), partnerA, orderless, []string{"azure_plan"}, []string{"A:1:B"})
	if err != nil {
		t.Fatal(err)
	}
	same(t, held, &Holdings{Customers: 2, Subscriptions: 1, ByKind: map[string]int{"azure_plan": 1}, ByOffer: map[string]int{"a:1:b": 1}})
	apply(t, s, placed(partnerA, orderless, "00000000000b"))
	c := placed(partnerA, orderless, "00000000000c")
	c.Held = held
	fails(t, s.Apply(t.Context(), c), ErrConflict)
	if _, err := getOrder(t.Context(), s, partnerA, orderless, "00000000000c", false); !errors.Is(err, ErrOrderNotFound) {
		t.Errorf("a conflict left its order behind: %v", err)
	}
	if c.Held, err = s.CountHoldings(t.Context(), partnerA, orderless, []string{"azure_plan"}, []string{"A:1:B"}); err != nil {
		t.Fatal(err)
	}
	apply(t, s, c)

	// Of many that read the same, each succeeds in the end.
	var wait sync.WaitGroup
	var conflicts atomic.Int64
	for n := range 8 {
		wait.Go(func() {
			for {
				r, _, err := s.OrderRecord(t.Context(), partnerA, orderless, "00000000000a")
				if err != nil {
					t.Error(err)
					return
				}
				r.Order.AlternateID += fmt.Sprint(n)
				switch err := s.Apply(t.Context(), &Change{PartnerID: partnerA, CustomerID: orderless, Order: r}); {
				case errors.Is(err, ErrConflict):
					conflicts.Add(1)
					continue
				case err != nil:
					t.Error(err)
				}
				return
			}
		})
	}
	wait.Wait()
	r, _, err := s.OrderRecord(t.Context(), partnerA, orderless, "00000000000a")
	if err != nil || len(r.Order.AlternateID) != 8 {
		t.Errorf("%q, %v: an update was lost", r.Order.AlternateID, err)
	}
}

// testBrokenChange writes several changes together, one of which cannot be written.
func testBrokenChange(t *testing.T, s *Store) {
	var wait sync.WaitGroup
	for n := range 40 {
		wait.Go(func() {
			customer := orderless
			if n%10 == 3 {
				customer = onlyB // not this partner's
			}
			err := s.Apply(t.Context(), placed(partnerA, customer, fmt.Sprintf("%012x", n)))
			if (err != nil) != (customer == onlyB) {
				t.Errorf("change %d: %v", n, err)
			}
		})
	}
	wait.Wait()
	_, n, err := listOrders(t.Context(), s, nil, OrderQuery{PartnerID: partnerA, CustomerID: orderless})
	same(t, err, nil)
	same(t, n, 36)
}

func testAnswers(t *testing.T, s *Store) {
	answer := func(body string) *Answer {
		return &Answer{Key: []byte("0123456789abcdef"), Digest: []byte("digest"), Status: 201, Location: "/there", Body: []byte(body)}
	}
	none, err := s.Answered(t.Context(), partnerA, orderless, answer("").Key)
	same(t, err, nil)
	same(t, none, (*Answer)(nil))

	first := placed(partnerA, orderless, "00000000000a")
	first.Answer = answer(`{"id":"first"}`)
	apply(t, s, first)
	second := placed(partnerA, orderless, "00000000000b")
	second.Answer = answer(`{"id":"second"}`)
	fails(t, s.Apply(t.Context(), second), ErrAnswered)
	if _, err := getOrder(t.Context(), s, partnerA, orderless, "00000000000b", false); !errors.Is(err, ErrOrderNotFound) {
		t.Errorf("a repetition left its order behind: %v", err)
	}
	kept, err := s.Answered(t.Context(), partnerA, orderless, first.Answer.Key)
	same(t, err, nil)
	same(t, kept, first.Answer)

	empty := &Change{PartnerID: partnerA, CustomerID: orderless, Answer: &Answer{Key: []byte("fedcba9876543210"), Digest: []byte("digest"), Status: 202, Location: "/there"}}
	apply(t, s, empty)
	if kept, err := s.Answered(t.Context(), partnerA, orderless, empty.Answer.Key); err != nil || kept == nil || kept.Status != 202 || len(kept.Body) != 0 {
		t.Errorf("without a body: %+v, %v", kept, err)
	}

	// An answer stays when the clock is set forwards for a while.
	s.now = func() time.Time { return suiteNow.AddDate(100, 0, 0) }
	s.commits.Store(forgetEvery - 1)
	apply(t, s, placed(partnerA, orderless, "00000000000e"))
	s.now = func() time.Time { return suiteNow }
	if kept, err = s.Answered(t.Context(), partnerA, orderless, first.Answer.Key); err != nil || kept == nil {
		t.Errorf("after an hour in the future: %v, %v", kept, err)
	}

	// It is deleted when it is no longer needed.
	s.system = func() time.Time { return time.Now().Add(answersKept + time.Hour) }
	s.commits.Store(forgetEvery - 1)
	apply(t, s, placed(partnerA, orderless, "00000000000c"))
	if kept, err = s.Answered(t.Context(), partnerA, orderless, first.Answer.Key); err != nil || kept != nil {
		t.Errorf("%v, %v", kept, err)
	}

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	late := placed(partnerA, orderless, "00000000000d")
	if err := s.Apply(ctx, late); err != nil && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// testTimeAlone lists orders that are not visible or not settled yet.
func testTimeAlone(t *testing.T, s *Store) {
	later := placed(partnerA, orderless, "00000000000a")
	later.Order.Visible = suiteNow.Add(time.Hour)
	later.Order.Settled = suiteNow.Add(2 * time.Hour)
	apply(t, s, later)
	apply(t, s, placed(partnerA, orderless, "00000000000b"))
	for _, system := range []bool{false, true} { // both ways of reading
		for _, step := range []struct {
			now   time.Time
			count int
			until time.Time
			must  string
		}{
			{suiteNow, 1, later.Order.Visible, "00000000000b"},
			{later.Order.Visible, 2, later.Order.Settled, `<{"id":"00000000000a"`},
			{later.Order.Settled, 2, time.Time{}, `,{"id":"00000000000a"`},
		} {
			q := OrderQuery{
				PartnerID: partnerA, CustomerID: orderless, IncludeSystemPurchases: system, Now: step.now,
				Unsettled: func(dst, doc, facts []byte) ([]byte, error) {
					if string(facts) != `{"lines":[]}` {
						t.Errorf("facts are %s", facts)
					}
					return append(append(append(dst, '<'), doc...), '>'), nil
				},
			}
			list, err := s.ListOrders(t.Context(), nil, q)
			if err != nil || list.Count != step.count || !list.Until.Equal(step.until) || !strings.Contains(string(list.Items), step.must) {
				t.Errorf("at %s: %d until %s, %v: %s", step.now, list.Count, list.Until, err, list.Items)
			}
			q.Unsettled = func(dst, _, _ []byte) ([]byte, error) { return dst, errors.New("broken") }
			if _, err := s.ListOrders(t.Context(), nil, q); (err != nil) != strings.Contains(step.must, "<") {
				t.Errorf("at %s: %v", step.now, err)
			}
		}
	}
	doc, err := s.GetOrder(t.Context(), partnerA, orderless, "00000000000a", false)
	if err != nil || !doc.Settled.Equal(later.Order.Settled) || string(doc.Facts) != `{"lines":[]}` {
		t.Errorf("%+v, %v", doc, err)
	}
}

func testSubscriptions(t *testing.T, s *Store) {
	const loaded = "5AB5C819-0000-4000-8000-0000000000FF"
	load(t, s, &seed.Seed{Partners: []seed.Partner{{
		Tenant: seed.Tenant{TenantID: partnerA, Name: "A", Domain: "a.example", MPNID: "1", Country: "US"},
		Customers: []seed.Customer{{Customer: customer(orderless, "Orderless"), Orders: []partnercenter.Order{
			{ID: "loaded", LineItems: []partnercenter.OrderLineItem{{OfferID: "MS-AZR-0145P", SubscriptionID: loaded, PartnerIDOnRecord: " 42 "}}},
			{ID: "again", LineItems: []partnercenter.OrderLineItem{{OfferID: "X", SubscriptionID: loaded}, {OfferID: "Y"}}},
		}}},
	}}})
	apply(t, s, placed(partnerA, orderless, "00000000000a"))
	ids := func(q SubscriptionQuery) (list []string) {
		q.PartnerID, q.CustomerID = partnerA, orderless
		found, err := s.Subscriptions(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range found {
			list = append(list, x.ID+" "+x.OrderID)
		}
		return list
	}
	const made = "5ab5c819-0000-4000-8000-00000000000a"
	same(t, ids(SubscriptionQuery{}), []string{made + " 00000000000a", strings.ToLower(loaded) + " loaded"})
	same(t, ids(SubscriptionQuery{OrderID: "loaded"}), []string{strings.ToLower(loaded) + " loaded"})
	same(t, ids(SubscriptionQuery{OrderID: "LOADED"}), []string(nil))
	same(t, ids(SubscriptionQuery{MPNID: "42"}), []string{strings.ToLower(loaded) + " loaded"})
	same(t, ids(SubscriptionQuery{ID: loaded}), []string{strings.ToLower(loaded) + " loaded"})
	same(t, ids(SubscriptionQuery{ID: "e0000000-0000-4000-8000-00000000000E"}), []string{made + " 00000000000a"})
	same(t, ids(SubscriptionQuery{ID: "nobody's"}), []string(nil))

	found, err := s.Subscriptions(t.Context(), SubscriptionQuery{PartnerID: partnerA, CustomerID: orderless, ID: loaded})
	if err != nil || found[0].Subscription != nil || found[0].Order == nil || found[0].Order.ID != "loaded" {
		t.Errorf("%+v, %v", found, err)
	}
	for _, other := range []SubscriptionQuery{{PartnerID: partnerB, CustomerID: orderless}, {PartnerID: partnerA, CustomerID: former}} {
		_, err := s.Subscriptions(t.Context(), other)
		fails(t, err, ErrNotYours)
	}

	order, err := s.OrderOf(t.Context(), partnerA, orderless, loaded)
	same(t, err, nil)
	same(t, order, "loaded")
	_, err = s.OrderOf(t.Context(), partnerA, orderless, legacyOrder)
	fails(t, err, ErrSubscriptionNotFound)
	_, err = s.OrderOf(t.Context(), partnerB, orderless, loaded)
	fails(t, err, ErrNotYours)
	owner, err := s.CustomerOf(t.Context(), partnerA, loaded)
	same(t, err, nil)
	same(t, owner, orderless)
	owner, err = s.CustomerOf(t.Context(), partnerA, strings.ToUpper(made))
	same(t, err, nil)
	same(t, owner, orderless)
	for _, id := range []string{loaded, made} {
		_, err = s.CustomerOf(t.Context(), partnerB, id)
		fails(t, err, ErrSubscriptionNotFound)
	}

	// Loading an order again replaces what was placed or changed.
	load(t, s, &seed.Seed{Partners: []seed.Partner{{
		Tenant: seed.Tenant{TenantID: partnerA, Name: "A", Domain: "a.example", MPNID: "1", Country: "US"},
		Customers: []seed.Customer{{Customer: customer(orderless, "Orderless"), Orders: []partnercenter.Order{
			{ID: "00000000000a", LineItems: []partnercenter.OrderLineItem{{OfferID: "Z", SubscriptionID: legacyOrder}}},
		}}},
	}}})
	same(t, ids(SubscriptionQuery{OrderID: "00000000000a"}), []string{strings.ToLower(legacyOrder) + " 00000000000a"})
}

func testAttachments(t *testing.T, s *Store) {
	c := placed(partnerA, orderless, "00000000000a")
	c.Attachments = []Attachment{
		{ID: "0f", FileName: "order.pdf", ContentType: "application/pdf", Size: 3, Metadata: "{}", Content: []byte("one")},
		{ID: "0e", FileName: "tender.pdf", Tender: true, Size: 5, Metadata: "{}", Content: []byte("\x00\xff two")},
	}
	apply(t, s, c)
	list, err := s.Attachments(t.Context(), partnerA, orderless, "00000000000a")
	if err != nil {
		t.Fatal(err)
	}
	names := []string{}
	for _, a := range list {
		names = append(names, a.ID+" "+a.FileName)
		if a.Content != nil {
			t.Error("a list carries contents")
		}
	}
	same(t, names, []string{"0f order.pdf", "0e tender.pdf"})
	a, err := s.GetAttachment(t.Context(), partnerA, orderless, "00000000000a", "0E")
	if err != nil || string(a.Content) != "\x00\xff two" || !a.Tender {
		t.Errorf("%+v, %v", a, err)
	}
	_, err = s.GetAttachment(t.Context(), partnerA, orderless, "00000000000a", "0d")
	fails(t, err, ErrAttachmentNotFound)
	_, err = s.GetAttachment(t.Context(), partnerB, orderless, "00000000000a", "0e")
	fails(t, err, ErrNotYours)
	_, err = s.Attachments(t.Context(), partnerA, orderless, "nobody's")
	fails(t, err, ErrOrderNotFound)
}

// TestApplyAfterClose refuses changes, and loses none that it accepted.
func TestApplyAfterClose(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	s := openTest(t, path)
	load(t, s, suiteSeed())
	var wait sync.WaitGroup
	var taken atomic.Int64
	for n := range 50 {
		wait.Go(func() {
			if s.Apply(context.Background(), placed(partnerA, orderless, fmt.Sprintf("%012x", n))) == nil {
				taken.Add(1)
			}
		})
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	wait.Wait()
	if err := s.Apply(t.Context(), placed(partnerA, orderless, "00000000ffff")); err == nil {
		t.Error("a closed store took a change")
	}
	s = openTest(t, path)
	_, n, err := listOrders(t.Context(), s, nil, OrderQuery{PartnerID: partnerA, CustomerID: orderless})
	same(t, err, nil)
	same(t, int64(n), taken.Load())
}

// TestUpgradeFromFirstSchema brings a database of the first release up to date:
// its orders have subscriptions and its customers a country then.
func TestUpgradeFromFirstSchema(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	s := openTest(t, path)
	sample := mustSample(t)
	custom := &sample.Partners[0].Customers[0].Customer
	custom.CustomDomains = []string{"own.UPGRADED.example", "own.upgraded.example"}
	load(t, s, sample)
	type row struct{ subscription, order, offer, mpn, kind, active string }
	read := func(s *Store) ([]row, []string) {
		list, err := queryAll(t.Context(), s, "subscriptions", func(rows *sql.Rows) (r row, err error) {
			return r, rows.Scan(&r.subscription, &r.order, &r.offer, &r.mpn, &r.kind, &r.active)
		}, `SELECT subscription_id, order_id, offer_id, mpn_id, kind, active FROM subscriptions ORDER BY partner_id, customer_id, subscription_id`)
		if err != nil {
			t.Fatal(err)
		}
		countries, err := queryAll(t.Context(), s, "countries", func(rows *sql.Rows) (country string, err error) { return country, rows.Scan(&country) },
			`SELECT country FROM customers ORDER BY partner_id, customer_id`)
		if err != nil {
			t.Fatal(err)
		}
		return list, countries
	}
	want, wantCountries := read(s)
	if len(want) < 50 {
		t.Fatalf("the sample has %d subscriptions", len(want))
	}
	// Return the database to the schema of the first release.
	for _, statement := range []string{
		`DROP INDEX customers_by_domain`, `DROP TABLE customer_domains`, `DROP TABLE subscriptions`, `DROP TABLE carts`, `DROP TABLE requests`, `DROP TABLE attachments`, `DROP TABLE users`,
		`DROP TABLE consents`, `DROP TABLE sign_ins`, `DROP INDEX apps_by_id`, `ALTER TABLE apps DROP COLUMN secrets`, `ALTER TABLE apps DROP COLUMN certificates`,
		`ALTER TABLE apps DROP COLUMN redirect_uris`, `ALTER TABLE apps DROP COLUMN public`, `ALTER TABLE apps DROP COLUMN multi_tenant`,
		`ALTER TABLE apps DROP COLUMN admin_consent`, `ALTER TABLE apps DROP COLUMN disabled`,
		`ALTER TABLE orders DROP COLUMN revision`, `ALTER TABLE orders DROP COLUMN visible`, `ALTER TABLE orders DROP COLUMN settled`,
		`ALTER TABLE orders DROP COLUMN facts`, `ALTER TABLE customers DROP COLUMN country`, `ALTER TABLE customers DROP COLUMN agreement`,
		`DELETE FROM goose_db_version WHERE version_id > 1`,
	} {
		if _, err := s.write.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	if _, err := migrateSQLite(t.Context(), s.write, latest); err != nil {
		t.Fatal(err)
	}
	if found, err := s.CustomerTenant(t.Context(), "tailspintoys.onmicrosoft.com"); err != nil || found == nil {
		t.Errorf("a customer by its domain: %+v, %v", found, err)
	}
	if found, err := s.CustomerTenant(t.Context(), "Own.upgraded.example"); err != nil || found == nil || found.ID != strings.ToLower(custom.ID) {
		t.Errorf("a customer by its custom domain: %+v, %v", found, err)
	}
	got, gotCountries := read(s)
	same(t, fmt.Sprint(got), fmt.Sprint(want))
	same(t, gotCountries, wantCountries)
}
