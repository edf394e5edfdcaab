package partnercentertest

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"time"

	"github.com/partnercenter-go/partnercenter/internal/issuer"
	"github.com/partnercenter-go/partnercenter/internal/seed"
)

// User is a user of a partner in the data.
type User struct {
	TenantID          string // of the partner
	UserPrincipalName string
	Name              string
	Password          string
	Roles             []string // global_admin, admin_agent, sales_agent, helpdesk_agent
	MFA               bool     // a second factor is registered and required
	Disabled          bool
}

// Users returns the users of all partners, for tests that sign one in with a
// password. Tests that only need to act for a user can use
// [Server.UserCredential].
func (s *Server) Users() []User {
	ctx := context.Background()
	partners, err := s.store.Partners(ctx)
	must(err)
	var list []User
	for _, p := range partners {
		users, err := s.store.Users(ctx, p.TenantID)
		must(err)
		for _, u := range users {
			user := User{
				TenantID: p.TenantID, UserPrincipalName: u.UserPrincipalName, Name: u.Name, Password: u.Password,
				MFA: !u.WithoutMFA, Disabled: u.Disabled,
			}
			for _, role := range u.Roles {
				user.Roles = append(user.Roles, string(role))
			}
			list = append(list, user)
		}
	}
	return list
}

// AddCertificate registers a certificate for the first partner's app, which can
// then sign in with its private key, as azidentity.ClientCertificateCredential
// does. AddCertificate panics unless the key is an RSA key of at least 2048 bits.
func (s *Server) AddCertificate(certificate *x509.Certificate) {
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Raw})
	must(s.store.ChangeApp(context.Background(), s.TenantID, s.ClientID, func(a *seed.App) error {
		a.Certificates = append(a.Certificates, seed.AppCertificate{PEM: string(text)})
		return nil
	}))
}

// IdentityFault is a fault of the token authority, which then answers as
// Microsoft's does: with an error and its AADSTS number, or with a token that
// the API refuses. The faults and their options are described in
// docs/control-plane.md. Only Fault is required; the other fields limit the
// requests that it applies to, or are options.
type IdentityFault struct {
	Fault    string // such as mfa_required or throttled
	Tenant   string // id or domain
	ClientID string
	User     string // user principal name
	Times    int    // how often it is applied; zero means until it is removed

	Endpoint   string        // token (the default), authorize, devicecode or discovery
	RetryAfter time.Duration // of throttled and unavailable
	Plain      bool          // of throttled: answer with plain text
	Status     int           // of html
	For        time.Duration // of timeout
	By         time.Duration // of clock_skew
	Audience   string        // of wrong_audience
}

// IdentityFault adds a fault to the token authority, and returns a function
// that reports how often it was applied. It does not affect tokens issued
// earlier. IdentityFault panics if f is invalid.
func (s *Server) IdentityFault(f IdentityFault) (struck func() int) {
	added, err := s.authority.AddFault(issuer.Fault{
		Kind: issuer.FaultKind(f.Fault), Tenant: f.Tenant, ClientID: f.ClientID, User: f.User, Times: f.Times,
		Endpoint: f.Endpoint, RetryAfter: f.RetryAfter, Plain: f.Plain, Status: f.Status, For: f.For, By: f.By, Audience: f.Audience,
	})
	must(err)
	return func() int {
		for _, f := range s.authority.Faults() {
			if f.ID == added.ID {
				return f.Struck
			}
		}
		return 0 // cleared
	}
}

// ClearIdentityFaults removes all faults of the token authority.
func (s *Server) ClearIdentityFaults() { s.authority.ClearFaults() }

// RollKey makes a new key sign tokens from now on. Tokens signed with the old
// one are then refused, unless it is kept.
func (s *Server) RollKey(keepOld bool) {
	_, _, err := s.plane.RollKey(context.Background(), keepOld)
	must(err)
}
