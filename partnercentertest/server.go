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
	"errors"
	"io"
	"log/slog"
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
	"github.com/partnercenter-go/partnercenter/internal/issuer"
	"github.com/partnercenter-go/partnercenter/internal/lifecycle"
	"github.com/partnercenter-go/partnercenter/internal/localca"
	"github.com/partnercenter-go/partnercenter/internal/seed"
	"github.com/partnercenter-go/partnercenter/internal/server"
	"github.com/partnercenter-go/partnercenter/internal/store"
	"github.com/partnercenter-go/partnercenter/internal/token"
)

// CustomerID is a customer of the sample data with two orders.
const CustomerID = "b0d70a69-4c42-4b27-b17b-91a835d8686a"

// Options are the options of [NewServer]. The zero value serves the sample
// data without limits.
type Options struct {
	// Seed is a seed file to serve instead of the sample data; its format is
	// that of partnercenter serve --seed.
	Seed io.Reader
	// Catalog is a catalog file to sell from instead of the sample's; its format
	// is that of partnercenter serve --catalog.
	Catalog io.Reader
	// Now is what the server's clock follows until the test changes it with
	// [Server.Clock]. Nil means time.Now.
	Now func() time.Time
	// RequestsPerMinute is how many requests for each of orders, subscriptions
	// and customers the partner may make a minute; subscriptions are
	// counted for each customer. Zero means no limit or, with Realistic, 500.
	RequestsPerMinute int
	// WriteWeight is how many requests one that changes something counts as.
	// Zero means one or, with Realistic, two.
	WriteWeight int
	// Realistic serves with the limits and delays of partnercenter serve
	// --profile realistic: those of a documented sandbox account. The fields
	// below change some of them.
	Realistic bool
	// OrderLag is the time by Now until a new order is listed. Zero means at
	// once or, with Realistic, 15 minutes.
	OrderLag time.Duration
	// ProvisioningTime is the time by Now until what was ordered is there. Zero
	// means at once or, with Realistic, 5 minutes.
	ProvisioningTime time.Duration
	// Production makes the partner's account one of production, where only
	// software can be cancelled by order, instead of an integration sandbox.
	Production bool
	// NoPriceAccess refuses to show prices.
	NoPriceAccess bool
	// Cloud is the cloud that the server plays, with its resources and the calls
	// that it does not offer. Empty means the global one.
	Cloud partnercenter.CloudName
	// Log, if not nil, gets the server's log.
	Log io.Writer
	// Wrap, if not nil, is put around the server's handler.
	Wrap func(http.Handler) http.Handler
}

// throttle returns the rate that requests are limited to, and the weight of
// those that change something.
func (o *Options) throttle() (perMinute, writeWeight int) {
	if !o.Realistic {
		return o.RequestsPerMinute, o.WriteWeight
	}
	return cmp.Or(o.RequestsPerMinute, partnercenter.DefaultRequestsPerMinute), cmp.Or(o.WriteWeight, partnercenter.DefaultWriteWeight)
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
	// How to sign in to the first partner of the data.
	TenantID, ClientID, ClientSecret string

	authority *issuer.Authority
	api       *server.Server
	plane     *control.Plane
	plain     *httptest.Server
	secure    *httptest.Server
	store     *store.Store
	seed      *seed.Seed
	clock     *clock.Clock
	cloud     cloud.Configuration
	caPEM     []byte
	close     sync.Once
	apps      sync.Mutex // held while an app is changed
}

// NewServer starts a server that is closed when the test ends. At most one
// Options is looked at.
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

// signingKey is shared by a process's servers: making one takes longer than
// everything else that starting a server does.
var signingKey = sync.OnceValues(func() (*issuer.Key, error) { return issuer.GenerateKey(time.Now()) })

