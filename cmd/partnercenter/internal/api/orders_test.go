package api

import (
	"bytes"
	"encoding/csv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
)

func TestOrderCSV(t *testing.T) {
	order := new(partnercenter.Order)
	err := partnercenter.Unmarshal([]byte(`{
		"id": "o", "creationDate": "2018-03-06T17:37:05.253-08:00", "totalPrice": 12.30, "currencyCode": "EUR",
		"transactionType": "UserPurchase", "status": "completed", "billingCycle": "annual",
		"lineItems": [{
			"lineItemNumber": 0, "friendlyName": "two\nlines, \"quoted\"", "quantity": 0, "termDuration": "P1Y",
			"transactionType": "New", "promotionId": "promo", "partnerIdOnRecord": "123",
			"pricing": {"price": 1.10, "extendedPrice": 12.30}
		}]}`), order)
	if err != nil {
		t.Fatal(err)
	}
	var stdout bytes.Buffer
	term := &terminal.Terminal{Stdout: &stdout, Getenv: func(string) string { return "" }}
	p, err := terminal.NewPrinter(term, &terminal.Output{Format: "csv", Color: "auto"}, ordersView(false, false))
	if err != nil {
		t.Fatal(err)
	}
	// An order of before line items and dates has its row, too.
	for _, o := range []*partnercenter.Order{order, {ID: "bare", CreationDate: mustTime(t, "0001-01-01T00:00:00")}} {
		if err := p.Add(customerOrder{customerID: "c", order: o}); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.End(); err != nil {
		t.Fatal(err)
	}
	got, err := csv.NewReader(strings.NewReader(stdout.String())).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	want := [][]string{
		orderCSVColumns,
		{
			"c", "o", "", "2018-03-07T01:37:05.253Z", "completed", "annual", "UserPurchase", "EUR", "12.30", "0", "", "", "two\nlines, \"quoted\"", "0",
			"P1Y", "New", "promo", "123", "1.10", "12.30", "",
		},
		append([]string{"c", "bare"}, make([]string, 19)...),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func mustTime(t *testing.T, text string) partnercenter.Time {
	t.Helper()
	at, err := partnercenter.ParseTime(text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestItemsSummary(t *testing.T) {
	for _, test := range []struct {
		lines []partnercenter.OrderLineItem
		want  string
	}{
		{nil, ""},
		{[]partnercenter.OrderLineItem{{FriendlyName: "Widgets", Quantity: new(2)}}, "2 × Widgets"},
		{[]partnercenter.OrderLineItem{{OfferID: "offer", Quantity: new(0)}, {}, {}}, "0 × offer, +2"},
		{[]partnercenter.OrderLineItem{{FriendlyName: "Widgets"}}, "Widgets"},
	} {
		if got := itemsSummary(test.lines); got != test.want {
			t.Errorf("got %q, want %q", got, test.want)
		}
	}
}
