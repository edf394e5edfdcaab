package main

import (
	"context"
	"errors"
	"flag"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
)

// limitHeaders are those of the server's answers, with fixed values.
var limitHeaders = http.Header{
	"Content-Type":     {"application/json; charset=utf-8"},
	"MS-RequestId":     {"65b26053-37d0-4303-9fd1-46ad8012bcb6"},
	"MS-CorrelationId": {"47c36033-af5d-4457-80a4-512c1626fac4"},
	"MS-CV":            {"sF/wRa2ih0CzbABc.0"},
	"MS-ServerId":      {"0000005B"},
	"X-Locale":         {"en-US"},
}

// runLimit is the limit: a handler that writes bytes from memory. The files
// named are the answers, by the last segment of the path.
func runLimit(ctx context.Context, args []string) error {
	f := flag.NewFlagSet("limit", flag.ContinueOnError)
	listen := f.String("listen", "", "address")
	if err := f.Parse(args); err != nil {
		return err
	}
	answers := map[string][]byte{}
	for _, file := range f.Args() {
		name, path, _ := strings.Cut(file, "=")
		body, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		answers["/"+name] = body
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
