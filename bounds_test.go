package partnercenter_test

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/partnercenter-go/partnercenter"
)

// endless is a transport whose answers do not end. It counts what is read of them.
type endless struct {
	status int
	header http.Header
	calls  int
	read   int64
}

func (e *endless) Do(req *http.Request) (*http.Response, error) {
	e.calls++
	header := e.header
	if header == nil {
		header = http.Header{"Content-Type": {"application/json"}}
	}
	return &http.Response{StatusCode: e.status, Status: strconv.Itoa(e.status), Header: header, Request: req, Body: io.NopCloser(e), ContentLength: -1}, nil
}

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	e.read += int64(len(p))
	return len(p), nil
}

func (e *endless) client(t *testing.T, limit int64) *partnercenter.Client {
	t.Helper()
	o := &partnercenter.ClientOptions{Endpoint: "http://127.0.0.1", MaxAnswerSize: limit}
	o.Transport = e
	o.Retry.RetryDelay = time.Millisecond
	pc, err := partnercenter.NewClient(&fakeCredential{}, o)
	if err != nil {
		t.Fatal(err)
	}
	return pc
}

// last returns the error at the end of an iterator.
func last[T any](items iter.Seq2[T, error]) (failed error) {
	for _, err := range items {
		failed = err
	}
	return failed
}

// TestEndlessAnswers has every kind of call read an answer that does not end.
func TestEndlessAnswers(t *testing.T) {
	const limit = 1 << 20
	ctx := t.Context()
	for name, tt := range map[string]struct {
		call  func(*partnercenter.Client) error
		write bool
	}{
		"get":       {func(pc *partnercenter.Client) error { _, err := pc.Customers.ByID(customerID).Get(ctx); return err }, false},
		"list":      {func(pc *partnercenter.Client) error { return last(pc.Customers.ByID(customerID).Orders.All(ctx)) }, false},
		"customers": {func(pc *partnercenter.Client) error { return last(pc.Customers.All(ctx)) }, false},
		"offers":    {func(pc *partnercenter.Client) error { return last(pc.Offers.ByCountry("US").All(ctx)) }, false},
		"all orders": {func(pc *partnercenter.Client) error {
			return last(pc.Orders.All(ctx, &partnercenter.AllOrdersOptions{Customers: []*partnercenter.Customer{{ID: customerID}}}))
		}, false},
		"wait": {func(pc *partnercenter.Client) error {
			_, err := pc.Customers.ByID(customerID).Orders.ByID("o").WaitVisible(ctx, nil)
			return err
		}, false},
		"follow": {func(pc *partnercenter.Client) error {
			return pc.Follow(ctx, partnercenter.NewLink("GET", "/customers"), new(partnercenter.Customer))
		}, false},
		"raw": {func(pc *partnercenter.Client) error {
			_, err := pc.Do(ctx, &partnercenter.RawRequest{Method: "GET", URI: "/x"})
			return err
		}, false},
		"create": {func(pc *partnercenter.Client) error {
			_, err := pc.Customers.ByID(customerID).Orders.Create(ctx, &partnercenter.Order{})
			return err
		}, true},
	} {
		e := &endless{status: 200}
		err := tt.call(e.client(t, limit))
		large, ok := errors.AsType[*partnercenter.LargeAnswerError](err)
		if !ok || large.Limit != limit || !strings.Contains(err.Error(), "MaxAnswerSize") || e.calls != 1 || e.read > limit+1 {
			t.Errorf("%s: %v after %d calls, %d bytes read", name, err, e.calls, e.read)
		}
		if partnercenter.Unsettled(err) != tt.write {
			t.Errorf("%s: unsettled is %t", name, !tt.write)
		}
		// Of an error, what matters is the status.
		e = &endless{status: 403}
		err = tt.call(e.client(t, 0))
		if refused, ok := errors.AsType[*partnercenter.Error](err); !ok || refused.StatusCode != 403 || e.calls != 1 || e.read > 1<<20 {
			t.Errorf("%s, refused: %v after %d calls, %d bytes read", name, err, e.calls, e.read)
		}
	}
	e := &endless{status: 200, header: http.Header{"Content-Disposition": {"attachment"}}}
	content, err := e.client(t, limit).Customers.ByID(customerID).Orders.ByID("o").Attachments.ByID("a").Download(ctx)
	if err != nil {
		t.Fatal(err)
	}
	n, err := io.Copy(io.Discard, content.Body)
	if n != limit || !errors.Is(err, partnercenter.ErrAttachmentTooLarge) || !errors.As(err, new(*partnercenter.LargeAnswerError)) || e.read > limit+1 {
		t.Errorf("download: %d bytes, %v, %d read", n, err, e.read)
	}
	e = &endless{status: 200}
	if err := last(e.client(t, 0).Customers.All(ctx)); !errors.As(err, new(*partnercenter.LargeAnswerError)) || e.read > partnercenter.DefaultMaxAnswerSize+1 {
		t.Errorf("by default: %v, %d read", err, e.read)
	}
	if _, err := partnercenter.NewClient(&fakeCredential{}, &partnercenter.ClientOptions{MaxAnswerSize: -1}); err == nil || !strings.Contains(err.Error(), "MaxAnswerSize -1") {
		t.Errorf("a negative size: %v", err)
	}
}

