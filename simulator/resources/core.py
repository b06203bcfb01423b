"""core/v1 objects around a Knative service: Namespace, ConfigMap, Secret, ServiceAccount, Event,
and Pod, one per replica. (Service and Endpoints are in `endpoints`.)

A Pod is a replica: one local process. Who writes what:
- the revision controller creates and deletes it (spec, labels, `DRAIN_FINALIZER`);
- the supervisor writes its status, `ANNOTATION_ADDRESS` and `ANNOTATION_PID`;
- the publisher takes `DRAIN_FINALIZER` away when no gateway worker uses it any more, and only
  then may the supervisor end the process and let the object go.
"""

from __future__ import annotations

from typing import ClassVar

from msgspec import Struct, field

from simulator.resources.conditions import Condition
from simulator.resources.meta import Resource
from simulator.resources.podspec import PodSpec

DRAIN_FINALIZER = "knary.dev/drain"
PROCESS_FINALIZER = "knary.dev/process"
CONTENTS_FINALIZER = "knary.dev/contents"  # of a Namespace: what it contains goes first
ANNOTATION_ADDRESS = "knary.dev/address"  # "127.0.0.1:PORT", where it listens; see gateway.contract
ANNOTATION_PID = "knary.dev/pid"


class _Part(Struct, frozen=True, rename="camel", omit_defaults=True, gc=False):
    """A part of a core object: absent fields stay absent when it is written."""


class NamespaceSpec(_Part, frozen=True):
    finalizers: tuple[str, ...] = ()


class NamespaceStatus(_Part, frozen=True):
    phase: str = ""


class Namespace(Resource, frozen=True):
    API_VERSION: ClassVar[str] = "v1"
    KIND: ClassVar[str] = "Namespace"

    spec: NamespaceSpec = field(default_factory=NamespaceSpec)
    status: NamespaceStatus = field(default_factory=NamespaceStatus)


class ConfigMap(Resource, frozen=True):
    """Those in `knative-serving` are read by simulator/config; no program gets one mounted."""

    API_VERSION: ClassVar[str] = "v1"
    KIND: ClassVar[str] = "ConfigMap"

    data: dict[str, str] = field(default_factory=dict)
    binary_data: dict[str, str] = field(default_factory=dict)
    immutable: bool | None = None


class Secret(Resource, frozen=True):
    """`data` is base64; `string_data` is what a client writes in its place, and never stored."""

    API_VERSION: ClassVar[str] = "v1"
    KIND: ClassVar[str] = "Secret"

    type: str = ""
    data: dict[str, str] = field(default_factory=dict)
    string_data: dict[str, str] = field(default_factory=dict)
    immutable: bool | None = None


class LocalObjectReference(_Part, frozen=True):
    name: str = ""


class ObjectReference(_Part, frozen=True):
    api_version: str = ""
    kind: str = ""
    namespace: str = ""
    name: str = ""
    uid: str = ""
    resource_version: str = ""
    field_path: str = ""


class ServiceAccount(Resource, frozen=True):
    """Every namespace has one named `default`. None has a token: no program runs as one."""

    API_VERSION: ClassVar[str] = "v1"
    KIND: ClassVar[str] = "ServiceAccount"

    secrets: tuple[ObjectReference, ...] = ()
    image_pull_secrets: tuple[LocalObjectReference, ...] = ()
    automount_service_account_token: bool | None = None


class EventSource(_Part, frozen=True):
    component: str = ""
    host: str = ""


class EventSeries(_Part, frozen=True):
    count: int = 0
    last_observed_time: str | None = None


class Event(Resource, frozen=True):
    API_VERSION: ClassVar[str] = "v1"
    KIND: ClassVar[str] = "Event"

    involved_object: ObjectReference = field(default_factory=ObjectReference)
    reason: str = ""
    message: str = ""
    type: str = ""  # Normal or Warning
    count: int | None = None
    first_timestamp: str | None = None
    last_timestamp: str | None = None
    event_time: str | None = None
    source: EventSource = field(default_factory=EventSource)
    reporting_component: str = ""
    reporting_instance: str = ""
    action: str = ""
    related: ObjectReference | None = None
    series: EventSeries | None = None


class PodTemplateSpec(PodSpec, frozen=True):
    """A Pod's spec: Knative's pod fields and those that the node agent fills in."""

    restart_policy: str = ""
    termination_grace_period_seconds: int | None = None
    node_name: str = ""


class Waiting(_Part, frozen=True):
    reason: str = ""
    message: str = ""


class Running(_Part, frozen=True):
    started_at: str | None = None


class Terminated(_Part, frozen=True):
    exit_code: int  # required, so 0 is written too
    signal: int | None = None
    reason: str = ""
    message: str = ""
    started_at: str | None = None
    finished_at: str | None = None


class ContainerState(_Part, frozen=True):
    """Exactly one of the three, or none before anything happened."""

    waiting: Waiting | None = None
    running: Running | None = None
    terminated: Terminated | None = None


class ContainerStatus(Struct, frozen=True, rename="camel", gc=False):
    """Written whole: Kubernetes clients require ready, restartCount, image and imageID."""

    name: str = ""
    state: ContainerState = field(default_factory=ContainerState)
    last_state: ContainerState = field(default_factory=ContainerState)
    ready: bool = False
    restart_count: int = 0
    image: str = ""
    image_id: str = field(default="", name="imageID")
    started: bool = False
    container_id: str = field(default="", name="containerID")


class PodIp(_Part, frozen=True):
    ip: str = ""


class PodStatus(_Part, frozen=True):
    phase: str = ""  # Pending, Running, Succeeded, Failed
    conditions: tuple[Condition, ...] = ()
    message: str = ""
    reason: str = ""
    host_ip: str = field(default="", name="hostIP")
    host_ips: tuple[PodIp, ...] = field(default=(), name="hostIPs")
    pod_ip: str = field(default="", name="podIP")
    pod_ips: tuple[PodIp, ...] = field(default=(), name="podIPs")
    qos_class: str = ""
    start_time: str | None = None
    container_statuses: tuple[ContainerStatus, ...] = ()


class Pod(Resource, frozen=True):
    API_VERSION: ClassVar[str] = "v1"
    KIND: ClassVar[str] = "Pod"

    spec: PodTemplateSpec = field(default_factory=PodTemplateSpec)
    status: PodStatus = field(default_factory=PodStatus)
