package contracttest

import (
	"bytes"
	"compress/gzip"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/partnercenter-go/partnercenter/internal/ascii"
)

// checkResponse checks the headers and the body of an answer with a described status.
func (d *document) checkResponse(found *problems, x exchange, response *openapi3.Response) {
	d.checkHeaders(found, x, response.Headers)
	checkEcho(found, x, response.Headers, "MS-RequestId")
	checkEcho(found, x, response.Headers, "MS-CorrelationId")
	checkResponseBody(found, x, response.Content)
}

// checkHeaders checks the described headers, and that every header with the vendor's
// prefix is described.
func (d *document) checkHeaders(found *problems, x exchange, headers openapi3.Headers) {
	described := map[string]bool{}
	for _, name := range sortedKeys(headers) {
		header := headers[name].Value
		described[http.CanonicalHeaderKey(name)] = true
		values := x.response.Values(name)
		switch {
		case len(values) > 1:
			found.add("response header %s: sent %d times", name, len(values))
		case len(values) == 1 && slices.Equal(values, x.request.Values(name)):
			// An echo is as valid as what was sent, which is the request's concern.
		case len(values) == 1:
			checkText(found, "response header "+name, values[0], header.Schema)
		case header.Required:
			found.add("response header %s: required but missing", name)
		}
	}
	for _, name := range sortedKeys(x.response) {
		if isVendorHeader(name) && !described[name] {
			found.add("response header %s: not described for this answer; it carries %s", name, list(sortedKeys(headers)))
		}
	}
}

// checkEcho checks that an id of the request came back, which a schema cannot express.
func checkEcho(found *problems, x exchange, headers openapi3.Headers, name string) {
	sent, got := x.request.Values(name), x.response.Values(name)
	if headers[name] == nil || len(sent) != 1 || len(got) != 1 {
		return
	}
	if headers[name].Value.Schema.Value.VisitJSON(sent[0]) != nil {
		return // not an id that the server could return
	}
	if !ascii.EqualFold(sent[0], got[0]) {
		found.add("response header %s: got %q, expected the request's %q", name, got[0], sent[0])
	}
}

// checkResponseBody checks the type of an answer's body and the body itself.
func checkResponseBody(found *problems, x exchange, content openapi3.Content) {
	if len(content) == 0 {
		if len(x.responseBody) > 0 {
			found.add("response body: the answer has none, got %d bytes", len(x.responseBody))
		}
		return
	}
	types := x.response.Values("Content-Type")
	if len(types) != 1 {
		found.add("response header Content-Type: sent %d times, expected once, %s", len(types), list(sortedKeys(content)))
		return
	}
	mediaType, parameters, err := mime.ParseMediaType(types[0])
	media := content[mediaType]
	if err != nil || media == nil {
		found.add("response header Content-Type: %q is not described; the answer is %s", types[0], list(sortedKeys(content)))
		return
	}
	for name, value := range parameters {
		if name != "charset" || !ascii.EqualFold(value, "utf-8") {
			found.add("response header Content-Type: got %q, expected no parameter but charset=utf-8", types[0])
		}
	}
	if x.method == http.MethodHead {
		return
	}
	body, ok := decompress(found, x)
	if !ok {
		return
	}
	switch mediaType {
	case "application/json":
		value, ok := decodeJSON(found, "response body", body)
		if !ok {
			return
		}
		checkValue(found, "response body", value, media.Schema, openapi3.VisitAsResponse())
		checkTotalCount(found, value)
	case "text/plain", "text/html":
		if !utf8.Valid(body) {
			found.add("response body: not UTF-8")
		}
		checkValue(found, "response body", string(body), media.Schema, openapi3.VisitAsResponse())
	case "application/octet-stream": // any bytes are valid
	default:
		found.add("response body: the checker cannot read %s yet; teach checkResponseBody", mediaType)
	}
}

// decompress returns the body as the caller reads it.
func decompress(found *problems, x exchange) ([]byte, bool) {
	encodings := x.response.Values("Content-Encoding")
	switch {
	case len(encodings) == 0 || slices.Equal(encodings, []string{"identity"}):
		return x.responseBody, true
	case slices.Equal(encodings, []string{"gzip"}):
		r, err := gzip.NewReader(bytes.NewReader(x.responseBody))
		if err != nil {
			found.add("response body: not gzip, as Content-Encoding says: %v", err)
			return nil, false
		}
		body, err := io.ReadAll(r)
		if err != nil {
			found.add("response body: broken gzip: %v", err)
			return nil, false
		}
		return body, true
	}
	found.add("response header Content-Encoding: got %q, expected gzip or none", strings.Join(encodings, ", "))
	return nil, false
}

// checkTotalCount checks that a collection counts its own items, which a schema cannot
// express.
func checkTotalCount(found *problems, body any) {
	collection, _ := body.(map[string]any)
	items, isArray := collection["items"].([]any)
	count, isNumber := collection["totalCount"].(float64)
	if isArray && isNumber && count != float64(len(items)) {
		found.add("response body /totalCount: got %v, expected the number of items, %d", count, len(items))
	}
}
