package issuer

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/cloudhosts"
	"github.com/partnercenter-go/partnercenter/internal/guid"
	"github.com/partnercenter-go/partnercenter/internal/queue"
	"github.com/partnercenter-go/partnercenter/internal/quote"
	"github.com/partnercenter-go/partnercenter/internal/retryafter"
	"github.com/partnercenter-go/partnercenter/internal/token"
)

// Segments of patterns that stand for a tenant's and a user's name.
const (
	anyTenant = "{tenant}"
	anyUser   = "{user}"
)

// maxSegments is the number of segments of the longest pattern.
const maxSegments = 4

// route is what differs from endpoint to endpoint.
type route struct {
	pattern       string
	methods       []string
	pages         bool   // for people: errors are pages, too
	faultEndpoint string // where faults can strike; empty: they cannot
	// serve returns a page, a redirect, a value to encode as JSON, or an error.
	serve func(*call) (any, error)
}

func (a *Authority) makeEndpoints() []*endpoint {
	read := []string{http.MethodGet, http.MethodHead}
	write := []string{http.MethodPost}
	both := append(slices.Clone(read), write...)
	var endpoints []*endpoint
	for _, r := range []route{
		{"/{tenant}/oauth2/token", write, false, atToken, a.tokens},
		{"/{tenant}/oauth2/v2.0/token", write, false, atToken, a.tokens},
		{"/{tenant}/oauth2/authorize", both, true, atAuthorize, a.authorize},
		{"/{tenant}/oauth2/v2.0/authorize", both, true, atAuthorize, a.authorize},
		{"/{tenant}/oauth2/login", both, true, "", a.signIn},
		{"/{tenant}/oauth2/logout", both, true, "", a.signOut},
		{"/{tenant}/oauth2/v2.0/logout", both, true, "", a.signOut},
		{"/{tenant}/oauth2/devicecode", write, false, atDeviceCode, a.deviceCode},
		{"/{tenant}/oauth2/v2.0/devicecode", write, false, atDeviceCode, a.deviceCode},
		{devicePath, both, true, "", a.enterCode},
		{"/{tenant}/.well-known/openid-configuration", read, false, atDiscovery, a.discovery},
		{"/{tenant}/v2.0/.well-known/openid-configuration", read, false, atDiscovery, a.discovery},
		{"/{tenant}/discovery/keys", read, false, atDiscovery, a.publicKeys},
		{"/{tenant}/discovery/v2.0/keys", read, false, atDiscovery, a.publicKeys},
		{"/common/discovery/instance", read, false, atDiscovery, a.instance},
		{"/{tenant}/userrealm/{user}", read, false, atDiscovery, a.userRealm},
	} {
		e := &endpoint{route: r, authority: a, segments: strings.Split(r.pattern[1:], "/"), version: token.V1}
		if slices.Contains(e.segments, "v2.0") {
			e.version = token.V2
		}
		endpoints = append(endpoints, e)
	}
	return endpoints
}

// Lookup finds the endpoint for a path. Segments are case-insensitive, and doubled and
// trailing slashes are ignored: the endpoint is served without a redirect, because many
// clients lose their credentials on one. The pattern, such as "/{tenant}/oauth2/token",
// is for logs and metrics. The handler checks the method and whether the tenant exists.
func (a *Authority) Lookup(path string) (pattern string, h http.Handler, ok bool) {
	var buffer [maxSegments]string
	segments, ok := split(path, buffer[:0])
	if !ok {
		return "", nil, false
	}
	for _, e := range a.endpoints {
		if e.matches(segments) {
			return e.pattern, e, true
		}
	}
	return "", nil, false
}

// split appends the non-empty segments of path to segments, and reports false if they
// do not fit.
func split(path string, segments []string) ([]string, bool) {
	for path != "" {
		var segment string
		segment, path, _ = strings.Cut(path, "/")
		if segment == "" {
			continue
		}
		if len(segments) == cap(segments) {
			return nil, false
		}
		segments = append(segments, segment)
	}
	return segments, true
}

func (e *endpoint) matches(segments []string) bool {
	return slices.EqualFunc(e.segments, segments, func(want, got string) bool {
		return want == anyTenant || want == anyUser || ascii.EqualFold(got, want)
	})
}

// ServeHTTP serves the authority alone: the endpoints that Lookup finds, and 404 for
// other paths.
func (a *Authority) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if _, h, ok := a.Lookup(r.URL.Path); ok {
		h.ServeHTTP(w, r)
		return
	}
	http.NotFound(w, r)
}

// call is a request in progress, with what every endpoint needs.
type call struct {
	w       http.ResponseWriter // for headers and the limit of the body only
	r       *http.Request
	version token.Version // of the endpoint
	trust   *trust
	base    string // where the caller believes this server to be
	tenant  string // as in the path

	traceID, correlationID string
	turn                   *queue.Queue // that the call has; nil if none
}

// endpoint adds to a route what all endpoints have in common.
type endpoint struct {
	route
	authority *Authority
	segments  []string      // of pattern
	version   token.Version // as pattern has it
}

