//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// fault is something that happens to a stack.
type fault struct {
	name, what string
	// happen lets it happen and returns what puts right what nothing in the stack does by
	// itself: an administrator, or systemd, which starts again what ended.
	happen func(ctx context.Context, s *stack, round int) (mend func() error, err error)
	// elected says that another machine has to become the primary.
	elected bool
}

// faults are all of them. Those of a pair hit one and then the other.
var faults = []fault{
	{name: "postgres", what: "SIGKILL of the primary's PostgreSQL", happen: killPostgres, elected: true},
	{name: "patroni", what: "SIGKILL of the primary's Patroni; its PostgreSQL runs on", happen: killPatroni, elected: true},
	{name: "machine", what: "SIGKILL of all programs of the primary's machine", happen: killMachine, elected: true},
	{name: "frozen", what: "SIGSTOP of PostgreSQL and Patroni on the primary's machine, and SIGCONT after another one took over", happen: freeze, elected: true},
	{name: "switchover", what: "patronictl switchover, as for an upgrade", happen: switchover, elected: true},
	{name: "replica", what: "SIGKILL of PostgreSQL on the replica that commits wait for", happen: killReplica},
	{name: "etcd", what: "SIGKILL of the leader of three etcds", happen: killEtcd},
	{name: "pgbouncer", what: "SIGKILL of a server's PgBouncer", happen: killOf(func(m *machine) *process { return m.pgbouncer })},
	{name: "haproxy", what: "SIGKILL of a server's HAProxy, before PostgreSQL", happen: killOf(func(m *machine) *process { return m.haproxy })},
	{name: "server", what: "SIGKILL of one of two servers", happen: killServer},
}

func names() (list []string) {
	for _, f := range faults {
		list = append(list, f.name)
	}
	return list
}

// settled is for how long writes have to go on before what a fault did counts as survived.
const settled = 2 * time.Second

// round lets one fault happen during load, waits until everything is as before, and prints
// what it was like for clients.
func (s *stack) round(ctx context.Context, f fault, round int, l *load) (err error) {
	l.fault = f.name
	if err := s.whole(ctx); err != nil {
		return err
	}
	before, err := s.has("leader")
	if err != nil {
		return err
	}
	load, cancel := context.WithCancel(ctx)
	stop := l.run(load)
	defer func() {
		cancel()
		if err != nil {
			_ = stop()
		}
	}()
	if err := until(ctx, 30*time.Second, "load", func() error { return enough(l.writtenSince(time.Time{}), 50) }); err != nil {
		return err
	}
	began := time.Now()
	mend, err := f.happen(ctx, s, round)
	if err != nil {
		return err
	}
	after := before
	if f.elected {
		if err := until(ctx, 2*time.Minute, "another primary", func() error {
			if after, err = s.has("leader"); err == nil && after == before {
				err = errors.New("it is the same one")
			}
			return err
		}); err != nil {
			return err
		}
	}
	if err := s.flows(ctx, l); err != nil {
		return err
	}
	if mend != nil {
		if err := mend(); err != nil {
			return err
		}
	}
	if err := s.whole(ctx); err != nil {
		return err
	}
	for _, m := range s.machines[:servers] {
		if err := until(ctx, time.Minute, "server "+strconv.Itoa(m.n), func() error { return s.ready(m) }); err != nil {
			return err
		}
	}
	if err := s.flows(ctx, l); err != nil {
		return err
	}
	l.gap = l.gapSince(began)
	if err := stop(); err != nil {
		return err
	}
	if err := l.look(ctx); err != nil {
		return err
	}
	verdict := "holds"
	wrong := l.check()
	if wrong != nil {
		verdict = "does not hold"
	}
	fmt.Printf("%-11s %5d  %-12s %9s %7d %7d %8d  %s\n", f.name, round, before.name()+moved(before, after), seconds(l.gap), len(l.acked), l.refused.Load(), l.silent.Load(), verdict)
	return wrong
}

func moved(before, after *machine) string {
	if before == after {
		return ""
	}
	return "→" + strconv.Itoa(after.n)
}

func enough(have, want int) error {
	if have < want {
		return fmt.Errorf("%d of %d orders", have, want)
	}
	return nil
}

// flows waits until orders are placed all the time.
func (s *stack) flows(ctx context.Context, l *load) error {
	since := time.Now()
	return until(ctx, 2*time.Minute, "writes", func() error {
		now := time.Now()
		if now.Sub(since) < settled {
			return errors.New("it just began")
		}
		from := now.Add(-settled)
		if gap := max(l.gapSince(from), l.silence()); gap > settled/2 {
			return fmt.Errorf("nothing for %v", gap)
		}
		return enough(l.writtenSince(from), 10)
	})
}

