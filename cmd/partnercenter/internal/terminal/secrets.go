package terminal

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/partnercenter-go/partnercenter/internal/ascii"
)

// Redacted stands for what is or may be secret.
const Redacted = "(hidden)"

// harmlessHeaders are the headers whose values are shown. All others may be secret: people
// add those that their gateways need.
var harmlessHeaders = strings.Fields(`
	Accept Accept-Charset Accept-Encoding Accept-Language Accept-Ranges Age Allow Cache-Control
	Client-Request-Id Connection Content-Disposition Content-Encoding Content-Language Content-Length
	Content-Range Content-Type Date Etag Expect Expires If-Match If-Modified-Since If-None-Match
	If-Unmodified-Since Ismfacompliant Last-Modified Ms-Continuationtoken Ms-Contract-Version Ms-Correlationid Ms-Cv
	Ms-Partnercenter-Application Ms-Partnercenter-Client Ms-Requestid Ms-Sdkversion Ms-Serverid Pragma
	Prefer Range Request-Context Retry-After Return-Client-Request-Id Server Strict-Transport-Security
	Transfer-Encoding User-Agent Vary Via Warning Www-Authenticate X-Client-Cpu
	X-Client-Current-Telemetry X-Client-Last-Telemetry X-Client-Os X-Client-Sku X-Client-Ver
	X-Content-Type-Options X-Locale X-Ms-Client-Request-Id X-Ms-Correlation-Request-Id X-Ms-Customeruser-Upn X-Ms-Ests-Server
	X-Ms-Lib-Capability X-Ms-Request-Id`)

// HeaderText returns the value of a header for people, hidden unless it is known to be
// harmless.
func HeaderText(name string, values []string) string {
	if !slices.Contains(harmlessHeaders, http.CanonicalHeaderKey(name)) {
		return Redacted
	}
	return strings.Join(values, ", ")
}

var (
	// secretName matches names of what is secret in JSON, forms and queries.
	secretName = regexp.MustCompile(`(?i)secret|passw(?:or)?d|passphrase|pwd|token|assertion|credential|cookie|signature|authorization|client_?info|^(?:code|device_?code|code_?verifier|sig)$|[a-z][-_]?keys?$`)
	// publicName matches those of them that are not: where tokens come from, and of what
	// kind they are.
	publicName = regexp.MustCompile(`(?i)continuation_?token|^token_?type$|_endpoint$|_supported$`)
)

// isSecret reports whether values with a name are secret.
func isSecret(name string) bool { return secretName.MatchString(name) && !publicName.MatchString(name) }

// WithoutSecrets hides the secrets of an address.
func WithoutSecrets(u *url.URL) string {
	shown := *u
	shown.ForceQuery = false
	shown.RawQuery = FormWithoutSecrets(u.RawQuery)
	return shown.Redacted()
}

// FormWithoutSecrets hides the secrets of a form or a query.
func FormWithoutSecrets(form string) string {
	fields := strings.Split(form, "&")
	for i, field := range fields {
		name, _, _ := strings.Cut(field, "=")
		if plain, err := url.QueryUnescape(name); err != nil || isSecret(plain) {
			fields[i] = name + "=" + Redacted
		}
	}
	return strings.Join(fields, "&")
}

// JSONWithoutSecrets hides the secrets of JSON, which may be cut off, and leaves all else
// as it is.
func JSONWithoutSecrets(text []byte) []byte {
	dec := jsontext.NewDecoder(bytes.NewReader(text), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	var b []byte
	shown := 0 // how much of the text is dealt with
	for {
		token, err := dec.ReadToken()
		if err != nil {
			return append(b, quotedMember.ReplaceAllFunc(text[shown:], hideMember)...)
		}
		around, n := dec.StackIndex(dec.StackDepth())
		if around != jsontext.KindBeginObject || n%2 == 0 {
			continue // no name
		}
		name := token.String()
		if !isSecret(name) {
			continue
		}
		at := int(dec.InputOffset())
		switch kind := dec.PeekKind(); {
		case kind == jsontext.KindTrue, kind == jsontext.KindFalse, kind == jsontext.KindNull:
			continue
		case kind == jsontext.KindNumber && ascii.EqualFold(name, "code"):
			continue // of an error
		}
		at += len(text[at:]) - len(bytes.TrimLeft(text[at:], " \t\r\n:"))
		b = append(append(b, text[shown:at]...), `"`+Redacted+`"`...)
		if dec.SkipValue() != nil {
			return b // cut off within the secret
		}
		shown = int(dec.InputOffset())
	}
}

// quotedMember matches members in text that is not JSON as a whole.
var quotedMember = regexp.MustCompile(`"([^"\\]*)"\s*:\s*"(?:[^"\\]|\\.)*"?`)

func hideMember(member []byte) []byte {
	name := quotedMember.FindSubmatch(member)[1]
	if !isSecret(string(name)) {
		return member
	}
	return fmt.Appendf(nil, `"%s":"%s"`, name, Redacted)
}
