// Package partnercentertest runs a Partner Center for tests: the real server,
// in this process, on a free loopback port and a database in memory.
//
//	func TestOrders(t *testing.T) {
//		srv := partnercentertest.NewServer(t)
//		pc := srv.Client()
//		orders, err := pc.Customers.ByID(partnercentertest.CustomerID).Orders.Get(t.Context())
//		…
//	}
package partnercentertest

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/catalog"
	"github.com/partnercenter-go/partnercenter/internal/clock"
	"github.com/partnercenter-go/partnercenter/internal/control"
	"github.com/partnercenter-go/partnercenter/internal/fleet"
	"github.com/partnercenter-go/partnercenter/internal/issuer"
	"github.com/partnercenter-go/partnercenter/internal/lifecycle"
	"github.com/partnercenter-go/partnercenter/internal/localca"
	"github.com/partnercenter-go/partnercenter/internal/seed"
	"github.com/partnercenter-go/partnercenter/internal/server"
	"github.com/partnercenter-go/partnercenter/internal/store"
	"github.com/partnercenter-go/partnercenter/internal/token"
)

// CustomerID is a customer in the sample data, with two orders.
const CustomerID = "b0d70a69-4c42-4b27-b17b-91a835d8686a"

// CartID is a cart of that customer, which can be checked out for seven days after the
// server was started or reset.
const CartID = "0e5f7b1c-6d82-4a39-9b47-c8d1e0f2a364"

// Options are the options of [NewServer]. The zero value serves the sample
// data without limits. Negative numbers are an error.
type Options struct {
	// Seed is a seed file, in the format of partnercenter serve --seed, to use
	// instead of the sample data.
	Seed io.Reader
	// Catalog is a catalog file, in the format of partnercenter serve
	// --catalog, to use instead of the sample's.
	Catalog io.Reader
	// Now is the time source of the server's clock, until the test changes the
	// clock with [Server.Clock]. Nil means time.Now.
	Now func() time.Time
	// RequestsPerMinute is the partner's request limit for each of orders,
	// subscriptions and customers; subscriptions are counted per customer. Zero
	// means no limit or, with Realistic, 500.
	RequestsPerMinute int
	// WriteWeight is the number of requests that a write counts as. Zero means
	// one or, with Realistic, two.
	WriteWeight int
	// Realistic sets the limits and delays of partnercenter serve --profile
	// realistic, which are those documented for a sandbox account. The fields
	// below override some of them.
	Realistic bool
	// OrderLag is the time until a new order is listed. Zero means at once or,
	// with Realistic, 15 minutes.
	OrderLag time.Duration
	// ProvisioningTime is how long provisioning takes. Zero means no time or,
	// with Realistic, 5 minutes.
	ProvisioningTime time.Duration
	// Production makes the partner's account a production account, in which
	// only orders of software can be cancelled, instead of an integration
	// sandbox.
	Production bool
	// Edition is the edition of the rules about tokens. Empty means EditionLegacy
	// or, with Realistic, Edition2026.
	Edition Edition
	// NoPriceAccess denies access to prices.
	NoPriceAccess bool
	// Cloud is the cloud that the server emulates, with its audiences and only
	// the calls that it offers. Empty means the global one.
	Cloud partnercenter.CloudName
	// ReuseAssertions accepts a client assertion until it expires, as Microsoft
	// does, and not just for one token. MSAL for Node and Python, with a
	// certificate, use one for several requests.
	ReuseAssertions bool
	// Log, if not nil, receives the server's log, a moment later than what it tells
	// of, and completely once the server is closed. A writer that takes no lines keeps
	// nobody waiting: those for which there is no room are dropped and counted.
	Log io.Writer
	// Wrap, if not nil, wraps the server's handler.
	Wrap func(http.Handler) http.Handler
}

// throttle returns the request limit, and the weight of writes.
func (o *Options) throttle() (perMinute, writeWeight int) {
	if !o.Realistic {
		return o.RequestsPerMinute, o.WriteWeight
	}
	return cmp.Or(o.RequestsPerMinute, partnercenter.DefaultRequestsPerMinute), cmp.Or(o.WriteWeight, partnercenter.DefaultWriteWeight)
}