// Start starts a server outside of a test, for a TestMain or an example. The
// caller closes it.
func Start(o Options) (_ *Server, err error) {
	ctx, clk := context.Background(), clock.New(o.Now)
	st, err := store.Open(ctx, ":memory:", &store.Options{Now: clk.Now})
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			st.Close()
		}
	}()
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
	authority, err := control.NewAuthority(ctx, st, control.AuthorityOptions{BaseURLs: []string{"http://127.0.0.1"}, Now: clk.Now, Cloud: o.Cloud})
	if err != nil {
		return nil, err
	}
	caDir, err := os.MkdirTemp("", "partnercentertest-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(caDir) // the certificate lives on in memory
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
		log = slog.New(slog.NewJSONHandler(o.Log, nil))
	}
	perMinute, writeWeight := o.throttle()
	api, err := server.New(ctx, server.Config{
		Store: st, Authority: authority, Catalog: sold, Logger: log, Clock: clk,
		CacheSize: 16 << 20, RequestsPerMinute: perMinute, WriteWeight: writeWeight,
		NoPriceAccess: o.NoPriceAccess, Rules: o.rules(), Cloud: o.Cloud,
	})
	if err != nil {
		return nil, err
	}
	plane := control.New(control.Config{
		Store: st, Authority: authority, Clock: clk, Cloud: o.Cloud, Logger: log, Health: api.Health(), Forget: api.Forget,
	})
	var handler http.Handler = api
	if o.Wrap != nil {
		handler = o.Wrap(handler)
	}
	s := &Server{Pool: ca.Pool(), caPEM: ca.CertPEM(), authority: authority, api: api, plane: plane, store: st, seed: data, clock: clk, cloud: cmp.Or(o.Cloud, partnercenter.CloudNameGlobal).Configuration()}
	s.plain = httptest.NewServer(handler)
	s.secure = httptest.NewUnstartedServer(handler)
	s.secure.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	s.secure.EnableHTTP2 = true
	s.secure.StartTLS()
	s.URL, s.TLSURL = s.plain.URL, s.secure.URL
	if err := errors.Join(authority.SetBaseURLs(s.URL, s.TLSURL), s.findApp(ctx)); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func readSeed(r io.Reader) (*seed.Seed, error) {
	if r == nil {
		return seed.Sample()
	}
	return seed.Read("seed", r)
}

// findApp looks up how to sign in to the first partner.
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

// Close stops the server. NewServer calls it when the test ends.
func (s *Server) Close() {
	s.close.Do(func() {
		s.ClearIdentityFaults() // whom one keeps waiting would be waited for
		s.plain.Close()
		s.secure.Close()
		s.api.Close()
		s.store.Close()
	})
}

// Reset makes the server as it was when it started: customers, orders, apps and
// users of the seed and nothing else, no refresh tokens, consents or faults, and
// the clock that of [Options]. Access tokens stay good unless their time is over
// by that clock.
func (s *Server) Reset() error { return s.plane.Reset(context.Background(), s.seed) }

// Client returns a client that is signed in to the first partner.
func (s *Server) Client() *partnercenter.Client { return s.client(s.Credential()) }

// UserClient returns a client that acts for a user of the data, such as
// admin.agent@contosocsp.onmicrosoft.com of the sample, for calls that an app
// may not make for itself.
func (s *Server) UserClient(upn string) *partnercenter.Client { return s.client(s.UserCredential(upn)) }

// Setenv sets the environment variables that [partnercenter.NewClientFromEnvironment]
// and the command line read, for the rest of the test, so that programs which the test
// runs sign in to the first partner. Those it has no value for are set to the empty
// text.
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
	must(err) // the endpoint is a URL and the credential is there
	return pc
}

// Credential returns a credential of the first partner's app that needs no
// token request.
func (s *Server) Credential() azcore.TokenCredential { return &credential{server: s} }

// UserCredential returns a credential of the first partner's app that acts for
// a user of that partner, with a second factor. Getting a token fails when there
// is no such user.
func (s *Server) UserCredential(upn string) azcore.TokenCredential {
	return &credential{server: s, user: upn}
}

// UserCredentialWithoutMFA returns a credential as UserCredential does, of a
// user who signed in with a password alone: the service refuses its tokens.
func (s *Server) UserCredentialWithoutMFA(upn string) azcore.TokenCredential {
	return &credential{server: s, user: upn, withoutMFA: true}
}

// credential keeps its token as long as the server takes it.
type credential struct {
	server     *Server
	user       string // empty: the app itself
	withoutMFA bool

	mu    sync.Mutex // guards token
	token string
}

// GetToken returns a token that expires now by the system's clock, so that
// clients, which know no other, ask before each request: by the server's clock,
// which tests set, another token may be due.
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
