package signin

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"

	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/connect"
)

// TestDoctorOfOtherClouds has Microsoft's authority send a tenant elsewhere.
func TestDoctorOfOtherClouds(t *testing.T) {
	d := &doctor{
		service: &connect.Service{Settings: connect.Settings{Authority: "https://login.microsoftonline.com/"}},
		authority: &reached{
			host: "login.microsoftonline.com", status: 200,
			body: []byte(`{"issuer":"https://login.microsoftonline.us/x/v2.0","token_endpoint":"https://login.microsoftonline.us/x/oauth2/v2.0/token"}`),
		},
	}
	if o := d.checkDiscovery(t.Context()); o.status != stepFailed || !strings.Contains(o.fix, "--cloud us-government") {
		t.Errorf("%+v", o)
	}
}

// TestReachedExplains words what a test on loopback cannot bring about.
func TestReachedExplains(t *testing.T) {
	for want, err := range map[string]error{
		"DNS: name nowhere.example not found":        &net.DNSError{Name: "nowhere.example", Err: "no such host", IsNotFound: true},
		"no answer from h in time, while connecting": context.DeadlineExceeded,
		"h cannot be reached, while connecting":      errors.New("network is unreachable"),
	} {
		r := &reached{host: "h", phase: "connecting to 192.0.2.1:443", err: err, proxy: "http://p.example"}
		if o := r.outcome("--authority"); o.status != stepFailed || !strings.Contains(o.detail, want) || !strings.Contains(o.detail, "through proxy http://p.example") || o.fix == "" {
			t.Errorf("%+v, want %q", o, want)
		}
	}
}
