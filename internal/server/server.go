// Package server is the REST API: it turns requests into calls of the store and stored
// documents into answers, with Partner Center's paths, headers, tokens, errors and
// limits. It contains no rules about orders and no SQL.
package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/klauspost/compress/gzhttp"
	"golang.org/x/sync/semaphore"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/catalog"
	"github.com/partnercenter-go/partnercenter/internal/clock"
	"github.com/partnercenter-go/partnercenter/internal/cloudhosts"
	"github.com/partnercenter-go/partnercenter/internal/entra"
	"github.com/partnercenter-go/partnercenter/internal/guid"
	"github.com/partnercenter-go/partnercenter/internal/issuer"
	"github.com/partnercenter-go/partnercenter/internal/lifecycle"
	"github.com/partnercenter-go/partnercenter/internal/queue"
	"github.com/partnercenter-go/partnercenter/internal/store"
	"github.com/partnercenter-go/partnercenter/internal/token"
	"github.com/partnercenter-go/partnercenter/internal/words"
)

// Config configures a [Server].
type Config struct {
	Store *store.Store
	// Authority issues the tokens of calls.
	Authority *issuer.Authority
	// Entra, if not nil, checks tokens in place of Authority, which may then be nil:
	// the server issues none.
	Entra *entra.Checker
	// Edition is the rules about tokens. Empty means EditionLegacy.
	Edition Edition
	// Caller, if not nil, is the caller of every call, and no token is checked. Such a
	// server must be reachable from this machine only.
	Caller *token.Claims
	Logger *slog.Logger // nil logs nothing
	// Clock is the clock for everything that depends on time. Give its Now to the
	// authority and the store. Nil means a clock that follows the system's.
	Clock *clock.Clock
	// Follow, if not nil, has the clock show what those of other servers do. It is called
	// before each answer.
	Follow func(context.Context)

	// TempDir is the folder for files on their way to or from a client. Empty means
	// that of the system.
	TempDir string

	// CacheSize bounds the memory, in bytes, of cached lists. Zero disables caching.
	CacheSize int64

	// RequestsPerMinute is how many requests a minute a partner may make before 429,
	// for each of orders, subscriptions and customers; those for subscriptions are
	// counted per customer. Zero means no limit.
	RequestsPerMinute int

	// WriteWeight is how many requests a write counts as. Zero means one.
	WriteWeight int

	// NoPriceAccess refuses to show prices: include_price gives 403 with code 800043.
	NoPriceAccess bool

	// Rules are the parameters of the rules about orders and subscriptions. The zero
	// value is a production account without limits and delays.
	Rules lifecycle.Settings

	// Catalog is what can be bought. Nil means the sample catalog.
	Catalog *catalog.Catalog

	// Cloud is the cloud that the server emulates, including the calls that it does not
	// offer. Empty means the global one. Give the authority the same.
	Cloud partnercenter.CloudName

	// AllClouds says that the server emulates Microsoft's hosts of every cloud: a call
	// is made in the cloud whose sign-in host issued its token, or else in Cloud. Give
	// the authority the same.
	AllClouds bool

	// PublicURLs are where clients reach the server through proxies or by other names than
	// its listeners'; scheme, host and port. Give the authority the same. TrustedProxies
	// are the addresses of proxies whose X-Forwarded-For and X-Forwarded-Proto count.
	PublicURLs     []string
	TrustedProxies []netip.Prefix

	// MaxConnections bounds the connections of the API's listeners together. Zero means no
	// limit. MaxUnsent bounds the bytes of answers that wait for their readers; zero means
	// no limit.
	MaxConnections int
	MaxUnsent      int64

	// Listeners are where the server is reached, for the page at its root.
	Listeners []Listener

	// Observe, if not nil, is told of every request that was answered, with the request's
	// context.
	Observe func(context.Context, Observed)

	// Trace, if not nil, returns a handler that calls the given one, and knows of every
	// request before it is read.
	Trace func(http.Handler) http.Handler
}

// Server serves the API, the token authority and the health checks. It is an
// [http.Handler]; [Server.Serve] runs it on listeners.
type Server struct {
	config    Config           // with defaults filled in
	tokens    tokenChecker     // the config's authority, or its checker of Microsoft's
	now       func() time.Time // of the config's clock
	public    []publicURL
	access    *accessLog
	routes    *router
	lists     *listCache
	throttle  *throttle
	seal      *sealer
	inFlight  inFlight
	work      *work
	clients   *connections
	running   atomic.Int64        // requests, if they are observed
	uploads   *shares             // of callers
	downloads *shares             // separate: a client may upload what it downloads
	files     *semaphore.Weighted // bytes of both in memory
	draining  atomic.Bool
	handler   http.Handler
}

