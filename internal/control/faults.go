package control

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/partnercenter-go/partnercenter/internal/clock"
	"github.com/partnercenter-go/partnercenter/internal/issuer"
	"github.com/partnercenter-go/partnercenter/internal/store"
	"github.com/partnercenter-go/partnercenter/internal/words"
)

// FaultKeyRollover is the fault that the authority does not inject by itself, as its
// keys are in the store.
const FaultKeyRollover = "key_rollover"

// FaultRequest is the body of POST /identity/faults. Durations are in the clock's form;
// docs/control-plane.md describes the fields.
type FaultRequest struct {
	Fault      string `json:"fault"`
	Tenant     string `json:"tenant,omitzero"`
	ClientID   string `json:"clientId,omitzero"`
	User       string `json:"user,omitzero"`
	Endpoint   string `json:"endpoint,omitzero"`
	RetryAfter string `json:"retryAfter,omitzero"`
	Plain      bool   `json:"plain,omitzero"`
	Status     int    `json:"status,omitzero"`
	For        string `json:"for,omitzero"`
	By         string `json:"by,omitzero"`
	Audience   string `json:"audience,omitzero"`
	Times      int    `json:"times,omitzero"`   // absent: until removed
	KeepKey    bool   `json:"keepKey,omitzero"` // of key_rollover
}

// Fault is a fault in the control plane.
type Fault struct {
	ID string `json:"id"`
	FaultRequest
	Struck int  `json:"struck"`
	Spent  bool `json:"spent"`
}

func newFault(f issuer.ActiveFault) Fault {
	text := func(d time.Duration) string {
		if d == 0 {
			return ""
		}
		return clock.FormatDuration(d)
	}
	return Fault{f.ID, FaultRequest{
		Fault: string(f.Kind), Tenant: f.Tenant, ClientID: f.ClientID, User: f.User, Endpoint: f.Endpoint,
		RetryAfter: text(f.RetryAfter), Plain: f.Plain, Status: f.Status, For: text(f.For), By: text(f.By), Audience: f.Audience, Times: f.Times,
	}, f.Struck, f.Spent()}
}

// addFault is POST /identity/faults.
func (p *Plane) addFault(r *http.Request) (any, error) {
	const example = `{"fault": "mfa_required", "user": "name@domain", "times": 1}`
	var request FaultRequest
	if err := readBody(r, &request, example); err != nil {
		return nil, err
	}
	switch request.Fault {
	case "":
		return nil, refuse("the body does not say which fault; send " + example)
	case FaultKeyRollover:
		return p.rollKeyCall(r, request)
	}
	if request.KeepKey {
		return nil, refuse(request.Fault + " has no keepKey; leave it out")
	}
	fault := issuer.Fault{
		Kind: issuer.FaultKind(request.Fault), Tenant: request.Tenant, ClientID: request.ClientID, User: request.User,
		Times: request.Times, Endpoint: request.Endpoint, Plain: request.Plain, Status: request.Status, Audience: request.Audience,
	}
	for _, d := range []struct {
		name, text string
		into       *time.Duration
	}{{"retryAfter", request.RetryAfter, &fault.RetryAfter}, {"for", request.For, &fault.For}, {"by", request.By, &fault.By}} {
		if d.text == "" {
			continue
		}
		var err error
		if *d.into, err = clock.ParseDuration(d.text); err != nil {
			return nil, refuse(d.name + ": " + err.Error())
		}
	}
	// Whoever asks one of several servers cannot know which of them answers.
	others, err := p.config.Store.OtherServers(r.Context())
	if err != nil {
		return nil, err
	}
	if others > 0 {
		return nil, &refusal{http.StatusConflict, fmt.Sprintf("a fault is one server's, and %s of this database would go on without it: stop all but this one, or inject it at a server with a database of its own",
			words.Count(others, "other server"))}
	}
	added, err := p.config.Authority.AddFault(fault)
	if err != nil {
		return nil, refuse(err.Error())
	}
	return created{newFault(added)}, nil
}

// faultList is the answer of GET /identity/faults.
type faultList struct {
	Faults []Fault `json:"faults"`
	// OtherServers is how many servers of the database have none of them.
	OtherServers int `json:"otherServers,omitzero"`
}

// listFaults is GET /identity/faults.
func (p *Plane) listFaults(r *http.Request) (any, error) {
	others, err := p.config.Store.OtherServers(r.Context())
	if err != nil {
		return nil, err
	}
	list := []Fault{}
	for _, f := range p.config.Authority.Faults() {
		list = append(list, newFault(f))
	}
	return faultList{list, others}, nil
}

// clearFaults is DELETE /identity/faults.
func (p *Plane) clearFaults(*http.Request) (any, error) {
	return map[string]int{"removed": p.config.Authority.ClearFaults()}, nil
}

// removeFault is DELETE /identity/faults/{id}.
func (p *Plane) removeFault(r *http.Request) (any, error) {
	id := r.PathValue("id")
	if !p.config.Authority.RemoveFault(id) {
		return nil, notFound("fault", id, "/identity/faults")
	}
	return map[string]int{"removed": 1}, nil
}

// Rollover is the answer to a key rollover, which takes effect at once.
type Rollover struct {
	Fault   string   `json:"fault"`
	Key     string   `json:"key"`     // signs from now on
	Revoked []string `json:"revoked"` // keys whose tokens are refused from now on
}

func (p *Plane) rollKeyCall(r *http.Request, request FaultRequest) (any, error) {
	if request != (FaultRequest{Fault: FaultKeyRollover, KeepKey: request.KeepKey}) {
		return nil, refuse(fmt.Sprintf("%s affects everybody, at once; send it alone, or with \"keepKey\": true", FaultKeyRollover))
	}
	key, revoked, err := p.RollKey(context.WithoutCancel(r.Context()), request.KeepKey)
	if err != nil {
		return nil, err
	}
	return created{Rollover{Fault: FaultKeyRollover, Key: key, Revoked: revoked}}, nil
}

// RollKey generates a new signing key, and returns its id. Unless the previous keys are
// kept, they are revoked, and tokens that they signed are refused from now on; kept
// keys stay published.
func (p *Plane) RollKey(ctx context.Context, keep bool) (id string, revoked []string, err error) {
	key, err := changeSigningKeys(ctx, p.config.Store, p.now(), func(keys []store.SigningKey) (keyChange, error) {
		revoked = []string{}
		for _, k := range keys {
			if !keep && k.Revoked.IsZero() {
				revoked = append(revoked, k.ID)
			}
		}
		return keyChange{add: true, revoke: revoked}, nil
	})
	if err != nil {
		return "", nil, err
	}
	return key.ID, revoked, nil
}
