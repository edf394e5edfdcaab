package partnercenter

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"strconv"
	"strings"

	"github.com/partnercenter-go/partnercenter/internal/ascii"
)

// apiVersion is the first segment of the API's paths.
const apiVersion = "/v1"

// isVersion reports whether an escaped segment is that of a version.
func isVersion(segment string) bool {
	name := segmentName(segment)
	return ascii.EqualFold(name, "v1") || ascii.EqualFold(name, "v1.0")
}

// segmentName returns the text of an escaped segment.
func segmentName(segment string) string {
	name, err := url.PathUnescape(segment)
	if err != nil {
		return segment // not an escape
	}
	return name
}

// address returns the absolute address of an escaped path below the version
// root and an encoded query. The path is empty or begins with a slash.
func (c *Client) address(path, query string) string {
	address := c.endpoint.Scheme + "://" + c.endpoint.Host + c.endpoint.EscapedPath()
	// Two other services have the version after their own name.
	first, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	first = segmentName(first)
	if !ascii.EqualFold(first, "webhooks") && !ascii.EqualFold(first, "auditactivity") {
		address += apiVersion
	}
	address += path
	if query != "" {
		address += "?" + query
	}
	return address
}

// resource is the address that a client's verbs act on, or the error that
// accessors found. Accessors build it and cannot fail; verbs report the error.
// Its methods do not change the receiver.
type resource struct {
	client  *Client
	path    string     // escaped, below the version root
	country string     // of the catalog, for the resource and those below; empty for none
	query   url.Values // limits a list
	err     error      // the first error
}

// name returns the resource below, at fixed segments.
func (r resource) name(segments string) resource {
	r.path += "/" + segments
	return r
}

// id returns the resource below with the id. It refuses ids that would change
// the rest of the path.
func (r resource) id(what, id string) resource {
	switch id {
	case "":
		r = r.failed(fmt.Errorf("partnercenter: the %s is empty: pass it to ByID", what))
	case ".", "..":
		r = r.failed(fmt.Errorf("partnercenter: %q is not a valid %s: pass the id as the service returned it", id, what))
	}
	r.path += "/" + url.PathEscape(id)
	return r
}

// failed returns the resource with an error that its verbs report.
func (r resource) failed(err error) resource {
	if r.err == nil {
		r.err = err
	}
	return r
}

// in returns the resource in the catalog of a country.
func (r resource) in(country string) resource {
	if country == "" {
		r = r.failed(errors.New("partnercenter: the country is empty: pass its two letters, such as US, to ByCountry"))
	}
	r.country = country
	return r
}

// option returns the resource with one more parameter, which must have a value and may
// be given once.
func (r resource) option(o option) resource {
	if err := o.check(); err != nil {
		return r.failed(err)
	}
	if r.query.Has(o.name) && r.query.Get(o.name) != o.value {
		return r.failed(fmt.Errorf("partnercenter: the %s is both %q and %q: pass one", o.what, r.query.Get(o.name), o.value))
	}
	return r.with(o.name, o.value)
}

// with returns the resource with one more parameter of its query, or without it if the
// value is empty.
func (r resource) with(name, value string) resource {
	query := maps.Clone(r.query)
	if query == nil {
		query = url.Values{}
	}
	query.Set(name, value)
	if value == "" {
		query.Del(name)
	}
	r.query = query
	return r
}

// address returns the resource's absolute address.
func (r resource) address() (string, error) {
	if r.country != "" {
		r = r.with("country", r.country)
	}
	return r.client.address(r.path, r.query.Encode()), r.err
}

// number formats n for a query; zero is omitted.
func number(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}
