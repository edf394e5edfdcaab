package server

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/quote"
	"github.com/partnercenter-go/partnercenter/internal/rawjson"
	"github.com/partnercenter-go/partnercenter/internal/spelling"
)

const (
	// maxBody is the largest JSON body, in bytes. An order of a thousand lines has a
	// third of that.
	maxBody = 1 << 20
	// maxDrained is how much of a larger body is read and discarded, so that the sender
	// gets the refusal instead of a broken connection.
	maxDrained = 16 << 20
	// maxDepth is how deep a body may be nested. No resource comes close.
	maxDepth = 64
)

var byteOrderMark = []byte("\xef\xbb\xbf")

// readJSON reads the request's body, one JSON object, as bytes and as a T, whatever its
// content type, with or without a byte order mark, keys in any case, null as absent. It
// rejects what is ambiguous or not JSON: see [decodeJSON].
func readJSON[T any](c *call) ([]byte, *T, error) {
	body, err := c.readBody()
	if err != nil {
		return nil, nil, err
	}
	value := new(T)
	return body, value, decodeJSON(body, value)
}

// readBody returns the whole body without a byte order mark.
func (c *call) readBody() ([]byte, error) {
	if c.r.ContentLength > maxBody {
		_, _ = io.CopyN(io.Discard, c.r.Body, maxDrained)
		return nil, errBodyTooLarge
	}
	data, err := io.ReadAll(io.LimitReader(c.r.Body, maxBody+1))
	switch {
	case err != nil:
		return nil, errBody("it could not be read completely", "send it again")
	case len(data) > maxBody:
		_, _ = io.CopyN(io.Discard, c.r.Body, maxDrained)
		return nil, errBodyTooLarge
	}
	return bytes.TrimPrefix(data, byteOrderMark), nil
}

// decodeJSON decodes a body into out. Text that is not JSON, invalid UTF-8, duplicate
// keys (in any case), keys that are others only by Unicode's rules, and excessive nesting
// give 400 with code 800002; a value of the wrong type, or a date that cannot be read,
// gives 400 with code 3000. Both say where.
func decodeJSON(data []byte, out any) error {
	if len(bytes.TrimSpace(data)) == 0 {
		return errBody("it is empty", "send a JSON object")
	}
	if err := checkJSON(data); err != nil {
		return err
	}
	if name := rawjson.FoldedName(data); name != "" {
		return errBody("the key "+quote.Text(name)+" has a letter beyond ASCII that would be taken for s or k", "write it as documented")
	}
	given, err := rawjson.WithoutNulls(data)
	if err == nil {
		err = partnercenter.Unmarshal(given, out)
	}
	if err == nil {
		if member, text := spelling.UnreadableDate(out); text != "" {
			return errBadQuery(member+" "+quote.Text(text)+" is not a date", "write it like 2018-03-15T02:17:15Z, or leave it out")
		}
		return nil
	}
	if e := partnercenter.Unmarshal(data, out); e != nil {
		err = e // with the positions in the body as it was sent
	}
	var semantic *json.SemanticError
	switch {
	case errors.Is(err, jsontext.ErrDuplicateName):
		return errBody("a key is repeated"+errorPosition(data, err)+", in the same or another case", "send each key once")
	case errors.As(err, &semantic):
		return errBadQuery("the value"+errorPosition(data, err)+" "+describeMismatch(semantic), "send one of the documented type")
	}
	return errBody("it cannot be read"+errorPosition(data, err), "send the documented fields")
}

// checkJSON scans a body once without keeping anything. The API's types are lenient
// about UTF-8 for the sake of clients; a server must not store what it cannot send.
func checkJSON(data []byte) error {
	dec := jsontext.NewDecoder(bytes.NewReader(data))
	if dec.PeekKind() != jsontext.KindBeginObject {
		if _, err := dec.ReadValue(); err != nil {
			return errSyntax(data, err)
		}
		return errBody("it is not a JSON object", "send one, in braces")
	}
	for ended := false; ; ended = dec.StackDepth() == 0 {
		_, err := dec.ReadToken()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return errSyntax(data, err)
		case dec.StackDepth() > maxDepth:
			return errBody("it is nested more than "+strconv.Itoa(maxDepth)+" deep", "send the documented fields only")
		case ended:
			return errBody("something follows the JSON object", "send one object and nothing else")
		}
	}
}

func errSyntax(data []byte, err error) error {
	if errors.Is(err, jsontext.ErrDuplicateName) {
		return errBody("a key is repeated"+errorPosition(data, err), "send each key once")
	}
	var syntactic *jsontext.SyntacticError
	if errors.As(err, &syntactic) && syntactic.Err != nil {
		return errBody("it is not JSON"+errorPosition(data, err)+": "+syntactic.Err.Error(), "correct it there")
	}
	return errBody("it is not JSON: it ends too early", "send all of it")
}

// errorPosition says where in a body an error is: the path of the value and the line.
func errorPosition(data []byte, err error) string {
	var offset int64
	var pointer jsontext.Pointer
	var semantic *json.SemanticError
	var syntactic *jsontext.SyntacticError
	switch {
	case errors.As(err, &semantic):
		offset, pointer = semantic.ByteOffset, semantic.JSONPointer
	case errors.As(err, &syntactic):
		offset, pointer = syntactic.ByteOffset, syntactic.JSONPointer
	default:
		return ""
	}
	line := 1 + bytes.Count(data[:min(max(int(offset), 0), len(data))], []byte("\n"))
	where := ""
	if pointer != "" {
		where = " at " + quote.Text(strings.TrimPrefix(string(pointer), "/"))
	}
	return where + " (line " + strconv.Itoa(line) + ")"
}

// describeMismatch words a type error without Go's terms.
func describeMismatch(e *json.SemanticError) string {
	kinds := map[jsontext.Kind]string{
		jsontext.KindNull: "null", jsontext.KindTrue: "true", jsontext.KindFalse: "false", jsontext.KindString: "a text",
		jsontext.KindNumber: "a number", jsontext.KindBeginObject: "an object", jsontext.KindBeginArray: "an array",
	}
	if e.JSONKind == jsontext.KindNumber && e.GoType != nil && e.GoType.Kind() == reflect.Int {
		return "is not a whole number, or is too large"
	}
	if is, ok := kinds[e.JSONKind]; ok {
		return "is " + is + ", which it cannot be or not of this size"
	}
	return "has the wrong type"
}
