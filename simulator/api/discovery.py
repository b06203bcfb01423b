"""What clients ask first: versions, groups and their resources. Pure.

Sources: apimachinery `meta/v1/types.go` (APIVersions, APIGroupList, APIResourceList),
`version/types.go`; kubernetes/api `apidiscovery/v2/types.go` for all groups in one answer. The
Python client's models require every field of the version.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from simulator.api.negotiation import Offer, chosen_offer
from simulator.api.paths import Verb, subresources_of, verbs_of
from simulator.resources.scheme import SERVED, KindInfo

# The API server whose behaviour is followed; kubectl supports one minor version either side.
KUBERNETES_MAJOR, KUBERNETES_MINOR, KUBERNETES_PATCH = "1", "33", "0"

_AGGREGATED_GROUP, _AGGREGATED_KIND = "apidiscovery.k8s.io", "APIGroupDiscoveryList"
_AGGREGATED_VERSIONS = ("v2", "v2beta1")


class Discovered(NamedTuple):
    """What a discovery path answers, and its media type."""

    document: dict[str, Any]
    content_type: str = "application/json"


def discovered(path: str, accept: str, knary_version: str, address: str) -> Discovered | None:
    """Return what a discovery path answers, or None. Raise NotAcceptable.

    `address` is the API's own HOST:PORT. A slash may end the path.
    """
    segments = path.removeprefix("/").removesuffix("/").split("/")
    document: dict[str, Any] | None
    match segments:
        case ["version"]:
            return Discovered(_version(knary_version))  # whatever is accepted, as a real one
        case ["api" | "apis" as root]:
            offer = chosen_offer(accept, _is_aggregated)
            if offer.named.get("as"):
                return _aggregated(root, offer.named["v"])
            document = _core_versions(address) if root == "api" else _group_list()
        case ["api", version]:
            document = _resources("", version)
        case ["apis", group] if group in _group_names():
            document = {"kind": "APIGroup", "apiVersion": "v1", **_group(group)}
        case ["apis", group, version] if group:
            document = _resources(group, version)
        case _:
            return None
    if document is None:
        return None
    chosen_offer(accept, lambda _: False)
    return Discovered(document)


def group_versions() -> tuple[tuple[str, str], ...]:
    """Return (group, version) of all that is served, core ("") first of those alike."""
    return tuple(dict.fromkeys((info.group, info.version) for info in SERVED))


def kinds_of(group: str, version: str) -> tuple[KindInfo, ...]:
    """Return the kinds of a group's version."""
    return tuple(info for info in SERVED if (info.group, info.version) == (group, version))


def _is_aggregated(offer: Offer) -> bool:
    named = offer.named
    return (
        named.get("as") == _AGGREGATED_KIND
        and named.get("g") == _AGGREGATED_GROUP
        and named.get("v") in _AGGREGATED_VERSIONS
    )


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
    return list(dict.fromkeys(group for group, _ in group_versions() if group))


def _group_list() -> dict[str, Any]:
    groups = [_group(name) for name in _group_names()]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}


def _group(name: str) -> dict[str, Any]:
    versions = [
        {"groupVersion": f"{name}/{version}", "version": version}
        for group, version in group_versions()
        if group == name
    ]
    return {"name": name, "versions": versions, "preferredVersion": versions[0]}


def _resources(group: str, version: str) -> dict[str, Any] | None:
    kinds = kinds_of(group, version)
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


def _aggregated(root: str, version: str) -> Discovered:
    """Return all groups with their resources: the core one below /api, the others below /apis."""
    names = [""] if root == "api" else _group_names()
    document = {
        "kind": _AGGREGATED_KIND,
        "apiVersion": f"{_AGGREGATED_GROUP}/{version}",
        "metadata": {},
        "items": [_group_discovery(name) for name in names],
    }
    content_type = f"application/json;g={_AGGREGATED_GROUP};v={version};as={_AGGREGATED_KIND}"
    return Discovered(document, content_type)


def _group_discovery(name: str) -> dict[str, Any]:
    metadata = {"name": name, "creationTimestamp": None} if name else {"creationTimestamp": None}
    versions = [
        {
            "version": version,
            "resources": [_resource_discovery(info) for info in kinds_of(group, version)],
            "freshness": "Current",
        }
        for group, version in group_versions()
        if group == name
    ]
    return {"metadata": metadata, "versions": versions}


def _resource_discovery(info: KindInfo) -> dict[str, Any]:
    kind = {"group": info.group, "version": info.version, "kind": info.kind}
    found: dict[str, Any] = {
        "resource": info.plural,
        "responseKind": kind,
        "scope": "Namespaced" if info.namespaced else "Cluster",
        "singularResource": info.singular,
        "verbs": list(verbs_of(info)),
    }
    if info.short_names:
        found["shortNames"] = list(info.short_names)
    if info.categories:
        found["categories"] = list(info.categories)
    below = [_subresource(name, kind, verbs) for name, verbs in subresources_of(info).items()]
    return found | {"subresources": below} if below else found


def _subresource(name: str, kind: Mapping[str, str], verbs: Sequence[Verb]) -> dict[str, Any]:
    return {"subresource": name, "responseKind": dict(kind), "verbs": list(verbs)}
