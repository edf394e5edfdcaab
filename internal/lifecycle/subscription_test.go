package lifecycle

import (
	"strings"
	"testing"
	"time"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/catalog"
)

func TestUpdateSubscription(t *testing.T) {
	a := account(t)
	type sub = partnercenter.Subscription
	base := place(t, a, Settings{}, line(licence, 5)).Subscriptions[0]
	base.Document.Status = "suspended"
	a.Subscriptions[Key(base.Document.ID)] = base
	child := place(t, a, Settings{}, line(licence, 5))
	child.Subscriptions[0].Document.ParentSubscriptionID = base.Document.ID
	child.Subscriptions[0].Base = base
	child.Subscriptions[0].Document.Status = "suspended"
	of := func(offer string, status partnercenter.SubscriptionStatus) *Order {
		quantity := 5
		if offer == plan {
			quantity = 1
		}
		o := place(t, a, Settings{}, line(offer, quantity))
		o.Subscriptions[0].Document.Status = status
		o.Subscriptions[0].Facts.NeedsActivation = false
		return o
	}
	sealed := of(marketplace, "active")
	sealed.Subscriptions[0].Facts.NeedsActivation = true
	later := of(service, "active")
	later.Subscriptions[0].Facts.Since = noon.Add(time.Minute)
	shown := of(licence, "active")
	whole := shown.Subscriptions[0].Document
	whole.AutoRenewEnabled = new(false)
	settings := Settings{Sandbox: true, CancelWithin: cancelWithin, MaxLicences: 25}
	for name, test := range map[string]struct {
		order   *Order
		request *sub
		at      time.Duration
		code    partnercenter.ErrorCode
		event   EventKind
	}{
		"nothing":                {of(licence, "active"), &sub{}, 0, "", ""},
		"noise":                  {of(licence, "active"), &sub{Quantity: new(0), Status: "none", AutoRenewEnabled: new(false), BillingCycle: "none", PartnerID: new("")}, 0, "", ""},
		"more":                   {of(licence, "active"), &sub{Quantity: new(6)}, 0, "", "subscription changed"},
		"fewer licences, late":   {of(licence, "active"), &sub{Quantity: new(1)}, 100 * cancelWithin, "", "subscription changed"},
		"fewer seats":            {of(service, "active"), &sub{Quantity: new(1)}, cancelWithin, "", "subscription changed"},
		"fewer seats, late":      {of(service, "active"), &sub{Quantity: new(1)}, cancelWithin + 1, partnercenter.ErrorCodeQuantityNotDecreasable, ""},
		"more than a sandbox's":  {of(licence, "active"), &sub{Quantity: new(26)}, 0, partnercenter.ErrorCodeTooManySeats, ""},
		"more seats":             {of(service, "active"), &sub{Quantity: new(26)}, 0, partnercenter.ErrorCodeSeatsBeyondLimit, ""},
		"more than there are":    {of(service, "active"), &sub{Quantity: new(1_000_000_000_000_000_000)}, 0, partnercenter.ErrorCodeQuantityOutOfRange, ""},
		"negative":               {of(licence, "active"), &sub{Quantity: new(-1)}, 0, partnercenter.ErrorCodeQuantityOutOfRange, ""},
		"more of a plan":         {of(plan, "active"), &sub{Quantity: new(2)}, 0, partnercenter.ErrorCodeQuantityNotUpdatable, ""},
		"more of software":       {of(software, "active"), &sub{Quantity: new(2)}, 0, partnercenter.ErrorCodeQuantityNotUpdatable, ""},
		"more while suspended":   {of(licence, "suspended"), &sub{Quantity: new(6)}, 0, partnercenter.ErrorCodeSubscriptionSuspended, ""},
		"seats while suspended":  {of(service, "suspended"), &sub{Quantity: new(6)}, 0, partnercenter.ErrorCodeSuspendedNoUpdate, ""},
		"before its activation":  {sealed, &sub{Quantity: new(6)}, 0, partnercenter.ErrorCodeSubscriptionNotActivated, ""},
		"before it is there":     {later, &sub{Quantity: new(6)}, 0, partnercenter.ErrorCodeSubscriptionNotReady, ""},
		"name":                   {of(licence, "active"), &sub{FriendlyName: "ours"}, 0, "", "subscription changed"},
		"renewal of the whole":   {shown, &whole, 0, "", "subscription changed"},
		"fewer, not renewing":    {of(licence, "active"), &sub{Quantity: new(3), AutoRenewEnabled: new(false)}, 0, "", "subscription changed"},
		"an unset renewal":       {of(marketplace, "active"), &sub{Quantity: new(3), AutoRenewEnabled: new(false), BillingCycle: "unknown", CreationDate: readTime("0001-01-01T00:00:00")}, 0, "", "subscription changed"},
		"renewal of a plan":      {of(plan, "active"), &sub{AutoRenewEnabled: new(true)}, 0, partnercenter.ErrorCodeAutoRenewNotEligible, ""},
		"suspend":                {of(licence, "active"), &sub{Status: "Suspended"}, 0, "", "subscription suspended"},
		"suspend marketplace":    {of(marketplace, "active"), &sub{Status: "suspended"}, 0, partnercenter.ErrorCodeStatusNotUpdatable, ""},
		"reactivate":             {of(licence, "suspended"), &sub{Status: "active"}, 0, "", "subscription reactivated"},
		"reactivate below":       {child, &sub{Status: "active"}, 0, partnercenter.ErrorCodeParentInactive, ""},
		"delete":                 {of(service, "active"), &sub{Status: "deleted"}, cancelWithin, "", "subscription cancelled"},
		"delete, late":           {of(service, "active"), &sub{Status: "deleted"}, cancelWithin + 1, partnercenter.ErrorCodeCancelWindowOver, ""},
		"delete licences":        {of(licence, "active"), &sub{Status: "deleted"}, 0, partnercenter.ErrorCodeStatusChangeUnsupported, ""},
		"change what is deleted": {of(licence, "deleted"), &sub{FriendlyName: "ours"}, 0, partnercenter.ErrorCodeSubscriptionDeleted, ""},
		"bring back":             {of(service, "deleted"), &sub{Status: "active"}, 0, partnercenter.ErrorCodeSubscriptionDeleted, ""},
		"expire":                 {of(licence, "active"), &sub{Status: "expired"}, 0, partnercenter.ErrorCodeEnumUnparsable, ""},
		"cycle":                  {of(licence, "active"), &sub{BillingCycle: "annual"}, 0, partnercenter.ErrorCodeCycleNotHere, ""},
		"partner":                {of(licence, "active"), &sub{PartnerID: new("5081207")}, 0, partnercenter.ErrorCodePartnerNotUpdatable, ""},
		"another id":             {of(licence, "active"), &sub{ID: "x"}, 0, partnercenter.ErrorCodeInvalidProperty, ""},
		"stale":                  {of(licence, "active"), &sub{Attributes: &partnercenter.ResourceAttributes{Etag: new("x")}}, 0, partnercenter.ErrorCodeEtagStale, ""},
	} {
		t.Run(name, func(t *testing.T) {
			before, id := test.order.clone(), test.order.Subscriptions[0].Document.ID
			next, events, err := UpdateSubscription(a, test.order, id, Update{Request: test.request}, settings, noon.Add(test.at))
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
			s, old := next.Subscription(id), before.Subscription(id)
			if stops := name == "fewer, not renewing" || name == "renewal of the whole"; stops && *s.Document.AutoRenewEnabled || name == "an unset renewal" && !*s.Document.AutoRenewEnabled {
				t.Errorf("it renews: %t", !stops)
			}
			if tag := *s.Document.Attributes.Etag; len(events) > 0 && tag != "" && version(tag) != version(*old.Document.Attributes.Etag)+1 {
				t.Errorf("etag %s after %s", tag, *old.Document.Attributes.Etag)
			}
			if len(events) > 0 && (len(next.Changed) != 1 || next.Changed[0] != s) {
				t.Errorf("%d subscriptions are changed", len(next.Changed))
			}
			if gone := s.Document.Status == "deleted"; gone != (next.Document.Status == "cancelled") || gone != (*next.Document.LineItems[0].Quantity == 0) {
				t.Errorf("subscription %s, line %d, order %s", s.Document.Status, *next.Document.LineItems[0].Quantity, next.Document.Status)
			}
		})
	}
}

