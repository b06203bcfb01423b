"""What an API server fills in of Kubernetes' own objects.

Sources: kubernetes `pkg/apis/core/v1/{defaults,conversion}.go`, `pkg/registry/core/service`.
"""

from __future__ import annotations

import base64

from msgspec.structs import replace

from simulator.resources.core import Secret
from simulator.resources.endpoints import (
    CLUSTER_IP,
    EXTERNAL_NAME,
    NO_CLUSTER_IP,
    CoreService,
    Endpoints,
    ServicePort,
)
from simulator.resources.endpointslices import EndpointSlice
from simulator.resources.meta import Resource

OPAQUE = "Opaque"
TCP = "TCP"


def with_core_defaults(new: Resource) -> Resource:
    """Return the object as an API server would store it; other kinds come back as they are."""
    match new:
        case Secret():
            return _secret(new)
        case CoreService():
            return _service(new)
        case Endpoints():
            return _endpoints(new)
        case EndpointSlice():
            return _slice(new)
        case _:
            return new


def _secret(secret: Secret) -> Secret:
    """Put `stringData` where it belongs: over `data` of the same keys."""
    written = {
        key: base64.b64encode(text.encode()).decode() for key, text in secret.string_data.items()
    }
    return replace(
        secret, type=secret.type or OPAQUE, data={**secret.data, **written}, string_data={}
    )


def _service(service: CoreService) -> CoreService:
    """Give the defaults, but no address: there is no network that one could be in."""
    spec = service.spec
    type_ = spec.type or CLUSTER_IP
    spec = replace(
        spec,
        type=type_,
        session_affinity=spec.session_affinity or "None",
        ports=tuple(_port(port) for port in spec.ports),
        cluster_ips=spec.cluster_ips or ((spec.cluster_ip,) if spec.cluster_ip else ()),
    )
    if type_ == EXTERNAL_NAME:
        return replace(service, spec=spec)
    spec = replace(
        spec,
        internal_traffic_policy=spec.internal_traffic_policy or "Cluster",
        ip_family_policy=spec.ip_family_policy or "SingleStack",
        ip_families=spec.ip_families or ("IPv4",),
    )
    if type_ != CLUSTER_IP and spec.cluster_ip != NO_CLUSTER_IP:
        spec = replace(spec, external_traffic_policy=spec.external_traffic_policy or "Cluster")
    return replace(service, spec=spec)


def _port(port: ServicePort) -> ServicePort:
    target = port.target_port if port.target_port not in (None, 0, "") else port.port
    return replace(port, protocol=port.protocol or TCP, target_port=target)


def _endpoints(endpoints: Endpoints) -> Endpoints:
    subsets = tuple(
        replace(
            subset,
            ports=tuple(replace(port, protocol=port.protocol or TCP) for port in subset.ports),
        )
        for subset in endpoints.subsets
    )
    return replace(endpoints, subsets=subsets)


def _slice(one: EndpointSlice) -> EndpointSlice:
    ports = tuple(
        replace(port, name=port.name or "", protocol=port.protocol or TCP) for port in one.ports
    )
    return replace(one, ports=ports)
