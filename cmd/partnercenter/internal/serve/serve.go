// Package serve is the commands that run a local Partner Center and get it ready:
// serve, demo, import, ca and readyz. It puts the server together and reads its
// flags; what the server answers is in the module's internal packages.
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
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/command"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/connect"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
	"github.com/partnercenter-go/partnercenter/internal/catalog"
	"github.com/partnercenter-go/partnercenter/internal/clock"
	"github.com/partnercenter-go/partnercenter/internal/control"
	"github.com/partnercenter-go/partnercenter/internal/entra"
	"github.com/partnercenter-go/partnercenter/internal/proxy"
	"github.com/partnercenter-go/partnercenter/internal/seed"
	"github.com/partnercenter-go/partnercenter/internal/server"
	"github.com/partnercenter-go/partnercenter/internal/store"
	"github.com/partnercenter-go/partnercenter/internal/token"
)

// serveOptions are the flags of serve.
type serveOptions struct {
	listen, listenTLS, control string
	db, seed, catalog, profile string
	readyFile, caDir           string
	asCloud                    string
	tlsCert, tlsKey            string
	proxy, proxyOthers         string
	microsoftHosts             bool
	cacheSize                  string
	limits                     limits
	auth                       authOptions
	seedGiven                  bool // on the command line
	tokenLeeway, tokenLifetime time.Duration
	shutdownGrace              time.Duration
	logFormat, logLevel        string
}

// Serve returns the command that runs a server.
func Serve(term *terminal.Terminal) *cobra.Command {
	var o serveOptions
	return command.Act(term, command.Spec{
		Use: "serve", Short: "Run a local Partner Center",
		Long: `Run a local Partner Center: the REST API, the token authority and, on a
listener of its own, the control plane, out of an SQLite file.

A new database is filled with sample data, or as --seed says. Everything listens
on this machine only unless told otherwise; an empty address leaves a listener
out, and port 0 takes a free port.

With its default addresses the server is found by --profile local.

With --proxy, programs that were written for Microsoft's service use this one
without a change: set HTTPS_PROXY to the proxy's address, and the variable that
their runtime has for certificate authorities to the CA file. "partnercenter ca
trust-instructions" tells which variable that is.`,
		Example: `  partnercenter serve
  partnercenter serve --db :memory: --listen 127.0.0.1:0 --ready-file ready.json
  partnercenter serve --seed my-partner.yaml --profile realistic
  partnercenter serve --auth entra --tenant 11111111-2222-3333-4444-555555555555 --seed my-partner.yaml`,
		Flags: o.addFlags,
		Check: o.check,
	}, func(ctx context.Context, _ *command.Call) error { return runServe(ctx, term, &o) })
}

func (o *serveOptions) addFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.SortFlags = true // they are many
	f.StringVar(&o.listen, "listen", "127.0.0.1:8080", "`address` of the API over plain HTTP; empty for none")
	f.StringVar(&o.listenTLS, "listen-tls", "127.0.0.1:8443", "`address` of the API over TLS; empty for none")
	f.StringVar(&o.control, "control", "127.0.0.1:8081", "`address` of the control plane; empty for none")
	f.StringVar(&o.proxy, "proxy", "", "`address` of an HTTP proxy, such as 127.0.0.1:8082, that answers for Microsoft's API and sign-in hosts of all clouds (default: none)")
	f.StringVar(&o.proxyOthers, "proxy-others", othersRefused, "`what` the proxy does with other hosts: refuse, or tunnel")
	f.BoolVar(&o.microsoftHosts, "microsoft-hosts", false, "answer for Microsoft's hosts at the TLS listener too, for machines that map their names to this one; --proxy implies it")
	f.StringVar(&o.tlsCert, "tls-cert", "", "`file` of the TLS listener's certificate in PEM, read again when it changes (default: one of the local authority)")
	f.StringVar(&o.tlsKey, "tls-key", "", "`file` of the key that belongs to --tls-cert")
	f.StringVar(&o.db, "db", "partnercenter.db", "database: an SQLite `file`, made if missing, or :memory:")
	f.StringVar(&o.seed, "seed", "sample", "what a new database is filled with: sample, empty (a partner without customers), or a seed `file`; see docs/seed-format.md; with --auth entra by default nothing but the tenants")
	o.auth.addFlags(cmd)
	f.StringVar(&o.catalog, "catalog", "sample", "what is sold: sample, or a catalog `file`; see docs/catalog-format.md")
	f.StringVar(&o.profile, "profile", "instant", "`name` of a set of limits: instant (none but the week for cancelling) or realistic (the documented ones); limits given as flags come first")
	o.limits.addFlags(f)
	f.StringVar(&o.asCloud, "as-cloud", string(partnercenter.CloudNameGlobal), "`cloud` to play, with the audiences of its tokens and without the calls that it does not offer: global, 21vianet, germany or us-government")
	f.StringVar(&o.readyFile, "ready-file", "", "`file` to write, as JSON, once all listeners accept (default: where --profile local looks)")
	f.StringVar(&o.caDir, "ca-dir", "", "`folder` of the local certificate authority, made if missing (default: in the user's configuration folder)")
	f.StringVar(&o.cacheSize, "cache-size", "64MiB", "`memory` for list answers kept to be sent again; 0 for none")
	f.DurationVar(&o.tokenLeeway, "token-leeway", time.Minute, "how far the clocks of token and server may differ")
	f.DurationVar(&o.tokenLifetime, "token-lifetime", time.Hour, "how long tokens are valid")
	f.DurationVar(&o.shutdownGrace, "shutdown-grace", 10*time.Second, "how long requests in flight may take to finish when the server stops")
	f.StringVar(&o.logFormat, "log-format", "text", "`format` of the log on standard error: text or json")
	f.StringVar(&o.logLevel, "log-level", "info", "`level` of what is logged: debug, info (a line a request), warn or error")
	terminal.Choices(cmd, "profile", limitProfileNames()...)
	terminal.Choices(cmd, "as-cloud", connect.CloudNames()...)
	terminal.Choices(cmd, "proxy-others", othersRefused, othersTunnelled)
	terminal.Choices(cmd, "log-format", "text", "json")
	terminal.Choices(cmd, "log-level", "debug", "info", "warn", "error")
}

