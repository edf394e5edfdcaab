package issuer

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
)

// login is a user who has entered the right password. A sign-in under way, its code and
// its device rest on it until they give tokens; it ends by what ends a grant. It is kept
// with the sign-in, wherever that has led.
type login struct {
	TenantID, ClientID string
	UserID             string // object id
	Password           []byte // digest of what it was then
	MFA                bool
	Revoked            string // why

	flow string // the sign-in's, empty without one
}

func newLogin(t *tenant, clientID string, user *User) *login {
	password := sha256.Sum256([]byte(user.Password))
	return &login{TenantID: t.id, ClientID: clientID, UserID: user.ObjectID, Password: password[:]}
}

// check fails if a login does not hold any more for its user, who is passed as they are
// now.
func (l *login) check(user *User) error {
	password := sha256.Sum256([]byte(user.Password))
	switch {
	case user.Disabled:
		return disabledUser(user)
	case subtle.ConstantTimeCompare(password[:], l.Password) != 1:
		return revokedLogin("the user's password has changed")
	case l.Revoked != "":
		return revokedLogin(l.Revoked)
	}
	return nil
}

func revokedLogin(why string) error {
	return fail(codeGrantRevoked, "The sign-in is revoked: %s. Have the user sign in again.", why)
}

// loginOf returns the login of a sign-in, as it is now.
func (a *Authority) loginOf(ctx context.Context, flowID string) (*login, error) {
	_, f, err := recall[flow](ctx, a, kindFlow, flowID)
	if err != nil {
		return nil, err
	}
	if f == nil || f.Login == nil {
		return nil, fail(codeGrantExpired, "The sign-in is over since long, or there were too many others. Have the user sign in again.")
	}
	f.Login.flow = flowID
	return f.Login, nil
}

// recheck fails if a login does not hold any more, by what is known now.
func (a *Authority) recheck(ctx context.Context, l *login) error {
	if l.flow != "" {
		var err error
		if l, err = a.loginOf(ctx, l.flow); err != nil {
			return err
		}
	}
	t, err := a.latest()
	if err != nil {
		return err
	}
	_, user, err := t.userOf(l.TenantID, l.UserID)
	if err != nil {
		return err
	}
	return l.check(user)
}

// revokeLogins ends the matching logins, which may have given no tokens yet.
func (a *Authority) revokeLogins(ctx context.Context, reason string, match func(*Grant) bool) error {
	records, err := a.keeper.Records(ctx, kindFlow)
	if err != nil {
		return err
	}
	for i := range records {
		r := &records[i]
		f, err := valueOf[flow](r)
		for err == nil && f != nil && f.Login != nil && f.Login.Revoked == "" &&
			match(&Grant{TenantID: f.Login.TenantID, ClientID: f.Login.ClientID, UserID: f.Login.UserID, MFA: f.Login.MFA}) {
			f.Login.Revoked = reason
			var ok bool
			if ok, err = a.remember(ctx, r, f); ok {
				break
			}
			if err == nil { // its user has gone a step further
				r, f, err = recall[flow](ctx, a, kindFlow, r.ID)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}
