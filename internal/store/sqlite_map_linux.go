package store

import (
	"iter"
	"math"
	"os"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// fileMap maps a database file into memory once for all listReaders. SQLite would map it
// for each connection, and anew after each commit: every reader would fault every page
// in, again and again.
//
// Otherwise it is as SQLite's own mapping. Pages that are not mapped SQLite reads.
type fileMap struct {
	file  *os.File
	limit int64        // how much of the file may be mapped
	size  atomic.Int64 // of the file, as far as it is known

	mu       sync.Mutex // guards segments that are not mapped yet
	segments [256]segment

	stop    atomic.Bool    // ends readAhead
	ahead   sync.WaitGroup // readAhead
	touched byte           // what readAhead has read, which means nothing
	used    atomic.Bool    // by readers, since readAhead looked

	// The functions that SQLite calls, which has only their addresses.
	fetch   func(tls *libc.TLS, file uintptr, offset sqlite3.Tsqlite3_int64, n int32, to uintptr) int32
	unfetch func(tls *libc.TLS, file uintptr, offset sqlite3.Tsqlite3_int64, page uintptr) int32
}

// segment is a part of the file, mapped when it is needed first.
type segment struct {
	start  atomic.Uintptr // unmappable if that failed
	memory []byte
}

const (
	// segmentSize is a multiple of every page size, so that no page is in two segments.
	segmentSize = 1 << 30
	// overread is how far SQLite may read beyond a page of a damaged database.
	overread = 256
	// segmentOverlap has what is read beyond the last page of a segment.
	segmentOverlap = 1 << 16

	unmappable = math.MaxUint
)

// newFileMap returns a mapping of up to limit bytes, or nil for none.
func newFileMap(file *os.File, limit int64) *fileMap {
	if limit <= 0 {
		return nil
	}
	m := &fileMap{file: file, limit: limit}
	m.fetch = func(_ *libc.TLS, _ uintptr, offset sqlite3.Tsqlite3_int64, n int32, to uintptr) int32 {
		if !m.used.Load() { // reading alone leaves it in the caches of all processors
			m.used.Store(true)
		}
		*(*uintptr)(pointer(to)) = m.page(offset, int64(n))
		return sqlite3.SQLITE_OK
	}
	m.unfetch = func(_ *libc.TLS, _ uintptr, _ sqlite3.Tsqlite3_int64, page uintptr) int32 {
		if page == 0 { // the file may have another size
			m.size.Store(0)
		}
		return sqlite3.SQLITE_OK
	}
	m.ahead.Go(m.readAhead)
	return m
}

// use lets a connection, of which file is the open file, use the mapping. The table of
// functions goes where there is memory for it, which is C's.
func (m *fileMap) use(file, table uintptr) {
	if m == nil {
		return
	}
	f, methods := (*sqlite3.Tsqlite3_file)(pointer(file)), (*sqlite3.Tsqlite3_io_methods)(pointer(table))
	*methods = *(*sqlite3.Tsqlite3_io_methods)(pointer(f.FpMethods))
	methods.FxFetch = *(*uintptr)(unsafe.Pointer(&m.fetch))
	methods.FxUnfetch = *(*uintptr)(unsafe.Pointer(&m.unfetch))
	f.FpMethods = table
}

// page returns the address of a page, 0 if it is not mapped.
func (m *fileMap) page(offset, n int64) uintptr {
	end := offset + n
	if end > m.size.Load() {
		m.size.Store(m.fileSize())
	}
	if end+overread > min(m.size.Load(), m.limit) {
		return 0
	}
	i := offset / segmentSize
	if i >= int64(len(m.segments)) {
		return 0
	}
	start := m.segments[i].start.Load()
	if start == 0 {
		start = m.mapSegment(i)
	}
	if start == unmappable {
		return 0
	}
	return start + uintptr(offset%segmentSize)
}

func (m *fileMap) fileSize() int64 {
	info, err := m.file.Stat()
	if err != nil {
		return 0
	}
	return info.Size()
}

// mapSegment maps a segment, also the part of it that the file has not reached yet.
func (m *fileMap) mapSegment(i int64) uintptr {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := &m.segments[i]
	if start := s.start.Load(); start != 0 {
		return start
	}
	start := uintptr(unmappable)
	memory, err := unix.Mmap(int(m.file.Fd()), i*segmentSize, segmentSize+segmentOverlap, unix.PROT_READ, unix.MAP_SHARED)
	if err == nil {
		s.memory, start = memory, uintptr(unsafe.Pointer(&memory[0]))
	}
	s.start.Store(start)
	return start
}

// aheadSize is a size for which few system calls are needed, and none takes long.
const aheadSize = 4 << 20

// readAhead maps what the system has in memory of the file, in a quarter of the time that
// the faults of readers take. Nothing is read from the disk. Then it uses each page once, as
// some hypervisors map theirs only then, in no time that the system could see. That takes
// longer, so it leaves the processor to the readers most of the time, if there are any.
func (m *fileMap) readAhead() {
	m.eachResident(func(run []byte) bool {
		return unix.Madvise(run, unix.MADV_POPULATE_READ) == nil // or else Linux before 5.14
	})
	m.eachResident(func(run []byte) bool {
		m.used.Store(false)
		began := time.Now()
		for i := 0; i < len(run); i += os.Getpagesize() {
			m.touched ^= run[i]
		}
		if m.used.Load() {
			time.Sleep(9 * time.Since(began))
		}
		return true
	})
}

// eachResident calls do with what the system has in memory of the file, until it returns
// false.
func (m *fileMap) eachResident(do func(run []byte) bool) {
	resident := make([]byte, aheadSize/os.Getpagesize())
	for at, end := int64(0), min(m.fileSize(), m.limit); at+aheadSize <= end && !m.stop.Load(); at += aheadSize {
		start := m.page(at, aheadSize-overread)
		if start == 0 {
			return
		}
		_, _, errno := unix.Syscall(unix.SYS_MINCORE, start, aheadSize, uintptr(unsafe.Pointer(&resident[0])))
		if errno != 0 {
			return
		}
		part := memory(start, aheadSize)
		for from, to := range residentRuns(resident) {
			if !do(part[from*os.Getpagesize() : to*os.Getpagesize()]) {
				return
			}
		}
	}
}

// residentRuns returns where runs of pages begin and end that the system has in memory.
func residentRuns(pages []byte) iter.Seq2[int, int] {
	return func(yield func(int, int) bool) {
		from := 0
		for i := 0; i <= len(pages); i++ {
			if i < len(pages) && pages[i]&1 != 0 {
				continue
			}
			if from < i && !yield(from, i) {
				return
			}
			from = i + 1
		}
	}
}

// close unmaps the file. No connection may use it any more.
func (m *fileMap) close() error {
	if m == nil {
		return nil
	}
	m.stop.Store(true)
	m.ahead.Wait()
	var first error
	for i := range m.segments {
		if s := &m.segments[i]; s.memory != nil {
			if err := unix.Munmap(s.memory); err != nil && first == nil {
				first = err
			}
			s.memory = nil
		}
	}
	return first
}
