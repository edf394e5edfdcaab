package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/partnercenter-go/partnercenter/internal/seed"
)

// LoadResult counts what a [Store.Load] read and changed.
type LoadResult struct {
	// The numbers of each kind in the seed.
	Partners, Apps, Users, IndirectResellers, Customers, Orders, Subscriptions, Carts int
	// Changed is how many were new or stored differently.
	Changed int
}

// Load stores the whole seed, or nothing on error. It replaces existing items and
// removes none, so it can be repeated. Apps without a secret or an object id and users
// without a password or an object id keep theirs, or get random ones; customers that
// are placeholders, or in the short form of lists, do not remove details that are
// stored.
func (s *Store) Load(ctx context.Context, data *seed.Seed) (LoadResult, error) {
	var result LoadResult
	err := s.transact(ctx, "load", func(tx *tx) (err error) {
		result, err = tx.load(data)
		return err
	})
	if err != nil {
		return LoadResult{}, err
	}
	s.fresh.Store(false)
	return result, nil
}

// Fill does what [Store.Load] does if nothing was ever loaded, and reports whether that was
// so: another server may have been first, or is now, which is waited for.
func (s *Store) Fill(ctx context.Context, data *seed.Seed) (result LoadResult, filled bool, err error) {
	err = s.transact(ctx, "fill", func(tx *tx) error {
		var loaded bool
		if err := tx.QueryRowContext(ctx, isLoadedSQL, settingLoaded).Scan(&loaded); err != nil || loaded {
			return err
		}
		filled = true
		result, err = tx.load(data)
		return err
	})
	if err != nil {
		return LoadResult{}, false, err
	}
	s.fresh.Store(false)
	return result, filled, nil
}

const isLoadedSQL = `SELECT EXISTS (SELECT 1 FROM settings WHERE name = $1) OR EXISTS (SELECT 1 FROM partners)`

// Reset removes all customers and all that belongs to them, all consents, and what is
// remembered of sign-ins, and stores the seed, or changes nothing on error. Partners, their
// apps and users are loaded from the seed as by [Store.Load], and none is removed, so
// that access tokens stay valid.
func (s *Store) Reset(ctx context.Context, data *seed.Seed) error {
	err := s.transact(ctx, "reset", func(tx *tx) error {
		for _, t := range slices.Backward(tables) {
			if !t.emptied {
				continue
			}
			if _, err := tx.exec(`DELETE FROM ` + t.name); err != nil {
				return err
			}
		}
		tx.changed.all = true
		_, err := tx.load(data)
		return err
	})
	if err != nil {
		return err
	}
	s.fresh.Store(false)
	return nil
}

// load stores the seed and records that something was loaded.
func (t *tx) load(data *seed.Seed) (LoadResult, error) {
	bulk := &bulkTx{tx: t, stmts: map[string]*sql.Stmt{}}
	if t.pg {
		bulk.postgres = new(postgresLoad)
	}
	for i := range data.Partners {
		if err := bulk.loadPartner(&data.Partners[i]); err != nil {
			return bulk.result, err
		}
	}
	t.changed.shared = Identity
	_, err := t.exec(`INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING`,
		settingLoaded, []byte(t.now.UTC().Format(time.RFC3339)))
	return bulk.result, err
}

// bulkTx is a write transaction for many rows: it prepares each statement once.
type bulkTx struct {
	*tx
	stmts    map[string]*sql.Stmt
	result   LoadResult
	what     string        // is being loaded
	postgres *postgresLoad // what PostgreSQL is told together; nil for other dialects
}

// exec runs a statement, and counts it if it changed something.
func (bulk *bulkTx) exec(query string, args ...any) (changed bool, err error) {
	changed, err = bulk.execUncounted(query, args...)
	if changed {
		bulk.result.Changed++
	}
	return changed, err
}

func (bulk *bulkTx) execUncounted(query string, args ...any) (changed bool, err error) {
	if bulk.pg {
		return bulk.tx.exec(query, args...)
	}
	stmt := bulk.stmts[query]
	if stmt == nil {
		if stmt, err = bulk.PrepareContext(bulk.ctx, query); err != nil {
			return false, err
		}
		bulk.stmts[query] = stmt
	}
	return changedBy(stmt.ExecContext(bulk.ctx, validArgs(args)...))
}

// later runs a statement that changes something of a customer, and calls then, if it is
// not nil, with whether it did. On PostgreSQL both come with those of other customers,
// those of one in the order in which they were given.
func (bulk *bulkTx) later(then func(changed bool) error, query string, args ...any) error {
	if bulk.postgres != nil {
		bulk.postgres.queue = append(bulk.postgres.queue, queued{query: query, args: validArgs(args), what: bulk.what, then: then})
		return nil
	}
	changed, err := bulk.execUncounted(query, args...)
	if err != nil || then == nil {
		return err
	}
	return then(changed)
}

// last runs a statement as later does, but on PostgreSQL after all that what was told before
// has led to.
func (bulk *bulkTx) last(then func(changed bool) error, query string, args ...any) error {
	if bulk.postgres == nil {
		return bulk.later(then, query, args...)
	}
	bulk.postgres.last = append(bulk.postgres.last, queued{query: query, args: validArgs(args), what: bulk.what, then: then})
	return nil
}

