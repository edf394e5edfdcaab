package server_test

import (
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/guid"
	"github.com/partnercenter-go/partnercenter/partnercentertest"
)

func endsOf(customer string) string {
	return "/v1/customers/" + customer + "/subscriptions/customTermEndDates"
}

// endOfMonth is the last day of a month from now on. The next ones are offered for terms of
// a year.
func endOfMonth(a *api, months time.Month) string {
	now := a.Clock().Now().UTC()
	return time.Date(now.Year(), now.Month()+months+1, 0, 0, 0, 0, 0, time.UTC).Format(time.DateOnly)
}

// notice is a day of the month after the next one that has 31 days, on which nothing ends.
func notice(a *api, day int) string {
	now := a.Clock().Now().UTC()
	for n := 2; ; n++ {
		if at := time.Date(now.Year(), now.Month()+time.Month(n), 31, 0, 0, 0, 0, time.UTC); at.Day() == 31 {
			return at.AddDate(0, 0, day-31).Format(time.DateOnly) + "T00:00:00"
		}
	}
}

// TestCustomTermEndDates lists dates, buys with one by order and by cart, and lives through
// the shorter term.
func TestCustomTermEndDates(t *testing.T) {
	a := newAPI(t, partnercentertest.Options{Seed: strings.NewReader(sandboxSeed(4))})
	buyer, other := sandboxCustomer(1), sandboxCustomer(2) // which have bought nothing
	a.Clock().Set(time.Date(2026, 6, 15, 12, 0, 0, 0, time.UTC))
	a.token = a.mint(t)
	first := a.placed(t, buyer, line(itemE3, 1, `"termDuration":"P1M"`)).LineItems[0].SubscriptionID // to July 14th
	list := func(query string, must ...string) {
		t.Helper()
		a.check(t, request{name: query, path: endsOf(buyer) + "?" + query, status: 200, must: must})
	}
	july := `"items":[{"allowedCustomTermEndDateType":"calendarMonthAligned","allowedCustomTermEndDate":"2026-06-30T00:00:00","cotermSubscriptionIds":[]},` +
		`{"allowedCustomTermEndDateType":"subscriptionAligned","allowedCustomTermEndDate":"2026-07-14T00:00:00","cotermSubscriptionIds":["` + first + `"]}]`
	list("term_duration=P1M", `"totalCount":2,`, july, `"uri":"/customers/`+buyer+`/subscriptions/customTermEndDates?term_duration=P1M"`)
	list("TermDuration=P1M", july)
	list("termduration=P1M&TERM_DURATION=P1M", july)
	list("term_duration=P1M&TermStartDate=2026-07-01", `"allowedCustomTermEndDate":"2026-07-31T00:00:00"`)
	list("term_duration=P1Y&targetCotermSubscriptionId="+strings.ToUpper(first), `"totalCount":1,`, `"2026-07-14T00:00:00"`)
	a.check(t, request{name: "of another customer", path: endsOf(other) + "?term_duration=P1M", status: 200, must: []string{`"totalCount":1,`}, mustNot: []string{first}})

	// Page by page, as links lead.
	var dates []string
	page := decode[partnercenter.Collection[*partnercenter.CustomTermEndDate]](t, a.send(t, http.MethodGet, endsOf(buyer)+"?term_duration=P1Y&size=5", "", 200))
	for n := 1; ; n++ {
		for _, d := range page.Items {
			dates = append(dates, d.AllowedCustomTermEndDate.String()[:10])
		}
		if page.Links.Next == nil {
			if page.ContinuationToken != "" || n != 3 {
				t.Errorf("page %d is the last, with the token %q", n, page.ContinuationToken)
			}
			break
		}
		if len(page.Items) != 5 || len(page.Links.Next.Headers) != 1 || page.Links.Next.Headers[0].Value != page.ContinuationToken {
			t.Fatalf("page %d: %+v", n, page.Links.Next)
		}
		a.Clock().Advance(time.Minute)
		resp, body := a.do(t, request{path: "/v1" + page.Links.Next.URI, header: http.Header{page.Links.Next.Headers[0].Key: {page.ContinuationToken}}, status: 200})
		if resp.StatusCode != 200 {
			t.Fatalf("%s", body)
		}
		page = decode[partnercenter.Collection[*partnercenter.CustomTermEndDate]](t, body)
	}
	if got := strings.Join(dates, " "); got != "2026-06-30 2026-07-14 2026-07-31 2026-08-31 2026-09-30 2026-10-31 2026-11-30 2026-12-31 2027-01-31 2027-02-28 2027-03-31 2027-04-30 2027-05-31" {
		t.Error(got)
	}
	forged := http.Header{"MS-ContinuationToken": {"bmV4dDox"}}
	a.check(t, request{name: "a forged token", path: endsOf(buyer) + "?term_duration=P1Y", header: forged, status: 400, invalid: true})

	// The SDK's way, and a purchase with what it says.
	body := `{"lineItems":[{` + cartLine(itemE3, 2, `"billingCycle":"annual"`, `"termDuration":"P1Y"`, `"customTermEndDate":"2026-07-14T00:00:00"`) + `}]}`
	cart := decode[partnercenter.Cart](t, a.send(t, http.MethodPost, cartsOf(buyer), body, 201))
	l := cart.LineItems[0]
	if l.Error != nil || l.CustomTermEndDate.String() != "2026-07-14T00:00:00" || l.Pricing.Price == l.Pricing.ListPrice || l.Pricing.Price != l.Pricing.ProratedPrice {
		t.Errorf("%+v, %+v", l, l.Pricing)
	}
	bought := decode[partnercenter.CartCheckoutResult](t, a.send(t, http.MethodPost, cartsOf(buyer)+"/"+cart.ID+"/checkout", "", 201))
	o := bought.Orders[0]
	if got := o.LineItems[0]; got.CustomTermEndDate.String() != "2026-07-14T00:00:00" || !reflect.DeepEqual(got.Pricing, l.Pricing) || o.TotalPrice != l.Pricing.ExtendedPrice {
		t.Errorf("%+v, in total %s", got, o.TotalPrice)
	}
	id := a.order(t, buyer, o.ID).LineItems[0].SubscriptionID
	s := a.subscription(t, buyer, id)
	if s.CommitmentEndDate.String() != "2026-07-14T00:00:00Z" || s.CommitmentEndDateTime.String() != "2026-07-14T23:59:59Z" || s.CustomTermEndDate.String() != "2026-07-14T00:00:00" || s.TermDuration != "P1Y" {
		t.Errorf("%+v", s)
	}
	// A subscription that is sent back keeps its end.
	whole := a.send(t, http.MethodGet, subscriptionAt(buyer, id), "", 200)
	a.send(t, http.MethodPatch, subscriptionAt(buyer, id), strings.Replace(string(whole), `"quantity":2`, `"quantity":3`, 1), 200)
	before := decode[partnercenter.Collection[*partnercenter.Order]](t, a.send(t, http.MethodGet, ordersOf(buyer)+"?include_system_purchases=true", "", 200)).TotalCount
	a.Clock().Set(time.Date(2026, 7, 15, 1, 0, 0, 0, time.UTC))
	a.token = a.mint(t)
	if s = a.subscription(t, buyer, id); s.CommitmentEndDate.String() != "2027-07-14T00:00:00Z" || !s.CustomTermEndDate.IsZero() || *s.Quantity != 3 {
		t.Errorf("the next term: %+v", s)
	}
	if after := decode[partnercenter.Collection[*partnercenter.Order]](t, a.send(t, http.MethodGet, ordersOf(buyer)+"?include_system_purchases=true", "", 200)).TotalCount; after != before+2 {
		t.Errorf("%d renewals, want one of each", after-before)
	}
	// The next term may end early, too, with the dates of its first day.
	a.send(t, http.MethodPatch, subscriptionAt(buyer, id), `{"autoRenewEnabled":true,"scheduledNextTermInstructions":{"customTermEndDate":"2027-12-31T00:00:00"}}`, 200)
	a.Clock().Set(time.Date(2027, 7, 15, 1, 0, 0, 0, time.UTC))
	a.token = a.mint(t)
	if s = a.subscription(t, buyer, id); s.CommitmentEndDate.String() != "2027-12-31T00:00:00Z" || s.CustomTermEndDate.String() != "2027-12-31T00:00:00" {
		t.Errorf("the scheduled term: %s, %s", s.CommitmentEndDate, s.CustomTermEndDate)
	}
}

