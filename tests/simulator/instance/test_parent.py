"""The parent: starts all, restarts who dies, stops in order, leaves nothing. With stand-ins."""

from __future__ import annotations

import asyncio
import io
import os
import signal
import sys
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import pytest

from simulator.clock import SystemClock
from simulator.errors import KnaryError
from simulator.instance import description as descriptions
from simulator.instance.children import ChildPlan, Surroundings
from simulator.instance.description import Description
from simulator.instance.folders import make_run_folders
from simulator.instance.lock import is_alive
from simulator.instance.options import ParentSettings, UpOptions
from simulator.instance.parent import EXIT_INTERRUPTED, EXIT_OK, Parent, Work
from simulator.instance.paths import InstancePaths
from simulator.instance.plans import Plans
from simulator.instance.terminal import Terminal
from tests.support import standin
from tests.support.described import HERE
from tests.support.waiting import eventually_async

LIMITS = ParentSettings(restart_delay_s_first=0.01, restart_delay_s_max=0.02, end_s_max=0.2)


class Stage:
    """A parent whose children are stand-ins; `lives` says by name how they live."""

    def __init__(
        self,
        data: Path,
        apply: Callable[[], None] | None = None,
        **lives: tuple[str, ...],
    ) -> None:
        self.paths = InstancePaths(data)
        make_run_folders(self.paths)
        self.record = data / "record"
        self.record.touch()
        self.paths.log.touch()
        self.out, self.err = io.StringIO(), io.StringIO()
        self._life, self._life_end = os.pipe()
        self._log = os.open(self.paths.log, os.O_WRONLY | os.O_APPEND)

        def plan(name: str, title: str) -> ChildPlan:
            settings = {
                "record": str(self.record),
                "lives": lives.get(name.replace("-", "_"), ("serve",)),
            }
            return ChildPlan(name, title, settings, stop_s_max=10.0)

        manifests = () if apply is None else (data / "service.yaml",)
        plans = Plans(
            launcher=plan("launcher", "the launcher"),
            control_plane=plan("control-plane", "the control plane"),
            workers=(plan("gateway", "gateway worker 0"), plan("gateway-1", "gateway worker 1")),
        )
        command = (sys.executable, "-P", standin.__file__)
        self.parent = Parent(
            Work(UpOptions(data, manifests=manifests), described(data), plans),
            Surroundings(self._life, self._log, {"PATH": os.environ["PATH"]}, command, LIMITS),
            fill=apply or (lambda: None),
            export=lambda: None,
            end_life=self._end_life,
            terminal=Terminal(self.out, self.err),
            clock=SystemClock(),
        )

    def _end_life(self) -> None:
        if self._life_end >= 0:
            os.close(self._life_end)
            self._life_end = -1

    def run(self, *acts: Callable[[], Awaitable[object]]) -> int:
        """Run the parent while the acts happen, one after the other; return its exit status."""

        async def scenario() -> int:
            async with asyncio.TaskGroup() as group:
                running = group.create_task(self.parent.run())
                for act in acts:
                    await act()
                async with asyncio.timeout(20):
                    return await running

        try:
            return asyncio.run(scenario())
        except BaseExceptionGroup as group:
            raise group.exceptions[0] from group
        finally:
            self._end_life()
            os.close(self._life)
            os.close(self._log)
            assert not any(is_alive(int(pid)) for _, pid in self.starts())
            assert not self.paths.description.exists()

    async def until_ready(self) -> None:
        await eventually_async("the ready line", lambda: "is ready" in self.out.getvalue())

    async def until_started(self, name: str, times: int) -> None:
        def starts() -> bool:
            return [one for one, _ in self.starts()].count(name) >= times

        await eventually_async(f"{times} starts of {name}", starts)

    def starts(self) -> list[tuple[str, str]]:
        lines = self.record.read_text().splitlines()
        return [(words[0], words[1]) for words in map(str.split, lines) if words[1].isdigit()]

    def pid(self, name: str) -> int:
        return [int(pid) for one, pid in self.starts() if one == name][-1]

    def stops(self) -> list[str]:
        lines = self.record.read_text().splitlines()
        return [line.split(":")[0] for line in lines if line.endswith(": stopped")]


def described(data: Path) -> Description:
    return msgspec.structs.replace(HERE, pid=os.getpid(), data_folder=str(data))


async def interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)


