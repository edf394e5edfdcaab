package store

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/jackc/pgx/v5/stdlib"
)

// DataKeySize is the size of a data key in bytes.
const DataKeySize = 32

// DataKeys are the keys that secrets in a database are sealed with. Each may be nil.
type DataKeys struct {
	// Seal seals all secrets when a database is opened, and those that come later.
	Seal []byte
	// Other is known, too: secrets may be sealed with it so far, or by other servers.
	Other []byte
}

// sealedColumn is a column whose values are sealed where there is a data key. What else
// a database has is not: it lets nobody sign in or sign a token.
type sealedColumn struct {
	table, column string
	blob          bool     // it has bytes, and no text
	key           []string // which identifies the row for ever, in every dialect
	prefix        string   // of the key, if not all rows are
}

// sealedColumns are all of them. A step of the schema that changes the key of a row has to
// seal its values again.
var sealedColumns = []sealedColumn{
	{table: "settings", column: "value", blob: true, key: []string{"name"}, prefix: settingSecret},
	{table: "signing_keys", column: "pem", blob: true, key: []string{"key_id"}},
	{table: "apps", column: "secret", key: []string{"partner_id", "client_id"}},
	{table: "apps", column: "secrets", key: []string{"partner_id", "client_id"}},
	{table: "users", column: "password", key: []string{"partner_id", "upn_key"}},
	{table: "sign_ins", column: "data", blob: true, key: []string{"kind", "id"}},
}

// place is where a value is stored. It is sealed with the value, which is of no use elsewhere.
type place struct {
	table, column string
	key           []string
}

func at(table, column string, key ...string) place { return place{table, column, key} }

// row reads columns of the row that a place is in.
func (p place) row(t *tx, columns string) *sql.Row {
	i := slices.IndexFunc(sealedColumns, func(c sealedColumn) bool { return c.table == p.table && c.column == p.column })
	args := make([]any, len(p.key))
	for i, part := range p.key {
		args[i] = part
	}
	return t.QueryRowContext(t.ctx, fmt.Sprintf(`SELECT %s FROM %s WHERE (%s) = (%s)`, //nolint:gosec // of names in the schema
		columns, p.table, strings.Join(sealedColumns[i].key, ", "), parameters(1, len(args))), args...)
}

func (p place) String() string {
	return fmt.Sprintf("%q", append([]string{p.table, p.column}, p.key...))
}

// settingSealed is the setting of a database whose secrets are sealed. Its value is sealed
// with the same key, which it so names and proves.
const settingSealed = "sealed"

var sealedPlace = at("settings", "value", settingSealed)

// A sealed value is a text of this prefix, the id of the key, a colon, and in base64 a salt,
// a nonce, and the value encrypted with AES-256-GCM. The key is one for each value, derived
// from the data key and the salt, so that there is no number of values that is too many for
// a data key. Prefix, id and place are authenticated.
const (
	sealPrefix = "sealed:1:"
	saltSize   = 16
)

// dataKey is a key and its id.
type dataKey struct {
	id     string
	secret []byte
}

func newDataKey(secret []byte) *dataKey {
	if secret == nil {
		return nil
	}
	return &dataKey{hex.EncodeToString(derive(secret, "partnercenter data key id", 8)), secret}
}

func derive(secret []byte, info string, size int) []byte {
	key, err := hkdf.Expand(sha256.New, secret, info, size)
	if err != nil {
		panic(err) // the sizes are constants
	}
	return key
}

func (k *dataKey) cipher(salt []byte) cipher.AEAD {
	block, err := aes.NewCipher(derive(k.secret, "partnercenter sealed value "+string(salt), 32))
	if err != nil {
		panic(err) // keys have the right size
	}
	gcm, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err) // AES has the right block size
	}
	return gcm
}

func (k *dataKey) seal(p place, value string) string {
	salt := make([]byte, saltSize)
	rand.Read(salt) // never fails
	head := sealPrefix + k.id + ":"
	return head + base64.RawStdEncoding.EncodeToString(k.cipher(salt).Seal(salt, nil, []byte(value), []byte(head+p.String()))) //nolint:gosec // it makes its own nonce
}

