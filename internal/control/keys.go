package control

import (
	"net/http"
	"time"

	"github.com/partnercenter-go/partnercenter/internal/store"
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
	key, err := changeSigningKeys(r.Context(), p.config.Store, p.now(), func([]store.SigningKey) (keyChange, error) {
		return keyChange{add: true}, nil
	})
	if err != nil {
		return nil, err
	}
	return created{Key{ID: key.ID, Created: key.Created}}, nil
}

// revokeKey revokes a key. With the last one, a new one is generated, as nobody could sign
// in otherwise.
func (p *Plane) revokeKey(r *http.Request) (any, error) {
	id := r.PathValue("id")
	_, err := changeSigningKeys(r.Context(), p.config.Store, p.now(), func(keys []store.SigningKey) (keyChange, error) {
		known, others := false, 0
		for _, k := range keys {
			if k.ID == id {
				known = true
			} else if k.Revoked.IsZero() {
				others++
			}
		}
		if !known {
			return keyChange{}, &refusal{http.StatusNotFound, "no such key; GET /keys lists them"}
		}
		return keyChange{add: others == 0, revoke: []string{id}}, nil
	})
	return map[string]string{"revoked": id}, err
}
