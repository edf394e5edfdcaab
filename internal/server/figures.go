package server

import (
	"cmp"
	"time"

	"github.com/partnercenter-go/partnercenter/internal/queue"
)

// Observed is a request that was answered, as far as figures are about it. Method and
// Route are those of the access log, of which there are few.
type Observed struct {
	Method, Route string
	Status, Bytes int
	Duration      time.Duration
}

func (s *Server) observe(c *call) {
	s.config.Observe(c.r.Context(), Observed{
		Method: loggedMethod(c.r.Method), Route: cmp.Or(c.pattern, noRoute),
		Status: c.status, Bytes: c.size, Duration: time.Since(c.started),
	})
}

// Figures is what a Server counts about itself.
type Figures struct {
	Running int64  // requests, if there is a Config.Observe
	Refused uint64 // requests beyond the request limit
	// Lists are the kept ones, of LimitBytes at most.
	Lists, ListBytes, LimitBytes int64
	Hits, Misses                 uint64 // of requests for a list that may be kept

	// Work is what takes turns: reads and writes of the database, and requests for tokens.
	Work map[string]queue.Figures
	// Unsent is the bytes of large answers
	// that wait for their readers, and Unread the answers that there was no room for.
	Unsent int64
	Unread uint64
	// Connections are those of the API's listeners. Closed were idle, and had to make
	// room; TurnedAway found no room.
	Connections, MaxConnections int
	Closed, TurnedAway          uint64
}

// Figures returns the figures of now.
func (s *Server) Figures() Figures {
	f := Figures{Running: s.running.Load()}
	if s.throttle != nil {
		f.Refused = s.throttle.refused.Load()
	}
	lists, used := s.lists.lists.Cost()
	f.Lists, f.ListBytes, f.LimitBytes = int64(lists), used, s.lists.limit
	f.Hits, f.Misses = uint64(s.lists.hits.Value()), uint64(s.lists.misses.Value())
	f.Work = map[string]queue.Figures{"reads": s.work.reads.Figures(), "writes": s.work.writes.Figures()}
	if s.config.Authority != nil {
		f.Work["tokens"] = s.config.Authority.Forms()
	}
	f.Unsent, f.Unread = s.work.unsent.bytes.Load(), s.work.unsent.refused.Load()
	f.Connections, f.MaxConnections = s.clients.count(), s.clients.most
	f.Closed, f.TurnedAway = s.clients.closed.Load(), s.clients.turned.Load()
	return f
}
