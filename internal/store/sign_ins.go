package store

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// SignIn is something that the token authority remembers of a sign-in.
type SignIn struct {
	Kind, ID string // case-sensitive
	// Revision counts changes. Zero means that there is none yet.
	Revision int64
	// Owner is who made it, and Proved whether it is certain that they did.
	Owner  string
	Proved bool
	// Expires and System are when it may be forgotten, by the clock that people set and by
	// the system's: not before both.
	Expires, System time.Time
	Data            []byte // opaque here
}

const selectSignIns = `SELECT kind, id, revision, owner, proved, expires, system, data FROM sign_ins WHERE kind = $1`

func (s *seals) scanSignIn(scan func(...any) error) (r SignIn, err error) {
	var expires, system int64
	var data string
	if err := scan(&r.Kind, &r.ID, &r.Revision, &r.Owner, &r.Proved, &expires, &system, &data); err != nil {
		return r, err
	}
	r.Expires, r.System = time.UnixMicro(expires).UTC(), time.UnixMicro(system).UTC()
	if data, err = s.open(at("sign_ins", "data", r.Kind, r.ID), data); data != "" {
		r.Data = []byte(data)
	}
	return r, err
}

// SignIn returns one of a kind, or nil.
func (s *Store) SignIn(ctx context.Context, kind, id string) (*SignIn, error) {
	r, err := s.seals.scanSignIn(s.read.QueryRowContext(ctx, selectSignIns+` AND id = $2`, validText(kind), validText(id)).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return &r, s.wrapError("sign-in", err)
}

// SignIns returns all of a kind, oldest first.
func (s *Store) SignIns(ctx context.Context, kind string) ([]SignIn, error) {
	return queryAll(ctx, s, "list sign-ins", func(rows *sql.Rows) (SignIn, error) { return s.seals.scanSignIn(rows.Scan) },
		selectSignIns+` ORDER BY sign_in_no`, validText(kind))
}

// errOther says that somebody else has changed what was to be changed.
var errOther = errors.New("it is not as it was")

// PutSignIn stores a SignIn durably if its revision is that of the one that is stored, or
// zero if none is. It reports whether it was. What it shares with what servers keep is of
// the kind shared.
func (s *Store) PutSignIn(ctx context.Context, r SignIn, shared Shared) (bool, error) {
	query := `
INSERT INTO sign_ins (kind, id, revision, owner, proved, expires, system, data) VALUES ($1, $2, 1, $3, $4, $5, $6, $7)
ON CONFLICT (kind, id) DO NOTHING`
	if r.Revision > 0 {
		query = `
UPDATE sign_ins SET revision = revision + 1, owner = $3, proved = $4, expires = $5, system = $6, data = $7
WHERE kind = $1 AND id = $2 AND revision = $8`
	}
	return wasSame(s.wrapError("put sign-in", s.inTx(ctx, among, func(tx *tx) error {
		tx.changed.shared |= shared
		data, err := tx.seal(at("sign_ins", "data", validText(r.Kind), validText(r.ID)), string(r.Data))
		if err != nil {
			return err
		}
		args := []any{r.Kind, r.ID, r.Owner, boolToInt(r.Proved), toMicros(r.Expires), toMicros(r.System), []byte(data)}
		if r.Revision > 0 {
			args = append(args, r.Revision)
		}
		changed, err := tx.exec(query, args...)
		if err == nil && !changed {
			err = errOther
		}
		return err
	})))
}

// DeleteSignIn deletes one if its revision is that of the one that is stored. It reports
// whether it was.
func (s *Store) DeleteSignIn(ctx context.Context, r SignIn) (bool, error) {
	return wasSame(s.execute(ctx, "delete sign-in", errOther, `DELETE FROM sign_ins WHERE kind = $1 AND id = $2 AND revision = $3`, r.Kind, r.ID, r.Revision))
}

func wasSame(err error) (bool, error) {
	if errors.Is(err, errOther) {
		return false, nil
	}
	return err == nil, err
}

// TrimSignIns forgets those of a kind that have expired, except for the last keep of an
// owner, and those that are more than limit, unless both are zero. Then the owner with the
// most loses the oldest; those who have proved who they are do not compete with the others.
func (s *Store) TrimSignIns(ctx context.Context, kind string, keep, limit int) error {
	const what = "trim sign-ins"
	now, system := toMicros(s.now()), toMicros(s.system())
	if keep == 0 && limit == 0 {
		return s.execute(ctx, what, nil, `DELETE FROM sign_ins WHERE kind = $1 AND expires <= $2 AND system <= $3`, kind, now, system)
	}
	return s.execute(ctx, what, nil, `
DELETE FROM sign_ins WHERE sign_in_no IN (
    SELECT sign_in_no FROM (
        SELECT sign_in_no, expires, system, nth, row_number() OVER (PARTITION BY proved ORDER BY nth, sign_in_no DESC) AS place
        FROM (
            SELECT sign_in_no, proved, expires, system, row_number() OVER (PARTITION BY proved, owner ORDER BY sign_in_no DESC) AS nth
            FROM sign_ins WHERE kind = $1
        ) AS counted
    ) AS placed
    WHERE place > $2 OR nth > $3 AND expires <= $4 AND system <= $5
)`, kind, limit, keep, now, system)
}
