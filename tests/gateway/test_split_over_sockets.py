"""Counts of real requests, each answered over a socket by the revision that got it."""

from __future__ import annotations

import contextlib
from collections import Counter

import pytest

from tests.support.gateway import HOST, gateway, read_head, revision, run, saying, table

KNATIVES_OWN = {"a": 1, "b": 2, "c": 4, "d": 8, "e": 16, "f": 32, "g": 37}
REQUESTS = 1_000


def counts(splitter: str, weights: dict[str, int]) -> Counter[str]:
    async def story() -> Counter[str]:
        async with gateway() as served, contextlib.AsyncExitStack() as revisions:
            addresses = {
                name: (await revisions.enter_async_context(revision(saying(name))),)
                for name in weights
            }
            served.router.replace(table(addresses, weights, splitter=splitter))
            reader, writer = await served.connect()
            found: Counter[str] = Counter()
            for _ in range(REQUESTS):
                writer.write(f"GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
                await read_head(reader)
                found[(await reader.readexactly(1)).decode()] += 1
            return found

    return run(story())


@pytest.mark.parametrize("splitter", ["stratified", "exact", "smooth-wrr"])
def test_knatives_own_split_of_a_thousand_requests_is_exact(splitter: str) -> None:
    """Knative's TestPercentage allows 10 points either way; whole cycles leave nothing over."""
    assert counts(splitter, KNATIVES_OWN) == {name: 10 * w for name, w in KNATIVES_OWN.items()}


@pytest.mark.parametrize("splitter", ["edf", "static-stride"])
def test_the_splitters_of_others_come_close_on_it(splitter: str) -> None:
    found = counts(splitter, KNATIVES_OWN)
    assert all(abs(found[name] - 10 * weight) <= 2 for name, weight in KNATIVES_OWN.items())


def test_all_clients_of_one_address_get_one_revision_by_hash_ranges() -> None:
    (only,) = counts("hash-ranges", {"a": 50, "b": 50}).values()
    assert only == REQUESTS
