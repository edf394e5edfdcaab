package postgrestest

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// StartPgBouncer starts a PgBouncer in transaction mode before a server, with the settings
// that Debian gives it, and returns the URL of the same database there. Without the program
// it skips the test; make soak installs it.
func StartPgBouncer(tb testing.TB, address string) string {
	tb.Helper()
	// Debian has it where only administrators look.
	program, err := exec.LookPath("pgbouncer")
	if err != nil {
		program, err = exec.LookPath("/usr/sbin/pgbouncer")
	}
	if err != nil {
		tb.Skip("there is no pgbouncer, which make soak installs")
	}
	u, err := url.Parse(address)
	if err != nil {
		tb.Fatal(err)
	}
	folder, lock, err := newFolder()
	if err != nil {
		tb.Fatal(err)
	}
	s := &server{folder: folder, lock: lock}
	tb.Cleanup(func() {
		if err := s.close(); err != nil {
			tb.Errorf("removing a PgBouncer: %v", err)
		}
	})
	for range 3 {
		if err = s.bounce(program, u); err == nil {
			break
		}
	}
	if err != nil {
		tb.Fatal(err)
	}
	bounced := *u
	bounced.Host = s.address()
	return bounced.String()
}

// bounce starts a PgBouncer.
func (s *server) bounce(program string, u *url.URL) error {
	var err error
	if s.port, err = freePort(); err != nil {
		return err
	}
	password, _ := u.User.Password()
	files := map[string]string{
		"users": fmt.Sprintf("%q %q\n", u.User.Username(), password),
		"pgbouncer.ini": fmt.Sprintf(`[databases]
* = host=%s port=%s

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %d
unix_socket_dir =
auth_type = scram-sha-256
auth_file = %s
pool_mode = transaction
max_client_conn = 1000
`, u.Hostname(), u.Port(), s.port, filepath.Join(s.folder, "users")),
	}
	for name, text := range files {
		path := filepath.Join(s.folder, name)
		if err := errors.Join(os.WriteFile(path, []byte(text), 0o600), giveToServer(path)); err != nil {
			return err
		}
	}
	isReady := func(int) bool {
		conn, err := net.Dial("tcp", s.address()) //nolint:noctx // it does not wait
		return err == nil && conn.Close() == nil
	}
	return s.launch("TERM", isReady, program, filepath.Join(s.folder, "pgbouncer.ini"))
}
