package serve

import (
	"cmp"
	"context"
	"log/slog"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/command"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/connect"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/control"
	"github.com/partnercenter-go/partnercenter/internal/entra"
	"github.com/partnercenter-go/partnercenter/internal/guid"
	"github.com/partnercenter-go/partnercenter/internal/seed"
	"github.com/partnercenter-go/partnercenter/internal/server"
	"github.com/partnercenter-go/partnercenter/internal/words"
)

// The values of --auth.
const (
	authBuiltin = "builtin" // the server's own tokens
	authEntra   = "entra"   // Microsoft's tokens
	authNone    = "none"    // any token, or none
)

// authOptions are the flags of serve about accepted tokens. The zero value
// accepts the server's own.
type authOptions struct {
	mode       string
	tenants    []string
	authority  string
	caFile     string
	groupRoles []string
	// reuseAssertions accepts client assertions again, as Microsoft does.
	reuseAssertions bool
}

func (o *authOptions) addFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.mode, "auth", authBuiltin, "`mode` of authentication: builtin accepts the server's own tokens, entra those of Microsoft Entra ID for each --tenant, none requires no token (this machine only)")
	f.StringArrayVar(&o.tenants, "tenant", nil, "with --auth entra, `id` of a tenant whose tokens are accepted, can be repeated; with --auth none, the partner that calls act for (default: the first in the database)")
	f.StringVar(&o.authority, "authority", "", "with --auth entra, base `URL` of the sign-in service whose keys are trusted (default: that of the emulated cloud)")
	f.StringVar(&o.caFile, "ca-file", "", "with --auth entra, PEM `file` of certificate authorities to trust, in addition to the system's, for fetching keys")
	f.StringArrayVar(&o.groupRoles, "group-role", nil, "with --auth entra, `group=role`: object id of a directory group and the role of its members, can be repeated; roles are "+strings.Join(roleNames(), ", "))
	f.BoolVar(&o.reuseAssertions, "reuse-assertions", false, "accept a client assertion until it expires, as Microsoft does, and not just for one token: MSAL for Node and Python, with a certificate, use one for several requests")
	terminal.Choices(cmd, "auth", authBuiltin, authEntra, authNone)
}

// check fails for flags that cannot be combined.
func (o *authOptions) check(call *command.Call) error {
	if err := terminal.OneOf("auth", o.mode, authBuiltin, authEntra, authNone); err != nil {
		return err
	}
	for _, name := range []string{"authority", "ca-file", "group-role"} {
		if call.Given(name) && o.mode != authEntra {
			return terminal.Usagef("--%s requires --auth entra: leave it out, or add that", name)
		}
	}
	if call.Given("token-lifetime") && o.mode == authEntra {
		return terminal.Usagef("--token-lifetime does not apply to --auth entra, because Microsoft sets the lifetime of its tokens: leave it out")
	}
	if o.reuseAssertions && o.mode == authEntra {
		return terminal.Usagef("--reuse-assertions does not apply to --auth entra, because apps sign in at Microsoft's: leave it out")
	}
	switch {
	case o.mode == authBuiltin && len(o.tenants) > 0:
		return terminal.Usagef("--tenant requires --auth entra or --auth none: the server's own tokens are for all partners in its database")
	case o.mode == authNone && len(o.tenants) > 1:
		return terminal.Usagef("--auth none serves one partner: give --tenant once")
	case o.mode == authEntra && len(o.tenants) == 0:
		return terminal.Usagef("--auth entra requires the tenants whose tokens to accept: add --tenant with the id of each partner's tenant")
	case o.mode != authEntra:
		return nil
	}
	for i, tenant := range o.tenants {
		if !guid.Is(tenant) {
			return terminal.Usagef("--tenant %q is not a tenant id: with --auth entra it is a GUID, shown on the overview page of the Entra admin center", tenant)
		}
		if slices.ContainsFunc(o.tenants[:i], func(t string) bool { return ascii.EqualFold(t, tenant) }) {
			return terminal.Usagef("--tenant %s is given twice: leave one out", tenant)
		}
	}
	if err := o.checkAuthority(); err != nil {
		return err
	}
	if _, err := connect.NewRoundTripper(o.caFile); err != nil {
		return err
	}
	_, err := o.rolesOfGroups()
	return err
}

// checkAuthority fails for an --authority from which keys cannot or must not be
// fetched.
func (o *authOptions) checkAuthority() error {
	if o.authority == "" {
		return nil
	}
	text := strings.TrimRight(o.authority, "/")
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || u.Path != "" || u.RawQuery != "" || u.Fragment != "" || u.Scheme != "https" && u.Scheme != "http" {
		return terminal.Usagef("--authority %q is no base URL: write scheme, host and port only, like https://login.microsoftonline.com; give tenants with --tenant", text)
	}
	if u.Scheme == "http" && !connect.IsLoopback(text) {
		return terminal.Usagef("--authority %s is plain HTTP, which lets an attacker replace the keys: use https; plain HTTP is allowed for this machine only", text)
	}
	return nil
}

