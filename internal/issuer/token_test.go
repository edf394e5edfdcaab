package issuer

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/partnercenter-go/partnercenter/internal/contract/contracttest"
	"github.com/partnercenter-go/partnercenter/internal/guid"
	"github.com/partnercenter-go/partnercenter/internal/token"
)

func post(a *Authority, target string, form url.Values) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, target, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	a.ServeHTTP(w, r)
	return w
}

const (
	urlV1 = base + "/" + tenantID + "/oauth2/token"
	urlV2 = base + "/" + tenantID + "/oauth2/v2.0/token"
)

// formV1 and formV2 are requests that succeed.
func formV1() url.Values {
	return url.Values{
		"grant_type": {"client_credentials"}, "client_id": {clientID}, "client_secret": {secret}, "resource": {graph},
	}
}

func formV2() url.Values {
	return url.Values{
		"grant_type": {"client_credentials"}, "client_id": {clientID}, "client_secret": {secret}, "scope": {graph + "/.default"},
	}
}

// memberNames returns the names of a JSON object's members in their order.
func memberNames(t *testing.T, object []byte) []string {
	t.Helper()
	var names []string
	d := json.NewDecoder(strings.NewReader(string(object)))
	if _, err := d.Token(); err != nil {
		t.Fatal(err)
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, name.(string))
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			t.Fatal(err)
		}
	}
	return names
}

