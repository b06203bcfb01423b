"""Autobahn's WebSocket cases, by kosoku: through the gateway each has the verdict it has without.

The application is the sample app `websocket-echo`, whatever its own verdicts are. All groups run
with `make conformance-websocket`; otherwise those that take no long.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.gateway import HOST, gateway, run, table
from tests.support.installed import is_full, needs, program

ROOT = Path(__file__).parents[2]
SHORT = ("1.*", "2.*", "3.*", "4.*", "5.*", "7.*", "10.*")
CASES_MIN = 500 if is_full() else 100
START_S_MAX = 20.0
FULL_S_MAX = 3600.0

Verdicts = dict[str, tuple[str, str]]


@contextlib.asynccontextmanager
async def echo_app() -> AsyncIterator[str]:
    """Run the sample app; the value is its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sample_apps.websocket_echo"),
        cwd=ROOT,
        env={**os.environ, "PORT": str(port)},
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(START_S_MAX):
            while b"listening" not in (line := await process.stdout.readline()):
                assert line, "the app ended"
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        await process.wait()


async def verdicts(address: str, folder: Path) -> Verdicts:
    """Run the cases against an address; return each one's verdict, and that on its close."""
    included = () if is_full() else tuple(word for group in SHORT for word in ("-i", group))
    process = await asyncio.create_subprocess_exec(
        *(str(program("kosoku")), "-m", "fuzzingclient", "-o", str(folder), *included, address),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    await process.wait()
    (told,) = json.loads((folder / "index.json").read_text("utf-8")).values()
    return {
        # Both pass. Which it is depends on how TCP cuts the bytes, hence on who passes them on.
        name: (case["behavior"].replace("NON-STRICT", "OK"), case["behaviorClose"])
        for name, case in told.items()
    }


@needs("kosoku", "pip install kosoku")
@pytest.mark.timeout(FULL_S_MAX if is_full() else 60)
def test_each_case_has_the_same_verdict_through_the_gateway(tmp_path: Path) -> None:
    async def story() -> tuple[Verdicts, Verdicts]:
        async with echo_app() as address, gateway() as worker:
            routed = table({"one": (address,)}, timeout_s=FULL_S_MAX)
            route = routed.routes["hello"]
            # kosoku's Host is the address: so that is one of the route's hosts.
            hosts = (HOST, "127.0.0.1")
            routes = {"hello": type(route)(route.key, hosts, route.split)}
            worker.router.replace(type(routed)(1, routes, routed.backends))
            direct = await verdicts(address, tmp_path / "direct")
            through = await verdicts(f"127.0.0.1:{worker.port}", tmp_path / "through")
            return direct, through

    direct, through = run(story())
    assert len(direct) >= CASES_MIN
    assert {name: (through.get(name), was) for name, was in direct.items()} == {
        name: (was, was) for name, was in direct.items()
    }
