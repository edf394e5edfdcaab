package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// sharedPool is a pool of connections for everything. The most frequent reads share trips to
// the database.
type sharedPool struct {
	*pgxpool.Pool
	lists     trips
	decisions trips // what orders and checkouts are decided by
}

// trips are those of one kind of read: what is asked for while all of them are under way
// goes with the next one. With one trip for each, as many processes of the database take
// turns, and most of the time goes into waking them up.
type trips struct {
	pool   *pgxpool.Pool
	pooled bool // the connections are those of a pooler
	most   int  // under way

	mu       sync.Mutex // guards the following
	underWay int
	waiting  []*sharedRead
}

// sharedRead is something to read.
type sharedRead struct {
	statement sharedStatement
	args      []string // partner, customer, and what of the customer's
	// row takes a row, whose values it must not keep. No row follows an error.
	row  func(values [][]byte) error
	err  error
	turn chan turn
}

// turn is what a read waits for.
type turn bool

const (
	answered turn = false // by the trip of another one
	leads    turn = true  // the next trip is its own
)

// maxTripReads bounds what a trip reads. A large list makes the others of its trip wait.
const maxTripReads = 8

// newSharedPool returns a pool. Meet, if not nil, is called with each connection to the
// server itself.
func newSharedPool(ctx context.Context, config *pgxpool.Config, pooled bool, meet func(context.Context, *pgx.Conn) error) (*sharedPool, error) {
	if !pooled {
		config.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
			if meet != nil {
				if err := meet(ctx, conn); err != nil {
					return err
				}
			}
			return prepareShared(ctx, conn)
		}
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	processors := runtime.GOMAXPROCS(0)
	return &sharedPool{
		Pool: pool,
		// With more, more processes of the database read its memory anew, each for itself.
		lists: trips{pool: pool, pooled: pooled, most: processors},
		// Orders come in groups: those whose commit is over are followed by the next.
		decisions: trips{pool: pool, pooled: pooled, most: max(1, processors/2)},
	}, nil
}

// sharedStatement is a statement about a customer of a partner, its first parameters.
type sharedStatement int

const (
	sharedList sharedStatement = iota
	sharedPricedList
	sharedAccount
	sharedCart
)

// sharedSQL are the statements. The rows of lists are those of listOrdersSQL.
var sharedSQL = [...]struct{ name, sql string }{
	sharedList:       {"partnercenter_list", fmt.Sprintf(listOrdersPostgresFormat, "o.doc")},
	sharedPricedList: {"partnercenter_list_priced", fmt.Sprintf(listOrdersPostgresFormat, "coalesce(o.priced_doc, o.doc)")},
	sharedAccount:    {"partnercenter_account", getAccountSQL},
	sharedCart:       {"partnercenter_cart", getCartSQL},
}

const listOrdersPostgresFormat = `
SELECT %s, o.visible, o.settled, o.facts
FROM customers c
LEFT JOIN orders o ON o.partner_id = c.partner_id AND o.customer_id = $2 AND o.system = 0
WHERE c.partner_id = $1 AND c.customer_id = $2 AND c.active = 1
ORDER BY o.created DESC, o.order_id DESC`

// prepareShared prepares the statements of a connection, in one trip.
func prepareShared(ctx context.Context, conn *pgx.Conn) error {
	trip := conn.PgConn().StartPipeline(ctx)
	for _, s := range sharedSQL {
		trip.SendPrepare(s.name, s.sql, nil)
	}
	err := trip.Sync()
	for range sharedSQL {
		if err == nil {
			_, err = trip.GetResults()
		}
	}
	if closeErr := trip.Close(); err == nil {
		err = closeErr
	}
	return err
}

// binaryResults asks for results as they are stored. Documents are the same as text.
var binaryResults = []int16{1}

// list does what [sqliteLists.list] does: documents go from the connection's buffer into
// the answer.
func (p *sharedPool) list(ctx context.Context, to *orderListing) error {
	found := false
	err := p.lists.read(ctx, &sharedRead{
		statement: sharedStatement(boolToInt(to.IncludePrice)), args: []string{to.PartnerID, to.CustomerID},
		row: func(row [][]byte) error {
			found = true
			if row[0] == nil {
				return nil // the customer has no such orders
			}
			visible, settled := bigint(row[1]), bigint(row[2])
			if !to.isVisible(visible, settled) {
				return nil
			}
			return to.add(row[0], row[3], settled)
		},
	})
	switch {
	case err != nil:
		return err
	case !found:
		return ErrNotYours
	}
	return to.checkItems()
}

