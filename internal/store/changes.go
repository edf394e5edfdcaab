package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/partnercenter-go/partnercenter"
)

var (
	// ErrConflict says that the basis of a change has changed. Read it again and decide
	// again.
	ErrConflict = errors.New("it was changed in the meantime; read it again and decide again")
	// ErrAnswered says that a request with the same key was answered before.
	ErrAnswered = errors.New("the request was answered before; give that answer again")
)

// OrderRecord is an order to store, or one read for a change.
type OrderRecord struct {
	Order *partnercenter.Order // with prices
	// Facts is what belongs to the order besides its document; opaque here. Nil for
	// orders that were loaded.
	Facts []byte
	// Visible is when the order begins to appear in lists, Settled when its document
	// becomes final. Zero means always.
	Visible, Settled time.Time
	// Key is the id under which [SubscriptionRecord.OrderID] names the order; set when it
	// was read with others.
	Key string
	// Revision counts the order's changes, including those of its subscriptions. When
	// the order is written, it is the revision that was read.
	Revision int64
}

// SubscriptionRecord is a subscription to store, or one that was read.
type SubscriptionRecord struct {
	ID      string
	OrderID string
	// Subscription and Facts are nil for a subscription that was created by a line of a
	// loaded order, from which it is derived. Order and OrderFacts are then that
	// order's.
	Subscription *partnercenter.Subscription
	Facts        []byte
	Order        *partnercenter.Order
	OrderFacts   []byte
	Kind         string // of the item; opaque here
	Active       bool   // false once cancelled
	Since        time.Time
}

// Change is everything that one request changes, and its answer. It is written
// completely or not at all.
type Change struct {
	PartnerID, CustomerID string
	// Order is new if this request placed it; otherwise it has the revision that the
	// change is based on.
	Order *OrderRecord
	New   bool
	// More are the orders that change with it, such as the one that seats move to, or that a
	// checkout places.
	More []OrderChange
	// Subscriptions are the new or changed ones of the orders.
	Subscriptions []SubscriptionRecord
	Attachments   []Attachment
	// Cart, if not nil, is made or changed. Its checkout places More.
	Cart *CartRecord
	// Held, if not nil, is what the decision about a limit was based on.
	Held *Holdings
	// Answer, if not nil, is stored under the request's key.
	Answer *Answer
}

// OrderChange is a new or changed order of a [Change].
type OrderChange struct {
	Order *OrderRecord
	New   bool
}

// orders returns all orders of the change.
func (c *Change) orders() []OrderChange {
	if c.Order == nil {
		return c.More
	}
	return append([]OrderChange{{c.Order, c.New}}, c.More...)
}

// Answer is the answer to a write with an id.
type Answer struct {
	Key      []byte // identifies partner, request id, method and path
	Digest   []byte // of the body, to tell a repetition from another request
	Status   int
	Location string
	Body     []byte
}

// answersKept is how long a write can be repeated for its answer. Retries come within
// minutes; a purchase left open by a crash is investigated within days. It is counted by
// the system's clock: setting the other one must not have an order placed twice.
const answersKept = 30 * 24 * time.Hour

// Answered returns the answer to a write of a customer that is stored under a key, or
// nil.
func (s *Store) Answered(ctx context.Context, partnerID, customerID string, key []byte) (*Answer, error) {
	ctx, cancel := s.briefly(ctx)
	defer cancel()
	a := &Answer{Key: key}
	err := s.getAnswer.QueryRowContext(ctx, idKey(partnerID), idKey(customerID), key).Scan(&a.Digest, &a.Status, &a.Location, &a.Body)
	if errors.Is(err, sql.ErrNoRows) && s.oldAnswers {
		err = s.getAnswer.QueryRowContext(ctx, "", "", key).Scan(&a.Digest, &a.Status, &a.Location, &a.Body)
	}
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err == nil && len(a.Body) > 0 && !isDocument(a.Body) {
		err = fmt.Errorf("key %x: %w", key, ErrDamaged)
	}
	if err == nil && s.pg != nil {
		// Another server may have written it, and this one may not have read that yet. Who
		// gets the answer here sees the change here.
		lists := new(changes)
		lists.customer(partnerID, customerID)
		s.noteOwn(lists)
		// A commit that was interrupted while it waited for a replica can be seen, and may
		// still be lost with its primary: who hears of it again must not be told too early.
		_, err = s.pg.primary.Exec(ctx, replicatedSQL)
	}
	return a, s.wrapError("answered request", err)
}

