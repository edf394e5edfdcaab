package claims

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
)

// unsignedToken is a JSON Web Token for those who only read it.
func unsignedToken(claims map[string]any) string {
	payload, err := json.Marshal(claims)
	if err != nil {
		panic(err)
	}
	return "eyJhbGciOiJub25lIn0." + base64.RawURLEncoding.EncodeToString(payload) + ".c2ln"
}

func TestRead(t *testing.T) {
	for _, token := range []string{"", "a.b", "a.b.c", "a." + base64.RawURLEncoding.EncodeToString([]byte("null")) + ".c", "a." + base64.RawURLEncoding.EncodeToString([]byte(`{"aud":{}}`)) + ".c"} {
		if claims, ok := Read(token); ok {
			t.Errorf("%q: %+v", token, claims)
		}
	}
	c, ok := Read(unsignedToken(map[string]any{"aud": []string{"a", "b"}, "exp": 1.5e9, "wids": []string{GlobalAdministrator}, "upn": "ann", "name": "\x1b[31mAnn"}))
	if !ok || len(c.Audience) != 2 || Time(c.Expires).Year() != 2017 || strings.Join(c.AllRoles(), " ") != "global_admin" || !c.ForUser() || c.WithoutMFA() {
		t.Errorf("%+v", c)
	}
}
