package seed

import (
	"fmt"
	"slices"
	"strings"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/words"
	"github.com/partnercenter-go/partnercenter/internal/yamlfile"
)

// User is a user in a partner's tenant.
type User struct {
	UserPrincipalName string                   `json:"userPrincipalName"` // name@domain; case-insensitive
	ObjectID          string                   `json:"objectId"`          // GUID
	Name              string                   `json:"name"`
	Roles             []partnercenter.UserRole `json:"roles"`
	// Password is stored as it is, for the same reasons as the secret of an [App].
	Password string `json:"password"`
	// WithoutMFA says that the user has no second factor. In a seed file it is mfa:
	// false.
	WithoutMFA bool `json:"-" seed:"not mfa"`
	// Disabled says that the user may not sign in.
	Disabled bool `json:"disabled"`
}

// Check returns the first mistake that the type does not exclude, as a [*FieldError].
func (u *User) Check() error {
	if problem := principalNameProblem(u.UserPrincipalName); problem != "" {
		return &FieldError{"userPrincipalName", problem}
	}
	for i, role := range u.Roles {
		if _, known := KnownRole(role); !known {
			return &FieldError{fmt.Sprintf("roles[%d]", i), fmt.Sprintf("%q is not known here; use one of %s",
				role, words.Join(partnercenter.UserRoles()))}
		}
	}
	return nil
}

// KnownRole returns the role with any of its spellings.
func KnownRole(given partnercenter.UserRole) (partnercenter.UserRole, bool) {
	roles := partnercenter.UserRoles()
	i := slices.IndexFunc(roles, func(r partnercenter.UserRole) bool {
		return yamlfile.FoldEnum(string(r)) == yamlfile.FoldEnum(string(given))
	})
	if i < 0 {
		return "", false
	}
	return roles[i], true
}

// principalNameProblem returns what is wrong with a user principal name, or nothing.
func principalNameProblem(upn string) string {
	name, domain, ok := strings.Cut(upn, "@")
	if !ok || name == "" || domain == "" || strings.ContainsAny(upn, " \t\r\n") || strings.Contains(domain, "@") {
		return fmt.Sprintf("%q is not a user principal name; write one such as ada@contosocsp.onmicrosoft.com", upn)
	}
	return ""
}
