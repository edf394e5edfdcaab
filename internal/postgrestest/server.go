package postgrestest

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// oldest is the oldest PostgreSQL that the tests run with, and the one preferred.
const oldest = 15

// keeper is a shell's program that runs another and ends it by a signal when standard input
// ends, as it does when the process that writes there is gone, however it went. Then it
// removes the folder. A line that comes before names another signal, after which the folder
// is kept.
//
// Descriptor 3 locks the folder and is not for the program. Standard output gets the
// program's number, and ends when the program and its children have ended.
const keeper = `
signal=$1 folder=$2 log=$3
shift 3
"$@" 3<&- 4>&1 >>"$log" 2>&1 </dev/null &
echo $!
exec >/dev/null
read -r other
kill -s "${other:-$signal}" $!
wait $!
[ -n "$other" ] || rm -rf "$folder"
exit 0`

// What the names of folders begin with, before and after they are locked.
const (
	freshPrefix  = "partnercenter-new-postgres-"
	folderPrefix = "partnercenter-postgres-"
)

// server is a server program with its folder.
type server struct {
	options  Options
	programs string   // the folder of PostgreSQL's programs
	folder   string   // belongs to the user whom the program runs as
	lock     *os.File // the folder, locked while this process or the keeper lives
	port     int

	mu      sync.Mutex // guards what follows
	process *process   // nil when it does not run
}

// process is a program that ends when this process does.
type process struct {
	pid      int
	keeper   *exec.Cmd
	lifeline io.WriteCloser // the keeper ends the program when this is closed
	gone     chan struct{}  // closed when the program and its children have ended
}

// newServer returns a server that has a folder and nothing in it.
func newServer(options Options) (*server, error) {
	programs, err := findPrograms()
	if err != nil {
		return nil, err
	}
	removeAbandoned(programs)
	folder, lock, err := newFolder()
	if err != nil {
		return nil, err
	}
	return &server{options: options, programs: programs, folder: folder, lock: lock}, nil
}

// findPrograms returns the folder of PostgreSQL's programs.
func findPrograms() (string, error) {
	// Debian has a folder for each version, and does not put them on the path.
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil {
		return "", err
	}
	version := func(path string) int {
		var n int
		_, _ = fmt.Sscanf(path, "/usr/lib/postgresql/%d/", &n)
		return n
	}
	found = slices.DeleteFunc(found, func(path string) bool { return version(path) < oldest })
	if len(found) > 0 {
		return filepath.Dir(slices.MinFunc(found, func(a, b string) int { return cmp.Compare(version(a), version(b)) })), nil
	}
	if out, err := exec.CommandContext(context.Background(), "pg_config", "--bindir").Output(); err == nil {
		if dir := strings.TrimSpace(string(out)); isFile(filepath.Join(dir, "initdb")) {
			return dir, nil
		}
	}
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path), nil
	}
	return "", fmt.Errorf("there is no PostgreSQL %d or later: run make setup, which installs what tests need, or name a server in PARTNERCENTER_TEST_POSTGRES", oldest)
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// newFolder returns a new folder that belongs to the user of servers, locked.
func newFolder() (string, *os.File, error) {
	fresh, err := os.MkdirTemp("", freshPrefix)
	if err != nil {
		return "", nil, err
	}
	lock, err := os.Open(fresh)
	if err == nil {
		err = errors.Join(tryLock(lock), giveToServer(fresh))
	}
	// Only now may others look whether it is abandoned.
	folder := filepath.Join(filepath.Dir(fresh), folderPrefix+strings.TrimPrefix(filepath.Base(fresh), freshPrefix))
	if err == nil {
		err = os.Rename(fresh, folder)
	}
	if err != nil {
		return "", nil, errors.Join(err, os.RemoveAll(fresh))
	}
	return folder, lock, nil
}

