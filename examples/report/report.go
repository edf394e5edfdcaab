// Package report says how much customers ordered. Its test shows how code that
// calls Partner Center is tested with partnercentertest.
package report

import (
	"context"
	"fmt"
	"time"

	"github.com/partnercenter-go/partnercenter"
)

// Revenue is what a customer ordered, in one currency.
type Revenue struct {
	CustomerID   string
	CurrencyCode string
	Total        partnercenter.Decimal
}

// Revenues returns the revenue of each customer and currency from the orders
// that were placed since then and are not cancelled. A customer whose orders
// cannot be listed fails it, as a sum without that customer would be wrong.
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
