package partnercenter

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
)

// apiVersion is the first segment of the API's paths.
const apiVersion = "/v1"

// segment escapes an id for a path. It refuses what would name another
// resource than the caller means.
func segment(what, id string) (string, error) {
	switch id {
	case "":
		return "", fmt.Errorf("partnercenter: the %s is empty: pass it to ByID", what)
	case ".", "..":
		return "", fmt.Errorf("partnercenter: %q is no %s: pass the id that the service answered", id, what)
	}
	return url.PathEscape(id), nil
}

// url returns the address of an escaped path below the version root.
func (c *Client) url(path string, query url.Values) string {
	u := c.endpoint.Scheme + "://" + c.endpoint.Host + c.endpoint.Path + apiVersion + path
	if len(query) > 0 {
		u += "?" + query.Encode()
	}
	return u
}

// path is an escaped path below the version root, or why there is none. It is
// put together by accessors, which cannot fail, and looked at by verbs.
type path struct {
	text string
	err  error
}

// name appends fixed segments.
func (p path) name(segments string) path {
	p.text += "/" + segments
	return p
}

// id appends an id.
func (p path) id(what, id string) path {
	escaped, err := segment(what, id)
	if p.err == nil {
		p.err = err
	}
	p.text += "/" + escaped
	return p
}

func customerPath(id string) path { return path{}.name("customers").id("customer id", id) }

// read gets what a path leads to.
func read[T any](ctx context.Context, c *Client, p path, query url.Values) (*T, error) {
	if p.err != nil {
		return nil, p.err
	}
	out := new(T)
	if err := c.get(ctx, c.url(p.text, query), nil, out); err != nil {
		return nil, err
	}
	return out, nil
}

// readAll yields the items of the list that a path leads to, following next
// pages, with the checks of [OrdersClient.All].
func readAll[T any](ctx context.Context, c *Client, p path, query url.Values) iter.Seq2[*T, error] {
	return paged(c, p.text, func() fetch[T] {
		return linked(ctx, c, func() (*Collection[*T], error) { return read[Collection[*T]](ctx, c, p, query) })
	})
}

// write sends in to a path and returns what the service answers.
func write[T any](ctx context.Context, c *Client, method string, p path, header http.Header, in any) (*T, error) {
	if p.err != nil {
		return nil, p.err
	}
	out := new(T)
	if err := c.send(ctx, method, c.url(p.text, nil), header, in, out); err != nil {
		return nil, err
	}
	return out, nil
}

// get reads one resource from an address of this service into out.
func (c *Client) get(ctx context.Context, address string, header http.Header, out any) error {
	return c.send(ctx, http.MethodGet, address, header, nil, out)
}

// send makes a call with in as its JSON body and reads the answer into out. A
// nil in sends no body. A nil out takes any answer of success.
//
// All tries of a call carry one MS-RequestId, by which the service knows a
// write that it did already.
func (c *Client) send(ctx context.Context, method, address string, header http.Header, in, out any) error {
	var body io.ReadSeeker
	if in != nil {
		data, err := Marshal(in)
		if err != nil {
			return fmt.Errorf("partnercenter: the request cannot be written as JSON: %w", err)
		}
		body = bytes.NewReader(data)
	}
	_, err := c.sendBody(ctx, method, address, header, "application/json", body, in, out)
	return err
}

// sendBody makes a call with a body of any type and returns the answer's
// header. A nil body sends none; in is what it says, if that is a resource. An
// answer of success without a body leaves out as it is if the status says that
// there is nothing to read yet.
func (c *Client) sendBody(ctx context.Context, method, address string, header http.Header, contentType string, content io.ReadSeeker, in, out any) (http.Header, error) {
	resp, state, err := c.do(ctx, method, address, header, contentType, content, in, false) //nolint:bodyclose // it is in memory
	if err != nil {
		return nil, err
	}
	body, err := runtime.Payload(resp)
	if err != nil {
		return nil, state.lost(resp.Request, err)
	}
	if out == nil || len(body) == 0 && (resp.StatusCode == http.StatusAccepted || resp.StatusCode == http.StatusNoContent) {
		return resp.Header, nil
	}
	if err := Unmarshal(body, out); err != nil {
		return nil, &DecodeError{
			Method: method, URL: strings.SplitN(address, "?", 2)[0], RequestID: firstValue(resp, headerRequestID),
			ContentType: resp.Header.Get("Content-Type"), Description: describeText(resp, body), Err: err,
		}
	}
	return resp.Header, nil
}

