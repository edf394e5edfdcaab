package seed

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/guid"
	"github.com/partnercenter-go/partnercenter/internal/rawjson"
	"github.com/partnercenter-go/partnercenter/internal/spelling"
	"github.com/partnercenter-go/partnercenter/internal/textfile"
	"github.com/partnercenter-go/partnercenter/internal/yamlfile"
)

// Import collects customers, their orders, and what is about their subscriptions and carts,
// in API answers that were saved to files. Its zero value is empty and ready to use.
type Import struct {
	Customers     []partnercenter.Customer
	Orders        []partnercenter.Order
	Subscriptions []OfCustomer[partnercenter.Subscription]
	Carts         []OfCustomer[partnercenter.Cart]
	// Contacts and Transitions are of subscriptions, and Overages of Azure subscriptions.
	Contacts    []OfCustomer[partnercenter.SupportContact]
	Transitions []partnercenter.Transition
	Overages    []OfCustomer[partnercenter.Overage]

	// Where each was read, with its index in the slices above, by key.
	customers, orders, others map[string]imported
}

// OfCustomer is something of a customer that does not name it but in its address.
type OfCustomer[T any] struct {
	CustomerID string
	// SubscriptionID is the subscription that it is about, if it does not say it itself.
	SubscriptionID string
	Item           T
}

// imported says where an item was read and its index.
type imported struct {
	index int
	file  string
	line  int
	item  string
}

func (i imported) String() string {
	where := fmt.Sprintf("%s:%d", i.file, i.line)
	if i.item != "" {
		where += ", " + i.item
	}
	return where
}

// ImportError says what in a file cannot be imported.
type ImportError struct {
	File    string
	Line    int    // from 1
	Item    string // items[3]; empty for a whole value
	Message string // what is wrong and what to do
}

func (e *ImportError) Error() string {
	where := fmt.Sprintf("%s:%d: ", e.File, e.Line)
	if e.Item != "" {
		where += e.Item + ": "
	}
	return where + e.Message
}

// ReadImport reads API answers from r and adds them to into: collections and single ones of
// what [Import] has, one after another if there are several. The name is for messages only.
//
// An item that was read before is kept once if one of the two contains everything in
// the other, as a customer's own answer does for its entry in a list; any other
// difference is an error, because something would be lost. So is anything else. Errors about the content are of type *[ImportError];
// after an error into must not be used.
func ReadImport(name string, r io.Reader, into *Import) error {
	data, err := yamlfile.ReadAll(name, r, maxFileSize)
	if err != nil {
		return err
	}
	if data, err = textfile.Decode(data); err != nil {
		return fmt.Errorf("%s %w", name, err)
	}
	if into.orders == nil {
		into.customers, into.orders, into.others = map[string]imported{}, map[string]imported{}, map[string]imported{}
	}
	f := &importFile{name: name, data: data, into: into}
	dec := jsontext.NewDecoder(bytes.NewBuffer(data), jsontext.AllowInvalidUTF8(true))
	for empty := true; ; empty = false {
		value, err := dec.ReadValue()
		switch {
		case errors.Is(err, io.EOF) && !empty:
			return nil
		case errors.Is(err, io.EOF):
			return f.fail(0, "", "the file is empty; save an answer of the API into it")
		case err != nil:
			return f.syntax(err, dec.InputOffset())
		}
		if err := f.value(value, int(dec.InputOffset())-len(value)); err != nil {
			return err
		}
	}
}

// importFile is a file that is being imported.
type importFile struct {
	name string
	data []byte
	into *Import

	// counted and lines are an offset and its line. Items come in the order of the
	// file, so each line is counted once.
	counted, lines int
}

func (f *importFile) fail(offset int, item, format string, args ...any) error {
	return &ImportError{
		File: f.name, Line: f.line(offset), Item: item, Message: fmt.Sprintf(format, args...),
	}
}

func (f *importFile) line(offset int) int {
	offset = min(offset, len(f.data))
	if offset < f.counted {
		f.counted, f.lines = 0, 0
	}
	f.lines += bytes.Count(f.data[f.counted:offset], []byte("\n"))
	f.counted = offset
	return 1 + f.lines
}

