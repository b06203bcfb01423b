"""Hosts inside, and hosts that were mapped onto a service: who has them, and what they lead to."""

from __future__ import annotations

import pytest

from gateway.contract import Route
from simulator.resources.meta import Resource
from simulator.resources.networking import VISIBILITY_LOCAL, Ingress, IngressSpec
from simulator.traffic.rows import TrafficSettings
from simulator.traffic.table import Conflicting, Programmed, TableCompiler, Verdict, Waiting
from tests.support.traffic import ingress, mapping, pod, programmed, rule

SHOP = "www.shop.test"
HELLO = "hello.default.svc.cluster.local"


class Told:
    """A compiler, and the newest table by host."""

    def __init__(self, *objects: Resource) -> None:
        self.compiler = TableCompiler(TrafficSettings())
        self.version = 0
        self.put(*objects)

    def put(self, *objects: Resource) -> None:
        for one in objects:
            put = {"Ingress": self.compiler.put_ingress, "Pod": self.compiler.put_pod}[one.KIND]
            put(one)  # type: ignore[operator]
        self.compile()

    def drop(self, one: Ingress) -> None:
        self.compiler.drop_ingress(one)
        self.compile()

    def compile(self) -> None:
        self.version += 1
        self.judged = self.compiler.compile(self.version).judged

    def route(self, host: str) -> Route | None:
        found = [
            row
            for row in self.compiler.table.routes.values()
            if host in (*row.hosts, *row.local_hosts)
        ]
        assert len(found) <= 1
        return found[0] if found else None

    def verdict(self, one: Ingress) -> Verdict | None:
        return self.compiler.verdict(one)


SERVICE = (ingress("hello", {"a": 90, "b": 10}), pod("a", 1), pod("b", 2))


@pytest.mark.parametrize("order", ["the service first", "the mapping first"])
def test_a_mapped_host_joins_the_hosts_of_the_route_and_shares_its_split(order: str) -> None:
    told = Told(*SERVICE) if order == "the service first" else Told(mapping())
    told.put(mapping()) if order == "the service first" else told.put(*SERVICE)
    row = told.route(SHOP)
    assert row is not None
    assert row is told.route(HELLO)
    assert row.hosts == ("hello.default.example.com", "hello.default.localhost", SHOP)
    assert row.host == ""  # the app sees the host that the client named
    assert isinstance(told.verdict(mapping()), Programmed)
    assert mapping().key in told.judged


def test_a_private_service_is_reached_through_a_mapped_host() -> None:
    private = ingress("hello", {"a": 100})
    rules = (rule(HELLO, {"a": 100}, VISIBILITY_LOCAL),)
    told = Told(Ingress(private.metadata, IngressSpec(rules=rules)), pod("a", 1), mapping())
    row = told.route(SHOP)
    assert row is not None
    assert row.hosts == (SHOP,)


def test_a_mapping_to_what_nobody_serves_waits() -> None:
    told = Told(mapping())
    assert told.verdict(mapping()) == Waiting(1, (HELLO,))
    assert told.route(SHOP) is None


def test_a_mapping_outlives_a_change_of_the_split_and_the_row_keeps_its_key() -> None:
    told = Told(*SERVICE, mapping())
    before = told.route(SHOP)
    told.put(ingress("hello", {"b": 100}, generation=2))
    after = told.route(SHOP)
    assert before is not None
    assert after is not None
    assert after.key == before.key
    assert [share.backend for share in after.split.shares] == ["default/b"]


def test_a_mapping_that_goes_takes_its_host_along_and_nothing_else() -> None:
    told = Told(*SERVICE, mapping(), mapping("other.shop.test"))
    told.drop(mapping())
    assert told.route(SHOP) is None
    row = told.route("other.shop.test")
    assert row is told.route(HELLO)


def test_a_mapping_that_turns_to_another_service_leaves_the_first() -> None:
    told = Told(*SERVICE, ingress("other", {"a": 100}), mapping())
    told.put(mapping(service="other", generation=2))
    row, first = told.route(SHOP), told.route(HELLO)
    assert row is told.route("other.default.svc.cluster.local")
    assert first is not None
    assert SHOP not in first.hosts


def test_a_service_that_is_made_again_finds_its_mapping() -> None:
    told = Told(*SERVICE, mapping())
    told.drop(SERVICE[0])  # type: ignore[arg-type]
    assert told.route(SHOP) is None
    told.put(SERVICE[0].with_metadata(uid="again"))
    assert told.route(SHOP) is not None


def test_after_a_restart_a_mapping_is_served_as_it_was() -> None:
    told = Told(programmed(mapping()), programmed(ingress("hello", {"a": 100})))
    assert told.route(SHOP) is not None


def test_a_host_that_a_service_has_cannot_be_mapped() -> None:
    taken = "hello.default.example.com"
    told = Told(*SERVICE, mapping(taken))
    assert told.verdict(mapping(taken)) == Conflicting(1, taken)
    told.drop(SERVICE[0])  # type: ignore[arg-type]
    told.put(ingress("other", {"a": 100}), mapping(taken, "other", 2))
    assert told.route(taken) is told.route("other.default.svc.cluster.local")


def test_a_service_cannot_take_a_host_that_is_mapped() -> None:
    wanted = "other.default.example.com"
    told = Told(*SERVICE, mapping(wanted))
    other = ingress("other", {"a": 100})
    told.put(other)
    assert told.verdict(other) == Conflicting(1, wanted)
    told.drop(mapping(wanted))
    assert isinstance(told.verdict(other), Programmed)
    row = told.route(wanted)
    assert row is told.route("other.default.svc.cluster.local")


def test_a_host_inside_has_one_owner_too() -> None:
    told = Told(*SERVICE)
    thief = ingress("thief", {"a": 100}, rule(HELLO, {"b": 100}, VISIBILITY_LOCAL))
    told.put(thief)
    assert told.verdict(thief) == Conflicting(1, HELLO)
    told.drop(SERVICE[0])  # type: ignore[arg-type]
    row = told.route(HELLO)
    assert row is not None
    assert [share.backend for share in row.split.shares] == ["default/b"]