func (o *serveOptions) check(call *command.Call) error {
	if err := o.limits.applyProfile(call.Flags, o.profile); err != nil {
		return err
	}
	if err := o.auth.check(call); err != nil {
		return err
	}
	o.seedGiven = call.Given("seed")
	return o.checkTLS()
}

func runServe(ctx context.Context, term *terminal.Terminal, o *serveOptions) error {
	local, err := startLocal(ctx, term.Stderr, o)
	if err != nil {
		return err
	}
	defer local.close()
	if err := local.writeReady(o); err != nil {
		return err
	}
	defer connect.RemoveReadyFile(local.readyFile)
	local.print(term.Stdout)
	return local.serve(ctx, o.shutdownGrace)
}

// local is a server that is about to run in this process.
type local struct {
	clock     *clock.Clock
	store     *store.Store
	server    *server.Server
	entra     *entra.Checker // nil: the server takes its own tokens
	caller    *token.Claims  // nil: tokens tell
	listeners server.Listeners
	cloud     partnercenter.CloudName // that it plays
	proxy     *proxy.Proxy            // nil: none
	proxyAt   net.Listener            // of proxy

	certificates *certificates // nil: nothing speaks TLS
	tlsAddress   string        // URL of the TLS listener by its address
	facts        shownFacts
	readyFile    string
	database     string // for people
	customer     string // one with orders, to try out; may be empty
	log          *server.LogWriter
}

// startLocal opens the database, fills a new one, and listens.
func startLocal(ctx context.Context, logs io.Writer, o *serveOptions) (_ *local, err error) {
	l := &local{log: server.NewLogWriter(logs), database: o.db}
	defer func() {
		if err != nil {
			l.close()
		}
	}()
	logger, err := newLogger(l.log, o)
	if err != nil {
		return nil, err
	}
	cacheSize, err := humanize.ParseBytes(o.cacheSize)
	if err != nil {
		return nil, terminal.Usagef("--cache-size %q is no size: write it like 64MiB", o.cacheSize)
	}
	if l.cloud, err = connect.CloudNamed("as-cloud", o.asCloud); err != nil {
		return nil, err
	}
	l.facts.Cloud = string(l.cloud)
	tuneMemory(int64(cacheSize))
	if sampleCatalog(o.catalog) {
		// Reading it takes about as long as opening the database, so it is read
		// meanwhile; the server asks for it again.
		go func() { _, _ = catalog.Sample() }()
	}
	// Listening comes first: a port in use is the commonest mistake, and it
	// must not leave a new database behind.
	if err := l.listen(ctx, o, logger); err != nil {
		return nil, err
	}
	sold, err := readCatalog(o.catalog)
	if err != nil {
		return nil, err
	}
	// So does a seed with mistakes; a database that is there need not be filled.
	var data *seed.Seed
	if _, err := os.Stat(o.db); err != nil {
		if data, err = o.readSeed(); err != nil {
			return nil, err
		}
	}
	l.clock = clock.New(nil)
	if l.store, err = store.Open(ctx, o.db, &store.Options{Now: l.clock.Now}); err != nil {
		return nil, err
	}
	if err := control.RestoreClock(ctx, l.store, l.clock); err != nil {
		return nil, err
	}
	if l.store.Fresh() {
		if data == nil { // made, but never filled
			if data, err = o.readSeed(); err != nil {
				return nil, err
			}
		}
		if err := l.fill(ctx, data, o.auth.mode != authEntra); err != nil {
			return nil, err
		}
	}
	config := server.Config{
		Store: l.store, Catalog: sold, Logger: logger, Clock: l.clock,
		CacheSize: int64(cacheSize), RequestsPerMinute: o.limits.throttle, WriteWeight: o.limits.writeWeight,
		NoPriceAccess: !o.limits.priceAccess, Rules: o.limits.rules, Cloud: l.cloud, AllClouds: o.playsSignIn(),
	}
	if err := l.takeTokens(ctx, o, &config); err != nil {
		return nil, err
	}
	if l.server, err = server.New(ctx, config); err != nil {
		return nil, err
	}
	plane := control.Config{
		Store: l.store, Authority: config.Authority, Clock: l.clock, Cloud: l.cloud, Logger: logger,
		Health: l.server.Health(), Forget: l.server.Forget,
	}
	if l.entra != nil {
		plane.TokenEndpoint = l.entra.TokenEndpoint()
	}
	l.listeners.Plane = control.New(plane).Handler()
	return l, l.describe(ctx, o)
}

