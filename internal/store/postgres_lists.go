package store

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// listPool is a pool of connections for lists, and for everything else. Lists share trips
// to the database: those that are asked for while all trips are under way go with the next
// one. With one trip for each list, as many processes of the database take turns, and most
// of the time goes into waking them up.
type listPool struct {
	*pgxpool.Pool
	pooled bool // the connections are those of a pooler

	mu      sync.Mutex // guards the following
	trips   int        // under way
	waiting []*listCall
}

// listCall is a list that is asked for.
type listCall struct {
	*orderListing
	err  error
	turn chan turn
}

// turn is what a call waits for.
type turn bool

const (
	answered turn = false // by the trip of another one
	leads    turn = true  // the next trip is its own
)

// Bounds of trips. A large list makes the others of its trip wait.
const (
	maxTripLists     = 8
	tripsByProcessor = 2
)

// newListPool returns a pool. Meet, if not nil, is called with each connection to the
// server itself.
func newListPool(ctx context.Context, config *pgxpool.Config, pooled bool, meet func(context.Context, *pgx.Conn) error) (*listPool, error) {
	if !pooled {
		config.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
			if meet != nil {
				if err := meet(ctx, conn); err != nil {
					return err
				}
			}
			return prepareLists(ctx, conn)
		}
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	return &listPool{Pool: pool, pooled: pooled}, err
}

// Names of the statements of lists.
var listNames = [2]string{"partnercenter_list", "partnercenter_list_priced"}

// listOrdersPostgresSQL are the statements without and with prices. Their rows are those
// of listOrdersSQL.
var listOrdersPostgresSQL = [2]string{
	fmt.Sprintf(listOrdersPostgresFormat, "o.doc"),
	fmt.Sprintf(listOrdersPostgresFormat, "coalesce(o.priced_doc, o.doc)"),
}

const listOrdersPostgresFormat = `
SELECT %s, o.visible, o.settled, o.facts
FROM customers c
LEFT JOIN orders o ON o.partner_id = c.partner_id AND o.customer_id = $2 AND o.system = 0
WHERE c.partner_id = $1 AND c.customer_id = $2 AND c.active = 1
ORDER BY o.created DESC, o.order_id DESC`

// prepareLists prepares the most frequent statements of a connection.
func prepareLists(ctx context.Context, conn *pgx.Conn) error {
	for i, name := range listNames {
		if _, err := conn.PgConn().Prepare(ctx, name, listOrdersPostgresSQL[i], nil); err != nil {
			return err
		}
	}
	return nil
}

// binaryResults asks for results as they are stored. Documents are the same as text.
var binaryResults = []int16{1}

// list does what [sqliteLists.list] does: documents go from the connection's buffer into
// the answer.
func (p *listPool) list(ctx context.Context, to *orderListing) error {
	call := &listCall{orderListing: to, err: errUnread, turn: make(chan turn, 1)}
	p.mu.Lock()
	if p.trips < tripsByProcessor*runtime.GOMAXPROCS(0) {
		p.trips++
		call.turn <- leads
	} else {
		p.waiting = append(p.waiting, call)
	}
	p.mu.Unlock()
	if <-call.turn == leads {
		p.lead(ctx, call)
	}
	return call.err
}

// lead takes a trip for a call, and for those that wait.
func (p *listPool) lead(ctx context.Context, call *listCall) {
	p.mu.Lock()
	others := p.waiting[:min(len(p.waiting), maxTripLists-1)]
	together := append([]*listCall{call}, others...)
	p.waiting = slices.Delete(p.waiting, 0, len(others))
	p.mu.Unlock()
	defer func() { // also after a panic
		for _, other := range together[1:] {
			other.turn <- answered
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		if len(p.waiting) == 0 {
			p.trips--
			return
		}
		p.waiting[0].turn <- leads
		p.waiting = slices.Delete(p.waiting, 0, 1)
	}()
	p.trip(ctx, together)
}

// errUnread is the error of a list that is not read yet.
var errUnread = errors.New("the list was not read")

// trip reads lists in one trip.
func (p *listPool) trip(ctx context.Context, calls []*listCall) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTimeout)
	defer cancel()
	calls, err := p.readLists(ctx, calls)
	if err == nil {
		return
	}
	calls[0].err = err
	_, refused := errors.AsType[*pgconn.PgError](err)
	for _, call := range calls[1:] {
		if refused { // which is not about the others
			p.trip(ctx, []*listCall{call})
		} else {
			call.err = err
		}
	}
}

// readLists reads lists in one trip. It returns those that were not read: what the error is
// about, and what was to come after it.
func (p *listPool) readLists(ctx context.Context, calls []*listCall) ([]*listCall, error) {
	conn, err := p.Acquire(ctx)
	if err != nil {
		return calls, err
	}
	defer conn.Release()
	trip := conn.Conn().PgConn().StartPipeline(ctx)
	for _, call := range calls {
		args := [][]byte{[]byte(call.PartnerID), []byte(call.CustomerID)}
		if which := boolToInt(call.IncludePrice); p.pooled {
			trip.SendQueryParams(listOrdersPostgresSQL[which], args, nil, nil, binaryResults)
		} else {
			trip.SendQueryPrepared(listNames[which], args, nil, binaryResults)
		}
	}
	err = trip.Sync()
	for err == nil && len(calls) > 0 {
		var results any
		if results, err = trip.GetResults(); err == nil {
			if err = calls[0].read(results.(*pgconn.ResultReader)); err == nil {
				calls = calls[1:]
			}
		}
	}
	if closeErr := trip.Close(); err == nil && len(calls) > 0 {
		err = closeErr
	}
	return calls, err
}

// read reads one list. It returns errors of the database.
func (c *listCall) read(rows *pgconn.ResultReader) error {
	found := false
	var err error
	for rows.NextRow() {
		found = true
		row := rows.Values()
		if row[0] == nil || err != nil {
			continue // the customer has no such orders
		}
		visible, settled := bigint(row[1]), bigint(row[2])
		if c.isVisible(visible, settled) {
			err = c.add(row[0], row[3], settled)
		}
	}
	if _, err := rows.Close(); err != nil {
		return err
	}
	switch {
	case err != nil:
		c.err = err
	case !found:
		c.err = ErrNotYours
	default:
		c.err = c.checkItems()
	}
	return nil
}

// bigint decodes a number as PostgreSQL sends it.
func bigint(b []byte) (n int64) {
	for _, c := range b {
		n = n<<8 | int64(c)
	}
	return n
}
