package server_test

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"
	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/control"
	"github.com/partnercenter-go/partnercenter/internal/seed"
	"github.com/partnercenter-go/partnercenter/internal/server"
	"github.com/partnercenter-go/partnercenter/partnercentertest"
)

const seedDomain = "TailspinToys.onmicrosoft.com" // of seedCustomer

// graphScope asks for what a control panel vendor needs in a customer's tenant.
const graphScope = "https://graph.microsoft.com/.default"

// consent consents to an app's use of Microsoft Graph for the seed customer.
func (l *clientLab) consent(t *testing.T, app string) {
	t.Helper()
	_, err := l.UserClient(adminAgent).Customers.ByID(seedCustomer).ApplicationConsents.Create(t.Context(), &partnercenter.ApplicationConsent{
		ApplicationID:     app,
		ApplicationGrants: []partnercenter.ApplicationGrant{{EnterpriseApplicationID: graphID, Scope: "Directory.Read.All"}},
	})
	must(t, err)
}

// TestAzidentityInCustomersTenant signs in to the tenant of a customer with every
// credential of azidentity that a control panel vendor may use.
func TestAzidentityInCustomersTenant(t *testing.T) {
	l := newClientLab(t)
	data, err := os.ReadFile(l.certFile)
	must(t, err)
	certs, key, err := azidentity.ParseCertificates(data, nil)
	must(t, err)
	prompt := func(t *testing.T) func(context.Context, azidentity.DeviceCodeMessage) error {
		return func(_ context.Context, m azidentity.DeviceCodeMessage) error {
			l.signIn(t, m.VerificationURL, m.UserCode)
			return nil
		}
	}
	secret := func(tenant, app, secret string) (azcore.TokenCredential, error) {
		return azidentity.NewClientSecretCredential(tenant, app, secret, &azidentity.ClientSecretCredentialOptions{ClientOptions: l.options(), DisableInstanceDiscovery: true})
	}
	get := func(t *testing.T, cred azcore.TokenCredential, tenant string) (azcore.AccessToken, error) {
		t.Helper()
		return cred.GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{graphScope}, TenantID: tenant})
	}
	refused := func(name string, cred azcore.TokenCredential, err error, code string) {
		t.Helper()
		must(t, err)
		if _, err = get(t, cred, ""); err == nil || !strings.Contains(err.Error(), code) {
			t.Errorf("%s: %v", name, err)
		}
	}
	cred, err := secret(seedCustomer, middleTier, middleSecret)
	refused("without consent", cred, err, "AADSTS700016")
	l.consent(t, middleTier)
	l.consent(t, nativeApp)
	cred, err = secret("d0d0caca-0000-4000-8000-000000000001", middleTier, middleSecret)
	refused("nobody's tenant", cred, err, "AADSTS90002")
	cred, err = secret(seedCustomer, middleTier, "wrong")
	refused("wrong secret", cred, err, "AADSTS7000215")

	for _, name := range []string{seedCustomer, strings.ToUpper(seedCustomer), seedDomain} {
		for _, test := range []struct {
			name string
			make func(t *testing.T) (azcore.TokenCredential, error)
			user bool   // the token is to be a user's
			ask  string // the tenant in the request; that of the credential by default
		}{
			{"client secret", func(*testing.T) (azcore.TokenCredential, error) { return secret(name, middleTier, middleSecret) }, false, ""},
			{"client secret, known authority", func(*testing.T) (azcore.TokenCredential, error) {
				return azidentity.NewClientSecretCredential(name, middleTier, middleSecret, &azidentity.ClientSecretCredentialOptions{ClientOptions: l.options()})
			}, false, ""},
			{"certificate", func(*testing.T) (azcore.TokenCredential, error) {
				return azidentity.NewClientCertificateCredential(name, middleTier, certs, key, &azidentity.ClientCertificateCredentialOptions{ClientOptions: l.options(), DisableInstanceDiscovery: true})
			}, false, ""},
			{"device code", func(t *testing.T) (azcore.TokenCredential, error) {
				return azidentity.NewDeviceCodeCredential(&azidentity.DeviceCodeCredentialOptions{
					ClientOptions: l.options(), DisableInstanceDiscovery: true, ClientID: nativeApp, TenantID: name, UserPrompt: prompt(t),
				})
			}, true, ""},
			{"device code of the partner's tenant", func(t *testing.T) (azcore.TokenCredential, error) {
				cred, err := azidentity.NewDeviceCodeCredential(&azidentity.DeviceCodeCredentialOptions{
					ClientOptions: l.options(), DisableInstanceDiscovery: true, ClientID: nativeApp, TenantID: l.TenantID, UserPrompt: prompt(t),
					AdditionallyAllowedTenants: []string{"*"},
				})
				if err == nil {
					_, err = cred.GetToken(t.Context(), tokenOptions)
				}
				return cred, err
			}, true, name},
			{"on behalf of", func(t *testing.T) (azcore.TokenCredential, error) {
				return azidentity.NewOnBehalfOfCredentialWithSecret(name, middleTier, l.userToken(t), middleSecret, &azidentity.OnBehalfOfCredentialOptions{ClientOptions: l.options(), DisableInstanceDiscovery: true})
			}, true, ""},
		} {
			t.Run(test.name+" at "+name, func(t *testing.T) {
				t.Parallel() // devices wait for seconds
				cred, err := test.make(t)
				must(t, err)
				got, err := get(t, cred, test.ask)
				must(t, err)
				c := claims(t, got.Token)
				if c["tid"] != seedCustomer || c["aud"] != "https://graph.microsoft.com" || (c["preferred_username"] == agent) != test.user || (c["idtyp"] == "app") == test.user {
					t.Errorf("%v", c)
				}
				l.wantRefused(t, got.Token, "audience")
			})
		}
	}
}

