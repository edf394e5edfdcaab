package partnercenter_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/google/go-cmp/cmp"

	"github.com/partnercenter-go/partnercenter"
)

const customerID = "b0d70a69-4c42-4b27-b17b-91a835d8686a"

// fakeCredential counts how often it is asked.
type fakeCredential struct {
	mu     sync.Mutex
	scopes [][]string
	token  string // "secret-token" if empty
	err    error
}

func (f *fakeCredential) GetToken(_ context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.scopes = append(f.scopes, o.Scopes)
	token := f.token
	if token == "" {
		token = "secret-token"
	}
	return azcore.AccessToken{Token: token, ExpiresOn: time.Now().Add(time.Hour)}, f.err
}

// stub is a service that answers as a test says and notes what it was asked.
type stub struct {
	*httptest.Server
	mu       sync.Mutex
	requests []*http.Request
}

func newStub(t *testing.T, answer http.HandlerFunc) *stub {
	t.Helper()
	s := &stub{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.requests = append(s.requests, r)
		s.mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

// client returns a client of the stub that retries without waiting long.
func (s *stub) client(t *testing.T, change func(*partnercenter.ClientOptions)) *partnercenter.Client {
	t.Helper()
	o := &partnercenter.ClientOptions{Endpoint: s.URL}
	o.Retry = policy.RetryOptions{RetryDelay: time.Millisecond, MaxRetryDelay: 2 * time.Second}
	if change != nil {
		change(o)
	}
	pc, err := partnercenter.NewClient(&fakeCredential{}, o)
	if err != nil {
		t.Fatal(err)
	}
	return pc
}

func answerJSON(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		io.WriteString(w, body)
	}
}

// anyAnswer is taken for a list and for every resource.
const anyAnswer = `{"id":"x","totalCount":0,"items":[],"status":"x","skuId":"x","subscriptionId":"x","tenantId":"x","applicationId":"x"}`

const emptyList = `{"totalCount":0,"items":[],"attributes":{"objectType":"Collection"}}`

func TestRequestsOnTheWire(t *testing.T) {
	ctx := t.Context()
	for _, tt := range []struct {
		name string
		call func(*partnercenter.Client) error
		want string
	}{
		{"orders", func(pc *partnercenter.Client) error {
			_, err := pc.Customers.ByID(customerID).Orders.Get(ctx)
			return err
		}, "/v1/customers/" + customerID + "/orders"},
		{"orders with everything", func(pc *partnercenter.Client) error {
			_, err := pc.Customers.ByID(customerID).Orders.Get(ctx, partnercenter.IncludePrice(), partnercenter.IncludeSystemPurchases(), partnercenter.ForIndirectReseller("r"))
			return err
		}, "/v1/customers/" + customerID + "/orders?include_price=true&include_system_purchases=true&indirect_reseller_id=r"},
		{"orders by billing cycle", func(pc *partnercenter.Client) error {
			_, err := pc.Customers.ByID(customerID).Orders.ByBillingCycleType("OneTime").Get(ctx)
			return err
		}, "/v1/customers/" + customerID + "/orders?billingType=one_time"},
		{"order", func(pc *partnercenter.Client) error {
			_, err := pc.Customers.ByID(customerID).Orders.ByID("a/b c").Get(ctx, partnercenter.IncludePrice())
			return err
		}, "/v1/customers/" + customerID + "/orders/a%2Fb%20c?include_price=true"},
		{"customers", func(pc *partnercenter.Client) error {
			_, err := pc.Customers.Get(ctx)
			return err
		}, "/v1/customers"},
		{"customers by filter", func(pc *partnercenter.Client) error {
			_, err := pc.Customers.Query(ctx, partnercenter.CustomersQuery{Filter: &partnercenter.FieldFilter{
				Field: partnercenter.CustomerSearchFieldCompanyName, Value: "con & so", Operator: partnercenter.FilterOperatorStartsWith,
			}})
			return err
		}, "/v1/customers?filter=" + url.QueryEscape(`{"Field":"CompanyName","Value":"con & so","Operator":"starts_with"}`) + "&size=0"},
		{"customers by offset", func(pc *partnercenter.Client) error {
			_, err := pc.Customers.Query(ctx, partnercenter.CustomersQuery{Size: 40, Offset: 80})
			return err
		}, "/v1/customers?offset=80&size=40"},
		{"customers by token", func(pc *partnercenter.Client) error {
			_, err := pc.Customers.Query(ctx, partnercenter.CustomersQuery{Seek: partnercenter.SeekOperationNext, ContinuationToken: "t"})
			return err
		}, "/v1/customers?seekOperation=Next"},
		{"customer", func(pc *partnercenter.Client) error {
			_, err := pc.Customers.ByID(customerID).Get(ctx)
			return err
		}, "/v1/customers/" + customerID},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newStub(t, answerJSON(anyAnswer))
			pc := s.client(t, func(o *partnercenter.ClientOptions) { o.ApplicationName, o.Locale = "my app", "de-DE" })
			if err := tt.call(pc); err != nil {
				t.Fatal(err)
			}
			r := s.requests[0]
			if got := r.URL.RequestURI(); got != tt.want || r.Method != http.MethodGet {
				t.Errorf("%s %s, want %s", r.Method, got, tt.want)
			}
			guid := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
			for header, want := range map[string]*regexp.Regexp{
				"MS-RequestId": guid, "MS-CorrelationId": guid,
				"Authorization": regexp.MustCompile(`^Bearer secret-token$`), "Accept": regexp.MustCompile(`^application/json$`),
				"X-Locale": regexp.MustCompile(`^de-DE$`), "MS-PartnerCenter-Application": regexp.MustCompile(`^my app$`),
				"User-Agent":    regexp.MustCompile(`^partnercenter-go/` + regexp.QuoteMeta(partnercenter.Version) + ` \(.*\) my-app$`),
				"MS-SdkVersion": regexp.MustCompile(`^` + regexp.QuoteMeta(partnercenter.Version) + `$`),
			} {
				if got := r.Header.Get(header); !want.MatchString(got) {
					t.Errorf("%s: %q", header, got)
				}
			}
		})
	}
}

