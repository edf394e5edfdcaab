package issuer

import (
	"slices"
	"sync"
	"time"

	"github.com/partnercenter-go/partnercenter/internal/ascii"
)

const (
	// So many wrong guesses in a row have further ones refused for lockout, right ones
	// too. Passwords and the codes of devices are short. What apps send is not, and
	// tests send wrong ones on purpose.
	maxWrongPasswords = 10
	maxWrongUserCodes = 30
	maxWrongFromApp   = 100
	lockout           = time.Minute

	// guessesKept bounds the memory for wrong guesses.
	guessesKept = 16384
)

// guessKind is a kind of thing that is guessed: one of these or, for a code or a refresh
// token, its grant type.
type guessKind string

const (
	guessPassword  guessKind = "password of a user"
	guessStranger  guessKind = "password of nobody"
	guessUserCode  guessKind = "user code"
	guessSecret    guessKind = "secret"
	guessAssertion guessKind = "assertion"
)

// target is what a caller guesses. Guesses are counted for each caller apart, so that
// nobody is locked out by another's.
type target struct {
	kind   guessKind
	caller string
	name   string // of the user or app, in lower case
	limit  int
}

func (of *target) key() string { return string(of.kind) + "\x00" + of.caller + "\x00" + of.name }

// guesses counts wrong guesses in a row. It goes by the system's clock: the other one can
// be frozen, and set back.
type guesses struct {
	system func() time.Time

	mu    sync.Mutex // guards what follows
	known map[string]*wrongGuesses
	// strangers are the guesses at passwords of names that nobody has. They are separate,
	// so that made-up names have no user's guesses forgotten.
	strangers map[string]*wrongGuesses
}

type wrongGuesses struct {
	left int // how many more are taken
	last time.Time
}

func newGuesses(system func() time.Time) *guesses {
	return &guesses{system: system, known: make(map[string]*wrongGuesses), strangers: make(map[string]*wrongGuesses)}
}

func (g *guesses) forget() {
	g.mu.Lock()
	defer g.mu.Unlock()
	clear(g.known)
	clear(g.strangers)
}

func (g *guesses) like(of *target) map[string]*wrongGuesses {
	if of.kind == guessStranger {
		return g.strangers
	}
	return g.known
}

// wait returns how long guesses at a target are refused. The caller holds the lock.
func (g *guesses) wait(of *target) time.Duration {
	wrong := g.like(of)[of.key()]
	if wrong == nil || wrong.left > 0 {
		return 0
	}
	return max(wrong.last.Add(lockout).Sub(g.system()), 0)
}

// count counts a guess. The caller holds the lock.
func (g *guesses) count(of *target, right bool) {
	in, key, now := g.like(of), of.key(), g.system()
	if right {
		if of.kind != guessUserCode { // of which anybody has one
			delete(in, key)
		}
		return
	}
	wrong := in[key]
	if wrong == nil {
		makeRoom(in, now)
	}
	if wrong == nil || now.Sub(wrong.last) >= lockout {
		wrong = &wrongGuesses{left: of.limit}
		in[key] = wrong
	}
	wrong.left, wrong.last = wrong.left-1, now
}

// makeRoom forgets what counts no more or, without that, the target that is the farthest
// from being locked: who fills the memory unlocks nothing.
func makeRoom(in map[string]*wrongGuesses, now time.Time) {
	if len(in) < guessesKept {
		return
	}
	var farthest string
	var most *wrongGuesses
	for key, wrong := range in {
		switch {
		case now.Sub(wrong.last) >= lockout:
			delete(in, key)
		case most == nil || wrong.left > most.left || wrong.left == most.left && wrong.last.Before(most.last):
			farthest, most = key, wrong
		}
	}
	if len(in) >= guessesKept {
		delete(in, farthest)
	}
}

// try makes a guess unless they are refused for the time that it returns. Guesses are
// made one after the other, so right must not take long.
func (g *guesses) try(of target, right func() bool) (ok bool, wait time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if wait := g.wait(&of); wait > 0 {
		return false, wait
	}
	ok = right()
	g.count(&of, ok)
	return ok, 0
}

// target returns what a request of an app guesses.
func (t *tokenRequest) target(kind guessKind) target {
	return target{kind: kind, caller: callerOf(t.r), name: ascii.ToLower(t.client.ID), limit: maxWrongFromApp}
}

// wrongCodes are the failures that guesses of apps have, besides that of a secret.
var wrongCodes = []errorCode{
	codeAssertion, codeBadGrant, codeGrantExpired, codeVerifier, codeVerifierMismatch, codeBadDeviceCode,
}

// guess takes what an app sends unless too many were wrong. It is longer than a secret
// need be, so several may be looked at at once.
func (a *Authority) guess(t *tokenRequest, kind guessKind, take func() error) error {
	of := t.target(kind)
	a.guesses.mu.Lock()
	wait := a.guesses.wait(&of)
	a.guesses.mu.Unlock()
	if wait > 0 {
		return t.tooManyGuesses(wait)
	}
	err := take()
	f, ok := err.(*failure) //nolint:errorlint // the authority's own, never wrapped
	if wrong := ok && slices.Contains(wrongCodes, f.errorCode); wrong || err == nil {
		a.guesses.mu.Lock()
		defer a.guesses.mu.Unlock()
		a.guesses.count(&of, !wrong)
	}
	return err
}

func (t *tokenRequest) tooManyGuesses(wait time.Duration) error {
	return tooManyGuesses("too many requests in a row had the same kind of credential, code or refresh token wrong for application "+t.client.ID, wait)
}

func tooManyGuesses(what string, wait time.Duration) error {
	f := fail(codeThrottled, "From here, %s. Wait for as many seconds as Retry-After says, then try again.", what)
	f.retryAfter = wait
	return f
}
