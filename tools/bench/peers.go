package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/partnercenter-go/partnercenter/internal/seed"
	"github.com/partnercenter-go/partnercenter/internal/store"
)

const (
	// sampleCustomer is the one of the sample data whose orders the documentation shows.
	sampleCustomer = "b0d70a69-4c42-4b27-b17b-91a835d8686a"
	// peerStarts is how often each program is started for each list.
	peerStarts = 3
)

// served is a list that all programs serve.
type served struct {
	name string
	path string
	body []byte
}

// contender is one of the programs that serve a list.
type contender struct {
	name    string
	start   func(context.Context) (*process, error)
	missing error // why it is not measured

	running *process
	starts  []time.Duration
	idle    float64 // own memory before the load, in MiB
	results []loadResult
}

// runPeers measures what people use in place of the server beside it.
func runPeers(ctx context.Context, args []string) error {
	var o options
	var docs string
	f := flag.NewFlagSet("peers", flag.ContinueOnError)
	f.StringVar(&o.dir, "dir", ".bench", "folder for the databases and the programs")
	f.IntVar(&o.connections, "connections", 32, "keep-alive connections of the load")
	f.IntVar(&o.rounds, "rounds", 5, "interleaved rounds; figures are medians")
	f.DurationVar(&o.duration, "duration", 2*time.Second, "how long each measurement takes")
	f.StringVar(&docs, "docs", "", "folder of performance.md, to write the tables there")
	if err := f.Parse(args); err != nil {
		return err
	}
	// Where setup puts npm's Node, and Debian nginx.
	node, err := filepath.Abs("tools/node/node_modules/.bin")
	if err != nil {
		return err
	}
	if err := os.Setenv("PATH", strings.Join([]string{node, os.Getenv("PATH"), "/usr/sbin"}, string(filepath.ListSeparator))); err != nil {
		return err
	}
	if o.dir, err = filepath.Abs(o.dir); err != nil {
		return err
	}
	o.dir = filepath.Join(o.dir, "peers")
	if err := errors.Join(os.RemoveAll(o.dir), os.MkdirAll(o.dir, 0o755)); err != nil {
		return err
	}
	defer os.RemoveAll(o.dir)
	programs, err := build(ctx, &o)
	if err != nil {
		return err
	}
	b, lists, err := ownServer(ctx, &o, programs)
	if err != nil {
		return err
	}
	var text strings.Builder
	fmt.Fprintf(&text, "%d cores, %s; %d connections; medians of %d interleaved rounds of %s.\n",
		runtime.NumCPU(), runtime.Version(), o.connections, o.rounds, o.duration)
	for _, list := range lists {
		contenders, err := b.measurePeers(ctx, list)
		if err != nil {
			return err
		}
		reportPeers(&text, list, contenders)
	}
	fmt.Print(text.String())
	if docs == "" {
		return nil
	}
	return writeBetween(filepath.Join(docs, "performance.md"), "peers", text.String())
}

// ownServer makes a database for the server, and returns what it serves.
func ownServer(ctx context.Context, o *options, p programs) (*bencher, []served, error) {
	d := &data{path: filepath.Join(o.dir, "orders.db")}
	sample, err := seed.Sample()
	if err != nil {
		return nil, nil, err
	}
	partner := makePartner()
	for _, c := range sample.Partners[0].Customers {
		if c.Customer.ID == sampleCustomer {
			partner.Customers = append(partner.Customers, c)
		}
	}
	partner.Customers = append(partner.Customers, makeCustomer(10, 0))
	st, err := store.Open(ctx, d.path, nil)
	if err != nil {
		return nil, nil, err
	}
	_, err = st.Load(ctx, &seed.Seed{Partners: []seed.Partner{partner}})
	if err := errors.Join(err, st.Close(), d.open(ctx)); err != nil {
		return nil, nil, err
	}
	b, err := newBencher(o, d, p)
	if err != nil {
		return nil, nil, err
	}
	b.flags = []string{"--log-level", "warn"} // the others are quiet, too
	server, err := b.startServer(ctx)
	if err != nil {
		return nil, nil, err
	}
	defer server.stop()
	if err := b.fetchToken(ctx); err != nil {
		return nil, nil, err
	}
	lists := []served{
		{name: "two orders of the sample data", path: "/v1/customers/" + sampleCustomer + "/orders"},
		{name: "list of ten orders", path: ordersPath(10, 0)},
	}
	for i := range lists {
		status, body, err := b.fetch(ctx, lists[i].path)
		if err != nil || status != http.StatusOK {
			return nil, nil, fmt.Errorf("the list of %s: status %d, %w", lists[i].name, status, err)
		}
		lists[i].body = body
	}
	return b, lists, nil
}

