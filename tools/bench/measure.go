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
)

// programs are the programs for the measurements.
type programs struct{ server, bench string }

// build builds the server, and this program again, for the load.
func build(ctx context.Context, o *options) (programs, error) {
	p := programs{server: filepath.Join(o.dir, "partnercenter"), bench: filepath.Join(o.dir, "bench")}
	for out, pkg := range map[string]string{p.server: "./cmd/partnercenter", p.bench: "./tools/bench"} {
		cmd := exec.CommandContext(ctx, "go", "build", "-o", out, pkg)
		cmd.Stderr = os.Stderr
		if err := cmd.Run(); err != nil {
			return p, fmt.Errorf("go build %s: %w", pkg, err)
		}
	}
	return p, nil
}

// process is a program under measurement.
type process struct {
	cmd     *exec.Cmd
	address string
}

func (p *process) stop() {
	p.cmd.Process.Signal(syscall.SIGTERM)
	p.cmd.Wait()
}

// rssAnon returns the process's own memory, in MiB, without the mapped pages of the
// database.
func (p *process) rssAnon() float64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if value, ok := strings.CutPrefix(line, "RssAnon:"); ok {
			kib, _ := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(value), " kB"))
			return float64(kib) / 1024
		}
	}
	return 0
}

// bencher is the state of a run.
type bencher struct {
	options  *options
	data     *data
	programs programs
	address  string // of the server
	token    string
	peak     float64 // of the server's own memory under load
	idle     []float64
	starts   []time.Duration
}

