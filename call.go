package partnercenter

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"net/http"
	"reflect"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/guid"
)

// request describes a call.
type request struct {
	method, address string
	header          http.Header
	in              any           // the resource to send; nil for none
	content         io.ReadSeeker // the body, if it is not in encoded as JSON
	contentType     string
	stream          bool // the caller reads the answer's body
	status          int  // of the answer, if it has no documented body
	later           bool // the service may take the change to make it later (202), and answer no body
}

// call makes a call on the resource and reads the answer into out, as
// [Client.send] does.
func (r resource) call(ctx context.Context, req request, out any) (http.Header, error) {
	var err error
	if req.address, err = r.address(); err != nil {
		return nil, err
	}
	return r.client.send(ctx, req, out)
}

// read gets the resource.
func read[T any](ctx context.Context, r resource) (*T, error) {
	return exchange[T](ctx, r, request{method: http.MethodGet})
}

// readList gets the first page of a list, usually the only one.
func readList[T any](ctx context.Context, r resource) (*Collection[*T], error) {
	return read[Collection[*T]](ctx, r)
}

// readAll yields the items of a list, following next pages, with the checks of
// [OrdersClient.All].
func readAll[T any](ctx context.Context, r resource) iter.Seq2[*T, error] {
	return paged(r, func() fetch[T] { return linked[T](ctx, r) })
}

// exchange makes a call on the resource and returns the answer.
func exchange[T any](ctx context.Context, r resource, req request) (*T, error) {
	out := new(T)
	if _, err := r.call(ctx, req, out); err != nil {
		return nil, err
	}
	return out, nil
}

// option is a field of a request's header or a parameter of its query.
type option struct{ name, value, what, accessor string }

func (o option) check() error {
	if o.value == "" {
		return fmt.Errorf("partnercenter: the %s is empty: pass it to %s, or leave it out", o.what, o.accessor)
	}
	return nil
}

// headerOf collects options into a request's header. Their zero value is made by whoever
// does not call one of the named functions.
func headerOf[O ~struct{ option }](opts []O, functions string) (http.Header, error) {
	header := http.Header{}
	for _, opt := range opts {
		o := struct{ option }(opt).option
		if o.name == "" {
			return nil, fmt.Errorf("partnercenter: an option is empty: use %s", functions)
		}
		if err := o.check(); err != nil {
			return nil, err
		}
		header.Set(o.name, o.value)
	}
	return header, nil
}

// send makes a call, decodes the answer into out unless out is nil, and returns
// the answer's header. A successful answer that is not of the documented type is
// a [*DecodeError].
//
// All attempts of a call carry the same MS-RequestId, by which the service
// recognises a write that it has already done.
func (c *Client) send(ctx context.Context, r request, out any) (http.Header, error) {
	resp, state, err := c.do(ctx, r) //nolint:bodyclose // the body is in memory
	if err != nil {
		return nil, err
	}
	body, err := runtime.Payload(resp)
	if err != nil {
		return nil, state.lost(resp.Request, err)
	}
	switch {
	case out == nil && resp.StatusCode != r.status:
		err = fmt.Errorf("the answer is %s, not %d", resp.Status, r.status)
	case out == nil && r.status == http.StatusAccepted && resp.Header.Get("Location") == "":
		err = errors.New("the answer has no Location")
	case out == nil || r.later && len(body) == 0 && resp.StatusCode == http.StatusAccepted:
		return resp.Header, nil
	default:
		if err = Unmarshal(body, out); err == nil {
			err = documented(reflect.ValueOf(out).Elem(), body)
		}
	}
	if err != nil {
		return nil, undocumented(resp, body, err)
	}
	return resp.Header, nil
}

// undocumented returns the error for a successful answer that is not what the API
// documents.
func undocumented(resp *http.Response, body []byte, err error) error {
	u := *resp.Request.URL
	u.RawQuery = ""
	return &DecodeError{
		Method: resp.Request.Method, URL: u.String(), RequestID: firstValue(resp, headerRequestID),
		ContentType: shortened(resp.Header.Get("Content-Type"), maxName), Description: describeText(resp, body), Err: err,
	}
}