func (f *importFile) syntax(err error, offset int64) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return f.fail(len(f.data), "", "the answer is cut off: the file ends in the middle of it; fetch it again")
	}
	var syntactic *jsontext.SyntacticError
	if errors.As(err, &syntactic) {
		return f.fail(int(syntactic.ByteOffset), "", "not JSON: %v at byte %d; fetch the answer again or correct the file",
			syntactic.Err, syntactic.ByteOffset)
	}
	return f.fail(int(offset), "", "%v", err)
}

// value adds one answer of the API, or a bare list of items.
func (f *importFile) value(value jsontext.Value, offset int) error {
	if name := rawjson.FoldedName(value); name != "" {
		return f.fail(offset, "", "has a member %.60q, with a letter beyond ASCII that would be taken for s or k; fetch the answer again or correct the file", name)
	}
	if value.Kind() == jsontext.KindBeginArray {
		return f.list(value, offset, "")
	}
	m := members(value)
	if items := m["items"]; items.value.Kind() == jsontext.KindBeginArray {
		return f.list(items.value, offset+items.offset, customerIn(m))
	}
	return f.item(value, offset, "", "")
}

// list adds the items of a list. The customer is the one in the list's own address, if
// any.
func (f *importFile) list(list jsontext.Value, offset int, customer string) error {
	dec := jsontext.NewDecoder(bytes.NewBuffer(list), jsontext.AllowInvalidUTF8(true))
	_, err := dec.ReadToken()
	for i := 0; err == nil && dec.PeekKind() != jsontext.KindEndArray; i++ {
		var item jsontext.Value
		if item, err = dec.ReadValue(); err == nil {
			at := offset + int(dec.InputOffset()) - len(item)
			err = f.item(item, at, fmt.Sprintf("items[%d]", i), customer)
		}
	}
	return err
}

// item adds an order or a customer.
func (f *importFile) item(value jsontext.Value, offset int, name, customer string) error {
	m := members(value)
	value, err := rawjson.WithoutNulls(value) // one answer may have null where another has nothing
	if err != nil {
		return err
	}
	kind := objectType(m)
	switch {
	case ascii.EqualFold(kind, string(partnercenter.ObjectTypeOrder)), kind == "" && m["lineitems"].value != nil:
		return f.order(value, m, offset, name, customer)
	case ascii.EqualFold(kind, string(partnercenter.ObjectTypeCustomer)), kind == "" && m["companyprofile"].value != nil:
		return f.customer(value, offset, name)
	case kind != "":
		return f.other(kind, value, m, offset, name, customer)
	case m["description"].value != nil && m["code"].value != nil:
		return f.fail(offset, name, "is an error answer of the API, code %.20s: %.200s; repeat the call and save what it answers when it succeeds",
			jsonText(m["code"]), strings.TrimSuffix(jsonText(m["description"]), "."))
	case m["message"].value != nil && m["statuscode"].value != nil:
		return f.fail(offset, name, "is an error answer of the API's gateway, status %.20s: %.200s; repeat the call and save what it answers when it succeeds",
			jsonText(m["statuscode"]), strings.TrimSuffix(jsonText(m["message"]), "."))
	default:
		return f.fail(offset, name, "is neither an order (it has no lineItems) nor a customer (no companyProfile); import takes the answers of /customers, /customers/{id}, /customers/{id}/orders and /customers/{id}/orders/{id}")
	}
}

