package contracttest

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/contract"
)

// document is the OpenAPI document, with its paths prepared for matching.
type document struct {
	spec  *openapi3.T
	paths []pathTemplate
}

// pathTemplate is a path of the document; a parameter is written {name}.
type pathTemplate struct {
	segments []string
	item     *openapi3.PathItem
}

// loadDocument parses the document once.
var loadDocument = sync.OnceValues(func() (*document, error) {
	spec, err := openapi3.NewLoader().LoadFromData(contract.OpenAPI)
	if err != nil {
		return nil, err
	}
	doc := &document{spec: spec}
	for path, item := range spec.Paths.Map() {
		doc.paths = append(doc.paths, pathTemplate{strings.Split(strings.Trim(path, "/"), "/"), item})
	}
	// A fixed segment wins over a parameter: fewest parameters first.
	slices.SortFunc(doc.paths, func(a, b pathTemplate) int {
		if n := a.parameters() - b.parameters(); n != 0 {
			return n
		}
		return slices.Compare(a.segments, b.segments)
	})
	for status, name := range sharedResponses {
		if spec.Components.Responses[name] == nil {
			return nil, fmt.Errorf("components.responses has no %s, which every path may answer with %d", name, status)
		}
	}
	return doc, nil
})

// sharedResponses are the possible answers of the API to requests that the document
// does not describe, by status; the names are those in components.responses.
var sharedResponses = map[int]string{
	http.StatusBadRequest:            "BadRequest",
	http.StatusUnauthorized:          "Unauthorized",
	http.StatusForbidden:             "Forbidden",
	http.StatusNotFound:              "NotFound",
	http.StatusMethodNotAllowed:      "MethodNotAllowed",
	http.StatusNotAcceptable:         "NotAcceptable",
	http.StatusConflict:              "Conflict",
	http.StatusRequestEntityTooLarge: "ContentTooLarge",
	http.StatusRequestURITooLong:     "UriTooLong",
	http.StatusTooManyRequests:       "TooManyRequests",
	http.StatusInternalServerError:   "InternalServerError",
	http.StatusServiceUnavailable:    "ServiceUnavailable",
}

func isParameter(segment string) (name string, ok bool) {
	if strings.HasPrefix(segment, "{") && strings.HasSuffix(segment, "}") {
		return segment[1 : len(segment)-1], true
	}
	return "", false
}

func (p pathTemplate) parameters() int {
	n := 0
	for _, s := range p.segments {
		if _, ok := isParameter(s); ok {
			n++
		}
	}
	return n
}

// match returns the values of the path's parameters if segments match it.
func (p pathTemplate) match(segments []string) (map[string]string, bool) {
	if len(segments) != len(p.segments) {
		return nil, false
	}
	values := map[string]string{}
	for i, s := range p.segments {
		if name, ok := isParameter(s); ok {
			values[name] = segments[i]
		} else if !ascii.EqualFold(s, segments[i]) {
			return nil, false
		}
	}
	return values, true
}

// segmentsOf splits a path as the API does: empty segments are ignored, and v1.0 is v1.
func segmentsOf(u *url.URL) []string {
	var segments []string
	for s := range strings.SplitSeq(u.EscapedPath(), "/") {
		if s == "" {
			continue
		}
		if plain, err := url.PathUnescape(s); err == nil {
			s = plain
		}
		segments = append(segments, s)
	}
	if len(segments) > 0 && ascii.EqualFold(segments[0], "v1.0") {
		segments[0] = "v1"
	}
	return segments
}

// inAPI reports whether a path belongs to the REST API, not to the token authority, the
// console or anything else on its listener.
func inAPI(segments []string) bool {
	if len(segments) == 0 {
		return false
	}
	switch ascii.ToLower(segments[0]) {
	case "v1", "webhooks", "auditactivity":
		return true
	}
	return false
}

// check returns a name for the request and everything that is wrong.
func (d *document) check(x exchange) (string, problems) {
	segments := segmentsOf(&x.url)
	for _, path := range d.paths {
		values, ok := path.match(segments)
		if !ok {
			continue
		}
		method := x.method
		if method == http.MethodHead {
			method = http.MethodGet
		}
		op := path.item.GetOperation(method)
		if op == nil {
			return "no operation", d.checkUndescribedMethod(x, path.item)
		}
		var found problems
		if x.checkRequest {
			d.checkRequest(&found, x, path.item, op, values)
		}
		if response := op.Responses.Status(x.status); response != nil {
			d.checkResponse(&found, x, response.Value)
		} else {
			found.add("status %d: not described; the operation may answer %s", x.status, statuses(op))
		}
		return op.OperationID, found
	}
	return "no operation", d.checkUndescribedPath(x, segments)
}

// statuses lists the possible statuses of an operation.
func statuses(op *openapi3.Operation) string {
	return strings.Join(slices.Sorted(slices.Values(op.Responses.Keys())), ", ")
}

// checkUndescribedMethod checks the answer to a method that a described path lacks: one
// of the refusals of its methods.
func (d *document) checkUndescribedMethod(x exchange, item *openapi3.PathItem) problems {
	var found problems
	if x.status < 400 {
		found.add("status %d: the document has no %s for this path; describe it in openapi.yaml before it is served", x.status, x.method)
		return found
	}
	operations := item.Operations()
	for _, method := range sortedKeys(operations) {
		if response := operations[method].Responses.Status(x.status); response != nil {
			d.checkResponse(&found, x, response.Value)
			return found
		}
	}
	found.add("status %d: not described; the document has no %s for this path, so the answer is 405", x.status, x.method)
	return found
}

// checkUndescribedPath checks what can be known about a path outside the document: the
// API refuses it like any other, and elsewhere a refusal for programs has the API's
// form. Pages for people are not part of the contract.
func (d *document) checkUndescribedPath(x exchange, segments []string) problems {
	var found problems
	switch {
	case inAPI(segments) && x.status < 400:
		found.add("status %d: the document does not have this path; describe it in openapi.yaml before it is served", x.status)
	case inAPI(segments):
		d.checkShared(&found, x)
	case x.status == http.StatusNotFound && !strings.HasPrefix(x.response.Get("Content-Type"), "text/html"):
		d.checkShared(&found, x)
	}
	return found
}

// checkShared checks a refusal against the answer that all operations share for its
// status.
func (d *document) checkShared(found *problems, x exchange) {
	name, ok := sharedResponses[x.status]
	if !ok {
		var all []string
		for status := range sharedResponses {
			all = append(all, strconv.Itoa(status))
		}
		slices.Sort(all)
		found.add("status %d: not described; the API refuses with %s", x.status, strings.Join(all, ", "))
		return
	}
	d.checkResponse(found, x, d.spec.Components.Responses[name].Value)
}
