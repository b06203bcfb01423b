"""What changed between two specs, in the words of Knative: zero context, one block per change.

Sources: knative/pkg `kmp/reporters.go`; go-cmp `cmp/path.go` for how a path reads. Names are those
of Knative's Go types, since users know them from these messages.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from simulator.resources.podspec import PodSpec, Probe, ResourceRequirements
from simulator.resources.serving import RevisionSpec, RevisionTemplate
from simulator.resources.wording import quoted

_GO_FIELDS = {
    "metadata": "ObjectMeta",
    "httpGet": "HTTPGet",
    "tcpSocket": "TCPSocket",
    "grpc": "GRPC",
    "httpHeaders": "HTTPHeaders",
    "dnsPolicy": "DNSPolicy",
    "dnsConfig": "DNSConfig",
}
_GO_TYPES = {
    "RevisionTemplate": "RevisionTemplateSpec",
    "HttpGetAction": "HTTPGetAction",
    "TcpSocketAction": "TCPSocketAction",
    "GrpcAction": "GRPCAction",
    "HttpHeader": "HTTPHeader",
    "EnvFrom": "EnvFromSource",
    "TemplateMeta": "ObjectMeta",
}
_HANDLERS = frozenset({"exec", "grpc", "httpGet", "tcpSocket"})
_POINTERS = frozenset(
    {
        "automountServiceAccountToken",
        "containerConcurrency",
        "enableServiceLinks",
        "idleTimeoutSeconds",
        "mountPropagation",
        "recursiveReadOnly",
        "responseStartTimeoutSeconds",
        "runtimeClassName",
        "service",
        "shareProcessNamespace",
        "terminationGracePeriodSeconds",
        "timeoutSeconds@RevisionSpec",
    }
)
_POD_FIELDS = frozenset(field.encode_name for field in msgspec.structs.fields(PodSpec))


def template_diff(old: RevisionTemplate, new: RevisionTemplate) -> str:
    """Return what changed in a revision template, "" when nothing did."""
    return "".join(_differences("{*v1.RevisionTemplateSpec}", old, new))


def revision_spec_diff(old: RevisionSpec, new: RevisionSpec) -> str:
    """Return what changed in a revision's spec, "" when nothing did."""
    return "".join(_differences("{v1.RevisionSpec}", old, new))


def _differences(path: str, old: Any, new: Any) -> Iterator[str]:
    if old == new:
        return
    match old, new:
        case Struct(), Struct():
            yield from _struct_differences(path, old, new)
        # Go tells an empty list or map from one with items by the whole of it.
        case tuple(), tuple() if old and new:
            yield from _list_differences(path, old, new)
        case dict(), dict() if old and new:
            yield from _map_differences(path, old, new)
        case _:
            yield _block(path, _value(old), _value(new))


def _struct_differences(path: str, old: Struct, new: Struct) -> Iterator[str]:
    holder = type(old)
    for field in msgspec.structs.fields(holder):
        was, now = getattr(old, field.name), getattr(new, field.name)
        json_name = field.encode_name
        here = f"{path}.{_go_path(holder, json_name)}"
        is_pointer = _is_pointer(holder, json_name)
        if is_pointer and was is not None and now is not None and not isinstance(was, Struct):
            here = f"*{here}"
        if not is_pointer:
            was, now = _plain(was, now), _plain(now, was)
        yield from _differences(here, was, now)


def _plain(value: Any, other: Any) -> Any:
    """Return the zero value in place of None, for a field that is no pointer in Go."""
    if value is not None or other is None:
        return value
    if isinstance(other, bool | int | str | ResourceRequirements):
        return type(other)()
    return None


def _list_differences(path: str, old: tuple[Any, ...], new: tuple[Any, ...]) -> Iterator[str]:
    encode = msgspec.json.Encoder(order="deterministic").encode
    matcher = difflib.SequenceMatcher(
        None, [encode(item) for item in old], [encode(item) for item in new], autojunk=False
    )
    for _, old_from, old_to, new_from, new_to in matcher.get_opcodes():
        common = min(old_to - old_from, new_to - new_from)
        for offset in range(common):
            here, there = old_from + offset, new_from + offset
            step = f"[{here}]" if here == there else f"[{here}->{there}]"
            yield from _differences(path + step, old[here], new[there])
        for index in range(old_from + common, old_to):
            yield _block(f"{path}[{index}->?]", _value(old[index], is_item=True), None)
        for index in range(new_from + common, new_to):
            yield _block(f"{path}[?->{index}]", None, _value(new[index], is_item=True))


def _map_differences(path: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    for key in sorted({*old, *new}):
        here = f"{path}[{quoted(key)}]"
        if key in old and key in new:
            yield from _differences(here, old[key], new[key])
        else:
            was = _value(old[key]) if key in old else None
            yield _block(here, was, _value(new[key]) if key in new else None)


def _block(path: str, was: str | None, now: str | None) -> str:
    lines = [f"{path}:\n"]
    if was is not None:
        lines.append(f"\t-: {was}\n")
    if now is not None:
        lines.append(f"\t+: {now}\n")
    return "".join(lines)


def _value(value: Any, *, is_item: bool = False) -> str:
    """Return a changed value; the struct of a list shows its type, others are behind pointers."""
    shown = _printed(value)
    if not isinstance(value, Struct):
        return f'"{shown}"'
    return f'v1.{_go_type(type(value))}: "{shown}"' if is_item else f'"&{shown}"'


def _printed(value: Any) -> str:
    """Return Go's %+v."""
    match value:
        case None:
            return "<nil>"
        case bool():
            return "true" if value else "false"
        case Struct():
            fields = msgspec.structs.fields(type(value))
            inside = " ".join(
                f"{_go_name(field.encode_name)}:{_printed(getattr(value, field.name))}"
                for field in fields
            )
            return "{" + inside + "}"
        case tuple() | list():
            return "[" + " ".join(map(_printed, value)) + "]"
        case dict():
            pairs = (f"{key}:{_printed(value[key])}" for key in sorted(value))
            return "map[" + " ".join(pairs) + "]"
        case _:
            return str(value)


def _go_path(holder: type, json_name: str) -> str:
    name = _go_name(json_name)
    if issubclass(holder, PodSpec) and json_name in _POD_FIELDS:
        return f"PodSpec.{name}"
    if holder is Probe and json_name in _HANDLERS:
        return f"ProbeHandler.{name}"
    return name


def _go_name(json_name: str) -> str:
    return _GO_FIELDS.get(json_name, json_name[:1].upper() + json_name[1:])


def _go_type(holder: type) -> str:
    return _GO_TYPES.get(holder.__name__, holder.__name__)


def _is_pointer(holder: type, json_name: str) -> bool:
    """Tell whether the Go field is a pointer, or here a struct that may be absent."""
    return json_name in _POINTERS or f"{json_name}@{holder.__name__}" in _POINTERS
