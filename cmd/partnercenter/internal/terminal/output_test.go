package terminal

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/partnercenter-go/partnercenter"
)

func TestSanitize(t *testing.T) {
	for text, want := range map[string]string{
		"Ümläut 株式会社 № 5":   "Ümläut 株式会社 № 5",
		"no\u00a0break":     "no\u00a0break",
		"a\tb\r\nc":         "a b  c",
		"\x1b[31mred\x1b[0": `\u001b[31mred\u001b[0`,
		"\u009b31m":         `\u009b31m`,
		"bad\xffutf8":       "bad\ufffdutf8",
		"\u202etxt.exe":     `\u202etxt.exe`,
		"\x00\x07\x7f":      `\u0000\u0007\u007f`,
	} {
		if got := Sanitize(text); got != want {
			t.Errorf("sanitize(%q) = %q, want %q", text, got, want)
		}
	}
}

// TestMarshalKeepsTheValue escapes without changing what the JSON says.
func TestMarshalKeepsTheValue(t *testing.T) {
	order := partnercenter.Order{ID: "a\u009b\u202e\U000e0001\x1b\"é", LineItems: []partnercenter.OrderLineItem{{Quantity: new(0)}}}
	data, err := marshal(&order)
	if err != nil {
		t.Fatal(err)
	}
	if strings.ContainsFunc(string(data), unsafeRune) {
		t.Errorf("%q can steer a terminal", data)
	}
	var got struct{ ID string }
	if err := json.Unmarshal(data, &got); err != nil || got.ID != order.ID {
		t.Errorf("%v: %q is read as %q", err, data, got.ID)
	}
}
