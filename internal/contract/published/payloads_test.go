package published

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/contract/contracttest"
)

// types are the documented payloads that types cover.
var types = map[string]func() any{
	"orders-list.seed.json":                                newOf[partnercenter.Collection[*partnercenter.Order]],
	"orders-list.response.json":                            newOf[partnercenter.Collection[*partnercenter.Order]],
	"orders-get.response.json":                             newOf[partnercenter.Order],
	"orders-get-po-upload-complete.response.json":          newOf[partnercenter.Order],
	"orders-create.request.json":                           newOf[partnercenter.Order],
	"orders-create.response.json":                          newOf[partnercenter.Order],
	"orders-patch-billing-cycle.request.json":              newOf[partnercenter.Order],
	"orders-patch-billing-cycle.response.json":             newOf[partnercenter.Order],
	"orders-patch-addon.request.json":                      newOf[partnercenter.Order],
	"orders-patch-addon.response.json":                     newOf[partnercenter.Order],
	"orders-cancel-sandbox.request.json":                   newOf[partnercenter.Order],
	"orders-cancel-sandbox.response.json":                  newOf[partnercenter.Order],
	"orders-provisioningstatus.response.json":              newOf[partnercenter.Collection[*partnercenter.OrderLineItemProvisioningStatus]],
	"orders-lineitem-activationlinks.response.json":        newOf[partnercenter.Collection[*partnercenter.OrderLineItemActivationLink]],
	"orders-attachment-metadata.request.json":              newOf[partnercenter.AttachmentMetadata],
	"orders-attachment-upload.response.json":               newOf[partnercenter.Collection[*partnercenter.OrderAttachment]],
	"subscriptions-list.response.json":                     newOf[partnercenter.Collection[*partnercenter.Subscription]],
	"subscriptions-list-by-order.response.json":            newOf[partnercenter.Collection[*partnercenter.Subscription]],
	"subscriptions-get.response.json":                      newOf[partnercenter.Subscription],
	"subscriptions-addons-list.response.json":              newOf[partnercenter.Collection[*partnercenter.Subscription]],
	"subscriptions-patch-quantity.request.json":            newOf[partnercenter.Subscription],
	"subscriptions-patch-quantity.response.json":           newOf[partnercenter.Subscription],
	"subscriptions-suspend.request.json":                   newOf[partnercenter.Subscription],
	"subscriptions-suspend.response.json":                  newOf[partnercenter.Subscription],
	"subscriptions-reactivate.request.json":                newOf[partnercenter.Subscription],
	"subscriptions-reactivate.response.json":               newOf[partnercenter.Subscription],
	"subscriptions-autorenew.request.json":                 newOf[partnercenter.Subscription],
	"subscriptions-autorenew.response.json":                newOf[partnercenter.Subscription],
	"subscriptions-nickname.request.json":                  newOf[partnercenter.Subscription],
	"subscriptions-nickname.response.json":                 newOf[partnercenter.Subscription],
	"subscriptions-cancel-marketplace.request.json":        newOf[partnercenter.Subscription],
	"subscriptions-cancel-marketplace.response.json":       newOf[partnercenter.Subscription],
	"subscriptions-provisioningstatus.response.json":       newOf[partnercenter.SubscriptionProvisioningStatus],
	"subscriptions-activate-sandbox.response.json":         newOf[partnercenter.SubscriptionActivationResult],
	"subscriptions-supportcontact-get.response.json":       newOf[partnercenter.SupportContact],
	"subscriptions-supportcontact-update.request.json":     newOf[partnercenter.SupportContact],
	"subscriptions-supportcontact-update.response.json":    newOf[partnercenter.SupportContact],
	"subscriptions-upgrades-create.request.json":           newOf[partnercenter.Upgrade],
	"subscriptions-upgrades-create.response.json":          newOf[partnercenter.UpgradeResult],
	"subscriptions-transfereligibility-list.response.json": newOf[[]partnercenter.TransferEligibility],
	"productupgrades-create.request.json":                  newOf[partnercenter.ProductUpgradeRequest],
	"productupgrades-eligibility.request.json":             newOf[partnercenter.ProductUpgradeRequest],
	"productupgrades-eligibility.response.json":            newOf[partnercenter.ProductUpgradesEligibility],
	"carts-create.request.json":                            newOf[partnercenter.Cart],
	"carts-create.response.json":                           newOf[partnercenter.Cart],
	"carts-create-addons-new-base.request.json":            newOf[partnercenter.Cart],
	"carts-create-addons-new-base.response.json":           newOf[partnercenter.Cart],
	"carts-update.request.json":                            newOf[partnercenter.Cart],
	"carts-checkout.response.json":                         newOf[partnercenter.CartCheckoutResult],
	"customers-list.response.json":                         newOf[partnercenter.Collection[*partnercenter.Customer]],
	"customers-list-by-indirect-reseller.response.json":    newOf[partnercenter.Collection[*partnercenter.Customer]],
	"customers-get.response.json":                          newOf[partnercenter.Customer],
	"customers-create.request.json":                        newOf[partnercenter.Customer],
	"customers-create.response.json":                       newOf[partnercenter.Customer],
	"customers-remove-relationship.request.json":           newOf[partnercenter.Customer],
	"customers-remove-relationship.response.json":          newOf[partnercenter.Customer],
	"customers-company-profile.response.json":              newOf[partnercenter.CustomerCompanyProfile],
	"customers-billing-profile.response.json":              newOf[partnercenter.CustomerBillingProfile],
	"customers-billing-profile-update.request.json":        newOf[partnercenter.CustomerBillingProfile],
	"customers-billing-profile-update.response.json":       newOf[partnercenter.CustomerBillingProfile],
	"customers-relationshiprequest.response.json":          newOf[partnercenter.CustomerRelationshipRequest],
	"relationships-indirect-resellers.response.json":       newOf[partnercenter.Collection[*partnercenter.PartnerRelationship]],
	"paging-index.response.json":                           newOf[partnercenter.Collection[map[string]any]],
	"paging-seek-first-page.response.json":                 newOf[partnercenter.Collection[map[string]any]],
	"paging-seek-last-page.response.json":                  newOf[partnercenter.Collection[map[string]any]],
	"error-400-2000-both-ids.response.json":                newOf[partnercenter.ErrorBody],
	"error-400-2000-tenant-not-guid.response.json":         newOf[partnercenter.ErrorBody],
	"error-400-2001-no-id.response.json":                   newOf[partnercenter.ErrorBody],
	"error-400-2200-mpn-not-migrated.response.json":        newOf[partnercenter.ErrorBody],
	"error-400-2201-region-mismatch.response.json":         newOf[partnercenter.ErrorBody],
	"error-400-2204-no-reseller-account.response.json":     newOf[partnercenter.ErrorBody],
	"error-400-2206-tenant-mpa-unsigned.response.json":     newOf[partnercenter.ErrorBody],
	"error-404-3000-partner-not-found.response.json":       newOf[partnercenter.ErrorBody],
	"error-429-gateway.response.json":                      newOf[partnercenter.ErrorBody],
	"error-600061-agreement-exists.response.json":          newOf[partnercenter.ErrorBody],
	"offers-get.response.json":                             newOf[partnercenter.Offer],
	"offers-list.response.json":                            newOf[partnercenter.Collection[*partnercenter.Offer]],
	"offercategories-list.response.json":                   newOf[partnercenter.Collection[*partnercenter.OfferCategory]],
	"products-get.response.json":                           newOf[partnercenter.Product],
	"products-list.response.json":                          newOf[partnercenter.Collection[*partnercenter.Product]],
	"skus-list.response.json":                              newOf[partnercenter.Collection[*partnercenter.SKU]],
	"availabilities-list.response.json":                    newOf[partnercenter.Collection[*partnercenter.Availability]],
	"customer-products-get.response.json":                  newOf[partnercenter.Product],
	"customer-products-list.response.json":                 newOf[partnercenter.Collection[*partnercenter.SKU]], // SKUs, under a page about products
	"customer-skus-get.response.json":                      newOf[partnercenter.SKU],
	"inventory-check.request.json":                         newOf[partnercenter.InventoryCheckRequest],
	"inventory-check.response.json":                        newOf[[]partnercenter.InventoryItem],
}

