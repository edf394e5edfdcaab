package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
)

// side is a database or a backup, as copies read it: in the order of keys.
type side interface {
	// rows reads a table of what belongs to no customer.
	rows(ctx context.Context, t *copiedTable, convert converter) (rowReader, error)
	// customers reads the tables of what belongs to customers, from the customer after one
	// on, if that is not nil.
	customers(ctx context.Context, tables []*copiedTable, after *customerKey, convert converter) (customerReader, error)
}

// rowReader reads a table. The row is nil after the last one.
type rowReader interface {
	next() (row []any, err error)
	close()
}

// customerReader reads one customer after the other, and of each one table after the
// other. The row is nil after the last one; table is the number of its table.
type customerReader interface {
	next() (table int, row []any, key customerKey, err error)
	close()
}

// converter makes a row one that another database takes.
type converter func(t *copiedTable, row []any) error

// tableRows are rows of a table, in the order of its key.
type tableRows struct {
	*sql.Rows
	end     *copyEnd
	table   *copiedTable
	release func() error
	convert converter // may be nil
}

func (e *copyEnd) rows(ctx context.Context, t *copiedTable, convert converter) (rowReader, error) {
	return e.read(ctx, t, nil, convert)
}

// read reads a table in the order of its key, from the customer after one on, if that is
// not nil.
func (e *copyEnd) read(ctx context.Context, t *copiedTable, after *customerKey, convert converter) (_ *tableRows, err error) {
	query, args := "SELECT "+strings.Join(t.columns, ", ")+" FROM "+t.name, []any(nil)
	switch {
	case after != nil:
		query += " WHERE (partner_id, customer_id) > ($1, $2)"
		args = []any{after.partner, after.customer}
	case t.name == "settings":
		query += " WHERE name <> '" + settingCopy + "'"
		if e.seals != nil {
			query += " AND name <> '" + settingSealed + "'"
		}
	}
	query += " ORDER BY " + strings.Join(t.key, ", ")
	r := &tableRows{end: e, table: t, release: func() error { return nil }, convert: convert}
	conn := e.conn
	if e.postgres { // a connection answers one query at a time
		if conn, err = e.db.Conn(ctx); err != nil {
			return nil, e.wrap(err)
		}
		r.release = conn.Close
		if e.snapshot != "" {
			for _, statement := range []string{`BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY`, `SET TRANSACTION SNAPSHOT '` + e.snapshot + `'`} {
				if _, err := conn.ExecContext(ctx, statement); err != nil {
					return nil, errors.Join(e.wrap(err), conn.Close())
				}
			}
			r.release = func() error {
				_, err := conn.ExecContext(context.WithoutCancel(ctx), `COMMIT`)
				return errors.Join(err, conn.Close())
			}
		}
	}
	if r.Rows, err = conn.QueryContext(ctx, query, args...); err != nil { //nolint:rowserrcheck // by next
		return nil, errors.Join(e.wrap(err), r.release())
	}
	return r, nil
}

// next returns the next row, or nil after the last one.
func (r *tableRows) next() ([]any, error) {
	if !r.Next() {
		return nil, r.end.wrap(r.Err())
	}
	row := make([]any, len(r.table.columns))
	places := make([]any, len(row))
	for i := range row {
		places[i] = &row[i]
	}
	if err := r.Scan(places...); err != nil {
		return nil, r.end.wrap(err)
	}
	for i, value := range row {
		if b, is := value.([]byte); !r.table.nullable[i] && (value == nil || is && b == nil) {
			row[i] = []byte{} // as not every driver has it
		}
	}
	if err := r.end.openRow(r.table, row); err != nil {
		return nil, err
	}
	if r.convert != nil {
		return row, r.convert(r.table, row)
	}
	return row, nil
}

func (r *tableRows) close() {
	_ = r.Close()
	_ = r.release()
}

// converts returns what makes rows of the original, side 0, ones that the copy takes. Those
// of the copy, side 1, stay as they are.
func (c *copier) converts(side int) converter {
	if side == 0 && c.to.postgres {
		return c.convert
	}
	return nil
}

