package lifecycle

import (
	"math/big"
	"net/http"
	"regexp"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/ascii"
	"github.com/partnercenter-go/partnercenter/internal/catalog"
	"github.com/partnercenter-go/partnercenter/internal/guid"
	"github.com/partnercenter-go/partnercenter/internal/quote"
)

// A savings plan is a commitment to use Azure for an amount every hour of a term: the use
// of one Azure subscription, or of all that share an Azure plan.

const (
	grainHourly = "hourly"
	// monthHours is how many hours a month is charged for, whatever its length.
	monthHours = 730
	// maxCommitment bounds amounts. The service does not document its limit.
	maxCommitment = 1_000_000
)

// commitmentAmount is how amounts are written: without an exponent, and with up to four
// decimals.
var commitmentAmount = regexp.MustCompile(`^[0-9]{1,7}(\.[0-9]{1,4})?$`)

// commitment returns an amount, and nil if it is not valid.
func commitment(sent partnercenter.Decimal) *big.Rat {
	amount, err := sent.Rat()
	if err != nil || amount.Sign() <= 0 || amount.Cmp(big.NewRat(maxCommitment, 1)) > 0 || !commitmentAmount.MatchString(string(sent)) {
		return nil
	}
	return amount
}

// savingsPlanRules apply to each line, and refuse what only savings plans have elsewhere.
var savingsPlanRules = []rule[*lineCheck]{
	{http.StatusBadRequest, partnercenter.ErrorCodeSavingsPlanInput, "a savings plan has no purchaseCommitment, or something else has one", func(l *lineCheck) (string, string) {
		switch has := l.line.PurchaseCommitment != nil; {
		case l.item.Kind != catalog.SavingsPlan:
			return require(!has, "Leave purchaseCommitment out", "%s in line %d is no savings plan", l.item.ID, l.number)
		default:
			return require(has, "Send purchaseCommitment with amount, currency and grain", "The savings plan %s in line %d has no commitment", l.item.ID, l.number)
		}
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeSavingsPlanInput, "a savings plan's amount is not above 0 and up to 1000000, written with up to four decimals and no exponent", func(l *lineCheck) (string, string) {
		if l.item.Kind != catalog.SavingsPlan {
			return "", ""
		}
		sent := l.line.PurchaseCommitment.Amount
		return require(commitment(sent) != nil, "Send a number such as 0.05", "The amount %s of the commitment in line %d is not valid", quote.Text(string(sent)), l.number)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeSavingsPlanInput, "a savings plan's grain is not hourly, or its currency not the customer's", func(l *lineCheck) (string, string) {
		if l.item.Kind != catalog.SavingsPlan {
			return "", ""
		}
		c := l.line.PurchaseCommitment
		ok := ascii.EqualFold(ascii.TrimSpace(c.Grain), grainHourly) && ascii.EqualFold(ascii.TrimSpace(c.Currency), l.item.CurrencyCode)
		return require(ok, "Send the grain hourly and the currency "+l.item.CurrencyCode, "A commitment of %s %s in line %d is not offered", quote.Text(c.Grain), quote.Text(c.Currency), l.number)
	}},
	{http.StatusBadRequest, partnercenter.ErrorCodeSavingsPlanInput, "a savings plan does not say what it is for: subscriptionId with the scope shared, entitlementId with single", func(l *lineCheck) (string, string) {
		scope := provisioningVariable(l.line, "Scope") // another one is refused with those of reservations
		return require(l.item.Kind != catalog.SavingsPlan || l.azureID() != "" || scope != "" && !isScope(scope), "Send in provisioningContext the scope shared and an Azure plan's id as subscriptionId, or single and an Azure subscription's as entitlementId", "The savings plan %s in line %d does not say which use of Azure it is for", l.item.ID, l.number)
	}},
}

// azureID returns the id of what a reservation or a savings plan is for: that of a
// subscription, or of its Azure subscription. It is empty for other items.
func (l *lineCheck) azureID() string {
	switch {
	case l.item.Kind == catalog.Reservation, l.item.Kind == catalog.SavingsPlan && ascii.EqualFold(provisioningVariable(l.line, "Scope"), "shared"):
		return azureSubscriptionID(l.line)
	case l.item.Kind == catalog.SavingsPlan:
		return azureEntitlementID(l.line)
	}
	return ""
}

// isFor reports whether a reservation or a savings plan can be for a subscription.
func isFor(item *catalog.Item, s *Subscription) bool {
	if item.Kind == catalog.SavingsPlan {
		return s.Facts.Kind == catalog.AzurePlan
	}
	return isAzure(s.Facts.Kind)
}

// unitPrice returns the price of an item for a line: that of the catalog, or what a
// savings plan commits to spend in a billing cycle, or in its term if that is paid at once.
func unitPrice(item *catalog.Item, line *partnercenter.OrderLineItem, cycle partnercenter.BillingCycleType) partnercenter.Decimal {
	if item.Kind != catalog.SavingsPlan {
		return priceIn(item, cycle)
	}
	if line.PurchaseCommitment == nil {
		return ""
	}
	amount := commitment(line.PurchaseCommitment.Amount)
	if amount == nil {
		return ""
	}
	months := catalog.CycleMonths(cycle)
	if months == 0 {
		months = catalog.TermMonths(text(line.TermDuration))
	}
	amount.Mul(amount, big.NewRat(int64(months)*monthHours, 1))
	return partnercenter.Decimal(amount.FloatString(minFraction))
}

// commit sets what the subscription of a savings plan is for.
func (s *Subscription) commit(line *partnercenter.OrderLineItem, asked *partnercenter.OrderLineItem, of *Subscription) {
	scope := &partnercenter.SubscriptionScope{Type: partnercenter.SubscriptionScopeTypeSingle}
	if ascii.EqualFold(provisioningVariable(asked, "Scope"), "shared") {
		scope.Type = partnercenter.SubscriptionScopeTypeShared
	} else {
		scope.EntitlementID = of.Document.EntitlementID
	}
	scope.SubscriptionID = of.Document.ID
	s.Document.LineItems = []partnercenter.SubscriptionLineItem{{
		ID: guid.Derived("line", s.Document.ID), FriendlyName: s.Document.FriendlyName, Scope: scope, PurchaseCommitment: line.PurchaseCommitment,
	}}
}

// describeLines sets in the lines of a savings plan what follows from the subscription.
func describeLines(view *partnercenter.Subscription) {
	if len(view.LineItems) == 0 {
		return
	}
	line := view.LineItems[0]
	line.FriendlyName, line.AutoRenewEnabled, line.Status = view.FriendlyName, view.AutoRenewEnabled, view.Status
	view.LineItems = []partnercenter.SubscriptionLineItem{line}
}
