package connect

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
)

// Settings describe which Partner Center to call and how to sign in. Empty
// fields are not set.
type Settings struct {
	BaseURL, cloud, Authority        string
	TenantID, ClientID, ClientSecret string
	clientSecretFile                 string // becomes clientSecret in loadSecrets
	clientSecretEnv                  string // the same
	ClientCertificate                string // a file, instead of a secret
	clientCertificatePassword        string
	clientCertificatePasswordFile    string // becomes the password in loadSecrets
	As                               string // asUser, asApp or empty
	CAFile, scope                    string
	budget                           string // a number; see budgetRate
	maxAnswerSize                    string // a number; see answerSize
}

// Setting has the names of a setting as a flag, as an environment variable and
// as a key of a profile. An empty name means that it cannot be set there.
type Setting struct {
	Flag, Env, key, Usage string
	field                 func(*Settings) *string
}

// SettingList contains all settings, in the order of the help.
var SettingList = []Setting{
	{"base-url", "PARTNERCENTER_BASE_URL", "baseUrl", "base `URL` of the API, without /v1 (default: that of the cloud)", func(s *Settings) *string { return &s.BaseURL }},
	{"cloud", "PARTNERCENTER_CLOUD", "cloud", "Microsoft `cloud`: global, 21vianet, germany or us-government (default global)", func(s *Settings) *string { return &s.cloud }},
	{"authority", "PARTNERCENTER_AUTHORITY", "authority", "base `URL` of the token authority (default: that of the cloud; for a base URL on this machine, the base URL)", func(s *Settings) *string { return &s.Authority }},
	{"tenant-id", "PARTNERCENTER_TENANT_ID", "tenantId", "the partner's tenant `id`", func(s *Settings) *string { return &s.TenantID }},
	{"client-id", "PARTNERCENTER_CLIENT_ID", "clientId", "`id` of the app that signs in", func(s *Settings) *string { return &s.ClientID }},
	{"client-secret", "PARTNERCENTER_CLIENT_SECRET", "clientSecret", "`secret` of the app; other users can see it in the list of processes: prefer the environment or --client-secret-file", func(s *Settings) *string { return &s.ClientSecret }},
	{"client-secret-file", "", "clientSecretFile", "`file` with the secret of the app; - for standard input", func(s *Settings) *string { return &s.clientSecretFile }},
	{"", "", "clientSecretEnv", "environment variable with the secret of the app", func(s *Settings) *string { return &s.clientSecretEnv }},
	{"client-certificate", "PARTNERCENTER_CLIENT_CERTIFICATE", "clientCertificate", "`file` with the app's certificate and its key, as PEM or PFX, instead of a secret", func(s *Settings) *string { return &s.ClientCertificate }},
	{"client-certificate-password-file", "", "clientCertificatePasswordFile", "`file` with the password of a PFX file; - for standard input", func(s *Settings) *string { return &s.clientCertificatePasswordFile }},
	{"", "PARTNERCENTER_CLIENT_CERTIFICATE_PASSWORD", "clientCertificatePassword", "password of a PFX file", func(s *Settings) *string { return &s.clientCertificatePassword }},
	{"as", "PARTNERCENTER_AS", "as", "`who` to act as: user, the one signed in with \"partnercenter login\", or app (default: the user if one is signed in for this app and tenant, else the app)", func(s *Settings) *string { return &s.As }},
	{"ca-file", "PARTNERCENTER_CA_FILE", "caFile", "PEM `file` of certificate authorities to trust in addition to the system's", func(s *Settings) *string { return &s.CAFile }},
	{"scope", "PARTNERCENTER_SCOPE", "scope", "`scope` of the token (default: the cloud's Partner Center, followed by /.default)", func(s *Settings) *string { return &s.scope }},
	{"budget", "PARTNERCENTER_BUDGET", "budget", "maximum `number` of requests a minute for each of orders, subscriptions and customers; others wait; 0 for no limit (default 500; for a base URL on this machine, 0)", func(s *Settings) *string { return &s.budget }},
	{"max-answer-size", "PARTNERCENTER_MAX_ANSWER_SIZE", "maxAnswerSize", "size in `bytes` of the largest answer that is read, after it was decompressed (default 268435456, 256 MiB)", func(s *Settings) *string { return &s.maxAnswerSize }},
}

