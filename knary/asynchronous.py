"""`knary.AsyncEmulator`: the same for asyncio; each call waits on a thread, not on the loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from functools import wraps
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

from knary.emulator import Emulator

P = ParamSpec("P")
R = TypeVar("R")


def _awaited(
    method: Callable[Concatenate[Emulator, P], R],
) -> Callable[Concatenate[AsyncEmulator, P], Coroutine[Any, Any, R]]:
    """Return a method of the Emulator as one to be awaited."""

    @wraps(method)
    async def call(self: AsyncEmulator, /, *args: P.args, **kwargs: P.kwargs) -> R:
        return await asyncio.to_thread(method, self.sync, *args, **kwargs)

    return call


class AsyncEmulator:
    """An Emulator whose methods are awaited. `sync` is the one behind it.

    async with knary.AsyncEmulator() as emulator:
        await emulator.apply("service.yaml")
    """

    def __init__(self, sync: Emulator | None = None) -> None:
        """Take an Emulator that is configured, or one as it comes."""
        self.sync = sync or Emulator()

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(self.sync.start)
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.to_thread(self.sync.close)

    @property
    def env(self) -> dict[str, str]:
        """Return the variables by which programs find it."""
        return self.sync.env

    @property
    def kubeconfig(self) -> Path:
        """Return the file that leads Kubernetes' clients to it."""
        return self.sync.kubeconfig

    @property
    def gateway(self) -> str:
        """Return the base URL of all services."""
        return self.sync.gateway

    apply = _awaited(Emulator.apply)
    assert_split = _awaited(Emulator.assert_split)
    baseline = _awaited(Emulator.baseline)
    close = _awaited(Emulator.close)
    delete = _awaited(Emulator.delete)
    events = _awaited(Emulator.events)
    fault = _awaited(Emulator.fault)
    get = _awaited(Emulator.get)
    heal = _awaited(Emulator.heal)
    host = _awaited(Emulator.host)
    logs = _awaited(Emulator.logs)
    objects = _awaited(Emulator.objects)
    request = _awaited(Emulator.request)
    reset = _awaited(Emulator.reset)
    restore = _awaited(Emulator.restore)
    revisions = _awaited(Emulator.revisions)
    rollback = _awaited(Emulator.rollback)
    seed = _awaited(Emulator.seed)
    snapshot = _awaited(Emulator.snapshot)
    start = _awaited(Emulator.start)
    traffic = _awaited(Emulator.traffic)
    url = _awaited(Emulator.url)
    wait = _awaited(Emulator.wait)