// bomb returns a gigabyte of blanks in a megabyte.
func bomb(t *testing.T) []byte {
	t.Helper()
	const part = 16 << 20
	var packed bytes.Buffer
	w, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err == nil {
		_, err = w.Write(bytes.Repeat([]byte(" "), part))
	}
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return bytes.Repeat(packed.Bytes(), 1<<30/part)
}

// TestDecompressedAnswers counts what an answer is decompressed to.
func TestDecompressedAnswers(t *testing.T) {
	packed := bomb(t)
	if len(packed) > 2<<20 {
		t.Fatalf("%d bytes", len(packed))
	}
	for _, status := range []int{200, 400} {
		s := newStub(t, func(w http.ResponseWriter, r *http.Request) {
			if !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
				t.Error("no compressed answer was asked for")
			}
			w.Header().Set("Content-Encoding", "gzip")
			w.WriteHeader(status)
			w.Write(packed)
		})
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := s.client(t, func(o *partnercenter.ClientOptions) { o.MaxAnswerSize = 4 << 20 }).Customers.Get(t.Context())
		runtime.ReadMemStats(&after)
		if status == 200 != errors.As(err, new(*partnercenter.LargeAnswerError)) || status == 400 != errors.As(err, new(*partnercenter.Error)) {
			t.Errorf("%d: %v", status, err)
		}
		if grown := after.TotalAlloc - before.TotalAlloc; grown > 64<<20 {
			t.Errorf("%d: %d MiB were allocated", status, grown>>20)
		}
	}
}

// TestLargeHeader has an answer with a header that nobody needs.
func TestLargeHeader(t *testing.T) {
	s := newStub(t, func(w http.ResponseWriter, _ *http.Request) {
		for i := range 200 {
			w.Header().Set(fmt.Sprint("X-", i), strings.Repeat("x", 10<<10))
		}
		io.WriteString(w, emptyList)
	})
	if _, err := s.client(t, nil).Customers.Get(t.Context()); err == nil || len(err.Error()) > 1000 {
		t.Errorf("%.1000v", err)
	}
}

