"""What documents say of structs beyond their types: names, list types, times. Pure data.

Sources: knative/serving `config/core/300-resources`, kubernetes/api `core/v1/types.go` (list
types and keys); the rest is `resources.schemarules`, by which requests are judged too.
"""

from __future__ import annotations

from simulator.resources import (
    apps,
    caching,
    conditions,
    core,
    domainmapping,
    endpoints,
    endpointslices,
    faults,
    meta,
    networking,
    podparts,
    podspec,
    reviews,
    serving,
)
from simulator.resources.markers import items_of
from simulator.resources.schemarules import OPEN_FIELD, PRUNED, REQUIRED, is_time

META = "io.k8s.apimachinery.pkg.apis.meta.v1"
QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity"
INT_OR_STRING = "io.k8s.apimachinery.pkg.util.intstr.IntOrString"
TIME, MICRO_TIME = f"{META}.Time", f"{META}.MicroTime"

_PACKAGES = {
    apps.__name__: "io.k8s.api.apps.v1",
    caching.__name__: "dev.knative.internal.caching.v1alpha1",
    conditions.__name__: "dev.knative.pkg.apis",
    core.__name__: "io.k8s.api.core.v1",
    domainmapping.__name__: "dev.knative.serving.v1beta1",
    endpoints.__name__: "io.k8s.api.core.v1",
    endpointslices.__name__: "io.k8s.api.discovery.v1",
    faults.__name__: "dev.knary.v1",
    meta.__name__: META,
    networking.__name__: "dev.knative.internal.networking.v1alpha1",
    podparts.__name__: "io.k8s.api.core.v1",
    podspec.__name__: "io.k8s.api.core.v1",
    reviews.__name__: "io.k8s.api.authorization.v1",
    serving.__name__: "dev.knative.serving.v1",
}

# Where our name of a part is another than Kubernetes' or Knative's.
_NAMES: dict[type, str] = {
    podspec.EnvFrom: "EnvFromSource",
    podspec.GrpcAction: "GRPCAction",
    podspec.HttpGetAction: "HTTPGetAction",
    podspec.HttpHeader: "HTTPHeader",
    podspec.TcpSocketAction: "TCPSocketAction",
    apps.LabelRequirement: "LabelSelectorRequirement",
    apps.PodMeta: "PodTemplateMeta",
    apps.PodTemplate: "PodTemplateSpec",
    apps.RollingUpdate: "RollingUpdateDeployment",
    core.PodIp: "PodIP",
    core.PodTemplateSpec: "PodSpec",
    core.Running: "ContainerStateRunning",
    core.Terminated: "ContainerStateTerminated",
    core.Waiting: "ContainerStateWaiting",
    domainmapping.Reference: "KReference",
    domainmapping.SecretTls: "SecretTLS",
    endpoints.ClientIpConfig: "ClientIPConfig",
    endpoints.CoreService: "Service",
    endpoints.CoreServiceSpec: "ServiceSpec",
    endpoints.CoreServiceStatus: "ServiceStatus",
    endpoints.LoadBalancerAddress: "LoadBalancerIngress",
    endpointslices.SlicePort: "EndpointPort",
    networking.IngressHttp: "HTTPIngressRuleValue",
    networking.IngressPath: "HTTPIngressPath",
    networking.IngressSplit: "IngressBackendSplit",
    networking.LoadBalancer: "LoadBalancerStatus",
    networking.LoadBalancerIngress: "LoadBalancerIngressStatus",
    reviews.AccessReviewSpec: "SelfSubjectAccessReviewSpec",
    reviews.AccessReviewStatus: "SubjectAccessReviewStatus",
    reviews.RulesReviewSpec: "SelfSubjectRulesReviewSpec",
    reviews.RulesReviewStatus: "SubjectRulesReviewStatus",
    reviews.SelfReviewStatus: "SelfSubjectReviewStatus",
    serving.ContainerDigest: "ContainerStatus",
    serving.RevisionTemplate: "RevisionTemplateSpec",
    serving.TemplateMeta: "RevisionTemplateMeta",
}


def schema_name(struct: type) -> str:
    """Return the name of a struct's schema, after its Go package."""
    package = _PACKAGES.get(struct.__module__, "unknown")
    return f"{package}.{_NAMES.get(struct, struct.__name__)}"


def time_name(field: str) -> str | None:
    """Return the schema of a field that holds a moment, or None."""
    if not is_time(field):
        return None
    return MICRO_TIME if field == "eventTime" else TIME


def required_of(struct: type) -> tuple[str, ...]:
    """Return the fields that must be there, beyond those of the struct without a default."""
    # Of Knative's the webhook says so, but before it gets there the list must be one.
    own = ("containers",) if struct is serving.RevisionSpec else ()
    return (*own, *REQUIRED.get(struct, ()))


def is_pruned(struct: type, field: str) -> bool:
    """Tell whether Knative's kinds have no such field, although Kubernetes' have."""
    return field in PRUNED.get(struct, ())


def is_open(field: str) -> bool:
    """Tell whether Knative's schema lets anything pass below this field."""
    return field == OPEN_FIELD


def list_type(struct: type, field: str) -> dict[str, object]:
    """Return how a list merges: by a key of its items, as a set, or only as a whole."""
    items = items_of(struct, field)
    if items is None:
        return {"x-kubernetes-list-type": "atomic"}
    if not items.keys:
        return {"x-kubernetes-list-type": "set"}
    return {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": list(items.keys)}
