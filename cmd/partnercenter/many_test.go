//go:build linux

package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

const manyCustomers, ordersEach = 100, 100

// manyOrders answers with many customers, who have many orders each. The orders of those
// after the first ten are not answered until go is closed.
func manyOrders(tb testing.TB, goOn <-chan struct{}) *httptest.Server {
	mux := http.NewServeMux()
	mux.HandleFunc("/{tenant}/oauth2/v2.0/token", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"token_type":"Bearer","expires_in":3599,"access_token":%q}`, stubToken)
	})
	mux.HandleFunc("/v1/customers", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"totalCount":%d,"items":[`, manyCustomers)
		for i := range manyCustomers {
			if i > 0 {
				io.WriteString(w, ",")
			}
			fmt.Fprintf(w, `{"id":"%08d-0000-4000-8000-000000000000","companyProfile":{"companyName":"Company %d"}}`, i, i)
		}
		io.WriteString(w, "]}")
	})
	mux.HandleFunc("/v1/customers/{id}/orders", func(w http.ResponseWriter, r *http.Request) {
		if r.PathValue("id")[:8] >= "00000010" {
			select {
			case <-goOn:
			case <-r.Context().Done():
				return
			}
		}
		fmt.Fprintf(w, `{"totalCount":%d,"items":[`, ordersEach)
		for i := range ordersEach {
			if i > 0 {
				io.WriteString(w, ",")
			}
			io.WriteString(w, order(i%10, "completed", "Widgets of "+r.PathValue("id")))
		}
		io.WriteString(w, "]}")
	})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		mux.ServeHTTP(w, r)
	}))
	tb.Cleanup(server.Close)
	return server
}

// TestManyOrders lists 10,000 orders with the program as it is built for users: a table in
// little memory, and formats that scroll as the orders come.
func TestManyOrders(t *testing.T) {
	program := filepath.Join(t.TempDir(), "partnercenter")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	list := func(ctx context.Context, server *httptest.Server, format string) *exec.Cmd {
		cmd := exec.CommandContext(ctx, program, "orders", "list", "--all-customers", "-o", format, "--base-url", server.URL, "--tenant-id", stubTenant, "--client-id", stubClient) //nolint:gosec // built above
		cmd.Env = append(os.Environ(), "PARTNERCENTER_CLIENT_SECRET="+stubSecret, "XDG_CONFIG_HOME="+t.TempDir())
		return cmd
	}

	t.Run("table", func(t *testing.T) {
		goOn := make(chan struct{})
		close(goOn)
		cmd := list(t.Context(), manyOrders(t, goOn), "table")
		stdout, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		// The rest of the table does not fit into the pipe, so that the program is there
		// to be looked at. Its resource usage would include this test's memory.
		lines, used := 0, 0
		for rows := bufio.NewScanner(stdout); rows.Scan(); lines++ {
			if lines == manyCustomers*ordersEach/2 {
				used = peakMemory(t, cmd.Process.Pid)
			}
		}
		if err := cmd.Wait(); err != nil || lines < manyCustomers*ordersEach {
			t.Fatalf("%v: %d lines", err, lines)
		}
		const most = 64 << 10 // KiB
		if used > most {
			t.Errorf("it takes %d KiB, want at most %d", used, most)
		}
		t.Logf("%d KiB", used)
	})

	for _, format := range []string{"jsonl", "csv"} {
		t.Run(format, func(t *testing.T) {
			// A busy machine gets more than one chance.
			var took time.Duration
			for range 3 {
				if took = firstRow(t, list, format); took <= time.Second {
					break
				}
			}
			if took > time.Second {
				t.Errorf("the first row takes %s", took)
			}
			t.Logf("the first row takes %s", took)
		})
	}
}

// peakMemory returns the most memory that a process has had, in KiB.
func peakMemory(t *testing.T, pid int) (kib int) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	if _, err := fmt.Sscan(rest, &kib); err != nil {
		t.Fatal(err)
	}
	return kib
}

// firstRow measures how long the first order takes, while those of most customers are
// still to come. Then it reads the rest.
func firstRow(t *testing.T, list func(context.Context, *httptest.Server, string) *exec.Cmd, format string) time.Duration {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	goOn := make(chan struct{})
	goOnOnce := sync.OnceFunc(func() { close(goOn) })
	defer goOnOnce()
	cmd := list(ctx, manyOrders(t, goOn), format)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	rows, lines, took := bufio.NewScanner(stdout), 0, time.Duration(0)
	rows.Buffer(nil, 1<<20)
	for rows.Scan() {
		lines++
		if took == 0 && strings.Contains(rows.Text(), "order-") {
			took = time.Since(start)
			goOnOnce()
		}
	}
	if err := cmd.Wait(); err != nil || lines < manyCustomers*ordersEach {
		t.Fatalf("-o %s: %v, %d lines", format, err, lines)
	}
	return took
}
