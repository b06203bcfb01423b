"""What every document of `knary bench` has in common: where it comes from, and its measures.

A number's unit is the end of its name (`p99_us`, `memory_bytes`, `split_error_percent`), so that
a reader needs no table of units. Plain data.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Generic, Literal, TypeVar

from msgspec import Struct, field

Better = Literal["lower", "higher", ""]  # "": neither, the number counts or describes
Parameter = str | int | float | bool | None

Result = TypeVar("Result")


class Machine(Struct, frozen=True):
    """What a run was measured on; nothing in it names a user, a host or a folder.

    `processor` is "" where the system does not tell. `load_1m` is the load average when the run
    began and ended: more than there are cores says that others worked, too.
    """

    system: str  # Linux, Darwin
    kernel: str
    architecture: str
    processor: str
    cores: int  # that this process may use
    python: str
    load_1m: tuple[float, float]


class Measure(Struct, frozen=True):
    """One number of a run. `value` is the median of `samples`, the raw data: one for each turn.

    `labels` say whose it is ({"gateway": "nginx"}, {"revision": "hello-00002"}); a name with its
    labels occurs once. `noise_percent` is how far the samples lie apart, (greatest - least) /
    median; None when there are fewer than two, or the median is 0.
    """

    name: str
    value: float
    better: Better
    labels: dict[str, str] = field(default_factory=dict)
    samples: tuple[float, ...] = ()
    noise_percent: float | None = None


class Document(Struct, Generic[Result], frozen=True, kw_only=True):
    """One run of one command. `results` is what only this kind of document has.

    `schema` is knary.bench.KIND/VERSION: under one version, fields may be added, never renamed or
    removed. `when` is the moment of the beginning, RFC 3339 in UTC.
    """

    schema: str
    kind: str
    knary: str  # its version
    build: str  # of the gateway: "interpreted", or "compiled (mypyc VERSION)"
    when: str
    machine: Machine
    peers: dict[str, str]  # name to version, of whatever was measured or measured with
    parameters: dict[str, Parameter]
    measures: tuple[Measure, ...]
    results: Result
    notes: tuple[str, ...] = ()  # what a reader must know to trust the numbers


def measure(
    name: str,
    samples: Sequence[float],
    better: Better,
    labels: Mapping[str, str] | None = None,
) -> Measure:
    """Return a measure of at least one sample."""
    middle = float(statistics.median(samples))
    apart = max(samples) - min(samples)
    noise = round(apart / abs(middle) * 100, 3) if len(samples) > 1 and middle else None
    return Measure(
        name, middle, better, dict(labels or {}), tuple(float(each) for each in samples), noise
    )
