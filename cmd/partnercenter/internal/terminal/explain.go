package terminal

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/words"
)

// Explanation is an error as shown to the user.
type Explanation struct {
	What    string
	Details []string
	Next    string // may have several lines
	Code    int
}

// explainer is an error that explains itself.
type explainer interface {
	error
	Explain(now time.Time) Explanation
}

// Explain explains an error. Errors of commands explain themselves; those of
// the client and of the transport are explained here.
func Explain(err error, now time.Time) Explanation {
	var (
		own     explainer
		answer  *partnercenter.Error
		decode  *partnercenter.DecodeError
		short   *partnercenter.ShortAnswerError
		cred    *partnercenter.CredentialError
		missing *partnercenter.NotOfferedError
		budget  *partnercenter.BudgetError
		large   *partnercenter.LargeAnswerError
		list    *partnercenter.LargeListError
	)
	switch {
	case errors.As(err, &own):
		return own.Explain(now)
	case errors.As(err, &cred):
		return explainCredential(cred)
	case errors.As(err, &missing):
		return explainNotOffered(missing)
	case errors.As(err, &answer):
		return explainAnswer(answer, now)
	case errors.As(err, &budget) && budget.MaxDelay > 0:
		return Explanation{What: strings.TrimPrefix(budget.Error(), "partnercenter: "), Code: ExitThrottled}
	case errors.As(err, &decode):
		return Explanation{
			What:    fmt.Sprintf("the answer is not the API's JSON (%s): %s", cmp.Or(decode.ContentType, "no content type"), decode.Description),
			Details: []string{decode.Method + " " + decode.URL, "request " + decode.RequestID, decode.Err.Error()},
			Next:    nextOtherServer,
			Code:    ExitError,
		}
	case errors.As(err, &large):
		return Explanation{
			What:    fmt.Sprintf("the answer has more than %d bytes: the rest was not read", large.Limit),
			Details: []string{large.Method + " " + large.URL},
			Next:    "Ask for less at once, or read more with --max-answer-size. Answers of the API are rarely that large.\n" + nextOtherServer,
			Code:    ExitError,
		}
	case errors.As(err, &list):
		e := Explanation{What: fmt.Sprintf("the list of %s is too large to be kept in memory: %v", list.Path, list.Err), Next: "Ask for less at once.", Code: ExitError}
		if list.Bytes {
			e.Next = "Ask for less at once, or keep more with --max-answer-size."
		}
		return e
	case errors.As(err, &short):
		return Explanation{
			What: fmt.Sprintf("the list is incomplete: the answer of %s counts %s but has %d", short.Path, words.Count(short.TotalCount, "item"), short.Items),
			Next: "Try again, or accept the incomplete list with --allow-short.",
			Code: ExitError,
		}
	}
	if e, ok := explainTransport(err); ok {
		return e
	}
	// Mistakes in a file are one per line.
	lines := strings.Split(strings.TrimPrefix(err.Error(), "partnercenter: "), "\n")
	return Explanation{What: lines[0], Details: lines[1:], Code: ExitError}
}

const nextOtherServer = "Check that --base-url is Partner Center's and that no proxy answers instead; then try again."

const nextUser = "Sign in as a user: partnercenter login. With --as app, or as: app in the profile, a user's sign-in is not used."

const nextSecondFactor = "Require a second factor of the user, and sign in again: partnercenter login."

// explainCredential explains a token that does not allow a call.
func explainCredential(err *partnercenter.CredentialError) Explanation {
	e := Explanation{What: cmp.Or(err.Operation, "the call") + " was not sent: " + err.Detail, Next: UpperFirst(err.Fix) + ".", Code: ExitAuth}
	switch err.Reason {
	case partnercenter.CredentialReasonNeedsUser:
		e.Next = nextUser
	case partnercenter.CredentialReasonNeedsRole:
		e.Next = "Sign in as a user with the role " + words.Or(err.Roles) + ": partnercenter login."
	case partnercenter.CredentialReasonNoMFA:
		e.Next = nextSecondFactor
	case partnercenter.CredentialReasonExpired, partnercenter.CredentialReasonNotYetValid:
		e.Next = "Set this machine's clock if it is wrong, and sign in again."
	case partnercenter.CredentialReasonWrongAudience:
		e.Next = "Check --scope and --cloud: the token has to be for Partner Center in that cloud."
	}
	return e
}

// explainNotOffered explains a call that the cloud does not offer.
func explainNotOffered(err *partnercenter.NotOfferedError) Explanation {
	what := fmt.Sprintf("%s is not offered in the %s cloud", err.Operation, err.Cloud)
	if err.What != "" {
		what = fmt.Sprintf("%s is about %s, which are not sold in the %s cloud", err.Operation, err.What, err.Cloud)
	}
	return Explanation{
		What: what, Code: ExitUsage,
		Next: fmt.Sprintf("Nothing was sent. If the partner is in another cloud than %s, name it with --cloud.", err.Cloud),
	}
}

