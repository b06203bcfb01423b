"""A replica's log over HTTPS: its end, its growth, and nothing but its own file."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.api.logs import LogTail
from simulator.api.settings import ApiSettings
from simulator.resources.core import Pod, PodTemplateSpec
from simulator.resources.meta import Key, ObjectMeta
from simulator.resources.podspec import Container
from tests.support.api import Api, run_with_api

POD = Key("default", "p")
LOG = "/api/v1/namespaces/default/pods/p/log"
LINES = b"one\n\x1b[31mtwo\x1b[0m\nthree\n"
QUICK = ApiSettings(log_poll_interval_s=0.005, log_chunk_bytes=4)


def run(tmp_path: Path, scenario: Callable[[Api], Awaitable[None]]) -> None:
    async def with_pod(api: Api) -> None:
        spec = PodTemplateSpec(containers=(Container(name="user-container"),))
        meta = ObjectMeta(name="p", namespace="default")
        await api.store.create(Pod(metadata=meta, spec=spec))
        await scenario(api)

    run_with_api(tmp_path, with_pod, QUICK)


def log_file(tmp_path: Path) -> Path:
    file = tmp_path / "logs" / "default" / "p.log"
    file.parent.mkdir(parents=True, exist_ok=True)
    return file


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", LINES),
        ("?tailLines=2", b"\x1b[31mtwo\x1b[0m\nthree\n"),
        ("?tailLines=0", b""),
        ("?tailLines=100&container=user-container", LINES),
        ("?limitBytes=5", b"one\n\x1b"),
        ("?tailLines=1&limitBytes=3", b"thr"),
        ("?follow=false&previous=false", LINES),
    ],
)
def test_a_log_is_sent_as_it_was_written(tmp_path: Path, query: str, expected: bytes) -> None:
    log_file(tmp_path).write_bytes(LINES)

    async def scenario(api: Api) -> None:
        reply = await api.call("GET", LOG + query)
        assert (reply.code, reply.body) == (200, expected)
        assert reply.headers["Content-Type"] == "text/plain; charset=utf-8"
        assert reply.headers["X-Content-Type-Options"] == "nosniff"

    run(tmp_path, scenario)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("container=x", "container x is not valid for pod p"),
        ("tailLines=-1", "must not be negative"),
        ("tailLines=x", "whole number"),
        ("limitBytes=0", "positive"),
        ("sinceSeconds=5", "sinceSeconds is not supported"),
        ("timestamps=true", "timestamps is not supported"),
        ("previous=true", "previous is not supported"),
    ],
)
def test_bad_questions_are_refused(tmp_path: Path, query: str, message: str) -> None:
    async def scenario(api: Api) -> None:
        reply = await api.call("GET", f"{LOG}?{query}")
        assert reply.said[0] == 400
        assert message in reply.said[2]

    run(tmp_path, scenario)


def test_a_pod_without_a_log_yet_has_an_empty_one_and_no_pod_none(tmp_path: Path) -> None:
    async def scenario(api: Api) -> None:
        assert (await api.call("GET", LOG)).body == b""
        missing = await api.call("GET", LOG.replace("/p/", "/q/"))
        assert missing.said == (404, "NotFound", 'pods "q" not found')

    run(tmp_path, scenario)


def test_following_shows_what_is_written_until_the_pod_is_gone(tmp_path: Path) -> None:
    file = log_file(tmp_path)

    file.write_bytes(b"one\ntwo\n")

    async def scenario(api: Api) -> None:
        async with api.watch(f"{LOG}?follow=true&tailLines=1") as stream:
            content = stream.response.content
            assert await asyncio.wait_for(content.readline(), 20) == b"two\n"
            with file.open("ab") as log:
                log.write(b"three\n")
            assert await asyncio.wait_for(content.readline(), 20) == b"three\n"
            file.write_bytes(b"")  # emptied in place, as a log that grew too large is
            with file.open("ab") as log:
                log.write(b"4\n")
            assert await asyncio.wait_for(content.readline(), 20) == b"4\n"
            with file.open("ab") as log:
                log.write(b"last words\n")
            await api.store.delete(Pod, POD)
            assert await asyncio.wait_for(content.read(), 20) == b"last words\n"

    run(tmp_path, scenario)


def test_a_log_that_is_made_while_it_is_followed_is_shown_whole(tmp_path: Path) -> None:
    tail = LogTail(tmp_path / "logs", POD, 1, 100)
    assert (tail.size(), tail.read()) == (0, b"")
    log_file(tmp_path).write_bytes(LINES)
    assert (tail.size(), tail.read(), tail.size()) == (len(LINES), LINES, 0)
    tail.close()
    assert tail.read() == b""


def test_following_ends_when_the_server_stops(tmp_path: Path) -> None:
    log_file(tmp_path).write_bytes(LINES)

    async def scenario(api: Api) -> None:
        async with api.watch(f"{LOG}?follow=true") as stream:
            stopping = asyncio.ensure_future(api.server.stop())
            assert await asyncio.wait_for(stream.response.content.read(), 20) == LINES
            await stopping

    run(tmp_path, scenario)


def test_links_out_of_the_folder_show_nothing(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "p.log").write_text("secret")
    file = log_file(tmp_path)
    file.symlink_to(secret / "p.log")
    assert LogTail(tmp_path / "logs", POD, None, 100).read() == b""
    file.unlink()
    file.parent.rmdir()
    file.parent.symlink_to(secret)
    assert LogTail(tmp_path / "logs", POD, None, 100).read() == b""


@given(
    st.lists(st.binary(max_size=6).map(lambda line: line.replace(b"\n", b".")), max_size=8),
    st.booleans(),
    st.integers(0, 10),
    st.integers(1, 9),
)
def test_the_last_lines_are_found_wherever_the_chunks_are_cut(
    tmp_path_factory: pytest.TempPathFactory,
    lines: list[bytes],
    ends: bool,
    count: int,
    chunk: int,
) -> None:
    content = b"\n".join(lines) + (b"\n" if ends and lines else b"")
    folder = tmp_path_factory.mktemp("logs")
    (folder / "default").mkdir()
    (folder / "default" / "p.log").write_bytes(content)
    tail = LogTail(folder, POD, count, chunk)
    found = b""
    while part := tail.read():
        found += part
    tail.close()
    kept = split_lines(content)
    assert found == b"".join(kept[-count:] if count else [])


def split_lines(content: bytes) -> list[bytes]:
    """Split at newlines alone: a log's carriage returns draw progress bars."""
    parts = content.split(b"\n")
    return [part + b"\n" for part in parts[:-1]] + ([parts[-1]] if parts[-1] else [])
