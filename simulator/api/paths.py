"""From a request's method and path to what is asked of which resource. Pure.

Source: Kubernetes' API conventions, "Resource URIs".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal
from urllib.parse import unquote

from msgspec import Struct

from simulator.errors import BadRequest, MethodNotAllowed, NotFound
from simulator.resources.apps import Deployment
from simulator.resources.caching import Image
from simulator.resources.core import Event, Namespace, Pod
from simulator.resources.scheme import BY_RESOURCE, REVIEWS, KindInfo

Verb = Literal[
    "get", "list", "watch", "create", "update", "patch", "delete", "deletecollection", "log"
]

ALL_VERBS: tuple[Verb, ...] = (
    "delete",
    "deletecollection",
    "get",
    "list",
    "patch",
    "create",
    "update",
    "watch",
)
# These are made by knary, and no wish of a client's: a client may look, and delete.
MADE_BY_KNARY = (Pod, Event, Deployment, Image)
# What would reach into a container (core/v1's Pod subresources).
REACHING_IN = ("attach", "ephemeralcontainers", "exec", "portforward", "proxy")
READ_AND_DELETE: tuple[Verb, ...] = ("delete", "deletecollection", "get", "list", "watch")
STATUS_VERBS: tuple[Verb, ...] = ("get", "patch", "update")

_ON_COLLECTION: dict[str, Verb] = {
    "GET": "list",
    "POST": "create",
    "DELETE": "deletecollection",
}
_ON_OBJECT: dict[str, Verb] = {
    "GET": "get",
    "PUT": "update",
    "PATCH": "patch",
    "DELETE": "delete",
}


class Target(Struct, frozen=True):
    """A collection (`name` is "") or an object. `namespace` "" is all of them, or no scope."""

    info: KindInfo
    namespace: str = ""
    name: str = ""
    subresource: str = ""  # "", "status" or "log"


def parse_path(path: str) -> Target | None:
    """Return what the undecoded path names, or None.

    Raise BadRequest for an unfit name, NotFound for a subresource that a custom resource has not.
    """
    if not path.startswith("/"):
        return None
    segments = [_decoded(segment) for segment in path[1:].split("/")]
    match segments:
        case ["api", version, *rest]:
            return _resource("", version, rest)
        case ["apis", group, version, *rest] if group:
            return _resource(group, version, rest)
        case _:
            return None


def verbs_of(info: KindInfo) -> tuple[Verb, ...]:
    """Return what clients may do with objects of this kind."""
    if info in REVIEWS:
        return ("create",)
    if info.type in MADE_BY_KNARY:
        return READ_AND_DELETE
    if info.type is Namespace:  # as a real API server: not all namespaces at once
        return tuple(verb for verb in ALL_VERBS if verb != "deletecollection")
    return ALL_VERBS


def subresources_of(info: KindInfo) -> dict[str, tuple[Verb, ...]]:
    """Return the kind's subresources, each with its verbs."""
    found: dict[str, tuple[Verb, ...]] = {}
    if info.type is Pod:
        found["log"] = ("get",)
    if info.type in MADE_BY_KNARY and hasattr(info.type, "status"):
        found["status"] = ("get",)
    elif hasattr(info.type, "status") and info not in REVIEWS:
        found["status"] = STATUS_VERBS
    return found


def verb_of(method: str, target: Target, *, is_watch: bool) -> Verb:
    """Return what the method asks of the target. Raise MethodNotAllowed."""
    info = target.info
    if target.subresource:
        verb = _ON_OBJECT.get(method)
        if verb not in subresources_of(info)[target.subresource]:
            raise _not_allowed()
        return "log" if target.subresource == "log" else verb
    if target.name:
        verb = _ON_OBJECT.get(method)
        # A watch of one object was asked for so before field selectors; it still is, rarely.
        verb = "watch" if verb == "get" and is_watch else verb
    else:
        verb = _ON_COLLECTION.get(method)
        verb = "watch" if verb == "list" and is_watch else verb
    if verb is None or verb not in verbs_of(info):
        is_made = info.type in MADE_BY_KNARY and verb is not None
        raise _not_allowed(f": knary makes {info.plural} itself" if is_made else "")
    spans_namespaces = info.namespaced and not target.namespace
    if spans_namespaces and verb in ("create", "deletecollection"):
        raise _not_allowed()
    return verb


def _not_allowed(why: str = "") -> MethodNotAllowed:
    said = f"the server does not allow this method on the requested resource{why}"
    return MethodNotAllowed(said)


def _resource(group: str, version: str, rest: Sequence[str]) -> Target | None:
    match rest:
        # A namespace is an object itself, and what is below it has a plural of its own.
        case ["namespaces", namespace, plural, *below] if plural not in ("", "status"):
            info = BY_RESOURCE.get((group, version, plural))
            if info is None or not info.namespaced or not namespace:
                return None
        case [plural, *below]:
            namespace = ""
            info = BY_RESOURCE.get((group, version, plural))
            if info is None or (info.namespaced and below):
                return None
        case _:
            return None
    match below:
        case []:
            return Target(info, _segment(namespace))
        case [name] if name:
            return Target(info, _segment(namespace), _segment(name))
        case [name, subresource] if name and subresource in subresources_of(info):
            return Target(info, _segment(namespace), _segment(name), subresource)
        case [name, subresource, *_] if info.type is Pod and subresource in REACHING_IN:
            raise MethodNotAllowed(
                f"{subresource} is not supported: a replica is a process of this machine, not a "
                "container; `knary status` has its PID, and `knary curl` asks it"
            )
        case [name, _] if name and info.is_custom:  # `kubectl scale ksvc/NAME`
            raise NotFound.of(info.group, info.plural, name)
        case _:
            return None


def _decoded(segment: str) -> str:
    try:
        return unquote(segment, errors="strict")
    except UnicodeDecodeError as error:
        raise BadRequest("the path is not UTF-8") from error


def _segment(name: str) -> str:
    """Return the name if it may stand in a path (apimachinery `api/validation/path`)."""
    why = ""
    if name in (".", ".."):
        why = f"may not be '{name}'"
    elif bad := [mark for mark in "/%\\\0" if mark in name]:
        why = f"may not contain {bad[0]!r}"
    if why:
        raise BadRequest(f"invalid resource name {name[:80]!r}: [{why}]")
    return name
