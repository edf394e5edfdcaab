package lifecycle

import (
	"cmp"
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

// clearLine sets the quantity of a line, and what it costs together, to zero. What others were
// credited of it stays charged.
func (o *Order) clearLine(number int) {
	line, facts := &o.Document.LineItems[number], &o.Facts.Lines[number]
	line.Quantity = new(0)
	if line.Pricing != nil {
		nothing := *line.Pricing
		nothing.ExtendedPrice = times(nothing.Price, 0)
		line.Pricing = &nothing
	}
	facts.Credit = ""
	if s := o.subscriptionOf(number); s != nil {
		facts.Kept = s.Facts.Passed.Credit
	}
}

// total sums up the lines of an order, over all billing cycles of their first terms and less
// what they are credited. An order has a total if any line has a price.
func (o *Order) total() partnercenter.Decimal {
	sum, digits, any := new(big.Rat), minFraction, false
	for i := range o.Document.LineItems {
		line := &o.Document.LineItems[i]
		p := line.Pricing
		if p == nil {
			continue
		}
		amount, err := p.ExtendedPrice.Rat()
		if err != nil {
			continue // loaded without a price
		}
		amount.Mul(amount, billed(line, o.Document.BillingCycle, dayOf(o.Facts.Lines[i].Bought)))
		if credit, err := o.Facts.Lines[i].Credit.Rat(); err == nil {
			amount.Sub(amount, credit)
		}
		if amount.Sign() < 0 {
			amount.SetInt64(0) // nothing is owed for what is left of the credit
		}
		if kept, err := o.Facts.Lines[i].Kept.Rat(); err == nil {
			amount.Add(amount, kept)
		}
		sum.Add(sum, amount)
		digits, any = max(digits, fraction(p.ExtendedPrice)), true
	}
	if !any {
		return ""
	}
	return partnercenter.Decimal(sum.FloatString(digits))
}

// credit takes an amount from what a line costs.
func (o *Order) credit(number int, amount *big.Rat) {
	line := &o.Document.LineItems[number]
	if amount.Sign() == 0 || line.Pricing == nil {
		return
	}
	o.Facts.Lines[number].Credit = partnercenter.Decimal(amount.FloatString(max(minFraction, fraction(line.Pricing.ExtendedPrice))))
	o.Document.TotalPrice = o.total()
}

// plus adds an amount to a price.
func plus(price partnercenter.Decimal, amount *big.Rat) partnercenter.Decimal {
	sum, err := cmp.Or(price, "0").Rat()
	if err != nil {
		return price
	}
	return partnercenter.Decimal(sum.Add(sum, amount).FloatString(max(minFraction, fraction(price))))
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
