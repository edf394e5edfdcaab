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
SELECT upn, object_id, name, roles, password, mfa = 0, disabled FROM users WHERE partner_id = $1`

func scanUser(rows *sql.Rows) (u seed.User, err error) {
	var roles string
	err = rows.Scan(&u.UserPrincipalName, &u.ObjectID, &u.Name, &roles, &u.Password, &u.WithoutMFA, &u.Disabled)
	for _, role := range ascii.Fields(roles) {
		u.Roles = append(u.Roles, partnercenter.UserRole(role))
	}
	return u, err
}

// Users returns the partner's users, ordered by user principal name.
func (s *Store) Users(ctx context.Context, partnerID string) ([]seed.User, error) {
	return queryAll(ctx, s, "list users", scanUser, selectUsers+` ORDER BY upn_key`, idKey(partnerID))
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
		found, err := rowsOf(bulk.ctx, bulk, scanUser, selectUsers+` AND upn_key = $2`, idKey(partnerID), fold(name))
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
	err = bulk.complete(&u.ObjectID, &u.Password, `SELECT object_id, password FROM users WHERE partner_id = $1 AND upn_key = $2`,
		idKey(partnerID), fold(u.UserPrincipalName))
	if err != nil {
		return err
	}
	var roles []string
	for _, given := range u.Roles {
		roles = append(roles, string(given.Normalize()))
	}
	_, err = bulk.exec(putUserSQL, idKey(partnerID), fold(u.UserPrincipalName), u.UserPrincipalName, idKey(u.ObjectID), u.Name,
		strings.Join(roles, " "), u.Password, boolToInt(!u.WithoutMFA), boolToInt(u.Disabled))
	return err
}
