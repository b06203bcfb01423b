"""The pod template's fields that Knative keeps (core/v1 PodSpec and Container, masked).

Parts that knary stores and shows but does not act on stay documents; `podparts` has their schemas.
Source: `knative-serving config/core/300-resources/service.yaml`.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Struct, field

from simulator.resources import podparts
from simulator.resources.podparts import described_by

Free = podparts.Free
IntOrString = int | str
Quantity = int | str | float

DEFAULT_USER_PORT = 8080


class _Part(Struct, frozen=True, rename="camel", omit_defaults=True, gc=False):
    """A part of a pod spec: absent fields stay absent when it is written."""


class ContainerPort(_Part, frozen=True):
    container_port: int | None = None
    name: str = ""
    protocol: str = ""
    host_port: int | None = None
    host_ip: str = field(default="", name="hostIP")


class EnvVar(_Part, frozen=True):
    name: str = ""
    value: str = ""
    value_from: Annotated[Free, described_by(podparts.EnvVarSource)] | None = None


class HttpHeader(_Part, frozen=True):
    name: str = ""
    value: str = ""


class HttpGetAction(_Part, frozen=True):
    port: IntOrString | None = None
    path: str = ""
    host: str = ""
    scheme: str = ""
    http_headers: tuple[HttpHeader, ...] = ()


class TcpSocketAction(_Part, frozen=True):
    port: IntOrString | None = None
    host: str = ""


class GrpcAction(_Part, frozen=True):
    port: int | None = None
    service: str | None = None


class ExecAction(_Part, frozen=True):
    command: tuple[str, ...] = ()


class Probe(_Part, frozen=True):
    exec: ExecAction | None = None
    grpc: GrpcAction | None = None
    http_get: HttpGetAction | None = None
    tcp_socket: TcpSocketAction | None = None
    initial_delay_seconds: int | None = None
    timeout_seconds: int | None = None
    period_seconds: int | None = None
    success_threshold: int | None = None
    failure_threshold: int | None = None
    termination_grace_period_seconds: int | None = None


class ResourceRequirements(_Part, frozen=True):
    limits: dict[str, Quantity] = field(default_factory=dict)
    requests: dict[str, Quantity] = field(default_factory=dict)
    claims: tuple[Free, ...] = ()


class VolumeMount(_Part, frozen=True):
    name: str = ""
    mount_path: str = ""
    read_only: bool | None = None
    sub_path: str = ""
    sub_path_expr: str = ""
    mount_propagation: str | None = None
    recursive_read_only: str | None = None


class EnvFrom(_Part, frozen=True):
    prefix: str = ""
    config_map_ref: Annotated[Free, described_by(podparts.ConfigMapEnvSource)] | None = None
    secret_ref: Annotated[Free, described_by(podparts.SecretEnvSource)] | None = None


class Container(_Part, frozen=True):
    name: str = ""
    image: str = ""
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    working_dir: str = ""
    ports: tuple[ContainerPort, ...] = ()
    env: tuple[EnvVar, ...] = ()
    env_from: tuple[EnvFrom, ...] = ()
    resources: ResourceRequirements | None = None
    volume_mounts: tuple[VolumeMount, ...] = ()
    liveness_probe: Probe | None = None
    readiness_probe: Probe | None = None
    startup_probe: Probe | None = None
    image_pull_policy: str = ""
    security_context: Annotated[Free, described_by(podparts.SecurityContext)] | None = None
    termination_message_path: str = ""
    termination_message_policy: str = ""


class PodSpec(_Part, frozen=True):
    containers: tuple[Container, ...] = ()
    init_containers: tuple[Container, ...] = ()
    volumes: tuple[Annotated[Free, described_by(podparts.Volume)], ...] = ()
    service_account_name: str = ""
    image_pull_secrets: tuple[
        Annotated[Free, described_by(podparts.LocalObjectReference)], ...
    ] = ()
    enable_service_links: bool | None = None
    automount_service_account_token: bool | None = None
    affinity: Free | None = None
    topology_spread_constraints: tuple[Free, ...] = ()
    host_aliases: tuple[Free, ...] = ()
    node_selector: dict[str, str] = field(default_factory=dict)
    runtime_class_name: str | None = None
    tolerations: tuple[Free, ...] = ()
    security_context: Free | None = None
    share_process_namespace: bool | None = None
    priority_class_name: str = ""
    scheduler_name: str = ""
    dns_policy: str = ""
    dns_config: Free | None = None
    host_ipc: bool | None = field(default=None, name="hostIPC")
    host_pid: bool | None = field(default=None, name="hostPID")
    host_network: bool | None = None
