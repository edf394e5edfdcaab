package store

import (
	"cmp"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"log/slog"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
)

// CopyOptions configure [Copy].
type CopyOptions struct {
	// ReplaceInvalid replaces what PostgreSQL does not take as text, NUL and what is no
	// UTF-8, by U+FFFD. Without it, a row with such a text is an error.
	ReplaceInvalid bool
	// Keys are those of both databases: the first seals the secrets of the copy.
	Keys DataKeys
	// Progress, if not nil, is called from time to time. Calls do not overlap.
	Progress func(CopyProgress)
	// Logger is told of waits for another program. Nil logs nothing.
	Logger *slog.Logger

	batchRows int // at most in a transaction; for tests
}

// CopyProgress is how far a copy is.
type CopyProgress struct {
	Comparing       bool // the copy is complete, and is compared with the original
	Customers, Of   int
	Orders, Skipped int // of this run, and customers that an earlier one copied
}

// CopyResult is what a [Copy] did.
type CopyResult struct {
	Customers, Orders int // in both databases
	// Resumed is how many customers an earlier run had copied, and Again how many were
	// copied again because they had changed since.
	Resumed, Again int
	Replaced       int // texts
	// Digest is that of everything, read back from both databases.
	Digest [sha256.Size]byte
}

// DifferenceError says that a copy is not like its original.
type DifferenceError struct {
	Table               string // of what belongs to no customer
	Partner, CustomerID string
}

func (e *DifferenceError) Error() string {
	what := fmt.Sprintf("table %s", e.Table)
	if e.Table == "" {
		what = fmt.Sprintf("customer %q of partner %q", e.CustomerID, e.Partner)
	}
	return "the copy is not like the original: the two differ in " + what + "; copy again into an empty database, and report this"
}

// TextError says that a text cannot be stored in PostgreSQL.
type TextError struct {
	Table, Column string
	Key           []string
	IsKey         bool // the text identifies the row
}

func (e *TextError) Error() string {
	next := "correct it, or have such texts replaced with --replace-invalid"
	if e.IsKey {
		next = "correct it"
	}
	return fmt.Sprintf("the row %q of table %s has a text in column %s that PostgreSQL does not take, as it has a NUL or is no UTF-8: %s", e.Key, e.Table, e.Column, next)
}

// settingCopy is the setting of a database into which a copy is under way.
const settingCopy = "copy"

// copyState is what is kept there.
type copyState struct {
	From    string    `json:"from"`
	Backup  string    `json:"backup,omitzero"` // the id of the backup that is restored, from that file
	Started time.Time `json:"started"`
	// Loaded says that a backup is restored and compared, and that its schema is to be
	// brought up to date.
	Loaded *CopyResult `json:"loaded,omitzero"`
	// Partner and Customer are the last customer that is copied completely, if any.
	Partner   string `json:"partner"`
	Customer  string `json:"customer"`
	Customers int    `json:"customers"`
}

// customerKey identifies a customer. Its order is that of rows.
type customerKey struct{ partner, customer string }

func (k customerKey) compare(to customerKey) int {
	return cmp.Or(strings.Compare(k.partner, to.partner), strings.Compare(k.customer, to.customer))
}

// copiedTable is a table as both databases have it.
type copiedTable struct {
	table
	columns  []string // by their names
	kinds    []string // of the target
	nullable []bool
	identity string // the column that PostgreSQL numbers
	at       []int  // of the key among the columns
}

// copier is a copy under way.
type copier struct {
	CopyOptions
	origin             copyState // what it is a copy of
	from               side
	to                 *copyEnd
	shared, ofCustomer []*copiedTable
	state              copyState
	progress           CopyProgress
	result             CopyResult
	digest             hash.Hash // of everything
}

