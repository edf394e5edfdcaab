package partnercenter

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"runtime/debug"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
)

// Version is the version of this module in the program that runs, such as v0.1.0, from its
// build information. It is sent in MS-SdkVersion and User-Agent.
var Version = builtVersion()

// unversioned is the version in builds that say none: tests, and modules that replace this
// one with a folder.
const unversioned = "v0.1.0-dev"

func builtVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return unversioned
	}
	for _, m := range append([]*debug.Module{&info.Main}, info.Deps...) {
		if m.Path == "github.com/partnercenter-go/partnercenter" && m.Replace == nil && m.Version != "(devel)" {
			return cmp.Or(m.Version, unversioned)
		}
	}
	return unversioned
}

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

// Defaults of options.
const (
	// DefaultLocale is the language of texts in answers.
	DefaultLocale = "en-US"

	// DefaultPageSize is the number of items that All and QueryAll request per
	// page.
	DefaultPageSize = 500

	// DefaultWorkers is the number of customers that [AllOrdersClient.All] queries
	// concurrently. More workers only reach the service's request limit sooner.
	DefaultWorkers = 4

	// MaxWorkers is the largest number of them.
	MaxWorkers = 32

	// DefaultTryTimeout is the maximum duration of one attempt of a call, as in
	// Microsoft's clients.
	DefaultTryTimeout = 3 * time.Minute

	// DefaultMaxAnswerSize is the largest answer that is read, in bytes: far more than
	// the largest list of a partner.
	DefaultMaxAnswerSize = 256 << 20

	// DefaultWaitTimeout is how long WaitVisible waits. A new order is
	// documented to take up to 15 minutes.
	DefaultWaitTimeout = 20 * time.Minute

	// MinWaitInterval is the shortest pause between two requests of WaitVisible.
	MinWaitInterval = 100 * time.Millisecond

	// DefaultRequestsPerMinute is the documented limit per partner for each of
	// orders, subscriptions and customers.
	DefaultRequestsPerMinute = 500

	// DefaultWriteWeight is the number of requests a write counts as. Writes
	// are documented to have a lower limit than reads, but not how much lower.
	DefaultWriteWeight = 2
)

// ClientOptions are the options of [NewClient]. The zero value is Microsoft's
// global cloud.
//
// The embedded [azcore.ClientOptions] configure the cloud (Cloud), the
// transport, logging and retries: three by default, honoring Retry-After up to
// Retry.MaxRetryDelay, by default a minute; a Retry.MaxRetries of -1 means none, more
// than 1000 are 1000, a negative Retry.RetryDelay no pause, and a negative MaxRetryDelay any. An attempt takes at
// most Retry.TryTimeout, by default [DefaultTryTimeout]; a negative one means no
// limit. A file may take longer to read, but each wait for more of it is as limited.
// The default transport does not follow redirects. A custom one should not either,
// because the token would be sent along.
type ClientOptions struct {
	azcore.ClientOptions

	// Endpoint is the base URL of the API, without "/v1". Empty means that of
	// the cloud. Over plain HTTP, tokens are sent to loopback addresses only.
	Endpoint string

	// Scopes are requested from the credential. Nil means the cloud's audience
	// for Partner Center followed by "/.default".
	Scopes []string

	// Locale is the language of texts in answers. Empty means DefaultLocale.
	Locale string

	// ApplicationName identifies the caller to the service. If empty, it is not
	// sent.
	ApplicationName string

	// Budget delays requests that would exceed the rate the service allows. Nil
	// means no budget: requests are sent at once, and retried as configured by
	// Retry if the service answers 429. Retry.TryTimeout does not include the
	// wait.
	Budget *Budget

	// SkipCredentialChecks turns off the check of tokens before calls are sent.
	// By default a call that its token does not allow fails with a
	// [*CredentialError] and is not sent. Set it for a service that takes
	// tokens other than Microsoft's, such as a gateway, or if this machine's
	// clock is wrong.
	SkipCredentialChecks bool

	// MaxAnswerSize is the largest answer that is read, in bytes, after it was
	// decompressed. Zero means DefaultMaxAnswerSize, and a negative size is an error of
	// [NewClient]. A call with a larger answer fails with a [*LargeAnswerError]; a file
	// that is being downloaded, when so much of it has been read.
	MaxAnswerSize int64

	// AllowShortAnswers makes All accept an answer with fewer items than its
	// totalCount. By default that is a [*ShortAnswerError], because the list
	// would be incomplete.
	AllowShortAnswers bool
}

