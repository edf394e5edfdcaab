package issuer

import (
	"net/url"
	"path"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/cloudhosts"
	"github.com/partnercenter-go/partnercenter/internal/quote"
	"github.com/partnercenter-go/partnercenter/internal/token"
)

// discoveryAge lets clients cache discovery documents and keys for five minutes, so
// that they soon see a changed key or address.
const discoveryAge = "public, max-age=300"

// discoveryNoTenant is discovery's own error for an unknown tenant.
const discoveryNoTenant = "invalid_tenant"

// discoveryDocument is the configuration for OpenID Connect clients and MSAL. MSAL
// requires authorization_endpoint and token_endpoint.
type discoveryDocument struct {
	TokenEndpoint         string   `json:"token_endpoint"`
	TokenAuthMethods      []string `json:"token_endpoint_auth_methods_supported"`
	KeysURI               string   `json:"jwks_uri"`
	SubjectTypes          []string `json:"subject_types_supported"`
	SigningAlgorithms     []string `json:"id_token_signing_alg_values_supported"`
	ResponseTypes         []string `json:"response_types_supported"`
	ResponseModes         []string `json:"response_modes_supported"`
	Scopes                []string `json:"scopes_supported"`
	Claims                []string `json:"claims_supported"`
	GrantTypes            []string `json:"grant_types_supported"`
	Issuer                string   `json:"issuer"`
	AuthorizationEndpoint string   `json:"authorization_endpoint"`
	DeviceEndpoint        string   `json:"device_authorization_endpoint"`
	EndSessionEndpoint    string   `json:"end_session_endpoint"`
	ChallengeMethods      []string `json:"code_challenge_methods_supported"`
	RequestURI            bool     `json:"request_uri_parameter_supported"`
}

// discovery is GET /{tenant}/.well-known/openid-configuration and its v2.0 twin.
// https://learn.microsoft.com/entra/identity-platform/v2-protocols-oidc
func (a *Authority) discovery(c *call) (any, error) {
	name, err := a.discoverable(c, c.tenant)
	if err != nil {
		return nil, err
	}
	issued := name
	if isShared(name) {
		// Literally, as at Microsoft: the reader inserts the token's tid here.
		issued = "{tenantid}"
	}
	root := c.base + "/" + name
	oauth, keys := root+"/oauth2", root+"/discovery"
	if c.version == token.V2 {
		oauth, keys = oauth+"/v2.0", keys+"/v2.0"
	}
	c.w.Header().Set("Cache-Control", discoveryAge)
	return discoveryDocument{
		TokenEndpoint:         oauth + "/token",
		TokenAuthMethods:      []string{"client_secret_post", "private_key_jwt", "client_secret_basic"},
		KeysURI:               keys + "/keys",
		SubjectTypes:          []string{"pairwise"},
		SigningAlgorithms:     []string{string(jose.RS256)},
		ResponseTypes:         []string{"code", "code id_token"},
		ResponseModes:         []string{modeQuery, modeFragment, modeFormPost},
		Scopes:                []string{"openid", "profile", "email", "offline_access"},
		Claims:                []string{"sub", "iss", "aud", "exp", "iat", "nonce", "name", "preferred_username", "oid", "tid", "ver", "c_hash"},
		GrantTypes:            grantTypes,
		Issuer:                token.IssuerOf(c.base, issued, c.version),
		AuthorizationEndpoint: oauth + "/authorize",
		DeviceEndpoint:        oauth + "/devicecode",
		EndSessionEndpoint:    oauth + "/logout",
		ChallengeMethods:      []string{"plain", "S256"},
	}, nil
}

// discoverable returns the tenant's name in URLs: its id, or "common" or
// "organizations" unchanged.
func (a *Authority) discoverable(c *call, name string) (string, error) {
	switch tenant, err := a.findTenant(c, name); {
	case err != nil:
		if f, ok := err.(*failure); ok { //nolint:errorlint // the authority's own, never wrapped
			f.kind = discoveryNoTenant
		}
		return "", err
	case tenant == nil:
		return ascii.ToLower(name), nil
	default:
		return tenant.id, nil
	}
}

// publicKeys is GET /{tenant}/discovery/keys and its v2.0 twin: the keys that sign
// tokens of either version.
func (a *Authority) publicKeys(c *call) (any, error) {
	if _, err := a.discoverable(c, c.tenant); err != nil {
		return nil, err
	}
	set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{}}
	// A client asks for them when it sees a token of a new one, of any server.
	if next := a.lookAgain(c.trust); next != nil {
		c.trust = next
	}
	for _, k := range c.trust.keys {
		set.Keys = append(set.Keys, jose.JSONWebKey{Key: &k.Private.PublicKey, KeyID: k.ID, Use: "sig"})
	}
	c.w.Header().Set("Cache-Control", discoveryAge)
	return set, nil
}

