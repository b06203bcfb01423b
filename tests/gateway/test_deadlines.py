"""The one timer: a connection's trouble is its own."""

from __future__ import annotations

import asyncio

from gateway.deadlines import Deadlines
from gateway.settings import Settings
from tests.support.gateway import run


class Looked:
    """A connection that counts how often it is looked at."""

    exchange = None

    def __init__(self, *, broken: bool) -> None:
        self.broken = broken
        self.looks = 0
        self.aborted = False

    def check_requests(self, now: float, tick_s: float) -> None:
        del now, tick_s
        self.looks += 1
        if self.broken:
            raise RuntimeError("a defect of one connection")

    def check(self, now: float) -> None:
        self.check_requests(now, 0.0)

    def drain(self) -> None:
        pass

    def abort(self) -> None:
        self.aborted = True


def test_one_connections_trouble_leaves_the_others_their_deadlines() -> None:
    async def story() -> None:
        ticked: asyncio.Future[float] = asyncio.get_running_loop().create_future()

        def on_second(now: float) -> None:
            if not ticked.done():
                ticked.set_result(now)

        deadlines = Deadlines(
            asyncio.get_running_loop(), Settings(tick_s=0.001), lambda _: None, on_second
        )
        connections = [Looked(broken=number % 2 == 0) for number in range(10)]
        deadlines.connections.update(connections)
        deadlines.start()
        async with asyncio.timeout(10):
            await ticked
        deadlines.stop()
        assert all(one.looks for one in connections)
        assert [one.aborted for one in connections] == [one.broken for one in connections]

    run(story())
