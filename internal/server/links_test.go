package server_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/partnercentertest"
)

// linkKinds are the links that must each occur at least once: their parent and their
// name.
var linkKinds = []string{
	"Collection.self", "Collection.next",
	"Customer.self", "CustomerCompanyProfile.self", "CustomerBillingProfile.self",
	"Cart.self",
	"Order.self", "Order.provisioningStatus", "Order.patchOperation",
	"lineItems.subscription", "lineItems.sku", "lineItems.product", "lineItems.availability",
	"lineItems.provisioningStatus", "lineItems.activationLinks",
	"Subscription.self", "Subscription.offer", "Subscription.product", "Subscription.sku", "Subscription.availability",
	"Subscription.parentSubscription", "Subscription.activationLinks",
	"activationlinks.link", // to a page of this server
	"Offer.self", "products.self", "products.skus", "skus.self", "skus.availabilities",
	"availabilities.self", "availabilities.skus", "availabilities.availabilities",
}

// leastLinks is the least number of different links.
const leastLinks = 2000

// everyWay is how many links of each kind are followed in every way in which clients
// build them; the others are followed in one.
var everyWay = flag.Int("every-way", 2, "links of each kind to follow in all ways, in TestEveryLinkAnswers")

// crawler follows links, each once.
type crawler struct {
	*testing.T
	srv   *partnercentertest.Server
	cred  azcore.TokenCredential
	seen  map[string]bool // method and address
	kinds map[string]int  // how many links of each kind
	taken map[string]int  // how many of them were followed
	queue []found
}

// found is a link, and where it was.
type found struct {
	partnercenter.Link
	kind, in string
}

// TestEveryLinkAnswers follows every link of every answer that can be reached from the
// customers: in the sample data, and in orders of every kind, at every stage.
func TestEveryLinkAnswers(t *testing.T) {
	kinds, followed := map[string]int{}, 0
	crawl := func(t *testing.T, srv *partnercentertest.Server, user string, more ...string) {
		c := newCrawler(t, srv, user)
		c.crawl(more...)
		for kind, n := range c.kinds {
			kinds[kind] += n
		}
		followed += len(c.seen)
	}
	t.Run("sample data", func(t *testing.T) {
		crawl(t, partnercentertest.NewServer(t), adminAgent)
	})
	t.Run("sample data of the other partner", func(t *testing.T) {
		crawl(t, partnercentertest.NewServer(t, partnercentertest.Options{Seed: strings.NewReader(otherPartner(t))}), "admin.agent@fabrikamcloud.onmicrosoft.com")
	})
	t.Run("placed orders", func(t *testing.T) {
		srv := partnercentertest.NewServer(t, partnercentertest.Options{Seed: strings.NewReader(modelSeed)})
		crawl(t, srv, modelUser, placeEverything(t, srv, func() {}))
	})
	t.Run("placed orders over time", func(t *testing.T) {
		srv := partnercentertest.NewServer(t, partnercentertest.Options{
			Seed: strings.NewReader(modelSeed), OrderLag: 15 * time.Minute, ProvisioningTime: time.Hour,
		})
		cart := placeEverything(t, srv, func() { srv.Clock().Advance(2 * time.Hour) })
		crawl(t, srv, modelUser, cart) // with a new add-on, that is not provisioned yet
		srv.Clock().Advance(2 * time.Hour)
		crawl(t, srv, modelUser)
	})
	for _, kind := range linkKinds {
		if kinds[kind] == 0 {
			t.Errorf("there is no link %s", kind)
		}
	}
	for kind := range kinds {
		if !slices.Contains(linkKinds, kind) {
			t.Errorf("link %s is not among those that are to be met", kind)
		}
	}
	if followed < leastLinks {
		t.Errorf("%d links were followed, there are at least %d", followed, leastLinks)
	}
}

// otherPartner is the sample data without its first partner.
func otherPartner(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile("../seed/sample.yaml")
	if err != nil {
		t.Fatal(err)
	}
	const partner = "\n  - tenantId: "
	parts := strings.Split(string(data), partner)
	if len(parts) != 3 {
		t.Fatalf("the sample data has %d partners, want 2", len(parts)-1)
	}
	return parts[0] + partner + parts[2]
}