// TestEndlessLists has lists whose next links lead on and on.
func TestEndlessLists(t *testing.T) {
	ctx := t.Context()
	item := `{"id":"x","attachmentId":"x"}`
	page := func(w http.ResponseWriter, items, next, token string) {
		n := strings.Count(items, `"id"`)
		headers := ""
		if token != "" {
			headers = fmt.Sprintf(`{"key":"MS-ContinuationToken","value":%q}`, token)
		}
		fmt.Fprintf(w, `{"totalCount":%d,"items":[%s],"continuationToken":%q,"links":{"next":{"uri":%q,"headers":[%s]}}}`, n, items, token, next, headers)
	}
	var calls atomic.Int32
	for name, tt := range map[string]struct {
		answer http.HandlerFunc
		want   string // in the error
		most   int32  // calls
	}{
		"a, b, a": {func(w http.ResponseWriter, r *http.Request) {
			next := "/next?page=b"
			if strings.HasSuffix(r.RequestURI, "page=b") {
				next = "v1/next?page=a"
			}
			page(w, item, next, "")
		}, "page=b", 3},
		"its first page": {func(w http.ResponseWriter, r *http.Request) { page(w, item, r.RequestURI, "") }, "came before", 1},
		"new ones without items": {func(w http.ResponseWriter, _ *http.Request) {
			page(w, "", fmt.Sprintf("/next?page=%d", calls.Load()), "")
		}, "3 pages in a row have no items", 3},
		"tokens t1, t2, t1": {func(w http.ResponseWriter, r *http.Request) {
			token := "t1"
			if r.Header.Get("MS-ContinuationToken") == "t1" {
				token = "t2"
			}
			page(w, item, "/next", token)
		}, `"t1"`, 3},
		"new tokens without items": {func(w http.ResponseWriter, _ *http.Request) {
			page(w, "", "/next", fmt.Sprint("t", calls.Load()))
		}, "3 pages in a row have no items", 3},
		"one token, ever new links": {func(w http.ResponseWriter, _ *http.Request) {
			page(w, item, fmt.Sprintf("/next?page=%d", calls.Load()), "t1")
		}, `"t1"`, 2},
		"a link of a megabyte": {func(w http.ResponseWriter, _ *http.Request) {
			page(w, item, "/next?page="+strings.Repeat("x", 1<<20), "")
		}, "bytes", 1},
	} {
		s := newStub(t, func(w http.ResponseWriter, r *http.Request) {
			calls.Add(1)
			if r.RequestURI == "/v1/customers/"+customerID+"/orders/o" {
				io.WriteString(w, `{"id":"o"}`)
				return
			}
			tt.answer(w, r)
		})
		pc := s.client(t, nil)
		order := pc.Customers.ByID(customerID).Orders.ByID("o")
		for walker, do := range map[string]func(context.Context) error{
			"orders":      func(ctx context.Context) error { return last(pc.Customers.ByID(customerID).Orders.All(ctx)) },
			"customers":   func(ctx context.Context) error { return last(pc.Customers.All(ctx)) },
			"offers":      func(ctx context.Context) error { return last(pc.Offers.ByCountry("US").All(ctx)) },
			"attachments": func(ctx context.Context) error { return last(order.Attachments.All(ctx)) },
			"all orders": func(ctx context.Context) error {
				return last(pc.Orders.All(ctx, &partnercenter.AllOrdersOptions{Customers: []*partnercenter.Customer{{ID: customerID}}}))
			},
			"all orders of all": func(ctx context.Context) error { return last(pc.Orders.All(ctx, nil)) },
			"each customer": func(ctx context.Context) (failed error) {
				err := last(pc.Orders.All(ctx, &partnercenter.AllOrdersOptions{
					Customers:  []*partnercenter.Customer{{ID: customerID}},
					OnCustomer: func(_ *partnercenter.Customer, err error) { failed = err },
				}))
				return cmp.Or(err, failed)
			},
			"wait": func(ctx context.Context) error { _, err := order.WaitVisible(ctx, nil); return err },
		} {
			switch customers := walker == "customers" || walker == "all orders of all"; {
			case customers && name == "a, b, a", customers && name == "its first page", customers && name == "new ones without items", customers && name == "a link of a megabyte":
				continue // customers are paged by token only
			}
			calls.Store(0)
			ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
			err := do(ctx)
			cancel()
			most := tt.most
			if walker == "wait" {
				most++
			}
			if !errors.As(err, new(*partnercenter.EndlessListError)) || !strings.Contains(err.Error(), tt.want) || len(err.Error()) > 1000 || calls.Load() > most {
				t.Errorf("%s of %s: %.300v after %d calls", walker, name, err, calls.Load())
			}
		}
	}
}

