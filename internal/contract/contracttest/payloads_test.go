package contracttest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
)

// Every payload matches its type in the document. Odd ones are only sent: the server
// answers with no such form.
func TestPayloadsConform(t *testing.T) {
	for _, p := range Payloads(t) {
		t.Run(p.Name, func(t *testing.T) {
			_, schema := p.Type(t)
			if schema == nil || p.Odd && !p.Request {
				return
			}
			if found := Problems(p.Data, schema, p.Request); found != nil {
				t.Error(strings.Join(found, "\n"))
			}
		})
	}
}

// without are bodies that need no example.
var without = map[string]string{
	"orders-download-attachment.response": "the bytes that were uploaded, whatever they are",
	"auth-authorize.response":             "pages, and an address to go to",
	"applicationconsents-delete.response": "nothing is answered",
	"subscriptions-register.response":     "nothing is answered",
	"productupgrades-create.response":     "nothing is answered",
}

// Every supported call has an example of each of its bodies.
func TestEveryOperationHasPayloads(t *testing.T) {
	have := map[string]bool{}
	for _, p := range Payloads(t) {
		if !p.Odd {
			have[strings.TrimSuffix(p.Name, ".json")] = true
		}
	}
	forms, err := filepath.Glob(filepath.Join(payloadFolder(t), "*.request.form"))
	if err != nil {
		t.Fatal(err)
	}
	for _, form := range forms {
		have[strings.TrimSuffix(filepath.Base(form), ".form")] = true
	}
	works := map[string]bool{}
	for _, op := range Matrix(t) {
		works[op.Area+"-"+op.Operation] = op.SDK || op.Server || op.CLI
	}
	operations, unused := described(loaded(t)), maps.Clone(without)
	for name, ok := range works {
		op := operations[name]
		switch {
		case !ok:
			continue
		case op == nil:
			t.Errorf("%s works, but the document does not have it", name)
			continue
		}
		needed := []string{name + ".response"}
		if op.RequestBody != nil && op.RequestBody.Value.Required {
			needed = append(needed, name+".request")
		}
		for _, body := range needed {
			why, left := without[body]
			if have[body] == left {
				t.Errorf("%s has a file in internal/contract/testdata: %v, and a reason to have none: %q", body, have[body], why)
			}
			delete(unused, body)
		}
	}
	for body := range unused {
		t.Errorf("no call that works has the body %s; take it from the table", body)
	}
}

