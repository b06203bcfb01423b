"""Objects for tests: short builders, and a Reader over a handful of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from simulator.reconciling.plan import Plan, Record
from simulator.resources.conditions import FALSE, READY, TRUE, UNKNOWN, Condition
from simulator.resources.core import Pod, PodStatus
from simulator.resources.endpoints import CoreService
from simulator.resources.meta import (
    Key,
    ObjectMeta,
    R,
    Resource,
    controller_reference,
    timestamp,
)
from simulator.resources.podspec import Container, ContainerPort, EnvVar
from simulator.resources.serving import (
    LABEL_CONFIGURATION,
    LABEL_CONFIGURATION_GENERATION,
    LABEL_ROUTING_STATE,
    LABEL_SERVICE,
    ROUTING_ACTIVE,
    Configuration,
    ConfigurationSpec,
    ConfigurationStatus,
    Revision,
    RevisionSpec,
    RevisionStatus,
    RevisionTemplate,
    Route,
    RouteSpec,
    RouteStatus,
    Service,
    ServiceSpec,
    TemplateMeta,
    TrafficTarget,
)

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
LATER = datetime(2026, 1, 2, 3, 5, 5, tzinfo=UTC)
MOMENT = timestamp(NOW)
LATEST = TrafficTarget(latest_revision=True, percent=100)


class World:
    """A Reader over the given objects."""

    def __init__(self, *objects: Resource) -> None:
        self._objects = {(type(one), one.key): one for one in objects}

    def get(self, kind: type[R], namespace: str, name: str) -> R | None:
        found = self._objects.get((kind, Key(namespace, name)))
        return found if isinstance(found, kind) else None

    def list(
        self,
        kind: type[R],
        namespace: str | None = None,
        labels: Mapping[str, str] | None = None,
    ) -> Sequence[R]:
        return [
            one
            for one in self._sorted(kind)
            if namespace in (None, one.metadata.namespace)
            and all(one.metadata.labels.get(k) == v for k, v in (labels or {}).items())
        ]

    def owned_by(self, kind: type[R], uid: str) -> Sequence[R]:
        return [
            one
            for one in self._sorted(kind)
            if any(reference.uid == uid for reference in one.metadata.owner_references)
        ]

    def naming(self, kind: type[R], namespace: str, named: str, name: str) -> Sequence[R]:
        return [one for one in self.list(kind, namespace) if (named, name) in set(one.names())]

    def _sorted(self, kind: type[R]) -> list[R]:
        found: Iterable[Resource] = self._objects.values()
        return sorted((one for one in found if isinstance(one, kind)), key=lambda one: one.key)


def meta(name: str, **fields: Any) -> ObjectMeta:
    """Return the metadata of a stored object: uid `uid-NAME`, generation 1, made at NOW."""
    known: dict[str, Any] = {
        "name": name,
        "namespace": "default",
        "uid": f"uid-{name}",
        "resource_version": "7",
        "generation": 1,
        "creation_timestamp": MOMENT,
    }
    return ObjectMeta(**(known | fields))


def owned(child: R, owner: Resource) -> R:
    return child.with_metadata(owner_references=(controller_reference(owner),))


def template(
    image: str = "registry.example/helloworld-go:1", *, name: str = "", **env: str
) -> RevisionTemplate:
    container = Container(
        name="user-container",
        image=image,
        ports=(ContainerPort(container_port=8080, protocol="TCP"),),
        env=tuple(EnvVar(key, value) for key, value in env.items()),
    )
    return RevisionTemplate(
        metadata=TemplateMeta(name=name),
        spec=RevisionSpec(containers=(container,), timeout_seconds=300),
    )


def service(name: str = "hello", **fields: Any) -> Service:
    known = {"template": template(), "traffic": (LATEST,)}
    spec = {key: fields.pop(key) for key in tuple(fields) if key in known}
    return Service(metadata=meta(name, **fields), spec=ServiceSpec(**(known | spec)))


def configuration(
    name: str = "hello",
    *,
    created: str = "",
    ready: str = "",
    conditions: tuple[Condition, ...] = (),
    observed: int | None = 1,
    spec: RevisionTemplate | None = None,
    **fields: Any,
) -> Configuration:
    return Configuration(
        metadata=meta(name, **({"uid": f"uid-{name}-configuration"} | fields)),
        spec=ConfigurationSpec(template=spec or template()),
        status=ConfigurationStatus(
            observed_generation=observed,
            conditions=conditions,
            latest_created_revision_name=created,
            latest_ready_revision_name=ready,
        ),
    )


def revision(
    name: str = "hello-00001",
    *,
    ready: Condition | None = None,
    of: Configuration | None = None,
    generation: int = 1,
    service: str = "hello",
    routing: str = ROUTING_ACTIVE,
    digests: tuple[Any, ...] = (),
    spec: RevisionSpec | None = None,
    **fields: Any,
) -> Revision:
    owner = of or configuration()
    labels = {
        LABEL_CONFIGURATION: owner.metadata.name,
        LABEL_SERVICE: service,
        LABEL_CONFIGURATION_GENERATION: str(generation),
        LABEL_ROUTING_STATE: routing,
    }
    labels = {key: value for key, value in labels.items() if value}
    known = {"owner_references": (controller_reference(owner),), "labels": labels}
    return Revision(
        metadata=meta(name, **(known | fields)),
        spec=spec or template().spec,
        status=RevisionStatus(
            observed_generation=1,
            conditions=(ready,) if ready else (),
            container_statuses=digests,
        ),
    )


def route(
    name: str = "hello",
    *,
    traffic: tuple[TrafficTarget, ...] = (),
    status: RouteStatus | None = None,
    **fields: Any,
) -> Route:
    return Route(
        metadata=meta(name, **({"uid": f"uid-{name}-route"} | fields)),
        spec=RouteSpec(traffic=traffic),
        status=status or RouteStatus(),
    )


def pod(name: str, owner: Revision, *, ready: bool = False, **fields: Any) -> Pod:
    status = fields.pop("status", None)
    if status is None:
        conditions = (Condition(type=READY, status=TRUE if ready else FALSE),)
        status = PodStatus(phase="Running", conditions=conditions)
    return owned(Pod(metadata=meta(name, **fields), status=status), owner)


def is_true(type_: str = READY) -> Condition:
    return Condition(type=type_, status=TRUE, last_transition_time=MOMENT)


def is_false(reason: str = "", message: str = "", type_: str = READY) -> Condition:
    return Condition(type_, FALSE, "", MOMENT, reason, message)


def is_unknown(reason: str = "", message: str = "", type_: str = READY) -> Condition:
    return Condition(type_, UNKNOWN, "", MOMENT, reason, message)


def told(conditions: tuple[Condition, ...]) -> dict[str, tuple[str, str, str]]:
    """Return type → (status, reason, message)."""
    return {one.type: (one.status, one.reason, one.message) for one in conditions}


def without_placeholders(made: Plan) -> Plan:
    """Return the plan without what it does about a Route's placeholder Services."""
    kept = tuple(
        one
        for one in made.actions
        if not (isinstance(one, Record) and "placeholder" in one.message)
        and not (hasattr(one, "object") and isinstance(one.object, CoreService))
    )
    return Plan(kept, made.requeue_after_s)


def changed(obj: R, **fields: Any) -> R:
    return msgspec.structs.replace(obj, **fields)
