"""One ConfigMap whose fields are followed, written as a server would write it."""

from __future__ import annotations

import copy
import json
from typing import Any

from simulator.fieldownership.schema import schema_of
from simulator.fieldownership.tracking import Writer, applied, updated
from simulator.resources.core import ConfigMap

Document = dict[str, Any]
TYPE = schema_of(ConfigMap)
EMPTY = {"apiVersion": "v1", "kind": "ConfigMap"}


def at(second: int) -> str:
    return f"2026-01-01T00:00:{second:02d}Z"


def document(**data: Any) -> Document:
    return {**EMPTY, "metadata": {"name": "c", "namespace": "n"}, "data": data}


class World:
    """One object, as a server would keep it."""

    def __init__(self) -> None:
        self.document: Document = dict(EMPTY)
        self.second = 0

    def writer(self, name: str, subresource: str = "") -> Writer:
        self.second += 1
        return Writer(name, "v1", at(self.second), subresource)

    def keep(self, result: Document, entries: tuple[dict[str, Any], ...]) -> None:
        """Store it as a server does: with a uid, without nulls."""
        result = json.loads(json.dumps(result))
        result["data"] = {k: v for k, v in (result.get("data") or {}).items() if v is not None}
        result["metadata"] |= {"uid": "u", "managedFields": list(entries)}
        self.document = result

    def update(self, name: str, new: Document) -> None:
        entries = tuple(self.document.get("metadata", {}).get("managedFields", ()))
        owned = updated(self.document, new, entries, self.writer(name), TYPE)
        uid = {"uid": "u"} if self.document != EMPTY else {}
        self.keep(new | {"metadata": new["metadata"] | uid}, owned)

    def apply(self, name: str, config: Document, *, force: bool = False) -> None:
        before = copy.deepcopy((self.document, config))
        self.keep(*applied(self.document, config, self.writer(name), TYPE, force=force))
        assert before[1] == config

    @property
    def data(self) -> dict[str, str]:
        data: dict[str, str] = self.document["data"]
        return data

    def owned(self) -> dict[tuple[str, str], list[str]]:
        """Return the keys of `data` by who owns them how."""
        return {
            (entry["manager"], entry["operation"]): sorted(
                key.removeprefix("f:") for key in entry["fieldsV1"].get("f:data", {}) if key != "."
            )
            for entry in self.document["metadata"].get("managedFields", [])
        }

    def times(self) -> dict[str, str | None]:
        entries = self.document["metadata"]["managedFields"]
        return {entry["manager"]: entry.get("time") for entry in entries}
