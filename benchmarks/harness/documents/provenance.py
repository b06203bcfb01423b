"""Where a run's numbers come from: the moment, the machine, the build of the gateway."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple, TypeVar

import knary
from benchmarks.harness.documents.envelope import Document, Machine, Measure, Parameter
from knary.compiled import chosen

Result = TypeVar("Result")


class Begun(NamedTuple):
    """What is known when a run begins."""

    when: str
    load_1m: float


def begin() -> Begun:
    """Return the moment and the load before anything is measured."""
    return Begun(datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"), _load())


def document(
    schema: str,
    begun: Begun,
    results: Result,
    measures: Sequence[Measure],
    *,
    parameters: Mapping[str, Parameter],
    peers: Mapping[str, str],
    notes: Sequence[str] = (),
) -> Document[Result]:
    """Return the document of a run that ends now; `schema` is knary.bench.KIND/VERSION."""
    return Document(
        schema=schema,
        kind=schema.removeprefix("knary.bench.").partition("/")[0],
        knary=knary.__version__,
        build=str(chosen(os.environ) or "interpreted"),
        when=begun.when,
        machine=machine(begun),
        peers=dict(peers),
        parameters=dict(parameters),
        measures=tuple(measures),
        results=results,
        notes=tuple(notes),
    )


def machine(begun: Begun) -> Machine:
    """Return what this process runs on."""
    return Machine(
        system=platform.system(),
        kernel=platform.release(),
        architecture=platform.machine(),
        processor=processor(),
        cores=_cores(),
        python=f"{platform.python_implementation()} {platform.python_version()}",
        load_1m=(begun.load_1m, _load()),
    )


def processor() -> str:
    """Return the processor's name where the system tells it, else ""."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in text.splitlines() if "model name" in line]
    return names[0] if names else ""


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):  # not on macOS
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _load() -> float:
    return round(os.getloadavg()[0], 2)
