package server_test

import (
	"flag"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/catalog"
	"github.com/partnercenter-go/partnercenter/internal/lifecycle"
	"github.com/partnercenter-go/partnercenter/partnercentertest"
)

// The defaults for rapid's flags: few long plays rather than many short ones, because
// later commands find more to change.
var playDefaults = map[string]string{"rapid.checks": "2", "rapid.steps": "60"}

// TestLifecycle gives random commands to the real server and to package
// lifecycle side by side, and lets time pass. Both must come to the same
// answers, and nothing that the server shows may break what is always true of
// orders and their subscriptions.
//
// For longer: go test ./internal/server -run TestLifecycle -rapid.checks 2000
func TestLifecycle(t *testing.T) {
	chosen := map[string]bool{}
	flag.Visit(func(f *flag.Flag) { chosen[f.Name] = true })
	for name, value := range playDefaults {
		if f := flag.Lookup(name).Value; !chosen[name] {
			before := f.String()
			if err := f.Set(value); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = f.Set(before) })
		}
	}
	items, err := catalog.Sample()
	if err != nil {
		t.Fatal(err)
	}
	for name, o := range map[string]partnercentertest.Options{
		"instant":    {},
		"sandbox":    {Realistic: true, RequestsPerMinute: 1 << 30, Edition: partnercentertest.EditionLegacy},
		"production": {Production: true, OrderLag: time.Hour, ProvisioningTime: 24 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			o.Seed = strings.NewReader(modelSeed)
			srv := partnercentertest.NewServer(t, o)
			settings := lifecycle.Instant()
			if o.Realistic {
				settings = lifecycle.Realistic()
			}
			if o.Production {
				settings.Sandbox, settings.OrderLag, settings.ProvisioningTime = false, o.OrderLag, o.ProvisioningTime
			}
			tw := &twin{srv: srv, settings: settings, catalog: items, client: &http.Client{}, app: srv.Credential(), user: srv.UserCredential(modelUser)}
			rapid.Check(t, tw.play)
		})
	}
}

// play is one run.
func (tw *twin) play(t *rapid.T) {
	if err := tw.srv.Reset(); err != nil {
		t.Fatal(err)
	}
	clock := tw.srv.Clock()
	clock.Freeze()
	clock.Set(modelStart)
	p := &play{
		twin: tw, T: t, now: modelStart, wrote: modelStart,
		due: map[modelCustomer]bool{}, shown: map[string]bool{}, versions: map[string]*version{}, followed: map[string]bool{}, states: map[string]string{}, ended: map[string]time.Time{},
	}
	action := func(do func()) func(*rapid.T) { return func(*rapid.T) { do() } }
	t.Repeat(map[string]func(*rapid.T){
		"":                   action(p.check),
		"place":              action(p.place),
		"place again":        action(p.place), // there is nothing to change without orders
		"make a cart":        action(p.writeCart),
		"check a cart out":   action(p.checkOut),
		"change the order":   action(p.patchOrder),
		"cancel":             action(p.cancel),
		"attach a file":      action(p.attach),
		"buy an add-on":      action(p.buyAddOn),
		"change one":         action(p.patchSubscription),
		"change another":     action(p.patchSubscription),
		"delete one":         action(p.deleteSubscription),
		"register":           action(p.register),
		"activate":           action(p.activate),
		"transition":         action(p.transition),
		"upgrade":            action(p.upgrade),
		"convert":            action(p.convert),
		"upgrade Azure":      action(p.upgradeAzure),
		"repeat a request":   action(p.repeat),
		"reuse a request id": action(p.reuse),
		"schedule":           action(p.schedule),
		"schedule again":     action(p.schedule),
		"let time pass":      action(p.advance),
		"let years pass":     action(p.skip),
		"go back":            action(p.rewind),
		"go and come back":   action(p.lookAhead),
	})
}

