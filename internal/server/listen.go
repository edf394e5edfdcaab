package server

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// Limits of a connection. They leave time for a slow client to read lists of many
// thousands of customers; nothing else comes close.
const (
	readHeaderTimeout = 15 * time.Second
	readTimeout       = readHeaderTimeout // equal, so that net/http sets one deadline per request, not two
	writeTimeout      = 3 * time.Minute
	idleTimeout       = 2 * time.Minute
	// maxHeaderBytes leaves room for the longest accepted token, 16 KiB, and the rest
	// of a header.
	maxHeaderBytes = 32 << 10
	// maxBodyBytes bounds every body that a handler reads, unless the handler bounds it
	// itself: see unlimitedBody.
	maxBodyBytes = 1 << 20
)

// Listeners are the listeners of a server. Nil ones are left out.
type Listeners struct {
	API    net.Listener // plain HTTP
	APITLS net.Listener // TLS, wrapped by TLS below
	// Control is where Plane answers: plain HTTP, never on a port of the API.
	Control net.Listener
	Plane   http.Handler
	// Ops is where Figures answers. It is closed after the others, and tells meanwhile
	// that the server is shutting down.
	Ops     net.Listener
	Figures http.Handler
	// Intercepted has the connections that a proxy intercepted, also TLS.
	Intercepted net.Listener
	TLS         *tls.Config // certificates of APITLS and Intercepted
}

// Serve answers on the listeners until ctx is done. It then waits for requests in
// flight, for at most grace, and returns nil.
func (s *Server) Serve(ctx context.Context, l Listeners, grace time.Duration) error {
	type listening struct {
		server   *http.Server
		listener net.Listener
		tls      bool
		last     bool // to be shut down
	}
	var all []listening
	control := newConnections(maxControlConnections)
	handler := limitBody(s)
	if s.config.Trace != nil {
		handler = s.config.Trace(handler)
	}
	if l.API != nil {
		all = append(all, listening{server: s.httpServer(handler, nil, s.clients), listener: s.clients.limit(l.API, false)})
	}
	for _, secure := range []net.Listener{l.APITLS, l.Intercepted} {
		if secure != nil {
			config := l.TLS.Clone()
			config.MinVersion = tls.VersionTLS12 // clients on Mono support no newer version
			all = append(all, listening{server: s.httpServer(handler, config, s.clients), listener: s.clients.limit(secure, true), tls: true})
		}
	}
	if l.Control != nil {
		all = append(all, listening{server: s.httpServer(limitBody(l.Plane), nil, control), listener: control.limit(l.Control, false)})
	}
	if l.Ops != nil {
		all = append(all, listening{server: s.httpServer(limitBody(l.Figures), nil, control), listener: control.limit(l.Ops, false), last: true})
	}
	var others sync.WaitGroup
	group, failed := errgroup.WithContext(ctx)
	for _, x := range all {
		if !x.last {
			others.Add(1)
		}
		group.Go(func() error {
			var err error
			if x.tls {
				err = x.server.ServeTLS(x.listener, "", "")
			} else {
				err = x.server.Serve(x.listener)
			}
			if errors.Is(err, http.ErrServerClosed) {
				return nil
			}
			return err
		})
		group.Go(func() error {
			<-failed.Done() // ctx is done, or another listener failed
			s.draining.Store(true)
			if s.config.Authority != nil {
				s.config.Authority.ClearFaults() // a stalled request would keep the shutdown waiting
			}
			if x.last {
				others.Wait()
				return x.server.Close()
			}
			defer others.Done()
			stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
			defer cancel()
			if err := x.server.Shutdown(stop); err != nil {
				s.config.Logger.Warn("requests were cut off: they took longer than the shutdown's grace", "grace", grace)
				return x.server.Close()
			}
			return nil
		})
	}
	return group.Wait()
}

// maxControlConnections bounds those of the listeners that are not the API's. They have
// room when the API's have none.
const maxControlConnections = 256

func (s *Server) httpServer(h http.Handler, config *tls.Config, clients *connections) *http.Server {
	return &http.Server{
		Handler:           h,
		TLSConfig:         config,
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ConnState:         clients.note,
		ConnContext:       withConnection,
		// Broken handshakes are the clients' problem, not worth more than debug.
		ErrorLog: slog.NewLogLogger(s.config.Logger.Handler(), slog.LevelDebug),
	}
}

// limitBody bounds the bodies of requests. It changes a copy of the request: in its own,
// net/http looks for a body that the client still waits to send (Expect: 100-continue),
// and would wait for it before it answers.
func limitBody(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength != 0 {
			limited := *r
			limited.Body = &limitedBody{http.MaxBytesReader(w, r.Body, maxBodyBytes), r.Body}
			r = &limited
		}
		h.ServeHTTP(w, r)
	})
}

// limitedBody is a body with a limit.
type limitedBody struct {
	io.ReadCloser
	whole io.ReadCloser
}

// unlimitedBody returns the body for a handler that accepts larger ones and bounds them
// itself.
func unlimitedBody(r *http.Request) io.ReadCloser {
	if limited, ok := r.Body.(*limitedBody); ok {
		return limited.whole
	}
	return r.Body
}
