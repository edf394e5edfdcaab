// Package control is the control plane of the server and what belongs to it: signing
// keys, users and apps, the clock, faults, and the assembly of the token authority or
// of the checker of Microsoft's tokens from the store. It serves no part of the API.
package control

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/clock"
	"github.com/partnercenter-go/partnercenter/internal/issuer"
	"github.com/partnercenter-go/partnercenter/internal/loopback"
	"github.com/partnercenter-go/partnercenter/internal/quote"
	"github.com/partnercenter-go/partnercenter/internal/retryafter"
	"github.com/partnercenter-go/partnercenter/internal/store"
)

// Config configures a [Plane]. Store, Authority or TokenEndpoint, Clock and Health are
// required.
type Config struct {
	Store *store.Store
	// Authority is the server's own. Nil if it accepts tokens of another authority,
	// which issues them at TokenEndpoint.
	Authority     *issuer.Authority
	TokenEndpoint string
	Clock         *clock.Clock
	// Cloud is the cloud that the server emulates: tokens are for its API.
	Cloud  partnercenter.CloudName
	Logger *slog.Logger // nil logs nothing
	// Health answers GET /livez and /readyz.
	Health http.Handler
	// Follow, if not nil, is that of [FollowClock]. It is called before each answer.
	Follow func(context.Context)
	// Forget discards what the server has cached or counted.
	Forget func()
}

// Plane is the control plane of a server: what a test or an operator changes about it.
// It has a listener of its own, so that it never shares a port with the API.
type Plane struct {
	config Config           // with defaults filled in
	now    func() time.Time // of the config's clock

	clockChange sync.Mutex // held while the clock is changed and saved
}

// New returns the control plane of a server.
func New(c Config) *Plane {
	c.Logger = cmp.Or(c.Logger, slog.New(slog.DiscardHandler))
	c.Cloud = cmp.Or(c.Cloud, partnercenter.CloudNameGlobal)
	return &Plane{config: c, now: c.Clock.Now}
}

// Handler serves the control plane. docs/control-plane.md describes bodies and answers.
func (p *Plane) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /livez", p.config.Health)
	mux.Handle("GET /readyz", p.config.Health)
	for pattern, answer := range map[string]handlerFunc{
		"GET /clock":          p.showClock,
		"PUT /clock":          p.setClock,
		"DELETE /clock":       p.changesClock(p.config.Clock.Reset), // follows the system's again
		"POST /clock/advance": p.advanceClock,
		"POST /clock/freeze":  p.changesClock(p.config.Clock.Freeze),
		"POST /clock/resume":  p.changesClock(p.config.Clock.Resume),
	} {
		mux.HandleFunc(pattern, p.serve(answer))
	}
	for pattern, answer := range map[string]handlerFunc{
		"GET /keys":         p.listKeys,
		"POST /keys":        p.addKey,    // which signs from now on
		"DELETE /keys/{id}": p.revokeKey, // invalidates its tokens at once
		"POST /tokens":      p.mintToken, // for a user or, without one, app-only

		"GET /users":                           p.listUsers, // with passwords
		"PATCH /users/{upn}":                   p.changeUser,
		"GET /apps":                            p.listApps, // with secrets
		"PATCH /apps/{clientId}":               p.patchApp,
		"POST /apps/{clientId}/secrets":        p.addSecret,
		"DELETE /apps/{clientId}/secrets/{id}": p.deleteSecret,
		"POST /apps/{clientId}/certificates":   p.addCertificate,
		"POST /apps/{clientId}/certificates/{thumbprint}/revoke": p.revokeCertificate,

		"GET /consents":       p.listConsents, // which apps may act for users
		"DELETE /consents":    p.withdrawConsents,
		"GET /grants":         p.listGrants, // refresh tokens
		"POST /grants/revoke": p.revokeGrantsCall,

		"GET /identity/faults":         p.listFaults, // faults of the token authority
		"POST /identity/faults":        p.addFault,
		"DELETE /identity/faults":      p.clearFaults,
		"DELETE /identity/faults/{id}": p.removeFault,
	} {
		mux.HandleFunc(pattern, p.serve(p.issuing(answer)))
	}
	p.handleProfiles(mux)
	// A web page in the user's browser can reach a loopback port, but it cannot hide
	// that it is a web page.
	return p.refusingWebPages(p.known(mux))
}

