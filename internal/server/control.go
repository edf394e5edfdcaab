package server

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
)

// control returns the control plane: what a test or an operator does to the
// server, on a listener of its own, so that nothing of it shares a port with
// the API.
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
func (s *Server) control() http.Handler {
	mux := http.NewServeMux()
	health := func(answer func(*call) error) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			_ = answer(&call{w: w, r: r, started: time.Now()})
		}
	}
	mux.HandleFunc("GET /livez", health(s.livez))
	mux.HandleFunc("GET /readyz", health(s.readyz))
	mux.HandleFunc("GET /keys", s.controlled(s.issuing(s.listKeys)))
	mux.HandleFunc("POST /keys", s.controlled(s.issuing(s.addKey)))
	mux.HandleFunc("DELETE /keys/{id}", s.controlled(s.issuing(s.revokeKey)))
	mux.HandleFunc("GET /clock", s.controlled(s.showClock))
	mux.HandleFunc("PUT /clock", s.controlled(s.setClock))
	mux.HandleFunc("DELETE /clock", s.controlled(s.resetClock))
	mux.HandleFunc("POST /clock/advance", s.controlled(s.advanceClock))
	mux.HandleFunc("POST /clock/freeze", s.controlled(s.freezeClock))
	mux.HandleFunc("POST /clock/resume", s.controlled(s.resumeClock))
	mux.HandleFunc("POST /tokens", s.controlled(s.issuing(s.mintToken)))
	mux.HandleFunc("GET /users", s.controlled(s.issuing(s.listUsers)))
	mux.HandleFunc("PATCH /users/{upn}", s.controlled(s.issuing(s.changeUser)))
	mux.HandleFunc("GET /apps", s.controlled(s.issuing(s.listApps)))
	mux.HandleFunc("PATCH /apps/{clientId}", s.controlled(s.issuing(s.patchApp)))
	mux.HandleFunc("POST /apps/{clientId}/secrets", s.controlled(s.issuing(s.addSecret)))
	mux.HandleFunc("DELETE /apps/{clientId}/secrets/{id}", s.controlled(s.issuing(s.deleteSecret)))
	mux.HandleFunc("POST /apps/{clientId}/certificates", s.controlled(s.issuing(s.addCertificate)))
	mux.HandleFunc("POST /apps/{clientId}/certificates/{thumbprint}/revoke", s.controlled(s.issuing(s.revokeCertificate)))
	mux.HandleFunc("GET /consents", s.controlled(s.issuing(s.listConsents)))
	mux.HandleFunc("DELETE /consents", s.controlled(s.issuing(s.withdrawConsents)))
	mux.HandleFunc("GET /grants", s.controlled(s.issuing(s.listGrants)))
	mux.HandleFunc("POST /grants/revoke", s.controlled(s.issuing(s.revokeGrantsCall)))
	mux.HandleFunc("GET /identity/faults", s.controlled(s.issuing(s.listFaults)))
	mux.HandleFunc("POST /identity/faults", s.controlled(s.issuing(s.addFault)))
	mux.HandleFunc("DELETE /identity/faults", s.controlled(s.issuing(s.clearFaults)))
	mux.HandleFunc("DELETE /identity/faults/{id}", s.controlled(s.issuing(s.removeFault)))
	// A web page in the user's browser can reach a loopback port; it cannot
	// forge being no page.
	return namedByAddress(http.NewCrossOriginProtection().Handler(mux))
}