// Values of the setting as.
const (
	asUser = "user"
	AsApp  = "app"
)

// overlay sets the fields that are not set from the layer below.
func (s *Settings) overlay(below Settings) {
	if s.ClientSecret != "" || s.ClientCertificate != "" {
		// An app uses one of the two: that of the first layer.
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

// alternatives are settings of which a layer may have one, and what is wrong with more.
var alternatives = []struct {
	keys  []string
	twice string
}{
	{
		[]string{"clientSecret", "clientSecretFile", "clientSecretEnv", "clientCertificate"},
		"the client secret is given in more than one way, or together with a certificate",
	},
	{
		[]string{"clientCertificatePassword", "clientCertificatePasswordFile"},
		"the password of the client certificate is given in more than one way",
	},
}

// given returns those of the settings that are set, in the order of the help.
func (s *Settings) given(keys []string) (given []string) {
	for _, setting := range SettingList {
		if slices.Contains(keys, setting.key) && *setting.field(s) != "" {
			given = append(given, setting.key)
		}
	}
	return given
}

// loadSecrets replaces references to secrets by the secrets, so that layers are
// not mixed.
func (s *Settings) loadSecrets(term *terminal.Terminal, from string) error {
	for _, a := range alternatives {
		if len(s.given(a.keys)) > 1 {
			return terminal.Settingsf("%s: %s: keep one", from, a.twice)
		}
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
			return terminal.Settingsf("%s: environment variable %s, for the client secret, is not set", from, s.clientSecretEnv)
		}
	}
	if s.clientCertificatePasswordFile != "" {
		password, err := ReadSecret(term, s.clientCertificatePasswordFile)
		if err != nil {
			return terminal.Settingsf("%s: the password of the client certificate cannot be read: %v", from, err)
		}
		s.clientCertificatePassword = password
	}
	s.clientSecretFile, s.clientSecretEnv, s.clientCertificatePasswordFile = "", "", ""
	return nil
}

// maxSecret is far more than any secret needs. It bounds the reading of a wrong
// file.
const maxSecret = 64 << 10

// ReadSecret reads a file of one line, or standard input for "-".
func ReadSecret(term *terminal.Terminal, name string) (string, error) {
	data, err := term.ReadFile(name, maxSecret)
	if err != nil {
		return "", err
	}
	secret := strings.TrimRight(string(data), "\r\n")
	if secret == "" || strings.ContainsAny(secret, "\r\n\x00") {
		return "", fmt.Errorf("%s does not contain exactly one line", name)
	}
	return secret, nil
}

// budgetRate returns the budget's requests per minute, zero for no budget. For a server
// on this machine the default is no budget.
func (s *Settings) budgetRate() (int, error) {
	if s.budget == "" {
		if IsLoopback(s.BaseURL) {
			return 0, nil
		}
		return partnercenter.DefaultRequestsPerMinute, nil
	}
	n, err := strconv.Atoi(s.budget)
	if err != nil || n < 0 {
		return 0, terminal.Usagef("budget %q is not a number of requests a minute: write it like %d, or 0 for no limit", s.budget, partnercenter.DefaultRequestsPerMinute)
	}
	return n, nil
}

// answerSize returns the size of the largest answer that is read, in bytes; zero for the
// client's default.
func (s *Settings) answerSize() (int64, error) {
	if s.maxAnswerSize == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(s.maxAnswerSize, 10, 64)
	if err != nil || n <= 0 {
		return 0, terminal.Usagef("max-answer-size %q is not a number of bytes: write it like %d", s.maxAnswerSize, partnercenter.DefaultMaxAnswerSize)
	}
	return n, nil
}

// LocalProfile is the profile of the server run by "partnercenter serve".
const LocalProfile = "local"

// resolve combines the sources of settings by precedence: flags, a profile
// named by a flag, the environment, a profile selected otherwise. A profile
// named on the command line precedes the environment, which may be set for
// another system.
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
	given := s
	if c.Profile != "" {
		given.cloud = "" // a server that is asked for is not left for the cloud's
	}
	profile, err := loadProfile(term, name, &given)
	if err == nil {
		s.overlay(profile)
		s.overlay(environment)
	}
	return s, err
}

