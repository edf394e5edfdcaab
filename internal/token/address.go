package token

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/partnercenter-go/partnercenter/internal/ascii"
)

// DefaultLeeway is how far the clocks of issuer and checker may differ.
const DefaultLeeway = time.Minute

// KeyBits is the size of Microsoft's signing keys, and the minimum.
const KeyBits = 2048

// The app ids of the API and of the directory graphs, which name them as well as their
// addresses do. That of the API is the audience of Microsoft's 2.0 tokens.
const (
	APIAppID   = "fa3d9a0c-3fb0-42cc-9193-47c7ecd2edbd"
	GraphAppID = "00000002-0000-0000-c000-000000000000"
)

// DefaultResources are the audiences in Microsoft's clouds: the API itself, and the
// directory graph that app-only clients used to request.
var DefaultResources = []string{
	"https://api.partnercenter.microsoft.com",
	"https://graph.windows.net",
	"https://partner.partnercenterapi.microsoftonline.cn",
	"https://graph.chinacloudapi.cn",
	"https://graph.cloudapi.de",
}

// addresses are the addresses of the API and of the directory graph in the clouds, by
// app id, the global cloud's first.
var addresses = map[string][]string{
	APIAppID:   {"https://api.partnercenter.microsoft.com", "https://partner.partnercenterapi.microsoftonline.cn"},
	GraphAppID: {"https://graph.windows.net", "https://graph.chinacloudapi.cn", "https://graph.cloudapi.de"},
}

// AppOf returns the app id of the API or of a directory graph, by its address or id. It
// is empty for other resources.
func AppOf(resource string) string {
	key := ResourceKey(resource)
	for id, urls := range addresses {
		if key == id || slices.Contains(urls, key) {
			return id
		}
	}
	return ""
}

// IsGraph reports whether an audience is a cloud's directory graph, which apps could
// call the API with.
func IsGraph(audience string) bool { return AppOf(audience) == GraphAppID }

// ResourceKey returns the form in which resources are compared: Microsoft accepts them
// in any case and with or without a final slash.
func ResourceKey(resource string) string {
	return ascii.ToLower(strings.TrimSuffix(resource, "/"))
}

// NormalBases normalizes base URLs and removes duplicates.
func NormalBases(urls []string) ([]string, error) {
	bases := make([]string, 0, len(urls))
	for _, u := range urls {
		base, ok := NormalBase(u)
		if !ok {
			return nil, fmt.Errorf("base URL %q: give scheme, host and port only, such as https://localhost:8443", u)
		}
		if !slices.Contains(bases, base) {
			bases = append(bases, base)
		}
	}
	return bases, nil
}

// NormalBase returns a base URL in the form in which they are compared and written into
// tokens: lower case, without a default port or a final slash. It reports whether text
// is a base URL.
func NormalBase(text string) (string, bool) {
	u, err := url.Parse(ascii.ToLower(text))
	if err != nil || u.Hostname() == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return "", false
	}
	host := u.Host
	switch u.Scheme {
	case "http":
		host = strings.TrimSuffix(host, ":80")
	case "https":
		host = strings.TrimSuffix(host, ":443")
	default:
		return "", false
	}
	return u.Scheme + "://" + host, true
}

// BaseOf returns the base URL that r was sent to, empty if there are none. A Host
// header with an unknown name is not trusted: it would end up in tokens and links.
func BaseOf(bases []string, r *http.Request) string {
	if len(bases) == 0 {
		return ""
	}
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	if base, ok := NormalBase(scheme + "://" + r.Host); ok && slices.Contains(bases, base) {
		return base
	}
	return bases[0]
}
