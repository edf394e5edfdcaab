// Package published compares the project with what the vendor has published: the
// payloads, calls and codes in its documentation. They are not this project's, so they
// are not part of the repository. The tests read them from the folder that
// PARTNERCENTER_CONTRACT names and are skipped without it.
//
// Only what needs those files belongs here; all other tests use the payloads in
// internal/contract/testdata.
package published
