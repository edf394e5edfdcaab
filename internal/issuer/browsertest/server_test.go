package browsertest

import (
	"net/http"
	"strings"
	"testing"

	"github.com/partnercenter-go/partnercenter/partnercentertest"
)

// seed is a partner with a user whose password the test knows.
const seed = `
format: partnercenter-seed/1
partners:
  - tenantId: ` + tenantID + `
    name: Contoso
    domain: ` + domain + `
    mpnId: 5080911
    country: US
    apps:
      - {clientId: ` + clientID + `, name: An app, public: true, redirectUris: [http://localhost/callback]}
    users:
      - {userPrincipalName: ` + ada + `, name: Ada Byron, roles: [admin_agent], password: '` + password + `'}
`

// TestServer signs in to the whole server, over both of its listeners, and calls
// the API as the user.
func TestServer(t *testing.T) {
	server := partnercentertest.NewServer(t, partnercentertest.Options{Seed: strings.NewReader(seed)})
	w, b := newWorld(t), openTab(t)
	w.url = server.URL
	for i, base := range []string{server.URL, server.TLSURL} {
		b.open(w.authorizeAt(base, "prompt", "consent"))
		b.signIn(ada, password)
		b.see("Approve the sign-in")
		b.press("Approve")
		b.see("Allow access?")
		b.press("Accept")
		b.see("The app")
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/v1/customers", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+w.exchange(w.answers()[i]).AccessToken)
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != http.StatusOK {
			t.Errorf("signed in at %s, the API answers %s", base, response.Status)
		}
	}
}
