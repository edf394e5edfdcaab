package partnercenter

import (
	"context"
	"fmt"
	"iter"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/walk"
	"github.com/partnercenter-go/partnercenter/internal/words"
)

// Collection is a list of resources in one answer.
type Collection[T any] struct {
	// TotalCount is usually the number of items in this answer; some samples
	// have a larger one. Do not use it to size buffers or end loops.
	TotalCount int `json:"totalCount"`
	Items      []T `json:"items,omitzero"`
	// ContinuationToken gets the next page of a seek-based collection. It is
	// empty on the last page and in other collections.
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
	return encode(enc, plainCollection[T](c))
}

// UnmarshalJSONFrom implements the streaming unmarshaler of json v2.
func (c *Collection[T]) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	return decode(dec, (*plainCollection[T])(c))
}

// ShortAnswerError reports an answer with fewer items than its totalCount, so
// that the list is incomplete.
type ShortAnswerError struct {
	TotalCount int    // as sent
	Items      int    // number of items in the answer
	Path       string // of the first page, below the version root
}

func (e *ShortAnswerError) Error() string {
	return fmt.Sprintf("partnercenter: the answer of %s counts %s but has %d: the list is incomplete; try again, or set ClientOptions.AllowShortAnswers to accept it",
		e.Path, words.Count(e.TotalCount, "item"), e.Items)
}

// EndlessListError reports a list whose next page is one that came before, or that had
// three pages in a row without items: following its links would never end.
type EndlessListError struct {
	Path string // of the first page, below the version root
	Err  error  // which link is wrong, and how
}

func (e *EndlessListError) Error() string {
	return fmt.Sprintf("partnercenter: the list of %s would never end: %v; try again", e.Path, e.Err)
}

// Unwrap returns what is wrong.
func (e *EndlessListError) Unwrap() error { return e.Err }

// LargeListError reports a list that is too large for [AllOrdersClient.All], which keeps it
// in memory: more than a million customers, or orders of one, or answers of more than
// ClientOptions.MaxAnswerSize bytes together.
type LargeListError struct {
	Path  string // of the first page, below the version root
	Bytes bool   // what is too many: bytes, or items
	Err   error  // how many there are
}

func (e *LargeListError) Error() string {
	next := "list it by itself, with All of its own client, which keeps nothing"
	if e.Bytes {
		next = "set ClientOptions.MaxAnswerSize, or " + next
	}
	return fmt.Sprintf("partnercenter: the list of %s is too large to be kept in memory: %v; %s", e.Path, e.Err, next)
}

// Unwrap returns what is too much.
func (e *LargeListError) Unwrap() error { return e.Err }

// A fetch returns the next page of a list, and nil after the last.
type fetch[T any] func() (*Collection[*T], error)

// paged yields the items of the pages of a list. Each iteration starts at the
// first page. A failed page ends the iteration.
func paged[T any](r resource, start func() fetch[T]) iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) {
		fetch := start()
		for {
			page, err := fetch()
			if err == nil && page != nil && len(page.Items) < page.TotalCount && !r.client.allowShortAnswers {
				err = &ShortAnswerError{TotalCount: page.TotalCount, Items: len(page.Items), Path: r.path}
			}
			if err != nil {
				yield(nil, err)
				return
			}
			if page == nil {
				return
			}
			for _, item := range page.Items {
				if !yield(item, nil) {
					return
				}
			}
		}
	}
}

// linked returns a fetch that gets the resource and then follows links to next
// pages.
func linked[T any](ctx context.Context, r resource) fetch[T] {
	load := func() (*Collection[*T], error) { return readList[T](ctx, r) }
	address, _ := r.address() // which load reports the error of
	pages := walk.From(address, "")
	return func() (*Collection[*T], error) {
		if load == nil {
			return nil, nil
		}
		page, err := load()
		if err != nil {
			return nil, err
		}
		load = nil
		if page.Links == nil || page.Links.Next == nil {
			return page, nil
		}
		next := page.Links.Next
		address, err := r.client.ResolveURI(next.URI)
		if err != nil {
			address = next.URI // follow has the error
		}
		if err := pages.Next(len(page.Items), address, continuation(next)); err != nil {
			return nil, &EndlessListError{r.path, err}
		}
		load = func() (*Collection[*T], error) {
			page := new(Collection[*T])
			return page, r.client.follow(ctx, next, page)
		}
		return page, nil
	}
}

// continuation returns the continuation token in a link's headers.
func continuation(link *Link) string {
	if link == nil {
		return ""
	}
	for _, h := range link.Headers {
		if ascii.EqualFold(h.Key, headerContinuationToken) {
			return h.Value
		}
	}
	return ""
}
