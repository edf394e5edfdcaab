package partnercenter_test

import (
	"errors"
	"net/http"
	"testing"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/partnercentertest"
)

// TestCarts makes, reads, changes and buys a cart at a server.
func TestCarts(t *testing.T) {
	srv := partnercentertest.NewServer(t)
	carts := srv.Client().Customers.ByID(partnercentertest.CustomerID).Carts
	made, err := carts.Create(t.Context(), &partnercenter.Cart{LineItems: []partnercenter.CartLineItem{
		{CatalogItemID: "CFQ7TTC0LFLX:0001:CFQ7TTC0K8QN", Quantity: new(5), BillingCycle: partnercenter.BillingCycleTypeMonthly, TermDuration: "P1Y"},
		{CatalogItemID: "CFQ7TTC0LH18:0001:CFQ7TTC0K59V", Quantity: new(301)},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if e := made.LineItems[1].Error; made.Status != partnercenter.CartStatusActive || e == nil || e.ErrorCode != partnercenter.CartErrorCodeMaxSeatsExceeded || e.AdditionalInformation.GetAvailableQuantity() != 300 || e.AdditionalInformation.GetPurchasedQuantity() != 0 {
		t.Errorf("%+v", made)
	}
	cart := carts.ByID(made.ID)
	read, err := cart.Get(t.Context())
	if err != nil || read.LineItems[1].GetID() != 1 || read.LineItems[1].GetQuantity() != 301 {
		t.Fatalf("%+v, %v", read, err)
	}
	read.LineItems = read.LineItems[:1]
	if read, err = cart.Put(t.Context(), read); err != nil || len(read.LineItems) != 1 {
		t.Fatalf("%+v, %v", read, err)
	}
	first, err := cart.CheckOut(t.Context(), partnercenter.ForCustomerUser("ann@contoso.example"))
	if err != nil || len(first.Orders) != 1 || len(first.OrderErrors) != 0 || first.Orders[0].TotalPrice != "2160.00" {
		t.Fatalf("%+v, %v", first, err)
	}
	if again, err := cart.CheckOut(t.Context()); err != nil || again.Orders[0].ID != first.Orders[0].ID {
		t.Errorf("%+v, %v", again, err)
	}
	_, err = cart.Put(t.Context(), read)
	refused := new(partnercenter.Error)
	if !errors.As(err, &refused) || refused.StatusCode != http.StatusBadRequest || refused.Code != partnercenter.ErrorCodeCartItems {
		t.Errorf("a change of what was bought: %v", err)
	}
	for name, err := range map[string]error{
		"an empty id":   second(carts.ByID("").CheckOut(t.Context())),
		"no cart":       second(carts.Create(t.Context(), nil)),
		"an empty user": second(cart.CheckOut(t.Context(), partnercenter.ForCustomerUser(""))),
	} {
		if err == nil || errors.As(err, &refused) && refused.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestCheckoutOfErrors reads an answer that leaves out the orders that there are not.
func TestCheckoutOfErrors(t *testing.T) {
	var r partnercenter.CartCheckoutResult
	if err := partnercenter.Unmarshal([]byte(`{"orderErrors":[{"orderGroupId":"0","code":"800066","description":"full"}]}`), &r); err != nil || r.Orders == nil || len(r.OrderErrors) != 1 || r.OrderErrors[0].Code != partnercenter.ErrorCodeTooManySubs {
		t.Errorf("%+v, %v", r, err)
	}
}
