package issuer

import "sync/atomic"

// login is a user who has entered the right password. A sign-in under way, its code and
// its device rest on it until they give tokens; it ends by what ends a grant.
type login struct {
	tenantID, clientID string
	user               *User // as it was then
	mfa                bool
	revoked            atomic.Pointer[string] // why
}

// check fails if a login does not hold any more for its user, who is passed as they are
// now.
func (l *login) check(user *User) error {
	switch {
	case user.Disabled:
		return disabledUser(user)
	case user.Password != l.user.Password:
		return revokedLogin("the user's password has changed")
	}
	if why := l.revoked.Load(); why != nil {
		return revokedLogin(*why)
	}
	return nil
}

func revokedLogin(why string) error {
	return fail(codeGrantRevoked, "The sign-in is revoked: %s. Have the user sign in again.", why)
}

// revoke ends the matching logins that have given no tokens yet.
func (s *signIns) revoke(reason string, match func(*Grant) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	end := func(l *login) {
		if l != nil && match(&Grant{TenantID: l.tenantID, ClientID: l.clientID, UserID: l.user.ObjectID, MFA: l.mfa}) {
			l.revoked.CompareAndSwap(nil, &reason)
		}
	}
	for _, e := range s.flows.entries {
		end(e.value.login)
	}
	for _, e := range s.codes.entries {
		end(e.value.login)
	}
	for _, e := range s.devices.entries {
		end(e.value.login)
	}
}
