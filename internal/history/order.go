package history

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/partnercenter-go/partnercenter"
)

// patience is how long it may take to find an order of the calls of one order. What takes
// longer has too many at once.
const patience = 30 * time.Second

// order is the state of an order: its billing cycle, and its etag once it is known after a
// change. It is not the etag from before that change then.
type order struct {
	cycle, etag, not string
}

// has reports whether an etag can be the order's.
func (o order) has(etag string) bool { return o.etag == etag || o.etag == "" && o.not != etag }

// told is what a client was told of a read or a change.
type told struct {
	outcome     Outcome
	cycle, etag string
}

// step returns the state after a call, and whether the call can have been told that.
func step(before order, call *Call, was told) (bool, order) {
	if call.Kind != Change {
		return before.cycle == was.cycle && before.has(was.etag), order{cycle: was.cycle, etag: was.etag}
	}
	matches := call.IfMatch == "" || before.has(call.IfMatch)
	after := before
	if call.IfMatch != "" && matches {
		after = order{cycle: before.cycle, etag: call.IfMatch}
	}
	switch was.outcome {
	case Refused: // for its etag
		return call.IfMatch != "" && before.etag != call.IfMatch, before
	case Acknowledged:
		if call.Cycle == before.cycle { // there is nothing to change
			return matches && was.cycle == call.Cycle && after.has(was.etag), order{cycle: was.cycle, etag: was.etag}
		}
		return matches && was.cycle == call.Cycle && after.etag != was.etag && after.not != was.etag, order{cycle: was.cycle, etag: was.etag}
	default:
		// It has its effect here. As it may be at any time to come, it is also checked to
		// have none that anybody sees.
		if matches && call.Cycle != before.cycle {
			after = order{cycle: call.Cycle, not: after.etag}
		}
		return true, after
	}
}

// checkOrder checks that the reads and changes of each order are linearizable. The first
// state is that of the purchase, or of the first read.
func (c *checker) checkOrder() {
	first := map[string]order{}
	operations := map[string][]porcupine.Operation{}
	changed := map[string]bool{}
	for i := range c.calls {
		call := &c.calls[i]
		if len(call.orders) == 1 && call.Kind != List {
			o := &call.orders[0]
			if _, is := first[o.id]; !is && call.Kind != Change {
				first[o.id] = order{cycle: o.cycle, etag: o.etag}
			}
		}
		if call.Kind == Read && len(call.orders) == 1 {
			operations[call.Order] = append(operations[call.Order], operation(call, call.Sent, call.Answered, told{Acknowledged, call.orders[0].cycle, call.orders[0].etag}))
		}
	}
	for _, w := range c.writes {
		call := w.calls[0]
		if call.Kind != Change {
			continue
		}
		changed[call.Order] = true
		was, over := told{outcome: w.outcome}, time.Duration(math.MaxInt64)
		for _, try := range w.calls {
			if try.Outcome() == Acknowledged && len(try.orders) == 1 && try.Answered < over {
				was.cycle, was.etag, over = try.orders[0].cycle, try.orders[0].etag, try.Answered
			}
		}
		if w.outcome == Refused {
			last := w.calls[len(w.calls)-1]
			if code, _ := last.refusal(); code != partnercenter.ErrorCodeEtagStale {
				continue // it says nothing of the order
			}
			call, over = last, last.Answered
		}
		operations[call.Order] = append(operations[call.Order], operation(call, call.Sent, over, was))
	}
	for _, id := range slices.Sorted(maps.Keys(changed)) {
		init, is := first[id]
		if !is {
			c.report(Unseen, "order %s was changed, and never read", id)
			continue
		}
		model := porcupine.Model{
			Init: func() any { return init },
			Step: func(state, input, output any) (bool, any) {
				return step(state.(order), input.(*Call), output.(told))
			},
		}
		switch porcupine.CheckOperationsTimeout(model, operations[id], patience) {
		case porcupine.Illegal:
			c.report(Unordered, "%d reads and changes of order %s%s", len(operations[id]), id, listed(operations[id]))
		case porcupine.Unknown:
			c.report(Unordered, "%d reads and changes of order %s are too many at once to be checked", len(operations[id]), id)
		}
	}
}

func operation(call *Call, sent, answered time.Duration, was told) porcupine.Operation {
	return porcupine.Operation{Input: call, Call: int64(sent), Output: was, Return: int64(answered)}
}

// listed lists calls as they were sent.
func listed(operations []porcupine.Operation) (text string) {
	slices.SortFunc(operations, func(a, b porcupine.Operation) int { return int(a.Call - b.Call) })
	for _, o := range operations {
		text += fmt.Sprintf("\n\t%s, with etag %s: %+v", o.Input.(*Call), o.Input.(*Call).IfMatch, o.Output)
	}
	return text
}
