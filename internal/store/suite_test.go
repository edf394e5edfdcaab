package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/guid"
	"github.com/partnercenter-go/partnercenter/internal/seed"
)

// The ids of the suite's data. Partners A and B share a customer id and an
// order id on purpose.
const (
	partnerA = "aaaaaaaa-0000-4000-8000-000000000001"
	partnerB = "bbbbbbbb-0000-4000-8000-000000000002"

	shared    = "c0000000-0000-4000-8000-0000000000c1" // customer of A and of B
	onlyB     = "c0000000-0000-4000-8000-0000000000c2"
	former    = "c0000000-0000-4000-8000-0000000000c3" // left A
	orderless = "c0000000-0000-4000-8000-0000000000c4"

	legacyOrder = "EEBA9D00-7B46-443A-917E-22887A8FC993"
	shortOrder  = "9qg-ErcO-4MPbPqq_3MIQaS7bn8W6HfG1"

	resellerA = "dddddddd-0000-4000-8000-00000000000a" // MPN 4847383 for A, 111 for B
)

// suiteNow is the suite's clock.
var suiteNow = time.Date(2024, 5, 1, 12, 0, 0, 0, time.UTC)

// testStore is the suite that every dialect must pass. open returns an empty database
// whose clock is at suiteNow.
func testStore(t *testing.T, open func(t *testing.T) *Store) {
	loaded := func(t *testing.T) *Store {
		s := open(t)
		load(t, s, suiteSeed())
		return s
	}
	t.Run("fresh until loaded", func(t *testing.T) { testFresh(t, open(t)) })
	t.Run("load", func(t *testing.T) { testLoad(t, open(t)) })
	t.Run("load is all or nothing", func(t *testing.T) { testLoadFails(t, open(t)) })
	t.Run("customers keep what is known", func(t *testing.T) { testBriefCustomers(t, open(t)) })
	t.Run("apps keep their secrets", func(t *testing.T) { testApps(t, open(t)) })
	t.Run("apps are kept whole", func(t *testing.T) { testPutApp(t, loaded(t)) })
	t.Run("users keep their object ids", func(t *testing.T) { testUsers(t, open(t)) })
	t.Run("users are kept whole", func(t *testing.T) { testPutUser(t, loaded(t)) })
	t.Run("consents", func(t *testing.T) { testConsents(t, loaded(t)) })
	t.Run("consents at once", func(t *testing.T) { testConsentChanges(t, loaded(t)) })
	t.Run("sign-ins", func(t *testing.T) { testSignIns(t, loaded(t)) })
	t.Run("sign-ins are bounded", func(t *testing.T) { testTrimSignIns(t, loaded(t)) })
	t.Run("apps and users at once", func(t *testing.T) { testChangesOfPartners(t, loaded(t)) })
	t.Run("filled once", func(t *testing.T) { testFill(t, open(t)) })
	t.Run("reset", func(t *testing.T) { testReset(t, loaded(t)) })
	t.Run("figures", func(t *testing.T) { testFigures(t, loaded(t)) })
	t.Run("settings", func(t *testing.T) { testSettings(t, open(t)) })
	t.Run("documents", func(t *testing.T) { testDocuments(t, loaded(t)) })
	t.Run("order ids", func(t *testing.T) { testOrderIDs(t, loaded(t)) })
	t.Run("order of orders", func(t *testing.T) { testOrderOfOrders(t, open(t)) })
	t.Run("order filters", func(t *testing.T) { testOrderFilters(t, loaded(t)) })
	t.Run("tenancy", func(t *testing.T) { testTenancy(t, loaded(t)) })
	t.Run("custom domains", func(t *testing.T) { testCustomDomains(t, loaded(t)) })
	t.Run("customers' tenants", func(t *testing.T) { testCustomerTenants(t, loaded(t)) })
	t.Run("customer filters", func(t *testing.T) { testCustomerFilters(t, open(t)) })
	t.Run("customer filters agree with Go", func(t *testing.T) { testFilterModel(t, open(t)) })
	t.Run("customer pages", func(t *testing.T) { testCustomerPages(t, open(t)) })
	t.Run("versions", func(t *testing.T) { testVersions(t, loaded(t)) })
	t.Run("keys and secrets", func(t *testing.T) { testKeys(t, open(t)) })
	t.Run("cancellation", func(t *testing.T) { testCancellation(t, loaded(t)) })
	t.Run("changes", func(t *testing.T) { testChanges(t, loaded(t)) })
	t.Run("several orders in a change", func(t *testing.T) { testSeveralOrders(t, loaded(t)) })
	t.Run("changes decided on what is no longer so", func(t *testing.T) { testConflicts(t, loaded(t)) })
	t.Run("a change that cannot be written", func(t *testing.T) { testBrokenChange(t, loaded(t)) })
	t.Run("answers", func(t *testing.T) { testAnswers(t, loaded(t)) })
	t.Run("time alone", func(t *testing.T) { testTimeAlone(t, loaded(t)) })
	t.Run("subscriptions", func(t *testing.T) { testSubscriptions(t, loaded(t)) })
	t.Run("carts", func(t *testing.T) { testCarts(t, loaded(t)) })
	t.Run("loaded subscriptions and carts", func(t *testing.T) { testDescribed(t, loaded(t)) })
	t.Run("attachments", func(t *testing.T) { testAttachments(t, loaded(t)) })
	t.Run("readers during writes", func(t *testing.T) { testReadersDuringWrites(t, open(t)) })
}

