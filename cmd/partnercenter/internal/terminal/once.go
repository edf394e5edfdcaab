package terminal

import (
	"github.com/spf13/pflag"
)

// TakeOnce makes a flag of one value refuse a second one, of which pflag would take the
// last silently. Lists and counts stay as they are.
func TakeOnce(f *pflag.Flag) {
	if _, list := f.Value.(pflag.SliceValue); list || f.Value.Type() == "count" {
		return
	}
	if f.DefValue == "0s" {
		f.DefValue = "0" // help leaves zero out, which it knows a duration's only by its type
	}
	f.Value = &onceValue{Value: f.Value}
}

type onceValue struct {
	pflag.Value
	given bool
}

type givenTwiceError struct{ contrary bool }

func (e *givenTwiceError) Error() string {
	if e.contrary {
		return "given twice, with values that contradict each other: keep one"
	}
	return "given twice: keep one"
}

// Set sets the value. A switch can be given again, unless that turns it over.
func (o *onceValue) Set(text string) error {
	isSwitch := o.Type() == "bool"
	if o.given && !isSwitch {
		return new(givenTwiceError)
	}
	before := o.String()
	if err := o.Value.Set(text); err != nil {
		return err
	}
	if o.given && o.String() != before {
		return &givenTwiceError{contrary: true}
	}
	o.given = true
	return nil
}