const getAnswerSQL = `SELECT digest, status, location, body FROM requests WHERE partner_id = $1 AND customer_id = $2 AND key = $3`

// Account is what orders of a customer depend on.
type Account struct {
	MPNID     string // the customer's, or the partner's if unknown
	Country   string // the customer's, or the partner's where that is not known
	Agreement bool   // the customer agreement is confirmed
}

const getAccountSQL = `
SELECT p.mpn_id, CASE WHEN c.country = '' THEN p.country ELSE c.country END, c.agreement
FROM customers c JOIN partners p ON p.partner_id = c.partner_id
WHERE c.partner_id = $1 AND c.customer_id = $2 AND c.active = 1`

// Account returns what orders of a customer depend on. It fails with [ErrNotYours].
func (s *Store) Account(ctx context.Context, partnerID, customerID string) (Account, error) {
	if s.pg != nil {
		a, err := s.pg.primary.account(ctx, idKey(partnerID), idKey(customerID))
		return a, s.customerError("account", err)
	}
	var a Account
	err := s.getAccount.QueryRowContext(context.WithoutCancel(ctx), idKey(partnerID), idKey(customerID)).Scan(&a.MPNID, &a.Country, &a.Agreement)
	return a, s.customerError("account", err)
}

// ResellersByMPN classifies MPN ids: true for an indirect reseller of the partner,
// false for another partner. Unknown ids are missing.
func (s *Store) ResellersByMPN(ctx context.Context, partnerID string, mpnIDs []string) (map[string]bool, error) {
	known := map[string]bool{}
	for _, id := range mpnIDs {
		var reseller, partner bool
		err := s.read.QueryRowContext(ctx, `
SELECT EXISTS (SELECT 1 FROM indirect_resellers WHERE partner_id = $1 AND mpn_id = $2),
    EXISTS (SELECT 1 FROM partners WHERE mpn_id = $2) OR EXISTS (SELECT 1 FROM indirect_resellers WHERE mpn_id = $2)`,
			idKey(partnerID), validText(id)).Scan(&reseller, &partner)
		if err != nil {
			return nil, s.wrapError("resellers", err)
		}
		if reseller || partner {
			known[id] = reseller
		}
	}
	return known, nil
}

// Holdings counts what limits are about. Cancelled subscriptions are not counted.
type Holdings struct {
	Customers     int            // of the partner
	Subscriptions int            // of the customer
	ByKind        map[string]int // of the partner: subscriptions to items of a kind
	ByOffer       map[string]int // of the customer: subscriptions to an offer, by its folded id
}

// CountHoldings counts what a customer and its partner have of the given kinds (usage,
// azure_plan) and offers.
func (s *Store) CountHoldings(ctx context.Context, partnerID, customerID string, kinds, offers []string) (*Holdings, error) {
	h, err := countHoldings(ctx, s.read, partnerID, customerID, kinds, offers)
	return h, s.wrapError("holdings", err)
}

// queryer is a database or a transaction.
type queryer interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

func countHoldings(ctx context.Context, q queryer, partnerID, customerID string, kinds, offers []string) (*Holdings, error) {
	h := &Holdings{ByKind: map[string]int{}, ByOffer: map[string]int{}}
	for _, count := range holdingCounts(idKey(partnerID), idKey(customerID), kinds, offers) {
		var n int
		if err := q.QueryRowContext(ctx, count.query, count.args...).Scan(&n); err != nil {
			return nil, err
		}
		count.set(h, n)
	}
	return h, nil
}

