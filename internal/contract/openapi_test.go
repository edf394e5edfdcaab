package contract_test

import (
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/go-cmp/cmp"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/contract"
)

func load(t *testing.T) *openapi3.T {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(contract.OpenAPI)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// The document is valid, and so is every example in it.
func TestDocumentIsValid(t *testing.T) {
	doc := load(t)
	if !doc.IsOpenAPI31OrLater() {
		t.Errorf("version %s, expected 3.1", doc.OpenAPI)
	}
	err := doc.Validate(t.Context(), openapi3.EnableExamplesValidation(), openapi3.EnableSchemaFormatValidation(), openapi3.EnableMultiError())
	if err != nil {
		t.Error(err)
	}
}

// What a linter would require of each operation.
func TestOperationsAreComplete(t *testing.T) {
	doc := load(t)
	tags := map[string]bool{}
	for _, tag := range doc.Tags {
		tags[tag.Name] = true
		if tag.Description == "" {
			t.Errorf("tag %s has no description", tag.Name)
		}
	}
	vendor := regexp.MustCompile(`^https://learn\.microsoft\.com/(?:partner-center/developer|entra/identity-platform)/[a-z0-9-]+$`)
	ids := map[string]string{}
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			name := method + " " + path
			if other, ok := ids[op.OperationID]; ok || op.OperationID == "" {
				t.Errorf("%s: operationId %q is also that of %q", name, op.OperationID, other)
			}
			ids[op.OperationID] = name
			if len(op.Tags) != 1 || !tags[op.Tags[0]] || !strings.HasPrefix(op.OperationID, op.Tags[0]+"-") {
				t.Errorf("%s: operationId %s does not begin with its one tag, %v", name, op.OperationID, op.Tags)
			}
			if op.Summary == "" || op.Description == "" {
				t.Errorf("%s: no summary or no description", name)
			}
			ours := op.Tags[0] == "health" || op.Tags[0] == "document" // the vendor has none of these
			if !ours && (op.ExternalDocs == nil || !vendor.MatchString(op.ExternalDocs.URL)) {
				t.Errorf("%s: no page of the vendor in externalDocs", name)
			}
			for _, p := range slices.Concat(item.Parameters, op.Parameters) {
				if p.Value.Description == "" {
					t.Errorf("%s: parameter %s has no description", name, p.Value.Name)
				}
			}
			if strings.HasPrefix(path, "/v1/") {
				if !slices.ContainsFunc(op.Responses.Keys(), func(status string) bool { return strings.HasPrefix(status, "2") }) {
					t.Errorf("%s: no success", name)
				}
				for _, status := range []int{400, 401, 403, 405, 406, 414, 429, 500, 503} {
					if op.Responses.Status(status) == nil {
						t.Errorf("%s: no answer %d", name, status)
					}
				}
				if op.RequestBody != nil && op.Responses.Status(413) == nil {
					t.Errorf("%s: takes a body, so it answers 413 too", name)
				}
				reads := strings.HasSuffix(path, "/checkinventory") || strings.HasSuffix(path, "/promotioneligibilities") ||
					path == "/v1/productupgrades/eligibility" || strings.HasSuffix(path, "/{upgrade-id}/status")
				if op.RequestBody != nil && !reads && op.Responses.Status(409) == nil {
					t.Errorf("%s: changes something, so it answers 409 too", name)
				}
			}
		}
	}
}

// Every schema and each of its members has a description.
func TestSchemasAreDescribed(t *testing.T) {
	for name, schema := range load(t).Components.Schemas {
		if schema.Value.Description == "" {
			t.Errorf("%s has no description", name)
		}
		for property, ref := range schema.Value.Properties {
			if ref.Ref == "" && ref.Value.Description == "" && len(ref.Value.AllOf) == 0 {
				t.Errorf("%s.%s has no description", name, property)
			}
		}
		for _, required := range schema.Value.Required {
			if schema.Value.Properties[required] == nil {
				t.Errorf("%s requires %s, which it does not have", name, required)
			}
		}
	}
}

