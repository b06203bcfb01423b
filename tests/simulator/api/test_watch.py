"""Watches over HTTPS, frame by frame."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from simulator.api.settings import ApiSettings
from simulator.resources.core import Pod, PodStatus
from simulator.resources.meta import Key, ObjectMeta
from simulator.resources.serving import Service
from tests.support.api import SERVICES, TABLE, WITHIN_S, Api, run_with_api
from tests.support.stored import service, with_image

WATCH = f"{SERVICES}?watch=true"
HELLO = Key("default", "hello")


def told(frames: list[Any]) -> list[tuple[str, str, str]]:
    return [
        (
            frame["type"],
            frame["object"]["metadata"].get("name", ""),
            frame["object"]["metadata"]["resourceVersion"],
        )
        for frame in frames
    ]


async def story(api: Api) -> None:
    """Write versions 2 to 4 of hello, and 5, its end."""
    made = await api.store.create(service())
    labelled = await api.store.update(made.with_metadata(labels={"a": "b"}))
    await api.store.update(with_image(labelled, "app:2"))
    await api.store.delete(Service, HELLO)


@pytest.mark.parametrize("version", ["", "&resourceVersion=0"])
def test_without_a_version_the_state_comes_first(tmp_path: Path, version: str) -> None:
    async def scenario(api: Api) -> None:
        await api.store.create(service())
        async with api.watch(WATCH + version) as frames:
            assert frames.response.headers["Content-Type"] == "application/json"
            assert frames.response.headers["Transfer-Encoding"] == "chunked"
            assert told(await frames.take(1)) == [("ADDED", "hello", "2")]
            await api.store.delete(Service, HELLO)
            assert told(await frames.take(1)) == [("DELETED", "hello", "3")]

    run_with_api(tmp_path, scenario)


def test_from_a_version_all_after_it_is_replayed_as_it_was(tmp_path: Path) -> None:
    expected = [
        ("ADDED", "hello", "2"),
        ("MODIFIED", "hello", "3"),
        ("MODIFIED", "hello", "4"),
        ("DELETED", "hello", "5"),
    ]

    async def scenario(api: Api) -> None:
        await story(api)
        for since in range(1, 5):
            async with api.watch(f"{WATCH}&resourceVersion={since}") as frames:
                assert told(await frames.take(5 - since)) == expected[since - 1 :]

    run_with_api(tmp_path, scenario)


def test_a_python_clients_boolean_opens_a_watch_too(tmp_path: Path) -> None:
    async def scenario(api: Api) -> None:
        await api.store.create(service())
        async with api.watch(f"{SERVICES}?watch=True") as frames:
            assert told(await frames.take(1)) == [("ADDED", "hello", "2")]

    run_with_api(tmp_path, scenario)


def test_initial_events_end_with_a_bookmark(tmp_path: Path) -> None:
    async def scenario(api: Api) -> None:
        await api.store.create(service())
        query = "&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
        async with api.watch(WATCH + query) as frames:
            added, bookmark = await frames.take(2)
            assert added["type"] == "ADDED"
            assert bookmark == {
                "type": "BOOKMARK",
                "object": {
                    "kind": "Service",
                    "apiVersion": "serving.knative.dev/v1",
                    "metadata": {
                        "resourceVersion": "2",
                        "annotations": {"k8s.io/initial-events-end": "true"},
                    },
                },
            }
        refused = await api.call("GET", f"{WATCH}&sendInitialEvents=true")
        assert refused.said[:2] == (422, "Invalid")
        no_initial = "&sendInitialEvents=false&resourceVersionMatch=NotOlderThan"
        async with api.watch(WATCH + no_initial) as frames:
            await api.store.create(service("next"))
            assert told(await frames.take(1)) == [("ADDED", "next", "3")]

    run_with_api(tmp_path, scenario)


def test_bookmarks_come_to_who_allows_them(tmp_path: Path) -> None:
    async def scenario(api: Api) -> None:
        async with api.watch(f"{WATCH}&allowWatchBookmarks=true") as frames:
            (bookmark,) = await frames.take(1)
            assert bookmark["type"] == "BOOKMARK"
            assert bookmark["object"]["metadata"] == {"resourceVersion": "1"}

    run_with_api(tmp_path, scenario, ApiSettings(bookmark_interval_s=0.01))


def test_a_watch_ends_cleanly_when_its_time_is_up(tmp_path: Path) -> None:
    async def scenario(api: Api) -> None:
        await api.store.create(service())
        async with api.watch(f"{WATCH}&timeoutSeconds=1") as frames:
            assert told(await frames.rest()) == [("ADDED", "hello", "2")]

    run_with_api(tmp_path, scenario)


def test_an_object_enters_and_leaves_a_selection(tmp_path: Path) -> None:
    async def scenario(api: Api) -> None:
        made = await api.store.create(service())
        queries = ["&labelSelector=a%3Db", "&labelSelector=a%3Db&resourceVersion=1"]
        async with api.watch(WATCH + queries[0]) as live:
            entered = await api.store.update(made.with_metadata(labels={"a": "b"}))
            changed = await api.store.update(with_image(entered, "app:2"))
            left = await api.store.update(changed.with_metadata(labels={}))
            await api.store.update(with_image(left, "app:3"))
            await api.store.delete(Service, HELLO)
            await api.store.create(service("other", labels={"a": "b"}))
            expected = [
                ("ADDED", "hello", "3"),
                ("MODIFIED", "hello", "4"),
                ("DELETED", "hello", "5"),
                ("ADDED", "other", "8"),
            ]
            frames = await live.take(4)
            assert told(frames) == expected
            assert frames[2]["object"]["metadata"]["labels"] == {"a": "b"}
        async with api.watch(WATCH + queries[1]) as replay:
            assert await replay.take(4) == frames

    run_with_api(tmp_path, scenario)


def test_a_field_selection_is_left_too(tmp_path: Path) -> None:
    async def scenario(api: Api) -> None:
        meta = ObjectMeta(name="p", namespace="default")
        pod = await api.store.create(Pod(metadata=meta, status=PodStatus(phase="Pending")))
        path = "/api/v1/pods?watch=1&fieldSelector=status.phase%3DRunning"
        async with api.watch(path) as frames:
            await api.store.update_status(
                Pod(metadata=pod.metadata, status=PodStatus(phase="Running"))
            )
            await api.store.update_status(Pod(metadata=meta, status=PodStatus(phase="Failed")))
            assert told(await frames.take(2)) == [("ADDED", "p", "3"), ("DELETED", "p", "4")]

    run_with_api(tmp_path, scenario)


def test_a_watch_is_of_one_namespace_and_one_name(tmp_path: Path) -> None:
    async def scenario(api: Api) -> None:
        by_field = f"{WATCH}&fieldSelector=metadata.name%3Dhello&resourceVersion=1"
        by_path = f"{SERVICES}/hello?watch=1&resourceVersion=1"
        await api.store.create(service(namespace="other"))
        await api.store.create(service("another"))
        await api.store.create(service())
        for path in (by_field, by_path):
            async with api.watch(path) as frames:
                assert told(await frames.take(1)) == [("ADDED", "hello", "4")]

    run_with_api(tmp_path, scenario)


@pytest.mark.parametrize(
    ("version", "message"),
    [("99", "too large resource version: 99, current: 1")],
)
def test_an_expired_version_is_one_error_frame(tmp_path: Path, version: str, message: str) -> None:
    async def scenario(api: Api) -> None:
        async with api.watch(f"{WATCH}&resourceVersion={version}") as frames:
            (frame,) = await frames.rest()
            assert frame["type"] == "ERROR"
            assert (frame["object"]["code"], frame["object"]["reason"]) == (410, "Expired")
            assert frame["object"]["message"] == message

    run_with_api(tmp_path, scenario)


def test_bad_watches_are_refused_before_they_begin(tmp_path: Path) -> None:
    async def scenario(api: Api) -> None:
        for query in ("resourceVersion=x", "labelSelector=%3D", "timeoutSeconds=x"):
            assert (await api.call("GET", f"{WATCH}&{query}")).said[0] == 400

    run_with_api(tmp_path, scenario)


def test_frames_are_tables_for_who_asks_with_columns_once(tmp_path: Path) -> None:
    async def scenario(api: Api) -> None:
        await api.store.create(service())
        async with api.watch(WATCH, Accept=TABLE) as frames:
            (first,) = await frames.take(1)
            assert first["object"]["kind"] == "Table"
            assert first["object"]["columnDefinitions"][0]["name"] == "Name"
            assert first["object"]["metadata"] == {"resourceVersion": "2"}
            await api.store.delete(Service, HELLO)
            deleted = (await frames.take(1))[0]
            assert deleted["type"] == "DELETED"
            assert deleted["object"]["columnDefinitions"] is None
            assert deleted["object"]["rows"][0]["cells"][0] == "hello"

    run_with_api(tmp_path, scenario)


def test_a_bookmark_among_tables_is_a_table_without_rows(tmp_path: Path) -> None:
    async def scenario(api: Api) -> None:
        async with api.watch(f"{WATCH}&allowWatchBookmarks=1", Accept=TABLE) as frames:
            bookmark = (await frames.take(1))[0]["object"]
            assert (bookmark["kind"], bookmark["rows"]) == ("Table", [])

    run_with_api(tmp_path, scenario, ApiSettings(bookmark_interval_s=0.01))


def test_a_large_state_and_many_changes_come_in_order(tmp_path: Path) -> None:
    async def scenario(api: Api) -> None:
        await asyncio.gather(*(api.store.create(service(f"s{n:04}")) for n in range(300)))
        async with api.watch(WATCH) as frames:
            initial = await frames.take(300)
            assert [frame["object"]["metadata"]["name"] for frame in initial] == [
                f"s{n:04}" for n in range(300)
            ]
            await asyncio.gather(*(api.store.create(service(f"t{n}")) for n in range(300)))
            versions = [int(version) for _, _, version in told(await frames.take(300))]
            assert versions == list(range(302, 602))

    run_with_api(tmp_path, scenario, ApiSettings(watch_batch_events_max=7))


def test_the_server_stops_with_watches_open_and_ends_them_cleanly(tmp_path: Path) -> None:
    async def scenario(api: Api) -> None:
        async with api.watch(WATCH) as frames:
            stopping = asyncio.ensure_future(api.server.stop())
            assert await frames.rest() == []
            await stopping

    run_with_api(tmp_path, scenario)


def test_only_so_many_watches_are_open_and_a_place_comes_free(tmp_path: Path) -> None:
    async def scenario(api: Api) -> None:
        async with api.watch(WATCH):
            refused = await api.call("GET", WATCH)
            assert refused.said[:2] == (503, "ServiceUnavailable")
        # The client is gone: the server notices by itself, without a write that fails.
        async with asyncio.timeout(WITHIN_S):
            while (await api.call("GET", f"{WATCH}&timeoutSeconds=1")).code != 200:
                continue

    run_with_api(tmp_path, scenario, ApiSettings(streams_max=1))


_INITIAL = "sendInitialEvents={}&resourceVersionMatch=NotOlderThan"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        pytest.param("", ["a", "b", "+c"], id="no version: the state first"),
        pytest.param("resourceVersion=0", ["a", "b", "+c"], id="version 0: the state first"),
        pytest.param("resourceVersion=3", ["+c"], id="a version: what comes after it"),
        pytest.param("resourceVersion=2", ["b", "+c"], id="an older one: replayed from there"),
        pytest.param(_INITIAL.format("false"), ["+c"], id="no state, as asked"),
        pytest.param(
            f"{_INITIAL.format('false')}&resourceVersion=0", ["+c"], id="no state at version 0"
        ),
        pytest.param(
            f"{_INITIAL.format('false')}&resourceVersion=2", ["b", "+c"], id="no state at version 2"
        ),
        pytest.param(_INITIAL.format("true"), ["a", "b", "+c"], id="no bookmark unless allowed"),
        pytest.param(
            f"{_INITIAL.format('true')}&allowWatchBookmarks=1",
            ["a", "b", "end 3", "+c"],
            id="the state, and its end",
        ),
        pytest.param(
            f"{_INITIAL.format('true')}&allowWatchBookmarks=1&resourceVersion=2",
            ["a", "b", "end 3", "+c"],
            id="the state is not older than asked",
        ),
        pytest.param(
            f"{_INITIAL.format('true')}&allowWatchBookmarks=1&fieldSelector=metadata.name%3Dc",
            ["end 3", "+c"],
            id="the end of an empty state",
        ),
    ],
)
def test_what_a_watch_begins_with(tmp_path: Path, query: str, expected: list[str]) -> None:
    async def scenario(api: Api) -> None:
        for name in ("a", "b"):
            await api.store.create(service(name))
        async with api.watch(f"{WATCH}&{query}") as frames:
            before = await frames.take(len(expected) - 1)
            await api.store.create(service("c"))
            seen = [_shown(frame) for frame in before + await frames.take(1)]
        assert seen == [*expected[:-1], "c"]

    run_with_api(tmp_path, scenario)


def _shown(frame: Any) -> str:
    metadata = frame["object"]["metadata"]
    if frame["type"] == "BOOKMARK":
        assert metadata["annotations"] == {"k8s.io/initial-events-end": "true"}
        return f"end {metadata['resourceVersion']}"
    assert frame["type"] == "ADDED"
    return str(metadata["name"])
