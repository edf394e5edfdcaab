package control

import (
	"context"
	"net/http"
	"time"

	"github.com/partnercenter-go/partnercenter/internal/issuer"
)

// Key is a signing key in the control plane, without the key itself.
type Key struct {
	ID      string     `json:"id"`
	Created time.Time  `json:"created"`
	Revoked *time.Time `json:"revoked,omitempty"`
}

func (p *Plane) listKeys(r *http.Request) (any, error) {
	stored, err := p.config.Store.SigningKeys(r.Context())
	if err != nil {
		return nil, err
	}
	keys := make([]Key, len(stored))
	for i, k := range stored {
		keys[i] = Key{ID: k.ID, Created: k.Created}
		if !k.Revoked.IsZero() {
			keys[i].Revoked = &k.Revoked
		}
	}
	return map[string]any{"keys": keys}, nil
}

func (p *Plane) addKey(r *http.Request) (any, error) {
	p.keyChange.Lock()
	defer p.keyChange.Unlock()
	key, err := p.startKey(r.Context())
	if err != nil {
		return nil, err
	}
	return created{Key{ID: key.ID, Created: key.Created}}, nil
}

// revokeKey revokes a key. Before the last one is revoked, a new one is generated, as
// nobody could sign in otherwise.
func (p *Plane) revokeKey(r *http.Request) (any, error) {
	id := r.PathValue("id")
	p.keyChange.Lock()
	defer p.keyChange.Unlock()
	stored, err := p.config.Store.SigningKeys(r.Context())
	if err != nil {
		return nil, err
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
		return nil, &refusal{http.StatusNotFound, "no such key; GET /keys lists them"}
	}
	if others == 0 {
		if _, err := p.startKey(r.Context()); err != nil {
			return nil, err
		}
	}
	return map[string]string{"revoked": id}, p.endKey(r.Context(), id)
}

// startKey generates a new signing key.
func (p *Plane) startKey(ctx context.Context) (*issuer.Key, error) {
	key, err := addSigningKey(ctx, p.config.Store, p.now())
	if err == nil {
		p.config.Authority.AddKey(key)
	}
	return key, err
}

// endKey revokes a key, in the running server before the database. In the reverse
// order, a failure in between would leave the server accepting its tokens.
func (p *Plane) endKey(ctx context.Context, id string) error {
	p.config.Authority.RevokeKey(id)
	return p.config.Store.RevokeSigningKey(ctx, id)
}