// measurePeers starts all programs with a list, and asks them in turn.
func (b *bencher) measurePeers(ctx context.Context, list served) ([]*contender, error) {
	contenders := []*contender{{name: "partnercenter", start: b.startServer}}
	for i := range peers {
		contenders = append(contenders, b.contender(ctx, &peers[i], list))
	}
	defer func() {
		for _, c := range contenders {
			c.stop()
		}
	}()
	for _, c := range contenders {
		fmt.Fprintf(os.Stderr, "\r%s: starting %s          ", list.name, c.name)
		c.startSeveralTimes(ctx, list)
	}
	if err := contenders[0].missing; err != nil {
		return nil, err
	}
	plan := loadPlan{Paths: []string{list.path}, Connections: b.options.connections}
	for round := range b.options.rounds + 1 {
		if plan.Duration = b.options.duration; round == 0 {
			plan.Duration *= 3 // this one is for those that compile what runs often
		}
		fmt.Fprintf(os.Stderr, "\r%s: round %d of %d                ", list.name, round, b.options.rounds)
		for _, c := range contenders {
			if c.running == nil {
				continue
			}
			result, err := b.programs.load(ctx, plan, c.running)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", c.name, err)
			}
			if round > 0 {
				c.results = append(c.results, result)
			}
		}
	}
	fmt.Fprintln(os.Stderr)
	return contenders, nil
}

// contender returns a peer that is to serve a list.
func (b *bencher) contender(ctx context.Context, p *peer, list served) *contender {
	version, err := p.version(ctx)
	return &contender{name: strings.TrimSpace(p.name + " " + version), missing: err, start: func(ctx context.Context) (*process, error) {
		address, err := freeAddress()
		if err != nil {
			return nil, err
		}
		at := serving{path: list.path, body: list.body}
		if at.folder, err = os.MkdirTemp(b.options.dir, "peer-"); err != nil {
			return nil, err
		}
		if at.host, at.port, err = net.SplitHostPort(address); err != nil {
			return nil, err
		}
		line, err := p.command(at)
		if err != nil {
			return nil, err
		}
		log := filepath.Join(at.folder, "log")
		output, err := os.Create(log)
		if err != nil {
			return nil, err
		}
		defer output.Close()
		cmd := exec.CommandContext(ctx, line[0], line[1:]...) //nolint:gosec // of the table of peers
		cmd.Stdout, cmd.Stderr = output, output
		cmd.Env = append(os.Environ(), "NODE_ENV=production")
		running, err := start(cmd, address, func() error {
			status, body, err := fetch(ctx, address, b.token, list.path)
			if err == nil && status != http.StatusOK {
				err = fmt.Errorf("status %d, %.200s", status, body)
			}
			return err
		})
		if err != nil {
			text, _ := os.ReadFile(log)
			return nil, fmt.Errorf("%w; it says %.500q", err, text)
		}
		running.token = b.token
		return running, nil
	}}
}

// startSeveralTimes starts a program, ends it, and starts it again.
func (c *contender) startSeveralTimes(ctx context.Context, list served) {
	for range peerStarts {
		if c.missing != nil {
			return
		}
		c.stop()
		started := time.Now()
		if c.running, c.missing = c.start(ctx); c.missing != nil {
			return
		}
		c.starts = append(c.starts, time.Since(started))
	}
	_, body, err := fetch(ctx, c.running.address, c.running.token, list.path)
	if err == nil && !sameJSON(body, list.body) {
		err = fmt.Errorf("it answers with %.100q", body)
	}
	if err != nil {
		c.missing = err
		c.stop()
		return
	}
	time.Sleep(500 * time.Millisecond)
	c.idle = rssAnon(family([]int{c.running.cmd.Process.Pid}))
}

func (c *contender) stop() {
	if c.running != nil {
		c.running.stop()
		c.running = nil
	}
}

// sameJSON reports whether two texts are the same JSON value.
func sameJSON(a, b []byte) bool {
	var x, y any
	return json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && reflect.DeepEqual(x, y)
}

func reportPeers(w *strings.Builder, list served, contenders []*contender) {
	fmt.Fprintf(w, "\nThe %s:\n\n", list.name)
	w.WriteString("| | a second | of the server's | p50 | p99 | processor time | start | memory | of it idle | bytes |\n|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n")
	for _, c := range contenders {
		if c.missing != nil {
			fmt.Fprintf(w, "| %s | not measured: %s | | | | | | | | |\n", c.name, strings.ReplaceAll(c.missing.Error(), "\n", " "))
			continue
		}
		m := middle(c.results)
		memory := max(c.idle, slices.Max(each(c.results, func(r loadResult) float64 { return r.memory })))
		fmt.Fprintf(w, "| %s | %s | %s | %s | %s | %s | %s | %.0f MiB | %.0f MiB | %s |\n", c.name, thousands(int(m.rate())),
			ratioText(ratio(c.results, contenders[0].results)), short(m.P50), short(m.P99), perRequest(c.results),
			median(c.starts).Round(time.Millisecond), memory, c.idle, thousands(int(m.Bytes)/m.Requests))
	}
}
