package partnercenter

import (
	"bytes"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// decodeOptions accept what the service and its documentation contain: keys in
// any case (answers use camelCase, several examples PascalCase) and invalid
// UTF-8. A repeated key remains an error, because either value could be the
// wrong one.
var decodeOptions = json.JoinOptions(
	json.MatchCaseInsensitiveNames(true),
	jsontext.AllowInvalidUTF8(true),
)

// encodeOptions make the encoding deterministic, so that encoded values can be
// compared.
var encodeOptions = json.JoinOptions(
	json.Deterministic(true),
	jsontext.AllowInvalidUTF8(true),
)

// byteOrderMark has been observed before the service's JSON.
var byteOrderMark = []byte("\xef\xbb\xbf")

// Unmarshal decodes a JSON value as the client does: it ignores the case of
// keys, skips a leading byte order mark and keeps unknown members in Extra.
func Unmarshal(data []byte, v any) error {
	return json.Unmarshal(bytes.TrimPrefix(data, byteOrderMark), v, decodeOptions)
}

// Marshal encodes v as the API does, in camelCase and without absent fields.
// Members in Extra follow the known ones.
func Marshal(v any) ([]byte, error) {
	return json.Marshal(v, encodeOptions)
}

// unmarshalText reads an enum or an id that some clients send as a number. It
// keeps the text unchanged; null means absent.
func unmarshalText[T ~string](dec *jsontext.Decoder, dst *T) error {
	switch dec.PeekKind() {
	case jsontext.KindString, jsontext.KindNull:
		tok, err := dec.ReadToken()
		if err != nil {
			return err
		}
		if tok.Kind() == jsontext.KindNull {
			*dst = ""
			return nil
		}
		*dst = T(tok.String())
		return nil
	case jsontext.KindNumber:
		val, err := dec.ReadValue()
		if err != nil {
			return err
		}
		*dst = T(val)
		return nil
	default:
		var s string // for the decoder's error
		return json.UnmarshalDecode(dec, &s)
	}
}
