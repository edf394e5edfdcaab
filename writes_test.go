package partnercenter_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/partnercenter-go/partnercenter"
)

const (
	orderID        = "9qg-ErcO-4MPbPqq_3MIQaS7bn8W6HfG1"
	subscriptionID = "a356ac8c-e310-44f4-bf85-c7f29044af99"
)

// call is a request as a stub got it.
type call struct {
	method, uri, contentType, requestID, body string
	header                                    http.Header
}

// recorder notes requests with their bodies and answers them as a test says.
type recorder struct {
	*stub
	mu    sync.Mutex
	calls []call
}

func newRecorder(t *testing.T, answer func(n int, w http.ResponseWriter, r *http.Request)) *recorder {
	rec := &recorder{}
	rec.stub = newStub(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		rec.mu.Lock()
		rec.calls = append(rec.calls, call{r.Method, r.URL.RequestURI(), r.Header.Get("Content-Type"), r.Header.Get("MS-RequestId"), string(body), r.Header})
		n := len(rec.calls)
		rec.mu.Unlock()
		answer(n, w, r)
	})
	return rec
}

// seen returns what was asked so far.
func (r *recorder) seen() []call {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.calls)
}

func (r *recorder) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls = nil
}

// hangUp ends the connection without an answer.
func hangUp(w http.ResponseWriter) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err == nil {
		conn.Close()
	}
}

