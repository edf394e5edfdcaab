package issuer

import (
	"maps"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/partnercenter-go/partnercenter/internal/token"
)

// TestUserTokenClaims pins the claims of tokens for a user on the wire.
func TestUserTokenClaims(t *testing.T) {
	a := newAuthority(t, options())
	const upn = "Ada@Contoso.onmicrosoft.com"
	subjects := map[any]bool{}
	for version, want := range map[token.Version]map[string]any{
		token.V1: {"acr": "1", "appid": clientID, "appidacr": "1", "iss": base + "/" + tenantID + "/", "unique_name": upn, "upn": upn, "ver": "1.0"},
		token.V2: {"azp": clientID, "azpacr": "1", "iss": base + "/" + tenantID + "/v2.0", "preferred_username": upn, "ver": "2.0"},
	} {
		maps.Copy(want, map[string]any{
			"aud": api, "iat": 1767365945.0, "nbf": 1767365945.0, "exp": 1767369845.0,
			"amr": []any{"pwd", "mfa"}, "name": "Ada Byron", "oid": userID, "roles": []any{"admin_agent"},
			"scp": "user_impersonation", "tid": tenantID,
		})
		_, payload := parts(t, mint(t, a, MintRequest{Tenant: tenantID, ClientID: clientID, User: "ada@contoso.ONMICROSOFT.com", Version: version}))
		if sub, _ := payload["sub"].(string); len(sub) != 43 {
			t.Errorf("%s sub %q", version, sub)
		}
		subjects[payload["sub"]] = true
		delete(payload, "uti")
		delete(payload, "sub")
		if diff := cmp.Diff(want, payload); diff != "" {
			t.Errorf("%s payload (-want +got):\n%s", version, diff)
		}
	}
	if len(subjects) != 1 {
		t.Errorf("a user has several subjects for one client: %v", subjects)
	}
}

func TestVerifyUser(t *testing.T) {
	a := newAuthority(t, options())
	for _, version := range []token.Version{token.V1, token.V2} {
		for _, withoutMFA := range []bool{false, true} {
			jwt := mint(t, a, MintRequest{Tenant: tenantID, ClientID: clientID, User: "ada@contoso.onmicrosoft.com", Version: version, WithoutMFA: withoutMFA})
			claims, err := a.Verify(jwt)
			if err != nil {
				t.Fatal(err)
			}
			want := &token.Claims{
				Audience: api, Issuer: claims.Issuer, TenantID: tenantID, AppID: clientID, ObjectID: userID, Subject: claims.Subject,
				User: "Ada@Contoso.onmicrosoft.com", Roles: []string{"admin_agent"}, MFA: !withoutMFA, Scope: "user_impersonation",
				TokenID: claims.TokenID, Version: string(version), KeyID: key1().ID,
				IssuedAt: start.Add(-5 * time.Minute), NotBefore: start.Add(-5 * time.Minute), Expires: start.Add(time.Hour),
			}
			if diff := cmp.Diff(want, claims); diff != "" {
				t.Errorf("claims (-want +got):\n%s", diff)
			}
			if !claims.HasUser() {
				t.Error("no user")
			}
			o := options()
			o.Tenants[0].Users = nil
			wantReason(t, newAuthority(t, o), jwt, token.ReasonUser)
		}
	}
	claims, err := a.Verify(mint(t, a, MintRequest{}))
	if err != nil || claims.HasUser() || claims.Roles != nil || claims.MFA {
		t.Errorf("an app-only token: %+v, %v", claims, err)
	}
}

func TestUserMistakes(t *testing.T) {
	a := newAuthority(t, options())
	for _, user := range []string{"eve@contoso.onmicrosoft.com", "ada"} {
		if jwt, err := a.Mint(MintRequest{Tenant: tenantID, ClientID: clientID, User: user}); err == nil {
			t.Errorf("a token for %s: %v", user, jwt)
		}
	}
	if jwt, err := a.Mint(MintRequest{Tenant: otherTenant, ClientID: otherClient, User: "ada@contoso.onmicrosoft.com"}); err == nil {
		t.Errorf("a token for another tenant's user: %v", jwt)
	}
	for name, users := range map[string][]User{
		"nameless":      {{ObjectID: "o"}},
		"without an id": {{UserPrincipalName: "a@b"}},
		"twice":         {{UserPrincipalName: "a@b", ObjectID: "o"}, {UserPrincipalName: "A@b", ObjectID: "p"}},
	} {
		o := options()
		o.Tenants[0].Users = users
		if _, err := New(o); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

// TestNamesAreASCII finds tenants, users and apps by their names, and by none that is the
// same by Unicode's rules only.
func TestNamesAreASCII(t *testing.T) {
	o := options()
	o.Tenants[0].Domains = []string{"kontoso.example"}
	o.Tenants[0].Users = []User{
		{UserPrincipalName: "karl@kontoso.example", ObjectID: "o", Password: "k"},
		{UserPrincipalName: "\u212Aarl@kontoso.example", ObjectID: "p", Password: "K"},
	}
	a := newAuthority(t, o)
	trust := a.trusted.now.Load()
	for name, want := range map[string]string{"KARL@kontoso.example": "o", "\u212AARL@kontoso.example": "p", "\u212Aarl@\u212Aontoso.example": ""} {
		var got string
		if tenant := trust.tenantOf(name); tenant != nil {
			got = tenant.user(name).ObjectID
		}
		if got != want {
			t.Errorf("%q is user %q, want %q", name, got, want)
		}
	}
	if trust.tenant("KONTOSO.example") == nil || trust.tenant("\u212Aontoso.example") != nil || trust.tenant("kontoso.example\xff") != nil {
		t.Error("tenants by their domains")
	}
}

// TestRememberedTokensDoNotAllocate keeps the path of every request efficient.
func TestRememberedTokensDoNotAllocate(t *testing.T) {
	a := newAuthority(t, options())
	for _, r := range []MintRequest{{}, {Tenant: tenantID, ClientID: clientID, User: "ada@contoso.onmicrosoft.com"}} {
		jwt := mint(t, a, r)
		wantReason(t, a, jwt, "")
		if n := testing.AllocsPerRun(100, func() { _, _ = a.Verify(jwt) }); n != 0 {
			t.Errorf("%v allocations: %+v", n, r)
		}
	}
}
