"""`assert_split`: whether requests were split as asked, without a tolerance that somebody guessed.

Where the splitter is known, its proven bound is checked; elsewhere a sequential test with stated
error rates (`sequential`) looks for as long as it must.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from knary.sequential import DETECTABLE, FALSE_ALARM, MISS, Finding, SequentialSplitTest

PERCENT = 100


class SplitError(AssertionError):
    """Requests were not split as asked."""


class TooFewRequests(SplitError):
    """These requests do not tell. `needed` is about how many more it takes."""

    def __init__(self, message: str, needed: int) -> None:
        super().__init__(message)
        self.needed = needed


@dataclass(frozen=True, slots=True)
class SplitReport:
    """What was seen: requests by revision, how it was judged, and the sentence that says so."""

    counts: Mapping[str, int]
    method: str
    sentence: str

    @property
    def requests(self) -> int:
        """Return how many requests were looked at."""
        return sum(self.counts.values())


def assert_split(
    observed: Iterable[str] | Mapping[str, int],
    percents: Mapping[str, float],
    *,
    splitter: str = "",
    from_first_turn: bool = False,
    workers: int = 1,
    detectable: float = DETECTABLE * PERCENT,
    false_alarm: float = FALSE_ALARM,
    miss: float = MISS,
) -> SplitReport:
    """Raise SplitError unless these requests were split by `percents`, which sum to 100.

    `observed` is the revision of each request in the order of sending, which is read until the
    answer is known, or how many requests each revision got.

    With `splitter` "stratified" or "exact" its proven bound decides, for any number of requests: no
    revision is farther from its due than that at any moment since the split's first turn
    (`from_first_turn`, and all requests are in `observed`), and than twice that since any other;
    `workers` that deal turns of their own add up.

    With any other a sequential test decides: a right splitter is blamed with at most the chance
    `false_alarm`, and one that is wrong by `detectable` percentage points or more passes with at
    most the chance `miss`. Raise TooFewRequests, a SplitError, when the requests end before that.
    """
    total = sum(percents.values())
    if abs(total - PERCENT) > 1e-9:
        raise ValueError(f"the percents sum to {total:g}, want 100")
    bound = bound_of(splitter, len(percents))
    if bound is None:
        shares = {name: percent / PERCENT for name, percent in percents.items()}
        test = SequentialSplitTest(
            shares, detectable=detectable / PERCENT, false_alarm=false_alarm, miss=miss
        )
        rates = f"false alarm {false_alarm:g}, {detectable:g} points missed {miss:g}"
        return _by_test(observed, percents, test, rates)
    return _by_bound(observed, percents, bound * workers * (1 if from_first_turn else 2), splitter)


def bound_of(splitter: str, targets: int) -> Fraction | None:
    """Return how far a target may be from its due at any moment, in requests, if that is proven.

    `exact` may reach its bound (Tijdeman, Discrete Mathematics 32, 1980), `stratified` stays below
    1 (Pfair windows: Baruah, Cohen, Plaxton, Varvel, Algorithmica 15, 1996).
    """
    if splitter == "stratified":
        return Fraction(1)
    if splitter == "exact":
        return 1 - Fraction(1, 2 * max(targets, 2) - 2)
    return None


def _by_bound(
    observed: Iterable[str] | Mapping[str, int],
    percents: Mapping[str, float],
    bound: Fraction,
    splitter: str,
) -> SplitReport:
    shares = {name: Fraction(str(percent)) / PERCENT for name, percent in percents.items()}
    counts: Counter[str] = Counter()
    farthest = Fraction(0)
    for counted in _moments(observed):
        counts = counted
        farthest = max(farthest, _farthest(counts, shares, bound, splitter))
    if not counts:
        raise TooFewRequests("not one request was seen", 1)
    told = f"{_told(counts, percents)}, at most {float(farthest):.3g} from what was due"
    return SplitReport(
        dict(counts), "bound", f"{told}; {splitter} allows {_bound_told(bound, splitter)}"
    )


def _farthest(
    counts: Counter[str], shares: Mapping[str, Fraction], bound: Fraction, splitter: str
) -> Fraction:
    requests = counts.total()
    farthest = Fraction(0)
    for name in sorted({**shares, **counts}, key=lambda name: shares.get(name, Fraction(0)) > 0):
        share = shares.get(name, Fraction(0))
        off = abs(counts[name] - share * requests)
        if share in (0, 1):
            fits, allowed = off == 0, "none" if share == 0 else "all of them"
        else:
            fits = off < bound or (off == bound and splitter == "exact")
            allowed = f"{float(share * requests):g} and {_bound_told(bound, splitter)} off"
        if not fits:
            raise SplitError(
                f"of {requests} requests {name} got {counts[name]}, want {allowed}"
                f" ({splitter} at {float(share * PERCENT):g} %)"
            )
        farthest = max(farthest, off)
    return farthest


def _by_test(
    observed: Iterable[str] | Mapping[str, int],
    percents: Mapping[str, float],
    test: SequentialSplitTest,
    rates: str,
) -> SplitReport:
    finding = Finding.UNDECIDED
    if isinstance(observed, Mapping):
        for name, times in observed.items():
            test.count(name, times)
        finding = test.finding()
    else:
        for name in observed:
            test.count(name)
            finding = test.finding()
            if finding is not Finding.UNDECIDED:
                break
    told = _told(test.counts, percents)
    if finding is Finding.WRONG:
        raise SplitError(f"{told}: {_blame(test, percents)} ({rates})")
    if finding is Finding.UNDECIDED:
        needed = test.needed()
        raise TooFewRequests(
            f"{told}, which does not tell; it needs about {needed} more ({rates})", needed
        )
    return SplitReport(dict(test.counts), "sequential test", f"{told}, as asked ({rates})")


def _blame(test: SequentialSplitTest, percents: Mapping[str, float]) -> str:
    for name in test.strays:
        return f"{name} is to get none, and got {test.counts[name]}"
    assert test.blamed is not None  # noqa: S101 (wrong, and not for a stray)
    name = test.blamed.revision
    got = test.counts[name] / test.requests * PERCENT
    return f"{name} got {got:.3g} %, want {percents[name]:g} %"


def _moments(observed: Iterable[str] | Mapping[str, int]) -> Iterator[Counter[str]]:
    """Yield the counts after each request, or those that are all that is known."""
    if isinstance(observed, Mapping):
        yield Counter(observed)
        return
    counts: Counter[str] = Counter()
    for name in observed:
        counts[name] += 1
        yield counts


def _bound_told(bound: Fraction, splitter: str) -> str:
    return f"at most {float(bound):.3g}" if splitter == "exact" else f"less than {float(bound):.3g}"


def _told(counts: Mapping[str, int], percents: Mapping[str, float]) -> str:
    listed = ", ".join(f"{name} {counts.get(name, 0)}" for name in sorted({**percents, **counts}))
    return f"{sum(counts.values())} requests split {listed}"
