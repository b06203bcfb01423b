"""serving.knative.dev/v1: Service, Configuration, Revision, Route.

Source: knative/serving `pkg/apis/serving/v1/*_types.go`; names are the JSON names in snake case.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from msgspec import Struct, field

from simulator.resources.conditions import Condition, is_true
from simulator.resources.meta import OwnerReference, Resource
from simulator.resources.podspec import Container, PodSpec

GROUP = "serving.knative.dev"
VERSION = f"{GROUP}/v1"

LABEL_SERVICE = f"{GROUP}/service"
LABEL_SERVICE_UID = f"{GROUP}/serviceUID"
LABEL_CONFIGURATION = f"{GROUP}/configuration"
LABEL_CONFIGURATION_UID = f"{GROUP}/configurationUID"
LABEL_CONFIGURATION_GENERATION = f"{GROUP}/configurationGeneration"
LABEL_REVISION = f"{GROUP}/revision"
LABEL_REVISION_UID = f"{GROUP}/revisionUID"
LABEL_ROUTE = f"{GROUP}/route"
LABEL_ROUTE_NAMESPACE = f"{GROUP}/routeNamespace"
LABEL_ROUTING_STATE = f"{GROUP}/routingState"
LABEL_VISIBILITY = "networking.knative.dev/visibility"

ANNOTATION_CREATOR = f"{GROUP}/creator"
ANNOTATION_LAST_MODIFIER = f"{GROUP}/lastModifier"
ANNOTATION_ROUTES = f"{GROUP}/routes"
ANNOTATION_ROUTING_STATE_MODIFIED = f"{GROUP}/routingStateModified"
ANNOTATION_NO_GC = f"{GROUP}/no-gc"
ANNOTATION_ROLLOUT_DURATION = f"{GROUP}/rollout-duration"
ROLLOUT_DURATIONS = (ANNOTATION_ROLLOUT_DURATION, f"{GROUP}/rolloutDuration")  # the first counts
ANNOTATION_PROGRESS_DEADLINE = f"{GROUP}/progress-deadline"
ANNOTATION_MIN_SCALE = "autoscaling.knative.dev/min-scale"

# Ours: the splitting algorithm of this service's hosts; `--splitter` sets the instance's default.
ANNOTATION_SPLITTER = "knary.dev/splitter"
# Ours: the header whose value `hash-ranges` hashes, instead of the client's address.
ANNOTATION_HASH_HEADER = "knary.dev/hash-header"
# Ours: who comes again goes to the same revision (`stickiness`).
ANNOTATION_STICKY = "knary.dev/sticky"
# Ours: percents in steps of 0.01 that refine the whole ones (`percents`).
ANNOTATION_TRAFFIC_PERCENT = "knary.dev/traffic-percent"

ROUTING_ACTIVE, ROUTING_PENDING, ROUTING_RESERVE = "active", "pending", "reserve"
ROUTE_FINALIZER = "routes.serving.knative.dev"
CLUSTER_LOCAL = "cluster-local"


class _Part(Struct, frozen=True, rename="camel", omit_defaults=True, gc=False):
    """A part of a serving object: absent fields stay absent when it is written."""


class TrafficTarget(_Part, frozen=True):
    tag: str = ""
    revision_name: str = ""
    configuration_name: str = ""
    latest_revision: bool | None = None
    percent: int | None = None
    url: str = ""


class RevisionSpec(PodSpec, frozen=True):
    container_concurrency: int | None = None
    timeout_seconds: int | None = None
    response_start_timeout_seconds: int | None = None
    idle_timeout_seconds: int | None = None


class TemplateMeta(_Part, frozen=True):
    """The metadata that a template gives its revisions."""

    name: str = ""
    generate_name: str = ""
    namespace: str = ""
    creation_timestamp: str | None = None
    labels: dict[str, str] = field(default_factory=dict)
    annotations: dict[str, str] = field(default_factory=dict)
    finalizers: tuple[str, ...] = ()
    owner_references: tuple[OwnerReference, ...] = ()


class RevisionTemplate(_Part, frozen=True):
    metadata: TemplateMeta = field(default_factory=TemplateMeta)
    spec: RevisionSpec = field(default_factory=RevisionSpec)


class Address(_Part, frozen=True):
    name: str = ""
    url: str = ""


class ContainerDigest(_Part, frozen=True):
    name: str = ""
    image_digest: str = ""


class ConfigurationSpec(_Part, frozen=True):
    template: RevisionTemplate = field(default_factory=RevisionTemplate)


class ConfigurationStatus(_Part, frozen=True):
    observed_generation: int | None = None
    conditions: tuple[Condition, ...] = ()
    annotations: dict[str, str] = field(default_factory=dict)
    latest_ready_revision_name: str = ""
    latest_created_revision_name: str = ""


class RouteSpec(_Part, frozen=True):
    traffic: tuple[TrafficTarget, ...] = ()


class RouteStatus(_Part, frozen=True):
    observed_generation: int | None = None
    conditions: tuple[Condition, ...] = ()
    annotations: dict[str, str] = field(default_factory=dict)
    url: str = ""
    address: Address | None = None
    traffic: tuple[TrafficTarget, ...] = ()


class ServiceSpec(_Part, frozen=True):
    template: RevisionTemplate = field(default_factory=RevisionTemplate)
    traffic: tuple[TrafficTarget, ...] = ()


class ServiceStatus(_Part, frozen=True):
    observed_generation: int | None = None
    conditions: tuple[Condition, ...] = ()
    annotations: dict[str, str] = field(default_factory=dict)
    latest_ready_revision_name: str = ""
    latest_created_revision_name: str = ""
    url: str = ""
    address: Address | None = None
    traffic: tuple[TrafficTarget, ...] = ()


class RevisionStatus(_Part, frozen=True):
    observed_generation: int | None = None
    conditions: tuple[Condition, ...] = ()
    annotations: dict[str, str] = field(default_factory=dict)
    log_url: str = ""
    container_statuses: tuple[ContainerDigest, ...] = ()
    init_container_statuses: tuple[ContainerDigest, ...] = ()
    actual_replicas: int | None = None
    desired_replicas: int | None = None


class Service(Resource, frozen=True):
    API_VERSION: ClassVar[str] = VERSION
    KIND: ClassVar[str] = "Service"

    spec: ServiceSpec = field(default_factory=ServiceSpec)
    status: ServiceStatus = field(default_factory=ServiceStatus)


class Configuration(Resource, frozen=True):
    API_VERSION: ClassVar[str] = VERSION
    KIND: ClassVar[str] = "Configuration"

    spec: ConfigurationSpec = field(default_factory=ConfigurationSpec)
    status: ConfigurationStatus = field(default_factory=ConfigurationStatus)


class Route(Resource, frozen=True):
    API_VERSION: ClassVar[str] = VERSION
    KIND: ClassVar[str] = "Route"

    spec: RouteSpec = field(default_factory=RouteSpec)
    status: RouteStatus = field(default_factory=RouteStatus)

    def names(self) -> Iterator[tuple[str, str]]:
        """Yield (KIND, name) of all that the traffic refers to, as wanted and as reported."""
        for entry in (*self.spec.traffic, *self.status.traffic):
            if entry.revision_name:
                yield "Revision", entry.revision_name
            if entry.configuration_name:
                yield "Configuration", entry.configuration_name


class Revision(Resource, frozen=True):
    API_VERSION: ClassVar[str] = VERSION
    KIND: ClassVar[str] = "Revision"

    spec: RevisionSpec = field(default_factory=RevisionSpec)
    status: RevisionStatus = field(default_factory=RevisionStatus)

    @property
    def is_ready(self) -> bool:
        """Knative's IsReady: Ready is True for the generation that was observed."""
        return self.status.observed_generation == self.metadata.generation and is_true(
            self.status.conditions
        )


def serving_container(spec: PodSpec) -> Container:
    """Return the container that takes requests: the one with a port, or the only one."""
    for container in spec.containers:
        if container.ports:
            return container
    return spec.containers[0]
