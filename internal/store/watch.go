package store

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Servers that share a database tell each other whose lists they changed. Each commit
// adds a row to the table changes, which every server reads again and again; a
// notification only says that it is worth reading now. A server that could not read it
// for a while takes every list for changed.
const (
	pollEvery = 250 * time.Millisecond
	// trusted is how long what was read stands for what is there. Lists must not be
	// older than a second.
	trusted = 750 * time.Millisecond
	// forgotten is when rows are deleted that everybody who reads has read.
	forgotten = time.Minute
	// missed is after what time of not reading rows may have been deleted unread.
	missed = forgotten / 2
	// apartLooks is the least time between two looks, however much is written.
	apartLooks = 5 * time.Millisecond
)

const (
	channel     = "partnercenter"
	announceSQL = `INSERT INTO changes (server, slots, shared) VALUES ($1, $2, $3)`
	notifySQL   = `SELECT pg_notify('` + channel + `', '')`
)

// announce tells the other servers what a transaction changes.
func (p *postgres) announce(t *tx) error {
	if t.changed.none() {
		return nil
	}
	var slots []byte // NULL means all
	if !t.changed.all {
		slots = t.changed.encode()
	}
	_, err := t.ExecContext(t.ctx, announceSQL, p.watcher.own.Load(), slots, int(t.changed.shared))
	return err
}

// notify has the other servers read what was announced. They do so anyway, if later.
func (p *postgres) notify(ctx context.Context, t *tx) {
	if !t.changed.none() {
		_, _ = p.primary.Exec(ctx, notifySQL)
	}
}

// watcher reads what other servers change.
type watcher struct {
	store  *Store
	server []byte       // identifies this one
	own    atomic.Value // []byte: marks the rows of this one, see disown
	deaf   atomic.Bool  // notifications are lost, for tests
	joined atomic.Bool  // see Join
	beaten atomic.Int64 // when this was last written, in nanoseconds of Unix
	cancel context.CancelFunc
	done   chan struct{}
	wake   chan struct{}

	mu   sync.Mutex // guards what follows
	last look
	past []look // some looks of the last minute
}

// look is when the table was looked at, and which transactions had ended then: those
// before next but the running ones. They are numbers of type xid8, in decimal.
type look struct {
	at      time.Time
	life    string // of the primary, which begins with its start or crash
	next    string
	running []string
}

// parseSnapshot reads a value of type pg_snapshot: the first running transaction, the next
// one, and the running ones in between.
func parseSnapshot(text string) (l look, err error) {
	parts := strings.Split(text, ":")
	if len(parts) != 3 {
		return l, fmt.Errorf("the database tells a snapshot %q", text)
	}
	l.next, l.running = parts[1], []string{} // nil would be NULL
	if parts[2] != "" {
		l.running = strings.Split(parts[2], ",")
	}
	return l, nil
}

func newWatcher(s *Store) *watcher {
	w := &watcher{store: s, server: make([]byte, 8), done: make(chan struct{}), wake: make(chan struct{}, 1), last: look{next: "0", running: []string{}}}
	rand.Read(w.server) // never fails
	w.own.Store(w.server)
	return w
}

// disown has rows that this server wrote until now read as those of others are: a commit
// without an answer may have its effect at any later time.
func (w *watcher) disown() { w.own.Store([]byte(rand.Text())) }

// watch begins to read what other servers change. Without direct connections it hears of
// it only by reading.
func (s *Store) watch(ctx context.Context, direct *pgxpool.Config) error {
	w := s.pg.watcher
	if err := w.look(ctx); err != nil {
		return err
	}
	ctx, w.cancel = context.WithCancel(context.Background())
	if direct != nil {
		go w.listen(ctx, direct.ConnConfig.Copy())
	}
	go w.run(ctx)
	return nil
}

// stop ends what goes on beside calls.
func (p *postgres) stop() error {
	if w := p.watcher; w != nil && w.cancel != nil {
		w.cancel()
		<-w.done
		if w.joined.Load() {
			w.leave()
		}
	}
	if p.replica != nil {
		return p.replica.stop()
	}
	return nil
}

func (w *watcher) run(ctx context.Context) {
	defer close(w.done)
	ticker := time.NewTicker(pollEvery)
	defer ticker.Stop()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		case <-w.wake:
		}
		// If it fails, lists are read from the database until it works again.
		_ = w.look(ctx)
		if w.joined.Load() && time.Now().UnixNano()-w.beaten.Load() >= beatEvery.Nanoseconds() {
			_ = w.beat(ctx)
		}
		select {
		case <-ctx.Done():
		case <-time.After(apartLooks):
		}
	}
}

