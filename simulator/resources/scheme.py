"""The one table of kinds: their names, scope, printer columns, and how they are written.

Source: knative/serving `config/core/300-resources/*.yaml`; core kinds as kubectl prints them.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from simulator.resources.apps import Deployment
from simulator.resources.caching import Image
from simulator.resources.core import ConfigMap, Event, Namespace, Pod, Secret, ServiceAccount
from simulator.resources.domainmapping import ClusterDomainClaim, DomainMapping
from simulator.resources.endpoints import CoreService, Endpoints
from simulator.resources.endpointslices import EndpointSlice
from simulator.resources.faults import Fault
from simulator.resources.meta import Resource
from simulator.resources.networking import Ingress
from simulator.resources.reviews import (
    AUTHENTICATION,
    AUTHORIZATION,
    SelfSubjectAccessReview,
    SelfSubjectReview,
    SelfSubjectRulesReview,
)
from simulator.resources.serving import Configuration, Revision, Route, Service


class Column(Struct, frozen=True):
    """A printed column: a path of keys, `conditions:TYPE.field`, or a name that tables.py knows.

    Those of priority 1 are for `-o wide`.
    """

    name: str
    path: str
    type: str = "string"
    priority: int = 0
    format: str = ""


class KindInfo(Struct, frozen=True):
    """One kind. `group` is "" for core. The name comes first, unless it is among the `columns`."""

    type: type[Resource]
    group: str
    version: str
    plural: str
    singular: str
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    namespaced: bool = True
    columns: tuple[Column, ...] = ()

    @property
    def kind(self) -> str:
        return self.type.KIND

    @property
    def api_version(self) -> str:
        return self.type.API_VERSION

    @property
    def is_custom(self) -> bool:
        """Tell whether a cluster has this kind by a CustomResourceDefinition: Knative's own are."""
        return self.group.endswith(("knative.dev", "knary.dev"))

    @property
    def qualified(self) -> str:
        """Return `plural.group`, unique among all kinds; plain `plural` for core."""
        return f"{self.plural}.{self.group}" if self.group else self.plural


NAME = Column("Name", "metadata.name", format="name")
_AGE = Column("Age", "age")
_KNATIVE = ("all", "knative", "serving")
_READY = (
    Column("Ready", "conditions:Ready.status"),
    Column("Reason", "conditions:Ready.reason"),
)

