package partnercenter_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"

	"github.com/partnercenter-go/partnercenter"
)

// TestAnswersThatSayNothing are answers of success that must not be taken for an empty
// list, or for a resource that has nothing.
func TestAnswersThatSayNothing(t *testing.T) {
	ctx := t.Context()
	list := func(pc *partnercenter.Client) error {
		return second(pc.Customers.ByID(customerID).Orders.Get(ctx))
	}
	all := func(pc *partnercenter.Client) (err error) {
		for _, err = range pc.Customers.ByID(customerID).Subscriptions.All(ctx) {
		}
		return err
	}
	one := func(pc *partnercenter.Client) error {
		return second(pc.Customers.ByID(customerID).Orders.ByID("o").Get(ctx))
	}
	create := func(pc *partnercenter.Client) error {
		return second(pc.Customers.ByID(customerID).Orders.Create(ctx, orderOf(1)))
	}
	for name, test := range map[string]struct {
		call   func(*partnercenter.Client) error
		status int
		body   string
		ok     bool
	}{
		"an error for a list":          {list, 200, `{"code":"800003","description":"x","data":[],"source":"PartnerFD"}`, false},
		"an error for all of a list":   {all, 200, `{"code":"800003","description":"x","data":[],"source":"PartnerFD"}`, false},
		"an empty object for a list":   {list, 200, `{}`, false},
		"null items":                   {list, 200, `{"items":null}`, false},
		"nothing for a list":           {list, 204, ``, false},
		"accepted for a list":          {list, 202, ``, false},
		"an empty list":                {list, 200, `{"items":[]}`, true},
		"a list of none by its number": {list, 200, `{"TotalCount":0}`, true},
		"an error for an order":        {one, 200, `{"code":"800003","description":"x"}`, false},
		"an empty object for an order": {one, 200, `{}`, false},
		"nothing for an order":         {one, 204, ``, false},
		"an order":                     {one, 200, `{"id":"o"}`, true},
		"a purchase without an answer": {create, 202, ``, false},
		"a purchase answered with {}":  {create, 201, `{}`, false},
	} {
		s := newStub(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(test.status)
			io.WriteString(w, test.body)
		})
		err := test.call(s.client(t, nil))
		unread := errors.As(err, new(*partnercenter.DecodeError))
		if test.ok != (err == nil) || !test.ok && !unread {
			t.Errorf("%s: %v", name, err)
		}
		if strings.HasPrefix(name, "a purchase") && !partnercenter.Unsettled(err) {
			t.Errorf("%s: %v is settled", name, err)
		}
	}
}

