package partnercenter_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/partnercenter-go/partnercenter"
)

// unsent returns a client for calls that must not be sent.
func unsent(t *testing.T, opts *partnercenter.ClientOptions) *partnercenter.Client {
	t.Helper()
	if opts == nil {
		opts = &partnercenter.ClientOptions{}
	}
	opts.SkipCredentialChecks = true
	opts.Transport = transport(func(req *http.Request) (*http.Response, error) {
		t.Errorf("%s: %s %s was sent", t.Name(), req.Method, req.URL)
		return nil, errors.New("sent")
	})
	pc, err := partnercenter.NewClient(&fakeCredential{}, opts)
	if err != nil {
		t.Fatal(err)
	}
	return pc
}

// TestRefusedBeforeSending has arguments that cannot be meant. The error says which it is,
// and nothing has happened.
func TestRefusedBeforeSending(t *testing.T) {
	background := t.Context()
	for want, call := range map[string]func(*partnercenter.Client) error{
		// Empty ids.
		"the request id is empty": func(pc *partnercenter.Client) error {
			return second(customerOf(pc).Orders.Create(partnercenter.WithRequestID(background, ""), orderOf(1)))
		},
		"the request id is empty: pass": func(pc *partnercenter.Client) error {
			return second(subscriptionOf(pc).Get(partnercenter.WithRequestID(background, " ")))
		},
		"the correlation id is empty": func(pc *partnercenter.Client) error {
			return second(pc.Customers.Get(partnercenter.WithCorrelationID(background, "")))
		},
		"the request id is empty: pass one of NewRequestID": func(pc *partnercenter.Client) error {
			file := partnercenter.AttachmentFile{Name: "po.txt", Content: strings.NewReader("x")}
			upload := &partnercenter.AttachmentUpload{PurchaseOrders: []partnercenter.AttachmentFile{file}}
			return second(orderOfCustomer(pc).Attachments.Upload(partnercenter.WithRequestID(background, ""), upload))
		},

		// Values that no header can have.
		`the request id "a\nb" (WithRequestID)`: func(pc *partnercenter.Client) error {
			return second(customerOf(pc).Orders.Create(partnercenter.WithRequestID(background, "a\nb"), orderOf(1)))
		},
		`the correlation id "a\x7f" (WithCorrelationID)`: func(pc *partnercenter.Client) error {
			return second(customerOf(pc).Orders.Create(partnercenter.WithCorrelationID(background, "a\x7f"), orderOf(1)))
		},
		`the user "a\nb" (ForCustomerUser)`: func(pc *partnercenter.Client) error {
			return second(customerOf(pc).Orders.Create(background, orderOf(1), partnercenter.ForCustomerUser("a\nb")))
		},
		`the etag "\"\x01\"" (IfMatch)`: func(pc *partnercenter.Client) error {
			return second(subscriptionOf(pc).Patch(background, &partnercenter.Subscription{}, partnercenter.IfMatch("\x01")))
		},
		`the continuation token "a\nb"`: func(pc *partnercenter.Client) error {
			return second(pc.Customers.Query(background, partnercenter.CustomersQuery{Seek: partnercenter.SeekOperationNext, ContinuationToken: "a\nb"}))
		},

		// Options that say nothing.
		"the user is empty: pass": func(pc *partnercenter.Client) error {
			return second(customerOf(pc).Orders.Create(background, orderOf(1), partnercenter.ForCustomerUser("")))
		},
		"the etag is empty: pass": func(pc *partnercenter.Client) error {
			return second(orderOfCustomer(pc).Patch(background, orderOf(1), partnercenter.IfMatch("")))
		},
		"an option is empty: use ForCustomerUser": func(pc *partnercenter.Client) error {
			return second(customerOf(pc).Orders.Create(background, orderOf(1), partnercenter.OrderCreateOption{}))
		},
		"an option is empty: use IfMatch": func(pc *partnercenter.Client) error {
			return second(orderOfCustomer(pc).Patch(background, orderOf(1), partnercenter.PatchOption{}))
		},
		"an option is nil: use": func(pc *partnercenter.Client) error {
			return second(customerOf(pc).Orders.Get(background, nil))
		},
		"an option is nil: use IncludePrice": func(pc *partnercenter.Client) error { return second(orderOfCustomer(pc).Get(background, nil)) },
		"the indirect reseller's id is empty": func(pc *partnercenter.Client) error {
			return second(customerOf(pc).Orders.Get(background, partnercenter.ForIndirectReseller("")))
		},

		// Filters of nothing.
		"the billing cycle is empty: pass": func(pc *partnercenter.Client) error {
			return second(customerOf(pc).Orders.ByBillingCycleType("").Get(background))
		},
		"the order id is empty: pass it to ByOrder": func(pc *partnercenter.Client) error {
			return second(customerOf(pc).Subscriptions.ByOrder("").Get(background))
		},
		"the MPN id is empty: pass": func(pc *partnercenter.Client) error {
			return second(customerOf(pc).Subscriptions.ByPartner("").Get(background))
		},
		"the category id is empty: pass": func(pc *partnercenter.Client) error {
			return second(customerOf(pc).Offers.ByCategory("").Get(background))
		},
		"the category id is empty: pass it": func(pc *partnercenter.Client) error {
			for _, err := range pc.Offers.ByCountry("US").ByCategory("").All(background) {
				return err
			}
			return nil
		},
		"the target view is empty: pass": func(pc *partnercenter.Client) error {
			return second(pc.Products.ByCountry("US").ByTargetView("").Get(background))
		},
		"the target segment is empty: pass": func(pc *partnercenter.Client) error {
			return second(customerOf(pc).Products.ByID("p").SKUs.ByTargetSegment("").Get(background))
		},
		"the reservation scope is empty: pass": func(pc *partnercenter.Client) error {
			return second(customerOf(pc).Products.ByID("p").SKUs.ByID("s").Availabilities.ByReservationScope("").Get(background))
		},
		`the target segment is both "commercial" and "education"`: func(pc *partnercenter.Client) error {
			return second(customerOf(pc).Products.ByTargetView("Azure").ByTargetSegment("commercial").ByTargetSegment("education").Get(background))
		},

		// Options that have no effect on the call.
		"ByOffset is for QueryAll": func(pc *partnercenter.Client) error {
			return second(pc.Customers.Query(background, partnercenter.CustomersQuery{ByOffset: true}))
		},
		"ByOffset pages without Seek": func(pc *partnercenter.Client) error {
			for _, err := range pc.Customers.QueryAll(background, partnercenter.CustomersQuery{ByOffset: true, ContinuationToken: "t"}) {
				return err
			}
			return nil
		},

		// Nil arguments.
		"the *Order to send is nil": func(pc *partnercenter.Client) error {
			return second(customerOf(pc).Orders.Create(background, nil))
		},
		"the *Order to send is nil: pass": func(pc *partnercenter.Client) error { return second(orderOfCustomer(pc).Patch(background, nil)) },
		"the *Subscription to send is nil": func(pc *partnercenter.Client) error {
			return second(subscriptionOf(pc).Patch(background, nil))
		},
		"the *ApplicationConsent to send is nil": func(pc *partnercenter.Client) error {
			return second(customerOf(pc).ApplicationConsents.Create(background, nil))
		},
		"the *InventoryCheckRequest to send is nil": func(pc *partnercenter.Client) error {
			return second(pc.Extensions.Product.ByCountry("US").CheckInventory(background, nil))
		},
		"the *AttachmentUpload to send is nil": func(pc *partnercenter.Client) error {
			return second(orderOfCustomer(pc).Attachments.Upload(background, nil))
		},
		"there is no link to follow": func(pc *partnercenter.Client) error { return pc.Follow(background, nil, new(partnercenter.Order)) },
		"a link cannot be read into <nil>": func(pc *partnercenter.Client) error {
			return pc.Follow(background, &partnercenter.Link{URI: "/customers"}, nil)
		},
		"a link cannot be read into *partnercenter.Order": func(pc *partnercenter.Client) error {
			return customerOf(pc).Follow(background, &partnercenter.Link{URI: "/customers"}, (*partnercenter.Order)(nil))
		},
	} {
		t.Run(want, func(t *testing.T) {
			err := call(unsent(t, nil))
			if err == nil || !strings.HasPrefix(err.Error(), "partnercenter: ") || !strings.Contains(err.Error(), want) {
				t.Errorf("error %v, want one with %q", err, want)
			}
			if partnercenter.Unsettled(err) {
				t.Errorf("%v: nothing was sent, so nothing is unsettled", err)
			}
		})
	}
}

