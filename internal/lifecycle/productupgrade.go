package lifecycle

import (
	"net/http"
	"slices"
	"time"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/catalog"
	"github.com/partnercenter-go/partnercenter/internal/guid"
	"github.com/partnercenter-go/partnercenter/internal/quote"
)

// ProductUpgrade is stored with the Azure plan that it made.
type ProductUpgrade struct {
	ID      string            `json:"id"`
	Sources []UpgradedProduct `json:"sources"`
}

// UpgradedProduct is a subscription that an upgrade replaced.
type UpgradedProduct struct {
	OfferID string `json:"offerId"`
	Name    string `json:"name"`
}

// The states of an upgrade.
const (
	upgradeInProgress = "InProgress"
	upgradeCompleted  = "Completed"
)

// productUpgradeCheck is an upgrade of a customer's products, as the rules check it.
type productUpgradeCheck struct {
	*Account
	request *partnercenter.ProductUpgradeRequest
	id      string // of the upgrade that is asked about
	now     time.Time

	sources   []*Subscription // to legacy offers of Azure, active, brought up to date
	suspended *Subscription   // one of them that is suspended
	plan      *Subscription   // the customer's Azure plan
	upgraded  []*Subscription // the plans that upgrades made, also ended ones
}

func newProductUpgradeCheck(account *Account, request *partnercenter.ProductUpgradeRequest, now time.Time) *productUpgradeCheck {
	c := &productUpgradeCheck{Account: account, request: request, now: now}
	for _, s := range account.each() {
		s = s.clone()
		s.advance(now)
		status := s.Document.Status.Normalize()
		switch {
		case s.Facts.Kind == catalog.AzurePlan:
			if s.Facts.Upgrade != nil {
				c.upgraded = append(c.upgraded, s)
			}
			if status != partnercenter.SubscriptionStatusDeleted {
				c.plan = s
			}
		case s.Facts.Kind != catalog.Usage:
		case status == partnercenter.SubscriptionStatusActive:
			c.sources = append(c.sources, s)
		case status == partnercenter.SubscriptionStatusSuspended:
			c.suspended = s
		}
	}
	byStart := func(a, b *Subscription) int { return a.Document.CreationDate.Compare(b.Document.CreationDate) }
	slices.SortStableFunc(c.sources, byStart)
	slices.SortStableFunc(c.upgraded, byStart)
	return c
}

// current returns the upgrade whose plan the customer has, nil if it has none by an upgrade.
func (c *productUpgradeCheck) current() *Subscription {
	if c.plan == nil || c.plan.Facts.Upgrade == nil {
		return nil
	}
	return c.plan
}

// newest returns the id of the customer's newest upgrade, empty without one.
func (c *productUpgradeCheck) newest() string {
	if len(c.upgraded) == 0 {
		return ""
	}
	return c.upgraded[len(c.upgraded)-1].Facts.Upgrade.ID
}

// asked returns the plan of the upgrade that is asked about.
func (c *productUpgradeCheck) asked() *Subscription {
	for _, s := range c.upgraded {
		if ascii.EqualFold(s.Facts.Upgrade.ID, c.id) {
			return s
		}
	}
	return nil
}

