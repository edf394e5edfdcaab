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
	u, err := url.Parse(uri)
	if err != nil {
		return "", fmt.Errorf("partnercenter: link %q is unreadable: %w", uri, err)
	}
	if u.User != nil || u.Opaque != "" {
		return "", ErrForeignLink
	}
	if u.Scheme != "" || u.Host != "" {
		scheme := cmp.Or(u.Scheme, c.endpoint.Scheme)
		if !strings.EqualFold(scheme, c.endpoint.Scheme) || !strings.EqualFold(u.Host, c.endpoint.Host) {
			return "", ErrForeignLink
		}
	}
	segments := strings.FieldsFunc(u.EscapedPath(), func(r rune) bool { return r == '/' })
	for _, segment := range segments {
		if name, err := url.PathUnescape(segment); err != nil || name == "." || name == ".." {
			return "", fmt.Errorf("partnercenter: link %q contains dot segments: it was not followed; check where the answer came from", uri)
		}
	}
	// An absolute link has the endpoint's path in front of the version, and a relative
	// one may.
	if base := strings.FieldsFunc(c.endpoint.EscapedPath(), func(r rune) bool { return r == '/' }); len(base) > 0 {
		switch {
		case len(segments) >= len(base) && slices.Equal(segments[:len(base)], base) &&
			(u.Host != "" || len(segments) > len(base) && isVersion(segments[len(base)])):
			segments = segments[len(base):]
		case u.Host != "":
			return "", ErrForeignLink
		}
	}
	for len(segments) > 0 && isVersion(segments[0]) {
		segments = segments[1:]
	}
	below := ""
	for _, segment := range segments {
		below += "/" + segment
	}
	return c.address(below, u.RawQuery), nil
}

// follow reads the target of a link.
func (c *Client) follow(ctx context.Context, link *Link, out any) error {
	address, err := c.ResolveURI(link.URI)
	if err != nil {
		return err
	}
	// Only the continuation token is taken from a link's headers: a link must
	// not set others, such as Authorization.
	header := http.Header{}
	if token := continuation(link); token != "" {
		header.Set(headerContinuationToken, token)
	}
	_, err = c.send(ctx, request{method: http.MethodGet, address: address, header: header}, out)
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
	if customerless(link.URI) {
		return ErrCustomerMissing
	}
	return c.follow(ctx, link, out)
}

// Follow reads the target of a link of one of the customer's resources, as
// [Client.Follow] does. It adds the customer to links that do not name it, such
// as some to a subscription's provisioning status.
func (c *CustomerClient) Follow(ctx context.Context, link *Link, out any) error {
	if err := followable(link, out); err != nil {
		return err
	}
	if !customerless(link.URI) {
		return c.client.follow(ctx, link, out)
	}
	if c.err != nil {
		return c.err
	}
	completed := *link
	completed.URI = c.name(belowVersion(link.URI)).path
	return c.client.follow(ctx, &completed, out)
}

func followable(link *Link, out any) error {
	switch v := reflect.ValueOf(out); {
	case v.Kind() != reflect.Pointer || v.IsNil():
		return fmt.Errorf("partnercenter: a link cannot be read into %T: pass a pointer that is not nil, such as new(Order)", out)
	case link == nil || link.URI == "":
		return errors.New("partnercenter: there is no link to follow: the answer did not have one")
	case link.Method != "" && !strings.EqualFold(link.Method, http.MethodGet):
		return ErrMethodNotFollowed
	}
	return nil
}

// customerless reports whether a link leads to a subscription without naming the
// customer.
func customerless(uri string) bool {
	first, _, _ := strings.Cut(belowVersion(uri), "/")
	return strings.EqualFold(first, "subscriptions")
}

// belowVersion returns a relative URI without the version and the leading
// slash. An absolute one keeps its scheme or an empty first segment, and is
// left to [Client.ResolveURI].
func belowVersion(uri string) string {
	uri = strings.TrimPrefix(uri, "/")
	if first, below, _ := strings.Cut(uri, "/"); isVersion(first) {
		return strings.TrimLeft(below, "/")
	}
	return uri
}
