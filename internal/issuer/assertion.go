package issuer

import (
	"bytes"
	"cmp"
	"context"
	"encoding/hex"
	"maps"
	"strings"
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
	// maxAssertionsKept bounds those of all apps, of some 3 KB each. The app with the most
	// loses the oldest: who has its key needs no replay.
	maxAssertionsKept = 65536
	// longestAssertion is how long an assertion can be valid after its use.
	longestAssertion = assertionLifetime + 2*assertionLeeway
)

// assertionUse is the use of a client assertion, which gives a token once. It is claimed
// before the token is given, and has no answer until then.
type assertionUse struct {
	Request []byte // digest
	At      instant
	Answer  []byte // an issued, sealed with the assertion
}

const (
	// claimWait is how long the same request waits for the answer to one under way, and
	// claimLook how often it looks.
	claimWait = 5 * time.Second
	claimLook = 10 * time.Millisecond
)

// requestDigest identifies what a request asks for. What a client says about itself and
// its calls differs when it repeats one.
func requestDigest(t *tokenRequest) []byte {
	asked := maps.Clone(t.form)
	maps.DeleteFunc(asked, func(name string, _ []string) bool {
		switch name = ascii.ToLower(name); name {
		case "client_info", "client-request-id", "return-client-request-id":
			return true
		}
		return strings.HasPrefix(name, "x-")
	})
	return digest(t.r.URL.Path + "\n" + asked.Encode())
}

// once gives a token for an assertion that has given none, and that same one for the
// same request.
func (a *Authority) once(t *tokenRequest, assertion string, give func() (*issued, error)) (*issued, error) {
	client, ctx, now := ascii.ToLower(t.client.ID), t.r.Context(), a.instant()
	use := &assertionUse{Request: requestDigest(t), At: now}
	r := &Record{Kind: kindAssertion, ID: client + " " + hex.EncodeToString(t.assertionID[:]), Owner: client, Proved: true}
	r.lives(now, longestAssertion)
	got, err := a.givenBefore(t, r.ID, assertion, use)
	if got != nil || err != nil {
		return got, err
	}
	// What can be redeemed once must not be by a request that then is too late. A token of
	// an app's own is better issued in vain than stored in two steps.
	claims := t.form.Get("grant_type") != grantTypeClientCredentials
	for claims {
		if ok, err := a.remember(ctx, r, use); err != nil {
			return nil, err
		} else if ok {
			break
		}
		if got, err = a.givenBefore(t, r.ID, assertion, use); got != nil || err != nil {
			return got, err
		}
	}
	if got, err = give(); err != nil {
		if claims {
			_, deleteErr := a.keeper.DeleteRecord(context.WithoutCancel(ctx), *r)
			err = cmp.Or(err, deleteErr)
		}
		return nil, err
	}
	if use.Answer, err = seal(assertion, got); err != nil {
		return nil, err
	}
	ok, err := a.remember(ctx, r, use)
	switch {
	case claims: // and the token is given, whether it can be once more or not
	case err != nil:
		return nil, err
	case !ok:
		return a.once(t, assertion, give)
	}
	return got, nil
}

// givenBefore returns what an assertion has given before to the same request, or nil if it
// has given nothing. For other requests it fails.
func (a *Authority) givenBefore(t *tokenRequest, id, assertion string, use *assertionUse) (*issued, error) {
	for began := time.Now(); ; {
		r, before, err := recall[assertionUse](t.r.Context(), a, kindAssertion, id)
		if before == nil || err != nil {
			return nil, err
		}
		isOver := before.At.isOverByEither(repeatWindow, use.At)
		if isOver && before.Answer != nil { // and stays so when the clock is set back
			before.Request, before.Answer = nil, nil
			if _, err := a.remember(t.r.Context(), r, before); err != nil {
				return nil, err
			}
		}
		same := bytes.Equal(before.Request, use.Request) && !isOver
		if same && before.Answer != nil {
			got := new(issued)
			if err := unseal(assertion, before.Answer, got); err != nil {
				return nil, err
			}
			return got.later(before.At.age(use.At)), nil
		}
		if !same || time.Since(began) > claimWait {
			return nil, fail(codeAssertion, "The client assertion of application %s has given a token already. Sign a new one, with another jti, for each request; for a library that uses one for several requests, start the server with --reuse-assertions.", t.client.ID)
		}
		select {
		case <-t.r.Context().Done():
			return nil, t.r.Context().Err()
		case <-time.After(claimLook):
		}
	}
}

// later returns what was issued some time ago.
func (i *issued) later(passed time.Duration) *issued {
	again, token := *i, *i.Token
	token.Lifetime -= passed.Truncate(time.Second)
	again.Token = &token
	return &again
}
