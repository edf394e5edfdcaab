package store

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/seed"
)

func testCustomerTenants(t *testing.T, s *Store) {
	both := &CustomerTenant{ID: shared, Domain: "contoso.example", Partners: []string{partnerA, partnerB}}
	for name, want := range map[string]*CustomerTenant{
		shared:                   both,
		strings.ToUpper(shared):  both,
		"Contoso.EXAMPLE":        both,
		former:                   {ID: former, Domain: "former.example"},
		orderless:                {ID: orderless, Domain: "orderless.example", Partners: []string{partnerA}},
		partnerA:                 nil,
		"":                       nil,
		"%":                      nil,
		"nobody.example":         nil,
		"' OR 1=1":               nil,
		"contoso.example\x00xyz": nil,
		"contoſo.example":        nil,
		"contoso.example\xff":    nil,
	} {
		got, err := s.CustomerTenant(t.Context(), name)
		same(t, err, nil)
		same(t, got, want)
	}
}

// testCustomDomains finds customers by the domains that they have besides that of the
// profile, as these change.
func testCustomDomains(t *testing.T, s *Store) {
	domains := func(id, own string, custom ...string) {
		c := customer(id, "")
		c.CompanyProfile.Domain, c.CustomDomains = own, custom
		load(t, s, &seed.Seed{Partners: []seed.Partner{{Tenant: seed.Tenant{TenantID: partnerA}, Customers: []seed.Customer{{Customer: c}}}}})
	}
	find := func(want map[string]string) {
		t.Helper()
		for name, id := range want {
			got, err := s.CustomerTenant(t.Context(), name)
			if err != nil || (got == nil) != (id == "") || got != nil && got.ID != id {
				t.Errorf("%q: %+v, %v; want %q", name, got, err, id)
			}
		}
	}
	first, second := bulkCustomer(1), bulkCustomer(2)
	domains(second, "two.example", "Toys.Wingtip.example.com", "toys.wingtip.example.com", "", "other.example")
	find(map[string]string{"toys.wingtip.EXAMPLE.com": second, "other.example": second, "two.example": second, "": "", "wingtip.example.com": ""})
	domains(first, "one.example", "two.example", "other.example")
	find(map[string]string{"two.example": second, "other.example": first, "one.example": first}) // the profile's first
	domains(second, "two.example", "new.example")
	find(map[string]string{"toys.wingtip.example.com": "", "two.example": second, "new.example": second})
	domains(first, "one.example", "toys.wingtip.example.com")
	find(map[string]string{"toys.wingtip.example.com": first, "other.example": ""})
	// Domains that are the same for people who search are two customers' here.
	domains(first, "straße.example", "ﬁrst.example")
	domains(second, "strasse.example", "first.example")
	find(map[string]string{
		"STRASSE.example": second, "straße.example": first, "straßE.EXAMPLE": first, "STRAẞE.example": "",
		"first.example": second, "ﬁrst.Example": first,
	})
	if err := s.Reset(t.Context(), &seed.Seed{}); err != nil {
		t.Fatal(err)
	}
	find(map[string]string{"toys.wingtip.example.com": ""})
}

