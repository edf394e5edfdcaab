#!/usr/bin/python3
"""Runs Patroni with two corrections of what 3.0 does with etcd3; later versions as they are.

Up to 3.0.2 a primary that was stopped for longer than its time and goes on, such as a
virtual machine that was suspended, takes the lock from the one that was elected meanwhile.
What that one had acknowledged is lost then (github.com/patroni/patroni/pull/2689).

Before 3.1 what is known of etcd may stay what it was, after a time without processor
(github.com/patroni/patroni/pull/2783).
"""
import sys

from patroni.__main__ import main
from patroni.dcs import etcd3
from patroni.version import __version__


def correct():
    update_leader = etcd3.Etcd3._update_leader
    plain_put = etcd3.PatroniEtcd3Client.put
    plain_txn = etcd3.PatroniEtcd3Client.txn

    def txn(self, compare, success, retry=None):
        done = plain_txn(self, compare, success, retry)
        if not done:  # it may be for what is known
            self._restart_watcher()
        return done

    def put(self, key, value, lease=None, create_revision=None, mod_revision=None, retry=None):
        if key != getattr(self, 'locked', None):
            return plain_put(self, key, value, lease, create_revision, mod_revision, retry)
        fields = {'key': etcd3.base64_encode(key), 'value': etcd3.base64_encode(value), 'lease': lease}
        ours = {'key': fields['key'], 'target': 'VALUE', 'value': fields['value']}
        nobodys = {'key': fields['key'], 'target': 'CREATE', 'create_revision': 0}
        self.kept = self.txn(ours, {'request_put': fields}, retry) or self.txn(nobodys, {'request_put': fields}, retry)
        return self.kept

    def keep_leader(self):
        self._client.locked, self._client.kept = self.leader_path, True
        try:
            return update_leader(self) and bool(self._client.kept)
        finally:
            self._client.locked = None

    etcd3.PatroniEtcd3Client.txn = txn
    etcd3.PatroniEtcd3Client.put = put
    etcd3.Etcd3._update_leader = keep_leader


if tuple(int(n) for n in __version__.split('.')[:2]) < (3, 1):
    correct()

if __name__ == '__main__':
    sys.exit(main())
