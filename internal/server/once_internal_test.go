package server

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/store"
	"github.com/partnercenter-go/partnercenter/internal/token"
)

// TestOnceWhileRunning sends a request again while the first is being decided
// about: 409 with code 800060, and nothing is decided a second time.
func TestOnceWhileRunning(t *testing.T) {
	st, err := store.Open(t.Context(), ":memory:", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	s := &Server{config: Config{Store: st, Logger: slog.New(slog.DiscardHandler)}, work: newWork(0), inFlight: inFlight{keys: map[string]struct{}{}}}
	newCall := func(id string) *call {
		r := httptest.NewRequest(http.MethodPost, "/v1/customers/c/orders", nil)
		r.Header.Set("MS-RequestId", id)
		c := &call{w: httptest.NewRecorder(), r: r, claims: &token.Claims{TenantID: "p"}, pattern: "/v1/customers/{customer-tenant-id}/orders"}
		c.identify()
		return c
	}
	refusal := errors.New("decided")
	deciding, decide := make(chan struct{}), make(chan struct{})
	done := make(chan error)
	go func() {
		done <- s.writeOnce(newCall("ONE"), nil, func(context.Context) (*writeResult, error) {
			close(deciding)
			<-decide
			return nil, refusal
		})
	}()
	<-deciding
	never := func(context.Context) (*writeResult, error) {
		t.Error("decided twice")
		return nil, refusal
	}
	var e *apiError
	if err := s.writeOnce(newCall("one"), nil, never); !errors.As(err, &e) || e.status != http.StatusConflict || e.code != partnercenter.ErrorCodeOrderInProgress {
		t.Errorf("a request that is running: %v", err)
	}
	at := func(context.Context) (*writeResult, error) { return nil, refusal }
	if err := s.writeOnce(newCall("two"), nil, at); !errors.Is(err, refusal) {
		t.Errorf("another request meanwhile: %v", err)
	}
	close(decide)
	if err := <-done; !errors.Is(err, refusal) {
		t.Error(err)
	}
	if err := s.writeOnce(newCall("one"), nil, at); !errors.Is(err, refusal) {
		t.Errorf("after the first was refused: %v", err)
	}
}

// TestCartBusy has a cart changed while another request changes it: 409 with code 800064.
func TestCartBusy(t *testing.T) {
	s := &Server{inFlight: inFlight{keys: map[string]struct{}{}}}
	of := func(cart string) *call {
		c := &call{claims: &token.Claims{TenantID: "p"}, customer: "c", params: params{count: 2}}
		c.pattern = "/v1/customers/{customer-tenant-id}/carts/{cart-id}"
		c.params.values[1] = cart
		return c
	}
	changed := 0
	change := func() error {
		changed++
		return nil
	}
	err := s.withCart(of("0D93B7E4-51CA-4F28-B6A7-8E2C40F19D53"), func() error {
		var e *apiError
		if err := s.withCart(of("0d93b7e4-51ca-4f28-b6a7-8e2c40f19d53"), change); !errors.As(err, &e) || e.status != http.StatusConflict || e.code != partnercenter.ErrorCodeCartBusy {
			t.Errorf("a cart that is changing: %v", err)
		}
		return s.withCart(of("72e0c4a9-3d1b-48f6-95e8-b07a16d2f3c4"), change)
	})
	if again := s.withCart(of("0d93b7e4-51ca-4f28-b6a7-8e2c40f19d53"), change); err != nil || again != nil || changed != 2 {
		t.Errorf("%v, %v, %d changes", err, again, changed)
	}
}
