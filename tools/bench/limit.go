package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"net"
	"net/http"
	"os"
	"strconv"
)

// limitHeaders are the headers of the server's answers, with fixed values.
var limitHeaders = http.Header{
	"Content-Type":     {"application/json; charset=utf-8"},
	"MS-RequestId":     {"65b26053-37d0-4303-9fd1-46ad8012bcb6"},
	"MS-CorrelationId": {"47c36033-af5d-4457-80a4-512c1626fac4"},
	"MS-CV":            {"sF/wRa2ih0CzbABc.0"},
	"MS-ServerId":      {"0000005B"},
	"X-Locale":         {"en-US"},
}

// runLimit runs the limit: a handler that writes bytes from memory. The named file has
// the answers, as a JSON object of bodies by path.
func runLimit(ctx context.Context, args []string) error {
	f := flag.NewFlagSet("limit", flag.ContinueOnError)
	listen := f.String("listen", "", "address")
	if err := f.Parse(args); err != nil {
		return err
	}
	answers, err := readAnswers(f.Arg(0))
	if err != nil {
		return err
	}
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := answers[r.URL.Path]
		h := w.Header()
		for key, values := range limitHeaders {
			h[key] = values
		}
		h["Content-Length"] = []string{strconv.Itoa(len(body))}
		w.Write(body)
	})}
	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		return err
	}
	go func() { <-ctx.Done(); srv.Close() }()
	if err := srv.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func readAnswers(file string) (answers map[string][]byte, err error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return answers, json.Unmarshal(data, &answers)
}
