package server_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/partnercentertest"
)

// TestThrottle uses up a minute's requests and waits as told.
func TestThrottle(t *testing.T) {
	var now atomic.Int64
	now.Store(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC).UnixMilli())
	a := newAPI(t, partnercentertest.Options{RequestsPerMinute: 3, Now: func() time.Time { return time.UnixMilli(now.Load()) }})
	ok := request{name: "ok", path: seedOrders, status: 200}
	a.run(t, []request{ok, ok, ok})
	now.Add(2500)
	refused := request{
		name: "refused", path: seedOrders, status: 429,
		must:    []string{`{ "statusCode": 429, "message": "Rate limit is exceeded. Try again in 58 seconds." }`},
		headers: map[string]string{"Retry-After": "^58$", "Content-Type": "^application/json$", "MS-RequestId": "^$", "MS-ServerId": "^$"},
	}
	a.run(t, []request{
		refused,
		{name: "customers have a limit of their own", path: "/v1/customers/" + seedCustomer, status: 200},
		{name: "the list of customers has none", path: "/v1/customers", status: 200},
	})
	now.Add(57500)
	a.run(t, []request{ok})
}

// TestRealistic uses up the documented number of requests.
func TestRealistic(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	a := newAPI(t, partnercentertest.Options{Realistic: true, Now: func() time.Time { return now }})
	ok := request{name: "ok", path: "/v1/customers/" + seedCustomer, status: 200}
	var requests []request
	for range partnercenter.DefaultRequestsPerMinute {
		requests = append(requests, ok)
	}
	a.run(t, append(requests, request{name: "one too many", path: ok.path, status: 429}))
}

func TestNoPriceAccess(t *testing.T) {
	a := newAPI(t, partnercentertest.Options{NoPriceAccess: true})
	a.run(t, []request{
		{name: "list", path: seedOrders + "?include_price=true", status: 403, code: partnercenter.ErrorCodePriceNotGranted},
		{name: "get", path: seedOrders + "/" + shortOrder + "?include_price=True", status: 403, code: partnercenter.ErrorCodePriceNotGranted},
		{name: "list without", path: seedOrders + "?include_price=false", status: 200},
		{name: "get without", path: seedOrders + "/" + shortOrder, status: 200},
	})
}
