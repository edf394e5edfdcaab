package store

import (
	"database/sql"
	"math/bits"
	"os"
	"sync/atomic"
	"time"
)

// Figures is what a Store counts and measures about itself.
type Figures struct {
	Pools   []PoolFigures
	Queue   int // changes that wait to be written
	Batches BatchFigures
	// FileBytes and LogBytes are the sizes of a SQLite database's file and of its
	// write-ahead log. Zero for PostgreSQL.
	FileBytes, LogBytes int64
}

// PoolFigures are about the connections of a pool.
type PoolFigures struct {
	Name         string // what they are for
	Max          int
	InUse, Idle  int
	Waits        int64 // for a connection, since the start
	WaitDuration time.Duration
}

// BatchFigures say how many changes were written together.
type BatchFigures struct {
	Commits, Changes uint64
	// UpTo counts the commits of at most 1, 2, 4 and so on up to [maxBatch] changes; each
	// has those before it.
	UpTo [batchSizes]uint64
}

// batchSizes is how many powers of two there are from one to [maxBatch].
const batchSizes = 9

// Size returns how many changes the commits counted at an index of UpTo have at most.
func (BatchFigures) Size(i int) int { return 1 << i }

// batchCounts counts commits. Only the writing goroutine adds to them.
type batchCounts struct {
	changes atomic.Uint64
	sizes   [batchSizes]atomic.Uint64 // by power of two
}

func (c *batchCounts) add(changes int) {
	c.changes.Add(uint64(changes))
	c.sizes[bits.Len(uint(changes-1))].Add(1)
}

func (c *batchCounts) figures() BatchFigures {
	f := BatchFigures{Changes: c.changes.Load()}
	for i := range c.sizes {
		f.Commits += c.sizes[i].Load()
		f.UpTo[i] = f.Commits
	}
	return f
}

// Figures returns the figures of now. It does not ask the database, so that it answers
// while that does not.
func (s *Store) Figures() Figures {
	s.closing.RLock()
	f := Figures{Queue: len(s.jobs), Batches: s.batches.figures()}
	s.closing.RUnlock()
	if s.pg != nil {
		f.Pools = append(f.Pools, s.pg.primary.figures("primary"))
		if s.pg.replica != nil && s.pg.replica.turn.Load() > 0 {
			f.Pools = append(f.Pools, s.pg.replica.figures("replica"))
		}
		return f
	}
	f.Pools = []PoolFigures{poolFigures("read", s.read), poolFigures("write", s.write)}
	if s.lists != nil {
		idle, all := len(s.lists.idle), cap(s.lists.idle)
		f.Pools = append(f.Pools, PoolFigures{Name: "lists", Max: all, InUse: all - idle, Idle: idle})
	}
	f.FileBytes, f.LogBytes = sizeOfFile(s.file.path), sizeOfFile(s.file.path+"-wal")
	return f
}

func poolFigures(name string, db *sql.DB) PoolFigures {
	stats := db.Stats()
	return PoolFigures{
		Name: name, Max: stats.MaxOpenConnections, InUse: stats.InUse, Idle: stats.Idle,
		Waits: stats.WaitCount, WaitDuration: stats.WaitDuration,
	}
}

func (p *sharedPool) figures(name string) PoolFigures {
	stat := p.Stat()
	return PoolFigures{
		Name: name, Max: int(stat.MaxConns()), InUse: int(stat.AcquiredConns()), Idle: int(stat.IdleConns()),
		Waits: stat.EmptyAcquireCount(), WaitDuration: stat.EmptyAcquireWaitTime(),
	}
}

// sizeOfFile returns the size of a file, 0 if there is none. It does not open it: see
// [databaseFile].
func sizeOfFile(name string) int64 {
	info, err := os.Stat(name)
	if err != nil {
		return 0
	}
	return info.Size()
}
