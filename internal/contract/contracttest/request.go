package contracttest

import (
	"bytes"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/partnercenter-go/partnercenter/internal/ascii"
)

// checkRequest checks everything that the caller sent.
func (d *document) checkRequest(found *problems, x exchange, item *openapi3.PathItem, op *openapi3.Operation, path map[string]string) {
	var parameters []*openapi3.Parameter
	for _, ref := range append(slices.Clone(item.Parameters), op.Parameters...) {
		parameters = append(parameters, ref.Value)
	}
	for _, p := range parameters {
		if p.In == openapi3.ParameterInPath {
			checkText(found, "request path "+p.Name, path[p.Name], p.Schema)
		}
	}
	checkQuery(found, x, parameters)
	checkRequestHeaders(found, x, parameters)
	d.checkSecurity(found, x, op)
	checkRequestBody(found, x, op)
}

// checkQuery checks the names and values of the query, case-insensitively where the API
// is.
func checkQuery(found *problems, x exchange, parameters []*openapi3.Parameter) {
	query, err := url.ParseQuery(x.url.RawQuery)
	if err != nil {
		found.add("request query: cannot be read: %v", err)
		return
	}
	given := map[*openapi3.Parameter]int{}
	for _, name := range sortedKeys(query) {
		i := slices.IndexFunc(parameters, func(p *openapi3.Parameter) bool {
			return p.In == openapi3.ParameterInQuery && ascii.EqualFold(p.Name, name)
		})
		if i < 0 {
			found.add("request query %s: not described; the operation takes %s", name, names(parameters, openapi3.ParameterInQuery))
			continue
		}
		p := parameters[i]
		for _, value := range query[name] {
			given[p]++
			if given[p] == 2 {
				found.add("request query %s: given more than once", p.Name)
			}
			checkText(found, "request query "+p.Name, value, p.Schema)
		}
	}
	for _, p := range parameters {
		if p.In == openapi3.ParameterInQuery && p.Required && given[p] == 0 {
			found.add("request query %s: required but missing", p.Name)
		}
	}
}

// checkRequestHeaders checks the described headers. If there are vendor headers among
// them, every header with the vendor's prefix must be described, which catches
// misspelled names.
func checkRequestHeaders(found *problems, x exchange, parameters []*openapi3.Parameter) {
	described := map[string]bool{}
	for _, p := range parameters {
		if p.In != openapi3.ParameterInHeader {
			continue
		}
		described[http.CanonicalHeaderKey(p.Name)] = true
		values := x.request.Values(p.Name)
		if len(values) > 1 {
			found.add("request header %s: given %d times", p.Name, len(values))
		}
		if len(values) == 0 && p.Required {
			found.add("request header %s: required but missing", p.Name)
		}
		for _, value := range values {
			checkText(found, "request header "+p.Name, value, p.Schema)
		}
	}
	if !slices.ContainsFunc(sortedKeys(described), isVendorHeader) {
		return
	}
	for _, name := range sortedKeys(x.request) {
		if isVendorHeader(name) && !described[name] {
			found.add("request header %s: not described; the operation takes %s", name, names(parameters, openapi3.ParameterInHeader))
		}
	}
}

// checkSecurity checks that there is a token if the operation needs one; whether it is
// valid is the server's concern.
func (d *document) checkSecurity(found *problems, x exchange, op *openapi3.Operation) {
	alternatives := d.spec.Security
	if op.Security != nil {
		alternatives = *op.Security
	}
	for _, alternative := range alternatives {
		if len(alternative) == 0 {
			return
		}
	}
	if len(alternatives) == 0 {
		return
	}
	scheme, token, _ := strings.Cut(x.request.Get("Authorization"), " ")
	if !ascii.EqualFold(scheme, "Bearer") || strings.TrimSpace(token) == "" {
		found.add("request header Authorization: expected Bearer and a token")
	}
}

