package localca

import (
	"bytes"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

var foreign = []string{"login.example.com", "api.example.net"}

func mustIntercept(t *testing.T, dir string) *CA {
	t.Helper()
	ca, err := OpenInterception(dir, now, foreign...)
	if err != nil {
		t.Fatal(err)
	}
	return ca
}

func TestInterceptionStandsBesideTheFirst(t *testing.T) {
	dir := ownDir(t)
	first, second := mustOpen(t, dir), mustIntercept(t, dir)
	if first.cert.Equal(second.cert) || first.key.Equal(second.key) || first.CertFile() == second.CertFile() {
		t.Fatal("the two authorities are one")
	}
	if again := mustIntercept(t, dir); !again.cert.Equal(second.cert) || !again.key.Equal(second.key) {
		t.Error("a second OpenInterception gave another authority")
	}
	if runtime.GOOS != "windows" {
		if info, err := os.Stat(filepath.Join(dir, "interception-ca-key.pem")); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("key: %v, %v, want mode 0600", info, err)
		}
	}

	cert, err := second.Issue(now, "LOGIN.example.com", "api.example.net")
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range foreign {
		if _, err := cert.Leaf.Verify(x509.VerifyOptions{DNSName: host, Roots: second.Pool(), CurrentTime: now}); err != nil {
			t.Errorf("%s: %v", host, err)
		}
		// Trusting the first authority does not mean trusting the server with these
		// hosts.
		if _, err := cert.Leaf.Verify(x509.VerifyOptions{DNSName: host, Roots: first.Pool(), CurrentTime: now}); err == nil {
			t.Errorf("%s: accepted from the authority of this machine", host)
		}
	}
	for _, host := range []string{"localhost", "127.0.0.1", "example.com", "x.login.example.com", "*.example.com", ""} {
		if _, err := second.Issue(now, host); err == nil || !strings.Contains(err.Error(), "use one of login.example.com") {
			t.Errorf("Issue(%q) = %v", host, err)
		}
	}
}