// productRequestRules apply to what names the products, before the customer is looked up.
var productRequestRules = []rule[*partnercenter.ProductUpgradeRequest]{
	{http.StatusBadRequest, partnercenter.ErrorCodeInvalidProperty, "no customer is named", func(r *partnercenter.ProductUpgradeRequest) (string, string) {
		return require(ascii.TrimSpace(r.CustomerID) != "", "Send the customer's tenant id", "Invalid property customerId: there is none")
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeInvalidCustomerID, "the customer's id is not a GUID", func(r *partnercenter.ProductUpgradeRequest) (string, string) {
		return require(guid.Is(ascii.TrimSpace(r.CustomerID)), "Send the customer's tenant id", "Invalid customer id: %s is not a GUID", quote.Text(r.CustomerID))
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeInvalidProperty, "no family is named", func(r *partnercenter.ProductUpgradeRequest) (string, string) {
		return require(ascii.TrimSpace(string(r.ProductFamily)) != "", "Send azure", "Invalid property productFamily: there is none")
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeEnumUnparsable, "the family is not azure", func(r *partnercenter.ProductUpgradeRequest) (string, string) {
		return require(r.ProductFamily.Known(), "Send azure", "Unable to parse enum: productFamily %s", quote.Text(string(r.ProductFamily)))
	}},
}

// CheckProductUpgrade checks what names the products to upgrade, and returns the id of the
// customer.
func CheckProductUpgrade(request *partnercenter.ProductUpgradeRequest) (customerID string, err error) {
	return ascii.TrimSpace(request.CustomerID), check(productRequestRules, request)
}

// productUpgradeRules apply to upgrades. The rules of orders apply to the Azure plan.
var productUpgradeRules = []rule[*productUpgradeCheck]{
	{http.StatusConflict, partnercenter.ErrorCodeUpgradeInProgress, "an upgrade is in progress", func(c *productUpgradeCheck) (string, string) {
		plan := c.current()
		return require(plan == nil || plan.Exists(c.now), "Ask POST .../productupgrades/{id}/status until it is completed", "This upgrade is not allowed as original upgrade %s is in progress", c.newest())
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeUpgradeCompleted, "the customer's Azure plan is of an upgrade", func(c *productUpgradeCheck) (string, string) {
		return require(c.current() == nil, "The customer has an Azure plan: create Azure subscriptions in it", "Cannot process the upgrade request for completed upgrade %s", c.newest())
	}},
	{http.StatusForbidden, partnercenter.ErrorCodeAzureSuspended, "a legacy Azure subscription is suspended", func(c *productUpgradeCheck) (string, string) {
		if c.suspended == nil {
			return "", ""
		}
		return violation("Reactivate it first", "Azure subscription %s is suspended, and cannot be transitioned to the Azure plan", c.suspended.Document.ID)
	}},
	{http.StatusForbidden, partnercenter.ErrorCodeNoAzureToUpgrade, "the customer has no legacy Azure subscriptions", func(c *productUpgradeCheck) (string, string) {
		return require(len(c.sources) > 0, "Order an Azure plan instead", "Cannot process Azure upgrade since customer %s has no Azure subscriptions of a legacy offer", c.CustomerID)
	}},
	{http.StatusForbidden, partnercenter.ErrorCodeUpgradeNotPossible, "the customer has bought an Azure plan", func(c *productUpgradeCheck) (string, string) {
		if c.plan == nil {
			return "", ""
		}
		return violation("Create Azure subscriptions in the plan, and suspend the legacy ones", "Cannot process Azure upgrade: customer %s has the Azure plan %s", c.CustomerID, c.plan.Document.ID)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeNoAzureInCatalog, "no Azure plan is sold in the customer's country", func(c *productUpgradeCheck) (string, string) {
		return require(c.item() != nil, "Start the server with a catalog that has one", "Cannot process Azure upgrade since no Azure plan is sold in %s", c.Country)
	}},
}

// productStatusRules apply to questions about an upgrade.
var productStatusRules = []rule[*productUpgradeCheck]{
	{http.StatusNotFound, partnercenter.ErrorCodeUpgradeNotFound, "the customer has no upgrade", func(c *productUpgradeCheck) (string, string) {
		return require(len(c.upgraded) > 0, "POST .../productupgrades makes one", "No upgrade request was found for customer %s", c.CustomerID)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeUpgradeOfAnother, "the customer has another upgrade", func(c *productUpgradeCheck) (string, string) {
		return require(c.asked() != nil, "Send the id of that upgrade", "The upgrade ID %s does not belong to customer %s, which is mapped to upgrade %s", quote.Text(c.id), c.CustomerID, c.newest())
	}},
}

// item is the Azure plan that is sold to the customer, nil if none is.
func (c *productUpgradeCheck) item() *catalog.Item {
	return c.Catalog.OfKind(catalog.AzurePlan, c.Country)
}

// order is the request for the Azure plan.
func (c *productUpgradeCheck) order() *partnercenter.Order {
	line := partnercenter.OrderLineItem{Quantity: new(1)}
	if item := c.item(); item != nil {
		line.OfferID = item.ID
	}
	if len(c.sources) > 0 {
		first := &c.sources[0].Document
		line.FriendlyName, line.PartnerIDOnRecord = first.FriendlyName, text(first.PartnerID)
	}
	return &partnercenter.Order{ReferenceCustomerID: c.CustomerID, LineItems: []partnercenter.OrderLineItem{line}}
}

// ProductUpgradeNeeds returns what a decision about an upgrade depends on: the ids of the
// orders that change, and the request for the one that is placed.
func ProductUpgradeNeeds(account *Account, now time.Time) (orders []string, placed *partnercenter.Order) {
	c := newProductUpgradeCheck(account, nil, now)
	for _, s := range c.sources {
		if id := s.Document.OrderID; !slices.Contains(orders, id) {
			orders = append(orders, id)
		}
	}
	return orders, c.order()
}

// UpgradedProducts are the orders that change with an upgrade.
type UpgradedProducts struct {
	ID   string   // of the upgrade
	From []*Order // of the subscriptions that it replaces, in the order of [ProductUpgradeNeeds]
	To   *Order   // of the Azure plan
}

// UpgradeProducts decides about upgrading the legacy Azure subscriptions of a customer. They
// end, and their Azure subscriptions belong to an Azure plan.
func UpgradeProducts(account *Account, from []*Order, request *partnercenter.ProductUpgradeRequest, entropy Entropy, settings Settings, now time.Time) (*UpgradedProducts, []Event, error) {
	c := newProductUpgradeCheck(account, request, now)
	if err := check(productUpgradeRules, c); err != nil {
		return nil, nil, err
	}
	buyer := *account
	buyer.Held.Subscriptions -= len(c.sources)
	to, _, err := PlaceOrder(&buyer, Placement{Request: c.order(), HasUser: true, Entropy: entropy}, settings, now)
	if err != nil {
		return nil, nil, err
	}
	plan := to.Subscriptions[0]
	to.Document.LineItems[0].TransactionType = partnercenter.LineItemTransactionTypeConvert
	upgrade := &ProductUpgrade{ID: guid.Derived("product upgrade", plan.Document.ID)}
	plan.Facts.Upgrade = upgrade
	result := &UpgradedProducts{ID: upgrade.ID, To: to}
	for _, o := range from {
		result.From = append(result.From, o.clone())
	}
	events := []Event{{Kind: "order placed", SubscriptionID: plan.Document.ID, OrderID: to.Document.ID}}
	for i, source := range c.sources {
		o, s := inOrders(result.From, source.Document.ID)
		if s == nil {
			continue // a line of its order that is no longer there
		}
		s.advance(now)
		arrow, err := move(SubscriptionMachine, string(s.Document.Status.Normalize()), Upgrade)
		if err != nil {
			return nil, nil, err
		}
		upgrade.Sources = append(upgrade.Sources, UpgradedProduct{OfferID: s.Document.OfferID, Name: s.Document.OfferName})
		if own := s.entitlements(); i == 0 {
			plan.Document.EntitlementID, plan.Facts.Registered = s.Document.EntitlementID, s.Facts.Registered
		} else if len(own) > 0 {
			plan.Facts.Moved = append(plan.Facts.Moved, MovedEntitlement{ID: own[0].id, FriendlyName: own[0].name})
		}
		s.Document.EntitlementID, s.Facts.Registered = "", time.Time{}
		ended := append([]Event{{Kind: arrow.Event, SubscriptionID: s.Document.ID, LineItemNumber: s.Facts.LineItemNumber}}, o.takeSeats(account, s, *s.Document.Quantity, nil, settings, now)...)
		for _, event := range ended {
			event.OrderID = o.Document.ID
			events = append(events, event)
		}
	}
	return result, events, nil
}

// inOrders finds a subscription in its order.
func inOrders(orders []*Order, id string) (*Order, *Subscription) {
	for _, o := range orders {
		if s := o.Subscription(id); s != nil {
			return o, s
		}
	}
	return nil, nil
}

// ProductUpgradeEligibility says whether [UpgradeProducts] would succeed, and if not, why.
func ProductUpgradeEligibility(account *Account, from []*Order, request *partnercenter.ProductUpgradeRequest, settings Settings, now time.Time) *partnercenter.ProductUpgradesEligibility {
	c := newProductUpgradeCheck(account, request, now)
	e := &partnercenter.ProductUpgradesEligibility{CustomerID: account.CustomerID, ProductFamily: request.ProductFamily.Normalize()}
	_, _, err := UpgradeProducts(account, from, request, Entropy{}, settings, now)
	e.IsEligible = new(err == nil)
	if err != nil {
		e.Reason, e.UpgradeID = err.Error(), c.newest()
	}
	return e
}

// ProductUpgradeStatus returns how far an upgrade of the account's customer is. It is
// completed once the Azure plan is provisioned.
func ProductUpgradeStatus(account *Account, id string, request *partnercenter.ProductUpgradeRequest, now time.Time) (*partnercenter.ProductUpgradesStatus, error) {
	c := newProductUpgradeCheck(account, request, now)
	c.id = id
	if err := check(productStatusRules, c); err != nil {
		return nil, err
	}
	plan := c.asked()
	status := &partnercenter.ProductUpgradesStatus{ID: plan.Facts.Upgrade.ID, ProductFamily: request.ProductFamily.Normalize(), Status: upgradeInProgress}
	var done partnercenter.Time
	if plan.Exists(now) {
		status.Status, done = upgradeCompleted, plan.Document.CreationDate
	}
	for _, source := range plan.Facts.Upgrade.Sources {
		status.LineItems = append(status.LineItems, partnercenter.ProductUpgradeLineItem{
			SourceProduct: &partnercenter.UpgradedProduct{ID: source.OfferID, Name: source.Name},
			TargetProduct: &partnercenter.UpgradedProduct{ID: plan.Document.OfferID, Name: plan.Document.OfferName},
			UpgradedDate:  done, Status: status.Status,
		})
	}
	return status, nil
}
