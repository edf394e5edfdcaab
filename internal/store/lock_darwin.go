package store

// The numbers of F_OFD_SETLK and F_OFD_GETLK in Darwin's kernel, whose headers keep them
// to themselves.
const (
	setLock = 90
	getLock = 92
)
