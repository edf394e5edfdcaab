// Package signin contains the commands for signing in: login, logout, token, whoami and
// doctor. Package connect stores and renews sign-ins.
package signin

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"
	"github.com/spf13/cobra"

	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/command"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/connect"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/claims"
)

// loginOptions are the flags of login.
type loginOptions struct {
	connection *connect.Connection
	deviceCode bool
	noBrowser  bool
	public     bool
	timeout    time.Duration
}

// Login returns the command that signs a user in.
func Login(term *terminal.Terminal) *cobra.Command {
	o := loginOptions{connection: connect.New(term)}
	return command.Act(term, command.Spec{
		Use: "login", Short: "Sign in as a user",
		Long: `Sign in as a user. Later commands then call Partner Center as the app on behalf of
that user (App+User, the secure application model), which some calls require.

The sign-in page of the token authority opens in the browser, which returns the answer
to this machine. The address of the page is also printed, to open it in another
browser. If this machine has no browser, --device-code prints a code to enter on any
other machine.

The app must have the redirect URI http://localhost; any port matches. If the settings
contain the app's secret or certificate, it is used for the sign-in. --public-client
omits it, for a redirect URI registered for mobile and desktop applications.
--device-code always omits it, and the app must allow public client flows.

There is one sign-in for each authority, tenant and app. It is stored, encrypted, in
the user's configuration folder, renewed as it is used, and removed by "partnercenter
logout". Commands use it if their settings name the same authority, tenant and app, or
do not name an app. With --as app they use the app alone.`,
		Example: `  partnercenter login --profile local
  partnercenter login --tenant-id contoso.onmicrosoft.com --client-id 66666666-7777-8888-9999-000000000000
  partnercenter login --device-code
  partnercenter whoami`,
		Flags: func(cmd *cobra.Command) {
			f := cmd.Flags()
			f.BoolVar(&o.deviceCode, "device-code", false, "print a code to enter in a browser on any machine")
			f.BoolVar(&o.noBrowser, "no-browser", false, "only print the address, without opening a browser")
			f.BoolVar(&o.public, "public-client", false, "do not use the app's secret or certificate")
			f.DurationVar(&o.timeout, "login-timeout", 5*time.Minute, "how long to wait for the user (default with --device-code: until the code expires)")
			o.connection.AddFlags(cmd)
		},
		Exclusive: [][]string{{"device-code", "no-browser"}},
	}, o.run)
}

func (o *loginOptions) run(ctx context.Context, call *command.Call) error {
	term := call.Term
	if o.timeout <= 0 {
		return terminal.Usagef("--login-timeout %s is not positive: give some minutes", o.timeout)
	}
	s, err := o.connection.UnsignedService()
	if err != nil {
		return err
	}
	switch {
	case s.ClientID == "":
		return terminal.Settingsf("there is no app to sign in to: give its id with --client-id or PARTNERCENTER_CLIENT_ID, or in a profile")
	case strings.HasPrefix(s.Authority, "http://"):
		return terminal.Settingsf("authority %s is plain HTTP, but users sign in over TLS only: give its TLS address with --authority, and its certificate authority with --ca-file", s.Authority)
	}
	store, err := connect.NewTokenStore(term)
	if err != nil {
		return err
	}
	// Find out before the user signs in whether the sign-in can be stored.
	unchanged := func([]*connect.SignIn) ([]*connect.SignIn, error) { return nil, nil }
	if err := store.Change(ctx, unchanged); err != nil {
		return err
	}
	asPublic := o.public || o.deviceCode || s.ClientSecret == "" && s.ClientCertificate == ""
	kept := new(connect.MSALCache)
	var result public.AuthResult
	if o.deviceCode {
		if !call.Given("login-timeout") {
			o.timeout = 0
		}
		result, err = signInWithCode(ctx, term, s, kept, o.timeout)
	} else {
		result, err = signInWithBrowser(ctx, term, s, asPublic, kept, o)
	}
	if err != nil {
		return err
	}
	user := &connect.SignIn{
		Authority: connect.NormalAuthority(s.Authority), Tenant: s.TenantID, TenantID: result.IDToken.TenantID, ClientID: s.ClientID,
		Public: asPublic, Username: result.Account.PreferredUsername, Name: result.IDToken.Name,
		At: term.Now().UTC().Truncate(time.Second), Account: result.Account, Cache: kept.Data,
	}
	err = store.Change(ctx, func(signIns []*connect.SignIn) ([]*connect.SignIn, error) {
		kept := []*connect.SignIn{user}
		for _, other := range signIns {
			if !user.Same(other) {
				kept = append(kept, other)
			}
		}
		return kept, nil
	})
	if err != nil {
		return err
	}
	return tellSignIn(call, s, user, result.AccessToken)
}

