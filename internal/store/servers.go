package store

import (
	"context"
	"time"
)

// Servers that share a database write every second that they are there.
const (
	beatEvery = time.Second
	// missing is how long a server may not have written and still be there, by the
	// database's clock. One that ends by itself says so.
	missing = 5 * time.Second
)

// Join has the Store count as that of a server until it is closed.
func (s *Store) Join(ctx context.Context) error {
	if s.pg == nil {
		return nil
	}
	w := s.pg.watcher
	err := w.beat(ctx)
	w.joined.Store(err == nil)
	return s.wrapError("join the servers", err)
}

// OtherServers returns how many other servers use the database.
func (s *Store) OtherServers(ctx context.Context) (n int, err error) {
	if s.pg == nil {
		return 0, nil
	}
	ctx, cancel := s.briefly(ctx)
	defer cancel()
	err = s.pg.primary.QueryRow(ctx, `SELECT count(*) FROM servers WHERE server <> $1 AND beat > clock_timestamp() - $2::interval`,
		s.pg.watcher.server, missing).Scan(&n)
	return n, s.wrapError("count servers", err)
}

// beat writes that this server is there.
func (w *watcher) beat(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	w.beaten.Store(time.Now().UnixNano())
	_, err := w.store.pg.primary.Exec(ctx, `
INSERT INTO servers (server, beat) VALUES ($1, clock_timestamp()) ON CONFLICT (server) DO UPDATE SET beat = excluded.beat`, w.server)
	return err
}

// leave says that this server is not there any more, and forgets those that could not.
func (w *watcher) leave() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_, _ = w.store.pg.primary.Exec(ctx, `DELETE FROM servers WHERE server = $1 OR beat < clock_timestamp() - $2::interval`, w.server, time.Hour)
}
