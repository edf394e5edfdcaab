// Package lifecycle decides what may happen next to an order, its lines and
// their subscriptions: pure functions of the state, a command and the time. It
// reads no clock, speaks to no database and knows nothing of HTTP.
//
// docs/lifecycle.md shows its tables.
package lifecycle

//go:generate go test -run ^TestDocs$ -update .
