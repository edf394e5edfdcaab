package server

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/lifecycle"
)

// maxEndDates is how many dates a page has at most.
const maxEndDates = 300

// endDatesPage is a page of custom term end dates, as a continuation token stores it.
type endDatesPage struct {
	Customer string `json:"c"`
	Term     string `json:"t"`
	Start    string `json:"s"`
	Target   string `json:"g,omitzero"`
	Size     int    `json:"n"`
	After    string `json:"a,omitzero"` // the last one before the page, see endDateKey
}

// endDateKey is what the list is sorted by.
func endDateKey(d *partnercenter.CustomTermEndDate) string {
	return d.AllowedCustomTermEndDate.String() + " " + string(d.AllowedCustomTermEndDateType)
}

// listCustomTermEndDates answers with the dates on which the first term of a purchase can
// end.
func (s *Server) listCustomTermEndDates(c *call) error {
	page, err := s.endDatesPage(c)
	if err != nil {
		return err
	}
	ctx := c.r.Context()
	account, err := s.account(ctx, c)
	if err == nil {
		account.Owned, err = s.allSubscriptions(ctx, account)
	}
	if err != nil {
		return err
	}
	asked := lifecycle.CustomEnds{TermDuration: page.Term, Target: page.Target}
	if page.Start != "" {
		if asked.Start, err = partnercenter.ParseTime(page.Start); err != nil {
			return errBadQuery("TermStartDate is not a date", "send one such as 2026-07-01, or leave it out")
		}
	}
	now := s.now()
	list, err := lifecycle.CustomTermEndDates(account, asked, now)
	if err != nil {
		return err
	}
	at, found := slices.BinarySearchFunc(list, page.After, func(d partnercenter.CustomTermEndDate, after string) int {
		return strings.Compare(endDateKey(&d), after)
	})
	if found {
		at++
	}
	rest := list[at:]
	answer := collection(rest[:min(len(rest), page.Size)], page.uri(""))
	if len(rest) > page.Size {
		// The next page is of the same term, even if a day begins before it is asked for.
		page.After, page.Start = endDateKey(&rest[page.Size-1]), cmp.Or(page.Start, now.UTC().Format(time.DateOnly))
		if answer.ContinuationToken, err = s.seal.seal(c.claims.TenantID, page); err != nil {
			return err
		}
		next := partnercenter.NewLink(http.MethodGet, page.uri(partnercenter.SeekOperationNext))
		next.Headers = []partnercenter.LinkHeader{{Key: "MS-ContinuationToken", Value: answer.ContinuationToken}}
		answer.Links.Next = next
	}
	return c.writeJSON(answer)
}

// endDatesPage reads the page that a request asks for. With a continuation token all of it
// comes from there.
func (s *Server) endDatesPage(c *call) (page endDatesPage, err error) {
	tokens := c.r.Header[keyContinuationToken]
	if len(tokens) > 1 {
		return page, errBadToken
	}
	if len(tokens) == 1 && tokens[0] != "" {
		if s.seal.open(tokens[0], c.claims.TenantID, &page) != nil || page.Customer != c.customer || page.Size < 1 {
			return page, errBadToken
		}
		return page, nil
	}
	page.Customer = c.customer
	for _, p := range []struct {
		field         *string
		sample, table string // as a sample and the table of parameters spell it
	}{
		{&page.Term, "term_duration", "TermDuration"},
		{&page.Start, "term_start_date", "TermStartDate"},
		{&page.Target, "target_coterm_subscription_id", "TargetCotermSubscriptionId"},
	} {
		one, other := c.query[p.sample], c.query[ascii.ToLower(p.table)]
		if one != "" && other != "" && one != other {
			return page, errBadQuery(p.sample+" and "+p.table+" are two values of one parameter", "send one of them")
		}
		*p.field = ascii.TrimSpace(cmp.Or(one, other))
	}
	size, err := c.query.number("size", maxEndDates)
	page.Size = cmp.Or(size, maxEndDates)
	return page, err
}

// uri is the address of a page, without the version.
func (p *endDatesPage) uri(seek partnercenter.SeekOperation) string {
	query := url.Values{"term_duration": {p.Term}}
	for name, value := range map[string]string{"TermStartDate": p.Start, "TargetCotermSubscriptionId": p.Target, "seekOperation": string(seek)} {
		if value != "" {
			query.Set(name, value)
		}
	}
	if p.Size != maxEndDates {
		query.Set("size", strconv.Itoa(p.Size))
	}
	return "/customers/" + p.Customer + "/subscriptions/customTermEndDates?" + query.Encode()
}
