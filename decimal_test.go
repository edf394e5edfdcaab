package partnercenter_test

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/partnercenter-go/partnercenter"
)

func TestDecimalArithmetic(t *testing.T) {
	type operation = func(d, e partnercenter.Decimal) (partnercenter.Decimal, error)
	const add, sub, mul = "+", "-", "*"
	operations := map[string]operation{add: partnercenter.Decimal.Add, sub: partnercenter.Decimal.Sub, mul: partnercenter.Decimal.Mul}
	for _, test := range []struct {
		d         partnercenter.Decimal
		operation string
		e, want   partnercenter.Decimal // an empty want is an error
	}{
		{"24606.35", add, "0.15", "24606.50"},
		{"", add, "1.20", "1.20"},
		{"", add, "", "0"},
		{"1.50", sub, "1.5", "0.00"},
		{"0.1", sub, "0.3", "-0.2"},
		{"19.99", mul, "3", "59.97"},
		{"0.10", mul, "0.10", "0.0100"},
		{"1e3", add, "0.5", "1000.5"},
		{"5E-3", add, "1", "1.005"},
		{"12345678901234567890.123456789", add, "0.000000001", "12345678901234567890.123456790"},
		{"1/3", add, "1", ""},
		{"1", mul, "one", ""},
		{"NaN", sub, "1", ""},
		{"1e999", add, "1e-999", ""},
		{"1e999", mul, "1e999", ""},
	} {
		got, err := operations[test.operation](test.d, test.e)
		if got != test.want || (err == nil) != (test.want != "") {
			t.Errorf("%s %s %s = %q, %v, want %q", test.d, test.operation, test.e, got, err, test.want)
		}
	}

	// Random amounts give what fractions give.
	for range 1000 {
		d := partnercenter.Decimal(fmt.Sprintf("%d.%0*d", rand.Int64()-rand.Int64(), 1+rand.IntN(6), rand.IntN(10)))
		e := partnercenter.Decimal(fmt.Sprintf("%d.%0*d", rand.Int64()-rand.Int64(), 1+rand.IntN(6), rand.IntN(10)))
		x, errX := d.Rat()
		y, errY := e.Rat()
		if errX != nil || errY != nil {
			t.Fatal(errX, errY)
		}
		for name, want := range map[string]*big.Rat{add: new(big.Rat).Add(x, y), sub: new(big.Rat).Sub(x, y), mul: new(big.Rat).Mul(x, y)} {
			result, err := operations[name](d, e)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := result.Rat(); err != nil || got.Cmp(want) != 0 {
				t.Fatalf("%s %s %s = %s, %v, want %s", d, name, e, result, err, want.FloatString(12))
			}
		}
	}
}
