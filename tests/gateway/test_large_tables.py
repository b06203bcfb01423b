"""A change of many rows is installed in steps; what requests between two steps meet."""

from __future__ import annotations

from collections import Counter

import pytest

from gateway.changes import Change
from gateway.contract import Backend, Delta, Route, Share, Split
from gateway.errors import NoRoute
from gateway.router import BACKENDS_PER_STEP, ROUTES_PER_STEP, RefusedTable, Router
from tests.support.gateway import idle_worker

ROUTES = 5 * ROUTES_PER_STEP
ADDRESS = "127.0.0.1:1"


def row(number: int, weights: tuple[int, ...], hosts: tuple[str, ...] = ()) -> Route:
    shares = tuple(Share(f"d/{number}-{index}", weight) for index, weight in enumerate(weights))
    return Route(f"r{number}", hosts or (f"h{number}",), Split(f"r{number}", shares))


def backends(count: int, each: int, address: str = ADDRESS) -> tuple[Backend, ...]:
    return tuple(
        Backend(f"d/{number}-{index}", (address,))
        for number in range(count)
        for index in range(each)
    )


def change_of(routes: tuple[Route, ...], rows: tuple[Backend, ...]) -> Change:
    change = Change()
    change.take(Delta(routes, rows))
    return change


def router_with(weights: tuple[int, ...]) -> Router:
    router = Router(idle_worker(), 0, lambda _: None)
    routes = tuple(row(number, weights) for number in range(ROUTES))
    router.install(Delta(routes, backends(ROUTES, len(weights))))
    return router


def picked(router: Router, host: str) -> str:
    return router.hosts.match(host.encode()).split.pick().backend.key


def test_every_route_answers_at_every_moment_by_its_old_row_or_by_its_new_one() -> None:
    router = router_with((1, 0))
    new = tuple(row(number, (0, 1)) for number in range(ROUTES))
    steps = router.whole_steps(change_of(new, backends(ROUTES, 2)))
    seen = [
        [picked(router, f"h{number}").endswith("-1") for number in range(ROUTES)] for _ in steps
    ]
    assert len(seen) > 2 * ROUTES // ROUTES_PER_STEP
    assert not any(seen[0])
    assert [picked(router, f"h{number}") for number in range(ROUTES)] == [
        f"d/{number}-1" for number in range(ROUTES)
    ]
    # Once new, always new: no row comes back.
    assert seen == sorted(seen)


def test_requests_between_two_steps_count_for_the_new_split() -> None:
    router = router_with((75, 25))
    counts = Counter(picked(router, "h0") for _ in range(2))
    new = tuple(row(number, (25, 75)) for number in range(ROUTES))
    target = {"d/0-0": 2 * 0.75, "d/0-1": 2 * 0.25}
    for _ in router.steps(change_of(new, ())):
        is_new = router.hosts.match(b"h0").split.row.shares[0].weight == 25
        counts[picked(router, "h0")] += 1
        target["d/0-0"] += 0.25 if is_new else 0.75
        target["d/0-1"] += 0.75 if is_new else 0.25
        assert all(abs(counts[key] - share) < 1 for key, share in target.items())


def test_a_host_that_moves_to_a_route_of_a_later_step_is_never_without_one() -> None:
    router = router_with((1,))
    last = ROUTES - 1
    new = (
        row(0, (1,), ("other",)),
        *(row(number, (1,), (f"n{number}",)) for number in range(1, last)),
        row(last, (1,), (f"h{last}", "h0")),
    )
    owners = [picked(router, "h0") for _ in router.steps(change_of(new, ()))]
    assert set(owners) == {"d/0-0", f"d/{last}-0"}
    assert owners == sorted(owners, key=[*dict.fromkeys(owners)].index)
    assert picked(router, "h0") == f"d/{last}-0"
    with pytest.raises(NoRoute):
        router.hosts.match(b"h1")


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(Route("x", ("h0",), Split("x", (Share("d/0-0", 1),))), id="a taken host"),
        pytest.param(Route("x", ("x",), Split("x", (Share("d/no", 1),))), id="no such backend"),
        pytest.param(
            Route("x", ("x",), Split("x", (Share("d/0-0", 1), Share("d/0-0", 1)))),
            id="a backend twice",
        ),
    ],
)
def test_a_change_with_one_bad_row_changes_nothing_in_any_step(bad: Route) -> None:
    router = router_with((1, 0))
    new = (*(row(number, (0, 1)) for number in range(ROUTES)), bad)
    with pytest.raises(RefusedTable):
        for _ in router.whole_steps(change_of(new, backends(ROUTES, 2, "127.0.0.1:2"))):
            pass
    assert {picked(router, f"h{number}") for number in range(ROUTES)} == {
        f"d/{number}-0" for number in range(ROUTES)
    }
    addresses = {
        replica.address for replica in router.hosts.match(b"h0").split.targets[0].backend.replicas
    }
    assert addresses == {ADDRESS}


def test_the_table_that_is_served_already_replaces_no_row() -> None:
    router = router_with((1, 2))
    before = [router.hosts.match(f"h{number}".encode()) for number in range(ROUTES)]
    same = change_of(tuple(row(number, (1, 2)) for number in range(ROUTES)), backends(ROUTES, 2))
    for _ in router.whole_steps(same):
        pass
    assert same.rows() == 0
    after = [router.hosts.match(f"h{number}".encode()) for number in range(ROUTES)]
    assert all(one is other for one, other in zip(before, after, strict=True))


def test_a_whole_table_without_them_takes_routes_and_backends_away() -> None:
    router = router_with((1,))
    count = ROUTES - 2 * ROUTES_PER_STEP
    kept = tuple(row(number, (1,)) for number in range(count))
    for _ in router.whole_steps(change_of(kept, backends(count, 1))):
        pass
    assert picked(router, f"h{count - 1}") == f"d/{count - 1}-0"
    with pytest.raises(NoRoute):
        router.hosts.match(f"h{count}".encode())
    with pytest.raises(RefusedTable, match="names no backend"):
        router.install(Delta((row(count, (1,)),)))


def test_a_step_has_few_rows() -> None:
    router = Router(idle_worker(), 0, lambda _: None)
    count = 4 * BACKENDS_PER_STEP
    steps = router.steps(
        change_of(tuple(row(number, (1,)) for number in range(count)), backends(count, 1))
    )
    # Checked, compiled and put by routes; checked and updated by backends.
    by_routes, by_backends = count // ROUTES_PER_STEP, count // BACKENDS_PER_STEP
    assert sum(1 for _ in steps) >= 3 * by_routes + 2 * by_backends
