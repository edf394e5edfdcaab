package store

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"sync/atomic"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/partnercenter-go/partnercenter"
)

// ErrDamaged says that a stored document is no JSON any more.
var ErrDamaged = errors.New("the stored document is damaged; stop the server, and restore a backup of the database")

// intact remembers, by their checksums, texts that were looked at and found to be JSON,
// whatever database they are from. Looking at a document takes half as long as reading
// it, and its checksum a tenth of that.
var intact [1 << 19]atomic.Uint64

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// remembered returns the place of a text in intact, and what is there if it was found to
// be JSON. The mark of an empty text is that of an empty place, zero.
func remembered(text []byte) (place *atomic.Uint64, mark uint64) {
	sum := crc32.Checksum(text, castagnoli)
	return &intact[sum%uint32(len(intact))], uint64(sum)<<32 | uint64(uint32(len(text)))
}

// isDocument reports whether a stored text is a JSON object in UTF-8.
func isDocument(text []byte) bool {
	place, mark := remembered(text)
	if mark != 0 && place.Load() == mark {
		return true
	}
	if !isObject(text) {
		return false
	}
	place.Store(mark)
	return true
}

func isObject(text []byte) bool {
	return isPlainObject(text) || len(text) > 0 && text[0] == '{' && jsontext.Value(text).IsValid(jsontext.AllowDuplicateNames(true))
}

// decodeDocument decodes a stored document. What the client would take for JSON is not
// good enough: it replaces what is no UTF-8.
func decodeDocument(text string, v any) error {
	data := []byte(text)
	if !isDocument(data) {
		return ErrDamaged
	}
	return damagedBy(partnercenter.Unmarshal(data, v))
}

// damagedBy returns ErrDamaged for an error of decoding what is stored. The error itself is
// not in it: it would be taken for that of an answer that was cut off.
func damagedBy(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w (%v)", ErrDamaged, err) //nolint:errorlint // as said
}

// checkItems fails with ErrDamaged if a document of the list is.
func (l *orderListing) checkItems() error {
	if len(l.stored) == 0 {
		return nil
	}
	place, mark := remembered(l.items[l.start:])
	if mark != 0 && place.Load() == mark {
		return nil
	}
	for _, doc := range l.stored {
		if !isObject(l.items[doc.from:doc.to]) {
			return ErrDamaged
		}
	}
	place.Store(mark)
	return nil
}

// nameDamaged adds to ErrDamaged which order of the customer it is about.
func (s *Store) nameDamaged(ctx context.Context, q *OrderQuery) error {
	rows, err := s.read.QueryContext(ctx, `
SELECT order_id, doc, coalesce(priced_doc, doc) FROM orders WHERE partner_id = $1 AND customer_id = $2`, q.PartnerID, q.CustomerID)
	if err != nil {
		return errors.Join(ErrDamaged, err)
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		var doc, priced []byte
		if err := rows.Scan(&id, &doc, &priced); err != nil {
			return errors.Join(ErrDamaged, err)
		}
		if !isObject(doc) || !isObject(priced) {
			return damagedOrder(id, q.PartnerID, q.CustomerID)
		}
	}
	return errors.Join(ErrDamaged, rows.Err())
}

func damagedOrder(id, partnerID, customerID string) error {
	return fmt.Errorf("order %q of customer %s of partner %s: %w", id, customerID, partnerID, ErrDamaged)
}

func damagedCustomer(customerID, partnerID string) error {
	return fmt.Errorf("customer %s of partner %s: %w", customerID, partnerID, ErrDamaged)
}