// Whoever has the key can sign more than Issue would; clients must refuse it.
func TestInterceptionIsConstrained(t *testing.T) {
	ca := mustIntercept(t, ownDir(t))
	if c := ca.cert; !c.PermittedDNSDomainsCritical || !slices.Equal(c.PermittedDNSDomains, foreign) || !c.MaxPathLenZero {
		t.Errorf("constraints: critical %v, %v", c.PermittedDNSDomainsCritical, c.PermittedDNSDomains)
	}
	for name, template := range map[string]*x509.Certificate{
		"another name":           {DNSNames: []string{"example.com"}},
		"another name beside":    {DNSNames: []string{"login.example.com", "www.example.org"}},
		"name that ends alike":   {DNSNames: []string{"evillogin.example.com"}},
		"localhost":              {DNSNames: []string{"localhost"}},
		"wildcard":               {DNSNames: []string{"*.example.com"}},
		"address":                {IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}},
		"address of the outside": {IPAddresses: []net.IP{net.ParseIP("2001:db8::1")}},
	} {
		template.SerialNumber = big.NewInt(1)
		template.Subject = pkix.Name{CommonName: "test"}
		template.NotBefore, template.NotAfter = now, now.Add(time.Hour)
		der, err := x509.CreateCertificate(rand.Reader, template, ca.cert, &ca.key.PublicKey, ca.key)
		if err != nil {
			t.Fatal(err)
		}
		leaf, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := leaf.Verify(x509.VerifyOptions{Roots: ca.Pool(), CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestInterceptionForOtherHosts(t *testing.T) {
	dir := ownDir(t)
	mustIntercept(t, dir)
	_, err := OpenInterception(dir, now, append([]string{"new.example.com"}, foreign...)...)
	if err == nil || !strings.Contains(err.Error(), "did not know new.example.com; remove both interception-ca.pem and interception-ca-key.pem") {
		t.Errorf("an authority for fewer hosts: %v", err)
	}
	// For fewer hosts than it could sign for, it is good.
	if _, err := OpenInterception(dir, now, foreign[0]); err != nil {
		t.Error(err)
	}
	if _, err := OpenInterception(dir, now); err == nil {
		t.Error("an authority for no host")
	}
}

func TestCertificateIsKeptAndRenewed(t *testing.T) {
	ca := mustOpen(t, ownDir(t))
	get := func(at time.Time, hosts ...string) string {
		t.Helper()
		cert, err := ca.Certificate(at, hosts...)
		if err != nil {
			t.Fatal(err)
		}
		return cert.Leaf.SerialNumber.String()
	}
	first := get(now, "localhost")
	if get(now.AddDate(0, 0, 59), "localhost") != first {
		t.Error("made anew while two thirds of its life were not over")
	}
	if get(now, "a.localhost") == first {
		t.Error("one certificate for two names")
	}
	renewed := get(now.AddDate(0, 0, 61), "localhost")
	if renewed == first || get(now.AddDate(0, 0, 61), "localhost") != renewed {
		t.Error("not renewed once when a third of its life was left")
	}
	if _, err := ca.Certificate(now, "example.com"); err == nil {
		t.Error("signed for a foreign host")
	}
}

func TestFolderOfOthers(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("owner and mode do not show access on Windows")
	}
	dir := ownDir(t)
	if err := os.Chmod(dir, 0o770); err != nil { //nolint:gosec // that is the point
		t.Fatal(err)
	}
	for name, do := range map[string]func() error{
		"Open": func() error { _, err := Open(dir, now); return err },
		"Find": func() error { _, err := Find(dir); return err },
	} {
		if err := do(); err == nil || !strings.Contains(err.Error(), "chmod go-w "+dir) {
			t.Errorf("%s in a folder that the group can change: %v", name, err)
		}
	}
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() != 0 {
		return // only root can give a folder away
	}
	if err := os.Chown(dir, 12345, -1); err != nil {
		t.Fatal(err)
	}
	for name, do := range map[string]func() error{
		"Open": func() error { _, err := Open(dir, now); return err },
		"Find": func() error { _, err := Find(dir); return err },
	} {
		if err := do(); err == nil || !strings.Contains(err.Error(), "belongs to another user (uid 12345") || !strings.Contains(err.Error(), "chown 0 "+dir) {
			t.Errorf("%s in another user's folder: %v", name, err)
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Errorf("left in another user's folder: %v, %v", entries, err)
	}

	// A key of somebody else's in a folder of one's own.
	own := ownDir(t)
	mustOpen(t, own)
	if err := os.Chown(filepath.Join(own, "ca-key.pem"), 12345, -1); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(own, now); err == nil || !strings.Contains(err.Error(), "ca-key.pem belongs to another user") {
		t.Errorf("key of another user: %v", err)
	}
}

func TestFind(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "ca")
	find := func() []Info {
		t.Helper()
		found, err := Find(dir)
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	if found := find(); len(found) != 0 {
		t.Errorf("found %v where nothing is", found)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("Find made the folder")
	}
	first := mustOpen(t, dir)
	if found := find(); len(found) != 1 || found[0].File != first.CertFile() || found[0].Purpose != PurposeLocal ||
		!slices.Equal(found[0].Names, []string{"localhost", "127.0.0.0/8", "::1/128"}) ||
		len(found[0].Fingerprint) != 95 || !found[0].NotAfter.Equal(now.AddDate(10, 0, 0)) {
		t.Errorf("found %+v", found)
	}
	mustIntercept(t, dir)
	if found := find(); len(found) != 2 || found[1].Purpose != PurposeInterception || !slices.Equal(found[1].Names, foreign) {
		t.Errorf("found %+v", found)
	}
	if err := os.WriteFile(first.CertFile(), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Find(dir); err == nil || !strings.Contains(err.Error(), "remove both ca.pem and ca-key.pem") {
		t.Errorf("a damaged certificate: %v", err)
	}
}

func TestWriteBundle(t *testing.T) {
	dir := ownDir(t)
	first, second := mustOpen(t, dir), mustIntercept(t, dir)
	// A second time, as at a second start, and over an older one.
	for _, damage := range []string{"", "", "x"} {
		if damage != "" {
			if err := os.WriteFile(filepath.Join(dir, BundleFile), []byte(damage), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		file, err := WriteBundle(first, second)
		if err != nil {
			t.Fatal(err)
		}
		content, err := os.ReadFile(file)
		if err != nil || !bytes.Equal(content, append(first.CertPEM(), second.CertPEM()...)) {
			t.Errorf("bundle %s, %v", content, err)
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 5 {
		t.Errorf("folder holds %v, %v, want five files", entries, err)
	}
}
