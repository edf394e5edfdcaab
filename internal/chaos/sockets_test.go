//go:build linux

package chaos

import (
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// crowd is how many clients come at once.
func crowd() int {
	if *long {
		return 1000
	}
	return 200
}

// hold has clients connect, begin differently, and stay for a while.
func hold(t *testing.T, w *world, begin func(conn *net.TCPConn, n int)) {
	var conns []net.Conn
	defer func() {
		for _, conn := range conns {
			conn.Close()
		}
	}()
	for n := range crowd() {
		conn, err := net.Dial("tcp", w.any().address)
		if err != nil {
			t.Fatal(err)
		}
		conns = append(conns, conn)
		begin(conn.(*net.TCPConn), n)
	}
	time.Sleep(300 * time.Millisecond)
}

// requests returns requests that are not complete, and one that is.
func requests(t *testing.T, w *world) (begun []string, complete string) {
	token, err := w.servers[0].bearer()
	if err != nil {
		t.Fatal(err)
	}
	path := "/v1/customers/" + w.work.customers[0] + "/orders HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + token + "\r\n"
	return []string{
		"", "GET /v1", "GET /v1/customers HTTP/1.1\r\nHost: x\r\nX-Slow: ",
		"POST " + path + "Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{",
	}, "GET " + path + "\r\n"
}

// slow has clients that do not finish their requests, or do not read answers.
func slow(t *testing.T, w *world) {
	starts, complete := requests(t, w)
	starts = append(starts, strings.Repeat(complete, 10))
	hold(t, w, func(conn *net.TCPConn, n int) {
		_ = conn.SetReadBuffer(1 << 10)
		_, _ = io.WriteString(conn, starts[n%len(starts)])
	})
}

// halfClosed has clients that send no more, in the middle of a request or after it.
func halfClosed(t *testing.T, w *world) {
	starts, complete := requests(t, w)
	starts = append(starts, complete)
	hold(t, w, func(conn *net.TCPConn, n int) {
		_, _ = io.WriteString(conn, starts[n%len(starts)])
		_ = conn.CloseWrite()
	})
}

// flood connects again and again, and resets the connections.
func flood(_ *testing.T, w *world) {
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			for ended := time.Now().Add(300 * time.Millisecond); time.Now().Before(ended); {
				conn, err := net.Dial("tcp", w.any().address)
				if err != nil {
					continue // it is not the flood that is to be served
				}
				_, _ = io.WriteString(conn, "GET /v1/customers HTTP/1.1\r\n")
				_ = conn.(*net.TCPConn).SetLinger(0)
				conn.Close()
			}
		})
	}
	wait.Wait()
}
