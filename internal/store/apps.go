package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/guid"
	"github.com/partnercenter-go/partnercenter/internal/seed"
)

// Apps returns the partner's app registrations, ordered by name.
func (s *Store) Apps(ctx context.Context, partnerID string) ([]seed.App, error) {
	return queryAll(ctx, s, "list apps", func(rows *sql.Rows) (a seed.App, err error) {
		var secrets, certificates, redirectURIs []byte
		if err := rows.Scan(&a.ClientID, &a.ObjectID, &a.Name, &a.Secret, &secrets, &certificates, &redirectURIs,
			&a.Public, &a.MultiTenant, &a.AdminConsent, &a.Disabled); err != nil {
			return a, err
		}
		return a, errors.Join(
			readList(secrets, &a.Secrets), readList(certificates, &a.Certificates), readList(redirectURIs, &a.RedirectURIs))
	}, `
SELECT client_id, object_id, name, secret, secrets, certificates, redirect_uris, public, multi_tenant, admin_consent, disabled
FROM apps WHERE partner_id = $1 ORDER BY name, client_id`, idKey(partnerID))
}

// readList decodes a list from a column; an empty one is nil.
func readList[T any](column []byte, list *[]T) error {
	if string(column) == "[]" {
		return nil
	}
	return damagedBy(partnercenter.Unmarshal(column, list))
}

// PutApp creates an app registration or replaces all of it, except that a missing
// secret or object id keeps its stored value, or gets a random one. It fails with
// [ErrPartnerNotFound] or a [*FieldError].
func (s *Store) PutApp(ctx context.Context, partnerID string, a seed.App) error {
	return s.putOwn(ctx, partnerID, owned{
		what: "put app " + a.ClientID, from: "apps WHERE client_id", key: idKey(a.ClientID),
		taken: &seed.FieldError{Field: "clientId", Message: "another partner's app has this id; use another one"},
		put:   func(bulk *bulkTx) error { return bulk.putApp(partnerID, a) },
	})
}

// owned is what only one partner can have. Another has it if there is a row of another
// partner in the table and with the key that from and key name.
type owned struct {
	what, from, key string
	taken           *seed.FieldError // the error if another partner has it
	put             func(*bulkTx) error
}

// putOwn creates or replaces it.
func (s *Store) putOwn(ctx context.Context, partnerID string, o owned) error {
	return s.transact(ctx, o.what, func(tx *tx) error {
		var exists, elsewhere bool
		err := tx.QueryRowContext(tx.ctx, `
SELECT EXISTS (SELECT 1 FROM partners WHERE partner_id = $1), EXISTS (SELECT 1 FROM `+o.from+` = $2 AND partner_id <> $1)`,
			idKey(partnerID), o.key).Scan(&exists, &elsewhere)
		switch {
		case err != nil:
			return err
		case !exists:
			return ErrPartnerNotFound
		case elsewhere:
			return o.taken
		}
		tx.changed.shared = Identity
		return o.put(&bulkTx{tx: tx, stmts: map[string]*sql.Stmt{}})
	})
}

// complete sets the object id and the credential that an app or a user lacks: to the
// stored ones, which the query returns, or to random ones.
func (bulk *bulkTx) complete(objectID, credential *string, query string, args ...any) error {
	var keptID, keptCredential string
	err := bulk.QueryRowContext(bulk.ctx, query, args...).Scan(&keptID, &keptCredential)
	if errors.Is(err, sql.ErrNoRows) {
		keptID, keptCredential, err = guid.New(), newSecret(), nil
	}
	*objectID, *credential = cmp.Or(*objectID, keptID), cmp.Or(*credential, keptCredential)
	return err
}

var putAppSQL = upsert("apps", []string{"partner_id", "client_id"}, []string{
	"object_id", "name", "secret", "secrets", "certificates", "redirect_uris", "public", "multi_tenant", "admin_consent", "disabled",
})

// putApp creates or replaces an app registration. Missing values are kept as stored, or
// generated at random.
func (bulk *bulkTx) putApp(partnerID string, a seed.App) error {
	if err := a.Check(); err != nil {
		return err
	}
	err := bulk.complete(&a.ObjectID, &a.Secret, `SELECT object_id, secret FROM apps WHERE partner_id = $1 AND client_id = $2`,
		idKey(partnerID), idKey(a.ClientID))
	if err != nil {
		return err
	}
	secrets, err1 := partnercenter.Marshal(a.Secrets)
	certificates, err2 := partnercenter.Marshal(a.Certificates)
	redirectURIs, err3 := partnercenter.Marshal(a.RedirectURIs)
	if err := errors.Join(err1, err2, err3); err != nil {
		return err
	}
	_, err = bulk.exec(putAppSQL, idKey(partnerID), idKey(a.ClientID), idKey(a.ObjectID), a.Name, a.Secret,
		string(secrets), string(certificates), string(redirectURIs),
		boolToInt(a.Public), boolToInt(a.MultiTenant), boolToInt(a.AdminConsent), boolToInt(a.Disabled))
	return err
}
