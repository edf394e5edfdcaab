package main

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"text/tabwriter"
	"time"

	"github.com/partnercenter-go/partnercenter/internal/postgrestest"
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
type orderRow struct{ raw, placed, checkedOut, readOnly, readBeside, beside []loadResult }

// orderDatabase is where orders are placed.
type orderDatabase interface {
	// makeBase makes a database to copy.
	makeBase(ctx context.Context, customers []numbered) (*data, error)
	// copyBase copies it, and returns the path of the copy.
	copyBase(name string) (string, error)
	// newestRows returns the rows that an order wrote, one per table.
	newestRows(ctx context.Context, path string) ([]rowOf, error)
	// committer returns what commits batches of rows.
	committer(ctx context.Context, path string, rows []rowOf) (commit func([]*rawRow) error, stop func(), err error)
}

// orderDatabases returns where orders are placed.
func orderDatabases(o *options, cluster *postgrestest.Cluster) (all []orderDatabase) {
	if o.database != "postgres" {
		all = append(all, orderFile{o.dir})
	}
	if cluster != nil {
		all = append(all, orderPostgres{cluster})
	}
	return all
}

// measureOrders measures placing orders, each round on a new copy of one database.
func measureOrders(ctx context.Context, o *options, p programs, db orderDatabase) error {
	customers := make([]numbered, orderCustomers)
	for n := range customers {
		customers[n] = numbered{customerID(10, n), 10, n}
	}
	d, err := db.makeBase(ctx, customers)
	if err == nil {
		err = d.open(ctx)
	}
	if err != nil {
		return fmt.Errorf("the database for orders: %w", err)
	}
	b, err := newBencher(o, d, p)
	if err != nil {
		return err
	}
	var r orderRow
	for round := range o.rounds {
		if err := b.orderRound(ctx, db, &r); err != nil {
			return err
		}
		fmt.Fprintf(os.Stderr, "\r%s, orders: round %d of %d   ", d, round+1, o.rounds)
	}
	fmt.Fprintln(os.Stderr)
	b.printOrders(&r)
	return nil
}

// orderRound places orders through the server, writes rows of the same sizes without
// it, and reads while orders are placed.
func (b *bencher) orderRound(ctx context.Context, db orderDatabase, r *orderRow) (err error) {
	if b.data.path, err = db.copyBase("place"); err != nil {
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
	server.token = b.token
	paths := make([]string, orderCustomers)
	for n := range paths {
		paths[n] = ordersPath(10, n)
	}
	connections := b.options.connections
	defer func() { b.options.connections = connections }()

	read := loadPlan{Paths: paths}
	if _, err := b.load(ctx, server, loadPlan{Paths: paths, Once: true}); err != nil {
		return err
	}
	if err := b.measure(ctx, &r.readOnly, server, read); err != nil {
		return err
	}
	beside := make(chan error, 1)
	go func() {
		buyer := &bencher{options: &options{connections: 4, duration: b.options.duration}, data: b.data, programs: b.programs, address: b.address}
		beside <- buyer.measure(ctx, &r.beside, server, loadPlan{Paths: paths, Body: purchase, Rate: pacedOrders})
	}()
	if err := b.measure(ctx, &r.readBeside, server, read); err != nil {
		return err
	}
	if err := <-beside; err != nil {
		return err
	}

	b.options.connections = buyers
	if err := b.measure(ctx, &r.placed, server, loadPlan{Paths: paths, Body: purchase}); err != nil {
		return err
	}
	carts, err := b.makeCarts(ctx, r.placed[len(r.placed)-1].Requests)
	if err != nil {
		return err
	}
	if err := b.measure(ctx, &r.checkedOut, server, loadPlan{Paths: carts, Body: checkout, Once: true}); err != nil {
		return err
	}
	// The newest rows are to be those of an order.
	if _, err := b.load(ctx, server, loadPlan{Paths: paths[:1], Body: purchase, Once: true}); err != nil {
		return err
	}
	stop()

	rows, err := db.newestRows(ctx, b.data.path)
	if err != nil {
		return err
	}
	raw, err := db.copyBase("raw")
	if err != nil {
		return err
	}
	commit, end, err := db.committer(ctx, raw, rows)
	if err != nil {
		return err
	}
	defer end()
	result, err := writeRows(commit, rows, b.options.duration)
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

// newestRows returns the rows that an order wrote, one per table, of which that of the
// answer is found in another way in each database.
func newestRows(ctx context.Context, db *sql.DB, answers string) ([]rowOf, error) {
	defer db.Close()
	var list []rowOf
	for _, from := range []string{answers, "orders WHERE facts IS NOT NULL", "subscriptions WHERE facts IS NOT NULL"} {
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
func writeRows(commit func([]*rawRow) error, rows []rowOf, duration time.Duration) (loadResult, error) {
	queue := make(chan *rawRow, buyers)
	go commitRows(commit, queue)
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

// insertSQL returns the statement that writes a row.
func (r rowOf) insertSQL() string {
	places := make([]string, len(r.columns))
	for i := range places {
		places[i] = "$" + fmt.Sprint(i+1)
	}
	return "INSERT INTO " + r.table + " (" + strings.Join(r.columns, ", ") + ") VALUES (" + strings.Join(places, ", ") + ")"
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
func commitRows(commit func([]*rawRow) error, queue <-chan *rawRow) {
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
		err := commit(batch)
		for _, row := range batch {
			row.done <- err
		}
	}
}

func (b *bencher) printOrders(r *orderRow) {
	fmt.Printf("\nplacing orders: %d connections, %d customers with 10 orders at first, %s, each commit on the disk; medians of %d interleaved rounds of %s; %d cores, %s\n\n",
		buyers, orderCustomers, b.data, b.options.rounds, b.options.duration, runtime.NumCPU(), runtime.Version())
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "what\tper second\tratio\twanted\tp50\tp99\t")
	line := func(what string, results, limit []loadResult, want float64) {
		m := middle(results)
		fmt.Fprintf(w, "%s\t%.0f\t%.2f\t%s\t%s\t%s\t\n", what, m.rate(), ratio(results, limit), wantedText(want), short(m.P50), short(m.P99))
	}
	line("the same rows, straight to the driver", r.raw, r.raw, 0)
	line("orders placed", r.placed, r.raw, 0.5)
	line("the same from carts, of orders placed", r.checkedOut, r.placed, 0.6)
	line("lists of 10, read only", r.readOnly, r.readOnly, 0)
	line(fmt.Sprintf("lists of 10, %.0f orders/s beside", middle(r.beside).rate()), r.readBeside, r.readOnly, 0.7)
	w.Flush()
}
