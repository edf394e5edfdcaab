package control

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/certificate"
	"github.com/partnercenter-go/partnercenter/internal/clock"
	"github.com/partnercenter-go/partnercenter/internal/quote"
	"github.com/partnercenter-go/partnercenter/internal/seed"
)

// App is an app in the control plane.
type App struct {
	TenantID     string        `json:"tenantId"`
	ClientID     string        `json:"clientId"`
	ObjectID     string        `json:"objectId"`
	Name         string        `json:"name"`
	Secrets      []Secret      `json:"secrets"`
	Certificates []Certificate `json:"certificates"`
	RedirectURIs []string      `json:"redirectUris"`
	Public       bool          `json:"public"`
	MultiTenant  bool          `json:"multiTenant"`
	AdminConsent bool          `json:"adminConsent"`
	Disabled     bool          `json:"disabled"`
}

// Secret is a secret of an app.
type Secret struct {
	ID      string     `json:"id"`
	Value   string     `json:"value"`
	Expires *time.Time `json:"expires,omitempty"` // absent: never
	Expired bool       `json:"expired,omitempty"` // by the server's clock
}

// Certificate is a certificate of an app.
type Certificate struct {
	Thumbprint       string    `json:"thumbprint"` // SHA-1, as portals show it
	ThumbprintSHA256 string    `json:"thumbprintSha256"`
	Subject          string    `json:"subject"`
	NotBefore        time.Time `json:"notBefore"`
	NotAfter         time.Time `json:"notAfter"`
	Revoked          bool      `json:"revoked"`
}

// secretID identifies a secret without revealing it.
func secretID(clientID, value string) string {
	sum := sha256.Sum256([]byte(ascii.ToLower(clientID) + "\x00" + value))
	return hex.EncodeToString(sum[:8])
}

func (p *Plane) newSecret(clientID string, secret seed.AppSecret) Secret {
	shown := Secret{ID: secretID(clientID, secret.Value), Value: secret.Value}
	if !secret.Expires.IsZero() {
		expires := secret.Expires.Time()
		shown.Expires, shown.Expired = &expires, !p.now().Before(expires)
	}
	return shown
}

func newCertificate(stored seed.AppCertificate) (Certificate, error) {
	cert, err := certificate.Parse(stored.PEM)
	if err != nil {
		return Certificate{}, err
	}
	sum1, sum256 := certificate.Thumbprints(cert)
	return Certificate{
		Thumbprint: ascii.ToUpper(hex.EncodeToString(sum1[:])), ThumbprintSHA256: ascii.ToUpper(hex.EncodeToString(sum256[:])),
		Subject: cert.Subject.String(), NotBefore: cert.NotBefore, NotAfter: cert.NotAfter, Revoked: stored.Revoked,
	}, nil
}

func (p *Plane) newApp(tenant seed.Tenant, a *seed.App) (App, error) {
	app := App{
		TenantID: tenant.TenantID, ClientID: a.ClientID, ObjectID: a.ObjectID, Name: a.Name,
		Certificates: []Certificate{}, RedirectURIs: append([]string{}, a.RedirectURIs...),
		Public: a.Public, MultiTenant: a.MultiTenant, AdminConsent: a.AdminConsent, Disabled: a.Disabled,
	}
	for _, secret := range secretsOf(a) {
		app.Secrets = append(app.Secrets, p.newSecret(a.ClientID, secret))
	}
	for _, stored := range a.Certificates {
		certificate, err := newCertificate(stored)
		if err != nil {
			return app, fmt.Errorf("app %s: %w", a.ClientID, err)
		}
		app.Certificates = append(app.Certificates, certificate)
	}
	return app, nil
}

// secretsOf returns all secrets of an app, the one that never expires first.
func secretsOf(a *seed.App) []seed.AppSecret {
	return append([]seed.AppSecret{{Value: a.Secret}}, a.Secrets...)
}

// listApps is GET /apps.
func (p *Plane) listApps(r *http.Request) (any, error) {
	partners, err := p.queriedPartners(r)
	if err != nil {
		return nil, err
	}
	apps := []App{}
	for _, partner := range partners {
		for i := range partner.apps {
			app, err := p.newApp(partner.tenant, &partner.apps[i])
			if err != nil {
				return nil, err
			}
			apps = append(apps, app)
		}
	}
	return map[string]any{"apps": apps}, nil
}

// changeApp changes the app that a call names, unless change fails. show makes the
// answer from the changed app.
func (p *Plane) changeApp(r *http.Request, change func(*seed.App) error, show func(seed.Tenant, *seed.App) (any, error)) (any, error) {
	partner, app, err := appKind.changeNamed(p, r, r.PathValue("clientId"), change)
	if err != nil {
		return nil, err
	}
	return show(partner.tenant, app)
}

// showApp answers with an app.
func (p *Plane) showApp(tenant seed.Tenant, a *seed.App) (any, error) {
	return p.newApp(tenant, a)
}

// patchApp is PATCH /apps/{clientId}.
func (p *Plane) patchApp(r *http.Request) (any, error) {
	const example = `one or more of {"redirectUris": ["http://localhost"], "public": true, "multiTenant": false, "adminConsent": true, "disabled": false}`
	var body struct {
		RedirectURIs *[]string `json:"redirectUris"`
		Public       *bool     `json:"public"`
		MultiTenant  *bool     `json:"multiTenant"`
		AdminConsent *bool     `json:"adminConsent"`
		Disabled     *bool     `json:"disabled"`
	}
	if err := readBody(r, &body, example); err != nil {
		return nil, err
	}
	if body.RedirectURIs == nil && body.Public == nil && body.MultiTenant == nil && body.AdminConsent == nil && body.Disabled == nil {
		return nil, refuse("the body changes nothing; send " + example)
	}
	return p.changeApp(r, func(a *seed.App) error {
		assign(&a.RedirectURIs, body.RedirectURIs)
		assign(&a.Public, body.Public)
		assign(&a.MultiTenant, body.MultiTenant)
		assign(&a.AdminConsent, body.AdminConsent)
		assign(&a.Disabled, body.Disabled)
		return nil
	}, p.showApp)
}

