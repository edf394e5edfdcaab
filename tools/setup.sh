#!/bin/sh
# Installs what the tests need in addition to Go: a C compiler to link the race
# detector; curl, Python, Node and the packages of examples/clients/node as unmodified
# clients; Chromium and axe-core for the sign-in pages; shells to complete in; groff and
# jq to read what the program writes; PostgreSQL, of which tests start their own servers.
# More programs can be named; "peers" is for what make bench-peers measures beside the server,
# and "ha" for all that make ha needs.
#
# What is installed is kept, in its version. Nothing is changed unless everything that
# is missing can be installed.
set -eu
cd "$(dirname "$0")/.."

# The oldest Node that the packages support, as in internal/installed. If the
# machine's is older, tools/node has npm's.
node_major=20
node_minor=18
# Servers are where only administrators look.
PATH="$PWD/tools/node/node_modules/.bin:$PATH:/usr/sbin"

fail() {
	echo "setup: $*" >&2
	exit 1
}

runs() {
	"$1" --version >/dev/null 2>&1
}

compiles() {
	# shellcheck disable=SC2086 # CC may have options
	echo '#include <stdlib.h>' | ${CC:-$("${GO:-go}" env CC)} -x c -c -o /dev/null - 2>/dev/null
}

# As internal/postgrestest looks for it.
has_postgres() {
	for initdb in /usr/lib/postgresql/1[5-9]/bin/initdb /usr/lib/postgresql/[2-9][0-9]/bin/initdb \
		"$(pg_config --bindir 2>/dev/null)/initdb"; do
		if [ -x "$initdb" ]; then
			return 0
		fi
	done
	runs initdb
}

# Packages start the services that they bring, unless the policy forbids it. What the
# machine has for a policy is put back in the end.
policy=/usr/sbin/policy-rc.d

forbid_services() {
	trap permit_services EXIT
	trap 'exit 1' HUP INT TERM
	if [ -e $policy ] || [ -L $policy ]; then
		$as_root mv $policy $policy.before-setup
	fi
	printf '#!/bin/sh\nexit 101\n' | $as_root tee $policy >/dev/null
	$as_root chmod 755 $policy
}

permit_services() {
	$as_root rm -f $policy
	if [ -e $policy.before-setup ] || [ -L $policy.before-setup ]; then
		$as_root mv $policy.before-setup $policy
	fi
}

node_is_new() {
	version=$(node --version 2>/dev/null) || return 1
	major=${version#v}
	minor=${major#*.}
	major=${major%%.*}
	minor=${minor%%.*}
	[ "$major" -gt "$node_major" ] || { [ "$major" -eq "$node_major" ] && [ "$minor" -ge "$node_minor" ]; }
}

# A copy of the lock file, written last, records which packages are installed.
is_filled() {
	cmp -s "$1/package-lock.json" "$1/node_modules/.setup-lock.json"
}

may_fill() {
	[ -w "$1" ] && { ! [ -e "$1/node_modules" ] || [ -w "$1/node_modules" ]; }
}

# What is missing: Debian packages, and folders for npm packages.
packages=
folders=
if ! compiles; then
	packages="$packages gcc libc6-dev"
fi
if ! runs curl; then
	packages="$packages curl ca-certificates"
fi
if ! runs python3; then
	packages="$packages python3"
fi
if ! runs chromium && ! runs chromium-browser && ! runs google-chrome; then
	packages="$packages chromium"
fi
peers=
if [ "${1:-}" = peers ]; then
	shift
	peers=tools/peers
	if ! nginx -v >/dev/null 2>&1; then
		packages="$packages nginx-light"
	fi
	if ! runs java; then
		packages="$packages default-jre-headless"
	fi
fi
if [ "${1:-}" = ha ]; then
	set -- etcd-server haproxy patroni pgbouncer
fi
for program in fish groff jq zsh "$@"; do
	# The package is called after the program but for a suffix. HAProxy has its own flag.
	if ! runs "${program%-server}" && ! { [ "$program" = haproxy ] && haproxy -v >/dev/null 2>&1; }; then
		packages="$packages $program"
	fi
done
if ! has_postgres; then
	packages="$packages postgresql-15"
fi
if ! node_is_new; then
	folders="$folders tools/node"
fi
for folder in examples/clients/node internal/issuer/browsertest/testdata $peers; do
	if ! is_filled "$folder"; then
		folders="$folders $folder"
	fi
done
if [ -n "$folders" ] && ! runs npm; then
	packages="$packages npm"
fi
if [ -z "$packages$folders" ]; then
	exit 0
fi

missing="${packages:+ the packages$packages}${folders:+${packages:+, and} npm's packages of$folders}"
for folder in $folders; do
	if ! may_fill "$folder"; then
		fail "the tests need$missing, and $(id -un) may not write to $folder"
	fi
done
if [ -n "$packages" ]; then
	as_root=
	if [ "$(id -u)" -ne 0 ]; then
		as_root="sudo -n"
	fi
	if ! command -v apt-get >/dev/null 2>&1; then
		fail "the tests need$missing: install the programs (CC names a C compiler other than gcc), then run this again"
	fi
	if ! $as_root true 2>/dev/null; then
		fail "the tests need$missing, and $(id -un) may not install without a password: run sudo -v first, or have somebody run apt-get install --no-install-recommends$packages"
	fi
fi

echo "setup: installing$missing"
if [ -n "$packages" ]; then
	$as_root apt-get update -qq
	# shellcheck disable=SC2086 # several words
	set -- install -qq -y --no-install-recommends --no-upgrade --no-remove $packages
	plan=$(apt-get -s "$@") || fail "apt-get cannot install$packages"
	# An upgrade's line has the version that is there in brackets.
	upgraded=$(echo "$plan" | awk '$1 == "Inst" && $3 ~ /^\[/ { printf " %s", $2 }')
	if [ -n "$upgraded" ]; then
		fail "to install$packages is to upgrade$upgraded, which is left to you: apt-get install --no-install-recommends$packages"
	fi
	# Without this, Debian makes a database cluster and starts it whenever the machine does.
	clusters=/etc/postgresql-common/createcluster.conf
	if ! [ -e $clusters ] && echo "$plan" | grep -q '^Inst postgresql-common '; then
		$as_root mkdir -p ${clusters%/*}
		echo 'create_main_cluster = false' | $as_root tee $clusters >/dev/null
	fi
	forbid_services
	$as_root env DEBIAN_FRONTEND=noninteractive apt-get "$@"
	permit_services
	trap - EXIT HUP INT TERM
	for service in etcd-server haproxy nginx patroni pgbouncer; do
		if echo "$plan" | grep -q "^Inst $service "; then
			$as_root update-rc.d "${service%-server}" disable
		fi
	done
fi
# Node comes first, as it runs npm for the others.
for folder in $folders; do
	(cd "$folder" && npm ci --no-audit --no-fund --no-update-notifier --loglevel=error)
	if [ "$folder" = tools/node ]; then
		mkdir -p "$folder/node_modules/.bin" # which npm 9 leaves empty
		(cd "$folder/node_modules/.bin" && ln -sf ../node-linux-*/bin/node node)
		runs "$folder/node_modules/.bin/node" || fail "npm has no Node for this machine: install Node $node_major.$node_minor or later"
	fi
	cp "$folder/package-lock.json" "$folder/node_modules/.setup-lock.json"
done
