package partnercenter

// Codes of the calls in this package, with the status that they come with. A
// code is not unique by itself: 2006 comes with 400 and with 403, and other
// parts of the service have meanings of their own for 2000, 2001 and 3000.
//
// https://learn.microsoft.com/partner-center/developer/error-codes
const (
	CodeAccessDenied       ErrorCode = "400"    // 401: the token is refused
	CodeTokenMissing       ErrorCode = "800001" // 401
	CodeMFARequired        ErrorCode = "900421" // 401: the user signed in without a second factor
	CodeInvalidProperty    ErrorCode = "3000"   // 400
	CodeInvalidInput       ErrorCode = "800002" // 400: the body cannot be read
	CodeEnumUnparsable     ErrorCode = "900126" // 400
	CodeOperationUnoffered ErrorCode = "900141" // 400: not supported
	CodeNotInEnvironment   ErrorCode = "900127" // 400: only in a sandbox, or not in this cloud
	CodeNotFound           ErrorCode = "1000"   // 404
	CodeUnexpected         ErrorCode = "800003" // 500
	CodeBadContinuation    ErrorCode = "2000"   // 400: the continuation token leads nowhere
	CodeEtagStale          ErrorCode = "2055"   // 400: changed since it was read
	CodeRoleNotGranted     ErrorCode = "900150" // 403: the role does not have the right

	// Customers.
	CodeNoRelationship    ErrorCode = "20002"  // 403: not a customer of this partner, or none at all
	CodeInvalidCustomerID ErrorCode = "900118" // 400
	CodeAgreementMissing  ErrorCode = "13605"  // 403: the customer agreement is not confirmed

	// Orders.
	CodeOrderNotFound         ErrorCode = "20000"  // 404
	CodeOrderInProgress       ErrorCode = "800060" // 409: the same request is still running
	CodePendingAdjustment     ErrorCode = "800014" // 409: a change of the order is under way
	CodeOrderUnprocessable    ErrorCode = "4018"   // 400
	CodeLineNumbers           ErrorCode = "800071" // 400: not 0 to one less than the number of lines
	CodeProvisioningUnknown   ErrorCode = "800007" // 404
	CodePriceNotGranted       ErrorCode = "800043" // 403
	CodeOrderNotCancellable   ErrorCode = "800061" // 400
	CodeSuspendInstead        ErrorCode = "800063" // 400: its subscriptions can be suspended
	CodeSaaSNotByOrder        ErrorCode = "800077" // 403: cancel the subscription
	CodeNotInProduction       ErrorCode = "800019" // 403: only a sandbox may cancel this
	CodeCancelWindowOver      ErrorCode = "900117" // 400
	CodeCycleInactive         ErrorCode = "6000"   // 400: a subscription of the order is not active
	CodeCycleUnsupported      ErrorCode = "6001"   // 400: an offer of the order is not sold like this
	CodeSyncStateNotCompleted ErrorCode = "800072" // 400: it is being provisioned, or waits for a purchase order
	CodeCycleMismatch         ErrorCode = "800085" // 400
	CodePromotionInvalid      ErrorCode = "27007"  // 400

	// What is ordered.
	CodeInvalidOffer        ErrorCode = "800004" // 400
	CodeProductNotFound     ErrorCode = "400013" // 404
	CodeSKUNotFound         ErrorCode = "400018" // 404
	CodeAvailabilityUnknown ErrorCode = "400019" // 404
	CodeSegmentNotAllowed   ErrorCode = "400030" // 403
	CodeViewNotAllowed      ErrorCode = "400036" // 403
	CodeNotOnboarded        ErrorCode = "2030"   // 403: the partner does not sell in the country
	CodeWrongCatalog        ErrorCode = "2100"   // 400: the item lives in the products catalog
	CodeOfferRetired        ErrorCode = "2091"   // 403
	CodeOfferNotEligible    ErrorCode = "2085"   // 403
	CodeItemNotEligible     ErrorCode = "800020" // 403
	CodeOfferNotInCountry   ErrorCode = "800070" // 400
	CodeQuantityOutOfRange  ErrorCode = "2002"   // 400: of an offer or subscription
	CodeQuantityUnavailable ErrorCode = "800017" // 400: of a catalog item
	CodeOutOfInventory      ErrorCode = "800010" // 400
	CodeOfferLimit          ErrorCode = "27006"  // 400: the customer has as many as it may
	CodeTermUnavailable     ErrorCode = "800028" // 403
	CodeAddOnUnrelated      ErrorCode = "800029" // 400
	CodeParentInactive      ErrorCode = "27009"  // 409
	CodeMPNUnknown          ErrorCode = "800015" // 404
	CodeMPNNotReseller      ErrorCode = "800016" // 400
	CodeMPNIsProvider       ErrorCode = "2072"   // 404: the indirect provider's own

	// Azure subscriptions that reservations are bought for.
	CodeSubscriptionNotAzure      ErrorCode = "800011" // 400
	CodeSubscriptionInactive      ErrorCode = "800012" // 400
	CodeSubscriptionNotEnabled    ErrorCode = "800013" // 400: its registration is not through
	CodeSubscriptionInvalid       ErrorCode = "800021" // 400
	CodeSubscriptionNotRegistered ErrorCode = "800030" // 400

	// Limits of a sandbox.
	CodeSandboxLimit      ErrorCode = "800018" // 400
	CodeTooManySubs       ErrorCode = "800066" // 403
	CodeTooManySeats      ErrorCode = "800067" // 403
	CodeTooManyAzureSubs  ErrorCode = "800068" // 403
	CodeSeatsBeyondLimit  ErrorCode = "800088" // 403: of a catalog item
	CodeTooManyAzurePlans ErrorCode = "900116" // 400

	// Subscriptions.
	CodeSubscriptionNotFound     ErrorCode = "20003"  // 404
	CodeSubscriptionSuspended    ErrorCode = "2001"   // 400: its quantity cannot change
	CodeSuspendedNoUpdate        ErrorCode = "800091" // 400: the same, newer commerce
	CodeSubscriptionDeleted      ErrorCode = "2011"   // 400
	CodeCycleNotHere             ErrorCode = "2054"   // 400: change it through the order
	CodeQuantityNotDecreasable   ErrorCode = "800090" // 400
	CodeQuantityNotUpdatable     ErrorCode = "800095" // 400
	CodeStatusNotUpdatable       ErrorCode = "800096" // 400
	CodePartnerNotUpdatable      ErrorCode = "800098" // 400
	CodeAutoRenewNotEligible     ErrorCode = "800093" // 400
	CodeStatusChangeUnsupported  ErrorCode = "800040" // 400
	CodeSubscriptionNotReady     ErrorCode = "800082" // 400: still being provisioned
	CodeSubscriptionNotActivated ErrorCode = "800081" // 400
	CodeAlreadyActivated         ErrorCode = "800041" // 400
)
