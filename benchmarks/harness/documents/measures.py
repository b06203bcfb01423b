"""The measures of each kind of result: the same numbers, said in one way. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from benchmarks.harness.documents.directions import better
from benchmarks.harness.documents.envelope import Measure, measure
from benchmarks.harness.documents.gateway import GatewayResult, Sample

Labels = tuple[tuple[str, str], ...]


def gateway_measures(result: GatewayResult) -> tuple[Measure, ...]:
    """Return each metric of each gateway, in all and by revision, over its turns that count."""
    gathered: dict[tuple[str, Labels], list[float]] = {}
    for name, labels, value in _numbers(each for each in result.samples if not each.void):
        gathered.setdefault((name, labels), []).append(value)
    return tuple(
        measure(name, samples, better(name), dict(labels))
        for (name, labels), samples in gathered.items()
    )


def _numbers(samples: Iterable[Sample]) -> Iterator[tuple[str, Labels, float]]:
    for sample in samples:
        whose: Labels = (("gateway", sample.gateway),)
        for name, value in sample.metrics.items():
            yield name, whose, value
        for revision, metrics in sample.revisions.items():
            for name, value in metrics.items():
                yield name, (*whose, ("revision", revision)), value


def subject_of(result: object) -> dict[str, str]:
    """Return the labels of what was measured, where its peers were measured beside it."""
    if isinstance(result, GatewayResult) and result.gateways:
        return {"gateway": result.gateways[0].name}
    return {}