// oddShapes are the files of odd, and text that each must contain when it is written
// without spaces.
var oddShapes = map[string][]string{
	"catalog-check-inventory.pascal-case.request.json": {`"TargetItems":[{"ProductId":`, `"Restrictions":null`, `"InventoryContext":null`},
	"customers-get.unknown-members.response.json":      {`"quay":[{}]`, `"fax":"none"`, `"floor":2`},
	"error.data-null.response.json":                    {`"code":1000,`, `"data":null`},
	"error.data-object.response.json":                  {`"code":"800002"`, `"data":{"at":7}`},
	"error.data-text.response.json":                    {`"data":"one of them only"`},
	"orders-create.lower-case.request.json":            {"\ufeff{", `"billingcycle":"onetime"`, `"lineitems":[{"lineitemnumber":0,"offerid":"dg`},
	"orders-create.numbers.request.json":               {`"billingCycle":4,"status":0,`},
	"orders-create.pascal-case.request.json":           {`"LineItems":[{"LineItemNumber":0,"OfferId":"DG`, `"BillingCycle":"OneTime"`, `"RenewsTo":null`, `"Etag":null`},
	"orders-create.unset-date.request.json":            {`"creationDate":"0001-01-01T00:00:00"`, `"subscriptionId":""`, `"renewsTo":[]`},
	"orders-get.byte-order-mark.response.json":         {"\ufeff{", `"lineItems":[]`},
	"orders-get.empty-strings.response.json":           {`"offerId":"","subscriptionId":"","termDuration":"","friendlyName":"","partnerIdOnRecord":""`, `"provisioningContext":{},"additionalPartnerIdsOnRecord":[],"pricing":{},"links":{},"attributes":{}`, `"etag":""`},
	"orders-get.lower-case.response.json":              {`"lineitems":[{"lineitemnumber":0,"offerid":`, `"billingcycle":"onetime"`, `"totalprice":24.5`, `"objecttype":"Order"`},
	"orders-get.numbers.response.json":                 {"24606.350", "0.1999968000511991808131", "1e2", "-4", "12345678901234567890.01"},
	"orders-get.pascal-case.response.json":             {`"RenewsTo":{"TermDuration":"P1M"}`, `"Pricing":{"ListPrice":1.5,`, `"Headers":[{"Key":"a","Value":"b"}]`, `"AlternateId":null`, `"TotalPrice":6.0`},
	"orders-get.renews-to-array.response.json":         {`"renewsTo":[{"termDuration":"P1M"}]`, `"renewsTo":{"termDuration":"P1Y"}`},
	"orders-get.unknown-members.response.json":         {`"later":{"a":[1,2.5,null,true]}`, `"sealed":true`, `"body":"{}"`, `"harbour":{`, `"rebate":"-0.5"`, `"chart":{`, `"tide":"low"`, `"version":2`},
	"orders-get.upper-case.response.json":              {`"ID":"`, `"BILLINGCYCLE":"ANNUAL"`, `"LINEITEMS":[{"LINEITEMNUMBER":0,"QUANTITY":2}]`, `"STATUS":"PENDING"`},
	"orders-list.billing-cycles.response.json": values("billingCycle", `0`, `1`, `2`, `3`, `4`, `5`, `6`, `9`, `"0"`, `"4"`, `"one_time"`, `"OneTime"`, `"oneTime"`, `"onetime"`, `"ONE_TIME"`,
		`"Annual"`, `"monthly"`, `"Biennial"`, `"triennial"`, `"none"`, `"unknown"`, `"quarterly"`),
	"orders-list.dates.response.json": append(values("creationDate", `"2026-04-17T13:08:52.4471938Z"`, `"2026-04-17T13:08:52.447193Z"`, `"2026-04-17T05:08:52.447-08:00"`,
		`"2026-04-17T13:08:52.44+00:00"`, `"2026-04-17T13:08:52Z"`, `"2026-04-17T13:08:52"`, `"2026-04-17T13:08:52.5"`, `"2026-04-17"`, `"2026-04-17T13: 08: 52Z"`, `"4/17/2026 1:08:52 PM"`,
		`"04/17/2026 13:08:52"`, `"9999-12-14T00:00:00Z"`, `"0001-01-01T00:00:00"`, `"0001-01-01T00:00:00Z"`, `"next tide"`), `{"id":"d15","lineItems":[]}`),
	"orders-list.nulls.response.json": {`"alternateId":null,"lineItems":null,"billingCycle":null,"status":null,"creationDate":null,"totalPrice":null,"links":null,"client":null,"attributes":null`,
		`"quantity":null,"pricing":null,"renewsTo":null,"provisioningContext":null`, `],"links":null,"attributes":null}`},
	"orders-list.one-item.response.json": {`{"totalCount":1,"items":[{"id":"5c7e20b9f41d"}]}`},
	"orders-list.statuses.response.json": values("status", `1`, `2`, `3`, `4`, `5`, `"completed"`, `"Completed"`, `"PendingPOUpload"`, `"pending_po_upload"`, `"po_upload_complete"`, `"POUploadComplete"`,
		`"canceled"`, `"adrift"`),
	"orders-upload-attachments.other-spelling.request.json": {`"IsPartofTender":true`, `"CustomerPrice":"7"`, `"FxRate":null`},
	"subscriptions-get.unknown-members.response.json":       {`"productType":{`, `"attentionNeeded":false`, `"billingCycleEndDate":"`, `"tide":{`},
	"subscriptions-list.statuses.response.json": values("status", `1`, `2`, `3`, `"none"`, `"active"`, `"Active"`, `"Suspended"`, `"deleted"`, `"Expired"`, `"pending"`, `"disabled"`,
		`"adrift"`),
	"subscriptions-suspend.pascal-case.request.json": {`"Status":"Suspended"`, `"SuspensionReasons":null`, `"Links":null`},
}

