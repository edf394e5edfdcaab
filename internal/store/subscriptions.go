package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/guid"
	"github.com/partnercenter-go/partnercenter/internal/seed"
)

// ErrSubscriptionNotFound says that the customer has no such subscription.
var ErrSubscriptionNotFound = errors.New("the customer has no such subscription; check the subscription id")

// SubscriptionQuery selects subscriptions of a customer. Empty fields are ignored.
type SubscriptionQuery struct {
	PartnerID  string
	CustomerID string
	// ID is the id of the subscription or of its entitlement.
	ID      string
	OrderID string
	// MPNID is the indirect reseller's.
	MPNID string
}

// subscriptionsSQL returns no row if the partner has no such customer, and one row of
// NULLs if the customer has no such subscriptions.
const subscriptionsSQL = `
SELECT s.subscription_id, s.order_id, s.kind, s.active, s.since, s.doc, coalesce(s.facts, '')
FROM customers c
LEFT JOIN subscriptions s ON s.partner_id = c.partner_id AND s.customer_id = c.customer_id
  AND ($3 = '' OR s.subscription_id = $3 OR s.entitlement_id = $3)
  AND ($4 = '' OR s.order_id = $4)
  AND ($5 = '' OR s.mpn_id = $5)
WHERE c.partner_id = $1 AND c.customer_id = $2 AND c.active = 1
ORDER BY s.since, s.subscription_id`

// Subscriptions returns the subscriptions that q selects. Those derived from lines of
// one order share its document. It fails with [ErrNotYours].
func (s *Store) Subscriptions(ctx context.Context, q SubscriptionQuery) ([]SubscriptionRecord, error) {
	rows, err := s.getSubscriptions.QueryContext(ctx, idKey(q.PartnerID), idKey(q.CustomerID), idKey(q.ID), orderKey(q.OrderID), fold(q.MPNID))
	if err != nil {
		return nil, s.wrapError("subscriptions", err)
	}
	list, err := scanAll(rows, scanSubscription)
	switch {
	case err != nil:
		return nil, s.wrapError("subscriptions", err)
	case len(list) == 0:
		return nil, ErrNotYours
	case list[0].ID == "":
		return nil, nil // the customer has no such subscriptions
	}
	orders := map[string]*SubscriptionRecord{}
	for i := range list {
		r := &list[i]
		if r.Subscription != nil && len(r.Facts) > 0 {
			continue
		}
		if known := orders[r.OrderID]; known != nil {
			r.Order, r.OrderFacts = known.Order, known.OrderFacts
			continue
		}
		orders[r.OrderID] = r
		if err := s.readOrderOf(ctx, r, q); err != nil {
			return nil, s.wrapError(fmt.Sprintf("order %s of subscription %s", r.OrderID, r.ID), err)
		}
	}
	return list, nil
}

func scanSubscription(rows *sql.Rows) (r SubscriptionRecord, err error) {
	var id, orderID, kind, doc, facts sql.NullString
	var active, since sql.NullInt64
	if err := rows.Scan(&id, &orderID, &kind, &active, &since, &doc, &facts); err != nil {
		return r, err
	}
	r = SubscriptionRecord{ID: id.String, OrderID: orderID.String, Kind: kind.String, Active: active.Int64 != 0, Since: timeOf(since.Int64)}
	if !doc.Valid {
		return r, nil
	}
	r.Subscription, r.Facts = new(partnercenter.Subscription), []byte(facts.String)
	if err := decodeDocument(doc.String, r.Subscription); err != nil {
		return r, fmt.Errorf("subscription %s of order %s: %w", r.ID, r.OrderID, err)
	}
	return r, nil
}

// readOrderOf reads the order from whose line a subscription is derived.
func (s *Store) readOrderOf(ctx context.Context, r *SubscriptionRecord, q SubscriptionQuery) error {
	var doc, facts string
	err := s.read.QueryRowContext(ctx, `
SELECT coalesce(priced_doc, doc), coalesce(facts, '') FROM orders
WHERE partner_id = $1 AND customer_id = $2 AND order_id = $3`, idKey(q.PartnerID), idKey(q.CustomerID), r.OrderID).Scan(&doc, &facts)
	if err != nil {
		return err
	}
	if facts != "" {
		r.OrderFacts = []byte(facts)
	}
	r.Order = new(partnercenter.Order)
	return decodeDocument(doc, r.Order)
}

const orderOfSQL = `
SELECT s.order_id FROM customers c
LEFT JOIN subscriptions s ON s.partner_id = c.partner_id AND s.customer_id = c.customer_id AND s.subscription_id = $3
WHERE c.partner_id = $1 AND c.customer_id = $2 AND c.active = 1`

// OrderOf returns the id of the order that created a subscription. It fails with
// [ErrNotYours] or [ErrSubscriptionNotFound].
func (s *Store) OrderOf(ctx context.Context, partnerID, customerID, subscriptionID string) (string, error) {
	var orderID sql.NullString
	err := s.getOrderOf.QueryRowContext(ctx, idKey(partnerID), idKey(customerID), idKey(subscriptionID)).Scan(&orderID)
	if err == nil && !orderID.Valid {
		return "", ErrSubscriptionNotFound
	}
	return orderID.String, s.customerError("order of subscription", err)
}

