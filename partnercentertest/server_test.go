package partnercentertest_test

import (
	"bytes"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/partnercentertest"
)

func TestServer(t *testing.T) {
	srv := partnercentertest.NewServer(t)
	orders, err := srv.Client().Customers.ByID(partnercentertest.CustomerID).Orders.Get(t.Context())
	if err != nil || len(orders.Items) != 2 {
		t.Fatalf("%v, %v", orders, err)
	}

	opts := &partnercenter.ClientOptions{Endpoint: srv.TLSURL}
	opts.Transport = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: srv.Pool}}}
	pc, err := partnercenter.NewClient(srv.Credential(), opts)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := pc.Customers.Get(t.Context()); err != nil {
		t.Errorf("over TLS: %v", err)
	}
}

// TestServersAtOnce starts servers and has them begin again, all at the same time: they share
// the sample data.
func TestServersAtOnce(t *testing.T) {
	var servers sync.WaitGroup
	for range 3 {
		servers.Go(func() {
			srv, err := partnercentertest.Start(partnercentertest.Options{})
			if err != nil {
				t.Error(err)
				return
			}
			defer srv.Close()
			if err := srv.Reset(); err != nil {
				t.Error(err)
			}
			customers, err := srv.Client().Customers.Get(t.Context())
			if err != nil || len(customers.Items) == 0 {
				t.Errorf("%v, %v", customers, err)
			}
		})
	}
	servers.Wait()
}

// TestSeedOfOnesOwn serves the test's own data, next to a server with the sample.
func TestSeedOfOnesOwn(t *testing.T) {
	own := partnercentertest.NewServer(t, partnercentertest.Options{Seed: strings.NewReader(`
format: partnercenter-seed/1
partners:
  - tenantId: 11111111-1111-1111-1111-111111111111
    name: Mine
    domain: mine.onmicrosoft.com
    mpnId: "1"
    country: US
    apps: [{clientId: 22222222-2222-2222-2222-222222222222, name: tests}]
    customers:
      - id: 33333333-3333-3333-3333-333333333333
        companyProfile: {companyName: Theirs, domain: theirs.onmicrosoft.com}
`)})
	partnercentertest.NewServer(t)
	customers, err := own.Client().Customers.Get(t.Context())
	if err != nil || len(customers.Items) != 1 || customers.Items[0].CompanyProfile.CompanyName != "Theirs" {
		t.Fatalf("%+v, %v", customers, err)
	}
	_, err = own.Client().Customers.ByID(partnercentertest.CustomerID).Get(t.Context())
	var e *partnercenter.Error
	if !errors.As(err, &e) || e.Code != partnercenter.ErrorCodeNoRelationship {
		t.Errorf("the other server's customer gives %v", err)
	}
}

func TestWarnsOfWhatASeedMisspells(t *testing.T) {
	var log bytes.Buffer
	partnercentertest.NewServer(t, partnercentertest.Options{Log: &log, Seed: strings.NewReader(`
format: partnercenter-seed/1
partners:
  - tenantId: 11111111-1111-1111-1111-111111111111
    name: Mine
    domain: mine.onmicrosoft.com
    mpnId: "1"
    country: US
    apps: [{clientId: 22222222-2222-2222-2222-222222222222, name: tests}]
    customers:
      - id: 33333333-3333-3333-3333-333333333333
        companyProfile: {companyName: Theirs, domian: theirs, domain: theirs.onmicrosoft.com}
`)}).Close()
	if want := "companyProfile.domian: is not documented, and is kept; did you mean domain?"; !strings.Contains(log.String(), want) {
		t.Errorf("no %q in\n%s", want, log.String())
	}
}

func TestRefusesASeedWithMistakes(t *testing.T) {
	srv, err := partnercentertest.Start(partnercentertest.Options{Seed: strings.NewReader("format: partnercenter-seed/9\n")})
	if err == nil {
		srv.Close()
		t.Fatal("a wrong seed was taken")
	}
}

