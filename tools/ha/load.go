//go:build linux

package main

import (
	"context"
	cryptorand "crypto/rand"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/partnercenter-go/partnercenter/internal/guid"
	"github.com/partnercenter-go/partnercenter/internal/history"
)

// The load of a round.
const (
	writers   = 8
	readers   = 4
	customers = 8 // of each round
	thinking  = 50 * time.Millisecond
	// repeating is how long a client waits before it repeats a call. Retry-After would have
	// it wait longer, and find the end of a gap later.
	repeating = 200 * time.Millisecond
	patience  = 10 * time.Second
)

// What each order is of, so that a part of one can be told from the whole.
var lines = []history.Line{{Offer: "031C9E47-4802-4248-838E-778FB1D2CC05", Quantity: 2}, {Offer: "91FD106F-4B2C-4938-95AC-F54F74E9A239", Quantity: 3}}

// seedFile is the data that servers begin with.
type seedFile struct {
	tenant, client, secret string
	customers              []string
}

func newSeed(rounds int) *seedFile {
	f := &seedFile{tenant: guid.New(), client: guid.New(), secret: cryptorand.Text()}
	for range rounds * customers {
		f.customers = append(f.customers, guid.New())
	}
	return f
}

func (f *seedFile) write(path string) error {
	type object = map[string]any
	var list []object
	for i, id := range f.customers {
		name := fmt.Sprintf("Customer %d", i)
		domain := fmt.Sprintf("customer%d.onmicrosoft.com", i)
		list = append(list, object{
			"id": id, "companyProfile": object{"companyName": name, "domain": domain},
			"billingProfile": object{
				"email": "billing@" + domain, "culture": "en-US", "language": "en", "companyName": name,
				"defaultAddress": object{"country": "US", "state": "WA", "city": "Redmond", "addressLine1": "1 Main Street", "postalCode": "98052"},
			},
		})
	}
	text, err := json.Marshal(object{"format": "partnercenter-seed/1", "partners": []object{{
		"tenantId": f.tenant, "name": "Contoso CSP", "domain": "contosocsp.onmicrosoft.com", "mpnId": "5080911", "country": "US",
		"apps": []object{{"clientId": f.client, "name": "load", "secret": f.secret}}, "customers": list,
	}}})
	if err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o600)
}

// signIn returns a function that returns a token, which is kept for half of its time.
func (f *seedFile) signIn(front string) func() (string, error) {
	var mu sync.Mutex
	var token string
	var since time.Time
	return func() (string, error) {
		mu.Lock()
		defer mu.Unlock()
		if token != "" && time.Since(since) < 30*time.Minute {
			return token, nil
		}
		resp, err := briefly.PostForm(front+"/"+f.tenant+"/oauth2/v2.0/token", url.Values{ //nolint:noctx // it has a timeout
			"grant_type": {"client_credentials"}, "scope": {"https://api.partnercenter.microsoft.com/.default"},
			"client_id": {f.client}, "client_secret": {f.secret},
		})
		if err != nil {
			return "", err
		}
		defer resp.Body.Close()
		var body struct {
			Token string `json:"access_token"`
		}
		if err := json.NewDecoder(resp.Body).Decode(&body); err != nil || body.Token == "" {
			return "", fmt.Errorf("no token: %s: %w", resp.Status, err)
		}
		token, since = body.Token, time.Now()
		return token, nil
	}
}

// load is the clients of a round, with customers of their own.
type load struct {
	s         *stack
	fault     string
	log       *history.Log
	customers []string
	gap       time.Duration

	refused, silent atomic.Int64 // calls answered 503, and not at all

	mu    sync.Mutex
	acked []time.Time
}

func newLoad(s *stack, round int) *load {
	return &load{s: s, log: history.New(), customers: s.seed.customers[round*customers : (round+1)*customers]}
}

func (l *load) client() *history.Client {
	return &history.Client{
		Log: l.log, HTTP: &http.Client{Timeout: patience, Transport: &counting{l, &http.Transport{}}}, Server: l.s.front, Shared: true, Token: l.s.token,
	}
}

// counting counts what calls of a load came to.
type counting struct {
	l *load
	http.RoundTripper
}

func (c *counting) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := c.RoundTripper.RoundTrip(req)
	switch {
	case err != nil:
		c.l.silent.Add(1)
	case resp.StatusCode >= http.StatusInternalServerError:
		c.l.refused.Add(1)
	}
	return resp, err
}

// run has clients place and list orders until told to stop. They finish what they began.
func (l *load) run(ctx context.Context) (stop func() error) {
	over := make(chan struct{})
	errs := make(chan error, writers)
	var wait sync.WaitGroup
	going := func() bool {
		select {
		case <-over:
			return false
		case <-ctx.Done():
			return false
		case <-time.After(thinking):
			return true
		}
	}
	for range writers {
		client := l.client()
		wait.Go(func() {
			for going() {
				call := history.Call{
					Kind: history.Place, Customer: l.customers[rand.IntN(len(l.customers))],
					RequestID: guid.New(), Name: l.log.Name(), Lines: lines,
				}
				ctx, cancel := context.WithTimeout(ctx, 3*time.Minute)
				done, err := history.Settle(ctx, call, repeating, func() *history.Client { return client })
				cancel()
				if err == nil && done.Outcome() != history.Acknowledged {
					err = fmt.Errorf("an order was refused: %d %s", done.Status, done.Body)
				}
				if err != nil {
					errs <- err
					return
				}
				l.mu.Lock()
				l.acked = append(l.acked, time.Now())
				l.mu.Unlock()
			}
		})
	}
	for range readers {
		client := l.client()
		wait.Go(func() {
			for going() {
				// What it is told, the history has.
				_, _ = client.Do(ctx, history.Call{Kind: history.List, Customer: l.customers[rand.IntN(len(l.customers))]})
			}
		})
	}
	return func() error {
		close(over)
		wait.Wait()
		select {
		case err := <-errs:
			return err
		default:
			return ctx.Err()
		}
	}
}

// writtenSince reports how many orders were acknowledged since a time.
func (l *load) writtenSince(t time.Time) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.acked) - len(slices.DeleteFunc(slices.Clone(l.acked), func(at time.Time) bool { return at.After(t) }))
}

// gapSince returns the longest time without an acknowledgement from a time on.
func (l *load) gapSince(t time.Time) (longest time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, at := range l.acked {
		if at.After(t) {
			longest = max(longest, at.Sub(t))
			t = at
		}
	}
	return longest
}

// look looks at everything in the end, when no list may be older any more.
func (l *load) look(ctx context.Context) error {
	time.Sleep(history.Lag)
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	return l.client().Look(ctx, l.customers)
}

// check returns what the history shows that cannot be true: of each rule how often, and an
// example.
func (l *load) check() error {
	count, example := map[history.Rule]int{}, map[history.Rule]history.Violation{}
	for _, violation := range l.log.Check() {
		if count[violation.Rule]++; count[violation.Rule] == 1 {
			example[violation.Rule] = violation
		}
	}
	var text strings.Builder
	for rule, n := range count {
		fmt.Fprintf(&text, "\n\t%d times %v", n, example[rule])
	}
	if len(count) == 0 {
		return nil
	}
	return fmt.Errorf("%s: the history is wrong%s", l.fault, &text)
}

// silence returns how long ago the last order was acknowledged.
func (l *load) silence() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.acked) == 0 {
		return time.Hour
	}
	return time.Since(l.acked[len(l.acked)-1])
}