// check fails for numbers that are out of range.
func (o *Options) check() error {
	for _, option := range []struct {
		name     string
		value    any
		negative bool
	}{
		{"RequestsPerMinute", o.RequestsPerMinute, o.RequestsPerMinute < 0},
		{"WriteWeight", o.WriteWeight, o.WriteWeight < 0},
		{"OrderLag", o.OrderLag, o.OrderLag < 0},
		{"ProvisioningTime", o.ProvisioningTime, o.ProvisioningTime < 0},
	} {
		if option.negative {
			return fmt.Errorf("the option %s is %v: it cannot be negative; zero means the default", option.name, option.value)
		}
	}
	if perMinute, writeWeight := o.throttle(); perMinute > 0 && writeWeight > perMinute {
		return fmt.Errorf("RequestsPerMinute is %d and WriteWeight %d: no write would ever be allowed; give a smaller weight", perMinute, writeWeight)
	}
	return nil
}

func (o *Options) rules() lifecycle.Settings {
	rules := lifecycle.Instant()
	if o.Realistic {
		rules = lifecycle.Realistic()
	}
	rules.OrderLag = cmp.Or(o.OrderLag, rules.OrderLag)
	rules.ProvisioningTime = cmp.Or(o.ProvisioningTime, rules.ProvisioningTime)
	rules.Sandbox = !o.Production
	return rules
}

// Server is a running server.
type Server struct {
	URL    string // of the API and the token authority, plain HTTP
	TLSURL string // the same over TLS
	// Pool holds the certificate authority of TLSURL.
	Pool *x509.CertPool
	// Credentials for the first partner in the data.
	TenantID, ClientID, ClientSecret string

	authority *issuer.Authority // the first
	apis      []*server.Server  // one a store, each with an authority
	plane     *control.Plane
	plain     *httptest.Server
	secure    *httptest.Server
	store     *store.Store // the first
	stores    []*store.Store
	remove    func() error // the database
	logs      *server.LogWriter
	seed      *seed.Seed
	clock     *clock.Clock
	cloud     cloud.Configuration
	caPEM     []byte
	close     sync.Once
}

// NewServer starts a server that is closed at the end of the test. Only the first of
// options is used.
func NewServer(tb testing.TB, options ...Options) *Server {
	tb.Helper()
	var o Options
	if len(options) > 0 {
		o = options[0]
	}
	srv, err := Start(o)
	if err != nil {
		tb.Fatalf("partnercentertest: %v", err)
	}
	tb.Cleanup(srv.Close)
	return srv
}

// signingKey is shared by all servers of the process, because generating one
// takes longer than the rest of starting a server.
var signingKey = sync.OnceValues(func() (*issuer.Key, error) { return issuer.GenerateKey(time.Now()) })

