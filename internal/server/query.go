package server

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/quote"
)

// query is a request's query with names in lower case: clients write seekOperation and
// seekoperation.
type query map[string]string

// parseQuery reads a query. A repeated name, in any case, is refused, as either value
// could be the wrong one, and so is what could only be compared after it is changed:
// invalid UTF-8, and NUL.
func parseQuery(raw string) (query, error) {
	if raw == "" {
		return nil, nil
	}
	values, err := url.ParseQuery(raw)
	if err != nil {
		return nil, errBadQuery("the query string is invalid", "percent-encode names and values, and join them with &")
	}
	q := make(query, len(values))
	for name, list := range values {
		if !isText(name) || slices.ContainsFunc(list, func(value string) bool { return !isText(value) }) {
			return nil, errBadQuery("query parameter "+quote.Text(name)+" is not UTF-8 text", "percent-encode the UTF-8 form of names and values")
		}
		folded := ascii.ToLower(name)
		if _, twice := q[folded]; twice || len(list) > 1 {
			return nil, errBadQuery("query parameter "+quote.Text(name)+" is repeated", "send it once")
		}
		q[folded] = list[0]
	}
	return q, nil
}

// isText reports whether s can be compared and stored as it is.
func isText(s string) bool { return utf8.ValidString(s) && !strings.Contains(s, "\x00") }

// bool reads a flag: absent, empty, or true or false in any case.
func (q query) bool(name string) (bool, error) {
	value := q[name]
	switch {
	case value == "" || ascii.EqualFold(value, "false"):
		return false, nil
	case ascii.EqualFold(value, "true"):
		return true, nil
	}
	return false, errBadQuery(name+"="+quote.Text(value)+" is neither true nor false", "send true or false, or leave it out")
}

// number reads a count from 0 to limit; absent and empty are 0.
func (q query) number(name string, limit int) (int, error) {
	value := q[name]
	if value == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(value)
	if err != nil || n < 0 || n > limit {
		return 0, errBadQuery(name+"="+quote.Text(value)+" is not a whole number from 0 to "+strconv.Itoa(limit),
			"send such a number, or leave it out; 0 means the same as leaving it out")
	}
	return n, nil
}

// billingType reads the billing cycle filter in any spelling. Absent, empty and
// "unknown" mean all orders.
func (q query) billingType() (partnercenter.BillingCycleType, error) {
	value := partnercenter.BillingCycleType(q["billingtype"])
	if value == "" || value.Normalize() == partnercenter.BillingCycleTypeUnknown {
		return "", nil
	}
	if !value.Known() {
		return "", errEnum("billingType", string(value), billingTypeNames())
	}
	return value.Normalize(), nil
}

// billingTypeNames are the values of the filter, for error messages.
func billingTypeNames() []string {
	cycles := partnercenter.BillingCycleTypes()
	names := make([]string, 0, len(cycles))
	for _, c := range cycles {
		if c != partnercenter.BillingCycleTypeUnknown {
			names = append(names, string(c))
		}
	}
	slices.Sort(names)
	return names
}
