package seed

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/certificate"
)

// App is an app registration in a partner's tenant.
type App struct {
	ClientID string `json:"clientId"` // GUID
	ObjectID string `json:"objectId"` // GUID of its service principal
	Name     string `json:"name"`
	// Secret is no digest: the server shows it to its owner. The database seals it where
	// there is a data key. It never expires.
	Secret string `json:"secret"`
	// Secrets are valid in addition to Secret, for rotation.
	Secrets []AppSecret `json:"secrets"`
	// Certificates are those that the app may sign client assertions with.
	Certificates []AppCertificate `json:"certificates"`
	// RedirectURIs are where sign-ins may end: https, http to this machine as localhost
	// or 127.0.0.1, or a scheme of the app's own. At most 256, of at most 256 bytes.
	RedirectURIs []string `json:"redirectUris"`
	// Public says that the app may sign users in without a credential of its own, as
	// native apps do and the device code grant.
	Public bool `json:"public"`
	// MultiTenant says that users of other partners may sign in to the app.
	MultiTenant bool `json:"multiTenant"`
	// AdminConsent says that an administrator has consented to the app for all users of
	// its own tenant. The store has other consents.
	AdminConsent bool `json:"adminConsent"`
	// Disabled says that neither the app nor its users may sign in.
	Disabled bool `json:"disabled"`
}

// AppSecret is a secret that an app signs in with.
type AppSecret struct {
	Value   string             `json:"value"`
	Expires partnercenter.Time `json:"expires,omitzero"` // absent: never
}

// AppCertificate is a certificate that an app signs in with.
type AppCertificate struct {
	PEM     string `json:"pem"` // one CERTIFICATE block, with an RSA key of 2048 bits at least
	Revoked bool   `json:"revoked"`
}

// Consent is what a partner's administrator has consented to: that an app, usually of
// another partner, is used in the partner's tenant.
type Consent struct {
	ClientID     string   `json:"clientId"`     // GUID
	Resources    []string `json:"resources"`    // APIs that it may use for all users, by address or application id
	AppResources []string `json:"appResources"` // likewise for itself
}

// Check returns the first mistake that the type does not exclude, as a [*FieldError].
func (a *App) Check() error {
	if a.ClientID == "" {
		return &FieldError{"clientId", "is missing; it is the GUID that the app signs in with"}
	}
	for i, secret := range a.Secrets {
		switch {
		case secret.Value == "":
			return &FieldError{fmt.Sprintf("secrets[%d].value", i), "is missing; it is what the app signs in with"}
		case !secret.Expires.IsZero() && secret.Expires.Time().IsZero():
			return &FieldError{fmt.Sprintf("secrets[%d].expires", i), "is not a date; give one such as 2023-03-15T02:17:15Z"}
		}
	}
	for i, c := range a.Certificates {
		if _, err := certificate.Parse(c.PEM); err != nil {
			return &FieldError{fmt.Sprintf("certificates[%d].pem", i), err.Error()}
		}
	}
	if len(a.RedirectURIs) > maxRedirectURIs {
		return &FieldError{"redirectUris", tooManyRedirectURIs(len(a.RedirectURIs))}
	}
	for i, uri := range a.RedirectURIs {
		if problem := redirectURIProblem(uri); problem != "" {
			return &FieldError{fmt.Sprintf("redirectUris[%d]", i), problem}
		}
	}
	return nil
}

// Microsoft's limits for apps.
const (
	maxRedirectURIs      = 256
	maxRedirectURILength = 256
)

func tooManyRedirectURIs(n int) string {
	return fmt.Sprintf("%d are too many; an app has at most %d, use the state parameter to come back to more places", n, maxRedirectURIs)
}

// outOfBand is the redirect URI of old native apps, which read the code from the
// browser window. It is the only one that is not an address.
const outOfBand = "urn:ietf:wg:oauth:2.0:oob"

// browserSchemes are those that a browser acts on itself, with the answer to a sign-in:
// they belong to no app.
var browserSchemes = []string{"javascript", "vbscript", "data", "file", "filesystem", "blob", "about", "view-source", "ftp", "ws", "wss"}

// redirectURIProblem returns what is wrong with a redirect URI, or nothing.
func redirectURIProblem(uri string) string {
	const forms = "write one such as https://app.example.com/callback, http://localhost or msal7b1d4e90-2c85-4f6a-8e37-d90a5c62b1f8://auth"
	switch {
	case uri == "":
		return "is empty; " + forms
	case len(uri) > maxRedirectURILength:
		return fmt.Sprintf("is %d bytes long, at most %d are allowed; shorten it", len(uri), maxRedirectURILength)
	case strings.Contains(uri, "#"):
		return fmt.Sprintf("%q has a fragment, which answers replace; write it without # and what follows", uri)
	case strings.Contains(uri, "*"):
		return fmt.Sprintf("%q has a wildcard; list each address in full", uri)
	case uri == outOfBand:
		return ""
	case strings.ContainsFunc(uri, func(c rune) bool { return c <= ' ' || c > '~' || c == '\\' }):
		return fmt.Sprintf("%q has characters that are not valid in addresses; percent-encode them, write international host names in their xn-- form", uri)
	}
	u, err := url.Parse(uri)
	if err != nil || u.Scheme == "" || u.Opaque != "" || !strings.Contains(uri, "://") {
		return fmt.Sprintf("%q is not an absolute address; %s", uri, forms)
	}
	switch {
	case u.User != nil:
		return fmt.Sprintf("%q has a user name before its host; write it without", u.Redacted())
	case u.Scheme == "https" && u.Hostname() == "":
		return fmt.Sprintf("%q has no host; %s", uri, forms)
	case u.Scheme == "http" && u.Hostname() != "localhost" && u.Hostname() != "127.0.0.1":
		return fmt.Sprintf("%q is read by everybody on the way; use https, or http to localhost or 127.0.0.1", uri)
	case slices.Contains(browserSchemes, u.Scheme):
		return fmt.Sprintf("%q would be acted on by the browser instead of an app; %s", uri, forms)
	}
	return ""
}
