"""What the gateway is told of Ingresses, Revisions and Pods."""

from __future__ import annotations

import msgspec
import pytest

from gateway.contract import Backend, RouteTable
from simulator.resources.meta import Key, Resource
from simulator.resources.networking import Ingress, IngressHttp, IngressPath, IngressRule
from simulator.resources.serving import (
    ANNOTATION_HASH_HEADER,
    ANNOTATION_SPLITTER,
    ANNOTATION_STICKY,
    ANNOTATION_TRAFFIC_PERCENT,
)
from simulator.traffic.rows import TrafficSettings
from simulator.traffic.table import Conflicting, Programmed, TableCompiler, Verdict, Waiting
from tests.support.traffic import NAMESPACE, ingress, pod, programmed, revision, rule

HELLO = Key(NAMESPACE, "hello")
PUT = {"Ingress": "put_ingress", "Pod": "put_pod", "Revision": "put_revision"}


def compiler(*objects: Resource, **settings: object) -> TableCompiler:
    """Return a compiler that has compiled these."""
    made = TableCompiler(TrafficSettings(**settings))  # type: ignore[arg-type]
    put(made, *objects)
    made.compile(1)
    return made


def put(made: TableCompiler, *objects: Resource) -> None:
    for one in objects:
        getattr(made, PUT[one.KIND])(one)


def verdict(made: TableCompiler, uid: str = "uid-hello") -> Verdict | None:
    """Return what was made of the Ingress `hello`."""
    return made.verdict(ingress("hello", {}, uid=uid))


def weights(table: RouteTable, host: str = "hello.default.example.com") -> dict[str, int]:
    """Return the weights of the route that has the host."""
    found = [route for route in table.routes.values() if host in route.hosts]
    assert len(found) <= 1, f"{host} is in {len(found)} routes"
    return {share.backend: share.weight for route in found for share in route.split.shares}


def backends(table: RouteTable) -> dict[str, tuple[str, ...]]:
    return {key: row.addresses for key, row in table.backends.items()}


def test_a_split_is_a_route_and_its_revisions_are_backends() -> None:
    table = compiler(
        ingress("hello", {"a": 90, "b": 10}), pod("a", 1), pod("b", 2), pod("b", 3)
    ).table
    assert weights(table) == {"default/a": 9000, "default/b": 1000}
    assert backends(table) == {
        "default/a": ("127.0.0.1:1",),
        "default/b": ("127.0.0.1:2", "127.0.0.1:3"),
    }


def test_the_protocol_is_told_by_the_ports_name_and_the_timeout_by_the_revision() -> None:
    made = compiler(
        ingress("hello", {"a": 50, "b": 50}),
        *(pod("a", 1), pod("b", 2), revision("a"), revision("b", "h2c", 7)),
    )
    assert made.table.backends == {
        "default/a": Backend("default/a", ("127.0.0.1:1",), "http1", 300.0),
        "default/b": Backend("default/b", ("127.0.0.1:2",), "h2c", 7.0),
    }


def test_a_revision_whose_name_is_taken_again_gets_its_own_timeout() -> None:
    made = compiler(ingress("hello", {"a": 100}), pod("a", 1), revision("a", timeout_s=7))
    made.drop_revision(revision("a"))
    assert made.compile(2).table.backends["default/a"].timeout_s == 300.0


@pytest.mark.parametrize(
    ("annotation", "expected"), [("", "exact"), ("random", "random"), ("nonsense", "exact")]
)
def test_the_splitter_is_the_ingresses_or_the_instances(annotation: str, expected: str) -> None:
    annotations = {ANNOTATION_SPLITTER: annotation} if annotation else {}
    one = ingress("hello", {"a": 100}, annotations=annotations)
    (route,) = compiler(one, pod("a", 1), splitter="exact", seed=7).table.routes.values()
    assert (route.split.splitter, route.split.seed) == (expected, 7)


def test_another_splitter_counts_at_once() -> None:
    made = compiler(ingress("hello", {"a": 100}), pod("a", 1))
    put(made, ingress("hello", {"a": 100}, annotations={ANNOTATION_SPLITTER: "exact"}))
    (route,) = made.compile(2).table.routes.values()
    assert route.split.splitter == "exact"
    found = verdict(made)
    assert isinstance(found, Programmed)
    assert found.annotations == {ANNOTATION_SPLITTER: "exact"}


