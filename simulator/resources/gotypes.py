"""How Go names what these structs stand for: users know the names from messages.

A value of a wrong type ends where Knative's webhook decodes the object into its Go types, so the
message is that of Go's decoder, with its types. Sources: k8s.io/api `core/v1/types.go`;
knative/serving `pkg/apis/serving/v1/*_types.go`; Go `encoding/json/decode.go`.
"""

from __future__ import annotations

from typing import Any

from simulator.resources.shapes import (
    AnyShape,
    ListShape,
    MapShape,
    ObjectShape,
    ScalarShape,
    Shape,
)

_STRUCTS = {
    "RevisionTemplate": "RevisionTemplateSpec",
    "HttpGetAction": "HTTPGetAction",
    "TcpSocketAction": "TCPSocketAction",
    "GrpcAction": "GRPCAction",
    "HttpHeader": "HTTPHeader",
    "EnvFrom": "EnvFromSource",
    "TemplateMeta": "ObjectMeta",
    "Address": "Addressable",
    "ContainerDigest": "ContainerStatus",
    "Reference": "KReference",
    "AccessReviewSpec": "SelfSubjectAccessReviewSpec",
    "AccessReviewStatus": "SubjectAccessReviewStatus",
    "ClientIpConfig": "ClientIPConfig",
    "CoreService": "Service",
    "CoreServiceSpec": "ServiceSpec",
    "CoreServiceStatus": "ServiceStatus",
    "LabelRequirement": "LabelSelectorRequirement",
    "LoadBalancerAddress": "LoadBalancerIngress",
    "PodMeta": "ObjectMeta",
    "PodTemplate": "PodTemplateSpec",
    "PodTemplateSpec": "PodSpec",
    "RollingUpdate": "RollingUpdateDeployment",
    "RulesReviewSpec": "SelfSubjectRulesReviewSpec",
}
_PACKAGES = {"domainmapping": "v1beta1", "networking": "v1alpha1"}
_SCALARS = {"string": "string", "boolean": "bool", "integer": "int64", "number": "float64"}

INT32_MAX = 2**31 - 1
INT64_MAX = 2**63 - 1

_INT32 = frozenset(
    {
        "actualReplicas",
        "containerPort",
        "defaultMode",
        "desiredReplicas",
        "failureThreshold",
        "hostPort",
        "initialDelaySeconds",
        "maxSkew",
        "minDomains",
        "mode",
        "periodSeconds",
        "port",
        "successThreshold",
        "weight",
    }
)
# Fields whose type has a name of its own, by the struct where a name alone does not tell.
_NAMED = {
    "dnsPolicy": "v1.DNSPolicy",
    "imagePullPolicy": "v1.PullPolicy",
    "mountPropagation": "v1.MountPropagationMode",
    "protocol": "v1.Protocol",
    "scheme": "v1.URIScheme",
    "terminationMessagePolicy": "v1.TerminationMessagePolicy",
    "SeccompProfile.type": "v1.SeccompProfileType",
    "EmptyDirVolumeSource.medium": "v1.StorageMedium",
    "HostPathVolumeSource.type": "v1.HostPathType",
    "ImageVolumeSource.pullPolicy": "v1.PullPolicy",
    "LabelSelectorRequirement.operator": "v1.LabelSelectorOperator",
    "NodeSelectorRequirement.operator": "v1.NodeSelectorOperator",
    "PodSecurityContext.fsGroupChangePolicy": "v1.PodFSGroupChangePolicy",
    "Toleration.effect": "v1.TaintEffect",
    "Toleration.operator": "v1.TolerationOperator",
    "TopologySpreadConstraint.nodeAffinityPolicy": "v1.NodeInclusionPolicy",
    "TopologySpreadConstraint.nodeTaintsPolicy": "v1.NodeInclusionPolicy",
    "TopologySpreadConstraint.whenUnsatisfiable": "v1.UnsatisfiableConstraintAction",
    "Condition.status": "v1.ConditionStatus",
    "Condition.type": "apis.ConditionType",
    "Condition.severity": "apis.ConditionSeverity",
    "Probe.timeoutSeconds": "int32",  # a revision's is an int64
}
_ITEMS = {"add": "v1.Capability", "drop": "v1.Capability"}


def go_struct(struct: type) -> str:
    """Return the name of the Go struct that this one stands for."""
    return _STRUCTS.get(struct.__name__, struct.__name__)


def go_type(holder: type, field: str, shape: Shape) -> str:
    """Return the Go type of a field whose JSON form has that shape."""
    match shape:
        case ObjectShape():
            return f"{_package(shape.type)}.{go_struct(shape.type)}"
        case ListShape():
            return "[]" + _ITEMS.get(field, go_type(holder, "", shape.item))
        case MapShape():
            return f"map[string]{go_type(holder, '', shape.value)}"
        case AnyShape():
            return "interface {}"
        case ScalarShape():
            return _scalar(holder, field, shape)


def _package(struct: type) -> str:
    """Return the version that the Go type belongs to; a reference is everybody's."""
    module = struct.__module__.rpartition(".")[2]
    return _PACKAGES.get(module, "v1") if struct.__name__ != "Reference" else "v1"


def _scalar(holder: type, field: str, shape: ScalarShape) -> str:
    if field in _ITEMS:
        return _ITEMS[field]
    for name in (f"{go_struct(holder)}.{field}", field):
        if name in _NAMED:
            return _NAMED[name]
    # Of an integer or text Go tries the integer, whatever it is that is neither.
    is_int32 = "integer" in shape.names and (field in _INT32 or "string" in shape.names)
    return "int32" if is_int32 else _SCALARS[shape.names[0]]


def cannot_unmarshal(value: Any, fields: tuple[tuple[type, str], ...], type_: str) -> str:
    """Return what Go's decoder says; `fields` lead to the value, each with its struct."""
    given = _kind(value)
    if not fields:
        return f"json: cannot unmarshal {given} into Go value of type {type_}"
    path = ".".join(field for _, field in fields)
    struct = go_struct(fields[-1][0])
    if given == "number" and type_.startswith("int"):
        given = f"number {value}"  # it is one, but not such a one
    return f"json: cannot unmarshal {given} into Go struct field {struct}.{path} of type {type_}"


def _kind(value: Any) -> str:
    match value:
        case bool():
            return "bool"
        case int() | float():
            return "number"
        case str():
            return "string"
        case list() | tuple():
            return "array"
        case _:
            return "object"
