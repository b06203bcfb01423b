"""Revision → its Deployment: what its users look at; the Pods are the revision controller's own.

Sources: knative/serving `pkg/reconciler/revision/resources/deploy.go`; kubernetes
`pkg/controller/deployment/{sync,progress}.go` for the status.
"""

from __future__ import annotations

from datetime import datetime

import msgspec
from msgspec import Struct

from simulator.config.current import DEPLOYMENT, config_of, is_config
from simulator.config.deployment import DeploymentConfig
from simulator.controllers.health import (
    PROGRESS_DEADLINE_EXCEEDED,
    RESOURCES_AVAILABLE,
    progress_deadline_s,
)
from simulator.controllers.podtemplate import (
    annotations_of,
    deployment_name,
    labels_of,
    pod_annotations_of,
    pod_spec_of,
)
from simulator.controllers.replicas import is_ready, replica_set_name
from simulator.reconciling.plan import NOTHING, Create, Plan, Update, UpdateStatus
from simulator.reconciling.reader import Reader
from simulator.resources.apps import (
    AVAILABLE,
    PROGRESSING,
    Deployment,
    DeploymentCondition,
    DeploymentSpec,
    DeploymentStatus,
    DeploymentStrategy,
    LabelSelector,
    PodMeta,
    PodTemplate,
    RollingUpdate,
)
from simulator.resources.conditions import FALSE, TRUE, find
from simulator.resources.core import ConfigMap, Pod
from simulator.resources.meta import (
    Key,
    ObjectMeta,
    Resource,
    controller_reference,
    is_controlled_by,
    timestamp,
)
from simulator.resources.serving import LABEL_REVISION_UID, Revision

NEW_REPLICA_SET_AVAILABLE = "NewReplicaSetAvailable"


class Observed(Struct, frozen=True):
    """A Revision that has its digests, its Deployment and its Pods."""

    revision: Revision
    deployment: Deployment | None = None
    pods: tuple[Pod, ...] = ()
    config: DeploymentConfig = DeploymentConfig()


class DeploymentController:
    """Keeps a revision's Deployment as the revision is, and its status as the Pods are."""

    name = "deployment"
    kind: type[Resource] = Revision
    watches: tuple[type[Resource], ...] = (Pod, Deployment, ConfigMap)

    def wakes(self, changed: Resource, reader: Reader) -> tuple[Key, ...]:
        if isinstance(changed, Revision):
            return (changed.key,)
        if isinstance(changed, ConfigMap):
            known = reader.list(Revision) if is_config(changed, DEPLOYMENT) else ()
            return tuple(one.key for one in known)
        return tuple(
            Key(changed.metadata.namespace, reference.name)
            for reference in changed.metadata.owner_references
            if reference.kind == Revision.KIND
        )

    def observe(self, reader: Reader, key: Key) -> Observed | None:
        revision = reader.get(Revision, *key)
        if revision is None or revision.is_deleting or not revision.status.container_statuses:
            return None
        return Observed(
            revision,
            reader.get(Deployment, key.namespace, deployment_name(revision)),
            tuple(reader.owned_by(Pod, revision.uid)),
            config_of(reader).deployment,
        )

    def plan(self, observed: Observed, now: datetime) -> Plan:
        desired, found = make_deployment(observed.revision, observed.config), observed.deployment
        if found is None:
            return Plan((Create(desired),))
        if not is_controlled_by(found, observed.revision):
            return NOTHING  # an earlier revision's of this name: that it goes wakes us
        updated = msgspec.structs.replace(found, spec=desired.spec).with_metadata(
            labels=desired.metadata.labels, annotations=desired.metadata.annotations
        )
        if updated != found:
            return Plan((Update(updated),))
        status = status_of(observed, timestamp(now))
        if status == found.status:
            return NOTHING
        return Plan((UpdateStatus(msgspec.structs.replace(found, status=status)),))


