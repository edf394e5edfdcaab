package store

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/partnercenter-go/partnercenter"
)

// searchKeysVersion is the number of the migration that is [renewSearchKeys].
const searchKeysVersion = 8

// renewSearchKeys is the migration that folds what people search by as [searchKey] does.
func renewSearchKeys(ctx context.Context, tx *sql.Tx) error {
	after := []any{"", ""} // the key of the last row
	for {
		rows, err := readDocuments(ctx, tx, len(after), `SELECT partner_id, customer_id, summary FROM customers
WHERE (partner_id, customer_id) > ($1, $2) ORDER BY partner_id, customer_id LIMIT 200`, after)
		if err != nil {
			return err
		}
		for _, row := range rows {
			after = row.key
			var c partnercenter.Customer
			if err := damagedBy(partnercenter.Unmarshal([]byte(row.doc.String), &c)); err != nil {
				return fmt.Errorf("customers %v: %w", row.key, err)
			}
			if c.CompanyProfile == nil {
				continue
			}
			if _, err := tx.ExecContext(ctx, `UPDATE customers SET company_name = $1, domain = $2 WHERE (partner_id, customer_id) = ($3, $4)`,
				searchKey(c.CompanyProfile.CompanyName), searchKey(c.CompanyProfile.Domain), row.key[0], row.key[1]); err != nil {
				return err
			}
		}
		if len(rows) == 0 {
			break
		}
	}
	return renewDomains(ctx, tx)
}

func renewDomains(ctx context.Context, tx *sql.Tx) error {
	rows, err := readDocuments(ctx, tx, 2, `SELECT partner_id, customer_id, domain FROM customer_domains`, nil)
	if err != nil {
		return err
	}
	for _, row := range rows {
		if _, err := tx.ExecContext(ctx, `UPDATE OR REPLACE customer_domains SET domain = $1 WHERE (partner_id, customer_id, domain) = ($2, $3, $4)`,
			searchKey(row.doc.String), row.key[0], row.key[1], row.doc.String); err != nil {
			return err
		}
	}
	return nil
}
