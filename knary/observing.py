"""What a service's split looks like from outside: which bound or test its requests are held to."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from knary.requesting import Answer
from knary.sequential import DETECTABLE, FALSE_ALARM, MISS
from knary.splits import PERCENT, SplitError, SplitReport, TooFewRequests, assert_split, bound_of

REQUESTS_MIN = 100
REQUESTS_OF_A_BOUND_MAX = 2_000
REQUESTS_OF_A_TEST_MAX = 50_000
_HUNDREDTHS = 100


class Split(NamedTuple):
    """How a service's requests should be split: by which splitter, dealt by how many workers."""

    percents: Mapping[str, float]
    splitter: str
    workers: int


class Rates(NamedTuple):
    """The sequential test's, as `assert_split` takes them; `detectable` in percentage points."""

    detectable: float = DETECTABLE * PERCENT
    false_alarm: float = FALSE_ALARM
    miss: float = MISS


def requests_for(split: Split) -> int:
    """Return how many requests show the split: two cycles of each worker, within bounds.

    Where no bound is proven it is how many a sequential test may take at most.
    """
    if bound_of(split.splitter, len(split.percents)) is None:
        return REQUESTS_OF_A_TEST_MAX
    shares = [round(percent * _HUNDREDTHS) for percent in split.percents.values()]
    cycle = PERCENT * _HUNDREDTHS // math.gcd(PERCENT * _HUNDREDTHS, *shares)
    return min(max(2 * cycle * split.workers, REQUESTS_MIN), REQUESTS_OF_A_BOUND_MAX)


def judge(answers: Iterator[Answer], split: Split, rates: Rates) -> SplitReport:
    """Raise SplitError unless the answers' revisions are split so.

    By the proven bound where it holds: also from the first turn on, when the answers say that they
    had it. Somebody else's requests in between take turns too, so then the sequential test decides.
    """
    if bound_of(split.splitter, len(split.percents)) is None:
        return assert_split(_revisions(answers), split.percents, **rates._asdict())
    seen = list(answers)
    revisions = list(_revisions(iter(seen)))
    firsts = first_turns([int(one.explanation.get("turn", 0)) for one in seen])
    if len(firsts) > split.workers:
        try:
            return assert_split(revisions, split.percents, **rates._asdict())
        except TooFewRequests as error:
            raise TooFewRequests(
                f"{error}; others took turns in between, so no bound holds", error.needed
            ) from None
    return assert_split(
        revisions,
        split.percents,
        splitter=split.splitter,
        workers=split.workers,
        from_first_turn=set(firsts) == {1},
    )


def first_turns(turns: Sequence[int]) -> list[int]:
    """Return the first of each run of turns one after the other: one run per worker that dealt."""
    firsts: list[int] = []
    ends: Counter[int] = Counter()
    for turn in turns:
        if ends[turn - 1]:
            ends[turn - 1] -= 1
        else:
            firsts.append(turn)
        ends[turn] += 1
    return firsts


def _revisions(answers: Iterator[Answer]) -> Iterator[str]:
    for number, answer in enumerate(answers, 1):
        if not answer.revision:
            said = answer.text.strip()[:200]
            raise SplitError(f"no revision answered request {number}: {answer.status} {said}")
        yield answer.revision
