package server

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/issuer"
	"github.com/partnercenter-go/partnercenter/internal/token"
)

// TestPermitApp tests a kind of call that the API does not have yet: one for apps only.
func TestPermitApp(t *testing.T) {
	s := &Server{config: Config{Cloud: partnercenter.CloudNameGlobal}, tokens: new(issuer.Authority)}
	o := &partnercenter.Operation{Area: "apps", Name: "alone", Credential: partnercenter.CredentialKindApp}
	if err := s.permitOperation(&token.Claims{}, o); err != nil {
		t.Error(err)
	}
	err := s.permitOperation(&token.Claims{User: "admin@contoso.example", Roles: []string{"global_admin"}}, o)
	var refused *apiError
	if !errors.As(err, &refused) || refused.status != http.StatusForbidden || refused.code != partnercenter.ErrorCodeRoleNotGranted || !strings.Contains(refused.description, "client credentials") {
		t.Errorf("%v", err)
	}
}
