"""Metadata alone, for who asks for it: get, list, pages and watch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from simulator.resources.meta import Key
from simulator.resources.serving import Service
from tests.support.api import SERVICES, Api, run_with_api
from tests.support.stored import service

OBJECT = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v={}"
LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v={}"
# As client-go's metadata client asks: what it likes best comes first, and is not served.
METADATA_CLIENT = (
    "application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,"
    f"{LIST.format('v1')},application/json"
)


def expected(obj: Service, version: str) -> dict[str, Any]:
    return {
        "kind": "PartialObjectMetadata",
        "apiVersion": f"meta.k8s.io/{version}",
        "metadata": {
            "name": obj.metadata.name,
            "namespace": "default",
            "uid": obj.uid,
            "resourceVersion": obj.metadata.resource_version,
            "generation": 1,
            "creationTimestamp": "2026-01-02T03:04:05Z",
            "labels": {"a": "b"},
        },
    }


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
def test_an_object_and_a_list_are_shown_by_their_metadata(tmp_path: Path, version: str) -> None:
    async def scenario(api: Api) -> None:
        one = await api.store.create(service("one", labels={"a": "b"}))
        two = await api.store.create(service("two", labels={"a": "b"}))
        got = await api.call("GET", f"{SERVICES}/one", Accept=OBJECT.format(version))
        assert got.json == expected(one, version)
        assert got.headers["Content-Type"] == "application/json"
        listed = await api.call("GET", SERVICES, Accept=LIST.format(version))
        assert listed.json == {
            "kind": "PartialObjectMetadataList",
            "apiVersion": f"meta.k8s.io/{version}",
            "metadata": {"resourceVersion": "3"},
            "items": [expected(one, version), expected(two, version)],
        }

    run_with_api(tmp_path, scenario)


def test_a_metadata_client_pages_and_watches(tmp_path: Path) -> None:
    async def scenario(api: Api) -> None:
        for name in ("a", "b", "c"):
            await api.store.create(service(name, labels={"a": "b"}))
        page = (await api.call("GET", f"{SERVICES}?limit=2", Accept=METADATA_CLIENT)).json
        assert page["metadata"]["remainingItemCount"] == 1
        rest = f"{SERVICES}?limit=2&continue={page['metadata']['continue']}"
        last = (await api.call("GET", rest, Accept=METADATA_CLIENT)).json
        assert [item["metadata"]["name"] for item in page["items"] + last["items"]] == [*"abc"]
        query = (
            "?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan"
            "&allowWatchBookmarks=true&fieldSelector=metadata.name%3Da"
        )
        accept = OBJECT.format("v1") + ",application/json"
        async with api.watch(SERVICES + query, Accept=accept) as frames:
            added, end = await frames.take(2)
            stored = api.store.get(Service, "default", "a")
            assert stored is not None
            assert added == {"type": "ADDED", "object": expected(stored, "v1")}
            assert end == {
                "type": "BOOKMARK",
                "object": {
                    "kind": "PartialObjectMetadata",
                    "apiVersion": "meta.k8s.io/v1",
                    "metadata": {
                        "resourceVersion": "4",
                        "annotations": {"k8s.io/initial-events-end": "true"},
                    },
                },
            }
            await api.store.delete(Service, Key("default", "a"))
            (deleted,) = await frames.take(1)
            assert deleted["type"] == "DELETED"
            assert deleted["object"]["metadata"]["resourceVersion"] == "5"
            assert "spec" not in deleted["object"]

    run_with_api(tmp_path, scenario)


@pytest.mark.parametrize(
    ("path", "accept", "message"),
    [
        pytest.param(
            SERVICES,
            OBJECT,
            "you requested PartialObjectMetadata, but the requested object is a list (ServiceList)",
            id="one of a list",
        ),
        pytest.param(
            f"{SERVICES}/one",
            LIST,
            "you requested PartialObjectMetadataList, but the requested object is not a list "
            "(Service)",
            id="a list of one",
        ),
        pytest.param(
            f"{SERVICES}?watch=1",
            LIST,
            "you requested PartialObjectMetadataList, but the requested object is not a list "
            "(Service)",
            id="a watch of lists",
        ),
    ],
)
def test_the_form_that_does_not_fit_is_not_acceptable(
    tmp_path: Path, path: str, accept: str, message: str
) -> None:
    async def scenario(api: Api) -> None:
        await api.store.create(service("one"))
        reply = await api.call("GET", path, Accept=accept.format("v1"))
        assert reply.said == (406, "NotAcceptable", message)

    run_with_api(tmp_path, scenario)
