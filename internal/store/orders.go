package store

import (
	"context"
	"database/sql"
	"errors"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/rawjson"
)

// OrderQuery says which orders to list.
type OrderQuery struct {
	PartnerID  string
	CustomerID string
	// BillingCycle selects the orders with this billing cycle, in any spelling. Empty
	// means all.
	BillingCycle partnercenter.BillingCycleType
	// IncludePrice includes prices.
	IncludePrice bool
	// IncludeSystemPurchases includes system purchases and system billing.
	IncludeSystemPurchases bool
	// IndirectReseller selects the orders with a line that has this indirect reseller
	// on record, by tenant id or MPN id. Empty means all.
	IndirectReseller string
	// Derived are orders that are not stored and belong into the list: latest first,
	// largest id first among equals. DerivedUntil is when there may be others; zero
	// means never.
	Derived      []DerivedOrder
	DerivedUntil time.Time
	// Now excludes the orders that are not visible yet.
	Now time.Time
	// Unsettled appends to dst the document of an order with changes in progress, as it
	// looks now.
	Unsettled func(dst, doc, facts []byte) ([]byte, error)
}

// DerivedOrder is an order that follows from others, as a list shows it.
type DerivedOrder struct {
	Created time.Time
	ID      string
	JSON    []byte
}

// isPlain reports whether the query is for all orders of a customer, the most frequent
// one.
func (q *OrderQuery) isPlain() bool {
	return q.BillingCycle == "" && q.IndirectReseller == "" && !q.IncludeSystemPurchases
}

// orderListing builds a list row by row.
type orderListing struct {
	OrderQuery       // by value: a pointer to it would cost an allocation
	now        int64 // ticks
	items      []byte
	start      int    // of the list in items
	stored     []span // the documents in items that are as stored
	count      int
	until      int64 // ticks: when the list expires
}

func newOrderListing(q *OrderQuery, dst []byte) orderListing {
	l := orderListing{OrderQuery: *q, now: ticksOf(q.Now), items: dst, start: len(dst), until: math.MaxInt64}
	if !q.DerivedUntil.IsZero() {
		l.until = ticksOf(q.DerivedUntil)
	}
	return l
}

// addDerived appends the derived orders that come before a stored one.
func (l *orderListing) addDerived(created int64, orderID string) {
	for len(l.Derived) > 0 {
		d := &l.Derived[0]
		if at := ticksOf(d.Created); at < created || at == created && orderKey(d.ID) < orderID {
			return
		}
		l.next()
		l.items = append(l.items, d.JSON...)
		l.Derived = l.Derived[1:]
	}
}

// next begins another order.
func (l *orderListing) next() {
	if l.count > 0 {
		l.items = append(l.items, ',')
	}
	l.count++
}

// isVisible reports whether an order is visible, and notes when it will be.
func (l *orderListing) isVisible(visible, settled int64) bool {
	if visible > l.now {
		l.until = min(l.until, visible)
		return false
	}
	if settled > l.now {
		l.until = min(l.until, settled)
	}
	l.next()
	return true
}

// span is a part of a slice.
type span struct{ from, to int }

// add appends an order that is visible, as it looks now.
func (l *orderListing) add(doc, facts []byte, settled int64) (err error) {
	if settled > l.now {
		if !isDocument(doc) {
			return ErrDamaged
		}
		l.items, err = l.Unsettled(l.items, doc, facts)
		return err
	}
	from := len(l.items)
	l.items = append(l.items, doc...)
	l.stored = append(l.stored, span{from, len(l.items)})
	return nil
}

// OrderList is the result of [Store.ListOrders].
type OrderList struct {
	Items []byte // documents separated by commas, after the original content
	Count int
	// Until is when the list changes by time alone; zero if it never does.
	Until time.Time
}

func (l *orderListing) result() OrderList {
	list := OrderList{Items: l.items, Count: l.count}
	if l.until != math.MaxInt64 {
		list.Until = timeOf(l.until)
	}
	return list
}

