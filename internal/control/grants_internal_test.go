package control

import (
	"encoding/json"
	"path/filepath"
	"testing"
	"time"

	"github.com/partnercenter-go/partnercenter/internal/issuer"
	"github.com/partnercenter-go/partnercenter/internal/seed"
	"github.com/partnercenter-go/partnercenter/internal/store"
)

// TestGrantsAfterRestart restarts the server with its clock set to several times: refresh
// tokens are kept until they are over by the system's clock as well.
func TestGrantsAfterRestart(t *testing.T) {
	file, real := filepath.Join(t.TempDir(), "x.db"), time.Now()
	shown := real
	now := func() time.Time { return shown }
	var authority *issuer.Authority
	restarted := func() *store.Store {
		t.Helper()
		st, err := store.Open(t.Context(), file, &store.Options{Now: now})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { st.Close() })
		if _, _, err := st.Fill(t.Context(), &seed.Seed{Partners: []seed.Partner{{Tenant: seed.Tenant{TenantID: "11111111-0000-4000-8000-000000000001"}}}}); err != nil {
			t.Fatal(err)
		}
		if authority, err = NewAuthority(t.Context(), st, AuthorityOptions{Now: now}); err != nil {
			t.Fatal(err)
		}
		return st
	}
	st := restarted()
	past := real.AddDate(-40, 0, 0)
	for id, g := range map[string]issuer.Grant{
		"in the past":   {Renewed: past, System: real},
		"now":           {Renewed: real, System: real},
		"in the future": {Renewed: real.AddDate(4, 0, 0), System: real},
		"over":          {Renewed: past, System: past},
	} {
		g.ID = id
		data, err := json.Marshal(g)
		if err != nil {
			t.Fatal(err)
		}
		r := store.SignIn{Kind: "grant", ID: id, Expires: g.Expires(), System: g.System.Add(issuer.RefreshLifetime), Data: data}
		if ok, err := st.PutSignIn(t.Context(), r, 0); !ok || err != nil {
			t.Fatal(ok, err)
		}
	}
	for _, shown = range []time.Time{real.AddDate(10, 0, 0), past, real} {
		st.Close()
		st = restarted()
		if kept, err := st.SignIns(t.Context(), "grant"); err != nil || len(kept) != 3 {
			t.Errorf("at %v: %d families, want 3, %v", shown, len(kept), err)
		}
	}
	if live, err := authority.Grants(t.Context()); err != nil || len(live) != 2 {
		t.Errorf("%+v, %v", live, err)
	}
}
