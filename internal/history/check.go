package history

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/partnercenter-go/partnercenter/internal/guid"
)

// Rule is what a violation is of. The package's comment has them.
type Rule string

// The rules.
const (
	Lost      Rule = "lost"
	Doubled   Rule = "doubled"
	MadeUp    Rule = "made up"
	Partial   Rule = "partial"
	Stale     Rule = "stale"
	Changed   Rule = "changed"
	Unordered Rule = "unordered"
	Garbled   Rule = "garbled"
	Unseen    Rule = "unseen"
)

// Violation is something that cannot be true.
type Violation struct {
	Rule Rule
	Text string
}

func (v Violation) Error() string { return string(v.Rule) + ": " + v.Text }

// checker checks a history.
type checker struct {
	prefix    string
	calls     []Call // as they were sent
	purchases map[string]*write
	writes    map[string]*write // by request id, or one a call
	found     []Violation
}

// write is all calls with one request id.
type write struct {
	calls   []*Call
	outcome Outcome
	order   string // the acknowledged one
}

// Check returns what cannot be true, in no certain order.
func (l *Log) Check() []Violation {
	l.mu.Lock()
	c := &checker{prefix: l.prefix, calls: slices.Clone(l.calls), purchases: map[string]*write{}, writes: map[string]*write{}}
	l.mu.Unlock()
	slices.SortStableFunc(c.calls, func(a, b Call) int { return cmp.Compare(a.Sent, b.Sent) })
	c.gather()
	byCustomer := map[string][]*Call{}
	for i := range c.calls {
		call := &c.calls[i]
		if call.garbled != nil {
			c.report(Garbled, "%s: %v", call, call.garbled)
		}
		key := guid.Key(call.Customer)
		byCustomer[key] = append(byCustomer[key], call)
	}
	for _, customer := range slices.Sorted(maps.Keys(byCustomer)) {
		calls := byCustomer[customer]
		c.checkSightings(calls)
		c.checkLists(calls)
		c.checkEnd(customer, calls)
	}
	c.checkOrder()
	return c.found
}

func (c *checker) report(rule Rule, format string, args ...any) {
	c.found = append(c.found, Violation{rule, fmt.Sprintf(format, args...)})
}

// String says what a call was and when, for violations.
func (c *Call) String() string {
	what := [...]string{Place: "place", Change: "change", Read: "read", List: "list", Subscriptions: "subscriptions"}[c.Kind]
	return strings.Join(strings.Fields(fmt.Sprintf("%s %s %s %s at %s, %v to %v, %d", what, cmp.Or(c.Name, c.Order, c.Customer), c.Cycle, c.RequestID,
		strings.TrimPrefix(c.Server, "http://"), c.Sent.Round(time.Microsecond), c.Answered.Round(time.Microsecond), c.Status)), " ")
}

// gather puts the calls of each write together.
func (c *checker) gather() {
	for i := range c.calls {
		call := &c.calls[i]
		if call.Kind != Place && call.Kind != Change {
			continue
		}
		key := call.RequestID
		if key == "" {
			key = fmt.Sprint(i) // it is one by itself
		}
		key = strings.Join([]string{key, call.Customer, call.Order, fmt.Sprint(call.Kind)}, " ")
		w := c.writes[key]
		if w == nil {
			w = &write{outcome: Refused}
			c.writes[key] = w
		}
		w.add(call)
		if call.Kind == Place {
			c.purchases[call.Name] = w
		}
	}
	for _, w := range c.writes {
		var first *Call
		for _, call := range w.calls {
			if call.Outcome() != Acknowledged {
				continue
			}
			if first == nil {
				first = call
			}
			if first.Status != call.Status || !bytes.Equal(first.Body, call.Body) {
				c.report(Changed, "%s has %s, and then %s has %s", first, first.Body, call, call.Body)
			}
		}
	}
}

func (w *write) add(call *Call) {
	w.calls = append(w.calls, call)
	switch outcome := call.Outcome(); {
	case outcome == Acknowledged:
		w.outcome = Acknowledged
		if len(call.orders) > 0 {
			w.order = call.orders[0].id
		}
	case outcome == Unknown && w.outcome == Refused:
		w.outcome = Unknown
	}
}

