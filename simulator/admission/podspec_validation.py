"""The rules of a revision's spec: the pod's fields, its containers together, and the numbers.

Source: knative/serving `pkg/apis/serving/k8s_validation.go`, `v1/revision_validation.go`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from simulator.admission import freeform
from simulator.admission.container_validation import ID_MAX, Role, validate_container
from simulator.admission.fielderrors import (
    NONE,
    Errors,
    disallowed_fields,
    generic,
    invalid_value,
    missing_field,
    out_of_bounds,
    via_field,
    via_field_index,
    warning,
)
from simulator.admission.probe_validation import (
    ProbedPort,
    validate_init_probes,
    validate_serving_probes,
    validate_sidecar_probes,
)
from simulator.admission.settings import Defaults
from simulator.admission.volume_validation import Volume, validate_volumes
from simulator.config.features import SECURE_POD_DEFAULTS
from simulator.resources.names import dns_1123_subdomain_problems
from simulator.resources.podspec import Container, PodSpec
from simulator.resources.serving import RevisionSpec
from simulator.resources.wording import quoted

INIT_CONTAINERS = "kubernetes.podspec-init-containers"
SECURITY_CONTEXT = "kubernetes.podspec-securitycontext"
INSECURE = (
    "Kubernetes default value is insecure, Knative may default this to secure in a future release"
)

# Fields of the pod that a feature of `config-features` allows: JSON name, attribute.
GATED = {
    "affinity": "affinity",
    "topologySpreadConstraints": "topology_spread_constraints",
    "hostAliases": "host_aliases",
    "nodeSelector": "node_selector",
    "runtimeClassName": "runtime_class_name",
    "tolerations": "tolerations",
    "securityContext": "security_context",
    "shareProcessNamespace": "share_process_namespace",
    "priorityClassName": "priority_class_name",
    "schedulerName": "scheduler_name",
    "initContainers": "init_containers",
    "dnsPolicy": "dns_policy",
    "dnsConfig": "dns_config",
    "hostIPC": "host_ipc",
    "hostPID": "host_pid",
    "hostNetwork": "host_network",
}
# In Go these are pointers, so that empty or false is different from absent.
POINTERS = frozenset(
    {"affinity", "dnsConfig", "runtimeClassName", "securityContext", "shareProcessNamespace"}
)
# The pod's securityContext: what its feature allows, and what nothing does.
SECURITY_ALLOWED = (
    "runAsUser",
    "runAsGroup",
    "runAsNonRoot",
    "fsGroup",
    "supplementalGroups",
    "seccompProfile",
)
SECURITY_NEVER = ("seLinuxOptions", "windowsOptions", "sysctls", "fsGroupChangePolicy")


def validate_revision_spec(spec: RevisionSpec, defaults: Defaults) -> Errors:
    """Return what is wrong with a revision's spec; paths begin below `spec`."""
    errors = _validate_pod(spec, defaults)
    timeout, timeout_max = spec.timeout_seconds or 0, defaults.max_revision_timeout_seconds
    if not 0 <= timeout <= timeout_max:
        errors += out_of_bounds(timeout, 0, timeout_max, "timeoutSeconds")
    concurrency = spec.container_concurrency
    lower = 0 if defaults.allow_container_concurrency_zero else 1
    upper = defaults.container_concurrency_max_limit
    if concurrency is not None and not lower <= concurrency <= upper:
        errors += out_of_bounds(concurrency, lower, upper, "containerConcurrency")
    return errors


def _validate_pod(spec: PodSpec, defaults: Defaults) -> Errors:
    errors = disallowed_fields(*_masked_fields(spec, defaults))
    security = spec.security_context
    errors += via_field(_validate_pod_security(security, defaults), "securityContext")
    if not defaults.permits(SECURE_POD_DEFAULTS):
        errors += _warn_of_insecure_defaults("containers", spec.containers, security)
        errors += _warn_of_insecure_defaults("initContainers", spec.init_containers, security)
    every = (*spec.init_containers, *spec.containers)
    mounted = frozenset(mount.name for each in every for mount in each.volume_mounts)
    errors += via_field(validate_volumes(spec.volumes, mounted, defaults), "volumes")
    volumes = {freeform.text(volume, "name"): volume for volume in spec.volumes}
    errors += _validate_init_containers(spec, volumes, defaults)
    errors += via_field(_validate_port_count(spec.containers), "containers[*]")
    errors += _validate_containers(spec.containers, volumes, defaults)
    account = spec.service_account_name
    for problem in dns_1123_subdomain_problems(account) if account else ():
        errors += invalid_value(account, "serviceAccountName", problem)
    return errors


def _masked_fields(spec: PodSpec, defaults: Defaults) -> tuple[str, ...]:
    """Return the given fields that no feature allows."""
    masked = []
    for name, attribute in GATED.items():
        value = getattr(spec, attribute)
        is_given = value is not None if name in POINTERS else bool(value)
        if is_given and not _is_permitted(name, defaults):
            masked.append(name)
    # Taking the token away is allowed; asking for it, although the default, is not.
    if spec.automount_service_account_token:
        masked.append("automountServiceAccountToken")
    return tuple(masked)


def _is_permitted(field: str, defaults: Defaults) -> bool:
    by_secure_defaults = field == "securityContext" and defaults.permits(SECURE_POD_DEFAULTS)
    return by_secure_defaults or defaults.permits(feature_of(field))


def feature_of(field: str) -> str:
    """Return the key in `config-features` that allows this field of the pod."""
    return INIT_CONTAINERS if field == "initContainers" else f"kubernetes.podspec-{field.lower()}"


