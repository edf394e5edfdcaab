package seed

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/contract/contracttest"
)

const (
	wingtipID = "9d60c2b7-e814-4f35-a0d9-6b31f7c85e42"
	// briefJSON is a customer as a list has it, fullJSON the same by itself.
	briefJSON = `{"id":"` + wingtipID + `","companyProfile":{"domain":"wingtiptoys.onmicrosoft.com","companyName":"Wingtip Toys"},"relationshipToPartner":"reseller","attributes":{"objectType":"Customer"}}`
	fullJSON  = `{"id":"` + wingtipID + `","companyProfile":{"domain":"wingtiptoys.onmicrosoft.com","companyName":"Wingtip Toys","email":"a@example.com"},"relationshipToPartner":"reseller","customDomains":["toys.example.com"],"attributes":{"objectType":"Customer"}}`
	orderJSON = `{"id":"c5d80f3a7b21","referenceCustomerId":"` + wingtipID + `","lineItems":[{"lineItemNumber":0,"offerId":"o","quantity":1}],"totalPrice":1.50,"attributes":{"objectType":"Order"}}`
)

func importTexts(texts ...string) (*Import, error) {
	im := new(Import)
	for i, text := range texts {
		if err := ReadImport(fmt.Sprintf("%d.json", i+1), strings.NewReader(text), im); err != nil {
			return nil, err
		}
	}
	return im, nil
}

