package keypair

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

var now = time.Date(2026, 1, 2, 15, 4, 5, 0, time.UTC)

// issue makes a certificate for itself and its key, in PEM.
func issue(t *testing.T, change func(*x509.Certificate)) (cert, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour),
		DNSNames: []string{"pc.example.com"}, IPAddresses: []net.IP{net.IPv4(10, 0, 0, 1)},
	}
	if change != nil {
		change(template)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})
}

// folder is where a test's files are.
type folder string

func (d folder) cert() string { return filepath.Join(string(d), "tls.crt") }
func (d folder) key() string  { return filepath.Join(string(d), "tls.key") }

var written int // makes the times of files differ whatever the file system keeps

func (d folder) write(t *testing.T, file string, content []byte) {
	t.Helper()
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	written++
	at := now.Add(time.Duration(written) * time.Minute)
	if err := os.Chtimes(file, at, at); err != nil {
		t.Fatal(err)
	}
}

func TestLoadRefuses(t *testing.T) {
	cert, key := issue(t, nil)
	otherCert, otherKey := issue(t, nil)
	expired, expiredKey := issue(t, func(c *x509.Certificate) { c.NotAfter = now.Add(-time.Minute) })
	early, earlyKey := issue(t, func(c *x509.Certificate) { c.NotBefore = now.Add(time.Minute) })
	nameless, namelessKey := issue(t, func(c *x509.Certificate) { c.DNSNames, c.IPAddresses = nil, nil })
	encrypted := pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: []byte("x")})
	for _, test := range []struct {
		name      string
		cert, key []byte // nil: no file
		want      string
	}{
		{"no certificate", nil, key, "there is no file"},
		{"no key", cert, nil, "there is no file"},
		{"files the wrong way round", key, cert, "holds no certificate in PEM"},
		{"certificate not PEM", []byte("x"), key, "holds no certificate in PEM"},
		{"key not PEM", cert, []byte("SECRETSECRET"), "do not match"},
		{"key of another", cert, otherKey, "do not match"},
		{"intermediate first", append(otherCert, cert...), key, "server's own certificate first"},
		{"key encrypted", cert, encrypted, "is encrypted; decrypt it"},
		{"expired", expired, expiredKey, "expired at 2026-01-02T15:03:05Z; have it renewed"},
		{"not yet valid", early, earlyKey, "set the clock"},
		{"no names", nameless, namelessKey, "subject alternative name"},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := folder(t.TempDir())
			for file, content := range map[string][]byte{d.cert(): test.cert, d.key(): test.key} {
				if content != nil {
					d.write(t, file, content)
				}
			}
			_, err := Load(d.cert(), d.key(), func() time.Time { return now }, slog.New(slog.DiscardHandler))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("got %v, want %q", err, test.want)
			}
			if strings.Contains(err.Error(), "SECRET") {
				t.Errorf("%q quotes the key's file", err)
			}
		})
	}
}

// handshake returns the name in the certificate that a client is shown.
func handshake(t *testing.T, f *Files) string {
	t.Helper()
	near, far := net.Pipe()
	defer near.Close()
	go func() {
		defer far.Close()
		_ = tls.Server(far, &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return f.Certificate(), nil
		}}).Handshake()
	}()
	c := tls.Client(near, &tls.Config{InsecureSkipVerify: true}) // the test looks at the certificate itself
	if err := c.Handshake(); err != nil {
		t.Fatal(err)
	}
	return c.ConnectionState().PeerCertificates[0].DNSNames[0]
}

func named(name string) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.DNSNames = []string{name} }
}

func TestFilesAreReadAgain(t *testing.T) {
	d, clock, log := folder(t.TempDir()), now, new(bytes.Buffer)
	firstCert, firstKey := issue(t, named("first"))
	d.write(t, d.cert(), firstCert)
	d.write(t, d.key(), firstKey)
	f, err := Load(d.cert(), d.key(), func() time.Time { return clock }, slog.New(slog.NewTextHandler(log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	if got := handshake(t, f); got != "first" {
		t.Errorf("shown %q", got)
	}
	step := func(what, want string, logged int) {
		t.Helper()
		clock = clock.Add(checkInterval)
		for range 2 { // the second time nothing has changed
			if got := handshake(t, f); got != want {
				t.Errorf("%s: shown %q, want %q", what, got, want)
			}
			clock = clock.Add(checkInterval)
		}
		if got := strings.Count(log.String(), "\n"); got != logged {
			t.Errorf("%s: %d lines in the log, want %d:\n%s", what, got, logged, log)
		}
	}
	step("nothing changed", "first", 0)

	secondCert, secondKey := issue(t, named("second"))
	d.write(t, d.cert(), secondCert)
	clock = clock.Add(-checkInterval / 2) // looked at less than a second ago
	if got := handshake(t, f); got != "first" {
		t.Errorf("looked at again within a second: %q", got)
	}
	step("half of a new pair", "first", 1)
	d.write(t, d.key(), secondKey)
	step("the other half", "second", 2)

	d.write(t, d.cert(), []byte("SECRETSECRET"))
	step("garbled", "second", 3)
	if err := os.Remove(d.cert()); err != nil {
		t.Fatal(err)
	}
	step("removed", "second", 4)
	thirdCert, thirdKey := issue(t, named("third"))
	d.write(t, d.cert(), thirdCert)
	d.write(t, d.key(), thirdKey)
	step("there again", "third", 5)

	expired, expiredKey := issue(t, func(c *x509.Certificate) { c.NotAfter = now.Add(-time.Minute) })
	d.write(t, d.cert(), expired)
	d.write(t, d.key(), expiredKey)
	step("expired", "third", 6)
	if strings.Contains(log.String(), "SECRET") || strings.Contains(log.String(), "PRIVATE") {
		t.Errorf("the log quotes files: %s", log)
	}
}

// Handshakes come at once from many clients.
func TestAtOnce(t *testing.T) {
	d := folder(t.TempDir())
	cert, key := issue(t, nil)
	d.write(t, d.cert(), cert)
	d.write(t, d.key(), key)
	var mu sync.Mutex
	clock := now
	f, err := Load(d.cert(), d.key(), func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		clock = clock.Add(checkInterval)
		return clock
	}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				if f.Certificate() == nil {
					t.Error("no certificate")
				}
			}
		})
	}
	wg.Wait()
}

func TestNames(t *testing.T) {
	leaf := &x509.Certificate{DNSNames: []string{"a.example.com"}, IPAddresses: []net.IP{net.IPv4(10, 0, 0, 1), net.IPv6loopback}}
	if got := Names(leaf); !slices.Equal(got, []string{"a.example.com", "10.0.0.1", "::1"}) {
		t.Errorf("names %v", got)
	}
}