// placeEverything places orders of every kind for a customer, and changes and cancels
// some; others it buys with a cart, whose address it returns. Wait gets them provisioned.
func placeEverything(t *testing.T, srv *partnercentertest.Server, wait func()) (cart string) {
	t.Helper()
	c := newCrawler(t, srv, modelUser)
	customer := "/v1/customers/" + modelCustomers[0].id
	place := func(lines ...partnercenter.OrderLineItem) (o partnercenter.Order) {
		t.Helper()
		c.write(http.MethodPost, customer+"/orders", partnercenter.Order{LineItems: lines}, &o)
		return o
	}
	get := func(o partnercenter.Order) (got partnercenter.Order) {
		t.Helper()
		c.write(http.MethodGet, customer+"/orders/"+o.ID, nil, &got)
		return got
	}
	patch := func(o partnercenter.Order) {
		t.Helper()
		c.write(http.MethodPatch, customer+"/orders/"+o.ID, o, nil)
	}
	one := func(offer string) partnercenter.OrderLineItem {
		return partnercenter.OrderLineItem{OfferID: offer, Quantity: new(1)}
	}
	placed := map[string][]partnercenter.Order{}
	for _, family := range familyNames {
		if family == "wrong" || family == "reservations" || family == "savings plan" { // those two are for what is there
			continue
		}
		for _, offer := range families[family] {
			placed[family] = append(placed[family], place(one(offer)))
		}
	}
	base, cancelled := place(one(families["licences"][0])), place(one(families["software"][0]), one(families["software"][1]))
	gone := place(one(families["services"][2]))
	wait()

	azure := get(placed["plan"][0]).LineItems[0].SubscriptionID
	c.write(http.MethodPost, customer+"/subscriptions/"+azure+"/registrations", nil, nil)
	wait()
	saving := one(families["savings plan"][0])
	saving.PurchaseCommitment = &partnercenter.PurchaseCommitment{Amount: "1.5", Currency: placed["plan"][0].CurrencyCode, Grain: "hourly"}
	saving.ProvisioningContext = map[string]string{"scope": "shared", "subscriptionId": azure}
	place(saving)
	for _, offer := range families["reservations"][:2] {
		line := one(offer)
		line.ProvisioningContext = map[string]string{"scope": "shared", "subscriptionId": azure, "duration": "1Year"}
		place(line)
	}
	cancelled = get(cancelled)
	cancelled.Status, cancelled.LineItems = partnercenter.OrderStatusCancelled, nil
	patch(cancelled)
	c.write(http.MethodPatch, customer+"/subscriptions/"+get(gone).LineItems[0].SubscriptionID, partnercenter.Subscription{Status: partnercenter.SubscriptionStatusDeleted}, nil)
	for o, offer := range map[*partnercenter.Order]string{&base: addOns[0], &placed["services"][0]: addOns[3]} {
		o := get(*o)
		addOn := one(offer)
		addOn.ParentSubscriptionID = o.LineItems[0].SubscriptionID
		o.LineItems = append(o.LineItems, addOn)
		patch(o)
	}
	item := func(id string, addOns ...partnercenter.CartLineItem) partnercenter.CartLineItem {
		return partnercenter.CartLineItem{CatalogItemID: id, Quantity: new(1), AddonItems: addOns}
	}
	var made partnercenter.Cart
	c.write(http.MethodPost, customer+"/carts", partnercenter.Cart{LineItems: []partnercenter.CartLineItem{
		item(families["licences"][0], item(addOns[0])), item(addOns[3]), item(families["software"][0]),
	}}, &made)
	cart = customer + "/carts/" + made.ID
	c.write(http.MethodPost, cart+"/checkout", nil, nil)
	return strings.TrimPrefix(cart, "/v1")
}

func newCrawler(t *testing.T, srv *partnercentertest.Server, user string) *crawler {
	t.Helper()
	return &crawler{T: t, srv: srv, cred: srv.UserCredential(user), seen: map[string]bool{}, kinds: map[string]int{}, taken: map[string]int{}}
}

// send sends a request to an address of the server.
func (c *crawler) send(method, address string, header http.Header, body []byte) (status int, answer []byte) {
	c.Helper()
	r, err := http.NewRequestWithContext(c.Context(), method, address, bytes.NewReader(body))
	if err != nil {
		c.Fatal(err)
	}
	for k, v := range header {
		r.Header[k] = v
	}
	token, err := c.cred.GetToken(c.Context(), tokenOptions)
	if err != nil {
		c.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token.Token)
	resp, err := http.DefaultTransport.RoundTrip(r) // which follows no redirects
	if err != nil {
		c.Fatal(err)
	}
	defer resp.Body.Close()
	if answer, err = io.ReadAll(resp.Body); err != nil {
		c.Fatal(err)
	}
	return resp.StatusCode, answer
}

// write sends a request that must succeed.
func (c *crawler) write(method, path string, body, into any) {
	c.Helper()
	var data []byte
	if body != nil {
		var err error
		if data, err = partnercenter.Marshal(body); err != nil {
			c.Fatal(err)
		}
	}
	status, answer := c.send(method, c.srv.URL+path, nil, data)
	if status < 200 || status > 299 {
		c.Fatalf("%s %s %s: %d %s", method, path, data, status, answer)
	}
	if into != nil {
		if err := partnercenter.Unmarshal(answer, into); err != nil {
			c.Fatal(err)
		}
	}
}

