package server_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/contract/contracttest"
	"github.com/partnercenter-go/partnercenter/internal/seed"
)

const (
	premium  = "031C9E47-4802-4248-838E-778FB1D2CC05" // a legacy offer
	exchange = "195416C1-3447-423A-B37B-EE59A99A19C4" // one with an add-on
	archive  = "2828BE95-46BA-4F91-B2FD-0BEF192ECF60" // which is this
	domestic = "3B72D4E0-A695-4C1F-8D37-92E5F10CB648" // sold in the US only
	retired  = "F81E6B93-2D5C-4A07-B4F9-0C7A35E1D286"
)

func TestOffers(t *testing.T) {
	a := newAPI(t)
	customer := "/v1/customers/" + seedCustomer
	german := "/v1/customers/" + customerIn(t, "DE")
	const codeNotOffer, codeUnknown, codeCountry = partnercenter.ErrorCodeWrongCatalog, partnercenter.ErrorCodeInvalidOffer, partnercenter.ErrorCodeOfferNotInCountry
	a.run(t, []request{
		{name: "list", path: "/v1/offers?country=US", status: 200, must: []string{premium, archive, domestic, "MS-AZR-0145P", `"links":{"self":{"uri":"/offers?country=US",`}, mustNot: []string{retired, `"next"`, `"previous"`, `"price"`}},
		{name: "list in any case", path: "/V1/OFFERS/?COUNTRY=us", status: 200, must: []string{`"uri":"/offers?country=US"`}},
		{name: "list elsewhere", path: "/v1/offers?country=DE", status: 200, must: []string{premium, `"country":"DE"`}, mustNot: []string{domestic, `"country":"US"`, "country=US"}},
		{name: "category", path: "/v1/offers?country=US&offer_category_id=government_key", status: 200, must: []string{`"totalCount":1,`, "E60E0348", `offer_category_id=government_key`}},
		{name: "unknown category", path: "/v1/offers?country=US&offer_category_id=Pets_Key", status: 400, code: partnercenter.ErrorCodeInvalidProperty, must: []string{"Pets_Key", "offercategories"}},
		{name: "page", path: "/v1/offers?country=US&offset=2&size=3", status: 200, must: []string{
			`"totalCount":3,`, `"self":{"uri":"/offers?country=US&offset=2&size=3"`, `"next":{"uri":"/offers?country=US&offset=5&size=3"`, `"previous":{"uri":"/offers?country=US&size=3"`,
		}},
		{name: "size 0 is no limit", path: "/v1/offers?country=US&size=0&offset=0", status: 200, must: []string{premium, `"uri":"/offers?country=US"`}, mustNot: []string{`"next"`}},
		{name: "behind the end", path: "/v1/offers?country=US&offset=1000&size=3", status: 200, must: []string{`"totalCount":0,"items":[]`}, mustNot: []string{`"next"`}},
		{name: "size -1", path: "/v1/offers?country=US&size=-1", status: 400, code: partnercenter.ErrorCodeInvalidProperty},
		{name: "size x", path: "/v1/offers?country=US&size=x", status: 400, code: partnercenter.ErrorCodeInvalidProperty},
		{name: "size 1e18", path: "/v1/offers?country=US&size=1000000000000000000", status: 400, code: partnercenter.ErrorCodeInvalidProperty},
		{name: "offset -1", path: "/v1/offers?country=US&offset=-1", status: 400, code: partnercenter.ErrorCodeInvalidProperty},
		{name: "no country", path: "/v1/offers", status: 400, code: partnercenter.ErrorCodeInvalidProperty, must: []string{"country is missing"}},
		{name: "empty country", path: "/v1/offers?country=", status: 400, code: partnercenter.ErrorCodeInvalidProperty},
		{name: "long country", path: "/v1/offers?country=USA", status: 400, code: partnercenter.ErrorCodeInvalidProperty},
		{name: "odd country", path: "/v1/offers?country=%C3%A4", status: 400, code: partnercenter.ErrorCodeInvalidProperty},
		{name: "country without sales", path: "/v1/offers?country=AQ", status: 403, code: partnercenter.ErrorCodeNotOnboarded, must: []string{"AQ", "US"}},
		{name: "two countries", path: "/v1/offers?country=US&Country=DE", status: 400, code: partnercenter.ErrorCodeInvalidProperty},

		{name: "get", path: "/v1/offers/" + premium + "?country=US", status: 200, must: []string{`{"id":"` + premium, `"maximumQuantity":300`, `"self":{"uri":"/offers/` + premium + `?country=US"`}},
		{name: "get in lower case", path: "/v1/offers/" + strings.ToLower(premium) + "?country=us", status: 200, must: []string{`{"id":"` + premium}},
		{name: "get without a country", path: "/v1/offers/ms-azr-0145p", status: 200, must: []string{`"id":"MS-AZR-0145P"`, `"country":"US"`, `"billing":"usage"`}},
		{name: "get what is listed no more", path: "/v1/offers/" + retired + "?country=US", status: 200, must: []string{`"isAvailableForPurchase":false`}},
		{name: "get unknown", path: "/v1/offers/" + premium[:35] + "6?country=US", status: 400, code: codeUnknown},
		{name: "get what is no id", path: "/v1/offers/%F0%9F%98%80?country=US", status: 400, code: codeUnknown},
		{name: "get a long id", path: "/v1/offers/" + strings.Repeat("x", 1900) + "?country=US", status: 400, code: codeUnknown},
		{name: "get a catalog item", path: "/v1/offers/DZH318Z0BQ4B:000Z:DZH318Z0DSPL?country=US", status: 400, code: codeNotOffer, must: []string{"/v1/products"}},
		{name: "get a product", path: "/v1/offers/dzh318z0bq4b?country=US", status: 400, code: codeNotOffer},
		{name: "get where it is not sold", path: "/v1/offers/" + domestic + "?country=DE", status: 400, code: codeCountry, must: []string{"DE"}},

		{name: "add-ons", path: "/v1/offers/" + strings.ToLower(exchange) + "/addons?country=US", status: 200, must: []string{`"totalCount":1,`, archive, `"isAddOn":true`, `"uri":"/offers/` + exchange + `/addons?country=US"`}},
		{name: "no add-ons", path: "/v1/offers/" + domestic + "/addons?country=US", status: 200, must: []string{`"totalCount":0,"items":[]`}},
		{name: "add-ons page", path: "/v1/offers/91FD106F-4B2C-4938-95AC-F54F74E9A239/addons?country=US&size=2", status: 200, must: []string{`"totalCount":2,`, `"next":{"uri":"/offers/91FD106F-4B2C-4938-95AC-F54F74E9A239/addons?country=US&offset=2&size=2"`}},
		{name: "add-ons of an unknown offer", path: "/v1/offers/x/addons?country=US", status: 400, code: codeUnknown},
		{name: "add-ons without a country", path: "/v1/offers/" + exchange + "/addons", status: 400, code: partnercenter.ErrorCodeInvalidProperty},

		{name: "categories", path: "/v1/offercategories?country=CA", status: 200, must: []string{`"totalCount":4,`, `"country":"CA"`}},
		{name: "categories without a country", path: "/v1/offercategories", status: 400, code: partnercenter.ErrorCodeInvalidProperty},

		{name: "for a customer", path: customer + "/offers?size=2", status: 200, must: []string{`"totalCount":2,`, `"country":"US"`, `"next":{"uri":"/customers/` + seedCustomer + `/offers?offset=2&size=2"`}},
		{name: "for a German customer", path: german + "/offers", status: 200, must: []string{premium, `"country":"DE"`}, mustNot: []string{domestic}},
		{name: "categories for a German customer", path: german + "/offercategories", status: 200, must: []string{`"country":"DE"`}},
		{name: "for another partner's customer", path: "/v1/customers/" + foreignCustomer(t) + "/offers", status: 403, code: partnercenter.ErrorCodeNoRelationship},
		{name: "for nobody", path: "/v1/customers/x/offers", status: 400, code: partnercenter.ErrorCodeInvalidCustomerID},
	})
}

