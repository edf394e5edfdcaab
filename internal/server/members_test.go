package server_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/partnercenter-go/partnercenter"
)

// fate is what becomes of a member of a body. Each is applied, so that the answer and a
// later read show it; or refused, with a code; or it is nothing to be written, for a
// reason.
type fate struct {
	value string                  // that is sent, as JSON
	shown string                  // what is shown, if something else
	at    string                  // where it is shown, if elsewhere
	body  string                  // with the member, if not the usual one
	code  partnercenter.ErrorCode // of the refusal
	why   string                  // it is not written
}

// Reasons why members of a body are not written.
const (
	ofAnswers = "the service makes it; clients send back what they read"
	compared  = "it has to be that of the path, and is refused otherwise"
)

// membersOf lists the members of a type that bodies have, by their paths: id,
// lineItems[].quantity. It does not look into those with a fate.
func membersOf(t reflect.Type, path string, fates map[string]fate) []string {
	if _, ok := fates[path]; ok {
		return []string{path}
	}
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() == reflect.Slice && t.Elem().Kind() != reflect.Uint8 {
		return membersOf(t.Elem(), path+"[]", fates)
	}
	var list []string
	if t.Kind() == reflect.Struct {
		for i := range t.NumField() {
			name, options, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
			if t.Field(i).IsExported() && name != "" && !strings.Contains(options, "embed") {
				list = append(list, membersOf(t.Field(i).Type, strings.TrimPrefix(path+"."+name, "."), fates)...)
			}
		}
	}
	if list == nil {
		return []string{strings.TrimSuffix(path, "[]")}
	}
	return list
}

// setMember returns a JSON object with a member set to a value.
func setMember(t *testing.T, object, path, value string) string {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal([]byte(object), &m); err != nil {
		t.Fatalf("%s: %v", object, err)
	}
	var v any
	if err := json.Unmarshal([]byte(value), &v); err != nil {
		t.Fatalf("%s: %v", value, err)
	}
	names := strings.Split(path, ".")
	at := m
	for _, name := range names[:len(names)-1] {
		name, isList := strings.CutSuffix(name, "[]")
		inner := at[name]
		if list, ok := inner.([]any); ok {
			inner = list[0]
		}
		next, ok := inner.(map[string]any)
		if !ok {
			next = map[string]any{}
			at[name] = next
			if isList {
				at[name] = []any{next}
			}
		}
		at = next
	}
	at[strings.TrimSuffix(names[len(names)-1], "[]")] = v
	data, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// memberAt returns a member of a JSON object as JSON, empty if there is none. Of a list
// it is that of the first.
func memberAt(t *testing.T, object []byte, path string) string {
	t.Helper()
	var v any
	if err := json.Unmarshal(object, &v); err != nil {
		t.Fatalf("%s: %v", object, err)
	}
	for name := range strings.SplitSeq(path, ".") {
		m, _ := v.(map[string]any)
		name, isList := strings.CutSuffix(name, "[]")
		v = m[name]
		if list, ok := v.([]any); ok && isList && len(list) > 0 {
			v = list[0]
		}
	}
	if v == nil {
		return ""
	}
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// writeCall is a call with a body, for each member of which its fate is known.
type writeCall struct {
	body  reflect.Type
	fates map[string]fate
	// fresh returns a new object to write, the method and path to write it, its usual
	// body, and the path to read it afterwards.
	fresh func(t *testing.T) (method, path, body string)
	read  func(answer []byte) string
}

func (w *writeCall) run(t *testing.T, a *api) {
	members := membersOf(w.body, "", w.fates)
	for _, name := range members {
		f, ok := w.fates[name]
		if !ok {
			t.Errorf("%s: nobody knows what becomes of it", name)
			continue
		}
		t.Run(name, func(t *testing.T) { w.member(t, a, name, f) })
	}
	for name := range w.fates {
		if !slices.Contains(members, name) {
			t.Errorf("%s is no member of %s", name, w.body.Name())
		}
	}
	t.Run("an unreadable date", func(t *testing.T) { w.unreadable(t, a) })
}

// unreadable sends dates that there are not, in every member that is one.
func (w *writeCall) unreadable(t *testing.T, a *api) {
	dates := datesOf(w.body, "")
	if len(dates) == 0 {
		return
	}
	method, path, body := w.fresh(t)
	for _, name := range dates {
		last := name[strings.LastIndexByte(name, '.')+1:]
		for _, text := range []string{"banana", "2026-02-30T00:00:00Z", "2026-12-31T23:59:60Z"} {
			a.check(t, request{
				method: method, path: path, body: setMember(t, body, name, `"`+text+`"`), invalid: true,
				status: 400, code: partnercenter.ErrorCodeInvalidProperty, must: []string{last, text},
			})
		}
	}
}

// datesOf lists the members of a type that are dates, as membersOf does, but for those of
// types within themselves.
func datesOf(t reflect.Type, path string, within ...reflect.Type) (list []string) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case slices.Contains(within, t):
	case t == reflect.TypeFor[partnercenter.Time]():
		return []string{path}
	case t.Kind() == reflect.Slice:
		return datesOf(t.Elem(), path+"[]", within...)
	case t.Kind() == reflect.Struct:
		for i := range t.NumField() {
			if name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ","); t.Field(i).IsExported() && name != "" {
				list = append(list, datesOf(t.Field(i).Type, strings.TrimPrefix(path+"."+name, "."), append(slices.Clip(within), t)...)...)
			}
		}
	}
	return list
}

