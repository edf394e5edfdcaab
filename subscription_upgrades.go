package partnercenter

import (
	"context"
	"iter"
	"net/http"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// Upgrade says whether a subscription to a legacy offer can be upgraded to another
// offer.
//
// https://learn.microsoft.com/partner-center/developer/subscription-resources#upgrade
type Upgrade struct {
	TargetOffer   *Offer              `json:"targetOffer,omitzero"`
	UpgradeType   UpgradeType         `json:"upgradeType,omitzero"`
	IsEligible    *bool               `json:"isEligible,omitzero"`
	Quantity      *int                `json:"quantity,omitzero"`
	UpgradeErrors []TransitionError   `json:"upgradeErrors,omitzero"` // the reasons if it cannot
	Attributes    *ResourceAttributes `json:"attributes,omitzero"`
	Extra         jsontext.Value      `json:",embed"`
}

// UpgradeResult is the result of an upgrade.
//
// https://learn.microsoft.com/partner-center/developer/subscription-resources#upgraderesult
type UpgradeResult struct {
	SourceSubscriptionID string      `json:"sourceSubscriptionId,omitzero"`
	TargetSubscriptionID string      `json:"targetSubscriptionId,omitzero"`
	UpgradeType          UpgradeType `json:"upgradeType,omitzero"`
	// UpgradeErrors and LicenseErrors are empty if it succeeded.
	UpgradeErrors []TransitionError   `json:"upgradeErrors,omitzero"`
	LicenseErrors []UserLicenseErrors `json:"licenseErrors,omitzero"`
	Attributes    *ResourceAttributes `json:"attributes,omitzero"`
	Extra         jsontext.Value      `json:",embed"`
}

// UserLicenseErrors are the licences that could not be moved in an upgrade. The
// documentation leaves open what is in them.
type UserLicenseErrors struct {
	UserObjectID string            `json:"userObjectId,omitzero"` // GUID
	Name         string            `json:"name,omitzero"`
	Email        string            `json:"email,omitzero"`
	Errors       []TransitionError `json:"errors,omitzero"`
	Extra        jsontext.Value    `json:",embed"`
}

// UpgradeType says what moves with the seats of an [Upgrade].
type UpgradeType string

// The documented types.
const (
	UpgradeTypeNone                UpgradeType = "none"
	UpgradeTypeOnly                UpgradeType = "upgrade_only"                  // nothing else
	UpgradeTypeWithLicenseTransfer UpgradeType = "upgrade_with_license_transfer" // the users' licences
)

// upgradeTypes are in the order of their documented numbers.
var upgradeTypes = []UpgradeType{UpgradeTypeNone, UpgradeTypeOnly, UpgradeTypeWithLicenseTransfer}

// UpgradeTypes returns the documented types in the order of their numbers.
func UpgradeTypes() []UpgradeType { return slices.Clone(upgradeTypes) }

// Normalize returns the constant that t spells, also by its number, or t unchanged.
func (t UpgradeType) Normalize() UpgradeType { return normalize(t, upgradeTypes) }

// Known reports whether t spells a documented value.
func (t UpgradeType) Known() bool { return isKnown(t, upgradeTypes) }

// UnmarshalJSONFrom reads a string in any spelling, or a number.
func (t *UpgradeType) UnmarshalJSONFrom(dec *jsontext.Decoder) error { return unmarshalText(dec, t) }

// MarshalJSONTo writes a number as one: some of the service's answers have that.
func (t UpgradeType) MarshalJSONTo(enc *jsontext.Encoder) error {
	if n, err := strconv.Atoi(string(t)); err == nil {
		return enc.WriteToken(jsontext.Int(int64(n)))
	}
	return enc.WriteToken(jsontext.String(string(t)))
}

type (
	plainUpgrade       Upgrade       // Upgrade without its methods
	plainUpgradeResult UpgradeResult // UpgradeResult without its methods
)

// MarshalJSON implements [encoding/json.Marshaler].
func (u Upgrade) MarshalJSON() ([]byte, error) { return Marshal(plainUpgrade(u)) }

// UnmarshalJSON implements [encoding/json.Unmarshaler].
func (u *Upgrade) UnmarshalJSON(data []byte) error { return Unmarshal(data, (*plainUpgrade)(u)) }

// MarshalJSONTo implements the streaming marshaler of json v2.
func (u Upgrade) MarshalJSONTo(enc *jsontext.Encoder) error { return encode(enc, plainUpgrade(u)) }

// UnmarshalJSONFrom implements the streaming unmarshaler of json v2.
func (u *Upgrade) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	return decode(dec, (*plainUpgrade)(u))
}

// MarshalJSON implements [encoding/json.Marshaler].
func (r UpgradeResult) MarshalJSON() ([]byte, error) { return Marshal(plainUpgradeResult(r)) }

// UnmarshalJSON implements [encoding/json.Unmarshaler].
func (r *UpgradeResult) UnmarshalJSON(data []byte) error {
	return Unmarshal(data, (*plainUpgradeResult)(r))
}

// MarshalJSONTo implements the streaming marshaler of json v2.
func (r UpgradeResult) MarshalJSONTo(enc *jsontext.Encoder) error {
	return encode(enc, plainUpgradeResult(r))
}

// UnmarshalJSONFrom implements the streaming unmarshaler of json v2.
func (r *UpgradeResult) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	return decode(dec, (*plainUpgradeResult)(r))
}

// UpgradesClient accesses the upgrades of a subscription to a legacy offer. Get one from
// SubscriptionClient.Upgrades.
type UpgradesClient struct{ resource }

// Get returns the offers that the subscription could be upgraded to, also those that it
// cannot be upgraded to for now. It is empty for a subscription without any.
//
// The error is as for [SubscriptionClient.Get].
//
// https://learn.microsoft.com/partner-center/developer/get-a-list-of-upgrade-options
func (c *UpgradesClient) Get(ctx context.Context) (*Collection[*Upgrade], error) {
	return readList[Upgrade](ctx, c.resource)
}

// All yields what Get returns, with the checks of [OrdersClient.All].
func (c *UpgradesClient) All(ctx context.Context) iter.Seq2[*Upgrade, error] {
	return readAll[Upgrade](ctx, c.resource)
}

// Create upgrades the subscription: send one of the upgrades that Get returned. The
// subscription ends, and all its seats are those of a new one. It may fail with a
// success: then the result has UpgradeErrors or LicenseErrors.
//
// The error is an [*Error] with status 400 and code 800004 for an unknown offer, 2001 and
// 2011 for a subscription that is suspended or deleted, with 403 and code 2085 for an
// offer that it cannot be upgraded to, and as for [SubscriptionClient.Get].
//
// https://learn.microsoft.com/partner-center/developer/upgrade-a-subscription
func (c *UpgradesClient) Create(ctx context.Context, upgrade *Upgrade) (*UpgradeResult, error) {
	return exchange[UpgradeResult](ctx, c.resource, request{method: http.MethodPost, in: upgrade})
}
