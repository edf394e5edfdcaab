package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/partnercenter-go/partnercenter/internal/postgrestest"
)

const (
	// growthBuyers are customers without orders, for whom orders are placed.
	growthBuyers = 5_000
	// growthPaths is for how many customers lists are read at most.
	growthPaths = 100_000
)

// growthSizes are the orders of the databases, and growthLists those of customers: one part
// in fifty belongs to customers with each number, the rest to customers with ten.
var (
	growthSizes = []int{1_000, 100_000, 1_000_000, 5_000_000}
	growthLists = []int{1, 100, 500, 2_000}
)

// A setup is what a measurement is made with.
type setup struct {
	orders      int // in the database
	list        int // orders of each customer whose list is read
	connections int
	servers     int
}

// A dimension is what grows in a series of measurements, while all else stays as it is.
type dimension struct {
	name   string // of the plot's file
	title  string
	axis   string
	values []int
	set    func(s *setup, value int)
	writes bool // orders are placed, too
	shared bool // by several servers, which SQLite does not do

	lines []*growthLine
}

// growthLine is what one kind of request came to in one database.
type growthLine struct {
	what    string
	values  []int
	results [][]loadResult // for each value, one a round
}

// madeDatabase is what it took to make a database.
type madeDatabase struct {
	kind   string
	orders int
	took   time.Duration
	bytes  int64
}

// growth is a run.
type growth struct {
	options  *options
	programs programs
	plot     string // the program that draws
	sizes    []int
	base     setup
	kind     string // of the databases
	data     map[int]*data
	cluster  *postgrestest.Cluster
	made     []madeDatabase
}

func (g *growth) dimensions() []*dimension {
	return []*dimension{
		{
			name: "growth-orders", title: "Orders in the database", axis: "orders in the database",
			values: g.sizes, set: func(s *setup, value int) { s.orders = value }, writes: true,
		},
		{
			name: "growth-lists", title: "Orders of a customer", axis: "orders in a list",
			values: []int{1, 10, 100, 500, 2_000}, set: func(s *setup, value int) { s.list = value },
		},
		{
			name: "growth-connections", title: "Connections", axis: "connections",
			values: []int{1, 4, 16, 64, 256}, set: func(s *setup, value int) { s.connections = value }, writes: true,
		},
		{
			name: "growth-servers", title: "Servers on one PostgreSQL", axis: "servers",
			values: []int{1, 2, 4}, set: func(s *setup, value int) { s.servers = value }, writes: true, shared: true,
		},
	}
}

// runGrowth measures how what grows changes the rates.
func runGrowth(ctx context.Context, args []string) error {
	var o options
	var orders int
	var docs string
	f := flag.NewFlagSet("growth", flag.ContinueOnError)
	f.StringVar(&o.dir, "dir", ".bench", "folder for the databases and the programs")
	f.IntVar(&orders, "orders", growthSizes[len(growthSizes)-1], "orders of the largest database")
	f.IntVar(&o.rounds, "rounds", 5, "interleaved rounds; figures are medians")
	f.DurationVar(&o.duration, "duration", 2*time.Second, "how long each measurement takes")
	f.StringVar(&o.database, "database", "", "sqlite or postgres: measure that alone")
	f.StringVar(&docs, "docs", "", "folder of performance.md and scale.md, to write tables there and plots beside them")
	if err := f.Parse(args); err != nil {
		return err
	}
	g := &growth{options: &o}
	g.sizes = append(slices.DeleteFunc(slices.Clone(growthSizes), func(n int) bool { return n >= orders }), orders)
	g.base = setup{orders: min(orders, 1_000_000), list: 10, connections: 32, servers: 1}
	if !slices.Contains(g.sizes, g.base.orders) || orders < growthSizes[0] {
		return fmt.Errorf("-orders %d: the largest database has %d orders or more", orders, growthSizes[0])
	}
	done, err := g.prepare(ctx)
	if err != nil {
		return err
	}
	defer done()
	started := time.Now()
	dimensions := g.dimensions()
	for _, kind := range []string{kindSQLite, kindPostgres} {
		if o.database == "sqlite" && kind != kindSQLite || o.database == "postgres" && kind != kindPostgres {
			continue
		}
		if err := g.measureDatabase(ctx, kind, dimensions); err != nil {
			return fmt.Errorf("%s: %w", kind, err)
		}
	}
	text := g.report(dimensions, time.Since(started))
	fmt.Print(text)
	if docs == "" {
		return nil
	}
	for _, d := range dimensions {
		if err := g.draw(ctx, d, filepath.Join(docs, d.name+".svg")); err != nil {
			return err
		}
	}
	if err := writeBetween(filepath.Join(docs, "scale.md"), "growth", g.summary(dimensions[0])); err != nil {
		return err
	}
	return writeBetween(filepath.Join(docs, "performance.md"), "growth", text)
}

