"""What breaks a kind's schema is refused, what it leaves out is dropped, as a cluster does it."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.errors import BadRequest, Invalid
from simulator.resources.decoding import decode
from simulator.resources.podspec import Container
from simulator.resources.scheme import BY_TYPE
from simulator.resources.serving import Service, TrafficTarget
from tests.support.manifests import container, edited, service

SERVICE = BY_TYPE[Service]

DURING = "DuringSchedulingIgnoredDuringExecution"
GO = "json: cannot unmarshal"
POD_PATH = "spec.template.spec"


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        pytest.param(
            f"{POD_PATH}.timeoutSeconds",
            "10",
            f"{GO} string into Go struct field RevisionSpec.{POD_PATH}.timeoutSeconds"
            " of type int64",
            id="a text for an integer",
        ),
        pytest.param(
            "spec.traffic.0.percent",
            1.5,
            f"{GO} number 1.5 into Go struct field TrafficTarget.spec.traffic.percent"
            " of type int64",
            id="a fraction for an integer",
        ),
        pytest.param(
            "spec.traffic.0.percent",
            2**63,
            f"{GO} number 9223372036854775808 into Go struct field"
            " TrafficTarget.spec.traffic.percent of type int64",
            id="an integer beyond 64 bits",
        ),
        pytest.param(
            f"{POD_PATH}.containers.0.ports",
            [{"containerPort": 2**31}],
            f"{GO} number 2147483648 into Go struct field"
            f" ContainerPort.{POD_PATH}.containers.ports.containerPort of type int32",
            id="an integer beyond 32 bits",
        ),
        pytest.param(
            "spec.traffic.0.latestRevision",
            1,
            f"{GO} number into Go struct field TrafficTarget.spec.traffic.latestRevision"
            " of type bool",
            id="an integer for a boolean",
        ),
        pytest.param(
            f"{POD_PATH}.containers.0.env",
            [{"name": "A", "value": 5}],
            f"{GO} number into Go struct field EnvVar.{POD_PATH}.containers.env.value"
            " of type string",
            id="a number for an environment variable",
        ),
        pytest.param(
            f"{POD_PATH}.containers.0.args",
            ["a", 1],
            f"{GO} number into Go struct field Container.{POD_PATH}.containers.args of type string",
            id="a number in a list of texts",
        ),
        pytest.param(
            f"{POD_PATH}.containers.0.imagePullPolicy",
            True,
            f"{GO} bool into Go struct field Container.{POD_PATH}.containers.imagePullPolicy"
            " of type v1.PullPolicy",
            id="a boolean for a text that has a type of its own",
        ),
        pytest.param(
            "spec.traffic",
            {},
            f"{GO} object into Go struct field ServiceSpec.spec.traffic of type []v1.TrafficTarget",
            id="an object for an array",
        ),
        pytest.param(
            "spec",
            [],
            f"{GO} array into Go struct field Service.spec of type v1.ServiceSpec",
            id="an array for an object",
        ),
        pytest.param(
            "spec.template.metadata.labels",
            {"a": 1},
            f"{GO} number into Go struct field ObjectMeta.spec.template.metadata.labels"
            " of type string",
            id="a number in a map of texts",
        ),
        pytest.param(
            f"{POD_PATH}.containers.0.readinessProbe",
            {"httpGet": {"port": True}},
            f"{GO} bool into Go struct field"
            f" HTTPGetAction.{POD_PATH}.containers.readinessProbe.httpGet.port of type int32",
            id="a boolean for an int-or-string",
        ),
        pytest.param(
            f"{POD_PATH}.containers.0.securityContext",
            {"runAsUser": "root"},
            f"{GO} string into Go struct field"
            f" SecurityContext.{POD_PATH}.containers.securityContext.runAsUser of type int64",
            id="below a part that is kept as it is",
        ),
        pytest.param(
            f"{POD_PATH}.volumes",
            [{"name": "v", "configMap": "x"}],
            f"{GO} string into Go struct field Volume.{POD_PATH}.volumes.configMap"
            " of type v1.ConfigMapVolumeSource",
            id="below a volume",
        ),
        pytest.param(
            f"{POD_PATH}.affinity",
            "near",
            f"{GO} string into Go struct field RevisionSpec.{POD_PATH}.affinity"
            " of type v1.Affinity",
            id="a text for an affinity",
        ),
        pytest.param(
            f"{POD_PATH}.affinity",
            {"nodeAffinity": {f"preferred{DURING}": [{"weight": "1"}]}},
            f"{GO} string into Go struct field PreferredSchedulingTerm"
            f".{POD_PATH}.affinity.nodeAffinity.preferred{DURING}.weight of type int32",
            id="below an affinity",
        ),
        pytest.param(
            f"{POD_PATH}.tolerations",
            [{"key": "a", "effect": 1}],
            f"{GO} number into Go struct field Toleration.{POD_PATH}.tolerations.effect"
            " of type v1.TaintEffect",
            id="below a toleration",
        ),
        pytest.param(
            f"{POD_PATH}.tolerations",
            {"key": "a"},
            f"{GO} object into Go struct field RevisionSpec.{POD_PATH}.tolerations"
            " of type []v1.Toleration",
            id="a toleration for a list of them",
        ),
        pytest.param(
            f"{POD_PATH}.securityContext",
            {"fsGroup": "root"},
            f"{GO} string into Go struct field PodSecurityContext"
            f".{POD_PATH}.securityContext.fsGroup of type int64",
            id="below the pod's security context",
        ),
        pytest.param(
            f"{POD_PATH}.volumes",
            [{"name": "v", "emptyDir": {"medium": True}}],
            f"{GO} bool into Go struct field EmptyDirVolumeSource"
            f".{POD_PATH}.volumes.emptyDir.medium of type v1.StorageMedium",
            id="below a volume's source",
        ),
        pytest.param(
            f"{POD_PATH}.containers.0.resources",
            {"limits": {"cpu": "much"}},
            "quantities must match the regular expression"
            " '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
            id="what is no quantity",
        ),
    ],
)
def test_a_wrong_type_is_refused_in_the_words_of_knatives_webhook(
    path: str, value: Any, words: str
) -> None:
    document = edited(service(traffic=[{"percent": 100}]), path, value)
    with pytest.raises(BadRequest) as refused:
        decode(document, SERVICE)
    assert refused.value.message == (
        'admission webhook "webhook.serving.knative.dev" denied the request: mutation failed:'
        f" cannot decode incoming new object: {words}"
    )


def test_of_several_wrong_types_the_first_by_name_is_told() -> None:
    document = edited(service(timeoutSeconds="x", containerConcurrency=[]), "spec.traffic", 1)
    with pytest.raises(BadRequest, match="containerConcurrency of type int64"):
        decode(document, SERVICE)


@pytest.mark.parametrize(
    ("path", "value", "cause"),
    [
        pytest.param(
            "spec.template.spec",
            {},
            'spec.template.spec.containers: Invalid value: "null":'
            ' spec.template.spec.containers in body must be of type array: "null"',
            id="no containers: by now the webhook has made them null",
        ),
        pytest.param(
            "spec.template.spec.containers.0.env",
            [{"name": "A"}, {"name": "B"}, {"name": "A"}],
            'spec.template.spec.containers[0].env[2]: Duplicate value: {"name":"A"}',
            id="env names are unique",
        ),
        pytest.param(
            "spec.template.spec.containers.0.volumeMounts",
            [{"name": "v", "mountPath": "/x"}, {"name": "w", "mountPath": "/x"}],
            'spec.template.spec.containers[0].volumeMounts[1]: Duplicate value: {"mountPath":"/x"}',
            id="mount paths are unique",
        ),
        pytest.param(
            "spec.template.spec.volumes",
            [{"name": "v"}, {"name": "v"}],
            'spec.template.spec.volumes[1]: Duplicate value: {"name":"v"}',
            id="volume names are unique",
        ),
    ],
)
def test_what_breaks_the_schema_is_invalid(path: str, value: Any, cause: str) -> None:
    document = edited(service(traffic=[{"percent": 100}]), path, value)
    with pytest.raises(Invalid) as refused:
        decode(document, SERVICE)
    assert refused.value.message == f'Service.serving.knative.dev "hello" is invalid: {cause}'
    assert refused.value.code == 422


def test_all_causes_of_the_schema_come_at_once() -> None:
    twice = [{"name": "A"}, {"name": "A"}]
    document = service(containers=[container(env=twice), container(env=twice)])
    with pytest.raises(Invalid) as refused:
        decode(document, SERVICE)
    assert refused.value.details is not None
    assert [cause["field"] for cause in refused.value.details["causes"]] == [
        "spec.template.spec.containers[0].env[1]",
        "spec.template.spec.containers[1].env[1]",
    ]


@pytest.mark.parametrize(
    ("path", "value", "unknown"),
    [
        ("containers.0.ports", [{"hostPort": 1}], "containers[0].ports[0].hostPort"),
        ("containers.0.resources", {"claims": []}, "containers[0].resources.claims"),
        (
            "containers.0.volumeMounts",
            [{"name": "v", "mountPath": "/v", "subPathExpr": "x"}],
            "containers[0].volumeMounts[0].subPathExpr",
        ),
        (
            "containers.0.livenessProbe",
            {"terminationGracePeriodSeconds": 1},
            "containers[0].livenessProbe.terminationGracePeriodSeconds",
        ),
        (
            "containers.0.env",
            [{"name": "A", "valueFrom": {"fileKeyRef": {}}}],
            "containers[0].env[0].valueFrom.fileKeyRef",
        ),
        (
            "containers.0.securityContext",
            {"procMount": "x"},
            "containers[0].securityContext.procMount",
        ),
        ("volumes", [{"name": "v", "nfs": {}}], "volumes[0].nfs"),
    ],
)
def test_what_knatives_schema_leaves_out_of_a_pod_is_dropped(
    path: str, value: Any, unknown: str
) -> None:
    decoded = decode(edited(service(volumes=[]), f"spec.template.spec.{path}", value), SERVICE)
    assert decoded.unknown_fields == (f"spec.template.spec.{unknown}",)


def test_the_schema_keeps_whatever_init_containers_say() -> None:
    odd = {"image": "x", "ports": [{"hostPort": 80}], "lifecycle": {}, "env": [{"value": "x"}]}
    decoded = decode(service(initContainers=[odd]), SERVICE)
    assert decoded.unknown_fields == ()
    assert isinstance(decoded.object, Service)
    init = decoded.object.spec.template.spec.init_containers[0]
    assert init.ports[0].host_port == 80


def test_a_null_in_a_list_is_an_empty_item() -> None:
    decoded = decode(service(containers=[None], traffic=[None]), SERVICE).object
    assert isinstance(decoded, Service)
    assert decoded.spec.template.spec.containers == (Container(),)
    assert decoded.spec.traffic == (TrafficTarget(),)


def test_quantities_are_kept_in_the_one_way_to_write_them() -> None:
    amounts = {"cpu": 0.5, "memory": "1024Mi", "ephemeral-storage": 1000}
    decoded = decode(service(containers=[container(resources={"limits": amounts})]), SERVICE)
    assert isinstance(decoded.object, Service)
    resources = decoded.object.spec.template.spec.containers[0].resources
    assert resources is not None
    assert resources.limits == {"cpu": "500m", "memory": "1Gi", "ephemeral-storage": "1k"}
