package partnercenter

import (
	"cmp"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/partnercenter-go/partnercenter/internal/appsecret"
	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/certificate"
	"github.com/partnercenter-go/partnercenter/internal/loopback"
	"github.com/partnercenter-go/partnercenter/internal/textfile"
)

// NewClientFromEnvironment returns a client with the settings of the
// environment variables that the command line reads:
//
//	PARTNERCENTER_TENANT_ID, PARTNERCENTER_CLIENT_ID
//	PARTNERCENTER_CLIENT_SECRET
//	PARTNERCENTER_CLIENT_CERTIFICATE           a PEM or PFX file, in place of a secret
//	PARTNERCENTER_CLIENT_CERTIFICATE_PASSWORD  of a PFX file
//	PARTNERCENTER_CLOUD                        global (the default), 21vianet, germany or us-government
//	PARTNERCENTER_BASE_URL, PARTNERCENTER_AUTHORITY, PARTNERCENTER_SCOPE
//	PARTNERCENTER_CA_FILE                      certificate authorities to trust in addition to the system's
//	PARTNERCENTER_BUDGET                       requests a minute, 0 for no limit
//
// If no app is set it uses Azure's own settings: AZURE_ variables, a workload identity,
// or az login. PARTNERCENTER_BUDGET defaults to [DefaultRequestsPerMinute]. For a base
// URL on this machine it defaults to no limit, and the authority to the base URL, which
// with a secret may be plain HTTP.
//
// Fields that are set in opts take precedence. Profiles, and users signed in with
// partnercenter login, are for the command line only: PARTNERCENTER_PROFILE and
// PARTNERCENTER_CONFIG, and PARTNERCENTER_AS other than app, are an error.
func NewClientFromEnvironment(opts *ClientOptions) (*Client, error) {
	var o ClientOptions
	if opts != nil {
		o = *opts
	}
	cred, err := o.fromEnvironment()
	if err != nil {
		return nil, fmt.Errorf("partnercenter: %w", err)
	}
	return NewClient(cred, &o)
}

// fromEnvironment sets the options that are not set yet, and returns the
// credential.
func (o *ClientOptions) fromEnvironment() (azcore.TokenCredential, error) {
	for _, variable := range []string{"PARTNERCENTER_PROFILE", "PARTNERCENTER_CONFIG"} {
		if value := os.Getenv(variable); value != "" {
			return nil, fmt.Errorf("%s is %q, but only the command line has profiles: unset it, and set the variables that NewClientFromEnvironment reads, such as PARTNERCENTER_BASE_URL", variable, value)
		}
	}
	if as := os.Getenv("PARTNERCENTER_AS"); as != "" && as != "app" {
		return nil, fmt.Errorf("PARTNERCENTER_AS is %q, but this client signs in as the app: for a user, pass a credential of your own to NewClient", as)
	}
	if o.Cloud.Services == nil && o.Cloud.ActiveDirectoryAuthorityHost == "" {
		name := CloudName(cmp.Or(os.Getenv("PARTNERCENTER_CLOUD"), string(CloudNameGlobal)))
		if !name.Known() {
			return nil, fmt.Errorf("PARTNERCENTER_CLOUD is %q: use one of %v", string(name), CloudNames())
		}
		o.Cloud = name.Normalize().Configuration()
	}
	o.Endpoint = cmp.Or(o.Endpoint, os.Getenv("PARTNERCENTER_BASE_URL"))
	local := false
	if u, err := url.Parse(o.Endpoint); err == nil {
		local = loopback.IsHost(u.Hostname())
	}
	authority := os.Getenv("PARTNERCENTER_AUTHORITY")
	if authority == "" && local {
		authority = o.Endpoint
	}
	if authority != "" {
		o.Cloud.ActiveDirectoryAuthorityHost = authority
	}
	if scope := os.Getenv("PARTNERCENTER_SCOPE"); scope != "" && o.Scopes == nil {
		o.Scopes = []string{scope}
	}
	if err := o.budgetFromEnvironment(local); err != nil {
		return nil, err
	}
	if file := os.Getenv("PARTNERCENTER_CA_FILE"); file != "" && o.Transport == nil {
		roots, err := rootsWith(file)
		if err != nil {
			return nil, err
		}
		o.Transport = newTransport(roots)
	}
	return o.credentialFromEnvironment(authority != "")
}

func (o *ClientOptions) budgetFromEnvironment(local bool) error {
	if o.Budget != nil {
		return nil
	}
	rate := DefaultRequestsPerMinute
	if local {
		rate = 0
	}
	if text := os.Getenv("PARTNERCENTER_BUDGET"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			return fmt.Errorf("PARTNERCENTER_BUDGET is %q: write a number of requests a minute, or 0 for no limit", text)
		}
		rate = n
	}
	if rate > 0 {
		o.Budget = NewBudget(&BudgetOptions{RequestsPerMinute: rate})
	}
	return nil
}