// families are items that are bought together.
var families = map[string][]string{
	"licences":     {"796B6B5F-613C-4E24-A17C-EBA730D49C02", "91FD106F-4B2C-4938-95AC-F54F74E9A239", "195416C1-3447-423A-B37B-EE59A99A19C4", "031C9E47-4802-4248-838E-778FB1D2CC05"},
	"trial":        {"D92B7A35-0C64-4B18-8E21-F3A6507CD914"},
	"usage":        {"MS-AZR-0145P"},
	"services":     {"CFQ7TTC0LH16:0001:CFQ7TTC0K9BD", "CFQ7TTC0LFLX:0001:CFQ7TTC0K8QN", "CFQ7TTC0LH18:0001:CFQ7TTC0K59V"},
	"new trial":    {"CFQ7TTC0LCHC:0005:CFQ7TTC0KJ2M"},
	"plan":         {"DZH318Z0BPS6:0001:DZH318Z0BPQV"},
	"savings plan": {itemSavingsPlan},
	"reservations": {"DZH318Z0BQ36:004G:DZH318Z08C0S", "DZH318Z0BQ5X:0003:DZH318Z0D1QK", "DZH318Z0BQ3P:0038:DZH318Z0D38V"},
	"software":     {"DG7GMGF0DVT9:0006:DG7GMGF0DSP2", "DG7GMGF0F1SL:0001:DG7GMGF0D1SU", "DG7GMGF0F19K:0004:DG7GMGF0D5XP"},
	"needs a file": {"DG7GMGF0D7FT:0001:DG7GMGF0D8J2", "DG7GMGF0D7FV:0003:DG7GMGF0D609", "DG7GMGF0F1SL:0001:DG7GMGF0D1SU"},
	"marketplace":  {"DZH318Z0C0WF:0002:DZH318Z0BP6C", "DZH318Z0C1NT:0001:DZH318Z0BNV4", "DZH318Z0BXWC:0001:DZH318Z0BMJX", "DZH318Z0C0WF:0001:DZH318Z0BP69"},
	"wrong": {
		"", "no-such-offer", "CFQ7TTC0XXXX:0001:CFQ7TTC0XXXX", "CFQ7TTC0LH16:0009:CFQ7TTC0K9BD", "CFQ7TTC0LH16:0001:CFQ7TTC0XXXX",
		"CFQ7TTC0LR8V:0001:CFQ7TTC0KV8P", "CFQ7TTC0LS2K:0001:CFQ7TTC0KK2Z", "A06D7C2E-19B4-4F83-8E5A-64C3F0B1D792", "F81E6B93-2D5C-4A07-B4F9-0C7A35E1D286",
		"796B6B5F-613C-4E24-A17C-EBA730D49C02", "CFQ7TTC0LH16:0001:CFQ7TTC0K9BD",
	},
}

var familyNames = []string{"licences", "services", "software", "marketplace", "needs a file", "usage", "plan", "savings plan", "reservations", "trial", "new trial", "wrong"}

// addOns are bought under the licences or services.
var addOns = []string{
	"2828BE95-46BA-4F91-B2FD-0BEF192ECF60", "0CCA44D6-68E9-4762-94EE-31ECE98783B9", "C94271D8-B431-4A25-A3C5-A57737A1C909",
	"CFQ7TTC0HL73:0001:CFQ7TTC0KA7H", "796B6B5F-613C-4E24-A17C-EBA730D49C02",
}

// choose draws a number below n, each as likely as another: rapid itself likes
// small ones, so that the same few things would happen all the time.
func (p *play) choose(label string, n int) int {
	const spread = 0x9e3779b97f4a7c15
	return int(rapid.Uint64().Draw(p.T, label) * spread >> 32 % uint64(n))
}

func pick[V any](p *play, label string, values ...V) V { return values[p.choose(label, len(values))] }

// rarely is true once in n times.
func (p *play) rarely(label string, n int) bool { return p.choose(label, n) == n-1 }

func (p *play) customer() modelCustomer { return pick(p, "customer", modelCustomers...) }

func (p *play) quantity() *int {
	if p.rarely("odd quantity", 8) {
		return pick(p, "quantity", nil, new(0), new(-1), new(1_000_000_000_000_000_000), new(26), new(301), new(10_001))
	}
	return new(1 + p.choose("quantity", 25))
}

// line is a line of a request for an item.
func (p *play) line(c modelCustomer, family, offer string) partnercenter.OrderLineItem {
	line := partnercenter.OrderLineItem{OfferID: offer, Quantity: p.quantity()}
	if family == "usage" || family == "plan" || family == "savings plan" {
		line.Quantity = new(1)
	}
	if p.rarely("term", 4) {
		line.TermDuration = new(pick(p, "term", p.terms(offer, c)...))
	}
	if p.rarely("name", 4) {
		line.FriendlyName = pick(p, "name", "ours", "theirs")
	}
	if p.rarely("end", 6) || family == "services" && p.rarely("end of a service", 3) {
		line.CustomTermEndDate = p.end(c)
	}
	switch family {
	case "reservations":
		line.ProvisioningContext = map[string]string{"scope": "shared"}
		if id := p.azure(c); id != "" {
			line.ProvisioningContext["subscriptionId"] = id
		}
	case "savings plan":
		p.commit(c, &line)
	}
	return line
}

