package server

import (
	"slices"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/token"
)

// Edition is an edition of the service's rules about tokens.
type Edition string

const (
	// EditionLegacy is the rules of before August 2025, when an app could also call
	// with a token for a directory graph.
	EditionLegacy Edition = "legacy"
	// Edition2026 is the rules of today: every token is for the API itself.
	Edition2026 Edition = "2026"
)

// Editions returns all editions, the default first.
func Editions() []Edition { return []Edition{EditionLegacy, Edition2026} }

// Known reports whether e is an edition.
func (e Edition) Known() bool { return slices.Contains(Editions(), e) }

// refuseAudience returns the refusal of a token for another API.
func (e Edition) refuseAudience(refused error) error {
	if e != Edition2026 {
		return errAccessDenied(refused)
	}
	return errUnauthorized(partnercenter.ErrorCodeAudienceRefused, "Unauthorized - audience not accepted: "+refused.Error()+".")
}

// refuseGraph refuses tokens for a directory graph, unless the edition accepts them.
func (e Edition) refuseGraph(claims *token.Claims) error {
	if e != Edition2026 || !token.IsGraph(claims.Audience) {
		return nil
	}
	return e.refuseAudience(token.Refuse(token.ReasonAudience, "its audience is %s", claims.Audience))
}

// needsUser is the code that refuses an app-only token where a user is needed.
func (e Edition) needsUser() partnercenter.ErrorCode {
	if e == Edition2026 {
		return partnercenter.ErrorCodeUserRequired
	}
	return partnercenter.ErrorCodeRoleNotGranted
}