// open returns a value that was sealed at a place, and whether it was, with this key.
func (k *dataKey) open(p place, sealed string) (value string, ok bool) {
	head := sealPrefix + k.id + ":"
	text, ok := strings.CutPrefix(sealed, head)
	if !ok {
		return "", false
	}
	data, err := base64.RawStdEncoding.DecodeString(text)
	if err != nil || len(data) < saltSize {
		return "", false
	}
	plain, err := k.cipher(data[:saltSize]).Open(nil, nil, data[saltSize:], []byte(head+p.String()))
	return string(plain), err == nil
}

// sealedBy returns the id of the key that a value is sealed with, or "" if it is not.
func sealedBy(value string) string {
	text, sealed := strings.CutPrefix(value, sealPrefix)
	id, _, named := strings.Cut(text, ":")
	if !sealed || !named {
		return ""
	}
	return id
}

// seals are the data keys of a program, and what it knows of those of a database.
type seals struct {
	first, other *dataKey
	// current is the id of the key that the database is sealed with; nil or empty if it is
	// not. Other servers may change it.
	current atomic.Pointer[string]
}

func (s *seals) set(keys DataKeys) { s.first, s.other = newDataKey(keys.Seal), newDataKey(keys.Other) }

// key returns a key by its id, or why it is not there.
func (s *seals) key(id string) (*dataKey, error) {
	var given []string
	for _, k := range []*dataKey{s.first, s.other} {
		if k == nil {
			continue
		}
		if k.id == id {
			return k, nil
		}
		given = append(given, k.id)
	}
	e := &UnusableError{Reason: ErrOtherKey, Cause: fmt.Errorf("its id is %s, and that of the given one is %s", id, strings.Join(given, " or ")), Next: "give the right one; to change keys, give it in PARTNERCENTER_DATA_KEY_OLD"}
	if given == nil {
		e.Reason, e.Cause = ErrSealed, fmt.Errorf("the id of the key is %s", id)
		e.Next = "give the key in PARTNERCENTER_DATA_KEY, or the name of a file with it in PARTNERCENTER_DATA_KEY_FILE"
	}
	return nil, e
}

// seal returns a value as it is stored.
func (t *tx) seal(p place, value string) (string, error) {
	current, err := t.sealedBy()
	if err != nil {
		return "", err
	}
	if current == nil {
		if sealedBy(value) != "" {
			return "", fmt.Errorf("a secret cannot begin with %s: use another one", sealPrefix) // nobody could tell
		}
		return value, nil
	}
	return current.seal(p, value), nil
}

// sealedBy returns the key that the database is sealed with, or nil. No other server changes
// that while the transaction lasts.
func (t *tx) sealedBy() (*dataKey, error) {
	if t.pg && !t.asked {
		if err := t.seals.read(t.ctx, t); err != nil {
			return nil, err
		}
		t.asked = true
	}
	id := t.seals.id()
	if id == "" {
		return nil, nil
	}
	return t.seals.key(id)
}

// read reads what the database is sealed with. It fails if that key is not known.
func (s *seals) read(ctx context.Context, q queryer) error {
	stored, err := readSeal(ctx, q)
	if err != nil {
		return err
	}
	id := sealedBy(stored)
	s.current.Store(&id)
	if stored == "" {
		return nil
	}
	key, err := s.key(id)
	if err != nil {
		return err
	}
	if _, ok := key.open(sealedPlace, stored); !ok {
		return fmt.Errorf("%s: %w", sealedPlace, ErrDamaged)
	}
	return nil
}

// readSeal returns the setting of a database whose secrets are sealed, or "".
func readSeal(ctx context.Context, q queryer) (stored string, err error) {
	err = q.QueryRowContext(ctx, `SELECT value FROM settings WHERE name = $1`, settingSealed).Scan(&stored)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return stored, err
}

func (s *seals) id() string {
	if id := s.current.Load(); id != nil {
		return *id
	}
	return ""
}

