// Package lifecycle decides what may happen next to an order, its lines and their
// subscriptions. Its functions are pure: they depend on the state, a command and the
// time. They read no clock and no database, and know nothing of HTTP.
//
// docs/lifecycle.md shows its tables.
package lifecycle

//go:generate go test -run ^TestDocs$ -update .