// listOrdersSQL returns no row if the partner has no such customer, one NULL row if the
// customer has no such orders, and otherwise one row per document, in descending order
// of the key, so that nothing is sorted. A value that is not text is passed on without
// another copy; joining the documents in SQL would save rows, but SQLite would map and
// unmap memory for every list.
const listOrdersSQL = `
SELECT CASE WHEN $3 = 1 THEN coalesce(o.priced_doc, o.doc) ELSE o.doc END,
    coalesce(o.visible, -1), coalesce(o.settled, 0), o.facts, coalesce(o.created, 0), coalesce(o.order_id, '')
FROM customers c
LEFT JOIN orders o ON o.partner_id = c.partner_id AND o.customer_id = c.customer_id
  AND (o.system = 0 OR $4 = 1)
  AND ($5 = '' OR o.billing_cycle = $5)
  AND ($6 = '' OR replace(o.partners_on_record, ' ' || coalesce(
        (SELECT r.mpn_id FROM indirect_resellers r WHERE r.partner_id = $1 AND r.reseller_id = $6),
        $6) || ' ', '') <> o.partners_on_record)
WHERE c.partner_id = $1 AND c.customer_id = $2 AND c.active = 1
ORDER BY o.created DESC, o.order_id DESC`

// ListOrders appends the documents of the customer's orders to dst, separated by
// commas: latest creationDate first, largest id first among equals. It fails with
// [ErrNotYours] or [ErrDamaged].
func (s *Store) ListOrders(ctx context.Context, dst []byte, q OrderQuery) (OrderList, error) {
	if err := ctx.Err(); err != nil {
		return OrderList{Items: dst}, err
	}
	q.PartnerID, q.CustomerID = idKey(q.PartnerID), idKey(q.CustomerID)
	l := newOrderListing(&q, dst)
	var err error
	switch {
	case s.lists.supports(&q):
		err = s.lists.list(ctx, &l)
	case s.pg != nil:
		begin := l
		err = s.readList(func(r *replica) bool { return r.has(q.PartnerID, q.CustomerID) }, func(from source) error {
			to := new(begin) // l would be on the heap with SQLite, too
			defer func() { l = *to }()
			if q.isPlain() {
				return from.list(ctx, to)
			}
			return s.listRows(ctx, statement{db: from.db, query: listOrdersSQL}, to)
		})
	default:
		err = s.listRows(ctx, s.listOrders, &l)
	}
	if errors.Is(err, ErrNotYours) {
		return OrderList{Items: dst}, err
	}
	if errors.Is(err, ErrDamaged) {
		err = s.nameDamaged(ctx, &q)
	}
	if err != nil {
		return OrderList{Items: dst}, s.wrapError("list orders", err)
	}
	return l.result(), nil
}