// open returns a value that is stored at a place. Where values are sealed, it fails with
// [ErrDamaged] for one that is not, or is another place's.
func (s *seals) open(p place, stored string) (string, error) {
	id := sealedBy(stored)
	if id == "" {
		if s.id() != "" {
			return "", fmt.Errorf("%s is not sealed: %w", p, ErrDamaged)
		}
		return stored, nil
	}
	key, err := s.key(id)
	if err != nil {
		return "", err
	}
	value, ok := key.open(p, stored)
	if !ok {
		return "", fmt.Errorf("%s was sealed elsewhere: %w", p, ErrDamaged)
	}
	return value, nil
}

// openSeals finds out what the database is sealed with, before anything is written. There may
// be no schema yet.
func (s *Store) openSeals(ctx context.Context, q queryer) error {
	exists := `SELECT count(*) > 0 FROM sqlite_schema WHERE name = $1`
	if s.pg != nil {
		exists = hasTableSQL
	}
	var is bool
	if err := q.QueryRowContext(ctx, exists, "settings").Scan(&is); err != nil || !is {
		return err
	}
	return openError(s.Name(), s.seals.read(ctx, q))
}

// openError has the error for a key that is not known say which database cannot be opened.
func openError(name string, err error) error {
	if u, is := errors.AsType[*UnusableError](err); is && isSealed(u) {
		return &OpenError{Path: name, Reason: u.Reason, Cause: u.Cause, Next: u.Next}
	}
	return err
}

// isSealed reports whether an error says that a key is not known.
func isSealed(err error) bool { return errors.Is(err, ErrSealed) || errors.Is(err, ErrOtherKey) }

// sealAll seals all secrets with the first key, if there is one and they are not. Other
// servers wait with theirs.
func (s *Store) sealAll(ctx context.Context) error {
	first := s.seals.first
	if first == nil || s.seals.id() == first.id {
		return nil
	}
	if s.file != nil {
		// What was not sealed shall not stay in the file.
		if _, err := s.write.ExecContext(ctx, `PRAGMA secure_delete = ON`); err != nil {
			return err
		}
	}
	var before string
	count := 0
	err := s.inTx(ctx, alone, func(tx *tx) error {
		if _, err := tx.sealedBy(); err != nil {
			return err
		}
		if before = s.seals.id(); before == first.id { // another server was first
			return nil
		}
		for _, c := range sealedColumns {
			n, err := tx.sealColumn(c, first)
			if err != nil {
				return err
			}
			count += n
		}
		tx.changed.shared = everything
		_, err := tx.exec(putSettingSQL, settingSealed, []byte(first.seal(sealedPlace, "")))
		return err
	})
	if err != nil {
		return err
	}
	s.seals.current.Store(&first.id)
	switch {
	case before == first.id:
	case before != "":
		s.health.log.Info("the secrets in the database are sealed with another data key", "values", count, "key", first.id, "before", before)
	default:
		s.health.log.Info("the secrets in the database are sealed", "values", count, "key", first.id)
	}
	if s.file != nil {
		for _, statement := range []string{`PRAGMA secure_delete = OFF`, `PRAGMA wal_checkpoint(TRUNCATE)`} {
			if _, err := s.write.ExecContext(ctx, statement); err != nil {
				return err
			}
		}
	}
	return nil
}

// sealedAtOnce is how many values are read and written together.
const sealedAtOnce = 1000