func roleNames() []string { return words.Texts(partnercenter.UserRoles()) }

// rolesOfGroups parses --group-role.
func (o *authOptions) rolesOfGroups() (map[string]partnercenter.UserRole, error) {
	roles := make(map[string]partnercenter.UserRole)
	for _, text := range o.groupRoles {
		group, role, _ := strings.Cut(text, "=")
		if !guid.Is(group) || !slices.Contains(roleNames(), role) {
			return nil, terminal.Usagef("--group-role %q: write the group's object id, =, and one of %s", text, strings.Join(roleNames(), ", "))
		}
		roles[group] = partnercenter.UserRole(role)
	}
	return roles, nil
}

// authorityURL returns the sign-in service whose keys are trusted.
func (o *authOptions) authorityURL(cloud partnercenter.CloudName) string {
	return strings.TrimRight(cmp.Or(o.authority, cloud.Configuration().ActiveDirectoryAuthorityHost), "/")
}

// checkListener fails for a listener beyond this machine with --auth none, and
// warns of one on which tokens could be read.
func (o *authOptions) checkListener(flag, scheme string, at *net.TCPAddr, logger *slog.Logger) error {
	switch {
	case at.IP.IsLoopback():
	case o.mode == authNone:
		return terminal.Usagef("--auth none does not authenticate callers, so it is for this machine only, and %s is beyond it with %s: listen on 127.0.0.1 or [::1], or choose --auth builtin or entra", flag, at)
	case o.mode == authEntra && scheme == "http" && flag != "--control" && flag != "--proxy":
		logger.Warn("Microsoft's tokens are sent in the clear, and anyone who reads one can use it: keep plain HTTP to this machine, and use --listen-tls for others", "flag", flag, "address", at.String())
	}
	return nil
}

// readSeed returns the seed for a new database. With --auth entra the sample is
// not the default, because its partners are not real tenants. The tenants
// become partners in any case.
func (o *serveOptions) readSeed() (*seed.Seed, error) {
	if o.auth.mode == authEntra && (o.seed == "empty" || !o.seedGiven) {
		return &seed.Seed{}, nil
	}
	return readSeed(o.seed)
}

// leeway returns the leeway for the checker, for which zero means the default and a
// negative value none.
func (o *serveOptions) leeway() time.Duration { return cmp.Or(o.tokenLeeway, -1) }

// takeTokens sets up the checking of tokens.
func (l *local) takeTokens(ctx context.Context, o *serveOptions, config *server.Config) (err error) {
	// Clients of others' addresses are sent to the first.
	bases := slices.Concat(o.public.urls, baseURLs(slices.Concat([]string{l.facts.APIURLTLS}, l.tlsURLs, l.urls)...), l.secureURLs())
	if o.auth.mode == authEntra {
		if l.entra, err = l.newEntra(ctx, o, bases, config.Logger); err != nil {
			return err
		}
		config.Entra = l.entra
		return nil
	}
	config.Authority, err = control.NewAuthority(ctx, l.store, control.AuthorityOptions{
		BaseURLs: bases, PageURL: first(o.public.urls), Leeway: o.leeway(), Lifetime: o.tokenLifetime, Now: l.clock.Now, Cloud: l.cloud,
		AllClouds: o.playsSignIn(), ReuseAssertions: o.auth.reuseAssertions,
	})
	if err != nil || o.auth.mode != authNone {
		return err
	}
	tenant := ""
	if len(o.auth.tenants) > 0 {
		tenant = o.auth.tenants[0]
	}
	config.Caller, err = control.Administrator(ctx, l.store, tenant)
	if err != nil {
		return terminal.Usagef("--auth none: %v", err)
	}
	l.caller = config.Caller
	config.Logger.Warn("no authentication: every call has the rights of an administrator", slog.String("partner", l.caller.TenantID))
	return nil
}

func (l *local) newEntra(ctx context.Context, o *serveOptions, bases []string, logger *slog.Logger) (*entra.Checker, error) {
	transport, err := connect.NewRoundTripper(o.auth.caFile)
	if err != nil {
		return nil, err
	}
	roles, err := o.auth.rolesOfGroups()
	if err != nil {
		return nil, err
	}
	entra, made, err := control.NewEntra(ctx, l.store, control.EntraOptions{
		Authority: o.auth.authorityURL(l.cloud), Tenants: o.auth.tenants, GroupRoles: roles, Cloud: l.cloud, BaseURLs: bases,
		Leeway: o.leeway(), Transport: transport, Logger: logger,
	})
	if err != nil {
		return nil, err
	}
	for _, tenant := range made {
		logger.Info("the tenant has been added as a partner without customers", slog.String("partner", tenant))
	}
	for _, tenant := range o.auth.tenants {
		apps, err := l.store.Apps(ctx, tenant)
		if err != nil {
			return nil, err
		}
		if len(apps) == 0 {
			logger.Warn("every app of the tenant may call, because the partner lists none: list the allowed ones in a seed file", slog.String("partner", tenant))
		}
	}
	return entra, nil
}
