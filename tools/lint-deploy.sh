#!/bin/sh
# Checks the files for packages and deployments, each with its own tool. A tool that
# cannot be had here is named, and fails the check only with PARTNERCENTER_TESTS=all.
set -eu

go=${GO:-go}
validate=sigs.k8s.io/kubectl-validate@v0.0.4
compose=github.com/compose-spec/compose-go/v2/cmd@v2.16.2
goreleaser=github.com/goreleaser/goreleaser/v2@v2.14.0
dockerfile=dockerfile-utils@0.16.3

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failed=
missing=

# check runs a check, and shows what it says if it fails.
check() {
	name=$1
	shift
	if "$@" >"$dir/log" 2>&1; then
		echo "ok       $name"
	else
		echo "FAILED   $name"
		cat "$dir/log"
		failed=yes
	fi
}

# without says that a check needs a program that is missing.
without() {
	echo "MISSING  $1: it needs $2"
	missing=yes
}

# The unit, as if the program were installed.
unit() {
	sed "s,/usr/bin/partnercenter,$PWD/bin/partnercenter," deploy/partnercenter.service >"$dir/partnercenter.service"
	# It complains about others' units, too.
	systemd-analyze verify --man=no "$dir/partnercenter.service" >"$dir/verify" 2>&1 || true
	if grep -F "$dir/partnercenter.service" "$dir/verify" || grep '^partnercenter.service' "$dir/verify"; then
		return 1
	fi
}

if command -v systemd-analyze >/dev/null; then
	$go build -o bin/partnercenter ./cmd/partnercenter
	check "systemd unit" unit
	check "sandbox of the systemd unit" systemd-analyze security --offline=true --threshold=20 --no-pager deploy/partnercenter.service
else
	without "systemd unit" "systemd-analyze, of Debian's package systemd"
fi
check "Kubernetes manifests" "$go" run $validate --version 1.30 deploy/kubernetes
# This one takes no variables from the environment.
sed 's,${POSTGRES_PASSWORD:?[^}]*},x,' deploy/compose.yaml >"$dir/compose.yaml"
check "compose.yaml" "$go" run $compose "$dir/compose.yaml"
check ".goreleaser.yaml" "$go" run $goreleaser check
if command -v npx >/dev/null; then
	check "Dockerfile" npx --yes $dockerfile lint Dockerfile
else
	without "Dockerfile" "npx, of Debian's package npm"
fi
if command -v nginx >/dev/null; then
	# Names of other containers are not known here.
	sed 's,server-[12]:8080,127.0.0.1:8080,; s,^http {,pid /dev/null; error_log stderr; http { access_log off;,' deploy/nginx.conf >"$dir/nginx.conf"
	check "nginx.conf" nginx -t -q -c "$dir/nginx.conf"
else
	without "nginx.conf" "nginx, of Debian's package nginx-light"
fi

# The files of one machine, as if it were this one.
for name in SUPERUSER REPLICATION OWNER PATRONI; do
	echo "${name}_PASSWORD=x"
done >"$dir/cluster.conf"
cat >>"$dir/cluster.conf" <<END
HOST_1=127.83.0.1 HOST_2=127.83.0.2 HOST_3=127.83.0.3
ETCD_DATA=$dir/etcd PATRONI_FOLDER=$dir BOUNCER_FOLDER=$dir DATA=$dir/data PGPASS=$dir/pgpass
END
check "configure.sh" sh deploy/ha/configure.sh 1 "$dir/ha" "$dir/cluster.conf"
PATH=$PATH:/usr/sbin
if command -v haproxy >/dev/null; then
	check "haproxy.cfg" haproxy -q -c -f "$dir/ha/haproxy.cfg"
else
	without "haproxy.cfg" "haproxy, which make ha installs"
fi

# It is silent about what is right. What is to be reached or free, make ha looks at.
patroni_yml() {
	patroni --validate-config "$dir/ha/patroni.yml" >"$dir/patroni" 2>&1 || true
	! grep -v 'not reachable\|already in use' "$dir/patroni"
}

if command -v patroni >/dev/null; then
	check "patroni.yml" patroni_yml
else
	without "patroni.yml" "patroni, which make ha installs"
fi

[ -z "$failed" ] || exit 1
[ -z "$missing" ] || [ "${PARTNERCENTER_TESTS:-}" != all ]
