package history

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Client makes calls at a server, or at what is in front of several, and records them.
type Client struct {
	Log    *Log
	HTTP   *http.Client
	Server string                 // the base URL
	Shared bool                   // any of several servers answers there
	Token  func() (string, error) // for the header Authorization
}

// Do makes a call and records it as it went. An answer that was cut is none.
func (c *Client) Do(ctx context.Context, call Call) (Call, error) {
	if call.Sent = c.Log.Now(); !c.Shared {
		call.Server = c.Server
	}
	status, body, err := c.send(ctx, &call)
	if call.Answered = c.Log.Now(); err == nil {
		call.Status, call.Body = status, body
	}
	c.Log.Add(call)
	return call, err
}

// method and path are those of the kinds.
var method = [...]string{Place: http.MethodPost, Change: http.MethodPatch, Read: http.MethodGet, List: http.MethodGet, Subscriptions: http.MethodGet}

func (c *Call) path() string {
	path := "/v1/customers/" + c.Customer
	switch c.Kind {
	case Subscriptions:
		return path + "/subscriptions"
	case Change, Read:
		return path + "/orders/" + url.PathEscape(c.Order)
	default:
		return path + "/orders"
	}
}

// body returns what is sent.
func (c *Call) body() io.Reader {
	type line struct {
		LineItemNumber int    `json:"lineItemNumber"`
		OfferID        string `json:"offerId"`
		FriendlyName   string `json:"friendlyName"`
		Quantity       int    `json:"quantity"`
	}
	var order struct {
		BillingCycle string `json:"billingCycle,omitempty"`
		LineItems    []line `json:"lineItems,omitempty"`
	}
	switch c.Kind {
	case Place:
		for i, l := range c.Lines {
			order.LineItems = append(order.LineItems, line{i, l.Offer, c.Name, l.Quantity})
		}
	case Change:
		order.BillingCycle = c.Cycle
	default:
		return nil
	}
	text, err := json.Marshal(order)
	if err != nil {
		panic(err) // it has only text and numbers
	}
	return strings.NewReader(string(text))
}

func (c *Client) send(ctx context.Context, call *Call) (int, []byte, error) {
	token, err := c.Token()
	if err != nil {
		return 0, nil, err
	}
	req, err := http.NewRequestWithContext(ctx, method[call.Kind], c.Server+call.path(), call.body())
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	if call.RequestID != "" {
		req.Header.Set("MS-RequestId", call.RequestID)
	}
	if call.IfMatch != "" {
		req.Header.Set("If-Match", call.IfMatch)
	}
	resp, err := c.HTTP.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp.StatusCode, body, err
}

// Settle repeats a call, with its request id, until it is acknowledged or refused, or the
// context is over. It may be at another server each time.
func Settle(ctx context.Context, call Call, pause time.Duration, client func() *Client) (Call, error) {
	for {
		done, err := client().Do(ctx, call)
		if outcome := done.Outcome(); outcome == Acknowledged || outcome == Refused && done.Status < 500 {
			return done, nil
		}
		select {
		case <-ctx.Done():
			return done, errors.Join(ctx.Err(), err)
		case <-time.After(pause):
		}
	}
}

// Look lists everything of customers, as the rules want it in the end.
func (c *Client) Look(ctx context.Context, customers []string) error {
	for _, customer := range customers {
		for _, kind := range []Kind{List, Subscriptions} {
			call, err := Settle(ctx, Call{Kind: kind, Customer: customer}, 20*time.Millisecond, func() *Client { return c })
			if err != nil {
				return err
			}
			if call.Outcome() != Acknowledged {
				return fmt.Errorf("the last look at %s: %d %s", call.path(), call.Status, call.Body)
			}
		}
	}
	return nil
}