// explainAnswer explains an error answer of the service.
func explainAnswer(err *partnercenter.Error, now time.Time) Explanation {
	status := fmt.Sprintf("%d %s", err.StatusCode, http.StatusText(err.StatusCode))
	if err.Code != "" {
		status += ", code " + string(err.Code)
	}
	e := Explanation{
		What:    fmt.Sprintf("%s (%s)", cmp.Or(strings.TrimRight(err.Description, ". "), "the service refused"), status),
		Details: []string{err.Method + " " + err.URL},
		Next:    UpperFirst(err.NextStep) + ".",
		Code:    ExitError,
	}
	if err.RequestID != "" {
		e.Details = append(e.Details, fmt.Sprintf("request %s, correlation %s", err.RequestID, err.CorrelationID))
	}
	switch err.StatusCode {
	case http.StatusUnauthorized:
		e.Code = ExitAuth
		e.Next = "The token was refused: check that tenant, client, --authority and --scope belong to this base URL;\n" +
			"'partnercenter doctor' checks each step, and the clocks.\n" +
			"At Microsoft, the app must also be registered in Partner Center."
		switch err.Code {
		case partnercenter.ErrorCodeMFARequired:
			e.Next = nextSecondFactor
		case partnercenter.ErrorCodeAudienceRefused:
			e.Next = "Leave --scope out, so that the token is for Partner Center itself."
		}
	case http.StatusForbidden:
		e.Code = ExitAuth
		if err.Code == partnercenter.ErrorCodeUserRequired {
			e.Next = nextUser
		}
	case http.StatusNotFound:
		e.Code = ExitNotFound
	case http.StatusTooManyRequests:
		e.Code = ExitThrottled
		e.Next = "Wait a minute, then try again; --budget keeps requests within the limit."
		if err.RetryAfter > 0 {
			until := time.TimeOnly
			if err.RetryAfter > 12*time.Hour {
				until = time.DateTime
			}
			e.Next = fmt.Sprintf("Wait %s (until %s), then try again; --budget keeps requests within the limit.",
				err.RetryAfter, now.Add(err.RetryAfter).Format(until))
		}
	}
	return e
}

// explainTransport explains an error of the connection to a server.
func explainTransport(err error) (Explanation, bool) {
	e := Explanation{Code: ExitError}
	server, known := "the service", false
	if u := new(url.Error); errors.As(err, &u) {
		if parsed, parseErr := url.Parse(u.URL); parseErr == nil {
			server, known = parsed.Scheme+"://"+parsed.Host, true
		}
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		e.What = "no complete answer from " + server + " in time"
		e.Next = "Try again, or wait longer with --timeout."
	case errors.As(err, new(*tls.CertificateVerificationError)):
		e.What = fmt.Sprintf("the certificate of %s is not trusted: %v", server, Innermost(err))
		e.Next = "If it is your own server, give its certificate authority with --ca-file."
	case ConnectionRefused(err) && RefusingProxy(err) != "":
		e.What = fmt.Sprintf("cannot connect to the proxy %s, on the way to %s: nothing listens there", RefusingProxy(err), server)
		e.Next = NextProxy
	case ConnectionRefused(err):
		e.What = "cannot connect to " + server + ": nothing listens there"
		e.Next = "Check --base-url and --authority. If it is a local server, start it with: partnercenter serve"
	case errors.As(err, new(*net.DNSError)):
		e.What = fmt.Sprintf("cannot find %s: %v", server, Innermost(err))
		e.Next = "Check --base-url and --authority, and the network."
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		// Perhaps before the request was sent: by a proxy, for example.
		e.What = "the connection to " + server + " broke before its answer was complete"
		e.Next = "Nothing was lost; try again. If it breaks each time, check the network and the proxy variables (HTTPS_PROXY, NO_PROXY)."
	case isNoHTTP(err):
		e.What = fmt.Sprintf("%s answers what is no proper HTTP, as the API would not: %v", server, Innermost(err))
		e.Next = nextOtherServer
	case known:
		e.What = fmt.Sprintf("cannot reach %s: %v", server, Innermost(err))
		e.Next = "Check --base-url, --authority and the network, then try again."
	default:
		return e, false
	}
	if errors.Is(err, partnercenter.ErrNotSent) {
		e.What += "; the change was not sent"
	}
	return e, true
}

// isNoHTTP reports whether the answer was one that net/http does not take. Most of its
// errors have no type.
func isNoHTTP(err error) bool {
	text := Innermost(err).Error()
	return slices.ContainsFunc([]string{
		"suspiciously long trailer", "header line too long", "response headers exceeded",
		"malformed HTTP", "malformed MIME", "malformed response from server", "chunked", "chunk length", "too many 1xx", "gzip: ",
	}, func(part string) bool { return strings.Contains(text, part) })
}

// ConnectionRefused is errors.Is with [syscall.ECONNREFUSED], and also
// recognises the error number of Windows.
func ConnectionRefused(err error) bool {
	const wsaConnRefused = syscall.Errno(10061)
	return errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, wsaConnRefused)
}

// NextProxy is the advice if a proxy refuses connections.
const NextProxy = "Check the proxy variables (HTTPS_PROXY, NO_PROXY). If it is a local server's proxy, start it with: partnercenter serve --proxy 127.0.0.1:8082"

// RefusingProxy returns the address of the proxy that could not be connected to, or an
// empty string.
func RefusingProxy(err error) string {
	var outer, inner *net.OpError
	if !errors.As(err, &outer) || outer.Op != "proxyconnect" || !errors.As(outer.Err, &inner) || inner.Addr == nil {
		return ""
	}
	return inner.Addr.String()
}

// AddressInUse is errors.Is with [syscall.EADDRINUSE], and also recognises the
// error number of Windows.
func AddressInUse(err error) bool {
	const wsaAddressInUse = syscall.Errno(10048)
	return errors.Is(err, syscall.EADDRINUSE) || errors.Is(err, wsaAddressInUse)
}

// Innermost returns the cause of a url.Error, whose URL is already in the
// message.
func Innermost(err error) error {
	if u := new(url.Error); errors.As(err, &u) {
		return u.Err
	}
	return err
}
