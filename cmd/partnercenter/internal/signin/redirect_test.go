package signin

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// TestRedirectListener sends what is not the answer to the sign-in that waits.
func TestRedirectListener(t *testing.T) {
	l, err := listenForRedirect(t.Context(), "the-state")
	if err != nil {
		t.Fatal(err)
	}
	defer l.close()
	post := func(form url.Values) int {
		resp, err := http.PostForm(l.url, form)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if body, _ := io.ReadAll(resp.Body); bytes.Contains(body, []byte("<script")) {
			t.Errorf("the page has what was sent: %s", body)
		}
		return resp.StatusCode
	}
	for name, form := range map[string]url.Values{
		"no state":      {"code": {"c"}},
		"another state": {"code": {"c"}, "state": {"another"}},
		"hostile":       {"error": {"<script>"}, "error_description": {"<script>"}, "state": {"<script>"}},
		"huge":          {"code": {strings.Repeat("x", maxRedirectForm)}, "state": {"the-state"}},
	} {
		if status := post(form); status != http.StatusBadRequest {
			t.Errorf("%s: status %d", name, status)
		}
	}
	for _, address := range []string{l.url + "?code=c&state=the-state", l.url + "/favicon.ico"} {
		resp, err := http.Get(address)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode < http.StatusBadRequest {
			t.Errorf("%s: status %d", address, resp.StatusCode)
		}
	}
	// A page elsewhere whose name leads here has another Host.
	req, err := http.NewRequest(http.MethodPost, l.url, strings.NewReader("code=c&state=the-state"))
	if err != nil {
		t.Fatal(err)
	}
	req.Host = "evil.example"
	if resp, err := http.DefaultClient.Do(req); err != nil || resp.StatusCode != http.StatusNotFound {
		t.Errorf("%v, %v", resp, err)
	}
	if len(l.answer) != 0 {
		t.Error("the waiting ended")
	}
	if status := post(url.Values{"code": {"c"}, "state": {"the-state"}}); status != http.StatusOK {
		t.Errorf("status %d", status)
	}
	if form, err := l.wait(t.Context()); err != nil || form.Get("code") != "c" {
		t.Errorf("%v, %v", form, err)
	}
}
