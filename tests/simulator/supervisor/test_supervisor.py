"""Pods as real processes: a real store, a real launcher."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from simulator.images import ImageMap, ImageRule, Program, built_in
from simulator.resources.core import ANNOTATION_ADDRESS, ANNOTATION_PID, Pod
from simulator.resources.podspec import EnvVar, ExecAction, HttpGetAction, Probe, TcpSocketAction
from simulator.supervisor.status import port_of
from tests.support.launcher import LauncherProcess, lives, said
from tests.support.supervised import SERVER, Supervised, pod, script, supervised, whole

NEVER_LISTENS = "import signal; print('here', flush=True); signal.pause()"
DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + SERVER
FORKS = """
import os, signal
print(os.getpid(), flush=True)
if os.fork() == 0:
    print(os.getpid(), flush=True)
    signal.pause()
"""


def play(folder: Path, scene: Callable[[Supervised], Awaitable[None]], **settings: Any) -> None:
    async def run() -> None:
        async with whole(folder, **settings) as one:
            await scene(one)

    asyncio.run(run())


def pid_of(one: Pod) -> int:
    return int(one.metadata.annotations[ANNOTATION_PID])


async def get(port: int) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


def test_a_pod_becomes_a_process_that_answers_where_its_address_says(tmp_path: Path) -> None:
    async def scene(s: Supervised) -> None:
        await s.store.create(pod(env={"TARGET": "Knative"}))
        ready = await s.until_ready()
        assert (await get(port_of(ready))).endswith(b"Hello Knative!\n")
        assert lives(pid_of(ready))
        container = s.container()
        assert container.state.running is not None
        assert (container.ready, container.started, container.restart_count) == (True, True, 0)
        assert container.image_id.startswith("example.com/helloworld-go@sha256:")
        assert ready.status.phase == "Running"

    play(tmp_path, scene)


def test_a_deleted_pod_serves_until_it_is_drained_and_leaves_nothing(tmp_path: Path) -> None:
    async def scene(s: Supervised) -> None:
        await s.store.create(pod())
        ready = await s.until_ready()
        await s.delete()
        await s.until("the deletion is seen", lambda: s.get().is_deleting)
        assert (await get(port_of(ready))).endswith(b"Hello World!\n")
        await s.drain()
        await s.until_gone()
        await s.until("its folder is gone", lambda: not list((tmp_path / "replicas").iterdir()))
        assert not lives(pid_of(ready))
        assert not list((tmp_path / "logs" / "default").iterdir())

    play(tmp_path, scene)


def test_a_pod_that_vanishes_takes_its_process_along(tmp_path: Path) -> None:
    async def scene(s: Supervised) -> None:
        await s.store.create(pod().with_metadata(finalizers=()))
        ready = await s.until_ready()
        await s.delete()
        await s.until("the process ended", lambda: not lives(pid_of(ready)))

    play(tmp_path, scene)


def test_the_environment_is_exactly_as_promised(tmp_path: Path) -> None:
    code = "import json, os; print(json.dumps(dict(os.environ)), flush=True)\n" + SERVER

    async def scene(s: Supervised) -> None:
        env = {"TARGET": "x", "K_SERVICE": "s", "K_CONFIGURATION": "c", "K_REVISION": "r"}
        await s.store.create(pod(env=env, command=script(code)))
        ready = await s.until_ready()
        found = json.loads(said(tmp_path / "logs" / "default" / "one.log"))
        folder = tmp_path / "replicas" / ready.uid
        assert found == {
            "PATH": "/usr/bin:/bin",
            "HOME": "/nowhere",
            "LANG": "C.UTF-8",
            "TMPDIR": str(folder / "tmp"),
            **env,
            "PORT": str(port_of(ready)),
        }
        for private in (folder, folder / "tmp"):
            assert private.stat().st_mode & 0o777 == 0o700

    play(tmp_path, scene)


def test_a_killed_replica_is_replaced_at_once_on_the_same_port(tmp_path: Path) -> None:
    async def scene(s: Supervised) -> None:
        await s.store.create(pod())
        first = await s.until_ready()
        os.kill(pid_of(first), signal.SIGKILL)
        await s.until("it restarted", lambda: s.container().restart_count == 1)
        second = await s.until_ready()
        assert (
            second.metadata.annotations[ANNOTATION_ADDRESS]
            == (first.metadata.annotations[ANNOTATION_ADDRESS])
        )
        assert pid_of(second) != pid_of(first)
        last = s.container().last_state.terminated
        assert last is not None
        assert (last.exit_code, last.signal, last.reason) == (137, 9, "Error")

    play(tmp_path, scene)


def test_a_port_that_somebody_took_meanwhile_is_exchanged(tmp_path: Path) -> None:
    async def scene(s: Supervised) -> None:
        await s.store.create(pod(command=script("raise SystemExit(1)")))
        await s.until("it backs off", lambda: _is_crash_looping(s))
        address = s.get().metadata.annotations[ANNOTATION_ADDRESS]
        with socket.create_server(("127.0.0.1", port_of(s.get())), reuse_port=False):
            await s.until(
                "another address",
                lambda: s.get().metadata.annotations[ANNOTATION_ADDRESS] != address,
            )

    play(tmp_path, scene)


def _is_crash_looping(s: Supervised) -> bool:
    waiting = s.container().state.waiting
    return waiting is not None and waiting.reason == "CrashLoopBackOff"


@pytest.mark.parametrize(
    ("container", "exit_code", "message"),
    [
        pytest.param(
            {"image": "example.com/helloworld-go:crash"},
            1,
            "helloworld: FAIL=crash: this copy crashes at start, as asked",
            id="crashes",
        ),
        pytest.param(
            {"command": ("/no/such",)},
            127,
            "knary: cannot start '/no/such': No such file or directory",
            id="cannot be executed",
        ),
        pytest.param({"command": script("print('bye')")}, 0, "", id="exits at once"),
    ],
)
def test_one_that_ends_backs_off_and_its_last_words_are_kept(
    tmp_path: Path, container: dict[str, Any], exit_code: int, message: str
) -> None:
    async def scene(s: Supervised) -> None:
        await s.store.create(pod(**container))
        await s.until("it backs off", lambda: _is_crash_looping(s))
        waiting = s.container().state.waiting
        assert waiting is not None
        assert waiting.message.startswith("back-off 0.05s restarting failed container=user-con")
        last = s.container().last_state.terminated
        assert last is not None
        assert (last.exit_code, last.message) == (exit_code, message)
        assert last.reason == ("Error" if exit_code else "Completed")
        await s.until("it restarts again and again", lambda: s.container().restart_count >= 3)
        assert not s.is_ready()
        await s.delete()
        await s.drain()
        await s.until_gone()

    play(tmp_path, scene)


def test_one_that_never_listens_runs_and_is_not_ready(tmp_path: Path) -> None:
    async def scene(s: Supervised) -> None:
        await s.store.create(pod("other"))
        await s.store.create(pod(command=script(NEVER_LISTENS)))
        await s.until("it runs", lambda: s.container().state.running)
        await s.until_ready("other")
        assert not s.is_ready()
        await s.delete()
        await s.drain()
        await s.until_gone()

    play(tmp_path, scene)


def test_one_that_ignores_sigterm_is_killed_after_its_grace(tmp_path: Path) -> None:
    async def scene(s: Supervised) -> None:
        await s.store.create(pod(grace_s=0, command=script(DEAF)))
        ready = await s.until_ready()
        await s.delete()
        await s.drain()
        await s.until_gone()
        assert not lives(pid_of(ready))

    play(tmp_path, scene)


def test_what_a_replica_forked_ends_with_it(tmp_path: Path) -> None:
    async def scene(s: Supervised) -> None:
        await s.store.create(pod(command=script(FORKS + SERVER)))
        await s.until_ready()
        log = tmp_path / "logs" / "default" / "one.log"
        await s.until("both said who they are", lambda: said(log).count("\n") == 2)
        pids = [int(line) for line in said(log).splitlines()]
        await s.delete()
        await s.drain()
        await s.until_gone()
        await s.until("both ended", lambda: not any(map(lives, pids)))

    play(tmp_path, scene)


def test_an_image_that_resolves_later_starts_then(tmp_path: Path) -> None:
    async def run() -> None:
        chosen = [built_in()]
        with LauncherProcess(tmp_path) as launcher:
            async with supervised(tmp_path, launcher.socket, lambda: chosen[0]) as s:
                await s.store.create(pod(image="example.com/shop"))
                await s.until("it waits", lambda: s.container().state.waiting)
                waiting = s.container().state.waiting
                assert waiting is not None
                assert (waiting.reason, waiting.message) == (
                    "ErrImagePull",
                    'no program is mapped to image "example.com/shop"; see knary images',
                )
                rule = ImageRule("*/shop", Program(command=script(SERVER)))
                chosen[0] = ImageMap((rule,))
                await s.until_ready()

    asyncio.run(run())


def test_a_secret_that_is_not_there_is_waited_for(tmp_path: Path) -> None:
    async def scene(s: Supervised) -> None:
        reference = {"secretKeyRef": {"name": "key", "key": "k"}}
        await s.store.create(pod_with(EnvVar("A", value_from=reference)))
        await s.until("it waits", lambda: s.container().state.waiting)
        waiting = s.container().state.waiting
        assert waiting is not None
        assert waiting.reason == "CreateContainerConfigError"
        assert waiting.message == 'secret "key" not found'

    play(tmp_path, scene)


def pod_with(*variables: EnvVar) -> Pod:
    import msgspec

    one = pod()
    container = msgspec.structs.replace(one.spec.containers[0], env=variables)
    return msgspec.structs.replace(
        one, spec=msgspec.structs.replace(one.spec, containers=(container,))
    )


HEALTH = """
import os, socket
server = socket.create_server(("127.0.0.1", int(os.environ["PORT"])))
while True:
    peer = server.accept()[0]
    try:
        head = peer.recv(65536)
        good = os.path.exists("good") and head.startswith(b"GET /ok HTTP/1.1\\r\\n")
        status = b"204 No" if good else b"503 No"
        peer.sendall(b"HTTP/1.1 " + status + b"\\r\\nContent-Length: 0\\r\\n\\r\\n")
    except OSError:
        pass
    peer.close()
