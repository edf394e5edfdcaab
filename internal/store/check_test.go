package store

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/guid"
	"github.com/partnercenter-go/partnercenter/internal/seed"
)

const (
	loadedOrder    = "10000000-0000-4000-8000-000000000001"
	loadedFirst    = "20000000-0000-4000-8000-000000000001" // subscriptions of its lines
	loadedSecond   = "20000000-0000-4000-8000-000000000002"
	checkedPlaced  = "c00000000001"
	checkedBought  = "c00000000002"                         // with a cart
	checkedSubject = "5ab5c819-0000-4000-8000-c00000000001" // its subscription
)

// fillForCheck fills a database with something of everything that is checked.
func fillForCheck(t testing.TB, address string) {
	t.Helper()
	fillForCopy(t, address, 3, 2)
	s, err := Open(t.Context(), address, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	load(t, s, mustSample(t))
	link := func(path string) *partnercenter.Link { return partnercenter.NewLink("GET", path) }
	self := "/customers/" + bulkCustomer(0) + "/orders/" + loadedOrder
	data := bulkSeed(7, 1, 0, "")
	c := &data.Partners[0].Customers[0]
	c.Customer.CustomDomains = []string{"One.example", "two.example"}
	c.Orders = []partnercenter.Order{{
		ID: loadedOrder, ReferenceCustomerID: bulkCustomer(0), BillingCycle: partnercenter.BillingCycleTypeMonthly, CreationDate: mustTime("2024-01-02T03:04:05Z"),
		Links: &partnercenter.OrderLinks{Self: link(self), PatchOperation: link(self)},
		LineItems: []partnercenter.OrderLineItem{
			{OfferID: "MS-AZR-0145P", SubscriptionID: loadedFirst, Quantity: new(1), PartnerIDOnRecord: "4847383", Links: &partnercenter.OrderLineItemLinks{Subscription: link("/customers/" + bulkCustomer(0) + "/subscriptions/" + loadedFirst)}},
			{OfferID: "X", SubscriptionID: loadedSecond, Quantity: new(0), Pricing: &partnercenter.Pricing{ListPrice: "5.00"}},
		},
	}}
	// What was loaded about a subscription of its own order.
	const described = "20000000-0000-4000-8000-000000000003"
	c.Orders = append(c.Orders, partnercenter.Order{ID: "c00000000003", ReferenceCustomerID: bulkCustomer(0), CreationDate: mustTime("2024-01-02T03:04:05Z"), LineItems: []partnercenter.OrderLineItem{
		{OfferID: "MS-AZR-0145P", SubscriptionID: described, Quantity: new(1), PartnerIDOnRecord: "4847383"},
	}})
	c.Subscriptions = []seed.Subscription{{Subscription: partnercenter.Subscription{ID: described, OrderID: "c00000000003", OfferID: "MS-AZR-0145P", Status: "suspended"}}}
	load(t, s, data)
	change := placed(bulkPartner, bulkCustomer(0), checkedPlaced)
	change.Subscriptions[0].Subscription.Links = &partnercenter.SubscriptionLinks{Self: link("/customers/" + bulkCustomer(0) + "/subscriptions/" + checkedSubject)}
	change.Subscriptions[0].Subscription.PartnerID = new("4847383")
	change.Answer = &Answer{Key: []byte("checked"), Digest: []byte("d"), Status: 201, Location: "/customers/" + bulkCustomer(0) + "/orders/" + checkedPlaced, Body: []byte(`{"id":"x"}`)}
	change.Attachments = []Attachment{{ID: "00000000000001", Metadata: "{}", Size: 3, Content: []byte("abc")}, {ID: "00000000000002", Metadata: `{"a":1}`}}
	change.Attachments[1].Content = []byte{}
	if err := s.Apply(t.Context(), change); err != nil {
		t.Fatal(err)
	}
	cart := newCart(bulkPartner, bulkCustomer(0))
	if err := s.Apply(t.Context(), bought(cart.Cart, placed(bulkPartner, bulkCustomer(0), checkedBought))); err != nil {
		t.Fatal(err)
	}
}

// damages are what is done to a database, and what is found of it.
var damages = []struct {
	what       string
	statements []string
	kind, want string // and a part of its words
	repairable bool
	order      string
}{
	{what: "a customer's columns", statements: []string{`UPDATE customers SET company_name = 'x', active = 0, country = 'XX' WHERE customer_id = '$CUSTOMER'`}, kind: FindColumn, want: "active, company_name, country", repairable: true},
	{what: "a summary", statements: []string{`UPDATE customers SET summary = '{' WHERE customer_id = '$CUSTOMER'`}, kind: FindColumn, want: "summary", repairable: true},
	{what: "a customer's document", statements: []string{`UPDATE customers SET doc = '{' WHERE customer_id = '$CUSTOMER'`}, kind: FindDocument, want: "cannot be read"},
	{what: "another customer's document", statements: []string{`UPDATE customers SET doc = (SELECT doc FROM customers WHERE customer_id = '$OTHER') WHERE customer_id = '$CUSTOMER'`}, kind: FindDocument, want: "that of customer"},
	{what: "a domain less", statements: []string{`DELETE FROM customer_domains WHERE customer_id = '$CUSTOMER' AND domain = 'two.example'`}, kind: FindColumn, want: `"two.example"`, repairable: true},
	{what: "a domain more", statements: []string{`INSERT INTO customer_domains (partner_id, customer_id, domain) VALUES ('$PARTNER', '$CUSTOMER', 'three.example')`}, kind: FindColumn, want: `"three.example"`, repairable: true},
	{what: "an order's columns", statements: []string{`UPDATE orders SET billing_cycle = 'annual', system = 1, partners_on_record = '' WHERE order_id = '$ORDER'`}, kind: FindColumn, want: "billing_cycle, system, partners_on_record", repairable: true, order: loadedOrder},
	{what: "an order's date", statements: []string{`UPDATE orders SET created = created + 1 WHERE order_id = '$ORDER'`}, kind: FindColumn, want: "created", repairable: true, order: loadedOrder},
	{what: "the document without prices", statements: []string{`UPDATE orders SET doc = '\xff' WHERE order_id = '$ORDER'`}, kind: FindColumn, want: "doc", repairable: true, order: loadedOrder},
	{what: "the document with prices", statements: []string{`UPDATE orders SET priced_doc = substr(priced_doc, 1, 20) WHERE order_id = '$ORDER'`}, kind: FindDocument, want: "with prices", order: loadedOrder},
	{what: "both documents", statements: []string{`UPDATE orders SET priced_doc = '', doc = '' WHERE order_id = '$ORDER'`}, kind: FindDocument, want: "neither", order: loadedOrder},
	{what: "another order's document", statements: []string{`UPDATE orders SET doc = (SELECT doc FROM orders WHERE order_id = '$PLACED'), priced_doc = NULL WHERE order_id = '$ORDER'`}, kind: FindDocument, want: "that of order", order: loadedOrder},
	{what: "facts", statements: []string{`UPDATE orders SET facts = 'x' WHERE order_id = '$PLACED'`}, kind: FindDocument, want: "facts", order: checkedPlaced},
	{what: "a loaded order that is not settled", statements: []string{`UPDATE orders SET settled = 5 WHERE order_id = '$ORDER'`}, kind: FindColumn, want: "settled from 5", repairable: true, order: loadedOrder},
	{what: "a revision", statements: []string{`UPDATE orders SET revision = -1 WHERE order_id = '$PLACED'`}, kind: FindRevision, want: "-1", order: checkedPlaced},
	{what: "an order's links", statements: []string{
		`UPDATE orders SET doc = replace(doc, 'orders/$ORDER', 'orders/30000000-0000-4000-8000-000000000000'), priced_doc = replace(priced_doc, 'orders/$ORDER', 'orders/30000000-0000-4000-8000-000000000000') WHERE order_id = '$ORDER'`,
	}, kind: FindLink, want: "orders/30000000", repairable: true, order: loadedOrder},
	{what: "a line's link", statements: []string{
		`UPDATE orders SET doc = replace(doc, 'subscriptions/$FIRST', 'subscriptions/x'), priced_doc = replace(priced_doc, 'subscriptions/$FIRST', 'subscriptions/x') WHERE order_id = '$ORDER'`,
	}, kind: FindLink, want: "subscriptions/x", repairable: true, order: loadedOrder},
	{what: "the order's customer", statements: []string{
		`UPDATE orders SET doc = replace(doc, '"referenceCustomerId":"$CUSTOMER"', '"referenceCustomerId":"$OTHER"'), priced_doc = replace(priced_doc, '"referenceCustomerId":"$CUSTOMER"', '"referenceCustomerId":"$OTHER"') WHERE order_id = '$ORDER'`,
	}, kind: FindLink, want: "referenceCustomerId", order: loadedOrder},
	{what: "a derived subscription", statements: []string{`UPDATE subscriptions SET active = 1, offer_id = 'y', mpn_id = '7' WHERE subscription_id = '$SECOND'`}, kind: FindSubscription, want: "mpn_id, offer_id, active", repairable: true, order: loadedOrder},
	{what: "a missing subscription", statements: []string{`DELETE FROM subscriptions WHERE subscription_id = '$FIRST'`}, kind: FindSubscription, want: "line 0 is missing", repairable: true, order: loadedOrder},
	{what: "a missing one of an order placed here", statements: []string{`DELETE FROM subscriptions WHERE subscription_id = '$SUBJECT'`}, kind: FindSubscription, want: "line 0 is missing", order: checkedPlaced},
	{what: "one of no line", statements: []string{
		`INSERT INTO subscriptions (partner_id, customer_id, subscription_id, order_id, entitlement_id, parent_id, mpn_id, offer_id, kind, active, since, loaded) VALUES ('$PARTNER', '$CUSTOMER', 'z', '$ORDER', '', '', '', '', '', 1, 0, 1)`,
	}, kind: FindSubscription, want: "no line", repairable: true, order: loadedOrder},
	{what: "one of no order", statements: []string{
		`INSERT INTO subscriptions (partner_id, customer_id, subscription_id, order_id, entitlement_id, parent_id, mpn_id, offer_id, kind, active, since, loaded) VALUES ('$PARTNER', '$CUSTOMER', 'z', 'gone', '', '', '', '', '', 1, 0, 1)`,
	}, kind: FindOrphan, want: "without its order", repairable: true, order: "gone"},
	{what: "a subscription's columns", statements: []string{`UPDATE subscriptions SET mpn_id = '', parent_id = 'x', active = 0 WHERE subscription_id = '$SUBJECT'`}, kind: FindColumn, want: "parent_id, mpn_id, active", repairable: true, order: checkedPlaced},
	{what: "a subscription's document", statements: []string{`UPDATE subscriptions SET doc = '' WHERE subscription_id = '$SUBJECT'`}, kind: FindDocument, want: "cannot be read", order: checkedPlaced},
	{what: "another subscription's document", statements: []string{`UPDATE subscriptions SET doc = replace(doc, '"id":"$SUBJECT"', '"id":"x"') WHERE subscription_id = '$SUBJECT'`}, kind: FindDocument, want: `that of "x"`, order: checkedPlaced},
	{what: "a subscription's facts", statements: []string{`UPDATE subscriptions SET facts = NULL WHERE subscription_id = '$SUBJECT'`}, kind: FindDocument, want: "facts", order: checkedPlaced},
	{what: "a subscription's order", statements: []string{`UPDATE subscriptions SET doc = replace(doc, '"orderId":"$PLACED"', '"orderId":"x"') WHERE subscription_id = '$SUBJECT'`}, kind: FindLink, want: `of order "x"`, order: checkedPlaced},
	{what: "a subscription's link", statements: []string{`UPDATE subscriptions SET doc = replace(doc, 'customers/$CUSTOMER', 'customers/x') WHERE subscription_id = '$SUBJECT'`}, kind: FindLink, want: "customers/x", repairable: true, order: checkedPlaced},
	{what: "an add-on of nothing", statements: []string{
		`UPDATE subscriptions SET doc = replace(doc, '"orderId"', '"parentSubscriptionId":"gone","orderId"'), parent_id = 'gone' WHERE subscription_id = '$SUBJECT'`,
	}, kind: FindLink, want: "gone", order: checkedPlaced},
	{what: "an attachment's size", statements: []string{`UPDATE attachments SET size = 4 WHERE customer_id = '$CUSTOMER' AND position = 0`}, kind: FindColumn, want: "has 3 bytes", repairable: true, order: checkedPlaced},
	{what: "an attachment's number", statements: []string{`UPDATE attachments SET position = 5 WHERE customer_id = '$CUSTOMER' AND position = 1`}, kind: FindCounter, want: "one by one", repairable: true, order: checkedPlaced},
	{what: "an attachment's metadata", statements: []string{`UPDATE attachments SET metadata = '{' WHERE customer_id = '$CUSTOMER' AND position = 1`}, kind: FindDocument, want: "metadata", order: checkedPlaced},
	{what: "an attachment of no order", statements: []string{`UPDATE attachments SET order_id = 'gone' WHERE customer_id = '$CUSTOMER'`}, kind: FindOrphan, want: "attachment", order: "gone"},
	{what: "a cart's document", statements: []string{`UPDATE carts SET doc = '{' WHERE customer_id = '$CUSTOMER'`}, kind: FindDocument, want: "cart"},
	{what: "another cart's document", statements: []string{`UPDATE carts SET doc = '{"id":"x"}' WHERE customer_id = '$CUSTOMER'`}, kind: FindDocument, want: `is that of "x"`},
	{what: "a cart's facts", statements: []string{`UPDATE carts SET facts = '' WHERE customer_id = '$CUSTOMER'`}, kind: FindDocument, want: "the facts of cart"},
	{what: "a cart's revision", statements: []string{`UPDATE carts SET revision = -1 WHERE customer_id = '$CUSTOMER'`}, kind: FindRevision, want: "-1"},
	{what: "a cart's order", statements: []string{`UPDATE carts SET facts = replace(facts, 'c00000000002', 'gone') WHERE customer_id = '$CUSTOMER'`}, kind: FindOrphan, want: "was bought with an order", order: "gone"},
	{what: "an answer", statements: []string{`UPDATE requests SET body = substr(body, 1, 3) WHERE customer_id = '$CUSTOMER'`}, kind: FindDocument, want: "answer"},
	{what: "an answer's order", statements: []string{`UPDATE requests SET location = location || 'x' WHERE customer_id = '$CUSTOMER'`}, kind: FindOrphan, want: "names an order", order: checkedPlaced + "x"},
	{what: "a customer that is gone", statements: []string{`DELETE FROM customers WHERE customer_id = '$CUSTOMER'`}, kind: FindOrphan, want: "of orders are there without"},
	{what: "a partner that is gone", statements: []string{`DELETE FROM partners WHERE partner_id = '$PARTNER'`}, kind: FindOrphan, want: "without its partner"},
	{what: "an app of a partner that is not there", statements: []string{`UPDATE apps SET partner_id = 'gone' WHERE partner_id = '$A'`}, kind: FindOrphan, want: "app"},
	{what: "a user of a partner that is not there", statements: []string{`UPDATE users SET partner_id = 'gone'`}, kind: FindOrphan, want: "user"},
	{what: "an app's list", statements: []string{`UPDATE apps SET certificates = '{}' WHERE partner_id = '$A'`}, kind: FindDocument, want: "certificates of app"},
	{what: "a user's key", statements: []string{`UPDATE users SET upn_key = upper(upn_key)`}, kind: FindColumn, want: "has the key"},
	{what: "a sign-in's revision", statements: []string{`UPDATE sign_ins SET revision = 0 WHERE id = '1'`}, kind: FindRevision, want: "sign-in"},
}

// wreckers open a database without what keeps it in order, as no program does.
var wreckers = map[string]func(t *testing.T, name string) *sql.DB{
	"sqlite": func(t *testing.T, name string) *sql.DB {
		db, err := sql.Open("sqlite", name)
		if err != nil {
			t.Fatal(err)
		}
		return db
	},
	"postgres": func(t *testing.T, name string) *sql.DB {
		config, err := pgx.ParseConfig(name)
		if err != nil {
			t.Fatal(err)
		}
		db := stdlib.OpenDB(*config)
		mustExec(t, db, `
DO $$
DECLARE c record;
BEGIN
    FOR c IN SELECT conrelid::regclass AS of, conname FROM pg_constraint WHERE contype = 'f' AND conparentid = 0 LOOP
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', c.of, c.conname);
    END LOOP;
END
$$`)
		return db
	},
}

func mustExec(t *testing.T, db *sql.DB, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

// TestCheck damages databases in each way that is found, and repairs what can be.
func TestCheck(t *testing.T) {
	places := places(t)
	names := strings.NewReplacer("$CUSTOMER", bulkCustomer(0), "$OTHER", bulkCustomer(1), "$PARTNER", bulkPartner, "$ORDER", loadedOrder, "$PLACED", checkedPlaced,
		"$FIRST", loadedFirst, "$SECOND", loadedSecond, "$SUBJECT", checkedSubject, "$A", partnerA)
	for _, dialect := range []string{"sqlite", "postgres"} {
		t.Run(dialect, func(t *testing.T) {
			name := places[dialect]()
			fillForCheck(t, name)
			server := openTest(t, name)
			r, err := Check(t.Context(), name, CheckOptions{})
			if err != nil || len(r.Findings) > 0 || r.Customers == 0 || r.Orders == 0 {
				t.Fatalf("nothing is wrong: %+v, %v", r, err)
			}
			inUse := ErrServersRun
			if dialect == "sqlite" {
				inUse = ErrLocked
			}
			if _, err := Check(t.Context(), name, CheckOptions{Repair: true}); !errors.Is(err, inUse) {
				t.Errorf("a repair beside a server: %v", err)
			}
			if err := server.Close(); err != nil {
				t.Fatal(err)
			}
			_, whole := backUp(t, name)
			db := wreckers[dialect](t, name)
			defer db.Close()
			for _, table := range tables {
				if table.owner != ofServers {
					mustExec(t, db, `CREATE TABLE kept_`+table.name+` AS SELECT * FROM `+table.name)
				}
			}
			for _, damage := range damages {
				for _, statement := range damage.statements {
					mustExec(t, db, names.Replace(statement))
				}
				r, err := Check(t.Context(), name, CheckOptions{})
				if err != nil {
					t.Fatalf("%s: %v", damage.what, err)
				}
				is := func(f Finding) bool {
					return f.Kind == damage.kind && strings.Contains(f.What, damage.want) && f.Repairable == damage.repairable && f.Order == damage.order
				}
				if !slices.ContainsFunc(r.Findings, is) || damage.repairable && len(r.Findings) > 1 {
					t.Errorf("%s: found %+v", damage.what, r.Findings)
				}
				if damage.repairable || damage.kind == FindRevision { // one of the others will do
					repaired, err := Check(t.Context(), name, CheckOptions{Repair: true})
					if err != nil {
						t.Fatalf("%s: %v", damage.what, err)
					}
					if len(repaired.Findings) != 1 || repaired.Findings[0].Repaired != damage.repairable {
						t.Errorf("%s: after a repair there is %+v", damage.what, repaired.Findings)
					}
					if _, after := backUp(t, name); damage.repairable != (after.Digest == whole.Digest) {
						t.Errorf("%s: after a repair it is as it was: %v", damage.what, after.Digest == whole.Digest)
					}
				}
				for _, table := range slices.Backward(tables) {
					if table.owner != ofServers {
						mustExec(t, db, `DELETE FROM `+table.name)
					}
				}
				for _, table := range tables {
					if table.owner != ofServers {
						mustExec(t, db, `INSERT INTO `+table.name+` SELECT * FROM kept_`+table.name)
					}
				}
			}
			checkDuplicates(t, dialect, name, db)
		})
	}
}

// checkDuplicates has tables that allow what no other does.
func checkDuplicates(t *testing.T, dialect, name string, db *sql.DB) {
	for _, table := range []string{"customers", "orders", "subscriptions", "apps", "users", "sign_ins"} {
		if dialect == "sqlite" {
			mustExec(t, db, `DROP TABLE `+table, `CREATE TABLE `+table+` AS SELECT * FROM kept_`+table)
			continue
		}
		mustExec(t, db, `DROP TABLE `+table+` CASCADE`, `CREATE TABLE `+table+` AS SELECT * FROM kept_`+table)
		if table == "sign_ins" {
			mustExec(t, db, `CREATE SEQUENCE numbers OWNED BY sign_ins.sign_in_no`, `SELECT setval('numbers', 2)`)
		}
	}
	mustExec(t, db,
		`INSERT INTO customers SELECT * FROM kept_customers WHERE customer_id = '`+bulkCustomer(0)+`'`,
		`INSERT INTO orders SELECT * FROM kept_orders WHERE order_id = '`+checkedPlaced+`'`,
		`INSERT INTO subscriptions SELECT * FROM kept_subscriptions WHERE subscription_id = '`+loadedFirst+`'`,
		`INSERT INTO sign_ins SELECT * FROM kept_sign_ins WHERE id = '1'`,
		`UPDATE apps SET client_id = 'same'`,
		`UPDATE users SET upn_key = 'same', upn = 'Same'`,
	)
	r, err := Check(t.Context(), name, CheckOptions{})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"the customer is there 2 times", "the order is there more than once", "subscription " + loadedFirst + " is there more than once", "a sign-in of kind grant is there more", "app same is also", "user Same is also"}
	if dialect == "postgres" {
		want = append(want, "the next sign-in gets the number 3")
	}
	for _, want := range want {
		if !slices.ContainsFunc(r.Findings, func(f Finding) bool {
			return strings.Contains(f.What, want) && f.Kind == FindDuplicate || strings.HasPrefix(f.What, want) && f.Repairable
		}) {
			t.Errorf("%q is not found in %+v", want, r.Findings)
		}
	}
	if dialect == "postgres" {
		if _, err := Check(t.Context(), name, CheckOptions{Repair: true}); err != nil {
			t.Fatal(err)
		}
		var next int64
		if err := db.QueryRow(`SELECT nextval('numbers')`).Scan(&next); err != nil || next < 4 {
			t.Errorf("%d, %v", next, err)
		}
	}
}

// TestCheckOfOld finds nothing in databases of earlier versions.
func TestCheckOfOld(t *testing.T) {
	path, db := oldDatabase(t, 1)
	mustExec(t, db, `INSERT INTO partners VALUES ('`+partnerA+`', 'A', 'a.example', '1', 'US')`)
	for i := range 5 {
		customer := bulkSeedCustomer(7, i, 3, "x")
		args, err := customerArgs(partnerA, idKey(customer.Customer.ID), &customer.Customer)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := db.Exec(`INSERT INTO customers VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`, args[:8]...); err != nil {
			t.Fatal(err)
		}
		for n := range customer.Orders {
			o := &customer.Orders[n]
			o.LineItems[0].SubscriptionID = guid.Derived("x", o.ID)
			o.LineItems[0].OfferID, o.LineItems[0].Links = "MS-AZR-0145P", nil
			args, err := orderArgs(partnerA, idKey(customer.Customer.ID), o)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := db.Exec(`INSERT INTO orders (partner_id, customer_id, order_id, created, billing_cycle, system, partners_on_record, doc, priced_doc) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`, args...); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Check(t.Context(), path, CheckOptions{}); !errors.Is(err, ErrOlder) {
		t.Errorf("before it is up to date: %v", err)
	}
	openTest(t, path)
	if r, err := Check(t.Context(), path, CheckOptions{}); err != nil || len(r.Findings) > 0 || r.Orders != 15 {
		t.Errorf("%+v, %v", r, err)
	}
}

// TestCheckOfFile has SQLite find damage in an index.
func TestCheckOfFile(t *testing.T) {
	name := places(t)["sqlite"]()
	fillForCopy(t, name, 30, 2)
	db := wreckers["sqlite"](t, name)
	var page int64
	if err := db.QueryRow(`SELECT rootpage FROM sqlite_schema WHERE name = 'customers_by_domain'`).Scan(&page); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt(make([]byte, 100), page*pageSize-100); err != nil { // the end of the page has the first entries
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := Check(t.Context(), name, CheckOptions{})
	if err != nil || !slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.Kind == FindFile && strings.Contains(f.What, "customers_by_domain") }) {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestCheckRefuses(t *testing.T) {
	places := places(t)
	full, half := places["sqlite"](), places["sqlite"]()
	fillForCopy(t, full, 8, 5)
	interrupted(t, full, half)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, repair := range []bool{false, true} {
		for what, test := range map[string]struct {
			name string
			want error
		}{
			"nothing":         {places["sqlite"](), ErrNothing},
			"an empty one":    {places["postgres"](), ErrNothing},
			"a temporary one": {":memory:", ErrTemporary},
			"half a copy":     {half, ErrCopying},
		} {
			if _, err := Check(t.Context(), test.name, CheckOptions{Repair: repair}); !errors.Is(err, test.want) {
				t.Errorf("%s, repair %v: %v", what, repair, err)
			}
		}
		if _, err := Check(ctx, full, CheckOptions{Repair: repair}); !errors.Is(err, context.Canceled) {
			t.Errorf("interrupted: %v", err)
		}
	}
}