// Copy copies a database into an empty one. It can be interrupted, and goes on when it is
// repeated. At the end both databases are read again, and compared. A database into which a
// copy has not ended cannot be opened.
func Copy(ctx context.Context, from, to string, options CopyOptions) (CopyResult, error) {
	if !IsPostgres(from) && !IsPostgres(to) {
		a, errA := os.Stat(from)
		b, errB := os.Stat(to)
		if errA == nil && errB == nil && os.SameFile(a, b) {
			return CopyResult{}, &OpenError{Path: to, Reason: ErrSame, Next: "name another database to copy into"}
		}
	}
	source, err := openSource(ctx, from, copySource)
	if err != nil {
		return CopyResult{}, err
	}
	defer source.close()
	if err := source.openSeals(ctx, options.Keys); err != nil {
		return CopyResult{}, err
	}
	c := newCopier(options, source)
	c.origin.From = source.name
	schema, err := source.schema(ctx)
	if err != nil {
		return CopyResult{}, err
	}
	if c.progress.Of, err = source.count(ctx, "customers"); err != nil {
		return CopyResult{}, err
	}
	if c.to, err = openTarget(ctx, to, copyTarget, source, c.Logger); err != nil {
		return CopyResult{}, err
	}
	c.to.seals = new(seals)
	c.to.seals.set(options.Keys)
	err = errors.Join(c.run(ctx, schema), c.to.close())
	if ctx.Err() != nil {
		err = ctx.Err() // an arbitrary error follows from it
	}
	return c.result, err
}

func newCopier(options CopyOptions, from side) *copier {
	options.Logger = cmp.Or(options.Logger, slog.New(slog.DiscardHandler))
	options.batchRows = cmp.Or(options.batchRows, 20_000)
	return &copier{CopyOptions: options, from: from}
}

// run copies everything, and makes the copy a database of its own.
func (c *copier) run(ctx context.Context, schema []*copiedTable) error {
	if err := c.fill(ctx, schema); err != nil {
		return err
	}
	return c.to.end(ctx)
}

// fill copies everything, and compares the copy.
func (c *copier) fill(ctx context.Context, schema []*copiedTable) error {
	if err := c.matchTables(ctx, schema); err != nil {
		return err
	}
	resumed, err := c.begin(ctx)
	if err != nil {
		return err
	}
	c.result.Resumed = c.state.Customers
	c.progress.Customers, c.progress.Skipped = c.state.Customers, c.state.Customers
	if err := c.copyShared(ctx); err != nil {
		return err
	}
	if err := c.copyCustomers(ctx, c.state.last(), nil); err != nil {
		return err
	}
	c.progress.Comparing = true
	different, err := c.compareCustomers(ctx)
	if err == nil && resumed && len(different) > 0 {
		if err = c.copyAgain(ctx, different); err == nil {
			different, err = c.compareCustomers(ctx)
		}
	}
	switch {
	case err != nil:
		return err
	case len(different) > 0:
		return &DifferenceError{Partner: different[0].partner, CustomerID: different[0].customer}
	}
	if err := c.removePartners(ctx); err != nil {
		return err
	}
	if err := c.compareShared(ctx); err != nil {
		return err
	}
	c.digest.Sum(c.result.Digest[:0])
	return nil
}

// matchTables compares the tables of the original with those of the copy.
func (c *copier) matchTables(ctx context.Context, schema []*copiedTable) error {
	for _, from := range schema {
		to, err := c.to.copied(ctx, from.table)
		if err != nil {
			return err
		}
		if !slices.Equal(from.columns, to.columns) {
			return fmt.Errorf("table %s: the columns of %s and %s are not the same: look at the schemas", to.name, c.origin.From, c.to.name)
		}
		if to.owner == ofCustomer {
			c.ofCustomer = append(c.ofCustomer, to)
		} else {
			c.shared = append(c.shared, to)
		}
	}
	return nil
}