// known answers like mux, and in JSON where mux has no answer.
func (p *Plane) known(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h, pattern := mux.Handler(r)
		if pattern != "" {
			mux.ServeHTTP(w, r)
			return
		}
		var m miss
		h.ServeHTTP(&m, r)
		refused := &refusal{http.StatusNotFound, "the control plane has nothing at " + quote.Text(r.URL.Path) + ": docs/control-plane.md has its paths; those of the API are at the API's own address"}
		if allow := m.Header().Get("Allow"); allow != "" {
			w.Header().Set("Allow", allow)
			refused = &refusal{http.StatusMethodNotAllowed, quote.Text(r.URL.Path) + " does not take " + quote.Text(r.Method) + ": use " + allow}
		}
		p.serve(func(*http.Request) (any, error) { return nil, refused })(w, r)
	})
}

// miss keeps only the headers of the answer of a mux that knows no path or method.
type miss struct{ header http.Header }

func (m *miss) Header() http.Header {
	if m.header == nil {
		m.header = http.Header{}
	}
	return m.header
}

func (*miss) WriteHeader(int) {}

func (*miss) Write(text []byte) (int, error) { return len(text), nil }

// refusingWebPages refuses requests to any name but localhost, and those of other
// origins' pages.
func (p *Plane) refusingWebPages(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var text string
		switch {
		case !loopback.IsLocalhostOrAddress(loopback.Host(r)):
			text = "the control plane answers to addresses and localhost only"
		case loopback.IsFromOtherOrigin(r):
			text = "the control plane does not answer to web pages of others: send the request from a program"
		default:
			h.ServeHTTP(w, r)
			return
		}
		p.refuse(w, r, http.StatusForbidden, text)
	})
}

// issuing refuses calls to the server's own token authority where there is none.
func (p *Plane) issuing(handle handlerFunc) handlerFunc {
	if p.config.Authority != nil {
		return handle
	}
	return func(*http.Request) (any, error) {
		return nil, &refusal{http.StatusConflict, "this server issues no tokens and has no keys: it accepts those of Microsoft Entra ID; get a token from " +
			p.config.TokenEndpoint + ", or start the server with --auth builtin"}
	}
}

// A handlerFunc returns the answer to a call, with status 200 unless it is [created].
// An error other than a [refusal] is the server's fault.
type handlerFunc func(*http.Request) (any, error)

// created is an answer with status 201.
type created struct{ value any }

// refusal is an unsuccessful answer. The text ends with what to do.
type refusal struct {
	status int
	text   string
}

func (r *refusal) Error() string { return r.text }

// serve writes what a handler returns.
func (p *Plane) serve(handle handlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if p.config.Follow != nil {
			p.config.Follow(r.Context())
		}
		body, err := handle(r)
		status := http.StatusOK
		if made, ok := body.(created); ok {
			status, body = http.StatusCreated, made.value
		}
		if refused, ok := errors.AsType[*refusal](err); ok {
			status, body = refused.status, map[string]string{"error": refused.text}
		} else if err != nil {
			p.config.Logger.LogAttrs(r.Context(), slog.LevelError, "control call failed", slog.String("route", r.Pattern), slog.String("error", err.Error()))
			status, body = http.StatusInternalServerError, map[string]string{"error": "the call failed; the server's log says why"}
		}
		if unusable, ok := errors.AsType[*store.UnusableError](err); ok {
			retryafter.Set(w.Header(), store.RetryAfter)
			status, body = http.StatusServiceUnavailable, map[string]string{"error": unusable.Problem() + "; " + unusable.Next}
		}
		p.config.Logger.LogAttrs(r.Context(), slog.LevelInfo, "control", slog.String("route", r.Pattern), slog.Int("status", status))
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.WriteHeader(status)
		_ = json.MarshalWrite(w, body)
	}
}

// refuse refuses an invalid call.
func refuse(text string) error { return &refusal{http.StatusBadRequest, text} }

// readBody decodes the JSON body of a call. An empty body is an empty object. The error
// ends with an example of a body.
func readBody(r *http.Request, body any, example string) error {
	data, err := io.ReadAll(r.Body)
	if err != nil {
		return refuse("the body cannot be read; send " + example)
	}
	if len(bytes.TrimSpace(data)) == 0 {
		return nil
	}
	err = json.Unmarshal(data, body, json.RejectUnknownMembers(true))
	if member, ok := errors.AsType[*json.SemanticError](err); ok {
		pointer := strings.TrimPrefix(string(member.JSONPointer), "/")
		if pointer == "" {
			return refuse("the body is not a JSON object; send " + example)
		}
		return refuse(fmt.Sprintf("member %q of the body is unknown or of the wrong type; send %s", pointer, example))
	}
	if err != nil {
		return refuse("the body is not JSON; send " + example)
	}
	return nil
}
