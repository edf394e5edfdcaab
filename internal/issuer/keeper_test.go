package issuer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/partnercenter-go/partnercenter/internal/token"
)

// testKeeper is a memory whose records can be refused.
type testKeeper struct {
	*memory
	put func(Record) error // may be nil
}

// newTestKeeper returns a keeper of what o has. The authorities that have it are
// servers of one database, or one server before and after restarts.
func newTestKeeper(o *Options) *testKeeper {
	now, system := o.Now, o.System
	if system == nil {
		system = time.Now
	}
	k := &testKeeper{memory: newMemory(Known{Keys: o.Keys, Tenants: o.Tenants, Consents: o.Consents}, func() instant { return instant{now(), system()} })}
	o.Keeper = k
	return k
}

func (k *testKeeper) PutRecord(ctx context.Context, r Record) (bool, error) {
	if k.put != nil {
		if err := k.put(r); err != nil {
			return false, err
		}
	}
	return k.memory.PutRecord(ctx, r)
}

func (a *Authority) memory() *memory {
	if k, ok := a.keeper.(*testKeeper); ok {
		return k.memory
	}
	return a.keeper.(*memory)
}

// changeKnown changes what is known, as another server would.
func (m *memory) changeKnown(change func(*Known)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	change(&m.known)
	m.version++
}

// SetTenants replaces the tenants, unless they are wrong.
func (a *Authority) SetTenants(list []Tenant) error {
	if _, err := indexTenants(list); err != nil {
		return err
	}
	a.memory().changeKnown(func(k *Known) { k.Tenants = cloneTenants(list) })
	return nil
}

// AddKey makes k the signing key. It replaces a key with the same id.
func (a *Authority) AddKey(k *Key) {
	a.memory().changeKnown(func(known *Known) { known.Keys = append([]*Key{k}, withoutKey(known.Keys, k.ID)...) })
}

// RevokeKey removes a key, and reports whether it existed.
func (a *Authority) RevokeKey(id string) (found bool) {
	a.memory().changeKnown(func(known *Known) {
		before := len(known.Keys)
		known.Keys = withoutKey(known.Keys, id)
		found = len(known.Keys) < before
	})
	return found
}

func withoutKey(keys []*Key, id string) []*Key {
	return slices.DeleteFunc(slices.Clone(keys), func(k *Key) bool { return k.ID == id })
}

// forgetSignIns forgets all records and consents.
func (a *Authority) forgetSignIns() {
	a.memory().changeKnown(func(k *Known) {
		k.Consents = nil
		for _, of := range a.memory().kinds {
			of.clear()
		}
	})
	a.ForgetGuesses()
}

func recordsOf(a *Authority, kind string) []Record {
	list, err := a.keeper.Records(context.Background(), kind)
	must(err)
	return list
}

func grantsOf(a *Authority) []Grant {
	list, err := a.Grants(context.Background())
	must(err)
	return list
}

func consentsOf(a *Authority, match func(Consent) bool) []Consent {
	list, err := a.Consents(match)
	must(err)
	return list
}

