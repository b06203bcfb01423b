"""Committed objects in memory, and the indexes that keep reads from scanning."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator, Mapping, Sequence

from simulator.resources.meta import Key, Resource
from simulator.resources.serving import LABEL_CONFIGURATION, LABEL_REVISION, LABEL_SERVICE

INDEXED_LABELS = (LABEL_SERVICE, LABEL_CONFIGURATION, LABEL_REVISION)

# ("namespace", its name), ("owner", uid), (label, value), (KIND, "NAMESPACE/NAME" referred to)
IndexKey = tuple[str, str]


class Bucket:
    """Some of a kind's objects. Their list is made once per change, when asked for.

    Their keys are kept in order: to sort thousands anew after each write would cost milliseconds.
    """

    __slots__ = ("_keys", "_sorted", "objects")

    def __init__(self) -> None:
        self.objects: dict[Key, Resource] = {}
        self._keys: list[Key] = []
        self._sorted: tuple[Resource, ...] | None = None

    def put(self, obj: Resource) -> None:
        key = obj.key
        if key not in self.objects:
            insort(self._keys, key)
        self.objects[key] = obj
        self._sorted = None

    def remove(self, key: Key) -> None:
        del self.objects[key]
        del self._keys[bisect_left(self._keys, key)]
        self._sorted = None

    def sorted(self) -> tuple[Resource, ...]:
        """Return the objects by (namespace, name)."""
        if self._sorted is None:
            self._sorted = tuple(map(self.objects.__getitem__, self._keys))
        return self._sorted


_NO_OBJECTS = Bucket()


class KindTable:
    """All objects of one kind, by key, namespace, owner's uid, Knative's labels and references."""

    def __init__(self) -> None:
        self._all = Bucket()
        self._by: dict[IndexKey, Bucket] = {}

    def __len__(self) -> int:
        return len(self._all.objects)

    def get(self, key: Key) -> Resource | None:
        return self._all.objects.get(key)

    def put(self, obj: Resource) -> None:
        """Add the object or replace the one of its key."""
        old = self._all.objects.get(obj.key)
        wanted = set(_index_keys(obj))
        if old is not None:
            for index_key in set(_index_keys(old)) - wanted:
                self._drop(index_key, obj.key)
        self._all.put(obj)
        for index_key in wanted:
            self._by.setdefault(index_key, Bucket()).put(obj)

    def remove(self, key: Key) -> None:
        """Forget the object, if it is there."""
        old = self._all.objects.get(key)
        if old is None:
            return
        for index_key in set(_index_keys(old)):
            self._drop(index_key, key)
        self._all.remove(key)

    def list(self, namespace: str | None, labels: Mapping[str, str]) -> Sequence[Resource]:
        """Return the objects by (namespace, name) that have all these labels."""
        buckets = [
            self._by.get((label, value), _NO_OBJECTS)
            for label, value in labels.items()
            if label in INDEXED_LABELS
        ]
        if namespace is not None:
            buckets.append(self._by.get(("namespace", namespace), _NO_OBJECTS))
        if not buckets:
            found = self._all.sorted()
        else:
            found = min(buckets, key=lambda bucket: len(bucket.objects)).sorted()
        if not labels and len(buckets) <= 1:
            return found
        return tuple(obj for obj in found if _matches(obj, namespace, labels))

    def owned_by(self, uid: str) -> Sequence[Resource]:
        """Return the objects by (namespace, name) that name `uid` among their owners."""
        return self._by.get(("owner", uid), _NO_OBJECTS).sorted()

    def naming(self, namespace: str, kind: str, name: str) -> Sequence[Resource]:
        """Return the objects by name that refer to this one of their namespace."""
        return self._by.get((kind, f"{namespace}/{name}"), _NO_OBJECTS).sorted()

    def _drop(self, index_key: IndexKey, key: Key) -> None:
        bucket = self._by[index_key]
        bucket.remove(key)
        if not bucket.objects:
            del self._by[index_key]


def _index_keys(obj: Resource) -> Iterator[IndexKey]:
    meta = obj.metadata
    yield "namespace", meta.namespace
    for reference in meta.owner_references:
        yield "owner", reference.uid
    for label in INDEXED_LABELS:
        if (value := meta.labels.get(label)) is not None:
            yield label, value
    for kind, name in obj.names():
        yield kind, f"{meta.namespace}/{name}"


def _matches(obj: Resource, namespace: str | None, labels: Mapping[str, str]) -> bool:
    meta = obj.metadata
    if namespace is not None and meta.namespace != namespace:
        return False
    return all(meta.labels.get(label) == value for label, value in labels.items())
