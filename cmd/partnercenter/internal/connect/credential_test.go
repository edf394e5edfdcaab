package connect

import (
	"errors"
	"net/http"
	"testing"
)

func TestRefusedSignIn(t *testing.T) {
	for body, want := range map[string]string{
		`{"error":"invalid_client","error_description":"AADSTS1: Bad.\r\nTrace ID: x"}`: "signing in failed: AADSTS1: Bad. Trace ID: x",
		`{"error":"invalid_client"}`: "signing in failed: invalid_client",
		`<html>`:                     "https://a answered 400 to a request for a token, and not in the way a token authority does",
		``:                           "https://a answered 400 to a request for a token, and not in the way a token authority does",
	} {
		err := refusedSignIn(&Settings{Authority: "https://a"}, http.StatusBadRequest, []byte(body))
		if e := new(SignInError); !errors.As(err, &e) || e.Text != want {
			t.Errorf("%s: %v", body, err)
		}
	}
}