// commit gives a line of a savings plan its commitment, and what that is for.
func (p *play) commit(c modelCustomer, line *partnercenter.OrderLineItem) {
	currency, _ := p.catalog.Currency(c.country)
	line.PurchaseCommitment = &partnercenter.PurchaseCommitment{Amount: pick[partnercenter.Decimal](p, "amount", "0.05", "1.5", "12"), Currency: currency, Grain: "hourly"}
	if p.rarely("a wrong commitment", 8) {
		line.PurchaseCommitment = pick(p, "commitment", nil, &partnercenter.PurchaseCommitment{Amount: "1e-05", Currency: currency, Grain: "hourly"}, &partnercenter.PurchaseCommitment{Amount: "1", Currency: "XAU"})
	}
	line.ProvisioningContext = map[string]string{"scope": pick(p, "scope", "shared", "Single")}
	if p.rarely("a wrong scope", 8) {
		line.ProvisioningContext["scope"] = pick(p, "scope", "", "ManagementGroup")
	}
	line.ProvisioningContext["subscriptionId"], line.ProvisioningContext["entitlementId"] = p.azure(c), p.azure(c)
	for _, s := range p.there(c) {
		if s.Facts.Kind == catalog.AzurePlan && !p.rarely("another subscription", 4) {
			line.ProvisioningContext["subscriptionId"], line.ProvisioningContext["entitlementId"] = s.Document.ID, s.Document.EntitlementID
		}
	}
}

// end is the end of a month or of a subscription, or any day.
func (p *play) end(c modelCustomer) partnercenter.Time {
	now := p.now.UTC()
	day := time.Date(now.Year(), now.Month()+1+time.Month(p.choose("months", 15)), 0, 0, 0, 0, 0, time.UTC)
	if p.rarely("any day", 5) {
		day = day.AddDate(0, 0, -p.choose("days", 40))
	}
	if there := p.there(c); len(there) > 0 && p.rarely("end of a subscription", 3) {
		day = pick(p, "subscription", there...).At(p.settings, p.now).CommitmentEndDate.Time()
	}
	at, err := partnercenter.ParseTime(day.Format(time.DateOnly) + pick(p, "time", "T00:00:00", "T23:59:59Z"))
	if err != nil {
		p.Fatal(err)
	}
	return at
}

// terms are those of an item, and rarely one that it may not have.
func (p *play) terms(offer string, c modelCustomer) []string {
	if item, err := p.catalog.Find(offer, c.country); err == nil && len(item.Terms) > 0 && !p.rarely("any term", 5) {
		return item.Terms
	}
	return []string{"P1Y", "p3y", "", "P9Y"}
}

// azure is the id of a subscription that a reservation is for.
func (p *play) azure(c modelCustomer) string {
	if p.rarely("any subscription", 5) {
		return p.anySubscription(c)
	}
	ids := []string{""}
	for _, s := range p.there(c) {
		if id := s.Document.EntitlementID; id != "" {
			ids = append(ids, s.Document.ID, id, strings.ToUpper(id))
		}
	}
	return pick(p, "Azure subscription", ids...)
}

// anySubscription is the id of one, or of none.
func (p *play) anySubscription(c modelCustomer) string {
	ids := []string{"", "1b0a2c3d-0000-4000-8000-000000000000"}
	for _, s := range p.there(c) {
		ids = append(ids, s.Document.ID)
	}
	return pick(p, "subscription", ids...)
}

// there are a customer's subscriptions that are there.
func (p *play) there(c modelCustomer) []*lifecycle.Subscription {
	var list []*lifecycle.Subscription
	for _, o := range p.orders {
		for _, s := range o.Subscriptions {
			if o.customer == c && !p.now.Before(s.Facts.Since) {
				list = append(list, s)
			}
		}
	}
	return list
}

// hasAzure reports whether a customer has what a reservation may be for.
func (p *play) hasAzure(c modelCustomer) bool {
	return slices.ContainsFunc(p.there(c), func(s *lifecycle.Subscription) bool { return s.Document.EntitlementID != "" })
}

