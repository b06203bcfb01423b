"""One turn of one gateway: the load, and what became of it as numbers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

from benchmarks.harness import processes
from benchmarks.harness.documents.gateway import Sample
from benchmarks.harness.errors import BenchmarkError
from benchmarks.harness.gateway import figures
from benchmarks.harness.gateway.contender import Contender
from benchmarks.harness.gateway.deviation import Deviation, SplitTrack, error_percent
from benchmarks.harness.gateway.peak import peak_per_s
from benchmarks.harness.gateway.plan import GatewayPlan
from benchmarks.harness.gateway.usage import Usage
from simulator.load.processes import run_in_processes
from simulator.load.report import LATE_AFTER_S, LATE_SHARE_MAX, LoadReport

Judge = Callable[[LoadReport], str]


class Turn(NamedTuple):
    """A sample, and where the split stood at the end of each of its slices."""

    sample: Sample
    deviations: Sequence[Deviation] = ()


class Turns:
    """Takes turns; `cores` are the load's, empty for any. Splits are followed from turn to turn."""

    def __init__(self, plan: GatewayPlan, cores: Sequence[int], judge: Judge) -> None:
        self._plan = plan
        self._judge = judge
        self._cores = tuple(cores)
        self._tracks: dict[str, SplitTrack | None] = {}
        self._began = time.monotonic()

    async def take(self, contender: Contender, pair: int) -> Turn:
        """Load a gateway once. Raise BenchmarkError when nobody answered; LoadFailed."""
        plan, begin_s = self._plan, time.monotonic() - self._began
        before = contender.replicas() if contender.replicas else frozenset()
        report, usage = await self._load(contender)
        used = usage.so_far(report.all.requests)
        report.rename(contender.words)
        deviations = self._follow(contender, report)
        if not report.all.latencies.count:
            kinds = ", ".join(f"{count} {kind}" for kind, count in report.all.errors.items())
            raise BenchmarkError(
                f"{contender.name} answered no request ({kinds or 'none was due'})"
            )
        answered = {name: tally for name, tally in report.revisions.items() if tally.requests}
        metrics = {
            **figures.report_of(report, is_open=not plan.closed),
            **used,
            **figures.split_of(deviations),
        }
        if contender.due.shares:
            metrics["split_error_percent"] = error_percent(report.shares(), contender.due.shares)
        if contender.replicas:
            metrics["cold_starts"] = len(contender.replicas() - before)
        void = self._judge(report)
        if plan.peak_s and not void:
            metrics["peak_requests_per_s"] = await peak_per_s(plan, contender, self._cores)
        assert report.timeline is not None  # the plan has slices
        sample = Sample(
            pair=pair,
            gateway=contender.name,
            begin_s=begin_s,
            metrics=metrics,
            revisions={name: figures.tally_of(each) for name, each in sorted(answered.items())},
            errors=report.all.errors,
            slices=figures.slices_of(report.timeline, deviations),
            void=void,
        )
        return Turn(sample, deviations)

    async def _load(self, contender: Contender) -> tuple[LoadReport, Usage]:
        plan = self._plan
        usage = Usage(contender.pids)
        loop = asyncio.get_running_loop()

        def begun(moment: float) -> None:
            loop.call_later(moment + plan.warm_s - time.monotonic(), usage.begin)

        def started(pid: int) -> None:
            if self._cores:
                processes.pin(pid, self._cores)

        load = plan.load_on(contender.address, contender.port, contender.host)
        return await run_in_processes(load, plan.processes, started, begun), usage

    def _follow(self, contender: Contender, report: LoadReport) -> list[Deviation]:
        """Follow the split over this turn; a turn that is void had its requests, too."""
        if self._plan.peak_s:  # whose requests nobody followed: each turn begins in the middle
            contender = replace(contender, due=replace(contender.due, from_first_turn=False))
            self._tracks.pop(contender.name, None)
        track = self._tracks.setdefault(contender.name, contender.track())
        if track is None or report.timeline is None:
            return []
        track.warm(report.warm)
        return track.follow(report.timeline.slices)


def why_void(report: LoadReport) -> str:
    """Return why a turn does not count: its generator was late. "" when it does. Pure."""
    if not report.behind_schedule:
        return ""
    if report.late_share <= LATE_SHARE_MAX:
        return f"it worked, or waited for a core, {report.occupied_share:.0%} of the time"
    return (
        f"{report.late_share:.1%} of the requests left more than {LATE_AFTER_S * 1e3:g} ms late,"
        f" the latest by {report.worst_delay_s * 1e3:.0f} ms"
    )
