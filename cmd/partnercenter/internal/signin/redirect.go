package signin

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
)

// redirectListener receives the authority's answer from a browser on this
// machine (RFC 8252, section 7.3).
type redirectListener struct {
	url    string // the redirect URI
	host   string
	state  string
	answer chan url.Values
	server *http.Server
}

const (
	// maxRedirectForm is far more than a code and a state need.
	maxRedirectForm = 64 << 10
	// redirectGrace is how long sending the last page to the browser may take.
	redirectGrace = 2 * time.Second
	// redirectTries is the number of ports to try until one is free at both
	// addresses.
	redirectTries = 10
)

// listenForRedirect listens on a free port for an answer with the state.
func listenForRedirect(ctx context.Context, state string) (*redirectListener, error) {
	listeners, port, err := listenOnLocalhost(ctx)
	if err != nil {
		return nil, fmt.Errorf("there is no port for the browser to return to: %w; sign in with --device-code instead", err)
	}
	l := &redirectListener{
		host: net.JoinHostPort("localhost", strconv.Itoa(port)), state: state, answer: make(chan url.Values, 1),
	}
	l.url = "http://" + l.host
	l.server = &http.Server{
		Handler:           http.MaxBytesHandler(http.HandlerFunc(l.serve), maxRedirectForm),
		ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second,
		ErrorLog: log.New(io.Discard, "", 0), // the user need not know of broken connections
	}
	for _, listener := range listeners {
		go func() { _ = l.server.Serve(listener) }()
	}
	return l, nil
}

// listenOnLocalhost listens on the same port of both addresses of localhost, so
// that no other program can receive the answer. A machine without IPv6 has only
// one.
func listenOnLocalhost(ctx context.Context) (listeners []net.Listener, port int, err error) {
	var config net.ListenConfig
	for range redirectTries {
		v4, err := config.Listen(ctx, "tcp4", "127.0.0.1:0")
		if err != nil {
			return nil, 0, err
		}
		port := v4.Addr().(*net.TCPAddr).Port
		v6, err := config.Listen(ctx, "tcp6", net.JoinHostPort("::1", strconv.Itoa(port)))
		switch {
		case err == nil:
			return []net.Listener{v4, v6}, port, nil
		case !terminal.AddressInUse(err):
			return []net.Listener{v4}, port, nil
		}
		v4.Close()
	}
	return nil, 0, errors.New("all ports tried were in use at one of the addresses")
}

// close waits until the last page is sent.
func (l *redirectListener) close() {
	ctx, cancel := context.WithTimeout(context.Background(), redirectGrace)
	defer cancel()
	_ = l.server.Shutdown(ctx)
}

// wait returns the authority's answer.
func (l *redirectListener) wait(ctx context.Context) (url.Values, error) {
	select {
	case form := <-l.answer:
		return form, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// serve receives the answer as a form, which does not get into the browser's
// history or Referer headers. It ignores an answer without the state, which
// belongs to another sign-in.
func (l *redirectListener) serve(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Host != l.host, r.URL.Path != "/":
		writeRedirectPage(w, http.StatusNotFound, "There is nothing here", "This address only receives the answer of a sign-in.")
		return
	case r.Method != http.MethodPost:
		w.Header().Set("Allow", http.MethodPost)
		writeRedirectPage(w, http.StatusMethodNotAllowed, "Not signed in yet", "This address only receives the answer of a sign-in. Continue on the sign-in page.")
		return
	}
	if err := r.ParseForm(); err != nil {
		writeRedirectPage(w, http.StatusBadRequest, "Not signed in", "The answer of the sign-in page cannot be read. Run partnercenter login again.")
		return
	}
	if subtle.ConstantTimeCompare([]byte(r.PostForm.Get("state")), []byte(l.state)) != 1 {
		writeRedirectPage(w, http.StatusBadRequest, "Not signed in", "This answer belongs to another sign-in. Run partnercenter login again.")
		return
	}
	select {
	case l.answer <- r.PostForm:
	default: // an answer has already arrived
	}
	if r.PostForm.Get("error") != "" {
		writeRedirectPage(w, http.StatusOK, "Not signed in", "The terminal says why. You can close this page.")
		return
	}
	writeRedirectPage(w, http.StatusOK, "Finished here", "The terminal says whether you are signed in. You can close this page.")
}

// writeRedirectPage writes a page. Its texts never contain parts of the
// request.
func writeRedirectPage(w http.ResponseWriter, status int, title, text string) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	fmt.Fprintf(w, `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>%[1]s - partnercenter</title>
<style>body { font-family: sans-serif; margin: 4em auto; max-width: 32em; padding: 0 1em } @media (prefers-color-scheme: dark) { body { background: #222; color: #eee } }</style>
</head>
<body>
<main>
<h1>%[1]s</h1>
<p>%[2]s</p>
</main>
</body>
</html>
`, title, text)
}
