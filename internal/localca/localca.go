// Package localca is a certificate authority for one machine. It signs TLS certificates
// for loopback names and addresses, and its own certificate says that it may not sign
// others, so that trusting it puts no other site at risk.
//
// There can be further authorities: one for a server that stands in for foreign hosts,
// and one for each other name by which clients reach this server. They may sign for these
// hosts and nothing else. They are separate, so that a client that trusts the first
// permanently does not trust anybody with those hosts.
//
// Clients check certificates against the real clock, so the times passed in here should
// be real, too, not simulated.
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
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/partnercenter-go/partnercenter/internal/ascii"
)

const (
	caYears  = 10
	leafDays = 90

	// backdate lets a client whose clock is slightly behind use a new certificate.
	backdate = time.Hour
)

// loopback are the addresses that certificates may name, in addition to localhost and
// the names below it.
var loopback = []*net.IPNet{
	{IP: net.IPv4(127, 0, 0, 0).To4(), Mask: net.CIDRMask(8, 32)},
	{IP: net.IPv6loopback, Mask: net.CIDRMask(128, 128)},
}

// everyAddress excludes all addresses from an authority for names.
var everyAddress = []*net.IPNet{
	{IP: net.IPv4zero.To4(), Mask: net.CIDRMask(0, 32)},
	{IP: net.IPv6zero, Mask: net.CIDRMask(0, 128)},
}

// CA is a certificate authority. Its methods may be called concurrently.
type CA struct {
	kind     kind
	certFile string
	cert     *x509.Certificate
	key      *ecdsa.PrivateKey

	mu     sync.Mutex // guards kept
	issued map[string]*tls.Certificate
}

// kind is what differs from authority to authority.
type kind struct {
	purpose           Purpose
	certName, keyName string   // of its files
	hosts             []string // foreign ones that it signs for; none: loopback
}

// Purpose is what an authority is for.
type Purpose string

// The purposes of authorities.
const (
	PurposeLocal        Purpose = "local"        // names and addresses of this machine
	PurposeInterception Purpose = "interception" // hosts that the server stands in for
	PurposePublic       Purpose = "public"       // another name or address of the server
)

func (k kind) title() string { return "partnercenter " + string(k.purpose) + " CA" }

// local is the authority for names and addresses of this machine.
var local = kind{purpose: PurposeLocal, certName: "ca.pem", keyName: "ca-key.pem"}

// interception is the authority for hosts that the server stands in for.
func interception(hosts []string) kind {
	return kind{purpose: PurposeInterception, certName: "interception-ca.pem", keyName: "interception-ca-key.pem", hosts: hosts}
}

// public is the authority for a name or address of the server.
func public(host string) kind {
	file := publicPrefix + strings.ReplaceAll(host, ":", "_") // which names of files may not have everywhere
	return kind{purpose: PurposePublic, certName: file + publicSuffix, keyName: file + "-ca-key.pem", hosts: []string{host}}
}

// Between them, the names of the files with public certificates have the host.
const (
	publicPrefix = "public-"
	publicSuffix = "-ca.pem"
)

// startOver ends the errors that only a new authority solves.
func (k kind) startOver() string {
	return fmt.Sprintf("remove both %s and %s to have a new authority made, and trust its new %s", k.certName, k.keyName, k.certName)
}

// Open loads the authority in dir (ca.pem and ca-key.pem), or makes one that is valid
// for ten years if there is none. If several processes do so at once, one makes it and
// all get the same.
//
// An error says what to do: if another user owns the folder or can change it, a file is
// damaged or missing, others can read the key, key and certificate do not match, or the
// certificate is not valid at now.
func Open(dir string, now time.Time) (*CA, error) { return open(dir, now, local) }

// OpenInterception loads the authority in dir that signs for hosts (interception-ca.pem
// and interception-ca-key.pem), or makes it as Open does. One that was made for other
// hosts is refused.
func OpenInterception(dir string, now time.Time, hosts ...string) (*CA, error) {
	if len(hosts) == 0 {
		return nil, errors.New("localca: no hosts; name the hosts that the authority signs for")
	}
	ca, err := open(dir, now, interception(hosts))
	if err != nil {
		return nil, err
	}
	for _, host := range hosts {
		if !slices.Contains(ca.cert.PermittedDNSDomains, host) {
			return nil, fmt.Errorf("localca: %s was made by another version, which did not know %s; %s", ca.certFile, host, ca.kind.startOver())
		}
	}
	return ca, nil
}

// OpenPublic loads the authority in dir that signs for a name or address by which clients
// reach the server (public-HOST-ca.pem and its key), or makes it as Open does. Names below
// the name are those that it may sign for, too.
func OpenPublic(dir string, now time.Time, host string) (*CA, error) {
	ip := net.ParseIP(host)
	switch {
	case ip != nil:
		host = ip.String()
	case !IsName(host):
		return nil, fmt.Errorf("localca: %q is no host name; name one, such as partnercenter.example.com", host)
	}
	return open(dir, now, public(ascii.ToLower(host)))
}

func open(dir string, now time.Time, k kind) (*CA, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("localca: %w; give the folder as an absolute path", err)
	}
	if err := openDir(dir); err != nil {
		return nil, err
	}
	certFile, keyFile := filepath.Join(dir, k.certName), filepath.Join(dir, k.keyName)

	// The key comes first. A process that finds it without a certificate makes one for
	// it, so that any certificate next to the key matches it.
	key, err := k.openKey(keyFile, certFile)
	if err != nil {
		return nil, err
	}
	cert, err := k.openCert(certFile, key, now)
	if err != nil {
		return nil, err
	}
	if !key.PublicKey.Equal(cert.PublicKey) {
		return nil, fmt.Errorf("localca: %s and %s do not match; %s", certFile, keyFile, k.startOver())
	}
	ca := &CA{kind: k, certFile: certFile, cert: cert, key: key, issued: make(map[string]*tls.Certificate)}
	if err := ca.checkTime(now); err != nil {
		return nil, err
	}
	return ca, nil
}

