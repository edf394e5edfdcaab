package lifecycle

import (
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/catalog"
)

const (
	customerID = "9d60c2b7-e814-4f35-a0d9-6b31f7c85e42"

	licence      = "796B6B5F-613C-4E24-A17C-EBA730D49C02"
	licenceAddOn = "2828BE95-46BA-4F91-B2FD-0BEF192ECF60"
	usage        = "MS-AZR-0145P"
	service      = "CFQ7TTC0LH16:0001:CFQ7TTC0K9BD"
	serviceAddOn = "CFQ7TTC0HL73:0001:CFQ7TTC0KA7H"
	trial        = "CFQ7TTC0LCHC:0005:CFQ7TTC0KJ2M"
	plan         = "DZH318Z0BPS6:0001:DZH318Z0BPQV"
	reservation  = "DZH318Z0BQ36:004J:DZH318Z08B8X"
	perpetual    = "DG7GMGF0DVT9:0006:DG7GMGF0DSP2"
	software     = "DG7GMGF0F1SL:0001:DG7GMGF0D1SU"
	withFile     = "DG7GMGF0D7FT:0001:DG7GMGF0D8J2"
	marketplace  = "DZH318Z0C0WF:0002:DZH318Z0BP6C"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 123456700, time.UTC)

func account(t testing.TB) *Account {
	t.Helper()
	items, err := catalog.Sample()
	if err != nil {
		t.Fatal(err)
	}
	return &Account{
		PartnerID: "0f2a9c14-5b7e-4d38-9a61-c3e8d70b4f25", MPNID: "5080911", CustomerID: customerID, Country: "US", AgreementAccepted: true,
		Catalog: items, MPN: map[string]bool{"5081207": true, "6000001": false}, Subscriptions: map[string]*Subscription{},
	}
}

func line(offer string, quantity int) partnercenter.OrderLineItem {
	return partnercenter.OrderLineItem{OfferID: offer, Quantity: &quantity}
}

func request(lines ...partnercenter.OrderLineItem) *partnercenter.Order {
	return &partnercenter.Order{LineItems: lines}
}

// place places an order that the rules allow.
func place(t testing.TB, a *Account, s Settings, lines ...partnercenter.OrderLineItem) *Order {
	t.Helper()
	o, _, err := PlaceOrder(a, Placement{Request: request(lines...), Entropy: Entropy{1}}, s, noon)
	if err != nil {
		t.Fatal(err)
	}
	o.Changed = nil
	return o
}

// refused compares an error with a code; an empty code means none.
func refused(t *testing.T, err error, code partnercenter.ErrorCode) {
	t.Helper()
	var r *Refusal
	switch errors.As(err, &r); {
	case err == nil && code != "":
		t.Errorf("it is allowed, want code %s", code)
	case err != nil && r == nil:
		t.Errorf("%v is no refusal", err)
	case err != nil && r.Code != code:
		t.Errorf("code %s (%v), want %q", r.Code, err, code)
	case err != nil && (r.Status < 400 || r.Next == "" || r.Problem == "" || strings.HasSuffix(r.Next, ".") || strings.HasSuffix(r.Problem, ".")):
		t.Errorf("%+v should have a status and two sentences without full stops", r)
	case err != nil && strings.Contains(r.Next, "()"):
		t.Errorf("%q lists nothing", r.Next)
	}
}

