package serve

import (
	"bytes"
	"crypto/tls"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
)

// The TLS listener has one certificate for its own names and one for each of
// Microsoft's; where these are not played, the log says once who asks for them.
func TestCertificateByName(t *testing.T) {
	for _, played := range []bool{false, true} {
		log := new(bytes.Buffer)
		c, err := openCertificates(&serveOptions{listenTLS: []string{"127.0.0.1:0"}, microsoftHosts: played, caDir: filepath.Join(t.TempDir(), "ca")},
			slog.New(slog.NewTextHandler(log, nil)))
		if err != nil {
			t.Fatal(err)
		}
		for name, want := range map[string]string{
			"": "localhost", "localhost": "localhost", "example.com": "localhost",
			"login.microsoftonline.com": "login.microsoftonline.com", "API.partnercenter.microsoft.com": "api.partnercenter.microsoft.com",
		} {
			if !played {
				want = "localhost"
			}
			cert, err := c.get(&tls.ClientHelloInfo{ServerName: name})
			if err != nil {
				t.Fatal(err)
			}
			if err := cert.Leaf.VerifyHostname(want); err != nil {
				t.Errorf("played %v: %s is shown the certificate of %v", played, name, cert.Leaf.DNSNames)
			}
		}
		if told := strings.Count(log.String(), "start with --microsoft-hosts"); told != 1 && !played || told != 0 && played {
			t.Errorf("played %v: told %d times: %s", played, told, log)
		}
	}
}