// Start starts a server outside a test, for a TestMain or an example. The
// caller must close it.
func Start(o Options) (_ *Server, err error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	edition, err := o.edition()
	if err != nil {
		return nil, err
	}
	ctx, clk := context.Background(), clock.New(o.Now)
	logs := server.NewLogWriter(cmp.Or(o.Log, io.Discard))
	s := &Server{logs: logs, clock: clk}
	defer func() {
		if err != nil {
			s.Close()
		}
	}()
	if err := s.openStores(ctx); err != nil {
		return nil, err
	}
	st := s.store
	data, err := readSeed(o.Seed)
	if err != nil {
		return nil, err
	}
	var sold *catalog.Catalog // nil is the sample
	if o.Catalog != nil {
		if sold, err = catalog.Read("catalog", o.Catalog); err != nil {
			return nil, err
		}
	}
	if _, err := st.Load(ctx, data); err != nil {
		return nil, err
	}
	key, err := signingKey()
	if err != nil {
		return nil, err
	}
	pem, err := key.PEM()
	if err != nil {
		return nil, err
	}
	if err := st.AddSigningKey(ctx, store.SigningKey{ID: key.ID, PEM: pem, Created: key.Created}); err != nil {
		return nil, err
	}
	caDir, err := os.MkdirTemp("", "partnercentertest-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(caDir) // the certificate stays in memory
	ca, err := localca.Open(caDir, time.Now())
	if err != nil {
		return nil, err
	}
	certificate, err := ca.Issue(time.Now(), "localhost", "127.0.0.1", "::1")
	if err != nil {
		return nil, err
	}
	log := slog.New(slog.DiscardHandler)
	if o.Log != nil {
		log = slog.New(slog.NewJSONHandler(logs, nil))
	}
	for _, warning := range data.Warnings {
		log.Warn(warning)
	}
	perMinute, writeWeight := o.throttle()
	var authorities []*issuer.Authority
	for _, st := range s.stores {
		authority, err := control.NewAuthority(ctx, st, control.AuthorityOptions{BaseURLs: []string{"http://127.0.0.1"}, Now: clk.Now, Cloud: o.Cloud, ReuseAssertions: o.ReuseAssertions})
		if err != nil {
			return nil, err
		}
		authorities = append(authorities, authority)
		api, err := server.New(ctx, server.Config{
			Store: st, Authority: authority, Catalog: sold, Logger: log, Clock: clk,
			CacheSize: 16 << 20, RequestsPerMinute: perMinute, WriteWeight: writeWeight,
			NoPriceAccess: o.NoPriceAccess, Rules: o.rules(), Cloud: o.Cloud, Edition: edition,
		})
		if err != nil {
			return nil, err
		}
		s.apis = append(s.apis, api)
	}
	s.authority = authorities[0]
	plane := control.New(control.Config{
		Store: st, Authority: s.authority, Clock: clk, Cloud: o.Cloud, Logger: log, Health: s.apis[0].Health(), Forget: s.forget,
	})
	handler := http.Handler(s.apis[0])
	if len(s.apis) > 1 {
		handler = http.HandlerFunc(s.serveAnywhere)
	}
	if o.Wrap != nil {
		handler = o.Wrap(handler)
	}
	s.Pool, s.caPEM, s.plane, s.seed = ca.Pool(), ca.CertPEM(), plane, data
	s.cloud = cmp.Or(o.Cloud, partnercenter.CloudNameGlobal).Configuration()
	s.plain = httptest.NewServer(handler)
	s.secure = httptest.NewUnstartedServer(handler)
	s.secure.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	s.secure.EnableHTTP2 = true
	s.secure.StartTLS()
	s.URL, s.TLSURL = s.plain.URL, s.secure.URL
	for _, authority := range authorities {
		if err := authority.SetBaseURLs(s.URL, s.TLSURL); err != nil {
			return nil, err
		}
	}
	if err := s.findApp(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// openStores opens a database, several times if several servers run on it.
func (s *Server) openStores(ctx context.Context) error {
	address, servers := ":memory:", 1
	if fleet.Database != nil {
		var err error
		if address, s.remove, err = fleet.Database(); err != nil {
			return err
		}
		servers = fleet.Servers
	}
	for range servers {
		st, err := store.Open(ctx, address, &store.Options{Now: s.clock.Now})
		if err != nil {
			return err
		}
		s.stores = append(s.stores, st)
	}
	s.store = s.stores[0]
	return nil
}

// serveAnywhere has one of the servers answer, which knows by then what the others have
// written.
func (s *Server) serveAnywhere(w http.ResponseWriter, r *http.Request) {
	i := rand.IntN(len(s.apis))
	if err := s.stores[i].Refresh(r.Context()); err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	s.apis[i].ServeHTTP(w, r)
}

// forget has all servers forget what depends on the time.
func (s *Server) forget() {
	for _, api := range s.apis {
		api.Forget()
	}
}

// sample is shared by all servers of the process, which only read it.
var sample = sync.OnceValues(seed.Sample)

func readSeed(r io.Reader) (*seed.Seed, error) {
	if r == nil {
		return sample()
	}
	return seed.Read("seed", r)
}

// findApp sets the credentials for the first partner.
func (s *Server) findApp(ctx context.Context) error {
	partners, err := s.store.Partners(ctx)
	if err != nil || len(partners) == 0 {
		return err
	}
	s.TenantID = partners[0].TenantID
	apps, err := s.store.Apps(ctx, s.TenantID)
	if err != nil || len(apps) == 0 {
		return err
	}
	s.ClientID, s.ClientSecret = apps[0].ClientID, apps[0].Secret
	return nil
}

// Close stops the server. For servers of NewServer it is called at the end of the
// test.
func (s *Server) Close() {
	s.close.Do(func() {
		if s.plain != nil {
			s.ClearIdentityFaults() // so that no request is kept waiting
			s.plain.Close()
			s.secure.Close()
		}
		for _, api := range s.apis {
			api.Close()
		}
		for _, st := range s.stores {
			st.Close()
		}
		if s.remove != nil {
			_ = s.remove()
		}
		s.logs.Close()
	})
}

// Import adds saved answers of the API to the first partner's data: customers, orders and,
// with the orders, subscriptions, their transitions and support contacts, overages, and
// open carts. Each reader may have several, one after another. It changes nothing if one of
// them cannot be imported.
func (s *Server) Import(answers ...io.Reader) error {
	var imported seed.Import
	for i, r := range answers {
		if err := seed.ReadImport(fmt.Sprintf("answer %d", i), r, &imported); err != nil {
			return err
		}
	}
	ctx := context.Background()
	partners, err := s.store.Partners(ctx)
	if err != nil {
		return err
	}
	data, _, err := imported.Seed(partners[0])
	if err != nil {
		return err
	}
	_, err = s.store.Load(ctx, data)
	return err
}

// Reset restores the initial state of the server: the data of the seed, without
// refresh tokens, consents and faults, and the clock of [Options]. Access
// tokens remain valid unless they are expired by that clock.
func (s *Server) Reset() error { return s.plane.Reset(context.Background(), s.seed) }

// Client returns a client that is signed in to the first partner.
func (s *Server) Client() *partnercenter.Client { return s.client(s.Credential()) }

// UserClient returns a client that acts for a user in the data, such as
// admin.agent@contosocsp.onmicrosoft.com of the sample, for calls that require
// a user.
func (s *Server) UserClient(upn string) *partnercenter.Client { return s.client(s.UserCredential(upn)) }

// Setenv sets the environment variables that [partnercenter.NewClientFromEnvironment] and
// the command line read, for the rest of the test, so that programs run by the test sign
// in to the first partner. Other such variables are set to the empty string.
func (s *Server) Setenv(tb testing.TB) {
	tb.Helper()
	caFile := filepath.Join(tb.TempDir(), "ca.pem")
	if err := os.WriteFile(caFile, s.caPEM, 0o600); err != nil {
		tb.Fatalf("partnercentertest: %v", err)
	}
	for _, entry := range os.Environ() {
		if name, _, _ := strings.Cut(entry, "="); strings.HasPrefix(name, "PARTNERCENTER_") || strings.HasPrefix(name, "AZURE_") {
			tb.Setenv(name, "")
		}
	}
	tb.Setenv("PARTNERCENTER_BASE_URL", s.TLSURL)
	tb.Setenv("PARTNERCENTER_CA_FILE", caFile)
	tb.Setenv("PARTNERCENTER_CLOUD", string(partnercenter.CloudNameOf(s.cloud)))
	tb.Setenv("PARTNERCENTER_TENANT_ID", s.TenantID)
	tb.Setenv("PARTNERCENTER_CLIENT_ID", s.ClientID)
	tb.Setenv("PARTNERCENTER_CLIENT_SECRET", s.ClientSecret)
}

func (s *Server) client(cred azcore.TokenCredential) *partnercenter.Client {
	options := &partnercenter.ClientOptions{Endpoint: s.URL}
	options.Cloud = s.cloud
	pc, err := partnercenter.NewClient(cred, options)
	must(err) // endpoint and credential are valid
	return pc
}

// Credential returns a credential of the first partner's app. It makes no token
// requests.
func (s *Server) Credential() azcore.TokenCredential { return &credential{server: s} }

// UserCredential returns a credential of the first partner's app that acts for
// a user of that partner, with a second factor. Getting a token fails if the
// user does not exist.
func (s *Server) UserCredential(upn string) azcore.TokenCredential {
	return &credential{server: s, user: upn}
}

// UserCredentialWithoutMFA is like UserCredential, for a user who signed in
// with a password only. The service refuses its tokens.
func (s *Server) UserCredentialWithoutMFA(upn string) azcore.TokenCredential {
	return &credential{server: s, user: upn, withoutMFA: true}
}

// credential keeps its token for as long as the server accepts it.
type credential struct {
	server     *Server
	user       string // empty for the app itself
	withoutMFA bool

	mu    sync.Mutex // guards token
	token string
}

// GetToken returns a token that expires now by the system's clock, so that
// clients call it before each request: tests may set the server's clock, so
// that a new token is needed.
func (c *credential) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, err := c.server.authority.Verify(c.token); err != nil {
		token, err := c.server.authority.Mint(issuer.MintRequest{
			Tenant: c.server.TenantID, ClientID: c.server.ClientID, User: c.user, WithoutMFA: c.withoutMFA,
			Resource: c.server.cloud.Services[partnercenter.ServiceName].Audience,
			BaseURL:  c.server.URL, Version: token.V2,
		})
		if err != nil {
			return azcore.AccessToken{}, err
		}
		c.token = token.Text
	}
	return azcore.AccessToken{Token: c.token, ExpiresOn: time.Now()}, nil
}