func TestWritesOnTheWire(t *testing.T) {
	ctx := t.Context()
	base := "/v1/customers/" + customerID
	order := &partnercenter.Order{
		BillingCycle: partnercenter.BillingCycleTypeOneTime,
		LineItems: []partnercenter.OrderLineItem{{
			LineItemNumber: new(0), OfferID: "P:S:A", Quantity: new(1), ProvisioningContext: map[string]string{"scope": "shared", "duration": "1Year"},
		}},
	}
	orderJSON := `{"billingCycle":"one_time","lineItems":[{"lineItemNumber":0,"provisioningContext":{"duration":"1Year","scope":"shared"},"offerId":"P:S:A","quantity":1}]}`
	subscription := &partnercenter.Subscription{
		ID: subscriptionID, Quantity: new(10), PartnerID: new(""), Attributes: &partnercenter.ResourceAttributes{Etag: new("e1"), ObjectType: partnercenter.ObjectTypeSubscription},
	}
	for _, tt := range []struct {
		name   string
		verb   func(*partnercenter.CustomerClient) error
		method string
		uri    string
		body   string
		header map[string]string
	}{
		{"create", func(c *partnercenter.CustomerClient) error { _, err := c.Orders.Create(ctx, order); return err },
			"POST", base + "/orders", orderJSON, map[string]string{"Content-Type": "application/json", "x-ms-customeruser-upn": ""}},
		{"create for a user", func(c *partnercenter.CustomerClient) error {
			_, err := c.Orders.Create(ctx, order, partnercenter.ForCustomerUser("ann@contoso.example"))
			return err
		}, "POST", base + "/orders", orderJSON, map[string]string{"x-ms-customeruser-upn": "ann@contoso.example"}},
		{"patch", func(c *partnercenter.CustomerClient) error {
			_, err := c.Orders.ByID(orderID).Patch(ctx, order)
			return err
		},
			"PATCH", base + "/orders/" + orderID, orderJSON, map[string]string{"If-Match": ""}},
		{"patch if unchanged", func(c *partnercenter.CustomerClient) error {
			_, err := c.Orders.ByID(orderID).Patch(ctx, order, partnercenter.IfMatch("e1"))
			return err
		}, "PATCH", base + "/orders/" + orderID, orderJSON, map[string]string{"If-Match": `"e1"`}},
		{"patch if unchanged, by a weak etag", func(c *partnercenter.CustomerClient) error {
			_, err := c.Orders.ByID(orderID).Patch(ctx, order, partnercenter.IfMatch(`W/"e1"`))
			return err
		}, "PATCH", base + "/orders/" + orderID, orderJSON, map[string]string{"If-Match": `W/"e1"`}},
		{"patch if there", func(c *partnercenter.CustomerClient) error {
			_, err := c.Orders.ByID(orderID).Patch(ctx, order, partnercenter.IfMatch("*"))
			return err
		}, "PATCH", base + "/orders/" + orderID, orderJSON, map[string]string{"If-Match": "*"}},
		{"cancel", func(c *partnercenter.CustomerClient) error { _, err := c.Orders.ByID(orderID).Cancel(ctx); return err },
			"PATCH", base + "/orders/" + orderID, `{"id":"` + orderID + `","status":"cancelled"}`, nil},
		{"provisioning status", func(c *partnercenter.CustomerClient) error {
			_, err := c.Orders.ByID(orderID).ProvisioningStatus.Get(ctx)
			return err
		}, "GET", base + "/orders/" + orderID + "/provisioningstatus", "", nil},
		{"activation links", func(c *partnercenter.CustomerClient) error {
			_, err := c.Orders.ByID(orderID).ActivationLinks.Get(ctx)
			return err
		}, "GET", base + "/orders/" + orderID + "/activationlinks", "", nil},
		{"activation links of a line", func(c *partnercenter.CustomerClient) error {
			_, err := c.Orders.ByID(orderID).LineItems.ByID(3).ActivationLinks.Get(ctx)
			return err
		}, "GET", base + "/orders/" + orderID + "/lineitems/3/activationlinks", "", nil},
		{"attachments", func(c *partnercenter.CustomerClient) error {
			_, err := c.Orders.ByID(orderID).Attachments.Get(ctx)
			return err
		}, "GET", base + "/orders/" + orderID + "/attachments", "", nil},
		{"subscriptions", func(c *partnercenter.CustomerClient) error { _, err := c.Subscriptions.Get(ctx); return err },
			"GET", base + "/subscriptions", "", nil},
		{"subscriptions of an order", func(c *partnercenter.CustomerClient) error {
			_, err := c.Subscriptions.ByOrder("an order").Get(ctx)
			return err
		},
			"GET", base + "/subscriptions?order_id=an+order", "", nil},
		{"subscriptions of a reseller", func(c *partnercenter.CustomerClient) error {
			_, err := c.Subscriptions.ByPartner("007").Get(ctx)
			return err
		},
			"GET", base + "/subscriptions?mpn_id=007", "", nil},
		{"subscription", func(c *partnercenter.CustomerClient) error {
			_, err := c.Subscriptions.ByID(subscriptionID).Get(ctx)
			return err
		},
			"GET", base + "/subscriptions/" + subscriptionID, "", nil},
		{"change a subscription", func(c *partnercenter.CustomerClient) error {
			_, err := c.Subscriptions.ByID(subscriptionID).Patch(ctx, subscription, partnercenter.IfMatch(`"e2"`))
			return err
		}, "PATCH", base + "/subscriptions/" + subscriptionID,
			`{"id":"` + subscriptionID + `","quantity":10,"partnerId":"","attributes":{"etag":"e1","objectType":"Subscription"}}`, map[string]string{"If-Match": `"e2"`}},
		{"add-ons", func(c *partnercenter.CustomerClient) error {
			_, err := c.Subscriptions.ByID(subscriptionID).AddOns.Get(ctx)
			return err
		},
			"GET", base + "/subscriptions/" + subscriptionID + "/addons", "", nil},
		{"subscription provisioning", func(c *partnercenter.CustomerClient) error {
			_, err := c.Subscriptions.ByID(subscriptionID).ProvisioningStatus.Get(ctx)
			return err
		}, "GET", base + "/subscriptions/" + subscriptionID + "/provisioningstatus", "", nil},
		{"register", func(c *partnercenter.CustomerClient) error {
			_, err := c.Subscriptions.ByID(subscriptionID).Registrations.Create(ctx)
			return err
		},
			"POST", base + "/subscriptions/" + subscriptionID + "/registrations", "", map[string]string{"Content-Length": "0"}},
		{"registration status", func(c *partnercenter.CustomerClient) error {
			_, err := c.Subscriptions.ByID(subscriptionID).RegistrationStatus.Get(ctx)
			return err
		}, "GET", base + "/subscriptions/" + subscriptionID + "/registrationstatus", "", nil},
		{"subscription activation links", func(c *partnercenter.CustomerClient) error {
			_, err := c.Subscriptions.ByID(subscriptionID).ActivationLinks.Get(ctx)
			return err
		}, "GET", base + "/subscriptions/" + subscriptionID + "/activationlinks", "", nil},
		{"activate", func(c *partnercenter.CustomerClient) error {
			_, err := c.Subscriptions.ByID(subscriptionID).Activate(ctx)
			return err
		},
			"POST", base + "/subscriptions/" + subscriptionID + "/activate", "", map[string]string{"Content-Length": "0"}},
		{"company profile", func(c *partnercenter.CustomerClient) error { _, err := c.Profiles.Company.Get(ctx); return err },
			"GET", base + "/profiles/company", "", nil},
		{"billing profile", func(c *partnercenter.CustomerClient) error { _, err := c.Profiles.Billing.Get(ctx); return err },
			"GET", base + "/profiles/billing", "", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newRecorder(t, func(_ int, w http.ResponseWriter, r *http.Request) {
				if strings.HasSuffix(r.URL.Path, "/registrations") {
					w.Header().Set("Location", "/customers/c/subscriptions/s/registrationstatus")
					w.WriteHeader(http.StatusAccepted)
					return
				}
				io.WriteString(w, anyAnswer)
			})
			if err := tt.verb(s.client(t, nil).Customers.ByID(customerID)); err != nil {
				t.Fatal(err)
			}
			if len(s.seen()) != 1 {
				t.Fatalf("%d requests: %+v", len(s.seen()), s.seen())
			}
			got := s.seen()[0]
			if got.method != tt.method || got.uri != tt.uri || got.body != tt.body {
				t.Errorf("%s %s\n%s\nwant %s %s\n%s", got.method, got.uri, got.body, tt.method, tt.uri, tt.body)
			}
			if got.requestID == "" {
				t.Error("no request id")
			}
			for key, want := range tt.header {
				if value := got.header.Get(key); value != want {
					t.Errorf("%s: %q, want %q", key, value, want)
				}
			}
		})
	}
}

