package api

import (
	"iter"
	"time"

	"github.com/spf13/cobra"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/words"
)

// listFilter holds the flags that select items of a list by date and status. The service
// does not filter by these, so that all items are requested.
type listFilter struct {
	since, until, status string
	statuses             []string // those that --status takes
	normalize            func(string) string
	from, before         time.Time
}

// filterBy returns the flags for items with a status of type S.
func filterBy[S interface {
	~string
	Normalize() S
}](statuses []S) listFilter {
	return listFilter{statuses: words.Texts(statuses), normalize: func(text string) string { return string(S(text).Normalize()) }}
}

func (l *listFilter) addFlags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&l.since, "since", "", "only those created since this `date`, such as 2026-01-31 or 2026-01-31T12:00:00Z")
	cmd.Flags().StringVar(&l.until, "until", "", "only those created until the end of this `date`, or before this time")
	cmd.Flags().StringVar(&l.status, "status", "", "only those with this `status`: "+words.Or(l.statuses))
	terminal.Choices(cmd, "status", l.statuses...)
}

// parse checks the flags.
func (l *listFilter) parse() (err error) {
	if l.from, _, err = parseDate("since", l.since); err != nil {
		return err
	}
	var wholeDay bool
	if l.before, wholeDay, err = parseDate("until", l.until); err != nil {
		return err
	}
	if wholeDay {
		l.before = l.before.AddDate(0, 0, 1)
	}
	if l.since != "" && l.until != "" && !l.from.Before(l.before) {
		return terminal.Usagef("--since %s is not before --until %s: no item matches", l.since, l.until)
	}
	if l.status != "" {
		l.status = l.normalize(l.status)
		return terminal.OneOf("status", l.status, l.statuses...)
	}
	return nil
}

// parseDate parses a flag's date, which is that of a whole day in UTC, or a time.
func parseDate(flag, text string) (at time.Time, wholeDay bool, err error) {
	if text == "" {
		return time.Time{}, false, nil
	}
	if at, err = time.Parse(time.DateOnly, text); err == nil {
		return at, true, nil
	}
	if at, err = time.Parse(time.RFC3339, ascii.ToUpper(text)); err == nil {
		return at, false, nil
	}
	return time.Time{}, false, terminal.Usagef("--%s %q is not a date: write it like 2026-01-31 or 2026-01-31T12:00:00Z", flag, text)
}

func (l *listFilter) matches(created partnercenter.Time, status string) bool {
	at := created.Time()
	return (l.since == "" || !at.Before(l.from)) && (l.until == "" || !at.IsZero() && at.Before(l.before)) &&
		(l.status == "" || l.normalize(status) == l.status)
}

// only yields the items that match, and errors.
func only[T any](items iter.Seq2[T, error], matches func(T) bool) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for item, err := range items {
			if (err != nil || matches(item)) && !yield(item, err) {
				return
			}
		}
	}
}
