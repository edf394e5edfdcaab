package guid

import "testing"

func TestIs(t *testing.T) {
	for text, want := range map[string]bool{
		"b0d70a69-4c42-4b27-b17b-91a835d8686a":     true,
		"B0D70A69-4C42-4B27-B17B-91a835d8686a":     true,
		"00000000-0000-0000-0000-000000000000":     true,
		"":                                         false,
		"b0d70a69-4c42-4b27-b17b-91a835d8686":      false,
		"b0d70a69-4c42-4b27-b17b-91a835d8686ab":    false,
		"b0d70a69_4c42-4b27-b17b-91a835d8686a":     false,
		"b0d70a694-c42-4b27-b17b-91a835d8686a":     false,
		"b0d70a69-4c42-4b27-b17b-91a835d8686g":     false,
		"b0d70a69-4c42-4b27-b17b-91a835d868\u00e4": false,
		"{0d70a69-4c42-4b27-b17b-91a835d8686a}":    false,
		"b0d70a694c424b27b17b91a835d8686a":         false,
	} {
		if got := Is(text); got != want {
			t.Errorf("Is(%q) = %v", text, got)
		}
	}
}

func TestKeys(t *testing.T) {
	for _, tt := range []struct{ id, key, ifGUID string }{
		{"B0D70A69-4c42-4b27-b17b-91a835d8686a", "b0d70a69-4c42-4b27-b17b-91a835d8686a", "b0d70a69-4c42-4b27-b17b-91a835d8686a"},
		{"AbC_-1", "abc_-1", "AbC_-1"},
	} {
		if Key(tt.id) != tt.key || KeyIfGUID(tt.id) != tt.ifGUID {
			t.Errorf("%s: %s, %s", tt.id, Key(tt.id), KeyIfGUID(tt.id))
		}
	}
}

func TestNew(t *testing.T) {
	id, other := New(), New()
	if !Is(id) || id != Key(id) || id[14] != '4' || id == other {
		t.Errorf("%s, then %s", id, other)
	}
	if got, want := Of([16]byte{0xff, 15: 0xfe}), "ff000000-0000-4000-8000-0000000000fe"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := string(Append([]byte("a"), [16]byte{6: 0xff, 8: 0xff})), "a00000000-0000-4f00-bf00-000000000000"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestDerived pins what is stored already, and what apps have in tokens.
func TestDerived(t *testing.T) {
	if got, want := Derived("commerce", "9D60C2B7-e814-4f35-a0d9-6b31f7c85e42"), "5710469d-db6b-53c7-b25f-2052aff70264"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	// The example of RFC 9562, appendix A.4.
	dns := "\x6b\xa7\xb8\x10\x9d\xad\x11\xd1\x80\xb4\x00\xc0\x4f\xd4\x30\xc8"
	if got, want := Sum([]byte(dns+"www.example.com")), "2ed6657d-e927-568b-95e1-2665a8aea6a2"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