// The Go types and the schemas have the same members, in both directions.
func TestSchemasMatchTheTypes(t *testing.T) {
	schemas := load(t).Components.Schemas
	for name, typ := range map[string]reflect.Type{
		"Link":                              reflect.TypeFor[partnercenter.Link](),
		"LinkHeader":                        reflect.TypeFor[partnercenter.LinkHeader](),
		"ResourceLinks":                     reflect.TypeFor[partnercenter.ResourceLinks](),
		"ResourceAttributes":                reflect.TypeFor[partnercenter.ResourceAttributes](),
		"Address":                           reflect.TypeFor[partnercenter.Address](),
		"Order":                             reflect.TypeFor[partnercenter.Order](),
		"OrderLineItem":                     reflect.TypeFor[partnercenter.OrderLineItem](),
		"RenewsTo":                          reflect.TypeFor[partnercenter.RenewsTo](),
		"Pricing":                           reflect.TypeFor[partnercenter.Pricing](),
		"OrderLinks":                        reflect.TypeFor[partnercenter.OrderLinks](),
		"OrderLineItemLinks":                reflect.TypeFor[partnercenter.OrderLineItemLinks](),
		"OrderClientInfo":                   reflect.TypeFor[partnercenter.OrderClientInfo](),
		"OrderLineItemProvisioningStatus":   reflect.TypeFor[partnercenter.OrderLineItemProvisioningStatus](),
		"QuantityProvisioningStatus":        reflect.TypeFor[partnercenter.QuantityProvisioningStatus](),
		"OrderLineItemActivationLink":       reflect.TypeFor[partnercenter.OrderLineItemActivationLink](),
		"AttachmentMetadata":                reflect.TypeFor[partnercenter.AttachmentMetadata](),
		"OrderAttachment":                   reflect.TypeFor[partnercenter.OrderAttachment](),
		"Subscription":                      reflect.TypeFor[partnercenter.Subscription](),
		"SubscriptionLinks":                 reflect.TypeFor[partnercenter.SubscriptionLinks](),
		"RefundOption":                      reflect.TypeFor[partnercenter.RefundOption](),
		"RefundableQuantity":                reflect.TypeFor[partnercenter.RefundableQuantity](),
		"RefundableDetail":                  reflect.TypeFor[partnercenter.RefundableDetail](),
		"SubscriptionProvisioningStatus":    reflect.TypeFor[partnercenter.SubscriptionProvisioningStatus](),
		"SubscriptionRegistrationStatus":    reflect.TypeFor[partnercenter.SubscriptionRegistrationStatus](),
		"SubscriptionActivationResult":      reflect.TypeFor[partnercenter.SubscriptionActivationResult](),
		"TransitionEligibility":             reflect.TypeFor[partnercenter.TransitionEligibility](),
		"TransitionTypeEligibility":         reflect.TypeFor[partnercenter.TransitionTypeEligibility](),
		"TransitionSubscriptionEligibility": reflect.TypeFor[partnercenter.TransitionSubscriptionEligibility](),
		"TransitionError":                   reflect.TypeFor[partnercenter.TransitionError](),
		"Transition":                        reflect.TypeFor[partnercenter.Transition](),
		"TransitionEvent":                   reflect.TypeFor[partnercenter.TransitionEvent](),
		"Upgrade":                           reflect.TypeFor[partnercenter.Upgrade](),
		"UpgradeResult":                     reflect.TypeFor[partnercenter.UpgradeResult](),
		"UserLicenseErrors":                 reflect.TypeFor[partnercenter.UserLicenseErrors](),
		"Conversion":                        reflect.TypeFor[partnercenter.Conversion](),
		"ConversionResult":                  reflect.TypeFor[partnercenter.ConversionResult](),
		"SupportContact":                    reflect.TypeFor[partnercenter.SupportContact](),
		"AzureEntitlement":                  reflect.TypeFor[partnercenter.AzureEntitlement](),
		"AzureEntitlementCancellation":      reflect.TypeFor[partnercenter.AzureEntitlementCancellation](),
		"TransferEligibility":               reflect.TypeFor[partnercenter.TransferEligibility](),
		"Overage":                           reflect.TypeFor[partnercenter.Overage](),
		"OverageLinks":                      reflect.TypeFor[partnercenter.OverageLinks](),
		"CustomTermEndDate":                 reflect.TypeFor[partnercenter.CustomTermEndDate](),
		"CustomTermEndDateCollection":       reflect.TypeFor[partnercenter.Collection[partnercenter.CustomTermEndDate]](),
		"SubscriptionLineItem":              reflect.TypeFor[partnercenter.SubscriptionLineItem](),
		"SubscriptionScope":                 reflect.TypeFor[partnercenter.SubscriptionScope](),
		"Entitlement":                       reflect.TypeFor[partnercenter.Entitlement](),
		"ReferenceOrder":                    reflect.TypeFor[partnercenter.ReferenceOrder](),
		"QuantityDetail":                    reflect.TypeFor[partnercenter.QuantityDetail](),
		"EntitledArtifact":                  reflect.TypeFor[partnercenter.EntitledArtifact](),
		"ProductUpgradeRequest":             reflect.TypeFor[partnercenter.ProductUpgradeRequest](),
		"ProductUpgradesEligibility":        reflect.TypeFor[partnercenter.ProductUpgradesEligibility](),
		"ProductUpgradesStatus":             reflect.TypeFor[partnercenter.ProductUpgradesStatus](),
		"ProductUpgradeLineItem":            reflect.TypeFor[partnercenter.ProductUpgradeLineItem](),
		"UpgradedProduct":                   reflect.TypeFor[partnercenter.UpgradedProduct](),
		"ProductUpgradeError":               reflect.TypeFor[partnercenter.ProductUpgradeError](),
		"Promotion":                         reflect.TypeFor[partnercenter.Promotion](),
		"PromotionProperties":               reflect.TypeFor[partnercenter.PromotionProperties](),
		"PromotionProduct":                  reflect.TypeFor[partnercenter.PromotionProduct](),
		"PromotionTerm":                     reflect.TypeFor[partnercenter.PromotionTerm](),
		"PricingPolicy":                     reflect.TypeFor[partnercenter.PricingPolicy](),
		"PromotionEligibilities":            reflect.TypeFor[partnercenter.PromotionEligibilities](),
		"PromotionEligibility":              reflect.TypeFor[partnercenter.PromotionEligibility](),
		"PromotionError":                    reflect.TypeFor[partnercenter.PromotionError](),
		"SubscriptionCollection":            reflect.TypeFor[partnercenter.Collection[partnercenter.Subscription]](),
		"Customer":                          reflect.TypeFor[partnercenter.Customer](),
		"UserCredentials":                   reflect.TypeFor[partnercenter.UserCredentials](),
		"CustomerCompanyProfile":            reflect.TypeFor[partnercenter.CustomerCompanyProfile](),
		"CustomerBillingProfile":            reflect.TypeFor[partnercenter.CustomerBillingProfile](),
		"CustomerRelationshipRequest":       reflect.TypeFor[partnercenter.CustomerRelationshipRequest](),
		"CustomerCollection":                reflect.TypeFor[partnercenter.Collection[partnercenter.Customer]](),
		"OrderCollection":                   reflect.TypeFor[partnercenter.Collection[partnercenter.Order]](),
		"OrderAttachmentCollection":         reflect.TypeFor[partnercenter.Collection[partnercenter.OrderAttachment]](),
		"Offer":                             reflect.TypeFor[partnercenter.Offer](),
		"OfferProduct":                      reflect.TypeFor[partnercenter.OfferProduct](),
		"OfferLinks":                        reflect.TypeFor[partnercenter.OfferLinks](),
		"OfferCategory":                     reflect.TypeFor[partnercenter.OfferCategory](),
		"Product":                           reflect.TypeFor[partnercenter.Product](),
		"ItemType":                          reflect.TypeFor[partnercenter.ItemType](),
		"LocalizedAttribute":                reflect.TypeFor[partnercenter.LocalizedAttribute](),
		"ProductLinks":                      reflect.TypeFor[partnercenter.ProductLinks](),
		"Sku":                               reflect.TypeFor[partnercenter.SKU](),
		"SkuLinks":                          reflect.TypeFor[partnercenter.SKULinks](),
		"Availability":                      reflect.TypeFor[partnercenter.Availability](),
		"CurrencyInfo":                      reflect.TypeFor[partnercenter.CurrencyInfo](),
		"AvailabilityTerm":                  reflect.TypeFor[partnercenter.AvailabilityTerm](),
		"InventoryCheckRequest":             reflect.TypeFor[partnercenter.InventoryCheckRequest](),
		"InventoryItem":                     reflect.TypeFor[partnercenter.InventoryItem](),
		"InventoryRestriction":              reflect.TypeFor[partnercenter.InventoryRestriction](),
	} {
		t.Run(name, func(t *testing.T) {
			if schemas[name] == nil {
				t.Fatal("the document has no such schema")
			}
			fields := jsonNames(typ)
			if strings.HasPrefix(typ.Name(), "Collection[") && name != "CustomerCollection" && name != "CustomTermEndDateCollection" {
				// Only these two are paged by token.
				fields = slices.DeleteFunc(fields, func(f string) bool { return f == "continuationToken" })
			}
			properties := slices.Sorted(maps.Keys(schemas[name].Value.Properties))
			if diff := cmp.Diff(properties, fields); diff != "" {
				t.Errorf("(-schema +%s):\n%s", typ, diff)
			}
		})
	}
}

// The client reads every shape of an error into one type, which has the members
// of all of them and no more.
func TestErrorSchemasMatchTheType(t *testing.T) {
	schemas := load(t).Components.Schemas
	properties := map[string]bool{}
	for _, name := range []string{"Error", "GatewayError", "AgreementError"} {
		for property := range schemas[name].Value.Properties {
			properties[property] = true
		}
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(properties)), jsonNames(reflect.TypeFor[partnercenter.ErrorBody]())); diff != "" {
		t.Errorf("(-schemas +partnercenter.ErrorBody):\n%s", diff)
	}
}

// jsonNames are the member names that a struct is written with, sorted.
func jsonNames(typ reflect.Type) []string {
	var names []string
	for i := range typ.NumField() {
		name, options, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
		if name == "" || name == "-" || options == "embed" {
			continue // members of its own, such as Extra
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
