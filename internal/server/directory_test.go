package server_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"io"
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

const noMFA = "nomfa.agent@contosocsp.onmicrosoft.com"

// signInAnswer is what a token endpoint answers.
type signInAnswer struct {
	AccessToken  string `json:"access_token"`
	RefreshToken string `json:"refresh_token"`
	Description  string `json:"error_description"`
	Codes        []int  `json:"error_codes"`

	status int
	header http.Header
}

// code returns the AADSTS number of an error, or 0.
func (a signInAnswer) code() int {
	if len(a.Codes) == 0 {
		return 0
	}
	return a.Codes[0]
}

// signIn sends a form to the first partner's token endpoint.
func (r *inFlight) signIn(t *testing.T, form url.Values) (a signInAnswer) {
	t.Helper()
	if !form.Has("scope") {
		form.Set("scope", "https://api.partnercenter.microsoft.com/.default offline_access")
	}
	resp, err := http.PostForm("http://"+r.api+"/"+r.partner+"/oauth2/v2.0/token", form) //nolint:noctx // a test's
	must(t, err)
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	must(t, err)
	if err := json.Unmarshal(data, &a); err != nil && strings.HasPrefix(resp.Header.Get("Content-Type"), "application/json") {
		t.Fatalf("%v in %s", err, data)
	}
	a.status, a.header = resp.StatusCode, resp.Header
	return a
}

func (r *inFlight) appForm(secret string) url.Values {
	return url.Values{
		"grant_type": {"client_credentials"}, "client_id": {r.app.ClientID}, "client_secret": {secret},
		"scope": {"https://api.partnercenter.microsoft.com/.default"},
	}
}

func (r *inFlight) userForm(user, password string) url.Values {
	return url.Values{"grant_type": {"password"}, "client_id": {r.app.ClientID}, "client_secret": {r.app.Secret}, "username": {user}, "password": {password}}
}

func (r *inFlight) refreshForm(token string) url.Values {
	return url.Values{"grant_type": {"refresh_token"}, "client_id": {r.app.ClientID}, "client_secret": {r.app.Secret}, "refresh_token": {token}}
}

type userAnswer struct {
	TenantID, UserPrincipalName, Name, Password string
	Roles                                       []string
	MFA, Disabled                               bool
}

func (r *inFlight) user(t *testing.T, name string) userAnswer {
	t.Helper()
	var list struct{ Users []userAnswer }
	r.command(t, "GET", "/users?tenant="+r.partner, "", 200, &list)
	for _, u := range list.Users {
		if u.UserPrincipalName == name {
			return u
		}
	}
	t.Fatalf("no %s in %+v", name, list)
	return userAnswer{}
}

// TestControlUsers lists the sample's users, signs one in with the shown password, and
// changes that user.
func TestControlUsers(t *testing.T) {
	r := newRunning(t)
	var list struct{ Users []userAnswer }
	r.command(t, "GET", "/users", "", 200, &list)
	if len(list.Users) < 10 {
		t.Errorf("%d users", len(list.Users))
	}
	user := r.user(t, noMFA)
	if user.TenantID != r.partner || user.Name != "Marta Klein" || user.MFA || user.Disabled || len(user.Roles) != 1 || user.Password == "" {
		t.Errorf("%+v", user)
	}
	if !r.user(t, "disabled.agent@contosocsp.onmicrosoft.com").Disabled || !r.user(t, "admin.agent@contosocsp.onmicrosoft.com").MFA {
		t.Error("the sample's users are not told apart")
	}

	if got := r.signIn(t, r.userForm(noMFA, user.Password)); got.code() != 65001 {
		t.Errorf("without consent: %+v", got)
	}
	r.command(t, "PATCH", "/apps/"+r.app.ClientID, `{"adminConsent":true}`, 200, new(any))
	before := r.signIn(t, r.userForm(noMFA, user.Password))
	if before.RefreshToken == "" {
		t.Fatalf("%+v", before)
	}

	var changed userAnswer
	const path = "/users/NoMFA.agent@contosocsp.onmicrosoft.com"
	r.command(t, "PATCH", path, `{"password":"new + 100 % new","roles":["Sales_Agent"]}`, 200, &changed)
	if changed.Password != "new + 100 % new" || len(changed.Roles) != 1 || changed.Roles[0] != "sales_agent" || changed.UserPrincipalName != noMFA {
		t.Errorf("%+v", changed)
	}
	if got := r.signIn(t, r.userForm(noMFA, user.Password)); got.code() != 50126 {
		t.Errorf("the old password: %+v", got)
	}
	if got := r.signIn(t, r.refreshForm(before.RefreshToken)); got.code() != 50173 || !strings.Contains(got.Description, "the user's password has changed") {
		t.Errorf("a refresh token of the old password: %+v", got)
	}
	after := r.signIn(t, r.userForm(noMFA, changed.Password))
	claims, err := r.authority.Verify(after.AccessToken)
	if err != nil || claims.Roles[0] != "sales_agent" {
		t.Errorf("%+v, %v", claims, err)
	}
	r.command(t, "PATCH", path, `{"mfa":true}`, 200, &changed)
	if got := r.signIn(t, r.userForm(noMFA, changed.Password)); !changed.MFA || got.code() != 50076 {
		t.Errorf("%+v", got)
	}
	r.command(t, "PATCH", path, `{"disabled":true}`, 200, &changed)
	if got := r.signIn(t, r.refreshForm(after.RefreshToken)); !changed.Disabled || got.code() != 50057 {
		t.Errorf("%+v", got)
	}
	if _, err := r.authority.Verify(after.AccessToken); err == nil {
		t.Error("a token of a disabled user is taken")
	}
	if user := r.user(t, noMFA); !user.MFA || !user.Disabled || user.Password != "new + 100 % new" {
		t.Errorf("kept: %+v", user)
	}
}

