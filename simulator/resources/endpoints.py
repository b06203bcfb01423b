"""What is behind a name inside the cluster: core/v1 Service and Endpoints.

Knative makes Services for each Route and its tags (placeholders), and two for each revision. There
is no network of the cluster's own here, so a Service has no address; its Endpoints are real.
Source: k8s.io/api `core/v1/types.go`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from msgspec import Struct, field

from simulator.resources.core import ObjectReference
from simulator.resources.meta import Resource
from simulator.resources.podspec import IntOrString

CLUSTER_IP, EXTERNAL_NAME = "ClusterIP", "ExternalName"
NO_CLUSTER_IP = "None"  # a headless service's
SELECTED_LABEL = "label"  # no kind: what a Service names is a label of Pods


class _Part(Struct, frozen=True, rename="camel", omit_defaults=True, gc=False):
    """A part of an object: absent fields stay absent when it is written."""


class ServicePort(_Part, frozen=True):
    name: str = ""
    protocol: str = ""
    app_protocol: str | None = None
    port: int = 0
    target_port: IntOrString | None = None
    node_port: int | None = None


class ClientIpConfig(_Part, frozen=True):
    timeout_seconds: int | None = None


class SessionAffinityConfig(_Part, frozen=True):
    client_ip: ClientIpConfig | None = field(default=None, name="clientIP")


class CoreServiceSpec(_Part, frozen=True):
    ports: tuple[ServicePort, ...] = ()
    selector: dict[str, str] = field(default_factory=dict)
    cluster_ip: str = field(default="", name="clusterIP")
    cluster_ips: tuple[str, ...] = field(default=(), name="clusterIPs")
    type: str = ""
    external_ips: tuple[str, ...] = field(default=(), name="externalIPs")
    session_affinity: str = ""
    session_affinity_config: SessionAffinityConfig | None = None
    load_balancer_ip: str = field(default="", name="loadBalancerIP")
    load_balancer_source_ranges: tuple[str, ...] = ()
    load_balancer_class: str | None = None
    external_name: str = ""
    external_traffic_policy: str = ""
    internal_traffic_policy: str | None = None
    health_check_node_port: int | None = None
    publish_not_ready_addresses: bool | None = None
    ip_families: tuple[str, ...] = ()
    ip_family_policy: str | None = None
    allocate_load_balancer_node_ports: bool | None = None
    traffic_distribution: str | None = None


class PortStatus(_Part, frozen=True):
    port: int = 0
    protocol: str = ""
    error: str | None = None


class LoadBalancerAddress(_Part, frozen=True):
    ip: str = ""
    hostname: str = ""
    ip_mode: str | None = None
    ports: tuple[PortStatus, ...] = ()


class LoadBalancerStatus(_Part, frozen=True):
    ingress: tuple[LoadBalancerAddress, ...] = ()


class CoreServiceStatus(Struct, frozen=True, rename="camel", gc=False):
    """Written whole: a Service always says `loadBalancer: {}`."""

    load_balancer: LoadBalancerStatus = field(default_factory=LoadBalancerStatus)


class CoreService(Resource, frozen=True):
    """Kubernetes' Service, not Knative's."""

    API_VERSION: ClassVar[str] = "v1"
    KIND: ClassVar[str] = "Service"

    spec: CoreServiceSpec = field(default_factory=CoreServiceSpec)
    status: CoreServiceStatus = field(default_factory=CoreServiceStatus)

    def names(self) -> Iterator[tuple[str, str]]:
        """Yield one of the labels that it selects by, so that those of a Pod lead to it."""
        for key in sorted(self.spec.selector)[:1]:
            yield SELECTED_LABEL, f"{key}={self.spec.selector[key]}"


class EndpointAddress(_Part, frozen=True):
    ip: str = ""
    hostname: str = ""
    node_name: str | None = None
    target_ref: ObjectReference | None = None


class EndpointPort(_Part, frozen=True):
    name: str = ""
    port: int = 0
    protocol: str = ""
    app_protocol: str | None = None


class EndpointSubset(_Part, frozen=True):
    """Every address has every port."""

    addresses: tuple[EndpointAddress, ...] = ()
    not_ready_addresses: tuple[EndpointAddress, ...] = ()
    ports: tuple[EndpointPort, ...] = ()


class Endpoints(Resource, frozen=True):
    """Named as its Service."""

    API_VERSION: ClassVar[str] = "v1"
    KIND: ClassVar[str] = "Endpoints"

    subsets: tuple[EndpointSubset, ...] = ()
