//go:build unix

package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// Whichever file is the first that cannot be opened, the reason is told.
func TestNoDescriptors(t *testing.T) {
	const child = "PARTNERCENTER_TEST_DESCRIPTORS"
	if folder := os.Getenv(child); folder != "" {
		var limit syscall.Rlimit
		if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
			fmt.Println(err)
		}
		most := limit.Cur
		for more := uint64(0); more < 100; more++ {
			limit.Cur = most
			_ = syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit)
			f, err := os.Open(os.DevNull) // the next descriptor
			if err != nil {
				fmt.Println(err)
				break
			}
			next := uint64(f.Fd())
			f.Close()
			limit.Cur = next + more
			if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
				fmt.Println(err)
				break
			}
			s, err := Open(context.Background(), filepath.Join(folder, fmt.Sprint(more)), &Options{Readers: 1})
			if err == nil {
				s.Close()
				fmt.Println("opened")
				break
			}
			if !errors.Is(err, ErrNoDescriptors) {
				fmt.Printf("%d: %v\n", more, err)
			}
		}
		os.Exit(0)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestNoDescriptors$")
	cmd.Env = append(os.Environ(), child+"="+t.TempDir())
	out, err := cmd.CombinedOutput()
	if text := strings.TrimSpace(string(out)); err != nil || text != "opened" {
		t.Errorf("%v: %s", err, text)
	}
}
