package cloudhosts

import (
	"net/url"
	"slices"
	"testing"

	"github.com/partnercenter-go/partnercenter"
)

// The client's clouds and this list must agree.
func TestEveryCloudIsHere(t *testing.T) {
	for _, name := range partnercenter.CloudNames() {
		c := name.Configuration()
		for address, want := range map[string]Role{
			c.ActiveDirectoryAuthorityHost:                 SignIn,
			c.Services[partnercenter.ServiceName].Endpoint: API,
		} {
			u, err := url.Parse(address)
			if err != nil {
				t.Fatal(err)
			}
			if got := RoleOf(u.Host); got != want {
				t.Errorf("%s: %s has role %v, want %v", name, u.Host, got, want)
			}
			if got := CloudAt(u.Host); want == SignIn && got != string(name) || want == API && got != "" {
				t.Errorf("%s: %s is a sign-in host of %q", name, u.Host, got)
			}
		}
	}
}

func TestRoleOf(t *testing.T) {
	for host, want := range map[string]Role{
		"login.windows.net":                           SignIn,
		"LOGIN.microsoftonline.COM:443":               SignIn,
		"sts.windows.net.":                            SignIn,
		"api.partnercenter.microsoft.com:8443":        API,
		"partner.partnercenterapi.microsoftonline.cn": API,
		"microsoftonline.com":                         Other,
		"x.login.windows.net":                         Other,
		"login.windows.net.example.com":               Other,
		"127.0.0.1:8443":                              Other,
		"[::1]:8443":                                  Other,
		"":                                            Other,
	} {
		if got := RoleOf(host); got != want {
			t.Errorf("RoleOf(%q) = %v, want %v", host, got, want)
		}
	}
}

func TestAuthorities(t *testing.T) {
	seen := map[string]bool{}
	for _, a := range Authorities() {
		if !slices.Contains(a.Hosts, a.PreferredNetwork) || !slices.Contains(a.Hosts, a.PreferredCache) {
			t.Errorf("%v: a preferred name is not one of its own", a)
		}
		for _, host := range a.Hosts {
			if seen[host] {
				t.Errorf("%s belongs to two authorities", host)
			}
			seen[host] = true
		}
	}
}

func TestBaseURLs(t *testing.T) {
	for port, want := range map[int]string{
		0: "https://login.windows.net", 443: "https://login.windows.net", 8443: "https://login.windows.net:8443",
	} {
		if got := BaseURLs(port); !slices.Contains(got, want) || len(got) != len(All()) {
			t.Errorf("BaseURLs(%d) = %v, want %s among them", port, got, want)
		}
	}
}

// TestIssues is strict about spelling: keys from these hosts are trusted.
func TestIssues(t *testing.T) {
	for host, want := range map[string]bool{
		"login.microsoftonline.com":       true,
		"sts.windows.net":                 true,
		"sts.chinacloudapi.cn":            true,
		"login.microsoftonline.us":        true,
		"login.microsoftonline.com:8443":  false,
		"Login.microsoftonline.com":       false,
		"x.login.microsoftonline.com":     false,
		"api.partnercenter.microsoft.com": false,
		"":                                false,
	} {
		if got := Issues(host); got != want {
			t.Errorf("Issues(%q) = %v, want %v", host, got, want)
		}
	}
}
