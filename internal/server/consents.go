package server

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/issuer"
	"github.com/partnercenter-go/partnercenter/internal/quote"
)

// createApplicationConsent is POST
// /v1/customers/{customer-tenant-id}/applicationconsents: a partner consents, for a
// customer, that an application acts in the customer's tenant. The token authority then
// issues the application tokens for that tenant.
//
// https://learn.microsoft.com/partner-center/developer/control-panel-vendor-apis
func (s *Server) createApplicationConsent(c *call) error {
	if err := s.checkConsentCall(c); err != nil {
		return err
	}
	body, consent, err := readJSON[partnercenter.ApplicationConsent](c)
	if err != nil {
		return err
	}
	can, err := s.config.Authority.CanConsent(c.claims.TenantID, consent.ApplicationID)
	if err != nil {
		return err
	}
	if !can {
		return errBadQuery("applicationId "+quote.Text(consent.ApplicationID)+" is not an application that this partner can use",
			"send the client id of one of the partner's applications, or of a multi-tenant one")
	}
	var resources []string
	for _, permission := range consent.ApplicationGrants {
		resource, ok := issuer.ResourceOf(permission.EnterpriseApplicationID)
		if !ok {
			return errBadQuery("enterpriseApplicationId "+quote.Text(permission.EnterpriseApplicationID)+" is not known here",
				"send the id of Microsoft Graph, 00000003-0000-0000-c000-000000000000, or of another of Microsoft's APIs")
		}
		if strings.TrimSpace(permission.Scope) == "" {
			return errBadQuery("the scope of "+quote.Text(permission.EnterpriseApplicationID)+" is empty", "send its permissions, separated by commas")
		}
		resources = append(resources, resource)
	}
	if len(resources) == 0 {
		return errBadQuery("applicationGrants is empty", "name an API by its enterpriseApplicationId, and a scope")
	}
	slices.Sort(resources)
	resources = slices.Compact(resources)
	answer, err := partnercenter.Marshal(consent)
	if err != nil {
		return err
	}
	added := false
	return s.writeOnce(c, body, func(ctx context.Context) (*writeResult, error) {
		if !added {
			// The authority stores it by itself. If the answer cannot be stored any more,
			// a repetition is told that the consent exists, which clients take as well.
			err := s.config.Authority.AddConsent(ctx, issuer.Consent{
				TenantID: c.customer, ClientID: consent.ApplicationID, Resources: resources, AppResources: resources,
			})
			if errors.Is(err, issuer.ErrConsentExists) {
				return nil, errConsentExists
			}
			if err != nil {
				return nil, err
			}
			added = true
		}
		return &writeResult{status: http.StatusCreated, body: answer}, nil
	})
}

// deleteApplicationConsent is DELETE
// /v1/customers/{customer-tenant-id}/applicationconsents/{application-id}.
func (s *Server) deleteApplicationConsent(c *call) error {
	if err := s.checkConsentCall(c); err != nil {
		return err
	}
	if err := c.checkWriteHeaders(); err != nil {
		return err
	}
	id := c.param("application-id")
	known, err := s.config.Authority.Consents(func(consent issuer.Consent) bool {
		return consent.TenantID == c.customer && ascii.EqualFold(consent.ClientID, id) && consent.UserID == ""
	})
	if err != nil {
		return err
	}
	if len(known) == 0 {
		return errNoConsent(id)
	}
	if err := s.config.Authority.PutConsent(c.r.Context(), issuer.Consent{TenantID: c.customer, ClientID: id}); err != nil {
		return err
	}
	delete(c.setHeaders(0), "Content-Length") // a 204 has none
	c.send(http.StatusNoContent, nil)
	return nil
}

// checkConsentCall refuses calls about consents where no token authority would honour
// them, and calls for customers of other partners.
func (s *Server) checkConsentCall(c *call) error {
	if s.config.Authority == nil {
		return errNoAuthority
	}
	_, err := s.config.Store.GetCustomer(c.r.Context(), c.claims.TenantID, c.customer)
	return err
}