// convert makes a row one that PostgreSQL takes.
func (c *copier) convert(t *copiedTable, row []any) error {
	for i, value := range row {
		switch v := value.(type) {
		case int64:
			if t.kinds[i] == "integer" && v != int64(int32(v)) {
				return fmt.Errorf("the row %q of table %s has %d in column %s, which is more than PostgreSQL has room for there: correct it", t.keyOf(row), t.name, v, t.columns[i])
			}
		case string:
			valid := validText(v)
			if valid == v {
				continue
			}
			if !c.ReplaceInvalid || slices.Contains(t.at, i) {
				return &TextError{Table: t.name, Column: t.columns[i], Key: t.keyOf(row), IsKey: slices.Contains(t.at, i)}
			}
			row[i] = valid
			if !c.progress.Comparing {
				c.result.Replaced++
			}
		}
	}
	return nil
}

// keyOf returns the key of a row, to show it.
func (t *copiedTable) keyOf(row []any) (key []string) {
	for _, i := range t.at {
		if text, is := row[i].(string); is {
			key = append(key, text)
		} else {
			key = append(key, fmt.Sprintf("%x", row[i]))
		}
	}
	return key
}

// mergedRows are the rows of all customers, of all tables, one customer after the other.
type mergedRows struct {
	tables []*tableRows
	heads  [][]any // the next row of each
	keys   []customerKey
}

