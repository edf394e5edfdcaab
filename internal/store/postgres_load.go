package store

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/partnercenter-go/partnercenter/internal/seed"
)

// postgresLoad is what a load tells PostgreSQL together. One statement after the other
// would wait for the network each time.
type postgresLoad struct {
	customers map[string]bool   // by their keys: those that are being loaded, and whether they are new
	stored    map[string]string // documents of those that are there
	seen      map[string]bool   // keys of rows
	rows      map[*insertion][][]any
	queue     []queued
	last      []queued // what is executed once the queue is empty
}

// queued is a statement to execute.
type queued struct {
	query  string
	args   []any
	what   string // it is about
	result *bool  // what it returns, if anything
	then   func(changed bool) error
}

// Limits of what is told together.
const (
	loadedOrders    = 4000
	loadedCustomers = 1000
)

// lookAt reads what is known of the first customers, and returns how many they are. None of
// them is there twice.
func (bulk *bulkTx) lookAt(partnerID string, customers []seed.Customer) (n int, err error) {
	l := bulk.postgres
	l.customers, l.stored, l.seen, l.rows = map[string]bool{}, map[string]string{}, map[string]bool{}, map[*insertion][][]any{}
	var keys []string
	for orders := 0; n < len(customers) && n < loadedCustomers && orders < loadedOrders; n++ {
		c := &customers[n]
		key := idKey(c.Customer.ID)
		if _, again := l.customers[key]; again {
			break
		}
		// Orders that are there twice replace each other.
		l.customers[key] = !hasTwice(c)
		keys = append(keys, key)
		orders += len(c.Orders)
	}
	rows, err := bulk.QueryContext(bulk.ctx, `SELECT customer_id, doc FROM customers WHERE partner_id = $1 AND customer_id = ANY($2)`, idKey(partnerID), keys)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	for rows.Next() {
		var key, doc string
		if err := rows.Scan(&key, &doc); err != nil {
			return 0, err
		}
		l.customers[key], l.stored[key] = false, doc
	}
	return n, rows.Err()
}

// hasTwice reports whether an order of a customer is there twice.
func hasTwice(c *seed.Customer) bool {
	seen := make(map[string]bool, len(c.Orders))
	for i := range c.Orders {
		key := orderKey(c.Orders[i].ID)
		if seen[key] {
			return true
		}
		seen[key] = true
	}
	return false
}

// isNew reports whether a row is that of a new customer, who is its second column.
func (l *postgresLoad) isNew(row []any) bool { return l.customers[row[1].(string)] }

// copy adds a row of a new customer, unless one with the same key is there.
func (l *postgresLoad) copy(to *insertion, row []any) {
	var key strings.Builder
	key.WriteString(to.table)
	for _, part := range row[:to.key] {
		key.WriteString(" " + part.(string))
	}
	if !l.seen[key.String()] {
		l.seen[key.String()] = true
		l.rows[to] = append(l.rows[to], row)
	}
}

// upsertOrderSQL has the parameters of replaceOrderSQL. It returns whether the order was
// there, and nothing if it was the same.
var upsertOrderSQL = strings.TrimSuffix(insertOrder.query, "DO NOTHING") + `DO UPDATE SET
    created = excluded.created, billing_cycle = excluded.billing_cycle, system = excluded.system, partners_on_record = excluded.partners_on_record,
    doc = excluded.doc, priced_doc = excluded.priced_doc, revision = orders.revision + 1, visible = 0, settled = 0, facts = NULL
WHERE orders.doc <> excluded.doc OR orders.priced_doc IS DISTINCT FROM excluded.priced_doc
RETURNING revision > 0`

// putOrderPostgres writes an order, and calls stored. The subscriptions of all orders
// follow in their order, as a subscription belongs to the first one that has it.
func (bulk *bulkTx) putOrderPostgres(args []any, stored func(changed, replaced bool) error) error {
	if bulk.postgres.isNew(args) {
		bulk.postgres.copy(insertOrder, args)
		return stored(true, false)
	}
	replaced := new(bool)
	bulk.postgres.queue = append(bulk.postgres.queue, queued{
		query: upsertOrderSQL, args: args, what: bulk.what, result: replaced,
		then: func(changed bool) error { return stored(changed, *replaced) },
	})
	return nil
}

// flush executes what was told so far.
func (bulk *bulkTx) flush() error {
	return bulk.conn.Raw(func(conn any) error {
		c := conn.(*stdlib.Conn).Conn()
		for _, to := range []*insertion{insertCustomer, insertDomain, insertOrder, insertSubscription, insertCart} {
			if len(bulk.postgres.rows[to]) == 0 {
				continue
			}
			if _, err := c.CopyFrom(bulk.ctx, pgx.Identifier{to.table}, to.columns, pgx.CopyFromRows(bulk.postgres.rows[to])); err != nil {
				return err
			}
		}
		for len(bulk.postgres.queue)+len(bulk.postgres.last) > 0 {
			if len(bulk.postgres.queue) == 0 {
				bulk.postgres.queue, bulk.postgres.last = bulk.postgres.last, nil
			}
			now := bulk.postgres.queue
			bulk.postgres.queue = nil
			changed, err := execute(bulk.ctx, c, now)
			if err != nil {
				return err
			}
			for i := range now {
				if now[i].then == nil {
					continue
				}
				if err := now[i].then(changed[i]); err != nil {
					return fmt.Errorf("%s: %w", now[i].what, err)
				}
			}
		}
		return nil
	})
}

// execute executes statements, and returns which of them changed something.
func execute(ctx context.Context, conn *pgx.Conn, statements []queued) (_ []bool, err error) {
	b := new(pgx.Batch)
	for _, q := range statements {
		b.Queue(q.query, q.args...)
	}
	changed := make([]bool, len(statements))
	results := conn.SendBatch(ctx, b)
	defer func() { err = errors.Join(err, results.Close()) }()
	for i, q := range statements {
		if q.result != nil {
			err = results.QueryRow().Scan(q.result)
			changed[i] = err == nil
			if errors.Is(err, pgx.ErrNoRows) {
				err = nil
			}
		} else {
			var tag pgconn.CommandTag
			tag, err = results.Exec()
			changed[i] = tag.RowsAffected() > 0
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", q.what, err)
		}
	}
	return changed, nil
}
