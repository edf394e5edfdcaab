package main

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"mime"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
)

// The credentials that the stub takes.
const (
	stubTenant = "11111111-2222-3333-4444-555555555555"
	stubClient = "stub-client"
	stubSecret = "stub-secret"
	stubToken  = "stub.access.token"
)

// stub gives answers that the real server cannot be made to give. Customers are
// named after the behaviour of their orders.
type stub struct {
	*httptest.Server
	slow  chan struct{} // gets a value when a request starts that is never answered
	calls atomic.Int64  // requests for orders of "busy"

	tokens atomic.Int64 // requests for tokens of "busy" tenants
	placed atomic.Int64 // orders of "resumed"
}

// newStub starts a stub; TLS or not.
func newStub(tb testing.TB, tls bool) *stub {
	s := &stub{slow: make(chan struct{}, 64)}
	mux := http.NewServeMux()
	mux.HandleFunc("/{tenant}/oauth2/v2.0/token", s.token)
	mux.HandleFunc("/{tenant}/v2.0/.well-known/openid-configuration", s.openID)
	mux.HandleFunc("/v1/customers", s.customers)
	mux.HandleFunc("/v1/customers/{id}", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `{"id":%q,"companyProfile":{"companyName":"Northwind","domain":"northwind.example"},"relationshipToPartner":"reseller"}`, r.PathValue("id"))
	})
	mux.HandleFunc("/v1/customers/{id}/orders", s.orders)
	mux.HandleFunc("GET /v1/customers/{id}/subscriptions/{subscription}", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"id":"sub","quantity":5,"attributes":{"etag":"e"}}`)
	})
	mux.HandleFunc("PATCH /v1/customers/{id}/subscriptions/{subscription}", s.place)
	mux.HandleFunc("/v1/customers/{id}/orders/{order}", func(w http.ResponseWriter, r *http.Request) {
		if r.PathValue("order") != "order-1" {
			fail(w, http.StatusNotFound, "20000", "The order is not there.")
			return
		}
		fmt.Fprint(w, order(1, "pending", "Widgets"))
	})
	mux.HandleFunc("POST /v1/customers/{id}/orders/{order}/attachment", func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseMultipartForm(1 << 20); err != nil {
			fail(w, http.StatusBadRequest, "800002", err.Error())
			return
		}
		var items []string
		for _, part := range []string{"POFiles", "TenderFiles"} {
			for _, file := range r.MultipartForm.File[part] {
				items = append(items, fmt.Sprintf(`{"attachmentId":"a%d","fileName":%q,"sizeInKB":%d,"attachmentType":%q}`, len(items), file.Filename, file.Size, part))
			}
		}
		w.WriteHeader(http.StatusCreated)
		fmt.Fprintf(w, `{"totalCount":%d,"items":[%s],"metadata":%s}`, len(items), strings.Join(items, ","), r.FormValue("metadata"))
	})
	mux.HandleFunc("/v1/customers/{id}/orders/{order}/attachments", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"totalCount":1,"items":[{"attachmentId":"a0","fileName":"PO.pdf","sizeInKB":2,"attachmentType":"POAttachment"}]}`)
	})
	mux.HandleFunc("GET /v1/customers/{id}/orders/{order}/attachment/{attachment}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Disposition", `attachment; filename="../PO.pdf"`)
		switch id := r.PathValue("attachment"); id {
		case "a0":
		case "cut":
			w.Header().Set("Content-Length", "1000")
		default: // the name, in hexadecimal
			name, err := hex.DecodeString(id)
			if err != nil {
				fail(w, http.StatusNotFound, "1000", "no such attachment")
				return
			}
			w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": string(name)}))
			if string(name) == "taken.pdf" { // by another program, in the meantime
				if err := os.WriteFile(string(name), []byte("mine"), 0o600); err != nil {
					panic(err)
				}
			}
		}
		fmt.Fprint(w, "a purchase order\n")
	})
	mux.HandleFunc("/v1/customers/{id}/orders/{order}/activationlinks", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"totalCount":1,"items":[{"lineItemNumber":0,"link":{"uri":"https://publisher.example/activate","method":"GET"}}]}`)
	})
	mux.HandleFunc("/v1/customers/{id}/orders/{order}/provisioningstatus", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"totalCount":1,"items":[{"lineItemNumber":0,"status":"unfulfilled","quantityProvisioningInformation":[{"quantity":1,"status":"fulfilled"},{"quantity":4,"status":"unfulfilled"}]}]}`)
	})
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// A prefix chooses which customers there are.
		scenario, rest, ok := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		if ok && strings.HasPrefix(scenario, "with-") {
			r.URL.Path = "/" + rest
			r.Header.Set("Scenario", strings.TrimPrefix(scenario, "with-"))
		}
		if strings.HasPrefix(r.URL.Path, "/v1/") {
			w.Header().Set("MS-RequestId", r.Header.Get("MS-RequestId"))
			w.Header().Set("MS-CorrelationId", "c0")
			if r.Header.Get("Authorization") != "Bearer "+stubToken {
				fail(w, http.StatusUnauthorized, "400", "The token is not mine.")
				return
			}
		}
		w.Header().Set("Content-Type", "application/json")
		mux.ServeHTTP(w, r)
	})
	s.Server = httptest.NewUnstartedServer(handler)
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // tests break off handshakes
	if tls {
		s.StartTLS()
	} else {
		s.Start()
	}
	tb.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
	})
	return s
}

