// Command bench measures how fast a server answers a customer's orders, compared with
// the limit: a net/http handler that writes the same bytes from memory with the same
// headers, without a token. The requests to both come from a separate load process, in
// interleaved rounds of one run.
//
// It then measures how fast orders are placed, compared with rows of the same sizes
// that go directly to the driver, in group commits; how fast carts of the same are
// checked out; and how placing orders affects readers.
//
// Both are measured with SQLite and with a private PostgreSQL that waits for the disk. All
// of it runs on this machine: the load takes processors from the server, and so does
// PostgreSQL.
//
// Finally it measures the cost of a token in a request after its first use.
//
//	go run ./tools/bench
//	go run ./tools/bench -only lists -database sqlite -before ../partnercenter-1.0
//	go run ./tools/bench growth
//	go run ./tools/bench peers
//
// The second has an earlier version answer the same lists in the same rounds, from a file that
// it has made itself. The third measures how rates change with the orders in the database and
// of a customer, with connections, and with servers. The fourth measures what people use in
// place of the server beside it. The last two write their tables into docs/performance.md if they are told to.
//
// It is a benchmark, not a test: it prints tables and fails only if something does not
// work, or a token costs more than it may. The SQLite database is created once and kept
// in .bench, that of PostgreSQL each time.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var err error
	switch {
	case len(os.Args) > 1 && os.Args[1] == "limit":
		err = runLimit(ctx, os.Args[2:])
	case len(os.Args) > 1 && os.Args[1] == "load":
		err = runLoad(ctx, os.Args[2:])
	case len(os.Args) > 1 && os.Args[1] == "growth":
		err = runGrowth(ctx, os.Args[2:])
	case len(os.Args) > 1 && os.Args[1] == "peers":
		err = runPeers(ctx, os.Args[2:])
	default:
		err = run(ctx, os.Args[1:])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// options are the flags of a run.
type options struct {
	dir         string
	customers   int
	connections int
	rounds      int
	duration    time.Duration
	only        string
	database    string
	before      string // a checkout of an earlier version; "" if there is none
}

func run(ctx context.Context, args []string) error {
	var o options
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.StringVar(&o.dir, "dir", ".bench", "folder for the database and the programs")
	f.IntVar(&o.customers, "customers", 100_000, "customers with ten orders each in the database")
	f.IntVar(&o.connections, "connections", 32, "keep-alive connections of the load")
	f.IntVar(&o.rounds, "rounds", 9, "interleaved rounds; figures are medians")
	f.DurationVar(&o.duration, "duration", time.Second, "how long each measurement takes")
	f.StringVar(&o.database, "database", "", "sqlite or postgres: measure that alone")
	f.StringVar(&o.before, "before", "", "checkout of an earlier version, whose lists are measured beside these (SQLite)")
	f.StringVar(&o.only, "only", "", "lists, orders or tokens: measure that alone")
	if err := f.Parse(args); err != nil {
		return err
	}
	dir, err := filepath.Abs(o.dir)
	if err != nil {
		return err
	}
	o.dir = dir
	if err := os.MkdirAll(o.dir, 0o755); err != nil {
		return err
	}
	if o.only == "tokens" {
		return measureTokens(ctx)
	}
	programs, err := build(ctx, &o)
	if err != nil {
		return err
	}
	cluster, err := startPostgres(&o)
	if err != nil {
		return err
	}
	if cluster != nil {
		defer cluster.Close()
	}
	if o.only != "orders" {
		data, err := prepareData(ctx, &o, cluster)
		if err != nil {
			return fmt.Errorf("the database: %w", err)
		}
		before, err := prepareBefore(ctx, &o, programs)
		if err != nil {
			return fmt.Errorf("the version before: %w", err)
		}
		if err := measure(ctx, &o, data, programs, before); err != nil {
			return err
		}
	}
	if o.only != "lists" {
		for _, d := range orderDatabases(&o, cluster) {
			if err := measureOrders(ctx, &o, programs, d); err != nil {
				return err
			}
		}
	}
	if o.only != "" {
		return nil
	}
	return measureTokens(ctx)
}
