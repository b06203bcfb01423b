"""Sticky sessions as users have them: clients that keep cookies, a canary that grows, workers that
are replaced, a knary that starts again."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import os
import signal
import subprocess
from collections import Counter
from pathlib import Path
from typing import Self

import aiohttp

from tests.support.instance import HELLO, Instance
from tests.support.standalone import HOST, Standalone, named_servers
from tests.support.waiting import WITHIN_S, eventually

STICKY = "knary.dev/sticky"
WORLD, KNATIVE = "Hello World!\n", "Hello Knative!\n"


class Browsers:
    """Clients with a cookie jar each; every request has a connection of its own.

    They know their server by its address: a port makes no difference to a cookie.
    """

    def __init__(self, host: str, count: int) -> None:
        self._host = host
        self._runner = asyncio.Runner()
        self._jars = [self._runner.run(self._jar()) for _ in range(count)]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._runner.close()

    async def _jar(self) -> aiohttp.CookieJar:
        return aiohttp.CookieJar(unsafe=True)  # for an address, too

    def visit(self, address: tuple[str, int]) -> list[str]:
        """Let each of them ask once; return what they were told."""
        self._url = f"http://{address[0]}:{address[1]}/"
        return self._runner.run(self._visit())

    async def _visit(self) -> list[str]:
        return [await self._ask(jar) for jar in self._jars]

    async def _ask(self, jar: aiohttp.CookieJar) -> str:
        headers = {"Host": self._host, "Connection": "close"}
        timeout = aiohttp.ClientTimeout(WITHIN_S)
        async with (
            aiohttp.ClientSession(cookie_jar=jar, timeout=timeout) as session,
            session.get(self._url, headers=headers) as answer,
        ):
            assert answer.status == 200
            return await answer.text()


def curl(jar: Path, address: tuple[str, int], *options: str) -> str:
    command = ["curl", "-s", "-b", str(jar), "-c", str(jar), "-H", f"Host: {HOST}", *options]
    done = subprocess.run(
        [*command, f"http://{address[0]}:{address[1]}/"], capture_output=True, text=True, check=True
    )
    return done.stdout


def test_browsers_stay_while_the_canary_grows_whoever_serves_them(tmp_path: Path) -> None:
    """Two workers, replaced on the way, and a gateway that is started anew with its key."""
    gateway = Standalone(tmp_path, "--session-key", "key")

    def split(canary: int) -> None:
        targets = [
            {"name": name, "to": [servers[name]], "percent": percent}
            for name, percent in (("v1", 100 - canary), ("v2", canary))
        ]
        gateway.write([{"hosts": [HOST], "split": targets, "sticky": "cookie"}], workers=2)

    def change(canary: int) -> None:
        split(canary)
        before = gateway.err.count("in force")
        gateway.hang_up()
        eventually("the reload", lambda: gateway.err.count("in force") > before)

    with named_servers("v1", "v2") as servers:
        split(20)
        with gateway, Browsers(HOST, 50) as browsers:
            first = browsers.visit(gateway.address)
            assert abs(Counter(first)["v2"] - 10) <= 2  # each worker is within one of its turns
            assert browsers.visit(gateway.address) == first
            workers = gateway.workers()
            os.kill(gateway.process.pid, signal.SIGUSR1)
            eventually("new workers", lambda: len(gateway.workers() - workers) == 2)
            assert browsers.visit(gateway.address) == first
            had = first
            for canary in (40, 80):
                change(canary)
                has = browsers.visit(gateway.address)
                assert all(b == "v2" for a, b in zip(had, has, strict=True) if a == "v2")
                assert abs(Counter(has)["v2"] - canary / 2) <= 4
                assert browsers.visit(gateway.address) == has
                had = has
            for version in ("--http1.1", "--http2-prior-knowledge"):
                jar = tmp_path / f"jar{version}"
                told = curl(jar, gateway.address, version)
                assert {curl(jar, gateway.address, version) for _ in range(5)} == {told}
            assert gateway.stop() == 0
            gateway.start()
            assert browsers.visit(gateway.address) == had
            change(0)
            assert set(browsers.visit(gateway.address)) == {"v1"}


def test_users_stay_by_a_header_whichever_worker_they_meet(tmp_path: Path) -> None:
    gateway = Standalone(tmp_path)

    def split(canary: int) -> None:
        targets = [
            {"name": name, "to": [servers[name]], "percent": percent}
            for name, percent in (("v1", 100 - canary), ("v2", canary))
        ]
        gateway.write([{"hosts": [HOST], "split": targets, "sticky": "header=X-User"}], workers=2)

    def visit() -> dict[str, str]:
        """Let each user ask on two connections, which are two workers' as a rule."""
        told: dict[str, str] = {}
        for user in (f"user-{number}" for number in range(50)):
            first, second = (text({"X-User": user}) for _ in range(2))
            assert first == second, user
            told[user] = first
        return told

    def text(headers: dict[str, str]) -> str:
        connection = http.client.HTTPConnection(*gateway.address, timeout=WITHIN_S)
        with contextlib.closing(connection):
            connection.request("GET", "/", headers={"Host": HOST, **headers})
            answer = connection.getresponse()
            assert answer.status == 200, answer.read()
            return answer.read().decode()

    with named_servers("v1", "v2") as servers:
        split(20)
        with gateway:
            first = visit()
            assert abs(Counter(first.values())["v2"] - 10) <= 2
            before = gateway.workers()
            os.kill(min(before), signal.SIGKILL)
            eventually("a successor", lambda: len(gateway.workers() - before) == 1)
            assert visit() == first
            split(60)
            gateway.hang_up()
            gateway.said("in force")
            second = visit()
            assert all(second[user] == "v2" for user, told in first.items() if told == "v2")
            assert abs(Counter(second.values())["v2"] - 30) <= 4