func (w *writeCall) member(t *testing.T, a *api, name string, f fate) {
	method, path, body := w.fresh(t)
	if f.body != "" {
		body = f.body
	}
	sent := setMember(t, body, name, f.value)
	r := request{method: method, path: path, body: sent, invalid: true}
	if f.code != "" {
		r.status, r.code = 400, f.code
		resp, answer := a.do(t, r)
		if got := memberAt(t, answer, "code"); resp.StatusCode < 400 || strings.Trim(got, `"`) != string(f.code) {
			t.Errorf("%s %s: %s, code %s, want %s: %s", method, sent, resp.Status, got, f.code, answer)
		}
		return
	}
	resp, answer := a.do(t, r)
	if resp.StatusCode/100 != 2 {
		t.Fatalf("%s %s: %s: %s", method, sent, resp.Status, answer)
	}
	later := answer
	if w.read != nil {
		later = a.send(t, http.MethodGet, w.read(answer), "", 200)
	}
	if f.why != "" {
		if got := memberAt(t, later, name); got == f.value {
			t.Errorf("%s: %s is shown afterwards, though %s", name, got, f.why)
		}
		return
	}
	at, want := name, f.value
	if f.at != "" {
		at = f.at
	}
	if f.shown != "" {
		want = f.shown
	}
	for how, document := range map[string][]byte{"the answer": answer, "reading it again": later} {
		if diff := cmp.Diff(want, memberAt(t, document, at)); diff != "" {
			t.Errorf("%s: %s: %s (-want +got): %s", sent, how, at, diff)
		}
	}
}