func load(t testing.TB, s *Store, data *seed.Seed) LoadResult {
	t.Helper()
	r, err := s.Load(t.Context(), data)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func mustSample(t testing.TB) *seed.Seed {
	t.Helper()
	sample, err := seed.Sample()
	if err != nil {
		t.Fatal(err)
	}
	return sample
}

func mustTime(text string) partnercenter.Time {
	t, err := partnercenter.ParseTime(text)
	if err != nil {
		panic(err)
	}
	return t
}

func customer(id, company string) partnercenter.Customer {
	return partnercenter.Customer{
		ID:                    id,
		CompanyProfile:        &partnercenter.CustomerCompanyProfile{TenantID: id, CompanyName: company, Domain: strings.ToLower(company) + ".example"},
		RelationshipToPartner: partnercenter.RelationshipToPartnerReseller,
	}
}

func suiteSeed() *seed.Seed {
	full := customer(strings.ToUpper(shared), "Contoso")
	full.CommerceID = "commerce"
	full.BillingProfile = &partnercenter.CustomerBillingProfile{ID: "billing"}
	full.CompanyProfile.Email = "info@contoso.example"
	full.UserCredentials = &partnercenter.UserCredentials{UserName: "admin", Password: "hush"}
	full.Attributes = &partnercenter.ResourceAttributes{ObjectType: partnercenter.ObjectTypeCustomer}
	gone := customer(former, "Former")
	gone.RelationshipToPartner = "None"
	return &seed.Seed{Partners: []seed.Partner{
		{
			Tenant:            seed.Tenant{TenantID: strings.ToUpper(partnerA), Name: "A", Domain: "a.example", MPNID: "1", Country: "US"},
			Apps:              []seed.App{{ClientID: "aaaaaaaa-0000-4000-8000-0000000000aa", Name: "app", Secret: "given"}},
			IndirectResellers: []seed.IndirectReseller{{TenantID: resellerA, Name: "R", MPNID: "4847383", Location: "US"}},
			Customers: []seed.Customer{
				{Customer: full, Orders: []partnercenter.Order{
					{
						ID: legacyOrder, BillingCycle: "Monthly", CreationDate: mustTime("2018-03-06T17:37:05.253-08:00"),
						LineItems: []partnercenter.OrderLineItem{{FriendlyName: "priced", PartnerIDOnRecord: "4847383", Pricing: &partnercenter.Pricing{Price: "4.10"}}},
					},
					{
						ID: shortOrder, BillingCycle: "OneTime", CreationDate: mustTime("2018-03-15T02:17:15.6455674Z"),
						TotalPrice: "12.5", LineItems: []partnercenter.OrderLineItem{{PartnerIDOnRecord: "484738"}, {PartnerIDOnRecord: "77"}},
					},
					{ID: "system", TransactionType: "systemPurchase", CreationDate: mustTime("2018-03-01")},
				}},
				{Customer: gone, Orders: []partnercenter.Order{{ID: "old"}}},
				{Customer: customer(orderless, "Orderless")},
			},
		},
		{
			Tenant:            seed.Tenant{TenantID: partnerB, Name: "B"},
			IndirectResellers: []seed.IndirectReseller{{TenantID: resellerA, Name: "R of B", MPNID: "111"}},
			Customers: []seed.Customer{
				{Customer: customer(shared, "Contoso of B"), Orders: []partnercenter.Order{{ID: shortOrder, CurrencyCode: "EUR"}}},
				{Customer: customer(onlyB, "Fabrikam"), Orders: []partnercenter.Order{{ID: "b2"}}},
			},
		},
	}}
}

// orderIDs lists orders and returns their ids, the count having been checked.
func orderIDs(t testing.TB, s *Store, q OrderQuery) []string {
	t.Helper()
	items, n, err := listOrders(t.Context(), s, []byte("["), q)
	if err != nil {
		t.Fatal(err)
	}
	var orders []partnercenter.Order
	if err := partnercenter.Unmarshal(append(items, ']'), &orders); err != nil {
		t.Fatalf("%v in %s", err, items)
	}
	if len(orders) != n {
		t.Fatalf("count is %d, but there are %d documents: %s", n, len(orders), items)
	}
	ids := []string{}
	for _, o := range orders {
		ids = append(ids, o.ID)
	}
	return ids
}

// companies lists customers and returns their company names.
func companies(t testing.TB, s *Store, q CustomerQuery) []string {
	t.Helper()
	list, err := s.ListCustomers(t.Context(), []byte("["), q)
	if err != nil {
		t.Fatal(err)
	}
	var customers []partnercenter.Customer
	if err := partnercenter.Unmarshal(append(list.Items, ']'), &customers); err != nil {
		t.Fatalf("%v in %s", err, list.Items)
	}
	if len(customers) != list.Count {
		t.Fatalf("count is %d, but there are %d documents: %s", list.Count, len(customers), list.Items)
	}
	names := []string{}
	for _, c := range customers {
		names = append(names, c.CompanyProfile.CompanyName)
	}
	return names
}

func same(t testing.TB, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("want -, got +:\n%s", diff)
	}
}

