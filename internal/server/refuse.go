package server

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/lifecycle"
	"github.com/partnercenter-go/partnercenter/internal/quote"
	"github.com/partnercenter-go/partnercenter/internal/store"
)

// apiError is an answer that is not a success: status, code and body as the
// contract has them, with words of our own that end with what to do next.
type apiError struct {
	status      int
	code        partnercenter.ErrorCode
	description string
	data        []string
}

func (e *apiError) Error() string { return fmt.Sprintf("%d/%s: %s", e.status, e.code, e.description) }

// maxDescription is the documented limit of a description, in characters.
const maxDescription = 1024

// errorSource is the part of the service that our errors come from.
const errorSource = "PartnerFD"

func errBadPath(why string) error {
	return &apiError{
		http.StatusBadRequest, partnercenter.CodeInvalidInput,
		"The path cannot be served: " + why + ". Send the path as the links of earlier answers have it, with ids percent-encoded.", nil,
	}
}

func errPathTooLong() error {
	return &apiError{
		http.StatusRequestURITooLong, partnercenter.CodeInvalidInput,
		fmt.Sprintf("The path is longer than %d characters. Shorten it; no path of the API comes near that.", maxPathLength), nil,
	}
}

func errUnknownRoute(path string) error {
	return &apiError{
		http.StatusNotFound, partnercenter.CodeNotFound,
		"Nothing is served at " + quote.Text(path) + ". Check the path against the API's documentation; it begins with /v1/.", nil,
	}
}

// errNotAtSignIn and errNotAtAPI are for programs that ask a right thing at the
// wrong one of Microsoft's hosts: they would fail there as well.
func errNotAtSignIn(host string) error {
	return &apiError{
		http.StatusNotFound, partnercenter.CodeNotFound,
		quote.Text(host) + " is a sign-in host: it gives tokens and serves nothing else. Call the API at its own host, such as https://api.partnercenter.microsoft.com.", nil,
	}
}

func errNotAtAPI(host string) error {
	return &apiError{
		http.StatusNotFound, partnercenter.CodeNotFound,
		quote.Text(host) + " is the API's host: it gives no tokens. Ask for them at a sign-in host, such as https://login.microsoftonline.com.", nil,
	}
}

func errMethod(method, allow string) error {
	return &apiError{
		http.StatusMethodNotAllowed, partnercenter.CodeOperationUnoffered,
		"Method " + quote.Text(method) + " is not supported here. Use " + allow + ".", nil,
	}
}

func errBadQuery(problem, next string) error {
	return &apiError{
		http.StatusBadRequest, partnercenter.CodeInvalidProperty,
		"Invalid property: " + problem + ". To go on, " + next + ".", nil,
	}
}

func errEnum(name, value string, allowed []string) error {
	return &apiError{
		http.StatusBadRequest, partnercenter.CodeEnumUnparsable,
		"Unable to parse enum: " + name + "=" + quote.Text(value) + ". Send one of " + strings.Join(allowed, ", ") + ", in any spelling, or leave it out.", allowed,
	}
}

func errCustomerID(id string) error {
	return &apiError{
		http.StatusBadRequest, partnercenter.CodeInvalidCustomerID,
		"Invalid customer id: " + quote.Text(id) + " is no GUID. Send the customer's tenant id, such as 0f6cb3c9-3f4b-4b0e-8f5c-9d1d7c7a5b11.", nil,
	}
}

// errNoRelationship is the one answer for customers that do not exist and for
// those of other partners, so that it does not tell which.
func errNoRelationship(partnerID, customerID string) error {
	return &apiError{
		http.StatusForbidden, partnercenter.CodeNoRelationship,
		"The partner ID " + partnerID + " has no commerce relationship with the customer ID " + customerID + ". List this partner's customers with GET /v1/customers.", nil,
	}
}

func errPriceNotGranted(next string) error {
	return &apiError{
		http.StatusForbidden, partnercenter.CodePriceNotGranted,
		"Access to pricing information is not granted. " + next, nil,
	}
}

func errOrderNotFound(id string) error {
	return &apiError{
		http.StatusNotFound, partnercenter.CodeOrderNotFound,
		"Order ID not found: " + quote.Text(id) + ". List the customer's orders for its ids; ids that are no GUIDs are case-sensitive.", nil,
	}
}

func errNotAcceptable(accept string) error {
	return &apiError{
		http.StatusNotAcceptable, partnercenter.CodeInvalidInput,
		"Accept: " + quote.Text(accept) + " leaves out what this API answers. Send Accept: application/json.", nil,
	}
}

