// Package serve contains the commands that prepare and run a local Partner
// Center: serve, demo, import, ca and readyz. It assembles the server from the
// module's internal packages.
package serve

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/command"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/connect"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/catalog"
	"github.com/partnercenter-go/partnercenter/internal/clock"
	"github.com/partnercenter-go/partnercenter/internal/control"
	"github.com/partnercenter-go/partnercenter/internal/entra"
	"github.com/partnercenter-go/partnercenter/internal/ops"
	"github.com/partnercenter-go/partnercenter/internal/proxy"
	"github.com/partnercenter-go/partnercenter/internal/seed"
	"github.com/partnercenter-go/partnercenter/internal/server"
	"github.com/partnercenter-go/partnercenter/internal/store"
	"github.com/partnercenter-go/partnercenter/internal/token"
)

// serveOptions are the flags of serve.
type serveOptions struct {
	listen, listenTLS, control []string // addresses
	proxy, ops                 []string
	db, seed, catalog, profile string
	dbDirect, readDB           string
	readyFile, caDir           string
	quiet                      bool
	noReadyFile                bool // for the demo, which nobody has to find
	asCloud                    string
	tlsCert, tlsKey            string
	proxyOthers                string
	microsoftHosts             bool
	cacheSize, maxUnsent       string
	ownProcess                 bool // as in Terminal
	maxConnections             int
	limits                     limits
	auth                       authOptions
	public                     publicOptions
	seedGiven                  bool // on the command line
	keys                       store.DataKeys
	tokenLeeway, tokenLifetime time.Duration
	shutdownGrace              time.Duration
	logFormat, logLevel        string
}

// Serve returns the command that runs a server.
func Serve(term *terminal.Terminal) *cobra.Command {
	var o serveOptions
	return command.Act(term, command.Spec{
		Use: "serve", Short: "Run a local Partner Center",
		Long: `Run a local Partner Center: the REST API, the token authority and, on a listener of
its own, the control plane, with an SQLite database. On a database in PostgreSQL, as many servers
as you like can run.

A new database is filled with sample data or with --seed. By default all listeners
are on this machine only. An empty address turns a listener off, port 0 selects a free
port, and localhost means 127.0.0.1 and ::1. Flags of addresses can be repeated.

Other commands find the server with --profile local, by its ready file. If another
server is running that wrote that file, the file stays as it is, with a warning.

With --ops, monitoring has a listener of its own: /livez and /readyz, and /metrics for
Prometheus. Traces go out where OpenTelemetry's variables say, such as
OTEL_EXPORTER_OTLP_ENDPOINT. docs/deploy.md has the rest.

With a key in PARTNERCENTER_DATA_KEY ("openssl rand -base64 32" makes one), secrets in the
database are sealed.

Behind a proxy or load balancer, --public-url is where clients reach the server, and
--trusted-proxy the proxy, whose word counts about who and where they are.

With --proxy, programs written for Microsoft's service use this server unchanged: set
HTTPS_PROXY to the proxy's address, and their runtime's variable for certificate
authorities to the CA file. "partnercenter ca trust-instructions" names the
variables.`,
		Example: `  partnercenter serve
  partnercenter serve --db :memory: --listen 127.0.0.1:0 --ready-file ready.json
  partnercenter serve --seed my-partner.yaml --profile realistic
  partnercenter serve --public-url https://partnercenter.example.com --trusted-proxy 10.1.2.3
  partnercenter serve --auth entra --tenant 11111111-2222-3333-4444-555555555555 --seed my-partner.yaml`,
		Flags: o.addFlags,
		Check: o.check,
	}, func(ctx context.Context, _ *command.Call) error { return runServe(ctx, term, &o) })
}

