"""The rules of one container.

Source: knative/serving `pkg/apis/serving/k8s_validation.go`, `fieldmask.go`. Where Knative gives
an error an odd path (ports without an index, a handler's errors under the next handler), so do we.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any

from simulator.admission import freeform
from simulator.admission.fielderrors import (
    CURRENT_FIELD,
    NONE,
    Errors,
    disallowed_fields,
    generic,
    invalid_value,
    missing_field,
    missing_one_of,
    multiple_one_of,
    out_of_bounds,
    via_field,
    via_field_index,
    via_index,
)
from simulator.admission.settings import Defaults
from simulator.admission.volume_validation import Volume, validate_mounts
from simulator.config.features import SECURE_POD_DEFAULTS
from simulator.resources.names import is_image_reference
from simulator.resources.podspec import (
    Container,
    ContainerPort,
    EnvFrom,
    EnvVar,
)
from simulator.resources.wording import quoted

RESERVED_NAMES = frozenset({"queue-proxy"})
RESERVED_ENVIRONMENT = frozenset({"PORT", "K_SERVICE", "K_CONFIGURATION", "K_REVISION"})
RESERVED_PORTS = frozenset({8008, 8012, 8013, 8022, 9090, 9091})
PORT_NAMES = frozenset({"", "h2c", "http1"})
PORT_MAX = 65535
ID_MAX = 2**31 - 1
LOW_PORTS = "NET_BIND_SERVICE"
TERMINATION_POLICIES = frozenset({"", "File", "FallbackToLogsOnError"})


class Role(Enum):
    """What a container is for."""

    SERVING = "the container that takes requests"
    SIDECAR = "a container beside it"
    INIT = "a container that runs before"


def validate_container(
    container: Container, role: Role, volumes: Mapping[str, Volume], defaults: Defaults
) -> Errors:
    """Return what is wrong with a container, its probes apart."""
    if container == Container():
        return missing_field(CURRENT_FIELD)
    errors = NONE
    if container.name in RESERVED_NAMES:
        errors += generic(f"{quoted(container.name)} is a reserved container name", "name")
    errors += via_field(_validate_environment(container.env, role, defaults), "env")
    errors += via_field(_validate_env_from(container.env_from), "envFrom")
    errors += _validate_image(container.image)
    errors += via_field(_validate_ports(container.ports, role), "ports")
    if container.resources is not None and container.resources.claims:
        errors += via_field(disallowed_fields("claims"), "resources")
    errors += via_field(_validate_security(container.security_context, defaults), "securityContext")
    policy = container.termination_message_policy
    if policy not in TERMINATION_POLICIES:
        errors += invalid_value(policy, "terminationMessagePolicy")
    mounts = validate_mounts(container.volume_mounts, volumes, defaults)
    return errors + via_field(mounts, "volumeMounts")


def _validate_image(image: str) -> Errors:
    if not image:
        return missing_field("image")
    if is_image_reference(image):
        return NONE
    return generic(
        "Failed to parse image reference",
        "image",
        details=f"image: {quoted(image)}, error: could not parse reference: {image}",
    )


def _validate_environment(env: Sequence[EnvVar], role: Role, defaults: Defaults) -> Errors:
    reserved = RESERVED_ENVIRONMENT if role is Role.SERVING else RESERVED_ENVIRONMENT - {"PORT"}
    errors = NONE
    for index, variable in enumerate(env):
        found = NONE
        if not variable.name:
            found = missing_field("name")
        elif variable.name in reserved:
            found = generic(f"{quoted(variable.name)} is a reserved environment variable", "name")
        errors += via_index(found + _validate_value_from(variable, defaults), index)
    return errors


def _validate_value_from(variable: EnvVar, defaults: Defaults) -> Errors:
    if defaults.permits("kubernetes.podspec-fieldref"):
        return NONE
    gated = ("fieldRef", "resourceFieldRef")
    given = [field for field in gated if freeform.is_set(variable.value_from, field)]
    return via_field(disallowed_fields(*given), "valueFrom")


def _validate_env_from(sources: Sequence[EnvFrom]) -> Errors:
    """Return what is wrong; as in Knative, a later item says that all was found below its own."""
    errors = NONE
    for index, source in enumerate(sources):
        if source.secret_ref is not None:
            errors = via_field_index(errors, "secretRef", index)
        if source.config_map_ref is not None:
            errors = via_field_index(errors, "configMapRef", index)
        given = (source.config_map_ref is not None, source.secret_ref is not None)
        if all(given):
            errors += multiple_one_of("configMapRef", "secretRef")
        elif not any(given):
            errors += missing_one_of("configMapRef", "secretRef")
    return errors


def _may_add(capabilities: Mapping[str, Any] | None, defaults: Defaults) -> bool:
    """Tell whether these capabilities may be added; secure defaults take no low port away."""
    if "kubernetes.containerspec-addcapabilities" in defaults.features:
        return True
    return defaults.permits(SECURE_POD_DEFAULTS) and (capabilities or {}).get("add") == [LOW_PORTS]


def _validate_ports(ports: Sequence[ContainerPort], role: Role) -> Errors:
    if role is Role.INIT:
        return sum((_validate_port(port) for port in ports), NONE)
    if not ports:
        return NONE
    port = ports[0]
    errors = _validate_port(port)
    if port.protocol not in ("", "TCP"):
        errors += invalid_value(port.protocol, "protocol")
    if port.name not in PORT_NAMES:
        errors += generic(
            f"Port name {port.name} is not allowed",
            CURRENT_FIELD,
            details="Name must be empty, or one of: 'h2c', 'http1'",
        )
    return errors


def _validate_port(port: ContainerPort) -> Errors:
    masked = {"hostPort": port.host_port, "hostIP": port.host_ip}
    errors = disallowed_fields(*(field for field, value in masked.items() if value))
    number = port.container_port or 0
    if number in RESERVED_PORTS:
        reserved = f"{number} is a reserved port"
        details = f"{reserved}, please use a different value"
        errors += invalid_value(reserved, "containerPort", details)
    if not 0 <= number <= PORT_MAX:
        errors += out_of_bounds(number, 0, PORT_MAX, "containerPort")
    return errors


def _validate_security(context: Mapping[str, Any] | None, defaults: Defaults) -> Errors:
    if context is None:
        return NONE
    errors = disallowed_fields("privileged") if context.get("privileged") is True else NONE
    capabilities = freeform.part(context, "capabilities")
    if freeform.is_set(capabilities, "add") and not _may_add(capabilities, defaults):
        errors += via_field(disallowed_fields("add"), "capabilities")
    for field in ("runAsUser", "runAsGroup"):
        number = freeform.integer(context, field)
        if number is not None and not 0 <= number <= ID_MAX:
            errors += out_of_bounds(number, 0, ID_MAX, field)
    return errors
