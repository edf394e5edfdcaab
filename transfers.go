package partnercenter

import (
	"context"

	"github.com/go-json-experiment/json/jsontext"
)

// TransferEligibility says whether a subscription can be transferred to another partner.
//
// https://learn.microsoft.com/partner-center/developer/get-eligibility-for-transfer
type TransferEligibility struct {
	ID         string         `json:"id,omitzero"` // of the subscription
	IsEligible *bool          `json:"isEligible,omitzero"`
	Reason     string         `json:"reason,omitzero"` // if it cannot
	Extra      jsontext.Value `json:",embed"`
}

// TransferType is how a subscription is transferred.
type TransferType string

// TransferTypeDirectToIndirect, the only documented type, is to an indirect provider.
const TransferTypeDirectToIndirect TransferType = "directtoindirect"

var transferTypes = []TransferType{TransferTypeDirectToIndirect}

// Normalize returns the constant that t spells, or t unchanged.
func (t TransferType) Normalize() TransferType { return normalize(t, transferTypes) }

// Known reports whether t spells a documented value.
func (t TransferType) Known() bool { return isKnown(t, transferTypes) }

// TransferEligibilityClient accesses which of a customer's subscriptions can be
// transferred. Get one from CustomerClient.TransferEligibility.
type TransferEligibilityClient struct{ resource }

// ByType selects a list of subscriptions; every list is for one type of transfer.
func (c *TransferEligibilityClient) ByType(t TransferType) *TransferEligibilityListClient {
	return &TransferEligibilityListClient{c.option(option{"transferType", string(t.Normalize()), "transfer type", "ByType"})}
}

// TransferEligibilityListClient accesses which of a customer's subscriptions can be
// transferred in one way. Get one from [TransferEligibilityClient.ByType].
type TransferEligibilityListClient struct{ resource }

// Get returns all subscriptions, with whether they can be transferred.
//
// The error is as for [OrdersClient.Get].
//
// https://learn.microsoft.com/partner-center/developer/get-eligibility-for-transfer
func (c *TransferEligibilityListClient) Get(ctx context.Context) ([]TransferEligibility, error) {
	list, err := exchange[[]TransferEligibility](ctx, c.resource, request{method: "GET"})
	if err != nil {
		return nil, err
	}
	return *list, nil
}