func TestAccessorsDoNoIO(t *testing.T) {
	s := newStub(t, answerJSON(emptyList))
	pc := s.client(t, nil)
	for name, call := range map[string]func() error{
		"empty customer": func() error { _, err := pc.Customers.ByID("").Orders.Get(t.Context()); return err },
		"empty order":    func() error { _, err := pc.Customers.ByID("x").Orders.ByID("").Get(t.Context()); return err },
		"climbing":       func() error { _, err := pc.Customers.ByID("..").Get(t.Context()); return err },
		"negative size": func() error {
			_, err := pc.Customers.Query(t.Context(), partnercenter.CustomersQuery{Size: -1})
			return err
		},
		"negative offset": func() error {
			_, err := pc.Customers.Query(t.Context(), partnercenter.CustomersQuery{Offset: -1})
			return err
		},
	} {
		if err := call(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if len(s.requests) > 0 {
		t.Errorf("%d requests were sent", len(s.requests))
	}
}

func TestAllChecksTheCount(t *testing.T) {
	short := `{"totalCount":2,"items":[{"id":"a"}]}`
	s := newStub(t, answerJSON(short))
	var got []string
	var failure error
	for o, err := range s.client(t, nil).Customers.ByID(customerID).Orders.All(t.Context()) {
		if err != nil {
			failure = err
			continue
		}
		got = append(got, o.ID)
	}
	var e *partnercenter.ShortAnswerError
	if !errors.As(failure, &e) || e.TotalCount != 2 || e.Items != 1 || len(got) != 0 {
		t.Errorf("got %v and %v", got, failure)
	}
	tolerant := s.client(t, func(o *partnercenter.ClientOptions) { o.AllowShortAnswers = true })
	for o, err := range tolerant.Customers.ByID(customerID).Orders.All(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, o.ID)
	}
	if !slices.Equal(got, []string{"a"}) {
		t.Errorf("got %v", got)
	}
}

func TestAllFollowsNextLinks(t *testing.T) {
	for _, style := range []string{"/customers/x/orders?page=2", "customers/x/orders?page=2", "/v1/customers/x/orders?page=2", "/v1//v1/customers/x/orders?page=2", "{base}/v1/customers/x/orders?page=2"} {
		t.Run(style, func(t *testing.T) {
			var s *stub
			s = newStub(t, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Query().Get("page") == "2" {
					if r.URL.Path != "/v1/customers/x/orders" || r.Header.Get("MS-ContinuationToken") != "tok" || r.Header.Get("Authorization") != "Bearer secret-token" {
						t.Errorf("second page: %s %v", r.URL, r.Header)
					}
					io.WriteString(w, `{"totalCount":1,"items":[{"id":"b"}]}`)
					return
				}
				uri := strings.ReplaceAll(style, "{base}", s.URL)
				fmt.Fprintf(w, `{"totalCount":1,"items":[{"id":"a"}],"links":{"next":{"uri":%q,"method":"GET","headers":[{"key":"MS-ContinuationToken","value":"tok"},{"key":"Authorization","value":"Bearer stolen"}]}}}`, uri)
			})
			all := s.client(t, nil).Customers.ByID("x").Orders.All(t.Context())
			for range 2 { // an iterator starts anew each time
				var got []string
				for o, err := range all {
					if err != nil {
						t.Fatal(err)
					}
					got = append(got, o.ID)
				}
				if !slices.Equal(got, []string{"a", "b"}) {
					t.Errorf("got %v", got)
				}
			}
		})
	}
}