func (e *copyEnd) customers(ctx context.Context, tables []*copiedTable, after *customerKey, convert converter) (_ customerReader, err error) {
	m := &mergedRows{heads: make([][]any, len(tables)), keys: make([]customerKey, len(tables))}
	defer func() {
		if err != nil {
			m.close()
		}
	}()
	for i, t := range tables {
		rows, err := e.read(ctx, t, after, convert)
		if err != nil {
			return nil, err
		}
		m.tables = append(m.tables, rows)
		if err := m.advance(i); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func (m *mergedRows) advance(i int) (err error) {
	t := m.tables[i]
	if m.heads[i], err = t.next(); err == nil && m.heads[i] != nil {
		m.keys[i] = customerKey{m.heads[i][t.table.at[0]].(string), m.heads[i][t.table.at[1]].(string)}
	}
	return err
}

func (m *mergedRows) next() (table int, row []any, key customerKey, err error) {
	table = -1
	for i := range m.heads {
		if m.heads[i] != nil && (table < 0 || m.keys[i].compare(m.keys[table]) < 0) {
			table = i
		}
	}
	if table < 0 {
		return 0, nil, key, nil
	}
	row, key = m.heads[table], m.keys[table]
	return table, row, key, m.advance(table)
}

func (m *mergedRows) close() {
	for _, t := range m.tables {
		t.close()
	}
}

// customerDigest is the digest of what belongs to a customer.
type customerDigest struct {
	key    customerKey
	sum    [sha256.Size]byte
	orders int
	exists bool // as a customer: what belongs to none has one, too
}

// digester makes the digests of customers, whose rows come one after the other.
type digester struct {
	hash    hash.Hash
	buf     []byte
	open    bool
	current customerDigest
}

// add adds a row. It returns the digest of the customer before, if it is complete.
func (d *digester) add(t *copiedTable, row []any, key customerKey) (before *customerDigest) {
	if d.open && key != d.current.key {
		before = d.end()
	}
	if !d.open {
		if d.hash == nil {
			d.hash = sha256.New()
		}
		d.open, d.current = true, customerDigest{key: key}
	}
	switch t.name {
	case "customers":
		d.current.exists = true
	case "orders":
		d.current.orders++
	}
	d.buf = hashRow(d.hash, d.buf, t, row)
	return before
}

// end returns the digest of the last customer, or nil if there was none.
func (d *digester) end() *customerDigest {
	if !d.open {
		return nil
	}
	last := d.current
	d.hash.Sum(last.sum[:0])
	d.hash.Reset()
	d.open = false
	return &last
}

// digestsAtOnce is how many digests are passed on together.
const digestsAtOnce = 256

// digests reads all customers.
func (c *copier) digests(ctx context.Context, from side, convert converter, to chan<- []customerDigest) error {
	defer close(to)
	m, err := from.customers(ctx, c.ofCustomer, nil, convert)
	if err != nil {
		return err
	}
	defer m.close()
	var some []customerDigest
	send := func() bool {
		select {
		case to <- some:
			some = nil
			return true
		case <-ctx.Done():
			return false
		}
	}
	var d digester
	for {
		at, row, key, err := m.next()
		if err != nil {
			return err
		}
		var complete *customerDigest
		if row == nil {
			complete = d.end()
		} else {
			complete = d.add(c.ofCustomer[at], row, key)
		}
		if complete != nil {
			some = append(some, *complete)
			if len(some) >= digestsAtOnce && !send() {
				return ctx.Err()
			}
		}
		if row == nil {
			break
		}
	}
	if len(some) > 0 && !send() {
		return ctx.Err()
	}
	return nil
}

// hashRow adds a row to a digest. It uses buf.
func hashRow(h hash.Hash, buf []byte, t *copiedTable, row []any) []byte {
	buf = append(buf[:0], t.name...)
	for _, value := range row {
		switch v := value.(type) {
		case nil:
			buf = append(buf, 0)
		case int64:
			buf = binary.BigEndian.AppendUint64(append(buf, 1), uint64(v))
		case string:
			buf = append(binary.BigEndian.AppendUint64(append(buf, 2), uint64(len(v))), v...)
		case []byte:
			buf = append(binary.BigEndian.AppendUint64(append(buf, 3), uint64(len(v))), v...)
		default:
			panic(fmt.Sprintf("store: a value of type %T in table %s", value, t.name))
		}
	}
	_, _ = h.Write(buf) // never fails
	return buf
}

// compareCustomers reads both databases, and returns the customers in which they differ.
func (c *copier) compareCustomers(ctx context.Context) (different []customerKey, err error) {
	c.digest = sha256.New()
	c.result.Customers, c.result.Orders = 0, 0
	group, ctx := errgroup.WithContext(ctx)
	var sides [2]chan []customerDigest
	for i, s := range []side{c.from, c.to} {
		sides[i] = make(chan []customerDigest, 2)
		group.Go(func() error { return c.digests(ctx, s, c.converts(i), sides[i]) })
	}
	group.Go(func() error {
		var have [2][]customerDigest
		for {
			for i := range sides {
				if len(have[i]) == 0 {
					have[i] = <-sides[i] // nil at the end
				}
			}
			if len(have[0]) == 0 && len(have[1]) == 0 {
				return nil
			}
			var order int
			switch {
			case len(have[0]) == 0:
				order = 1
			case len(have[1]) == 0:
				order = -1
			default:
				order = have[0][0].key.compare(have[1][0].key)
			}
			if order != 0 {
				side := 0
				if order > 0 {
					side = 1
				}
				different = append(different, have[side][0].key)
				have[side] = have[side][1:]
				continue
			}
			if have[0][0].sum != have[1][0].sum {
				different = append(different, have[0][0].key)
			}
			c.count(&have[0][0])
			have[0], have[1] = have[0][1:], have[1][1:]
		}
	})
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return different, nil
}

// count adds a customer of the original to the result.
func (c *copier) count(d *customerDigest) {
	_, _ = c.digest.Write(d.sum[:])
	c.result.Orders += d.orders
	if d.exists {
		if c.result.Customers++; c.result.Customers%digestsAtOnce == 0 {
			c.tell(c.result.Customers)
		}
	}
}

// compareShared compares what belongs to no customer.
func (c *copier) compareShared(ctx context.Context) error {
	for _, t := range c.shared {
		var sums [2][]byte
		for i, s := range []side{c.from, c.to} {
			rows, err := s.rows(ctx, t, c.converts(i))
			if err != nil {
				return err
			}
			h, buf := sha256.New(), []byte(nil)
			row, err := rows.next()
			for ; row != nil && err == nil; row, err = rows.next() {
				buf = hashRow(h, buf, t, row)
			}
			rows.close()
			if err != nil {
				return err
			}
			sums[i] = h.Sum(nil)
		}
		if string(sums[0]) != string(sums[1]) {
			return &DifferenceError{Table: t.name}
		}
		_, _ = c.digest.Write(sums[0])
	}
	return nil
}