// TestCodeInCustomersTenant signs a partner's user in to a customer's tenant with a
// browser.
func TestCodeInCustomersTenant(t *testing.T) {
	l := newClientLab(t)
	client, err := confidential.New(l.TLSURL+"/"+seedDomain, middleTier, must1(confidential.NewCredFromSecret(middleSecret)), confidential.WithHTTPClient(l.client), confidential.WithInstanceDiscovery(false))
	must(t, err)
	sign := func(scope string) *url.URL {
		t.Helper()
		address, err := client.AuthCodeURL(t.Context(), middleTier, "http://localhost/middle", []string{scope})
		must(t, err)
		return l.signIn(t, address, "")
	}
	l.consent(t, middleTier)
	got, err := client.AcquireTokenByAuthCode(t.Context(), sign(graphScope).Query().Get("code"), "http://localhost/middle", []string{graphScope})
	must(t, err)
	c := claims(t, got.AccessToken)
	if c["tid"] != seedCustomer || c["preferred_username"] != agent || got.IDToken.TenantID != seedCustomer {
		t.Errorf("%v, %+v", c, got.IDToken)
	}
	// A code of the customer's tenant is none of the user's own.
	form := url.Values{
		"grant_type": {"authorization_code"}, "client_id": {middleTier}, "client_secret": {middleSecret},
		"code": {sign(graphScope).Query().Get("code")}, "redirect_uri": {"http://localhost/middle"},
	}
	resp, err := l.client.PostForm(l.TLSURL+"/"+l.TenantID+"/oauth2/v2.0/token", form)
	must(t, err)
	defer resp.Body.Close()
	var refused struct {
		Codes []int `json:"error_codes"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&refused); err != nil || len(refused.Codes) != 1 || refused.Codes[0] != 700005 {
		t.Errorf("%v, %v", refused, err)
	}
}

func must1[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// TestTenants looks for the tenants of partners and customers, by id and by domain, at
// both versions, while the server runs and customers come and go.
func TestTenants(t *testing.T) {
	st, partners := newSampleStore(t)
	authority, err := control.NewAuthority(t.Context(), st, control.AuthorityOptions{})
	must(t, err)
	a, _ := newRoute(t, server.Config{Store: st, Authority: authority})
	must(t, authority.SetBaseURLs(a.URL))
	const lateCustomer, lateDomain = "9a5b3d21-7c40-4f8e-a6d9-0b1c2e3f4a5d", "late.onmicrosoft.com"
	probe := func(name, id string) {
		t.Helper()
		for _, path := range []string{
			"/.well-known/openid-configuration", "/v2.0/.well-known/openid-configuration", "/discovery/keys", "/discovery/v2.0/keys",
		} {
			status, body := fetch(t, http.MethodGet, a.URL+"/"+name+path)
			switch {
			case id == "" && (status != http.StatusBadRequest || !strings.Contains(body, "AADSTS90002")):
				t.Errorf("%s%s: %d %s", name, path, status, body)
			case id != "" && (status != http.StatusOK || strings.Contains(path, "openid") && !strings.Contains(body, `"issuer":"`+a.URL+"/"+id)):
				t.Errorf("%s%s: %d %s", name, path, status, body)
			}
		}
		status, body := fetch(t, http.MethodGet, a.URL+"/common/discovery/instance?api-version=1.1&authorization_endpoint="+url.QueryEscape(a.URL+"/"+name+"/oauth2/v2.0/authorize"))
		if (status == http.StatusOK) != (id != "") || id != "" && !strings.Contains(body, "/"+strings.Replace(id, "{tenantid}", name, 1)+"/v2.0/.well-known") {
			t.Errorf("instance of %s: %d %s", name, status, body)
		}
	}
	probe(partners[0].TenantID, partners[0].TenantID)
	probe(partners[0].Domain, partners[0].TenantID)
	probe(seedCustomer, seedCustomer)
	probe(strings.ToUpper(seedCustomer), seedCustomer)
	probe(seedDomain, seedCustomer)
	probe(strings.ToUpper(seedDomain), seedCustomer)
	for _, name := range []string{"common", "organizations"} {
		probe(name, "{tenantid}")
	}
	for _, nobody := range []string{lateCustomer, lateDomain, "late.example.com", "consumers", "onmicrosoft.com", "%25", "x%27%20OR%201=1"} {
		probe(nobody, "")
	}
	late := seed.Customer{}
	late.Customer.ID = lateCustomer
	late.Customer.CompanyProfile = &partnercenter.CustomerCompanyProfile{CompanyName: "Late", Domain: lateDomain}
	late.Customer.CustomDomains = []string{"late.example.com"}
	_, err = st.Load(t.Context(), &seed.Seed{Partners: []seed.Partner{{Tenant: partners[1], Customers: []seed.Customer{late}}}})
	must(t, err)
	probe(lateCustomer, lateCustomer)
	probe("LATE.onmicrosoft.com", lateCustomer)
	probe("late.example.com", lateCustomer)
	if _, body := fetch(t, http.MethodGet, a.URL+"/common/userrealm/x@Late.example.com?api-version=1.0"); !strings.Contains(body, "Managed") {
		t.Errorf("a user of a customer's own domain: %s", body)
	}
}

