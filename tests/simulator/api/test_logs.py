"""A replica's log over HTTPS: its end, its growth, and nothing but its own file."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import pytest

from simulator.api.settings import ApiSettings
from simulator.replicalogs.files import MARKS, PREVIOUS
from simulator.replicalogs.marks import Mark, packed
from simulator.resources.core import (
    ContainerState,
    ContainerStatus,
    Pod,
    PodStatus,
    PodTemplateSpec,
    Running,
    Terminated,
    Waiting,
)
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


TWO_TIMES = "Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified"
INVALID = 'PodLogOptions "p" is invalid: '


@pytest.mark.parametrize(
    ("query", "code", "message"),
    [
        ("container=x", 400, "container x is not valid for pod p"),
        ("tailLines=x", 400, 'invalid tailLines "x": it must be a whole number'),
        ("sinceTime=x", 400, 'invalid time "x": want RFC 3339'),
        (
            *("tailLines=-1", 422),
            f"{INVALID}tailLines: Invalid value: -1: must be greater than or equal to 0",
        ),
        ("limitBytes=0", 422, f"{INVALID}limitBytes: Invalid value: 0: must be greater than 0"),
        ("sinceSeconds=0", 422, f"{INVALID}sinceSeconds: Invalid value: 0: must be greater than 0"),
        (
            *("sinceSeconds=1&sinceTime=2026-01-01T00:00:00Z", 422),
            f"{INVALID}[]: {TWO_TIMES}",
        ),
    ],
)
def test_bad_questions_are_refused_in_the_api_servers_words(
    tmp_path: Path, query: str, code: int, message: str
) -> None:
    async def scenario(api: Api) -> None:
        reply = await api.call("GET", f"{LOG}?{query}")
        assert (reply.said[0], reply.said[2]) == (code, message)

    run(tmp_path, scenario)


DATED = (
    b"2026-01-01T00:00:01.000000001Z one\n"
    b"2026-01-01T00:00:02.500000000Z \x1b[31mtwo\x1b[0m\n"
    b"2026-01-01T00:00:02.500000000Z three\n"
)
SECOND_NS = 1_000_000_000
NEW_YEAR_NS = 1_767_225_600 * SECOND_NS  # 2026-01-01T00:00:00Z


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("timestamps=true", DATED),
        ("timestamps=true&tailLines=1", DATED.splitlines(keepends=True)[2]),
        ("timestamps=true&limitBytes=34", DATED[:34]),
        ("sinceTime=2026-01-01T00:00:02Z", LINES[4:]),
        ("sinceTime=2026-01-01T00:00:01.000000001Z", LINES),
        ("sinceTime=2026-01-01T00:00:01.000000002Z", LINES[4:]),
        ("sinceTime=2026-01-01T01:00:02%2B01:00&tailLines=1", b"three\n"),
        ("sinceTime=2026-01-01T00:00:03Z&tailLines=1", b""),
        ("sinceSeconds=86400", b""),
        ("sinceSeconds=9000000000", LINES),
    ],
)
def test_lines_have_moments(tmp_path: Path, query: str, expected: bytes) -> None:
    file = log_file(tmp_path)
    file.write_bytes(LINES)
    # The second mark came in the middle of the last line.
    marks = (Mark(4, NEW_YEAR_NS + SECOND_NS + 1), Mark(18, NEW_YEAR_NS + 5 * SECOND_NS // 2))
    file.with_name(file.name + MARKS).write_bytes(packed(marks))

    async def scenario(api: Api) -> None:
        reply = await api.call("GET", f"{LOG}?{query}")
        assert (reply.code, reply.body) == (200, expected)

    run(tmp_path, scenario)


ENDED = ContainerState(terminated=Terminated(1))
RUNS = ContainerState(running=Running(started_at="2026-01-01T00:00:00Z"))
NO_RUN_BEFORE = 'previous terminated container "user-container" in pod "p" not found'
NOT_STARTED = 'container "user-container" in pod "p" is waiting to start: '


def waits(reason: str) -> ContainerState:
    return ContainerState(waiting=Waiting(reason))


@pytest.mark.parametrize(
    ("status", "newest", "before"),
    [
        pytest.param(None, "second\n", NO_RUN_BEFORE, id="no kubelet has it"),
        pytest.param(
            ContainerStatus("sidecar", state=RUNS),
            'container "user-container" in pod "p" is not available',
            NO_RUN_BEFORE,
            id="another container",
        ),
        pytest.param(
            ContainerStatus("user-container", state=RUNS),
            "second\n",
            NO_RUN_BEFORE,
            id="first run",
        ),
        pytest.param(
            ContainerStatus("user-container", state=RUNS, last_state=ENDED),
            "second\n",
            "first\n",
            id="restarted",
        ),
        pytest.param(
            ContainerStatus("user-container", state=waits("CrashLoopBackOff"), last_state=ENDED),
            "second\n",
            "second\n",
            id="waits to start again",
        ),
        pytest.param(
            ContainerStatus("user-container", state=waits("ContainerCreating")),
            NOT_STARTED + "ContainerCreating",
            NO_RUN_BEFORE,
            id="being made",
        ),
        pytest.param(
            ContainerStatus("user-container", state=waits("ErrImagePull")),
            NOT_STARTED + "image can't be pulled",
            NO_RUN_BEFORE,
            id="no image",
        ),
        pytest.param(
            ContainerStatus("user-container", state=waits("ImagePullBackOff")),
            NOT_STARTED + "trying and failing to pull image",
            NO_RUN_BEFORE,
            id="still no image",
        ),
    ],
)
def test_a_log_is_of_one_run(
    tmp_path: Path, status: ContainerStatus | None, newest: str, before: str
) -> None:
    file = log_file(tmp_path)
    file.write_text("second\n")
    file.with_name(file.name + PREVIOUS).write_text("first\n")

    async def scenario(api: Api) -> None:
        if status is not None:
            await say(api, status)
        for query, expected in (("", newest), ("?previous=true", before)):
            reply = await api.call("GET", LOG + query)
            is_refused = not expected.endswith("\n")
            said = reply.said[2] if is_refused else reply.body.decode()
            assert (reply.code, said) == (400 if is_refused else 200, expected)

    run(tmp_path, scenario)


async def say(api: Api, status: ContainerStatus) -> None:
    """Do what the supervisor does: say in the Pod how its container is."""
    pod = api.store.get(Pod, *POD)
    assert pod is not None
    said = msgspec.structs.replace(pod, status=PodStatus(container_statuses=(status,)))
    await api.store.update_status(said, "supervisor")


def test_following_ends_with_the_run(tmp_path: Path) -> None:
    file = log_file(tmp_path)
    file.write_bytes(b"one\n")

    async def scenario(api: Api) -> None:
        first = ContainerStatus("user-container", state=RUNS, container_id="knary://p-0")
        await say(api, first)
        async with api.watch(f"{LOG}?follow=true&timestamps=true") as stream:
            content = stream.response.content
            assert (await asyncio.wait_for(content.readline(), 20)).endswith(b"Z one\n")
            with file.open("ab") as log:
                log.write(b"last words\n")
            file.rename(file.with_name(file.name + PREVIOUS))
            file.write_bytes(b"of the next run\n")
            await say(api, msgspec.structs.replace(first, container_id="knary://p-1"))
            assert (await asyncio.wait_for(content.read(), 20)).endswith(b"Z last words\n")

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


@pytest.mark.parametrize("state", [waits("CrashLoopBackOff"), ENDED], ids=["waits", "ended"])
def test_a_run_that_is_over_is_not_followed(tmp_path: Path, state: ContainerState) -> None:
    log_file(tmp_path).write_bytes(LINES)

    async def scenario(api: Api) -> None:
        await say(api, ContainerStatus("user-container", state=state, last_state=ENDED))
        async with api.watch(f"{LOG}?follow=true") as stream:
            assert await asyncio.wait_for(stream.response.content.read(), 20) == LINES

    run(tmp_path, scenario)


def test_following_ends_when_the_server_stops(tmp_path: Path) -> None:
    log_file(tmp_path).write_bytes(LINES)

    async def scenario(api: Api) -> None:
        async with api.watch(f"{LOG}?follow=true") as stream:
            stopping = asyncio.ensure_future(api.server.stop())
            assert await asyncio.wait_for(stream.response.content.read(), 20) == LINES
            await stopping

    run(tmp_path, scenario)
