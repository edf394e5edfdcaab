package server

import (
	"errors"
	"strings"
	"testing"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/issuer"
)

func TestRequireUser(t *testing.T) {
	c := &call{claims: &issuer.Claims{User: "ada@contoso.example"}}
	if err := c.requireUser(); err != nil {
		t.Errorf("a user's token: %v", err)
	}
	c.claims = &issuer.Claims{IDType: "app"}
	var refused *apiError
	if err := c.requireUser(); !errors.As(err, &refused) || refused.status != 403 || refused.code != partnercenter.CodeRoleNotGranted ||
		!strings.Contains(refused.description, "partnercenter token --user") {
		t.Errorf("an app's own token: %v", err)
	}
}