func TestPlaceOrder(t *testing.T) {
	const guid = `^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`
	const hex12, long = `^[0-9a-f]{12}$`, `^[A-Za-z0-9_-]{32}1$`
	const pacificDate, utcDate = `^2026-03-01T04:00:00\.123-08:00$`, `^2026-03-01T12:00:00\.1234567Z$`
	a := account(t)
	azure := place(t, a, Settings{}, line(plan, 1)).Subscriptions[0]
	azure.Facts.Registered = noon
	a.Subscriptions[Key(azure.Document.ID)] = azure
	forAzure := line(reservation, 2)
	forAzure.ProvisioningContext = map[string]string{"Scope": "shared", "subscriptionid": azure.Document.ID}
	for name, test := range map[string]struct {
		line                   partnercenter.OrderLineItem
		id, alternate, created string
		placed, later          partnercenter.OrderStatus
		cycle                  partnercenter.BillingCycleType
		etag, subscription     bool
		term, end              string
		total                  partnercenter.Decimal
	}{
		"licence":      {line(licence, 3), guid, guid, pacificDate, "completed", "completed", "monthly", true, true, "-", "2027-02-28T00:00:00Z", "60.00"},
		"usage":        {line(usage, 1), guid, guid, pacificDate, "completed", "completed", "monthly", true, true, "-", "9999-12-31T00:00:00Z", ""},
		"service":      {line(service, 3), hex12, hex12, utcDate, "pending", "completed", "monthly", false, true, "P1M", "2026-03-31T00:00:00Z", "12.00"},
		"trial":        {line(trial, 25), hex12, hex12, utcDate, "pending", "completed", "none", false, true, "P1M", "2026-03-31T00:00:00Z", "0.00"},
		"plan":         {line(plan, 1), long, hex12, utcDate, "pending", "completed", "one_time", false, true, "", "9999-12-31T00:00:00Z", ""},
		"reservation":  {forAzure, long, hex12, utcDate, "pending", "completed", "one_time", false, false, "P3Y", "", "49212.70"},
		"perpetual":    {line(perpetual, 1), long, hex12, utcDate, "pending", "completed", "one_time", false, false, "", "", "972.00"},
		"software":     {line(software, 2), long, hex12, utcDate, "pending", "completed", "one_time", false, true, "P1Y", "2027-02-28T00:00:00Z", "700.00"},
		"needs a file": {line(withFile, 1), long, hex12, utcDate, "pending_po_upload", "pending_po_upload", "one_time", false, false, "", "", "6155.00"},
		"marketplace":  {line(marketplace, 1), long, hex12, utcDate, "pending", "completed", "monthly", false, true, "P1M", "2026-03-31T00:00:00Z", "19.00"},
	} {
		t.Run(name, func(t *testing.T) {
			settings := Settings{OrderLag: time.Minute, ProvisioningTime: time.Hour}
			o, events, err := PlaceOrder(a, Placement{Request: request(test.line), Entropy: Entropy{7}}, settings, noon)
			if err != nil {
				t.Fatal(err)
			}
			if len(events) != 1 || events[0].Kind != "order placed" {
				t.Errorf("events %v", events)
			}
			d, placed, after := &o.Document, o.AsPlaced(), o.At(noon.Add(time.Hour))
			for what, pair := range map[string][2]string{
				"id": {d.ID, test.id}, "alternateId": {d.AlternateID, test.alternate}, "creationDate": {d.CreationDate.String(), test.created},
			} {
				if !regexp.MustCompile(pair[1]).MatchString(pair[0]) {
					t.Errorf("%s is %q, want %s", what, pair[0], pair[1])
				}
			}
			if placed.Status != test.placed || o.At(noon.Add(time.Hour-1)).Status != test.placed || after.Status != test.later {
				t.Errorf("status %s, then %s, want %s and %s", placed.Status, after.Status, test.placed, test.later)
			}
			if d.BillingCycle != test.cycle || d.TotalPrice != test.total {
				t.Errorf("cycle %s, total %s", d.BillingCycle, d.TotalPrice)
			}
			if etag := d.Attributes.Etag; (etag != nil) != test.etag || etag != nil && version(*etag) != 1 {
				t.Errorf("etag %v", etag)
			}
			legacy := test.etag
			if (d.Links.ProvisioningStatus == nil) != legacy || d.Links.Self == nil || d.Links.PatchOperation.Method != "PATCH" {
				t.Errorf("links %+v", d.Links)
			}
			item := d.LineItems[0]
			if term := item.TermDuration; (term == nil) != (test.term == "-") || term != nil && *term != test.term {
				t.Errorf("term %v", term)
			}
			if *item.LineItemNumber != 0 || item.FriendlyName == "" || item.TransactionType != "New" || item.Links.SKU == nil || (item.Links.Product == nil) != legacy {
				t.Errorf("line %+v", item)
			}
			if (len(o.Subscriptions) == 1) != test.subscription || (item.SubscriptionID != "") != test.subscription || len(o.Changed) != len(o.Subscriptions) {
				t.Fatalf("%d subscriptions, %d changed, id %q", len(o.Subscriptions), len(o.Changed), item.SubscriptionID)
			}
			if hidden := placed.LineItems[0]; test.subscription && !legacy && (hidden.SubscriptionID != "" || hidden.Links.Subscription != nil) {
				t.Errorf("the subscription shows before it is there: %+v", hidden)
			}
			if !test.subscription {
				return
			}
			s := &o.Subscriptions[0].Document
			if s.ID != item.SubscriptionID || s.OrderID != d.ID || s.Status != "active" || *s.Quantity != *test.line.Quantity || s.CommitmentEndDate.String() != test.end {
				t.Errorf("subscription %+v", s)
			}
			if again := place(t, a, settings, test.line); !legacy && o.Facts.Visible != noon.Add(time.Minute) || again.Document.ID == d.ID {
				t.Errorf("visible at %v; another seed gives %s again", o.Facts.Visible, d.ID)
			}
			if same, _, _ := PlaceOrder(a, Placement{Request: request(test.line), Entropy: Entropy{7}}, settings, noon); same.Document.ID != d.ID {
				t.Error("the same seed gives another id")
			}
		})
	}
}

