package published

import (
	"bytes"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/contract/contracttest"
	"github.com/partnercenter-go/partnercenter/internal/seed"
)

// TestSeedIsTheDocumentedList compares the one documented payload that the
// repository has, as it is the sample's.
func TestSeedIsTheDocumentedList(t *testing.T) {
	if !bytes.Equal(example(t, "orders-list.seed.json"), contracttest.ReadPayload(t, "orders-list.seed.json")) {
		t.Error("internal/contract/testdata/orders-list.seed.json is not the documented one")
	}
}

// TestSampleSellsWhatIsNamed looks up every offer, product and catalog item in the
// documented payloads: ids by name, links, and parts of resources.
func TestSampleSellsWhatIsNamed(t *testing.T) {
	a := newAPI(t)
	named := map[string]string{} // path, and the payload that names it
	for _, name := range payloads(t, "examples") {
		var value any
		if json.Unmarshal(example(t, name), &value) != nil {
			continue // not every example is meant to be JSON
		}
		walk(value, func(object map[string]any) {
			text := map[string]string{}
			for key, value := range object {
				if value, ok := value.(string); ok {
					text[strings.ToLower(key)] = value
				}
			}
			look := func(path ...string) { named["/v1/"+strings.Join(path, "/")] = name }
			for _, key := range []string{"offerid", "catalogitemid"} {
				switch id := strings.Split(text[key], ":"); {
				case text[key] == "":
				case len(id) == 3:
					look("products", id[0], "skus", id[1], "availabilities", id[2])
				default:
					look("offers", text[key])
				}
			}
			uri, _, _ := strings.Cut(text["uri"], "?")
			switch {
			case strings.Contains(uri, "/products/all/"): // one product of all would be no address
			case strings.HasPrefix(uri, "/products/"), strings.HasPrefix(uri, "/offers/"), strings.HasPrefix(uri, "/v1/offers/"):
				look(strings.TrimPrefix(strings.TrimPrefix(uri, "/v1"), "/"))
			case strings.Contains(uri, "/Offers/"):
				look("offers", text["id"])
			}
			product, sku := text["productid"], text["skuid"]
			switch {
			case product == "":
			case sku != "":
				look("products", product, "skus", sku)
			case text["id"] != "":
				look("products", product, "skus", text["id"])
			default:
				look("products", product)
			}
		})
	}
	if len(named) < 50 {
		t.Errorf("only %d items were found", len(named))
	}
	for path, name := range named {
		t.Run(name+path, func(t *testing.T) { a.get(t, path+"?country=US") })
	}
}

// walk calls visit for every object of a JSON value.
func walk(value any, visit func(map[string]any)) {
	switch value := value.(type) {
	case []any:
		for _, item := range value {
			walk(item, visit)
		}
	case map[string]any:
		visit(value)
		for _, member := range value {
			walk(member, visit)
		}
	}
}

// TestAnswersCanBeImported imports every documented answer that holds orders or
// customers.
func TestAnswersCanBeImported(t *testing.T) {
	for name, want := range map[string]struct{ customers, orders int }{
		"orders-list.seed.json":                             {0, 2},
		"orders-list.response.json":                         {0, 2},
		"orders-get.response.json":                          {0, 1},
		"orders-get-po-upload-complete.response.json":       {0, 1},
		"orders-create.response.json":                       {0, 1},
		"orders-patch-addon.response.json":                  {0, 1},
		"orders-patch-billing-cycle.response.json":          {0, 1},
		"orders-cancel-sandbox.response.json":               {0, 1},
		"customers-list.response.json":                      {2, 0},
		"customers-list-by-indirect-reseller.response.json": {2, 0},
		"customers-get.response.json":                       {1, 0},
		"customers-create.response.json":                    {1, 0},
	} {
		im := new(seed.Import)
		if err := seed.ReadImport(name, bytes.NewReader(example(t, name)), im); err != nil {
			t.Error(err)
		} else if len(im.Customers) != want.customers || len(im.Orders) != want.orders {
			t.Errorf("%s: %d customers and %d orders, want %+v", name, len(im.Customers), len(im.Orders), want)
		}
	}
	for name, want := range map[string]string{
		"orders-create.request.json":              "without id",
		"offers-get.response.json":                `is of type "Offer"`,
		"error-400-2000-both-ids.response.json":   "is an error answer of the API, code 2000",
		"error-429-gateway.response.json":         "is an error answer of the API's gateway, status 429",
		"customers-company-profile.response.json": `is of type "CustomerCompanyProfile"`,
	} {
		err := seed.ReadImport(name, bytes.NewReader(example(t, name)), new(seed.Import))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error is %v, want …%s…", name, err, want)
		}
	}
}