// TestRefusedClientOptions has options that would end in no header.
func TestRefusedClientOptions(t *testing.T) {
	for want, opts := range map[string]*partnercenter.ClientOptions{
		`the locale "de\n" (ClientOptions.Locale)`:                      {Locale: "de\n"},
		`the application name "a\x01b" (ClientOptions.ApplicationName)`: {ApplicationName: "a\x01b"},
	} {
		_, err := customerOf(unsent(t, opts)).Orders.Create(t.Context(), orderOf(1))
		if err == nil || !strings.Contains(err.Error(), want) || partnercenter.Unsettled(err) {
			t.Errorf("%v, want an error with %q that leaves nothing open", err, want)
		}
	}
}

// TestRefusedToken has a credential whose token is a whole line of a file.
func TestRefusedToken(t *testing.T) {
	opts := &partnercenter.ClientOptions{SkipCredentialChecks: true}
	opts.Transport = transport(func(*http.Request) (*http.Response, error) { return nil, errors.New("sent") })
	pc, err := partnercenter.NewClient(&fakeCredential{token: "hush\n"}, opts)
	if err != nil {
		t.Fatal(err)
	}
	_, err = customerOf(pc).Orders.Create(context.Background(), orderOf(1))
	if err == nil || !strings.Contains(err.Error(), "the token") || strings.Contains(err.Error(), "hush") || partnercenter.Unsettled(err) {
		t.Errorf("%v, want an error about the token, without it, that leaves nothing open", err)
	}
}
