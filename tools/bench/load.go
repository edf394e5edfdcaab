package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http/httputil"
	"os"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/partnercenter-go/partnercenter/internal/ascii"
)

// loadPlan is the input of a load process, as JSON on its standard input.
type loadPlan struct {
	Targets     []loadTarget  `json:"targets"` // which get the same number of connections
	Connections int           `json:"connections"`
	Duration    time.Duration `json:"duration"`
	Paths       []string      `json:"paths"`
	// Once requests every path at most once, in order; otherwise paths are drawn at
	// random until the time is over.
	Once bool `json:"once"`
	// Body, if any, is posted to the paths instead of getting them, each time under a
	// new request id.
	Body string `json:"body"`
	// Rate, if any, is the number of requests per second.
	Rate int `json:"rate"`
	// MayRefuse takes 503 for an answer, too, after which a connection waits for a second
	// as it is told to.
	MayRefuse bool `json:"mayRefuse"`
}

// loadTarget is a server, and what it takes for a token.
type loadTarget struct {
	Address string `json:"address"`
	Token   string `json:"token"`
}

// loadResult is the output of a load process, as JSON on its standard output.
type loadResult struct {
	Requests int           `json:"requests"` // without those refused
	Refused  int           `json:"refused"`
	Bytes    int64         `json:"bytes"`
	Elapsed  time.Duration `json:"elapsed"`
	P50      time.Duration `json:"p50"`
	P99      time.Duration `json:"p99"`

	usage // of the target meanwhile
}

func (r loadResult) rate() float64 { return float64(r.Requests) / r.Elapsed.Seconds() }

// runLoad sends requests to a server as fast as it answers. Its client reads HTTP by
// hand: a full one would need more time than the server and so hide the server's cost.
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
	lines, want := p.requestLines(), statusOK
	if p.Body != "" {
		want = statusCreated
	}
	var pace <-chan time.Time
	if p.Rate > 0 {
		ticker := time.NewTicker(time.Second / time.Duration(p.Rate))
		defer ticker.Stop()
		pace = ticker.C
	}
	connections := make([]net.Conn, p.Connections)
	for i := range connections {
		c, err := net.Dial("tcp", p.Targets[i%len(p.Targets)].Address)
		if err != nil {
			return loadResult{}, err
		}
		defer c.Close()
		connections[i] = c
	}
	var next, refused atomic.Int64
	deadline := time.Now().Add(p.Duration)
	result, err := sideBySide(len(connections), func(worker int) (latencies []time.Duration, size int64, err error) {
		c := connections[worker]
		reader := bufio.NewReaderSize(c, 64<<10)
		rest := p.afterLine(p.Targets[worker%len(p.Targets)])
		var request []byte
		latencies = make([]time.Duration, 0, 1<<15)
		for ctx.Err() == nil {
			if pace != nil {
				<-pace
			}
			at := time.Now()
			if at.After(deadline) {
				break
			}
			i := rand.IntN(len(lines))
			if p.Once {
				if i = int(next.Add(1)) - 1; i >= len(lines) {
					break
				}
			}
			request = append(append(request[:0], lines[i]...), rest...)
			if p.Body != "" {
				request = named(request)
			}
			n, err := ask(c, reader, request, want)
			if p.MayRefuse && errors.Is(err, errRefused) {
				refused.Add(1)
				time.Sleep(time.Second)
				continue
			}
			if err != nil {
				return latencies, size, fmt.Errorf("%s: %w", p.Paths[i], err)
			}
			size += n
			latencies = append(latencies, time.Since(at))
		}
		return latencies, size, nil
	})
	result.Refused = int(refused.Load())
	return result, err
}

