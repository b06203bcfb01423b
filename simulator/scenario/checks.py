"""From what was observed to whether a claim holds, with the sentence to print. Pure.

How exact a split must be (field studies of conformance tests find ±10 points; we need none):
`stratified` and `exact` keep each revision within one request of its due at every prefix since
the split's first turn, so over any window, a difference of two prefixes, within two; several
workers that split on their own add up. Zero percent is exactly none.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from knary.splits import SplitError, TooFewRequests, assert_split, bound_of
from simulator.load.plan import Answer
from simulator.scenario.binomial import interval
from simulator.scenario.flaws import PERCENTILES, seconds
from simulator.scenario.model import (
    AnswersClaim,
    ConditionClaim,
    EventClaim,
    LatencyClaim,
    LogClaim,
)

FALSE_ALARM = 1e-9  # how often a right `random` splitter fails its claim, per claim
WINDOW_BOUND = 2  # requests, exclusive, per worker
PERCENT = 100
MESSAGE_MAX = 200  # characters of a condition's message shown beside one that holds
# An order that repeats itself with a period up to this, over that many requests, is a pattern. A
# right splitter does so by chance less than once in 10⁹ (90/10: 9 more slots of 10 hit again).
ORDER_PERIOD_MAX = 10
ORDER_REQUESTS_MIN = 100


class Verdict(Struct, frozen=True):
    """Whether a claim held, in a sentence without its first capital or full stop.

    `where` is the FILE:LINE of its step. What was `skipped` is neither held nor broken, and the
    sentence says why.
    """

    held: bool
    sentence: str
    where: str = ""
    skipped: bool = False


def judge_answers(
    claim: AnswersClaim,
    answers: Sequence[Answer],
    overlap: int = 0,
    workers: int = 1,
    splitter: str = "stratified",
    *,
    may_be_too_few: bool = False,
) -> Iterator[Verdict]:
    """Yield a verdict for each thing that the claim says of these answers, in order of sending.

    `splitter` is what they were split by, as far as that is known. With `may_be_too_few` a split of
    which these requests do not tell is skipped.

    `overlap` counts other requests of the same load that were under way together with these: they
    may have taken turns between theirs, and each widens the bound of a split by its share.
    """
    if claim.next is not None and len(answers) < claim.next:
        yield _broken(f"only {len(answers)} of {claim.next} requests were sent")
        return
    if not answers:
        yield _broken("not one request was sent")
        return
    if claim.failing:
        yield judge_failing(answers, claim.failing)
    else:
        yield judge_errors(answers, claim.errors)
    if claim.split:
        known = claim.splitter or splitter
        if claim.within is None and known == "random":
            yield judge_coin(answers, claim.split)
        elif claim.within is None and bound_of(known, len(claim.split)) is None:
            verdict = judge_by_test(answers, claim.split, claim.detectable)
            yield verdict if may_be_too_few or not verdict.skipped else _broken(verdict.sentence)
        else:
            yield judge_split(claim, answers, overlap, workers)
    for revision in claim.none_to:
        yield judge_none(answers, revision, from_now=claim.next is not None)
    if claim.stays:
        yield judge_stays(answers)
    if claim.say:
        yield judge_say(answers, claim.say)
    if claim.order:
        yield judge_order(answers)


def judge_errors(answers: Sequence[Answer], allowed: int) -> Verdict:
    kinds = Counter(answer.error for answer in answers if answer.error)
    failed = kinds.total()
    if failed == 0:
        return _held(f"not one of {len(answers)} requests failed")
    listed = ", ".join(f"{count} × {kind}" for kind, count in kinds.most_common())
    first = next(answer for answer in answers if answer.error)
    where = f"the first at {first.planned_s:.2f} s: {first.text or first.error}"
    sentence = f"{failed} of {len(answers)} requests failed ({listed}; {where})"
    if allowed:
        sentence += f"; {allowed} may"
    return Verdict(failed <= allowed, sentence)


def judge_failing(answers: Sequence[Answer], failing: Sequence[str]) -> Verdict:
    """Judge whether all these revisions failed requests, and nobody else did."""
    failed = Counter(answer.revision or "nobody" for answer in answers if answer.error)
    told = ", ".join(f"{count} × {name}" for name, count in failed.most_common()) or "none"
    sentence = f"of {len(answers)} requests {failed.total()} failed ({told})"
    if set(failed) == set(failing):
        return _held(sentence)
    return _broken(f"{sentence}; want failures of {', '.join(failing)} and of nobody else")


def judge_stays(answers: Sequence[Answer]) -> Verdict:
    """Judge whether one revision answered all requests."""
    counts = counts_of(answers)
    if len(counts) == 1:
        return _held(f"all {len(answers)} requests stayed with {next(iter(counts))}")
    told = ", ".join(f"{count} × {name}" for name, count in counts.items()) or "nobody"
    return _broken(f"{len(answers)} requests went to {told}, want one revision for all")


def judge_split(
    claim: AnswersClaim, answers: Sequence[Answer], overlap: int, workers: int
) -> Verdict:
    """Judge counts by a bound: `within`, or what the splitter promises for any window."""
    counts = counts_of(answers)
    known = sum(counts.values())
    if not known:
        return _broken("no revision answered one request")
    # A request without an answer may have taken a turn all the same.
    strays = overlap + len(answers) - known
    told = _told(claim.split, counts, known)
    for revision in {**claim.split, **counts}:
        percent = claim.split.get(revision, 0)
        got = counts.get(revision, 0)
        # In hundredths of a request, so that bounds are exact.
        off = abs(PERCENT * got - percent * known)
        widened = strays * max(percent, PERCENT - percent)
        if percent in (0, PERCENT):
            fits, bound = off == 0, "exactly"
        elif claim.within is not None:
            allowed = PERCENT * claim.within + widened
            fits, bound = off <= allowed, f"and at most {allowed / PERCENT:g} off"
        else:
            allowed = PERCENT * WINDOW_BOUND * workers + widened
            fits, bound = off < allowed, f"and less than {allowed / PERCENT:g} off"
        if not fits:
            due = f"{percent * known / PERCENT:g}"
            return _broken(f"{told}: {revision} got {got}, want {due} {bound}")
    farthest = max(
        abs(counts.get(revision, 0) - percent * known / PERCENT)
        for revision, percent in claim.split.items()
    )
    if len(counts) == 1 and farthest == 0:
        return _held(f"all {known} requests went to {next(iter(counts))}")
    if farthest == 0:
        return _held(f"{told}, exactly as asked")
    dues = " : ".join(f"{percent * known / PERCENT:g}" for percent in claim.split.values())
    return _held(f"{told}, at most {farthest:.2g} from {dues}")


def judge_by_test(
    answers: Sequence[Answer], split: Mapping[str, int], detectable: float
) -> Verdict:
    """Judge by the sequential test of `assert_split`: what nothing is known of, or has no bound.

    Too few requests skip it.
    """
    order = [answer.revision for answer in answers if answer.revision]
    try:
        return _held(assert_split(order, split, detectable=detectable).sentence)
    except TooFewRequests as error:
        return skipped(str(error))
    except SplitError as error:
        return _broken(str(error))


def judge_coin(answers: Sequence[Answer], split: Mapping[str, int]) -> Verdict:
    """Judge counts of independent draws: a right coin fails less than once in 10⁹."""
    counts = counts_of(answers)
    known = sum(counts.values())
    told = _told(split, counts, known)
    for revision in {**split, **counts}:
        share = split.get(revision, 0) / PERCENT
        got = counts.get(revision, 0)
        low, high = interval(known, share, FALSE_ALARM / len(split))
        if not low <= got <= high:
            return _broken(
                f"{told}: {revision} got {got}; a right coin gives {low} to {high}"
                " all but once in a billion"
            )
    percents = " : ".join(str(percent) for percent in split.values())
    low, high = interval(known, next(iter(split.values())) / PERCENT, FALSE_ALARM / len(split))
    return _held(
        f"{told}; {percents} by coin gives the first {low} to {high}, all but once in a billion"
    )


def judge_none(answers: Sequence[Answer], revision: str, *, from_now: bool) -> Verdict:
    got = sum(answer.revision == revision for answer in answers)
    which = f"the next {len(answers)}" if from_now else f"{len(answers)}"
    if got:
        return _broken(f"{got} of {which} requests reached {revision}, want none")
    return _held(f"of {which} requests, not one reached {revision}")


def judge_say(answers: Sequence[Answer], say: Mapping[str, str]) -> Verdict:
    for answer in answers:
        want = say.get(answer.revision)
        if want is not None and not answer.error and answer.text != want:
            return _broken(f"{answer.revision} said {answer.text!r}, want {want!r}")
    counts = counts_of(answers)
    told = ", ".join(f"{counts.get(revision, 0)} × “{text}”" for revision, text in say.items())
    return _held(f"the answers were {told}")


def judge_order(answers: Sequence[Answer]) -> Verdict:
    """Judge whether the order of revisions is a pattern that a client could run into."""
    order = [answer.revision for answer in answers]
    if len(order) < ORDER_REQUESTS_MIN:
        want = f"{ORDER_REQUESTS_MIN} requests are needed to judge the order"
        return _broken(f"{want}, these are {len(order)}")
    for period in range(1, ORDER_PERIOD_MAX + 1):
        if order[period:] == order[:-period]:
            return _broken(f"the order repeats itself every {period} requests")
    return _held("in an order that nobody could predict")


def judge_latency(claim: LatencyClaim, answers: Sequence[Answer]) -> Iterator[Verdict]:
    """Yield a verdict for each percentile: the nearest rank of the answers that came."""
    latencies = sorted(
        answer.done_s - answer.planned_s
        for answer in answers
        if not answer.error and claim.revision in ("", answer.revision)
    )
    whose = f" of {claim.revision}" if claim.revision else ""
    if not latencies:
        yield _broken(f"there is no whole answer{whose} to measure")
        return
    for name in PERCENTILES:
        wanted = getattr(claim, name)
        if not wanted:
            continue
        share = 1.0 if name == "max" else int(name[1:]) / PERCENT
        got = latencies[max(0, math.ceil(share * len(latencies)) - 1)]
        told = f"{name}{whose} is {got * 1000:.3g} ms over {len(latencies)} answers"
        fits = got <= seconds(wanted)
        yield _held(f"{told}, at most {wanted}") if fits else _broken(f"{told}, want {wanted}")


def judge_event(events: Sequence[Mapping[str, Any]], claim: EventClaim) -> Verdict:
    """Judge whether one of an object's Events is as told."""
    asked = " ".join(part for part in (claim.type, claim.reason) if part) or "an Event"
    wanted = f"{asked} with “{claim.message}”" if claim.message else asked
    for event in events:
        message = str(event.get("message", ""))
        if (
            claim.reason in ("", event.get("reason"))
            and claim.type in ("", event.get("type"))
            and claim.message in message
        ):
            short = message if len(message) <= MESSAGE_MAX else f"{message[:MESSAGE_MAX]}…"
            return _held(f"{claim.about} has the Event {event.get('reason')}: {short}")
    reasons = ", ".join(sorted({str(event.get("reason")) for event in events})) or "none"
    return _broken(f"{claim.about} has no Event {wanted}; it has {reasons}")