// values are a member's, as they stand at the end of an object.
func values(key string, all ...string) []string {
	texts := make([]string, len(all))
	for i, value := range all {
		texts[i] = fmt.Sprintf("%q:%s}", key, value)
	}
	return texts
}

// Every odd form has a file, and each file is odd in its own way.
func TestOddShapesAreThere(t *testing.T) {
	left := maps.Clone(oddShapes)
	for _, p := range Payloads(t) {
		name, odd := strings.CutPrefix(p.Name, "odd/")
		if !odd {
			continue
		}
		shapes := left[name]
		if shapes == nil {
			t.Errorf("%s: nothing says what it is for; add it to oddShapes", p.Name)
		}
		delete(left, name)
		var plain bytes.Buffer
		if err := json.Compact(&plain, bytes.TrimPrefix(p.Data, byteOrderMark)); err != nil {
			t.Errorf("%s: %v", p.Name, err)
		}
		text := plain.String()
		if bytes.HasPrefix(p.Data, byteOrderMark) {
			text = string(byteOrderMark) + text
		}
		for _, shape := range shapes {
			if !strings.Contains(text, shape) {
				t.Errorf("%s does not hold %q", p.Name, shape)
			}
		}
	}
	for name := range left {
		t.Errorf("odd/%s is missing", name)
	}
}

// Payloads pass whole, not only their bodies, through a checker.
func TestPayloadsPass(t *testing.T) {
	const books = "7e1f5a02-3bd8-4c96-a0e7-58d214b9c3f6"
	for _, tt := range []struct {
		payload string
		method  string
		path    string
		status  int
	}{
		{"orders-list.response.json", "GET", "/v1/customers/" + books + "/orders", 200},
		{"orders-get.response.json", "GET", "/v1/customers/" + books + "/orders/5c7e20b9f41d?include_price=False", 200},
		{"customers-list-by-indirect-reseller.response.json", "GET", "/v1//customers?size=0&filter=%7B%22Field%22:%22IndirectReseller%22%7D", 200},
		{"customers-get.response.json", "GET", "/V1.0/Customers/" + strings.ToUpper(books) + "/", 200},
		{"error.invalid.response.json", "GET", "/v1/customers", 400},
		{"error-gateway.response.json", "GET", "/v1/customers", 429},
		{"auth-token-app-only.response.json", "POST", "/harbourlane.example.com/oauth2/token", 200},
		{"auth-token-authorization-code.response.json", "POST", "/harbourlane.example.com/oauth2/token", 200},
		{"auth-token-refresh.response.json", "POST", "/harbourlane.example.com/oauth2/token", 200},
	} {
		t.Run(tt.payload, func(t *testing.T) {
			a := answer{status: tt.status, header: vendorHeaders(), body: string(ReadPayload(t, tt.payload))}
			req := request(t, tt.method, tt.path)
			switch {
			case tt.status == http.StatusTooManyRequests:
				a.header = http.Header{"Content-Type": {"application/json"}, "Retry-After": {"31"}}
			case tt.method == http.MethodPost:
				a.header = authorityHeaders()
				req = tokenRequest(t, tt.path, strings.TrimSpace(string(ReadPayload(t, strings.Replace(tt.payload, ".response.json", ".request.form", 1)))))
			}
			if got := exchangeProblems(t, req, a); got != nil {
				t.Errorf("refused:\n%s", strings.Join(got, "\n"))
			}
		})
	}
}