// Client is a client of Partner Center. It is safe for concurrent use. Create
// one with [NewClient].
type Client struct {
	// Customers are the customers of the credential's partner.
	Customers *CustomersClient
	// Orders are the orders of all customers.
	Orders *AllOrdersClient
	// Offers are the legacy offers of a country, and OfferCategories their
	// categories. Products are the items of the newer catalog: new commerce,
	// software, reservations and the marketplace.
	Offers          *CountrySelector[*OffersClient]
	OfferCategories *CountrySelector[*OfferCategoriesClient]
	Products        *CountrySelector[*ProductsClient]
	// ProductPromotions are discounts on items of new commerce.
	ProductPromotions *CountrySelector[*PromotionsClient]
	// ProductUpgrades make an Azure plan of a customer's legacy Azure subscriptions.
	ProductUpgrades *ProductUpgradesClient
	// Extensions are calls that do not belong to a resource, such as an
	// inventory check.
	Extensions *ExtensionsClient

	endpoint          *url.URL // scheme, host and path before /v1
	cloud             CloudName
	pipeline          runtime.Pipeline
	allowShortAnswers bool
	maxAnswerSize     int64
}

// NewClient returns a client that signs in with cred. Nil options mean
// Microsoft's global cloud.
func NewClient(cred azcore.TokenCredential, opts *ClientOptions) (*Client, error) {
	if cred == nil {
		return nil, errors.New("partnercenter: the credential is nil: pass one from package azidentity")
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
	if o.Budget != nil && o.Budget.err != nil {
		return nil, o.Budget.err
	}
	if o.MaxAnswerSize < 0 {
		return nil, fmt.Errorf("partnercenter: ClientOptions has MaxAnswerSize %d: it cannot be negative; zero means the default of %d bytes", o.MaxAnswerSize, DefaultMaxAnswerSize)
	}
	o.MaxAnswerSize = cmp.Or(o.MaxAnswerSize, DefaultMaxAnswerSize)
	o.Locale = cmp.Or(o.Locale, DefaultLocale)
	c := &Client{
		endpoint:          endpoint,
		cloud:             CloudNameOf(o.Cloud),
		pipeline:          newPipeline(cred, endpoint, &o),
		allowShortAnswers: o.AllowShortAnswers,
		maxAnswerSize:     o.MaxAnswerSize,
	}
	c.Customers = &CustomersClient{resource{client: c}.name("customers")}
	c.Orders = &AllOrdersClient{c}
	c.Offers = sold(c, "offers", func(r resource) *OffersClient { return &OffersClient{offers{r}} })
	c.OfferCategories = sold(c, "offercategories", func(r resource) *OfferCategoriesClient { return &OfferCategoriesClient{r} })
	c.ProductPromotions = sold(c, "productpromotions", func(r resource) *PromotionsClient { return &PromotionsClient{r} })
	c.ProductUpgrades = &ProductUpgradesClient{resource{client: c}.name("productupgrades")}
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
		return nil, fmt.Errorf("partnercenter: endpoint %q is not a base URL: write it like %s", text, globalAPI)
	}
	// Escaped, so that an escaped slash stays one.
	u.RawPath = strings.TrimSuffix(strings.TrimSuffix(strings.TrimRight(u.EscapedPath(), "/"), apiVersion), "/")
	u.Path = segmentName(u.RawPath)
	return u, nil
}
