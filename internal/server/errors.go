package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/catalog"
	"github.com/partnercenter-go/partnercenter/internal/quote"
	"github.com/partnercenter-go/partnercenter/internal/store"
	"github.com/partnercenter-go/partnercenter/internal/token"
	"github.com/partnercenter-go/partnercenter/internal/words"
)

// apiError is an unsuccessful answer: status, code and body as in the contract, with a
// description in this project's words that ends with what to do next.
type apiError struct {
	status      int
	code        partnercenter.ErrorCode
	description string
	data        []string
	retryAfter  time.Duration // of a 503, if it is not [unavailableRetryAfter]
}

func (e *apiError) Error() string { return fmt.Sprintf("%d/%s: %s", e.status, e.code, e.description) }

// fail makes a refusal without data.
func fail(status int, code partnercenter.ErrorCode, description string) error {
	return &apiError{status: status, code: code, description: description}
}

// busy is the refusal of a call that there is no room for now.
func busy(description string) error {
	return &apiError{
		status: http.StatusServiceUnavailable, code: partnercenter.ErrorCodeUnexpected, description: description, retryAfter: overloadedRetryAfter,
	}
}

// Errors that do not depend on the request.
var (
	errPathTooLong = fail(http.StatusRequestURITooLong, partnercenter.ErrorCodeInvalidInput, fmt.Sprintf("The path is longer than %d characters. Shorten it; no path of the API is that long.", maxPathLength))
	errBodyOnGet   = fail(http.StatusBadRequest, partnercenter.ErrorCodeInvalidInput, "This call takes no body. Send it without one; its parameters go into the path and the query.")
	// errNoAuthority refuses to change consents where the tokens are Microsoft's.
	errNoAuthority = fail(http.StatusBadRequest, partnercenter.ErrorCodeOperationUnoffered,
		"Application consents are not supported here: this server accepts Microsoft's tokens, and consents for those are given at Microsoft. Send the call to Microsoft's service, or start the server with --auth builtin.")
	errBadToken     = fail(http.StatusBadRequest, partnercenter.ErrorCodeBadContinuation, "The continuation token was not issued to this partner by this service. Start again from the first page.")
	errBodyTooLarge = fail(http.StatusRequestEntityTooLarge, partnercenter.ErrorCodeInvalidInput, fmt.Sprintf("Invalid request input: the body is larger than %d KiB. Send less at once.", maxBody>>10))
	// errNeedsMFA refuses users who signed in with a password alone. The token is
	// refused, whatever the call.
	//
	// https://learn.microsoft.com/partner-center/security/partner-security-requirements-mandating-mfa
	errNeedsMFA = errUnauthorized(partnercenter.ErrorCodeMFARequired,
		"Unauthorized - MFA required: the user signed in without a second factor, which every call on behalf of a user requires. Sign in again with one: partnercenter login.")
	errInProgress = fail(http.StatusConflict, partnercenter.ErrorCodeOrderInProgress, "Your order is in progress: a request with this MS-RequestId is still running. Repeat it with the same id in a moment for its answer.")
	// errConsentExists says just this: published clients compare the whole text.
	errConsentExists = fail(http.StatusConflict, partnercenter.ErrorCodeInvalidInput, "Permission entry already exists.")
	errCrowd         = fail(http.StatusConflict, partnercenter.ErrorCodeOrderInProgress,
		"Your order is in progress: too many requests change it at once, and this one changed nothing. Repeat it in a moment, with the same MS-RequestId.")
	errRequestIDTooLong = fail(http.StatusBadRequest, partnercenter.ErrorCodeInvalidInput, "Invalid request input: MS-RequestId has more than 128 characters, so a repeated write could not be recognized. Send a GUID.")
	errRequestIDNoASCII = fail(http.StatusBadRequest, partnercenter.ErrorCodeInvalidInput, "Invalid request input: MS-RequestId has characters other than those of ASCII, so a repeated write could not be recognized. Send a GUID.")
	errUploadTooLarge   = fail(http.StatusRequestEntityTooLarge, partnercenter.ErrorCodeInvalidInput, fmt.Sprintf("Invalid request input: the upload is larger than %d MiB. Send its files in several uploads.", maxUpload>>20))
	errSlowUpload       = fail(http.StatusRequestTimeout, partnercenter.ErrorCodeInvalidInput, fmt.Sprintf("The upload did not come in time: %s for every %d KiB, and %s for all. Send it again, with the same MS-RequestId.", chunkTimeout, transferChunk>>10, uploadTimeout))
	errOverloaded       = busy("The server has more to do than it can do in a second. Nothing of the request was begun: try again, with the same MS-RequestId.")
	errUnsent           = busy("The server has no room for another large answer until its clients have read theirs. Read answers faster, or fewer at a time, and try again.")
	errNoSpace          = fail(http.StatusServiceUnavailable, partnercenter.ErrorCodeUnexpected, "The server's disk has no room for the file. Make room where its database is, and try again with the same MS-RequestId.")
)

