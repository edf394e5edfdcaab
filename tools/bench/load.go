package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// loadPlan is what a load process is told, as JSON on its standard input.
type loadPlan struct {
	Address     string        `json:"address"`
	Connections int           `json:"connections"`
	Duration    time.Duration `json:"duration"`
	Token       string        `json:"token"`
	Paths       []string      `json:"paths"`
	// Once asks every path at most once, in order; otherwise paths are drawn
	// at random until the time is over.
	Once bool `json:"once"`
}

// loadResult is what a load process answers, as JSON on its standard output.
type loadResult struct {
	Requests int           `json:"requests"`
	Bytes    int64         `json:"bytes"`
	Elapsed  time.Duration `json:"elapsed"`
	P50      time.Duration `json:"p50"`
	P99      time.Duration `json:"p99"`
}

func (r loadResult) rate() float64 { return float64(r.Requests) / r.Elapsed.Seconds() }

// runLoad asks a server as fast as it answers. Its client reads HTTP by hand:
// a full one would spend more than the server does and so hide what the server
// costs.
func runLoad(ctx context.Context, args []string) error {
	if err := flag.NewFlagSet("load", flag.ContinueOnError).Parse(args); err != nil {
		return err
	}
	var plan loadPlan
	if err := json.NewDecoder(os.Stdin).Decode(&plan); err != nil {
		return err
	}
	result, err := plan.run(ctx)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(result)
}

func (p *loadPlan) run(ctx context.Context) (loadResult, error) {
	requests := make([][]byte, len(p.Paths))
	for i, path := range p.Paths {
		requests[i] = fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: %s\r\nAccept: application/json\r\n", path, p.Address)
		if p.Token != "" {
			requests[i] = fmt.Appendf(requests[i], "Authorization: Bearer %s\r\n", p.Token)
		}
		requests[i] = append(requests[i], "\r\n"...)
	}
	connections := make([]net.Conn, p.Connections)
	for i := range connections {
		c, err := net.Dial("tcp", p.Address)
		if err != nil {
			return loadResult{}, err
		}
		defer c.Close()
		connections[i] = c
	}
	var (
		next      atomic.Int64
		mu        sync.Mutex // guards what follows
		latencies []time.Duration
		total     int64
		failures  []error
		wait      sync.WaitGroup
	)
	started := time.Now()
	deadline := started.Add(p.Duration)
	for _, c := range connections {
		wait.Go(func() {
			reader := bufio.NewReaderSize(c, 64<<10)
			own := make([]time.Duration, 0, 1<<15)
			var size int64
			var err error
			for ctx.Err() == nil {
				at := time.Now()
				if at.After(deadline) {
					break
				}
				i := rand.IntN(len(requests))
				if p.Once {
					if i = int(next.Add(1)) - 1; i >= len(requests) {
						break
					}
				}
				var n int64
				if n, err = ask(c, reader, requests[i]); err != nil {
					err = fmt.Errorf("%s: %w", p.Paths[i], err)
					break
				}
				size += n
				own = append(own, time.Since(at))
			}
			mu.Lock()
			defer mu.Unlock()
			latencies = append(latencies, own...)
			total += size
			if err != nil {
				failures = append(failures, err)
			}
		})
	}
	wait.Wait()
	elapsed := time.Since(started)
	if err := errors.Join(failures...); err != nil {
		return loadResult{}, err
	}
	if len(latencies) == 0 {
		return loadResult{}, errors.New("no request was answered")
	}
	slices.Sort(latencies)
	return loadResult{
		Requests: len(latencies), Bytes: total, Elapsed: elapsed,
		P50: latencies[len(latencies)/2], P99: latencies[len(latencies)*99/100],
	}, nil
}

var (
	statusOK      = []byte("HTTP/1.1 200 ")
	contentLength = []byte("Content-Length: ")
)

// ask sends one request and reads its answer, which must be a 200 of known
// length.
func ask(c net.Conn, r *bufio.Reader, request []byte) (int64, error) {
	if _, err := c.Write(request); err != nil {
		return 0, err
	}
	status, err := r.ReadSlice('\n')
	if err != nil {
		return 0, err
	}
	if !bytes.HasPrefix(status, statusOK) {
		rest, _ := r.Peek(r.Buffered())
		return 0, fmt.Errorf("answer %q %q", status, rest)
	}
	length := -1
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return 0, err
		}
		if len(line) <= 2 {
			break
		}
		if bytes.HasPrefix(line, contentLength) {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(line[len(contentLength):]))); err != nil {
				return 0, err
			}
		}
	}
	if length <= 0 {
		return 0, errors.New("an answer without a length")
	}
	n, err := io.CopyN(io.Discard, r, int64(length))
	return n, err
}