// types2026 are those of the later edition, composed from what it says.
var types2026 = map[string]func() any{
	"applicationconsents-create.request.json":                  newOf[partnercenter.ApplicationConsent],
	"cart-nce-create.request.json":                             newOf[partnercenter.Cart],
	"cart-nce-create.response.json":                            newOf[partnercenter.Cart],
	"cart-line-error.response.json":                            newOf[partnercenter.Cart],
	"cart-savings-plan.request.json":                           newOf[partnercenter.Cart],
	"cart-checkout-repeat.response.json":                       newOf[partnercenter.CartCheckoutResult],
	"order-nce-create.request.json":                            newOf[partnercenter.Order],
	"order-nce-create.response.json":                           newOf[partnercenter.Order],
	"order-nce-get.response.json":                              newOf[partnercenter.Order],
	"order-pending-review-get.response.json":                   newOf[partnercenter.Order],
	"subscription-nce-get.response.json":                       newOf[partnercenter.Subscription],
	"subscription-cancel-at-term-end.request.json":             newOf[partnercenter.Subscription],
	"subscription-minimal-patch-loses-autorenew.request.json":  newOf[partnercenter.Subscription],
	"subscription-minimal-patch-loses-autorenew.response.json": newOf[partnercenter.Subscription],
	"subscription-renew-to-est.request.json":                   newOf[partnercenter.Subscription],
	"subscription-renew-to-new-term.request.json":              newOf[partnercenter.Subscription],
	"subscription-scheduled-change.request.json":               newOf[partnercenter.Subscription],
	"transition-create.request.json":                           newOf[partnercenter.Transition],
	"transition-create.response.json":                          newOf[partnercenter.Transition],
	"transition-eligibilities.response.json":                   newOf[partnercenter.Collection[*partnercenter.TransitionEligibility]],
	"promotion-eligibilities.request.json":                     newOf[partnercenter.PromotionEligibilitiesRequest],
	"promotion-eligibilities.response.json":                    newOf[partnercenter.Collection[*partnercenter.PromotionEligibilities]],
	"overage.response.json":                                    newOf[partnercenter.Collection[*partnercenter.Overage]],
	"entitlements.response.json":                               newOf[partnercenter.Collection[*partnercenter.Entitlement]],
	"customer-create-gdap.request.json":                        newOf[partnercenter.Customer],
	"customer-remove-dap.request.json":                         newOf[partnercenter.Customer],
	"customer-remove-relationship-minimal.request.json":        newOf[partnercenter.Customer],
	"error-400-800090.response.json":                           newOf[partnercenter.ErrorBody],
	"error-400-900206.response.json":                           newOf[partnercenter.ErrorBody],
	"error-401-900420.response.json":                           newOf[partnercenter.ErrorBody],
	"error-401-900421.response.json":                           newOf[partnercenter.ErrorBody],
	"error-404-600074.response.json":                           newOf[partnercenter.ErrorBody],
}

