package lifecycle

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/catalog"
	"github.com/partnercenter-go/partnercenter/internal/quote"
)

// cartLifetime is how long a cart can be read, changed and checked out.
const cartLifetime = 7 * 24 * time.Hour

// maxAdditionalResellers is how many resellers a line may have besides the first.
const maxAdditionalResellers = 5

// parentVariable is the provisioning variable that names what an add-on is bought under.
const parentVariable = "parentSubscriptionId"

// Cart is a cart with what its document lacks. The document has prices.
type Cart struct {
	Document partnercenter.Cart
	Facts    CartFacts
}

// CartFacts is stored with a cart's document.
type CartFacts struct {
	// Ordered are the order groups that were ordered, in the order of their orders.
	Ordered []string `json:"ordered,omitzero"`
	// Orders are what they were answered with, with prices.
	Orders []partnercenter.Order `json:"orders,omitzero"`
	// Promotions are those that lines have without having named them.
	Promotions []string `json:"promotions,omitzero"`
	// Loaded says that the document was loaded: see [AdoptCart].
	Loaded bool `json:"loaded,omitzero"`
}

// CartCommand is the command to make a cart, or to replace its lines.
type CartCommand struct {
	Request *partnercenter.Cart
	// User is the object id of who sends it.
	User    string
	Entropy Entropy
}

// CartLines returns the lines of a cart, those of add-ons after their base, as those of
// an order. It has what the rules look up: see [ReferencedIDs].
func CartLines(cart *partnercenter.Cart) *partnercenter.Order {
	o := new(partnercenter.Order)
	for _, l := range cartLines(cart) {
		o.LineItems = append(o.LineItems, l.asked())
	}
	return o
}

// LacksParent reports whether a line buys an add-on of new commerce that does not name
// what it is bought under, so that its base is one of all that the customer has.
func LacksParent(a *Account, lines *partnercenter.Order) bool {
	for i := range lines.LineItems {
		line := &lines.LineItems[i]
		item, err := a.Catalog.Find(ascii.TrimSpace(line.OfferID), a.Country)
		if err == nil && item.AddOn && !item.Kind.Legacy() && line.ParentSubscriptionID == "" {
			return true
		}
	}
	return false
}

// cartLine is a line of a cart, wherever in it.
type cartLine struct {
	*partnercenter.CartLineItem
	number int       // over all lines
	base   *cartLine // that has it among its add-ons; nil for none

	item *catalog.Item // nil if it was not found
	err  error
}

// cartLines returns the lines of a cart, add-ons after their base.
func cartLines(cart *partnercenter.Cart) []*cartLine {
	var all []*cartLine
	var add func(lines []partnercenter.CartLineItem, base *cartLine)
	add = func(lines []partnercenter.CartLineItem, base *cartLine) {
		for i := range lines {
			l := &cartLine{CartLineItem: &lines[i], number: len(all), base: base}
			all = append(all, l)
			add(lines[i].AddonItems, l)
		}
	}
	add(cart.LineItems, nil)
	return all
}

// asked returns the line as that of an order.
func (l *cartLine) asked() partnercenter.OrderLineItem {
	line := partnercenter.OrderLineItem{
		OfferID: l.CatalogItemID, FriendlyName: l.FriendlyName, Quantity: l.Quantity, RenewsTo: l.RenewsTo,
		PromotionID: l.PromotionID, CustomTermEndDate: l.CustomTermEndDate, AttestationAccepted: l.AttestationAccepted,
		PurchaseCommitment: l.PurchaseCommitment, ProvisioningContext: map[string]string{},
	}
	if l.TermDuration != "" {
		line.TermDuration = new(l.TermDuration)
	}
	for name, value := range l.ProvisioningContext {
		if ascii.EqualFold(name, parentVariable) {
			line.ParentSubscriptionID = ascii.TrimSpace(value)
			continue
		}
		line.ProvisioningContext[name] = value
	}
	for _, p := range l.Participants {
		switch p.Key.Normalize() {
		case partnercenter.ParticipantTypeTransactionReseller:
			line.PartnerIDOnRecord = p.Value
		case partnercenter.ParticipantTypeAdditionalTransactionReseller:
			line.AdditionalPartnerIDsOnRecord = append(line.AdditionalPartnerIDsOnRecord, p.Value)
		}
	}
	return line
}

// cartCheck is a request to make or change a cart, as the rules check it.
type cartCheck struct {
	*Account
	CartCommand
	lines []*cartLine
}