func (c *CA) checkTime(now time.Time) error {
	if now.After(c.cert.NotAfter) {
		return fmt.Errorf("localca: %s expired at %s; %s", c.certFile, c.cert.NotAfter.Format(time.RFC3339), c.kind.startOver())
	}
	if now.Before(c.cert.NotBefore) {
		return fmt.Errorf("localca: %s is valid from %s, but it is %s; set the clock",
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

// newCert makes the certificate, in DER, of the authority with the key.
//
// Constraints apply only to the kinds of names that they list, so the extended key
// usage is restricted, too: what the authority signs identifies TLS servers and nothing
// else.
func (k kind) newCert(key *ecdsa.PrivateKey, now time.Time) ([]byte, error) {
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return nil, fmt.Errorf("localca: encode the authority's key: %w; %s", err, k.startOver())
	}
	// Named after its key, so that trust stores distinguish several of them.
	sum := sha256.Sum256(public)
	template := &x509.Certificate{
		Subject: pkix.Name{
			Organization: []string{k.title()},
			CommonName:   k.title() + " " + hex.EncodeToString(sum[:4]),
		},
		NotBefore:                   now.Add(-backdate),
		NotAfter:                    now.AddDate(caYears, 0, 0),
		KeyUsage:                    x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		ExtKeyUsage:                 []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid:       true,
		IsCA:                        true,
		MaxPathLenZero:              true,
		PermittedDNSDomainsCritical: true,
	}
	ip := net.ParseIP(strings.Join(k.hosts, ""))
	switch {
	case len(k.hosts) == 0:
		template.PermittedDNSDomains = []string{"localhost"}
		template.PermittedIPRanges = loopback
	case ip != nil:
		// All names, but for one that stands for nobody else, are excluded.
		template.PermittedDNSDomains = []string{"localhost"}
		template.PermittedIPRanges = []*net.IPNet{only(ip)}
	default:
		// A permitted name includes those below it.
		template.PermittedDNSDomains = k.hosts
		template.ExcludedIPRanges = everyAddress
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, fmt.Errorf("localca: make the authority's certificate: %w; %s", err, k.startOver())
	}
	return der, nil
}

// only is the range that has one address.
func only(ip net.IP) *net.IPNet {
	if four := ip.To4(); four != nil {
		ip = four
	}
	return &net.IPNet{IP: ip, Mask: net.CIDRMask(8*len(ip), 8*len(ip))}
}

// Certificate returns a certificate for a TLS server at hosts as Issue does, and caches
// it until a third of its validity is left. It is for servers that run longer than a
// certificate is valid.
func (c *CA) Certificate(now time.Time, hosts ...string) (*tls.Certificate, error) {
	name := strings.Join(hosts, " ")
	c.mu.Lock()
	defer c.mu.Unlock()
	if cert := c.issued[name]; cert != nil && now.Before(cert.Leaf.NotAfter.Add(-leafDays*24*time.Hour/3)) {
		return cert, nil
	}
	cert, err := c.Issue(now, hosts...)
	if err != nil {
		return nil, err
	}
	c.issued[name] = &cert
	return &cert, nil
}

// Issue makes a key and a certificate for a TLS server at hosts, which are names and IP
// addresses. It is valid for 90 days, or as long as the authority if that is less.
// Hosts that the authority is not for are refused: no client would accept them.
func (c *CA) Issue(now time.Time, hosts ...string) (tls.Certificate, error) {
	if err := c.checkTime(now); err != nil {
		return tls.Certificate{}, err
	}
	if len(hosts) == 0 {
		return tls.Certificate{}, errors.New("localca: no host for the certificate; name one, such as localhost")
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
		switch {
		case len(c.kind.hosts) > 0 && !slices.Contains(c.kind.hosts, ascii.ToLower(host)):
			return tls.Certificate{}, fmt.Errorf("localca: cannot sign for %q, which %s is not for; use one of %s", host, c.certFile, strings.Join(c.kind.hosts, ", "))
		case len(c.kind.hosts) == 0 && !IsLocal(host):
			return tls.Certificate{}, fmt.Errorf("localca: cannot sign for %q, which is not this machine; use localhost, a name that ends in .localhost, 127.0.0.1 or ::1", host)
		}
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, ascii.ToLower(host))
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

// IsLocal reports whether a host is this machine, so that the authority of Open signs for
// it: a loopback address, localhost, or a host name below it.
func IsLocal(host string) bool {
	name := ascii.ToLower(host)
	return net.ParseIP(host).IsLoopback() || IsName(host) && (name == "localhost" || strings.HasSuffix(name, ".localhost"))
}

// IsName reports whether a text is a host name.
func IsName(name string) bool {
	if len(name) > 253 {
		return false
	}
	const digits = "0123456789"
	last := ""
	for label := range strings.SplitSeq(ascii.ToLower(name), ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' ||
			strings.Trim(label, "abcdefghijklmnopqrstuvwxyz-"+digits) != "" {
			return false
		}
		last = label
	}
	return strings.Trim(last, digits) != "" // otherwise an address is meant
}

// CertFile returns the absolute path of the authority's certificate, which clients must
// trust.
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