func TestProducts(t *testing.T) {
	a := newAPI(t)
	const sku = "/v1/products/DZH318Z0BQ4B/skus/000Z"
	german := "/v1/customers/" + customerIn(t, "DE")
	viewCode, segmentCode := partnercenter.ErrorCodeViewNotAllowed, partnercenter.ErrorCodeSegmentNotAllowed
	noProduct, noSKU, noAvailability := partnercenter.ErrorCodeProductNotFound, partnercenter.ErrorCodeSKUNotFound, partnercenter.ErrorCodeAvailabilityUnknown
	a.run(t, []request{
		{name: "Azure", path: "/v1/products?country=US&targetView=Azure", status: 200, must: []string{"DZH318Z0BQ3Q", "DZH318Z0BPS6", "9DEA7946", `"self":{"uri":"/products?country=US&targetView=Azure"`}, mustNot: []string{"CFQ7TTC0LCHC", "DZH318Z0G1L4"}},
		{name: "view in another case", path: "/v1/products?country=US&targetview=azurereservationssql", status: 200, must: []string{`"totalCount":1,`, "DZH318Z0BQ6C", "targetView=AzureReservationsSQL"}},
		{name: "virtual machines", path: "/v1/products?country=US&targetView=AzureReservationsVM", status: 200, must: []string{"DZH318Z0BQ3Q"}, mustNot: []string{"DZH318Z0BQ6C", "DZH318Z0BQ5X"}},
		{name: "Cosmos DB", path: "/v1/products?country=US&targetView=AzureReservationsCosmosDb", status: 200, must: []string{`"totalCount":1,`, "DZH318Z0BQ5X"}},
		{name: "MicrosoftAzure", path: "/v1/products?country=US&targetView=MicrosoftAzure", status: 200, must: []string{`"totalCount":2,`, "9DEA7946", "DZH318Z0BPS6"}},
		{name: "OnlineServices", path: "/v1/products?country=US&targetView=OnlineServices", status: 200, must: []string{"CFQ7TTC0LCHC", "DZH318Z0BXWC", "f245ecc8", "CFQ7TTC0HL9C"}, mustNot: []string{"DZH318Z0BQ4B", "CFQ7TTC0LS2K"}},
		{name: "OnlineServices elsewhere", path: "/v1/products?country=FR&targetView=OnlineServices", status: 200, must: []string{"CFQ7TTC0LCHC"}, mustNot: []string{"CFQ7TTC0HL9C"}},
		{name: "Software", path: "/v1/products?country=US&targetView=Software", status: 200, must: []string{"DG7GMGF0D7FV", "DG7GMGF0F19K"}},
		{name: "SoftwarePerpetual", path: "/v1/products?country=US&targetView=SoftwarePerpetual", status: 200, must: []string{"DG7GMGF0D7FV"}, mustNot: []string{"DG7GMGF0F19K"}},
		{name: "SoftwareSubscriptions", path: "/v1/products?country=US&targetView=SoftwareSubscriptions", status: 200, must: []string{"DG7GMGF0F19K"}, mustNot: []string{"DG7GMGF0D7FV"}},
		{name: "SUSE", path: "/v1/products?country=US&targetView=SoftwareSUSELinux", status: 200, must: []string{`"totalCount":1,`, "SUSE"}},
		{name: "segment", path: "/v1/products?country=US&targetView=OnlineServices&targetSegment=Education", status: 200, must: []string{`"totalCount":1,`, "CFQ7TTC0K4A3", "&targetSegment=education"}},
		{name: "for Azure plans", path: "/v1/products?country=US&targetView=AzureReservations&reservationScope=azureplan", status: 200, must: []string{"DZH318Z0G1L4", "&reservationScope=AzurePlan"}},
		{name: "misspelt view of the samples", path: "/v1/products?country=US&targetView=AzureAzureReservationsVM", status: 403, code: viewCode, must: []string{"AzureReservationsVM"}},
		{name: "no view", path: "/v1/products?country=US", status: 400, code: partnercenter.ErrorCodeInvalidProperty, must: []string{"targetView is missing"}},
		{name: "unknown segment", path: "/v1/products?country=US&targetView=Azure&targetSegment=military", status: 403, code: segmentCode},
		{name: "unknown scope", path: "/v1/products?country=US&targetView=Azure&reservationScope=Moon", status: 400, code: partnercenter.ErrorCodeEnumUnparsable},
		{name: "no country", path: "/v1/products?targetView=Azure", status: 400, code: partnercenter.ErrorCodeInvalidProperty},

		{name: "get", path: "/v1/products/dzh318z0bq4b?country=US", status: 200, must: []string{`{"id":"DZH318Z0BQ4B"`, `"skus":{"uri":"/products/DZH318Z0BQ4B/skus?country=US"`}},
		{name: "list without a version and a country", path: "/products", invalid: true, status: 400, code: partnercenter.ErrorCodeInvalidProperty},
		{name: "get a plan-only one without its scope", path: "/v1/products/DZH318Z0G1L4?country=US", status: 200},
		{name: "get with a bad scope", path: "/v1/products/DZH318Z0G1L4?country=US&reservationScope=x", status: 400, code: partnercenter.ErrorCodeEnumUnparsable},
		{name: "get unknown", path: "/v1/products/DZH318Z0BQ4X?country=US", status: 404, code: noProduct},
		{name: "get a long id", path: "/v1/products/" + strings.Repeat("x", 1900) + "?country=US", status: 404, code: noProduct},
		{name: "get where it is not sold", path: "/v1/products/CFQ7TTC0HL9C?country=GB", status: 404, code: noProduct, must: []string{"GB"}},

		{name: "SKUs", path: "/v1/products/DZH318Z0BQ5S/skus?country=US", status: 200, must: []string{`"totalCount":2,`, `"0001"`, `"0002"`, `"self":{"uri":"/products/DZH318Z0BQ5S/skus?country=US"`}},
		{name: "SKUs of a segment", path: "/v1/products/CFQ7TTC0LDPB/skus?country=US&targetSegment=nonprofit", status: 200, must: []string{`"totalCount":1,`}},
		{name: "SKUs of no such segment", path: "/v1/products/DZH318Z0BQ5S/skus?country=US&targetSegment=none", status: 403, code: segmentCode},
		{name: "SKUs of an unknown product", path: "/v1/products/x/skus?country=US", status: 404, code: noProduct},
		{name: "SKUs without a country", path: "/v1/products/DZH318Z0BQ5S/skus", status: 400, code: partnercenter.ErrorCodeInvalidProperty},
		{name: "SKU", path: sku + "?country=US", status: 200, must: []string{`{"id":"000Z","productId":"DZH318Z0BQ4B"`, `"provisioningVariables":["Scope","SubscriptionId","Duration"]`}, mustNot: []string{"needsPurchaseOrder", "price"}},
		{name: "SKU in lower case", path: strings.ToLower(sku) + "?country=US", status: 200, must: []string{`{"id":"000Z"`}},
		{name: "SKU unknown", path: "/v1/products/DZH318Z0BQ4B/skus/000X?country=US", status: 404, code: noSKU},
		{name: "SKU of another product", path: "/v1/products/DZH318Z0BQ4B/skus/002L?country=US", status: 404, code: noSKU},
		{name: "SKU of an unknown product", path: "/v1/products/x/skus/000X?country=US", status: 404, code: noProduct},
		{name: "SKU of a legacy order's link", path: "/v1/products/84A661C4-E949-4BD2-A560-ED7766FCAF2B/skus/E59159FC-6F67-4599-B3CB-17FF4020F643", status: 200, must: []string{`"title":"Azure Active Directory Premium P2"`, `"billingType":"license"`}},

		{name: "availabilities", path: sku + "/availabilities?country=JP&targetSegment=Commercial", status: 200, must: []string{`"totalCount":1,`, `"catalogItemId":"DZH318Z0BQ4B:000Z:DZH318Z0DSPL"`, `"defaultCurrency":{"code":"JPY","symbol":"¥"}`, `"self":{"uri":"/products/DZH318Z0BQ4B/skus/000Z/availabilities?country=JP&targetSegment=commercial"`}},
		{name: "availabilities of a legacy offer", path: "/v1/products/9DEA7946-EC2C-441E-9FFD-E3B275F7E838/skus/MS-AZR-0145P/availabilities?country=US&targetSegment=Commercial", status: 200, must: []string{`"totalCount":1,`, `"catalogItemId":"MS-AZR-0145P"`}},
		{name: "availabilities without a country", path: sku + "/availabilities", status: 400, code: partnercenter.ErrorCodeInvalidProperty},
		{name: "availabilities of an unknown SKU", path: "/v1/products/DZH318Z0BQ4B/skus/x/availabilities?country=US", status: 404, code: noSKU},
		{name: "availability", path: sku + "/availabilities/dzh318z0dspl?country=US", status: 200, must: []string{`{"id":"DZH318Z0DSPL"`, `"terms":[{"id":"`, `"duration":"P1Y","description":"1 Year","billingCycle":"OneTime"}],"product"`}, mustNot: []string{"renewalInstructions"}},
		{name: "terms", path: "/v1/products/CFQ7TTC0LFLX/skus/0001/availabilities/CFQ7TTC0K8QN?country=US", status: 200, must: []string{
			`"renewalInstructions":[{"applicableTermIds":["`, `"renewalOptions":[{"renewToId":"CFQ7TTC0LFLX:0001","isAutoRenewable":true}]}`,
			`"duration":"P1M","description":"1 Month","billingCycle":"Monthly","cancellationPolicies":[{"refundOptions":[{"sequenceId":0,"type":"Full","expiresAfter":"P7D"}]}]}`,
			`"duration":"P1Y","description":"1 Year","billingCycle":"Monthly"`, `"duration":"P1Y","description":"1 Year","billingCycle":"Annual"`,
			`"duration":"P3Y","description":"3 Years","billingCycle":"Monthly"`, `"duration":"P3Y","description":"3 Years","billingCycle":"Annual"`,
		}, mustNot: []string{`"duration":"P1M","description":"1 Month","billingCycle":"Annual"`}},
		{name: "availability without a country", path: sku + "/availabilities/DZH318Z0DSPL", status: 200, must: []string{`"country":"US"`}},
		{name: "availability unknown", path: sku + "/availabilities/x?country=US", status: 404, code: noAvailability},
		{name: "availability not sold", path: "/v1/products/CFQ7TTC0LR8V/skus/0001/availabilities/CFQ7TTC0KV8P?country=US", status: 200, must: []string{`"isPurchasable":false`}},

		{name: "for a customer", path: german + "/products?targetView=OnlineServices", status: 200, must: []string{"CFQ7TTC0LCHC", "country=DE", `"self":{"uri":"/customers/`}, mustNot: []string{"country=US", "CFQ7TTC0HL9C"}},
		{name: "for a customer without a view", path: german + "/products", status: 400, code: partnercenter.ErrorCodeInvalidProperty},
		{name: "product for a customer", path: german + "/products/DZH318Z0BPS6", status: 200, must: []string{`"key":"OfferType"`}},
		{name: "product not sold to a customer", path: german + "/products/CFQ7TTC0HL9C", status: 404, code: noProduct},
		{name: "SKUs for a customer", path: german + "/products/DZH318Z0BPS6/skus", status: 200, must: []string{`"totalCount":1,`}},
		{name: "SKU for a customer", path: german + "/products/DZH318Z0BPS6/skus/0001", status: 200, must: []string{`"0001"`}},
		{name: "availabilities for a customer", path: german + "/products/DZH318Z0BPS6/skus/0001/availabilities", status: 200, must: []string{`"code":"EUR"`}},
		{name: "availability for a customer", path: german + "/products/DZH318Z0BPS6/skus/0001/availabilities/DZH318Z0BPQV", status: 200, must: []string{`"code":"EUR"`}},
		{name: "for another partner's customer", path: "/v1/customers/" + foreignCustomer(t) + "/products/DZH318Z0BPS6", status: 403, code: partnercenter.ErrorCodeNoRelationship},
		{name: "POST as the customer's pages have it", method: http.MethodPost, path: german + "/products", body: "{}", status: 400, code: partnercenter.ErrorCodeOperationUnoffered},
	})
}