func (p *play) place() {
	c := p.customer()
	family := pick(p, "family", familyNames...)
	if !p.hasAzure(c) && !p.rarely("all the same", 4) {
		switch family {
		case "reservations":
			family = "usage"
		case "savings plan":
			family = "plan"
		}
	}
	request := partnercenter.Order{}
	n := 1 + p.choose("lines", 3)
	for range n {
		of := family
		if p.rarely("mixed", 12) {
			of = pick(p, "another family", familyNames...)
		}
		request.LineItems = append(request.LineItems, p.line(c, of, pick(p, "offer", families[of]...)))
	}
	switch pick(p, "numbers", "in order", "none", "backwards", "wrong") {
	case "in order":
		for i := range n {
			request.LineItems[i].LineItemNumber = new(i)
		}
	case "backwards":
		for i := range n {
			request.LineItems[i].LineItemNumber = new(n - 1 - i)
		}
	case "wrong":
		if p.rarely("really", 4) {
			request.LineItems[n-1].LineItemNumber = new(pick(p, "number", 1, 0, -1, n))
		}
	}
	if p.rarely("cycle", 3) {
		request.BillingCycle = pick(p, "billing cycle", partnercenter.BillingCycleTypeMonthly, partnercenter.BillingCycleTypeAnnual, partnercenter.BillingCycleTypeOneTime, "Unknown", "weekly")
	}
	user := false
	if p.rarely("partner on record", 5) {
		user = !p.rarely("app only", 3)
		request.ReferenceCustomerID = pick(p, "reference", strings.ToUpper(c.id), c.id, "", "elsewhere")
		request.LineItems[0].PartnerIDOnRecord = pick(p, "MPN id", "5081207", "5081207", " 5081207", "5080911", "6000001", "77")
	}
	if p.rarely("addon", 12) {
		request.LineItems[0].OfferID = pick(p, "add-on", addOns...)
		request.LineItems[0].ParentSubscriptionID = p.anySubscription(c)
	}
	p.do(write{
		method: http.MethodPost, path: "/customers/" + c.id + "/orders", body: &request, user: user, customer: c, status: http.StatusCreated,
		decide: func(now time.Time, entropy lifecycle.Entropy) (*lifecycle.Order, []lifecycle.Event, error) {
			var sent partnercenter.Order
			p.decode(p.encode(&request), &sent)
			return lifecycle.PlaceOrder(p.account(c), lifecycle.Placement{Request: &sent, HasUser: user, Entropy: entropy}, p.settings, now)
		},
		answer: func(o *lifecycle.Order) any { return asPlaced(o) },
	})
}

// order draws an order, and returns it as the server shows it as well.
func (p *play) order() (*modelOrder, *partnercenter.Order) {
	if len(p.orders) == 0 {
		p.Skip("there is no order")
	}
	o := pick(p, "order", p.orders...)
	p.learn(o)
	shown := new(partnercenter.Order)
	p.get("/customers/"+o.customer.id+"/orders/"+o.Document.ID, shown)
	return o, shown
}

// etags draws the etags of a change, and puts them into a copy of the attributes.
func (p *play) etags(a **partnercenter.ResourceAttributes) (ifMatch string) {
	current := ""
	if *a != nil && (*a).Etag != nil {
		current = *(*a).Etag
	}
	stale := "eyJpZCI6IngiLCJ2ZXJzaW9uIjo5OX0="
	set := func(tag *string) {
		c := partnercenter.ResourceAttributes{}
		if *a != nil {
			c = **a
		}
		c.Etag = tag
		*a = &c
	}
	switch pick(p, "etag", "as it is", "none", "in the header", "stale", "stale in the header", "stale in the body only", "any") {
	case "none":
		set(nil)
	case "in the header":
		set(nil)
		return `"` + current + `"`
	case "stale":
		if p.rarely("really", 3) {
			set(&stale)
		}
	case "stale in the header":
		if p.rarely("really", 3) {
			return stale
		}
	case "stale in the body only":
		set(&stale)
		return current
	case "any":
		set(&stale)
		return "*"
	}
	return ""
}