// prepare builds the programs, in a folder of the run's own that done removes.
func (g *growth) prepare(ctx context.Context) (done func(), err error) {
	if g.options.dir, err = filepath.Abs(g.options.dir); err != nil {
		return nil, err
	}
	g.options.dir = filepath.Join(g.options.dir, "growth")
	// What an interrupted run left is large.
	if err := errors.Join(os.RemoveAll(g.options.dir), os.MkdirAll(g.options.dir, 0o755)); err != nil {
		return nil, err
	}
	if g.programs, err = build(ctx, g.options); err != nil {
		return nil, err
	}
	// Not only in the end, when it might not be had.
	g.plot = filepath.Join(g.options.dir, "plot")
	cmd := exec.CommandContext(ctx, "go", "build", "-o", g.plot, ".")
	cmd.Dir, cmd.Stderr = "tools/plot", os.Stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("go build tools/plot: %w", err)
	}
	return func() { os.RemoveAll(g.options.dir) }, nil
}

// measureDatabase makes databases of one kind, of all sizes, and measures everything there.
func (g *growth) measureDatabase(ctx context.Context, kind string, dimensions []*dimension) error {
	g.kind, g.cluster, g.data = kind, nil, map[int]*data{}
	if kind == kindPostgres {
		var err error
		if g.cluster, err = startPostgres(g.options); err != nil {
			return err
		}
		defer g.cluster.Close()
	}
	for _, size := range g.sizes {
		d, err := g.makeDatabase(ctx, size)
		if err == nil {
			err = d.open(ctx)
		}
		if err != nil {
			return fmt.Errorf("a database of %d orders: %w", size, err)
		}
		g.data[size] = d
	}
	for _, d := range dimensions {
		if d.shared && g.cluster == nil {
			continue
		}
		if err := g.measure(ctx, d); err != nil {
			return fmt.Errorf("%s: %w", d.title, err)
		}
	}
	for _, d := range g.data {
		if d.cluster == nil {
			if err := removeDatabase(d.path); err != nil {
				return err
			}
		}
	}
	return nil
}

func (g *growth) makeDatabase(ctx context.Context, size int) (*data, error) {
	name, customers := fmt.Sprintf("orders_%d", size), growthCustomers(size)
	d, made := &data{cluster: g.cluster}, madeDatabase{kind: g.kind, orders: size}
	started := time.Now()
	var err error
	if g.cluster != nil {
		d.path, err = makePostgres(ctx, g.cluster, name, customers)
	} else {
		d.path = filepath.Join(g.options.dir, name+".db")
		err = makeFile(ctx, d.path, customers)
	}
	if err != nil {
		return nil, err
	}
	made.took = time.Since(started)
	made.bytes, err = d.size(ctx)
	g.made = append(g.made, made)
	return d, err
}

// size returns how many bytes a database has.
func (d *data) size(ctx context.Context) (size int64, err error) {
	if d.cluster == nil {
		info, err := os.Stat(d.path)
		if err != nil {
			return 0, err
		}
		return info.Size(), nil
	}
	conn, err := pgx.Connect(ctx, d.path)
	if err != nil {
		return 0, err
	}
	defer conn.Close(ctx)
	return size, conn.QueryRow(ctx, `SELECT pg_database_size(current_database())`).Scan(&size)
}

// growthCount returns how many customers have a number of orders, in a database with so many.
func growthCount(size, list int) int {
	if list != 10 {
		return size / 50 / list
	}
	rest := size
	for _, list := range growthLists {
		rest -= growthCount(size, list) * list
	}
	return rest / 10
}