def test_a_service_is_sticky_by_its_annotation_and_stays_so_when_knary_starts_again(
    tmp_path: Path,
) -> None:
    data = tmp_path / "data"
    host = "shop.default.example.com"
    with Browsers(host, 30) as browsers:
        with Instance("--workers", "1", data=data) as knary:
            knary.run(
                *("service", "create", "shop", "--image", HELLO),
                *("--annotation-service", f"{STICKY}=cookie"),
            )
            knary.run(
                *("service", "update", "shop", "--env", "TARGET=Knative"),
                *("--traffic", "shop-00001=90,@latest=10"),
            )
            first = browsers.visit(knary.gateway)
            assert Counter(first) == {WORLD: 27, KNATIVE: 3}
            knary.run("service", "update", "shop", "--traffic", "shop-00001=50,@latest=50")
            second = browsers.visit(knary.gateway)
            assert all(b == KNATIVE for a, b in zip(first, second, strict=True) if a == KNATIVE)
            assert abs(Counter(second)[KNATIVE] - 15) <= 2
            key = data / "session-key"
            assert key.stat().st_mode & 0o077 == 0
            shown = knary.run("top", "shop").out
            assert "SESSIONS" in shown
            moved = Counter(second)[KNATIVE] - 3
            rows = {words[1]: words for words in map(str.split, shown.splitlines())}
            assert rows["shop-00001"][-2:] == ["27", "0"]
            assert rows["shop-00002"][-2:] == ["3", str(moved)]
            refused = knary.run(
                *("service", "update", "shop", "--annotation-service", f"{STICKY}=forever"),
                check=False,
            )
            assert refused.status == 1
            assert "invalid value: forever: metadata.annotations.knary.dev/sticky" in refused.err
        with Instance("--workers", "1", data=data) as knary:
            assert browsers.visit(knary.gateway) == second
            knary.run("service", "update", "shop", "--traffic", "shop-00001=100")
            assert set(browsers.visit(knary.gateway)) == {WORLD}