// newBencher chooses the server's address, which must be the same at every start, as it
// is in the tokens.
func newBencher(o *options, d *data, p programs) (*bencher, error) {
	address, err := freeAddress()
	return &bencher{options: o, data: d, programs: p, address: address}, err
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
	log, err := os.Create(filepath.Join(b.options.dir, "server.log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := exec.CommandContext(ctx, b.programs.server, "serve", "--db", b.data.path, "--listen", b.address,
		"--listen-tls", "", "--control", "", "--ready-file", filepath.Join(b.options.dir, "ready.json"))
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
	b.starts = append(b.starts, time.Since(started))
	return p, nil
}

// start starts a program, and returns when ready succeeds.
func start(cmd *exec.Cmd, address string, ready func() error) (*process, error) {
	started := time.Now()
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{cmd: cmd, address: address}
	for {
		err := ready()
		if err == nil {
			return p, nil
		}
		if time.Since(started) > 10*time.Second {
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
	return start(cmd, address, func() error {
		c, err := net.Dial("tcp", address)
		if err != nil {
			return fmt.Errorf("the limit did not start: %w", err)
		}
		return c.Close()
	})
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
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+b.address+path, nil)
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Authorization", "Bearer "+b.token)
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

// load runs a load process and watches the server's memory meanwhile.
func (b *bencher) load(ctx context.Context, target *process, plan loadPlan) (loadResult, error) {
	plan.Address, plan.Connections, plan.Duration = target.address, b.options.connections, b.options.duration
	input, err := json.Marshal(plan)
	if err != nil {
		return loadResult{}, err
	}
	cmd := exec.CommandContext(ctx, b.programs.bench, "load")
	cmd.Stdin, cmd.Stderr = bytes.NewReader(input), os.Stderr
	var output bytes.Buffer
	cmd.Stdout = &output
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
				peak = max(peak, target.rssAnon())
			}
		}
	}()
	err = cmd.Wait()
	close(done)
	if peak := <-watched; target.address == b.address {
		b.peak = max(b.peak, peak)
	}
	if err != nil {
		return loadResult{}, err
	}
	var result loadResult
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

// row has the results for one size.
type row struct{ limit, again, fresh []loadResult }

func measure(ctx context.Context, o *options, d *data, p programs) error {
	b, err := newBencher(o, d, p)
	if err != nil {
		return err
	}
	server, err := b.startServer(ctx)
	if err != nil {
		return err
	}
	if err := b.fetchToken(ctx); err != nil {
		server.stop()
		return err
	}
	b.starts = nil // there was no token to measure the first start with
	limit, err := b.startLimit(ctx)
	server.stop()
	if err != nil {
		return err
	}
	defer limit.stop()
	rows := map[int]*row{}
	for round := range o.rounds {
		for _, s := range o.sizes() {
			if rows[s.orders] == nil {
				rows[s.orders] = &row{}
			}
			if err := b.round(ctx, rows[s.orders], limit, s, round); err != nil {
				return err
			}
			fmt.Fprintf(os.Stderr, "\rround %d of %d, %d orders   ", round+1, o.rounds, s.orders)
		}
	}
	fmt.Fprintln(os.Stderr)
	b.print(rows)
	return nil
}

// round measures one size once: the limit, customers that were not requested since the
// server's start, and customers that were.
func (b *bencher) round(ctx context.Context, r *row, limit *process, s size, round int) error {
	// The limit gets the same requests, including the token, and writes the same bytes.
	hot := s.hotPaths()
	if err := b.measure(ctx, &r.limit, limit, loadPlan{Paths: hot, Token: b.token}); err != nil {
		return err
	}
	server, err := b.startServer(ctx)
	if err != nil {
		return err
	}
	defer server.stop()
	time.Sleep(200 * time.Millisecond)
	b.idle = append(b.idle, server.rssAnon())

	fresh := make([]string, s.customers)
	for i, n := range rand.New(rand.NewPCG(uint64(round), uint64(s.orders))).Perm(s.customers) {
		fresh[i] = ordersPath(s.orders, n)
	}
	if err := b.measure(ctx, &r.fresh, server, loadPlan{Paths: fresh, Token: b.token, Once: true}); err != nil {
		return err
	}
	if _, err := b.load(ctx, server, loadPlan{Paths: hot, Token: b.token, Once: true}); err != nil {
		return err // this is when they are requested first
	}
	return b.measure(ctx, &r.again, server, loadPlan{Paths: hot, Token: b.token})
}

func (b *bencher) print(rows map[int]*row) {
	fmt.Printf("%d customers x 10 orders in SQLite (and %d x 2, %d x 200); %d connections; medians of %d interleaved rounds of %s; %d cores, %s\n\n",
		b.options.customers, b.options.sizes()[0].customers, b.options.sizes()[2].customers,
		b.options.connections, b.options.rounds, b.options.duration, runtime.NumCPU(), runtime.Version())
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "orders\tbytes\twhat\trequests/s\tof the limit\twanted\tp50\tp99\tp99 of the limit's\t")
	for _, s := range b.options.sizes() {
		r := rows[s.orders]
		limit := middle(r.limit)
		wanted := 0.80
		if s.orders >= 200 {
			wanted = 0.90
		}
		line := func(what string, results []loadResult, want float64) {
			m := middle(results)
			fmt.Fprintf(w, "%d\t%d\t%s\t%.0f\t%.2f\t%s\t%s\t%s\t%.1fx\t\n", s.orders, m.Bytes/int64(m.Requests), what,
				m.rate(), ratio(results, r.limit), wantedText(want), short(m.P50), short(m.P99), float64(m.P99)/float64(limit.P99))
		}
		line("limit", r.limit, 0)
		line("asked before", r.again, wanted)
		line("never asked", r.fresh, 0.40)
	}
	w.Flush()
	fmt.Printf("\nstart to first list: median %s, slowest %s (wanted: 150ms)\n", short(median(b.starts)), short(slices.Max(b.starts)))
	fmt.Printf("own memory (RssAnon): idle %.0f MiB (wanted: 64), under load at most %.0f MiB (wanted: 256)\n", median(b.idle), b.peak)
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
	p99 := make([]time.Duration, len(results))
	for i, r := range results {
		p99[i] = r.P99
	}
	m.P99 = median(p99)
	return m
}

// median sorts values, and returns the middle one.
func median[T cmp.Ordered](values []T) T {
	slices.Sort(values)
	return values[len(values)/2]
}