// begin finds out where an earlier run ended, and reports whether there was one. What it
// left of a customer is removed.
func (c *copier) begin(ctx context.Context) (resumed bool, err error) {
	state, err := c.to.readState(ctx)
	switch {
	case err != nil:
		return false, err
	case state == nil:
		for _, t := range slices.Concat(c.shared, c.ofCustomer) {
			var n int
			if err := c.to.conn.QueryRowContext(ctx, `SELECT count(*) FROM (SELECT 1 FROM `+t.name+` LIMIT 1) t`).Scan(&n); err != nil {
				return false, c.to.wrap(err)
			}
			if n > 0 {
				return false, &OpenError{Path: c.to.name, Reason: ErrNotEmpty, Cause: fmt.Errorf("there are rows in table %s", t.name), Next: "choose an empty database to copy into"}
			}
		}
		c.state = c.origin
		c.state.Started = time.Now().UTC()
		return false, c.to.inTx(ctx, func() error { return c.to.writeState(ctx, &c.state) })
	case !state.isOf(&c.origin):
		return false, c.to.otherCopy(state)
	}
	c.state = *state
	return true, c.to.inTx(ctx, func() error {
		for _, t := range slices.Backward(c.ofCustomer) {
			query, args := `DELETE FROM `+t.name, []any(nil)
			if last := c.state.last(); last != nil {
				query += ` WHERE (partner_id, customer_id) > ($1, $2)`
				args = []any{last.partner, last.customer}
			}
			if err := c.to.exec(ctx, query, args...); err != nil {
				return err
			}
		}
		return nil
	})
}

// isOf reports whether a copy is of the same original as another one. A backup is the same
// wherever its file is.
func (s *copyState) isOf(other *copyState) bool {
	return s.Backup == other.Backup && (s.Backup != "" || s.From == other.From)
}

// otherCopy is the error for a database into which something else is copied.
func (e *copyEnd) otherCopy(state *copyState) error {
	return &OpenError{
		Path: e.name, Reason: ErrOtherCopy, Cause: fmt.Errorf("that of %s", state.From),
		Next: "go on with that one, or choose an empty database to copy into",
	}
}

// last returns the last customer that is copied completely.
func (s *copyState) last() *customerKey {
	if s.Customers == 0 {
		return nil
	}
	return &customerKey{s.Partner, s.Customer}
}

// readState returns how far a copy into the database is, or nil if none is under way.
func (e *copyEnd) readState(ctx context.Context) (*copyState, error) {
	state, err := readCopyState(ctx, e.conn)
	return state, e.wrap(err)
}

func readCopyState(ctx context.Context, q queryer) (*copyState, error) {
	var value []byte
	err := q.QueryRowContext(ctx, `SELECT value FROM settings WHERE name = $1`, settingCopy).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	state := new(copyState)
	return state, damagedBy(json.Unmarshal(value, state))
}

func (e *copyEnd) writeState(ctx context.Context, state *copyState) error {
	value, err := json.Marshal(state)
	if err != nil {
		return err
	}
	return e.exec(ctx, `INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value`, settingCopy, value)
}

// checkSchema fails if a copy into the database has not ended. It is for databases that may
// have no schema, and an older one, which is left as it is.
func (s *Store) checkSchema(ctx context.Context, db *sql.DB) error {
	exists := `SELECT count(*) > 0 FROM sqlite_schema WHERE name = $1`
	if s.pg != nil {
		exists = hasTableSQL
	}
	var is bool
	if err := db.QueryRowContext(ctx, exists, "settings").Scan(&is); err != nil || !is {
		return err
	}
	return s.checkCopied(ctx, db)
}

// checkCopied fails if a copy into the database has not ended.
func (s *Store) checkCopied(ctx context.Context, db *sql.DB) error {
	state, err := readCopyState(ctx, db)
	if err != nil || state == nil {
		return err
	}
	command := "copy"
	if state.Backup != "" {
		command = "restore"
	}
	return &OpenError{
		Path: s.Name(), Reason: ErrCopying,
		Next: "go on with it: partnercenter db " + command + " --from " + state.From + " --to " + s.Name(),
	}
}

