"""`config-deployment`: how revisions are deployed.

Source: knative/serving `pkg/deployment/config.go`. There is no queue-proxy here, so all that is
about one is checked, and changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml
from msgspec import Struct

from simulator.config.parsing import (
    ConfigError,
    boolean_of,
    duration_of,
    first_of,
    quantity_of,
    set_of,
    text_of,
)
from simulator.resources.durations import SECOND, format_duration, is_whole_seconds
from simulator.resources.names import dns_1123_subdomain_problems
from simulator.resources.wording import listed, quoted

QUEUE_SIDECAR_IMAGE = "queue-sidecar-image"

_AFFINITY = "default-affinity-type"
_AFFINITIES = ("none", "prefer-spread-revision-over-nodes")
_RUNTIME_CLASS = "runtime-class-name"
_SKIPPED = frozenset({"kind.local", "ko.local", "dev.local"})


class DeploymentConfig(Struct, frozen=True):
    """What has an effect: for how long a revision may start, whose tags are taken as they are."""

    progress_deadline_s: float = 600.0
    registries_skipping_tag_resolving: frozenset[str] = _SKIPPED


def read_deployment(data: Mapping[str, str]) -> DeploymentConfig:
    """Return what the map says. Raise ConfigError."""
    skipping_key = "registries-skipping-tag-resolving"
    skipping = first_of(data, "registriesSkippingTagResolving", skipping_key)
    deadline_ns = duration_of(
        first_of(data, "progressDeadline", "progress-deadline"), "progress-deadline", 600 * SECOND
    )
    timeout_ns = duration_of(
        first_of(data, "digestResolutionTimeout", "digest-resolution-timeout"),
        "digest-resolution-timeout",
        10 * SECOND,
    )
    for resource, old in (
        ("cpu", "CPU"),
        ("memory", "Memory"),
        ("ephemeral-storage", "EphemeralStorage"),
    ):
        for bound in ("request", "limit"):
            quantity_of(data, f"queueSidecar{old}{bound.capitalize()}")
            quantity_of(data, f"queue-sidecar-{resource}-{bound}")
    boolean_of(data, "pod-is-always-schedulable", default=False)
    image = first_of(data, "queueSidecarImage", QUEUE_SIDECAR_IMAGE)
    if not text_of(image, QUEUE_SIDECAR_IMAGE, ""):
        raise ConfigError("queue-sidecar-image cannot be empty or unset")
    shown = format_duration(deadline_ns)
    if deadline_ns <= 0:
        raise ConfigError(f"progress-deadline cannot be a non-positive duration, was {shown}")
    if not is_whole_seconds(deadline_ns):
        raise ConfigError(f"progress-deadline must be rounded to a whole second, was: {shown}")
    if timeout_ns <= 0:
        raise ConfigError(
            "digest-resolution-timeout cannot be a non-positive duration,"
            f" was {format_duration(timeout_ns)}"
        )
    if data.get(_AFFINITY, _AFFINITIES[0]) not in _AFFINITIES:
        raise ConfigError(f"unsupported {_AFFINITY} value: {quoted(data[_AFFINITY])}")
    _check_runtime_classes(data.get(_RUNTIME_CLASS, ""))
    return DeploymentConfig(
        progress_deadline_s=deadline_ns / SECOND,
        registries_skipping_tag_resolving=set_of(skipping, skipping_key, _SKIPPED),
    )


def _check_runtime_classes(text: str) -> None:
    try:
        classes: Any = yaml.safe_load(text) or {}
    except (yaml.YAMLError, RecursionError) as error:
        why = " ".join(str(error).split())
        raise ConfigError(
            f"{_RUNTIME_CLASS} cannot be parsed, please check the format: {why}"
        ) from error
    if not isinstance(classes, dict):
        raise ConfigError(
            f"{_RUNTIME_CLASS} cannot be parsed, please check the format: it is no map of classes"
        )
    for name in classes:
        if problems := dns_1123_subdomain_problems(str(name)):
            raise ConfigError(
                f"{_RUNTIME_CLASS} {name} selector not valid DNSSubdomain: {listed(problems)}"
            )
