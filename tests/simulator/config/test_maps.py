"""What each ConfigMap means, and why one is refused."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.config.current import (
    DEFAULTS,
    DOMAIN,
    FEATURES,
    NETWORK,
    STOCK,
    check,
    config_of,
    is_config,
)
from simulator.config.defaults import DefaultsConfig, read_defaults
from simulator.config.domain import read_domain
from simulator.config.features import read_features
from simulator.config.network import NetworkConfig, read_network
from simulator.config.parsing import ConfigError
from simulator.resources.core import ConfigMap
from simulator.resources.meta import ObjectMeta
from tests.support.world import World

EXAMPLE = {"_example": "anything: at all"}


def config_map(name: str, namespace: str = "knative-serving", **data: str) -> ConfigMap:
    values = {key.replace("_", "-"): value for key, value in data.items()}
    return ConfigMap(ObjectMeta(name=name, namespace=namespace), data=values)


def test_without_maps_all_is_stock() -> None:
    assert config_of(World()) == STOCK


def test_an_example_says_nothing() -> None:
    maps = [ConfigMap(ObjectMeta(name=name, namespace="knative-serving"), EXAMPLE)
            for name in (DEFAULTS, DOMAIN, FEATURES, NETWORK)]  # fmt: skip
    assert config_of(World(*maps)) == STOCK


def test_each_map_is_read_where_it_belongs() -> None:
    found = config_of(
        World(
            config_map(NETWORK, rollout_duration="60"),
            config_map(FEATURES, tag_header_based_routing="enabled"),
            config_map(DEFAULTS, revision_timeout_seconds="30"),
            config_map(NETWORK, "default", rollout_duration="99"),
        )
    )
    assert found.network.rollout_duration_s == 60
    assert found.features.tag_header_based_routing
    assert found.defaults.revision_timeout_seconds == 30


def test_a_map_that_cannot_be_read_is_stock() -> None:
    assert config_of(World(config_map(NETWORK, rollout_duration="soon"))) == STOCK


@pytest.mark.parametrize(
    ("name", "namespace", "expected"),
    [
        ("config-network", "knative-serving", True),
        ("config-gc", "knative-serving", True),
        ("config-network", "default", False),
        ("mine", "knative-serving", False),
    ],
)
def test_which_maps_are_knatives(name: str, namespace: str, expected: bool) -> None:
    assert is_config(config_map(name, namespace)) is expected


# config-network --------------------------------------------------------------------------------

NETWORKS: list[Any] = [
    pytest.param({}, NetworkConfig(), id="nothing"),
    pytest.param(
        {
            "domain-template": "{{.Name}}-{{.Namespace}}.{{.Domain}}",
            "tag-template": "{{.Name}}-{{.Tag}}",
            "rollout-duration": "120",
            "autocreate-cluster-domain-claims": "true",
            "default-external-scheme": "https",
            "http-protocol": "Redirected",
        },
        NetworkConfig(
            "{{.Name}}-{{.Namespace}}.{{.Domain}}",
            "{{.Name}}-{{.Tag}}",
            120,
            True,
            "https",
            "redirected",
        ),
        id="everything",
    ),
    pytest.param(
        {"autocreate-cluster-domain-claims": "T"},
        NetworkConfig(autocreate_cluster_domain_claims=True),
        id="Go's booleans",
    ),
]


@pytest.mark.parametrize(("data", "expected"), NETWORKS)
def test_config_network(data: dict[str, str], expected: NetworkConfig) -> None:
    assert read_network(data) == expected


REFUSED: list[Any] = [
    pytest.param(
        {"rollout-duration": "60s"},
        'failed to parse "rollout-duration": strconv.ParseInt: parsing "60s": invalid syntax',
        id="a duration is no integer",
    ),
    pytest.param(
        {"rollout-duration": "9" * 20},
        f'failed to parse "rollout-duration": strconv.ParseInt: parsing "{"9" * 20}":'
        " value out of range",
        id="more than 64 bits",
    ),
    pytest.param(
        {"rollout-duration": "-1"},
        "rollout-duration must be a positive integer, but was -1",
        id="below nothing",
    ),
    pytest.param(
        {"autocreate-cluster-domain-claims": "yes"},
        'failed to parse "autocreate-cluster-domain-claims": strconv.ParseBool: parsing "yes":'
        " invalid syntax",
        id="no boolean",
    ),
    pytest.param({"domain-template": ""}, "empty hostname", id="no host"),
    pytest.param(
        {"domain-template": "{{.Domain}}/{{.Name}}"},
        "domain template has url path: /foo",
        id="a path",
    ),
    pytest.param(
        {"tag-template": "{{.Tag}"},
        'unclosed action in the template "{{.Tag}"',
        id="an unclosed action",
    ),
    pytest.param(
        {"tag-template": "{{.Domain}}"},
        "a template with {{.Domain}} cannot be used here; it may have {{.Name}}, {{.Tag}}",
        id="what the template has not",
    ),
    pytest.param(
        {"domain-template": "{{if .Name}}x{{end}}"},
        "a template with {{if .Name}} cannot be used here; it may have {{.Name}}, {{.Namespace}},"
        ' {{.Domain}}, {{index .Annotations "KEY"}}, {{index .Labels "KEY"}}',
        id="more of Go than we know",
    ),
    pytest.param(
        {"http-protocol": "Never"},
        "httpProtocol Never in config-network ConfigMap is not supported",
        id="an unknown protocol",
    ),
]


@pytest.mark.parametrize(("data", "message"), REFUSED)
def test_config_network_is_refused(data: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError) as refused:
        check(ConfigMap(ObjectMeta(name=NETWORK), data=data))
    assert str(refused.value) == message


# config-features -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "expected"),
    [("enabled", True), ("ENABLED", True), ("allowed", False), ("disabled", False), ("on", False)],
)
def test_routing_by_a_tags_header_is_on_when_it_is_enabled(value: str, expected: bool) -> None:
    features = read_features({"tag-header-based-routing": value})
    assert features.tag_header_based_routing is expected


def test_a_feature_is_enabled_allowed_or_disabled() -> None:
    features = read_features(
        {
            "kubernetes.podspec-init-containers": "enabled",
            "kubernetes.podspec-fieldref": "Allowed",
            "multi-container": "disabled",
        }
    )
    assert features.enabled == {
        "kubernetes.podspec-init-containers",
        "kubernetes.podspec-volumes-emptydir",
    }
    assert features.allowed == {"kubernetes.podspec-fieldref"}


@pytest.mark.parametrize(
    ("value", "enabled", "allowed"),
    [
        ("enabled", True, False),
        ("allowrootbounded", False, True),
        ("Allowed", False, False),  # a word of all other features, not of this one
        ("disabled", False, False),
    ],
)
def test_secure_pod_defaults_have_words_of_their_own(
    value: str, enabled: bool, allowed: bool
) -> None:
    features = read_features({"secure-pod-defaults": value})
    assert ("secure-pod-defaults" in features.enabled) is enabled
    assert ("secure-pod-defaults" in features.allowed) is allowed


# config-domain ---------------------------------------------------------------------------------

DOMAINS: list[Any] = [
    pytest.param({}, {}, "example.com", id="nothing"),
    pytest.param({"my.test": ""}, {}, "my.test", id="a default"),
    pytest.param({"b.test": "", "a.test": ""}, {}, "a.test", id="the first of two"),
    pytest.param({"blue.test": "selector:\n  team: blue\n"}, {}, "example.com", id="other labels"),
    pytest.param(
        {"any.test": "", "blue.test": "selector: {team: blue}"},
        {"team": "blue"},
        "blue.test",
        id="the selector",
    ),
    pytest.param(
        {"blue.test": "selector: {team: blue}", "both.test": "selector: {team: blue, app: web}"},
        {"team": "blue", "app": "web"},
        "both.test",
        id="the selector that says most",
    ),
]


@pytest.mark.parametrize(("data", "labels", "expected"), DOMAINS)
def test_config_domain(data: dict[str, str], labels: dict[str, str], expected: str) -> None:
    assert read_domain(data).domain_for(labels, "example.com") == expected


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"no domain": ""}, "is no domain name"),
        ({"a.test": "selector: ["}, "a.test: while parsing"),
        ({"a.test": "selector: [1]"}, "a.test: want nothing, or"),
        ({"a.test": "selector: {a: 1}"}, "a.test: want nothing, or"),
        ({"a.test": "- x"}, "a.test: want nothing, or"),
    ],
)
def test_config_domain_is_refused(data: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        check(ConfigMap(ObjectMeta(name=DOMAIN), data=data))


# config-defaults -------------------------------------------------------------------------------


def test_config_defaults() -> None:
    found = read_defaults(
        {
            "revision-timeout-seconds": "30",
            "container-concurrency": "5",
            "allow-container-concurrency-zero": "false",
            "enable-service-links": "default",
            "revision-cpu-request": "400m",
        }
    )
    assert found == DefaultsConfig(
        revision_timeout_seconds=30,
        revision_response_start_timeout_seconds=30,  # as the time-out itself, when nothing is said
        container_concurrency=5,
        allow_container_concurrency_zero=False,
        enable_service_links=None,
        revision_requests={"cpu": "400m"},
    )


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (
            {"revision-timeout-seconds": "601"},
            (
                "revision-timeout-seconds (601) cannot be greater than max-revision-timeout-seconds"
                " (600)"
            ),
        ),
        (
            {"revision-response-start-timeout-seconds": "301"},
            (
                "revision-response-start-timeout-seconds (301) cannot be greater than"
                " revision-timeout-seconds (300)"
            ),
        ),
        (
            {"revision-idle-timeout-seconds": "301"},
            (
                "revision-idle-timeout-seconds (301) cannot be greater than"
                " revision-timeout-seconds (300)"
            ),
        ),
        (
            {"container-concurrency-max-limit": "0"},
            "expected 1 <= 0 <= 2147483647: container-concurrency-max-limit",
        ),
        (
            {"revision-cpu-limit": "much"},
            (
                'failed to parse "revision-cpu-limit": quantities must match the regular expression'
                " '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
            ),
        ),
        ({"container-concurrency": "1001"}, "expected 0 <= 1001 <= 1000: container-concurrency"),
    ],
)
def test_config_defaults_are_refused(data: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError) as refused:
        check(ConfigMap(ObjectMeta(name=DEFAULTS), data=data))
    assert str(refused.value) == message
