package server_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/partnercenter-go/partnercenter/internal/guid"
)

// TestTheSameAtOnce sends requests many times at once, to any server. Each has one effect,
// and everybody is told the same of it or, where it is running already, that it is.
func TestTheSameAtOnce(t *testing.T) {
	a := newAPI(t).as(t, adminAgent)
	before := strings.Count(string(a.send(t, http.MethodGet, ordersOf(documented), "", 200)), `"lineItems":`)
	const times, requests = 8, 12
	answers := func(method, path, body string, status int) string {
		t.Helper()
		header := http.Header{"Ms-Requestid": {guid.New()}}
		var all sync.WaitGroup
		got := make([]string, times)
		for i := range got {
			all.Go(func() {
				resp, answer := a.do(t, request{method: method, path: path, body: body, header: header, status: http.StatusConflict})
				got[i] = string(answer)
				if resp.StatusCode != status && (resp.StatusCode != http.StatusConflict || !strings.Contains(got[i], "800060")) {
					t.Errorf("%s %s: %d %s", method, path, resp.StatusCode, answer)
				}
			})
		}
		all.Wait()
		_, late := a.do(t, request{method: method, path: path, body: body, header: header, status: status})
		for _, one := range got {
			if one != string(late) && !strings.Contains(one, "800060") {
				t.Errorf("%s %s: %s, and later %s", method, path, one, late)
			}
		}
		return string(late)
	}
	for range requests {
		answers(http.MethodPost, ordersOf(documented), orderOf(line(offerE3, 1)), http.StatusCreated)
		software := a.placed(t, documented, line(itemSoftware, 1))
		answers(http.MethodPatch, orderAt(documented, software.ID), `{"status":"cancelled"}`, http.StatusOK)
	}
	after := strings.Count(string(a.send(t, http.MethodGet, ordersOf(documented), "", 200)), `"lineItems":`)
	if after-before != 2*requests {
		t.Errorf("%d requests placed %d orders", 2*requests, after-before)
	}
}
