package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/connect"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
)

// signInTest is a server of ours, and a person with a terminal and a browser.
type signInTest struct {
	t       *testing.T
	facts   connect.ReadyFacts
	env     map[string]string
	person  *person
	page    string // the last one that the browser showed
	mu      sync.Mutex
	problem error // of the browser
}

// newSignInTest starts a server with a seed, or the sample.
func newSignInTest(t *testing.T, seed string) *signInTest {
	t.Helper()
	state := t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", state)
	if seed == "" {
		seed = "sample"
	}
	// HTTP/2 takes a second to close connections gracefully, which tests do not
	// need.
	facts := startServe(t, "--seed", seed, "--log-level", "error", "--shutdown-grace", "1ms")
	s := &signInTest{t: t, facts: facts, env: map[string]string{
		"PARTNERCENTER_BASE_URL": facts.APIURL, "PARTNERCENTER_AUTHORITY": facts.APIURLTLS, "PARTNERCENTER_CA_FILE": facts.CAFile,
		"PARTNERCENTER_TENANT_ID": facts.TenantID, "PARTNERCENTER_CLIENT_ID": facts.ClientID, "PARTNERCENTER_CLIENT_SECRET": facts.ClientSecret,
	}}
	var err error
	if s.person, err = newPerson(facts.CAFile, facts.UserPrincipalName, facts.Password); err != nil {
		t.Fatal(err)
	}
	return s
}

// run runs a command line, with a browser that the person signs in with.
func (s *signInTest) run(args ...string) result {
	s.t.Helper()
	return s.runContext(s.t.Context(), args...)
}

func (s *signInTest) runContext(ctx context.Context, args ...string) result {
	term, stdout, stderr := testTerminal(s.env)
	var browsing sync.WaitGroup
	term.OpenBrowser = func(address string) error {
		browsing.Go(func() {
			page, err := s.person.signIn(address, "")
			s.mu.Lock()
			defer s.mu.Unlock()
			s.page, s.problem = page, err
		})
		return nil
	}
	if args[0] == "login" && !slices.Contains(args, "--login-timeout") {
		args = append(args, "--login-timeout", "10s")
	}
	code := run(ctx, term, args)
	browsing.Wait()
	return result{code: code, stdout: stdout.String(), stderr: stderr.String()}
}

// want runs a command line and expects an exit code, and texts that are in the
// output or, with a ! before them, are not.
func (s *signInTest) want(code int, texts []string, args ...string) {
	s.t.Helper()
	r := s.run(args...)
	if r.code != code {
		s.t.Fatalf("%v: exit code %d, want %d\n%s%s%v", args, r.code, code, r.stdout, r.stderr, s.problem)
	}
	out := r.stdout + r.stderr
	for _, text := range texts {
		not, unwanted := strings.CutPrefix(text, "!")
		if unwanted && strings.Contains(out, not) || !unwanted && !strings.Contains(out, text) {
			s.t.Errorf("%v: want %q in\n%s", args, text, out)
		}
	}
	for _, secret := range []string{s.facts.ClientSecret, s.facts.Password} {
		if secret != "" && strings.Contains(out, secret) {
			s.t.Errorf("%v: a secret is in the output", args)
		}
	}
}

// control makes a call of the control plane.
func (s *signInTest) control(method, path string, body any) []byte {
	s.t.Helper()
	data, err := json.Marshal(body)
	if err != nil {
		s.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.facts.ControlURL+path, bytes.NewReader(data))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode >= http.StatusBadRequest {
		s.t.Fatalf("%s %s: %s %s %v", method, path, resp.Status, answer, err)
	}
	return answer
}

func (s *signInTest) advance(by string) {
	s.t.Helper()
	s.control(http.MethodPost, "/clock/advance", map[string]string{"by": by})
}

// fault replaces the authority's faults by one.
func (s *signInTest) fault(fault map[string]any) {
	s.t.Helper()
	s.control(http.MethodDelete, "/identity/faults", nil)
	s.control(http.MethodPost, "/identity/faults", fault)
}

