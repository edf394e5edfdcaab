package terminal

import (
	"strings"
	"testing"
	"time"

	"github.com/partnercenter-go/partnercenter"
)

// TestExplainCredential words every reason that a call is not sent for.
func TestExplainCredential(t *testing.T) {
	for reason, next := range map[partnercenter.CredentialReason]string{
		partnercenter.CredentialReasonNeedsUser:     "as a user: partnercenter login",
		partnercenter.CredentialReasonNeedsApp:      "Sign in as the app itself.",
		partnercenter.CredentialReasonNeedsRole:     "the role sales_agent or admin_agent: partnercenter login",
		partnercenter.CredentialReasonNoMFA:         "second factor",
		partnercenter.CredentialReasonExpired:       "clock",
		partnercenter.CredentialReasonNotYetValid:   "clock",
		partnercenter.CredentialReasonWrongAudience: "--scope",
	} {
		err := &partnercenter.CredentialError{
			Operation: "orders create", Reason: reason, Detail: "of some detail", Fix: "sign in as the app itself",
			Roles: []partnercenter.UserRole{partnercenter.UserRoleSalesAgent, partnercenter.UserRoleAdminAgent},
		}
		e := Explain(err, time.Now())
		if e.Code != ExitAuth || e.What != "orders create was not sent: of some detail" || !strings.Contains(e.Next, next) {
			t.Errorf("%s: %+v", reason, e)
		}
	}
}
