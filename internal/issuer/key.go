package issuer

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/partnercenter-go/partnercenter/internal/token"
)

// Key is an RS256 signing key. It must not be modified once an [Authority] has it.
type Key struct {
	ID      string // the kid of tokens and of the published key set
	Private *rsa.PrivateKey
	Created time.Time
}

// GenerateKey makes a signing key. Its id is the RFC 7638 thumbprint of the public key.
func GenerateKey(now time.Time) (*Key, error) {
	private, err := rsa.GenerateKey(rand.Reader, token.KeyBits)
	if err != nil {
		return nil, fmt.Errorf("issuer: make a signing key: %w", err)
	}
	thumbprint, err := (&jose.JSONWebKey{Key: &private.PublicKey}).Thumbprint(crypto.SHA256)
	if err != nil {
		return nil, fmt.Errorf("issuer: name a signing key: %w", err)
	}
	return &Key{ID: base64.RawURLEncoding.EncodeToString(thumbprint), Private: private, Created: now}, nil
}

// ParseKey decodes the result of [Key.PEM]. The error never quotes pemBytes.
func ParseKey(id string, pemBytes []byte, created time.Time) (*Key, error) {
	if id == "" {
		return nil, errors.New("issuer: signing key without an id: give its original id")
	}
	block, _ := pem.Decode(pemBytes)
	if block == nil || block.Type != "PRIVATE KEY" {
		return nil, fmt.Errorf("issuer: signing key %s: not a PEM block of type PRIVATE KEY (PKCS#8): restore it or make a new key", id)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("issuer: signing key %s: not a PKCS#8 key: restore it or make a new key", id)
	}
	private, ok := parsed.(*rsa.PrivateKey)
	if !ok || private.N.BitLen() < token.KeyBits {
		return nil, fmt.Errorf("issuer: signing key %s: not an RSA key of at least %d bits: restore it or make a new key", id, token.KeyBits)
	}
	return &Key{ID: id, Private: private, Created: created}, nil
}

// PEM returns the private key as a PKCS#8 PEM block. It is secret.
func (k *Key) PEM() ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(k.Private)
	if err != nil {
		return nil, fmt.Errorf("issuer: encode signing key %s: %w", k.ID, err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}
