package issuer

import (
	"context"
	"crypto/sha256"
	"maps"
	"strings"
	"sync"
	"time"

	"github.com/partnercenter-go/partnercenter/internal/ascii"
)

const (
	// repeatWindow is how long the same request, with the same assertion, gets the token
	// again that it got: clients repeat requests whose answer was lost.
	repeatWindow = time.Minute
	// assertionsKept is how many used assertions of an app are remembered, the last ones,
	// also once they have expired: the clock may be set back.
	assertionsKept = 4096
	// maxAssertionsKept bounds those that may still be valid, of some 250 bytes each. Only
	// the app can make more: who has its key needs no replay.
	maxAssertionsKept = 65536
	// longestAssertion is how long an assertion can be valid after its use.
	longestAssertion = assertionLifetime + 2*assertionLeeway
)

// UsedAssertion is a client assertion that has given a token.
type UsedAssertion struct {
	ClientID string // the app that signed it; lower case
	ID       []byte // digest of its jti or, without one, of itself
}

// assertions are the client assertions that have given a token, by the lower-case id of
// their app.
type assertions struct {
	save func(ctx context.Context, used UsedAssertion, keep int) error

	mu   sync.Mutex // guards apps
	apps map[string]*assertionUses
}

func newAssertions(known []UsedAssertion, save func(context.Context, UsedAssertion, int) error, now instant) *assertions {
	as := &assertions{save: save, apps: make(map[string]*assertionUses)}
	for _, used := range known {
		use := &assertionUse{at: now} // or earlier
		copy(use.id[:], used.ID)
		as.of(used.ClientID).add(use)
	}
	return as
}

// of returns the used assertions of an app.
func (as *assertions) of(clientID string) *assertionUses {
	as.mu.Lock()
	defer as.mu.Unlock()
	uses := as.apps[clientID]
	if uses == nil {
		uses = &assertionUses{byID: make(map[[sha256.Size]byte]*assertionUse)}
		as.apps[clientID] = uses
	}
	return uses
}

func (as *assertions) forget() {
	as.mu.Lock()
	defer as.mu.Unlock()
	clear(as.apps)
}

// assertionUses are the used assertions of one app, each of which gives a token once.
type assertionUses struct {
	mu       sync.Mutex // held while a token is issued
	byID     map[[sha256.Size]byte]*assertionUse
	order    []*assertionUse // oldest first
	answered int             // so many of the oldest have no answer any more
}

// assertionUse is the use of an assertion.
type assertionUse struct {
	id, request [sha256.Size]byte
	at          instant
	got         *issued // nil once it cannot be asked for again
}

// requestDigest identifies what a request asks for. What a client says about itself and
// its calls differs when it repeats one.
func requestDigest(t *tokenRequest) [sha256.Size]byte {
	asked := maps.Clone(t.form)
	maps.DeleteFunc(asked, func(name string, _ []string) bool {
		switch name = ascii.ToLower(name); name {
		case "client_info", "client-request-id", "return-client-request-id":
			return true
		}
		return strings.HasPrefix(name, "x-")
	})
	return sha256.Sum256([]byte(t.r.URL.Path + "\n" + asked.Encode()))
}

// once gives a token for an assertion that has given none, and that same one for the
// same request.
func (as *assertions) once(t *tokenRequest, now instant, give func() (*issued, error)) (*issued, error) {
	client := ascii.ToLower(t.client.ID)
	uses := as.of(client)
	use := &assertionUse{id: t.assertionID, request: requestDigest(t), at: now}
	uses.mu.Lock()
	defer uses.mu.Unlock()
	uses.dropAnswers(now)
	if before := uses.byID[use.id]; before != nil {
		if before.got == nil || before.at.isOverByEither(repeatWindow, now) || before.request != use.request {
			return nil, fail(codeAssertion, "The client assertion of application %s has given a token already. Sign a new one, with another jti, for each request; for a library that uses one for several requests, start the server with --reuse-assertions.", t.client.ID)
		}
		return before.got.later(before.at.age(now)), nil
	}
	var err error
	if use.got, err = give(); err != nil {
		return nil, err
	}
	if as.save != nil {
		if err := as.save(context.WithoutCancel(t.r.Context()), UsedAssertion{ClientID: client, ID: use.id[:]}, len(uses.order)+1); err != nil {
			return nil, err
		}
	}
	uses.add(use)
	uses.drop(now)
	return use.got, nil
}

// dropAnswers forgets the answers that cannot be asked for again.
func (u *assertionUses) dropAnswers(now instant) {
	for ; u.answered < len(u.order); u.answered++ {
		oldest := u.order[u.answered]
		if !oldest.at.isOverByEither(repeatWindow, now) {
			return
		}
		oldest.got = nil
	}
}

func (u *assertionUses) add(use *assertionUse) {
	u.byID[use.id], u.order = use, append(u.order, use)
}

// drop forgets uses that are too many, the oldest, which expire first.
func (u *assertionUses) drop(now instant) {
	for len(u.order) > maxAssertionsKept || len(u.order) > assertionsKept && u.order[0].hasExpired(now) {
		delete(u.byID, u.order[0].id)
		u.order, u.answered = u.order[1:], max(u.answered-1, 0)
	}
}

// hasExpired reports whether the assertion is valid no more, by both clocks.
func (u *assertionUse) hasExpired(now instant) bool {
	return min(u.at.age(now), now.system.Sub(u.at.system)) >= longestAssertion
}

// later returns what was issued some time ago.
func (i *issued) later(passed time.Duration) *issued {
	again, token := *i, *i.token
	token.Lifetime -= passed.Truncate(time.Second)
	again.token = &token
	return &again
}
