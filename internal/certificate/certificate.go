// Package certificate parses the certificates that apps sign in with and those of
// authorities to trust, and computes thumbprints.
package certificate

import (
	"bytes"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
)

// minBits is the weakest key that a certificate may have, as at Microsoft.
const minBits = 2048

// Parse returns the certificate in PEM text. The error continues a sentence about it,
// and quotes nothing from the text, which may be a private key by mistake.
func Parse(text string) (*x509.Certificate, error) {
	block, rest := pem.Decode([]byte(text))
	switch {
	case block == nil:
		return nil, errors.New("is not PEM text; paste the certificate from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----")
	case strings.HasSuffix(block.Type, "PRIVATE KEY"), bytes.Contains(rest, []byte("PRIVATE KEY-----")):
		return nil, errors.New("holds a private key, which is the app's alone; leave only the block CERTIFICATE")
	case block.Type != "CERTIFICATE":
		return nil, fmt.Errorf("holds a block %.40q; give the block CERTIFICATE", block.Type)
	case len(bytes.TrimSpace(rest)) > 0:
		return nil, errors.New("continues after the first certificate; give each certificate an entry of its own, without its issuers")
	}
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, errors.New("cannot be read as a certificate; export it again as PEM")
	}
	key, isRSA := c.PublicKey.(*rsa.PublicKey)
	switch {
	case !isRSA:
		return nil, fmt.Errorf("has a key of the kind %v; make a certificate with an RSA key, which client assertions are signed with", c.PublicKeyAlgorithm)
	case key.N.BitLen() < minBits:
		return nil, fmt.Errorf("has an RSA key of %d bits; make one of %d bits or more", key.N.BitLen(), minBits)
	}
	return c, nil
}

// WithSystem returns the system's certificate authorities and those in PEM text. It
// reports false if the text has none.
func WithSystem(text []byte) (*x509.CertPool, bool) {
	pool, err := x509.SystemCertPool()
	if err != nil { // the system has none
		pool = x509.NewCertPool()
	}
	return pool, pool.AppendCertsFromPEM(text)
}

// Thumbprints returns the names of a certificate: portals show the SHA-1, which
// protects nothing here, and assertions may have either.
func Thumbprints(c *x509.Certificate) (short [sha1.Size]byte, long [sha256.Size]byte) {
	return sha1.Sum(c.Raw), sha256.Sum256(c.Raw)
}
