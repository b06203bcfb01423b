"""The two writes: an update takes what it changed, an apply owns what it says.

Source: structured-merge-diff `merge/update.go`; apimachinery `util/managedfields/internal`
(`managedfieldsupdater`, `skipnonapplied`, `stripmeta`, `fieldmanager`).
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from simulator.errors import Untyped
from simulator.fieldownership import managers
from simulator.fieldownership.checking import flaws, message_of
from simulator.fieldownership.comparing import compare
from simulator.fieldownership.conflicts import Conflicts, refusal
from simulator.fieldownership.elements import field
from simulator.fieldownership.fieldset import EMPTY, FieldSet
from simulator.fieldownership.lastapplied import KUBECTL, allowed_conflicts, with_last_applied
from simulator.fieldownership.managers import BEFORE_FIRST_APPLY, Manager, Owned, Owners
from simulator.fieldownership.merging import merged
from simulator.fieldownership.schema import MapType
from simulator.fieldownership.values import (
    ABSENT,
    fields_of,
    with_named_fields,
    without_fields,
)

Document = dict[str, Any]
Entries = tuple[dict[str, Any], ...]

_STATUS = field("status")
# Fields of every object that nobody owns: they say which object it is, or are the server's.
_UNOWNED = FieldSet.of(
    [
        (field("apiVersion"),),
        (field("kind"),),
        (field("metadata"),),
        *(
            (field("metadata"), field(name))
            for name in (
                "name",
                "namespace",
                "creationTimestamp",
                "selfLink",
                "uid",
                "clusterName",
                "generation",
                "managedFields",
                "resourceVersion",
            )
        ),
    ]
)


class Writer(Struct, frozen=True):
    """Who writes, when, in which version, and to which subresource ("" for the object)."""

    name: str
    api_version: str
    now: str
    subresource: str = ""

    def manager(self, operation: managers.Operation) -> Manager:
        version = self.api_version if operation == "Update" else ""
        return Manager(operation, self.name or "unknown", version, self.subresource)


def updated(
    old: Document, new: Document, entries: Entries, writer: Writer, type_: MapType
) -> Entries:
    """Return the entries after a write that is no apply; a new object's `old` has no metadata.

    `entries` are those the write starts from (`entries_of`). None at all, of an object that is
    there: nobody asked to follow its owners, or somebody asked to forget them.
    """
    owners = managers.read(entries) or {}
    if not owners and _is_stored(old):
        return ()
    return managers.write(managers.capped(_after_update(old, new, owners, writer, type_)))


def applied(
    live: Document, config: Document, writer: Writer, type_: MapType, *, force: bool
) -> tuple[Document, Entries]:
    """Return the document with the configuration applied, and its entries.

    Raise ApplyConflict when the configuration sets what others own otherwise and does not
    `force`; Untyped when it has what no schema declares.
    """
    if found := list(flaws(config, type_)):
        raise _untyped(config, message_of(found))
    owners = managers.read(_metadata(live).get("managedFields") or ()) or {}
    bare = _without_entries(live)
    if not owners:
        existing = replace(writer, name=BEFORE_FIRST_APPLY)
        empty: Document = {"apiVersion": live["apiVersion"], "kind": live["kind"]}
        owners = managers.capped(_after_update(empty, bare, owners, existing, type_))
    apply = _Apply(bare, config, owners, writer, type_)
    conflicts = {} if force else apply.conflicts()
    if conflicts and writer.name == KUBECTL:
        taken_over = allowed_conflicts(bare, type_)
        left = {manager: fields - taken_over for manager, fields in conflicts.items()}
        conflicts = {manager: fields for manager, fields in left.items() if fields}
    if conflicts:
        raise refusal(conflicts)
    result = apply.document
    if writer.name == KUBECTL:
        result = with_last_applied(result, config)
    return result, managers.write(apply.owners())


def entries_of(stored: Entries, given: Entries, *, is_subresource: bool) -> Entries:
    """Return the entries that a write starts from: the client's own, when it gives good ones."""
    if is_subresource:
        return stored
    if managers.is_reset(given):
        return ()
    return given if given and managers.read(given) else stored