// crawl begins with the customers, and with more, and follows what it finds. Orders and
// subscriptions of a customer have no links that lead to them.
func (c *crawler) crawl(more ...string) {
	get := func(uri string) {
		c.queue = append(c.queue, found{Link: partnercenter.Link{URI: uri, Method: http.MethodGet}})
	}
	get("/customers?size=5")
	get("/offers?country=US")
	get("/offercategories?country=US")
	get("/products?country=US&targetView=Azure")
	for _, uri := range more {
		get(uri)
	}
	for len(c.queue) > 0 {
		link := c.queue[0]
		c.queue = c.queue[1:]
		before := len(c.seen)
		c.follow(link)
		path, _, _ := strings.Cut(link.URI, "?")
		switch segments := strings.Split(path, "/"); {
		case len(c.seen) == before:
		case link.kind == "Customer.self":
			get(path + "/orders")
			get(path + "/orders?include_price=true")
			get(path + "/subscriptions")
		case link.kind == "lineItems.subscription" && len(segments) == 5:
			get(path + "/addons")
			get(path + "/registrationstatus")
		}
	}
}

// follow follows a link, the first of its kind in every way in which clients build it,
// and queues the links of the answer.
func (c *crawler) follow(link found) {
	c.Helper()
	if link.kind != "" {
		c.kinds[link.kind]++
	}
	header := http.Header{}
	for _, h := range link.Headers {
		header.Set(h.Key, h.Value)
	}
	name := link.Method + " " + link.URI + " " + header.Get("MS-ContinuationToken")
	if c.seen[name] {
		return
	}
	c.seen[name] = true
	c.taken[link.kind]++
	u, err := url.Parse(link.URI)
	if err != nil {
		c.Fatalf("%s in %s: %v", link.kind, link.in, err)
	}
	if !u.IsAbs() && !strings.HasPrefix(link.URI, "/") || u.IsAbs() && !strings.HasPrefix(link.URI, c.srv.URL+"/") {
		c.Errorf("%s in %s leads to %s", link.kind, link.in, link.URI)
		return
	}
	var body []byte
	switch link.Method {
	case http.MethodGet:
	case http.MethodPatch: // with the resource itself, which asks for nothing
		status, resource := c.send(http.MethodGet, c.srv.URL+"/v1"+link.URI, nil, nil)
		if status != http.StatusOK {
			c.Errorf("GET %s, to be sent back: %d %s", link.URI, status, resource)
			return
		}
		body = resource
	default:
		c.Errorf("%s in %s has the method %q", link.kind, link.in, link.Method)
		return
	}
	addresses := []string{link.URI}
	if !u.IsAbs() {
		path := strings.TrimPrefix(link.URI, "/v1")
		addresses = []string{c.srv.URL + "/v1" + path}
		// The ways differ before a route is found, so that a few links of each kind
		// show what all would.
		if c.taken[link.kind] <= *everyWay {
			addresses = append(addresses, c.srv.URL+path, c.srv.URL+"/v1.0"+path, c.srv.URL+"/v1/"+path)
		}
	}
	var first []byte
	for i, address := range addresses {
		status, answer := c.send(link.Method, address, header, body)
		if status < 200 || status > 299 {
			c.Errorf("%s %s, %s in %s: %d %s", link.Method, address, link.kind, link.in, status, answer)
			return
		}
		if i == 0 {
			first = answer
		} else if !bytes.Equal(answer, first) {
			c.Errorf("%s %s, %s in %s answers\n%s\nnot\n%s", link.Method, address, link.kind, link.in, answer, first)
		}
	}
	if link.Method == http.MethodPatch && !bytes.Equal(first, body) {
		c.Errorf("%s %s with the order itself answers\n%s\nnot\n%s", link.Method, link.URI, first, body)
	}
	if u.IsAbs() {
		return // a page
	}
	var value any
	if err := json.Unmarshal(first, &value); err != nil {
		c.Errorf("%s %s: %v: %s", link.Method, link.URI, err, first)
		return
	}
	c.collect(value, link.URI, "", "")
}

// collect queues the links of an answer: what has an address and a method. The uri of
// an offer is an id, not a link. In is the kind of the parent of a value, name is its
// name there.
func (c *crawler) collect(value any, from, in, name string) {
	switch v := value.(type) {
	case []any:
		for _, item := range v {
			c.collect(item, from, in, name)
		}
	case map[string]any:
		attributes, _ := v["attributes"].(map[string]any)
		switch {
		case attributes["objectType"] != nil:
			in, _ = attributes["objectType"].(string)
		case name == "lineItems":
			in = name
		case name == "" || name == "items":
			in = resourceAt(from)
		}
		method, isLink := v["method"].(string)
		if uri, ok := v["uri"].(string); ok && isLink {
			link := found{kind: in + "." + name, in: from}
			link.URI, link.Method = uri, method
			headers, _ := v["headers"].([]any)
			for _, h := range headers {
				pair, _ := h.(map[string]any)
				key, _ := pair["key"].(string)
				text, _ := pair["value"].(string)
				link.Headers = append(link.Headers, partnercenter.LinkHeader{Key: key, Value: text})
			}
			c.queue = append(c.queue, link)
		}
		for key, member := range v {
			c.collect(member, from, in, key)
		}
	}
}

// resourceAt names what has no type of its own by its path: products, skus.
func resourceAt(uri string) string {
	path, _, _ := strings.Cut(uri, "?")
	segments := strings.Split(path, "/")
	if len(segments)%2 == 0 || len(segments) < 3 {
		return segments[len(segments)-1]
	}
	return segments[len(segments)-2]
}
