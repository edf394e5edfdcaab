package words

import "testing"

func TestCount(t *testing.T) {
	for n, want := range map[int]string{0: "0 customers", 1: "1 customer", 2: "2 customers"} {
		if got := Count(n, "customer"); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}

func TestLists(t *testing.T) {
	type color string
	for _, tt := range []struct {
		values        []color
		join, or, and string
	}{
		{nil, "", "", ""},
		{[]color{"red"}, "red", "red", "red"},
		{[]color{"red", "blue"}, "red, blue", "red or blue", "red and blue"},
		{[]color{"red", "blue", "green"}, "red, blue, green", "red, blue or green", "red, blue and green"},
	} {
		if join, or, and := Join(tt.values), Or(tt.values), And(tt.values); join != tt.join || or != tt.or || and != tt.and {
			t.Errorf("%v: %q, %q, %q", tt.values, join, or, and)
		}
	}
}