// copyShared copies what belongs to no customer, in place of what is there of an earlier
// run. Partners that are there stay, because of their customers.
func (c *copier) copyShared(ctx context.Context) error {
	return c.to.inTx(ctx, func() error {
		for _, t := range slices.Backward(c.shared) {
			query := `DELETE FROM ` + t.name
			switch t.name {
			case "partners":
				continue
			case "settings":
				query += ` WHERE name <> '` + settingCopy + `'`
			}
			if err := c.to.exec(ctx, query); err != nil {
				return err
			}
		}
		for _, t := range c.shared {
			if err := c.copyTable(ctx, t); err != nil {
				return err
			}
		}
		return c.to.writeSeal(ctx)
	})
}

func (c *copier) copyTable(ctx context.Context, t *copiedTable) error {
	rows, err := c.from.rows(ctx, t, c.converts(0))
	if err != nil {
		return err
	}
	defer rows.close()
	put := func(some [][]any) error {
		if err := c.to.sealRows(t, some); err != nil {
			return err
		}
		return c.to.insert(ctx, t, some)
	}
	if t.name == "partners" {
		query := upsert(t.name, t.columns[t.at[0]:][:1], slices.Delete(slices.Clone(t.columns), t.at[0], t.at[0]+1))
		put = func(some [][]any) error {
			for _, row := range some {
				args := append([]any{row[t.at[0]]}, slices.Delete(slices.Clone(row), t.at[0], t.at[0]+1)...)
				if err := c.to.exec(ctx, query, args...); err != nil {
					return err
				}
			}
			return nil
		}
	}
	for {
		var some [][]any
		for size := 0; size < batchSize && len(some) < c.batchRows; {
			row, err := rows.next()
			if err != nil {
				return err
			}
			if row == nil {
				break
			}
			some, size = append(some, row), size+sizeOf(row)
		}
		if len(some) == 0 {
			break
		}
		if err := put(some); err != nil {
			return err
		}
	}
	if t.identity == "" {
		return nil
	}
	return c.to.exec(ctx, fmt.Sprintf(`SELECT setval(pg_get_serial_sequence('%[1]s', '%[2]s'), coalesce(max(%[2]s), 1), max(%[2]s) IS NOT NULL) FROM %[1]s`, t.name, t.identity))
}

// removePartners removes the partners that the original has not any more, and that have no
// customers.
func (c *copier) removePartners(ctx context.Context) error {
	i := slices.IndexFunc(c.shared, func(t *copiedTable) bool { return t.name == "partners" })
	var ids [2]map[string]bool
	for n, s := range []side{c.from, c.to} {
		rows, err := s.rows(ctx, c.shared[i], c.converts(n))
		if err != nil {
			return err
		}
		defer rows.close()
		ids[n] = map[string]bool{}
		for {
			row, err := rows.next()
			if err != nil {
				return err
			}
			if row == nil {
				break
			}
			ids[n][row[c.shared[i].at[0]].(string)] = true
		}
	}
	for id := range ids[1] {
		if !ids[0][id] {
			if err := c.to.exec(ctx, `DELETE FROM partners WHERE partner_id = $1`, id); err != nil {
				return err
			}
		}
	}
	return nil
}

// batchSize is about how many bytes are written in a transaction.
const batchSize = 8 << 20

// batch is what is written in one transaction.
type batch struct {
	rows        [][][]any // of each table
	count, size int
	state       copyState // with it
}

func sizeOf(row []any) (n int) {
	for _, value := range row {
		n += 16
		switch v := value.(type) {
		case string:
			n += len(v)
		case []byte:
			n += len(v)
		}
	}
	return n
}

// copyCustomers copies the customers after one, or the only ones.
func (c *copier) copyCustomers(ctx context.Context, after *customerKey, only map[customerKey]bool) error {
	batches := make(chan *batch, 1)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		defer close(batches)
		return c.readBatches(ctx, after, only, batches)
	})
	group.Go(func() error {
		for b := range batches {
			if err := c.writeBatch(ctx, b, only == nil); err != nil {
				return err
			}
		}
		return nil
	})
	return group.Wait()
}