func (f *importFile) order(value jsontext.Value, m map[string]member, offset int, name, customer string) error {
	var o partnercenter.Order
	if err := partnercenter.Unmarshal(value, &o); err != nil {
		return f.fail(offset, name, "is not an order of the API: %v; fetch it again or correct the file", err)
	}
	spelling.Normalize(&o)
	if err := f.dates(&o, offset, name); err != nil {
		return err
	}
	for i := range o.LineItems {
		if n := o.LineItems[i].Quantity; n != nil && *n < 0 {
			return f.fail(offset, name, "order %.60q: lineItems[%d].quantity is below zero; a cancelled line has 0", o.ID, i)
		}
	}
	if o.ReferenceCustomerID == "" {
		// The addresses are the only other place that names the customer.
		if o.ReferenceCustomerID = customerIn(m); o.ReferenceCustomerID == "" {
			o.ReferenceCustomerID = customer
		}
	}
	switch {
	case o.ID == "":
		return f.fail(offset, name, "is an order without id, as in a request; save the answer instead")
	case o.ReferenceCustomerID == "":
		return f.fail(offset, name, "order %s does not say whose it is: add referenceCustomerId, the customer's GUID", o.ID)
	case !guid.Is(o.ReferenceCustomerID):
		return f.fail(offset, name, "order %s: referenceCustomerId %.60q is not a GUID; use the customer's", o.ID, o.ReferenceCustomerID)
	}
	for _, id := range keysOf(&o) {
		if strings.ContainsRune(id, utf8.RuneError) {
			return f.fail(offset, name, "order %.60q: the id %.60q has a character that is not valid UTF-8, so that other ids would be the same; fetch the answer again", o.ID, id)
		}
	}
	key := guid.Key(o.ReferenceCustomerID) + "/" + guid.KeyIfGUID(o.ID)
	return addOnce(f, &f.into.Orders, f.into.orders, read[partnercenter.Order]{item: o, key: key, what: "order " + o.ID, offset: offset, name: name})
}

// dates refuses an item with a date that cannot be read.
func (f *importFile) dates(item any, offset int, name string) error {
	if member, text := spelling.UnreadableDate(item); text != "" {
		return f.fail(offset, name, "%s %.60q is not a date; fetch the answer again, or write one such as 2023-03-15T02:17:15.6455674Z", member, text)
	}
	return nil
}

// keysOf returns the ids by which an order and what it made are found.
func keysOf(o *partnercenter.Order) []string {
	keys := []string{o.ID}
	for _, line := range o.LineItems {
		keys = append(keys, line.SubscriptionID, line.ParentSubscriptionID, line.OfferID)
	}
	return keys
}

func (f *importFile) customer(value jsontext.Value, offset int, name string) error {
	var c partnercenter.Customer
	if err := partnercenter.Unmarshal(value, &c); err != nil {
		return f.fail(offset, name, "is not a customer of the API: %v; fetch it again or correct the file", err)
	}
	switch {
	case c.ID == "":
		return f.fail(offset, name, "is a customer without id, as in a request; save the answer instead")
	case !guid.Is(c.ID):
		return f.fail(offset, name, "customer id %.60q is not a GUID; use the customer's", c.ID)
	}
	if err := f.dates(&c, offset, name); err != nil {
		return err
	}
	spelling.Normalize(&c)
	// The API returns the first administrator's password once, when the customer is
	// created; it must not be stored.
	c.UserCredentials = nil
	return addOnce(f, &f.into.Customers, f.into.customers, read[partnercenter.Customer]{item: c, key: guid.Key(c.ID), what: "customer " + c.ID, offset: offset, name: name})
}

// read is an order or a customer that was read.
type read[T any] struct {
	item      T
	key, what string // what identifies it, and for people
	offset    int
	name      string // of its place in the file
}

// addOnce appends what was read to list, unless one with its key exists: then the one
// that contains everything in the other stays. If neither does, it fails.
func addOnce[T any](f *importFile, list *[]T, seen map[string]imported, r read[T]) error {
	prev, twice := seen[r.key]
	if !twice {
		seen[r.key] = imported{file: f.name, line: f.line(r.offset), item: r.name, index: len(*list)}
		*list = append(*list, r.item)
		return nil
	}
	old, now := jsonTree((*list)[prev.index]), jsonTree(r.item)
	switch {
	case includes(old, now):
	case includes(now, old):
		(*list)[prev.index] = r.item
	default:
		return f.fail(r.offset, r.name, "%s is in %s too and differs; import the newer of the two only", r.what, prev)
	}
	return nil
}

