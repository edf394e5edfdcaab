package walk

import (
	"errors"
	"strings"
	"testing"
)

func TestGather(t *testing.T) {
	read := 0
	endless := func(yield func(int, error) bool) {
		for yield(read, nil) {
			read++
		}
	}
	if all, err := Gather(endless, 3); !errors.As(err, new(*FullError)) || !strings.Contains(err.Error(), "more than 3 items") || all != nil || read != 3 {
		t.Errorf("%v, %v after %d items", all, err, read)
	}
	three := func(yield func(int, error) bool) { _ = yield(1, nil) && yield(2, nil) && yield(3, nil) }
	if all, err := Gather(three, 3); err != nil || len(all) != 3 {
		t.Errorf("%v, %v", all, err)
	}
}

// TestRoom has two gatherers share a room.
func TestRoom(t *testing.T) {
	room := NewRoom(10)
	ctx, first := room.Share(t.Context())
	_, second := room.Share(ctx)
	if ShareOf(ctx) != first || ShareOf(t.Context()) != nil {
		t.Error("not the share of the context")
	}
	if err := errors.Join(first.Take(6), second.Take(4)); err != nil {
		t.Error(err)
	}
	var full *FullError
	if err := second.Take(1); !errors.As(err, &full) || !full.Bytes || !strings.Contains(err.Error(), "more than 10 bytes") {
		t.Error(err)
	}
	second.Free()
	if err := second.Take(4); err != nil || second.Taken() != 4 {
		t.Error(err)
	}
	second.Return(3)
	if err := second.Take(3); err != nil || second.Taken() != 4 {
		t.Error(err)
	}
}
