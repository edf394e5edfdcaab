package lifecycle

import (
	"math/big"
	"strings"

	"github.com/partnercenter-go/partnercenter"
)

// minFraction is how many digits of a currency's unit amounts show at least.
const minFraction = 2

// priced sets the prices of a line that costs price each.
func setPrice(line *partnercenter.OrderLineItem, price partnercenter.Decimal) {
	if price == "" {
		return
	}
	line.Pricing = &partnercenter.Pricing{
		ListPrice: price, DiscountedPrice: price, ProratedPrice: price, Price: price,
		ExtendedPrice: times(price, quantity(line)),
	}
}

// empty takes everything off a line, whose prices are then those of nothing.
func clearLine(line *partnercenter.OrderLineItem) {
	line.Quantity = new(0)
	if p := line.Pricing; p != nil {
		setPrice(line, p.Price)
	}
}

// total adds up the lines of an order. An order has a total when a line has a
// price.
func total(o *partnercenter.Order) partnercenter.Decimal {
	sum, digits, any := new(big.Rat), minFraction, false
	for i := range o.LineItems {
		p := o.LineItems[i].Pricing
		if p == nil {
			continue
		}
		amount, err := p.ExtendedPrice.Rat()
		if err != nil {
			continue // loaded without it
		}
		sum.Add(sum, amount)
		digits, any = max(digits, fraction(p.ExtendedPrice)), true
	}
	if !any {
		return ""
	}
	return partnercenter.Decimal(sum.FloatString(digits))
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

// fraction counts the digits behind the point.
func fraction(d partnercenter.Decimal) int {
	_, digits, _ := strings.Cut(string(d), ".")
	return len(digits)
}