// TestMemory has the same as the store's tests of what sign-ins leave behind.
func TestMemory(t *testing.T) {
	c := &clock{at: start}
	m := newMemory(Known{}, func() instant { return instant{c.now(), start} })
	put := func(r Record, want bool) {
		t.Helper()
		r.Kind = kindCode
		if ok, err := m.PutRecord(t.Context(), r); ok != want || err != nil {
			t.Errorf("%+v: %v, %v", r, ok, err)
		}
	}
	put(Record{ID: "a"}, true)
	put(Record{ID: "a"}, false)
	put(Record{ID: "a", Revision: 2}, false)
	put(Record{ID: "b", Revision: 1}, false)
	put(Record{ID: "a", Revision: 1, Owner: "x", Proved: true}, true)
	if r, err := m.Record(t.Context(), kindCode, "a"); err != nil || r.Revision != 2 || r.Owner != "x" || m.kinds[kindCode].users.n != 1 {
		t.Errorf("%+v, %v", r, err)
	}
	for revision, want := range map[int64]bool{1: false, 2: true} {
		if ok, err := m.DeleteRecord(t.Context(), Record{Kind: kindCode, ID: "a", Revision: revision}); ok != want || err != nil {
			t.Errorf("%d: %v, %v", revision, ok, err)
		}
		if want {
			break
		}
	}
	left := func(keep int, want string) {
		t.Helper()
		must(m.TrimRecords(t.Context(), kindCode, keep, 0))
		var ids []string
		list, _ := m.Records(t.Context(), kindCode)
		for _, r := range list {
			ids = append(ids, r.ID)
		}
		if got := strings.Join(ids, " "); got != want {
			t.Errorf("%s are left, want %s", got, want)
		}
	}
	m.kinds[kindCode].clear()
	for i, life := range []time.Duration{0, 0, 0, time.Hour} {
		put(Record{ID: fmt.Sprint(i), Expires: start.Add(life), System: start}, true)
	}
	left(3, "1 2 3")
	left(1, "3")
	c.set(start.Add(time.Hour - 1))
	left(0, "3")
	c.set(start.Add(time.Hour))
	left(0, "")
}

// slowKeeper is a keeper that is behind, and counts what it is asked.
type slowKeeper struct {
	*memory
	version      atomic.Uint64
	reads, looks atomic.Int64
	fails        atomic.Pointer[error]
}

func (*slowKeeper) IsBehind() bool { return true }

func (s *slowKeeper) Version() uint64 { return s.version.Load() }

func (s *slowKeeper) Known(ctx context.Context) (*Known, error) {
	s.reads.Add(1)
	if err := s.fails.Load(); err != nil {
		return nil, *err
	}
	return s.memory.Known(ctx)
}

func (s *slowKeeper) Record(ctx context.Context, kind, id string) (*Record, error) {
	s.looks.Add(1)
	return s.memory.Record(ctx, kind, id)
}

func slowAuthority(t *testing.T) (*Authority, *slowKeeper) {
	o := options()
	k := &slowKeeper{memory: newMemory(Known{Keys: o.Keys, Tenants: o.Tenants}, func() instant { return instant{start, start} })}
	o.Keeper = k
	return newAuthority(t, o), k
}

// TestBehind has another server change what this one is told of later.
func TestBehind(t *testing.T) {
	a, k := slowAuthority(t)
	old := mint(t, a, MintRequest{})
	reads := k.reads.Load()
	w := post(a, urlV2, formV2())
	if w.Code != 200 || k.reads.Load() != reads || k.looks.Load() != 0 {
		t.Errorf("a token by secret: %d, after %d reads and %d looks", w.Code, k.reads.Load()-reads, k.looks.Load())
	}
	_, err := a.Verify(old)
	if err != nil || k.reads.Load() != reads {
		t.Errorf("%v, after %d reads", err, k.reads.Load()-reads)
	}

	// What is new is there when it is asked for; what is gone, when it is told.
	k.changeKnown(func(known *Known) {
		known.Keys = []*Key{key2()}
		known.Tenants = cloneTenants(known.Tenants)
		known.Tenants[0].Clients[0].Secrets = []Secret{{Value: "new"}}
	})
	if w := post(a, urlV2, formV2()); w.Code != 200 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := post(a, urlV2, set(formV2(), "client_secret", "new")); w.Code != 200 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	wantReason(t, a, old, token.ReasonUnknownKey)
	a, k = slowAuthority(t)
	old = mint(t, a, MintRequest{})
	k.changeKnown(func(known *Known) { known.Keys = []*Key{key2()} })
	wantReason(t, a, old, "")
	k.version.Add(1)
	wantReason(t, a, old, token.ReasonUnknownKey)

	// Who makes tokens up does not have it read each time.
	a, k = slowAuthority(t)
	made := forge(map[string]any{"alg": "RS256", "kid": "made up"}, nil, key2())
	reads, began := k.reads.Load(), time.Now()
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() { wantReason(t, a, made, token.ReasonUnknownKey) })
	}
	wg.Wait()
	if n, most := k.reads.Load()-reads, int64(2+time.Since(began)/lookEvery); n < 1 || n > most {
		t.Errorf("read %d times, want 1 to %d", n, most)
	}
}

