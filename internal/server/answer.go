package server

import (
	"cmp"
	"encoding/binary"
	"math/rand/v2"
	"net/http"
	"strconv"

	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/guid"
)

// Headers of the API in the service's spelling. They are written to header maps
// directly, because net/http would canonicalize them to Ms-Requestid.
const (
	headerRequestID     = "MS-RequestId"
	headerCorrelationID = "MS-CorrelationId"
	headerVector        = "MS-CV"
	headerServerID      = "MS-ServerId"
	headerLocale        = "X-Locale"
	// headerMFACompliant is the answer to ValidateMfa: whether the user signed in with
	// a second factor.
	headerMFACompliant = "isMfaCompliant"
)

// The same headers as net/http spells them in requests.
const (
	keyRequestID     = "Ms-Requestid"
	keyCorrelationID = "Ms-Correlationid"
	keyVector        = "Ms-Cv"
	keyValidateMFA   = "Validatemfa"
)

const (
	serverID      = "0000005B"
	defaultLocale = "en-US"
	// maxEchoed bounds the ids that are echoed and logged. A GUID has 36 characters;
	// some clients send other text.
	maxEchoed = 128
)

// identify takes the call's ids and vector from the request, or generates them, all in
// one string, as most clients send few or none of them.
func (c *call) identify() {
	h := c.r.Header
	c.requestID, c.correlationID, c.vector = echoed(h, keyRequestID), echoed(h, keyCorrelationID), echoed(h, keyVector)
	if c.requestID != "" && c.correlationID != "" && c.vector != "" {
		return
	}
	made := newCallIDs()
	c.requestID = cmp.Or(c.requestID, made[:guid.Len])
	c.correlationID = cmp.Or(c.correlationID, made[guid.Len:2*guid.Len])
	c.vector = cmp.Or(c.vector, made[2*guid.Len:])
}

// echoed returns a request header if it can be sent back safely.
func echoed(h http.Header, key string) string {
	values := h[key]
	if len(values) == 0 || len(values[0]) > maxEchoed {
		return ""
	}
	return values[0]
}

const (
	base64Digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	vectorLength = 18
)

// newCallIDs returns two random GUIDs and a correlation vector, concatenated. They
// identify a call and protect nothing.
func newCallIDs() string {
	var b [2*guid.Len + vectorLength]byte
	fillVector(b[2*guid.Len:])
	_ = guid.Append(guid.Append(b[:0], randomBits()), randomBits())
	return string(b[:])
}

func randomBits() (b [16]byte) {
	binary.NativeEndian.PutUint64(b[:8], rand.Uint64())
	binary.NativeEndian.PutUint64(b[8:], rand.Uint64())
	return b
}

func fillVector(b []byte) {
	bits := rand.Uint64()
	for i := range vectorLength - 2 {
		if i == 8 {
			bits = rand.Uint64()
		}
		b[i] = base64Digits[bits&63]
		bits >>= 6
	}
	b[vectorLength-2], b[vectorLength-1] = '.', '0'
}

var (
	contentTypeJSON = []string{"application/json; charset=utf-8"}
	serverIDs       = []string{serverID}
	defaultLocales  = []string{defaultLocale}
)

// write sends a complete answer with the API's headers.
func (c *call) write(status int, body []byte) {
	if h := c.setHeaders(len(body)); len(body) > 0 {
		h["Content-Type"] = contentTypeJSON
	}
	c.send(status, body)
}

// setHeaders sets the API's headers except the content type, and returns the header
// map.
func (c *call) setHeaders(length int) http.Header {
	// One array backs the single values that differ between calls.
	values := &[4]string{c.requestID, c.correlationID, c.vector, strconv.Itoa(length)}
	h := c.w.Header()
	h[headerRequestID] = values[0:1:1]
	h[headerCorrelationID] = values[1:2:2]
	h[headerVector] = values[2:3:3]
	h[headerServerID] = serverIDs
	h["Content-Length"] = values[3:4:4]
	if validate := c.r.Header[keyValidateMFA]; len(validate) == 1 && c.claims != nil && c.claims.HasUser() && ascii.EqualFold(validate[0], "true") {
		h[headerMFACompliant] = []string{strconv.FormatBool(c.claims.MFA)}
	}
	if locale := c.r.Header[headerLocale]; len(locale) == 1 && locale[0] != "" && len(locale[0]) <= maxEchoed {
		h[headerLocale] = locale
	} else {
		h[headerLocale] = defaultLocales
	}
	return h
}

// send writes status and body once.
func (c *call) send(status int, body []byte) {
	if c.status != 0 {
		return
	}
	c.leave()
	if len(body) > smallAnswer {
		unsent := &c.server.work.unsent
		if !unsent.add(c.r.Method, len(body)) {
			c.server.refuse(c, errUnsent)
			return
		}
		defer unsent.bytes.Add(-int64(len(body)))
	}
	c.status, c.size = status, len(body)
	c.w.WriteHeader(status)
	c.writeBody(body)
}
