package issuer

import (
	"context"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/partnercenter-go/partnercenter/internal/token"
)

// trust is what tokens are signed and checked with at one moment. It is replaced as a
// whole and never modified, so that a cached token is valid only under the trust that
// verified it: a revoked key, a withdrawn base URL, a removed user or role, or a revoked
// consent takes effect on every token at once.
type trust struct {
	keys  []*Key
	bases []string // normalized; the first is the default
	directory
	consents consents
	stolen   map[string]bool // names of grants
	known    *Known          // all but bases and stolen
}

func (t *trust) key(id string) *Key {
	for _, k := range t.keys {
		if k.ID == id {
			return k
		}
	}
	return nil
}

func (t *trust) hasBase(base string) bool { return slices.Contains(t.bases, base) }

// learn makes t that of what is known.
func (t *trust) learn(known *Known) error {
	directory, err := indexTenants(known.Tenants)
	if err != nil {
		return err
	}
	if err := checkKeys(known.Keys); err != nil {
		return err
	}
	t.keys, t.directory, t.consents, t.known = known.Keys, directory, newConsents(known.Consents), known
	return nil
}

// trusted is the trust that an authority has, and how it keeps up with its keeper.
type trusted struct {
	now     atomic.Pointer[trust]
	version atomic.Uint64 // that now has
	began   atomic.Uint64 // counts what is read

	mu   sync.Mutex // held while it is read; guards what follows
	read uint64     // the last that was read, of those that began
	err  error      // why it could not be

	again atomic.Uint64 // counts looks for what nobody has told of yet
	look  sync.Mutex    // held during one; guards what follows
	saw   uint64        // the last of them
	at    time.Time     // when
}

// readTimeout bounds the reading of what is trusted, for which everybody waits.
const readTimeout = 30 * time.Second

// lookEvery is how often it is read for somebody who may have made something up.
const lookEvery = 50 * time.Millisecond

// current returns what is trusted. Where the keeper tells that it has changed, it is read
// before; if that fails, nothing is trusted.
func (a *Authority) current() (*trust, error) {
	if a.trusted.version.Load() == a.keeper.Version() {
		return a.trusted.now.Load(), nil
	}
	return a.readTrust()
}

// readTrust reads what is trusted now, at the same time for all who ask meanwhile.
func (a *Authority) readTrust() (*trust, error) {
	t := &a.trusted
	began := t.began.Load()
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.read > began { // somebody else has begun since, and finished
		return t.now.Load(), t.err
	}
	t.read = t.began.Add(1)
	t.err = a.learn()
	return t.now.Load(), t.err
}

// learn reads what is trusted. The caller holds the lock.
func (a *Authority) learn() error {
	ctx, cancel := context.WithTimeout(context.Background(), readTimeout)
	defer cancel()
	version := a.keeper.Version()
	known, err := a.keeper.Known(ctx)
	if err != nil {
		return err
	}
	stolen, err := a.keeper.Records(ctx, KindStolen)
	if err != nil {
		return err
	}
	next := *a.trusted.now.Load()
	same := next.known != nil && len(stolen) == len(next.stolen) && reflect.DeepEqual(known, next.known)
	names := make(map[string]bool, len(stolen))
	for _, r := range stolen {
		names[r.ID] = true
		same = same && next.stolen[r.ID]
	}
	if !same { // otherwise, tokens that were verified stay so
		next.stolen = names
		if err := next.learn(known); err != nil {
			return err
		}
		a.trusted.now.Store(&next)
	}
	a.trusted.version.Store(version)
	return nil
}

// latest returns what is trusted now, also where the keeper has not told yet.
func (a *Authority) latest() (*trust, error) {
	if a.keeper.IsBehind() {
		return a.readTrust()
	}
	return a.current()
}

// lookAgain returns what is trusted now for somebody whom t refuses, or nil if that is
// still t. Those who make something up do not have it read more often than now and then.
func (a *Authority) lookAgain(t *trust) *trust {
	if !a.keeper.IsBehind() {
		return nil
	}
	l := &a.trusted
	again := l.again.Load()
	l.look.Lock()
	defer l.look.Unlock()
	if l.saw <= again {
		time.Sleep(lookEvery - time.Since(l.at))
		l.saw, l.at = l.again.Add(1), time.Now()
		if _, err := a.readTrust(); err != nil {
			return nil
		}
	}
	if next := l.now.Load(); next != t {
		return next
	}
	return nil
}

// lookAgainIf is lookAgain if there is an error.
func (a *Authority) lookAgainIf(err error, t *trust) *trust {
	if err == nil {
		return nil
	}
	return a.lookAgain(t)
}

// setBases replaces the addresses.
func (a *Authority) setBases(bases []string) {
	a.trusted.mu.Lock()
	defer a.trusted.mu.Unlock()
	next := *a.trusted.now.Load()
	next.bases = bases
	a.trusted.now.Store(&next)
}

// SetBaseURLs replaces Options.BaseURLs; listeners on port 0 know their address only
// once they are open. Tokens of an issuer that is no longer among urls are refused from
// now on. On error, nothing has changed.
func (a *Authority) SetBaseURLs(urls ...string) error {
	bases, err := token.NormalBases(urls)
	if err != nil {
		return err
	}
	a.setBases(bases)
	return nil
}
