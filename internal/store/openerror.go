package store

import (
	"errors"
	"fmt"
)

// The reasons of an [OpenError].
var (
	ErrNoFolder      = errors.New("its folder does not exist")
	ErrIsFolder      = errors.New("it is a folder")
	ErrNotFile       = errors.New("it is not a regular file")
	ErrBrokenLink    = errors.New("it is a link to a file that does not exist")
	ErrManyNames     = errors.New("it has more than one name")
	ErrNoDescriptors = errors.New("the process or the system has no more file descriptors")
	ErrNotWritable   = errors.New("it cannot be written")
	ErrLocked        = errors.New("it is in use by another server")
	ErrLeftovers     = errors.New("it belongs to a database that is not there or empty")
	ErrNotDatabase   = errors.New("it is not a SQLite database")
	ErrForeign       = errors.New("it is the SQLite database of another application")
	ErrNewer         = errors.New("it was written by a newer version of partnercenter")
	ErrCorrupt       = errors.New("it is damaged")
)

// The reasons of an [OpenError] about a database in PostgreSQL.
var (
	ErrAddress         = errors.New("its address cannot be used")
	ErrUnreachable     = errors.New("its server cannot be reached")
	ErrRefused         = errors.New("its server refuses the user")
	ErrNoDatabase      = errors.New("its server has no such database")
	ErrNoSchema        = errors.New("it has no schema that this user can use")
	ErrNotPermitted    = errors.New("this user may not do that")
	ErrOldServer       = errors.New("its server is too old")
	ErrReplica         = errors.New("it is read-only, as replicas are")
	ErrEncoding        = errors.New("its encoding is not UTF8")
	ErrNoReplica       = errors.New("it is not a replica")
	ErrManyConnections = errors.New("its server allows fewer connections")
	ErrForeignSchema   = errors.New("it has tables of another application")
	ErrPooled          = errors.New("it is reached through a pooler of connections")
	ErrOtherDatabase   = errors.New("it is another database")
	ErrNoTLS           = errors.New("its server refuses encrypted connections")
	ErrTLS             = errors.New("its server cannot be trusted")
)

// The reasons of an [OpenError], or at a server that runs of an [UnusableError], about data keys.
var (
	ErrSealed   = errors.New("its secrets are sealed, and there is no data key")
	ErrOtherKey = errors.New("its secrets are sealed with another data key")
)

// The reasons of an [OpenError] about a copy or a backup.
var (
	ErrCopying    = errors.New("a copy into it has not ended")
	ErrOtherCopy  = errors.New("a copy of another database into it has not ended")
	ErrCopyRuns   = errors.New("another copy from it or into it runs")
	ErrServersRun = errors.New("servers are connected to it")
	ErrNotEmpty   = errors.New("it is not empty")
	ErrNothing    = errors.New("there is none")
	ErrSame       = errors.New("it cannot be copied into itself")
	ErrOlder      = errors.New("its schema is older than this program")
	ErrOtherStep  = errors.New("its schema is at another step than the backup")
	ErrTemporary  = errors.New("it is a temporary one, which nobody finds again")
)

// OpenError says why a database cannot be opened and what to do about it. Match the
// reason with [errors.Is] and one of the Err variables.
type OpenError struct {
	Path   string
	Reason error  // ErrLocked, …
	PID    int    // the process that holds the lock, if known
	Next   string // what to do next
	Cause  error  // the system's error, if any
}

func (e *OpenError) Error() string {
	text := fmt.Sprintf("cannot open the database %s: %v", e.Path, e.Reason)
	if e.PID != 0 {
		text += fmt.Sprintf(" (process %d)", e.PID)
	}
	if e.Cause != nil {
		text += fmt.Sprintf(" (%v)", e.Cause)
	}
	return text + "; " + e.Next
}

func (e *OpenError) Unwrap() []error {
	if e.Cause == nil {
		return []error{e.Reason}
	}
	return []error{e.Reason, e.Cause}
}