func TestPlaceOrderRefuses(t *testing.T) {
	a := account(t)
	edit := func(offer string, change func(*partnercenter.OrderLineItem)) *partnercenter.Order {
		l := line(offer, 1)
		change(&l)
		return request(l)
	}
	numbered := func(numbers ...int) *partnercenter.Order {
		r := request()
		for _, n := range numbers {
			l := line(licence, 1)
			l.LineItemNumber = &n
			r.LineItems = append(r.LineItems, l)
		}
		return r
	}
	many := request(make([]partnercenter.OrderLineItem, MaxLines+1)...)
	for name, test := range map[string]struct {
		request *partnercenter.Order
		code    partnercenter.ErrorCode
	}{
		"no lines":            {request(), partnercenter.ErrorCodeInvalidProperty},
		"too many lines":      {many, partnercenter.ErrorCodeInvalidInput},
		"a gap":               {numbered(0, 2), partnercenter.ErrorCodeLineNumbers},
		"from one":            {numbered(1, 2), partnercenter.ErrorCodeLineNumbers},
		"a repeat":            {numbered(0, 0), partnercenter.ErrorCodeLineNumbers},
		"negative":            {numbered(-1), partnercenter.ErrorCodeLineNumbers},
		"any order":           {numbered(2, 0, 1), ""},
		"some numbers":        {&partnercenter.Order{LineItems: append(numbered(0).LineItems, line(licence, 1))}, partnercenter.ErrorCodeLineNumbers},
		"no offer":            {request(line(" ", 1)), partnercenter.ErrorCodeInvalidProperty},
		"unknown offer":       {request(line("x", 1)), partnercenter.ErrorCodeInvalidOffer},
		"unknown product":     {request(line("X:0001:Y", 1)), partnercenter.ErrorCodeProductNotFound},
		"too many parts":      {request(line(service+":x", 1)), partnercenter.ErrorCodeAvailabilityUnknown},
		"no quantity":         {request(partnercenter.OrderLineItem{OfferID: service}), partnercenter.ErrorCodeInvalidProperty},
		"zero":                {request(line(licence, 0)), partnercenter.ErrorCodeQuantityOutOfRange},
		"zero of an item":     {request(line(service, 0)), partnercenter.ErrorCodeQuantityUnavailable},
		"huge":                {request(line(service, 1_000_000_000_000_000_000)), partnercenter.ErrorCodeQuantityUnavailable},
		"term":                {edit(service, func(l *partnercenter.OrderLineItem) { l.TermDuration = new("P9Y") }), partnercenter.ErrorCodeTermUnavailable},
		"term of no term":     {edit(perpetual, func(l *partnercenter.OrderLineItem) { l.TermDuration = new("P3Y") }), partnercenter.ErrorCodeTermUnavailable},
		"promotion":           {edit(service, func(l *partnercenter.OrderLineItem) { l.PromotionID = "x" }), partnercenter.ErrorCodePromotionInvalid},
		"add-on alone":        {request(line(licenceAddOn, 1)), partnercenter.ErrorCodeAddOnUnrelated},
		"parent of no add-on": {edit(service, func(l *partnercenter.OrderLineItem) { l.ParentSubscriptionID = "x" }), partnercenter.ErrorCodeAddOnUnrelated},
		"app for a reseller":  {edit(service, func(l *partnercenter.OrderLineItem) { l.PartnerIDOnRecord = "5081207" }), partnercenter.ErrorCodeRoleNotGranted},
		"unset reservation":   {request(line(reservation, 1)), partnercenter.ErrorCodeInvalidProperty},
		"both families":       {request(line(licence, 1), line(service, 1)), partnercenter.ErrorCodeOrderUnprocessable},
		"cycles that clash":   {request(line(service, 1), line(perpetual, 1)), partnercenter.ErrorCodeCycleUnsupported},
		"the limit is one":    {request(line(trial, 1), line(trial, 1)), partnercenter.ErrorCodeOfferLimit},
		"another currency":    {&partnercenter.Order{CurrencyCode: "EUR", LineItems: request(line(licence, 1)).LineItems}, partnercenter.ErrorCodeInvalidProperty},
		"a cycle of nobody's": {&partnercenter.Order{BillingCycle: "weekly", LineItems: request(line(licence, 1)).LineItems}, partnercenter.ErrorCodeEnumUnparsable},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := PlaceOrder(a, Placement{Request: test.request}, Instant(), noon)
			refused(t, err, test.code)
		})
	}
}