// listRows runs every query, in SQL for every dialect.
func (s *Store) listRows(ctx context.Context, query statement, l *orderListing) error {
	ctx, cancel := s.briefly(ctx)
	defer cancel()
	rows, err := query.QueryContext(ctx, l.PartnerID, l.CustomerID,
		boolToInt(l.IncludePrice), boolToInt(l.IncludeSystemPurchases), billingCycleKey(l.BillingCycle),
		fold(l.IndirectReseller))
	if err != nil {
		return err
	}
	defer rows.Close()
	found := false
	for rows.Next() {
		found = true
		var doc, facts sql.RawBytes // valid until the next row, and not copied before
		var visible, settled, created int64
		var orderID string
		if err := rows.Scan(&doc, &visible, &settled, &facts, &created, &orderID); err != nil {
			return err
		}
		if visible < 0 {
			break // the customer has no such orders
		}
		l.addDerived(created, orderID)
		if l.isVisible(visible, settled) {
			if err := l.add(doc, facts, settled); err != nil {
				return err
			}
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	if !found {
		return ErrNotYours
	}
	l.addDerived(math.MinInt64, "")
	return l.checkItems()
}

// getOrderSQL returns no row if the partner has no such customer, and NULL if the
// customer has no such order.
const getOrderSQL = `
SELECT CASE WHEN $4 = 1 THEN coalesce(o.priced_doc, o.doc) ELSE o.doc END,
    coalesce(o.settled, 0), coalesce(o.facts, '')
FROM customers c
LEFT JOIN orders o ON o.partner_id = c.partner_id AND o.customer_id = c.customer_id AND o.order_id = $3
WHERE c.partner_id = $1 AND c.customer_id = $2 AND c.active = 1`

// OrderDocument is a stored order. Until Settled, the changes in progress must be taken
// out of the document.
type OrderDocument struct {
	JSON    []byte
	Facts   []byte // nil for orders that were loaded
	Settled time.Time
}

// GetOrder returns the document of an order, visible in lists or not. It fails with
// [ErrNotYours], [ErrOrderNotFound] or [ErrDamaged].
func (s *Store) GetOrder(ctx context.Context, partnerID, customerID, orderID string, includePrice bool) (OrderDocument, error) {
	if err := ctx.Err(); err != nil {
		return OrderDocument{}, err
	}
	var doc sql.NullString
	var facts string
	var settled int64
	ctx, cancel := s.briefly(ctx)
	defer cancel()
	err := s.getOrder.QueryRowContext(ctx, idKey(partnerID), idKey(customerID),
		orderKey(orderID), boolToInt(includePrice)).Scan(&doc, &settled, &facts)
	switch {
	case err != nil:
		return OrderDocument{}, s.customerError("get order", err)
	case !doc.Valid:
		return OrderDocument{}, ErrOrderNotFound
	}
	d := OrderDocument{JSON: []byte(doc.String), Settled: timeOf(settled)}
	if !isDocument(d.JSON) {
		return OrderDocument{}, s.wrapError("get order", damagedOrder(orderID, partnerID, customerID))
	}
	if facts != "" {
		d.Facts = []byte(facts)
	}
	return d, nil
}

// insertOrder and replaceOrderSQL have the same parameters. Most loaded orders are new.
var insertOrder = newInsertion("orders", 3, "partner_id", "customer_id", "order_id", "created", "billing_cycle", "system", "partners_on_record", "doc", "priced_doc")

const replaceOrderSQL = `
UPDATE orders SET created = $4, billing_cycle = $5, system = $6, partners_on_record = $7, doc = $8, priced_doc = $9,
    revision = revision + 1, visible = 0, settled = 0, facts = NULL
WHERE partner_id = $1 AND customer_id = $2 AND order_id = $3
  AND (doc <> $8 OR priced_doc IS DISTINCT FROM $9)`

// putOrder creates or replaces an order with its subscriptions.
func (bulk *bulkTx) putOrder(partnerID, customerID string, o *partnercenter.Order) error {
	args, err := orderArgs(idKey(partnerID), idKey(customerID), o)
	if err != nil {
		return err
	}
	stored := func(changed, replaced bool) error {
		if !changed {
			return nil
		}
		bulk.note(partnerID, customerID)
		if replaced {
			if err := bulk.later(nil, `DELETE FROM subscriptions WHERE partner_id = $1 AND customer_id = $2 AND order_id = $3`, args[:3]...); err != nil {
				return err
			}
		}
		return bulk.deriveSubscriptions(partnerID, customerID, o)
	}
	if bulk.postgres != nil {
		return bulk.putOrderPostgres(validArgs(args), stored)
	}
	changed, err := bulk.execUncounted(insertOrder.query, args...)
	switch {
	case err != nil:
		return err
	case changed:
		return stored(true, false)
	}
	if changed, err = bulk.execUncounted(replaceOrderSQL, args...); err != nil {
		return err
	}
	return stored(changed, true)
}

// orderColumns are the columns that follow from an order's document, in the order in which
// [orderArgs] returns them after the key.
var orderColumns = []string{"created", "billing_cycle", "system", "partners_on_record", "doc", "priced_doc"}

// orderArgs returns the first parameters of every statement that writes an order: its
// keys, its columns, the document without prices and, if there are any, the one with
// prices.
func orderArgs(partner, customer string, o *partnercenter.Order) ([]any, error) {
	plain, hadPrices := WithoutPrices(o)
	doc, err := document(plain)
	if err != nil {
		return nil, err
	}
	priced := sql.NullString{Valid: hadPrices}
	if hadPrices {
		if priced.String, err = document(o); err != nil {
			return nil, err
		}
	}
	return []any{
		partner, customer, orderKey(o.ID), ticks(o.CreationDate), billingCycleKey(o.BillingCycle),
		boolToInt(isSystemOrder(o)), partnersOnRecord(o), doc, priced,
	}, nil
}

// document returns a resource as it is stored: without members that are null, which the
// API never answers.
func document(resource any) (string, error) {
	data, err := partnercenter.Marshal(resource)
	if err != nil {
		return "", err
	}
	data, err = rawjson.WithoutNulls(data)
	return string(data), err
}

// WithoutPrices returns the order without prices, and whether it had any.
func WithoutPrices(o *partnercenter.Order) (plain *partnercenter.Order, had bool) {
	had = o.TotalPrice != "" || slices.ContainsFunc(o.LineItems, func(l partnercenter.OrderLineItem) bool { return l.Pricing != nil })
	if !had {
		return o, false
	}
	c := *o
	c.TotalPrice, c.LineItems = "", slices.Clone(o.LineItems)
	for i := range c.LineItems {
		c.LineItems[i].Pricing = nil
	}
	return &c, true
}

func isSystemOrder(o *partnercenter.Order) bool {
	switch o.TransactionType.Normalize() {
	case partnercenter.OrderTransactionTypeSystemPurchase, partnercenter.OrderTransactionTypeSystemBilling:
		return true
	}
	return false
}

// partnersOnRecord lists the MPN ids of the order's lines, each surrounded by spaces so
// that none is found within another.
func partnersOnRecord(o *partnercenter.Order) string {
	var ids strings.Builder
	for _, line := range o.LineItems {
		if id := ascii.TrimSpace(line.PartnerIDOnRecord); id != "" {
			ids.WriteString(" " + fold(id) + " ")
		}
	}
	return ids.String()
}

func billingCycleKey(b partnercenter.BillingCycleType) string { return fold(string(b.Normalize())) }

// secondsTo1970 counts from year 1, where ticks begin.
const secondsTo1970 = 62135596800

// ticks counts units of 100 ns since year 1, the resolution of the service's dates,
// which reach "no end" in year 9999. No date is 0.
func ticks(t partnercenter.Time) int64 { return ticksOf(t.Time()) }

func ticksOf(at time.Time) int64 {
	if at.IsZero() {
		return 0
	}
	return (at.Unix()+secondsTo1970)*1e7 + int64(at.Nanosecond()/100)
}

// timeOf returns the instant of ticks.
func timeOf(ticks int64) time.Time {
	if ticks == 0 {
		return time.Time{}
	}
	return time.Unix(ticks/1e7-secondsTo1970, ticks%1e7*100).UTC()
}

// toMicros is the stored form of other instants; the zero time is 0.
func toMicros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// boolToInt is the stored form of booleans.
func boolToInt(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// briefly returns the context for reading one customer. That takes microseconds from a
// file: watching for cancellation would cost up to a quarter more, in goroutines that
// start and stop. A server may not answer at all. Callers check ctx once before.
func (s *Store) briefly(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx = context.WithoutCancel(ctx)
	if s.pg == nil {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, callTimeout)
}
