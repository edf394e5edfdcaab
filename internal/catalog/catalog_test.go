package catalog

import (
	"errors"
	"strings"
	"testing"
)

func mustSample(t testing.TB) *Catalog {
	t.Helper()
	c, err := Sample()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestFind(t *testing.T) {
	c := mustSample(t)
	for _, tt := range []struct {
		id, country string
		err         error
	}{
		{"031C9E47-4802-4248-838E-778FB1D2CC05", "US", nil},
		{"031c9e47-4802-4248-838e-778fb1d2cc05", "us", nil},
		{"ms-azr-0145p", "DE", nil},
		{"dzh318z0bq4b:000z:dzh318z0dspl", "US", nil},
		{"", "US", ErrUnknownOffer},
		{"031C9E47-4802-4248-838E-778FB1D2CC06", "US", ErrUnknownOffer},
		{"DZH318Z0BQ4X:000Z:DZH318Z0DSPL", "US", ErrUnknownProduct},
		{"::", "US", ErrUnknownProduct},
		{"DZH318Z0BQ4B:000X:DZH318Z0DSPL", "US", ErrUnknownSKU},
		{"DZH318Z0BQ4B:000Z:DZH318Z0DSPX", "US", ErrUnknownAvailability},
		{"DZH318Z0BQ4B:000Z", "US", ErrUnknownAvailability},
		{"DZH318Z0BQ4B:000Z:DZH318Z0DSPL:1", "US", ErrUnknownAvailability},
		{"031C9E47-4802-4248-838E-778FB1D2CC05", "XX", ErrNotInCountry},
		{"031C9E47-4802-4248-838E-778FB1D2CC05", "", ErrNotInCountry},
		{"3B72D4E0-A695-4C1F-8D37-92E5F10CB648", "DE", ErrNotInCountry},
		{"CFQ7TTC0HL9C:0001:CFQ7TTC0KC1U", "GB", ErrNotInCountry},
		{"CFQ7TTC0HL9C:0001:CFQ7TTC0KC1U", "US", nil},
	} {
		item, err := c.Find(tt.id, tt.country)
		if !errors.Is(err, tt.err) || (err == nil) != (item != nil) {
			t.Errorf("Find(%q, %q): %v, want %v", tt.id, tt.country, err, tt.err)
		}
		if item != nil && (!strings.EqualFold(item.ID, tt.id) || !strings.EqualFold(item.Country, tt.country)) {
			t.Errorf("Find(%q, %q) is %s in %s", tt.id, tt.country, item.ID, item.Country)
		}
	}
}