// TestLinesAreNumberedAnew sorts the lines of a request by their numbers.
// TestReferencedIDs has each id once, and of an excessive request no more than can be
// looked up in no time.
func TestReferencedIDs(t *testing.T) {
	first, second := line(serviceAddOn, 1), line(reservation, 1)
	first.ParentSubscriptionID, first.PartnerIDOnRecord = " A ", "5081207"
	first.AdditionalPartnerIDsOnRecord = []string{" 5081207 ", "", "6000001"}
	second.ProvisioningContext = map[string]string{"subscriptionID": "a"}
	second.AdditionalPartnerIDsOnRecord = []string{"6000001", "a"}
	subscriptions, mpnIDs := ReferencedIDs(request(first, second))
	if !slices.Equal(subscriptions, []string{"a"}) || !slices.Equal(mpnIDs, []string{"5081207", "6000001", "a"}) {
		t.Errorf("subscriptions %q, partners %q", subscriptions, mpnIDs)
	}
	for i := range 10 * maxReferenced {
		second.AdditionalPartnerIDsOnRecord = append(second.AdditionalPartnerIDsOnRecord, strconv.Itoa(i))
	}
	if _, mpnIDs = ReferencedIDs(request(second)); len(mpnIDs) != maxReferenced {
		t.Errorf("%d partners are looked up", len(mpnIDs))
	}
	if subscriptions, mpnIDs = ReferencedIDs(request(slices.Repeat([]partnercenter.OrderLineItem{first}, MaxLines+1)...)); subscriptions != nil || mpnIDs != nil {
		t.Errorf("of too many lines subscriptions %q and partners %q are looked up", subscriptions, mpnIDs)
	}
}

func TestLinesAreNumberedAnew(t *testing.T) {
	first, second := line(service, 1), line(trial, 2)
	first.LineItemNumber, second.LineItemNumber = new(1), new(0)
	first.FriendlyName, second.OfferID = "last", "CFQ7TTC0LFLX:0001:CFQ7TTC0K8QN"
	o := place(t, account(t), Settings{}, first, second)
	for i, l := range o.Document.LineItems {
		if *l.LineItemNumber != i || o.Subscriptions[i].Facts.LineItemNumber != i || l.SubscriptionID != o.Subscriptions[i].Document.ID {
			t.Errorf("line %d: %+v", i, l)
		}
	}
	if o.Document.LineItems[1].FriendlyName != "last" {
		t.Error("the lines are in the order of the request")
	}
}