func (o *serveOptions) addFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.SortFlags = true // there are many
	f.StringArrayVar(&o.listen, "listen", []string{"127.0.0.1:8080"}, "`address` of the API over plain HTTP, can be repeated; empty for none")
	f.StringArrayVar(&o.listenTLS, "listen-tls", []string{"127.0.0.1:8443"}, "`address` of the API over TLS, can be repeated; empty for none")
	f.StringArrayVar(&o.control, "control", []string{"127.0.0.1:8081"}, "`address` of the control plane, can be repeated; empty for none")
	f.StringArrayVar(&o.ops, "ops", nil, "`address` of health checks and figures for Prometheus, such as 127.0.0.1:8083, and of nothing else, can be repeated (default: none)")
	f.StringArrayVar(&o.proxy, "proxy", nil, "`address` of an HTTP proxy, such as 127.0.0.1:8082, that answers for Microsoft's API and sign-in hosts of all clouds, can be repeated (default: none)")
	f.StringVar(&o.proxyOthers, "proxy-others", othersRefused, "`what` the proxy does with other hosts: refuse or tunnel")
	o.public.addFlags(f)
	f.BoolVar(&o.microsoftHosts, "microsoft-hosts", false, "answer for Microsoft's hosts at the TLS listener too, for machines that resolve their names to this one; implied by --proxy")
	f.StringVar(&o.tlsCert, "tls-cert", "", "PEM `file` with the TLS listener's certificate, reloaded when it changes (default: a certificate of the local authority)")
	f.StringVar(&o.tlsKey, "tls-key", "", "PEM `file` with the key for --tls-cert")
	addDatabaseFlag(f, &o.db, anyDatabase)
	f.StringVar(&o.dbDirect, "db-direct", "", "`address` of the database in --db without the PgBouncer before it, for bringing its schema up to date, notifications and locks; PARTNERCENTER_DB_DIRECT keeps a password from the command line")
	f.StringVar(&o.readDB, "read-db", "", "`address` of a streaming replica of the database in --db, to read lists from as far as it has followed; PARTNERCENTER_READ_DB keeps a password from the command line")
	f.StringVar(&o.seed, "seed", "sample", "content of a new database: sample, empty (a partner without customers), or a seed `file`; see docs/seed-format.md; with --auth entra the default is just the tenants")
	o.auth.addFlags(cmd)
	f.StringVar(&o.catalog, "catalog", "sample", "catalog of offers and products: sample, or a catalog `file`; see docs/catalog-format.md")
	f.StringVar(&o.profile, "profile", "instant", "`name` of a set of limits: instant (only the week for cancelling) or realistic (the documented ones); flags for single limits take precedence")
	o.limits.addFlags(f)
	f.StringVar(&o.asCloud, "as-cloud", string(partnercenter.CloudNameGlobal), "`cloud` to emulate, with its tokens' audiences and only the calls that it offers: global, 21vianet, germany or us-government")
	f.StringVar(&o.readyFile, "ready-file", "", "`file` to write, as JSON, once all listeners accept (default: the one that --profile local reads)")
	f.BoolVar(&o.quiet, "quiet", false, "print nothing on standard output, for services whose output is a log: it has a secret")
	f.StringVar(&o.caDir, "ca-dir", "", "`folder` of the certificate authorities, created if missing (default: in the user's configuration folder)")
	f.StringVar(&o.cacheSize, "cache-size", "64MiB", "`memory` for caching answers of lists; 0 for none")
	f.IntVar(&o.maxConnections, "max-connections", 4096, "most connections to the API; beyond it idle ones are closed, or new ones answered with 503; 0 for no limit")
	f.StringVar(&o.maxUnsent, "max-unsent", "128MiB", "`memory` for large answers that wait for clients to read them; beyond it 503; 0 for no limit")
	f.DurationVar(&o.tokenLeeway, "token-leeway", time.Minute, "tolerated difference between the clocks of token issuer and server")
	f.DurationVar(&o.tokenLifetime, "token-lifetime", time.Hour, "how long tokens are valid")
	f.DurationVar(&o.shutdownGrace, "shutdown-grace", 10*time.Second, "how long requests in progress may take to finish when the server stops")
	f.StringVar(&o.logFormat, "log-format", "text", "`format` of the log on standard error: text or json")
	f.StringVar(&o.logLevel, "log-level", "info", "`level` of the log: debug, info (one line per request), warn or error")
	terminal.Choices(cmd, "profile", limitProfileNames()...)
	terminal.Choices(cmd, "edition", editionNames()...)
	terminal.Choices(cmd, "as-cloud", connect.CloudNames()...)
	terminal.Choices(cmd, "proxy-others", othersRefused, othersTunnelled)
	terminal.Choices(cmd, "log-format", "text", "json")
	terminal.Choices(cmd, "log-level", "debug", "info", "warn", "error")
}

func (o *serveOptions) check(call *command.Call) error {
	if err := o.limits.applyProfile(call.Flags, o.profile); err != nil {
		return err
	}
	if err := checkNotNegative(call.Flags, []zeroFlag{
		{"token-leeway", "none"}, {"token-lifetime", "an hour"}, {"shutdown-grace", "none"},
	}); err != nil {
		return err
	}
	if err := o.auth.check(call); err != nil {
		return err
	}
	if o.readyFile == "-" {
		return terminal.Usagef("--ready-file - would be no file that others can find: name one, such as ready.json; standard output has the same facts for people")
	}
	if err := o.chooseDatabases(call); err != nil {
		return err
	}
	var err error
	if o.keys, err = readDataKeys(call.Term); err != nil {
		return err
	}
	o.seedGiven, o.ownProcess = call.Given("seed"), call.Term.OwnProcess
	if err := o.checkAddresses(); err != nil {
		return err
	}
	if err := o.checkPublic(); err != nil {
		return err
	}
	return o.checkTLS()
}

