"""Revision → its two Services, and the Endpoints of the one that is for others.

`REVISION-private` selects its Pods; `REVISION` has those of them that are ready, and none while it
runs no Pod: then the gateway holds requests, which has no address in the cluster's sense.
Source: knative/serving `pkg/reconciler/serverlessservice`.
"""

from __future__ import annotations

from datetime import datetime

import msgspec
from msgspec import Struct

from simulator.controllers.podtemplate import annotations_of, labels_of
from simulator.reconciling.plan import Action, Create, Plan, Update
from simulator.reconciling.reader import Reader
from simulator.resources.endpoints import (
    CLUSTER_IP,
    CoreService,
    CoreServiceSpec,
    Endpoints,
    EndpointSubset,
    ServicePort,
)
from simulator.resources.meta import (
    Key,
    ObjectMeta,
    Resource,
    child_name,
    controller_reference,
    is_controlled_by,
)
from simulator.resources.podspec import DEFAULT_USER_PORT
from simulator.resources.serving import LABEL_REVISION_UID, Revision, serving_container
from simulator.traffic.ingress import PORT_H2C, PORT_HTTP1

LABEL_SKS = "networking.internal.knative.dev/serverlessservice"
LABEL_SERVICE_TYPE = "networking.internal.knative.dev/serviceType"
PUBLIC, PRIVATE = "Public", "Private"

H2C = "h2c"
APP_PROTOCOL_H2C = "kubernetes.io/h2c"


class Observed(Struct, frozen=True):
    """A Revision that has its digests, and what there is under the names of what it gets."""

    revision: Revision
    public: CoreService | None = None
    private: CoreService | None = None
    endpoints: Endpoints | None = None
    source: Endpoints | None = None  # those of the private Service


class RevisionServiceController:
    """Keeps the Services of each revision."""

    name = "revisionservice"
    kind: type[Resource] = Revision
    watches: tuple[type[Resource], ...] = (CoreService, Endpoints)

    def wakes(self, changed: Resource, reader: Reader) -> tuple[Key, ...]:  # noqa: ARG002
        meta = changed.metadata
        if isinstance(changed, Revision):
            return (changed.key,)
        name = meta.labels.get(LABEL_SKS, meta.name)
        return (Key(meta.namespace, name),)

    def observe(self, reader: Reader, key: Key) -> Observed | None:
        revision = reader.get(Revision, *key)
        if revision is None or revision.is_deleting or not revision.status.container_statuses:
            return None
        private = private_name(key.name)
        return Observed(
            revision,
            reader.get(CoreService, *key),
            reader.get(CoreService, key.namespace, private),
            reader.get(Endpoints, *key),
            reader.get(Endpoints, key.namespace, private),
        )

    def plan(self, observed: Observed, now: datetime) -> Plan:  # noqa: ARG002
        revision = observed.revision
        actions: list[Action] = []
        for found, desired in (
            (observed.private, make_service(revision, PRIVATE)),
            (observed.public, make_service(revision, PUBLIC)),
        ):
            if found is None:
                actions.append(Create(desired))
            elif is_controlled_by(found, revision) and found.spec != desired.spec:
                actions.append(Update(msgspec.structs.replace(found, spec=desired.spec)))
        subsets = ready_subsets(observed.source)
        endpoints = observed.endpoints
        if endpoints is None:
            made = Endpoints(metadata=_meta(revision, PUBLIC), subsets=subsets)
            actions.append(Create(made))
        elif is_controlled_by(endpoints, revision) and endpoints.subsets != subsets:
            actions.append(Update(msgspec.structs.replace(endpoints, subsets=subsets)))
        return Plan(tuple(actions))


def private_name(revision: str) -> str:
    """Return the name of the Service that selects the revision's Pods."""
    return child_name(revision, "-private")


def make_service(revision: Revision, type_: str) -> CoreService:
    """Return the revision's Service for others, or the one that selects its Pods."""
    container = serving_container(revision.spec)
    port = container.ports[0] if container.ports else None
    is_h2c = port is not None and port.name == H2C
    target = port.container_port if port is not None else None
    return CoreService(
        metadata=_meta(revision, type_),
        spec=CoreServiceSpec(
            type=CLUSTER_IP,
            session_affinity="None",
            internal_traffic_policy="Cluster",
            ip_family_policy="SingleStack",
            ip_families=("IPv4",),
            selector={LABEL_REVISION_UID: revision.uid} if type_ == PRIVATE else {},
            ports=(
                ServicePort(
                    name="http2" if is_h2c else "http",
                    protocol="TCP",
                    app_protocol=APP_PROTOCOL_H2C if is_h2c else None,
                    port=PORT_H2C if is_h2c else PORT_HTTP1,
                    target_port=target or DEFAULT_USER_PORT,
                ),
            ),
        ),
    )


def ready_subsets(source: Endpoints | None) -> tuple[EndpointSubset, ...]:
    """Return the addresses that take requests."""
    subsets = source.subsets if source is not None else ()
    return tuple(
        msgspec.structs.replace(subset, not_ready_addresses=())
        for subset in subsets
        if subset.addresses
    )


def _meta(revision: Revision, type_: str) -> ObjectMeta:
    name = revision.metadata.name
    return ObjectMeta(
        name=name if type_ == PUBLIC else private_name(name),
        namespace=revision.metadata.namespace,
        labels=labels_of(revision) | {LABEL_SKS: name, LABEL_SERVICE_TYPE: type_},
        annotations=annotations_of(revision),
        owner_references=(controller_reference(revision),),
    )
