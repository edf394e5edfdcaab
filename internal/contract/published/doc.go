// Package published holds the project against what the vendor has published:
// the payloads, calls and codes of the documentation. They are not ours, so they
// are no part of the repository. The tests read them in the folder that
// PARTNERCENTER_CONTRACT names and are skipped where it names none.
//
// Only what cannot be said without those files belongs here; tests of everything
// else run from the payloads in internal/contract/testdata.
package published
