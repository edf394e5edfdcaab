package partnercenter

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	goruntime "runtime"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
)

// Version is the version of this module that calls name in MS-SdkVersion and
// User-Agent.
const Version = "0.1.0"

// Headers of the API.
const (
	headerRequestID         = "MS-RequestId"
	headerCorrelationID     = "MS-CorrelationId"
	headerLocale            = "X-Locale"
	headerContractVersion   = "MS-Contract-Version"
	headerApplication       = "MS-PartnerCenter-Application"
	headerClient            = "MS-PartnerCenter-Client"
	headerSDKVersion        = "MS-SdkVersion"
	headerContinuationToken = "MS-ContinuationToken"
	headerCustomerUser      = "x-ms-customeruser-upn"
	headerIfMatch           = "If-Match"
)

// DefaultLocale is the language of texts that calls ask for.
const DefaultLocale = "en-US"

// ClientOptions are the options of [NewClient]. The zero value is Microsoft's
// global cloud.
//
// The embedded [azcore.ClientOptions] bring the cloud (Cloud), the transport,
// logging, and retries: three by default, honouring Retry-After up to
// Retry.MaxRetryDelay; Retry.MaxRetries of -1 means none. The default transport
// follows no redirects; one of your own should not either, as the token goes
// along.
type ClientOptions struct {
	azcore.ClientOptions

	// Endpoint is the base URL of the API, without "/v1". Empty means that of
	// the cloud. Tokens are sent over plain HTTP to a loopback address only.
	Endpoint string

	// Scopes to ask the credential for. Nil means the cloud's audience for
	// Partner Center followed by "/.default".
	Scopes []string

	// Locale is the language of texts in answers. Empty means DefaultLocale.
	Locale string

	// ApplicationName identifies the caller to the service. Empty sends none.
	ApplicationName string

	// Budget makes requests wait rather than exceed the rate that the service
	// allows. Nil means none: requests are sent at once and, when the service
	// refuses them with 429, tried again as Retry says. With a budget
	// Retry.TryTimeout begins after the wait.
	Budget *Budget

	// SkipCredentialChecks sends calls whatever the token says. By default a call
	// that its token shows to be in vain is a [*CredentialError] and is not sent.
	// Set it for a service that takes other tokens than Microsoft's, such as a
	// gateway of your own, and where the clock of this machine is wrong.
	SkipCredentialChecks bool

	// AllowShortAnswers makes All take an answer that carries fewer items than
	// it counts. By default that is a [*ShortAnswerError], as the list at hand
	// would be incomplete.
	AllowShortAnswers bool
}

// Client calls Partner Center. It is safe for concurrent use. Make one with
// [NewClient].
type Client struct {
	// Customers are the customers of the partner that the credential signs in
	// to.
	Customers *CustomersClient
	// Offers are the legacy offers of a country, OfferCategories their
	// categories. Products are what new commerce sells there, and software,
	// reservations and the marketplace.
	Offers          *CountrySelector[*OffersClient]
	OfferCategories *CountrySelector[*OfferCategoriesClient]
	Products        *CountrySelector[*ProductsClient]
	// Extensions are calls that belong to no resource, such as an inventory
	// check.
	Extensions *ExtensionsClient

	endpoint          *url.URL // scheme, host and path before /v1
	cloud             CloudName
	pipeline          runtime.Pipeline
	allowShortAnswers bool
}

// NewClient returns a client that signs in with cred. Nil options mean
// Microsoft's global cloud.
func NewClient(cred azcore.TokenCredential, opts *ClientOptions) (*Client, error) {
	if cred == nil {
		return nil, errors.New("partnercenter: no credential: pass one of package azidentity's")
	}
	var o ClientOptions
	if opts != nil {
		o = *opts
	}
	if o.Cloud.Services == nil && o.Cloud.ActiveDirectoryAuthorityHost == "" {
		o.Cloud = CloudGlobal
	}
	service := o.Cloud.Services[ServiceName]
	if o.Endpoint == "" {
		o.Endpoint = service.Endpoint
	}
	endpoint, err := parseEndpoint(o.Endpoint)
	if err != nil {
		return nil, err
	}
	if o.Scopes == nil {
		if service.Audience == "" {
			return nil, errors.New("partnercenter: the cloud has no audience for Partner Center: use one of this package's clouds, or set ClientOptions.Scopes")
		}
		o.Scopes = []string{service.Audience + "/.default"}
	}
	if o.Locale == "" {
		o.Locale = DefaultLocale
	}
	c := &Client{
		endpoint:          endpoint,
		cloud:             NameOfCloud(o.Cloud),
		pipeline:          newPipeline(cred, endpoint, &o),
		allowShortAnswers: o.AllowShortAnswers,
	}
	c.Customers = &CustomersClient{client: c}
	c.Offers = &CountrySelector[*OffersClient]{func(country string) *OffersClient {
		return &OffersClient{offerList{market: market{client: c, country: country}, path: "/offers"}}
	}}
	c.OfferCategories = &CountrySelector[*OfferCategoriesClient]{func(country string) *OfferCategoriesClient {
		return &OfferCategoriesClient{market{client: c, country: country}}
	}}
	c.Products = &CountrySelector[*ProductsClient]{func(country string) *ProductsClient {
		return &ProductsClient{market: market{client: c, country: country}}
	}}
	c.Extensions = &ExtensionsClient{Product: &CountrySelector[*ProductExtensionsClient]{func(country string) *ProductExtensionsClient {
		return &ProductExtensionsClient{market{client: c, country: country}}
	}}}
	return c, nil
}

