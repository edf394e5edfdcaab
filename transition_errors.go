package partnercenter

import (
	"slices"

	"github.com/go-json-experiment/json/jsontext"
)

// TransitionError is a reason why a transition, an upgrade or a conversion is not
// possible, or failed.
type TransitionError struct {
	Code        TransitionErrorCode `json:"code,omitzero"`
	Description string              `json:"description,omitzero"`
	Extra       jsontext.Value      `json:",embed"`
}

// TransitionErrorCode is the number of a [TransitionError], as text.
type TransitionErrorCode string

// The documented codes, which transitions and upgrades share.
const (
	TransitionErrorCodeOther               TransitionErrorCode = "0"
	TransitionErrorCodeNoDelegatedRights   TransitionErrorCode = "1"
	TransitionErrorCodeNotActive           TransitionErrorCode = "2"
	TransitionErrorCodeConflictingServices TransitionErrorCode = "3"
	TransitionErrorCodeConcurrency         TransitionErrorCode = "4"
	TransitionErrorCodeUserRequired        TransitionErrorCode = "5"
	TransitionErrorCodeAddOnsPresent       TransitionErrorCode = "6"
	TransitionErrorCodeNoPaths             TransitionErrorCode = "7"
	TransitionErrorCodeTargetNotFound      TransitionErrorCode = "8"
	TransitionErrorCodeNotProvisioned      TransitionErrorCode = "9"
	TransitionErrorCodeCycleUnsupported    TransitionErrorCode = "10"
)

var transitionErrorCodes = []TransitionErrorCode{
	TransitionErrorCodeOther, TransitionErrorCodeNoDelegatedRights, TransitionErrorCodeNotActive, TransitionErrorCodeConflictingServices,
	TransitionErrorCodeConcurrency, TransitionErrorCodeUserRequired, TransitionErrorCodeAddOnsPresent, TransitionErrorCodeNoPaths,
	TransitionErrorCodeTargetNotFound, TransitionErrorCodeNotProvisioned, TransitionErrorCodeCycleUnsupported,
}

// TransitionErrorCodes returns the documented codes in their order.
func TransitionErrorCodes() []TransitionErrorCode { return slices.Clone(transitionErrorCodes) }

// Normalize returns c unchanged: there is one spelling of a number.
func (c TransitionErrorCode) Normalize() TransitionErrorCode {
	return normalize(c, transitionErrorCodes)
}

// Known reports whether c is a documented code.
func (c TransitionErrorCode) Known() bool { return isKnown(c, transitionErrorCodes) }

// MarshalJSONTo writes digits as a number, as the service does.
func (c TransitionErrorCode) MarshalJSONTo(enc *jsontext.Encoder) error {
	return ErrorCode(c).MarshalJSONTo(enc)
}

// UnmarshalJSONFrom reads a number or a string.
func (c *TransitionErrorCode) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	return unmarshalText(dec, c)
}