def judge_log(output: str, claim: LogClaim) -> Verdict:
    """Judge whether a log contains a text."""
    for line in output.splitlines():
        if claim.contains in line:
            return _held(f"{claim.of} printed: {line.strip()[:MESSAGE_MAX]}")
    last = output.strip().splitlines()[-1:] or ["nothing"]
    return _broken(f"{claim.of} did not print “{claim.contains}”; its last line is: {last[0]}")


def judge_response(status: int, body: str, want_status: int, want_body: str | None) -> Verdict:
    """Judge one answer; status 0 is no answer, and `body` says why."""
    got = f"{status} “{body.strip()[:200]}”" if status else f"no answer ({body})"
    if status != want_status:
        return _broken(f"it answered {got}, want {want_status}")
    if want_body is not None and body.strip() != want_body.strip():
        return _broken(f"it answered {got}, want “{want_body.strip()}”")
    return _held(f"it answered {got}")


def judge_output(output: str, want: str) -> Verdict:
    """Judge whether a command printed a text; white space counts as one blank."""
    if " ".join(want.split()) in " ".join(output.split()):
        return _held(f"it printed “{want}”")
    got = " ".join(output.split())[-300:]
    return _broken(f"it did not print “{want}” but “{got}”")


def judge_refusal(status: int, output: str, want: str) -> Verdict:
    """Judge whether a manifest was refused with this message."""
    if status == 0:
        return _broken(f"it was accepted, want a refusal with “{want}”")
    if not judge_output(output, want).held:
        got = " ".join(output.split())[-300:]
        return _broken(f"it was refused with “{got}”, want “{want}”")
    return _held(f"refused: {want}")