// TestWindowsOfSeats adds seats on three days and returns them: each added quantity has
// its own window, and the newest is returned first.
func TestWindowsOfSeats(t *testing.T) {
	const day = 24 * time.Hour
	a, settings := account(t), Settings{CancelWithin: cancelWithin}
	o := place(t, a, settings, line(service, 10))
	id := o.Subscriptions[0].Document.ID
	set := func(n int, at time.Duration, code partnercenter.ErrorCode) {
		t.Helper()
		next, _, err := UpdateSubscription(a, o, id, Update{Request: &partnercenter.Subscription{Quantity: &n}}, settings, noon.Add(at))
		refused(t, err, code)
		if err == nil {
			o = next
		}
	}
	refundable := func(at time.Duration, want int, until time.Duration) {
		t.Helper()
		s := o.Subscription(id).At(settings, noon.Add(at))
		got, sum := 0, 0
		if r := s.RefundableQuantity; r != nil {
			got = *r.TotalQuantity
			for _, d := range r.Details {
				sum += *d.Quantity
			}
		}
		if sum != got {
			t.Errorf("after %v: the details add up to %d, not %d", at, sum, got)
		}
		if end := s.CancellationAllowedUntilDate; got != want || want > 0 && !end.Time().Equal(noon.Add(until)) || want == 0 && end != (partnercenter.Time{}) {
			t.Errorf("after %v: %d can be given back until %v, want %d until %v", at, got, end, want, noon.Add(until))
		}
	}
	set(15, 3*day, "")
	set(18, 5*day, "")
	refundable(5*day, 18, 12*day)
	refundable(7*day, 18, 12*day) // the last instant counts
	refundable(7*day+1, 8, 12*day)
	set(9, 7*day+1, partnercenter.ErrorCodeQuantityNotDecreasable)
	set(13, 8*day, "") // three of the fifth day's and two of the third's
	refundable(8*day, 3, 10*day)
	refundable(10*day+1, 0, 0)
	set(12, 11*day, partnercenter.ErrorCodeQuantityNotDecreasable)
	set(14, 11*day, "")
	refundable(11*day, 1, 18*day)
}

