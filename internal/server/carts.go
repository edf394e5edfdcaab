package server

import (
	"bytes"
	"context"
	"net/http"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/guid"
	"github.com/partnercenter-go/partnercenter/internal/lifecycle"
	"github.com/partnercenter-go/partnercenter/internal/store"
)

// getCart answers with a cart.
func (s *Server) getCart(c *call) error {
	cart, _, err := s.cart(c.r.Context(), c)
	if err != nil {
		return err
	}
	now, err := lifecycle.ReadCart(cart, s.now())
	if err != nil {
		return err
	}
	return c.writeJSON(s.shownCart(c, now))
}

// createCart makes a cart.
func (s *Server) createCart(c *call) error {
	body, request, err := readJSON[partnercenter.Cart](c)
	if err != nil {
		return err
	}
	return s.writeOnce(c, body, func(ctx context.Context) (*writeResult, error) {
		account, _, err := s.cartAccount(ctx, c, request)
		if err != nil {
			return nil, err
		}
		cart, events, err := lifecycle.CreateCart(account, s.cartCommand(c, request), s.rulesOf(c), s.now())
		if err != nil {
			return nil, err
		}
		return s.cartEffect(c, cart, &store.CartRecord{New: true}, events)
	})
}

// updateCart replaces the lines of a cart. The documentation answers 201.
func (s *Server) updateCart(c *call) error {
	body, request, err := readJSON[partnercenter.Cart](c)
	if err != nil {
		return err
	}
	return s.withCart(c, func() error {
		return s.writeOnce(c, body, func(ctx context.Context) (*writeResult, error) {
			cart, record, err := s.cart(ctx, c)
			if err != nil {
				return nil, err
			}
			account, _, err := s.cartAccount(ctx, c, request)
			if err != nil {
				return nil, err
			}
			next, events, err := lifecycle.UpdateCart(account, cart, s.cartCommand(c, request), s.rulesOf(c), s.now())
			if err != nil {
				return nil, err
			}
			return s.cartEffect(c, next, record, events)
		})
	})
}

// checkOutCart places the orders of a cart, which are answered to each request that
// checks it out.
func (s *Server) checkOutCart(c *call) error {
	body, err := c.readBody()
	if err != nil {
		return err
	}
	if err := checkCheckoutBody(body); err != nil {
		return err
	}
	return s.withCart(c, func() error {
		return s.writeOnce(c, body, func(ctx context.Context) (*writeResult, error) { return s.checkOut(ctx, c) })
	})
}

// checkOut decides about the checkout of a cart.
func (s *Server) checkOut(ctx context.Context, c *call) (*writeResult, error) {
	cart, record, err := s.cart(ctx, c)
	if err != nil {
		return nil, err
	}
	account, held, err := s.cartAccount(ctx, c, &cart.Document)
	if err != nil {
		return nil, err
	}
	checkout := lifecycle.Checkout{HasUser: c.claims.HasUser(), Entropy: newEntropy()}
	bought, err := lifecycle.CheckOut(account, cart, checkout, s.rulesOf(c), s.now())
	if err != nil {
		return nil, err
	}
	shown := *bought.Result
	shown.Orders = slices.Clone(shown.Orders)
	for i := range shown.Orders {
		o := &shown.Orders[i]
		if guid.Is(o.ID) || s.checkPriceAccess(c) != nil { // as when it is placed directly
			o = withoutPrices(o)
		}
		shown.Orders[i] = *o
	}
	e := &writeResult{status: http.StatusCreated, events: bought.Events}
	if e.body, err = partnercenter.Marshal(&shown); err != nil || bought.Cart == nil {
		return e, err
	}
	change, err := s.cartChange(c, bought.Cart, record)
	if err != nil {
		return nil, err
	}
	change.Held = held
	for _, o := range bought.Orders {
		one, err := s.orderChange(c, decision{order: o})
		if err != nil {
			return nil, err
		}
		change.More = append(change.More, store.OrderChange{Order: one.Order, New: true})
		change.Subscriptions = append(change.Subscriptions, one.Subscriptions...)
	}
	e.change = change
	return e, nil
}

