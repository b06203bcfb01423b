"""What is known of revisions and of their replicas, as rows of the gateway's table."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from gateway.contract import Backend
from simulator.resources.core import Pod
from simulator.resources.serving import LABEL_REVISION_UID, Revision
from simulator.traffic.rows import backend_key, backend_of, is_served_by, ready_address


class _Revision(Struct, frozen=True):
    uid: str
    row: Backend


class _Replica(Struct, frozen=True):
    """A Pod that takes requests, and the uid of the revision that it was made for."""

    address: str
    revision_uid: str


class Backends:
    """Takes Revisions and Pods; each change returns the backend whose row may differ, or None."""

    def __init__(self) -> None:
        self._revisions: dict[str, _Revision] = {}  # by backend
        self._replicas: dict[str, dict[str, _Replica]] = {}  # by backend, then by pod

    def put_revision(self, revision: Revision) -> str | None:
        known = _Revision(revision.uid, backend_of(revision))
        key = known.row.key
        if self._revisions.get(key) == known:
            return None
        self._revisions[key] = known
        return key

    def drop_revision(self, revision: Revision) -> str | None:
        key = backend_key(*revision.key)
        return key if self._revisions.pop(key, None) is not None else None

    def put_pod(self, pod: Pod) -> str | None:
        """Take a new or changed replica; one that is being deleted gets no more requests."""
        return self._set_address(pod, ready_address(pod))

    def drop_pod(self, pod: Pod) -> str | None:
        return self._set_address(pod, None)

    def _set_address(self, pod: Pod, address: str | None) -> str | None:
        key, name = is_served_by(pod), pod.metadata.name
        if key is None:
            return None
        uid = pod.metadata.labels.get(LABEL_REVISION_UID, "")
        replica = None if address is None else _Replica(address, uid)
        known = self._replicas.get(key, {})
        if known.get(name) == replica:
            return None
        others = {pod_: at for pod_, at in known.items() if pod_ != name}
        if replica is not None:
            others[name] = replica
        if others:
            self._replicas[key] = others
        else:
            del self._replicas[key]
        return key

    def ready_addresses(self, key: str) -> tuple[str, ...]:
        """Return where the revision takes requests.

        What is left of an earlier revision of its name has another uid, and gets none.
        """
        revision = self._revisions.get(key)
        return tuple(
            sorted(
                replica.address
                for replica in self._replicas.get(key, {}).values()
                if revision is None or replica.revision_uid in ("", revision.uid)
            )
        )

    def row(self, key: str) -> Backend:
        """Return the row of a revision; one that nothing is known of has the stock values."""
        addresses = self.ready_addresses(key)
        revision = self._revisions.get(key)
        if revision is None:
            return Backend(key, addresses)
        return msgspec.structs.replace(revision.row, addresses=addresses)
