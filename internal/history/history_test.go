package history

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/partnercenter-go/partnercenter"
)

const (
	customer = "b0d70a69-4c42-4b27-b17b-91a835d8686a"
	serverA  = "http://a"
	serverB  = "http://b"
	offer    = "031C9E47-4802-4248-838E-778FB1D2CC05"
	offer2   = "91FD106F-4B2C-4938-95AC-F54F74E9A239"
)

// story is a history in the making, in milliseconds.
type story struct {
	log   *Log
	calls []*Call
}

func (s *story) add(c Call, sent, answered int, status int, body any) *Call {
	c.Customer, c.Status = customer, status
	c.Sent, c.Answered = time.Duration(sent)*time.Millisecond, time.Duration(answered)*time.Millisecond
	if body != nil {
		text, err := partnercenter.Marshal(body)
		if err != nil {
			panic(err)
		}
		c.Body = text
	}
	s.calls = append(s.calls, &c)
	return &c
}

// name returns the name of the order with a number.
func (s *story) name(n int) string { return s.log.prefix + fmt.Sprint(n) }

func id(n int) string { return fmt.Sprintf("%08d-0000-4000-8000-000000000000", n) }

// order returns an order of two lines.
func (s *story) order(n int, cycle, etag string) *partnercenter.Order {
	o := &partnercenter.Order{ID: id(n), BillingCycle: partnercenter.BillingCycleType(cycle), Attributes: &partnercenter.ResourceAttributes{Etag: &etag}}
	for i, offer := range []string{offer, offer2} {
		o.LineItems = append(o.LineItems, partnercenter.OrderLineItem{OfferID: offer, Quantity: new(i + 1), FriendlyName: s.name(n), SubscriptionID: id(1000*n + i)})
	}
	return o
}

func (s *story) place(n int, server string, sent, answered, status int) *Call {
	c := Call{Kind: Place, Server: server, RequestID: fmt.Sprint("place ", n), Name: s.name(n), Lines: []Line{{offer, 1}, {offer2, 2}}}
	switch status {
	case http.StatusCreated:
		return s.add(c, sent, answered, status, s.order(n, "monthly", "v1"))
	case http.StatusServiceUnavailable:
		return s.add(c, sent, answered, status, partnercenter.ErrorBody{Code: partnercenter.ErrorCodeUnexpected, Description: nothingChanged + ": no."})
	default:
		return s.add(c, sent, answered, status, nil)
	}
}

func (s *story) list(server string, sent, answered int, orders ...*partnercenter.Order) *Call {
	return s.add(Call{Kind: List, Server: server}, sent, answered, http.StatusOK, partnercenter.Collection[*partnercenter.Order]{TotalCount: len(orders), Items: orders})
}

// subscriptions lists those of orders.
func (s *story) subscriptions(sent, answered int, orders ...*partnercenter.Order) *Call {
	var list []*partnercenter.Subscription
	for _, o := range orders {
		for _, line := range o.LineItems {
			list = append(list, &partnercenter.Subscription{ID: line.SubscriptionID, OrderID: o.ID, FriendlyName: line.FriendlyName, Quantity: line.Quantity})
		}
	}
	return s.add(Call{Kind: Subscriptions, Server: serverA}, sent, answered, http.StatusOK, partnercenter.Collection[*partnercenter.Subscription]{TotalCount: len(list), Items: list})
}

func (s *story) read(n int, server string, sent, answered int, cycle, etag string) *Call {
	return s.add(Call{Kind: Read, Server: server, Order: id(n)}, sent, answered, http.StatusOK, s.order(n, cycle, etag))
}

// change has the etag that results; without one, it has no answer, and "stale" is a refusal.
func (s *story) change(n int, sent, answered int, cycle, ifMatch, etag string) *Call {
	c := Call{Kind: Change, Server: serverA, Order: id(n), RequestID: fmt.Sprint("change ", sent), Cycle: cycle, IfMatch: ifMatch}
	switch etag {
	case "":
		return s.add(c, sent, answered, 0, nil)
	case "stale":
		return s.add(c, sent, answered, http.StatusBadRequest, partnercenter.ErrorBody{Code: partnercenter.ErrorCodeEtagStale})
	default:
		return s.add(c, sent, answered, http.StatusOK, s.order(n, cycle, etag))
	}
}

