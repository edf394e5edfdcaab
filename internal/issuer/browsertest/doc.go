// Package browsertest tests the pages of sign-in and consent in a real browser: that
// every path through them ends correctly, that the browser reports no problems, and
// that they are accessible. It contains only tests; those that need no browser are next
// to the code.
package browsertest