func TestRegisterAndActivate(t *testing.T) {
	a, settings := account(t), Settings{Sandbox: true, ProvisioningTime: time.Hour}
	azure, saas := place(t, a, Settings{}, line(plan, 1)), place(t, a, Settings{}, line(marketplace, 1))
	next, events, err := Register(azure, azure.Subscriptions[0].Document.ID, settings, noon)
	if err != nil || len(events) != 1 || !azure.Subscriptions[0].Facts.Registered.IsZero() {
		t.Fatalf("%v, %v", events, err)
	}
	s := next.Subscriptions[0]
	for at, want := range map[time.Duration]partnercenter.RegistrationStatus{0: "registering", time.Hour: "registered"} {
		if got := s.RegistrationStatus(noon.Add(at)).Status; got != want {
			t.Errorf("%s after %v, want %s", got, at, want)
		}
	}
	if got := azure.Subscriptions[0].RegistrationStatus(noon).Status; got != "notRegistered" {
		t.Errorf("the subscription that was given is %s", got)
	}
	if _, events, err := Register(next, s.Document.ID, settings, noon.Add(time.Minute)); err != nil || len(events) != 0 {
		t.Errorf("again: %v, %v", events, err)
	}
	_, _, err = Register(saas, saas.Subscriptions[0].Document.ID, settings, noon)
	refused(t, err, partnercenter.ErrorCodeSubscriptionNotAzure)
	azure.Subscriptions[0].Document.Status = "suspended"
	_, _, err = Register(azure, azure.Subscriptions[0].Document.ID, settings, noon)
	refused(t, err, partnercenter.ErrorCodeSubscriptionInactive)

	id := saas.Subscriptions[0].Document.ID
	next, _, err = Activate(saas, id, settings)
	if err != nil || next.Subscriptions[0].Facts.NeedsActivation || !saas.Subscriptions[0].Facts.NeedsActivation {
		t.Fatal(err)
	}
	_, _, err = Activate(next, id, settings)
	refused(t, err, partnercenter.ErrorCodeAlreadyActivated)
	_, _, err = Activate(saas, id, Settings{})
	refused(t, err, partnercenter.ErrorCodeNotInEnvironment)
	_, _, err = Activate(azure, azure.Subscriptions[0].Document.ID, settings)
	refused(t, err, partnercenter.ErrorCodeOperationUnoffered)
	if links := saas.ActivationLinks("http://x/", noon); len(links) != 1 || links[0].Link.URI != "http://x/"+id {
		t.Errorf("%+v", links)
	}
}