// TestUserRealm sends a password with MSAL, which asks first where the user signs in.
func TestUserRealm(t *testing.T) {
	const nomfa = "nomfa.agent@contosocsp.onmicrosoft.com"
	sample, err := os.ReadFile("../seed/sample.yaml")
	must(t, err)
	data := strings.Replace(string(sample), "        public: true\n", "        public: true\n        adminConsent: true\n", 1)
	srv := partnercentertest.NewServer(t, partnercentertest.Options{Seed: strings.NewReader(data)})
	password := map[string]string{"nobody@contosocsp.onmicrosoft.com": "x", "somebody@nowhere.example": "x"}
	for _, u := range srv.Users() {
		password[u.UserPrincipalName] = u.Password
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: srv.Pool, MinVersion: tls.VersionTLS12}}}
	t.Cleanup(client.CloseIdleConnections)
	app, err := public.New(nativeApp, public.WithAuthority(srv.TLSURL+"/organizations"), public.WithHTTPClient(client), public.WithInstanceDiscovery(false))
	must(t, err)
	send := func(name string) (public.AuthResult, error) {
		return app.AcquireTokenByUsernamePassword(t.Context(), []string{apiScope}, name, password[name]) //nolint:staticcheck // deprecated, and still in use
	}
	got, err := send(nomfa)
	must(t, err)
	if got.Account.PreferredUsername != nomfa || claims(t, got.AccessToken)["aud"] != "https://api.partnercenter.microsoft.com" {
		t.Errorf("%+v", got.Account)
	}
	for name, want := range map[string]string{
		agent:                               "AADSTS50076",
		"nobody@contosocsp.onmicrosoft.com": "AADSTS50126",
		"somebody@nowhere.example":          "user realm",
	} {
		if _, err := send(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", name, err, want)
		}
	}
	newAPI(t).check(t, request{path: "/common/userrealm/" + nomfa + "?api-version=1.0", status: 200, header: http.Header{"Authorization": nil}, must: []string{"Managed"}})
	const rest = `"cloud_instance_name":"microsoftonline.com","cloud_audience_urn":"urn:federation:MicrosoftOnline"}`
	for path, want := range map[string]string{
		"/common/userrealm/" + nomfa + "?api-version=1.0":                          `{"ver":"1.0","account_type":"Managed","domain_name":"contosocsp.onmicrosoft.com",` + rest,
		"/Organizations/UserRealm/x%40CONTOSOCSP.onmicrosoft.com/?api-version=1.0": `{"ver":"1.0","account_type":"Managed","domain_name":"contosocsp.onmicrosoft.com",` + rest,
		"/" + seedCustomer + "/userrealm/x@" + seedDomain + "?api-version=1.0":     `{"ver":"1.0","account_type":"Managed","domain_name":"tailspintoys.onmicrosoft.com",` + rest,
		"/common/userrealm/x@nowhere.example?api-version=1.0":                      `{"ver":"1.0","account_type":"Unknown",` + rest,
		"/common/userrealm/nobody?api-version=1.0":                                 `{"ver":"1.0","account_type":"Unknown",` + rest,
		"/common/userrealm/x@common?api-version=1.0":                               `{"ver":"1.0","account_type":"Unknown",` + rest,
		"/nowhere.example/userrealm/" + nomfa + "?api-version=1.0":                 "AADSTS90002",
		"/common/userrealm/" + nomfa + "?api-version=2.0":                          "api-version=1.0",
	} {
		if _, body := fetch(t, http.MethodGet, srv.URL+path); !strings.Contains(body, want) {
			t.Errorf("%s: %s", path, body)
		}
	}
}