func runServe(ctx context.Context, term *terminal.Terminal, o *serveOptions) error {
	local, err := startLocal(ctx, term.Stderr, o)
	if err != nil {
		return err
	}
	defer local.close()
	if err := local.writeReady(ctx, o); err != nil {
		return err
	}
	remove := sync.OnceFunc(func() { connect.RemoveReadyFile(local.readyFile, local.facts.ReadyFacts) })
	defer remove()
	context.AfterFunc(ctx, remove) // before all that a shutdown waits for: it has a secret
	defer term.AtOnce(func() {
		remove()
		local.store.Abandon()
	})()
	out := server.NewOutput(term.Stdout)
	defer out.Close()
	if !o.quiet {
		local.print(out)
	}
	return local.serve(ctx, o.shutdownGrace)
}

// local is a server in this process.
type local struct {
	clock         *clock.Clock
	store         *store.Store
	filled        bool              // just now
	firstKey      *control.FirstKey // nil unless the database is new
	server        *server.Server
	entra         *entra.Checker // nil if the server accepts its own tokens
	caller        *token.Claims  // the caller of all calls; nil if tokens tell
	listeners     server.Listeners
	cloud         partnercenter.CloudName // the emulated cloud
	proxy         *proxy.Proxy            // nil if there is none
	proxyListener net.Listener            // the proxy's listener
	tracing       *tracing                // nil if nobody wants traces

	certificates *certificates // nil if there is no TLS
	urls         []string      // of the API over plain HTTP
	tlsURLs      []string      // of the API over TLS, as it was told to listen
	controlURLs  []string
	proxyURLs    []string
	opsURLs      []string
	facts        shownFacts
	readyFile    string // empty for none
	database     string // for display
	customer     string // one with orders, for examples; may be empty
	log          *server.LogWriter
	logger       *slog.Logger
}

