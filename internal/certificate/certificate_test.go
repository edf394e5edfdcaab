package certificate

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"
)

// certificateOf returns a certificate of the key, in PEM.
func certificateOf(t testing.TB, key crypto.Signer) string {
	t.Helper()
	now := time.Date(2024, 5, 1, 12, 0, 0, 0, time.UTC)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "billing sync"},
		NotBefore: now, NotAfter: now.AddDate(1, 0, 0),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return pemBlock("CERTIFICATE", der)
}

func pemBlock(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func rsaKey(t testing.TB, bits int) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func ecKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestParse(t *testing.T) {
	good := certificateOf(t, rsaKey(t, 2048))
	if c, err := Parse("subject=CN = billing sync\n" + good); err != nil || c.Subject.CommonName != "billing sync" {
		t.Errorf("certificate %v, %v", c, err)
	}
	key, err := x509.MarshalPKCS8PrivateKey(ecKey(t))
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct{ text, want string }{
		"no PEM":         {"MIIC", "is not PEM text; paste the certificate from -----BEGIN CERTIFICATE-----"},
		"cut off":        {good[:200], "is not PEM text"},
		"a key":          {pemBlock("PRIVATE KEY", key), "holds a private key, which is the app's alone; leave only the block CERTIFICATE"},
		"a key before":   {pemBlock("RSA PRIVATE KEY", key) + good, "holds a private key"},
		"a key after":    {good + pemBlock("PRIVATE KEY", key), "holds a private key"},
		"a request":      {pemBlock("CERTIFICATE REQUEST", key), `holds a block "CERTIFICATE REQUEST"; give the block CERTIFICATE`},
		"a chain":        {good + good, "continues after the first certificate"},
		"no certificate": {pemBlock("CERTIFICATE", key), "cannot be read as a certificate"},
		"another kind":   {certificateOf(t, ecKey(t)), "has a key of the kind ECDSA; make a certificate with an RSA key"},
		"a short key":    {certificateOf(t, rsaKey(t, 1024)), "has an RSA key of 1024 bits; make one of 2048 bits or more"},
	} {
		if c, err := Parse(tt.text); c != nil || err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error is %v, want …%s…", name, err, tt.want)
		}
	}
}