// namedByAddress refuses requests to any name but localhost. Whoever owns a
// name can have it lead to this machine and so make a web page of his look like
// one of ours; an address belongs to nobody.
func namedByAddress(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isOwnName(hostName(r)) {
			http.Error(w, "the control plane answers to addresses and localhost only", http.StatusForbidden)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// hostName is the name that a request calls this machine by.
func hostName(r *http.Request) string {
	if name, _, err := net.SplitHostPort(r.Host); err == nil {
		return name
	}
	return r.Host
}

func isOwnName(host string) bool {
	return strings.EqualFold(host, "localhost") || net.ParseIP(strings.Trim(host, "[]")) != nil
}

// issuing refuses a call to the server's own token authority where there is
// none.
func (s *Server) issuing(answer func(*http.Request) (int, any, error)) func(*http.Request) (int, any, error) {
	if s.authority != nil {
		return answer
	}
	return func(*http.Request) (int, any, error) {
		return http.StatusConflict, map[string]string{
			"error": "this server issues no tokens and has no keys: it takes those of Microsoft Entra ID; get a token from " +
				s.tokens.TokenEndpoint() + ", or start the server with --auth builtin",
		}, nil
	}
}

// controlled writes what a control call returns.
func (s *Server) controlled(answer func(*http.Request) (int, any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		status, body, err := answer(r)
		if err != nil {
			s.log.LogAttrs(r.Context(), slog.LevelError, "control call failed", slog.String("route", r.Pattern), slog.String("error", err.Error()))
			status, body = http.StatusInternalServerError, map[string]string{"error": "the call failed; the server's log says why"}
		}
		s.log.LogAttrs(r.Context(), slog.LevelInfo, "control", slog.String("route", r.Pattern), slog.Int("status", status))
		w.Header()["Content-Type"] = contentTypeJSON
		w.WriteHeader(status)
		_ = json.MarshalWrite(w, body)
	}
}

// badControl answers a control call that cannot be meant. The text ends with
// what to do.
func badControl(text string) (int, any, error) {
	return http.StatusBadRequest, map[string]string{"error": text}, nil
}

// readControl reads the JSON body of a control call. An empty body is an empty
// object. The error ends with an example of a body.
func readControl(r *http.Request, body any, example string) error {
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

// controlKey is a signing key as the control plane shows it: without the key.
type controlKey struct {
	ID      string     `json:"id"`
	Created time.Time  `json:"created"`
	Revoked *time.Time `json:"revoked,omitempty"`
}

func (s *Server) listKeys(r *http.Request) (int, any, error) {
	stored, err := s.store.SigningKeys(r.Context())
	if err != nil {
		return 0, nil, err
	}
	keys := make([]controlKey, len(stored))
	for i, k := range stored {
		keys[i] = controlKey{ID: k.ID, Created: k.Created}
		if !k.Revoked.IsZero() {
			keys[i].Revoked = &k.Revoked
		}
	}
	return http.StatusOK, map[string]any{"keys": keys}, nil
}

func (s *Server) addKey(r *http.Request) (int, any, error) {
	s.keyChange.Lock()
	defer s.keyChange.Unlock()
	key, err := addSigningKey(r.Context(), s.store, s.now())
	if err != nil {
		return 0, nil, err
	}
	s.authority.AddKey(key)
	return http.StatusCreated, controlKey{ID: key.ID, Created: key.Created}, nil
}

// revokeKey revokes a key. Revoking the last one makes a new one first, as
// nobody could sign in otherwise.
func (s *Server) revokeKey(r *http.Request) (int, any, error) {
	id := r.PathValue("id")
	s.keyChange.Lock()
	defer s.keyChange.Unlock()
	stored, err := s.store.SigningKeys(r.Context())
	if err != nil {
		return 0, nil, err
	}
	known, others := false, 0
	for _, k := range stored {
		if k.ID == id {
			known = true
		} else if k.Revoked.IsZero() {
			others++
		}
	}
	if !known {
		return http.StatusNotFound, map[string]string{"error": "no such key; GET /keys lists them"}, nil
	}
	if others == 0 {
		key, err := addSigningKey(r.Context(), s.store, s.now())
		if err != nil {
			return 0, nil, err
		}
		s.authority.AddKey(key)
	}
	// The running server stops taking the key's tokens before the database
	// says so; the other way round a failure in between would leave it taking
	// them.
	s.authority.RevokeKey(id)
	if err := s.store.RevokeSigningKey(r.Context(), id); err != nil {
		return 0, nil, err
	}
	return http.StatusOK, map[string]string{"revoked": id}, nil
}