// checkSightings checks orders wherever they are seen, each alone.
func (c *checker) checkSightings(calls []*Call) {
	for _, call := range calls {
		ids, names := map[string]bool{}, map[string]bool{}
		for i := range call.orders {
			o := &call.orders[i]
			if ids[o.id] {
				c.report(Doubled, "order %s twice: %s", o.id, call)
			}
			ids[o.id] = true
			if !strings.HasPrefix(o.name, c.prefix) {
				continue // it was there before
			}
			if names[o.name] {
				c.report(Doubled, "two orders of %s: %s", o.name, call)
			}
			names[o.name] = true
			w := c.purchases[o.name]
			switch {
			case w == nil:
				c.report(MadeUp, "order %s of %s, which nobody sent: %s", o.id, o.name, call)
				continue
			case w.outcome == Refused:
				c.report(MadeUp, "order %s of %s, which was refused: %s", o.id, o.name, call)
			case w.outcome == Acknowledged && w.order != "" && w.order != o.id:
				c.report(MadeUp, "order %s of %s, which was acknowledged as %s: %s", o.id, o.name, w.order, call)
			}
			if !slices.EqualFunc(o.lines, w.calls[0].Lines, sameLine) {
				c.report(Partial, "order %s has the lines %v, of %v: %s", o.id, o.lines, w.calls[0].Lines, call)
			}
			if slices.Contains(o.subscriptions, "") {
				c.report(Partial, "order %s has the subscriptions %q: %s", o.id, o.subscriptions, call)
			}
		}
	}
}

func sameLine(a, b Line) bool {
	return guid.KeyIfGUID(a.Offer) == guid.KeyIfGUID(b.Offer) && a.Quantity == b.Quantity
}

// knowledge is which answers first had an order: any at all, and acknowledgements of each
// server.
type knowledge struct {
	first *Call
	at    map[string]*Call
}

// checkLists checks that lists and reads have what was known before.
func (c *checker) checkLists(calls []*Call) {
	known := map[string]*knowledge{}
	for _, call := range calls {
		for i := range call.orders {
			k := known[call.orders[i].id]
			if k == nil {
				k = &knowledge{first: call, at: map[string]*Call{}}
				known[call.orders[i].id] = k
			}
			if call.Answered < k.first.Answered {
				k.first = call
			}
			if here := k.at[call.Server]; (call.Kind == Place || call.Kind == Change) && (here == nil || call.Answered < here.Answered) {
				k.at[call.Server] = call
			}
		}
	}
	for _, call := range calls {
		switch {
		case call.Kind == Read && call.Status == http.StatusNotFound:
			if k := known[call.Order]; k != nil && k.first.Answered < call.Sent {
				c.report(Lost, "%s, after %s", call, k.first)
			}
		case call.Kind == List && call.Outcome() == Acknowledged:
			has := map[string]bool{}
			for i := range call.orders {
				has[call.orders[i].id] = true
			}
			for id, k := range known {
				here := k.at[call.Server]
				switch {
				case has[id]:
				case call.Server != "" && here != nil && here.Answered < call.Sent:
					c.report(Stale, "order %s is not there: %s, after %s", id, call, here)
				case k.first.Answered+Lag < call.Sent:
					c.report(Stale, "order %s is not there: %s, after %s", id, call, k.first)
				}
			}
		}
	}
}

// checkEnd checks what a customer has in the end.
func (c *checker) checkEnd(customer string, calls []*Call) {
	var over time.Duration
	written := false
	known := map[string]bool{}
	for _, call := range calls {
		if call.Kind == Place || call.Kind == Change {
			written = true
			over = max(over, call.Answered)
		}
		for i := range call.orders {
			known[call.orders[i].id] = true
		}
	}
	if !written {
		return
	}
	var list, subscriptions *Call
	for _, call := range calls {
		if call.Outcome() != Acknowledged || call.Sent <= over+Lag {
			continue
		}
		switch call.Kind {
		case List:
			list = call
		case Subscriptions:
			subscriptions = call
		}
	}
	if list == nil || subscriptions == nil {
		c.report(Unseen, "nobody looked at customer %s after %v", customer, over+Lag)
		return
	}
	for i := range list.orders {
		delete(known, list.orders[i].id)
	}
	for id := range known {
		c.report(Lost, "order %s is not there in the end: %s", id, list)
	}
	c.checkSubscriptions(list, subscriptions)
}

// checkSubscriptions compares the lines of orders with subscriptions.
func (c *checker) checkSubscriptions(list, subscriptions *Call) {
	left := map[string]subscribed{}
	for _, s := range subscriptions.subscriptions {
		if _, is := left[s.id]; is {
			c.report(Doubled, "subscription %s twice: %s", s.id, subscriptions)
		}
		left[s.id] = s
	}
	for i := range list.orders {
		o := &list.orders[i]
		for line, id := range o.subscriptions {
			s, is := left[id]
			delete(left, id)
			switch {
			case !strings.HasPrefix(o.name, c.prefix):
			case !is:
				c.report(Partial, "line %d of order %s has no subscription %s: %s", line, o.id, id, subscriptions)
			case s.order != o.id || s.quantity != o.lines[line].Quantity:
				c.report(Partial, "line %d of order %s has subscription %+v: %s", line, o.id, s, subscriptions)
			}
		}
	}
	for _, s := range left {
		if strings.HasPrefix(s.name, c.prefix) {
			c.report(Partial, "subscription %s of %s is of no line: %s", s.id, s.name, subscriptions)
		}
	}
}
