//go:build linux

// Command ha runs what deploy/ha describes on this machine: three machines with etcd,
// Patroni, PostgreSQL, HAProxy and PgBouncer each, and two servers, on free ports and in a
// temporary folder. It has clients place and list orders, kills one thing after another,
// measures for how long nothing could be written, and checks the history of what clients
// were told.
//
//	make ha
//	go run ./tools/ha -rounds 5
//	go run ./tools/ha -faults frozen,etcd
//
// It fails if anything was lost, doubled or stale, or does not recover. Programs that
// refuse to run as root run as the user postgres.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "ha:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) (err error) {
	f := flag.NewFlagSet("ha", flag.ContinueOnError)
	rounds := f.Int("rounds", 1, "how often each fault happens")
	only := f.String("faults", "", "only these of "+strings.Join(names(), ", "))
	keep := f.Bool("keep", false, "keep the folder with the logs also if all went well")
	if err := f.Parse(args); err != nil {
		return err
	}
	chosen := faults
	if *only != "" {
		chosen = nil
		for name := range strings.SplitSeq(*only, ",") {
			i := slices.IndexFunc(faults, func(one fault) bool { return one.name == name })
			if i < 0 {
				return fmt.Errorf("there is no fault %q: there are %s", name, strings.Join(names(), ", "))
			}
			chosen = append(chosen, faults[i])
		}
	}
	s, err := newStack(*rounds * len(chosen))
	if err != nil {
		return err
	}
	defer func() {
		s.stop()
		if err != nil || *keep {
			fmt.Fprintln(os.Stderr, "ha: the logs are in", s.folder)
			return
		}
		err = os.RemoveAll(s.folder)
	}()
	began := time.Now()
	if err := s.start(ctx); err != nil {
		return err
	}
	fmt.Printf("set up in %.0f s\n\n", time.Since(began).Seconds())
	return s.prove(ctx, chosen, *rounds)
}

// prove lets each fault happen, and checks everything again in the end.
func (s *stack) prove(ctx context.Context, chosen []fault, rounds int) error {
	fmt.Printf("%-11s %5s  %-12s %9s %7s %7s %8s  %s\n", "fault", "round", "primary", "gap", "orders", "503", "no reply", "history")
	var all []*load
	for round := 1; round <= rounds; round++ {
		for _, f := range chosen {
			l := newLoad(s, len(all))
			err := s.round(ctx, f, round, l)
			if ctx.Err() != nil {
				return errors.New("interrupted")
			}
			if err != nil {
				return fmt.Errorf("%s, round %d: %w", f.name, round, err)
			}
			all = append(all, l)
		}
	}
	// What was there after each fault has survived those that came later.
	for _, l := range all {
		if err := l.look(ctx); err != nil {
			return err
		}
		if err := l.check(); err != nil {
			return fmt.Errorf("in the end: %w", err)
		}
	}
	fmt.Println()
	for _, f := range chosen {
		var gaps []time.Duration
		for _, l := range all {
			if l.fault == f.name {
				gaps = append(gaps, l.gap)
			}
		}
		slices.Sort(gaps)
		fmt.Printf("%-11s nothing written for %s (median), %s at most: %s\n", f.name, seconds(gaps[len(gaps)/2]), seconds(gaps[len(gaps)-1]), f.what)
	}
	return nil
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }

// until waits for something, and says what if it does not come.
func until(ctx context.Context, patience time.Duration, what string, is func() error) error {
	deadline := time.Now().Add(patience)
	for {
		err := is()
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case time.Now().After(deadline):
			return fmt.Errorf("%s: not within %v: %w", what, patience, err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(100 * time.Millisecond):
		}
	}
}