func testCustomerFilters(t *testing.T, s *Store) {
	data := &seed.Seed{Partners: []seed.Partner{{Tenant: seed.Tenant{TenantID: partnerA}}}}
	for i, name := range []string{"100% Fun", "100 Percent", "a_b", "axb", "Ärzte GmbH", "ÇELİK", "日本電気", ""} {
		c := customer(bulkCustomer(i), name)
		if i < 2 {
			c.AssociatedPartnerID = strings.ToUpper(resellerA)
		}
		data.Partners[0].Customers = append(data.Partners[0].Customers, seed.Customer{Customer: c})
	}
	load(t, s, data)
	all := companies(t, s, CustomerQuery{PartnerID: partnerA})
	for _, test := range []struct {
		field, operator, value string
		want                   []string
	}{
		{"CompanyName", "starts_with", "100%", []string{"100% Fun"}},
		{"companyname", "StartsWith", "100", []string{"100% Fun", "100 Percent"}},
		{"CompanyName", "starts_with", "a_", []string{"a_b"}},
		{"CompanyName", "starts_with", "ÄRZ", []string{"Ärzte GmbH"}},
		{"CompanyName", "starts_with", "çeli", []string{"ÇELİK"}},
		{"CompanyName", "starts_with", "日", []string{"日本電気"}},
		{"CompanyName", "starts_with", "", all},
		{"CompanyName", "not_starts_with", "1", all[2:]},
		{"CompanyName", "substring", "0 P", []string{"100 Percent"}},
		{"CompanyName", "substring", "%", []string{"100% Fun"}},
		{"CompanyName", "substring", "_", []string{"a_b"}},
		{"CompanyName", "substring", "", all},
		{"CompanyName", "equals", "AXB", []string{"axb"}},
		{"CompanyName", "equals", "a_b ", []string{}},
		{"CompanyName", "not_equals", "AXB", slices.DeleteFunc(slices.Clone(all), func(s string) bool { return s == "axb" })},
		{"CompanyName", "less_than", "100%", []string{"100 Percent", ""}},
		{"CompanyName", "less_than_or_equals", "100% fun", []string{"100% Fun", "100 Percent", ""}},
		{"CompanyName", "greater_than", "ärzte gmbh", []string{"ÇELİK", "日本電気"}},
		{"CompanyName", "greater_than_or_equals", "ärzte gmbh", []string{"Ärzte GmbH", "ÇELİK", "日本電気"}},
		{"Domain", "starts_with", "A", []string{"a_b", "axb"}},
		{"IndirectReseller", "equals", resellerA, []string{"100% Fun", "100 Percent"}},
		{"IndirectReseller", "equals", partnerB, []string{}},
		{"IndirectCloudSolutionProvider", "equals", strings.ToUpper(partnerA), all},
		{"IndirectCloudSolutionProvider", "equals", partnerB, []string{}},
	} {
		t.Run(test.field+" "+test.operator+" "+test.value, func(t *testing.T) {
			same(t, companies(t, s, CustomerQuery{PartnerID: partnerA, Filter: &CustomerFilter{
				Field: partnercenter.CustomerSearchField(test.field), Operator: partnercenter.FilterOperator(test.operator), Value: test.value,
			}}), test.want)
		})
	}
	for _, f := range []CustomerFilter{{"Colour", "equals", "red"}, {"Domain", "and", "x"}, {"Domain", "like", "x"}, {}} {
		_, err := s.ListCustomers(t.Context(), nil, CustomerQuery{PartnerID: partnerA, Filter: &f})
		fails(t, err, ErrFilter)
	}
}