// nameEverything reports whether the settings name a service, which has an authority, and
// an app with what it signs in with.
func (s *Settings) nameEverything() bool {
	return (s.BaseURL != "" || s.cloud != "") && s.TenantID != "" && s.ClientID != "" && (s.ClientSecret != "" || s.ClientCertificate != "")
}

// chosenProfile returns the profile to use if the command line does not name one.
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

// loadProfile returns the settings of a profile, which are for what is not given already.
func loadProfile(term *terminal.Terminal, name string, given *Settings) (Settings, error) {
	config, err := LoadConfig(term)
	if name == LocalProfile && (err == nil || errors.Is(err, ErrNoStateDir)) {
		// The file has no part in it, but mistakes in it are not kept for later.
		local, err := LocalSettings()
		if !given.nameEverything() {
			return local, err
		}
		// It is not needed, and may not be running.
		if given.BaseURL != local.BaseURL {
			local = Settings{CAFile: local.CAFile}
		}
		return local, nil
	}
	if err != nil {
		return Settings{}, err
	}
	profile, ok := config.profiles[name]
	if !ok {
		return Settings{}, terminal.Settingsf("there is no profile %q: %s has %s; %q is the server run by \"partnercenter serve\"",
			name, config.Path, cmp.Or(strings.Join(config.Names(), ", "), "none"), LocalProfile)
	}
	err = profile.loadSecrets(term, fmt.Sprintf("%s: profile %q", config.Path, name))
	return profile, err
}

// LocalSettings returns the settings for the local server.
func LocalSettings() (Settings, error) {
	path, err := LocalReadyFile()
	if err != nil {
		return Settings{}, otherwise(err, "name the server with --base-url, and its app with --tenant-id, --client-id and --client-secret-file")
	}
	facts, err := followReadyFile(path)
	if err != nil {
		return Settings{}, err
	}
	return settingsOf(facts), nil
}

// SettingsOf returns the settings for the server that wrote a ready file.
func SettingsOf(readyFile string) (Settings, error) {
	facts, err := readReadyFile(readyFile)
	if err != nil {
		return Settings{}, err
	}
	return settingsOf(facts), nil
}

func settingsOf(facts ReadyFacts) Settings {
	s := Settings{
		BaseURL: cmp.Or(facts.APIURL, facts.APIURLTLS), Authority: cmp.Or(facts.Authority, facts.APIURLTLS), CAFile: facts.CAFile, cloud: facts.Cloud,
		TenantID: facts.TenantID, ClientID: facts.ClientID, ClientSecret: facts.ClientSecret,
	}
	if facts.OwnCertificate && facts.APIURL != "" {
		// The facts do not include the certificate's authority.
		s.Authority = facts.APIURL
	}
	return s
}

// configFile returns the configuration file, and whether it was set explicitly.
func configFile(term *terminal.Terminal) (path string, explicit bool, err error) {
	if path := term.Getenv("PARTNERCENTER_CONFIG"); path != "" {
		return path, true, nil
	}
	dir, err := StateDir()
	if err != nil {
		return "", false, otherwise(err, "name a file with PARTNERCENTER_CONFIG")
	}
	return filepath.Join(dir, "config.yaml"), false, nil
}
