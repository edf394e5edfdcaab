package issuer_test

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/partnercenter-go/partnercenter/internal/issuer"
	"github.com/partnercenter-go/partnercenter/internal/localca"
	"github.com/partnercenter-go/partnercenter/internal/token"
)

const (
	tenantID = "a1b2c3d4-0000-4000-8000-00000000000a"
	clientID = "c0ffee00-0000-4000-8000-000000000001"
	secret   = "s3cr~t+/&=%"

	// microsoft is where clients look for an authority that are told of no other.
	microsoft = "https://login.microsoftonline.com"
)

// serve starts an authority behind TLS with a certificate of the local
// authority, as the server does, and returns a client that trusts it.
func serve(t *testing.T) (a *issuer.Authority, base string, client *http.Client) {
	t.Helper()
	ca, err := localca.Open(filepath.Join(t.TempDir(), "ca"), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ca.Issue(time.Now(), "localhost", "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	key, err := issuer.GenerateKey(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	a, err = issuer.New(issuer.Options{
		Keys: []*issuer.Key{key},
		Tenants: []issuer.Tenant{{
			ID: tenantID, Domains: []string{"contoso.onmicrosoft.com"},
			Clients: []issuer.Client{{ID: clientID, Secrets: []issuer.Secret{{Value: secret}}, ObjectID: "0b1ec700-0000-4000-8000-000000000001"}},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(a)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	base = "https://localhost:" + port
	if err := a.SetBaseURLs("https://127.0.0.1:"+port, base, microsoft); err != nil {
		t.Fatal(err)
	}
	client = &http.Client{Transport: &http.Transport{
		// The certificate has localhost in it wherever that resolves to.
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, server.Listener.Addr().String())
		},
		TLSClientConfig:   &tls.Config{RootCAs: ca.Pool(), ServerName: "localhost"},
		ForceAttemptHTTP2: true,
	}}
	t.Cleanup(client.CloseIdleConnections)
	return a, base, client
}

func TestAzidentity(t *testing.T) {
	a, base, client := serve(t)
	credential := func(tenant, secret string) *azidentity.ClientSecretCredential {
		options := &azidentity.ClientSecretCredentialOptions{DisableInstanceDiscovery: true}
		options.Cloud = cloud.Configuration{ActiveDirectoryAuthorityHost: base}
		options.Transport = client
		options.Retry.MaxRetries = -1
		c, err := azidentity.NewClientSecretCredential(tenant, clientID, secret, options)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	for _, tenant := range []string{tenantID, "contoso.onmicrosoft.com"} {
		for _, audience := range []string{"https://graph.windows.net", "https://api.partnercenter.microsoft.com"} {
			token, err := credential(tenant, secret).GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{audience + "/.default"}})
			if err != nil {
				t.Fatal(err)
			}
			claims, err := a.Verify(token.Token)
			if err != nil {
				t.Fatal(err)
			}
			if claims.Audience != audience || claims.AppID != clientID || claims.Issuer != base+"/"+tenantID+"/v2.0" {
				t.Errorf("claims %+v", claims)
			}
			if left := time.Until(token.ExpiresOn); left < 59*time.Minute || left > time.Hour {
				t.Errorf("expires in %v", left)
			}
		}
	}

	_, err := credential(tenantID, "wrong").GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{"https://graph.windows.net/.default"}})
	var failed *azidentity.AuthenticationFailedError
	if !errors.As(err, &failed) || failed.RawResponse.StatusCode != http.StatusUnauthorized || !strings.Contains(err.Error(), "AADSTS7000215") {
		t.Errorf("wrong secret: %v", err)
	}
}

// TestMicrosoftsHost is a client whose requests to Microsoft end here without its
// knowledge.
func TestMicrosoftsHost(t *testing.T) {
	a, base, client := serve(t)
	for _, host := range []string{"", base + "/"} { // base is not a host that MSAL knows: it asks Microsoft's
		options := &azidentity.ClientSecretCredentialOptions{}
		options.Transport, options.Cloud.ActiveDirectoryAuthorityHost = client, host
		options.Retry.MaxRetries = -1
		c, err := azidentity.NewClientSecretCredential(tenantID, clientID, secret, options)
		if err != nil {
			t.Fatal(err)
		}
		token, err := c.GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{"https://api.partnercenter.microsoft.com/.default"}})
		if err != nil {
			t.Fatal(err)
		}
		want := cmp.Or(strings.TrimSuffix(host, "/"), microsoft)
		if claims, err := a.Verify(token.Token); err != nil || claims.Issuer != want+"/"+tenantID+"/v2.0" {
			t.Errorf("%+v, %v, want issuer %s", claims, err, want)
		}
	}
}

func TestOIDC(t *testing.T) {
	a, base, client := serve(t)
	ctx := oidc.ClientContext(t.Context(), client)
	const audience = "https://graph.windows.net"
	for version, address := range map[token.Version]string{
		token.V1: base + "/" + tenantID + "/",
		token.V2: base + "/" + tenantID + "/v2.0",
	} {
		provider, err := oidc.NewProvider(ctx, address)
		if err != nil {
			t.Fatal(err)
		}
		verifier := provider.Verifier(&oidc.Config{ClientID: audience})
		request := issuer.MintRequest{Tenant: tenantID, ClientID: clientID, Resource: audience, Version: version, BaseURL: base}
		for _, rotated := range []bool{false, true} {
			if rotated {
				key, err := issuer.GenerateKey(time.Now())
				if err != nil {
					t.Fatal(err)
				}
				a.AddKey(key)
			}
			token, err := a.Mint(request)
			if err != nil {
				t.Fatal(err)
			}
			verified, err := verifier.Verify(ctx, token.Text)
			if err != nil {
				t.Fatalf("%s, key rotated %v: %v", version, rotated, err)
			}
			if verified.Issuer != address {
				t.Errorf("issuer %q, want %q", verified.Issuer, address)
			}
		}
	}
}