// holdingCount is a number of [Holdings] and the query for it.
type holdingCount struct {
	query string
	args  []any
	set   func(h *Holdings, n int)
}

// holdingCounts returns the queries for Holdings. The ids are keys.
func holdingCounts(partner, customer string, kinds, offers []string) []holdingCount {
	counts := []holdingCount{
		{
			`SELECT count(*) FROM customers WHERE partner_id = $1 AND active = 1`, []any{partner},
			func(h *Holdings, n int) { h.Customers = n },
		},
		{
			`SELECT count(*) FROM subscriptions WHERE partner_id = $1 AND customer_id = $2 AND active = 1`, []any{partner, customer},
			func(h *Holdings, n int) { h.Subscriptions = n },
		},
	}
	for _, kind := range kinds {
		counts = append(counts, holdingCount{
			`SELECT count(*) FROM subscriptions WHERE partner_id = $1 AND kind = $2 AND kind IN ('usage', 'azure_plan') AND active = 1`, []any{partner, kind},
			func(h *Holdings, n int) { h.ByKind[kind] = n },
		})
	}
	for _, offer := range offers {
		counts = append(counts, holdingCount{
			`SELECT count(*) FROM subscriptions WHERE partner_id = $1 AND customer_id = $2 AND offer_id = $3 AND active = 1`, []any{partner, customer, fold(offer)},
			func(h *Holdings, n int) { h.ByOffer[fold(offer)] = n },
		})
	}
	return counts
}

// equal reports whether nothing was bought or cancelled between two counts.
func (h *Holdings) equal(to *Holdings) bool {
	return h.Customers == to.Customers && h.Subscriptions == to.Subscriptions && maps.Equal(h.ByKind, to.ByKind) && maps.Equal(h.ByOffer, to.ByOffer)
}

const orderRecordSQL = `
SELECT coalesce(o.priced_doc, o.doc), coalesce(o.facts, ''), o.visible, o.settled, o.revision
FROM customers c
LEFT JOIN orders o ON o.partner_id = c.partner_id AND o.customer_id = c.customer_id AND o.order_id = $3
WHERE c.partner_id = $1 AND c.customer_id = $2 AND c.active = 1`

// OrderRecord reads an order with its subscriptions for a change. It fails with
// [ErrNotYours] or [ErrOrderNotFound].
func (s *Store) OrderRecord(ctx context.Context, partnerID, customerID, orderID string) (*OrderRecord, []SubscriptionRecord, error) {
	var doc sql.NullString
	var facts sql.NullString
	var visible, settled, revision sql.NullInt64
	err := s.read.QueryRowContext(ctx, orderRecordSQL, idKey(partnerID), idKey(customerID), orderKey(orderID)).
		Scan(&doc, &facts, &visible, &settled, &revision)
	switch {
	case err != nil:
		return nil, nil, s.customerError("read order", err)
	case !doc.Valid:
		return nil, nil, ErrOrderNotFound
	}
	r := &OrderRecord{Order: new(partnercenter.Order), Visible: timeOf(visible.Int64), Settled: timeOf(settled.Int64), Revision: revision.Int64}
	if err := decodeDocument(doc.String, r.Order); err != nil {
		return nil, nil, fmt.Errorf("store: order %s of customer %s of partner %s: %w", orderID, customerID, partnerID, err)
	}
	if facts.String != "" {
		r.Facts = []byte(facts.String)
	}
	subscriptions, err := s.Subscriptions(ctx, SubscriptionQuery{PartnerID: partnerID, CustomerID: customerID, OrderID: orderID})
	if err != nil {
		return nil, nil, err
	}
	return r, subscriptions, nil
}

