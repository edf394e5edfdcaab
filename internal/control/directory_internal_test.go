package control

import (
	"testing"

	"github.com/partnercenter-go/partnercenter/internal/seed"
)

// TestFindScopeOfNobody asks for no tenant beside a partner without a domain, who
// is not meant by that.
func TestFindScopeOfNobody(t *testing.T) {
	members := []member{{partner: seed.Tenant{TenantID: "11111111-0000-4000-8000-000000000001"}}}
	sc, err := findScope(members, scopeNames{})
	if sc != (scope{}) || err != nil {
		t.Errorf("scope %+v, problem %v", sc, err)
	}
}
