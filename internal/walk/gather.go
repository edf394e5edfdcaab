package walk

import (
	"context"
	"fmt"
	"iter"
	"sync/atomic"
)

// MaxItems is how many items of a list are kept in memory at most: more than the
// customers of any partner.
const MaxItems = 1_000_000

// Gather returns all items of a list, or none if it fails or has more than most.
func Gather[T any](items iter.Seq2[T, error], most int) ([]T, error) {
	var all []T
	for item, err := range items {
		if err != nil {
			return nil, err
		}
		if len(all) == most {
			return nil, &FullError{has: fmt.Sprintf("more than %d items", most)}
		}
		all = append(all, item)
	}
	return all, nil
}

// FullError reports a list that is larger than what is kept of one.
type FullError struct {
	Bytes bool // what is too many: bytes, which may be those of several lists, or items
	has   string
}

func (e *FullError) Error() string { return "it has " + e.has }

// NonRetriable marks the error as one that azcore must not retry.
func (*FullError) NonRetriable() {}

// Room is how many bytes of answers several gatherers may keep together.
type Room struct {
	size int64
	left atomic.Int64
}

// NewRoom returns a room of so many bytes.
func NewRoom(size int64) *Room {
	r := &Room{size: size}
	r.left.Store(size)
	return r
}

// Share is what one gatherer takes of a room.
type Share struct {
	room  *Room
	taken atomic.Int64
}

type shareKey struct{}

// Share returns a context whose answers take a share of the room.
func (r *Room) Share(ctx context.Context) (context.Context, *Share) {
	s := &Share{room: r}
	return context.WithValue(ctx, shareKey{}, s), s
}

// ShareOf returns the share that the answers of a context take, nil for none.
func ShareOf(ctx context.Context) *Share {
	s, _ := ctx.Value(shareKey{}).(*Share)
	return s
}

// Take takes bytes, and fails if the room has no more.
func (s *Share) Take(n int) error {
	s.taken.Add(int64(n))
	if s.room.left.Add(-int64(n)) < 0 {
		return &FullError{true, fmt.Sprintf("more than %d bytes", s.room.size)}
	}
	return nil
}

// Return gives back some of what was taken.
func (s *Share) Return(n int) {
	s.taken.Add(-int64(n))
	s.room.left.Add(int64(n))
}

// Taken returns how many bytes were taken.
func (s *Share) Taken() int64 { return s.taken.Load() }

// Free gives back what was taken.
func (s *Share) Free() { s.room.left.Add(s.taken.Swap(0)) }
