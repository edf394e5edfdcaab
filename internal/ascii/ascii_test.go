package ascii_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/partnercenter-go/partnercenter/internal/ascii"
)

func TestFold(t *testing.T) {
	for _, tt := range []struct{ s, lower, upper string }{
		{"", "", ""},
		{"customers", "customers", "CUSTOMERS"},
		{"MS-AZR-0145P", "ms-azr-0145p", "MS-AZR-0145P"},
		{"@AZ[`az{", "@az[`az{", "@AZ[`AZ{"},
		{"cuſtomers", "cuſtomers", "CUſTOMERS"},
		{"\u212Aelvin", "\u212Aelvin", "\u212AELVIN"},
		{"École İıß", "École İıß", "ÉCOLE İıß"},
		{"Commande-\xe9\xc3", "commande-\xe9\xc3", "COMMANDE-\xe9\xc3"},
	} {
		if got := ascii.ToLower(tt.s); got != tt.lower {
			t.Errorf("%q in lower case is %q, want %q", tt.s, got, tt.lower)
		}
		if got := ascii.ToUpper(tt.s); got != tt.upper {
			t.Errorf("%q in upper case is %q, want %q", tt.s, got, tt.upper)
		}
		if !ascii.EqualFold(tt.lower, tt.upper) {
			t.Errorf("%q and %q differ", tt.lower, tt.upper)
		}
	}
	for a, b := range map[string]string{
		"commande-\xe9": "commande-\xe8", "k": "\u212A", "s": "ſ", "É": "é", "a": "ab", "@": "`", "[": "{",
	} {
		if ascii.EqualFold(a, b) || ascii.EqualFold(b, a) || ascii.ToLower(a) == ascii.ToLower(b) || ascii.ToUpper(a) == ascii.ToUpper(b) {
			t.Errorf("%q is %q", a, b)
		}
	}
	if !ascii.Is("MS-RequestId\x00\x7f") || ascii.Is("é") || ascii.Is("\xe9") {
		t.Error("Is")
	}
}

func TestFoldAllocates(t *testing.T) {
	id := strings.Repeat("a1-", 12)
	if n := testing.AllocsPerRun(10, func() { _ = ascii.ToLower(id) }); n > 0 {
		t.Errorf("an id in lower case takes %v allocations", n)
	}
}

// BenchmarkToLower compares with package strings on what hot paths fold.
func BenchmarkToLower(b *testing.B) {
	for _, id := range []string{"b0d70a69-4c42-4b27-b17b-91a835d8686a", "B0D70A69-4C42-4B27-B17B-91A835D8686A"} {
		b.Run("ascii/"+id[:2], func(b *testing.B) {
			for b.Loop() {
				ascii.ToLower(id)
			}
		})
		b.Run("strings/"+id[:2], func(b *testing.B) {
			for b.Loop() {
				strings.ToLower(id)
			}
		})
	}
}

func BenchmarkEqualFold(b *testing.B) {
	for _, segment := range []string{"customers", "Customers", "subscriptions"} {
		b.Run("ascii/"+segment, func(b *testing.B) {
			for b.Loop() {
				ascii.EqualFold("customers", segment)
			}
		})
		b.Run("strings/"+segment, func(b *testing.B) {
			for b.Loop() {
				strings.EqualFold("customers", segment)
			}
		})
	}
}

func TestBlanks(t *testing.T) {
	for s, want := range map[string][]string{
		"":                      nil,
		" \t\r\n\v\f":           nil,
		" openid\tprofile\n":    {"openid", "profile"},
		"a\u00a0b\u2003c":       {"a\u00a0b\u2003c"},
		"\u00a0 a\u0085 \u200b": {"\u00a0", "a\u0085", "\u200b"},
		"\xa0a \x85":            {"\xa0a", "\x85"},
	} {
		if got := ascii.Fields(s); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", s, got, want)
		}
		if got, want := ascii.TrimSpace(s), strings.Join(want, " "); len(ascii.Fields(s)) < 2 && got != want {
			t.Errorf("%q: %q, want %q", s, got, want)
		}
	}
}
