package connect

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"fmt"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
	"github.com/partnercenter-go/partnercenter/internal/textfile"
)

// appCertificate is a certificate that an app uses instead of a secret.
type appCertificate struct {
	chain []*x509.Certificate // including the app's own
	key   crypto.PrivateKey
}

// readAppCertificate reads a PEM or PFX file. Errors do not contain its content.
func readAppCertificate(path, password string) (*appCertificate, error) {
	data, err := textfile.ReadText(path)
	if err != nil {
		return nil, terminal.Settingsf("the client certificate cannot be read: %v", err)
	}
	c := new(appCertificate)
	if isPEM := bytes.Contains(data, []byte("-----BEGIN ")); isPEM {
		if c.chain, c.key, err = azidentity.ParseCertificates(data, nil); err != nil {
			return nil, terminal.Settingsf("%s does not contain a certificate to sign in with (%v): it needs the certificate and its unencrypted RSA key in one file", path, err)
		}
		return c, nil
	}
	if c.chain, c.key, err = azidentity.ParseCertificates(data, []byte(password)); err != nil {
		return nil, terminal.Settingsf("%s cannot be read as a PFX file (%v): check the password, in PARTNERCENTER_CLIENT_CERTIFICATE_PASSWORD; convert files of newer tools to PEM with: openssl pkcs12 -in %s -out app.pem -noenc", path, err, terminal.ShellQuote(path))
	}
	return c, nil
}

// own returns the certificate that belongs to the key.
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

// checkTime fails if the certificate has expired or is not valid yet.
func (c *appCertificate) checkTime(path string, now time.Time) error {
	switch cert := c.own(); {
	case now.After(cert.NotAfter):
		return &SignInError{
			Text: fmt.Sprintf("the client certificate in %s expired on %s", path, cert.NotAfter.UTC().Format(time.RFC3339)),
			Next: "Create a new one and upload it to the app registration.",
		}
	case now.Before(cert.NotBefore):
		return &SignInError{
			Text: fmt.Sprintf("the client certificate in %s is not valid before %s", path, cert.NotBefore.UTC().Format(time.RFC3339)),
			Next: "Check this machine's clock, or use another certificate until then.",
		}
	}
	return nil
}
