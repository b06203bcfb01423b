"""Get, list, pages, tables and discovery over HTTPS."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from simulator.resources.core import Event, ObjectReference
from simulator.resources.meta import ObjectMeta
from tests.support.api import SERVICES, TABLE, Api, running_api
from tests.support.stored import service

ALL_SERVICES = "/apis/serving.knative.dev/v1/services"


async def fill(api: Api, count: int = 5) -> None:
    """Store services s0, s1, …, the odd ones labelled."""
    await asyncio.gather(
        *(
            api.store.create(service(f"s{n}", labels={"odd": "yes"} if n % 2 else {}))
            for n in range(count)
        )
    )


def names(document: dict[str, Any]) -> list[str]:
    return [item["metadata"]["name"] for item in document["items"]]


def test_an_object_is_read_with_its_kind_and_version(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running_api(tmp_path) as api:
            made = await api.store.create(service())
            reply = await api.call("GET", f"{SERVICES}/hello")
            assert reply.code == 200
            assert reply.headers["Content-Type"] == "application/json"
            assert reply.json == {
                "apiVersion": "serving.knative.dev/v1",
                "kind": "Service",
                "metadata": {
                    "name": "hello",
                    "namespace": "default",
                    "uid": made.uid,
                    "resourceVersion": "2",
                    "generation": 1,
                    "creationTimestamp": "2026-01-02T03:04:05Z",
                },
                "spec": {
                    "template": {
                        "metadata": {},
                        "spec": {"containers": [{"name": "user-container", "image": "app:1"}]},
                    }
                },
                "status": {},
            }
            assert (await api.call("GET", f"{SERVICES}/hello/status")).json == reply.json

    asyncio.run(scenario())


def test_what_is_not_there_is_a_status(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running_api(tmp_path) as api:
            reply = await api.call("GET", f"{SERVICES}/x")
            assert reply.json == {
                "kind": "Status",
                "apiVersion": "v1",
                "metadata": {},
                "status": "Failure",
                "message": 'services.serving.knative.dev "x" not found',
                "reason": "NotFound",
                "details": {"name": "x", "group": "serving.knative.dev", "kind": "services"},
                "code": 404,
            }
            for path in ("/", "/apis/eventing.knative.dev/v1/brokers", "/openapi", "/metrics"):
                unknown = await api.call("GET", path)
                assert (unknown.code, unknown.body) == (404, b"404 page not found\n")
                assert unknown.headers["Content-Type"].startswith("text/plain")

    asyncio.run(scenario())


def test_a_list_has_a_version_and_whole_items(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running_api(tmp_path) as api:
            empty = (await api.call("GET", SERVICES)).json
            assert empty == {
                "kind": "ServiceList",
                "apiVersion": "serving.knative.dev/v1",
                "metadata": {"resourceVersion": "1"},
                "items": [],
            }
            await fill(api)
            await api.store.create(service("elsewhere", namespace="other"))
            listed = (await api.call("GET", SERVICES)).json
            assert names(listed) == ["s0", "s1", "s2", "s3", "s4"]
            assert {item["kind"] for item in listed["items"]} == {"Service"}
            assert {item["apiVersion"] for item in listed["items"]} == {"serving.knative.dev/v1"}
            everywhere = (await api.call("GET", ALL_SERVICES)).json
            assert names(everywhere) == ["s0", "s1", "s2", "s3", "s4", "elsewhere"]
            assert everywhere["metadata"] == {"resourceVersion": "7"}

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("labelSelector=odd%3Dyes", ["s1", "s3"]),
        ("labelSelector=odd!%3Dyes", ["s0", "s2", "s4"]),
        ("labelSelector=!odd", ["s0", "s2", "s4"]),
        ("labelSelector=odd+in+(yes,no)", ["s1", "s3"]),
        ("fieldSelector=metadata.name%3Ds2", ["s2"]),
        ("fieldSelector=metadata.name%3Ds2&labelSelector=odd", []),
        ("fieldSelector=metadata.name%3Dabsent", []),
        ("resourceVersion=0&limit=500", ["s0", "s1", "s2", "s3", "s4"]),
        (
            "resourceVersion=3&resourceVersionMatch=NotOlderThan&limit=0",
            ["s0", "s1", "s2", "s3", "s4"],
        ),
    ],
)
def test_selectors_choose(tmp_path: Path, query: str, expected: list[str]) -> None:
    async def scenario() -> None:
        async with running_api(tmp_path) as api:
            await fill(api)
            assert names((await api.call("GET", f"{SERVICES}?{query}")).json) == expected
            assert names((await api.call("GET", f"{ALL_SERVICES}?{query}")).json) == expected

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("labelSelector=a%3D%3D%3D", 400),
        ("fieldSelector=spec.x%3D1", 400),
        ("resourceVersion=abc", 400),
        ("resourceVersion=99", 504),
        ("resourceVersion=2&resourceVersionMatch=Exact", 410),
        ("limit=many", 400),
        ("includeObject=All", 400),
    ],
)
def test_bad_questions_are_refused(tmp_path: Path, query: str, code: int) -> None:
    async def scenario() -> None:
        async with running_api(tmp_path) as api:
            await fill(api)
            reply = await api.call("GET", f"{SERVICES}?{query}", Accept=TABLE)
            assert reply.said[0] == code

    asyncio.run(scenario())


def test_events_are_chosen_by_the_object_they_are_about(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running_api(tmp_path) as api:
            for n in range(3):
                about = ObjectReference(kind="Service", name=f"s{n}", namespace="default")
                meta = ObjectMeta(name=f"e{n}", namespace="default")
                await api.store.create(Event(metadata=meta, involved_object=about))
            path = "/api/v1/namespaces/default/events?fieldSelector=involvedObject.name%3Ds1"
            assert names((await api.call("GET", path)).json) == ["e1"]

    asyncio.run(scenario())


def test_a_table_is_given_to_who_asks_for_one(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running_api(tmp_path) as api:
            await fill(api, 3)
            listed = (await api.call("GET", f"{SERVICES}?limit=2", Accept=TABLE)).json
            assert (listed["kind"], listed["apiVersion"]) == ("Table", "meta.k8s.io/v1")
            assert [row["cells"][0] for row in listed["rows"]] == ["s0", "s1"]
            assert listed["metadata"]["resourceVersion"] == "4"
            assert listed["metadata"]["continue"]
            one = (
                await api.call("GET", f"{SERVICES}/s0", Accept=TABLE.replace("v1", "v1beta1"))
            ).json
            assert one["apiVersion"] == "meta.k8s.io/v1beta1"
            assert (
                one["metadata"]["resourceVersion"]
                == one["rows"][0]["object"]["metadata"]["resourceVersion"]
            )
            whole = await api.call("GET", f"{SERVICES}?includeObject=Object", Accept=TABLE)
            assert whole.json["rows"][0]["object"]["spec"]

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("accept", "code"),
    [
        ("application/json, */*", 200),
        ("application/vnd.kubernetes.protobuf,application/json", 200),
        ("*/*", 200),
        ("application/vnd.kubernetes.protobuf", 406),
        ("text/html", 406),
        ("application/json;q=0", 406),
        ("application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io", 200),
        ("application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io", 406),
        ("application/json;as=Table;v=v2;g=meta.k8s.io", 406),
        ("application/json;as=Table;v=v1;g=other.k8s.io", 406),
    ],
)
def test_what_a_client_accepts_decides_the_form(tmp_path: Path, accept: str, code: int) -> None:
    async def scenario() -> None:
        async with running_api(tmp_path) as api:
            assert (await api.call("GET", SERVICES, Accept=accept)).code == code

    asyncio.run(scenario())


def test_discovery_lists_every_kind_with_its_verbs(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running_api(tmp_path) as api:

            async def get(path: str) -> Any:
                reply = await api.call("GET", path)
                assert reply.code == 200
                return reply.json

            version = await get("/version?timeout=32s")
            assert version == await get("/version/")
            assert {"major", "minor", "gitVersion", "platform"} <= set(version)
            core = await get("/api")
            assert core["versions"] == ["v1"]
            address = core["serverAddressByClientCIDRs"][0]["serverAddress"]
            assert address == f"127.0.0.1:{api.port}"
            groups = await get("/apis")
            assert groups == await get("/apis/")
            assert [group["name"] for group in groups["groups"]] == [
                "serving.knative.dev",
                "networking.internal.knative.dev",
                "knary.dev",
                "discovery.k8s.io",
                "apps",
                "caching.internal.knative.dev",
                "authentication.k8s.io",
                "authorization.k8s.io",
            ]
            assert (await get("/apis/serving.knative.dev"))["kind"] == "APIGroup"
            resources = await get("/apis/serving.knative.dev/v1")
            assert resources["groupVersion"] == "serving.knative.dev/v1"
            by_name = {resource["name"]: resource for resource in resources["resources"]}
            assert by_name["services"] == {
                "name": "services",
                "singularName": "service",
                "namespaced": True,
                "kind": "Service",
                "verbs": [
                    *("delete", "deletecollection", "get", "list", "patch", "create", "update"),
                    "watch",
                ],
                "shortNames": ["kservice", "ksvc"],
                "categories": ["all", "knative", "serving"],
            }
            assert by_name["services/status"]["verbs"] == ["get", "patch", "update"]
            pods = {one["name"]: one["verbs"] for one in (await get("/api/v1"))["resources"]}
            assert pods["pods"] == ["delete", "deletecollection", "get", "list", "watch"]
            assert pods["pods/log"] == ["get"]
            assert "events/status" not in pods
            assert (await api.call("POST", "/api", {})).said[0] == 405

    asyncio.run(scenario())
