// Package report sums up what customers ordered. Its test shows how to test
// code that calls Partner Center with partnercentertest.
package report

import (
	"context"
	"fmt"
	"time"

	"github.com/partnercenter-go/partnercenter"
)

// Revenue is a customer's revenue in one currency.
type Revenue struct {
	CustomerID   string
	CurrencyCode string
	Total        partnercenter.Decimal
}

// Revenues returns the revenue by customer and currency from orders that were
// placed since then and not cancelled. It fails if the orders of a customer
// cannot be listed.
func Revenues(ctx context.Context, pc *partnercenter.Client, since time.Time) ([]Revenue, error) {
	var revenues []Revenue
	index := map[[2]string]int{} // by customer and currency
	opts := &partnercenter.AllOrdersOptions{Options: []partnercenter.OrdersOption{partnercenter.IncludePrice()}}
	for each, err := range pc.Orders.All(ctx, opts) {
		if err != nil {
			return nil, fmt.Errorf("revenues since %s: %w", since.Format(time.DateOnly), err)
		}
		order := each.Order
		if order.Status.Normalize() == partnercenter.OrderStatusCancelled || order.CreationDate.Time().Before(since) {
			continue
		}
		key := [2]string{each.Customer.ID, order.CurrencyCode}
		i, ok := index[key]
		if !ok {
			i = len(revenues)
			index[key] = i
			revenues = append(revenues, Revenue{CustomerID: each.Customer.ID, CurrencyCode: order.CurrencyCode})
		}
		revenues[i].Total, err = revenues[i].Total.Add(order.TotalPrice)
		if err != nil {
			return nil, fmt.Errorf("order %s: %w", order.ID, err)
		}
	}
	return revenues, nil
}
