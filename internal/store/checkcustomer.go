package store

import (
	"bytes"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/ascii"
)

// customerCheck is the check of a customer.
type customerCheck struct {
	*checkedCustomer
	found         []Finding
	orders        map[string]*checkedOrder // by their keys
	subscriptions map[string][]any         // rows, by their ids
}

// checkedOrder is what is known of an order.
type checkedOrder struct {
	row    []any
	order  *partnercenter.Order // with prices; nil if it cannot be read
	loaded bool                 // and not placed or changed here
}

// checkCustomer checks what belongs to a customer.
func (k *checker) checkCustomer(of *checkedCustomer) error {
	c := &customerCheck{checkedCustomer: of, orders: map[string]*checkedOrder{}, subscriptions: map[string][]any{}}
	if of.customerKey == (customerKey{}) {
		return nil // answers of old versions, of which nobody knows whose they are
	}
	if len(of.rows[customerRow]) == 0 {
		for i, t := range checkedTables {
			if n := len(of.rows[i]); n > 0 {
				c.find("", Finding{Kind: FindOrphan, What: fmt.Sprintf("%d of %s are there without their customer", n, t.name)})
			}
		}
	} else if err := c.checkProfile(k.partners[of.partner]); err != nil {
		return err
	}
	for _, row := range of.rows[subscriptionRow] {
		id := row[2].(string)
		if c.subscriptions[id] != nil {
			c.find(row[3].(string), Finding{Kind: FindDuplicate, What: "subscription " + id + " is there more than once"})
		}
		c.subscriptions[id] = row
	}
	for _, row := range of.rows[orderRow] {
		if err := c.checkOrder(row); err != nil {
			return err
		}
	}
	for _, row := range of.rows[orderRow] {
		if o := c.orders[row[2].(string)]; o.order != nil {
			if err := c.checkLines(o); err != nil {
				return err
			}
		}
	}
	for _, row := range of.rows[subscriptionRow] {
		if err := c.checkSubscription(row); err != nil {
			return err
		}
	}
	c.checkAttachments()
	c.checkCarts()
	c.checkAnswers()
	k.found(c.found...)
	return nil
}

// find adds a finding about an order, or about the customer itself.
func (c *customerCheck) find(order string, f Finding) {
	f.Partner, f.Customer, f.Order = c.partner, c.customer, order
	c.found = append(c.found, f)
}

// update is a repair that sets columns of a row, whose key is its first parameters.
func update(table string, key []any, columns []string, values []any) []repair {
	sets := make([]string, len(columns))
	for i, column := range columns {
		sets[i] = fmt.Sprintf("%s = $%d", column, len(key)+1+i)
	}
	where := make([]string, len(key))
	for i, column := range checkedTables[slices.IndexFunc(checkedTables, func(t *copiedTable) bool { return t.name == table })].columns[:len(key)] {
		where[i] = fmt.Sprintf("%s = $%d", column, i+1)
	}
	return []repair{{
		"UPDATE " + table + " SET " + strings.Join(sets, ", ") + " WHERE " + strings.Join(where, " AND "), //nolint:gosec // of names in the schema
		slices.Concat(key, values),
	}}
}

// compare returns the columns whose values are not those that follow from the document.
func compare(names []string, have, want []any) (columns []string, values []any) {
	for i, name := range names {
		if !sameValue(have[i], want[i]) {
			columns, values = append(columns, name), append(values, want[i])
		}
	}
	return columns, values
}

// sameValue reports whether a column has a value. Of documents only the form may differ:
// old versions wrote members in another order, for one.
func sameValue(have, want any) bool {
	if have == want {
		return true
	}
	a, isText := have.(string)
	b, areTexts := want.(string)
	if !isText || !areTexts || !strings.HasPrefix(a, "{") || !strings.HasPrefix(b, "{") {
		return false
	}
	x, y := jsontext.Value(a), jsontext.Value(b)
	return x.Canonicalize() == nil && y.Canonicalize() == nil && bytes.Equal(x, y)
}