const orderRecordsSQL = `
SELECT o.order_id, coalesce(o.priced_doc, o.doc), coalesce(o.facts, ''), o.visible, o.settled, o.revision
FROM customers c
LEFT JOIN orders o ON o.partner_id = c.partner_id AND o.customer_id = c.customer_id
WHERE c.partner_id = $1 AND c.customer_id = $2 AND c.active = 1
ORDER BY o.created DESC, o.order_id DESC`

// OrderRecords reads all orders of a customer, newest first, without subscriptions. It
// fails with [ErrNotYours].
func (s *Store) OrderRecords(ctx context.Context, partnerID, customerID string) ([]OrderRecord, error) {
	list, err := queryAll(ctx, s, "orders of customer", func(rows *sql.Rows) (r OrderRecord, err error) {
		var key, doc, facts sql.NullString
		var visible, settled, revision sql.NullInt64
		if err := rows.Scan(&key, &doc, &facts, &visible, &settled, &revision); err != nil || !doc.Valid {
			return r, err
		}
		r = OrderRecord{Order: new(partnercenter.Order), Key: key.String, Visible: timeOf(visible.Int64), Settled: timeOf(settled.Int64), Revision: revision.Int64}
		if facts.String != "" {
			r.Facts = []byte(facts.String)
		}
		return r, decodeDocument(doc.String, r.Order)
	}, orderRecordsSQL, idKey(partnerID), idKey(customerID))
	switch {
	case err != nil:
		return nil, err
	case len(list) == 0:
		return nil, ErrNotYours
	case list[0].Order == nil:
		return nil, nil // the customer has no orders
	}
	return list, nil
}

// Apply writes a change durably: once Apply has returned, the change survives a crash.
// Changes that wait for the disk at the same time are written together. It fails with
// [ErrAnswered] or [ErrConflict] if nothing was written. A write that has begun is not
// interrupted when the context ends.
func (s *Store) Apply(ctx context.Context, c *Change) error {
	j, err := newJob(c)
	if err != nil {
		return fmt.Errorf("store: apply: %w", err)
	}
	s.closing.RLock()
	if s.jobs == nil {
		s.closing.RUnlock()
		return errors.New("store: apply: the database is closed")
	}
	select {
	case s.jobs <- j:
		s.closing.RUnlock()
	case <-ctx.Done():
		s.closing.RUnlock()
		return ctx.Err()
	}
	<-j.done
	if j.err != nil && !errors.Is(j.err, ErrAnswered) && !errors.Is(j.err, ErrConflict) {
		return fmt.Errorf("store: apply: %w", j.err)
	}
	return j.err
}

// job is a change on its way to the disk, encoded as far as possible.
type job struct {
	*Change
	partner, customer string
	orders            []orderJob
	cart              []any
	subscriptions     [][]any
	done              chan struct{}
	err               error
	kept              bool // the answer is stored, though not yet committed
}

// orderJob is an order of a change.
type orderJob struct {
	key      string
	isNew    bool
	revision int64 // that it is based on
	args     []any
}

// conflicts reports whether a revision, or that there is none, is not what the change of
// the order is based on.
func (o *orderJob) conflicts(revision int64, err error) bool {
	return errors.Is(err, sql.ErrNoRows) || err == nil && revision != o.revision
}

func newJob(c *Change) (*job, error) {
	j := &job{Change: c, partner: idKey(c.PartnerID), customer: idKey(c.CustomerID), done: make(chan struct{})}
	var err error
	for _, change := range c.orders() {
		o := change.Order
		args, err := orderArgs(j.partner, j.customer, o.Order)
		if err != nil {
			return nil, err
		}
		args = append(args, ticksOf(o.Visible), ticksOf(o.Settled), string(o.Facts), o.Revision)
		j.orders = append(j.orders, orderJob{orderKey(o.Order.ID), change.New, o.Revision, args})
	}
	if c.Cart != nil {
		if j.cart, err = cartArgs(j.partner, j.customer, c.Cart); err != nil {
			return nil, err
		}
	}
	for i := range c.Subscriptions {
		r := &c.Subscriptions[i]
		doc, err := document(r.Subscription)
		if err != nil {
			return nil, err
		}
		args := append([]any{j.partner, j.customer, idKey(r.ID), orderKey(r.OrderID)}, subscriptionArgs(r.Subscription)...)
		j.subscriptions = append(j.subscriptions, append(args, r.Kind, boolToInt(r.Active), ticksOf(r.Since), doc, string(r.Facts)))
	}
	return j, nil
}

