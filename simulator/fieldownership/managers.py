"""Who owns what: the entries of `metadata.managedFields`, read, written, merged and bounded.

Source: apimachinery `util/managedfields/internal/{managedfields,capmanagers}.go`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from msgspec import Struct
from msgspec.structs import replace

from simulator.fieldownership.fieldset import FieldSet
from simulator.resources.meta import parse_timestamp

UPDATE_MANAGERS_MAX = 10  # the oldest ones beyond are merged
ANCIENT = "ancient-changes"
BEFORE_FIRST_APPLY = "before-first-apply"

Operation = Literal["Apply", "Update"]


class Manager(Struct, frozen=True, order=True):
    """Who writes how. Of what is applied there is one entry, whatever the version."""

    operation: Operation
    name: str
    api_version: str = ""  # of an Update
    subresource: str = ""

    def shown(self) -> str:
        """Return the manager as conflicts name it."""
        text = f'"{self.name}"'
        if self.subresource:
            text += f' with subresource "{self.subresource}"'
        return f"{text} using {self.api_version}" if self.operation == "Update" else text


class Owned(Struct, frozen=True):
    """What a manager owns, by the schema of a version, and when it last took anything."""

    fields: FieldSet
    api_version: str
    time: str | None = None


Owners = Mapping[Manager, Owned]


def read(entries: Sequence[Mapping[str, Any]]) -> Owners | None:
    """Return the owners that the entries name; None when one of them is malformed."""
    owners: dict[Manager, Owned] = {}
    for entry in entries:
        if not isinstance(entry, dict):
            return None
        operation, version = entry.get("operation"), entry.get("apiVersion")
        name, subresource = entry.get("manager", ""), entry.get("subresource", "")
        if operation not in ("Apply", "Update") or entry.get("fieldsType") != "FieldsV1":
            return None
        if not isinstance(version, str) or not version:
            return None
        if not isinstance(name, str) or not isinstance(subresource, str):
            return None
        time = entry.get("time")
        if time is not None and not _is_time(time):
            return None
        try:
            fields = FieldSet.from_fields_v1(entry.get("fieldsV1") or {})
        except ValueError:
            return None
        known_version = version if operation == "Update" else ""
        manager = Manager(operation, name, known_version, subresource)
        owners[manager] = Owned(fields, version, time)
    return owners


def is_reset(entries: Sequence[Mapping[str, Any]]) -> bool:
    """Tell whether a client asks to forget all owners: by one entry with nothing in it."""
    return len(entries) == 1 and entries[0] == {}


def write(owners: Owners) -> tuple[dict[str, Any], ...]:
    """Return the entries in their order: applied ones, then updates, each by time and name."""
    return tuple(_entry(manager, owners[manager]) for manager in sorted(owners, key=_by(owners)))


def without_times(entries: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the entries but for when; two writes that differ in nothing else are the same."""
    return [{name: entry[name] for name in entry if name != "time"} for entry in entries]


def capped(owners: Owners) -> Owners:
    """Return at most `UPDATE_MANAGERS_MAX` Update entries: the oldest of a version share one."""
    updates = [manager for manager in owners if manager.operation == "Update"]
    excess = len(updates) - UPDATE_MANAGERS_MAX
    if excess <= 0:
        return owners
    result = dict(owners)
    first_of: dict[str, Manager] = {}
    for manager in sorted(updates, key=_by(owners)):
        if excess <= 0:
            break
        version = owners[manager].api_version
        if version not in first_of:
            first_of[version] = manager
            continue
        bucket = Manager("Update", ANCIENT, version)
        if bucket not in result:
            result[bucket] = result.pop(first_of[version])
        old = result.pop(manager) if manager != bucket else result[bucket]
        both = result[bucket].fields | old.fields
        result[bucket] = replace(result[bucket], fields=both, time=old.time)
        excess -= 1
    return result


def _by(owners: Owners) -> Any:
    """Return the key that managers sort by."""

    def key(manager: Manager) -> tuple[str, float, str, str, str]:
        owned = owners[manager]
        moment = parse_timestamp(owned.time).timestamp() // 1 if owned.time else 0.0
        return (manager.operation, moment, manager.name, owned.api_version, manager.subresource)

    return key


def _entry(manager: Manager, owned: Owned) -> dict[str, Any]:
    entry: dict[str, Any] = {"manager": manager.name} if manager.name else {}
    entry |= {"operation": manager.operation, "apiVersion": owned.api_version}
    if owned.time is not None:
        entry["time"] = owned.time
    entry |= {"fieldsType": "FieldsV1", "fieldsV1": owned.fields.to_fields_v1()}
    if manager.subresource:
        entry["subresource"] = manager.subresource
    return entry


def _is_time(value: Any) -> bool:
    try:
        return parse_timestamp(value).tzinfo is not None
    except (TypeError, ValueError, AttributeError):
        return False
