package terminal

import (
	"errors"
	"fmt"
	"net/url"
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

func TestExplainLongThrottling(t *testing.T) {
	now := time.Date(2026, time.November, 29, 10, 0, 0, 0, time.UTC)
	for wait, until := range map[time.Duration]string{time.Minute: "until 10:01:00", 48 * time.Hour: "until 2026-12-01 10:00:00"} {
		e := Explain(&partnercenter.Error{StatusCode: 429, RetryAfter: wait}, now)
		if e.Code != ExitThrottled || !strings.Contains(e.Next, until) {
			t.Errorf("%s: %+v", wait, e)
		}
	}
	if e := Explain(&partnercenter.BudgetError{MaxDelay: time.Minute}, now); e.Code != ExitThrottled || !strings.Contains(e.What, "nothing was sent") {
		t.Errorf("by the budget: %+v", e)
	}
}

// TestExplainLargeLists has lists that are not kept in memory.
func TestExplainLargeLists(t *testing.T) {
	for _, bytes := range []bool{true, false} {
		e := Explain(&partnercenter.LargeListError{Path: "/customers", Bytes: bytes, Err: errors.New("it has much")}, time.Now())
		if e.Code != ExitError || !strings.Contains(e.What, "/customers") || !strings.Contains(e.What, "it has much") ||
			strings.Contains(e.Next, "--max-answer-size") != bytes || strings.Contains(e.What+e.Next, "ClientOptions") {
			t.Errorf("%+v", e)
		}
	}
}

// TestExplainOtherServers has answers that the API does not give.
func TestExplainOtherServers(t *testing.T) {
	for text, err := range map[string]error{
		"malformed HTTP":    &url.Error{Op: "Get", URL: "http://x/v1", Err: errors.New(`net/http: HTTP/1.x transport connection broken: malformed HTTP response "x"`)},
		"malformed MIME":    &url.Error{Op: "Get", URL: "http://x/v1", Err: errors.New("net/http: HTTP/1.x transport connection broken: malformed MIME header line: x")},
		"--max-answer-size": &partnercenter.LargeAnswerError{Method: "GET", URL: "http://x/v1/customers", Limit: 7},
		"no proper HTTP":    errors.New("http: suspiciously long trailer after chunked body"),
		"header line":       fmt.Errorf("body download policy: %w", errors.New("header line too long")),
		"response headers":  &url.Error{Op: "Get", URL: "http://x/v1", Err: errors.New("net/http: server response headers exceeded 1048576 bytes; aborted")},
	} {
		e := Explain(err, time.Now())
		if e.Code != ExitError || !strings.Contains(e.What+e.Next, text) || !strings.Contains(e.Next, "--base-url is Partner Center's") || strings.Contains(e.What+e.Next, "ClientOptions") {
			t.Errorf("%v: %+v", err, e)
		}
	}
	certificate := &url.Error{Op: "Get", URL: "https://x/v1", Err: errors.New("tls: failed to parse certificate from server: x509: malformed tbs certificate")}
	if e := Explain(certificate, time.Now()); !strings.HasPrefix(e.What, "cannot reach https://x: tls: ") {
		t.Errorf("%+v", e)
	}
}
