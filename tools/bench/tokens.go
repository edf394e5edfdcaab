package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"text/tabwriter"
)

const (
	// maxTokenTime is how much processor time a token may cost the API after its first
	// use, in nanoseconds.
	maxTokenTime = 1_000
	// maxTokenAllocations is how often it may allocate memory.
	maxTokenAllocations = 2
	// tokenRounds is the number of measurements; figures are medians.
	tokenRounds = 5
)

// tokenCost has the measurements of one kind of token, one value per round.
type tokenCost struct{ wall, processor, allocations []float64 }

// measureTokens runs the benchmark of the server's package, as no other can measure
// this step alone, and compares it with its limits.
func measureTokens(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", "^BenchmarkAuthenticate$", "-benchtime", "200000x",
		"-count", strconv.Itoa(tokenRounds), "./internal/server")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("the benchmark of tokens: %w\n%s", err, out)
	}
	names, costs, err := readTokenCosts(out)
	if err != nil {
		return err
	}
	fmt.Printf("\nA token after its first use: header, token, role. Medians of %d rounds.\n\n", tokenRounds)
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "token of\tprocessor time\ton the clock\tallocations\tlimits\n")
	var exceeded []string
	for _, name := range names {
		c := costs[name]
		processor, wall, allocations := median(c.processor), median(c.wall), median(c.allocations)
		verdict := "kept"
		if processor > maxTokenTime || allocations > maxTokenAllocations {
			verdict = "EXCEEDED"
			exceeded = append(exceeded, name)
		}
		fmt.Fprintf(w, "%s\t%.0f ns\t%.0f ns\t%.0f\t%s\n", name, processor, wall, allocations, verdict)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if len(exceeded) > 0 {
		return fmt.Errorf("a token of %s costs more than %d ns or %d allocations: see go test -bench Authenticate -cpuprofile cpu.prof ./internal/server",
			strings.Join(exceeded, " and of "), maxTokenTime, maxTokenAllocations)
	}
	return nil
}

// readTokenCosts parses the output of go test, and returns the kinds of tokens in their
// order.
func readTokenCosts(out []byte) (names []string, costs map[string]*tokenCost, err error) {
	costs = map[string]*tokenCost{}
	for line := range bytes.Lines(out) {
		rest, ok := strings.CutPrefix(string(line), "BenchmarkAuthenticate/")
		if !ok {
			continue
		}
		fields := strings.Fields(rest)
		name := fields[0]
		if dash := strings.LastIndexByte(name, '-'); dash > 0 {
			name = name[:dash] // the number of processors
		}
		name = strings.ReplaceAll(name, "_", " ")
		c := costs[name]
		if c == nil {
			c = new(tokenCost)
			costs[name] = c
			names = append(names, name)
		}
		for i := 2; i+1 < len(fields); i += 2 {
			value, err := strconv.ParseFloat(fields[i], 64)
			if err != nil {
				return nil, nil, fmt.Errorf("the benchmark of tokens prints %q", line)
			}
			switch fields[i+1] {
			case "ns/op":
				c.wall = append(c.wall, value)
			case "cpu-ns/op":
				c.processor = append(c.processor, value)
			case "allocs/op":
				c.allocations = append(c.allocations, value)
			}
		}
	}
	if len(names) == 0 {
		return nil, nil, errors.New("the benchmark of tokens printed nothing")
	}
	for _, name := range names {
		if c := costs[name]; len(c.wall) != tokenRounds || len(c.processor) != tokenRounds || len(c.allocations) != tokenRounds {
			return nil, nil, fmt.Errorf("the benchmark of tokens printed too little of a token of %s", name)
		}
	}
	return names, costs, nil
}