// checkProfile checks the customer's own row, and its domains.
func (c *customerCheck) checkProfile(hasPartner bool) error {
	if !hasPartner {
		c.find("", Finding{Kind: FindOrphan, What: "the customer is there without its partner"})
	}
	if n := len(c.rows[customerRow]); n > 1 {
		c.find("", Finding{Kind: FindDuplicate, What: fmt.Sprintf("the customer is there %d times", n)})
		return nil
	}
	row := c.rows[customerRow][0]
	key, columns := row[:2], row[2:]
	doc := columns[slices.Index(customerColumns, "doc")].(string)
	var stored partnercenter.Customer
	switch {
	case decodeDocument(doc, &stored) != nil:
		c.find("", Finding{Kind: FindDocument, What: "the customer's document cannot be read"})
		return nil //nolint:nilerr // it is a finding
	case idKey(stored.ID) != c.customer:
		c.find("", Finding{Kind: FindDocument, What: fmt.Sprintf("the document is that of customer %q", stored.ID)})
		return nil
	}
	want, err := customerArgs(c.partner, c.customer, &stored)
	if err != nil {
		return err
	}
	if names, values := compare(customerColumns, columns, want[2:]); len(names) > 0 {
		c.find("", Finding{Kind: FindColumn, What: notAsDocument("the customer", names), repair: update("customers", key, names, values)})
	}
	c.checkDomains(&stored)
	return nil
}

// notAsDocument words that columns of something are not as its document says.
func notAsDocument(what string, columns []string) string {
	return "columns of " + what + " are not as its document says: " + strings.Join(columns, ", ")
}

func (c *customerCheck) checkDomains(stored *partnercenter.Customer) {
	missing := map[string]bool{}
	for _, domain := range stored.CustomDomains {
		missing[fold(domain)] = true
	}
	for _, row := range c.rows[domainRow] {
		domain := row[2].(string)
		if missing[domain] {
			delete(missing, domain)
			continue
		}
		c.find("", Finding{
			Kind: FindColumn, What: fmt.Sprintf("the domain %q is not in the customer's document", domain),
			repair: []repair{{`DELETE FROM customer_domains WHERE partner_id = $1 AND customer_id = $2 AND domain = $3`, row}},
		})
	}
	for domain := range missing {
		c.find("", Finding{
			Kind: FindColumn, What: fmt.Sprintf("the domain %q of the customer's document is missing", domain),
			repair: []repair{{insertDomain.query, []any{c.partner, c.customer, domain}}},
		})
	}
}

// checkOrder checks an order by itself.
func (c *customerCheck) checkOrder(row []any) error {
	id := row[2].(string)
	if c.orders[id] != nil {
		c.find(id, Finding{Kind: FindDuplicate, What: "the order is there more than once"})
		c.orders[id].order = nil // of which of them nobody knows
		return nil
	}
	columns := row[3 : 3+len(orderColumns)]
	revision, visible, settled, facts := row[9].(int64), row[10].(int64), row[11].(int64), row[12]
	o := &checkedOrder{row: row, loaded: facts == nil}
	c.orders[id] = o
	if revision < 0 {
		c.find(id, Finding{Kind: FindRevision, What: fmt.Sprintf("the revision of the order is %d", revision)})
	}
	if text, is := facts.(string); is && !isObject([]byte(text)) {
		c.find(id, Finding{Kind: FindDocument, What: "the order's facts cannot be read"})
	}
	if visible < 0 || settled < 0 || o.loaded && visible+settled != 0 {
		f := Finding{Kind: FindColumn, What: fmt.Sprintf("the order is visible from %d and settled from %d on", visible, settled)}
		if o.loaded {
			f.repair = update("orders", row[:3], []string{"visible", "settled"}, []any{int64(0), int64(0)})
		}
		c.find(id, f)
	}
	order := c.readOrder(id, columns[4], columns[5])
	if order == nil {
		return nil
	}
	if orderKey(order.ID) != id {
		c.find(id, Finding{Kind: FindDocument, What: fmt.Sprintf("the document is that of order %q", order.ID)})
		return nil
	}
	o.order = order
	want, err := orderArgs(c.partner, c.customer, order)
	if err != nil {
		return err
	}
	want = asRow(want[3:])
	if columns[5] != nil && want[5] == nil {
		want[5] = columns[5] // without a price, but not wrong
	}
	if names, values := compare(orderColumns, columns, want); len(names) > 0 {
		c.find(id, Finding{Kind: FindColumn, What: notAsDocument("the order", names), repair: update("orders", row[:3], names, values)})
	}
	return nil
}

