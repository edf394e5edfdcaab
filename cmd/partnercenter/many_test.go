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

// TestManyOrders lists 10,000 orders with the program as it is built for users, in every
// form: the first row comes at once where the form allows that, and none needs much
// memory.
func TestManyOrders(t *testing.T) {
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	for _, form := range []struct {
		name    string
		flags   []string
		scrolls bool
		most    int // MiB
	}{
		{"table", []string{"-o", "table"}, false, 64},
		{"wide", []string{"-o", "wide"}, false, 64},
		{"csv", []string{"-o", "csv"}, true, 64},
		{"excel", []string{"--excel"}, true, 64},
		{"json", []string{"-o", "json"}, false, 128},
		{"jsonl", []string{"-o", "jsonl"}, true, 64},
		{"yaml", []string{"-o", "yaml"}, true, 64},
		{"jq", []string{"--jq", ".[]"}, false, 128},
		{"template", []string{"--template", `{{range .}}{{println (json .)}}{{end}}`}, false, 128},
	} {
		t.Run(form.name, func(t *testing.T) {
			list := func(ctx context.Context, server *httptest.Server) *exec.Cmd {
				cmd := exec.CommandContext(ctx, path, append([]string{"orders", "list", "--all-customers", "--base-url", server.URL, "--tenant-id", stubTenant, "--client-id", stubClient}, form.flags...)...) //nolint:gosec // this program
				cmd.Env = append(os.Environ(), "PARTNERCENTER_CLIENT_SECRET="+stubSecret, "XDG_CONFIG_HOME="+t.TempDir(), "GOGC=")                                                                             // as users have it
				return cmd
			}
			// A busy machine gets more than one chance.
			var first time.Duration
			var used int
			for range 3 {
				if first, used = listMany(t, list, form.scrolls); !form.scrolls || first <= time.Second {
					break
				}
			}
			if form.scrolls && first > time.Second {
				t.Errorf("the first row takes %s", first)
			}
			if used > form.most<<10 {
				t.Errorf("it takes %d KiB, want at most %d MiB", used, form.most)
			}
			t.Logf("the first row takes %s, and all %d KiB", first.Round(time.Millisecond), used)
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

// listMany measures how long the first order takes, and the most memory. If the form
// scrolls, the orders of most customers are still to come.
func listMany(t *testing.T, list func(context.Context, *httptest.Server) *exec.Cmd, scrolls bool) (first time.Duration, kib int) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	goOn := make(chan struct{})
	goOnOnce := sync.OnceFunc(func() { close(goOn) })
	defer goOnOnce()
	if !scrolls {
		goOnOnce()
	}
	cmd := list(ctx, manyOrders(t, goOn))
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	// The rest does not fit into the pipe, so that the program is there to be looked at.
	// Its resource usage would include this test's memory.
	rows, orders := bufio.NewScanner(stdout), 0
	rows.Buffer(nil, 1<<20)
	for rows.Scan() {
		if !strings.Contains(rows.Text(), "order-") {
			continue
		}
		if orders++; orders == 1 {
			first = time.Since(start)
			goOnOnce()
		}
		if orders == manyCustomers*ordersEach*4/5 {
			kib = peakMemory(t, cmd.Process.Pid)
		}
	}
	if err := cmd.Wait(); err != nil || orders < manyCustomers*ordersEach || kib == 0 {
		t.Fatalf("%v: %d orders, %d KiB", err, orders, kib)
	}
	return first, kib
}
