"""Hosts, URLs and the Ingress."""

from __future__ import annotations

import pytest

from simulator.resources.meta import LAST_APPLIED, ObjectMeta, is_controlled_by
from simulator.resources.networking import (
    ANNOTATION_ROLLOUT,
    VISIBILITY_EXTERNAL,
    VISIBILITY_LOCAL,
)
from simulator.resources.serving import (
    ANNOTATION_SPLITTER,
    ANNOTATION_TRAFFIC_PERCENT,
    LABEL_VISIBILITY,
)
from simulator.traffic.domains import (
    Domains,
    InvalidDomain,
    external_host,
    hostname,
    local_hosts,
    url,
)
from simulator.traffic.ingress import make_ingress
from simulator.traffic.rollout import ConfigurationRollout, RevisionRollout, Rollout
from simulator.traffic.targets import Assigned, Target
from tests.support.world import route

STOCK = Domains()
LOCAL = {LABEL_VISIBILITY: "cluster-local"}
SPLIT = Assigned(
    (),
    {"": (Target("a", 90), Target("b", 10), Target("c", 0)), "next": (Target("c", 100, h2c=True),)},
)

URLS = [
    pytest.param("", {}, STOCK, "http://hello.shop.example.com", id="the service"),
    pytest.param("v2", {}, STOCK, "http://v2-hello.shop.example.com", id="a tag"),
    pytest.param(
        "", LOCAL, STOCK, "http://hello.shop.svc.cluster.local", id="a cluster-local service"
    ),
    pytest.param("v2", LOCAL, STOCK, "http://v2-hello.shop.svc.cluster.local", id="its tag"),
    pytest.param(
        "",
        {LABEL_VISIBILITY: "other"},
        STOCK,
        "http://hello.shop.example.com",
        id="any other visibility is none",
    ),
    pytest.param(
        "",
        {},
        Domains("my.test", external_scheme="https"),
        "https://hello.shop.my.test",
        id="the operator's domain and scheme",
    ),
]


@pytest.mark.parametrize(("tag", "labels", "domains", "expected"), URLS)
def test_url(tag: str, labels: dict[str, str], domains: Domains, expected: str) -> None:
    meta = ObjectMeta(namespace="shop", labels=labels)
    assert url(domains, meta, hostname(domains, "hello", tag)) == expected


def test_inside_the_cluster_three_hosts_lead_to_a_route() -> None:
    assert local_hosts(STOCK, "shop", "hello") == (
        "hello.shop",
        "hello.shop.svc",
        "hello.shop.svc.cluster.local",
    )


def test_a_host_that_dns_does_not_allow_is_refused_in_knatives_words() -> None:
    name = "t-" + "x" * 62
    with pytest.raises(InvalidDomain) as refusal:
        external_host(STOCK, ObjectMeta(namespace="shop"), name)
    assert str(refusal.value) == (
        f'domain name error: invalid domain name "{name}.shop.example.com": url:'
        f' Invalid value: "{name}": must be no more than 63 characters'
    )


def test_every_group_has_a_rule_inside_and_one_outside() -> None:
    ingress = make_ingress(route(), SPLIT, STOCK)
    rules = [(rule.visibility, rule.hosts[0], len(rule.hosts)) for rule in ingress.spec.rules]
    assert rules == [
        (VISIBILITY_LOCAL, "hello.default", 3),
        (VISIBILITY_EXTERNAL, "hello.default.example.com", 1),
        (VISIBILITY_LOCAL, "next-hello.default", 3),
        (VISIBILITY_EXTERNAL, "next-hello.default.example.com", 1),
    ]


def test_a_cluster_local_route_has_no_rule_outside() -> None:
    ingress = make_ingress(route(labels=LOCAL), SPLIT, STOCK)
    assert {rule.visibility for rule in ingress.spec.rules} == {VISIBILITY_LOCAL}


def test_a_split_names_revisions_with_percent_and_headers() -> None:
    ingress = make_ingress(route(), SPLIT, STOCK)
    (path,) = ingress.spec.rules[0].http.paths
    assert [(one.service_name, one.percent, one.service_port) for one in path.splits] == [
        ("a", 90, 80),
        ("b", 10, 80),
    ]
    assert path.splits[0].append_headers == {
        "Knative-Serving-Namespace": "default",
        "Knative-Serving-Revision": "a",
    }
    (tagged,) = ingress.spec.rules[2].http.paths[0].splits
    assert (tagged.service_name, tagged.service_port) == ("c", 81)


def test_the_ingress_bears_its_routes_name_labels_and_annotations() -> None:
    owner = route(
        labels={"team": "blue"}, annotations={ANNOTATION_SPLITTER: "random", LAST_APPLIED: "{}"}
    )
    ingress = make_ingress(owner, SPLIT, STOCK)
    assert ingress.key == owner.key
    assert is_controlled_by(ingress, owner)
    assert ingress.metadata.labels == {
        "team": "blue",
        "serving.knative.dev/route": "hello",
        "serving.knative.dev/routeNamespace": "default",
    }
    assert ingress.metadata.annotations == {ANNOTATION_SPLITTER: "random", ANNOTATION_ROLLOUT: "{}"}


PINNED, NEWEST = Target("a", 99), Target("b", 1, latest_revision=True, configuration_name="hello")
SAME = Target("b", 99)
FINE = [
    pytest.param((PINNED, NEWEST), "a=99.9,@latest=0.1", "a=99.9,b=0.1", id="the newest by name"),
    pytest.param((SAME, NEWEST), "b=99.9,@latest=0.1", "b=100", id="one revision twice"),
    pytest.param((PINNED, NEWEST), "a=99.9,b=0.1", None, id="the newest, but not as @latest"),
    pytest.param((PINNED, NEWEST), "a=95,@latest=5", None, id="another split"),
    pytest.param((PINNED, NEWEST), "a", None, id="no percents"),
]


@pytest.mark.parametrize(("targets", "asked", "expected"), FINE)
def test_finer_percents_name_revisions_where_they_refine_the_traffic(
    targets: tuple[Target, ...], asked: str, expected: str | None
) -> None:
    owner = route(annotations={ANNOTATION_TRAFFIC_PERCENT: asked})
    ingress = make_ingress(owner, Assigned(targets, {"": targets}), STOCK)
    assert ingress.metadata.annotations.get(ANNOTATION_TRAFFIC_PERCENT) == expected


def test_while_a_rollout_moves_percents_the_whole_ones_count() -> None:
    owner = route(annotations={ANNOTATION_TRAFFIC_PERCENT: "a=99.9,@latest=0.1"})
    assigned = Assigned((PINNED, NEWEST), {"": (PINNED, NEWEST)})
    moving = (RevisionRollout("old", 0), RevisionRollout("b", 1))
    rollout = Rollout(
        (ConfigurationRollout(configuration_name="hello", percent=1, revisions=moving),)
    )
    ingress = make_ingress(owner, assigned, STOCK, rollout)
    assert ANNOTATION_TRAFFIC_PERCENT not in ingress.metadata.annotations
