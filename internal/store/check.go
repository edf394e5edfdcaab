package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

var (
	besideServers  = access{program: "partnercenter db check", beside: true}
	withoutServers = access{program: "partnercenter db check", writes: true}
)

// Finding is something in a database that is not as it has to be.
type Finding struct {
	Kind     string `json:"kind"` // one of the Find constants
	Partner  string `json:"partner,omitzero"`
	Customer string `json:"customer,omitzero"`
	Order    string `json:"order,omitzero"`
	What     string `json:"what"`
	// Repairable says that what it has to be follows from documents, and Repaired that it
	// was made so.
	Repairable bool `json:"repairable"`
	Repaired   bool `json:"repaired,omitzero"`

	repair []repair
}

// repair is a statement that repairs something.
type repair struct {
	query string
	args  []any
}

// Kinds of findings.
const (
	FindDocument     = "document"     // it cannot be read, or is another one's
	FindColumn       = "column"       // it is not what the document says
	FindSubscription = "subscription" // it is not that of a line of its order
	FindLink         = "link"         // it names something else than the document
	FindRevision     = "revision"     // no change counts so
	FindOrphan       = "orphan"       // what it belongs to is not there
	FindDuplicate    = "duplicate"    // its key is there more than once
	FindCounter      = "counter"      // it is not the number of what it counts
	FindFile         = "file"         // SQLite's file itself is damaged
)

// CheckOptions configure [Check].
type CheckOptions struct {
	Repair   bool
	Progress func(CopyProgress) // if not nil, is called from time to time; calls do not overlap
}

// CheckResult is what a check has found.
type CheckResult struct {
	Database  string    `json:"database"` // without a password
	Made      time.Time `json:"made"`     // the moment of which it is
	Customers int       `json:"customers"`
	Orders    int       `json:"orders"`
	Findings  []Finding `json:"findings"` // those that were repaired, too
}

// Left returns how many findings are not repaired.
func (r *CheckResult) Left() (left int) {
	for i := range r.Findings {
		if !r.Findings[i].Repaired {
			left++
		}
	}
	return left
}

// mostRounds is how often a repair looks again: what is repaired may show what else is
// wrong.
const mostRounds = 3

// Check looks for what does not fit together in a database as it is at one moment. Servers
// may use it meanwhile, but for a repair, which changes what follows from documents, and
// nothing else.
func Check(ctx context.Context, database string, o CheckOptions) (_ *CheckResult, err error) {
	if !o.Repair {
		e, err := openSource(ctx, database, besideServers)
		if err != nil {
			return nil, err
		}
		defer e.close()
		return e.check(ctx, o)
	}
	e, err := openTarget(ctx, database, withoutServers, nil, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, e.close()) }()
	if state, err := e.readState(ctx); err != nil || state != nil {
		return nil, cmp.Or(err, e.refuse(ErrCopying, "go on with that copy first"))
	}
	var repaired []Finding
	for round := 1; ; round++ {
		if err := e.begin(ctx); err != nil {
			return nil, err
		}
		r, err := e.check(ctx, o)
		if ended := e.exec(context.WithoutCancel(ctx), `COMMIT`); err == nil {
			err = ended
		}
		e.snapshot = ""
		if err != nil {
			return nil, err
		}
		some := slices.Clone(r.Findings)
		some = slices.DeleteFunc(some, func(f Finding) bool { return !f.Repairable })
		if len(some) == 0 || round > mostRounds {
			r.Findings = append(repaired, r.Findings...)
			slices.SortStableFunc(r.Findings, compareFindings)
			return r, nil
		}
		if err := e.repair(ctx, some); err != nil {
			return nil, err
		}
		repaired = append(repaired, some...)
	}
}

// repair repairs what was found, each customer in a transaction of its own.
func (e *copyEnd) repair(ctx context.Context, some []Finding) error {
	for first := 0; first < len(some); {
		end := first + 1
		for end < len(some) && some[end].Partner == some[first].Partner && some[end].Customer == some[first].Customer {
			end++
		}
		err := e.inTx(ctx, func() error {
			for i := first; i < end; i++ {
				for _, r := range some[i].repair {
					if err := e.exec(ctx, r.query, r.args...); err != nil {
						return fmt.Errorf("repair of %s: %w", some[i].What, err)
					}
				}
				some[i].Repaired = true
			}
			return nil
		})
		if err != nil {
			return err
		}
		first = end
	}
	return nil
}

func compareFindings(a, b Finding) int {
	return cmp.Or(cmp.Compare(a.Partner, b.Partner), cmp.Compare(a.Customer, b.Customer), cmp.Compare(a.Order, b.Order),
		cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.What, b.What))
}