// tellSignIn reports who is signed in, with warnings about what the service would
// refuse.
func tellSignIn(call *command.Call, s *connect.Service, user *connect.SignIn, token string) error {
	if read, ok := claims.Read(token); ok && read.ForUser() && read.WithoutMFA() {
		call.Term.Linef("warning: the user signed in without multi-factor authentication; Partner Center refuses such tokens")
	}
	if s.As == connect.AsApp {
		call.Term.Linef("warning: the settings have --as app, so commands still act as the app alone")
	}
	return call.Say("Signed in as %s, tenant %s, through app %s.", terminal.Sanitize(user.Who()), terminal.Sanitize(user.TenantID), terminal.Sanitize(user.ClientID))
}

// signInWithBrowser is the authorization code flow with PKCE (RFC 6749, section
// 4.1; RFC 7636; RFC 8252).
//
// https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow
func signInWithBrowser(ctx context.Context, term *terminal.Terminal, s *connect.Service, asPublic bool, kept *connect.MSALCache, o *loginOptions) (result public.AuthResult, err error) {
	through, err := connect.NewUserApp(s, asPublic, kept)
	if err != nil {
		return result, err
	}
	state, nonce, verifier := randomText(), randomText(), randomText()
	listener, err := listenForRedirect(ctx, state)
	if err != nil {
		return result, err
	}
	defer listener.close()
	address, err := through.CodeURL(ctx, listener.url, append([]string{"openid", "profile", "offline_access"}, s.Scopes...))
	if err != nil {
		return result, connect.ExplainMSAL(ctx, &s.Settings, err)
	}
	if address, err = guardCodeURL(address, state, nonce, verifier); err != nil {
		return result, err
	}
	showSignInPage(term, address, o.noBrowser)
	waiting, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	answer, err := listener.wait(waiting)
	switch {
	case ctx.Err() != nil:
		return result, ctx.Err()
	case err != nil:
		return result, &connect.SignInError{
			Text: fmt.Sprintf("no user signed in within %s", o.timeout),
			Next: "Run partnercenter login again; --login-timeout waits longer, --device-code needs no browser on this machine.\n" +
				"If the page showed an error, it says what is wrong; 'partnercenter doctor' checks each step.",
		}
	case answer.Get("error") != "":
		refused := connect.OAuthError{Code: answer.Get("error"), Description: answer.Get("error_description")}
		return result, refused.SignInError("Run partnercenter login again.")
	case answer.Get("code") == "":
		return result, &connect.SignInError{Text: connect.SignInFailed + s.Authority + " answered without a code", Next: "Run partnercenter login again, and check --authority."}
	}
	if result, err = through.Redeem(ctx, answer.Get("code"), listener.url, verifier, s.Scopes); err != nil {
		return result, connect.ExplainMSAL(ctx, &s.Settings, err)
	}
	return result, checkIDToken(result.IDToken.RawToken, s, nonce)
}

// guardCodeURL adds what binds the answer to this request: the state for the
// redirect, the nonce for the id token, the challenge for the code.
func guardCodeURL(address, state, nonce, verifier string) (string, error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", err
	}
	challenge := sha256.Sum256([]byte(verifier))
	query := u.Query()
	query.Set("response_mode", "form_post")
	query.Set("state", state)
	query.Set("nonce", nonce)
	query.Set("code_challenge", base64.RawURLEncoding.EncodeToString(challenge[:]))
	query.Set("code_challenge_method", "S256")
	// Otherwise a browser that is already signed in would select the user.
	query.Set("prompt", "select_account")
	u.RawQuery = query.Encode()
	return u.String(), nil
}