func errBadPath(why string) error {
	return fail(http.StatusBadRequest, partnercenter.ErrorCodeInvalidInput, "The path cannot be served: "+why+". Send the path as it is in links of earlier answers, with ids percent-encoded.")
}

func errUnknownRoute(path string) error {
	return fail(http.StatusNotFound, partnercenter.ErrorCodeNotFound, "Nothing is served at "+quote.Text(path)+". Check the path against the API's documentation; it begins with /v1/.")
}

func errUnserved(name string) error {
	return fail(http.StatusBadRequest, partnercenter.ErrorCodeOperationUnoffered,
		"This operation is not supported: "+name+" is documented, and this server does not have it. docs/support-matrix.md has the calls that it answers.")
}

// errNotAtSignIn and errNotAtAPI are for clients that send a valid request to the wrong
// one of Microsoft's hosts, where it would fail, too.
func errNotAtSignIn(host string) error {
	return fail(http.StatusNotFound, partnercenter.ErrorCodeNotFound,
		quote.Text(host)+" is a sign-in host: it issues tokens and serves nothing else. Call the API at its own host, such as https://api.partnercenter.microsoft.com.")
}

func errNotAtAPI(host string) error {
	return fail(http.StatusNotFound, partnercenter.ErrorCodeNotFound, quote.Text(host)+" is the API's host: it issues no tokens. Request them from a sign-in host, such as https://login.microsoftonline.com.")
}

func errMethod(method, allow string) error {
	return fail(http.StatusMethodNotAllowed, partnercenter.ErrorCodeOperationUnoffered, "Method "+quote.Text(method)+" is not supported here. Use "+allow+".")
}

func errBadQuery(problem, next string) error {
	return fail(http.StatusBadRequest, partnercenter.ErrorCodeInvalidProperty, "Invalid property: "+problem+". To go on, "+next+".")
}

func errEnum(name, value string, allowed []string) error {
	return &apiError{
		status: http.StatusBadRequest, code: partnercenter.ErrorCodeEnumUnparsable, data: allowed,
		description: "Unable to parse enum: " + name + "=" + quote.Text(value) + ". Send one of " + strings.Join(allowed, ", ") + ", in any spelling, or leave it out.",
	}
}

func errCustomerID(id string) error {
	return fail(http.StatusBadRequest, partnercenter.ErrorCodeInvalidCustomerID, "Invalid customer id: "+quote.Text(id)+" is not a GUID. Send the customer's tenant id, such as 0f6cb3c9-3f4b-4b0e-8f5c-9d1d7c7a5b11.")
}

// errNoRelationship answers alike for customers that do not exist and for other
// partners' customers, so that it does not reveal which they are.
func errNoRelationship(partnerID, customerID string) error {
	return fail(http.StatusForbidden, partnercenter.ErrorCodeNoRelationship,
		"The partner ID "+partnerID+" has no commerce relationship with the customer ID "+customerID+". List this partner's customers with GET /v1/customers.")
}

func errPriceNotGranted(next string) error {
	return fail(http.StatusForbidden, partnercenter.ErrorCodePriceNotGranted, "Access to pricing information is not granted. "+next)
}

func errOrderNotFound(id string) error {
	return fail(http.StatusNotFound, partnercenter.ErrorCodeOrderNotFound, "Order ID not found: "+quote.Text(id)+". List the customer's orders for its ids; ids other than GUIDs are case-sensitive.")
}

func errCartNotFound(id string) error {
	return fail(http.StatusNotFound, partnercenter.ErrorCodeCartNotFound, "Unable to retrieve cart Id "+quote.Text(id)+": the customer has no such cart. Create one with POST to the customer's carts, and keep its id; carts are not listed.")
}

func errCartBusy(id string) error {
	return fail(http.StatusConflict, partnercenter.ErrorCodeCartBusy, "Cart "+quote.Text(id)+" is being processed by another request. Wait for its answer, or try again in a moment.")
}

func errNotAcceptable(accept string) error {
	return fail(http.StatusNotAcceptable, partnercenter.ErrorCodeInvalidInput, "Accept: "+quote.Text(accept)+" excludes this API's answers. Send Accept: application/json.")
}

func errUnauthorized(code partnercenter.ErrorCode, description string) error {
	return fail(http.StatusUnauthorized, code, description)
}

// errAccessDenied refuses an invalid token.
func errAccessDenied(refused error) error {
	return errUnauthorized(partnercenter.ErrorCodeAccessDenied, "Access denied: "+refused.Error()+".")
}

