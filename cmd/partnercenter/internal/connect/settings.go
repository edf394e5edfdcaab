package connect

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
)

// Settings say which Partner Center to call and how to sign in. Empty fields
// are not set.
type Settings struct {
	BaseURL, cloud, Authority        string
	TenantID, ClientID, ClientSecret string
	clientSecretFile                 string // becomes clientSecret in loadSecrets
	clientSecretEnv                  string // the same
	ClientCertificate                string // a file, in place of a secret
	clientCertificatePassword        string
	clientCertificatePasswordFile    string // becomes the password in loadSecrets
	As                               string // asUser, asApp or empty
	CAFile, scope                    string
	budget                           string // a number; see budgetRate
}

// Setting gives one of the settings its name as a flag, as an environment
// variable and as a key of a profile. An empty name means that it cannot be
// set there.
type Setting struct {
	Flag, Env, key, Usage string
	field                 func(*Settings) *string
}

// SettingList are all settings, in the order of help.
var SettingList = []Setting{
	{"base-url", "PARTNERCENTER_BASE_URL", "baseUrl", "base `URL` of the API, without /v1 (default: that of the cloud)", func(s *Settings) *string { return &s.BaseURL }},
	{"cloud", "PARTNERCENTER_CLOUD", "cloud", "Microsoft `cloud`: global, 21vianet, germany or us-government (default global)", func(s *Settings) *string { return &s.cloud }},
	{"authority", "PARTNERCENTER_AUTHORITY", "authority", "base `URL` of the token authority (default: that of the cloud; for a base URL on this machine, the base URL)", func(s *Settings) *string { return &s.Authority }},
	{"tenant-id", "PARTNERCENTER_TENANT_ID", "tenantId", "the partner's tenant `id`", func(s *Settings) *string { return &s.TenantID }},
	{"client-id", "PARTNERCENTER_CLIENT_ID", "clientId", "`id` of the app that signs in", func(s *Settings) *string { return &s.ClientID }},
	{"client-secret", "PARTNERCENTER_CLIENT_SECRET", "clientSecret", "`secret` of the app; others on this machine can read it in the list of processes: prefer the environment or --client-secret-file", func(s *Settings) *string { return &s.ClientSecret }},
	{"client-secret-file", "", "clientSecretFile", "`file` that holds the secret of the app; - for standard input", func(s *Settings) *string { return &s.clientSecretFile }},
	{"", "", "clientSecretEnv", "environment variable that holds the secret of the app", func(s *Settings) *string { return &s.clientSecretEnv }},
	{"client-certificate", "PARTNERCENTER_CLIENT_CERTIFICATE", "clientCertificate", "`file` that holds the app's certificate and its key, as PEM or PFX, in place of a secret", func(s *Settings) *string { return &s.ClientCertificate }},
	{"client-certificate-password-file", "", "clientCertificatePasswordFile", "`file` that holds the password of a PFX file; - for standard input", func(s *Settings) *string { return &s.clientCertificatePasswordFile }},
	{"", "PARTNERCENTER_CLIENT_CERTIFICATE_PASSWORD", "clientCertificatePassword", "password of a PFX file", func(s *Settings) *string { return &s.clientCertificatePassword }},
	{"as", "PARTNERCENTER_AS", "as", "`who` calls: user, who signed in with \"partnercenter login\", or app (default: the user if one signed in for this app and tenant, else the app)", func(s *Settings) *string { return &s.As }},
	{"ca-file", "PARTNERCENTER_CA_FILE", "caFile", "PEM `file` of certificate authorities to trust besides the system's", func(s *Settings) *string { return &s.CAFile }},
	{"scope", "PARTNERCENTER_SCOPE", "scope", "`scope` to ask a token for (default: the cloud's Partner Center, followed by /.default)", func(s *Settings) *string { return &s.scope }},
	{"budget", "PARTNERCENTER_BUDGET", "budget", "`number` of requests a minute to make at most for each of orders, subscriptions and customers, waiting as long as it takes; 0 for no limit (default 500; for a base URL on this machine, 0)", func(s *Settings) *string { return &s.budget }},
}

// The values of setting as.
const (
	asUser = "user"
	AsApp  = "app"
)

// overlay fills what s leaves unset from a layer below.
func (s *Settings) overlay(below Settings) {
	if s.ClientSecret != "" || s.ClientCertificate != "" {
		// An app shows one of the two: whichever comes first.
		below.ClientSecret, below.ClientCertificate = "", ""
	}
	for _, setting := range SettingList {
		if field := setting.field(s); *field == "" {
			*field = *setting.field(&below)
		}
	}
}

func settingsFromEnv(getenv func(string) string) Settings {
	var s Settings
	for _, setting := range SettingList {
		if setting.Env != "" {
			*setting.field(&s) = getenv(setting.Env)
		}
	}
	return s
}

