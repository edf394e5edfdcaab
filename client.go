package partnercenter

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
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

// What options mean where they leave something out.
const (
	// DefaultLocale is the language of texts that calls ask for.
	DefaultLocale = "en-US"

	// DefaultPageSize is how many customers All and QueryAll ask for at once.
	DefaultPageSize = 500

	// DefaultWorkers is how many customers [AllOrdersClient.All] asks about at once. More
	// only meet the service's limit of requests a minute sooner.
	DefaultWorkers = 4

	// MaxWorkers is how many it may ask about at once.
	MaxWorkers = 32

	// DefaultTryTimeout is how long one try of a call may take, as in Microsoft's
	// clients.
	DefaultTryTimeout = 3 * time.Minute

	// DefaultWaitTimeout is how long WaitVisible waits. The documentation says
	// that a new order takes up to 15 minutes.
	DefaultWaitTimeout = 20 * time.Minute

	// DefaultRequestsPerMinute is the documented number of requests a minute
	// that a partner may make for each of orders, subscriptions and customers.
	DefaultRequestsPerMinute = 500

	// DefaultWriteWeight is how many requests a write counts as. The service
	// documents that writes are limited sooner than reads, and not by how much.
	DefaultWriteWeight = 2
)

// ClientOptions are the options of [NewClient]. The zero value is Microsoft's
// global cloud.
//
// The embedded [azcore.ClientOptions] bring the cloud (Cloud), the transport,
// logging, and retries: three by default, honouring Retry-After up to
// Retry.MaxRetryDelay; Retry.MaxRetries of -1 means none. A try takes
// [DefaultTryTimeout] at most, or Retry.TryTimeout; a negative one means no limit. The
// time that a file takes to be read does not count. The default transport
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
	// refuses them with 429, tried again as Retry says. Retry.TryTimeout begins
	// after the wait.
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
	// Orders are the orders of all customers.
	Orders *AllOrdersClient
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
	endpoint, err := parseEndpoint(cmp.Or(o.Endpoint, service.Endpoint))
	if err != nil {
		return nil, err
	}
	if o.Scopes == nil {
		if service.Audience == "" {
			return nil, errors.New("partnercenter: the cloud has no audience for Partner Center: use one of this package's clouds, or set ClientOptions.Scopes")
		}
		o.Scopes = []string{service.Audience + "/.default"}
	}
	o.Locale = cmp.Or(o.Locale, DefaultLocale)
	c := &Client{
		endpoint:          endpoint,
		cloud:             CloudNameOf(o.Cloud),
		pipeline:          newPipeline(cred, endpoint, &o),
		allowShortAnswers: o.AllowShortAnswers,
	}
	c.Customers = &CustomersClient{resource{client: c}.name("customers")}
	c.Orders = &AllOrdersClient{c}
	c.Offers = sold(c, "offers", func(r resource) *OffersClient { return &OffersClient{offers{r}} })
	c.OfferCategories = sold(c, "offercategories", func(r resource) *OfferCategoriesClient { return &OfferCategoriesClient{r} })
	c.Products = sold(c, "products", func(r resource) *ProductsClient { return &ProductsClient{r} })
	c.Extensions = &ExtensionsClient{
		Product: sold(c, "extensions/product", func(r resource) *ProductExtensionsClient { return &ProductExtensionsClient{r} }),
	}
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
	u.Path = strings.TrimSuffix(strings.TrimSuffix(strings.TrimRight(u.Path, "/"), apiVersion), "/")
	u.RawPath = ""
	return u, nil
}
