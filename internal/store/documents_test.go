package store

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strings"
	"testing"
)

func overwrite(t *testing.T, path string, at int64, text string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt([]byte(text), at); err != nil {
		t.Fatal(err)
	}
}

// No way of reading returns a document that is damaged.
func TestDamagedDocuments(t *testing.T) {
	for name, damage := range map[string]string{
		"text":             `'no JSON'`,
		"empty":            `''`,
		"a number":         `'7'`,
		"cut":              `substr(doc, 1, length(doc) - 5)`,
		"a byte":           `CAST(replace(doc, 'a', x'e9') AS TEXT)`,
		"a control":        `replace(doc, 'a', char(1))`,
		"a quotation mark": `substr(doc, 1, 20) || '"' || substr(doc, 22)`,
		"a zero":           `CAST(CAST(substr(doc, 1, 40) AS BLOB) || x'00' || CAST(substr(doc, 42) AS BLOB) AS TEXT)`,
	} {
		t.Run(name, func(t *testing.T) {
			s := openTest(t, ":memory:")
			load(t, s, suiteSeed())
			change := placed(partnerA, orderless, "00000000000a")
			change.Answer = &Answer{Key: []byte("0123456789abcdef"), Digest: []byte("digest"), Status: 201, Body: []byte(`{"id":"00000000000a","other":"data"}`)}
			apply(t, s, change)
			apply(t, s, newCart(partnerA, orderless))
			subscription := change.Subscriptions[0].ID
			q := OrderQuery{PartnerID: partnerA, CustomerID: orderless}
			system, unsettled := q, q
			system.IncludeSystemPurchases = true
			unsettled.Unsettled = func(dst, doc, _ []byte) ([]byte, error) { return append(dst, doc...), nil }
			reads := map[string]func(ctx context.Context) error{
				"list":        func(ctx context.Context) error { _, err := s.ListOrders(ctx, nil, q); return err },
				"list, again": func(ctx context.Context) error { _, err := s.ListOrders(ctx, nil, q); return err },
				"list in SQL": func(ctx context.Context) error { _, err := s.ListOrders(ctx, nil, system); return err },
				"order": func(ctx context.Context) error {
					_, err := s.GetOrder(ctx, partnerA, orderless, "00000000000a", false)
					return err
				},
				"for a change": func(ctx context.Context) error {
					_, _, err := s.OrderRecord(ctx, partnerA, orderless, "00000000000a")
					return err
				},
				"customer": func(ctx context.Context) error { _, err := s.GetCustomer(ctx, partnerA, orderless); return err },
				"customers": func(ctx context.Context) error {
					_, err := s.ListCustomers(ctx, nil, CustomerQuery{PartnerID: partnerA})
					return err
				},
				"last page": func(ctx context.Context) error {
					_, err := s.ListCustomers(ctx, nil, CustomerQuery{PartnerID: partnerA, Last: true, Limit: 9})
					return err
				},
				"tenant": func(ctx context.Context) error { _, err := s.CustomerTenant(ctx, "orderless.example"); return err },
				"answer": func(ctx context.Context) error {
					_, err := s.Answered(ctx, partnerA, orderless, change.Answer.Key)
					return err
				},
				"subscriptions": func(ctx context.Context) error {
					_, err := s.Subscriptions(ctx, SubscriptionQuery{PartnerID: partnerA, CustomerID: orderless, ID: subscription})
					return err
				},
				"cart": func(ctx context.Context) error { _, err := s.Cart(ctx, partnerA, orderless, cartID); return err },
				"attachments": func(ctx context.Context) error {
					_, err := s.Attachments(ctx, partnerA, orderless, "00000000000a")
					return err
				},
			}
			for what, read := range reads {
				if err := read(t.Context()); err != nil {
					t.Fatalf("%s: %v", what, err)
				}
			}
			for _, statement := range []string{
				`UPDATE orders SET doc = ` + damage + `, priced_doc = ` + damage + ` WHERE customer_id = '` + orderless + `'`,
				`UPDATE subscriptions SET doc = ` + damage + ` WHERE doc IS NOT NULL`,
				`UPDATE customers SET doc = ` + damage + `, summary = ` + strings.ReplaceAll(damage, "doc", "summary"),
				`UPDATE carts SET doc = ` + damage,
				`UPDATE requests SET body = CAST(` + strings.ReplaceAll(damage, "doc", "CAST(body AS TEXT)") + ` AS BLOB)`,
			} {
				if name == "empty" && strings.HasPrefix(statement, "UPDATE requests") {
					continue // answers may have no body
				}
				if _, err := s.write.ExecContext(t.Context(), statement); err != nil {
					t.Fatalf("%s: %v", statement, err)
				}
			}
			for what, read := range reads {
				err := read(t.Context())
				if name == "empty" && what == "answer" {
					continue
				}
				if !errors.Is(err, ErrDamaged) {
					t.Errorf("%s: %v", what, err)
					continue
				}
				if text := err.Error(); !strings.Contains(text, orderless) && !strings.Contains(text, "00000000000a") && !strings.Contains(text, partnerA) && what != "answer" {
					t.Errorf("%s does not say which: %v", what, err)
				}
			}
		})
	}
}

// Documents that somebody changed by hand are served, if they are JSON.
func TestChangedByHand(t *testing.T) {
	s := openTest(t, ":memory:")
	load(t, s, suiteSeed())
	apply(t, s, placed(partnerA, orderless, "00000000000a"))
	if _, err := s.write.ExecContext(t.Context(), `UPDATE orders SET doc = json_set(doc, '$.note', 'é')`); err != nil {
		t.Fatal(err)
	}
	list, err := s.ListOrders(t.Context(), nil, OrderQuery{PartnerID: partnerA, CustomerID: orderless})
	if err != nil || !bytes.Contains(list.Items, []byte(`"note":"é"`)) {
		t.Errorf("%s, %v", list.Items, err)
	}
}