KINDS: tuple[KindInfo, ...] = (
    KindInfo(
        Service,
        "serving.knative.dev",
        "v1",
        "services",
        "service",
        ("kservice", "ksvc"),
        _KNATIVE,
        columns=(
            Column("URL", "status.url"),
            Column("LatestCreated", "status.latestCreatedRevisionName"),
            Column("LatestReady", "status.latestReadyRevisionName"),
            *_READY,
        ),
    ),
    KindInfo(
        Configuration,
        "serving.knative.dev",
        "v1",
        "configurations",
        "configuration",
        ("config", "cfg"),
        _KNATIVE,
        columns=(
            Column("LatestCreated", "status.latestCreatedRevisionName"),
            Column("LatestReady", "status.latestReadyRevisionName"),
            *_READY,
        ),
    ),
    KindInfo(
        Revision,
        "serving.knative.dev",
        "v1",
        "revisions",
        "revision",
        ("rev",),
        _KNATIVE,
        columns=(
            Column("Config Name", "labels:serving.knative.dev/configuration"),
            Column("Generation", "labels:serving.knative.dev/configurationGeneration"),
            *_READY,
            Column("Actual Replicas", "status.actualReplicas", "integer"),
            Column("Desired Replicas", "status.desiredReplicas", "integer"),
        ),
    ),
    KindInfo(
        Route,
        "serving.knative.dev",
        "v1",
        "routes",
        "route",
        ("rt",),
        _KNATIVE,
        columns=(Column("URL", "status.url"), *_READY),
    ),
    KindInfo(
        DomainMapping,
        "serving.knative.dev",
        "v1beta1",
        "domainmappings",
        "domainmapping",
        ("dm",),
        _KNATIVE,
        columns=(Column("URL", "status.url"), *_READY),
    ),
    KindInfo(
        Ingress,
        "networking.internal.knative.dev",
        "v1alpha1",
        "ingresses",
        "ingress",
        ("kingress", "king"),
        ("knative-internal", "networking"),
        columns=_READY,
    ),
    KindInfo(
        ClusterDomainClaim,
        "networking.internal.knative.dev",
        "v1alpha1",
        "clusterdomainclaims",
        "clusterdomainclaim",
        ("cdc",),
        ("knative-internal", "networking"),
        namespaced=False,
        columns=(Column("Namespace", "spec.namespace"), _AGE),
    ),
    KindInfo(
        Fault,
        "knary.dev",
        "v1",
        "faults",
        "fault",
        categories=("knary",),
        columns=(
            Column("Service", "spec.service"),
            Column("Revision", "spec.revision"),
            Column("Tag", "spec.tag"),
            Column("Type", "spec.type"),
            Column("Toxicity", "spec.toxicity", "number"),
            _AGE,
        ),
    ),
    KindInfo(
        Namespace,
        "",
        "v1",
        "namespaces",
        "namespace",
        ("ns",),
        namespaced=False,
        columns=(Column("Status", "status.phase"), _AGE),
    ),
    KindInfo(
        ConfigMap,
        "",
        "v1",
        "configmaps",
        "configmap",
        ("cm",),
        columns=(Column("Data", "data:count", "integer"), _AGE),
    ),
    KindInfo(
        Pod,
        "",
        "v1",
        "pods",
        "pod",
        ("po",),
        ("all",),
        columns=(
            Column("Ready", "pod:ready"),
            Column("Status", "pod:status"),
            Column("Restarts", "pod:restarts"),
            _AGE,
            Column("IP", "pod:ip", priority=1),
            Column("Node", "pod:node", priority=1),
            Column("Nominated Node", "none", priority=1),
            Column("Readiness Gates", "none", priority=1),
        ),
    ),
    KindInfo(
        Secret,
        "",
        "v1",
        "secrets",
        "secret",
        columns=(Column("Type", "type"), Column("Data", "data:count", "integer"), _AGE),
    ),
    KindInfo(
        ServiceAccount,
        "",
        "v1",
        "serviceaccounts",
        "serviceaccount",
        ("sa",),
        columns=(Column("Secrets", "serviceaccount:secrets", "integer"), _AGE),
    ),
    KindInfo(
        CoreService,
        "",
        "v1",
        "services",
        "service",
        ("svc",),
        ("all",),
        columns=(
            Column("Type", "spec.type"),
            Column("Cluster-IP", "service:cluster-ip"),
            Column("External-IP", "service:external-ip"),
            Column("Port(s)", "service:ports"),
            _AGE,
            Column("Selector", "service:selector", priority=1),
        ),
    ),
    KindInfo(
        Endpoints,
        "",
        "v1",
        "endpoints",
        "endpoints",
        ("ep",),
        columns=(Column("Endpoints", "endpoints:addresses"), _AGE),
    ),
    KindInfo(
        EndpointSlice,
        "discovery.k8s.io",
        "v1",
        "endpointslices",
        "endpointslice",
        columns=(
            Column("AddressType", "addressType"),
            Column("Ports", "slice:ports"),
            Column("Endpoints", "slice:addresses"),
            _AGE,
        ),
    ),
    KindInfo(
        Deployment,
        "apps",
        "v1",
        "deployments",
        "deployment",
        ("deploy",),
        ("all",),
        columns=(
            Column("Ready", "deployment:ready"),
            Column("Up-to-date", "deployment:updated", "integer"),
            Column("Available", "deployment:available", "integer"),
            _AGE,
            Column("Containers", "deployment:containers", priority=1),
            Column("Images", "deployment:images", priority=1),
            Column("Selector", "deployment:selector", priority=1),
        ),
    ),
    KindInfo(
        Image,
        "caching.internal.knative.dev",
        "v1alpha1",
        "images",
        "image",
        ("img",),
        ("knative-internal", "caching"),
        columns=(Column("Image", "spec.image"),),
    ),
    KindInfo(
        Event,
        "",
        "v1",
        "events",
        "event",
        ("ev",),
        columns=(
            Column("Last Seen", "event:last-seen"),
            Column("Type", "type"),
            Column("Reason", "reason"),
            Column("Object", "event:object"),
            Column("Subobject", "event:subobject", priority=1),
            Column("Source", "event:source", priority=1),
            Column("Message", "event:message"),
            Column("First Seen", "event:first-seen", priority=1),
            Column("Count", "event:count", "integer", priority=1),
            Column("Name", "metadata.name", priority=1, format="name"),
        ),
    ),
)

# Kinds that clients create to have a question answered; nothing of them is stored.
REVIEWS: tuple[KindInfo, ...] = tuple(
    KindInfo(type_, group, "v1", f"{type_.KIND.lower()}s", type_.KIND.lower(), namespaced=False)
    for group, type_ in (
        (AUTHENTICATION, SelfSubjectReview),
        (AUTHORIZATION, SelfSubjectAccessReview),
        (AUTHORIZATION, SelfSubjectRulesReview),
    )
)
SERVED = (*KINDS, *REVIEWS)

BY_TYPE: dict[type[Resource], KindInfo] = {info.type: info for info in KINDS}
BY_RESOURCE: dict[tuple[str, str, str], KindInfo] = {
    (info.group, info.version, info.plural): info for info in SERVED
}
BY_KIND: dict[tuple[str, str], KindInfo] = {(info.api_version, info.kind): info for info in KINDS}


def info_of(resource: Resource | type[Resource]) -> KindInfo:
    """Return the row of an object or of its type."""
    return BY_TYPE[resource if isinstance(resource, type) else type(resource)]


def to_document(resource: Resource) -> dict[str, Any]:
    """Return the object as the JSON document that clients see."""
    body = msgspec.to_builtins(resource)
    return {"apiVersion": resource.API_VERSION, "kind": resource.KIND, **body}


def from_document(document: dict[str, Any]) -> Resource:
    """Return the object that a stored document describes.

    Unknown fields are dropped. Raise msgspec.ValidationError when a known one has a wrong type,
    KeyError when the kind is not in the table.
    """
    info = BY_KIND[document["apiVersion"], document["kind"]]
    return msgspec.convert(document, info.type)
