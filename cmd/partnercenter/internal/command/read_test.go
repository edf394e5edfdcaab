package command

import (
	"context"
	"iter"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
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

// TestLimitEndsAList takes no item from a list, which may be that of another page, after
// the last that is printed.
func TestLimitEndsAList(t *testing.T) {
	for _, stream := range []bool{false, true} {
		var stdout strings.Builder
		term := &terminal.Terminal{Stdout: &stdout, Getenv: func(string) string { return "" }}
		var (
			cmd    cobra.Command
			output terminal.Output
		)
		view := &terminal.View[int]{Columns: []terminal.Column[int]{{Name: "id", Value: func(n int) any { return n }}}}
		output.AddFlags(&cmd, view.Names(), true)
		if err := cmd.ParseFlags([]string{"--limit", "2", "--no-headers"}); err != nil {
			t.Fatal(err)
		}
		p, err := terminal.NewPrinter(term, &output, view)
		if err != nil {
			t.Fatal(err)
		}
		ctx, share := walk.NewRoom(1).Share(t.Context())
		err = printList(&Call{Stream: stream}, p, func(yield func(int, error) bool) {
			for n := 1; n <= 2; n++ {
				if !yield(n, ctx.Err()) {
					return
				}
			}
			t.Error("the list went on")
		}, share)
		if err != nil || stdout.String() != "1\n2\n" {
			t.Errorf("%v, %q", err, &stdout)
		}
	}
}