// appAnswer is an app as the control plane shows it.
type appAnswer struct {
	TenantID, ClientID, Name string
	Secrets                  []secretAnswer
	Certificates             []certificateAnswer
	RedirectURIs             []string
	Public, MultiTenant      bool
	AdminConsent, Disabled   bool
}

type secretAnswer struct {
	ID, Value string
	Expires   *time.Time
	Expired   bool
}

type certificateAnswer struct {
	Thumbprint, ThumbprintSHA256, Subject string
	Revoked                               bool
}

func (r *inFlight) appOf(t *testing.T) appAnswer {
	t.Helper()
	var list struct{ Apps []appAnswer }
	r.command(t, "GET", "/apps?tenant=CONTOSOCSP.onmicrosoft.com", "", 200, &list)
	for _, a := range list.Apps {
		if a.ClientID == r.app.ClientID {
			return a
		}
	}
	t.Fatalf("no %s in %+v", r.app.ClientID, list)
	return appAnswer{}
}

// TestControlApps changes an app and its secrets while it signs in.
func TestControlApps(t *testing.T) {
	r := newRunning(t)
	app := r.appOf(t)
	if app.TenantID != r.partner || app.Name != "sample app" || !app.Public || len(app.Secrets) != 1 || app.Secrets[0].Value != r.app.Secret || len(app.RedirectURIs) != 2 {
		t.Fatalf("%+v", app)
	}
	path := "/apps/" + strings.ToUpper(r.app.ClientID)
	r.command(t, "PATCH", path, `{"redirectUris":["https://app.example/x"],"public":false,"multiTenant":true,"disabled":true}`, 200, &app)
	if app.Public || !app.MultiTenant || !app.Disabled || strings.Join(app.RedirectURIs, " ") != "https://app.example/x" {
		t.Errorf("%+v", app)
	}
	if got := r.signIn(t, r.appForm(r.app.Secret)); got.code() != 7000112 {
		t.Errorf("disabled: %+v", got)
	}
	r.command(t, "PATCH", path, `{"disabled":false}`, 200, &app)
	if got := r.signIn(t, r.appForm(r.app.Secret)); got.AccessToken == "" {
		t.Errorf("enabled: %+v", got)
	}

	var expired, lasting, random secretAnswer
	r.command(t, "POST", path+"/secrets", `{"value":"old+%&=","expires":"2020-01-01"}`, 201, &expired)
	if !expired.Expired || expired.Expires == nil || expired.ID == "" || strings.Contains(expired.ID, "old") {
		t.Errorf("%+v", expired)
	}
	if got := r.signIn(t, r.appForm("old+%&=")); got.code() != 7000222 || got.status != 401 {
		t.Errorf("expired: %+v", got)
	}
	r.command(t, "POST", path+"/secrets", `{"value":"new"}`, 201, &lasting)
	r.command(t, "POST", path+"/secrets", ``, 201, &random)
	if lasting.Expired || lasting.Expires != nil || len(random.Value) < 20 {
		t.Errorf("%+v %+v", lasting, random)
	}
	for _, secret := range []string{"new", random.Value} {
		if got := r.signIn(t, r.appForm(secret)); got.AccessToken == "" {
			t.Errorf("%+v", got)
		}
	}
	// If the first one is deleted, the next one that does not expire takes its place.
	app = appAnswer{}
	r.command(t, "DELETE", path+"/secrets/"+r.appOf(t).Secrets[0].ID, "", 200, &app)
	if got := r.signIn(t, r.appForm(r.app.Secret)); got.code() != 7000215 || len(app.Secrets) != 3 || app.Secrets[0] != lasting {
		t.Errorf("%+v, %+v", app.Secrets, got)
	}
	for _, id := range []string{expired.ID, random.ID, lasting.ID} {
		app = appAnswer{}
		r.command(t, "DELETE", path+"/secrets/"+id, "", 200, &app)
	}
	if len(app.Secrets) != 1 || app.Secrets[0].Value == "new" || len(app.Secrets[0].Value) < 20 {
		t.Errorf("the last one was replaced by %+v", app.Secrets)
	}
	if got := r.signIn(t, r.appForm(app.Secrets[0].Value)); got.AccessToken == "" {
		t.Errorf("%+v", got)
	}
}

