package seed

import (
	"strings"
	"testing"
)

func TestRedirectURIs(t *testing.T) {
	for _, uri := range []string{
		"https://app.example.com/callback", "https://app.example.com", "https://app.example.com:8443/a?b=c%20d",
		"http://localhost", "http://localhost:5000/signin", "http://127.0.0.1:8400",
		"msal7b1d4e90-2c85-4f6a-8e37-d90a5c62b1f8://auth", "com.example.app://callback/path", "urn:ietf:wg:oauth:2.0:oob",
		"https://app.example.com/" + strings.Repeat("a", 232),
	} {
		if problem := redirectURIProblem(uri); problem != "" {
			t.Errorf("%s: %s", uri, problem)
		}
	}
	for uri, want := range map[string]string{
		"":                              "is empty; write one such as https://app.example.com/callback",
		"/callback":                     "is not an absolute address",
		"//app.example.com":             "is not an absolute address",
		"app.example.com/callback":      "is not an absolute address",
		"localhost:5000":                "is not an absolute address",
		"urn:ietf:wg:oauth:2.0:oob:x":   "is not an absolute address",
		"https:app.example.com":         "is not an absolute address",
		"https:///callback":             "has no host",
		"https://:443/":                 "has no host",
		"https://a.example.com:x":       "is not an absolute address",
		"https://a.example.com/%zz":     "is not an absolute address",
		"https://a.example.com/#":       "has a fragment",
		"https://*.example.com":         "has a wildcard",
		"https://a.example.com/a b":     "percent-encode them",
		"https://a.example.com\\@b.c":   "percent-encode them",
		"https://bücher.example":        "in their xn-- form",
		"https://a.example.com\r\nX: y": "percent-encode them",
		"https://ada:x@a.example.com":   `"https://ada:xxxxx@a.example.com" has a user name before its host`,
		"https://localhost@a.example":   "has a user name before its host",
		"http://a.example.com":          "use https, or http to localhost",
		"http://localhost.example.com":  "use https, or http to localhost",
		"http://127.0.0.2":              "use https, or http to localhost",
		"http://[::1]":                  "use https, or http to localhost",
		"javascript://a/%0aalert(1)":    "would be acted on by the browser",
		"JavaScript://a/%0aalert(1)":    "would be acted on by the browser",
		"data://text/html,x":            "would be acted on by the browser",
		"file:///etc/passwd":            "would be acted on by the browser",
		"https://app.example.com/" + strings.Repeat("a", 233): "is 257 bytes long, at most 256 are allowed",
	} {
		if problem := redirectURIProblem(uri); !strings.Contains(problem, want) {
			t.Errorf("%s: problem is %q, want …%s…", uri, problem, want)
		}
	}
}
