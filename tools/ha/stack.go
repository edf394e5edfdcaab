//go:build linux

package main

import (
	"bytes"
	"cmp"
	"context"
	cryptorand "crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// machines is how many machines there are; servers run on the first two.
const (
	machines = 3
	servers  = 2
)

// stack is all that deploy/ha describes.
type stack struct {
	folder    string
	owner     *syscall.Credential
	seed      *seedFile
	addresses map[string]string // of cluster.conf: POSTGRES_1 and so on
	password  string            // of Patroni's interface
	machines  [machines]*machine
	front     string // where clients come in, a URL

	token func() (string, error)
}

// machine has the programs of one machine.
type machine struct {
	n                                 int
	folder                            string
	etcd, patroni, haproxy, pgbouncer *process
	server                            *process // nil on the third
}

func (m *machine) name() string { return "node" + strconv.Itoa(m.n) }

// newStack makes the files, with data for a number of rounds.
func newStack(rounds int) (*stack, error) {
	if err := adopt(); err != nil {
		return nil, err
	}
	owner, err := unprivileged()
	if err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp("", "partnercenter-ha-")
	if err != nil {
		return nil, err
	}
	s := &stack{folder: folder, owner: owner, seed: newSeed(rounds), addresses: map[string]string{}, password: cryptorand.Text()}
	if err := s.prepare(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	return s, nil
}

func (s *stack) prepare() error {
	for _, name := range []string{"log", "bin"} {
		if err := os.Mkdir(filepath.Join(s.folder, name), 0o700); err != nil {
			return err
		}
	}
	program := filepath.Join(s.folder, "bin", "partnercenter")
	if out, err := exec.Command(cmp.Or(os.Getenv("GO"), "go"), "build", "-o", program, "./cmd/partnercenter").CombinedOutput(); err != nil { //nolint:gosec,noctx // it is make's, and ends
		return fmt.Errorf("building the program: %w\n%s", err, out)
	}
	if err := s.seed.write(filepath.Join(s.folder, "seed.json")); err != nil {
		return err
	}
	if err := s.writeConf(); err != nil {
		return err
	}
	for i := range s.machines {
		m := &machine{n: i + 1, folder: filepath.Join(s.folder, "node"+strconv.Itoa(i+1))}
		s.machines[i] = m
		if out, err := exec.Command("sh", "deploy/ha/configure.sh", strconv.Itoa(m.n), m.folder, filepath.Join(s.folder, "cluster.conf")).CombinedOutput(); err != nil { //nolint:gosec,noctx // as above
			return fmt.Errorf("configure.sh: %w\n%s", err, out)
		}
		if err := s.programs(m, program); err != nil {
			return err
		}
	}
	s.front = "http://" + s.addresses["FRONT_3"]
	if s.owner == nil {
		return nil
	}
	return filepath.WalkDir(s.folder, func(path string, _ os.DirEntry, err error) error {
		return errors.Join(err, os.Lchown(path, int(s.owner.Uid), int(s.owner.Gid))) //nolint:gosec // the folder is ours alone
	})
}

// writeConf writes a cluster.conf for three machines that are one.
func (s *stack) writeConf() error {
	var text strings.Builder
	for n := 1; n <= machines; n++ {
		host := "127.83.0." + strconv.Itoa(n) // Patroni wants addresses that others could reach
		fmt.Fprintf(&text, "HOST_%d=%s\n", n, host)
		for _, service := range []string{"POSTGRES", "PATRONI", "ETCD", "PEER", "API", "OPS", "FRONT", "PRIMARY", "REPLICA", "BOUNCER"} {
			name := service + "_" + strconv.Itoa(n)
			address, err := s.freeAddress(host)
			if err != nil {
				return err
			}
			s.addresses[name] = address
			fmt.Fprintf(&text, "%s=%s\n", name, s.addresses[name])
		}
	}
	for _, name := range []string{"SUPERUSER", "REPLICATION", "OWNER"} {
		fmt.Fprintf(&text, "%s_PASSWORD=%s\n", name, cryptorand.Text())
	}
	node := filepath.Join(s.folder, "node$NODE")
	fmt.Fprintf(&text, "PATRONI_PASSWORD=%s\nPUBLIC_URL=http://$FRONT_3\nDATA=%[2]s/data\nPGPASS=%[2]s/pgpass\nSOCKETS=%[2]s\n", s.password, node)
	fmt.Fprintf(&text, "ETCD_DATA=%[1]s/etcd\nPATRONI_FOLDER=%[1]s\nBOUNCER_FOLDER=%[1]s\nHAPROXY_LOG='stderr format raw local0'\n", node)
	return os.WriteFile(filepath.Join(s.folder, "cluster.conf"), []byte(text.String()), 0o600)
}

// freeAddress returns an address that nothing listens on, with a port below those that
// the system hands out.
func (s *stack) freeAddress(host string) (string, error) {
	for range 100 {
		address := net.JoinHostPort(host, strconv.Itoa(10_000+rand.IntN(22_000)))
		if listener, err := net.Listen("tcp", address); err == nil && !slices.Contains(slices.Collect(maps.Values(s.addresses)), address) { //nolint:noctx // it does not wait
			return address, listener.Close()
		}
	}
	return "", errors.New("none of a hundred ports is free")
}

// programs says how each program of a machine is started, as the units of Debian's packages
// do.
func (s *stack) programs(m *machine, partnercenter string) error {
	file := func(name string) string { return filepath.Join(m.folder, name) }
	process := func(name, path string, args ...string) *process {
		return &process{name: name + "-" + strconv.Itoa(m.n), path: path, args: args, s: s}
	}
	etcd, err := environment(file("etcd.default"))
	if err != nil {
		return err
	}
	m.etcd = process("etcd", "etcd")
	m.etcd.env = etcd
	m.patroni = process("patroni", "/usr/bin/python3", file("run-patroni.py"), file("patroni.yml"))
	m.haproxy = process("haproxy", "/usr/sbin/haproxy", "-db", "-f", file("haproxy.cfg"))
	m.pgbouncer = process("pgbouncer", "/usr/sbin/pgbouncer", file("pgbouncer.ini"))
	if m.n > servers {
		return nil
	}
	env, err := environment(file("partnercenter.default"))
	if err != nil {
		return err
	}
	m.server = process("partnercenter", partnercenter, "serve", "--quiet", "--control=", "--seed="+filepath.Join(s.folder, "seed.json"),
		"--ca-dir="+file("ca"), "--ready-file="+file("ready.json"))
	for _, line := range env {
		if flags, is := strings.CutPrefix(line, "PARTNERCENTER_SERVE="); is {
			m.server.args = append(m.server.args, strings.Fields(flags)...)
		} else {
			m.server.env = append(m.server.env, line)
		}
	}
	return nil
}

// environment reads a file of variables as systemd does.
func environment(path string) ([]string, error) {
	text, err := os.ReadFile(path)
	var lines []string
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		name, value, _ := strings.Cut(line, "=")
		lines = append(lines, name+"="+strings.Trim(value, `"`))
	}
	return lines, err
}

// start starts everything, in the order in which it needs each other.
func (s *stack) start(ctx context.Context) error {
	for _, m := range s.machines {
		if err := m.etcd.start(); err != nil {
			return err
		}
	}
	for _, m := range s.machines {
		if err := until(ctx, time.Minute, "etcd", func() error { return s.get("http://"+s.addresses["ETCD_"+strconv.Itoa(m.n)]+"/health", nil) }); err != nil {
			return err
		}
	}
	for _, m := range s.machines {
		// It wants addresses that it listens on to be free, and etcd to be there.
		if out, err := s.command("patroni", "--validate-config", filepath.Join(m.folder, "patroni.yml")).CombinedOutput(); err != nil || len(bytes.TrimSpace(out)) > 0 {
			return fmt.Errorf("patroni --validate-config: %v\n%s", err, out) //nolint:errorlint // it may be nil
		}
		if err := errors.Join(m.patroni.start(), m.haproxy.start(), m.pgbouncer.start()); err != nil {
			return err
		}
		// The first makes the database, the others copy it.
		if m.n == 1 {
			if err := until(ctx, 2*time.Minute, "the first PostgreSQL", func() error { return s.get("http://"+s.addresses["PATRONI_1"]+"/primary", nil) }); err != nil {
				return err
			}
		}
	}
	if err := s.whole(ctx); err != nil {
		return err
	}
	for _, m := range s.machines[:servers] {
		if err := s.startServer(ctx, m); err != nil {
			return err
		}
	}
	s.token = s.seed.signIn(s.front)
	return until(ctx, time.Minute, "signing in", func() error { _, err := s.token(); return err })
}

// startServer starts the server of a machine, again if it ends, as systemd does.
func (s *stack) startServer(ctx context.Context, m *machine) error {
	return until(ctx, 2*time.Minute, "server "+strconv.Itoa(m.n), func() error {
		if !m.server.runs() {
			if err := m.server.start(); err != nil {
				return err
			}
		}
		return s.ready(m)
	})
}

// ready reports whether the server of a machine serves requests.
func (s *stack) ready(m *machine) error {
	return s.get("http://"+s.addresses["OPS_"+strconv.Itoa(m.n)]+"/readyz", nil)
}

// whole waits until nothing is missing: a primary, the replica that commits wait for,
// and another one, all on one timeline.
func (s *stack) whole(ctx context.Context) error {
	return until(ctx, 3*time.Minute, "three machines with PostgreSQL", func() error {
		members, err := s.members()
		if err != nil {
			return err
		}
		roles := map[string]int{}
		timelines := map[int]bool{}
		for _, member := range members {
			if member.State != "running" && member.State != "streaming" {
				return fmt.Errorf("%s is %s", member.Name, member.State)
			}
			roles[member.Role]++
			timelines[member.Timeline] = true
		}
		if roles["leader"] != 1 || roles["sync_standby"] != 1 || roles["replica"] != machines-2 || len(timelines) > 1 {
			return fmt.Errorf("there are %v", members)
		}
		return nil
	})
}

// member is what Patroni says of a machine.
type member struct {
	Name, Role, State string
	Timeline          int
}

// members asks any Patroni for what is known of all.
func (s *stack) members() ([]member, error) {
	var cluster struct{ Members []member }
	err := errors.New("no Patroni answers")
	for _, m := range s.machines {
		if err = s.get("http://"+s.addresses["PATRONI_"+strconv.Itoa(m.n)]+"/cluster", &cluster); err == nil {
			break
		}
	}
	return cluster.Members, err
}

// has returns the machine that has a role.
func (s *stack) has(role string) (*machine, error) {
	members, err := s.members()
	for _, member := range members {
		for _, m := range s.machines {
			if member.Role == role && member.Name == m.name() {
				return m, nil
			}
		}
	}
	return nil, errors.Join(err, errors.New("there is no "+role))
}

// postmaster returns the process of a machine's PostgreSQL.
func (m *machine) postmaster() int {
	text, _ := os.ReadFile(filepath.Join(m.folder, "data", "postmaster.pid"))
	first, _, _ := strings.Cut(string(text), "\n")
	pid, _ := strconv.Atoi(first)
	return pid
}

// briefly is a client for what answers at once or does not work.
var briefly = &http.Client{Timeout: 3 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}

// get reads an address that must answer 200, into what is not nil.
func (s *stack) get(address string, into any) error {
	resp, err := briefly.Get(address) //nolint:noctx // it has a timeout
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	switch {
	case err != nil:
		return err
	case resp.StatusCode != http.StatusOK:
		return fmt.Errorf("%s: %s %s", address, resp.Status, bytes.TrimSpace(body))
	case into != nil:
		return json.Unmarshal(body, into)
	}
	return nil
}

// stop ends everything, those first that need the others.
func (s *stack) stop() {
	for _, m := range s.machines {
		for _, p := range []*process{m.server, m.pgbouncer, m.haproxy} {
			if p != nil {
				p.end()
			}
		}
	}
	for _, m := range s.machines {
		if pid := m.postmaster(); m.owns(pid) { // it may be stopped
			for _, stopped := range append(children(pid), pid) {
				_ = syscall.Kill(stopped, syscall.SIGCONT)
			}
		}
		m.patroni.signal(syscall.SIGCONT)
		m.patroni.signal(syscall.SIGTERM) // all at once: none is to take over
	}
	for _, m := range s.machines {
		m.patroni.end()
		if pid := m.postmaster(); m.owns(pid) { // Patroni was killed
			kill(pid)
		}
	}
	for _, m := range s.machines {
		m.etcd.end()
	}
}

// owns reports whether a process is the machine's PostgreSQL: after that has ended, its
// number may be another's.
func (m *machine) owns(pid int) bool {
	where, err := os.Readlink("/proc/" + strconv.Itoa(pid) + "/cwd")
	return err == nil && where == filepath.Join(m.folder, "data")
}
