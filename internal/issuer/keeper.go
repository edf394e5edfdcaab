package issuer

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"
)

// Known is what tokens are signed and checked with, besides addresses.
type Known struct {
	Keys     []*Key // the first one signs
	Tenants  []Tenant
	Consents []Consent
}

// A Keeper keeps what an authority knows and remembers. Several servers may have one: each
// asks it rather than its memory wherever they could disagree otherwise.
type Keeper interface {
	// Version returns a number that changes when Known, or a record of KindStolen, does. It
	// neither blocks nor allocates.
	Version() uint64
	// IsBehind reports whether Version may change a moment after what it stands for, as
	// where other servers change it.
	IsBehind() bool
	Known(context.Context) (*Known, error)
	// ChangeConsent changes the consent with the tenant, client and user of c, which is
	// passed to change without resources if there is none, and deleted if it has none
	// afterwards. Nobody else changes it meanwhile.
	ChangeConsent(ctx context.Context, c Consent, change func(*Consent) error) error

	// Record returns a record, or nil.
	Record(ctx context.Context, kind, id string) (*Record, error)
	// Records returns the records of a kind, oldest first.
	Records(ctx context.Context, kind string) ([]Record, error)
	// PutRecord stores a record durably if its revision is that of the one that is stored,
	// or zero if there is none, and reports whether it was. That of the new one is higher by
	// one.
	PutRecord(context.Context, Record) (bool, error)
	// DeleteRecord deletes a record if its revision is that of the one that is stored, and
	// reports whether it was.
	DeleteRecord(context.Context, Record) (bool, error)
	// TrimRecords forgets the records of a kind that have expired, except for the last keep
	// of an owner, and those that are more than limit, unless both are zero. Then the owner
	// with the most loses the oldest. Those who have proved who they are compete with each
	// other only.
	TrimRecords(ctx context.Context, kind string, keep, limit int) error
}

// Record is something that is remembered of a sign-in.
type Record struct {
	Kind, ID string
	Revision int64
	Owner    string // who made it, for limits
	Proved   bool   // the owner has proved who it is
	// Expires and System are when it may be forgotten, by the clock that people set and by
	// the system's. It must be past both: one may be set back.
	Expires, System time.Time
	Data            []byte
}

// KindStolen are grants whose authorization code was sent twice. What else is remembered,
// the authority alone need know.
const KindStolen = "stolen"

const (
	kindFlow      = "flow"
	kindCode      = "code"
	kindDevice    = "device"
	kindGrant     = "grant"
	kindAssertion = "assertion"
)

// bounds are how many records of a kind are kept; see Keeper.TrimRecords.
var bounds = map[string]struct{ keep, limit int }{
	kindFlow:      {0, signInsKept},
	kindCode:      {0, signInsKept},
	kindDevice:    {0, signInsKept},
	kindGrant:     {0, 0},
	kindAssertion: {assertionsKept, maxAssertionsKept},
	KindStolen:    {0, signInsKept},
}

// trimEvery is after how many new records of a kind those that are too many are forgotten.
const trimEvery = 64

// lives returns when a record that is begun now expires.
func (r *Record) lives(now instant, life time.Duration) {
	r.Expires, r.System = now.Shown.Add(life), now.System.Add(life)
}

// recall returns a record and its value, or nils if there is none.
func recall[T any](ctx context.Context, a *Authority, kind, id string) (*Record, *T, error) {
	r, err := a.keeper.Record(ctx, kind, id)
	if r == nil || err != nil {
		return nil, nil, err
	}
	v, err := valueOf[T](r)
	return r, v, err
}

func valueOf[T any](r *Record) (*T, error) {
	v := new(T)
	if err := json.Unmarshal(r.Data, v); err != nil {
		return nil, fmt.Errorf("issuer: damaged record %s of kind %s: %w", r.ID, r.Kind, err)
	}
	return v, nil
}

