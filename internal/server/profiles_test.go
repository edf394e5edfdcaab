package server_test

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"testing"
)

// TestProfiles reads profiles from the control plane, as go tool pprof does.
func TestProfiles(t *testing.T) {
	r := newRunning(t)
	var list struct{ Profiles []string }
	r.command(t, "GET", "/debug/pprof/", "", 200, &list)
	if len(list.Profiles) < 7 {
		t.Errorf("profiles: %q", list.Profiles)
	}
	gzipped := []byte{0x1f, 0x8b}
	for path, start := range map[string][]byte{
		"heap?gc=1": gzipped, "goroutine": gzipped, "profile?seconds=0.05": gzipped,
		"trace?seconds=0.05": []byte("go 1."), "goroutine?debug=1": []byte("goroutine profile: total"),
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+r.control+"/debug/pprof/"+path, http.NoBody)
		must(t, err)
		resp, err := http.DefaultClient.Do(req)
		must(t, err)
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != http.StatusOK || !bytes.HasPrefix(body, start) {
			t.Errorf("%s: %s %v %.40q", path, resp.Status, err, body)
		}
	}
	var refused struct{ Error string }
	for path, status := range map[string]int{
		"/debug/pprof/none": 404, "/debug/pprof/cmdline": 404, "/debug/pprof/profile?seconds=1000": 400, "/debug/pprof/trace?seconds=NaN": 400,
	} {
		r.command(t, "GET", path, "", status, &refused)
	}
	r.command(t, "POST", "/debug/pprof/heap", "{}", 405, &refused)

	// They are nowhere else: a program that links this one serves no profiles unasked.
	if _, pattern := http.DefaultServeMux.Handler(&http.Request{Method: http.MethodGet, URL: &url.URL{Path: "/debug/pprof/heap"}}); pattern != "" {
		t.Errorf("the default handlers have %s", pattern)
	}
}
