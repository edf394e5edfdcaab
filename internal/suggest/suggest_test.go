package suggest

import (
	"strings"
	"testing"
)

func TestClosest(t *testing.T) {
	known := []string{"name", "customers", "maximumQuantity", "all-customers", "base-url", "get", "live", "a"}
	for name, want := range map[string]string{
		"nmae":                     "name",
		"NAME":                     "name",
		"nam":                      "name",
		"Custmoers":                "customers",
		"maximunQantity":           "maximumQuantity",
		"custmers":                 "customers",
		"Customers":                "customers",
		"baseurl":                  "base-url",
		"xyz":                      "",
		"del":                      "",
		"gte":                      "",
		"gt":                       "get",
		"max":                      "maximumQuantity",
		"file":                     "", // half of it is another word
		"lvie":                     "live",
		"liev":                     "live",
		"x":                        "",
		"A":                        "a",
		"ab":                       "",
		"cust":                     "customers",
		"telephone":                "",
		"":                         "",
		strings.Repeat("x", 1<<20): "",
	} {
		if got := Closest(name, known); got != want {
			t.Errorf("%.20s: %q, want %q", name, got, want)
		}
	}
}