func fails(t testing.TB, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("got error %v, want %v", err, want)
	}
}

func testFresh(t *testing.T, s *Store) {
	if !s.Fresh() {
		t.Error("a new database is not fresh")
	}
	load(t, s, &seed.Seed{})
	if s.Fresh() {
		t.Error("still fresh after a load of nothing")
	}
	if err := s.Ping(t.Context()); err != nil {
		t.Error(err)
	}
}

func testLoad(t *testing.T, s *Store) {
	data := suiteSeed()
	want := LoadResult{Partners: 2, Apps: 1, IndirectResellers: 2, Customers: 5, Orders: 6, Changed: 16}
	same(t, load(t, s, data), want)
	want.Changed = 0
	same(t, load(t, s, data), want)

	data.Partners[0].Customers[0].Orders[0].Status = partnercenter.OrderStatusCancelled
	data.Partners[0].Customers[0].Orders[1].TotalPrice = "13"
	want.Changed = 2
	same(t, load(t, s, data), want)
	doc, err := getOrder(t.Context(), s, partnerA, shared, legacyOrder, false)
	if err != nil || !strings.Contains(string(doc), `"status":"cancelled"`) {
		t.Errorf("the order was not replaced: %s, %v", doc, err)
	}

	partners, err := s.Partners(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	same(t, partners, []seed.Tenant{
		{TenantID: partnerA, Name: "A", Domain: "a.example", MPNID: "1", Country: "US"},
		{TenantID: partnerB, Name: "B"},
	})
}

func testLoadFails(t *testing.T, s *Store) {
	for name, spoil := range map[string]func(*seed.Seed){
		"order without id":    func(s *seed.Seed) { s.Partners[1].Customers[1].Orders[0].ID = "" },
		"customer without id": func(s *seed.Seed) { s.Partners[1].Customers[1].Customer.ID = "" },
		"partner without id":  func(s *seed.Seed) { s.Partners[1].TenantID = "" },
		"bad amount":          func(s *seed.Seed) { s.Partners[1].Customers[1].Orders[0].TotalPrice = "lots" },
	} {
		data := suiteSeed()
		spoil(data)
		if _, err := s.Load(t.Context(), data); err == nil {
			t.Errorf("%s: loaded", name)
		}
		if partners, err := s.Partners(t.Context()); err != nil || len(partners) != 0 {
			t.Errorf("%s: left %v, %v", name, partners, err)
		}
	}
	if !s.Fresh() {
		t.Error("a failed load ended freshness")
	}
}

func testApps(t *testing.T, s *Store) {
	id := "aaaaaaaa-0000-4000-8000-0000000000aa"
	data := func(a seed.App) *seed.Seed {
		a.ClientID = id
		return &seed.Seed{Partners: []seed.Partner{{Tenant: seed.Tenant{TenantID: partnerA}, Apps: []seed.App{a}}}}
	}
	get := func() seed.App {
		t.Helper()
		apps, err := s.Apps(t.Context(), strings.ToUpper(partnerA))
		if err != nil || len(apps) != 1 {
			t.Fatalf("apps %v, %v", apps, err)
		}
		return apps[0]
	}
	load(t, s, data(seed.App{Name: "one"}))
	made := get()
	if len(made.Secret) != 40 || !guid.Is(made.ObjectID) {
		t.Errorf("made %+v", made)
	}
	load(t, s, data(seed.App{Name: "two"}))
	made.Name = "two"
	same(t, get(), made)
	load(t, s, data(seed.App{Name: "two", Secret: "given"}))
	made.Secret = "given"
	same(t, get(), made)
	if apps, err := s.Apps(t.Context(), partnerB); err != nil || len(apps) != 0 {
		t.Errorf("apps of another partner: %v, %v", apps, err)
	}
}

func testDocuments(t *testing.T, s *Store) {
	ctx := t.Context()
	doc, err := s.GetCustomer(ctx, partnerA, shared)
	if err != nil {
		t.Fatal(err)
	}
	same(t, string(doc), `{"id":"C0000000-0000-4000-8000-0000000000C1","commerceId":"commerce",`+
		`"companyProfile":{"tenantId":"C0000000-0000-4000-8000-0000000000C1","domain":"contoso.example","companyName":"Contoso","email":"info@contoso.example"},`+
		`"billingProfile":{"id":"billing"},"relationshipToPartner":"reseller","attributes":{"objectType":"Customer"}}`)

	list, err := s.ListCustomers(ctx, []byte("x"), CustomerQuery{PartnerID: partnerA})
	if err != nil || list.Count != 2 || list.First != shared || list.Last != orderless || list.More {
		t.Errorf("listed %d from %s to %s, more %v, %v", list.Count, list.First, list.Last, list.More, err)
	}
	same(t, string(list.Items), `x{"id":"C0000000-0000-4000-8000-0000000000C1",`+
		`"companyProfile":{"tenantId":"C0000000-0000-4000-8000-0000000000C1","domain":"contoso.example","companyName":"Contoso"},`+
		`"relationshipToPartner":"reseller","attributes":{"objectType":"Customer"}},`+
		`{"id":"c0000000-0000-4000-8000-0000000000c4",`+
		`"companyProfile":{"tenantId":"c0000000-0000-4000-8000-0000000000c4","domain":"orderless.example","companyName":"Orderless"},`+
		`"relationshipToPartner":"reseller"}`)

	const (
		plain  = `{"id":"EEBA9D00-7B46-443A-917E-22887A8FC993","billingCycle":"Monthly","lineItems":[{"friendlyName":"priced","partnerIdOnRecord":"4847383"}],"creationDate":"2018-03-06T17:37:05.253-08:00"}`
		priced = `{"id":"EEBA9D00-7B46-443A-917E-22887A8FC993","billingCycle":"Monthly","lineItems":[{"friendlyName":"priced","partnerIdOnRecord":"4847383","pricing":{"price":4.10}}],"creationDate":"2018-03-06T17:37:05.253-08:00"}`
	)
	for withPrice, want := range map[bool]string{false: plain, true: priced} {
		if doc, err = getOrder(ctx, s, partnerA, shared, legacyOrder, withPrice); err != nil {
			t.Fatal(err)
		}
		same(t, string(doc), want)
		items, n, err := listOrders(ctx, s, []byte("x"), OrderQuery{PartnerID: partnerA, CustomerID: shared, BillingCycle: "monthly", IncludePrice: withPrice})
		if err != nil || n != 1 {
			t.Fatal(n, err)
		}
		same(t, string(items), "x"+want)
	}
	if doc, err = getOrder(ctx, s, partnerA, shared, "system", true); err != nil {
		t.Fatal(err)
	}
	same(t, string(doc), `{"id":"system","creationDate":"2018-03-01","transactionType":"systemPurchase"}`)

	items, n, err := listOrders(ctx, s, []byte("x"), OrderQuery{PartnerID: partnerA, CustomerID: orderless})
	if string(items) != "x" || n != 0 || err != nil {
		t.Errorf("orders of a customer without any: %s, %d, %v", items, n, err)
	}
}

func testOrderIDs(t *testing.T, s *Store) {
	for _, test := range []struct {
		id   string
		want error
	}{
		{legacyOrder, nil},
		{strings.ToLower(legacyOrder), nil},
		{shortOrder, nil},
		{strings.ToLower(shortOrder), ErrOrderNotFound},
		{"System", ErrOrderNotFound},
		{"", ErrOrderNotFound},
		{"%", ErrOrderNotFound},
	} {
		if _, err := getOrder(t.Context(), s, strings.ToUpper(partnerA), strings.ToUpper(shared), test.id, false); !errors.Is(err, test.want) {
			t.Errorf("%q: got %v, want %v", test.id, err, test.want)
		}
	}
}

func testOrderOfOrders(t *testing.T, s *Store) {
	data := &seed.Seed{Partners: []seed.Partner{{Tenant: seed.Tenant{TenantID: partnerA}, Customers: []seed.Customer{{Customer: customer(shared, "Contoso")}}}}}
	for _, o := range []struct{ id, created string }{
		{"none", ""}, {"unset", "0001-01-01T00:00:00"}, {"odd", "yesterday"},
		{"tie-b", "2020-01-01T00:00:00Z"}, {"tie-a", "2020-01-01T01:00:00+01:00"}, {"TIE", "2019-12-31T16:00:00-08:00"},
		{"later, though its text is smaller", "2019-12-31T23:00:00-08:00"},
		{"100 ns earlier", "2019-12-31T23:59:59.9999999Z"},
		{"never", "9999-12-31T23:59:59Z"}, {"old", "1899-01-01"},
	} {
		order := partnercenter.Order{ID: o.id}
		if err := order.CreationDate.UnmarshalText([]byte(o.created)); err != nil {
			t.Fatal(err)
		}
		data.Partners[0].Customers[0].Orders = append(data.Partners[0].Customers[0].Orders, order)
	}
	load(t, s, data)
	same(t, orderIDs(t, s, OrderQuery{PartnerID: partnerA, CustomerID: shared}), []string{
		"never", "later, though its text is smaller", "tie-b", "tie-a", "TIE", "100 ns earlier", "old", "unset", "odd", "none",
	})
}

func testOrderFilters(t *testing.T, s *Store) {
	short, legacy := shortOrder, legacyOrder
	for _, test := range []struct {
		name string
		q    OrderQuery
		want []string
	}{
		{"none", OrderQuery{}, []string{short, legacy}},
		{"system purchases", OrderQuery{IncludeSystemPurchases: true}, []string{short, legacy, "system"}},
		{"one_time", OrderQuery{BillingCycle: "one_time"}, []string{short}},
		{"another spelling", OrderQuery{BillingCycle: "MONTHLY"}, []string{legacy}},
		{"no such cycle", OrderQuery{BillingCycle: "weekly"}, []string{}},
		{"MPN id", OrderQuery{IndirectReseller: "4847383"}, []string{legacy}},
		{"MPN id that begins another", OrderQuery{IndirectReseller: "484738"}, []string{short}},
		{"MPN id of a second line", OrderQuery{IndirectReseller: "77"}, []string{short}},
		{"tenant id", OrderQuery{IndirectReseller: strings.ToUpper(resellerA)}, []string{legacy}},
		{"unknown tenant id", OrderQuery{IndirectReseller: partnerB}, []string{}},
		{"wildcard", OrderQuery{IndirectReseller: "%"}, []string{}},
		{"blank", OrderQuery{IndirectReseller: " "}, []string{}},
		{"all", OrderQuery{IndirectReseller: resellerA, BillingCycle: "monthly", IncludePrice: true, IncludeSystemPurchases: true}, []string{legacy}},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.q.PartnerID, test.q.CustomerID = partnerA, shared
			same(t, orderIDs(t, s, test.q), test.want)
		})
	}
}