func TestCancelNamesLines(t *testing.T) {
	s := newRecorder(t, func(_ int, w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, `{"id":"`+orderID+`","lineItems":[{"lineItemNumber":0,"offerId":"A"},{"lineItemNumber":1,"offerId":"B","subscriptionId":"S"}],"attributes":{"etag":"e"}}`)
	})
	order := s.client(t, nil).Customers.ByID(customerID).Orders.ByID(orderID)
	if _, err := order.Cancel(partnercenter.WithRequestID(t.Context(), "mine"), 1); err != nil {
		t.Fatal(err)
	}
	want := `{"id":"` + orderID + `","lineItems":[{"lineItemNumber":1,"offerId":"B","subscriptionId":"S"}],"status":"cancelled"}`
	if len(s.seen()) != 2 || s.seen()[1].method != http.MethodPatch || s.seen()[1].body != want {
		t.Errorf("got %+v, want a PATCH of %s", s.seen(), want)
	}
	if s.seen()[0].requestID == "mine" || s.seen()[1].requestID != "mine" {
		t.Errorf("request ids %q, %q: the caller's is the write's", s.seen()[0].requestID, s.seen()[1].requestID)
	}
	if _, err := order.Cancel(t.Context(), 2); err == nil || len(s.seen()) != 3 {
		t.Errorf("cancelling line 2 of 2: %v after %d requests", err, len(s.seen()))
	}
}

func TestAcceptedChangesAreReadBack(t *testing.T) {
	s := newRecorder(t, func(_ int, w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPatch {
			w.WriteHeader(http.StatusAccepted)
			return
		}
		io.WriteString(w, `{"id":"`+subscriptionID+`","quantity":5}`)
	})
	got, err := s.client(t, nil).Customers.ByID(customerID).Subscriptions.ByID(subscriptionID).Patch(t.Context(), &partnercenter.Subscription{Quantity: new(6)})
	if err != nil || *got.Quantity != 5 || len(s.seen()) != 2 {
		t.Errorf("%+v, %v after %d requests", got, err, len(s.seen()))
	}
}

func TestRegistrationsLeadToTheStatus(t *testing.T) {
	s := newRecorder(t, func(_ int, w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			w.Header().Set("Location", "customers/"+customerID+"/subscriptions/s/registrationstatus")
			w.WriteHeader(http.StatusAccepted)
			return
		}
		io.WriteString(w, `{"subscriptionId":"s","status":"registering"}`)
	})
	customer := s.client(t, nil).Customers.ByID(customerID)
	link, err := customer.Subscriptions.ByID("s").Registrations.Create(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var status partnercenter.SubscriptionRegistrationStatus
	if err := customer.Follow(t.Context(), link, &status); err != nil || status.Status != "registering" {
		t.Errorf("%+v, %v", status, err)
	}
	if want := "/v1/customers/" + customerID + "/subscriptions/s/registrationstatus"; s.seen()[1].uri != want {
		t.Errorf("followed to %s, want %s", s.seen()[1].uri, want)
	}
}

