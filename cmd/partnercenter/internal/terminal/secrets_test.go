package terminal

import (
	"net/url"
	"strings"
	"testing"
)

func TestWithoutSecrets(t *testing.T) {
	for text, want := range map[string]string{
		`{"access_token":"hush","token_type":"Bearer","expires_in":3599}`:       `{"access_token":"(hidden)","token_type":"Bearer","expires_in":3599}`,
		`{ "Password" : "hu\"sh", "code": 20002, "hasPassword": true }`:         `{ "Password" : "(hidden)", "code": 20002, "hasPassword": true }`,
		`{"apps":[{"id":"a","secrets":[{"id":"s","value":"hush"}],"x":1}]}`:     `{"apps":[{"id":"a","secrets":"(hidden)","x":1}]}`,
		`{"passwordProfile":{"password":"hush","x":["hush"]},"password": 1234}`: `{"passwordProfile":"(hidden)","password": "(hidden)"}`,
		`{"items":["password","hush"],"continuationToken":"page 2"}`:            `{"items":["password","hush"],"continuationToken":"page 2"}`,
		`{"api-key":"hush","headers":[{"key":"If-Match","value":"*"}]}`:         `{"api-key":"(hidden)","headers":[{"key":"If-Match","value":"*"}]}`,
		`{"a":1,"clientSecret":"hus`:                                            `{"a":1,"clientSecret":"(hidden)"`,
		`{"a":1,"clientSecret":["x","hus`:                                       `{"a":1,"clientSecret":"(hidden)"`,
		"not JSON, \"secret\": \"hush\", \"a\": \"b":                            `not JSON, "secret":"(hidden)", "a": "b`,
		"": "",
	} {
		if got := string(JSONWithoutSecrets([]byte(text))); got != want {
			t.Errorf("%s\n got %s\nwant %s", text, got, want)
		}
	}
	for query, want := range map[string]string{
		"size=5&api_key=hush&Token=hush&sig=hush":    "size=5&api_key=(hidden)&Token=(hidden)&sig=(hidden)",
		"%70assword=hush&code=hush&countryCode=DE":   "%70assword=(hidden)&code=(hidden)&countryCode=DE",
		"subscription-key=hush&key=a&%zz=hush":       "subscription-key=(hidden)&key=a&%zz=(hidden)",
		"continuationToken=page&seekOperation=Next&": "continuationToken=page&seekOperation=Next&",
	} {
		if got := WithoutSecrets(&url.URL{Scheme: "https", Host: "h", RawQuery: query}); got != "https://h?"+want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
	for name, shown := range map[string]bool{
		"x-locale": true, "MS-RequestId": true, "if-match": true,
		"X-Api-Key": false, "cookie": false, "Set-Cookie": false, "authorization": false, "Proxy-Authorization": false, "Ocp-Apim-Subscription-Key": false, "X-Mine": false, "Location": false,
	} {
		if got := HeaderText(name, []string{"a", "b"}); got != map[bool]string{true: "a, b", false: Redacted}[shown] {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// TestCommandLineHasNoSecrets takes lines that are printed to be run again.
func TestCommandLineHasNoSecrets(t *testing.T) {
	for _, args := range [][]string{
		{"api", "-H", "X-Api-Key: hush", "--client-secret", "hush", "POST", "x"},
		{"api", "-HX-Api-Key:hush", "--client-secret=hush", "POST", "x"},
		{"api", "--header=X-Api-Key: hush", "POST", "x"},
		{"api", "-H=X-Api-Key: hush", "POST", "x"},
		{"api", "-vH", "X-Api-Key: hush", "POST", "x"},
		{"api", "-vvHX-Api-Key: hush", "POST", "x"},
		{"api", "-vH=X-Api-Key: hush", "POST", "x"},
	} {
		line := (&Terminal{Args: args}).CommandLine("id")
		if strings.Contains(line, "hush") || !strings.Contains(line, `'X-Api-Key: '"$X_API_KEY"`) || !strings.HasSuffix(line, "POST x --request-id id") {
			t.Errorf("%q: %s", args, line)
		}
	}
	if line := (&Terminal{Args: []string{"api", "-H", "If-Match: *"}}).CommandLine(""); line != "partnercenter api -H 'If-Match: *'" {
		t.Error(line)
	}
}
