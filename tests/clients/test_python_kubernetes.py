"""The Python client `kubernetes`: its typed APIs, custom objects, the dynamic client, watches."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes
import pytest
from kubernetes import client, watch
from kubernetes.client.exceptions import ApiException
from kubernetes.dynamic import DynamicClient
from kubernetes.dynamic.exceptions import ConflictError, NotFoundError

from tests.support.instance import Instance
from tests.support.waiting import eventually

SERVING = {"group": "serving.knative.dev", "version": "v1"}
SERVICES = {**SERVING, "plural": "services"}
WORLD, KNATIVE = "Hello World!\n", "Hello Knative!\n"
WATCH_S_MAX = 20  # the server ends a watch then, and the test fails


@pytest.fixture
def api(knary: Instance, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    """A client that knows nothing but the kubeconfig."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))  # where discovery is cached
    with kubernetes.config.new_client_from_config(str(knary.paths.kubeconfig)) as made:
        yield made


@pytest.fixture
def namespace(api: Any, request: pytest.FixtureRequest) -> str:
    """A namespace of the test's own."""
    name = request.node.name.removeprefix("test_").replace("_", "-")[:40].strip("-")
    body = client.V1Namespace(metadata=client.V1ObjectMeta(name=name))
    created = client.CoreV1Api(api).create_namespace(body)
    assert created.status.phase == "Active"
    return name