// New returns a server on an open store. The caller closes it.
func New(ctx context.Context, c Config) (*Server, error) {
	c.Logger = cmp.Or(c.Logger, slog.New(slog.DiscardHandler))
	if c.Clock == nil {
		c.Clock = clock.New(nil)
	}
	if c.Catalog == nil {
		sample, err := catalog.Sample()
		if err != nil {
			return nil, fmt.Errorf("the sample catalog: %w", err)
		}
		c.Catalog = sample
	}
	c.Cloud = cmp.Or(c.Cloud, partnercenter.CloudNameGlobal)
	if c.Edition = cmp.Or(c.Edition, EditionLegacy); !c.Edition.Known() {
		return nil, fmt.Errorf("edition %q is unknown: use %s", c.Edition, words.Or(Editions()))
	}
	c.Rules.Cloud = c.Cloud
	public, err := token.NormalBases(c.PublicURLs)
	if err != nil {
		return nil, err
	}
	key, err := c.Store.Secret(ctx, "continuation-token", sealKeySize)
	if err != nil {
		return nil, fmt.Errorf("the key of continuation tokens: %w", err)
	}
	shared := c.Store
	if !shared.IsShared() {
		shared = nil
	}
	s := &Server{
		config:    c,
		tokens:    c.Authority,
		now:       c.Clock.Now,
		public:    newPublicURLs(public),
		access:    newAccessLog(c.Logger),
		routes:    newRouter(Routes()),
		lists:     newListCache(c.CacheSize),
		throttle:  newThrottle(c.RequestsPerMinute, c.WriteWeight, shared),
		seal:      newSealer(key),
		inFlight:  inFlight{keys: map[string]struct{}{}},
		work:      newWork(c.MaxUnsent),
		clients:   newConnections(c.MaxConnections),
		uploads:   newShares(),
		downloads: newShares(),
		files:     semaphore.NewWeighted(fileRoom),
	}
	if s.config.Entra != nil {
		s.tokens = s.config.Entra
	}
	compress, err := gzhttp.NewWrapper(gzhttp.MinSize(gzipMinSize), gzhttp.EnableZstd(false))
	if err != nil {
		return nil, err
	}
	s.handler = compress(http.HandlerFunc(s.serve))
	s.config.Clock.OnChange(s.Forget)
	return s, nil
}

// Forget discards cached answers and counts that depend on the time. It is called when
// the clock is set.
func (s *Server) Forget() {
	s.config.Store.BumpAllVersions()
	s.throttle.forget()
}

// Close writes the rest of the access log.
func (s *Server) Close() { s.access.lines.close() }

// gzipMinSize is where compression begins to pay: smaller answers fit into one packet
// either way.
const gzipMinSize = 1400

// ServeHTTP serves one request. Compression is set up only if the client accepts it.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r = s.asSent(r)
	if r.Header["Accept-Encoding"] == nil {
		s.serve(w, r)
		return
	}
	s.handler.ServeHTTP(w, r)
}

// call is one request while it is served.
type call struct {
	server        *Server
	w             http.ResponseWriter
	r             *http.Request
	started       time.Time
	pattern       string        // of the route, for logs
	params        params        // from the path
	customer      string        // whose id the path has, as a key
	query         query         // names in lower case
	claims        *token.Claims // whose token it is; nil before authentication
	requestID     string
	correlationID string
	vector        string
	status        int
	size          int
	turn          *queue.Queue // that the call has; nil if none
}

// calls are reused: a busy server would otherwise allocate thousands a second.
var calls = sync.Pool{New: func() any { return new(call) }}

// serve serves one request and logs it.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	c := calls.Get().(*call)
	c.server, c.w, c.r, c.started = s, w, r, time.Now()
	if s.config.Observe != nil {
		s.running.Add(1)
		defer s.running.Add(-1)
	}
	defer s.finish(c)
	if s.config.Follow != nil {
		s.config.Follow(r.Context())
	}
	if err := s.dispatch(c); err != nil {
		s.refuse(c, err)
	}
}

// finish turns a panic into an answer and writes the line of the access log.
func (s *Server) finish(c *call) {
	c.leave()
	if p := recover(); p != nil {
		if p == any(http.ErrAbortHandler) {
			panic(p) // a handler aborts a connection this way; net/http handles it
		}
		s.config.Logger.LogAttrs(c.r.Context(), slog.LevelError, "panic", slog.Any("panic", p),
			slog.String("request_id", c.requestID), slog.String("stack", string(debug.Stack())))
		if c.status == 0 {
			s.refuse(c, errors.New("panic"))
		}
	}
	s.access.add(c)
	if s.config.Observe != nil {
		s.observe(c)
	}
	*c = call{}
	calls.Put(c)
}