func testTenancy(t *testing.T, s *Store) {
	ctx := t.Context()
	for _, test := range []struct{ partner, customer string }{
		{partnerA, onlyB}, {partnerB, orderless}, {partnerA, former}, {partnerA, partnerA},
		{onlyB, onlyB}, {"", onlyB}, {"", ""}, {partnerB, ""}, {"%", "%"}, {partnerA + shared, ""},
	} {
		_, _, err := listOrders(ctx, s, nil, OrderQuery{PartnerID: test.partner, CustomerID: test.customer, IncludeSystemPurchases: true})
		fails(t, err, ErrNotYours)
		for _, order := range []string{"b2", "old", "x"} {
			_, err = getOrder(ctx, s, test.partner, test.customer, order, true)
			fails(t, err, ErrNotYours)
		}
		_, err = s.GetCustomer(ctx, test.partner, test.customer)
		fails(t, err, ErrNotYours)
	}
	// What both have is each one's own.
	for partner, want := range map[string]string{partnerA: `"totalPrice":12.5`, partnerB: `"currencyCode":"EUR"`} {
		doc, err := getOrder(ctx, s, partner, shared, shortOrder, true)
		if err != nil || !strings.Contains(string(doc), want) {
			t.Errorf("%s has %s, %v", partner, doc, err)
		}
	}
	same(t, orderIDs(t, s, OrderQuery{PartnerID: partnerB, CustomerID: shared, IncludeSystemPurchases: true}), []string{shortOrder})
	same(t, orderIDs(t, s, OrderQuery{PartnerID: partnerB, CustomerID: shared, IndirectReseller: resellerA}), []string{})
	same(t, companies(t, s, CustomerQuery{PartnerID: partnerA}), []string{"Contoso", "Orderless"})
	same(t, companies(t, s, CustomerQuery{PartnerID: partnerB}), []string{"Contoso of B", "Fabrikam"})
	same(t, companies(t, s, CustomerQuery{PartnerID: onlyB}), []string{})
	resellers, err := s.IndirectResellers(ctx, partnerB)
	if err != nil {
		t.Fatal(err)
	}
	same(t, resellers, []seed.IndirectReseller{{TenantID: resellerA, Name: "R of B", MPNID: "111"}})
}

