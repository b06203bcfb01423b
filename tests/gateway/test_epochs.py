"""Splits that begin anew: with another epoch, and with the same seed alike."""

from __future__ import annotations

import pytest

from gateway.contract import SPLITTERS, Backend, Delta, Route, Share, Split
from gateway.router import Router
from tests.support.gateway import idle_worker

SHARES = (Share("a", 5000), Share("b", 3000), Share("c", 2000))
BACKENDS = tuple(Backend(key) for key in "abc")
DEALT_BY_DICE = ("stratified", "random")


def row(
    key: str, splitter: str, seed: int | None, epoch: int = 0, *, service: str = "default/hello"
) -> Route:
    split = Split(key, SHARES, splitter, seed, epoch=epoch)
    return Route(key, ("hello",), split, service=service)


def router_with(route: Route, worker: int = 0) -> Router:
    router = Router(idle_worker(), worker, lambda _: None)
    router.install(Delta((route,), BACKENDS))
    return router


def turns(router: Router, count: int = 40) -> str:
    split = router.hosts.match(b"hello").split
    return "".join(split.pick_for([], "127.0.0.1").backend.key for _ in range(count))


@pytest.mark.parametrize("splitter", SPLITTERS)
def test_with_another_epoch_a_split_begins_anew(splitter: str) -> None:
    router = router_with(row("k", splitter, seed=7))
    first = turns(router)
    router.install(Delta((row("k", splitter, seed=7, epoch=1),)))
    split = router.hosts.match(b"hello").split
    assert split.turns == 0
    assert turns(router) == first


def test_with_the_same_epoch_it_goes_on_where_it_was() -> None:
    router, other = (router_with(row("k", "stratified", seed=7)) for _ in range(2))
    whole = turns(other, 60)
    assert turns(router, 25) == whole[:25]
    router.install(Delta((row("k", "stratified", seed=7),)))
    assert turns(router, 35) == whole[25:]


@pytest.mark.parametrize("splitter", DEALT_BY_DICE)
def test_the_same_seed_deals_alike_also_for_a_service_that_was_made_again(splitter: str) -> None:
    first = turns(router_with(row("uid-1/hello", splitter, seed=7)))
    assert turns(router_with(row("uid-2/hello", splitter, seed=7))) == first


@pytest.mark.parametrize("splitter", DEALT_BY_DICE)
def test_another_seed_service_or_worker_deals_otherwise(splitter: str) -> None:
    dealt = {
        turns(router_with(row("k", splitter, seed=7)), 200),
        turns(router_with(row("k", splitter, seed=8)), 200),
        turns(router_with(row("k", splitter, seed=7, service="default/other")), 200),
        turns(router_with(row("k", splitter, seed=7), worker=1), 200),
    }
    assert len(dealt) == 4


def test_without_a_seed_each_split_has_dice_of_its_own() -> None:
    dealt = {turns(router_with(row("k", "random", seed=None)), 200) for _ in range(3)}
    assert len(dealt) == 3
