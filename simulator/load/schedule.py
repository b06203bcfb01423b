"""When requests are due: pure sequences of moments, in seconds since the load began."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator
from random import Random
from typing import Literal

from msgspec import Struct

Arrivals = Literal["constant", "poisson"]
ARRIVALS: tuple[Arrivals, ...] = ("constant", "poisson")


class ConstantRate(Struct, frozen=True, tag="constant"):
    """A request each 1/`rate_per_s`, for `duration_s`, or until stopped when that is None."""

    rate_per_s: float
    duration_s: float | None = None


class PoissonRate(Struct, frozen=True, tag="poisson"):
    """Requests as many independent users send them: exponential gaps of 1/`rate_per_s` on average.

    The same seed plans the same moments.
    """

    rate_per_s: float
    duration_s: float | None = None
    seed: int = 0


class Step(Struct, frozen=True):
    """A rate for a while."""

    rate_per_s: float
    duration_s: float

    @property
    def requests(self) -> float:
        return self.rate_per_s * self.duration_s


class StepRates(Struct, frozen=True, tag="steps"):
    """One rate after the other, with constant or Poisson arrivals."""

    steps: tuple[Step, ...]
    arrivals: Arrivals = "constant"
    seed: int = 0


class AsFastAsPossible(Struct, frozen=True, tag="closed"):
    """`count` requests over `connections` at once: the next one leaves when an answer came.

    With `duration_s` it ends then; `count` None is as many as there is time for. A closed loop:
    its latencies count from the moment of sending, for nothing was planned.
    """

    count: int | None
    connections: int = 1
    duration_s: float | None = None


Paced = ConstantRate | PoissonRate | StepRates
Schedule = Paced | AsFastAsPossible

STEPS_DEFAULT, STEPS_MAX = 10, 1000


def parse_rates(text: str) -> tuple[float, ...]:
    """Return the rates of "200", "100,200,500", or of "100..1000/4": 100, 400, 700 and 1000.

    Without "/4" such a ramp has ten steps. Raise ValueError when it is none of these.
    """
    if ".." not in text:
        rates = tuple(float(part) for part in text.split(","))
    else:
        ends, _, count = text.partition("/")
        low, _, high = ends.partition("..")
        first, last = float(low), float(high)
        steps = int(count) if count else STEPS_DEFAULT
        if not 2 <= steps <= STEPS_MAX:
            raise ValueError(f"a ramp has 2 to {STEPS_MAX} steps")
        rates = tuple(first + (last - first) * index / (steps - 1) for index in range(steps))
    if not all(math.isfinite(rate) and rate > 0 for rate in rates):
        raise ValueError("a rate is above 0")
    return rates


def paced(
    rates_per_s: tuple[float, ...],
    duration_s: float,
    arrivals: Arrivals = "constant",
    *,
    seed: int = 0,
    warm_s: float = 0.0,
) -> Paced:
    """Return the schedule that spends `duration_s` evenly on the rates.

    Before that the first rate goes on for `warm_s`.
    """
    if len(rates_per_s) > 1:
        for_s = duration_s / len(rates_per_s)
        warm = (Step(rates_per_s[0], warm_s),) if warm_s else ()
        steps = (*warm, *(Step(rate, for_s) for rate in rates_per_s))
        return StepRates(steps, arrivals, seed)
    if arrivals == "poisson":
        return PoissonRate(rates_per_s[0], warm_s + duration_s, seed)
    return ConstantRate(rates_per_s[0], warm_s + duration_s)


def planned_count(schedule: Schedule) -> int | None:
    """Return how many requests the schedule asks for; None when nobody knows before."""
    match schedule:
        case AsFastAsPossible():
            return schedule.count
        case ConstantRate(rate, duration) if duration is not None:
            return _count(rate * duration)
        case StepRates(arrivals="constant"):
            return _count(sum(step.requests for step in schedule.steps))
        case _:
            return None


def duration_of(schedule: Schedule) -> float | None:
    """Return after how many seconds nothing is due any more; None when that is not planned."""
    if isinstance(schedule, StepRates):
        return sum(step.duration_s for step in schedule.steps)
    return schedule.duration_s


def moments(schedule: Paced) -> Iterator[float]:
    """Yield the planned moments. Constant ones come from their index, so that no error adds up."""
    match schedule:
        case ConstantRate(rate, _):
            count = planned_count(schedule)
            indexes = itertools.count() if count is None else range(count)
            return (index / rate for index in indexes)
        case PoissonRate(rate, duration, seed):
            end = math.inf if duration is None else duration
            times = (events / rate for events in _poisson(seed))
            return itertools.takewhile(lambda moment: moment < end, times)
        case StepRates():
            events: Iterable[float] = _poisson(schedule.seed)
            if schedule.arrivals == "constant":
                events = range(planned_count(schedule) or 0)
            return _along(schedule, events)


def _count(expected: float) -> int:
    # 200 per second for 0.1 s are 20 requests, whatever 200 * 0.1 is in binary.
    return math.ceil(round(expected, 6))


def _poisson(seed: int) -> Iterator[float]:
    """Yield the moments of a Poisson process with one event per unit of time."""
    gap = Random(seed).expovariate
    return itertools.accumulate(gap(1.0) for _ in itertools.count())


def _along(schedule: StepRates, events: Iterable[float]) -> Iterator[float]:
    """Map events of rate 1 onto the steps: time runs as fast as the rate says.

    That makes an inhomogeneous Poisson process of a homogeneous one (Çinlar, Introduction to
    Stochastic Processes, 1975, 4.7), and evenly spaced requests of whole numbers.
    """
    steps = iter(schedule.steps)
    step = next(steps)
    before, began = 0.0, 0.0  # events and seconds of all steps before this one
    for event in events:
        while event >= before + step.requests:
            before, began = before + step.requests, began + step.duration_s
            following = next(steps, None)
            if following is None:
                return
            step = following
        yield began + (event - before) / step.rate_per_s
