package command

import (
	"slices"
	"strings"
	"testing"

	"github.com/partnercenter-go/partnercenter"
)

// Completion offers what is taken for one customer when it is entered.
func TestCustomerCompletions(t *testing.T) {
	var all []*partnercenter.Customer
	for _, c := range [][3]string{
		{"t1", "Twins", "one.example"}, {"t2", "TWINS", "two.example"}, {"t3", "Alone", "alone.example"},
		{"t4", `colon:\backslash`, "back.example"}, {"t5", " Blank", "blank.example"}, {"t6", "Hid\u202eden", "hidden.example"},
		{"t7", "same.example", "same.example"}, {"t8", "", ""}, {"t9", "", ""},
	} {
		all = append(all, &partnercenter.Customer{ID: c[0], CompanyProfile: &partnercenter.CustomerCompanyProfile{CompanyName: c[1], Domain: c[2]}})
	}
	for start, want := range map[string]string{
		"":     "one.example two.example Alone back.example blank.example hidden.example same.example t8 t9",
		"al":   "Alone",
		"tw":   "two.example",
		"t":    "t1 two.example t3 t4 t5 t6 t7 t8 t9",
		"same": "same.example",
	} {
		var got []string
		for _, c := range customerCompletions(all, start) {
			offered, _, _ := strings.Cut(c, "\t")
			got = append(got, offered)
		}
		if !slices.Equal(got, strings.Fields(want)) {
			t.Errorf("%q: %q, want %s", start, got, want)
		}
	}
}