// TestLostAnswersAreAskedForAgain places an order whose answer is lost in
// several ways: each try is the same request.
func TestLostAnswersAreAskedForAgain(t *testing.T) {
	for name, lose := range map[string]func(http.ResponseWriter){
		"the connection ends": hangUp,
		"the answer breaks off": func(w http.ResponseWriter) {
			w.Header().Set("Content-Length", "1000")
			io.WriteString(w, `{"id":"o`)
		},
		"the service fails": func(w http.ResponseWriter) { w.WriteHeader(http.StatusInternalServerError) },
		"the first still runs": func(w http.ResponseWriter) {
			hangUp(w)
		},
	} {
		for _, upload := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, upload %v", name, upload), func(t *testing.T) {
				s := newRecorder(t, func(n int, w http.ResponseWriter, _ *http.Request) {
					switch {
					case n == 1:
						lose(w)
					case n < 4 && name == "the first still runs":
						w.WriteHeader(http.StatusConflict)
						io.WriteString(w, `{"code":800060,"description":"in progress"}`)
					default:
						w.WriteHeader(http.StatusCreated)
						io.WriteString(w, `{"id":"o","totalCount":0,"items":[]}`)
					}
				})
				orders := s.client(t, nil).Customers.ByID(customerID).Orders
				var err error
				if upload {
					_, err = orders.ByID("o").Attachments.Upload(t.Context(), sampleUpload())
				} else {
					_, err = orders.Create(t.Context(), &partnercenter.Order{LineItems: []partnercenter.OrderLineItem{{OfferID: "x"}}})
				}
				if err != nil {
					t.Fatal(err)
				}
				if len(s.seen()) < 2 {
					t.Fatalf("%d requests", len(s.seen()))
				}
				for _, c := range s.seen()[1:] {
					if c.body != s.seen()[0].body || c.requestID != s.seen()[0].requestID || c.contentType != s.seen()[0].contentType {
						t.Errorf("another request:\n%+v\nfirst:\n%+v", c, s.seen()[0])
					}
				}
			})
		}
	}
}

// TestUnsettled says for each end of a write whether it may have happened.
func TestUnsettled(t *testing.T) {
	refuse := func(status int, code string) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) {
			w.WriteHeader(status)
			fmt.Fprintf(w, `{"code":%s,"description":"no"}`, code)
		}
	}
	for _, tt := range []struct {
		name      string
		answers   []func(http.ResponseWriter) // the last is repeated
		unsettled bool
		tries     int
	}{
		{"refused", []func(http.ResponseWriter){refuse(400, "800004")}, false, 1},
		{"in progress, not by us", []func(http.ResponseWriter){refuse(409, "800060")}, true, 1},
		{"another conflict", []func(http.ResponseWriter){refuse(409, "800014")}, false, 1},
		{"no answer at all", []func(http.ResponseWriter){hangUp}, true, 4},
		{"lost, then refused for a reason", []func(http.ResponseWriter){hangUp, refuse(400, "800004")}, false, 2},
		{"lost, then turned away", []func(http.ResponseWriter){hangUp, refuse(401, "400")}, true, 2},
		{"turned away at once", []func(http.ResponseWriter){refuse(401, "400")}, false, 1},
		{"server error", []func(http.ResponseWriter){refuse(500, "800003")}, true, 4},
		{"unreadable", []func(http.ResponseWriter){func(w http.ResponseWriter) { io.WriteString(w, "<html>") }}, true, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newRecorder(t, func(n int, w http.ResponseWriter, _ *http.Request) {
				tt.answers[min(n, len(tt.answers))-1](w)
			})
			_, err := s.client(t, nil).Customers.ByID(customerID).Orders.Create(t.Context(), &partnercenter.Order{})
			if err == nil || partnercenter.Unsettled(err) != tt.unsettled || len(s.seen()) != tt.tries {
				t.Errorf("unsettled %v, want %v; %d tries, want %d: %v", partnercenter.Unsettled(err), tt.unsettled, len(s.seen()), tt.tries, err)
			}
		})
	}
	s := newRecorder(t, func(int, http.ResponseWriter, *http.Request) {})
	s.Close()
	if _, err := s.client(t, nil).Customers.ByID(customerID).Orders.Create(t.Context(), &partnercenter.Order{}); err == nil || partnercenter.Unsettled(err) {
		t.Errorf("nobody there: %v", err)
	}
	lost := newRecorder(t, func(_ int, w http.ResponseWriter, _ *http.Request) { hangUp(w) })
	_, err := lost.client(t, nil).Customers.ByID(customerID).Orders.Create(t.Context(), &partnercenter.Order{})
	var answer *partnercenter.LostAnswerError
	if !errors.As(err, &answer) || answer.RequestID != lost.seen()[0].requestID || answer.Method != http.MethodPost {
		t.Errorf("lost answer: %v", err)
	}
	if _, err := lost.client(t, nil).Customers.Get(t.Context()); errors.As(err, &answer) || partnercenter.Unsettled(err) {
		t.Errorf("a read: %v", err)
	}
}

func TestWaitingForAWriteEndsWithTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := newRecorder(t, func(n int, w http.ResponseWriter, _ *http.Request) {
		if n == 1 {
			hangUp(w)
			return
		}
		w.WriteHeader(http.StatusConflict)
		io.WriteString(w, `{"code":800060}`)
		cancel()
	})
	_, err := s.client(t, func(o *partnercenter.ClientOptions) {
		o.Retry.MaxRetryDelay = time.Hour
		o.Retry.RetryDelay = 50 * time.Millisecond
	}).
		Customers.ByID(customerID).Orders.Create(ctx, &partnercenter.Order{})
	if !errors.Is(err, context.Canceled) || !partnercenter.Unsettled(err) {
		t.Errorf("%v", err)
	}
}

func sampleUpload() *partnercenter.AttachmentUpload {
	return &partnercenter.AttachmentUpload{
		Metadata:       partnercenter.AttachmentMetadata{CustomerPrice: "156.87", Currency: "CAD"},
		PurchaseOrders: []partnercenter.AttachmentFile{{Name: "PO \"1\".pdf", Content: strings.NewReader("first")}, {Name: "empty.pdf", Content: strings.NewReader("")}},
		Tenders:        []partnercenter.AttachmentFile{{Name: "Tender.pdf", Content: bytes.NewReader(bytes.Repeat([]byte("x"), 100_000))}},
	}
}

