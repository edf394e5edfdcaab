package control

import (
	"testing"

	"github.com/partnercenter-go/partnercenter/internal/seed"
)

// TestResolveFilterOfNobody names no tenant, which must not match a partner without a
// domain.
func TestResolveFilterOfNobody(t *testing.T) {
	partners := []partnerDirectory{{tenant: seed.Tenant{TenantID: "11111111-0000-4000-8000-000000000001"}}}
	filter, err := resolveFilter(partners, principalNames{})
	if filter != (principalFilter{}) || err != nil {
		t.Errorf("scope %+v, problem %v", filter, err)
	}
}
