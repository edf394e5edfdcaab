package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"regexp"
	"strings"
)

// person goes through sign-in pages as people with a browser do: one form after
// the other, until there is none.
type person struct {
	user, password string
	decline        bool // at the page that asks for consent
	browser        *http.Client
}

// newPerson returns somebody whose browser trusts the certificate authority of a
// file.
func newPerson(caFile, user, password string) (*person, error) {
	pem, err := os.ReadFile(caFile)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	return &person{user: user, password: password, browser: &http.Client{
		Jar: jar, Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}},
	}}, nil
}

var (
	formTag   = regexp.MustCompile(`(?s)<form method="post" action="([^"]*)".*?</form>`)
	inputTag  = regexp.MustCompile(`<input [^>]*>`)
	nameAttr  = regexp.MustCompile(` name="([^"]*)"`)
	valueAttr = regexp.MustCompile(` value="([^"]*)"`)
	doAttr    = regexp.MustCompile(`<button[^>]* name="do" value="([^"]*)"`)
	tag       = regexp.MustCompile(`(?s)<style.*?</style>|<script.*?</script>|<[^>]*>`)
)

// signIn opens a page and answers all that come. It returns the last one's text.
func (p *person) signIn(address, deviceCode string) (text string, err error) {
	resp, err := p.browser.Get(address)
	for range 10 {
		if err != nil {
			return "", err
		}
		body, readErr := io.ReadAll(resp.Body)
		resp.Body.Close()
		if readErr != nil {
			return "", readErr
		}
		page := string(body)
		text = strings.Join(strings.Fields(html.UnescapeString(tag.ReplaceAllString(page, " "))), " ")
		form := formTag.FindStringSubmatch(page)
		if form == nil {
			return text, nil
		}
		if strings.Contains(form[0], `role="alert"`) || strings.Contains(page, `class="problem"`) {
			return text, errors.New("the page complains: " + text)
		}
		action, parseErr := resp.Request.URL.Parse(html.UnescapeString(form[1]))
		if parseErr != nil {
			return text, parseErr
		}
		resp, err = p.browser.PostForm(action.String(), p.fill(form[0], deviceCode))
	}
	return text, fmt.Errorf("the pages do not end; the last one says %s", text)
}

// fill answers a form: what stands in it, who the person is, and yes.
func (p *person) fill(form, deviceCode string) url.Values {
	values := url.Values{}
	attribute := func(pattern *regexp.Regexp, of string) string {
		if m := pattern.FindStringSubmatch(of); m != nil {
			return html.UnescapeString(m[1])
		}
		return ""
	}
	for _, input := range inputTag.FindAllString(form, -1) {
		switch name := attribute(nameAttr, input); {
		case strings.Contains(input, `type="checkbox"`):
		case name == "username":
			values.Set(name, p.user)
		case name == "password":
			values.Set(name, p.password)
		case name == "user_code":
			values.Set(name, deviceCode)
		default:
			values.Set(name, attribute(valueAttr, input))
		}
	}
	if do := attribute(doAttr, form); do != "" {
		if do == "accept" && p.decline {
			do = "decline"
		}
		values.Set("do", do)
	}
	return values
}

// browserMain is a browser for scripts: it opens the page of its last argument
// as the person in its variables, and notes the last page's text or what went
// wrong in a file.
func browserMain() {
	p, err := newPerson(os.Getenv("BROWSER_CA"), os.Getenv("BROWSER_USER"), os.Getenv("BROWSER_PASSWORD"))
	var text string
	if err == nil {
		p.decline = os.Getenv("BROWSER_DECLINE") != ""
		text, err = p.signIn(os.Args[len(os.Args)-1], "")
	}
	if err != nil {
		text += "\nerror: " + err.Error()
	}
	if log := os.Getenv("BROWSER_LOG"); log != "" {
		// Scripts wait for the file: it appears when it is complete.
		err := os.WriteFile(log+".part", []byte(text+"\n"), 0o600)
		if err == nil {
			err = os.Rename(log+".part", log)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}
