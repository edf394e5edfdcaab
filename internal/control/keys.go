package control

import (
	"net/http"
	"time"
)

// shownKey is a signing key as the control plane shows it: without the key.
type shownKey struct {
	ID      string     `json:"id"`
	Created time.Time  `json:"created"`
	Revoked *time.Time `json:"revoked,omitempty"`
}

func (p *Plane) listKeys(r *http.Request) (int, any, error) {
	stored, err := p.store.SigningKeys(r.Context())
	if err != nil {
		return 0, nil, err
	}
	keys := make([]shownKey, len(stored))
	for i, k := range stored {
		keys[i] = shownKey{ID: k.ID, Created: k.Created}
		if !k.Revoked.IsZero() {
			keys[i].Revoked = &k.Revoked
		}
	}
	return http.StatusOK, map[string]any{"keys": keys}, nil
}

func (p *Plane) addKey(r *http.Request) (int, any, error) {
	p.keyChange.Lock()
	defer p.keyChange.Unlock()
	key, err := addSigningKey(r.Context(), p.store, p.now())
	if err != nil {
		return 0, nil, err
	}
	p.authority.AddKey(key)
	return http.StatusCreated, shownKey{ID: key.ID, Created: key.Created}, nil
}

// revokeKey revokes a key. Revoking the last one makes a new one first, as
// nobody could sign in otherwise.
func (p *Plane) revokeKey(r *http.Request) (int, any, error) {
	id := r.PathValue("id")
	p.keyChange.Lock()
	defer p.keyChange.Unlock()
	stored, err := p.store.SigningKeys(r.Context())
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
		key, err := addSigningKey(r.Context(), p.store, p.now())
		if err != nil {
			return 0, nil, err
		}
		p.authority.AddKey(key)
	}
	// The running server stops taking the key's tokens before the database
	// says so; the other way round a failure in between would leave it taking
	// them.
	p.authority.RevokeKey(id)
	if err := p.store.RevokeSigningKey(r.Context(), id); err != nil {
		return 0, nil, err
	}
	return http.StatusOK, map[string]string{"revoked": id}, nil
}