// end is the last look.
func (s *story) end(orders ...*partnercenter.Order) (list, subscriptions *Call) {
	return s.list(serverA, 10000, 10010, orders...), s.subscriptions(10020, 10030, orders...)
}

func (s *story) check() []Violation {
	for _, c := range s.calls {
		s.log.Add(*c)
	}
	return s.log.Check()
}

// Each history is one of a service that is broken in one way.
func TestBroken(t *testing.T) {
	for _, test := range []struct {
		name string
		want []Rule // all that is found
		tell func(s *story)
	}{
		{"nothing", nil, func(*story) {}},
		{"placed", nil, func(s *story) {
			s.place(1, serverA, 0, 10, 201)
			s.list(serverA, 20, 30, s.order(1, "monthly", "v1"))
			s.end(s.order(1, "monthly", "v1"))
		}},
		{"of others before", nil, func(s *story) {
			other := &partnercenter.Order{ID: "x", LineItems: []partnercenter.OrderLineItem{{OfferID: offer}}}
			s.list(serverA, 0, 1, other)
			s.place(1, serverA, 2, 10, 201)
			s.list(serverA, 10000, 10010, other, s.order(1, "monthly", "v1"))
			s.subscriptions(10000, 10010, s.order(1, "monthly", "v1"))
		}},
		{"an order of others lost", []Rule{Lost, Stale}, func(s *story) {
			s.list(serverA, 0, 1, &partnercenter.Order{ID: "x"})
			s.place(1, serverA, 2, 10, 201)
			s.end(s.order(1, "monthly", "v1"))
		}},
		{"acknowledged and lost", []Rule{Lost, Stale}, func(s *story) {
			s.place(1, serverA, 0, 10, 201)
			s.end()
		}},
		{"shown and lost", []Rule{Lost, Stale}, func(s *story) {
			s.place(1, serverA, 0, 10, 0)
			s.list(serverA, 20, 30, s.order(1, "monthly", "v1"))
			s.end()
		}},
		{"not found by its id", []Rule{Lost}, func(s *story) {
			s.place(1, serverA, 0, 10, 201)
			s.add(Call{Kind: Read, Server: serverB, Order: id(1)}, 11, 12, http.StatusNotFound, nil)
			s.end(s.order(1, "monthly", "v1"))
		}},
		{"not found while it is placed", nil, func(s *story) {
			s.place(1, serverA, 0, 10, 201)
			s.add(Call{Kind: Read, Server: serverB, Order: id(1)}, 9, 12, http.StatusNotFound, nil)
			s.end(s.order(1, "monthly", "v1"))
		}},
		{"unknown and there", nil, func(s *story) {
			s.place(1, serverA, 0, 10, 0)
			s.end(s.order(1, "monthly", "v1"))
		}},
		{"unknown and not there", nil, func(s *story) {
			s.place(1, serverA, 0, 10, 0)
			s.end()
		}},
		{"unknown and there twice", []Rule{Doubled, Partial}, func(s *story) {
			s.place(1, serverA, 0, 10, 0)
			second := s.order(1, "monthly", "v1")
			second.ID = id(2)
			s.end(s.order(1, "monthly", "v1"), second)
		}},
		{"acknowledged by the second try", nil, func(s *story) {
			s.place(1, serverA, 0, 10, 0)
			s.place(1, serverB, 20, 30, 503)
			s.place(1, serverA, 40, 50, 201)
			s.end(s.order(1, "monthly", "v1"))
		}},
		{"one order twice", []Rule{Doubled, Partial}, func(s *story) {
			s.place(1, serverA, 0, 10, 201)
			s.end(s.order(1, "monthly", "v1"), s.order(1, "monthly", "v1"))
		}},
		{"one subscription twice", []Rule{Doubled}, func(s *story) {
			s.place(1, serverA, 0, 10, 201)
			o := s.order(1, "monthly", "v1")
			s.list(serverA, 10000, 10010, o)
			s.subscriptions(10000, 10010, o, o)
		}},
		{"refused", nil, func(s *story) {
			s.place(1, serverA, 0, 10, 400)
			s.place(2, serverA, 0, 10, 503)
			s.end()
		}},
		{"refused and there", []Rule{MadeUp}, func(s *story) {
			s.place(1, serverA, 0, 10, 400)
			s.end(s.order(1, "monthly", "v1"))
		}},
		{"said to have changed nothing, and there", []Rule{MadeUp}, func(s *story) {
			s.place(1, serverA, 0, 10, 503)
			s.end(s.order(1, "monthly", "v1"))
		}},
		{"a server's error, and there", nil, func(s *story) {
			s.place(1, serverA, 0, 10, 500)
			s.end(s.order(1, "monthly", "v1"))
		}},
		{"nobody's", []Rule{MadeUp}, func(s *story) {
			s.place(1, serverA, 0, 10, 201)
			s.end(s.order(1, "monthly", "v1"), s.order(2, "monthly", "v1"))
		}},
		{"acknowledged under another id", []Rule{Lost, MadeUp, Stale}, func(s *story) {
			s.place(1, serverA, 0, 10, 201)
			o := s.order(1, "monthly", "v1")
			o.ID = id(2)
			s.end(o)
		}},
		{"without a line", []Rule{Partial}, func(s *story) {
			s.place(1, serverA, 0, 10, 0)
			o := s.order(1, "monthly", "v1")
			o.LineItems = o.LineItems[:1]
			s.end(o)
		}},
		{"for a moment without a line", []Rule{Partial}, func(s *story) {
			s.place(1, serverA, 0, 10, 0)
			o := s.order(1, "monthly", "v1")
			o.LineItems = o.LineItems[:1]
			s.list(serverB, 5, 15, o)
			s.end(s.order(1, "monthly", "v1"))
		}},
		{"with another quantity", []Rule{Partial}, func(s *story) {
			s.place(1, serverA, 0, 10, 201)
			o := s.order(1, "monthly", "v1")
			o.LineItems[0].Quantity = new(7)
			s.end(o)
		}},
		{"a line without a subscription", []Rule{Partial}, func(s *story) {
			s.place(1, serverA, 0, 10, 201)
			o, short := s.order(1, "monthly", "v1"), s.order(1, "monthly", "v1")
			short.LineItems = short.LineItems[:1]
			s.list(serverA, 10000, 10010, o)
			s.subscriptions(10000, 10010, short)
		}},
		{"a subscription with another quantity", []Rule{Partial}, func(s *story) {
			s.place(1, serverA, 0, 10, 201)
			o, other := s.order(1, "monthly", "v1"), s.order(1, "monthly", "v1")
			other.LineItems[1].Quantity = new(7)
			s.list(serverA, 10000, 10010, o)
			s.subscriptions(10000, 10010, other)
		}},
		{"subscriptions without an order", []Rule{Partial}, func(s *story) {
			s.place(1, serverA, 0, 10, 0)
			s.list(serverA, 10000, 10010)
			s.subscriptions(10000, 10010, s.order(1, "monthly", "v1"))
		}},
		{"a list of another server, a second later", []Rule{Stale}, func(s *story) {
			s.place(1, serverA, 0, 10, 201)
			s.list(serverB, 1011, 1020)
			s.end(s.order(1, "monthly", "v1"))
		}},
		{"a list of another server, within a second", nil, func(s *story) {
			s.place(1, serverA, 0, 10, 201)
			s.list(serverB, 1009, 1020)
			s.end(s.order(1, "monthly", "v1"))
		}},
		{"a list of the same server", []Rule{Stale}, func(s *story) {
			s.place(1, serverA, 0, 10, 201)
			s.list(serverA, 11, 20)
			s.end(s.order(1, "monthly", "v1"))
		}},
		{"a list of the same server, sent before the answer", nil, func(s *story) {
			s.place(1, serverA, 0, 10, 201)
			s.list(serverA, 9, 20)
			s.end(s.order(1, "monthly", "v1"))
		}},
		{"a list of any of several servers", nil, func(s *story) {
			s.place(1, "", 0, 10, 201)
			s.list("", 11, 20)
			s.end(s.order(1, "monthly", "v1"))
		}},
		{"lists that go back a second later", []Rule{Stale}, func(s *story) {
			s.place(1, serverA, 0, 10, 0)
			s.list(serverB, 20, 30, s.order(1, "monthly", "v1"))
			s.list(serverB, 1031, 1040)
			s.end(s.order(1, "monthly", "v1"))
		}},
		{"a list of a server that gave the answer again", []Rule{Stale}, func(s *story) {
			s.place(1, serverA, 0, 10, 201)
			s.place(1, serverB, 20, 30, 201)
			s.list(serverB, 31, 40)
			s.end(s.order(1, "monthly", "v1"))
		}},
		{"the same answer again", nil, func(s *story) {
			s.place(1, serverA, 0, 10, 201)
			s.place(1, serverB, 20, 30, 201)
			s.end(s.order(1, "monthly", "v1"))
		}},
		{"another answer", []Rule{Changed}, func(s *story) {
			s.place(1, serverA, 0, 10, 201)
			again := s.place(1, serverB, 20, 30, 201)
			again.Body = []byte(strings.Replace(string(again.Body), "monthly", "annual", 1))
			s.end(s.order(1, "monthly", "v1"))
		}},
		{"another status", []Rule{Changed}, func(s *story) {
			s.place(1, serverA, 0, 10, 201)
			s.place(1, serverB, 20, 30, 201).Status = 200
			s.end(s.order(1, "monthly", "v1"))
		}},
		{"an answer that ends early", []Rule{Garbled}, func(s *story) {
			c := s.place(1, serverA, 0, 10, 201)
			c.Body = c.Body[:20]
			s.end(s.order(1, "monthly", "v1"))
		}},
		{"a list that counts wrong", []Rule{Garbled}, func(s *story) {
			s.place(1, serverA, 0, 10, 201)
			c := s.list(serverB, 20, 30, s.order(1, "monthly", "v1"))
			c.Body = []byte(strings.Replace(string(c.Body), `"totalCount":1`, `"totalCount":2`, 1))
			s.end(s.order(1, "monthly", "v1"))
		}},
		{"no last look", []Rule{Unseen}, func(s *story) { s.place(1, serverA, 0, 10, 201) }},
		{"a last look that is too early", []Rule{Unseen}, func(s *story) {
			s.place(1, serverA, 0, 9500, 0)
			s.end()
		}},
		{"one change after the other", nil, func(s *story) {
			s.place(1, serverA, 0, 10, 201)
			s.change(1, 20, 30, "annual", "v1", "v2")
			s.read(1, serverB, 31, 32, "annual", "v2")
			s.change(1, 40, 50, "monthly", "v1", "stale")
			s.change(1, 60, 70, "monthly", "v2", "v3")
			s.change(1, 80, 90, "monthly", "", "v3")
			s.read(1, serverA, 100, 110, "monthly", "v3")
			s.end(s.order(1, "monthly", "v3"))
		}},
		{"two changes of one version", []Rule{Unordered}, func(s *story) {
			s.place(1, serverA, 0, 10, 201)
			s.change(1, 20, 40, "annual", "v1", "v2")
			s.change(1, 21, 40, "annual", "v1", "v2")
			s.end(s.order(1, "annual", "v2"))
		}},
		{"a change that is refused for the etag there is", []Rule{Unordered}, func(s *story) {
			s.place(1, serverA, 0, 10, 201)
			s.change(1, 20, 30, "annual", "v1", "stale")
			s.end(s.order(1, "monthly", "v1"))
		}},
		{"a read before a change that it does not see", nil, func(s *story) {
			s.place(1, serverA, 0, 10, 201)
			s.change(1, 20, 30, "annual", "v1", "v2")
			s.read(1, serverB, 29, 40, "monthly", "v1")
			s.end(s.order(1, "annual", "v2"))
		}},
		{"a read after a change that it does not see", []Rule{Unordered}, func(s *story) {
			s.place(1, serverA, 0, 10, 201)
			s.change(1, 20, 30, "annual", "v1", "v2")
			s.read(1, serverB, 31, 40, "monthly", "v1")
			s.end(s.order(1, "annual", "v2"))
		}},
		{"reads that go back", []Rule{Unordered}, func(s *story) {
			s.place(1, serverA, 0, 10, 201)
			s.change(1, 20, 100, "annual", "v1", "v2")
			s.read(1, serverB, 30, 40, "annual", "v2")
			s.read(1, serverB, 41, 50, "monthly", "v1")
			s.end(s.order(1, "annual", "v2"))
		}},
		{"a change that is lost", []Rule{Unordered}, func(s *story) {
			s.place(1, serverA, 0, 10, 201)
			s.change(1, 20, 30, "annual", "v1", "v2")
			s.change(1, 40, 50, "annual", "v1", "v2")
			s.end(s.order(1, "annual", "v2"))
		}},
		{"an unknown change with its effect late", nil, func(s *story) {
			s.place(1, serverA, 0, 10, 201)
			s.change(1, 20, 30, "annual", "v1", "")
			s.read(1, serverA, 31, 40, "monthly", "v1")
			s.read(1, serverA, 41, 50, "annual", "v2")
			s.change(1, 60, 70, "monthly", "v2", "v3")
			s.end(s.order(1, "monthly", "v3"))
		}},
		{"an unknown change without effect", nil, func(s *story) {
			s.place(1, serverA, 0, 10, 201)
			s.change(1, 20, 30, "annual", "v1", "")
			s.change(1, 40, 50, "annual", "v1", "v2")
			s.end(s.order(1, "annual", "v2"))
		}},
		{"an unknown change that comes and goes", []Rule{Unordered}, func(s *story) {
			s.place(1, serverA, 0, 10, 201)
			s.change(1, 20, 30, "annual", "v1", "")
			s.read(1, serverA, 31, 40, "annual", "v2")
			s.read(1, serverA, 41, 50, "monthly", "v1")
			s.end(s.order(1, "monthly", "v1"))
		}},
		{"a cycle that nobody asked for", []Rule{Unordered}, func(s *story) {
			s.place(1, serverA, 0, 10, 201)
			s.change(1, 20, 30, "annual", "v1", "v2")
			s.read(1, serverA, 31, 40, "one_time", "v3")
			s.end(s.order(1, "annual", "v2"))
		}},
		{"an etag that stays", []Rule{Unordered}, func(s *story) {
			s.place(1, serverA, 0, 10, 201)
			s.change(1, 20, 30, "annual", "v1", "v1")
			s.end(s.order(1, "annual", "v1"))
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := &story{log: New()}
			test.tell(s)
			found := s.check()
			var rules []Rule
			for _, v := range found {
				rules = append(rules, v.Rule)
			}
			slices.Sort(rules)
			if rules = slices.Compact(rules); !slices.Equal(rules, test.want) {
				t.Errorf("found %v, want %v: %v", rules, test.want, found)
			}
		})
	}
}

// What is doubted may be lost, and what was known before may not.
func TestDoubt(t *testing.T) {
	for _, test := range []struct {
		after time.Duration
		want  int
	}{{5 * time.Millisecond, 0}, {15 * time.Millisecond, 1}} {
		s := &story{log: New()}
		s.log.Add(*s.place(1, serverA, 0, 10, http.StatusCreated))
		s.log.Doubt(test.after)
		s.calls = s.calls[1:]
		s.end()
		lost := slices.DeleteFunc(s.check(), func(v Violation) bool { return v.Rule != Lost })
		if len(lost) != test.want {
			t.Errorf("doubting what is after %v: %v", test.after, lost)
		}
	}
}
