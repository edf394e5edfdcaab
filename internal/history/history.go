// Package history records what clients asked of the servers of one database and what
// they were told, and checks that all of it is true of one service that loses nothing. It
// is for tests.
//
// The clock is that of the program that has the clients. The rules, with "before" and
// "after" as the clients saw them: a call is before another if it was answered before
// that was sent.
//
//   - A write is all calls with one request id. It is acknowledged if any of them was. It is
//     refused if all were: by a status of 4xx, or by a 503 that says that nothing was changed.
//     Anything else, such as no answer at all, leaves it unknown.
//   - [Lost]: an acknowledged order is in the last list of its customer, and was found by
//     every read of it after the acknowledgement. So is an order that a list or a read had.
//   - [Doubled]: no list has two orders of one purchase, or one order twice.
//   - [MadeUp]: no list has an order that nobody sent, or that was refused, and an
//     acknowledged order has the id that was told. An unknown one is there once or not at all.
//   - [Partial]: an order has the lines that were sent, with their offers and quantities,
//     wherever it is seen. In the end each line has its subscription, with its quantity, and
//     each subscription its line.
//   - [Stale]: a list has what its server acknowledged before, and what any server
//     acknowledged or showed more than [Lag] before.
//   - [Changed]: all acknowledgements under one request id are the same bytes.
//   - [Unordered]: the reads and changes of each order are linearizable: there is one order
//     of them, in which each had its effect at one moment between sending and answer, that
//     explains what all were told. A change whose If-Match is not the etag of that moment
//     is refused.
//   - [Garbled]: an answer that came as a whole can be read.
//   - [Unseen]: all of this was looked at. After its last write, and Lag later, a customer's
//     orders and subscriptions were listed.
package history

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/guid"
)

// Lag is how old a list may be of what other servers wrote.
const Lag = time.Second

// Prefix begins the name of every order that is placed.
const Prefix = "history "

// Kind is what a call asks for.
type Kind int

// The calls.
const (
	Place         Kind = iota // an order
	Change                    // the billing cycle of an order
	Read                      // an order
	List                      // the orders of a customer
	Subscriptions             // of a customer
)

// Line is a line of an order.
type Line struct {
	Offer    string
	Quantity int
}

// Call is a call of a client, and what it was told.
type Call struct {
	Kind      Kind
	Customer  string
	RequestID string // of writes
	Name      string // of the order to place, which no other has
	Lines     []Line // of the order to place
	Order     string // the id of the order to change or read
	Cycle     string // the billing cycle to change to, in lower case
	IfMatch   string // the etag that is to be changed, or nothing

	Server         string // the base URL, or nothing where any of several answers
	Sent, Answered time.Duration
	Status         int // 0 without an answer, of which any part may have come
	Body           []byte

	orders        []seen       // in the answer
	subscriptions []subscribed // likewise
	garbled       error        // why the answer cannot be read
}

// seen is an order as an answer has it.
type seen struct {
	id, name, cycle, etag string
	lines                 []Line
	subscriptions         []string // of the lines
}

// subscribed is a subscription as an answer has it.
type subscribed struct {
	id, order, name string
	quantity        int
}

// Outcome is what a client knows of a call.
type Outcome int

// The outcomes.
const (
	Unknown Outcome = iota
	Acknowledged
	Refused
)

// nothingChanged begins the description of a 503 to a write that had no effect.
const nothingChanged = "Nothing was changed"

// Outcome returns what the client knows.
func (c *Call) Outcome() Outcome {
	switch {
	case c.Status == 0:
		return Unknown
	case c.Status < 300:
		return Acknowledged
	}
	switch code, description := c.refusal(); {
	case c.Status == http.StatusConflict && code == partnercenter.ErrorCodeOrderInProgress: // another try of it runs
		return Unknown
	case c.Status < 500, c.Status == http.StatusServiceUnavailable && strings.HasPrefix(description, nothingChanged):
		return Refused
	}
	return Unknown
}

