"""The rules of probes. Source: knative/serving `pkg/apis/serving/k8s_validation.go`."""

from __future__ import annotations

from msgspec import Struct

from simulator.admission.fielderrors import (
    CURRENT_FIELD,
    NONE,
    Errors,
    disallowed_fields,
    generic,
    invalid_value,
    missing_one_of,
    multiple_one_of,
    out_of_bounds,
    via_field,
)
from simulator.admission.settings import Defaults
from simulator.resources.podspec import Container, IntOrString, Probe

INT32_MAX = 2**31 - 1
MULTI_CONTAINER_PROBING = "multi-container-probing"


class ProbedPort(Struct, frozen=True):
    """The name of the port that a probe may name: the serving container's only one."""

    name: str


def validate_serving_probes(container: Container, port: ProbedPort) -> Errors:
    """Return what is wrong with the probes of the container that takes requests."""
    return (
        via_field(_validate_probe(container.liveness_probe, port), "livenessProbe")
        + via_field(_validate_readiness(container.readiness_probe, port), "readinessProbe")
        + via_field(_validate_probe(container.startup_probe, port), "startupProbe")
    )


def validate_sidecar_probes(container: Container, defaults: Defaults) -> Errors:
    """Return what is wrong with the probes of a container beside the serving one."""
    if MULTI_CONTAINER_PROBING in defaults.features:
        return (
            via_field(_validate_probe(container.liveness_probe, None), "livenessProbe")
            + via_field(_validate_readiness(container.readiness_probe, None), "readinessProbe")
            + via_field(_validate_probe(container.startup_probe, None), "startupProbe")
        )
    return (
        via_field(_refuse_probe(container.liveness_probe), "livenessProbe")
        + via_field(_refuse_probe(container.readiness_probe), "readinessProbe")
        + via_field(_refuse_probe(container.startup_probe), "startupProbe")
    )


def validate_init_probes(container: Container) -> Errors:
    """Return the refusal of probes on a container that ends before any would be made."""
    probes = {
        "livenessProbe": container.liveness_probe,
        "readinessProbe": container.readiness_probe,
        "startupProbe": container.startup_probe,
    }
    errors = NONE
    for field, probe in probes.items():
        if probe is not None:
            errors += generic("field not allowed in an init container", field)
    return errors


def _refuse_probe(probe: Probe | None) -> Errors:
    if probe is None:
        return NONE
    numbers = {
        "initialDelaySeconds": probe.initial_delay_seconds,
        "timeoutSeconds": probe.timeout_seconds,
        "periodSeconds": probe.period_seconds,
        "successThreshold": probe.success_threshold,
        "failureThreshold": probe.failure_threshold,
    }
    given = [field for field, value in numbers.items() if value]
    if probe.termination_grace_period_seconds is not None:
        given.append("terminationGracePeriodSeconds")
    if _handlers(probe):
        given.append(CURRENT_FIELD)  # the handler is inlined: its path is the probe's own
    return disallowed_fields(*given)


def _handlers(probe: Probe) -> tuple[str, ...]:
    """Return the names of the ways to probe that are given."""
    handlers = {
        "httpGet": probe.http_get,
        "tcpSocket": probe.tcp_socket,
        "exec": probe.exec,
        "gRPC": probe.grpc,
    }
    return tuple(name for name, handler in handlers.items() if handler is not None)


def _validate_probe(probe: Probe | None, port: ProbedPort | None) -> Errors:
    if probe is None:
        return NONE
    errors = NONE
    if probe.http_get is not None:
        errors = via_field(errors, "httpGet")
        errors += _validate_port(probe.http_get.port, "httpGet.port", port)
    if probe.tcp_socket is not None:
        errors = via_field(errors, "tcpSocket")
        errors += _validate_port(probe.tcp_socket.port, "tcpSocket.port", port)
    if probe.exec is not None:
        errors = via_field(errors, "exec")
    if probe.grpc is not None:
        errors = via_field(errors, "grpc")
    handlers = _handlers(probe)
    if not handlers:
        return errors + missing_one_of("httpGet", "tcpSocket", "exec", "grpc")
    return errors + (multiple_one_of(*handlers) if len(handlers) > 1 else NONE)


def _validate_port(given: IntOrString | None, path: str, port: ProbedPort | None) -> Errors:
    if port is None:
        must = "Probe port must be specified"
        return NONE if given else invalid_value(given or 0, path, must)
    if isinstance(given, str) and given not in ("", port.name):
        return invalid_value(given, path, "Probe port must match container port")
    return NONE


def _validate_readiness(probe: Probe | None, port: ProbedPort | None) -> Errors:
    if probe is None:
        return NONE
    period, timeout = probe.period_seconds or 0, probe.timeout_seconds or 0
    failures = probe.failure_threshold or 0
    errors = _validate_probe(probe, port)
    errors += _at_least(0, period, "periodSeconds")
    errors += _at_least(0, probe.initial_delay_seconds or 0, "initialDelaySeconds")
    errors += _at_least(1, probe.success_threshold or 0, "successThreshold")
    # A period of 0 is Knative's own probe, which tries again at once.
    if period != 0:
        errors += _at_least(1, timeout, "timeoutSeconds")
        return errors + _at_least(1, failures, "failureThreshold")
    for field, value in (("failureThreshold", failures), ("timeoutSeconds", timeout)):
        if value != 0:
            errors += generic(f"{field} is disallowed when periodSeconds is zero", field)
    return errors


def _at_least(lower: int, value: int, field: str) -> Errors:
    return NONE if value >= lower else out_of_bounds(value, lower, INT32_MAX, field)
