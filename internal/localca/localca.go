// Package localca is a certificate authority for one machine. It signs TLS
// certificates for loopback names and addresses, and its own certificate says
// that it may sign no others, so that trusting it puts no other site at risk.
//
// Certificates are checked against the real clock by whoever connects; the
// times passed in here should come from it too, not from a simulated one.
package localca

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"time"
)

const (
	caYears  = 10
	leafDays = 90

	// backdate lets a client whose clock is a little behind use a certificate
	// that was made just now.
	backdate = time.Hour
)

// loopback are the addresses that certificates may name, besides localhost and
// the names under it.
var loopback = []*net.IPNet{
	{IP: net.IPv4(127, 0, 0, 0).To4(), Mask: net.CIDRMask(8, 32)},
	{IP: net.IPv6loopback, Mask: net.CIDRMask(128, 128)},
}

// CA is a certificate authority. Its methods may be called concurrently.
type CA struct {
	certFile string
	cert     *x509.Certificate
	key      *ecdsa.PrivateKey
}

// Open loads the authority in dir (ca.pem and ca-key.pem), or makes one that
// lasts ten years if there is none. Of several processes that do so at once,
// one makes it and all get the same.
//
// An error says what to do: when a file is damaged or missing, when others may
// read the key, when key and certificate do not belong together, and when the
// certificate is not valid at now.
func Open(dir string, now time.Time) (*CA, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("localca: %w; give the folder as an absolute path", err)
	}
	if err := makeDir(dir); err != nil {
		return nil, err
	}
	certFile, keyFile := filepath.Join(dir, "ca.pem"), filepath.Join(dir, "ca-key.pem")

	// The key comes first. Whoever then finds it without a certificate makes one
	// for it, so that whichever certificate ends up beside the key fits it.
	key, err := openKey(keyFile, certFile)
	if err != nil {
		return nil, err
	}
	cert, err := openCert(certFile, key, now)
	if err != nil {
		return nil, err
	}
	if !key.PublicKey.Equal(cert.PublicKey) {
		return nil, fmt.Errorf("localca: %s and %s do not belong together; %s", certFile, keyFile, startOver)
	}
	ca := &CA{certFile: certFile, cert: cert, key: key}
	if err := ca.checkTime(now); err != nil {
		return nil, err
	}
	return ca, nil
}

func (c *CA) checkTime(now time.Time) error {
	if now.After(c.cert.NotAfter) {
		return fmt.Errorf("localca: %s expired at %s; %s", c.certFile, c.cert.NotAfter.Format(time.RFC3339), startOver)
	}
	if now.Before(c.cert.NotBefore) {
		return fmt.Errorf("localca: %s is valid from %s on, but it is %s; set the clock right",
			c.certFile, c.cert.NotBefore.Format(time.RFC3339), now.UTC().Format(time.RFC3339))
	}
	return nil
}

// newKey makes a private key.
func newKey() (*ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("localca: make a key: %w", err)
	}
	return key, nil
}

// newCert makes the certificate, in DER, of the authority that key is for.
//
// The constraint "localhost" covers the names under it as well. Constraints
// bind only the kinds of names that they list, so the extended key usage is
// restricted too: what the authority signs identifies TLS servers and nothing
// else.
func newCert(key *ecdsa.PrivateKey, now time.Time) ([]byte, error) {
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return nil, fmt.Errorf("localca: encode the authority's key: %w; %s", err, startOver)
	}
	// Named for its key, so that trust stores tell several of them apart.
	sum := sha256.Sum256(public)
	template := &x509.Certificate{
		Subject: pkix.Name{
			Organization: []string{"partnercenter local CA"},
			CommonName:   "partnercenter local CA " + hex.EncodeToString(sum[:4]),
		},
		NotBefore:                   now.Add(-backdate),
		NotAfter:                    now.AddDate(caYears, 0, 0),
		KeyUsage:                    x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		ExtKeyUsage:                 []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid:       true,
		IsCA:                        true,
		MaxPathLenZero:              true,
		PermittedDNSDomainsCritical: true,
		PermittedDNSDomains:         []string{"localhost"},
		PermittedIPRanges:           loopback,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, fmt.Errorf("localca: make the authority's certificate: %w; %s", err, startOver)
	}
	return der, nil
}

// Issue makes a key and a certificate for a TLS server at hosts, which are
// names and IP addresses. It lasts 90 days, or as long as the authority does if
// that is less. Hosts other than localhost, names under it and loopback
// addresses are refused: no client would accept them from this authority.
func (c *CA) Issue(now time.Time, hosts ...string) (tls.Certificate, error) {
	if err := c.checkTime(now); err != nil {
		return tls.Certificate{}, err
	}
	if len(hosts) == 0 {
		return tls.Certificate{}, errors.New("localca: a certificate for no host; name one, such as localhost")
	}
	template := &x509.Certificate{
		Subject:     pkix.Name{CommonName: hosts[0]},
		NotBefore:   now.Add(-backdate),
		NotAfter:    now.AddDate(0, 0, leafDays),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if template.NotAfter.After(c.cert.NotAfter) {
		template.NotAfter = c.cert.NotAfter
	}
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip != nil && isLoopback(ip) {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else if isLocalName(host) {
			template.DNSNames = append(template.DNSNames, strings.ToLower(host))
		} else {
			return tls.Certificate{}, fmt.Errorf("localca: cannot sign for %q, which is not this machine; use localhost, a name that ends in .localhost, 127.0.0.1 or ::1", host)
		}
	}
	key, err := newKey()
	if err != nil {
		return tls.Certificate{}, err
	}
	der, err := x509.CreateCertificate(rand.Reader, template, c.cert, &key.PublicKey, c.key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("localca: sign for %s: %w", strings.Join(hosts, ", "), err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("localca: read back what was signed for %s: %w", strings.Join(hosts, ", "), err)
	}
	return tls.Certificate{Certificate: [][]byte{der, c.cert.Raw}, PrivateKey: key, Leaf: leaf}, nil
}

func isLoopback(ip net.IP) bool {
	for _, block := range loopback {
		if block.Contains(ip) {
			return true
		}
	}
	return false
}

// isLocalName reports whether name is localhost or a proper host name under it.
func isLocalName(name string) bool {
	if len(name) > 253 {
		return false
	}
	labels := strings.Split(strings.ToLower(name), ".")
	for _, label := range labels {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' ||
			strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			return false
		}
	}
	return labels[len(labels)-1] == "localhost"
}

// CertFile returns the absolute path of the authority's certificate: what
// clients are told to trust.
func (c *CA) CertFile() string { return c.certFile }

// CertPEM returns the authority's certificate.
func (c *CA) CertPEM() []byte { return encodePEM(certBlock, c.cert.Raw) }

// Pool returns a new pool that trusts this authority only.
func (c *CA) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(c.cert)
	return pool
}

func encodePEM(blockType string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: blockType, Bytes: der})
}