// remember stores a record with a value, unless another request was first. A client that
// hangs up would otherwise leave it open what is stored.
func (a *Authority) remember(ctx context.Context, r *Record, v any) (ok bool, err error) {
	if r.Data, err = json.Marshal(v); err != nil {
		return false, fmt.Errorf("issuer: encode record of kind %s: %w", r.Kind, err)
	}
	ctx = context.WithoutCancel(ctx)
	if ok, err = a.keeper.PutRecord(ctx, *r); !ok || err != nil {
		return false, err
	}
	if r.Revision++; r.Revision == 1 {
		a.trim(ctx, r.Kind)
	}
	return true, nil
}

// trim forgets records of a kind that are too many, now and then. If it fails, it is tried
// again before they are many more.
func (a *Authority) trim(ctx context.Context, kind string) {
	a.added.mu.Lock()
	a.added.n[kind]++
	due := a.added.n[kind]%trimEvery == 0
	a.added.mu.Unlock()
	if due {
		_ = a.keeper.TrimRecords(ctx, kind, bounds[kind].keep, bounds[kind].limit)
	}
}

// memory is a Keeper for one authority, which forgets everything when it ends.
type memory struct {
	now func() instant

	mu      sync.Mutex // guards what follows
	version uint64
	known   Known
	kinds   map[string]*table[Record]
}

func newMemory(known Known, now func() instant) *memory {
	m := &memory{now: now, known: known, kinds: make(map[string]*table[Record])}
	for kind, bound := range bounds {
		m.kinds[kind] = newTable[Record](cmp.Or(bound.limit, math.MaxInt))
	}
	m.known.Tenants, m.known.Consents = cloneTenants(known.Tenants), slices.Clone(known.Consents)
	for i := range m.known.Consents {
		m.known.Consents[i] = normalConsent(m.known.Consents[i])
	}
	return m
}

// cloneTenants returns a copy for what may be changed by who passes it.
func cloneTenants(list []Tenant) []Tenant {
	list = slices.Clone(list)
	for i := range list {
		list[i].Clients, list[i].Users = slices.Clone(list[i].Clients), slices.Clone(list[i].Users)
	}
	return list
}

func (m *memory) Version() uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.version
}

func (*memory) IsBehind() bool { return false }

func (m *memory) Known(context.Context) (*Known, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	known := m.known
	return &known, nil
}

func (m *memory) ChangeConsent(_ context.Context, c Consent, change func(*Consent) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	next := slices.Clone(m.known.Consents)
	at := slices.IndexFunc(next, func(other Consent) bool {
		return other.TenantID == c.TenantID && other.ClientID == c.ClientID && other.UserID == c.UserID
	})
	c.Resources, c.AppResources = nil, nil
	if at >= 0 {
		c = next[at]
		next = slices.Delete(next, at, at+1)
	}
	if err := change(&c); err != nil {
		return err
	}
	if len(c.Resources)+len(c.AppResources) > 0 {
		next = append(next, c)
	}
	m.known.Consents = next
	m.version++
	return nil
}

func (m *memory) Record(_ context.Context, kind, id string) (*Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if r, ok := m.kinds[kind].get(id); ok {
		return &r, nil
	}
	return nil, nil
}

func (m *memory) Records(_ context.Context, kind string) ([]Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.kinds[kind].all(), nil
}

func (m *memory) PutRecord(_ context.Context, r Record) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	of := m.kinds[r.Kind]
	if before, _ := of.get(r.ID); before.Revision != r.Revision {
		return false, nil
	}
	if r.Revision++; r.Revision == 1 {
		of.add(r.ID, r.Owner, r.Proved, r)
	} else {
		of.replace(r.ID, r.Owner, r.Proved, r)
	}
	if r.Kind == KindStolen {
		m.version++
	}
	return true, nil
}

func (m *memory) DeleteRecord(_ context.Context, r Record) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	of := m.kinds[r.Kind]
	if before, ok := of.get(r.ID); !ok || before.Revision != r.Revision {
		return false, nil
	}
	of.remove(r.ID)
	return true, nil
}

func (m *memory) TrimRecords(_ context.Context, kind string, keep, _ int) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	now, of := m.now(), m.kinds[kind]
	seen := map[string]int{} // by owner, the newest first
	for _, r := range slices.Backward(of.all()) {
		if seen[r.Owner]++; seen[r.Owner] > keep && !r.Expires.After(now.Shown) && !r.System.After(now.System) {
			of.remove(r.ID)
		}
	}
	return nil
}
