package appsecret

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

func TestCredential(t *testing.T) {
	var asked atomic.Int32
	lifetime := "3600"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if got, want := r.URL.Path, "/tenant/oauth2/v2.0/token"; got != want {
			t.Errorf("path %s, want %s", got, want)
		}
		if r.FormValue("grant_type") != "client_credentials" || r.FormValue("scope") != "s/.default" || r.FormValue("client_id") != "id" || r.FormValue("client_secret") != "secret" {
			t.Errorf("form %v", r.Form)
		}
		fmt.Fprintf(w, `{"access_token":"token %d","expires_in":%s}`, asked.Add(1), lifetime)
	}))
	defer server.Close()
	c := &Credential{Authority: server.URL + "/", TenantID: "tenant", ClientID: "id", ClientSecret: "secret", Transport: http.DefaultClient}
	get := func() string {
		token, err := c.GetToken(context.Background(), policy.TokenRequestOptions{Scopes: []string{"s/.default"}})
		if err != nil {
			t.Fatal(err)
		}
		if left := time.Until(token.ExpiresOn); left < 0 || left > time.Hour {
			t.Errorf("the token is good for %s", left)
		}
		return token.Token
	}
	if first, second := get(), get(); first != "token 1" || second != first {
		t.Errorf("%q, then %q: a token that is good is not asked for again", first, second)
	}
	// Older endpoints write the lifetime as text.
	c.token.ExpiresOn, lifetime = time.Now().Add(refreshBefore-time.Second), `"60"`
	if got := get(); got != "token 2" {
		t.Errorf("%q: a token that is about to expire is replaced", got)
	}
}

func TestRefused(t *testing.T) {
	for body, want := range map[string]string{
		`{"error":"invalid_client","error_description":"AADSTS7000215: wrong"}`: "invalid_client: AADSTS7000215",
		`{"access_token":"t","expires_in":"soon"}`:                              "not in the way",
		"<html>": "not in the way",
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, body) }))
		c := &Credential{Authority: server.URL, TenantID: "tenant", Transport: http.DefaultClient}
		_, err := c.GetToken(context.Background(), policy.TokenRequestOptions{})
		if refused := new(Refused); !errors.As(err, &refused) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", body, err, want)
		}
		server.Close()
	}
}
