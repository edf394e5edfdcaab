package lifecycle

import (
	"math/big"
	"strings"

	"github.com/partnercenter-go/partnercenter"
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

// clearLine sets the quantity and the prices of a line to zero.
func clearLine(line *partnercenter.OrderLineItem) {
	line.Quantity = new(0)
	if p := line.Pricing; p != nil {
		setPrice(line, p.Price)
	}
}

// total sums up the lines of an order. An order has a total if any line has a price.
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

// fraction returns the number of decimals.
func fraction(d partnercenter.Decimal) int {
	_, digits, _ := strings.Cut(string(d), ".")
	return len(digits)
}
