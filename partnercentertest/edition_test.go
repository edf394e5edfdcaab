package partnercentertest_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/partnercentertest"
)

func TestEdition(t *testing.T) {
	for _, tt := range []struct {
		options partnercentertest.Options
		code    partnercenter.ErrorCode
		next    string
	}{
		{partnercentertest.Options{}, partnercenter.ErrorCodeRoleNotGranted, "role"},
		{partnercentertest.Options{Realistic: true}, partnercenter.ErrorCodeUserRequired, "sign in as a user"},
		{partnercentertest.Options{Edition: partnercentertest.Edition2026}, partnercenter.ErrorCodeUserRequired, "sign in as a user"},
		{partnercentertest.Options{Realistic: true, Edition: "Legacy"}, partnercenter.ErrorCodeRoleNotGranted, "role"},
	} {
		srv := partnercentertest.NewServer(t, tt.options)
		pc, err := partnercenter.NewClient(srv.Credential(), &partnercenter.ClientOptions{Endpoint: srv.URL, SkipCredentialChecks: true})
		if err != nil {
			t.Fatal(err)
		}
		var refused *partnercenter.Error
		_, err = pc.Customers.ByID(partnercentertest.CustomerID).Profiles.Company.Get(t.Context())
		if !errors.As(err, &refused) || refused.Code != tt.code || !strings.Contains(refused.NextStep, tt.next) {
			t.Errorf("%+v: %v", tt.options, err)
		}
	}
	if _, err := partnercentertest.Start(partnercentertest.Options{Edition: "2025"}); err == nil || !strings.Contains(err.Error(), "Edition2026") {
		t.Errorf("an edition that is none: %v", err)
	}
	if e := partnercentertest.Edition("LEGACY"); !e.Known() || e.Normalize() != partnercentertest.EditionLegacy || partnercentertest.Edition("x").Normalize() != "x" {
		t.Errorf("%q", e.Normalize())
	}
}
