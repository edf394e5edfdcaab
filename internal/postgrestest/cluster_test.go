package postgrestest

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// do executes a statement.
func do(t *testing.T, url, statement string) {
	t.Helper()
	if err := try(t, url, statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

func try(t *testing.T, url, statement string) error {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		return err
	}
	defer conn.Close(context.Background())
	_, err = conn.Exec(t.Context(), statement)
	return err
}

// ask returns what a query gives.
func ask[T any](t *testing.T, url, query string, args ...any) T {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	var answer T
	if err := conn.QueryRow(t.Context(), query, args...).Scan(&answer); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return answer
}

// await waits until something is so.
func await(t *testing.T, what string, so func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !so(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("after %v: not %s", patience, what)
		}
	}
}

func TestNewDatabase(t *testing.T) {
	c := Start(t)
	var first string
	t.Run("use", func(t *testing.T) {
		first = c.NewDatabase(t)
		// One has not the table of the other.
		for _, url := range []string{first, c.NewDatabase(t)} {
			do(t, url, "CREATE TABLE orders (id text PRIMARY KEY)")
			if ask[bool](t, url, "SELECT usesuper FROM pg_user WHERE usename = current_user") && c.server != nil {
				t.Error("the owner may do anything, which hides what users need to allow")
			}
		}
	})
	var refused interface{ SQLState() string }
	if err := try(t, first, "SELECT 1"); !errors.As(err, &refused) || refused.SQLState() != "3D000" {
		t.Errorf("after its test, the database gives %v, want that it does not exist", err)
	}
}

// TestNamedServer makes databases on a server that is not of the package.
func TestNamedServer(t *testing.T) {
	for address, want := range map[string]string{
		Start(t).URL("postgres"):                     "",
		"host=localhost user=postgres":               "is not a URL such as postgres://",
		"postgres://nobody@127.0.0.1:1/postgres?a=b": "creating a database",
	} {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestNewDatabase$")
		cmd.Env = append(os.Environ(), "PARTNERCENTER_TEST_POSTGRES="+address)
		if out, err := cmd.CombinedOutput(); (err == nil) != (want == "") || !strings.Contains(string(out), want) {
			t.Errorf("%s: got %v and\n%s\nwant %q", address, err, out, want)
		}
	}
}

func TestRestart(t *testing.T) {
	c := Dedicated(t, Options{Settings: map[string]string{"max_connections": "17"}})
	url := c.NewDatabase(t)
	if got := ask[string](t, url, "SHOW max_connections"); got != "17" {
		t.Errorf("max_connections is %s, want 17", got)
	}
	do(t, url, "CREATE TABLE orders (id text PRIMARY KEY)")
	for name, stop := range map[string]func(testing.TB){"stopped": c.Stop, "killed": c.Kill} {
		stop(t)
		if try(t, url, "SELECT 1") == nil {
			t.Errorf("it answers though it is %s", name)
		}
		c.Restart(t)
		do(t, url, "INSERT INTO orders VALUES ('"+name+"')")
	}
	if n := ask[int](t, url, "SELECT count(*) FROM orders"); n != 2 {
		t.Errorf("%d rows are left of 2", n)
	}
	c.Demote(t)
	if try(t, url, "DELETE FROM orders") == nil {
		t.Error("it takes writes as a replica")
	}
	c.Kill(t) // and leave it for the end of the test
}

func TestDurable(t *testing.T) {
	c := Dedicated(t, Options{Durable: true})
	if got := ask[string](t, c.AdminURL("postgres"), "SHOW fsync"); got != "on" {
		t.Errorf("fsync is %s, want on", got)
	}
}

func TestReplica(t *testing.T) {
	primary := Dedicated(t, Options{})
	url := primary.NewDatabase(t)
	database := ask[string](t, url, "SELECT current_database()")
	do(t, url, "CREATE TABLE orders (id text PRIMARY KEY)")
	replica := primary.StartReplica(t)
	do(t, url, "INSERT INTO orders VALUES ('1')")
	caughtUp := func() bool {
		return ask[bool](t, replica.URL(database), "SELECT pg_last_wal_replay_lsn() >= $1::text::pg_lsn", ask[string](t, url, "SELECT pg_current_wal_lsn()::text"))
	}
	await(t, "caught up", caughtUp)
	replica.Stop(t)
	do(t, url, "INSERT INTO orders VALUES ('2')")
	replica.Restart(t)
	await(t, "caught up", caughtUp)
	if n := ask[int](t, replica.URL(database), "SELECT count(*) FROM orders"); n != 2 {
		t.Errorf("the replica has %d rows of 2", n)
	}
	if try(t, replica.URL(database), "DELETE FROM orders") == nil {
		t.Error("the replica takes writes")
	}
	primary.Kill(t)
	replica.Promote(t)
	do(t, replica.URL(database), "INSERT INTO orders VALUES ('3')")
}

