package main

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"text/tabwriter"
	"time"
)

const (
	// orderCustomers have ten orders each before orders are placed.
	orderCustomers = 3_000
	// buyers place orders concurrently.
	buyers = 16
	// pacedOrders are placed per second while others read.
	pacedOrders = 100
	// purchase is the order that is placed: seats of an online service, which create an
	// order and a subscription.
	purchase = `{"billingCycle":"monthly","lineItems":[{"lineItemNumber":0,"offerId":"CFQ7TTC0LH18:0001:CFQ7TTC0K59V","friendlyName":"Business Basic","quantity":5}]}`
)

// orderRow has the results of the rounds.
type orderRow struct{ raw, placed, readOnly, readBeside, beside []loadResult }

// measureOrders measures placing orders, each round on a new copy of one database.
func measureOrders(ctx context.Context, o *options, p programs) error {
	base := filepath.Join(o.dir, "place-base.db")
	customers := make([]numbered, orderCustomers)
	for n := range customers {
		customers[n] = numbered{customerID(10, n), 10, n}
	}
	if err := makeData(ctx, base, customers); err != nil {
		return fmt.Errorf("the database for orders: %w", err)
	}
	d, err := openData(ctx, base)
	if err != nil {
		return err
	}
	d.path = filepath.Join(o.dir, "place.db")
	b, err := newBencher(o, d, p)
	if err != nil {
		return err
	}
	var r orderRow
	for round := range o.rounds {
		if err := b.orderRound(ctx, base, &r); err != nil {
			return err
		}
		fmt.Fprintf(os.Stderr, "\rorders: round %d of %d   ", round+1, o.rounds)
	}
	fmt.Fprintln(os.Stderr)
	b.printOrders(&r)
	return nil
}

