package serve

import (
	"os"
	"runtime/debug"
)

// ballast is memory that counts in the pace of garbage collections and is never touched, so
// that the system has nothing to give for it.
var ballast []byte

// tuneMemory has garbage collected after some 16 MB of it, and a quarter of what the caches
// have. The server keeps little memory and allocates much, so that a share of what it keeps
// would be too little, or with full caches so much that most allocations get memory that was
// never used before: that costs a fault each page, and on some machines more than the request.
// For the same reason memory comes in huge pages. GOGC and GOMEMLIMIT take precedence.
func tuneMemory(cacheSize int64) {
	limit := cacheSize + besidesCache
	growInHugePages(limit)
	if os.Getenv("GOGC") == "" {
		ballast = make([]byte, 64<<20)
		debug.SetGCPercent(25)
		limit += int64(len(ballast))
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(limit)
	}
}
