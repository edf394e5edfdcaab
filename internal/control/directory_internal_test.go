package control

import (
	"testing"

	"github.com/partnercenter-go/partnercenter/internal/seed"
)

// TestFindScopeOfNobody asks for no tenant beside a partner without a domain, who
// is not meant by that.
func TestFindScopeOfNobody(t *testing.T) {
	partners := []partnerDirectory{{tenant: seed.Tenant{TenantID: "11111111-0000-4000-8000-000000000001"}}}
	filter, err := resolveFilter(partners, principalNames{})
	if filter != (principalFilter{}) || err != nil {
		t.Errorf("scope %+v, problem %v", filter, err)
	}
}
