package server_test

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/clock"
	"github.com/partnercenter-go/partnercenter/internal/contract/contracttest"
	"github.com/partnercenter-go/partnercenter/internal/control"
	"github.com/partnercenter-go/partnercenter/internal/issuer"
	"github.com/partnercenter-go/partnercenter/internal/seed"
	"github.com/partnercenter-go/partnercenter/internal/server"
	"github.com/partnercenter-go/partnercenter/internal/store"
	"github.com/partnercenter-go/partnercenter/internal/token"
	"github.com/partnercenter-go/partnercenter/partnercentertest"
)

// strangeTenant is not a partner of the sample.
const strangeTenant = "a1b2c3d4-0000-4000-8000-00000000000c"

// newSampleStore returns a store with the sample, and its partners.
func newSampleStore(t *testing.T) (*store.Store, []seed.Tenant) {
	t.Helper()
	st, err := store.Open(t.Context(), ":memory:", nil)
	must(t, err)
	t.Cleanup(func() { st.Close() })
	from, err := seed.Sample()
	must(t, err)
	_, err = st.Load(t.Context(), from)
	must(t, err)
	partners, err := st.Partners(t.Context())
	must(t, err)
	return st, partners
}

// newRoute runs a server of c on free ports, and returns it as an API to call, with
// the address of its control plane.
func newRoute(t *testing.T, c server.Config) (a *api, controlURL string) {
	t.Helper()
	c.Clock = clock.New(nil)
	srv, err := server.New(t.Context(), c)
	must(t, err)
	t.Cleanup(srv.Close)
	plane := control.Config{Store: c.Store, Authority: c.Authority, Clock: c.Clock, Health: srv.Health(), Forget: srv.Forget}
	if c.Entra != nil {
		plane.TokenEndpoint = c.Entra.TokenEndpoint()
	}
	l := server.Listeners{Plane: control.New(plane).Handler()}
	l.API, err = net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	l.Control, err = net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- srv.Serve(ctx, l, 0) }()
	t.Cleanup(func() { stop(); <-done })
	return &api{
		Server: &partnercentertest.Server{URL: "http://" + l.API.Addr().String(), ClientSecret: "that no answer may have"},
		token:  "nor.this.one",
		client: &http.Client{Transport: contracttest.NewChecker(t).Transport(http.DefaultTransport)},
	}, "http://" + l.Control.Addr().String()
}

