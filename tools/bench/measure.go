package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/partnercenter-go/partnercenter/internal/postgrestest"
)

// programs are the programs for the measurements.
type programs struct{ server, bench string }

// build builds the server, and this program again, for the load.
func build(ctx context.Context, o *options) (programs, error) {
	p := programs{server: filepath.Join(o.dir, "partnercenter"), bench: filepath.Join(o.dir, "bench")}
	err := buildIn(ctx, "", p.server, "./cmd/partnercenter")
	if err == nil {
		err = buildIn(ctx, "", p.bench, "./tools/bench")
	}
	return p, err
}

// buildIn builds a program of the checkout in dir; "" is this one.
func buildIn(ctx context.Context, dir, out, pkg string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-o", out, pkg)
	cmd.Dir, cmd.Stderr = dir, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("go build %s: %w", pkg, err)
	}
	return nil
}

// process is a program under measurement.
type process struct {
	cmd     *exec.Cmd
	address string
	token   string                // that it is asked with
	cluster *postgrestest.Cluster // that it uses; nil if none
}

// stop ends the program, and what it has started.
func (p *process) stop() {
	p.signal(syscall.SIGTERM)
	p.cmd.Wait()
}

func (p *process) signal(s os.Signal) error {
	for _, pid := range family([]int{p.cmd.Process.Pid}) {
		if found, err := os.FindProcess(pid); err == nil {
			found.Signal(s) // it may be gone
		}
	}
	return nil
}

// usage is what processes have used.
type usage struct {
	processor time.Duration // in steps of 10 ms for each process
	faults    int64         // minor ones
	memory    float64       // at most, of their own in MiB, without those of a database
}

// used returns what programs have used, with the processes of their database.
func used(programs []*process) (total usage) {
	var roots []int
	for _, p := range programs {
		roots = append(roots, p.cmd.Process.Pid)
		if p.cluster != nil {
			roots = append(roots, p.cluster.Process())
		}
	}
	for _, pid := range family(roots) {
		u, _ := usedBy(pid)
		total.processor += u.processor
		total.faults += u.faults
	}
	return total
}

// family returns processes, with those that they have started, and so on.
func family(roots []int) []int {
	children := map[int][]int{}
	paths, _ := filepath.Glob("/proc/[0-9]*")
	for _, path := range paths {
		pid, _ := strconv.Atoi(filepath.Base(path))
		_, parent := usedBy(pid)
		children[parent] = append(children[parent], pid)
	}
	all := slices.Compact(slices.Sorted(slices.Values(roots)))
	for i := 0; i < len(all); i++ {
		all = append(all, children[all[i]]...)
	}
	return all
}

// usedBy returns what a process has used, and its parent.
func usedBy(pid int) (u usage, parent int) {
	stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	// The name may have blanks. The parent is the fourth field.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) < 13 {
		return u, 0
	}
	number := func(field int) int64 {
		n, _ := strconv.ParseInt(fields[field-3], 10, 64)
		return n
	}
	const tick = 10 * time.Millisecond
	return usage{processor: time.Duration(number(14)+number(15)) * tick, faults: number(10)}, int(number(4))
}

// rssAnon returns the own memory of processes, in MiB, without the mapped pages of files.
func rssAnon(pids []int) (total float64) {
	for _, pid := range pids {
		status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		for line := range strings.Lines(string(status)) {
			if value, ok := strings.CutPrefix(line, "RssAnon:"); ok {
				kib, _ := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(value), " kB"))
				total += float64(kib) / 1024
			}
		}
	}
	return total
}

// bencher is the state of a run.
type bencher struct {
	options  *options
	data     *data
	programs programs
	name     string   // of the server's files
	flags    []string // of the server, further ones
	address  string   // of the server
	token    string
	peak     float64 // of the server's own memory under load
	idle     []float64
	starts   []time.Duration
	lists    map[int]*lists // by size
}

// newBencher chooses the server's address, which must be the same at every start, as it
// is in the tokens.
func newBencher(o *options, d *data, p programs) (*bencher, error) {
	address, err := freeAddress()
	return &bencher{options: o, data: d, programs: p, name: "server", address: address, lists: map[int]*lists{}}, err
}