// checkCheckoutBody refuses a body that asks for something. Clients send none, the text
// "success", or an empty object.
func checkCheckoutBody(body []byte) error {
	text := jsontext.Value(bytes.TrimSpace(body))
	if len(text) == 0 {
		return nil
	}
	compact := text.Clone()
	if text.IsValid() && (text.Kind() == jsontext.KindString || text.Kind() == jsontext.KindNull || compact.Compact() == nil && string(compact) == "{}") {
		return nil
	}
	return errBody("checking out takes nothing but the cart", "send no body, or a text")
}

// withCart keeps other requests of this server away from a cart while it changes.
func (s *Server) withCart(c *call, change func() error) error {
	key := []byte("cart " + c.claims.TenantID + " " + c.customer + " " + guid.KeyIfGUID(c.param("cart-id")))
	if !s.inFlight.begin(key) {
		return errCartBusy(c.param("cart-id"))
	}
	defer s.inFlight.end(key)
	return change()
}

// cart reads a cart of the customer.
func (s *Server) cart(ctx context.Context, c *call) (*lifecycle.Cart, *store.CartRecord, error) {
	record, err := s.config.Store.Cart(ctx, c.claims.TenantID, c.customer, c.param("cart-id"))
	if err != nil {
		return nil, nil, err
	}
	cart := &lifecycle.Cart{Document: *record.Cart}
	if err := json.Unmarshal(record.Facts, &cart.Facts); err != nil {
		return nil, nil, err
	}
	if cart.Facts.Loaded {
		account, _, err := s.cartAccount(ctx, c, record.Cart)
		if err != nil {
			return nil, nil, err
		}
		cart = lifecycle.AdoptCart(account, *record.Cart, s.rulesOf(c), s.now())
	}
	return cart, record, nil
}

// cartAccount reads what the rules look up for a cart.
func (s *Server) cartAccount(ctx context.Context, c *call, cart *partnercenter.Cart) (*lifecycle.Account, *store.Holdings, error) {
	account, err := s.account(ctx, c)
	if err != nil {
		return nil, nil, err
	}
	lines := lifecycle.CartLines(cart)
	held, err := s.loadReferenced(ctx, account, lines)
	if err != nil || account.Owned != nil || !lifecycle.LacksParent(account, lines) {
		return account, held, err
	}
	account.Owned, err = s.allSubscriptions(ctx, account)
	return account, held, err
}

func (s *Server) cartCommand(c *call, request *partnercenter.Cart) lifecycle.CartCommand {
	return lifecycle.CartCommand{Request: request, User: c.claims.ObjectID, Entropy: newEntropy()}
}

// cartEffect completes the result of a decision about a cart.
func (s *Server) cartEffect(c *call, cart *lifecycle.Cart, record *store.CartRecord, events []lifecycle.Event) (_ *writeResult, err error) {
	e := &writeResult{status: http.StatusCreated, events: events}
	if e.body, err = partnercenter.Marshal(s.shownCart(c, &cart.Document)); err != nil {
		return nil, err
	}
	e.change, err = s.cartChange(c, cart, record)
	return e, err
}

// cartChange returns what to store of a cart, in place of a record.
func (s *Server) cartChange(c *call, cart *lifecycle.Cart, record *store.CartRecord) (*store.Change, error) {
	facts, err := json.Marshal(cart.Facts)
	if err != nil {
		return nil, err
	}
	return &store.Change{
		PartnerID: c.claims.TenantID, CustomerID: c.customer,
		Cart: &store.CartRecord{Cart: &cart.Document, Facts: facts, New: record.New, Revision: record.Revision},
	}, nil
}

// shownCart returns a cart as the caller may see it.
func (s *Server) shownCart(c *call, cart *partnercenter.Cart) *partnercenter.Cart {
	if s.checkPriceAccess(c) == nil {
		return cart
	}
	shown := *cart
	shown.LineItems = linesWithoutPrices(cart.LineItems)
	return &shown
}

func linesWithoutPrices(lines []partnercenter.CartLineItem) []partnercenter.CartLineItem {
	if lines == nil {
		return nil
	}
	plain := make([]partnercenter.CartLineItem, len(lines))
	for i := range lines {
		plain[i] = lines[i]
		plain[i].Pricing, plain[i].AddonItems = nil, linesWithoutPrices(lines[i].AddonItems)
	}
	return plain
}