func parseEndpoint(text string) (*url.URL, error) {
	if text == "" {
		return nil, errors.New("partnercenter: the cloud has no endpoint for Partner Center: use one of this package's clouds, or set ClientOptions.Endpoint")
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("partnercenter: endpoint %q is no base URL: write it like %s", text, globalAPI)
	}
	u.Path = strings.TrimSuffix(strings.TrimSuffix(strings.TrimRight(u.Path, "/"), "/v1"), "/")
	u.RawPath = ""
	return u, nil
}

// newPipeline assembles the steps that a call goes through, in this order:
// identification and waiting for a write that still runs (once a call), retries
// and, once a try: waiting for the budget, time limit, token, a look at the token,
// keeping count, logging, sending. A token that was fetched before the wait could
// be too old after it.
func newPipeline(cred azcore.TokenCredential, endpoint *url.URL, o *ClientOptions) runtime.Pipeline {
	azure := o.ClientOptions
	// azcore's telemetry would name this client one of Azure's SDKs.
	azure.Telemetry.Disabled = true
	if azure.Transport == nil {
		azure.Transport = newTransport()
	}
	var perTry []policy.Policy
	if o.Budget != nil {
		perTry = append(perTry, &budgetPolicy{budget: o.Budget, base: endpoint.Path})
		if timeout := azure.Retry.TryTimeout; timeout > 0 {
			azure.Retry.TryTimeout = 0
			perTry = append(perTry, tryTimeoutPolicy{timeout})
		}
	}
	perTry = append(perTry, runtime.NewBearerTokenPolicy(cred, o.Scopes, &policy.BearerTokenOptions{
		// A server on this very machine is reached without a network that could
		// listen.
		InsecureAllowCredentialWithHTTP: endpoint.Scheme == "http" && isLoopback(endpoint.Hostname()),
	}))
	if !o.SkipCredentialChecks {
		perTry = append(perTry, newCredentialPolicy(endpoint, o))
	}
	perTry = append(perTry, tryPolicy{})
	return runtime.NewPipeline("partnercenter", Version, runtime.PipelineOptions{
		AllowedHeaders: []string{
			headerRequestID, headerCorrelationID, headerLocale, headerApplication, headerClient,
			headerSDKVersion, "MS-CV", "MS-ServerId", "Retry-After",
		},
		AllowedQueryParameters: []string{
			"billingType", "include_price", "include_system_purchases", "indirect_reseller_id",
			"size", "offset", "seekOperation", "order_id", "mpn_id", "country", "offer_category_id", "targetView", "targetSegment",
			"reservationScope",
		},
		PerCall:  []policy.Policy{newIdentifyPolicy(o), newInProgressPolicy(o.Retry)},
		PerRetry: perTry,
	}, &azure)
}

// newTransport returns the transport of clients that bring none. It follows no
// redirect: the service has none, and a token would travel with one.
func newTransport() policy.Transporter {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	transport.MaxIdleConnsPerHost = 16 // calls at once whose connections are kept
	return &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// identifyPolicy names the caller and the call. It runs once a call, so that
// all retries of a call carry one request id, the service's idempotency key.
type identifyPolicy struct {
	userAgent, locale, application string
}

func newIdentifyPolicy(o *ClientOptions) *identifyPolicy {
	agent := fmt.Sprintf("partnercenter-go/%s (%s; %s)", Version, goruntime.Version(), goruntime.GOOS)
	if o.ApplicationName != "" {
		agent += " " + strings.Join(strings.Fields(o.ApplicationName), "-")
	}
	return &identifyPolicy{userAgent: agent, locale: o.Locale, application: o.ApplicationName}
}

func (p *identifyPolicy) Do(req *policy.Request) (*http.Response, error) {
	h := req.Raw().Header
	setDefault(h, headerRequestID, NewRequestID)
	setDefault(h, headerCorrelationID, NewRequestID)
	h.Set("User-Agent", p.userAgent)
	h.Set(headerLocale, p.locale)
	h.Set(headerContractVersion, "v1")
	h.Set(headerClient, "partnercenter-go")
	h.Set(headerSDKVersion, Version)
	if p.application != "" {
		h.Set(headerApplication, p.application)
	}
	return req.Next()
}

// setDefault leaves alone what the caller set with [WithRequestID] or
// [WithCorrelationID].
func setDefault(h http.Header, key string, value func() string) {
	if h.Get(key) == "" {
		h.Set(key, value())
	}
}

// NewRequestID returns a new id for [WithRequestID]: a random GUID (version 4).
func NewRequestID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

type idsKey struct{}

type ids struct{ request, correlation string }

// WithRequestID makes the call that gets the returned context carry this
// MS-RequestId instead of a new one. Repeat an id only to repeat the very same
// call: the service answers a repeated write with the first one's answer.
//
// That is how to place an order exactly once through a crash of the caller:
// take an id from [NewRequestID], keep it with the order's content on disk,
// then call. After a restart call again with the same id and content; whatever
// became of the first call, there is one order, and its answer comes back.
// Where an error leaves open what happened, [Unsettled] says so.
func WithRequestID(ctx context.Context, id string) context.Context {
	v, _ := ctx.Value(idsKey{}).(ids)
	v.request = id
	return context.WithValue(ctx, idsKey{}, v)
}

// withoutRequestID lets a verb read what it needs for a write under an id of
// its own.
func withoutRequestID(ctx context.Context) context.Context { return WithRequestID(ctx, "") }

// WithCorrelationID makes calls that get the returned context carry this
// MS-CorrelationId, which ties related calls together in the service's logs.
func WithCorrelationID(ctx context.Context, id string) context.Context {
	v, _ := ctx.Value(idsKey{}).(ids)
	v.correlation = id
	return context.WithValue(ctx, idsKey{}, v)
}
