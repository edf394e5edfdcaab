package connect

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
	"github.com/partnercenter-go/partnercenter/internal/quote"
)

// ControlPlane is a client of a local server's control plane.
type ControlPlane struct {
	term    *terminal.Terminal
	address string
	timeout time.Duration // of a request; zero means controlTimeout
}

// maxReason is how much of another program's reason is shown, in bytes.
const maxReason = 4000

// controlTimeout is far more than a control plane needs for any answer.
const controlTimeout = time.Minute

// AddFlag adds the flag for its address.
func (c *ControlPlane) AddFlag(term *terminal.Terminal, cmd *cobra.Command) {
	c.term = term
	cmd.PersistentFlags().StringVar(&c.address, "control", "", "base `URL` of a server's control plane (default: that of the server found by --profile local)")
}

// url returns the address of the control plane: that of the flag, or of the
// local server.
func (c *ControlPlane) url() (string, error) {
	if c.address != "" {
		u, err := url.Parse(c.address)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return "", terminal.Usagef("--control %q is not a base URL: write it like http://127.0.0.1:8081", c.address)
		}
		return strings.TrimRight(c.address, "/"), nil
	}
	facts, err := localFacts()
	if err != nil {
		return "", err
	}
	if facts.ControlURL == "" {
		return "", fmt.Errorf("the local server has no control plane: start it with one, as \"partnercenter serve\" does by default")
	}
	return facts.ControlURL, nil
}

// Call makes a call with the body, if not nil, and returns the JSON of a successful
// answer.
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
	resp, err := Ask(Logged(c.term, transport), req, cmp.Or(c.timeout, controlTimeout))
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.Is(err, context.DeadlineExceeded):
		return nil, fmt.Errorf("the control plane at %s did not answer in time: check --control and the server, then try again", base)
	case resp == nil:
		// Not wrapped: that would add advice about the flags of other commands.
		return nil, fmt.Errorf("no control plane answers at %s: %v; start a server with: partnercenter serve", base, terminal.Innermost(err)) //nolint:errorlint
	case err != nil:
		return nil, fmt.Errorf("the answer from %s was cut off: %v; try again", base, err) //nolint:errorlint
	case (resp.StatusCode == http.StatusOK || resp.StatusCode == http.StatusCreated) && json.Valid(resp.Body):
		return resp.Body, nil
	}
	var refused struct {
		Error string `json:"error"`
	}
	if json.Unmarshal(resp.Body, &refused) == nil && refused.Error != "" {
		return nil, fmt.Errorf("the control plane refused: %s", quote.Cut(refused.Error, maxReason))
	}
	return nil, fmt.Errorf("%s answered %s to %s %s, unlike a control plane of this version: check --control", base, resp.Status, method, path)
}