async def terminate() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def test_it_is_ready_when_all_children_are_and_stops_them_in_order(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    assert stage.run(stage.until_ready, interrupt) == EXIT_OK
    assert {name for name, _ in stage.starts()} == {
        *("launcher", "control-plane", "gateway", "gateway-1")
    }
    assert set(stage.stops()[:2]) == {"gateway", "gateway-1"}
    assert stage.stops()[2:] == ["control-plane", "launcher"]
    assert stage.err.getvalue() == ""


def test_the_ready_line_has_the_addresses_and_is_followed_by_three_commands(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.run(stage.until_ready, terminate)
    ready, _, *commands = stage.out.getvalue().splitlines()
    assert ready == (
        "knary is ready: gateway http://127.0.0.1:8080, API https://127.0.0.1:6443,"
        " console http://127.0.0.1:8090"
    )
    assert len(commands) == 3
    assert all(command.startswith("  knary ") for command in commands)
    assert all(command.endswith(f"--data {tmp_path}") for command in commands)


def test_while_it_runs_the_folder_says_where(tmp_path: Path) -> None:
    stage = Stage(tmp_path)

    async def look() -> None:
        path = stage.paths.description
        assert descriptions.read(path) == described(tmp_path)
        assert path.stat().st_mode & 0o777 == 0o600

    assert stage.run(stage.until_ready, look, interrupt) == EXIT_OK


@pytest.mark.parametrize("name", ["launcher", "control-plane", "gateway", "gateway-1"])
def test_whoever_dies_is_started_again(tmp_path: Path, name: str) -> None:
    stage = Stage(tmp_path)

    async def kill() -> None:
        os.kill(stage.pid(name), signal.SIGKILL)

    async def reborn() -> None:
        await stage.until_started(name, 2)

    assert stage.run(stage.until_ready, kill, reborn, interrupt) == EXIT_OK


def test_a_child_that_cannot_start_ends_the_instance_with_its_last_words(tmp_path: Path) -> None:
    stage = Stage(tmp_path, control_plane=("crash",))
    with pytest.raises(KnaryError) as failed:
        stage.run()
    assert str(failed.value) == (
        "the control plane ended: exit status 3\n"
        "  no such thing as a free lunch\n"
        f"  more in {stage.paths.log}"
    )
    assert stage.out.getvalue() == ""


def test_a_child_that_says_why_it_cannot_start_is_quoted(tmp_path: Path) -> None:
    stage = Stage(tmp_path, control_plane=("explain",))
    with pytest.raises(KnaryError, match="the disk is full"):
        stage.run()


def test_a_second_signal_does_not_wait_for_anyone(tmp_path: Path) -> None:
    stage = Stage(tmp_path, gateway=("deaf",))

    async def until_other_worker_stopped() -> None:
        await eventually_async("the other worker's end", lambda: stage.stops() == ["gateway-1"])

    status = stage.run(stage.until_ready, interrupt, until_other_worker_stopped, interrupt)
    assert status == EXIT_INTERRUPTED
    assert stage.stops() == ["gateway-1"]  # the others ended with the parent's life


def test_a_signal_while_starting_stops_it_before_it_is_ready(tmp_path: Path) -> None:
    stage = Stage(tmp_path)

    async def started() -> None:
        await stage.until_started("launcher", 1)

    assert stage.run(started, terminate) == EXIT_OK


def test_an_error_of_a_manifest_is_the_instances(tmp_path: Path) -> None:
    def refuse() -> None:
        raise KnaryError("service.yaml: it has no name")

    stage = Stage(tmp_path, apply=refuse)
    with pytest.raises(KnaryError, match=r"^service\.yaml: it has no name$"):
        stage.run()
    assert stage.stops()[2:] == ["control-plane", "launcher"]
    assert stage.out.getvalue() == ""


def test_manifests_are_applied_before_the_ready_line(tmp_path: Path) -> None:
    outputs: list[str] = []
    stage = Stage(tmp_path, apply=lambda: outputs.append(stage.out.getvalue()))
    assert stage.run(stage.until_ready, interrupt) == EXIT_OK
    assert outputs == [""]


def test_a_signal_while_manifests_are_applied_does_not_wait_for_them(tmp_path: Path) -> None:
    begun, never = threading.Event(), threading.Event()
    ended: list[bool] = []

    def apply() -> None:
        begun.set()
        ended.append(never.wait(30.0))

    async def until_begun() -> None:
        await eventually_async("the manifests' turn", begun.is_set)

    stage = Stage(tmp_path, apply=apply)
    assert stage.run(until_begun, interrupt) == EXIT_OK
    assert ended == []
    assert stage.out.getvalue() == ""
    never.set()
