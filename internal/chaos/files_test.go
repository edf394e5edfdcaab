//go:build linux

package chaos

import (
	"bytes"
	crand "crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/partnercenter-go/partnercenter/internal/history"
)

// writeAhead is what a write-ahead log of SQLite has.
type writeAhead struct {
	salt [8]byte // of all its valid frames
	end  int64   // of them
}

// readLog reads a write-ahead log.
func readLog(t *testing.T, path string) (w writeAhead) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	const header, frame = 32, 24
	if len(data) < header {
		return w
	}
	page := int(binary.BigEndian.Uint32(data[8:]))
	w.salt, w.end = [8]byte(data[16:]), header
	for rest := data[header:]; len(rest) >= frame+page && [8]byte(rest[8:]) == w.salt; rest = rest[frame+page:] {
		w.end += int64(frame + page)
	}
	return w
}

// tear kills the server, and leaves of the write-ahead log what a crash of the machine may:
// all that was there when something was acknowledged, and of the rest any part. Of many
// changes it is not known then whether they had an effect, and so many in one history can
// hardly be put in order.
func tear(t *testing.T, w *world) {
	path, s := w.file+"-wal", w.servers[0]
	written := func() time.Time {
		info, err := os.Stat(w.file)
		if err != nil {
			t.Fatal(err)
		}
		return info.ModTime()
	}
	acknowledged := w.log.Now()
	before, file := readLog(t, path), written()
	time.Sleep(50 * time.Millisecond)
	s.kill()
	time.Sleep(100 * time.Millisecond) // clients note what they were told
	after := readLog(t, path)
	if before.salt != after.salt || after.end <= before.end || !file.Equal(written()) {
		return // it has begun anew: what is lost after that is not known
	}
	from := before.end + rand.Int64N(after.end-before.end)
	damage(t, path, from, after.end)
	if rand.IntN(2) == 0 {
		if err := os.Remove(w.file + "-shm"); err != nil {
			t.Error(err)
		}
	}
	w.log.Doubt(acknowledged)
}

// damage does something to a part of a file: it ends before, or has something else there, or
// nothing.
func damage(t *testing.T, path string, from, to int64) {
	t.Helper()
	junk := make([]byte, to-from)
	switch rand.IntN(3) {
	case 0:
		if err := os.Truncate(path, from); err != nil {
			t.Fatal(err)
		}
		return
	case 1:
		crand.Read(junk)
	}
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt(junk, from); err != nil {
		t.Fatal(err)
	}
}

// TestDamagedFile damages a database and starts a server on it. It says that it is damaged,
// or answers what it did before, or that it cannot. If it answers anything else, as where a
// customer is not found any more, the search for damage finds why, and it is not ready.
func TestDamagedFile(t *testing.T) {
	dir := t.TempDir()
	original := filepath.Join(dir, "original.db")
	s := newService(t, dir, original)
	log := history.New()
	work := s.begin(t, log)
	time.Sleep(500 * time.Millisecond)
	work.end()
	truth := map[string][]byte{}
	client := s.servers[0].client(history.New())
	for n := range customers {
		call, err := client.Do(t.Context(), history.Call{Kind: history.List, Customer: customerID(n)})
		if err != nil || call.Status != http.StatusOK {
			t.Fatal(err, call.Status)
		}
		truth[customerID(n)] = call.Body
	}
	s.servers[0].signal(syscall.SIGTERM)
	data, err := os.ReadFile(original)
	if err != nil {
		t.Fatal(err)
	}
	rounds := 6
	if *long {
		rounds = 200
	}
	refused, wrong := 0, 0
	for round := range rounds {
		path := filepath.Join(dir, fmt.Sprint(round, ".db"))
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		from := rand.Int64N(int64(len(data))) / 512 * 512
		to := min(from+512*(1+rand.Int64N(128)), int64(len(data)))
		damage(t, path, from, to)
		one := newServer(t, filepath.Join(dir, "s"+fmt.Sprint(round)), "--db", path, "--auth", "none")
		one.start(t)
		await(t, "up, or refused", func() bool { return !one.runs() || one.alive() })
		if !one.runs() {
			refused++
			if text := one.printed(); !strings.Contains(text, path) && !strings.Contains(text, "it is damaged") {
				t.Errorf("bytes %d to %d: it printed %s", from, to, text)
			}
			continue
		}
		client := &history.Client{Log: history.New(), HTTP: httpClient, Server: one.url(), Token: func() (string, error) { return "x", nil }}
		var other []string
		for customer, want := range truth {
			call, err := client.Do(t.Context(), history.Call{Kind: history.List, Customer: customer})
			if err != nil {
				t.Error(err)
			} else if call.Status < 500 && (call.Status != http.StatusOK || !bytes.Equal(call.Body, want)) {
				other = append(other, fmt.Sprintf("%d %.200s", call.Status, call.Body))
			}
		}
		if len(other) > 0 {
			wrong++
			for deadline := time.Now().Add(patience); one.ready(); time.Sleep(10 * time.Millisecond) {
				if time.Now().After(deadline) {
					t.Errorf("bytes %d to %d of %d are damaged, it is ready, and answers %q", from, to, len(data), other[0])
					break
				}
			}
			// Nothing that is in it is relied upon any more.
			for customer := range truth {
				call, err := client.Do(t.Context(), history.Call{Kind: history.List, Customer: customer})
				if err != nil || call.Status != http.StatusServiceUnavailable {
					t.Errorf("bytes %d to %d: once the damage is known, it answers %d, %v", from, to, call.Status, err)
				}
			}
		}
		one.kill()
		_ = os.Remove(path)
	}
	t.Logf("%d databases: %d refused, %d with answers that are not there until the damage is found", rounds, refused, wrong)
}
