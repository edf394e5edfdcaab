package lifecycle

import (
	"errors"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/catalog"
)

// Checkout is the command to buy what is in a cart.
type Checkout struct {
	// HasUser says that the token is a user's.
	HasUser bool
	Entropy Entropy
}

// ofCart is what the placement of an order group knows of its cart.
type ofCart struct {
	// bases are the lines that are add-ons of others, and those others, by their place in
	// the request.
	bases map[int]int
	// beside are the items that the whole cart buys.
	beside []*catalog.Item
}

// checkoutCheck is a cart that is to be bought, as the rules check it.
type checkoutCheck struct {
	keptCart
	lines []*cartLine // that were not ordered yet, as they are now
}

// checkoutRules are about the cart as a whole. What keeps one of its order groups from
// being ordered is in the result.
var checkoutRules = []rule[*checkoutCheck]{
	{cartNotExpired.status, cartNotExpired.code, cartNotExpired.when, func(c *checkoutCheck) (string, string) {
		return cartNotExpired.broken(&c.keptCart)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeCartItems, "it has no line items", func(c *checkoutCheck) (string, string) {
		return require(len(c.Document.LineItems) > 0, "Add line items to the cart first", "Error in Cart item(s): cart %s has none", c.Document.ID)
	}},
	{http.StatusNotFound, partnercenter.ErrorCodeProductNotFound, "a product is no longer there", func(c *checkoutCheck) (string, string) {
		return c.gone(catalog.ErrUnknownProduct)
	}},
	{http.StatusNotFound, partnercenter.ErrorCodeSKUNotFound, "a SKU is no longer there", func(c *checkoutCheck) (string, string) {
		return c.gone(catalog.ErrUnknownSKU)
	}},
	{http.StatusNotFound, partnercenter.ErrorCodeAvailabilityUnknown, "an availability is no longer there", func(c *checkoutCheck) (string, string) {
		return c.gone(catalog.ErrUnknownAvailability)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeCartItems, "a line has an error", func(c *checkoutCheck) (string, string) {
		for _, l := range c.lines {
			if e := l.Error; e != nil {
				return violation("Change the line with PUT, which answers with the errors of all lines", "Error in Cart item(s): line %d has %s: %s", l.number, e.ErrorCode, withoutStop(e.ErrorDescription))
			}
		}
		return "", ""
	}},
}

// gone refuses a line whose item was in the catalog when it came into the cart, and is
// not any more.
func (c *checkoutCheck) gone(why error) (string, string) {
	before := cartLines(&c.Document)
	for _, l := range c.lines {
		if errors.Is(l.err, why) && before[l.number].Error == nil {
			return violation(nextReadCatalog+", in another cart", "Line %d, %s: %v any more", l.number, l.CatalogItemID, l.err)
		}
	}
	return "", ""
}

func withoutStop(text string) string {
	if n := len(text); n > 0 && text[n-1] == '.' {
		return text[:n-1]
	}
	return text
}

// complete reports whether every order group was ordered.
func (c *Cart) complete() bool {
	return !slices.ContainsFunc(c.Document.LineItems, func(l partnercenter.CartLineItem) bool { return !slices.Contains(c.Facts.Ordered, l.OrderGroup) })
}

// CheckOut decides about buying a cart. It places an order for each order group that was
// not ordered before and that the rules allow, and says of each other why not. The result
// has all orders of the cart, whenever they were placed; next is nil if that is all there
// is to say.
func CheckOut(account *Account, cart *Cart, command Checkout, settings Settings, now time.Time) (result *partnercenter.CartCheckoutResult, next *Cart, placed []*Order, events []Event, err error) {
	fresh := *cart
	fresh.Document.LineItems = copyLines(cart.Document.LineItems)
	fresh.Facts.Ordered, fresh.Facts.Orders = slices.Clone(cart.Facts.Ordered), slices.Clone(cart.Facts.Orders)
	checked := &checkoutCheck{keptCart: keptCart{cart, now}}
	all := cartLines(&fresh.Document)
	for _, l := range all {
		if !slices.Contains(fresh.Facts.Ordered, l.OrderGroup) {
			checked.lines = append(checked.lines, l)
		}
	}
	evaluate(account, all, settings, now)
	if err := check(checkoutRules, checked); err != nil {
		return nil, nil, nil, nil, err
	}
	groups := orderGroups(checked.lines)
	refused := map[string]*Refusal{}
	for tried := -1; tried != len(refused); { // what is refused may have been the base of something
		tried = len(refused)
		placed = nil
		among := account.forCheckout()
		for i, g := range groups {
			if refused[g.id] != nil {
				continue
			}
			o, err := g.place(among, &fresh, all, refused, command, settings, now, i)
			if errors.As(err, new(*Refusal)) {
				refused[g.id], _ = err.(*Refusal) //nolint:errorlint // it is one
				continue
			}
			if err != nil {
				return nil, nil, nil, nil, err
			}
			placed = append(placed, o)
			among.hold(o)
		}
	}
	errs := []partnercenter.OrderError{}
	at := 0
	for _, g := range groups {
		if r := refused[g.id]; r != nil {
			errs = append(errs, partnercenter.OrderError{OrderGroupID: g.id, Code: r.Code, Description: r.Error()})
			continue
		}
		o := placed[at]
		at++
		fresh.Facts.Ordered, fresh.Facts.Orders = append(fresh.Facts.Ordered, g.id), append(fresh.Facts.Orders, *o.AsPlaced())
		events = append(events, Event{Kind: "order placed", OrderID: o.Document.ID})
	}
	result = &partnercenter.CartCheckoutResult{Orders: fresh.Facts.Orders, OrderErrors: errs}
	if result.Orders == nil {
		result.Orders = []partnercenter.Order{}
	}
	if len(placed) == 0 {
		return result, nil, nil, nil, nil
	}
	fresh.Document.LineItems = cart.Document.LineItems // as they were put into the cart
	if fresh.complete() {
		fresh.Document.Status = partnercenter.CartStatusOrdered
	}
	return result, &fresh, placed, events, nil
}

// copyLines copies lines, whose errors and prices are to be found again.
func copyLines(lines []partnercenter.CartLineItem) []partnercenter.CartLineItem {
	kept := slices.Clone(lines)
	for i := range kept {
		if kept[i].AddonItems != nil {
			kept[i].AddonItems = copyLines(kept[i].AddonItems)
		}
	}
	return kept
}

// orderGroup are the lines of one order.
type orderGroup struct {
	id    string
	lines []*cartLine
}

// orderGroups returns the groups of lines, in the order in which they begin.
func orderGroups(lines []*cartLine) []*orderGroup {
	var groups []*orderGroup
	for _, l := range lines {
		i := slices.IndexFunc(groups, func(g *orderGroup) bool { return g.id == l.OrderGroup })
		if i < 0 {
			i, groups = len(groups), append(groups, &orderGroup{id: l.OrderGroup})
		}
		groups[i].lines = append(groups[i].lines, l)
	}
	return groups
}

// place decides about the order of a group, by the rules of every order.
func (g *orderGroup) place(account *Account, cart *Cart, all []*cartLine, refused map[string]*Refusal, command Checkout, settings Settings, now time.Time, number int) (*Order, error) {
	request := &partnercenter.Order{
		ReferenceCustomerID: account.CustomerID, BillingCycle: g.lines[0].BillingCycle,
		PartnerOnRecordAttestationAccepted: cart.Document.PartnerOnRecordAttestationAccepted,
	}
	of := &ofCart{bases: map[int]int{}}
	for _, l := range all {
		if l.item != nil && refused[l.OrderGroup] == nil {
			of.beside = append(of.beside, l.item)
		}
	}
	for i, l := range g.lines {
		request.LineItems = append(request.LineItems, l.asked())
		if l.base != nil {
			of.bases[i] = slices.Index(g.lines, l.base)
		}
	}
	placement := Placement{Request: request, HasUser: command.HasUser, Entropy: command.Entropy, cart: of}
	placement.Entropy[0] ^= byte(number) // each order has ids of its own
	placement.Entropy[1] ^= byte(number >> 8)
	o, _, err := PlaceOrder(account, placement, settings, now)
	return o, err
}

// forCheckout returns a copy of the account whose holdings can grow.
func (a *Account) forCheckout() *Account {
	c := *a
	c.Held.OfOffer = maps.Clone(a.Held.OfOffer)
	return &c
}

// hold adds what an order bought to the holdings.
func (a *Account) hold(o *Order) {
	for _, s := range o.Subscriptions {
		a.Held.Subscriptions++
		switch s.Facts.Kind {
		case catalog.Usage:
			a.Held.AzureSubs++
		case catalog.AzurePlan:
			a.Held.AzurePlans++
		}
		if a.Held.OfOffer != nil {
			a.Held.OfOffer[Key(s.Document.OfferID)]++
		}
	}
}
