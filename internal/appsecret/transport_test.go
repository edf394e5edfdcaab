package appsecret

import (
	"io"
	"net/http"
	"testing"
)

// endless answers without end, and counts what is read.
type endless struct{ read int64 }

func (e *endless) Do(req *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(e), Request: req}, nil
}

func (e *endless) Read(p []byte) (int, error) {
	e.read += int64(len(p))
	return len(p), nil
}

// TestEndlessAnswer reads an answer whole that does not end.
func TestEndlessAnswer(t *testing.T) {
	e := &endless{}
	resp, err := Transport{e}.Do(&http.Request{})
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if data, err := io.ReadAll(resp.Body); err != nil || len(data) != maxAnswer || e.read > maxAnswer {
		t.Errorf("%d bytes, %d read, %v", len(data), e.read, err)
	}
}
