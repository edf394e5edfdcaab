package server_test

import (
	"database/sql"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// findDatabase returns a function that finds the file of the database of the server that
// is started after it.
func findDatabase(t *testing.T) (find func() string) {
	t.Helper()
	folder := t.TempDir()
	t.Setenv("TMPDIR", folder)
	return func() string {
		t.Helper()
		found, err := filepath.Glob(filepath.Join(folder, "*", "*.db"))
		if err != nil || len(found) != 1 {
			t.Fatal(found, err)
		}
		return found[0]
	}
}

// While nothing can be written, whoever asks is told so and when to ask again, and reads
// go on.
func TestUnusable(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("files that are open cannot be moved")
	}
	find := findDatabase(t)
	r := newRunning(t)
	token := r.token(t)
	path := find()
	order := func() (*http.Response, string) {
		t.Helper()
		return r.send(t, http.MethodPost, seedOrders, token, "5d2a1b1c-5f5f-4d6f-8a59-000000000001", anOrder)
	}
	must(t, os.Rename(path, path+".away"))
	resp, body := order()
	if resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") != "10" || !strings.Contains(body, "its file was removed or replaced") {
		t.Errorf("an order: %s %v %s", resp.Status, resp.Header, body)
	}
	if strings.Contains(body, path) {
		t.Errorf("the answer names the file: %s", body)
	}
	for address, want := range map[string]int{
		"http://" + r.api + "/readyz":     http.StatusServiceUnavailable,
		"http://" + r.control + "/readyz": http.StatusServiceUnavailable,
		"http://" + r.api + "/livez":      http.StatusOK,
		"http://" + r.api + seedOrders:    http.StatusOK,
	} {
		resp := r.get(t, http.DefaultClient, address, token, nil)
		body, err := io.ReadAll(resp.Body)
		must(t, err)
		if resp.StatusCode != want || want != http.StatusOK && !strings.Contains(string(body), "its file was removed or replaced") {
			t.Errorf("%s: %s %s", address, resp.Status, body)
		}
	}
	plane, err := http.Post("http://"+r.control+"/keys", "application/json", nil)
	must(t, err)
	defer plane.Body.Close()
	if plane.StatusCode != http.StatusServiceUnavailable || plane.Header.Get("Retry-After") != "10" {
		t.Errorf("the control plane: %s", plane.Status)
	}
	must(t, os.Rename(path+".away", path))
	if resp, body := order(); resp.StatusCode != http.StatusCreated {
		t.Errorf("once it is back: %s %s", resp.Status, body)
	}
	if resp := r.get(t, http.DefaultClient, "http://"+r.api+"/readyz", "", nil); resp.StatusCode != http.StatusOK {
		t.Errorf("once it is back: %s", resp.Status)
	}
}

// When the write-ahead log is cut off, orders are refused until it works again, and the
// server is not ready.
func TestLogCutOff(t *testing.T) {
	find := findDatabase(t)
	r := newRunning(t)
	token := r.token(t)
	path := find() + "-wal"
	before, _ := r.send(t, "POST", seedOrders, token, "5d2a1b1c-5f5f-4d6f-8a59-000000000002", anOrder)
	kept, err := os.ReadFile(path)
	must(t, err)
	must(t, os.Truncate(path, 0))
	cut, _ := r.send(t, "POST", seedOrders, token, "5d2a1b1c-5f5f-4d6f-8a59-000000000003", anOrder)
	if before.StatusCode != http.StatusCreated || cut.StatusCode != http.StatusServiceUnavailable || cut.Header.Get("Retry-After") != "10" {
		t.Errorf("orders: %s, then %s", before.Status, cut.Status)
	}
	if resp := r.get(t, http.DefaultClient, "http://"+r.api+"/readyz", "", nil); resp.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("readiness: %s", resp.Status)
	}
	must(t, os.WriteFile(path, kept, 0o600))
	if resp := r.get(t, http.DefaultClient, "http://"+r.api+"/readyz", "", nil); resp.StatusCode != http.StatusOK {
		t.Errorf("readiness once it is back: %s", resp.Status)
	}
	if again, _ := r.send(t, "POST", seedOrders, token, "5d2a1b1c-5f5f-4d6f-8a59-000000000003", anOrder); again.StatusCode != http.StatusCreated {
		t.Errorf("an order once it is back: %s", again.Status)
	}
}

const anOrder = `{"billingCycle":"monthly","lineItems":[{"lineItemNumber":0,"offerId":"031C9E47-4802-4248-838E-778FB1D2CC05","quantity":1}]}`

// send makes a write with an id, and returns its answer and the answer's body.
func (r *inFlight) send(t *testing.T, method, path, token, id, body string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "http://"+r.api+path, strings.NewReader(body))
	must(t, err)
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("MS-RequestId", id)
	resp, err := http.DefaultClient.Do(req)
	must(t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	must(t, err)
	return resp, string(text)
}

// A damaged document is an error, and none of it is sent.
func TestDamagedDocument(t *testing.T) {
	find := findDatabase(t)
	r := newRunning(t)
	db, err := sql.Open("sqlite", find())
	must(t, err)
	defer db.Close()
	for _, table := range []string{"orders SET doc = ", "customers SET summary = doc, doc = ", "customers SET summary = "} {
		for _, damage := range []string{"replace(doc, '\"id\"', CAST(x'22e922' AS TEXT))", "substr(doc, 2)", "'{no JSON}'"} {
			_, err = db.Exec("UPDATE " + table + damage)
			must(t, err)
		}
	}
	token := r.token(t)
	for _, path := range []string{
		seedOrders, seedOrders + "?include_system_purchases=true", seedOrders + "/" + shortOrder, "/v1/customers", "/v1/customers/" + seedCustomer,
	} {
		resp := r.get(t, http.DefaultClient, "http://"+r.api+path, token, nil)
		body, err := io.ReadAll(resp.Body)
		must(t, err)
		if resp.StatusCode != http.StatusInternalServerError || strings.Contains(string(body), "no JSON}") {
			t.Errorf("%s: %s %s", path, resp.Status, fmt.Sprintf("%.300s", body))
		}
	}
}