// cartRules are about what a cart cannot have. What is wrong with a line otherwise is in
// the line's error: see [cartErrors].
var cartRules = []rule[*cartCheck]{
	{http.StatusBadRequest, partnercenter.ErrorCodeInvalidProperty, "it says nothing of line items; an empty list makes an empty cart", func(c *cartCheck) (string, string) {
		return require(c.Request.LineItems != nil, "Send at least one line item with catalogItemId, quantity and billingCycle; an empty list makes a cart that can be filled later", "Invalid property lineItems: the cart has none")
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeInvalidInput, "there are more than 500 line items, with add-ons", func(c *cartCheck) (string, string) {
		return require(len(c.lines) <= MaxLines, "Split it into several carts", "The cart has %d line items, and the limit is %d", len(c.lines), MaxLines)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeInvalidProperty, "an add-on has add-ons", func(c *cartCheck) (string, string) {
		for _, l := range c.lines {
			if l.base != nil && l.base.base != nil {
				return violation("Put it among the add-ons of the base itself", "Invalid property addonItems: line %d is an add-on of an add-on", l.number)
			}
		}
		return "", ""
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeEnumUnparsable, "the billing cycle of a line is unknown text", func(c *cartCheck) (string, string) {
		for _, l := range c.lines {
			if problem, next := unknownCycle(l.BillingCycle); problem != "" {
				return problem + " in line " + strconv.Itoa(l.number), next
			}
		}
		return "", ""
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeEnumUnparsable, "a participant has an unknown part", func(c *cartCheck) (string, string) {
		for _, l := range c.lines {
			for _, p := range l.Participants {
				if !p.Key.Known() {
					return violation("Send transaction_reseller, or additional_transaction_reseller", "Unable to parse enum: key %s of a participant in line %d", quote.Text(string(p.Key)), l.number)
				}
			}
		}
		return "", ""
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeInvalidProperty, "a provisioning variable is there twice, in different case", func(c *cartCheck) (string, string) {
		for _, l := range c.lines {
			seen := map[string]bool{}
			for name := range l.ProvisioningContext {
				if seen[Key(name)] {
					return violation("Send it once", "Invalid property provisioningContext: line %d has %s twice", l.number, quote.Text(lowerFirst(name)))
				}
				seen[Key(name)] = true
			}
		}
		return "", ""
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeCurrencyNotOffered, "nothing is sold in the currency of a line", func(c *cartCheck) (string, string) {
		for _, l := range c.lines {
			if sent := ascii.TrimSpace(l.CurrencyCode); sent != "" && !c.Catalog.HasCurrency(sent) {
				return violation("Leave currencyCode out", "The currency %s of line %d is not offered to the partner", quote.Text(sent), l.number)
			}
		}
		return "", ""
	}},
}

// keptCart is a cart that somebody wants to use, as the rules check it.
type keptCart struct {
	*Cart
	now time.Time
}

// Expired reports whether the time of the cart is over.
func (c *Cart) Expired(now time.Time) bool {
	return !now.Before(c.Document.ExpirationTimestamp.Time())
}

// cartNotExpired comes first whatever is done with a cart.
var cartNotExpired = rule[*keptCart]{http.StatusNotFound, partnercenter.ErrorCodeCartNotFound, "it has expired", func(c *keptCart) (string, string) {
	return require(!c.Expired(c.now), "Create the cart again", "Unable to retrieve cart Id %s: it expired on %s", c.Document.ID, c.Document.ExpirationTimestamp)
}}

// changeCartRules are about the cart that is to change.
var changeCartRules = []rule[*keptCart]{
	cartNotExpired,
	{http.StatusBadRequest, partnercenter.ErrorCodeCartItems, "some of it was ordered", func(c *keptCart) (string, string) {
		next := "Create another cart"
		if !c.complete() {
			next = "Check it out again for the rest, or create another cart"
		}
		return require(len(c.Facts.Ordered) == 0, next, "The items of cart %s cannot change: it was checked out", c.Document.ID)
	}},
}

// ReadCart returns the cart as it is at an instant.
func ReadCart(cart *Cart, now time.Time) (*partnercenter.Cart, error) {
	if err := check([]rule[*keptCart]{cartNotExpired}, &keptCart{cart, now}); err != nil {
		return nil, err
	}
	return &cart.Document, nil
}

// CreateCart decides about a new cart, and makes it.
func CreateCart(account *Account, command CartCommand, settings Settings, now time.Time) (*Cart, []Event, error) {
	id := newIDs(command.Entropy).guid()
	self := "/customers/" + account.CustomerID + "/carts/" + id
	c := &Cart{Document: partnercenter.Cart{
		ID: id, CreationTimestamp: dateOf(now, false), ExpirationTimestamp: dateOf(later(now, cartLifetime), false),
		Status:     partnercenter.CartStatusActive,
		Links:      &partnercenter.ResourceLinks{Self: partnercenter.NewLink("GET", self)},
		Attributes: &partnercenter.ResourceAttributes{ObjectType: partnercenter.ObjectTypeCart},
	}}
	return c.fill(account, command, settings, now, "cart created")
}

// UpdateCart decides about a change of a cart, and makes it. What the service sets of a
// cart stays, whatever the request has there.
func UpdateCart(account *Account, cart *Cart, command CartCommand, settings Settings, now time.Time) (*Cart, []Event, error) {
	if err := check(changeCartRules, &keptCart{cart, now}); err != nil {
		return nil, nil, err
	}
	next := *cart
	return next.fill(account, command, settings, now, "cart changed")
}

// fill gives the cart the lines of a request.
func (c *Cart) fill(account *Account, command CartCommand, settings Settings, now time.Time, kind EventKind) (*Cart, []Event, error) {
	if err := check(cartRules, &cartCheck{account, command, cartLines(command.Request)}); err != nil {
		return nil, nil, err
	}
	d := &c.Document
	d.LastModifiedTimestamp, d.LastModifiedUser = dateOf(now, false), command.User
	d.PartnerOnRecordAttestationAccepted = command.Request.PartnerOnRecordAttestationAccepted
	d.LineItems = keepLines(command.Request.LineItems)
	lines := cartLines(d)
	numberCart(lines)
	c.forgetPromotions(lines)
	c.Facts.Promotions = evaluate(account, lines, settings, now)
	group(lines)
	return c, []Event{{Kind: kind}}, nil
}

// AdoptCart makes a cart of the document of one that was loaded: lines have their ids, prices
// and errors as if they had been sent.
func AdoptCart(account *Account, document partnercenter.Cart, settings Settings, now time.Time) *Cart {
	c := &Cart{Document: document}
	c.Document.LineItems = keepLines(document.LineItems)
	lines := cartLines(&c.Document)
	numberCart(lines)
	c.Facts.Promotions = evaluate(account, lines, settings, now)
	group(lines)
	return c
}

// forgetPromotions takes promotions out of lines that were not named, so that they are
// found again: carts are sent back with them.
func (c *Cart) forgetPromotions(lines []*cartLine) {
	for _, l := range lines {
		if slices.Contains(c.Facts.Promotions, l.PromotionID) {
			l.PromotionID = ""
		}
	}
}

// keepLines returns what a cart keeps of the lines of a request.
func keepLines(asked []partnercenter.CartLineItem) []partnercenter.CartLineItem {
	kept := make([]partnercenter.CartLineItem, len(asked))
	for i := range asked {
		l := &asked[i]
		kept[i] = partnercenter.CartLineItem{
			ID: l.ID, CatalogItemID: ascii.TrimSpace(l.CatalogItemID), FriendlyName: l.FriendlyName, Quantity: l.Quantity,
			CurrencyCode: ascii.TrimSpace(l.CurrencyCode), BillingCycle: l.BillingCycle.Normalize(), TermDuration: ascii.TrimSpace(l.TermDuration),
			PromotionID: l.PromotionID, CustomTermEndDate: l.CustomTermEndDate, AttestationAccepted: l.AttestationAccepted,
			RenewsTo: l.RenewsTo, PurchaseCommitment: l.PurchaseCommitment,
		}
		if l.CustomTermEndDate.Time().IsZero() {
			kept[i].CustomTermEndDate = partnercenter.Time{} // clients send the year 1 for none
		}
		for _, p := range l.Participants {
			kept[i].Participants = append(kept[i].Participants, partnercenter.CartParticipant{Key: p.Key.Normalize(), Value: ascii.TrimSpace(p.Value)})
		}
		if l.ProvisioningContext != nil {
			kept[i].ProvisioningContext = map[string]string{}
		}
		for name, value := range l.ProvisioningContext {
			if name = lowerFirst(name); ascii.EqualFold(name, parentVariable) {
				name = parentVariable // clients look for it in this spelling
			}
			kept[i].ProvisioningContext[name] = value
		}
		if len(l.AddonItems) > 0 { // clients take the first of a list that is there
			kept[i].AddonItems = keepLines(l.AddonItems)
		}
	}
	return kept
}

// numberCart keeps the ids that lines have if they count the lines, in any order, or
// else numbers the lines: clients send 0 for lines that they add.
func numberCart(lines []*cartLine) {
	seen := make([]bool, len(lines))
	for _, l := range lines {
		if l.ID == nil || *l.ID < 0 || *l.ID >= len(lines) || seen[*l.ID] {
			for i, l := range lines {
				l.ID = new(i)
			}
			return
		}
		seen[*l.ID] = true
	}
}

// evaluate finds the items of lines, and says of each what it costs and what is wrong
// with it. It returns the promotions that it finds for lines that name none.
func evaluate(account *Account, lines []*cartLine, settings Settings, now time.Time) (found []string) {
	beside := make([]*catalog.Item, 0, len(lines))
	for _, l := range lines {
		if l.item, l.err = account.Catalog.Find(ascii.TrimSpace(l.CatalogItemID), account.Country); l.err == nil {
			beside = append(beside, l.item)
		}
	}
	for _, l := range lines {
		l.Error, l.Pricing = nil, nil
		currency, _ := account.Catalog.Currency(account.Country)
		if l.CurrencyCode == "" {
			l.CurrencyCode = currency
		}
		if l.item != nil {
			named := l.PromotionID
			l.settle(account, now)
			if l.PromotionID != named && !slices.Contains(found, l.PromotionID) {
				found = append(found, l.PromotionID)
			}
		}
		if refused := l.refused(account, beside, settings, now); refused != nil {
			l.Error = l.cartError(refused)
		}
		if currency != "" && !ascii.EqualFold(l.CurrencyCode, currency) {
			l.Error = &partnercenter.CartError{
				ErrorCode:        partnercenter.CartErrorCodeCurrencyNotSupported,
				ErrorDescription: "Customers in " + account.Country + " are billed in " + currency + ", not " + quote.Text(l.CurrencyCode) + ". Send " + currency + ", or leave currencyCode out.",
			}
		}
	}
	return found
}

// settle fills in what the item decides where the request leaves it out, the promotion and
// the price.
func (l *cartLine) settle(account *Account, now time.Time) {
	item := l.item
	if (l.BillingCycle == "" || l.BillingCycle == partnercenter.BillingCycleTypeUnknown) && len(item.BillingCycles) > 0 {
		l.BillingCycle = item.BillingCycles[0]
		if l.base != nil && l.base.BillingCycle != "" {
			l.BillingCycle = l.base.BillingCycle
		}
	}
	if l.TermDuration == "" && !item.Kind.Legacy() && len(item.Terms) > 0 {
		l.TermDuration = item.Term(l.BillingCycle)
	}
	if l.Quantity != nil {
		asked := l.asked()
		priced := partnercenter.OrderLineItem{Quantity: l.Quantity, TermDuration: asked.TermDuration, PurchaseCommitment: asked.PurchaseCommitment}
		if item.Kind == catalog.OnlineService {
			priced.CustomTermEndDate = l.CustomTermEndDate
		}
		setPrice(&priced, unitPrice(item, &priced, l.BillingCycle))
		if p, _ := promotion(account, item, &asked, l.BillingCycle, now); p != nil {
			discount(&priced, item, p)
			l.PromotionID = priced.PromotionID
		}
		prorate(&priced, l.BillingCycle, dayOf(now))
		l.Pricing = priced.Pricing
	}
}

// refused returns why the line by itself cannot be ordered, nil if it can.
func (l *cartLine) refused(account *Account, beside []*catalog.Item, settings Settings, now time.Time) *Refusal {
	asked := l.asked()
	p := &placementCheck{
		Account: account, settings: settings, now: now,
		Placement: Placement{Request: &partnercenter.Order{BillingCycle: l.BillingCycle, LineItems: []partnercenter.OrderLineItem{asked}}, cart: &ofCart{beside: beside}},
	}
	checked := &lineCheck{placementCheck: p, number: l.number, line: &asked, item: l.item, err: l.err}
	if l.base != nil {
		if checked.base = l.base.item; checked.base == nil {
			checked.base = new(catalog.Item) // that nothing is an add-on of
		}
	}
	err := check(lineCartRules, l)
	if err == nil {
		err = check(lineRules, checked)
	}
	if err == nil {
		p.lines = []*lineCheck{checked}
		err = check(orderRules, p)
	}
	refused, _ := err.(*Refusal) //nolint:errorlint // check returns no other
	return refused
}

// lineCartRules are about what only lines of carts have. Their codes are those of the
// rules that they stand for: see [cartErrors].
var lineCartRules = []rule[*cartLine]{
	{http.StatusBadRequest, partnercenter.ErrorCodeMPNNotReseller, "a line has two transaction resellers, more than five others, or a consumption reseller", func(l *cartLine) (string, string) {
		count := map[partnercenter.ParticipantType]int{}
		for _, p := range l.Participants {
			count[p.Key]++
		}
		first, others := count[partnercenter.ParticipantTypeTransactionReseller], count[partnercenter.ParticipantTypeAdditionalTransactionReseller]
		return require(first <= 1 && others <= maxAdditionalResellers && first+others == len(l.Participants), "Send one transaction_reseller and up to 5 additional_transaction_reseller", "The participants of line %d are not supported", l.number)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeCycleUnsupported, "an add-on is billed otherwise than its base", func(l *cartLine) (string, string) {
		if l.base == nil || l.BillingCycle == l.base.BillingCycle {
			return "", ""
		}
		return violation("Send the billing cycle of the base", "The add-on in line %d is billed %s, and its base %s", l.number, l.BillingCycle, l.base.BillingCycle)
	}},
}

// cartErrors are the codes of lines of carts, by those of the rules that refuse to order
// them. Rules that are not here are about more than the line, or about what may change
// until the cart is checked out; then they are errors of its order group.
var cartErrors = map[partnercenter.ErrorCode]partnercenter.CartErrorCode{
	partnercenter.ErrorCodeInvalidProperty:           partnercenter.CartErrorCodeInvalidInput,
	partnercenter.ErrorCodeEnumUnparsable:            partnercenter.CartErrorCodeInvalidInput,
	partnercenter.ErrorCodeSavingsPlanInput:          partnercenter.CartErrorCodeInvalidInput,
	partnercenter.ErrorCodeQuantityOutOfRange:        partnercenter.CartErrorCodeInvalidInput, // see cartError
	partnercenter.ErrorCodeQuantityUnavailable:       partnercenter.CartErrorCodeInvalidInput, // likewise
	partnercenter.ErrorCodeProductNotFound:           partnercenter.CartErrorCodeCatalogItemIDNotValid,
	partnercenter.ErrorCodeSKUNotFound:               partnercenter.CartErrorCodeCatalogItemIDNotValid,
	partnercenter.ErrorCodeAvailabilityUnknown:       partnercenter.CartErrorCodeCatalogItemIDNotValid,
	partnercenter.ErrorCodeOfferNotInCountry:         partnercenter.CartErrorCodeCatalogItemIDNotValid,
	partnercenter.ErrorCodeInvalidOffer:              partnercenter.CartErrorCodeCatalogItemIDNotValid,
	partnercenter.ErrorCodeItemNotEligible:           partnercenter.CartErrorCodeCatalogItemIDNotValid,
	partnercenter.ErrorCodeNotInEnvironment:          partnercenter.CartErrorCodeUnableToProcess,
	partnercenter.ErrorCodeOfferRetired:              partnercenter.CartErrorCodeLegacyOfferNotEligible, // see cartError
	partnercenter.ErrorCodeOfferNotEligible:          partnercenter.CartErrorCodeLegacyOfferNotEligible,
	partnercenter.ErrorCodeOfferLimit:                partnercenter.CartErrorCodeQuotaNotAvailable,
	partnercenter.ErrorCodeOutOfInventory:            partnercenter.CartErrorCodeInventoryNotAvailable,
	partnercenter.ErrorCodeMPNIsProvider:             partnercenter.CartErrorCodeParticipantsNotSupported,
	partnercenter.ErrorCodeMPNUnknown:                partnercenter.CartErrorCodeParticipantsNotSupported,
	partnercenter.ErrorCodeMPNNotReseller:            partnercenter.CartErrorCodeParticipantsNotSupported,
	partnercenter.ErrorCodeSubscriptionInvalid:       partnercenter.CartErrorCodeSubscriptionNotValid,
	partnercenter.ErrorCodeSubscriptionNotAzure:      partnercenter.CartErrorCodeSubscriptionNotValid,
	partnercenter.ErrorCodeSubscriptionInactive:      partnercenter.CartErrorCodeSubscriptionNotValid,
	partnercenter.ErrorCodeSubscriptionNotEnabled:    partnercenter.CartErrorCodeSubscriptionNotEnabled,
	partnercenter.ErrorCodeSubscriptionNotRegistered: partnercenter.CartErrorCodeSubscriptionNotRegistered,
	partnercenter.ErrorCodeTooManySeats:              partnercenter.CartErrorCodeSandboxLimitExceeded,
	partnercenter.ErrorCodeSeatsBeyondLimit:          partnercenter.CartErrorCodeSandboxLimitExceeded,
	partnercenter.ErrorCodeTooManySubs:               partnercenter.CartErrorCodeSandboxLimitExceeded,
	partnercenter.ErrorCodeTooManyAzureSubs:          partnercenter.CartErrorCodeSandboxLimitExceeded,
	partnercenter.ErrorCodeTooManyAzurePlans:         partnercenter.CartErrorCodeSandboxLimitExceeded,
	partnercenter.ErrorCodeAttestationMissing:        partnercenter.CartErrorCodeAttestationNotAccepted,
	partnercenter.ErrorCodeTermUnavailable:           partnercenter.CartErrorCodeBillingPlanNotSupported,
	partnercenter.ErrorCodeCycleUnsupported:          partnercenter.CartErrorCodeBillingPlanNotSupported,
	partnercenter.ErrorCodePromotionInvalid:          partnercenter.CartErrorCodeInvalidPromotionID,
	partnercenter.ErrorCodeCustomEndNotOffered:       partnercenter.CartErrorCodeCustomEndProductInvalid,
	partnercenter.ErrorCodeCustomEndMismatch:         partnercenter.CartErrorCodeCustomEndInvalid,
	partnercenter.ErrorCodeCustomEndOutsideTerm:      partnercenter.CartErrorCodeCustomEndInvalid,
	partnercenter.ErrorCodeCustomEndUnaligned:        partnercenter.CartErrorCodeCustomEndInvalid,
	partnercenter.ErrorCodeAddOnUnrelated:            partnercenter.CartErrorCodeBaseSeatsNotMet,
}

// cartError returns the error of a line that is refused, nil if it is not the line's.
func (l *cartLine) cartError(refused *Refusal) *partnercenter.CartError {
	code, ok := cartErrors[refused.Code]
	if !ok {
		return nil
	}
	e := &partnercenter.CartError{ErrorCode: code, ErrorDescription: refused.Error()}
	switch refused.Code {
	case partnercenter.ErrorCodeOfferRetired:
		if !l.item.Kind.Legacy() {
			e.ErrorCode = partnercenter.CartErrorCodeCatalogItemIDNotValid
		}
	case partnercenter.ErrorCodeQuantityOutOfRange, partnercenter.ErrorCodeQuantityUnavailable:
		most := l.item.MaximumQuantity
		switch {
		case most > 0 && *l.Quantity > most:
			e.ErrorCode = partnercenter.CartErrorCodeMaxSeatsExceeded
			e.AdditionalInformation = &partnercenter.CartErrorInformation{AvailableQuantity: &most, PurchasedQuantity: new(0)}
		case l.item.AddOn:
			e.ErrorCode = partnercenter.CartErrorCodeMinimumAddOnSeatsNotMet
		}
	}
	return e
}

// orderGroupKey is what lines have in common that are ordered together.
type orderGroupKey struct {
	legacy, online bool
	salesGroup     string
	cycle          partnercenter.BillingCycleType
}

// group says which lines are ordered together: those of one family that are billed alike.
// Add-ons go with their base.
func group(lines []*cartLine) {
	groups := map[orderGroupKey]string{}
	count := map[bool]int{} // of groups, by whether they are of legacy offers
	for _, l := range lines {
		if l.base != nil {
			l.OrderGroup = l.base.OrderGroup
			continue
		}
		key := orderGroupKey{cycle: l.BillingCycle}
		if l.item != nil {
			key.legacy, key.online, key.salesGroup = l.item.Kind.Legacy(), l.item.Kind == catalog.OnlineService, l.item.SalesGroup
		}
		id, known := groups[key]
		if !known {
			id = strconv.Itoa(count[key.legacy])
			if key.legacy {
				id = "OMS-" + id
			}
			groups[key] = id
			count[key.legacy]++
		}
		l.OrderGroup = id
	}
}