// checkedTable is a table with the columns that a check reads, in their order.
func checkedTable(name string, columns ...string) *copiedTable {
	i := slices.IndexFunc(tables, func(t table) bool { return t.name == name })
	t := &copiedTable{table: tables[i], columns: columns, nullable: make([]bool, len(columns))}
	for i, column := range columns {
		t.nullable[i] = column == "priced_doc" || column == "facts" || name == "subscriptions" && column == "doc"
	}
	for _, key := range t.key {
		t.at = append(t.at, slices.Index(columns, key))
	}
	return t
}

// Tables of customers, by their place in checkedTables.
const (
	customerRow = iota
	domainRow
	orderRow
	subscriptionRow
	attachmentRow
	cartRow
	answerRow

	rowTables // how many there are
)

var checkedTables = []*copiedTable{
	customerRow:     checkedTable("customers", slices.Concat([]string{"partner_id", "customer_id"}, customerColumns)...),
	domainRow:       checkedTable("customer_domains", "partner_id", "customer_id", "domain"),
	orderRow:        checkedTable("orders", slices.Concat([]string{"partner_id", "customer_id", "order_id"}, orderColumns, []string{"revision", "visible", "settled", "facts"})...),
	subscriptionRow: checkedTable("subscriptions", slices.Concat(insertSubscription.columns, []string{"doc", "facts"})...),
	attachmentRow:   checkedTable("attachments", "partner_id", "customer_id", "order_id", "attachment_id", "position", "metadata", "size", "length(content)"),
	cartRow:         checkedTable("carts", "partner_id", "customer_id", "cart_id", "revision", "doc", "facts"),
	answerRow:       checkedTable("requests", "partner_id", "customer_id", "key", "status", "location", "body"),
}

// checkedCustomer is a customer with all that belongs to it.
type checkedCustomer struct {
	customerKey
	rows [rowTables][][]any // of each of checkedTables
}

// check looks for what does not fit together.
func (e *copyEnd) check(ctx context.Context, o CheckOptions) (*CheckResult, error) {
	r := &CheckResult{Database: e.name, Made: time.Now().UTC().Truncate(time.Millisecond), Findings: []Finding{}}
	progress := CopyProgress{}
	var err error
	if progress.Of, err = e.count(ctx, "customers"); err != nil {
		return nil, err
	}
	k := &checker{end: e, partners: map[string]bool{}}
	if !e.postgres {
		if err := k.checkFile(ctx); err != nil {
			return nil, err
		}
	}
	if err := k.checkShared(ctx); err != nil {
		return nil, err
	}
	customers := make(chan *checkedCustomer, 64)
	group, within := errgroup.WithContext(ctx)
	group.Go(func() error {
		defer close(customers)
		return e.readCustomers(within, customers, func(c *checkedCustomer) {
			r.Orders += len(c.rows[orderRow])
			if len(c.rows[customerRow]) == 0 {
				return
			}
			r.Customers++
			if progress.Customers = min(r.Customers, progress.Of); o.Progress != nil && r.Customers%digestsAtOnce == 0 {
				progress.Orders = r.Orders
				o.Progress(progress)
			}
		})
	})
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() error {
			for c := range customers {
				if err := k.checkCustomer(c); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, cmp.Or(ctx.Err(), err)
	}
	r.Findings = append(r.Findings, k.findings...)
	slices.SortFunc(r.Findings, compareFindings)
	return r, nil
}

// readCustomers passes customers on, one by one.
func (e *copyEnd) readCustomers(ctx context.Context, to chan<- *checkedCustomer, count func(*checkedCustomer)) error {
	m, err := e.customers(ctx, checkedTables, nil, nil)
	if err != nil {
		return err
	}
	defer m.close()
	var c *checkedCustomer
	for {
		at, row, key, err := m.next()
		if err != nil {
			return err
		}
		if c != nil && (row == nil || key != c.customerKey) {
			count(c)
			select {
			case to <- c:
				c = nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		if row == nil {
			return nil
		}
		if c == nil {
			c = &checkedCustomer{customerKey: key}
		}
		c.rows[at] = append(c.rows[at], row)
	}
}

// checker checks a database.
type checker struct {
	end      *copyEnd
	partners map[string]bool // that are there

	mu       sync.Mutex // guards findings
	findings []Finding
}

func (k *checker) found(some ...Finding) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, f := range some {
		f.Repairable = len(f.repair) > 0
		k.findings = append(k.findings, f)
	}
}

// checkFile has SQLite look at its own file.
func (k *checker) checkFile(ctx context.Context) error {
	rows, err := k.end.conn.QueryContext(ctx, `PRAGMA integrity_check`)
	if err != nil {
		return k.end.wrap(err)
	}
	defer rows.Close()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return k.end.wrap(err)
		}
		if text != "ok" {
			k.found(Finding{Kind: FindFile, What: text})
		}
	}
	return k.end.wrap(rows.Err())
}