func TestForeignLinksAreRefused(t *testing.T) {
	foreign := newStub(t, answerJSON(emptyList))
	s := newStub(t, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `{"totalCount":1,"items":[{"id":"a"}],"links":{"next":{"uri":"%s/v1/customers/x/orders","method":"GET"}}}`, foreign.URL)
	})
	var failure error
	for _, err := range s.client(t, nil).Customers.ByID("x").Orders.All(t.Context()) {
		failure = err
	}
	if !errors.Is(failure, partnercenter.ErrForeignLink) || len(foreign.requests) != 0 {
		t.Errorf("got %v, and the foreign host got %d requests", failure, len(foreign.requests))
	}
}

func TestResolveURI(t *testing.T) {
	for _, tt := range []struct{ endpoint, uri, want string }{
		{"https://h", "/customers/1/orders", "https://h/v1/customers/1/orders"},
		{"https://h", "customers/1", "https://h/v1/customers/1"},
		{"https://h", "/v1/customers", "https://h/v1/customers"},
		{"https://h", "/v1//customers?size=2", "https://h/v1/customers?size=2"},
		{"https://h", "/v1//v1/customers", "https://h/v1/customers"},
		{"https://h", "/V1.0/customers", "https://h/v1/customers"},
		{"https://h", "https://h/v1/customers/", "https://h/v1/customers"},
		{"https://h", "HTTPS://H/customers", "https://h/v1/customers"},
		{"https://h", "/webhooks/v1/registration", "https://h/webhooks/v1/registration"},
		{"https://h", "/auditactivity/v1/auditrecords/1", "https://h/auditactivity/v1/auditrecords/1"},
		{"https://h", "/products/a%2Fb/skus?country=US", "https://h/v1/products/a%2Fb/skus?country=US"},
		{"https://h", "?size=2", "https://h/v1?size=2"},
		{"https://h/pc/", "/customers", "https://h/pc/v1/customers"},
		{"https://h/pc/v1", "https://h/pc/v1/customers", "https://h/pc/v1/customers"},
		{"https://h/pc", "/pc/v1/customers", "https://h/pc/v1/customers"},
		{"https://h/pc", "/pc/customers", "https://h/pc/v1/pc/customers"},
		{"https://h/pc", "https://h/pc/customers", "https://h/pc/v1/customers"},
		{"https://h/pc", "https://h/pcs/customers", ""},
		{"https://h/pc", "https://h/customers", ""},
		{"https://h", "/%761/customers", "https://h/v1/customers"},
		{"https://h", "/%77ebhooks/v1/registration", "https://h/%77ebhooks/v1/registration"},
		{"https://h:443/pc", "https://h/pc/v1/customers", "https://h:443/pc/v1/customers"},
		{"https://h/pc", "https://h:443/pc/v1/customers", "https://h/pc/v1/customers"},
		{"http://h/pc", "//H:80/pc/v1/customers", "http://h/pc/v1/customers"},
		{"http://h", "http://h:443/v1/customers", ""},
		{"https://h", "https://h:80/v1/customers", ""},
		{"https://[::1]", "https://[::1]:443/v1/customers", "https://[::1]/v1/customers"},
		{"https://h/a%2Fb", "/customers", "https://h/a%2Fb/v1/customers"},
		{"https://h/a%2fb/v1/", "https://h/a%2Fb/v1/customers", "https://h/a%2fb/v1/customers"},
		{"https://h/a%2Fb", "https://h/a/b/v1/customers", ""},
		{"https://h/a b", "/customers", "https://h/a%20b/v1/customers"},
		{"https://h", "/a/%2e%2e%2fadmin", ""},
		{"https://h", "/a/x%2F..", ""},
		{"https://h", "/a/..%5cadmin", ""},
		{"https://h", `/a\..\admin`, ""},
		{"https://h", "/a/.%2Fadmin", ""},
		{"https://h", "/a/..b%2F...c", "https://h/v1/a/..b%2F...c"},
		{"https://h", "/customers/%2e%2e/x", ""},
		{"https://h", "/customers/%2E/x", ""},
		{"https://h", "https://evil/v1/customers", ""},
		{"https://h", "//evil/v1/customers", ""},
		{"https://h", "http://h/v1/customers", ""},
		{"https://h", "https://h:444/v1/customers", ""},
		{"https://h", "https://user:pass@h/v1/customers", ""},
		{"https://h", "mailto:x@h", ""},
		{"https://h", "https://h.evil/v1", ""},
		{"https://h", "/customers/../../x", ""},
		{"https://h", "%zz", ""},
	} {
		pc, err := partnercenter.NewClient(&fakeCredential{}, &partnercenter.ClientOptions{Endpoint: tt.endpoint})
		if err != nil {
			t.Fatal(err)
		}
		got, err := pc.ResolveURI(tt.uri)
		if got != tt.want || (err != nil) != (tt.want == "") {
			t.Errorf("%s at %s: %q, %v; want %q", tt.uri, tt.endpoint, got, err, tt.want)
		}
	}
}

