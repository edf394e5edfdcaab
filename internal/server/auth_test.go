package server_test

import (
	"bytes"
	"crypto/tls"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/partnercentertest"
)

var tokenOptions = policy.TokenRequestOptions{Scopes: []string{"https://api.partnercenter.microsoft.com/.default"}}

// TestTokens presents the API with invalid tokens. Package issuer tests which tokens
// are valid; this tests that the API checks them.
func TestTokens(t *testing.T) {
	a := newAPI(t)
	parts := strings.Split(a.token, ".")
	encode := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	bearer := func(token string) http.Header { return http.Header{"Authorization": {"Bearer " + token}} }
	realm := map[string]string{"WWW-Authenticate": "^OAuth realm=urn:cpsvc:cpid:.+$"}
	a.run(t, []request{
		{name: "none", path: seedOrders, header: http.Header{"Authorization": nil}, status: 401, code: partnercenter.ErrorCodeTokenMissing, headers: realm},
		{name: "empty", path: seedOrders, header: http.Header{"Authorization": {""}}, status: 401, code: partnercenter.ErrorCodeTokenMissing, headers: realm},
		{name: "basic", path: seedOrders, header: http.Header{"Authorization": {"Basic eDp5"}}, status: 401, code: partnercenter.ErrorCodeTokenMissing},
		{name: "two", path: seedOrders, header: http.Header{"Authorization": {"Bearer " + a.token, "Bearer " + a.token}}, status: 401, code: partnercenter.ErrorCodeAccessDenied, must: []string{"more than one"}},
		{name: "malformed", path: seedOrders, header: bearer("x.y"), status: 401, code: partnercenter.ErrorCodeAccessDenied, headers: realm},
		{name: "alg none", path: seedOrders, header: bearer(encode(`{"alg":"none"}`) + "." + parts[1] + "."), status: 401, code: partnercenter.ErrorCodeAccessDenied},
		{name: "HS256", path: seedOrders, header: bearer(encode(`{"alg":"HS256"}`) + "." + parts[1] + "." + parts[2]), status: 401, code: partnercenter.ErrorCodeAccessDenied},
		{name: "unknown key", path: seedOrders, header: bearer(encode(`{"alg":"RS256","kid":"x"}`) + "." + parts[1] + "." + parts[2]), status: 401, code: partnercenter.ErrorCodeAccessDenied},
		{name: "another's claims", path: seedOrders, header: bearer(parts[0] + "." + encode(`{"aud":"x"}`) + "." + parts[2]), status: 401, code: partnercenter.ErrorCodeAccessDenied},
		{name: "twice as long as any", path: seedOrders, header: bearer(a.token + strings.Repeat("x", 16<<10)), status: 401, code: partnercenter.ErrorCodeAccessDenied, must: []string{"tooLarge"}},
		{name: "with a line break's escape", path: seedOrders, header: bearer(a.token + "%0A"), status: 401, code: partnercenter.ErrorCodeAccessDenied},
		{name: "in the query", path: seedOrders + "?access_token=" + a.token, header: http.Header{"Authorization": nil}, status: 401, code: partnercenter.ErrorCodeTokenMissing},
		{name: "the route comes first", path: "/v1/nothing", header: http.Header{"Authorization": nil}, status: 404, code: partnercenter.ErrorCodeNotFound},
	})
}

// TestTokenExpiry moves the clock past a token that was seen before.
func TestTokenExpiry(t *testing.T) {
	var now atomic.Int64
	now.Store(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC).Unix())
	a := newAPI(t, partnercentertest.Options{Now: func() time.Time { return time.Unix(now.Load(), 0) }})
	check := func(status int) {
		t.Helper()
		if resp, body := a.do(t, request{path: seedOrders, status: status}); resp.StatusCode != status {
			t.Fatalf("status %d, want %d: %s", resp.StatusCode, status, body)
		}
	}
	check(200)
	now.Add(3600 + 59) // within the leeway
	check(200)
	now.Add(2)
	check(401)
	now.Add(-2 * 3600) // and before the token's time
	check(401)
}