// besidesCache is what the server may use of its own memory besides the cache.
const besidesCache = 128 << 20

// tuneMemory lets garbage gather longer than usual before it is collected, as
// long as the whole stays small: what the server keeps is little, what it makes
// and forgets is much. GOGC and GOMEMLIMIT have the last word.
func tuneMemory(cacheSize int64) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(cacheSize + besidesCache)
	}
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

// listen opens the listeners.
func (l *local) listen(ctx context.Context, o *serveOptions, logger *slog.Logger) (err error) {
	l.facts.PID = os.Getpid()
	for _, at := range []struct {
		flag, scheme, address string
		listener              *net.Listener
		url                   *string
	}{
		{"--listen", "http", o.listen, &l.listeners.API, &l.facts.APIURL},
		{"--control", "http", o.control, &l.listeners.Control, &l.facts.ControlURL},
		{"--listen-tls", "https", o.listenTLS, &l.listeners.APITLS, &l.tlsAddress},
		{"--proxy", "http", o.proxy, &l.proxyAt, &l.facts.ProxyURL},
	} {
		if *at.listener, *at.url, err = listenOn(ctx, at.flag, at.scheme, at.address, &o.auth, logger); err != nil {
			return err
		}
	}
	if l.listeners.API == nil && l.listeners.APITLS == nil {
		return terminal.Usagef("nothing to listen on: give --listen or --listen-tls an address")
	}
	if l.listeners.APITLS == nil && l.proxyAt == nil {
		return nil
	}
	if l.certificates, err = openCertificates(o, logger); err != nil {
		return err
	}
	l.listeners.TLS = l.certificates.config()
	if l.facts.CAFile, err = l.certificates.caFile(); err != nil {
		return err
	}
	if l.listeners.APITLS != nil {
		l.facts.APIURLTLS, _ = l.certificates.reachableAt(l.tlsAddress)
		l.facts.OwnCertificate = l.certificates.own != nil
	}
	if l.proxyAt != nil {
		l.proxy = proxy.New(proxy.Options{TunnelOthers: o.proxyOthers == othersTunnelled, TunnelSignIn: !o.playsSignIn(), Logger: logger})
		l.listeners.Intercepted = l.proxy.Intercepted()
	}
	return nil
}

