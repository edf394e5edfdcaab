package server

import (
	"net/http"
)

// activationPath is where the activation links of marketplace products point.
const activationPath = "activation"

// activationBase returns the prefix of activation links: a page of this server, at the
// address that the request was sent to, in place of the publishers' pages.
func (s *Server) activationBase(c *call) string {
	return s.tokens.BaseURL(c.r) + "/" + activationPath + "/"
}

// activationPage describes what a publisher's page would do. Like those pages it needs
// no token, and it knows nothing about the subscription.
func (c *call) activationPage() error {
	h := c.w.Header()
	status, text := http.StatusOK, activationText
	if c.r.Method != http.MethodGet && c.r.Method != http.MethodHead {
		h.Set("Allow", "GET, HEAD")
		status, text = http.StatusMethodNotAllowed, "use GET\n"
	}
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'")
	c.send(status, []byte(text))
	return nil
}

const activationText = `<!doctype html>
<html lang="en">
<title>Activation</title>
<h1>Activation</h1>
<p>This page stands in for the one on which a publisher activates a subscription to its product.
It does nothing by itself.</p>
<p>In a sandbox, activate the subscription with
<code>POST /v1/customers/{customer-id}/subscriptions/{subscription-id}/activate</code>.</p>
</html>
`
