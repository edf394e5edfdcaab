package lifecycle

import (
	"math/big"
	"strings"

	"github.com/partnercenter-go/partnercenter"
	"github.com/partnercenter-go/partnercenter/internal/catalog"
)

// minFraction is the least number of decimals that amounts show.
const minFraction = 2

// setPrice sets the prices of a line at a unit price.
func setPrice(line *partnercenter.OrderLineItem, price partnercenter.Decimal) {
	if price == "" {
		return
	}
	line.Pricing = &partnercenter.Pricing{
		ListPrice: price, DiscountedPrice: price, ProratedPrice: price, Price: price,
		ExtendedPrice: times(price, quantity(line)),
	}
}

// priceIn returns the price of an item for a billing cycle. That of the catalog is for
// the item's first one.
func priceIn(item *catalog.Item, cycle partnercenter.BillingCycleType) partnercenter.Decimal {
	if len(item.BillingCycles) == 0 {
		return item.Price
	}
	return scale(item.Price, item.BillingCycles[0], cycle)
}

// scale converts a price for a billing cycle to one for another cycle.
func scale(price partnercenter.Decimal, from, to partnercenter.BillingCycleType) partnercenter.Decimal {
	months, per := catalog.CycleMonths(to), catalog.CycleMonths(from)
	amount, err := price.Rat()
	if err != nil || months == 0 || per == 0 || months == per {
		return price
	}
	amount.Mul(amount, big.NewRat(int64(months), int64(per)))
	return partnercenter.Decimal(amount.FloatString(fraction(price)))
}

// scaleLine converts the prices of a line to another billing cycle.
func scaleLine(line *partnercenter.OrderLineItem, from, to partnercenter.BillingCycleType) {
	if line.Pricing == nil {
		return
	}
	scaled := *line.Pricing
	for _, price := range []*partnercenter.Decimal{&scaled.ListPrice, &scaled.DiscountedPrice, &scaled.ProratedPrice, &scaled.Price} {
		*price = scale(*price, from, to)
	}
	scaled.ExtendedPrice = times(scaled.Price, quantity(line))
	line.Pricing = &scaled
}

// clearLine sets the quantity and the prices of a line to zero.
func clearLine(line *partnercenter.OrderLineItem) {
	line.Quantity = new(0)
	if p := line.Pricing; p != nil {
		setPrice(line, p.Price)
	}
}

// total sums up the lines of an order, over all billing cycles of their terms. An order
// has a total if any line has a price.
func total(o *partnercenter.Order) partnercenter.Decimal {
	sum, digits, any := new(big.Rat), minFraction, false
	for i := range o.LineItems {
		p := o.LineItems[i].Pricing
		if p == nil {
			continue
		}
		amount, err := p.ExtendedPrice.Rat()
		if err != nil {
			continue // loaded without a price
		}
		sum.Add(sum, amount.Mul(amount, big.NewRat(cyclesIn(&o.LineItems[i], o.BillingCycle), 1)))
		digits, any = max(digits, fraction(p.ExtendedPrice)), true
	}
	if !any {
		return ""
	}
	return partnercenter.Decimal(sum.FloatString(digits))
}

// cyclesIn returns how often a line is billed during its term. Legacy offers have no
// term.
func cyclesIn(line *partnercenter.OrderLineItem, cycle partnercenter.BillingCycleType) int64 {
	months := catalog.CycleMonths(cycle)
	if months == 0 || line.TermDuration == nil {
		return 1
	}
	return int64(max(1, catalog.TermMonths(*line.TermDuration)/months))
}

// times multiplies exactly.
func times(price partnercenter.Decimal, n int) partnercenter.Decimal {
	amount, err := price.Rat()
	if err != nil {
		return ""
	}
	amount.Mul(amount, new(big.Rat).SetInt64(int64(n)))
	return partnercenter.Decimal(amount.FloatString(max(minFraction, fraction(price))))
}

// fraction returns the number of decimals.
func fraction(d partnercenter.Decimal) int {
	_, digits, _ := strings.Cut(string(d), ".")
	return len(digits)
}
