package api

import (
	"context"
	"iter"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/command"
	"github.com/partnercenter-go/partnercenter/cmd/partnercenter/internal/terminal"
)

// termEnds is the command that lists the dates on which first terms can end.
func termEnds() command.Form {
	var term, start, with string
	var first time.Time
	return command.List(command.Spec{
		Use: "term-ends --customer ID --term TERM", Customer: true, Short: "List the dates on which a first term can end",
		Long: `List the dates on which the first term of an online service can end instead of on
its last day: with a month, or with a subscription of the customer. "orders create" and
"carts create" take one as --term-end. What the shorter term costs is prorated, and the
terms after it are whole.`,
		Example: `  partnercenter subscriptions term-ends --customer ID --term P1Y
  partnercenter subscriptions term-ends --customer ID --term P1Y --with SUBSCRIPTION`,
		Flags: func(cmd *cobra.Command) {
			f := cmd.Flags()
			f.StringVar(&term, "term", "", "the term: `duration` is P1M, P1Y or P3Y")
			f.StringVar(&start, "start", "", "first day of the term, a `date` (default: today)")
			f.StringVar(&with, "with", "", "only the date on which the subscription with this `id` ends")
			terminal.Choices(cmd, "term", "P1M", "P1Y", "P3Y")
		},
		Check: func(*command.Call) (err error) {
			if term == "" {
				return terminal.Usagef("--term is required: P1M, P1Y or P3Y")
			}
			if start != "" {
				if first, err = time.Parse(time.DateOnly, start); err != nil {
					return terminal.Usagef("--start %q is not a date: write it like 2026-12-31", start)
				}
			}
			return nil
		},
	}, termEndsView, func(ctx context.Context, call *command.Call) iter.Seq2[*partnercenter.CustomTermEndDate, error] {
		dates := call.Customer.Subscriptions.CustomTermEndDates().ByTermDuration(term)
		if start != "" {
			dates = dates.ByTermStartDate(first)
		}
		if with != "" {
			dates = dates.ByTargetCotermSubscription(with)
		}
		return dates.All(ctx)
	})
}

var termEndsView = &terminal.View[*partnercenter.CustomTermEndDate]{
	Plural: "dates",
	Columns: []terminal.Column[*partnercenter.CustomTermEndDate]{
		{Name: "date", Kind: terminal.ID, Value: func(d *partnercenter.CustomTermEndDate) any {
			return d.AllowedCustomTermEndDate.Time().Format(time.DateOnly)
		}},
		{Name: "allowedCustomTermEndDateType", Header: "ENDS WITH", Value: func(d *partnercenter.CustomTermEndDate) any {
			switch d.AllowedCustomTermEndDateType.Normalize() {
			case partnercenter.AllowedCustomTermEndDateTypeCalendarMonth:
				return "the month"
			case partnercenter.AllowedCustomTermEndDateTypeSubscription:
				return "a subscription"
			}
			return string(d.AllowedCustomTermEndDateType)
		}},
		{Name: "cotermSubscriptionIds", Header: "SUBSCRIPTIONS", Value: func(d *partnercenter.CustomTermEndDate) any {
			return strings.Join(d.CotermSubscriptionIDs, " ")
		}},
	},
}