func TestCheckInventory(t *testing.T) {
	a := newAPI(t)
	const path = "/v1/extensions/product/checkInventory?country=US"
	post := func(name, body string, status int, code partnercenter.ErrorCode, must ...string) request {
		return request{name: name, method: http.MethodPost, path: path, body: body, header: http.Header{"Content-Type": {"application/json"}}, invalid: true, status: status, code: code, must: must}
	}
	const context = `"inventoryContext":{"customerId":"` + seedCustomer + `","AZURESUBSCRIPTIONID":"3a231fbe-37fe-4410-93fd-730d3d5d4c75","armRegionName":"Europe"}`
	invalidInput, invalidProperty := partnercenter.ErrorCodeInvalidInput, partnercenter.ErrorCodeInvalidProperty
	odd := post("odd type", `{"targetItems":[{"productId":"DZH318Z0BQ4B","skuId":"000z"}]}`, 200, "", `[{"productId":"DZH318Z0BQ4B","skuId":"000Z","isRestricted":false,"restrictions":[]}]`)
	odd.header = http.Header{"Content-Type": {"text/plain; charset=utf-16"}}
	noCountry := post("no country", `{}`, 400, invalidProperty, "country is missing")
	noCountry.path = "/v1/extensions/product/checkinventory"
	a.run(t, []request{
		post("payload", string(contracttest.ReadPayload(t, "catalog-check-inventory.request.json")), 200, "", `"NotAvailableForSubscription"`),
		post("byte order mark", "\ufeff"+`{"TargetItems":[{"ProductId":"DZH318Z0BQ4B","SkuId":null}],"InventoryContext":null}`, 200, "", `"000Z"`, `"0047"`),
		post("unknown items are left out", `{"targetItems":[{"productId":"x"},{"productId":"DZH318Z0BQ4B","skuId":"x"}]}`, 200, "", "[]"),
		post("twice is once", `{"targetItems":[{"productId":"DZH318Z0BQ4B","skuId":"000Z"},{"productId":"dzh318z0bq4b","skuId":"000z"}]}`, 200, "", `[{"productId":"DZH318Z0BQ4B","skuId":"000Z","isRestricted":false,"restrictions":[]}]`),
		post("one SKU", `{"targetItems":[{"productId":"DZH318Z0BQ3P","skuId":"0039"}],`+context+`}`, 200, "", `"isRestricted":true`, `"values":"japanwest"`),
		odd, noCountry,
		post("context without what is asked for", `{"targetItems":[{"productId":"DZH318Z0BQ3P"}],"inventoryContext":{"customerId":"x"}}`, 400, invalidProperty, "AzureSubscriptionId"),
		post("context without a region, as a published sample sends it", `{"TargetItems":[{"ProductId":"DZH318Z0BQ3P"}],"InventoryContext":{"customerId":"`+seedCustomer+`","azureSubscriptionId":"3a231fbe-37fe-4410-93fd-730d3d5d4c75"}}`, 200, "", `"0039"`),
		post("context without a subscription", `{"targetItems":[{"productId":"DZH318Z0BQ3P"}],"inventoryContext":{"customerId":"x","armRegionName":"Europe"}}`, 400, invalidProperty, "AzureSubscriptionId"),
		post("context twice", `{"targetItems":[{"productId":"DZH318Z0BQ4B"}],"inventoryContext":{"a":"1","A":"2"}}`, 400, invalidProperty, "twice"),
		post("no items", `{}`, 400, invalidProperty, "targetItems"),
		post("item without a product", `{"targetItems":[{"skuId":"0001"}]}`, 400, invalidProperty, "productId"),
		post("wrong type", `{"targetItems":"all"}`, 400, invalidProperty, "targetItems"),
		post("context of numbers", `{"targetItems":[],"inventoryContext":{"customerId":1}}`, 400, invalidProperty, "inventoryContext/customerId"),
		post("NaN", `{"targetItems":NaN}`, 400, invalidInput, "not JSON"),
		post("invalid UTF-8", "{\"targetItems\":[{\"productId\":\"\xff\"}]}", 400, invalidInput, "UTF-8"),
		post("duplicate key", `{"targetItems":[],"TargetItems":[]}`, 400, invalidInput, "a key is repeated"),
		post("deep", `{"targetItems":`+strings.Repeat("[", 1000)+strings.Repeat("]", 1000)+`}`, 400, invalidInput, "64 deep"),
		post("an array", `[]`, 400, invalidInput, "object"),
		post("2 MiB", `{"targetItems":[{"productId":"`+strings.Repeat("x", 2<<20)+`"}]}`, 413, invalidInput, "1024 KiB"),
		{name: "no body", method: http.MethodPost, path: path, invalid: true, status: 400, code: invalidInput, must: []string{"empty"}},
		{name: "GET", path: path, status: 405, code: partnercenter.ErrorCodeOperationUnoffered, headers: map[string]string{"Allow": "^POST$"}},
	})
}

