package connect

import (
	"bytes"
	"cmp"
	"io"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
	"github.com/partnercenter-go/partnercenter/internal/quote"
)

// requestLog reports requests on stderr: in a line each or, if it is detailed, with
// headers and bodies. Secrets are left out, ids are not.
type requestLog struct {
	term     *terminal.Terminal
	detailed bool
	next     policy.Transporter
}

// Logged returns a transport that reports requests as the user asked for.
func Logged(term *terminal.Terminal, transport policy.Transporter) policy.Transporter {
	if term.Verbose == 0 {
		return transport
	}
	return &requestLog{term: term, detailed: term.Verbose > 1, next: transport}
}

// Do sends a request and reports it.
func (l *requestLog) Do(req *http.Request) (*http.Response, error) {
	start := time.Now()
	if l.detailed {
		l.term.Linef("> %s %s", req.Method, withoutSecrets(req.URL))
		l.headers(">", req.Header)
		if req.Body != nil {
			req.Body = l.body(">", req.Header, req.Body)
		}
	}
	resp, err := l.next.Do(req)
	took := time.Since(start).Round(time.Millisecond)
	if err != nil {
		l.term.Linef("%s %s: %v (%s)", req.Method, withoutSecrets(req.URL), err, took)
		return resp, err
	}
	id := cmp.Or(resp.Header.Get("MS-RequestId"), req.Header.Get("MS-RequestId"), resp.Header.Get("x-ms-request-id"))
	if id != "" {
		id = ", request " + id
	}
	l.term.Linef("%s %s: %s (%s%s)", req.Method, withoutSecrets(req.URL), resp.Status, took, id)
	if l.detailed {
		l.headers("<", resp.Header)
		resp.Body = l.body("<", resp.Header, resp.Body)
	}
	return resp, nil
}

// maxLogged is how many bytes of a body are logged.
const maxLogged = 64 << 10

type prefixed struct {
	io.Reader
	io.Closer
}

type failingReader struct{ err error }

func (f failingReader) Read([]byte) (int, error) { return 0, f.err }

// secretHeaders are the headers whose values are not logged.
var secretHeaders = []string{"Authorization", "Cookie", "Set-Cookie", "Proxy-Authorization"}

func (l *requestLog) headers(mark string, header http.Header) {
	names := make([]string, 0, len(header))
	for name := range header {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		value := strings.Join(header[name], ", ")
		if slices.Contains(secretHeaders, http.CanonicalHeaderKey(name)) {
			value = hidden
		}
		l.term.Linef("%s %s: %s", mark, name, value)
	}
}

const hidden = "(hidden)"

// secretMembers match what is secret in JSON and in forms.
var (
	secretNames   = `access_token|refresh_token|id_token|client_secret|client_assertion|client_info|assertion|code|device_code|code_verifier|password|secret|clientSecret`
	secretMembers = regexp.MustCompile(`(?i)("(?:` + secretNames + `)"\s*:\s*)"(?:[^"\\]|\\.)*"?`)
)

// body reports a body and returns one with the same content. What is reported is read
// ahead; the rest stays where it is.
func (l *requestLog) body(mark string, header http.Header, body io.ReadCloser) io.ReadCloser {
	if !isText(header) {
		if kind := header.Get("Content-Type"); kind != "" {
			l.term.Linef("%s (%s)", mark, kind)
		}
		return body
	}
	ahead, err := io.ReadAll(io.LimitReader(body, maxLogged+1))
	var rest io.Reader = body
	if err != nil {
		rest = failingReader{err}
	}
	text, more := string(ahead), ""
	if len(text) > maxLogged {
		text, more = quote.Cut(text, maxLogged), " …"
	}
	if kind, _, _ := mime.ParseMediaType(header.Get("Content-Type")); kind == "application/x-www-form-urlencoded" {
		text = formWithoutSecrets(text)
	}
	text = secretMembers.ReplaceAllString(text, `$1"`+hidden+`"`)
	for line := range strings.Lines(text + more) {
		l.term.Linef("%s %s", mark, line)
	}
	return &prefixed{io.MultiReader(bytes.NewReader(ahead), rest), body}
}

func isText(header http.Header) bool {
	kind, _, _ := mime.ParseMediaType(header.Get("Content-Type"))
	return strings.HasSuffix(kind, "json") || kind == "application/x-www-form-urlencoded" || strings.HasPrefix(kind, "text/") || kind == "application/xml"
}

var secretField = regexp.MustCompile(`(?i)^(?:` + secretNames + `)$`)

// formWithoutSecrets hides the secrets of a form or a query.
func formWithoutSecrets(form string) string {
	fields := strings.Split(form, "&")
	for i, field := range fields {
		name, _, _ := strings.Cut(field, "=")
		if plain, err := url.QueryUnescape(name); err != nil || secretField.MatchString(plain) {
			fields[i] = name + "=" + hidden
		}
	}
	return strings.Join(fields, "&")
}

func withoutSecrets(u *url.URL) string {
	shown := *u
	shown.ForceQuery = false
	shown.RawQuery = formWithoutSecrets(u.RawQuery)
	return shown.Redacted()
}