// startLocal opens the listeners and the database, and fills a new one.
func startLocal(ctx context.Context, logs io.Writer, o *serveOptions) (_ *local, err error) {
	l := &local{log: server.NewLogWriter(logs)}
	defer func() {
		if err != nil {
			l.close()
			err = l.nameDatabase(err)
		}
	}()
	logger, err := newLogger(l.log, o)
	if err != nil {
		return nil, err
	}
	l.logger = logger
	cacheSize, err := memorySize("cache-size", o.cacheSize)
	if err != nil {
		return nil, err
	}
	maxUnsent, err := memorySize("max-unsent", o.maxUnsent)
	if err != nil {
		return nil, err
	}
	if o.maxConnections < 0 {
		return nil, terminal.Usagef("--max-connections is %d: give a number of connections, or 0 for no limit", o.maxConnections)
	}
	if l.cloud, err = connect.CloudNamed("as-cloud", o.asCloud); err != nil {
		return nil, err
	}
	l.facts.Cloud = string(l.cloud)
	if err := l.chooseReadyFile(ctx, o); err != nil {
		return nil, err
	}
	if o.ownProcess {
		tuneMemory(cacheSize)
	}
	if sampleCatalog(o.catalog) {
		// Loading it takes about as long as opening the database, so do both
		// concurrently; the server uses the loaded one.
		go func() { _, _ = catalog.Sample() }()
	}
	isNew, readSeed := !isThere(o.db), sync.OnceValues(o.readSeed)
	if isNew {
		// As above. The key takes longest.
		if o.auth.mode != authEntra {
			l.firstKey = control.MakeFirstKey()
		}
		go func() { _, _ = readSeed() }()
	}
	// Listen first: a port in use is the most common mistake, and must not
	// leave a new database behind.
	if err := l.listen(ctx, o); err != nil {
		return nil, err
	}
	sold, err := readCatalog(o.catalog)
	if err != nil {
		return nil, err
	}
	// A seed with mistakes must not either; the sample has none. An existing database does
	// not need the seed.
	if isNew && o.seed != "sample" {
		if _, err := readSeed(); err != nil {
			return nil, err
		}
	}
	l.clock = clock.New(nil)
	if l.store, err = openDatabase(ctx, o.db, &store.Options{Now: l.clock.Now, Logger: logger, Direct: o.dbDirect, Replica: o.readDB, Keys: o.keys}); err != nil {
		return nil, err
	}
	l.database = l.store.Name()
	if err := control.RestoreClock(ctx, l.store, l.clock); err != nil {
		return nil, err
	}
	if l.store.Fresh() {
		data, err := readSeed()
		if err != nil {
			return nil, err
		}
		if err := l.fill(ctx, data, o.auth.mode != authEntra); err != nil {
			return nil, err
		}
	}
	if err := l.store.Join(ctx); err != nil {
		return nil, err
	}
	follow := control.FollowClock(l.store, l.clock, logger)
	config := server.Config{
		Store: l.store, Follow: follow, Catalog: sold, Logger: logger, Clock: l.clock,
		CacheSize: cacheSize, MaxConnections: o.maxConnections, MaxUnsent: maxUnsent, RequestsPerMinute: o.limits.throttle, WriteWeight: o.limits.writeWeight,
		NoPriceAccess: !o.limits.priceAccess, Rules: o.limits.rules, Cloud: l.cloud, AllClouds: o.playsSignIn(),
		Edition: server.Edition(o.limits.edition), Listeners: l.shown(),
		PublicURLs: o.public.urls, TrustedProxies: o.public.trusted,
	}
	if o.db != inMemory && !store.IsPostgres(o.db) {
		// Where the files end up is where there is room for them. Folders for temporary
		// files are often in memory.
		config.TempDir = filepath.Dir(o.db)
	}
	if err := l.takeTokens(ctx, o, &config); err != nil {
		return nil, err
	}
	if l.tracing, err = startTracing(ctx, logger); err != nil {
		return nil, err
	}
	monitor := l.monitor(&config)
	if l.server, err = server.New(ctx, config); err != nil {
		return nil, err
	}
	if monitor != nil {
		monitor.Watch(ops.Sources{Server: l.server.Figures, Store: l.store.Figures, DroppedLogLines: l.log.Dropped})
		l.listeners.Figures = monitor.Handler(l.server.Health())
	}
	plane := control.Config{
		Store: l.store, Authority: config.Authority, Clock: l.clock, Cloud: l.cloud, Logger: logger,
		Health: l.server.Health(), Follow: follow, Forget: l.server.Forget,
	}
	if l.entra != nil {
		plane.TokenEndpoint = l.entra.TokenEndpoint()
	}
	l.listeners.Plane = control.New(plane).Handler()
	return l, l.describe(ctx, o)
}

// besidesCache is the memory that the server may use in addition to the cache.
const besidesCache = 128 << 20

// maxMemorySize is more memory than servers have.
const maxMemorySize = 1 << 44

// memorySize reads the value of a flag.
func memorySize(flag, text string) (int64, error) {
	size, err := humanize.ParseBytes(text)
	if err != nil {
		return 0, terminal.Usagef("--%s %q is not a size: write it like 64MiB", flag, text)
	}
	if size > maxMemorySize {
		return 0, terminal.Usagef("--%s %s is more than %s", flag, text, humanize.IBytes(maxMemorySize))
	}
	return int64(size), nil
}

func newLogger(w io.Writer, o *serveOptions) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(o.logLevel)); err != nil {
		return nil, terminal.Usagef("--log-level %q is unknown: use debug, info, warn or error", o.logLevel)
	}
	options := &slog.HandlerOptions{Level: level}
	switch o.logFormat {
	case "text":
		return slog.New(slog.NewTextHandler(w, options)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(w, options)), nil
	}
	return nil, terminal.Usagef("--log-format %q is unknown: use text or json", o.logFormat)
}

// readSeed returns the seed for a value of --seed.
func readSeed(name string) (*seed.Seed, error) {
	switch name {
	case "sample":
		return seed.Sample()
	case "empty":
		data, err := seed.Sample()
		if err != nil {
			return nil, err
		}
		// Only the sample's first partner with its app and users.
		data.Partners = data.Partners[:1]
		data.Partners[0].Customers, data.Partners[0].IndirectResellers = nil, nil
		return data, nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, terminal.Usagef("--seed %s: %v; use sample, empty, or the path of a seed file", name, err)
	}
	defer f.Close()
	return seed.Read(name, f)
}

// sampleCatalog reports whether a value of --catalog means the sample. The demo
// leaves it empty.
func sampleCatalog(name string) bool { return name == "" || name == "sample" }

// readCatalog returns the catalog for a value of --catalog, nil for the sample.
func readCatalog(name string) (*catalog.Catalog, error) {
	if sampleCatalog(name) {
		return nil, nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, terminal.Usagef("--catalog %s: %v; use sample, or the path of a catalog file", name, err)
	}
	defer f.Close()
	return catalog.Read(name, f)
}

