// Package contract has the HTTP contract of the server as one OpenAPI document. It
// belongs to no layer: the server may serve the document, and tests check requests and
// answers against it with package contracttest.
//
// It contains nothing but the document, so that a binary that serves it links no
// OpenAPI library.
package contract

import _ "embed"

// OpenAPI is the document, OpenAPI 3.1 in YAML: every operation that the server serves,
// with its parameters, headers and bodies.
//
//go:embed openapi.yaml
var OpenAPI []byte
