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
