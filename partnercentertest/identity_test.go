package partnercentertest_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"math/big"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/partnercentertest"
)

const agent = "admin.agent@contosocsp.onmicrosoft.com"

func TestUsers(t *testing.T) {
	srv := partnercentertest.NewServer(t)
	users := srv.Users()
	at := slices.IndexFunc(users, func(u partnercentertest.User) bool { return u.UserPrincipalName == agent })
	if at < 0 {
		t.Fatalf("%+v", users)
	}
	if u := users[at]; u.TenantID != srv.TenantID || u.Password == "" || !u.MFA || u.Disabled || len(u.Roles) != 1 || u.Roles[0] != "admin_agent" {
		t.Errorf("%+v", u)
	}
}

// TestCertificate signs in as azidentity does.
func TestCertificate(t *testing.T) {
	srv := partnercentertest.NewServer(t)
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	options := &azidentity.ClientCertificateCredentialOptions{DisableInstanceDiscovery: true}
	options.Cloud.ActiveDirectoryAuthorityHost = srv.TLSURL
	options.Transport = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: srv.Pool, MinVersion: tls.VersionTLS12}}}
	options.Retry.MaxRetries = -1
	get := func() error {
		t.Helper()
		cred, err := azidentity.NewClientCertificateCredential(srv.TenantID, srv.ClientID, []*x509.Certificate{certificate}, crypto.PrivateKey(key), options)
		if err != nil {
			t.Fatal(err)
		}
		_, err = cred.GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{"https://api.partnercenter.microsoft.com/.default"}})
		return err
	}
	if err := get(); err == nil || !strings.Contains(err.Error(), "AADSTS700027") {
		t.Errorf("unregistered: %v", err)
	}
	srv.AddCertificate(certificate)
	if err := get(); err != nil {
		t.Error(err)
	}
	struck := srv.IdentityFault(partnercentertest.IdentityFault{Fault: "certificate_revoked", Times: 1})
	if err := get(); err == nil || !strings.Contains(err.Error(), "AADSTS7000214") || struck() != 1 {
		t.Errorf("%v after %d strikes", err, struck())
	}
	if err := srv.Reset(); err != nil {
		t.Fatal(err)
	}
	if err := get(); err == nil || !strings.Contains(err.Error(), "AADSTS700027") || struck() != 0 {
		t.Errorf("after a reset: %v", err)
	}
}

// TestIdentityFault has the API refuse tokens that the authority has issued. The
// client would see most of it coming, so it does not look.
func TestIdentityFault(t *testing.T) {
	srv := partnercentertest.NewServer(t)
	client := func(cred azcore.TokenCredential) *partnercenter.Client {
		pc, err := partnercenter.NewClient(cred, &partnercenter.ClientOptions{Endpoint: srv.URL, SkipCredentialChecks: true})
		if err != nil {
			t.Fatal(err)
		}
		return pc
	}
	list := func(pc *partnercenter.Client) int {
		t.Helper()
		_, err := pc.Customers.Get(t.Context())
		if err == nil {
			return http.StatusOK
		}
		e, ok := errors.AsType[*partnercenter.Error](err)
		if !ok {
			t.Fatal(err)
		}
		return e.StatusCode
	}
	struck := srv.IdentityFault(partnercentertest.IdentityFault{Fault: "mfa_claim_missing", User: agent})
	if got := list(client(srv.UserCredential(agent))); got != http.StatusUnauthorized || struck() == 0 {
		t.Errorf("without a second factor: %d after %d strikes", got, struck())
	}
	srv.ClearIdentityFaults()
	pc := client(srv.Credential())
	if got := list(pc); got != http.StatusOK {
		t.Errorf("cleared: %d", got)
	}
	srv.IdentityFault(partnercentertest.IdentityFault{Fault: "clock_skew", By: -10 * time.Minute})
	if got := list(pc); got != http.StatusOK {
		t.Errorf("a token of before: %d", got)
	}
	if got := list(client(srv.Credential())); got != http.StatusUnauthorized {
		t.Errorf("expired: %d", got)
	}
	if err := srv.Reset(); err != nil {
		t.Fatal(err)
	}
	srv.RollKey(false)
	if got := list(pc); got != http.StatusOK {
		t.Errorf("after a rollover: %d", got)
	}
	defer func() {
		if p := recover(); p == nil || !strings.Contains(p.(string), "use one of") {
			t.Errorf("a fault that is none: %v", p)
		}
	}()
	srv.IdentityFault(partnercentertest.IdentityFault{Fault: "earthquake"})
}

// TestAzureIdentityMeetsFaults is about a client that was not written for this
// server: it gets over what passes, and says what does not.
func TestAzureIdentityMeetsFaults(t *testing.T) {
	srv := partnercentertest.NewServer(t)
	options := &azidentity.ClientSecretCredentialOptions{DisableInstanceDiscovery: true}
	options.Cloud.ActiveDirectoryAuthorityHost = srv.TLSURL
	options.Transport = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: srv.Pool, MinVersion: tls.VersionTLS12}}}
	options.Retry = policy.RetryOptions{MaxRetries: 2, RetryDelay: time.Nanosecond, MaxRetryDelay: time.Nanosecond}
	for _, tt := range []struct {
		fault partnercentertest.IdentityFault
		want  string // in the error; empty for a token
	}{
		{partnercentertest.IdentityFault{Fault: "unavailable", Times: 2}, ""},
		{partnercentertest.IdentityFault{Fault: "html", Times: 1}, ""},
		{partnercentertest.IdentityFault{Fault: "timeout", For: time.Millisecond, Times: 1}, ""},
		{partnercentertest.IdentityFault{Fault: "unavailable", Endpoint: "discovery", Times: 1}, ""},
		{partnercentertest.IdentityFault{Fault: "unavailable"}, "AADSTS90033"},
		{partnercentertest.IdentityFault{Fault: "secret_expired"}, "AADSTS7000222"},
		{partnercentertest.IdentityFault{Fault: "app_unknown", ClientID: srv.ClientID}, "AADSTS700016"},
		{partnercentertest.IdentityFault{Fault: "tenant_unknown", Endpoint: "discovery"}, "AADSTS90002"},
		{partnercentertest.IdentityFault{Fault: "html", Status: http.StatusOK}, "invalid character"},
	} {
		struck := srv.IdentityFault(tt.fault)
		cred, err := azidentity.NewClientSecretCredential(srv.TenantID, srv.ClientID, srv.ClientSecret, options)
		if err != nil {
			t.Fatal(err)
		}
		_, err = cred.GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{"https://api.partnercenter.microsoft.com/.default"}})
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) || struck() == 0 {
			t.Errorf("%+v: %v after %d strikes, want %q", tt.fault, err, struck(), tt.want)
		}
		srv.ClearIdentityFaults()
	}
}

// TestCloseDuringTimeout closes a server that leaves somebody without an answer.
func TestCloseDuringTimeout(t *testing.T) {
	srv := partnercentertest.NewServer(t)
	struck := srv.IdentityFault(partnercentertest.IdentityFault{Fault: "timeout", For: 2 * time.Minute})
	failed := make(chan error)
	go func() {
		resp, err := http.PostForm(srv.URL+"/common/oauth2/token", nil) //nolint:noctx // the server ends it
		if err == nil {
			resp.Body.Close()
		}
		failed <- err
	}()
	for struck() == 0 {
		runtime.Gosched()
	}
	began := time.Now()
	srv.Close()
	if err := <-failed; err == nil || time.Since(began) > 90*time.Second {
		t.Errorf("closed after %v: %v", time.Since(began), err)
	}
}