// growthCustomers returns the customers of a database, in the order of their ids.
func growthCustomers(size int) []numbered {
	var all []numbered
	add := func(count, orders int) {
		for n := range count {
			all = append(all, numbered{customerID(orders, n+1), orders, n + 1})
		}
	}
	add(growthBuyers, 0)
	for _, list := range append([]int{10}, growthLists...) {
		add(growthCount(size, list), list)
	}
	slices.SortFunc(all, func(a, b numbered) int { return strings.Compare(a.id, b.id) })
	return all
}

// growthPathsOf returns the lists of customers with so many orders, who are spread over the
// database.
func growthPathsOf(count, orders int) []string {
	paths := make([]string, min(count, growthPaths))
	for i := range paths {
		paths[i] = ordersPath(orders, i+1)
	}
	return paths
}

// measure measures a dimension, in interleaved rounds.
func (g *growth) measure(ctx context.Context, d *dimension) error {
	var setups []setup
	lists, orders := &growthLine{what: "lists, " + g.kind}, &growthLine{what: "orders placed, " + g.kind}
	needed := map[int]int{} // servers of each database
	for _, value := range d.values {
		s := g.base
		d.set(&s, value)
		if growthCount(s.orders, s.list) == 0 {
			continue // the database is too small for such customers
		}
		setups, lists.values = append(setups, s), append(lists.values, value)
		needed[s.orders] = max(needed[s.orders], s.servers)
	}
	orders.values = lists.values
	lists.results, orders.results = make([][]loadResult, len(setups)), make([][]loadResult, len(setups))
	servers, stop, err := g.startServers(ctx, needed)
	if err != nil {
		return err
	}
	defer stop()
	read := func(s setup) loadPlan { return loadPlan{Paths: growthPathsOf(growthCount(s.orders, s.list), s.list)} }
	place := func(setup) loadPlan { return loadPlan{Paths: growthPathsOf(growthBuyers, 0), Body: purchase} }
	round := func(duration time.Duration, line *growthLine, plan func(setup) loadPlan) error {
		for i, s := range setups {
			p := plan(s)
			p.Connections, p.Duration, p.MayRefuse = s.connections, duration, true
			result, err := g.programs.load(ctx, p, servers[s.orders][:s.servers]...)
			if err != nil {
				return err
			}
			line.results[i] = append(line.results[i], result)
		}
		return nil
	}
	// Before the first round, memory is filled.
	if err := round(g.options.duration/2, &growthLine{results: make([][]loadResult, len(setups))}, read); err != nil {
		return err
	}
	d.lines = append(d.lines, lists)
	if d.writes {
		d.lines = append(d.lines, orders)
	}
	for n := range g.options.rounds {
		fmt.Fprintf(os.Stderr, "\r%s, %s: round %d of %d   ", g.kind, d.title, n+1, g.options.rounds)
		if err := round(g.options.duration, lists, read); err != nil {
			return err
		}
		if d.writes {
			if err := round(g.options.duration, orders, place); err != nil {
				return err
			}
		}
	}
	fmt.Fprintln(os.Stderr)
	return nil
}

// startServers starts servers of databases, by their orders. They keep no lists: how many
// of them are kept would depend on how many there are.
func (g *growth) startServers(ctx context.Context, needed map[int]int) (servers map[int][]*process, stop func(), err error) {
	servers = map[int][]*process{}
	stop = func() {
		for _, of := range servers {
			for _, p := range of {
				p.stop()
			}
		}
	}
	for size, n := range needed {
		for i := range n {
			p, err := g.startServer(ctx, size, i)
			if err != nil {
				stop()
				return nil, nil, err
			}
			servers[size] = append(servers[size], p)
		}
	}
	return servers, stop, nil
}

// startServer starts one of the servers of a database.
func (g *growth) startServer(ctx context.Context, size, number int) (*process, error) {
	b, err := newBencher(g.options, g.data[size], g.programs)
	if err != nil {
		return nil, err
	}
	b.name, b.flags = fmt.Sprintf("server-%d-%d", size, number), []string{"--cache-size", "0"}
	p, err := b.startServer(ctx)
	if err != nil {
		return nil, err
	}
	if err := b.fetchToken(ctx); err != nil {
		p.stop()
		return nil, err
	}
	p.token = b.token
	return p, nil
}