// credentialFromEnvironment returns a credential for the app that the variables
// name, or one from Azure's own settings. Instance discovery knows Microsoft's
// authorities only.
func (o *ClientOptions) credentialFromEnvironment(foreign bool) (azcore.TokenCredential, error) {
	options := o.ClientOptions
	if options.Transport == nil {
		options.Transport = newTransport(nil)
	}
	transport := options.Transport
	options.Transport = appsecret.Transport{Next: transport}
	tenant, id := os.Getenv("PARTNERCENTER_TENANT_ID"), os.Getenv("PARTNERCENTER_CLIENT_ID")
	secret, certFile := os.Getenv("PARTNERCENTER_CLIENT_SECRET"), os.Getenv("PARTNERCENTER_CLIENT_CERTIFICATE")
	authority := options.Cloud.ActiveDirectoryAuthorityHost
	plain := strings.HasPrefix(ascii.ToLower(authority), "http://")
	if u, err := url.Parse(authority); plain && (err != nil || !loopback.IsHost(u.Hostname())) {
		return nil, fmt.Errorf("authority %s is plain HTTP on another machine: set PARTNERCENTER_AUTHORITY to its TLS address", authority)
	}
	switch {
	case plain && secret == "":
		return nil, fmt.Errorf("authority %s is plain HTTP, which is for the app's secret only: set PARTNERCENTER_CLIENT_SECRET, or PARTNERCENTER_AUTHORITY to the TLS address, such as the apiUrlTls of a local server", authority)
	case id == "" && secret == "" && certFile == "":
		return azureCredential(tenant, options, foreign)
	case secret != "" && certFile != "":
		return nil, errors.New("PARTNERCENTER_CLIENT_SECRET and PARTNERCENTER_CLIENT_CERTIFICATE are both set: unset one")
	case tenant == "" || id == "" || secret+certFile == "":
		return nil, errors.New("the credentials are incomplete: set PARTNERCENTER_TENANT_ID, PARTNERCENTER_CLIENT_ID and either PARTNERCENTER_CLIENT_SECRET or PARTNERCENTER_CLIENT_CERTIFICATE")
	case plain:
		return &appsecret.Credential{
			Authority: authority, TenantID: tenant, ClientID: id, ClientSecret: secret,
			Transport: transport, Timeout: max(0, cmp.Or(options.Retry.TryTimeout, DefaultTryTimeout)),
		}, nil
	case secret != "":
		return azidentity.NewClientSecretCredential(tenant, id, secret,
			&azidentity.ClientSecretCredentialOptions{ClientOptions: options, DisableInstanceDiscovery: foreign})
	}
	data, err := textfile.ReadText(certFile)
	if err != nil {
		return nil, fmt.Errorf("PARTNERCENTER_CLIENT_CERTIFICATE cannot be read: %w", err)
	}
	certs, key, err := azidentity.ParseCertificates(data, []byte(os.Getenv("PARTNERCENTER_CLIENT_CERTIFICATE_PASSWORD")))
	if err != nil {
		return nil, fmt.Errorf("PARTNERCENTER_CLIENT_CERTIFICATE names %s, which does not contain a certificate with its key, as PEM or PFX: %w", certFile, err)
	}
	return azidentity.NewClientCertificateCredential(tenant, id, certs, key,
		&azidentity.ClientCertificateCredentialOptions{ClientOptions: options, DisableInstanceDiscovery: foreign})
}

// azureCredential does not try managed identities, which cannot be registered
// with Partner Center.
func azureCredential(tenant string, options azcore.ClientOptions, foreign bool) (azcore.TokenCredential, error) {
	var chain []azcore.TokenCredential
	if cred, err := azidentity.NewEnvironmentCredential(&azidentity.EnvironmentCredentialOptions{ClientOptions: options, DisableInstanceDiscovery: foreign}); err == nil {
		chain = append(chain, cred)
	}
	if cred, err := azidentity.NewWorkloadIdentityCredential(&azidentity.WorkloadIdentityCredentialOptions{ClientOptions: options, DisableInstanceDiscovery: foreign}); err == nil {
		chain = append(chain, cred)
	}
	cred, err := azidentity.NewAzureCLICredential(&azidentity.AzureCLICredentialOptions{TenantID: tenant})
	if err != nil {
		return nil, err
	}
	return azidentity.NewChainedTokenCredential(append(chain, cred), nil)
}

func rootsWith(file string) (*x509.CertPool, error) {
	data, err := textfile.ReadText(file)
	if err != nil {
		return nil, fmt.Errorf("PARTNERCENTER_CA_FILE cannot be read: %w", err)
	}
	roots, ok := certificate.WithSystem(data)
	if !ok {
		return nil, fmt.Errorf("PARTNERCENTER_CA_FILE names %s, which does not contain a PEM certificate", file)
	}
	return roots, nil
}
