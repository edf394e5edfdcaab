package store

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// replicatedSQL returns when all that was committed before has the replicas that commits
// wait for, as it is a commit that does.
const replicatedSQL = `SELECT pg_logical_emit_message(true, 'partnercenter', '')`

// writeChangesPostgres does what [Store.writeChanges] does, in two trips to the database: one to
// look, one to write. It locks what it looks at, in the same order as every other
// server.
func (s *Store) writeChangesPostgres(batch []*job) error {
	err := unusable(s.tryChangesPostgres(batch))
	s.noteWrite(err)
	s.pg.noteRole(err)
	return err
}

func (s *Store) tryChangesPostgres(batch []*job) (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
	defer cancel()
	conn, err := s.pg.primary.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	defer func() {
		if err != nil && !conn.Conn().IsClosed() {
			_, _ = conn.Exec(ctx, `ROLLBACK`)
		}
	}()
	look := s.lookAt(batch)
	if err := conn.SendBatch(ctx, look).Close(); err != nil {
		return err
	}
	lists, committed := new(changes), false
	err = conn.SendBatch(ctx, s.writeOf(batch, lists, &committed)).Close()
	// An error of the connection may have come after the commit, or before it.
	if err != nil && !committed {
		s.pg.watcher.disown()
	}
	s.noteOwn(lists)
	if committed { // only the notification failed
		return nil
	}
	return err
}

// lookAt returns the statements that lock and read what a batch of changes depends on.
func (s *Store) lookAt(batch []*job) *pgx.Batch {
	b := new(pgx.Batch)
	b.Queue(`BEGIN ISOLATION LEVEL READ COMMITTED`)
	b.Queue(lockWritesSQL[among])
	partners, customers := map[string]bool{}, map[[2]string]bool{}
	for _, j := range batch {
		j.err = nil
		if j.Held != nil {
			partners[j.partner] = true
		}
		if j.Held != nil || slices.ContainsFunc(j.orders, func(o orderJob) bool { return !o.isNew }) || j.Cart != nil && !j.Cart.New {
			customers[[2]string{j.partner, j.customer}] = true
		}
	}
	for _, partner := range slices.Sorted(maps.Keys(partners)) {
		b.Queue(`SELECT 1 FROM partners WHERE partner_id = $1 FOR NO KEY UPDATE`, partner)
	}
	for _, key := range slices.SortedFunc(maps.Keys(customers), func(a, b [2]string) int { return slices.Compare(a[:], b[:]) }) {
		b.Queue(`SELECT 1 FROM customers WHERE partner_id = $1 AND customer_id = $2 FOR NO KEY UPDATE`, key[0], key[1])
	}
	for _, j := range batch {
		for i := range j.orders {
			o := &j.orders[i]
			if o.isNew {
				continue
			}
			b.Queue(getRevisionSQL, j.partner, j.customer, o.key).Query(func(rows pgx.Rows) error {
				revision, err := pgx.CollectOneRow(rows, pgx.RowTo[int64])
				if o.conflicts(revision, err) {
					j.err, err = ErrConflict, nil
				}
				return err
			})
		}
		if j.Cart != nil && !j.Cart.New {
			b.Queue(getCartRevisionSQL, j.cart[:3]...).Query(func(rows pgx.Rows) error {
				revision, err := pgx.CollectOneRow(rows, pgx.RowTo[int64])
				if errors.Is(err, pgx.ErrNoRows) || err == nil && revision != j.Cart.Revision {
					j.err, err = ErrConflict, nil
				}
				return err
			})
		}
		if h := j.Held; h != nil {
			now := &Holdings{ByKind: map[string]int{}, ByOffer: map[string]int{}}
			counts := holdingCounts(j.partner, j.customer, slices.Collect(maps.Keys(h.ByKind)), slices.Collect(maps.Keys(h.ByOffer)))
			for i, count := range counts {
				b.Queue(count.query, count.args...).QueryRow(func(row pgx.Row) error {
					var n int
					if err := row.Scan(&n); err != nil {
						return err
					}
					count.set(now, n)
					if i == len(counts)-1 && !now.equal(h) {
						j.err = ErrConflict
					}
					return nil
				})
			}
		}
	}
	answered := slices.DeleteFunc(slices.Clone(batch), func(j *job) bool { return j.Answer == nil })
	slices.SortFunc(answered, func(a, b *job) int { return slices.Compare(a.Answer.Key, b.Answer.Key) })
	for _, j := range answered {
		b.Queue(putAnswerSQL, validArgs(s.answerArgs(j))...).Exec(func(tag pgconn.CommandTag) error {
			j.kept = tag.RowsAffected() > 0
			if !j.kept {
				j.err = ErrAnswered
			}
			return nil
		})
	}
	return b
}

// forgetCartsPostgresSQL finds the text that the document has first, before the lines: as JSON
// PostgreSQL does not take every document.
const forgetCartsPostgresSQL = `
DELETE FROM carts WHERE partner_id = $1 AND customer_id = $2 AND substring(doc FROM '"expirationTimestamp":"([^"]*)"') COLLATE "C" < $3`

// writeOf returns the statements that write the changes of a batch that are not refused.
// It adds the customers to lists whose lists they change.
func (s *Store) writeOf(batch []*job, lists *changes, committed *bool) *pgx.Batch {
	b := new(pgx.Batch)
	for _, j := range batch {
		if j.err != nil {
			if j.kept { // refused for something else
				b.Queue(`DELETE FROM requests WHERE partner_id = $1 AND customer_id = $2 AND key = $3`, j.partner, j.customer, j.Answer.Key)
			}
			continue
		}
		lists.customer(j.partner, j.customer)
		for i := range j.orders {
			query := changeOrderSQL
			if j.orders[i].isNew {
				query = addOrderSQL
			}
			b.Queue(query, validArgs(j.orders[i].args)...)
		}
		if j.Cart != nil {
			b.Queue(j.Cart.writeSQL(), validArgs(j.cart)...)
		}
		if s.forgetsCarts(j) {
			b.Queue(forgetCartsPostgresSQL, validArgs(s.forgetCartsArgs(j))...)
		}
		for _, args := range j.subscriptions {
			b.Queue(putSubscriptionSQL, validArgs(args)...)
		}
		for i := range j.Attachments {
			b.Queue(putAttachmentSQL, validArgs(attachmentArgs(j, &j.Attachments[i]))...)
		}
	}
	if !lists.none() {
		b.Queue(announceSQL, s.pg.watcher.own.Load(), lists.encode(), int(lists.shared))
	}
	if s.commits.Add(1)%forgetEvery == 0 {
		now := s.system()
		b.Queue(`DELETE FROM requests WHERE made < $1 OR made > $2`, toMicros(now.Add(-answersKept)), toMicros(now.Add(answersKept)))
	}
	b.Queue(`COMMIT`).Exec(func(tag pgconn.CommandTag) error {
		*committed = tag.String() == "COMMIT"
		return nil
	})
	if !lists.none() {
		// Within the transaction it would make others wait with theirs for the disk.
		b.Queue(notifySQL)
	}
	return b
}

// apart returns how many of the first changes can be written in one transaction: looking
// at one of them must not depend on the writing of another.
func apart(jobs []*job) int {
	customers, partners := map[[2]string]bool{}, map[string]bool{}
	for i, j := range jobs {
		key := [2]string{j.partner, j.customer}
		if customers[key] || j.Held != nil && partners[j.partner] {
			return i
		}
		customers[key], partners[j.partner] = true, true
	}
	return len(jobs)
}
