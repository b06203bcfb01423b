"""The kinds that clients write in protobuf: of Kubernetes' own groups. Knative's are JSON or YAML.

Sources: kubernetes/api `core/v1`, `apps/v1`, `discovery/v1`, `authorization/v1`,
`authentication/v1`, each `generated.proto`. The fields that only a server writes are passed over
where knary has none.
"""

from __future__ import annotations

from collections.abc import Mapping

from simulator.api.protobuf.messages import (
    Field,
    Message,
    optional,
    part,
    parts,
    text,
    text_map,
    texts,
)
from simulator.api.protobuf.metadata import (
    CONDITION,
    LABEL_SELECTOR,
    LABEL_SELECTOR_REQUIREMENT,
    OBJECT_META,
)
from simulator.api.protobuf.pods import LOCAL_OBJECT_REFERENCE, POD_SPEC

_METADATA = part("metadata", OBJECT_META)
_OBJECT_REFERENCE = Message(
    "ObjectReference",
    {
        1: text("kind"),
        2: text("namespace"),
        3: text("name"),
        4: text("uid"),
        5: text("apiVersion"),
        6: text("resourceVersion"),
        7: text("fieldPath"),
    },
)
_NAMESPACE = Message(
    "Namespace",
    {
        1: _METADATA,
        2: part("spec", Message("NamespaceSpec", {1: texts("finalizers")})),
        3: part("status", Message("NamespaceStatus", {1: text("phase")})),
    },
)
_CONFIG_MAP = Message(
    "ConfigMap",
    {
        1: _METADATA,
        2: text_map("data"),
        3: Field("binaryData", "bytes", "map"),
        4: optional("immutable", "bool"),
    },
)
_SECRET = Message(
    "Secret",
    {
        1: _METADATA,
        2: Field("data", "bytes", "map"),
        3: text("type"),
        4: text_map("stringData"),
        5: optional("immutable", "bool"),
    },
)
_SERVICE_ACCOUNT = Message(
    "ServiceAccount",
    {
        1: _METADATA,
        2: parts("secrets", _OBJECT_REFERENCE),
        3: parts("imagePullSecrets", LOCAL_OBJECT_REFERENCE),
        4: optional("automountServiceAccountToken", "bool"),
    },
)
_SERVICE_PORT = Message(
    "ServicePort",
    {
        1: text("name"),
        2: text("protocol"),
        3: Field("port", "int32", keeps_zero=True),
        4: Field("targetPort", "int or string", keeps_zero=True),
        5: Field("nodePort", "int32"),
        6: optional("appProtocol", "string"),
    },
)
_AFFINITY_CONFIG = Message(
    "SessionAffinityConfig",
    {1: part("clientIP", Message("ClientIPConfig", {1: optional("timeoutSeconds", "int32")}))},
)
_SERVICE_SPEC = Message(
    "ServiceSpec",
    {
        1: parts("ports", _SERVICE_PORT),
        2: text_map("selector"),
        3: text("clusterIP"),
        4: text("type"),
        5: texts("externalIPs"),
        7: text("sessionAffinity"),
        8: text("loadBalancerIP"),
        9: texts("loadBalancerSourceRanges"),
        10: text("externalName"),
        11: text("externalTrafficPolicy"),
        12: Field("healthCheckNodePort", "int32"),
        13: Field("publishNotReadyAddresses", "bool"),
        14: part("sessionAffinityConfig", _AFFINITY_CONFIG),
        17: optional("ipFamilyPolicy", "string"),
        18: texts("clusterIPs"),
        19: texts("ipFamilies"),
        20: optional("allocateLoadBalancerNodePorts", "bool"),
        21: optional("loadBalancerClass", "string"),
        22: optional("internalTrafficPolicy", "string"),
        23: optional("trafficDistribution", "string"),
    },
)
_LOAD_BALANCER_STATUS = Message(
    "LoadBalancerStatus",
    {1: parts("ingress", Message("LoadBalancerIngress", {1: text("ip"), 2: text("hostname")}))},
)
_SERVICE = Message(
    "Service",
    {
        1: _METADATA,
        2: part("spec", _SERVICE_SPEC),
        3: part(
            "status",
            Message(
                "ServiceStatus",
                {1: part("loadBalancer", _LOAD_BALANCER_STATUS), 2: parts("conditions", CONDITION)},
            ),
        ),
    },
)
_ENDPOINT_ADDRESS = Message(
    "EndpointAddress",
    {
        1: text("ip"),
        2: part("targetRef", _OBJECT_REFERENCE),
        3: text("hostname"),
        4: optional("nodeName", "string"),
    },
)
_ENDPOINT_PORT = Message(
    "EndpointPort",
    {
        1: text("name"),
        2: Field("port", "int32", keeps_zero=True),
        3: text("protocol"),
        4: optional("appProtocol", "string"),
    },
)
_ENDPOINTS = Message(
    "Endpoints",
    {
        1: _METADATA,
        2: parts(
            "subsets",
            Message(
                "EndpointSubset",
                {
                    1: parts("addresses", _ENDPOINT_ADDRESS),
                    2: parts("notReadyAddresses", _ENDPOINT_ADDRESS),
                    3: parts("ports", _ENDPOINT_PORT),
                },
            ),
        ),
    },
)
_ENDPOINT_SLICE = Message(
    "EndpointSlice",
    {
        1: _METADATA,
        2: parts(
            "endpoints",
            Message(
                "Endpoint",
                {
                    1: texts("addresses"),
                    2: part(
                        "conditions",
                        Message(
                            "EndpointConditions",
                            {
                                1: optional("ready", "bool"),
                                2: optional("serving", "bool"),
                                3: optional("terminating", "bool"),
                            },
                        ),
                    ),
                    3: optional("hostname", "string"),
                    4: part("targetRef", _OBJECT_REFERENCE),
                    5: text_map("deprecatedTopology"),
                    6: optional("nodeName", "string"),
                    7: optional("zone", "string"),
                },
            ),
        ),
        3: parts(
            "ports",
            Message(
                "EndpointPort",
                {
                    1: optional("name", "string"),
                    2: optional("protocol", "string"),
                    3: optional("port", "int32"),
                    4: optional("appProtocol", "string"),
                },
            ),
        ),
        4: text("addressType"),
    },
)
_EVENT = Message(
    "Event",
    {
        1: _METADATA,
        2: part("involvedObject", _OBJECT_REFERENCE),
        3: text("reason"),
        4: text("message"),
        5: part("source", Message("EventSource", {1: text("component"), 2: text("host")})),
        6: Field("firstTimestamp", "time"),
        7: Field("lastTimestamp", "time"),
        8: Field("count", "int32"),
        9: text("type"),
        10: Field("eventTime", "micro time"),
        12: text("action"),
        13: part("related", _OBJECT_REFERENCE),
        14: text("reportingComponent"),
        15: text("reportingInstance"),
    },
)
_POD = Message("Pod", {1: _METADATA, 2: part("spec", POD_SPEC)})
_POD_TEMPLATE = Message("PodTemplateSpec", {1: _METADATA, 2: part("spec", POD_SPEC)})
_STRATEGY = Message(
    "DeploymentStrategy",
    {
        1: text("type"),
        2: part(
            "rollingUpdate",
            Message(
                "RollingUpdateDeployment",
                {
                    1: optional("maxUnavailable", "int or string"),
                    2: optional("maxSurge", "int or string"),
                },
            ),
        ),
    },
)
_DEPLOYMENT = Message(
    "Deployment",
    {
        1: _METADATA,
        2: part(
            "spec",
            Message(
                "DeploymentSpec",
                {
                    1: optional("replicas", "int32"),
                    2: part("selector", LABEL_SELECTOR),
                    3: part("template", _POD_TEMPLATE),
                    4: part("strategy", _STRATEGY),
                    5: Field("minReadySeconds", "int32"),
                    6: optional("revisionHistoryLimit", "int32"),
                    7: Field("paused", "bool"),
                    9: optional("progressDeadlineSeconds", "int32"),
                },
            ),
        ),
    },
)
_SELECTOR_ATTRIBUTES = Message(
    "SelectorAttributes",
    {1: text("rawSelector"), 2: parts("requirements", LABEL_SELECTOR_REQUIREMENT)},
)
_RESOURCE_ATTRIBUTES = Message(
    "ResourceAttributes",
    {
        1: text("namespace"),
        2: text("verb"),
        3: text("group"),
        4: text("version"),
        5: text("resource"),
        6: text("subresource"),
        7: text("name"),
        8: part("fieldSelector", _SELECTOR_ATTRIBUTES),
        9: part("labelSelector", _SELECTOR_ATTRIBUTES),
    },
)
_ACCESS_REVIEW_SPEC = Message(
    "SelfSubjectAccessReviewSpec",
    {
        1: part("resourceAttributes", _RESOURCE_ATTRIBUTES),
        2: part(
            "nonResourceAttributes",
            Message("NonResourceAttributes", {1: text("path"), 2: text("verb")}),
        ),
    },
)
_ACCESS_REVIEW = Message(
    "SelfSubjectAccessReview", {1: _METADATA, 2: part("spec", _ACCESS_REVIEW_SPEC)}
)
_RULES_REVIEW = Message(
    "SelfSubjectRulesReview",
    {
        1: _METADATA,
        2: part("spec", Message("SelfSubjectRulesReviewSpec", {1: text("namespace")})),
    },
)
_SELF_REVIEW = Message("SelfSubjectReview", {1: _METADATA})

MESSAGES: Mapping[tuple[str, str], Message] = {
    **{
        ("v1", message.name): message
        for message in (
            *(_NAMESPACE, _CONFIG_MAP, _SECRET, _SERVICE_ACCOUNT, _SERVICE),
            *(_ENDPOINTS, _EVENT, _POD),
        )
    },
    ("apps/v1", "Deployment"): _DEPLOYMENT,
    ("discovery.k8s.io/v1", "EndpointSlice"): _ENDPOINT_SLICE,
    ("authentication.k8s.io/v1", "SelfSubjectReview"): _SELF_REVIEW,
    ("authorization.k8s.io/v1", "SelfSubjectAccessReview"): _ACCESS_REVIEW,
    ("authorization.k8s.io/v1", "SelfSubjectRulesReview"): _RULES_REVIEW,
}
