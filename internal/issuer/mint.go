package issuer

import (
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/token"
)

// backdate is how long before its issue a token becomes valid, as at Microsoft: a
// checker whose clock is slightly behind accepts it at once.
const backdate = 5 * time.Minute

// MintRequest says which access token to mint. Tenant and ClientID are required.
type MintRequest struct {
	Tenant   string        // id or domain
	ClientID string        // a client of that tenant
	Resource string        // the audience, unchanged; empty means the first of Options.Resources
	Version  token.Version // empty means token.V1
	BaseURL  string        // one of the authority's; empty means its first
	// User is the user principal name of a user of the tenant, for whom the client
	// acts. Empty means an app-only token.
	User string
	// WithoutMFA says that the user signed in without a second factor.
	WithoutMFA bool
}

// Token is an issued access token.
type Token struct {
	Text      string // the signed JWT
	NotBefore time.Time
	Expires   time.Time
	Lifetime  time.Duration // from now on, less than from NotBefore
}

// scopeUser allows an app everything that the user may do.
const scopeUser = "user_impersonation"

// errNoKey and errNoBaseURL describe the state of the authority, not a mistake in a
// request.
var (
	errNoKey     = errors.New("issuer: no signing key is left: add one with AddKey")
	errNoBaseURL = errors.New("issuer: no base URL is known: name one with SetBaseURLs")
)

// ErrUnavailable is what the functions of [Options] wrap when they fail for a reason
// that passes and is not the authority's: the request is answered with 503.
var ErrUnavailable = errors.New("issuer: nothing can be saved at the moment")

// unavailableWait is when to repeat such a request.
const unavailableWait = 10 * time.Second

// Mint signs an access token without requiring the client's secret or the user's
// password nor, for a client of the tenant's own, a consent. It fails if tenant, client,
// user, resource or base URL is not the authority's, or another tenant's client has no
// consent.
func (a *Authority) Mint(r MintRequest) (*Token, error) {
	trust, err := a.latest()
	if err != nil {
		return nil, err
	}
	tenant := trust.tenant(r.Tenant)
	if tenant == nil {
		return nil, fmt.Errorf("issuer: no tenant %q: add it to Options.Tenants", r.Tenant)
	}
	client := trust.appFor(tenant, r.ClientID)
	if client == nil {
		return nil, fmt.Errorf("issuer: no client %q in tenant %s: add it to the tenant's Clients", r.ClientID, tenant.id)
	}
	var user *User
	var subject *signedIn
	if r.User != "" {
		if user = tenant.user(r.User); user == nil {
			return nil, fmt.Errorf("issuer: no user %q in tenant %s: add it to the tenant's Users", r.User, tenant.id)
		}
		subject = &signedIn{user: user, mfa: !r.WithoutMFA}
	}
	r.Resource = cmp.Or(r.Resource, a.audience)
	if !a.resources[token.ResourceKey(r.Resource)] {
		return nil, fmt.Errorf("issuer: no resource %q: add it to Options.Resources", r.Resource)
	}
	if !client.home.is(tenant) {
		if err := checkConsent(trust, client, tenant, user, &accessRequest{resource: r.Resource}); err != nil {
			return nil, fmt.Errorf("issuer: client %s of another tenant: %w", client.ID, err)
		}
	}
	if len(trust.bases) == 0 {
		return nil, errNoBaseURL
	}
	base := trust.bases[0]
	if r.BaseURL != "" {
		base, _ = token.NormalBase(r.BaseURL)
		if !trust.hasBase(base) {
			return nil, fmt.Errorf("issuer: no base URL %q: name it with SetBaseURLs", r.BaseURL)
		}
	}
	return a.sign(trust, &tokenSpec{
		tenant: tenant, client: client, proof: token.ProofSecret, subject: subject,
		resource: r.Resource, base: base, version: cmp.Or(r.Version, token.V1),
		distortion: a.distort(tenant, client, subject),
	})
}

// signedIn is a user and how they signed in.
type signedIn struct {
	user    *User
	mfa     bool
	grantID string // empty: the user did not sign in, a token was minted
}

// methods returns how the user signed in, as in an amr claim.
func (s *signedIn) methods() []string {
	if s.mfa {
		return []string{token.MethodPassword, token.MethodMFA}
	}
	return []string{token.MethodPassword}
}

