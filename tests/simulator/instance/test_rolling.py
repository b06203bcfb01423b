"""Workers replaced one after the other, with real processes that stand in for them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from simulator.clock import SystemClock
from simulator.instance.children import Child, ChildPlan, Surroundings
from simulator.instance.lock import is_alive
from simulator.instance.options import ParentSettings
from simulator.instance.rolling import Workers
from tests.support import standin
from tests.support.waiting import eventually_async

COMMAND = (sys.executable, "-P", standin.__file__)


class Stage:
    """Two workers; `lives` says how each start of either in turn behaves."""

    def __init__(self, folder: Path, *lives: str) -> None:
        self.folder = folder
        self._life = os.pipe()
        self._log = os.open(folder / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._around = Surroundings(
            self._life[0], self._log, {"PATH": os.environ["PATH"]}, COMMAND, ParentSettings()
        )
        self.workers = Workers(
            tuple(self._plan(index, lives) for index in range(2)), self._child, self._ended, 20.0
        )

    def _plan(self, index: int, lives: tuple[str, ...]) -> ChildPlan:
        record = self.folder / f"record-{index}"
        record.touch()
        return ChildPlan(
            name="gateway",
            title=f"gateway worker {index}",
            settings={"record": str(record), "lives": lives},
            stop_s_max=1.0,
            pid_file=self.folder / f"pid-{index}",
        )

    def _child(self, plan: ChildPlan, give_up: Callable[[str, str], None]) -> Child:
        return Child(plan, self._around, clock=SystemClock(), give_up=give_up)

    @staticmethod
    def _ended(why: str, error: str) -> None:
        raise AssertionError(f"{why} {error}")

    @property
    def pids(self) -> list[int]:
        lines = [line.split() for one in range(2) for line in self._record(one)]
        return [int(pid) for _, pid in lines if pid.isdigit()]

    def _record(self, index: int) -> list[str]:
        return (self.folder / f"record-{index}").read_text().splitlines()

    @contextlib.asynccontextmanager
    async def kept(self) -> AsyncIterator[asyncio.TaskGroup]:
        """Keep the workers as a parent does; who is left when it stops them is none of `all`."""
        async with asyncio.timeout(30), asyncio.TaskGroup() as group:
            for child in self.workers.children:
                group.create_task(child.keep())
            yield group
            self.workers.restart_no_more()
            await asyncio.gather(*(child.stop() for child in self.workers.all()))
        for descriptor in (*self._life, self._log):
            os.close(descriptor)
        assert not any(is_alive(pid) for pid in self.pids)


async def ready(stage: Stage) -> None:
    for child in stage.workers.children:
        await child.ready.wait()


def test_who_is_told_twice_to_restart_and_then_to_stop_stops(tmp_path: Path) -> None:
    async def story() -> None:
        stage = Stage(tmp_path, "serve", "deaf")
        async with stage.kept() as group:
            await ready(stage)
            stage.workers.restart(group)
            stage.workers.restart(group)
            await eventually_async("a successor starts", lambda: len(stage.pids) > 2)

    asyncio.run(story())


def test_workers_are_not_replaced_while_they_start(tmp_path: Path) -> None:
    async def story() -> None:
        stage = Stage(tmp_path, "serve")
        async with stage.kept() as group:
            stage.workers.restart(group)
            await ready(stage)
            assert len(stage.pids) == 2

    asyncio.run(story())


def test_a_worker_whose_successor_does_not_start_keeps_the_file_of_its_id(tmp_path: Path) -> None:
    async def story() -> None:
        stage = Stage(tmp_path, "serve", "crash")
        async with stage.kept() as group:
            await ready(stage)
            first = stage.workers.children[0]
            stage.workers.restart(group)
            await eventually_async("a successor starts", lambda: len(stage.pids) == 3)
            await eventually_async("it is given up", lambda: not stage.workers.leaving)
            await eventually_async(
                "the file is the first one's again",
                lambda: (
                    (tmp_path / "pid-0").exists()
                    and (tmp_path / "pid-0").read_text() == str(first.pid)
                ),
            )
            assert stage.workers.children[0] is first

    asyncio.run(story())