func removeDatabase(path string) error {
	var errs []error
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(path + suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func copyDatabase(from, to string) error {
	if err := removeDatabase(to); err != nil {
		return err
	}
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		return errors.Join(err, out.Close())
	}
	// So that this round's commits do not wait for the copy.
	return errors.Join(out.Sync(), out.Close())
}

// orderRound places orders through the server, writes rows of the same sizes without
// it, and reads while orders are placed.
func (b *bencher) orderRound(ctx context.Context, base string, r *orderRow) error {
	if err := copyDatabase(base, b.data.path); err != nil {
		return err
	}
	b.token = ""
	server, err := b.startServer(ctx)
	if err != nil {
		return err
	}
	stop := sync.OnceFunc(server.stop)
	defer stop()
	if err := b.fetchToken(ctx); err != nil {
		return err
	}
	paths := make([]string, orderCustomers)
	for n := range paths {
		paths[n] = ordersPath(10, n)
	}
	connections := b.options.connections
	defer func() { b.options.connections = connections }()

	read := loadPlan{Paths: paths, Token: b.token}
	if _, err := b.load(ctx, server, loadPlan{Paths: paths, Token: b.token, Once: true}); err != nil {
		return err
	}
	if err := b.measure(ctx, &r.readOnly, server, read); err != nil {
		return err
	}
	beside := make(chan error, 1)
	go func() {
		buyer := &bencher{options: &options{connections: 4, duration: b.options.duration}, programs: b.programs, address: b.address}
		beside <- buyer.measure(ctx, &r.beside, server, loadPlan{Paths: paths, Token: b.token, Body: purchase, Rate: pacedOrders})
	}()
	if err := b.measure(ctx, &r.readBeside, server, read); err != nil {
		return err
	}
	if err := <-beside; err != nil {
		return err
	}

	b.options.connections = buyers
	if err := b.measure(ctx, &r.placed, server, loadPlan{Paths: paths, Token: b.token, Body: purchase}); err != nil {
		return err
	}
	stop()

	rows, err := newestRows(ctx, b.data.path)
	if err != nil {
		return err
	}
	raw := filepath.Join(b.options.dir, "raw.db")
	if err := copyDatabase(base, raw); err != nil {
		return err
	}
	result, err := writeRows(ctx, raw, rows, b.options.duration)
	if err != nil {
		return err
	}
	r.raw = append(r.raw, result)
	return nil
}

// rowOf is a row of a table: its columns, and the values that an order wrote.
type rowOf struct {
	table   string
	columns []string
	values  []any
}

// newestRows returns the rows that an order wrote, one per table.
func newestRows(ctx context.Context, path string) ([]rowOf, error) {
	db, err := sql.Open("sqlite", "file:"+path+"?mode=ro")
	if err != nil {
		return nil, err
	}
	defer db.Close()
	var list []rowOf
	for _, from := range []string{"requests ORDER BY request_no DESC", "orders WHERE facts IS NOT NULL", "subscriptions WHERE facts IS NOT NULL"} {
		r, err := oneRow(ctx, db, from)
		if err != nil {
			return nil, err
		}
		list = append(list, r)
	}
	return list, nil
}

func oneRow(ctx context.Context, db *sql.DB, from string) (rowOf, error) {
	var r rowOf
	rows, err := db.QueryContext(ctx, "SELECT * FROM "+from+" LIMIT 1")
	if err != nil {
		return r, err
	}
	defer rows.Close()
	r.table, _, _ = strings.Cut(from, " ")
	if r.columns, err = rows.Columns(); err != nil {
		return r, err
	}
	r.values = make([]any, len(r.columns))
	into := make([]any, len(r.columns))
	for i := range into {
		into[i] = &r.values[i]
	}
	if !rows.Next() {
		return r, errors.Join(fmt.Errorf("no row in %s", from), rows.Err())
	}
	return r, rows.Scan(into...)
}

// rawRow is the rows of one order on their way to the disk.
type rawRow struct {
	values [][]any
	done   chan error
}

// writeRows writes rows like those of orders as fast as the driver accepts them, from
// as many goroutines as there are buyers, with those that wait in one commit. Nothing
// is read, decided, encoded or answered.
func writeRows(ctx context.Context, path string, rows []rowOf, duration time.Duration) (loadResult, error) {
	settings := url.Values{
		"_journal_mode": {"WAL"}, "_synchronous": {"FULL"}, "_txlock": {"immediate"}, "_busy_timeout": {"10000"}, "_foreign_keys": {"1"},
		"_pragma": {"cache_size(-2048)", "mmap_size(2147418112)", "temp_store(memory)", "journal_size_limit(67108864)"},
	}
	db, err := sql.Open("sqlite", "file:"+path+"?"+settings.Encode())
	if err != nil {
		return loadResult{}, err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	var stmts []*sql.Stmt
	for _, r := range rows {
		places := make([]string, len(r.columns))
		for i := range places {
			places[i] = "$" + fmt.Sprint(i+1)
		}
		stmt, err := db.PrepareContext(ctx, "INSERT INTO "+r.table+" ("+strings.Join(r.columns, ", ")+") VALUES ("+strings.Join(places, ", ")+")")
		if err != nil {
			return loadResult{}, err
		}
		defer stmt.Close()
		stmts = append(stmts, stmt)
	}
	queue := make(chan *rawRow, buyers)
	go commitRows(ctx, db, stmts, queue)
	defer close(queue)
	var count atomic.Int64
	deadline := time.Now().Add(duration)
	return sideBySide(buyers, func(int) (latencies []time.Duration, written int64, err error) {
		for err == nil && time.Now().Before(deadline) {
			at := time.Now()
			row := &rawRow{values: fresh(rows, int(count.Add(1))), done: make(chan error, 1)}
			queue <- row
			err = <-row.done
			latencies = append(latencies, time.Since(at))
		}
		return latencies, int64(len(latencies)), err
	})
}

// fresh returns the rows with new keys, for a random customer.
func fresh(rows []rowOf, n int) [][]any {
	customer := customerID(10, rand.IntN(orderCustomers))
	var key [16]byte
	binary.BigEndian.PutUint64(key[:], rand.Uint64())
	binary.BigEndian.PutUint64(key[8:], uint64(n))
	order := fmt.Sprintf("%x", key[:6]) // a count could be the id of an existing order of the customer
	list := make([][]any, len(rows))
	for i, r := range rows {
		values := slices.Clone(r.values)
		for j, column := range r.columns {
			switch column {
			case "request_no":
				values[j] = nil
			case "key":
				values[j] = key[:]
			case "customer_id":
				values[j] = customer
			case "order_id":
				values[j] = order
			case "subscription_id":
				values[j] = fmt.Sprintf("%x-0000-4000-8000-%x", key[:4], key[4:10])
			}
		}
		list[i] = values
	}
	return list
}

// commitRows commits rows as they arrive, together with those that arrived in the
// meantime.
func commitRows(ctx context.Context, db *sql.DB, stmts []*sql.Stmt, queue <-chan *rawRow) {
	for row := range queue {
		batch := []*rawRow{row}
	gather:
		for {
			select {
			case more, open := <-queue:
				if !open {
					break gather
				}
				batch = append(batch, more)
			default:
				break gather
			}
		}
		err := func() error {
			tx, err := db.BeginTx(ctx, nil)
			if err != nil {
				return err
			}
			defer func() { _ = tx.Rollback() }() // no effect after a commit
			for _, row := range batch {
				for i, values := range row.values {
					if _, err := tx.StmtContext(ctx, stmts[i]).ExecContext(ctx, values...); err != nil { //nolint:sqlclosecheck // closed with the transaction
						return err
					}
				}
			}
			return tx.Commit()
		}()
		for _, row := range batch {
			row.done <- err
		}
	}
}

func (b *bencher) printOrders(r *orderRow) {
	fmt.Printf("\nplacing orders: %d connections, %d customers with 10 orders at first, SQLite with synchronous=FULL; medians of %d interleaved rounds of %s; %d cores, %s\n\n",
		buyers, orderCustomers, b.options.rounds, b.options.duration, runtime.NumCPU(), runtime.Version())
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "what\tper second\tratio\twanted\tp50\tp99\t")
	line := func(what string, results, limit []loadResult, want float64) {
		m := middle(results)
		fmt.Fprintf(w, "%s\t%.0f\t%.2f\t%s\t%s\t%s\t\n", what, m.rate(), ratio(results, limit), wantedText(want), short(m.P50), short(m.P99))
	}
	line("the same rows, straight to the driver", r.raw, r.raw, 0)
	line("orders placed", r.placed, r.raw, 0.5)
	line("lists of 10, read only", r.readOnly, r.readOnly, 0)
	line(fmt.Sprintf("lists of 10, %.0f orders/s beside", middle(r.beside).rate()), r.readBeside, r.readOnly, 0.7)
	w.Flush()
}