// documented returns an error for a JSON value that decoded to nothing: a list with
// neither items nor totalCount, or a resource without what identifies it. It would look
// like an empty list or resource. The first field of every resource identifies it.
func documented(v reflect.Value, body []byte) error {
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return errors.New("it is null")
		}
		v = v.Elem()
	}
	t := v.Type()
	switch {
	case t.Kind() == reflect.Slice && v.IsNil():
		return errors.New("the answer is not a list: it is null")
	case t.Kind() == reflect.Slice:
		return documentedItems(v)
	case t.Kind() != reflect.Struct || t.PkgPath() != reflect.TypeFor[Client]().PkgPath() || !v.FieldByName("Extra").IsValid():
		return nil // a type of the caller's
	}
	if isError(v) {
		return errors.New("the answer is an error")
	}
	if total := v.FieldByName("TotalCount"); total.IsValid() {
		if total.Int() < 0 {
			return fmt.Errorf("the list has a totalCount of %d", total.Int())
		}
		if items := v.FieldByName("Items"); !items.IsNil() {
			return documentedItems(items)
		}
		var list struct {
			TotalCount *int `json:"totalCount"`
		}
		if err := Unmarshal(body, &list); err != nil {
			return err
		}
		if list.TotalCount == nil {
			return errors.New("the answer is not a list: it has neither items nor totalCount")
		}
		return nil
	}
	if v.Field(0).IsZero() {
		name, _, _ := strings.Cut(t.Field(0).Tag.Get("json"), ",")
		return fmt.Errorf("the answer is no %s: it has no %s", t.Name(), name)
	}
	return nil
}

// isError reports whether a resource or list says that it is an error.
func isError(v reflect.Value) bool {
	var known struct {
		Attributes *ResourceAttributes `json:"attributes"`
	}
	if attributes := v.FieldByName("Attributes"); attributes.IsValid() {
		known.Attributes, _ = attributes.Interface().(*ResourceAttributes)
	} else if extra := v.FieldByName("Extra").Bytes(); len(extra) > 0 && Unmarshal(extra, &known) != nil {
		return false // attributes of another kind
	}
	return known.Attributes != nil && ascii.EqualFold(string(known.Attributes.ObjectType), "error")
}

func documentedItems(items reflect.Value) error {
	for i := range items.Len() {
		if err := documented(items.Index(i), nil); err != nil {
			return fmt.Errorf("item %d: %w", i, err)
		}
	}
	return nil
}

