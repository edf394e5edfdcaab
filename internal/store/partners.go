package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"
)

// Partners returns all partners, ordered by name.
func (s *Store) Partners(ctx context.Context) ([]Partner, error) {
	rows, err := s.read.QueryContext(ctx,
		`SELECT partner_id, name, domain, mpn_id, country FROM partners ORDER BY name, partner_id`)
	list, err := scanAll(rows, err, func(rows *sql.Rows) (p Partner, err error) {
		return p, rows.Scan(&p.TenantID, &p.Name, &p.Domain, &p.MPNID, &p.Country)
	})
	if err != nil {
		return nil, fmt.Errorf("store: list partners: %w", err)
	}
	return list, nil
}

// IndirectResellers returns the partner's indirect resellers, ordered by name.
func (s *Store) IndirectResellers(ctx context.Context, partnerID string) ([]IndirectReseller, error) {
	rows, err := s.read.QueryContext(ctx, `
SELECT reseller_id, name, mpn_id, location FROM indirect_resellers
WHERE partner_id = $1 ORDER BY name, reseller_id`, guidKey(partnerID))
	list, err := scanAll(rows, err, func(rows *sql.Rows) (r IndirectReseller, err error) {
		return r, rows.Scan(&r.TenantID, &r.Name, &r.MPNID, &r.Location)
	})
	if err != nil {
		return nil, fmt.Errorf("store: list indirect resellers: %w", err)
	}
	return list, nil
}

// Apps returns the partner's app registrations, ordered by name.
func (s *Store) Apps(ctx context.Context, partnerID string) ([]App, error) {
	rows, err := s.read.QueryContext(ctx, `
SELECT client_id, object_id, name, secret FROM apps
WHERE partner_id = $1 ORDER BY name, client_id`, guidKey(partnerID))
	list, err := scanAll(rows, err, func(rows *sql.Rows) (a App, err error) {
		return a, rows.Scan(&a.ClientID, &a.ObjectID, &a.Name, &a.Secret)
	})
	if err != nil {
		return nil, fmt.Errorf("store: list apps: %w", err)
	}
	return list, nil
}

// Users returns the partner's users, ordered by user principal name.
func (s *Store) Users(ctx context.Context, partnerID string) ([]User, error) {
	rows, err := s.read.QueryContext(ctx, `
SELECT upn, object_id, name, roles FROM users WHERE partner_id = $1 ORDER BY upn_key`, guidKey(partnerID))
	list, err := scanAll(rows, err, func(rows *sql.Rows) (u User, err error) {
		var roles string
		err = rows.Scan(&u.UserPrincipalName, &u.ObjectID, &u.Name, &roles)
		for role := range strings.FieldsSeq(roles) {
			u.Roles = append(u.Roles, UserRole(role))
		}
		return u, err
	})
	if err != nil {
		return nil, fmt.Errorf("store: list users: %w", err)
	}
	return list, nil
}

func (w *writer) putPartner(p *Partner) (changed bool, err error) {
	return w.exec(`
INSERT INTO partners (partner_id, name, domain, mpn_id, country) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (partner_id) DO UPDATE SET
    name = excluded.name, domain = excluded.domain, mpn_id = excluded.mpn_id, country = excluded.country
WHERE (partners.name, partners.domain, partners.mpn_id, partners.country)
   <> (excluded.name, excluded.domain, excluded.mpn_id, excluded.country)`,
		guidKey(p.TenantID), p.Name, p.Domain, p.MPNID, p.Country)
}

func (w *writer) putIndirectReseller(partnerID string, r *IndirectReseller) (changed bool, err error) {
	return w.exec(`
INSERT INTO indirect_resellers (partner_id, reseller_id, name, mpn_id, location) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (partner_id, reseller_id) DO UPDATE SET
    name = excluded.name, mpn_id = excluded.mpn_id, location = excluded.location
WHERE (indirect_resellers.name, indirect_resellers.mpn_id, indirect_resellers.location)
   <> (excluded.name, excluded.mpn_id, excluded.location)`,
		guidKey(partnerID), guidKey(r.TenantID), r.Name, r.MPNID, r.Location)
}

// putApp makes or replaces an app registration. What the app leaves out is
// kept as it is stored, or made at random.
func (w *writer) putApp(partnerID string, a App) (changed bool, err error) {
	var kept App
	err = w.tx.QueryRowContext(w.tx.ctx, `SELECT object_id, secret FROM apps WHERE partner_id = $1 AND client_id = $2`,
		guidKey(partnerID), guidKey(a.ClientID)).Scan(&kept.ObjectID, &kept.Secret)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		kept = App{ObjectID: uuid.NewString(), Secret: newSecret()}
	case err != nil:
		return false, err
	}
	if a.ObjectID == "" {
		a.ObjectID = kept.ObjectID
	}
	if a.Secret == "" {
		a.Secret = kept.Secret
	}
	return w.exec(`
INSERT INTO apps (partner_id, client_id, object_id, name, secret) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (partner_id, client_id) DO UPDATE SET
    object_id = excluded.object_id, name = excluded.name, secret = excluded.secret
WHERE (apps.object_id, apps.name, apps.secret) <> (excluded.object_id, excluded.name, excluded.secret)`,
		guidKey(partnerID), guidKey(a.ClientID), guidKey(a.ObjectID), a.Name, a.Secret)
}

// putUser makes or replaces a user. Without an object id the user keeps the one
// that is stored, or gets a random one.
func (w *writer) putUser(partnerID string, u *User) (changed bool, err error) {
	objectID := guidKey(u.ObjectID)
	if objectID == "" {
		err := w.tx.QueryRowContext(w.tx.ctx, `SELECT object_id FROM users WHERE partner_id = $1 AND upn_key = $2`,
			guidKey(partnerID), strings.ToLower(u.UserPrincipalName)).Scan(&objectID)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			objectID = uuid.NewString()
		case err != nil:
			return false, err
		}
	}
	var roles []string
	for _, given := range u.Roles {
		for _, role := range UserRoles() {
			if foldEnum(string(given)) == foldEnum(string(role)) {
				roles = append(roles, string(role))
			}
		}
	}
	return w.exec(`
INSERT INTO users (partner_id, upn_key, upn, object_id, name, roles) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (partner_id, upn_key) DO UPDATE SET
    upn = excluded.upn, object_id = excluded.object_id, name = excluded.name, roles = excluded.roles
WHERE (users.upn, users.object_id, users.name, users.roles)
   <> (excluded.upn, excluded.object_id, excluded.name, excluded.roles)`,
		guidKey(partnerID), strings.ToLower(u.UserPrincipalName), u.UserPrincipalName, objectID, u.Name, strings.Join(roles, " "))
}