// killPostgres kills the postmaster of the primary. What it started ends when it is gone.
func killPostgres(_ context.Context, s *stack, _ int) (func() error, error) {
	m, err := s.has("leader")
	if err != nil {
		return nil, err
	}
	kill(m.postmaster())
	return nil, nil
}

func killReplica(_ context.Context, s *stack, _ int) (func() error, error) {
	m, err := s.has("sync_standby")
	if err != nil {
		return nil, err
	}
	kill(m.postmaster())
	return nil, nil
}

func killPatroni(_ context.Context, s *stack, _ int) (func() error, error) {
	m, err := s.has("leader")
	if err != nil {
		return nil, err
	}
	m.patroni.kill()
	return m.patroni.start, nil
}

func killMachine(ctx context.Context, s *stack, _ int) (func() error, error) {
	m, err := s.has("leader")
	if err != nil {
		return nil, err
	}
	postmaster := m.postmaster()
	programs := []*process{m.patroni, m.etcd, m.haproxy, m.pgbouncer}
	if m.server != nil {
		programs = append(programs, m.server)
	}
	if s.front == "http://"+s.addresses["FRONT_"+strconv.Itoa(m.n)] { // clients would go to another one
		programs = []*process{m.patroni, m.etcd, m.pgbouncer}
	}
	for _, p := range programs {
		p.signal(syscall.SIGKILL)
	}
	kill(postmaster)
	for _, p := range programs {
		p.kill()
	}
	return func() error {
		for _, p := range programs {
			if p == m.server {
				continue
			}
			if err := p.start(); err != nil {
				return err
			}
		}
		if m.server == nil {
			return nil
		}
		return s.startServer(ctx, m)
	}, nil
}

// freeze stops a primary without ending it: when it goes on, it takes itself for the primary.
func freeze(_ context.Context, s *stack, _ int) (func() error, error) {
	m, err := s.has("leader")
	if err != nil {
		return nil, err
	}
	m.patroni.signal(syscall.SIGSTOP)
	postmaster := m.postmaster()
	if err := syscall.Kill(postmaster, syscall.SIGSTOP); err != nil {
		return nil, err
	}
	frozen := append(children(postmaster), postmaster)
	for _, pid := range frozen {
		_ = syscall.Kill(pid, syscall.SIGSTOP)
	}
	return func() error {
		for _, pid := range frozen {
			_ = syscall.Kill(pid, syscall.SIGCONT)
		}
		m.patroni.signal(syscall.SIGCONT)
		return nil
	}, nil
}

func switchover(ctx context.Context, s *stack, _ int) (func() error, error) {
	m, err := s.has("leader")
	if err != nil {
		return nil, err
	}
	to, err := s.has("sync_standby")
	if err != nil {
		return nil, err
	}
	body := fmt.Sprintf(`{"leader":%q,"candidate":%q}`, m.name(), to.name())
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+s.addresses["PATRONI_"+strconv.Itoa(m.n)]+"/switchover", strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.SetBasicAuth("patroni", s.password)
	resp, err := (&http.Client{Timeout: time.Minute}).Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("switchover: %s", resp.Status)
	}
	return nil, nil
}

// killEtcd kills the leader, so that the others elect another one.
func killEtcd(ctx context.Context, s *stack, _ int) (func() error, error) {
	for _, m := range s.machines {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+s.addresses["ETCD_"+strconv.Itoa(m.n)]+"/v3/maintenance/status", strings.NewReader("{}"))
		if err != nil {
			return nil, err
		}
		resp, err := briefly.Do(req)
		if err != nil {
			return nil, err
		}
		var status struct {
			Leader string
			Header struct {
				Member string `json:"member_id"`
			}
		}
		err = json.NewDecoder(resp.Body).Decode(&status)
		_ = resp.Body.Close()
		if err != nil {
			return nil, err
		}
		if status.Leader == status.Header.Member {
			m.etcd.kill()
			return m.etcd.start, nil
		}
	}
	return nil, errors.New("no etcd says that it is the leader")
}

// killOf kills a program of the one server's machine, and the other's in the next round.
func killOf(program func(m *machine) *process) func(context.Context, *stack, int) (func() error, error) {
	return func(_ context.Context, s *stack, round int) (func() error, error) {
		p := program(s.machines[round%servers])
		p.kill()
		return p.start, nil
	}
}

func killServer(ctx context.Context, s *stack, round int) (func() error, error) {
	m := s.machines[round%servers]
	m.server.kill()
	return func() error {
		_ = os.Remove(m.folder + "/ready.json")
		return s.startServer(ctx, m)
	}, nil
}