// newCertificate returns a certificate of an app and its key.
func newCertificate(t *testing.T) (*x509.Certificate, *rsa.PrivateKey, string) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	now := time.Now()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "billing sync"}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	must(t, err)
	cert, err := x509.ParseCertificate(der)
	must(t, err)
	return cert, key, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

func (r *inFlight) assertionForm(t *testing.T, cert *x509.Certificate, key *rsa.PrivateKey) url.Values {
	t.Helper()
	sum := sha256.Sum256(cert.Raw)
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.PS256, Key: key},
		(&jose.SignerOptions{}).WithType("JWT").WithHeader("x5t#S256", base64.RawURLEncoding.EncodeToString(sum[:])))
	must(t, err)
	claims, err := json.Marshal(map[string]any{
		"aud": "http://" + r.api + "/" + r.partner + "/oauth2/v2.0/token", "iss": r.app.ClientID, "sub": r.app.ClientID,
		"exp": time.Now().Add(time.Minute).Unix(),
	})
	must(t, err)
	signed, err := signer.Sign(claims)
	must(t, err)
	assertion, err := signed.CompactSerialize()
	must(t, err)
	form := r.appForm("")
	form.Del("client_secret")
	form.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
	form.Set("client_assertion", assertion)
	return form
}

// TestControlCertificates registers a certificate, signs in with it and revokes
// it.
func TestControlCertificates(t *testing.T) {
	r := newRunning(t)
	cert, key, text := newCertificate(t)
	body, err := json.Marshal(map[string]string{"pem": text})
	must(t, err)
	path := "/apps/" + r.app.ClientID + "/certificates"
	if got := r.signIn(t, r.assertionForm(t, cert, key)); got.code() != 700027 {
		t.Errorf("unregistered: %+v", got)
	}
	var added certificateAnswer
	r.command(t, "POST", path, string(body), 201, &added)
	if added.Subject != "CN=billing sync" || len(added.Thumbprint) != 40 || len(added.ThumbprintSHA256) != 64 || added.Revoked {
		t.Errorf("%+v", added)
	}
	if got := r.signIn(t, r.assertionForm(t, cert, key)); got.AccessToken == "" {
		t.Errorf("registered: %+v", got)
	}
	var refused struct{ Error string }
	r.command(t, "POST", path, string(body), 400, &refused)
	if !strings.Contains(refused.Error, "has this certificate already") {
		t.Error(refused.Error)
	}
	r.command(t, "POST", path+"/"+strings.ToLower(added.ThumbprintSHA256)+"/revoke", "", 200, &added)
	if got := r.signIn(t, r.assertionForm(t, cert, key)); !added.Revoked || got.code() != 7000214 {
		t.Errorf("revoked: %+v", got)
	}
	if app := r.appOf(t); len(app.Certificates) != 1 || app.Certificates[0] != added {
		t.Errorf("%+v", app)
	}
	r.command(t, "POST", path+"/"+added.Thumbprint[:8]+"/revoke", "", 404, &refused)
	if !strings.Contains(refused.Error, "GET /apps lists them") {
		t.Error(refused.Error)
	}
}

