package store

import (
	"context"
	"database/sql"
	"strings"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/seed"
)

const selectUsers = `
SELECT partner_id, upn_key, upn, object_id, name, roles, password, mfa = 0, disabled FROM users WHERE partner_id = $1`

func (s *seals) scanUser(rows *sql.Rows) (u seed.User, err error) {
	var partner, key, roles string
	if err := rows.Scan(&partner, &key, &u.UserPrincipalName, &u.ObjectID, &u.Name, &roles, &u.Password, &u.WithoutMFA, &u.Disabled); err != nil {
		return u, err
	}
	u.Password, err = s.open(at("users", "password", partner, key), u.Password)
	for _, role := range ascii.Fields(roles) {
		u.Roles = append(u.Roles, partnercenter.UserRole(role))
	}
	return u, err
}

// Users returns the partner's users, ordered by user principal name.
func (s *Store) Users(ctx context.Context, partnerID string) ([]seed.User, error) {
	return queryAll(ctx, s, "list users", s.seals.scanUser, selectUsers+` ORDER BY upn_key`, idKey(partnerID))
}

// PutUser creates a user or replaces all of it, except that a missing password or
// object id keeps its stored value, or gets a random one. It fails with
// [ErrPartnerNotFound] or a [*FieldError].
func (s *Store) PutUser(ctx context.Context, partnerID string, u seed.User) error {
	return s.changePartner(ctx, "put user "+u.UserPrincipalName, partnerID, func(bulk *bulkTx) error { return bulk.putUser(partnerID, u) })
}

// ChangeUser changes a user, which it passes to change; nobody else changes it meanwhile.
// It fails as PutUser does, and with [ErrUserNotFound].
func (s *Store) ChangeUser(ctx context.Context, partnerID, name string, change func(*seed.User) error) error {
	return s.changePartner(ctx, "change user "+name, partnerID, func(bulk *bulkTx) error {
		found, err := rowsOf(bulk.ctx, bulk, s.seals.scanUser, selectUsers+` AND upn_key = $2`, idKey(partnerID), fold(name))
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return ErrUserNotFound
		}
		if err := change(&found[0]); err != nil {
			return err
		}
		return bulk.putUser(partnerID, found[0])
	})
}

var putUserSQL = upsert("users", []string{"partner_id", "upn_key"}, []string{"upn", "object_id", "name", "roles", "password", "mfa", "disabled"})

// putUser creates or replaces a user. Missing values are kept as stored, or generated
// at random.
func (bulk *bulkTx) putUser(partnerID string, u seed.User) error {
	if err := u.Check(); err != nil {
		return err
	}
	err := bulk.checkOwner(partnerID, "users WHERE upn_key", fold(u.UserPrincipalName),
		&seed.FieldError{Field: "userPrincipalName", Message: "another partner's user has this name; use another one"})
	if err != nil {
		return err
	}
	p := at("users", "password", idKey(partnerID), fold(u.UserPrincipalName))
	if err := bulk.complete(&u.ObjectID, &u.Password, p); err != nil {
		return err
	}
	password, err := bulk.keep(p, u.Password)
	if err != nil {
		return err
	}
	var roles []string
	for _, given := range u.Roles {
		roles = append(roles, string(given.Normalize()))
	}
	_, err = bulk.exec(putUserSQL, p.key[0], p.key[1], u.UserPrincipalName, idKey(u.ObjectID), u.Name,
		strings.Join(roles, " "), password, boolToInt(!u.WithoutMFA), boolToInt(u.Disabled))
	return err
}
