"""Two documents side by side: what belongs together, the ratio, and a word for it. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from benchmarks.harness.comparing.points import Key, Point, points_of
from benchmarks.harness.comparing.ratios import (
    CONFIDENCE,
    Ratio,
    ratio_of_counts,
    ratio_of_intervals,
    ratio_of_samples,
)
from benchmarks.harness.documents.comparison import ComparisonDocument, Row, Side, Verdict
from benchmarks.harness.documents.envelope import Better
from benchmarks.harness.documents.reading import DocumentError, Read
from benchmarks.harness.pages.words import spelled

SAMPLES_MIN = 4  # on each side, for an interval at 95 %
COUNTS_EVENTS = "exact, of rare events"
RANKS = "order statistics of independent requests"
PAIRS = "Mann-Whitney, {old} and {new} samples"

Chosen = Callable[[str], bool]


def compare(old: Read, new: Read, *, margin_percent: float, chosen: Chosen) -> ComparisonDocument:
    """Return the comparison of those metrics that are `chosen` by name.

    Raise DocumentError when the documents are of different kinds, or have none of them in common.
    """
    if old.schema != new.schema:
        raise DocumentError(new.file, f"schema is {new.schema}, that of {old.file} {old.schema}")
    olds, news = points_of(old), points_of(new)
    rows = tuple(
        _row(olds[key], news[key], margin_percent) for key in olds if key in news and chosen(key[0])
    )
    if not rows:
        raise DocumentError(new.file, f"no metric to compare with {old.file}")
    judged = sum(row.low is not None and row.better != "" for row in rows)
    return ComparisonDocument(
        kind=old.kind,
        old=side_of(old),
        new=side_of(new),
        confidence=CONFIDENCE,
        margin_percent=margin_percent,
        rows=rows,
        by_chance=round(judged * (1 - CONFIDENCE), 2),
        warnings=warnings(old, new),
        only_old=_alone(olds, news, chosen),
        only_new=_alone(news, olds, chosen),
    )


def side_of(read: Read) -> Side:
    if read.bench is None:
        return Side(read.file, "", "", "")
    return Side(read.file, read.bench.when, read.bench.knary, read.bench.build)


def warnings(old: Read, new: Read) -> tuple[str, ...]:
    """Return what makes the comparison one of other things than of knary."""
    found = []
    for name, was, now in _circumstances(old, new):
        if was != now:
            found.append(f"{name} differs: {was or 'unknown'}, then {now or 'unknown'}")
    for read in (old, new):
        if read.machine and max(read.machine.load_1m) > read.machine.cores:
            load = f"load {max(read.machine.load_1m):g} on {read.machine.cores} cores"
            found.append(f"{read.file}: others worked on the machine, too ({load})")
        if read.load and read.load.schedule.behind_schedule:
            found.append(
                f"{read.file}: the generator was behind its schedule, latencies mean little"
            )
    return tuple(found)


def _circumstances(old: Read, new: Read) -> list[tuple[str, str, str]]:
    """Return names of what should be the same, and what it was on each side."""
    if old.load and new.load:
        return [
            ("protocol", old.load.protocol, new.load.protocol),
            ("loop", old.load.loop, new.load.loop),
        ]
    if old.bench is None or new.bench is None:
        return []
    before, after = old.bench, new.bench
    found = [
        (name, str(getattr(before.machine, name)), str(getattr(after.machine, name)))
        for name in ("processor", "architecture", "cores", "system", "kernel", "python")
    ]
    found.append(("build", before.build, after.build))
    for what, olds, news in (
        ("parameter", before.parameters, after.parameters),
        ("version of", before.peers, after.peers),
    ):
        found += [
            (f"{what} {name}", str(olds.get(name, "")), str(news.get(name, "")))
            for name in sorted({**olds, **news})
        ]
    return found


def _alone(
    these: Mapping[Key, Point], those: Mapping[Key, Point], chosen: Chosen
) -> tuple[str, ...]:
    return tuple(
        spelled(key[0], dict(key[1])) for key in these if key not in those and chosen(key[0])
    )


def _row(old: Point, new: Point, margin_percent: float) -> Row:
    ratio, why = _ratio(old, new)
    return Row(
        name=old.name,
        labels=dict(old.labels),
        better=old.better,
        old=old.value,
        new=new.value,
        ratio=_finite(ratio.value),
        low=_finite(ratio.low),
        high=_finite(ratio.high),
        verdict=verdict(ratio, old.better, margin_percent),
        why=why,
    )


def _ratio(old: Point, new: Point) -> tuple[Ratio, str]:
    if old.samples and new.samples:
        ratio = ratio_of_samples(old.samples, new.samples)
        told = PAIRS.format(old=len(old.samples), new=len(new.samples))
        if ratio.low is None:
            return ratio, f"{told}: too few, it takes {SAMPLES_MIN} and {SAMPLES_MIN} at 95 %"
        return ratio, told
    if old.events and new.events and old.events[1] and new.events[1]:
        return ratio_of_counts(old.events, new.events), COUNTS_EVENTS
    if old.interval and new.interval:
        return ratio_of_intervals(old.value, new.value, old.interval, new.interval), RANKS
    alone = ratio_of_intervals(old.value, new.value, (None, None), (None, None))
    return alone, "one number on each side: nothing is known of its chance"


def verdict(ratio: Ratio, better: Better, margin_percent: float) -> Verdict:
    """Return the word for a ratio: the same, when all that it may be is within the margin."""
    if not better:
        return ""
    low = 0.0 if ratio.low is None else ratio.low
    high = math.inf if ratio.high is None else ratio.high
    margin = 1 + margin_percent / 100
    if 1 / margin <= low and high <= margin:
        return "same"
    if low <= 1 <= high:
        return "cannot tell"
    return "better" if (high < 1) == (better == "lower") else "worse"


def _finite(number: float | None) -> float | None:
    return number if number is not None and math.isfinite(number) else None
