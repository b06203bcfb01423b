"""A table on the wire: the frames lead a worker from one table to the other."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.contract import (
    Backend,
    Begin,
    Commit,
    Delta,
    FrameReader,
    Route,
    RouteTable,
    Share,
    Split,
    ToWorker,
    to_worker,
)
from simulator.gatewaylink.frames import chunks, frames

keys = st.sampled_from([f"k{i}" for i in range(12)])
weights = st.integers(1, 3)


def route(key: str, weight: int) -> Route:
    return Route(key, (f"{key}.example.com",), Split(key, (Share("b", weight),)))


@st.composite
def tables(draw: st.DrawFn) -> RouteTable:
    routes = draw(st.dictionaries(keys, weights))
    backends = draw(st.dictionaries(keys, weights))
    return RouteTable(
        draw(st.integers(0, 9)),
        {key: route(key, weight) for key, weight in routes.items()},
        {key: Backend(key, (f"127.0.0.1:{port}",)) for key, port in backends.items()},
    )


def sent(old: RouteTable | None, new: RouteTable, rows_max: int) -> list[ToWorker]:
    reader = FrameReader()
    return [to_worker(body) for frame in frames(old, new, rows_max) for body in reader.feed(frame)]


@given(tables(), tables(), st.integers(1, 5))
def test_the_frames_lead_from_the_old_table_to_the_new_one(
    old: RouteTable, new: RouteTable, rows_max: int
) -> None:
    *deltas, commit = sent(old, new, rows_max)
    assert commit == Commit(new.version)
    routes, backends = dict(old.routes), dict(old.backends)
    for delta in deltas:
        assert isinstance(delta, Delta)
        for rows in (delta.routes, delta.backends, delta.routes_gone, delta.backends_gone):
            assert len(rows) <= rows_max
        for key in delta.routes_gone:
            del routes[key]
        for key in delta.backends_gone:
            del backends[key]
        routes.update((row.key, row) for row in delta.routes)
        backends.update((row.key, row) for row in delta.backends)
    assert (routes, backends) == (new.routes, new.backends)


@given(tables())
def test_a_worker_without_a_table_is_told_to_begin(new: RouteTable) -> None:
    assert sent(None, new, 2)[0] == Begin(new.version)
    assert sent(None, new, 2)[1:] == sent(RouteTable(), new, 2)


def test_no_change_is_a_commit_alone() -> None:
    table = RouteTable(4, {"a": route("a", 1)})
    assert sent(table, RouteTable(5, table.routes), 2) == [Commit(5)]


def test_an_empty_delta_is_cut_into_nothing() -> None:
    assert list(chunks(Delta(), 10)) == []
