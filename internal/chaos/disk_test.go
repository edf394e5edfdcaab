//go:build linux

package chaos

import (
	"bytes"
	"errors"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/partnercenter-go/partnercenter/internal/history"
	"github.com/partnercenter-go/partnercenter/internal/postgrestest"
)

// inside is set where a test runs that may mount what nobody else sees. It has the program.
const inside = "PARTNERCENTER_TEST_MOUNTS"

// mounting runs a test again in another process, which may mount. It reports whether this is
// that process.
func mounting(t *testing.T) bool {
	t.Helper()
	if os.Getenv(inside) != "" {
		return true
	}
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"-test.v", "-test.run=^" + t.Name() + "$"}
	if *long {
		args = append(args, "-long")
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...) //nolint:gosec // this program
	cmd.Env = append(os.Environ(), inside+"="+path)
	attr := &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
	if uid, gid := os.Getuid(), os.Getgid(); uid != 0 {
		// As the same user, PostgreSQL runs; with one capability, it can be mounted.
		const sysAdmin = 21
		attr.Cloneflags = syscall.CLONE_NEWUSER
		attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: uid, HostID: uid, Size: 1}}
		attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: gid, HostID: gid, Size: 1}}
		attr.AmbientCaps = []uintptr{sysAdmin}
	}
	cmd.SysProcAttr = attr
	out, err := cmd.CombinedOutput()
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOSPC) { // as it is said where there may be no namespaces
		t.Skipf("this system has nobody mount a disk of their own: %v", err)
	}
	t.Logf("%s", bytes.TrimSpace(out))
	if err != nil {
		t.Error(err)
	}
	return false
}

// smallDisk mounts a disk of so many MiB, which can be full.
func smallDisk(t *testing.T, size string) (dir string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "partnercenter-chaos-disk-") // where PostgreSQL's user comes in
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("chaos", dir, "tmpfs", 0, "mode=1777,size="+size); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(syscall.Unmount(dir, 0), os.Remove(dir)); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// fill fills a disk.
func fill(t *testing.T, dir string) (filler string) {
	t.Helper()
	filler = filepath.Join(dir, "filler")
	f, err := os.Create(filler)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for {
		if _, err := f.Write(make([]byte, 64<<10)); errors.Is(err, syscall.ENOSPC) {
			return filler
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

// full fills the disk until a write is refused, and makes room again.
func full(t *testing.T, w *world) {
	filler := fill(t, w.disk)
	client := w.any().client(w.log)
	await(t, "refused", func() bool {
		call, _ := client.Do(t.Context(), w.work.order(w.work.customers[1]))
		return call.Status == http.StatusServiceUnavailable
	})
	if w.file != "" {
		if call, err := client.Do(t.Context(), history.Call{Kind: history.List, Customer: w.work.customers[1]}); err != nil || call.Status != http.StatusOK {
			t.Errorf("a list is not answered while the disk is full: %v %d", err, call.Status)
		}
	}
	time.Sleep(200 * time.Millisecond)
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
}

// readOnly kills the server and starts it while the disk takes no writes. It does not start,
// and says why. Nobody can take writes from a disk that has open files.
func readOnly(t *testing.T, w *world) {
	remount := func(flags uintptr) {
		t.Helper()
		if err := syscall.Mount("chaos", w.disk, "tmpfs", syscall.MS_REMOUNT|flags, "mode=1777"); err != nil {
			t.Fatal(err)
		}
	}
	s := w.servers[0]
	s.kill()
	remount(syscall.MS_RDONLY)
	defer remount(0)
	s.start(t)
	if text := s.printed(); !strings.Contains(text, w.file) || !strings.Contains(text, "read-only") {
		t.Errorf("it printed %s", text)
	}
	s.kill()
}

func TestDiskOfFile(t *testing.T) {
	if !mounting(t) {
		return
	}
	w := &world{disk: smallDisk(t, "256m")}
	w.file = filepath.Join(w.disk, "chaos.db")
	w.service = newService(t, t.TempDir(), w.file)
	w.suffer(t, []fault{
		{name: "the disk is full", short: 1, long: 20, strike: full},
		{name: "the disk is read-only", short: 1, long: 20, strike: readOnly},
	})
}

func TestDiskOfPostgres(t *testing.T) {
	if !mounting(t) {
		return
	}
	w := &world{disk: smallDisk(t, "160m")}
	t.Setenv("TMPDIR", w.disk)
	w.cluster = postgrestest.Dedicated(t, postgrestest.Options{})
	w.service = newService(t, t.TempDir(), w.cluster.NewDatabase(t)+"&pool_max_conns=8")
	address, err := url.Parse(w.cluster.URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	w.suffer(t, []fault{{name: "the disk is full", short: 1, long: 20, strike: func(t *testing.T, w *world) {
		full(t, w)
		// PostgreSQL ends where it cannot write its log.
		for range 20 {
			if conn, err := net.Dial("tcp", address.Host); err == nil {
				conn.Close()
				return
			}
			time.Sleep(50 * time.Millisecond)
		}
		w.cluster.Restart(t)
	}}})
}
