package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
)

// Lists may be read from a streaming replica, as far as it has come. The primary is the
// one that says how far a list needs it to be: for each version of lists there is a
// place in the primary's log that has all changes of it. What this server wrote has none
// until the primary was asked again, and is read there.

const (
	replicaEvery = 100 * time.Millisecond
	// replicaLag is how far behind a replica may be. One that is farther is left alone
	// until it has caught up: its reads would be slow as well.
	replicaLag = 5 * time.Second
	// nowhere is a place that no replica has come to.
	nowhere = math.MaxInt64
)

// replica is a streaming replica. Places are numbers of bytes in the primary's log.
type replica struct {
	source // empty until it was reached
	name   string

	replayed atomic.Int64               // how far it has come; 0 while it is left alone
	turn     atomic.Int64               // counts what the address has led to
	needed   [versionSlots]atomic.Int64 // where the changes of lists are
	newest   atomic.Int64               // the last place that the primary told

	mu      sync.Mutex // guards own and server, and changes of replayed
	own     changes    // what this server wrote since the primary told a place
	server  string     // which one the address leads to, by when it was started
	cancel  context.CancelFunc
	done    chan struct{}
	behind  bool
	waiting struct { // what it must come to, and since when
		place int64
		since time.Time
	}
	caughtUp time.Time
}

// openReplica begins to use a replica, now or as soon as it can be reached.
func (s *Store) openReplica(ctx context.Context, o Options, primary *postgresServer) error {
	config, name, err := parsePostgres(o.Replica)
	if err != nil {
		return err
	}
	r := &replica{name: name, done: make(chan struct{})}
	for i := range r.needed {
		r.needed[i].Store(nowhere)
	}
	r.own.all = true
	connect := func(ctx context.Context) error {
		if err := s.connectReplica(ctx, r, config, o, primary); err != nil {
			return postgresOpenError(name, err)
		}
		return nil
	}
	if err := connect(ctx); errors.Is(err, ErrUnreachable) {
		s.pg.log.Warn("the replica cannot be reached: lists are read from the primary until it can", "replica", name, "error", err)
	} else if err != nil {
		return err
	}
	ctx, r.cancel = context.WithCancel(context.Background())
	s.pg.replica = r
	go func() {
		defer close(r.done)
		r.reach(ctx, s.pg.log, connect)
		r.follow(ctx, s)
	}()
	return nil
}

// reach connects to a replica that could not be reached.
func (r *replica) reach(ctx context.Context, log *slog.Logger, connect func(context.Context) error) {
	for r.sharedPool == nil && ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
		switch err := connect(ctx); {
		case err == nil:
			log.Info("the replica can be reached", "replica", r.name)
		case !errors.Is(err, ErrUnreachable) && ctx.Err() == nil:
			log.Error("the replica cannot be used: lists are read from the primary until it can", "replica", r.name, "error", err)
		}
	}
}

func (s *Store) connectReplica(ctx context.Context, r *replica, config *pgxpool.Config, o Options, primary *postgresServer) error {
	config = config.Copy()
	server, err := examine(ctx, config)
	switch {
	case err != nil:
		return err
	case server.system != primary.system || server.database != primary.database:
		return &OpenError{Reason: ErrOtherDatabase, Cause: fmt.Errorf("it is no replica of %s", s.pg.name), Next: "give --read-db the address of a streaming replica of the database of --db"}
	case !server.replica:
		return &OpenError{Reason: ErrNoReplica, Next: "give --read-db the address of a streaming replica, or leave it out"}
	}
	configure(config.ConnConfig, server.pooled)
	if err := limitPool(config, server, o.Readers); err != nil {
		return err
	}
	pool, err := newSharedPool(ctx, config, server.pooled, r.meet)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.source = source{pool, stdlib.OpenDBFromPool(pool.Pool)}
	return nil
}

// meet notes which replica a new connection leads to. If it is another one than before, as
// behind a proxy, or has restarted, what the last one had says nothing of it.
func (r *replica) meet(ctx context.Context, conn *pgx.Conn) error {
	var server string
	if err := conn.QueryRow(ctx, `SELECT extract(epoch FROM pg_postmaster_start_time())::text`).Scan(&server); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.server == server {
		return nil
	}
	if r.sharedPool != nil {
		r.Reset() // connections to the last one
	}
	r.server = server
	r.turn.Add(1)
	r.replayed.Store(0)
	return nil
}

