"""cloudcoil's models of Knative Serving: typed objects in and out (`make conformance`)."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.instance import Instance

MODELS = "cloudcoil.models.knative_serving.serving.v1"
INSTALL = "no cloudcoil: pip install cloudcoil-models-knative-serving filelock"

# It leaves its connections and its folder for certificates to the garbage collector.
pytestmark = [
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

WAIT_S_MAX = 20
OLD, NEW = "hello-00001", "hello-00002"


@pytest.fixture(autouse=True)
def collected() -> Iterator[None]:
    """Collect what cloudcoil left where its warnings are expected, not at the end of the run."""
    yield
    gc.collect()


def test_the_canary_story_with_typed_models(knary: Instance) -> None:
    models: Any = pytest.importorskip(MODELS, reason=INSTALL)
    client: Any = pytest.importorskip("cloudcoil.client", reason=INSTALL)

    def service(target: str, traffic: list[dict[str, Any]] | None = None) -> Any:
        env = [{"name": "TARGET", "value": target}]
        template = {"spec": {"containers": [{"image": "helloworld-go", "env": env}]}}
        spec: dict[str, Any] = {"template": template} | ({"traffic": traffic} if traffic else {})
        return models.Service.model_validate(
            {
                "apiVersion": "serving.knative.dev/v1",
                "kind": "Service",
                "metadata": {"name": "hello", "namespace": "cloudcoil"},
                "spec": spec,
            }
        )

    def change(target: str, traffic: list[dict[str, Any]]) -> None:
        current = models.Service.get("hello", namespace="cloudcoil")
        current.spec = service(target, traffic).spec
        wait_until_ready(current.update())

    def wait_until_ready(changed: Any) -> None:
        wanted = changed.metadata.generation

        def is_ready(event: str, obj: Any) -> bool:
            status = obj.status
            if status is None or status.observed_generation != wanted:
                return False
            return any(one.type == "Ready" and one.status == "True" for one in status.conditions)

        changed.wait_for(is_ready, timeout=WAIT_S_MAX)

    def texts(count: int) -> Counter[str]:
        asked = (knary.get("hello", namespace="cloudcoil").text for _ in range(count))
        return Counter(text.strip() for text in asked)

    knary.run(
        "apply", "-f", "-", stdin="{apiVersion: v1, kind: Namespace, metadata: {name: cloudcoil}}"
    )
    with client.Config(kubeconfig=knary.paths.kubeconfig):
        wait_until_ready(service("World").create())
        assert texts(4) == {"Hello World!": 4}
        change("Knative", [{"revisionName": OLD, "percent": 100}])
        assert texts(10) == {"Hello World!": 10}
        change("Knative", [{"revisionName": name, "percent": 50} for name in (OLD, NEW)])
        assert texts(10) == {"Hello World!": 5, "Hello Knative!": 5}
        change("Knative", [{"latestRevision": True, "percent": 100}])
        assert texts(10) == {"Hello Knative!": 10}
        names = {one.name for one in models.Revision.list(namespace="cloudcoil")}
        assert names == {OLD, NEW}
        models.Service.delete("hello", namespace="cloudcoil")
