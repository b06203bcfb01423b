"""Which shares of the table have a fault, and that a fault that goes leaves no trace."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.contract import RouteTable
from simulator.resources.faults import Fault, FaultSpec
from simulator.resources.meta import ObjectMeta
from simulator.traffic.rows import TrafficSettings
from simulator.traffic.table import TableCompiler
from tests.support.traffic import NAMESPACE, ingress, pod, revision


def fault(name: str = "late", namespace: str = NAMESPACE, **spec: Any) -> Fault:
    given = {"service": "hello", "type": "latency", "attributes": {"latency": 9}, **spec}
    return Fault(ObjectMeta(name=name, namespace=namespace), FaultSpec(**given))


def compiler() -> TableCompiler:
    """Return one that has compiled two services, one of them split in two."""
    made = TableCompiler(TrafficSettings(seed=7))
    for name in ("one", "two", "other"):
        made.put_revision(revision(name))
        made.put_pod(pod(name, 1000 + len(name)))
    made.put_ingress(ingress("hello", {"one": 90, "two": 10}))
    made.put_ingress(ingress("bye", {"other": 100}))
    made.compile(1)
    return made


def struck(table: RouteTable) -> dict[str, list[str]]:
    """Return the faults' names by backend, of those that have any."""
    return {
        share.backend: [one.name for one in share.faults]
        for route in table.routes.values()
        for share in route.split.shares
        if share.faults
    }


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        pytest.param(fault(), {"default/one", "default/two"}, id="a service"),
        pytest.param(fault(revision="two"), {"default/two"}, id="a revision"),
        pytest.param(fault(revision="other"), set(), id="another service's revision"),
        pytest.param(fault(tag="v1"), set(), id="a tag that is not there"),
        pytest.param(fault(service="nobody"), set(), id="no such service"),
        pytest.param(fault(namespace="far"), set(), id="another namespace"),
    ],
)
def test_a_fault_is_on_the_shares_that_it_is_about(one: Fault, expected: set[str]) -> None:
    made = compiler()
    made.put_fault(one)
    assert set(struck(made.compile(2).table)) == expected


def test_it_has_toxiproxys_attributes_and_the_instances_seed() -> None:
    made = compiler()
    made.put_fault(fault(toxicity=0.5))
    made.compile(2)
    shares = [one for each in made.table.routes.values() for one in each.split.shares if one.faults]
    (row,) = shares[0].faults
    assert (row.type, row.toxicity, row.stream) == ("latency", 0.5, "downstream")
    assert (row.attributes, row.seed) == ((("latency", 9),), 7)


def test_a_fault_that_is_gone_leaves_the_table_as_it_was() -> None:
    made = compiler()
    before = made.table
    made.put_fault(fault())
    made.compile(2)
    made.drop_fault(fault())
    assert made.compile(3).table.routes == before.routes


def test_one_that_moves_to_another_service_leaves_the_first() -> None:
    made = compiler()
    made.put_fault(fault())
    made.compile(2)
    made.put_fault(fault(service="bye"))
    assert struck(made.compile(3).table) == {"default/other": ["late"]}


def test_a_service_that_comes_later_has_the_fault() -> None:
    made = compiler()
    made.put_fault(fault(service="late"))
    made.compile(2)
    made.put_ingress(ingress("late", {"other": 100}))
    assert struck(made.compile(3).table) == {"default/other": ["late"]}
