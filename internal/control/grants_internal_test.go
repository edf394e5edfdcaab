package control

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/partnercenter-go/partnercenter/internal/issuer"
	"github.com/partnercenter-go/partnercenter/internal/store"
)

// TestGrantsAfterRestart restarts the server with its clock set to several times: refresh
// tokens are kept until they are over by the system's clock as well.
func TestGrantsAfterRestart(t *testing.T) {
	file, real := filepath.Join(t.TempDir(), "x.db"), time.Now()
	shown := real
	now := func() time.Time { return shown }
	restarted := func() (*store.Store, *issuer.Options) {
		t.Helper()
		st, err := store.Open(t.Context(), file, &store.Options{Now: now})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { st.Close() })
		o := &issuer.Options{}
		if err := keepSignIns(t.Context(), st, now, o); err != nil {
			t.Fatal(err)
		}
		return st, o
	}
	st, o := restarted()
	past := real.AddDate(-40, 0, 0)
	for id, g := range map[string]issuer.Grant{
		"in the past":   {Renewed: past, System: real},
		"now":           {Renewed: real, System: real},
		"in the future": {Renewed: real.AddDate(4, 0, 0), System: real},
		"over":          {Renewed: past, System: past},
	} {
		g.ID = id
		if err := o.SaveGrant(t.Context(), g); err != nil {
			t.Fatal(err)
		}
	}
	for _, shown = range []time.Time{real.AddDate(10, 0, 0), past, real} {
		st.Close()
		if st, o = restarted(); len(o.Grants) != 3 {
			t.Errorf("at %v: %d families, want 3", shown, len(o.Grants))
		}
	}
}
