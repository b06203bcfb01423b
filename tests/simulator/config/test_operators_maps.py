"""The ConfigMaps about revisions and Knative's own components: what they mean, and refuse."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.config.autoscaler import AutoscalerConfig, read_autoscaler
from simulator.config.components import check_leader_election, check_logging
from simulator.config.current import check
from simulator.config.deployment import DeploymentConfig, read_deployment
from simulator.config.observability import read_observability
from simulator.config.parsing import (
    ConfigError,
)
from simulator.config.revisiongc import RevisionGcConfig, read_revision_gc
from simulator.resources.core import ConfigMap
from simulator.resources.meta import ObjectMeta

SIDECAR = {"queue-sidecar-image": "x"}


def refusal(name: str, data: dict[str, str]) -> str:
    """Return why the map is refused; "" when it is not."""
    try:
        check(ConfigMap(ObjectMeta(name=name), data=data))
    except ConfigError as error:
        return str(error)
    return ""


# config-gc ------------------------------------------------------------------------------------


def test_config_gc() -> None:
    assert read_revision_gc({}) == RevisionGcConfig()
    off = {
        "retain-since-create-time": "Disabled",
        "retain-since-last-active-time": "disabled",
        "max-non-active-revisions": "disabled",
    }
    found = read_revision_gc(off)
    assert found.is_disabled
    assert found == RevisionGcConfig(None, None, 20, None)
    short = {"retain-since-create-time": "1m30s", "min-non-active-revisions": "0"}
    assert read_revision_gc(short | {"max-non-active-revisions": "3"}) == RevisionGcConfig(
        90.0, 15 * 3600.0, 0, 3
    )


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (
            {"retain-since-create-time": "48"},
            'failed to parse retain-since-create-time: time: missing unit in duration "48"',
        ),
        (
            {"retain-since-last-active-time": "2d"},
            (
                "failed to parse retain-since-last-active-time:"
                ' time: unknown unit "d" in duration "2d"'
            ),
        ),
        (
            {"retain-since-create-time": "soon"},
            'failed to parse retain-since-create-time: time: invalid duration "soon"',
        ),
        (
            {"retain-since-create-time": "-1s"},
            "failed to parse retain-since-create-time: must be non-negative",
        ),
        (
            {"min-non-active-revisions": "many"},
            (
                'failed to parse data: failed to parse "min-non-active-revisions":'
                ' strconv.ParseInt: parsing "many": invalid syntax'
            ),
        ),
        (
            {"min-non-active-revisions": "-1"},
            "min-non-active-revisions must be non-negative, was: -1",
        ),
        (
            {"max-non-active-revisions": "-1"},
            (
                "failed to parse max-non-active-revisions:"
                ' strconv.ParseUint: parsing "-1": invalid syntax'
            ),
        ),
        (
            {"max-non-active-revisions": "9223372036854775808"},
            (
                "failed to parse max-non-active-revisions:"
                " value should be lower than 9223372036854775807"
            ),
        ),
        (
            {"max-non-active-revisions": "5"},
            "min-non-active-revisions(20) must be <= max-non-active-revisions(5)",
        ),
    ],
)
def test_config_gc_is_refused(data: dict[str, str], why: str) -> None:
    assert refusal("config-gc", data) == why


# config-autoscaler ----------------------------------------------------------------------------


def test_config_autoscaler() -> None:
    data = {
        "pod-autoscaler-class": "hpa.autoscaling.knative.dev",
        "allow-zero-initial-scale": "true",
        "initial-scale": "0",
        "min-scale": "1",
        "max-scale": "3",
        "max-scale-limit": "5",
        "target-burst-capacity": "-1",
        "container-concurrency-target-percentage": "0.5",
    }
    assert read_autoscaler(data) == AutoscalerConfig(
        pod_autoscaler_class="hpa.autoscaling.knative.dev",
        allow_zero_initial_scale=True,
        initial_scale=0,
        min_scale=1,
        max_scale=3,
        max_scale_limit=5,
    )


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (
            {"min-scale": "2147483648"},
            (
                'failed to parse data: failed to parse "min-scale":'
                ' strconv.ParseInt: parsing "2147483648": value out of range'
            ),
        ),
        (
            {"max-scale-up-rate": "fast"},
            (
                'failed to parse data: failed to parse "max-scale-up-rate":'
                ' strconv.ParseFloat: parsing "fast": invalid syntax'
            ),
        ),
        (
            {"stable-window": "1"},
            (
                'failed to parse data: failed to parse "stable-window":'
                ' time: missing unit in duration "1"'
            ),
        ),
        (
            {"scale-to-zero-grace-period": "0s"},
            "scale-to-zero-grace-period must be positive, was: 0s",
        ),
        ({"scale-down-delay": "-1s"}, "scale-down-delay cannot be negative, was: -1s"),
        (
            {"scale-down-delay": "1500ms"},
            "scale-down-delay = 1.5s, must be specified with at most second precision",
        ),
        (
            {"scale-to-zero-pod-retention-period": "-1m"},
            "scale-to-zero-pod-retention-period cannot be negative, was: -1m0s",
        ),
        (
            {"target-burst-capacity": "-2"},
            (
                "target-burst-capacity must be either non-negative or -1 (for unlimited),"
                " was: -2.000000"
            ),
        ),
        (
            {"container-concurrency-target-percentage": "101"},
            (
                "container-concurrency-target-percentage = 1.010000"
                " is outside of valid range of (0, 100]"
            ),
        ),
        (
            {"container-concurrency-target-default": "0.01"},
            (
                "container-concurrency-target-percentage and container-concurrency-target-default"
                " yield target concurrency of 0.006999999999999999, can't be less than 0.01"
            ),
        ),
        (
            {"requests-per-second-target-default": "0"},
            "requests-per-second-target-default must be at least 0.01, was: 0",
        ),
        ({"activator-capacity": "0.5"}, "activator-capacity = 0.5, must be at least 1"),
        ({"max-scale-up-rate": "1"}, "max-scale-up-rate = 1, must be greater than 1.0"),
        ({"max-scale-down-rate": "0.5"}, "max-scale-down-rate = 0.5, must be greater than 1.0"),
        ({"stable-window": "5s"}, "stable-window = 5s, must be in [6s; 1h0m0s] range"),
        (
            {"stable-window": "6500ms"},
            "stable-window = 6.5s, must be specified with at most second precision",
        ),
        (
            {"panic-window-percentage": "0.5"},
            "panic-window-percentage = 0.5, must be in [1, 100] interval",
        ),
        (
            {"initial-scale": "0"},
            (
                "initial-scale = 0, must be at least 0"
                " (or at least 1 when allow-zero-initial-scale is false)"
            ),
        ),
        ({"min-scale": "-1"}, "min-scale = -1, must be at least 0"),
        ({"max-scale": "-1"}, "max-scale = -1, must be in [0, max-scale-limit(0)] range"),
        ({"max-scale-limit": "3"}, "max-scale = 0, must be in [1, max-scale-limit(3)] range"),
        (
            {"max-scale-limit": "3", "max-scale": "4"},
            "max-scale = 4, must be in [1, max-scale-limit(3)] range",
        ),
        ({"max-scale-limit": "-1"}, "max-scale-limit = -1, must be at least 0"),
        (
            {"min-scale": "3", "max-scale": "2"},
            "min-scale (3) must be less than max-scale (2)",
        ),
    ],
)
def test_config_autoscaler_is_refused(data: dict[str, str], why: str) -> None:
    assert refusal("config-autoscaler", data) == why


# config-deployment ----------------------------------------------------------------------------


def test_config_deployment() -> None:
    assert read_deployment(SIDECAR) == DeploymentConfig()
    assert read_deployment(
        {
            "queueSidecarImage": "x",
            "progressDeadline": "1m",
            "registriesSkippingTagResolving": "a, b",
        }
    ) == DeploymentConfig(60.0, frozenset({"a", "b"}))
    newer = {"progress-deadline": "2m", "progressDeadline": "1m"}
    assert read_deployment(SIDECAR | newer).progress_deadline_s == 120.0


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ({"queue-sidecar-image": ""}, "queue-sidecar-image cannot be empty or unset"),
        (
            {"progress-deadline": "0s"},
            "progress-deadline cannot be a non-positive duration, was 0s",
        ),
        (
            {"progress-deadline": "1500ms"},
            "progress-deadline must be rounded to a whole second, was: 1.5s",
        ),
        (
            {"digest-resolution-timeout": "-1s"},
            "digest-resolution-timeout cannot be a non-positive duration, was -1s",
        ),
        (
            {"progress-deadline": "ten"},
            'failed to parse "progress-deadline": time: invalid duration "ten"',
        ),
        (
            {"default-affinity-type": "random"},
            'unsupported default-affinity-type value: "random"',
        ),
        (
            {"queue-sidecar-cpu-request": "much"},
            (
                'failed to parse "queue-sidecar-cpu-request": quantities must match the regular'
                " expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
            ),
        ),
        (
            {"pod-is-always-schedulable": "maybe"},
            (
                'failed to parse "pod-is-always-schedulable":'
                ' strconv.ParseBool: parsing "maybe": invalid syntax'
            ),
        ),
        (
            {"runtime-class-name": "- a"},
            (
                "runtime-class-name cannot be parsed, please check the format:"
                " it is no map of classes"
            ),
        ),
    ],
)
def test_config_deployment_is_refused(data: dict[str, str], why: str) -> None:
    assert refusal("config-deployment", SIDECAR | data) == why


def test_runtime_classes_are_named_like_subdomains() -> None:
    data = SIDECAR | {"runtime-class-name": "gVisor: {}"}
    told = refusal("config-deployment", data)
    assert told.startswith("runtime-class-name gVisor selector not valid DNSSubdomain: [a lower")
    broken = SIDECAR | {"runtime-class-name": "{"}
    assert "cannot be parsed, please check the format: " in refusal("config-deployment", broken)


# The others -----------------------------------------------------------------------------------


def test_a_log_url_has_the_revisions_uid() -> None:
    template = {"logging.revision-url-template": "http://logs/?uid=${REVISION_UID}&x=1"}
    assert read_observability(template).log_url("u-1") == "http://logs/?uid=u-1&x=1"
    assert read_observability({}).log_url("u-1") == ""


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ({"metrics-protocol": "carrier-pigeon"}, 'unsupported protocol "carrier-pigeon"'),
        ({"metrics-protocol": "grpc"}, 'endpoint should be set when protocol is "grpc"'),
        (
            {"request-metrics-endpoint": "x:1"},
            'endpoint should not be set when protocol is "none"',
        ),
        (
            {"metrics-export-interval": "-1s"},
            'export interval "-1s" should be greater than zero',
        ),
        ({"tracing-protocol": "udp"}, 'unsupported protocol "udp"'),
        (
            {"tracing-protocol": "http/protobuf"},
            'endpoint should be set for protocol "http/protobuf"',
        ),
        ({"tracing-endpoint": "x"}, "endpoint should not be set when protocol is 'none'"),
        (
            {"tracing-sampling-rate": "1.5"},
            "sampling rate 1.500000 should be less than or equal to one",
        ),
        (
            {"tracing-sampling-rate": "-1"},
            "sampling rate -1.000000 should be greater or equal to zero",
        ),
        ({"runtime-profiling": "maybe"}, 'unsupported profile setting "maybe"'),
        (
            {"logging.enable-request-log": "true", "logging.request-log-template": ""},
            (
                '"logging.enable-request-log" was set to true,'
                ' but no "logging.request-log-template" was specified'
            ),
        ),
        (
            {"logging.request-log-template": "{{.Request"},
            "template: requestLog:1: unclosed action",
        ),
    ],
)
def test_config_observability_is_refused(data: dict[str, str], why: str) -> None:
    assert refusal("config-observability", data) == why


@pytest.mark.parametrize(
    ("check_map", "data", "why"),
    [
        (
            check_leader_election,
            {"buckets": "11"},
            "buckets: value must be between 1 <= 11 <= 10",
        ),
        (
            check_leader_election,
            {"buckets": "-1"},
            'failed to parse "buckets": strconv.ParseUint: parsing "-1": invalid syntax',
        ),
        (
            check_leader_election,
            {"leaseDuration": "long"},
            'failed to parse "lease-duration": time: invalid duration "long"',
        ),
        (check_logging, {"loglevel.controller": "loud"}, "invalid logging level: loud"),
    ],
)
def test_what_is_about_knatives_own_components_is_checked(
    check_map: Any, data: dict[str, str], why: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        check_map(data)
    assert str(refused.value) == why


def test_levels_of_logs_are_zaps() -> None:
    assert check_logging({"loglevel.a": "INFO", "loglevel.b": "warn", "loglevel.": "x", "c": "y"})