func TestAttachPurchaseOrder(t *testing.T) {
	a, settings := account(t), Settings{Sandbox: true, ProvisioningTime: time.Hour}
	o := place(t, a, settings, line(withFile, 1), line(software, 2))
	good := Attachment{PurchaseOrders: 1, Metadata: &partnercenter.AttachmentMetadata{CustomerPrice: "156.87", Currency: "usd"}}
	if o.At(noon.AddDate(5, 0, 0)).Status != "pending_po_upload" {
		t.Error("it does not wait")
	}
	statuses := func(o *Order, at time.Duration) string {
		t.Helper()
		list, err := o.ProvisioningStatus(noon.Add(at))
		if err != nil {
			t.Fatal(err)
		}
		return string(list[0].Status + " " + list[1].Status)
	}
	if got := statuses(o, 0); got != "unfulfilled unfulfilled" {
		t.Error(got)
	}
	before := o.clone()
	next, events, err := AttachPurchaseOrder(o, good, settings, noon.Add(time.Minute))
	if err != nil || len(events) != 1 || next.Document.Status != "po_upload_complete" {
		t.Fatalf("%v, %v, %s", events, err, next.Document.Status)
	}
	if diff := difference(t, before, o); diff != "" {
		t.Errorf("the order that was given changed:\n%s", diff)
	}
	if got := statuses(next, time.Hour); got != "prefulfillmentPending prefulfillmentPending" {
		t.Error(got)
	}
	if got := statuses(next, time.Hour+time.Minute); got != "fulfilled fulfilled" {
		t.Error(got)
	}
	if s := next.Subscriptions[0]; !s.Document.CreationDate.Time().Equal(noon.Add(time.Hour + time.Minute)) {
		t.Errorf("the subscription is from %v", s.Document.CreationDate)
	}
	if _, _, err := AttachPurchaseOrder(next, good, settings, noon.Add(2*time.Hour)); err != nil {
		t.Errorf("a second file: %v", err)
	}
	_, _, err = AttachPurchaseOrder(place(t, a, Settings{}, line(software, 1)), good, settings, noon)
	refused(t, err, partnercenter.ErrorCodeOperationUnoffered)
	type metadata = partnercenter.AttachmentMetadata
	for name, bad := range map[string]Attachment{
		"no metadata":   {PurchaseOrders: 1},
		"no file":       {Metadata: good.Metadata},
		"no price":      {PurchaseOrders: 1, Metadata: &metadata{Currency: "USD"}},
		"rate":          {PurchaseOrders: 1, Metadata: &metadata{CustomerPrice: "1", Currency: "USD", FxRate: "x"}},
		"currency":      {PurchaseOrders: 1, Metadata: &metadata{CustomerPrice: "1", Currency: "U$D"}},
		"empty tender":  {PurchaseOrders: 1, Metadata: &metadata{CustomerPrice: "1", Currency: "USD", IsPartOfTender: new(true)}},
		"no tender yet": {PurchaseOrders: 1, Tenders: 1, Metadata: good.Metadata},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := AttachPurchaseOrder(o, bad, settings, noon)
			refused(t, err, partnercenter.ErrorCodeInvalidProperty)
		})
	}
}