def _validate_pod_security(context: Mapping[str, Any] | None, defaults: Defaults) -> Errors:
    if context is None:
        return NONE
    masked = [field for field in SECURITY_NEVER if freeform.is_set(context, field)]
    if not defaults.permits(SECURITY_CONTEXT):
        masked += [field for field in SECURITY_ALLOWED if freeform.is_set(context, field)]
        if "seccompProfile" in masked and _opts_out(context, defaults):
            masked.remove("seccompProfile")
    errors = disallowed_fields(*masked)
    for field in ("runAsUser", "runAsGroup", "fsGroup"):
        number = freeform.integer(context, field)
        if number is not None and not 0 <= number <= ID_MAX:
            errors += out_of_bounds(number, 0, ID_MAX, field)
    groups = context.get("supplementalGroups")
    for index, group in enumerate(groups if isinstance(groups, list) else ()):
        if isinstance(group, int) and not 0 <= group <= ID_MAX:
            outside = out_of_bounds(group, 0, ID_MAX, "")
            errors += via_field_index(outside, "supplementalGroups", index)
    return errors


def _opts_out(context: Mapping[str, Any], defaults: Defaults) -> bool:
    """Tell whether the profile is one that may be chosen in place of a secure default."""
    profile = freeform.text(freeform.part(context, "seccompProfile"), "type")
    return defaults.permits(SECURE_POD_DEFAULTS) and profile in ("RuntimeDefault", "Unconfined")


def _warn_of_insecure_defaults(
    field: str, containers: Sequence[Container], pod: Mapping[str, Any] | None
) -> Errors:
    errors = NONE
    for index, container in enumerate(containers):
        found = via_field(_insecure_defaults(container.security_context, pod), "securityContext")
        errors += via_field_index(found, field, index)
    return errors


def _insecure_defaults(own: Mapping[str, Any] | None, pod: Mapping[str, Any] | None) -> Errors:
    paths = []
    if not freeform.is_set(pod, "runAsNonRoot") and not freeform.is_set(own, "runAsNonRoot"):
        paths.append("runAsNonRoot")
    if not freeform.is_set(own, "allowPrivilegeEscalation"):
        paths.append("allowPrivilegeEscalation")
    profiles = [freeform.part(context, "seccompProfile") for context in (own, pod)]
    if profiles == [None, None]:
        paths.append("seccompProfile")
    elif not any(freeform.text(profile, "type") for profile in profiles):
        paths.append("seccompProfile.type")
    capabilities = freeform.part(own, "capabilities")
    drop = (capabilities or {}).get("drop")
    if capabilities is None:
        paths.append("capabilities")
    elif drop is None:
        paths.append("capabilities.drop")
    misspelt = NONE
    if isinstance(drop, list) and drop[:1] == ["all"]:
        spelling = "Must be spelled as 'ALL'"
        misspelt = warning("invalid value: all", "capabilities.drop", details=spelling)
    return tuple(leaf for path in paths for leaf in warning(INSECURE, path)) + misspelt


def _validate_port_count(containers: Sequence[Container]) -> Errors:
    count = sum(len(container.ports) for container in containers)
    if count == 0 and len(containers) > 1:
        return missing_field("ports")
    if count > 1:
        message = "more than one container port is set"
        details = "Only a single port is allowed across all containers"
        return generic(message, "ports", details=details)
    return NONE


def _probed_port(containers: Sequence[Container]) -> ProbedPort:
    names = [container.ports[0].name for container in containers if container.ports]
    return ProbedPort((names[-1] if names else "") or "http")


def _validate_containers(
    containers: Sequence[Container], volumes: Mapping[str, Volume], defaults: Defaults
) -> Errors:
    if not containers:
        return missing_field("containers")
    port = _probed_port(containers)
    if len(containers) == 1:
        found = validate_serving_probes(containers[0], port)
        found += validate_container(containers[0], Role.SERVING, volumes, defaults)
        return via_field_index(found, "containers", 0)
    if "multi-container" not in defaults.features:
        return generic(f"multi-container is off, but found {len(containers)} containers")
    errors = NONE
    names: set[str] = set()
    for index, container in enumerate(containers):
        if container.name in names:
            errors += _duplicate_name(container.name)
            # As in Knative: what was found so far moves below this container too.
            errors = via_field_index(errors, "containers", index)
        names.add(container.name)
        role = Role.SERVING if container.ports else Role.SIDECAR
        if role is Role.SERVING:
            found = validate_serving_probes(container, port)
        else:
            found = validate_sidecar_probes(container, defaults)
        found += validate_container(container, role, volumes, defaults)
        errors += via_field_index(found, "containers", index)
    return errors


def _duplicate_name(name: str) -> Errors:
    return generic(f"duplicate container name {quoted(name)}", "name")


def _validate_init_containers(
    spec: PodSpec, volumes: Mapping[str, Volume], defaults: Defaults
) -> Errors:
    if not spec.init_containers:
        return NONE
    if INIT_CONTAINERS not in defaults.features:
        count = len(spec.init_containers)
        message = "pod spec support for init-containers is off, but found"
        return generic(f"{message} {count} init containers")
    names = {container.name for container in spec.containers}
    errors = NONE
    for index, container in enumerate(spec.init_containers):
        if container.name in names:
            errors += _duplicate_name(container.name)
            errors = via_field_index(errors, "containers", index)
        found = validate_init_probes(container)
        found += validate_container(container, Role.INIT, volumes, defaults)
        errors += via_field_index(found, "containers", index)
    return errors
