"""The route of the host "*": it has every host that no other route has, and no more."""

from __future__ import annotations

import pytest

from gateway.contract import Backend, Delta, Route, Share, Split
from gateway.errors import BadMessage, NoRoute
from gateway.hosts import EVERY_HOST, HOST_VALUE_BYTES_MAX, HOST_VALUES_MAX
from gateway.router import Router
from tests.support.gateway import idle_worker


def row(host: str) -> Route:
    return Route(host, (host,), Split(host, (Share("a", 100),)))


def router_with(*hosts: str) -> Router:
    router = Router(idle_worker(), 0, lambda _: None)
    router.install(Delta(tuple(map(row, hosts)), (Backend("a"),)))
    return router


def key(router: Router, value: bytes) -> str:
    return router.hosts.match(value).row.key


def test_a_host_of_its_own_comes_first_whatever_its_port() -> None:
    router = router_with(EVERY_HOST, "a.test")
    assert key(router, b"A.test.:80") == "a.test"
    assert key(router, b"b.test") == EVERY_HOST
    assert key(router, b"[::1]:80") == EVERY_HOST


def test_a_route_that_comes_later_takes_its_host_from_the_default() -> None:
    router = router_with(EVERY_HOST)
    assert key(router, b"a.test") == EVERY_HOST
    router.install(Delta((row("a.test"),)))
    assert key(router, b"a.test") == "a.test"
    assert key(router, b"b.test") == EVERY_HOST


def test_a_route_that_goes_leaves_its_host_to_the_default() -> None:
    router = router_with(EVERY_HOST, "a.test")
    assert key(router, b"a.test") == "a.test"
    router.install(Delta(routes_gone=("a.test",)))
    assert key(router, b"a.test") == EVERY_HOST


def test_without_the_default_there_is_none() -> None:
    router = router_with(EVERY_HOST)
    assert key(router, b"a.test") == EVERY_HOST
    router.install(Delta(routes_gone=(EVERY_HOST,)))
    with pytest.raises(NoRoute):
        key(router, b"a.test")


@pytest.mark.parametrize("value", [b"a b", b"a/b", b"user@a", b"a:b", b"[::1"])
def test_what_is_no_host_is_refused_all_the_same(value: bytes) -> None:
    with pytest.raises(BadMessage):
        key(router_with(EVERY_HOST), value)


def test_a_request_without_a_host_has_no_default() -> None:
    with pytest.raises(NoRoute):
        key(router_with(EVERY_HOST), b"")


def test_what_clients_call_a_host_is_kept_within_bounds() -> None:
    """A value that is as long as a head would be 64 KB, and there may be 65,536 of them."""
    router = router_with(EVERY_HOST, "a.test")
    long = b"a.test:" + b"0" * HOST_VALUE_BYTES_MAX
    assert key(router, long) == "a.test"
    assert key(router, b"b" * (HOST_VALUE_BYTES_MAX + 1)) == EVERY_HOST
    kept = router.hosts._values
    assert kept == {}
    for number in range(HOST_VALUES_MAX + 2):
        router.hosts.match(b"%d" % number)
    assert len(kept) == 2
