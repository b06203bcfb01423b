"""One child: started, watched, started again, stopped. With real processes."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from simulator.clock import SystemClock
from simulator.instance.children import (
    Child,
    ChildPlan,
    Surroundings,
    describe_exit,
    restart_delay_s,
)
from simulator.instance.lock import is_alive
from simulator.instance.options import ParentSettings
from tests.support import standin
from tests.support.waiting import eventually_async

LIMITS = ParentSettings(restart_delay_s_first=0.01, restart_delay_s_max=0.02)


class Stage:
    """A child and what it did."""

    def __init__(
        self,
        folder: Path,
        *lives: str,
        stop_s_max: float = 20.0,
        command: tuple[str, ...] = (sys.executable, "-P", standin.__file__),
    ) -> None:
        self.record = folder / "record"
        self.record.touch()
        self.log = folder / "log"
        self.given_up: list[tuple[str, str]] = []
        self._life, self._life_end = os.pipe()
        self._log = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        environment = {"PATH": os.environ["PATH"]}
        self.child = Child(
            ChildPlan(
                name="gateway",
                title="gateway worker 0",
                settings={"record": str(self.record), "lives": lives},
                stop_s_max=stop_s_max,
                pid_file=folder / "pid",
            ),
            Surroundings(self._life, self._log, environment, command, LIMITS),
            clock=SystemClock(),
            give_up=lambda *why: self.given_up.append(why),
        )

    @property
    def pids(self) -> list[int]:
        words = [line.split() for line in self.record.read_text().splitlines()]
        return [int(pid) for _, pid in words if pid.isdigit()]

    def end_life(self) -> None:
        if self._life_end >= 0:
            os.close(self._life_end)
            self._life_end = -1

    @contextlib.asynccontextmanager
    async def kept(self) -> AsyncIterator[Child]:
        """Keep the child as the parent does; in the end nothing of it may be left."""
        keeping = asyncio.ensure_future(self.child.keep())
        try:
            yield self.child
        finally:
            await self.child.kill()
            await keeping
            self.end_life()
            os.close(self._life)
            os.close(self._log)
        assert not any(is_alive(pid) for pid in self.pids)


def test_a_child_is_ready_when_it_says_so(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with Stage(tmp_path, "serve").kept() as child:
            await child.ready.wait()
            assert child.pid is not None
            assert (tmp_path / "pid").read_text() == str(child.pid)
            assert os.getsid(child.pid) == child.pid  # no Ctrl-C of the terminal reaches it

    asyncio.run(scenario())


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV])
def test_a_child_that_dies_is_started_again_at_once(tmp_path: Path, number: int) -> None:
    async def scenario() -> None:
        stage = Stage(tmp_path, "serve")
        async with stage.kept() as child:
            await child.ready.wait()
            first = child.pid
            assert first is not None
            os.kill(first, number)
            await eventually_async("a second life", lambda: len(stage.pids) == 2)
            assert child.pid not in (None, first)
            assert (tmp_path / "pid").read_text() == str(child.pid)

    asyncio.run(scenario())


def test_a_child_that_keeps_dying_is_started_again_and_again(tmp_path: Path) -> None:
    async def scenario() -> None:
        stage = Stage(tmp_path, "crash-later")
        async with stage.kept():
            await eventually_async("five lives", lambda: len(stage.pids) >= 5)
        assert stage.given_up == []

    asyncio.run(scenario())


def test_a_child_runs_although_its_process_id_cannot_be_written(tmp_path: Path) -> None:
    async def scenario() -> None:
        stage = Stage(tmp_path, "serve")
        (tmp_path / "pid").mkdir()  # stands for a full disk
        async with stage.kept() as child:
            await child.ready.wait()
            assert child.pid is not None
            os.kill(child.pid, signal.SIGKILL)
            await eventually_async("the second start", lambda: len(stage.pids) == 2)

    asyncio.run(scenario())


def test_a_program_that_cannot_be_started_is_given_up_with_the_reason(tmp_path: Path) -> None:
    async def scenario() -> None:
        stage = Stage(tmp_path, "serve", command=(str(tmp_path / "absent"),))
        async with stage.kept():
            await eventually_async("the end of trying", lambda: stage.given_up)
        why = "gateway worker 0 cannot be started: No such file or directory"
        assert stage.given_up == [(why, "")]

    asyncio.run(scenario())


def test_a_child_that_was_never_ready_is_given_up(tmp_path: Path) -> None:
    async def scenario() -> None:
        stage = Stage(tmp_path, "crash")
        async with stage.kept():
            await eventually_async("giving up", lambda: stage.given_up)
        assert stage.given_up == [("gateway worker 0 ended: exit status 3", "")]
        assert len(stage.pids) == 1
        assert stage.log.read_text() == "no such thing as a free lunch\n"

    asyncio.run(scenario())


def test_what_a_child_says_of_its_failure_to_start_is_handed_on(tmp_path: Path) -> None:
    async def scenario() -> None:
        stage = Stage(tmp_path, "explain")
        async with stage.kept() as child:
            await eventually_async("giving up", lambda: stage.given_up)
            assert not child.ready.is_set()
        assert stage.given_up == [("gateway worker 0 ended: exit status 3", "the disk is full")]

    asyncio.run(scenario())


def test_a_child_that_is_told_to_stop_ends_by_itself_and_stays_away(tmp_path: Path) -> None:
    async def scenario() -> None:
        stage = Stage(tmp_path, "serve")
        async with stage.kept() as child:
            await child.ready.wait()
            await child.stop()
            assert stage.record.read_text().endswith("gateway: stopped\n")
            assert child.pid is None
            assert not (tmp_path / "pid").exists()
        assert len(stage.pids) == 1

    asyncio.run(scenario())


def test_a_child_that_does_not_hear_is_killed_when_its_time_is_over(tmp_path: Path) -> None:
    async def scenario() -> None:
        stage = Stage(tmp_path, "deaf", stop_s_max=0.1)
        async with stage.kept() as child:
            await child.ready.wait()
            await child.stop()
            assert child.pid is None
        assert "stopped" not in stage.record.read_text()

    asyncio.run(scenario())


def test_a_stop_ends_the_wait_before_the_next_start(tmp_path: Path) -> None:
    async def scenario() -> None:
        stage = Stage(tmp_path, "crash-later")
        async with stage.kept() as child:
            await child.ready.wait()
            await child.stop()
        assert not any(is_alive(pid) for pid in stage.pids)

    asyncio.run(scenario())


def test_a_child_ends_with_its_parent(tmp_path: Path) -> None:
    async def scenario() -> None:
        stage = Stage(tmp_path, "deaf")
        async with stage.kept() as child:
            await child.ready.wait()
            stage.end_life()
            assert await child.ended_within(20.0)

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("short_lives", "delay_s"),
    [
        pytest.param(0, 0.0, id="after a long life at once"),
        pytest.param(1, 0.0, id="after the first short one too"),
        pytest.param(2, 0.1, id="then it begins"),
        pytest.param(3, 0.2, id="to double"),
        pytest.param(7, 3.2, id="and double"),
        pytest.param(8, 5.0, id="up to its bound"),
        pytest.param(10**9, 5.0, id="for ever"),
    ],
)
def test_how_long_the_next_start_waits(short_lives: int, delay_s: float) -> None:
    assert restart_delay_s(short_lives, ParentSettings()) == pytest.approx(delay_s)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (0, "exit status 0"),
        (3, "exit status 3"),
        (-9, "killed by SIGKILL"),
        (-99, "killed by signal 99"),
    ],
)
def test_an_exit_code_in_words(code: int, words: str) -> None:
    assert describe_exit(code) == words


def test_the_bounds_can_be_set() -> None:
    limits = replace(ParentSettings(), restart_delay_s_first=1.0, restart_delay_s_max=3.0)
    assert [restart_delay_s(n, limits) for n in (1, 2, 3, 4)] == [0.0, 1.0, 2.0, 3.0]
