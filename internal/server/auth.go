package server

import (
	"errors"
	"mime"
	"net/http"
	"strings"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/entra"
	"github.com/partnercenter-go/partnercenter/internal/token"
)

// tokenChecker checks tokens: the server's own authority, or the checker of Microsoft's
// tokens.
type tokenChecker interface {
	// Verify returns the claims of a valid token.
	Verify(text string) (*token.Claims, error)
	// Lookup finds the handler for a path of a token authority.
	Lookup(path string) (pattern string, h http.Handler, ok bool)
	// BaseURL returns the server's address that the request was sent to.
	BaseURL(r *http.Request) string
	// TokenEndpoint is where clients get tokens, with {tenant} in it.
	TokenEndpoint() string
}

// nextSignIn tells a caller without a token how to get one.
func (s *Server) nextSignIn() string {
	return "Get a token from " + s.tokens.TokenEndpoint() + " and send it as Authorization: Bearer <token>."
}

// authenticate checks the call's token.
func (s *Server) authenticate(c *call) error {
	if s.config.Caller != nil {
		c.claims = s.config.Caller
		return s.refuseWebPages(c.r)
	}
	values := c.r.Header["Authorization"]
	switch len(values) {
	case 0:
		return errUnauthorized(partnercenter.ErrorCodeTokenMissing, "Partner token missing in request context. "+s.nextSignIn())
	case 1:
	default:
		return errUnauthorized(partnercenter.ErrorCodeAccessDenied, "Access denied: the request has more than one Authorization header. Send one.")
	}
	scheme, text, _ := strings.Cut(values[0], " ")
	text = ascii.TrimSpace(text)
	if !ascii.EqualFold(scheme, "Bearer") || text == "" {
		return errUnauthorized(partnercenter.ErrorCodeTokenMissing, "Partner token missing in request context: the Authorization header holds no bearer token. "+s.nextSignIn())
	}
	claims, err := s.tokens.Verify(text)
	if refused, ok := errors.AsType[*token.VerifyError](err); ok {
		if refused.Reason == token.ReasonAudience {
			return s.config.Edition.refuseAudience(refused)
		}
		return errAccessDenied(refused)
	}
	if unavailable, ok := errors.AsType[*entra.UnavailableError](err); ok {
		return errUnavailable(unavailable)
	}
	if err != nil {
		return err
	}
	c.claims = claims
	if err := s.config.Edition.refuseGraph(claims); err != nil {
		return err
	}
	if claims.HasUser() && !claims.MFA {
		return errNeedsMFA
	}
	return nil
}

// checkRequest refuses what no route here accepts, and reads the query.
func (c *call) checkRequest(route *Route) (err error) {
	if c.r.ContentLength != 0 && (c.r.Method == http.MethodGet || c.r.Method == http.MethodHead) {
		return errBodyOnGet
	}
	if accept := c.r.Header["Accept"]; len(accept) > 0 && !route.Binary && !acceptsJSON(accept) {
		return errNotAcceptable(strings.Join(accept, ", "))
	}
	c.query, err = parseQuery(c.r.URL.RawQuery)
	return err
}

// acceptsJSON reports whether Accept headers allow JSON.
func acceptsJSON(accept []string) bool {
	for _, header := range accept {
		if header == "application/json" || header == "" {
			return true
		}
		for part := range strings.SplitSeq(header, ",") {
			kind, parameters, err := mime.ParseMediaType(part)
			if err != nil {
				continue
			}
			if q := parameters["q"]; q != "" && strings.Trim(q, "0.") == "" {
				continue // q=0 excludes the type
			}
			switch kind {
			case "application/json", "application/*", "*/*", "text/json", "*":
				return true
			}
		}
	}
	return false
}
