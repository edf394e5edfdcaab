package issuer

import (
	"strings"

	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/token"
)

// onBehalfOf implements the grant of a service that was called with a user's token and
// calls another service for that user.
// https://learn.microsoft.com/entra/identity-platform/v2-oauth2-on-behalf-of-flow
func (a *Authority) onBehalfOf(t *tokenRequest) (*issued, error) {
	assertion := t.form.Get("assertion")
	switch {
	case assertion == "":
		return nil, missing("assertion", "Add the access token that the user's client has sent to this application.")
	case t.form.Get("requested_token_use") != "on_behalf_of":
		return nil, missing("requested_token_use", "Add requested_token_use=on_behalf_of.")
	case t.proof == token.ProofNone:
		return nil, fail(codeNotPublic, "Application %s acts for users of others, so the request must contain 'client_assertion' or 'client_secret'. Add one of the two.", t.client.ID)
	case len(assertion) > token.MaxLength:
		return nil, fail(codeBadAssertion, "The assertion has %d bytes, and the limit is %d. Send the access token as it came.", len(assertion), token.MaxLength)
	}
	isOwn := func(audience string) bool {
		audience = ascii.ToLower(audience)
		return strings.TrimPrefix(audience, appScheme) == ascii.ToLower(t.client.ID)
	}
	claims, err := a.verify(assertion, t.trust, isOwn)
	if err != nil && mayBeKnownByNow(err) && a.findAgain(t, t.client.ID) {
		claims, err = a.verify(assertion, t.trust, isOwn)
	}
	if err == nil {
		err = token.CheckTime(claims, a.now(), a.leeway)
	}
	if refused, ok := err.(*token.VerifyError); ok { //nolint:errorlint // verify returns no other
		switch refused.Reason {
		case token.ReasonIDToken:
			return nil, fail(codeIDTokenAssertion, "The assertion is an id token. Send the access token that the user's client has sent to this application.")
		case token.ReasonAudience:
			return nil, fail(codeAssertionForOther, "The assertion is not meant for application %s: %s. Have the user's client ask for a token for this application, such as scope=%s%s/.default.", t.client.ID, refused.Detail, appScheme, t.client.ID)
		case token.ReasonExpired, token.ReasonNotYetValid:
			return nil, fail(codeAssertionExpired, "The assertion is not within its life: %s. Have the user's client get a new token, and compare the clocks.", refused.Detail)
		}
		return nil, fail(codeBadAssertion, "The assertion is refused: %s. Send the access token that the user's client has sent to this application, as it came.", refused.Detail)
	}
	if !claims.HasUser() {
		return nil, fail(codeNoOnBehalfOf, "The assertion is an app's own token, which is on behalf of no user. Send a token that a user has signed in for.")
	}
	tenant := t.trust.tenant(claims.TenantID)
	return a.beginGrant(t, a.newGrant(t, tenant.id, claims.ObjectID, claims.MFA, signInRequest{Scope: t.form.Get("scope")}), nil, "")
}
