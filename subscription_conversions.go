package partnercenter

import (
	"context"
	"iter"
	"net/http"

	"github.com/go-json-experiment/json/jsontext"
)

// Conversion makes a paid subscription of a trial of a legacy offer.
//
// https://learn.microsoft.com/partner-center/developer/conversions-resources
type Conversion struct {
	OfferID       string              `json:"offerId,omitzero"`       // of the trial
	TargetOfferID string              `json:"targetOfferId,omitzero"` // of what it becomes
	OrderID       string              `json:"orderId,omitzero"`       // of the trial
	Quantity      *int                `json:"quantity,omitzero"`      // default: the trial's
	BillingCycle  BillingCycleType    `json:"billingCycle,omitzero"`
	Attributes    *ResourceAttributes `json:"attributes,omitzero"`
	Extra         jsontext.Value      `json:",embed"`
}

// ConversionResult is the result of a conversion.
//
// https://learn.microsoft.com/partner-center/developer/conversions-resources#conversionresult
type ConversionResult struct {
	SubscriptionID string              `json:"subscriptionId,omitzero"` // the trial's, which stays
	OfferID        string              `json:"offerId,omitzero"`
	TargetOfferID  string              `json:"targetOfferId,omitzero"`
	Error          *TransitionError    `json:"error,omitzero"` // absent if it succeeded
	Attributes     *ResourceAttributes `json:"attributes,omitzero"`
	Extra          jsontext.Value      `json:",embed"`
}

type (
	plainConversion       Conversion       // Conversion without its methods
	plainConversionResult ConversionResult // ConversionResult without its methods
)

// MarshalJSON implements [encoding/json.Marshaler].
func (c Conversion) MarshalJSON() ([]byte, error) { return Marshal(plainConversion(c)) }

// UnmarshalJSON implements [encoding/json.Unmarshaler].
func (c *Conversion) UnmarshalJSON(data []byte) error { return Unmarshal(data, (*plainConversion)(c)) }

// MarshalJSONTo implements the streaming marshaler of json v2.
func (c Conversion) MarshalJSONTo(enc *jsontext.Encoder) error {
	return encode(enc, plainConversion(c))
}

// UnmarshalJSONFrom implements the streaming unmarshaler of json v2.
func (c *Conversion) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	return decode(dec, (*plainConversion)(c))
}

// MarshalJSON implements [encoding/json.Marshaler].
func (r ConversionResult) MarshalJSON() ([]byte, error) { return Marshal(plainConversionResult(r)) }

// UnmarshalJSON implements [encoding/json.Unmarshaler].
func (r *ConversionResult) UnmarshalJSON(data []byte) error {
	return Unmarshal(data, (*plainConversionResult)(r))
}

// MarshalJSONTo implements the streaming marshaler of json v2.
func (r ConversionResult) MarshalJSONTo(enc *jsontext.Encoder) error {
	return encode(enc, plainConversionResult(r))
}

// UnmarshalJSONFrom implements the streaming unmarshaler of json v2.
func (r *ConversionResult) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	return decode(dec, (*plainConversionResult)(r))
}

// ConversionsClient accesses the conversions of a trial of a legacy offer. Get one from
// SubscriptionClient.Conversions. Its calls require a token with a user.
type ConversionsClient struct{ resource }

// Get returns what an active trial can become. It is empty for other subscriptions.
//
// The error is as for [SubscriptionClient.Get].
//
// https://learn.microsoft.com/partner-center/developer/get-a-list-of-trial-conversion-offers
func (c *ConversionsClient) Get(ctx context.Context) (*Collection[*Conversion], error) {
	return readList[Conversion](ctx, c.resource)
}

// All yields what Get returns, with the checks of [OrdersClient.All].
func (c *ConversionsClient) All(ctx context.Context) iter.Seq2[*Conversion, error] {
	return readAll[Conversion](ctx, c.resource)
}

// Create converts the trial: send one of the conversions that Get returned, with the
// quantity and the billing cycle to pay for. The subscription keeps its id. It may fail
// with a success: then the result has an Error.
//
// The error is an [*Error] with status 400 and code 900141 for a subscription that is no
// trial, 2001 and 2011 for one that is suspended or deleted, 2002 for a quantity out of
// range, 6001 for a billing cycle that the offer is not sold with, with 403 and code 2085
// for an offer that the trial cannot become, and as for [SubscriptionClient.Get].
//
// https://learn.microsoft.com/partner-center/developer/convert-a-trial-subscription-to-paid
func (c *ConversionsClient) Create(ctx context.Context, conversion *Conversion) (*ConversionResult, error) {
	return exchange[ConversionResult](ctx, c.resource, request{method: http.MethodPost, in: conversion})
}
