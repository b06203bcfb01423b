"""A gradual rollout at the gateway: each step is a new table, and what is owed is carried over."""

from __future__ import annotations

import asyncio
from random import Random

import pytest

from tests.support.gateway import HOST, WAIT_S, gateway, read_head, revision, run, saying, table

STEPS = 60
REQUEST = f"GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()


@pytest.mark.parametrize("seed", [1, 2])
def test_a_ramp_of_60_steps_stays_within_one_request_of_the_summed_shares(seed: int) -> None:
    random = Random(seed)  # how many requests come between two steps: none, few, many

    async def story() -> None:
        async with (
            gateway() as worker,
            revision(saying("old")) as old,
            revision(saying("new")) as new,
        ):
            worker.router.replace(table({"old": (old,)}))
            reader, writer = await worker.connect()
            got, due, asked = 0, 0.0, 0
            for step in range(STEPS + 1):
                percent = 1 + 99 * step // STEPS
                weights = {"old": 100 - percent, "new": percent}
                worker.router.replace(table({"old": (old,), "new": (new,)}, weights))
                for _ in range(random.choice((0, 1, 3, 10, 40))):
                    writer.write(REQUEST)
                    async with asyncio.timeout(WAIT_S):
                        await read_head(reader)
                        got += await reader.readexactly(3) == b"new"
                    due += percent / 100
                    asked += 1
                    assert abs(got - due) < 1 + 1e-9, f"after {asked} requests at {percent} %"
            assert asked > STEPS

    run(story())
