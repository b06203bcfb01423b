"""The tables of answers, given by a revision through the whole gateway to a strict client.

A refused head is a 502; a body that breaks its promise never ends well; a valid answer is
understood as it was meant. A connection whose answer was not read wholly and well is closed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

import pytest

from gateway.contract import RouteTable
from tests.conformance import responses_broken, responses_refused, responses_valid
from tests.conformance.cases import BadAnswer, GoodAnswer
from tests.support.gateway import WAIT_S, gateway, revision, run, table
from tests.support.hostile import Hostile, Understood, ask

REFUSED = (*responses_refused.ROWS, *responses_refused.BY_CONNECTIONS)


class Outcome(NamedTuple):
    understood: Understood
    reused: bool


async def outcomes(rows: Sequence[BadAnswer | GoodAnswer], *, in_two: bool) -> dict[str, Outcome]:
    """Give each answer to a request of its own; see whether another comes on its connection."""
    told: dict[str, Outcome] = {}
    hostile = Hostile()
    async with gateway() as worker, revision(hostile.script) as address:
        worker.router.replace(table({"one": (address,)}))
        for row in rows:
            hostile.prepare(row.raw, closes=row.closes, in_two=in_two)
            understood = await ask(worker, row.method, hostile)
            assert (await worker.get("/mark")).endswith(b"mark"), row.id
            async with asyncio.timeout(WAIT_S):
                await hostile.let_go.wait()
            told[row.id] = Outcome(understood, hostile.reused)
        worker.router.replace(RouteTable())
    return told


@lru_cache(maxsize=1)
def refused() -> dict[str, Outcome]:
    return run(outcomes(REFUSED, in_two=False))


@lru_cache(maxsize=2)
def broken(*, in_two: bool) -> dict[str, Outcome]:
    return run(outcomes(responses_broken.ROWS, in_two=in_two))


@lru_cache(maxsize=1)
def valid() -> dict[str, Outcome]:
    return run(outcomes(responses_valid.ROWS, in_two=False))


@pytest.fixture(scope="module", autouse=True)
def _forgotten() -> Iterator[None]:
    yield
    for memo in (refused, broken, valid):
        memo.cache_clear()


@pytest.mark.parametrize("row", REFUSED, ids=lambda row: row.id)
def test_a_refused_head_is_a_502_and_its_connection_is_closed(row: BadAnswer) -> None:
    told = refused()[row.id]
    assert (told.understood.status, told.understood.whole) == (502, True), row.why
    assert not told.reused


@pytest.mark.parametrize("row", responses_broken.ROWS, ids=lambda row: row.id)
def test_a_body_that_is_broken_after_its_head_never_ends_well(row: BadAnswer) -> None:
    told = broken(in_two=True)[row.id]
    assert (told.understood.status, told.understood.whole) == (200, False), row.why
    assert not told.reused


@pytest.mark.parametrize("row", responses_broken.ROWS, ids=lambda row: row.id)
def test_a_body_that_is_broken_with_its_head_is_a_502_or_never_ends_well(row: BadAnswer) -> None:
    told = broken(in_two=False)[row.id]
    assert (told.understood.status, told.understood.whole) in {(502, True), (200, False)}, row.why
    assert not told.reused


@pytest.mark.parametrize("row", responses_valid.ROWS, ids=lambda row: row.id)
def test_a_valid_answer_is_understood_as_it_was_meant(row: GoodAnswer) -> None:
    told = valid()[row.id]
    assert told.understood.whole, row.why
    assert b"%d" % told.understood.status == row.means.start
    assert told.understood.body == row.means.body
    assert set(row.means.lines) <= set(told.understood.lines)
    assert told.reused is row.reusable
    names = [line.partition(b":")[0] for line in told.understood.lines]
    assert names.count(b"content-length") + names.count(b"transfer-encoding") <= 1
    assert not {b"keep-alive", b"upgrade", b"te"} & set(names)


def test_interim_answers_go_to_the_client_but_for_100() -> None:
    told = valid()["several 1xx, then 200"]
    assert told.understood.interim == (103,) * 5
