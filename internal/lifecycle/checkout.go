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

// Bought is what a checkout came to.
type Bought struct {
	// Result has all orders of the cart, whenever they were placed.
	Result *partnercenter.CartCheckoutResult
	// Cart is the cart afterwards, and Orders are those that this checkout placed. Both
	// are nil if it placed none.
	Cart   *Cart
	Orders []*Order
	Events []Event
}

// CheckOut decides about buying a cart. It places an order for each order group that was
// not ordered before and that the rules allow, and says of each other why not.
func CheckOut(account *Account, cart *Cart, command Checkout, settings Settings, now time.Time) (*Bought, error) {
	c := &checkout{Checkout: command, account: account, settings: settings, now: now, cart: *cart, refused: map[string]*Refusal{}}
	c.cart.Document.LineItems = copyLines(cart.Document.LineItems)
	c.cart.Facts.Ordered, c.cart.Facts.Orders = slices.Clone(cart.Facts.Ordered), slices.Clone(cart.Facts.Orders)
	c.all = cartLines(&c.cart.Document)
	checked := &checkoutCheck{keptCart: keptCart{cart, now}}
	for _, l := range c.all {
		if !slices.Contains(c.cart.Facts.Ordered, l.OrderGroup) {
			checked.lines = append(checked.lines, l)
		}
	}
	c.cart.forgetPromotions(c.all)
	evaluate(account, c.all, settings, now)
	if err := check(checkoutRules, checked); err != nil {
		return nil, err
	}
	groups := orderGroups(checked.lines)
	for tried := -1; tried != len(c.refused); { // what is refused may have been the base of something
		tried = len(c.refused)
		if err := c.place(groups); err != nil {
			return nil, err
		}
	}
	return c.bought(cart, groups), nil
}

// checkout is a checkout under way.
type checkout struct {
	Checkout
	account  *Account
	settings Settings
	now      time.Time

	cart    Cart                // as it will be
	all     []*cartLine         // of the cart
	refused map[string]*Refusal // by order group
	placed  []*Order            // of the groups that are not refused, in their order
}

// place places the orders of the groups that are not refused, or refuses them.
func (c *checkout) place(groups []*orderGroup) error {
	c.placed = nil
	among := c.account.forCheckout()
	for i, g := range groups {
		if c.refused[g.id] != nil {
			continue
		}
		o, err := c.placeGroup(among, g, i)
		var refused *Refusal
		switch {
		case errors.As(err, &refused):
			c.refused[g.id] = refused
		case err != nil:
			return err
		default:
			c.placed = append(c.placed, o)
			among.hold(o)
		}
	}
	return nil
}

// bought completes what the checkout came to.
func (c *checkout) bought(before *Cart, groups []*orderGroup) *Bought {
	b := &Bought{Orders: c.placed}
	errs := []partnercenter.OrderError{}
	facts := &c.cart.Facts
	placed := c.placed
	for _, g := range groups {
		if r := c.refused[g.id]; r != nil {
			errs = append(errs, partnercenter.OrderError{OrderGroupID: g.id, Code: r.Code, Description: r.Error()})
			continue
		}
		o := placed[0]
		placed = placed[1:]
		facts.Ordered, facts.Orders = append(facts.Ordered, g.id), append(facts.Orders, *o.AsPlaced())
		b.Events = append(b.Events, Event{Kind: "order placed", OrderID: o.Document.ID})
	}
	b.Result = &partnercenter.CartCheckoutResult{Orders: facts.Orders, OrderErrors: errs}
	if b.Result.Orders == nil {
		b.Result.Orders = []partnercenter.Order{}
	}
	if len(c.placed) == 0 {
		return b
	}
	c.cart.Document.LineItems = before.Document.LineItems // as they were put into the cart
	if c.cart.complete() {
		c.cart.Document.Status = partnercenter.CartStatusOrdered
	}
	b.Cart = &c.cart
	return b
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

// placeGroup decides about the order of a group, by the rules of every order.
func (c *checkout) placeGroup(account *Account, g *orderGroup, number int) (*Order, error) {
	request := &partnercenter.Order{
		ReferenceCustomerID: account.CustomerID, BillingCycle: g.lines[0].BillingCycle,
		PartnerOnRecordAttestationAccepted: c.cart.Document.PartnerOnRecordAttestationAccepted,
	}
	of := &ofCart{bases: map[int]int{}}
	for _, l := range c.all {
		if l.item != nil && c.refused[l.OrderGroup] == nil {
			of.beside = append(of.beside, l.item)
		}
	}
	for i, l := range g.lines {
		request.LineItems = append(request.LineItems, l.asked())
		if l.base != nil {
			of.bases[i] = slices.Index(g.lines, l.base)
		}
	}
	placement := Placement{Request: request, HasUser: c.HasUser, Entropy: c.Entropy, cart: of}
	placement.Entropy[0] ^= byte(number) // each order has ids of its own
	placement.Entropy[1] ^= byte(number >> 8)
	o, _, err := PlaceOrder(account, placement, c.settings, c.now)
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
