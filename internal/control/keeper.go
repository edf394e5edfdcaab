package control

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/issuer"
	"github.com/partnercenter-go/partnercenter/internal/store"
)

// keeper keeps in a store what a token authority knows and remembers.
type keeper struct {
	st *store.Store

	mu   sync.Mutex // guards keys
	keys map[string]*issuer.Key
}

func newKeeper(st *store.Store) *keeper { return &keeper{st: st, keys: make(map[string]*issuer.Key)} }

func (k *keeper) Version() uint64 { return k.st.SharedVersion(store.Identity) }

func (k *keeper) IsBehind() bool { return k.st.IsShared() }

func (k *keeper) Known(ctx context.Context) (*issuer.Known, error) {
	var known issuer.Known
	var err error
	if known.Keys, err = k.signingKeys(ctx); err != nil {
		return nil, unavailable(fmt.Errorf("the signing keys: %w", err))
	}
	if known.Tenants, err = tenants(ctx, k.st); err != nil {
		return nil, unavailable(fmt.Errorf("the tenants: %w", err))
	}
	if known.Consents, err = storedConsents(ctx, k.st); err != nil {
		return nil, unavailable(fmt.Errorf("the consents: %w", err))
	}
	return &known, nil
}

// signingKeys returns the valid keys, newest first: the first one signs. Every server has
// them in the same order. They are parsed once.
func (k *keeper) signingKeys(ctx context.Context) ([]*issuer.Key, error) {
	stored, err := k.st.SigningKeys(ctx)
	if err != nil {
		return nil, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	var keys []*issuer.Key
	for _, s := range stored {
		if !s.Revoked.IsZero() {
			continue
		}
		key := k.keys[s.ID]
		if key == nil {
			if key, err = issuer.ParseKey(s.ID, s.PEM, s.Created); err != nil {
				return nil, err
			}
			k.keys[s.ID] = key
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// storedConsents returns the consents that a store has.
func storedConsents(ctx context.Context, st *store.Store) ([]issuer.Consent, error) {
	stored, err := st.Consents(ctx)
	list := make([]issuer.Consent, 0, len(stored))
	for _, c := range stored {
		list = append(list, issuerConsent(&c))
	}
	return list, err
}

func issuerConsent(c *store.Consent) issuer.Consent {
	return issuer.Consent{
		TenantID: c.TenantID, ClientID: c.ClientID, UserID: c.UserID,
		Resources: ascii.Fields(c.Scope), AppResources: ascii.Fields(c.AppScope),
	}
}

func (k *keeper) ChangeConsent(ctx context.Context, of issuer.Consent, change func(*issuer.Consent) error) error {
	return unavailable(k.st.ChangeConsent(ctx, of.TenantID, of.ClientID, of.UserID, func(stored *store.Consent) error {
		c := issuerConsent(stored)
		if err := change(&c); err != nil {
			return err
		}
		stored.Scope, stored.AppScope = strings.Join(c.Resources, " "), strings.Join(c.AppResources, " ")
		return nil
	}))
}

func (k *keeper) Record(ctx context.Context, kind, id string) (*issuer.Record, error) {
	stored, err := k.st.SignIn(ctx, kind, id)
	if stored == nil || err != nil {
		return nil, unavailable(err)
	}
	r := issuer.Record(*stored)
	return &r, nil
}

func (k *keeper) Records(ctx context.Context, kind string) ([]issuer.Record, error) {
	stored, err := k.st.SignIns(ctx, kind)
	list := make([]issuer.Record, len(stored))
	for i := range stored {
		list[i] = issuer.Record(stored[i])
	}
	return list, unavailable(err)
}

func (k *keeper) PutRecord(ctx context.Context, r issuer.Record) (bool, error) {
	var shared store.Shared
	if r.Kind == issuer.KindStolen {
		shared = store.Identity
	}
	ok, err := k.st.PutSignIn(ctx, store.SignIn(r), shared)
	return ok, unavailable(err)
}

func (k *keeper) DeleteRecord(ctx context.Context, r issuer.Record) (bool, error) {
	ok, err := k.st.DeleteSignIn(ctx, store.SignIn(r))
	return ok, unavailable(err)
}

func (k *keeper) TrimRecords(ctx context.Context, kind string, keep, limit int) error {
	return unavailable(k.st.TrimSignIns(ctx, kind, keep, limit))
}

// unavailable tells the authority that it is not to blame for an error: nothing can be
// written or read at the moment.
func unavailable(err error) error {
	if errors.As(err, new(*store.UnusableError)) {
		return fmt.Errorf("%w: %w", issuer.ErrUnavailable, err)
	}
	return err
}
