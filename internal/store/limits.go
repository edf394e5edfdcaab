package store

import (
	"context"
	"fmt"
	"time"
)

// RequestWindow says whose requests are counted, in what time, and how many there may be.
type RequestWindow struct {
	PartnerID, CustomerID string // the latter is empty for those of the partner
	Resource              string
	Limit                 int
	Length                time.Duration
}

// singly is how many requests are given one at a time at the end of a window, so that
// hardly any server has some left while another one refuses.
const singly = 64

// blockFormat is how many requests are given where so many are left: at least $6, or
// none. A server that gets no more requests keeps a twentieth of all at most.
const blockFormat = `CASE WHEN %[1]s < $6 THEN 0 ELSE LEAST(%[1]s, GREATEST($6, LEAST($5 / 20, (%[1]s - $8) / 8))) END`

// takeRequestsSQL gives a server a block of the requests of a window. One of the future
// began at a server whose clock is ahead. After a request that is too many all are.
var takeRequestsSQL = fmt.Sprintf(`
INSERT INTO windows AS w (partner_id, customer_id, resource, start, given, last)
SELECT $1, $2, $3, $4, block, block FROM (SELECT %[1]s AS block) a
ON CONFLICT (partner_id, customer_id, resource) DO UPDATE SET (start, given, last) = (
    SELECT start, CASE block WHEN 0 THEN $5 ELSE given + block END, block
    FROM (
        SELECT start, given, %[2]s AS block
        FROM (SELECT CASE WHEN goes_on THEN w.start ELSE $4 END AS start, CASE WHEN goes_on THEN w.given ELSE 0 END AS given
            FROM (SELECT abs($4 - w.start) < $7 AS goes_on) a) b
    ) c
)
RETURNING start, last`, fmt.Sprintf(blockFormat, "$5::bigint"), fmt.Sprintf(blockFormat, "($5 - given)"))

// forgetWindowsEvery is the number of blocks after which windows that have ended are
// deleted.
const forgetWindowsEvery = 4096

// TakeRequests takes some requests or more of those that all servers may answer in a
// window, for this one to answer; none if there are fewer left. It returns when the window
// began, by this server's clock, too.
func (s *Store) TakeRequests(ctx context.Context, w RequestWindow, some int, now time.Time) (taken int, start time.Time, err error) {
	ctx, cancel := s.briefly(ctx)
	defer cancel()
	var began int64
	err = s.write.QueryRowContext(ctx, takeRequestsSQL, validArgs([]any{
		idKey(w.PartnerID), w.CustomerID, w.Resource, toMicros(now), w.Limit, some, w.Length.Microseconds(), singly,
	})...).Scan(&began, &taken)
	if err == nil && s.blocks.Add(1)%forgetWindowsEvery == 0 {
		_, err = s.write.ExecContext(ctx, `DELETE FROM windows WHERE abs($1 - start) >= $2`, toMicros(now), w.Length.Microseconds())
	}
	if start = time.UnixMicro(began); start.After(now) {
		start = now
	}
	return taken, start, s.wrapError("count requests", err)
}
