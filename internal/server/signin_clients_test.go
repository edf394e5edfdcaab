package server_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"html"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"
	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"
	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/partnercentertest"
)

const (
	agent         = "admin.agent@contosocsp.onmicrosoft.com"
	agentPassword = "correct horse+battery%41&"
	middleTier    = "3b1f0c9e-5a47-4d2e-8c61-f90a7d2b4e83" // calls the API for users of others
	middleSecret  = "s3cr+t/%41&= x"
	nativeApp     = "5e8f6f2a-40c1-4c1b-9f0d-3a7b2c9d4e10" // the sample's, which is public
	apiScope      = "https://api.partnercenter.microsoft.com/.default"
	middleScope   = "api://" + middleTier + "/.default"
)

// clientLab is a server with apps and users for sign-ins, reached over TLS by
// unmodified clients.
type clientLab struct {
	*partnercentertest.Server
	client   *http.Client // trusts the server's authority
	requests atomic.Int64 // that client has made
	cert     *x509.Certificate
	key      *rsa.PrivateKey
	certFile string       // of certificate and key
	log      bytes.Buffer // of the server; to be read when it is closed
}

func newClientLab(t *testing.T) *clientLab {
	t.Helper()
	l := new(clientLab)
	var err error
	if l.key, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "middle tier"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &l.key.PublicKey, l.key)
	if err != nil {
		t.Fatal(err)
	}
	if l.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	certPEM := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	pkcs8, err := x509.MarshalPKCS8PrivateKey(l.key)
	if err != nil {
		t.Fatal(err)
	}
	l.certFile = filepath.Join(t.TempDir(), "app.pem")
	if err := os.WriteFile(l.certFile, append(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}), certPEM...), 0o600); err != nil {
		t.Fatal(err)
	}

	sample, err := os.ReadFile("../seed/sample.yaml")
	if err != nil {
		t.Fatal(err)
	}
	seed := string(sample)
	for old, with := range map[string]string{
		"    apps:\n": "    apps:\n      - clientId: " + middleTier + "\n        name: middle tier\n        secret: '" + middleSecret + "'\n" +
			"        adminConsent: true\n        redirectUris: [http://localhost/middle]\n        certificates:\n          - pem: |\n" +
			"              " + strings.ReplaceAll(strings.TrimSpace(certPEM), "\n", "\n              ") + "\n",
		"name: Tomas Lind, ": "name: Tomas Lind, password: '" + agentPassword + "', ",
	} {
		if !strings.Contains(seed, old) {
			t.Fatalf("the sample has no %q any more", old)
		}
		seed = strings.Replace(seed, old, with, 1)
	}
	l.Server = partnercentertest.NewServer(t, partnercentertest.Options{Seed: strings.NewReader(seed), Log: &l.log})
	transport := &http.Transport{
		TLSClientConfig:   &tls.Config{RootCAs: l.Pool, ServerName: "localhost"},
		ForceAttemptHTTP2: true,
		// Clients that check whether an authority is genuine ask Microsoft's host. All
		// requests end here.
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, strings.TrimPrefix(l.TLSURL, "https://"))
		},
	}
	t.Cleanup(transport.CloseIdleConnections)
	l.client = &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		l.requests.Add(1)
		return transport.RoundTrip(r)
	})}
	return l
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// options are those that azidentity needs to find this server.
func (l *clientLab) options() azcore.ClientOptions {
	o := azcore.ClientOptions{Transport: l.client, Cloud: cloud.Configuration{ActiveDirectoryAuthorityHost: l.TLSURL}}
	o.Retry.MaxRetries = -1
	return o
}

