"""A scenario: its flaws, and claims that prove less than they seem to. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from knary.sequential import SequentialSplitTest
from knary.splits import bound_of
from simulator.linting.findings import Finding
from simulator.scenario import model
from simulator.scenario.reading import ScenarioError, parse_scenario

PERCENT = 100


def findings_of(text: str, file: str) -> Iterator[Finding]:
    """Yield all that is wrong with a scenario, and advice."""
    try:
        scenario = parse_scenario(text, file)
    except ScenarioError as error:
        for line in str(error).splitlines():
            match = re.fullmatch(r".*?:(\d+):(\d+): (.*)", line)
            row, column, why = match.groups() if match else ("1", "1", line)
            yield Finding(file, int(row), int(column), "error", why)
        return
    yield from _weak_claims(scenario.steps, file)


def _weak_claims(steps: Sequence[model.Step], file: str) -> Iterator[Finding]:
    """Yield the splits that so few requests cannot tell from a wrong one."""
    requests: int | None = None  # of the load before; None when nobody knows
    for step in steps:
        match step.action:
            case model.Load() as load if not load.background:
                requests = load.requests
            case model.Expect(answers=claim) if claim is not None and claim.split:
                of = claim.next if claim.of else requests
                if of is not None and (why := too_few(claim, of)):
                    yield Finding(file, step.line, 1, "advice", why)
            case model.Repeat(steps=inner) | model.Ramp(steps=inner):
                yield from _weak_claims(inner, file)
            case model.Parallel(branches=branches):
                for branch in branches:
                    yield from _weak_claims(branch.steps, file)
            case _:
                pass


def too_few(claim: model.AnswersClaim, requests: int) -> str:
    """Return why these requests prove little about a split; "" when they do.

    By a bound of b requests in any window, a split that is off by d points is told from a right one
    after 2 b / d requests: then what is due to both has no count in common.
    """
    shares = {name: percent for name, percent in claim.split.items() if percent}
    if len(shares) < 2 or claim.within is not None:
        return ""
    smallest = min(shares, key=shares.__getitem__)
    told = f"{requests} requests say little about {shares[smallest]} % for {smallest}"
    bound = bound_of(claim.splitter or "stratified", len(shares))
    off = min(claim.detectable, shares[smallest])
    if bound is not None:
        needed = round(2 * 2 * float(bound) * PERCENT / off)
        how = f"an error of {off:g} points shows after {needed}"
    else:
        rates = {name: percent / PERCENT for name, percent in claim.split.items()}
        needed = SequentialSplitTest(rates, detectable=claim.detectable / PERCENT).needed()
        how = f"a coin needs about {needed} to be told from one that is {off:g} points off"
    return f"{told}: {how}" if requests < needed else ""
