package partnercenter

import (
	"bytes"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// decodeOptions reads what the service and its documentation really send: keys
// in any case (answers are camelCase, several documented ones are PascalCase),
// and text in a broken encoding rather than no answer at all. A key that
// appears twice stays an error, because either value could be the wrong one.
var decodeOptions = json.JoinOptions(
	json.MatchCaseInsensitiveNames(true),
	jsontext.AllowInvalidUTF8(true),
)

// encodeOptions write the same value the same way each time, maps too, so that
// texts can be compared.
var encodeOptions = json.JoinOptions(
	json.Deterministic(true),
	jsontext.AllowInvalidUTF8(true),
)

// byteOrderMark has been seen in front of the service's JSON.
var byteOrderMark = []byte("\xef\xbb\xbf")

// Unmarshal decodes one JSON value the way the client does: keys in any case,
// a leading byte order mark skipped, unknown members kept in Extra.
func Unmarshal(data []byte, v any) error {
	return json.Unmarshal(bytes.TrimPrefix(data, byteOrderMark), v, decodeOptions)
}

// Marshal encodes v as the API writes it: camelCase, absent fields left out,
// members kept in Extra written back after the known ones.
func Marshal(v any) ([]byte, error) {
	return json.Marshal(v, encodeOptions)
}

// unmarshalText reads an enum or an identifier that some writers send as a
// number: the text is kept as it stands, null is absence.
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
		var s string // let the decoder word the error
		return json.UnmarshalDecode(dec, &s)
	}
}
