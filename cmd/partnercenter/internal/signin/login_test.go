package signin

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/connect"
	"github.com/partnercenter-go/partnercenter/internal/claims"
)

// unsignedToken is a JSON Web Token for those who only read it.
func unsignedToken(claims map[string]any) string {
	payload, err := json.Marshal(claims)
	if err != nil {
		panic(err)
	}
	return "eyJhbGciOiJub25lIn0." + base64.RawURLEncoding.EncodeToString(payload) + ".c2ln"
}

// TestIDToken refuses id tokens of other sign-ins.
func TestIDToken(t *testing.T) {
	s := &connect.Service{Settings: connect.Settings{ClientID: "App"}}
	good := map[string]any{"aud": "app", "nonce": "n"}
	if err := checkIDToken(unsignedToken(good), s, "n"); err != nil {
		t.Error(err)
	}
	for name, claims := range map[string]map[string]any{
		"another nonce": {"aud": "app", "nonce": "m"}, "no nonce": {"aud": "app"},
		"another app": {"aud": "other", "nonce": "n"}, "two apps": {"aud": []string{"app", "other"}, "nonce": "n"}, "no app": {"nonce": "n"},
	} {
		if err := checkIDToken(unsignedToken(claims), s, "n"); !errors.As(err, new(*connect.SignInError)) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := checkIDToken("", s, "n"); !errors.As(err, new(*connect.SignInError)) {
		t.Errorf("none: %v", err)
	}
}

// TestWhoamiIsHarmless explains a token whose name tries to steer the terminal.
func TestWhoamiIsHarmless(t *testing.T) {
	c, ok := claims.Read(unsignedToken(map[string]any{"upn": "ann", "name": "\x1b[31mAnn"}))
	if !ok {
		t.Fatal("the token cannot be read")
	}
	var out bytes.Buffer
	if err := newIdentity(c, "", time.Now()).print(&out, time.Now()); err != nil || strings.ContainsRune(out.String(), '\x1b') {
		t.Errorf("%v: %q", err, out.String())
	}
}

// TestOpenBrowser starts what the variable BROWSER names.
func TestOpenBrowser(t *testing.T) {
	for command, ok := range map[string]bool{"true": true, "true --url=%s": true, "no-such-browser": false} {
		err := OpenBrowser(func(string) string { return command }, "https://example.com/?a=b&c=d")
		if (err == nil) != ok {
			t.Errorf("%s: %v", command, err)
		}
	}
}