// TestUnreadable has what is trusted change, and not be read: nothing is trusted until it
// is.
func TestUnreadable(t *testing.T) {
	a, k := slowAuthority(t)
	text := mint(t, a, MintRequest{})
	gone := fmt.Errorf("%w: it is away", ErrUnavailable)
	k.fails.Store(&gone)
	wantReason(t, a, text, "")
	k.version.Add(1)
	for range 2 {
		if claims, err := a.Verify(text); claims != nil || !errors.Is(err, ErrUnavailable) {
			t.Errorf("%v, %v", claims, err)
		}
		if w := post(a, urlV2, formV2()); w.Code != 503 || w.Header().Get("Retry-After") == "" {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	}
	k.fails.Store(nil)
	before, err := a.Verify(text)
	if err != nil {
		t.Fatal(err)
	}
	// What has not changed keeps the tokens that were verified.
	k.version.Add(1)
	if again, err := a.Verify(text); err != nil || again != before {
		t.Errorf("%v, %v", again, err)
	}
}

// TestRenewalAfterRevocation revokes a family while it is renewed: it stays revoked.
func TestRenewalAfterRevocation(t *testing.T) {
	o := crowdOptions(&clock{at: start})
	k := newTestKeeper(&o)
	a, other := newAuthority(t, o), newAuthority(t, o)
	first := signedInTokens(t, a).RefreshToken
	k.put = func(r Record) error {
		if r.Kind == kindGrant {
			k.put = nil
			_, err := other.RevokeGrants(t.Context(), "an administrator has revoked it", func(*Grant) bool { return true })
			must(err)
		}
		return nil
	}
	wantRefusal(t, post(a, commonToken, refreshForm(first)), 400, "invalid_grant", 50173)
	if g := grantsOf(a); len(g) != 1 || g[0].Revoked != "an administrator has revoked it" {
		t.Errorf("%+v", g)
	}
}

// TestTokensAfterRevocation revokes a sign-in, or changes its password, between the look at
// it and the first refresh token.
func TestTokensAfterRevocation(t *testing.T) {
	for name, end := range map[string]func(*Authority, *Options){
		"revoked": func(a *Authority, _ *Options) {
			_, err := a.RevokeGrants(context.Background(), "an administrator has revoked it", func(*Grant) bool { return true })
			must(err)
		},
		"another password": func(a *Authority, o *Options) {
			o.Tenants[0].Users[0].Password = "another"
			must(a.SetTenants(o.Tenants))
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := crowdOptions(&clock{at: start})
			k := newTestKeeper(&o)
			a, other := newAuthority(t, o), newAuthority(t, o)
			code := codeOf(t, a)
			k.put = func(r Record) error {
				if r.Kind == kindGrant {
					k.put = nil
					end(other, &o)
				}
				return nil
			}
			wantRefusal(t, post(a, commonToken, codeForm(code)), 400, "invalid_grant", 50173)
			if g := grantsOf(a); len(g) != 1 || g[0].Revoked == "" {
				t.Errorf("%+v", g)
			}
		})
	}
}

// TestReplayDuringRedemption sends a code again while it is redeemed for the first time.
func TestReplayDuringRedemption(t *testing.T) {
	o := crowdOptions(&clock{at: start})
	k := newTestKeeper(&o)
	a, other := newAuthority(t, o), newAuthority(t, o)
	code := codeOf(t, a)
	k.put = func(r Record) error {
		if r.Kind == kindGrant {
			k.put = nil
			wantRefusal(t, post(other, commonToken, codeForm(code)), 400, "invalid_grant", 54005)
		}
		return nil
	}
	wantRefusal(t, post(a, commonToken, codeForm(code)), 400, "invalid_grant", 54005)
	if g := grantsOf(a); len(g) != 1 || g[0].Revoked == "" {
		t.Errorf("%+v", g)
	}
}