// TestEveryCallKnowsItsAnswer has every call answered with what is a success by its
// status alone.
func TestEveryCallKnowsItsAnswer(t *testing.T) {
	ctx := t.Context()
	calls := map[string]func(*partnercenter.Client) error{}
	one := func(name string, call func(*partnercenter.Client, *partnercenter.CustomerClient) error) {
		calls[name] = func(pc *partnercenter.Client) error { return call(pc, pc.Customers.ByID(customerID)) }
	}
	type (
		client   = *partnercenter.Client
		customer = *partnercenter.CustomerClient
	)
	one("customers", func(pc client, _ customer) error { return second(pc.Customers.Get(ctx)) })
	one("customer", func(_ client, c customer) error { return second(c.Get(ctx)) })
	one("company profile", func(_ client, c customer) error { return second(c.Profiles.Company.Get(ctx)) })
	one("billing profile", func(_ client, c customer) error { return second(c.Profiles.Billing.Get(ctx)) })
	one("consent", func(_ client, c customer) error {
		return second(c.ApplicationConsents.Create(ctx, new(partnercenter.ApplicationConsent)))
	})
	one("withdrawn consent", func(_ client, c customer) error { return c.ApplicationConsents.ByID("a").Delete(ctx) })
	one("orders", func(_ client, c customer) error { return second(c.Orders.Get(ctx)) })
	one("order", func(_ client, c customer) error { return second(c.Orders.ByID("o").Get(ctx)) })
	one("purchase", func(_ client, c customer) error { return second(c.Orders.Create(ctx, orderOf(1))) })
	one("changed order", func(_ client, c customer) error { return second(c.Orders.ByID("o").Patch(ctx, orderOf(1))) })
	one("provisioning", func(_ client, c customer) error { return second(c.Orders.ByID("o").ProvisioningStatus.Get(ctx)) })
	one("activation links", func(_ client, c customer) error { return second(c.Orders.ByID("o").ActivationLinks.Get(ctx)) })
	one("attachments", func(_ client, c customer) error { return second(c.Orders.ByID("o").Attachments.Get(ctx)) })
	one("attachment", func(_ client, c customer) error {
		return second(c.Orders.ByID("o").Attachments.ByID("a").Download(ctx))
	})
	one("subscriptions", func(_ client, c customer) error { return second(c.Subscriptions.Get(ctx)) })
	one("subscription", func(_ client, c customer) error { return second(c.Subscriptions.ByID("s").Get(ctx)) })
	one("changed subscription", func(_ client, c customer) error {
		return second(c.Subscriptions.ByID("s").Patch(ctx, new(partnercenter.Subscription)))
	})
	one("activated subscription", func(_ client, c customer) error { return second(c.Subscriptions.ByID("s").Activate(ctx)) })
	one("provisioned subscription", func(_ client, c customer) error { return second(c.Subscriptions.ByID("s").ProvisioningStatus.Get(ctx)) })
	one("registration", func(_ client, c customer) error { return second(c.Subscriptions.ByID("s").Registrations.Create(ctx)) })
	one("registration status", func(_ client, c customer) error { return second(c.Subscriptions.ByID("s").RegistrationStatus.Get(ctx)) })
	one("offers", func(pc client, _ customer) error { return second(pc.Offers.ByCountry("US").Get(ctx)) })
	one("offer", func(pc client, _ customer) error { return second(pc.Offers.ByCountry("US").ByID("o").Get(ctx)) })
	one("categories", func(pc client, _ customer) error { return second(pc.OfferCategories.ByCountry("US").Get(ctx)) })
	one("product", func(pc client, _ customer) error { return second(pc.Products.ByCountry("US").ByID("p").Get(ctx)) })
	one("SKUs", func(_ client, c customer) error { return second(c.Products.ByID("p").SKUs.Get(ctx)) })
	one("SKU", func(_ client, c customer) error { return second(c.Products.ByID("p").SKUs.ByID("s").Get(ctx)) })
	one("availabilities", func(_ client, c customer) error {
		return second(c.Products.ByID("p").SKUs.ByID("s").Availabilities.Get(ctx))
	})
	one("availability", func(_ client, c customer) error {
		return second(c.Products.ByID("p").SKUs.ByID("s").Availabilities.ByID("a").Get(ctx))
	})
	one("inventory", func(pc client, _ customer) error {
		return second(pc.Extensions.Product.ByCountry("US").CheckInventory(ctx, new(partnercenter.InventoryCheckRequest)))
	})
	one("link", func(pc client, _ customer) error {
		return pc.Follow(ctx, partnercenter.NewLink("GET", "/customers/c"), new(partnercenter.Collection[*partnercenter.Customer]))
	})
	const failure = `{"code":"800003","description":"x","data":[],"source":"PartnerFD"}`
	for _, answer := range []struct {
		status int
		body   string
	}{
		{200, failure}, {201, failure}, {200, `{}`}, {200, `null`}, {200, `[{}]`}, {200, `[null]`}, {200, `[` + failure + `]`},
		{200, ``}, {203, ``}, {202, `{}`}, {207, failure},
		{200, `{"attributes":{"objectType":"Error"}}`},
		{200, `{"id":"x","skuId":"x","subscriptionId":"x","tenantId":"x","applicationId":"x","items":[],"attributes":{"objectType":"Error"}}`},
		{200, `{"links":{}}`}, {200, `{"status":"failed","message":"x"}`}, {200, `{"statusCode":429,"message":"x"}`},
		{200, `{"totalCount":null,"items":null}`}, {200, `{"items":null}`}, {200, `{"totalCount":null}`},
		{200, `{"totalCount":1,"items":[{}]}`}, {200, `{"totalCount":1,"items":[` + failure + `]}`}, {200, `{"totalCount":1,"items":[null]}`},
	} {
		s := newStub(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(answer.status)
			io.WriteString(w, answer.body)
		})
		pc := s.client(t, nil)
		for name, call := range calls {
			if err := call(pc); !errors.As(err, new(*partnercenter.DecodeError)) {
				t.Errorf("%s, answered %d %s: %v", name, answer.status, answer.body, err)
			}
		}
	}
}

