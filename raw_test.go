package partnercenter_test

import (
	"errors"
	"io"
	"net/http"
	"testing"

	"github.com/partnercenter-go/partnercenter"
)

// TestDo makes calls that have no verb.
func TestDo(t *testing.T) {
	const requestID = "0d8d8ec6-0000-4000-8000-000000000001"
	var got *http.Request
	var body []byte
	status := http.StatusOK
	s := newStub(t, func(w http.ResponseWriter, r *http.Request) {
		got = r
		body, _ = io.ReadAll(r.Body)
		w.WriteHeader(status)
		io.WriteString(w, `{"code":1,"description":"d"}`)
	})
	pc := s.client(t, func(o *partnercenter.ClientOptions) { o.Retry.MaxRetries = -1 })
	ctx := partnercenter.WithRequestID(t.Context(), requestID)

	answer, err := pc.Do(ctx, &partnercenter.RawRequest{Method: http.MethodGet, URI: "customers?size=1", Header: http.Header{"X-Locale": {"de-DE"}}})
	if err != nil || answer.StatusCode != http.StatusOK || string(answer.Body) != `{"code":1,"description":"d"}` {
		t.Fatalf("%+v, %v", answer, err)
	}
	if got.RequestURI != "/v1/customers?size=1" || got.Header.Get("X-Locale") != "de-DE" || got.Header.Get("MS-RequestId") != requestID || got.Header.Get("Content-Type") != "" {
		t.Errorf("%s %v", got.RequestURI, got.Header)
	}
	if _, err = pc.Do(ctx, &partnercenter.RawRequest{Method: http.MethodPost, URI: "/v1/customers/x/carts", Body: []byte(`{"a":1}`)}); err != nil || string(body) != `{"a":1}` || got.Header.Get("Content-Type") != "application/json" {
		t.Errorf("%v: %s %v", err, body, got.Header)
	}
	if _, err = pc.Do(ctx, &partnercenter.RawRequest{Method: http.MethodPut, URI: "/x", Body: []byte("a"), Header: http.Header{"Content-Type": {"text/plain"}}}); err != nil || got.Header.Get("Content-Type") != "text/plain" {
		t.Errorf("%v: %v", err, got.Header)
	}
	if _, err = pc.Do(ctx, &partnercenter.RawRequest{Method: http.MethodGet, URI: "https://elsewhere.example/v1/customers"}); !errors.Is(err, partnercenter.ErrForeignLink) {
		t.Errorf("another host: %v", err)
	}

	status = http.StatusInternalServerError
	for method, open := range map[string]bool{http.MethodGet: false, http.MethodHead: false, http.MethodPost: true, http.MethodDelete: true} {
		_, err := pc.Do(ctx, &partnercenter.RawRequest{Method: method, URI: "/customers/x/carts"})
		if failed := new(partnercenter.Error); !errors.As(err, &failed) || failed.StatusCode != status || partnercenter.Unsettled(err) != open {
			t.Errorf("%s: %v", method, err)
		}
	}
}
