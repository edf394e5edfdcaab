#!/bin/sh
# Runs every fuzz target of the module for FUZZTIME, one after another.
set -eu

for dir in $(go list -f '{{.Dir}}' ./...); do
	for target in $(grep -hoE '^func Fuzz[A-Za-z0-9_]+' "$dir"/*_test.go 2>/dev/null | sed 's/^func //'); do
		echo "== $target ($dir)"
		# Minimizing a long input may take the whole time otherwise.
		go test -run '^$' -fuzz "^$target\$" -fuzztime "${FUZZTIME:-1m}" -fuzzminimizetime 10x "$dir"
	done
done
