#!/bin/sh
# Makes the files of one machine of the templates here and cluster.conf.
#
#   sh deploy/ha/configure.sh 1 /tmp/machine-1          # or 2, or 3
#   sh deploy/ha/configure.sh 1 /tmp/machine-1 my.conf
#
# docs/ha.md says where they go.
set -eu
umask 077

fail() {
	echo "configure: $*" >&2
	exit 1
}

[ $# -ge 2 ] || fail "usage: configure.sh MACHINE FOLDER [CONF]"
machine=$1
NODE=$machine
folder=$2
here=$(dirname "$0")
conf=${3:-$here/cluster.conf}
case $machine in
1 | 2 | 3) ;;
*) fail "there are machines 1, 2 and 3, and no $machine" ;;
esac
case $conf in
/*) ;;
*) conf=./$conf ;; # sh would look for it elsewhere
esac
# shellcheck source=/dev/null
. "$conf"

value() {
	eval "echo \"\${$1:-}\""
}

# Of each address, unless the file has others: the address, its host and its port.
for n in 1 2 3; do
	host=$(value HOST_$n)
	[ -n "$host" ] || fail "$conf has no HOST_$n"
	for default in POSTGRES=$host:5432 PATRONI=$host:8008 ETCD=$host:2379 PEER=$host:2380 API=$host:8080 OPS=$host:8083 FRONT=$host:8000 \
		PRIMARY=127.0.0.1:5000 REPLICA=127.0.0.1:5001 BOUNCER=127.0.0.1:6432; do
		name=${default%%=*}
		address=$(value "${name}_$n")
		address=${address:-${default#*=}}
		eval "${name}_$n=\$address ${name}_${n}_HOST=\${address%:*} ${name}_${n}_PORT=\${address##*:}"
		[ "$n" != "$machine" ] || eval "${name}=\$address ${name}_HOST=\${address%:*} ${name}_PORT=\${address##*:}"
	done
done
: "${PUBLIC_URL:=http://$FRONT}" "${FRONT_OPTIONS:=}"
# As Debian has them.
: "${DATA:=/var/lib/postgresql/15/partnercenter}" "${PROGRAMS:=/usr/lib/postgresql/15/bin}" "${SOCKETS=/var/run/postgresql}"
: "${PATRONI_FOLDER:=/etc/patroni}" "${PGPASS:=/var/lib/postgresql/.pgpass-patroni}" "${ETCD_DATA:=/var/lib/etcd/partnercenter}" "${BOUNCER_FOLDER:=/etc/pgbouncer}" "${HAPROXY_LOG:=/dev/log local0}"

for name in SUPERUSER_PASSWORD REPLICATION_PASSWORD OWNER_PASSWORD PATRONI_PASSWORD; do
	case $(value $name) in
	'') fail "$conf has no $name" ;;
	*[!A-Za-z0-9]*) fail "$name has other characters than letters and digits" ;;
	esac
done

mkdir -p "$folder"
for template in etcd.default patroni.yml database.sql haproxy.cfg pgbouncer.ini userlist.txt partnercenter.default; do
	script=
	for name in $(grep -o '@[A-Z][A-Z0-9_]*@' "$here/$template" | sort -u); do
		text=$(value "$(echo "$name" | tr -d @)" | sed 's/[\\&|]/\\&/g')
		script="$script;s|$name|$text|g"
	done
	sed "${script#;}" "$here/$template" >"$folder/$template"
done
cp "$here/run-patroni.py" "$here/patroni.service.conf" "$folder"