// checkShared checks what belongs to no customer.
func (k *checker) checkShared(ctx context.Context) error {
	if err := k.each(ctx, `SELECT partner_id FROM partners`, func(text []string, _ []int64) {
		k.partners[text[0]] = true
	}, 1, 0); err != nil {
		return err
	}
	apps, users, signIns := map[string]string{}, map[string]string{}, map[string]bool{}
	for _, read := range []struct {
		query         string
		texts, number int
		row           func(text []string, number []int64)
	}{
		{`SELECT partner_id, client_id, certificates, redirect_uris FROM apps ORDER BY partner_id, client_id`, 4, 0, func(text []string, _ []int64) {
			k.ofPartner(text[0], "app "+text[1])
			for i, list := range []string{"certificates", "redirect_uris"} {
				if !isArray(text[2+i]) {
					k.found(Finding{Kind: FindDocument, Partner: text[0], What: fmt.Sprintf("%s of app %s is no list in JSON", list, text[1])})
				}
			}
			k.once(apps, text[1], text[0], "app "+text[1])
		}},
		{`SELECT partner_id, upn_key, upn FROM users ORDER BY partner_id, upn_key`, 3, 0, func(text []string, _ []int64) {
			k.ofPartner(text[0], "user "+text[2])
			if text[1] != fold(text[2]) {
				k.found(Finding{Kind: FindColumn, Partner: text[0], What: fmt.Sprintf("user %s has the key %q", text[2], text[1])})
			}
			k.once(users, text[1], text[0], "user "+text[2])
		}},
		{`SELECT partner_id, reseller_id FROM indirect_resellers ORDER BY partner_id, reseller_id`, 2, 0, func(text []string, _ []int64) {
			k.ofPartner(text[0], "indirect reseller "+text[1])
		}},
		{`SELECT kind, id, revision FROM sign_ins ORDER BY kind, id`, 2, 1, func(text []string, number []int64) {
			name := text[0] + " " + text[1]
			if number[0] < 1 {
				k.found(Finding{Kind: FindRevision, What: fmt.Sprintf("the revision of a sign-in of kind %s is %d", text[0], number[0])})
			}
			if signIns[name] {
				k.found(Finding{Kind: FindDuplicate, What: "a sign-in of kind " + text[0] + " is there more than once"})
			}
			signIns[name] = true
		}},
	} {
		if err := k.each(ctx, read.query, read.row, read.texts, read.number); err != nil {
			return err
		}
	}
	if k.end.postgres {
		return k.checkSequence(ctx)
	}
	return nil
}

// each calls row for each row of a query, whose columns are texts and then numbers.
func (k *checker) each(ctx context.Context, query string, row func(text []string, number []int64), texts, numbers int) error {
	rows, err := k.end.conn.QueryContext(ctx, query)
	if err != nil {
		return k.end.wrap(err)
	}
	defer rows.Close()
	text, number := make([]string, texts), make([]int64, numbers)
	var places []any
	for i := range text {
		places = append(places, &text[i])
	}
	for i := range number {
		places = append(places, &number[i])
	}
	for rows.Next() {
		if err := rows.Scan(places...); err != nil {
			return k.end.wrap(err)
		}
		row(text, number)
	}
	return k.end.wrap(rows.Err())
}

// ofPartner finds what belongs to a partner that is not there.
func (k *checker) ofPartner(partner, what string) {
	if !k.partners[partner] {
		k.found(Finding{Kind: FindOrphan, Partner: partner, What: what + " is there without its partner"})
	}
}

// once finds what only one partner can have.
func (k *checker) once(seen map[string]string, key, partner, what string) {
	if first, is := seen[key]; is {
		k.found(Finding{Kind: FindDuplicate, Partner: partner, What: what + " is also that of partner " + first})
	}
	seen[key] = partner
}

// checkSequence finds numbers that PostgreSQL would give again.
func (k *checker) checkSequence(ctx context.Context) error {
	var name string
	if err := k.end.conn.QueryRowContext(ctx, `SELECT pg_get_serial_sequence('sign_ins', 'sign_in_no')`).Scan(&name); err != nil {
		return k.end.wrap(err)
	}
	var next int64
	var last sql.NullInt64
	err := k.end.conn.QueryRowContext(ctx, `
SELECT (SELECT CASE WHEN is_called THEN last_value + 1 ELSE last_value END FROM `+name+`), (SELECT max(sign_in_no) FROM sign_ins)`).Scan(&next, &last)
	if err == nil && next <= last.Int64 {
		k.found(Finding{
			Kind: FindCounter, What: fmt.Sprintf("the next sign-in gets the number %d, and that of the last one is %d", next, last.Int64),
			repair: []repair{{`SELECT setval($1::regclass, $2)`, []any{name, last.Int64}}},
		})
	}
	return k.end.wrap(err)
}