// TestControlGrants lists and revokes the grants of a sign-in, and withdraws consents.
func TestControlGrants(t *testing.T) {
	r := newRunning(t)
	var consents struct {
		Consents []struct {
			TenantID, ClientID, App, User string
			Resources                     []string
		}
	}
	var grants struct {
		Grants []struct {
			TenantID, User, ClientID, App, Revoked string
			MFA                                    bool
			SignedIn, Expires                      time.Time
		}
	}
	r.command(t, "GET", "/consents", "", 200, &consents)
	r.command(t, "GET", "/grants", "", 200, &grants)
	if len(consents.Consents) != 0 || len(grants.Grants) != 0 {
		t.Fatalf("at first: %+v %+v", consents, grants)
	}
	r.command(t, "PATCH", "/apps/"+r.app.ClientID, `{"adminConsent":true}`, 200, new(any))
	user := r.user(t, noMFA)
	first := r.signIn(t, r.userForm(noMFA, user.Password))
	r.command(t, "GET", "/grants?user="+noMFA+"&clientId="+strings.ToUpper(r.app.ClientID), "", 200, &grants)
	if len(grants.Grants) != 1 || grants.Grants[0].User != noMFA || grants.Grants[0].App != "sample app" || grants.Grants[0].Revoked != "" || grants.Grants[0].MFA {
		t.Fatalf("%+v", grants)
	}
	resp, err := http.Get("http://" + r.control + "/grants") //nolint:noctx // a test's
	must(t, err)
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	must(t, err)
	secret := first.RefreshToken[strings.LastIndex(first.RefreshToken, ".")+1:]
	if strings.Contains(string(data), secret) || strings.Contains(string(data), "current") {
		t.Errorf("the list tells the token: %s", data)
	}
	grants.Grants = nil
	r.command(t, "GET", "/grants?user=admin.agent@contosocsp.onmicrosoft.com", "", 200, &grants)
	if len(grants.Grants) != 0 {
		t.Errorf("another user's: %+v", grants)
	}

	var n struct{ Revoked, Withdrawn int }
	r.command(t, "POST", "/grants/revoke", `{"user":"admin.agent@contosocsp.onmicrosoft.com"}`, 200, &n)
	if n.Revoked != 0 {
		t.Errorf("another user's: %+v", n)
	}
	r.command(t, "POST", "/grants/revoke", `{"clientId":"`+r.app.ClientID+`","user":"`+strings.ToUpper(noMFA)+`"}`, 200, &n)
	if got := r.signIn(t, r.refreshForm(first.RefreshToken)); n.Revoked != 1 || got.code() != 50173 {
		t.Errorf("%+v %+v", n, got)
	}
	r.signIn(t, r.userForm(noMFA, user.Password))
	r.command(t, "POST", "/grants/revoke", `{"all":true}`, 200, &n)
	if n.Revoked != 1 {
		t.Errorf("all: %+v", n)
	}
	grants.Grants = nil
	r.command(t, "GET", "/grants", "", 200, &grants)
	if len(grants.Grants) != 2 || grants.Grants[0].Revoked == "" || grants.Grants[1].Revoked == "" {
		t.Errorf("%+v", grants)
	}
}

// TestControlConsents withdraws a partner's consent for a customer.
func TestControlConsents(t *testing.T) {
	r := newRunning(t)
	must(t, r.authority.PutConsent(t.Context(), consentOf(seedCustomer, r.app.ClientID)))
	must(t, r.authority.PutConsent(t.Context(), consentOf(r.partner, r.app.ClientID)))
	var list struct {
		Consents []struct{ TenantID, ClientID, App string }
	}
	count := func(query string) int {
		t.Helper()
		list.Consents = nil
		r.command(t, "GET", "/consents"+query, "", 200, &list)
		return len(list.Consents)
	}
	if count("") != 2 || count("?tenant="+seedCustomer) != 1 || list.Consents[0].App != "sample app" || count("?user="+noMFA) != 0 {
		t.Errorf("%+v", list)
	}
	var n struct{ Withdrawn int }
	r.command(t, "DELETE", "/consents?tenant="+seedCustomer, "", 200, &n)
	if n.Withdrawn != 1 || count("") != 1 {
		t.Errorf("%+v %+v", n, list)
	}
	if kept, err := r.store.Consents(t.Context()); err != nil || len(kept) != 1 {
		t.Errorf("%+v, %v", kept, err)
	}
	r.command(t, "DELETE", "/consents", "", 200, &n)
	if count("") != 0 {
		t.Errorf("%+v", list)
	}
}