// ServeHTTP implements http.Handler.
func (e *endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	traceID, correlationID := guid.New(), correlationID(r)
	w.Header().Set("X-Ms-Request-Id", traceID)
	w.Header().Set("Client-Request-Id", correlationID)
	w.Header().Set("X-Content-Type-Options", "nosniff")

	answer, err := e.decide(&call{w: w, r: r, version: e.version, traceID: traceID, correlationID: correlationID})
	if err == nil {
		switch answer := answer.(type) {
		case *page:
			err = answer.write(w)
		case redirect:
			answer.write(w)
		case *textAnswer:
			answer.write(w)
		default:
			writeJSON(w, http.StatusOK, answer)
		}
	}
	if err == nil {
		return
	}
	f, ok := errors.AsType[*failure](err)
	if !ok {
		f = fail(codeInternal, "The token service failed. Look at the server's log, then try again.")
		if errors.Is(err, errNoKey) || errors.Is(err, errNoBaseURL) {
			f = fail(codeNotReady, "The token service is not ready yet. Try again in a moment.")
		}
		if errors.Is(err, ErrUnavailable) {
			f = fail(codeNotReady, "The token service cannot store sign-ins at the moment. Try again in a moment; if it persists, look at the server's log and its database.")
			f.retryAfter = unavailableWait
		}
		if errors.Is(err, queue.ErrFull) {
			f = fail(codeNotReady, "The token service has more requests than it can answer in a second. Nothing of this one was begun: try again in a moment.")
			f.retryAfter = overloadedWait
		}
	}
	switch f.status {
	case http.StatusMethodNotAllowed:
		w.Header().Set("Allow", strings.Join(e.methods, ", "))
	case http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", `Basic realm="token endpoint"`)
	}
	retryafter.Set(w.Header(), f.retryAfter)
	if e.pages {
		p := &page{name: "error", status: f.status, data: pageData{
			Title: "Signing in did not work", Trace: trace(e.authority.now(), traceID, correlationID),
		}}
		p.data.complain(f)
		if p.write(w) == nil {
			return
		}
	}
	neverStore(w)
	writeJSON(w, f.status, f.body(e.authority.now(), traceID, correlationID))
}

// overloadedWait is when to repeat a request that there was no room for.
const overloadedWait = time.Second

// decide determines the answer, for which the call may take a turn: forms cost signatures
// and checks of passwords. Clients are not waited for meanwhile.
func (e *endpoint) decide(c *call) (any, error) {
	defer func() {
		if c.turn != nil {
			c.turn.Leave()
		}
	}()
	return e.answer(c)
}

func (e *endpoint) answer(c *call) (any, error) {
	if !slices.Contains(e.methods, c.r.Method) {
		return nil, fail(codeMethod, "This endpoint does not take %s. Send %s.", quote.Text(c.r.Method), strings.Join(e.methods, " or "))
	}
	var err error
	if c.trust, err = e.authority.current(); err != nil {
		return nil, err
	}
	if len(c.trust.bases) == 0 {
		return nil, errNoBaseURL
	}
	// The route matched, so there is a first segment.
	c.tenant, _, _ = strings.Cut(strings.TrimLeft(c.r.URL.Path, "/"), "/")
	c.base = token.BaseOf(c.trust.bases, c.r)
	if answer, err := e.authority.strikeRequest(c, e.faultEndpoint); answer != nil || err != nil {
		return answer, err
	}
	return e.serve(c)
}

// BaseURL returns the base URL that a request was sent to, for links that people
// follow. A Host header with an unknown name is not trusted, and one of Microsoft's
// hosts is replaced by an address of the server's own.
func (a *Authority) BaseURL(r *http.Request) string {
	t := a.trusted.now.Load()
	return a.pageBase(t, token.BaseOf(t.bases, r))
}

// pageBase returns the base URL of pages for people whose client came to base. Their
// browser does not use the client's proxy: one of Microsoft's hosts would take it to
// Microsoft. Plain HTTP needs no trusted certificate.
func (a *Authority) pageBase(t *trust, base string) string {
	isOwn := func(base string) bool {
		_, host, _ := strings.Cut(base, "://")
		return cloudhosts.RoleOf(host) == cloudhosts.Other
	}
	if isOwn(base) {
		return base
	}
	if a.pageURL != "" {
		return a.pageURL
	}
	for _, scheme := range []string{"http://", "https://"} {
		for _, other := range t.bases {
			if strings.HasPrefix(other, scheme) && isOwn(other) {
				return other
			}
		}
	}
	return base
}

// TokenEndpoint is where clients get tokens, with {tenant} in it.
func (a *Authority) TokenEndpoint() string { return "/{tenant}/oauth2/v2.0/token" }

// correlationID returns the id under which the caller logs the request, sent by MSAL in
// a header or in the query, or a new one.
func correlationID(r *http.Request) string {
	const name = "client-request-id"
	for _, id := range []string{r.Header.Get(name), r.URL.Query().Get(name)} {
		if guid.Is(id) {
			return id
		}
	}
	return guid.New()
}

// neverStore keeps an answer out of every cache (RFC 6749, section 5.1).
func neverStore(w http.ResponseWriter) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Pragma", "no-cache")
}

func writeJSON(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	// An error here is the connection's: nobody is left to tell.
	_ = encoder.Encode(value)
}
