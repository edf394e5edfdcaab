// Package control is the control plane of the server and what stands beside its
// API: signing keys, users and apps, the clock, faults, and the assembly of the
// token authority or of the checker of Microsoft's tokens from what the store
// holds. It answers nothing of the API's.
package control

import (
	"bytes"
	"cmp"
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
	"github.com/partnercenter-go/partnercenter/internal/store"
)

// Config is what a [Plane] is made of. Store, Authority or TokenEndpoint, Clock
// and Health are required.
type Config struct {
	Store *store.Store
	// Authority is the server's own. Nil where it takes tokens of somebody else's,
	// who gives them at TokenEndpoint.
	Authority     *issuer.Authority
	TokenEndpoint string
	Clock         *clock.Clock
	// Cloud is the one that the server plays: its API is what tokens are for.
	Cloud  partnercenter.CloudName
	Logger *slog.Logger // nil logs nothing
	// Health answers GET /livez and /readyz.
	Health http.Handler
	// Forget drops what the server has worked out or counted by now.
	Forget func()
}

// Plane is the control plane of a server: what a test or an operator does to
// it, on a listener of its own, so that nothing of it shares a port with the API.
type Plane struct {
	store         *store.Store
	authority     *issuer.Authority // nil: the server issues no tokens
	tokenEndpoint string
	clock         *clock.Clock
	now           func() time.Time // of clock
	cloud         partnercenter.CloudName
	log           *slog.Logger
	health        http.Handler
	forget        func()

	clockChange     sync.Mutex // held while the clock is changed and saved
	directoryChange sync.Mutex // held while an app or a user is changed
	keyChange       sync.Mutex // held while signing keys are, so that one always stays
}

// New returns the control plane of a server.
func New(c Config) *Plane {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return &Plane{
		store: c.Store, authority: c.Authority, tokenEndpoint: c.TokenEndpoint, clock: c.Clock, now: c.Clock.Now,
		cloud: cmp.Or(c.Cloud, partnercenter.NamedGlobal), log: c.Logger, health: c.Health, forget: c.Forget,
	}
}

// Handler answers the calls of the control plane:
//
//	GET    /livez, /readyz   health
//	GET    /keys             the token authority's signing keys
//	POST   /keys             adds a signing key, which signs from now on
//	DELETE /keys/{id}        revokes one: its tokens stop at once
//	GET    /clock            what the server's clock shows
//	PUT    /clock            {"now": "2026-03-01T09:30:00Z"} sets it
//	DELETE /clock            has it follow the system's clock again
//	POST   /clock/advance    {"by": "7d"} moves it forwards
//	POST   /clock/freeze     stops it
//	POST   /clock/resume     lets it run on
//	POST   /tokens           {"user": "name@domain"} gives a token, of an app
//	                         for a user or, without one, of an app alone
//	GET    /users            who can sign in, with passwords
//	PATCH  /users/{upn}      {"mfa": false} changes a user
//	GET    /apps             what can sign in, with secrets
//	PATCH  /apps/{clientId}  {"public": true} changes an app
//	POST   /apps/{clientId}/secrets, DELETE …/secrets/{id}
//	POST   /apps/{clientId}/certificates, POST …/certificates/{thumbprint}/revoke
//	GET    /consents         which apps may act for users; DELETE takes back
//	GET    /grants           refresh tokens; POST /grants/revoke ends them
//	GET    /identity/faults  trouble that the token authority makes; POST adds
//	                         some, DELETE (of one or all) ends it
//
// docs/control-plane.md describes bodies and answers.
func (p *Plane) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /livez", p.health)
	mux.Handle("GET /readyz", p.health)
	mux.HandleFunc("GET /keys", p.controlled(p.issuing(p.listKeys)))
	mux.HandleFunc("POST /keys", p.controlled(p.issuing(p.addKey)))
	mux.HandleFunc("DELETE /keys/{id}", p.controlled(p.issuing(p.revokeKey)))
	mux.HandleFunc("GET /clock", p.controlled(p.showClock))
	mux.HandleFunc("PUT /clock", p.controlled(p.setClock))
	mux.HandleFunc("DELETE /clock", p.controlled(p.resetClock))
	mux.HandleFunc("POST /clock/advance", p.controlled(p.advanceClock))
	mux.HandleFunc("POST /clock/freeze", p.controlled(p.freezeClock))
	mux.HandleFunc("POST /clock/resume", p.controlled(p.resumeClock))
	mux.HandleFunc("POST /tokens", p.controlled(p.issuing(p.mintToken)))
	mux.HandleFunc("GET /users", p.controlled(p.issuing(p.listUsers)))
	mux.HandleFunc("PATCH /users/{upn}", p.controlled(p.issuing(p.changeUser)))
	mux.HandleFunc("GET /apps", p.controlled(p.issuing(p.listApps)))
	mux.HandleFunc("PATCH /apps/{clientId}", p.controlled(p.issuing(p.patchApp)))
	mux.HandleFunc("POST /apps/{clientId}/secrets", p.controlled(p.issuing(p.addSecret)))
	mux.HandleFunc("DELETE /apps/{clientId}/secrets/{id}", p.controlled(p.issuing(p.deleteSecret)))
	mux.HandleFunc("POST /apps/{clientId}/certificates", p.controlled(p.issuing(p.addCertificate)))
	mux.HandleFunc("POST /apps/{clientId}/certificates/{thumbprint}/revoke", p.controlled(p.issuing(p.revokeCertificate)))
	mux.HandleFunc("GET /consents", p.controlled(p.issuing(p.listConsents)))
	mux.HandleFunc("DELETE /consents", p.controlled(p.issuing(p.withdrawConsents)))
	mux.HandleFunc("GET /grants", p.controlled(p.issuing(p.listGrants)))
	mux.HandleFunc("POST /grants/revoke", p.controlled(p.issuing(p.revokeGrantsCall)))
	mux.HandleFunc("GET /identity/faults", p.controlled(p.issuing(p.listFaults)))
	mux.HandleFunc("POST /identity/faults", p.controlled(p.issuing(p.addFault)))
	mux.HandleFunc("DELETE /identity/faults", p.controlled(p.issuing(p.clearFaults)))
	mux.HandleFunc("DELETE /identity/faults/{id}", p.controlled(p.issuing(p.removeFault)))
	// A web page in the user's browser can reach a loopback port; it cannot
	// forge being no page.
	return namedByAddress(http.NewCrossOriginProtection().Handler(mux))
}