func FuzzResolveURI(f *testing.F) {
	for _, seed := range []string{"/customers", "//evil", "https://h/v1", "\\\\evil", "https://h@evil/", "/v1/v1", "/%2e%2e/x"} {
		f.Add(seed)
	}
	pc, err := partnercenter.NewClient(&fakeCredential{}, &partnercenter.ClientOptions{Endpoint: "https://host.example"})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, uri string) {
		got, err := pc.ResolveURI(uri)
		if err != nil {
			return
		}
		u, err := url.Parse(got)
		if err != nil || u.Scheme != "https" || u.Host != "host.example" || u.User != nil || strings.HasPrefix(u.Path, "/v1/v1/") {
			t.Fatalf("%q resolves to %q (%v)", uri, got, err)
		}
	})
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	elsewhere := newStub(t, answerJSON(emptyList))
	s := newStub(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, elsewhere.URL+r.URL.Path, http.StatusTemporaryRedirect)
	})
	_, err := s.client(t, nil).Customers.Get(t.Context())
	var e *partnercenter.Error
	if !errors.As(err, &e) || e.StatusCode != http.StatusTemporaryRedirect || len(elsewhere.requests) != 0 {
		t.Errorf("got %v, and %d requests went elsewhere", err, len(elsewhere.requests))
	}
}