// TestEmptyPages goes on after as many pages without items as there may be.
func TestEmptyPages(t *testing.T) {
	s := newStub(t, func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(r.URL.Query().Get("page"))
		items, count := "", 0
		if n%3 == 2 {
			items, count = fmt.Sprintf(`{"id":"o%d"}`, n), 1
		}
		next := fmt.Sprintf(`,"links":{"next":{"uri":"/next?page=%d"}}`, n+1)
		if n == 8 {
			next = ""
		}
		fmt.Fprintf(w, `{"totalCount":%d,"items":[%s]%s}`, count, items, next)
	})
	n := 0
	for _, err := range s.client(t, nil).Customers.ByID(customerID).Orders.All(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	if n != 3 {
		t.Errorf("%d orders, want 3", n)
	}
}

// TestOffersPastThePageSize reads offers of a service that does not link pages.
func TestOffersPastThePageSize(t *testing.T) {
	const offers = 1200
	for largest, want := range map[int]int{500: offers, 600: offers, 100: 100} {
		for _, ignoresOffsets := range []bool{false, true} {
			s := newStub(t, func(w http.ResponseWriter, r *http.Request) {
				size, _ := strconv.Atoi(r.URL.Query().Get("size"))
				offset, _ := strconv.Atoi(r.URL.Query().Get("offset"))
				if ignoresOffsets {
					offset = 0
				}
				var items []string
				for i := offset; i < min(offset+min(size, largest), offers); i++ {
					items = append(items, fmt.Sprintf(`{"id":"o%d"}`, i))
				}
				total := len(items)
				if largest < size {
					total = offers // it says that there are more
				}
				fmt.Fprintf(w, `{"totalCount":%d,"items":[%s]}`, total, strings.Join(items, ","))
			})
			n := 0
			var failed error
			for offer, err := range s.client(t, nil).Offers.ByCountry("US").All(t.Context()) {
				if failed = err; err != nil {
					break
				}
				if offer.ID != fmt.Sprint("o", n) {
					t.Fatalf("offer %s is number %d", offer.ID, n)
				}
				n++
			}
			if short := errors.As(failed, new(*partnercenter.ShortAnswerError)); short != (largest < 500) || !short && failed != nil {
				t.Errorf("at most %d: %v", largest, failed)
			}
			if ignoresOffsets {
				want = min(want, 500)
			}
			if largest >= 500 && n != want {
				t.Errorf("at most %d: %d offers, want %d", largest, n, want)
			}
		}
	}
}

// TestLongTexts has a service write much where an error quotes it.
func TestLongTexts(t *testing.T) {
	long := strings.Repeat("long ", 100_000)
	digits := strings.Repeat("9", 500_000)
	for name, answer := range map[string]http.HandlerFunc{
		"description": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(400)
			fmt.Fprintf(w, `{"code":%q,"description":%q,"source":%q}`, long, long, long)
		},
		"code": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(400)
			fmt.Fprintf(w, `{"code":%s}`, digits)
		},
		"text": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(502); io.WriteString(w, long) },
		"ids":  func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("MS-RequestId", long); w.WriteHeader(400) },
		"content type": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "x/"+long)
			io.WriteString(w, "x")
		},
		"number": func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintf(w, `{"totalCount":%s,"items":[]}`, digits) },
		"member": func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintf(w, `{%q:1,%q:2}`, long, long) },
		"nested": func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintf(w, `{%q:{"items":}}`, long) },
		"string": func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintf(w, `{"totalCount":%q}`, long) },
		"link": func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintf(w, `{"totalCount":0,"items":[],"links":{"next":{"uri":"/\u0001%s"}}}`, strings.Repeat("x", 20_000))
		},
		"port": func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintf(w, `{"totalCount":0,"items":[],"links":{"next":{"uri":"http://x:%s"}}}`, strings.Repeat("x", 20_000))
		},
		"dots": func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintf(w, `{"totalCount":0,"items":[],"links":{"next":{"uri":"/../%s"}}}`, strings.Repeat("x", 20_000))
		},
		"token": func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintf(w, `{"totalCount":0,"items":[],"links":{"next":{"uri":"/x","headers":[{"key":"MS-ContinuationToken","value":"\n%s"}]}}}`, strings.Repeat("x", 20_000))
		},
	} {
		s := newStub(t, answer)
		pc := s.client(t, func(o *partnercenter.ClientOptions) { o.Retry.MaxRetries = -1 })
		if err := last(pc.Customers.ByID(customerID).Orders.All(t.Context())); err == nil || len(err.Error()) > 10_000 {
			t.Errorf("%s: an error of %d bytes: %.300v", name, len(fmt.Sprint(err)), err)
		}
	}
}

