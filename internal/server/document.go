package server

import (
	"net/http"
	"strconv"

	"github.com/partnercenter-go/partnercenter/internal/contract"
)

// documentPath is where the API's description is served. Microsoft's service has none.
const documentPath = "openapi.yaml"

// sendDocument answers with the OpenAPI document. It needs no token, as clients are
// generated from it before there is one.
func (c *call) sendDocument() error {
	h := c.w.Header()
	if c.r.Method != http.MethodGet && c.r.Method != http.MethodHead {
		h.Set("Allow", "GET, HEAD")
		return errMethod(c.r.Method, "GET, HEAD")
	}
	h.Set("Content-Type", "application/yaml") // RFC 9512
	h.Set("Content-Length", strconv.Itoa(len(contract.OpenAPI)))
	h.Set("X-Content-Type-Options", "nosniff")
	c.send(http.StatusOK, contract.OpenAPI)
	return nil
}
