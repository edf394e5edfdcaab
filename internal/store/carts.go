package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/partnercenter-go/partnercenter"
)

// ErrCartNotFound says that the customer has no such cart.
var ErrCartNotFound = errors.New("the customer has no such cart; check the cart id")

// CartRecord is a cart to store, or one that was read.
type CartRecord struct {
	Cart  *partnercenter.Cart // with prices
	Facts []byte              // what belongs to it besides its document; opaque here
	// New is set when the cart is written for the first time; otherwise Revision is that
	// which was read.
	New      bool
	Revision int64
}

const getCartSQL = `
SELECT k.doc, k.facts, k.revision
FROM customers c
LEFT JOIN carts k ON k.partner_id = c.partner_id AND k.customer_id = c.customer_id AND k.cart_id = $3
WHERE c.partner_id = $1 AND c.customer_id = $2 AND c.active = 1`

// Cart reads a cart, whether its time is over or not. It fails with [ErrNotYours],
// [ErrCartNotFound] or [ErrDamaged].
func (s *Store) Cart(ctx context.Context, partnerID, customerID, cartID string) (*CartRecord, error) {
	var doc, facts sql.NullString
	var revision sql.NullInt64
	ctx, cancel := s.briefly(ctx)
	defer cancel()
	err := s.read.QueryRowContext(ctx, getCartSQL, idKey(partnerID), idKey(customerID), idKey(cartID)).Scan(&doc, &facts, &revision)
	switch {
	case err != nil:
		return nil, s.customerError("cart", err)
	case !doc.Valid:
		return nil, ErrCartNotFound
	}
	r := &CartRecord{Cart: new(partnercenter.Cart), Facts: []byte(facts.String), Revision: revision.Int64}
	if err := decodeDocument(doc.String, r.Cart); err != nil {
		return nil, s.wrapError("cart", fmt.Errorf("cart %s of customer %s of partner %s: %w", cartID, customerID, partnerID, err))
	}
	return r, nil
}

// These two have the same parameters, in the order of [cartArgs].
const (
	addCartSQL = `INSERT INTO carts (partner_id, customer_id, cart_id, revision, doc, facts) VALUES ($1, $2, $3, $4, $5, $6)`

	changeCartSQL = `
UPDATE carts SET revision = $4 + 1, doc = $5, facts = $6 WHERE partner_id = $1 AND customer_id = $2 AND cart_id = $3`
)

const getCartRevisionSQL = `SELECT revision FROM carts WHERE partner_id = $1 AND customer_id = $2 AND cart_id = $3`

// cartArgs returns the parameters of the statements that write a cart.
func cartArgs(partner, customer string, r *CartRecord) ([]any, error) {
	doc, err := document(r.Cart)
	return []any{partner, customer, idKey(r.Cart.ID), r.Revision, doc, string(r.Facts)}, err
}

// writeSQL returns the statement that writes a cart.
func (r *CartRecord) writeSQL() string {
	if r.New {
		return addCartSQL
	}
	return changeCartSQL
}