// testFilterModel compares filters with the same ones in plain Go, on names
// made to collide and to break patterns.
func testFilterModel(t *testing.T, s *Store) {
	alphabet := rapid.SampledFrom([]rune("aAbB%_\\'\"^*?[] \x00ßİıΣσςéÉ日\u0301\U0010FFFF"))
	text := rapid.StringOfN(alphabet, 0, 5, -1)
	var names []string
	data := &seed.Seed{Partners: []seed.Partner{{Tenant: seed.Tenant{TenantID: partnerA}}}}
	for i := range 150 {
		name := text.Example(i)
		names = append(names, name)
		data.Partners[0].Customers = append(data.Partners[0].Customers, seed.Customer{Customer: customer(bulkCustomer(i), name)})
	}
	load(t, s, data)
	model := map[partnercenter.FilterOperator]func(name, value string) bool{
		partnercenter.FilterOperatorEquals:              func(n, v string) bool { return n == v },
		partnercenter.FilterOperatorNotEquals:           func(n, v string) bool { return n != v },
		partnercenter.FilterOperatorStartsWith:          strings.HasPrefix,
		partnercenter.FilterOperatorNotStartsWith:       func(n, v string) bool { return !strings.HasPrefix(n, v) },
		partnercenter.FilterOperatorSubstring:           strings.Contains,
		partnercenter.FilterOperatorGreaterThan:         func(n, v string) bool { return n > v },
		partnercenter.FilterOperatorGreaterThanOrEquals: func(n, v string) bool { return n >= v },
		partnercenter.FilterOperatorLessThan:            func(n, v string) bool { return n < v },
		partnercenter.FilterOperatorLessThanOrEquals:    func(n, v string) bool { return n <= v },
	}
	var operators []partnercenter.FilterOperator
	for op := range model {
		operators = append(operators, op)
	}
	slices.Sort(operators)
	rapid.Check(t, func(r *rapid.T) {
		op := rapid.SampledFrom(operators).Draw(r, "operator")
		value := rapid.OneOf(text, rapid.SampledFrom(names)).Draw(r, "value")
		want := []string{}
		for _, name := range names {
			if model[op](searchKey(name), searchKey(value)) {
				want = append(want, name)
			}
		}
		got := companies(t, s, CustomerQuery{PartnerID: partnerA, Filter: &CustomerFilter{
			Field: partnercenter.CustomerSearchFieldCompanyName, Operator: op, Value: value,
		}})
		if !slices.Equal(got, want) {
			r.Fatalf("%s %q gave %q, want %q", op, value, got, want)
		}
	})
}

func testCustomerPages(t *testing.T, s *Store) {
	load(t, s, bulkSeed(1, 10, 0, ""))
	type page struct {
		Customers   string
		First, Last string
		More        bool
	}
	list := func(q CustomerQuery) page {
		t.Helper()
		q.PartnerID = bulkPartner
		p := page{Customers: strings.Join(companies(t, s, q), " ")}
		found, err := s.ListCustomers(t.Context(), nil, q)
		if err != nil {
			t.Fatal(err)
		}
		p.First, p.Last, p.More = found.First, found.Last, found.More
		return p
	}
	want := func(from, to int, more bool) page {
		var names []string
		for i := from; i <= to; i++ {
			names = append(names, fmt.Sprint("company ", i))
		}
		return page{strings.Join(names, " "), bulkCustomer(from), bulkCustomer(to), more}
	}
	id := bulkCustomer
	for name, test := range map[string]struct {
		q    CustomerQuery
		want page
	}{
		"all":                {CustomerQuery{}, want(0, 9, false)},
		"first":              {CustomerQuery{Limit: 4}, want(0, 3, true)},
		"next":               {CustomerQuery{Limit: 4, After: strings.ToUpper(id(3))}, want(4, 7, true)},
		"end":                {CustomerQuery{Limit: 4, After: id(7)}, want(8, 9, false)},
		"just enough":        {CustomerQuery{Limit: 10}, want(0, 9, false)},
		"beyond the end":     {CustomerQuery{Limit: 4, After: id(9)}, page{}},
		"previous":           {CustomerQuery{Limit: 4, Before: id(8)}, want(4, 7, true)},
		"previous to start":  {CustomerQuery{Limit: 4, Before: id(4)}, want(0, 3, false)},
		"previous, too few":  {CustomerQuery{Limit: 4, Before: id(2)}, want(0, 1, false)},
		"previous, no limit": {CustomerQuery{Before: id(2)}, want(0, 1, false)},
		"before the start":   {CustomerQuery{Limit: 4, Before: id(0)}, page{}},
		"last":               {CustomerQuery{Limit: 4, Last: true}, want(6, 9, true)},
		"last of all":        {CustomerQuery{Limit: 40, Last: true}, want(0, 9, false)},
		"between":            {CustomerQuery{After: id(2), Before: id(5)}, want(3, 4, false)},
		"offset":             {CustomerQuery{Limit: 2, Offset: 3}, want(3, 4, true)},
		"offset alone":       {CustomerQuery{Offset: 8}, want(8, 9, false)},
		"offset after":       {CustomerQuery{Limit: 2, Offset: 1, After: id(3)}, want(5, 6, true)},
		"negative":           {CustomerQuery{Limit: -1, Offset: -1}, want(0, 9, false)},
		"filtered": {CustomerQuery{Limit: 1, Filter: &CustomerFilter{
			partnercenter.CustomerSearchFieldCompanyName, partnercenter.FilterOperatorSubstring, "Y 7"}}, want(7, 7, false)},
	} {
		t.Run(name, func(t *testing.T) { same(t, list(test.q), test.want) })
	}
}

