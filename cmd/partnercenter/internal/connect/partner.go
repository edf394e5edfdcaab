package connect

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/claims"
	"github.com/partnercenter-go/partnercenter/internal/guid"
)

var domainName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)+$`)

// CheckPartnerDomain checks that a domain belongs to the partner of the
// credentials. It compares the tenant that the token authority has for the
// domain with the tenant in the token, so it does not rely on the settings.
func (s *Service) CheckPartnerDomain(ctx context.Context, domain string) error {
	if !domainName.MatchString(domain) {
		return terminal.Usagef("%q is not a domain: write it like contoso.onmicrosoft.com; nothing was changed", domain)
	}
	tenant, err := s.partnerTenant(ctx)
	if err != nil {
		return err
	}
	of, err := s.tenantOf(ctx, domain)
	if err != nil {
		return err
	}
	if !ascii.EqualFold(of, tenant) {
		return terminal.Usagef("%s belongs to tenant %s, but the credentials sign in to partner %s: check the profile and the domain; nothing was changed", domain, of, tenant)
	}
	return nil
}

// partnerTenant returns the tenant in the token or, if it has none, in the
// settings.
func (s *Service) partnerTenant(ctx context.Context) (string, error) {
	token, err := s.Cred.GetToken(ctx, policy.TokenRequestOptions{Scopes: s.Scopes})
	if err != nil {
		return "", err
	}
	if read, ok := claims.Read(token.Token); ok && read.TenantID != "" {
		return read.TenantID, nil
	}
	if guid.Is(s.TenantID) {
		return s.TenantID, nil
	}
	return "", terminal.Settingsf("neither the token nor the settings name the partner's tenant, so the domain cannot be checked: give the tenant's GUID with --tenant-id; nothing was changed")
}

// tenantOf asks the token authority for the tenant of a domain (OpenID Connect
// Discovery 1.0). This requires no credentials.
func (s *Service) tenantOf(ctx context.Context, domain string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.DiscoveryURL(domain), nil)
	if err != nil {
		return "", err
	}
	resp, err := Ask(s.Options.Transport, req, s.Options.Retry.TryTimeout)
	if err != nil {
		return "", err
	}
	var discovery struct {
		Issuer string `json:"issuer"`
	}
	if resp.StatusCode == http.StatusOK && json.Unmarshal(resp.Body, &discovery) == nil {
		if issuer, err := url.Parse(discovery.Issuer); err == nil {
			for segment := range strings.SplitSeq(issuer.Path, "/") {
				if guid.Is(segment) {
					return segment, nil
				}
			}
		}
	}
	if resp.StatusCode >= http.StatusInternalServerError {
		return "", fmt.Errorf("%s answered %d when asked for the tenant of %s: try again; nothing was changed", s.Authority, resp.StatusCode, domain)
	}
	return "", terminal.Usagef("%s does not know a tenant with the domain %s: check its spelling; nothing was changed", s.Authority, domain)
}
