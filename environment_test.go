package partnercenter_test

import (
	"os"
	"strings"
	"testing"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/partnercentertest"
)

// setEnvironment sets variables and unsets all others that are read.
func setEnvironment(t *testing.T, variables map[string]string) {
	t.Helper()
	for _, entry := range os.Environ() {
		if name, _, _ := strings.Cut(entry, "="); strings.HasPrefix(name, "PARTNERCENTER_") || strings.HasPrefix(name, "AZURE_") {
			t.Setenv(name, "")
		}
	}
	for name, value := range variables {
		t.Setenv(name, value)
	}
}

func TestNewClientFromEnvironment(t *testing.T) {
	srv := partnercentertest.NewServer(t)
	srv.Setenv(t)
	ca := os.Getenv("PARTNERCENTER_CA_FILE")
	for name, extra := range map[string]map[string]string{
		"one address":           {"PARTNERCENTER_BASE_URL": srv.TLSURL},
		"plain HTTP":            {"PARTNERCENTER_BASE_URL": srv.URL, "PARTNERCENTER_CA_FILE": "", "PARTNERCENTER_AUTHORITY": ""},
		"two addresses":         {"PARTNERCENTER_BASE_URL": srv.URL, "PARTNERCENTER_AUTHORITY": srv.TLSURL, "PARTNERCENTER_BUDGET": "100"},
		"a scope and the cloud": {"PARTNERCENTER_BASE_URL": srv.TLSURL, "PARTNERCENTER_CLOUD": "Global", "PARTNERCENTER_SCOPE": "https://graph.windows.net/.default"},
	} {
		t.Run(name, func(t *testing.T) {
			srv.Setenv(t)
			for name, value := range extra {
				t.Setenv(name, value)
			}
			pc, err := partnercenter.NewClientFromEnvironment(nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := pc.Customers.Get(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	t.Run("Azure's variables", func(t *testing.T) {
		setEnvironment(t, map[string]string{
			"PARTNERCENTER_BASE_URL": srv.TLSURL, "PARTNERCENTER_CA_FILE": ca,
			"AZURE_TENANT_ID": srv.TenantID, "AZURE_CLIENT_ID": srv.ClientID, "AZURE_CLIENT_SECRET": srv.ClientSecret,
		})
		pc, err := partnercenter.NewClientFromEnvironment(&partnercenter.ClientOptions{Locale: "de-DE"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := pc.Customers.Get(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestNewClientFromEnvironmentRefuses(t *testing.T) {
	app := map[string]string{"PARTNERCENTER_TENANT_ID": "t", "PARTNERCENTER_CLIENT_ID": "c", "PARTNERCENTER_CLIENT_SECRET": "hush"}
	for _, test := range []struct{ name, value, want string }{
		{"PARTNERCENTER_PROFILE", "local", "PARTNERCENTER_PROFILE is \"local\", but only the command line has profiles"},
		{"PARTNERCENTER_CONFIG", "c.yaml", "PARTNERCENTER_CONFIG is \"c.yaml\", but only the command line has profiles"},
		{"PARTNERCENTER_AS", "user", "a credential of your own"},
		{"PARTNERCENTER_CLOUD", "mars", "use one of [global"},
		{"PARTNERCENTER_BASE_URL", "ftp://example", "not a base URL"},
		{"PARTNERCENTER_AUTHORITY", "http://login.example", "plain HTTP on another machine"},
		{"PARTNERCENTER_BUDGET", "many", "a number of requests a minute"},
		{"PARTNERCENTER_CA_FILE", "none.pem", "PARTNERCENTER_CA_FILE cannot be read"},
		{"PARTNERCENTER_CA_FILE", "environment_test.go", "not contain a PEM certificate"},
		{"PARTNERCENTER_CLIENT_CERTIFICATE", "app.pem", "unset one"},
		{"PARTNERCENTER_CLIENT_SECRET", "", "incomplete"},
	} {
		setEnvironment(t, app)
		t.Setenv(test.name, test.value)
		_, err := partnercenter.NewClientFromEnvironment(nil)
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "hush") {
			t.Errorf("%s=%s: %v, want an error with %q", test.name, test.value, err, test.want)
		}
	}
}

// TestPlainAuthority has credentials that package azidentity sends over TLS only.
func TestPlainAuthority(t *testing.T) {
	for _, variables := range []map[string]string{
		{}, {"PARTNERCENTER_TENANT_ID": "t", "PARTNERCENTER_CLIENT_ID": "c", "PARTNERCENTER_CLIENT_CERTIFICATE": "app.pem"},
	} {
		setEnvironment(t, variables)
		t.Setenv("PARTNERCENTER_BASE_URL", "http://127.0.0.1:8080")
		if _, err := partnercenter.NewClientFromEnvironment(nil); err == nil || !strings.Contains(err.Error(), "for the app's secret only") {
			t.Errorf("%v: %v", variables, err)
		}
	}
}
