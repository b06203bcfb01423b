"""ConfigMaps over HTTPS: kept whole, printed, and obeyed from the next write on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from simulator.resources.core import ConfigMap, Namespace
from simulator.resources.meta import ObjectMeta
from tests.support.api import SERVICES, TABLE, Api, manifest, run_with_api

MAPS = "/api/v1/namespaces/knative-serving/configmaps"
MERGE = "application/merge-patch+json"


async def make(api: Api, name: str, **data: str) -> Any:
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}
    reply = await api.call("POST", MAPS, body)
    assert reply.code == 201, reply.body
    return reply.json


async def with_namespace(api: Api) -> None:
    await api.store.create(Namespace(metadata=ObjectMeta(name="knative-serving")))


def test_a_config_map_is_kept_whole_and_counted(tmp_path: Path) -> None:
    async def scenario(api: Api) -> None:
        await with_namespace(api)
        made = await make(api, "mine", a="1", b="2")
        assert made["data"] == {"a": "1", "b": "2"}
        table = (await api.call("GET", MAPS, Accept=TABLE)).json
        assert [column["name"] for column in table["columnDefinitions"]] == ["Name", "Data", "Age"]
        assert table["rows"][0]["cells"][:2] == ["mine", 2]
        patched = await api.call("PATCH", f"{MAPS}/mine", {"data": {"a": None}}, Content_Type=MERGE)
        assert patched.json["data"] == {"b": "2"}
        assert (await api.call("DELETE", f"{MAPS}/mine")).code == 200
        assert api.store.list(ConfigMap) == ()

    run_with_api(tmp_path, scenario)


def test_a_setting_that_cannot_be_read_is_refused_on_every_way_in(tmp_path: Path) -> None:
    async def scenario(api: Api) -> None:
        await with_namespace(api)
        await make(api, "config-network")
        bad = {"data": {"rollout-duration": "-5"}}
        reply = await api.call("PATCH", f"{MAPS}/config-network", bad, Content_Type=MERGE)
        assert reply.said == (
            400,
            "BadRequest",
            (
                'admission webhook "config.webhook.serving.knative.dev" denied the request:'
                " validation failed: rollout-duration must be a positive integer, but was -5"
            ),
        )

    run_with_api(tmp_path, scenario)


def test_the_most_that_a_service_may_ask_for_is_what_the_setting_says_now(tmp_path: Path) -> None:
    async def scenario(api: Api) -> None:
        await with_namespace(api)
        service = manifest()
        service["spec"]["template"]["spec"]["timeoutSeconds"] = 900
        refused = await api.call("POST", SERVICES, service)
        assert "expected 0 <= 900 <= 600: spec.template.spec.timeoutSeconds" in refused.said[2]
        await make(api, "config-defaults", **{"max-revision-timeout-seconds": "1200"})
        assert (await api.call("POST", SERVICES, service)).code == 201
        other = manifest("other")
        defaults = {"data": {"container-concurrency": "7", "revision-timeout-seconds": "30"}}
        await api.call("PATCH", f"{MAPS}/config-defaults", defaults, Content_Type=MERGE)
        spec = (await api.call("POST", SERVICES, other)).json["spec"]["template"]["spec"]
        assert (spec["containerConcurrency"], spec["timeoutSeconds"]) == (7, 30)

    run_with_api(tmp_path, scenario)


def test_a_feature_lets_a_field_pass_as_soon_as_it_is_on(tmp_path: Path) -> None:
    async def scenario(api: Api) -> None:
        await with_namespace(api)
        service = manifest()
        service["spec"]["template"]["spec"]["nodeSelector"] = {"a": "b"}
        refused = await api.call("POST", SERVICES, service)
        assert "must not set the field(s): spec.template.spec.nodeSelector" in refused.said[2]
        await make(api, "config-features", **{"kubernetes.podspec-nodeselector": "enabled"})
        assert (await api.call("POST", SERVICES, service)).code == 201

    run_with_api(tmp_path, scenario)
