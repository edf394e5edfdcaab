package main

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/connect"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
)

// request sends a request and returns the answer's status and body.
func request(t *testing.T, method, address, token string) (int, string) {
	t.Helper()
	return send(t, method, address, "", token, http.NoBody)
}

// send sends a request, and returns the status and the body of its answer.
func send(t *testing.T, method, address, contentType, token string, body io.Reader) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, address, body)
	if err != nil {
		t.Fatal(err)
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(answer)
}

const opsCustomer = "b0d70a69-4c42-4b27-b17b-91a835d8686a" // of the sample

// TestOps reads health and figures, and looks for anything else at their address.
func TestOps(t *testing.T) {
	f := startServe(t, "--ops", "127.0.0.1:0")
	token := appToken(t, f)
	orders := "/v1/customers/" + opsCustomer + "/orders"
	for range 3 {
		if status, body := request(t, "GET", f.APIURL+orders, token); status != http.StatusOK {
			t.Fatal(status, body)
		}
	}
	for _, path := range []string{"/made-up/7f3c", orders + "/7f3c?token=7f3c", "/LiveZ"} {
		request(t, "BREW", f.APIURL+path, "7f3c")
	}
	for _, path := range []string{"/livez", "/readyz"} {
		if status, body := request(t, "GET", f.OpsURL+path, ""); status != http.StatusOK || !strings.HasPrefix(body, `{"status":"`) {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	status, figures := request(t, "GET", f.OpsURL+"/metrics", "")
	if status != http.StatusOK {
		t.Fatal(status, figures)
	}
	for _, want := range []string{
		`partnercenter_http_requests_total{code="200",method="GET",route="/v1/customers/{customer-tenant-id}/orders"} 3`,
		`partnercenter_http_request_duration_seconds_count{method="GET",route="/v1/customers/{customer-tenant-id}/orders"} 3`,
		`partnercenter_http_requests_total{code="405",method="other",route="/livez"} 1`,
		"partnercenter_http_requests_in_flight 0", "partnercenter_kept_lists_hits_total 1", "partnercenter_kept_lists_misses_total 2",
		"partnercenter_kept_lists 1", "partnercenter_kept_lists_limit_bytes 1.048576e+06", "partnercenter_http_requests_over_limit_total 0",
		`partnercenter_database_connections_limit{pool="write"} 1`, "partnercenter_write_queue_length 0", `partnercenter_write_batch_changes_bucket{le="256"} 0`,
		"partnercenter_sqlite_wal_bytes ", "partnercenter_log_lines_dropped_total 0", `partnercenter_build_info{goversion="go`, "go_goroutines ", "process_open_fds ",
	} {
		if !strings.Contains(figures, want) {
			t.Errorf("the figures lack %s", want)
		}
	}
	for _, secret := range []string{opsCustomer, f.TenantID, f.ClientID, f.ClientSecret, "7f3c", "BREW", "LiveZ"} {
		if strings.Contains(figures, secret) {
			t.Errorf("the figures have %s, which only the request had", secret)
		}
	}
	if t.Failed() {
		t.Log(figures)
	}
	for _, path := range []string{"/", orders, "/metrics/", "/METRICS", "/debug/pprof/", "/clock", "/" + f.TenantID + "/oauth2/token", "/openapi.yaml", "/livez/x"} {
		if status, body := request(t, "GET", f.OpsURL+path, token); status != http.StatusNotFound {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	for _, path := range []string{"/livez", "/readyz", "/metrics"} {
		if status, _ := request(t, "POST", f.OpsURL+path, ""); status != http.StatusMethodNotAllowed {
			t.Errorf("POST %s: %d", path, status)
		}
		if status, body := request(t, "HEAD", f.OpsURL+path, ""); status != http.StatusOK || body != "" {
			t.Errorf("HEAD %s: %d %s", path, status, body)
		}
	}
	if r := runCLI(t.Context(), t, nil, "readyz", "--url", f.OpsURL); r.code != terminal.ExitOK {
		t.Errorf("%+v", r)
	}
	for _, path := range []string{"/metrics", "/debug/pprof/"} {
		if status, _ := request(t, "GET", f.APIURL+path, token); status != http.StatusNotFound {
			t.Errorf("the API answers %d to %s", status, path)
		}
	}
}

// TestOpsAddress gives the listener of figures an address that another one has.
func TestOpsAddress(t *testing.T) {
	for _, args := range [][]string{
		{"--listen", "127.0.0.1:9", "--ops", "127.0.0.1:9"},
		{"--listen", "0.0.0.0:9", "--ops", "127.0.0.1:9"},
		{"--listen", "127.0.0.1:9", "--ops", ":9"},
		{"--control", "localhost:9", "--ops", "[::1]:9"},
		{"--listen-tls", "127.0.0.1:9", "--ops", "LOCALHOST:9"},
	} {
		r := runCLI(t.Context(), t, nil, append([]string{"serve"}, args...)...)
		if r.code != terminal.ExitUsage || !strings.Contains(r.stderr, "give each listener") || !strings.Contains(r.stderr, args[0]) || !strings.Contains(r.stderr, "--ops") {
			t.Errorf("%q: %+v", args, r)
		}
	}
}

// collector is a collector of OpenTelemetry.
type collector struct {
	*httptest.Server
	mu   sync.Mutex // guards sent
	sent strings.Builder
}

func newCollector(t *testing.T) *collector {
	t.Helper()
	c := &collector{}
	c.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		c.mu.Lock()
		defer c.mu.Unlock()
		c.sent.WriteString(r.URL.Path + "\n")
		c.sent.Write(body)
	}))
	t.Cleanup(c.Close)
	return c
}

func (c *collector) text() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sent.String()
}

