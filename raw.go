package partnercenter

import (
	"bytes"
	"context"
	"net/http"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
)

// RawRequest is a request to any address of the service, for [Client.Do].
type RawRequest struct {
	Method string
	// URI is the address, as [Client.ResolveURI] takes it, with its query.
	URI string
	// Header has further headers. Those of the sign-in are the client's.
	Header http.Header
	// Body is JSON, unless Header has another Content-Type. Nil means none.
	Body []byte
}

// RawAnswer is a successful answer to a [RawRequest].
type RawAnswer struct {
	StatusCode int
	Header     http.Header
	Body       []byte // as it came; it may be empty
}

// Do makes a call that this package has no verb for. Its request ids, retries, budget and
// checks are those of the verbs.
//
// The error is [ErrForeignLink] for an address at another host, and an [*Error] if the
// service refuses.
func (c *Client) Do(ctx context.Context, r *RawRequest) (*RawAnswer, error) {
	address, err := c.ResolveURI(r.URI)
	if err != nil {
		return nil, err
	}
	req := request{method: r.Method, address: address, header: r.Header}
	if r.Body != nil {
		req.content, req.contentType = bytes.NewReader(r.Body), "application/json"
		if kind := r.Header.Get("Content-Type"); kind != "" {
			req.contentType = kind
		}
	}
	resp, state, err := c.do(ctx, req) //nolint:bodyclose // the body is in memory
	if err != nil {
		return nil, err
	}
	body, err := runtime.Payload(resp)
	if err != nil {
		return nil, state.lost(resp.Request, err)
	}
	return &RawAnswer{StatusCode: resp.StatusCode, Header: resp.Header, Body: body}, nil
}