// account reads what orders of a customer depend on. It fails with [sql.ErrNoRows].
func (p *sharedPool) account(ctx context.Context, partner, customer string) (a Account, err error) {
	found := false
	err = p.decisions.read(ctx, &sharedRead{
		statement: sharedAccount, args: []string{partner, customer},
		row: func(row [][]byte) error {
			found = true
			a = Account{MPNID: string(row[0]), Country: string(row[1]), Agreement: bigint(row[2]) != 0}
			return nil
		},
	})
	if err == nil && !found {
		err = sql.ErrNoRows
	}
	return a, err
}

// cart reads a cart, with those that place orders. It fails with [sql.ErrNoRows].
func (p *sharedPool) cart(ctx context.Context, partner, customer, id string) (row storedCart, err error) {
	found := false
	err = p.decisions.read(ctx, &sharedRead{
		statement: sharedCart, args: []string{partner, customer, id},
		row: func(values [][]byte) error {
			found = true
			if values[0] != nil {
				row = storedCart{doc: sql.NullString{String: string(values[0]), Valid: true}, facts: string(values[1]), revision: bigint(values[2])}
			}
			return nil
		},
	})
	if err == nil && !found {
		err = sql.ErrNoRows
	}
	return row, err
}

// read reads something.
func (t *trips) read(ctx context.Context, r *sharedRead) error {
	r.err, r.turn = errUnread, make(chan turn, 1)
	t.mu.Lock()
	if t.underWay < t.most {
		t.underWay++
		r.turn <- leads
	} else {
		t.waiting = append(t.waiting, r)
	}
	t.mu.Unlock()
	if <-r.turn == leads {
		t.lead(ctx, r)
	}
	return r.err
}

// lead takes a trip for a read, and for those that wait.
func (t *trips) lead(ctx context.Context, r *sharedRead) {
	t.mu.Lock()
	others := t.waiting[:min(len(t.waiting), maxTripReads-1)]
	together := append([]*sharedRead{r}, others...)
	t.waiting = slices.Delete(t.waiting, 0, len(others))
	t.mu.Unlock()
	defer func() { // also after a panic
		for _, other := range together[1:] {
			other.turn <- answered
		}
		t.mu.Lock()
		defer t.mu.Unlock()
		if len(t.waiting) == 0 {
			t.underWay--
			return
		}
		t.waiting[0].turn <- leads
		t.waiting = slices.Delete(t.waiting, 0, 1)
	}()
	t.trip(ctx, together)
}

// errUnread is the error of what is not read yet.
var errUnread = errors.New("it was not read")

// trip reads in one trip.
func (t *trips) trip(ctx context.Context, reads []*sharedRead) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTimeout)
	defer cancel()
	reads, err := t.tryTrip(ctx, reads)
	if err == nil {
		return
	}
	reads[0].err = err
	_, refused := errors.AsType[*pgconn.PgError](err)
	for _, r := range reads[1:] {
		if refused { // which is not about the others
			t.trip(ctx, []*sharedRead{r})
		} else {
			r.err = err
		}
	}
}

// tryTrip reads in one trip. It returns those that were not read: what the error is about,
// and what was to come after it.
func (t *trips) tryTrip(ctx context.Context, reads []*sharedRead) ([]*sharedRead, error) {
	conn, err := t.pool.Acquire(ctx)
	if err != nil {
		return reads, err
	}
	defer conn.Release()
	trip := conn.Conn().PgConn().StartPipeline(ctx)
	for _, r := range reads {
		args := make([][]byte, len(r.args))
		for i, arg := range r.args {
			args[i] = []byte(arg)
		}
		if statement := &sharedSQL[r.statement]; t.pooled {
			trip.SendQueryParams(statement.sql, args, nil, nil, binaryResults)
		} else {
			trip.SendQueryPrepared(statement.name, args, nil, binaryResults)
		}
	}
	err = trip.Sync()
	for err == nil && len(reads) > 0 {
		var results any
		if results, err = trip.GetResults(); err == nil {
			if err = reads[0].take(results.(*pgconn.ResultReader)); err == nil {
				reads = reads[1:]
			}
		}
	}
	if closeErr := trip.Close(); err == nil && len(reads) > 0 {
		err = closeErr
	}
	return reads, err
}

// take takes the rows. It returns errors of the database.
func (r *sharedRead) take(rows *pgconn.ResultReader) error {
	var err error
	for rows.NextRow() {
		if err == nil {
			err = r.row(rows.Values())
		}
	}
	if _, err := rows.Close(); err != nil {
		return err
	}
	r.err = err
	return nil
}

// bigint decodes a number as PostgreSQL sends it.
func bigint(b []byte) (n int64) {
	for _, c := range b {
		n = n<<8 | int64(c)
	}
	return n
}
