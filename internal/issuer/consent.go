package issuer

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/quote"
)

// Consent says which APIs an app may use for a user or, without a user, for all users
// of a tenant and for itself.
type Consent struct {
	TenantID, ClientID string
	UserID             string   // object id
	Resources          []string // for users; in the form in which resources are compared
	AppResources       []string // for itself, likewise; only without a user
}

// installation is an app in a tenant, which is there by a consent.
type installation struct{ tenantID, clientID string }

func installationOf(client *app, t *tenant) installation {
	return installation{tenantID: t.id, clientID: ascii.ToLower(client.ID)}
}

// permissions are the APIs that an app may use.
type permissions struct{ forUsers, forItself []string }

// consents are those of users, of administrators and of customers, by object id. That of
// a whole tenant has none.
type consents map[installation]map[string]permissions

func newConsents(known []Consent) consents {
	c := make(consents, len(known))
	for _, consent := range known {
		consent = normalConsent(consent)
		in := installation{consent.TenantID, consent.ClientID}
		if c[in] == nil {
			c[in] = map[string]permissions{}
		}
		c[in][consent.UserID] = permissions{consent.Resources, consent.AppResources}
	}
	return c
}

// normalConsent returns a consent in the form in which it is kept. One of an older
// database may have another name of an API.
func normalConsent(c Consent) Consent {
	c.TenantID, c.ClientID = ascii.ToLower(c.TenantID), ascii.ToLower(c.ClientID)
	c.Resources, c.AppResources = apiKeys(c.Resources), apiKeys(c.AppResources)
	return c
}

func apiKeys(resources []string) []string {
	keys := make([]string, 0, len(resources))
	for _, r := range resources {
		keys = append(keys, apiKey(r))
	}
	return keys
}

// look reports whether a tenant has an app, and whether the app may use a resource there
// for a user or, without one, for itself.
func (c consents) look(in installation, user *User, resource string) (present, allowed bool) {
	given := c[in]
	if user == nil {
		allowed = slices.Contains(given[""].forItself, resource)
	} else {
		allowed = slices.Contains(given[""].forUsers, resource) || slices.Contains(given[user.ObjectID].forUsers, resource)
	}
	return len(given) > 0, allowed
}

// consent adds what a user has consented to or, without a user, an administrator: for all
// users, and for the app itself.
func (a *Authority) consent(ctx context.Context, in installation, userID, resource string) error {
	c := Consent{TenantID: in.tenantID, ClientID: in.clientID, UserID: userID}
	return a.keeper.ChangeConsent(ctx, c, func(c *Consent) error {
		c.Resources = with(apiKeys(c.Resources), resource)
		if userID == "" {
			c.AppResources = with(apiKeys(c.AppResources), resource)
		}
		return nil
	})
}

// with returns a list with one more resource, unless it is there.
func with(list []string, resource string) []string {
	if slices.Contains(list, resource) {
		return list
	}
	return append(slices.Clone(list), resource)
}

// Consents returns the consents that match, ordered by tenant, app and user.
func (a *Authority) Consents(match func(Consent) bool) ([]Consent, error) {
	t, err := a.latest()
	if err != nil {
		return nil, err
	}
	var list []Consent
	for in, given := range t.consents {
		for userID, may := range given {
			consent := Consent{
				TenantID: in.tenantID, ClientID: in.clientID, UserID: userID,
				Resources: slices.Clone(may.forUsers), AppResources: slices.Clone(may.forItself),
			}
			if match(consent) {
				list = append(list, consent)
			}
		}
	}
	slices.SortFunc(list, func(a, b Consent) int {
		return cmp.Or(cmp.Compare(a.TenantID, b.TenantID), cmp.Compare(a.ClientID, b.ClientID), cmp.Compare(a.UserID, b.UserID))
	})
	return list, nil
}

// ErrConsentExists reports a consent that was given before.
var ErrConsentExists = errors.New("issuer: the consent exists: use it, or withdraw it first")

// AddConsent adds resources to a consent. If one of them is there already, it fails with
// [ErrConsentExists] and adds none.
func (a *Authority) AddConsent(ctx context.Context, add Consent) error {
	add = normalConsent(add)
	return a.keeper.ChangeConsent(ctx, add, func(c *Consent) error {
		before := normalConsent(*c)
		for _, r := range add.Resources {
			if slices.Contains(before.Resources, r) {
				return ErrConsentExists
			}
		}
		c.Resources, c.AppResources = slices.Concat(before.Resources, add.Resources), before.AppResources
		for _, r := range add.AppResources {
			c.AppResources = with(c.AppResources, r)
		}
		return nil
	})
}

// PutConsent stores a consent as if a user had given it. It replaces an earlier one of
// the same user, or of the same tenant as a whole, to the same app. Without resources,
// it withdraws the consent. Tokens that were issued under what the consent does not
// have any more are refused from now on.
func (a *Authority) PutConsent(ctx context.Context, c Consent) error {
	c = normalConsent(c)
	return a.keeper.ChangeConsent(ctx, c, func(to *Consent) error {
		*to = c
		return nil
	})
}

// checkConsent decides whether an app may use an API in a tenant, for a user or, without
// one, for itself. Every grant asks it, and so does every token when it is verified. In
// its own tenant an app needs no consent for itself; an administrator's for all users
// may be part of its registration. An app that a tenant has needs none for its own API.
func checkConsent(trust *trust, client *app, t *tenant, user *User, want *accessRequest) error {
	isHome := client.home.is(t)
	isOwn := want.app != nil && ascii.EqualFold(want.app.ID, client.ID) && !t.customer
	present, allowed := trust.consents.look(installationOf(client, t), user, want.key())
	switch {
	case allowed, isHome && (user == nil || client.AdminConsent), isOwn && (isHome || present):
		return nil
	case t.customer && user == nil && !present:
		return fail(codeUnknownClient, "Application %s is not in tenant %s. %s", client.ID, t.id, consentAdvice(t))
	case t.customer:
		return fail(codeNotPreconsented, "Application %s has not been authorized to use %s in tenant %s. %s", client.ID, quote.Text(want.resource), t.id, consentAdvice(t))
	case !isHome && !present:
		return fail(codeUnknownClient, "Application %s is not in tenant %s: nobody there has consented to it. Have one of its users sign in to the application and consent.", client.ID, t.id)
	case user == nil:
		return fail(codeNoConsent, "No administrator of tenant %s has consented that application %s uses %s for itself. Have one consent for everybody at the authorize endpoint, with prompt=consent.", t.id, client.ID, quote.Text(want.resource))
	}
	return fail(codeNoConsent, "Neither the user nor an administrator has consented that application %s uses %s. Send the user through the authorize endpoint to consent.", client.ID, quote.Text(want.resource))
}

// has reports whether a tenant has an app: its own, or one that it has consented to. In a
// customer's it is what the app is allowed that decides.
func (t *trust) has(in *tenant, client *app) bool {
	present, _ := t.consents.look(installationOf(client, in), nil, "")
	return client.home.is(in) || in.customer || client.isFor(in) && present
}

func consentAdvice(customer *tenant) string {
	return "Consent for the customer with POST /v1/customers/" + customer.id + "/applicationconsents."
}