// follow asks the replica how far it has come.
func (r *replica) follow(ctx context.Context, s *Store) {
	if r.sharedPool == nil {
		return
	}
	ticker := time.NewTicker(replicaEvery)
	defer ticker.Stop()
	r.caughtUp = time.Now()
	for {
		turn := r.turn.Load()
		place, err := r.place(ctx)
		now := time.Now()
		switch target := r.newest.Load(); {
		case err != nil:
			place = 0
		case place >= target:
			r.caughtUp, r.waiting.place = now, 0
		case r.waiting.place == 0:
			r.waiting.place, r.waiting.since = target, now
		case place >= r.waiting.place:
			r.caughtUp = r.waiting.since
			r.waiting.place, r.waiting.since = target, now
		}
		behind := now.Sub(r.caughtUp) > replicaLag
		if behind != r.behind {
			if behind {
				args := []any{"replica", r.name}
				if err != nil {
					args = append(args, "error", err)
				}
				s.pg.log.Warn("the replica is too far behind: lists are read from the primary until it has caught up", args...)
			} else {
				s.pg.log.Info("the replica has caught up", "replica", r.name)
			}
			r.behind = behind
		}
		if behind {
			place = 0
		}
		r.mu.Lock()
		if r.turn.Load() == turn {
			r.replayed.Store(place)
		}
		r.mu.Unlock()
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// place returns how far the replica has come, 0 for one that has become a primary: what
// it has may not be what the other one has.
func (r *replica) place(ctx context.Context) (place int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, replicaLag)
	defer cancel()
	err = r.QueryRow(ctx, `
SELECT CASE WHEN pg_is_in_recovery() THEN pg_wal_lsn_diff(pg_last_wal_replay_lsn(), '0/0')::bigint ELSE 0 END`).Scan(&place)
	if err == nil && place == 0 {
		err = ErrNoReplica
	}
	return place, err
}

func (r *replica) stop() error {
	r.cancel()
	<-r.done
	if r.sharedPool == nil {
		return nil
	}
	defer r.Close()
	return r.db.Close()
}

// has reports whether the replica has what a customer's lists need.
func (r *replica) has(partnerID, customerID string) bool {
	return r.replayed.Load() >= r.needed[versionSlot(partnerID, customerID)].Load()
}

// hasAll reports whether the replica has what every list needs.
func (r *replica) hasAll() bool {
	replayed := r.replayed.Load()
	for i := range r.needed {
		if replayed < r.needed[i].Load() {
			return false
		}
	}
	return true
}

// source is where lists are read from.
type source struct {
	*sharedPool
	db *sql.DB
}

// readList has fn read from the replica, if it has what is to be read. If it cannot, or
// else, fn reads from the primary.
func (s *Store) readList(has func(*replica) bool, fn func(source) error) error {
	if r := s.pg.replica; r != nil {
		turn := r.turn.Load()
		if has(r) {
			err := fn(r.source)
			switch {
			case r.turn.Load() != turn:
				// It may have been read from one that has less.
			case err == nil, errors.Is(err, ErrNotYours), errors.Is(err, ErrDamaged):
				return err
			default:
				r.replayed.Store(0) // until it answers again
			}
		}
	}
	return fn(source{s.pg.primary, s.read})
}

// noteOwn notes what this server has written.
func (r *replica) noteOwn(c *changes) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.own.add(c)
	for i := range r.needed {
		if c.all || c.slots[i] {
			r.needed[i].Store(nowhere)
		}
	}
}

// takeOwn returns what this server has written. The place that the primary tells from
// now on has it.
func (r *replica) takeOwn() *changes {
	r.mu.Lock()
	defer r.mu.Unlock()
	own := r.own
	r.own = changes{}
	return &own
}

// noteFound notes what the primary has at a place, besides what was written here since.
func (r *replica) noteFound(found, own *changes, place int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.newest.Store(place)
	for i := range r.needed {
		if found.all || found.slots[i] || own.all || own.slots[i] {
			if !r.own.all && !r.own.slots[i] {
				r.needed[i].Store(place)
			}
		}
	}
}

// returnOwn notes again what takeOwn returned, as the primary told no place.
func (r *replica) returnOwn(own *changes) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.own.add(own)
}
