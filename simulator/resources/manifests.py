"""YAML manifests as kubectl reads them: YAML 1.1 in JSON's types, several documents to a file.

Aliases are refused: a few hundred bytes of them stand for gigabytes (CVE-2019-11253).
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from typing import Any

import yaml
from msgspec import Struct

from simulator.errors import KnaryError
from simulator.resources.documents import DEPTH_MAX, too_many

try:
    from yaml import CSafeLoader as _FastestLoader
except ImportError:  # PyYAML without libyaml
    from yaml import SafeLoader as _FastestLoader  # type: ignore[assignment]

_INTEGER_DIGITS_MAX = 4000  # below Python's own limit for reading an int
_NULLS = frozenset({"null", "Null", "NULL", "~"})


class ManifestError(KnaryError):
    """The manifest is not the YAML that a Kubernetes client would accept: what, and where."""


YAML_VALUES_MAX = 40_000  # of a request's body, keys and ends counted: more than an object may have


class Manifest(Struct, frozen=True):
    """One document of a file, and where it begins."""

    document: Any
    source: str
    line: int


def parse_yaml(
    text: str | bytes, source: str, values_max: int | None = None
) -> tuple[Manifest, ...]:
    """Return the documents of a YAML or JSON text; empty ones are left out.

    Numbers, booleans and nulls are those of kubectl; dates stay strings. Raise ManifestError,
    which names `source`, the line and the column, for bad syntax, an alias, a key given twice, a
    key or value that JSON has no type for, or more than `DEPTH_MAX` levels. Raise TooLarge when
    there are more than `values_max` values, keys counted.
    """
    loader = None
    try:
        loader = _ManifestLoader(text)
        loader.values_left = sys.maxsize if values_max is None else values_max
        return tuple(
            Manifest(document, source, line)
            for document, line in _documents(loader)
            if document is not None
        )
    except _TooMany as error:
        raise too_many(values_max or 0) from error
    except _Refused as error:
        raise ManifestError(_located(source, error.mark, error.why)) from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise ManifestError(_located(source, mark, why_not_yaml(error, text))) from error
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise ManifestError(f"{source}: {' '.join(str(error).split())}") from error
    finally:
        if loader is not None:
            loader.dispose()


def why_not_yaml(error: yaml.MarkedYAMLError, text: str | bytes) -> str:
    """Return what is wrong with a text that is not YAML; a tab is called by its name."""
    mark = error.problem_mark
    if mark is not None:
        raw = text.encode() if isinstance(text, str) else text
        line = b"".join(raw.split(b"\n")[mark.line : mark.line + 1]).decode(errors="replace")
        if line[mark.column : mark.column + 1] == "\t":
            return "found a tab; YAML is indented with spaces"
    return error.problem or error.context or "it is not YAML"


def _located(source: str, mark: Any, why: str) -> str:
    if mark is None:
        return f"{source}: {why}"
    return f"{source}, line {mark.line + 1}, column {mark.column + 1}: {why}"


class _Refused(Exception):
    """YAML, but not for us."""

    def __init__(self, why: str, mark: Any) -> None:
        super().__init__(why)
        self.why = why
        self.mark = mark


class _TooMany(Exception):
    """More values than the caller wants to read."""


class _ManifestLoader(_FastestLoader):
    """A loader whose plain scalars mean what they mean to kubectl."""

    yaml_implicit_resolvers = {}  # noqa: RUF012 (PyYAML's own way; none of YAML 1.1's)
    values_left: int


_ManifestLoader.add_implicit_resolver(
    "tag:yaml.org,2002:bool",
    re.compile(r"^(?:yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF)$"),
    list("yYnNtTfFoO"),
)
_ManifestLoader.add_implicit_resolver(
    "tag:yaml.org,2002:int",
    # Without YAML 1.1's base 60: 22:22 is two ports to everybody.
    re.compile(r"^[-+]?(?:0b[01_]+|0x[0-9a-fA-F_]+|0o?[0-7_]+|[1-9][0-9_]*|0)$"),
    list("-+0123456789"),
)
_ManifestLoader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$"),
    list("-+.0123456789"),
)
_ManifestLoader.add_implicit_resolver(
    "tag:yaml.org,2002:null", re.compile(r"^(?:~|null|Null|NULL|)$"), ["~", "n", "N", ""]
)


def _next(loader: _ManifestLoader) -> Any:
    """Return the next event; there always is one before the stream's end."""
    loader.values_left -= 1
    if loader.values_left < 0:
        raise _TooMany
    return loader.get_event()


def _documents(loader: _ManifestLoader) -> Iterator[tuple[Any, int]]:
    """Yield each document and its line, built from events: an alias never gets a node."""
    while not isinstance(event := _next(loader), yaml.StreamEndEvent):
        if isinstance(event, yaml.DocumentStartEvent):
            first = _next(loader)
            yield _value(loader, first, 0), first.start_mark.line + 1


def _value(loader: _ManifestLoader, event: Any, depth: int) -> Any:
    """Return the value that begins with this event."""
    if depth > DEPTH_MAX:
        raise _Refused(f"it nests deeper than {DEPTH_MAX} levels", event.start_mark)
    match event:
        case yaml.ScalarEvent():
            return _scalar(loader, event)
        case yaml.SequenceStartEvent():
            items = []
            while not isinstance(below := _next(loader), yaml.SequenceEndEvent):
                items.append(_value(loader, below, depth + 1))
            return items
        case yaml.MappingStartEvent():
            return _mapping(loader, depth)
        case _:  # an alias: nothing else begins a value
            why = f"the alias *{event.anchor} is not allowed; write the value out"
            raise _Refused(why, event.start_mark)


def _mapping(loader: _ManifestLoader, depth: int) -> dict[str, Any]:
    built: dict[str, Any] = {}
    while not isinstance(event := _next(loader), yaml.MappingEndEvent):
        key = _key(_value(loader, event, depth + 1), event.start_mark)
        if key in built:
            raise _Refused(f'the key "{key}" is already set in this map', event.start_mark)
        built[key] = _value(loader, _next(loader), depth + 1)
    return built


def _key(value: Any, mark: Any) -> str:
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case _:
            raise _Refused("a key must be a string", mark)


def _scalar(loader: Any, event: Any) -> Any:
    tag = event.tag
    if tag is None or tag == "!":
        tag = loader.resolve(yaml.ScalarNode, event.value, event.implicit)
    try:
        return _typed(tag.removeprefix("tag:yaml.org,2002:"), event.value)
    except ValueError as error:
        why = f"{event.value[:80]!r} as {tag} is not a value that JSON has"
        raise _Refused(why, event.start_mark) from error


def _typed(tag: str, text: str) -> Any:
    match tag:
        case "str" | "timestamp":
            return text
        case "null" if not text or text in _NULLS:
            return None
        case "bool" if text.lower() in ("yes", "on", "true", "no", "off", "false"):
            return text.lower() in ("yes", "on", "true")
        case "int":
            return _integer(text.replace("_", ""))
        case "float":
            number = float(text.replace("_", ""))
            if number - number == 0:  # neither infinite nor NaN
                return number
    raise ValueError(text)


def _integer(text: str) -> int:
    if len(text) > _INTEGER_DIGITS_MAX:
        raise ValueError("too many digits")
    sign, digits = (text[0], text[1:]) if text[:1] in ("-", "+") else ("", text)
    if digits.startswith("0") and digits.isdigit() and len(digits) > 1:
        return int(sign + digits, 8)  # YAML 1.1: 0755, as for file modes
    return int(sign + digits, 0)
