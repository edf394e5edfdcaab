package lifecycle

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/catalog"
	"github.com/partnercenter-go/partnercenter/internal/quote"
	"github.com/partnercenter-go/partnercenter/internal/words"
)

// MaxLines is the number of lines that a request may have. The service does not
// document its limit.
const MaxLines = 500

// Placement is the command to place an order.
type Placement struct {
	Request *partnercenter.Order
	// HasUser says that the token is a user's.
	HasUser bool
	Entropy Entropy

	cart *ofCart // nil for an order by itself
}

// maxReferenced is how many ids of a kind [ReferencedIDs] returns. A body of a megabyte
// can name a hundred thousand.
const maxReferenced = 4 * MaxLines

// ReferencedIDs returns the ids in a request's lines that the rules look up, each once:
// of subscriptions, in the form of [Key], and of partners. It returns none for a
// request with too many lines, which is refused, and at most maxReferenced; to the
// rules the rest is unknown.
func ReferencedIDs(request *partnercenter.Order) (subscriptions, mpnIDs []string) {
	if len(request.LineItems) > MaxLines {
		return nil, nil
	}
	seen := map[string]bool{}
	add := func(list *[]string, kind, id string) {
		if id != "" && len(*list) < maxReferenced && !seen[kind+id] {
			seen[kind+id] = true
			*list = append(*list, id)
		}
	}
	for i := range request.LineItems {
		line := &request.LineItems[i]
		add(&subscriptions, "subscription ", Key(line.ParentSubscriptionID))
		add(&subscriptions, "subscription ", Key(azureSubscriptionID(line)))
		add(&subscriptions, "subscription ", Key(azureEntitlementID(line)))
		add(&mpnIDs, "partner ", ascii.TrimSpace(line.PartnerIDOnRecord))
		for _, id := range line.AdditionalPartnerIDsOnRecord {
			add(&mpnIDs, "partner ", ascii.TrimSpace(id))
		}
	}
	return subscriptions, mpnIDs
}

// provisioningVariable looks up a variable in a line's provisioning context, whose keys
// come in various spellings.
func provisioningVariable(line *partnercenter.OrderLineItem, name string) string {
	for key, value := range line.ProvisioningContext {
		if ascii.EqualFold(key, name) {
			return ascii.TrimSpace(value)
		}
	}
	return ""
}

// isScope reports whether text is a scope that a reservation or a savings plan can have.
func isScope(text string) bool {
	return ascii.EqualFold(text, "single") || ascii.EqualFold(text, "shared")
}

func azureSubscriptionID(line *partnercenter.OrderLineItem) string {
	return provisioningVariable(line, "SubscriptionId")
}

func azureEntitlementID(line *partnercenter.OrderLineItem) string {
	return provisioningVariable(line, "EntitlementId")
}

// placementCheck is a request to place an order, as the rules check it.
type placementCheck struct {
	*Account
	Placement
	settings Settings
	now      time.Time
	lines    []*lineCheck
}

// lineCheck is one of its lines.
type lineCheck struct {
	*placementCheck
	number int
	line   *partnercenter.OrderLineItem
	item   *catalog.Item // nil when err says why it was not found
	err    error
	base   *catalog.Item // of an add-on that is bought with its base; nil otherwise
}

// PlaceOrder decides about a new order, and makes it.
func PlaceOrder(account *Account, command Placement, settings Settings, now time.Time) (*Order, []Event, error) {
	p := &placementCheck{Account: account, Placement: command, settings: settings, now: now}
	if err := check(requestRules, p); err != nil {
		return nil, nil, err
	}
	for i := range command.Request.LineItems {
		l := &lineCheck{placementCheck: p, number: i, line: &command.Request.LineItems[i]}
		l.item, l.err = account.Catalog.Find(ascii.TrimSpace(l.line.OfferID), account.Country)
		if base, is := command.baseOf(i); is {
			l.base = p.lines[base].item
		}
		if err := check(lineRules, l); err != nil {
			return nil, nil, err
		}
		p.lines = append(p.lines, l)
	}
	// Lines may come in any order.
	if number := command.Request.LineItems[0].LineItemNumber; number != nil {
		slices.SortFunc(p.lines, func(a, b *lineCheck) int { return *a.line.LineItemNumber - *b.line.LineItemNumber })
	}
	if err := check(orderRules, p); err != nil {
		return nil, nil, err
	}
	o, events := p.place()
	return o, events, nil
}