// patch sends a change of an order.
func (p *play) patch(o *modelOrder, request *partnercenter.Order) {
	ifMatch := p.etags(&request.Attributes)
	p.do(write{
		method: http.MethodPatch, path: "/customers/" + o.customer.id + "/orders/" + o.Document.ID, body: request, ifMatch: ifMatch,
		before: o, customer: o.customer, status: http.StatusOK,
		decide: func(now time.Time, entropy lifecycle.Entropy) (*lifecycle.Order, []lifecycle.Event, error) {
			var sent partnercenter.Order
			p.decode(p.encode(request), &sent)
			return lifecycle.PatchOrder(p.account(o.customer), o.Order, lifecycle.Patch{Request: &sent, IfMatch: ifMatch, Entropy: entropy}, p.settings, now)
		},
		answer: func(next *lifecycle.Order) any { return plain(next.At(p.now)) },
	})
}

// patchOrder sends an order back, with another billing cycle or as it is.
func (p *play) patchOrder() {
	o, request := p.order()
	switch pick(p, "change", "cycle", "cycle", "nothing", "id", "customer", "lines", "status") {
	case "cycle":
		request.BillingCycle = pick(p, "billing cycle", partnercenter.BillingCycleTypeAnnual, "Monthly", partnercenter.BillingCycleTypeOneTime, "weekly", "")
	case "id":
		request.ID = pick(p, "id", "", "another")
	case "customer":
		request.ReferenceCustomerID = pick(p, "customer", "", strings.ToUpper(o.customer.id), "elsewhere")
	case "lines":
		request.LineItems = append(request.LineItems, partnercenter.OrderLineItem{
			OfferID: pick(p, "offer", "", "796B6B5F-613C-4E24-A17C-EBA730D49C02"), SubscriptionID: pick(p, "subscription", "", "1b0a2c3d-0000-4000-8000-000000000000"),
		})
	case "status":
		request.Status = pick[partnercenter.OrderStatus](p, "status", "", "pending", "unknown", "pending_po_upload", "broken")
	}
	p.patch(o, request)
}

// cancel cancels an order or some of its lines.
func (p *play) cancel() {
	o, shown := p.order()
	request := &partnercenter.Order{ID: shown.ID, ReferenceCustomerID: shown.ReferenceCustomerID, Attributes: shown.Attributes}
	if p.rarely("whole", 3) {
		request = shown
	}
	request.Status = pick(p, "status", partnercenter.OrderStatusCancelled, "Cancelled")
	some := []partnercenter.OrderLineItem{}
	for i := range shown.LineItems {
		if pick(p, "line", false, true) {
			line := shown.LineItems[i]
			some = append(some, partnercenter.OrderLineItem{LineItemNumber: line.LineItemNumber, OfferID: line.OfferID, SubscriptionID: line.SubscriptionID, Quantity: new(0)})
		}
	}
	request.LineItems = some
	p.patch(o, request)
}

// buyAddOn appends a line to an order.
func (p *play) buyAddOn() {
	o, request := p.order()
	if p.rarely("alone", 2) {
		request = &partnercenter.Order{}
	}
	type choice struct{ addOn, parent string }
	var fitting, any []choice
	for i := range o.Document.LineItems {
		id := o.At(p.now).LineItems[i].SubscriptionID
		for _, addOn := range addOns {
			any = append(any, choice{addOn, id}, choice{addOn, ""})
			item, err := p.catalog.Find(addOn, o.customer.country)
			base, _, _ := strings.Cut(o.Document.LineItems[i].OfferID, ":CFQ7TTC0K")
			if err == nil && id != "" && slices.Contains(item.Prerequisites, base) {
				fitting = append(fitting, choice{addOn, id}, choice{addOn, strings.ToUpper(id)})
			}
		}
	}
	for range 1 + p.choose("add-ons", 2) {
		one := pick(p, "any add-on", any...)
		if len(fitting) > 0 && !p.rarely("any add-on", 5) {
			one = pick(p, "add-on", fitting...)
		}
		line := p.line(o.customer, "", one.addOn)
		line.LineItemNumber, line.ParentSubscriptionID = new(len(request.LineItems)), one.parent
		request.LineItems = append(request.LineItems, line)
	}
	p.patch(o, request)
}