// readOrder returns the order that follows from its documents, without and with prices, or
// nil if none does.
func (c *customerCheck) readOrder(id string, plain, priced any) *partnercenter.Order {
	order := new(partnercenter.Order)
	if priced == nil {
		if decodeDocument(plain.(string), order) != nil {
			c.find(id, Finding{Kind: FindDocument, What: "the order's document cannot be read"})
			return nil
		}
		return order
	}
	if decodeDocument(priced.(string), order) != nil {
		what := "the order's document with prices cannot be read"
		if !isObject([]byte(plain.(string))) {
			what = "neither document of the order can be read"
		}
		c.find(id, Finding{Kind: FindDocument, What: what})
		return nil
	}
	return order
}

// asRow returns the values of columns as they are read.
func asRow(args []any) []any {
	row := slices.Clone(args)
	for i, value := range row {
		if text, is := value.(sql.NullString); is {
			if row[i] = nil; text.Valid {
				row[i] = text.String
			}
		}
		if text, is := row[i].(string); is {
			row[i] = validText(text)
		}
	}
	return row
}

// checkLines checks what the lines and links of an order name.
func (c *customerCheck) checkLines(o *checkedOrder) error {
	order := o.order
	id := o.row[2].(string)
	if customer := order.ReferenceCustomerID; customer != "" && idKey(customer) != c.customer {
		c.find(id, Finding{Kind: FindLink, What: fmt.Sprintf("the order is for customer %q by its referenceCustomerId", customer)})
	}
	fixed := *order
	fixed.LineItems = slices.Clone(order.LineItems)
	l := &linkCheck{customer: c.customer}
	if links := order.Links; links != nil {
		copied := *links
		fixed.Links = &copied
		for _, link := range []**partnercenter.Link{&copied.Self, &copied.PatchOperation, &copied.ProvisioningStatus} {
			l.fix(link, map[string]string{"customers": c.customer, "orders": order.ID})
		}
	}
	for i := range order.LineItems {
		line := &fixed.LineItems[i]
		if line.SubscriptionID == "" {
			continue
		}
		if c.subscriptions[idKey(line.SubscriptionID)] == nil {
			c.findMissing(o, i)
			continue
		}
		if links := line.Links; links != nil {
			copied := *links
			line.Links = &copied
			for _, link := range []**partnercenter.Link{&copied.Subscription, &copied.ProvisioningStatus} {
				l.fix(link, map[string]string{"customers": c.customer, "subscriptions": line.SubscriptionID})
			}
			l.fix(&copied.ActivationLinks, map[string]string{"customers": c.customer, "orders": order.ID})
		}
	}
	if len(l.wrong) == 0 {
		return nil
	}
	want, err := orderArgs(c.partner, c.customer, &fixed)
	if err != nil {
		return err
	}
	want = asRow(want[3:])
	c.find(id, Finding{
		Kind: FindLink, What: "links of the order name something else: " + strings.Join(l.wrong, ", "),
		repair: update("orders", o.row[:3], orderColumns, want),
	})
	return nil
}

// findMissing finds a line whose subscription is not there. Those of loaded orders follow
// from their lines.
func (c *customerCheck) findMissing(o *checkedOrder, i int) {
	f := Finding{Kind: FindSubscription, What: fmt.Sprintf("subscription %s of line %d is missing", o.order.LineItems[i].SubscriptionID, i)}
	if o.loaded {
		f.repair = []repair{{insertSubscription.query, derivedArgs(c.partner, c.customer, o.order, i)}}
	}
	c.find(o.row[2].(string), f)
}

// linkCheck compares links with what they have to name.
type linkCheck struct {
	customer string
	wrong    []string // as they are
}

// fix replaces a link that names something else than it has to.
func (l *linkCheck) fix(link **partnercenter.Link, names map[string]string) {
	if *link == nil || (*link).URI == "" {
		return
	}
	path, query, hasQuery := strings.Cut((*link).URI, "?")
	parts := strings.Split(path, "/")
	wrong := false
	for i := range len(parts) - 1 {
		if want, is := names[ascii.ToLower(parts[i])]; is && idKey(parts[i+1]) != idKey(want) {
			parts[i+1], wrong = want, true
		}
	}
	if !wrong {
		return
	}
	l.wrong = append(l.wrong, (*link).URI)
	fixed := **link
	fixed.URI = strings.Join(parts, "/")
	if hasQuery {
		fixed.URI += "?" + query
	}
	*link = &fixed
}

// The columns of subscriptions after the key, as they are read.
var subscriptionColumns = checkedTables[subscriptionRow].columns[3:]

