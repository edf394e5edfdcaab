// Package contract holds the HTTP contract of the server as one OpenAPI
// document. It belongs to no layer: the server may serve the document, and
// tests hold requests and answers against it with package contracttest.
//
// Nothing but the document lives here, so that a binary that serves it links no
// OpenAPI library.
package contract

import _ "embed"

// OpenAPI is the document, OpenAPI 3.1 in YAML: every operation that the server
// answers today, with its parameters, headers and bodies.
//
//go:embed openapi.yaml
var OpenAPI []byte