// report returns what was measured, as it goes into the page.
func (g *growth) report(dimensions []*dimension, took time.Duration) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d cores, %s; medians of %d interleaved rounds of %s; the whole took %s.\n",
		runtime.NumCPU(), runtime.Version(), g.options.rounds, g.options.duration, took.Round(time.Second))
	b.WriteString("\n### Databases\n\n| | orders | filled in | size | bytes an order |\n|---|---:|---:|---:|---:|\n")
	for _, m := range g.made {
		fmt.Fprintf(&b, "| %s | %s | %s | %s MB | %s |\n", m.kind, thousands(m.orders), m.took.Round(time.Second/10),
			thousands(int(m.bytes/1_000_000)), thousands(int(m.bytes)/m.orders))
	}
	for _, d := range dimensions {
		if len(d.lines) == 0 {
			continue
		}
		fmt.Fprintf(&b, "\n### %s\n\n", d.title)
		fmt.Fprintf(&b, "![%s: requests a second and 99th percentiles](%s.svg)\n\n", d.title, d.name)
		fmt.Fprintf(&b, "| | %s | a second | of the first | p50 | p99 | processor time | refused |\n|---|---:|---:|---:|---:|---:|---:|---:|\n", d.axis)
		for _, l := range d.lines {
			for i, value := range l.values {
				m := middle(l.results[i])
				refused, all := 0, 0
				for _, r := range l.results[i] {
					refused, all = refused+r.Refused, all+r.Refused+r.Requests
				}
				fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s | %.2g %% |\n", l.what, thousands(value), thousands(int(m.rate())),
					ratioText(ratio(l.results[i], l.results[0])), short(m.P50), short(m.P99), perRequest(l.results[i]), 100*float64(refused)/float64(all))
			}
		}
	}
	return b.String()
}

// summary returns what the largest databases came to, for the page that counts with it.
func (g *growth) summary(orders *dimension) string {
	size := g.sizes[len(g.sizes)-1]
	var b strings.Builder
	fmt.Fprintf(&b, "| %s orders in | lists of ten a second | processor time of one | orders placed a second | processor time of one | bytes an order |\n", thousands(size))
	b.WriteString("|---|---:|---:|---:|---:|---:|\n")
	for i := 0; i+1 < len(orders.lines); i += 2 {
		lists, placed := orders.lines[i].results, orders.lines[i+1].results
		listed, bought := lists[len(lists)-1], placed[len(placed)-1]
		kind := strings.TrimPrefix(orders.lines[i].what, "lists, ")
		made := slices.IndexFunc(g.made, func(m madeDatabase) bool { return m.kind == kind && m.orders == size })
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n", kind, thousands(int(middle(listed).rate())), perRequest(listed),
			thousands(int(middle(bought).rate())), perRequest(bought), thousands(int(g.made[made].bytes)/size))
	}
	return b.String()
}

// ratioText returns a ratio with two digits.
func ratioText(ratio float64) string {
	if ratio < 0.1 {
		return fmt.Sprintf("%.3f", ratio)
	}
	return fmt.Sprintf("%.2f", ratio)
}

// draw draws rates and latencies side by side into an SVG file.
func (g *growth) draw(ctx context.Context, d *dimension, file string) error {
	type line struct {
		Name string
		X, Y []float64
	}
	type plot struct {
		X, Y  string
		Lines []line
	}
	plots := []plot{{X: d.axis, Y: "requests a second"}, {X: d.axis, Y: "99th percentile in ms"}}
	for _, l := range d.lines {
		rates, latencies := line{Name: l.what}, line{Name: l.what}
		for i, value := range l.values {
			m := middle(l.results[i])
			rates.X, rates.Y = append(rates.X, float64(value)), append(rates.Y, m.rate())
			latencies.X, latencies.Y = append(latencies.X, float64(value)), append(latencies.Y, float64(m.P99.Nanoseconds())/1e6)
		}
		plots[0].Lines, plots[1].Lines = append(plots[0].Lines, rates), append(plots[1].Lines, latencies)
	}
	input, err := json.Marshal(map[string]any{"Title": d.title, "Plots": plots})
	if err != nil || len(d.lines) == 0 {
		return err
	}
	cmd := exec.CommandContext(ctx, g.plot)
	cmd.Stdin, cmd.Stderr = bytes.NewReader(input), os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("drawing %s: %w", file, err)
	}
	return os.WriteFile(file, out, 0o644)
}

// thousands returns a number with commas.
func thousands(n int) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
