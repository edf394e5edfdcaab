//go:build unix

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/connect"
	"github.com/partnercenter-go/partnercenter/internal/postgrestest"
)

var soak = flag.Duration("soak", 2*time.Second, "how long TestSoak keeps each server at work")

const (
	soakers   = 32  // connections
	soakShare = 0.8 // of what a server can answer
	soakLines = 30  // of the table
)

// TestSoak keeps a server at work, at 80 % of what it can do. No call fails, and at the end
// the server takes as much memory, and as many goroutines and files, as soon after the
// beginning.
//
// For longer: go test ./cmd/partnercenter -run TestSoak -v -timeout 2h -soak 15m
func TestSoak(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) { testSoak(t, filepath.Join(t.TempDir(), "soak.db")) })
	t.Run("PostgreSQL", func(t *testing.T) { testSoak(t, postgrestest.Start(t).NewDatabase(t)) })
}

func testSoak(t *testing.T, database string) {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	garbage := []string{"GOGC="} // is collected as users have it, and not as tests do
	p := start(t, null, null, garbage, "serve", "--db", database, "--listen", "127.0.0.1:0", "--listen-tls=", "--control=", "--ops", "127.0.0.1:0")
	var s soaked
	until(t, "the server is ready", func() (err error) {
		s.facts, err = readFacts(p.readyFile())
		return err
	})
	s.prepare(t)
	idle := s.figures(t)

	calibration := max(*soak/30, time.Second)
	calls, _ := s.work(t, calibration, rate.Inf)
	perSecond := float64(calls) / calibration.Seconds()
	limit := rate.Limit(soakShare * perSecond)
	t.Logf("%.0f calls a second at most", perSecond)
	var lines []figures
	for line := range soakLines {
		calls, took := s.work(t, *soak/soakLines, limit)
		now := s.figures(t)
		lines = append(lines, now)
		t.Logf("%3d: %7d calls, p99 %10s, %4.0f MiB, %4.0f goroutines, %3.0f files", line, calls, took, now.memory/(1<<20), now.goroutines, now.files)
	}
	s.client.CloseIdleConnections()

	// Garbage comes and goes: the most of a tenth of the time is compared.
	most := func(lines []figures) (memory float64) {
		for _, l := range lines {
			memory = max(memory, l.memory)
		}
		return memory
	}
	const tenth = soakLines / 10
	early, late := most(lines[tenth:2*tenth]), most(lines[soakLines-tenth:])
	if late > 1.25*early+32<<20 {
		t.Errorf("memory grew from %.0f to %.0f MiB", early/(1<<20), late/(1<<20))
	}
	until(t, "goroutines and files are as before", func() error {
		if now := s.figures(t); now.goroutines > idle.goroutines+8 || now.files > idle.files+24 { // PostgreSQL's connections stay
			return fmt.Errorf("%+v, of %+v", now, idle)
		}
		return nil
	})
	p.signal(t)
	if code := p.ends(t, time.Minute); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// soaked is a server at work.
type soaked struct {
	facts  connect.ReadyFacts
	client *http.Client
	token  string
	lists  []string // paths
	one    string   // path of a subscription
}

// prepare finds what can be asked for.
func (s *soaked) prepare(t *testing.T) {
	t.Helper()
	s.client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: soakers}, Timeout: time.Minute}
	form := url.Values{"grant_type": {"client_credentials"}, "resource": {"https://api.partnercenter.microsoft.com"}, "client_id": {s.facts.ClientID}, "client_secret": {s.facts.ClientSecret}}
	resp, err := s.client.PostForm(s.facts.APIURL+"/"+s.facts.TenantID+"/oauth2/token", form) //nolint:noctx // a test's
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || answer.AccessToken == "" {
		t.Fatal(resp.Status, err)
	}
	s.token = answer.AccessToken
	ids := func(path string) (ids []string) {
		var list struct{ Items []struct{ ID string } }
		if err := s.call(http.MethodGet, path, "", &list); err != nil {
			t.Fatal(err)
		}
		for _, item := range list.Items {
			ids = append(ids, item.ID)
		}
		return ids
	}
	for _, customer := range ids("/v1/customers") {
		s.lists = append(s.lists, "/v1/customers/"+customer+"/orders", "/v1/customers/"+customer+"/subscriptions")
		if found := ids("/v1/customers/" + customer + "/subscriptions"); len(found) > 0 && s.one == "" {
			s.one = "/v1/customers/" + customer + "/subscriptions/" + found[0]
		}
	}
	if s.one == "" {
		t.Fatal("there is no subscription")
	}
}

// call makes a call that must succeed.
func (s *soaked) call(method, path, body string, into any) error {
	req, err := http.NewRequestWithContext(context.Background(), method, s.facts.APIURL+path, strings.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+s.token)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("MS-RequestId", fmt.Sprintf("%016x%016x", rand.Uint64(), rand.Uint64()))
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: %s %w: %.300s", method, path, resp.Status, err, data)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(data, into)
}

// work reads lists, and changes a subscription every hundred times. It returns how many
// calls there were, and the time that all but one in a hundred took at most.
func (s *soaked) work(t *testing.T, duration time.Duration, limit rate.Limit) (int, time.Duration) {
	t.Helper()
	limiter := rate.NewLimiter(limit, soakers)
	var (
		calls, failed atomic.Int64
		mu            sync.Mutex // guards took
		took          []time.Duration
		wait          sync.WaitGroup
	)
	ctx, cancel := context.WithTimeout(t.Context(), duration)
	defer cancel()
	for range soakers {
		wait.Go(func() {
			var own []time.Duration
			for limiter.Wait(ctx) == nil && ctx.Err() == nil && failed.Load() == 0 {
				began := time.Now()
				var err error
				if n := calls.Add(1); n%100 == 0 {
					err = s.call(http.MethodPatch, s.one, fmt.Sprintf(`{"friendlyName":"for the %dth time"}`, n), nil)
				} else {
					err = s.call(http.MethodGet, s.lists[rand.IntN(len(s.lists))], "", nil)
				}
				if err != nil {
					if failed.Add(1) == 1 {
						t.Error(err)
					}
				}
				own = append(own, time.Since(began))
			}
			mu.Lock()
			defer mu.Unlock()
			took = append(took, own...)
		})
	}
	wait.Wait()
	if failed.Load() > 0 || len(took) == 0 {
		t.Fatalf("%d calls failed, of %d", failed.Load(), calls.Load())
	}
	slices.Sort(took)
	return len(took), took[len(took)*99/100].Round(10 * time.Microsecond)
}

// figures are what a server takes.
type figures struct{ memory, goroutines, files float64 }

// figures reads them where monitoring does.
func (s *soaked) figures(t *testing.T) figures {
	t.Helper()
	resp, err := http.Get(s.facts.OpsURL + "/metrics") //nolint:noctx // a test's
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	found := map[string]float64{}
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		if name, value, ok := strings.Cut(lines.Text(), " "); ok && !strings.HasPrefix(name, "#") {
			found[name], _ = strconv.ParseFloat(value, 64)
		}
	}
	f := figures{found["process_resident_memory_bytes"], found["go_goroutines"], found["process_open_fds"]}
	if f.memory == 0 || f.goroutines == 0 || f.files == 0 {
		t.Fatal("figures are missing among", slices.Sorted(maps.Keys(found)))
	}
	return f
}
