"""Manifests from files, folders and stdin: all parsed, with their places, before anything is sent.

YAML is read as Kubernetes reads it: a key given twice is an error, times stay text.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from simulator.cli.exits import UsageError
from simulator.cli.kinds import KINDS, Kind, kind_of
from simulator.cli.lazy import suggestions

MANIFEST_BYTES_MAX = 10 * 1024 * 1024
NESTING_MAX = 100
SUFFIXES = (".yaml", ".yml", ".json")
STDIN = "-"


class Manifest(NamedTuple):
    """One object to send. `place` is FILE:LINE, where it begins."""

    document: dict[str, Any]
    kind: Kind
    place: str

    @property
    def name(self) -> str:
        return str(self.document["metadata"]["name"])


def load_manifests(sources: tuple[str, ...]) -> list[Manifest]:
    """Return the objects of the sources, in their order. Raise UsageError with file and line.

    A source is a file, "-" for stdin, or a folder, of which every .yaml, .yml and .json file
    counts, by name. A List is its items.
    """
    manifests = [
        manifest
        for source in sources
        for name, text in _texts(source)
        for manifest in parse_manifests(text, name)
    ]
    if not manifests:
        raise UsageError(f"no objects in {', '.join(sources)}")
    return manifests


def parse_manifests(text: str, name: str) -> list[Manifest]:
    """Return the objects of one text. Raise UsageError naming `name` and the line."""
    found: list[Manifest] = []
    try:
        for document, line in _documents(text):
            if document is not None:
                found += _objects(document, f"{name}:{line}")
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{name}:{mark.line + 1}" if mark else name
        raise UsageError(f"{place}: {error.problem or error.context or 'not YAML'}") from error
    except yaml.YAMLError as error:
        raise UsageError(f"{name}: not YAML: {' '.join(str(error).split())}") from error
    except RecursionError as error:
        raise UsageError(f"{name}: nests too deep") from error
    return found


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader, with Kubernetes' strictness."""


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[str, Any]:
    loader.flatten_mapping(node)
    result: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        if not isinstance(key, str | int | float | bool):
            raise yaml.constructor.ConstructorError(
                None, None, "a key must be a text", key_node.start_mark
            )
        text = str(key).lower() if isinstance(key, bool) else str(key)
        if text in result:
            raise yaml.constructor.ConstructorError(
                None, None, f'key "{text}" already set in map', key_node.start_mark
            )
        result[text] = loader.construct_object(value_node, deep=True)
    return result


_Loader.add_constructor("tag:yaml.org,2002:map", _mapping)
# JSON has no times: `2024-01-01` is a text.
_Loader.add_constructor(
    "tag:yaml.org,2002:timestamp", lambda loader, node: loader.construct_scalar(node)
)


def _documents(text: str) -> Iterator[tuple[Any, int]]:
    """Yield each document with the line where it begins."""
    loader = _Loader(text)
    try:
        while loader.check_node():
            node = loader.get_node()
            if node is not None:
                _check_node(node)
                yield loader.construct_document(node), node.start_mark.line + 1
    finally:
        loader.dispose()


def _check_node(root: yaml.Node) -> None:
    """Refuse what is nested absurdly deep, or grows by aliases (a "billion laughs")."""
    budget = 100_000
    pending = [(root, 0)]
    while pending:
        node, depth = pending.pop()
        budget -= 1
        if depth > NESTING_MAX or budget < 0:
            problem = "nests too deep" if depth > NESTING_MAX else "too large, aliases counted"
            raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark)
        if isinstance(node, yaml.SequenceNode):
            pending += [(item, depth + 1) for item in node.value]
        elif isinstance(node, yaml.MappingNode):
            pending += [(part, depth + 1) for pair in node.value for part in pair]


def _objects(document: Any, place: str) -> list[Manifest]:
    if not isinstance(document, dict):
        raise UsageError(f"{place}: want an object with apiVersion and kind")
    for field in ("apiVersion", "kind"):
        if not isinstance(document.get(field), str):
            raise UsageError(f"{place}: {field} is missing")
    if document["kind"] == "List" and document["apiVersion"] == "v1":
        return [part for item in document.get("items") or () for part in _objects(item, place)]
    kind = kind_of(document)
    if kind is None:
        raise UsageError(_unknown_kind(document, place))
    metadata = document.get("metadata")
    if not isinstance(metadata, dict) or not isinstance(metadata.get("name"), str):
        raise UsageError(f"{place}: metadata.name is missing")
    return [Manifest(document, kind, place)]


def _unknown_kind(document: dict[str, Any], place: str) -> str:
    given = f"{document['apiVersion']} {document['kind']}"
    known = [f"{kind.api_version} {kind.kind}" for kind in KINDS]
    hint = suggestions(given, known) or f"; known: {', '.join(known)}"
    return f"{place}: no kind {given}{hint}"


def _texts(source: str) -> Iterator[tuple[str, str]]:
    """Yield (name, text) of each file that a source means."""
    if source == STDIN:
        yield "stdin", _decoded(sys.stdin.buffer.read(MANIFEST_BYTES_MAX + 1), "stdin")
        return
    path = Path(source)
    if path.is_dir():
        files = sorted(file for file in path.iterdir() if file.suffix in SUFFIXES)
        if not files:
            raise UsageError(f"{source}: no {', '.join(SUFFIXES)} file in this folder")
    else:
        files = [path]
    for file in files:
        try:
            with file.open("rb") as opened:
                raw = opened.read(MANIFEST_BYTES_MAX + 1)
        except OSError as error:
            raise UsageError(f"{file}: {error.strerror}") from error
        yield str(file), _decoded(raw, str(file))


def _decoded(raw: bytes, name: str) -> str:
    if len(raw) > MANIFEST_BYTES_MAX:
        raise UsageError(f"{name}: larger than {MANIFEST_BYTES_MAX} bytes")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{name}: not UTF-8 (byte {error.start})") from error
