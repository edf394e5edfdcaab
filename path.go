package partnercenter

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"strconv"
	"strings"
)

// apiVersion is the first segment of the API's paths.
const apiVersion = "/v1"

func isVersion(segment string) bool {
	return strings.EqualFold(segment, "v1") || strings.EqualFold(segment, "v1.0")
}

// address returns the absolute address of an escaped path below the version
// root, which is empty or begins with a slash, and of an encoded query.
func (c *Client) address(path, query string) string {
	address := c.endpoint.Scheme + "://" + c.endpoint.Host + c.endpoint.Path
	// The two services beside the API carry the version behind their own name.
	first, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	if !strings.EqualFold(first, "webhooks") && !strings.EqualFold(first, "auditactivity") {
		address += apiVersion
	}
	address += path
	if query != "" {
		address += "?" + query
	}
	return address
}

// resource is what a client's verbs are about: where it is, or why it is
// nowhere. Accessors put it together and cannot fail; verbs look at it. Its
// methods return another one and leave theirs as it is.
type resource struct {
	client  *Client
	path    string     // escaped, below the version root
	country string     // in whose catalog it is, with all below it; empty: in none
	query   url.Values // what narrows a list; not what is below it
	err     error      // the first that went wrong
}

// name reaches what lies below under fixed segments.
func (r resource) name(segments string) resource {
	r.path += "/" + segments
	return r
}

// id reaches what lies below under an id. It refuses what would name another
// resource than the caller means.
func (r resource) id(what, id string) resource {
	switch {
	case r.err != nil:
	case id == "":
		r.err = fmt.Errorf("partnercenter: the %s is empty: pass it to ByID", what)
	case id == "." || id == "..":
		r.err = fmt.Errorf("partnercenter: %q is no %s: pass the id that the service answered", id, what)
	}
	r.path += "/" + url.PathEscape(id)
	return r.whole()
}

// in reaches what is sold in a country.
func (r resource) in(country string) resource {
	if country == "" && r.err == nil {
		r.err = errors.New("partnercenter: the country is empty: pass its two letters, such as US, to ByCountry")
	}
	r.country = country
	return r
}

// with narrows a list by one more thing. The empty value means all.
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

// whole takes back what narrows a list.
func (r resource) whole() resource {
	r.query = nil
	return r
}

// address returns where the resource is.
func (r resource) address() (string, error) {
	if r.country != "" {
		r = r.with("country", r.country)
	}
	return r.client.address(r.path, r.query.Encode()), r.err
}

// number writes a number for a query. Zero means none.
func number(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}