// checkSubscription compares a subscription with its document, or the line that made it.
func (c *customerCheck) checkSubscription(row []any) error {
	id, orderID := row[2].(string), row[3].(string)
	loaded, doc, facts := row[11].(int64), row[12], row[13]
	o := c.orders[orderID]
	if o == nil {
		f := Finding{Kind: FindOrphan, What: "subscription " + id + " is there without its order"}
		if doc == nil { // it is nothing but a line of the order
			f.repair = deleteSubscription(row)
		}
		c.find(orderID, f)
		return nil
	}
	line := -1
	if o.order != nil {
		line = slices.IndexFunc(o.order.LineItems, func(l partnercenter.OrderLineItem) bool { return idKey(l.SubscriptionID) == id })
		if line < 0 {
			f := Finding{Kind: FindSubscription, What: "no line of the order has subscription " + id}
			if doc == nil {
				f.repair = deleteSubscription(row)
			}
			c.find(orderID, f)
			return nil
		}
	}
	if doc == nil {
		if o.order != nil {
			c.checkDerived(row, derivedArgs(c.partner, c.customer, o.order, line))
		}
		return nil
	}
	var stored partnercenter.Subscription
	switch {
	case decodeDocument(doc.(string), &stored) != nil:
		c.find(orderID, Finding{Kind: FindDocument, What: "the document of subscription " + id + " cannot be read"})
		return nil //nolint:nilerr // it is a finding
	case idKey(stored.ID) != id:
		c.find(orderID, Finding{Kind: FindDocument, What: fmt.Sprintf("the document of subscription %s is that of %q", id, stored.ID)})
		return nil
	}
	text, is := facts.(string)
	if described := loaded != 0 && facts == nil; !described && (!is || !isObject([]byte(text))) {
		c.find(orderID, Finding{Kind: FindDocument, What: "the facts of subscription " + id + " cannot be read"})
	}
	return c.checkStored(row, &stored, loaded != 0)
}

func deleteSubscription(row []any) []repair {
	return []repair{{`DELETE FROM subscriptions WHERE partner_id = $1 AND customer_id = $2 AND subscription_id = $3`, row[:3]}}
}

// checkDerived compares a subscription that has no document with what follows from the
// line.
func (c *customerCheck) checkDerived(row, want []any) {
	want = append(asRow(want[3:]), nil, nil)
	have := row[3:]
	if entitlement := slices.Index(subscriptionColumns, "entitlement_id"); have[entitlement] == "" {
		want[entitlement] = "" // as the first versions stored it
	}
	if names, values := compare(subscriptionColumns, have, want); len(names) > 0 {
		c.find(row[3].(string), Finding{
			Kind: FindSubscription, What: fmt.Sprintf("columns of subscription %s are not as the order's line says: %s", row[2], strings.Join(names, ", ")),
			repair: update("subscriptions", row[:3], names, values),
		})
	}
}

// checkStored compares a subscription with its document.
func (c *customerCheck) checkStored(row []any, stored *partnercenter.Subscription, loaded bool) error {
	id, orderID := row[2].(string), row[3].(string)
	if orderKey(stored.OrderID) != orderID {
		c.find(orderID, Finding{Kind: FindLink, What: fmt.Sprintf("subscription %s is of order %q by its document", id, stored.OrderID)})
	}
	if parent := stored.ParentSubscriptionID; parent != "" && !loaded && c.subscriptions[idKey(parent)] == nil {
		c.find(orderID, Finding{Kind: FindLink, What: fmt.Sprintf("the subscription %s to which %s is an add-on is missing", parent, id)})
	}
	want := append(asRow(subscriptionArgs(stored)), boolToInt(stored.Status.Normalize() != partnercenter.SubscriptionStatusDeleted))
	have := []any{row[4], row[5], row[6], row[7], row[9]}
	if loaded {
		want[3] = have[3] // that of the order's line
	}
	if names, values := compare([]string{"entitlement_id", "parent_id", "mpn_id", "offer_id", "active"}, have, want); len(names) > 0 {
		c.find(orderID, Finding{
			Kind: FindColumn, What: notAsDocument("subscription "+id, names),
			repair: update("subscriptions", row[:3], names, values),
		})
	}
	if stored.Links == nil {
		return nil
	}
	l := &linkCheck{customer: c.customer}
	links := *stored.Links
	stored.Links = &links
	for _, link := range []**partnercenter.Link{&links.Self, &links.ActivationLinks, &links.Entitlement} {
		l.fix(link, map[string]string{"customers": c.customer, "subscriptions": stored.ID})
	}
	if parent := stored.ParentSubscriptionID; parent != "" {
		l.fix(&links.ParentSubscription, map[string]string{"customers": c.customer, "subscriptions": parent})
	}
	if len(l.wrong) == 0 {
		return nil
	}
	doc, err := document(stored)
	c.find(orderID, Finding{
		Kind: FindLink, What: fmt.Sprintf("links of subscription %s name something else: %s", id, strings.Join(l.wrong, ", ")),
		repair: update("subscriptions", row[:3], []string{"doc"}, []any{doc}),
	})
	return err
}

