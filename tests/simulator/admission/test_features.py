"""What each feature of `config-features` lets a user set, and what it turns on."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.admission.settings import STOCK_FEATURES, Defaults
from tests.support.manifests import Document, admitted, container, refusal, service

POD = "spec.template.spec"
FIRST = f"{POD}.containers[0]"
PORT = [{"containerPort": 8080}]


def one(**fields: Any) -> Document:
    """Return a Service whose only container has these fields."""
    return service(containers=[container(**fields)])


def with_features(*features: str) -> Defaults:
    return Defaults(features=STOCK_FEATURES | set(features))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("affinity", {}),
        ("topologySpreadConstraints", [{}]),
        ("hostAliases", [{}]),
        ("nodeSelector", {"a": "b"}),
        ("runtimeClassName", "x"),
        ("tolerations", [{}]),
        ("securityContext", {}),
        ("shareProcessNamespace", False),
        ("priorityClassName", "x"),
        ("schedulerName", "x"),
        ("dnsPolicy", "x"),
        ("dnsConfig", {}),
        ("hostIPC", True),
        ("hostPID", True),
        ("hostNetwork", True),
        ("automountServiceAccountToken", True),
    ],
)
def test_fields_of_the_pod_behind_a_feature_are_refused(field: str, value: Any) -> None:
    document = service(**{field: value})
    assert refusal(document) == f"must not set the field(s): {POD}.{field}"
    if field != "automountServiceAccountToken":
        feature = f"kubernetes.podspec-{field.lower()}"
        admitted(document, defaults=with_features(feature))


def test_several_containers_need_their_feature() -> None:
    document = service(containers=[container(ports=PORT), container()])
    admitted(document)
    assert refusal(document, defaults=Defaults(features=frozenset())) == (
        "multi-container is off, but found 2 containers: "
    )


def test_the_pods_security_context_is_refused_with_what_it_sets() -> None:
    context = {"runAsUser": 0, "sysctls": []}
    assert refusal(service(securityContext=context)) == (
        f"must not set the field(s): {POD}.securityContext, {POD}.securityContext.runAsUser,"
        f" {POD}.securityContext.sysctls"
    )
    enabled = with_features("kubernetes.podspec-securitycontext")
    context = {"runAsUser": -1, "supplementalGroups": [1, -1]}
    assert refusal(service(securityContext=context), defaults=enabled) == (
        f"expected 0 <= -1 <= 2147483647: {POD}.securityContext.runAsUser,"
        f" {POD}.securityContext.supplementalGroups[1]"
    )


@pytest.mark.parametrize(
    ("feature", "document", "message"),
    [
        pytest.param("kubernetes.podspec-nodeselector", service(nodeSelector={"a": "b"}), "",
            id="a field of the pod"),
        pytest.param("kubernetes.podspec-fieldref",
            one(env=[{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "x"}}}]), "",
            id="env from a field"),
        pytest.param("kubernetes.podspec-securitycontext",
            service(securityContext={"runAsUser": 1}), "", id="the pod's security context"),
        pytest.param("kubernetes.podspec-init-containers", service(initContainers=[container()]),
            "pod spec support for init-containers is off, but found 1 init containers: ",
            id="init containers"),
        pytest.param("multi-container", service(containers=[container(ports=PORT), container()]),
            "multi-container is off, but found 2 containers: ", id="several containers"),
        pytest.param("kubernetes.containerspec-addcapabilities",
            one(securityContext={"capabilities": {"add": ["X"]}}),
            f"must not set the field(s): {FIRST}.securityContext.capabilities.add",
            id="added capabilities"),
        pytest.param("kubernetes.podspec-volumes-hostpath",
            service(
                containers=[container(volumeMounts=[{"name": "v", "mountPath": "/v"}])],
                volumes=[{"name": "v", "hostPath": {"path": "/"}}],
            ),
            "HostPath volume support is disabled, but found HostPath volume v: ",
            id="a volume of a type"),
    ],
)  # fmt: skip
def test_a_feature_that_is_only_allowed_lets_fields_be_set_and_turns_nothing_on(
    feature: str, document: Document, message: str
) -> None:
    features = STOCK_FEATURES - {feature}
    if message:
        defaults = Defaults(features=features, allowed=frozenset({feature}))
        assert refusal(document, defaults=defaults) == message
    else:
        admitted(document, defaults=Defaults(features=features, allowed=frozenset({feature})))


def test_secure_defaults_leave_a_way_out() -> None:
    secure = with_features("secure-pod-defaults")
    low = {"capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]}}
    admitted(one(securityContext=low), defaults=secure)
    admitted(service(securityContext={"seccompProfile": {"type": "Unconfined"}}), defaults=secure)
    other = {"seccompProfile": {"type": "Localhost"}, "runAsUser": 1}
    assert refusal(service(securityContext=other), defaults=secure) == (
        f"must not set the field(s): {POD}.securityContext.runAsUser,"
        f" {POD}.securityContext.seccompProfile"
    )


def test_init_containers_reach_admission_whole() -> None:
    init = container(
        ports=[{"containerPort": 80, "hostPort": 80, "hostIP": "1.1.1.1"}],
        resources={"claims": [{"name": "x"}]},
        env=[{"value": "x"}],
    )
    enabled = with_features("kubernetes.podspec-init-containers")
    first = f"{POD}.containers[0]"
    assert refusal(service(initContainers=[init]), defaults=enabled) == (
        f"missing field(s): {first}.env[0].name\n"
        f"must not set the field(s): {first}.ports.hostIP, {first}.ports.hostPort,"
        f" {first}.resources.claims"
    )


def test_init_containers_are_refused_twice_over() -> None:
    assert refusal(service(initContainers=[container()])) == (
        f"must not set the field(s): {POD}.initContainers\n"
        f"pod spec support for init-containers is off, but found 1 init containers: "
    )