// TestClock lives through a day in no time, with clients that were signed in
// before.
func TestRefusesNumbersOutOfRange(t *testing.T) {
	for name, o := range map[string]partnercentertest.Options{
		"RequestsPerMinute": {RequestsPerMinute: -1}, "WriteWeight": {WriteWeight: -1},
		"OrderLag": {OrderLag: -1}, "ProvisioningTime": {ProvisioningTime: -time.Minute},
		"smaller weight": {RequestsPerMinute: 1, Realistic: true},
	} {
		srv, err := partnercentertest.Start(o)
		if err == nil {
			srv.Close()
		}
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

func TestClock(t *testing.T) {
	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	srv := partnercentertest.NewServer(t, partnercentertest.Options{Now: func() time.Time { return start }})
	pc, clock := srv.Client(), srv.Clock()
	orders := func() {
		t.Helper()
		if list, err := pc.Customers.ByID(partnercentertest.CustomerID).Orders.Get(t.Context()); err != nil || len(list.Items) != 2 {
			t.Fatalf("at %v: %v, %v", clock.Now(), list, err)
		}
	}
	orders()
	clock.Advance(24 * time.Hour)
	orders()
	clock.Freeze()
	clock.Set(start.AddDate(-20, 0, 0))
	orders()
	if now := srv.Clock().Now(); !now.Equal(start.AddDate(-20, 0, 0)) {
		t.Errorf("the clock shows %v", now)
	}
	clock.Resume()
	orders()
	for name, change := range map[string]func(){
		"backwards": func() { clock.Advance(-1) },
		"year 0":    func() { clock.Set(time.Time{}.AddDate(-1, 0, 0)) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			change()
		}()
	}
}

func TestReset(t *testing.T) {
	srv := partnercentertest.NewServer(t, partnercentertest.Options{RequestsPerMinute: 2})
	pc := srv.Client()
	get := func() []byte {
		t.Helper()
		list, err := pc.Customers.ByID(partnercentertest.CustomerID).Orders.Get(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		data, err := partnercenter.Marshal(list)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	first := get()
	for range 3 {
		srv.Clock().Advance(time.Hour)
		if err := srv.Reset(); err != nil {
			t.Fatal(err)
		}
		for range 2 { // as many as the limit lets
			if again := get(); !bytes.Equal(again, first) {
				t.Fatalf("after a reset\n%s\nbefore\n%s", again, first)
			}
		}
	}
	if off := time.Until(srv.Clock().Now()).Abs(); off > time.Minute {
		t.Errorf("the clock is off by %v", off)
	}
}

func TestUserCredential(t *testing.T) {
	srv := partnercentertest.NewServer(t)
	if _, err := srv.UserClient("admin.agent@contosocsp.onmicrosoft.com").Customers.ByID(partnercentertest.CustomerID).Orders.Get(t.Context()); err != nil {
		t.Error(err)
	}
	token, err := srv.UserCredential("admin.agent@contosocsp.onmicrosoft.com").GetToken(t.Context(), policy.TokenRequestOptions{})
	if err != nil {
		t.Fatal(err)
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(token.Token, ".")[1])
	if err != nil || !bytes.Contains(payload, []byte(`"preferred_username":"admin.agent@contosocsp.onmicrosoft.com"`)) {
		t.Errorf("%s, %v", payload, err)
	}
	if _, err := srv.UserClient("eve@contosocsp.onmicrosoft.com").Customers.Get(t.Context()); err == nil || !strings.Contains(err.Error(), "no user") {
		t.Errorf("a user that is not there: %v", err)
	}
}

// TestCloud plays another cloud, and gives tokens of users who lack something.
func TestCloud(t *testing.T) {
	srv := partnercentertest.NewServer(t, partnercentertest.Options{Cloud: partnercenter.CloudNameGermany})
	if _, err := srv.Client().Customers.Get(t.Context()); err != nil {
		t.Error(err)
	}
	var missing *partnercenter.NotOfferedError
	_, err := srv.Client().Customers.ByID(partnercentertest.CustomerID).Orders.Create(t.Context(), &partnercenter.Order{})
	if !errors.As(err, &missing) || missing.Cloud != partnercenter.CloudNameGermany {
		t.Errorf("%v", err)
	}
	pc, err := partnercenter.NewClient(srv.UserCredentialWithoutMFA("admin.agent@contosocsp.onmicrosoft.com"), &partnercenter.ClientOptions{Endpoint: srv.URL, SkipCredentialChecks: true})
	if err != nil {
		t.Fatal(err)
	}
	var refused *partnercenter.Error
	if _, err := pc.Customers.Get(t.Context()); !errors.As(err, &refused) || refused.Code != partnercenter.ErrorCodeMFARequired || !strings.Contains(refused.NextStep, "multi-factor") {
		t.Errorf("%v", err)
	}
}
