"""What one Ingress or Revision says to the gateway."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from gateway.contract import Backend, Route
from simulator.resources.networking import (
    VISIBILITY_EXTERNAL,
    VISIBILITY_LOCAL,
    Ingress,
    IngressHttp,
    IngressPath,
    IngressRule,
    IngressSplit,
)
from simulator.resources.serving import LABEL_ROUTE, LABEL_SERVICE, LABEL_VISIBILITY, RevisionSpec
from simulator.traffic.domains import Domains
from simulator.traffic.ingress import make_ingress
from simulator.traffic.rows import (
    HostMapping,
    TrafficSettings,
    backend_of,
    backends_of,
    hosts_of,
    local_hosts_of,
    mappings_of,
    routes_of,
)
from simulator.traffic.targets import Assigned, Target
from tests.support.traffic import NAMESPACE, ingress, revision, rule
from tests.support.world import route

STOCK = TrafficSettings()
SPLIT = Assigned((), {"": (Target("a", 90), Target("b", 10)), "next": (Target("b", 100),)})
LOCAL_HOSTS = (
    "hello.default",
    "hello.default.svc",
    "hello.default.svc.cluster.local",
    "hello.default.svc.localhost",
)


def made(**meta: Any) -> dict[str, Route]:
    """Return the rows of the Ingress that Knative's rules make of a Route, by tag."""
    one = make_ingress(route(**meta), SPLIT, Domains()).with_metadata(uid="uid")
    return {row.tag: row for row in routes_of(one, one.spec.rules, STOCK)}


def of(one: Ingress) -> tuple[Route, ...]:
    return routes_of(one, one.spec.rules, STOCK)


def path(service: str = "a", **fields: Any) -> IngressPath:
    return IngressPath((IngressSplit(NAMESPACE, service, 80, 100),), **fields)


def with_paths(*paths: IngressPath, host: str = "hello.default.example.com") -> IngressRule:
    return IngressRule((host,), VISIBILITY_EXTERNAL, IngressHttp(paths))


def test_inside_and_outside_of_one_target_group_are_one_row_with_one_split() -> None:
    rows = made()
    assert list(rows) == ["", "next"]
    assert rows[""].hosts == ("hello.default.example.com", "hello.default.localhost")
    assert rows[""].local_hosts == LOCAL_HOSTS
    assert [(share.backend, share.weight) for share in rows[""].split.shares] == [
        ("default/a", 9000),
        ("default/b", 1000),
    ]
    assert rows["next"].hosts[0] == "next-hello.default.example.com"
    assert rows["next"].local_hosts[0] == "next-hello.default"


def test_a_private_route_has_hosts_inside_alone() -> None:
    rows = made(labels={LABEL_VISIBILITY: "cluster-local"})
    assert [row.hosts for row in rows.values()] == [(), ()]
    assert rows[""].local_hosts == LOCAL_HOSTS


def test_a_row_keeps_its_key_when_the_route_is_hidden() -> None:
    hidden = made(labels={LABEL_VISIBILITY: "cluster-local"})
    for tag, row in made().items():
        assert (row.key, row.split.key) == (hidden[tag].key, hidden[tag].split.key)


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        pytest.param({LABEL_SERVICE: "shop", LABEL_ROUTE: "hello"}, "default/shop", id="service"),
        pytest.param({LABEL_ROUTE: "hello"}, "default/hello", id="a route of its own"),
        pytest.param({}, "default/x", id="an ingress of its own"),
    ],
)
def test_a_row_says_which_service_it_is_of(labels: dict[str, str], expected: str) -> None:
    (row,) = of(ingress("x", {"a": 100}, labels=labels))
    assert row.service == expected


def test_two_tags_on_one_revision_are_two_rows() -> None:
    groups = {"": (Target("a", 100),), "x": (Target("a", 100),), "y": (Target("a", 100),)}
    one = make_ingress(route(), Assigned((), groups), Domains())
    assert [row.tag for row in of(one)] == ["", "x", "y"]


HOSTS = [
    pytest.param(
        ("A.default.Example.com",),
        "example.com",
        ("a.default.example.com", "a.default.localhost"),
        id="a host in the domain has a twin",
    ),
    pytest.param(("a.other.org",), "example.com", ("a.other.org",), id="another has none"),
    pytest.param(
        ("a.notexample.com",), "example.com", ("a.notexample.com",), id="only whole labels count"
    ),
    pytest.param(("a.localhost",), "localhost", ("a.localhost",), id="it may be its own twin"),
]


@pytest.mark.parametrize(("hosts", "domain", "expected"), HOSTS)
def test_hosts_and_their_twins_below_localhost(
    hosts: tuple[str, ...], domain: str, expected: tuple[str, ...]
) -> None:
    assert hosts_of(hosts, domain) == expected