// baseOf returns the line that is the base of another line of a cart, which comes before
// it.
func (c *Placement) baseOf(line int) (base int, is bool) {
	if c.cart == nil {
		return 0, false
	}
	base, is = c.cart.bases[line]
	return base, is
}

// nextReadEnds is what to do about a custom term end date that is not offered.
const nextReadEnds = "Read GET .../subscriptions/customTermEndDates?term_duration=... for the dates that are offered"

const (
	nextReadCatalog = "Read GET /v1/products/{product}/skus/{sku}/availabilities for what is sold, and send its catalogItemId"
	nextReadOffers  = "Read GET /v1/offers?country=... for the offers that are sold"
)

// requestRules apply to the request as a whole, before its items are looked up.
var requestRules = []rule[*placementCheck]{
	{http.StatusBadRequest, partnercenter.ErrorCodeInvalidProperty, "there are no line items", func(p *placementCheck) (string, string) {
		return require(len(p.Request.LineItems) > 0, "Send at least one line item with offerId and quantity", "Invalid property lineItems: the order has none")
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeInvalidInput, "there are more than 500 line items", func(p *placementCheck) (string, string) {
		return require(len(p.Request.LineItems) <= MaxLines, "Split it into several orders", "The order has %d line items, and the limit is %d", len(p.Request.LineItems), MaxLines)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeLineNumbers, "line item numbers have gaps or repeats", func(p *placementCheck) (string, string) {
		return lineNumbers(p.Request.LineItems)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeInvalidProperty, "referenceCustomerId is another customer's", func(p *placementCheck) (string, string) {
		id := p.Request.ReferenceCustomerID
		return require(id == "" || ascii.EqualFold(id, p.CustomerID), "Send the id of the customer in the path, or leave it out", "Invalid property referenceCustomerId: %s is not the customer in the path", quote.Text(id))
	}},
	{http.StatusForbidden, partnercenter.ErrorCodeRoleNotGranted, "a line has an indirect reseller's MPN id, but the token has no user", func(p *placementCheck) (string, string) {
		return require(p.HasUser || !p.indirect(), "Send the token of a signed-in user (App+User); partnercenter token --user prints one for a local server", "The supplied role does not have the rights to order for an indirect reseller: the token is an application's own")
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeInvalidProperty, "an order for an indirect reseller has no referenceCustomerId", func(p *placementCheck) (string, string) {
		return require(p.Request.ReferenceCustomerID != "" || !p.indirect(), "Send the customer's tenant id as referenceCustomerId", "Invalid property referenceCustomerId: an order for an indirect reseller must name the customer")
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeEnumUnparsable, "the billing cycle is unknown text", func(p *placementCheck) (string, string) {
		return unknownCycle(p.Request.BillingCycle)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeInvalidProperty, "the currency is not the customer's", func(p *placementCheck) (string, string) {
		code, _ := p.Catalog.Currency(p.Country)
		sent := ascii.TrimSpace(p.Request.CurrencyCode)
		return require(sent == "" || code == "" || ascii.EqualFold(sent, code), "Send "+code+", or leave it out", "Invalid property currencyCode: customers in %s are billed in %s, not %s", p.Country, code, quote.Text(p.Request.CurrencyCode))
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeSandboxLimit, "the sandbox has more customers than it may", func(p *placementCheck) (string, string) {
		most := p.settings.MaxCustomers
		return require(!p.settings.Sandbox || most == 0 || p.Held.Customers <= most, "Remove customers, or start the server with a higher --sandbox-customers", "The sandbox limit has been met: the partner has %s, and the limit is %d", words.Count(p.Held.Customers, "customer"), most)
	}},
}

func (p *placementCheck) indirect() bool {
	return slices.ContainsFunc(p.Request.LineItems, func(l partnercenter.OrderLineItem) bool {
		return ascii.TrimSpace(l.PartnerIDOnRecord) != ""
	})
}

// lineNumbers requires the numbers 0 to n-1, each once, in any order. Without any
// numbers, the order of the lines counts.
func lineNumbers(lines []partnercenter.OrderLineItem) (string, string) {
	seen := make([]bool, len(lines))
	missing := 0
	for i := range lines {
		switch n := lines[i].LineItemNumber; {
		case n == nil:
			missing++
		case *n < 0 || *n >= len(lines):
			return violation("Number the lines from 0", "Line Item number should be from 0 to %d, not %d", len(lines)-1, *n)
		case seen[*n]:
			return violation("Number the lines from 0, each number once", "Line Item number %d is used more than once", *n)
		default:
			seen[*n] = true
		}
	}
	return require(missing == 0 || missing == len(lines), "Number all lines from 0, or none", "Line Item number is missing in %d of %d lines", missing, len(lines))
}

func unknownCycle(c partnercenter.BillingCycleType) (string, string) {
	return require(c == "" || c.Known(), "Send monthly, annual, none, one_time, triennial or biennial, in any spelling, or leave it out", "Unable to parse enum: billingCycle %s", quote.Text(string(c)))
}

// lineRules apply to each line. After the one about unknown offers there is an item.
var lineRules = slices.Concat(itemRules, savingsPlanRules, supplyRules)

// itemRules are about the item, how much of it, and for how long.
var itemRules = []rule[*lineCheck]{
	{http.StatusBadRequest, partnercenter.ErrorCodeInvalidProperty, "a line has no offerId", func(l *lineCheck) (string, string) {
		return require(ascii.TrimSpace(l.line.OfferID) != "", "Send an offer id or a catalogItemId", "Invalid property offerId: line %d has none", l.number)
	}},
	{http.StatusNotFound, partnercenter.ErrorCodeProductNotFound, "the product is unknown", func(l *lineCheck) (string, string) {
		return l.requireKnown(catalog.ErrUnknownProduct, nextReadCatalog)
	}},
	{http.StatusNotFound, partnercenter.ErrorCodeSKUNotFound, "the SKU is unknown", func(l *lineCheck) (string, string) {
		return l.requireKnown(catalog.ErrUnknownSKU, nextReadCatalog)
	}},
	{http.StatusNotFound, partnercenter.ErrorCodeAvailabilityUnknown, "the availability is unknown", func(l *lineCheck) (string, string) {
		return l.requireKnown(catalog.ErrUnknownAvailability, nextReadCatalog)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeOfferNotInCountry, "the item is not sold in the customer's country", func(l *lineCheck) (string, string) {
		return l.requireKnown(catalog.ErrNotInCountry, "Choose an item that is sold in "+l.Country)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeInvalidOffer, "the offer is unknown", func(l *lineCheck) (string, string) {
		return l.requireKnown(l.err, nextReadOffers)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeNotInEnvironment, "the partner's cloud does not sell the item", func(l *lineCheck) (string, string) {
		kind := l.item.Kind.Merchandise()
		return require(kind.SoldIn(l.settings.Cloud), "Choose something else, or start the server with another --as-cloud", "This operation is not supported in this environment: %s are not offered in the %s cloud, and line %d buys one", kind, l.settings.Cloud, l.number)
	}},
	{http.StatusForbidden, partnercenter.ErrorCodeOfferRetired, "the item is no longer sold", func(l *lineCheck) (string, string) {
		return require(!l.item.Retired, nextReadOffers, "The offer is no longer available for purchase: %s in line %d", l.item.ID, l.number)
	}},
	{http.StatusForbidden, partnercenter.ErrorCodeOfferNotEligible, "the legacy offer cannot be bought", func(l *lineCheck) (string, string) {
		return require(l.item.Purchasable || !l.item.Kind.Legacy(), nextReadOffers, "The offer is not eligible for purchase: %s in line %d", l.item.ID, l.number)
	}},
	{http.StatusForbidden, partnercenter.ErrorCodeItemNotEligible, "the catalog item cannot be bought", func(l *lineCheck) (string, string) {
		return require(l.item.Purchasable, nextReadCatalog, "The catalog item is not eligible for purchase: %s in line %d", l.item.ID, l.number)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeInvalidProperty, "a line's friendly name is too long", func(l *lineCheck) (string, string) {
		return require(len(l.line.FriendlyName) <= maxNickname, "Shorten it", "Invalid property friendlyName: that of line %d has %d bytes, and the limit is %d", l.number, len(l.line.FriendlyName), maxNickname)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeInvalidProperty, "a line has no quantity", func(l *lineCheck) (string, string) {
		return require(l.line.Quantity != nil, "Send how many to buy", "Invalid property quantity: line %d has none", l.number)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeQuantityOutOfRange, "the quantity of a legacy offer is out of its range", func(l *lineCheck) (string, string) {
		if !l.item.Kind.Legacy() {
			return "", ""
		}
		return quantityRange(l.item, *l.line.Quantity)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeQuantityUnavailable, "the quantity of a catalog item is out of its range", func(l *lineCheck) (string, string) {
		return quantityRange(l.item, *l.line.Quantity)
	}},
	{http.StatusForbidden, partnercenter.ErrorCodeTooManySeats, "the sandbox allows fewer seats of a legacy offer", func(l *lineCheck) (string, string) {
		if !l.item.Kind.Legacy() {
			return "", ""
		}
		return sandboxSeats(l.settings, l.item.Kind, l.item.ID, *l.line.Quantity)
	}},
	{http.StatusForbidden, partnercenter.ErrorCodeSeatsBeyondLimit, "the sandbox allows fewer seats of a catalog item", func(l *lineCheck) (string, string) {
		return sandboxSeats(l.settings, l.item.Kind, l.item.ID, *l.line.Quantity)
	}},
	{http.StatusForbidden, partnercenter.ErrorCodeTermUnavailable, "the item is not sold for the term", func(l *lineCheck) (string, string) {
		term := l.line.TermDuration
		if term == nil || l.item.Kind.Legacy() && (*term == "" || l.cart != nil && ascii.EqualFold(*term, legacyTerm)) || slices.ContainsFunc(l.item.Terms, func(t string) bool { return ascii.EqualFold(t, *term) }) {
			return "", ""
		}
		next := "Leave termDuration out" // without a term, or with the empty one of perpetual software
		if terms := strings.Trim(strings.Join(l.item.Terms, ", "), ", "); terms != "" {
			next = "Send one of its terms (" + terms + "), or leave termDuration out"
		}
		return violation(next, "The initial purchase term %s is not available for %s in line %d", quote.Text(*term), l.item.ID, l.number)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodePromotionInvalid, "a promotion is named that does not apply", func(l *lineCheck) (string, string) {
		if l.line.PromotionID == "" {
			return "", ""
		}
		why := "legacy offers have none"
		if !l.item.Kind.Legacy() {
			_, why = promotion(l.Account, l.item, l.line, l.cycleToBe(), l.now)
		}
		return require(why == "", "POST .../promotioneligibilities says which apply; or leave promotionId out", "Invalid promotion code %s in line %d: %s", quote.Text(l.line.PromotionID), l.number, why)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeInvalidProperty, "something else than a trial renews to another term, or a trial to an unknown one", func(l *lineCheck) (string, string) {
		if l.line.RenewsTo == nil || l.line.RenewsTo.TermDuration == "" {
			return "", ""
		}
		term := l.line.RenewsTo.TermDuration
		if !l.item.Trial {
			return violation("Leave renewsTo out", "Invalid property renewsTo: %s in line %d is no trial", l.item.ID, l.number)
		}
		return require(slices.Contains(renewalTerms, term), "Send "+strings.Join(renewalTerms, ", "), "Invalid property renewsTo: termDuration %s in line %d", quote.Text(term), l.number)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeCustomEndNotOffered, "the term of something else than an online service is to end on another date", func(l *lineCheck) (string, string) {
		return require(l.line.CustomTermEndDate.Time().IsZero() || l.item.Kind == catalog.OnlineService, "Leave customTermEndDate out", "A custom term end date is for products of type OnlineServicesNCE only, and %s in line %d is none", l.item.ID, l.number)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeCustomEndMismatch, "the term of a trial, or of what waits for a purchase order, is to end on another date", func(l *lineCheck) (string, string) {
		return require(l.line.CustomTermEndDate.Time().IsZero() || !l.item.Trial && !l.item.NeedsPurchaseOrder, "Leave customTermEndDate out", "The custom term end date %s of line %d matches none that is offered: there are none for %s", l.line.CustomTermEndDate, l.number, l.item.ID)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeCustomEndOutsideTerm, "a custom term end date is not within the first term, or is a 28th, 29th or 30th on which neither the month ends nor a subscription", func(l *lineCheck) (string, string) {
		if l.line.CustomTermEndDate.Time().IsZero() {
			return "", ""
		}
		day, first := customEndDay(l.line.CustomTermEndDate), dayOf(l.now)
		late := day.Day() >= 28 && !endsOnMonth(day) && !l.endsWithOther(day, l.now)
		return require(within(day, first, catalog.TermMonths(l.term())) && !late, nextReadEnds, "The custom term end date %s of line %d is not one of the first term, which is from %s to %s", l.line.CustomTermEndDate, l.number, first.Format(time.DateOnly), nthEnd(first, catalog.TermMonths(l.term()), 1).Format(time.DateOnly))
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeCustomEndUnaligned, "neither a month nor a subscription ends on the custom term end date", func(l *lineCheck) (string, string) {
		day := customEndDay(l.line.CustomTermEndDate)
		return require(l.line.CustomTermEndDate.Time().IsZero() || endsOnMonth(day) || l.endsWithOther(day, l.now), nextReadEnds, "No subscription of the customer ends on the custom term end date %s of line %d, nor does the month", l.line.CustomTermEndDate, l.number)
	}},
}

// supplyRules are about what a line is bought under, by whom, and what it is for.
var supplyRules = []rule[*lineCheck]{
	{http.StatusBadRequest, partnercenter.ErrorCodeAddOnUnrelated, "an add-on has no parent or one of another offer, or something else has a parent", func(l *lineCheck) (string, string) {
		if l.base != nil || l.cart != nil && !l.item.Kind.Legacy() && l.line.ParentSubscriptionID == "" {
			return l.addOnInCart()
		}
		return addOnParent(l.item, l.parent(), l.line.ParentSubscriptionID, l.number)
	}},
	{http.StatusConflict, partnercenter.ErrorCodeParentInactive, "the parent of an add-on is not active", func(l *lineCheck) (string, string) {
		return inactiveParent(l.parent())
	}},
	{http.StatusNotFound, partnercenter.ErrorCodeMPNIsProvider, "the partner on record is the indirect provider itself", func(l *lineCheck) (string, string) {
		return l.requireMPN("MPN ID of Indirect Provider is not valid as Partner On Record: %s is the partner's own", func(id string) bool { return id != l.MPNID })
	}},
	{http.StatusNotFound, partnercenter.ErrorCodeMPNUnknown, "the MPN id is unknown", func(l *lineCheck) (string, string) {
		return l.requireMPN("MPN ID %s is not found", func(id string) bool {
			_, known := l.MPN[id]
			return known
		})
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeMPNNotReseller, "the MPN id is not an indirect reseller's", func(l *lineCheck) (string, string) {
		return l.requireMPN("MPN ID %s is not a valid Indirect Reseller", func(id string) bool { return l.MPN[id] })
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeInvalidProperty, "a provisioning variable is missing", func(l *lineCheck) (string, string) {
		for _, name := range l.item.ProvisioningVariables {
			if provisioningVariable(l.line, name) == "" {
				return violation("Send it in the line's provisioningContext; the SKU's provisioningVariables list the required ones", "Invalid property provisioningContext: line %d lacks %s", l.number, lowerFirst(name))
			}
		}
		return "", ""
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeEnumUnparsable, "the scope is neither single nor shared", func(l *lineCheck) (string, string) {
		scope := provisioningVariable(l.line, "Scope")
		return require(scope == "" || isScope(scope), "Send single or shared", "Unable to parse enum: scope %s in line %d", quote.Text(scope), l.number)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeSubscriptionInvalid, "the customer has no subscription that a reservation or a savings plan is for", func(l *lineCheck) (string, string) {
		return l.requireAzure(func(s *Subscription) bool { return s != nil }, "Send the id of one of the customer's Azure subscriptions", "This subscription is not a valid subscription")
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeSubscriptionNotAzure, "the subscription is not an Azure subscription, or that of a savings plan no Azure plan", func(l *lineCheck) (string, string) {
		return l.requireAzure(func(s *Subscription) bool { return isFor(l.item, s) }, "Send the id of one of the customer's Azure subscriptions, for a savings plan of an Azure plan", "This subscription is not a valid Azure subscription")
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeSubscriptionInactive, "the Azure subscription is not active", func(l *lineCheck) (string, string) {
		return l.requireAzure(isActive, "Reactivate it, or name another", "This subscription is not an active subscription")
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeSubscriptionNotRegistered, "the Azure subscription is not registered", func(l *lineCheck) (string, string) {
		registered := func(s *Subscription) bool { return !l.item.Needs(needsRegistration) || !s.Facts.Registered.IsZero() }
		return l.requireAzure(registered, "Register it with POST .../subscriptions/{id}/registrations", "This subscription is not registered")
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeSubscriptionNotEnabled, "the Azure subscription's registration is not complete", func(l *lineCheck) (string, string) {
		enabled := func(s *Subscription) bool {
			return !l.item.Needs(needsRegistration) || !l.now.Before(s.Facts.Registered)
		}
		return l.requireAzure(enabled, "Wait until GET .../registrationstatus answers registered", "This subscription is not enabled for RI purchase yet")
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeAttestationMissing, "the item needs an attestation, which the line does not accept", func(l *lineCheck) (string, string) {
		return require(!l.item.NeedsAttestation || isTrue(l.line.AttestationAccepted), "Send attestationAccepted true, once the customer has attested what the SKU's attestationProperties ask for", "The attestation for %s in line %d is missing", l.item.ID, l.number)
	}},
	{http.StatusForbidden, partnercenter.ErrorCodeAgreementMissing, "the customer agreement is not confirmed", func(l *lineCheck) (string, string) {
		return require(l.AgreementAccepted || !l.item.Needs(needsCustomerAgreement) && !l.item.Needs(needsCloudAgreement), "Have the customer accept the Microsoft Customer Agreement, or confirm its acceptance", "Line %d cannot be bought before the customer's acceptance of the Microsoft Customer Agreement is confirmed", l.number)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeOutOfInventory, "an inventory check finds the item restricted", func(l *lineCheck) (string, string) {
		return require(!l.item.OutOfStock || !l.item.Needs(needsInventoryCheck), "Ask POST /v1/extensions/product/checkinventory for SKUs that are available", "Inventory is not available for catalog item %s in line %d", l.item.ID, l.number)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeOfferLimit, "the customer has as many subscriptions of the offer as it may", func(l *lineCheck) (string, string) {
		had := l.Held.OfOffer[Key(l.item.ID)]
		for _, other := range l.lines {
			if other.item.ID == l.item.ID {
				had++
			}
		}
		return require(l.item.Limit == 0 || had < l.item.Limit, "Raise the quantity of an existing subscription", "Use limit is exceeded for Offer id %s: a customer may have %d", l.item.ID, l.item.Limit)
	}},
}

// legacyTerm is the term that carts may name for legacy offers, which have no other.
const legacyTerm = "P1Y"

// renewalTerms are the terms that a trial can renew to.
var renewalTerms = []string{"P1M", "P1Y", "P3Y"}

// The purchase prerequisites that the rules check.
const (
	needsRegistration      = "AzureSubscriptionRegistration"
	needsInventoryCheck    = "InventoryCheck"
	needsCustomerAgreement = "MicrosoftCustomerAgreement"
	needsCloudAgreement    = "MicrosoftCloudAgreement"
)

// requireKnown words why the line's item was not found, if this is the reason.
func (l *lineCheck) requireKnown(why error, next string) (string, string) {
	return require(why == nil || !errors.Is(l.err, why), next, "Line %d, %s: %v", l.number, quote.Text(l.line.OfferID), l.err)
}

// term returns the term of the line: the requested one, or the item's for the billing
// cycle.
func (l *lineCheck) term() string {
	if asked := text(l.line.TermDuration); asked != "" || len(l.item.Terms) == 0 {
		return asked
	}
	return l.item.Term(l.cycleToBe())
}

func (l *lineCheck) parent() *Subscription {
	return l.Subscriptions[Key(l.line.ParentSubscriptionID)].asOf(l.now)
}

// requireAzure checks the subscription that a reservation or a savings plan is for; nil is
// one that the customer does not have.
func (l *lineCheck) requireAzure(right func(*Subscription) bool, next, problem string) (string, string) {
	id := l.azureID()
	return require(id == "" || right(l.Subscriptions[Key(id)]), next, problem+": %s in line %d", quote.Text(id), l.number)
}

// requireMPN refuses the first MPN id of a line that is not right.
func (l *lineCheck) requireMPN(problem string, right func(id string) bool) (string, string) {
	for _, id := range append([]string{l.line.PartnerIDOnRecord}, l.line.AdditionalPartnerIDsOnRecord...) {
		if id = ascii.TrimSpace(id); id != "" && !right(id) {
			return violation("Send the MPN id of an indirect reseller of the partner; GET /v1/relationships lists them", problem, quote.Text(id))
		}
	}
	return "", ""
}

func quantityRange(item *catalog.Item, n int) (string, string) {
	least, most := max(1, item.MinimumQuantity), item.MaximumQuantity
	return require(n >= least && (most == 0 || n <= most), fmt.Sprintf("Send a quantity from %d to %d", least, most), "A quantity of %d is not within the minimum and maximum of %s", n, item.ID)
}

func sandboxSeats(s Settings, kind catalog.Kind, id string, n int) (string, string) {
	return require(!s.Sandbox || s.MaxLicences == 0 || n <= s.MaxLicences || isAzure(kind), "Ask for fewer, or start the server with a higher --sandbox-licences", "The requested number of %d seats exceeds the limit of %d seats allowed per subscription for %s", n, s.MaxLicences, id)
}

func isAzure(k catalog.Kind) bool { return k == catalog.Usage || k == catalog.AzurePlan }

// asOf returns the subscription as it is at an instant; nil stays nil.
func (s *Subscription) asOf(now time.Time) *Subscription {
	if s == nil {
		return nil
	}
	c := *s
	c.advance(now)
	return &c
}

func isActive(s *Subscription) bool {
	return s.Document.Status.Normalize() == partnercenter.SubscriptionStatusActive
}

// addOnParent checks the parent of an add-on.
func addOnParent(item *catalog.Item, parent *Subscription, parentID string, number int) (string, string) {
	switch {
	case !item.AddOn && parentID == "":
	case !item.AddOn:
		return violation("Leave parentSubscriptionId out", "Line %d names a parent subscription, but %s is not an add-on", number, item.ID)
	case parentID == "":
		return violation("Send the base's subscription id as parentSubscriptionId; PATCH of the base's order is the documented way to buy add-ons", "The add-on in line %d is not related to a parent subscription", number)
	case parent == nil:
		return violation("Send the id of one of the customer's subscriptions", "The add-on in line %d is not related to the specified parent subscription %s, which the customer does not have", number, quote.Text(parentID))
	case !slices.ContainsFunc(item.Prerequisites, func(base string) bool { return matchesPrerequisite(base, parent.Document.OfferID) }):
		return violation("Buy it under a subscription of "+strings.Join(item.Prerequisites, " or "), "The add-on in line %d is not related to the specified parent subscription %s, which is one of %s", number, quote.Text(parentID), parent.Document.OfferID)
	}
	return "", ""
}

// addOnInCart checks an add-on that names no parent: one of a legacy offer is bought with
// the offer, one of new commerce needs a base that the customer has, or buys in the same
// cart.
func (l *lineCheck) addOnInCart() (string, string) {
	needs := strings.Join(l.item.Prerequisites, " or ")
	isBase := func(id string) bool {
		return slices.ContainsFunc(l.item.Prerequisites, func(p string) bool { return matchesPrerequisite(p, id) })
	}
	switch {
	case l.base != nil:
		return require(l.item.AddOn && isBase(l.base.ID), "Put it under one of its bases, if it is an add-on, or else beside it", "%s in line %d is not an add-on of %s", l.item.ID, l.number, l.base.ID)
	case !l.item.AddOn,
		slices.ContainsFunc(l.Owned, func(s *Subscription) bool { return isActive(s) && isBase(s.Document.OfferID) }),
		slices.ContainsFunc(l.cart.beside, func(item *catalog.Item) bool { return isBase(item.ID) }):
		return "", ""
	}
	return violation("Buy "+needs+" first, or in the same cart", "The add-on in line %d needs an active subscription of %s, and the customer has none", l.number, needs)
}

// matchesPrerequisite reports whether an item id is what a prerequisite names: an
// offer, or any availability of a SKU.
func matchesPrerequisite(prerequisite, id string) bool {
	return ascii.EqualFold(prerequisite, id) ||
		len(id) > len(prerequisite) && id[len(prerequisite)] == ':' && ascii.EqualFold(prerequisite, id[:len(prerequisite)])
}

func inactiveParent(parent *Subscription) (string, string) {
	if parent == nil || isActive(parent) {
		return "", ""
	}
	return violation("Reactivate the parent first", "Cannot enable a child subscription when the parent subscription %s is not Active", parent.Document.ID)
}

// orderRules apply to the lines together.
var orderRules = []rule[*placementCheck]{
	orderedTogether,
	{http.StatusBadRequest, partnercenter.ErrorCodeCycleUnsupported, "an item is not sold with the billing cycle", func(p *placementCheck) (string, string) {
		cycle := p.cycle()
		for _, l := range p.lines {
			if !slices.Contains(l.item.BillingCycles, cycle) {
				return violation("Send a billing cycle that all items of the order have, or order them separately", "The billing cycle %s is not one of %s", cycle, l.item.ID)
			}
		}
		return "", ""
	}},
	termBilled,
	subscriptionLimit,
	{http.StatusForbidden, partnercenter.ErrorCodeTooManyAzureSubs, "the sandbox allows fewer Azure subscriptions of the partner", func(p *placementCheck) (string, string) {
		return p.requireLimit(func(k catalog.Kind) bool { return k == catalog.Usage }, p.Held.AzureSubs, p.settings.MaxAzurePlans, "azure-plans", "The desired number of subscriptions exceeded the maximum number of Azure subscriptions allowed per partner: %d, and the limit is %d")
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeTooManyAzurePlans, "the sandbox allows fewer Azure plans of the partner", func(p *placementCheck) (string, string) {
		return p.requireLimit(func(k catalog.Kind) bool { return k == catalog.AzurePlan }, p.Held.AzurePlans, p.settings.MaxAzurePlans, "azure-plans", "Unable to create order. There is a limit to how many Azure plans can be created under sandbox accounts: %d, and the limit is %d")
	}},
}

// orderedTogether, termBilled and subscriptionLimit apply to add-ons, too.
var (
	orderedTogether = rule[*placementCheck]{http.StatusBadRequest, partnercenter.ErrorCodeOrderUnprocessable, "legacy offers and catalog items, or offers of different sales groups, are ordered together", func(p *placementCheck) (string, string) {
		first := p.lines[0].item
		for _, l := range p.lines[1:] {
			switch {
			case l.item.Kind.Legacy() != first.Kind.Legacy():
				return violation("Order them separately", "Unable to process this order: %s and %s are a legacy offer and a catalog item", first.ID, l.item.ID)
			case l.item.SalesGroup != first.SalesGroup:
				return violation("Order them separately", "Unable to process this order: %s and %s are in different sales groups", first.ID, l.item.ID)
			}
		}
		return "", ""
	}}
	termBilled = rule[*placementCheck]{http.StatusBadRequest, partnercenter.ErrorCodeCycleUnsupported, "a term is shorter than the billing cycle", func(p *placementCheck) (string, string) {
		cycle := p.cycle()
		for _, l := range p.lines {
			if term := l.line.TermDuration; term != nil && !catalog.Billable(*term, cycle) {
				return violation("Send a longer term, or a shorter billing cycle", "The billing cycle %s is longer than the term %s of %s", cycle, quote.Text(*term), l.item.ID)
			}
		}
		return "", ""
	}}
	subscriptionLimit = rule[*placementCheck]{http.StatusForbidden, partnercenter.ErrorCodeTooManySubs, "the sandbox allows fewer subscriptions of a customer", func(p *placementCheck) (string, string) {
		return p.requireLimit(subscribes, p.Held.Subscriptions, p.settings.MaxSubscriptions, "subscriptions", "The desired number of subscriptions exceeded the maximum number of subscriptions allowed per customer: %d, and the limit is %d")
	}}
)

// requireLimit counts lines of some kinds in addition to the holdings, for a sandbox's
// limit that a flag sets.
func (p *placementCheck) requireLimit(counts func(catalog.Kind) bool, held, most int, flag, problem string) (string, string) {
	asked := held
	for _, l := range p.lines {
		if counts(l.item.Kind) {
			asked++
		}
	}
	return require(!p.settings.Sandbox || most == 0 || asked == held || asked <= most, "Cancel some, or start the server with a higher --sandbox-"+flag, problem, asked, most)
}

// cycle returns the billing cycle of the order: the requested one, or the default of
// the first item.
func (p *placementCheck) cycle() partnercenter.BillingCycleType {
	if c := p.Request.BillingCycle.Normalize(); c != "" && c != partnercenter.BillingCycleTypeUnknown {
		return c
	}
	if cycles := p.lines[0].item.BillingCycles; len(cycles) > 0 {
		return cycles[0]
	}
	return "" // no item is sold with it
}

// subscribes reports whether a line of this kind creates a subscription.
func subscribes(k catalog.Kind) bool {
	return k != catalog.Reservation && k != catalog.PerpetualSoftware
}
