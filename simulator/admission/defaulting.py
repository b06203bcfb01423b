"""What Knative fills in before it validates: the schema's defaults and the mutating webhook's.

Sources: knative/serving `pkg/apis/serving/v1/{service,configuration,route,revision}_defaults.go`.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from simulator.admission import freeform
from simulator.admission.ingress_admission import with_ingress_defaults
from simulator.admission.securing import secured
from simulator.admission.settings import Defaults
from simulator.admission.volume_validation import is_writable
from simulator.config.parsing import ConfigError
from simulator.config.templates import Values, render
from simulator.resources.domainmapping import DomainMapping
from simulator.resources.meta import ObjectMeta, Resource, child_name
from simulator.resources.networking import Ingress
from simulator.resources.podspec import (
    Container,
    ContainerPort,
    GrpcAction,
    Probe,
    ResourceRequirements,
    TcpSocketAction,
    VolumeMount,
)
from simulator.resources.serving import (
    ANNOTATION_CREATOR,
    ANNOTATION_LAST_MODIFIER,
    Configuration,
    Revision,
    RevisionSpec,
    RevisionTemplate,
    Route,
    Service,
    TrafficTarget,
)

EVERYTHING_TO_LATEST = (TrafficTarget(percent=100, latest_revision=True),)


def with_defaults(new: Resource, old: Resource | None, user: str, defaults: Defaults) -> Resource:
    """Return the object as Knative would store it; other kinds come back as they are."""
    match new:
        case Service():
            return _service(new, old if isinstance(old, Service) else None, user, defaults)
        case Configuration():
            known = old if isinstance(old, Configuration) else None
            return _configuration(new, known, user, defaults)
        case Route():
            return _route(new, old if isinstance(old, Route) else None, user)
        case Revision() if old is None:
            # A revision's spec never changes, so an update gets no defaults either.
            spec = _revision_spec(new.spec, ObjectMeta(), defaults)
            return replace(new, spec=_with_service_links(spec, defaults))
        case DomainMapping():
            return _domain_mapping(new, old if isinstance(old, DomainMapping) else None, user)
        case Ingress():
            return with_ingress_defaults(new)
        case _:
            return new


def _domain_mapping(new: DomainMapping, old: DomainMapping | None, user: str) -> DomainMapping:
    reference = new.spec.ref
    namespace = reference.namespace or new.metadata.namespace
    spec = replace(new.spec, ref=replace(reference, namespace=namespace))
    is_changed = old is None or old.spec != spec
    metadata = _signed(new.metadata, user, is_new=old is None, is_changed=is_changed)
    return replace(new, metadata=metadata, spec=spec)


def _service(new: Service, old: Service | None, user: str, defaults: Defaults) -> Service:
    previous = old.spec.template if old else None
    spec = replace(
        new.spec,
        template=_template(new.spec.template, previous, new.metadata, defaults),
        traffic=_traffic(new.spec.traffic or EVERYTHING_TO_LATEST),
    )
    is_changed = old is None or old.spec != spec
    metadata = _signed(new.metadata, user, is_new=old is None, is_changed=is_changed)
    return replace(new, metadata=metadata, spec=spec)


def _configuration(
    new: Configuration, old: Configuration | None, user: str, defaults: Defaults
) -> Configuration:
    previous = old.spec.template if old else None
    template = _template(new.spec.template, previous, new.metadata, defaults)
    spec = replace(new.spec, template=template)
    metadata = new.metadata
    if not metadata.owner_references:
        is_changed = old is None or old.spec != spec
        metadata = _signed(metadata, user, is_new=old is None, is_changed=is_changed)
    return replace(new, metadata=metadata, spec=spec)


def _route(new: Route, old: Route | None, user: str) -> Route:
    spec = replace(new.spec, traffic=_traffic(new.spec.traffic))
    metadata = new.metadata
    if not metadata.owner_references:
        is_changed = old is None or old.spec != spec
        metadata = _signed(metadata, user, is_new=old is None, is_changed=is_changed)
    return replace(new, metadata=metadata, spec=spec)


def _signed(metadata: ObjectMeta, user: str, *, is_new: bool, is_changed: bool) -> ObjectMeta:
    """Return the metadata saying who made the object, and who changed its spec last."""
    if not is_changed:
        return metadata
    signature = {ANNOTATION_LAST_MODIFIER: user}
    if is_new:
        signature[ANNOTATION_CREATOR] = user
    return replace(metadata, annotations={**metadata.annotations, **signature})


def _traffic(targets: Sequence[TrafficTarget]) -> tuple[TrafficTarget, ...]:
    return tuple(
        replace(
            target,
            latest_revision=(
                not target.revision_name
                if target.latest_revision is None
                else target.latest_revision
            ),
            percent=target.percent or 0,
        )
        for target in targets
    )


def _template(
    template: RevisionTemplate,
    previous: RevisionTemplate | None,
    parent: ObjectMeta,
    defaults: Defaults,
) -> RevisionTemplate:
    """Return the template with defaults; `previous` is None when the object is new."""
    name = template.metadata.name
    if previous is not None and name and name == previous.metadata.name:
        # The user keeps the name of a revision: what is left out must not make it differ.
        return replace(template, spec=_schema_defaults(template.spec))
    spec = _revision_spec(template.spec, parent, defaults)
    if previous is None:
        spec = _with_service_links(spec, defaults)
    return replace(template, spec=spec)


def _with_service_links(spec: RevisionSpec, defaults: Defaults) -> RevisionSpec:
    """Return the spec of a new object, for which alone this has a default."""
    if spec.enable_service_links is not None or not spec.containers:
        return spec
    return replace(spec, enable_service_links=defaults.enable_service_links)


def _schema_defaults(spec: RevisionSpec) -> RevisionSpec:
    """Return the spec with what the CRD's schema fills in, whatever Knative does after it."""
    return replace(spec, containers=tuple(map(_with_schema_defaults, spec.containers)))


