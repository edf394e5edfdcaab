package server

import (
	"slices"
	"strings"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/catalog"
	"github.com/partnercenter-go/partnercenter/internal/cloudhosts"
	"github.com/partnercenter-go/partnercenter/internal/lifecycle"
	"github.com/partnercenter-go/partnercenter/internal/token"
)

// permit refuses a call that the cloud does not offer or the token does not allow. It
// comes after throttling, because these are the service's refusals, not those of the
// gateway in front of it.
func (s *Server) permit(c *call, route *Route) error {
	var first error
	for _, o := range route.Operations {
		err := s.permitOperation(c.claims, o)
		if err == nil {
			return nil
		}
		if first == nil {
			first = err
		}
	}
	return first
}

// permitOperation refuses one operation likewise.
func (s *Server) permitOperation(claims *token.Claims, o *partnercenter.Operation) error {
	cloud := s.cloudOf(claims)
	switch user := claims.HasUser(); {
	case !o.OfferedIn(cloud):
		return errNotOffered(o.String()+" is", cloud)
	case s.config.Caller != nil: // no token to check
		return nil
	case !user && !o.TakesApp():
		return s.errNeedsUser(o)
	case user && !o.TakesUser():
		return s.errNeedsApp(o)
	case user && !allowed(claims, o):
		return errNeedsRole(claims, o)
	}
	return nil
}

// allowed reports whether the token's user has one of the operation's roles.
func allowed(claims *token.Claims, o *partnercenter.Operation) bool {
	for _, role := range claims.Roles {
		if o.Allows(partnercenter.UserRole(role)) {
			return true
		}
	}
	return false
}

// priceRoles are the roles that may see prices.
var priceRoles = []partnercenter.UserRole{partnercenter.UserRoleGlobalAdmin, partnercenter.UserRoleAdminAgent, partnercenter.UserRoleSalesAgent}

// checkPriceAccess refuses to show prices to those who may not see them.
func (s *Server) checkPriceAccess(c *call) error {
	switch {
	case s.config.NoPriceAccess:
		return errPriceNotGranted("Leave include_price out, or start the server without --price-access=false.")
	case c.claims.HasUser() && !slices.ContainsFunc(c.claims.Roles, func(r string) bool { return slices.Contains(priceRoles, partnercenter.UserRole(r)) }):
		return errPriceNotGranted("Leave include_price out, or sign in as a user who sees prices, such as an admin_agent: partnercenter login.")
	}
	return nil
}

// checkSold refuses merchandise that the cloud does not sell.
func (s *Server) checkSold(c *call, m catalog.Merchandise) error {
	if cloud := s.cloudOf(c.claims); !m.SoldIn(cloud) {
		return errNotOffered(string(m)+" are", cloud)
	}
	return nil
}

// cloudOf returns the cloud of a call: where Microsoft's hosts are emulated, that of
// the host that issued the token, elsewhere the server's.
func (s *Server) cloudOf(claims *token.Claims) partnercenter.CloudName {
	if s.config.AllClouds {
		host, _, _ := strings.Cut(strings.TrimPrefix(claims.Issuer, "https://"), "/")
		if cloud := cloudhosts.CloudAt(host); cloud != "" {
			return partnercenter.CloudName(cloud)
		}
	}
	return s.config.Cloud
}

// rulesOf returns the rules for a call, which depend on the cloud.
func (s *Server) rulesOf(c *call) lifecycle.Settings {
	rules := s.config.Rules
	rules.Cloud = s.cloudOf(c.claims)
	return rules
}
