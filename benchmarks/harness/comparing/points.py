"""What a document says of one metric of one thing, with all that is known of its chance. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from benchmarks.harness.documents.directions import better
from benchmarks.harness.documents.envelope import Better
from benchmarks.harness.documents.load import LoadDocument, Tally
from benchmarks.harness.documents.reading import Read

Labels = tuple[tuple[str, str], ...]
Key = tuple[str, Labels]


class Point(Struct, frozen=True):
    """A number, and one of three kinds of evidence: samples, an interval, a count of events."""

    name: str
    labels: Labels
    better: Better
    value: float
    samples: tuple[float, ...] = ()
    interval: tuple[float | None, float | None] | None = None
    events: tuple[int, int] | None = None  # so many of so many

    @property
    def key(self) -> Key:
        return self.name, self.labels


def points_of(read: Read) -> dict[Key, Point]:
    """Return all that a document measured, in its order."""
    found = _of_load(read.load) if read.load else _of_measures(read)
    return {point.key: point for point in found}


def _of_measures(read: Read) -> Iterator[Point]:
    for each in read.measures:
        labels = tuple(sorted(each.labels.items()))
        yield Point(each.name, labels, each.better, each.value, each.samples)


def _of_load(report: LoadDocument) -> Iterator[Point]:
    yield from _of_tally(report.all, ())
    yield Point("requests_per_s", (), "higher", report.rate_per_s)
    for name, tally in report.revisions.items():
        whose: Labels = (("revision", name),)
        yield from _of_tally(tally, whose)
        if tally.share is not None:
            yield Point("share_percent", whose, "", 100 * tally.share)


def _of_tally(tally: Tally, labels: Labels) -> Iterator[Point]:
    if tally.requests:
        rate = 100 * tally.failed / tally.requests
        events = (tally.failed, tally.requests)
        yield Point("error_percent", labels, "lower", rate, events=events)
    for name, value in tally.latency_us.items():
        if name != "count":
            told = f"{name}_us"
            interval = tally.latency_intervals_us.get(name)
            yield Point(told, labels, better(told), value, interval=interval)
