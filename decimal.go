package partnercenter

import (
	"fmt"
	"math/big"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/shopspring/decimal"
)

// Decimal is an amount as exact decimal text, such as "24606.35". It is never
// converted to floating point. The empty Decimal means no amount and is omitted
// when encoding.
type Decimal string

// Rat returns the exact value, for arithmetic whose result is not a decimal, such as
// division. It fails if d is empty or malformed.
func (d Decimal) Rat() (*big.Rat, error) {
	if !jsonNumber(string(d)) {
		return nil, d.invalid()
	}
	r, ok := new(big.Rat).SetString(string(d))
	if !ok {
		return nil, fmt.Errorf("partnercenter: %q is out of range for an amount", string(d))
	}
	return r, nil
}

// String returns the digits of d.
func (d Decimal) String() string { return string(d) }

// Add returns d + e, exactly. The empty Decimal counts as zero, so that a sum
// can start with it. Add fails if d or e is not a decimal number.
func (d Decimal) Add(e Decimal) (Decimal, error) { return d.with(e, decimal.Decimal.Add) }

// Sub returns d - e, exactly. It treats its operands as [Decimal.Add] does.
func (d Decimal) Sub(e Decimal) (Decimal, error) { return d.with(e, decimal.Decimal.Sub) }

// Mul returns d × e, exactly, with as many fraction digits as both have
// together. It treats its operands as [Decimal.Add] does.
func (d Decimal) Mul(e Decimal) (Decimal, error) { return d.with(e, decimal.Decimal.Mul) }

func (d Decimal) with(e Decimal, combine func(x, y decimal.Decimal) decimal.Decimal) (Decimal, error) {
	x, err := d.number()
	if err != nil {
		return "", err
	}
	y, err := e.number()
	if err != nil {
		return "", err
	}
	z := combine(x, y)
	result := Decimal(z.StringFixed(max(0, -z.Exponent())))
	if !jsonNumber(string(result)) {
		return "", fmt.Errorf("partnercenter: the result of %s and %s has too many digits for an amount", d, e)
	}
	return result, nil
}

func (d Decimal) number() (decimal.Decimal, error) {
	if d == "" {
		return decimal.Decimal{}, nil
	}
	if !jsonNumber(string(d)) {
		return decimal.Decimal{}, d.invalid()
	}
	return decimal.NewFromString(string(d))
}

func (d Decimal) invalid() error {
	return fmt.Errorf("partnercenter: %q is not a decimal amount such as 24606.35", string(d))
}

// Cmp compares amounts by value: "1.50" and "1.5" are equal. Empty and
// malformed amounts are equal to each other and less than any other.
func (d Decimal) Cmp(e Decimal) int {
	x, errX := d.Rat()
	y, errY := e.Rat()
	switch {
	case errX != nil && errY != nil:
		return 0
	case errX != nil:
		return -1
	case errY != nil:
		return 1
	}
	return x.Cmp(y)
}

// MarshalJSONTo writes a JSON number with the digits of d.
func (d Decimal) MarshalJSONTo(enc *jsontext.Encoder) error {
	if !jsonNumber(string(d)) {
		return d.invalid()
	}
	return enc.WriteValue(jsontext.Value(d))
}

// UnmarshalJSONFrom reads a JSON number, or a string that contains one; null
// means no amount.
func (d *Decimal) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	if err := unmarshalText(dec, d); err != nil {
		return err
	}
	if *d != "" && !jsonNumber(string(*d)) {
		return fmt.Errorf("%q is not a decimal amount", string(*d))
	}
	return nil
}

// jsonNumber reports whether s follows JSON's grammar for numbers, which is
// stricter than [big.Rat.SetString] ("1/3", "0x1p-2"). The exponent is bounded
// so that a short text cannot require gigabytes of memory.
func jsonNumber(s string) bool {
	v := jsontext.Value(s)
	if s == "" || len(s) > 64 || v.Kind() != jsontext.KindNumber || !v.IsValid() {
		return false
	}
	for i := range s {
		if s[i] == 'e' || s[i] == 'E' {
			return len(s)-i <= 4
		}
	}
	return true
}