func testBriefCustomers(t *testing.T, s *Store) {
	put := func(c seed.Customer) {
		t.Helper()
		load(t, s, &seed.Seed{Partners: []seed.Partner{{Tenant: seed.Tenant{TenantID: partnerA}, Customers: []seed.Customer{c}}}})
	}
	has := func(want string) {
		t.Helper()
		doc, err := s.GetCustomer(t.Context(), partnerA, shared)
		if err != nil {
			t.Fatal(err)
		}
		same(t, string(doc), want)
	}
	parse := func(text string) (c partnercenter.Customer) {
		t.Helper()
		if err := partnercenter.Unmarshal([]byte(text), &c); err != nil {
			t.Fatal(err)
		}
		return c
	}
	const (
		id       = `{"id":"` + shared + `",`
		brief    = id + `"companyProfile":{"domain":"contoso.example","companyName":"Contoso"},"relationshipToPartner":"reseller"}`
		full     = id + `"commerceId":"c","companyProfile":{"domain":"contoso.example","companyName":"Contoso","email":"a@contoso.example"},"billingProfile":{"id":"b"},"relationshipToPartner":"reseller","customDomains":["x","y"],"new":1.0}`
		renamed  = id + `"companyProfile":{"companyName":"Contoso Ltd","new":2},"relationshipToPartner":"advisor","new":2}`
		together = id + `"commerceId":"c","companyProfile":{"domain":"contoso.example","companyName":"Contoso Ltd","email":"a@contoso.example","new":2},"billingProfile":{"id":"b"},"relationshipToPartner":"advisor","customDomains":["x","y"],"new":2}`
		poorer   = id + `"commerceId":"c","relationshipToPartner":"reseller"}`
	)
	imported := seed.Import{Orders: []partnercenter.Order{{ID: "first", ReferenceCustomerID: shared}}}
	data, _, err := imported.Seed(seed.Tenant{})
	same(t, err, nil)
	made := data.Partners[0].Customers[0]
	put(made)
	placeholder, err := partnercenter.Marshal(made.Customer)
	if err != nil {
		t.Fatal(err)
	}
	has(string(placeholder))
	for _, step := range []struct{ load, want string }{
		{full, full}, {brief, full}, {renamed, together}, {full, full}, {poorer, poorer}, {full, full},
	} {
		put(seed.Customer{Customer: parse(step.load)})
		has(step.want)
	}
	made.Orders = []partnercenter.Order{{ID: "second"}}
	put(made)
	has(full)
	same(t, orderIDs(t, s, OrderQuery{PartnerID: partnerA, CustomerID: shared}), []string{"second", "first"})
	// The filters and the relationship follow what is stored.
	put(seed.Customer{Customer: parse(renamed)})
	same(t, companies(t, s, CustomerQuery{PartnerID: partnerA}), []string{"Contoso Ltd"})
	put(seed.Customer{Customer: parse(id + `"relationshipToPartner":"none"}`)})
	_, err = s.GetCustomer(t.Context(), partnerA, shared)
	fails(t, err, ErrNotYours)
	put(made)
	_, err = s.GetCustomer(t.Context(), partnerA, shared)
	fails(t, err, ErrNotYours)
}