// do makes a call and returns a successful answer; any other is an [*Error].
// Unless r.stream is set, the answer's body is in memory.
func (c *Client) do(ctx context.Context, r request) (*http.Response, *callState, error) {
	if r.in != nil {
		if v := reflect.ValueOf(r.in); v.Kind() == reflect.Pointer && v.IsNil() {
			return nil, nil, fmt.Errorf("partnercenter: the *%s to send is nil: pass one", v.Type().Elem().Name())
		}
		data, err := Marshal(r.in)
		if err != nil {
			return nil, nil, fmt.Errorf("partnercenter: the request cannot be written as JSON: %w", err)
		}
		r.content, r.contentType = bytes.NewReader(data), "application/json"
	}
	req, err := runtime.NewRequest(ctx, r.method, r.address)
	if err != nil {
		return nil, nil, err
	}
	operation := c.operation(req.Raw(), r.in)
	if err := c.offered(operation, req.Raw(), r.in); err != nil {
		return nil, nil, err
	}
	state := &callState{write: r.method != http.MethodGet && r.method != http.MethodHead, operation: operation}
	req.SetOperationValue(state)
	if r.stream {
		runtime.SkipBodyDownload(req)
	}
	h := req.Raw().Header
	maps.Copy(h, r.header)
	if r.content != nil {
		state.body = &replay{content: r.content}
		if err := req.SetBody(state.body, r.contentType); err != nil {
			return nil, nil, fmt.Errorf("partnercenter: the request's body cannot be read: %w", err)
		}
	}
	if h.Get("Accept") == "" {
		h.Set("Accept", "application/json")
	}
	if err := idsOf(ctx).addTo(h); err != nil {
		return nil, nil, err
	}
	// The pipeline reads and closes the body, or the caller does.
	resp, err := c.pipeline.Do(req) //nolint:bodyclose
	if errors.Is(err, io.ErrUnexpectedEOF) && !state.write {
		when := "in the middle of the answer"
		if !state.sent {
			when = "before the request was sent"
		}
		err = fmt.Errorf("partnercenter: the connection to %s broke %s: %w; try again", req.Raw().URL.Host, when, err)
	}
	if err != nil {
		return nil, nil, state.lost(req.Raw(), err)
	}
	resp.Header = state.header
	succeeded := resp.StatusCode >= 200 && resp.StatusCode <= 299
	if succeeded && r.stream {
		return resp, state, nil
	}
	body, err := runtime.Payload(resp)
	if err != nil {
		return nil, nil, state.lost(req.Raw(), err)
	}
	if succeeded {
		if err := checkDepth(body); err != nil {
			return nil, nil, undocumented(resp, body, err)
		}
		return resp, state, nil
	}
	failed := newError(resp, body)
	failed.Unsettled = state.unsettled(failed)
	return nil, nil, failed
}

// NewRequestID returns a new id for [WithRequestID]: a random GUID (version 4).
func NewRequestID() string { return guid.New() }

type idsKey struct{}

// ids are those of a context, nil for a new one.
type ids struct{ request, correlation *string }

func idsOf(ctx context.Context) ids {
	v, _ := ctx.Value(idsKey{}).(ids)
	return v
}

// addTo sets the header of a request. An empty id would make a new one of each call, so
// that a repeated write has its effect again.
func (v ids) addTo(h http.Header) error {
	for _, id := range []struct {
		value          *string
		header, wanted string
	}{
		{v.request, headerRequestID, "the request id is empty: pass one of NewRequestID to WithRequestID"},
		{v.correlation, headerCorrelationID, "the correlation id is empty: pass one to WithCorrelationID"},
	} {
		if id.value == nil {
			continue
		}
		if strings.TrimSpace(*id.value) == "" {
			return errors.New("partnercenter: " + id.wanted)
		}
		h.Set(id.header, *id.value)
	}
	return nil
}

// WithRequestID returns a context whose call carries this MS-RequestId instead
// of a new one. Reuse an id only to repeat exactly the same call: the service
// answers a repeated write with the answer to the first. A call with an empty id fails.
//
// To place an order exactly once even if the caller crashes, get an id from
// [NewRequestID], save it together with the order, and then make the call. After a
// restart, repeat the call with the same id and order: there is one order, whatever
// happened to the first call, and its answer is returned. [Unsettled] reports whether an
// error leaves the outcome open. It considers only the call that failed, not earlier
// calls with the same id: a repeated call can be refused, for example for its token,
// before the service looks at the id. Only a successful answer settles those.
func WithRequestID(ctx context.Context, id string) context.Context {
	v := idsOf(ctx)
	v.request = &id
	return context.WithValue(ctx, idsKey{}, v)
}

// withoutRequestID gives the reads before and after a write ids of their own.
func withoutRequestID(ctx context.Context) context.Context {
	v := idsOf(ctx)
	v.request = nil
	return context.WithValue(ctx, idsKey{}, v)
}

// WithCorrelationID returns a context whose calls carry this MS-CorrelationId,
// which ties related calls together in the service's logs. A call with an empty id fails.
func WithCorrelationID(ctx context.Context, id string) context.Context {
	v := idsOf(ctx)
	v.correlation = &id
	return context.WithValue(ctx, idsKey{}, v)
}