// TestQueryAllPastThePageSize asks for larger pages than the service answers, which says
// nothing of it.
func TestQueryAllPastThePageSize(t *testing.T) {
	const customers = 1200
	for _, largest := range []int{100, 300, 500, 600, customers} {
		s := newStub(t, func(w http.ResponseWriter, r *http.Request) {
			size, _ := strconv.Atoi(r.URL.Query().Get("size"))
			offset, _ := strconv.Atoi(r.URL.Query().Get("offset"))
			var items []string
			for i := offset; i < min(offset+min(size, largest), customers); i++ {
				items = append(items, fmt.Sprintf(`{"id":"c%d"}`, i))
			}
			fmt.Fprintf(w, `{"totalCount":%d,"items":[%s]}`, len(items), strings.Join(items, ","))
		})
		for _, size := range []int{0, 100, 300, 400, 500, 1000, math.MaxInt} {
			queries := []partnercenter.CustomersQuery{{Size: size, ByOffset: true}}
			if largest >= 500 { // and no token
				queries = append(queries, partnercenter.CustomersQuery{Size: size}, partnercenter.CustomersQuery{Size: size, Seek: partnercenter.SeekOperationFirst})
			}
			for _, q := range queries {
				n := 0
				for customer, err := range s.client(t, nil).Customers.QueryAll(t.Context(), q) {
					if err != nil {
						t.Fatal(err)
					}
					if want := fmt.Sprintf("c%d", n); customer.ID != want {
						t.Fatalf("%+v: %s, want %s", q, customer.ID, want)
					}
					n++
				}
				if n != customers {
					t.Errorf("%+v of at most %d: %d customers, want %d", q, largest, n, customers)
				}
			}
		}
	}
}

// TestOffsetIgnored has a service answer the same page to every offset.
func TestOffsetIgnored(t *testing.T) {
	s := newStub(t, answerJSON(`{"totalCount":2,"items":[{"id":"a"},{"id":"b"}]}`))
	for size, want := range map[int]int{1: 2, 2: 2, 3: 2} {
		n := 0
		var failed error
		for _, err := range s.client(t, nil).Customers.QueryAll(t.Context(), partnercenter.CustomersQuery{Size: size, ByOffset: true}) {
			if failed = err; err == nil {
				n++
			}
		}
		if n != want || (failed == nil) != (size == 1) {
			t.Errorf("size %d: %d customers, %v", size, n, failed)
		}
	}
}

