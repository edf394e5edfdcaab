package store

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"

	"github.com/partnercenter-go/partnercenter/internal/seed"
)

// Consent says that an app may act for a user, or for every user of a tenant.
type Consent struct {
	TenantID string // of the users; also a customer's, for apps of control panel vendors
	ClientID string
	UserID   string // object id; empty for the whole tenant
	Scope    string // what is consented to for users, separated by spaces; opaque here
	AppScope string // what is consented to for the app itself, likewise
	Created  time.Time
}

// ChangeConsent changes the consent of a user or, with an empty user id, of a tenant as a
// whole to an app, which is empty if there is none. Nobody else changes it meanwhile. If
// nothing is consented to afterwards, the consent is deleted.
func (s *Store) ChangeConsent(ctx context.Context, tenantID, clientID, userID string, change func(*Consent) error) error {
	return s.transact(ctx, "change consent to app "+clientID, func(tx *tx) error {
		c := Consent{TenantID: idKey(tenantID), ClientID: idKey(clientID), UserID: idKey(userID)}
		err := tx.QueryRowContext(tx.ctx, `SELECT scope, app_scope FROM consents WHERE tenant_id = $1 AND client_id = $2 AND user_id = $3`,
			c.TenantID, c.ClientID, c.UserID).Scan(&c.Scope, &c.AppScope)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if err := change(&c); err != nil {
			return err
		}
		tx.changed.shared = Identity
		if c.Scope+c.AppScope == "" {
			_, err = tx.exec(`DELETE FROM consents WHERE tenant_id = $1 AND client_id = $2 AND user_id = $3`, c.TenantID, c.ClientID, c.UserID)
			return err
		}
		if c.Created.IsZero() {
			c.Created = tx.now
		}
		_, err = tx.exec(`
INSERT INTO consents (tenant_id, client_id, user_id, scope, app_scope, created) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (tenant_id, client_id, user_id) DO UPDATE SET scope = excluded.scope, app_scope = excluded.app_scope, created = excluded.created`,
			c.TenantID, c.ClientID, c.UserID, c.Scope, c.AppScope, toMicros(c.Created))
		return err
	})
}

// loadConsent creates or replaces the consent of a partner's administrator.
func (bulk *bulkTx) loadConsent(partnerID string, c seed.Consent) error {
	_, err := bulk.exec(`
INSERT INTO consents (tenant_id, client_id, user_id, scope, app_scope, created) VALUES ($1, $2, '', $3, $4, $5)
ON CONFLICT (tenant_id, client_id, user_id) DO UPDATE SET scope = excluded.scope, app_scope = excluded.app_scope, created = excluded.created
WHERE (consents.scope, consents.app_scope) <> (excluded.scope, excluded.app_scope)`,
		idKey(partnerID), idKey(c.ClientID), strings.Join(c.Resources, " "), strings.Join(c.AppResources, " "), toMicros(bulk.now))
	return err
}

// Consents returns all consents, ordered by tenant, app and user; the one of the whole
// tenant comes first.
func (s *Store) Consents(ctx context.Context) ([]Consent, error) {
	return queryAll(ctx, s, "list consents", func(rows *sql.Rows) (c Consent, err error) {
		var created int64
		err = rows.Scan(&c.TenantID, &c.ClientID, &c.UserID, &c.Scope, &c.AppScope, &created)
		c.Created = time.UnixMicro(created).UTC()
		return c, err
	}, `SELECT tenant_id, client_id, user_id, scope, app_scope, created FROM consents ORDER BY tenant_id, client_id, user_id`)
}