// TestAttachmentMetadata uploads files with the documented metadata.
func TestAttachmentMetadata(t *testing.T) {
	a := newAPI(t)
	placed := a.send(t, http.MethodPost, seedOrders, "application/json", `{"billingCycle":"one_time","lineItems":[{"lineItemNumber":0,"offerId":"DG7GMGF0D7FV:0003:DG7GMGF0D609","quantity":1}]}`, http.StatusCreated)
	var order partnercenter.Order
	if err := partnercenter.Unmarshal(placed, &order); err != nil {
		t.Fatal(err)
	}
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	write := func(header textproto.MIMEHeader, content []byte) {
		part, err := form.CreatePart(header)
		if err == nil {
			_, err = part.Write(content)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	write(textproto.MIMEHeader{"Content-Disposition": {"form-data; name=metadata"}, "Content-Type": {"application/json; charset=utf-8"}}, example(t, "orders-attachment-metadata.request.json"))
	write(textproto.MIMEHeader{"Content-Disposition": {`form-data; name=POFiles; filename="PO_Part1.pdf"`}}, []byte("po"))
	write(textproto.MIMEHeader{"Content-Disposition": {`form-data; name=TenderFiles; filename="Tender.pdf"`}}, []byte("tender"))
	if err := form.Close(); err != nil {
		t.Fatal(err)
	}
	answer := a.send(t, http.MethodPost, seedOrders+"/"+order.ID+"/attachment", form.FormDataContentType(), body.String(), http.StatusCreated)
	for _, want := range []string{`"totalCount":2,`, "PO_Part1.pdf", "Tender.pdf", "POAttachment", "TenderAttachment"} {
		if !strings.Contains(string(answer), want) {
			t.Errorf("%s is missing in %s", want, answer)
		}
	}
}

// TestTokenAnswer compares the token authority's answer with the documented one: its
// members in order, and the lifetime of the token.
func TestTokenAnswer(t *testing.T) {
	a := newAPI(t)
	resp, err := a.client.PostForm(a.URL+"/"+a.TenantID+"/oauth2/token", url.Values{
		"grant_type": {"client_credentials"}, "resource": {"https://graph.windows.net"}, "client_id": {a.ClientID}, "client_secret": {a.ClientSecret},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	want := example(t, "auth-token-app-only.response.json")
	if diff := cmp.Diff(members(t, want), members(t, answer)); diff != "" {
		t.Errorf("members (-documented +got):\n%s", diff)
	}
	span := func(text []byte) time.Duration {
		var v struct {
			ExpiresOn int64 `json:"expires_on,string"`
			NotBefore int64 `json:"not_before,string"`
		}
		if err := json.Unmarshal(text, &v); err != nil {
			t.Fatalf("%v in %s", err, text)
		}
		return time.Duration(v.ExpiresOn-v.NotBefore) * time.Second
	}
	if got, want := span(answer), span(want); got != want {
		t.Errorf("valid for %v, documented is %v", got, want)
	}
}

// members are the names of an object's members in their order.
func members(t *testing.T, object []byte) []string {
	t.Helper()
	var names []string
	d := json.NewDecoder(bytes.NewReader(object))
	if _, err := d.Token(); err != nil {
		t.Fatal(err)
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, name.(string))
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			t.Fatal(err)
		}
	}
	return names
}
