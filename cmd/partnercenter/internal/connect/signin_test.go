package connect

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// transportFunc is a transport without a network.
type transportFunc func(*http.Request) (*http.Response, error)

func (f transportFunc) Do(r *http.Request) (*http.Response, error) { return f(r) }

func answers(r *http.Request, status int, body string) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: r}
}

// TestPace asks as often as MSAL does, and looks at when it is sent.
func TestPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sent []time.Duration
		began := time.Now()
		s := &Service{}
		s.Options.Retry.MaxRetries = -1
		s.Options.Transport = transportFunc(func(r *http.Request) (*http.Response, error) {
			sent = append(sent, time.Since(began))
			kind := "authorization_pending"
			if len(sent) == 2 {
				kind = "slow_down"
			}
			return answers(r, http.StatusBadRequest, `{"error":"`+kind+`"}`), nil
		})
		client := NewAuthorityClient(s)
		client.Pace(5 * time.Second)
		for range 4 {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://authority.example/token", strings.NewReader("a=b"))
			if err != nil {
				t.Fatal(err)
			}
			resp, err := client.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			if body, err := io.ReadAll(resp.Body); err != nil || !bytes.Contains(body, []byte("error")) {
				t.Errorf("MSAL would read %q, %v", body, err)
			}
			time.Sleep(50 * time.Millisecond)
		}
		want := []time.Duration{5 * time.Second, 10 * time.Second, 20 * time.Second, 30 * time.Second}
		for i, at := range sent {
			if at != want[i] {
				t.Errorf("request %d was sent after %s, want %s", i, at, want[i])
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://authority.example/token", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := client.Do(r); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v, want the end of the waiting", err)
		}
	})
}

// TestFindSignIn looks for sign-ins with settings that name more or less.
func TestFindSignIn(t *testing.T) {
	all := []*SignIn{
		{Authority: "https://a", Tenant: "contoso.example", TenantID: "T1", ClientID: "C1", Username: "ann"},
		{Authority: "https://a", Tenant: "t2", TenantID: "T2", ClientID: "C1", Username: "bob"},
		{Authority: "https://b", TenantID: "T1", ClientID: "C1", Username: "cem"},
	}
	for _, test := range []struct {
		name, authority, tenant, client string
		want                            string // empty for none
		ambiguous                       bool
	}{
		{"all named", "https://a/", "t1", "c1", "ann", false},
		{"by domain", "https://A", "Contoso.example", "C1", "ann", false},
		{"by tenant", "https://a", "T2", "", "bob", false},
		{"no tenant", "https://a", "", "C1", "", true},
		{"only one there", "https://b", "", "", "cem", false},
		{"another app", "https://a", "T1", "C2", "", false},
		{"another tenant", "https://a", "T3", "C1", "", false},
		{"another authority", "https://c", "T1", "C1", "", false},
	} {
		got, err := FindSignIn(all, &Settings{Authority: test.authority, TenantID: test.tenant, ClientID: test.client})
		switch {
		case test.ambiguous:
			if refused := new(SignInError); !errors.As(err, &refused) || !strings.Contains(refused.Next, "--tenant-id") {
				t.Errorf("%s: %v, %v", test.name, got, err)
			}
		case err != nil, got == nil && test.want != "", got != nil && got.Username != test.want:
			t.Errorf("%s: %+v, %v", test.name, got, err)
		}
	}
}

// TestMSALErrors words what MSAL's errors would quote.
func TestMSALErrors(t *testing.T) {
	secret := "a-refresh-token"
	ctx, cancel := context.WithCancel(t.Context())
	if err := ExplainMSAL(ctx, &Settings{Authority: "https://a"}, errors.New("problem\nwith "+secret)); strings.Contains(err.Error(), secret) || !errors.As(err, new(*SignInError)) {
		t.Error(err)
	}
	if err := ExplainMSAL(ctx, &Settings{Authority: "https://a"}, &SignInError{Text: "as it is"}); err.Error() != "as it is; " {
		t.Error(err)
	}
	cancel()
	if err := ExplainMSAL(ctx, &Settings{Authority: "https://a"}, errors.New("late")); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
