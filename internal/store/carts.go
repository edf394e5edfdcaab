package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

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
SELECT k.doc, coalesce(k.facts, ''), coalesce(k.revision, 0)
FROM customers c
LEFT JOIN carts k ON k.partner_id = c.partner_id AND k.customer_id = c.customer_id AND k.cart_id = $3
WHERE c.partner_id = $1 AND c.customer_id = $2 AND c.active = 1`

// storedCart is a row of that.
type storedCart struct {
	doc      sql.NullString // NULL if there is no such cart
	facts    string
	revision int64
}

func (s *Store) cartRow(ctx context.Context, partner, customer, id string) (row storedCart, err error) {
	if s.pg != nil {
		return s.pg.primary.cart(ctx, partner, customer, id)
	}
	ctx, cancel := s.briefly(ctx)
	defer cancel()
	err = s.read.QueryRowContext(ctx, getCartSQL, partner, customer, id).Scan(&row.doc, &row.facts, &row.revision)
	return row, err
}

// Cart reads a cart, whether its time is over or not. It fails with [ErrNotYours],
// [ErrCartNotFound] or [ErrDamaged].
func (s *Store) Cart(ctx context.Context, partnerID, customerID, cartID string) (*CartRecord, error) {
	row, err := s.cartRow(ctx, idKey(partnerID), idKey(customerID), idKey(cartID))
	switch {
	case err != nil:
		return nil, s.customerError("cart", err)
	case !row.doc.Valid:
		return nil, ErrCartNotFound
	}
	r := &CartRecord{Cart: new(partnercenter.Cart), Facts: []byte(row.facts), Revision: row.revision}
	if err := decodeDocument(row.doc.String, r.Cart); err != nil {
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

var insertCart = newInsertion("carts", 3, "partner_id", "customer_id", "cart_id", "revision", "doc", "facts")

// loadedCart are the facts of a cart that was loaded, as package lifecycle reads them.
const loadedCart = `{"loaded":true}`

// cartLife is how long a cart that does not say it lives.
const cartLife = 7 * 24 * time.Hour

// addCart stores an open cart, unless one with its id is there. One without times is made
// now.
func (bulk *bulkTx) addCart(partnerID, customerID string, cart *partnercenter.Cart) error {
	c := *cart
	if c.CreationTimestamp.IsZero() {
		c.CreationTimestamp = partnercenter.TimeOf(bulk.now)
	}
	if c.ExpirationTimestamp.IsZero() {
		c.ExpirationTimestamp = partnercenter.TimeOf(c.CreationTimestamp.Time().Add(cartLife))
	}
	args, err := cartArgs(idKey(partnerID), idKey(customerID), &CartRecord{Cart: &c, Facts: []byte(loadedCart)})
	if err != nil {
		return err
	}
	return bulk.insert(insertCart, args...)
}

// cartsKept is how long a cart is kept once its time is over, so that a clock that is set
// back has it again. It is counted by the clock that ends it.
const cartsKept = 30 * 24 * time.Hour

// forgetCartsEvery is how many carts are made between deletions of old ones, each of which
// looks at all carts of the customer.
const forgetCartsEvery = 64

// forgetsCarts reports whether old carts of its customer go with a change.
func (s *Store) forgetsCarts(j *job) bool {
	return j.Cart != nil && j.Cart.New && s.madeCarts.Add(1)%forgetCartsEvery == 0
}

// forgetCartsArgs are the parameters of forgetCartsSQL and forgetCartsPostgresSQL.
func (s *Store) forgetCartsArgs(j *job) []any {
	return []any{j.partner, j.customer, s.now().Add(-cartsKept).UTC().Format("2006-01-02T15:04:05Z")}
}
