package server_test

import (
	"crypto/tls"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/catalog"
	"github.com/partnercenter-go/partnercenter/internal/cloudhosts"
	"github.com/partnercenter-go/partnercenter/internal/contract"
	"github.com/partnercenter-go/partnercenter/internal/issuer"
)

// at sends a request over TLS as if a name had been mapped to this machine.
func (r *inFlight) at(t *testing.T, host, method, path, token, form string) (int, string) {
	t.Helper()
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: r.ca.Pool()}}
	defer transport.CloseIdleConnections()
	req, err := http.NewRequestWithContext(t.Context(), method, "https://"+r.tls+path, strings.NewReader(form))
	must(t, err)
	req.Host = host
	if form != "" {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := (&http.Client{Transport: transport}).Do(req)
	must(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	must(t, err)
	return resp.StatusCode, string(body)
}

// TestMicrosoftsHosts checks that each of Microsoft's hosts serves what it should, and
// no more.
func TestMicrosoftsHosts(t *testing.T) {
	r := newRunning(t)
	plainToken := r.token(t)
	must(t, r.authority.SetBaseURLs(append([]string{"http://" + r.api, "https://" + r.tls}, cloudhosts.BaseURLs(443)...)...))
	discovery := "/" + r.partner + "/v2.0/.well-known/openid-configuration"
	for _, tt := range []struct {
		host, path string
		status     int
		want, not  string
	}{
		{"login.microsoftonline.com", discovery, 200, "https://login.microsoftonline.com/" + r.partner + "/oauth2/v2.0/token", r.tls},
		{"login.windows.net:443", discovery, 200, "https://login.windows.net/" + r.partner + "/v2.0", ""},
		{"login.microsoftonline.com", seedOrders, 404, "is a sign-in host", ""},
		{"login.microsoftonline.com", "/livez", 404, "is a sign-in host", ""},
		{"login.microsoftonline.com", "/openapi.yaml", 404, "is a sign-in host", ""},
		{"login.microsoftonline.com", "/clock", 404, "is a sign-in host", "now"},
		{"login.microsoftonline.com", "/console/", 404, "is a sign-in host", ""},
		{"api.partnercenter.microsoft.com", seedOrders, 200, `"items":[`, ""},
		{"API.partnercenter.microsoft.com:8443", seedOrders, 200, `"items":[`, ""},
		{"partner.partnercenterapi.microsoftonline.cn", seedOrders, 200, `"items":[`, ""},
		{"api.partnercenter.microsoft.com", discovery, 404, "it issues no tokens", ""},
		{"api.partnercenter.microsoft.com", "/clock", 404, "Nothing is served", "now"},
		// At the server's own addresses everything is served.
		{r.tls, discovery, 200, "https://" + r.tls, "login.microsoftonline.com"},
		{r.tls, seedOrders, 200, `"items":[`, ""},
		{"login.microsoftonline.com.example.com", seedOrders, 200, `"items":[`, ""},
	} {
		status, body := r.at(t, tt.host, http.MethodGet, tt.path, plainToken, "")
		if status != tt.status || !strings.Contains(body, tt.want) || tt.not != "" && strings.Contains(body, tt.not) {
			t.Errorf("%s%s: %d %s\nwant %d with %q and without %q", tt.host, tt.path, status, body, tt.status, tt.want, tt.not)
		}
	}
	// Over plain HTTP a Host header says nothing.
	if resp := r.get(t, http.DefaultClient, "http://"+r.api+seedOrders, plainToken, nil); resp.StatusCode != 200 {
		t.Error(resp.Status)
	}
}

// TestTokensOfEveryHost asks each sign-in host for a token, as clients of all
// clouds do, and calls the API with it at each of its hosts and addresses.
func TestTokensOfEveryHost(t *testing.T) {
	r := newRunning(t)
	must(t, r.authority.SetBaseURLs(append([]string{"http://" + r.api, "https://" + r.tls}, cloudhosts.BaseURLs(443)...)...))
	form := url.Values{
		"grant_type": {"client_credentials"}, "client_id": {r.app.ClientID}, "client_secret": {r.app.Secret},
		"scope": {"https://api.partnercenter.microsoft.com/.default"},
	}.Encode()
	for _, authority := range cloudhosts.Authorities() {
		for _, host := range authority.Hosts {
			status, body := r.at(t, host, http.MethodPost, "/"+r.partner+"/oauth2/v2.0/token", "", form)
			var answer struct {
				Token string `json:"access_token"`
			}
			if err := json.Unmarshal([]byte(body), &answer); status != 200 || err != nil {
				t.Fatalf("%s: %d %v", host, status, err)
			}
			claims, err := r.authority.Verify(answer.Token)
			if err != nil || claims.Issuer != "https://"+host+"/"+r.partner+"/v2.0" {
				t.Errorf("%s: issuer of %+v, %v", host, claims, err)
			}
			for _, api := range []string{"api.partnercenter.microsoft.com", "partner.partnercenterapi.microsoftonline.cn", r.tls} {
				if status, body := r.at(t, api, http.MethodGet, seedOrders, answer.Token, ""); status != 200 {
					t.Errorf("token of %s at %s: %d %s", host, api, status, body)
				}
			}

			// What MSAL asks before it trusts the host.
			status, body = r.at(t, host, http.MethodGet, "/common/discovery/instance?api-version=1.1&authorization_endpoint=https%3A%2F%2F"+host+"%2F"+r.partner+"%2Foauth2%2Fv2.0%2Fauthorize", "", "")
			var instance struct {
				Endpoint string `json:"tenant_discovery_endpoint"`
				Metadata []struct {
					Network string   `json:"preferred_network"`
					Cache   string   `json:"preferred_cache"`
					Aliases []string `json:"aliases"`
				} `json:"metadata"`
			}
			if err := json.Unmarshal([]byte(body), &instance); status != 200 || err != nil {
				t.Fatalf("%s: %d %s %v", host, status, body, err)
			}
			if want := "https://" + host + "/" + r.partner + "/v2.0/.well-known/openid-configuration"; instance.Endpoint != want {
				t.Errorf("%s: discovery at %s, want %s", host, instance.Endpoint, want)
			}
			found := false
			for _, m := range instance.Metadata {
				if slices.Contains(m.Aliases, host) {
					found = m.Network == authority.PreferredNetwork && m.Cache == authority.PreferredCache && slices.Equal(m.Aliases, authority.Hosts)
				}
			}
			if !found {
				t.Errorf("%s: metadata %+v", host, instance.Metadata)
			}
		}
	}
}

// Pages for a browser are at an address of the server's own, as the browser would reach
// Microsoft at the host that the client used.
func TestPagesForPeople(t *testing.T) {
	r := newRunning(t)
	must(t, r.authority.SetBaseURLs(append([]string{"https://" + r.tls, "http://" + r.api}, cloudhosts.BaseURLs(443)...)...))
	form := url.Values{"client_id": {r.app.ClientID}, "scope": {"https://api.partnercenter.microsoft.com/.default"}}.Encode()
	for host, want := range map[string]string{"login.microsoftonline.com": "http://" + r.api, r.tls: "https://" + r.tls} {
		status, body := r.at(t, host, http.MethodPost, "/"+r.partner+"/oauth2/v2.0/devicecode", "", form)
		var answer struct {
			URI     string `json:"verification_uri"`
			Message string `json:"message"`
		}
		must(t, json.Unmarshal([]byte(body), &answer))
		if !strings.HasPrefix(answer.URI, want+"/") || !strings.Contains(answer.Message, want+"/") {
			t.Errorf("%s: %d, page %s, message %s, want them at %s", host, status, answer.URI, answer.Message, want)
		}
	}
}

// TestCloudOfTheToken refuses what a cloud does not offer to those who signed in at one
// of its hosts only.
func TestCloudOfTheToken(t *testing.T) {
	bases := append([]string{"http://127.0.0.1:8080"}, cloudhosts.BaseURLs(443)...)
	for _, tt := range []struct {
		allClouds bool
		cloud     partnercenter.CloudName
		base      string
		want      partnercenter.CloudName
	}{
		{true, partnercenter.CloudNameGlobal, "http://127.0.0.1:8080", partnercenter.CloudNameGlobal},
		{true, partnercenter.CloudNameGermany, "http://127.0.0.1:8080", partnercenter.CloudNameGermany},
		{true, partnercenter.CloudNameGlobal, "https://login.microsoftonline.de", partnercenter.CloudNameGermany},
		{true, partnercenter.CloudNameGlobal, "https://login.chinacloudapi.cn", partnercenter.CloudName21Vianet},
		{true, partnercenter.CloudNameGermany, "https://login.windows.net", partnercenter.CloudNameGlobal},
		// Tokens of Microsoft's own hosts do not determine the emulated cloud.
		{false, partnercenter.CloudNameGermany, "https://login.windows.net", partnercenter.CloudNameGermany},
	} {
		r := newRunningAs(t, tt.cloud, tt.allClouds)
		must(t, r.authority.SetBaseURLs(bases...))
		for _, resource := range tt.want.Resources() {
			token, err := r.authority.Mint(issuer.MintRequest{Tenant: r.partner, ClientID: r.app.ClientID, BaseURL: tt.base, Resource: resource})
			must(t, err)
			resp := r.get(t, http.DefaultClient, "http://"+r.api+"/v1/products?country=US&targetView=Azure&reservationScope=AzurePlan", token.Text, nil)
			body, err := io.ReadAll(resp.Body)
			must(t, err)
			refused := strings.Contains(string(body), "not offered in the "+string(tt.want)+" cloud")
			if refused != !catalog.AzureReservations.SoldIn(tt.want) {
				t.Errorf("%+v: %s %s", tt, resp.Status, body)
			}
		}
	}
}

// A server that does not emulate Microsoft's hosts does not trust tokens that name one.
func TestMicrosoftsHostsAreOff(t *testing.T) {
	r := newRunning(t)
	must(t, r.authority.SetBaseURLs(append([]string{"http://" + r.api, "https://" + r.tls}, cloudhosts.BaseURLs(443)...)...))
	form := url.Values{
		"grant_type": {"client_credentials"}, "client_id": {r.app.ClientID}, "client_secret": {r.app.Secret},
		"resource": {"https://graph.windows.net"},
	}.Encode()
	_, body := r.at(t, "login.windows.net", http.MethodPost, "/"+r.partner+"/oauth2/token", "", form)
	var answer struct {
		Token string `json:"access_token"`
	}
	must(t, json.Unmarshal([]byte(body), &answer))
	must(t, r.authority.SetBaseURLs("http://"+r.api, "https://"+r.tls))
	if status, _ := r.at(t, r.tls, http.MethodGet, seedOrders, answer.Token, ""); status != http.StatusUnauthorized {
		t.Errorf("status %d, want 401", status)
	}
	if _, body := r.at(t, "login.windows.net", http.MethodGet, "/"+r.partner+"/.well-known/openid-configuration", "", ""); strings.Contains(body, "login.windows.net") {
		t.Errorf("a Host header was believed: %s", body)
	}
}

func TestDocument(t *testing.T) {
	r := newRunning(t)
	for _, path := range []string{"/openapi.yaml", "/OpenAPI.yaml/"} {
		resp := r.get(t, http.DefaultClient, "http://"+r.api+path, "", nil)
		body, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "application/yaml" || string(body) != string(contract.OpenAPI) {
			t.Errorf("%s: %s %s, %d bytes, %v", path, resp.Status, resp.Header.Get("Content-Type"), len(body), err)
		}
	}
	resp, err := http.Post("http://"+r.api+"/openapi.yaml", "text/plain", strings.NewReader("x"))
	must(t, err)
	resp.Body.Close()
	if resp.StatusCode != http.StatusMethodNotAllowed || resp.Header.Get("Allow") != "GET, HEAD" {
		t.Errorf("POST: %s, allow %q", resp.Status, resp.Header.Get("Allow"))
	}
}
