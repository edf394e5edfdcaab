package partnercenter_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/partnercenter-go/partnercenter"
)

// tokenCredential gives one token.
type tokenCredential string

func (c tokenCredential) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: string(c), ExpiresOn: time.Now().Add(time.Hour)}, nil
}

// jwt is an unsigned token with claims.
func jwt(claims string) string {
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(`{"alg":"RS256","typ":"JWT"}`)) + "." + encode([]byte(claims)) + "." + encode([]byte("no signature"))
}

const partnerAPI = "https://api.partnercenter.microsoft.com"

var (
	appToken   = jwt(`{"aud":"` + partnerAPI + `","appid":"a","idtyp":"app","oid":"o"}`)
	userToken  = jwt(`{"aud":"` + partnerAPI + `","appid":"a","scp":"user_impersonation","upn":"u@x","amr":["pwd","mfa"]}`)
	salesToken = jwt(`{"aud":"` + partnerAPI + `","azp":"a","scp":"user_impersonation","preferred_username":"u@x","amr":["mfa"],"roles":["sales_agent"]}`)
)

// TestCredentials makes calls with tokens that do not allow them, and with
// unreadable ones.
func TestCredentials(t *testing.T) {
	both := func(pc *partnercenter.Client) error {
		_, err := pc.Customers.ByID(customerID).Orders.Get(t.Context())
		return err
	}
	user := func(pc *partnercenter.Client) error {
		_, err := pc.Customers.ByID(customerID).Profiles.Company.Get(t.Context())
		return err
	}
	provisioning := func(pc *partnercenter.Client) error {
		_, err := pc.Customers.ByID(customerID).Orders.ByID("x").ProvisioningStatus.Get(t.Context())
		return err
	}
	reseller := func(pc *partnercenter.Client) error {
		order := &partnercenter.Order{ReferenceCustomerID: customerID, LineItems: []partnercenter.OrderLineItem{{OfferID: "x", PartnerIDOnRecord: "4711"}}}
		_, err := pc.Customers.ByID(customerID).Orders.Create(t.Context(), order)
		return err
	}
	ofReseller := func(pc *partnercenter.Client) error {
		filter := &partnercenter.FieldFilter{Field: partnercenter.CustomerSearchFieldIndirectReseller, Value: "x"}
		_, err := pc.Customers.Query(t.Context(), partnercenter.CustomersQuery{Filter: filter})
		return err
	}
	named := func(pc *partnercenter.Client) error {
		filter := &partnercenter.FieldFilter{Field: partnercenter.CustomerSearchFieldCompanyName, Value: "x"}
		_, err := pc.Customers.Query(t.Context(), partnercenter.CustomersQuery{Filter: filter})
		return err
	}
	status := func(pc *partnercenter.Client) error {
		_, err := pc.Customers.ByID(customerID).Subscriptions.ByID("x").ProvisioningStatus.Get(t.Context())
		return err
	}
	link := func(pc *partnercenter.Client) error {
		return pc.Follow(t.Context(), &partnercenter.Link{URI: "/customers/" + customerID + "/profiles/company"}, new(partnercenter.CustomerCompanyProfile))
	}
	claims := func(more string) string { return jwt(`{"aud":"` + partnerAPI + `",` + more + `}`) }
	now := time.Now().Unix()
	for _, tt := range []struct {
		name, token string
		call        func(*partnercenter.Client) error
		reason      partnercenter.CredentialReason // empty: sent
		operation   string
		want        string
	}{
		{"an app", appToken, both, "", "", ""},
		{"an app where a user is needed", appToken, user, partnercenter.CredentialReasonNeedsUser, "customers get-company-profile", "sign in as a user"},
		{"an app that follows a link", appToken, link, partnercenter.CredentialReasonNeedsUser, "customers get-company-profile", ""},
		{"an app that orders for a reseller", appToken, reseller, partnercenter.CredentialReasonNeedsUser, "orders create-for-indirect-reseller", ""},
		{"an app that lists a reseller's customers", appToken, ofReseller, partnercenter.CredentialReasonNeedsUser, "customers list-by-indirect-reseller", ""},
		{"an app that searches by name", appToken, named, "", "", ""},
		{"an app that asks how an order is provisioned", appToken, provisioning, partnercenter.CredentialReasonNeedsUser, "orders get-provisioning-status", ""},
		{"an app without idtyp", claims(`"appid":"a","oid":"o","roles":["x"]`), user, partnercenter.CredentialReasonNeedsUser, "customers get-company-profile", ""},
		{"a user", userToken, user, "", "", ""},
		{"a user with a right role", salesToken, reseller, "", "", ""},
		{"a user with a wrong role", salesToken, status, partnercenter.CredentialReasonNeedsRole, "subscriptions get-provisioning-status", "role global_admin, admin_agent or helpdesk_agent"},
		{"roles of Microsoft's", claims(`"scp":"x","amr":["mfa"],"roles":["sales_agent","Other"],"wids":["62e90394-69f5-4237-9190-012177145e10"]`), status, "", "", ""},
		{"no second factor", claims(`"scp":"x","amr":["pwd"]`), both, partnercenter.CredentialReasonNoMFA, "orders list", "multi-factor"},
		{"nothing about factors", claims(`"scp":"x"`), both, "", "", ""},
		{"an app with amr", claims(`"idtyp":"app","amr":["pwd"]`), both, "", "", ""},
		{"the graph's", jwt(`{"aud":"https://graph.windows.net/","idtyp":"app"}`), both, "", "", ""},
		{"an API's id", jwt(`{"aud":"fa3d9a0c-3fb0-42cc-9193-47c7ecd2edbd","idtyp":"app"}`), both, "", "", ""},
		{"Microsoft Graph's", jwt(`{"aud":["https://graph.microsoft.com"],"idtyp":"app"}`), both, partnercenter.CredentialReasonWrongAudience, "orders list", "Scopes"},
		{"Microsoft Graph's id", jwt(`{"aud":"00000003-0000-0000-c000-000000000000","scp":"User.Read"}`), both, partnercenter.CredentialReasonWrongAudience, "orders list", ""},
		{"another cloud's", jwt(`{"aud":"https://graph.chinacloudapi.cn","idtyp":"app"}`), both, partnercenter.CredentialReasonWrongAudience, "orders list", ""},
		{"expired", claims(fmt.Sprintf(`"idtyp":"app","exp":%d`, now-3600)), both, partnercenter.CredentialReasonExpired, "orders list", "clock"},
		{"expired a moment ago", claims(fmt.Sprintf(`"idtyp":"app","exp":%d`, now-10)), both, "", "", ""},
		{"of tomorrow", claims(fmt.Sprintf(`"idtyp":"app","nbf":%d`, now+86400)), both, partnercenter.CredentialReasonNotYetValid, "orders list", "clock"},
		{"opaque", "secret-token", user, "", "", ""},
		{"no JSON", "a.b.c", user, "", "", ""},
		{"claims of other types", claims(`"scp":["x"]`), user, "", "", ""},
		{"no claims", jwt(`{}`), user, "", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, skip := range []bool{false, true} {
				sent := 0
				o := &partnercenter.ClientOptions{SkipCredentialChecks: skip}
				o.Transport = transport(func(r *http.Request) (*http.Response, error) {
					sent++
					return nil, errSent{}
				})
				pc, err := partnercenter.NewClient(tokenCredential(tt.token), o)
				if err != nil {
					t.Fatal(err)
				}
				err = tt.call(pc)
				if tt.reason == "" || skip {
					if !errors.As(err, new(errSent)) || sent != 1 {
						t.Errorf("skip %v: %v, sent %d times", skip, err, sent)
					}
					continue
				}
				var refused *partnercenter.CredentialError
				if !errors.As(err, &refused) || sent != 0 {
					t.Fatalf("%v, sent %d times", err, sent)
				}
				if refused.Reason != tt.reason || refused.Operation != tt.operation || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("%+v, want %s of %s, and %q in %q", refused, tt.reason, tt.operation, tt.want, err)
				}
				if partnercenter.Unsettled(err) || strings.Contains(err.Error(), tt.token) {
					t.Errorf("%v: it is settled, and tells no token", err)
				}
			}
		})
	}
}