// CustomerOf finds the partner's customer that has a subscription. Subscriptions of
// loaded orders, whose documents may have links without the customer, are found
// directly, others by querying customer by customer. It fails with
// [ErrSubscriptionNotFound].
func (s *Store) CustomerOf(ctx context.Context, partnerID, subscriptionID string) (string, error) {
	for _, query := range []string{loadedCustomerSQL, anyCustomerSQL} {
		var customerID string
		err := s.read.QueryRowContext(ctx, query, idKey(partnerID), idKey(subscriptionID)).Scan(&customerID)
		switch {
		case err == nil:
			return customerID, nil
		case !errors.Is(err, sql.ErrNoRows):
			return "", s.wrapError("customer of subscription", err)
		}
	}
	return "", ErrSubscriptionNotFound
}

// The joins begin with the smaller side: the index of loaded subscriptions, and
// customers.
const (
	loadedCustomerSQL = `
SELECT s.customer_id FROM subscriptions s
JOIN customers c ON c.partner_id = s.partner_id AND c.customer_id = s.customer_id AND c.active = 1
WHERE s.partner_id = $1 AND s.subscription_id = $2 AND s.loaded = 1`

	anyCustomerSQL = `
SELECT customer_id FROM customers c
WHERE partner_id = $1 AND active = 1 AND EXISTS (
    SELECT 1 FROM subscriptions s WHERE s.partner_id = c.partner_id AND s.customer_id = c.customer_id AND s.subscription_id = $2)
LIMIT 1`
)

// deriveSubscriptions stores the subscriptions of a loaded order's lines.
func (bulk *bulkTx) deriveSubscriptions(partnerID, customerID string, o *partnercenter.Order) error {
	for i := range o.LineItems {
		if o.LineItems[i].SubscriptionID == "" {
			continue
		}
		// A subscription in several orders belongs to the first one.
		if err := bulk.insert(insertSubscription, derivedArgs(idKey(partnerID), idKey(customerID), o, i)...); err != nil {
			return err
		}
	}
	return nil
}

const describeSubscriptionSQL = `
UPDATE subscriptions SET doc = $4, facts = NULL, entitlement_id = $5, parent_id = $6, mpn_id = $7, active = $8
WHERE partner_id = $1 AND customer_id = $2 AND subscription_id = $3 AND (doc IS DISTINCT FROM $4)`

// describeSubscription stores the document of a subscription that a loaded order made. What
// belongs to it besides follows from the order's line.
func (bulk *bulkTx) describeSubscription(partnerID, customerID string, s *seed.Subscription) error {
	x, err := s.Document()
	if err != nil {
		return err
	}
	if loadedKind(x.OfferID) != "" && x.EntitlementID == "" {
		x.EntitlementID = guid.Derived("entitlement", x.ID)
	}
	doc, err := document(x)
	if err != nil {
		return err
	}
	columns := subscriptionArgs(x)
	return bulk.last(func(changed bool) error {
		if changed {
			bulk.note(partnerID, customerID)
		}
		return nil
	}, describeSubscriptionSQL, idKey(partnerID), idKey(customerID), idKey(x.ID), doc, columns[0], columns[1], columns[2],
		boolToInt(x.Status.Normalize() != partnercenter.SubscriptionStatusDeleted))
}

// derivedArgs returns the parameters of [insertSubscription]: the subscription of a line.
func derivedArgs(partner, customer string, o *partnercenter.Order, i int) []any {
	line := &o.LineItems[i]
	active := o.Status.Normalize() != partnercenter.OrderStatusCancelled && (line.Quantity == nil || *line.Quantity > 0)
	kind, entitlement := loadedKind(line.OfferID), ""
	if kind != "" {
		// The id that package lifecycle derives for it.
		entitlement = guid.Derived("entitlement", line.SubscriptionID)
	}
	return []any{
		partner, customer, idKey(line.SubscriptionID), orderKey(o.ID), idKey(entitlement), "",
		fold(ascii.TrimSpace(line.PartnerIDOnRecord)), fold(line.OfferID), kind, boolToInt(active), int64(0), int64(1),
	}
}

var insertSubscription = newInsertion("subscriptions", 3, "partner_id", "customer_id", "subscription_id", "order_id", "entitlement_id", "parent_id",
	"mpn_id", "offer_id", "kind", "active", "since", "loaded")

// loadedKind recognizes the subscriptions that a sandbox limits per partner: the store
// has no catalog, but there is one Azure plan, and the ids of legacy Azure offers have
// a form of their own.
func loadedKind(offerID string) string {
	id := ascii.ToUpper(offerID)
	switch {
	case strings.HasPrefix(id, "MS-AZR-"):
		return "usage"
	case strings.HasPrefix(id, "DZH318Z0BPS6:"):
		return "azure_plan"
	}
	return ""
}