// addSecret is POST /apps/{clientId}/secrets.
func (p *Plane) addSecret(r *http.Request) (any, error) {
	const example = `{"expires": "2026-03-01T09:30:00Z"}, with a value or without, or nothing for a secret that never expires`
	var body struct {
		Value   string  `json:"value"`
		Expires *string `json:"expires"`
	}
	if err := readBody(r, &body, example); err != nil {
		return nil, err
	}
	secret := seed.AppSecret{Value: body.Value}
	switch {
	case secret.Value == "":
		secret.Value = rand.Text()
	case len(secret.Value) > maxCredential:
		return nil, refuse(fmt.Sprintf("the secret has %d bytes, and the limit is %d; send a shorter one", len(secret.Value), maxCredential))
	}
	if body.Expires != nil {
		expires, err := clock.ParseTime(*body.Expires)
		if err != nil {
			return nil, refuse(err.Error())
		}
		// Year 1 is the API's form of no date, and would be no end.
		if secret.Expires = partnercenter.TimeOf(expires); secret.Expires.Time().IsZero() {
			return nil, refuse(quote.Text(*body.Expires) + " is beyond the years of dates, 2 to 9999; leave expires out if the secret never expires")
		}
	}
	return p.changeApp(r, func(a *seed.App) error {
		if slices.ContainsFunc(secretsOf(a), func(other seed.AppSecret) bool { return other.Value == secret.Value }) {
			return refuse("the app has this secret already; send another one, or delete that one first")
		}
		a.Secrets = append(a.Secrets, secret)
		return nil
	}, func(_ seed.Tenant, a *seed.App) (any, error) {
		return created{p.newSecret(a.ClientID, secret)}, nil
	})
}

// deleteSecret is DELETE /apps/{clientId}/secrets/{id}. An app always has a secret that
// never expires: if that one is deleted, another takes its place, generated if
// necessary.
func (p *Plane) deleteSecret(r *http.Request) (any, error) {
	id := r.PathValue("id")
	return p.changeApp(r, func(a *seed.App) error {
		i := slices.IndexFunc(secretsOf(a), func(other seed.AppSecret) bool { return secretID(a.ClientID, other.Value) == id })
		if i < 0 {
			return notFound("secret", id, "/apps")
		}
		if i > 0 {
			a.Secrets = slices.Delete(a.Secrets, i-1, i)
			return nil
		}
		a.Secret = rand.Text()
		if next := slices.IndexFunc(a.Secrets, func(other seed.AppSecret) bool { return other.Expires.IsZero() }); next >= 0 {
			a.Secret = a.Secrets[next].Value
			a.Secrets = slices.Delete(a.Secrets, next, next+1)
		}
		return nil
	}, p.showApp)
}

// addCertificate is POST /apps/{clientId}/certificates.
func (p *Plane) addCertificate(r *http.Request) (any, error) {
	const example = `{"pem": "-----BEGIN CERTIFICATE-----\n…"}`
	var body struct {
		PEM string `json:"pem"`
	}
	if err := readBody(r, &body, example); err != nil {
		return nil, err
	}
	if body.PEM == "" {
		return nil, refuse("the body has no certificate; send " + example)
	}
	var added Certificate
	return p.changeApp(r, func(a *seed.App) error {
		certificate := seed.AppCertificate{PEM: body.PEM}
		var err error
		if added, err = newCertificate(certificate); err != nil {
			return refuse("pem " + err.Error())
		}
		i, err := certificateAt(a, added.Thumbprint)
		if err != nil {
			return err
		}
		if i >= 0 {
			return refuse("the app has this certificate already; send another one")
		}
		a.Certificates = append(a.Certificates, certificate)
		return nil
	}, func(seed.Tenant, *seed.App) (any, error) {
		return created{added}, nil
	})
}

// revokeCertificate is POST /apps/{clientId}/certificates/{thumbprint}/revoke.
func (p *Plane) revokeCertificate(r *http.Request) (any, error) {
	thumbprint := r.PathValue("thumbprint")
	i := 0
	return p.changeApp(r, func(a *seed.App) (err error) {
		if i, err = certificateAt(a, thumbprint); err != nil {
			return err
		}
		if i < 0 {
			return notFound("certificate", thumbprint, "/apps")
		}
		a.Certificates[i].Revoked = true
		return nil
	}, func(_ seed.Tenant, a *seed.App) (any, error) {
		certificate, err := newCertificate(a.Certificates[i])
		return certificate, err
	})
}

// certificateAt returns the index of an app's certificate by one of its thumbprints, or
// -1.
func certificateAt(a *seed.App, thumbprint string) (int, error) {
	for i, stored := range a.Certificates {
		c, err := newCertificate(stored)
		if err != nil {
			return 0, fmt.Errorf("app %s: %w", a.ClientID, err)
		}
		if ascii.EqualFold(c.Thumbprint, thumbprint) || ascii.EqualFold(c.ThumbprintSHA256, thumbprint) {
			return i, nil
		}
	}
	return -1, nil
}
