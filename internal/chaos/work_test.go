//go:build linux

package chaos

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/partnercenter-go/partnercenter/internal/guid"
	"github.com/partnercenter-go/partnercenter/internal/history"
)

// work is what clients do at a service until they are told to end.
type work struct {
	service   *service
	log       *history.Log
	customers []string
	subjects  []string // orders that many change at once, of the first customer

	ending chan struct{} // closed when nothing new is to begin
	over   func()        // closes it, once
	wait   sync.WaitGroup
}

const writers = 16

// pause is the longest between two things that a client does. The short form leaves the
// processor to other tests.
func pause() time.Duration {
	if *long {
		return 40 * time.Millisecond
	}
	return 120 * time.Millisecond
}

// The offers that are bought.
const (
	premium    = "031C9E47-4802-4248-838E-778FB1D2CC05"
	enterprise = "91FD106F-4B2C-4938-95AC-F54F74E9A239"
)

// begin lets clients begin to work, with customers who have not many orders yet.
func (s *service) begin(t *testing.T, log *history.Log) *work {
	t.Helper()
	w := &work{service: s, log: log, ending: make(chan struct{})}
	w.over = sync.OnceFunc(func() { close(w.ending) })
	for range 4 {
		w.customers = append(w.customers, customerID(s.exhausted%customers))
		s.exhausted++
	}
	for range 2 {
		call, err := w.settle(t.Context(), w.order(w.customers[0]))
		if err != nil || call.Outcome() != history.Acknowledged {
			t.Fatalf("placing an order: %v, %d %s", err, call.Status, call.Body)
		}
		var order struct{ ID string }
		if err := json.Unmarshal(call.Body, &order); err != nil {
			t.Fatal(err)
		}
		w.subjects = append(w.subjects, order.ID)
	}
	for n := range writers {
		w.wait.Go(func() {
			for {
				select {
				case <-w.ending:
					return
				case <-time.After(rand.N(pause())):
				}
				w.act(t, n)
			}
		})
	}
	return w
}

// end lets the clients finish what they have begun.
func (w *work) end() {
	w.over()
	w.wait.Wait()
}

// settle makes a write, at any servers, until there is an answer.
func (w *work) settle(ctx context.Context, call history.Call) (history.Call, error) {
	ctx, cancel := context.WithTimeout(ctx, muchPatience)
	defer cancel()
	return history.Settle(ctx, call, 10*time.Millisecond, func() *history.Client { return w.service.any().client(w.log) })
}

// order returns an order to place.
func (w *work) order(customer string) history.Call {
	lines := []history.Line{{Offer: premium, Quantity: 1 + rand.IntN(9)}, {Offer: enterprise, Quantity: 1 + rand.IntN(9)}}
	return history.Call{Kind: history.Place, Customer: customer, RequestID: guid.New(), Name: w.log.Name(), Lines: lines[:1+rand.IntN(2)]}
}

// act does something that a client does.
func (w *work) act(t *testing.T, n int) {
	ctx := t.Context()
	customer := w.customers[rand.IntN(len(w.customers))]
	server := w.service.any().client(w.log)
	settle := func(call history.Call) history.Call {
		done, err := w.settle(ctx, call)
		if err != nil {
			t.Errorf("a write is not answered for %v: %v, %s %s", muchPatience, err, &done, done.Body)
		}
		return done
	}
	switch what := rand.IntN(10); {
	case n < 4 && what < 6: // these change one order
		id := w.subjects[n%2]
		call := history.Call{Kind: history.Change, Customer: w.customers[0], Order: id, RequestID: guid.New(), Cycle: []string{"monthly", "annual"}[rand.IntN(2)]}
		if read, err := server.Do(ctx, history.Call{Kind: history.Read, Customer: w.customers[0], Order: id}); err == nil && what > 0 {
			var order struct{ Attributes struct{ Etag string } }
			if json.Unmarshal(read.Body, &order) == nil {
				call.IfMatch = order.Attributes.Etag
			}
		}
		settle(call)
	case what == 9:
		_, _ = server.Do(ctx, history.Call{Kind: history.List, Customer: customer})
	case what == 8: // once, and never again
		_, _ = server.Do(ctx, w.order(customer))
	case what == 7: // twice at once
		call := w.order(customer)
		var twin sync.WaitGroup
		twin.Go(func() { _, _ = w.service.any().client(w.log).Do(ctx, call) })
		settle(call)
		twin.Wait()
	default:
		call := settle(w.order(customer))
		_, _ = w.service.any().client(w.log).Do(ctx, history.Call{Kind: history.List, Customer: customer})
		if what == 6 { // a late repetition
			settle(call)
		}
	}
}

// look looks at everything at every server, a second after the last write, and checks.
func (w *work) look(t *testing.T) []history.Violation {
	t.Helper()
	time.Sleep(history.Lag + 10*time.Millisecond)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for _, s := range w.service.servers {
		if err := s.client(w.log).Look(ctx, w.customers); err != nil {
			t.Fatal(err)
		}
	}
	return w.log.Check()
}
