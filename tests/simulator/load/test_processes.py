"""Several processes send one plan: real processes and sockets."""

from __future__ import annotations

import asyncio
import os
from collections import Counter

import pytest

from simulator.load.plan import LoadPlan
from simulator.load.processes import LoadFailed, run_in_processes
from simulator.load.report import LoadReport
from simulator.load.schedule import AsFastAsPossible, ConstantRate, PoissonRate, Schedule, moments
from tests.support.load_server import LoadServer, Reply, load_server
from tests.support.waiting import eventually_async

HOST = "hello.default.example.com"


def sent(schedule: Schedule, processes: int, **changes) -> tuple[LoadReport, LoadServer, list[int]]:
    async def main() -> tuple[LoadReport, LoadServer, list[int]]:
        pids: list[int] = []
        async with load_server(lambda n: Reply(revision=f"hello-0000{1 + n % 2}")) as server:
            plan = LoadPlan("127.0.0.1", server.port, HOST, schedule, **changes)
            report = await run_in_processes(plan, processes, pids.append)
        return report, server, pids

    return asyncio.run(main())


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_three_processes_send_what_one_would_have() -> None:
    schedule = PoissonRate(300, 0.5, seed=4)
    report, server, pids = sent(schedule, 3, slice_s=0.1)
    planned = list(moments(schedule))
    assert report.all.requests == len(server.heads) == report.due == len(planned)
    assert report.all.failed == 0
    assert sum(tally.requests for tally in report.revisions.values()) == len(planned)
    assert report.timeline is not None
    told = {i: each.requests for i, each in enumerate(report.timeline.slices) if each.requests}
    # A moment is a sum of floats: one exactly on a boundary may fall on either side of it.
    assert told == Counter(int(moment // 0.1) for moment in planned)
    assert len(set(pids)) == 3
    assert all(map(is_gone, pids))


def test_a_closed_loop_has_its_connections_in_all() -> None:
    report, server, _ = sent(AsFastAsPossible(41, connections=4), 2, connections_max=4)
    assert report.all.requests == 41
    assert server.connections == 4


def test_a_cancelled_load_leaves_no_process_behind() -> None:
    async def main() -> list[int]:
        pids: list[int] = []
        async with load_server(lambda _: Reply(silent=True)) as server:
            plan = LoadPlan("127.0.0.1", server.port, HOST, ConstantRate(500, 60.0))
            task = asyncio.create_task(run_in_processes(plan, 2, pids.append))
            async with asyncio.timeout(30):
                await eventually_async("requests are under way", lambda: len(server.heads) >= 5)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
        return pids

    pids = asyncio.run(main())
    assert len(pids) == 2
    assert all(map(is_gone, pids))


def test_a_process_that_dies_is_an_error_and_takes_the_others_with_it() -> None:
    async def main() -> list[int]:
        pids: list[int] = []

        async def kill_one(server: LoadServer) -> None:
            await eventually_async("requests are under way", lambda: len(server.heads) >= 5)
            os.kill(pids[0], 9)

        async with load_server(lambda _: Reply()) as server:
            plan = LoadPlan("127.0.0.1", server.port, HOST, ConstantRate(200, 1.0))
            async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
                tasks.create_task(kill_one(server))
                with pytest.raises(LoadFailed, match="without counts"):
                    await run_in_processes(plan, 2, pids.append)
        return pids

    assert all(map(is_gone, asyncio.run(main())))
