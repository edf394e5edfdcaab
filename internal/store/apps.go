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

const selectApps = `
SELECT partner_id, client_id, object_id, name, secret, secrets, certificates, redirect_uris, public, multi_tenant, admin_consent, disabled
FROM apps WHERE partner_id = $1`

func (s *seals) scanApp(rows *sql.Rows) (a seed.App, err error) {
	var partner, secrets string
	var certificates, redirectURIs []byte
	if err := rows.Scan(&partner, &a.ClientID, &a.ObjectID, &a.Name, &a.Secret, &secrets, &certificates, &redirectURIs,
		&a.Public, &a.MultiTenant, &a.AdminConsent, &a.Disabled); err != nil {
		return a, err
	}
	var err1, err2 error
	a.Secret, err1 = s.open(at("apps", "secret", partner, a.ClientID), a.Secret)
	secrets, err2 = s.open(at("apps", "secrets", partner, a.ClientID), secrets)
	if err := errors.Join(err1, err2); err != nil {
		return a, err
	}
	return a, errors.Join(
		readList([]byte(secrets), &a.Secrets), readList(certificates, &a.Certificates), readList(redirectURIs, &a.RedirectURIs))
}

// Apps returns the partner's app registrations, ordered by name.
func (s *Store) Apps(ctx context.Context, partnerID string) ([]seed.App, error) {
	return queryAll(ctx, s, "list apps", s.seals.scanApp, selectApps+` ORDER BY name, client_id`, idKey(partnerID))
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
	return s.changePartner(ctx, "put app "+a.ClientID, partnerID, func(bulk *bulkTx) error { return bulk.putApp(partnerID, a) })
}

// ChangeApp changes an app registration, which it passes to change; nobody else changes
// it meanwhile. It fails as PutApp does, and with [ErrAppNotFound].
func (s *Store) ChangeApp(ctx context.Context, partnerID, clientID string, change func(*seed.App) error) error {
	return s.changePartner(ctx, "change app "+clientID, partnerID, func(bulk *bulkTx) error {
		found, err := rowsOf(bulk.ctx, bulk, s.seals.scanApp, selectApps+` AND client_id = $2`, idKey(partnerID), idKey(clientID))
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return ErrAppNotFound
		}
		if err := change(&found[0]); err != nil {
			return err
		}
		return bulk.putApp(partnerID, found[0])
	})
}

// changePartner changes apps or users of a partner. Nobody else does meanwhile.
func (s *Store) changePartner(ctx context.Context, what, partnerID string, change func(*bulkTx) error) error {
	return s.transact(ctx, what, func(tx *tx) error {
		var exists bool
		if err := tx.QueryRowContext(tx.ctx, `SELECT EXISTS (SELECT 1 FROM partners WHERE partner_id = $1)`, idKey(partnerID)).Scan(&exists); err != nil {
			return err
		}
		if !exists {
			return ErrPartnerNotFound
		}
		tx.changed.shared = Identity
		return change(&bulkTx{tx: tx, stmts: map[string]*sql.Stmt{}})
	})
}

// checkOwner fails with taken if another partner has a row of a table and with a key,
// both of which from names.
func (bulk *bulkTx) checkOwner(partnerID, from, key string, taken *seed.FieldError) error {
	var elsewhere bool
	err := bulk.QueryRowContext(bulk.ctx, `SELECT EXISTS (SELECT 1 FROM `+from+` = $2 AND partner_id <> $1)`, idKey(partnerID), key).Scan(&elsewhere)
	if err == nil && elsewhere {
		return taken
	}
	return err
}

// complete sets the object id and the credential that an app or a user lacks: to the
// stored ones, or to random ones. The place is that of the credential.
func (bulk *bulkTx) complete(objectID, credential *string, p place) error {
	var keptID, kept string
	err := p.row(bulk.tx, "object_id, "+p.column).Scan(&keptID, &kept)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		keptID, kept, err = guid.New(), newSecret(), nil
	case err == nil:
		kept, err = bulk.seals.open(p, kept)
	}
	*objectID, *credential = cmp.Or(*objectID, keptID), cmp.Or(*credential, kept)
	return err
}

// keep returns a text as it is to be stored at a place: as it is there, if it is the same.
// Sealed again it would be another.
func (bulk *bulkTx) keep(p place, text string) (string, error) {
	text = validText(text)
	key, err := bulk.sealedBy()
	if err != nil {
		return "", err
	}
	if key != nil {
		var stored string
		err := p.row(bulk.tx, p.column).Scan(&stored)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return "", err
		}
		if before, ok := key.open(p, stored); ok && before == text {
			return stored, nil
		}
	}
	return bulk.seal(p, text)
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
	err := bulk.checkOwner(partnerID, "apps WHERE client_id", idKey(a.ClientID),
		&seed.FieldError{Field: "clientId", Message: "another partner's app has this id; use another one"})
	if err != nil {
		return err
	}
	key := []string{idKey(partnerID), idKey(a.ClientID)}
	if err := bulk.complete(&a.ObjectID, &a.Secret, at("apps", "secret", key...)); err != nil {
		return err
	}
	secrets, err1 := partnercenter.Marshal(a.Secrets)
	certificates, err2 := partnercenter.Marshal(a.Certificates)
	redirectURIs, err3 := partnercenter.Marshal(a.RedirectURIs)
	if err := errors.Join(err1, err2, err3); err != nil {
		return err
	}
	sealedSecret, err1 := bulk.keep(at("apps", "secret", key...), a.Secret)
	sealedSecrets, err2 := bulk.keep(at("apps", "secrets", key...), string(secrets))
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	_, err = bulk.exec(putAppSQL, key[0], key[1], idKey(a.ObjectID), a.Name, sealedSecret,
		sealedSecrets, string(certificates), string(redirectURIs),
		boolToInt(a.Public), boolToInt(a.MultiTenant), boolToInt(a.AdminConsent), boolToInt(a.Disabled))
	return err
}