func TestOrderStatusNumbers(t *testing.T) {
	for text, want := range map[partnercenter.OrderStatus]partnercenter.OrderStatus{
		"3": partnercenter.OrderStatusCancelled, "4": partnercenter.OrderStatusSuspended, "5": partnercenter.OrderStatusPendingReview,
		"6": partnercenter.OrderStatusPendingPOUpload, "10": partnercenter.OrderStatusError, "11": "11", "-1": "-1", "1e0": "1e0",
		"Partial success": partnercenter.OrderStatusPartialSuccess, " PO review rejected ": partnercenter.OrderStatusPOReviewRejected,
	} {
		if got := text.Normalize(); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}

// TestOptionsOutOfRange are options that would have a client ask without end, or for
// something else than was meant. Nothing is sent.
func TestOptionsOutOfRange(t *testing.T) {
	s := newStub(t, answerJSON(anyAnswer))
	pc := s.client(t, nil)
	order := pc.Customers.ByID(customerID).Orders.ByID("o")
	first := func(err error) error { return err }
	for name, err := range map[string]error{
		"interval":         second(order.WaitVisible(t.Context(), &partnercenter.WaitOptions{Interval: -1})),
		"short interval":   second(order.WaitVisible(t.Context(), &partnercenter.WaitOptions{Interval: partnercenter.MinWaitInterval - 1})),
		"short longest":    second(order.WaitVisible(t.Context(), &partnercenter.WaitOptions{MaxInterval: 1})),
		"budget":           second(partnercenter.NewClient(&fakeCredential{}, &partnercenter.ClientOptions{Budget: partnercenter.NewBudget(&partnercenter.BudgetOptions{RequestsPerMinute: -1})})),
		"weight of writes": second(partnercenter.NewClient(&fakeCredential{}, &partnercenter.ClientOptions{Budget: partnercenter.NewBudget(&partnercenter.BudgetOptions{WriteWeight: -1})})),
		"longest interval": second(order.WaitVisible(t.Context(), &partnercenter.WaitOptions{MaxInterval: -time.Second})),
		"size of offers":   second(pc.Offers.ByCountry("US").Query(t.Context(), partnercenter.OffersQuery{Size: -1})),
		"offset of offers": second(pc.Offers.ByCountry("US").Query(t.Context(), partnercenter.OffersQuery{Offset: -1})),
		"workers": first(func() (err error) {
			for _, err = range pc.Orders.All(t.Context(), &partnercenter.AllOrdersOptions{Workers: -1}) {
			}
			return err
		}()),
		"many workers": first(func() (err error) {
			for _, err = range pc.Orders.All(t.Context(), &partnercenter.AllOrdersOptions{Workers: 1e9}) {
			}
			return err
		}()),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if len(s.requests) != 0 {
		t.Errorf("%d requests were sent", len(s.requests))
	}
}

// TestNoRetryDelay retries at once, as azcore documents negative delays, and not after the
// longest delay.
func TestNoRetryDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tries := 0
		opts := &partnercenter.ClientOptions{Endpoint: "https://partner.test"}
		opts.Retry.RetryDelay = -1
		opts.Transport = &direct{handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			tries++
			w.WriteHeader(http.StatusServiceUnavailable)
		})}
		pc, err := partnercenter.NewClient(&fakeCredential{}, opts)
		if err != nil {
			t.Fatal(err)
		}
		started := time.Now()
		if _, err = pc.Customers.Get(t.Context()); err == nil || tries != 4 || time.Since(started) > time.Microsecond {
			t.Errorf("%d tries in %s, %v", tries, time.Since(started), err)
		}
	})
}

func TestRetryAfterOutOfRange(t *testing.T) {
	const longest = math.MaxInt64 / time.Second * time.Second
	for value, want := range map[string]time.Duration{
		"10000000000": longest, "99999999999999999999999": longest,
		"86400": 24 * time.Hour, "-1": 0, "0": 0, "1.5": 0,
	} {
		if got := partnercenter.RetryAfter(http.Header{"Retry-After": {value}}, time.Now()); got != want {
			t.Errorf("%s: %v, want %v", value, got, want)
		}
	}
	s := newStub(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "7200")
		w.WriteHeader(http.StatusTooManyRequests)
	})
	_, err := s.client(t, nil).Customers.Get(t.Context())
	if err == nil || !strings.Contains(err.Error(), "retry after 2h0m0s, on "+time.Now().UTC().Add(2*time.Hour).Format("2006-01-02T")) {
		t.Errorf("the error does not name the wait and its date: %v", err)
	}
}

