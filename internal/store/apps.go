package store

import (
	"bytes"
	"context"
	"crypto/rsa"
	"crypto/x509"
	"database/sql"
	"encoding/pem"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/guid"
)

// FieldError says that an app or a user cannot be kept because of a field.
type FieldError struct {
	Field   string // as a seed file calls it: redirectUris[2]
	Message string // what is wrong and what to do
}

func (e *FieldError) Error() string { return e.Field + ": " + e.Message }

// Apps returns the partner's app registrations, ordered by name.
func (s *Store) Apps(ctx context.Context, partnerID string) ([]App, error) {
	rows, err := s.read.QueryContext(ctx, `
SELECT client_id, object_id, name, secret, secrets, certificates, redirect_uris, public, multi_tenant, admin_consent, disabled
FROM apps WHERE partner_id = $1 ORDER BY name, client_id`, guid.Key(partnerID))
	list, err := scanAll(rows, err, func(rows *sql.Rows) (a App, err error) {
		var secrets, certificates, redirectURIs []byte
		if err := rows.Scan(&a.ClientID, &a.ObjectID, &a.Name, &a.Secret, &secrets, &certificates, &redirectURIs,
			&a.Public, &a.MultiTenant, &a.AdminConsent, &a.Disabled); err != nil {
			return a, err
		}
		return a, errors.Join(
			readList(secrets, &a.Secrets), readList(certificates, &a.Certificates), readList(redirectURIs, &a.RedirectURIs))
	})
	if err != nil {
		return nil, fmt.Errorf("store: list apps: %w", err)
	}
	return list, nil
}

// readList reads a list out of a column; an empty one is nil.
func readList[T any](column []byte, list *[]T) error {
	if string(column) == "[]" {
		return nil
	}
	return partnercenter.Unmarshal(column, list)
}

// PutApp makes an app registration or replaces all of it, except that without
// a secret or an object id it keeps the stored ones, or gets random ones. It
// fails with [ErrPartnerNotFound] or a [*FieldError].
func (s *Store) PutApp(ctx context.Context, partnerID string, a App) error {
	err := s.inTx(ctx, func(tx *tx) error {
		if err := tx.partnerExists(partnerID); err != nil {
			return err
		}
		var elsewhere bool
		if err := tx.QueryRowContext(tx.ctx, `SELECT EXISTS (SELECT 1 FROM apps WHERE client_id = $1 AND partner_id <> $2)`,
			guid.Key(a.ClientID), guid.Key(partnerID)).Scan(&elsewhere); err != nil {
			return err
		}
		if elsewhere {
			return &FieldError{"clientId", "another partner's app has this id; use another one"}
		}
		w := &writer{tx: tx, stmts: map[string]*sql.Stmt{}}
		return w.putApp(partnerID, a)
	})
	if err != nil {
		return fmt.Errorf("store: put app %s: %w", a.ClientID, err)
	}
	return nil
}

// partnerExists fails with [ErrPartnerNotFound].
func (t *tx) partnerExists(partnerID string) error {
	var exists bool
	err := t.QueryRowContext(t.ctx, `SELECT EXISTS (SELECT 1 FROM partners WHERE partner_id = $1)`, guid.Key(partnerID)).Scan(&exists)
	if err == nil && !exists {
		return ErrPartnerNotFound
	}
	return err
}

// putApp makes or replaces an app registration. What the app leaves out is
// kept as it is stored, or made at random.
func (w *writer) putApp(partnerID string, a App) error {
	if err := a.check(); err != nil {
		return err
	}
	var kept App
	err := w.tx.QueryRowContext(w.tx.ctx, `SELECT object_id, secret FROM apps WHERE partner_id = $1 AND client_id = $2`,
		guid.Key(partnerID), guid.Key(a.ClientID)).Scan(&kept.ObjectID, &kept.Secret)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		kept = App{ObjectID: guid.New(), Secret: newSecret()}
	case err != nil:
		return err
	}
	if a.ObjectID == "" {
		a.ObjectID = kept.ObjectID
	}
	if a.Secret == "" {
		a.Secret = kept.Secret
	}
	secrets, err1 := partnercenter.Marshal(a.Secrets)
	certificates, err2 := partnercenter.Marshal(a.Certificates)
	redirectURIs, err3 := partnercenter.Marshal(a.RedirectURIs)
	if err := errors.Join(err1, err2, err3); err != nil {
		return err
	}
	_, err = w.exec(`
INSERT INTO apps (partner_id, client_id, object_id, name, secret, secrets, certificates, redirect_uris, public, multi_tenant, admin_consent, disabled)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
ON CONFLICT (partner_id, client_id) DO UPDATE SET
    object_id = excluded.object_id, name = excluded.name, secret = excluded.secret, secrets = excluded.secrets,
    certificates = excluded.certificates, redirect_uris = excluded.redirect_uris, public = excluded.public,
    multi_tenant = excluded.multi_tenant, admin_consent = excluded.admin_consent, disabled = excluded.disabled
WHERE (apps.object_id, apps.name, apps.secret, apps.secrets, apps.certificates, apps.redirect_uris,
       apps.public, apps.multi_tenant, apps.admin_consent, apps.disabled)
   <> (excluded.object_id, excluded.name, excluded.secret, excluded.secrets, excluded.certificates, excluded.redirect_uris,
       excluded.public, excluded.multi_tenant, excluded.admin_consent, excluded.disabled)`,
		guid.Key(partnerID), guid.Key(a.ClientID), guid.Key(a.ObjectID), a.Name, a.Secret,
		string(secrets), string(certificates), string(redirectURIs),
		bit(a.Public), bit(a.MultiTenant), bit(a.AdminConsent), bit(a.Disabled))
	return err
}

