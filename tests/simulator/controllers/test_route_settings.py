"""What Knative's ConfigMaps change about a Route: its hosts and its Ingress."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.controllers.route import RouteController
from simulator.reconciling.plan import Create, Update, UpdateStatus
from simulator.resources.conditions import FALSE
from simulator.resources.core import ConfigMap
from simulator.resources.meta import Key, ObjectMeta
from simulator.resources.networking import Ingress
from simulator.resources.serving import Route, TrafficTarget
from tests.support.world import (
    NOW,
    World,
    configuration,
    is_true,
    revision,
    route,
    told,
    without_placeholders,
)

CONTROLLER = RouteController()
ROUTE = route(
    traffic=(
        TrafficTarget(configuration_name="hello", latest_revision=True, percent=100),
        TrafficTarget(revision_name="hello-00001", tag="old", percent=0),
    ),
    labels={"team": "blue"},
)
WORLD = (
    configuration(created="hello-00001", ready="hello-00001", conditions=(is_true(),)),
    revision(ready=is_true(), service=""),
)


def config_map(name: str, namespace: str = "knative-serving", **data: str) -> ConfigMap:
    return ConfigMap(
        ObjectMeta(name=name, namespace=namespace),
        data={key.replace("_", "-"): value for key, value in data.items()},
    )


def planned(*maps: ConfigMap) -> tuple[Ingress | None, Route]:
    """Return the Ingress that is made, and the Route with its new status."""
    observed = CONTROLLER.observe(World(ROUTE, *WORLD, *maps), ROUTE.key)
    assert observed is not None
    actions = without_placeholders(CONTROLLER.plan(observed, NOW)).actions
    (written,) = [one.object for one in actions if isinstance(one, UpdateStatus)]
    made = [one.object for one in actions if isinstance(one, Create)]
    assert isinstance(written, Route)
    ingress = made[0] if made else None
    assert ingress is None or isinstance(ingress, Ingress)
    return ingress, written


def paths_of(ingress: Ingress | None, host: str) -> list[Any]:
    assert ingress is not None
    return [path for rule in ingress.spec.rules if host in rule.hosts for path in rule.http.paths]


def test_without_the_feature_headers_choose_nothing() -> None:
    ingress, _ = planned()
    (path,) = paths_of(ingress, "hello.default.example.com")
    assert (path.headers, path.append_headers) == ({}, {})


@pytest.mark.parametrize("host", ["hello.default.example.com", "hello.default.svc"])
def test_with_the_feature_the_default_hosts_take_a_tag_by_its_header(host: str) -> None:
    ingress, _ = planned(config_map("config-features", tag_header_based_routing="enabled"))
    by_tag, default = paths_of(ingress, host)
    assert by_tag.headers == {"Knative-Serving-Tag": {"exact": "old"}}
    assert by_tag.append_headers == {}
    assert (default.headers, default.append_headers) == (
        {},
        {"Knative-Serving-Default-Route": "true"},
    )


def test_with_the_feature_a_tags_host_tells_the_app_its_tag() -> None:
    ingress, _ = planned(config_map("config-features", tag_header_based_routing="enabled"))
    (path,) = paths_of(ingress, "old-hello.default.example.com")
    assert (path.headers, path.append_headers) == ({}, {"Knative-Serving-Tag": "old"})


URLS: list[Any] = [
    pytest.param({"my.test": ""}, {}, "http://hello.default.my.test", id="a default domain"),
    pytest.param(
        {"blue.test": "selector: {team: blue}"}, {}, "http://hello.default.blue.test", id="by label"
    ),
    pytest.param(
        {"red.test": "selector: {team: red}"}, {}, "http://hello.default.example.com", id="not its"
    ),
    pytest.param(
        {"svc.cluster.local": ""}, {}, "http://hello.default.svc.cluster.local", id="inside alone"
    ),
    pytest.param(
        {},
        {"domain-template": "{{.Name}}--{{.Namespace}}.{{.Domain}}"},
        "http://hello--default.example.com",
        id="a template",
    ),
    pytest.param(
        {},
        {"domain-template": '{{.Name}}.{{index .Labels "team"}}.{{.Domain}}'},
        "http://hello.blue.example.com",
        id="a template with a label",
    ),
    pytest.param(
        {},
        {"default-external-scheme": "https"},
        "https://hello.default.example.com",
        id="a proxy with TLS in front",
    ),
]


@pytest.mark.parametrize(("domain", "network", "url"), URLS)
def test_domains_and_templates_make_the_url(
    domain: dict[str, str], network: dict[str, str], url: str
) -> None:
    ingress, written = planned(
        config_map("config-domain", **domain), config_map("config-network", **network)
    )
    assert written.status.url == url
    assert paths_of(ingress, url.partition("://")[2])


def test_a_tag_template_names_the_tags() -> None:
    ingress, written = planned(config_map("config-network", tag_template="{{.Name}}-{{.Tag}}"))
    assert written.status.traffic[1].url == "http://hello-old.default.example.com"
    assert paths_of(ingress, "hello-old.default.svc.cluster.local")


def test_a_template_that_makes_no_host_is_a_configuration_error() -> None:
    _, written = planned(config_map("config-network", domain_template="{{.Name}}_{{.Domain}}"))
    status, reason, message = told(written.status.conditions)["AllTrafficAssigned"]
    assert (status, reason) == (FALSE, "ErrorConfig")
    assert message.startswith('domain name error: invalid domain name "hello_example.com"')


@pytest.mark.parametrize(
    ("maps", "expected"),
    [
        pytest.param((), {"hello-00002": 100}, id="at once"),
        pytest.param(
            (config_map("config-network", rollout_duration="60"),),
            {"hello-00001": 99, "hello-00002": 1},
            id="over a minute",
        ),
    ],
)
def test_the_stock_of_a_rollouts_duration_is_a_setting(
    maps: tuple[ConfigMap, ...], expected: dict[str, int]
) -> None:
    ingress, _ = planned()
    assert ingress is not None
    known = ingress.with_metadata(uid="i", generation=1)
    second = revision("hello-00002", ready=is_true(), service="")
    newest = configuration(created="hello-00002", ready="hello-00002", conditions=(is_true(),))
    world = World(ROUTE, newest, WORLD[1], second, known, *maps)
    observed = CONTROLLER.observe(world, ROUTE.key)
    assert observed is not None
    actions = without_placeholders(CONTROLLER.plan(observed, NOW)).actions
    (updated,) = [one.object for one in actions if isinstance(one, Update)]
    assert isinstance(updated, Ingress)
    (path,) = paths_of(updated, "hello.default")
    assert {split.service_name: split.percent for split in path.splits} == expected


def test_knatives_settings_wake_every_route_and_others_none() -> None:
    world = World(ROUTE, route("other"))
    keys = (Key("default", "hello"), Key("default", "other"))
    assert CONTROLLER.wakes(config_map("config-network"), world) == keys
    assert CONTROLLER.wakes(config_map("config-network", "default"), world) == ()
    assert CONTROLLER.wakes(config_map("mine"), world) == ()