func TestTokenV1(t *testing.T) {
	a := newAuthority(t, options())
	w := post(a, urlV1, formV1())
	if w.Code != 200 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	for name, want := range map[string]string{
		"Content-Type": "application/json; charset=utf-8", "Cache-Control": "no-store", "Pragma": "no-cache",
	} {
		if got := w.Header().Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	want := []string{"token_type", "expires_in", "ext_expires_in", "expires_on", "not_before", "resource", "access_token"}
	if diff := cmp.Diff(want, memberNames(t, w.Body.Bytes())); diff != "" {
		t.Errorf("members (-want +got):\n%s", diff)
	}
	answer := decode[map[string]string](t, w) // so all of them are strings
	claims, err := a.Verify(answer["access_token"])
	if err != nil {
		t.Fatal(err)
	}
	delete(answer, "access_token")
	if diff := cmp.Diff(map[string]string{
		"token_type": "Bearer", "expires_in": "3600", "ext_expires_in": "3600",
		"expires_on": "1767369845", "not_before": "1767365945", "resource": graph,
	}, answer); diff != "" {
		t.Errorf("answer (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(&token.Claims{
		Audience: graph, Issuer: base + "/" + tenantID + "/", TenantID: tenantID, AppID: clientID, ObjectID: objectID,
		Subject: objectID, IDType: "app", TokenID: claims.TokenID, Version: "1.0", KeyID: key1().ID,
		IssuedAt: start.Add(-5 * time.Minute), NotBefore: start.Add(-5 * time.Minute), Expires: start.Add(time.Hour),
	}, claims); diff != "" {
		t.Errorf("claims (-want +got):\n%s", diff)
	}
}

// TestTokenV1Example compares with an answer like Microsoft's.
func TestTokenV1Example(t *testing.T) {
	example := contracttest.ReadPayload(t, "auth-token-app-only.response.json")
	answer := post(newAuthority(t, options()), urlV1, formV1()).Body.Bytes()
	if diff := cmp.Diff(memberNames(t, example), memberNames(t, answer)); diff != "" {
		t.Errorf("members (-example +got):\n%s", diff)
	}
	span := func(text []byte) time.Duration {
		var v struct {
			ExpiresOn int64 `json:"expires_on,string"`
			NotBefore int64 `json:"not_before,string"`
		}
		if err := json.Unmarshal(text, &v); err != nil {
			t.Fatalf("%v in %s", err, text)
		}
		return time.Duration(v.ExpiresOn-v.NotBefore) * time.Second
	}
	if got, want := span(answer), span(example); got != want {
		t.Errorf("valid for %v, example %v", got, want)
	}
}

func TestTokenV2(t *testing.T) {
	a := newAuthority(t, options())
	w := post(a, urlV2, formV2())
	if w.Code != 200 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if diff := cmp.Diff([]string{"token_type", "expires_in", "ext_expires_in", "access_token"}, memberNames(t, w.Body.Bytes())); diff != "" {
		t.Errorf("members (-want +got):\n%s", diff)
	}
	answer := decode[map[string]any](t, w)
	if answer["expires_in"] != 3600.0 || answer["ext_expires_in"] != 3600.0 {
		t.Errorf("%s", w.Body)
	}
	claims, err := a.Verify(answer["access_token"].(string))
	if err != nil {
		t.Fatal(err)
	}
	if claims.Version != "2.0" || claims.Issuer != base+"/"+tenantID+"/v2.0" || claims.AppID != clientID || claims.Audience != graph {
		t.Errorf("claims %+v", claims)
	}
}

// TestTokenClaims pins the claims on the wire.
func TestTokenClaims(t *testing.T) {
	a := newAuthority(t, options())
	for version, want := range map[token.Version]map[string]any{
		token.V1: {"appid": clientID, "appidacr": "1", "idp": base + "/" + tenantID + "/", "iss": base + "/" + tenantID + "/", "ver": "1.0"},
		token.V2: {"azp": clientID, "azpacr": "1", "iss": base + "/" + tenantID + "/v2.0", "ver": "2.0"},
	} {
		maps.Copy(want, map[string]any{
			"aud": api, "iat": 1767365945.0, "nbf": 1767365945.0, "exp": 1767369845.0,
			"idtyp": "app", "oid": objectID, "sub": objectID, "tid": tenantID,
		})
		header, payload := parts(t, mint(t, a, MintRequest{Version: version}))
		if diff := cmp.Diff(map[string]any{"alg": "RS256", "kid": key1().ID, "typ": "JWT"}, header); diff != "" {
			t.Errorf("%s header (-want +got):\n%s", version, diff)
		}
		if uti, _ := payload["uti"].(string); len(uti) != 22 {
			t.Errorf("%s uti %q", version, uti)
		}
		delete(payload, "uti")
		if diff := cmp.Diff(want, payload); diff != "" {
			t.Errorf("%s payload (-want +got):\n%s", version, diff)
		}
	}
}

// TestTokenRequests changes parameters of a request that succeeds.
// absent, as the value of a parameter, takes it away.
const absent = "\x00"

func TestTokenRequests(t *testing.T) {
	a := newAuthority(t, options())
	type change = map[string]string
	for _, test := range []struct {
		name   string
		target string
		change change
		status int
		error  string
		code   int
	}{
		{"v1 by domain", base + "/CONTOSO.onmicrosoft.com/oauth2/token", nil, 200, "", 0},
		{"v1 API audience", urlV1, change{"resource": api}, 200, "", 0},
		{"v1 audience with slash", urlV1, change{"resource": api + "/"}, 200, "", 0},
		{"v1 audience in another case", urlV1, change{"resource": "https://Graph.Windows.net"}, 200, "", 0},
		{"v1 scope besides resource", urlV1, change{"scope": "openid"}, 200, "", 0},
		{"client in another case", urlV1, change{"client_id": strings.ToUpper(clientID)}, 200, "", 0},
		{"tenant in another case", base + "/" + strings.ToUpper(tenantID) + "/oauth2/token", nil, 200, "", 0},
		{"odd slashes", base + "//" + tenantID + "//OAuth2/token/", nil, 200, "", 0},
		{"query tolerated", urlV1 + "?client-request-id=x&api-version=1.0", nil, 200, "", 0},
		{"MSAL fields", urlV2, change{"client_info": "1", "x-client-SKU": "msal.js.node", "x-client-current-telemetry": "5|771,0,,,|,"}, 200, "", 0},
		{"v2 API audience", urlV2, change{"scope": api + "/.default"}, 200, "", 0},
		{"v2 MSAL Go's scopes", urlV2, change{"scope": api + "/.default openid offline_access profile"}, 200, "", 0},
		{"v2 MSAL Java's scopes", urlV2, change{"scope": "openid profile offline_access " + api + "/.default"}, 200, "", 0},
		{"v2 doubled slash", urlV2, change{"scope": api + "//.default"}, 200, "", 0},

		{"unknown tenant", base + "/nobody.example/oauth2/token", nil, 400, "invalid_request", 90002},
		{"tenant to be logged", base + "/a%0d%0ab/oauth2/token", nil, 400, "invalid_request", 90002},
		{"common", base + "/common/oauth2/token", nil, 400, "invalid_request", 50059},
		{"organizations", base + "/Organizations/oauth2/v2.0/token", nil, 400, "invalid_request", 50059},
		{"consumers", base + "/consumers/oauth2/v2.0/token", nil, 400, "invalid_request", 90002},
		{"unknown client", urlV1, change{"client_id": "nobody"}, 400, "unauthorized_client", 700016},
		{"client of another tenant", urlV1, change{"client_id": otherClient, "client_secret": "other"}, 400, "unauthorized_client", 700016},
		{"no client", urlV1, change{"client_id": absent}, 400, "invalid_request", 900144},
		{"wrong secret", urlV1, change{"client_secret": "wrong"}, 401, "invalid_client", 7000215},
		{"secret of another client", urlV2, change{"client_secret": "other"}, 401, "invalid_client", 7000215},
		{"no secret", urlV1, change{"client_secret": absent}, 401, "invalid_client", 7000216},
		{"empty secret", urlV2, change{"client_secret": ""}, 401, "invalid_client", 7000216},
		{"assertion of nothing", urlV2, change{"client_secret": absent, "client_assertion": "x.y.z", "client_assertion_type": assertionType}, 401, "invalid_client", 700027},
		{"assertion without type", urlV2, change{"client_secret": absent, "client_assertion": "x.y.z"}, 400, "invalid_request", 900144},
		{"assertion and secret", urlV2, change{"client_assertion": "x.y.z", "client_assertion_type": assertionType}, 400, "invalid_request", 9002313},
		{"no grant", urlV1, change{"grant_type": absent}, 400, "invalid_request", 900144},
		{"unknown grant", urlV1, change{"grant_type": "magic"}, 400, "unsupported_grant_type", 70003},
		{"password grant without user", urlV2, change{"grant_type": "password"}, 400, "invalid_request", 900144},
		{"v1 no resource", urlV1, change{"resource": absent}, 400, "invalid_request", 900144},
		{"v1 unknown resource", urlV1, change{"resource": "https://vault.azure.net"}, 400, "invalid_resource", 500011},
		{"v1 resource is a scope", urlV1, change{"resource": graph + "/.default"}, 400, "invalid_resource", 500011},
		{"v2 no scope", urlV2, change{"scope": absent}, 400, "invalid_request", 900144},
		{"v2 blank scope", urlV2, change{"scope": " "}, 400, "invalid_request", 900144},
		{"v2 resource in place of scope", urlV2, change{"scope": absent, "resource": graph}, 400, "invalid_request", 900144},
		{"v2 unknown resource", urlV2, change{"scope": "https://vault.azure.net/.default"}, 400, "invalid_resource", 500011},
		{"v2 no default", urlV2, change{"scope": api + "/user_impersonation"}, 400, "invalid_scope", 1002012},
		{"v2 resource as scope", urlV2, change{"scope": api}, 400, "invalid_scope", 1002012},
		{"v2 OpenID scopes only", urlV2, change{"scope": "openid profile"}, 400, "invalid_scope", 1002012},
		{"v2 default of nothing", urlV2, change{"scope": "/.default"}, 400, "invalid_scope", 1002012},
		{"v2 two resources", urlV2, change{"scope": api + "/.default " + graph + "/.default"}, 400, "invalid_scope", 70011},
		{"v2 quoted scope", urlV2, change{"scope": `"` + api + `/.default"`}, 400, "invalid_scope", 70011},
		{"v2 non-ASCII scope", urlV2, change{"scope": "https://gräph/.default"}, 400, "invalid_scope", 70011},
	} {
		t.Run(test.name, func(t *testing.T) {
			form := formV1()
			if strings.Contains(test.target, "v2.0") {
				form = formV2()
			}
			for name, value := range test.change {
				form.Set(name, value)
				if value == absent {
					form.Del(name)
				}
			}
			w := post(a, test.target, form)
			checkAnswer(t, a, w, test.status, test.error, test.code)
		})
	}
}

var descriptionShape = regexp.MustCompile(`^AADSTS\d+: .+\. Trace ID: [0-9a-f-]{36} Correlation ID: [0-9a-f-]{36} Timestamp: 2026-01-02 15:04:05Z$`)

// checkAnswer checks a token answer: a token that verifies, or a complete error that
// contains no secret.
func checkAnswer(t *testing.T, a *Authority, w *httptest.ResponseRecorder, status int, kind string, code int) {
	t.Helper()
	if w.Code != status {
		t.Fatalf("status %d, want %d: %s", w.Code, status, w.Body)
	}
	if got := w.Header().Get("Cache-Control") + w.Header().Get("Pragma"); got != "no-storeno-cache" {
		t.Errorf("caching: %q", got)
	}
	if status == 200 {
		answer := decode[struct {
			Token string `json:"access_token"`
		}](t, w)
		if _, err := a.Verify(answer.Token); err != nil {
			t.Error(err)
		}
		return
	}
	f := decode[failureBody](t, w)
	if f.Error != kind || len(f.Codes) != 1 || f.Codes[0] != code {
		t.Errorf("%s %v, want %s %d", f.Error, f.Codes, kind, code)
	}
	if !descriptionShape.MatchString(f.Description) || !strings.Contains(f.Description, f.TraceID) || !strings.Contains(f.Description, f.CorrelationID) {
		t.Errorf("description %q", f.Description)
	}
	if f.Timestamp != "2026-01-02 15:04:05Z" || w.Header().Get("Client-Request-Id") != f.CorrelationID || w.Header().Get("X-Ms-Request-Id") != f.TraceID {
		t.Errorf("%+v, headers %v", f, w.Header())
	}
	if (w.Header().Get("WWW-Authenticate") != "") != (status == 401) {
		t.Errorf("WWW-Authenticate %q", w.Header().Get("WWW-Authenticate"))
	}
	if strings.Contains(w.Body.String(), secret) {
		t.Errorf("the answer has the secret in it: %s", w.Body)
	}
}

// TestTokenRequestShape checks everything but the parameters: headers, types and the
// bytes of the body.
func TestTokenRequestShape(t *testing.T) {
	a := newAuthority(t, options())
	const formType = "application/x-www-form-urlencoded"
	basic := func(id, secret string) string {
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(id)+":"+url.QueryEscape(secret)))
	}
	without := func(names ...string) string {
		form := formV1()
		for _, name := range names {
			form.Del(name)
		}
		return form.Encode()
	}
	good := formV1().Encode()
	for _, test := range []struct {
		name, contentType, authorization, body string
		status                                 int
		error                                  string
		code                                   int
	}{
		{"charset", formType + "; charset=utf-8", "", good, 200, "", 0},
		{"charset without space", formType + ";charset=UTF-8", "", good, 200, "", 0},
		{"type in another case", "Application/X-WWW-Form-URLEncoded", "", good, 200, "", 0},
		{"broken charset", formType + "; charset", "", good, 200, "", 0},
		{"no type", "", "", good, 200, "", 0},
		{"JSON", "application/json", "", `{"grant_type":"client_credentials"}`, 400, "invalid_request", codeMalformed.number},
		{"multipart", "multipart/form-data; boundary=x", "", "--x--", 400, "invalid_request", codeMalformed.number},
		{"no media type", ";;", "", good, 400, "invalid_request", codeMalformed.number},
		{"JSON called a form", formType, "", `{"grant_type":"client_credentials"}`, 400, "invalid_request", codeMissingParameter.number},
		{"empty body", formType, "", "", 400, "invalid_request", codeMissingParameter.number},
		{"bad escape", formType, "", "grant_type=%zz", 400, "invalid_request", codeMalformed.number},
		{"repeated grant", formType, "", good + "&grant_type=client_credentials", 400, "invalid_request", codeRepeatedParameter.number},
		{"repeated secret", formType, "", good + "&client_secret=x", 400, "invalid_request", codeRepeatedParameter.number},
		{"body at the limit", formType, "", good + "&x=" + strings.Repeat("x", maxForm-len(good)-3), 200, "", 0},
		{"body over the limit", formType, "", good + "&x=" + strings.Repeat("x", maxForm-len(good)-2), 413, "invalid_request", codeMalformed.number},

		{"Basic", formType, basic(clientID, secret), without("client_id", "client_secret"), 200, "", 0},
		{"Basic and the same id", formType, basic(clientID, secret), without("client_secret"), 200, "", 0},
		{"Basic and another id", formType, basic(otherClient, secret), without("client_secret"), 400, "invalid_request", codeMalformed.number},
		{"Basic and a secret", formType, basic(clientID, secret), good, 400, "invalid_request", codeMalformed.number},
		{"Basic and an assertion", formType, basic(clientID, secret), without("client_secret") + "&client_assertion=x", 400, "invalid_request", codeMalformed.number},
		{"Basic with a wrong secret", formType, basic(clientID, "wrong"), without("client_id", "client_secret"), 401, "invalid_client", codeWrongSecret.number},
		{"Basic with no secret", formType, basic(clientID, ""), without("client_id", "client_secret"), 401, "invalid_client", codeNoCredential.number},
		{"Basic with no id", formType, basic("", secret), without("client_id", "client_secret"), 400, "invalid_request", codeMissingParameter.number},
		{"Basic not encoded", formType, "Basic " + base64.StdEncoding.EncodeToString([]byte(clientID+":50%")), without("client_id", "client_secret"), 400, "invalid_request", codeMalformed.number},
		{"another scheme", formType, "Bearer x", good, 200, "", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodPost, urlV1, strings.NewReader(test.body))
			if test.contentType != "" {
				r.Header.Set("Content-Type", test.contentType)
			}
			if test.authorization != "" {
				r.Header.Set("Authorization", test.authorization)
			}
			w := httptest.NewRecorder()
			a.ServeHTTP(w, r)
			checkAnswer(t, a, w, test.status, test.error, test.code)
		})
	}
}

