package partnercenter

import (
	"context"
	"errors"
	"iter"
	"slices"

	"github.com/go-json-experiment/json/jsontext"
)

// Entitlement is what a customer owns from a line of an order: software or reservations.
//
// https://learn.microsoft.com/partner-center/developer/entitlement-resources
type Entitlement struct {
	ReferenceOrder  *ReferenceOrder  `json:"referenceOrder,omitzero"`
	ProductID       string           `json:"productId,omitzero"`
	SKUID           string           `json:"skuId,omitzero"`
	Quantity        *int             `json:"quantity,omitzero"`
	QuantityDetails []QuantityDetail `json:"quantityDetails,omitzero"`
	EntitlementType EntitlementType  `json:"entitlementType,omitzero"`
	// EntitledArtifacts are what was delivered, such as a reservation.
	EntitledArtifacts    []EntitledArtifact `json:"entitledArtifacts,omitzero"`
	IncludedEntitlements []Entitlement      `json:"includedEntitlements,omitzero"`
	ExpiryDate           Time               `json:"expiryDate,omitzero"` // if it was asked for, and there is one
	DynamicAttributes    jsontext.Value     `json:"dynamicAttributes,omitzero"`
	Extra                jsontext.Value     `json:",embed"`
}

// ReferenceOrder is the line of an order that an [Entitlement] is from.
type ReferenceOrder struct {
	ID          string         `json:"id,omitzero"`
	LineItemID  string         `json:"lineItemId,omitzero"` // its number
	AlternateID string         `json:"alternateId,omitzero"`
	Extra       jsontext.Value `json:",embed"`
}

// QuantityDetail is the state of some of the quantity of an [Entitlement].
type QuantityDetail struct {
	Quantity *int              `json:"quantity,omitzero"`
	Status   FulfillmentStatus `json:"status,omitzero"`
	Extra    jsontext.Value    `json:",embed"`
}

// EntitledArtifact is what an [Entitlement] delivered.
type EntitledArtifact struct {
	ArtifactType string         `json:"artifactType,omitzero"`
	ResourceID   string         `json:"resourceId,omitzero"`
	Link         *Link          `json:"link,omitzero"`
	Extra        jsontext.Value `json:",embed"`
}

// EntitlementType is the kind of an [Entitlement].
type EntitlementType string

// The documented types.
const (
	EntitlementTypeSoftware         EntitlementType = "software"
	EntitlementTypeReservedInstance EntitlementType = "reservedInstance"
)

var entitlementTypes = []EntitlementType{EntitlementTypeSoftware, EntitlementTypeReservedInstance}

// EntitlementTypes returns the documented types.
func EntitlementTypes() []EntitlementType { return slices.Clone(entitlementTypes) }

// Normalize returns the constant that t spells, or t unchanged.
func (t EntitlementType) Normalize() EntitlementType { return normalize(t, entitlementTypes) }

// Known reports whether t spells a documented value.
func (t EntitlementType) Known() bool { return isKnown(t, entitlementTypes) }

// EntitlementsOption is an option of a list of entitlements. Get one from [ShowExpiry].
type EntitlementsOption struct{ option }

// ShowExpiry adds the dates at which entitlements expire.
func ShowExpiry() EntitlementsOption {
	return EntitlementsOption{option{name: "showExpiry", value: "true"}}
}

// EntitlementsClient accesses what a customer owns. Get one from
// CustomerClient.Entitlements.
type EntitlementsClient struct{ resource }

// ByType limits the list to one type.
func (c *EntitlementsClient) ByType(t EntitlementType) *EntitlementListClient {
	return &EntitlementListClient{c.option(option{"entitlementType", string(t.Normalize()), "entitlement type", "ByType"})}
}

// Get returns all entitlements.
//
// The error is as for [OrdersClient.Get].
//
// https://learn.microsoft.com/partner-center/developer/get-a-collection-of-entitlements
func (c *EntitlementsClient) Get(ctx context.Context, opts ...EntitlementsOption) (*Collection[*Entitlement], error) {
	return readList[Entitlement](ctx, c.showing(opts))
}

// All yields what Get returns, with the checks of [OrdersClient.All].
func (c *EntitlementsClient) All(ctx context.Context, opts ...EntitlementsOption) iter.Seq2[*Entitlement, error] {
	return readAll[Entitlement](ctx, c.showing(opts))
}

// EntitlementListClient accesses the entitlements of a type. Get one from
// [EntitlementsClient.ByType].
type EntitlementListClient struct{ resource }

// Get returns the list. The error is as for [EntitlementsClient.Get].
func (c *EntitlementListClient) Get(ctx context.Context, opts ...EntitlementsOption) (*Collection[*Entitlement], error) {
	return readList[Entitlement](ctx, c.showing(opts))
}

// All yields what Get returns, with the checks of [OrdersClient.All].
func (c *EntitlementListClient) All(ctx context.Context, opts ...EntitlementsOption) iter.Seq2[*Entitlement, error] {
	return readAll[Entitlement](ctx, c.showing(opts))
}

// showing returns the resource with the options added to its query.
func (r resource) showing(opts []EntitlementsOption) resource {
	for _, opt := range opts {
		if opt.name == "" {
			return r.failed(errors.New("partnercenter: an option is empty: use ShowExpiry"))
		}
		r = r.option(opt.option)
	}
	return r
}
