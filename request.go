package partnercenter

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
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
	var body io.ReadSeekCloser
	if in != nil {
		data, err := Marshal(in)
		if err != nil {
			return fmt.Errorf("partnercenter: the request cannot be written as JSON: %w", err)
		}
		body = streaming.NopCloser(bytes.NewReader(data))
	}
	_, err := c.sendBody(ctx, method, address, header, "application/json", body, out)
	return err
}

// sendBody makes a call with a body of any type and returns the answer's
// header. A nil body sends none.
func (c *Client) sendBody(ctx context.Context, method, address string, header http.Header, contentType string, content io.ReadSeekCloser, out any) (http.Header, error) {
	req, err := runtime.NewRequest(ctx, method, address)
	if err != nil {
		return nil, err
	}
	h := req.Raw().Header
	for key, values := range header {
		h[key] = values
	}
	if content != nil {
		if err := req.SetBody(content, contentType); err != nil {
			return nil, fmt.Errorf("partnercenter: the request's body cannot be read: %w", err)
		}
	}
	h.Set("Accept", "application/json")
	if v, ok := ctx.Value(idsKey{}).(ids); ok {
		if v.request != "" {
			h.Set(headerRequestID, v.request)
		}
		if v.correlation != "" {
			h.Set(headerCorrelationID, v.correlation)
		}
	}
	// The pipeline reads and closes the body.
	resp, err := c.pipeline.Do(req) //nolint:bodyclose
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, fmt.Errorf("partnercenter: %s broke off in the middle of its answer: %w; try again", req.Raw().URL.Host, err)
	}
	if err != nil {
		return nil, err
	}
	body, err := runtime.Payload(resp)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return nil, newError(resp, body)
	}
	if out == nil {
		return resp.Header, nil
	}
	if err := Unmarshal(body, out); err != nil {
		return nil, &DecodeError{
			Method: req.Raw().Method, URL: strings.SplitN(address, "?", 2)[0], RequestID: firstValue(resp, headerRequestID),
			ContentType: resp.Header.Get("Content-Type"), Description: describeText(resp, body), Err: err,
		}
	}
	return resp.Header, nil
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