// errSent is what a transport answers that only counts.
type errSent struct{}

func (errSent) Error() string { return "sent" }
func (errSent) NonRetriable() {}

// TestCredentialsOfServers checks that a service other than Microsoft's may
// have its own clock and audience.
func TestCredentialsOfServers(t *testing.T) {
	s := newStub(t, answerJSON(emptyList))
	for name, token := range map[string]string{
		"expired": jwt(`{"aud":"` + partnerAPI + `","idtyp":"app","exp":1}`), "early": jwt(`{"aud":"` + partnerAPI + `","idtyp":"app","nbf":9999999999}`),
		"another audience":           jwt(`{"aud":"https://partner.example/other","idtyp":"app"}`),
		"a scope that was asked for": jwt(`{"aud":"https://partner.example/api","idtyp":"app"}`),
	} {
		o := &partnercenter.ClientOptions{Endpoint: s.URL, Scopes: []string{"https://partner.example/api/.default"}}
		pc, err := partnercenter.NewClient(tokenCredential(token), o)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := pc.Customers.Get(t.Context()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, token := range []string{
		jwt(`{"aud":"https://management.core.windows.net/","idtyp":"app"}`), jwt(`{"aud":"00000003-0000-0000-c000-000000000000","idtyp":"app"}`),
	} {
		pc, err := partnercenter.NewClient(tokenCredential(token), &partnercenter.ClientOptions{Endpoint: s.URL})
		if err != nil {
			t.Fatal(err)
		}
		var refused *partnercenter.CredentialError
		if _, err := pc.Customers.Get(t.Context()); !errors.As(err, &refused) || refused.Reason != partnercenter.CredentialReasonWrongAudience {
			t.Errorf("%v", err)
		}
	}
	// What Scopes ask for is meant, also at Microsoft's own address.
	o := &partnercenter.ClientOptions{Scopes: []string{"https://partner.example/api/.default"}}
	o.Transport = transport(func(*http.Request) (*http.Response, error) { return nil, errSent{} })
	pc, err := partnercenter.NewClient(tokenCredential(jwt(`{"aud":"https://partner.example/api/","idtyp":"app"}`)), o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := pc.Customers.Get(t.Context()); !errors.As(err, new(errSent)) {
		t.Error(err)
	}
}

// BenchmarkCredential compares a call with and without the check of its token.
func BenchmarkCredential(b *testing.B) {
	for _, skip := range []bool{true, false} {
		b.Run(fmt.Sprintf("skip=%v", skip), func(b *testing.B) {
			o := &partnercenter.ClientOptions{SkipCredentialChecks: skip}
			o.Transport = transport(func(*http.Request) (*http.Response, error) { return nil, errSent{} })
			pc, err := partnercenter.NewClient(tokenCredential(userToken), o)
			if err != nil {
				b.Fatal(err)
			}
			orders := pc.Customers.ByID(customerID).Orders
			for b.Loop() {
				if _, err := orders.Get(b.Context()); !errors.As(err, new(errSent)) {
					b.Fatal(err)
				}
			}
		})
	}
}

// TestCredentialAndBudget checks that a refused call does not use the budget.
func TestCredentialAndBudget(t *testing.T) {
	budget := partnercenter.NewBudget(&partnercenter.BudgetOptions{RequestsPerMinute: 1})
	o := &partnercenter.ClientOptions{Budget: budget}
	o.Transport = transport(func(*http.Request) (*http.Response, error) { return nil, errSent{} })
	pc, err := partnercenter.NewClient(tokenCredential(jwt(`{"aud":"`+partnerAPI+`","scp":"x","amr":["pwd"]}`)), o)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		var refused *partnercenter.CredentialError
		if _, err := pc.Customers.ByID(customerID).Orders.Get(t.Context()); !errors.As(err, &refused) {
			t.Fatal(err)
		}
	}
	for _, state := range budget.Snapshot() {
		if state.Remaining != 1 {
			t.Errorf("%+v", state)
		}
	}
}