def test_the_keys_of_route_and_split_survive_a_change_of_the_split() -> None:
    made = compiler(ingress("hello", {"a": 100}), pod("a", 1), pod("b", 2))
    (before,) = made.table.routes.values()
    put(made, ingress("hello", {"a": 50, "b": 50}, generation=2))
    (after,) = made.compile(2).table.routes.values()
    assert (after.key, after.split.key) == (before.key, before.split.key)
    assert after.split.shares != before.split.shares


def test_a_tag_has_a_route_of_its_own_whose_key_does_not_move() -> None:
    tag = rule("next-hello.default.example.com", {"b": 100})
    made = compiler(ingress("hello", {"a": 100}), pod("a", 1), pod("b", 2))
    put(made, ingress("hello", {"a": 100}, tag, generation=2))
    table = made.compile(2).table
    assert weights(table, "next-hello.default.localhost") == {"default/b": 10_000}
    assert len(table.routes) == 2


@pytest.mark.parametrize(
    "one",
    [
        pytest.param(IngressRule(("x.example.com",)), id="no path"),
        pytest.param(rule("x.example.com", {}), id="no split"),
        pytest.param(rule("x.example.com", {"a": 0, "b": 0}), id="no percent"),
        pytest.param(
            IngressRule(("x.example.com",), "", IngressHttp((IngressPath((), path="/only"),))),
            id="a path that does not match all",
        ),
        pytest.param(
            rule("hello.default.example.com", {"a": 100}), id="a host that it has already"
        ),
    ],
)
def test_a_rule_that_would_make_the_gateway_refuse_the_table_is_left_out(one: IngressRule) -> None:
    table = compiler(ingress("hello", {"a": 100}, one), pod("a", 1)).table
    assert [route.hosts[0] for route in table.routes.values()] == ["hello.default.example.com"]


def test_a_single_split_without_a_percent_has_all() -> None:
    assert weights(compiler(ingress("hello", {"a": 0}), pod("a", 1)).table) == {"default/a": 10_000}


# Kourier's rule ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "replicas",
    [
        pytest.param((), id="no replica"),
        pytest.param((pod("b", 2, ready=False),), id="not ready"),
        pytest.param(
            (pod("b", 2, deletion_timestamp="2026-01-01T00:00:00Z"),), id="on its way out"
        ),
        pytest.param((pod("c", 2),), id="of another revision"),
    ],
)
def test_a_new_generation_waits_for_every_revision_and_the_old_one_is_served(
    replicas: tuple[Resource, ...],
) -> None:
    made = compiler(ingress("hello", {"a": 100}), pod("a", 1))
    put(made, ingress("hello", {"a": 50, "b": 50}, generation=2), *replicas)
    compiled = made.compile(2)
    assert weights(compiled.table) == {"default/a": 10_000}
    assert verdict(made) == Waiting(2, ("default/b",))
    assert compiled.judged == (HELLO,)


def test_it_is_programmed_the_moment_the_last_replica_is_ready() -> None:
    new = ingress("hello", {"a": 50, "b": 50}, generation=2)
    made = compiler(ingress("hello", {"a": 100}), pod("a", 1))
    put(made, new)
    made.compile(2)
    put(made, pod("b", 2))
    compiled = made.compile(3)
    assert weights(compiled.table) == {"default/a": 5000, "default/b": 5000}
    assert verdict(made) == Programmed(2, new.spec.rules)
    assert compiled.judged == (HELLO,)


def test_a_revision_at_no_percent_need_not_be_ready() -> None:
    table = compiler(ingress("hello", {"a": 100, "b": 0}), pod("a", 1)).table
    assert weights(table) == {"default/a": 10_000}
    assert "default/b" not in table.backends


def test_what_is_programmed_stays_so_when_its_replicas_go() -> None:
    made = compiler(ingress("hello", {"a": 100}), pod("a", 1))
    made.drop_pod(pod("a", 1))
    table = made.compile(2).table
    assert weights(table) == {"default/a": 10_000}
    assert backends(table) == {"default/a": ()}
    assert isinstance(verdict(made), Programmed)