func testVersions(t *testing.T, s *Store) {
	version := func() uint64 { return s.OrdersVersion(partnerA, shared) }
	if s.OrdersVersion(strings.ToUpper(partnerA), strings.ToUpper(shared)) != version() {
		t.Error("the version depends on the case of ids")
	}
	data := suiteSeed()
	before := version()
	load(t, s, data)
	if version() != before {
		t.Error("the version changed though nothing did")
	}
	data.Partners[1].Customers[1].Orders[0].Status = "pending"
	load(t, s, data)
	if version() != before {
		t.Error("the version changed with another customer's order")
	}
	for name, change := range map[string]func(*seed.Partner){
		"order":        func(p *seed.Partner) { p.Customers[0].Orders[0].Status = "pending" },
		"price":        func(p *seed.Partner) { p.Customers[0].Orders[1].TotalPrice = "1" },
		"relationship": func(p *seed.Partner) { p.Customers[0].Customer.RelationshipToPartner = "none" },
		"reseller":     func(p *seed.Partner) { p.IndirectResellers[0].MPNID = "484738" },
	} {
		before := version()
		change(&data.Partners[0])
		load(t, s, data)
		if version() == before {
			t.Errorf("%s: the version did not change", name)
		}
	}
	before = version()
	if s.BumpAllVersions(); version() == before {
		t.Error("raising all versions left one")
	}
	before = version()
	data.Partners[0].Customers[0].Orders = append(data.Partners[0].Customers[0].Orders, partnercenter.Order{})
	data.Partners[0].Customers[0].Orders[0].Status = "completed"
	if _, err := s.Load(t.Context(), data); err == nil || version() != before {
		t.Errorf("a failed load: %v, version %d -> %d", err, before, version())
	}
	if n := testing.AllocsPerRun(10, func() { version() }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func testUsers(t *testing.T, s *Store) {
	users := func(partner string) []seed.User {
		list, err := s.Users(t.Context(), strings.ToUpper(partner))
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	data := suiteSeed()
	data.Partners[0].Users = []seed.User{
		{UserPrincipalName: "Zoe@a.example", ObjectID: "EEEEEEEE-0000-4000-8000-00000000000E", Name: "Zoe", Password: "given"},
		{UserPrincipalName: "ada@a.example", Name: "Ada", Roles: []partnercenter.UserRole{"GlobalAdmin", partnercenter.UserRoleSalesAgent}},
	}
	if n := load(t, s, data).Users; n != 2 {
		t.Errorf("%d users loaded", n)
	}
	first := users(partnerA)
	if len(first) != 2 || len(users(partnerB)) != 0 || len(first[0].ObjectID) != 36 || len(first[0].Password) != 40 {
		t.Fatalf("users %+v, %+v", first, users(partnerB))
	}
	same(t, first, []seed.User{
		{UserPrincipalName: "ada@a.example", ObjectID: first[0].ObjectID, Name: "Ada", Roles: []partnercenter.UserRole{partnercenter.UserRoleGlobalAdmin, partnercenter.UserRoleSalesAgent}, Password: first[0].Password},
		{UserPrincipalName: "Zoe@a.example", ObjectID: "eeeeeeee-0000-4000-8000-00000000000e", Name: "Zoe", Password: "given"},
	})
	data.Partners[0].Users[1] = seed.User{UserPrincipalName: "ADA@a.example", Name: "Ada L."}
	load(t, s, data)
	same(t, users(partnerA)[0], seed.User{UserPrincipalName: "ADA@a.example", ObjectID: first[0].ObjectID, Name: "Ada L.", Password: first[0].Password})
	if n := load(t, s, data).Changed; n != 0 {
		t.Errorf("%d changes by the same seed", n)
	}
	data.Partners[0].Users[1].UserPrincipalName = ""
	if _, err := s.Load(t.Context(), data); err == nil {
		t.Error("a user without a name was taken")
	}
}

// testReset replaces customers and orders, and keeps those who sign in.
func testReset(t *testing.T, s *Store) {
	ctx := t.Context()
	apps, err := s.Apps(ctx, partnerA)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.ChangeConsent(ctx, partnerA, "x", "", func(c *Consent) error { c.Scope = "y"; return nil }); err != nil {
		t.Fatal(err)
	}
	if _, err := s.PutSignIn(ctx, SignIn{Kind: "grant", ID: "x"}, nothing); err != nil {
		t.Fatal(err)
	}
	all := OrderQuery{PartnerID: partnerB, CustomerID: shared}
	orders, names := orderIDs(t, s, all), companies(t, s, CustomerQuery{PartnerID: partnerB})
	data := suiteSeed()
	data.Partners[1].Customers[0].Orders = nil
	extra := seed.Customer{Customer: customer("c0000000-0000-4000-8000-0000000000ff", "Extra"), Orders: []partnercenter.Order{{ID: "x"}}}
	data.Partners[1].Customers = append(data.Partners[1].Customers, extra)
	load(t, s, data)
	for range 2 {
		before := s.OrdersVersion(partnerB, shared)
		if err := s.Reset(ctx, suiteSeed()); err != nil {
			t.Fatal(err)
		}
		same(t, orderIDs(t, s, all), orders)
		same(t, companies(t, s, CustomerQuery{PartnerID: partnerB}), names)
		if s.OrdersVersion(partnerB, shared) == before {
			t.Error("the version did not change")
		}
	}
	again, err := s.Apps(ctx, partnerA)
	if err != nil {
		t.Fatal(err)
	}
	same(t, again, apps)
	if consents, err := s.Consents(ctx); err != nil || len(consents) != 0 {
		t.Errorf("consents are left: %+v, %v", consents, err)
	}
	if grants, err := s.SignIns(ctx, "grant"); err != nil || len(grants) != 0 {
		t.Errorf("grants are left: %+v, %v", grants, err)
	}
	data.Partners[1].Customers[0].Customer.ID = ""
	if err := s.Reset(ctx, data); err == nil {
		t.Error("a seed with a mistake was taken")
	}
	same(t, orderIDs(t, s, all), orders)
}

func testSettings(t *testing.T, s *Store) {
	ctx := t.Context()
	is := func(name, want string) {
		t.Helper()
		if got, err := s.Setting(ctx, name); err != nil || string(got) != want || (got == nil) != (want == "") {
			t.Errorf("setting %s is %q, %v, want %q", name, got, err, want)
		}
	}
	is("clock", "")
	for _, value := range []string{"one", "two"} {
		if err := s.PutSetting(ctx, "clock", []byte(value)); err != nil {
			t.Fatal(err)
		}
		is("clock", value)
	}
	is("loaded", "")
	if err := s.PutSetting(ctx, "clock", nil); err != nil {
		t.Fatal(err)
	}
	is("clock", "")
}

func testKeys(t *testing.T, s *Store) {
	ctx := t.Context()
	old := SigningKey{ID: "old", PEM: []byte("one"), Created: suiteNow.Add(-time.Hour)}
	for _, k := range []SigningKey{old, {ID: "new", PEM: []byte("two")}} {
		if err := s.AddSigningKey(ctx, k); err != nil {
			t.Fatal(err)
		}
	}
	fails(t, s.AddSigningKey(ctx, SigningKey{ID: "old", PEM: []byte("three")}), ErrKeyExists)
	change := func(c KeyChange) (*SigningKey, error) {
		return s.ChangeSigningKeys(ctx, func([]SigningKey) (KeyChange, error) { return c, nil })
	}
	for range 2 {
		if _, err := change(KeyChange{Revoke: []string{"old", "none"}}); err != nil {
			t.Fatal(err)
		}
	}
	next, err := change(KeyChange{Add: &SigningKey{ID: "a", PEM: []byte("three")}})
	if err != nil || !next.Created.After(suiteNow) { // it is the newest
		t.Errorf("%+v, %v", next, err)
	}
	_, err = change(KeyChange{Add: &SigningKey{ID: "old", PEM: []byte("three")}, Revoke: []string{"new"}})
	fails(t, err, ErrKeyExists)
	keys, err := s.SigningKeys(ctx)
	if err != nil {
		t.Fatal(err)
	}
	old.Revoked = suiteNow
	same(t, keys, []SigningKey{*next, {ID: "new", PEM: []byte("two"), Created: suiteNow}, old})
	// Of several that revoke a key each, none revokes the last.
	var last sync.WaitGroup
	for range 4 {
		last.Go(func() {
			_, _ = s.ChangeSigningKeys(ctx, func(keys []SigningKey) (c KeyChange, err error) {
				for _, k := range keys {
					if k.Revoked.IsZero() {
						c.Revoke = append(c.Revoke, k.ID)
					}
				}
				if len(c.Revoke) == 1 {
					return c, errors.New("it is the last")
				}
				c.Revoke = c.Revoke[:1]
				return c, nil
			})
		})
	}
	last.Wait()
	if keys, err = s.SigningKeys(ctx); err != nil || keys[0].Revoked.IsZero() || !keys[1].Revoked.IsZero() {
		t.Errorf("%+v, %v", keys, err)
	}

	var wg sync.WaitGroup
	got := make([]string, 8)
	for i := range got {
		wg.Go(func() {
			secret, err := s.Secret(ctx, "token", 32)
			if err != nil {
				t.Error(err)
			}
			got[i] = string(secret)
		})
	}
	wg.Wait()
	if len(got[0]) != 32 || len(slices.Compact(got)) != 1 {
		t.Errorf("secrets differ or are short: %q", got)
	}
	if other, err := s.Secret(ctx, "loaded", 16); err != nil || len(other) != 16 || string(other) == got[0] {
		t.Errorf("another secret: %x, %v", other, err)
	}
}

func testCancellation(t *testing.T, s *Store) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, call := range map[string]func() error{
		"ListOrders": func() error {
			_, _, err := listOrders(ctx, s, nil, OrderQuery{PartnerID: partnerA, CustomerID: shared})
			return err
		},
		"GetOrder":    func() error { _, err := getOrder(ctx, s, partnerA, shared, shortOrder, false); return err },
		"GetCustomer": func() error { _, err := s.GetCustomer(ctx, partnerA, shared); return err },
		"ListCustomers": func() error {
			_, err := s.ListCustomers(ctx, nil, CustomerQuery{PartnerID: partnerA})
			return err
		},
		"Load":     func() error { _, err := s.Load(ctx, suiteSeed()); return err },
		"Secret":   func() error { _, err := s.Secret(ctx, "x", 8); return err },
		"Setting":  func() error { _, err := s.Setting(ctx, "x"); return err },
		"Reset":    func() error { return s.Reset(ctx, suiteSeed()) },
		"Users":    func() error { _, err := s.Users(ctx, partnerA); return err },
		"PutApp":   func() error { return s.PutApp(ctx, partnerA, seed.App{ClientID: "x"}) },
		"PutUser":  func() error { return s.PutUser(ctx, partnerA, seed.User{UserPrincipalName: "x@a.example"}) },
		"SignIn":   func() error { _, err := s.SignIn(ctx, "x", "y"); return err },
		"SignIns":  func() error { _, err := s.SignIns(ctx, "x"); return err },
		"Ping":     func() error { return s.Ping(ctx) },
		"Partners": func() error { _, err := s.Partners(ctx); return err },
	} {
		if err := call(); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// In the middle of a load: nothing of it stays, and the next one works.
	ctx, cancel = context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	big := bulkSeed(1, 200, 50, "x")
	if _, err := s.Load(ctx, big); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("a load of 10,000 orders ended with %v after 20 ms", err)
	}
	same(t, len(companies(t, s, CustomerQuery{PartnerID: bulkPartner})), 0)
	load(t, s, bulkSeed(1, 2, 2, "x"))
}

// testReadersDuringWrites rewrites a customer's orders while others read them: no list
// may mix two loads, count wrongly or fail.
func testReadersDuringWrites(t *testing.T, s *Store) {
	const orders = 10
	load(t, s, bulkSeed(1, 1, orders, "round 0"))
	ctx, cancel := context.WithCancel(t.Context())
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for ctx.Err() == nil {
				docs, n, err := listOrders(t.Context(), s, nil, OrderQuery{PartnerID: bulkPartner, CustomerID: bulkCustomer(0)})
				if err != nil || n != orders {
					t.Errorf("%d orders, %v", n, err)
					return
				}
				_, round, _ := strings.Cut(string(docs), `"currencySymbol":"`)
				round, _, _ = strings.Cut(round, `"`)
				if strings.Count(string(docs), `"currencySymbol":"`+round+`"`) != orders {
					t.Errorf("a list mixes two loads: %s", docs)
					return
				}
				if err := s.Ping(t.Context()); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for i := range 20 {
		load(t, s, bulkSeed(1, 1, orders, fmt.Sprint("round ", i+1)))
	}
	cancel()
	readers.Wait()
	docs, _, err := listOrders(t.Context(), s, nil, OrderQuery{PartnerID: bulkPartner, CustomerID: bulkCustomer(0)})
	if err != nil || !strings.Contains(string(docs), "round 20") {
		t.Errorf("the last load cannot be seen: %v", err)
	}
}

// listOrders and getOrder return documents of orders without changes in progress.
func listOrders(ctx context.Context, s *Store, dst []byte, q OrderQuery) ([]byte, int, error) {
	list, err := s.ListOrders(ctx, dst, q)
	return list.Items, list.Count, err
}

func getOrder(ctx context.Context, s *Store, partnerID, customerID, orderID string, includePrice bool) ([]byte, error) {
	doc, err := s.GetOrder(ctx, partnerID, customerID, orderID, includePrice)
	return doc.JSON, err
}