// sealColumn seals the values of a column, and returns how many there are.
func (t *tx) sealColumn(c sealedColumn, with *dataKey) (count int, err error) {
	key := strings.Join(c.key, ", ")
	query := fmt.Sprintf(`SELECT %s, %s FROM %s`, key, c.column, c.table)
	where := fmt.Sprintf(`%s LIKE '%s%%'`, c.key[0], c.prefix)
	update := fmt.Sprintf(`UPDATE %s SET %s = $1 WHERE (%s) = (%s)`, c.table, c.column, key, parameters(2, len(c.key)))
	var last []any
	for {
		some := query + ` WHERE ` + where
		if last != nil {
			some += fmt.Sprintf(` AND (%s) > (%s)`, key, parameters(1, len(c.key)))
		}
		var updates []queued
		rows, err := rowsOf(t.ctx, t, func(rows *sql.Rows) (row []string, err error) {
			row = make([]string, len(c.key)+1)
			places := make([]any, len(row))
			for i := range row {
				places[i] = &row[i]
			}
			return row, rows.Scan(places...)
		}, fmt.Sprintf(`%s ORDER BY %s LIMIT %d`, some, key, sealedAtOnce), last...)
		if err != nil || len(rows) == 0 {
			return count, err
		}
		for _, row := range rows {
			p := at(c.table, c.column, row[:len(c.key)]...)
			if t.seals.id() == "" && sealedBy(row[len(c.key)]) != "" { // the setting was removed
				return 0, fmt.Errorf("%s is sealed, and the database is not: %w", p, ErrDamaged)
			}
			value, err := t.seals.open(p, row[len(c.key)])
			if err != nil {
				return 0, err
			}
			args := []any{with.seal(p, value)}
			if c.blob {
				args[0] = []byte(args[0].(string))
			}
			last = nil
			for _, part := range p.key {
				last = append(last, part)
			}
			updates = append(updates, queued{query: update, args: append(args, last...), what: p.String()})
		}
		if err := t.executeAll(updates); err != nil {
			return 0, err
		}
		count += len(rows)
	}
}

// executeAll runs statements, on PostgreSQL together.
func (t *tx) executeAll(statements []queued) error {
	if t.pg {
		return t.conn.Raw(func(conn any) error {
			_, err := execute(t.ctx, conn.(*stdlib.Conn).Conn(), statements)
			return err
		})
	}
	for _, q := range statements {
		if _, err := t.exec(q.query, q.args...); err != nil {
			return fmt.Errorf("%s: %w", q.what, err)
		}
	}
	return nil
}

// openSeals has the secrets of a database opened that is copied.
func (e *copyEnd) openSeals(ctx context.Context, keys DataKeys) error {
	e.seals = new(seals)
	e.seals.set(keys)
	return openError(e.name, e.wrap(e.seals.read(ctx, e.conn)))
}

// writeSeal says what the secrets of a copy are sealed with.
func (e *copyEnd) writeSeal(ctx context.Context) error {
	if e.seals == nil || e.seals.first == nil {
		return nil
	}
	key := e.seals.first
	e.seals.current.Store(&key.id)
	return e.exec(ctx, putSettingSQL, settingSealed, []byte(key.seal(sealedPlace, "")))
}

// sealRows seals the secrets in rows that are to be written.
func (e *copyEnd) sealRows(t *copiedTable, rows [][]any) error {
	if e.seals == nil || e.seals.first == nil {
		return nil
	}
	for _, row := range rows {
		if err := t.changeSecrets(row, func(p place, value string) (string, error) { return e.seals.first.seal(p, value), nil }); err != nil {
			return err
		}
	}
	return nil
}

// openRow opens the secrets in a row that was read.
func (e *copyEnd) openRow(t *copiedTable, row []any) error {
	if e.seals == nil {
		return nil
	}
	return t.changeSecrets(row, e.seals.open)
}

// changeSecrets replaces the values of a row that are secrets.
func (t *copiedTable) changeSecrets(row []any, change func(p place, value string) (string, error)) error {
	for _, c := range sealedColumns {
		if c.table != t.name {
			continue
		}
		p := place{table: c.table, column: c.column}
		for _, name := range c.key {
			p.key = append(p.key, row[slices.Index(t.columns, name)].(string))
		}
		if !strings.HasPrefix(p.key[0], c.prefix) {
			continue
		}
		i := slices.Index(t.columns, c.column)
		var err error
		switch value := row[i].(type) {
		case string:
			row[i], err = change(p, value)
		case []byte:
			var changed string
			changed, err = change(p, string(value))
			row[i] = []byte(changed)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
