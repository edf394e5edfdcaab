package report_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/examples/report"
	"github.com/partnercenter-go/partnercenter/partnercentertest"
)

func TestRevenues(t *testing.T) {
	var failing atomic.Bool
	srv := partnercentertest.NewServer(t, partnercentertest.Options{Wrap: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if failing.Load() && strings.HasSuffix(r.URL.Path, partnercentertest.CustomerID+"/orders") {
				w.WriteHeader(http.StatusForbidden)
				return
			}
			next.ServeHTTP(w, r)
		})
	}})
	pc := srv.Client()
	srv.Clock().Set(time.Date(2031, 5, 1, 12, 0, 0, 0, time.UTC)) // after all orders of the sample

	place(t, pc, 5)
	srv.Clock().Advance(31 * 24 * time.Hour)
	cancelled := place(t, pc, 3)
	if _, err := pc.Customers.ByID(partnercentertest.CustomerID).Orders.ByID(cancelled.ID).Cancel(t.Context()); err != nil {
		t.Fatal(err)
	}
	place(t, pc, 2)

	since := srv.Clock().Now().AddDate(0, 0, -30)
	revenues, err := report.Revenues(t.Context(), pc, since)
	if err != nil {
		t.Fatal(err)
	}
	want := []report.Revenue{{CustomerID: partnercentertest.CustomerID, CurrencyCode: "USD", Total: "76.00"}}
	if !slices.Equal(revenues, want) {
		t.Errorf("%+v, want %+v", revenues, want)
	}

	failing.Store(true)
	_, err = report.Revenues(t.Context(), pc, since)
	if failed := new(partnercenter.Error); !errors.As(err, &failed) || failed.StatusCode != http.StatusForbidden {
		t.Errorf("%v, want the error of the customer that fails", err)
	}
}

// place orders software at 38 dollars.
func place(t *testing.T, pc *partnercenter.Client, quantity int) *partnercenter.Order {
	t.Helper()
	order, err := pc.Customers.ByID(partnercentertest.CustomerID).Orders.Create(t.Context(), &partnercenter.Order{
		ReferenceCustomerID: partnercentertest.CustomerID,
		BillingCycle:        partnercenter.BillingCycleTypeOneTime,
		LineItems: []partnercenter.OrderLineItem{{
			LineItemNumber: new(0), OfferID: "DG7GMGF0DWM3:0002:DG7GMGF0DT1M", Quantity: &quantity,
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return order
}
