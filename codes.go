package partnercenter

// Error codes of the calls in this package, with their HTTP status. A code is
// not unique by itself: 2006 comes with 400 and with 403, and other parts of
// the service use 2000, 2001 and 3000 with meanings of their own.
//
// https://learn.microsoft.com/partner-center/developer/error-codes
const (
	ErrorCodeAccessDenied       ErrorCode = "400"    // 401: the token is refused
	ErrorCodeTokenMissing       ErrorCode = "800001" // 401
	ErrorCodeMFARequired        ErrorCode = "900421" // 401: the user signed in without a second factor
	ErrorCodeAudienceRefused    ErrorCode = "900420" // 401: the token is for another API
	ErrorCodeInvalidProperty    ErrorCode = "3000"   // 400
	ErrorCodeInvalidInput       ErrorCode = "800002" // 400: the body cannot be read
	ErrorCodeEnumUnparsable     ErrorCode = "900126" // 400
	ErrorCodeOperationUnoffered ErrorCode = "900141" // 400: not supported
	ErrorCodeNotInEnvironment   ErrorCode = "900127" // 400: only in a sandbox, or not in this cloud
	ErrorCodeNotFound           ErrorCode = "1000"   // 404
	ErrorCodeUnexpected         ErrorCode = "800003" // 500
	ErrorCodeBadContinuation    ErrorCode = "2000"   // 400: the continuation token is invalid
	ErrorCodeEtagStale          ErrorCode = "2055"   // 400: changed since it was read
	ErrorCodeRoleNotGranted     ErrorCode = "900150" // 403: the role lacks the permission
	ErrorCodeUserRequired       ErrorCode = "900329" // 403: the token is app-only

	// Customers.
	ErrorCodeNoRelationship    ErrorCode = "20002"  // 403: not a customer of this partner, or none at all
	ErrorCodeInvalidCustomerID ErrorCode = "900118" // 400
	ErrorCodeAgreementMissing  ErrorCode = "13605"  // 403: the customer has not accepted the customer agreement

	// Orders.
	ErrorCodeOrderNotFound         ErrorCode = "20000"  // 404
	ErrorCodeOrderInProgress       ErrorCode = "800060" // 409: the same request is still running
	ErrorCodePendingAdjustment     ErrorCode = "800014" // 409: a change of the order is under way
	ErrorCodeOrderUnprocessable    ErrorCode = "4018"   // 400
	ErrorCodeLineNumbers           ErrorCode = "800071" // 400: not 0 to one less than the number of lines
	ErrorCodeProvisioningUnknown   ErrorCode = "800007" // 404
	ErrorCodePriceNotGranted       ErrorCode = "800043" // 403
	ErrorCodeOrderNotCancellable   ErrorCode = "800061" // 400
	ErrorCodeSuspendInstead        ErrorCode = "800063" // 400: its subscriptions can be suspended
	ErrorCodeSaaSNotByOrder        ErrorCode = "800077" // 403: cancel the subscription
	ErrorCodeNotInProduction       ErrorCode = "800019" // 403: only a sandbox may cancel this
	ErrorCodeCancelWindowOver      ErrorCode = "900117" // 400
	ErrorCodeCycleInactive         ErrorCode = "6000"   // 400: a subscription of the order is not active
	ErrorCodeCycleUnsupported      ErrorCode = "6001"   // 400: an offer of the order does not support it
	ErrorCodeSyncStateNotCompleted ErrorCode = "800072" // 400: still being provisioned, or awaiting a purchase order
	ErrorCodeCycleMismatch         ErrorCode = "800085" // 400
	ErrorCodePromotionInvalid      ErrorCode = "27007"  // 400
	ErrorCodeCustomEndMismatch     ErrorCode = "900242" // 400: no term can end on the date
	ErrorCodeCustomEndNotOffered   ErrorCode = "900244" // 400: only terms of OnlineServicesNCE can
	ErrorCodeCustomEndOutsideTerm  ErrorCode = "900245" // 400: the date is not one of the first term
	ErrorCodeCustomEndUnaligned    ErrorCode = "900246" // 400: no subscription ends on the date
	ErrorCodeSavingsPlanInput      ErrorCode = "900312" // 400

	// Carts.
	ErrorCodeCartNotFound       ErrorCode = "800008" // 404: unknown, or expired
	ErrorCodeCartItems          ErrorCode = "800009" // 400: no lines, or wrong ones, or ordered ones
	ErrorCodeCartBusy           ErrorCode = "800064" // 409: another request is changing it or checking it out
	ErrorCodeCurrencyNotOffered ErrorCode = "900169" // 400
	ErrorCodeAttestationMissing ErrorCode = "900203" // 400: the item requires one

	// Offers and catalog items.
	ErrorCodeInvalidOffer        ErrorCode = "800004" // 400
	ErrorCodeProductNotFound     ErrorCode = "400013" // 404
	ErrorCodeSKUNotFound         ErrorCode = "400018" // 404
	ErrorCodeAvailabilityUnknown ErrorCode = "400019" // 404
	ErrorCodeSegmentNotAllowed   ErrorCode = "400030" // 403
	ErrorCodeViewNotAllowed      ErrorCode = "400036" // 403
	ErrorCodeNotOnboarded        ErrorCode = "2030"   // 403: the partner does not sell in the country
	ErrorCodeWrongCatalog        ErrorCode = "2100"   // 400: the item is in the products catalog
	ErrorCodeOfferRetired        ErrorCode = "2091"   // 403
	ErrorCodeOfferNotEligible    ErrorCode = "2085"   // 403
	ErrorCodeItemNotEligible     ErrorCode = "800020" // 403
	ErrorCodeOfferNotInCountry   ErrorCode = "800070" // 400
	ErrorCodeQuantityOutOfRange  ErrorCode = "2002"   // 400: of an offer or subscription
	ErrorCodeQuantityUnavailable ErrorCode = "800017" // 400: of a catalog item
	ErrorCodeOutOfInventory      ErrorCode = "800010" // 400
	ErrorCodeOfferLimit          ErrorCode = "27006"  // 400: the customer's maximum is reached
	ErrorCodeTermUnavailable     ErrorCode = "800028" // 403
	ErrorCodeAddOnUnrelated      ErrorCode = "800029" // 400
	ErrorCodeParentInactive      ErrorCode = "27009"  // 409
	ErrorCodeMPNUnknown          ErrorCode = "800015" // 404
	ErrorCodeMPNNotReseller      ErrorCode = "800016" // 400
	ErrorCodeMPNIsProvider       ErrorCode = "2072"   // 404: the indirect provider's own

	// Azure subscriptions for reservations.
	ErrorCodeSubscriptionNotAzure      ErrorCode = "800011" // 400
	ErrorCodeSubscriptionInactive      ErrorCode = "800012" // 400
	ErrorCodeSubscriptionNotEnabled    ErrorCode = "800013" // 400: its registration is not complete
	ErrorCodeSubscriptionInvalid       ErrorCode = "800021" // 400
	ErrorCodeSubscriptionNotRegistered ErrorCode = "800030" // 400

	// Limits of a sandbox.
	ErrorCodeSandboxLimit      ErrorCode = "800018" // 400
	ErrorCodeTooManySubs       ErrorCode = "800066" // 403
	ErrorCodeTooManySeats      ErrorCode = "800067" // 403
	ErrorCodeTooManyAzureSubs  ErrorCode = "800068" // 403
	ErrorCodeSeatsBeyondLimit  ErrorCode = "800088" // 403: of a catalog item
	ErrorCodeTooManyAzurePlans ErrorCode = "900116" // 400

	// Subscriptions.
	ErrorCodeSubscriptionNotFound     ErrorCode = "20003"  // 404
	ErrorCodeSubscriptionSuspended    ErrorCode = "2001"   // 400: its quantity cannot change
	ErrorCodeSuspendedNoUpdate        ErrorCode = "800091" // 400: the same, newer commerce
	ErrorCodeSubscriptionDeleted      ErrorCode = "2011"   // 400
	ErrorCodeCycleNotHere             ErrorCode = "2054"   // 400: change it through the order
	ErrorCodeQuantityNotDecreasable   ErrorCode = "800090" // 400
	ErrorCodeQuantityNotUpdatable     ErrorCode = "800095" // 400
	ErrorCodeStatusNotUpdatable       ErrorCode = "800096" // 400
	ErrorCodePartnerNotUpdatable      ErrorCode = "800098" // 400
	ErrorCodeAutoRenewNotEligible     ErrorCode = "800093" // 400
	ErrorCodeStatusChangeUnsupported  ErrorCode = "800040" // 400
	ErrorCodeSubscriptionNotReady     ErrorCode = "800082" // 409: still being provisioned
	ErrorCodeSubscriptionNotActivated ErrorCode = "800081" // 400
	ErrorCodeAlreadyActivated         ErrorCode = "800041" // 400
	ErrorCodeNoTermForTrial           ErrorCode = "800107" // 400: the term of a trial cannot change
	ErrorCodeTermInvalid              ErrorCode = "800121" // 400
	ErrorCodeTermDecreased            ErrorCode = "800122" // 400: a term becomes longer only
	ErrorCodeNextTermInvalid          ErrorCode = "900268" // 400: of a scheduled change
	ErrorCodeNextCycleTooLong         ErrorCode = "900270" // 400: of a scheduled change
	ErrorCodeNextCycleInvalid         ErrorCode = "900269" // 400: of a scheduled change
	ErrorCodeNoMoreUpdates            ErrorCode = "900279" // 400: its term is over
	ErrorCodeNoUpdatesNow             ErrorCode = "900280" // 400: its term is over, and it can be reactivated

	// Azure subscriptions of an Azure plan.
	ErrorCodeEntitlementNotFound ErrorCode = "800111" // 404
	ErrorCodeLegacyAzure         ErrorCode = "800112" // 403: not for a legacy offer's
	ErrorCodeCancellationReason  ErrorCode = "900307" // 400
	ErrorCodePlanInUse           ErrorCode = "900115" // 403: it cannot be suspended or cancelled
	ErrorCodeOverageNotEligible  ErrorCode = "800114" // 403
	ErrorCodeOverageElsewhere    ErrorCode = "800115" // 403: another partner's

	// Upgrades of products.
	ErrorCodeAzureSuspended     ErrorCode = "900105" // 403: one of the Azure subscriptions is
	ErrorCodeUpgradeNotFound    ErrorCode = "900106" // 404
	ErrorCodeNoAzureInCatalog   ErrorCode = "900107" // 400
	ErrorCodeNoAzureToUpgrade   ErrorCode = "900108" // 403
	ErrorCodeUpgradeInProgress  ErrorCode = "900109" // 409
	ErrorCodeUpgradeCompleted   ErrorCode = "900110" // 400
	ErrorCodeUpgradeOfAnother   ErrorCode = "900111" // 400: the customer has another one
	ErrorCodeUpgradeNotPossible ErrorCode = "900120" // 403

	// Seats that move to another item.
	ErrorCodeTargetUnusable  ErrorCode = "900236" // 400: the subscription to move them into cannot be used
	ErrorCodeTargetInactive  ErrorCode = "900258" // 400: it is not active
	ErrorCodeTargetIsSource  ErrorCode = "900259" // 400: it is the source itself
	ErrorCodeTargetMismatch  ErrorCode = "900260" // 400: it is of another item, or ends earlier
	ErrorCodeTargetNotReady  ErrorCode = "900261" // 400: still being provisioned
	ErrorCodeTermShorter     ErrorCode = "900267" // 400: than the current one
	ErrorCodeChangedTooOften ErrorCode = "900311" // 400
)