// check returns the first mistake that the type leaves room for, as a
// [*FieldError].
func (a *App) check() error {
	if a.ClientID == "" {
		return &FieldError{"clientId", "is missing; it is the GUID that the app signs in with"}
	}
	for i, secret := range a.Secrets {
		switch {
		case secret.Value == "":
			return &FieldError{fmt.Sprintf("secrets[%d].value", i), "is missing; it is what the app signs in with"}
		case !secret.Expires.IsZero() && secret.Expires.Time().IsZero():
			return &FieldError{fmt.Sprintf("secrets[%d].expires", i), "is no date; give one such as 2023-03-15T02:17:15Z"}
		}
	}
	for i, certificate := range a.Certificates {
		if _, problem := parseCertificate(certificate.PEM); problem != "" {
			return &FieldError{fmt.Sprintf("certificates[%d].pem", i), problem}
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

// minRSABits is the weakest key that a certificate may have, as at Microsoft.
const minRSABits = 2048

// parseCertificate returns the certificate in a PEM text, or what is wrong with
// it. What it says repeats nothing of the text, which may be a private key by
// mistake.
func parseCertificate(text string) (c *x509.Certificate, problem string) {
	block, rest := pem.Decode([]byte(text))
	switch {
	case block == nil:
		return nil, "is no PEM text; paste the certificate from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----"
	case strings.HasSuffix(block.Type, "PRIVATE KEY"), bytes.Contains(rest, []byte("PRIVATE KEY-----")):
		return nil, "holds a private key, which is the app's alone; leave only the block CERTIFICATE"
	case block.Type != "CERTIFICATE":
		return nil, fmt.Sprintf("holds a block %.40q; give the block CERTIFICATE", block.Type)
	case len(bytes.TrimSpace(rest)) > 0:
		return nil, "goes on after the first certificate; give each certificate an entry of its own, without those that issued it"
	}
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, "cannot be read as a certificate; export it again as PEM"
	}
	key, isRSA := c.PublicKey.(*rsa.PublicKey)
	switch {
	case !isRSA:
		return nil, fmt.Sprintf("has a key of the kind %v; make a certificate with an RSA key, which client assertions are signed with", c.PublicKeyAlgorithm)
	case key.N.BitLen() < minRSABits:
		return nil, fmt.Sprintf("has an RSA key of %d bits; make one of %d bits or more", key.N.BitLen(), minRSABits)
	}
	return c, ""
}

// What Microsoft allows an app to have.
const (
	maxRedirectURIs      = 256
	maxRedirectURILength = 256
)

func tooManyRedirectURIs(n int) string {
	return fmt.Sprintf("%d are too many; an app has at most %d, use the state parameter to come back to more places", n, maxRedirectURIs)
}

// outOfBand is the redirect URI of old native apps, which read the code out of
// the browser window. It is the one that is no address.
const outOfBand = "urn:ietf:wg:oauth:2.0:oob"

// browserSchemes are those that a browser acts on by itself, with the answer to
// a sign-in in its hands: they belong to no app.
var browserSchemes = []string{"javascript", "vbscript", "data", "file", "filesystem", "blob", "about", "view-source", "ftp", "ws", "wss"}

// redirectURIProblem says what is wrong with a redirect URI, or nothing.
func redirectURIProblem(uri string) string {
	const forms = "write one such as https://app.example.com/callback, http://localhost or msal7b1d4e90-2c85-4f6a-8e37-d90a5c62b1f8://auth"
	switch {
	case uri == "":
		return "is empty; " + forms
	case len(uri) > maxRedirectURILength:
		return fmt.Sprintf("is %d bytes long, at most %d are allowed; shorten it", len(uri), maxRedirectURILength)
	case strings.Contains(uri, "#"):
		return fmt.Sprintf("%q has a fragment, which answers overwrite; write it without # and what follows", uri)
	case strings.Contains(uri, "*"):
		return fmt.Sprintf("%q has a wildcard; list each address in full", uri)
	case uri == outOfBand:
		return ""
	case strings.ContainsFunc(uri, func(c rune) bool { return c <= ' ' || c > '~' || c == '\\' }):
		return fmt.Sprintf("%q has characters that no address has; percent-encode them, write international host names in their xn-- form", uri)
	}
	u, err := url.Parse(uri)
	if err != nil || u.Scheme == "" || u.Opaque != "" || !strings.Contains(uri, "://") {
		return fmt.Sprintf("%q is no absolute address; %s", uri, forms)
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
