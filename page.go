package partnercenter

import (
	"context"
	"fmt"
	"iter"
	"strings"
)

// ShortAnswerError says that an answer carried fewer items than it counted, so
// the list at hand is incomplete.
type ShortAnswerError struct {
	TotalCount int    // what the answer counted
	Items      int    // what it carried
	Path       string // of the first page, below the version root
}

func (e *ShortAnswerError) Error() string {
	return fmt.Sprintf("partnercenter: %s counted %d items but carried %d: the list is incomplete; try again, or set ClientOptions.AllowShortAnswers to take what came",
		e.Path, e.TotalCount, e.Items)
}

// A fetch returns the next page of a list, and nil after the last.
type fetch[T any] func() (*Collection[*T], error)

// paged yields the items of a list's pages; each iteration starts anew. A
// failed page ends the iteration for good.
func paged[T any](c *Client, path string, start func() fetch[T]) iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) {
		fetch := start()
		for {
			page, err := fetch()
			if err == nil && page != nil && len(page.Items) < page.TotalCount && !c.allowShortAnswers {
				err = &ShortAnswerError{TotalCount: page.TotalCount, Items: len(page.Items), Path: path}
			}
			if err != nil {
				yield(nil, err)
				return
			}
			if page == nil {
				return
			}
			for i, item := range page.Items {
				if item == nil {
					yield(nil, fmt.Errorf("partnercenter: item %d of %s is null: the list is incomplete; try again", i, path))
					return
				}
				if !yield(item, nil) {
					return
				}
			}
		}
	}
}

// linked returns a fetch that starts with first and follows next links.
func linked[T any](ctx context.Context, c *Client, first fetch[T]) fetch[T] {
	var next *Link
	load := first
	return func() (*Collection[*T], error) {
		if load == nil {
			return nil, nil
		}
		page, err := load()
		if err != nil {
			return nil, err
		}
		previous := next
		next, load = nil, nil
		if page.Links == nil || page.Links.Next == nil {
			return page, nil
		}
		next = page.Links.Next
		if previous != nil && previous.URI == next.URI && continuation(previous) == continuation(next) {
			return nil, fmt.Errorf("partnercenter: the next page of %s is that page itself: the list would never end; try again", next.URI)
		}
		load = func() (*Collection[*T], error) {
			page := new(Collection[*T])
			return page, c.follow(ctx, next, page)
		}
		return page, nil
	}
}

// continuation returns the continuation token among a link's headers.
func continuation(link *Link) string {
	if link == nil {
		return ""
	}
	for _, h := range link.Headers {
		if strings.EqualFold(h.Key, headerContinuationToken) {
			return h.Value
		}
	}
	return ""
}