def test_a_host_inside_has_a_twin_below_localhost_too() -> None:
    assert local_hosts_of(("Hello.default.svc", "hello.default")) == (
        "hello.default.svc",
        "hello.default",
        "hello.default.svc.localhost",
    )


def test_a_host_that_is_outside_and_inside_is_outside() -> None:
    host = "hello.default.svc.cluster.local"
    one = ingress("hello", {"a": 100})
    both = (rule(host, {"a": 100}, VISIBILITY_LOCAL), rule(host, {"a": 100}))
    (row,) = routes_of(one, both, STOCK)
    assert (row.hosts, row.local_hosts) == ((host,), ())


# Headers ---------------------------------------------------------------------------------------


def test_headers_of_path_and_split_are_set_the_splits_last() -> None:
    splits = (IngressSplit(NAMESPACE, "a", 80, 100, {"K": "split"}),)
    one = with_paths(IngressPath(splits, append_headers={"K": "path", "L": "path"}))
    (row,) = routes_of(ingress("hello", {}), (one,), STOCK)
    assert dict(row.split.shares[0].headers) == {"K": "split", "L": "path"}


def test_headers_that_no_app_of_knatives_sees_are_not_sent() -> None:
    assert {share.headers for share in made()[""].split.shares} == {()}


BY_HEADER = path("b", headers={"Knative-Serving-Tag": {"exact": "next"}})
RULES = [
    pytest.param((BY_HEADER, path()), ["default/b"], id="a header before the rest"),
    pytest.param((path(), BY_HEADER), [], id="after the rest it is never reached"),
    pytest.param(
        (path("b", path="/x", headers={"K": {"exact": "v"}}), path()), [], id="for a path only"
    ),
    pytest.param(
        (path("b", headers={"K": {"exact": "v"}, "L": {"exact": "w"}}), path()),
        [],
        id="two headers at once",
    ),
]


@pytest.mark.parametrize(("paths", "expected"), RULES)
def test_a_path_that_matches_by_a_header_is_a_rule(
    paths: tuple[IngressPath, ...], expected: list[str]
) -> None:
    one = with_paths(*paths)
    (row,) = routes_of(ingress("hello", {}), (one,), STOCK)
    assert [share.backend for rule in row.rules for share in rule.split.shares] == expected
    assert [share.backend for share in row.split.shares] == ["default/a"]
    assert backends_of((row,)) == {"default/a", *expected}


def test_a_rule_names_its_header_in_lower_case_and_has_a_split_of_its_own() -> None:
    (row,) = routes_of(ingress("hello", {}), (with_paths(BY_HEADER, path()),), STOCK)
    (by_tag,) = row.rules
    assert (by_tag.name, by_tag.value) == ("knative-serving-tag", "next")
    assert by_tag.split.key != row.split.key


# Hosts that are rewritten ----------------------------------------------------------------------


def test_a_rewritten_host_is_the_rows() -> None:
    one = with_paths(path(rewrite_host="other.org"))
    (row,) = routes_of(ingress("hello", {}), (one,), STOCK)
    assert row.host == "other.org"
    assert mappings_of((one,), STOCK) == ()


def test_a_host_rewritten_to_its_service_inside_leads_to_that_services_route() -> None:
    inside = "hello.default.svc.cluster.local"
    one = with_paths(path("hello", rewrite_host=inside), host="www.Shop.test")
    assert mappings_of((one,), STOCK) == (HostMapping(inside, ("www.shop.test",)),)
    assert routes_of(ingress("x", {}), (one,), STOCK) == ()


# Revisions -------------------------------------------------------------------------------------

REVISIONS = [
    pytest.param({}, Backend("default/a"), id="what is not said"),
    pytest.param(
        {"timeout_seconds": 0, "container_concurrency": 0}, Backend("default/a"), id="zeros"
    ),
    pytest.param(
        {
            "timeout_seconds": 60,
            "response_start_timeout_seconds": 10,
            "idle_timeout_seconds": 5,
            "container_concurrency": 3,
        },
        Backend("default/a", timeout_s=60.0, response_start_s=10.0, idle_s=5.0, concurrency=3),
        id="everything",
    ),
    pytest.param({"idle_timeout_seconds": -1}, Backend("default/a"), id="below nothing"),
]


@pytest.mark.parametrize(("fields", "expected"), REVISIONS)
def test_a_revisions_limits_are_the_gateways(fields: dict[str, int], expected: Backend) -> None:
    one = revision("a")
    spec = RevisionSpec(containers=one.spec.containers, **fields)  # type: ignore[arg-type]
    assert backend_of(msgspec.structs.replace(one, spec=spec)) == expected