def test_a_route_hidden_from_the_outside_is_programmed_too_when_its_revision_is_ready() -> None:
    hidden = with_rules(ingress("hello", {"a": 100}), ingress("hello", {"a": 100}).spec.rules[0])
    made = compiler(hidden)
    assert verdict(made) == Waiting(1, ("default/a",))
    put(made, pod("a", 1))
    (route,) = made.compile(2).table.routes.values()
    assert (route.hosts, route.local_hosts) == ((), ("hello.default.svc.cluster.local",))
    assert isinstance(verdict(made), Programmed)


def test_after_a_restart_the_status_says_what_is_served() -> None:
    old = programmed(ingress("hello", {"a": 100}))
    new = ingress("hello", {"b": 100}, generation=2)
    made = compiler(Ingress(new.metadata, new.spec, old.status))
    assert weights(made.table) == {"default/a": 10_000}
    assert backends(made.table) == {"default/a": ()}
    assert verdict(made) == Waiting(2, ("default/b",))


def test_after_a_restart_a_programmed_generation_needs_no_replica() -> None:
    made = compiler(programmed(ingress("hello", {"a": 100})))
    assert isinstance(verdict(made), Programmed)
    assert weights(made.table) == {"default/a": 10_000}


@pytest.mark.parametrize("way", ["deleted", "deleting", "replaced"])
def test_an_ingress_that_goes_takes_its_rows_along(way: str) -> None:
    made = compiler(ingress("hello", {"a": 100}), pod("a", 1))
    if way == "deleted":
        made.drop_ingress(ingress("hello", {"a": 100}))
    elif way == "deleting":
        put(made, ingress("hello", {"a": 100}, deletion_timestamp="2026-01-01T00:00:00Z"))
    else:
        put(made, ingress("hello", {"b": 100}, uid="another"))
    assert made.compile(2).table == RouteTable(2)
    assert verdict(made) is None
    expected = Waiting(1, ("default/b",)) if way == "replaced" else None
    assert verdict(made, "another") == expected


# Hosts that two want -------------------------------------------------------------------------


def rivals() -> tuple[Ingress, Ingress]:
    """Two services: the tag `x` of the first has the host of the second."""
    tag = rule("x-hello.default.example.com", {"a": 100})
    return ingress("hello", {"a": 100}, tag), ingress("x-hello", {"b": 100}, generation=3)


REPLICAS = (pod("a", 1), pod("b", 2))


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_the_older_ingress_has_a_contested_host(order: tuple[int, int]) -> None:
    both = rivals()
    younger = both[1].with_metadata(creation_timestamp="2026-01-02T00:00:00Z")
    pair = (both[0], younger)
    made = compiler(*REPLICAS, *(pair[i] for i in order))
    assert weights(made.table, "x-hello.default.example.com") == {"default/a": 10_000}
    assert made.verdict(younger) == Conflicting(3, "x-hello.default.example.com")


def test_who_has_a_host_keeps_it() -> None:
    first, second = rivals()
    made = compiler(*REPLICAS, second)
    put(made, first.with_metadata(creation_timestamp="2025-01-01T00:00:00Z"))
    table = made.compile(2).table
    assert weights(table, "x-hello.default.example.com") == {"default/b": 10_000}
    assert weights(table, "hello.default.example.com") == {}  # refused whole
    assert verdict(made) == Conflicting(1, "x-hello.default.example.com")


def test_a_host_that_is_given_up_goes_to_who_was_refused_it() -> None:
    first, second = rivals()
    made = compiler(*REPLICAS, first)
    put(made, second)
    made.compile(2)
    put(made, ingress("hello", {"a": 100}, generation=2))  # without the tag
    compiled = made.compile(3)
    assert weights(compiled.table, "x-hello.default.example.com") == {"default/b": 10_000}
    assert set(compiled.judged) == {first.key, second.key}
    made.drop_ingress(second)
    put(made, first.with_metadata(generation=4))
    assert weights(made.compile(4).table, "x-hello.default.example.com") == {"default/a": 10_000}


def test_a_status_that_promises_one_host_twice_does_not_break_the_table() -> None:
    first, second = map(programmed, rivals())
    made = compiler(*REPLICAS, first, second)
    assert weights(made.table, "x-hello.default.example.com") == {"default/a": 10_000}
    assert weights(made.table, "hello.default.example.com") == {"default/a": 10_000}


# At the cost of what changed -----------------------------------------------------------------


def many(count: int) -> TableCompiler:
    objects: list[Resource] = []
    for i in range(count):
        objects += [ingress(f"s{i}", {f"r{i}": 100}), pod(f"r{i}", i + 1), revision(f"r{i}")]
    return compiler(*objects)