def service(name: str, target: str, traffic: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    container = {"image": "helloworld-go", "env": [{"name": "TARGET", "value": target}]}
    spec: dict[str, Any] = {"template": {"spec": {"containers": [container]}}}
    if traffic:
        spec["traffic"] = traffic
    head = {"apiVersion": "serving.knative.dev/v1", "kind": "Service"}
    return {**head, "metadata": {"name": name}, "spec": spec}


def is_ready(obj: dict[str, Any]) -> bool:
    """Tell whether the newest generation is Ready, as kn judges it."""
    status = obj.get("status", {})
    if status.get("observedGeneration") != obj["metadata"]["generation"]:
        return False
    return any(one["type"] == "Ready" and one["status"] == "True" for one in status["conditions"])


def wait_until_ready(custom: Any, namespace: str, changed: dict[str, Any]) -> dict[str, Any]:
    """Watch from the version of a change on until it is Ready; return that state."""
    if is_ready(changed):
        return changed
    watching = watch.Watch()
    for event in watching.stream(
        custom.list_namespaced_custom_object,
        **SERVICES,
        namespace=namespace,
        field_selector=f"metadata.name={changed['metadata']['name']}",
        resource_version=changed["metadata"]["resourceVersion"],
        timeout_seconds=WATCH_S_MAX,
    ):
        if is_ready(event["object"]):
            watching.stop()
            return dict(event["object"])
    raise AssertionError(f"the watch ended, and {changed['metadata']['name']} is not ready")


def texts(knary: Instance, namespace: str, count: int) -> Counter[str]:
    return Counter(knary.get("hello", namespace=namespace).text for _ in range(count))


def test_the_canary_story_with_custom_objects(knary: Instance, api: Any, namespace: str) -> None:
    custom = client.CustomObjectsApi(api)
    place = {**SERVICES, "namespace": namespace}
    one = {**place, "name": "hello"}

    created = custom.create_namespaced_custom_object(**place, body=service("hello", "World"))
    ready = wait_until_ready(custom, namespace, created)
    assert ready["status"]["url"] == f"http://hello.{namespace}.example.com"
    assert texts(knary, namespace, 5) == {WORLD: 5}

    # A second revision that nobody reaches.
    old = [{"revisionName": "hello-00001", "percent": 100}]
    new = {**ready, "spec": service("hello", "Knative", old)["spec"]}
    replaced = custom.replace_namespaced_custom_object(**one, body=new)
    assert replaced["metadata"]["generation"] == 2
    wait_until_ready(custom, namespace, replaced)
    assert texts(knary, namespace, 10) == {WORLD: 10}

    # Half and half, then all of it.
    halves = [{"revisionName": f"hello-0000{turn}", "percent": 50} for turn in (1, 2)]
    patched = custom.patch_namespaced_custom_object(**one, body={"spec": {"traffic": halves}})
    wait_until_ready(custom, namespace, patched)
    assert texts(knary, namespace, 10) == {WORLD: 5, KNATIVE: 5}
    latest = [{"latestRevision": True, "percent": 100}]
    patched = custom.patch_namespaced_custom_object(**one, body={"spec": {"traffic": latest}})
    wait_until_ready(custom, namespace, patched)
    assert texts(knary, namespace, 10) == {KNATIVE: 10}

    names = {
        item["metadata"]["name"]
        for item in custom.list_namespaced_custom_object(
            **SERVING,
            plural="revisions",
            namespace=namespace,
            label_selector="serving.knative.dev/service=hello",
        )["items"]
    }
    assert names == {"hello-00001", "hello-00002"}
    custom.delete_namespaced_custom_object(**one, propagation_policy="Foreground")
    eventually("the end of the service", lambda: not listed(custom, place))


def listed(custom: Any, place: dict[str, Any]) -> list[Any]:
    return list(custom.list_namespaced_custom_object(**place)["items"])


@pytest.mark.parametrize(
    ("traffic", "code", "reason", "message"),
    [
        pytest.param(
            [{"latestRevision": True, "percent": 90}],
            400,
            "BadRequest",
            "Traffic targets sum to 90, want 100: spec.traffic",
            id="a wrong sum",
        ),
    ],
)
def test_refusals_are_exceptions_with_a_status(
    traffic: list[dict[str, Any]], code: int, reason: str, message: str, api: Any
) -> None:
    custom = client.CustomObjectsApi(api)
    place = {**SERVICES, "namespace": "default"}
    with pytest.raises(ApiException) as refused:
        custom.create_namespaced_custom_object(**place, body=service("bad", "x", traffic))
    assert (refused.value.status, reason in refused.value.body) == (code, True)
    assert message in refused.value.body
    with pytest.raises(ApiException) as missing:
        custom.get_namespaced_custom_object(**place, name="nope")
    assert missing.value.status == 404
    assert 'services.serving.knative.dev \\"nope\\" not found' in missing.value.body
    with pytest.raises(ApiException) as a_list:
        custom.patch_namespaced_custom_object(**place, name="nope", body=[{"op": "remove"}])
    assert a_list.value.status in (400, 404)


def test_the_dynamic_client_discovers_applies_and_watches(
    knary: Instance, api: Any, namespace: str
) -> None:
    dynamic = DynamicClient(api)
    assert dynamic.version["kubernetes"]["gitVersion"].startswith("v1.")
    services = dynamic.resources.get(api_version="serving.knative.dev/v1", kind="Service")
    assert dynamic.resources.get(api_version="v1", kind="Service").group == ""
    found = {one.group_version for one in dynamic.resources.search(kind="Service")}
    assert found == {"v1", "serving.knative.dev/v1"}

    def apply(body: dict[str, Any], manager: str = "story") -> Any:
        return dynamic.server_side_apply(
            services, body=body, name="hello", namespace=namespace, field_manager=manager
        )

    applied = apply(service("hello", "World"))
    managers = {entry.manager for entry in applied.metadata.managedFields}
    assert "story" in managers
    seen = []
    for event in services.watch(
        namespace=namespace,
        name="hello",
        resource_version=applied.metadata.resourceVersion,
        timeout=WATCH_S_MAX,
    ):
        seen.append(event["type"])
        if is_ready(event["raw_object"]):
            break
    assert set(seen) == {"MODIFIED"}
    assert texts(knary, namespace, 3) == {WORLD: 3}

    again = apply(service("hello", "World"))
    assert again.metadata.generation == 1  # applying the same changes nothing
    with pytest.raises(ConflictError):
        apply(service("hello", "Mine"), manager="another")

    merged = services.patch(
        name="hello",
        namespace=namespace,
        body={"metadata": {"labels": {"team": "shop"}}},
        content_type="application/merge-patch+json",
    )
    assert merged.metadata.labels.team == "shop"
    items = services.get(namespace=namespace, label_selector="team=shop").items
    assert [item.metadata.name for item in items] == ["hello"]
    services.delete(name="hello", namespace=namespace)
    with pytest.raises(NotFoundError):
        services.get(name="nope", namespace=namespace)


def test_a_watch_goes_on_where_another_ended(api: Any, namespace: str) -> None:
    core = client.CoreV1Api(api)
    listing = core.list_namespaced_config_map(namespace)
    first, second = (
        client.V1ConfigMap(metadata=client.V1ObjectMeta(name=name), data={"a": "b"})
        for name in ("first", "second")
    )
    core.create_namespaced_config_map(namespace, first)
    watching = watch.Watch()
    since = listing.metadata.resource_version

    def follow(since: str) -> Iterator[Any]:
        return watching.stream(
            core.list_namespaced_config_map,
            namespace,
            resource_version=since,
            timeout_seconds=WATCH_S_MAX,
        )

    event = next(follow(since))
    assert (event["type"], event["object"].metadata.name) == ("ADDED", "first")
    core.create_namespaced_config_map(namespace, second)
    core.delete_namespaced_config_map("first", namespace)
    resumed = follow(event["object"].metadata.resource_version)
    got = [next(resumed) for _ in range(2)]
    assert [(one["type"], one["object"].metadata.name) for one in got] == [
        ("ADDED", "second"),
        ("DELETED", "first"),
    ]
    short = watch.Watch().stream(
        core.list_namespaced_config_map, namespace, resource_version=since, timeout_seconds=1
    )
    assert len(list(short)) == 3  # it ends by itself, with nothing lost


def test_typed_apis_read_what_is_there(knary: Instance, api: Any, namespace: str) -> None:
    custom = client.CustomObjectsApi(api)
    created = custom.create_namespaced_custom_object(
        **SERVICES, namespace=namespace, body=service("hello", "World")
    )
    wait_until_ready(custom, namespace, created)
    core = client.CoreV1Api(api)
    (pod,) = core.list_namespaced_pod(
        namespace, label_selector="serving.knative.dev/service=hello"
    ).items
    assert pod.spec.containers[0].name == "user-container"
    assert pod.status.phase == "Running"
    log = core.read_namespaced_pod_log(pod.metadata.name, namespace, container="user-container")
    assert "helloworld" in log
    (deployment,) = client.AppsV1Api(api).list_namespaced_deployment(namespace).items
    assert deployment.metadata.name == "hello-00001-deployment"
    assert deployment.status.ready_replicas == 1
    assert namespace in {one.metadata.name for one in core.list_namespace().items}
    assert core.list_namespaced_event(namespace).items
    core.create_namespaced_secret(
        namespace, client.V1Secret(metadata=client.V1ObjectMeta(name="s"), string_data={"k": "v"})
    )
    assert core.read_namespaced_secret("s", namespace).data == {"k": "dg=="}
    assert client.VersionApi(api).get_code().major == "1"
    groups = {group.name for group in client.ApisApi(api).get_api_versions().groups}
    assert {"serving.knative.dev", "apps"} <= groups
    core.delete_namespace(namespace)
    eventually(
        "the end of the namespace",
        lambda: namespace not in {one.metadata.name for one in core.list_namespace().items},
    )
