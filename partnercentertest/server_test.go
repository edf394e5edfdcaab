package partnercentertest_test

import (
	"crypto/tls"
	"errors"
	"net/http"
	"strings"
	"testing"

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

// TestSeedOfOnesOwn serves data of the test's, beside a server with the sample.
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
	if !errors.As(err, &e) || e.Code != partnercenter.CodeNoRelationship {
		t.Errorf("the other server's customer gives %v", err)
	}
}

func TestRefusesASeedWithMistakes(t *testing.T) {
	srv, err := partnercentertest.Start(partnercentertest.Options{Seed: strings.NewReader("format: partnercenter-seed/9\n")})
	if err == nil {
		srv.Close()
		t.Fatal("a wrong seed was taken")
	}
}
