package partnercenter

import (
	"testing"

	"github.com/partnercenter-go/partnercenter/internal/claims"
)

// TestCredentialOfApps is about a kind of call that the API does not have yet:
// one for apps alone.
func TestCredentialOfApps(t *testing.T) {
	p := &credentialPolicy{}
	o := &Operation{Area: "apps", Name: "alone", Credential: CredentialKindApp}
	if err := p.check(&claims.Claims{IDType: "app"}, o); err != nil {
		t.Error(err)
	}
	if err := p.check(&claims.Claims{Scope: "user_impersonation"}, o); err == nil || err.Reason != CredentialReasonNeedsApp || err.Fix != fixApp {
		t.Errorf("%+v", err)
	}
}

// TestOperationsAt finds calls by their paths as servers and links write them.
func TestOperationsAt(t *testing.T) {
	for _, tt := range []struct{ method, path, first string }{
		{"GET", "/v1/customers", "customers list"},
		{"GET", "/V1/Customers/x", "customers get"},
		{"GET", "/v1/customers/RelationshipRequests", "customers get-relationship-request"},
		{"PATCH", "/v1/customers/x", "customers remove-relationship"},
		{"GET", "/v1/customers/x/subscriptions/y/provisioningstatus/", "subscriptions get-provisioning-status"},
		{"GET", "/auditactivity/v1/auditrecords/x", "audit get"},
		{"POST", "/webhooks/v1/registration", "webhooks register"},
		{"GET", "/v1", ""},
		{"GET", "", ""},
		{"GET", "/v1/customers/x/y", ""},
		{"PUT", "/v1/customers", ""},
	} {
		got := ""
		if o := operationOf(tt.method, tt.path, "", nil); o != nil {
			got = o.String()
		}
		if got != tt.first {
			t.Errorf("%s %s is %q, want %q", tt.method, tt.path, got, tt.first)
		}
	}
}