func TestCustomersPaging(t *testing.T) {
	t.Run("token", func(t *testing.T) {
		s := newStub(t, func(w http.ResponseWriter, r *http.Request) {
			switch q := r.URL.Query(); {
			case q.Get("size") == "2" && r.Header.Get("MS-ContinuationToken") == "":
				// the token stands in the link only
				io.WriteString(w, `{"totalCount":2,"items":[{"id":"a"},{"id":"b"}],"links":{"next":{"uri":"/customers?size=2&seekOperation=Next","method":"GET","headers":[{"key":"MS-ContinuationToken","value":"one"}]}}}`)
			case q.Get("seekOperation") == "Next" && r.Header.Get("MS-ContinuationToken") == "one" && !q.Has("size"):
				io.WriteString(w, `{"totalCount":1,"items":[{"id":"c"}],"continuationToken":"two"}`)
			case q.Get("seekOperation") == "Next" && r.Header.Get("MS-ContinuationToken") == "two":
				io.WriteString(w, emptyList)
			default:
				t.Errorf("unexpected %s", r.URL)
			}
		})
		checkIDs(t, s.client(t, nil), partnercenter.CustomersQuery{Size: 2})
	})
	t.Run("offset", func(t *testing.T) {
		s := newStub(t, func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.RawQuery {
			case "size=2":
				io.WriteString(w, `{"totalCount":2,"items":[{"id":"a"},{"id":"b"}]}`)
			case "offset=2&size=2":
				io.WriteString(w, `{"totalCount":1,"items":[{"id":"c"}]}`)
			case "offset=3&size=2":
				io.WriteString(w, emptyList)
			default:
				t.Errorf("unexpected %s", r.URL)
			}
		})
		checkIDs(t, s.client(t, nil), partnercenter.CustomersQuery{Size: 2, ByOffset: true})
	})
	t.Run("endless", func(t *testing.T) {
		s := newStub(t, answerJSON(`{"totalCount":1,"items":[{"id":"a"}],"continuationToken":"same"}`))
		var failure error
		for _, err := range s.client(t, nil).Customers.All(t.Context()) {
			failure = err
		}
		if failure == nil {
			t.Error("a repeated token did not end the iteration with an error")
		}
	})
}

