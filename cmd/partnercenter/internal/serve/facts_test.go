package serve

import (
	"strings"
	"testing"

	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/connect"
)

// TestCurlReachesPublicURL has examples use the address that clients use, and its
// certificate.
func TestCurlReachesPublicURL(t *testing.T) {
	const listener, tls, public = "http://127.0.0.1:8080", "https://127.0.0.1:8443", "https://pc.test"
	for _, tt := range []struct {
		facts  shownFacts
		at     string
		trusts bool // the local authority
	}{
		{shownFacts{ReadyFacts: connect.ReadyFacts{APIURL: listener, APIURLTLS: tls}}, listener, false},
		{shownFacts{ReadyFacts: connect.ReadyFacts{APIURLTLS: tls}}, tls, true},
		{shownFacts{ReadyFacts: connect.ReadyFacts{APIURLTLS: tls, OwnCertificate: true}}, tls, false},
		{shownFacts{ReadyFacts: connect.ReadyFacts{APIURL: listener, APIURLTLS: tls, PublicURLs: []string{public, "https://b.test"}}}, public, true},
		{shownFacts{ReadyFacts: connect.ReadyFacts{APIURL: listener, APIURLTLS: tls, PublicURLs: []string{public}}, proxied: true}, public, false},
		{shownFacts{ReadyFacts: connect.ReadyFacts{APIURL: listener, APIURLTLS: tls, PublicURLs: []string{"http://pc.test"}}}, "http://pc.test", false},
	} {
		tt.facts.CAFile = "ca.pem"
		lines := tt.facts.curl("customer")
		trusting := strings.Count(lines, "--cacert ca.pem")
		if strings.Count(lines, tt.at+"/") != 2 || strings.Count(lines, "://") != 3 || (trusting == 2) != tt.trusts || (trusting == 0) == tt.trusts {
			t.Errorf("%+v:\n%s", tt.facts, lines)
		}
	}
}
