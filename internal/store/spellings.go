package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/spelling"
)

// spellingsVersion is the number of the migration that is [normalizeSpellings].
const spellingsVersion = 6

// storedDocuments are the columns with documents of the API, with the keys of their
// tables.
var storedDocuments = []struct {
	table     string
	key       []string
	column    string
	newObject func() any
}{
	{"orders", []string{"partner_id", "customer_id", "created", "order_id"}, "doc", newOf[partnercenter.Order]},
	{"orders", []string{"partner_id", "customer_id", "created", "order_id"}, "priced_doc", newOf[partnercenter.Order]},
	{"subscriptions", []string{"partner_id", "customer_id", "subscription_id"}, "doc", newOf[partnercenter.Subscription]},
	{"customers", []string{"partner_id", "customer_id"}, "doc", newOf[partnercenter.Customer]},
	{"customers", []string{"partner_id", "customer_id"}, "summary", newOf[partnercenter.Customer]},
}

func newOf[T any]() any { return new(T) }

// normalizeSpellings is the migration that writes the enumerated values of stored
// documents in their normal spelling, as later loads do. It reads every document, and
// takes half a minute for 1,000,000 orders.
func normalizeSpellings(ctx context.Context, tx *sql.Tx) error {
	for _, d := range storedDocuments {
		key := strings.Join(d.key, ", ")
		var after []any // the key of the last row
		for {
			condition := "1 = 1"
			if after != nil {
				condition = fmt.Sprintf("(%s) > (%s)", key, parameters(1, len(after)))
			}
			rows, err := readDocuments(ctx, tx, len(d.key), fmt.Sprintf("SELECT %s, %s FROM %s WHERE %s ORDER BY %s LIMIT 200", key, d.column, d.table, condition, key), after)
			if err != nil {
				return err
			}
			for _, row := range rows {
				after = row.key
				if !row.doc.Valid {
					continue
				}
				object := d.newObject()
				if err := damagedBy(partnercenter.Unmarshal([]byte(row.doc.String), object)); err != nil {
					return fmt.Errorf("%s %v: %w", d.table, row.key, err)
				}
				spelling.Normalize(object)
				doc, err := document(object)
				if err != nil {
					return fmt.Errorf("%s %v: %w", d.table, row.key, err)
				}
				if doc == row.doc.String {
					continue
				}
				set := d.column + " = $1"
				if customer, ok := object.(*partnercenter.Customer); ok {
					set += fmt.Sprintf(", active = %d", boolToInt(isActive(customer)))
				}
				update := fmt.Sprintf("UPDATE %s SET %s WHERE (%s) = (%s)", d.table, set, key, parameters(2, len(row.key))) //nolint:gosec // of names in the table above
				if _, err := tx.ExecContext(ctx, update, append([]any{doc}, row.key...)...); err != nil {
					return err
				}
			}
			if len(rows) == 0 {
				break
			}
		}
	}
	return nil
}

// documentRow is a stored document with the key of its row.
type documentRow struct {
	key []any
	doc sql.NullString
}

func readDocuments(ctx context.Context, tx *sql.Tx, keys int, query string, args []any) ([]documentRow, error) {
	rows, err := tx.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []documentRow
	for rows.Next() {
		row := documentRow{key: make([]any, keys)}
		columns := make([]any, 0, keys+1)
		for i := range row.key {
			columns = append(columns, &row.key[i])
		}
		if err := rows.Scan(append(columns, &row.doc)...); err != nil {
			return nil, err
		}
		list = append(list, row)
	}
	return list, rows.Err()
}

// parameters lists n parameters of a statement.
func parameters(first, n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf("$%d", first+i)
	}
	return strings.Join(list, ", ")
}
