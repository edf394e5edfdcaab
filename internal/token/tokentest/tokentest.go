// Package tokentest forges access tokens for tests of their checkers.
//
// Only tests import this package.
package tokentest

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
)

// Encode returns a part of a token: value as JSON in base64url.
func Encode(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

// Forge makes a token signed with RS256, whatever its header says.
func Forge(header, payload any, key *rsa.PrivateKey) string {
	input := Encode(header) + "." + Encode(payload)
	sum := sha256.Sum256([]byte(input))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		panic(err)
	}
	return input + "." + base64.RawURLEncoding.EncodeToString(signature)
}

// With returns a copy of m with a key set, or removed if value is nil.
func With(m map[string]any, name string, value any) map[string]any {
	m = maps.Clone(m)
	m[name] = value
	if value == nil {
		delete(m, name)
	}
	return m
}