// attach uploads a purchase order, mostly to an order that can have one.
func (p *play) attach() {
	if len(p.orders) == 0 {
		p.Skip("there is no order")
	}
	orders := slices.DeleteFunc(slices.Clone(p.orders), func(o *modelOrder) bool { return !strings.Contains(string(o.Document.Status), "po_upload") })
	if len(orders) == 0 || p.rarely("any order", 5) {
		orders = p.orders
	}
	o := pick(p, "order", orders...)
	metadata := partnercenter.AttachmentMetadata{CustomerPrice: "156.87", Currency: pick(p, "currency", "USD", "EUR", "Dollars")}
	const boundary = "\r\n--boundary"
	body := "--boundary\r\nContent-Disposition: form-data; name=\"metadata\"\r\n\r\n" + string(p.encode(&metadata)) +
		boundary + "\r\nContent-Disposition: form-data; name=\"POFiles\"; filename=\"order.pdf\"\r\n\r\n%PDF" + boundary + "--\r\n"
	p.do(write{
		method: http.MethodPost, path: "/customers/" + o.customer.id + "/orders/" + o.Document.ID + "/attachment",
		body: []byte(body), contentType: "multipart/form-data; boundary=boundary", before: o, customer: o.customer, status: http.StatusCreated,
		decide: func(now time.Time, _ lifecycle.Entropy) (*lifecycle.Order, []lifecycle.Event, error) {
			return lifecycle.AttachPurchaseOrder(o.Order, lifecycle.Attachment{Metadata: &metadata, PurchaseOrders: 1}, p.settings, now)
		},
	})
}

// subscription draws a subscription that is there, mostly one of the kinds, and
// returns it as the server shows it as well.
func (p *play) subscription(kinds ...catalog.Kind) (*modelOrder, *lifecycle.Subscription, *partnercenter.Subscription) {
	type owned struct {
		*modelOrder
		at int
	}
	var all []owned
	for _, o := range p.orders {
		for i := range o.Subscriptions {
			if !p.now.Before(o.Subscriptions[i].Facts.Since) {
				all = append(all, owned{o, i})
			}
		}
	}
	if len(all) == 0 {
		p.Skip("there is no subscription")
	}
	fitting := slices.DeleteFunc(slices.Clone(all), func(o owned) bool { return !slices.Contains(kinds, o.Subscriptions[o.at].Facts.Kind) })
	if len(fitting) > 0 && !p.rarely("any subscription", 5) {
		all = fitting
	}
	one := pick(p, "subscription", all...)
	p.learn(one.modelOrder)
	s := one.Subscriptions[one.at]
	shown := new(partnercenter.Subscription)
	p.get("/customers/"+one.customer.id+"/subscriptions/"+s.Document.ID, shown)
	return one.modelOrder, s, shown
}

// update sends a change of a subscription.
func (p *play) update(o *modelOrder, id string, request *partnercenter.Subscription) {
	ifMatch := p.etags(&request.Attributes)
	p.do(write{
		method: http.MethodPatch, path: "/customers/" + o.customer.id + "/subscriptions/" + id, body: request, ifMatch: ifMatch,
		before: o, customer: o.customer, status: http.StatusOK,
		decide: func(now time.Time, _ lifecycle.Entropy) (*lifecycle.Order, []lifecycle.Event, error) {
			var sent partnercenter.Subscription
			p.decode(p.encode(request), &sent)
			return lifecycle.UpdateSubscription(p.account(o.customer), o.Order, id, lifecycle.Update{Request: &sent, IfMatch: ifMatch}, p.settings, now)
		},
		answer: func(next *lifecycle.Order) any { return next.Subscription(id).At(p.settings, p.now) },
	})
}

func (p *play) patchSubscription() {
	o, s, request := p.subscription()
	if p.rarely("alone", 3) {
		request = &partnercenter.Subscription{}
	}
	switch pick(p, "change", "quantity", "quantity", "suspend", "reactivate", "name", "renewal", "nothing", "cycle", "partner", "id", "term") {
	case "term":
		request.TermDuration = pick(p, "term", "P1M", "p1y", "P3Y", "P9Y")
		if p.rarely("cycle, too", 3) {
			request.BillingCycle = pick(p, "billing cycle", partnercenter.BillingCycleTypeMonthly, "Annual", partnercenter.BillingCycleTypeOneTime)
		}
	case "quantity":
		request.Quantity = p.quantity()
	case "suspend":
		request.Status = "Suspended"
	case "reactivate":
		request.Status = partnercenter.SubscriptionStatusActive
	case "name":
		request.FriendlyName = pick(p, "name", "", "mine", "yours", strings.Repeat("x", 501))
	case "renewal":
		request.AutoRenewEnabled = pick(p, "renewal", nil, new(true), new(false))
	case "cycle":
		request.BillingCycle = pick(p, "billing cycle", "none", partnercenter.BillingCycleTypeAnnual, partnercenter.BillingCycleTypeMonthly)
	case "partner":
		request.PartnerID = new(pick(p, "partner", "", "5081207"))
	case "id":
		request.ID = pick(p, "id", "", strings.ToUpper(s.Document.ID), "another")
	}
	if p.rarely("two changes", 5) {
		request.Quantity, request.FriendlyName = p.quantity(), "both"
	}
	p.update(o, s.Document.ID, request)
}