// tokenSpec is the content of a token to sign, already validated. Resource, scope and
// proof are for access tokens only.
type tokenSpec struct {
	tenant   *tenant
	client   *app
	proof    token.Proof
	subject  *signedIn // nil: the client acts for itself
	resource string
	scope    string // of a user's token; empty means scopeUser
	base     string
	version  token.Version

	distortion distortion
}

// tokenPayload has the claims of an access token of this authority.
type tokenPayload struct {
	token.Payload
	// GrantID is the name of the grant that the token comes from, which is worth as much as
	// the user's consent. Mint needs neither. Microsoft's claim of this name serves to
	// revalidate tokens, too, and is opaque.
	GrantID string `json:"rh,omitempty"`
}

// sign mints a token.
func (a *Authority) sign(trust *trust, spec *tokenSpec) (*Token, error) {
	if len(trust.keys) == 0 {
		return nil, errNoKey
	}
	self := spec.client.objectIDIn(spec.tenant)
	made := &Token{Lifetime: a.lifetime}
	made.NotBefore, made.Expires = spec.distortion.validity(a.now().Truncate(time.Second), a.lifetime)
	claims := tokenPayload{Payload: token.Payload{
		Audience:  cmp.Or(spec.distortion.audience, spec.resource),
		Issuer:    token.IssuerOf(spec.base, spec.tenant.id, spec.version),
		IssuedAt:  made.NotBefore.Unix(),
		NotBefore: made.NotBefore.Unix(),
		Expires:   made.Expires.Unix(),
		IDType:    "app",
		ObjectID:  self,
		Subject:   self,
		TenantID:  spec.tenant.id,
		TokenID:   randomID(),
		Version:   spec.version,
	}}
	switch spec.version {
	case token.V1:
		claims.AppID, claims.AppIDACR, claims.IdentityIssuer = spec.client.ID, spec.proof, claims.Issuer
	case token.V2:
		claims.AuthorizedParty, claims.AZPACR = spec.client.ID, spec.proof
	default:
		return nil, fmt.Errorf("issuer: no token version %q: use V1 or V2", spec.version)
	}
	if spec.subject != nil {
		claims.GrantID = nameOfGrant(spec.subject.grantID)
		delegate(&claims.Payload, spec)
	}
	content, err := json.Marshal(claims)
	if err != nil {
		return nil, fmt.Errorf("issuer: encode claims: %w", err)
	}
	made.Text, err = trust.keys[0].sign(content)
	return made, err
}

// delegate turns an app's claims into those of an app that acts for a user.
func delegate(w *token.Payload, spec *tokenSpec) {
	subject := spec.distortion.subject(spec.subject)
	user := subject.user
	w.IdentityIssuer, w.IDType = "", ""
	w.AMR = subject.methods()
	w.Name, w.ObjectID, w.Roles = user.Name, user.ObjectID, user.Roles
	w.Scope = cmp.Or(spec.scope, scopeUser)
	w.Subject = pairwiseSubject(spec.tenant, spec.client, user)
	if w.Version == token.V2 {
		w.PreferredUsername = user.UserPrincipalName
		return
	}
	w.ACR, w.UPN, w.UniqueName = "1", user.UserPrincipalName, user.UserPrincipalName
}

// pairwiseSubject returns the sub claim of a user. It differs from app to app, so that
// apps cannot correlate users.
func pairwiseSubject(t *tenant, client *app, user *User) string {
	sum := sha256.Sum256([]byte(ascii.ToLower(t.id + " " + client.ID + " " + user.ObjectID)))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// sign returns payload as a JWS in compact form.
func (k *Key) sign(payload []byte) (string, error) {
	signer, err := jose.NewSigner(
		jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: k.Private, KeyID: k.ID}},
		(&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return "", fmt.Errorf("issuer: signing key %s: %w", k.ID, err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		return "", fmt.Errorf("issuer: sign with key %s: %w", k.ID, err)
	}
	return signed.CompactSerialize()
}

// randomID returns 128 random bits in the form of a uti claim.
func randomID() string {
	var b [16]byte
	rand.Read(b[:])
	return base64.RawURLEncoding.EncodeToString(b[:])
}