func checkIDs(t *testing.T, pc *partnercenter.Client, q partnercenter.CustomersQuery) {
	t.Helper()
	var got []string
	for c, err := range pc.Customers.QueryAll(t.Context(), q) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, c.ID)
	}
	if diff := cmp.Diff([]string{"a", "b", "c"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestRetriesKeepTheRequestID(t *testing.T) {
	tries := 0
	s := newStub(t, func(w http.ResponseWriter, r *http.Request) {
		if tries++; tries < 3 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		io.WriteString(w, emptyList)
	})
	pc := s.client(t, nil)
	if _, err := pc.Customers.Get(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := pc.Customers.Get(t.Context()); err != nil {
		t.Fatal(err)
	}
	ids := map[string]int{}
	for _, r := range s.requests {
		ids[r.Header.Get("MS-RequestId")]++
	}
	if first := ids[s.requests[0].Header.Get("MS-RequestId")]; len(ids) != 2 || first != 3 {
		t.Errorf("request ids and their counts: %v", ids)
	}
	ctx := partnercenter.WithCorrelationID(partnercenter.WithRequestID(t.Context(), "mine"), "ours")
	if _, err := pc.Customers.Get(ctx); err != nil {
		t.Fatal(err)
	}
	last := s.requests[len(s.requests)-1].Header
	if last.Get("MS-RequestId") != "mine" || last.Get("MS-CorrelationId") != "ours" {
		t.Errorf("the caller's ids were replaced: %v", last)
	}
}

func TestRetryAfterIsHonoured(t *testing.T) {
	tries := 0
	s := newStub(t, func(w http.ResponseWriter, r *http.Request) {
		if tries++; tries == 1 {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		io.WriteString(w, emptyList)
	})
	started := time.Now()
	if _, err := s.client(t, nil).Customers.Get(t.Context()); err != nil {
		t.Fatal(err)
	}
	if waited := time.Since(started); waited < time.Second {
		t.Errorf("waited %v", waited)
	}
}

func TestErrors(t *testing.T) {
	for _, tt := range []struct {
		name        string
		status      int
		contentType string
		body        string
		want        partnercenter.Error
	}{
		{"the service's own", 403, "application/json; charset=utf-8",
			"\ufeff" + `{"code":20002,"description":"No relationship.","data":["x"],"source":"PartnerFD"}`,
			partnercenter.Error{Code: partnercenter.ErrorCodeNoRelationship, Description: "No relationship.", Source: "PartnerFD", Category: partnercenter.ErrorCategoryForbidden}},
		{"code as text", 404, "application/json", `{"code":"20000","description":"d","data":{"a":1}}`,
			partnercenter.Error{Code: partnercenter.ErrorCodeOrderNotFound, Description: "d", Category: partnercenter.ErrorCategoryNotFound}},
		{"the gateway's", 429, "application/json", `{ "statusCode": 429, "message": "Rate limit is exceeded. Try again in 57 seconds." }`,
			partnercenter.Error{Description: "Rate limit is exceeded. Try again in 57 seconds.", Category: partnercenter.ErrorCategoryTooManyRequests, RetryAfter: 57 * time.Second}},
		{"the agreement service's", 409, "application/json", `{"code":600061,"message":"short","description":"long","errorName":"X","isRetryable":false,"parameters":{}}`,
			partnercenter.Error{Code: "600061", Description: "long", Category: partnercenter.ErrorCategoryAlreadyExists}},
		{"a proxy's page", 502, "text/html", "<html><h1>Bad gateway</h1></html>",
			partnercenter.Error{Description: "the answer is a web page, not the API: check the base URL and any proxy on the way", Category: partnercenter.ErrorCategoryServerError}},
		{"plain text", 500, "text/plain", "it broke", partnercenter.Error{Description: "it broke", Category: partnercenter.ErrorCategoryServerError}},
		{"long text", 500, "text/plain", "x" + strings.Repeat("é", 200),
			partnercenter.Error{Description: "x" + strings.Repeat("é", 99) + "…", Category: partnercenter.ErrorCategoryServerError}},
		{"nothing", 401, "", "", partnercenter.Error{Category: partnercenter.ErrorCategoryUnauthorized}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newStub(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", tt.contentType)
				w.Header().Set("MS-CorrelationId", "c,c") // some answers double their ids
				if tt.want.RetryAfter > 0 {
					w.Header().Set("Retry-After", "57")
				}
				w.WriteHeader(tt.status)
				io.WriteString(w, tt.body)
			})
			pc := s.client(t, func(o *partnercenter.ClientOptions) { o.Retry.MaxRetries = -1 })
			_, err := pc.Customers.ByID(customerID).Orders.Get(partnercenter.WithRequestID(t.Context(), "req"), partnercenter.IncludePrice())
			var e *partnercenter.Error
			if !errors.As(err, &e) {
				t.Fatalf("%T %v", err, err)
			}
			if e.StatusCode != tt.status || e.Code != tt.want.Code || e.Description != tt.want.Description || e.Source != tt.want.Source || e.Category != tt.want.Category || e.RetryAfter != tt.want.RetryAfter {
				t.Errorf("got %+v", e)
			}
			if e.RequestID != "req" || e.CorrelationID != "c" || e.NextStep == "" {
				t.Errorf("ids %q and %q, next %q", e.RequestID, e.CorrelationID, e.NextStep)
			}
			if text := e.Error(); strings.Contains(text, "secret-token") || strings.Contains(text, "include_price") || !strings.HasSuffix(text, e.NextStep) {
				t.Errorf("text: %s", text)
			}
			var azure *azcore.ResponseError
			if !errors.As(err, &azure) || azure.StatusCode != tt.status {
				t.Errorf("as Azure's error: %v", azure)
			}
		})
	}
}

func TestAnswersThatAreNotTheAPI(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"a web page": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			io.WriteString(w, "<html>Sign in to the hotel's network</html>")
		},
		"cut off":   answerJSON(`{"totalCount":2,"items":[{"id":"a"`),
		"empty":     answerJSON(""),
		"more text": answerJSON(emptyList + "x"),
		"an array":  answerJSON(`[]`),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := newStub(t, answer).client(t, nil).Customers.ByID(customerID).Orders.Get(t.Context())
			var e *partnercenter.DecodeError
			if !errors.As(err, &e) || !strings.Contains(err.Error(), "check that the base URL") {
				t.Errorf("%T %v", err, err)
			}
		})
	}
	t.Run("connection lost", func(t *testing.T) {
		s := newStub(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			io.WriteString(w, `{"totalCount":2,`)
		})
		pc := s.client(t, func(o *partnercenter.ClientOptions) { o.Retry.MaxRetries = -1 })
		_, err := pc.Customers.ByID(customerID).Orders.Get(t.Context())
		if !errors.Is(err, io.ErrUnexpectedEOF) || !strings.Contains(err.Error(), "broke in the middle") {
			t.Errorf("%T %v", err, err)
		}
	})
}