def _with_schema_defaults(container: Container) -> Container:
    return replace(
        container,
        ports=tuple(_with_protocol(port) for port in container.ports),
        resources=container.resources or ResourceRequirements(),
        liveness_probe=_with_grpc_service(container.liveness_probe),
        readiness_probe=_with_grpc_service(container.readiness_probe),
        startup_probe=_with_grpc_service(container.startup_probe),
    )


def _with_protocol(port: ContainerPort) -> ContainerPort:
    return port if port.protocol else replace(port, protocol="TCP")


def _with_grpc_service(probe: Probe | None) -> Probe | None:
    if probe is None or probe.grpc is None or probe.grpc.service is not None:
        return probe
    return replace(probe, grpc=GrpcAction(port=probe.grpc.port, service=""))


def _revision_spec(spec: RevisionSpec, parent: ObjectMeta, defaults: Defaults) -> RevisionSpec:
    spec = _schema_defaults(spec)
    timeout = spec.timeout_seconds or defaults.revision_timeout_seconds
    idle, start = spec.idle_timeout_seconds, spec.response_start_timeout_seconds
    # The two defaults that are not below the request's own timeout would say nothing.
    if idle is None and 0 != defaults.revision_idle_timeout_seconds < timeout:
        idle = defaults.revision_idle_timeout_seconds
    if start is None and 0 != defaults.revision_response_start_timeout_seconds < timeout:
        start = defaults.revision_response_start_timeout_seconds
    concurrency = spec.container_concurrency
    if concurrency is None:
        concurrency = defaults.container_concurrency
    names = {each.name for each in (*spec.containers, *spec.init_containers)}
    containers = _named(spec.containers, names, _rendered(defaults.container_name_template, parent))
    return replace(
        spec,
        timeout_seconds=timeout,
        idle_timeout_seconds=idle,
        response_start_timeout_seconds=start,
        container_concurrency=concurrency,
        containers=tuple(
            secured(_container(each, spec, defaults), spec.security_context, defaults)
            for each in containers
        ),
        init_containers=tuple(
            secured(each, spec.security_context, defaults)
            for each in _named(
                spec.init_containers,
                names,
                _rendered(defaults.init_container_name_template, parent),
            )
        ),
    )


def _rendered(template: str, parent: ObjectMeta) -> str:
    """Return a container's default name; as in Knative "" when the template cannot be rendered."""
    values: Values = {
        "Name": parent.name,
        "Namespace": parent.namespace,
        "Labels": parent.labels,
        "Annotations": parent.annotations,
    }
    try:
        return render(template, values)
    except ConfigError:
        return ""


def _named(containers: Sequence[Container], taken: set[str], default: str) -> tuple[Container, ...]:
    """Return the containers, each with a name that none of `taken` has."""
    named = []
    suffix = 0
    for container in containers:
        name = container.name
        if not name:
            name = default
            if len(containers) > 1 or name in taken:
                name, suffix = child_name(default, f"-{suffix}"), suffix + 1
                while name in taken:
                    name, suffix = child_name(default, f"-{suffix}"), suffix + 1
            container = replace(container, name=name)  # noqa: PLW2901
        named.append(container)
    return tuple(named)


def _container(container: Container, spec: RevisionSpec, defaults: Defaults) -> Container:
    probe = container.readiness_probe
    if container.ports or len(spec.containers) == 1:
        probe = _serving_probe(probe)
    writable = {freeform.text(each, "name") for each in spec.volumes if is_writable(each)}
    return replace(
        container,
        resources=_resources(container.resources, defaults),
        readiness_probe=_with_thresholds(probe) if probe else None,
        volume_mounts=tuple(_read_only(mount, writable) for mount in container.volume_mounts),
    )


def _resources(resources: ResourceRequirements | None, defaults: Defaults) -> ResourceRequirements:
    given = resources or ResourceRequirements()
    if not defaults.revision_requests and not defaults.revision_limits:
        return given
    return replace(
        given,
        requests={**defaults.revision_requests, **given.requests},
        limits={**defaults.revision_limits, **given.limits},
    )


def _serving_probe(probe: Probe | None) -> Probe:
    """Return a probe that has a handler: by default, that the port accepts a connection."""
    given = probe or Probe()
    if given.tcp_socket or given.http_get or given.exec or given.grpc:
        return given
    return replace(given, tcp_socket=TcpSocketAction(port=0))  # 0 is the serving port


def _with_thresholds(probe: Probe) -> Probe:
    probe = replace(probe, success_threshold=probe.success_threshold or 1)
    if not probe.period_seconds:
        return probe
    return replace(
        probe,
        failure_threshold=probe.failure_threshold or 3,
        timeout_seconds=probe.timeout_seconds or 1,
    )


def _read_only(mount: VolumeMount, writable: set[str]) -> VolumeMount:
    return mount if mount.name in writable else replace(mount, read_only=True)