// TestCancelledBeforeTheirOrder cancels one line of an order that waits for a
// file, then the rest: both subscriptions are to be shown as cancelled.
func TestCancelledBeforeTheirOrder(t *testing.T) {
	a, settings := account(t), Settings{Sandbox: true, ProvisioningTime: time.Hour}
	o := place(t, a, settings, line(withFile, 1), line(software, 2))
	for _, lines := range [][]partnercenter.OrderLineItem{{{OfferID: software, LineItemNumber: new(1)}}, nil} {
		var err error
		if o, _, err = PatchOrder(a, o, Patch{Request: &partnercenter.Order{Status: "cancelled", LineItems: lines}}, settings, noon); err != nil {
			t.Fatal(err)
		}
		if len(o.Changed) != 1 || o.Changed[0] != o.Subscriptions[0] {
			t.Errorf("%d subscriptions are changed", len(o.Changed))
		}
	}
	if s := o.Subscriptions[0]; noon.Before(s.Facts.Since) || s.Document.Status != "deleted" || s.Document.CreationDate.Time().After(noon) {
		t.Errorf("%+v", s)
	}
}

// TestRestore restores orders as they may have been loaded.
func TestRestore(t *testing.T) {
	a := account(t)
	shared := "0c8b4a1e-1111-4a4a-8b8b-000000000001"
	document := partnercenter.Order{ID: "e5b0f1c2-0000-4000-8000-000000000001", LineItems: []partnercenter.OrderLineItem{
		{OfferID: licence, SubscriptionID: shared},
		{OfferID: licenceAddOn, SubscriptionID: "0c8b4a1e-1111-4a4a-8b8b-000000000002", Quantity: new(3)},
		{OfferID: licence, SubscriptionID: shared, Quantity: new(0)},
		{OfferID: "unheard-of", SubscriptionID: "0c8b4a1e-1111-4a4a-8b8b-000000000003"},
		{OfferID: "ms-azr-9999", SubscriptionID: "0c8b4a1e-1111-4a4a-8b8b-000000000004"},
		{OfferID: "11111111-2222-4333-8444-555555555555", SubscriptionID: "0c8b4a1e-1111-4a4a-8b8b-000000000005"},
		{},
	}}
	kinds := []catalog.Kind{catalog.License, catalog.License, catalog.License, "", catalog.Usage, catalog.License, ""}
	for name, facts := range map[string]*OrderFacts{"no facts": nil, "too few": {Lines: []LineFacts{{Kind: catalog.License}}}} {
		t.Run(name, func(t *testing.T) {
			o := Restore(a, document, facts, nil, nil)
			for i, kind := range kinds {
				if o.Facts.Lines[i].Kind != kind {
					t.Errorf("line %d is of kind %q, want %q", i, o.Facts.Lines[i].Kind, kind)
				}
			}
			if len(o.Subscriptions) != 6 || *o.Subscriptions[0].Document.Quantity != 1 {
				t.Fatalf("%d subscriptions", len(o.Subscriptions))
			}
			if parent := o.Subscriptions[1].Document.ParentSubscriptionID; parent != shared {
				t.Errorf("the add-on's parent is %q", parent)
			}
			if o.Subscriptions[4].Document.EntitlementID == "" || o.Subscriptions[4].Facts.Registered.IsZero() != o.Facts.Lines[4].Bought.IsZero() {
				t.Errorf("the Azure subscription is %+v", o.Subscriptions[4])
			}
			if got := o.At(noon); got.Status != "" || len(got.LineItems) != len(document.LineItems) || !o.Settled().IsZero() {
				t.Errorf("%+v", got)
			}
			// Every command on such an order is decided.
			_, _, err := PatchOrder(a, o, Patch{Request: &partnercenter.Order{Status: "cancelled"}}, Instant(), noon)
			refused(t, err, partnercenter.ErrorCodeSuspendInstead)
			_, _, err = PatchOrder(a, o, Patch{Request: &partnercenter.Order{BillingCycle: "annual"}}, Instant(), noon)
			refused(t, err, partnercenter.ErrorCodeCycleUnsupported)
			next, _, err := UpdateSubscription(a, o, shared, Update{Request: &partnercenter.Subscription{Quantity: new(4)}}, Instant(), noon)
			if err != nil || *next.Subscription(shared).Document.Quantity != 4 {
				t.Errorf("more: %v", err)
			}
			_, _, err = UpdateSubscription(a, o, o.Subscriptions[3].Document.ID, Update{Request: &partnercenter.Subscription{Quantity: new(4)}}, Instant(), noon)
			refused(t, err, partnercenter.ErrorCodeQuantityNotUpdatable)
			if _, err := o.ProvisioningStatus(noon); err == nil {
				t.Error("legacy orders have no provisioning status")
			}
			if o.HasLine("7") || o.HasLine("-1") || o.HasLine("00") || !o.HasLine("6") {
				t.Error("HasLine counts wrong")
			}
		})
	}
}

