"""apps/v1 Deployment: what Knative makes of a revision, as its users look at it.

The Pods are made by the revision controller, not by way of a ReplicaSet; the Deployment tells how
many there are. Source: k8s.io/api `apps/v1/types.go`.
"""

from __future__ import annotations

from typing import ClassVar

from msgspec import Struct, field

from simulator.resources.core import PodTemplateSpec
from simulator.resources.meta import Resource
from simulator.resources.podspec import IntOrString

VERSION = "apps/v1"

AVAILABLE, PROGRESSING, REPLICA_FAILURE = "Available", "Progressing", "ReplicaFailure"


class _Part(Struct, frozen=True, rename="camel", omit_defaults=True, gc=False):
    """A part of an object: absent fields stay absent when it is written."""


class LabelRequirement(_Part, frozen=True):
    key: str = ""
    operator: str = ""
    values: tuple[str, ...] = ()


class LabelSelector(_Part, frozen=True):
    match_labels: dict[str, str] = field(default_factory=dict)
    match_expressions: tuple[LabelRequirement, ...] = ()


class PodMeta(_Part, frozen=True):
    """The metadata that a template gives its Pods."""

    labels: dict[str, str] = field(default_factory=dict)
    annotations: dict[str, str] = field(default_factory=dict)
    creation_timestamp: str | None = None


class PodTemplate(_Part, frozen=True):
    metadata: PodMeta = field(default_factory=PodMeta)
    spec: PodTemplateSpec = field(default_factory=PodTemplateSpec)


class RollingUpdate(_Part, frozen=True):
    max_unavailable: IntOrString | None = None
    max_surge: IntOrString | None = None


class DeploymentStrategy(_Part, frozen=True):
    type: str = ""
    rolling_update: RollingUpdate | None = None


class DeploymentSpec(_Part, frozen=True):
    replicas: int | None = None
    selector: LabelSelector = field(default_factory=LabelSelector)
    template: PodTemplate = field(default_factory=PodTemplate)
    strategy: DeploymentStrategy = field(default_factory=DeploymentStrategy)
    min_ready_seconds: int = 0
    revision_history_limit: int | None = None
    paused: bool = False
    progress_deadline_seconds: int | None = None


class DeploymentCondition(_Part, frozen=True):
    type: str
    status: str
    last_update_time: str | None = None
    last_transition_time: str | None = None
    reason: str = ""
    message: str = ""


class DeploymentStatus(_Part, frozen=True):
    """`collision_count` stays 0: nothing else makes ReplicaSets."""

    observed_generation: int = 0
    replicas: int = 0
    updated_replicas: int = 0
    ready_replicas: int = 0
    available_replicas: int = 0
    unavailable_replicas: int = 0
    terminating_replicas: int | None = None
    conditions: tuple[DeploymentCondition, ...] = ()
    collision_count: int | None = None


class Deployment(Resource, frozen=True):
    API_VERSION: ClassVar[str] = VERSION
    KIND: ClassVar[str] = "Deployment"

    spec: DeploymentSpec = field(default_factory=DeploymentSpec)
    status: DeploymentStatus = field(default_factory=DeploymentStatus)