// insertion adds rows to a table. One whose key is there is left out.
type insertion struct {
	table   string
	columns []string
	key     int // how many columns it has
	query   string
}

func newInsertion(table string, key int, columns ...string) *insertion {
	return &insertion{table, columns, key, fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s) ON CONFLICT (%s) DO NOTHING",
		table, strings.Join(columns, ", "), parameters(1, len(columns)), strings.Join(columns[:key], ", "))}
}

// insert adds a row of a customer.
func (bulk *bulkTx) insert(to *insertion, args ...any) error {
	if bulk.postgres != nil && bulk.postgres.isNew(args) {
		bulk.postgres.copy(to, validArgs(args))
		return nil
	}
	return bulk.later(nil, to.query, args...)
}

func (bulk *bulkTx) loadPartner(p *seed.Partner) error {
	if p.TenantID == "" {
		return fmt.Errorf("partner %q has no tenant id; give it one", p.Name)
	}
	if _, err := bulk.putPartner(&p.Tenant); err != nil {
		return fmt.Errorf("partner %s: %w", p.TenantID, err)
	}
	bulk.result.Partners++
	for i := range p.Apps {
		a := &p.Apps[i]
		if a.ClientID == "" {
			return fmt.Errorf("app %q of partner %s has no client id; give it one", a.Name, p.TenantID)
		}
		if err := bulk.putApp(p.TenantID, *a); err != nil {
			return fmt.Errorf("app %s: %w", a.ClientID, err)
		}
		bulk.result.Apps++
	}
	for i := range p.Users {
		u := &p.Users[i]
		if u.UserPrincipalName == "" {
			return fmt.Errorf("user %q of partner %s has no user principal name; give it one", u.Name, p.TenantID)
		}
		if err := bulk.putUser(p.TenantID, *u); err != nil {
			return fmt.Errorf("user %s: %w", u.UserPrincipalName, err)
		}
		bulk.result.Users++
	}
	for _, c := range p.Consents {
		if c.ClientID == "" {
			return fmt.Errorf("a consent of partner %s has no client id; give it one", p.TenantID)
		}
		if err := bulk.loadConsent(p.TenantID, c); err != nil {
			return fmt.Errorf("consent to app %s: %w", c.ClientID, err)
		}
	}
	for i := range p.IndirectResellers {
		r := &p.IndirectResellers[i]
		if r.TenantID == "" {
			return fmt.Errorf("indirect reseller %q of partner %s has no tenant id; give it one", r.Name, p.TenantID)
		}
		changed, err := bulk.putIndirectReseller(p.TenantID, r)
		if err != nil {
			return fmt.Errorf("indirect reseller %s: %w", r.TenantID, err)
		}
		// Any list may be filtered by the reseller's tenant id.
		bulk.changed.all = bulk.changed.all || changed
		bulk.result.IndirectResellers++
	}
	return bulk.loadCustomers(p.TenantID, p.Customers)
}

func (bulk *bulkTx) loadCustomers(partnerID string, customers []seed.Customer) error {
	for len(customers) > 0 {
		n := len(customers)
		if bulk.postgres != nil {
			var err error
			if n, err = bulk.lookAt(partnerID, customers); err != nil {
				return err
			}
		}
		for i := range customers[:n] {
			if err := bulk.loadCustomer(partnerID, &customers[i]); err != nil {
				return err
			}
		}
		if bulk.postgres != nil {
			if err := bulk.flush(); err != nil {
				return err
			}
		}
		customers = customers[n:]
	}
	return nil
}

func (bulk *bulkTx) loadCustomer(partnerID string, c *seed.Customer) error {
	id := c.Customer.ID
	if id == "" {
		return fmt.Errorf("a customer of partner %s has no id; give it one", partnerID)
	}
	document, err := bulk.completeCustomer(partnerID, c)
	if err != nil {
		return fmt.Errorf("customer %s: %w", id, err)
	}
	bulk.what = "customer " + id
	if err := bulk.putCustomer(partnerID, document, c.AgreementAccepted); err != nil {
		return fmt.Errorf("%s: %w", bulk.what, err)
	}
	bulk.result.Customers++
	for i := range c.Orders {
		o := &c.Orders[i]
		if o.ID == "" {
			return fmt.Errorf("an order of customer %s has no id; give it one", id)
		}
		bulk.what = "order " + o.ID + " of customer " + id
		if err := bulk.putOrder(partnerID, id, o); err != nil {
			return fmt.Errorf("%s: %w", bulk.what, err)
		}
		bulk.result.Orders++
	}
	for i := range c.Subscriptions {
		x := &c.Subscriptions[i]
		bulk.what = "subscription " + x.Subscription.ID + " of customer " + id
		if err := bulk.describeSubscription(partnerID, id, x); err != nil {
			return fmt.Errorf("%s: %w", bulk.what, err)
		}
		bulk.result.Subscriptions++
	}
	for i := range c.Carts {
		if err := bulk.addCart(partnerID, id, &c.Carts[i]); err != nil {
			return fmt.Errorf("cart %s of customer %s: %w", c.Carts[i].ID, id, err)
		}
		bulk.result.Carts++
	}
	return nil
}

// note counts a change of a customer.
func (bulk *bulkTx) note(partnerID, customerID string) {
	bulk.result.Changed++
	bulk.changed.customer(partnerID, customerID)
}
