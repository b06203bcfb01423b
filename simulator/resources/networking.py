"""networking.internal.knative.dev/v1alpha1: Ingress, a Route's order to the gateway.

The route controller writes the spec; the publisher turns all Ingresses into one RouteTable and
marks each Ready when every gateway worker has acknowledged the table that carries it.
Source: knative/networking `pkg/apis/networking/v1alpha1/ingress_types.go`.
"""

from __future__ import annotations

from typing import ClassVar

from msgspec import Struct, field

from simulator.resources.conditions import Condition, is_true
from simulator.resources.meta import Resource

GROUP = "networking.internal.knative.dev"
VERSION = f"{GROUP}/v1alpha1"

ANNOTATION_ROLLOUT = f"{GROUP}/rollout"  # the state of a gradual rollout, as JSON

VISIBILITY_EXTERNAL, VISIBILITY_LOCAL = "ExternalIP", "ClusterLocal"

NETWORK_CONFIGURED = "NetworkConfigured"
LOAD_BALANCER_READY = "LoadBalancerReady"


class _Part(Struct, frozen=True, rename="camel", omit_defaults=True, gc=False):
    """A part of an Ingress: absent fields stay absent when it is written."""


class IngressSplit(_Part, frozen=True):
    """`service_name` is a revision: Knative gives each revision a service of its name."""

    service_namespace: str = ""
    service_name: str = ""
    # Factories, so that both are written even when they are 0, as Knative writes them.
    service_port: int | str = field(default_factory=lambda: 0)
    percent: int = field(default_factory=lambda: 0)
    append_headers: dict[str, str] = field(default_factory=dict)


class IngressPath(_Part, frozen=True):
    splits: tuple[IngressSplit, ...] = ()
    path: str = ""
    headers: dict[str, dict[str, str]] = field(default_factory=dict)
    append_headers: dict[str, str] = field(default_factory=dict)
    rewrite_host: str = ""


class IngressHttp(_Part, frozen=True):
    paths: tuple[IngressPath, ...] = ()


class IngressRule(_Part, frozen=True):
    hosts: tuple[str, ...] = ()
    visibility: str = ""
    http: IngressHttp = field(default_factory=IngressHttp)


class IngressSpec(_Part, frozen=True):
    http_option: str = ""
    rules: tuple[IngressRule, ...] = ()


class LoadBalancerIngress(_Part, frozen=True):
    ip: str = ""
    domain: str = ""
    domain_internal: str = ""
    mesh_only: bool | None = None


class LoadBalancer(_Part, frozen=True):
    ingress: tuple[LoadBalancerIngress, ...] = ()


class IngressStatus(_Part, frozen=True):
    """`programmed` is what the gateway serves now: it outlives a spec that cannot be served yet.

    `programmed_annotations` are ours that it obeys, which belong to no generation (`inforce`).
    """

    observed_generation: int | None = None
    conditions: tuple[Condition, ...] = ()
    public_load_balancer: LoadBalancer | None = None
    private_load_balancer: LoadBalancer | None = None
    programmed: tuple[IngressRule, ...] = ()
    programmed_generation: int | None = None
    programmed_annotations: dict[str, str] = field(default_factory=dict)


def revisions_of(rules: tuple[IngressRule, ...]) -> frozenset[str]:
    """Return the names of the revisions that these rules send requests to."""
    return frozenset(
        split.service_name for rule in rules for path in rule.http.paths for split in path.splits
    )


class Ingress(Resource, frozen=True):
    API_VERSION: ClassVar[str] = VERSION
    KIND: ClassVar[str] = "Ingress"

    spec: IngressSpec = field(default_factory=IngressSpec)
    status: IngressStatus = field(default_factory=IngressStatus)

    @property
    def is_ready(self) -> bool:
        """Knative's IsReady: Ready is True for the generation that was observed."""
        return self.status.observed_generation == self.metadata.generation and is_true(
            self.status.conditions
        )
