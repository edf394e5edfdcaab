package server

import (
	"cmp"
	"time"
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
	return f
}
