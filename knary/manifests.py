"""What `apply` takes: YAML text, a file, a folder, an object, or several objects."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from knary.problems import EmulatorError

Document = dict[str, Any]
Manifest = str | os.PathLike[str] | Mapping[str, Any] | Iterable[Mapping[str, Any]]

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_SERVERS_METADATA = frozenset(
    ("creationTimestamp", "generation", "managedFields", "resourceVersion", "uid")
)
_SUFFIXES = (".yaml", ".yml", ".json")


def read(manifest: Manifest) -> list[Document]:
    """Return its objects in order. A `str` is YAML text, or a path when it is a word of one line.

    Without what the API writes: what `get` returned may be changed and applied. Raise
    EmulatorError when it is none of that.
    """
    return [_as_written(one) for one in _objects(manifest)]


def _objects(manifest: Manifest) -> list[Document]:
    if isinstance(manifest, Mapping):
        return [dict(manifest)]
    if isinstance(manifest, os.PathLike) or (isinstance(manifest, str) and _is_path(manifest)):
        path = Path(manifest)
        return [one for file in _files(path) for one in _parsed(_text(file), str(file))]
    if isinstance(manifest, str):
        return _parsed(manifest, "the manifest")
    return [dict(one) for one in manifest]


def _as_written(document: Document) -> Document:
    metadata = document.get("metadata")
    if not isinstance(metadata, dict):
        return document
    kept = {name: value for name, value in metadata.items() if name not in _SERVERS_METADATA}
    return {**{k: v for k, v in document.items() if k != "status"}, "metadata": kept}


def _is_path(text: str) -> bool:
    return "\n" not in text.strip() and ": " not in text and not text.lstrip().startswith("{")


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    return sorted(file for file in path.iterdir() if file.suffix in _SUFFIXES)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise EmulatorError(f"cannot read {file}: {error.strerror}") from error


def _parsed(text: str, where: str) -> list[Document]:
    try:
        found = [one for one in yaml.load_all(text, _LOADER) if one is not None]
    except yaml.YAMLError as error:
        raise EmulatorError(f"{where} is no YAML: {error}") from error
    documents: list[Document] = []
    for one in found:
        if not isinstance(one, dict):
            raise EmulatorError(f"{where} holds {one!r}, which is no object")
        documents += one["items"] if str(one.get("kind", "")).endswith("List") else [one]
    return documents
