package serve

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/connect"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
)

// shownFacts prints the facts for people.
type shownFacts struct {
	connect.ReadyFacts
	proxied bool // at the first public URL, which has a certificate of its own
}

// url returns the address for examples. Tokens for a listener's own address are refused at
// the public URL.
func (f *shownFacts) url() string { return cmp.Or(first(f.PublicURLs), f.APIURL, f.APIURLTLS) }

// print prints the facts that the ready file has for programs.
func (l *local) print(w io.Writer) {
	f := &l.facts
	lines := [][2]string{
		{"Public URL", strings.Join(f.PublicURLs, ", ")}, {"API", strings.Join(l.urls, ", ")}, {"API over TLS", strings.Join(f.APIURLs[len(l.urls):], ", ")}, {"Proxy", strings.Join(l.proxyURLs, ", ")}, {"CA certificate", f.CAFile},
		{"Control plane", cmp.Or(strings.Join(l.controlURLs, ", "), "none (--control)")}, {"Ops", strings.Join(l.opsURLs, ", ")}, {"Database", l.database}, {"Ready file", l.readyFile},
		{"Sign-in", f.describeAuth()},
		{"Tenant", f.TenantID}, {"Client id", f.ClientID}, {"Client secret", f.ClientSecret},
		{"User", f.UserPrincipalName}, {"Password", f.Password},
	}
	if l.cloud != partnercenter.CloudNameGlobal {
		lines = append(lines, [2]string{"Emulates", "the " + string(l.cloud) + " cloud"})
	}
	if state := l.clock.State(); state.Adjusted {
		lines = append(lines, [2]string{"Clock", fmt.Sprintf("%s, %s", state.Now.Format(time.RFC3339),
			terminal.DescribeClock(state.Frozen, true, state.Offset.String()))})
	}
	fmt.Fprintln(w, "Partner Center is ready.")
	for _, line := range lines {
		if line[1] != "" {
			fmt.Fprintf(w, "  %-15s %s\n", line[0], line[1])
		}
	}
	if l.customer != "" {
		if local, err := connect.LocalReadyFile(); err == nil && local == l.readyFile {
			fmt.Fprintf(w, "\nAll orders of a customer:\n  partnercenter orders list --profile local --customer %s\n", l.customer)
		}
		fmt.Fprintf(w, "\nThe same with curl:\n%s\n", f.tryOut(l.customer))
	}
	if f.ProxyURL != "" {
		fmt.Fprintf(w, "\nFor unchanged programs written for Microsoft's service:\n  export HTTPS_PROXY=%s\n  and set their runtime's variable for CA certificates: partnercenter ca trust-instructions\n", f.ProxyURL)
	}
	fmt.Fprintln(w, "\nCtrl-C stops the server.")
}

// audience is what tokens are for.
func (f *shownFacts) audience() string {
	cloud := cmp.Or(partnercenter.CloudName(f.Cloud), partnercenter.CloudNameGlobal)
	return cloud.Configuration().Services[partnercenter.ServiceName].Audience
}

// curl returns shell lines that list a customer's orders with nothing but curl
// and sed.
func (f *shownFacts) curl(customer string) string {
	return fmt.Sprintf(`  export TOKEN=$(curl -s%[1]s %[2]s \
    -d grant_type=client_credentials -d resource=%[6]s \
    --data-urlencode %[3]s \
    --data-urlencode %[4]s |
    sed 's/.*"access_token":"\([^"]*\)".*/\1/')
%[5]s`,
		f.curlOption(), terminal.ShellQuote(f.url()+"/"+f.TenantID+"/oauth2/token"), terminal.ShellQuote("client_id="+f.ClientID),
		terminal.ShellQuote("client_secret="+f.ClientSecret), f.curlOrders(customer, authorized), f.audience())
}

// authorized makes curl send the token in the shell's variable. The address
// follows on a line of its own, because wrapped lines are hard to read.
const authorized = ` -H "Authorization: Bearer $TOKEN" \` + "\n   "

// curlOrders returns the line that requests the orders.
func (f *shownFacts) curlOrders(customer, option string) string {
	return fmt.Sprintf("  curl -s%s%s %s", f.curlOption(), option, terminal.ShellQuote(f.url()+"/v1/customers/"+customer+"/orders"))
}

// curlOption returns the option that makes curl trust the server.
func (f *shownFacts) curlOption() string {
	if strings.HasPrefix(f.url(), "https:") && f.CAFile != "" && !f.OwnCertificate && !f.proxied {
		return " --cacert " + terminal.ShellQuote(f.CAFile)
	}
	return ""
}

// describeAuth describes the accepted tokens.
func (f *shownFacts) describeAuth() string {
	switch f.Auth {
	case authEntra:
		return "entra: tokens of " + f.Authority
	case authNone:
		return "none: EVERY CALL from this machine HAS THE RIGHTS OF AN ADMINISTRATOR"
	}
	return ""
}

// tryOut returns shell lines that list a customer's orders.
func (f *shownFacts) tryOut(customer string) string {
	switch f.Auth {
	case authEntra:
		return fmt.Sprintf("  # TOKEN is from %s/%s/oauth2/v2.0/token\n", f.Authority, f.TenantID) + f.curlOrders(customer, authorized)
	case authNone:
		return f.curlOrders(customer, "")
	}
	return f.curl(customer)
}

// goLines returns Go code that lists a customer's orders.
func (f *shownFacts) goLines(customer string) string {
	return fmt.Sprintf(`  // run with SSL_CERT_FILE=%[1]s
  const url = %[2]q
  var o azidentity.ClientSecretCredentialOptions
  o.Cloud.ActiveDirectoryAuthorityHost, o.DisableInstanceDiscovery = url, true
  cred, err := azidentity.NewClientSecretCredential(
      %[3]q, %[4]q,
      %[5]q, &o)
  pc, err := partnercenter.NewClient(cred, &partnercenter.ClientOptions{Endpoint: url})
  orders, err := pc.Customers.ByID(%[6]q).Orders.Get(ctx)
`, terminal.ShellQuote(f.CAFile), f.APIURLTLS, f.TenantID, f.ClientID, f.ClientSecret, customer)
}
