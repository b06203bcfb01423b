"""Whatever happens in whatever order, the gateway gets a table that it does not refuse."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from gateway.contract import RouteTable, difference
from gateway.router import Router
from gateway.worker import Worker
from simulator.traffic.rows import TrafficSettings
from simulator.traffic.table import TableCompiler
from tests.support.gateway import idle_worker
from tests.support.traffic import ingress, mapping, pod, programmed, revision, rule

Step = Callable[[TableCompiler], None]

names = st.sampled_from(["a", "b", "x-a"])
revisions = st.sampled_from(["r1", "r2", "r3"])
percents = st.dictionaries(revisions, st.integers(0, 100), max_size=3)
tags = st.lists(st.sampled_from(["x", "y"]), max_size=2, unique=True)


@st.composite
def put_ingress(draw: st.DrawFn) -> Step:
    name, share = draw(names), draw(percents)
    more = [rule(f"{tag}-{name}.default.example.com", draw(percents)) for tag in draw(tags)]
    one = ingress(name, share, *more, generation=draw(st.integers(1, 5)))
    if draw(st.booleans()):
        one = programmed(one)
    return lambda made: made.put_ingress(one)


hosts = st.sampled_from(["www.shop.test", "a.default.example.com", "a.default.localhost"])


@st.composite
def put_mapping(draw: st.DrawFn) -> Step:
    one = mapping(draw(hosts), draw(names), draw(st.integers(1, 3)))
    if draw(st.booleans()):
        one = programmed(one)
    return lambda made: made.put_ingress(one)


@st.composite
def drop_mapping(draw: st.DrawFn) -> Step:
    gone = mapping(draw(hosts))
    return lambda made: made.drop_ingress(gone)


@st.composite
def put_pod(draw: st.DrawFn) -> Step:
    one = pod(draw(revisions), draw(st.integers(1, 3)), ready=draw(st.booleans()))
    return lambda made: made.put_pod(one)


@st.composite
def drop(draw: st.DrawFn) -> Step:
    gone = ingress(draw(names), {})
    replica = pod(draw(revisions), draw(st.integers(1, 3)))
    if draw(st.booleans()):
        return lambda made: made.drop_ingress(gone)
    return lambda made: made.drop_pod(replica)


@st.composite
def put_revision(draw: st.DrawFn) -> Step:
    one = revision(draw(revisions), draw(st.sampled_from(["", "h2c"])))
    return lambda made: made.put_revision(one)


steps = st.lists(
    st.tuples(
        st.one_of(put_ingress(), put_pod(), drop(), put_revision(), put_mapping(), drop_mapping()),
        st.booleans(),
    ),
    max_size=30,
)


@given(steps)
def test_every_table_is_one_that_a_worker_takes_and_leaves_out_nothing(
    story: list[tuple[Step, bool]],
) -> None:
    made, worker = TableCompiler(TrafficSettings()), idle_worker()
    told, router = RouteTable(), Router(worker, 0, lambda _: None)
    for version, (step, compiles) in enumerate([*story, (lambda _: None, True)], 1):
        step(made)
        if compiles:
            table = made.compile(version).table
            check(worker, table)
            # Hosts that move between rows arrive together: a delta is taken as the whole is.
            router.install(difference(told, table))  # raises RefusedTable
            told = table


@given(steps, st.data())
def test_what_is_taken_between_the_steps_of_a_table_is_in_the_next_one(
    story: list[tuple[Step, bool]], data: st.DataObject
) -> None:
    small = TrafficSettings(ingresses_per_step=1, rows_per_step=1)
    made, all_at_once = TableCompiler(small), TableCompiler(small)
    worker, left, version = idle_worker(), [step for step, _ in story], 0
    while left or version == 0:
        version += 1
        compiling = made.compiling(version)
        while True:
            for _ in range(data.draw(st.integers(0, len(left)))):
                step = left.pop(0)
                step(made)
                step(all_at_once)
                all_at_once.compile(version)
            try:
                next(compiling)
            except StopIteration as done:
                check(worker, done.value.table)
                break
    # Who was first to a host may differ by then; that every replica is known may not.
    final, expected = made.compile(version + 1).table, all_at_once.compile(version + 1).table
    check(worker, final)
    for key in final.backends.keys() & expected.backends.keys():
        assert final.backends[key].addresses == expected.backends[key].addresses


def check(worker: Worker, table: RouteTable) -> None:
    Router(worker, 0, lambda _: None).replace(table)  # raises RefusedTable
    used = {share.backend for row in table.routes.values() for share in row.split.shares}
    assert used <= set(table.backends)
    assert all(key == row.key for key, row in table.routes.items())
    assert all(key == row.key for key, row in table.backends.items())


@given(
    st.lists(
        st.tuples(names, st.lists(revisions, min_size=1, max_size=2, unique=True)), max_size=12
    )
)
def test_step_by_step_leads_to_the_same_table_as_all_at_once(
    changes: list[tuple[str, list[str]]],
) -> None:
    replicas = [pod(f"r{i}", i) for i in (1, 2, 3)]
    stepwise = TableCompiler(TrafficSettings())
    for one in replicas:
        stepwise.put_pod(one)
    last = {}
    for generation, (name, of) in enumerate(changes, 1):
        percent = {one: 100 // len(of) for one in of}
        last[name] = ingress(name, percent, generation=generation)
        stepwise.put_ingress(last[name])
        stepwise.compile(generation)
    at_once = TableCompiler(TrafficSettings())
    for one in (*last.values(), *replicas):
        put = at_once.put_pod if one in replicas else at_once.put_ingress
        put(one)  # type: ignore[arg-type]
    expected, table = at_once.compile(1).table, stepwise.table
    assert (table.routes, table.backends) == (expected.routes, expected.backends)