// describe finds credentials and a customer for the printed examples.
func (l *local) describe(ctx context.Context, o *serveOptions) error {
	l.facts.Auth = cmp.Or(o.auth.mode, authBuiltin)
	if l.entra != nil {
		l.facts.Authority, l.facts.TenantID = o.auth.authorityURL(l.cloud), ascii.ToLower(o.auth.tenants[0])
		return l.findCustomer(ctx)
	}
	partners, err := l.store.Partners(ctx)
	if err != nil || len(partners) == 0 {
		return err
	}
	l.facts.TenantID = partners[0].TenantID
	if l.caller != nil {
		l.facts.TenantID = l.caller.TenantID
	}
	apps, err := l.store.Apps(ctx, l.facts.TenantID)
	if err != nil || len(apps) == 0 {
		return err
	}
	l.facts.ClientID, l.facts.ClientSecret = apps[0].ClientID, apps[0].Secret
	users, err := l.store.Users(ctx, l.facts.TenantID)
	if err != nil {
		return err
	}
	for _, u := range users {
		if !u.Disabled && !u.WithoutMFA && slices.Contains(u.Roles, partnercenter.UserRoleAdminAgent) {
			l.facts.UserPrincipalName, l.facts.Password = u.UserPrincipalName, u.Password
			break
		}
	}
	return l.findCustomer(ctx)
}

// findCustomer finds a customer for examples.
func (l *local) findCustomer(ctx context.Context) error {
	if _, err := l.store.GetCustomer(ctx, l.facts.TenantID, sampleCustomer); err == nil {
		l.customer = sampleCustomer
		return nil
	}
	list, err := l.store.ListCustomers(ctx, nil, store.CustomerQuery{PartnerID: l.facts.TenantID, Limit: 1})
	l.customer = list.First
	return err
}

// sampleCustomer is the customer of the sample data in the documentation and
// the demo.
const sampleCustomer = "b0d70a69-4c42-4b27-b17b-91a835d8686a"

// serve answers requests until ctx is done.
func (l *local) serve(ctx context.Context, grace time.Duration) error {
	background, stop := context.WithCancel(ctx)
	var group sync.WaitGroup
	defer group.Wait()
	defer stop()
	group.Go(func() { l.check(background) })
	if l.entra != nil {
		group.Go(func() { l.entra.Run(background) })
	}
	if l.proxy == nil {
		return l.server.Serve(ctx, l.listeners, grace)
	}
	both, ctx := errgroup.WithContext(ctx)
	both.Go(func() error { return l.server.Serve(ctx, l.listeners, grace) })
	both.Go(func() error { return l.proxy.Serve(ctx, l.proxyListener, grace) })
	return both.Wait()
}

// maxCheck bounds the search for damage in a large database.
const maxCheck = 4 * time.Minute

// check looks for damage in the database that was there before.
func (l *local) check(ctx context.Context) {
	if l.filled {
		return
	}
	limited, cancel := context.WithTimeout(ctx, maxCheck)
	defer cancel()
	switch err := l.store.Check(limited); {
	case err == nil, ctx.Err() != nil:
	case limited.Err() != nil:
		l.logger.Warn("the database is too large to be searched for damage at every start", "limit", maxCheck)
	default:
		l.logger.Error("the database is not in order, and the server is not ready", "error", err)
	}
}

// nameDatabase adds to an error that says that a database is damaged which one it is.
func (l *local) nameDatabase(err error) error {
	if l.database != "" && (errors.Is(err, store.ErrDamaged) || errors.As(err, new(*store.UnusableError))) {
		return fmt.Errorf("cannot start with the database %s: %w", l.database, err)
	}
	return err
}

// close releases what startLocal acquired, even if it failed.
func (l *local) close() {
	for _, listener := range []net.Listener{l.listeners.API, l.listeners.APITLS, l.listeners.Control, l.listeners.Ops, l.listeners.Intercepted, l.proxyListener} {
		if listener != nil {
			listener.Close()
		}
	}
	if l.server != nil {
		l.server.Close()
	}
	l.tracing.close()
	if l.store != nil {
		closed := make(chan struct{})
		go func() {
			defer close(closed)
			l.store.Close()
		}()
		select {
		case <-closed:
		case <-time.After(storeClosingTime):
			l.logger.Warn("the database was not closed in time: nothing that was answered is lost, and the next start goes on from its log")
		}
	}
	l.log.Close()
}

// storeClosingTime bounds how long the database may take to close, on a disk that does
// not answer.
const storeClosingTime = 10 * time.Second