// TestAzureIdentity signs in with Microsoft's own library, unmodified, over TLS and
// through the discovery it requires, and lists orders.
func TestAzureIdentity(t *testing.T) {
	srv := partnercentertest.NewServer(t)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: srv.Pool}, ForceAttemptHTTP2: true}}
	options := azcore.ClientOptions{
		Transport: client,
		Cloud:     cloud.Configuration{ActiveDirectoryAuthorityHost: srv.TLSURL},
	}
	cred, err := azidentity.NewClientSecretCredential(srv.TenantID, srv.ClientID, srv.ClientSecret, &azidentity.ClientSecretCredentialOptions{
		ClientOptions: options, DisableInstanceDiscovery: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, scope := range []string{"https://api.partnercenter.microsoft.com/.default", "https://graph.windows.net/.default"} {
		o := &partnercenter.ClientOptions{Endpoint: srv.TLSURL, Scopes: []string{scope}}
		o.Transport = client
		pc, err := partnercenter.NewClient(cred, o)
		if err != nil {
			t.Fatal(err)
		}
		orders, err := pc.Customers.ByID(seedCustomer).Orders.Get(t.Context())
		if err != nil || len(orders.Items) != 2 {
			t.Fatalf("%s: %v, %v", scope, orders, err)
		}
	}
	wrong, err := azidentity.NewClientSecretCredential(srv.TenantID, srv.ClientID, "wrong", &azidentity.ClientSecretCredentialOptions{
		ClientOptions: options, DisableInstanceDiscovery: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := wrong.GetToken(t.Context(), tokenOptions); err == nil || !strings.Contains(err.Error(), "AADSTS7000215") {
		t.Errorf("a wrong secret gives %v", err)
	}
}

// TestTokenEndpoints asks for tokens as plain HTTP clients do, and uses them.
func TestTokenEndpoints(t *testing.T) {
	a := newAPI(t)
	for _, tt := range []struct {
		path   string
		form   url.Values
		status int
		want   string
	}{
		{"/oauth2/token", url.Values{"resource": {"https://graph.windows.net"}}, 200, `"expires_in":"3600"`},
		{"/oauth2/v2.0/token", url.Values{"scope": {"https://api.partnercenter.microsoft.com/.default"}}, 200, `"expires_in":3600`},
		{"/oauth2/token", url.Values{"resource": {"https://graph.windows.net"}, "client_secret": {"wrong"}}, 401, "AADSTS7000215"},
		{"/oauth2/token", url.Values{"resource": {"https://elsewhere.example"}}, 400, "AADSTS500011"},
		{"/oauth2/v2.0/token", url.Values{"scope": {"https://graph.windows.net/User.Read"}}, 400, "AADSTS1002012"},
	} {
		form := url.Values{"grant_type": {"client_credentials"}, "client_id": {a.ClientID}, "client_secret": {a.ClientSecret}}
		for key, values := range tt.form {
			form[key] = values
		}
		resp, body := a.do(t, request{
			method: http.MethodPost, path: "/" + a.TenantID + tt.path, body: form.Encode(), status: tt.status,
			header: http.Header{"Authorization": nil, "Content-Type": {"application/x-www-form-urlencoded"}},
		})
		if resp.StatusCode != tt.status || !strings.Contains(string(body), tt.want) {
			t.Errorf("%s %v: %d %s", tt.path, tt.form, resp.StatusCode, body)
			continue
		}
		if tt.status != 200 {
			continue
		}
		var answer struct {
			AccessToken string `json:"access_token"`
		}
		if err := partnercenter.Unmarshal(body, &answer); err != nil {
			t.Fatal(err)
		}
		resp, body = a.do(t, request{path: seedOrders, status: 200, header: http.Header{"Authorization": {"Bearer " + answer.AccessToken}}})
		if resp.StatusCode != 200 {
			t.Errorf("the token of %s is refused: %s", tt.path, body)
		}
	}
}

// TestLogsKeepSecrets reads the log of valid and invalid calls.
func TestLogsKeepSecrets(t *testing.T) {
	var log bytes.Buffer
	a := newAPI(t, partnercentertest.Options{Log: &log})
	a.do(t, request{path: seedOrders, status: 200, header: http.Header{"MS-RequestId": {"65b26053-37d0-4303-9fd1-46ad8012bcb6"}}})
	a.do(t, request{path: seedOrders, status: 401, header: http.Header{"Authorization": {"Bearer not-a-token-but-secret"}}})
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {a.ClientID}, "client_secret": {a.ClientSecret + "x"}, "resource": {"https://graph.windows.net"}}
	a.do(t, request{method: http.MethodPost, path: "/" + a.TenantID + "/oauth2/token", body: form.Encode(), status: 401, header: http.Header{"Authorization": nil, "Content-Type": {"application/x-www-form-urlencoded"}}})
	a.Close()
	text := log.String()
	for _, secret := range []string{a.token, "not-a-token-but-secret", a.ClientSecret, "Azure Active Directory Premium P2"} {
		if strings.Contains(text, secret) {
			t.Errorf("%q is in the log", secret)
		}
	}
	for _, want := range []string{`"route":"/v1/customers/{customer-tenant-id}/orders"`, `"request_id":"65b26053-37d0-4303-9fd1-46ad8012bcb6"`, `"status":200`, `"status":401`, `"duration":`, `"correlation_id":"`, `"route":"/{tenant}/oauth2/token"`} {
		if !strings.Contains(text, want) {
			t.Errorf("%s is not in the log:\n%s", want, text)
		}
	}
	if lines := strings.Count(text, `"msg":"request"`); lines != 3 {
		t.Errorf("%d lines for 3 requests:\n%s", lines, text)
	}
}
