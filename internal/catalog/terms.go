package catalog

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/guid"
)

// TermMonths returns the length of a term such as P1M or P3Y in months. It is 0 for
// terms without an end.
func TermMonths(duration string) int {
	text := ascii.ToUpper(duration)
	for unit, months := range map[string]int{"M": 1, "Y": 12} {
		count, ok := strings.CutSuffix(text, unit)
		if n, err := strconv.Atoi(strings.TrimPrefix(count, "P")); ok && err == nil && n > 0 && n <= 1200 {
			return n * months
		}
	}
	return 0
}

// CycleMonths returns the length of a billing cycle in months. It is 0 for what is
// billed once or never.
func CycleMonths(cycle partnercenter.BillingCycleType) int {
	switch cycle.Normalize() {
	case partnercenter.BillingCycleTypeMonthly:
		return 1
	case partnercenter.BillingCycleTypeAnnual:
		return 12
	case partnercenter.BillingCycleTypeBiennial:
		return 2 * 12
	case partnercenter.BillingCycleTypeTriennial:
		return 3 * 12
	}
	return 0
}

// Billable reports whether something can be billed in a cycle during a term: the cycle
// is not longer.
func Billable(duration string, cycle partnercenter.BillingCycleType) bool {
	months := TermMonths(duration)
	return months == 0 || CycleMonths(cycle) <= months
}

// Term returns the first of the item's terms that can be billed in a cycle, the first
// one if none can. The item has terms.
func (i *Item) Term(cycle partnercenter.BillingCycleType) string {
	for _, term := range i.Terms {
		if Billable(term, cycle) {
			return term
		}
	}
	return i.Terms[0]
}

// termNames are the names of terms, unless the file says otherwise.
var termNames = map[string]string{"": "No end", "P1M": "1 Month", "P1Y": "1 Year", "P2Y": "2 Years", "P3Y": "3 Years"}

// refundedFor is how long what can be cancelled is refunded: a week.
const refundedFor = "P7D"

// sellTerms makes one term for each duration and billing cycle out of the file's or the
// kind's, and says what they renew to. It returns the durations.
func (a *availability) sellTerms() (durations []string) {
	res, common := &a.resource, kinds[a.sku.product.kind]
	given := res.Terms
	if given == nil {
		for _, duration := range common.terms {
			given = append(given, partnercenter.AvailabilityTerm{Duration: duration})
		}
	}
	res.Terms = []partnercenter.AvailabilityTerm{}
	for _, term := range given {
		term.Description = cmp.Or(term.Description, termNames[term.Duration], term.Duration)
		if term.CancellationPolicies == nil && common.refunded {
			term.CancellationPolicies = []partnercenter.CancellationPolicy{{RefundOptions: []partnercenter.CancellationRefundOption{
				{SequenceID: new(0), Type: partnercenter.RefundTypeFull, ExpiresAfter: refundedFor},
			}}}
		}
		for _, cycle := range a.sku.resource.SupportedBillingCycles {
			if !Billable(term.Duration, cycle) {
				continue
			}
			term.ID = guid.Derived("term", res.CatalogItemID, term.Duration, string(cycle))[24:] // 12 digits
			term.BillingCycle = termCycles[cycle]
			res.Terms = append(res.Terms, term)
			if !slices.Contains(durations, term.Duration) {
				durations = append(durations, term.Duration)
			}
			if *res.IsRenewable {
				res.RenewalInstructions = append(res.RenewalInstructions, partnercenter.RenewalInstruction{
					ApplicableTermIDs: []string{term.ID},
					RenewalOptions:    []partnercenter.RenewalOption{{RenewToID: res.ProductID + ":" + res.SKUID, IsAutoRenewable: new(true)}},
				})
			}
		}
	}
	return durations
}

// termCycles are the billing cycles as terms spell them.
var termCycles = map[partnercenter.BillingCycleType]partnercenter.BillingCycleType{
	partnercenter.BillingCycleTypeMonthly: "Monthly", partnercenter.BillingCycleTypeAnnual: "Annual",
	partnercenter.BillingCycleTypeBiennial: "Biennial", partnercenter.BillingCycleTypeTriennial: "Triennial",
	partnercenter.BillingCycleTypeOneTime: "OneTime", partnercenter.BillingCycleTypeNone: "None",
}
