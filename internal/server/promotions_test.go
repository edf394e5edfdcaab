package server_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/partnercenter-go/partnercenter"
)

const (
	itemVisio   = "CFQ7TTC0HD32:0002:CFQ7TTC0K6ZC" // 15.00 a month
	forYear     = "39NFJQT1VS2P:0001:39NFJQT1VS2Y" // 15 % off a year at once, up to 20 seats, without being named
	forThree    = "39NFJQT1VS3P:0001:39NFJQT1VS3Y" // 20 % off three years, if it is named
	overForGood = "39NFJQT1VS4P:0001:39NFJQT1VS4Y"
)

// TestPromotions lists promotions, and asks which apply.
func TestPromotions(t *testing.T) {
	a := newAPI(t)
	a.run(t, []request{
		{name: "all", path: "/v1/productPromotions?country=US", status: 200, must: []string{`"totalCount":2`, forYear, forThree, `"value":"0.15"`, `"billingCycle":"annual"`}, mustNot: []string{overForGood}},
		{name: "of a segment", path: "/v1/productpromotions?country=de&segment=Commercial", status: 200, must: []string{`"totalCount":2`}},
		{name: "of another segment", path: "/v1/productpromotions?country=US&segment=education", status: 200, must: []string{`"totalCount":0,"items":[]`}},
		{name: "of no segment", path: "/v1/productpromotions?country=US&segment=pets", status: 403, code: partnercenter.ErrorCodeSegmentNotAllowed},
		{name: "without a country", path: "/v1/productpromotions", status: 400, code: partnercenter.ErrorCodeInvalidProperty, invalid: true},
		{name: "elsewhere", path: "/v1/productpromotions?country=ZZ", status: 403, code: partnercenter.ErrorCodeNotOnboarded},
		{name: "one that is over", path: "/v1/productpromotions/" + strings.ToLower(overForGood) + "?country=US", status: 200, must: []string{`"id":"` + overForGood + `"`}},
		{name: "an unknown one", path: "/v1/productpromotions/x?country=US", status: 404, code: partnercenter.ErrorCodeNotFound},
	})
	ask := func(name, item string, status int, must ...string) request {
		return request{name: name, method: http.MethodPost, path: "/v1/customers/" + documented + "/promotionEligibilities", body: `{"Items":[` + item + `]}`, status: status, must: must}
	}
	of := func(more string) string { return `{"catalogItemId":"` + itemVisio + `"` + more + `}` }
	a.run(t, []request{
		ask("all of an item", of(`,"id":7,"quantity":5,"termDuration":"P1Y","billingCycle":"Annual"`), 200, `"id":7`, `{"promotionId":"`+forYear+`","isEligible":true,"errors":[]}`, `{"promotionId":"`+forThree+`","isEligible":false,"errors":[{"type":"Term"`),
		ask("for too many", of(`,"quantity":25,"termDuration":"P1Y","billingCycle":"annual","promotionId":"`+forYear+`"`), 200, `"id":0`, `"type":"SeatCount"`, `"minimumRequiredSeats":1,"maximumRequiredSeats":20,"availableSeats":20`),
		ask("one that is over", of(`,"quantity":5,"termDuration":"P1M","billingCycle":"monthly","promotionId":"`+overForGood+`"`), 200, `"type":"InvalidPromotion"`),
		ask("an unknown one", of(`,"quantity":5,"promotionId":"x"`), 200, `"type":"InvalidPromotion"`),
		ask("an unknown item", `{"catalogItemId":"x","quantity":5}`, 200, `"type":"InvalidCatalogItemId"`),
		ask("an item without any", `{"catalogItemId":"`+itemE3+`","quantity":5,"termDuration":"P1Y","billingCycle":"annual"}`, 200, `"type":"NoPromotionsAvailable"`),
		ask("nothing", "", 400, "items"),
		ask("too much", strings.Repeat(`{},`, 500)+`{}`, 400, "500"),
	})
}

// TestPromotionPrices buys with promotions: named, and not.
func TestPromotionPrices(t *testing.T) {
	a := newAPI(t)
	buy := func(cycle, l string) *partnercenter.Order {
		t.Helper()
		o := decode[partnercenter.Order](t, a.send(t, http.MethodPost, ordersOf(documented), `{"billingCycle":"`+cycle+`",`+linesOf(l)+`}`, 201))
		s := a.order(t, documented, o.ID).LineItems[0]
		if is := a.subscription(t, documented, s.SubscriptionID).PromotionID; is != o.LineItems[0].PromotionID || is != s.PromotionID {
			t.Errorf("the subscription's promotion is %q, the line's %q and %q", is, o.LineItems[0].PromotionID, s.PromotionID)
		}
		return o
	}
	for _, test := range []struct {
		name, cycle, line, promotion string
		list, price, total           partnercenter.Decimal
	}{
		{"not named", "annual", line(itemVisio, 2, `"termDuration":"P1Y"`), forYear, "180.00", "153.00", "306.00"},
		{"named", "annual", line(itemVisio, 2, `"termDuration":"P3Y","promotionId":"`+strings.ToLower(forThree)+`"`), forThree, "180.00", "144.00", "864.00"},
		{"too many seats", "annual", line(itemVisio, 21, `"termDuration":"P1Y"`), "", "180.00", "180.00", "3780.00"},
		{"another term", "monthly", line(itemVisio, 2, `"termDuration":"P1Y"`), "", "15.00", "15.00", "360.00"},
	} {
		o := buy(test.cycle, test.line)
		if p := o.LineItems[0].Pricing; o.LineItems[0].PromotionID != test.promotion || p.ListPrice != test.list || p.Price != test.price || p.DiscountedPrice != test.price || o.TotalPrice != test.total {
			t.Errorf("%s: promotion %q, prices %+v, in total %s", test.name, o.LineItems[0].PromotionID, p, o.TotalPrice)
		}
	}
	for name, body := range map[string]string{
		"of another term": `{"billingCycle":"monthly",` + linesOf(line(itemVisio, 2, `"termDuration":"P1M","promotionId":"`+forThree+`"`)) + `}`,
		"that is over":    `{"billingCycle":"monthly",` + linesOf(line(itemVisio, 2, `"termDuration":"P1M","promotionId":"`+overForGood+`"`)) + `}`,
		"for few seats":   `{"billingCycle":"annual",` + linesOf(line(itemVisio, 21, `"termDuration":"P1Y","promotionId":"`+forYear+`"`)) + `}`,
		"of an offer":     orderOf(line(offerE3, 2, `"promotionId":"`+forYear+`"`)),
	} {
		a.check(t, request{name: "a promotion " + name, method: http.MethodPost, path: ordersOf(documented), body: body, status: 400, code: partnercenter.ErrorCodePromotionInvalid, must: []string{"promotioneligibilities"}})
	}
}
