"""What every object carries: ObjectMeta, owner references, keys, timestamps and child names.

Sources: apimachinery `meta/v1/types.go`; Knative `pkg/kmeta/names.go` for `child_name`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, NamedTuple, Self, TypeVar

import msgspec
from msgspec import Struct, field

from simulator.resources.podparts import described_by

EMPTY: Mapping[str, str] = {}

FOREGROUND_FINALIZER = "foregroundDeletion"
ORPHAN_FINALIZER = "orphan"

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


# gc=False, here and in every part of an object: what is frozen and made of JSON has no cycles, so
# the collector need not look at it. With 100,000 revisions that halves its longest pause.
class OwnerReference(Struct, frozen=True, rename="camel", omit_defaults=True, gc=False):
    """The object that this one belongs to, and dies with."""

    api_version: str
    kind: str
    name: str
    uid: str
    controller: bool | None = None
    block_owner_deletion: bool | None = None


class ManagedFieldsEntry(Struct, frozen=True, rename="camel", gc=False):
    """The shape of an entry, which stays a document (`simulator/fieldownership`)."""

    manager: str = ""
    operation: str = ""
    api_version: str = ""
    time: str | None = None
    fields_type: str = ""
    fields_v1: dict[str, Any] = field(default_factory=dict, name="fieldsV1")
    subresource: str = ""


class ObjectMeta(Struct, frozen=True, rename="camel", omit_defaults=True, gc=False):
    """An object's identity, version and labels. Maps are never changed in place."""

    name: str = ""
    generate_name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    generation: int | None = None
    creation_timestamp: str | None = None
    deletion_timestamp: str | None = None
    deletion_grace_period_seconds: int | None = None
    labels: dict[str, str] = field(default_factory=dict)
    annotations: dict[str, str] = field(default_factory=dict)
    finalizers: tuple[str, ...] = ()
    owner_references: tuple[OwnerReference, ...] = ()
    managed_fields: tuple[Annotated[dict[str, Any], described_by(ManagedFieldsEntry)], ...] = ()


class Key(NamedTuple):
    """Where an object is, within its kind. A cluster-scoped object's namespace is ""."""

    namespace: str
    name: str


class Resource(Struct, frozen=True, rename="camel", omit_defaults=True, gc=False):
    """Base of every kind. `API_VERSION` and `KIND` are the kind's own."""

    API_VERSION: ClassVar[str] = ""
    KIND: ClassVar[str] = ""

    metadata: ObjectMeta = field(default_factory=ObjectMeta)

    @property
    def key(self) -> Key:
        return Key(self.metadata.namespace, self.metadata.name)

    @property
    def uid(self) -> str:
        return self.metadata.uid

    @property
    def is_deleting(self) -> bool:
        return self.metadata.deletion_timestamp is not None

    def names(self) -> Iterable[tuple[str, str]]:
        """Return (KIND, name) of what the object refers to by name, in its own namespace."""
        return ()

    def with_metadata(self, **changes: Any) -> Self:
        """Return a copy whose metadata has these fields replaced."""
        return msgspec.structs.replace(
            self, metadata=msgspec.structs.replace(self.metadata, **changes)
        )


R = TypeVar("R", bound=Resource)


def controller_reference(owner: Resource) -> OwnerReference:
    """Return the reference by which a child names the one controller it has."""
    return OwnerReference(
        api_version=owner.API_VERSION,
        kind=owner.KIND,
        name=owner.metadata.name,
        uid=owner.uid,
        controller=True,
        block_owner_deletion=True,
    )


def is_controlled_by(child: Resource, owner: Resource) -> bool:
    """Tell whether `owner` is the controller of `child`, by uid."""
    return any(
        reference.controller and reference.uid == owner.uid
        for reference in child.metadata.owner_references
    )


def timestamp(moment: datetime) -> str:
    """Return RFC 3339 in UTC at second precision, as Kubernetes stores times."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_timestamp(text: str) -> datetime:
    """Return the moment that `timestamp` wrote. Raise ValueError when it is none."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def child_name(parent: str, suffix: str) -> str:
    """Return `parent + suffix`, shortened by a hash to 63 characters (kmeta.ChildName)."""
    longest, head, digest_length = 63, 31, 32
    name = parent
    if len(parent) > longest - len(suffix):
        if len(suffix) >= head:
            digest = hashlib.md5((parent + suffix).encode(), usedforsecurity=False).hexdigest()
            name = parent[:head] + digest
            room = longest - len(name)
            name += suffix[:room]
            return name.rstrip("-.")
        digest = hashlib.md5(parent.encode(), usedforsecurity=False).hexdigest()
        name = parent[: longest - digest_length - len(suffix)] + digest
    return name + suffix
