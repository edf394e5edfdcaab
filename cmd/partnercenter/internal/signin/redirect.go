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

// redirectListener waits on this machine for what the authority has a browser
// bring back (RFC 8252, section 7.3).
type redirectListener struct {
	url    string // the redirect URI
	host   string
	state  string
	answer chan url.Values
	server *http.Server
}

const (
	// maxRedirectForm is far beyond a code and a state.
	maxRedirectForm = 64 << 10
	// redirectGrace is how long the last page may take to get to the browser.
	redirectGrace = 2 * time.Second
	// redirectTries is how many ports are tried until one is free under both
	// addresses.
	redirectTries = 10
)

// listenForRedirect takes a free port. The answer must have the state.
func listenForRedirect(ctx context.Context, state string) (*redirectListener, error) {
	listeners, port, err := listenOnLocalhost(ctx)
	if err != nil {
		return nil, fmt.Errorf("this machine gives no port for the browser to come back to: %w; sign in with --device-code instead", err)
	}
	l := &redirectListener{
		host: net.JoinHostPort("localhost", strconv.Itoa(port)), state: state, answer: make(chan url.Values, 1),
	}
	l.url = "http://" + l.host
	l.server = &http.Server{
		Handler:           http.HandlerFunc(l.serve),
		ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second,
		ErrorLog: log.New(io.Discard, "", 0), // a browser that breaks off is none of the user's business
	}
	for _, listener := range listeners {
		go func() { _ = l.server.Serve(listener) }()
	}
	return l, nil
}

// listenOnLocalhost listens on one port of both addresses that browsers take
// localhost for, so that no other program can answer in our place. A machine
// without IPv6 has one.
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
	return nil, 0, errors.New("each port tried is half taken")
}

// close lets the last page go out.
func (l *redirectListener) close() {
	ctx, cancel := context.WithTimeout(context.Background(), redirectGrace)
	defer cancel()
	_ = l.server.Shutdown(ctx)
}

// wait returns what the authority answered.
func (l *redirectListener) wait(ctx context.Context) (url.Values, error) {
	select {
	case form := <-l.answer:
		return form, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// serve takes the answer as a form, which stays out of the browser's history
// and of Referer headers. What does not have the state is somebody else's and
// does not end the waiting.
func (l *redirectListener) serve(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Host != l.host, r.URL.Path != "/":
		writeRedirectPage(w, http.StatusNotFound, "There is nothing here", "This address only takes the answer of a sign-in.")
		return
	case r.Method != http.MethodPost:
		w.Header().Set("Allow", http.MethodPost)
		writeRedirectPage(w, http.StatusMethodNotAllowed, "Not signed in yet", "This address only takes the answer of a sign-in. Go on at the sign-in page.")
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxRedirectForm)
	if err := r.ParseForm(); err != nil {
		writeRedirectPage(w, http.StatusBadRequest, "Not signed in", "The answer of the sign-in page cannot be read. Run partnercenter login again.")
		return
	}
	if subtle.ConstantTimeCompare([]byte(r.PostForm.Get("state")), []byte(l.state)) != 1 {
		writeRedirectPage(w, http.StatusBadRequest, "Not signed in", "This is the answer to another sign-in than the one that is waited for. Run partnercenter login again.")
		return
	}
	select {
	case l.answer <- r.PostForm:
	default: // one came before
	}
	if r.PostForm.Get("error") != "" {
		writeRedirectPage(w, http.StatusOK, "Not signed in", "The terminal says why. You can close this page.")
		return
	}
	writeRedirectPage(w, http.StatusOK, "That was all here", "The terminal says whether you are signed in. You can close this page.")
}

// writeRedirectPage writes one of our own texts; nothing of the request is in
// it.
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