def judge_unchanged(before: Sequence[object], after: Sequence[object]) -> Verdict:
    """Judge whether objects are what they were, to the last field."""
    if list(before) == list(after):
        return _held("nothing was changed")
    return _broken("it was changed all the same")


def judge_condition(condition: Mapping[str, str] | None, claim: ConditionClaim) -> Verdict:
    """Judge a condition of an object's present generation; None is not reported (in time)."""
    name = claim.service or claim.revision
    wanted = f"{claim.type} {claim.status}"
    wanted += f", reason {claim.reason}" if claim.reason else ""
    wanted += f", message with “{claim.message}”" if claim.message else ""
    if condition is None:
        return _broken(f"{name} does not report {claim.type}, want {wanted}")
    told = f"{name} reports {claim.type} {condition.get('status')}"
    told += f", {condition['reason']}" if condition.get("reason") else ""
    message = condition.get("message", "")
    fits = (
        condition.get("status") == claim.status
        and claim.reason in ("", condition.get("reason"))
        and claim.message in message
    )
    if fits:
        short = message if len(message) <= MESSAGE_MAX else f"{message[:MESSAGE_MAX]}…"
        return _held(f"{told}: {short}" if message else told)
    return _broken(f"{told}{': ' if message else ''}{message}; want {wanted}")


