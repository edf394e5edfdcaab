package localca

import (
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"slices"
	"strings"
	"testing"
)

func mustOpenPublic(t *testing.T, dir, host string) *CA {
	t.Helper()
	ca, err := OpenPublic(dir, now, host)
	if err != nil {
		t.Fatal(err)
	}
	return ca
}

// The authority of each name of the server signs for that name only, whoever has its key.
func TestPublic(t *testing.T) {
	dir := ownDir(t)
	local := mustOpen(t, dir)
	for _, host := range []string{"pc.test", "192.0.2.7", "2001:db8::7", "partnercenter"} {
		ca := mustOpenPublic(t, dir, host)
		if again := mustOpenPublic(t, dir, strings.ToUpper(host)); !again.cert.Equal(ca.cert) {
			t.Errorf("%s: another authority the second time", host)
		}
		cert, err := ca.Issue(now, host)
		if err != nil {
			t.Fatal(err)
		}
		check := func(cert *x509.Certificate, host string, by *CA) error {
			_, err := cert.Verify(x509.VerifyOptions{DNSName: host, Roots: by.Pool(), CurrentTime: now})
			return err
		}
		if err := check(cert.Leaf, host, ca); err != nil {
			t.Errorf("%s: %v", host, err)
		}
		if check(cert.Leaf, host, local) == nil {
			t.Errorf("%s: accepted from the authority of this machine", host)
		}
		if _, err := ca.Issue(now, "example.com"); err == nil || !strings.Contains(err.Error(), "use one of "+host) {
			t.Errorf("%s: for another: %v", host, err)
		}
		for _, other := range []string{"example.com", "evilpc.test", "test", "192.0.2.8", "127.0.0.1", "2001:db8::8", "::1", "*.test"} {
			template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "forged"}, NotBefore: now, NotAfter: now.AddDate(0, 1, 0), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
			asked := other
			if ip := net.ParseIP(other); ip != nil {
				template.IPAddresses = []net.IP{ip}
			} else {
				template.DNSNames = []string{other}
				asked = strings.Replace(other, "*", "www", 1)
			}
			der, err := x509.CreateCertificate(rand.Reader, template, ca.cert, &ca.key.PublicKey, ca.key)
			if err != nil {
				t.Fatal(err)
			}
			forged, err := x509.ParseCertificate(der)
			if err != nil {
				t.Fatal(err)
			}
			if check(forged, asked, ca) == nil {
				t.Errorf("the authority of %s signs for %s", host, other)
			}
		}
	}

	found, err := Find(dir)
	if err != nil || len(found) != 5 || found[0].Purpose != PurposeLocal {
		t.Fatalf("found %+v, %v", found, err)
	}
	for _, f := range found[1:] {
		if f.Purpose != PurposePublic {
			t.Errorf("%s is %s", f.File, f.Purpose)
		}
	}
	if !slices.ContainsFunc(found, func(f Info) bool { return slices.Equal(f.Names, []string{"pc.test"}) }) {
		t.Errorf("found %+v", found)
	}

	for _, host := range []string{"", "*.pc.test", "pc.test.", "../pc", "a/b", "pc test", "-pc.test", "pc..test", "fe80::1%eth0", "bücher.test", "256.0.0.1", strings.Repeat("a.", 130) + "a"} {
		if _, err := OpenPublic(dir, now, host); err == nil || !strings.Contains(err.Error(), "name one, such as") {
			t.Errorf("%q: %v", host, err)
		}
	}
}
