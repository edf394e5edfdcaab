package issuer

import (
	"bytes"
	"cmp"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
)

// page is an answer for a person in a browser.
type page struct {
	name   string // of its template
	status int    // zero means 200
	action string // the app's address that the page, or what follows it, leads to
	script bool   // it submits its form by itself
	data   pageData
}

// pageData is the data for the templates.
type pageData struct {
	Nonce         string // of the page's style and script
	Title, Text   string
	Problem       string // the mistake in the last entry
	ProblemCode   string
	Flow          string
	User          string
	Users         []string // names to choose from
	Code          string   // of a device
	Device        bool     // a device is waiting
	App           string
	Publisher     string
	Resource      string
	Tenant        string
	Offline       bool // the app may act while the user is away
	Administrator bool
	Action        string     // target of a form that submits itself
	Fields        url.Values // its fields
	Trace         []string   // of an error
}

//go:embed page.html
var pageFiles embed.FS

var pages = template.Must(template.ParseFS(pageFiles, "page.html"))

// write writes the page. It cannot be framed, loads nothing, and sends its form only to
// this server and to the app.
func (p *page) write(w http.ResponseWriter) error {
	data := p.data // the page may be written twice concurrently
	data.Nonce = randomID()
	var body bytes.Buffer
	if err := pages.ExecuteTemplate(&body, p.name, data); err != nil {
		return err
	}
	policy := "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; img-src data:; style-src 'nonce-" + data.Nonce + "'; form-action 'self'" + formActions(p.action)
	if p.script {
		policy += "; script-src 'nonce-" + data.Nonce + "'"
	}
	neverStore(w)
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Frame-Options", "DENY")
	// Without a referrer, browsers do not say either that it is this server's own form.
	h.Set("Referrer-Policy", "same-origin")
	w.WriteHeader(cmp.Or(p.status, http.StatusOK))
	// An error here is the connection's: nobody is left to tell.
	_, _ = w.Write(body.Bytes())
	return nil
}

// formActions returns the sources, for the content security policy, that an app's
// answer may lead to. Browsers apply the form's policy to every redirect that follows
// it, also to the app's own redirects to other hosts; so it allows schemes, not hosts.
func formActions(address string) string {
	u, err := url.Parse(address)
	switch {
	case address == "" || err != nil || u.Scheme == "":
		return ""
	case u.Scheme == "http" || u.Scheme == "https":
		return " http: https:"
	}
	return " " + u.Scheme + ":"
}

// complain shows on the page what was wrong.
func (d *pageData) complain(f *failure) {
	d.Problem, d.ProblemCode = f.text, fmt.Sprintf("AADSTS%d", f.number)
}

// redirect is an answer that sends the browser elsewhere.
type redirect string

func (to redirect) write(w http.ResponseWriter) {
	neverStore(w)
	w.Header().Set("Referrer-Policy", "no-referrer")
	w.Header().Set("Location", string(to))
	// What was posted here must not be posted there.
	w.WriteHeader(http.StatusSeeOther)
}