// TestTraces has traces sent where the standard variables say.
func TestTraces(t *testing.T) {
	c := newCollector(t)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", c.URL)
	t.Setenv("OTEL_BSP_SCHEDULE_DELAY", "20")
	t.Setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=here")
	f := startServe(t, "--ops", "127.0.0.1:0")
	token := appToken(t, f)
	request(t, "GET", f.APIURL+"/readyz", "")
	if status, body := request(t, "GET", f.APIURL+"/v1/customers/"+opsCustomer+"/orders?"+url.QueryEscape("7f3c"), token); status != http.StatusOK {
		t.Fatal(status, body)
	}
	const name = "GET /v1/customers/{customer-tenant-id}/orders"
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for !strings.Contains(c.text(), name) {
		select {
		case <-ctx.Done():
			t.Fatalf("no trace %s in %q", name, c.text())
		case <-time.After(10 * time.Millisecond):
		}
	}
	sent := c.text()
	for _, want := range []string{"/v1/traces", "http.route", "POST /{tenant}/oauth2/token", "service.name", "partnercenter", "deployment.environment.name"} {
		if !strings.Contains(sent, want) {
			t.Errorf("the traces lack %s", want)
		}
	}
	for _, secret := range []string{opsCustomer, f.TenantID, f.ClientID, f.ClientSecret, token, "7f3c", "readyz"} {
		if strings.Contains(sent, secret) {
			t.Errorf("the traces have %s", secret)
		}
	}
	if _, figures := request(t, "GET", f.OpsURL+"/metrics", ""); !strings.Contains(figures, `route="/v1/customers/{customer-tenant-id}/orders"`) {
		t.Errorf("with traces, there are no figures: %s", figures)
	}
}

// TestNoTraces sends no traces unless they are wanted.
func TestNoTraces(t *testing.T) {
	c := newCollector(t)
	for _, variables := range [][2]string{
		{"OTEL_SDK_DISABLED", "true"}, {"OTEL_TRACES_EXPORTER", "none"}, {"OTEL_TRACES_EXPORTER", "zipkin"}, {"OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"},
	} {
		t.Run(strings.Join(variables[:], "="), func(t *testing.T) {
			t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", c.URL)
			t.Setenv("OTEL_BSP_SCHEDULE_DELAY", "1")
			t.Setenv(variables[0], variables[1])
			f := startServe(t)
			request(t, "GET", f.APIURL+"/v1/customers", "")
		})
	}
	if sent := c.text(); sent != "" {
		t.Errorf("traces were sent: %q", sent)
	}
}

// appToken returns a token of a server's app.
func appToken(t *testing.T, facts connect.ReadyFacts) string {
	t.Helper()
	answer := postBody(t, facts.APIURL+"/"+facts.TenantID+"/oauth2/token", "application/x-www-form-urlencoded", "",
		"grant_type=client_credentials&client_id="+facts.ClientID+"&client_secret="+facts.ClientSecret+"&resource=https://api.partnercenter.microsoft.com")
	token := regexp.MustCompile(`"access_token":"([^"]+)"`).FindStringSubmatch(answer)
	if token == nil {
		t.Fatal(answer)
	}
	return token[1]
}

// postBody posts a body, and returns the body of its answer.
func postBody(t *testing.T, address, contentType, token, body string) string {
	t.Helper()
	_, answer := send(t, http.MethodPost, address, contentType, token, strings.NewReader(body))
	return answer
}
