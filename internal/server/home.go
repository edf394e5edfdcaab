package server

import (
	"bytes"
	_ "embed"
	"html/template"
	"net/http"
	"strconv"
	"strings"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/ascii"
)

// Listener is an address of the server, to show.
type Listener struct{ Name, URL string }

//go:embed home.html
var homeHTML string

var homePage = template.Must(template.New("home").Parse(homeHTML))

// asksForPage reports whether a request is that of a person with a browser. Clients of the
// API ask for JSON, for anything, or for nothing.
func (c *call) asksForPage() bool {
	return (c.r.Method == http.MethodGet || c.r.Method == http.MethodHead) && strings.Contains(ascii.ToLower(c.r.Header.Get("Accept")), "text/html")
}

// home sends the page at the root, which says what this is.
func (s *Server) home(c *call) error {
	var page bytes.Buffer
	if err := homePage.Execute(&page, map[string]any{
		"Version": partnercenter.Version, "Cloud": s.config.Cloud, "Listeners": s.config.Listeners, "SignsIn": s.config.Entra == nil,
	}); err != nil {
		return err
	}
	h := c.w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(page.Len()))
	h.Set("Content-Security-Policy", "default-src 'none'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("Vary", "Accept")
	h.Set("Cache-Control", "no-store")
	c.send(http.StatusOK, page.Bytes())
	return nil
}