func TestPatchOrder(t *testing.T) {
	a := account(t)
	cancel := func(lines ...partnercenter.OrderLineItem) *partnercenter.Order {
		return &partnercenter.Order{Status: "Cancelled", LineItems: lines}
	}
	cycle := func(c partnercenter.BillingCycleType) *partnercenter.Order {
		return &partnercenter.Order{BillingCycle: c}
	}
	number := func(n int, offer string) partnercenter.OrderLineItem {
		return partnercenter.OrderLineItem{OfferID: offer, LineItemNumber: &n}
	}
	addOn := func(o *Order, offer string) *partnercenter.Order {
		l := line(offer, 2)
		l.ParentSubscriptionID = o.Document.LineItems[0].SubscriptionID
		return request(l)
	}
	one := func(offers ...string) *Order {
		var lines []partnercenter.OrderLineItem
		for _, offer := range offers {
			lines = append(lines, line(offer, 1))
		}
		return place(t, a, Settings{}, lines...)
	}
	with := func(r *partnercenter.Order, set func(*partnercenter.Order)) *partnercenter.Order {
		set(r)
		return r
	}
	licences, services, twoLicences := one(licence), one(service), one(licence, licence)
	echo := licences.Document
	stale := partnercenter.Order{Attributes: &partnercenter.ResourceAttributes{Etag: new(etag(echo.ID, 2))}}
	sandbox, production := Settings{Sandbox: true}, Settings{CancelWithin: cancelWithin}
	for name, test := range map[string]struct {
		order    *Order
		request  *partnercenter.Order
		settings Settings
		at       time.Duration
		code     partnercenter.ErrorCode
		event    EventKind
		left     []int // quantities
		status   partnercenter.OrderStatus
	}{
		"nothing":                 {licences, &partnercenter.Order{}, sandbox, 0, "", "", []int{1}, "completed"},
		"itself":                  {licences, &echo, sandbox, 0, "", "", []int{1}, "completed"},
		"stale":                   {licences, &stale, sandbox, 0, partnercenter.ErrorCodeEtagStale, "", nil, ""},
		"another id":              {licences, &partnercenter.Order{ID: "x"}, sandbox, 0, partnercenter.ErrorCodeInvalidProperty, "", nil, ""},
		"a line of nobody's":      {licences, request(number(0, service)), sandbox, 0, partnercenter.ErrorCodeInvalidProperty, "", nil, ""},
		"cycle":                   {licences, cycle("Annual"), sandbox, 0, "", "billing cycle changed", []int{1}, "completed"},
		"cycle that is not sold":  {licences, cycle("triennial"), sandbox, 0, partnercenter.ErrorCodeCycleUnsupported, "", nil, ""},
		"cycle of a monthly term": {services, cycle("annual"), sandbox, 0, partnercenter.ErrorCodeCycleUnsupported, "", nil, ""},
		"add-on":                  {licences, addOn(licences, licenceAddOn), sandbox, 0, "", "add-on bought", []int{1, 2}, "completed"},
		"add-on in euros":         {licences, with(addOn(licences, licenceAddOn), func(r *partnercenter.Order) { r.CurrencyCode = "EUR" }), sandbox, 0, partnercenter.ErrorCodeInvalidProperty, "", nil, ""},
		"add-on, attested":        {licences, with(addOn(licences, licenceAddOn), func(r *partnercenter.Order) { r.PartnerOnRecordAttestationAccepted = new(true) }), sandbox, 0, "", "add-on bought", []int{1, 2}, "completed"},
		"add-on of services":      {services, addOn(services, serviceAddOn), sandbox, 0, "", "add-on bought", []int{1, 2}, "completed"},
		"add-on of another base":  {services, addOn(services, licenceAddOn), sandbox, 0, partnercenter.ErrorCodeAddOnUnrelated, "", nil, ""},
		"add-on without a parent": {licences, request(line(licenceAddOn, 1)), sandbox, 0, partnercenter.ErrorCodeAddOnUnrelated, "", nil, ""},
		"cancel licences":         {licences, cancel(), sandbox, 0, partnercenter.ErrorCodeSuspendInstead, "", nil, ""},
		"cancel a plan":           {one(plan), cancel(), sandbox, 0, partnercenter.ErrorCodeOrderNotCancellable, "", nil, ""},
		"cancel software":         {one(software, perpetual), cancel(), production, cancelWithin, "", "order cancelled", []int{0, 0}, "cancelled"},
		"cancel too late":         {one(software), cancel(), production, cancelWithin + 1, partnercenter.ErrorCodeCancelWindowOver, "", nil, ""},
		"cancel a line":           {one(software, software), cancel(number(1, software)), sandbox, 0, "", "lines cancelled", []int{1, 0}, "completed"},
		"cancel the other line":   {one(software, software), cancel(number(0, software)), sandbox, 0, "", "lines cancelled", []int{0, 1}, "completed"},
		"cancel both lines":       {one(software, perpetual), cancel(number(0, perpetual), number(1, software)), sandbox, 0, "", "order cancelled", []int{0, 0}, "cancelled"},
		"cancel a new add-on":     {one(marketplace), cancel(line(serviceAddOn, 1)), sandbox, 0, partnercenter.ErrorCodeInvalidProperty, "", nil, ""},
		"cancel by the parent":    {one(marketplace), cancel(addOn(services, serviceAddOn).LineItems...), sandbox, 0, partnercenter.ErrorCodeInvalidProperty, "", nil, ""},
		"cancel marketplace":      {one(marketplace), cancel(), sandbox, 0, "", "order cancelled", []int{0}, "cancelled"},
		"marketplace for good":    {one(marketplace), cancel(), production, 0, partnercenter.ErrorCodeSaaSNotByOrder, "", nil, ""},
		"two of one offer":        {twoLicences, cycle("annual"), sandbox, 0, "", "billing cycle changed", []int{1, 1}, "completed"},
		"before its file":         {one(withFile, software), cancel(number(0, software)), sandbox, 0, "", "lines cancelled", []int{1, 0}, "pending_po_upload"},
	} {
		t.Run(name, func(t *testing.T) {
			before := test.order.clone()
			next, events, err := PatchOrder(a, test.order, Patch{Request: test.request, Entropy: Entropy{9}}, test.settings, noon.Add(test.at))
			refused(t, err, test.code)
			if diff := difference(t, before, test.order); diff != "" {
				t.Errorf("the order that was given changed:\n%s", diff)
			}
			if err != nil {
				return
			}
			if (len(events) > 0) != (test.event != "") || len(events) > 0 && events[0].Kind != test.event {
				t.Errorf("events %v, want %q", events, test.event)
			}
			var left []int
			for i, l := range next.Document.LineItems {
				left = append(left, *l.Quantity)
				if s := next.subscriptionOf(i); s != nil && (s.Document.Status == "deleted") != (*l.Quantity == 0) {
					t.Errorf("line %d has %d, its subscription is %s", i, *l.Quantity, s.Document.Status)
				}
			}
			if !slices.Equal(left, test.left) || next.Document.Status != test.status {
				t.Errorf("quantities %v, status %s, want %v and %s", left, next.Document.Status, test.left, test.status)
			}
			if attested := next.Document.PartnerOnRecordAttestationAccepted; isTrue(attested) != isTrue(test.request.PartnerOnRecordAttestationAccepted) {
				t.Errorf("attestation %v", attested)
			}
			if tag := test.order.Document.Attributes.Etag; tag != nil && len(events) > 0 && version(*next.Document.Attributes.Etag) != version(*tag)+1 {
				t.Errorf("etag %s after %s", *next.Document.Attributes.Etag, *tag)
			}
		})
	}
}

// difference compares all of two orders.
func difference(t testing.TB, a, b *Order) string {
	t.Helper()
	text := func(o *Order) (parts []string) {
		for _, v := range []any{&o.Document, &o.Facts} {
			data, err := partnercenter.Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			parts = append(parts, string(data))
		}
		for _, s := range o.Subscriptions {
			data, err := partnercenter.Marshal(s)
			if err != nil {
				t.Fatal(err)
			}
			parts = append(parts, string(data))
		}
		return parts
	}
	return cmp.Diff(text(a), text(b))
}