func TestUpload(t *testing.T) {
	s := newRecorder(t, func(_ int, w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusCreated)
		io.WriteString(w, `{"totalCount":1,"items":[{"attachmentId":"a","fileName":"f","sizeInKB":1,"attachmentType":"POAttachment"}]}`)
	})
	attachments := s.client(t, nil).Customers.ByID(customerID).Orders.ByID(orderID).Attachments
	ctx := partnercenter.WithRequestID(t.Context(), "0d8d8ec6-0000-4000-8000-000000000001")
	for range 2 { // another process would send the same
		got, err := attachments.Upload(ctx, sampleUpload())
		if err != nil || len(got.Items) != 1 || got.Items[0].AttachmentID != "a" {
			t.Fatalf("%+v, %v", got, err)
		}
	}
	first := s.seen()[0]
	if second := s.seen()[1]; second.body != first.body || second.contentType != first.contentType {
		t.Error("the same upload with the same id has another body")
	}
	if want := "/v1/customers/" + customerID + "/orders/" + orderID + "/attachment"; first.uri != want || first.method != http.MethodPost {
		t.Errorf("%s %s, want POST %s", first.method, first.uri, want)
	}
	_, parameters, err := mime.ParseMediaType(first.contentType)
	if err != nil {
		t.Fatal(err)
	}
	form, err := multipart.NewReader(strings.NewReader(first.body), parameters["boundary"]).ReadForm(1 << 20)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string][]string{"metadata": {`{"customerPrice":"156.87","currency":"CAD"}`}}, form.Value); diff != "" {
		t.Error(diff)
	}
	got := map[string][]string{}
	for field, files := range form.File {
		for _, file := range files {
			got[field] = append(got[field], fmt.Sprintf("%s %d", file.Filename, file.Size))
		}
	}
	if diff := cmp.Diff(map[string][]string{"POFiles": {`PO "1".pdf 5`, "empty.pdf 0"}, "TenderFiles": {"Tender.pdf 100000"}}, got); diff != "" {
		t.Error(diff)
	}

	for name, upload := range map[string]*partnercenter.AttachmentUpload{
		"no file":  {},
		"a folder": {PurchaseOrders: []partnercenter.AttachmentFile{{Name: "../po.pdf", Content: strings.NewReader("x")}}},
		"nothing":  {PurchaseOrders: []partnercenter.AttachmentFile{{Name: "po.pdf"}}},
	} {
		if _, err := attachments.Upload(t.Context(), upload); err == nil || len(s.seen()) != 2 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDownload(t *testing.T) {
	data := bytes.Repeat([]byte("purchase order "), 10_000)
	s := newRecorder(t, func(_ int, w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasSuffix(r.URL.Path, "/cut"):
			w.Header().Set("Content-Length", "1000")
			io.WriteString(w, "half")
		case strings.HasSuffix(r.URL.Path, "/missing"):
			w.WriteHeader(http.StatusNotFound)
			io.WriteString(w, `{"code":1000,"description":"no such attachment"}`)
		default:
			w.Header().Set("Content-Type", "application/pdf")
			w.Header().Set("Content-Disposition", `attachment; filename="..\\folder/PO.pdf"`)
			w.Write(data)
		}
	})
	attachments := s.client(t, nil).Customers.ByID(customerID).Orders.ByID(orderID).Attachments
	content, err := attachments.ByID("ed64c99f750115").Download(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(content.Body)
	content.Body.Close()
	if err != nil || sha256.Sum256(got) != sha256.Sum256(data) || content.Name != "PO.pdf" || content.SentName != "PO.pdf" || content.ContentType != "application/pdf" || content.Size > int64(len(data)) {
		t.Errorf("%d bytes of %q (%s, %d): %v", len(got), content.Name, content.ContentType, content.Size, err)
	}
	if want := "/v1/customers/" + customerID + "/orders/" + orderID + "/attachment/ed64c99f750115"; s.seen()[0].uri != want || s.seen()[0].header.Get("Accept") != "*/*" {
		t.Errorf("%+v, want %s", s.seen()[0], want)
	}
	if content, err = attachments.ByID("cut").Download(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(content.Body); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a file that broke off: %v", err)
	}
	content.Body.Close()
	var refused *partnercenter.Error
	if _, err := attachments.ByID("missing").Download(t.Context()); !errors.As(err, &refused) || refused.Code != partnercenter.ErrorCodeNotFound {
		t.Errorf("a missing file: %v", err)
	}
}

func TestFollow(t *testing.T) {
	s := newRecorder(t, func(_ int, w http.ResponseWriter, _ *http.Request) { io.WriteString(w, anyAnswer) })
	pc := s.client(t, nil)
	customer := pc.Customers.ByID(customerID)
	below := "/v1/customers/" + customerID + "/subscriptions/s/provisioningstatus"
	for _, tt := range []struct {
		link       *partnercenter.Link
		byCustomer string // what is asked for; empty: refused
		byClient   string
		err        error // of the client
	}{
		{&partnercenter.Link{URI: "/subscriptions/s/provisioningstatus", Method: "GET"}, below, "", partnercenter.ErrCustomerMissing},
		{&partnercenter.Link{URI: "v1/Subscriptions/s/provisioningstatus"}, "/v1/customers/" + customerID + "/Subscriptions/s/provisioningstatus", "", partnercenter.ErrCustomerMissing},
		{&partnercenter.Link{URI: s.URL + "/v1/subscriptions/s/provisioningstatus"}, below, "", partnercenter.ErrCustomerMissing},
		{&partnercenter.Link{URI: "/v1//v1.0/subscriptions/s/provisioningstatus"}, below, "", partnercenter.ErrCustomerMissing},
		{&partnercenter.Link{URI: "/%73ubscriptions/s%2F1"}, "/v1/customers/" + customerID + "/%73ubscriptions/s%2F1", "", partnercenter.ErrCustomerMissing},
		{&partnercenter.Link{URI: "/subscriptions?key=5"}, "/v1/customers/" + customerID + "/subscriptions?key=5", "", partnercenter.ErrCustomerMissing},
		{&partnercenter.Link{URI: "/v1/customers/c/orders/o", Method: "Get"}, "/v1/customers/c/orders/o", "/v1/customers/c/orders/o", nil},
		{&partnercenter.Link{URI: s.URL + "/v1/products/p/skus/1?country=US"}, "/v1/products/p/skus/1?country=US", "/v1/products/p/skus/1?country=US", nil},
		{&partnercenter.Link{URI: "/customers/c/orders/o", Method: "PATCH"}, "", "", partnercenter.ErrMethodNotFollowed},
		{&partnercenter.Link{URI: "https://publisher.example/activate?token=x"}, "", "", partnercenter.ErrForeignLink},
		{&partnercenter.Link{URI: "//publisher.example/subscriptions/x"}, "", "", partnercenter.ErrForeignLink},
		{nil, "", "", nil},
	} {
		for want, follow := range map[string]func(context.Context, *partnercenter.Link, any) error{"customer": customer.Follow, "client": pc.Follow} {
			s.forget()
			uri := tt.byCustomer
			if want == "client" {
				uri = tt.byClient
			}
			var out partnercenter.Order
			err := follow(t.Context(), tt.link, &out)
			switch {
			case uri == "":
				if err == nil || len(s.seen()) != 0 || want == "client" && tt.err != nil && !errors.Is(err, tt.err) {
					t.Errorf("%s: %+v: %v, want %v; requests %+v", want, tt.link, err, tt.err, s.seen())
				}
			case err != nil || len(s.seen()) != 1 || s.seen()[0].uri != uri || out.ID != "x":
				t.Errorf("%s: %+v: %v, requests %+v, want %s", want, tt.link, err, s.seen(), uri)
			}
		}
	}
}

// TestFollowBelowBase follows links of an endpoint with a path.
func TestFollowBelowBase(t *testing.T) {
	s := newRecorder(t, func(_ int, w http.ResponseWriter, _ *http.Request) { io.WriteString(w, anyAnswer) })
	pc := s.client(t, func(o *partnercenter.ClientOptions) { o.Endpoint += "/api" })
	want := "/api/v1/customers/" + customerID + "/subscriptions/a/provisioningstatus"
	for _, uri := range []string{
		"/subscriptions/a/provisioningstatus", "/v1/subscriptions/a/provisioningstatus", "/api/v1/subscriptions/a/provisioningstatus",
		s.URL + "/api/v1/subscriptions/a/provisioningstatus", s.URL + "/api/subscriptions/a/provisioningstatus",
	} {
		s.forget()
		link, out := &partnercenter.Link{URI: uri}, new(partnercenter.Order)
		if err := pc.Follow(t.Context(), link, out); !errors.Is(err, partnercenter.ErrCustomerMissing) || len(s.seen()) != 0 {
			t.Errorf("%s by the client: %v after %d requests", uri, err, len(s.seen()))
		}
		if err := pc.Customers.ByID(customerID).Follow(t.Context(), link, out); err != nil || s.seen()[0].uri != want {
			t.Errorf("%s: %v, requests %+v", uri, err, s.seen())
		}
	}
	s.forget()
	if err := pc.Customers.ByID("a/b").Follow(t.Context(), &partnercenter.Link{URI: "/subscriptions"}, new(partnercenter.Order)); err != nil || s.seen()[0].uri != "/api/v1/customers/a%2Fb/subscriptions" {
		t.Errorf("of an id with a slash: %v, requests %+v", err, s.seen())
	}
}

func TestWritesRefuseEmptyIDs(t *testing.T) {
	s := newRecorder(t, func(int, http.ResponseWriter, *http.Request) {})
	customer := s.client(t, nil).Customers.ByID("x")
	for name, verb := range map[string]func() error{
		"order": func() error { _, err := customer.Orders.ByID("").Cancel(t.Context()); return err },
		"attachment": func() error {
			_, err := customer.Orders.ByID("o").Attachments.ByID("").Download(t.Context())
			return err
		},
		"subscription": func() error {
			_, err := customer.Subscriptions.ByID("..").Registrations.Create(t.Context())
			return err
		},
	} {
		if err := verb(); err == nil || len(s.seen()) != 0 {
			t.Errorf("%s: %v after %d requests", name, err, len(s.seen()))
		}
	}
}
