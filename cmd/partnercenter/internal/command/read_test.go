package command

import (
	"context"
	"iter"
	"strings"
	"testing"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/walk"
)

// TestCollect has lists that are too long to be kept: of many small items, and of few
// whose answers are large.
func TestCollect(t *testing.T) {
	for want, list := range map[string]func(context.Context) iter.Seq2[int, error]{
		"more than 1000000 items": func(context.Context) iter.Seq2[int, error] {
			return func(yield func(int, error) bool) {
				for yield(1, nil) {
				}
			}
		},
		"more than 268435456 bytes": func(ctx context.Context) iter.Seq2[int, error] {
			return func(yield func(int, error) bool) {
				for range 3 {
					if !yield(1, walk.ShareOf(ctx).Take(partnercenter.DefaultMaxAnswerSize/2)) {
						return
					}
				}
			}
		},
	} {
		if all, err := Collect(t.Context(), list); err == nil || !strings.Contains(err.Error(), want) || all != nil {
			t.Errorf("%d items, %v, want %s", len(all), err, want)
		}
	}
}
