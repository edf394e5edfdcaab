package serve

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/command"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
	"github.com/partnercenter-go/partnercenter/internal/localca"
	"github.com/partnercenter-go/partnercenter/internal/words"
)

// CA returns the commands for certificate authorities.
func CA(term *terminal.Terminal) *cobra.Command {
	return command.Group("ca", "Show the local server's certificate authorities, and how to trust them", showCA(term), trustCA(term))
}

// caFacts is the output of ca show -o json.
type caFacts struct {
	Folder      string        `json:"folder"`
	Bundle      string        `json:"bundle,omitempty"` // file with those of the last start, if they were several
	Authorities []caAuthority `json:"authorities"`
}

type caAuthority struct {
	File      string          `json:"file"`
	Subject   string          `json:"subject"`
	Purpose   localca.Purpose `json:"purpose"`
	SHA256    string          `json:"sha256"`
	Names     []string        `json:"names"` // name constraints, which include subdomains
	NotBefore time.Time       `json:"notBefore"`
	NotAfter  time.Time       `json:"notAfter"`
	Expired   bool            `json:"expired"`
}

// findCA reads the folder of the authorities. Only the server creates them.
func findCA(term *terminal.Terminal, dirFlag string) (caFacts, error) {
	dir, err := caFolder(dirFlag)
	if err != nil {
		return caFacts{}, err
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return caFacts{}, err
	}
	found, err := localca.Find(dir)
	if err != nil {
		return caFacts{}, caError(err, dirFlag)
	}
	if len(found) == 0 {
		return caFacts{}, fmt.Errorf("there is no certificate authority in %s yet: the server creates it at its first start, with partnercenter serve, or with serve --proxy for the one of Microsoft's hosts; if it was started with --ca-dir, use that here too", dir)
	}
	facts := caFacts{Folder: dir}
	for _, f := range found {
		facts.Authorities = append(facts.Authorities, caAuthority{
			File: f.File, Subject: f.Subject, Purpose: f.Purpose, SHA256: f.Fingerprint, Names: f.Names,
			NotBefore: f.NotBefore.UTC(), NotAfter: f.NotAfter.UTC(), Expired: term.Now().After(f.NotAfter),
		})
	}
	bundle := filepath.Join(dir, localca.BundleFile)
	if _, err := os.Stat(bundle); err == nil && len(found) > 1 {
		facts.Bundle = bundle
	}
	return facts, nil
}

func showCA(term *terminal.Terminal) *cobra.Command {
	var dir string
	return command.Act(term, command.Spec{
		Facts: true, Use: "show", Short: "Show the certificate authorities of the local server",
		Long: `Show the certificate authorities of the local server: their files, fingerprints,
the names they may sign for, and their validity. The server need not be running.

The local authority signs for names and addresses of this machine and is created at
the first start of the server. The interception authority signs for Microsoft's API and
sign-in hosts and is created by the first serve --proxy or serve --microsoft-hosts. A
client that trusts it accepts this machine as Microsoft's. There is a public authority
for each other name or address of a serve --public-url, and it signs for that alone and
for names below it.`,
		Example: `  partnercenter ca show
  partnercenter ca show -o json`,
		Flags: func(cmd *cobra.Command) { addCADir(cmd, &dir) },
	}, func(_ context.Context, call *command.Call) error {
		facts, err := findCA(term, dir)
		if err != nil {
			return err
		}
		return call.Tell(facts, facts.print)
	})
}

func addCADir(cmd *cobra.Command, dir *string) {
	cmd.Flags().StringVar(dir, "ca-dir", "", "`folder` of the authorities, as given to serve (default: in the user's configuration folder)")
}