func TestMoney(t *testing.T) {
	for _, test := range []struct {
		price partnercenter.Decimal
		n     int
		want  partnercenter.Decimal
	}{
		{"20.00", 3, "60.00"}, {"0.1", 3, "0.30"}, {"24606.35", 2, "49212.70"}, {"0.0001", 9999, "0.9999"}, {"1860", 3, "5580.00"},
		{"0.07", 999_999_999, "69999999.93"}, {"12345678901234567890.123", 10, "123456789012345678901.230"}, {"8.00", 0, "0.00"}, {"x", 1, ""},
	} {
		if got := times(test.price, test.n); got != test.want {
			t.Errorf("%d times %s is %s, want %s", test.n, test.price, got, test.want)
		}
	}
	o := &Order{Document: partnercenter.Order{LineItems: make([]partnercenter.OrderLineItem, 3)}, Facts: OrderFacts{Lines: make([]LineFacts, 3)}}
	if o.total() != "" {
		t.Error("an order without prices has a total")
	}
	o.Document.LineItems[0].Pricing = &partnercenter.Pricing{ExtendedPrice: "0.1"}
	o.Document.LineItems[2].Pricing = &partnercenter.Pricing{ExtendedPrice: "0.205"}
	if got := o.total(); got != "0.305" {
		t.Errorf("0.1 and 0.205 are %s", got)
	}
}

func TestEtags(t *testing.T) {
	tag := etag("ABC", 7)
	if tag != "eyJpZCI6ImFiYyIsInZlcnNpb24iOjd9" || version(tag) != 7 {
		t.Errorf("%s has version %d", tag, version(tag))
	}
	for _, odd := range []string{"", "x", "e30=", "eyJ2ZXJzaW9uIjotMX0="} {
		if version(odd) != 1 {
			t.Errorf("%q has version %d", odd, version(odd))
		}
	}
	for _, test := range []struct {
		ifMatch string
		sent    *string
		want    bool
	}{
		{"", nil, false}, {"", new(""), false}, {"", &tag, false}, {"", new(`"` + tag + `"`), false}, {"", new("x"), true},
		{tag, nil, false}, {`"` + tag + `"`, new("x"), false}, {`W/"` + tag + `"`, nil, false}, {"*", new("x"), false}, {"x", &tag, true}, {`""`, new("x"), true},
	} {
		if got := stale(&tag, test.ifMatch, test.sent); got != test.want {
			t.Errorf("If-Match %q, body %v: stale %v", test.ifMatch, test.sent, got)
		}
	}
	if stale(nil, "x", nil) || stale(new(""), "x", nil) {
		t.Error("what has no etag is never stale")
	}
}

// TestEndsOfTime tests the ends of the clock's range.
func TestEndsOfTime(t *testing.T) {
	a, settings := account(t), Realistic()
	for _, now := range []time.Time{{}, time.Date(1, 1, 1, 1, 0, 0, 0, time.UTC), never.AddDate(0, 0, -3), never.Add(24*time.Hour - 1)} {
		for _, offer := range []string{licence, service, plan, software, marketplace, withFile} {
			o, _, err := PlaceOrder(a, Placement{Request: request(line(offer, 1))}, settings, now)
			if err != nil {
				t.Fatalf("%s at %v: %v", offer, now, err)
			}
			for _, at := range []time.Time{now, now.AddDate(0, 1, 0)} {
				o.At(at)
				for _, s := range o.Subscriptions {
					s.At(settings, at)
				}
			}
			if _, err := partnercenter.Marshal(o); err != nil {
				t.Errorf("%s at %v: %v", offer, now, err)
			}
		}
	}
}