def test_rows_that_did_not_change_are_the_same_objects() -> None:
    made = many(20)
    before = made.table
    put(made, pod("r7", 99))
    after = made.compile(2).table
    assert after.version == 2
    assert after.routes is before.routes
    changed = [key for key, row in after.backends.items() if row is not before.backends[key]]
    assert changed == ["default/r7"]


def test_one_changed_ingress_changes_one_route() -> None:
    made = many(20)
    before = made.table
    put(made, ingress("s7", {"r7": 50, "r8": 50}, generation=2))
    compiled = made.compile(2)
    after = compiled.table
    assert [key for key in after.routes if after.routes[key] is not before.routes[key]] == [
        "uid-s7/s7.default.svc.cluster.local"
    ]
    assert after.backends is before.backends
    assert compiled.judged == (Key(NAMESPACE, "s7"),)


@pytest.mark.parametrize(
    "same",
    [
        pytest.param(programmed(ingress("s3", {"r3": 100})), id="a status"),
        pytest.param(ingress("s3", {"r3": 100}, labels={"a": "b"}), id="a label"),
        pytest.param(pod("r3", 4), id="a pod as before"),
        pytest.param(pod("unrouted", 77), id="a pod that no route needs"),
        pytest.param(revision("r3"), id="a revision as before"),
    ],
)
def test_what_does_not_matter_to_the_gateway_changes_nothing(same: Resource) -> None:
    made = many(5)
    before = made.table
    put(made, same)
    compiled = made.compile(2)
    assert compiled.table is before
    assert compiled.judged == ()


def test_tables_given_out_never_change() -> None:
    made = many(3)
    before = made.table
    kept = (dict(before.routes), dict(before.backends))
    made.drop_ingress(ingress("s1", {}))
    put(made, pod("r2", 50), ingress("s9", {"r0": 100}))
    made.compile(2)
    assert (before.routes, before.backends) == kept


def with_rules(one: Ingress, *rules: IngressRule) -> Ingress:
    return Ingress(one.metadata, msgspec.structs.replace(one.spec, rules=rules), one.status)


@pytest.mark.parametrize(
    ("percents", "fine", "weights"),
    [
        pytest.param({"a": 99, "b": 1}, "a=99.99,b=0.01", [9_999, 1], id="0.01 %"),
        pytest.param({"a": 99, "b": 1}, "b=0.1,a=99.9", [9_990, 10], id="in any order"),
        pytest.param({"a": 95, "b": 5}, "a=99.9,b=0.1", [9_500, 500], id="of another split"),
        pytest.param({"a": 99, "b": 1}, "a=99.9,c=0.1", [9_900, 100], id="of another revision"),
        pytest.param({"a": 99, "b": 1}, "a=99.9,b=0.2", [9_900, 100], id="not 100 in sum"),
        pytest.param({"a": 99, "b": 1}, "nonsense", [9_900, 100], id="nonsense"),
    ],
)
def test_finer_percents_count_where_they_refine_the_whole_ones(
    percents: dict[str, int], fine: str, weights: list[int]
) -> None:
    annotations = {ANNOTATION_TRAFFIC_PERCENT: fine}
    one = ingress("hello", percents, annotations=annotations)
    (route,) = compiler(one, pod("a", 1), pod("b", 2)).table.routes.values()
    assert [share.weight for share in route.split.shares] == weights


def test_finer_percents_another_hashed_header_and_sessions_count_at_once() -> None:
    made = compiler(ingress("hello", {"a": 99, "b": 1}), pod("a", 1), pod("b", 2))
    asked = {ANNOTATION_TRAFFIC_PERCENT: "a=99.5,b=0.5", ANNOTATION_HASH_HEADER: "X-User"}
    put(made, ingress("hello", {"a": 99, "b": 1}, annotations=asked))
    (route,) = made.compile(2).table.routes.values()
    put(
        made,
        ingress("hello", {"a": 99, "b": 1}, annotations={**asked, ANNOTATION_STICKY: "cookie"}),
    )
    (kept,) = made.compile(3).table.routes.values()
    assert (route.split.sticky, kept.split.sticky) == ("", "cookie")
    assert [share.weight for share in route.split.shares] == [9_950, 50]
    assert route.split.hash_header == "x-user"
