package partnercenter_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/partnercenter-go/partnercenter"
)

// listedAfter is a service that lists an order some time after it was placed.
func listedAfter(lag time.Duration, kind string) (transport, *int) {
	start, lists := time.Now(), 0
	return func(r *http.Request) (*http.Response, error) {
		order := `{"id":"EEBA9D00-7b46-443a-917e-22887a8fc993","transactionType":"` + kind + `"}`
		status, body := http.StatusOK, order
		switch {
		case strings.HasSuffix(r.URL.Path, "/orders"):
			lists++
			body = emptyList
			if time.Since(start) >= lag && (kind == "UserPurchase" || r.URL.Query().Get("include_system_purchases") == "true") {
				body = `{"totalCount":9,"items":[{"id":"other"},{"id":"eeba9d00-7b46-443a-917e-22887a8fc993"}]}`
			}
		case strings.HasSuffix(r.URL.Path, "/unknown"):
			status, body = http.StatusNotFound, `{"code":20000,"description":"no such order"}`
		}
		return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
	}, &lists
}

func TestWaitVisible(t *testing.T) {
	for _, kind := range []string{"UserPurchase", "SystemPurchase"} {
		synctest.Test(t, func(t *testing.T) {
			service, lists := listedAfter(15*time.Minute, kind)
			o := &partnercenter.ClientOptions{}
			o.Transport = service
			pc, err := partnercenter.NewClient(&fakeCredential{}, o)
			if err != nil {
				t.Fatal(err)
			}
			orders, started := pc.Customers.ByID(customerID).Orders, time.Now()
			var pauses []time.Duration
			order, err := orders.ByID("eeba9d00-7b46-443a-917e-22887a8fc993").WaitVisible(t.Context(), &partnercenter.WaitOptions{
				Progress: func(_, pause time.Duration) { pauses = append(pauses, pause) },
			})
			waited := time.Since(started)
			if err != nil || order.ID != "eeba9d00-7b46-443a-917e-22887a8fc993" || waited < 15*time.Minute || waited > 16*time.Minute || *lists > 40 {
				t.Errorf("%v, %v after %s and %d lists", order, err, waited, *lists)
			}
			if len(pauses) != *lists-1 || pauses[0] != 5*time.Second || pauses[len(pauses)-1] != 30*time.Second {
				t.Errorf("pauses %v", pauses)
			}

			*lists = 0
			var refused *partnercenter.Error
			if _, err := orders.ByID("unknown").WaitVisible(t.Context(), nil); !errors.As(err, &refused) || refused.Code != partnercenter.ErrorCodeOrderNotFound || *lists != 0 {
				t.Errorf("an unknown order: %v after %d lists", err, *lists)
			}
		})
	}
	synctest.Test(t, func(t *testing.T) {
		service, _ := listedAfter(time.Hour, "UserPurchase")
		o := &partnercenter.ClientOptions{}
		o.Transport = service
		pc, err := partnercenter.NewClient(&fakeCredential{}, o)
		if err != nil {
			t.Fatal(err)
		}
		started, order := time.Now(), pc.Customers.ByID(customerID).Orders.ByID("x")
		if _, err := order.WaitVisible(t.Context(), nil); !errors.Is(err, partnercenter.ErrNotVisible) || time.Since(started) != partnercenter.DefaultWaitTimeout {
			t.Errorf("%v after %s", err, time.Since(started))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := order.WaitVisible(ctx, &partnercenter.WaitOptions{Timeout: -1}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the context ended: %v", err)
		}
	})
}