func TestPgBouncer(t *testing.T) {
	direct := Start(t).NewDatabase(t)
	do(t, direct, "CREATE TABLE orders (id text PRIMARY KEY)")
	url := StartPgBouncer(t, direct)
	// As pgx does it by default, with a prepared statement, it does not work there.
	config, err := pgx.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	config.DefaultQueryExecMode = pgx.QueryExecModeExec
	conn, err := pgx.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	var n int
	if err := conn.QueryRow(t.Context(), "SELECT count(*) FROM orders WHERE id <> $1", "1").Scan(&n); err != nil {
		t.Error(err)
	}
}

// child is a test process with a server.
type child struct {
	Address, Folder string // of its server
	Server, Keeper  int    // processes

	cmd *exec.Cmd
	end func() error // lets it end
}

// TestChild is the other process in tests of several.
func TestChild(t *testing.T) {
	if os.Getenv("POSTGRESTEST_CHILD") == "" {
		return
	}
	c := Dedicated(t, Options{})
	json.NewEncoder(os.Stdout).Encode(child{
		Address: c.server.address(), Folder: c.server.folder, Server: c.server.process.pid, Keeper: c.server.process.keeper.Process.Pid,
	})
	bufio.NewReader(os.Stdin).ReadString('\n')
	if os.Getenv("POSTGRESTEST_CHILD") == "panics" {
		go panic("as at a timeout")
		select {}
	}
}

func newChild(t *testing.T, how string) *child {
	t.Helper()
	c := &child{cmd: exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestChild$")}
	c.cmd.Env = append(os.Environ(), "POSTGRESTEST_CHILD="+how)
	stdin, err := c.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if err := json.NewDecoder(stdout).Decode(c); err != nil {
		t.Fatal(err)
	}
	c.end = stdin.Close
	return c
}

// isGone reports whether nothing is left of the child's server.
func (c *child) isGone() bool {
	if conn, err := net.Dial("tcp", c.Address); err == nil {
		conn.Close()
		return false
	}
	_, err := os.Stat(c.Folder)
	return errors.Is(err, fs.ErrNotExist) && isDead(c.Server)
}

// isDead reports whether a process has ended, though its parent may not know yet.
func isDead(pid int) bool {
	out, err := exec.Command("ps", "-o", "stat=", "-p", strconv.Itoa(pid)).Output()
	return err != nil || strings.HasPrefix(string(out), "Z")
}

func TestNothingIsLeft(t *testing.T) {
	for _, how := range []string{"returns", "panics", "is killed"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			c := newChild(t, how)
			if c.isGone() {
				t.Fatal("the server is gone too early")
			}
			if how == "is killed" {
				c.cmd.Process.Kill()
			} else {
				c.end()
			}
			c.cmd.Wait()
			await(t, "gone", c.isGone)
		})
	}
}

// TestAbandoned kills a process together with the keeper of its server, as the end of a
// container does. The next one cleans up.
func TestAbandoned(t *testing.T) {
	c, other := newChild(t, "is killed"), newChild(t, "is killed")
	for _, pid := range []int{c.Keeper, c.cmd.Process.Pid} {
		if p, err := os.FindProcess(pid); err != nil || p.Kill() != nil {
			t.Fatalf("process %d is not to be killed", pid)
		}
	}
	c.cmd.Wait()
	await(t, "dead", func() bool { return isDead(c.Keeper) })
	if c.isGone() {
		t.Fatal("the server is gone, so the test tests nothing")
	}
	Dedicated(t, Options{})
	await(t, "gone", c.isGone)
	if other.isGone() {
		t.Error("the server of a process that runs is gone")
	}
	other.cmd.Process.Kill()
	other.cmd.Wait()
	await(t, "gone", other.isGone)
}
