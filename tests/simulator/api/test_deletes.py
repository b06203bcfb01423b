"""Deletes over HTTPS: options, answers, collections."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from simulator.resources.serving import Service
from tests.support.api import SERVICES, Api, make, run_with_api

HELLO = f"{SERVICES}/hello"
NOT_FOUND = 'services.serving.knative.dev "hello" not found'


def test_a_delete_answers_success_or_with_the_object_that_stays(tmp_path: Path) -> None:
    async def scenario(api: Api) -> None:
        made = await make(api)
        options = {
            "kind": "DeleteOptions",
            "apiVersion": "serving.knative.dev/v1",
            "propagationPolicy": "Background",
        }
        reply = await api.call("DELETE", HELLO, options)
        assert reply.json == {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Success",
            "details": {
                "name": "hello",
                "kind": "services",
                "uid": made["metadata"]["uid"],
                "group": "serving.knative.dev",
            },
        }
        assert (await api.call("DELETE", HELLO, options)).said == (404, "NotFound", NOT_FOUND)
        await make(api)
        foreground = await api.call("DELETE", f"{HELLO}?propagationPolicy=Foreground")
        assert foreground.json["metadata"]["finalizers"] == ["foregroundDeletion"]
        assert (await api.call("DELETE", HELLO)).json == foreground.json
        assert (await api.call("DELETE", HELLO, options)).json["status"] == "Success"

    run_with_api(tmp_path, scenario)


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"preconditions": {"uid": "other"}}, 409),
        ({"preconditions": {"resourceVersion": "1"}}, 409),
        ({"preconditions": {"uid": 7}}, 400),
        ({"preconditions": []}, 400),
        ({"propagationPolicy": "Sideways"}, 422),
        ({"propagationPolicy": 7}, 422),
        ({"propagationPolicy": ["Orphan"]}, 422),
        ({"gracePeriodSeconds": "soon"}, 400),
        ({"gracePeriodSeconds": True}, 400),
        ({"dryRun": "All"}, 422),
        ([], 400),
        (b"{", 400),
        ({"orphanDependents": None}, 200),
        (b"  ", 200),
    ],
)
def test_delete_options_are_read_strictly(tmp_path: Path, options: Any, code: int) -> None:
    async def scenario(api: Api) -> None:
        await make(api)
        assert (await api.call("DELETE", HELLO, options)).code == code
        assert (api.store.list(Service) == ()) is (code == 200)

    run_with_api(tmp_path, scenario)


def test_a_collection_is_deleted_by_selector(tmp_path: Path) -> None:
    async def scenario(api: Api) -> None:
        for n in range(4):
            await make(api, name=f"s{n}", labels={"odd": str(n % 2)})
        reply = await api.call("DELETE", f"{SERVICES}?labelSelector=odd%3D1")
        assert reply.json["kind"] == "ServiceList"
        assert [item["metadata"]["name"] for item in reply.json["items"]] == ["s1", "s3"]
        assert [obj.metadata.name for obj in api.store.list(Service)] == ["s0", "s2"]
        await api.call("DELETE", f"{SERVICES}?limit=1")
        assert [obj.metadata.name for obj in api.store.list(Service)] == ["s2"]

    run_with_api(tmp_path, scenario)
