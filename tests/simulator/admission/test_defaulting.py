"""What is left out is filled in as Knative does (table 2.1 of its behaviour)."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.admission.settings import STOCK_FEATURES, Defaults
from simulator.resources.scheme import to_document
from simulator.resources.serving import Service
from simulator.store.patching import copied
from tests.support.manifests import (
    Document,
    admitted,
    configuration,
    container,
    edited,
    refusal,
    revision,
    route,
    service,
)

PROBE = {"successThreshold": 1, "tcpSocket": {"port": 0}}


def stored(document: Document, **settings: Any) -> Document:
    """Return the document as it would be stored."""
    result: Document = copied(to_document(admitted(document, defaults=Defaults(**settings)).object))
    return result


def pod(document: Document, **settings: Any) -> Document:
    spec: Document = stored(document, **settings)["spec"]["template"]["spec"]
    return spec


def test_a_service_that_says_the_least_gets_everything_else() -> None:
    document = stored(service())
    assert document["spec"] == {
        "template": {
            "metadata": {},
            "spec": {
                "containers": [
                    {
                        "name": "user-container",
                        "image": "registry.example.com/hello:1",
                        "readinessProbe": PROBE,
                        "resources": {},
                    }
                ],
                "containerConcurrency": 0,
                "enableServiceLinks": False,
                "timeoutSeconds": 300,
            },
        },
        "traffic": [{"latestRevision": True, "percent": 100}],
    }
    assert document["metadata"]["annotations"] == {
        "serving.knative.dev/creator": "ann",
        "serving.knative.dev/lastModifier": "ann",
    }


def test_defaulting_again_changes_nothing() -> None:
    once = admitted(service()).object
    assert admitted(copied(to_document(once)), once).object == once


@pytest.mark.parametrize(
    ("given", "targets"),
    [
        pytest.param(
            None, [{"latestRevision": True, "percent": 100}], id="no traffic goes to the latest"
        ),
        pytest.param(
            [{"percent": 100, "revisionName": "a"}],
            [{"latestRevision": False, "percent": 100, "revisionName": "a"}],
            id="a target with a revision is pinned",
        ),
        pytest.param(
            [{"percent": 100}, {"tag": "t", "revisionName": "a"}],
            [
                {"latestRevision": True, "percent": 100},
                {"latestRevision": False, "percent": 0, "revisionName": "a", "tag": "t"},
            ],
            id="a missing percent is 0",
        ),
    ],
)
def test_traffic_is_made_explicit(given: list[Document] | None, targets: list[Document]) -> None:
    assert stored(service(traffic=given))["spec"]["traffic"] == targets


@pytest.mark.parametrize(
    ("given", "settings", "expected"),
    [
        pytest.param({}, {}, {"timeoutSeconds": 300}, id="no timeout"),
        pytest.param({"timeoutSeconds": 0}, {}, {"timeoutSeconds": 300}, id="a timeout of 0"),
        pytest.param(
            {"timeoutSeconds": 400},
            {},
            {"timeoutSeconds": 400, "responseStartTimeoutSeconds": 300},
            id="the response start gets its default only below the timeout",
        ),
        pytest.param(
            {"timeoutSeconds": 400, "responseStartTimeoutSeconds": 5},
            {},
            {"timeoutSeconds": 400, "responseStartTimeoutSeconds": 5},
            id="a given response start stays",
        ),
        pytest.param(
            {},
            {"revision_idle_timeout_seconds": 60},
            {"timeoutSeconds": 300, "idleTimeoutSeconds": 60},
            id="a configured idle timeout",
        ),
        pytest.param(
            {"timeoutSeconds": 30},
            {"revision_idle_timeout_seconds": 60},
            {"timeoutSeconds": 30},
            id="an idle timeout that is not below the timeout",
        ),
    ],
)
def test_timeouts_are_filled_in(
    given: Document, settings: dict[str, int], expected: Document
) -> None:
    spec = pod(service(**given), **settings)
    assert {key: value for key, value in spec.items() if "Timeout" in key or "timeout" in key} == (
        expected
    )


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        pytest.param([""], ["user-container"], id="the only container"),
        pytest.param(["mine"], ["mine"], id="a given name stays"),
        pytest.param(["", ""], ["user-container-0", "user-container-1"], id="several are numbered"),
        pytest.param(
            ["", "user-container-0"], ["user-container-1", "user-container-0"], id="no clash"
        ),
    ],
)
def test_containers_get_names(names: list[str], expected: list[str]) -> None:
    containers = [container(name=name) for name in names]
    containers[0]["ports"] = [{"containerPort": 80}]
    found = pod(service(containers=containers))["containers"]
    assert [each["name"] for each in found] == expected


def test_an_init_container_gets_its_own_name() -> None:
    features = frozenset({"kubernetes.podspec-init-containers"})
    spec = pod(service(initContainers=[container()]), features=features)
    assert spec["initContainers"][0]["name"] == "init-container"
    assert "readinessProbe" not in spec["initContainers"][0]


@pytest.mark.parametrize(
    ("template", "name"),
    [
        ("{{.Namespace}}-{{.Name}}", "default-hello"),
        ('{{ index .Labels "team" }}-{{ index .Annotations "a" }}', "blue-x"),
        ("plain", "plain"),
        ("{{.Nothing}}", "-0"),  # no name, which the container itself has taken
    ],
)
def test_a_name_template_knows_the_parent(template: str, name: str) -> None:
    document = edited(service(annotations={"a": "x"}), "metadata.labels", {"team": "blue"})
    assert pod(document, container_name_template=template)["containers"][0]["name"] == name


@pytest.mark.parametrize(
    ("probe", "expected"),
    [
        pytest.param(None, PROBE, id="none: the port accepts a connection"),
        pytest.param({}, PROBE, id="an empty one"),
        pytest.param(
            {"httpGet": {"path": "/"}},
            {"httpGet": {"path": "/"}, "successThreshold": 1},
            id="another handler stays",
        ),
        pytest.param(
            {"periodSeconds": 5},
            {**PROBE, "periodSeconds": 5, "failureThreshold": 3, "timeoutSeconds": 1},
            id="a period brings Kubernetes' own defaults",
        ),
        pytest.param(
            {"grpc": {"port": 1}},
            {"grpc": {"port": 1, "service": ""}, "successThreshold": 1},
            id="a gRPC service is named, by nothing",
        ),
    ],
)
def test_the_readiness_probe_is_completed(probe: Document | None, expected: Document) -> None:
    document = service(containers=[container(readinessProbe=probe)])
    assert pod(document)["containers"][0]["readinessProbe"] == expected


def test_only_the_container_with_a_port_is_probed() -> None:
    containers = [container(ports=[{"containerPort": 8080}]), container()]
    serving, sidecar = pod(service(containers=containers))["containers"]
    assert serving["readinessProbe"] == PROBE
    assert "readinessProbe" not in sidecar


def test_a_port_without_protocol_is_tcp() -> None:
    document = service(containers=[container(ports=[{"containerPort": 80}])])
    assert pod(document)["containers"][0]["ports"] == [{"containerPort": 80, "protocol": "TCP"}]


def test_mounts_are_read_only_unless_the_volume_is_made_to_be_written() -> None:
    document = service(
        containers=[
            container(
                volumeMounts=[
                    {"name": "secret", "mountPath": "/s"},
                    {"name": "scratch", "mountPath": "/t"},
                ]
            )
        ],
        volumes=[
            {"name": "secret", "secret": {"secretName": "x"}},
            {"name": "scratch", "emptyDir": {}},
        ],
    )
    assert pod(document)["containers"][0]["volumeMounts"] == [
        {"name": "secret", "mountPath": "/s", "readOnly": True},
        {"name": "scratch", "mountPath": "/t"},
    ]


def test_configured_resources_fill_the_gaps() -> None:
    document = service(containers=[container(resources={"limits": {"cpu": "1"}})])
    settings: dict[str, Any] = {
        "revision_requests": {"cpu": "100m"},
        "revision_limits": {"cpu": "2", "memory": "1G"},
    }
    assert pod(document, **settings)["containers"][0]["resources"] == {
        "requests": {"cpu": "100m"},
        "limits": {"cpu": "1", "memory": "1G"},
    }


def test_service_links_get_a_default_only_when_the_service_is_new() -> None:
    assert pod(service())["enableServiceLinks"] is False
    old = admitted(service()).object
    document = service(annotations=old.metadata.annotations, timeoutSeconds=5)
    updated = admitted(document, old).object
    assert isinstance(updated, Service)
    assert updated.spec.template.spec.enable_service_links is None


def test_a_template_that_keeps_its_revisions_name_gets_no_defaults() -> None:
    old = admitted(service(template={"name": "hello-v1"})).object
    whole = copied(to_document(old))
    assert admitted(whole, old).object == old
    del whole["spec"]["template"]["spec"]["timeoutSeconds"]
    assert '.Spec.TimeoutSeconds:\n\t-: "300"\n\t+: "<nil>"' in refusal(whole, old)


def test_who_changed_a_spec_last_is_noted_and_who_made_it_never_changes() -> None:
    old = admitted(service(), user="ann").object
    same = admitted(copied(to_document(old)), old, user="bob").object
    assert same == old
    document = service(annotations=old.metadata.annotations, timeoutSeconds=5)
    changed = admitted(document, old, user="bob").object
    assert changed.metadata.annotations["serving.knative.dev/creator"] == "ann"
    assert changed.metadata.annotations["serving.knative.dev/lastModifier"] == "bob"


OWNER = {"apiVersion": "serving.knative.dev/v1", "kind": "Service", "name": "hello", "uid": "1"}


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(configuration(ownerReferences=[OWNER]), id="a configuration"),
        pytest.param(
            route([{"percent": 100, "configurationName": "x"}], ownerReferences=[OWNER]),
            id="a route",
        ),
    ],
)
def test_an_owned_child_is_not_signed(document: Document) -> None:
    assert "annotations" not in stored(document)["metadata"]


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(configuration(), id="a configuration"),
        pytest.param(route([{"percent": 100, "configurationName": "x"}]), id="a route"),
    ],
)
def test_a_child_of_nobody_is_signed(document: Document) -> None:
    annotations = stored(document)["metadata"]["annotations"]
    assert annotations["serving.knative.dev/creator"] == "ann"


def test_a_bare_route_gets_no_traffic_of_its_own() -> None:
    target = {"percent": 100, "configurationName": "x"}
    assert stored(route([target]))["spec"]["traffic"] == [{**target, "latestRevision": True}]


def test_a_new_revision_gets_defaults_and_an_old_one_none() -> None:
    old = admitted(revision()).object
    assert copied(to_document(old))["spec"]["timeoutSeconds"] == 300
    assert admitted(copied(to_document(old)), old).object == old


SECURED = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        pytest.param(service(), SECURED, id="nothing said"),
        pytest.param(
            service(containers=[container(ports=[{"containerPort": 80}])]),
            SECURED | {"capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]}},
            id="a low port",
        ),
        pytest.param(
            service(
                containers=[
                    container(
                        securityContext={
                            "allowPrivilegeEscalation": True,
                            "capabilities": {},
                            "runAsNonRoot": False,
                            "seccompProfile": {"type": "Localhost", "localhostProfile": "x"},
                        }
                    )
                ]
            ),
            {
                "allowPrivilegeEscalation": True,
                "capabilities": {},
                "runAsNonRoot": False,
                "seccompProfile": {"type": "Localhost", "localhostProfile": "x"},
            },
            id="all said by the container",
        ),
        pytest.param(
            service(securityContext={"seccompProfile": {"type": "Unconfined"}}),
            {key: value for key, value in SECURED.items() if key != "seccompProfile"},
            id="the profile said by the pod",
        ),
    ],
)
def test_secure_pod_defaults_fill_in_what_nobody_says(
    document: Document, expected: Document
) -> None:
    features = STOCK_FEATURES | {"secure-pod-defaults"}
    (made,) = pod(document, features=features)["containers"]
    assert made["securityContext"] == expected


def test_root_bounded_secure_defaults_let_it_run_as_root() -> None:
    (made,) = pod(service(), allowed=frozenset({"secure-pod-defaults"}))["containers"]
    assert made["securityContext"] == {
        key: value for key, value in SECURED.items() if key != "runAsNonRoot"
    }