func TestCorrelationID(t *testing.T) {
	a := newAuthority(t, options())
	const sent = "11111111-2222-4333-8444-555555555555"
	for _, test := range []struct {
		header, query string
		echoed        bool
	}{
		{sent, "", true},
		{"", sent, true},
		{"nonsense", sent, true},
		{"nonsense", "", false},
		{"", "", false},
	} {
		r := httptest.NewRequest(http.MethodPost, urlV1+"?client-request-id="+test.query, nil)
		r.Header.Set("client-request-id", test.header)
		w := httptest.NewRecorder()
		a.ServeHTTP(w, r)
		got := decode[failureBody](t, w).CorrelationID
		if (got == sent) != test.echoed || !guid.Is(got) {
			t.Errorf("header %q, query %q: correlation id %q", test.header, test.query, got)
		}
	}
}

// A token names the address that it was requested at, but only if it is ours.
func TestTokenIssuerFollowsHost(t *testing.T) {
	a := newAuthority(t, options())
	for target, want := range map[string]string{
		base:                    base,
		baseTLS:                 baseTLS,
		"https://evil.example":  base,
		"http://localhost:8443": base,
	} {
		w := post(a, target+"/"+tenantID+"/oauth2/token", formV1())
		answer := decode[struct {
			Token string `json:"access_token"`
		}](t, w)
		claims, err := a.Verify(answer.Token)
		if err != nil || claims.Issuer != want+"/"+tenantID+"/" {
			t.Errorf("%s: issuer %+v, %v", target, claims, err)
		}
	}
}

func FuzzParseForm(f *testing.F) {
	f.Add("application/x-www-form-urlencoded", formV1().Encode())
	f.Add("application/x-www-form-urlencoded; charset=utf-8", "grant_type=client_credentials&scope=a%2F.default+openid")
	f.Add("", "a=1&a=2")
	f.Add("application/json", "{}")
	f.Add(";", "a=%zz&;")
	f.Fuzz(func(t *testing.T, contentType, body string) {
		form, err := parseForm(contentType, []byte(body))
		if err != nil {
			if _, ok := err.(*failure); !ok || form != nil {
				t.Fatalf("%v, %#v", form, err)
			}
			return
		}
		for name, values := range form {
			if len(values) != 1 {
				t.Fatalf("%q has %d values", name, len(values))
			}
		}
		if resource, err := appResource(form.Get("scope")); err == nil && (resource == "" || strings.ContainsAny(resource, " \"\\\r\n")) {
			t.Fatalf("scope %q names resource %q", form.Get("scope"), resource)
		}
	})
}
