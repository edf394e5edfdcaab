package store

import (
	"context"
	"database/sql"
)

// Assertion is a client assertion that has given its app a token.
type Assertion struct {
	ClientID string
	ID       []byte // opaque here
}

// AddAssertion stores a used assertion durably, and forgets all but the last ones of its
// app.
func (s *Store) AddAssertion(ctx context.Context, a Assertion, keep int) error {
	return s.transact(ctx, "add assertion", func(tx *tx) error {
		if _, err := tx.exec(`INSERT INTO assertions (client_id, assertion_id) VALUES ($1, $2)`, idKey(a.ClientID), a.ID); err != nil {
			return err
		}
		_, err := tx.exec(`
DELETE FROM assertions WHERE client_id = $1
AND use_no <= (SELECT use_no FROM assertions WHERE client_id = $1 ORDER BY use_no DESC LIMIT 1 OFFSET $2)`, idKey(a.ClientID), keep)
		return err
	})
}

// Assertions returns the used assertions, in the order in which they were added.
func (s *Store) Assertions(ctx context.Context) ([]Assertion, error) {
	return queryAll(ctx, s, "list assertions", func(rows *sql.Rows) (a Assertion, err error) {
		return a, rows.Scan(&a.ClientID, &a.ID)
	}, `SELECT client_id, assertion_id FROM assertions ORDER BY use_no`)
}