class _Apply:
    """One apply: the merged document, and what it does to the owners."""

    def __init__(
        self, live: Document, config: Document, owners: Owners, writer: Writer, type_: MapType
    ) -> None:
        self._type = type_
        self._writer = writer
        self._manager = writer.manager("Apply")
        known = owners.get(self._manager)
        fields = _filtered(fields_of(config, type_), writer.subresource, type_)
        self._owned = Owned(fields, writer.api_version, known.time if known else None)
        self._owners = {**owners, self._manager: self._owned}
        result = merged(live, config, type_)
        if known is not None and known.fields:
            result = self._pruned(result, known.fields)
        self.document: Document = result
        self._is_same = result == live
        difference = compare(live, result, type_)
        self._written = _filtered(difference.written, writer.subresource, type_)
        self._removed = _filtered(difference.removed, writer.subresource, type_)

    def conflicts(self) -> Conflicts:
        """Return what other managers own and this apply changes."""
        found = {
            manager: owned.fields & self._written
            for manager, owned in self._owners.items()
            if manager != self._manager
        }
        return {manager: fields for manager, fields in found.items() if fields}

    def owners(self) -> Owners:
        """Return who owns what when this apply is stored; what it changes is its own alone."""
        after = _after_loss(self._owners, self._manager, self._written, self._removed)
        fields = self._owned.fields - _UNOWNED
        time = self._owned.time if self._is_same else self._writer.now
        after[self._manager] = replace(self._owned, fields=fields, time=time)
        if not fields:
            del after[self._manager]
        return after

    def _pruned(self, result: Document, last: FieldSet) -> Document:
        """Return the document without what this manager applied before, not now, and alone."""
        type_ = self._type
        last = with_named_fields(last, type_)
        everything = with_named_fields(fields_of(result, type_), type_)
        left = self._fields_without(result, last)
        owned = EMPTY
        for owner in self._owners.values():
            owned = owned | owner.fields
        # Others' fields come back, and so does what lies above them.
        kept = self._fields_without(result, everything - (left | with_named_fields(owned, type_)))
        # What went with a field above it, although this manager never owned it, does too.
        return self._without(result, (everything - kept) & last)

    def _fields_without(self, document: Document, gone: FieldSet) -> FieldSet:
        left = self._without(document, gone)
        return with_named_fields(fields_of(left, self._type), self._type)

    def _without(self, document: Document, gone: FieldSet) -> Document:
        left = without_fields(document, gone, self._type)
        return {} if left is ABSENT else left


def _after_update(
    old: Document, new: Document, owners: Owners, writer: Writer, type_: MapType
) -> Owners:
    difference = compare(_without_entries(old), _without_entries(new), type_)
    written = _filtered(difference.written, writer.subresource, type_)
    removed = _filtered(difference.removed, writer.subresource, type_)
    after = _after_loss(owners, None, written, removed)
    if taken := written - _UNOWNED:
        manager = writer.manager("Update")
        known = after.get(manager)
        fields = taken | known.fields if known else taken
        after[manager] = Owned(fields, writer.api_version, writer.now)
    return after


def _after_loss(
    owners: Owners, writing: Manager | None, written: FieldSet, removed: FieldSet
) -> dict[Manager, Owned]:
    """Return the owners without what another one has written, or taken away."""
    after: dict[Manager, Owned] = {}
    for manager, owned in owners.items():
        left = owned.fields
        if manager != writing:
            left = left - written - removed
        if left:
            after[manager] = replace(owned, fields=left)
    return after


def _filtered(fields: FieldSet, subresource: str, type_: MapType) -> FieldSet:
    """Return what a write to this subresource can own: the status belongs to its own path."""
    if subresource:
        return fields.only(field(subresource))
    if "status" in type_.fields:
        return fields.without(FieldSet(frozenset((_STATUS,))))
    return fields


def _is_stored(document: Document) -> bool:
    return bool(_metadata(document).get("uid"))


def _metadata(document: Document) -> Document:
    metadata = document.get("metadata")
    return metadata if isinstance(metadata, dict) else {}


def _without_entries(document: Document) -> Document:
    metadata = document.get("metadata")
    if not isinstance(metadata, dict) or "managedFields" not in metadata:
        return document
    kept = {key: value for key, value in metadata.items() if key != "managedFields"}
    return document | {"metadata": kept}


def _untyped(config: Document, why: str) -> Untyped:
    metadata = _metadata(config)
    place = f"{metadata.get('namespace', '')}/{metadata.get('name', '')}"
    version, kind = config.get("apiVersion", ""), config.get("kind", "")
    group_version = version if "/" in version else f"/{version}"
    shown = f"{place}; {group_version}, Kind={kind}"
    return Untyped(f"failed to create typed patch object ({shown}): {why}")