func TestReadImport(t *testing.T) {
	collection := func(items ...string) string {
		return `{"totalCount":1,"items":[` + strings.Join(items, ",") + `],"links":{"self":{"uri":"/v1/customers/` + wingtipID +
			`/orders","method":"GET","headers":[]}},"attributes":{"objectType":"Collection"}}`
	}
	const anonymous = `{"id":"eeba9d00-7b46-443a-917e-22887a8fc993","lineItems":[]%s}`
	withCustomer := `{"id":"eeba9d00-7b46-443a-917e-22887a8fc993","referenceCustomerId":"` + wingtipID + `","lineItems":[]%s}`
	self := `,"links":{"self":{"uri":"/customers/` + wingtipID + `/orders/eeba9d00-7b46-443a-917e-22887a8fc993","method":"GET","headers":[]}}`
	tests := []struct {
		name  string
		files []string
		want  []string // customers, then orders
	}{
		{"collection of orders", []string{collection(orderJSON)}, []string{orderJSON}},
		{"collection of customers, by token", []string{`{"totalCount":1,"items":[` + briefJSON + `],"continuationToken":"x","attributes":{"objectType":"Collection"}}`}, []string{briefJSON}},
		{"empty collection", []string{collection()}, nil},
		{"order", []string{orderJSON}, []string{orderJSON}},
		{"customer", []string{fullJSON}, []string{fullJSON}},
		{"list of both", []string{"[" + orderJSON + "," + fullJSON + "]"}, []string{fullJSON, orderJSON}},
		{"byte order mark, one after another", []string{"\ufeff" + orderJSON + "\n" + collection(fullJSON)}, []string{fullJSON, orderJSON}},
		{"PascalCase", []string{`{"Items":[{"Id":"c5d80f3a7b21","ReferenceCustomerId":"` + wingtipID + `","LineItems":[{"Quantity":1,"SubscriptionId":null}],"Attributes":{"ObjectType":"order"}}]}`},
			[]string{`{"id":"c5d80f3a7b21","referenceCustomerId":"` + wingtipID + `","lineItems":[{"quantity":1}],"attributes":{"objectType":"Order"}}`}},
		{"by shape", []string{`{"id":"c5d80f3a7b21","referenceCustomerId":"` + wingtipID + `","lineItems":null} {"id":"` + wingtipID + `","companyProfile":{}}`},
			[]string{`{"id":"` + wingtipID + `","companyProfile":{}}`, `{"id":"c5d80f3a7b21","referenceCustomerId":"` + wingtipID + `"}`}},
		{"unknown members stay", []string{`{"id":"c5d80f3a7b21","referenceCustomerId":"` + wingtipID + `","lineItems":[],"new":{"a":1.0}}`},
			[]string{`{"id":"c5d80f3a7b21","referenceCustomerId":"` + wingtipID + `","lineItems":[],"new":{"a":1.0}}`}},
		{"the order's link names the customer", []string{fmt.Sprintf(anonymous, self)}, []string{fmt.Sprintf(withCustomer, self)}},
		{"the list's link names the customer", []string{collection(fmt.Sprintf(anonymous, ""))}, []string{fmt.Sprintf(withCustomer, "")}},
		{"the same twice", []string{orderJSON + fullJSON, collection(orderJSON, strings.ReplaceAll(fullJSON, wingtipID, strings.ToUpper(wingtipID)))}, []string{fullJSON, orderJSON}},
		{"list, then get", []string{collection(briefJSON), fullJSON}, []string{fullJSON}},
		{"get, then list", []string{fullJSON, collection(briefJSON)}, []string{fullJSON}},
		{"short ids differ by case", []string{orderJSON, strings.Replace(orderJSON, "c5d80f3a7b21", "C5D80F3A7B21", 1)}, []string{orderJSON, strings.Replace(orderJSON, "c5d80f3a7b21", "C5D80F3A7B21", 1)}},
		{"the first password is not kept", []string{`{"id":"` + wingtipID + `","companyProfile":{},"userCredentials":{"userName":"admin","password":"x"}}`}, []string{`{"id":"` + wingtipID + `","companyProfile":{}}`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			im, err := importTexts(tt.files...)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, c := range im.Customers {
				got = append(got, mustMarshal(t, c))
			}
			for _, o := range im.Orders {
				got = append(got, mustMarshal(t, o))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestReadImportErrors(t *testing.T) {
	tests := []struct {
		name  string
		files []string
		want  string
	}{
		{"empty", []string{" \n"}, "1.json:1: the file is empty; save an answer of the API into it"},
		{"cut off", []string{"{\"items\":[\n" + orderJSON + ",\n{\"id\":\"x"}, "1.json:3: the answer is cut off: the file ends in the middle of it; fetch it again"},
		{"cut off between items", []string{"{\"items\":[\n" + orderJSON}, "1.json:2: the answer is cut off: the file ends in the middle of it; fetch it again"},
		{"cut off after a whole answer", []string{orderJSON + "\n{"}, "1.json:2: the answer is cut off: the file ends in the middle of it; fetch it again"},
		{"not JSON", []string{"{\"items\":[\n{},]}"}, "1.json:2: not JSON: invalid character ']' at start of value at byte 14; fetch the answer again or correct the file"},
		{"a page", []string{"<html>"}, "1.json:1: not JSON: invalid character '<' at start of value at byte 0; fetch the answer again or correct the file"},
		{"a number", []string{"\n5"}, "1.json:2: is neither an order (it has no lineItems) nor a customer (no companyProfile); import takes the answers of /customers, /customers/{id}, /customers/{id}/orders and /customers/{id}/orders/{id}"},
		{"null in a list", []string{"[\n" + orderJSON + ",\nnull]"}, "1.json:3: items[1]: is neither an order (it has no lineItems) nor a customer (no companyProfile); import takes the answers of /customers, /customers/{id}, /customers/{id}/orders and /customers/{id}/orders/{id}"},
		{"another resource", []string{"{\"items\":[\n{\"id\":\"x\",\"attributes\":{\"objectType\":\"Offer\"}}]}"}, `1.json:2: items[0]: is of type "Offer"; import takes customers, orders, subscriptions, transitions, support contacts, overages and carts, leave this out`},
		{"error answer", []string{`{"code":2000,"description":"Both were passed.","data":[],"source":"X"}`}, "1.json:1: is an error answer of the API, code 2000: Both were passed; repeat the call and save what it answers when it succeeds"},
		{"gateway error", []string{`{"statusCode":429,"message":"Try again in 57 seconds."}`}, "1.json:1: is an error answer of the API's gateway, status 429: Try again in 57 seconds; repeat the call and save what it answers when it succeeds"},
		{"order request", []string{`{"id":null,"lineItems":[]}`}, "1.json:1: is an order without id, as in a request; save the answer instead"},
		{"customer request", []string{`{"companyProfile":{}}`}, "1.json:1: is a customer without id, as in a request; save the answer instead"},
		{"order of nobody", []string{`{"id":"c5d80f3a7b21","lineItems":[]}`}, "1.json:1: order c5d80f3a7b21 does not say whose it is: add referenceCustomerId, the customer's GUID"},
		{"order of no GUID", []string{`{"id":"c5d80f3a7b21","lineItems":[],"referenceCustomerId":"wingtip"}`}, `1.json:1: order c5d80f3a7b21: referenceCustomerId "wingtip" is not a GUID; use the customer's`},
		{"order of no text", []string{strings.Replace(orderJSON, "c5d80f3a7b21", "c5d80f3a\xe9", 1)}, "1.json:1: order \"c5d80f3a\ufffd\": the id \"c5d80f3a\ufffd\" has a character that is not valid UTF-8, so that other ids would be the same; fetch the answer again"},
		{"line of no text", []string{`{"id":"c5d80f3a7b21","referenceCustomerId":"` + wingtipID + `","lineItems":[{"offerId":"a\ud800"}]}`}, "1.json:1: order \"c5d80f3a7b21\": the id \"a\ufffd\" has a character that is not valid UTF-8, so that other ids would be the same; fetch the answer again"},
		{"order of no date", []string{"[\n" + strings.Replace(orderJSON, `"quantity":1`, `"quantity":1,"customTermEndDate":"banana"`, 1) + "]"}, "1.json:2: items[0]: lineItems[0].customTermEndDate \"banana\" is not a date; fetch the answer again, or write one such as 2023-03-15T02:17:15.6455674Z"},
		{"order of less than nothing", []string{strings.Replace(orderJSON, `"quantity":1`, `"quantity":-1`, 1)}, "1.json:1: order \"c5d80f3a7b21\": lineItems[0].quantity is below zero; a cancelled line has 0"},
		{"folded member", []string{"\n" + strings.Replace(orderJSON, `"quantity"`, `"Unit":"\u212A","\u212Aind":1,"quantity"`, 1)}, "1.json:2: has a member \"\u212Aind\", with a letter beyond ASCII that would be taken for s or k; fetch the answer again or correct the file"},
		{"customer of no GUID", []string{`{"id":"wingtip","companyProfile":{}}`}, `1.json:1: customer id "wingtip" is not a GUID; use the customer's`},
		{"two orders", []string{orderJSON, "[" + strings.Replace(orderJSON, "1.50", "1.51", 1) + "]"}, "2.json:1: items[0]: order c5d80f3a7b21 is in 1.json:1 too and differs; import the newer of the two only"},
		{"two customers", []string{"[\n" + briefJSON + ",\n" + strings.Replace(fullJSON, "Wingtip Toys", "Wingtip", 1) + "]"}, "1.json:3: items[1]: customer " + wingtipID + " is in 1.json:2, items[0] too and differs; import the newer of the two only"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := importTexts(tt.files...)
			var importErr *ImportError
			if !errors.As(err, &importErr) || err.Error() != tt.want {
				t.Errorf("error is\n%v\nwant\n%s", err, tt.want)
			}
		})
	}

	t.Run("wrong type", func(t *testing.T) {
		_, err := importTexts("\n" + strings.Replace(orderJSON, `"quantity":1`, `"quantity":"one"`, 1))
		for _, want := range []string{"1.json:2: is not an order of the API: ", "/lineItems/0/quantity", "correct the file"} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("error is %v, want …%s…", err, want)
			}
		}
	})
}

func TestImportSeed(t *testing.T) {
	other := "7b1d4e90-2c85-4f6a-8e37-d90a5c62b1f8"
	im, err := importTexts(
		strings.ReplaceAll(orderJSON, wingtipID, strings.ToUpper(wingtipID)),
		strings.ReplaceAll(orderJSON, wingtipID, other),
		strings.ReplaceAll(strings.ReplaceAll(orderJSON, wingtipID, strings.ToUpper(other)), "c5d80f3a7b21", "d1"),
		fullJSON,
	)
	if err != nil {
		t.Fatal(err)
	}
	partner := Tenant{TenantID: "0f2a9c14-5b7e-4d38-9a61-c3e8d70b4f25"}
	seed, placeholders, err := im.Seed(partner)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(placeholders, []string{other}) {
		t.Errorf("placeholders are %v", placeholders)
	}
	if len(seed.Partners) != 1 || seed.Partners[0].Tenant != partner || len(seed.Partners[0].Customers) != 2 {
		t.Fatalf("seed is %+v", seed)
	}
	known, made := seed.Partners[0].Customers[0], seed.Partners[0].Customers[1]
	if known.Placeholder || len(known.Orders) != 1 || mustMarshal(t, known.Customer) != fullJSON {
		t.Errorf("known customer is %+v", known)
	}
	want := `{"id":"` + other + `","companyProfile":{"tenantId":"` + other + `","companyName":"Customer ` + other + `",` +
		`"links":{"self":{"uri":"/customers/` + other + `/profiles/company","method":"GET","headers":[]}},"attributes":{"objectType":"CustomerCompanyProfile"}},` +
		`"relationshipToPartner":"reseller","links":{"self":{"uri":"/customers/` + other + `","method":"GET","headers":[]}},"attributes":{"objectType":"Customer"}}`
	if !made.Placeholder || len(made.Orders) != 2 {
		t.Errorf("placeholder is %+v", made)
	}
	if diff := cmp.Diff(want, mustMarshal(t, made.Customer)); diff != "" {
		t.Errorf("placeholder (-want +got):\n%s", diff)
	}
}

// Every answer with orders or customers can be imported, in every form; others are
// refused.
func TestReadImportReadsPayloads(t *testing.T) {
	refused := map[string]string{
		"orders-create.request.json":                   "without id",
		"orders-get-provisioning-status.response.json": "is neither an order",
		"catalog-get-offer.response.json":              `is of type "Offer"`,
		"error.invalid.response.json":                  "is an error answer of the API, code 3000",
		"error-gateway.response.json":                  "is an error answer of the API's gateway, status 429",
		"customers-get-company-profile.response.json":  `is of type "CustomerCompanyProfile"`,
		"odd/orders-get.upper-case.response.json":      "does not say whose it is",
		"odd/orders-get.byte-order-mark.response.json": "does not say whose it is",
		"odd/orders-get.unknown-members.response.json": "does not say whose it is",
		"odd/orders-create.pascal-case.request.json":   "without id",
	}
	for _, p := range contracttest.Payloads(t) {
		var customers, orders int
		switch name, _ := p.Type(t); {
		case p.Odd || p.Request:
			continue
		case name == "Order":
			orders = 1
		case name == "Customer":
			customers = 1
		case name == "OrderCollection":
			orders = itemCount(t, p.Data)
		case name == "CustomerCollection":
			customers = itemCount(t, p.Data)
		default:
			continue
		}
		im := new(Import)
		if err := ReadImport(p.Name, bytes.NewReader(p.Data), im); err != nil {
			t.Error(err)
		} else if len(im.Customers) != customers || len(im.Orders) != orders {
			t.Errorf("%s: %d customers and %d orders, want %d and %d", p.Name, len(im.Customers), len(im.Orders), customers, orders)
		}
	}
	for _, name := range []string{"odd/orders-get.pascal-case.response.json", "odd/orders-get.lower-case.response.json"} {
		im := new(Import)
		if err := ReadImport(name, bytes.NewReader(contracttest.ReadPayload(t, name)), im); err != nil || len(im.Orders) != 1 {
			t.Errorf("%s: %d orders, %v", name, len(im.Orders), err)
		}
	}
	for name, want := range refused {
		err := ReadImport(name, bytes.NewReader(contracttest.ReadPayload(t, name)), new(Import))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error is %v, want …%s…", name, err, want)
		}
	}
}

// itemCount is how many items a collection says that it has.
func itemCount(t *testing.T, data []byte) int {
	t.Helper()
	var collection partnercenter.Collection[map[string]any]
	if err := partnercenter.Unmarshal(data, &collection); err != nil {
		t.Fatal(err)
	}
	return len(collection.Items)
}

func FuzzReadImport(f *testing.F) {
	for _, text := range []string{
		"", "\ufeff{}", describedJSON, orderJSON, briefJSON + "\n" + fullJSON, `{"Items":[` + orderJSON + `,5]}`, `[{"attributes":5,"links":{"self":[]},"lineItems":{}}]`,
		`{"id":"x","lineItems":[],"links":{"self":{"uri":"/customers/` + wingtipID + `"}}}`, `{"items":[{"id":"x"`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		im := new(Import)
		err := ReadImport("fuzz.json", bytes.NewReader(bytes.Clone(data)), im)
		var importErr *ImportError
		if err != nil {
			if !errors.As(err, &importErr) || importErr.Line < 1 || importErr.Message == "" {
				t.Fatalf("error without a place: %v", err)
			}
			return
		}
		again := new(Import)
		twice := append(append(bytes.Clone(data), '\n'), data...)
		if !bytes.HasPrefix(data, []byte("\ufeff")) {
			if err := ReadImport("twice.json", bytes.NewReader(twice), again); err != nil || len(again.Orders) != len(im.Orders) || len(again.Customers) != len(im.Customers) {
				t.Fatalf("not the same when read twice: %v", err)
			}
		}
		seed, _, err := im.Seed(Tenant{})
		if err != nil {
			if !errors.As(err, &importErr) || importErr.Line < 1 || importErr.Message == "" {
				t.Fatalf("error without a place: %v", err)
			}
			return
		}
		orders := 0
		for _, c := range seed.Partners[0].Customers {
			orders += len(c.Orders)
			for _, o := range c.Orders {
				if _, err := partnercenter.Marshal(o); err != nil {
					t.Fatal(err)
				}
			}
		}
		if orders != len(im.Orders) {
			t.Fatalf("%d orders of %d have a customer", orders, len(im.Orders))
		}
	})
}