// TestMembersOfWrites sends every member that the bodies of writes have, one by one.
// None is taken and lost.
func TestMembersOfWrites(t *testing.T) {
	a := newAPI(t).as(t, adminAgent)
	const property = partnercenter.ErrorCodeInvalidProperty
	azure := a.placed(t, documented, line(offerAzure, 1)).LineItems[0].SubscriptionID
	a.send(t, http.MethodPost, subscriptionAt(documented, azure)+"/registrations", "null", 202)
	base := a.placed(t, documented, line(offerE3, 5)).LineItems[0].SubscriptionID
	readOrder := func(answer []byte) string {
		return orderAt(documented, strings.Trim(memberAt(t, answer, "id"), `"`))
	}
	order := reflect.TypeFor[partnercenter.Order]()

	t.Run("POST orders", func(t *testing.T) {
		(&writeCall{
			body: order, read: readOrder,
			fresh: func(*testing.T) (string, string, string) {
				return http.MethodPost, ordersOf(documented), `{"referenceCustomerId":"` + documented + `",` + linesOf(line(itemE3, 2)) + `}`
			},
			fates: map[string]fate{
				"id":                                 {value: `"a0b1c2d3e4f5"`, why: ofAnswers},
				"alternateId":                        {value: `"a0b1c2d3e4f5"`, why: ofAnswers},
				"referenceCustomerId":                {value: `"` + strings.ToUpper(documented) + `"`, shown: `"` + documented + `"`},
				"billingCycle":                       {value: `"Annual"`, shown: `"annual"`, body: `{` + linesOf(line(itemE3, 2, `"termDuration":"P1Y"`)) + `}`},
				"currencyCode":                       {value: `"usd"`, shown: `"USD"`},
				"currencySymbol":                     {value: `"€"`, why: ofAnswers},
				"creationDate":                       {value: `"2020-01-01T00:00:00Z"`, why: ofAnswers},
				"status":                             {value: `"cancelled"`, why: ofAnswers},
				"transactionType":                    {value: `"SystemPurchase"`, why: ofAnswers},
				"totalPrice":                         {value: `0.5`, why: ofAnswers},
				"partnerOnRecordAttestationAccepted": {value: `true`},
				"links":                              {value: `{"self":{"uri":"/x"}}`, why: ofAnswers},
				"client":                             {value: `{"marketplaceCountry":"DE"}`, why: ofAnswers},
				"attributes":                         {value: `{"etag":"x","objectType":"Offer"}`, why: ofAnswers},

				"lineItems[].lineItemNumber":               {value: `0`},
				"lineItems[].provisioningContext":          {value: `{"Scope":"shared","SubscriptionId":"` + azure + `","Duration":"1Year"}`, why: "it says what a reservation is for, which is checked; the service does not answer it", body: `{` + linesOf(line(itemReservation, 1)) + `}`},
				"lineItems[].offerId":                      {value: `"` + strings.ToLower(itemE3) + `"`, shown: `"` + itemE3 + `"`},
				"lineItems[].subscriptionId":               {value: `"` + base + `"`, why: ofAnswers},
				"lineItems[].parentSubscriptionId":         {value: `"` + base + `"`, at: "lineItems[].offerId", shown: `"` + offerArchiving + `"`, body: `{` + linesOf(line(offerArchiving, 1)) + `}`},
				"lineItems[].termDuration":                 {value: `"p1y"`, shown: `"P1Y"`},
				"lineItems[].transactionType":              {value: `"renew"`, why: ofAnswers},
				"lineItems[].friendlyName":                 {value: `"ours"`},
				"lineItems[].quantity":                     {value: `7`},
				"lineItems[].partnerIdOnRecord":            {value: `"5081207"`},
				"lineItems[].additionalPartnerIdsOnRecord": {value: `["5081207"]`},
				"lineItems[].renewsTo":                     {value: `{"termDuration":"P1Y"}`, body: `{` + linesOf(line(itemTrial, 1)) + `}`},
				"lineItems[].promotionId":                  {value: `"CFQ7TTC0LF8R:0001:39NFJQT1X8CM"`, code: partnercenter.ErrorCodePromotionInvalid},
				"lineItems[].customTermEndDate":            {value: `"` + endOfMonth(a, 1) + `T23:59:59Z"`, body: `{` + linesOf(line(itemE3, 1, `"termDuration":"P1Y"`)) + `}`},
				"lineItems[].attestationAccepted":          {value: `true`},
				"lineItems[].purchaseCommitment":           {value: `{"amount":0.05,"currency":"usd","grain":"hourly"}`, code: partnercenter.ErrorCodeSavingsPlanInput},
				"lineItems[].pricing":                      {value: `{"price":0.01}`, why: ofAnswers},
				"lineItems[].links":                        {value: `{"sku":{"uri":"/x"}}`, why: ofAnswers},
				"lineItems[].attributes":                   {value: `{"objectType":"OrderLineItem"}`, why: ofAnswers},
			},
		}).run(t, a)
	})

	t.Run("PATCH orders", func(t *testing.T) {
		whole := func(t *testing.T, l string) (*partnercenter.Order, string) {
			o := a.placed(t, documented, l)
			return o, string(a.send(t, http.MethodGet, orderAt(documented, o.ID), "", 200))
		}
		fates := map[string]fate{
			"id":                                 {value: `"a0b1c2d3e4f5"`, code: property},
			"alternateId":                        {value: `"a0b1c2d3e4f5"`, why: ofAnswers},
			"referenceCustomerId":                {value: `"` + wingtip + `"`, code: property},
			"billingCycle":                       {value: `"Annual"`, shown: `"annual"`},
			"currencyCode":                       {value: `"EUR"`, code: property},
			"currencySymbol":                     {value: `"€"`, why: ofAnswers},
			"creationDate":                       {value: `"2020-01-01T00:00:00Z"`, why: ofAnswers},
			"status":                             {value: `"error"`, code: partnercenter.ErrorCodeEnumUnparsable},
			"transactionType":                    {value: `"SystemPurchase"`, why: ofAnswers},
			"totalPrice":                         {value: `0.5`, why: ofAnswers},
			"partnerOnRecordAttestationAccepted": {value: `true`, code: property},
			"links":                              {value: `{"self":{"uri":"/x"}}`, why: ofAnswers},
			"client":                             {value: `{"marketplaceCountry":"DE"}`, why: ofAnswers},
			"attributes":                         {value: `{"objectType":"Offer"}`, why: ofAnswers},

			"lineItems[].lineItemNumber":               {value: `7`, why: "it counts within the request"},
			"lineItems[].provisioningContext":          {value: `{"scope":"single"}`, code: property},
			"lineItems[].offerId":                      {value: `"` + offerExchange + `"`, code: property},
			"lineItems[].subscriptionId":               {value: `"` + base + `"`, code: property},
			"lineItems[].parentSubscriptionId":         {value: `"` + base + `"`, code: property},
			"lineItems[].termDuration":                 {value: `"P3Y"`, code: property},
			"lineItems[].transactionType":              {value: `"renew"`, why: ofAnswers},
			"lineItems[].friendlyName":                 {value: `"ours"`, code: property},
			"lineItems[].quantity":                     {value: `7`, code: property},
			"lineItems[].partnerIdOnRecord":            {value: `"5081207"`, code: property},
			"lineItems[].additionalPartnerIdsOnRecord": {value: `["5081207"]`, code: property},
			"lineItems[].renewsTo":                     {value: `{"termDuration":"P1Y"}`, code: property},
			"lineItems[].promotionId":                  {value: `"CFQ7TTC0LF8R:0001:39NFJQT1X8CM"`, code: property},
			"lineItems[].customTermEndDate":            {value: `"2027-07-31T00:00:00Z"`, code: property},
			"lineItems[].attestationAccepted":          {value: `true`, code: property},
			"lineItems[].purchaseCommitment":           {value: `{"amount":0.05,"currency":"usd","grain":"hourly"}`, code: property},
			"lineItems[].pricing":                      {value: `{"price":0.01}`, why: ofAnswers},
			"lineItems[].links":                        {value: `{"sku":{"uri":"/x"}}`, why: ofAnswers},
			"lineItems[].attributes":                   {value: `{"objectType":"OrderLineItem"}`, why: ofAnswers},
		}
		for name, body := range map[string]func(*partnercenter.Order, string) string{
			"a whole order": func(_ *partnercenter.Order, whole string) string { return whole },
			"a fresh one": func(o *partnercenter.Order, _ string) string {
				return `{"lineItems":[{"lineItemNumber":0,"offerId":"` + o.LineItems[0].OfferID + `","subscriptionId":"` + o.LineItems[0].SubscriptionID + `"}]}`
			},
		} {
			t.Run(name, func(t *testing.T) {
				its := maps.Clone(fates)
				if name == "a whole order" {
					// It may have been read before it was completed.
					its["status"] = fate{value: `"pending"`, why: "it was that of the order when it was read"}
				}
				(&writeCall{
					body: order, fates: its, read: readOrder,
					fresh: func(t *testing.T) (string, string, string) {
						o, text := whole(t, line(itemE3, 2, `"termDuration":"P1Y"`))
						return http.MethodPatch, orderAt(documented, o.ID), body(o, text)
					},
				}).run(t, a)
			})
		}
		// What cannot change is noise beside something that can.
		o, text := whole(t, line(itemSoftware, 2))
		text = setMember(t, setMember(t, text, "lineItems[].quantity", "5"), "status", `"cancelled"`)
		if got := a.patchOrder(t, documented, o.ID, text); got.Status != partnercenter.OrderStatusCancelled {
			t.Errorf("beside a cancellation: %+v", got)
		}
		o, text = whole(t, line(itemE3, 2, `"termDuration":"P1Y"`))
		text = setMember(t, setMember(t, text, "lineItems[].quantity", "5"), "billingCycle", `"annual"`)
		if got := a.patchOrder(t, documented, o.ID, text); got.BillingCycle != partnercenter.BillingCycleTypeAnnual || *got.LineItems[0].Quantity != 2 {
			t.Errorf("beside another cycle: %+v", got)
		}
		o = a.placed(t, documented, line(offerE3, 2))
		text = `{` + linesOf(line(offerE3, 5, `"subscriptionId":"`+o.LineItems[0].SubscriptionID+`"`), line(offerArchiving, 1, `"parentSubscriptionId":"`+o.LineItems[0].SubscriptionID+`"`)) + `}`
		if got := a.patchOrder(t, documented, o.ID, text); len(got.LineItems) != 2 || *got.LineItems[0].Quantity != 2 {
			t.Errorf("beside an add-on: %+v", got)
		}
		a.check(t, request{method: http.MethodPatch, path: orderAt(documented, o.ID), body: `{` + linesOf(line(offerE3, 5)) + `}`, status: 400, code: property, must: []string{"PATCH", "/subscriptions/"}})
	})

	t.Run("PATCH subscriptions", func(t *testing.T) {
		const (
			unoffered = partnercenter.ErrorCodeOperationUnoffered
			ofCatalog = "it is the item's"
		)
		fates := map[string]fate{
			"id":                           {value: `"` + base + `"`, code: property},
			"entitlementId":                {value: `"` + base + `"`, why: ofAnswers},
			"offerId":                      {value: `"` + itemTrial + `"`, why: ofCatalog},
			"offerName":                    {value: `"x"`, why: ofCatalog},
			"friendlyName":                 {value: `"ours"`},
			"productType":                  {value: `{"id":"Software"}`, why: ofCatalog},
			"quantity":                     {value: `7`},
			"unitType":                     {value: `"none"`, why: ofCatalog},
			"parentSubscriptionId":         {value: `"` + base + `"`, why: ofAnswers},
			"creationDate":                 {value: `"2020-01-01T00:00:00Z"`, why: ofAnswers},
			"effectiveStartDate":           {value: `"2020-01-01T00:00:00Z"`, why: ofAnswers},
			"commitmentEndDate":            {value: `"2020-01-01T00:00:00Z"`, why: ofAnswers},
			"commitmentEndDateTime":        {value: `"2020-01-01T00:00:00Z"`, why: ofAnswers},
			"billingCycleEndDate":          {value: `"2020-01-01T00:00:00Z"`, why: ofAnswers},
			"billingCycleEndDateTime":      {value: `"2020-01-01T00:00:00Z"`, why: ofAnswers},
			"status":                       {value: `"Suspended"`, shown: `"suspended"`},
			"autoRenewEnabled":             {value: `false`},
			"isTrial":                      {value: `true`, why: ofCatalog},
			"billingType":                  {value: `"usage"`, why: ofCatalog},
			"billingCycle":                 {value: `"annual"`, code: partnercenter.ErrorCodeCycleNotHere},
			"hasPurchasableAddons":         {value: `false`, why: ofCatalog},
			"isMicrosoftProduct":           {value: `false`, why: ofCatalog},
			"publisherName":                {value: `"x"`, why: ofCatalog},
			"actions":                      {value: `["edit"]`, why: ofAnswers},
			"partnerId":                    {value: `"5081207"`, code: partnercenter.ErrorCodePartnerNotUpdatable},
			"suspensionReasons":            {value: `["Expiration"]`, why: ofAnswers},
			"contractType":                 {value: `"productKey"`, why: ofAnswers},
			"refundOptions":                {value: `[{"type":"Full"}]`, why: ofAnswers},
			"termDuration":                 {value: `"P3Y"`},
			"renewalTermDuration":          {value: `"P3Y"`, why: "it is shown in scheduledNextTermInstructions"},
			"cancellationAllowedUntilDate": {value: `"2020-01-01T00:00:00Z"`, why: ofAnswers},
			"links":                        {value: `{"self":{"uri":"/x"}}`, why: ofAnswers},
			"orderId":                      {value: `"a0b1c2d3e4f5"`, why: ofAnswers},
			"refundableQuantity":           {value: `{"totalQuantity":1}`, why: ofAnswers},
			"lineItems":                    {value: `[{"autoRenewEnabled":false}]`, why: ofAnswers},
			"customTermEndDate":            {value: `"2027-07-31T00:00:00Z"`, code: partnercenter.ErrorCodeCustomEndMismatch},
			"promotionId":                  {value: `"x:y:z"`, code: partnercenter.ErrorCodePromotionInvalid},
			"attentionNeeded":              {value: `true`, why: ofAnswers},
			"actionTaken":                  {value: `true`, why: ofAnswers},
			"consumptionType":              {value: `"overage"`, why: ofAnswers},
			"migratedFromSubscriptionId":   {value: `"` + base + `"`, why: ofAnswers},
			"productOrderId":               {value: `"x"`, why: ofAnswers},

			"scheduledNextTermInstructions.product.productId":      {value: `"CFQ7TTC0LFLX"`},
			"scheduledNextTermInstructions.product.skuId":          {value: `"0009"`, code: partnercenter.ErrorCodeItemNotEligible},
			"scheduledNextTermInstructions.product.availabilityId": {value: `"CFQ7TTC0KZZZ"`, code: partnercenter.ErrorCodeItemNotEligible},
			"scheduledNextTermInstructions.product.billingCycle":   {value: `"Annual"`, shown: `"annual"`},
			"scheduledNextTermInstructions.product.termDuration":   {value: `"P3Y"`},
			"scheduledNextTermInstructions.product.promotionId":    {value: `"x:y:z"`, code: partnercenter.ErrorCodePromotionInvalid},
			"scheduledNextTermInstructions.quantity":               {value: `7`},
			"scheduledNextTermInstructions.customTermEndDate":      {value: `"` + endOfMonth(a, 18) + `T00:00:00"`},

			"nextChargeInstructions.product.productId":      {value: `"CFQ7TTC0LFLX"`},
			"nextChargeInstructions.product.skuId":          {value: `"0009"`, code: unoffered},
			"nextChargeInstructions.product.availabilityId": {value: `"CFQ7TTC0KZZZ"`, code: unoffered},
			"nextChargeInstructions.product.billingCycle":   {value: `"Annual"`, shown: `"annual"`},
			"nextChargeInstructions.product.termDuration":   {value: `"P3Y"`, code: unoffered},
			"nextChargeInstructions.product.promotionId":    {value: `"x:y:z"`, code: partnercenter.ErrorCodePromotionInvalid},
			"nextChargeInstructions.quantity":               {value: `7`},
			"nextChargeInstructions.customTermEndDate":      {value: `"2028-07-31T00:00:00"`, code: partnercenter.ErrorCodeCustomEndMismatch},

			"scheduledActions": {value: `[{"actionType":"RenewToNewTerm","scheduleType":"TermEnd"}]`},
			"attributes":       {value: `{"objectType":"Order"}`, why: ofAnswers},
		}
		for name, whole := range map[string]bool{"a whole subscription": true, "few words": false} {
			t.Run(name, func(t *testing.T) {
				var path string
				(&writeCall{
					body: reflect.TypeFor[partnercenter.Subscription](), fates: fates,
					read: func([]byte) string { return path },
					fresh: func(t *testing.T) (string, string, string) {
						id := a.placed(t, documented, line(itemE3, 5, `"termDuration":"P1Y"`)).LineItems[0].SubscriptionID
						path = subscriptionAt(documented, id)
						body := `{"autoRenewEnabled":true}`
						if whole {
							body = string(a.send(t, http.MethodGet, path, "", 200))
						}
						return http.MethodPatch, path, body
					},
				}).run(t, a)
			})
		}
		// An etag that is not the stored one is refused, whatever else is asked.
		id := a.placed(t, documented, line(itemE3, 5)).LineItems[0].SubscriptionID
		a.check(t, request{method: http.MethodPatch, path: subscriptionAt(documented, id), body: `{"attributes":{"etag":"x"}}`, status: 400, code: partnercenter.ErrorCodeEtagStale})
	})

	t.Run("POST applicationconsents", func(t *testing.T) {
		path := "/v1/customers/" + documented + "/applicationconsents"
		(&writeCall{
			body: reflect.TypeFor[partnercenter.ApplicationConsent](),
			fresh: func(t *testing.T) (string, string, string) {
				a.do(t, request{method: http.MethodDelete, path: path + "/" + a.ClientID}) // of the member before
				return http.MethodPost, path, `{"applicationId":"` + a.ClientID + `","applicationGrants":[{"enterpriseApplicationId":"` + graphID + `","scope":"User.Read"}]}`
			},
			fates: map[string]fate{
				"applicationId": {value: `"` + strings.ToUpper(a.ClientID) + `"`},
				"displayName":   {value: `"Panel"`},
				"applicationGrants[].enterpriseApplicationId": {value: `"` + graphID + `"`},
				"applicationGrants[].scope":                   {value: `"Directory.Read.All"`},
			},
		}).run(t, a)
	})

	t.Run("metadata of attachments", func(t *testing.T) {
		// Each is checked by a rule, and kept with the upload. No documented call reads it.
		want := []string{"isPartOfTender", "customerPrice", "currency", "fxRate", "tenderLink"}
		if diff := cmp.Diff(want, membersOf(reflect.TypeFor[partnercenter.AttachmentMetadata](), "", nil)); diff != "" {
			t.Error(diff)
		}
	})
}
