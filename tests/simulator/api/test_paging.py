"""Lists in pages: consistent to the last one, and what comes of a token that is too old."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.api.paging import Listed, Pages
from simulator.errors import BadRequest, ContinueExpired
from simulator.resources.meta import Resource
from simulator.resources.serving import Service
from tests.support.api import SERVICES, TABLE, Api, run_with_api
from tests.support.clocks import ManualClock
from tests.support.stored import service

ALL_SERVICES = "/apis/serving.knative.dev/v1/services"
SNAPSHOT_S = 300.0
EXPIRED = (
    "The provided continue parameter is too old to display a consistent list result. You can start "
    "a new list without the continue parameter, or use the continue token in this response to "
    "retrieve the remainder of the results. Continuing with the provided token results in an "
    "inconsistent list - objects that were created, modified, or deleted between the time the "
    "first chunk was returned and now may show up in the list."
)
QUESTION = ("services", "default", "", "")


async def fill(api: Api, count: int = 5) -> None:
    for number in range(count):
        await api.store.create(service(f"s{number}"))


def names(document: dict[str, Any]) -> list[str]:
    return [item["metadata"]["name"] for item in document["items"]]


async def page(api: Api, token: str = "", query: str = "limit=2") -> Any:
    return await api.call("GET", f"{SERVICES}?{query}&continue={token}")


def test_pages_show_the_list_as_it_was_at_the_first(tmp_path: Path) -> None:
    async def scenario(api: Api) -> None:
        await fill(api)
        first = (await page(api)).json
        assert names(first) == ["s0", "s1"]
        assert first["metadata"]["remainingItemCount"] == 3
        await api.store.create(service("s1a"))
        await api.store.delete(Service, service("s3").key)
        for _ in range(2):  # the same page twice: an answer may have been lost
            second = (await page(api, first["metadata"]["continue"])).json
            assert names(second) == ["s2", "s3"]
        third = (await page(api, second["metadata"]["continue"])).json
        assert names(third) == ["s4"]
        versions = {one["metadata"]["resourceVersion"] for one in (first, second, third)}
        assert versions == {"6"}
        assert set(third["metadata"]) == {"resourceVersion"}
        rest = (await page(api, first["metadata"]["continue"], "limit=0")).json
        assert names(rest) == ["s2", "s3", "s4"]

    run_with_api(tmp_path, scenario)


def test_with_a_selector_nobody_counts_what_remains(tmp_path: Path) -> None:
    async def scenario(api: Api) -> None:
        await fill(api)
        query = "limit=2&labelSelector=!odd"
        first = (await page(api, query=query)).json
        assert set(first["metadata"]) == {"resourceVersion", "continue"}
        second = (await page(api, first["metadata"]["continue"], query)).json
        assert names(second) == ["s2", "s3"]

    run_with_api(tmp_path, scenario)


def test_a_token_that_is_too_old_is_expired_with_one_that_goes_on(tmp_path: Path) -> None:
    async def scenario(api: Api) -> None:
        await fill(api)
        token = (await page(api)).json["metadata"]["continue"]
        await api.store.create(service("s1a"))
        await api.store.create(service("s0a"))
        api.clock.advance(SNAPSHOT_S + 1)
        late = await page(api, token)
        assert late.said == (410, "Expired", EXPIRED)
        onward = (await page(api, late.json["metadata"]["continue"])).json
        assert names(onward) == ["s1a", "s2"]
        assert onward["metadata"]["resourceVersion"] == "8"
        assert onward["metadata"]["remainingItemCount"] == 2
        assert names((await page(api, onward["metadata"]["continue"])).json) == ["s3", "s4"]

    run_with_api(tmp_path, scenario)


def test_a_token_opens_only_the_list_it_was_given_for(tmp_path: Path) -> None:
    async def scenario(api: Api) -> None:
        await fill(api)
        token = (await page(api)).json["metadata"]["continue"]
        for path in (
            f"{ALL_SERVICES}?limit=2",
            f"{SERVICES}?limit=2&labelSelector=a",
            f"{SERVICES.replace('services', 'routes')}?limit=2",
        ):
            other = await api.call("GET", f"{path}&continue={token}")
            assert other.said[0] == 400
        versioned = await page(api, token, "limit=2&resourceVersion=3")
        assert versioned.said == (
            400,
            "BadRequest",
            "specifying resource version is not allowed when using continue",
        )
        assert (await page(api, token, "limit=2&resourceVersion=0")).code == 200
        tables = await api.call("GET", f"{SERVICES}?limit=2&continue={token}", Accept=TABLE)
        assert [row["cells"][0] for row in tables.json["rows"]] == ["s2", "s3"]

    run_with_api(tmp_path, scenario)


def pages(secret: bytes = b"secret", **settings: Any) -> Pages:
    bounds = {"snapshots_max": 8, "snapshot_s_max": SNAPSHOT_S} | settings
    return Pages(ManualClock(), secret=secret, **bounds)


def listed(*numbers: int, version: int = 9) -> Listed:
    return Listed(tuple[Resource, ...](service(f"s{number:03}") for number in numbers), version)


def test_after_a_restart_a_token_is_expired_and_not_unknown() -> None:
    now = listed(0, 1, 2, 3)
    token = pages().first(QUESTION, now, 1).token
    with pytest.raises(ContinueExpired) as expired:
        pages().next(QUESTION, token, 1, lambda: now)
    onward = pages().next(QUESTION, expired.value.metadata["continue"], 9, lambda: now)
    assert onward.objects == now.objects[1:]
    with pytest.raises(BadRequest):
        pages(b"another instance").next(QUESTION, token, 1, lambda: now)


def test_only_so_many_snapshots_are_kept_the_oldest_goes_first() -> None:
    kept = pages(snapshots_max=2)
    now = listed(0, 1, 2)
    tokens = [kept.first(QUESTION, now, 1).token for _ in range(3)]
    with pytest.raises(ContinueExpired):
        kept.next(QUESTION, tokens[0], 1, lambda: now)
    for token in tokens[1:]:
        assert kept.next(QUESTION, token, 1, lambda: now).objects == now.objects[1:2]


@given(numbers=st.sets(st.integers(0, 99)), limits=st.lists(st.integers(1, 7), min_size=1))
def test_pages_of_any_sizes_are_the_list(numbers: set[int], limits: list[int]) -> None:
    kept = pages()
    whole = listed(*sorted(numbers))
    found = kept.first(QUESTION, whole, limits[0])
    seen = list(found.objects)
    turn = 0
    while found.token:
        turn += 1
        found = kept.next(QUESTION, found.token, limits[turn % len(limits)], listed)
        seen += found.objects
        assert found.remaining == len(whole.objects) - len(seen)
    assert seen == list(whole.objects)


@given(at=st.integers(0, 400), flip=st.integers(1, 255))
def test_a_token_that_was_changed_is_refused(at: int, flip: int) -> None:
    kept = pages()
    now = listed(0, 1, 2, 3)
    token = kept.first(QUESTION, now, 1).token
    raw = bytearray(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    raw[at % len(raw)] ^= flip
    forged = base64.urlsafe_b64encode(raw).decode().rstrip("=")
    with pytest.raises(BadRequest):
        kept.next(QUESTION, forged, 1, lambda: now)


@given(st.text())
def test_no_token_makes_the_check_itself_fail(token: str) -> None:
    with pytest.raises(BadRequest):
        pages().next(QUESTION, token, 1, listed)