func newOf[T any]() any { return new(T) }

// TestTypesRoundTrip decodes and encodes every documented payload of the types,
// through package partnercenter and through encoding/json where the type says
// it works with it.
func TestTypesRoundTrip(t *testing.T) {
	// Types that encoding/json does not know by themselves.
	notByEncodingJSON := func(name string) bool {
		return slices.ContainsFunc([]string{"orders-attachment-metadata", "subscriptions-provisioning", "subscriptions-activate", "-profile", "relationshiprequest", "inventory-", "applicationconsents", "supportcontact", "transfereligibility", "overage", "promotion-", "productupgrades"}, func(part string) bool {
			return strings.Contains(name, part)
		})
	}
	for name, newValue := range types {
		t.Run(name, func(t *testing.T) { contracttest.RoundTrip(t, example(t, name), newValue, !notByEncodingJSON(name)) })
	}
	for name, newValue := range types2026 {
		t.Run("2026/"+name, func(t *testing.T) {
			contracttest.RoundTrip(t, file(t, filepath.Join("examples-2026", name)), newValue, !notByEncodingJSON(name))
		})
	}
}

// TestClientsTakeEveryAnswer has the client read every documented answer of the types, with
// its checks of what an answer must have.
func TestClientsTakeEveryAnswer(t *testing.T) {
	check := func(name string, data []byte, newValue func() any) {
		switch {
		case strings.HasPrefix(name, "error-"), !strings.HasSuffix(name, ".response.json"):
			return
		case name == "customers-remove-relationship.response.json":
			return // the answer to a call that the client does not make: a customer without an id
		}
		transport := answering(data)
		opts := &partnercenter.ClientOptions{SkipCredentialChecks: true}
		opts.Transport = transport
		pc, err := partnercenter.NewClient(credential{}, opts)
		if err != nil {
			t.Fatal(err)
		}
		switch value := newValue().(type) {
		case *[]partnercenter.TransferEligibility:
			_, err = pc.Customers.ByID("c").TransferEligibility.ByType(partnercenter.TransferTypeDirectToIndirect).Get(t.Context())
		case *[]partnercenter.InventoryItem:
			_, err = pc.Extensions.Product.ByCountry("US").CheckInventory(t.Context(), new(partnercenter.InventoryCheckRequest))
		default:
			err = pc.Follow(t.Context(), partnercenter.NewLink(http.MethodGet, "/customers"), value)
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, newValue := range types {
		check(name, example(t, name), newValue)
	}
	for name, newValue := range types2026 {
		check(name, file(t, filepath.Join("examples-2026", name)), newValue)
	}
}

// answering is a transport that answers every request with one body.
type answering []byte

func (a answering) Do(r *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: http.StatusOK, Status: "200 OK", Request: r,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(bytes.NewReader(a)),
	}, nil
}

type credential struct{}

func (credential) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: "t", ExpiresOn: time.Now().Add(time.Hour)}, nil
}

