package connect

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"

	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
)

const testTenant = "11111111-2222-3333-4444-555555555555"

// testTerminal is a Terminal without a tty, in an environment of its own.
func testTerminal(env map[string]string) *terminal.Terminal {
	return &terminal.Terminal{
		Stdin: strings.NewReader(""), Stdout: io.Discard, Stderr: io.Discard, Now: time.Now,
		Getenv: func(name string) string { return env[name] },
	}
}

// TestPrecedence sets one setting in several places at once.
func TestPrecedence(t *testing.T) {
	config := filepath.Join(t.TempDir(), "config.yaml")
	writeFile(t, config, `
defaultProfile: default
profiles:
  default: {tenantId: from-default}
  other: {tenantId: from-other}
`)
	for _, test := range []struct {
		name          string
		flag, profile string
		env           map[string]string
		want          string
	}{
		{name: "default profile", want: "from-default"},
		{name: "environment's profile", env: map[string]string{"PARTNERCENTER_PROFILE": "other"}, want: "from-other"},
		{name: "environment over default profile", env: map[string]string{"PARTNERCENTER_TENANT_ID": "from-env"}, want: "from-env"},
		{
			name: "environment over environment's profile",
			env:  map[string]string{"PARTNERCENTER_PROFILE": "other", "PARTNERCENTER_TENANT_ID": "from-env"}, want: "from-env",
		},
		{
			name: "flag's profile over environment", profile: "other",
			env: map[string]string{"PARTNERCENTER_PROFILE": "default", "PARTNERCENTER_TENANT_ID": "from-env"}, want: "from-other",
		},
		{
			name: "flag over all", flag: "from-flag", profile: "other",
			env: map[string]string{"PARTNERCENTER_TENANT_ID": "from-env"}, want: "from-flag",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			env := map[string]string{"PARTNERCENTER_CONFIG": config}
			for name, value := range test.env {
				env[name] = value
			}
			term := testTerminal(env)
			c := Connection{Term: term, Profile: test.profile, Flags: Settings{TenantID: test.flag}}
			got, err := c.resolve()
			if err != nil || got.TenantID != test.want {
				t.Errorf("tenant %q, %v; want %q", got.TenantID, err, test.want)
			}
		})
	}
}

// TestSettingNames sets every setting in every way that it has.
func TestSettingNames(t *testing.T) {
	for _, s := range SettingList {
		if s.Flag != "" {
			c := New(&terminal.Terminal{})
			cmd := new(cobra.Command)
			c.AddFlags(cmd)
			if err := cmd.PersistentFlags().Set(s.Flag, "x"); err != nil || *s.field(&c.Flags) != "x" {
				t.Errorf("--%s: %v", s.Flag, err)
			}
		}
		if s.Env != "" {
			got := settingsFromEnv(func(name string) string {
				if name == s.Env {
					return "x"
				}
				return ""
			})
			if *s.field(&got) != "x" {
				t.Errorf("%s has no effect", s.Env)
			}
		}
		value := "/x"
		if valid, ok := map[string]string{"baseUrl": "https://x", "authority": "https://x", "cloud": "germany", "as": "app", "budget": "7", "maxAnswerSize": "1048576"}[s.key]; ok {
			if _, err := parseConfig("config.yaml", []byte("profiles: {p: {"+s.key+": /x}}")); err == nil {
				t.Errorf("%s: /x is taken", s.key)
			}
			value = valid
		}
		config, err := parseConfig("config.yaml", []byte("profiles: {p: {"+s.key+": '"+value+"'}}"))
		if err != nil {
			t.Errorf("%s: %v", s.key, err)
			continue
		}
		profile := config.profiles["p"]
		if *s.field(&profile) != value {
			t.Errorf("%s has no effect", s.key)
		}
	}
}

func TestParseConfig(t *testing.T) {
	got, err := parseConfig("/etc/pc/config.yaml", []byte(`
defaultProfile: production
profiles:
  production:
    cloud: germany
    tenantId: 12345
    clientSecretFile: secret
    caFile: /abs/ca.pem
  nothing:
`))
	want := &Config{Path: "/etc/pc/config.yaml", defaultProfile: "production", profiles: map[string]Settings{
		"production": {cloud: "germany", TenantID: "12345", clientSecretFile: "/etc/pc/secret", CAFile: "/abs/ca.pem"},
		"nothing":    {},
	}}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(Config{}, Settings{})); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	for text, want := range map[string]string{
		"profile: x":                                  `c.yaml:1:1: profile: unknown field; did you mean profiles?`,
		"profiles:\n  p:\n    cluod: global":          `c.yaml:3:5: profiles.p.cluod: unknown field; did you mean cloud?`,
		"profiles:\n  p:\n    cloud: [global]":        `c.yaml:3:12: profiles.p.cloud: needs text, this is a list`,
		"profiles:\n  p: x":                           `c.yaml:2:6: profiles.p: needs an object, this is the text "x"`,
		"profiles:\n  local: {}":                      `c.yaml:2:3: profiles.local: this profile is built in; choose another name`,
		"profiles:\n  p: {cloud: global}\n  p: {}":    `c.yaml:3:3: profiles.p: is given twice, here and in line 2; keep one of them`,
		"profiles:\n  p: {scope: a, scope: b}":        `c.yaml:2:17: profiles.p.scope: is given twice, here and in line 2; keep one of them`,
		"defaultProfile: a\ndefaultProfile: b":        `c.yaml:2:1: defaultProfile: is given twice, here and in line 1; keep one of them`,
		"\"profiles\": {p: {\"clientSecrets\": abc}}": `c.yaml:1:18: profiles.p.clientSecrets: unknown field; did you mean clientSecret?`,
		"profiles: {p: {xxxxxxxxxxxxxxxxxxxxxx: abc}}": "c.yaml:1:16: profiles.p.xxxxxxxxxxxxxxxxxxxxxx: unknown field; the fields here are baseUrl, cloud, authority, tenantId, clientId, clientSecret, " +
			"clientSecretFile, clientSecretEnv, clientCertificate, clientCertificatePasswordFile, clientCertificatePassword, as, caFile, scope, budget, maxAnswerSize",
	} {
		if _, err := parseConfig("c.yaml", []byte(text)); err == nil || err.Error() != want {
			t.Errorf("%s\n got %v\nwant %s", text, err, want)
		}
	}
}