// TestBrokenProxies reads through a proxy that closes the connection in place of opening
// a tunnel.
func TestBrokenProxies(t *testing.T) {
	proxy := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	defer proxy.Close()
	address, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	opts := &partnercenter.ClientOptions{Endpoint: "https://pc.example"}
	opts.Transport = &http.Client{Transport: &http.Transport{Proxy: http.ProxyURL(address)}}
	opts.Retry.MaxRetries = -1
	pc, err := partnercenter.NewClient(&fakeCredential{}, opts)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := pc.Customers.Get(t.Context()); err == nil || !strings.Contains(err.Error(), "before the request was sent") {
		t.Errorf("%v", err)
	}
	_, err = pc.Customers.ByID("c").Orders.Create(t.Context(), &partnercenter.Order{ReferenceCustomerID: "c"})
	if !errors.Is(err, partnercenter.ErrNotSent) || partnercenter.Unsettled(err) {
		t.Errorf("a purchase: %v", err)
	}
}

func TestNewClientRefuses(t *testing.T) {
	cred := &fakeCredential{}
	for name, o := range map[string]*partnercenter.ClientOptions{
		"no scheme":   {Endpoint: "api.example.com"},
		"other":       {Endpoint: "ftp://api.example.com"},
		"query":       {Endpoint: "https://api.example.com?x=1"},
		"credentials": {Endpoint: "https://u:p@api.example.com"},
	} {
		if _, err := partnercenter.NewClient(cred, o); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := partnercenter.NewClient(nil, nil); err == nil {
		t.Error("no credential: no error")
	}
}

// TestPlainHTTPKeepsTheToken pins that a token goes over plain HTTP to this
// machine only.
func TestPlainHTTPKeepsTheToken(t *testing.T) {
	cred := &fakeCredential{}
	pc, err := partnercenter.NewClient(cred, &partnercenter.ClientOptions{Endpoint: "http://api.example.com"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := pc.Customers.Get(t.Context()); err == nil || len(cred.scopes) != 0 {
		t.Errorf("error %v, and the credential was asked %d times", err, len(cred.scopes))
	}
}

func TestClouds(t *testing.T) {
	for _, tt := range []struct{ name, api, authority, graph string }{
		{"global", "https://api.partnercenter.microsoft.com", "https://login.microsoftonline.com/", "https://graph.windows.net"},
		{"21Vianet", "https://partner.partnercenterapi.microsoftonline.cn", "https://login.chinacloudapi.cn/", "https://graph.chinacloudapi.cn"},
		{"Germany", "https://api.partnercenter.microsoft.com", "https://login.microsoftonline.de/", "https://graph.cloudapi.de"},
		{"US Government", "https://api.partnercenter.microsoft.com", "https://login.microsoftonline.us/", "https://graph.windows.net"},
	} {
		config := partnercenter.CloudGlobal
		switch tt.name {
		case "21Vianet":
			config = partnercenter.Cloud21Vianet
		case "Germany":
			config = partnercenter.CloudGermany
		case "US Government":
			config = partnercenter.CloudUSGovernment
		}
		if config.ActiveDirectoryAuthorityHost != tt.authority || config.Services[partnercenter.ServiceName].Endpoint != tt.api || config.Services[partnercenter.GraphServiceName].Audience != tt.graph {
			t.Errorf("%s: %+v", tt.name, config)
		}
	}
	cred := &fakeCredential{}
	o := &partnercenter.ClientOptions{}
	o.Cloud = partnercenter.Cloud21Vianet
	var host string
	o.Transport = transport(func(r *http.Request) (*http.Response, error) {
		host = r.URL.Host
		return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(emptyList)), Request: r}, nil
	})
	pc, err := partnercenter.NewClient(cred, o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := pc.Customers.Get(t.Context()); err != nil {
		t.Fatal(err)
	}
	if host != "partner.partnercenterapi.microsoftonline.cn" || !slices.Equal(cred.scopes[0], []string{"https://partner.partnercenterapi.microsoftonline.cn/.default"}) {
		t.Errorf("host %s, scopes %v", host, cred.scopes)
	}
}

type transport func(*http.Request) (*http.Response, error)

func (f transport) Do(r *http.Request) (*http.Response, error) { return f(r) }