// checkRequestBody checks that there is a body exactly for the operations that take
// one: a form, its parts, or JSON with keys in any case.
func checkRequestBody(found *problems, x exchange, op *openapi3.Operation) {
	if op.RequestBody == nil {
		if len(x.requestBody) > 0 {
			found.add("request body: the operation takes none, got %d bytes", len(x.requestBody))
		}
		return
	}
	if len(x.requestBody) == 0 && !op.RequestBody.Value.Required {
		return
	}
	sent := x.request.Get("Content-Type")
	mediaType, parameters, err := mime.ParseMediaType(sent)
	media := op.RequestBody.Value.Content[mediaType]
	if err != nil || media == nil {
		found.add("request header Content-Type: %q is not described; the operation takes %s", sent, list(sortedKeys(op.RequestBody.Value.Content)))
		return
	}
	switch mediaType {
	case "application/x-www-form-urlencoded":
		form, err := url.ParseQuery(string(x.requestBody))
		if err != nil {
			found.add("request body: not a form: %v", err)
			return
		}
		value := map[string]any{}
		for name, values := range form {
			if len(values) > 1 {
				found.add("request body /%s: given %d times", name, len(values))
			}
			value[name] = values[0]
		}
		checkValue(found, "request body", value, media.Schema, openapi3.VisitAsRequest())
	case "application/json":
		if value, ok := decodeJSON(found, "request body", bytes.TrimPrefix(x.requestBody, []byte("\xef\xbb\xbf"))); ok {
			checkValue(found, "request body", asDescribed(value, media.Schema.Value), media.Schema, openapi3.VisitAsRequest())
		}
	case "multipart/form-data":
		checkMultipart(found, x, parameters["boundary"], media.Schema)
	default:
		found.add("request body: the checker cannot read %s yet; teach checkRequestBody", mediaType)
	}
}

// asDescribed reads a value as the API does: keys in any case become those of the
// schema, and null is absent.
func asDescribed(value any, schema *openapi3.Schema) any {
	switch v := value.(type) {
	case []any:
		if schema.Items == nil {
			return v
		}
		for i := range v {
			v[i] = asDescribed(v[i], schema.Items.Value)
		}
		return v
	case map[string]any:
		out := map[string]any{}
		for key, member := range v {
			if member == nil {
				continue
			}
			for name, property := range schema.Properties {
				if ascii.EqualFold(name, key) {
					key, member = name, asDescribed(member, property.Value)
				}
			}
			out[key] = member
		}
		return out
	}
	return value
}

// checkMultipart checks the parts of a body; their names are case-insensitive, as in
// the API. A part described as an array may occur any number of times; one that is an
// object is JSON.
func checkMultipart(found *problems, x exchange, boundary string, schema *openapi3.SchemaRef) {
	value := map[string]any{}
	for parts := multipart.NewReader(bytes.NewReader(x.requestBody), boundary); ; {
		part, err := parts.NextRawPart()
		if err == io.EOF {
			break
		}
		if err != nil {
			found.add("request body: not multipart: %v", err)
			return
		}
		data, err := io.ReadAll(part)
		if err != nil {
			found.add("request body /%s: %v", part.FormName(), err)
			return
		}
		name := part.FormName()
		for described := range schema.Value.Properties {
			if ascii.EqualFold(described, name) {
				name = described
			}
		}
		property := schema.Value.Properties[name]
		switch {
		case property != nil && property.Value.Type.Is("array"):
			list, _ := value[name].([]any)
			value[name] = append(list, string(data))
		case property != nil && property.Value.Type.Is("object"):
			if value[name] != nil {
				found.add("request body /%s: given more than once", name)
			}
			if decoded, ok := decodeJSON(found, "request body /"+name, data); ok {
				value[name] = asDescribed(decoded, property.Value)
			}
		default:
			value[name] = string(data)
		}
	}
	checkValue(found, "request body", value, schema, openapi3.VisitAsRequest())
}

// isVendorHeader reports whether a header is one of Partner Center's own.
func isVendorHeader(name string) bool { return len(name) > 3 && ascii.EqualFold(name[:3], "MS-") }

func names(parameters []*openapi3.Parameter, in string) string {
	var all []string
	for _, p := range parameters {
		if p.In == in {
			all = append(all, p.Name)
		}
	}
	return list(all)
}

func list(all []string) string {
	if len(all) == 0 {
		return "none"
	}
	return strings.Join(all, ", ")
}