def judge_traffic(reported: Mapping[str, int], want: Mapping[str, int], service: str) -> Verdict:
    """Judge what a Service's status says, in percent per revision."""
    got = {revision: percent for revision, percent in reported.items() if percent}
    wanted = {revision: percent for revision, percent in want.items() if percent}
    told = ", ".join(f"{percent} % to {revision}" for revision, percent in got.items()) or "none"
    if got == wanted:
        return _held(f"{service} reports its traffic: {told}")
    asked = ", ".join(f"{percent} % to {revision}" for revision, percent in wanted.items())
    return _broken(f"{service} reports its traffic: {told}; want {asked}")


def counts_of(answers: Sequence[Answer]) -> dict[str, int]:
    """Return how many requests each revision answered, by name; those nobody did are left out."""
    counts = Counter(answer.revision for answer in answers if answer.revision)
    return dict(sorted(counts.items()))


def skipped(why: str) -> Verdict:
    """Return that a claim was left out."""
    return Verdict(held=False, sentence=why, skipped=True)


def _held(sentence: str) -> Verdict:
    return Verdict(held=True, sentence=sentence)


def _broken(sentence: str) -> Verdict:
    return Verdict(held=False, sentence=sentence)


def _told(split: Mapping[str, int], counts: Mapping[str, int], known: int) -> str:
    listed = " : ".join(str(counts.get(revision, 0)) for revision in {**split, **counts})
    return f"{known} requests split {listed}"