// TestEntra runs a server that accepts the tokens of another one, which stands for
// Microsoft Entra ID: it is reached over TLS, and found by its metadata.
func TestEntra(t *testing.T) {
	microsoft := newRunning(t)
	st, partners := newSampleStore(t)
	entra, made, err := control.NewEntra(t.Context(), st, control.EntraOptions{
		Authority: "https://" + microsoft.tls, Tenants: []string{strings.ToUpper(microsoft.partner), strangeTenant},
		Transport: &http.Transport{TLSClientConfig: trusting(microsoft)},
	})
	must(t, err)
	if len(made) != 1 || made[0] != strangeTenant {
		t.Errorf("partners made: %v", made)
	}
	a, control := newRoute(t, server.Config{Store: st, Entra: entra})

	mint := func(r issuer.MintRequest) http.Header {
		t.Helper()
		r.BaseURL = "https://" + microsoft.tls
		token, err := microsoft.authority.Mint(r)
		must(t, err)
		return http.Header{"Authorization": {"Bearer " + token.Text}}
	}
	app := issuer.MintRequest{Tenant: microsoft.partner, ClientID: microsoft.app.ClientID}
	second, user, audience, plain := app, app, app, app
	second.Version, second.Resource = token.V2, "https://api.partnercenter.microsoft.com"
	app.Resource, audience.Resource = "https://graph.windows.net", "https://graph.windows.net"
	user.User, user.Resource = "admin.agent@contosocsp.onmicrosoft.com", "https://api.partnercenter.microsoft.com"
	audience.User = user.User
	other := issuer.MintRequest{Tenant: partners[1].TenantID}
	apps, err := st.Apps(t.Context(), other.Tenant)
	must(t, err)
	other.ClientID = apps[0].ClientID
	fromHTTP, err := microsoft.authority.Mint(issuer.MintRequest{Tenant: plain.Tenant, ClientID: plain.ClientID, BaseURL: "http://" + microsoft.api})
	must(t, err)
	realm := map[string]string{"WWW-Authenticate": "^OAuth realm=urn:cpsvc:cpid:.+$"}
	a.run(t, []request{
		{name: "app, 1.0, for the graph", path: seedOrders, header: mint(app), status: 200, must: []string{legacyOrder}},
		{name: "app, 2.0", path: seedOrders, header: mint(second), status: 200, must: []string{legacyOrder}},
		{name: "user", path: seedOrders, header: mint(user), status: 200, must: []string{legacyOrder}},
		{name: "a user's token for the graph", path: seedOrders, header: mint(audience), status: 401, code: partnercenter.ErrorCodeAccessDenied, must: []string{"audience"}, headers: realm},
		{name: "a tenant that is not named", path: seedOrders, header: mint(other), status: 401, code: partnercenter.ErrorCodeAccessDenied, must: []string{"--tenant"}},
		{name: "an issuer at another address", path: seedOrders, header: http.Header{"Authorization": {"Bearer " + fromHTTP.Text}}, status: 401, code: partnercenter.ErrorCodeAccessDenied, must: []string{"issuer"}},
		{name: "no token", path: seedOrders, header: http.Header{"Authorization": nil}, status: 401, code: partnercenter.ErrorCodeTokenMissing, must: []string{"https://" + microsoft.tls + "/{tenant}/oauth2/v2.0/token"}},
		{
			name: "a consent, which is Microsoft's to keep", method: http.MethodPost, path: "/v1/customers/" + seedCustomer + "/applicationconsents", header: mint(user),
			body:   `{"applicationId": "x", "applicationGrants": []}`,
			status: 400, code: partnercenter.ErrorCodeOperationUnoffered, must: []string{"--auth builtin"},
		},
		{
			name: "to take one back", method: http.MethodDelete, path: "/v1/customers/" + seedCustomer + "/applicationconsents/" + strangeTenant, header: mint(user),
			status: 400, code: partnercenter.ErrorCodeOperationUnoffered,
		},
		{name: "nonsense", path: seedOrders, header: http.Header{"Authorization": {"Bearer x.y.z"}}, status: 401, code: partnercenter.ErrorCodeAccessDenied},
	})
	strict, _ := newRoute(t, server.Config{Store: st, Entra: entra, Edition: server.Edition2026})
	strict.run(t, []request{
		{name: "2026, app", path: seedOrders, header: mint(second), status: 200},
		{name: "2026, app for the graph", path: seedOrders, header: mint(app), status: 401, code: partnercenter.ErrorCodeAudienceRefused, headers: realm},
		{name: "2026, user for the graph", path: seedOrders, header: mint(audience), status: 401, code: partnercenter.ErrorCodeAudienceRefused, headers: realm},
		{name: "2026, app where a user is needed", path: "/v1/customers/" + seedCustomer + "/profiles/company", header: mint(second), status: 403, code: partnercenter.ErrorCodeUserRequired},
	})
	for path, want := range map[string]int{
		"/readyz":                503, // strangeTenant is not the authority's
		"/common/oauth2/token":   404,
		"/common/discovery/keys": 404,
		"/common/userrealm/x@y":  404,
		"/" + microsoft.partner + "/v2.0/.well-known/openid-configuration": 404,
	} {
		if status, body := fetch(t, http.MethodGet, a.URL+path); status != want || !strings.Contains(body, "https://"+microsoft.tls) {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	for _, call := range []string{"GET /keys", "POST /keys", "DELETE /keys/x", "POST /tokens"} {
		method, path, _ := strings.Cut(call, " ")
		if status, body := fetch(t, method, control+path); status != 409 || !strings.Contains(body, "https://"+microsoft.tls+"/{tenant}/oauth2/v2.0/token") {
			t.Errorf("%s: %d %s", call, status, body)
		}
	}
	if status, body := fetch(t, http.MethodGet, control+"/clock"); status != 200 {
		t.Errorf("clock: %d %s", status, body)
	}
}

func fetch(t *testing.T, method, address string) (status int, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, address, nil)
	must(t, err)
	resp, err := http.DefaultClient.Do(req)
	must(t, err)
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	must(t, err)
	return resp.StatusCode, string(data)
}

// TestEntraUnavailable starts while the authority is down.
func TestEntraUnavailable(t *testing.T) {
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	st, partners := newSampleStore(t)
	entra, _, err := control.NewEntra(t.Context(), st, control.EntraOptions{Authority: gone.URL, Tenants: []string{partners[0].TenantID}})
	must(t, err)
	a, control := newRoute(t, server.Config{Store: st, Entra: entra})
	authority := newRunning(t)
	token := authority.token(t)
	a.run(t, []request{
		{
			name: "a token", path: seedOrders, header: http.Header{"Authorization": {"Bearer " + token}}, status: 503,
			code: partnercenter.ErrorCodeUnexpected, must: []string{gone.URL, "try again"}, headers: map[string]string{"Retry-After": "^[0-9]+$"},
		},
		{name: "no token", path: seedOrders, header: http.Header{"Authorization": nil}, status: 401, code: partnercenter.ErrorCodeTokenMissing},
		{name: "alive", path: "/livez", header: http.Header{"Authorization": nil}, status: 200},
	})
	for _, base := range []string{a.URL, control} {
		status, body := fetch(t, http.MethodGet, base+"/readyz")
		var answer struct{ Status string }
		if err := json.Unmarshal([]byte(body), &answer); err != nil {
			t.Fatal(err)
		}
		if status != 503 || !strings.Contains(answer.Status, "no signing keys yet for tenant "+partners[0].TenantID) {
			t.Errorf("readyz: %d %s", status, body)
		}
	}
}

// TestEntraPartners makes tenants partners, once.
func TestEntraPartners(t *testing.T) {
	st, partners := newSampleStore(t)
	o := control.EntraOptions{Authority: "https://login.microsoftonline.com", Tenants: []string{partners[0].TenantID, strings.ToUpper(strangeTenant)}}
	for i, want := range []int{1, 0} {
		_, made, err := control.NewEntra(t.Context(), st, o)
		must(t, err)
		if len(made) != want {
			t.Errorf("start %d: made %v", i, made)
		}
	}
	after, err := st.Partners(t.Context())
	must(t, err)
	if len(after) != len(partners)+1 || after[2].Name != strangeTenant || after[2].TenantID != strangeTenant {
		t.Errorf("partners: %+v", after)
	}
}

// TestCaller calls a server that treats everybody as an administrator.
func TestCaller(t *testing.T) {
	st, partners := newSampleStore(t)
	caller, err := control.Administrator(t.Context(), st, "")
	must(t, err)
	if caller.TenantID != partners[0].TenantID || !caller.HasUser() || !caller.MFA || len(caller.Roles) != len(partnercenter.UserRoles()) {
		t.Errorf("caller %+v", caller)
	}
	second, err := control.Administrator(t.Context(), st, strings.ToUpper(partners[1].Domain))
	must(t, err)
	if second.TenantID != partners[1].TenantID {
		t.Errorf("caller %+v", second)
	}
	if _, err := control.Administrator(t.Context(), st, strangeTenant); err == nil || !strings.Contains(err.Error(), partners[0].TenantID) {
		t.Errorf("an unknown tenant gives %v", err)
	}
	authority, err := control.NewAuthority(t.Context(), st, control.AuthorityOptions{BaseURLs: []string{"http://127.0.0.1"}})
	must(t, err)
	a, _ := newRoute(t, server.Config{Store: st, Authority: authority, Caller: caller})
	a.run(t, []request{
		{name: "no token", invalid: true, path: seedOrders, header: http.Header{"Authorization": nil}, status: 200, must: []string{legacyOrder}},
		{name: "a token of no kind", invalid: true, path: seedOrders, header: http.Header{"Authorization": {"Bearer x", "Basic y"}}, status: 200, must: []string{legacyOrder}},
		{name: "another partner's customer", path: "/v1/customers/" + foreignCustomer(t) + "/orders", status: 403, code: partnercenter.ErrorCodeNoRelationship},
		{name: "of another site's page", method: http.MethodPost, path: seedOrders, body: "{}", header: http.Header{"Sec-Fetch-Site": {"cross-site"}}, status: 403, code: partnercenter.ErrorCodeAccessDenied, must: []string{"page"}},
		{name: "read of another site's page", path: seedOrders, header: http.Header{"Sec-Fetch-Site": {"cross-site"}}, status: 403, code: partnercenter.ErrorCodeAccessDenied, must: []string{"page"}},
		{name: "read of another port's page", path: seedOrders, header: http.Header{"Sec-Fetch-Site": {"same-site"}}, status: 403, code: partnercenter.ErrorCodeAccessDenied, must: []string{"page"}},
		{name: "read of another origin", path: seedOrders, header: http.Header{"Origin": {"https://evil.example"}}, status: 403, code: partnercenter.ErrorCodeAccessDenied},
		{name: "typed by the user", path: seedOrders, header: http.Header{"Sec-Fetch-Site": {"none"}}, status: 200},
		{name: "of another origin", method: http.MethodPost, path: seedOrders, body: "{}", header: http.Header{"Origin": {"https://evil.example"}}, status: 403, code: partnercenter.ErrorCodeAccessDenied},
	})
	for host, want := range map[string]int{
		"localhost": 200, "LOCALHOST:8080": 200, "127.0.0.1:1": 200, "[::1]:8080": 200, "api.partnercenter.microsoft.com": 200, "partner.partnercenterapi.microsoftonline.cn:443": 200,
		"evil.example": 403, "localhost.evil.example:8080": 403, "127.0.0.1.evil.example": 403,
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, a.URL+seedOrders, nil)
		must(t, err)
		req.Host = host
		resp, err := http.DefaultClient.Do(req)
		must(t, err)
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("host %s: %s, want %d", host, resp.Status, want)
		}
	}
	// Clients that insist on a token get one.
	if status, body := fetch(t, http.MethodGet, a.URL+"/"+partners[0].TenantID+"/v2.0/.well-known/openid-configuration"); status != 200 {
		t.Errorf("discovery: %d %s", status, body)
	}
}