func (p *play) deleteSubscription() {
	o, s, request := p.subscription(catalog.OnlineService, catalog.Marketplace, catalog.SoftwareSubscription, catalog.AzurePlan)
	request.Status = partnercenter.SubscriptionStatusDeleted
	p.update(o, s.Document.ID, request)
}

func (p *play) register() {
	o, s, _ := p.subscription(catalog.Usage, catalog.AzurePlan)
	id := s.Document.ID
	p.do(write{
		method: http.MethodPost, path: "/customers/" + o.customer.id + "/subscriptions/" + id + "/registrations", before: o, customer: o.customer, status: http.StatusAccepted,
		decide: func(now time.Time, _ lifecycle.Entropy) (*lifecycle.Order, []lifecycle.Event, error) {
			return lifecycle.Register(o.Order, id, p.settings, now)
		},
	})
	if x := o.Subscription(id); x != nil && !x.Facts.Registered.IsZero() {
		var status partnercenter.SubscriptionRegistrationStatus
		p.same("the registration", p.get("/customers/"+o.customer.id+"/subscriptions/"+id+"/registrationstatus", &status), p.encode(x.RegistrationStatus(p.now)))
	}
}

func (p *play) activate() {
	o, s, _ := p.subscription(catalog.Marketplace)
	id := s.Document.ID
	p.do(write{
		method: http.MethodPost, path: "/customers/" + o.customer.id + "/subscriptions/" + id + "/activate", before: o, customer: o.customer, status: http.StatusOK,
		decide: func(time.Time, lifecycle.Entropy) (*lifecycle.Order, []lifecycle.Event, error) {
			return lifecycle.Activate(o.Order, id, p.settings)
		},
		answer: func(*lifecycle.Order) any {
			return partnercenter.SubscriptionActivationResult{SubscriptionID: id, Status: "Success"}
		},
	})
}

// before draws a request that was answered recently enough for the server to remember
// it.
func (p *play) before() *answered {
	first := slices.IndexFunc(p.answered, func(a answered) bool { return p.now.Sub(a.at) < 30*24*time.Hour })
	if first < 0 {
		p.Skip("there were no answers lately")
	}
	return &p.answered[first+p.choose("request", len(p.answered)-first)]
}

// repeat sends a request again. It must get the first answer; check verifies that it
// has no effect.
func (p *play) repeat() {
	a := p.before()
	p.due[a.customer] = true
	status, answer := p.call(a.method, a.path, a.body, a.user, map[string]string{"MS-RequestId": a.requestID, "If-Match": "stale", "Content-Type": a.contentType})
	if status != a.status {
		p.Fatalf("%s %s again: %d %s", a.method, a.path, status, answer)
	}
	p.same(a.method+" "+a.path+" again", answer, a.answer)
}

// reuse sends another body with the id of an earlier request.
func (p *play) reuse() {
	a := p.before()
	if a.contentType != "" {
		p.Skip("what stands before an upload does not count")
	}
	p.due[a.customer] = true
	status, answer := p.call(a.method, a.path, append([]byte(" "), a.body...), a.user, map[string]string{"MS-RequestId": a.requestID})
	if status != http.StatusConflict {
		p.Fatalf("%s %s with another body: %d %s", a.method, a.path, status, answer)
	}
}

func (p *play) advance() {
	d := pick(p, "time", time.Second, time.Minute, 5*time.Minute, 15*time.Minute, time.Hour, 24*time.Hour, 7*24*time.Hour, 7*24*time.Hour+time.Second, 61*24*time.Hour)
	p.pass(d)
}

// skip lets terms end.
func (p *play) skip() {
	p.pass(pick(p, "time", 31*24*time.Hour, 92*24*time.Hour, 366*24*time.Hour))
}

func (p *play) pass(d time.Duration) {
	p.srv.Clock().Advance(d)
	p.now = p.now.Add(d)
	for _, c := range modelCustomers {
		p.due[c] = true
	}
}

