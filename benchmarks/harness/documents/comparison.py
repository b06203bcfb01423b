"""What `knary bench compare --json` prints: the schema knary.bench.compare/v1. Plain data."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from benchmarks.harness.documents.envelope import Better

SCHEMA = "knary.bench.compare/v1"

Verdict = Literal["better", "worse", "same", "cannot tell", ""]


class Side(Struct, frozen=True):
    """One of the two documents."""

    file: str
    when: str
    knary: str
    build: str


class Row(Struct, frozen=True):
    """One metric in both. `ratio` is new / old, which `low` and `high` hold with `confidence`.

    None: too few samples for a bound there, or a ratio that is no number. `why` says by what the
    interval was found, or why there is none. The verdict "" is for what has no direction.
    """

    name: str
    labels: dict[str, str]
    better: Better
    old: float
    new: float
    ratio: float | None
    low: float | None
    high: float | None
    verdict: Verdict
    why: str


class Kept(Struct, frozen=True):
    """What became of a threshold."""

    threshold: str
    measured: str
    kept: bool


class ComparisonDocument(Struct, frozen=True, kw_only=True):
    """Two runs of the same kind. `by_chance` is how many of the rows would be called better or
    worse at most, on average, if nothing had changed.
    """

    schema: str = SCHEMA
    kind: str
    old: Side
    new: Side
    confidence: float
    margin_percent: float
    rows: tuple[Row, ...]
    by_chance: float
    warnings: tuple[str, ...] = ()
    only_old: tuple[str, ...] = ()
    only_new: tuple[str, ...] = ()
    thresholds: tuple[Kept, ...] = ()
