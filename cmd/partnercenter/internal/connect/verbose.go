package connect

import (
	"bytes"
	"cmp"
	"io"
	"mime"
	"net/http"
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
		l.term.Linef("> %s %s", req.Method, terminal.WithoutSecrets(req.URL))
		l.headers(">", req.Header)
		if req.Body != nil {
			req.Body = l.body(">", req.Header, req.Body)
		}
	}
	resp, err := l.next.Do(req)
	took := time.Since(start).Round(time.Millisecond)
	if err != nil {
		l.term.Linef("%s %s: %v (%s)", req.Method, terminal.WithoutSecrets(req.URL), terminal.Innermost(err), took)
		return resp, err
	}
	id := cmp.Or(resp.Header.Get("MS-RequestId"), req.Header.Get("MS-RequestId"), resp.Header.Get("x-ms-request-id"))
	if id != "" {
		id = ", request " + id
	}
	l.term.Linef("%s %s: %s (%s%s)", req.Method, terminal.WithoutSecrets(req.URL), resp.Status, took, id)
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

func (l *requestLog) headers(mark string, header http.Header) {
	names := make([]string, 0, len(header))
	for name := range header {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		l.term.Linef("%s %s: %s", mark, name, terminal.HeaderText(name, header[name]))
	}
}

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
		text = terminal.FormWithoutSecrets(text)
	} else {
		text = string(terminal.JSONWithoutSecrets([]byte(text)))
	}
	for line := range strings.Lines(text + more) {
		l.term.Linef("%s %s", mark, line)
	}
	return &prefixed{io.MultiReader(bytes.NewReader(ahead), rest), body}
}

func isText(header http.Header) bool {
	kind, _, _ := mime.ParseMediaType(header.Get("Content-Type"))
	return strings.HasSuffix(kind, "json") || kind == "application/x-www-form-urlencoded" || strings.HasPrefix(kind, "text/") || kind == "application/xml"
}
