package issuer

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"
	"net/url"
	"strings"
)

// page is an answer for a person in a browser.
type page struct {
	name   string // of its template
	status int    // zero means 200
	action string // an address of an app that the page, or what follows it, leads to
	script bool   // it sends its form by itself
	data   pageData
}

// pageData is what the templates show.
type pageData struct {
	Nonce         string // of the page's style and script
	Title, Text   string
	Problem       string // what was wrong about the last entry
	Flow          string
	User          string
	Code          string // of a device
	App           string
	Publisher     string
	Resource      string
	Tenant        string
	Offline       bool // the app may act while the user is away
	Administrator bool
	Action        string     // where a form that sends itself goes
	Fields        url.Values // and what it sends
	Trace         string     // of an error
}

//go:embed page.html
var pageFiles embed.FS

var pages = template.Must(template.ParseFS(pageFiles, "page.html"))

// write writes the page. It can be shown in no frame, loads nothing, and sends
// its form nowhere but here and to the app.
func (p *page) write(w http.ResponseWriter) error {
	p.data.Nonce = randomID()
	var body bytes.Buffer
	if err := pages.ExecuteTemplate(&body, p.name, p.data); err != nil {
		return err
	}
	policy := "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; style-src 'nonce-" + p.data.Nonce + "'; form-action 'self'" + formTarget(p.action)
	if p.script {
		policy += "; script-src 'nonce-" + p.data.Nonce + "'"
	}
	neverStore(w)
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	if p.status == 0 {
		p.status = http.StatusOK
	}
	w.WriteHeader(p.status)
	// An error here is the connection's: there is nobody left to be told.
	_, _ = w.Write(body.Bytes())
	return nil
}

// formTarget is an app's address as a source of the content security policy:
// browsers follow a form's redirect only to where the form itself may go.
func formTarget(address string) string {
	u, err := url.Parse(address)
	switch {
	case address == "" || err != nil || u.Scheme == "":
		return ""
	case u.Scheme != "http" && u.Scheme != "https":
		return " " + u.Scheme + ":"
	case strings.ContainsAny(u.Host, "; ,'\""):
		return ""
	}
	return " " + u.Scheme + "://" + u.Host
}

// redirect is an answer that sends the browser elsewhere.
type redirect string

func (to redirect) write(w http.ResponseWriter) {
	neverStore(w)
	w.Header().Set("Referrer-Policy", "no-referrer")
	w.Header().Set("Location", string(to))
	// What was posted here is not to be posted there.
	w.WriteHeader(http.StatusSeeOther)
}
