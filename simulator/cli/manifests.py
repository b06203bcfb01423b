"""Manifests from files, folders and stdin: all are parsed before anything is sent."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from simulator.cli.exits import UsageError
from simulator.cli.kinds import KINDS, Kind, kind_of
from simulator.cli.lazy import suggestions
from simulator.resources.manifests import ManifestError, parse_yaml

MANIFEST_BYTES_MAX = 10 * 1024 * 1024
SUFFIXES = (".yaml", ".yml", ".json")
STDIN = "-"


class Manifest(NamedTuple):
    """One object to send. `place` is FILE:LINE, where its document begins."""

    document: dict[str, Any]
    kind: Kind
    place: str

    @property
    def name(self) -> str:
        return str(self.document["metadata"]["name"])

    def namespace(self, default: str) -> str:
        """Return the namespace it names, else the default; "" for a kind that has none."""
        if not self.kind.namespaced:
            return ""
        return str(self.document["metadata"].get("namespace") or default)


def load_manifests(sources: Sequence[str]) -> list[Manifest]:
    """Return the objects of the sources, in their order. Raise UsageError with file and line.

    A source is a file, "-" for stdin, or a folder, of which every .yaml, .yml and .json file
    counts, by name. A List is its items.
    """
    manifests = [
        manifest
        for source in sources
        for name, text in texts_of(source)
        for manifest in parse_manifests(text, name)
    ]
    if not manifests:
        raise UsageError(f"no objects in {', '.join(sources)}")
    return manifests


def parse_manifests(text: bytes, name: str) -> list[Manifest]:
    """Return the objects of one text. Raise UsageError naming `name` and the line."""
    try:
        found = parse_yaml(text, name)
    except ManifestError as error:
        raise UsageError(str(error)) from error
    return [each for one in found for each in _objects(one.document, f"{one.source}:{one.line}")]


def _objects(document: Any, place: str) -> list[Manifest]:
    if not isinstance(document, dict):
        raise UsageError(f"{place}: want an object with apiVersion and kind")
    for field in ("apiVersion", "kind"):
        if not isinstance(document.get(field), str):
            raise UsageError(f"{place}: {field} is missing")
    if (document["apiVersion"], document["kind"]) == ("v1", "List"):
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


def texts_of(source: str, *, below: bool = False) -> Iterator[tuple[str, bytes]]:
    """Yield (name, text) of each file that a source means: of a folder, or of all `below` it."""
    if source == STDIN:
        yield "stdin", _bounded(sys.stdin.buffer.read(MANIFEST_BYTES_MAX + 1), "stdin")
        return
    path = Path(source)
    files = [path]
    if path.is_dir():
        inside = path.rglob("*") if below else path.iterdir()
        files = sorted(file for file in inside if file.suffix in SUFFIXES and file.is_file())
        if not files:
            raise UsageError(f"{source}: no {', '.join(SUFFIXES)} file in this folder")
    for file in files:
        try:
            with file.open("rb") as opened:
                text = opened.read(MANIFEST_BYTES_MAX + 1)
        except OSError as error:
            raise UsageError(f"{file}: {error.strerror}") from error
        yield str(file), _bounded(text, str(file))


def _bounded(text: bytes, name: str) -> bytes:
    if len(text) > MANIFEST_BYTES_MAX:
        raise UsageError(f"{name}: larger than {MANIFEST_BYTES_MAX} bytes")
    return text