// subscriptionArgs returns the columns entitlement_id, parent_id, mpn_id and offer_id, which
// follow from a subscription's document.
func subscriptionArgs(s *partnercenter.Subscription) []any {
	mpn := ""
	if s.PartnerID != nil {
		mpn = *s.PartnerID
	}
	return []any{idKey(s.EntitlementID), idKey(s.ParentSubscriptionID), fold(mpn), fold(s.OfferID)}
}

// maxBatch bounds how many changes a commit has, so that none waits long for those
// before it.
const maxBatch = 256

// writeJobs writes changes as they arrive, together with those that arrived in the
// meantime: a commit costs the same for one as for many.
func (s *Store) writeJobs(jobs <-chan *job) {
	batch := make([]*job, 0, maxBatch)
	for j := range jobs {
		batch = append(batch[:0], j)
	gather:
		for len(batch) < maxBatch {
			select {
			case more, open := <-jobs:
				if !open {
					break gather
				}
				batch = append(batch, more)
			default:
				break gather
			}
		}
		s.writeBatch(batch)
	}
}

func (s *Store) writeBatch(batch []*job) {
	write := s.writeChanges
	if s.pg != nil {
		write = s.writeChangesPostgres
		if n := apart(batch); n < len(batch) {
			s.writeBatch(batch[:n])
			s.writeBatch(batch[n:])
			return
		}
	}
	err := write(batch)
	switch {
	case err == nil:
		s.batches.add(len(batch))
	case errors.As(err, new(*UnusableError)):
		for _, j := range batch {
			j.err = err
		}
	case len(batch) > 1:
		// One of them cannot be written; the others must not fail with it.
		for _, j := range batch {
			s.writeBatch([]*job{j})
		}
		return
	default:
		batch[0].err = err
	}
	for _, j := range batch {
		close(j.done)
	}
}

// writeChanges writes changes in one transaction. It sets the err of those that are
// refused.
func (s *Store) writeChanges(batch []*job) error {
	return s.inTx(context.Background(), among, func(tx *tx) error {
		for _, j := range batch {
			j.err = s.writeChange(tx, j)
			switch {
			case j.err == nil:
				tx.changed.customer(j.partner, j.customer)
			case !errors.Is(j.err, ErrAnswered) && !errors.Is(j.err, ErrConflict):
				return j.err
			}
		}
		return s.forgetAnswers(tx)
	})
}

