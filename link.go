package partnercenter

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/quote"
)

// Link is a link of a resource. Its URI is relative to the version root,
// usually without "/v1"; [Client.ResolveURI] returns an absolute address that
// is safe to send a token to.
type Link struct {
	URI     string         `json:"uri,omitzero"`
	Method  string         `json:"method,omitzero"` // GET, PATCH; some answers write Get
	Headers []LinkHeader   `json:"headers,omitzero"`
	Body    string         `json:"body,omitzero"`
	Extra   jsontext.Value `json:",embed"`
}

// NewLink returns a link with an empty list of headers, as the service usually
// writes it, for programs that make answers: servers and tests.
func NewLink(method, uri string) *Link {
	return &Link{URI: uri, Method: method, Headers: []LinkHeader{}}
}

// LinkHeader is a header to send when following a [Link], such as
// MS-ContinuationToken for a next page.
type LinkHeader struct {
	Key   string         `json:"key,omitzero"`
	Value string         `json:"value,omitzero"`
	Extra jsontext.Value `json:",embed"`
}

// ResourceLinks are the links of a collection, or of a resource without
// specific links.
type ResourceLinks struct {
	Self     *Link          `json:"self,omitzero"`
	Next     *Link          `json:"next,omitzero"`
	Previous *Link          `json:"previous,omitzero"`
	Extra    jsontext.Value `json:",embed"`
}

// ResourceAttributes are the metadata of a resource.
type ResourceAttributes struct {
	// Etag is the opaque version. Newer orders have none, and subscriptions to
	// marketplace products an empty one. Do not store it.
	Etag       *string        `json:"etag,omitzero"`
	ObjectType ObjectType     `json:"objectType,omitzero"`
	Extra      jsontext.Value `json:",embed"`
}

// ResolveURI returns the absolute address of a link's URI below this client's
// endpoint. It accepts absolute URIs, and relative ones with or without a
// leading slash and "/v1". The result contains "/v1" exactly once. The error is
// [ErrForeignLink] for another scheme, host or port, and for
// a path outside the endpoint's.
func (c *Client) ResolveURI(uri string) (string, error) {
	t, err := c.target(uri)
	if err != nil {
		return "", err
	}
	return c.address(t.path(), t.query), nil
}

// target is what a link leads to: the escaped segments of its path below the version
// root, and its query.
type target struct {
	segments []string
	query    string
}

func (t target) path() string {
	path := ""
	for _, segment := range t.segments {
		path += "/" + segment
	}
	return path
}

// customerless reports whether a link leads to a subscription without naming the
// customer.
func (t target) customerless() bool {
	return len(t.segments) > 0 && ascii.EqualFold(segmentName(t.segments[0]), "subscriptions")
}

// target returns what a link leads to, with the errors of [Client.ResolveURI].
func (c *Client) target(uri string) (target, error) {
	u, err := url.Parse(uri)
	if err != nil {
		return target{}, fmt.Errorf("partnercenter: link %s is unreadable: %s", quote.Text(uri), shortened(errors.Unwrap(err).Error(), maxName))
	}
	if u.User != nil || u.Opaque != "" {
		return target{}, ErrForeignLink
	}
	if u.Scheme != "" || u.Host != "" {
		u.Scheme = cmp.Or(u.Scheme, c.endpoint.Scheme)
		if u.Scheme != c.endpoint.Scheme || !sameHost(u, c.endpoint) {
			return target{}, ErrForeignLink
		}
	}
	segments := segmentsOf(u)
	for _, segment := range segments {
		// Some servers take an escaped slash, or a backslash, for the end of a segment.
		for part := range strings.FieldsFuncSeq(segmentName(segment), func(r rune) bool { return r == '/' || r == '\\' }) {
			if part == "." || part == ".." {
				return target{}, fmt.Errorf("partnercenter: link %s contains dot segments: it was not followed; check where the answer came from", quote.Text(uri))
			}
		}
	}
	// An absolute link has the endpoint's path in front of the version, and a relative
	// one may.
	if base := segmentsOf(c.endpoint); len(base) > 0 {
		switch {
		case len(segments) >= len(base) && slices.EqualFunc(segments[:len(base)], base, func(a, b string) bool { return segmentName(a) == segmentName(b) }) &&
			(u.Host != "" || len(segments) > len(base) && isVersion(segments[len(base)])):
			segments = segments[len(base):]
		case u.Host != "":
			return target{}, ErrForeignLink
		}
	}
	for len(segments) > 0 && isVersion(segments[0]) {
		segments = segments[1:]
	}
	return target{segments, u.RawQuery}, nil
}