// listOrders lists the seed customer's orders with a credential.
func (l *clientLab) listOrders(t *testing.T, cred azcore.TokenCredential) {
	t.Helper()
	o := &partnercenter.ClientOptions{Endpoint: l.TLSURL}
	o.Transport = l.client
	pc, err := partnercenter.NewClient(cred, o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	if orders, err := pc.Customers.ByID(seedCustomer).Orders.Get(ctx); err != nil || len(orders.Items) != 2 {
		t.Fatalf("%v, %+v", err, orders)
	}
}

// wantRefused sends a token that is not for the API, as a client would that does not
// inspect it.
func (l *clientLab) wantRefused(t *testing.T, text, reason string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, l.TLSURL+seedOrders, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+text)
	resp, err := l.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusUnauthorized || !strings.Contains(string(body), reason) || strings.Contains(string(body), text) {
		t.Errorf("%d %s, %v, want %s", resp.StatusCode, body, err, reason)
	}
}

// bearer is a credential that has a token already.
type bearer string

func (text bearer) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: string(text), ExpiresOn: time.Now().Add(time.Hour)}, nil
}

// claims reads the claims of a token without checking it.
func claims(t *testing.T, text string) map[string]any {
	t.Helper()
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		t.Fatalf("no token: %q", text)
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	var value map[string]any
	if err := json.Unmarshal(payload, &value); err != nil {
		t.Fatal(err)
	}
	return value
}

