"""Well-known HTTP/2 clients in front of the gateway."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator

import pytest

from tests.support.gateway import HOST, Gateway, gateway, revision, run, saying, table
from tests.support.h2peers import echo, h2_revision, h2c

BODY = b"x" * 200_000
each_protocol = pytest.mark.parametrize("protocol", ["h2c", "http1"])


def needs(tool: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(shutil.which(tool) is None, reason=f"{tool} is not installed")


async def output(*command: str, given: bytes = b"") -> str:
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate(given)
    return said.decode("utf-8", "replace")


@contextlib.asynccontextmanager
async def serving(protocol: str) -> AsyncIterator[Gateway]:
    async with gateway() as under_test:
        if protocol == "h2c":
            async with h2_revision(echo) as server:
                under_test.router.replace(h2c({"one": (server.address,)}))
                yield under_test
        else:
            async with revision(saying("one")) as address:
                under_test.router.replace(table({"one": (address,)}))
                yield under_test


@needs("curl")
@each_protocol
def test_curl_with_prior_knowledge(protocol: str) -> None:
    async def story() -> str:
        async with serving(protocol) as under_test:
            url = f"http://127.0.0.1:{under_test.port}/"
            more = ["--http2-prior-knowledge", "-sS", "-i", "-H", f"host: {HOST}"]
            return await output("curl", *more, url)  # curl 7.88 fails on a second one, anywhere

    said = run(story())
    assert said.startswith("HTTP/2 200")
    assert ("nothing" if protocol == "h2c" else "one") in said


@needs("curl")
def test_curl_uploads() -> None:
    async def story() -> str:
        async with serving("h2c") as under_test:
            url = f"http://127.0.0.1:{under_test.port}/"
            more = ["--http2-prior-knowledge", "-sS", "-H", f"host: {HOST}", "--data-binary", "@-"]
            return await output("curl", *more, url, given=BODY)

    assert run(story()) == BODY.decode()


@needs("nghttp")
@each_protocol
def test_nghttp_with_dependencies_and_padding(protocol: str) -> None:
    async def story() -> str:
        async with serving(protocol) as under_test:
            url = f"http://localhost:{under_test.port}/"
            return await output("nghttp", "-nv", "-m", "5", "-b", "64", "--trailer", "a: b", url)

    said = run(story())
    assert said.count(":status: 200") == 5
    assert "RST_STREAM" not in said


@needs("h2load")
@each_protocol
def test_h2load_loses_no_request(protocol: str) -> None:
    async def story() -> str:
        async with serving(protocol) as under_test:
            url = f"http://localhost:{under_test.port}/"
            return await output("h2load", "-n", "600", "-c", "3", "-m", "40", url)

    assert "600 succeeded, 0 failed, 0 errored" in run(story())
