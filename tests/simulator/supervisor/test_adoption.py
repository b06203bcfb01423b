"""Restarts: of the control plane, of the launcher, of both."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

from simulator.launcher.protocol import Started
from simulator.resources.core import ANNOTATION_PID, Pod
from simulator.resources.meta import Key
from simulator.supervisor.status import port_of
from tests.support.launcher import Connection, LauncherProcess, helloworld, lives
from tests.support.supervised import Supervised, pod, supervised
from tests.support.waiting import eventually, eventually_async


def pid_of(one: Pod) -> int:
    return int(one.metadata.annotations[ANNOTATION_PID])


async def settled(s: Supervised) -> None:
    await asyncio.wait_for(s.supervisor.settled.wait(), 20)


def test_a_restarted_control_plane_adopts_what_runs(tmp_path: Path) -> None:
    async def run() -> None:
        with LauncherProcess(tmp_path) as launcher:
            async with supervised(tmp_path, launcher.socket) as s:
                await s.store.create(pod())
                before = await s.until_ready()
            async with supervised(tmp_path, launcher.socket) as s:
                await settled(s)
                assert s.get() == before, "nothing happened, so nothing was written"
                os.kill(pid_of(before), signal.SIGKILL)
                await s.until("it is watched again", lambda: s.container().restart_count == 1)
                after = await s.until_ready()
                assert port_of(after) == port_of(before)

    asyncio.run(run())


def test_an_exit_that_was_missed_is_made_up_for(tmp_path: Path) -> None:
    async def run() -> None:
        with LauncherProcess(tmp_path) as launcher:
            async with supervised(tmp_path, launcher.socket) as s:
                await s.store.create(pod())
                before = await s.until_ready()
            os.kill(pid_of(before), signal.SIGKILL)
            eventually("the launcher saw it", lambda: _has_exited(launcher))
            async with supervised(tmp_path, launcher.socket) as s:
                await settled(s)
                await s.until("it restarted", lambda: s.container().restart_count == 1)
                await s.until_ready()
                last = s.container().last_state.terminated
                assert last is not None
                assert last.exit_code == 137

    asyncio.run(run())


def _has_exited(launcher: LauncherProcess) -> bool:
    with Connection(launcher.socket) as connection:
        return connection.listing.replicas[0].exited is not None


def test_a_process_whose_pod_is_gone_is_ended_and_forgotten(tmp_path: Path) -> None:
    async def run() -> None:
        with LauncherProcess(tmp_path) as launcher:
            with Connection(launcher.socket) as connection:
                connection.send(helloworld("stranger", tmp_path, 29_300))
                pid = connection.next(Started).pid
            async with supervised(tmp_path, launcher.socket):
                await eventually_async("it ended", lambda: not lives(pid))
                await eventually_async("it is forgotten", lambda: not _listed(launcher))

    asyncio.run(run())


def _listed(launcher: LauncherProcess) -> tuple[object, ...]:
    with Connection(launcher.socket) as connection:
        return connection.listing.replicas


def test_a_pod_deleted_while_nobody_looked_is_ended(tmp_path: Path) -> None:
    async def run() -> None:
        with LauncherProcess(tmp_path) as launcher:
            async with supervised(tmp_path, launcher.socket) as s:
                await s.store.create(pod())
                before = await s.until_ready()
            async with supervised(tmp_path, tmp_path / "no.sock") as s:
                await s.store.delete(Pod, Key("default", "one"))
                await s.drain()
            async with supervised(tmp_path, launcher.socket) as s:
                await s.until_gone()
                assert not lives(pid_of(before))

    asyncio.run(run())


def test_after_everything_died_every_pod_starts_again_and_says_so_at_once(tmp_path: Path) -> None:
    async def run() -> None:
        with LauncherProcess(tmp_path) as launcher:
            async with supervised(tmp_path, launcher.socket) as s:
                await s.store.create(pod())
                before = await s.until_ready()
            launcher.kill()
        with LauncherProcess(tmp_path) as launcher:
            async with supervised(tmp_path, launcher.socket) as s:
                assert s.is_ready(), "the store still says what was"
                watch = s.store.watch([Pod])
                first = (await anext(watch)).object
                watch.close()
                assert isinstance(first, Pod)
                assert first.metadata.annotations.get(ANNOTATION_PID) != str(pid_of(before))
                await s.until("a new process", lambda: _has_new_pid(s, pid_of(before)))
                await s.until_ready()
                assert s.container().restart_count == 0
                assert s.container().last_state.terminated is None

    asyncio.run(run())


def _has_new_pid(s: Supervised, old: int) -> bool:
    return s.get().metadata.annotations.get(ANNOTATION_PID, str(old)) != str(old)


def test_a_restarted_launcher_gets_every_replica_again(tmp_path: Path) -> None:
    async def run() -> None:
        with LauncherProcess(tmp_path) as first:
            async with supervised(tmp_path, first.socket) as s:
                await s.store.create(pod("a"))
                await s.store.create(pod("b"))
                pids = [pid_of(await s.until_ready(name)) for name in ("a", "b")]
                first.kill()
                await s.store.create(pod("c"))
                with LauncherProcess(tmp_path):
                    for name, old in zip(("a", "b"), pids, strict=True):
                        await s.until(
                            "a new process",
                            lambda name=name, old=old: (
                                s.get(name).metadata.annotations.get(ANNOTATION_PID)
                                not in (None, str(old))
                            ),
                        )
                        await s.until_ready(name)
                    await s.until_ready("c")
                    assert not any(map(lives, pids))

    asyncio.run(run())


def test_folders_and_logs_without_a_pod_are_removed(tmp_path: Path) -> None:
    async def run() -> None:
        leftovers = [
            tmp_path / "replicas" / "some-uid" / "tmp" / "file",
            tmp_path / "logs" / "default" / "gone.log",
            tmp_path / "logs" / "default" / "gone.log.1",
            tmp_path / "logs" / "default" / "gone.log.previous.marks",
        ]
        for file in leftovers:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch()
        with LauncherProcess(tmp_path) as launcher:
            async with supervised(tmp_path, launcher.socket) as s:
                await settled(s)
                assert not any(file.exists() for file in leftovers)

    asyncio.run(run())


def test_without_a_launcher_nothing_is_settled(tmp_path: Path) -> None:
    async def run() -> None:
        async with supervised(tmp_path, tmp_path / "no.sock") as s:
            await s.store.create(pod())
            await asyncio.sleep(0)
            assert not s.supervisor.settled.is_set()
            with LauncherProcess(tmp_path) as launcher:
                os.symlink(launcher.socket, tmp_path / "no.sock")
                await s.until_ready()
                await settled(s)

    asyncio.run(run())
