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

const selectSigningKeys = `SELECT key_id, pem, created, revoked FROM signing_keys ORDER BY created DESC, key_id`

func (s *seals) scanSigningKey(rows *sql.Rows) (k SigningKey, err error) {
	var pem string
	var created, revoked int64
	if err := rows.Scan(&k.ID, &pem, &created, &revoked); err != nil {
		return k, err
	}
	pem, err = s.open(at("signing_keys", "pem", k.ID), pem)
	k.PEM = []byte(pem)
	k.Created = time.UnixMicro(created).UTC()
	if revoked != 0 {
		k.Revoked = time.UnixMicro(revoked).UTC()
	}
	return k, err
}

// SigningKeys returns all signing keys, including revoked ones, newest first.
func (s *Store) SigningKeys(ctx context.Context) ([]SigningKey, error) {
	return queryAll(ctx, s, "list signing keys", s.seals.scanSigningKey, selectSigningKeys)
}

// KeyChange is a change of the signing keys. Either may be empty.
type KeyChange struct {
	Add    *SigningKey // without Created it is created now, and with it after all others
	Revoke []string    // ids of keys, which are revoked now; those that are already keep their date
}

// ChangeSigningKeys changes the signing keys, which it passes to change, newest first.
// Nobody else changes them meanwhile. It returns the new key as it is stored, and fails
// with [ErrKeyExists].
func (s *Store) ChangeSigningKeys(ctx context.Context, change func([]SigningKey) (KeyChange, error)) (added *SigningKey, err error) {
	err = s.transact(ctx, "change signing keys", func(tx *tx) error {
		keys, err := rowsOf(tx.ctx, tx, s.seals.scanSigningKey, selectSigningKeys)
		if err != nil {
			return err
		}
		c, err := change(keys)
		if err != nil {
			return err
		}
		tx.changed.shared = Identity
		if c.Add != nil {
			k := *c.Add
			if k.Created.IsZero() {
				k.Created = tx.now
			}
			k.Created = k.Created.UTC().Truncate(time.Microsecond)
			if len(keys) > 0 && !k.Created.After(keys[0].Created) { // the clock was set back
				k.Created = keys[0].Created.Add(time.Microsecond)
			}
			if err := tx.addSigningKey(k); err != nil {
				return err
			}
			added = &k
		}
		for _, id := range c.Revoke {
			if _, err := tx.exec(`UPDATE signing_keys SET revoked = $2 WHERE key_id = $1 AND revoked = 0`, id, toMicros(tx.now)); err != nil {
				return err
			}
		}
		return nil
	})
	return added, err
}

// AddSigningKey stores a new signing key; without Created it is created now. It fails
// with [ErrKeyExists].
func (s *Store) AddSigningKey(ctx context.Context, k SigningKey) error {
	if k.Created.IsZero() {
		k.Created = s.now()
	}
	return s.transact(ctx, fmt.Sprintf("add signing key %q", k.ID), func(tx *tx) error {
		tx.changed.shared = Identity
		return tx.addSigningKey(k)
	})
}

func (t *tx) addSigningKey(k SigningKey) error {
	pem, err := t.seal(at("signing_keys", "pem", k.ID), string(k.PEM))
	if err != nil {
		return err
	}
	added, err := t.exec(`
INSERT INTO signing_keys (key_id, pem, created, revoked) VALUES ($1, $2, $3, $4)
ON CONFLICT (key_id) DO NOTHING`, k.ID, []byte(pem), toMicros(k.Created), toMicros(k.Revoked))
	if err == nil && !added {
		return ErrKeyExists
	}
	return err
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
	var secret string
	err := s.read.QueryRowContext(ctx, get, settingSecret+name).Scan(&secret)
	if errors.Is(err, sql.ErrNoRows) {
		err = s.inTx(ctx, alone, func(tx *tx) error {
			value := make([]byte, size)
			rand.Read(value) // never fails
			sealed, err := tx.seal(at("settings", "value", settingSecret+name), string(value))
			if err != nil {
				return err
			}
			if _, err := tx.exec(`INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING`,
				settingSecret+name, []byte(sealed)); err != nil {
				return err
			}
			// Another caller may have been first.
			return tx.QueryRowContext(ctx, get, settingSecret+name).Scan(&secret)
		})
	}
	if err == nil {
		secret, err = s.seals.open(at("settings", "value", settingSecret+name), secret)
	}
	return []byte(secret), s.wrapError(fmt.Sprintf("secret %q", name), err)
}