// errUnavailable is for tokens that cannot be checked now.
func errUnavailable(why error) error {
	return fail(http.StatusServiceUnavailable, partnercenter.ErrorCodeUnexpected, "The token cannot be checked: "+why.Error()+".")
}

// errUnusable is for requests that the database cannot serve at the moment.
func errUnusable(why *store.UnusableError, isWrite bool) error {
	text, then := "Nothing was changed: "+why.Problem(), "; then repeat the request with the same MS-RequestId."
	switch {
	case !isWrite:
		text, then = "T"+why.Problem()[1:], "; then repeat the request."
	case errors.Is(why, store.ErrUnreachable): // it may have done what its answer would have said
		text = "It is not known whether anything was changed: " + why.Problem()
	}
	return &apiError{
		status: http.StatusServiceUnavailable, code: partnercenter.ErrorCodeUnexpected, retryAfter: store.RetryAfter,
		description: text + ". To go on, " + why.Next + then,
	}
}

// errWebPage refuses requests that a web page may have made a browser send.
func errWebPage(why string) error {
	return fail(http.StatusForbidden, partnercenter.ErrorCodeAccessDenied,
		"This server asks for no tokens, so it refuses web pages, and the request "+why+". Call it at localhost or by its address, or start it with --auth builtin.")
}

func errBody(problem, next string) error {
	return fail(http.StatusBadRequest, partnercenter.ErrorCodeInvalidInput, "Invalid request input: the body cannot be accepted: "+problem+". To go on, "+next+".")
}

func errRepeatedHeader(name string) error {
	return fail(http.StatusBadRequest, partnercenter.ErrorCodeInvalidInput, "Invalid request input: "+name+" was sent more than once, so which one counts would not be certain. Send it once.")
}

func errNotOffered(what string, cloud partnercenter.CloudName) error {
	return fail(http.StatusBadRequest, partnercenter.ErrorCodeNotInEnvironment,
		"This operation is not supported in this environment: "+what+" not offered in the "+string(cloud)+
			" cloud. Leave it out for partners of this cloud, or start the server with another --as-cloud.")
}

func (s *Server) errNeedsUser(o *partnercenter.Operation) error {
	return fail(http.StatusForbidden, s.config.Edition.needsUser(),
		"The supplied role does not have the rights to perform "+o.String()+": the token is an application's own, and the call asks for a signed-in user (App+User). "+
			"Sign in as a user with the role "+words.Or(o.Roles())+": partnercenter login.")
}

func (s *Server) errNeedsApp(o *partnercenter.Operation) error {
	return fail(http.StatusForbidden, partnercenter.ErrorCodeRoleNotGranted,
		"The supplied role does not have the rights to perform "+o.String()+": the token is a user's, and the call requires an application's own (App only). "+
			"Get a token with client credentials from "+s.tokens.TokenEndpoint()+".")
}

func errNeedsRole(claims *token.Claims, o *partnercenter.Operation) error {
	has := "the user has no role in Partner Center"
	if len(claims.Roles) > 0 {
		has = "the user has the role " + words.And(claims.Roles)
	}
	return fail(http.StatusForbidden, partnercenter.ErrorCodeRoleNotGranted,
		"The supplied role does not have the rights to perform "+o.String()+": "+has+
			". Sign in as a user with the role "+words.Or(o.Roles())+": partnercenter login.")
}

// errNoProfile is for customers that were loaded without a profile.
func errNoProfile(kind, customerID string) error {
	return fail(http.StatusNotFound, partnercenter.ErrorCodeNotFound, "Customer "+customerID+" has no "+kind+" profile. Load one with the customer: in its seed file, or by importing an answer that contains it.")
}

func errSubscriptionNotFound(id string) error {
	return fail(http.StatusNotFound, partnercenter.ErrorCodeSubscriptionNotFound,
		"Subscription with ID "+quote.Text(id)+" not found. List the customer's subscriptions for their ids; a new one appears once it is provisioned.")
}

func errLineNotFound(number string) error {
	return fail(http.StatusNotFound, partnercenter.ErrorCodeNotFound, "The order has no line item "+quote.Text(number)+". Get the order for its line item numbers.")
}

// errRequestIDUsed has another code than [errInProgress]: clients wait for a request
// that is still running, but waiting does not help here.
func errRequestIDUsed(id string) error {
	return fail(http.StatusConflict, partnercenter.ErrorCodeInvalidInput,
		"Invalid request input: MS-RequestId "+quote.Text(id)+" was used with another body at this address, and an id identifies one write. Send the first body again for its answer, or use a new id.")
}

func errTooManyAttachments(count int) error {
	return fail(http.StatusBadRequest, partnercenter.ErrorCodeInvalidProperty,
		fmt.Sprintf("Invalid property POFiles: the order has %d files, and the limit is %d. Combine the others into fewer files.", count, maxAttachments))
}

