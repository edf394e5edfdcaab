package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/guid"
	"github.com/partnercenter-go/partnercenter/internal/seed"
)

// Users returns the partner's users, ordered by user principal name.
func (s *Store) Users(ctx context.Context, partnerID string) ([]seed.User, error) {
	rows, err := s.read.QueryContext(ctx, `
SELECT upn, object_id, name, roles, password, mfa = 0, disabled FROM users
WHERE partner_id = $1 ORDER BY upn_key`, guid.Key(partnerID))
	list, err := scanAll(rows, err, func(rows *sql.Rows) (u seed.User, err error) {
		var roles string
		err = rows.Scan(&u.UserPrincipalName, &u.ObjectID, &u.Name, &roles, &u.Password, &u.WithoutMFA, &u.Disabled)
		for role := range strings.FieldsSeq(roles) {
			u.Roles = append(u.Roles, partnercenter.UserRole(role))
		}
		return u, err
	})
	if err != nil {
		return nil, fmt.Errorf("store: list users: %w", err)
	}
	return list, nil
}

// PutUser makes a user or replaces all of it, except that without a password or
// an object id it keeps the stored ones, or gets random ones. It fails with
// [ErrPartnerNotFound] or a [*FieldError].
func (s *Store) PutUser(ctx context.Context, partnerID string, u seed.User) error {
	err := s.inTx(ctx, func(tx *tx) error {
		if err := tx.partnerExists(partnerID); err != nil {
			return err
		}
		var elsewhere bool
		if err := tx.QueryRowContext(tx.ctx, `SELECT EXISTS (SELECT 1 FROM users WHERE upn_key = $1 AND partner_id <> $2)`,
			strings.ToLower(u.UserPrincipalName), guid.Key(partnerID)).Scan(&elsewhere); err != nil {
			return err
		}
		if elsewhere {
			return &seed.FieldError{Field: "userPrincipalName", Message: "another partner's user has this name; use another one"}
		}
		w := &writer{tx: tx, stmts: map[string]*sql.Stmt{}}
		return w.putUser(partnerID, u)
	})
	if err != nil {
		return fmt.Errorf("store: put user %s: %w", u.UserPrincipalName, err)
	}
	return nil
}

// putUser makes or replaces a user. What the user leaves out is kept as it is
// stored, or made at random.
func (w *writer) putUser(partnerID string, u seed.User) error {
	if err := u.Check(); err != nil {
		return err
	}
	var kept seed.User
	err := w.tx.QueryRowContext(w.tx.ctx, `SELECT object_id, password FROM users WHERE partner_id = $1 AND upn_key = $2`,
		guid.Key(partnerID), strings.ToLower(u.UserPrincipalName)).Scan(&kept.ObjectID, &kept.Password)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		kept = seed.User{ObjectID: guid.New(), Password: newSecret()}
	case err != nil:
		return err
	}
	if u.ObjectID == "" {
		u.ObjectID = kept.ObjectID
	}
	if u.Password == "" {
		u.Password = kept.Password
	}
	var roles []string
	for _, given := range u.Roles {
		role, _ := seed.KnownRole(given)
		roles = append(roles, string(role))
	}
	_, err = w.exec(`
INSERT INTO users (partner_id, upn_key, upn, object_id, name, roles, password, mfa, disabled)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (partner_id, upn_key) DO UPDATE SET
    upn = excluded.upn, object_id = excluded.object_id, name = excluded.name, roles = excluded.roles,
    password = excluded.password, mfa = excluded.mfa, disabled = excluded.disabled
WHERE (users.upn, users.object_id, users.name, users.roles, users.password, users.mfa, users.disabled)
   <> (excluded.upn, excluded.object_id, excluded.name, excluded.roles, excluded.password, excluded.mfa, excluded.disabled)`,
		guid.Key(partnerID), strings.ToLower(u.UserPrincipalName), u.UserPrincipalName, guid.Key(u.ObjectID), u.Name,
		strings.Join(roles, " "), u.Password, bit(!u.WithoutMFA), bit(u.Disabled))
	return err
}