func TestControlDirectoryRefuses(t *testing.T) {
	r := newRunning(t)
	app, user := "/apps/"+r.app.ClientID, "/users/"+noMFA
	_, key, text := newCertificate(t)
	withKey, err := json.Marshal(map[string]string{"pem": text + string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))})
	must(t, err)
	for _, tt := range []struct {
		method, path, body string
		status             int
		want               string
	}{
		{"GET", "/users?tenant=nobody.example", "", 400, "send one of contosocsp.onmicrosoft.com, "},
		{"GET", "/users?role=x", "", 400, `the parameter "role" is unknown; use tenant`},
		{"GET", "/apps?%zz", "", 400, "percent-encode"},
		{"PATCH", "/users/eve@nowhere.example", `{"mfa":true}`, 404, "GET /users lists them"},
		{"PATCH", user, ``, 400, "the body changes nothing; send one or more of"},
		{"PATCH", user, `{"roles":["king"]}`, 400, `roles[0] "king" is not known here; use one of global_admin`},
		{"PATCH", user, `{"password":""}`, 400, "send another one"},
		{"PATCH", user, `{"password":"` + strings.Repeat("x", 257) + `"}`, 400, "1 to 256 bytes"},
		{"PATCH", user, `{"mfa":"no"}`, 400, `member "mfa" of the body is unknown or of the wrong type`},
		{"PATCH", user, `{"name":"x"}`, 400, `member "name" of the body is unknown`},
		{"PATCH", user, `mfa=false`, 400, "the body is not JSON"},
		{"PATCH", "/apps/nobody", `{"public":true}`, 404, "GET /apps lists them"},
		{"PATCH", app, `{}`, 400, "the body changes nothing"},
		{"PATCH", app, `{"redirectUris":["http://evil.example"]}`, 400, "redirectUris[0] "},
		{"POST", app + "/secrets", `{"expires":"soon"}`, 400, `"soon" is not a time; write it like`},
		{"POST", app + "/secrets", `{"expires":""}`, 400, `"" is not a time; write it like`},
		{"POST", app + "/secrets", `{"expires":"0001-01-01T00:00:00Z"}`, 400, "leave expires out if the secret never expires"},
		{"POST", app + "/secrets", `{"expires":"0001-01-01T14:00:00+14:00"}`, 400, "leave expires out"},
		{"POST", app + "/secrets", `{"expires":"9999-12-31T23:59:59-14:00"}`, 400, "leave expires out"},
		{"POST", app + "/secrets", `{"value":"` + strings.Repeat("x", 257) + `"}`, 400, "send a shorter one"},
		{"POST", app + "/secrets", `{"value":"` + r.app.Secret + `"}`, 400, "the app has this secret already"},
		{"DELETE", app + "/secrets/1", ``, 404, "GET /apps lists them"},
		{"POST", app + "/certificates", ``, 400, "the body has no certificate; send"},
		{"POST", app + "/certificates", `{"pem":"x"}`, 400, "pem is not PEM text; paste the certificate"},
		{"POST", app + "/certificates", string(withKey), 400, "holds a private key"},
		{"GET", "/grants?user=eve@nowhere.example", ``, 400, "GET /users lists them"},
		{"GET", "/consents?clientId=nobody", ``, 400, "GET /apps lists them"},
		{"DELETE", "/consents?app=x", ``, 400, "use tenant, clientId, user"},
		{"POST", "/grants/revoke", ``, 400, "does not say whose refresh tokens to revoke; send"},
		{"POST", "/grants/revoke", `{"all":true,"user":"` + noMFA + `"}`, 400, "does not say whose"},
	} {
		var refused struct{ Error string }
		r.command(t, tt.method, tt.path, tt.body, tt.status, &refused)
		if !strings.Contains(refused.Error, tt.want) || strings.Contains(refused.Error, r.app.Secret) {
			t.Errorf("%s %s: %q, want %q", tt.method, tt.path, refused.Error, tt.want)
		}
	}
	if got := r.signIn(t, r.appForm(r.app.Secret)); got.AccessToken == "" {
		t.Errorf("what was refused has changed something: %+v", got)
	}
}
