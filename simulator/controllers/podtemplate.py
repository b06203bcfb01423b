"""What a revision's Pods, its Deployment and its Images have from it: labels, annotations, a spec.

Source: knative/serving `pkg/reconciler/revision/resources/{deploy,meta}.go`. Images are by digest,
so that what runs never changes under a revision.
"""

from __future__ import annotations

import msgspec

from simulator.resources.core import PodTemplateSpec
from simulator.resources.meta import child_name
from simulator.resources.podspec import Container, EnvVar
from simulator.resources.serving import (
    ANNOTATION_ROUTES,
    ANNOTATION_ROUTING_STATE_MODIFIED,
    GROUP,
    LABEL_CONFIGURATION,
    LABEL_REVISION,
    LABEL_REVISION_UID,
    LABEL_ROUTE,
    LABEL_ROUTING_STATE,
    LABEL_SERVICE,
    Revision,
    RevisionStatus,
    serving_container,
)

LABEL_APP = "app"
ANNOTATION_DEFAULT_CONTAINER = "kubectl.kubernetes.io/default-container"

_ROUTING_LABELS = frozenset({LABEL_ROUTE, LABEL_ROUTING_STATE})
_ROUTING_ANNOTATIONS = frozenset(
    {
        f"{GROUP}/lastPinned",
        f"{GROUP}/no-gc",
        ANNOTATION_ROUTES,
        ANNOTATION_ROUTING_STATE_MODIFIED,
    }
)
_AUTOSCALING = "autoscaling.knative.dev"
_FALL_BACK_TO_LOGS = "FallbackToLogsOnError"


def deployment_name(revision: Revision) -> str:
    """Return the name of the revision's Deployment."""
    return child_name(revision.metadata.name, "-deployment")


def labels_of(revision: Revision) -> dict[str, str]:
    """Return the revision's labels, but for those that change with its routes, and its own name."""
    meta = revision.metadata
    labels = {key: text for key, text in meta.labels.items() if key not in _ROUTING_LABELS}
    labels |= {LABEL_REVISION: meta.name, LABEL_REVISION_UID: meta.uid}
    return {LABEL_APP: meta.name} | labels


def annotations_of(revision: Revision) -> dict[str, str]:
    """Return the revision's annotations, but for those of its routes and of its scale."""
    return {
        key: text
        for key, text in revision.metadata.annotations.items()
        if key not in _ROUTING_ANNOTATIONS and not key.startswith(_AUTOSCALING)
    }


def pod_annotations_of(revision: Revision) -> dict[str, str]:
    """Return those, and the name of the container that logs are wanted of."""
    name = serving_container(revision.spec).name
    default = {ANNOTATION_DEFAULT_CONTAINER: name} if name else {}
    return annotations_of(revision) | default


def pod_spec_of(revision: Revision, status: RevisionStatus) -> PodTemplateSpec:
    """Return the spec of its Pods; `status` has the digests of its images."""
    spec = revision.spec
    fields = {
        field: getattr(spec, field)
        for field in PodTemplateSpec.__struct_fields__
        if hasattr(spec, field)
    }
    digests = {
        one.name: one.image_digest
        for one in (*status.container_statuses, *status.init_container_statuses)
    }
    fields["containers"] = tuple(_container(one, revision, digests) for one in spec.containers)
    # Every Pod of a cluster has these (`pkg/apis/core/v1/defaults.go`), and clients count on it:
    # `kubectl debug` reads the security context unasked.
    fields["security_context"] = spec.security_context or {}
    fields["dns_policy"] = spec.dns_policy or "ClusterFirst"
    fields["scheduler_name"] = spec.scheduler_name or "default-scheduler"
    return PodTemplateSpec(
        **fields,
        restart_policy="Always",
        termination_grace_period_seconds=spec.timeout_seconds,
    )


def _container(container: Container, revision: Revision, digests: dict[str, str]) -> Container:
    labels = revision.metadata.labels
    own = (
        EnvVar("K_REVISION", revision.metadata.name),
        EnvVar("K_CONFIGURATION", labels.get(LABEL_CONFIGURATION, "")),
        EnvVar("K_SERVICE", labels.get(LABEL_SERVICE, "")),
    )
    return msgspec.structs.replace(
        container,
        image=digests.get(container.name) or container.image,
        env=container.env + own,
        termination_message_policy=container.termination_message_policy or _FALL_BACK_TO_LOGS,
    )
