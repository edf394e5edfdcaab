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

// permit refuses a call that is not for the cloud that is played, or not for
// whose token it is. It comes behind the count of requests, as these are the
// service's own refusals and not those of the gateway in front of it.
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

// permitOperation does for one operation.
func (s *Server) permitOperation(claims *token.Claims, o *partnercenter.Operation) error {
	cloud := s.cloudOf(claims)
	switch user := claims.HasUser(); {
	case !o.OfferedIn(cloud):
		return errNotOffered(o.String()+" is", cloud)
	case s.config.Caller != nil: // no token, nothing to check
		return nil
	case !user && !o.TakesApp():
		return errNeedsUser(o)
	case user && !o.TakesUser():
		return s.errNeedsApp(o)
	case user && !allowed(claims, o):
		return errNeedsRole(claims, o)
	}
	return nil
}

// allowed reports whether a role of the token's user is one of the operation's.
func allowed(claims *token.Claims, o *partnercenter.Operation) bool {
	for _, role := range claims.Roles {
		if o.Allows(partnercenter.UserRole(role)) {
			return true
		}
	}
	return false
}

// seePrices are the roles whose users are shown prices.
var priceRoles = []partnercenter.UserRole{partnercenter.UserRoleGlobalAdmin, partnercenter.UserRoleAdminAgent, partnercenter.UserRoleSalesAgent}

// pricesAllowed refuses to show prices to those who may not see them.
func (s *Server) checkPriceAccess(c *call) error {
	switch {
	case s.config.NoPriceAccess:
		return errPriceNotGranted("Leave include_price out, or start the server without --price-access=false.")
	case c.claims.HasUser() && !slices.ContainsFunc(c.claims.Roles, func(r string) bool { return slices.Contains(priceRoles, partnercenter.UserRole(r)) }):
		return errPriceNotGranted("Leave include_price out, or sign in as a user who sees prices, such as an admin_agent: partnercenter login.")
	}
	return nil
}

// sold refuses what the cloud that is played does not sell.
func (s *Server) checkSold(c *call, m catalog.Merchandise) error {
	if cloud := s.cloudOf(c.claims); !m.SoldIn(cloud) {
		return errNotOffered(string(m)+" are", cloud)
	}
	return nil
}

// cloudOf returns the cloud that a call is made in: where Microsoft's hosts are
// played that of the host that gave the token, elsewhere the one that is played.
func (s *Server) cloudOf(claims *token.Claims) partnercenter.CloudName {
	if s.config.AllClouds {
		host, _, _ := strings.Cut(strings.TrimPrefix(claims.Issuer, "https://"), "/")
		if cloud := cloudhosts.CloudAt(host); cloud != "" {
			return partnercenter.CloudName(cloud)
		}
	}
	return s.config.Cloud
}

// rulesOf returns the rules for a call, which differ from cloud to cloud.
func (s *Server) rulesOf(c *call) lifecycle.Settings {
	rules := s.config.Rules
	rules.Cloud = s.cloudOf(c.claims)
	return rules
}

// roles joins roles for a message.
func joinRoles[T ~string](list []T, last string) string {
	text := texts(list)
	if len(text) > 1 {
		text[len(text)-2] += " " + last + " " + text[len(text)-1]
		text = text[:len(text)-1]
	}
	return strings.Join(text, ", ")
}