// removeAbandoned removes the folders of processes that were killed together with their
// keepers, and ends the servers there. What it may not remove is another user's.
func removeAbandoned(programs string) {
	folders, _ := filepath.Glob(filepath.Join(os.TempDir(), folderPrefix+"*"))
	for _, folder := range folders {
		lock, err := os.Open(folder)
		if err != nil {
			continue
		}
		if belongsToServer(lock) && tryLock(lock) == nil {
			s := &server{programs: programs, folder: folder, lock: lock}
			// After a restart of the machine, its number may be another's.
			out, _ := s.command("ps", "-ww", "-o", "args=", "-p", s.pidFile()[0]).Output()
			if strings.HasSuffix(strings.TrimSpace(string(out)), " -D "+s.data()) {
				_ = s.run("pg_ctl", "stop", "--silent", "-D", s.data(), "-m", "immediate")
			}
			_ = os.RemoveAll(folder)
		}
		_ = lock.Close()
	}
}

func (s *server) data() string    { return filepath.Join(s.folder, "data") }
func (s *server) log() string     { return filepath.Join(s.folder, "log") }
func (s *server) address() string { return loopback(s.port) }

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

func (s *server) url(role, password string) *url.URL {
	return &url.URL{Scheme: "postgres", User: url.UserPassword(role, password), Host: s.address(), Path: "/postgres", RawQuery: "sslmode=disable"}
}

// command returns a command that runs as the user of servers, in the folder, with nothing
// of what PostgreSQL's programs take from the environment.
func (s *server) command(name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(context.Background(), name, args...) //nolint:gosec // names are of this package
	cmd.Dir = s.folder
	cmd.Env = []string{"PATH=" + s.programs + string(filepath.ListSeparator) + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC", "HOME=" + s.folder}
	asServer(cmd)
	return cmd
}

// run runs one of PostgreSQL's programs.
func (s *server) run(name string, args ...string) error {
	out, err := s.command(filepath.Join(s.programs, name), args...).CombinedOutput()
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("%s: %w: the user that servers run as cannot enter %s; name another place in TMPDIR", name, err, s.folder)
	}
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", name, err, out)
	}
	return nil
}

// write writes a file in the folder of the cluster.
func (s *server) write(name, text string) error {
	path := filepath.Join(s.data(), name)
	return errors.Join(os.WriteFile(path, []byte(text), 0o600), giveToServer(path))
}

// initialize makes the files of a cluster.
func (s *server) initialize(password string) error {
	passwordFile := filepath.Join(s.folder, "password")
	if err := errors.Join(os.WriteFile(passwordFile, []byte(password), 0o600), giveToServer(passwordFile)); err != nil {
		return err
	}
	args := []string{
		"-D", s.data(), "--no-sync", "--no-instructions", "--username=" + superuser, "--pwfile=" + passwordFile, "--auth=scram-sha-256",
		// The databases of users sort as their languages do, seldom by bytes.
		"--encoding=UTF8", "--locale=C", "--locale-provider=icu", "--icu-locale=en-US",
	}
	if !s.options.Durable {
		args = append(args, "--wal-segsize=1") // a file of 16 MB takes long to write
	}
	return s.run("initdb", args...)
}

// configure writes the settings, with a port that is free.
func (s *server) configure() error {
	var err error
	if s.port, err = freePort(); err != nil {
		return err
	}
	settings := map[string]string{
		"listen_addresses":        "127.0.0.1",
		"port":                    strconv.Itoa(s.port),
		"unix_socket_directories": "",
		"max_connections":         "100",
		"shared_buffers":          "32MB",
		"jit":                     "off",
		// In the folder, where it is removed even when the server is killed.
		"dynamic_shared_memory_type": "mmap",
	}
	if !s.options.Durable {
		settings["fsync"] = "off"
		settings["full_page_writes"] = "off"
		settings["max_wal_size"] = "128MB"
	}
	maps.Copy(settings, s.options.Settings)
	var text strings.Builder
	for name, value := range settings {
		fmt.Fprintf(&text, "%s = '%s'\n", name, strings.ReplaceAll(value, "'", "''"))
	}
	return s.write("postgresql.conf", text.String())
}

// freePort returns a port that nothing listens on. It is below those that the system hands
// out, so that a server which is stopped finds its own free again.
func freePort() (int, error) {
	for range 100 {
		port := 10_000 + rand.IntN(22_000)
		listener, err := net.Listen("tcp", loopback(port)) //nolint:noctx // it does not wait
		if err == nil {
			return port, listener.Close()
		}
	}
	return 0, errors.New("none of a hundred ports is free")
}