// realmDocument says where the users of a domain sign in.
type realmDocument struct {
	Version       string `json:"ver"`
	AccountType   string `json:"account_type"`
	Domain        string `json:"domain_name,omitempty"`
	Cloud         string `json:"cloud_instance_name"`
	CloudAudience string `json:"cloud_audience_urn"`
}

// userRealm is GET /{tenant}/userrealm/{user}?api-version=1.0. Libraries ask it before
// they send a password. As at Microsoft, the domain alone decides: the answer does not
// tell which users there are.
func (a *Authority) userRealm(c *call) (any, error) {
	if _, err := a.discoverable(c, c.tenant); err != nil {
		return nil, err
	}
	if version := c.r.URL.Query().Get("api-version"); version != "" && version != realmVersion {
		return nil, fail(codeMalformed, "The api-version %s is not supported. Send api-version=%s.", quote.Text(version), realmVersion)
	}
	document := realmDocument{Version: realmVersion, AccountType: "Unknown", Cloud: "microsoftonline.com", CloudAudience: "urn:federation:MicrosoftOnline"}
	_, domain, ok := strings.Cut(path.Base(c.r.URL.Path), "@")
	if !ok || isShared(domain) {
		return document, nil
	}
	switch _, err := a.findTenant(c, domain); err.(type) { //nolint:errorlint // the authority's own, never wrapped
	case nil:
		document.AccountType, document.Domain = "Managed", ascii.ToLower(domain)
	case *failure: // there is no such tenant
	default:
		return nil, err
	}
	return document, nil
}

// realmVersion is the version of the documents about users' realms.
const realmVersion = "1.0"

// instanceDocument tells MSAL that an authority is genuine, and where its discovery
// document is.
type instanceDocument struct {
	DiscoveryEndpoint string             `json:"tenant_discovery_endpoint"`
	APIVersion        string             `json:"api-version"`
	Metadata          []instanceMetadata `json:"metadata"`
}

type instanceMetadata struct {
	PreferredNetwork string   `json:"preferred_network"`
	PreferredCache   string   `json:"preferred_cache"`
	Aliases          []string `json:"aliases"`
}

// instance is GET /common/discovery/instance?authorization_endpoint=.... It confirms
// this server's own addresses only.
func (a *Authority) instance(c *call) (any, error) {
	const parameter = "authorization_endpoint"
	text := c.r.URL.Query().Get(parameter)
	if text == "" {
		return nil, fail(codeMissingParameter, "The query must contain the parameter '%s'. Add the URL of the authority that is to be looked up.", parameter)
	}
	endpoint, err := url.Parse(text)
	if err != nil {
		return nil, unknownInstance(text)
	}
	base, ok := token.NormalBase(endpoint.Scheme + "://" + endpoint.Host)
	if !ok || !c.trust.hasBase(base) {
		return nil, unknownInstance(text)
	}
	name, _, _ := strings.Cut(strings.TrimLeft(endpoint.Path, "/"), "/")
	if name, err = a.discoverable(c, name); err != nil {
		return nil, err
	}
	_, host, _ := strings.Cut(base, "://")
	c.w.Header().Set("Cache-Control", discoveryAge)
	return instanceDocument{
		DiscoveryEndpoint: base + "/" + name + "/v2.0/.well-known/openid-configuration",
		APIVersion:        "1.1",
		Metadata:          metadataOf(host),
	}, nil
}

// metadataOf returns the names of the authority at host. For Microsoft's hosts these
// are all that Microsoft lists: MSAL looks for the name that it already knows, and
// stores tokens under the preferred one.
func metadataOf(host string) []instanceMetadata {
	if cloudhosts.RoleOf(host) != cloudhosts.SignIn || strings.Contains(host, ":") {
		return []instanceMetadata{{PreferredNetwork: host, PreferredCache: host, Aliases: []string{host}}}
	}
	var all []instanceMetadata
	for _, a := range cloudhosts.Authorities() {
		all = append(all, instanceMetadata{PreferredNetwork: a.PreferredNetwork, PreferredCache: a.PreferredCache, Aliases: a.Hosts})
	}
	return all
}

func unknownInstance(url string) error {
	return fail(codeUnknownInstance, "The authority %s is not an address of this server. Use an authority at an address that this server answers at.", quote.Text(url))
}
