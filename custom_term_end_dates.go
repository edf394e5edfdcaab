package partnercenter

import (
	"context"
	"iter"
	"slices"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// CustomTermEndDate is a date on which the first term of a purchase can end, so that it
// ends together with a month or with other subscriptions. A purchase names it as
// customTermEndDate.
//
// https://learn.microsoft.com/partner-center/developer/get-custom-term-end-dates
type CustomTermEndDate struct {
	AllowedCustomTermEndDateType AllowedCustomTermEndDateType `json:"allowedCustomTermEndDateType,omitzero"`
	AllowedCustomTermEndDate     Time                         `json:"allowedCustomTermEndDate,omitzero"` // the last day, without a zone
	// CotermSubscriptionIDs are the subscriptions that end on the date. It is empty for a
	// date that is the end of a month.
	CotermSubscriptionIDs []string       `json:"cotermSubscriptionIds,omitzero"`
	Extra                 jsontext.Value `json:",embed"`
}

// AllowedCustomTermEndDateType says what ends on a [CustomTermEndDate].
type AllowedCustomTermEndDateType string

// The documented types.
const (
	AllowedCustomTermEndDateTypeCalendarMonth AllowedCustomTermEndDateType = "calendarMonthAligned"
	AllowedCustomTermEndDateTypeSubscription  AllowedCustomTermEndDateType = "subscriptionAligned"
)

var allowedCustomTermEndDateTypes = []AllowedCustomTermEndDateType{
	AllowedCustomTermEndDateTypeCalendarMonth, AllowedCustomTermEndDateTypeSubscription,
}

// AllowedCustomTermEndDateTypes returns the documented types.
func AllowedCustomTermEndDateTypes() []AllowedCustomTermEndDateType {
	return slices.Clone(allowedCustomTermEndDateTypes)
}

// Normalize returns the constant that t spells, or t unchanged.
func (t AllowedCustomTermEndDateType) Normalize() AllowedCustomTermEndDateType {
	return normalize(t, allowedCustomTermEndDateTypes)
}

// Known reports whether t spells a documented value.
func (t AllowedCustomTermEndDateType) Known() bool { return isKnown(t, allowedCustomTermEndDateTypes) }

// CustomTermEndDatesClient accesses the dates on which first terms can end. Get one from
// [SubscriptionsClient.CustomTermEndDates].
type CustomTermEndDatesClient struct{ resource }

// ByTermDuration selects the dates for a term, such as P1Y, that begins today.
func (c *CustomTermEndDatesClient) ByTermDuration(duration string) *CustomTermEndDateListClient {
	return &CustomTermEndDateListClient{c.option(option{"term_duration", duration, "term", "ByTermDuration"})}
}

// CustomTermEndDateListClient accesses the dates for a term. Get one from
// [CustomTermEndDatesClient.ByTermDuration].
type CustomTermEndDateListClient struct{ resource }

// ByTermStartDate selects the dates for a term that begins on another day: a renewal's.
func (c *CustomTermEndDateListClient) ByTermStartDate(day time.Time) *CustomTermEndDateListClient {
	return &CustomTermEndDateListClient{c.option(option{"TermStartDate", day.Format(time.DateOnly), "first day", "ByTermStartDate"})}
}

// ByTargetCotermSubscription limits the list to the date on which a subscription of the
// customer ends.
func (c *CustomTermEndDateListClient) ByTargetCotermSubscription(subscriptionID string) *CustomTermEndDateListClient {
	return &CustomTermEndDateListClient{c.option(option{"TargetCotermSubscriptionId", subscriptionID, "subscription id", "ByTargetCotermSubscription"})}
}

// Get returns the first page of the dates, up to 300.
//
// The error is an [*Error] with status 400 and code 3000 if the term is none or begins in
// the past, and 404 and code 20003 if the customer does not have the subscription; else it
// is as for [OrdersClient.Get].
//
// https://learn.microsoft.com/partner-center/developer/get-custom-term-end-dates
func (c *CustomTermEndDateListClient) Get(ctx context.Context) (*Collection[*CustomTermEndDate], error) {
	return readList[CustomTermEndDate](ctx, c.resource)
}

// All yields the dates of all pages, with the checks of [OrdersClient.All].
func (c *CustomTermEndDateListClient) All(ctx context.Context) iter.Seq2[*CustomTermEndDate, error] {
	return readAll[CustomTermEndDate](ctx, c.resource)
}