// firstStart configures the server and starts it, with another port if somebody took the
// first in the meantime.
func (s *server) firstStart() error {
	var err error
	for range 3 {
		if err = s.configure(); err != nil {
			return err
		}
		if err = s.start(); err == nil {
			return nil
		}
	}
	return err
}

// start starts the server and returns when it takes connections.
func (s *server) start() error {
	return s.launch("QUIT", s.isReady, filepath.Join(s.programs, "postgres"), "-D", s.data())
}

// launch starts a program, to be ended by a signal, and returns when it is ready.
func (s *server) launch(signal string, isReady func(pid int) bool, name string, args ...string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, err := s.keep(signal, name, args...)
	if err != nil {
		return err
	}
	for deadline := time.Now().Add(patience); !isReady(p.pid); {
		select {
		case <-time.After(5 * time.Millisecond):
			if time.Now().Before(deadline) {
				continue
			}
		case <-p.gone:
		}
		return errors.Join(fmt.Errorf("%s does not start: %s", name, s.logged()), p.end("KILL"))
	}
	s.process = p
	return nil
}

// isReady reports whether a process says in its file that it takes connections.
func (s *server) isReady(pid int) bool {
	lines := s.pidFile()
	return len(lines) > 7 && lines[0] == strconv.Itoa(pid) && strings.TrimSpace(lines[7]) == "ready"
}

// pidFile returns the lines of postmaster.pid: process, folder, start, port, sockets'
// folder, address, shared memory, state.
func (s *server) pidFile() []string {
	text, _ := os.ReadFile(filepath.Join(s.data(), "postmaster.pid"))
	return strings.Split(string(text), "\n")
}

// logged returns the end of the log.
func (s *server) logged() string {
	text, _ := os.ReadFile(s.log())
	return string(text[max(0, len(text)-4096):])
}

// keep runs a program that is to end by a signal when this process ends.
func (s *server) keep(signal, name string, args ...string) (*process, error) {
	p := &process{
		keeper: s.command("sh", append([]string{"-c", keeper, "keeper", signal, s.folder, s.log(), name}, args...)...),
		gone:   make(chan struct{}),
	}
	p.keeper.ExtraFiles = []*os.File{s.lock}
	var err error
	if p.lifeline, err = p.keeper.StdinPipe(); err != nil {
		return nil, err
	}
	stdout, err := p.keeper.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.keeper.Start(); err != nil {
		return nil, err
	}
	lines := bufio.NewReader(stdout)
	if _, err := fmt.Fscanln(lines, &p.pid); err != nil {
		return nil, errors.Join(err, p.lifeline.Close(), p.keeper.Wait())
	}
	go func() {
		_, _ = io.Copy(io.Discard, lines)
		close(p.gone)
	}()
	return p, nil
}

// end ends the program by a signal, by the one that it was started with if none is given.
// Only then is the folder removed.
func (p *process) end(signal string) error {
	var err error
	if signal != "" {
		_, err = fmt.Fprintln(p.lifeline, signal)
	}
	err = errors.Join(err, p.lifeline.Close())
	select {
	case <-p.gone:
		return errors.Join(err, p.keeper.Wait())
	case <-time.After(patience):
		return errors.Join(err, fmt.Errorf("process %d does not end", p.pid))
	}
}

// stop ends the server by a signal and leaves its folder.
func (s *server) stop(signal string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process == nil {
		return nil
	}
	p := s.process
	s.process = nil
	return p.end(signal)
}

// close ends the server and removes it: the folder and, if it was killed, its shared memory.
func (s *server) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if lines := s.pidFile(); s.process == nil && len(lines) > 6 {
		if fields := strings.Fields(lines[6]); len(fields) == 2 {
			_ = s.command("ipcrm", "-m", fields[1]).Run() // it may be gone
		}
	}
	var err error
	if s.process != nil {
		err = s.process.end("")
		s.process = nil
	}
	return errors.Join(err, os.RemoveAll(s.folder), s.lock.Close())
}
