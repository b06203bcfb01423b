"""The Python client kr8s: the canary story with a class of its own for Knative's Service."""

from __future__ import annotations

from collections import Counter

import kr8s
import pytest
from kr8s.objects import Namespace, Pod, new_class

from tests.support.instance import Instance
from tests.support.waiting import eventually

Service = new_class("Service", "serving.knative.dev/v1", namespaced=True, plural="services")

WORLD, KNATIVE = "Hello World!\n", "Hello Knative!\n"
OLD, NEW = "hello-00001", "hello-00002"


def is_current(service: kr8s.objects.APIObject) -> bool:
    """Tell whether what the status says is about the newest generation."""
    service.refresh()
    return bool(service.status.get("observedGeneration") == service.metadata["generation"])


def split(service: kr8s.objects.APIObject, **spec: object) -> None:
    service.patch({"spec": spec})
    eventually("the newest generation", lambda: is_current(service))
    service.wait("condition=Ready", timeout=20)


def test_the_canary_story_with_kr8s(knary: Instance) -> None:
    api = kr8s.api(kubeconfig=str(knary.paths.kubeconfig))
    Namespace({"metadata": {"name": "kr8s"}}, api=api).create()
    env = [{"name": "TARGET", "value": "World"}]
    template = {"spec": {"containers": [{"image": "helloworld-go", "env": env}]}}
    metadata = {"name": "hello", "namespace": "kr8s"}
    service = Service({"metadata": metadata, "spec": {"template": template}}, api=api)
    service.create()
    service.wait("condition=Ready", timeout=20)

    def texts(count: int) -> Counter[str]:
        return Counter(knary.get("hello", namespace="kr8s").text for _ in range(count))

    assert texts(5) == {WORLD: 5}
    env[0]["value"] = "Knative"
    split(service, template=template, traffic=[{"revisionName": OLD, "percent": 100}])
    assert texts(10) == {WORLD: 10}
    halves = [{"revisionName": name, "percent": 50} for name in (OLD, NEW)]
    split(service, traffic=halves)
    assert texts(10) == {WORLD: 5, KNATIVE: 5}
    split(service, traffic=[{"latestRevision": True, "percent": 100}])
    assert texts(10) == {KNATIVE: 10}

    selector = f"serving.knative.dev/revision={NEW}"
    (pod,) = Pod.list(namespace="kr8s", label_selector=selector, api=api)
    assert any("helloworld" in line for line in pod.logs(container="user-container"))
    with pytest.raises(kr8s.NotFoundError):
        Service.get("nope", namespace="kr8s", api=api)
    service.label({"team": "shop"})
    selected = Service.list(namespace="kr8s", label_selector="team=shop", api=api)
    assert [one.name for one in selected] == ["hello"]
    service.delete()
    eventually("the end of the service", lambda: not service.exists())