// segmentsOf returns the escaped segments of a path.
func segmentsOf(u *url.URL) []string {
	return strings.FieldsFunc(u.EscapedPath(), func(r rune) bool { return r == '/' })
}

// sameHost reports whether two addresses have the same host and port.
func sameHost(a, b *url.URL) bool {
	return ascii.EqualFold(a.Hostname(), b.Hostname()) && port(a) == port(b)
}

// port returns the port of an address, also if it is the scheme's own.
func port(u *url.URL) string {
	if p := u.Port(); p != "" {
		return p
	}
	switch u.Scheme {
	case "http":
		return "80"
	case "https":
		return "443"
	}
	return ""
}

// follow reads the target of a link.
func (c *Client) follow(ctx context.Context, link *Link, out any) error {
	t, err := c.target(link.URI)
	if err != nil {
		return err
	}
	return c.readTarget(ctx, t, link, out)
}

func (c *Client) readTarget(ctx context.Context, t target, link *Link, out any) error {
	// Only the continuation token is taken from a link's headers: a link must
	// not set others, such as Authorization.
	header := http.Header{}
	if token := continuation(link); token != "" {
		header.Set(headerContinuationToken, token)
	}
	_, err := c.send(ctx, request{method: http.MethodGet, address: c.address(t.path(), t.query), header: header}, out)
	return err
}

// Follow reads the target of a link into out, a pointer to the target's type,
// such as an [*Order] or a [*Collection]. Links may be relative, with or
// without "/v1", or absolute.
//
// The error is [ErrForeignLink] for a link to another host, such as the
// publisher's page of an activation link, [ErrMethodNotFollowed] for a link
// with a method other than GET, [ErrCustomerMissing] for a link to a
// subscription that does not name the customer, and an [*Error] if the service
// refuses.
func (c *Client) Follow(ctx context.Context, link *Link, out any) error {
	if err := followable(link, out); err != nil {
		return err
	}
	t, err := c.target(link.URI)
	if err != nil {
		return err
	}
	if t.customerless() {
		return ErrCustomerMissing
	}
	return c.readTarget(ctx, t, link, out)
}

// Follow reads the target of a link of one of the customer's resources, as
// [Client.Follow] does. It adds the customer to links that do not name it, such
// as some to a subscription's provisioning status.
func (c *CustomerClient) Follow(ctx context.Context, link *Link, out any) error {
	if err := followable(link, out); err != nil {
		return err
	}
	t, err := c.client.target(link.URI)
	if err != nil {
		return err
	}
	if t.customerless() {
		if c.err != nil {
			return c.err
		}
		t.segments = append(strings.Split(strings.TrimPrefix(c.path, "/"), "/"), t.segments...)
	}
	return c.client.readTarget(ctx, t, link, out)
}

func followable(link *Link, out any) error {
	switch v := reflect.ValueOf(out); {
	case v.Kind() != reflect.Pointer || v.IsNil():
		return fmt.Errorf("partnercenter: a link cannot be read into %T: pass a pointer that is not nil, such as new(Order)", out)
	case link == nil || link.URI == "":
		return errors.New("partnercenter: there is no link to follow: the answer did not have one")
	case link.Method != "" && !ascii.EqualFold(link.Method, http.MethodGet):
		return ErrMethodNotFollowed
	}
	return nil
}