// refusal returns what a refusal says.
func (c *Call) refusal() (partnercenter.ErrorCode, string) {
	var body partnercenter.ErrorBody
	if partnercenter.Unmarshal(c.Body, &body) != nil {
		return "", ""
	}
	return body.Code, body.Description
}

// decode reads what was acknowledged.
func (c *Call) decode() (err error) {
	switch c.Kind {
	case Place, Change, Read:
		var o partnercenter.Order
		if err = partnercenter.Unmarshal(c.Body, &o); err == nil {
			c.orders = []seen{see(&o)}
		}
	case List:
		var list []*partnercenter.Order
		list, err = items[*partnercenter.Order](c.Body)
		for _, o := range list {
			c.orders = append(c.orders, see(o))
		}
		c.Body = nil // they are large
	case Subscriptions:
		var list []*partnercenter.Subscription
		list, err = items[*partnercenter.Subscription](c.Body)
		for _, s := range list {
			one := subscribed{id: guid.KeyIfGUID(s.ID), order: guid.KeyIfGUID(s.OrderID), name: s.FriendlyName}
			if s.Quantity != nil {
				one.quantity = *s.Quantity
			}
			c.subscriptions = append(c.subscriptions, one)
		}
		c.Body = nil
	}
	return err
}

// items returns what a list has.
func items[T any](body []byte) ([]T, error) {
	var list partnercenter.Collection[T]
	if err := partnercenter.Unmarshal(body, &list); err != nil {
		return nil, err
	}
	if list.TotalCount != len(list.Items) {
		return nil, fmt.Errorf("it has %d items and says %d", len(list.Items), list.TotalCount)
	}
	return list.Items, nil
}

func see(o *partnercenter.Order) seen {
	s := seen{id: guid.KeyIfGUID(o.ID), cycle: string(o.BillingCycle.Normalize())}
	if o.Attributes != nil && o.Attributes.Etag != nil {
		s.etag = *o.Attributes.Etag
	}
	for i := range o.LineItems {
		line := &o.LineItems[i]
		s.name = line.FriendlyName
		one := Line{Offer: guid.KeyIfGUID(line.OfferID)}
		if line.Quantity != nil {
			one.Quantity = *line.Quantity
		}
		s.lines = append(s.lines, one)
		s.subscriptions = append(s.subscriptions, guid.KeyIfGUID(line.SubscriptionID))
	}
	return s
}

// Log is a history. Its methods may be called at the same time.
type Log struct {
	began  time.Time
	prefix string // of the names of its orders

	mu    sync.Mutex // guards what follows
	calls []Call
	names int
}

// New returns an empty history.
func New() *Log { return &Log{began: time.Now(), prefix: Prefix + guid.New() + " "} }

// Name returns a name for an order to place.
func (l *Log) Name() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.names++
	return fmt.Sprintf("%s%d", l.prefix, l.names)
}

// Now returns how old the history is.
func (l *Log) Now() time.Duration { return time.Since(l.began) }

// Add records a call that was made. Its body is the history's then.
func (l *Log) Add(c Call) {
	c.Order = guid.KeyIfGUID(c.Order)
	if c.Outcome() == Acknowledged {
		c.garbled = c.decode()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls = append(l.calls, c)
}

// Doubt makes unknown what was acknowledged or refused after a moment, up to now: a disk
// that lost what was not yet written does not know it any more.
func (l *Log) Doubt(after time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range l.calls {
		if c := &l.calls[i]; c.Answered > after {
			c.Status, c.Body, c.orders, c.subscriptions, c.garbled = 0, nil, nil, nil, nil
		}
	}
}

// Count returns how many calls of a kind ended with an outcome.
func (l *Log) Count(kind Kind, outcome Outcome) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range l.calls {
		if l.calls[i].Kind == kind && l.calls[i].Outcome() == outcome {
			n++
		}
	}
	return n
}

// Answers returns how many calls have an answer, and how many have none.
func (l *Log) Answers() (answered, unanswered int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range l.calls {
		if l.calls[i].Status == 0 {
			unanswered++
		}
	}
	return len(l.calls) - unanswered, unanswered
}