// TestDeepAnswers nests values deeper than anything needs, where the client does not look
// and where it does.
func TestDeepAnswers(t *testing.T) {
	started := time.Now()
	for name, tt := range map[string]struct {
		body string
		ok   bool
	}{
		"too deep":        {`{"id":"x","unknown":` + strings.Repeat("[", 1_000_000), false},
		"too deep, whole": {`{"id":"x","unknown":` + strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000) + `}`, false},
		"objects":         {`{"id":"x","unknown":` + strings.Repeat(`{"a":`, 100_000) + "null" + strings.Repeat("}", 100_000) + `}`, false},
		"deep":            {`{"id":"x","unknown":` + strings.Repeat(`{"a":`, 99) + "null" + strings.Repeat("}", 99) + `}`, true},
		"deeper":          {`{"id":"x","unknown":` + strings.Repeat(`{"a":`, 100) + "null" + strings.Repeat("}", 100) + `}`, false},
		"deep links":      {`{"id":"x","links":{"self":` + strings.Repeat(`{"Extra":`, 98) + `""` + strings.Repeat("}", 98) + `}}`, true},
		"brackets":        {`{"id":"x","unknown":"` + strings.Repeat(`\"[{`, 1000) + `"}`, true},
		"wide":            {`{"id":"x","unknown":[` + strings.Repeat(`[{}],`, 1000) + `0]}`, true},
	} {
		s := newStub(t, answerJSON(tt.body))
		_, err := s.client(t, nil).Customers.ByID(customerID).Get(t.Context())
		if (err == nil) != tt.ok || err != nil && (!errors.As(err, new(*partnercenter.DecodeError)) || len(err.Error()) > 10_000) {
			t.Errorf("%s: %.300v", name, err)
		}
		_, err = s.client(t, nil).Do(t.Context(), &partnercenter.RawRequest{Method: "GET", URI: "/x"})
		if (err == nil) != tt.ok || err != nil && !errors.As(err, new(*partnercenter.DecodeError)) {
			t.Errorf("%s, as it came: %.300v", name, err)
		}
	}
	if took := time.Since(started); took > 20*time.Second {
		t.Errorf("it took %s", took)
	}
}

// TestLargestOptions has options that azcore and budgets would count with.
func TestLargestOptions(t *testing.T) {
	tries := 0
	s := newStub(t, func(w http.ResponseWriter, _ *http.Request) {
		tries++
		w.WriteHeader(503)
	})
	pc := s.client(t, func(o *partnercenter.ClientOptions) {
		o.Retry.MaxRetries, o.Retry.RetryDelay, o.Retry.MaxRetryDelay = math.MaxInt32, -1, time.Microsecond
		o.Budget = partnercenter.NewBudget(&partnercenter.BudgetOptions{RequestsPerMinute: math.MaxInt, WriteWeight: math.MaxInt})
		if left := o.Budget.Snapshot()[0].Remaining; left != 1_000_000 {
			t.Errorf("a budget of %d", left)
		}
	})
	if _, err := pc.Customers.Get(t.Context()); !errors.As(err, new(*partnercenter.Error)) || tries != 1001 {
		t.Errorf("%v after %d tries", err, tries)
	}
}

// TestNegativeCount has a list that cannot be.
func TestNegativeCount(t *testing.T) {
	s := newStub(t, answerJSON(`{"totalCount":-1,"items":[]}`))
	if err := last(s.client(t, nil).Customers.All(t.Context())); !errors.As(err, new(*partnercenter.DecodeError)) || !strings.Contains(err.Error(), "totalCount of -1") {
		t.Error(err)
	}
}

