package server

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/partnercenter-go/partnercenter/internal/ascii"
)

const (
	// maxPathLength is far longer than any path of the API.
	maxPathLength = 2048
	// maxSegments is more than the longest route needs, an availability of a SKU of a
	// product of a customer.
	maxSegments = 12
	maxParams   = 4
)

// pathSegments is a path in segments. Empty ones, from doubled and trailing slashes,
// are dropped: clients send them, and would lose their token on a redirect.
type pathSegments struct {
	segments [maxSegments]string
	count    int
}

// first returns the first segment, or "".
func (p *pathSegments) first() string {
	if p.count == 0 {
		return ""
	}
	return p.segments[0]
}

// isAPI reports whether the path is below the version root.
func (p *pathSegments) isAPI() bool {
	first := p.first()
	return ascii.EqualFold(first, "v1") || ascii.EqualFold(first, "v1.0")
}

// versioned returns the path below the version root, unless it is too long.
func (p *pathSegments) versioned() (below pathSegments, ok bool) {
	if p.count == maxSegments {
		return below, false
	}
	below.segments[0], below.count = "v1", p.count+1
	copy(below.segments[1:], p.segments[:p.count])
	return below, true
}

// splitPath splits a request's path. Each segment is unescaped separately, so that an
// escaped slash stays within its segment.
func splitPath(r *http.Request) (pathSegments, error) {
	var p pathSegments
	path, escaped := r.URL.Path, r.URL.RawPath != ""
	if escaped {
		path = r.URL.RawPath
	}
	if len(path) > maxPathLength {
		return p, errPathTooLong
	}
	for segment := range strings.SplitSeq(path, "/") {
		if segment == "" {
			continue
		}
		if escaped {
			plain, err := url.PathUnescape(segment)
			if err != nil {
				return p, errBadPath("its percent encoding is invalid")
			}
			segment = plain
		}
		if segment == "." || segment == ".." {
			return p, errBadPath("it has . or .. as a segment")
		}
		if strings.ContainsFunc(segment, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			return p, errBadPath("it has a control character")
		}
		if !utf8.ValidString(segment) {
			return p, errBadPath("it is not valid UTF-8")
		}
		if p.count == maxSegments {
			return p, errUnknownRoute(r.URL.Path)
		}
		p.segments[p.count] = segment
		p.count++
	}
	return p, nil
}

// params are the values of a route's parameters, in the order of the pattern.
type params struct {
	values [maxParams]string
	count  int
}

// param returns the value of a path parameter by its name in the pattern.
func (c *call) param(name string) string {
	before, _, ok := strings.Cut(c.pattern, "{"+name+"}")
	if !ok {
		return ""
	}
	return c.params.values[strings.Count(before, "{")]
}

// router finds routes by path, in any case of the letters A to Z.
type router struct{ root node }

// node is one segment of the routes' patterns.
type node struct {
	name    string // lower case; "" for a parameter
	fixed   []*node
	param   *node
	pattern string  // of the routes at this node
	routes  []Route // by method
	allow   string  // the methods, for 405

	unserved []unserved
}

func newRouter(routes []Route) *router {
	var r router
	for _, route := range routes {
		n := r.root.descend(route.Pattern)
		n.pattern = route.Pattern
		if slices.ContainsFunc(n.routes, func(r Route) bool { return r.Method == route.Method }) {
			panic("server: two routes answer " + route.Method + " " + route.Pattern)
		}
		n.routes = append(n.routes, route)
		methods := []string{route.Method}
		if route.Method == http.MethodGet {
			methods = append(methods, http.MethodHead)
		}
		if n.allow != "" {
			methods = append(strings.Split(n.allow, ", "), methods...)
		}
		slices.Sort(methods)
		n.allow = strings.Join(slices.Compact(methods), ", ")
	}
	r.addUnserved()
	return &r
}

// descend returns the node of a pattern, made if missing. The version root is matched
// before the router is asked, and patterns beside it are found as if they were below it.
func (n *node) descend(pattern string) *node {
	for segment := range strings.SplitSeq(strings.TrimPrefix(strings.TrimPrefix(pattern, "/v1"), "/"), "/") {
		n = n.child(ascii.ToLower(segment))
	}
	return n
}

// child returns the node below n for a segment, and creates it if needed.
func (n *node) child(segment string) *node {
	if strings.HasPrefix(segment, "{") {
		if n.param == nil {
			n.param = new(node)
		}
		return n.param
	}
	for _, c := range n.fixed {
		if c.name == segment {
			return c
		}
	}
	c := &node{name: segment}
	n.fixed = append(n.fixed, c)
	return c
}

// find returns the node for a path, or nil. Fixed segments win over parameters:
// /customers/relationshiprequests is not a customer.
func (r *router) find(p pathSegments, into *params) *node {
	n := &r.root
	for _, segment := range p.segments[1:max(1, p.count)] {
		var next *node
		for _, c := range n.fixed {
			if ascii.EqualFold(c.name, segment) {
				next = c
				break
			}
		}
		if next == nil && n.param != nil && into.count < maxParams {
			next = n.param
			into.values[into.count] = segment
			into.count++
		}
		if next == nil {
			return nil
		}
		n = next
	}
	if len(n.routes)+len(n.unserved) == 0 {
		return nil
	}
	return n
}

func (n *node) route(method string) *Route {
	for i := range n.routes {
		if n.routes[i].Method == method {
			return &n.routes[i]
		}
	}
	return nil
}
