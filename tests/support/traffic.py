"""Ingresses, Revisions and Pods in few words, for tests of what the gateway is told."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from simulator.resources.conditions import FALSE, READY, TRUE, Condition
from simulator.resources.core import (
    ANNOTATION_ADDRESS,
    DRAIN_FINALIZER,
    PROCESS_FINALIZER,
    Pod,
    PodStatus,
)
from simulator.resources.meta import ObjectMeta
from simulator.resources.networking import (
    VISIBILITY_EXTERNAL,
    VISIBILITY_LOCAL,
    Ingress,
    IngressHttp,
    IngressPath,
    IngressRule,
    IngressSpec,
    IngressSplit,
    IngressStatus,
)
from simulator.resources.podspec import Container, ContainerPort
from simulator.resources.serving import LABEL_REVISION, Revision, RevisionSpec

NAMESPACE = "default"
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def rule(host: str, percents: dict[str, int], visibility: str = VISIBILITY_EXTERNAL) -> IngressRule:
    """Return the rule that splits a host's requests by revision name."""
    splits = tuple(
        IngressSplit(NAMESPACE, name, 80, percent, {"Knative-Serving-Revision": name})
        for name, percent in percents.items()
    )
    return IngressRule((host,), visibility, IngressHttp((IngressPath(splits),)))


def ingress(
    name: str, percents: dict[str, int], *more: IngressRule, generation: int = 1, **meta: Any
) -> Ingress:
    """Return the Ingress of a service with one public host, and any other rules."""
    return Ingress(
        metadata=ObjectMeta(
            name=name,
            namespace=NAMESPACE,
            generation=generation,
            **{"uid": f"uid-{name}", "creation_timestamp": "2026-01-01T00:00:00Z", **meta},
        ),
        spec=IngressSpec(
            rules=(
                rule(f"{name}.{NAMESPACE}.svc.cluster.local", percents, VISIBILITY_LOCAL),
                rule(f"{name}.{NAMESPACE}.example.com", percents),
                *more,
            )
        ),
    )


def mapping(host: str = "www.shop.test", service: str = "hello", generation: int = 1) -> Ingress:
    """Return the Ingress of a DomainMapping of the host to a service."""
    splits = (IngressSplit(NAMESPACE, service, 80, 100, {}),)
    path = IngressPath(splits, rewrite_host=f"{service}.{NAMESPACE}.svc.cluster.local")
    rules = (IngressRule((host,), VISIBILITY_EXTERNAL, IngressHttp((path,))),)
    return Ingress(
        ObjectMeta(
            name=host,
            namespace=NAMESPACE,
            uid=f"uid-{host}",
            generation=generation,
            creation_timestamp="2026-01-01T00:00:00Z",
        ),
        IngressSpec(rules=rules),
    )


def programmed(one: Ingress) -> Ingress:
    """Return the Ingress as it is once the gateway serves it."""
    status = IngressStatus(
        observed_generation=one.metadata.generation,
        programmed=one.spec.rules,
        programmed_generation=one.metadata.generation,
    )
    return Ingress(one.metadata, one.spec, status)


def revision(name: str, port_name: str = "", timeout_s: int | None = None) -> Revision:
    ports = (ContainerPort(8080, port_name),)
    return Revision(
        metadata=ObjectMeta(name=name, namespace=NAMESPACE, uid=f"uid-{name}"),
        spec=RevisionSpec(containers=(Container(ports=ports),), timeout_seconds=timeout_s),
    )


def pod(of: str, port: int, *, ready: bool = True, name: str = "", **meta: Any) -> Pod:
    """Return a replica of the revision `of` at a port of loopback."""
    return Pod(
        metadata=ObjectMeta(
            name=name or f"{of}-{port}",
            namespace=NAMESPACE,
            labels={LABEL_REVISION: of},
            annotations={ANNOTATION_ADDRESS: f"127.0.0.1:{port}"},
            finalizers=(DRAIN_FINALIZER, PROCESS_FINALIZER),
            **meta,
        ),
        status=PodStatus(conditions=(Condition(READY, TRUE if ready else FALSE),)),
    )
