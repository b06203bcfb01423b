"""A whole run: the subject and its peers take turns, pair by pair, another one first each time."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path

from benchmarks.harness import processes
from benchmarks.harness.cores import Cores, available_cores, rotated, share_out
from benchmarks.harness.documents.gateway import Gateway, GatewayResult, Sample
from benchmarks.harness.errors import BenchmarkError
from benchmarks.harness.gateway import figures, peak, rivals
from benchmarks.harness.gateway.contender import Backing, Contender
from benchmarks.harness.gateway.plan import GatewayPlan
from benchmarks.harness.gateway.subjects import Found
from benchmarks.harness.gateway.turns import Judge, Turns, why_void

VOID_TURNS_MAX = 2  # a turn is repeated so often; after that the machine is not fit
GENERATOR_SHARE_MAX = 0.1  # of a p99 that may be the generator's own delay, unsaid

Say = Callable[[str], None]


class FellBehind(BenchmarkError):
    """The generator could not keep its schedule, so that there is nothing to report."""


@dataclass(frozen=True)
class Outcome:
    """What was found, what a reader must know, and which splitters broke their bound."""

    result: GatewayResult
    notes: tuple[str, ...]
    broken: tuple[str, ...]


async def measure(
    plan: GatewayPlan,
    subject: AbstractAsyncContextManager[Found],
    say: Say,
    judge: Judge = why_void,
) -> Outcome:
    """Measure a subject beside the plan's peers. Raise FellBehind, BenchmarkError, KnaryError.

    `judge` says of a load's report why it does not count, "" when it does.

    However it ends, everything that it started has ended, too.
    """
    notes: list[str] = []
    async with subject as (contender, backing):
        with ExitStack() as stack:
            contenders = [contender]
            cores: Cores | None = None
            if backing is not None:
                folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="knary-")))
                contenders += stack.enter_context(
                    rivals.running(plan, contender, backing, folder, notes.append)
                )
                cores = _pinned(plan, contenders, backing, notes)
            if plan.peak_s and (why := peak.lacks(plan, contender.address)):
                raise BenchmarkError(f"no peak rates: {why}")
            turns = Turns(plan, cores.load if cores else (), judge)
            return await _rounds(plan, contenders, turns, notes, say)


def _pinned(
    plan: GatewayPlan, contenders: Sequence[Contender], backing: Backing, notes: list[str]
) -> Cores | None:
    """Give gateways some cores, replicas and load the others; None where that cannot be."""
    try:
        cores = share_out(available_cores(), plan.workers)
    except (AttributeError, ValueError):  # macOS; or fewer cores than workers
        notes.append("gateways, replicas and load shared all cores")
        return None
    for pid in backing.pids:
        processes.pin(pid, cores.load)
    for contender in contenders:
        for index, pid in enumerate(contender.pids):
            several = len(contender.pids) > 1  # one with threads places them itself
            own = (cores.proxy[index % len(cores.proxy)],) if several else cores.proxy
            processes.pin(pid, own)
    return cores


async def _rounds(
    plan: GatewayPlan,
    contenders: Sequence[Contender],
    turns: Turns,
    notes: list[str],
    say: Say,
) -> Outcome:
    by_name = {contender.name: contender for contender in contenders}
    samples: list[Sample] = []
    broken: dict[str, str] = {}
    for pair in range(plan.pairs):
        for name in rotated(tuple(by_name), pair):
            say(f"{name}, turn {pair + 1} of {plan.pairs}")
            for _ in range(VOID_TURNS_MAX + 1):
                turn = await turns.take(by_name[name], pair)
                samples.append(turn.sample)
                for each in turn.deviations:
                    if each.is_broken:
                        broken[name] = (
                            f"{name} strayed {each.lag_requests:.2f} requests from its shares,"
                            f" where {by_name[name].due.splitter} allows {each.bound_requests:.2f}"
                        )
                if not turn.sample.void:
                    break
                say(f"{name}: void, {turn.sample.void}")
            else:
                raise FellBehind(f"the load generator fell behind: {turn.sample.void}")
    ours = contenders[0].name
    counted = [sample for sample in samples if not sample.void]
    notes += doubts(plan, samples)
    result = GatewayResult(
        gateways=tuple(gateway_of(each, plan) for each in contenders),
        samples=tuple(samples),
        comparisons=figures.comparisons(counted, ours, is_open=not plan.closed),
    )
    return Outcome(result, tuple(notes), tuple(broken.values()))


def gateway_of(contender: Contender, plan: GatewayPlan) -> Gateway:
    """Return what a document says of a gateway. Pure."""
    return Gateway(
        name=contender.name,
        version=contender.version,
        address=f"{contender.address}:{contender.port}",
        splitter=contender.due.splitter,
        workers=contender.due.workers or plan.workers,
        shares=dict(contender.due.shares),
    )


def doubts(plan: GatewayPlan, samples: Sequence[Sample]) -> list[str]:
    """Return what makes the numbers less worth than they look. Pure."""
    found = []
    void = sum(bool(sample.void) for sample in samples)
    if void:
        found.append(f"{void} of {len(samples)} turns were void and repeated: something else ran")
    shares = [
        sample.metrics["generator_p99_us"] / sample.metrics["p99_us"]
        for sample in samples
        if not sample.void and {"generator_p99_us", "p99_us"} <= set(sample.metrics)
    ]
    if shares and max(shares) > GENERATOR_SHARE_MAX:
        found.append(
            f"the generator itself was late by up to {max(shares):.0%} of a p99:"
            " more of --processes, a lower --rate or a quieter machine says more"
        )
    if plan.closed:
        found.append("a closed loop: a slow gateway slowed the load down, and hides it")
    return found
