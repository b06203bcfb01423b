"""What each feature of `config-features` lets a user set, and what it turns on."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.admission.settings import STOCK_FEATURES, Defaults
from simulator.config.keys import SETTINGS
from tests.support.manifests import Document, admitted, container, refusal, service

POD = "spec.template.spec"
FIRST = f"{POD}.containers[0]"
PORT = [{"containerPort": 8080}]


def one(**fields: Any) -> Document:
    """Return a Service whose only container has these fields."""
    return service(containers=[container(**fields)])


def with_features(*features: str) -> Defaults:
    return Defaults(features=STOCK_FEATURES | set(features))


def of_pod(field: str, value: Any) -> tuple[Document, str]:
    """Return a Service with this field of its pod, and its refusal."""
    return service(**{field: value}), f"must not set the field(s): {POD}.{field}"


def mounting(volume: Document, **mount: Any) -> Document:
    mounts = [{"name": "v", "mountPath": "/v", **mount}]
    return service(containers=[container(volumeMounts=mounts)], volumes=[{"name": "v", **volume}])


def off(title: str, source: str, found: str) -> str:
    """Return the refusal of a type of volumes."""
    return (
        f"{title} support is disabled, but found {found}: \n"
        f"must not set the field(s): {POD}.volumes[0].{source}"
    )


CLAIM = {"persistentVolumeClaim": {"claimName": "c", "readOnly": True}}
PROBED = [container(ports=PORT), container(livenessProbe={"tcpSocket": {"port": 1}})]
BY_FIELD = [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "x"}}}]
ADDING = {"capabilities": {"add": ["NET_ADMIN"]}}

# What each feature is for: a Service that needs it, and what is said when it is disabled.
FEATURES: dict[str, tuple[Document, str]] = {
    "kubernetes.containerspec-addcapabilities": (
        one(securityContext=ADDING),
        f"must not set the field(s): {FIRST}.securityContext.capabilities.add",
    ),
    "kubernetes.podspec-affinity": of_pod("affinity", {}),
    "kubernetes.podspec-dnsconfig": of_pod("dnsConfig", {}),
    "kubernetes.podspec-dnspolicy": of_pod("dnsPolicy", "x"),
    "kubernetes.podspec-fieldref": (
        one(env=BY_FIELD),
        f"must not set the field(s): {FIRST}.env[0].valueFrom.fieldRef",
    ),
    "kubernetes.podspec-hostaliases": of_pod("hostAliases", [{}]),
    "kubernetes.podspec-hostipc": of_pod("hostIPC", True),
    "kubernetes.podspec-hostnetwork": of_pod("hostNetwork", True),
    "kubernetes.podspec-hostpid": of_pod("hostPID", True),
    "kubernetes.podspec-init-containers": (
        service(initContainers=[container()]),
        (
            f"must not set the field(s): {POD}.initContainers\n"
            "pod spec support for init-containers is off, but found 1 init containers: "
        ),
    ),
    "kubernetes.podspec-nodeselector": of_pod("nodeSelector", {"a": "b"}),
    "kubernetes.podspec-persistent-volume-claim": (
        mounting(CLAIM, readOnly=True),
        off("Persistent volume claim", "persistentVolumeClaim", "persistent volume claim c"),
    ),
    "kubernetes.podspec-persistent-volume-write": (
        mounting({"persistentVolumeClaim": {"claimName": "c"}}),
        (
            "Persistent volume write support is disabled, but found persistent volume claim c that"
            " is not read-only: "
        ),
    ),
    "kubernetes.podspec-priorityclassname": of_pod("priorityClassName", "x"),
    "kubernetes.podspec-runtimeclassname": of_pod("runtimeClassName", "x"),
    "kubernetes.podspec-schedulername": of_pod("schedulerName", "x"),
    "kubernetes.podspec-securitycontext": of_pod("securityContext", {}),
    "kubernetes.podspec-shareprocessnamespace": of_pod("shareProcessNamespace", False),
    "kubernetes.podspec-tolerations": of_pod("tolerations", [{}]),
    "kubernetes.podspec-topologyspreadconstraints": of_pod("topologySpreadConstraints", [{}]),
    "kubernetes.podspec-volumes-csi": (
        mounting({"csi": {"driver": "d"}}),
        off("CSI volume", "csi", "CSI volume v"),
    ),
    "kubernetes.podspec-volumes-emptydir": (
        mounting({"emptyDir": {}}),
        off("EmptyDir volume", "emptyDir", "EmptyDir volume v"),
    ),
    "kubernetes.podspec-volumes-ephemeral": (
        mounting({"ephemeral": {}}),
        off("Ephemeral volume", "ephemeral", "Ephemeral volume v"),
    ),
    "kubernetes.podspec-volumes-hostpath": (
        mounting({"hostPath": {"path": "/x"}}),
        off("HostPath volume", "hostPath", "HostPath volume v"),
    ),
    "kubernetes.podspec-volumes-image": (
        mounting({"image": {"reference": "r"}}),
        off("Image volume", "image", "Image volume v"),
    ),
    "kubernetes.podspec-volumes-mount-propagation": (
        mounting({"emptyDir": {}}, mountPropagation="HostToContainer"),
        (
            "Volume Mount Propagation support is disabled, but found volume mount v with mount"
            f" propagation: \nmust not set the field(s): {FIRST}.volumeMounts[0].mountPropagation"
        ),
    ),
    "multi-container": (
        service(containers=[container(ports=PORT), container()]),
        "multi-container is off, but found 2 containers: ",
    ),
    "multi-container-probing": (
        service(containers=PROBED),
        f"must not set the field(s): {POD}.containers[1].livenessProbe",
    ),
}
# What needs another feature besides.
ALSO = {
    "kubernetes.podspec-persistent-volume-write": {"kubernetes.podspec-persistent-volume-claim"}
}
# Features that refuse nothing: what they do is tested where it is done.
ELSEWHERE = {
    "autodetect-http2",
    "queueproxy.mount-podinfo",
    "queueproxy.resource-defaults",
    "secure-pod-defaults",
    "tag-header-based-routing",
}


@pytest.mark.parametrize("feature", FEATURES)
def test_each_feature_decides_about_what_it_is_for(feature: str) -> None:
    document, message = FEATURES[feature]
    others = STOCK_FEATURES | ALSO.get(feature, frozenset())
    assert refusal(document, defaults=Defaults(features=others - {feature})) == message
    admitted(document, defaults=Defaults(features=others | {feature}))


def test_every_feature_has_its_row() -> None:
    known = {setting.key for setting in SETTINGS["config-features"]}
    assert FEATURES.keys() | ELSEWHERE == known


def test_a_pod_may_only_give_up_its_token() -> None:
    admitted(service(automountServiceAccountToken=False))
    assert refusal(service(automountServiceAccountToken=True)) == (
        f"must not set the field(s): {POD}.automountServiceAccountToken"
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
