"""discovery.k8s.io/v1 EndpointSlice: the addresses behind a Service, a hundred at most in each.

Source: k8s.io/api `discovery/v1/{types,well_known_labels}.go`.
"""

from __future__ import annotations

from typing import ClassVar

from msgspec import Struct, field

from simulator.resources.core import ObjectReference
from simulator.resources.meta import Resource

GROUP = "discovery.k8s.io"
LABEL_SERVICE_NAME = "kubernetes.io/service-name"
LABEL_MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
LABEL_SKIP_MIRROR = "endpointslice.kubernetes.io/skip-mirror"
LABEL_HEADLESS = "service.kubernetes.io/headless"
IPV4, IPV6, FQDN = "IPv4", "IPv6", "FQDN"


class _Part(Struct, frozen=True, rename="camel", omit_defaults=True, gc=False):
    """A part of an object: absent fields stay absent when it is written."""


class EndpointConditions(_Part, frozen=True):
    ready: bool | None = None
    serving: bool | None = None
    terminating: bool | None = None


class ForZone(_Part, frozen=True):
    name: str = ""


class ForNode(_Part, frozen=True):
    name: str = ""


class EndpointHints(_Part, frozen=True):
    for_zones: tuple[ForZone, ...] = ()
    for_nodes: tuple[ForNode, ...] = ()


class Endpoint(_Part, frozen=True):
    """One replica. `conditions` is written even when it says nothing, as Go does."""

    addresses: tuple[str, ...] = ()
    conditions: EndpointConditions = field(default_factory=EndpointConditions)
    hostname: str | None = None
    target_ref: ObjectReference | None = None
    deprecated_topology: dict[str, str] = field(default_factory=dict)
    node_name: str | None = None
    zone: str | None = None
    hints: EndpointHints | None = None


class SlicePort(_Part, frozen=True):
    """A port of every endpoint. The name "" is one, and is written."""

    name: str | None = None
    protocol: str | None = None
    port: int | None = None
    app_protocol: str | None = None


class EndpointSlice(Resource, frozen=True):
    """Belongs to the Service that its label names. Both lists are written when they are empty."""

    API_VERSION: ClassVar[str] = f"{GROUP}/v1"
    KIND: ClassVar[str] = "EndpointSlice"

    address_type: str = ""
    endpoints: tuple[Endpoint, ...] = field(default_factory=lambda: ())
    ports: tuple[SlicePort, ...] = field(default_factory=lambda: ())