// sideBySide runs workers concurrently, and combines their measurements.
func sideBySide(workers int, work func(worker int) (latencies []time.Duration, bytes int64, err error)) (loadResult, error) {
	var (
		wait      sync.WaitGroup
		mu        sync.Mutex // guards the following variables
		latencies []time.Duration
		r         loadResult
		failures  []error
	)
	started := time.Now()
	for worker := range workers {
		wait.Go(func() {
			own, bytes, err := work(worker)
			mu.Lock()
			defer mu.Unlock()
			latencies, failures = append(latencies, own...), append(failures, err)
			r.Bytes += bytes
		})
	}
	wait.Wait()
	r.Requests, r.Elapsed = len(latencies), time.Since(started)
	if err := errors.Join(failures...); err != nil {
		return loadResult{}, err
	}
	if len(latencies) == 0 {
		return loadResult{}, errors.New("there were no answers")
	}
	slices.Sort(latencies)
	r.P50, r.P99 = latencies[len(latencies)/2], latencies[len(latencies)*99/100]
	return r, nil
}

// requestIDPlace is replaced by a request id.
const requestIDPlace = "00000000-0000-4000-8000-000000000000"

// requestLines returns the first line of the request to each path.
func (p *loadPlan) requestLines() [][]byte {
	method := "GET"
	if p.Body != "" {
		method = "POST"
	}
	lines := make([][]byte, len(p.Paths))
	for i, path := range p.Paths {
		lines[i] = fmt.Appendf(nil, "%s %s HTTP/1.1\r\n", method, path)
	}
	return lines
}

// afterLine returns what follows the first line in each request to a server.
func (p *loadPlan) afterLine(target loadTarget) []byte {
	r := fmt.Appendf(nil, "Host: %s\r\nAccept: application/json\r\n", target.Address)
	if target.Token != "" {
		r = fmt.Appendf(r, "Authorization: Bearer %s\r\n", target.Token)
	}
	if p.Body != "" {
		r = fmt.Appendf(r, "MS-RequestId: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n", requestIDPlace, len(p.Body))
	}
	return append(append(r, "\r\n"...), p.Body...)
}

// named returns a copy of a request with a new id.
func named(request []byte) []byte {
	id := fmt.Appendf(nil, "%08x-%04x-4%03x-8%03x-%012x", rand.Uint32(), rand.Uint32()&0xffff, rand.Uint32()&0xfff, rand.Uint32()&0xfff, rand.Uint64()&0xffffffffffff)
	return bytes.Replace(request, []byte(requestIDPlace), id, 1)
}

var (
	statusOK      = []byte("HTTP/1.1 200 ")
	statusCreated = []byte("HTTP/1.1 201 ")
	statusRefused = []byte("HTTP/1.1 503 ")
)

// errRefused says that a server has too much to do.
var errRefused = errors.New("answer 503")

const (
	contentLength    = "Content-Length: "
	transferEncoding = "Transfer-Encoding: chunked\r\n"
)

// ask sends one request and reads its answer, which must have the wanted status, and a
// length or chunks. An answer with status 503 is read, and errRefused.
func ask(c net.Conn, r *bufio.Reader, request, want []byte) (int64, error) {
	var refused error
	if _, err := c.Write(request); err != nil {
		return 0, err
	}
	status, err := r.ReadSlice('\n')
	if err != nil {
		return 0, err
	}
	if bytes.HasPrefix(status, statusRefused) {
		refused = errRefused
	} else if !bytes.HasPrefix(status, want) {
		rest, _ := r.Peek(r.Buffered())
		return 0, fmt.Errorf("answer %q %q", status, rest)
	}
	length, chunks := -1, false
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return 0, err
		}
		if len(line) <= 2 {
			break
		}
		if n := len(contentLength); len(line) > n && ascii.EqualFold(string(line[:n]), contentLength) {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(line[n:]))); err != nil {
				return 0, err
			}
		}
		chunks = chunks || ascii.EqualFold(string(line), transferEncoding)
	}
	switch {
	case chunks:
		n, err := io.Copy(io.Discard, httputil.NewChunkedReader(r))
		if err == nil {
			_, err = r.Discard(len("\r\n"))
		}
		return n, cmp.Or(err, refused)
	case length > 0:
		n, err := io.CopyN(io.Discard, r, int64(length))
		return n, cmp.Or(err, refused)
	}
	return 0, errors.New("an answer without a length")
}