func fail(w http.ResponseWriter, status int, code, description string) {
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"code":%s,"description":%q,"data":[],"source":"stub"}`, code, description)
}

func (s *stub) token(w http.ResponseWriter, r *http.Request) {
	switch {
	case strings.HasPrefix(r.PathValue("tenant"), "busy-") && s.tokens.Add(1)%2 == 1:
		status, _ := strconv.Atoi(strings.TrimPrefix(r.PathValue("tenant"), "busy-")) // a test's
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(status)
		fmt.Fprint(w, `{"error":"temporarily_unavailable","error_description":"AADSTS90055: too many requests"}`)
	case r.PathValue("tenant") == "webpage":
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, "<html><body>Welcome to the guest network</body></html>")
	case r.FormValue("client_secret") != stubSecret || r.FormValue("client_id") != stubClient:
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprint(w, `{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret provided.\r\nTrace ID: t0","error_codes":[7000215]}`)
	default:
		fmt.Fprintf(w, `{"token_type":"Bearer","expires_in":3599,"ext_expires_in":3599,"access_token":%q}`, stubToken)
	}
}

func (s *stub) openID(w http.ResponseWriter, r *http.Request) {
	// The tenant of a domain is public.
	tenant, ok := map[string]string{
		"partner.example": stubTenant, "another.example": "99999999-8888-7777-6666-555555555555",
	}[r.PathValue("tenant")]
	switch {
	case strings.HasSuffix(r.PathValue("tenant"), ".example") && !ok:
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"error":"invalid_tenant","error_description":"AADSTS90002: Tenant not found."}`)
		return
	case !ok:
		tenant = r.PathValue("tenant")
	}
	base := "http://" + r.Host + "/" + tenant
	if r.TLS != nil {
		base = "https://" + r.Host + "/" + tenant
	}
	_ = json.NewEncoder(w).Encode(map[string]string{
		"token_endpoint": base + "/oauth2/v2.0/token", "authorization_endpoint": base + "/oauth2/v2.0/authorize", "issuer": base + "/v2.0",
	})
}

// stubCustomers are the ids of the customers in the scenarios.
var stubCustomers = map[string]string{
	"":             "one two three",
	"refused":      "one refused two missing three",
	"unauthorized": "one unauthorized two three",
	"slow":         "one slow",
	"none":         "",
}

// customers answers pages of two.
func (s *stub) customers(w http.ResponseWriter, r *http.Request) {
	ids := strings.Fields(stubCustomers[r.Header.Get("Scenario")])
	var filter struct{ Field, Value string }
	if text := r.URL.Query().Get("filter"); text != "" {
		if err := json.Unmarshal([]byte(text), &filter); err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		// Every customer that is asked for by name exists, with that name, without an article, as id.
		if ids = nil; filter.Field == "CompanyName" && filter.Value == "twins" {
			fmt.Fprint(w, `{"totalCount":2,"items":[{"id":"t1","companyProfile":{"companyName":"Twins","domain":"one.example"}},{"id":"t2","companyProfile":{"companyName":"TWINS","domain":"two.example"}}]}`)
			return
		}
		if filter.Field == "CompanyName" {
			id := strings.ToLower(strings.TrimPrefix(filter.Value, "The "))
			fmt.Fprintf(w, `{"totalCount":1,"items":[{"id":%q,"companyProfile":{"companyName":%q}}]}`, id, filter.Value)
			return
		}
	}
	skip := 0
	fmt.Sscanf(r.Header.Get("MS-ContinuationToken"), "skip-%d", &skip)
	var items []string
	for _, id := range ids[skip:min(skip+2, len(ids))] {
		items = append(items, fmt.Sprintf(`{"id":%q,"companyProfile":{"companyName":"Company %s","domain":"%s.example"},"relationshipToPartner":"reseller","unknownField":[1]}`, id, id, id))
	}
	next := ""
	if skip+2 < len(ids) {
		next = fmt.Sprintf(`,"continuationToken":"skip-%d"`, skip+2)
	}
	fmt.Fprintf(w, `{"totalCount":%d,"items":[%s]%s}`, len(items), strings.Join(items, ","), next)
}

func (s *stub) orders(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost {
		s.place(w, r)
		return
	}
	switch id := r.PathValue("id"); id {
	case "unauthorized":
		fail(w, http.StatusUnauthorized, "400", "The token has expired.")
	case "refused":
		fail(w, http.StatusForbidden, "20002", "Not a customer of this partner.")
	case "missing":
		fail(w, http.StatusNotFound, "1000", "No such customer.")
	case "badid":
		fail(w, http.StatusBadRequest, "900118", "The customer id is not a GUID.")
	case "throttled":
		w.Header().Set("Retry-After", "300")
		w.WriteHeader(http.StatusTooManyRequests)
		fmt.Fprint(w, `{"statusCode":429,"message":"Rate limit is exceeded."}`)
	case "busy":
		if s.calls.Add(1)%2 == 1 {
			w.Header().Set("Retry-After", "1")
			fail(w, http.StatusTooManyRequests, "0", "Busy.")
			return
		}
		writeOrders(w, order(1, "completed", "Widgets"))
	case "webpage", "gateway":
		w.Header().Set("Content-Type", "text/html")
		if id == "gateway" {
			w.WriteHeader(http.StatusBadGateway)
		}
		fmt.Fprint(w, "<!DOCTYPE html><html><body>Sign in to the proxy</body></html>")
	case "cut":
		w.Header().Set("Content-Length", "1000")
		fmt.Fprint(w, `{"totalCount":2,"items":[{"id":"order-1","li`)
	case "short":
		fmt.Fprintf(w, `{"totalCount":3,"items":[%s]}`, order(1, "completed", "Widgets"))
	case "empty":
		fmt.Fprint(w, `{"totalCount":0,"items":[]}`)
	case "hostile":
		writeOrders(w, order(1, "completed", "\x1b]0;owned\x07\u009b2J\u202eevil\ttab\nnext"))
	case "formula":
		writeOrders(w, order(1, "completed", "=1+1"), order(2, "completed", "bell\x07"))
	case "redirect":
		w.Header().Set("Location", "https://elsewhere.example/")
		w.WriteHeader(http.StatusTemporaryRedirect)
	case "late":
		<-r.Context().Done()
	case "slow":
		s.slow <- struct{}{}
		<-r.Context().Done()
	default:
		writeOrders(w, order(2, "pending", id+"'s \"widgets\", blue"), order(1, "completed", "Gadgets"))
	}
}

// place accepts an order, or does what the customer is named after.
func (s *stub) place(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	switch r.PathValue("id") {
	case "lost": // the answer, not the order
		if conn, _, err := w.(http.Hijacker).Hijack(); err == nil {
			conn.Close()
		}
	case "slow":
		s.slow <- struct{}{}
		<-r.Context().Done()
	case "resumed": // after its answer was lost, and while it was in progress
		switch s.placed.Add(1) {
		case 1:
			if conn, _, err := w.(http.Hijacker).Hijack(); err == nil {
				conn.Close()
			}
		case 2, 3:
			fail(w, http.StatusConflict, "800060", "Your order is in progress.")
		default:
			w.WriteHeader(http.StatusCreated)
			fmt.Fprint(w, order(3, "completed", "Gizmos"))
		}
	case "running":
		fail(w, http.StatusConflict, "800060", "Your order is in progress.")
	case "unsold":
		fail(w, http.StatusBadRequest, "800004", "There is no such offer.")
	default:
		w.WriteHeader(http.StatusCreated)
		fmt.Fprint(w, order(3, "completed", "Gizmos"))
	}
}

func writeOrders(w http.ResponseWriter, orders ...string) {
	fmt.Fprintf(w, `{"totalCount":%d,"items":[%s],"attributes":{"objectType":"Collection"}}`, len(orders), strings.Join(orders, ","))
}

func order(n int, status, item string) string {
	name, _ := json.Marshal(item)
	return fmt.Sprintf(`{"id":"order-%d","alternateId":"alt-%d","referenceCustomerId":"customer","billingCycle":"monthly","currencyCode":"USD",`+
		`"lineItems":[{"lineItemNumber":0,"offerId":"offer-%d","subscriptionId":"sub-%d","friendlyName":%s,"quantity":5,"newField":{"b":1,"a":2.50}},{"lineItemNumber":1,"offerId":"addon"}],`+
		`"totalPrice":100.10,"newField":{"a":2.50},"creationDate":"2024-05-01T10:00:0%d.1234567-08:00","status":%q}`, n, n, n, n, name, n, status)
}

// newProxy starts a proxy that connects every client to one server, regardless
// of the requested name.
func newProxy(tb testing.TB, server *httptest.Server) *httptest.Server {
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		there, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		defer there.Close()
		// The client may answer at once: what it sends is in the buffer, if net/http
		// has read it already.
		here, buffered, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		defer here.Close()
		if _, err := io.WriteString(here, "HTTP/1.1 200 OK\r\n\r\n"); err != nil {
			return
		}
		go func() {
			_, _ = io.Copy(there, buffered)
			there.Close()
		}()
		_, _ = io.Copy(here, there)
	}))
	tb.Cleanup(proxy.Close)
	return proxy
}