// dispatch routes a request.
func (s *Server) dispatch(c *call) error {
	c.identify()
	path, err := splitPath(c.r)
	if err != nil {
		return err
	}
	role := hostRole(c.r)
	if role == cloudhosts.SignIn {
		if s.serveAuthority(c) {
			return nil
		}
		return errNotAtSignIn(c.r.Host)
	}
	if path.isAPI() {
		return s.serveAPI(c, path)
	}
	if path.count == 2 && ascii.EqualFold(path.first(), activationPath) {
		c.pattern = "/" + activationPath + "/{subscription-id}"
		return c.activationPage()
	}
	if path.count == 0 && c.asksForPage() {
		c.pattern = "/"
		return s.home(c)
	}
	if h, ok := s.health(path); ok {
		c.pattern = "/" + ascii.ToLower(path.first())
		return h(c)
	}
	if path.count == 1 && ascii.EqualFold(path.first(), documentPath) {
		c.pattern = "/" + documentPath
		return c.sendDocument()
	}
	if role == cloudhosts.API {
		if _, _, ok := s.tokens.Lookup(c.r.URL.Path); ok {
			return errNotAtAPI(c.r.Host)
		}
	} else if s.serveAuthority(c) {
		return nil
	}
	// Links omit the version; a client that follows one literally means the API.
	var params params
	if path, ok := path.versioned(); ok && s.routes.find(path, &params) != nil {
		return s.serveAPI(c, path)
	}
	return errUnknownRoute(c.r.URL.Path)
}

// serveAuthority serves a request for the token authority, and reports whether it is
// one.
func (s *Server) serveAuthority(c *call) bool {
	pattern, h, ok := s.tokens.Lookup(c.r.URL.Path)
	if !ok {
		return false
	}
	c.pattern = pattern
	recorder := &recorder{ResponseWriter: c.w}
	h.ServeHTTP(recorder, c.r)
	c.status, c.size = recorder.status, recorder.size
	// The authority assigns its own request ids.
	if id := c.w.Header().Get("X-Ms-Request-Id"); id != "" {
		c.requestID = id
	}
	return true
}

// serveAPI serves a call of the API: route, method, token, limits, permission, handler.
// The route comes before the token, so that a mistyped path is not taken for a problem
// with the sign-in; routes are public knowledge.
func (s *Server) serveAPI(c *call, path pathSegments) error {
	node := s.routes.find(path, &c.params)
	if node == nil {
		return errUnknownRoute(c.r.URL.Path)
	}
	c.pattern = node.pattern
	// Clients say until when something can be done by the service's clock. net/http sends
	// the system's.
	if !s.config.Clock.IsReal() {
		c.w.Header().Set("Date", s.now().UTC().Format(http.TimeFormat))
	}
	method := c.r.Method
	if method == http.MethodHead {
		method = http.MethodGet // net/http leaves the body out
	}
	route := node.route(method)
	if route == nil {
		if err := node.refuseUnserved(c.r.Method); err != nil {
			return err
		}
		if node.allow == "" {
			return errUnknownRoute(c.r.URL.Path)
		}
		c.w.Header().Set("Allow", node.allow)
		return errMethod(c.r.Method, node.allow)
	}
	if err := s.config.Store.Distrusted(); err != nil {
		return err
	}
	if err := s.authenticate(c); err != nil {
		return err
	}
	if s.throttle != nil && route.Limit.Resource != "" {
		customer := ""
		if route.ofCustomer() {
			customer = c.params.values[0]
		}
		wait, err := s.throttle.take(c.r.Context(), route.Limit, c.claims.TenantID, customer, s.now())
		if err != nil {
			return err
		}
		if wait > 0 {
			return &throttled{wait: wait}
		}
	}
	if err := s.permit(c, route); err != nil {
		return err
	}
	if err := c.checkRequest(route); err != nil {
		return err
	}
	if id := c.params.values[0]; route.ofCustomer() {
		if !guid.Is(id) {
			return errCustomerID(id)
		}
		c.customer = guid.Key(id)
	}
	if method == http.MethodGet && !route.takesTurns {
		if err := c.enter(s.work.reads); err != nil {
			return err
		}
	}
	return route.handle(s, c)
}

// recorder records the answer of another handler, for the access log.
type recorder struct {
	http.ResponseWriter
	status, size int
}

func (r *recorder) WriteHeader(status int) {
	r.status = cmp.Or(r.status, status)
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(p []byte) (int, error) {
	r.status = cmp.Or(r.status, http.StatusOK)
	n, err := r.ResponseWriter.Write(p)
	r.size += n
	return n, err
}

func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