// randomText returns 256 random bits in base64 for URLs.
func randomText() string {
	var b [32]byte
	rand.Read(b[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// checkIDToken checks that the id token belongs to this sign-in. It comes
// directly from the authority over TLS, so its signature need not be verified
// (OpenID Connect Core 1.0, section 3.1.3.7).
func checkIDToken(token string, s *connect.Service, nonce string) error {
	read, ok := claims.Read(token)
	switch {
	case !ok:
		return &connect.SignInError{
			Text: connect.SignInFailed + s.Authority + " sent no id token, so it is unknown who signed in",
			Next: "Check --authority.",
		}
	case nonce != "" && subtle.ConstantTimeCompare([]byte(read.Nonce), []byte(nonce)) != 1:
		return &connect.SignInError{
			Text: connect.SignInFailed + "the id token belongs to another sign-in (its nonce is not the one sent)",
			Next: "Run partnercenter login again. If it happens again, someone may be injecting another user's sign-in: tell the administrator.",
		}
	case len(read.Audience) != 1 || !ascii.EqualFold(read.Audience[0], s.ClientID):
		return &connect.SignInError{
			Text: connect.SignInFailed + "the id token is for an app other than " + s.ClientID,
			Next: "Check --client-id and --authority.",
		}
	}
	return nil
}

// showSignInPage opens the browser, and prints the address for use in another
// one.
func showSignInPage(term *terminal.Terminal, address string, noBrowser bool) {
	if noBrowser {
		term.Linef("Sign in at this address, in a browser on this machine:")
	} else {
		term.Linef("The sign-in page opens in the browser. If it does not, open this address on this machine:")
	}
	term.Linef("  %s", address)
	if !noBrowser {
		if err := term.OpenBrowser(address); err != nil {
			term.Linef("No browser could be opened (%v): open the address yourself, or stop with Ctrl-C and use --device-code.", err)
		}
	}
	term.Linef("Waiting; press Ctrl-C to stop.")
}

// signInWithCode is the device authorization grant (RFC 8628). A zero timeout
// waits until the code expires.
//
// https://learn.microsoft.com/entra/identity-platform/v2-oauth2-device-code
func signInWithCode(ctx context.Context, term *terminal.Terminal, s *connect.Service, kept *connect.MSALCache, timeout time.Duration) (result public.AuthResult, err error) {
	client := connect.NewAuthorityClient(s)
	through, err := connect.NewPublicApp(s, kept, client)
	if err != nil {
		return result, err
	}
	code, err := through.AcquireTokenByDeviceCode(ctx, s.Scopes)
	if err != nil {
		return result, connect.ExplainMSAL(ctx, &s.Settings, err)
	}
	term.Linef("To sign in, open this page in a browser on any machine:")
	term.Linef("  %s", code.Result.VerificationURL)
	term.Linef("and enter this code:")
	term.Linef("  %s", code.Result.UserCode)
	term.Linef("It is valid for %s. Enter only codes that you requested yourself. Waiting; press Ctrl-C to stop.", terminal.InWords(code.Result.ExpiresOn.Sub(term.Now()).Round(time.Minute)))
	waiting := ctx
	if timeout > 0 {
		var cancel context.CancelFunc
		waiting, cancel = context.WithTimeout(ctx, timeout)
		defer cancel()
	}
	client.Pace(time.Duration(code.Result.Interval) * connect.PollUnit)
	result, err = code.AuthenticationResult(waiting)
	switch {
	case ctx.Err() != nil:
		return result, ctx.Err()
	case err == nil:
		return result, checkIDToken(result.IDToken.RawToken, s, "")
	case waiting.Err() != nil, errors.Is(err, context.DeadlineExceeded) && !term.Now().Before(code.Result.ExpiresOn):
		return result, &connect.SignInError{Text: "the code was not entered in time", Next: "Run partnercenter login --device-code again, for a new one."}
	}
	return result, connect.ExplainMSAL(ctx, &s.Settings, err)
}
