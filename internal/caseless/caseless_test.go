package caseless_test

import (
	"testing"

	"github.com/partnercenter-go/partnercenter/internal/caseless"
)

func TestKey(t *testing.T) {
	for a, b := range map[string]string{
		"Straße": "STRASSE", "E\u0301ditions": "éDITIONS", "ΣΊΣΥΦΟΣ": "σίσυφος", "ﬁn": "FIN", "a": "A", "": "",
		"İstanbul": "istanbul", "I\u0307STANBUL": "istanbul", "İSTANBUL": "ISTANBUL",
	} {
		if caseless.Key(a) != caseless.Key(b) {
			t.Errorf("%q is %q, and %q is %q", a, caseless.Key(a), b, caseless.Key(b))
		}
	}
	if caseless.Key("Resume") == caseless.Key("Résumé") {
		t.Error("accents do not count")
	}
}