// checkAttachments checks the files attached to orders, which come order by order.
func (c *customerCheck) checkAttachments() {
	byOrder := map[string][][]any{}
	for _, row := range c.rows[attachmentRow] {
		order, id := row[2].(string), row[3].(string)
		if c.orders[order] == nil {
			c.find(order, Finding{Kind: FindOrphan, What: "attachment " + id + " is there without its order"})
			continue
		}
		byOrder[order] = append(byOrder[order], row)
		if metadata := row[5].(string); metadata != "" && !isObject([]byte(metadata)) {
			c.find(order, Finding{Kind: FindDocument, What: "the metadata of attachment " + id + " cannot be read"})
		}
		if row[6] != row[7] {
			c.find(order, Finding{
				Kind: FindColumn, What: fmt.Sprintf("attachment %s has %d bytes, and its size is %d", id, row[7], row[6]),
				repair: update("attachments", row[:4], []string{"size"}, row[7:8]),
			})
		}
	}
	for order, rows := range byOrder {
		slices.SortStableFunc(rows, func(a, b []any) int { return int(a[4].(int64) - b[4].(int64)) })
		var numbers []repair
		for i, row := range rows {
			if row[4] != int64(i) {
				numbers = append(numbers, update("attachments", row[:4], []string{"position"}, []any{int64(i)})...)
			}
		}
		if len(numbers) > 0 {
			c.find(order, Finding{Kind: FindCounter, What: "the attachments are not numbered one by one", repair: numbers})
		}
	}
}

// checkCarts checks carts, and that the orders of those that were bought are there.
func (c *customerCheck) checkCarts() {
	for _, row := range c.rows[cartRow] {
		id := row[2].(string)
		if revision := row[3].(int64); revision < 0 {
			c.find("", Finding{Kind: FindRevision, What: fmt.Sprintf("the revision of cart %s is %d", id, revision)})
		}
		var cart partnercenter.Cart
		if decodeDocument(row[4].(string), &cart) != nil {
			c.find("", Finding{Kind: FindDocument, What: "the document of cart " + id + " cannot be read"})
		} else if idKey(cart.ID) != id {
			c.find("", Finding{Kind: FindDocument, What: fmt.Sprintf("the document of cart %s is that of %q", id, cart.ID)})
		}
		var bought partnercenter.CartCheckoutResult
		if decodeDocument(row[5].(string), &bought) != nil {
			c.find("", Finding{Kind: FindDocument, What: "the facts of cart " + id + " cannot be read"})
			continue
		}
		for i := range bought.Orders {
			if order := bought.Orders[i].ID; c.orders[orderKey(order)] == nil {
				c.find(order, Finding{Kind: FindOrphan, What: "cart " + id + " was bought with an order that is missing"})
			}
		}
	}
}

// checkAnswers checks what requests were answered.
func (c *customerCheck) checkAnswers() {
	for _, row := range c.rows[answerRow] {
		key, location, body := row[2].([]byte), row[4].(string), row[5].([]byte)
		if len(body) > 0 && !isObject(body) {
			c.find("", Finding{Kind: FindDocument, What: fmt.Sprintf("the answer to request %x cannot be read", key)})
		}
		if order := orderIn(location); order != "" && c.orders[orderKey(order)] == nil {
			c.find(order, Finding{Kind: FindOrphan, What: fmt.Sprintf("the answer to request %x names an order that is missing", key)})
		}
	}
}

// orderIn returns the id of the order that a link names.
func orderIn(link string) string {
	parts := strings.Split(link, "/")
	if i := slices.Index(parts, "orders"); i >= 0 && i+1 < len(parts) {
		return parts[i+1]
	}
	return ""
}

// isArray reports whether a text is a list in JSON.
func isArray(text string) bool {
	return strings.HasPrefix(text, "[") && jsontext.Value(text).IsValid()
}
