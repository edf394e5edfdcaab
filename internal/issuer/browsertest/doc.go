// Package browsertest tests the pages of sign-in and consent in a real browser:
// that every way through them ends where it should, that the browser finds
// nothing to complain about, and that everybody can use them. It has nothing but
// tests; what needs no browser is tested beside the code.
package browsertest
