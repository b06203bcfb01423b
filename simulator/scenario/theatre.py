"""Plays scenario files: on a running instance, or each on a stage of its own."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable, Coroutine, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from simulator.access.elsewhere import Elsewhere
from simulator.scenario.model import Scenario
from simulator.scenario.present import Outcome, Presenter
from simulator.scenario.runner import Runner
from simulator.scenario.stage import Stage
from simulator.scenario.world import ClusterWorld, InstanceWorld

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

T = TypeVar("T")


class Interrupted(BaseException):
    """A signal ended the work; everything that was started has been stopped."""


async def play_on(
    data: Path, scenario: Scenario, presenter: Presenter, environment: Mapping[str, str]
) -> Outcome:
    """Play a scenario on the instance in `data`. Raise NotRunning."""
    world = InstanceWorld(data, environment)
    try:
        return await Runner(scenario, world, presenter).play()
    finally:
        world.close()


async def play_elsewhere(
    place: Elsewhere, scenario: Scenario, presenter: Presenter, environment: Mapping[str, str]
) -> Outcome:
    """Play a scenario on a Knative cluster. Raise KnaryError."""
    world = ClusterWorld(place, environment)
    try:
        return await Runner(scenario, world, presenter).play()
    finally:
        world.close()


async def play_on_stage(
    scenario: Scenario,
    presenter: Presenter,
    environment: Mapping[str, str],
    options: tuple[str, ...] = (),
) -> Outcome:
    """Start an instance, play the scenario on it, stop it again, whatever happens.

    `options` are `knary up`'s.
    """
    stage = Stage(None, environment, flags=options)
    try:
        await stage.start()
        return await play_on(stage.data, scenario, presenter, environment)
    finally:
        await stage.stop()


def run_interruptible(main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine on a fast loop; a signal to stop cancels it once, then ends patience.

    Raise Interrupted after the coroutine cleaned up.
    """
    import uvloop

    async def guarded() -> T:
        task = asyncio.ensure_future(main())
        with _cancelling(task):
            return await task

    try:
        return uvloop.run(guarded())
    except asyncio.CancelledError:
        raise Interrupted from None


@contextlib.contextmanager
def _cancelling(task: asyncio.Future[Any]) -> Iterator[None]:
    """Cancel the task at the first signal; further ones do not cut its cleaning up short."""
    loop = asyncio.get_running_loop()
    told = False

    def stop() -> None:
        nonlocal told
        if not told:
            told = True
            task.cancel()

    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, stop)
    try:
        yield
    finally:
        for number in STOP_SIGNALS:
            loop.remove_signal_handler(number)
