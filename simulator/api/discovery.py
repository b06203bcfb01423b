"""What clients ask first: versions, groups and their resources. Pure.

Source: apimachinery `meta/v1/types.go` (APIVersions, APIGroupList, APIResourceList),
`version/types.go`. The Python client's models require every field of the version.
"""

from __future__ import annotations

import platform
from collections.abc import Sequence
from typing import Any

from simulator.api.paths import subresources_of, verbs_of
from simulator.resources.scheme import KINDS, KindInfo

# The API server whose behaviour is followed; kubectl supports one minor version either side.
KUBERNETES_MAJOR, KUBERNETES_MINOR, KUBERNETES_PATCH = "1", "33", "0"


def discovery_document(path: str, knary_version: str, address: str) -> dict[str, Any] | None:
    """Return what a discovery path answers, or None. `address` is the API's own HOST:PORT."""
    match path.strip("/").split("/"):
        case ["version"]:
            return _version(knary_version)
        case ["api"]:
            return _core_versions(address)
        case ["apis"]:
            groups = [_group(name) for name in _group_names()]
            return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}
        case ["api", version]:
            return _resources("", version)
        case ["apis", group] if group in _group_names():
            return {"kind": "APIGroup", "apiVersion": "v1", **_group(group)}
        case ["apis", group, version] if group:
            return _resources(group, version)
        case _:
            return None


def _version(knary_version: str) -> dict[str, Any]:
    text = f"v{KUBERNETES_MAJOR}.{KUBERNETES_MINOR}.{KUBERNETES_PATCH}+knary.{knary_version}"
    return {
        "major": KUBERNETES_MAJOR,
        "minor": KUBERNETES_MINOR,
        "gitVersion": text,
        "gitCommit": "",
        "gitTreeState": "clean",
        "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": "none",
        "compiler": "python",
        "platform": f"{platform.system().lower()}/{platform.machine()}",
    }


def _core_versions(address: str) -> dict[str, Any]:
    return {
        "kind": "APIVersions",
        "versions": ["v1"],
        "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": address}],
    }


def _group_names() -> list[str]:
    return list(dict.fromkeys(info.group for info in KINDS if info.group))


def _group(name: str) -> dict[str, Any]:
    found = dict.fromkeys(info.version for info in KINDS if info.group == name)
    versions = [{"groupVersion": f"{name}/{version}", "version": version} for version in found]
    return {"name": name, "versions": versions, "preferredVersion": versions[0]}


def _resources(group: str, version: str) -> dict[str, Any] | None:
    kinds = [info for info in KINDS if (info.group, info.version) == (group, version)]
    if not kinds:
        return None
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": f"{group}/{version}" if group else version,
        "resources": [resource for info in kinds for resource in _of_kind(info)],
    }


def _of_kind(info: KindInfo) -> Sequence[dict[str, Any]]:
    own: dict[str, Any] = {
        "name": info.plural,
        "singularName": info.singular,
        "namespaced": info.namespaced,
        "kind": info.kind,
        "verbs": list(verbs_of(info)),
    }
    if info.short_names:
        own["shortNames"] = list(info.short_names)
    if info.categories:
        own["categories"] = list(info.categories)
    below = [
        {
            "name": f"{info.plural}/{name}",
            "singularName": "",
            "namespaced": info.namespaced,
            "kind": info.kind,
            "verbs": list(verbs),
        }
        for name, verbs in subresources_of(info).items()
    ]
    return [own, *below]
