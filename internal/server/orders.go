package server

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/guid"
	"github.com/partnercenter-go/partnercenter/internal/lifecycle"
	"github.com/partnercenter-go/partnercenter/internal/quote"
	"github.com/partnercenter-go/partnercenter/internal/store"
)

// envelopeRoom is reserved before a list's items for the start of the answer, which
// contains their number and so is written last.
const envelopeRoom = 48

// listBuffers are reused: a list's size is not known before it is read, and growing a
// buffer costs more than reading.
var listBuffers = sync.Pool{New: func() any { return new([]byte) }}

// Buffers of up to smallBuffer are always used again; larger ones, up to maxPooledBuffer,
// only while answers need them, as small answers would keep them in memory.
const (
	smallBuffer     = 1 << 20
	maxPooledBuffer = 8 << 20
)

// listOrders answers with all orders of a customer, or those of one billing cycle.
// Stored documents are copied into the answer unchanged.
func (s *Server) listOrders(c *call) error {
	q, err := c.orderQuery()
	if err != nil {
		return err
	}
	if q.IncludePrice {
		if err := s.checkPriceAccess(c); err != nil {
			return err
		}
	}
	key := listKey{partner: q.PartnerID, customer: q.CustomerID, cycle: string(q.BillingCycle), price: q.IncludePrice, system: q.IncludeSystemPurchases, reseller: q.IndirectReseller}
	// The version is read first: a change in between then makes the answer stale, never
	// the reverse.
	version := s.config.Store.OrdersVersion(q.PartnerID, q.CustomerID)
	if body, ok := s.lists.get(key, version, s.now); ok {
		c.write(http.StatusOK, body)
		return nil
	}
	if err := c.enter(s.work.reads); err != nil {
		return err
	}
	buffer := listBuffers.Get().(*[]byte)
	defer func() {
		if size := cap(*buffer); size <= smallBuffer || size <= maxPooledBuffer && len(*buffer) >= size/4 {
			listBuffers.Put(buffer)
		}
	}()
	*buffer = append((*buffer)[:0], make([]byte, envelopeRoom)...)
	q.Now = s.now()
	if q.IncludeSystemPurchases {
		if err := s.addRenewals(c, &q); err != nil {
			return err
		}
	}
	q.Unsettled = func(dst, doc, facts []byte) ([]byte, error) { return s.appendUnsettled(dst, doc, facts, q.Now) }
	list, err := s.config.Store.ListOrders(c.r.Context(), *buffer, q)
	if err != nil {
		return err
	}
	items := append(list.Items, `],"links":{"self":{"uri":"/customers/`...)
	items = append(items, q.CustomerID...)
	items = append(items, `/orders","method":"GET","headers":[]}},"attributes":{"objectType":"Collection"}}`...)
	*buffer = items
	body := withEnvelope(items, list.Count)
	s.lists.put(key, version, list.Until, body)
	c.write(http.StatusOK, body)
	return nil
}

// withEnvelope writes the start of a collection into the room before its items.
func withEnvelope(items []byte, count int) []byte {
	var prefix [envelopeRoom]byte
	p := append(prefix[:0], `{"totalCount":`...)
	p = strconv.AppendInt(p, int64(count), 10)
	p = append(p, `,"items":[`...)
	start := envelopeRoom - len(p)
	copy(items[start:], p)
	return items[start:]
}

// orderQuery reads the path and query of a list.
func (c *call) orderQuery() (store.OrderQuery, error) {
	q := store.OrderQuery{PartnerID: c.claims.TenantID, CustomerID: c.customer}
	if c.query == nil {
		return q, nil
	}
	var err error
	if q.BillingCycle, err = c.query.billingType(); err != nil {
		return q, err
	}
	if q.IncludePrice, err = c.query.bool("include_price"); err != nil {
		return q, err
	}
	if q.IncludeSystemPurchases, err = c.query.bool("include_system_purchases"); err != nil {
		return q, err
	}
	q.IndirectReseller = c.query["indirect_reseller_id"]
	if id := q.IndirectReseller; id != "" && !guid.Is(id) && !isMPNID(id) {
		return q, errBadQuery("indirect_reseller_id="+quote.Text(id)+" is neither a tenant id nor an MPN id", "send the reseller's tenant id")
	}
	return q, nil
}

// getOrder answers with one order.
func (s *Server) getOrder(c *call) error {
	includePrice, err := c.query.bool("include_price")
	if err != nil {
		return err
	}
	if includePrice {
		if err := s.checkPriceAccess(c); err != nil {
			return err
		}
	}
	orderID := c.param("order-id")
	doc, err := s.config.Store.GetOrder(c.r.Context(), c.claims.TenantID, c.customer, orderID, includePrice)
	if errors.Is(err, store.ErrOrderNotFound) {
		return s.getRenewal(c, orderID, includePrice)
	}
	if err != nil {
		return err
	}
	if now := s.now(); doc.Settled.After(now) {
		if doc.JSON, err = s.appendUnsettled(nil, doc.JSON, doc.Facts, now); err != nil {
			return err
		}
	}
	c.write(http.StatusOK, doc.JSON)
	return nil
}

// appendUnsettled appends an order with changes in progress as it looks now; the stored
// document is its final state.
func (s *Server) appendUnsettled(dst, doc, facts []byte, now time.Time) ([]byte, error) {
	var o lifecycle.Order
	if err := partnercenter.Unmarshal(doc, &o.Document); err != nil {
		return dst, err
	}
	if err := json.Unmarshal(facts, &o.Facts); err != nil {
		return dst, err
	}
	body, err := partnercenter.Marshal(o.At(now))
	return append(dst, body...), err
}

// isMPNID reports whether text is a Microsoft Partner Network id: digits.
func isMPNID(text string) bool {
	return text != "" && len(text) <= 10 && strings.Trim(text, "0123456789") == ""
}