var (
	formAction  = regexp.MustCompile(`<form method="post" action="([^"]+)"`)
	hiddenField = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`)
)

// signIn goes through the pages of a sign-in as the agent's browser does, from address,
// and returns the address of the app's answer, or nil if the last page ends the
// sign-in.
func (l *clientLab) signIn(t *testing.T, address, userCode string) *url.URL {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{Transport: l.client.Transport, Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := browser.Get(address)
	for range 16 {
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		page := string(body)
		if resp.StatusCode == http.StatusSeeOther {
			to, err := resp.Location()
			if err != nil {
				t.Fatal(err)
			}
			if to.Host != resp.Request.URL.Host {
				return to
			}
			resp, err = browser.Get(to.String())
			if err != nil {
				t.Fatal(err)
			}
			continue
		}
		action := formAction.FindStringSubmatch(page)
		if resp.StatusCode != http.StatusOK {
			t.Fatalf("%d: %s", resp.StatusCode, page)
		}
		if action == nil {
			return nil
		}
		form := url.Values{}
		for _, m := range hiddenField.FindAllStringSubmatch(page, -1) {
			form.Set(html.UnescapeString(m[1]), html.UnescapeString(m[2]))
		}
		to, err := resp.Request.URL.Parse(html.UnescapeString(action[1]))
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case strings.Contains(page, `name="user_code"`):
			form.Set("user_code", userCode)
		case strings.Contains(page, `name="password"`):
			form.Set("do", "signin")
			form.Set("username", agent)
			form.Set("password", agentPassword)
		case strings.Contains(page, `value="approve"`):
			form.Set("do", "approve")
		case strings.Contains(page, `value="accept"`):
			form.Set("do", "accept")
		default: // it sends itself to the app, which gets what it has
			to.RawQuery = form.Encode()
			return to
		}
		resp, err = browser.PostForm(to.String(), form)
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Fatal("the sign-in does not end")
	return nil
}

// userToken returns a user's token for the middle tier, which it then uses on
// behalf of the user.
func (l *clientLab) userToken(t *testing.T) string {
	t.Helper()
	result, err := l.publicClient(t).AcquireTokenInteractive(t.Context(), []string{middleScope}, public.WithOpenURL(l.openURL(t)))
	if err != nil {
		t.Fatal(err)
	}
	return result.AccessToken
}

// openURL is a browser that signs the agent in and then goes where the app waits.
func (l *clientLab) openURL(t *testing.T) func(string) error {
	return func(address string) error {
		// MSAL wants the answer as a form.
		to := l.signIn(t, address, "")
		form := to.Query()
		to.RawQuery = ""
		resp, err := http.PostForm(to.String(), form)
		if err == nil {
			resp.Body.Close()
		}
		return err
	}
}

func (l *clientLab) publicClient(t *testing.T) public.Client {
	t.Helper()
	pca, err := public.New(nativeApp, public.WithAuthority(l.TLSURL+"/"+l.TenantID), public.WithHTTPClient(l.client), public.WithInstanceDiscovery(false))
	if err != nil {
		t.Fatal(err)
	}
	return pca
}

// TestAzidentityCredentials signs in with every credential of azidentity that this
// server supports, unmodified, and lists orders.
func TestAzidentityCredentials(t *testing.T) {
	l := newClientLab(t)
	data, err := os.ReadFile(l.certFile)
	if err != nil {
		t.Fatal(err)
	}
	certs, key, err := azidentity.ParseCertificates(data, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, withDiscovery := range []bool{false, true} {
		name := "discovery off/"
		if withDiscovery {
			name = "discovery on/"
		}
		off := !withDiscovery
		for _, test := range []struct {
			name string
			make func(t *testing.T) (azcore.TokenCredential, error)
			user bool // the token is to be a user's
		}{
			{"client secret", func(*testing.T) (azcore.TokenCredential, error) {
				return azidentity.NewClientSecretCredential(l.TenantID, middleTier, middleSecret, &azidentity.ClientSecretCredentialOptions{ClientOptions: l.options(), DisableInstanceDiscovery: off})
			}, false},
			{"certificate", func(*testing.T) (azcore.TokenCredential, error) {
				return azidentity.NewClientCertificateCredential(l.TenantID, middleTier, certs, key, &azidentity.ClientCertificateCredentialOptions{ClientOptions: l.options(), DisableInstanceDiscovery: off})
			}, false},
			{"certificate chain", func(*testing.T) (azcore.TokenCredential, error) {
				return azidentity.NewClientCertificateCredential("contosocsp.onmicrosoft.com", middleTier, certs, key, &azidentity.ClientCertificateCredentialOptions{ClientOptions: l.options(), DisableInstanceDiscovery: off, SendCertificateChain: true})
			}, false},
			{"device code", func(t *testing.T) (azcore.TokenCredential, error) {
				return azidentity.NewDeviceCodeCredential(&azidentity.DeviceCodeCredentialOptions{
					ClientOptions: l.options(), DisableInstanceDiscovery: off, ClientID: nativeApp, TenantID: l.TenantID,
					UserPrompt: func(_ context.Context, m azidentity.DeviceCodeMessage) error {
						l.signIn(t, m.VerificationURL, m.UserCode)
						return nil
					},
				})
			}, true},
			{"device code of any tenant", func(t *testing.T) (azcore.TokenCredential, error) {
				return azidentity.NewDeviceCodeCredential(&azidentity.DeviceCodeCredentialOptions{
					ClientOptions: l.options(), DisableInstanceDiscovery: off, ClientID: nativeApp,
					UserPrompt: func(_ context.Context, m azidentity.DeviceCodeMessage) error {
						l.signIn(t, m.VerificationURL, m.UserCode)
						return nil
					},
				})
			}, true},
			{"on behalf of, with a secret", func(t *testing.T) (azcore.TokenCredential, error) {
				return azidentity.NewOnBehalfOfCredentialWithSecret(l.TenantID, middleTier, l.userToken(t), middleSecret, &azidentity.OnBehalfOfCredentialOptions{ClientOptions: l.options(), DisableInstanceDiscovery: off})
			}, true},
			{"on behalf of, with a certificate", func(t *testing.T) (azcore.TokenCredential, error) {
				return azidentity.NewOnBehalfOfCredentialWithCertificate(l.TenantID, middleTier, l.userToken(t), certs, key, &azidentity.OnBehalfOfCredentialOptions{ClientOptions: l.options(), DisableInstanceDiscovery: off})
			}, true},
		} {
			t.Run(name+test.name, func(t *testing.T) {
				t.Parallel() // devices wait for seconds
				cred, err := test.make(t)
				if err != nil {
					t.Fatal(err)
				}
				l.listOrders(t, cred)
				got, err := cred.GetToken(t.Context(), tokenOptions)
				if err != nil {
					t.Fatal(err)
				}
				if user := claims(t, got.Token)["preferred_username"]; (user == agent) != test.user {
					t.Errorf("a token for %v", user)
				}
			})
		}
	}
}

// TestAzidentityEnvironment uses the common set-up: environment variables only, and the
// first credential of a chain that works.
func TestAzidentityEnvironment(t *testing.T) {
	l := newClientLab(t)
	for name, variables := range map[string]map[string]string{
		"secret":      {"AZURE_CLIENT_SECRET": middleSecret},
		"certificate": {"AZURE_CLIENT_CERTIFICATE_PATH": l.certFile, "AZURE_CLIENT_SEND_CERTIFICATE_CHAIN": "true"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("PATH", t.TempDir()) // no az, whoever may be signed in there
			t.Setenv("AZURE_TOKEN_CREDENTIALS", "prod")
			t.Setenv("AZURE_CLIENT_SECRET", "")
			t.Setenv("AZURE_TENANT_ID", l.TenantID)
			t.Setenv("AZURE_CLIENT_ID", middleTier)
			for name, value := range variables {
				t.Setenv(name, value)
			}
			all, err := azidentity.NewDefaultAzureCredential(&azidentity.DefaultAzureCredentialOptions{ClientOptions: l.options(), DisableInstanceDiscovery: true})
			if err != nil {
				t.Fatal(err)
			}
			l.listOrders(t, all)
			environment, err := azidentity.NewEnvironmentCredential(&azidentity.EnvironmentCredentialOptions{ClientOptions: l.options()})
			if err != nil {
				t.Fatal(err)
			}
			l.listOrders(t, environment)
			cli, err := azidentity.NewAzureCLICredential(nil)
			if err != nil {
				t.Fatal(err)
			}
			chain, err := azidentity.NewChainedTokenCredential([]azcore.TokenCredential{cli, environment}, nil)
			if err != nil {
				t.Fatal(err)
			}
			l.listOrders(t, chain)
		})
	}
}

// TestAzidentityBrowser opens a browser as azidentity does, by the name of a
// program that opens addresses.
func TestAzidentityBrowser(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("elsewhere the program has another name")
	}
	l := newClientLab(t)
	dir := t.TempDir()
	opened := filepath.Join(dir, "opened")
	// A line break marks the end.
	script := "#!/bin/sh\nprintf '%s\\n' \"$1\" > '" + opened + "'\n"
	if err := os.WriteFile(filepath.Join(dir, "xdg-open"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir)
	cred, err := azidentity.NewInteractiveBrowserCredential(&azidentity.InteractiveBrowserCredentialOptions{
		ClientOptions: l.options(), ClientID: nativeApp, TenantID: l.TenantID, LoginHint: agent,
	})
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for t.Context().Err() == nil {
			// Twice: tokens for continuous access evaluation, which our client
			// requests, have a cache of their own.
			text, _ := os.ReadFile(opened)
			if address, whole := strings.CutSuffix(string(text), "\n"); whole && os.Remove(opened) == nil {
				_ = l.openURL(t)(address)
			}
			time.Sleep(10 * time.Millisecond)
		}
	}()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	got, err := cred.GetToken(ctx, tokenOptions)
	if err != nil || claims(t, got.Token)["preferred_username"] != agent {
		t.Fatal(err)
	}
	l.listOrders(t, cred)
}

// again asks MSAL not to answer from its cache.
const again = `{"access_token":{"nbf":{"essential":true}}}`

// TestMSALPublic signs in as programs on a user's machine do.
func TestMSALPublic(t *testing.T) {
	l := newClientLab(t)
	// finish uses what a sign-in has given: the token, the same from the cache,
	// and the next by the refresh token, twice.
	finish := func(t *testing.T, pca public.Client, result public.AuthResult, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		if result.Account.PreferredUsername != agent || result.IDToken.TenantID != l.TenantID || result.Account.HomeAccountID == "" {
			t.Errorf("account %+v", result.Account)
		}
		l.listOrders(t, bearer(result.AccessToken))
		cached, err := pca.AcquireTokenSilent(t.Context(), []string{apiScope}, public.WithSilentAccount(result.Account))
		if err != nil || cached.AccessToken != result.AccessToken {
			t.Errorf("MSAL does not find what it has: %v, source %v", err, cached.Metadata.TokenSource)
		}
		last := result.AccessToken
		for range 2 {
			next, err := pca.AcquireTokenSilent(t.Context(), []string{apiScope}, public.WithSilentAccount(result.Account), public.WithClaims(again))
			if err != nil || next.AccessToken == last {
				t.Fatalf("refresh: %v", err)
			}
			l.listOrders(t, bearer(next.AccessToken))
			last = next.AccessToken
		}
	}
	t.Run("device code", func(t *testing.T) {
		t.Parallel()
		pca := l.publicClient(t)
		device, err := pca.AcquireTokenByDeviceCode(t.Context(), []string{apiScope})
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(device.Result.Message, device.Result.UserCode) {
			t.Errorf("message %q", device.Result.Message)
		}
		l.signIn(t, device.Result.VerificationURL, device.Result.UserCode)
		result, err := device.AuthenticationResult(t.Context())
		finish(t, pca, result, err)
	})
	t.Run("interactive", func(t *testing.T) {
		t.Parallel()
		pca := l.publicClient(t)
		result, err := pca.AcquireTokenInteractive(t.Context(), []string{apiScope}, public.WithOpenURL(l.openURL(t)), public.WithLoginHint(agent))
		finish(t, pca, result, err)
	})
	t.Run("authorization code and PKCE", func(t *testing.T) {
		t.Parallel()
		pca := l.publicClient(t)
		const redirect = "http://localhost:45678/callback"
		address, err := pca.AuthCodeURL(t.Context(), nativeApp, redirect, []string{apiScope})
		if err != nil {
			t.Fatal(err)
		}
		verifier := oauth2.GenerateVerifier()
		address += "&code_challenge_method=S256&code_challenge=" + oauth2.S256ChallengeFromVerifier(verifier)
		code := l.signIn(t, address, "").Query().Get("code")
		if _, err := pca.AcquireTokenByAuthCode(t.Context(), code, redirect, []string{apiScope}, public.WithChallenge(oauth2.GenerateVerifier())); err == nil || !strings.Contains(err.Error(), "AADSTS501481") {
			t.Errorf("another verifier: %v", err)
		}
		result, err := pca.AcquireTokenByAuthCode(t.Context(), code, redirect, []string{apiScope}, public.WithChallenge(verifier))
		finish(t, pca, result, err)
	})
	t.Run("discovery on", func(t *testing.T) {
		t.Parallel()
		pca, err := public.New(nativeApp, public.WithAuthority(l.TLSURL+"/organizations"), public.WithHTTPClient(l.client))
		if err != nil {
			t.Fatal(err)
		}
		result, err := pca.AcquireTokenInteractive(t.Context(), []string{apiScope}, public.WithOpenURL(l.openURL(t)))
		finish(t, pca, result, err)
	})
}

// TestMSALConfidential signs in as services do.
func TestMSALConfidential(t *testing.T) {
	l := newClientLab(t)
	secret, err := confidential.NewCredFromSecret(middleSecret)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := confidential.NewCredFromCert([]*x509.Certificate{l.cert}, l.key)
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		credential confidential.Credential
		options    []confidential.Option
	}{
		"secret":            {secret, []confidential.Option{confidential.WithInstanceDiscovery(false)}},
		"certificate":       {certificate, []confidential.Option{confidential.WithInstanceDiscovery(false)}},
		"certificate chain": {certificate, []confidential.Option{confidential.WithX5C()}}, // with discovery
	} {
		t.Run(name, func(t *testing.T) {
			cca, err := confidential.New(l.TLSURL+"/"+l.TenantID, middleTier, test.credential, append(test.options, confidential.WithHTTPClient(l.client))...)
			if err != nil {
				t.Fatal(err)
			}
			app, err := cca.AcquireTokenByCredential(t.Context(), []string{apiScope})
			if err != nil {
				t.Fatal(err)
			}
			l.listOrders(t, bearer(app.AccessToken))
			before := l.requests.Load()
			if cached, err := cca.AcquireTokenByCredential(t.Context(), []string{apiScope}); err != nil || cached.AccessToken != app.AccessToken || l.requests.Load() != before {
				t.Errorf("MSAL does not find what it has: %v", err)
			}

			const redirect = "http://localhost:45678/middle"
			address, err := cca.AuthCodeURL(t.Context(), middleTier, redirect, []string{apiScope})
			if err != nil {
				t.Fatal(err)
			}
			result, err := cca.AcquireTokenByAuthCode(t.Context(), l.signIn(t, address, "").Query().Get("code"), redirect, []string{apiScope})
			if err != nil {
				t.Fatal(err)
			}
			l.listOrders(t, bearer(result.AccessToken))
			cached, err := cca.AcquireTokenSilent(t.Context(), []string{apiScope}, confidential.WithSilentAccount(result.Account))
			if err != nil || cached.AccessToken != result.AccessToken {
				t.Errorf("MSAL does not find what it has: %v", err)
			}
			// Another scope of the same API is not in the cache.
			next, err := cca.AcquireTokenSilent(t.Context(), []string{strings.Replace(apiScope, "/.default", "//.default", 1)}, confidential.WithSilentAccount(result.Account))
			if err != nil || next.AccessToken == result.AccessToken {
				t.Fatalf("refresh: %v", err)
			}
			l.listOrders(t, bearer(next.AccessToken))

			user, err := cca.AcquireTokenOnBehalfOf(t.Context(), l.userToken(t), []string{apiScope})
			if err != nil {
				t.Fatal(err)
			}
			l.listOrders(t, bearer(user.AccessToken))
			if got := claims(t, user.AccessToken); got["preferred_username"] != agent || got["azp"] != middleTier {
				t.Errorf("claims %v", got)
			}
			l.wantRefused(t, l.userToken(t), "refused (audience)")
			if _, err := cca.AcquireTokenOnBehalfOf(t.Context(), user.AccessToken, []string{apiScope}); err == nil || !strings.Contains(err.Error(), "AADSTS500131") {
				t.Errorf("a token for the API as an assertion: %v", err)
			}
		})
	}
}

// TestOAuth2 uses x/oauth2, which knows nothing about Microsoft, with go-oidc to check
// discovery, keys and id tokens independently.
func TestOAuth2(t *testing.T) {
	l := newClientLab(t)
	ctx := oidc.ClientContext(t.Context(), l.client)
	const redirect = "http://localhost:45678/middle"
	for version, issuer := range map[string]string{"v1": l.TLSURL + "/" + l.TenantID + "/", "v2": l.TLSURL + "/" + l.TenantID + "/v2.0"} {
		provider, err := oidc.NewProvider(ctx, issuer)
		if err != nil {
			t.Fatal(err)
		}
		verifier := provider.Verifier(&oidc.Config{ClientID: middleTier})
		config := &oauth2.Config{
			ClientID: middleTier, ClientSecret: middleSecret, Endpoint: provider.Endpoint(), RedirectURL: redirect,
			Scopes: []string{oidc.ScopeOpenID, oidc.ScopeOfflineAccess, apiScope},
		}
		resource := oauth2.SetAuthURLParam("client-request-id", "")
		if version == "v1" {
			config.Scopes = []string{oidc.ScopeOpenID}
			resource = oauth2.SetAuthURLParam("resource", "https://api.partnercenter.microsoft.com")
		}
		// checkID verifies an id token and compares what it says with what was
		// asked.
		checkID := func(t *testing.T, raw, nonce, accessToken, code string) {
			t.Helper()
			id, err := verifier.Verify(ctx, raw)
			if err != nil {
				t.Fatal(err)
			}
			if id.Nonce != nonce || id.Issuer != issuer || id.Subject == "" || time.Until(id.Expiry) < 50*time.Minute {
				t.Errorf("id token %+v", id)
			}
			if id.AccessTokenHash != "" {
				if err := id.VerifyAccessToken(accessToken); err != nil {
					t.Error(err)
				}
			}
			var got struct {
				CodeHash string `json:"c_hash"`
				TenantID string `json:"tid"`
				Name     string `json:"name"`
			}
			if err := id.Claims(&got); err != nil || got.TenantID != l.TenantID || got.Name != "Tomas Lind" {
				t.Errorf("claims %+v, %v", got, err)
			}
			if code != "" {
				sum := sha256.Sum256([]byte(code))
				if got.CodeHash != base64.RawURLEncoding.EncodeToString(sum[:16]) {
					t.Errorf("c_hash %q", got.CodeHash)
				}
			}
			if _, err := provider.Verifier(&oidc.Config{ClientID: nativeApp}).Verify(ctx, raw); err == nil {
				t.Error("the id token is for another app too")
			}
		}
		for _, style := range []oauth2.AuthStyle{oauth2.AuthStyleAutoDetect, oauth2.AuthStyleInHeader, oauth2.AuthStyleInParams} {
			t.Run(version+" code", func(t *testing.T) {
				config := *config
				config.Endpoint.AuthStyle = style
				pkce := oauth2.GenerateVerifier()
				address := config.AuthCodeURL("st te", oidc.Nonce("n0nce"), oauth2.S256ChallengeOption(pkce), resource)
				answer := l.signIn(t, address, "").Query()
				if answer.Get("state") != "st te" {
					t.Errorf("state %q", answer.Get("state"))
				}
				got, err := config.Exchange(ctx, answer.Get("code"), oauth2.VerifierOption(pkce), resource)
				if err != nil {
					t.Fatal(err)
				}
				raw, _ := got.Extra("id_token").(string)
				checkID(t, raw, "n0nce", got.AccessToken, "")
				l.listOrders(t, bearer(got.AccessToken))
				first := got.RefreshToken
				for range 2 {
					expired := *got
					expired.Expiry = time.Now().Add(-time.Minute)
					next, err := config.TokenSource(ctx, &expired).Token()
					if err != nil || next.RefreshToken == got.RefreshToken {
						t.Fatalf("refresh: %v", err)
					}
					l.listOrders(t, bearer(next.AccessToken))
					raw, _ := next.Extra("id_token").(string)
					checkID(t, raw, "", next.AccessToken, "")
					got = next
				}
				if _, err := config.TokenSource(ctx, &oauth2.Token{RefreshToken: first, Expiry: time.Now().Add(-time.Minute)}).Token(); err == nil || !strings.Contains(err.Error(), "AADSTS50173") {
					t.Errorf("a replayed refresh token: %v", err)
				}
			})
		}
		for _, mode := range []string{"fragment", "form_post"} {
			t.Run(version+" code and id token by "+mode, func(t *testing.T) {
				address := config.AuthCodeURL("s", oidc.Nonce("n0nce"), resource, oauth2.SetAuthURLParam("response_type", "code id_token"), oauth2.SetAuthURLParam("response_mode", mode))
				to := l.signIn(t, address, "")
				answer := to.Query()
				if mode == "fragment" {
					if answer, err = url.ParseQuery(to.EscapedFragment()); err != nil {
						t.Fatal(err)
					}
				}
				checkID(t, answer.Get("id_token"), "n0nce", "", answer.Get("code"))
				got, err := config.Exchange(ctx, answer.Get("code"), resource)
				if err != nil {
					t.Fatal(err)
				}
				raw, _ := got.Extra("id_token").(string)
				checkID(t, raw, "n0nce", got.AccessToken, "")
				l.listOrders(t, bearer(got.AccessToken))
				l.wantRefused(t, raw, "refused (idToken)")
				l.wantRefused(t, got.RefreshToken, "refused (malformed)")
			})
		}
		if version == "v1" {
			continue // oauth2 cannot read its device answer, whose integers are strings; TestDeviceCode does
		}
		t.Run(version+" device", func(t *testing.T) {
			t.Parallel()
			device, err := config.DeviceAuth(ctx, resource)
			if err != nil {
				t.Fatal(err)
			}
			device.Interval = 1
			l.signIn(t, device.VerificationURI, device.UserCode)
			got, err := config.DeviceAccessToken(ctx, device)
			if err != nil {
				t.Fatal(err)
			}
			l.listOrders(t, bearer(got.AccessToken))
			raw, _ := got.Extra("id_token").(string)
			checkID(t, raw, "", got.AccessToken, "")
		})
	}
}

// TestSignInLogs reads the log of sign-ins, good and bad.
func TestSignInLogs(t *testing.T) {
	l := newClientLab(t)
	ctx := context.WithValue(t.Context(), oauth2.HTTPClient, l.client)
	config := &oauth2.Config{
		ClientID: middleTier, ClientSecret: middleSecret, RedirectURL: "http://localhost:45678/middle", Scopes: []string{"openid", "offline_access", apiScope},
		Endpoint: oauth2.Endpoint{
			AuthURL: l.TLSURL + "/common/oauth2/v2.0/authorize", TokenURL: l.TLSURL + "/common/oauth2/v2.0/token",
			DeviceAuthURL: l.TLSURL + "/common/oauth2/v2.0/devicecode", AuthStyle: oauth2.AuthStyleInParams,
		},
	}
	pkce := oauth2.GenerateVerifier()
	code := l.signIn(t, config.AuthCodeURL("a state", oauth2.S256ChallengeOption(pkce)), "").Query().Get("code")
	got, err := config.Exchange(ctx, code, oauth2.VerifierOption(pkce))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := config.Exchange(ctx, code, oauth2.VerifierOption(pkce)); err == nil {
		t.Error("a code is good twice")
	}
	device, err := config.DeviceAuth(ctx)
	if err != nil {
		t.Fatal(err)
	}
	l.signIn(t, device.VerificationURI, device.UserCode)
	l.Close()
	text := l.log.String()
	idToken, _ := got.Extra("id_token").(string)
	for name, secret := range map[string]string{
		"password": agentPassword, "secret": middleSecret, "code": code, "verifier": pkce, "access token": got.AccessToken, "id token": idToken,
		"refresh token": got.RefreshToken, "device code": device.DeviceCode, "user code": device.UserCode, "state": "a state",
	} {
		if secret == "" || strings.Contains(text, secret) || strings.Contains(text, url.QueryEscape(secret)) {
			t.Errorf("the %s, %q, is in the log", name, secret)
		}
	}
	for _, pattern := range []string{"/{tenant}/oauth2/v2.0/authorize", "/{tenant}/oauth2/login", "/{tenant}/oauth2/v2.0/token", "/{tenant}/oauth2/v2.0/devicecode", "/common/oauth2/deviceauth"} {
		if !strings.Contains(text, `"route":"`+pattern+`"`) {
			t.Errorf("%s is not in the log:\n%s", pattern, text)
		}
	}
}
