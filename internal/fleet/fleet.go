// Package fleet lets the project's own tests choose what the servers of package
// partnercentertest run on. Those of its users are single servers with databases in
// memory.
package fleet

// Database returns the address of a new database for Servers servers, and a
// function that removes it once they are closed. Nil means databases in memory.
var Database func() (address string, remove func() error, err error)

// Servers is how many servers run on a database, behind one address.
const Servers = 2