func (f caFacts) print(w io.Writer) error {
	var b strings.Builder
	for _, a := range f.Authorities {
		state := ""
		if a.Expired {
			state = " (expired)"
		}
		fmt.Fprintf(&b, "%s\n", a.Subject)
		for _, line := range [][2]string{
			{"Certificate", a.File}, {"SHA-256", a.SHA256}, {"Signs for", strings.Join(a.Names, "\n               ")},
			{"Valid", a.NotBefore.Format(time.DateOnly) + " to " + a.NotAfter.Format(time.DateOnly) + state},
		} {
			fmt.Fprintf(&b, "  %-12s %s\n", line[0], line[1])
		}
	}
	if f.Bundle != "" {
		fmt.Fprintf(&b, "Those of the last start in one file, for clients that take one\n  %-12s %s\n", "Certificates", f.Bundle)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// runtimeTrust has the instructions for making an operating system or runtime
// trust the authorities.
type runtimeTrust struct {
	name, title string
	// lines are the instructions. {bundle} stands for a file with all authorities,
	// {interception} for the file of that one, {subject} for its name. A line with {each}
	// is repeated for each authority, one with {own} for each of the server's own names,
	// with {alias} for what to call it. A line about an authority that does not exist is
	// omitted.
	lines string
	quote func(string) string // for the shell that the lines are for
}

// trustTemporarily precedes instructions that add the interception authority to a store,
// from which it has to be removed by hand.
const trustTemporarily = `# The proxy, and programs without a variable for it, need {interception}. While
# {subject} is trusted, anyone with its key can impersonate Microsoft's sign-in to this user.`

// trusts are in the order in which they are printed, from those for one program
// to those for a whole machine.
var trusts = []runtimeTrust{
	{"curl", "curl", `
export CURL_CA_BUNDLE={bundle}     # or --cacert; replaces the system's authorities`, terminal.ShellQuote},
	{"node", "Node", `
export NODE_EXTRA_CA_CERTS={bundle}     # in addition to its own; read when Node starts`, terminal.ShellQuote},
	{"python", "Python", `
export REQUESTS_CA_BUNDLE={bundle}     # requests, MSAL, azure-identity
export SSL_CERT_FILE={bundle}     # urllib, httpx, aiohttp
# Both replace Python's own authorities.`, terminal.ShellQuote},
	{"go", "Go", `
export SSL_CERT_FILE={bundle}     # replaces the system's authorities; on Linux and BSD
# On macOS and Windows Go uses the system's: see there.`, terminal.ShellQuote},
	{"dotnet", ".NET and PowerShell", `
export SSL_CERT_FILE={bundle}     # replaces the system's authorities; on Linux
# On macOS and Windows .NET uses the system's: see there.`, terminal.ShellQuote},
	{"java", "Java", `
keytool -importcert -noprompt -alias {alias} -file {each} -keystore partnercenter.p12 -storepass changeit
export JAVA_TOOL_OPTIONS='-Djavax.net.ssl.trustStore=partnercenter.p12 -Djavax.net.ssl.trustStorePassword=changeit'
# Replaces the JDK's authorities. Java ignores HTTPS_PROXY: add -Dhttps.proxyHost=… -Dhttps.proxyPort=…`, terminal.ShellQuote},
	{"postman", "Postman", `
# Settings > Certificates > CA Certificates: turn on, and select {bundle}`, terminal.ShellQuote},
	{"firefox", "Firefox", `
# Settings > Privacy & Security > View Certificates > Authorities > Import: {own}, to identify websites`, terminal.ShellQuote},
	{"linux", "Linux, all programs on the machine", `
sudo cp {own} /usr/local/share/ca-certificates/{alias}.crt && sudo update-ca-certificates     # Debian, Ubuntu, Alpine
sudo cp {own} /etc/pki/ca-trust/source/anchors/{alias}.pem && sudo update-ca-trust     # Fedora, Red Hat
sudo cp {own} /etc/pki/trust/anchors/{alias}.pem && sudo update-ca-certificates     # SUSE
sudo trust anchor --store {own}     # Arch`, terminal.ShellQuote},
	{"macos", "macOS, all programs of the user", `
security add-trusted-cert -r trustRoot -k ~/Library/Keychains/login.keychain-db {own}
` + trustTemporarily + `
security add-trusted-cert -r trustRoot -k ~/Library/Keychains/login.keychain-db {interception}
security delete-certificate -c {subject} ~/Library/Keychains/login.keychain-db     # afterwards`, terminal.ShellQuote},
	{"windows", "Windows, all programs of the user; in PowerShell", `
certutil -user -addstore Root {own}
` + trustTemporarily + `
certutil -user -addstore Root {interception}
certutil -user -delstore Root {subject}     # afterwards`, terminal.PowerShellQuote},
}

func trustCA(term *terminal.Terminal) *cobra.Command {
	var dir, only string
	var names []string
	for _, t := range trusts {
		names = append(names, t.name)
	}
	return command.Act(term, command.Spec{
		Use: "trust-instructions", Short: "Show how to make clients trust the local server",
		Long: `Print the commands that make clients trust the certificate authorities of the local
server, for each runtime and operating system, with the paths of this machine.
Nothing is changed, and the server need not be running.

Trust set with a variable ends with the program. Trust in the store of a user or
system persists. The local authority is harmless there, because it can sign for this
machine only; a public one, because it can for its name and those below it only. Add
the interception authority, which signs for Microsoft's sign-in hosts, to a store only
if there is no other way, and only for as long as needed.`,
		Example: `  partnercenter ca trust-instructions
  partnercenter ca trust-instructions --for node`,
		Flags: func(cmd *cobra.Command) {
			addCADir(cmd, &dir)
			cmd.Flags().StringVar(&only, "for", "", "for this `runtime` only: "+words.Or(names)+" (default: all)")
			terminal.Choices(cmd, "for", names...)
		},
		Check: func(*command.Call) error {
			if only == "" {
				return nil
			}
			return terminal.OneOf("for", only, names...)
		},
	}, func(_ context.Context, call *command.Call) error {
		facts, err := findCA(term, dir)
		if err != nil {
			return err
		}
		return facts.instruct(call.Term.Stdout, only)
	})
}

// alias is what a store calls the authority.
func (a caAuthority) alias() string {
	if a.Purpose == localca.PurposeLocal {
		return "partnercenter-local"
	}
	return "partnercenter-" + strings.TrimSuffix(filepath.Base(a.File), "-ca.pem")
}

// instruct prints the instructions for one runtime or all.
func (f caFacts) instruct(w io.Writer, only string) error {
	known := map[string]string{"{bundle}": cmp.Or(f.Bundle, f.Authorities[0].File)}
	for _, a := range f.Authorities {
		if a.Purpose == localca.PurposeInterception {
			known["{interception}"], known["{subject}"] = a.File, a.Subject
		}
	}
	var b strings.Builder
	for _, t := range trusts {
		if only != "" && only != t.name {
			continue
		}
		var section strings.Builder
		for line := range strings.SplitSeq(strings.TrimSpace(t.lines), "\n") {
			if own := strings.Contains(line, "{own}"); own || strings.Contains(line, "{each}") {
				for _, a := range f.Authorities {
					if own && a.Purpose == localca.PurposeInterception {
						continue
					}
					section.WriteString(strings.NewReplacer("{each}", t.quote(a.File), "{own}", t.quote(a.File), "{alias}", a.alias()).Replace(line) + "\n")
				}
				continue
			}
			section.WriteString(fill(line, known, t.quote))
		}
		if section.Len() == 0 {
			continue // about an authority that does not exist
		}
		if b.Len() > 0 {
			b.WriteString("\n")
		}
		fmt.Fprintf(&b, "# %s\n%s", t.title, section.String())
	}
	if b.Len() == 0 {
		return fmt.Errorf("nothing in %s belongs in the store of %s: its authority is that of Microsoft's hosts; start the server with --listen-tls for the one of this machine", f.Folder, only)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// fill replaces the placeholders in a line, or omits the line if one has no
// value.
func fill(line string, known map[string]string, quote func(string) string) string {
	for _, name := range []string{"{bundle}", "{interception}", "{subject}"} {
		if !strings.Contains(line, name) {
			continue
		}
		value, ok := known[name]
		if !ok {
			return ""
		}
		line = strings.ReplaceAll(line, name, quote(value))
	}
	return line + "\n"
}