// TestCatalogLinks follows every link of the lists, in two countries.
func TestCatalogLinks(t *testing.T) {
	a := newAPI(t)
	seen := map[string]bool{}
	var follow func(path string)
	follow = func(path string) {
		if seen[path] {
			return
		}
		seen[path] = true
		resp, body := a.do(t, request{path: "/v1" + path, status: 200})
		if resp.StatusCode != 200 {
			t.Errorf("%s: %d %s", path, resp.StatusCode, body)
			return
		}
		for _, part := range strings.Split(string(body), `"uri":"/`)[1:] {
			uri, _, _ := strings.Cut(part, `"`)
			uri = strings.ReplaceAll(uri, `\u0026`, "&")
			if !strings.HasPrefix(uri, "3c95518e-") { // an offer's own uri is no link
				follow("/" + uri)
			}
		}
	}
	for _, country := range []string{"US", "DE"} {
		for _, view := range partnercenter.TargetViews() {
			follow("/products?country=" + country + "&targetView=" + string(view))
		}
		follow("/offers?country=" + country + "&size=7")
		follow("/offercategories?country=" + country)
	}
	follow("/customers/" + seedCustomer + "/offers?size=5")
	if len(seen) < 300 {
		t.Errorf("only %d links were followed", len(seen))
	}
}

// customerIn is a customer of the sample's first partner in a country.
func customerIn(t *testing.T, country string) string {
	t.Helper()
	from, err := seed.Sample()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range from.Partners[0].Customers {
		if p := c.Customer.CompanyProfile; p.Address != nil && p.Address.Country == country {
			return c.Customer.ID
		}
	}
	t.Fatalf("no customer in %s", country)
	return ""
}
