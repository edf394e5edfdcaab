package connect

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
)

// appCertificate is what an app shows in place of a secret.
type appCertificate struct {
	chain []*x509.Certificate // the app's own is among them
	key   crypto.PrivateKey
}

// maxCertificate is far beyond a certificate with its chain and key.
const maxCertificate = 1 << 20

// readAppCertificate reads a PEM or PFX file. Errors do not quote it.
func readAppCertificate(path, password string) (*appCertificate, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, terminal.Settingsf("the client certificate cannot be read: %v", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxCertificate))
	if err != nil {
		return nil, terminal.Settingsf("the client certificate cannot be read: %v", err)
	}
	c := new(appCertificate)
	if isPEM := bytes.Contains(data, []byte("-----BEGIN ")); isPEM {
		if c.chain, c.key, err = azidentity.ParseCertificates(data, nil); err != nil {
			return nil, terminal.Settingsf("%s holds no certificate to sign in with (%v): it takes the certificate and its RSA key in one file, the key unencrypted", path, err)
		}
		return c, nil
	}
	if c.chain, c.key, err = azidentity.ParseCertificates(data, []byte(password)); err != nil {
		return nil, terminal.Settingsf("%s is no PFX file that can be read (%v): check the password, in PARTNERCENTER_CLIENT_CERTIFICATE_PASSWORD; files of newer tools want to be made PEM, with: openssl pkcs12 -in %[1]s -out app.pem -noenc", path, err)
	}
	return c, nil
}

// own is the certificate that belongs to the key.
func (c *appCertificate) own() *x509.Certificate {
	if signer, ok := c.key.(crypto.Signer); ok {
		for _, cert := range c.chain {
			if public, ok := cert.PublicKey.(interface{ Equal(crypto.PublicKey) bool }); ok && public.Equal(signer.Public()) {
				return cert
			}
		}
	}
	return c.chain[0]
}

// checkTime refuses a certificate that no authority takes any more, or yet.
func (c *appCertificate) checkTime(path string, now time.Time) error {
	switch cert := c.own(); {
	case now.After(cert.NotAfter):
		return &SignInError{
			Text: fmt.Sprintf("the client certificate in %s expired on %s", path, cert.NotAfter.UTC().Format(time.RFC3339)),
			Next: "Make a new one and upload it to the app registration.",
		}
	case now.Before(cert.NotBefore):
		return &SignInError{
			Text: fmt.Sprintf("the client certificate in %s is not valid before %s", path, cert.NotBefore.UTC().Format(time.RFC3339)),
			Next: "Check this machine's clock, or use another certificate until then.",
		}
	}
	return nil
}
