package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// SigningKey is a private key that tokens are signed with.
type SigningKey struct {
	ID      string
	PEM     []byte
	Created time.Time
	Revoked time.Time // zero while valid
}

// SigningKeys returns all signing keys, including revoked ones, newest first.
func (s *Store) SigningKeys(ctx context.Context) ([]SigningKey, error) {
	return queryAll(ctx, s, "list signing keys", func(rows *sql.Rows) (k SigningKey, err error) {
		var created, revoked int64
		err = rows.Scan(&k.ID, &k.PEM, &created, &revoked)
		k.Created = time.UnixMicro(created).UTC()
		if revoked != 0 {
			k.Revoked = time.UnixMicro(revoked).UTC()
		}
		return k, err
	}, `SELECT key_id, pem, created, revoked FROM signing_keys ORDER BY created DESC, key_id`)
}

// AddSigningKey stores a new signing key; without Created it is created now. It fails
// with [ErrKeyExists].
func (s *Store) AddSigningKey(ctx context.Context, k SigningKey) error {
	if k.Created.IsZero() {
		k.Created = s.now()
	}
	return s.executeShared(ctx, Identity, fmt.Sprintf("add signing key %q", k.ID), ErrKeyExists, `
INSERT INTO signing_keys (key_id, pem, created, revoked) VALUES ($1, $2, $3, $4)
ON CONFLICT (key_id) DO NOTHING`, k.ID, k.PEM, toMicros(k.Created), toMicros(k.Revoked))
}

// RevokeSigningKey revokes a signing key now; one that is revoked already keeps its
// date. It fails with [ErrKeyNotFound].
func (s *Store) RevokeSigningKey(ctx context.Context, id string) error {
	return s.executeShared(ctx, Identity, fmt.Sprintf("revoke signing key %q", id), ErrKeyNotFound, `
UPDATE signing_keys SET revoked = CASE WHEN revoked = 0 THEN $2 ELSE revoked END WHERE key_id = $1`, id, toMicros(s.now()))
}

// Names in the table settings. Secrets and the settings of callers follow a prefix.
const (
	settingLoaded = "loaded" // when something was first loaded
	settingSecret = "secret/"
	settingKept   = "kept/"
	settingProbe  = "probe" // what Ping tries to write
)

// Setting returns what PutSetting stored under a name, or nil.
func (s *Store) Setting(ctx context.Context, name string) ([]byte, error) {
	var value []byte
	err := s.read.QueryRowContext(ctx, `SELECT value FROM settings WHERE name = $1`, settingKept+name).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return value, s.wrapError(fmt.Sprintf("setting %q", name), err)
}

// PutSetting stores a value under a name, replacing an earlier one. An empty value
// deletes it.
func (s *Store) PutSetting(ctx context.Context, name string, value []byte) error {
	what := fmt.Sprintf("keep setting %q", name)
	if len(value) == 0 {
		return s.executeShared(ctx, Settings, what, nil, `DELETE FROM settings WHERE name = $1`, settingKept+name)
	}
	return s.executeShared(ctx, Settings, what, nil, putSettingSQL, settingKept+name, value)
}

const putSettingSQL = `
INSERT INTO settings (name, value) VALUES ($1, $2)
ON CONFLICT (name) DO UPDATE SET value = excluded.value`

// ChangeClock replaces the setting with a name, that of the clock which everything here is
// counted by, by what change makes of it, with no other change in between. Limits are
// counted anew. If change fails, or nothing can be stored, nothing has changed.
func (s *Store) ChangeClock(ctx context.Context, name string, change func(before []byte) (after []byte, err error)) error {
	return s.transact(ctx, "change the clock", func(tx *tx) error {
		tx.changed.shared |= Settings
		var before []byte
		err := tx.QueryRowContext(ctx, `SELECT value FROM settings WHERE name = $1`, settingKept+name).Scan(&before)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		after, err := change(before)
		if err != nil {
			return err
		}
		if s.pg != nil {
			if _, err := tx.exec(`DELETE FROM windows`); err != nil {
				return err
			}
		}
		if len(after) == 0 {
			_, err = tx.exec(`DELETE FROM settings WHERE name = $1`, settingKept+name)
			return err
		}
		_, err = tx.exec(putSettingSQL, settingKept+name, after)
		return err
	})
}

// Secret returns the random secret with a name. It is generated, with size bytes, when
// first requested, and never changes.
func (s *Store) Secret(ctx context.Context, name string, size int) ([]byte, error) {
	const get = `SELECT value FROM settings WHERE name = $1`
	var secret []byte
	err := s.read.QueryRowContext(ctx, get, settingSecret+name).Scan(&secret)
	if errors.Is(err, sql.ErrNoRows) {
		err = s.inTx(ctx, alone, func(tx *tx) error {
			value := make([]byte, size)
			rand.Read(value) // never fails
			if _, err := tx.exec(`INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING`,
				settingSecret+name, value); err != nil {
				return err
			}
			// Another caller may have been first.
			return tx.QueryRowContext(ctx, get, settingSecret+name).Scan(&secret)
		})
	}
	return secret, s.wrapError(fmt.Sprintf("secret %q", name), err)
}