// rewind sets the clock back to a moment since the last write.
func (p *play) rewind() {
	if !p.now.After(p.wrote) {
		p.Skip("the last thing was a write")
	}
	p.now = p.wrote.Add(p.now.Sub(p.wrote) * time.Duration(p.choose("share", 8)) / 8)
	p.srv.Clock().Set(p.now)
	p.rewound = true
	clear(p.shown)
	clear(p.versions)
	clear(p.states)
	for _, c := range modelCustomers {
		p.due[c] = true
	}
}

// lookAhead looks at what will be. That changes nothing.
func (p *play) lookAhead() {
	before := p.all()
	p.srv.Clock().Advance(pick(p, "time", 24*time.Hour, 31*24*time.Hour, 366*24*time.Hour, 3*366*24*time.Hour))
	p.all()
	p.srv.Clock().Set(p.now)
	for path, answer := range p.all() {
		p.same(path+", and again after a look ahead", answer, before[path])
	}
}

// all returns the lists of all customers.
func (p *play) all() map[string][]byte {
	lists := map[string][]byte{}
	for _, c := range modelCustomers {
		for _, path := range []string{"/orders?include_price=true", "/orders?include_system_purchases=true&include_price=true", "/subscriptions"} {
			path = "/customers/" + c.id + path
			status, answer := p.call(http.MethodGet, path, nil, false, nil)
			if status != http.StatusOK {
				p.Fatalf("GET %s: %d %s", path, status, answer)
			}
			lists[path] = answer
		}
	}
	return lists
}

// schedule sends a subscription back with something that is to happen to it.
func (p *play) schedule() {
	o, s, request := p.subscription(catalog.OnlineService, catalog.SoftwareSubscription)
	request.ScheduledNextTermInstructions, request.NextChargeInstructions, request.ScheduledActions = nil, nil, nil
	instructions := func() *partnercenter.SubscriptionInstructions {
		i := &partnercenter.SubscriptionInstructions{Quantity: p.quantity()}
		if p.rarely("product", 2) {
			i.Product = &partnercenter.InstructedProduct{
				TermDuration: pick(p, "term", "", "P1M", "P1Y", "P3Y", "P9Y"), BillingCycle: pick[partnercenter.BillingCycleType](p, "cycle", "", "Monthly", "Annual"),
			}
			if ids := strings.Split(p.somewhere(o, s), ":"); len(ids) == 3 && p.rarely("another item", 2) {
				i.Product.ProductID, i.Product.SKUID, i.Product.AvailabilityID = ids[0], ids[1], pick(p, "availability", "", ids[2])
			}
		}
		if p.rarely("end", 3) {
			i.CustomTermEndDate = p.end(o.customer)
		}
		return i
	}
	act := func(a partnercenter.ScheduledActionType) partnercenter.ScheduledActions {
		return partnercenter.ScheduledActions{{ScheduleType: partnercenter.ScheduleTypeTermEnd, ActionType: a}}
	}
	request.AutoRenewEnabled = new(pick(p, "renewal", true, true, false))
	if p.rarely("the term, too", 8) {
		request.RenewalTermDuration = new(pick(p, "renewal term", "P1M", "p1y", "P9Y"))
	}
	switch pick(p, "what", "term", "term", "charge", "renew", "end", "end", "extend", "transition", "date", "date", "nothing") {
	case "term":
		request.ScheduledNextTermInstructions = instructions()
	case "charge":
		request.NextChargeInstructions = instructions()
	case "renew":
		request.ScheduledActions = act("RenewToNewTerm")
		request.ScheduledActions[0].Instructions = instructions()
	case "end":
		request.ScheduledActions, request.AutoRenewEnabled = act("cancel"), new(false)
	case "extend":
		request.ScheduledActions, request.AutoRenewEnabled = act("RenewToExtendedServiceTerm"), new(false)
	case "transition":
		request.ScheduledActions = act("transition")
		request.ScheduledActions[0].Instructions = instructions()
	case "date":
		request.ScheduledActions = act(pick[partnercenter.ScheduledActionType](p, "action", "Cancel", "RenewToNewTerm", "Transition"))
		a := &request.ScheduledActions[0]
		a.ScheduleType = "customDate"
		a.EffectiveDate, _ = partnercenter.ParseTime(p.now.AddDate(0, 0, pick(p, "days", 0, 1, 9, 40)).UTC().Format("2006-01-02") + "T00:00:00Z")
		if a.ActionType == "Cancel" {
			request.AutoRenewEnabled = new(false)
		} else if p.rarely("instructed", 2) {
			a.Instructions = instructions()
		}
	}
	p.update(o, s.Document.ID, request)
}
