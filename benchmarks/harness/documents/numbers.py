"""A document's measures as the numbers that thresholds speak of: `p99_us` is called p99. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from benchmarks.harness.documents.envelope import Measure
from knary.thresholds import Dimension, Number, Vocabulary, quantity

# What `knary load` calls them, whose thresholds people already have.
_SPOKEN = {"error": "error_rate", "requests_per_s": "rps", "peak_requests_per_s": "peak_rps"}


def spoken(name: str) -> str:
    """Return what a threshold calls a measure: without its unit, which the threshold brings."""
    base = quantity(name).name
    return _SPOKEN.get(base, base)


def vocabulary(names: Iterable[str], labels: Iterable[str]) -> Vocabulary:
    """Return what thresholds on measures of these names may speak of."""
    return Vocabulary({spoken(name): quantity(name).dimension for name in names}, frozenset(labels))


def ratio_vocabulary(names: Iterable[str], labels: Iterable[str]) -> Vocabulary:
    """Return the same for the ratios of two documents: `p99<1.1`, `rps>95%`."""
    return Vocabulary({spoken(name): Dimension.RATIO for name in names}, frozenset(labels))


def numbers(measures: Iterable[Measure], subject: Mapping[str, str]) -> Iterator[Number]:
    """Yield the numbers, those of the subject without its labels, too: it is what is meant."""
    for each in measures:
        scale = quantity(each.name).scale
        yield from labelled(each.name, each.value * scale, each.labels, subject)


def labelled(
    name: str, value: float, labels: Mapping[str, str], subject: Mapping[str, str]
) -> Iterator[Number]:
    """Yield a number with its labels; that of the subject without the subject's, too."""
    yield Number(spoken(name), value, frozenset(labels.items()))
    if subject and subject.items() <= labels.items():
        yield Number(spoken(name), value, frozenset(labels.items() - subject.items()))
