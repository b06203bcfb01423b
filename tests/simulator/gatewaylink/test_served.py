"""Whoever waits for the gateway to obey."""

from __future__ import annotations

import asyncio
from pathlib import Path

from simulator.resources.conditions import TRUE
from simulator.resources.networking import Ingress
from simulator.traffic.rows import TrafficSettings
from tests.support.publishing import HELLO, WAIT_S, run, stage
from tests.support.traffic import pod


def test_who_waits_for_a_version_goes_on_when_every_worker_serves_it(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with stage(tmp_path, HELLO, pod("a", 1), workers=2) as here:
            await here.until(lambda: here.ready() == TRUE)
            gone = await here.store.delete(Ingress, HELLO.key)
            async with asyncio.timeout(WAIT_S):
                await here.publisher.served(int(gone.metadata.resource_version))
            assert [worker.table.routes for worker in here.workers] == [{}, {}]
            async with asyncio.timeout(WAIT_S):
                await here.publisher.served(0)  # with nothing to wait for, too

    run(scenario())


def test_new_settings_are_in_every_row_once_they_are_served(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with stage(tmp_path, HELLO, pod("a", 1)) as here:
            await here.until(lambda: here.ready() == TRUE)
            for epoch, seed in ((1, 7), (2, None)):
                here.publisher.renew(TrafficSettings(seed=seed, epoch=epoch))
                async with asyncio.timeout(WAIT_S):
                    await here.publisher.served(0)
                (row,) = here.worker.table.routes.values()
                assert (row.split.seed, row.split.epoch) == (seed, epoch)

    run(scenario())