"""
OK = HttpGetAction(path="/ok")


def folder_of(s: Supervised) -> Path:
    return s.folder / "replicas" / s.get().uid


def quick(**fields: Any) -> Probe:
    return Probe(period_seconds=1, failure_threshold=1, **fields)


def test_readiness_follows_what_the_replica_answers(tmp_path: Path) -> None:
    async def scene(s: Supervised) -> None:
        probe = quick(http_get=OK)
        await s.store.create(pod(command=script(HEALTH), readiness_probe=probe))
        await s.until("it runs", lambda: s.container().state.running)
        assert not s.is_ready()
        (folder_of(s) / "good").touch()
        await s.until_ready()
        (folder_of(s) / "good").unlink()
        await s.until("it is unready", lambda: not s.is_ready())
        (folder_of(s) / "good").touch()
        await s.until_ready()
        assert s.container().restart_count == 0

    play(tmp_path, scene)


def test_an_exec_probe_runs_beside_the_replica(tmp_path: Path) -> None:
    async def scene(s: Supervised) -> None:
        probe = Probe(exec=ExecAction(("/bin/sh", "-c", "test -e good && test -n $PORT")))
        await s.store.create(pod(readiness_probe=probe))
        await s.until("it runs", lambda: s.container().state.running)
        assert not s.is_ready()
        (folder_of(s) / "good").touch()
        await s.until_ready()

    play(tmp_path, scene)


def test_a_failed_liveness_probe_restarts_the_replica(tmp_path: Path) -> None:
    async def scene(s: Supervised) -> None:
        await s.store.create(
            pod(command=script(HEALTH), liveness_probe=Probe(period_seconds=1, http_get=OK))
        )
        await s.until("it runs", lambda: s.container().state.running)
        (folder_of(s) / "good").touch()
        first = await s.until_ready()
        (folder_of(s) / "good").unlink()
        await s.until("it restarted", lambda: s.container().restart_count == 1)
        assert not lives(pid_of(first))
        (folder_of(s) / "good").touch()
        await s.until_ready()

    play(tmp_path, scene)


def test_a_startup_probe_holds_the_others_back_and_restarts_what_is_late(tmp_path: Path) -> None:
    async def scene(s: Supervised) -> None:
        await s.store.create(pod(command=script(HEALTH), startup_probe=quick(http_get=OK)))
        await s.until("it runs", lambda: s.container().state.running)
        assert not s.container().started
        await s.until("its time is over", lambda: s.container().restart_count == 1)
        (folder_of(s) / "good").touch()
        await s.until_ready()
        assert s.container().started

    play(tmp_path, scene)


def test_a_replica_that_hangs_is_unready(tmp_path: Path) -> None:
    async def scene(s: Supervised) -> None:
        await s.store.create(pod(readiness_probe=quick(http_get=HttpGetAction())))
        ready = await s.until_ready()
        os.kill(pid_of(ready), signal.SIGSTOP)
        await s.until("it is unready", lambda: not s.is_ready())
        os.kill(pid_of(ready), signal.SIGCONT)
        await s.until_ready()

    play(tmp_path, scene)


def test_a_tcp_probe_with_the_containers_port_asks_the_leased_one(tmp_path: Path) -> None:
    async def scene(s: Supervised) -> None:
        await s.store.create(pod(readiness_probe=Probe(tcp_socket=TcpSocketAction(port=8080))))
        await s.until_ready()

    play(tmp_path, scene)


def test_ports_are_given_back(tmp_path: Path) -> None:
    async def scene(s: Supervised) -> None:
        for name in ("a", "b", "c", "d"):
            await s.store.create(pod(name))
            await s.until_ready(name)
            await s.delete(name)
            await s.drain(name)
            await s.until_gone(name)

    play(tmp_path, scene, port_min=29_200, port_max=29_201)