func listenOn(ctx context.Context, flag, scheme, address string, auth *authOptions, logger *slog.Logger) (net.Listener, string, error) {
	if address == "" {
		return nil, "", nil
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	switch {
	case terminal.AddressInUse(err):
		return nil, "", fmt.Errorf("address %s is in use, perhaps by another server: stop that one, or choose another with %s (port 0 takes a free one)", address, flag)
	case errors.Is(err, syscall.EACCES):
		return nil, "", fmt.Errorf("address %s needs more rights than this user has: choose a port from 1024 up with %s", address, flag)
	case err != nil:
		return nil, "", terminal.Usagef("cannot listen on %q: %v; write the address like 127.0.0.1:8080 in %s", address, err, flag)
	}
	at := listener.Addr().(*net.TCPAddr)
	if err := auth.checkListener(flag, scheme, at, logger); err != nil {
		listener.Close()
		return nil, "", err
	}
	if !at.IP.IsLoopback() {
		can := "can try to sign in"
		switch flag {
		case "--control":
			can = "can get tokens and set the clock"
		case "--proxy":
			can = "can use it as a proxy"
		}
		logger.Warn("listening beyond this machine: whoever reaches the address "+can, "flag", flag, "address", at.String())
	}
	return listener, scheme + "://" + reachable(at), nil
}

// reachable is an address that a client on this machine can use: that of all
// interfaces is none.
func reachable(at *net.TCPAddr) string {
	if at.IP.IsUnspecified() {
		return net.JoinHostPort("127.0.0.1", strconv.Itoa(at.Port))
	}
	return at.String()
}

// baseURLs are the addresses that requests may arrive at: those given, and
// the same under localhost's name.
func baseURLs(urls ...string) []string {
	var all []string
	for _, u := range urls {
		if u == "" {
			continue
		}
		all = append(all, u)
		if strings.Contains(u, "//127.0.0.1:") {
			all = append(all, strings.Replace(u, "127.0.0.1", "localhost", 1))
		}
	}
	return all
}

// fill puts the seed into a new database. The first signing key, which takes
// as long to make as all the rest, is made meanwhile, if the server signs.
func (l *local) fill(ctx context.Context, data *seed.Seed, signs bool) error {
	group, ctx := errgroup.WithContext(ctx)
	if signs {
		group.Go(func() error { return control.EnsureSigningKey(ctx, l.store, l.clock.Now()) })
	}
	group.Go(func() error {
		result, err := l.store.Load(ctx, data)
		if err == nil {
			l.database = fmt.Sprintf("%s (new: %d customers, %d orders)", l.database, result.Customers, result.Orders)
		}
		return err
	})
	return group.Wait()
}

// readSeed returns the seed that a --seed names.
func readSeed(name string) (*seed.Seed, error) {
	switch name {
	case "sample":
		return seed.Sample()
	case "empty":
		data, err := seed.Sample()
		if err != nil {
			return nil, err
		}
		// The sample's first partner with its app and users, and nothing else.
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

// sampleCatalog reports whether a --catalog names the sample; the demo has none.
func sampleCatalog(name string) bool { return name == "" || name == "sample" }

// readCatalog returns the catalog that a --catalog names, nil for the sample.
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

// describe looks up how to sign in, and a customer to try out.
func (l *local) describe(ctx context.Context, o *serveOptions) error {
	l.facts.Auth = cmp.Or(o.auth.mode, authBuiltin)
	if l.entra != nil {
		l.facts.Authority, l.facts.TenantID = o.auth.authorityURL(l.cloud), strings.ToLower(o.auth.tenants[0])
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

// findCustomer looks up a customer to try out.
func (l *local) findCustomer(ctx context.Context) error {
	if _, err := l.store.GetCustomer(ctx, l.facts.TenantID, sampleCustomer); err == nil {
		l.customer = sampleCustomer
		return nil
	}
	list, err := l.store.ListCustomers(ctx, nil, store.CustomerQuery{PartnerID: l.facts.TenantID, Limit: 1})
	l.customer = list.First
	return err
}

// sampleCustomer is the customer of the sample data that documentation and
// demo ask for.
const sampleCustomer = "b0d70a69-4c42-4b27-b17b-91a835d8686a"

// writeReady tells others where the server is. The listeners accept already:
// connections wait until serve takes them.
func (l *local) writeReady(o *serveOptions) error {
	l.readyFile = o.readyFile
	if l.readyFile == "" {
		file, err := connect.LocalReadyFile()
		if err != nil {
			return err
		}
		l.readyFile = file
	}
	if err := connect.WriteReadyFile(l.readyFile, l.facts.ReadyFacts); err != nil {
		return fmt.Errorf("the ready file cannot be written: %w; choose another with --ready-file", err)
	}
	return nil
}

// serve answers requests until ctx is done.
func (l *local) serve(ctx context.Context, grace time.Duration) error {
	if l.entra != nil {
		fresh, stop := context.WithCancel(ctx)
		var group sync.WaitGroup
		defer group.Wait()
		defer stop()
		group.Go(func() { l.entra.Run(fresh) })
	}
	if l.proxy == nil {
		return l.server.Serve(ctx, l.listeners, grace)
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return l.server.Serve(ctx, l.listeners, grace) })
	group.Go(func() error { return l.proxy.Serve(ctx, l.proxyAt, grace) })
	return group.Wait()
}

// close frees what startLocal took. It is safe on half of one.
func (l *local) close() {
	for _, listener := range []net.Listener{l.listeners.API, l.listeners.APITLS, l.listeners.Control, l.listeners.Intercepted, l.proxyAt} {
		if listener != nil {
			listener.Close()
		}
	}
	if l.server != nil {
		l.server.Close()
	}
	if l.store != nil {
		l.store.Close()
	}
	l.log.Close()
}