// poke has what others changed read now.
func (w *watcher) poke() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// listen wakes the reading when another server has written something.
func (w *watcher) listen(ctx context.Context, config *pgx.ConnConfig) {
	for ctx.Err() == nil {
		if conn, err := pgx.ConnectConfig(ctx, config); err == nil {
			_, err = conn.Exec(ctx, `LISTEN `+channel)
			for err == nil {
				if _, err = conn.WaitForNotification(ctx); err == nil && !w.deaf.Load() {
					w.poke()
				}
			}
			_ = conn.Close(context.WithoutCancel(ctx))
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}

// Refresh reads what other servers have changed until now, which the Store does by itself
// within a second.
func (s *Store) Refresh(ctx context.Context) error {
	if s.pg == nil {
		return nil
	}
	return s.wrapError("refresh", s.pg.watcher.look(ctx))
}

// lookSQL returns what was committed since the last look, or a row without it. There is no
// place at a replica. A crash resets the statistics of a primary.
const lookSQL = `
SELECT s.snapshot, s.place, s.life, c.slots, coalesce(c.shared, -1)
FROM (
    SELECT pg_current_snapshot()::text AS snapshot,
        CASE WHEN NOT pg_is_in_recovery() THEN pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint END AS place,
        concat(extract(epoch FROM pg_postmaster_start_time()), ' ', extract(epoch FROM stats_reset)) AS life
    FROM pg_stat_wal
) s
LEFT JOIN changes c ON (c.committed >= $1::text::xid8 OR c.committed = ANY ($2::text[]::xid8[])) AND c.server <> $3`

// look reads what was changed since the last look.
func (w *watcher) look(ctx context.Context) (err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	started := time.Now()
	own := new(changes)
	if r := w.store.pg.replica; r != nil {
		own = r.takeOwn()
		defer func() {
			if err != nil {
				r.returnOwn(own)
			}
		}()
	}
	ours := w.own.Load().([]byte)
	rows, err := w.store.pg.primary.Query(ctx, lookSQL, w.last.next, w.last.running, ours)
	if err != nil {
		return err
	}
	defer rows.Close()
	var found changes
	var place sql.NullInt64
	var snapshot, life string
	for rows.Next() {
		var slots []byte
		var shared int
		if err := rows.Scan(&snapshot, &place, &life, &slots, &shared); err != nil {
			return err
		}
		if shared >= 0 { // there is one
			found.decode(slots, Shared(shared))
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	if !place.Valid {
		err := becameReplica(errors.New("it was a primary"))
		w.store.health.distrust(err)
		w.store.pg.noteRole(err)
		return err
	}
	now, err := parseSnapshot(snapshot)
	if err != nil {
		return err
	}
	now.at, now.life = started, life
	switch {
	case life != w.last.life:
		// Numbers of transactions that the last primary knew and this one does not are
		// given again.
		w.past = nil
		found.all, found.shared = true, everything
	case started.Sub(w.last.at) > missed, !bytes.Equal(ours, w.own.Load().([]byte)):
		found.all, found.shared = true, everything
	}
	w.last = now
	if r := w.store.pg.replica; r != nil {
		r.noteFound(&found, own, place.Int64)
	}
	w.store.bumpVersions(&found)
	w.store.health.noteRead(nil) // it can be read again
	w.store.checked.Store(started.Sub(w.store.opened).Nanoseconds())
	return w.forget(ctx)
}

// forget deletes rows that everybody has read.
func (w *watcher) forget(ctx context.Context) error {
	if len(w.past) > 0 && w.last.at.Sub(w.past[len(w.past)-1].at) < forgotten/4 {
		return nil
	}
	w.past = append(w.past, w.last)
	old := w.past[0]
	if w.last.at.Sub(old.at) < forgotten {
		return nil
	}
	w.past = w.past[1:]
	_, err := w.store.pg.primary.Exec(ctx, `DELETE FROM changes WHERE committed < $1::text::xid8 AND committed <> ALL ($2::text[]::xid8[])`, old.next, old.running)
	return err
}

// none reports whether nothing is changed that servers keep.
func (t *changes) none() bool {
	if t.all || t.shared != nothing {
		return false
	}
	for _, changed := range t.slots {
		if changed {
			return false
		}
	}
	return true
}

// encode returns the slots as they are stored.
func (t *changes) encode() []byte {
	slots := []byte{}
	for i, changed := range t.slots {
		if changed {
			slots = binary.BigEndian.AppendUint16(slots, uint16(i))
		}
	}
	return slots
}

// decode adds what is stored.
func (t *changes) decode(slots []byte, shared Shared) {
	t.shared |= shared
	if slots == nil {
		t.all = true
	}
	for ; len(slots) > 1; slots = slots[2:] {
		t.slots[int(binary.BigEndian.Uint16(slots))%versionSlots] = true
	}
}
