package issuer

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/partnercenter-go/partnercenter/internal/quote"
)

// Consent says which APIs an app may use for a user or, without a user, for all users
// of a tenant.
type Consent struct {
	TenantID, ClientID string
	UserID             string   // object id
	Resources          []string // in the form in which resources are compared
}

// consentKey identifies a user's consent to an app.
type consentKey struct{ tenantID, clientID, userID string }

// consents are the consents of users.
type consents struct {
	save func(context.Context, Consent) error

	mu    sync.Mutex // guards given, and is held while a consent is saved
	given map[consentKey][]string
}

func newConsents(known []Consent, save func(context.Context, Consent) error) *consents {
	c := &consents{save: save, given: make(map[consentKey][]string, len(known))}
	for _, consent := range known {
		p := consentKey{strings.ToLower(consent.TenantID), strings.ToLower(consent.ClientID), consent.UserID}
		for _, r := range consent.Resources {
			c.given[p] = append(c.given[p], apiKey(r)) // an older one may have another name of the API
		}
	}
	return c
}

// has reports whether a user, or an administrator for the whole tenant, has consented
// to an app's use of a resource.
func (c *consents) has(p consentKey, resource string) bool {
	everybody := p
	everybody.userID = ""
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Contains(c.given[p], resource) || slices.Contains(c.given[everybody], resource)
}

// any reports whether an app has a consent in a customer's tenant, which puts it there.
func (c *consents) any(tenantID, clientID string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.given[consentKey{tenantID: tenantID, clientID: strings.ToLower(clientID)}]) > 0
}

func (c *consents) add(ctx context.Context, p consentKey, resource string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if slices.Contains(c.given[p], resource) {
		return nil
	}
	return c.put(ctx, p, append(slices.Clone(c.given[p]), resource))
}

// put replaces a consent; without resources it is deleted. The caller holds the lock.
func (c *consents) put(ctx context.Context, p consentKey, resources []string) error {
	if c.save != nil {
		if err := c.save(ctx, Consent{TenantID: p.tenantID, ClientID: p.clientID, UserID: p.userID, Resources: resources}); err != nil {
			return err
		}
	}
	if len(resources) == 0 {
		delete(c.given, p)
		return nil
	}
	c.given[p] = resources
	return nil
}

// Consents returns the consents that match, ordered by tenant, app and user.
func (a *Authority) Consents(match func(Consent) bool) []Consent {
	a.consents.mu.Lock()
	defer a.consents.mu.Unlock()
	var list []Consent
	for p, resources := range a.consents.given {
		consent := Consent{TenantID: p.tenantID, ClientID: p.clientID, UserID: p.userID, Resources: slices.Clone(resources)}
		if match(consent) {
			list = append(list, consent)
		}
	}
	slices.SortFunc(list, func(a, b Consent) int {
		return cmp.Or(cmp.Compare(a.TenantID, b.TenantID), cmp.Compare(a.ClientID, b.ClientID), cmp.Compare(a.UserID, b.UserID))
	})
	return list
}

// ErrConsentExists reports a consent that was given before.
var ErrConsentExists = errors.New("issuer: the consent exists: use it, or withdraw it first")

// AddConsent adds resources to a consent. If one of them is there already, it fails with
// [ErrConsentExists] and adds none.
func (a *Authority) AddConsent(ctx context.Context, c Consent) error {
	p := consentKey{strings.ToLower(c.TenantID), strings.ToLower(c.ClientID), c.UserID}
	a.consents.mu.Lock()
	defer a.consents.mu.Unlock()
	resources := slices.Clone(a.consents.given[p])
	for _, r := range c.Resources {
		if slices.Contains(a.consents.given[p], apiKey(r)) {
			return ErrConsentExists
		}
		resources = append(resources, apiKey(r))
	}
	return a.consents.put(ctx, p, resources)
}

// PutConsent stores a consent as if a user had given it. It replaces an earlier one of
// the same user, or of the same tenant as a whole, to the same app. Without resources,
// it withdraws the consent.
func (a *Authority) PutConsent(ctx context.Context, c Consent) error {
	resources := make([]string, 0, len(c.Resources))
	for _, r := range c.Resources {
		resources = append(resources, apiKey(r))
	}
	a.consents.mu.Lock()
	defer a.consents.mu.Unlock()
	return a.consents.put(ctx, consentKey{strings.ToLower(c.TenantID), strings.ToLower(c.ClientID), c.UserID}, resources)
}

func (c *consents) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.given)
}

// mayUse reports whether the client may use the requested API for the user. An app
// needs no consent for its own API.
func (a *Authority) mayUse(client *app, t *tenant, user *User, want *accessRequest) bool {
	if want.app != nil && strings.EqualFold(want.app.ID, client.ID) {
		return true
	}
	return client.AdminConsent && client.home == t || a.consents.has(consentKeyOf(client, t, user), want.key())
}

func consentKeyOf(client *app, t *tenant, user *User) consentKey {
	return consentKey{tenantID: t.id, clientID: strings.ToLower(client.ID), userID: user.ObjectID}
}

// checkConsentOf refuses access that a customer has not consented to.
func (a *Authority) checkConsentOf(customer *tenant, client *app, want *accessRequest) error {
	if a.consents.has(consentKey{tenantID: customer.id, clientID: strings.ToLower(client.ID)}, want.key()) {
		return nil
	}
	return fail(codeNotPreconsented, "Application %s has not been authorized to use %s in tenant %s. %s", client.ID, quote.Text(want.resource), customer.id, consentAdvice(customer))
}

func consentAdvice(customer *tenant) string {
	return "Consent for the customer with POST /v1/customers/" + customer.id + "/applicationconsents."
}