// do makes a call and returns an answer of success; any other is an [*Error].
// Unless it is to be streamed, the answer's body is in memory.
func (c *Client) do(ctx context.Context, method, address string, header http.Header, contentType string, content io.ReadSeeker, in any, stream bool) (*http.Response, *callState, error) {
	req, err := runtime.NewRequest(ctx, method, address)
	if err != nil {
		return nil, nil, err
	}
	operation := c.operation(req.Raw(), in)
	if err := c.offered(operation, req.Raw(), in); err != nil {
		return nil, nil, err
	}
	state := &callState{write: method != http.MethodGet, operation: operation}
	req.SetOperationValue(state)
	if stream {
		runtime.SkipBodyDownload(req)
	}
	h := req.Raw().Header
	for key, values := range header {
		h[key] = values
	}
	if content != nil {
		state.body = &replay{content: content}
		if err := req.SetBody(state.body, contentType); err != nil {
			return nil, nil, fmt.Errorf("partnercenter: the request's body cannot be read: %w", err)
		}
	}
	if h.Get("Accept") == "" {
		h.Set("Accept", "application/json")
	}
	if v, ok := ctx.Value(idsKey{}).(ids); ok {
		if v.request != "" {
			h.Set(headerRequestID, v.request)
		}
		if v.correlation != "" {
			h.Set(headerCorrelationID, v.correlation)
		}
	}
	// The pipeline reads and closes the body, or the caller does.
	resp, err := c.pipeline.Do(req) //nolint:bodyclose
	if errors.Is(err, io.ErrUnexpectedEOF) && !state.write {
		err = fmt.Errorf("partnercenter: %s broke off in the middle of its answer: %w; try again", req.Raw().URL.Host, err)
	}
	if err != nil {
		return nil, nil, state.lost(req.Raw(), err)
	}
	if resp.StatusCode >= 200 && resp.StatusCode <= 299 {
		return resp, state, nil
	}
	body, err := runtime.Payload(resp)
	if err != nil {
		return nil, nil, state.lost(req.Raw(), err)
	}
	failed := newError(resp, body)
	failed.Unsettled = state.unsettled(failed)
	return nil, nil, failed
}

// DecodeError says that an answer of success was not what the API documents:
// another program's web page, or a body that is cut off.
type DecodeError struct {
	Method, URL string
	RequestID   string
	ContentType string
	Description string // the beginning of the answer, or what it seems to be
	Err         error  // what the decoder met
}

func (e *DecodeError) Error() string {
	return fmt.Sprintf("partnercenter: %s %s answered no JSON of the API (%s): %v: %s; check that the base URL is Partner Center's and try again",
		e.Method, e.URL, e.ContentType, e.Err, e.Description)
}

// Unwrap returns what the decoder met.
func (e *DecodeError) Unwrap() error { return e.Err }

// ErrForeignLink says that a link leads to another host than the client's. The
// client never sends its token there.
var ErrForeignLink = errors.New("partnercenter: the link leads to another host than the client's endpoint: it was not followed, to keep the token; check where the answer came from")

// ResolveURI returns the absolute address of a link's URI below this client's
// endpoint. It reads relative URIs with or without a leading slash, with or
// without "/v1", and absolute ones; "/v1" is there once in the result.
// [ErrForeignLink] is the answer to any other scheme, host or port.
func (c *Client) ResolveURI(uri string) (string, error) {
	u, err := url.Parse(uri)
	if err != nil {
		return "", fmt.Errorf("partnercenter: link %q is unreadable: %w", uri, err)
	}
	if u.User != nil || u.Opaque != "" {
		return "", ErrForeignLink
	}
	if u.Scheme != "" || u.Host != "" {
		scheme := u.Scheme
		if scheme == "" {
			scheme = c.endpoint.Scheme
		}
		if !strings.EqualFold(scheme, c.endpoint.Scheme) || !strings.EqualFold(u.Host, c.endpoint.Host) {
			return "", ErrForeignLink
		}
	}
	path := u.EscapedPath()
	if base := c.endpoint.Path; base != "" && u.Host != "" {
		path = strings.TrimPrefix(path, base)
	}
	var parts []string
	for part := range strings.SplitSeq(path, "/") {
		switch {
		case part == "":
			continue // doubled, leading or trailing slash
		case part == "." || part == "..":
			return "", fmt.Errorf("partnercenter: link %q climbs out of its path: it was not followed; check where the answer came from", uri)
		case len(parts) == 0 && (strings.EqualFold(part, "v1") || strings.EqualFold(part, "v1.0")):
			continue
		}
		parts = append(parts, part)
	}
	prefix := c.endpoint.Scheme + "://" + c.endpoint.Host + c.endpoint.Path
	// The two services beside the API carry the version behind their own name.
	if len(parts) == 0 || (!strings.EqualFold(parts[0], "webhooks") && !strings.EqualFold(parts[0], "auditactivity")) {
		prefix += apiVersion
	}
	address := prefix
	if len(parts) > 0 {
		address += "/" + strings.Join(parts, "/")
	}
	if u.RawQuery != "" {
		address += "?" + u.RawQuery
	}
	return address, nil
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
	return c.get(ctx, address, header, out)
}

// ErrMethodNotFollowed says that a link names another method than GET, so that
// following it would change something.
var ErrMethodNotFollowed = errors.New("partnercenter: the link is for another method than GET and was not followed: use the verb that makes this change, such as Patch")

// ErrCustomerMissing says that a link leaves out whose resource it leads to.
var ErrCustomerMissing = errors.New("partnercenter: the link leaves out the customer and was not followed: follow it with CustomerClient.Follow")

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
	id, err := segment("customer id", c.id)
	if err != nil {
		return err
	}
	completed := *link
	completed.URI = "/customers/" + id + "/" + belowVersion(link.URI)
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
	for _, version := range []string{"v1/", "v1.0/"} {
		if len(uri) > len(version) && strings.EqualFold(uri[:len(version)], version) {
			return strings.TrimLeft(uri[len(version):], "/")
		}
	}
	return uri
}
