package localca

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

var now = time.Date(2026, 1, 2, 15, 4, 5, 0, time.UTC)

// ownDir returns a new folder that only this user can change: t.TempDir's is the
// group's as well, where new files are by default.
func ownDir(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "ca")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}

func mustOpen(t *testing.T, dir string) *CA {
	t.Helper()
	ca, err := Open(dir, now)
	if err != nil {
		t.Fatal(err)
	}
	return ca
}

func TestOpenMakesAnAuthority(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "ca")
	ca := mustOpen(t, dir)
	if want := filepath.Join(dir, "ca.pem"); ca.CertFile() != want {
		t.Errorf("CertFile() = %s, want %s", ca.CertFile(), want)
	}
	if runtime.GOOS != "windows" {
		for file, want := range map[string]os.FileMode{dir: 0o700, filepath.Join(dir, "ca-key.pem"): 0o600, ca.CertFile(): 0o644} {
			if info, err := os.Stat(file); err != nil || info.Mode().Perm() != want {
				t.Errorf("%s: mode %v, error %v, want %v", file, info.Mode().Perm(), err, want)
			}
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 2 {
		t.Errorf("folder holds %v, %v, want two files", entries, err)
	}

	c := ca.cert
	switch {
	case !c.IsCA || c.MaxPathLen != 0 || !c.MaxPathLenZero:
		t.Error("not an authority that signs leaves only")
	case !c.PermittedDNSDomainsCritical || len(c.PermittedDNSDomains) != 1 || len(c.PermittedIPRanges) != 2:
		t.Errorf("constraints: critical %v, %v, %v", c.PermittedDNSDomainsCritical, c.PermittedDNSDomains, c.PermittedIPRanges)
	case !c.NotAfter.Equal(now.AddDate(10, 0, 0)):
		t.Errorf("valid until %v, want ten years", c.NotAfter)
	case c.PublicKey.(*ecdsa.PublicKey).Curve != elliptic.P256():
		t.Error("not a P-256 key")
	}
}

func TestOpenLoadsWhatItMade(t *testing.T) {
	dir := ownDir(t)
	first := mustOpen(t, dir)
	content, err := os.ReadFile(first.CertFile())
	if err != nil || !bytes.Equal(content, first.CertPEM()) {
		t.Errorf("CertPEM differs from the file (%v)", err)
	}
	if again := mustOpen(t, dir); !again.cert.Equal(first.cert) || !again.key.Equal(first.key) {
		t.Error("a second Open gave another authority")
	}
	// A process that died halfway leaves the key alone.
	if err := os.Remove(first.CertFile()); err != nil {
		t.Fatal(err)
	}
	if healed := mustOpen(t, dir); !healed.key.Equal(first.key) {
		t.Error("Open made a new key although one was there")
	}
}

// Goroutines stand for processes: Open shares nothing between calls but the folder.
func TestOpenAtOnce(t *testing.T) {
	for range 20 {
		dir := ownDir(t)
		start := make(chan struct{})
		var authorities [8]*CA
		var wg sync.WaitGroup
		for i := range authorities {
			wg.Go(func() {
				<-start
				ca, err := Open(dir, now)
				if err != nil {
					t.Error(err)
				}
				authorities[i] = ca
			})
		}
		close(start)
		wg.Wait()
		if t.Failed() {
			return
		}
		for _, ca := range authorities[1:] {
			if !ca.cert.Equal(authorities[0].cert) || !ca.key.Equal(authorities[0].key) {
				t.Fatal("two callers have different authorities")
			}
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	write := func(name string, content []byte) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	remove := func(name string) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			if err := os.Remove(filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	other := mustOpen(t, ownDir(t))
	otherKey, err := os.ReadFile(filepath.Join(filepath.Dir(other.CertFile()), "ca-key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := other.Issue(now, "localhost")
	if err != nil {
		t.Fatal(err)
	}
	const afresh = "remove both ca.pem and ca-key.pem"
	for _, test := range []struct {
		name   string
		damage func(*testing.T, string)
		now    time.Time
		want   []string
	}{
		{"key readable by others", func(t *testing.T, dir string) {
			if runtime.GOOS == "windows" {
				t.Skip("modes do not show access on Windows")
			}
			if err := os.Chmod(filepath.Join(dir, "ca-key.pem"), 0o640); err != nil {
				t.Fatal(err)
			}
		}, now, []string{"0640", "chmod 600"}},
		{"key of another authority", write("ca-key.pem", otherKey), now, []string{"do not match", afresh}},
		{"certificate of another authority", write("ca.pem", other.CertPEM()), now, []string{"do not match", afresh}},
		{"key missing", remove("ca-key.pem"), now, []string{"ca-key.pem is missing", afresh}},
		{"key not PEM", write("ca-key.pem", []byte("SECRETSECRET")), now, []string{"PRIVATE KEY", afresh}},
		{"key not PKCS#8", write("ca-key.pem", encodePEM(keyBlock, []byte("x"))), now, []string{"PKCS#8", afresh}},
		{"certificate not PEM", write("ca.pem", []byte("x")), now, []string{"CERTIFICATE", afresh}},
		{"certificate empty", write("ca.pem", nil), now, []string{"CERTIFICATE", afresh}},
		{"certificate garbled", write("ca.pem", encodePEM(certBlock, []byte("x"))), now, []string{"cannot be read", afresh}},
		{"certificate not an authority's", write("ca.pem", encodePEM(certBlock, leaf.Certificate[0])), now, []string{"not the certificate of an authority", afresh}},
		{"expired", nil, now.AddDate(10, 0, 1), []string{"expired at 2036-01-02", afresh}},
		{"not yet valid", nil, now.AddDate(0, 0, -1), []string{"set the clock"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := ownDir(t)
			mustOpen(t, dir)
			if test.damage != nil {
				test.damage(t, dir)
			}
			ca, err := Open(dir, test.now)
			if err == nil || ca != nil {
				t.Fatalf("Open gave %v, %v", ca, err)
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q does not say %q", err, want)
				}
			}
			if strings.Contains(err.Error(), "SECRET") {
				t.Errorf("error %q quotes the key file", err)
			}
		})
	}
}

func TestOpenWhereNothingCanBeWritten(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Open(filepath.Join(file, "ca"), now)
	if err == nil || !strings.HasSuffix(err.Error(), "give a folder that can be written") {
		t.Errorf("folder below a file: %v", err)
	}
	if os.Getuid() == 0 || runtime.GOOS == "windows" {
		return // root and Windows write into read-only folders
	}
	dir := ownDir(t)
	if err := os.Chmod(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir, now); err == nil || !strings.HasSuffix(err.Error(), "give another folder") {
		t.Errorf("read-only folder: %v", err)
	}
}

func TestIssue(t *testing.T) {
	ca := mustOpen(t, ownDir(t))
	hosts := []string{"localhost", "Partner.Localhost", "127.0.0.1", "127.9.9.9", "::1"}
	cert, err := ca.Issue(now, hosts...)
	if err != nil {
		t.Fatal(err)
	}
	if len(cert.Certificate) != 2 {
		t.Errorf("chain of %d certificates, want leaf and authority", len(cert.Certificate))
	}
	if !cert.Leaf.NotAfter.Equal(now.AddDate(0, 0, 90)) {
		t.Errorf("valid until %v, want 90 days", cert.Leaf.NotAfter)
	}
	for _, host := range hosts {
		if _, err := cert.Leaf.Verify(x509.VerifyOptions{DNSName: host, Roots: ca.Pool(), CurrentTime: now}); err != nil {
			t.Errorf("%s: %v", host, err)
		}
	}
	late := now.AddDate(10, 0, -10)
	if cert, err = ca.Issue(late, "localhost"); err != nil || !cert.Leaf.NotAfter.Equal(ca.cert.NotAfter) {
		t.Errorf("late leaf is valid until %v, %v, want the authority's end", cert.Leaf.NotAfter, err)
	}
	if _, err := ca.Issue(now.AddDate(11, 0, 0), "localhost"); err == nil || !strings.Contains(err.Error(), "expired") {
		t.Errorf("expired authority signed: %v", err)
	}
}

func TestIssueRefusesForeignHosts(t *testing.T) {
	ca := mustOpen(t, ownDir(t))
	for _, host := range []string{
		"login.microsoftonline.com", "localhost.example.com", "notlocalhost", ".localhost", "a..localhost", "*.localhost",
		"-a.localhost", "localhost.", "lo calhost", "", "192.168.1.1", "126.255.255.255", "128.0.0.1", "0.0.0.0", "::", "::2", "fe80::1%lo",
		strings.Repeat("a", 64) + ".localhost", strings.Repeat("a.", 130) + "localhost",
	} {
		_, err := ca.Issue(now, "localhost", host)
		if err == nil || !strings.Contains(err.Error(), "not this machine; use localhost") {
			t.Errorf("Issue(%q) = %v", host, err)
		}
	}
	if _, err := ca.Issue(now); err == nil {
		t.Error("signed for no host")
	}
}

// Whoever has the key can sign more than Issue would; clients must refuse it.
func TestConstraintsBindTheKey(t *testing.T) {
	ca := mustOpen(t, ownDir(t))
	sign := func(template *x509.Certificate) *x509.Certificate {
		t.Helper()
		template.SerialNumber = big.NewInt(1)
		template.Subject = pkix.Name{CommonName: "test"}
		template.NotBefore, template.NotAfter = now, now.Add(time.Hour)
		der, err := x509.CreateCertificate(rand.Reader, template, ca.cert, &ca.key.PublicKey, ca.key)
		if err != nil {
			t.Fatal(err)
		}
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		return cert
	}
	for name, test := range map[string]struct {
		template *x509.Certificate
		usage    x509.ExtKeyUsage
	}{
		"foreign name":    {&x509.Certificate{DNSNames: []string{"example.com"}}, x509.ExtKeyUsageAny},
		"foreign address": {&x509.Certificate{IPAddresses: []net.IP{net.IPv4(10, 0, 0, 1)}}, x509.ExtKeyUsageAny},
		"client": {&x509.Certificate{
			DNSNames:    []string{"localhost"},
			ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		}, x509.ExtKeyUsageClientAuth},
	} {
		_, err := sign(test.template).Verify(x509.VerifyOptions{
			Roots: ca.Pool(), CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{test.usage},
		})
		if err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestHandshake(t *testing.T) {
	ca := mustOpen(t, ownDir(t))
	cert, err := ca.Issue(now, "localhost", "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	clock := func() time.Time { return now }
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		for host, wantOK := range map[string]bool{"localhost": true, "127.0.0.1": true, "example.com": false} {
			t.Run(tls.VersionName(version)+" "+host, func(t *testing.T) {
				near, far := net.Pipe()
				server := tls.Server(far, &tls.Config{Certificates: []tls.Certificate{cert}, Time: clock})
				go func() {
					defer far.Close()
					if server.Handshake() == nil {
						io.WriteString(server, "hello")
					}
				}()
				defer near.Close()
				client := tls.Client(near, &tls.Config{
					RootCAs: ca.Pool(), ServerName: host, Time: clock, MinVersion: version, MaxVersion: version,
				})
				err := client.Handshake()
				if (err == nil) != wantOK {
					t.Fatalf("handshake: %v, want success %v", err, wantOK)
				}
				if !wantOK {
					return
				}
				if got := client.ConnectionState().Version; got != version {
					t.Errorf("version %s", tls.VersionName(got))
				}
				if text, err := io.ReadAll(io.LimitReader(client, 5)); err != nil || string(text) != "hello" {
					t.Errorf("read %q, %v", text, err)
				}
			})
		}
	}
}
