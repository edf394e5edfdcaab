// Package chaos breaks what servers depend on while clients work, and checks that what the
// clients were told is true. It contains only tests; docs/chaos.md says what they do.
package chaos
