"""Carries out a plan with several processes that begin as one; their counts add up exactly."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec

from simulator.errors import KnaryError
from simulator.instance.environment import child_environment
from simulator.load.child import READY
from simulator.load.plan import LoadPlan, Part
from simulator.load.report import LoadReport, ReportCounts
from simulator.load.schedule import duration_of

PROCESSES_MAX = 64


class LoadFailed(KnaryError):
    """A process of the load ended without its counts."""


@dataclass(frozen=True)
class ProcessesSettings:
    """The bounds of starting and of waiting for counts."""

    ready_wait_s_max: float = 30.0
    begin_in_s: float = 0.05  # until all of them have read when to begin
    counts_wait_s_max: float = 30.0  # after the last request is over, by its time-out at the latest


async def run_in_processes(
    plan: LoadPlan,
    count: int,
    started: Callable[[int], None] = lambda _: None,
    begun: Callable[[float], None] = lambda _: None,
    settings: ProcessesSettings = ProcessesSettings(),
) -> LoadReport:
    """Carry out a plan that has an end: `started` is told each process's id before it begins, and
    `begun` the moment (time.monotonic) from which the plan counts.

    Raise LoadFailed. Cancelled, or failed, it leaves no process behind.
    """
    processes: list[Process] = []
    try:
        for index in range(count):
            process = await _start(plan, Part(index, count))
            processes.append(process)  # one by one: `finally` must know those that were started
        async with asyncio.timeout(settings.ready_wait_s_max):
            for process in processes:
                await _wait_ready(process)
                started(process.pid)
        moment = time.monotonic() + settings.begin_in_s
        _begin(processes, moment)
        begun(moment)
        longest = _longest_s(plan)
        wait = None if longest is None else longest + settings.counts_wait_s_max
        async with asyncio.timeout(wait):
            counted = await asyncio.gather(*(_counts(process) for process in processes))
    except TimeoutError:
        raise LoadFailed("the processes of the load did not start, or end, in time") from None
    finally:
        await _end(processes)
    report = LoadReport(plan)
    for told in counted:
        report.add(told)
    return report


def _longest_s(plan: LoadPlan) -> float | None:
    """Return after how long the last request is over; None when the plan does not say."""
    duration = duration_of(plan.schedule)
    return None if duration is None else duration + plan.timeout_s


async def _start(plan: LoadPlan, part: Part) -> Process:
    settings = msgspec.json.encode(msgspec.structs.replace(plan, part=part)).decode()
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "knary.process", "load", settings),
        stdin=PIPE,
        stdout=PIPE,
        env=child_environment(os.environ),
        start_new_session=True,  # Ctrl-C reaches us alone, and we end them
    )


async def _wait_ready(process: Process) -> None:
    assert process.stdout is not None  # noqa: S101 (PIPE)
    if await process.stdout.readline() != READY:
        raise LoadFailed("a process of the load did not start; what it said is above")


def _begin(processes: Sequence[Process], moment: float) -> None:
    for process in processes:
        assert process.stdin is not None  # noqa: S101 (PIPE)
        process.stdin.write(f"{moment!r}\n".encode())


async def _counts(process: Process) -> ReportCounts:
    """Return what a process counted, at its end. Its plan bounds how long that takes."""
    assert process.stdout is not None  # noqa: S101 (PIPE)
    told = await process.stdout.read()
    try:
        return msgspec.msgpack.decode(told, type=ReportCounts)
    except msgspec.DecodeError as error:
        status = await process.wait()
        raise LoadFailed(f"a process of the load ended with {status}, without counts") from error


async def _end(processes: Sequence[Process]) -> None:
    for process in processes:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()  # it holds nothing but its connections
        await process.wait()
