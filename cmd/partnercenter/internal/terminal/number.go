package terminal

import (
	"errors"
	"strconv"

	"github.com/spf13/pflag"
)

// DecimalOnly makes a flag whose value is a number take decimal ones only: pflag takes
// 010 for 8, and 0x10 for 16.
func DecimalOnly(f *pflag.Flag) {
	switch f.Value.Type() {
	case "int":
		f.Value = decimalValue{f.Value}
	case "count":
		f.Value = levelValue{f.Value}
	}
}

type decimalValue struct{ pflag.Value }

func (d decimalValue) Set(text string) error {
	n, err := strconv.Atoi(text)
	if err != nil {
		return err
	}
	return d.Value.Set(strconv.Itoa(n))
}

// levelValue is a number of times that a flag is given, or a level.
type levelValue struct{ pflag.Value }

// maxLevel is the highest level that can be named.
const maxLevel = 2

var errLevel = errors.New("no such level")

func (l levelValue) Set(text string) error {
	if text == onceMore {
		return l.Value.Set(text)
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > maxLevel {
		return errLevel
	}
	return l.Value.Set(strconv.Itoa(n))
}

// onceMore is what pflag sets for a flag without a value.
const onceMore = "+1"

// wrongValue explains a value that a flag does not take.
func wrongValue(err *pflag.InvalidValueError) error {
	f := err.GetFlag()
	var how string
	switch f.Value.Type() {
	case "int", "intSlice":
		how = "not a number: write it like 10"
		if errors.Is(err, strconv.ErrRange) {
			how = "too large"
		}
	case "count":
		how = "no level: use 0, 1 or 2"
	case "duration":
		how = "no duration: write it like 30s, 5m or 1h30m"
	case "bool":
		how = "neither true nor false"
	default:
		return &UsageError{Text: err.Error()}
	}
	return Usagef("--%s %.100q is %s", f.Name, err.GetValue(), how)
}
