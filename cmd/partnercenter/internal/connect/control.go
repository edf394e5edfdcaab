package connect

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
)

// ControlPlane is the control plane of a local server, as commands reach it.
type ControlPlane struct{ address string }

// AddFlag adds the flag that says where it is.
func (c *ControlPlane) AddFlag(cmd *cobra.Command) {
	cmd.PersistentFlags().StringVar(&c.address, "control", "", "base `URL` of a server's control plane (default: of the server that --profile local finds)")
}

// url returns where the control plane is. Without a flag it is that of the
// server that left its facts last.
func (c *ControlPlane) url() (string, error) {
	if c.address != "" {
		u, err := url.Parse(c.address)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return "", terminal.Usagef("--control %q is no base URL: write it like http://127.0.0.1:8081", c.address)
		}
		return strings.TrimRight(c.address, "/"), nil
	}
	facts, err := localFacts()
	if err != nil {
		return "", err
	}
	if facts.ControlURL == "" {
		return "", fmt.Errorf("the local server runs without a control plane: start it with one, as \"partnercenter serve\" does by itself")
	}
	return facts.ControlURL, nil
}

// Call sends a body, unless it is nil, and returns the JSON of a good answer.
func (c *ControlPlane) Call(ctx context.Context, method, path string, body any) (json.RawMessage, error) {
	base, err := c.url()
	if err != nil {
		return nil, err
	}
	var payload io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		payload = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, base+path, payload)
	if err != nil {
		return nil, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	transport, err := NewTransport("")
	if err != nil {
		return nil, err
	}
	resp, err := Ask(transport, req)
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, ctx.Err()
	case resp == nil:
		// Not wrapped: advice about the flags of other commands would be added.
		return nil, fmt.Errorf("no control plane answers at %s: %v; start a server with: partnercenter serve", base, terminal.Innermost(err)) //nolint:errorlint
	case err != nil:
		return nil, fmt.Errorf("the answer of %s broke off: %v; try again", base, err) //nolint:errorlint
	case (resp.StatusCode == http.StatusOK || resp.StatusCode == http.StatusCreated) && json.Valid(resp.Body):
		return resp.Body, nil
	}
	var refused struct {
		Error string `json:"error"`
	}
	if json.Unmarshal(resp.Body, &refused) == nil && refused.Error != "" {
		return nil, fmt.Errorf("the control plane refuses: %s", refused.Error)
	}
	return nil, fmt.Errorf("%s answers %s to %s %s, which no control plane of this version does: check --control", base, resp.Status, method, path)
}
