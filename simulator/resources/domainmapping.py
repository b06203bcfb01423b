"""Domains mapped onto services: DomainMapping, and the claim that keeps a domain in one namespace.

Sources: knative/serving `pkg/apis/serving/v1beta1/domainmapping_types.go`; networking
`pkg/apis/networking/v1alpha1/domainclaim_types.go`.
"""

from __future__ import annotations

from typing import ClassVar

from msgspec import Struct, field

from simulator.resources import networking, serving
from simulator.resources.conditions import Condition
from simulator.resources.meta import Resource
from simulator.resources.serving import Address

LABEL_DOMAIN_MAPPING_UID = f"{serving.GROUP}/domainMappingUID"
LABEL_DOMAIN_MAPPING_NAMESPACE = f"{serving.GROUP}/domainMappingNamespace"
DOMAIN_MAPPING_FINALIZER = f"domainmappings.{serving.GROUP}"


class _Part(Struct, frozen=True, rename="camel", omit_defaults=True, gc=False):
    """A part of a DomainMapping: absent fields stay absent when it is written."""


class Reference(_Part, frozen=True):
    """Which object answers, as duck v1's KReference. `address` names one of several."""

    kind: str = ""
    namespace: str = ""
    name: str = ""
    api_version: str = ""
    group: str = ""
    address: str | None = None


class SecretTls(_Part, frozen=True):
    secret_name: str = ""


class DomainMappingSpec(_Part, frozen=True):
    ref: Reference = field(default_factory=Reference)
    tls: SecretTls | None = None


class DomainMappingStatus(_Part, frozen=True):
    observed_generation: int | None = None
    conditions: tuple[Condition, ...] = ()
    annotations: dict[str, str] = field(default_factory=dict)
    url: str = ""
    address: Address | None = None


class DomainMapping(Resource, frozen=True):
    """Its name is the domain."""

    API_VERSION: ClassVar[str] = f"{serving.GROUP}/v1beta1"
    KIND: ClassVar[str] = "DomainMapping"

    spec: DomainMappingSpec = field(default_factory=DomainMappingSpec)
    status: DomainMappingStatus = field(default_factory=DomainMappingStatus)


class ClusterDomainClaimSpec(_Part, frozen=True):
    namespace: str = ""


class ClusterDomainClaim(Resource, frozen=True):
    """Cluster-scoped, so that of each domain there is one. Its name is the domain."""

    API_VERSION: ClassVar[str] = networking.VERSION
    KIND: ClassVar[str] = "ClusterDomainClaim"

    spec: ClusterDomainClaimSpec = field(default_factory=ClusterDomainClaimSpec)
