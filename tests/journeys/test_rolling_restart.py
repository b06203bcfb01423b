"""All workers are replaced under load: not a request is lost, and new ones serve."""

from __future__ import annotations

import asyncio
import http.client
import os
import signal

import aiohttp
import pytest

from tests.support.instance import HELLO, Instance
from tests.support.waiting import eventually

CREATE = ("service", "create", "hello", "--image", HELLO)


def test_a_rolling_restart_under_load_loses_no_request() -> None:
    with Instance("--workers", "2") as knary:
        knary.run(*CREATE)
        before = set(knary.pids()["gateway"])
        host, port = knary.gateway
        waiting = http.client.HTTPConnection(host, port, timeout=30)
        with knary.load("hello", 300.0) as load:
            waiting.request("GET", "/", headers={"Host": "hello.default.example.com"})
            assert waiting.getresponse().read() == b"Hello World!\n"
            said = knary.run("restart-workers").out
        waiting.close()
        assert said.startswith("2 workers replaced in ")
        after = set(knary.pids()["gateway"])
        assert len(after) == 2
        assert after.isdisjoint(before)
        assert load.failures == []
        assert knary.get("hello").status == 200


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGUSR1])
def test_a_signal_to_the_parent_restarts_too(number: signal.Signals) -> None:
    with Instance() as knary:
        knary.run(*CREATE)
        (before,) = knary.pids()["gateway"]
        knary.parent.send_signal(number)
        eventually("another worker alone", lambda: before not in knary.pids()["gateway"])
        assert knary.get("hello").status == 200
        assert knary.run("service", "update", "hello", "--env", "TARGET=Again").status == 0
        assert knary.get("hello").text == "Hello Again!\n"


def test_what_a_leaving_worker_still_serves_is_finished_and_follows_changes() -> None:
    """A slow request and a WebSocket live on in the old worker, with the tables of the new."""
    with Instance() as knary:
        knary.run("service", "create", "slow", "--image", HELLO, "--env", "DELAY_MS=1500")
        knary.run("service", "create", "echo", "--image", "knary.dev/websocket-echo")
        (before,) = knary.pids()["gateway"]

        async def story() -> tuple[int, str]:
            host, port = knary.gateway
            base = f"http://{host}:{port}/"
            async with aiohttp.ClientSession() as session:
                slow = asyncio.ensure_future(
                    session.get(base, headers={"Host": "slow.default.example.com"})
                )
                async with session.ws_connect(
                    base, headers={"Host": "echo.default.example.com"}
                ) as socket:
                    await socket.send_str("one")
                    await socket.receive_str()
                    os.kill(knary.parent.pid, signal.SIGUSR1)
                    await asyncio.to_thread(
                        eventually,
                        "another worker",
                        lambda: set(knary.pids()["gateway"]) - {before},
                    )
                    await socket.send_str("two")
                    echoed = await socket.receive_str()
                return (await slow).status, echoed

        status, echoed = asyncio.run(story())
        assert status == 200
        assert echoed.startswith("two")
