#!/bin/sh
# Installs what the tests need besides Go: a C compiler, which the race detector
# is linked with.
set -eu

if command -v "$(go env CC)" >/dev/null 2>&1; then
	exit 0
fi
if ! command -v apt-get >/dev/null 2>&1; then
	echo "setup: the race detector needs a C compiler: install gcc, or clang and set CC" >&2
	exit 1
fi
as_root=
if [ "$(id -u)" -ne 0 ]; then
	as_root=sudo
fi
$as_root apt-get update -qq
$as_root apt-get install -qq -y gcc libc6-dev
