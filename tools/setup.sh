#!/bin/sh
# Installs what the tests need besides Go: a C compiler, which the race detector
# is linked with; curl, Python, Node and the packages of examples/clients/node, which
# play clients that were never changed; Chromium and axe-core, in and with which
# the pages of sign-in are looked at. What is there already is left alone.
set -eu
cd "$(dirname "$0")/.."

# The oldest Node that the packages run on.
node_major=20

missing=
if ! command -v "$(go env CC)" >/dev/null 2>&1; then
	missing="$missing gcc libc6-dev"
fi
if ! command -v curl >/dev/null 2>&1; then
	missing="$missing curl ca-certificates"
fi
if ! command -v python3 >/dev/null 2>&1; then
	missing="$missing python3"
fi
if ! command -v node >/dev/null 2>&1; then
	missing="$missing nodejs"
fi
if ! command -v npm >/dev/null 2>&1; then
	missing="$missing npm"
fi
if ! command -v chromium >/dev/null 2>&1 && ! command -v chromium-browser >/dev/null 2>&1 && ! command -v google-chrome >/dev/null 2>&1; then
	missing="$missing chromium"
fi

if [ -n "$missing" ]; then
	if ! command -v apt-get >/dev/null 2>&1; then
		echo "setup: the tests need$missing: install them (a C compiler other than gcc is named by CC)" >&2
		exit 1
	fi
	as_root=
	if [ "$(id -u)" -ne 0 ]; then
		as_root=sudo
	fi
	$as_root apt-get update -qq
	# shellcheck disable=SC2086 # several words
	$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y $missing
fi

if [ "$(node -p 'process.versions.node.split(".")[0]')" -lt "$node_major" ]; then
	echo "setup: the tests need Node $node_major or later, and $(command -v node) is $(node --version): install a newer one" >&2
	exit 1
fi
# A copy of the lock file tells which packages are there.
for folder in examples/clients/node internal/issuer/browsertest/testdata; do
	if ! cmp -s "$folder/package-lock.json" "$folder/node_modules/.setup-lock.json"; then
		(cd "$folder" && npm ci --no-audit --no-fund --silent)
		cp "$folder/package-lock.json" "$folder/node_modules/.setup-lock.json"
	fi
done
