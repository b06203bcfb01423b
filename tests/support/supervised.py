"""A supervisor with a real store and a real launcher, and Pods for it."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from simulator.clock import SystemClock
from simulator.errors import Conflict
from simulator.images import ImageMap, built_in
from simulator.instance.paths import InstancePaths
from simulator.launcher.client import LauncherClient
from simulator.resources.conditions import is_true
from simulator.resources.core import (
    DRAIN_FINALIZER,
    PROCESS_FINALIZER,
    ContainerStatus,
    Pod,
    PodTemplateSpec,
)
from simulator.resources.meta import Key, ObjectMeta
from simulator.resources.podspec import Container, EnvVar
from simulator.store.objects import Store
from simulator.supervisor.settings import SupervisorSettings
from simulator.supervisor.supervisor import Supervisor
from tests.support.launcher import LauncherProcess
from tests.support.waiting import eventually_async

QUICK = SupervisorSettings(
    inherited={"PATH": "/usr/bin:/bin", "HOME": "/nowhere", "LANG": "C.UTF-8"},
    backoff_s_base=0.05,
    backoff_s_max=0.2,
    blocked_retry_s=0.05,
    grace_s_default=5.0,
)
CONFLICTS_MAX = 100
HELLO = "example.com/helloworld-go"

SERVER = """
import os, socket
server = socket.create_server(("127.0.0.1", int(os.environ["PORT"])))
while True:
    peer = server.accept()[0]
    try:
        peer.recv(65536)
        peer.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 0\\r\\n\\r\\n")
    except OSError:
        pass
    peer.close()
"""


def script(code: str) -> tuple[str, ...]:
    """Return the command of a little Python program."""
    return (sys.executable, "-I", "-S", "-c", code)


def pod(
    name: str = "one", *, grace_s: int = 5, env: dict[str, str] | None = None, **container: Any
) -> Pod:
    """Return a Pod as the revision controller makes it; `container` are fields of its own."""
    own = Container(
        name="user-container",
        env=tuple(EnvVar(name, value) for name, value in (env or {}).items()),
        **{"image": HELLO, **container},
    )
    return Pod(
        metadata=ObjectMeta(
            name=name, namespace="default", finalizers=(DRAIN_FINALIZER, PROCESS_FINALIZER)
        ),
        spec=PodTemplateSpec(containers=(own,), termination_grace_period_seconds=grace_s),
    )


class Supervised:
    """One control plane's part: a store, a client, a supervisor."""

    def __init__(self, folder: Path, store: Store, supervisor: Supervisor) -> None:
        self.folder = folder
        self.store = store
        self.supervisor = supervisor

    def get(self, name: str = "one") -> Pod:
        found = self.store.get(Pod, "default", name)
        assert found is not None, f"pod {name} is gone"
        return found

    def container(self, name: str = "one") -> ContainerStatus:
        statuses = self.get(name).status.container_statuses
        return statuses[0] if statuses else ContainerStatus()

    def is_ready(self, name: str = "one") -> bool:
        return is_true(self.get(name).status.conditions)

    async def until(self, what: str, condition: Callable[[], Any]) -> Any:
        return await eventually_async(what, condition)

    async def until_ready(self, name: str = "one") -> Pod:
        await self.until(f"pod {name} is ready", lambda: self.is_ready(name))
        return self.get(name)

    async def drain(self, name: str = "one") -> None:
        """Do the publisher's part: nothing uses the Pod any more."""
        for _ in range(CONFLICTS_MAX):
            found = self.get(name)
            kept = tuple(one for one in found.metadata.finalizers if one != DRAIN_FINALIZER)
            with contextlib.suppress(Conflict):  # the supervisor wrote in between
                await self.store.update(found.with_metadata(finalizers=kept))
                return
        raise AssertionError(f"pod {name} changes all the time")

    async def delete(self, name: str = "one") -> None:
        await self.store.delete(Pod, Key("default", name))

    async def until_gone(self, name: str = "one") -> None:
        await self.until(
            f"pod {name} is gone", lambda: self.store.get(Pod, "default", name) is None
        )


@contextlib.asynccontextmanager
async def supervised(
    folder: Path, launcher: Path, images: Callable[[], ImageMap] = built_in, **settings: Any
) -> AsyncIterator[Supervised]:
    """Run a supervisor over `folder`; leaving ends it as a crash does: its processes live on."""
    paths = InstancePaths(folder)
    clock = SystemClock()
    store = await Store.open(paths.database, clock)
    supervisor = Supervisor(
        store,
        LauncherClient(launcher),
        images,
        clock,
        paths,
        replace(QUICK, **settings),
    )
    running = asyncio.create_task(supervisor.run())
    try:
        yield Supervised(folder, store, supervisor)
        if running.done():
            running.result()
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
        await store.close()


@contextlib.asynccontextmanager
async def whole(folder: Path, **settings: Any) -> AsyncIterator[Supervised]:
    """Run a launcher and a supervisor together."""
    networks = {}
    if settings.get("own_networks"):
        networks = {"networks_socket": str(InstancePaths(folder).networks_socket)}
        InstancePaths(folder).sockets.mkdir(exist_ok=True)
    with LauncherProcess(folder, **networks) as launcher:
        async with supervised(folder, launcher.socket, **settings) as one:
            yield one


def as_document(one: Pod) -> Any:
    return msgspec.to_builtins(one)


def executable(name: str) -> str:
    found = shutil.which(name)
    assert found is not None
    return found