// namedByAddress refuses requests to any name but localhost.
func namedByAddress(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !loopback.IsNobodys(loopback.Host(r)) {
			http.Error(w, "the control plane answers to addresses and localhost only", http.StatusForbidden)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// issuing refuses a call to the server's own token authority where there is
// none.
func (p *Plane) issuing(answer func(*http.Request) (int, any, error)) func(*http.Request) (int, any, error) {
	if p.authority != nil {
		return answer
	}
	return func(*http.Request) (int, any, error) {
		return http.StatusConflict, map[string]string{
			"error": "this server issues no tokens and has no keys: it takes those of Microsoft Entra ID; get a token from " +
				p.tokenEndpoint + ", or start the server with --auth builtin",
		}, nil
	}
}

// controlled writes what a control call returns.
func (p *Plane) controlled(answer func(*http.Request) (int, any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		status, body, err := answer(r)
		if err != nil {
			p.log.LogAttrs(r.Context(), slog.LevelError, "control call failed", slog.String("route", r.Pattern), slog.String("error", err.Error()))
			status, body = http.StatusInternalServerError, map[string]string{"error": "the call failed; the server's log says why"}
		}
		p.log.LogAttrs(r.Context(), slog.LevelInfo, "control", slog.String("route", r.Pattern), slog.Int("status", status))
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.WriteHeader(status)
		_ = json.MarshalWrite(w, body)
	}
}

// refuse answers a control call that cannot be meant. The text ends with
// what to do.
func refuse(text string) (int, any, error) {
	return http.StatusBadRequest, map[string]string{"error": text}, nil
}

// readBody reads the JSON body of a control call. An empty body is an empty
// object. The error ends with an example of a body.
func readBody(r *http.Request, body any, example string) error {
	data, err := io.ReadAll(r.Body)
	if err != nil {
		return fmt.Errorf("the body cannot be read; send %s", example)
	}
	if len(bytes.TrimSpace(data)) == 0 {
		return nil
	}
	err = json.Unmarshal(data, body, json.RejectUnknownMembers(true))
	if member, ok := errors.AsType[*json.SemanticError](err); ok {
		at := strings.TrimPrefix(string(member.JSONPointer), "/")
		if at == "" {
			return fmt.Errorf("the body is no JSON object; send %s", example)
		}
		return fmt.Errorf("member %q of the body is unknown or of the wrong type; send %s", at, example)
	}
	if err != nil {
		return fmt.Errorf("the body is not JSON; send %s", example)
	}
	return nil
}
