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
)

// CA returns the commands about the certificate authorities.
func CA(term *terminal.Terminal) *cobra.Command {
	return command.Group("ca", "Show the certificate authority of the local server, and how to trust it", showCA(term), trustCA(term))
}

// caFacts are what ca show -o json prints.
type caFacts struct {
	Folder      string        `json:"folder"`
	Bundle      string        `json:"bundle,omitempty"` // all of them in one file, if there are two
	Authorities []caAuthority `json:"authorities"`
}

type caAuthority struct {
	File      string    `json:"file"`
	Subject   string    `json:"subject"`
	Purpose   string    `json:"purpose"` // local, or interception
	SHA256    string    `json:"sha256"`
	Names     []string  `json:"names"` // what it may sign for, with the names under them
	NotBefore time.Time `json:"notBefore"`
	NotAfter  time.Time `json:"notAfter"`
	Expired   bool      `json:"expired"`
}

// What an authority is for.
const (
	purposeLocal        = "local"
	purposeInterception = "interception"
)

// findCA reads what is in the folder of the authorities. It makes none: that is
// the server's part.
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
		return caFacts{}, caError(err)
	}
	if len(found) == 0 {
		return caFacts{}, fmt.Errorf("there is no certificate authority in %s yet: the server makes it at its first start, with partnercenter serve, or serve --proxy for the one of Microsoft's hosts; if it was started with --ca-dir, give that here too", dir)
	}
	facts := caFacts{Folder: dir}
	for _, f := range found {
		purpose := purposeLocal
		if f.Interception {
			purpose = purposeInterception
		}
		facts.Authorities = append(facts.Authorities, caAuthority{
			File: f.File, Subject: f.Subject, Purpose: purpose, SHA256: f.Fingerprint, Names: f.Names,
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
		Long: `Show the certificate authorities of the local server: where they are, their
fingerprints, what they may sign for, and how long they are good. No server has
to run.

There are at most two. The local one signs for names and addresses of this
machine and is made at the server's first start. The interception one signs for
Microsoft's API and sign-in hosts and is made by the first serve --proxy or serve
--microsoft-hosts: whoever trusts it believes this machine to be Microsoft's.`,
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
		fmt.Fprintf(&b, "Both in one file, for clients that take one\n  %-12s %s\n", "Certificates", f.Bundle)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// runtimeTrust is how one operating system or runtime is told to trust the
// authorities.
type runtimeTrust struct {
	name, title string
	// lines are the instructions. {bundle} stands for a file with all authorities,
	// {local} and {interception} for the file of one, {subject} for the latter's
	// name; a line with {each} is repeated for every authority, with {alias} for a
	// name of it. A line about an authority that is not there is left out.
	lines string
}

// forAWhile is what to know before the interception authority goes into a store
// that nothing but a command takes it out of again.
const forAWhile = `# For the proxy, and for programs that heed no variable, there is {interception}. While
# {subject} is trusted, whoever gets at its key can pose as Microsoft's sign-in to this user.`

// trusts are in the order in which they are printed: what is for one program
// first, what is for all programs of a machine last.
var trusts = []runtimeTrust{
	{"curl", "curl", `
export CURL_CA_BUNDLE={bundle}     # or --cacert; in place of the system's`},
	{"node", "Node", `
export NODE_EXTRA_CA_CERTS={bundle}     # beside its own; read when Node starts`},
	{"python", "Python", `
export REQUESTS_CA_BUNDLE={bundle}     # requests, MSAL, azure-identity
export SSL_CERT_FILE={bundle}     # urllib, httpx, aiohttp
# Both are in place of the authorities that Python knows.`},
	{"go", "Go", `
export SSL_CERT_FILE={bundle}     # in place of the system's; on Linux and BSD
# On macOS and Windows Go asks the system: see there.`},
	{"dotnet", ".NET and PowerShell", `
export SSL_CERT_FILE={bundle}     # in place of the system's; on Linux
# On macOS and Windows .NET asks the system: see there.`},
	{"java", "Java", `
keytool -importcert -noprompt -alias {alias} -file {each} -keystore partnercenter.p12 -storepass changeit
export JAVA_TOOL_OPTIONS='-Djavax.net.ssl.trustStore=partnercenter.p12 -Djavax.net.ssl.trustStorePassword=changeit'
# In place of the JDK's. Java heeds no HTTPS_PROXY: add -Dhttps.proxyHost=… -Dhttps.proxyPort=…`},
	{"postman", "Postman", `
# Settings > Certificates > CA Certificates: switch on, and choose {bundle}`},
	{"firefox", "Firefox", `
# Settings > Privacy & Security > View Certificates > Authorities > Import: {local}, to identify websites`},
	{"linux", "Linux, all programs of the machine", `
sudo cp {local} /usr/local/share/ca-certificates/partnercenter-ca.crt && sudo update-ca-certificates     # Debian, Ubuntu, Alpine
sudo cp {local} /etc/pki/ca-trust/source/anchors/partnercenter-ca.pem && sudo update-ca-trust     # Fedora, Red Hat
sudo cp {local} /etc/pki/trust/anchors/partnercenter-ca.pem && sudo update-ca-certificates     # SUSE
sudo trust anchor --store {local}     # Arch`},
	{"macos", "macOS, all programs of the user", `
security add-trusted-cert -r trustRoot -k ~/Library/Keychains/login.keychain-db {local}
` + forAWhile + `
security add-trusted-cert -r trustRoot -k ~/Library/Keychains/login.keychain-db {interception}
security delete-certificate -c {subject} ~/Library/Keychains/login.keychain-db     # afterwards`},
	{"windows", "Windows, all programs of the user; in PowerShell", `
certutil -user -addstore Root {local}
` + forAWhile + `
certutil -user -addstore Root {interception}
certutil -user -delstore Root {subject}     # afterwards`},
}

func trustCA(term *terminal.Terminal) *cobra.Command {
	var dir, only string
	var names []string
	for _, t := range trusts {
		names = append(names, t.name)
	}
	return command.Act(term, command.Spec{
		Use: "trust-instructions", Short: "Tell how to make clients trust the local server",
		Long: `Tell how to make clients trust the certificate authorities of the local server:
for each runtime and operating system the lines to run, with the paths of this
machine in them. Nothing is changed, and no server has to run.

Trust for one program, by a variable, ends with the program. What goes into the
store of a user or a system stays there. The local authority does no harm there:
it can sign for this machine only. The interception one, which signs for
Microsoft's sign-in hosts, belongs there only where nothing else helps, and only
for as long as it is needed.`,
		Example: `  partnercenter ca trust-instructions
  partnercenter ca trust-instructions --for node`,
		Flags: func(cmd *cobra.Command) {
			addCADir(cmd, &dir)
			cmd.Flags().StringVar(&only, "for", "", "only for this `runtime`: "+terminal.OrList(names)+" (default: all)")
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

// instruct prints the instructions for one runtime, or for all.
func (f caFacts) instruct(w io.Writer, only string) error {
	known := map[string]string{"{bundle}": cmp.Or(f.Bundle, f.Authorities[0].File)}
	for _, a := range f.Authorities {
		known["{"+a.Purpose+"}"] = a.File
		if a.Purpose == purposeInterception {
			known["{subject}"] = a.Subject
		}
	}
	var b strings.Builder
	for _, t := range trusts {
		if only != "" && only != t.name {
			continue
		}
		var section strings.Builder
		for line := range strings.SplitSeq(strings.TrimSpace(t.lines), "\n") {
			if strings.Contains(line, "{each}") {
				for _, a := range f.Authorities {
					section.WriteString(strings.NewReplacer("{each}", terminal.ShellQuote(a.File), "{alias}", "partnercenter-"+a.Purpose).Replace(line) + "\n")
				}
				continue
			}
			section.WriteString(fill(line, known))
		}
		if section.Len() == 0 {
			continue // about an authority that is not there
		}
		if b.Len() > 0 {
			b.WriteString("\n")
		}
		fmt.Fprintf(&b, "# %s\n%s", t.title, section.String())
	}
	if b.Len() == 0 {
		return fmt.Errorf("nothing in %s belongs into the store of %s: the authority there is that of Microsoft's hosts; start the server with --listen-tls for the one of this machine", f.Folder, only)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// fill puts what is known into a line, or leaves the line out when something in
// it is not.
func fill(line string, known map[string]string) string {
	for _, name := range []string{"{bundle}", "{local}", "{interception}", "{subject}"} {
		if !strings.Contains(line, name) {
			continue
		}
		value, ok := known[name]
		if !ok {
			return ""
		}
		line = strings.ReplaceAll(line, name, terminal.ShellQuote(value))
	}
	return line + "\n"
}
