package partnercenter

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Link is a link of a resource. Its URI is relative to the version root,
// normally without "/v1"; [Client.ResolveURI] makes an absolute address of it
// that is safe to send a token to.
type Link struct {
	URI     string         `json:"uri,omitzero"`
	Method  string         `json:"method,omitzero"` // GET, PATCH; some answers write Get
	Headers []LinkHeader   `json:"headers,omitzero"`
	Body    string         `json:"body,omitzero"`
	Extra   jsontext.Value `json:",embed"`
}

// NewLink returns a link as the service writes most: with an empty list of
// headers.
func NewLink(method, uri string) *Link {
	return &Link{URI: uri, Method: method, Headers: []LinkHeader{}}
}

// LinkHeader is a header to send when following a [Link]; on a next page it
// carries MS-ContinuationToken.
type LinkHeader struct {
	Key   string         `json:"key,omitzero"`
	Value string         `json:"value,omitzero"`
	Extra jsontext.Value `json:",embed"`
}

// ResourceLinks are the links of a collection, or of a resource that has no
// links of its own kind.
type ResourceLinks struct {
	Self     *Link          `json:"self,omitzero"`
	Next     *Link          `json:"next,omitzero"`
	Previous *Link          `json:"previous,omitzero"`
	Extra    jsontext.Value `json:",embed"`
}

// ResourceAttributes are the metadata of a resource.
type ResourceAttributes struct {
	// Etag is the opaque version. Newer orders have none, subscriptions to
	// marketplace products the empty text. Do not store it.
	Etag       *string        `json:"etag,omitzero"`
	ObjectType ObjectType     `json:"objectType,omitzero"`
	Extra      jsontext.Value `json:",embed"`
}

// ResolveURI returns the absolute address of a link's URI below this client's
// endpoint. It reads relative URIs with or without a leading slash, with or
// without "/v1", and absolute ones; "/v1" is there once in the result.
// The error is [ErrForeignLink] for any other scheme, host or port, and for a path
// outside of the endpoint's.
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
			return "", fmt.Errorf("partnercenter: link %q climbs out of its path: it was not followed; check where the answer came from", uri)
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

// follow reads what a link of the service leads to.
func (c *Client) follow(ctx context.Context, link *Link, out any) error {
	address, err := c.ResolveURI(link.URI)
	if err != nil {
		return err
	}
	// Only paging travels in a link's headers; anything else, such as another
	// Authorization, is not a link's to set.
	header := http.Header{}
	if token := continuation(link); token != "" {
		header.Set(headerContinuationToken, token)
	}
	_, err = c.send(ctx, request{method: http.MethodGet, address: address, header: header}, out)
	return err
}

// Follow reads what a link of an answer leads to into out, a pointer to the
// type that is there: an [*Order], a [*Collection] of something. It takes
// relative links, links with "/v1" and absolute ones.
//
// [ErrForeignLink] is the answer to a link to another host, such as the
// publisher's page that an activation link names, [ErrMethodNotFollowed] to a
// link that is not for GET, and [ErrCustomerMissing] to a link to a
// subscription without its customer. The service's refusals are an [*Error].
func (c *Client) Follow(ctx context.Context, link *Link, out any) error {
	if err := followable(link); err != nil {
		return err
	}
	if customerless(link.URI) {
		return ErrCustomerMissing
	}
	return c.follow(ctx, link, out)
}

// Follow reads what a link of one of the customer's resources leads to, as
// [Client.Follow] does. Some answers leave the customer out of the link to a
// subscription's provisioning status; it is put in.
func (c *CustomerClient) Follow(ctx context.Context, link *Link, out any) error {
	if err := followable(link); err != nil {
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

func followable(link *Link) error {
	switch {
	case link == nil || link.URI == "":
		return errors.New("partnercenter: there is no link to follow: the answer had none")
	case link.Method != "" && !strings.EqualFold(link.Method, http.MethodGet):
		return ErrMethodNotFollowed
	}
	return nil
}

// customerless reports links to a subscription that do not say whose it is.
func customerless(uri string) bool {
	first, _, _ := strings.Cut(belowVersion(uri), "/")
	return strings.EqualFold(first, "subscriptions")
}

// belowVersion returns a relative URI without the version and without a
// leading slash. An absolute one has its scheme or an empty segment in front,
// and is left to [Client.ResolveURI].
func belowVersion(uri string) string {
	uri = strings.TrimPrefix(uri, "/")
	if first, below, _ := strings.Cut(uri, "/"); isVersion(first) {
		return strings.TrimLeft(below, "/")
	}
	return uri
}
