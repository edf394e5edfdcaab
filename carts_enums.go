package partnercenter

import (
	"slices"

	"github.com/go-json-experiment/json/jsontext"
)

// CartStatus is the state of a cart.
type CartStatus string

// The states of carts.
const (
	CartStatusActive  CartStatus = "Active"
	CartStatusOrdered CartStatus = "Ordered" // everything in it was ordered
)

var cartStatuses = []CartStatus{CartStatusActive, CartStatusOrdered}

// Normalize returns the constant that s spells, or s unchanged.
func (s CartStatus) Normalize() CartStatus {
	if enumKey(string(s)) == "" || s[0] >= '0' && s[0] <= '9' { // these have no numbers
		return s
	}
	return normalize(s, cartStatuses)
}

// Known reports whether s spells a documented value.
func (s CartStatus) Known() bool { return slices.Contains(cartStatuses, s.Normalize()) }

// UnmarshalJSONFrom reads a string in any spelling.
func (s *CartStatus) UnmarshalJSONFrom(dec *jsontext.Decoder) error { return unmarshalText(dec, s) }

// ParticipantType is the part that a partner has in a purchase.
type ParticipantType string

// The documented parts, in the order of their numbers. Carts have the resellers of a
// transaction.
const (
	ParticipantTypeUnknown                       ParticipantType = "unknown"
	ParticipantTypeTransactionReseller           ParticipantType = "transaction_reseller"
	ParticipantTypeConsumptionReseller           ParticipantType = "consumption_reseller"
	ParticipantTypeAdditionalTransactionReseller ParticipantType = "additional_transaction_reseller"
)

var participantTypes = []ParticipantType{
	ParticipantTypeUnknown, ParticipantTypeTransactionReseller, ParticipantTypeConsumptionReseller,
	ParticipantTypeAdditionalTransactionReseller,
}

// Normalize returns the constant that t spells, or t unchanged.
func (t ParticipantType) Normalize() ParticipantType { return normalize(t, participantTypes) }

// Known reports whether t spells a documented value.
func (t ParticipantType) Known() bool { return isKnown(t, participantTypes) }

// UnmarshalJSONFrom reads a string in any spelling, or a number.
func (t *ParticipantType) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	return unmarshalText(dec, t)
}

// CartErrorCode says what is wrong with a line of a cart.
type CartErrorCode string

// The documented codes. Only these have the numbers beside them.
const (
	CartErrorCodeUnknown                   CartErrorCode = "unknown"                                     // 0
	CartErrorCodeCurrencyNotSupported      CartErrorCode = "currency_is_not_supported"                   // 10000
	CartErrorCodeCatalogItemIDNotValid     CartErrorCode = "catalog_item_id_is_not_valid"                // 10001
	CartErrorCodeQuotaNotAvailable         CartErrorCode = "quota_not_available"                         // 10002
	CartErrorCodeInventoryNotAvailable     CartErrorCode = "inventory_not_available"                     // 10003
	CartErrorCodeParticipantsNotSupported  CartErrorCode = "participants_is_not_supported_for_partner"   // 10004
	CartErrorCodeUnableToProcess           CartErrorCode = "unable_to_process_cart_line_item"            // 10006
	CartErrorCodeSubscriptionNotValid      CartErrorCode = "subscription_is_not_valid"                   // 10007
	CartErrorCodeSubscriptionNotEnabled    CartErrorCode = "subscription_is_not_enabled_for_ri"          // 10008
	CartErrorCodeSandboxLimitExceeded      CartErrorCode = "sandbox_limit_exceeded"                      // 10009
	CartErrorCodeInvalidInput              CartErrorCode = "invalid_input"                               // 10010
	CartErrorCodeSubscriptionNotRegistered CartErrorCode = "subscription_not_registered"                 // 10011
	CartErrorCodeAttestationNotAccepted    CartErrorCode = "attestation_not_accepted"                    // 10012
	CartErrorCodeBillingPlanNotSupported   CartErrorCode = "billing_plan_not_supported"                  // 10013
	CartErrorCodeInvalidPromotionID        CartErrorCode = "invalid_promotion_id"                        // 10014
	CartErrorCodeMaxSeatsExceeded          CartErrorCode = "max_allowed_seats_per_subscription_exceeded" // 10015
	CartErrorCodeCustomEndProductInvalid   CartErrorCode = "invalid_custom_term_end_date_product"        // 10016
	CartErrorCodeCustomEndInvalid          CartErrorCode = "invalid_custom_term_end_date"                // 10017
	CartErrorCodeBaseSeatsNotMet           CartErrorCode = "base_offer_seat_quantity_not_met"            // 10018
	CartErrorCodeMinimumAddOnSeatsNotMet   CartErrorCode = "minimum_add_on_seats_not_met"                // 10019
	CartErrorCodeLegacyOfferNotEligible    CartErrorCode = "legacy_offer_not_eligible_for_purchase"      // 500600
)

// cartErrorCodes are the documented codes by their numbers.
var cartErrorCodes = map[string]CartErrorCode{
	"0": CartErrorCodeUnknown, "10000": CartErrorCodeCurrencyNotSupported, "10001": CartErrorCodeCatalogItemIDNotValid,
	"10002": CartErrorCodeQuotaNotAvailable, "10003": CartErrorCodeInventoryNotAvailable,
	"10004": CartErrorCodeParticipantsNotSupported, "10006": CartErrorCodeUnableToProcess,
	"10007": CartErrorCodeSubscriptionNotValid, "10008": CartErrorCodeSubscriptionNotEnabled,
	"10009": CartErrorCodeSandboxLimitExceeded, "10010": CartErrorCodeInvalidInput,
	"10011": CartErrorCodeSubscriptionNotRegistered, "10012": CartErrorCodeAttestationNotAccepted,
	"10013": CartErrorCodeBillingPlanNotSupported, "10014": CartErrorCodeInvalidPromotionID,
	"10015": CartErrorCodeMaxSeatsExceeded, "10016": CartErrorCodeCustomEndProductInvalid,
	"10017": CartErrorCodeCustomEndInvalid, "10018": CartErrorCodeBaseSeatsNotMet,
	"10019": CartErrorCodeMinimumAddOnSeatsNotMet, "500600": CartErrorCodeLegacyOfferNotEligible,
}

// Normalize returns the constant that c spells, or c unchanged.
func (c CartErrorCode) Normalize() CartErrorCode {
	key := enumKey(string(c))
	if known, ok := cartErrorCodes[key]; ok {
		return known
	}
	for _, known := range cartErrorCodes {
		if enumKey(string(known)) == key {
			return known
		}
	}
	return c
}

// Known reports whether c spells a documented value.
func (c CartErrorCode) Known() bool {
	for _, known := range cartErrorCodes {
		if c.Normalize() == known {
			return true
		}
	}
	return false
}

// UnmarshalJSONFrom reads a string in any spelling, or the documented number.
func (c *CartErrorCode) UnmarshalJSONFrom(dec *jsontext.Decoder) error { return unmarshalText(dec, c) }
