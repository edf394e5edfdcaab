package server

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/entra"
	"github.com/partnercenter-go/partnercenter/internal/store"
)

// readyTimeout bounds how long a readiness check waits for the store.
const readyTimeout = 2 * time.Second

// health returns the health check at a path. Neither check needs a token.
func (s *Server) health(path pathSegments) (func(*call) error, bool) {
	if path.count != 1 {
		return nil, false
	}
	switch ascii.ToLower(path.first()) {
	case "livez":
		return s.livez, true
	case "readyz":
		return s.readyz, true
	}
	return nil, false
}

// Health answers the health checks, /livez and /readyz, on a listener other than the
// API's.
func (s *Server) Health() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path, err := splitPath(r)
		answer, ok := s.health(path)
		if err != nil || !ok {
			http.NotFound(w, r)
			return
		}
		_ = answer(&call{w: w, r: r, started: time.Now()})
	})
}

// livez reports that the process answers.
func (s *Server) livez(c *call) error {
	return c.writeHealth(http.StatusOK, "live")
}

// readyz reports whether requests would be served now.
func (s *Server) readyz(c *call) error {
	if s.draining.Load() {
		return c.writeHealth(http.StatusServiceUnavailable, "shutting down")
	}
	ctx, cancel := context.WithTimeout(c.r.Context(), readyTimeout)
	defer cancel()
	if err := s.config.Store.Ping(ctx); err != nil {
		s.config.Logger.Error("not ready", "error", err)
		return c.writeHealth(http.StatusServiceUnavailable, databaseStatus(err))
	}
	if s.config.Entra != nil {
		if unavailable, ok := errors.AsType[*entra.UnavailableError](s.config.Entra.Ready()); ok {
			return c.writeHealth(http.StatusServiceUnavailable, "no signing keys yet for tenant "+unavailable.TenantID+" from "+unavailable.Authority)
		}
	}
	return c.writeHealth(http.StatusOK, "ready")
}

// databaseStatus says in a few words why the database does not serve requests. They name
// no file: anyone may ask.
func databaseStatus(err error) string {
	if unusable, ok := errors.AsType[*store.UnusableError](err); ok {
		return unusable.Problem()
	}
	return "database unavailable"
}

func (c *call) writeHealth(status int, text string) error {
	h := c.w.Header()
	if c.r.Method != http.MethodGet && c.r.Method != http.MethodHead {
		h.Set("Allow", "GET, HEAD")
		status, text = http.StatusMethodNotAllowed, "use GET"
	}
	h["Content-Type"] = contentTypeJSON
	h.Set("Cache-Control", "no-store")
	c.send(status, []byte(`{"status":"`+text+`"}`))
	return nil
}
