package partnercenter

import (
	"bytes"
	"errors"
	"reflect"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Methods recognise a call of [Unmarshal] or [Marshal] by an option that has no effect
// there: one for the other direction. Options with functions would be looked up for
// each value, which costs a fifth of the time.
var (
	unmarshalMark = json.OmitZeroStructFields
	marshalMark   = json.RejectUnknownMembers
)

// decodeOptions accept what the service and its documentation contain: keys in
// any case (answers use camelCase, several examples PascalCase) and invalid
// UTF-8. A repeated key remains an error, because either value could be the
// wrong one.
var decodeOptions = json.JoinOptions(
	json.MatchCaseInsensitiveNames(true),
	jsontext.AllowInvalidUTF8(true),
	unmarshalMark(true),
)

// encodeOptions make the encoding deterministic, so that encoded values can be
// compared.
var encodeOptions = json.JoinOptions(
	json.Deterministic(true),
	jsontext.AllowInvalidUTF8(true),
	marshalMark(true),
)

// byteOrderMark has been observed before the service's JSON.
var byteOrderMark = []byte("\xef\xbb\xbf")

// Unmarshal decodes a JSON value as the client does: it ignores the case of
// keys, skips a leading byte order mark and keeps in Extra the members that the
// fields cannot hold: unknown ones, and known ones that are null or empty where
// the field would be omitted when encoding.
func Unmarshal(data []byte, v any) error {
	data = bytes.TrimPrefix(data, byteOrderMark)
	if err := json.Unmarshal(data, v, decodeOptions); err != nil {
		return err
	}
	if bytes.Contains(data, []byte("null")) || bytes.Contains(data, []byte(`""`)) {
		return keepEmpty(reflect.ValueOf(v), data)
	}
	return nil
}

// Marshal encodes v as the API does, in camelCase and without absent fields.
// Members in Extra follow the known ones. A null or empty one is omitted if its
// field has a value.
func Marshal(v any) ([]byte, error) {
	data, err := json.Marshal(v, encodeOptions)
	if errors.Is(err, jsontext.ErrDuplicateName) {
		if data, err = json.Marshal(v, encodeOptions, jsontext.AllowDuplicateNames(true)); err == nil {
			return withoutOverridden(data)
		}
	}
	return data, err
}

// decode reads the value of a type with an UnmarshalJSONFrom method into plain, a pointer
// to the same type without methods.
func decode(dec *jsontext.Decoder, plain any) error {
	if ours, _ := json.GetOption(dec.Options(), unmarshalMark); ours {
		return json.UnmarshalDecode(dec, plain)
	}
	value, err := dec.ReadValue()
	if err != nil {
		return err
	}
	return Unmarshal(value, plain)
}

// encode writes plain, the value of a type with a MarshalJSONTo method without its
// methods.
func encode(enc *jsontext.Encoder, plain any) error {
	if ours, _ := json.GetOption(enc.Options(), marshalMark); ours {
		return json.MarshalEncode(enc, plain)
	}
	data, err := Marshal(plain)
	if err != nil {
		return err
	}
	return enc.WriteValue(data)
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