// TestGatheredAnswers lists customers whose pages have no end, each of them small.
func TestGatheredAnswers(t *testing.T) {
	pages := 0
	s := newStub(t, func(w http.ResponseWriter, _ *http.Request) {
		if pages++; pages > 50 { // it was not noticed
			io.WriteString(w, `{"totalCount":0,"items":[]}`)
			return
		}
		fmt.Fprintf(w, `{"totalCount":1,"items":[{"id":"c%d","pad":%q}],"continuationToken":"t%d"}`, pages, strings.Repeat("x", 100<<10), pages)
	})
	err := last(s.client(t, func(o *partnercenter.ClientOptions) { o.MaxAnswerSize = 1 << 20 }).Orders.All(t.Context(), nil))
	if !errors.As(err, new(*partnercenter.LargeListError)) || !strings.Contains(err.Error(), "/customers") || !strings.Contains(err.Error(), "more than 1048576 bytes; set ClientOptions.MaxAnswerSize") || pages > 11 {
		t.Errorf("%v after %d pages", err, pages)
	}
}

// TestBrokenAnswersTakeNoRoom has each page of the customers break off before it arrives.
// Only what arrives counts.
func TestBrokenAnswersTakeNoRoom(t *testing.T) {
	const pages = 5
	var calls, asked atomic.Int32 // of all, and of pages
	s := newStub(t, func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		if r.URL.Path != "/v1/customers" { // the orders of several at once
			io.WriteString(w, `{"totalCount":0,"items":[]}`)
			return
		}
		try := asked.Add(1)
		page := (try + 1) / 2
		body := fmt.Sprintf(`{"totalCount":1,"items":[{"id":"c%d","pad":%q}]`, page, strings.Repeat("x", 180<<10))
		if page < pages {
			body += fmt.Sprintf(`,"continuationToken":"t%d"`, page)
		}
		w.Header().Set("Content-Length", strconv.Itoa(len(body)+1))
		if io.WriteString(w, body); try%2 == 0 {
			io.WriteString(w, "}")
		}
	})
	err := last(s.client(t, func(o *partnercenter.ClientOptions) { o.MaxAnswerSize = 1 << 20 }).Orders.All(t.Context(), nil))
	if err != nil || calls.Load() != 2*pages+pages {
		t.Errorf("%v after %d calls", err, calls.Load())
	}
}

// TestConcurrentAnswers has large answers for customers ahead of one that is slow to be
// dealt with. All orders are listed, and not kept at once.
func TestConcurrentAnswers(t *testing.T) {
	const size, customers = 4 << 20, 24
	pad := strings.Repeat("x", size)
	var calls atomic.Int32
	s := newStub(t, func(w http.ResponseWriter, _ *http.Request) {
		calls.Add(1)
		io.WriteString(w, `{"totalCount":1,"items":[{"id":"o","pad":"`)
		io.WriteString(w, pad)
		io.WriteString(w, `"}]}`)
	})
	o := &partnercenter.AllOrdersOptions{Workers: 2}
	for i := range customers {
		o.Customers = append(o.Customers, &partnercenter.Customer{ID: fmt.Sprint("c", i)})
	}
	var stats runtime.MemStats
	var before, most uint64
	runtime.GC()
	runtime.ReadMemStats(&stats)
	before = stats.HeapAlloc
	n := 0
	for order, err := range s.client(t, func(o *partnercenter.ClientOptions) { o.MaxAnswerSize = 5 << 20 }).Orders.All(t.Context(), o) {
		if err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprint("c", n); order.Customer.ID != want {
			t.Fatalf("an order of %s, want one of %s", order.Customer.ID, want)
		}
		if n++; n == 1 {
			for until := time.Now().Add(20 * time.Second); calls.Load() < 9 && time.Now().Before(until); {
				time.Sleep(time.Millisecond)
			}
			runtime.GC()
			runtime.ReadMemStats(&stats)
			most = stats.HeapAlloc - min(before, stats.HeapAlloc)
		}
	}
	if n != customers || most > size*customers/3 {
		t.Errorf("%d of %d orders, with %d MiB ahead", n, customers, most>>20)
	}
}