// termEndRefusals are dates that cannot be asked for.
func termEndRefusals(t *testing.T, a *api) []refusal {
	t.Helper()
	of := func(name, rule, query string, status int, code partnercenter.ErrorCode, must ...string) refusal {
		if rule != "" {
			rule = "list custom term end dates: " + rule
		}
		return refusal{rule: rule, request: request{name: name, path: endsOf(documented) + query, status: status, code: code, must: must}}
	}
	const (
		property = partnercenter.ErrorCodeInvalidProperty
		noTerm   = "the term is missing, or none of up to ten years"
		noStart  = "the term is to begin before today, or ten years from now"
	)
	now := a.Clock().Now().UTC()
	day := func(years, days int) string {
		return "?term_duration=P1Y&TermStartDate=" + now.AddDate(years, 0, days).Format(time.DateOnly)
	}
	return []refusal{
		of("no term", noTerm, "", 400, property, "term_duration=P1M"),
		of("an endless term", noTerm, "?term_duration=P9999Y", 400, property),
		of("no length", noTerm, "?TermDuration=long", 400, property, "long"),
		of("two terms", "", "?TermDuration=P1Y&term_duration=P1M", 400, property, "TermDuration"),
		of("yesterday", noStart, day(0, -1), 400, property, "TermStartDate"),
		of("ten years from now", noStart, day(10, 0), 400, property),
		of("no day", "", "?term_duration=P1Y&TermStartDate=soon", 400, property),
		of("too large a page", "", "?term_duration=P1Y&size="+strconv.Itoa(301), 400, property),
		of("with nothing", "the customer does not have the subscription to end with", "?term_duration=P1Y&TargetCotermSubscriptionId="+guid.New(), 404, partnercenter.ErrorCodeSubscriptionNotFound),
		of("with what is no id", "", "?term_duration=P1Y&TargetCotermSubscriptionId=x", 404, partnercenter.ErrorCodeSubscriptionNotFound),
	}
}