// loadSecrets replaces where secrets are kept by the secrets, so that a layer
// cannot have the secret of another one's file.
func (s *Settings) loadSecrets(term *terminal.Terminal, from string) error {
	given := 0
	for _, v := range []string{s.ClientSecret, s.clientSecretFile, s.clientSecretEnv, s.ClientCertificate} {
		if v != "" {
			given++
		}
	}
	if given > 1 {
		return terminal.Settingsf("%s: the client secret is given in more than one way, or beside a certificate: leave one", from)
	}
	switch {
	case s.clientSecretFile != "":
		secret, err := ReadSecret(term, s.clientSecretFile)
		if err != nil {
			return terminal.Settingsf("%s: the client secret cannot be read: %v", from, err)
		}
		s.ClientSecret = secret
	case s.clientSecretEnv != "":
		if s.ClientSecret = term.Getenv(s.clientSecretEnv); s.ClientSecret == "" {
			return terminal.Settingsf("%s: environment variable %s, which should hold the client secret, is not set", from, s.clientSecretEnv)
		}
	}
	if s.clientCertificatePasswordFile != "" {
		if s.clientCertificatePassword != "" {
			return terminal.Settingsf("%s: the password of the client certificate is given in more than one way: leave one", from)
		}
		password, err := ReadSecret(term, s.clientCertificatePasswordFile)
		if err != nil {
			return terminal.Settingsf("%s: the password of the client certificate cannot be read: %v", from, err)
		}
		s.clientCertificatePassword = password
	}
	s.clientSecretFile, s.clientSecretEnv, s.clientCertificatePasswordFile = "", "", ""
	return nil
}

// maxSecret is far beyond any secret: it keeps a wrong file name from being
// read for ever.
const maxSecret = 64 << 10

// ReadSecret reads a file, or standard input for "-", that holds one line.
func ReadSecret(term *terminal.Terminal, name string) (string, error) {
	data, err := term.ReadFile(name, maxSecret)
	if err != nil {
		return "", err
	}
	secret := strings.TrimRight(string(data), "\r\n")
	if secret == "" || strings.ContainsAny(secret, "\r\n\x00") {
		return "", fmt.Errorf("%s does not hold one line", name)
	}
	return secret, nil
}

// budgetRate returns the budget's requests a minute, zero for no budget. A server on
// this machine is asked as fast as it goes, unless the budget is given.
func (s *Settings) budgetRate() (int, error) {
	if s.budget == "" {
		if IsLoopback(s.BaseURL) {
			return 0, nil
		}
		return partnercenter.DefaultRequestsPerMinute, nil
	}
	n, err := strconv.Atoi(s.budget)
	if err != nil || n < 0 {
		return 0, terminal.Usagef("budget %q is no number of requests a minute: write it like %d, or 0 for no limit", s.budget, partnercenter.DefaultRequestsPerMinute)
	}
	return n, nil
}

// LocalProfile is the profile of the server that "partnercenter serve" runs.
const LocalProfile = "local"

// resolve lays the sources of settings over each other: flags, the profile
// that a flag names, environment, the profile that is chosen otherwise. A
// profile named on the command line is as much the caller's wish as a flag; an
// environment made for another system must not redirect it.
func (c *Connection) resolve() (Settings, error) {
	term := c.Term
	s := c.Flags
	if err := s.loadSecrets(term, "flags"); err != nil {
		return s, err
	}
	environment := settingsFromEnv(term.Getenv)
	if err := environment.loadSecrets(term, "environment"); err != nil {
		return s, err
	}
	name := c.Profile
	if name == "" {
		s.overlay(environment)
		var err error
		if name, err = chosenProfile(term); name == "" || err != nil {
			return s, err
		}
	}
	profile, err := loadProfile(term, name)
	if err == nil {
		s.overlay(profile)
		s.overlay(environment)
	}
	return s, err
}

// chosenProfile is the profile of who names none on the command line.
func chosenProfile(term *terminal.Terminal) (string, error) {
	if name := term.Getenv("PARTNERCENTER_PROFILE"); name != "" {
		return name, nil
	}
	config, err := LoadConfig(term)
	switch {
	case errors.Is(err, ErrNoStateDir):
		return "", nil
	case err != nil:
		return "", err
	}
	return config.defaultProfile, nil
}

func loadProfile(term *terminal.Terminal, name string) (Settings, error) {
	if name == LocalProfile {
		return LocalSettings()
	}
	config, err := LoadConfig(term)
	if err != nil {
		return Settings{}, err
	}
	profile, ok := config.profiles[name]
	if !ok {
		return Settings{}, terminal.Settingsf("there is no profile %q: %s has %s; %q is the server that \"partnercenter serve\" runs",
			name, config.Path, cmp.Or(strings.Join(config.Names(), ", "), "none"), LocalProfile)
	}
	err = profile.loadSecrets(term, fmt.Sprintf("%s: profile %q", config.Path, name))
	return profile, err
}

// LocalSettings are those of the server that left its facts last.
func LocalSettings() (Settings, error) {
	facts, err := localFacts()
	if err != nil {
		return Settings{}, err
	}
	s := Settings{
		BaseURL: cmp.Or(facts.APIURL, facts.APIURLTLS), Authority: cmp.Or(facts.Authority, facts.APIURLTLS), CAFile: facts.CAFile, cloud: facts.Cloud,
		TenantID: facts.TenantID, ClientID: facts.ClientID, ClientSecret: facts.ClientSecret,
	}
	if facts.OwnCertificate && facts.APIURL != "" {
		// What that certificate is to be trusted by is not among the facts.
		s.Authority = facts.APIURL
	}
	return s, nil
}

// configFile returns where the configuration is, and whether the caller said
// so.
func configFile(term *terminal.Terminal) (path string, explicit bool, err error) {
	if path := term.Getenv("PARTNERCENTER_CONFIG"); path != "" {
		return path, true, nil
	}
	dir, err := StateDir()
	if err != nil {
		return "", false, err
	}
	return filepath.Join(dir, "config.yaml"), false, nil
}
