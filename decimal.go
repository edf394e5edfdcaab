package partnercenter

import (
	"fmt"
	"math/big"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/shopspring/decimal"
)

// Decimal is an amount as exact decimal text, such as "24606.35". It is never
// converted to floating point. The empty Decimal means no amount and is omitted
// when encoding.
//
// Decoding and encoding keep every JSON number, digit by digit. Arithmetic is for amounts
// of at most 64 characters, including sign, point and exponent, whose exponent has at most
// three characters, such as e-12; with others it fails.
type Decimal string

// Rat returns the exact value, for arithmetic whose result is not a decimal, such as
// division. It fails if d is empty, malformed or too long.
func (d Decimal) Rat() (*big.Rat, error) {
	if err := d.check(); err != nil {
		return nil, err
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
// can start with it. Add fails if d, e or the result is not an amount that [Decimal]
// describes.
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
	if result.check() != nil {
		return "", fmt.Errorf("partnercenter: the result of %s and %s is longer than the %d characters of an amount", d, e, maxAmount)
	}
	return result, nil
}

func (d Decimal) number() (decimal.Decimal, error) {
	if d == "" {
		return decimal.Decimal{}, nil
	}
	if err := d.check(); err != nil {
		return decimal.Decimal{}, err
	}
	return decimal.NewFromString(string(d))
}

// maxAmount is the maximum length of an amount in arithmetic, and maxExponent that of its
// exponent: a short text must not require gigabytes of memory.
const maxAmount, maxExponent = 64, 3

// check returns an error for what is not an amount to calculate with.
func (d Decimal) check() error {
	if !d.isNumber() {
		return d.invalid()
	}
	if i := strings.IndexAny(string(d), "eE"); len(d) > maxAmount || i >= 0 && len(d)-i-1 > maxExponent {
		return fmt.Errorf("partnercenter: %.80q is too long an amount to calculate with: %d characters and %d of the exponent are the most", string(d), maxAmount, maxExponent)
	}
	return nil
}

func (d Decimal) invalid() error {
	return fmt.Errorf("partnercenter: %.80q is not a decimal amount such as 24606.35", string(d))
}

// Cmp compares amounts by value: "1.50" and "1.5" are equal. Amounts that
// [Decimal.Rat] refuses, among them the empty one, are equal to each other and less than
// any other; unlike in [Decimal.Add], the empty Decimal is not zero.
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
	if !d.isNumber() {
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
	if *d != "" && !d.isNumber() {
		return d.invalid()
	}
	return nil
}

// isNumber reports whether d follows JSON's grammar for numbers, which is stricter than
// [big.Rat.SetString] ("1/3", "0x1p-2").
func (d Decimal) isNumber() bool {
	v := jsontext.Value(d)
	return v.Kind() == jsontext.KindNumber && v.IsValid() && !strings.ContainsAny(string(d), " \t\r\n")
}
