"""The cells of Kubernetes' own kinds that are more than a field. Pure; the time is an argument.

Source: kubernetes `pkg/printers/internalversion/printers.go`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from simulator.resources.ages import age
from simulator.resources.apps import Deployment
from simulator.resources.core import (
    ConfigMap,
    ContainerStatus,
    Event,
    Pod,
    Secret,
    ServiceAccount,
)
from simulator.resources.endpoints import EXTERNAL_NAME, CoreService, Endpoints
from simulator.resources.endpointslices import EndpointSlice
from simulator.resources.meta import Resource

Cell = str | int | float | bool | None

NONE = "<none>"
ADDRESSES_SHOWN_MAX = 3


def _age(obj: Resource, now: datetime) -> str:
    return age(obj.metadata.creation_timestamp, now)


def _none(_: Resource, __: datetime) -> str:
    return NONE


def _data_count(obj: ConfigMap | Secret, _: datetime) -> int:
    return len(obj.data) + len(getattr(obj, "binary_data", ()))


def _secrets(account: ServiceAccount, _: datetime) -> int:
    return len(account.secrets)


# Pods ------------------------------------------------------------------------------------------


def _pod_ready(pod: Pod, _: datetime) -> str:
    ready = sum(1 for status in pod.status.container_statuses if _is_serving(status))
    return f"{ready}/{len(pod.spec.containers)}"


def _is_serving(status: ContainerStatus) -> bool:
    return status.ready and status.state.running is not None


def _pod_status(pod: Pod, _: datetime) -> str:
    reason = pod.status.reason or pod.status.phase or "Unknown"
    if pod.is_deleting and pod.status.phase not in ("Succeeded", "Failed"):
        return "Terminating"
    # The first container that has something to say decides.
    said = [text for status in pod.status.container_statuses if (text := _state_reason(status))]
    return said[0] if said else reason


def _state_reason(status: ContainerStatus) -> str:
    waiting, terminated = status.state.waiting, status.state.terminated
    if waiting is not None:
        return waiting.reason
    if terminated is None:
        return ""
    if terminated.reason:
        return terminated.reason
    if terminated.signal:
        return f"Signal:{terminated.signal}"
    return f"ExitCode:{terminated.exit_code}"


def _pod_restarts(pod: Pod, now: datetime) -> str:
    statuses = pod.status.container_statuses
    restarts = sum(status.restart_count for status in statuses)
    ends = [
        status.last_state.terminated.finished_at or ""
        for status in statuses
        if status.last_state.terminated is not None
    ]
    last = max(ends, default="")
    return f"{restarts} ({age(last, now)} ago)" if restarts and last else str(restarts)


def _pod_ip(pod: Pod, _: datetime) -> str:
    return pod.status.pod_ip or NONE


def _pod_node(pod: Pod, _: datetime) -> str:
    return pod.spec.node_name or NONE


# Events ----------------------------------------------------------------------------------------


def _event_last_seen(event: Event, now: datetime) -> str:
    series = event.series.last_observed_time if event.series else None
    return age(series or event.last_timestamp or event.first_timestamp or event.event_time, now)


def _event_first_seen(event: Event, now: datetime) -> str:
    return age(event.first_timestamp or event.event_time, now)


def _event_object(event: Event, _: datetime) -> str:
    about = event.involved_object
    return f"{about.kind.lower()}/{about.name}" if about.name else about.kind.lower()


def _event_subobject(event: Event, _: datetime) -> str:
    return event.involved_object.field_path


def _event_source(event: Event, _: datetime) -> str:
    component = event.source.component or event.reporting_component
    host = event.source.host or event.reporting_instance
    return ", ".join(part for part in (component, host) if part)


def _event_message(event: Event, _: datetime) -> str:
    return event.message.strip()


def _event_count(event: Event, _: datetime) -> int:
    return event.series.count if event.series else event.count or 1


# Services and Endpoints ------------------------------------------------------------------------


def _cluster_ip(service: CoreService, _: datetime) -> str:
    return service.spec.cluster_ips[0] if service.spec.cluster_ips else NONE


def _external_ip(service: CoreService, _: datetime) -> str:
    spec = service.spec
    if spec.type == EXTERNAL_NAME:
        return spec.external_name
    if spec.type != "LoadBalancer":
        return ",".join(spec.external_ips) or NONE
    balanced = [one.ip or one.hostname for one in service.status.load_balancer.ingress]
    return ",".join((*balanced, *spec.external_ips)) or "<pending>"


def _ports(service: CoreService, _: datetime) -> str:
    shown = [
        f"{one.port}:{one.node_port}/{one.protocol}"
        if one.node_port
        else f"{one.port}/{one.protocol}"
        for one in service.spec.ports
    ]
    return ",".join(shown) or NONE


def _service_selector(service: CoreService, _: datetime) -> str:
    return formatted_labels(service.spec.selector)


def formatted_labels(labels: Mapping[str, str]) -> str:
    """Return `key=value,...` by key, or `<none>` (apimachinery `labels.FormatLabels`)."""
    return ",".join(f"{key}={labels[key]}" for key in sorted(labels)) or NONE


def _addresses(endpoints: Endpoints, _: datetime) -> str:
    found: list[str] = []
    for subset in endpoints.subsets:
        if not subset.ports:
            found += [one.ip for one in subset.addresses]
        for port in subset.ports:
            found += [_host_port(one.ip, port.port) for one in subset.addresses]
    return _some_of(found) if found else NONE


def _slice_ports(one: EndpointSlice, _: datetime) -> str:
    ports = [port.name or "" if port.port is None else str(port.port) for port in one.ports]
    return _some_of(ports)


def _slice_addresses(one: EndpointSlice, _: datetime) -> str:
    return _some_of([address for endpoint in one.endpoints for address in endpoint.addresses])


def _some_of(texts: Sequence[str]) -> str:
    shown = ",".join(texts[:ADDRESSES_SHOWN_MAX])
    if (more := len(texts) - ADDRESSES_SHOWN_MAX) > 0:
        return f"{shown} + {more} more..."
    return shown or "<unset>"


def _host_port(ip: str, port: int) -> str:
    return f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}"


# Deployments -----------------------------------------------------------------------------------


def _deployment_ready(deployment: Deployment, _: datetime) -> str:
    wanted = deployment.spec.replicas
    return f"{deployment.status.ready_replicas}/{1 if wanted is None else wanted}"


def _deployment_updated(deployment: Deployment, _: datetime) -> int:
    return deployment.status.updated_replicas


def _deployment_available(deployment: Deployment, _: datetime) -> int:
    return deployment.status.available_replicas


def _deployment_containers(deployment: Deployment, _: datetime) -> str:
    return ",".join(_templates(deployment, "name"))


def _deployment_images(deployment: Deployment, _: datetime) -> str:
    return ",".join(_templates(deployment, "image"))


def _templates(deployment: Deployment, field: str) -> Sequence[str]:
    return [getattr(one, field) for one in deployment.spec.template.spec.containers]


def _deployment_selector(deployment: Deployment, _: datetime) -> str:
    return formatted_labels(deployment.spec.selector.match_labels)


SPECIAL: dict[str, Callable[[Any, datetime], Cell]] = {
    "age": _age,
    "none": _none,
    "data:count": _data_count,
    "serviceaccount:secrets": _secrets,
    "pod:ready": _pod_ready,
    "pod:status": _pod_status,
    "pod:restarts": _pod_restarts,
    "pod:ip": _pod_ip,
    "pod:node": _pod_node,
    "event:last-seen": _event_last_seen,
    "event:first-seen": _event_first_seen,
    "event:object": _event_object,
    "event:subobject": _event_subobject,
    "event:source": _event_source,
    "event:message": _event_message,
    "event:count": _event_count,
    "service:cluster-ip": _cluster_ip,
    "service:external-ip": _external_ip,
    "service:ports": _ports,
    "service:selector": _service_selector,
    "endpoints:addresses": _addresses,
    "slice:ports": _slice_ports,
    "slice:addresses": _slice_addresses,
    "deployment:ready": _deployment_ready,
    "deployment:updated": _deployment_updated,
    "deployment:available": _deployment_available,
    "deployment:containers": _deployment_containers,
    "deployment:images": _deployment_images,
    "deployment:selector": _deployment_selector,
}
