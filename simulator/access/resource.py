"""Which resource of the API is meant, and where it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol
from urllib.parse import quote

Document = dict[str, Any]
Query = Mapping[str, str]


class ResourceInfo(Protocol):
    """Which resource of the API; `simulator.resources.scheme.KindInfo` is one."""

    @property
    def group(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def plural(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def namespaced(self) -> bool: ...


class Named(NamedTuple):
    """Which object of a kind."""

    namespace: str
    name: str


def resource_path(info: ResourceInfo, namespace: str | None, name: str | None = None) -> str:
    """Return the path of an object, or of a collection; None is all namespaces."""
    root = f"/apis/{info.group}/{info.version}" if info.group else f"/api/{info.version}"
    scope = f"/namespaces/{quote(namespace, safe='')}" if info.namespaced and namespace else ""
    return f"{root}{scope}/{info.plural}" + (f"/{quote(name, safe='')}" if name else "")