func TestReadSecret(t *testing.T) {
	dir := t.TempDir()
	for name, test := range map[string]struct {
		text, want string
		ok         bool
	}{
		"plain":    {"s3cret", "s3cret", true},
		"new line": {"s3cret\r\n", "s3cret", true},
		"empty":    {"\n", "", false},
		"lines":    {"one\ntwo\n", "", false},
		"huge":     {strings.Repeat("x", maxSecret+1), "", false},
	} {
		path := filepath.Join(dir, "secret")
		writeFile(t, path, test.text)
		term := testTerminal(nil)
		got, err := ReadSecret(term, path)
		if got != test.want || (err == nil) != test.ok {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

// TestServiceDefaults checks what follows from settings that are not given.
func TestServiceDefaults(t *testing.T) {
	for _, test := range []struct {
		name                      string
		flags                     Settings
		baseURL, authority, scope string
		requestsPerMinute         int
	}{
		{"nothing", Settings{}, "https://api.partnercenter.microsoft.com", "https://login.microsoftonline.com/", "https://api.partnercenter.microsoft.com/.default", 500},
		{"cloud", Settings{cloud: "21Vianet"}, "https://partner.partnercenterapi.microsoftonline.cn", "https://login.chinacloudapi.cn/", "https://partner.partnercenterapi.microsoftonline.cn/.default", 500},
		{"this machine", Settings{BaseURL: "http://localhost:1"}, "http://localhost:1", "http://localhost:1", "https://api.partnercenter.microsoft.com/.default", 0},
		{"this machine, other authority", Settings{BaseURL: "http://[::1]:1", Authority: "https://127.0.0.1:2"}, "http://[::1]:1", "https://127.0.0.1:2", "https://api.partnercenter.microsoft.com/.default", 0},
		{"this machine, budget", Settings{BaseURL: "http://localhost:1", budget: "7"}, "http://localhost:1", "http://localhost:1", "https://api.partnercenter.microsoft.com/.default", 7},
		{"no budget", Settings{budget: "0"}, "https://api.partnercenter.microsoft.com", "https://login.microsoftonline.com/", "https://api.partnercenter.microsoft.com/.default", 0},
		{"another machine", Settings{BaseURL: "https://gateway.example"}, "https://gateway.example", "https://login.microsoftonline.com/", "https://api.partnercenter.microsoft.com/.default", 500},
	} {
		test.flags.TenantID, test.flags.ClientID, test.flags.ClientSecret = testTenant, "client", "secret"
		term := testTerminal(map[string]string{"PARTNERCENTER_CONFIG": os.DevNull})
		s, err := (&Connection{Term: term, Flags: test.flags}).Service()
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		if s.BaseURL != test.baseURL || s.Authority != test.authority || s.Scopes[0] != test.scope || s.RequestsPerMinute != test.requestsPerMinute {
			t.Errorf("%s: base URL %s, authority %s, scope %s, budget %d", test.name, s.BaseURL, s.Authority, s.Scopes[0], s.RequestsPerMinute)
		}
	}
}

func TestBadSettingsAreUsageErrors(t *testing.T) {
	for name, flags := range map[string]Settings{
		"tenant":  {TenantID: "not a tenant"},
		"user":    {BaseURL: "https://user:password@example.com"},
		"scheme":  {BaseURL: "example.com"},
		"no host": {Authority: "https://"},
		"budget":  {budget: "many"},
		"less":    {budget: "-1"},
	} {
		flags.overlay(Settings{TenantID: testTenant, ClientID: "client", ClientSecret: "secret"})
		term := testTerminal(map[string]string{"PARTNERCENTER_CONFIG": os.DevNull})
		if _, err := (&Connection{Term: term, Flags: flags}).Service(); !errors.As(err, new(*terminal.UsageError)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestSetAtOnce changes a file from many sides at the same moment.
func TestSetAtOnce(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config.yaml")
	var group sync.WaitGroup
	for i := range 16 {
		group.Go(func() {
			c, err := parseConfig(file, nil)
			if err != nil {
				t.Error(err)
				return
			}
			if _, err := c.Set(t.Context(), fmt.Sprintf("p%d.budget", i), "7"); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	c, err := parseConfig(file, data)
	if err != nil || len(c.Names()) != 16 {
		t.Errorf("%v in\n%s", err, data)
	}
	if left, err := os.ReadDir(filepath.Dir(file)); err != nil || len(left) != 1 {
		t.Errorf("%v, %v", left, err)
	}
}
