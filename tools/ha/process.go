//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// unprivileged returns the user of all programs; nil is this process's own.
func unprivileged() (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	found, err := user.Lookup("postgres")
	if err != nil {
		return nil, fmt.Errorf("PostgreSQL does not run as root: %w", err)
	}
	uid, err := strconv.ParseUint(found.Uid, 10, 32)
	gid, err2 := strconv.ParseUint(found.Gid, 10, 32)
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, errors.Join(err, err2)
}

// starts runs functions in a thread that never ends: programs that it starts are ended when
// it does, with this process, however that ends.
var starts = sync.OnceValue(func() chan<- func() {
	queue := make(chan func())
	go func() {
		runtime.LockOSThread()
		for start := range queue {
			start()
		}
	}()
	return queue
})

// process is a program of the stack, which can be killed and started again.
type process struct {
	name string
	path string
	args []string
	env  []string
	s    *stack

	cmd  *exec.Cmd
	gone chan struct{}
}

// start starts the program. Its output goes to a file.
func (p *process) start() error {
	log, err := os.OpenFile(filepath.Join(p.s.folder, "log", p.name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := p.s.command(p.path, p.args...)
	cmd.Env = append(cmd.Env, p.env...)
	cmd.Stdout, cmd.Stderr = log, log
	started := make(chan error)
	starts() <- func() { started <- cmd.Start() }
	if err := <-started; err != nil {
		return fmt.Errorf("%s: %w", p.name, err)
	}
	p.cmd, p.gone = cmd, make(chan struct{})
	go func(gone chan struct{}) {
		_ = cmd.Wait()
		close(gone)
	}(p.gone)
	return nil
}

// command returns a command that runs as the user of the stack.
func (s *stack) command(path string, args ...string) *exec.Cmd {
	cmd := exec.Command(path, args...) //nolint:gosec,noctx // they are this package's, and ended by it
	cmd.Dir = s.folder
	cmd.Env = []string{"PATH=" + os.Getenv("PATH") + ":/usr/sbin", "HOME=" + s.folder, "LC_ALL=C.UTF-8", "TZ=UTC"}
	// Groups of their own, so that an interrupt at a terminal reaches this program alone.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM, Credential: s.owner}
	return cmd
}

func (p *process) runs() bool {
	if p.cmd == nil {
		return false
	}
	select {
	case <-p.gone:
		return false
	default:
		return true
	}
}

// signal sends a signal to the program alone.
func (p *process) signal(signal syscall.Signal) {
	if p.runs() {
		_ = p.cmd.Process.Signal(signal)
	}
}

// kill ends the program as a crash does.
func (p *process) kill() {
	p.signal(syscall.SIGKILL)
	if p.cmd != nil {
		<-p.gone
	}
}

// end asks the program to end, and kills it if it does not.
func (p *process) end() {
	if p.cmd == nil {
		return
	}
	p.signal(syscall.SIGCONT)
	p.signal(syscall.SIGTERM)
	select {
	case <-p.gone:
	case <-time.After(20 * time.Second):
		p.kill()
	}
}

// adopt has processes whose parents are gone become children of this one, and waits for
// those of PostgreSQL when they end: Patroni takes one that nobody waits for for a process
// that runs. The first process of a container may wait for none.
func adopt() error {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return err
	}
	go func() {
		for range time.Tick(100 * time.Millisecond) {
			for _, pid := range children(os.Getpid()) {
				_, _ = syscall.Wait4(pid, nil, syscall.WNOHANG, nil)
			}
		}
	}()
	return nil
}

// kill ends a process that is not of this package as a crash does, and returns when it is
// gone.
func kill(pid int) {
	if pid <= 1 || syscall.Kill(pid, syscall.SIGKILL) != nil {
		return
	}
	for range 500 {
		if syscall.Kill(pid, 0) != nil {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// children returns the processes of PostgreSQL that are children of another process.
func children(parent int) (found []int) {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		var pid, of int
		var state string
		if _, err := fmt.Sscanf(string(text), "%d (postgres) %s %d", &pid, &state, &of); err == nil && of == parent {
			found = append(found, pid)
		}
	}
	return found
}