// signIns reads the sign-ins that are kept.
func (s *signInTest) signIns() []*connect.SignIn {
	s.t.Helper()
	term, _, _ := testTerminal(s.env)
	store, err := connect.NewTokenStore(term)
	if err != nil {
		s.t.Fatal(err)
	}
	var kept []*connect.SignIn
	err = store.Change(s.t.Context(), func(signIns []*connect.SignIn) ([]*connect.SignIn, error) {
		kept = signIns
		return nil, nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return kept
}

// TestLogin signs in with a browser, calls as the user, over the end of tokens,
// and signs out.
func TestLogin(t *testing.T) {
	s := newSignInTest(t, "")
	user := s.facts.UserPrincipalName
	s.want(terminal.ExitOK, []string{"Signed in by  the app's secret", "without a user"}, "whoami")
	s.want(terminal.ExitAuth, []string{"no user is signed in", "partnercenter login"}, "whoami", "--as", "user")
	s.want(terminal.ExitOK, []string{"/authorize?", "Signed in as Tomas Lind (" + user + "), tenant " + s.facts.TenantID}, "login", "-v")
	if !strings.Contains(s.page, "You can close this page") {
		t.Errorf("the browser ends at: %s", s.page)
	}
	s.want(terminal.ExitOK, []string{"user Tomas Lind (" + user + ")", "partnercenter login, on ", "admin_agent", "yes (pwd, mfa)", ": Partner Center\n", "in 59 minutes", "!eyJ"}, "whoami")
	s.want(terminal.ExitOK, []string{`"kind": "user"`, `"multiFactor": true`, `"signedInBy": "user"`, "!eyJ"}, "whoami", "-o", "json")
	s.want(terminal.ExitOK, []string{"Tailspin Toys", "!eyJ", "!refresh"}, "customers", "list", "-v")
	s.want(terminal.ExitOK, []string{"without a user"}, "whoami", "--as", "app")
	s.want(terminal.ExitOK, []string{"ok       credentials    user Tomas Lind", "with multi-factor authentication, roles admin_agent"}, "doctor")

	// The server's clock does not move this machine's, so the token in the file
	// seems good; the API says otherwise.
	s.advance("2h")
	s.want(terminal.ExitOK, []string{"Tailspin Toys"}, "customers", "list", "-o", "jsonl")
	s.advance("89d")
	s.want(terminal.ExitOK, []string{"Tailspin Toys"}, "customers", "list", "-o", "jsonl")
	s.advance("91d")
	s.want(terminal.ExitAuth, []string{"the sign-in of Tomas Lind (" + user + ") has ended: AADSTS700082", "partnercenter login"}, "customers", "list")
	// A tenant can be named by a domain, and then be meant by its id, too.
	s.want(terminal.ExitOK, []string{"Signed in as Tomas Lind"}, "login", "--tenant-id", "contosocsp.onmicrosoft.com")
	s.want(terminal.ExitOK, []string{"user Tomas Lind"}, "whoami", "--tenant-id", "contosocsp.onmicrosoft.com")
	s.want(terminal.ExitOK, []string{"Tailspin Toys"}, "customers", "list", "-o", "jsonl")
	if n := len(s.signIns()); n != 1 {
		t.Errorf("%d sign-ins, want 1: a new one takes the old one's place", n)
	}
	s.want(terminal.ExitOK, []string{"Tomas Lind (" + user + ") is signed out."}, "logout")
	s.want(terminal.ExitOK, []string{"No user is signed in"}, "logout")
	s.want(terminal.ExitOK, []string{"without a user"}, "whoami")
}

// TestLoginPublic signs in without the app's secret, and looks for the
// sign-in with other settings.
func TestLoginPublic(t *testing.T) {
	s := newSignInTest(t, "")
	delete(s.env, "PARTNERCENTER_CLIENT_SECRET")
	s.want(terminal.ExitOK, []string{"Signed in as Tomas Lind"}, "login")
	if signIns := s.signIns(); !signIns[0].Public {
		t.Error("the app had no secret, but the sign-in is kept as one with it")
	}
	s.advance("2h")
	s.want(terminal.ExitOK, []string{"Tailspin Toys"}, "customers", "list")
	// Without an app in the settings, it is the one that a user is signed in to.
	delete(s.env, "PARTNERCENTER_CLIENT_ID")
	delete(s.env, "PARTNERCENTER_TENANT_ID")
	s.want(terminal.ExitOK, []string{"user Tomas Lind"}, "whoami")
	s.want(terminal.ExitOK, []string{"Tailspin Toys"}, "customers", "list")
	s.want(terminal.ExitAuth, []string{"there are no credentials", "partnercenter login"}, "whoami", "--as", "app")
	s.want(terminal.ExitUsage, []string{"there is no app to sign in to"}, "login")
	// Another authority is another matter.
	s.want(terminal.ExitAuth, []string{"!Tomas"}, "whoami", "--authority", "https://login.microsoftonline.com", "--tenant-id", "x", "--client-id", "y")
}

// TestLoginNeedsSecretAgain checks that an app that used its secret for a
// sign-in still needs it.
func TestLoginNeedsSecretAgain(t *testing.T) {
	s := newSignInTest(t, "")
	s.want(terminal.ExitOK, nil, "login")
	delete(s.env, "PARTNERCENTER_CLIENT_SECRET")
	s.want(terminal.ExitAuth, []string{"with its secret or certificate, which is missing now"}, "whoami")
}

// TestLoginRefused has the person or the authority refuse.
func TestLoginRefused(t *testing.T) {
	s := newSignInTest(t, "")
	s.person.decline = true
	s.want(terminal.ExitAuth, []string{"AADSTS65004", "Consent was declined"}, "login")
	if !strings.Contains(s.page, "The terminal says why") {
		t.Errorf("the browser ends at: %s", s.page)
	}
	s.person.decline = false
	s.person.password = "wrong"
	s.want(terminal.ExitAuth, []string{"no user signed in within 3s"}, "login", "--login-timeout", "3s")
	s.want(terminal.ExitAuth, []string{"AADSTS90002", "The tenant does not exist"}, "login", "--tenant-id", "nobody.onmicrosoft.com")
	s.want(terminal.ExitUsage, []string{"users sign in over TLS only", "--ca-file"}, "login", "--authority", s.facts.APIURL)
	s.want(terminal.ExitUsage, []string{"is not positive"}, "login", "--login-timeout", "0")
	s.want(terminal.ExitUsage, []string{"exclude each other"}, "login", "--no-browser", "--device-code")
	if len(s.signIns()) != 0 {
		t.Error("somebody is signed in")
	}
}

// TestLoginWithoutMFA warns of what the service would refuse.
func TestLoginWithoutMFA(t *testing.T) {
	s := newSignInTest(t, "")
	s.signInAs("nomfa.agent")
	s.want(terminal.ExitOK, []string{"warning: the user signed in without multi-factor authentication"}, "login")
	s.want(terminal.ExitOK, []string{"no (pwd): Partner Center refuses users without it"}, "whoami")
	s.want(terminal.ExitError, []string{"failed   claims", "signed in without multi-factor authentication", "partnercenter login"}, "doctor")
}

// TestLoginInterrupted stops while the browser is open.
func TestLoginInterrupted(t *testing.T) {
	s := newSignInTest(t, "")
	ctx, cancel := context.WithCancel(t.Context())
	term, _, stderr := testTerminal(s.env)
	term.OpenBrowser = func(string) error { cancel(); return nil }
	if code := run(ctx, term, []string{"login"}); code != terminal.ExitInterrupted || !strings.HasSuffix(stderr.String(), "interrupted\n") {
		t.Errorf("exit code %d, %s", code, stderr)
	}
}

// TestLoginWithDeviceCode enters the code on another machine.
func TestLoginWithDeviceCode(t *testing.T) {
	shortenPolls(t)
	s := newSignInTest(t, "")
	term, stdout, _ := testTerminal(s.env)
	out, stderr := io.Pipe()
	term.Stderr = stderr
	code := make(chan int, 1)
	go func() {
		code <- run(t.Context(), term, []string{"login", "--device-code"})
		stderr.Close()
	}()
	var shown bytes.Buffer
	for !strings.Contains(shown.String(), "Waiting;") {
		if _, err := io.CopyN(&shown, out, 1); err != nil {
			t.Fatalf("%v: %s", err, shown.String())
		}
	}
	rest := make(chan string, 1)
	go func() {
		more, _ := io.ReadAll(out)
		rest <- string(more)
	}()
	lines := regexp.MustCompile(`(?s)machine:\n  (\S+)\nand enter this code:\n  (\S+)\nIt is valid for 15 minutes`).FindStringSubmatch(shown.String())
	if lines == nil {
		t.Fatal(shown.String())
	}
	if text, err := s.person.signIn(lines[1], lines[2]); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	c, more := <-code, <-rest
	if c != terminal.ExitOK || !strings.Contains(stdout.String(), "Signed in as Tomas Lind") {
		t.Fatalf("exit code %d, %s%s", c, stdout, more)
	}
	s.advance("2h")
	s.want(terminal.ExitOK, []string{"Tailspin Toys"}, "customers", "list")
	s.want(terminal.ExitAuth, []string{"the code was not entered in time"}, "login", "--device-code", "--login-timeout", "3s")
}

// shortenPolls makes device codes be polled faster than every few seconds.
func shortenPolls(t *testing.T) {
	was := connect.PollUnit
	connect.PollUnit = time.Millisecond
	t.Cleanup(func() { connect.PollUnit = was })
}

// TestRenewAtOnce has many commands meet the end of a token at the same time.
// A refresh token that two of them used would end the sign-in.
func TestRenewAtOnce(t *testing.T) {
	s := newSignInTest(t, "")
	s.want(terminal.ExitOK, nil, "login")
	s.advance("2h")
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if r := s.run("customers", "list", "-o", "jsonl"); r.code != terminal.ExitOK {
				t.Errorf("%+v", r)
			}
		})
	}
	all.Wait()
	s.advance("2h")
	s.want(terminal.ExitOK, nil, "customers", "list")
}

