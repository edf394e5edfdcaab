package seed

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/words"
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
		if !role.Known() {
			return &FieldError{fmt.Sprintf("roles[%d]", i), fmt.Sprintf("%q is not known here; use one of %s",
				role, words.Join(partnercenter.UserRoles()))}
		}
	}
	return nil
}

// principalNameProblem returns what is wrong with a user principal name, or nothing.
func principalNameProblem(upn string) string {
	name, domain, ok := strings.Cut(upn, "@")
	if !ok || name == "" || domain == "" || strings.ContainsFunc(upn, isBlank) || strings.Contains(domain, "@") {
		return fmt.Sprintf("%q is not a user principal name; write one such as ada@contosocsp.onmicrosoft.com", upn)
	}
	return ""
}

func isBlank(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) || r == utf8.RuneError }