// jsonTree returns v as maps, slices and scalars, with numbers as text.
func jsonTree(v any) any {
	data, err := partnercenter.Marshal(v)
	if err != nil {
		return err // equals nothing
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var t any
	if err := dec.Decode(&t); err != nil {
		return err
	}
	return t
}

// includes reports whether rich contains everything in poor. GUIDs are
// case-insensitive.
func includes(rich, poor any) bool {
	switch poor := poor.(type) {
	case map[string]any:
		r, ok := rich.(map[string]any)
		for k, v := range poor {
			if !ok || !includes(r[k], v) {
				return false
			}
		}
		return ok
	case []any:
		r, ok := rich.([]any)
		if !ok || len(r) != len(poor) {
			return false
		}
		for i := range poor {
			if !includes(r[i], poor[i]) {
				return false
			}
		}
		return true
	case string:
		r, ok := rich.(string)
		return ok && (guid.KeyIfGUID(r) == guid.KeyIfGUID(poor))
	default:
		return rich == poor
	}
}

// member is a member of a JSON object.
type member struct {
	value  jsontext.Value
	offset int // within the object
}

// members returns the members of a valid JSON object by lower-case name, nil for any
// other value.
func members(object jsontext.Value) map[string]member {
	if object.Kind() != jsontext.KindBeginObject {
		return nil
	}
	m := map[string]member{}
	dec := jsontext.NewDecoder(bytes.NewBuffer(object), jsontext.AllowInvalidUTF8(true))
	_, err := dec.ReadToken()
	for err == nil && dec.PeekKind() != jsontext.KindEndObject {
		var name jsontext.Token
		if name, err = dec.ReadToken(); err != nil {
			break
		}
		key := ascii.ToLower(name.String())
		var value jsontext.Value
		value, err = dec.ReadValue()
		start := int(dec.InputOffset()) - len(value)
		m[key] = member{object[start : start+len(value)], start}
	}
	return m
}

func objectType(m map[string]member) string {
	return jsonText(members(m["attributes"].value)["objecttype"])
}

// customerIn returns the customer in a resource's own link, if any.
func customerIn(m map[string]member) string {
	self := members(members(m["links"].value)["self"].value)
	return customerOf(jsonText(self["uri"]))
}

// customerOf returns the customer in an address, if any.
func customerOf(uri string) string {
	if _, after, ok := strings.Cut(ascii.ToLower(uri), "/customers/"); ok {
		if id, _, _ := strings.Cut(uri[len(uri)-len(after):], "/"); guid.Is(id) {
			return id
		}
	}
	return ""
}

// jsonText returns the text of a JSON string, and any other value unchanged.
func jsonText(m member) string {
	if m.value.Kind() != jsontext.KindString {
		return string(m.value)
	}
	unquoted, _ := jsontext.AppendUnquote(nil, m.value)
	return string(unquoted)
}

// Seed returns what was read as a partner's customers with all that belongs to them, in the
// order it was read. A customer that only its orders name becomes a placeholder; the second
// result lists those ids. It fails with an *[ImportError] for what belongs to a subscription
// of which no order was read.
func (im *Import) Seed(partner Tenant) (*Seed, []string, error) {
	var placeholders []string
	customers := make([]Customer, 0, len(im.Customers))
	index := make(map[string]int, len(im.Customers))
	for _, c := range im.Customers {
		index[guid.Key(c.ID)] = len(customers)
		customers = append(customers, Customer{Customer: c})
	}
	of := func(id string) *Customer {
		key := guid.Key(id)
		at, ok := index[key]
		if !ok {
			at = len(customers)
			index[key] = at
			customers = append(customers, placeholder(id))
			placeholders = append(placeholders, id)
		}
		return &customers[at]
	}
	for _, o := range im.Orders {
		c := of(o.ReferenceCustomerID)
		c.Orders = append(c.Orders, o)
	}
	for _, cart := range im.Carts {
		c := of(cart.CustomerID)
		fillCart(&cart.Item, c.Customer.ID)
		c.Carts = append(c.Carts, cart.Item)
	}
	if err := im.describe(of); err != nil {
		return nil, nil, err
	}
	return &Seed{Partners: []Partner{{Tenant: partner, Customers: customers}}}, placeholders, nil
}

// placeholder returns a customer of which only the id is known.
func placeholder(id string) Customer {
	c := partnercenter.Customer{
		ID:             id,
		CompanyProfile: &partnercenter.CustomerCompanyProfile{CompanyName: "Customer " + id},
	}
	fillCustomer(yamlfile.Position{}, &c)
	c.CommerceID = "" // the API has it, and made-up data would contradict it
	return Customer{Customer: c, Placeholder: true}
}