func (c *copier) readBatches(ctx context.Context, after *customerKey, only map[customerKey]bool, to chan<- *batch) error {
	m, err := c.from.customers(ctx, c.ofCustomer, after, c.converts(0))
	if err != nil {
		return err
	}
	defer m.close()
	state := c.state
	b := &batch{rows: make([][][]any, len(c.ofCustomer))}
	send := func() bool {
		b.state = state
		select {
		case to <- b:
			b = &batch{rows: make([][][]any, len(c.ofCustomer))}
			return true
		case <-ctx.Done():
			return false
		}
	}
	var last *customerKey
	for {
		at, row, key, err := m.next()
		if err != nil {
			return err
		}
		if last != nil && (row == nil || key != *last) {
			state.Partner, state.Customer = last.partner, last.customer
			state.Customers++
		}
		if row == nil {
			break
		}
		if (b.count >= c.batchRows || b.size >= batchSize) && !send() {
			return ctx.Err()
		}
		last = &key
		if only != nil && !only[key] {
			continue
		}
		b.rows[at] = append(b.rows[at], row)
		b.count++
		b.size += sizeOf(row)
	}
	if !send() {
		return ctx.Err()
	}
	return nil
}

func (c *copier) writeBatch(ctx context.Context, b *batch, forward bool) error {
	err := c.to.inTx(ctx, func() error {
		for i, t := range c.ofCustomer {
			if len(b.rows[i]) == 0 {
				continue
			}
			if err := c.to.insert(ctx, t, b.rows[i]); err != nil {
				return err
			}
			if t.name == "orders" {
				c.progress.Orders += len(b.rows[i])
			}
		}
		if forward {
			return c.to.writeState(ctx, &b.state)
		}
		return nil
	})
	if err == nil && forward {
		c.state = b.state
		c.tell(b.state.Customers)
	}
	return err
}

func (c *copier) tell(customers int) {
	c.progress.Customers = min(customers, c.progress.Of)
	if c.Progress != nil {
		c.Progress(c.progress)
	}
}

// copyAgain replaces customers, or removes those that the original has not any more.
func (c *copier) copyAgain(ctx context.Context, different []customerKey) error {
	only := map[customerKey]bool{}
	err := c.to.inTx(ctx, func() error {
		if err := c.to.exec(ctx, `CREATE TEMPORARY TABLE different AS SELECT partner_id, customer_id FROM customers WHERE 1 = 0`); err != nil {
			return err
		}
		for _, key := range different {
			only[key] = true
			if err := c.to.exec(ctx, `INSERT INTO different VALUES ($1, $2)`, key.partner, key.customer); err != nil {
				return err
			}
		}
		for _, t := range slices.Backward(c.ofCustomer) {
			if err := c.to.exec(ctx, `DELETE FROM `+t.name+` WHERE (partner_id, customer_id) IN (SELECT partner_id, customer_id FROM different)`); err != nil {
				return err
			}
		}
		return c.to.exec(ctx, `DROP TABLE different`)
	})
	if err != nil {
		return err
	}
	c.result.Again = len(different)
	c.progress.Comparing = false
	err = c.copyCustomers(ctx, nil, only)
	c.progress.Comparing = true
	return err
}

// end makes a copy a database of its own.
func (e *copyEnd) end(ctx context.Context) error {
	before, after := `SET synchronous_commit = on`, `ANALYZE`
	if !e.postgres {
		before, after = `PRAGMA synchronous = FULL`, `PRAGMA wal_checkpoint(TRUNCATE)`
	}
	if err := e.exec(ctx, before); err != nil {
		return err
	}
	if err := e.exec(ctx, `DELETE FROM settings WHERE name = $1`, settingCopy); err != nil {
		return err
	}
	return e.exec(ctx, after)
}
