"""What was won and lost beside each peer, by an interval of the rounds' ratios. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.harness.intervals import median_interval

OURS = "knary"
# CPU per request beside a peer, as the project wants it: interpreted, compiled (and less of Envoy).
GOALS = {("interpreted", "nginx"): 1.25, ("compiled", "nginx"): 1.0, ("compiled", "envoy"): 0.3}


@dataclass(frozen=True)
class Beside:
    """Ours / a peer's CPU per request, of one load and one build."""

    load: str
    build: str
    peer: str
    ratio: float
    least: float
    most: float
    low: float | None  # of an interval that holds the median ratio with 95 %
    high: float | None
    rounds: int

    @property
    def word(self) -> str:
        if self.low is None or self.high is None or self.low <= 1 <= self.high:
            return "cannot tell"
        return "more" if self.low > 1 else "less"

    @property
    def goal(self) -> float | None:
        return GOALS.get((self.build.partition(" ")[0], self.peer))


def beside(matrix: Mapping[str, Any]) -> Iterator[Beside]:
    """Yield the comparisons of a document of gateway_matrix.py, load by load."""
    build = str(matrix["machine"]["gateway"])
    for load, case in matrix["cases"].items():
        proxies = case.get("proxies", {})
        for peer, theirs in proxies.items():
            if peer == OURS or OURS not in proxies:
                continue
            ratios = [
                _cpu(ours) / _cpu(their)
                for ours, their in zip(proxies[OURS]["turns"], theirs["turns"], strict=True)
                if _cpu(their)
            ]
            if not ratios:
                continue
            interval = median_interval(ratios)
            yield Beside(
                load,
                build,
                peer,
                statistics.median(ratios),
                min(ratios),
                max(ratios),
                interval.low if interval else None,
                interval.high if interval else None,
                len(ratios),
            )


def _cpu(turn: Mapping[str, float]) -> float:
    return turn["user_us"] + turn["system_us"]