func errBodyOnGet() error {
	return &apiError{
		http.StatusBadRequest, partnercenter.CodeInvalidInput,
		"This call takes no body. Send it without one; what it asks for goes into the path and the query.", nil,
	}
}

func errUnauthorized(code partnercenter.ErrorCode, description string) error {
	return &apiError{http.StatusUnauthorized, code, description, nil}
}

func errUnavailable(description string) error {
	return &apiError{http.StatusServiceUnavailable, partnercenter.CodeUnexpected, description, nil}
}

// errNoAuthority refuses to change what a token authority gives where the tokens
// are Microsoft's.
func errNoAuthority() error {
	return &apiError{
		http.StatusBadRequest, partnercenter.CodeOperationUnoffered,
		"Application consents are not supported here: this server takes Microsoft's tokens, and consents to what those allow are given at Microsoft. Send the call to Microsoft's service, or start the server with --auth builtin.", nil,
	}
}

// errWebPage refuses what a browser may have been made to send.
func errWebPage(why string) error {
	return &apiError{
		http.StatusForbidden, partnercenter.CodeAccessDenied,
		"This server asks for no tokens, so it answers to no web page, and the request " + why + ". Call it at localhost or by its address, or start it with --auth builtin.", nil,
	}
}

func errBadToken() error {
	return &apiError{
		http.StatusBadRequest, partnercenter.CodeBadContinuation,
		"The continuation token is not one that this service gave this partner. Start again from the first page.", nil,
	}
}

// throttled is the gateway's refusal, which has a body of its own.
type throttled struct{ wait time.Duration }

func (t *throttled) Error() string { return "429: try again in " + t.wait.String() }

// refuse answers with an error. What is not an [apiError] is ours to find out
// about: it is logged, and the client gets an id to quote.
func (s *Server) refuse(c *call, err error) {
	var limit *throttled
	if errors.As(err, &limit) {
		c.writeThrottled(limit)
		return
	}
	var e *apiError
	var rule *lifecycle.Refusal
	if errors.As(err, &rule) {
		e = &apiError{rule.Status, rule.Code, rule.Error(), rule.Data}
	} else if !errors.As(err, &e) {
		if c.r.Context().Err() != nil {
			// The client has gone; there is nobody to answer.
			c.status = statusClientGone
			return
		}
		s.log.LogAttrs(c.r.Context(), slog.LevelError, "request failed", slog.String("error", err.Error()), slog.String("request_id", c.requestID))
		e = &apiError{
			status: http.StatusInternalServerError, code: partnercenter.CodeUnexpected,
			description: "Unexpected service error. Try again; if it goes on, look for request id " + c.requestID + " in the server's log.",
		}
	}
	c.writeError(e)
}

// statusClientGone is what proxies log for a client that hung up.
const statusClientGone = 499

func (c *call) writeError(e *apiError) {
	if c.status != 0 {
		return // the answer has begun; it cannot be taken back
	}
	description := []rune(e.description)
	if len(description) > maxDescription {
		description = description[:maxDescription]
	}
	body, err := partnercenter.Marshal(partnercenter.ErrorBody{
		Code: e.code, Description: string(description), Data: append(partnercenter.ErrorData{}, e.data...), Source: errorSource,
	})
	if err != nil {
		body = []byte(`{"code":800003,"description":"Unexpected service error","data":[],"source":"` + errorSource + `"}`)
	}
	switch {
	case e.code == partnercenter.CodeMFARequired:
		c.w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
	case e.status == http.StatusUnauthorized:
		c.w.Header().Set("WWW-Authenticate", "OAuth realm=urn:cpsvc:cpid:"+c.requestID)
	}
	c.write(e.status, body)
}

// writeThrottled answers as the gateway in front of the service does: without
// the service's headers, and in a body that clients tell from a fault.
func (c *call) writeThrottled(t *throttled) {
	seconds := strconv.Itoa(int((t.wait + time.Second - 1) / time.Second))
	h := c.w.Header()
	h.Set("Retry-After", seconds)
	h.Set("Content-Type", "application/json")
	body := []byte(`{ "statusCode": 429, "message": "Rate limit is exceeded. Try again in ` + seconds + ` seconds." }`)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	c.send(http.StatusTooManyRequests, body)
}

// storeError words the store's refusals.
func storeError(err error, partnerID, customerID, orderID string) error {
	switch {
	case errors.Is(err, store.ErrNotYours):
		return errNoRelationship(partnerID, customerID)
	case errors.Is(err, store.ErrOrderNotFound):
		return errOrderNotFound(orderID)
	}
	return err
}