// TestNeverSent fails before the service has the request. What was bought is certain
// then: nothing.
func TestNeverSent(t *testing.T) {
	refusing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }))
	defer refusing.Close()
	proxy, err := url.Parse(refusing.URL)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := net.Listen("tcp", "127.0.0.1:0") // what answers is not TLS
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	go func() {
		for {
			c, err := plain.Accept()
			if err != nil {
				return
			}
			io.WriteString(c, "220 mail.example ESMTP\r\n")
			c.Close()
		}
	}()
	broken := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	defer broken.Close()
	for name, test := range map[string]struct {
		transport *http.Transport
		endpoint  string
		sent      bool
	}{
		"a proxy that refuses":     {&http.Transport{Proxy: http.ProxyURL(proxy)}, "https://partner.example", false},
		"a failing handshake":      {&http.Transport{TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12}}, "https://" + plain.Addr().String(), false},
		"an answer that is lost":   {&http.Transport{}, broken.URL, true},
		"nobody is at the address": {&http.Transport{}, "http://127.0.0.1:1", false},
	} {
		opts := &partnercenter.ClientOptions{Endpoint: test.endpoint}
		opts.Transport = &http.Client{Transport: test.transport}
		opts.Retry.MaxRetries = -1
		pc, err := partnercenter.NewClient(&fakeCredential{}, opts)
		if err != nil {
			t.Fatal(err)
		}
		_, err = pc.Customers.ByID(customerID).Orders.Create(t.Context(), orderOf(1))
		if err == nil || partnercenter.Unsettled(err) != test.sent {
			t.Errorf("%s: unsettled %v, want %v: %v", name, partnercenter.Unsettled(err), test.sent, err)
		}
		test.transport.CloseIdleConnections()
	}
}

// silent never answers.
type silent struct{}

func (silent) Do(req *http.Request) (*http.Response, error) {
	<-req.Context().Done()
	return nil, context.Cause(req.Context())
}

// TestTriesEnd asks a service that accepts and never answers.
func TestTriesEnd(t *testing.T) {
	for timeout, want := range map[time.Duration]time.Duration{
		0:               partnercenter.DefaultTryTimeout,
		7 * time.Second: 7 * time.Second,
		-1:              time.Hour, // of the context
	} {
		synctest.Test(t, func(t *testing.T) {
			opts := &partnercenter.ClientOptions{}
			opts.Transport, opts.Retry.MaxRetries, opts.Retry.TryTimeout = silent{}, -1, timeout
			pc, err := partnercenter.NewClient(&fakeCredential{}, opts)
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			defer cancel()
			started := time.Now()
			_, err = pc.Customers.Get(ctx)
			if took := time.Since(started); took != want || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("timeout %v: %v after %v, want %v", timeout, err, took, want)
			}
		})
	}
}

// pausing answers with bytes, each after a pause.
type pausing struct{ pauses []time.Duration }

func (p pausing) Do(req *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Request: req, Body: io.NopCloser(&pausedBody{req.Context(), p.pauses})}, nil
}

type pausedBody struct {
	ctx    context.Context
	pauses []time.Duration
}

func (b *pausedBody) Read(p []byte) (int, error) {
	if len(b.pauses) == 0 {
		return 0, io.EOF
	}
	select {
	case <-b.ctx.Done():
		return 0, b.ctx.Err()
	case <-time.After(b.pauses[0]):
		b.pauses = b.pauses[1:]
		return copy(p, "x"), nil
	}
}

