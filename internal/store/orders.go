package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/partnercenter-go/partnercenter"
)

// OrderQuery says which orders to list.
type OrderQuery struct {
	PartnerID  string
	CustomerID string
	// BillingCycle keeps the orders with this billing cycle, in any spelling.
	// Empty means all.
	BillingCycle partnercenter.BillingCycleType
	// IncludePrice answers the documents with their prices.
	IncludePrice bool
	// IncludeSystemPurchases answers system purchases and system billing too.
	IncludeSystemPurchases bool
	// IndirectReseller keeps the orders with a line that has this indirect
	// reseller on record: its tenant id or its MPN id. Empty means all.
	IndirectReseller string
}

// listOrdersSQL answers no row when the partner has no such customer, one of
// NULL when it has no such orders, else a document a row, in the order of their
// key backwards, so that nothing is sorted. A value that is no text is handed
// over without being copied once more; joining the documents in SQL would save
// rows, but SQLite would map and unmap memory for every list.
const listOrdersSQL = `
SELECT CAST(CASE WHEN $3 = 1 THEN coalesce(o.priced_doc, o.doc) ELSE o.doc END AS BLOB)
FROM customers c
LEFT JOIN orders o ON o.partner_id = c.partner_id AND o.customer_id = c.customer_id
  AND (o.system = 0 OR $4 = 1)
  AND ($5 = '' OR o.billing_cycle = $5)
  AND ($6 = '' OR instr(o.partners_on_record, ' ' || coalesce(
        (SELECT r.mpn_id FROM indirect_resellers r WHERE r.partner_id = $1 AND r.reseller_id = $6),
        $6) || ' ') > 0)
WHERE c.partner_id = $1 AND c.customer_id = $2 AND c.active = 1
ORDER BY o.created DESC, o.order_id DESC`

// ListOrders appends the documents of the customer's orders to dst, separated
// by commas, and returns it with their number: the newest creationDate first,
// and of several the largest id. It fails with [ErrNotYours].
func (s *Store) ListOrders(ctx context.Context, dst []byte, q OrderQuery) (items []byte, count int, err error) {
	if err := ctx.Err(); err != nil {
		return dst, 0, err
	}
	q.PartnerID, q.CustomerID = guidKey(q.PartnerID), guidKey(q.CustomerID)
	if s.lists.can(&q) {
		items, count, err = s.lists.list(ctx, dst, &q)
	} else {
		items, count, err = s.listRows(ctx, dst, &q)
	}
	if err != nil && !errors.Is(err, ErrNotYours) {
		err = fmt.Errorf("store: list orders: %w", err)
	}
	return items, count, err
}

// listRows answers every query, in SQL for every dialect.
func (s *Store) listRows(ctx context.Context, dst []byte, q *OrderQuery) (items []byte, count int, err error) {
	rows, err := s.listOrders.QueryContext(brief(ctx), q.PartnerID, q.CustomerID,
		bit(q.IncludePrice), bit(q.IncludeSystemPurchases), billingCycleKey(q.BillingCycle),
		fold(q.IndirectReseller))
	if err != nil {
		return dst, 0, err
	}
	defer rows.Close()
	found := false
	items = dst
	for rows.Next() {
		found = true
		var doc sql.RawBytes // good until the next row, and not copied before
		if err := rows.Scan(&doc); err != nil {
			return dst, 0, err
		}
		if doc == nil {
			break // the customer has no such orders
		}
		if count > 0 {
			items = append(items, ',')
		}
		items = append(items, doc...)
		count++
	}
	if err := rows.Err(); err != nil {
		return dst, 0, err
	}
	if !found {
		return dst, 0, ErrNotYours
	}
	return items, count, nil
}

// getOrderSQL answers no row when the partner has no such customer, and NULL
// when the customer has no such order.
const getOrderSQL = `
SELECT CASE WHEN $4 = 1 THEN coalesce(o.priced_doc, o.doc) ELSE o.doc END
FROM customers c
LEFT JOIN orders o ON o.partner_id = c.partner_id AND o.customer_id = c.customer_id AND o.order_id = $3
WHERE c.partner_id = $1 AND c.customer_id = $2 AND c.active = 1`