// writeChange writes one change within a transaction. It checks before it writes, so
// that a refused change leaves nothing behind.
func (s *Store) writeChange(tx *tx, j *job) error {
	for i := range j.orders {
		o := &j.orders[i]
		if o.isNew {
			continue
		}
		var revision int64
		err := tx.QueryRowContext(tx.ctx, getRevisionSQL, j.partner, j.customer, o.key).Scan(&revision)
		if o.conflicts(revision, err) {
			return ErrConflict
		}
		if err != nil {
			return err
		}
	}
	if j.Cart != nil && !j.Cart.New {
		var revision int64
		err := tx.QueryRowContext(tx.ctx, getCartRevisionSQL, j.cart[:3]...).Scan(&revision)
		if errors.Is(err, sql.ErrNoRows) || err == nil && revision != j.Cart.Revision {
			return ErrConflict
		}
		if err != nil {
			return err
		}
	}
	if h := j.Held; h != nil {
		now, err := countHoldings(tx.ctx, tx, j.partner, j.customer, slices.Collect(maps.Keys(h.ByKind)), slices.Collect(maps.Keys(h.ByOffer)))
		if err != nil {
			return err
		}
		if !now.equal(h) {
			return ErrConflict
		}
	}
	if a := j.Answer; a != nil {
		isNew, err := tx.execPrepared(s.putAnswer, s.answerArgs(j)...)
		if err != nil {
			return err
		}
		if !isNew {
			return ErrAnswered
		}
	}
	for i := range j.orders {
		stmt := s.changeOrder
		if j.orders[i].isNew {
			stmt = s.addOrder
		}
		if _, err := tx.execPrepared(stmt, j.orders[i].args...); err != nil {
			return err
		}
	}
	if j.Cart != nil {
		if _, err := tx.exec(j.Cart.writeSQL(), j.cart...); err != nil {
			return err
		}
	}
	if s.forgetsCarts(j) {
		if _, err := tx.exec(forgetCartsSQL, s.forgetCartsArgs(j)...); err != nil {
			return err
		}
	}
	for _, args := range j.subscriptions {
		if _, err := tx.execPrepared(s.putSubscription, args...); err != nil {
			return err
		}
	}
	for i := range j.Attachments {
		if _, err := tx.exec(putAttachmentSQL, attachmentArgs(j, &j.Attachments[i])...); err != nil {
			return err
		}
	}
	return nil
}

// answerArgs returns the parameters of putAnswerSQL.
func (s *Store) answerArgs(j *job) []any {
	a := j.Answer
	return []any{
		j.partner, j.customer, a.Key, a.Digest, toMicros(s.system()), a.Status, a.Location,
		append([]byte{}, a.Body...), // nil would be NULL
	}
}

// These two have the same parameters, in the order of [newJob].
const (
	addOrderSQL = `
INSERT INTO orders (partner_id, customer_id, order_id, created, billing_cycle, system, partners_on_record, doc, priced_doc, visible, settled, facts, revision)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`

	changeOrderSQL = `
UPDATE orders SET created = $4, billing_cycle = $5, system = $6, partners_on_record = $7, doc = $8, priced_doc = $9,
    visible = $10, settled = $11, facts = $12, revision = $13 + 1
WHERE partner_id = $1 AND customer_id = $2 AND order_id = $3`
)

const getRevisionSQL = `SELECT revision FROM orders WHERE partner_id = $1 AND customer_id = $2 AND order_id = $3`

const putSubscriptionSQL = `
INSERT INTO subscriptions (partner_id, customer_id, subscription_id, order_id, entitlement_id, parent_id, mpn_id, offer_id, kind, active, since, loaded, doc, facts)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 0, $12, $13)
ON CONFLICT (partner_id, customer_id, subscription_id) DO UPDATE SET
    entitlement_id = excluded.entitlement_id, parent_id = excluded.parent_id, mpn_id = excluded.mpn_id, offer_id = excluded.offer_id, kind = excluded.kind,
    active = excluded.active, since = excluded.since, doc = excluded.doc, facts = excluded.facts`

const putAnswerSQL = `
INSERT INTO requests (partner_id, customer_id, key, digest, made, status, location, body) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT DO NOTHING`

// forgetEvery is how many commits pass between deletions of old answers.
const forgetEvery = 1024

// forgetAnswers deletes expired answers, oldest first and some at a time, and answers
// from the future, which the system's clock was set back from.
func (s *Store) forgetAnswers(tx *tx) error {
	if s.commits.Add(1)%forgetEvery != 0 {
		return nil
	}
	now := s.system()
	_, err := tx.exec(`
DELETE FROM requests WHERE request_no <= (SELECT min(request_no) + 999 FROM requests) AND (made < $1 OR made > $2)`,
		toMicros(now.Add(-answersKept)), toMicros(now.Add(answersKept)))
	return err
}