// unknownMembers are the members of documented payloads that no type has yet.
var unknownMembers = map[string]string{
	"2026/customer-create-gdap.request.json": "enableGDAPByDefault",
}

// TestMembersAreKnown decodes every documented payload of the types and lists the
// members that no type has. A member that the documentation renames turns up here.
func TestMembersAreKnown(t *testing.T) {
	check := func(name string, data []byte, newValue func() any) {
		v := newValue()
		if err := partnercenter.Unmarshal(data, v); err != nil {
			t.Errorf("%s: %v", name, err)
			return
		}
		if diff := cmp.Diff(unknownMembers[name], strings.Join(unknown(t, reflect.ValueOf(v), ""), " ")); diff != "" {
			t.Errorf("%s: members that no type has (-known +got):\n%s", name, diff)
		}
	}
	for name, newValue := range types {
		check(name, example(t, name), newValue)
	}
	for name, newValue := range types2026 {
		check("2026/"+name, file(t, filepath.Join("examples-2026", name)), newValue)
	}
}

// unknown returns the members in the fields Extra of a value and those inside it, each
// once, in order.
func unknown(t *testing.T, v reflect.Value, path string) []string {
	t.Helper()
	var found []string
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			found = unknown(t, v.Elem(), path)
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return nil
		}
		for i := range v.Len() {
			found = append(found, unknown(t, v.Index(i), path)...)
		}
	case reflect.Struct:
		known := map[string]bool{} // Extra has known members too, if they are empty
		for i := range v.NumField() {
			name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
			known[name] = true
		}
		for i := range v.NumField() {
			field := v.Type().Field(i)
			if !field.IsExported() {
				continue
			}
			if extra, ok := v.Field(i).Interface().(jsontext.Value); ok && field.Name == "Extra" {
				var members map[string]any
				if extra != nil {
					if err := json.Unmarshal(extra, &members); err != nil {
						t.Fatal(err)
					}
				}
				for name := range members {
					if !known[name] {
						found = append(found, path+name)
					}
				}
			} else {
				found = append(found, unknown(t, v.Field(i), path+field.Name+".")...)
			}
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// TestTypesAreComplete fails when there is a payload of these areas that no type
// decodes.
func TestTypesAreComplete(t *testing.T) {
	areas := []string{"orders", "carts", "productupgrades", "customers", "relationships", "error", "paging", "offers", "offercategories", "products", "skus", "availabilities", "customer", "inventory"}
	for _, name := range payloads(t, "examples") {
		if area, _, _ := strings.Cut(name, "-"); slices.Contains(areas, area) && types[name] == nil {
			t.Errorf("%s has no type", name)
		}
	}
	for _, name := range payloads(t, "examples-2026") {
		if area, _, _ := strings.Cut(name, "-"); slices.Contains([]string{"order", "cart", "subscription", "customer", "error", "applicationconsents", "transition", "overage", "entitlements", "promotion"}, area) && types2026[name] == nil {
			t.Errorf("2026/%s has no type", name)
		}
	}
}

// schemas are the documented payloads of what the document describes, and the
// schema of each. A pattern must match files, so that none goes unnoticed.
var schemas = []struct{ pattern, schema string }{
	{"orders-list*.json", "OrderCollection"},
	{"orders-get*.json", "Order"},
	{"orders-create.response.json", "Order"},
	{"orders-patch-*.response.json", "Order"},
	{"orders-cancel-sandbox.response.json", "Order"},
	{"orders-provisioningstatus.response.json", "OrderLineItemProvisioningStatusCollection"},
	{"orders-lineitem-activationlinks.response.json", "OrderLineItemActivationLinkCollection"},
	{"orders-attachment-upload.response.json", "OrderAttachmentCollection"},
	{"orders-create.request.json", "OrderRequest"},
	{"orders-patch-*.request.json", "OrderRequest"},
	{"orders-cancel-sandbox.request.json", "OrderRequest"},
	{"carts-create*.response.json", "Cart"},
	{"carts-create*.request.json", "CartRequest"},
	{"carts-update.request.json", "CartRequest"},
	{"subscriptions-get.response.json", "Subscription"},
	{"subscriptions-autorenew.request.json", "SubscriptionRequest"},
	{"subscriptions-autorenew.response.json", "Subscription"},
	{"subscriptions-cancel-marketplace.request.json", "SubscriptionRequest"},
	{"subscriptions-cancel-marketplace.response.json", "Subscription"},
	{"subscriptions-patch-quantity.request.json", "SubscriptionRequest"},
	{"subscriptions-suspend.request.json", "SubscriptionRequest"},
	{"subscriptions-reactivate.request.json", "SubscriptionRequest"},
	{"subscriptions-nickname.request.json", "SubscriptionRequest"},
	{"subscriptions-provisioningstatus.response.json", "SubscriptionProvisioningStatus"},
	{"subscriptions-activate-sandbox.response.json", "SubscriptionActivationResult"},
	{"subscriptions-supportcontact-*.response.json", "SupportContact"},
	{"subscriptions-supportcontact-update.request.json", "SupportContactRequest"},
	{"subscriptions-upgrades-create.request.json", "UpgradeRequest"},
	{"subscriptions-upgrades-create.response.json", "UpgradeResult"},
	{"customers-list*.json", "CustomerCollection"},
	{"customers-get.response.json", "Customer"},
	{"customers-create.response.json", "Customer"},
	{"customers-company-profile.response.json", "CustomerCompanyProfile"},
	{"customers-relationshiprequest.response.json", "CustomerRelationshipRequest"},
	{"error-40?-*.json", "Error"},
	{"error-429-gateway.response.json", "GatewayError"},
	{"error-600061-agreement-exists.response.json", "AgreementError"},
	{"auth-token-*.response.json", "TokenResponseV1"},
}

// placeholders are texts that the documentation's pages print in place of real
// values, and a value of the right kind.
var placeholders = map[string]string{
	"<guid>": "b44bb1fb-c595-45b0-9e09-d657365580bf",
}

// knownDefects are the payloads that a page shortened or the service would
// write otherwise, with what the schema finds in them.
var knownDefects = map[string][]string{
	// The page leaves out what the line holds.
	"orders-get-po-upload-complete.response.json": {
		`payload /lineItems/0/lineItemNumber: property "lineItemNumber" is missing`,
		`payload /lineItems/0/offerId: property "offerId" is missing`,
		`payload /lineItems/0/quantity: property "quantity" is missing`,
	},
	// The spelling of a method.
	"subscriptions-supportcontact-get.response.json":    {`payload /links/self/method: string doesn't match the regular expression "^[A-Z]+$"; got "Get"`},
	"subscriptions-supportcontact-update.response.json": {`payload /links/self/method: string doesn't match the regular expression "^[A-Z]+$"; got "Get"`},
}

// TestPayloadsConform holds the payloads against the schemas of the contract's
// document.
func TestPayloadsConform(t *testing.T) {
	names := payloads(t, "examples")
	for _, s := range schemas {
		matched := slices.DeleteFunc(slices.Clone(names), func(name string) bool {
			ok, err := filepath.Match(s.pattern, name)
			return err != nil || !ok
		})
		if len(matched) == 0 {
			t.Errorf("%s: no such payloads", s.pattern)
		}
		for _, name := range matched {
			t.Run(name, func(t *testing.T) {
				data := example(t, name)
				for placeholder, value := range placeholders {
					data = bytes.ReplaceAll(data, []byte(placeholder), []byte(value))
				}
				got := contracttest.Problems(data, contracttest.Schema(t, s.schema), strings.HasSuffix(s.schema, "Request"))
				if diff := cmp.Diff(knownDefects[name], got); diff != "" {
					t.Errorf("as %s (-known +got):\n%s", s.schema, diff)
				}
			})
		}
	}
}

// TestNoPayloadIsForgotten shows that every payload of these areas is held
// against a schema, or left out by name.
func TestNoPayloadIsForgotten(t *testing.T) {
	leftOut := []string{
		"customers-billing-profile.response.json",        // placeholders for id, etag and links
		"customers-billing-profile-update.response.json", // the same
		"customers-remove-relationship.response.json",    // PascalCase with nulls, which the server never writes
	}
	for _, name := range payloads(t, "examples") {
		area, _, _ := strings.Cut(name, "-")
		if !slices.Contains([]string{"orders", "customers", "error", "auth"}, area) || strings.HasSuffix(name, ".request.json") || slices.Contains(leftOut, name) {
			continue
		}
		if !slices.ContainsFunc(schemas, func(s struct{ pattern, schema string }) bool {
			ok, err := filepath.Match(s.pattern, name)
			return err == nil && ok
		}) {
			t.Errorf("%s is held against no schema; add it to schemas", name)
		}
	}
}

// TestAnswersPass has the documented answers pass whole, not only their bodies,
// through a checker.
func TestAnswersPass(t *testing.T) {
	const requestID, correlationID = "0b9d6f44-5c0a-4c8b-9c39-1f2f0f6f7e60", "5d1d0f6c-3f4e-4a77-8a6e-2f8c9b0d1e2f"
	api := http.Header{
		"Content-Type": {"application/json; charset=utf-8"}, "Ms-Requestid": {requestID}, "Ms-Correlationid": {correlationID},
		"Ms-Cv": {"kR3aV0q1Xb7/Zt9L.0"}, "Ms-Serverid": {"202010607"}, "X-Locale": {"en-US"},
	}
	gateway := http.Header{"Content-Type": {"application/json"}, "Retry-After": {"57"}}
	authority := http.Header{
		"Content-Type": {"application/json; charset=utf-8"}, "Cache-Control": {"no-store"},
		"X-Ms-Request-Id": {correlationID}, "Client-Request-Id": {requestID},
	}
	for _, tt := range []struct {
		file   string
		method string
		path   string
		status int
		header http.Header
	}{
		{"orders-list.seed.json", "GET", "/v1/customers/b0d70a69-4c42-4b27-b17b-91a835d8686a/orders", 200, api},
		{"orders-get.response.json", "GET", "/v1/customers/b0d70a69-4c42-4b27-b17b-91a835d8686a/orders/YxH1q4KScfvfkJQjgRI8QY1DznnUWZTH1?include_price=False", 200, api},
		{"customers-list-by-indirect-reseller.response.json", "GET", "/v1//customers?size=0&filter=%7B%22Field%22:%22IndirectReseller%22%7D", 200, api},
		{"customers-get.response.json", "GET", "/V1.0/Customers/EEBD1B55-5360-4438-A11D-5C06918C3014/", 200, api},
		{"error-400-2000-tenant-not-guid.response.json", "GET", "/v1/customers", 400, api},
		{"error-429-gateway.response.json", "GET", "/v1/customers", 429, gateway},
		{"auth-token-app-only.response.json", "POST", "/contoso.onmicrosoft.com/oauth2/token", 200, authority},
	} {
		t.Run(tt.file, func(t *testing.T) {
			body := example(t, tt.file)
			handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if _, err := io.Copy(io.Discard, r.Body); err != nil {
					t.Error(err)
				}
				maps.Copy(w.Header(), tt.header)
				w.WriteHeader(tt.status)
				if _, err := w.Write(body); err != nil {
					t.Error(err)
				}
			})
			srv := httptest.NewServer(handler)
			defer srv.Close()
			form := ""
			if tt.method == http.MethodPost {
				form = "grant_type=client_credentials&resource=https%3A%2F%2Fgraph.windows.net&client_id=x&client_secret=y&x-client-SKU=go"
			}
			req, err := http.NewRequestWithContext(t.Context(), tt.method, srv.URL+tt.path, strings.NewReader(form))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Authorization", "Bearer a.b.c")
			if form != "" {
				req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			}
			resp, err := contracttest.NewChecker(t).Transport(http.DefaultTransport).RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
		})
	}
}
