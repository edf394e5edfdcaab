package main

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
)

// unsignedToken is a JSON Web Token for those who only read it.
func unsignedToken3(claims map[string]any) string {
	payload, err := json.Marshal(claims)
	if err != nil {
		panic(err)
	}
	return "eyJhbGciOiJub25lIn0." + base64.RawURLEncoding.EncodeToString(payload) + ".c2ln"
}

func TestReadClaims(t *testing.T) {
	for _, token := range []string{"", "a.b", "a.b.c", "a." + base64.RawURLEncoding.EncodeToString([]byte("null")) + ".c", "a." + base64.RawURLEncoding.EncodeToString([]byte(`{"aud":{}}`)) + ".c"} {
		if claims, ok := readClaims(token); ok {
			t.Errorf("%q: %+v", token, claims)
		}
	}
	c, ok := readClaims(unsignedToken3(map[string]any{"aud": []string{"a", "b"}, "exp": 1.5e9, "wids": []string{globalAdministrator}, "upn": "ann", "name": "\x1b[31mAnn"}))
	if !ok || len(c.Audience) != 2 || unixTime(c.Expires).Year() != 2017 || strings.Join(c.roles(), " ") != "global_admin" || !c.forUser() || c.withoutMFA() {
		t.Errorf("%+v", c)
	}
}