// errBusy says that a transfer did not have its turn in time, unless the client is gone.
func errBusy(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return fail(http.StatusServiceUnavailable, partnercenter.ErrorCodeUnexpected, "Too many files are being transferred. Try again in a moment, with the same MS-RequestId.")
}

func errPromotionNotFound(id string) error {
	return fail(http.StatusNotFound, partnercenter.ErrorCodeNotFound, "There is no promotion "+quote.Text(id)+" in the country. List the promotions for their ids.")
}

func errAttachmentNotFound(id string) error {
	return fail(http.StatusNotFound, partnercenter.ErrorCodeNotFound, "The order has no attachment "+quote.Text(id)+". List its attachments for their ids.")
}

func errPartTooLarge(subject string, limit int) error {
	return fail(http.StatusRequestEntityTooLarge, partnercenter.ErrorCodeInvalidInput, fmt.Sprintf("Invalid request input: %s is larger than %d KiB. Shorten or split it.", subject, limit>>10))
}

func errCountry(code string, onboarded []string) error {
	return fail(http.StatusForbidden, partnercenter.ErrorCodeNotOnboarded,
		"Partner is not onboarded to sell in country "+quote.Text(code)+". Use one of "+strings.Join(onboarded, ", ")+".")
}

func errSegment(segment string) error {
	return fail(http.StatusForbidden, partnercenter.ErrorCodeSegmentNotAllowed,
		"The target segment "+quote.Text(segment)+" is not allowed. Send "+words.Join(partnercenter.TargetSegments())+", or leave it out for all.")
}

func errView(view string) error {
	return fail(http.StatusForbidden, partnercenter.ErrorCodeViewNotAllowed,
		"The target view "+quote.Text(view)+" is not allowed. Send one of "+words.Join(partnercenter.TargetViews())+".")
}

func errNoConsent(app string) error {
	return fail(http.StatusNotFound, partnercenter.ErrorCodeNotFound,
		"Not found: the customer has not consented to the application "+quote.Text(app)+". Send the application's client id, as it was in applicationId.")
}

// storeError words the store's errors. What they are about is in the path.
func (c *call) storeError(err error) error {
	switch {
	case errors.Is(err, store.ErrNotYours):
		return errNoRelationship(c.claims.TenantID, c.customer)
	case errors.Is(err, store.ErrSubscriptionNotFound):
		return errSubscriptionNotFound(c.param("subscription-id"))
	case errors.Is(err, store.ErrCartNotFound):
		return errCartNotFound(c.param("cart-id"))
	case errors.Is(err, store.ErrOrderNotFound):
		return errOrderNotFound(c.param("order-id"))
	}
	return err
}

// catalogError words the catalog's errors in a country. The ids are those in the path.
func (s *Server) catalogError(c *call, err error, country string) error {
	item := quote.Text(cmp.Or(c.param("offer-id"), c.param("product-id")))
	sku, availability := quote.Text(c.param("sku-id")), quote.Text(c.param("availability-id"))
	switch {
	case errors.Is(err, catalog.ErrUnknownOffer) && s.config.Catalog.IsProduct(c.param("offer-id")):
		return fail(http.StatusBadRequest, partnercenter.ErrorCodeWrongCatalog, "The Offers API does not support item with ID "+item+". Ask for it under /v1/products instead.")
	case errors.Is(err, catalog.ErrUnknownOffer):
		return fail(http.StatusBadRequest, partnercenter.ErrorCodeInvalidOffer, "Invalid offer Id: "+item+". List the offers with GET /v1/offers?country="+country+".")
	case errors.Is(err, catalog.ErrNotInCountry):
		return fail(http.StatusBadRequest, partnercenter.ErrorCodeOfferNotInCountry,
			"Offer is not available in the specified country: "+item+" in "+country+". List those that are with GET /v1/offers?country="+country+".")
	case errors.Is(err, catalog.ErrUnknownProduct):
		return fail(http.StatusNotFound, partnercenter.ErrorCodeProductNotFound,
			"There is no product "+item+" in "+country+". List the products with GET /v1/products?country="+country+"&targetView=OnlineServices.")
	case errors.Is(err, catalog.ErrUnknownSKU):
		return fail(http.StatusNotFound, partnercenter.ErrorCodeSKUNotFound,
			"There is no SKU "+sku+" of product "+item+" in "+country+". List the product's SKUs; an id is unique within its product only.")
	case errors.Is(err, catalog.ErrUnknownAvailability):
		return fail(http.StatusNotFound, partnercenter.ErrorCodeAvailabilityUnknown,
			"There is no availability "+availability+" of SKU "+sku+" of product "+item+" in "+country+". List the SKU's availabilities; their ids change.")
	}
	return err
}