def make_deployment(revision: Revision, config: DeploymentConfig) -> Deployment:
    """Return the Deployment that Knative makes of the revision."""
    labels, uid = labels_of(revision), revision.metadata.uid
    deadline_s = progress_deadline_s(revision, config.progress_deadline_s)
    return Deployment(
        metadata=ObjectMeta(
            name=deployment_name(revision),
            namespace=revision.metadata.namespace,
            labels=labels,
            annotations=annotations_of(revision),
            owner_references=(controller_reference(revision),),
        ),
        spec=DeploymentSpec(
            replicas=revision.status.desired_replicas or 0,
            selector=LabelSelector({LABEL_REVISION_UID: uid}),
            template=PodTemplate(
                PodMeta(labels=labels, annotations=pod_annotations_of(revision)),
                pod_spec_of(revision, revision.status),
            ),
            strategy=DeploymentStrategy("RollingUpdate", RollingUpdate(0, "25%")),
            revision_history_limit=0,
            progress_deadline_seconds=int(deadline_s),
        ),
    )


def status_of(observed: Observed, now: str) -> DeploymentStatus:
    """Return what the Pods, and the revision's patience with them, say of the Deployment."""
    revision, deployment = observed.revision, observed.deployment
    assert deployment is not None  # noqa: S101 (plan has made sure)
    live = [pod for pod in observed.pods if not pod.is_deleting]
    wanted, ready = deployment.spec.replicas or 0, sum(map(is_ready, live))
    before = {one.type: one for one in deployment.status.conditions}
    conditions = (
        _available(before.get(AVAILABLE), now, is_so=ready >= wanted),
        _progressing(revision, before.get(PROGRESSING), now, is_done=ready == wanted == len(live)),
    )
    return DeploymentStatus(
        observed_generation=deployment.metadata.generation or 0,
        replicas=len(live),
        updated_replicas=len(live),
        ready_replicas=ready,
        available_replicas=ready,
        unavailable_replicas=max(0, wanted - ready),
        conditions=conditions,
    )


def _available(before: DeploymentCondition | None, now: str, *, is_so: bool) -> DeploymentCondition:
    if is_so:
        reason, message = "MinimumReplicasAvailable", "Deployment has minimum availability."
    else:
        reason = "MinimumReplicasUnavailable"
        message = "Deployment does not have minimum availability."
    made = DeploymentCondition(AVAILABLE, TRUE if is_so else FALSE, reason=reason, message=message)
    return _dated(made, before, now)


def _progressing(
    revision: Revision, before: DeploymentCondition | None, now: str, *, is_done: bool
) -> DeploymentCondition:
    """Return how its start goes; once it went well, nothing is late any more."""
    replica_set = f'ReplicaSet "{replica_set_name(revision)}"'
    if is_done or (before is not None and before.reason == NEW_REPLICA_SET_AVAILABLE):
        reason, how = NEW_REPLICA_SET_AVAILABLE, "has successfully progressed"
    else:
        resources = find(revision.status.conditions, RESOURCES_AVAILABLE)
        if resources is not None and resources.reason == PROGRESS_DEADLINE_EXCEEDED:
            reason, how = PROGRESS_DEADLINE_EXCEEDED, "has timed out progressing"
        else:
            reason, how = "ReplicaSetUpdated", "is progressing"
    made = DeploymentCondition(
        PROGRESSING,
        FALSE if reason == PROGRESS_DEADLINE_EXCEEDED else TRUE,
        reason=reason,
        message=f"{replica_set} {how}.",
    )
    return _dated(made, before, now)


def _dated(
    made: DeploymentCondition, before: DeploymentCondition | None, now: str
) -> DeploymentCondition:
    """Return the condition with the times since when it is so, and says so."""
    if before is None:
        return msgspec.structs.replace(made, last_update_time=now, last_transition_time=now)
    same = (before.status, before.reason, before.message) == (
        made.status,
        made.reason,
        made.message,
    )
    return msgspec.structs.replace(
        made,
        last_update_time=before.last_update_time if same else now,
        last_transition_time=before.last_transition_time if made.status == before.status else now,
    )
