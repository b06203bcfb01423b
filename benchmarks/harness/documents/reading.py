"""Documents read back from files, each kind as the same few things. Errors name file and field."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from benchmarks.harness.documents.envelope import Document, Machine, Measure
from benchmarks.harness.documents.load import LOAD, LoadDocument
from benchmarks.harness.documents.schemas import DOCUMENTS
from simulator.cli.exits import UsageError

SIZE_BYTES_MAX = 256 * 2**20


class Read(Struct, frozen=True):
    """A document and where it was: one of `knary bench`, or a report of `knary load`."""

    file: str
    schema: str
    bench: Document[Any] | None = None
    load: LoadDocument | None = None

    @property
    def kind(self) -> str:
        return self.bench.kind if self.bench else "load"

    @property
    def machine(self) -> Machine | None:
        return self.bench.machine if self.bench else None

    @property
    def measures(self) -> tuple[Measure, ...]:
        return self.bench.measures if self.bench else ()


class DocumentError(UsageError):
    """A file that is no document that we can read."""

    def __init__(self, file: str, why: str) -> None:
        super().__init__(f"{file}: {why}")


def read(file: Path) -> Read:
    """Return what a file holds. Raise DocumentError."""
    name = str(file)
    try:
        if file.stat().st_size > SIZE_BYTES_MAX:
            raise DocumentError(name, f"more than {SIZE_BYTES_MAX >> 20} MiB")
        return decode(name, file.read_bytes())
    except OSError as error:
        raise DocumentError(name, error.strerror or str(error)) from error


def decode(name: str, data: bytes) -> Read:
    """Return the document in the data, of a file of that name. Raise DocumentError."""
    schema = _schema_of(name, data)
    try:
        if schema == LOAD:
            return Read(name, schema, load=msgspec.json.decode(data, type=LoadDocument))
        return Read(name, schema, bench=msgspec.json.decode(data, type=DOCUMENTS[schema]))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DocumentError(name, _in_words(error)) from error


def _schema_of(name: str, data: bytes) -> str:
    try:
        found = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DocumentError(name, f"no JSON: {error}") from error
    known = ", ".join(sorted([LOAD, *DOCUMENTS]))
    if not isinstance(found, Mapping) or not isinstance(found.get("schema"), str):
        raise DocumentError(name, f"the field schema is missing; it is one of {known}")
    schema = str(found["schema"])
    if schema != LOAD and schema not in DOCUMENTS:
        raise DocumentError(name, f"schema is {schema!r}; known are {known}")
    return schema


def _in_words(error: Exception) -> str:
    """Return msgspec's words with the field first: "$.machine.cores" is machine.cores."""
    why, _, place = str(error).partition(" - at `")
    field = place.rstrip("`").removeprefix("$").removeprefix(".")
    return f"{field}: {why[:1].lower()}{why[1:]}" if field else why[:1].lower() + why[1:]