// GetOrder returns the document of an order. It fails with [ErrNotYours] or
// [ErrOrderNotFound].
func (s *Store) GetOrder(ctx context.Context, partnerID, customerID, orderID string, includePrice bool) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var doc sql.NullString
	err := s.getOrder.QueryRowContext(brief(ctx), guidKey(partnerID), guidKey(customerID),
		orderKey(orderID), bit(includePrice)).Scan(&doc)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, ErrNotYours
	case err != nil:
		return nil, fmt.Errorf("store: get order: %w", err)
	case !doc.Valid:
		return nil, ErrOrderNotFound
	}
	return []byte(doc.String), nil
}

const putOrderSQL = `
INSERT INTO orders (partner_id, customer_id, order_id, created, billing_cycle, system, partners_on_record, doc, priced_doc)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (partner_id, customer_id, order_id) DO UPDATE SET
    created = excluded.created, billing_cycle = excluded.billing_cycle, system = excluded.system,
    partners_on_record = excluded.partners_on_record, doc = excluded.doc, priced_doc = excluded.priced_doc
WHERE orders.doc <> excluded.doc OR orders.priced_doc IS DISTINCT FROM excluded.priced_doc`

// putOrder makes or replaces an order and reports whether that changed
// anything.
func (w *writer) putOrder(partnerID, customerID string, o *partnercenter.Order) (changed bool, err error) {
	doc, priced, err := encodeOrder(o)
	if err != nil {
		return false, err
	}
	return w.exec(putOrderSQL, guidKey(partnerID), guidKey(customerID), orderKey(o.ID),
		ticks(o.CreationDate), billingCycleKey(o.BillingCycle), bit(isSystemOrder(o)),
		partnersOnRecord(o), doc, priced)
}

// encodeOrder encodes an order without its prices and, when it has any, with
// them.
func encodeOrder(o *partnercenter.Order) (doc string, priced sql.NullString, err error) {
	plain := *o
	plain.TotalPrice = ""
	hasPrices := o.TotalPrice != ""
	plain.LineItems = make([]partnercenter.OrderLineItem, len(o.LineItems))
	for i, line := range o.LineItems {
		hasPrices = hasPrices || line.Pricing != nil
		line.Pricing = nil
		plain.LineItems[i] = line
	}
	if o.LineItems == nil {
		plain.LineItems = nil // absent, not empty
	}
	data, err := partnercenter.Marshal(&plain)
	if err != nil || !hasPrices {
		return string(data), sql.NullString{}, err
	}
	withPrices, err := partnercenter.Marshal(o)
	return string(data), sql.NullString{String: string(withPrices), Valid: true}, err
}

func isSystemOrder(o *partnercenter.Order) bool {
	switch o.TransactionType.Normalize() {
	case partnercenter.OrderTransactionSystemPurchase, partnercenter.OrderTransactionSystemBilling:
		return true
	}
	return false
}

// partnersOnRecord lists the MPN ids of the order's lines, each between blanks
// so that none is found within another.
func partnersOnRecord(o *partnercenter.Order) string {
	var ids strings.Builder
	for _, line := range o.LineItems {
		if id := strings.TrimSpace(line.PartnerIDOnRecord); id != "" {
			ids.WriteString(" " + fold(id) + " ")
		}
	}
	return ids.String()
}

func billingCycleKey(b partnercenter.BillingCycleType) string { return fold(string(b.Normalize())) }

// ticks counts 100 ns since year 1, which is as fine as the service's dates
// are and reaches its "no end" in year 9999. No date gives 0.
func ticks(t partnercenter.Time) int64 {
	at := t.Time()
	if at.IsZero() {
		return 0
	}
	const secondsTo1970 = 62135596800
	return (at.Unix()+secondsTo1970)*1e7 + int64(at.Nanosecond()/100)
}

// micros is how instants of our own are stored; the zero time is 0.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// bit is how booleans are stored and passed.
func bit(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// brief is the context for reading one customer, which takes microseconds:
// watching for cancellation would cost up to a quarter more, in goroutines
// that start and stop. Callers look at ctx once before.
func brief(ctx context.Context) context.Context { return context.WithoutCancel(ctx) }
