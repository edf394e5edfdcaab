package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/guid"
	"github.com/partnercenter-go/partnercenter/internal/seed"
)

// Apps returns the partner's app registrations, ordered by name.
func (s *Store) Apps(ctx context.Context, partnerID string) ([]seed.App, error) {
	rows, err := s.read.QueryContext(ctx, `
SELECT client_id, object_id, name, secret, secrets, certificates, redirect_uris, public, multi_tenant, admin_consent, disabled
FROM apps WHERE partner_id = $1 ORDER BY name, client_id`, guid.Key(partnerID))
	list, err := scanAll(rows, err, func(rows *sql.Rows) (a seed.App, err error) {
		var secrets, certificates, redirectURIs []byte
		if err := rows.Scan(&a.ClientID, &a.ObjectID, &a.Name, &a.Secret, &secrets, &certificates, &redirectURIs,
			&a.Public, &a.MultiTenant, &a.AdminConsent, &a.Disabled); err != nil {
			return a, err
		}
		return a, errors.Join(
			readList(secrets, &a.Secrets), readList(certificates, &a.Certificates), readList(redirectURIs, &a.RedirectURIs))
	})
	if err != nil {
		return nil, fmt.Errorf("store: list apps: %w", err)
	}
	return list, nil
}

// readList reads a list out of a column; an empty one is nil.
func readList[T any](column []byte, list *[]T) error {
	if string(column) == "[]" {
		return nil
	}
	return partnercenter.Unmarshal(column, list)
}

// PutApp makes an app registration or replaces all of it, except that without
// a secret or an object id it keeps the stored ones, or gets random ones. It
// fails with [ErrPartnerNotFound] or a [*FieldError].
func (s *Store) PutApp(ctx context.Context, partnerID string, a seed.App) error {
	err := s.inTx(ctx, func(tx *tx) error {
		if err := tx.partnerExists(partnerID); err != nil {
			return err
		}
		var elsewhere bool
		if err := tx.QueryRowContext(tx.ctx, `SELECT EXISTS (SELECT 1 FROM apps WHERE client_id = $1 AND partner_id <> $2)`,
			guid.Key(a.ClientID), guid.Key(partnerID)).Scan(&elsewhere); err != nil {
			return err
		}
		if elsewhere {
			return &seed.FieldError{Field: "clientId", Message: "another partner's app has this id; use another one"}
		}
		w := &writer{tx: tx, stmts: map[string]*sql.Stmt{}}
		return w.putApp(partnerID, a)
	})
	if err != nil {
		return fmt.Errorf("store: put app %s: %w", a.ClientID, err)
	}
	return nil
}

// partnerExists fails with [ErrPartnerNotFound].
func (t *tx) partnerExists(partnerID string) error {
	var exists bool
	err := t.QueryRowContext(t.ctx, `SELECT EXISTS (SELECT 1 FROM partners WHERE partner_id = $1)`, guid.Key(partnerID)).Scan(&exists)
	if err == nil && !exists {
		return ErrPartnerNotFound
	}
	return err
}

// putApp makes or replaces an app registration. What the app leaves out is
// kept as it is stored, or made at random.
func (w *writer) putApp(partnerID string, a seed.App) error {
	if err := a.Check(); err != nil {
		return err
	}
	var kept seed.App
	err := w.tx.QueryRowContext(w.tx.ctx, `SELECT object_id, secret FROM apps WHERE partner_id = $1 AND client_id = $2`,
		guid.Key(partnerID), guid.Key(a.ClientID)).Scan(&kept.ObjectID, &kept.Secret)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		kept = seed.App{ObjectID: guid.New(), Secret: newSecret()}
	case err != nil:
		return err
	}
	if a.ObjectID == "" {
		a.ObjectID = kept.ObjectID
	}
	if a.Secret == "" {
		a.Secret = kept.Secret
	}
	secrets, err1 := partnercenter.Marshal(a.Secrets)
	certificates, err2 := partnercenter.Marshal(a.Certificates)
	redirectURIs, err3 := partnercenter.Marshal(a.RedirectURIs)
	if err := errors.Join(err1, err2, err3); err != nil {
		return err
	}
	_, err = w.exec(`
INSERT INTO apps (partner_id, client_id, object_id, name, secret, secrets, certificates, redirect_uris, public, multi_tenant, admin_consent, disabled)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
ON CONFLICT (partner_id, client_id) DO UPDATE SET
    object_id = excluded.object_id, name = excluded.name, secret = excluded.secret, secrets = excluded.secrets,
    certificates = excluded.certificates, redirect_uris = excluded.redirect_uris, public = excluded.public,
    multi_tenant = excluded.multi_tenant, admin_consent = excluded.admin_consent, disabled = excluded.disabled
WHERE (apps.object_id, apps.name, apps.secret, apps.secrets, apps.certificates, apps.redirect_uris,
       apps.public, apps.multi_tenant, apps.admin_consent, apps.disabled)
   <> (excluded.object_id, excluded.name, excluded.secret, excluded.secrets, excluded.certificates, excluded.redirect_uris,
       excluded.public, excluded.multi_tenant, excluded.admin_consent, excluded.disabled)`,
		guid.Key(partnerID), guid.Key(a.ClientID), guid.Key(a.ObjectID), a.Name, a.Secret,
		string(secrets), string(certificates), string(redirectURIs),
		bit(a.Public), bit(a.MultiTenant), bit(a.AdminConsent), bit(a.Disabled))
	return err
}