// TestTokensAtRest looks at the files for what must not be in them, and at what
// happens to damaged ones.
func TestTokensAtRest(t *testing.T) {
	s := newSignInTest(t, "")
	s.want(terminal.ExitOK, nil, "login")
	dir := filepath.Join(os.Getenv("XDG_CONFIG_HOME"), "partnercenter")
	file, key := filepath.Join(dir, "tokens.bin"), filepath.Join(dir, "token.key")
	good, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"eyJ", "refresh", s.facts.TenantID, "Tomas"} {
		if bytes.Contains(good, []byte(text)) {
			t.Errorf("%q stands in %s", text, file)
		}
	}
	for _, path := range []string{file, key, filepath.Join(dir, "tokens.lock")} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: %v, %v", path, info, err)
		}
	}
	damaged := bytes.Clone(good)
	damaged[len(damaged)-1] ^= 1
	for name, content := range map[string][]byte{"damaged": damaged, "cut": good[:len(good)/2], "empty": {}, "another": []byte("{}")} {
		writeFile(t, file, string(content))
		s.want(terminal.ExitAuth, []string{"the sign-ins cannot be read", "partnercenter logout --all, then partnercenter login"}, "whoami")
		if name == "damaged" {
			s.want(terminal.ExitAuth, []string{"the sign-ins cannot be read"}, "login")
			s.want(terminal.ExitOK, []string{"without a user"}, "whoami", "--as", "app")
		}
	}
	writeFile(t, file, string(good))
	s.want(terminal.ExitOK, []string{"Tomas"}, "whoami")

	for _, path := range []string{file, key} {
		if err := os.Chmod(path, 0o640); err != nil {
			t.Fatal(err)
		}
		s.want(terminal.ExitUsage, []string{path + " contains secrets, and other users can read or change it: run chmod 600"}, "whoami")
		if err := os.Chmod(path, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// Others could put files of their own into a folder that they can change.
	for _, mode := range []os.FileMode{0o720, 0o702} {
		if err := os.Chmod(dir, mode); err != nil {
			t.Fatal(err)
		}
		for _, args := range [][]string{{"whoami"}, {"login"}, {"logout", "--all"}} {
			s.want(terminal.ExitUsage, []string{"who could replace the sign-ins in it", "run: chmod go-w " + dir}, args...)
		}
	}
	if err := os.Chmod(dir, 0o755); err != nil { //nolint:gosec // others may see that there are sign-ins
		t.Fatal(err)
	}
	if os.Geteuid() == 0 { // only root can give files away
		for _, path := range []string{dir, file, key} {
			if err := os.Chown(path, 12345, -1); err != nil {
				t.Fatal(err)
			}
			s.want(terminal.ExitUsage, []string{"belongs to another user (uid 12345"}, "whoami")
			if err := os.Chown(path, 0, -1); err != nil {
				t.Fatal(err)
			}
		}
	}
	s.env[connect.TokenKeyVariable] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
	s.want(terminal.ExitAuth, []string{"written with a key other than the key in PARTNERCENTER_TOKEN_KEY"}, "whoami")
	s.env[connect.TokenKeyVariable] = "c2hvcnQ="
	s.want(terminal.ExitUsage, []string{"PARTNERCENTER_TOKEN_KEY does not contain a key", "openssl rand -base64 32", "!c2hvcnQ"}, "whoami")
	delete(s.env, connect.TokenKeyVariable)
	if err := os.WriteFile(key, []byte("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.want(terminal.ExitAuth, []string{"written with a key other than the key in " + key, "logout --all"}, "whoami")
	s.want(terminal.ExitOK, []string{"All users are signed out."}, "logout", "--all")
	s.want(terminal.ExitOK, []string{"No user was signed in."}, "logout", "--all")

	// With a key of the environment there is no key file.
	s.env[connect.TokenKeyVariable] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	s.want(terminal.ExitOK, nil, "login")
	s.want(terminal.ExitOK, []string{"Tomas"}, "whoami")
	if _, err := os.Stat(key); err == nil {
		t.Error("a key was written though the environment has one")
	}
	delete(s.env, connect.TokenKeyVariable)
	s.want(terminal.ExitAuth, []string{"its key is missing: neither " + key}, "whoami")
}

// TestLoginWithNoPlace fails before the browser opens, because the sign-in could not be
// stored.
func TestLoginWithNoPlace(t *testing.T) {
	s := newSignInTest(t, "")
	dir := filepath.Join(os.Getenv("XDG_CONFIG_HOME"), "partnercenter")
	lock := filepath.Join(dir, "tokens.lock")
	if err := os.MkdirAll(lock, 0o700); err != nil {
		t.Fatal(err)
	}
	s.want(terminal.ExitError, []string{"cannot be locked", "!Sign in at"}, "login")
	s.want(terminal.ExitError, []string{"cannot be locked", "!enter this code"}, "login", "--device-code")
	if os.Geteuid() == 0 {
		return // root may write everywhere
	}
	if err := errors.Join(os.Remove(lock), os.WriteFile(lock, nil, 0o600), os.Chmod(dir, 0o500)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Chmod(dir, 0o700) })
	s.want(terminal.ExitError, []string{"cannot be written", "!Sign in at"}, "login")
}

// signInAs makes another user of the sample the person.
func (s *signInTest) signInAs(name string) {
	s.t.Helper()
	var list struct {
		Users []struct{ UserPrincipalName, Password string }
	}
	if err := json.Unmarshal(s.control(http.MethodGet, "/users", nil), &list); err != nil {
		s.t.Fatal(err)
	}
	for _, u := range list.Users {
		if strings.HasPrefix(u.UserPrincipalName, name+"@") {
			s.person.user, s.person.password = u.UserPrincipalName, u.Password
			return
		}
	}
	s.t.Fatalf("there is no user %s", name)
}

// awkwardSecret has what forms and shells treat as their own.
const awkwardSecret = `a+b%2Bc d&e=f#g"h\i`

// TestAwkwardCredentials signs in with a secret that does not survive careless
// encoding, and with certificates, as the app and as a user.
func TestAwkwardCredentials(t *testing.T) {
	shortenPolls(t)
	dir := t.TempDir()
	certificate, certificatePEM := newCertificate(t, dir, "app.pem", time.Now().Add(24*time.Hour))
	seed := filepath.Join(dir, "seed.yaml")
	quoted, err := json.Marshal(certificatePEM)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := json.Marshal(awkwardSecret)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, seed, fmt.Sprintf(`
format: partnercenter-seed/1
partners:
  - tenantId: 11111111-2222-3333-4444-555555555555
    name: Contoso
    domain: contoso.onmicrosoft.com
    mpnId: 1234567
    country: US
    apps:
      - clientId: 66666666-7777-8888-9999-000000000000
        name: web app
        secret: %s
        certificates: [{pem: %s}]
        redirectUris: [http://localhost]
    users:
      - {userPrincipalName: ann@contoso.onmicrosoft.com, name: Ann, roles: [admin_agent], password: "p+%%2B w"}
`, secret, quoted))
	s := newSignInTest(t, seed)
	s.person.user, s.person.password = "ann@contoso.onmicrosoft.com", "p+%2B w"
	for _, authority := range []string{s.facts.APIURL, s.facts.APIURLTLS} {
		s.want(terminal.ExitOK, []string{"app 66666666-7777-8888-9999-000000000000 itself"}, "whoami", "--as", "app", "--authority", authority)
	}
	s.want(terminal.ExitOK, []string{"Signed in as Ann"}, "login")
	s.want(terminal.ExitAuth, []string{"AADSTS7000218", "requires a secret or certificate"}, "login", "--public-client")
	s.want(terminal.ExitAuth, []string{"AADSTS7000218"}, "login", "--device-code")
	s.want(terminal.ExitOK, []string{"signed out"}, "logout")

	delete(s.env, "PARTNERCENTER_CLIENT_SECRET")
	s.want(terminal.ExitOK, []string{"the app's certificate, which expires on "}, "whoami", "--client-certificate", certificate)
	s.env["PARTNERCENTER_CLIENT_CERTIFICATE"] = certificate
	s.want(terminal.ExitOK, []string{"Signed in as Ann"}, "login")
	s.want(terminal.ExitOK, []string{"user Ann"}, "whoami")
	s.want(terminal.ExitOK, []string{"no customers"}, "customers", "list")
	s.want(terminal.ExitUsage, []string{"plain HTTP, which does not support certificates"}, "whoami", "--as", "app", "--authority", s.facts.APIURL)

	other, _ := newCertificate(t, dir, "other.pem", time.Now().Add(24*time.Hour))
	s.want(terminal.ExitAuth, []string{"AADSTS700027", "does not have this certificate"}, "whoami", "--as", "app", "--client-certificate", other)
	old, _ := newCertificate(t, dir, "old.pem", time.Now().Add(-time.Minute))
	s.want(terminal.ExitAuth, []string{"old.pem expired on ", "Create a new one"}, "whoami", "--as", "app", "--client-certificate", old)
	writeFile(t, filepath.Join(dir, "bad.pem"), "-----BEGIN NOTHING-----\n")
	s.want(terminal.ExitUsage, []string{"does not contain a certificate to sign in with"}, "whoami", "--as", "app", "--client-certificate", filepath.Join(dir, "bad.pem"))
	pfx := filepath.Join("testdata", "app.pfx")
	s.want(terminal.ExitUsage, []string{"cannot be read as a PFX file", "check the password", "openssl pkcs12"}, "whoami", "--as", "app", "--client-certificate", pfx)
	password := filepath.Join(dir, "password.txt")
	writeFile(t, password, "of-the-file\n")
	s.want(terminal.ExitAuth, []string{"AADSTS700027"}, "whoami", "--as", "app", "--client-certificate", pfx, "--client-certificate-password-file", password)
	s.env["PARTNERCENTER_CLIENT_CERTIFICATE_PASSWORD"] = "of-the-file"
	s.want(terminal.ExitAuth, []string{"AADSTS700027", "!of-the-file"}, "whoami", "--as", "app", "--client-certificate", pfx)
	s.want(terminal.ExitOK, []string{"the app's certificate"}, "whoami", "--as", "app") // a PEM file takes no password
	delete(s.env, "PARTNERCENTER_CLIENT_CERTIFICATE_PASSWORD")
	s.want(terminal.ExitUsage, []string{"cannot be read"}, "whoami", "--as", "app", "--client-certificate", filepath.Join(dir, "missing.pem"))
	// The first layer with a secret or certificate is used.
	s.want(terminal.ExitOK, []string{"the app's secret"}, "whoami", "--as", "app", "--client-secret-file", writeSecret(t, dir))
	s.env["PARTNERCENTER_CLIENT_SECRET"] = "x"
	s.want(terminal.ExitUsage, []string{"environment: the client secret is given in more than one way, or together with a certificate"}, "whoami", "--as", "app")
}

func writeSecret(t *testing.T, dir string) string {
	path := filepath.Join(dir, "secret.txt")
	writeFile(t, path, awkwardSecret+"\n")
	return path
}

// newCertificate writes a certificate and its key into one file, and returns the
// certificate alone, too.
func newCertificate(t *testing.T, dir, name string, until time.Time) (path, certificate string) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-24 * time.Hour), NotAfter: until,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certificate = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	path = filepath.Join(dir, name)
	writeFile(t, path, certificate+string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})))
	return path, certificate
}