// TestStalledDownloads checks that a file may take its time, but not stop arriving.
func TestStalledDownloads(t *testing.T) {
	const timeout = 10 * time.Second
	for name, test := range map[string]struct {
		pauses  []time.Duration
		reading time.Duration // what the caller does with each byte
		took    time.Duration
		read    int
		fails   bool
	}{
		"slow":                    {slices.Repeat([]time.Duration{9 * time.Second}, 10), 0, 90 * time.Second, 10, false},
		"read slowly":             {slices.Repeat([]time.Duration{time.Second}, 3), time.Minute, 183 * time.Second, 3, false},
		"nothing after the start": {[]time.Duration{time.Hour}, 0, timeout, 0, true},
		"stalled in the middle":   {[]time.Duration{time.Second, time.Second, time.Hour}, 0, 12 * time.Second, 2, true},
	} {
		synctest.Test(t, func(t *testing.T) {
			opts := &partnercenter.ClientOptions{}
			opts.Transport, opts.Retry.TryTimeout = pausing{test.pauses}, timeout
			pc, err := partnercenter.NewClient(&fakeCredential{}, opts)
			if err != nil {
				t.Fatal(err)
			}
			started := time.Now()
			content, err := pc.Customers.ByID(customerID).Orders.ByID("o").Attachments.ByID("a").Download(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer content.Body.Close()
			read := 0
			for err == nil {
				var n int
				n, err = content.Body.Read(make([]byte, 1))
				read += n
				if n > 0 {
					time.Sleep(test.reading)
				}
			}
			took := time.Since(started)
			if test.fails != errors.Is(err, context.DeadlineExceeded) || test.fails && !strings.Contains(err.Error(), "TryTimeout") || !test.fails && err != io.EOF {
				t.Errorf("%s: %v", name, err)
			}
			if took != test.took || read != test.read {
				t.Errorf("%s: %d bytes in %s, want %d in %s", name, read, took, test.read, test.took)
			}
		})
	}
}

// TestTooLargeAttachment reads on after the error.
func TestTooLargeAttachment(t *testing.T) {
	s := newStub(t, func(w http.ResponseWriter, _ *http.Request) {
		chunk := slices.Repeat([]byte("x"), 1<<20)
		for range partnercenter.MaxAttachmentSize>>20 + 1 {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	})
	content, err := s.client(t, nil).Customers.ByID(customerID).Orders.ByID("o").Attachments.ByID("a").Download(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer content.Body.Close()
	n, err := io.Copy(io.Discard, content.Body)
	if n != partnercenter.MaxAttachmentSize || !errors.Is(err, partnercenter.ErrAttachmentTooLarge) {
		t.Errorf("%d bytes, %v", n, err)
	}
	for range 2 {
		if n, err := content.Body.Read(make([]byte, 10)); n != 0 || !errors.Is(err, partnercenter.ErrAttachmentTooLarge) {
			t.Errorf("and then %d bytes, %v", n, err)
		}
	}
}

// TestRetryAfterIsNotOutlived asks a service for which no wait is long enough. Each call
// is made once and its error says until when, in a time of its own.
func TestRetryAfterIsNotOutlived(t *testing.T) {
	for value, want := range map[string]string{
		"61":                            "retry after 1m1s, on 2000-01-01T00:01:01Z",
		"9223372036":                    "retry after 2562047h47m16s, on 2292-04-10T23:47:16Z",
		"9223372037":                    "on 2292-04-10T23:47:17Z",
		"10000000000":                   "retry in 316 years, on 2316-11-20T17:46:40Z",
		"99999999999999999999999":       "retry in 7999 years, on 9999-12-31T23:59:59Z",
		"18446744073709551615":          "retry in 7999 years, on 9999-12-31T23:59:59Z",
		"Fri, 01 Jan 9999 00:00:00 GMT": "retry in 7999 years, on 9999-01-01T00:00:00Z",
	} {
		for _, limit := range []*partnercenter.Budget{nil, partnercenter.NewBudget(nil)} {
			synctest.Test(t, func(t *testing.T) {
				sent := 0
				opts := &partnercenter.ClientOptions{Endpoint: "https://partner.test", Budget: limit}
				opts.Transport = &direct{handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					sent++
					w.Header().Set("Retry-After", value)
					w.Header().Set("Retry-After-Ms", "1")
					w.WriteHeader(http.StatusTooManyRequests)
				})}
				pc, err := partnercenter.NewClient(&fakeCredential{}, opts)
				if err != nil {
					t.Fatal(err)
				}
				started := time.Now()
				_, err = pc.Customers.Get(t.Context())
				if err == nil || !strings.Contains(err.Error(), want) || sent != 1 || time.Since(started) != 0 {
					t.Errorf("%s: %d calls in %v, %v", value, sent, time.Since(started), err)
				}
				if azure, ok := errors.AsType[*azcore.ResponseError](err); !ok || azure.RawResponse.Header.Get("Retry-After") != value {
					t.Errorf("%s: the header became %v", value, azure)
				}
				if limit == nil {
					return
				}
				_, err = pc.Customers.Get(t.Context())
				refused, ok := errors.AsType[*partnercenter.BudgetError](err)
				_, date, _ := strings.Cut(want, "on ")
				if !ok || errors.Is(err, context.DeadlineExceeded) || !refused.Throttled || refused.MaxDelay != time.Minute ||
					!strings.Contains(err.Error(), date) || sent != 1 || time.Since(started) != 0 {
					t.Errorf("%s, with a budget: %d calls in %v, %v", value, sent, time.Since(started), err)
				}
			})
		}
	}
}
