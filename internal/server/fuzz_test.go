package server_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/partnercenter-go/partnercenter/partnercentertest"
)

// FuzzRequest requests any path and query with a valid token and any continuation
// token. The server must not fail, redirect or show another partner's data, and must
// answer JSON below the version root.
func FuzzRequest(f *testing.F) {
	var handler http.Handler
	srv, err := partnercentertest.Start(partnercentertest.Options{Wrap: func(h http.Handler) http.Handler {
		handler = h
		return h
	}})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(srv.Close)
	token, err := srv.Credential().GetToken(f.Context(), tokenOptions)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seedOrders, "billingType=OneTime&include_price=True", "")
	f.Add("/V1.0//customers/", "size=2&seekOperation=next", "AQAAAA==")
	f.Add("/v1/customers", "size=0&filter="+url.QueryEscape(`{"Field":"Domain","Value":"%_","Operator":"substring"}`), "")
	f.Add("/v1/customers/%2e%2e/%00", "a=1;b=2", "=")
	f.Add("/x/oauth2/token", "", "")
	f.Add("/v1/products/DZH318Z0BQ4B/skus/000Z/availabilities", "country=us&targetSegment=commercial", "")
	f.Add("/v1/customers/"+seedCustomer+"/offers", "size=2&offset=3", "")
	f.Fuzz(func(t *testing.T, path, query, continuation string) {
		u, err := url.ParseRequestURI(path)
		if err != nil || u.Host != "" {
			return // net/http refuses it before the server sees it
		}
		u.RawQuery = query
		r := &http.Request{Method: http.MethodGet, URL: u, Host: "127.0.0.1", Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Body: http.NoBody, Header: http.Header{
			"Authorization":        {"Bearer " + token.Token},
			"Ms-Continuationtoken": {continuation},
		}}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r.WithContext(t.Context()))
		if w.Code >= 500 || w.Code >= 300 && w.Code < 400 {
			t.Fatalf("%q ? %q: %d %s", path, query, w.Code, w.Body)
		}
		if strings.Contains(w.Body.String(), "Fabrikam") && !strings.Contains(path+query, "Fabrikam") {
			t.Fatalf("%q ? %q shows another partner: %s", path, query, w.Body)
		}
		if strings.HasPrefix(strings.ToLower(path), "/v1/") && !json.Valid(w.Body.Bytes()) {
			t.Fatalf("%q ? %q: no JSON: %s", path, query, w.Body)
		}
	})
}
