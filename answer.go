package partnercenter

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/partnercenter-go/partnercenter/internal/walk"
)

// LargeAnswerError reports a successful answer that is larger than
// ClientOptions.MaxAnswerSize. No more of it was read.
type LargeAnswerError struct {
	Method, URL string // without the query
	Limit       int64  // in bytes
}

func (e *LargeAnswerError) Error() string {
	return fmt.Sprintf("partnercenter: %s %s has an answer of more than %d bytes: the rest was not read; ask for less at once, check where it comes from, or set ClientOptions.MaxAnswerSize", e.Method, e.URL, e.Limit)
}

// NonRetriable marks the error as one that azcore must not retry.
func (*LargeAnswerError) NonRetriable() {}

// maxErrorSize is how much of an unsuccessful answer is read, in bytes: far more than one
// needs. The rest is left out, so that the status is reported in any case.
const maxErrorSize = 1 << 20

// boundedTransport bounds what is read of answers. It counts what they are decompressed
// to. It is a transport because azcore's policies get answers that are read already.
type boundedTransport struct {
	next  policy.Transporter
	limit int64
}

func (t boundedTransport) Do(req *http.Request) (*http.Response, error) {
	resp, err := t.next.Do(req)
	switch {
	case err != nil || resp.Body == nil:
		return resp, err
	case resp.StatusCode < 200 || resp.StatusCode > 299:
		resp.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(resp.Body, min(maxErrorSize, t.limit)), resp.Body}
	default:
		u := *req.URL
		u.RawQuery, u.User = "", nil
		resp.Body = &limitedBody{body: resp.Body, left: t.limit, share: walk.ShareOf(req.Context()), err: &LargeAnswerError{req.Method, u.String(), t.limit}}
	}
	return resp, nil
}

// limitedBody fails with an error after a number of bytes, or when answers that are kept
// together have too many.
type limitedBody struct {
	body  io.ReadCloser
	left  int64
	share *walk.Share // nil for none
	taken int         // of the share
	err   error
}

func (l *limitedBody) Read(p []byte) (int, error) {
	if l.left < 0 {
		return 0, l.err
	}
	if int64(len(p)) > l.left+1 {
		p = p[:l.left+1] // one extra byte detects a larger body
	}
	n, err := l.body.Read(p)
	if l.left -= int64(n); l.left < 0 {
		return n - 1, l.err
	}
	if l.share != nil {
		if full := l.share.Take(n); full != nil {
			return 0, full
		}
		if l.taken += n; err != nil && !errors.Is(err, io.EOF) {
			l.share.Return(l.taken) // of an answer that broke off nothing is kept
			l.taken = 0
		}
	}
	return n, err
}

func (l *limitedBody) Close() error { return l.body.Close() }

// maxDepth is how deep values may be nested in an answer. Those of the API are less than
// 20 deep, and each level makes all that is in it longer when it is printed in lines.
const maxDepth = 100

// checkDepth fails for JSON that is nested deeper than maxDepth. Other content, which
// begins otherwise, may have any brackets.
func checkDepth(body []byte) error {
	if start := bytes.TrimLeft(bytes.TrimPrefix(body, byteOrderMark), " \t\r\n"); len(start) == 0 || start[0] != '{' && start[0] != '[' {
		return nil
	}
	depth, quoted := 0, false
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			if depth++; depth > maxDepth {
				return fmt.Errorf("its values are nested more than %d deep", maxDepth)
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return nil
}