// TestUpdateAfterOrderChanged sends subscriptions back that were read before their order
// changed.
func TestUpdateAfterOrderChanged(t *testing.T) {
	a := account(t)
	change := func(o *Order, request *partnercenter.Order) *Order {
		t.Helper()
		next, _, err := PatchOrder(a, o, Patch{Request: request}, Settings{Sandbox: true}, noon)
		if err != nil {
			t.Fatal(err)
		}
		return next
	}
	cycle := func(c partnercenter.BillingCycleType) *partnercenter.Order {
		return &partnercenter.Order{BillingCycle: c}
	}
	update := func(o *Order, request partnercenter.Subscription, ifMatch string) (*Order, error) {
		id := o.Subscriptions[0].Document.ID
		next, _, err := UpdateSubscription(a, o, id, Update{Request: &request, IfMatch: ifMatch}, Settings{}, noon)
		return next, err
	}
	yearly := line("DZH318Z0C1NT:0001:DZH318Z0BNV4", 2) // without an etag
	yearly.TermDuration = new("P1Y")
	for name, first := range map[string]*Order{"licence": place(t, a, Settings{}, line(licence, 2)), "marketplace": place(t, a, Settings{}, yearly)} {
		t.Run(name, func(t *testing.T) {
			read := *first.Subscriptions[0].At(Settings{}, noon)
			changed := change(first, cycle("annual"))
			if *changed.Subscriptions[0].Document.Attributes.Etag != *read.Attributes.Etag || changed.Subscriptions[0].Document.BillingCycle != "annual" {
				t.Errorf("subscription %+v", changed.Subscriptions[0].Document)
			}
			read.FriendlyName = "renamed"
			next, err := update(changed, read, "")
			refused(t, err, "")
			if d := next.Subscriptions[0].Document; d.FriendlyName != "renamed" || d.BillingCycle != "annual" {
				t.Errorf("subscription %+v", d)
			}
			_, err = update(changed, partnercenter.Subscription{BillingCycle: "annual", FriendlyName: "x"}, "")
			refused(t, err, "")
			other := read
			other.BillingCycle = "triennial"
			_, err = update(changed, other, "")
			refused(t, err, partnercenter.ErrorCodeCycleNotHere)

			// There and back again, all of one version.
			back := change(changed, cycle("monthly"))
			other.BillingCycle = "Annual"
			_, err = update(back, other, "")
			refused(t, err, "")

			// The subscription's own change ends the version.
			if name == "licence" {
				_, err = update(next, read, "")
				refused(t, err, partnercenter.ErrorCodeEtagStale)
				_, err = update(changed, partnercenter.Subscription{BillingCycle: "monthly"}, "")
				refused(t, err, partnercenter.ErrorCodeCycleNotHere)
				if want := "send the subscription's etag"; !strings.Contains(err.Error(), want) {
					t.Errorf("%v, want …%s…", err, want)
				}
				_, err = update(changed, partnercenter.Subscription{BillingCycle: "monthly"}, "*")
				refused(t, err, partnercenter.ErrorCodeCycleNotHere)
				_, err = update(changed, partnercenter.Subscription{BillingCycle: "monthly"}, `"`+*read.Attributes.Etag+`"`)
				refused(t, err, "")
				_, err = update(changed, read, "*")
				refused(t, err, "")
			}
			fresh := next.Subscriptions[0].Document
			fresh.BillingCycle = "monthly"
			_, err = update(next, fresh, "")
			refused(t, err, partnercenter.ErrorCodeCycleNotHere)
		})
	}
	// What a line's cancellation did is not hidden behind a stale etag.
	two := place(t, a, Settings{}, line(software, 1), line(software, 1))
	read := *two.Subscriptions[0].At(Settings{}, noon)
	cancelled := change(two, &partnercenter.Order{Status: "cancelled", LineItems: two.Document.LineItems[:1]})
	_, err := update(cancelled, read, "")
	refused(t, err, partnercenter.ErrorCodeSubscriptionDeleted)
}
