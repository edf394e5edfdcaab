package store

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"github.com/partnercenter-go/partnercenter/internal/seed"
)

// Consent says that an app may act for a user, or for every user of a tenant.
type Consent struct {
	TenantID string // of the users; also a customer's, for apps of control panel vendors
	ClientID string
	UserID   string    // object id; empty for the whole tenant
	Scope    string    // what is consented to for users, separated by spaces; opaque here
	AppScope string    // what is consented to for the app itself, likewise
	Created  time.Time // zero means now
}

// PutConsent stores a consent. It replaces an earlier one of the same user, or of the
// same tenant as a whole, to the same app.
func (s *Store) PutConsent(ctx context.Context, c Consent) error {
	if c.Created.IsZero() {
		c.Created = s.now()
	}
	return s.executeShared(ctx, Identity, "put consent to app "+c.ClientID, nil, `
INSERT INTO consents (tenant_id, client_id, user_id, scope, app_scope, created) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (tenant_id, client_id, user_id) DO UPDATE SET scope = excluded.scope, app_scope = excluded.app_scope, created = excluded.created`,
		idKey(c.TenantID), idKey(c.ClientID), idKey(c.UserID), c.Scope, c.AppScope, toMicros(c.Created))
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

// DeleteConsent deletes the consent of a user or, with an empty user id, of a tenant as
// a whole to an app. It is not an error if there is none.
func (s *Store) DeleteConsent(ctx context.Context, tenantID, clientID, userID string) error {
	return s.executeShared(ctx, Identity, "delete consent to app "+clientID, nil, `DELETE FROM consents WHERE tenant_id = $1 AND client_id = $2 AND user_id = $3`,
		idKey(tenantID), idKey(clientID), idKey(userID))
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

// Grant is a family of refresh tokens from one sign-in, as the token authority stores
// it.
type Grant struct {
	ID       string // case-sensitive
	TenantID string
	Expires  time.Time // when the last token has, by every clock
	Data     []byte    // opaque here
}

// SaveGrant stores a grant durably, replacing one with the same id: an issued token is
// still known after a crash, and a used one stays used.
func (s *Store) SaveGrant(ctx context.Context, g Grant) error {
	data := g.Data
	if data == nil {
		data = []byte{} // nil would be NULL
	}
	return s.execute(ctx, "save grant", nil, `
INSERT INTO grants (grant_id, tenant_id, expires, data) VALUES ($1, $2, $3, $4)
ON CONFLICT (grant_id) DO UPDATE SET tenant_id = excluded.tenant_id, expires = excluded.expires, data = excluded.data`,
		g.ID, idKey(g.TenantID), toMicros(g.Expires), data)
}

// DeleteExpiredGrants deletes the grants that have expired by now, and by the system's
// clock.
func (s *Store) DeleteExpiredGrants(ctx context.Context, now time.Time) error {
	return s.execute(ctx, "delete expired grants", nil, `DELETE FROM grants WHERE expires <= $1`, toMicros(s.earlier(now)))
}

// Grants returns all grants that have not expired by both clocks, the first to expire
// first.
func (s *Store) Grants(ctx context.Context) ([]Grant, error) {
	return queryAll(ctx, s, "list grants", func(rows *sql.Rows) (g Grant, err error) {
		var expires int64
		err = rows.Scan(&g.ID, &g.TenantID, &expires, &g.Data)
		g.Expires = time.UnixMicro(expires).UTC()
		if len(g.Data) == 0 {
			g.Data = nil // as not every driver has it
		}
		return g, err
	}, `SELECT grant_id, tenant_id, expires, data FROM grants WHERE expires > $1 ORDER BY expires, grant_id`, toMicros(s.earlier(s.now())))
}
