package server_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/partnercenter-go/partnercenter/internal/contract/contracttest"
)

// TestAuthorizeMatchesTheDocument begins sign-ins with every result that the document
// describes.
func TestAuthorizeMatchesTheDocument(t *testing.T) {
	a := newAPI(t)
	a.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	good := url.Values{
		"client_id": {a.ClientID}, "redirect_uri": {"http://localhost"}, "response_type": {"code"},
		"resource": {"https://api.partnercenter.microsoft.com"}, "state": {"s"},
	}
	for name, tt := range map[string]struct {
		change map[string]string
		status int
	}{
		"a page":                       {nil, http.StatusOK},
		"a mistake for the app":        {map[string]string{"prompt": "none"}, http.StatusSeeOther},
		"the same as a form":           {map[string]string{"prompt": "none", "response_mode": "form_post"}, http.StatusOK},
		"a mistake for the user alone": {map[string]string{"redirect_uri": "https://elsewhere.example"}, http.StatusBadRequest},
	} {
		query := url.Values{}
		for key, values := range good {
			query[key] = values
		}
		for key, value := range tt.change {
			query.Set(key, value)
		}
		ctx := t.Context()
		if tt.status == http.StatusBadRequest {
			ctx = contracttest.BadRequest(ctx)
		}
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, a.URL+"/"+a.TenantID+"/oauth2/authorize?"+query.Encode(), nil)
		must(t, err)
		resp, err := a.client.Do(r)
		must(t, err)
		resp.Body.Close()
		if resp.StatusCode != tt.status {
			t.Errorf("%s: status %d, want %d", name, resp.StatusCode, tt.status)
		}
	}
}

// TestDeviceCodesMatchTheDocument begins sign-ins of devices.
func TestDeviceCodesMatchTheDocument(t *testing.T) {
	a := newAPI(t)
	for path, form := range map[string]url.Values{
		"/common/oauth2/devicecode":                  {"resource": {"https://api.partnercenter.microsoft.com"}},
		"/" + a.TenantID + "/oauth2/v2.0/devicecode": {"scope": {"https://api.partnercenter.microsoft.com/.default offline_access"}},
	} {
		form.Set("client_id", a.ClientID)
		resp, err := a.client.PostForm(a.URL+path, form)
		must(t, err)
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Errorf("%s: status %d", path, resp.StatusCode)
		}
	}
}
