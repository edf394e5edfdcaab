package server

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"
)

// Limits of a connection. Lists of many thousands of customers take a slow
// client its time; nothing else comes near these.
const (
	readHeaderTimeout = 15 * time.Second
	readTimeout       = readHeaderTimeout // the same, so that net/http sets one deadline a request, not two
	writeTimeout      = 3 * time.Minute
	idleTimeout       = 2 * time.Minute
	// maxHeaderBytes leaves room for a token of 16 KiB, the largest that is
	// looked at, and the rest of a request.
	maxHeaderBytes = 32 << 10
	// maxBodyBytes bounds every body that a handler reads, unless it bounds the
	// body by itself: see unlimitedBody.
	maxBodyBytes = 1 << 20
)

// Listeners are what a server listens on. Those that are nil are left out.
type Listeners struct {
	API    net.Listener // plain HTTP
	APITLS net.Listener // TLS, made so by TLS below
	// Control is where Plane answers: plain HTTP, never on a port of the API's.
	Control net.Listener
	Plane   http.Handler
	// Intercepted is where connections arrive that a proxy took in: TLS as well.
	Intercepted net.Listener
	TLS         *tls.Config // certificates of APITLS and Intercepted
}

// Serve answers on the listeners until ctx is done. It then finishes the
// requests in flight, for at most grace, and returns nil.
func (s *Server) Serve(ctx context.Context, l Listeners, grace time.Duration) error {
	type listening struct {
		server   *http.Server
		listener net.Listener
		tls      bool
	}
	var all []listening
	if l.API != nil {
		all = append(all, listening{s.httpServer(s, nil), l.API, false})
	}
	for _, secure := range []net.Listener{l.APITLS, l.Intercepted} {
		if secure != nil {
			config := l.TLS.Clone()
			config.MinVersion = tls.VersionTLS12 // clients on Mono speak no newer one
			all = append(all, listening{s.httpServer(s, config), secure, true})
		}
	}
	if l.Control != nil {
		all = append(all, listening{s.httpServer(l.Plane, nil), l.Control, false})
	}
	group, failed := errgroup.WithContext(ctx)
	for _, x := range all {
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
			<-failed.Done() // ctx is over, or another listener failed
			s.draining.Store(true)
			if s.config.Authority != nil {
				s.config.Authority.ClearFaults() // whom one keeps waiting would be waited for
			}
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

func (s *Server) httpServer(h http.Handler, config *tls.Config) *http.Server {
	return &http.Server{
		Handler:           limitBody(h),
		TLSConfig:         config,
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		// A client that breaks off a handshake is not worth more than this.
		ErrorLog: slog.NewLogLogger(s.config.Logger.Handler(), slog.LevelDebug),
	}
}

// limitBody bounds the bodies of requests that have one.
func limitBody(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength != 0 {
			r.Body = &limitedBody{http.MaxBytesReader(w, r.Body, maxBodyBytes), r.Body}
		}
		h.ServeHTTP(w, r)
	})
}

// limitedBody is a body behind the limit.
type limitedBody struct {
	io.ReadCloser
	whole io.ReadCloser
}

// unlimitedBody returns a request's body for a handler that takes larger ones
// than others do and bounds them by itself.
func unlimitedBody(r *http.Request) io.ReadCloser {
	if limited, ok := r.Body.(*limitedBody); ok {
		return limited.whole
	}
	return r.Body
}
