package partnercenter

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/partnercenter-go/partnercenter/internal/ascii"
)

// ProductUpgradeRequest names the products of a customer to upgrade.
//
// https://learn.microsoft.com/partner-center/developer/product-upgrade-resources
type ProductUpgradeRequest struct {
	CustomerID    string              `json:"customerId,omitzero"` // the tenant id
	ProductFamily ProductFamily       `json:"productFamily,omitzero"`
	Attributes    *ResourceAttributes `json:"attributes,omitzero"`
	Extra         jsontext.Value      `json:",embed"`
}

// ProductFamily is what is upgraded together.
type ProductFamily string

// ProductFamilyAzure is the documented family: subscriptions to legacy offers of Azure,
// which become an Azure plan.
const ProductFamilyAzure ProductFamily = "azure"

var productFamilies = []ProductFamily{ProductFamilyAzure}

// ProductFamilies returns the documented families.
func ProductFamilies() []ProductFamily { return slices.Clone(productFamilies) }

// Normalize returns the constant that f spells, or f unchanged.
func (f ProductFamily) Normalize() ProductFamily { return normalize(f, productFamilies) }

// Known reports whether f spells a documented value.
func (f ProductFamily) Known() bool { return isKnown(f, productFamilies) }

// ProductUpgradesEligibility says whether a customer's products can be upgraded.
//
// https://learn.microsoft.com/partner-center/developer/product-upgrade-resources
type ProductUpgradesEligibility struct {
	CustomerID    string        `json:"customerId,omitzero"`
	ProductFamily ProductFamily `json:"productFamily,omitzero"`
	IsEligible    *bool         `json:"isEligible,omitzero"`
	// UpgradeID is the upgrade that there is already, if any.
	UpgradeID string         `json:"upgradeId,omitzero"`
	Reason    string         `json:"reason,omitzero"` // if they cannot
	Extra     jsontext.Value `json:",embed"`
}

// ProductUpgradesStatus is how far an upgrade is.
//
// https://learn.microsoft.com/partner-center/developer/product-upgrade-resources
type ProductUpgradesStatus struct {
	ID            string                   `json:"id,omitzero"` // GUID
	ProductFamily ProductFamily            `json:"productFamily,omitzero"`
	Status        string                   `json:"status,omitzero"` // Completed
	LineItems     []ProductUpgradeLineItem `json:"lineItems,omitzero"`
	ErrorDetails  *ProductUpgradeError     `json:"errorDetails,omitzero"`
	Extra         jsontext.Value           `json:",embed"`
}

// ProductUpgradeLineItem is a product that an upgrade replaces.
type ProductUpgradeLineItem struct {
	SourceProduct *UpgradedProduct     `json:"sourceProduct,omitzero"`
	TargetProduct *UpgradedProduct     `json:"targetProduct,omitzero"`
	UpgradedDate  Time                 `json:"upgradedDate,omitzero"`
	Status        string               `json:"status,omitzero"` // Completed
	ErrorDetails  *ProductUpgradeError `json:"errorDetails,omitzero"`
	Extra         jsontext.Value       `json:",embed"`
}

// UpgradedProduct is a product before or after an upgrade.
type UpgradedProduct struct {
	ID    string         `json:"id,omitzero"` // an offer id or a catalog item id
	Name  string         `json:"name,omitzero"`
	Extra jsontext.Value `json:",embed"`
}

// ProductUpgradeError says why an upgrade failed.
type ProductUpgradeError struct {
	Code string `json:"code,omitzero"`
	// Message is the reason in words; some answers have it in Description.
	Message     string         `json:"message,omitzero"`
	Description string         `json:"description,omitzero"`
	Extra       jsontext.Value `json:",embed"`
}

// ProductUpgradesClient upgrades products of customers: subscriptions to legacy offers of
// Azure become an Azure plan. Get one from Client.ProductUpgrades. Its calls require a
// token with a user, and are not offered in the 21Vianet cloud.
type ProductUpgradesClient struct{ resource }

// CheckEligibility says whether a customer's products can be upgraded, and if not, why.
//
// The error is an [*Error] with status 400 and code 3000 or 900118 for a request without a
// customer's id or without a family, 900126 for an unknown family, and 403 and code 20002
// for a customer of somebody else.
//
// https://learn.microsoft.com/partner-center/developer/verify-if-customer-is-eligible-for-product-upgrade
func (c *ProductUpgradesClient) CheckEligibility(ctx context.Context, r *ProductUpgradeRequest) (*ProductUpgradesEligibility, error) {
	return exchange[ProductUpgradesEligibility](ctx, c.name("eligibility"), request{method: http.MethodPost, in: r})
}

// Create upgrades a customer's products and returns the id of the upgrade, which can take
// some time: ByID says how far it is. The Azure subscriptions of the customer's legacy ones
// then belong to an Azure plan, which is ordered for them.
//
// The error is an [*Error] with status 403 and code 900108 for a customer without legacy
// Azure subscriptions, 900105 if one is suspended, 900120 for one that has an Azure plan;
// 409 and code 900109 while an upgrade is in progress, 400 and code 900110 after one,
// 900107 where no Azure plan is sold; and those of CheckEligibility and of
// [OrdersClient.Create].
//
// https://learn.microsoft.com/partner-center/developer/create-product-upgrade-request
func (c *ProductUpgradesClient) Create(ctx context.Context, r *ProductUpgradeRequest) (id string, err error) {
	header, err := c.call(ctx, request{method: http.MethodPost, in: r, status: http.StatusAccepted}, nil)
	if err != nil {
		return "", err
	}
	at, err := c.client.target(header.Get("Location"))
	if err != nil {
		return "", err
	}
	if len(at.segments) < 2 || !ascii.EqualFold(at.segments[0], "productupgrades") {
		return "", errors.New("partnercenter: the upgrade was accepted, and the Location of the answer names none; CheckEligibility says its id")
	}
	return segmentName(at.segments[1]), nil
}

// ByID selects an upgrade.
func (c *ProductUpgradesClient) ByID(id string) *ProductUpgradeClient {
	return &ProductUpgradeClient{c.id("upgrade id", id)}
}

// ProductUpgradeClient accesses an upgrade. Get one from [ProductUpgradesClient.ByID].
type ProductUpgradeClient struct{ resource }

// CheckStatus returns how far the upgrade is. The request is that of the upgrade.
//
// The error is an [*Error] with status 404 and code 900106 for a customer without an
// upgrade, 400 and code 900111 if the customer has another one, and as for
// [ProductUpgradesClient.CheckEligibility].
//
// https://learn.microsoft.com/partner-center/developer/get-product-upgrade-status
func (c *ProductUpgradeClient) CheckStatus(ctx context.Context, r *ProductUpgradeRequest) (*ProductUpgradesStatus, error) {
	return exchange[ProductUpgradesStatus](ctx, c.name("status"), request{method: http.MethodPost, in: r})
}
