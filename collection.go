package partnercenter

import (
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Link is a link of a resource. Its URI is relative to the version root,
// normally without "/v1"; [Client.ResolveURI] makes an absolute address of it
// that is safe to send a token to.
type Link struct {
	URI     string         `json:"uri,omitzero"`
	Method  string         `json:"method,omitzero"` // GET, PATCH; some answers write Get
	Headers []LinkHeader   `json:"headers,omitzero"`
	Body    string         `json:"body,omitzero"`
	Extra   jsontext.Value `json:",embed"`
}

// LinkHeader is a header to send when following a [Link]; on a next page it
// carries MS-ContinuationToken.
type LinkHeader struct {
	Key   string         `json:"key,omitzero"`
	Value string         `json:"value,omitzero"`
	Extra jsontext.Value `json:",embed"`
}

// ResourceLinks are the links of a collection, or of a resource that has no
// links of its own kind.
type ResourceLinks struct {
	Self     *Link          `json:"self,omitzero"`
	Next     *Link          `json:"next,omitzero"`
	Previous *Link          `json:"previous,omitzero"`
	Extra    jsontext.Value `json:",embed"`
}

// ResourceAttributes are the metadata of a resource.
type ResourceAttributes struct {
	// Etag is the opaque version. Newer orders have none, subscriptions to
	// marketplace products the empty text. Do not store it.
	Etag       *string        `json:"etag,omitzero"`
	ObjectType ObjectType     `json:"objectType,omitzero"`
	Extra      jsontext.Value `json:",embed"`
}

// Collection is a list of resources as one answer carries it.
type Collection[T any] struct {
	// TotalCount is the number of items in this answer, in the service's own
	// samples at least; some print a larger one. Do not size buffers or end
	// loops by it.
	TotalCount int `json:"totalCount"`
	Items      []T `json:"items,omitzero"`
	// ContinuationToken leads to the next page of a seek-based collection.
	// Empty on the last page and on collections that are not paged so.
	ContinuationToken string              `json:"continuationToken,omitzero"`
	Links             *ResourceLinks      `json:"links,omitzero"`
	Attributes        *ResourceAttributes `json:"attributes,omitzero"`
	Extra             jsontext.Value      `json:",embed"`
}

// plainCollection is Collection without its methods.
type plainCollection[T any] Collection[T]

// MarshalJSON implements [encoding/json.Marshaler].
func (c Collection[T]) MarshalJSON() ([]byte, error) { return Marshal(plainCollection[T](c)) }

// UnmarshalJSON implements [encoding/json.Unmarshaler].
func (c *Collection[T]) UnmarshalJSON(data []byte) error {
	return Unmarshal(data, (*plainCollection[T])(c))
}

// MarshalJSONTo implements the streaming marshaler of json v2.
func (c Collection[T]) MarshalJSONTo(enc *jsontext.Encoder) error {
	return json.MarshalEncode(enc, plainCollection[T](c))
}

// UnmarshalJSONFrom implements the streaming unmarshaler of json v2.
func (c *Collection[T]) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	return json.UnmarshalDecode(dec, (*plainCollection[T])(c), decodeOptions)
}