// freeAddress returns an address that nothing listens on.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// startServer starts the server as a user would, with its access log in a file, and
// returns when it has answered a list.
func (b *bencher) startServer(ctx context.Context) (*process, error) {
	log, err := os.Create(filepath.Join(b.options.dir, b.name+".log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := exec.CommandContext(ctx, b.programs.server, append([]string{
		"serve", "--db", b.data.path, "--listen", b.address,
		"--listen-tls", "", "--control", "", "--ready-file", filepath.Join(b.options.dir, b.name+".json"),
	}, b.flags...)...)
	cmd.Stderr = log
	started := time.Now()
	p, err := start(cmd, b.address, func() error {
		status, _, err := b.fetch(ctx, ordersPath(10, 0))
		if err == nil && status != http.StatusOK && b.token != "" {
			err = fmt.Errorf("status %d", status)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("the server did not answer: %w; see %s", err, log.Name())
	}
	p.token, p.cluster = b.token, b.data.cluster
	b.starts = append(b.starts, time.Since(started))
	return p, nil
}

// rest returns when the program, and its database, have done what they do after a start: a
// server with a SQLite file reads ahead.
func (p *process) rest(ctx context.Context) {
	const look, enough = 100 * time.Millisecond, 30 * time.Second
	before := used([]*process{p}).processor
	for waited := time.Duration(0); waited < enough && ctx.Err() == nil; waited += look {
		time.Sleep(look)
		after := used([]*process{p}).processor
		if after-before <= look/10 {
			return
		}
		before = after
	}
}

// startWithin is enough for programs that compile themselves, on a busy machine.
const startWithin = 60 * time.Second

// start starts a program, and returns when ready succeeds.
func start(cmd *exec.Cmd, address string, ready func() error) (*process, error) {
	p := &process{cmd: cmd, address: address}
	cmd.Cancel = func() error { return p.signal(os.Kill) }
	started := time.Now()
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	for {
		err := ready()
		if err == nil {
			return p, nil
		}
		if time.Since(started) > startWithin {
			p.stop()
			return nil, err
		}
		time.Sleep(time.Millisecond)
	}
}

func ordersPath(orders, n int) string { return "/v1/customers/" + customerID(orders, n) + "/orders" }

func (b *bencher) fetchToken(ctx context.Context) error {
	form := url.Values{
		"grant_type": {"client_credentials"}, "resource": {"https://api.partnercenter.microsoft.com"},
		"client_id": {b.data.app.ClientID}, "client_secret": {b.data.app.Secret},
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+b.address+"/"+partnerID+"/oauth2/token", strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	_, body, err := send(req)
	if err != nil {
		return err
	}
	var answer struct {
		AccessToken string `json:"access_token"`
		Description string `json:"error_description"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return err
	}
	b.token = answer.AccessToken
	if b.token == "" {
		return errors.New("no token: " + answer.Description)
	}
	return nil
}

// startLimit starts the limit with the answers that the server gives for the hot
// customers.
func (b *bencher) startLimit(ctx context.Context) (*process, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	file := filepath.Join(b.options.dir, "answers.json")
	if err := b.saveAnswers(ctx, file); err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, b.programs.bench, "limit", "--listen", address, file)
	cmd.Stderr = os.Stderr
	p, err := start(cmd, address, func() error {
		c, err := net.Dial("tcp", address)
		if err != nil {
			return fmt.Errorf("the limit did not start: %w", err)
		}
		return c.Close()
	})
	if err == nil {
		p.token = b.token
	}
	return p, err
}

// saveAnswers saves the server's answers for the hot customers.
func (b *bencher) saveAnswers(ctx context.Context, file string) error {
	answers := map[string][]byte{}
	for _, s := range b.options.sizes() {
		for _, path := range s.hotPaths() {
			_, body, err := b.fetch(ctx, path)
			if err != nil {
				return err
			}
			if !bytes.HasPrefix(body, fmt.Appendf(nil, `{"totalCount":%d,`, s.orders)) {
				return fmt.Errorf("the list of %d orders is %.80s", s.orders, body)
			}
			answers[path] = body
		}
	}
	data, err := json.Marshal(answers)
	if err != nil {
		return err
	}
	return os.WriteFile(file, data, 0o600)
}

// fetch requests a path from the server.
func (b *bencher) fetch(ctx context.Context, path string) (status int, body []byte, err error) {
	return fetch(ctx, b.address, b.token, path)
}

func fetch(ctx context.Context, address, token, path string) (status int, body []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+path, nil)
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	return send(req)
}

// send sends a request on a new connection, as the server is restarted all the time.
func send(req *http.Request) (status int, body []byte, err error) {
	req.Close = true
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	body, err = io.ReadAll(resp.Body)
	return resp.StatusCode, body, err
}

// load runs a load process with the options of a run.
func (b *bencher) load(ctx context.Context, target *process, plan loadPlan) (loadResult, error) {
	plan.Connections, plan.Duration = b.options.connections, b.options.duration
	result, err := b.programs.load(ctx, plan, target)
	if target.address == b.address {
		b.peak = max(b.peak, result.memory)
	}
	return result, err
}

// load runs a load process and watches the memory of its targets meanwhile.
func (p programs) load(ctx context.Context, plan loadPlan, targets ...*process) (loadResult, error) {
	var pids []int
	for _, t := range targets {
		plan.Targets = append(plan.Targets, loadTarget{Address: t.address, Token: t.token})
		pids = append(pids, t.cmd.Process.Pid)
	}
	pids = family(pids)
	input, err := json.Marshal(plan)
	if err != nil {
		return loadResult{}, err
	}
	cmd := exec.CommandContext(ctx, p.bench, "load")
	cmd.Stdin, cmd.Stderr = bytes.NewReader(input), os.Stderr
	var output bytes.Buffer
	cmd.Stdout = &output
	before := used(targets)
	if err := cmd.Start(); err != nil {
		return loadResult{}, err
	}
	done := make(chan struct{})
	watched := make(chan float64)
	go func() {
		peak := 0.0
		for {
			select {
			case <-done:
				watched <- peak
				return
			case <-time.After(50 * time.Millisecond):
				peak = max(peak, rssAnon(pids))
			}
		}
	}()
	err = cmd.Wait()
	close(done)
	after := used(targets)
	result := loadResult{usage: usage{after.processor - before.processor, after.faults - before.faults, <-watched}}
	if err != nil {
		return result, err
	}
	return result, json.Unmarshal(output.Bytes(), &result)
}

// measure runs a load process and keeps its result.
func (b *bencher) measure(ctx context.Context, results *[]loadResult, target *process, plan loadPlan) error {
	result, err := b.load(ctx, target, plan)
	if err == nil {
		*results = append(*results, result)
	}
	return err
}

// lists has the results of lists of one size from one database.
type lists struct{ again, fresh []loadResult }

// measured are the databases, the same for each size, with the limit.
type measured struct {
	limit     map[int][]loadResult
	databases []*bencher
	before    *bencher // of the first database; nil if there is none
}

// measure measures lists. An earlier version answers them, too, unless before is nil.
func measure(ctx context.Context, o *options, all []*data, p programs, before *bencher) error {
	m := measured{limit: map[int][]loadResult{}, before: before}
	for _, d := range all {
		b, err := newBencher(o, d, p)
		if err != nil {
			return err
		}
		m.databases = append(m.databases, b)
	}
	benchers := m.databases
	if before != nil {
		benchers = append([]*bencher{m.databases[0], before}, m.databases[1:]...)
	}
	var limit *process
	for i, b := range benchers {
		server, err := b.startServer(ctx)
		if err != nil {
			return err
		}
		if err = b.fetchToken(ctx); err == nil && limit == nil {
			limit, err = b.startLimit(ctx)
		}
		server.stop()
		if err != nil {
			return err
		}
		if i == 0 && limit != nil {
			defer limit.stop()
		}
		b.starts = nil // there was no token to measure the first start with
	}
	for round := range o.rounds {
		for _, s := range o.sizes() {
			fmt.Fprintf(os.Stderr, "\rround %d of %d, %d orders   ", round+1, o.rounds, s.orders)
			// The limit gets the same requests, including the token, and writes the same bytes.
			result, err := m.databases[0].load(ctx, limit, loadPlan{Paths: s.hotPaths()})
			if err != nil {
				return err
			}
			m.limit[s.orders] = append(m.limit[s.orders], result)
			for _, b := range benchers {
				if err := b.round(ctx, s, round); err != nil {
					return err
				}
			}
		}
	}
	fmt.Fprintln(os.Stderr)
	m.print(o)
	return nil
}

// round measures one size once: customers that were not requested since the server's
// start, and customers that were.
func (b *bencher) round(ctx context.Context, s size, round int) error {
	r := b.lists[s.orders]
	if r == nil {
		r = new(lists)
		b.lists[s.orders] = r
	}
	hot := s.hotPaths()
	if err := b.data.warm(); err != nil {
		return err
	}
	server, err := b.startServer(ctx)
	if err != nil {
		return err
	}
	defer server.stop()
	server.rest(ctx)
	b.idle = append(b.idle, rssAnon([]int{server.cmd.Process.Pid}))

	fresh := make([]string, s.customers)
	for i, n := range rand.New(rand.NewPCG(uint64(round), uint64(s.orders))).Perm(s.customers) {
		fresh[i] = ordersPath(s.orders, n)
	}
	if err := b.measure(ctx, &r.fresh, server, loadPlan{Paths: fresh, Once: true}); err != nil {
		return err
	}
	if _, err := b.load(ctx, server, loadPlan{Paths: hot, Once: true}); err != nil {
		return err // this is when they are requested first
	}
	return b.measure(ctx, &r.again, server, loadPlan{Paths: hot})
}

func (m *measured) print(o *options) {
	fmt.Printf("%d customers x 10 orders (and %d x 2, %d x 200); %d connections; medians of %d interleaved rounds of %s; %d cores, %s\n",
		o.customers, o.sizes()[0].customers, o.sizes()[2].customers, o.connections, o.rounds, o.duration, runtime.NumCPU(), runtime.Version())
	fmt.Printf("processor time and minor faults are of the server, with the processes of PostgreSQL, for each request\n\n")
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "orders\tbytes\twhat\trequests/s\tof the limit\twanted\tp50\tp99\tp99 of the limit's\tprocessor\tfaults\t")
	for _, s := range o.sizes() {
		limit := m.limit[s.orders]
		line := func(what string, results []loadResult, want float64) {
			r := middle(results)
			fmt.Fprintf(w, "%d\t%d\t%s\t%.0f\t%.2f\t%s\t%s\t%s\t%.1fx\t%s\t%.2f\t\n", s.orders, r.Bytes/int64(r.Requests), what,
				r.rate(), ratio(results, limit), wantedText(want), short(r.P50), short(r.P99), float64(r.P99)/float64(middle(limit).P99),
				perRequest(results), median(each(results, func(r loadResult) float64 { return float64(r.faults) / float64(r.Requests) })))
		}
		line("limit", limit, 0)
		for _, b := range m.databases {
			again, fresh := 0.80, 0.40
			switch {
			case b.data.cluster != nil:
				again, fresh = 0.75, 0.20
			case s.orders >= 200:
				again = 0.90
			}
			line(b.data.String()+", asked before", b.lists[s.orders].again, again)
			line(b.data.String()+", never asked", b.lists[s.orders].fresh, fresh)
		}
	}
	w.Flush()
	if m.before != nil {
		fmt.Printf("\nof the rate of %s:\n", o.before)
		for _, s := range o.sizes() {
			now, then := m.databases[0].lists[s.orders], m.before.lists[s.orders]
			fmt.Printf("%d orders: %.2f asked before, %.2f never asked (wanted: 0.95)\n", s.orders, ratio(now.again, then.again), ratio(now.fresh, then.fresh))
		}
	}
	for _, b := range m.databases {
		fmt.Printf("\n%s: start to first list: median %s, slowest %s (wanted: 150ms)\n", b.data, short(median(b.starts)), short(slices.Max(b.starts)))
		fmt.Printf("own memory of the server (RssAnon): idle %.0f MiB (wanted: 64), under load at most %.0f MiB (wanted: 256)\n", median(b.idle), b.peak)
	}
}

// perRequest returns the median processor time of a request.
func perRequest(results []loadResult) string {
	d := median(each(results, func(r loadResult) time.Duration { return r.processor / time.Duration(r.Requests) }))
	return fmt.Sprintf("%.1fµs", float64(d.Nanoseconds())/1000)
}

func each[T any](results []loadResult, value func(loadResult) T) []T {
	values := make([]T, len(results))
	for i, r := range results {
		values[i] = value(r)
	}
	return values
}

func wantedText(want float64) string {
	if want == 0 {
		return ""
	}
	return fmt.Sprintf("%.2f", want)
}

func short(d time.Duration) string { return d.Round(10 * time.Microsecond).String() }

// ratio returns the median of the rounds' ratios: other load on the machine changes
// from round to round, and affects both measurements of a round alike.
func ratio(results, limit []loadResult) float64 {
	ratios := make([]float64, len(results))
	for i := range results {
		ratios[i] = results[i].rate() / limit[i].rate()
	}
	return median(ratios)
}

// middle returns the median by rate, with the median latencies.
func middle(results []loadResult) loadResult {
	sorted := slices.SortedFunc(slices.Values(results), func(a, b loadResult) int {
		return int(a.rate() - b.rate())
	})
	m := sorted[len(sorted)/2]
	m.P99 = median(each(results, func(r loadResult) time.Duration { return r.P99 }))
	return m
}

// median sorts values, and returns the middle one.
func median[T cmp.Ordered](values []T) T {
	slices.Sort(values)
	return values[len(values)/2]
}
